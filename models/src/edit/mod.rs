//! Edits: what an instruction asks for, region by region.
//!
//! A [`Plan`] is what both an instruction and a JSON file mean, and what a frame's controls hold. Amounts are 0 where nothing is to
//! happen, and then nothing does: not one byte of the picture is another.
//!
//! | module | purpose |
//! |---|---|
//! | `plan` | edits and regions, as they are written in JSON; ranges and errors |
//! | [`instruction`] | instructions in words, English or Chinese, and a plan in plain sentences |
//! | `region` | how much of a pixel belongs to a region |
//! | `adjust` | the formulas: light in linear numbers, the rest in OKLab |
//! | `oklab` | from stored numbers to OKLab and back |
//! | `pass` | the edits of a row of pixels |
//! | `styles` | regions in styles of their own: their codes, and how much of a pixel is painted in each |

mod adjust;
pub mod instruction;
mod oklab;
mod pass;
mod plan;
mod region;
mod styles;

pub use self::adjust::adjusted;
pub(crate) use self::pass::{EditPass, Stage};
pub use self::plan::{Adjust, Edit, EditError, MOST_REGIONS, Plan, Region, Shape};
