//! The number formats of stored tensors, and their way to 32-bit floats. Little-endian throughout.

use std::fmt;

use half::{bf16, f16};

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Float64,
    Float32,
    Float16,
    Bfloat16,
    Int64,
    Int32,
    Int16,
    Int8,
    Uint8,
    Bool,
}

impl Dtype {
    /// Bytes.
    pub fn size(self) -> usize {
        match self {
            Self::Float64 | Self::Int64 => 8,
            Self::Float32 | Self::Int32 => 4,
            Self::Float16 | Self::Bfloat16 | Self::Int16 => 2,
            Self::Int8 | Self::Uint8 | Self::Bool => 1,
        }
    }

    /// NumPy's and `PyTorch`'s word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float64 => "float64",
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Bfloat16 => "bfloat16",
            Self::Int64 => "int64",
            Self::Int32 => "int32",
            Self::Int16 => "int16",
            Self::Int8 => "int8",
            Self::Uint8 => "uint8",
            Self::Bool => "bool",
        }
    }

    /// Whole elements to 32-bit floats; what is left of the last one is passed over. Doubles and long integers are rounded.
    pub fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Float64 => each(bytes, |element| f64::from_le_bytes(element) as f32),
            Self::Float32 => each(bytes, f32::from_le_bytes),
            Self::Float16 => each(bytes, |element| f16::from_le_bytes(element).to_f32()),
            Self::Bfloat16 => each(bytes, |element| bf16::from_le_bytes(element).to_f32()),
            Self::Int64 => each(bytes, |element| i64::from_le_bytes(element) as f32),
            Self::Int32 => each(bytes, |element| i32::from_le_bytes(element) as f32),
            Self::Int16 => each(bytes, |element| f32::from(i16::from_le_bytes(element))),
            Self::Int8 => each(bytes, |element| f32::from(i8::from_le_bytes(element))),
            Self::Uint8 => each(bytes, |[element]| f32::from(element)),
            Self::Bool => each(bytes, |[element]| f32::from(u8::from(element != 0))),
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|element| number(*element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bit patterns are NumPy's and `PyTorch`'s for the same numbers; all of these have an exact 32-bit float.
    #[test]
    fn every_kind_of_number_becomes_the_same_float() {
        let wanted = [1.5_f32, -2.0];
        assert_eq!(Dtype::Float64.to_f32(&[0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0]), wanted);
        assert_eq!(Dtype::Float32.to_f32(&[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]), wanted);
        assert_eq!(Dtype::Float16.to_f32(&[0, 0x3e, 0, 0xc0]), wanted);
        assert_eq!(Dtype::Bfloat16.to_f32(&[0xc0, 0x3f, 0, 0xc0]), wanted);
        assert_eq!(Dtype::Int64.to_f32(&(-3_i64).to_le_bytes()), [-3.0]);
        assert_eq!(Dtype::Int32.to_f32(&(-3_i32).to_le_bytes()), [-3.0]);
        assert_eq!(Dtype::Int16.to_f32(&(-3_i16).to_le_bytes()), [-3.0]);
        assert_eq!(Dtype::Int8.to_f32(&[0xfd]), [-3.0]);
        assert_eq!(Dtype::Uint8.to_f32(&[0xfd]), [253.0]);
        assert_eq!(Dtype::Bool.to_f32(&[0, 1]), [0.0, 1.0]);
    }
}
