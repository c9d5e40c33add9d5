//! A text in words, by the longest entry of the lexicon that fits: English word by word, Chinese, which has no spaces, character
//! by character.

use std::ops::Range;

use super::detected::label_length;
use super::words::{LEXICON, LONGEST, Verb, Word};

/// A part of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where in the text, in bytes.
    pub(super) at: Range<usize>,
}

/// What a part of the text is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Known(Word),
    /// "30%" is .3.
    Share(f32),
    /// "40 degrees" is 40.
    Angle(f32),
    /// A number without a unit.
    Bare(f32),
    /// What a style is called.
    Name(String),
    /// A quote that does not end.
    Open,
    Unknown,
}

/// Splits a text; every character that is no space is part of a token.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

/// Whether a character belongs to a script without spaces.
pub(super) fn is_chinese(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{2FDF}' | '\u{3040}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes the next token; false at the end.
    fn step(&mut self) -> bool {
        let Some(next) = self.rest().chars().next() else { return false };
        if next.is_whitespace() && next != '\n' {
            self.at += next.len_utf8();
            return true;
        }
        let length = self.quantity().or_else(|| self.quote()).or_else(|| self.known());
        if length.is_none() {
            self.unknown(next);
        }
        true
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Adds a token of so many bytes.
    fn push(&mut self, kind: Kind, length: usize) -> Option<()> {
        let at = self.at..self.at + length;
        self.at = at.end;
        self.tokens.push(Token { kind, at });
        Some(())
    }

    /// A number, with its unit.
    fn quantity(&mut self) -> Option<()> {
        // In "warmer.30% grain" the point ends a sentence.
        let apart = self.text[..self.at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let (kind, length) = quantity(self.rest()).filter(|_| apart || !self.rest().starts_with('.'))?;
        self.push(kind, length)
    }

    /// A text between quotation marks, which is the name of a style wherever it stands.
    fn quote(&mut self) -> Option<()> {
        let (name, length) = quoted(self.rest())?;
        let kind = name.map_or(Kind::Open, |name| Kind::Name(name.to_owned()));
        self.push(kind, length)
    }

    /// A mark or an entry of the lexicon; the name of a style behind "as", and a label with the "detected" before it.
    fn known(&mut self) -> Option<()> {
        let (word, length) = mark(self.rest()).or_else(|| entry(self.rest()))?;
        if word == Word::Detected {
            return self.push(Kind::Known(word), length + label_length(&self.rest()[length..]));
        }
        if !matches!(word, Word::As | Word::Apply | Word::ColoursOf) {
            return self.push(Kind::Known(word), length);
        }
        let behind = &self.rest()[length..];
        let spaces = behind.len() - behind.trim_start().len();
        let behind = behind.trim_start();
        // "paint it as bright as possible", "画成黑白"; and "用" is "with" as well.
        let speech =
            matches!(entry(behind), Some((Word::Change { .. } | Word::Degree(_) | Word::Edge(_), _)));
        let with = ["用", "以"].contains(&&self.rest()[..length]);
        let named = behind.starts_with(|c: char| c.is_ascii_alphanumeric() || "\"'“‘「『《".contains(c));
        let said = entry(behind).is_some() || quantity(behind).is_some();
        let used = said && self.rest()[..length].eq_ignore_ascii_case("use");
        // "Apply grain" is no edit that was learned.
        let is_file = word == Word::Apply && name(behind).contains('.');
        if word == Word::Apply && said && !is_file {
            return self.push(Kind::Known(Word::Verb(Verb::Make)), length);
        }
        if !is_file && (speech || used || (with && !named)) {
            return self.push(Kind::Known(Word::Filler), length);
        }
        self.push(Kind::Known(word), length)?;
        self.at += spaces;
        if self.quote().is_some() {
            return Some(());
        }
        let name = name(self.rest());
        if name.is_empty() { Some(()) } else { self.push(Kind::Name(name.to_owned()), name.len()) }
    }

    /// What is not known: a word, or Chinese characters one beside the other.
    fn unknown(&mut self, next: char) {
        let length =
            if is_chinese(next) { next.len_utf8() } else { word_length(self.rest()).max(next.len_utf8()) };
        if let Some(Token { kind: Kind::Unknown, at }) = self.tokens.last_mut()
            && at.end == self.at
            && is_chinese(next)
        {
            at.end += length;
            self.at += length;
            return;
        }
        self.push(Kind::Unknown, length);
    }
}

/// What a text that begins with a quotation mark holds up to its end, where there is one; and how many bytes that takes.
pub(super) fn quoted(text: &str) -> Option<(Option<&str>, usize)> {
    let open = text.chars().next()?;
    let close = match open {
        '"' | '\'' => open,
        '“' | '”' => '”',
        '‘' => '’',
        '「' => '」',
        '『' => '』',
        '《' => '》',
        _ => return None,
    };
    let inner = &text[open.len_utf8()..];
    Some(match inner.find(close) {
        Some(end) => (Some(&inner[..end]), open.len_utf8() + end + close.len_utf8()),
        None => (None, text.len()),
    })
}

/// Marks between clauses.
fn mark(text: &str) -> Option<(Word, usize)> {
    let next = text.chars().next()?;
    let word = match next {
        ',' | '，' | ':' | '：' | '—' | '–' | '-' => Word::Comma,
        ';' | '；' | '.' | '。' | '!' | '！' | '?' | '？' | '\n' | '|' => Word::Then,
        '、' => Word::And,
        '(' | ')' | '（' | '）' => Word::Filler,
        _ => return None,
    };
    Some((word, next.len_utf8()))
}

/// The longest entry that a text begins with, and its length in bytes.
pub(super) fn entry(text: &str) -> Option<(Word, usize)> {
    let first = text.chars().next()?;
    if is_chinese(first) {
        let ends = text.char_indices().take_while(|(_, c)| is_chinese(*c)).take(LONGEST);
        let ends: Vec<usize> = ends.map(|(at, c)| at + c.len_utf8()).collect();
        return ends.into_iter().rev().find_map(|end| Some((*LEXICON.get(&text[..end])?, end)));
    }
    let (mut spelled, mut end, mut found) = (String::new(), 0, None);
    for _ in 0..LONGEST {
        let gap = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
        let length = word_length(&text[end + gap..]);
        if length == 0 || (end > 0 && gap == 0) {
            break;
        }
        if end > 0 {
            spelled.push(' ');
        }
        spelled.push_str(&plain(&text[end + gap..][..length]));
        end += gap + length;
        if let Some(word) = LEXICON.get(spelled.as_str()) {
            found = Some((*word, end));
        }
    }
    found
}

/// A word as the lexicon spells it.
pub(super) fn plain(word: &str) -> String {
    word.to_lowercase().replace('’', "'").replace('-', " ")
}

/// How many bytes of a text are a word of letters.
pub(super) fn word_length(text: &str) -> usize {
    let letter = |c: char| (c.is_alphabetic() || c == '&') && !is_chinese(c);
    let inner = |c: char| letter(c) || c.is_numeric() || matches!(c, '-' | '_' | '\'' | '’');
    if !text.starts_with(letter) {
        return 0;
    }
    let word = &text[..text.find(|c| !inner(c)).unwrap_or(text.len())];
    word.trim_end_matches(['-', '_', '\'', '’']).len()
}

/// The name of a style without quotation marks: up to a space or a mark, and no Chinese behind English.
fn name(text: &str) -> &str {
    let ascii = text.starts_with(|c: char| c.is_ascii());
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let behind = text[at + c.len_utf8()..].chars().next();
        let goes_on = behind.is_some_and(|next| next.is_ascii_alphanumeric());
        // A mix of styles has weights, and commas without a space.
        let inside = match c {
            ',' => goes_on && text[..at].contains(':'),
            '.' | ':' => goes_on,
            _ if ascii && is_chinese(c) => false,
            _ => !(c.is_whitespace() || ";!?，；。、！？：\"“”".contains(c)),
        };
        if !inside {
            break;
        }
        end = at + c.len_utf8();
    }
    let name = &text[..end];
    ["的风格", "风格"].iter().find_map(|style| name.strip_suffix(style)).unwrap_or(name)
}

/// Units of shares, with how many are the whole range; none of degrees.
const UNITS: [(&str, Option<f64>); 13] = [
    ("%", Some(100.0)),
    ("％", Some(100.0)),
    ("percent", Some(100.0)),
    ("per cent", Some(100.0)),
    ("成", Some(10.0)),
    ("stops", Some(1.0)),
    ("stop", Some(1.0)),
    ("ev", Some(1.0)),
    ("档", Some(1.0)),
    ("degrees", None),
    ("degree", None),
    ("°", None),
    ("度", None),
];

/// A number with its unit that a text begins with, and its length in bytes.
fn quantity(text: &str) -> Option<(Kind, usize)> {
    if let Some(behind) = text.strip_prefix("百分之") {
        let (number, length) = number(behind)?;
        return Some((Kind::Share((number / 100.0) as f32), text.len() - behind.len() + length));
    }
    let (number, length) = number(text)?;
    let behind = &text[length..];
    let unit = behind.trim_start_matches(' ');
    let digits = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '−' | '.'));
    for (spelled, whole) in UNITS {
        // "+.3 everywhere" has no unit.
        let ends = !unit.get(spelled.len()..).is_some_and(|behind| {
            spelled.ends_with(|c: char| c.is_ascii_alphabetic())
                && behind.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        if ends && unit.get(..spelled.len()).is_some_and(|unit| unit.eq_ignore_ascii_case(spelled)) {
            let kind = match whole {
                Some(whole) => Kind::Share((number / whole) as f32),
                None => Kind::Angle(number as f32),
            };
            return Some((kind, text.len() - unit.len() + spelled.len()));
        }
    }
    digits.then_some((Kind::Bare(number as f32), length))
}

/// A number in digits, in Chinese, or an English ten; and its length in bytes.
fn number(text: &str) -> Option<(f64, usize)> {
    let signed = text.strip_prefix(['+', '-', '−']);
    let digits = signed.unwrap_or(text);
    let behind_point = digits.strip_prefix('.').unwrap_or(digits);
    if behind_point.starts_with(|c: char| c.is_ascii_digit()) {
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let fraction = digits[end..]
            .strip_prefix('.')
            .map_or(0, |behind| behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len()));
        let end = if fraction > 0 { end + 1 + fraction } else { end };
        let value: f64 = digits[..end].parse().ok()?;
        let minus = text.starts_with(['-', '−']);
        return Some((if minus { -value } else { value }, text.len() - digits.len() + end));
    }
    match entry(text) {
        Some((Word::Numeral(value), length)) => Some((f64::from(value), length)),
        _ => chinese_number(text),
    }
}

