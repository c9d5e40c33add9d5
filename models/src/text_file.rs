//! Text files that users name, read without trust in what the file system says of their length.

use std::fs::{File, metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The text of a regular file of at most `most` bytes.
///
/// # Errors
/// A file that cannot be read; a device or a pipe, which may never end; one that is longer, or no UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    refuse_other_than_files(path)?;
    let mut bytes = Vec::new();
    // One more than there may be: a file may grow, or be longer than it says.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("found more than {most} bytes, expected at most so many");
        return Err(Error::new(ErrorKind::FileTooLarge, message));
    }
    let no_text = |error| Error::new(ErrorKind::InvalidData, format!("it is no text in UTF-8: {error}"));
    String::from_utf8(bytes).map_err(no_text)
}

/// A device or a pipe may never end, and one that nobody writes to cannot even be opened.
pub(crate) fn refuse_other_than_files(path: &Path) -> Result<()> {
    let regular = metadata(path)?.is_file();
    regular.then_some(()).ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it is no regular file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_what_never_ends_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        std::fs::write(&file, "eight by").unwrap();
        assert_eq!(read_text(&file, 8).unwrap(), "eight by");
        let refused = |path: &Path, most| read_text(path, most).unwrap_err().to_string();
        assert!(refused(&file, 7).contains("more than 7 bytes"));
        std::fs::write(&file, [0xff]).unwrap();
        assert!(refused(&file, 8).contains("UTF-8"));
        assert!(refused(folder.path(), 8).contains("no regular file"));
        #[cfg(unix)]
        assert!(refused(Path::new("/dev/zero"), 8).contains("no regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_that_nobody_writes_to_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("plan.json");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read_text(&pipe, 8).unwrap_err().to_string().contains("no regular file"));
    }
}
