//! Instructions in words, English or Chinese, that become a [`Plan`].
//!
//! | module | purpose |
//! |---|---|
//! | `words`, `english`, `chinese` | the lexicon: every word with its meaning |
//! | `token` | a text in words, by the longest entry that fits |
//! | `parse`, `join` | words to edits, clause by clause; what a joiner means |
//! | `doubt`, `edges` | words that say too little or nothing; amounts that are the width of edges |
//! | `detected` | what a detector found: labels, and what lies outside |
//! | `clause` | what a clause says, and the edit it asks for |
//! | `region`, `place` | the region of a clause; regions that have a name |
//! | `nearest`, `caret` | the nearest known word, and a line that points at one |
//! | `explain` | a plan in plain sentences |
//!
//! # Grammar
//! ```text
//! instruction = clause { joiner clause } ;
//! joiner      = "," | ";" | "." | "and" | "then" | "but" | "，" | "；" | "。" | "、" | "然后" | "并且" | "但" | … ;
//! clause      = { when | verb | change | layers | paint | colours | where | edges | filler } ;
//! when        = "before painting" | "after painting" | "绘画之前" | "绘画之后" | … ;
//! verb        = "make" | "paint" | "keep" | … | "把" | "画" | "保持" | … ;
//! change      = [ degree ] [ direction ] attribute [ direction ] [ degree ] | [ degree ] adjective [ degree ] ;
//! direction   = "more" | "less" | "increase" | "remove" | … | "提高" | "降低" | "更" | … ;
//! attribute   = "brightness" | "contrast" | … | "亮度" | "对比度" | … ;
//! adjective   = "brighter" | "warmer" | "monochrome" | … | "亮" | "暖" | "黑白" | … ;
//! degree      = "slightly" | "a bit" | "very" | … | "稍微" | "一点" | "很" | … | number [ unit ] ;
//! unit        = "%" | "percent" | "stops" | "ev" | "degrees" | "°" | "成" | "档" | "度" ;
//! layers      = "apply" file [ degree ] | "in the colours of" style | "fine strokes" | "应用" file | "配色取自" style | … ;
//! paint       = "unpainted" | "not" "painted" | [ "as" style ] [ degree ] | "不画" | "画成" style | … ;
//! colours     = "keep" [ degree ] "its colours" | "保留" [ degree ] "原色" | … ;
//! where       = region { "and" region } [ "except" region { "and" region } ] | pronoun | "the rest" ;
//! region      = name { "in" name } ;
//! edges       = "softly" | "with soft edges" | "with a hard edge" | "feather" degree | "边缘柔和" | … ;
//! style       = name-of-a-style | '"' text '"' ;
//! ```
//! The parts of a clause come in any order, as both languages want it. What the order decides:
//!
//! - An amount belongs to the change beside it: the one before it, else the one that comes. One that closes a list joined by "and"
//!   belongs to all of it that has none, as does one before it ("slightly warmer and brighter").
//! - Two names of regions side by side mean what lies in both ("the reds in the left half", "左半边的红色").
//! - A clause that names no region is of the whole frame where it begins with a verb, or behind `;`, `.` or "then"; without a verb
//!   ("…, more contrast") it goes on in the region before. Chinese leaves pronouns out: there it goes on behind `，` in either case.
//! - Two verbs joined by "and" have one object, where the first has none ("warm up and brighten the middle").
//! - "The rest" is all but the regions named before it. A pronoun is the last region.
//! - Two clauses one behind the other about one region are one [`Edit`](super::Edit), unless both change the same number.
//! - Highlights and shadows are attributes where they get lighter or darker, else regions.
//!
//! # Amounts
//! Shares of a number's range: nothing said .5; slightly .2; a bit, some .3; quite .6; very, much .8; fully 1; `30%` and `.3`
//! .3; a stop 1. Of hues, 180 degrees are 1. For how strongly is painted, and how much of the colours is kept, nothing said is 1.

mod caret;
mod chinese;
mod clause;
mod detected;
mod doubt;
mod edges;
mod english;
mod explain;
mod join;
mod nearest;
mod parse;
mod place;
mod region;
mod token;
mod words;

pub(super) use self::caret::pointed;
use super::{EditError, Plan};

/// The longest instruction, in characters.
pub const MOST_CHARACTERS: usize = 2000;

/// How many characters of what was found are said again.
const MOST_FOUND: usize = 40;

impl Plan {
    /// The plan that an instruction in English or Chinese asks for, such as `make the left half slightly warmer` or
    /// `把左半边调亮一点`. The grammar is in `docs/instructions.md`.
    ///
    /// # Errors
    /// [`EditError::Instruction`], which points at the word that means nothing here; more than [`MOST_CHARACTERS`] characters; and
    /// what [`Plan::check`] finds, such as more than eight edits.
    pub fn from_instruction(text: &str) -> Result<Self, EditError> {
        let wrong = |at, problem| EditError::Instruction { text: text.to_owned(), at, problem };
        if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
            let problem = format!("an instruction of more than {MOST_CHARACTERS} characters");
            return Err(wrong(end..end, problem));
        }
        let edits = parse::parse(text).map_err(|problem| {
            let says = found_and(&problem.says, &text[problem.at.clone()]);
            wrong(problem.at, says)
        })?;
        let plan = Self { edits, exact: false };
        plan.check().map(|()| plan)
    }
}

/// What is wrong, behind what was found, unless it names that itself.
fn found_and(says: &str, found: &str) -> String {
    let found = found.chars().take(MOST_FOUND).collect::<String>();
    match found.is_empty() {
        true => format!("found no more here, {says}"),
        false if says.starts_with('\'') => says.to_owned(),
        false => format!("'{found}': {says}"),
    }
}