/// A number below a thousand in Chinese characters.
fn chinese_number(text: &str) -> Option<(f64, usize)> {
    let (mut total, mut digit, mut length) = (0.0, None, 0);
    for c in text.chars().take(8) {
        let unit = match c {
            '十' => 10.0,
            '百' => 100.0,
            _ => {
                let Some(value) = "零一二三四五六七八九".chars().position(|known| known == c)
                else {
                    break;
                };
                digit = Some(value as f64);
                length += c.len_utf8();
                continue;
            }
        };
        total += digit.take().unwrap_or(1.0) * unit;
        length += c.len_utf8();
    }
    (length > 0).then_some((total + digit.unwrap_or(0.0), length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::instruction::words::Attribute;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_have_units_in_both_languages() {
        let found = kinds("30% -5 percent 40 degrees 百分之三十 三成 一百二十度 thirty percent 7 -.5");
        let [a, b, c] = [0.3, -0.05, 0.3].map(Kind::Share);
        let [d, e] = [40.0, 120.0].map(Kind::Angle);
        assert_eq!(found, [a, b, d, c.clone(), c.clone(), e, c, Kind::Bare(7.0), Kind::Bare(-0.5)]);
    }

    #[test]
    fn the_longest_entry_counts_and_what_is_unknown_stays_together() {
        let vibrance = Kind::Known(Word::Attribute(Attribute::Vibrance));
        assert_eq!(kinds("自然饱和度"), [vibrance]);
        assert_eq!(kinds("qwert 龘龘"), [Kind::Unknown, Kind::Unknown]);
        assert_eq!(kinds("as a:0.7,b:0.3, \"x y\"")[1], Kind::Name("a:0.7,b:0.3".to_owned()));
    }
}
