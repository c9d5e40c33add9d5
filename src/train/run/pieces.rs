//! Files of a checkpoint in pieces, for places that take files up to a size only, where they are copied to.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Before a piece's number, behind the file's name.
const PIECE: &str = ".piece-";

/// Cuts each file of a folder that has more than `most` bytes into pieces of no more; the file goes. Whether there was one.
///
/// # Errors
/// Where the disk refuses.
pub fn cut(folder: &Path, most: u64) -> Result<bool> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut is_cut = false;
    for path in paths {
        let bytes = fs::metadata(&path)?.len();
        if bytes <= most {
            continue;
        }
        let mut file = File::open(&path)?;
        for number in 0..bytes.div_ceil(most) {
            let mut piece = File::create(piece_of(&path, number))?;
            io::copy(&mut (&mut file).take(most), &mut piece)?;
            piece.flush()?;
        }
        fs::remove_file(&path)?;
        is_cut = true;
    }
    Ok(is_cut)
}

fn piece_of(file: &Path, number: u64) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!("{PIECE}{number:04}"));
    PathBuf::from(name)
}

/// A folder whose files are whole: the one that there was, or, where that has pieces, one beside it that is gone with this.
#[derive(Debug)]
pub struct Whole {
    folder: PathBuf,
    is_joined: bool,
}

impl Whole {
    /// The files of `folder`; `beside` does not matter where it has no pieces, and is written anew where it has.
    ///
    /// # Errors
    /// A piece that is missing before another; where the disk refuses.
    pub fn of(folder: &Path, beside: PathBuf) -> Result<Self> {
        let names: Vec<String> = fs::read_dir(folder)
            .and_then(|entries| {
                entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
            })
            .with_context(|| format!("cannot read {}", folder.display()))?;
        if !names.iter().any(|name| name.contains(PIECE)) {
            return Ok(Self { folder: folder.to_owned(), is_joined: false });
        }
        // From here on what is there goes with this.
        let whole = Self { folder: beside, is_joined: true };
        if whole.folder.exists() {
            fs::remove_dir_all(&whole.folder)?;
        }
        fs::create_dir(&whole.folder)?;
        let mut pieces: Vec<(&str, u64)> = names.iter().filter_map(|name| numbered(name)).collect();
        pieces.sort_unstable();
        for (name, number) in pieces {
            let to = whole.folder.join(name);
            let before = number.checked_sub(1).map(|before| piece_of(&folder.join(name), before));
            let complete = before.is_none_or(|before| before.exists());
            ensure!(complete, "the piece of {name} before its number {number} is missing");
            let mut to = File::options().create(true).append(true).open(to)?;
            io::copy(&mut File::open(piece_of(&folder.join(name), number))?, &mut to)?;
        }
        for name in names.iter().filter(|name| numbered(name).is_none()) {
            let (from, to) = (folder.join(name), whole.folder.join(name));
            fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ()))?;
        }
        Ok(whole)
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A piece's file, and which of its pieces it is.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let (file, number) = name.rsplit_once(PIECE)?;
    Some((file, number.parse().ok()?))
}

impl Drop for Whole {
    fn drop(&mut self) {
        if self.is_joined {
            // What stays is removed with other leftovers.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_comes_back_byte_for_byte_and_small_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, beside) = (folder.path().join("state"), folder.path().join("joined"));
        fs::create_dir(&inside).unwrap();
        let long: Vec<u8> = (0..2500u32).map(|i| (i * 7) as u8).collect();
        fs::write(inside.join("long"), &long).unwrap();
        fs::write(inside.join("even"), &long[..2000]).unwrap();
        fs::write(inside.join("short"), &long[..1000]).unwrap();
        cut(&inside, 1000).unwrap();
        let largest =
            fs::read_dir(&inside).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).max();
        assert_eq!(largest, Some(1000));
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 3 + 2 + 1);
        {
            let whole = Whole::of(&inside, beside.clone()).unwrap();
            for (name, bytes) in [("long", 2500), ("even", 2000), ("short", 1000)] {
                assert_eq!(fs::read(whole.folder().join(name)).unwrap(), long[..bytes], "{name}");
            }
        }
        assert!(!beside.exists());
        fs::remove_file(inside.join("long.piece-0001")).unwrap();
        assert!(Whole::of(&inside, beside.clone()).unwrap_err().to_string().contains("long"));
        assert!(!beside.exists());
    }

    #[test]
    fn whole_files_are_read_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("short"), [1]).unwrap();
        let whole = Whole::of(folder.path(), folder.path().join("joined")).unwrap();
        assert_eq!(whole.folder(), folder.path());
    }
}
