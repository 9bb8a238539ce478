//! Where `ui.toml` lies: what `--ui` or `FROSTLINE_UI` names, else the user's own, if there is one.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    config::{ConfigError, UiFile},
    error::Result,
    tui::Settings,
};

#[derive(Args, Clone, Debug, Default)]
pub struct UiArgs {
    /// Looks and keys of the dashboard; ~/.config/frostline/ui.toml if left out
    #[arg(long, value_name = "FILE", env = "FROSTLINE_UI")]
    ui: Option<PathBuf>,
}

impl UiArgs {
    pub fn load(&self) -> Result<Settings> {
        match self.ui.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            Some(path) => read(path),
            None => match own(|name| env::var_os(name).map(PathBuf::from)).filter(|path| path.exists()) {
                Some(path) => read(&path),
                None => Ok(Settings::default()),
            },
        }
    }
}

fn read(path: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::NoUi { path: path.to_owned(), source })?;
    Ok(Settings::new(&UiFile::parse(&text, path)?)?)
}

fn own(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // The specification has it that a relative one is to be ignored.
    let folder = var("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| Some(var("HOME").filter(|home| !home.as_os_str().is_empty())?.join(".config")))?;
    Some(folder.join("frostline/ui.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_file_is_where_others_have_theirs() {
        let of = |environment: &[(&str, &str)]| {
            own(|name| environment.iter().find(|(n, _)| *n == name).map(|(_, value)| PathBuf::from(value)))
        };
        assert_eq!(of(&[("HOME", "/h")]), Some("/h/.config/frostline/ui.toml".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]), Some("/x/frostline/ui.toml".into()));
        assert_eq!(of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")]), Some("/h/.config/frostline/ui.toml".into()));
        assert_eq!(of(&[]), None);
    }
}
