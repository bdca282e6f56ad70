//! How numbers are stored in a checkpoint, and the header of one that is written.

use half::{bf16, f16};
use twinbeam_core::models::ModelShape;

use crate::expected_params;

/// How numbers are stored in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredDtype {
    /// IEEE double precision.
    F64,
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of an f32.
    Bf16,
}

impl StoredDtype {
    /// Bytes per number.
    pub const fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Name of the type in a safetensors header.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    /// The type with a name in safetensors headers, if there is one.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::F64, Self::F32, Self::F16, Self::Bf16].into_iter().find(|dtype| dtype.id() == id)
    }

    /// Numbers of little-endian bytes, rounded to single precision; trailing bytes that fill no number are left
    /// out.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let mut values = Vec::with_capacity(bytes.len() / self.bytes());
        self.decode_into(bytes, &mut values);
        values
    }

    /// Decodes numbers of little-endian bytes, rounded to single precision, behind those that are there.
    pub fn decode_into(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
            Self::F64 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32));
            }
            Self::F32 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)));
            }
            Self::F16 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()));
            }
            Self::Bf16 => {
                values.extend(bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()));
            }
        }
    }

    /// Decodes numbers of little-endian bytes as they are, one after the other: double precision holds every type's.
    pub fn decode_exactly(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        bytes.chunks_exact(self.bytes()).map(move |chunk| match (self, chunk) {
            (Self::F64, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
            (Self::F32, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
            (Self::F16, &[a, b]) => f16::from_le_bytes([a, b]).to_f64(),
            (Self::Bf16, &[a, b]) => bf16::from_le_bytes([a, b]).to_f64(),
            // OK because a chunk has as many bytes as its type.
            _ => f64::NAN,
        })
    }

    /// Little-endian bytes of a number, rounded once.
    pub fn encode(self, value: f64) -> impl Iterator<Item = u8> {
        let (bytes, n) = match self {
            Self::F64 => (value.to_le_bytes(), 8),
            Self::F32 => (padded((value as f32).to_le_bytes()), 4),
            Self::F16 => (padded(f16::from_f32(to_odd(value)).to_le_bytes()), 2),
            Self::Bf16 => (padded(bf16::from_f32(to_odd(value)).to_le_bytes()), 2),
        };
        bytes.into_iter().take(n)
    }
}

/// The single that a number lies at or beside, of two the one with an odd last digit: rounded once more it becomes what
/// the number itself would be rounded to.
fn to_odd(value: f64) -> f32 {
    let near = value as f32;
    let off = f64::from(near);
    if off == value || value.is_nan() {
        return near;
    }
    // The bits of numbers of one sign are in the order of their sizes.
    let towards_zero = if off.abs() > value.abs() { near.to_bits() - 1 } else { near.to_bits() };
    f32::from_bits(towards_zero | 1)
}

fn padded<const N: usize>(bytes: [u8; N]) -> [u8; 8] {
    std::array::from_fn(|place| bytes.get(place).copied().unwrap_or(0))
}

/// Little-endian bytes of numbers, rounded to `dtype`.
pub fn stored_bytes(values: &[f32], dtype: StoredDtype) -> Vec<u8> {
    match dtype {
        StoredDtype::F64 => values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect(),
        StoredDtype::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        StoredDtype::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        StoredDtype::Bf16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
    }
}

/// The first bytes of a safetensors file: its header for a GPT-2 whose tensors follow in the order
/// of [`expected_params`], so that a large model can be written without being held.
pub fn safetensors_header(shape: &ModelShape, dtype: StoredDtype) -> Vec<u8> {
    safetensors_header_of(&expected_params(shape), dtype)
}

/// The first bytes of a safetensors file with any tensors, by name and shape.
pub fn safetensors_header_of(tensors: &[(String, Vec<usize>)], dtype: StoredDtype) -> Vec<u8> {
    let mut entries = vec![r#""__metadata__":{"format":"pt"}"#.to_owned()];
    let mut offset = 0;
    for (name, dims) in tensors {
        let end = offset + dims.iter().product::<usize>() * dtype.bytes();
        entries.push(format!(
            r#""{name}":{{"dtype":"{}","shape":{dims:?},"data_offsets":[{offset},{end}]}}"#,
            dtype.id()
        ));
        offset = end;
    }
    let mut json = format!("{{{}}}", entries.join(",")).into_bytes();
    // The format aligns the data to 8 bytes with spaces.
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_gives_back_what_it_holds() {
        for dtype in [StoredDtype::F64, StoredDtype::F32, StoredDtype::F16, StoredDtype::Bf16] {
            let values = [0.0, -1.5, 0.25, 65280.0, -0.0078125];
            let bytes: Vec<u8> = values.iter().flat_map(|value| dtype.encode(*value)).collect();
            assert_eq!(bytes.len(), values.len() * dtype.bytes());
            assert!(dtype.decode_exactly(&bytes).eq(values), "{}", dtype.id());
            assert_eq!(bytes, stored_bytes(&values.map(|value| value as f32), dtype));
            assert_eq!(StoredDtype::from_id(dtype.id()), Some(dtype));
        }
    }

    #[test]
    fn a_number_is_rounded_once() {
        // Just above and below the middle between two halves: a single in between would round it onto the middle,
        // and that to the even one.
        let (step, hair) = (2.0_f64.powi(-10), 2.0_f64.powi(-40));
        for (value, rounded) in [
            (1.0 + 0.5 * step + hair, 1.0 + step),
            (1.0 + 0.5 * step, 1.0),
            (1.0 + 1.5 * step - hair, 1.0 + step),
            (-1.0 - 0.5 * step - hair, -1.0 - step),
        ] {
            let bytes: Vec<u8> = StoredDtype::F16.encode(value).collect();
            assert!(StoredDtype::F16.decode_exactly(&bytes).eq([rounded]), "{value}");
        }
        let bytes: Vec<u8> = StoredDtype::F16.encode(1e300).collect();
        assert!(StoredDtype::F16.decode_exactly(&bytes).all(f64::is_infinite));
    }
}
