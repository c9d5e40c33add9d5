//! The running average of the generator's weights: what is exported (Yazıcı et al., 2019, "The unusual effectiveness of
//! averaging in GAN training").

use impasto_models::generators::Weights;

/// The average of a network's state.
#[derive(Debug, Clone)]
pub struct Average {
    state: Weights,
    decay: f64,
    steps: u64,
}

impl Average {
    /// Of a network at its start.
    pub fn new(state: Weights, decay: f64) -> Self {
        Self { state, decay, steps: 0 }
    }

    /// As it was saved after `steps` steps.
    pub fn resumed(state: Weights, decay: f64, steps: u64) -> Self {
        Self { state, decay, steps }
    }

    /// Takes in the newest state. The decay warms up as `(1 + t) / (10 + t)`, so that the start is soon forgotten.
    pub fn update(&mut self, newest: &Weights) {
        let warm = (1.0 + self.steps as f64) / (10.0 + self.steps as f64);
        let decay = self.decay.min(warm) as f32;
        self.steps += 1;
        for (path, average) in &mut self.state {
            let Some(newest) = newest.get(path) else { continue };
            for (average, newest) in average.values.iter_mut().zip(&newest.values) {
                *average = newest + decay * (*average - newest);
            }
        }
    }

    /// How many states it took in.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The averaged state.
    pub fn state(&self) -> &Weights {
        &self.state
    }
}

#[cfg(test)]
mod tests {
    use impasto_models::generators::WeightTensor;

    use super::*;

    fn state(value: f32) -> Weights {
        Weights::from([("a".to_owned(), WeightTensor { shape: vec![1], values: vec![value] })])
    }

    #[test]
    fn the_average_follows_and_forgets_its_start() {
        let mut average = Average::new(state(100.0), 0.9);
        (0..200).for_each(|_| average.update(&state(1.0)));
        assert!((average.state()["a"].values[0] - 1.0).abs() < 1e-3);
    }

    #[test]
    fn no_decay_is_the_newest() {
        let mut average = Average::new(state(5.0), 0.0);
        average.update(&state(2.0));
        assert_eq!(average.state(), &state(2.0));
    }
}
