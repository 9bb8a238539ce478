//! What the system's loader would load for a binary: `ldd` on Linux, `otool` on a Mac. Shows that the front end has no libtorch
//! among its libraries, and that the engine and libtorch itself lack none.

use std::path::Path;

use crate::environment::{Environment, Platform};
use crate::failure::Failure;

/// The loader's lines for a library or program, one for each library, and its complaints.
fn lines(environment: &Environment, binary: &Path) -> Option<Vec<String>> {
    let mut command = match environment.platform {
        Platform::MacOs => {
            let mut command = environment.command("otool");
            command.arg("-L");
            command
        }
        Platform::Linux | Platform::Unsupported => environment.command("ldd"),
    };
    let output = command.arg(binary).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).lines().map(|line| line.trim().to_owned()).collect())
}

/// Names of the libraries that the loader can't find. None if it can't be asked.
pub fn missing(environment: &Environment, binary: &Path) -> Vec<String> {
    let lines = lines(environment, binary).unwrap_or_default();
    lines.iter().filter_map(|line| not_found(line)).map(str::to_owned).collect()
}

/// The name before `=> not found`, or the symbol version that glibc complains of.
fn not_found(line: &str) -> Option<&str> {
    if let Some(name) = line.strip_suffix("=> not found") {
        return Some(name.trim());
    }
    let version = line.split_once("version `")?.1;
    version.split_once("' not found").map(|(version, _)| version)
}

/// The front end must start in milliseconds, so libtorch (0.5 s, 115 MB) must not be among its libraries.
pub fn has_no_libtorch(environment: &Environment, binary: &Path) -> Result<(), Failure> {
    let lines = lines(environment, binary).unwrap_or_default();
    // A list without the C library is no list, and would prove nothing.
    if !lines.iter().any(|line| ["libc.", "libSystem."].iter().any(|library| line.contains(library))) {
        return Err(Failure::new(format!("can't list the libraries of {}", binary.display()))
            .hint("ldd (on a Mac: otool) is needed for it"));
    }
    match lines.iter().find(|line| is_of_libtorch(line)) {
        None => Ok(()),
        Some(line) => Err(Failure::new(format!("{} is linked with libtorch: {line}", binary.display())).hint(
            "code that the front end reaches lies in one module with code that names tch; move the latter to src/engine",
        )),
    }
}

/// By the library's own name: the folder it lies in may be called anything.
fn is_of_libtorch(line: &str) -> bool {
    let name = line.split_whitespace().next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    ["libtorch", "libc10", "libcudart", "libcupti", "libgomp"].iter().any(|library| name.starts_with(library))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_libraries_are_named() {
        assert_eq!(not_found("libcudart.so.13 => not found"), Some("libcudart.so.13"));
        assert_eq!(not_found("libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x0)"), None);
        let old = "./x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by ./x)";
        assert_eq!(not_found(old), Some("GLIBC_2.38"));
    }

    #[test]
    fn libtorch_is_told_by_its_libraries() {
        assert!(is_of_libtorch("libtorch_cpu.so => /x/.libtorch/lib/libtorch_cpu.so (0x0)"));
        assert!(is_of_libtorch("@rpath/libc10.dylib (compatibility version 0.0.0)"));
        assert!(!is_of_libtorch("libm.so.6 => /opt/libtorch/libm.so.6 (0x0)"));
    }
}
