//! Another painting, other content or another name, written into the text of a recipe: its comments, the reasons
//! beside its numbers, stay.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml_edit::{Array, DocumentMut, Item, Table, value};

/// What takes the place of what a recipe says. Paths are as typed, from the working folder.
#[derive(Debug, Clone, Default)]
pub struct Replacements<'a> {
    /// The name of the model.
    pub name: Option<&'a str>,
    /// One painting, instead of whatever the target was.
    pub image: Option<&'a Path>,
    /// Content, instead of all that was listed; empty leaves it.
    pub content: &'a [PathBuf],
}

impl Replacements<'_> {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.image.is_none() && self.content.is_empty()
    }

    /// The text with the replacements in it, paths made absolute; byte for byte the same where there are none.
    ///
    /// # Errors
    /// Where the text is no TOML, a section is no table, or a path is not UTF-8.
    pub fn in_text(&self, text: String, file: &Path) -> Result<String> {
        if self.is_empty() {
            return Ok(text);
        }
        self.edited(&text).with_context(|| format!("cannot use the recipe {}", file.display()))
    }

    fn edited(&self, text: &str) -> Result<String> {
        let mut recipe: DocumentMut = text.parse()?;
        if let Some(name) = self.name {
            recipe["name"] = value(name);
        }
        if let Some(image) = self.image {
            let target = section(&mut recipe, "target")?;
            // The sources tell of the files that are replaced.
            for other in ["styles", "more", "folder", "key_frames", "pairs", "sources"] {
                target.remove(other);
            }
            target.insert("image", value(absolute(image)?));
        }
        if !self.content.is_empty() {
            let content = section(&mut recipe, "content")?;
            content.remove("sources");
            let paths = self.content.iter().map(|path| absolute(path)).collect::<Result<Array>>()?;
            content.insert("paths", value(paths));
        }
        Ok(recipe.to_string())
    }
}

fn section<'a>(recipe: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn toml_edit::TableLike> {
    let item = recipe.entry(name).or_insert(Item::Table(Table::new()));
    item.as_table_like_mut().with_context(|| format!("{name}: found a value, expected a table"))
}

fn absolute(path: &Path) -> Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("cannot use {}", path.display()))?;
    let text = path.into_os_string().into_string();
    text.map_err(|path| {
        anyhow::anyhow!("{} is not UTF-8, which a recipe must be", Path::new(&path).display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::recipe::Recipe;

    const TEXT: &str = "name = 'quick' # short\n[target]\nlonger_side = 256 # fine strokes\nfolder = 'old'\n";

    #[test]
    fn without_replacements_the_text_stays_byte_for_byte() {
        let text = "name='x'\r\n\r\n#end";
        let same = Replacements::default().in_text(text.to_owned(), Path::new("x.toml")).unwrap();
        assert_eq!(same, text);
    }

    #[test]
    fn a_painting_takes_the_place_of_the_target_and_comments_stay() {
        let content = [PathBuf::from("photos"), PathBuf::from("/clips/a.mp4")];
        let replacements =
            Replacements { name: Some("wave"), image: Some(Path::new("wave.jpg")), content: &content };
        let text = replacements.in_text(TEXT.to_owned(), Path::new("quick.toml")).unwrap();
        assert!(text.contains("# fine strokes"), "{text}");
        let recipe = Recipe::parse(&text, Path::new("quick.toml")).unwrap();
        let folder = std::env::current_dir().unwrap();
        assert_eq!(recipe.name, "wave");
        assert_eq!(recipe.target.image, Some(folder.join("wave.jpg")));
        assert_eq!(recipe.content.paths, [folder.join("photos"), PathBuf::from("/clips/a.mp4")]);
    }
}
