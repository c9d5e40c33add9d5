//! Training.
//!
//! | module | purpose |
//! |---|---|
//! | [`recipe`] | what a run learns, as people write it |
//! | [`losses`] | the objectives, one file each |
//! | [`critic`] | the network that tells paintings from output |
//! | [`augment`] | what is done to pictures before the critic sees them |
//! | [`warp`] | pictures moved along a flow, with gradients |

pub mod augment;
pub mod critic;
pub mod losses;
pub mod recipe;
pub mod warp;
