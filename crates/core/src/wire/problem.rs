//! Every cause of failure that the worker tells the page, as plain values.

use serde::{Deserialize, Serialize};

use crate::words::PromptError;

/// Why something could not be done: a cause with its facts.
///
/// The page turns it into a title and what to do, in one place.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The prompts or answers cannot be compared.
    #[error(transparent)]
    Prompt {
        /// What is wrong with the prompts or answers.
        #[from]
        error: PromptError,
    },
    /// A file of the model could not be read.
    #[error("{file}: {message}")]
    File {
        /// Name of the file.
        file: String,
        /// What happened.
        message: String,
    },
    /// A file of the model could not be fetched.
    #[error("{file}: {fault}")]
    Fetch {
        /// Name of the file.
        file: String,
        /// What happened, the last time that it was tried.
        fault: FetchFault,
    },
    /// The weights are complete, and not those that were expected; nothing is loaded.
    #[error("model.safetensors: expected sha256 {expected}, got {got}")]
    Digest {
        /// The pinned SHA-256.
        expected: String,
        /// SHA-256 of the file.
        got: String,
    },
    /// The files are not a model that this program runs.
    #[error("{message}")]
    Model {
        /// File, tensor, expected and got.
        message: String,
    },
    /// The device failed, or could not be used.
    #[error("{message}")]
    Device {
        /// What the device or its driver said.
        message: String,
    },
    /// The device is gone, with all that it held; a fresh worker can ask for another.
    #[error("the device was lost: {message}")]
    DeviceLost {
        /// What the browser or the driver said.
        message: String,
    },
    /// A result is not a number; nothing of it is shown.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// Which result.
        what: String,
    },
    /// The CPU comes to another result than the GPU; what was shown of that is withdrawn.
    #[error(
        "the CPU disagrees with the device: {what} by {:.2} % of the largest, allowed: {:.2} %",
        100.0 * off,
        100.0 * allowed
    )]
    Untrusted {
        /// Which result.
        what: String,
        /// Difference, relative to the largest value.
        off: f32,
        /// Most that rounding explains, likewise.
        allowed: f32,
    },
    /// No model is loaded.
    #[error("no model is loaded")]
    NoModel,
    /// The job was stopped on request.
    #[error("cancelled")]
    Cancelled,
}

/// How a server, or the way to it, has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchFault {
    /// No answer at all: offline, no such server, a broken connection, or a browser that forbids it.
    #[error("no answer: {message}")]
    Unreachable {
        /// What the browser said.
        message: String,
    },
    /// 404 or 410.
    #[error("the server has no such file")]
    NotFound,
    /// 401 or 403.
    #[error("the server refuses it ({status})")]
    Forbidden {
        /// Status code of the answer.
        status: u16,
    },
    /// 429.
    #[error("the server asks for patience (429)")]
    TooMany {
        /// Seconds to wait, if it said so.
        retry_after: Option<u32>,
    },
    /// 5xx.
    #[error("the server failed ({status})")]
    Server {
        /// Status code of the answer.
        status: u16,
    },
    /// Any other answer that is no success.
    #[error("the server answered {status}")]
    Status {
        /// Status code of the answer.
        status: u16,
    },
    /// A web page instead of the file, as login pages of networks are.
    #[error("a web page came instead of the file")]
    WebPage,
    /// Other bytes than were asked for.
    #[error("the server sent other bytes than it was asked for: {got:?} for {expected:?}")]
    WrongRange {
        /// `Content-Range` as it should begin.
        expected: String,
        /// The header as it was.
        got: String,
    },
    /// Fewer bytes than were promised.
    #[error("the answer ended after {got} of {expected} bytes")]
    Short {
        /// Promised.
        expected: u64,
        /// Sent.
        got: u64,
    },
    /// More bytes than were promised.
    #[error("the answer was longer than the {expected} bytes that were asked for")]
    Long {
        /// Promised.
        expected: u64,
    },
    /// Another file than the one that was asked for before.
    #[error("the file has changed on the server")]
    Changed,
    /// Neither the server nor the file itself says how long it is, and it is too large to be held whole.
    #[error("neither the server nor the file says how long it is")]
    Unsized,
}

impl FetchFault {
    /// Whether asking again may help.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TooMany { .. }
            | Self::Server { .. }
            | Self::WrongRange { .. }
            | Self::Short { .. }
            | Self::Long { .. }
            | Self::Changed => true,
            Self::NotFound
            | Self::Forbidden { .. }
            | Self::Status { .. }
            | Self::WebPage
            | Self::Unsized => false,
        }
    }

    /// Whether the fault is a matter of which bytes came: what is the same twice is not an accident of the way.
    pub const fn is_of_bytes(&self) -> bool {
        matches!(
            self,
            Self::WrongRange { .. } | Self::Short { .. } | Self::Long { .. } | Self::Changed
        )
    }
}
