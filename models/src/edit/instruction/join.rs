//! What a joiner means: the end of a clause, or that it goes on.

use super::clause::Problem;
use super::parse::Parser;
use super::region::Link;
use super::token::{Kind, Token, is_chinese};
use super::words::Word;

/// How it goes on behind a joiner.
enum Course {
    /// In the same clause.
    On,
    /// With another region of it.
    Union,
    /// With what is left out of its region.
    LeaveOut,
    /// In another clause, in the same region unless it names one.
    Anew { inherits: bool },
}

impl Parser<'_> {
    /// Joiners: where a clause ends, or goes on.
    pub(super) fn join(&mut self, at: usize) -> Result<usize, Problem> {
        let mut next = at;
        let mut strongest = Word::And;
        while let Some(Kind::Known(word)) = self.tokens.get(next).map(|token| &token.kind) {
            if is_joiner(*word) {
                strongest = stronger(strongest, *word);
            } else if *word != Word::Filler {
                break;
            }
            next += 1;
        }
        let ending = self.tokens[at].at.start;
        self.after_change = false;
        self.after_and = strongest == Word::And;
        if strongest != Word::And {
            self.clause.list = self.clause.changes.len();
        }
        match self.course(next, strongest) {
            Course::On => {}
            Course::Union => self.link = Some(Link::Or),
            Course::LeaveOut => self.clause.place.leave_out(),
            Course::Anew { inherits } => self.begin_clause(ending, strongest, inherits)?,
        }
        Ok(next)
    }

    /// What a joiner means before what comes at `next`.
    fn course(&self, next: usize, joiner: Word) -> Course {
        let Some((first, kind)) = self.ahead(next) else { return Course::On };
        let segment = self.segment(next);
        let trailing = |token: &Token| {
            matches!(token.kind, Kind::Known(Word::Before(_) | Word::Edge(_) | Word::Filler | Word::In))
        };
        let feathers = segment.iter().any(|token| token.kind == Kind::Known(Word::Feather));
        let wide = |token: &Token| {
            feathers
                && matches!(
                    token.kind,
                    Kind::Known(Word::Feather | Word::Pronoun | Word::Degree(_))
                        | Kind::Share(_)
                        | Kind::Bare(_)
                )
        };
        if segment.iter().all(|token| trailing(token) || wide(token)) && joiner != Word::Then {
            return Course::On;
        }
        let word = if let Kind::Known(word) = kind { Some(*word) } else { None };
        let region = word.is_some_and(is_region);
        let chinese = self.text[self.tokens[first].at.clone()].starts_with(is_chinese);
        if joiner == Word::Then {
            return Course::Anew { inherits: false };
        }
        let names_outside = |token: &Token| {
            matches!(token.kind, Kind::Known(Word::Outside | Word::Filler)) || names_region(token)
        };
        let outside = segment.iter().any(|token| token.kind == Kind::Known(Word::Outside));
        if outside && segment.iter().all(names_outside) && self.clause.has_effect() {
            return Course::LeaveOut; // "调暗，中间除外"
        }
        if joiner == Word::But && region && self.after_region {
            return Course::LeaveOut;
        }
        let place = &self.clause.place;
        if !self.clause.has_effect() {
            return if region && self.after_region { Course::Union } else { Course::On };
        }
        let names = segment.iter().any(names_region);
        match word {
            Some(Word::Except) if !chinese => Course::On,
            Some(Word::Except | Word::Before(_)) => Course::Anew { inherits: false },
            Some(Word::Tones(..)) if self.after_and && self.clause.turn.is_some() => Course::On,
            Some(_) if region && self.after_and && self.after_region => Course::Union,
            Some(_) if region => Course::Anew { inherits: false },
            Some(Word::Change { verb: true, .. }) if names && self.has_no_object() && joiner == Word::And => {
                Course::On
            }
            Some(word) if is_verb(word) => Course::Anew { inherits: chinese && !names },
            _ if names && !(joiner == Word::And && place.is_empty()) => Course::Anew { inherits: true },
            _ => Course::On,
        }
    }

    /// Ends a clause, and begins one that goes on with some of it.
    pub(super) fn begin_clause(
        &mut self,
        ending: usize,
        joiner: Word,
        inherits: bool,
    ) -> Result<(), Problem> {
        let old = self.clause.clone();
        self.end_clause(ending)?;
        if joiner == Word::And {
            self.clause.before = old.before;
        }
        if joiner != Word::Then {
            self.clause.verb_before = old.verb.or(old.verb_before);
        }
        if inherits {
            self.clause.place = old.place;
            self.clause.edge = old.edge;
            self.clause.inherited = true;
            let goes_on = joiner == Word::And;
            self.clause.turn = old.turn.filter(|turn| goes_on && turn.used);
        }
        Ok(())
    }

    /// Whether what is said so far waits for what it is said of: "warm up and brighten the middle".
    fn has_no_object(&self) -> bool {
        let clause = &self.clause;
        let said =
            clause.verb.is_some() || clause.turn.is_some() || clause.spoken_of || !clause.place.is_empty();
        !said && !clause.changes.is_empty() && clause.changes.iter().all(|change| change.verb)
    }

    /// What is said from `at` to the next joiner.
    fn segment(&self, at: usize) -> &[Token] {
        let behind = self.tokens.get(at..).unwrap_or_default();
        let joiner = |token: &Token| matches!(token.kind, Kind::Known(word) if is_joiner(word));
        &behind[..behind.iter().position(joiner).unwrap_or(behind.len())]
    }
}

/// Whether a word stands between clauses or parts of one.
pub(super) fn is_joiner(word: Word) -> bool {
    matches!(word, Word::And | Word::Comma | Word::Then | Word::But)
}

fn stronger(one: Word, other: Word) -> Word {
    let rank = |word| [Word::And, Word::Comma, Word::But, Word::Then].iter().position(|known| *known == word);
    if rank(other) > rank(one) { other } else { one }
}

fn names_region(token: &Token) -> bool {
    matches!(token.kind, Kind::Known(word) if is_region(word))
}

/// Whether a word names a region, or may.
pub(super) fn is_region(word: Word) -> bool {
    matches!(word, Word::Place(_) | Word::Detected | Word::Tones(..) | Word::Rest | Word::Pronoun)
}

fn is_verb(word: Word) -> bool {
    matches!(word, Word::Verb(_) | Word::Turn { verb: true, .. } | Word::Change { verb: true, .. })
}
