use half::{bf16, f16};
use twinbeam_core::ModelShape;

use crate::expected_params;

/// How numbers are stored in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredDtype {
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
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Its name in a safetensors header.
    pub const fn id(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
        }
    }

    /// The type of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::F32, Self::F16, Self::Bf16].into_iter().find(|dtype| dtype.id() == id)
    }

    /// Numbers of little-endian bytes; trailing bytes that fill no number are left out.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let mut values = Vec::with_capacity(bytes.len() / self.bytes());
        self.decode_into(bytes, &mut values);
        values
    }

    /// The same, behind those that are there.
    pub fn decode_into(self, bytes: &[u8], values: &mut Vec<f32>) {
        match self {
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
}

/// Little-endian bytes of numbers, rounded to `dtype`.
pub fn stored_bytes(values: &[f32], dtype: StoredDtype) -> Vec<u8> {
    match dtype {
        StoredDtype::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        StoredDtype::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        StoredDtype::Bf16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
    }
}

/// The first bytes of a safetensors file: its header for a GPT-2 whose tensors follow in the order
/// of [`expected_params`], so that a large model can be written without being held.
pub fn safetensors_header(shape: &ModelShape, dtype: StoredDtype) -> Vec<u8> {
    let mut entries = vec![r#""__metadata__":{"format":"pt"}"#.to_owned()];
    let mut offset = 0;
    for (name, dims) in expected_params(shape) {
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
