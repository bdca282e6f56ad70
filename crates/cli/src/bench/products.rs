//! How fast a GPU multiplies, by shape and kernel.

use pollster::block_on;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_engine::{DeviceKind, ProductRow, bench_products};

use crate::terminal::Terminal;

/// Times products on the GPU that is found and prints each shape as it is done.
pub(super) fn run(terminal: &Terminal) -> anyhow::Result<()> {
    let device = block_on(DeviceKind::choose(DeviceChoice::Gpu))?;
    heading(&device);
    block_on(bench_products(&device, terminal, print))?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
fn heading(device: &DeviceKind) {
    println!("{}", device.report().name);
    if device.is_software() {
        println!("A software adapter: these times mean nothing, and shapes are small.");
    }
    println!("TFLOP/s by kernel; * is the one that a model takes, and cubek the tensor library's");
}

#[expect(clippy::print_stdout, reason = "what the command is for")]
fn print(row: &ProductRow) {
    let [m, k, n] = row.shape;
    let by_transpose = if row.transposed { ", transposed" } else { "" };
    let speeds = row.speeds.iter().map(|speed| {
        let mark = if speed.is_taken { "*" } else { "" };
        let teraflops = row.operations / speed.seconds / 1e12;
        format!("{mark}{}: {}", speed.kernel, digits(teraflops))
    });
    let speeds: Vec<String> = speeds.collect();
    println!("{:<31} {}", format!("{m} x {k} x {n}{by_transpose}"), speeds.join("   "));
}

/// A number with as many digits as a time that wanders has.
fn digits(number: f64) -> String {
    if number < 0.1 { format!("{number:.1e}") } else { format!("{number:.2}") }
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn slow_and_fast_are_both_told() {
        assert_eq!(digits(33.333), "33.33");
        assert_eq!(digits(0.000_123_4), "1.2e-4");
    }
}
