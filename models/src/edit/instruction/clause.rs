//! A clause: where, and what is to happen there.

use std::ops::Range;

use super::place::{is_masks, soften};
use super::region::Where;
use super::words::{Attribute, USUAL, Verb};
use crate::edit::{Adjust, Edit, Learned, Region};

/// What is wrong, and where in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    pub(super) at: Range<usize>,
    pub(super) says: String,
}

impl Problem {
    pub(super) fn new(at: &Range<usize>, says: impl Into<String>) -> Self {
        Self { at: at.clone(), says: says.into() }
    }
}

/// How much, and where that is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Degree {
    pub(super) amount: Amount,
    pub(super) at: Range<usize>,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    /// By a word, as a share of the range.
    Word(f32),
    /// By a number, which may be negative.
    Share(f32),
    /// Of hues, in degrees.
    Angle(f32),
}

/// A change of an attribute, as far as it is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) attribute: Attribute,
    /// 1 or -1.
    pub(super) sign: Option<f32>,
    /// Whether a verb said it, which has an object: "brighten".
    pub(super) verb: bool,
    /// How much where nothing is said.
    pub(super) usual: f32,
    pub(super) degree: Option<Degree>,
    /// Whether the degree was said before.
    pub(super) ahead: bool,
    pub(super) at: Range<usize>,
}

/// A direction that waits for its attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Turn {
    pub(super) sign: f32,
    pub(super) verb: bool,
    pub(super) usual: f32,
    pub(super) at: Range<usize>,
    /// Whether an attribute has it; those in the same list share it.
    pub(super) used: bool,
}

/// Edges of a region.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edge {
    /// Their width.
    pub(super) feather: f32,
    /// Whether the next amount is their width.
    pub(super) waits: bool,
    pub(super) at: Range<usize>,
}

/// What a clause has said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub(super) place: Where,
    /// Whether the region is that of the clause before, until another is named.
    pub(super) inherited: bool,
    /// Whether a pronoun stands for the region.
    pub(super) spoken_of: bool,
    /// Whether the region counts for "the rest".
    pub(super) counts: bool,
    pub(super) changes: Vec<Change>,
    /// From which change on a degree or a direction belongs to all.
    pub(super) list: usize,
    pub(super) verb: Option<Verb>,
    /// Of the clause before, for "and the right half strongly".
    pub(super) verb_before: Option<Verb>,
    pub(super) turn: Option<Turn>,
    /// Waits for its attribute.
    pub(super) degree: Option<Degree>,
    pub(super) before: bool,
    /// Whether "after painting" was said.
    pub(super) after: bool,
    /// How soft the region's edges are.
    pub(super) edge: Option<Edge>,
    pub(super) style: Option<String>,
    /// Whether the next name is a learned edit's.
    pub(super) applies: bool,
    pub(super) learned: Option<String>,
    /// Whether the next name is of a style whose colours are taken.
    pub(super) coloured: bool,
    pub(super) palette: Option<String>,
    pub(super) stroke: Option<f32>,
    pub(super) unpainted: bool,
    pub(super) colours: bool,
    pub(super) own_colours: bool,
}

impl Clause {
    /// Whether it says what is to happen.
    pub(super) fn has_effect(&self) -> bool {
        let verb = |verb| self.verb == Some(verb);
        !self.changes.is_empty()
            || self.style.is_some()
            || self.learned.is_some()
            || self.palette.is_some()
            || self.stroke.is_some()
            || self.unpainted
            || self.own_colours
            || (self.colours && (verb(Verb::Keep) || self.turn.is_some()))
            || (verb(Verb::Paint) && (self.degree.is_some() || self.turn.is_some()))
            || self.is_turn_of_hues()
    }

    /// Whether all that is said is an angle, which only hues have.
    fn is_turn_of_hues(&self) -> bool {
        let angle = |degree: &Degree| matches!(degree.amount, Amount::Angle(_));
        self.changes.is_empty() && self.degree.as_ref().is_some_and(angle)
    }

    /// The changes that what is said next belongs to.
    pub(super) fn listed(&mut self) -> &mut [Change] {
        let first = self.list.min(self.changes.len());
        &mut self.changes[first..]
    }

    /// The region.
    pub(super) fn region(&self) -> Region {
        let mut region = self.place.region();
        if let Some(edge) = &self.edge {
            soften(&mut region, edge.feather);
        }
        region
    }

