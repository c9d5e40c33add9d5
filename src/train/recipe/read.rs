//! A recipe from its file, with errors that say where.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use impasto_models::style::PHOTO_STYLE;
use toml::de::{DeTable, DeValue};

use super::Recipe;
use super::check::Fault;

impl Recipe {
    /// The styles that have a name, in the order in which the model holds them.
    pub fn style_names(&self) -> Vec<String> {
        let photo = (self.generator.photo > 0.0).then(|| PHOTO_STYLE.to_owned());
        self.target.styles.iter().map(|style| style.name.clone()).chain(photo).collect()
    }

    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// Where the file cannot be read, and as [`Recipe::parse`].
    #[allow(dead_code, reason = "for callers that replace nothing")]
    pub fn read(file: &Path) -> Result<Self> {
        Self::parse(&text_of(file)?, file)
    }

    /// A recipe from `text`; `file` is what errors call it.
    ///
    /// # Errors
    /// No TOML, an unknown key, a value of a wrong type or out of range, not exactly one target: key, found, expected,
    /// the file, and the line where the key is written.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let recipe: Self = toml::from_str(text).map_err(|error| unreadable(&error, text, file))?;
        recipe.check().map_err(|fault| refused(&fault, text, file))?;
        Ok(recipe)
    }
}

/// The text of a recipe's file.
///
/// # Errors
/// Where it cannot be read.
pub fn text_of(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read the recipe {}", file.display()))
}

/// `FILE:LINE: KEY: found X, expected Y` of what TOML or the types refuse.
fn unreadable(error: &toml::de::Error, text: &str, file: &Path) -> anyhow::Error {
    let at = error.span().unwrap_or_default();
    let key = keys(text).into_iter().filter(|key| key.covers(&at)).max_by_key(|key| key.path.len());
    let key = key.map_or_else(String::new, |key| format!("{}: ", key.path));
    anyhow!("{}:{}: {key}{}", file.display(), line_of(text, at.start), in_our_words(error.message()))
}

/// The same of what the ranges refuse; without a line where the key is not written.
fn refused(fault: &Fault, text: &str, file: &Path) -> anyhow::Error {
    let written = keys(text).into_iter().find(|key| key.path == fault.key);
    let line = written.map_or_else(String::new, |key| format!(":{}", line_of(text, key.value.start)));
    anyhow!("{}{line}: {fault}", file.display())
}

/// What serde says, in the words of every other message: found and expected, and no names of Rust types.
fn in_our_words(message: &str) -> String {
    let replaced = [
        ("invalid type: ", "found the "),
        ("invalid value: ", "found the "),
        ("the sequence", "a list"),
        ("the map", "a table"),
        ("unknown field ", "found the unknown key "),
        ("unknown variant ", "found "),
        ("missing field ", "found no "),
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected a boolean", "expected true or false"),
        ("expected path string", "expected a path in quotes"),
    ];
    replaced.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A key as written, dotted, and where it and its value stand in bytes.
struct Key {
    path: String,
    name: Range<usize>,
    value: Range<usize>,
}

impl Key {
    fn covers(&self, at: &Range<usize>) -> bool {
        let within = |span: &Range<usize>| span.start <= at.start && at.end <= span.end;
        !at.is_empty() && (within(&self.name) || within(&self.value))
    }
}

/// Every key of the text; none where it is no TOML.
fn keys(text: &str) -> Vec<Key> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        collect(table.get_ref(), "", &mut found);
    }
    found
}

fn collect(table: &DeTable<'_>, above: &str, found: &mut Vec<Key>) {
    for (name, value) in table {
        let path =
            if above.is_empty() { name.get_ref().to_string() } else { format!("{above}.{}", name.get_ref()) };
        collect_value(value.get_ref(), &path, found);
        found.push(Key { path, name: name.span(), value: value.span() });
    }
}

fn collect_value(value: &DeValue<'_>, path: &str, found: &mut Vec<Key>) {
    match value {
        DeValue::Table(table) => collect(table, path, found),
        DeValue::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                let path = format!("{path}[{index}]");
                collect_value(entry.get_ref(), &path, found);
                found.push(Key { path, name: 0..0, value: entry.span() });
            }
        }
        _ => {}
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|&byte| byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "name = 'wave'\n[target]\nimage = 'wave.jpg'\n[content]\npaths = ['photos']\n";

    fn message(text: &str) -> String {
        Recipe::parse(text, Path::new("wave.toml")).unwrap_err().to_string()
    }

    #[test]
    fn a_recipe_of_a_name_a_painting_and_photos_is_whole() {
        let recipe = Recipe::parse(WHOLE, Path::new("wave.toml")).unwrap();
        assert_eq!((recipe.training.crop, recipe.gan.widths), (128, [24, 48, 64]));
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_recipe() {
        let recipe = Recipe::parse(WHOLE, Path::new("wave.toml")).unwrap();
        let text = toml::to_string(&recipe).unwrap();
        assert_eq!(Recipe::parse(&text, Path::new("again.toml")).unwrap(), recipe);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_those_expected() {
        let message = message(&format!("{WHOLE}[training]\nstep = 5\n"));
        assert!(message.starts_with("wave.toml:7: training.step: found the unknown key `step`"), "{message}");
        assert!(message.contains("`steps`"), "{message}");
    }

    #[test]
    fn a_wrong_type_is_named_with_what_was_expected() {
        let message = message(&format!("{WHOLE}[training]\n\nsteps = 'many'\n"));
        assert_eq!(
            message,
            "wave.toml:8: training.steps: found the string \"many\", expected a whole number, 0 or more"
        );
    }

    #[test]
    fn a_wrong_type_within_a_list_is_named_with_its_place() {
        let message = message(&format!("{WHOLE}[gan]\nwidths = [24, 'wide', 64]\n"));
        assert!(message.starts_with("wave.toml:7: gan.widths[1]: found the string"), "{message}");
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_line_and_the_range() {
        let message = message(&format!("{WHOLE}[training]\nbatch = 0\n"));
        assert_eq!(message, "wave.toml:7: training.batch: found 0, expected 1 to 256");
    }

    #[test]
    fn what_is_not_written_has_no_line() {
        let message = message("name = 'wave'\n[content]\npaths = ['photos']\n");
        assert!(message.starts_with("wave.toml: target: found none of image"), "{message}");
    }

    #[test]
    fn a_missing_name_and_broken_toml_are_errors_with_the_file() {
        assert!(message("[target]\nimage = 'wave.jpg'\n").contains("found no `name`"));
        assert!(message("name = \n").starts_with("wave.toml:1: "));
    }
}
