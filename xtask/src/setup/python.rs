//! Which Python there is, and what it has: pip, a torch package. Asked once by a short script; torch is not imported for it.

use std::path::PathBuf;
use std::process::Stdio;

use super::advice::Problem;
use crate::environment::Environment;

/// Runs on any Python from 2.7 on, so that an old one can say how old it is. Nothing in the current folder poses as pip or torch.
const QUESTIONS: &str = r#"
import os, sys
sys.path = [folder for folder in sys.path if folder]
print("version=%d.%d" % sys.version_info[:2])
print("program=" + (sys.executable or ""))
try:
    import pip
    print("pip=" + pip.__version__)
except Exception:
    pass
try:
    from importlib.util import find_spec
    found = find_spec("torch")
    if found and found.origin:
        print("torch=" + os.path.dirname(os.path.realpath(found.origin)))
except Exception:
    pass
"#;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    pub program: PathBuf,
    /// (3, 11)
    pub version: (u32, u32),
    /// pip's version, if `python -m pip` works: (23, 2)
    pub pip: Option<(u32, u32)>,
    /// The folder of the package torch, of whatever version.
    pub torch: Option<PathBuf>,
}

impl Python {
    /// The Python that the caller means: that of an active virtual environment, or the first `python3` on `PATH`.
    pub fn find(environment: &Environment) -> Result<Self, Problem> {
        let names =
            if environment.variable("VIRTUAL_ENV").is_some() { ["python", "python3"] } else { ["python3", "python"] };
        let mut broken = None;
        for program in names.iter().filter_map(|name| environment.program(name)) {
            match environment.command(&program).args(["-c", QUESTIONS]).stdin(Stdio::null()).output() {
                Ok(output) if output.status.success() => {
                    if let Some(python) = parse(program.clone(), &String::from_utf8_lossy(&output.stdout)) {
                        return Ok(python);
                    }
                    broken.get_or_insert((program, "it does not answer".to_owned()));
                }
                // A shim of a version manager without a version behind it, or the stub of a Mac without developer tools.
                Ok(output) => {
                    let words = String::from_utf8_lossy(&output.stderr);
                    let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it fails");
                    broken.get_or_insert((program, last.trim().to_owned()));
                }
                Err(error) => {
                    broken.get_or_insert((program, error.to_string()));
                }
            }
        }
        Err(match broken {
            Some((python, reason)) => Problem::BrokenPython { python, reason },
            None => Problem::NoPython,
        })
    }
}

fn parse(program: PathBuf, answers: &str) -> Option<Python> {
    let answer = |key: &str| answers.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    // The interpreter itself: what stands on PATH may be a version manager's script.
    let itself = answer("program").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(Python {
        program: itself.unwrap_or(program),
        version: two_numbers(answer("version")?)?,
        pip: answer("pip").and_then(two_numbers),
        torch: answer("torch").map(PathBuf::from),
    })
}

/// `23.2.1` → (23, 2)
fn two_numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let first = parts.next()?.parse().ok()?;
    let digits: String = parts.next().unwrap_or("0").chars().take_while(char::is_ascii_digit).collect();
    Some((first, digits.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn environment(folder: &Scratch) -> Environment {
        Environment::of(&[("PATH", folder.path("bin").as_os_str())])
    }

    #[test]
    fn answers_become_facts() {
        let python = parse("/p".into(), "version=3.11\nprogram=/q\npip=23.2.1\ntorch=/s/torch\n").unwrap();
        assert_eq!(python.program, PathBuf::from("/q"));
        assert_eq!((python.version, python.pip), ((3, 11), Some((23, 2))));
        assert_eq!(python.torch, Some("/s/torch".into()));
        assert_eq!(parse("/p".into(), "version=3.9\n").unwrap().pip, None);
        assert_eq!(two_numbers("25.0rc1"), Some((25, 0)));
        assert_eq!(two_numbers("24.1b2"), Some((24, 1)));
    }

    #[test]
    fn without_python_the_problem_says_so() {
        let folder = Scratch::new();
        assert_eq!(Python::find(&environment(&folder)), Err(Problem::NoPython));
    }

    #[test]
    fn a_shim_that_fails_is_passed_over_for_a_python_that_works() {
        let folder = Scratch::new();
        folder.script("bin/python3", "echo 'pyenv: no version set' >&2; exit 127");
        let problem = Python::find(&environment(&folder)).unwrap_err();
        let reason = "pyenv: no version set".to_owned();
        assert_eq!(problem, Problem::BrokenPython { python: folder.path("bin/python3"), reason });
        folder.script("bin/python", "echo version=3.12");
        assert_eq!(Python::find(&environment(&folder)).unwrap().program, folder.path("bin/python"));
    }

    #[test]
    fn a_virtual_environments_python_comes_first() {
        let folder = Scratch::new();
        folder.script("bin/python3", "echo version=3.9");
        folder.script("bin/python", "echo version=3.12");
        assert_eq!(Python::find(&environment(&folder)).unwrap().version, (3, 9));
        let active =
            Environment::of(&[("PATH", folder.path("bin").as_os_str()), ("VIRTUAL_ENV", folder.root().as_os_str())]);
        assert_eq!(Python::find(&active).unwrap().version, (3, 12));
    }
}
