//! Whether a device can hold a model, in numbers of bytes and in words.

use twinbeam_core::models::CatalogModel;

use crate::values::bytes;

/// What the worker takes besides the weights.
const WORKING_BYTES: u64 = 200_000_000;
/// WebAssembly has 4 GiB in all; the last of it cannot be counted on.
const MOST_BYTES: u64 = 3_900_000_000;

/// Whether a model can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits {
        needs: u64,
    },
    /// It runs in the GPU's memory, of which the browser says nothing.
    OnGpu {
        needs: u64,
    },
    /// The browser says that this device has less, or so little more that a page does not get as much.
    Tight {
        needs: u64,
        has: u64,
    },
    /// No browser can hold it without a GPU.
    TooLarge {
        needs: u64,
    },
}

impl Fit {
    /// `device_memory` is what the browser says, in GiB; it never says more than 8.
    pub(crate) fn of(model: &CatalogModel, on_gpu: bool, device_memory: Option<f64>) -> Self {
        let weights = model.weight_bytes();
        // While a block is read it is there twice, and the tables of a run come on top.
        let with_room = weights + weights / 5;
        if on_gpu {
            return Self::OnGpu { needs: with_room };
        }
        let needs = with_room + WORKING_BYTES;
        let has = device_memory.map(|gib| (gib * f64::from(1 << 30)) as u64);
        match has {
            _ if needs > MOST_BYTES => Self::TooLarge { needs },
            Some(has) if has - has / 4 < needs => Self::Tight { needs, has },
            _ => Self::Fits { needs },
        }
    }

    pub(crate) const fn can_run(self) -> bool {
        !matches!(self, Self::TooLarge { .. })
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::Fits { needs } => format!("Needs {} of memory.", bytes(needs)),
            Self::OnGpu { needs } => format!("Needs {} of GPU memory.", bytes(needs)),
            Self::Tight { needs, has } => format!(
                "Needs {} of memory; the browser says that this device has {} in all.",
                bytes(needs),
                bytes(has)
            ),
            Self::TooLarge { needs } => format!(
                "Needs {} of memory; WebAssembly ends at {}. A GPU may hold it.",
                bytes(needs),
                bytes(MOST_BYTES)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::Catalog;

    use super::*;

    fn fit(id: &str, on_gpu: bool, device_memory: Option<f64>) -> Fit {
        Fit::of(Catalog::bundled().find(id).unwrap(), on_gpu, device_memory)
    }

    #[test]
    fn the_largest_needs_a_gpu_and_others_a_device_that_has_enough() {
        assert!(matches!(fit("gpt2", false, Some(8.0)), Fit::Fits { needs: 797_311_078 }));
        assert!(matches!(fit("gpt2", false, Some(0.5)), Fit::Tight { has: 536_870_912, .. }));
        assert!(matches!(fit("gpt2-medium", false, None), Fit::Fits { .. }));
        // The system and the browser itself need some, too.
        assert!(matches!(fit("gpt2-medium", false, Some(2.0)), Fit::Tight { .. }));
        assert!(matches!(fit("gpt2", false, Some(2.0)), Fit::Fits { .. }));
        assert!(!fit("gpt2-large", false, Some(8.0)).can_run());
        assert!(fit("gpt2-large", true, Some(8.0)).can_run());
    }
}
