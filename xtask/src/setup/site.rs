//! The two copies of libtorch that pip can make: for the CPU, and with NVIDIA's libraries. Which packages each takes, how
//! much room, what of them is kept, and whether the result loads.

use std::fs;
use std::io;
use std::path::Path;

use super::advice::Problem;
use super::view;
use crate::environment::{Environment, Platform};
use crate::failure::Failure;
use crate::linkage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cpu,
    Cuda,
}

impl Kind {
    /// The copies that would do, the better one first.
    pub const fn good_for(cuda: bool) -> &'static [Self] {
        if cuda { &[Self::Cuda] } else { &[Self::Cuda, Self::Cpu] }
    }

    pub const fn folder_name(self) -> &'static str {
        match self {
            Self::Cpu => "libtorch-2.11.0",
            Self::Cuda => "libtorch-2.11.0-cuda",
        }
    }

    /// pip's words for it. Even on a CPU the Linux wheels (x86-64 and arm64) need two of NVIDIA's libraries to load, 13 MB;
    /// the wheel for Macs needs none.
    pub fn packages(self, platform: Platform) -> &'static [&'static str] {
        match (self, platform) {
            (Self::Cpu, Platform::Linux) => {
                &["--no-deps", "torch==2.11.0", "nvidia-cuda-runtime>=13,<13.1", "nvidia-cuda-cupti>=13,<13.1"]
            }
            (Self::Cpu, _) => &["--no-deps", "torch==2.11.0"],
            (Self::Cuda, _) => &["torch==2.11.0"],
        }
    }

    /// Room for the downloads, pip's own copy of them, and the unpacked packages.
    pub const fn bytes_needed(self, platform: Platform) -> u64 {
        match (self, platform) {
            (Self::Cpu, Platform::Linux) => 2_500_000_000,
            (Self::Cpu, _) => 600_000_000,
            (Self::Cuda, _) => 10_000_000_000,
        }
    }

    pub const fn download(self, platform: Platform) -> &'static str {
        match (self, platform) {
            (Self::Cpu, Platform::Linux) => "about 540 MB",
            (Self::Cpu, _) => "about 80 MB",
            (Self::Cuda, _) => "about 2.7 GB",
        }
    }
}

/// Removes what Frostline never uses: Python's half of torch and, for the CPU, CUDA's. Licences stay (`*.dist-info`).
pub fn prune(site: &Path, kind: Kind) -> io::Result<()> {
    let is_licence = |name: &str| {
        name.ends_with(".dist-info") && ["torch-", "nvidia_", "cuda_"].iter().any(|owner| name.starts_with(owner))
    };
    keep_only(site, |name| name == "torch" || name == "nvidia" || is_licence(name))?;
    keep_only(&site.join("torch"), |name| name == "include" || name == "lib")?;
    if kind == Kind::Cpu {
        keep_only(&site.join("torch/lib"), view::shows)?;
        for release in folders(&site.join("nvidia"))? {
            keep_only(&release, |name| name == "lib")?;
            keep_only(&release.join("lib"), |name| {
                name.starts_with("libcudart.so") || name.starts_with("libcupti.so")
            })?;
        }
    }
    Ok(())
}

fn keep_only(folder: &Path, keep: impl Fn(&str) -> bool) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&keep) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folders(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

/// Asks the system's loader, so that a library that is missing shows here and not when training starts.
pub fn loads(environment: &Environment, folder: &Path) -> Result<(), Problem> {
    let library = folder.join("lib").join(environment.platform.library("torch_cpu"));
    match linkage::missing(environment, &library) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(Problem::DoesNotLoad { library, missing }),
    }
}

pub fn io_problem(doing: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::Io(Failure::io(doing, path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn wheel(folder: &Scratch) {
        for file in [
            "bin/torchrun",
            "torchgen/model.py",
            "torch-2.11.0.dist-info/licenses/LICENSE",
            "torch/__init__.py",
            "torch/include/ATen/ATen.h",
            "torch/lib/libtorch_cpu.so",
            "torch/lib/libtorch_cuda.so",
            "torch/lib/libshm/x",
            "nvidia/cu13/include/cuda.h",
            "nvidia/cu13/lib/libcudart.so.13",
            "nvidia/cu13/lib/libcudart_static.a",
        ] {
            folder.write(file, "x");
        }
    }

    fn left(folder: &Scratch, names: &[&str]) -> Vec<bool> {
        names.iter().map(|name| folder.path(name).exists()).collect()
    }

    #[test]
    fn a_cpu_copy_keeps_headers_cpu_libraries_and_licences() {
        let folder = Scratch::new();
        wheel(&folder);
        prune(folder.root(), Kind::Cpu).unwrap();
        let kept = [
            "torch-2.11.0.dist-info/licenses/LICENSE",
            "torch/include/ATen/ATen.h",
            "torch/lib/libtorch_cpu.so",
            "nvidia/cu13/lib/libcudart.so.13",
        ];
        assert_eq!(left(&folder, &kept), [true; 4]);
        let gone = [
            "bin",
            "torchgen",
            "torch/__init__.py",
            "torch/lib/libtorch_cuda.so",
            "torch/lib/libshm",
            "nvidia/cu13/include",
            "nvidia/cu13/lib/libcudart_static.a",
        ];
        assert_eq!(left(&folder, &gone), [false; 7]);
    }

    #[test]
    fn a_cuda_copy_keeps_all_libraries() {
        let folder = Scratch::new();
        wheel(&folder);
        prune(folder.root(), Kind::Cuda).unwrap();
        assert_eq!(left(&folder, &["torch/lib/libtorch_cuda.so", "nvidia/cu13/lib/libcudart.so.13"]), [true; 2]);
        assert_eq!(left(&folder, &["torch/__init__.py", "bin"]), [false; 2]);
    }
}
