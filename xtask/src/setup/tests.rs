//! Whole set-ups on made-up machines: a home, a `PATH` with programs of the test's own making, and a checkout.

use std::ffi::OsString;
use std::sync::Barrier;
use std::thread;

use super::*;
use crate::scratch::Scratch;

/// The files of a torch package that anything here looks at.
pub fn fake_torch(folder: &Scratch, at: &str, version: &str) {
    for library in ["libtorch.so", "libtorch_cpu.so", "libc10.so", "libtorch_cuda.so", "libgomp.so.1"] {
        folder.write(&format!("{at}/lib/{library}"), "no library, just a test's file");
    }
    folder.write(&format!("{at}/include/torch/csrc/api/include/torch/torch.h"), "");
    let parts: Vec<&str> = version.split('.').collect();
    folder.write(
        &format!("{at}/include/torch/headeronly/version.h"),
        &format!(
            "#pragma once\n#define TORCH_VERSION_MAJOR {}\n#define TORCH_VERSION_MINOR {}\n#define TORCH_VERSION_PATCH {}\n",
            parts[0], parts[1], parts[2]
        ),
    );
}

/// A machine with a python3 whose pip "downloads" from `wheel/torch`, in two parts with a pause between.
fn machine() -> Scratch {
    let folder = Scratch::new();
    fake_torch(&folder, "wheel/torch", VERSION);
    folder.write("wheel/nvidia/cu13/lib/libcudart.so.13", "");
    folder.write("checkout/xtask/Cargo.toml", "");
    let root = folder.root().display();
    folder.script(
        "bin/python3",
        &format!(
            r#"if [ "$1" = -c ]; then echo version=3.11; echo pip=23.2; exit; fi
            echo "$@" >> {root}/pip.log
            while [ "$1" != --target ]; do shift; done
            mkdir -p "$2" && cp -r {root}/wheel/torch "$2/" && sleep 0.2 && cp -r {root}/wheel/nvidia "$2/""#
        ),
    );
    folder
}

fn environment(folder: &Scratch, more: &[(&str, &str)]) -> Environment {
    let mut path = OsString::from(folder.path("bin"));
    path.push(":/usr/bin:/bin");
    let home = folder.path("home");
    let mut variables = vec![("PATH", path.as_os_str()), ("HOME", home.as_os_str())];
    let more: Vec<(&str, OsString)> = more.iter().map(|(name, value)| (*name, value.into())).collect();
    variables.extend(more.iter().map(|(name, value)| (*name, value.as_os_str())));
    Environment::of(&variables)
}

fn checkout(folder: &Scratch) -> Checkout {
    Checkout::at(&folder.path("checkout"))
}

fn set_up(folder: &Scratch, more: &[(&str, &str)]) -> Result<Ready, Problem> {
    find(&environment(folder, more), &checkout(folder), Options::default())
}

const CACHE: &str = "home/.cache/frostline";

#[test]
fn a_fresh_machine_gets_a_copy_in_the_cache_and_a_link() {
    let folder = machine();
    set_up(&folder, &[]).unwrap();
    assert_eq!(layout::check(&checkout(&folder).libtorch(), Platform::Linux, false), Ok(()));
    assert!(!folder.path("checkout/.libtorch/lib/libtorch_cuda.so").exists());
    // The wheel's libraries look for NVIDIA's here, by the path through the link.
    assert!(folder.path("checkout/.libtorch/lib/../../nvidia/cu13/lib/libcudart.so.13").exists());
    let left: Vec<_> = fs::read_dir(folder.path(CACHE)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "a lock and the copy, and no partial one: {left:?}");
}

#[test]
fn a_second_set_up_and_a_second_checkout_fetch_nothing() {
    let folder = machine();
    set_up(&folder, &[]).unwrap();
    set_up(&folder, &[]).unwrap();
    folder.write("other/xtask/Cargo.toml", "");
    find(&environment(&folder, &[]), &Checkout::at(&folder.path("other")), Options::default()).unwrap();
    assert_eq!(folder.read("pip.log").lines().count(), 1);
    assert_eq!(layout::check(&folder.path("other/.libtorch"), Platform::Linux, false), Ok(()));
}

#[test]
fn of_two_set_ups_at_once_one_fetches_and_the_other_waits() {
    let folder = machine();
    let start = Barrier::new(2);
    thread::scope(|scope| {
        for name in ["one", "two"] {
            let (folder, start) = (&folder, &start);
            scope.spawn(move || {
                folder.write(&format!("{name}/xtask/Cargo.toml"), "");
                start.wait();
                find(&environment(folder, &[]), &Checkout::at(&folder.path(name)), Options::default()).unwrap();
                assert_eq!(layout::check(&folder.path(name).join(".libtorch"), Platform::Linux, false), Ok(()));
            });
        }
    });
    assert_eq!(folder.read("pip.log").lines().count(), 1);
}

#[test]
fn what_a_killed_set_up_left_is_removed_and_never_taken_for_whole() {
    let folder = machine();
    fake_torch(&folder, &format!("{CACHE}/libtorch-2.11.0.partial-999/site/torch"), VERSION);
    fake_torch(&folder, &format!("{CACHE}/libtorch-2.11.0/torch"), VERSION);
    set_up(&folder, &[]).unwrap();
    assert!(!folder.path(&format!("{CACHE}/libtorch-2.11.0.partial-999")).exists());
    assert_eq!(folder.read("pip.log").lines().count(), 1);
}

