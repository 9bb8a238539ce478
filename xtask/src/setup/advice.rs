//! What can go wrong with a set-up, and what to tell the person in front of it: one sentence, then what to do, most useful
//! first. No I/O, so every message is tested.

use std::path::{Path, PathBuf};

use super::VERSION;
use super::layout::Unfit;
use crate::environment::Platform;
use crate::failure::Failure;
use crate::packager::Packager;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    NoPython,
    BrokenPython {
        python: PathBuf,
        reason: String,
    },
    NoPip {
        python: PathBuf,
        version: (u32, u32),
    },
    OldPip {
        python: PathBuf,
        pip: (u32, u32),
    },
    NoTorchInPython {
        python: PathBuf,
    },
    NoTorchForThisPlatform,
    NoHome,
    DiskShort {
        place: PathBuf,
        needed: u64,
        free: u64,
    },
    /// The disk ran full although there seemed to be room.
    DiskFull,
    NoNetwork {
        words: String,
    },
    NotTrusted {
        words: String,
    },
    NoWheel {
        words: String,
    },
    Damaged {
        words: String,
    },
    Interrupted,
    FetchFailed {
        name: String,
        words: String,
    },
    Unfit {
        folder: PathBuf,
        named_by: &'static str,
        unfit: Unfit,
    },
    DoesNotLoad {
        library: PathBuf,
        missing: Vec<String>,
    },
    LinkIsInTheWay {
        link: PathBuf,
    },
    CudaIsTheCallers {
        variable: &'static str,
    },
    Io(Failure),
}

const AGAIN: &str = "then run `cargo xtask setup` again";

fn install_python_and_pip(packager: Packager) -> String {
    match packager {
        Packager::Apt | Packager::Dnf | Packager::Zypper => packager.install("python3 python3-pip"),
        Packager::Pacman => packager.install("python python-pip"),
        Packager::Brew => packager.install("python"),
        Packager::Unknown => "install Python 3 with pip, or uv".to_owned(),
    }
}

fn or_bring_your_own() -> String {
    format!("or bring libtorch {VERSION} yourself: LIBTORCH=/its/folder (with lib/ and include/ in it)")
}

