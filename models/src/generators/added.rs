//! What a network adds of its input's colours to what it paints.

use super::weights::Weights;

/// For each colour three weights and a constant.
pub(crate) type Crossed = [[f32; 4]; 3];

/// A share of each colour, or a mix of all three.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Added {
    Shares([f32; 3]),
    Mix(Crossed),
}

impl Added {
    /// As weights say; where they say nothing, each colour as it is.
    pub(crate) fn of(weights: &Weights) -> Self {
        if let Some(mix) = weights.get("crossed") {
            return Self::Mix(std::array::from_fn(|row| std::array::from_fn(|at| mix.values[4 * row + at])));
        }
        let shares = weights.get("share").map(|share| [share.values[0], share.values[1], share.values[2]]);
        Self::Shares(shares.unwrap_or([1.0; 3]))
    }

    /// The shares; none of a mix.
    pub(crate) fn shares(&self) -> [f32; 3] {
        match self {
            Self::Shares(shares) => *shares,
            Self::Mix(_) => [0.0; 3],
        }
    }

    /// As a mix.
    pub(crate) fn mix(&self) -> Crossed {
        match self {
            Self::Mix(mix) => *mix,
            Self::Shares(shares) => {
                std::array::from_fn(|row| std::array::from_fn(|at| if at == row { shares[row] } else { 0.0 }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::WeightTensor;

    fn added(name: &str, values: &[f32]) -> Added {
        let tensor = WeightTensor { shape: vec![values.len()], values: values.to_vec() };
        Added::of(&[(name.to_owned(), tensor)].into_iter().collect())
    }

    #[test]
    fn shares_are_a_mix_and_without_any_all_of_each_colour_is_added() {
        let mix = [[0.5, 0.0, 0.0, 0.0], [0.0, 0.25, 0.0, 0.0], [0.0, 0.0, 0.75, 0.0]];
        assert_eq!(added("share", &[0.5, 0.25, 0.75]).mix(), mix);
        let crossed = added("crossed", mix.as_flattened());
        assert_eq!((crossed.mix(), crossed.shares()), (mix, [0.0; 3]));
        assert_eq!(added("other", &[]).shares(), [1.0; 3]);
    }
}
