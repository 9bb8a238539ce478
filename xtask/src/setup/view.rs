//! A view of a torch package: a folder of links that a CPU-only program links against. The package itself won't do, because
//! torch-sys links `libtorch_cuda.so` when it lies in the folder, and its libtorch.so needs it: then every user would need
//! cuDNN. The package's libraries find NVIDIA's by `$ORIGIN/../../nvidia`, and the loader takes `$ORIGIN` from the path by which
//! it opened them, so a view must lie in a folder that has `nvidia` in it.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::VERSION;
use crate::environment::Platform;

/// Libraries of the package that the CPU's don't need: CUDA's and other accelerators', and Python's binding.
const LEFT_OUT: &[&str] = &[
    "libtorch_cuda",
    "libtorch_nvshmem",
    "libtorch_python",
    "libtorch_global_deps",
    "libtorch_hip",
    "libtorch_xpu",
    "libc10_cuda",
    "libc10_hip",
    "libc10_xpu",
    "libcaffe2_nvrtc",
    "libshm",
];

/// Does the view show this file of `torch/lib`? Whatever else the package brings is shown (OpenMP's and the BLAS libraries have
/// other names on other processors).
pub fn shows(name: &str) -> bool {
    name.starts_with("lib") && !LEFT_OUT.iter().any(|left_out| name.starts_with(left_out))
}

/// The links in `lib`: name, and the name in the package's `lib` or in the view's own.
#[derive(Debug, PartialEq, Eq)]
enum Link {
    Package(String),
    Alias { name: String, to: String },
}

fn links(package: &[String], platform: Platform) -> Vec<Link> {
    let libtorch = Platform::Linux.library("torch");
    let mut shown: Vec<String> = package.iter().filter(|name| shows(name)).cloned().collect();
    shown.sort();
    let mut links = Vec::new();
    if platform == Platform::Linux && shown.contains(&libtorch) {
        // The package's libtorch.so only names libtorch_cpu.so and libtorch_cuda.so as its needs. The soname stays
        // libtorch_cpu.so, so nothing that is linked with `-ltorch` asks for libtorch.so at run time.
        shown.retain(|name| *name != libtorch);
        links.push(Link::Alias { name: libtorch, to: Platform::Linux.library("torch_cpu") });
    }
    // `-lgomp` then finds the OpenMP runtime that libtorch itself uses, under whatever name the package has it, and not a second one.
    if let Some(to) = shown.iter().find(|name| name.starts_with("libgomp")).filter(|name| *name != "libgomp.so") {
        links.push(Link::Alias { name: "libgomp.so".to_owned(), to: to.clone() });
    }
    links.extend(shown.into_iter().map(Link::Package));
    links
}

/// Makes the view at `view`, which must not exist. `torch` is the package as it will be seen from inside `view`, so a relative
/// path lets both be moved together.
pub fn make(view: &Path, torch: &Path, platform: Platform) -> io::Result<()> {
    let library_folder = view.join("lib");
    fs::create_dir_all(&library_folder)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(view.join(torch).join("lib"))? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    let above = |path: &Path| {
        if path.is_absolute() { path.to_owned() } else { Path::new("..").join(path) }
    };
    for link in links(&names, platform) {
        match link {
            Link::Package(name) => symlink(above(torch).join("lib").join(&name), library_folder.join(name))?,
            Link::Alias { name, to } => symlink(to, library_folder.join(name))?,
        }
    }
    symlink(torch.join("include"), view.join("include"))?;
    // torch-sys checks the version only where this file is; a wheel has none.
    fs::write(view.join("build-version"), format!("{VERSION}\n"))
}

/// A name for the view of the torch package at `torch`, the same each time (FNV-1a, 64 bits).
pub fn name_for(torch: &Path) -> PathBuf {
    let hash = torch
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("libtorch-of-python-{hash:016x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use crate::setup::layout;
    use crate::setup::tests::fake_torch;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn package(name: &str) -> Link {
        Link::Package(name.to_owned())
    }

    fn alias(name: &str, to: &str) -> Link {
        Link::Alias { name: name.to_owned(), to: to.to_owned() }
    }

    /// The libraries of the wheel for Linux on x86-64, as listed from the wheel.
    #[test]
    fn of_the_x86_wheel_only_the_cpu_libraries_are_shown() {
        let wheel = names(&[
            "libtorch_cpu.so",
            "libc10.so",
            "libgomp.so.1",
            "libtorch.so",
            "libtorch_cuda.so",
            "libtorch_cuda_linalg.so",
            "libc10_cuda.so",
            "libcaffe2_nvrtc.so",
            "libshm.so",
            "libtorch_global_deps.so",
            "libtorch_nvshmem.so",
            "libtorch_python.so",
        ]);
        let expected = [
            alias("libtorch.so", "libtorch_cpu.so"),
            alias("libgomp.so", "libgomp.so.1"),
            package("libc10.so"),
            package("libgomp.so.1"),
            package("libtorch_cpu.so"),
        ];
        assert_eq!(links(&wheel, Platform::Linux), expected);
    }

    /// The wheel for arm64 Linux brings BLAS and the Arm Compute Library, which `libtorch_cpu.so` needs.
    #[test]
    fn of_the_arm_wheel_the_blas_libraries_are_shown_too() {
        let wheel = names(&["libarm_compute.so", "libnvpl_blas_core.so.0", "libgfortran.so.5", "libtorch_cuda.so"]);
        let expected = [package("libarm_compute.so"), package("libgfortran.so.5"), package("libnvpl_blas_core.so.0")];
        assert_eq!(links(&wheel, Platform::Linux), expected);
    }

    #[test]
    fn an_openmp_runtime_with_a_hash_in_its_name_is_found() {
        let links = links(&names(&["libgomp-a34b3233.so.1"]), Platform::Linux);
        assert_eq!(links, [alias("libgomp.so", "libgomp-a34b3233.so.1"), package("libgomp-a34b3233.so.1")]);
    }

    #[test]
    fn on_a_mac_libtorch_is_the_packages_own() {
        let wheel = names(&["libtorch.dylib", "libtorch_cpu.dylib", "libc10.dylib", "libomp.dylib", "libshm.dylib"]);
        let expected = ["libc10.dylib", "libomp.dylib", "libtorch.dylib", "libtorch_cpu.dylib"].map(package);
        assert_eq!(links(&wheel, Platform::MacOs), expected);
    }

    #[test]
    fn a_relative_view_still_fits_after_both_were_moved() {
        let folder = Scratch::new();
        fake_torch(&folder, "site/torch", "2.11.0");
        make(&folder.path("site/libtorch"), Path::new("../torch"), Platform::Linux).unwrap();
        fs::rename(folder.path("site"), folder.path("elsewhere")).unwrap();
        assert_eq!(layout::check(&folder.path("elsewhere/libtorch"), Platform::Linux, false), Ok(()));
        assert!(!folder.path("elsewhere/libtorch/lib/libtorch_cuda.so").exists());
    }
}
