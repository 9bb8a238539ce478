//! Rust's side of `shim.cpp`: the few parts of libtorch that tch lacks. Safe functions over tensors; nothing else calls C++.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use tch::Tensor;
use torch_sys::C_tensor;

use super::error::{EngineError, Result};
use frostline::event::Held;

type List = *const *mut C_tensor;

unsafe extern "C" {
    fn frostline_channels_last(tensor: *const C_tensor, out: *mut *mut C_tensor) -> *mut c_char;
    fn frostline_leaky_relu(tensor: *const C_tensor, slope: f64, out: *mut *mut C_tensor) -> *mut c_char;
    fn frostline_dropout(tensor: *const C_tensor, rate: f64, seed: u64, out: *mut *mut C_tensor) -> *mut c_char;
    fn frostline_keeps_memory() -> bool;
    fn frostline_held(card: i32, three: *mut u64) -> *mut c_char;
    fn frostline_dense(
        tensor: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        out: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn frostline_pools(tensor: *const C_tensor) -> bool;
    fn frostline_pool(tensor: *const C_tensor, relu: bool, out: *mut *mut C_tensor) -> *mut c_char;
    fn frostline_winograd_lanes() -> i32;
    fn frostline_version(tensor: *const C_tensor) -> u32;
    fn frostline_winograd_takes(channels: i64, filters: i64) -> bool;
    fn frostline_winograd_prepare(weight: *const C_tensor, turned: bool, out: *mut *mut C_tensor) -> *mut c_char;
    fn frostline_winograd(
        tensor: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
        kernels: *const C_tensor,
        turned: *const C_tensor,
        padding: i64,
        relu: bool,
        out: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn frostline_has_crew() -> bool;
    fn frostline_set_threads(threads: i32) -> *mut c_char;
    fn frostline_crew(threads: i32, work: unsafe extern "C" fn(*mut c_void), context: *mut c_void) -> *mut c_char;
    fn frostline_gradients(
        output: *const C_tensor,
        output_gradient: *const C_tensor,
        inputs: List,
        count: usize,
        keep_graph: bool,
        gradients: *mut *mut C_tensor,
    ) -> *mut c_char;
    fn frostline_sgd(
        weights: List,
        gradients: List,
        velocities: List,
        count: usize,
        rate: f64,
        momentum: f64,
        nesterov: bool,
    ) -> *mut c_char;
    fn frostline_rmsprop(
        weights: List,
        gradients: List,
        variances: List,
        momenta: List,
        count: usize,
        rate: f64,
        rho: f64,
        momentum: f64,
        epsilon: f64,
    ) -> *mut c_char;
    fn frostline_adam(
        weights: List,
        gradients: List,
        momenta: List,
        variances: List,
        count: usize,
        decoupled: bool,
        step: f64,
        rate: f64,
        beta_1: f64,
        beta_2: f64,
        decay: f64,
        epsilon: f64,
    ) -> *mut c_char;
    fn frostline_finite(tensors: List, count: usize, finite: *mut bool) -> *mut c_char;
    fn frostline_deterministic() -> *mut c_char;
    fn frostline_libtorch_version() -> *const c_char;
}

/// What one call of an update rule changes: equally long lists of weights, their gradients and their slots.
#[derive(Default)]
pub struct Group {
    weights: Vec<*mut C_tensor>,
    gradients: Vec<*mut C_tensor>,
    slots: Vec<Vec<*mut C_tensor>>,
}

impl Group {
    /// The tensors must outlive the update, and every weight of a group must have the same number of slots.
    fn push(&mut self, weight: &Tensor, gradient: &Tensor, slots: &[Tensor]) {
        self.weights.push(weight.as_ptr().cast_mut());
        self.gradients.push(gradient.as_ptr().cast_mut());
        self.slots.resize_with(slots.len(), Vec::new);
        for (list, slot) in self.slots.iter_mut().zip(slots) {
            list.push(slot.as_ptr().cast_mut());
        }
    }

    fn slot(&self, index: usize) -> List {
        self.slots.get(index).map_or(ptr::null(), Vec::as_ptr)
    }
}

/// One weight with what its update needs.
pub struct Updated<'a> {
    pub weight: &'a Tensor,
    pub gradient: &'a Tensor,
    pub slots: &'a [Tensor],
}

fn group(updated: &[Updated<'_>]) -> Group {
    let mut group = Group::default();
    for one in updated {
        group.push(one.weight, one.gradient, one.slots);
    }
    group
}

/// Slots: velocity; none where `momentum` is 0.
pub fn sgd(updated: &[Updated<'_>], rate: f64, momentum: f64, nesterov: bool) -> Result<()> {
    let group = group(updated);
    let (w, g) = (group.weights.as_ptr(), group.gradients.as_ptr());
    // SAFETY: the lists hold `updated.len()` live tensors each, borrowed for the length of the call.
    check(unsafe { frostline_sgd(w, g, group.slot(0), updated.len(), rate, momentum, nesterov) })
}

/// Slots: mean square, then, where `momentum` is not 0, the gathered increment.
pub fn rmsprop(updated: &[Updated<'_>], rate: f64, rho: f64, momentum: f64, epsilon: f64) -> Result<()> {
    let group = group(updated);
    let (w, g, v, m) = (group.weights.as_ptr(), group.gradients.as_ptr(), group.slot(0), group.slot(1));
    // SAFETY: as in `sgd`.
    check(unsafe { frostline_rmsprop(w, g, v, m, updated.len(), rate, rho, momentum, epsilon) })
}

/// Settings of one call of [`adam`].
#[derive(Clone, Copy)]
pub struct Adam {
    /// With the decay apart from the gradient, as in `AdamW`.
    pub decoupled: bool,
    /// From 1.
    pub step: i64,
    pub rate: f64,
    pub beta_1: f64,
    pub beta_2: f64,
    pub decay: f64,
    /// libtorch's: added to √(v / (1 − β₂ᵗ)).
    pub epsilon: f64,
}

/// Slots: first moment, second moment.
pub fn adam(updated: &[Updated<'_>], with: Adam) -> Result<()> {
    let group = group(updated);
    let (w, g, m, v) = (group.weights.as_ptr(), group.gradients.as_ptr(), group.slot(0), group.slot(1));
    let Adam { decoupled, step, rate, beta_1, beta_2, decay, epsilon } = with;
    // SAFETY: as in `sgd`.
    check(unsafe {
        frostline_adam(w, g, m, v, updated.len(), decoupled, step as f64, rate, beta_1, beta_2, decay, epsilon)
    })
}

/// A copy of a `[n, c, h, w]` tensor whose channels lie side by side in memory; the tensor itself where they do already.
pub fn channels_last(tensor: &Tensor) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: `tensor` is live; `out` receives a tensor of our own exactly when there is no error.
    check(unsafe { frostline_channels_last(tensor.as_ptr(), &raw mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// Maxima over windows of 2x2 side by side, then their `ReLU` where `relu` says so. `None` for a map that our kernel does not take.
pub fn pool(tensor: &Tensor, relu: bool) -> Result<Option<Tensor>> {
    let mut out = ptr::null_mut();
    // SAFETY: as in `channels_last`.
    if !unsafe { frostline_pools(tensor.as_ptr()) } {
        return Ok(None);
    }
    check(unsafe { frostline_pool(tensor.as_ptr(), relu, &raw mut out) })?;
    Ok(Some(unsafe { Tensor::from_ptr(out) }))
}

/// `tensor` `[n, inputs]` times the transpose of `weight` `[units, inputs]`, plus `bias` `[units]`.
pub fn dense(tensor: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    let bias = bias.map_or(ptr::null(), Tensor::as_ptr);
    // SAFETY: as in `channels_last`; a null bias is allowed.
    check(unsafe { frostline_dense(tensor.as_ptr(), weight.as_ptr(), bias, &raw mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// Another number after every write into the tensor.
pub fn version(tensor: &Tensor) -> u32 {
    // SAFETY: `tensor` is live.
    unsafe { frostline_version(tensor.as_ptr()) }
}

/// How many numbers [`winograd`] multiplies together on this processor; 0 where it has no kernels.
pub fn winograd_lanes() -> i32 {
    // SAFETY: no pointers go in.
    unsafe { frostline_winograd_lanes() }
}

/// Whether [`winograd`] knows this processor and these numbers of channels.
pub fn winograd_takes(channels: usize, filters: usize) -> bool {
    // SAFETY: no pointers go in.
    unsafe { frostline_winograd_takes(channels as i64, filters as i64) }
}

/// A kernel `[filters, channels, 3, 3]` as [`winograd`] wants it; `turned` for the way back.
pub fn winograd_kernel(weight: &Tensor, turned: bool) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: as in `channels_last`.
    check(unsafe { frostline_winograd_prepare(weight.as_ptr(), turned, &raw mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// A convolution's weight `[filters, c, 3, 3]` and what [`winograd_kernel`] makes of it; `turned` is made where it is missing and needed.
pub struct Winograd<'a> {
    pub weight: &'a Tensor,
    pub kernels: &'a Tensor,
    pub turned: Option<&'a Tensor>,
    pub bias: Option<&'a Tensor>,
}

/// `tensor` `[n, c, h, w]` convolved, with so many rows and columns of zeros around it; then `ReLU` where `relu` says so.
pub fn winograd(tensor: &Tensor, with: &Winograd<'_>, padding: usize, relu: bool) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    let &Winograd { weight, kernels, turned, bias } = with;
    let or_null = |tensor: Option<&Tensor>| tensor.map_or(ptr::null(), Tensor::as_ptr);
    // SAFETY: as in `dense`; `turned` may be null too.
    check(unsafe {
        let (weight, kernels, padding) = (weight.as_ptr(), kernels.as_ptr(), padding as i64);
        frostline_winograd(
            tensor.as_ptr(),
            weight,
            or_null(bias),
            kernels,
            or_null(turned),
            padding,
            relu,
            &raw mut out,
        )
    })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// tch fixes the slope at 0.01.
pub fn leaky_relu(tensor: &Tensor, slope: f64) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: as in `channels_last`.
    check(unsafe { frostline_leaky_relu(tensor.as_ptr(), slope, &raw mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// Inverted dropout with a mask that is a function of `seed` and the shape; libtorch's own generators are left alone.
pub fn dropout(tensor: &Tensor, rate: f64, seed: u64) -> Result<Tensor> {
    let mut out = ptr::null_mut();
    // SAFETY: as in `channels_last`.
    check(unsafe { frostline_dropout(tensor.as_ptr(), rate, seed, &raw mut out) })?;
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// Of the loss by each of `inputs`, given its gradient by `output`; undefined where an input has no say. With `keep_graph` it can be
/// asked again.
pub fn gradients(
    output: &Tensor,
    output_gradient: &Tensor,
    inputs: &[&Tensor],
    keep_graph: bool,
) -> Result<Vec<Tensor>> {
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_ptr().cast_mut()).collect();
    let mut found = vec![ptr::null_mut(); inputs.len()];
    let (output, given) = (output.as_ptr(), output_gradient.as_ptr());
    // SAFETY: as in `channels_last`, for every element of `found`.
    check(unsafe {
        frostline_gradients(output, given, inputs.as_ptr(), inputs.len(), keep_graph, found.as_mut_ptr())
    })?;
    Ok(found.into_iter().map(|gradient| unsafe { Tensor::from_ptr(gradient) }).collect())
}

/// Whether the memory of tensors on the processor is kept for the next ones; it is since before `main`.
pub fn keeps_memory() -> bool {
    // SAFETY: no pointers go in.
    unsafe { frostline_keeps_memory() }
}

/// What the allocator of the processor's tensors holds in large blocks, or that of a card.
pub fn held(card: Option<usize>) -> Result<Held> {
    let mut three = [0; 3];
    // SAFETY: three numbers are written.
    check(unsafe { frostline_held(card.map_or(-1, |card| card as i32), three.as_mut_ptr()) })?;
    let [used, spare, peak] = three;
    Ok(Held { used, spare, peak })
}

/// Whether [`crew`] has more than one thread to give.
pub fn has_crew() -> bool {
    // SAFETY: no arguments, no state.
    unsafe { frostline_has_crew() }
}

/// How many threads the operations of this thread may use.
pub fn set_threads(threads: u32) -> Result<()> {
    // SAFETY: no pointers go in.
    check(unsafe { frostline_set_threads(threads.clamp(1, i32::MAX as u32) as i32) })
}

/// Calls `work` once on each of `threads` threads, this one among them, and waits for all. On each, libtorch's operations use that
/// thread alone. A panic in `work` ends the process, so it has to catch its own.
pub fn crew<F: Fn() + Sync>(threads: usize, work: &F) -> Result<()> {
    unsafe extern "C" fn call<F: Fn() + Sync>(context: *mut c_void) {
        // SAFETY: `context` is the `work` below, which outlives the call and may be shared.
        unsafe { (*context.cast::<F>())() }
    }
    // SAFETY: as above; the threads are done with `work` when the call returns.
    check(unsafe { frostline_crew(threads as i32, call::<F>, ptr::from_ref(work).cast_mut().cast()) })
}

/// Whether all numbers of all tensors are finite.
pub fn finite(tensors: &[&Tensor]) -> Result<bool> {
    let list: Vec<_> = tensors.iter().map(|tensor| tensor.as_ptr().cast_mut()).collect();
    let mut finite = false;
    // SAFETY: as in `sgd`; `finite` is written whenever there is no error.
    check(unsafe { frostline_finite(list.as_ptr(), list.len(), &raw mut finite) })?;
    Ok(finite)
}

/// Makes cuDNN give the same bits every time, so that a resumed run on a graphics card is the uninterrupted one.
pub fn deterministic() -> Result<()> {
    // SAFETY: no pointers go in.
    check(unsafe { frostline_deterministic() })
}

/// The libtorch that the headers were of, `2.11.0`.
pub fn libtorch_version() -> String {
    // SAFETY: a string literal of the shim.
    unsafe { CStr::from_ptr(frostline_libtorch_version()) }.to_string_lossy().into_owned()
}

fn check(message: *mut c_char) -> Result<()> {
    if message.is_null() {
        return Ok(());
    }
    // SAFETY: the shim hands over a string from strdup.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    unsafe { libc::free(message.cast::<c_void>()) };
    Err(EngineError::torch(&text))
}
