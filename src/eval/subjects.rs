//! Who paints: the model in question and its baseline, each alone and with the flicker filter that it recommends.

use std::sync::Arc;

use anyhow::Result;
use impasto_models::edit::Plan;
use impasto_models::{Controls, Model};

use super::painter::{Painter, Role};
use crate::arguments::PaintOptions;

/// The painters of a report, each with the index of the one it is compared with.
///
/// Where the user says how strong the flicker filter is, each model paints with that. Otherwise each paints without it,
/// and where the model in question recommends it, once more, both as they recommend.
///
/// # Errors
/// A model that cannot be used.
pub fn subjects(options: &PaintOptions, baseline: Option<&str>) -> Result<Vec<(Painter, Option<usize>)>> {
    options.check_mask(None, false)?;
    options.check_detected(false)?;
    let subject = options.open_model()?;
    let own = options.still_controls(&subject)?;
    let baseline = baseline.map(Model::open).transpose()?;
    let edits_of_baseline = baseline.as_deref().and_then(|baseline| edits_of(baseline, options));
    let recommended = |model: &Model| model.metadata().defaults.temporal;
    let recommended =
        [Some(&subject), baseline.as_ref()].map(|model| model.map_or(0.0, |model| recommended(model)));
    baseline.iter().try_for_each(|baseline| baseline.check_strength(own.strength))?;
    // How strong the filter is, of the model and of its baseline.
    let filters = match options.temporal {
        Some(temporal) => vec![[temporal; 2]],
        None if recommended[0] > 0.0 => vec![[0.0; 2], recommended],
        None => vec![[0.0; 2]],
    };
    let painter = |model: &Arc<Model>, role, temporal| {
        let Controls { strength, keep_colors, adapt, stroke, .. } = own;
        // A style is one of the subject's; a baseline paints in its first, scenes in their own light.
        let numbers = Controls { strength, keep_colors, temporal, stroke, ..Controls::default() };
        let (controls, style, palette) = match role {
            Role::Subject => {
                let (style, edits) = (own.style.clone(), own.edits.clone());
                (Controls { adapt, style, edits, ..numbers }, options.style.clone(), options.palette.clone())
            }
            Role::Baseline => (Controls { edits: edits_of_baseline.clone(), ..numbers }, None, None),
        };
        Painter { model: model.clone(), role, controls, style, palette }
    };
    let mut others: Vec<Painter> = Vec::new();
    let mut painters = Vec::new();
    for [own, other] in &filters {
        let compared = baseline.as_ref().map(|baseline| {
            let known = others.iter().position(|painter| painter.controls.temporal == *other);
            known.unwrap_or_else(|| {
                others.push(painter(baseline, Role::Baseline, *other));
                others.len() - 1
            })
        });
        painters.push((painter(&subject, Role::Subject, *own), compared.map(|index| filters.len() + index)));
    }
    painters.extend(others.into_iter().map(|painter| (painter, None)));
    Ok(painters)
}

/// Edits as a baseline can paint them: their regions in its own styles of those names, or in no style of their own where it has
/// not those.
fn edits_of(baseline: &Model, options: &PaintOptions) -> Option<Arc<Plan>> {
    let unstyled = || options.edit.as_ref().map(|plan| Arc::new(plan.without_styles()));
    options.edits_of(baseline).unwrap_or_else(|_| unstyled())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use impasto_models::generators::{GeneratorConfig, TinyConfig};
    use impasto_models::model::{Defaults, Metadata};

    use super::*;

    fn model(folder: &Path, name: &str, temporal: f32) -> String {
        let config = GeneratorConfig::Tiny(TinyConfig::new(1));
        let untrained = Model::untrained(config.clone(), 7);
        let metadata = Metadata { defaults: Defaults { temporal }, ..Metadata::new(name, config) };
        let file = folder.join(format!("{name}.safetensors"));
        Model::new(metadata, untrained.weights().clone()).unwrap().save(&file, true).unwrap();
        file.display().to_string()
    }

    #[test]
    fn a_model_that_recommends_the_filter_is_measured_without_and_with_it_and_its_baseline_as_often_as_needed()
     {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (model(folder.path(), "new", 0.5), model(folder.path(), "old", 0.0));
        let options = |temporal| PaintOptions {
            model: Some(new.clone()),
            style: None,
            palette: None,
            edit: None,
            strength: 1.0,
            keep_colors: 0.0,
            adapt: 0.0,
            stroke: None,
            temporal,
            device: Default::default(),
            precision: Default::default(),
        };
        let found = subjects(&options(None), Some(&old)).unwrap();
        let found: Vec<_> = found.iter().map(|(painter, other)| (painter.label(), *other)).collect();
        let expected = [("new", Some(2)), ("new, temporal 0.5", Some(2)), ("baseline old", None)];
        assert_eq!(found, expected.map(|(label, other)| (label.to_owned(), other)));
        let found = subjects(&options(Some(0.3)), None).unwrap();
        assert_eq!((found.len(), found[0].0.label(), found[0].1), (1, "new, temporal 0.3".to_owned(), None));
    }

    #[test]
    fn the_style_that_was_asked_for_is_named_and_a_baseline_paints_in_its_first() {
        let options = PaintOptions {
            model: Some("any".to_owned()),
            style: Some("scream:0.5,great-wave:0.5".to_owned()),
            palette: Some("starry-night".to_owned()),
            edit: None,
            strength: 1.0,
            keep_colors: 0.0,
            adapt: 0.0,
            stroke: None,
            temporal: Some(0.0),
            device: Default::default(),
            precision: Default::default(),
        };
        let found = subjects(&options, Some("any")).unwrap();
        let labels: Vec<_> = found.iter().map(|(painter, _)| painter.label()).collect();
        assert_eq!(labels, ["any, style scream:0.5,great-wave:0.5, palette starry-night", "baseline any"]);
        assert!(found[0].0.controls.style.is_some() && found[1].0.controls.style.is_none());
    }

    #[test]
    fn a_baseline_without_the_styles_of_regions_is_edited_but_for_those() {
        let folder = tempfile::tempdir().unwrap();
        let other = model(folder.path(), "other", 0.0);
        let plan = r#"{"edits": [{"style": "scream", "adjust": {"contrast": 0.5}}]}"#;
        let options = PaintOptions {
            model: Some("any".to_owned()),
            style: None,
            palette: None,
            edit: Some(Arc::new(Plan::from_json(plan).unwrap())),
            strength: 1.0,
            keep_colors: 0.0,
            adapt: 0.0,
            stroke: None,
            temporal: Some(0.0),
            device: Default::default(),
            precision: Default::default(),
        };
        let edits = |baseline: &str| {
            let found = subjects(&options, Some(baseline)).unwrap();
            found.iter().map(|(painter, _)| painter.controls.edits.clone().unwrap()).collect::<Vec<_>>()
        };
        let [own, baseline] = &edits(&other)[..] else { panic!("two painters") };
        assert!(own.has_styles() && !baseline.has_styles() && baseline.edits[0].adjust.contrast == 0.5);
        assert!(edits("any").iter().all(|plan| plan.has_styles()));
    }
}
