//! Which layers are frozen, and the proof that they are: a digest of each frozen layer's weights and statistics.

use tch::{Device, Tensor};

use super::error::{EngineError, Result};
use super::network::Network;

/// The digests that frozen layers had when they were frozen; one entry a layer.
pub struct Seals {
    digests: Vec<Option<blake3::Hash>>,
}

impl Seals {
    pub fn none(network: &Network) -> Self {
        Self { digests: network.arch().layers().iter().map(|_| None).collect() }
    }

    /// Makes `frozen` the set of frozen layers. Returns the positions of those that were thawed.
    pub fn set(&mut self, network: &mut Network, frozen: &[String]) -> Result<Vec<usize>> {
        let mut wanted = vec![false; self.digests.len()];
        for name in frozen {
            let unknown = || EngineError::UnknownLayer { layer: name.clone() };
            let position = network.arch().position(name).ok_or_else(unknown)?;
            if network.arch().layers()[position].parameters.is_empty() {
                return Err(EngineError::NoParameters { layer: name.clone() });
            }
            wanted[position] = true;
        }
        let mut thawed = Vec::new();
        for (layer, &freeze) in wanted.iter().enumerate() {
            if freeze == network.is_frozen(layer) {
                continue;
            }
            network.set_frozen(layer, freeze)?;
            if freeze {
                self.digests[layer] = Some(digest(network, layer)?);
            } else {
                self.digests[layer] = None;
                thawed.push(layer);
            }
        }
        Ok(thawed)
    }

    /// Takes new digests, after the weights were replaced on purpose.
    pub fn renew(&mut self, network: &Network) -> Result<()> {
        for (layer, seal) in self.digests.iter_mut().enumerate() {
            if seal.is_some() {
                *seal = Some(digest(network, layer)?);
            }
        }
        Ok(())
    }

    /// Whether a frozen layer is what it was, to the bit; `None` for one that is not frozen.
    pub fn intact(&self, network: &Network, layer: usize) -> Result<Option<bool>> {
        self.digests[layer].map(|seal| Ok(digest(network, layer)? == seal)).transpose()
    }
}

/// Over all parameters of a layer, moving statistics included.
pub fn digest(network: &Network, layer: usize) -> Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    for weight in network.weights().of_layer(layer) {
        let tensor = weight.tensor.f_detach()?.f_to_device(Device::Cpu)?;
        hasher.update(memory_of(&tensor));
    }
    Ok(hasher.finalize())
}

/// The bytes of a weight as they lie in memory: weights are dense, so their order does not matter to a digest.
fn memory_of(tensor: &Tensor) -> &[u8] {
    let length = tensor.numel() * tensor.kind().elt_size_in_bytes();
    if length == 0 {
        return &[];
    }
    // SAFETY: a dense tensor on the processor, with no gaps between its elements; it outlives the slice.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<u8>(), length) }
}
