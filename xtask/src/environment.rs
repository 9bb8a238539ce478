//! The caller's variables, programs and platform as data, so that a test can hand in another machine: a home without a
//! cache, a `PATH` without Python. Nothing else in xtask reads variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    Linux,
    MacOs,
    /// There is no torch 2.11 for it: Intel Macs (none since torch 2.3), musl, Windows, other processors.
    Unsupported,
}

impl Platform {
    pub const fn of_this_build() -> Self {
        let arm = cfg!(target_arch = "aarch64");
        if cfg!(target_os = "linux") && cfg!(target_env = "gnu") && (arm || cfg!(target_arch = "x86_64")) {
            Self::Linux
        } else if cfg!(target_os = "macos") && arm {
            Self::MacOs
        } else {
            Self::Unsupported
        }
    }

    /// `library("torch_cpu")` is `libtorch_cpu.so` on Linux.
    pub fn library(self, stem: &str) -> String {
        let extension = if self == Self::MacOs { "dylib" } else { "so" };
        format!("lib{stem}.{extension}")
    }
}

#[derive(Debug, Clone)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    pub platform: Platform,
}

impl Environment {
    pub fn of_this_process() -> Self {
        Self { variables: std::env::vars_os().collect(), platform: Platform::of_this_build() }
    }

    /// A made-up Linux machine, wherever the tests run.
    #[cfg(test)]
    pub fn of(variables: &[(&str, &OsStr)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, platform: Platform::Linux }
    }

    /// An empty variable counts as none, as the shell's `FOO= command` means it.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    pub fn is_on(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| value != "0")
    }

    pub fn without(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.variables.remove(OsStr::new(name));
        other
    }

    /// The absolute path of a program on `PATH`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.variable("PATH")?;
        std::env::split_paths(path)
            .map(|folder| folder.join(name))
            .find(|candidate| candidate.is_absolute() && is_executable(candidate))
    }

    /// A command that sees this environment and nothing else, without what cargo says of xtask to xtask: some build scripts run again
    /// when that changes, and a user's next `cargo build` would compile their packages anew.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().filter(|(name, _)| !is_of_this_package(name)));
        command
    }

    /// Where this user's programs keep what they can fetch again.
    pub fn cache_folder(&self) -> Option<PathBuf> {
        let absolute = |value: &OsStr| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
        if let Some(folder) = self.variable("XDG_CACHE_HOME").and_then(absolute) {
            return Some(folder);
        }
        let home = self.variable("HOME").and_then(absolute)?;
        Some(home.join(if self.platform == Platform::MacOs { "Library/Caches" } else { ".cache" }))
    }
}

fn is_of_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, OsStr::new(*value))).collect();
        Environment::of(&pairs)
    }

    #[test]
    fn the_cache_follows_xdg_and_falls_back_to_the_home_folder() {
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).cache_folder(), Some("/c".into()));
        assert_eq!(with(&[("HOME", "/h")]).cache_folder(), Some("/h/.cache".into()));
        // The XDG specification: a relative path is to be ignored.
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "c")]).cache_folder(), Some("/h/.cache".into()));
        assert_eq!(with(&[]).cache_folder(), None);
    }

    #[test]
    fn a_mac_keeps_caches_in_its_library() {
        let mac = Environment { platform: Platform::MacOs, ..with(&[("HOME", "/h")]) };
        assert_eq!(mac.cache_folder(), Some("/h/Library/Caches".into()));
    }

    #[test]
    fn an_empty_variable_and_a_zero_are_off() {
        let environment = with(&[("A", ""), ("B", "0"), ("C", "1")]);
        assert_eq!(["A", "B", "C", "D"].map(|name| environment.is_on(name)), [false, false, true, false]);
    }

    #[test]
    fn a_command_is_not_told_which_package_this_is() {
        let environment = with(&[("CARGO_PKG_NAME", "xtask"), ("CARGO_MANIFEST_DIR", "/x"), ("CARGO_HOME", "/c")]);
        let command = environment.command("true");
        let seen: Vec<_> = command.get_envs().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(seen, ["CARGO_HOME"]);
    }

    #[test]
    fn a_program_is_found_only_if_it_can_be_run() {
        let folder = crate::scratch::Scratch::new();
        folder.write("bin/plain", "text");
        folder.script("bin/tool", "exit 0");
        let environment = Environment::of(&[("PATH", folder.path("bin").as_os_str())]);
        assert_eq!(environment.program("tool"), Some(folder.path("bin/tool")));
        assert_eq!(environment.program("plain"), None);
    }
}
