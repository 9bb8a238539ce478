//! A display that nobody sees, and terminals on it at a fixed size, with the same font and colours everywhere and nothing of the user's
//! own settings. Each ends with its value.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::script::Cells;
use super::tools::{self, Tools};
use crate::bench::child::{self, Line, Running};
use crate::environment::Environment;
use crate::failure::Failure;

const FONT: &str = "DejaVu Sans Mono";
/// How long a display or a window may take to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// What would make the pictures depend on where this command was typed.
const OTHERS: &[&str] = &[
    "TMUX",
    "TMUX_PANE",
    "TERM_PROGRAM",
    "COLORTERM",
    "COLORFGBG",
    "NO_COLOR",
    "WAYLAND_DISPLAY",
    "FROSTLINE_UI",
    "KITTY_WINDOW_ID",
    "STY",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSH_CLIENT",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// Has kitty's graphics.
    Kitty,
    /// As a VT340, which had sixel graphics.
    Xterm,
}

pub struct Stage<'a> {
    environment: &'a Environment,
    tools: &'a Tools,
    root: PathBuf,
    own: PathBuf,
    runs: PathBuf,
    display: String,
    _xvfb: Running,
}

pub struct Window {
    pub camera: Camera,
    xdotool: PathBuf,
    _terminal: Running,
}

/// What looks at a window, from any thread.
pub struct Camera {
    window: String,
    display: String,
    import: PathBuf,
}

impl<'a> Stage<'a> {
    /// Programs on it run in `root`, keep their runs in `runs`, and have a folder below `scratch` for their sockets and settings.
    pub fn set(
        environment: &'a Environment,
        tools: &'a Tools,
        root: &Path,
        scratch: &Path,
        runs: &Path,
    ) -> Result<Self, Failure> {
        let own = scratch.join("own");
        fs::create_dir_all(&own).map_err(|error| Failure::io("create", &own, &error))?;
        fs::set_permissions(&own, fs::Permissions::from_mode(0o700))
            .map_err(|error| Failure::io("protect", &own, &error))?;
        let mut command = child::mortal(environment, &tools.xvfb);
        // It chooses a free number, and prints it when it is ready.
        command.args(["-displayfd", "1", "-screen", "0", "1600x1100x24", "-nolisten", "tcp", "+extension", "GLX"]);
        let mut xvfb = Running::start(command).map_err(Failure::new)?;
        let begun = Instant::now();
        let mut last = String::from("it said nothing");
        while begun.elapsed() < PATIENCE {
            match xvfb.line(Duration::from_millis(200)) {
                Line::Said(line) if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => {
                    let (root, runs, display) = (root.to_owned(), runs.to_owned(), format!(":{line}"));
                    return Ok(Self { environment, tools, root, own, runs, display, _xvfb: xvfb });
                }
                Line::Said(line) => last = line,
                Line::Nothing => {}
                Line::Over => break,
            }
        }
        Err(Failure::new(format!("Xvfb opened no display: {last}")))
    }

    /// Opens a terminal in which `program` runs, and waits for its window.
    pub fn open(
        &self,
        terminal: Terminal,
        emulator: &Path,
        cells: Cells,
        program: &Path,
        words: &[&str],
    ) -> Result<Window, Failure> {
        let mut command = child::mortal(self.environment, emulator);
        let class = match terminal {
            Terminal::Kitty => kitty(&mut command, cells),
            Terminal::Xterm => xterm(&mut command, cells),
        };
        command.arg(program).args(words).current_dir(&self.root);
        for name in OTHERS {
            command.env_remove(name);
        }
        // No graphics card is needed, nor wanted: its driver could draw letters in another way.
        command.env("DISPLAY", &self.display).env("LIBGL_ALWAYS_SOFTWARE", "1").env("LC_ALL", "C.UTF-8");
        command.env("XDG_RUNTIME_DIR", &self.own).env("XDG_CONFIG_HOME", &self.own).env("XDG_CACHE_HOME", &self.own);
        command.env("FROSTLINE_RUNS", &self.runs);
        if cells.light {
            // By which programs know a light ground where a terminal says so.
            command.env("COLORFGBG", "0;15");
        }
        let mut running = Running::start(command).map_err(Failure::new)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let mut search = self.environment.command(&self.tools.xdotool);
            search.env("DISPLAY", &self.display).args(["search", "--onlyvisible", "--class", class]);
            if let Some(id) = tools::output(&mut search).ok().and_then(|found| found.lines().last().map(str::to_owned))
            {
                let camera = Camera { window: id, display: self.display.clone(), import: self.tools.import.clone() };
                return Ok(Window { camera, xdotool: self.tools.xdotool.clone(), _terminal: running });
            }
            if running.status().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let mut said = String::from("it said nothing");
        while let Line::Said(line) = running.line(Duration::from_millis(100)) {
            said = line;
        }
        Err(Failure::new(format!("{} opened no window: {said}", emulator.display())))
    }
}

impl Window {
    /// A key by its name in X: `Left`, `F`, `question`.
    pub fn press(&self, key: &str) -> Result<(), Failure> {
        let mut command = Command::new(&self.xdotool);
        command.env("DISPLAY", &self.camera.display).args(["windowfocus", &self.camera.window, "key", key]);
        tools::output(&mut command).map(drop)
    }
}

impl Camera {
    /// The window's pixels, in the format that the file's name says.
    pub fn capture(&self, file: &Path) -> Result<(), Failure> {
        let mut command = Command::new(&self.import);
        command.env("DISPLAY", &self.display).args(["-silent", "-window", &self.window]).arg(file);
        tools::output(&mut command).map(drop)
    }
}

fn kitty(command: &mut Command, cells: Cells) -> &'static str {
    let (background, foreground) = cells.ground();
    let settings = [
        "remember_window_size=no".to_owned(),
        format!("initial_window_width={}c", cells.columns),
        format!("initial_window_height={}c", cells.rows),
        format!("font_family={FONT}"),
        format!("font_size={}", cells.points),
        format!("background={background}"),
        format!("foreground={foreground}"),
        "hide_window_decorations=yes".to_owned(),
        "window_padding_width=0".to_owned(),
        "update_check_interval=0".to_owned(),
        "confirm_os_window_close=0".to_owned(),
        "shell_integration=disabled".to_owned(),
    ];
    command.args(["--config", "NONE"]);
    for setting in settings {
        command.arg("-o").arg(setting);
    }
    "kitty"
}

fn xterm(command: &mut Command, cells: Cells) -> &'static str {
    let (background, foreground) = cells.ground();
    let geometry = format!("{}x{}+0+0", cells.columns, cells.rows);
    command.args(["-ti", "vt340", "-tn", "xterm-256color", "-geometry", &geometry, "-fa", FONT]);
    command.args([
        "-fs",
        &cells.points.to_string(),
        "-bg",
        background,
        "-fg",
        foreground,
        "+sb",
        "-b",
        "0",
        "-bw",
        "0",
    ]);
    for resource in ["numColorRegisters:1024", "sixelScrolling:true", "maxGraphicSize:2000x2000", "allowWindowOps:true"]
    {
        command.arg("-xrm").arg(format!("xterm*{resource}"));
    }
    command.arg("-e");
    "xterm"
}