impl Problem {
    pub fn explain(self, platform: Platform, packager: Packager) -> Failure {
        match self {
            Self::NoPython => Failure::new(format!("no python3 on PATH, and libtorch {VERSION} comes as a Python package"))
                .hint(format!("{}\n{AGAIN}", install_python_and_pip(packager)))
                .hint(or_bring_your_own()),
            Self::BrokenPython { python, reason } => {
                Failure::new(format!("{} doesn't work: {reason}", python.display()))
                    .hint(format!("put a working python3 first on PATH, {AGAIN}"))
                    .hint(or_bring_your_own())
            }
            Self::NoPip { python, version: (major, minor) } => {
                Failure::new(format!("{} (Python {major}.{minor}) has no pip, and can't make one", python.display()))
                    .hint(format!("{}\n{AGAIN}", install_python_and_pip(packager)))
                    .hint("or install uv, which does as well")
                    .hint(or_bring_your_own())
            }
            Self::OldPip { python, pip: (major, minor) } => Failure::new(format!(
                "the pip of {} is {major}.{minor}, too old to know the packages of torch {VERSION} (20.3 or later does)",
                python.display()
            ))
            .hint(format!("{} -m pip install --user --upgrade pip\n{AGAIN}", python.display()))
            .hint(or_bring_your_own()),
            Self::NoTorchInPython { python } => {
                Failure::new(format!("LIBTORCH_USE_PYTORCH is set, and {} has no torch", python.display()))
                    .hint(format!("{} -m pip install torch=={VERSION}", python.display()))
                    .hint("or activate the environment that has it")
                    .hint("or unset LIBTORCH_USE_PYTORCH: then set-up fetches a copy of its own")
            }
            Self::NoTorchForThisPlatform => {
                Failure::new(format!("there is no torch {VERSION} package for this kind of machine")).hint(
                    "there is one for Linux with glibc on x86-64 and arm64, and for Macs with Apple silicon\n\
                     (Intel Macs had their last with torch 2.2)",
                )
                .hint(format!("if you have built libtorch {VERSION} yourself: LIBTORCH=/its/folder"))
                .hint("the front end alone builds anywhere: cargo build --no-default-features")
            }
            Self::NoHome => Failure::new("neither XDG_CACHE_HOME nor HOME says where this user's cache is")
                .hint("set HOME to a folder that you can write to"),
            Self::DiskShort { place, needed, free } => Failure::new(format!(
                "not enough room for libtorch in {}: {} are needed while it is unpacked, {} are free",
                place.display(),
                gigabytes(needed),
                gigabytes(free)
            ))
            .hint("make room, or set XDG_CACHE_HOME to a folder on a larger disk (and keep it set: the link leads there)")
            .hint(or_bring_your_own()),
            Self::DiskFull => Failure::new("the disk ran full while libtorch was unpacked")
                .hint("make room, or set XDG_CACHE_HOME to a folder on a larger disk\nwhat was unpacked so far is removed"),
            Self::NoNetwork { words } => Failure::new(format!("the package index can't be reached: {words}"))
                .hint(format!("check the connection (behind a proxy, set HTTPS_PROXY), {AGAIN}"))
                .hint("a mirror goes into pip's (or uv's) own configuration: `pip config set global.index-url …`")
                .hint(or_bring_your_own()),
            Self::NotTrusted { words } => {
                Failure::new(format!("the package index's certificate is not trusted: {words}"))
                    .hint("behind a proxy that opens TLS, set PIP_CERT to its certificate file")
                    .hint("otherwise install or update ca-certificates, and check the clock")
            }
            Self::NoWheel { words } => Failure::new(format!("the package index has no torch {VERSION} for this machine: {words}"))
                .hint("Linux needs glibc 2.28 or later (`ldd --version`), a Mac macOS 11 or later")
                .hint("if pip is set to use a mirror (`pip config list`), does the mirror have it?")
                .hint(or_bring_your_own()),
            Self::Damaged { words } => Failure::new(format!("a download was damaged: {words}"))
                .hint("run `python3 -m pip cache purge`, then `cargo xtask setup` again"),
            Self::Interrupted => Failure::new("the download was interrupted")
                .hint("nothing half-made is left behind; run `cargo xtask setup` again"),
            Self::FetchFailed { name, words } => Failure::new(format!("{name} failed: {words}"))
                .hint("its own words stand above; nothing half-made is left behind")
                .hint(or_bring_your_own()),
            Self::Unfit { folder, named_by, unfit } => unfit_folder(&folder, named_by, &unfit),
            Self::DoesNotLoad { library, missing } => Failure::new(format!(
                "{} can't be loaded here: {} not found",
                library.display(),
                missing.join(", ")
            ))
            .hints(missing.iter().any(|name| name.starts_with("GLIBC")).then(|| {
                "this system's C library is too old for it (`ldd --version`; 2.28 or later is needed)".to_owned()
            })),
            Self::LinkIsInTheWay { link } => {
                Failure::new(format!("{} is no link, so set-up leaves it alone", link.display()))
                    .hint("move it away; or, if it is a libtorch of your own, set LIBTORCH to where you move it")
            }
            Self::CudaIsTheCallers { variable } => {
                Failure::new(format!("{variable} is set, so set-up takes the libtorch that it names and installs none"))
                    .hint(format!("unset {variable} for a copy with CUDA from pip"))
            }
            Self::Io(failure) => failure,
        }
        .hints((platform == Platform::Unsupported).then(|| {
            "the front end alone needs no libtorch: cargo build --no-default-features".to_owned()
        }))
    }
}

fn unfit_folder(folder: &Path, named_by: &str, unfit: &Unfit) -> Failure {
    let failure = Failure::new(format!("{} won't do as libtorch ({named_by}): {unfit}", folder.display()));
    match unfit {
        Unfit::Version(_) | Unfit::NoVersion if named_by == "LIBTORCH" => failure
            .hint("unset LIBTORCH: then set-up fetches the right one")
            .hint("or set LIBTORCH_BYPASS_VERSION_CHECK=1 to try it all the same"),
        Unfit::NotThere | Unfit::Lacks(_) if named_by == "LIBTORCH" => failure.hint(
            "LIBTORCH is to name the folder that has lib/ and include/ in it; or unset it: then set-up fetches one",
        ),
        _ if named_by == "LIBTORCH_USE_PYTORCH" => {
            failure.hint("unset LIBTORCH_USE_PYTORCH: then set-up fetches a copy of its own")
        }
        _ => failure,
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10)
}

/// Tells from the last lines of pip's (or uv's) standard error what the trouble is.
pub fn of_pips_words(name: &str, code: Option<i32>, lines: &[String]) -> Problem {
    let line_with = |parts: &[&str]| {
        lines.iter().rev().find(|line| parts.iter().any(|part| line.contains(part))).map(|line| shorten(line))
    };
    if code.is_none() || code == Some(130) {
        return Problem::Interrupted;
    }
    if line_with(&["No space left on device", "Errno 28", "Disk quota exceeded", "os error 28"]).is_some() {
        return Problem::DiskFull;
    }
    if let Some(words) = line_with(&["CERTIFICATE_VERIFY_FAILED", "invalid peer certificate", "SSLError"]) {
        return Problem::NotTrusted { words };
    }
    if let Some(words) = line_with(&["DO NOT MATCH THE HASHES", "Hash mismatch"]) {
        return Problem::Damaged { words };
    }
    // Before "no matching distribution": without a network pip ends with that line too.
    if let Some(words) = line_with(&[
        "ConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ProxyError",
        "ProtocolError",
        "IncompleteRead",
        "connection broken by",
        "Connection refused",
        "Network is unreachable",
        "dns error",
        "Failed to fetch",
        "error sending request",
        "name resolution",
    ]) {
        return Problem::NoNetwork { words };
    }
    if let Some(words) =
        line_with(&["No matching distribution", "no wheels", "not a supported wheel", "No solution found"])
    {
        return Problem::NoWheel { words };
    }
    let words = lines.iter().rev().find(|line| !line.trim().is_empty()).map(|line| shorten(line));
    Problem::FetchFailed {
        name: name.to_owned(),
        words: words.unwrap_or_else(|| format!("exit status {}", code.unwrap_or(-1))),
    }
}

