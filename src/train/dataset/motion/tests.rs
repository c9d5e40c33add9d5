use super::super::draw::Purpose;
use super::video::EstimatedFlow;
use super::*;

/// Blocks and stripes: every pixel tells where it is from.
fn picture(seed: u32) -> RgbImage {
    RgbImage::from_fn(260, 200, |x, y| {
        let noise = (x * 7919 + y * 104_729 + seed * 1_299_709) % 61;
        image::Rgb([(x + noise) as u8, (y + 2 * noise) as u8, (x / 8 * 37 + y / 8 * 91 + seed) as u8])
    })
}

/// Nothing but motion.
fn bare() -> Temporal {
    Temporal { noise: 0.0, relax_luma: false, occluders: false, video: 0.0, ..Temporal::default() }
}

/// The first batches of 2 pairs of 64 pixels whose kind is `wanted`.
fn batches(temporal: &Temporal, wanted: fn(PairKind) -> bool) -> Vec<Pairs> {
    let pictures = [picture(1), picture(2)];
    let content = Content { noise: 0.0, ..Content::default() };
    let motions = Motions { pictures: &pictures, videos: &[], content: &content, temporal };
    let batches = (0..60).map(|step| motions.pairs(&mut Draw::new(5, step, Purpose::Motion), 2, 64));
    let batches: Vec<Pairs> = batches.filter(|pairs| wanted(pairs.kind)).collect();
    assert!(batches.len() > 3, "{} batches", batches.len());
    batches
}

/// The greatest difference where the mask is 1 between a second frame and its first, looked up as the pair says.
fn apart(pairs: &Pairs, index: usize) -> f32 {
    let (first, second) = (&pairs.first[index], &pairs.second[index]);
    let (side, plane) = (first.width, first.width * first.height);
    let mut most = 0.0f32;
    for pixel in 0..plane {
        if pairs.mask[index * plane + pixel] == 0.0 {
            continue;
        }
        let flow = match pairs.kind {
            PairKind::Still => [0.0, 0.0],
            PairKind::Shift { rows, columns } => [columns as f32, rows as f32],
            _ => [0, 1].map(|part| pairs.flow[2 * (index * plane + pixel) + part]),
        };
        let (x, y) = ((pixel % side) as f32 + flow[0], (pixel / side) as f32 + flow[1]);
        for channel in 0..3 {
            let at = |x: f32, y: f32| {
                first.data[channel * plane + (y as usize).min(side - 1) * side + (x as usize).min(side - 1)]
            };
            let (left, top) = (x.floor(), y.floor());
            let row = |y: f32| at(left, y) * (1.0 - (x - left)) + at(left + 1.0, y) * (x - left);
            let looked_up = row(top) * (1.0 - (y - top)) + row(top + 1.0) * (y - top);
            most = most.max((looked_up - second.data[channel * plane + pixel]).abs());
        }
    }
    most
}

fn seen(pairs: &Pairs) -> f32 {
    pairs.mask.iter().sum::<f32>() / pairs.mask.len() as f32
}

#[test]
fn frames_at_rest_are_equal_but_for_noise() {
    for pairs in batches(&bare(), |kind| kind == PairKind::Still) {
        assert_eq!(pairs.first, pairs.second);
    }
    for pairs in batches(&Temporal { noise: 0.05, ..bare() }, |kind| kind == PairKind::Still) {
        for (first, second) in pairs.first.iter().zip(&pairs.second) {
            let squares = first.data.iter().zip(&second.data).map(|(a, b)| (a - b).powi(2));
            let deviation = (squares.sum::<f32>() / first.data.len() as f32).sqrt();
            assert!((0.01..0.075).contains(&deviation), "{deviation}");
        }
    }
}

#[test]
fn shifted_frames_overlap_exactly() {
    for pairs in batches(&bare(), |kind| matches!(kind, PairKind::Shift { .. })) {
        assert!(pairs.flow.is_empty() && seen(&pairs) > 0.7);
        assert_eq!((0..2).map(|index| apart(&pairs, index)).fold(0.0, f32::max), 0.0);
    }
}

