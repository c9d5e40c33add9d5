//! Lines on standard output, as `head` and broken pipes want them.

use std::fmt::Display;
use std::io::Write;

/// Prints a line. Whoever has closed standard output wants no more of it: that is no error, and must not end a
/// recording.
pub fn print_line(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
