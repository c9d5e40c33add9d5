//! What is wrong with a plan, or with what should have become one.

use std::ops::Range;
use std::path::PathBuf;

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Not JSON, or not a plan's.
    #[error("a plan that cannot be read: {0}")]
    Json(String),
    /// A file that cannot be used.
    #[error("{}: {reason}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A mask that cannot be read.
    #[error("a region's mask: {0}")]
    Picture(String),
    /// An instruction that cannot be followed.
    #[error("{problem}\n{}", super::instruction::pointed(text, at))]
    Instruction {
        /// As it was given.
        text: String,
        /// What is wrong, in bytes of the text; empty where something is missing.
        at: Range<usize>,
        /// What was found there, and what was expected.
        problem: String,
    },
    /// A number out of its range.
    #[error("edit {edit}: {name} is {found}, expected {low} to {high}")]
    Range {
        /// Which edit, counted from 1.
        edit: usize,
        /// Of what.
        name: &'static str,
        /// The number.
        found: f32,
        /// The least.
        low: f32,
        /// The most.
        high: f32,
    },
    /// A soft edge of what has none.
    #[error("edit {edit}: {what} has no edge that could be soft, expected no feather")]
    Feather {
        /// Which edit, counted from 1.
        edit: usize,
        /// Of what.
        what: &'static str,
    },
    /// Bytes that are no mask of that size.
    #[error(
        "found {found} bytes for a mask of {width}x{height} pixels in rows of {stride} bytes, expected sides from 1 to 16384, rows \
         at least as long as a side, and as many bytes"
    )]
    Matte {
        /// Pixels a row.
        width: usize,
        /// Rows.
        height: usize,
        /// Bytes from one row to the next.
        stride: usize,
        /// Bytes.
        found: usize,
    },
    /// A picture that a region goes by and that nobody read.
    #[error("edit {edit}: the mask {file} has not been read: expected Plan::read_pictures before frames")]
    Unread {
        /// Which edit, counted from 1.
        edit: usize,
        /// Which file.
        file: String,
    },
    /// Too many or too few of something.
    #[error("{}{what}: found {found}, expected {expected}", edit.map(|edit| format!("edit {edit}: ")).unwrap_or_default())]
    Count {
        /// Which edit, counted from 1; none where it is a matter of the whole plan.
        edit: Option<usize>,
        /// Of what.
        what: String,
        /// How many.
        found: usize,
        /// How many there may be.
        expected: String,
    },
}
