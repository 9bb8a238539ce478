//! A still picture of a window: as few colours as its size in bytes asks for, and no date, so that only what is seen changes the file.

use std::fs;
use std::path::Path;

use super::stage::Camera;
use super::tools::{self, Tools};
use crate::environment::Environment;
use crate::failure::Failure;

/// Bytes. Pages with a dozen of them should open at once.
const MOST: u64 = 120_000;

/// Returns the bytes of the file.
pub fn take(environment: &Environment, tools: &Tools, camera: &Camera, file: &Path) -> Result<u64, Failure> {
    let whole = std::env::temp_dir().join(format!("frostline-screen-{}.ppm", std::process::id()));
    camera.capture(&whole)?;
    let made = [255, 128, 64, 32].iter().try_fold(u64::MAX, |bytes, colours| {
        if bytes <= MOST {
            return Ok(bytes);
        }
        let mut command = environment.command(&tools.convert);
        command.arg(&whole).args(["+dither", "-colors", &colours.to_string(), "-strip"]);
        command.args(["-define", "png:compression-level=9", "-define", "png:exclude-chunks=date,time"]);
        command.arg(format!("png8:{}", file.display()));
        tools::output(&mut command)?;
        fs::metadata(file).map(|data| data.len()).map_err(|error| Failure::io("read", file, &error))
    });
    let _ = fs::remove_file(&whole);
    made
}
