//! Words to edits, clause by clause, from left to right.

use super::clause::{Amount, Change, Clause, Degree, Edge, Problem, Turn, merged};
use super::doubt::masked;
use super::join::{is_joiner, is_region};
use super::place::{Place, SOFT, inverted};
use super::region::{Link, Where, any};
use super::token::{Kind, Token, tokens};
use super::words::{Attribute, USUAL, Verb, Word};
use crate::edit::{Edit, MOST_REGIONS, Region, Shape};

/// The edits of a text, unchecked.
pub(super) fn parse(text: &str) -> Result<Vec<Edit>, Problem> {
    let mut parser = Parser { text, tokens: tokens(text), ..Parser::default() };
    let mut at = 0;
    while at < parser.tokens.len() {
        at = parser.step(at)?;
    }
    parser.end_clause(text.trim_end().len())?;
    if parser.edits.is_empty() {
        let end = text.trim_end().len();
        return Err(Problem::new(&(end..end), "expected what is to happen, such as 'make it warmer'"));
    }
    Ok(parser.edits)
}

#[derive(Default)]
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) clause: Clause,
    pub(super) edits: Vec<Edit>,
    /// The regions named so far, which "the rest" leaves out.
    pub(super) named: Vec<Region>,
    /// The last region, which a pronoun means.
    pub(super) last: Option<Region>,
    /// How the next region goes with the one before; none where it stands by itself.
    pub(super) link: Option<Link>,
    /// Whether the last thing that was said is a region.
    pub(super) after_region: bool,
    /// Whether a change was named since the last joiner.
    pub(super) after_change: bool,
    /// Whether an "and" was the last joiner, and nothing was said since.
    pub(super) after_and: bool,
}

