//! `cargo xtask screenshots`: makes the pictures of the README and the recording by itself. Real runs train in a real terminal on a
//! display of their own; keys are pressed when an epoch is over. It draws nothing and edits no page: `docs/screens` holds what came out.

mod options;
mod picture;
mod recording;
mod runs;
mod script;
mod stage;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::checkout::Checkout;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::{ci, say, setup};
use options::{Options, Part};
use runs::Runs;
use script::Step;
use stage::{Stage, Terminal, Window};
use tools::Tools;

const FOLDER: &str = "docs/screens";
/// What a picture shows as soon as it is asked for comes a moment later from the engine.
const BEFORE_A_PICTURE: Duration = Duration::from_millis(1500);
const AFTER_A_KEY: Duration = Duration::from_millis(180);

pub fn run(environment: &Environment, checkout: &Checkout, arguments: &[String]) -> Result<(), Failure> {
    let options = Options::parse(arguments)?;
    if options.help {
        say::text(options::HELP);
        return Ok(());
    }
    let tools = Tools::find(environment)?;
    let frostline = match &options.frostline {
        Some(path) => path.canonicalize().map_err(|error| Failure::io("find", path, &error))?,
        None => built(environment, checkout)?,
    };
    let folder = checkout.root().join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    // Not below the checkout: a path in a picture should say nothing of the machine.
    let scratch = std::env::temp_dir().join(format!("frostline-screens-{}", std::process::id()));
    let theatre = Theatre { environment, checkout, tools: &tools, frostline: &frostline, folder: &folder };
    let played = theatre.play(&scratch, &options);
    let _ = fs::remove_dir_all(&scratch);
    played
}

/// The release build that is there, or a new one.
fn built(environment: &Environment, checkout: &Checkout) -> Result<PathBuf, Failure> {
    let there = checkout.root().join("target/release/frostline");
    if there.is_file() && there.with_file_name("frostline-engine").is_file() {
        return Ok(there);
    }
    setup::run(environment, checkout, setup::Options::default())?;
    ci::build(environment, checkout, &["--release", "--bin", "frostline", "--bin", "frostline-engine"])
}

struct Theatre<'a> {
    environment: &'a Environment,
    checkout: &'a Checkout,
    tools: &'a Tools,
    frostline: &'a Path,
    folder: &'a Path,
}

impl Theatre<'_> {
    fn play(&self, scratch: &Path, options: &Options) -> Result<(), Failure> {
        let runs = Runs::in_folder(self.environment, self.frostline, &scratch.join("runs"))?;
        let stage = Stage::set(self.environment, self.tools, self.checkout.root(), scratch, runs.folder())?;
        // The recording first, so that there are two runs when home is shown.
        if options.wants(Part::Recording) {
            let window = self.open(&stage, script::SMALL, &script::RECORDED_RUN)?;
            runs.wait_for(script::RECORDED, script::BEFORE_RECORDING)?;
            let frames = scratch.join("frames");
            let played = recording::while_playing(&window.camera, &frames, || {
                self.perform(&window, &runs, script::RECORDED, script::RECORDING)
            })?;
            leave(&window)?;
            runs.stop(script::RECORDED);
            let made = recording::animate(self.environment, self.tools, &played, &self.folder.join("session.gif"))?;
            say::line(&format!("{FOLDER}/session.gif: {made}"));
        }
        if options.wants(Part::Stills) || options.wants(Part::Sixel) {
            self.stills(&stage, &runs, options)?;
        }
        Ok(())
    }

    fn stills(&self, stage: &Stage<'_>, runs: &Runs<'_>, options: &Options) -> Result<(), Failure> {
        let window = self.open(stage, script::LARGE, &script::PICTURED_RUN)?;
        if options.wants(Part::Stills) {
            self.perform(&window, runs, script::PICTURED, script::STILLS)?;
        } else {
            runs.wait_for(script::PICTURED, 6)?;
        }
        leave(&window)?;
        drop(window);
        if options.wants(Part::Stills) {
            let light = self.open(stage, script::LIGHT, &["attach", script::PICTURED])?;
            self.perform(&light, runs, script::PICTURED, script::LIGHT_PAGE)?;
            leave(&light)?;
            drop(light);
            let home = self.open(stage, script::LARGE, &[])?;
            self.perform(&home, runs, script::PICTURED, script::HOME)?;
            leave(&home)?;
        }
        if options.wants(Part::Sixel) {
            if let Some(xterm) = self.tools.xterm.as_deref() {
                let words = ["attach", script::PICTURED];
                let window = stage.open(Terminal::Xterm, xterm, script::LARGE, self.frostline, &words)?;
                self.perform(&window, runs, script::PICTURED, script::SIXEL)?;
                leave(&window)?;
            } else {
                say::line("no xterm on PATH: the picture with sixel is left out");
            }
        }
        runs.stop(script::PICTURED);
        Ok(())
    }

    fn open(&self, stage: &Stage<'_>, cells: script::Cells, words: &[&str]) -> Result<Window, Failure> {
        let (terminal, program) = self.tools.terminal();
        stage.open(terminal, program, cells, self.frostline, words)
    }

    fn perform(&self, window: &Window, runs: &Runs<'_>, run: &str, steps: &[Step]) -> Result<(), Failure> {
        for step in steps {
            match step {
                Step::Keys(keys) => {
                    for key in *keys {
                        window.press(key)?;
                        thread::sleep(AFTER_A_KEY);
                    }
                }
                Step::Seconds(seconds) => thread::sleep(Duration::from_secs_f32(*seconds)),
                Step::Epoch(epoch) => runs.wait_for(run, *epoch)?,
                Step::Picture(name) => {
                    thread::sleep(BEFORE_A_PICTURE);
                    let file = self.folder.join(format!("{name}.png"));
                    let bytes = picture::take(self.environment, self.tools, &window.camera, &file)?;
                    say::line(&format!("{FOLDER}/{name}.png: {} KB", bytes.div_ceil(1000)));
                }
            }
        }
        Ok(())
    }
}

/// As people leave a dashboard: a terminal that is killed could take the engine with it that was started there.
fn leave(window: &Window) -> Result<(), Failure> {
    window.press("q")?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}
