//! In which numbers a network is computed.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Numbers as the user asks for them: `auto`, `f32`, `bf16` or `f16`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Precision {
    /// The fastest whose picture nobody tells from single precision's.
    #[default]
    Auto,
    /// Single precision.
    F32,
    /// Products of bfloat16, sums in single precision.
    Bf16,
    /// Products of half precision, sums in single precision.
    F16,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Self; 4] = [Self::Auto, Self::F32, Self::Bf16, Self::F16];

    /// What the user writes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// The error of an engine that has it not, and why.
    pub(super) fn missing(self, reason: &str) -> Error {
        Error::Precision { asked: self.name().to_owned(), reason: reason.to_owned() }
    }
}

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == text);
        found.ok_or_else(|| Error::Precision {
            asked: text.to_owned(),
            reason: "expected auto, f32, bf16 or f16".to_owned(),
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_precision_reads_back_as_it_prints_and_an_unknown_one_is_named() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
        let message = "int4".parse::<Precision>().unwrap_err().to_string();
        assert!(message.contains("'int4'") && message.contains("bf16"), "{message}");
    }
}
