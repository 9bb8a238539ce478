//! How software is installed on this machine, told by the program that does it. Only for advice: xtask installs no system package.

use crate::environment::Environment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packager {
    Apt,
    Dnf,
    Pacman,
    Zypper,
    Brew,
    Unknown,
}

impl Packager {
    pub fn of(environment: &Environment) -> Self {
        [
            ("apt-get", Self::Apt),
            ("dnf", Self::Dnf),
            ("pacman", Self::Pacman),
            ("zypper", Self::Zypper),
            ("brew", Self::Brew),
        ]
        .into_iter()
        .find(|(program, _)| environment.program(program).is_some())
        .map_or(Self::Unknown, |(_, packager)| packager)
    }

    /// The command line to type for packages that have these names here.
    pub fn install(self, packages: &str) -> String {
        let command = match self {
            Self::Apt => "sudo apt-get install",
            Self::Dnf => "sudo dnf install",
            Self::Pacman => "sudo pacman -S",
            Self::Zypper => "sudo zypper install",
            Self::Brew => "brew install",
            Self::Unknown => "install",
        };
        format!("{command} {packages}")
    }
}
