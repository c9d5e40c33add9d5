//! What words mean, and the lexicon of both languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::chinese::CHINESE;
use super::english::ENGLISH;
use super::place::Place;

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word {
    /// Nothing: it makes the sentence whole.
    Filler,
    /// Between words of one kind.
    And,
    /// Between clauses, loosely.
    Comma,
    /// Between clauses, and nothing of the one before goes on.
    Then,
    /// Between clauses, or before what is left out.
    But,
    Verb(Verb),
    /// Up (1) or down (-1). A verb begins a clause.
    Turn {
        sign: f32,
        verb: bool,
        usual: f32,
    },
    /// An attribute with its direction: "warmer". `usual` is how much where nothing is said.
    Change {
        attribute: Attribute,
        sign: f32,
        verb: bool,
        usual: f32,
    },
    /// An attribute alone: "contrast".
    Attribute(Attribute),
    /// How much, as a share of the range.
    Degree(f32),
    /// A number before its unit: "thirty".
    Numeral(f32),
    Place(Place),
    /// What a detector found, of the label behind it.
    Detected,
    /// Highlights and shadows: an attribute where they get lighter or darker, else a region.
    Tones(Attribute, Place),
    /// All but the regions named before.
    Rest,
    /// The last region.
    Pronoun,
    /// Before what is left out of a region.
    Except,
    /// Behind what is left out.
    Outside,
    /// Before a region that the clause goes on with.
    In,
    /// Before a style.
    As,
    /// "Colours", which are kept, or become more or less.
    Colours,
    /// The input's own colours.
    OwnColours,
    /// Before "painted".
    Not,
    /// As it comes.
    Unpainted,
    /// How strongly is painted.
    Strength,
    /// As strongly as that.
    PaintedAt(f32),
    /// Strokes of this width.
    Strokes(f32),
    /// Before an edit that was learned.
    Apply,
    /// Before a style whose colours are taken.
    ColoursOf,
    /// Before painting, or after it.
    Before(bool),
    /// Width of the region's edges.
    Edge(f32),
    /// The same, as wide as the amount behind it says.
    Feather,
    /// What cannot be found without a mask or a detector, and a region to name instead.
    Masked(&'static str),
    /// What no edit does, and what does it, if anything.
    Missing(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It says only that something is to happen.
    Make,
    Paint,
    Keep,
}

/// A number of [`crate::edit::Adjust`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Brightness,
    Contrast,
    Saturation,
    Hue,
    Temperature,
    Tint,
    Highlights,
    Shadows,
    Vibrance,
    Grain,
    Blur,
    Ink,
    Abstraction,
}

/// How much where nothing is said.
pub(super) const USUAL: f32 = 0.5;

/// An adjective, such as "brighter".
pub(super) const fn more(attribute: Attribute) -> Word {
    Word::Change { attribute, sign: 1.0, verb: false, usual: USUAL }
}

/// An adjective, such as "darker".
pub(super) const fn less(attribute: Attribute) -> Word {
    Word::Change { attribute, sign: -1.0, verb: false, usual: USUAL }
}

/// A verb, such as "brighten".
pub(super) const fn does(attribute: Attribute, sign: f32) -> Word {
    Word::Change { attribute, sign, verb: true, usual: USUAL }
}

/// Without colours.
pub(super) const GREY: Word =
    Word::Change { attribute: Attribute::Saturation, sign: -1.0, verb: false, usual: 1.0 };
/// A verb that asks for more.
pub(super) const UP: Word = Word::Turn { sign: 1.0, verb: true, usual: USUAL };
/// A verb that asks for less.
pub(super) const DOWN: Word = Word::Turn { sign: -1.0, verb: true, usual: USUAL };
/// A verb that leaves nothing.
pub(super) const GONE: Word = Word::Turn { sign: -1.0, verb: true, usual: 1.0 };

/// What a frame shows, and no place, light or colour says where.
pub(super) const FACE: &str = "'the skin tones' or 'the centre'";
pub(super) const SKY: &str = "'the top half' or 'the blues'";
pub(super) const THING: &str = "'the centre'";
pub(super) const GROUND: &str = "'the edges'";

/// The most words, or Chinese characters, of an entry.
pub(super) const LONGEST: usize = 8;

/// Every entry, the usual word of a meaning first.
pub(super) fn entries() -> impl Iterator<Item = (&'static str, Word)> {
    let groups = ENGLISH.iter().chain(CHINESE);
    groups.flat_map(|(spellings, word)| spellings.split('|').map(|text| (text.trim(), *word)))
}

/// The meaning of every entry.
pub(super) static LEXICON: LazyLock<HashMap<&'static str, Word>> = LazyLock::new(|| entries().collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_one_meaning_and_is_no_longer_than_the_lexer_looks() {
        let mut seen = HashMap::new();
        for (text, word) in entries() {
            let chinese = !text.is_ascii();
            let length = if chinese { text.chars().count() } else { text.split(' ').count() };
            assert!((1..=LONGEST).contains(&length), "{text}");
            assert_eq!(seen.insert(text, word), None, "'{text}' twice");
        }
    }
}