impl Parser<'_> {
    /// Takes what stands at a token; where the next begins.
    fn step(&mut self, at: usize) -> Result<usize, Problem> {
        let Token { kind, at: place } = self.tokens[at].clone();
        let word = match kind {
            Kind::Known(word) => word,
            Kind::Share(share) => return self.degree(at, Amount::Share(share)),
            Kind::Angle(degrees) => return self.degree(at, Amount::Angle(degrees)),
            Kind::Bare(share) if share.abs() <= 1.0 => return self.degree(at, Amount::Share(share)),
            Kind::Bare(_) => {
                let says = "a number without a unit, expected one such as 30%, or from -1 to 1";
                return Err(Problem::new(&place, says));
            }
            Kind::Name(name) => {
                self.name(at, name)?;
                return Ok(at + 1);
            }
            Kind::Open => return Err(Problem::new(&place, "a quote that does not end, expected its end")),
            Kind::Unknown if self.is_another_style(at) => {
                self.name(at, self.text[place].to_owned())?;
                return Ok(at + 1);
            }
            Kind::Unknown => return Err(self.unknown(at)),
        };
        let of_edges = matches!(word, Word::Filler | Word::In | Word::Degree(_)) || is_region(word);
        if let Some(edge) = self.clause.edge.as_mut().filter(|_| !of_edges) {
            edge.waits = false;
        }
        if is_joiner(word) {
            return self.join(at);
        }
        match word {
            Word::Filler => return Ok(at + 1),
            Word::In => {
                if !self.clause.place.is_empty() && self.link.is_none() {
                    self.link = Some(Link::Within);
                }
                return Ok(at + 1);
            }
            Word::Place(Place::Edges) if self.is_outside(at) => return self.outside(at),
            Word::Place(named) => self.region(at, named.region(), true)?,
            Word::Detected => self.region(at, self.detected(at)?, true)?,
            Word::Tones(attribute, named) => self.tones(at, attribute, named)?,
            Word::Rest => self.rest(at)?,
            Word::Pronoun => self.pronoun(),
            Word::Except => self.clause.place.leave_out(),
            Word::Outside => self.clause.place.turn_out(),
            Word::Verb(verb) => self.clause.verb = Some(verb),
            Word::Turn { sign, verb, usual } => self.turn(at, sign, verb, usual),
            Word::Change { attribute, sign, usual, verb } => {
                self.change(at, attribute, sign, usual);
                if let Some(change) = self.clause.changes.last_mut() {
                    change.verb = verb;
                }
            }
            Word::Attribute(attribute) => self.attribute(at, attribute),
            Word::Degree(_) if self.is_half_of_nothing(at) => {
                let says = "which one? expected the left, right, top or bottom half";
                return Err(Problem::new(&place, says));
            }
            Word::Degree(share) => return self.degree(at, Amount::Word(share)),
            Word::Numeral(_) => {
                return Err(Problem::new(&place, "a number without a unit, expected percent"));
            }
            Word::PaintedAt(share) => {
                self.clause.verb = Some(Verb::Paint);
                self.clause.degree = Some(Degree { amount: Amount::Word(share), at: place });
            }
            Word::Strokes(width) => self.clause.stroke = Some(width),
            Word::Strength => self.clause.verb = Some(Verb::Paint),
            Word::Colours => self.clause.colours = true,
            Word::OwnColours => self.clause.own_colours = true,
            Word::Unpainted => self.clause.unpainted = true,
            Word::Not => return self.not(at),
            Word::Before(before) => (self.clause.before, self.clause.after) = (before, !before),
            Word::Edge(feather) => self.clause.edge = Some(Edge { feather, waits: false, at: place }),
            Word::Feather => self.clause.edge = Some(Edge { feather: SOFT, waits: true, at: place }),
            Word::As => self.expect_name(at)?,
            Word::Apply => {
                self.clause.applies = true;
                self.expect_name(at)?;
            }
            Word::ColoursOf => {
                self.clause.coloured = true;
                self.expect_name(at)?;
            }
            Word::Masked(instead) => return Err(masked(&self.tokens[at], self.text, instead)),
            Word::Missing(instead) => {
                let found = &self.text[place.clone()];
                return Err(Problem::new(&place, format!("'{found}': no edit does this yet{instead}")));
            }
            Word::And | Word::Comma | Word::Then | Word::But => {}
        }
        self.after_region = is_region(word) && !matches!(word, Word::Pronoun);
        self.after_and = false;
        self.link = self.link.filter(|_| word == Word::Except);
        Ok(at + 1)
    }

    /// The word at or behind `at` that says something.
    pub(super) fn ahead(&self, at: usize) -> Option<(usize, &Kind)> {
        let mut behind = self.tokens.iter().enumerate().skip(at).map(|(at, token)| (at, &token.kind));
        behind.find(|(_, kind)| !matches!(kind, Kind::Known(Word::Filler | Word::In)))
    }

    pub(super) fn word_ahead(&self, at: usize) -> Option<Word> {
        match self.ahead(at) {
            Some((_, Kind::Known(word))) => Some(*word),
            _ => None,
        }
    }

    /// Makes the clause an edit.
    pub(super) fn end_clause(&mut self, ending: usize) -> Result<(), Problem> {
        let clause = std::mem::take(&mut self.clause);
        let region = (!clause.place.is_empty()).then(|| clause.region());
        let counts = clause.counts && !clause.inherited;
        let Some(edit) = clause.edit(ending)? else { return Ok(()) };
        if let Some(region) = region {
            if counts && region.shape != Shape::Whole && !self.named.contains(&region) {
                self.named.push(region.clone());
            }
            self.last = Some(region);
        }
        let added = match self.edits.last_mut() {
            Some(last) => merged(last, &edit),
            None => None,
        };
        match (added, self.edits.last_mut()) {
            (Some(both), Some(last)) => *last = both,
            _ => self.edits.push(edit),
        }
        // Here and not in the end: each "rest" holds all regions before it.
        if self.edits.len() > MOST_REGIONS {
            let says = format!("more edits than a plan has, expected at most {MOST_REGIONS}");
            return Err(Problem::new(&(ending..ending), says));
        }
        (self.link, self.after_region, self.after_and) = (None, false, false);
        Ok(())
    }

    /// A region by its name.
    pub(super) fn region(&mut self, at: usize, region: Region, counts: bool) -> Result<(), Problem> {
        let whole = region.shape == Shape::Whole;
        if self.clause.inherited {
            (self.clause.place, self.clause.edge, self.clause.inherited) = (Where::default(), None, false);
        } else if self.clause.place.is_remainder() && whole {
            return Ok(()); // "except the reds, everything"
        } else if self.clause.has_effect() && !self.clause.place.is_empty() && self.link.is_none() {
            let excepting = self.clause.place.is_open();
            if !excepting {
                self.begin_clause(self.tokens[at].at.start, Word::Comma, false)?;
            }
        }
        self.clause.counts |= counts;
        self.clause.place.add(region, self.link.unwrap_or(Link::Within));
        Ok(())
    }

    /// All but what was named before.
    fn rest(&mut self, at: usize) -> Result<(), Problem> {
        if self.clause.place.is_remainder() {
            return Ok(()); // "except the reds, the rest"
        }
        if self.named.is_empty() {
            let says = format!(
                "'{}' of what? expected a region named before",
                &self.text[self.tokens[at].at.clone()]
            );
            return Err(Problem::new(&self.tokens[at].at, says));
        }
        self.region(at, inverted(any(self.named.clone())), false)
    }

    /// The last region, where this clause has none of its own.
    fn pronoun(&mut self) {
        self.clause.spoken_of = true;
        if (self.clause.place.is_empty() || self.clause.inherited)
            && let Some(last) = self.last.clone()
        {
            self.clause.place = Where::of(last);
            (self.clause.inherited, self.clause.counts) = (false, false);
        }
    }

    /// Highlights or shadows: how light they are, or where.
    fn tones(&mut self, at: usize, attribute: Attribute, place: Place) -> Result<(), Problem> {
        let waits = self.clause.turn.as_ref().is_some_and(|turn| !turn.used || self.after_and);
        let lit = |change: &&mut Change| change.attribute == Attribute::Brightness;
        if self.clause.place.is_open() || (self.link == Some(Link::Or) && !waits) {
            return self.region(at, place.region(), true);
        }
        if self.after_change
            && !waits
            && let Some(change) = self.clause.changes.last_mut().filter(lit)
        {
            change.attribute = attribute;
            return Ok(());
        }
        // "Warm the highlights 20%": the amount is the warmth's.
        let other = |change: &Change| change.attribute != Attribute::Brightness && change.degree.is_none();
        let amount_is_taken = self.after_change && self.clause.changes.last().is_some_and(other);
        if waits || self.tones_change(at + 1, amount_is_taken) {
            self.attribute(at, attribute);
            return Ok(());
        }
        self.region(at, place.region(), true)
    }

    /// Whether what is said behind highlights or shadows is how light they become; a mere amount does not say so where it is another
    /// change's.
    fn tones_change(&self, mut at: usize, amount_is_taken: bool) -> bool {
        let mut turned = false;
        while let Some((here, kind)) = self.ahead(at) {
            match kind {
                Kind::Known(Word::Degree(_)) => {}
                Kind::Share(_) | Kind::Bare(_) => turned |= !amount_is_taken,
                Kind::Known(Word::Turn { .. }) => turned = true,
                Kind::Known(Word::Change { attribute, .. }) => return *attribute == Attribute::Brightness,
                Kind::Known(Word::Attribute(_) | Word::Colours) => return false,
                _ => break,
            }
            at = here + 1;
        }
        turned
    }

    /// A direction: of an attribute that was named before, or of what comes.
    fn turn(&mut self, at: usize, sign: f32, verb: bool, usual: f32) {
        let mut used = false;
        // "高光不要太亮": less of "lighter".
        if !matches!(self.word_ahead(at + 1), Some(Word::Change { .. })) {
            for change in self.clause.listed().iter_mut().filter(|change| change.sign.is_none()) {
                (change.sign, change.usual, used) = (Some(sign), usual, true);
            }
        }
        self.clause.turn = Some(Turn { sign, verb, usual, at: self.tokens[at].at.clone(), used });
    }

    /// An attribute with its direction.
    fn change(&mut self, at: usize, attribute: Attribute, sign: f32, usual: f32) {
        let place = self.tokens[at].at.clone();
        self.after_change = true;
        let turn = self.clause.turn.as_mut().filter(|turn| !turn.used);
        let way = turn.map_or(1.0, |turn| {
            turn.used = true;
            // "Less dark" is lighter; "turn it down, darker" is not.
            if turn.verb && sign < 0.0 { 1.0 } else { turn.sign }
        });
        let sign = sign * way;
        // "Highlights slightly darker": the direction of what was said before.
        let lit = attribute == Attribute::Brightness;
        let fits = |change: &&mut Change| {
            let tones = matches!(change.attribute, Attribute::Highlights | Attribute::Shadows);
            change.sign.is_none() && (change.attribute == attribute || (lit && tones))
        };
        if let Some(open) = self.clause.changes.last_mut().filter(fits) {
            open.sign = Some(sign);
            open.degree = open.degree.take().or(self.clause.degree.take());
            return;
        }
        self.add(attribute, Some(sign), usual, place);
    }

    /// An attribute by its name.
    fn attribute(&mut self, at: usize, attribute: Attribute) {
        let place = self.tokens[at].at.clone();
        // "A warm tint", "色调偏暖": the noun says nothing more.
        let warm = |word| matches!(word, Some(Word::Change { attribute: Attribute::Temperature, .. }));
        let warmed = self.after_change
            && self.clause.changes.last().is_some_and(|change| change.attribute == Attribute::Temperature);
        if attribute == Attribute::Tint && (warmed || warm(self.word_ahead(at + 1))) {
            return;
        }
        self.after_change = true;
        let turn = self.clause.turn.as_mut().filter(|turn| !turn.used || self.after_and);
        let (sign, usual) = turn.map_or((None, USUAL), |turn| {
            turn.used = true;
            (Some(turn.sign), turn.usual)
        });
        self.add(attribute, sign, usual, place);
    }

    fn add(&mut self, attribute: Attribute, sign: Option<f32>, usual: f32, at: std::ops::Range<usize>) {
        let own = self.clause.degree.take();
        // "Slightly warmer and brighter": both slightly.
        let shared = if self.after_and && own.is_none() && sign.is_some() {
            let before = self.clause.listed().last().filter(|change| change.ahead && change.sign.is_some());
            before.and_then(|change| change.degree.clone())
        } else {
            None
        };
        let degree = own.or(shared);
        let ahead = degree.is_some();
        self.clause.changes.push(Change { attribute, sign, verb: false, usual, degree, ahead, at });
    }

    /// How much: of what was said last, or of what comes.
    fn degree(&mut self, at: usize, amount: Amount) -> Result<usize, Problem> {
        if let Some(next) = self.width(at, amount)? {
            return Ok(next);
        }
        let degree = Degree { amount, at: self.tokens[at].at.clone() };
        self.after_and = false;
        let comes =
            matches!(self.word_ahead(at + 1), Some(Word::Change { .. } | Word::Turn { verb: false, .. }));
        if !self.after_change {
            self.clause.degree = Some(degree);
            return Ok(at + 1);
        }
        let open = self.clause.listed().iter_mut().filter(|change| change.degree.is_none());
        if open.map(|change| change.degree = Some(degree.clone())).count() > 0 {
            return Ok(at + 1);
        }
        match (amount, self.clause.changes.last_mut()) {
            _ if comes => self.clause.degree = Some(degree),
            // "稍微亮一点" is said twice, and a number says it best.
            (Amount::Word(_), Some(_)) => {}
            (_, Some(last)) => last.degree = Some(degree),
            (_, None) => {}
        }
        Ok(at + 1)
    }

    /// "Not painted", or "not the reds".
    fn not(&mut self, at: usize) -> Result<usize, Problem> {
        match self.word_ahead(at + 1) {
            Some(Word::Verb(Verb::Paint)) => {
                self.clause.unpainted = true;
                Ok(self.ahead(at + 1).map_or(at + 1, |(paint, _)| paint + 1))
            }
            Some(word) if is_region(word) => {
                self.clause.place.leave_out();
                Ok(at + 1)
            }
            _ => Err(Problem::new(&self.tokens[at].at, "expected 'painted' or a region behind 'not'")),
        }
    }

    fn expect_name(&self, at: usize) -> Result<(), Problem> {
        let named =
            matches!(self.tokens.get(at + 1).map(|token| &token.kind), Some(Kind::Name(_) | Kind::Open));
        let end = self.tokens[at].at.end;
        let says = match self.clause.applies {
            true => "expected the file of an edit that was learned, such as winter.safetensors",
            false => "expected a style's name or a file, such as great-wave",
        };
        let missing = || Problem::new(&(end..end), says);
        named.then_some(()).ok_or_else(missing)
    }

    /// The name of a style.
    fn name(&mut self, at: usize, name: String) -> Result<(), Problem> {
        let place = &self.tokens[at].at;
        if std::mem::take(&mut self.clause.applies) {
            if self.clause.learned.is_some() {
                return Err(Problem::new(
                    place,
                    "a second learned edit of a region, expected it in a sentence of its own",
                ));
            }
            self.clause.learned = Some(name);
            (self.after_region, self.after_and) = (false, false);
            return Ok(());
        }
        if std::mem::take(&mut self.clause.coloured) {
            if self.clause.palette.is_some() {
                return Err(Problem::new(place, "expected the colours of one style for a region"));
            }
            self.clause.palette = Some(name);
            (self.after_region, self.after_and) = (false, false);
            return Ok(());
        }
        if name.trim().is_empty() || self.clause.style.is_some() {
            return Err(Problem::new(place, "expected one style for a region, by its name or file"));
        }
        self.clause.style = Some(name);
        (self.after_region, self.after_and) = (false, false);
        Ok(())
    }
}
