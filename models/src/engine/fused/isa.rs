//! Which instruction set paints.

use std::str::FromStr;

use crate::{Error, Result};

/// Forces an instruction set, for tests and reports.
const VARIABLE: &str = "IMPASTO_CPU";

/// An instruction set that there are loops for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Nothing in particular: every processor.
    Portable,
    /// AVX2 with FMA: most laptops.
    Avx2,
    /// AVX-512 F, BW, VL.
    Avx512,
    /// The same with products of bf16.
    Avx512Bf16,
}

impl Isa {
    /// Every instruction set, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512Bf16, Self::Avx512, Self::Avx2, Self::Portable];

    /// The name that `IMPASTO_CPU` knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512-bf16",
        }
    }

    /// Whether this processor has it.
    pub fn is_here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = || {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
            };
            match self {
                Self::Portable => true,
                Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
                Self::Avx512 => avx512(),
                Self::Avx512Bf16 => avx512() && is_x86_feature_detected!("avx512bf16"),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Portable
        }
    }

    /// The one that `IMPASTO_CPU` asks for, else the fastest that this processor has.
    ///
    /// # Errors
    /// [`Error::Cpu`] where the variable names none, or one that is not here.
    pub fn chosen() -> Result<Self> {
        match std::env::var_os(VARIABLE) {
            Some(asked) if !asked.is_empty() => asked.to_string_lossy().parse(),
            _ => Ok(Self::ALL.into_iter().find(|isa| isa.is_here()).unwrap_or(Self::Portable)),
        }
    }
}

impl FromStr for Isa {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|isa| isa.name() == text && isa.is_here());
        found.ok_or_else(|| {
            let here = Self::ALL.into_iter().filter(|isa| isa.is_here()).map(Self::name);
            Error::Cpu { asked: text.to_owned(), here: here.collect::<Vec<_>>().join(", ") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_instruction_set_is_named_with_those_that_are_here() {
        let message = "avx1024".parse::<Isa>().unwrap_err().to_string();
        assert!(message.contains("avx1024") && message.contains("portable"), "{message}");
        assert_eq!("portable".parse::<Isa>().unwrap(), Isa::Portable);
    }
}
