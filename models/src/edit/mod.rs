//! Edits: what an instruction asks for, region by region.
//!
//! A [`Plan`] is what both an instruction and a JSON file mean, and what a frame's controls hold. Amounts are 0 where nothing is to
//! happen, and then nothing does: not one byte of the picture is another.
//!
//! | module | purpose |
//! |---|---|
//! | `plan` | edits and regions, as they are written in JSON |
//! | `check`, `error` | ranges, and what is wrong |
//! | `source` | what a user gives: JSON, a file or an instruction |
//! | [`instruction`] | instructions in words, English or Chinese, and a plan in plain sentences |
//! | `region`, `reach` | how much of a pixel belongs to a region; which pixels do at all |
//! | `matte` | the same as a picture says it: a file, or a mask that comes with the frame |
//! | `detected` | the same for what a detector found in the frame |
//! | `adjust` | the formulas: light in linear numbers, the rest in OKLab |
//! | `oklab` | from stored numbers to OKLab and back |
//! | `pass` | the edits of a frame, row by row, and those before painting |
//! | `after` | those of a painting |
//! | `beyond`, `boxes`, `areas` | what looks beyond a pixel: blur, lines of ink, areas of one colour |
//! | `learned` | edits that a network learned from examples |
//! | `between` | a plan on the way to another |
//! | `touched` | which pixels regions touch at all, so that every byte of the others can stay |
//! | `styles` | regions in styles of their own: their codes, and how much of a pixel is painted in each |

mod adjust;
mod after;
mod areas;
mod between;
mod beyond;
mod boxes;
mod check;
mod detected;
mod error;
pub mod instruction;
mod learned;
mod matte;
mod oklab;
mod pass;
mod plan;
mod reach;
mod region;
mod source;
mod styles;
mod touched;

pub use self::adjust::adjusted;
pub(crate) use self::beyond::Filters;
pub use self::check::{MOST_EDITS, MOST_REGIONS};
pub use self::detected::{Detected, MOST_DETECTIONS};
pub use self::error::EditError;
pub use self::learned::Learned;
pub use self::matte::Matte;
pub(crate) use self::matte::Shares;
pub(crate) use self::pass::{EditPass, Stage};
pub use self::plan::{Adjust, Edit, Plan, Region, Shape};
pub(crate) use self::region::Beside;
pub(crate) use self::touched::Touched;
