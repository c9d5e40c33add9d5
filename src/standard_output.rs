//! Lines on standard output and standard error that survive a reader who is gone.

use std::fmt::Display;
use std::io::Write;

/// Prints a line. Whoever has closed standard output wants no more of it: that is no error, and must not end a
/// recording.
pub fn print_line(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line for people. A terminal that was closed, or a `head` that has read enough, must not end an hour's
/// painting.
pub fn print_error_line(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
