//! Where this checkout lies, where its link to libtorch belongs, and how cargo is started in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Environment;
use crate::failure::Failure;
use crate::say;

#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// cargo says at run time where this package lies. The path known when xtask was built would be wrong in a copied checkout.
    pub fn of_this_process(environment: &Environment) -> Result<Self, Failure> {
        let is_checkout = |folder: &Path| folder.join("xtask/Cargo.toml").is_file();
        let of_cargo = environment.variable("CARGO_MANIFEST_DIR").map(Path::new).and_then(Path::parent);
        if let Some(root) = of_cargo.filter(|folder| is_checkout(folder)) {
            return Ok(Self::at(root));
        }
        let here = std::env::current_dir().unwrap_or_default();
        here.ancestors().find(|folder| is_checkout(folder)).map(Self::at).ok_or_else(|| {
            Failure::new(format!("{} lies in no Frostline checkout", here.display()))
                .hint("start xtask as `cargo xtask`, inside the checkout")
        })
    }

    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The link to libtorch that `.cargo/config.toml` names.
    pub fn libtorch(&self) -> PathBuf {
        self.root.join(".libtorch")
    }

    /// Is `path` this checkout's own link, in whatever spelling? Only the last part may be a link, and it stays unresolved:
    /// two checkouts that share one libtorch have two links.
    pub fn owns_link(&self, path: &Path) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return false;
        };
        name == ".libtorch" && matches!((parent.canonicalize(), self.root.canonicalize()), (Ok(a), Ok(b)) if a == b)
    }

    /// cargo, in this checkout, with the libtorch that plain `cargo build` uses too.
    pub fn cargo(&self, environment: &Environment, arguments: &[&str]) -> Command {
        // With LIBTORCH_USE_PYTORCH torch-sys would ask Python itself and link the torch folder as it is, CUDA and all.
        let environment = environment.without("LIBTORCH_USE_PYTORCH");
        let cargo = environment.variable("CARGO").map_or_else(|| "cargo".into(), std::ffi::OsStr::to_owned);
        let mut command = environment.command(cargo);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Says the command, runs it on this terminal, and fails if it does.
    pub fn run_cargo(&self, environment: &Environment, arguments: &[&str]) -> Result<(), Failure> {
        let shown = format!("cargo {}", arguments.join(" "));
        say::line(&format!("$ {shown}"));
        match self.cargo(environment, arguments).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(Failure::new(format!("`{shown}` failed"))),
            Err(error) => Err(Failure::new(format!("`{shown}` did not start: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_checkouts_own_link_is_known_in_any_spelling() {
        let folder = Scratch::new();
        folder.write("one/.cargo/config.toml", "");
        folder.write("two/.libtorch/build-version", "");
        let checkout = Checkout::at(&folder.path("one"));
        assert!(checkout.owns_link(&folder.path("one/.libtorch")));
        assert!(checkout.owns_link(&folder.path("one/.cargo/../.libtorch")));
        assert!(!checkout.owns_link(&folder.path("two/.libtorch")));
        assert!(!checkout.owns_link(Path::new("/opt/libtorch")));
    }
}
