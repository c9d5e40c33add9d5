//! Words that are not known, or do not say enough.

use super::clause::Problem;
use super::detected::detected_name;
use super::join::is_region;
use super::nearest::nearest;
use super::parse::Parser;
use super::place::Place;
use super::token::{Kind, Token};
use super::words::Word;

impl Parser<'_> {
    /// Whether a word that is not known is a style: "as scream and great-wave everywhere else". One that is nearly known is none.
    pub(super) fn is_another_style(&self, at: usize) -> bool {
        let said = |token: &&Token| token.kind != Kind::Known(Word::Filler);
        let joined = self.tokens[..at].iter().rev().find(said);
        if joined.is_none_or(|token| !matches!(token.kind, Kind::Known(Word::And | Word::Comma)))
            || nearest(self.text, self.tokens[at].at.clone()).is_some()
        {
            return false;
        }
        let fresh = self.clause.style.is_none() && !self.clause.has_effect();
        let styled = self.edits.last().is_some_and(|edit| edit.style.is_some());
        fresh && styled && self.word_ahead(at + 1).is_some_and(is_region)
    }

    /// "The half" and "half the frame", without a word which.
    pub(super) fn is_half_of_nothing(&self, at: usize) -> bool {
        let spelled = |at: usize| self.text[self.tokens[at].at.clone()].to_lowercase();
        let of_all = self.word_ahead(at + 1) == Some(Word::Place(Place::Whole));
        spelled(at) == "half" && (of_all || (at > 0 && spelled(at - 1) == "the"))
    }

    /// A word that is not known, with the nearest that is.
    pub(super) fn unknown(&self, at: usize) -> Problem {
        let place = self.tokens[at].at.clone();
        if at > 0 && matches!(self.tokens[at - 1].kind, Kind::Name(_)) {
            let says =
                "a style of several words, expected them in quotes, or 'and' before what else is to happen";
            return Problem::new(&place, says);
        }
        let found = nearest(self.text, place.clone());
        if found.is_none() && at > 0 && self.tokens[at - 1].kind == Kind::Known(Word::Detected) {
            let says = "a label of several words, expected it in quotes, or 'is' before what is to happen";
            return Problem::new(&place, says);
        }
        let place = found.as_ref().map_or(place, |(_, wider)| wider.clone());
        let expected = match self.clause.place.is_empty() {
            true => "a region or a change, such as 'the left half' or 'warmer'",
            false => "a change, such as 'warmer' or 'more contrast'",
        };
        let near = found.map(|(known, _)| format!("; did you mean '{known}'?")).unwrap_or_default();
        let says = format!("'{}' is not known here, expected {expected}{near}", &self.text[place.clone()]);
        Problem::new(&place, says)
    }
}

/// What a frame shows cannot be named without a mask or a detector; `instead` is a region that can.
pub(super) fn masked(token: &Token, text: &str, instead: &str) -> Problem {
    let found = &text[token.at.clone()];
    let says = format!(
        "'{found}' needs a mask: bring one (--mask FILE, --mask NETWORK.onnx, or the elements impastomask and \
         impastosegment) and say 'the mask'; behind a detector, in a pipeline, say '{}'; without either, name a place, a \
         light or a colour, such as {instead}",
        detected_name(found)
    );
    Problem::new(&token.at, says)
}