/// A Python exception's line without its wrapping: what follows the last `>: `, and not more than a line of it.
fn shorten(line: &str) -> String {
    let line = line.trim().trim_start_matches("ERROR: ").trim_start_matches("WARNING: ").trim_start_matches("cause: ");
    let line = line.rsplit_once(">: ").map_or(line, |(_, end)| end);
    let line = line.split("')':").next().unwrap_or(line);
    let short: String = line.chars().take(120).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(lines: &[&str]) -> Problem {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        of_pips_words("pip", Some(1), &lines)
    }

    /// What pip 23.2 prints without a network, in its order.
    #[test]
    fn a_missing_network_is_not_mistaken_for_a_missing_package() {
        let problem = kind(&[
            "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by \
             'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new \
             connection: [Errno -3] Temporary failure in name resolution')': /simple/torch/",
            "ERROR: Could not find a version that satisfies the requirement torch==2.11.0 (from versions: none)",
            "ERROR: No matching distribution found for torch==2.11.0",
        ]);
        let words = "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution";
        assert_eq!(problem, Problem::NoNetwork { words: words.to_owned() });
    }

    #[test]
    fn a_package_that_the_index_lacks_is_a_missing_wheel() {
        let problem = kind(&["ERROR: No matching distribution found for torch==2.11.0"]);
        let words = "No matching distribution found for torch==2.11.0".to_owned();
        assert_eq!(problem, Problem::NoWheel { words });
    }

    #[test]
    fn a_full_disk_a_bad_certificate_and_a_damaged_file_are_told_apart() {
        let full = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device";
        assert_eq!(kind(&[full]), Problem::DiskFull);
        let certificate =
            "Could not fetch URL: (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]";
        assert!(matches!(kind(&[certificate]), Problem::NotTrusted { .. }));
        let hashes = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.";
        assert!(matches!(kind(&[hashes]), Problem::Damaged { .. }));
    }

    #[test]
    fn an_interrupt_and_an_unknown_failure_are_said_as_such() {
        assert_eq!(of_pips_words("pip", None, &[]), Problem::Interrupted);
        let unknown = Problem::FetchFailed { name: "pip".to_owned(), words: "MemoryError".to_owned() };
        assert_eq!(kind(&["MemoryError", ""]), unknown);
    }

    fn explained(problem: Problem) -> String {
        let failure = problem.explain(Platform::Linux, Packager::Apt);
        format!("{} | {}", failure.what, failure.hints.join(" | "))
    }

    #[test]
    fn each_message_says_what_to_do() {
        let text = explained(Problem::NoPython);
        assert!(
            text.contains("no python3 on PATH") && text.contains("sudo apt-get install python3 python3-pip"),
            "{text}"
        );
        let text = explained(Problem::OldPip { python: "/usr/bin/python3".into(), pip: (9, 0) });
        assert!(
            text.contains("9.0") && text.contains("/usr/bin/python3 -m pip install --user --upgrade pip"),
            "{text}"
        );
        let place = PathBuf::from("/c");
        let text = explained(Problem::DiskShort { place, needed: 2_500_000_000, free: 1_230_000_000 });
        assert!(text.contains("2.5 GB are needed") && text.contains("1.2 GB are free"), "{text}");
        assert!(text.contains("XDG_CACHE_HOME"), "{text}");
        let text = explained(Problem::NoNetwork { words: "no route".to_owned() });
        assert!(text.contains("no route") && text.contains("HTTPS_PROXY"), "{text}");
    }

    #[test]
    fn a_libtorch_of_the_callers_that_is_too_old_can_be_left_or_forced() {
        let unfit = Unfit::Version("2.4.0".to_owned());
        let text = explained(Problem::Unfit { folder: "/opt/lt".into(), named_by: "LIBTORCH", unfit });
        assert!(text.contains("/opt/lt won't do as libtorch (LIBTORCH): it is version 2.4.0"), "{text}");
        assert!(text.contains("unset LIBTORCH") && text.contains("LIBTORCH_BYPASS_VERSION_CHECK=1"), "{text}");
    }
}
