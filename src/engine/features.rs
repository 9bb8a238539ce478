//! The outputs of the frozen part: which part that is now, what it is called on the disk, and from records and pictures to the tensors
//! on which the rest of the network goes on. What is computed here is handed to be kept.

use std::ops::Range;

use tch::{Device, Kind, Tensor};

use super::device;
use super::error::{EngineError, Result};
use super::freeze;
use super::input::{self, Preprocess};
use super::network::{Mode, Network};
use super::pass::Pass;
use super::prefix::{self, Prefix, Prices};
use super::shards::Shards;
use super::shim;
use frostline::arch::{Arch, Shape, Source};
use frostline::data::{Batch, FrozenPart, Served, Size};

/// A frozen part as it is while nothing of it is thawed or replaced.
pub struct Part {
    prefix: Prefix,
    /// One a crossing layer.
    outputs: Vec<Output>,
    frozen: FrozenPart,
}

/// How a layer's output for one picture lies in a record: feature maps as `[h, w, c]`.
struct Output {
    sides: Vec<i64>,
    kind: Kind,
    /// In a record.
    bytes: Range<usize>,
}

impl Part {
    /// The part that is worth keeping in steps (`training`) or in evaluation, if there is one.
    pub fn find(network: &Network, preprocess: Preprocess, training: bool) -> Result<Option<Self>> {
        let arch = network.arch();
        let still = prefix::still(arch, |layer| network.is_frozen(layer), training);
        let on_processor = network.device() == Device::Cpu;
        let prices = if on_processor { Prices::PROCESSOR } else { Prices::GRAPHICS_CARD };
        let Some(prefix) = Prefix::find(arch, &still, prices) else { return Ok(None) };
        let outputs = outputs(network, &prefix)?;
        let frozen = FrozenPart {
            identity: identity(network, &prefix, &outputs, preprocess)?,
            record_bytes: outputs.last().map_or(0, |last| last.bytes.end),
            needs_pictures: prefix.needs_pictures(),
            outputs: prefix.crossing().iter().map(|&layer| arch.layers()[layer].name.clone()).collect(),
        };
        Ok(Some(Self { prefix, outputs, frozen }))
    }

    pub fn frozen(&self) -> &FrozenPart {
        &self.frozen
    }

    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The outputs for every picture of a batch, one tensor a crossing layer, from the records that it holds and the pictures that
    /// have none. What is computed for these is kept.
    pub fn outputs(
        &self,
        network: &Network,
        shards: Option<&Shards>,
        batch: &Batch,
        served: &Served,
        preprocess: Preprocess,
        mode: Mode,
    ) -> Result<Vec<Tensor>> {
        if *served.features.part() != self.frozen {
            return Err(EngineError::Features);
        }
        let missing: Vec<usize> = served.missing().collect();
        served.features.count(served.held.len() - missing.len(), missing.len());
        if missing.is_empty() {
            return self.assembled(served, &[], network.device());
        }
        let (one, device) = (batch.size.bytes(), network.device());
        // Pictures stand one behind the other: all of them, or those that have no record.
        let picture = |place: usize| if self.prefix.needs_pictures() { missing[place] } else { place };
        let pictures = |range: Range<usize>| {
            let count = range.len();
            let bytes: Vec<u8> =
                range.flat_map(|place| &batch.images[picture(place) * one..][..one]).copied().collect();
            input::pictures(&bytes, count, batch.size, preprocess, device)
        };
        let computed = Pass::below(network, shards, missing.len(), &self.prefix, pictures, mode)?;
        let records = self.records(&computed, missing.len())?;
        let outputs = if missing.len() == served.held.len() {
            computed
        } else {
            self.assembled(served, &records, network.device())?
        };
        served.features.keep(missing.iter().map(|&place| served.numbers[place]).collect(), records);
        Ok(outputs)
    }

    /// From tensors to records, one behind the other.
    fn records(&self, computed: &[Tensor], count: usize) -> Result<Vec<u8>> {
        let length = self.frozen.record_bytes;
        let mut records = vec![0; count * length];
        for (output, tensor) in self.outputs.iter().zip(computed) {
            let tensor =
                if output.sides.len() == 3 { tensor.f_permute([0_i64, 2, 3, 1])? } else { tensor.shallow_clone() };
            let tensor = tensor.f_to_device(Device::Cpu)?;
            if output.bytes.len() == length {
                tensor.f_copy_data_u8(&mut records, tensor.numel())?;
                continue;
            }
            let mut bytes = vec![0; count * output.bytes.len()];
            tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
            for (record, bytes) in records.chunks_exact_mut(length).zip(bytes.chunks_exact(output.bytes.len())) {
                record[output.bytes.clone()].copy_from_slice(bytes);
            }
        }
        Ok(records)
    }

