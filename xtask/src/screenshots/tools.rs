//! The programs that make pictures of a terminal, as this machine has them; what is missing is said at once, all of it together.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::stage::Terminal;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::packager::Packager;

#[derive(Debug)]
pub struct Tools {
    pub xvfb: PathBuf,
    pub xdotool: PathBuf,
    /// Reads a window.
    pub import: PathBuf,
    /// `magick`, or the `convert` of versions before 7.
    pub convert: PathBuf,
    pub kitty: Option<PathBuf>,
    pub xterm: Option<PathBuf>,
}

impl Tools {
    pub fn find(environment: &Environment) -> Result<Self, Failure> {
        let mut missing = Vec::new();
        let mut packages = Vec::new();
        let mut need = |found: Option<PathBuf>, name: &str, package: &'static str| {
            if found.is_none() {
                missing.push(name.to_owned());
                if !packages.contains(&package) {
                    packages.push(package);
                }
            }
            found.unwrap_or_default()
        };
        let program = |name| environment.program(name);
        let (kitty, xterm) = (program("kitty"), program("xterm"));
        let tools = Self {
            xvfb: need(program("Xvfb"), "Xvfb", "xvfb"),
            xdotool: need(program("xdotool"), "xdotool", "xdotool"),
            import: need(program("import"), "ImageMagick's import", "imagemagick"),
            convert: need(program("magick").or_else(|| program("convert")), "ImageMagick's convert", "imagemagick"),
            kitty: kitty.clone(),
            xterm: xterm.clone(),
        };
        need(kitty.or(xterm), "a terminal (kitty, which shows pictures in pixels, or xterm)", "kitty");
        if missing.is_empty() {
            return Ok(tools);
        }
        let what = format!("not on PATH, and needed to make pictures of a terminal: {}", missing.join(", "));
        Err(Failure::new(what).hint(Packager::of(environment).install(&packages.join(" "))))
    }

    /// The one in which pictures are taken.
    pub fn terminal(&self) -> (Terminal, &Path) {
        match (&self.kitty, &self.xterm) {
            (Some(kitty), _) => (Terminal::Kitty, kitty),
            (None, xterm) => (Terminal::Xterm, xterm.as_deref().unwrap_or_else(|| Path::new("xterm"))),
        }
    }
}

/// Runs one of them to its end and returns what it printed.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("{name} did not start: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it said nothing");
    Err(Failure::new(format!("{name} failed: {said}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn all_that_is_missing_is_said_at_once_with_what_brings_it() {
        let folder = Scratch::new();
        for name in ["apt-get", "Xvfb", "xterm"] {
            folder.script(&format!("bin/{name}"), "exit 0");
        }
        let environment = Environment::of(&[("PATH", folder.path("bin").as_os_str())]);
        let failure = Tools::find(&environment).unwrap_err();
        assert!(failure.what.ends_with("xdotool, ImageMagick's import, ImageMagick's convert"), "{}", failure.what);
        assert_eq!(failure.hints, ["sudo apt-get install xdotool imagemagick"]);
        for name in ["xdotool", "import", "convert"] {
            folder.script(&format!("bin/{name}"), "exit 0");
        }
        let tools = Tools::find(&environment).unwrap();
        assert_eq!(tools.terminal(), (Terminal::Xterm, folder.path("bin/xterm").as_path()));
    }
}
