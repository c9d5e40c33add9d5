//! The known word that is nearest to one that is not known.

use std::ops::Range;

use super::token::{is_chinese, plain};
use super::words::entries;

/// The known word nearest to the one at `at`, and what of the text it stands for; none where there is none that is near.
pub(super) fn nearest(text: &str, at: Range<usize>) -> Option<(&'static str, Range<usize>)> {
    if text[at.clone()].starts_with(is_chinese) {
        nearest_chinese(text, at)
    } else {
        nearest_english(text, at)
    }
}

/// By the letters that are wrong: at most every third.
fn nearest_english(text: &str, at: Range<usize>) -> Option<(&'static str, Range<usize>)> {
    let wanted = plain(&text[at.clone()]);
    let most = (wanted.chars().count() / 3).min(3);
    let apart = |known: &&'static str| strsim::osa_distance(&wanted, known);
    let near =
        |known: &&str| known.is_ascii() && known.len() > 2 && known.len().abs_diff(wanted.len()) <= most;
    let near = entries().map(|(known, _)| known).filter(near);
    let (apart, known) = near.map(|known| (apart(&known), known)).min_by_key(|(apart, _)| *apart)?;
    (apart <= most).then_some((known, at))
}

/// By a text as long, around the unknown characters, with one wrong character.
fn nearest_chinese(text: &str, at: Range<usize>) -> Option<(&'static str, Range<usize>)> {
    let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).chain([text.len()]).collect();
    let first = starts.binary_search(&at.start).ok()?;
    let mut best: Option<(usize, &'static str, Range<usize>)> = None;
    for known in entries().map(|(known, _)| known).filter(|known| known.starts_with(is_chinese)) {
        let length = known.chars().count();
        if length < 2 {
            continue;
        }
        for begin in (first + 1).saturating_sub(length)..=first {
            let Some(end) = starts.get(begin + length) else { continue };
            let window = starts[begin]..*end;
            let wrong = known.chars().zip(text[window.clone()].chars()).filter(|(a, b)| a != b).count();
            let longer = best.as_ref().is_none_or(|(most, ..)| length > *most);
            if wrong == 1 && longer {
                best = Some((length, known, window));
            }
        }
    }
    best.map(|(_, known, window)| (known, window))
}
