//! The words and plain values that every other crate shares. No tensors, no devices, no I/O.
//!
//! # Rooms
//!
//! Each imports only from those above it in this table.
//!
//! | room | what it holds |
//! |---|---|
//! | [`models`] | which models there are, what is known of each, and what of them a browser keeps |
//! | [`words`] | what an experiment is made of |
//! | [`statistics`] | what lists of numbers have in common |
//! | [`scores`] | what a run yields, and what its tables say together |
//! | [`circuits`] | the model as a graph of senders and receivers, and sets of its edges |
//! | [`prompts`] | prompts as people write them, and lists of them |
//! | [`link`] | permalinks |
//! | [`wire`] | what the page and its worker say to each other |
//!
//! # Glossary
//!
//! Axes, always in this order and with these words:
//!
//! | axis | meaning |
//! |---|---|
//! | `batch` | independent runs in one forward pass (also: patched variants, IG steps) |
//! | `pos` | token position; `query_pos` and `key_pos` in attention |
//! | `n_heads` | attention heads of one layer |
//! | `d_head` | width of one head |
//! | `d_model` | width of the residual stream |
//! | `d_mlp` | neurons of one MLP |
//! | `d_vocab` | token ids |
//!
//! - **clean** prompt: the behaviour is present. **corrupted** prompt: same length, behaviour absent.
//! - **component**: an attention head or an MLP neuron.
//! - **`logit_diff`**: logit of the answer minus logit of the wrong token, at the last token.
//! - **noising**: run *clean*, put *corrupted* values in. Is the component necessary?
//! - **denoising**: run *corrupted*, put *clean* values in. Is the component sufficient?
//! - **AP**, activation patching: the exact effect of one component, one forward pass each.
//! - **IG**, layer-wise integrated gradients: all components of a layer move together.
//! - **AtP**, attribution patching: IG with one step, at the run that is changed.
//! - **joint layer patch**: AP of all components of one layer at once.
//! - **`convergence_delta`**: sum of a layer's IG scores minus its joint layer patch.
//!
//! Every score is in the metric's unit (logits for `logit_diff`), and **positive always means that
//! the component supports the clean behaviour**, in both directions and in every method.
//!
//! # Example
//! Two inputs show why directions differ: each input of an AND is necessary (noising finds it) and none sufficient.
//! ```
//! use twinbeam_core::link::{View, parse_link, print_link};
//! use twinbeam_core::statistics::GateNetwork;
//! use twinbeam_core::words::{Direction, Experiment};
//!
//! let noising = GateNetwork::AND.effects(Direction::Noising);
//! let denoising = GateNetwork::AND.effects(Direction::Denoising);
//! assert!(noising.ap[0] > 4.0 * denoising.ap[0]);
//! assert_eq!(noising.ig, denoising.ig);
//!
//! // An experiment is all that decides the numbers, and a link holds it.
//! let experiment = Experiment { prepend_bos: false, ..Experiment::default() };
//! let link = print_link(&experiment, None, &View::default())?;
//! assert_eq!(parse_link(&link)?.experiment, experiment);
//! # Ok::<(), twinbeam_core::link::LinkError>(())
//! ```

pub mod circuits;
pub mod link;
pub mod models;
pub mod prompts;
pub mod scores;
pub mod statistics;
pub mod wire;
pub mod words;
