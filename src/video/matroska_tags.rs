//! Tags in Matroska and WebM as they were meant: GStreamer 1.22 writes `"My\ Title"` for `My Title`.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Element identifiers of the Matroska specification.
const SEGMENT: u64 = 0x1853_8067;
const TAGS: u64 = 0x1254_C367;
const TAG: u64 = 0x7373;
const SIMPLE_TAG: u64 = 0x67C8;
const TAG_STRING: u64 = 0x4487;

/// More than any tag that GStreamer writes; longer ones are no strings to mend.
const LONGEST_STRING: u64 = 1 << 20;

/// Rewrites every quoted tag of a finished file in place. The plain string is the shorter one; zeros fill the
/// rest, as the format allows.
///
/// # Errors
/// Where the file cannot be read or written.
pub fn mend(file: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(file)?;
    let end = file.metadata()?.len();
    mend_within(&mut file, 0, end)
}

/// Walks the elements between two offsets; goes into those that lead to tag strings, and over all others.
fn mend_within(file: &mut File, start: u64, end: u64) -> io::Result<()> {
    let mut at = start;
    while let Some((id, data, size)) = element(file, at, end)? {
        match id {
            SEGMENT | TAGS | TAG | SIMPLE_TAG => mend_within(file, data, data + size)?,
            TAG_STRING if size <= LONGEST_STRING => mend_string(file, data, size)?,
            _ => {}
        }
        at = data + size;
    }
    Ok(())
}

/// The element at `at`: its identifier, where its data begins, and their length, cut at `end` where it is unknown.
fn element(file: &mut File, at: u64, end: u64) -> io::Result<Option<(u64, u64, u64)>> {
    if at >= end {
        return Ok(None);
    }
    let mut head = [0; 12];
    file.seek(SeekFrom::Start(at))?;
    let read = file.take(12.min(end - at)).read(&mut head)?;
    let Some((id, id_length)) = number(&head[..read], true) else { return Ok(None) };
    let Some((size, size_length)) = number(&head[id_length..read], false) else { return Ok(None) };
    let data = at + (id_length + size_length) as u64;
    Ok(Some((id, data, size.min(end.saturating_sub(data)))))
}

/// A number of variable length, and its length: the zeros before the first one tell. Identifiers keep that one.
fn number(bytes: &[u8], keep_marker: bool) -> Option<(u64, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let bytes = bytes.get(..length).filter(|_| length <= 8)?;
    let value = bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    Some((if keep_marker { value } else { value & !(1 << (7 * length)) }, length))
}

fn mend_string(file: &mut File, at: u64, size: u64) -> io::Result<()> {
    let mut text = vec![0; size as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut text)?;
    if let Some(mut plain) = unquoted(&text) {
        plain.resize(text.len(), 0);
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&plain)?;
    }
    Ok(())
}

/// What GStreamer quoted: `"`, then characters, `\` and a character, or `\` and three octal digits, then `"`,
/// and a zero.
fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    let mut rest = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut plain = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) => {
                ((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), tail)
            }
            (b'\\', [escaped, tail @ ..]) => (*escaped, tail),
            _ => (*first, tail),
        };
        plain.push(byte);
        rest = tail;
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_gets_its_spaces_and_letters_back() {
        assert_eq!(unquoted(b"\"My\\ Title\"\0").as_deref(), Some(&b"My Title"[..]));
        assert_eq!(unquoted(br#""F\303\274r\ \"Elise\"""#).as_deref(), Some("Für \"Elise\"".as_bytes()));
        assert_eq!(unquoted(b"Plain"), None);
    }

    #[test]
    fn numbers_of_variable_length_are_read_with_and_without_their_marker() {
        assert_eq!(number(&[0x44, 0x87, 0x99], true), Some((TAG_STRING, 2)));
        assert_eq!(number(&[0x82], false), Some((2, 1)));
        assert_eq!(number(&[0x40, 0x02], false), Some((2, 2)));
        assert_eq!(number(&[0x00], false), None);
    }

    #[test]
    fn a_file_that_is_no_matroska_is_left_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let noise: Vec<u8> = (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        std::fs::write(file.path(), &noise).unwrap();
        mend(file.path()).unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), noise);
    }
}