    /// The edit that it asks for; none where it asks for nothing. `end` is where it ends.
    pub(super) fn edit(mut self, end: usize) -> Result<Option<Edit>, Problem> {
        let mut edit = Edit { region: self.region(), before: self.before, ..Edit::default() };
        let named = !self.place.is_empty();
        if self.place.is_open() {
            return Err(Problem::new(&(end..end), "expected a region that is left out"));
        }
        if let Some(edge) = self.edge.as_ref().filter(|edge| edge.feather > 0.0)
            && is_masks(&edit.region)
        {
            return Err(Problem::new(
                &edge.at,
                "a mask and alpha have edges of their own, expected another region to soften",
            ));
        }
        self.keep(&mut edit)?;
        self.learn(&mut edit)?;
        self.paint(&mut edit)?;
        if self.is_turn_of_hues()
            && let Some(degree) = self.degree.take()
        {
            let turn = self.turn.take();
            let (attribute, sign, at) = (Attribute::Hue, turn.map(|turn| turn.sign), degree.at.clone());
            let degree = Some(degree);
            self.changes.push(Change {
                attribute,
                sign,
                verb: false,
                usual: USUAL,
                degree,
                ahead: false,
                at,
            });
        }
        self.spread();
        if let Some(turn) = self.turn.filter(|turn| !turn.used) {
            return Err(Problem::new(
                &(end..end),
                format!("expected what of there is to be {}", way(turn.sign)),
            ));
        }
        if let Some(degree) = self.degree {
            return Err(Problem::new(
                &degree.at,
                "an amount without a change, expected one, such as 'warmer'",
            ));
        }
        for change in &self.changes {
            let place = number(&mut edit.adjust, change.attribute);
            if *place != 0.0 {
                return Err(Problem::new(
                    &change.at,
                    "a second change of one attribute, expected one in a clause",
                ));
            }
            *place = change.amount()?;
        }
        edit.before &= !edit.adjust.is_nothing() || edit.learned.is_some();
        if edit.is_nothing() && self.changes.is_empty() {
            let says = match self.verb {
                Some(Verb::Keep) => "expected what is kept, 'its colours' or all of it, 'unpainted'",
                _ => "expected what is to happen, such as 'warmer', 'more contrast' or 'unpainted'",
            };
            let asked = named || self.verb.is_some() || self.before || self.edge.is_some();
            return if asked { Err(Problem::new(&(end..end), says)) } else { Ok(None) };
        }
        Ok(Some(edit))
    }

    /// Colours that are kept, or become more or less.
    fn keep(&mut self, edit: &mut Edit) -> Result<(), Problem> {
        let keeps = self.own_colours || (self.colours && self.verb == Some(Verb::Keep));
        if keeps {
            edit.keep_colors = Some(share(self.degree.take(), 1.0)?);
        } else if self.colours
            && let Some(turn) = self.turn.as_mut().filter(|turn| !turn.used)
        {
            turn.used = true;
            let (sign, usual, at) = (Some(turn.sign), turn.usual, turn.at.clone());
            let degree = self.degree.take();
            let attribute = Attribute::Saturation;
            self.changes.push(Change { attribute, sign, verb: false, usual, degree, ahead: false, at });
        }
        Ok(())
    }

    /// Strokes, and an edit that was learned: it is one of what is painted, unless it is said otherwise.
    fn learn(&mut self, edit: &mut Edit) -> Result<(), Problem> {
        (edit.stroke, edit.palette) = (self.stroke, self.palette.take());
        if let Some(learned) = self.learned.take() {
            edit.learned = Some(Learned::new(learned, share(self.degree.take(), 1.0)?));
            edit.before = !self.after;
        }
        Ok(())
    }

    /// How strongly is painted, and in which style.
    fn paint(&mut self, edit: &mut Edit) -> Result<(), Problem> {
        edit.style = self.style.take();
        if self.unpainted {
            edit.strength = Some(0.0);
            // "完全不画" is no less painted than "不画".
            let _ = self.degree.take_if(|degree| degree.amount == Amount::Word(1.0));
            return Ok(());
        }
        let verb = self.verb.or(self.verb_before.filter(|_| self.degree.is_some()));
        let other = !self.changes.is_empty() || edit.keep_colors.is_some();
        let styled = edit.style.is_some() || edit.palette.is_some();
        if verb != Some(Verb::Paint) || other || (styled && self.degree.is_none()) {
            return Ok(());
        }
        let turn = self.turn.take_if(|turn| !turn.used).map(|turn| turn.sign);
        let asked = share(self.degree.take(), if turn == Some(-1.0) { USUAL } else { 1.0 })?;
        edit.strength = Some(if turn == Some(-1.0) { 1.0 - asked } else { asked });
        Ok(())
    }

