//! Why a run does not go on, left beside its journal by the engine that would not, for whoever has started it. Read once; the journal says
//! nothing of it.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{
    dir::RunDir,
    error::{Error, Result},
    whole,
};
use crate::error::{self, Class};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub class: Class,
    pub message: String,
    pub hint: Option<String>,
    /// What is not as it was at the last checkpoint, one by one. If there is any, the run would go on if a person accepted it.
    pub changes: Vec<String>,
}

impl From<Refusal> for error::Error {
    fn from(refusal: Refusal) -> Self {
        Self::reported(refusal.class, refusal.message, refusal.hint)
    }
}

impl RunDir {
    pub fn refuse(&self, refusal: &Refusal) -> Result<()> {
        let path = self.refusal_file();
        let bytes = serde_json::to_vec(refusal).map_err(std::io::Error::from).map_err(Error::io("write", &path))?;
        whole::replace(&path, &bytes, false).map_err(Error::io("write", &path))
    }

    /// What [`refuse`](Self::refuse) has left, once.
    pub fn take_refusal(&self) -> Option<Refusal> {
        let bytes = fs::read(self.refusal_file()).ok()?;
        // The next engine removes it otherwise.
        let _ = fs::remove_file(self.refusal_file());
        serde_json::from_slice(&bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_read_once_and_half_of_it_is_none() {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "a", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        assert_eq!(run.take_refusal(), None);
        let refusal = Refusal {
            class: Class::Environment,
            message: "no".into(),
            hint: None,
            changes: vec!["it was made on cuda:0, this is cpu".into()],
        };
        run.refuse(&refusal).unwrap();
        let text = fs::read(run.refusal_file()).unwrap();
        assert_eq!((run.take_refusal(), run.take_refusal()), (Some(refusal), None));
        for end in 0..text.len() {
            fs::write(run.refusal_file(), &text[..end]).unwrap();
            assert_eq!(run.take_refusal(), None, "cut at {end}");
        }
    }
}
