//! `twinbeam`: compare the methods on a model in a folder, look at its edges, convert it, train the bundled model, make a random one.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use twinbeam_cli::{bench, compare, convert, edges, merge, synth, train};

#[derive(Parser)]
#[command(
    name = "twinbeam",
    version,
    about = "Which heads and neurons of a GPT-2 matter, by two methods"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time the methods on a model, and compare with what the machine can do.
    Bench(bench::Options),
    /// Compare integrated gradients with activation patching on a list of cases.
    Compare(compare::Options),
    /// Put the shards of a comparison together.
    Merge(merge::Options),
    /// Compare EAP and EAP-IG of a model's edges with path patching, and run circuits of the strongest.
    Edges(edges::Options),
    /// Write a model's weights in another type of number, and print what that costs.
    Convert(convert::Options),
    /// Train the bundled model from nothing; continues where it was stopped.
    Train(train::Options),
    /// Write a random model of a given size.
    Synth(synth::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Bench(options) => bench::run(&options).map(|()| true),
        Command::Compare(options) => compare::run(&options),
        Command::Merge(options) => merge::run(&options),
        Command::Edges(options) => edges::run(&options),
        Command::Convert(options) => convert::run(&options).map(|()| true),
        Command::Train(options) => train::run(&options).map(|()| true),
        Command::Synth(options) => synth::run(&options).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        // The file has been written, with an `error` in it.
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a program's way to say why it failed")]
            {
                eprintln!("twinbeam: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}