#[test]
fn the_first_frame_warped_is_the_second_wherever_it_is_seen() {
    for pairs in batches(&bare(), |kind| kind == PairKind::Warp) {
        assert!(pairs.flow.len() == 2 * 2 * 64 * 64 && seen(&pairs) > 0.5, "{}", seen(&pairs));
        (0..2).for_each(|index| assert!(apart(&pairs, index) < 1e-5, "{}", apart(&pairs, index)));
    }
}

#[test]
fn what_an_occluder_hides_in_either_frame_is_not_seen() {
    let temporal = Temporal { occluders: true, ..bare() };
    for pairs in batches(&temporal, |kind| kind != PairKind::Still) {
        (0..2).for_each(|index| {
            assert!(apart(&pairs, index) < 1e-5, "{:?} {}", pairs.kind, apart(&pairs, index))
        });
    }
    let hidden = |temporal: &Temporal| {
        let shifts = batches(temporal, |kind| matches!(kind, PairKind::Shift { .. }));
        shifts.iter().map(|pairs| 1.0 - seen(pairs)).sum::<f32>()
    };
    assert!(hidden(&temporal) > hidden(&bare()) + 0.1);
}

#[test]
fn a_change_of_light_is_told() {
    let temporal = Temporal { relax_luma: true, ..bare() };
    let mut changed = 0;
    for pairs in batches(&temporal, |kind| kind == PairKind::Still) {
        let luma = |stills: &[Still]| stills.iter().flat_map(Still::luma).collect::<Vec<f32>>();
        let (before, after) = (luma(&pairs.first), luma(&pairs.second));
        for ((before, after), light) in before.iter().zip(&after).zip(&pairs.light) {
            assert!((after - before - light).abs() < 1e-6);
        }
        changed += usize::from(pairs.light.iter().any(|light| light.abs() > 0.02));
    }
    assert!(changed > 3);
}

#[test]
fn kinds_come_as_often_as_the_recipe_says() {
    let pictures = [picture(1)];
    let (content, temporal) = (Content::default(), Temporal { still: 0.4, ..bare() });
    let motions = Motions { pictures: &pictures, videos: &[], content: &content, temporal: &temporal };
    let mut counts = [0; 3];
    for step in 0..1000 {
        match motions.kind(&mut Draw::new(5, step, Purpose::Motion)) {
            PairKind::Still => counts[0] += 1,
            PairKind::Shift { rows, columns } => {
                assert!((rows, columns) != (0, 0) && rows.abs() <= 7 && columns.abs() <= 7);
                counts[1] += 1;
            }
            PairKind::Warp => counts[2] += 1,
            PairKind::Video => panic!("there is no video"),
        }
    }
    for (count, expected) in counts.iter().zip([400i32, 300, 300]) {
        assert!((count - expected).abs() < 60, "{counts:?}");
    }
}

#[test]
fn crops_of_videos_keep_their_motion_also_mirrored() {
    let scene = picture(3);
    let frames = [(4, 6), (7, 5)].map(|(x, y)| image::imageops::crop_imm(&scene, x, y, 120, 100).to_image());
    let pixels = 120 * 100;
    let motion = EstimatedFlow { flow: [3.0, -1.0].repeat(pixels), mask: vec![1.0; pixels] };
    let videos = [VideoPair::new(frames.clone(), motion.clone()).unwrap()];
    let temporal = Temporal { still: 0.0, video: 1.0, ..bare() };
    let content = Content::default();
    let motions = Motions { pictures: &[], videos: &videos, content: &content, temporal: &temporal };
    for step in 0..8 {
        let pairs = motions.pairs(&mut Draw::new(5, step, Purpose::Motion), 2, 64);
        assert_eq!(pairs.kind, PairKind::Video);
        (0..2).for_each(|index| assert_eq!(apart(&pairs, index), 0.0));
        assert!(seen(&pairs) > 0.9);
    }
    assert!(VideoPair::new(frames, EstimatedFlow { mask: Vec::new(), ..motion }).is_err());
}
