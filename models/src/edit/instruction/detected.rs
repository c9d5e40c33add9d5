//! What a detector found, by its label: "the detected face", "检测到的人脸"; and what lies outside of that, or of a mask.

use super::clause::Problem;
use super::parse::Parser;
use super::place::{Place, inverted};
use super::token::{entry, is_chinese, quoted, word_length};
use super::words::Word;
use crate::edit::{Region, Shape};

/// What detectors call things that people call otherwise, separated by `|`.
const LABELS: [(&str, &str); 11] = [
    ("人脸|脸|面部|脸部|面孔", "face"),
    ("人|人物|people", "person"),
    ("车|汽车", "car"),
    ("狗", "dog"),
    ("猫", "cat"),
    ("men", "man"),
    ("women", "woman"),
    ("children", "child"),
    ("buses", "bus"),
    ("knives", "knife"),
    ("clothes", "clothes"),
];

/// How many bytes of what stands behind "detected" are the label, with spaces before it: text in quotes, a word that is none of
/// edits, or Chinese characters that are none. 0 where there is none.
pub(super) fn label_length(behind: &str) -> usize {
    let text = behind.trim_start_matches([' ', '\t']);
    let length = match quoted(text) {
        Some((name, length)) => name.map_or(0, |_| length),
        None => thing_length(text),
    };
    if length > 0 { behind.len() - text.len() + length } else { 0 }
}

/// How many bytes a thing that edits do not know takes at the start of a text.
fn thing_length(text: &str) -> usize {
    if !text.starts_with(is_chinese) {
        return match entry(text) {
            Some((Word::Masked(_), length)) => length,
            Some(_) => 0,
            None => word_length(text),
        };
    }
    let mut end = 0;
    loop {
        let next = text[end..].chars().next().filter(|next| is_chinese(*next));
        match (entry(&text[end..]), next) {
            // "自行车" ends with what is known to be a thing.
            (Some((Word::Masked(_), length)), _) => return end + length,
            (None, Some(next)) => end += next.len_utf8(),
            _ => return end,
        }
    }
}

/// The label of a token, which "detected" begins; none where it has none.
fn label(token: &str) -> Option<String> {
    let (_, length) = entry(token)?;
    let said = token[length..].trim();
    let label = match quoted(said) {
        Some((name, _)) => name?.trim().to_owned(),
        None => called(said),
    };
    (!label.is_empty()).then_some(label)
}

/// What a detector calls what people say: one of a thing, in English where that is known.
fn called(said: &str) -> String {
    let lower = said.to_lowercase();
    let known = LABELS.iter().find(|(names, _)| names.split('|').any(|name| name == lower));
    known.map_or_else(|| singular(said).to_owned(), |(_, label)| (*label).to_owned())
}

/// An English word without the ending of its plural; "bus" and "glass" have none.
fn singular(word: &str) -> &str {
    let lower = word.to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    let ending = if ends(&["sses", "shes", "ches", "xes"]) {
        2
    } else {
        usize::from(ends(&["s"]) && !ends(&["ss", "us", "is"]) && word.len() > 3)
    };
    &word[..word.len() - ending]
}

/// How a thing is asked for that a detector may find, in the language that it is written in.
pub(super) fn detected_name(said: &str) -> String {
    if said.starts_with(is_chinese) { format!("检测到的{said}") } else { labelled(&called(said)) }
}

/// What a region of a label is called, in English, in one line; words that an instruction takes for this label.
pub(super) fn labelled(label: &str) -> String {
    if label.is_empty() {
        return "the detections".to_owned();
    }
    let plain = thing_length(label) == label.len() && called(label) == label;
    if plain { format!("the detected {label}") } else { format!("the detected {label:?}") }
}

impl Parser<'_> {
    /// The region that a token names, which "detected" begins.
    pub(super) fn detected(&self, at: usize) -> Result<Region, Problem> {
        let place = &self.tokens[at].at;
        let says = "expected what a detector calls it, such as 'the detected face', in quotes where that is several words or a word of \
                    edits; or 'the detections' for all that it found";
        let label = label(&self.text[place.clone()]).ok_or_else(|| Problem::new(place, says))?;
        Ok(Region { shape: Shape::Detected { label }, ..Region::default() })
    }

    /// "Outside the masked area" and "outside the detected face", where "outside" alone is the frame's edges.
    pub(super) fn is_outside(&self, at: usize) -> bool {
        let inside = self.word_ahead(at + 1);
        self.text[self.tokens[at].at.clone()].eq_ignore_ascii_case("outside")
            && matches!(inside, Some(Word::Detected | Word::Place(Place::Mask | Place::Detections)))
    }

    /// Takes "outside" with the region behind it; where the next token begins.
    pub(super) fn outside(&mut self, at: usize) -> Result<usize, Problem> {
        let inside = self.ahead(at + 1).map_or(at, |(inside, _)| inside);
        let region = match self.word_ahead(at + 1) {
            Some(Word::Place(named)) => named.region(),
            _ => self.detected(inside)?,
        };
        self.region(at, inverted(region), true)?;
        self.after_region = true;
        Ok(inside + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_words_of_detectors() {
        for (said, expected) in [
            ("detected faces", "face"),
            ("detected People", "person"),
            ("all the detected buses", "bus"),
            ("detected glass", "glass"),
            ("detected FACES", "FACE"),
            ("detected wineglasses", "wineglass"),
            ("detected bicycles", "bicycle"),
            ("detected \"traffic lights\"", "traffic lights"),
            ("检测到的人脸", "face"),
            ("检测到的自行车", "自行车"),
            ("检测到的“人”", "人"),
            ("检测到的person", "person"),
        ] {
            assert_eq!(label(said).as_deref(), Some(expected), "{said}");
        }
        assert_eq!([label("detected"), label("检测到的"), label("detected \" \"")], [None, None, None]);
    }

    #[test]
    fn a_label_ends_where_words_of_edits_begin() {
        for (behind, expected) in [
            (" face brighter", " face"),
            (" bicycle 20% warmer", " bicycle"),
            (" \"stop sign\" warmer", " \"stop sign\""),
            ("人脸调亮一点", "人脸"),
            ("自行车不画", "自行车"),
            ("狐狸更暖", "狐狸"),
            (" and warmer", ""),
            (" \"face", ""),
            ("红色", ""),
        ] {
            assert_eq!(&behind[..label_length(behind)], expected, "{behind}");
        }
    }

    #[test]
    fn what_a_region_is_called_names_it() {
        for label in ["face", "traffic light", "glasses", "人", "自行车", "bus", "orange", ""] {
            let text = format!("darken {}", labelled(label));
            let plan = crate::edit::Plan::from_instruction(&text).unwrap();
            assert_eq!(plan.edits[0].region.shape, Shape::Detected { label: label.to_owned() }, "{text}");
        }
        assert_eq!(labelled("a\nb").lines().count(), 1);
    }
}
