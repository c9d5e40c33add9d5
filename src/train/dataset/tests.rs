use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::*;

fn recipe(folder: &Path) -> Recipe {
    for (name, width, height) in [("a.png", 400, 300), ("b.png", 300, 420), ("painting.png", 320, 256)] {
        let seed = u32::from(name.as_bytes()[0]);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * seed / 9) as u8, (y * seed / 7) as u8, (x * y / seed) as u8])
        });
        picture.save(folder.join(name)).unwrap();
    }
    toml::from_str(
        "name = 'test'\nseed = 4\ntarget.image = 'painting.png'\ntarget.longer_side = 256\n\
         content.paths = ['a.png', 'b.png']\ntraining.crop = 96",
    )
    .unwrap()
}

fn open(recipe: &Recipe, folder: &Path) -> (Dataset, Vec<String>) {
    let mut said = Vec::new();
    let dataset = Dataset::open(recipe, folder, &mut |line| said.push(line)).unwrap();
    (dataset, said)
}

#[test]
fn a_step_is_the_same_whatever_happened_before() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(folder.path());
    let ((unbroken, said), (resumed, _)) = (open(&recipe, folder.path()), open(&recipe, folder.path()));
    assert!(said.is_empty(), "{said:?}");
    for step in 0..4 {
        unbroken.style(step, 0, 2, 64);
        unbroken.pairs(step, 2, 64);
        unbroken.content(step);
    }
    for step in [4, 7] {
        assert_eq!(unbroken.content(step), resumed.content(step));
        assert_eq!(unbroken.pairs(step, 2, 64), resumed.pairs(step, 2, 64));
        assert_eq!(unbroken.style(step, 0, 2, 64), resumed.style(step, 0, 2, 64));
    }
    assert_ne!(unbroken.content(4), unbroken.content(5));
    let (other, _) = open(&Recipe { seed: 5, ..recipe }, folder.path());
    assert_ne!(other.content(4), resumed.content(4));
}

#[test]
fn batches_have_the_size_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, _) = open(&recipe(folder.path()), folder.path());
    let content = dataset.content(0);
    assert_eq!((content.len(), content[0].width, content[3].height), (4, 96, 96));
    let style = dataset.style(0, 0, 3, 200);
    assert_eq!((style.len(), style[2].width, style[2].height), (3, 200, 200));
    assert!(dataset.key_frames(0, 2, 64).is_empty());
    assert_eq!((dataset.styles().len(), dataset.pictures().len()), (1, 2));
}

#[test]
fn small_pictures_are_worth_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = recipe(folder.path());
    recipe.training.crop = 320;
    let (dataset, said) = open(&recipe, folder.path());
    assert!(said.len() == 1 && said[0].contains("2 of 2 pictures are smaller than a crop"), "{said:?}");
    assert_eq!(dataset.content(0)[0].width, 320);
}

#[test]
fn videos_give_pairs_once_their_motion_is_estimated() {
    let clip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/material/clips/bear_davis.mp4");
    if !clip.exists() {
        eprintln!("SKIPPED: {} is not there", clip.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = recipe(folder.path());
    recipe.content.paths = vec![clip];
    recipe.content.frames_per_video = 3;
    recipe.temporal.video = 1.0;
    recipe.temporal.still = 0.0;
    let (mut dataset, _) = open(&recipe, folder.path());
    assert_eq!(dataset.pictures().len(), 3);
    assert_ne!(dataset.pairs(0, 1, 64).kind, motion::PairKind::Video);
    let at_rest = |first: &Still, _: &Still| {
        let pixels = first.width * first.height;
        Ok(EstimatedFlow { flow: vec![0.0; 2 * pixels], mask: vec![1.0; pixels] })
    };
    dataset.estimate_motion(at_rest).unwrap();
    assert_eq!(dataset.pairs(0, 1, 64).kind, motion::PairKind::Video);
}

/// Not a check: a debug build on a busy machine says little.
#[test]
fn batches_of_real_photos_are_timed() {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/material/content/kodak");
    if !photos.exists() {
        eprintln!("SKIPPED: {} is not there", photos.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut recipe = recipe(folder.path());
    recipe.content.paths = vec![PathBuf::from(&photos)];
    recipe.training.crop = 192;
    let (dataset, _) = open(&recipe, folder.path());
    let mut times = [Duration::ZERO; 3];
    const STEPS: u32 = 40;
    for step in 0..u64::from(STEPS) {
        let start = Instant::now();
        drop(dataset.content(step));
        times[0] += start.elapsed();
        let start = Instant::now();
        drop(dataset.pairs(step, 4, 192));
        times[1] += start.elapsed();
        let start = Instant::now();
        drop(dataset.style(step, 0, 4, 96));
        times[2] += start.elapsed();
    }
    let [content, pairs, style] = times.map(|time| time / STEPS);
    println!("four of 192x192: content {content:?}, pairs {pairs:?}; four of 96x96: style {style:?}");
}