#[test]
fn a_failed_fetch_leaves_nothing_behind() {
    let folder = machine();
    folder.script(
        "bin/python3",
        r#"if [ "$1" = -c ]; then echo version=3.11; echo pip=23.2; exit; fi
        echo "ERROR: [Errno 28] No space left on device" >&2; exit 1"#,
    );
    assert_eq!(set_up(&folder, &[]), Err(Problem::DiskFull));
    assert!(!checkout(&folder).libtorch().exists());
    let left: Vec<_> = fs::read_dir(folder.path(CACHE)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["libtorch-2.11.0.lock"]);
}

#[test]
fn too_little_room_is_said_before_anything_is_fetched() {
    let folder = machine();
    folder
        .script("bin/df", "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo 'd 9 9 1000 99% /'");
    let place = folder.path(CACHE);
    assert_eq!(set_up(&folder, &[]), Err(Problem::DiskShort { place, needed: 2_500_000_000, free: 1_024_000 }));
    assert!(!folder.path("pip.log").exists());
}

#[test]
fn the_callers_libtorch_is_checked_and_used_as_it_is() {
    let folder = machine();
    fake_torch(&folder, "mine", VERSION);
    let mine = folder.path("mine");
    let named = [("LIBTORCH", mine.to_str().unwrap())];
    assert_eq!(set_up(&folder, &named), Ok(Ready::Given { folder: mine.clone() }));
    assert!(!folder.path("pip.log").exists());
    fs::remove_dir_all(mine.join("include")).unwrap();
    let problem = set_up(&folder, &named).unwrap_err();
    assert!(
        matches!(problem, Problem::Unfit { named_by: "LIBTORCH", unfit: layout::Unfit::Lacks(_), .. }),
        "{problem:?}"
    );
}

#[test]
fn the_value_that_cargos_configuration_sets_is_nobodys_wish() {
    let folder = machine();
    let link = checkout(&folder).libtorch();
    let set_by_cargo = [("LIBTORCH", link.to_str().unwrap())];
    assert!(matches!(set_up(&folder, &set_by_cargo), Ok(Ready::Linked { .. })));
}

#[test]
fn pythons_torch_is_seen_through_a_view_and_stays_as_it_was() {
    let folder = machine();
    fake_torch(&folder, "site-packages/torch", VERSION);
    folder.write("site-packages/nvidia/cu13/lib/libcudart.so.13", "");
    let torch = folder.path("site-packages/torch");
    folder.script("bin/python3", &format!("echo version=3.11; echo torch={}", torch.display()));
    set_up(&folder, &[("LIBTORCH_USE_PYTORCH", "1")]).unwrap();
    assert_eq!(layout::check(&checkout(&folder).libtorch(), Platform::Linux, false), Ok(()));
    assert!(!folder.path("checkout/.libtorch/lib/libtorch_cuda.so").exists());
    assert!(folder.path("checkout/.libtorch/lib/../../nvidia/cu13/lib/libcudart.so.13").exists());
    assert!(torch.join("lib/libtorch_cuda.so").exists());
}

#[test]
fn a_python_without_torch_or_with_another_is_an_error_when_it_was_asked_for() {
    let folder = machine();
    let asked = [("LIBTORCH_USE_PYTORCH", "1")];
    let python = folder.path("bin/python3");
    assert_eq!(set_up(&folder, &asked), Err(Problem::NoTorchInPython { python }));
    fake_torch(&folder, "site-packages/torch", "2.4.0");
    let torch = folder.path("site-packages/torch");
    folder.script("bin/python3", &format!("echo version=3.11; echo torch={}", torch.display()));
    let unfit = layout::Unfit::Version("2.4.0".to_owned());
    let named_by = "LIBTORCH_USE_PYTORCH";
    assert_eq!(set_up(&folder, &asked), Err(Problem::Unfit { folder: torch, named_by, unfit }));
}

#[test]
fn a_folder_in_the_links_place_is_left_alone() {
    let folder = machine();
    folder.write("checkout/.libtorch/notes", "mine");
    let link = checkout(&folder).libtorch();
    assert_eq!(set_up(&folder, &[]), Err(Problem::LinkIsInTheWay { link }));
    assert_eq!(folder.read("checkout/.libtorch/notes"), "mine");
}

#[test]
fn cuda_is_a_copy_of_its_own_and_later_checkouts_prefer_it() {
    let folder = machine();
    set_up(&folder, &[]).unwrap();
    let options = Options { cuda: true };
    // The disk check would ask for more than a test machine may have.
    folder.script("bin/df", "exit 1");
    find(&environment(&folder, &[]), &checkout(&folder), options).unwrap();
    assert!(folder.path("checkout/.libtorch/lib/../../torch/lib/libtorch_cuda.so").exists());
    set_up(&folder, &[]).unwrap();
    assert!(folder.path("checkout/.libtorch/lib/../../torch/lib/libtorch_cuda.so").exists());
    assert_eq!(folder.read("pip.log").lines().count(), 2);
}
