//! An animation of a window while keys are pressed: frames at a steady pace on a thread of their own, equal ones put together, one
//! palette for all, and of each frame only what changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::stage::Camera;
use super::tools::{self, Tools};
use crate::environment::Environment;
use crate::failure::Failure;

const EVERY: Duration = Duration::from_millis(500);
/// The last frame stays, so that one sees where it begins again.
const LAST_STAYS: Duration = Duration::from_secs(3);
/// Bytes.
const MOST: u64 = 1_500_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    file: PathBuf,
    stays: Duration,
}

/// Takes frames until `play` is through.
pub fn while_playing(
    camera: &Camera,
    folder: &Path,
    play: impl FnOnce() -> Result<(), Failure>,
) -> Result<Vec<Frame>, Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let over = AtomicBool::new(false);
    let (played, taken) = thread::scope(|scope| {
        let film = scope.spawn(|| film(camera, folder, &over));
        let played = play();
        over.store(true, Ordering::Relaxed);
        (played, film.join())
    });
    played?;
    let taken = taken.map_err(|_| Failure::new("the camera broke"))??;
    thinned(&taken)
}

/// Files in order, each with the moment at which it was asked for.
fn film(camera: &Camera, folder: &Path, over: &AtomicBool) -> Result<Vec<(PathBuf, Instant)>, Failure> {
    let mut taken = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let file = folder.join(format!("{:04}.ppm", taken.len()));
        camera.capture(&file)?;
        taken.push((file, begun));
        thread::sleep(EVERY.saturating_sub(begun.elapsed()));
    }
    Ok(taken)
}

/// A frame that equals the one before only lengthens it.
fn thinned(taken: &[(PathBuf, Instant)]) -> Result<Vec<Frame>, Failure> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut before = Vec::new();
    for (at, (file, begun)) in taken.iter().enumerate() {
        let stays = taken.get(at + 1).map_or(LAST_STAYS, |(_, next)| next.saturating_duration_since(*begun));
        let pixels = fs::read(file).map_err(|error| Failure::io("read", file, &error))?;
        match frames.last_mut() {
            Some(last) if pixels == before => last.stays += stays,
            _ => frames.push(Frame { file: file.clone(), stays }),
        }
        before = pixels;
    }
    Ok(frames)
}

/// Writes them as a GIF, and says what became of it.
pub fn animate(environment: &Environment, tools: &Tools, frames: &[Frame], file: &Path) -> Result<String, Failure> {
    let palette = file.with_extension("palette.png");
    let mut made = None;
    for colours in [160, 96, 48, 24] {
        // A dozen of the frames have all colours that matter.
        let mut command = environment.command(&tools.convert);
        command.args(frames.iter().step_by(frames.len().div_ceil(12).max(1)).map(|frame| &frame.file));
        command.args(["-append", "+dither", "-colors", &colours.to_string(), "-unique-colors"]).arg(&palette);
        tools::output(&mut command)?;
        let mut command = environment.command(&tools.convert);
        for frame in frames {
            command.args(["-delay", &hundredths(frame.stays).to_string()]).arg(&frame.file);
        }
        command.args(["-loop", "0", "+dither", "-remap"]).arg(&palette);
        command.args(["-layers", "OptimizeFrame", "-layers", "OptimizeTransparency", "-strip"]).arg(file);
        tools::output(&mut command)?;
        let bytes = fs::metadata(file).map_err(|error| Failure::io("read", file, &error))?.len();
        made = Some(format!("{} frames, {colours} colours, {} KB", frames.len(), bytes.div_ceil(1000)));
        if bytes <= MOST {
            break;
        }
    }
    let _ = fs::remove_file(&palette);
    made.ok_or_else(|| Failure::new("there is nothing to animate"))
}

/// GIF counts in hundredths of a second; browsers take less than two of them for ten.
fn hundredths(stays: Duration) -> u128 {
    (stays.as_millis() / 10).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn equal_frames_become_one_that_stays_longer() {
        let folder = Scratch::new();
        let begun = Instant::now();
        let taken: Vec<_> = ["a", "a", "b", "a"]
            .into_iter()
            .enumerate()
            .map(|(at, text)| {
                folder.write(&at.to_string(), text);
                (folder.path(&at.to_string()), begun + EVERY * at as u32)
            })
            .collect();
        let frames = thinned(&taken).unwrap();
        let stay: Vec<_> = frames.iter().map(|frame| hundredths(frame.stays)).collect();
        assert_eq!(stay, [100, 50, 300]);
        assert_eq!(frames[1].file, taken[2].0);
    }
}
