//! Everything that a run must keep to go on bit by bit, as named bytes, and the way back. Restoring writes into the tensors that are
//! there, so layout and autograd's links stay, and checks all names and shapes before it writes any.

use std::collections::HashMap;

use tch::{Kind, Tensor};

use super::error::{EngineError, Result};
use super::optimizer::Optimizer;
use super::weights::Weights;
use frostline::run::checkpoint::{DType, TensorData};
use frostline::trainer::SavedTensor;

const STEP: &str = "step";
const OPTIMIZER: &str = "optimizer/";

/// `layer/parameter` for all weights and statistics, then `optimizer/layer/parameter/…`: `step` for every learned weight, the
/// slots for those that have been updated.
pub fn save(weights: &Weights, optimizer: &Optimizer) -> Result<Vec<SavedTensor>> {
    let mut saved = Vec::new();
    for weight in weights.all() {
        saved.push(floats(weight.name.clone(), &weight.tensor)?);
    }
    for (weight, state) in weights.all().iter().zip(optimizer.states()).filter(|(weight, _)| weight.learned) {
        let bytes = state.steps.to_le_bytes().to_vec();
        saved.push((slot_name(&weight.name, STEP), TensorData { shape: Vec::new(), dtype: DType::I64, bytes }));
        for (slot, tensor) in optimizer.slot_names().iter().zip(&state.slots) {
            saved.push(floats(slot_name(&weight.name, slot), tensor)?);
        }
    }
    Ok(saved)
}

/// Leaves everything as it was when the tensors do not fit. Weights that were trained elsewhere come without an optimiser, which then
/// begins anew.
pub fn restore(weights: &Weights, optimizer: &mut Optimizer, tensors: &[SavedTensor]) -> Result<()> {
    let mut given = Given::new(tensors);
    let mut into_weights = Vec::new();
    let mut into_states = Vec::new();
    let has_optimizer = tensors.iter().any(|(name, _)| name.starts_with(OPTIMIZER));
    for weight in weights.all() {
        let shape: Vec<usize> = weight.tensor.size().iter().map(|&side| side as usize).collect();
        into_weights.push(given.floats(&weight.name, &shape));
        if !(weight.learned && has_optimizer) {
            into_states.push((0, Vec::new()));
            continue;
        }
        let steps = given.integer(&slot_name(&weight.name, STEP));
        let wanted = if steps > 0 { optimizer.slot_names() } else { &[] };
        let slots: Vec<_> = wanted.iter().map(|slot| given.floats(&slot_name(&weight.name, slot), &shape)).collect();
        into_states.push((steps, slots));
    }
    given.finish()?;

    let _no_grad = tch::no_grad_guard();
    let states = optimizer.states_mut().iter_mut();
    for (((weight, from), (steps, slots)), state) in weights.all().iter().zip(into_weights).zip(into_states).zip(states)
    {
        if let Some(saved) = from {
            write(&weight.tensor, saved)?;
        }
        state.steps = steps;
        state.slots.clear();
        for saved in slots.into_iter().flatten() {
            // `zeros_like` takes the weight's memory layout, on which the fused updates rely.
            let slot = weight.tensor.f_zeros_like()?;
            write(&slot, saved)?;
            state.slots.push(slot);
        }
    }
    Ok(())
}

fn slot_name(weight: &str, slot: &str) -> String {
    format!("{OPTIMIZER}{weight}/{slot}")
}

fn floats(name: String, tensor: &Tensor) -> Result<SavedTensor> {
    let count = tensor.numel();
    let mut bytes = vec![0; count * size_of::<f32>()];
    // Contiguous whatever the memory layout, from any device.
    tensor.f_detach()?.f_to_kind(Kind::Float)?.f_copy_data_u8(&mut bytes, count)?;
    let shape = tensor.size().iter().map(|&side| side as usize).collect();
    Ok((name, TensorData { shape, dtype: DType::F32, bytes }))
}

fn write(tensor: &Tensor, saved: &TensorData) -> Result<()> {
    let from = Tensor::f_from_data_size(&saved.bytes, &tensor.size(), Kind::Float)?;
    // By element, whatever the two layouts, and across devices.
    Ok(tensor.shallow_clone().f_copy_(&from)?)
}

/// The tensors of a checkpoint while they are matched with what is wanted; gathers everything that is wrong.
struct Given<'a> {
    by_name: HashMap<&'a str, &'a TensorData>,
    problems: Vec<String>,
}

impl<'a> Given<'a> {
    fn new(tensors: &'a [SavedTensor]) -> Self {
        let by_name = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        Self { by_name, problems: Vec::new() }
    }

    fn floats(&mut self, name: &str, shape: &[usize]) -> Option<&'a TensorData> {
        self.take(name, shape, DType::F32, size_of::<f32>())
    }

    /// 0 where it is missing, which `finish` tells.
    fn integer(&mut self, name: &str) -> i64 {
        let saved = self.take(name, &[], DType::I64, size_of::<i64>());
        saved.and_then(|saved| saved.bytes.as_slice().try_into().ok()).map_or(0, i64::from_le_bytes)
    }

    fn take(&mut self, name: &str, shape: &[usize], dtype: DType, element: usize) -> Option<&'a TensorData> {
        let Some(saved) = self.by_name.remove(name) else {
            self.problems.push(format!("\"{name}\" is missing"));
            return None;
        };
        let length = shape.iter().product::<usize>() * element;
        if saved.shape != shape || saved.dtype != dtype || saved.bytes.len() != length {
            let TensorData { shape: found, dtype: found_dtype, bytes, .. } = saved;
            self.problems.push(format!(
                "\"{name}\" is {found_dtype:?} {found:?} in {} bytes, expected {dtype:?} {shape:?} in {length}",
                bytes.len()
            ));
            return None;
        }
        Some(saved)
    }

    /// Whatever was asked for and is not there, does not fit, or was not asked for.
    fn finish(mut self) -> Result<()> {
        let mut unexpected: Vec<_> = self.by_name.keys().map(|name| format!("\"{name}\" is unexpected")).collect();
        unexpected.sort();
        self.problems.append(&mut unexpected);
        if self.problems.is_empty() { Ok(()) } else { Err(EngineError::Restore { problems: self.problems }) }
    }
}
