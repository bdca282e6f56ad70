//! Messages as bytes. The page would have to bring 30 kB more of program to read events as JSON; and numbers between workers
//! come through as they were, bit for bit.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Name that the page gives its worker, which packs what it says for nobody else.
pub const PAGE: &str = "page";

/// A message as bytes; `None`: it cannot be packed, which no part of an [`Event`](super::Event) is.
pub fn pack<T: Serialize>(message: &T) -> Option<Vec<u8>> {
    postcard::to_allocvec(message).ok()
}

/// The message that [`pack`] has made bytes of; `None`: they are not of this build.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::{Draw, PromptPair};
    use crate::scores::{Strip, TableKey, Timed};
    use crate::wire::inspection::Inspection;
    use crate::wire::{Event, Problem};
    use crate::words::{ComponentKind, Direction, Experiment, Method, PromptError, Steps, Written};

    #[test]
    fn what_is_unpacked_is_what_was_packed() {
        let key = TableKey {
            kind: ComponentKind::Heads,
            method: Method::Ig,
            direction: Direction::Denoising,
        };
        let draw = Draw { task: "ioi".to_owned(), n: 2, seed: 7 };
        // Parts that JSON leaves out are there.
        let short = PromptPair { clean: "a".to_owned(), ..PromptPair::default() };
        let named = PromptPair { name: "b".to_owned(), written: Written::Ids, ..short.clone() };
        let in_text = Experiment {
            n_steps: Steps::AUTO,
            written: Written::AnswerIds,
            ..Experiment::default()
        };
        let inspected = |in_text: Option<Experiment>| Event::Inspected {
            seq: 3,
            inspection: Box::new(Inspection {
                in_text: in_text.map(Box::new),
                ..Inspection::default()
            }),
        };
        for event in [
            inspected(None),
            inspected(Some(Experiment::default())),
            inspected(Some(in_text)),
            Event::Started { build: "0.1.0".to_owned() },
            Event::Drawn { draw, pairs: vec![short, named] },
            Event::Strip {
                job: u64::MAX,
                strip: Strip {
                    key,
                    layer: 3,
                    values: vec![0.5, f32::NAN, -1e-30],
                    convergence_delta: Some(0.25),
                    n_steps: None,
                },
            },
            Event::Done {
                job: 1,
                joint: Vec::new(),
                seconds: vec![(Timed::Runs, 0.25), (Timed::Table(key), 1.0)],
                checking: true,
            },
            Event::Failed {
                job: None,
                problem: Problem::Prompt { error: PromptError::Lengths { clean: 3, corrupted: 4 } },
            },
        ] {
            let bytes = pack(&event).expect("it can be packed");
            // NaN is not equal to itself.
            assert_eq!(format!("{:?}", unpack::<Event>(&bytes)), format!("{:?}", Some(&event)));
            assert_eq!(unpack::<Event>(&bytes[..bytes.len() - 1]), None, "{event:?}");
        }
    }

    #[test]
    fn steps_are_the_same_among_bytes_and_in_text() {
        for steps in [Steps::Fixed(50), Steps::AUTO, Steps::Auto { tolerance_ppm: 20 }] {
            let bytes = postcard::to_allocvec(&steps).expect("a text");
            assert_eq!(postcard::from_bytes(&bytes), Ok(steps));
            let text = serde_json::to_string(&steps).expect("plain");
            assert_eq!(serde_json::from_str::<Steps>(&text).ok(), Some(steps), "{text}");
        }
        assert_eq!(serde_json::to_string(&Steps::Fixed(50)).ok().as_deref(), Some("50"));
    }
}
