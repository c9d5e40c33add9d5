//! What a run leaves on the disk and shows on the terminal.
//!
//! | module | purpose |
//! |---|---|
//! | [`folder`] | where everything of a run lies |
//! | [`mod@checkpoint`] | the whole state, written whole or not at all |
//! | [`pieces`] | files of a checkpoint up to a size |
//! | [`log`] | a line for every step |
//! | [`preview`] | fixed frames, before over after |
//! | [`plots`] | losses, and style against steadiness |
//! | [`display`] | the progress line |

pub mod checkpoint;
pub mod display;
pub mod folder;
pub mod log;
pub mod pieces;
pub mod plots;
pub mod preview;
