//! Batches side by side, as many as there are cores: half of what a run does between its matrix products is one
//! thread's work in the tensor library, so two batches side by side are faster than one on two threads.

use burn::tensor::Device;

/// How many batches are run at once on a device. A GPU takes them one after the other, and a browser's
/// worker is one thread.
pub(crate) fn lanes(device: &Device) -> usize {
    #[cfg(not(target_family = "wasm"))]
    if is_cpu(device) {
        return rayon::current_num_threads();
    }
    let _ = device;
    1
}

/// Whether a device is the CPU.
pub(crate) fn is_cpu(device: &Device) -> bool {
    *device == Device::flex()
}

/// What `run` makes of each item, all of them at once; in the order of the items.
pub(crate) fn each<I: Sync, T: Send>(items: &[I], run: impl Fn(&I) -> T + Send + Sync) -> Vec<T> {
    #[cfg(not(target_family = "wasm"))]
    {
        use rayon::prelude::*;
        if items.len() > 1 {
            return items.par_iter().map(run).collect();
        }
    }
    items.iter().map(run).collect()
}
