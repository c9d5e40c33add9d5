//! Plans on the way to others: regions that move, edits that grow.

use super::plan::{Edit, Plan, Region, Shape};

impl Plan {
    /// Whether another has the same edits in the same kinds of regions, so that only numbers differ.
    pub fn is_alike(&self, other: &Self) -> bool {
        let [mut one, mut two] = [self.clone(), other.clone()];
        for plan in [&mut one, &mut two] {
            plan.each_number(&mut |number| *number = 0.0);
        }
        one == two
    }

    /// On the straight way to a plan that [is alike](Self::is_alike): 0 is this one, 1 the other.
    pub fn toward(&self, other: &Self, share: f32) -> Self {
        let (mut between, mut other) = (self.clone(), other.clone());
        let mut ends = Vec::new();
        other.each_number(&mut |number| ends.push(*number));
        let mut ends = ends.into_iter();
        between.each_number(&mut |number| *number += (ends.next().unwrap_or(*number) - *number) * share);
        between
    }

    /// Every number, in one order for plans that are alike.
    fn each_number(&mut self, visit: &mut dyn FnMut(&mut f32)) {
        for Edit { region, adjust, strength, keep_colors, learned, stroke, .. } in &mut self.edits {
            region.each_number(visit);
            let amounts = adjust.amounts_mut().into_iter().chain(strength).chain(keep_colors).chain(stroke);
            amounts.chain(learned.as_mut().map(|learned| &mut learned.amount)).for_each(&mut *visit);
        }
    }
}

impl Region {
    fn each_number(&mut self, visit: &mut dyn FnMut(&mut f32)) {
        visit(&mut self.feather);
        match &mut self.shape {
            Shape::Whole | Shape::Picture { .. } | Shape::Mask | Shape::Alpha | Shape::Detected { .. } => {}
            Shape::Rectangle { x, y, width, height } | Shape::Ellipse { x, y, width, height } => {
                [x, y, width, height].into_iter().for_each(visit);
            }
            Shape::Polygon { points } => points.iter_mut().flatten().for_each(visit),
            Shape::Gradient { from, to } => from.iter_mut().chain(to).for_each(visit),
            Shape::Luma { low, high } => [low, high].into_iter().for_each(visit),
            Shape::Colour { colour, tolerance } => colour.iter_mut().chain([tolerance]).for_each(visit),
            Shape::All(parts) | Shape::Any(parts) => {
                parts.iter_mut().for_each(|part| part.each_number(visit))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(instruction: &str) -> Plan {
        Plan::from_instruction(instruction).unwrap()
    }

    #[test]
    fn between_two_plans_everything_is_as_far_as_the_share() {
        let json = |x: f32, brightness: f32, strength: f32| {
            let edit = format!(
                r#"{{"edits": [{{"region": {{"shape": {{"any": [{{"shape": {{"ellipse": {{"x": {x}, "y": 0, "width": 0.5,
                "height": 1}}}}}}, {{"shape": {{"polygon": {{"points": [[{x}, 0], [1, 0], [0, 1]]}}}}}}]}}}},
                "adjust": {{"brightness": {brightness}}}, "strength": {strength}}}]}}"#
            );
            Plan::from_json(&edit).unwrap()
        };
        let (one, two) = (json(0.0, -0.5, 1.0), json(0.5, 0.5, 0.0));
        assert!(one.is_alike(&two));
        assert_eq!(one.toward(&two, 0.25), json(0.125, -0.25, 0.75));
        assert_eq!((one.toward(&two, 0.0), one.toward(&two, 1.0)), (one.clone(), two.clone()));
        one.toward(&two, 0.3).check().unwrap();
    }

    #[test]
    fn other_regions_and_other_kinds_of_edits_are_not_alike() {
        let one = plan("darken the left half");
        for other in [
            "darken the centre",
            "darken the left half, then the right half warmer",
            "paint the left half at 40%",
            "darken the detected face",
        ] {
            assert!(!one.is_alike(&plan(other)), "{other}");
        }
        assert!(!one.is_alike(&Plan::default()));
        assert!(one.is_alike(&plan("brighten the right third a bit")), "rectangles move");
        let face = plan("darken the detected face");
        assert!(face.is_alike(&plan("brighten the detected face softly")));
        assert!(!face.is_alike(&plan("darken the detected person")));
    }
}
