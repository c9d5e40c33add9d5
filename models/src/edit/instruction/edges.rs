//! How soft a region's edges are, where an amount says so.

use super::clause::{Amount, Edge, Problem};
use super::parse::Parser;
use super::token::{Kind, Token};
use super::words::Word;

impl Parser<'_> {
    /// "A 10% feather", or "feather by 10%": an amount that is the width of edges.
    pub(super) fn width(&mut self, at: usize, amount: Amount) -> Result<Option<usize>, Problem> {
        let place = &self.tokens[at].at;
        // "A 10% feather", but not "by 30% with a feather of 10%".
        let noun = |token: &Token| {
            token.kind == Kind::Known(Word::Feather)
                && ["feather", "羽化"].contains(&self.text[token.at.clone()].to_lowercase().as_str())
        };
        let amount_behind = |at: usize| {
            let behind = self.ahead(at + 1).map(|(_, kind)| kind);
            matches!(behind, Some(Kind::Share(_) | Kind::Bare(_) | Kind::Known(Word::Degree(_))))
        };
        let ahead = self.tokens.get(at + 1).filter(|token| noun(token) && !amount_behind(at + 1));
        let waits = self.clause.edge.as_ref().is_some_and(|edge| edge.waits);
        let (feather, next) = match (amount, ahead) {
            (Amount::Word(share) | Amount::Share(share), Some(_)) => (share, at + 2),
            (Amount::Word(share) | Amount::Share(share), None) if waits => (share, at + 1),
            _ => return Ok(None),
        };
        if !(0.0..=1.0).contains(&feather) {
            return Err(Problem::new(place, "out of range, expected edges of 0 to 100%"));
        }
        self.clause.edge = Some(Edge { feather, waits: false, at: place.clone() });
        Ok(Some(next))
    }
}
