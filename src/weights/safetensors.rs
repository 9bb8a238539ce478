//! safetensors: one table of names, types, shapes and places in front of the numbers. Hub files, and Frostline's own.

use std::collections::BTreeMap;

use safetensors::{Dtype as Stored, SafeTensors};

use super::{
    Tensor,
    dtype::Dtype,
    error::{Fault, Read},
    file::{Contents, Place},
    strided::View,
};

pub(super) fn looks_like(bytes: &[u8]) -> bool {
    // The table is JSON behind its length.
    bytes.len() > 8 && bytes[8] == b'{'
}

pub(super) fn read(bytes: &[u8]) -> Read<Contents> {
    let (table, header) = SafeTensors::read_metadata(bytes)
        .map_err(|error| Fault::damaged(format!("its safetensors header: {error}")))?;
    let mut tensors = Vec::new();
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let dtype = dtype(info.dtype).ok_or_else(|| {
            Fault::unsupported(format!("\"{name}\" holds {}, a kind of number that is not read", info.dtype))
        })?;
        let (first, end) = info.data_offsets;
        // Elements as the file has them; the header has been checked against its length.
        let view = View { offset: 0, shape: info.shape.clone(), strides: contiguous(&info.shape) };
        view.check((end - first) / dtype.size())?;
        let start = 8 + table;
        let place = Place::Bytes { storage: start + first..start + end, view };
        tensors.push((Tensor { name, shape: info.shape.clone(), dtype, keras: None }, place));
    }
    let attributes: BTreeMap<String, String> = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Contents { tensors, attributes })
}

fn contiguous(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis]);
    }
    strides
}

fn dtype(stored: Stored) -> Option<Dtype> {
    Some(match stored {
        Stored::F64 => Dtype::Float64,
        Stored::F32 => Dtype::Float32,
        Stored::F16 => Dtype::Float16,
        Stored::BF16 => Dtype::Bfloat16,
        Stored::I64 => Dtype::Int64,
        Stored::I32 => Dtype::Int32,
        Stored::I16 => Dtype::Int16,
        Stored::I8 => Dtype::Int8,
        Stored::U8 => Dtype::Uint8,
        Stored::BOOL => Dtype::Bool,
        _ => return None,
    })
}
