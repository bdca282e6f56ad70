//! Chores. So far: `cargo xtask test`.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let status = Command::new("cargo").args(["test", "--release", "-p", "twinbeam-core", "-p", "twinbeam-tasks", "-p", "twinbeam-gpt2", "-p", "twinbeam-attribution", "-p", "twinbeam-tests"]).status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
