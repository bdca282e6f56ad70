//! The bundled model's strongest heads by integrated gradients and by activation patching, on the page's first example.
//!
//! ```text
//! cargo run --release -p twinbeam-engine --example compare [FOLDER OF A MODEL]
//! ```

use std::error::Error;
use std::fs::File;
use std::future::{Future, ready};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pollster::block_on;
use twinbeam_core::scores::{Outcome, TableKey};
use twinbeam_core::statistics::largest_first;
use twinbeam_core::wire::Expected;
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Method};
use twinbeam_engine::{ByteSource, DeviceKind, Model, Plan, Silent, SourceError, question, run};

/// Heads that are printed.
const PRINTED: usize = 5;

/// A model's files in a folder.
struct Folder(PathBuf);

impl Folder {
    fn open(&self, file: &str) -> Result<File, SourceError> {
        File::open(self.0.join(file)).map_err(|source| match source.kind() {
            ErrorKind::NotFound => SourceError::NotFound,
            _ => SourceError::Failed(source.to_string()),
        })
    }
}

impl ByteSource for Folder {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        let size = |file: File| file.metadata().map(|metadata| metadata.len());
        ready(
            self.open(file).and_then(|file| {
                size(file).map_err(|source| SourceError::Failed(source.to_string()))
            }),
        )
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        let bytes = |mut file: File| {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            file.seek(SeekFrom::Start(range.start))?;
            file.read_exact(&mut bytes).map(|()| bytes)
        };
        ready(
            self.open(file).and_then(|file| {
                bytes(file).map_err(|source| SourceError::Failed(source.to_string()))
            }),
        )
    }
}

#[expect(clippy::print_stdout, reason = "an example that prints what it finds")]
fn main() -> Result<(), Box<dyn Error>> {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/models/mini");
    let folder = Folder(std::env::args_os().nth(1).map_or(bundled, PathBuf::from));
    let device = DeviceKind::cpu("This example asks for no GPU.");
    let model = block_on(Model::load(&folder, &Expected::default(), &device, &mut Silent))?;

    let experiment = Experiment::default();
    println!("clean:     {}", experiment.clean);
    println!("corrupted: {}", experiment.corrupted);
    let question = question(&model, &experiment)?;
    let plan = Plan::of(vec![ComponentKind::Heads], Direction::Noising);
    let outcome = block_on(run(&model, &question, experiment, &plan, 1, &mut Silent))?;

    for direction in Direction::ALL {
        println!("\n{direction}, in logits; positive supports the clean behaviour");
        println!("{:>6} {:>8} {:>8}", "head", "IG", "AP");
        for (layer, head, ig, ap) in strongest(&outcome, direction) {
            println!("{:>6} {ig:>+8.3} {ap:>+8.3}", format!("L{layer}H{head}"));
        }
    }
    Ok(())
}

/// Layer, head and both scores of the heads with the largest absolute effect by activation patching.
fn strongest(outcome: &Outcome, direction: Direction) -> Vec<(usize, usize, f32, f32)> {
    let table = |method| {
        let key = TableKey { kind: ComponentKind::Heads, method, direction };
        outcome.tables.get(key)
    };
    let (Some(ig), Some(ap)) = (table(Method::Ig), table(Method::Ap)) else {
        return Vec::new();
    };
    let (width, ig, ap) = (ap.width(), ig.values(), ap.values());
    let mut places: Vec<usize> = (0..ap.len()).collect();
    largest_first(&mut places, &|place| ap[place].abs());
    let scores = |place: usize| (place / width, place % width, ig[place], ap[place]);
    places.into_iter().take(PRINTED).map(scores).collect()
}