    /// An amount that stands alone belongs to the changes that have none.
    fn spread(&mut self) {
        let mut open = self.changes.iter_mut().filter(|change| change.degree.is_none()).peekable();
        if open.peek().is_some()
            && let Some(degree) = self.degree.take()
        {
            open.for_each(|change| change.degree = Some(degree.clone()));
        }
    }
}

impl Change {
    /// The number, in its range.
    fn amount(&self) -> Result<f32, Problem> {
        let grain = matches!(self.attribute, Attribute::Grain | Attribute::Ink | Attribute::Abstraction);
        let said = self.degree.as_ref().is_some_and(|degree| !matches!(degree.amount, Amount::Word(_)));
        let sign = self.sign.or((grain || said).then_some(1.0));
        let Some(sign) = sign else {
            let says =
                "an attribute without a direction, expected more or less of it, or a number such as +20%";
            return Err(Problem::new(&self.at, says));
        };
        let share = match &self.degree {
            None => self.usual,
            Some(Degree { amount: Amount::Angle(degrees), at }) => {
                if self.attribute != Attribute::Hue {
                    return Err(Problem::new(at, "degrees are for hues, expected a share such as 30%"));
                }
                within(degrees / 180.0, at, "expected -180 to 180 degrees")?
            }
            Some(Degree { amount: Amount::Word(share) | Amount::Share(share), at }) => {
                within(*share, at, "expected 0 to 100%, or -100% to 0")?
            }
        };
        if grain && sign * share < 0.0 {
            return Err(Problem::new(&self.at, "grain, ink and abstraction can be added, not taken away"));
        }
        Ok(sign * share)
    }
}

/// A share from 0 to 1; `usual` where nothing is said.
fn share(degree: Option<Degree>, usual: f32) -> Result<f32, Problem> {
    match degree {
        None => Ok(usual),
        Some(Degree { amount: Amount::Word(share) | Amount::Share(share), at }) if share >= 0.0 => {
            within(share, &at, "expected 0 to 100%")
        }
        Some(degree) => Err(Problem::new(&degree.at, "expected 0 to 100%")),
    }
}

fn within(share: f32, at: &Range<usize>, says: &str) -> Result<f32, Problem> {
    let inside = (-1.0..=1.0).contains(&share);
    inside.then_some(share).ok_or_else(|| Problem::new(at, format!("out of range, {says}")))
}

fn way(sign: f32) -> &'static str {
    if sign > 0.0 { "more" } else { "less" }
}

/// Where an attribute is kept.
fn number(adjust: &mut Adjust, attribute: Attribute) -> &mut f32 {
    match attribute {
        Attribute::Brightness => &mut adjust.brightness,
        Attribute::Contrast => &mut adjust.contrast,
        Attribute::Saturation => &mut adjust.saturation,
        Attribute::Hue => &mut adjust.hue,
        Attribute::Temperature => &mut adjust.temperature,
        Attribute::Tint => &mut adjust.tint,
        Attribute::Highlights => &mut adjust.highlights,
        Attribute::Shadows => &mut adjust.shadows,
        Attribute::Vibrance => &mut adjust.vibrance,
        Attribute::Grain => &mut adjust.grain,
        Attribute::Blur => &mut adjust.blur,
        Attribute::Ink => &mut adjust.ink,
        Attribute::Abstraction => &mut adjust.abstraction,
    }
}

/// Two edits of one region in one; none where they are about the same thing.
pub(super) fn merged(one: &Edit, other: &Edit) -> Option<Edit> {
    let stays = |edit: &Edit| edit.adjust.is_nothing() && edit.learned.is_none();
    let still = stays(one) || stays(other);
    if one.region != other.region || (one.before != other.before && !still) {
        return None;
    }
    let mut both = one.clone();
    let pairs = both.adjust.amounts_mut().into_iter().zip(other.adjust.amounts());
    for (amount, (_, added, _)) in pairs {
        if *amount != 0.0 && added != 0.0 {
            return None;
        }
        *amount += added;
    }
    both.before |= other.before;
    both.strength = one_of(one.strength, other.strength)?;
    both.keep_colors = one_of(one.keep_colors, other.keep_colors)?;
    both.style = one_of(one.style.clone(), other.style.clone())?;
    both.learned = one_of(one.learned.clone(), other.learned.clone())?;
    both.stroke = one_of(one.stroke, other.stroke)?;
    both.palette = one_of(one.palette.clone(), other.palette.clone())?;
    Some(both)
}

/// The one that there is; none where there are two.
fn one_of<T>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    if one.is_some() && other.is_some() { None } else { Some(one.or(other)) }
}
