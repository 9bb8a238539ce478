//! The machine below the tensors: memory settings that must come first, the graphics card if there is one, names and counts.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use tch::Device;

use super::error::{EngineError, Result};
use super::shim;
use frostline::plan;

/// Call it first in `main`, before there is a thread. What libtorch's libraries ask of glibc, glibc keeps from now on, instead of giving
/// it back and faulting it in anew at every step. Tensors have an allocator of their own that does so.
pub fn settle_memory() {
    // Asked in a release build too, or the linker would leave the allocator out.
    let kept = shim::keeps_memory();
    debug_assert!(kept, "another allocator took the place of ours");
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: plain settings of the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Opens libtorch's CUDA half where a driver is installed; call it before any other use of libtorch, which would settle for ever
/// that there is no CUDA. The error says why there is none, and is no failure by itself.
pub fn open_cuda() -> Result<(), String> {
    if cfg!(not(target_os = "linux")) {
        return Err("CUDA is looked for on Linux only".to_owned());
    }
    open("libcuda.so.1", libc::RTLD_LAZY).map_err(|_| "no NVIDIA driver is installed".to_owned())?;
    let library = libtorch_folder().ok_or("libtorch's folder cannot be found")?.join("libtorch_cuda.so");
    if !library.exists() {
        return Err(format!("{} is a libtorch without CUDA", library.with_file_name("").display()));
    }
    open(&library.to_string_lossy(), libc::RTLD_NOW | libc::RTLD_GLOBAL)?;
    Ok(())
}

/// How many graphics cards can be used; `cuda` is what [`open_cuda`] said.
pub fn cards(cuda: &Result<(), String>) -> usize {
    if cuda.is_ok() && tch::Cuda::is_available() { tch::Cuda::device_count().max(0) as usize } else { 0 }
}

/// Settles on a device; `cuda` is what [`open_cuda`] said.
pub fn choose(choice: plan::Device, cuda: &Result<(), String>) -> Result<Device> {
    let cards = cards(cuda);
    match choice {
        plan::Device::Cpu => Ok(Device::Cpu),
        plan::Device::Auto if cards == 0 => Ok(Device::Cpu),
        plan::Device::Auto => Ok(Device::Cuda(0)),
        plan::Device::Cuda(index) if index < cards => Ok(Device::Cuda(index)),
        plan::Device::Cuda(index) => {
            let reason = match cuda {
                Err(reason) => reason.clone(),
                Ok(()) if cards == 0 => "the driver reports no usable card".to_owned(),
                Ok(()) => format!("there are {cards} cards, numbered from 0"),
            };
            Err(EngineError::Device { asked: format!("cuda:{index}"), reason })
        }
    }
}

/// `cpu`, `cuda:0`.
pub fn label(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        Device::Cpu => "cpu".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The processor's or the card's own name.
pub fn name(device: Device) -> String {
    match device {
        Device::Cuda(index) => card_name(index).unwrap_or_else(|| "NVIDIA graphics card".to_owned()),
        _ => processor_name(),
    }
}

/// Threads that an operation may use.
pub fn threads() -> u32 {
    tch::get_num_threads().max(1) as u32
}

/// For operations of this thread. Training and loading together should not exceed the cores; more threads than cores is slower
/// than fewer.
pub fn set_threads(threads: u32) -> Result<()> {
    shim::set_threads(threads)
}

pub fn libtorch_version() -> String {
    shim::libtorch_version()
}

fn processor_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    // "model name" on x86; arm64 kernels print none.
    let field =
        |line: &str| line.strip_prefix("model name").and_then(|rest| Some(rest.split_once(':')?.1.trim().to_owned()));
    info.lines().find_map(field).unwrap_or_else(|| format!("{} processor", std::env::consts::ARCH))
}

fn card_name(index: usize) -> Option<String> {
    ask_driver(c"cuDeviceGetName", index)
}

/// A card's place on the bus, `0000:65:00.0`: its number is CUDA's own, and other programs count otherwise.
pub fn card_bus(index: usize) -> Option<String> {
    ask_driver(c"cuDeviceGetPCIBusId", index)
}

/// From the driver, which is open already: a function that writes a text, its length and the card following.
fn ask_driver(question: &CStr, index: usize) -> Option<String> {
    type Init = unsafe extern "C" fn(u32) -> c_int;
    type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type Tell = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    let driver = open("libcuda.so.1", libc::RTLD_LAZY).ok()?;
    let mut text = [0 as c_char; 128];
    let mut handle = 0;
    // SAFETY: the driver API's documented signatures; both questions end the text within the length given.
    unsafe {
        let init: Init = std::mem::transmute(symbol(driver, c"cuInit")?);
        let get: Get = std::mem::transmute(symbol(driver, c"cuDeviceGet")?);
        let tell: Tell = std::mem::transmute(symbol(driver, question)?);
        let fine = init(0) == 0
            && get(&raw mut handle, index as c_int) == 0
            && tell(text.as_mut_ptr(), text.len() as c_int - 1, handle) == 0;
        fine.then(|| CStr::from_ptr(text.as_ptr()).to_string_lossy().into_owned())
    }
}

/// Where the loaded libtorch lies.
fn libtorch_folder() -> Option<std::path::PathBuf> {
    // at::globalContext(), which only libtorch_cpu defines.
    let known = symbol(libc::RTLD_DEFAULT, c"_ZN2at13globalContextEv")?;
    // SAFETY: `info` is written by dladdr, and its strings live as long as the library.
    let path = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(known, &raw mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        CStr::from_ptr(info.dli_fname).to_string_lossy().into_owned()
    };
    // Through the links of a view folder to the one that holds everything.
    Some(std::fs::canonicalize(path).ok()?.parent()?.to_owned())
}

/// Never closed again.
fn open(library: &str, flags: c_int) -> Result<*mut c_void, String> {
    let path = CString::new(library).map_err(|error| error.to_string())?;
    // SAFETY: `path` ends in a zero; dlerror's string is copied at once.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), flags);
        if !handle.is_null() {
            return Ok(handle);
        }
        let error = libc::dlerror();
        if error.is_null() {
            Err(format!("{library} cannot be loaded"))
        } else {
            Err(CStr::from_ptr(error).to_string_lossy().into_owned())
        }
    }
}

fn symbol(library: *mut c_void, name: &CStr) -> Option<*mut c_void> {
    // SAFETY: `library` is open, or RTLD_DEFAULT.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}
