//! A line that points at a part of a text, in a terminal.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// How many columns of the text are shown on each side of what is pointed at.
const AROUND: usize = 50;

/// The line of the text that holds `at`, in bytes, and carets under it. What is far from there is left out.
pub(crate) fn pointed(text: &str, at: &Range<usize>) -> String {
    let start = floor(text, at.start);
    let end = floor(text, at.end).max(start);
    let before: Vec<char> = text[..start].rsplit('\n').next().unwrap_or_default().chars().collect();
    let found = text[start..end].split('\n').next().unwrap_or_default();
    let behind: Vec<char> = if found.len() == end - start {
        text[end..].split('\n').next().unwrap_or_default().chars().collect()
    } else {
        Vec::new()
    };
    let (found, more) = shortened(found.chars());
    let (behind, left_out) = shortened(behind.into_iter());
    let (before, cut) = shortened(before.into_iter().rev());
    let before: String = before.chars().rev().collect();
    let (lead, tail) = (if cut { "…" } else { "" }, if more || left_out { "…" } else { "" });
    let behind = if more { String::new() } else { behind };
    let space = " ".repeat(lead.chars().count() + columns(&before));
    let carets = "^".repeat(columns(&found).max(1));
    format!("  {lead}{before}{found}{behind}{tail}\n  {space}{carets}")
}

/// As much as fits beside what is pointed at, and whether that is not all; a space for what has no width.
fn shortened(characters: impl Iterator<Item = char>) -> (String, bool) {
    let (mut kept, mut width) = (String::new(), 0);
    for character in characters {
        let shown = if character.width().is_none_or(|width| width == 0) { ' ' } else { character };
        width += shown.width().unwrap_or(1);
        if width > AROUND {
            return (kept, true);
        }
        kept.push(shown);
    }
    (kept, false)
}

fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(1)).sum()
}

/// The character's beginning at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_characters_are_two_columns_wide() {
        assert_eq!(pointed("把天空调亮", &(3..9)), "  把天空调亮\n    ^^^^");
        assert_eq!(pointed("more contrst", &(5..12)), "  more contrst\n       ^^^^^^^");
        assert_eq!(pointed("more", &(4..4)), "  more\n      ^");
    }

    #[test]
    fn one_line_is_shown_and_not_all_of_a_long_one() {
        assert_eq!(pointed("warmer\nfoo\nbar", &(7..10)), "  foo\n  ^^^");
        let long = pointed(&"ab ".repeat(500), &(600..602));
        assert!(long.lines().all(|line| line.chars().count() < 110) && long.contains('…'), "{long}");
    }
}
