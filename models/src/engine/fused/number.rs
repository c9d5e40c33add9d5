//! What activations and weights are kept as.

pub(super) use half::bf16;

/// A number of a network: `f32`, or `bf16` where the processor multiplies those.
pub(super) trait Number: Copy + Default + Send + Sync + 'static {
    /// The name people know it by.
    const NAME: &'static str;

    /// The nearest number; of two the even one.
    fn of(number: f32) -> Self;

    /// The number, exactly; the loops have their own way.
    fn wide(self) -> f32;
}

impl Number for f32 {
    const NAME: &'static str = "f32";

    #[inline(always)]
    fn of(number: f32) -> Self {
        number
    }

    fn wide(self) -> f32 {
        self
    }
}

impl Number for bf16 {
    const NAME: &'static str = "bf16";

    #[inline(always)]
    fn of(number: f32) -> Self {
        Self::from_f32(number)
    }

    fn wide(self) -> f32 {
        self.to_f32()
    }
}