    /// From records to tensors: those that the batch holds and, between them, those that were just computed.
    fn assembled(&self, served: &Served, computed: &[u8], device: Device) -> Result<Vec<Tensor>> {
        let length = self.frozen.record_bytes.max(1);
        let (mut held, mut new) = (served.records.chunks_exact(length), computed.chunks_exact(length));
        let rows: Vec<&[u8]> =
            served.held.iter().map_while(|&is_held| if is_held { held.next() } else { new.next() }).collect();
        if rows.len() != served.held.len() {
            return Err(EngineError::Features);
        }
        self.outputs.iter().map(|output| output.tensor(&rows, device)).collect()
    }
}

impl Output {
    /// `[n, c, h, w]`, channels-last, or `[n, c]`, from one record a picture.
    fn tensor(&self, records: &[&[u8]], device: Device) -> Result<Tensor> {
        let shape: Vec<i64> = [records.len() as i64].iter().chain(&self.sides).copied().collect();
        let tensor = Tensor::f_empty(&shape, (self.kind, Device::Cpu))?;
        let whole = tensor.numel() * self.kind.elt_size_in_bytes();
        if whole != records.len() * self.bytes.len() {
            return Err(EngineError::Features);
        }
        // SAFETY: a new tensor, dense, of so many bytes, which nobody else has.
        let memory = unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast::<u8>(), whole) };
        for (row, record) in memory.chunks_exact_mut(self.bytes.len().max(1)).zip(records) {
            row.copy_from_slice(&record[self.bytes.clone()]);
        }
        let tensor = tensor.f_to_device(device)?;
        Ok(if self.sides.len() == 3 { tensor.f_permute([0_i64, 3, 1, 2])? } else { tensor })
    }
}

/// Sides and kinds as the layers really give them, seen on one black picture.
fn outputs(network: &Network, prefix: &Prefix) -> Result<Vec<Output>> {
    let Shape::Map { height, width, channels } = network.arch().input() else {
        return Err(EngineError::Features);
    };
    let size = Size { height: height as u32, width: width as u32, channels: channels as u32 };
    let black = vec![0; size.bytes()];
    let device = network.device();
    let picture = |_| input::pictures(&black, 1, size, Preprocess::default(), device);
    let seen = Pass::below(network, None, 1, prefix, picture, Mode::Infer)?;
    let mut first = 0;
    let output = |tensor: Tensor| {
        let sides = match tensor.size()[..] {
            [_, channels, height, width] => vec![height, width, channels],
            [_, channels] => vec![channels],
            _ => return Err(EngineError::Features),
        };
        let bytes = first..first + tensor.numel() * tensor.kind().elt_size_in_bytes();
        first = bytes.end;
        Ok(Output { sides, kind: tensor.kind(), bytes })
    };
    seen.into_iter().map(output).collect()
}

/// To be raised when the way in which a layer is computed changes, if but in the last digit.
const KERNELS: u32 = 2;

/// Everything that the outputs for a given picture follow from.
fn identity(network: &Network, prefix: &Prefix, outputs: &[Output], preprocess: Preprocess) -> Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let device = network.device();
    let (kind, libtorch) = (device::name(device), device::libtorch_version());
    let lanes = shim::winograd_lanes();
    hasher.update(format!("{KERNELS} {lanes} {} {kind} {libtorch} {preprocess:?} ", device::label(device)).as_bytes());
    let layers = prefix.layers();
    hasher.update(structure(network.arch(), &layers, prefix.crossing()).as_bytes());
    for output in outputs {
        hasher.update(format!("{:?} {:?} ", output.sides, output.kind).as_bytes());
    }
    hasher.update(format!("{:?}", network.compute()).as_bytes());
    for &layer in &layers {
        hasher.update(freeze::digest(network, layer)?.as_bytes());
    }
    Ok(hasher.finalize())
}

/// Without names, and with layers counted among those below: the same base under another head, or in another place, is the same.
fn structure(arch: &Arch, layers: &[usize], crossing: &[usize]) -> String {
    let rank = |layer: usize| layers.binary_search(&layer).map_or(usize::MAX, |rank| rank);
    let described = layers.iter().map(|&index| {
        let layer = &arch.layers()[index];
        let inputs = layer.inputs.iter().map(|&source| match source {
            Source::Input => "input".to_owned(),
            Source::Layer(read) => rank(read).to_string(),
        });
        format!("{:?} of {}", layer.op, inputs.collect::<Vec<_>>().join(" "))
    });
    let crossing = crossing.iter().map(|&layer| rank(layer).to_string()).collect::<Vec<_>>().join(" ");
    format!("{:?} {} {crossing}", arch.input(), described.collect::<Vec<_>>().join("; "))
}
