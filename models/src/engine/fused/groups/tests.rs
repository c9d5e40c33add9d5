use super::*;

fn shares<const N: usize>(rows: &[&[[f32; N]]]) -> Map<f32> {
    let mut map = Map::new(N);
    map.reshape(rows[0].len(), rows.len());
    map.rows_mut().for_each(|y, row| {
        row.iter_mut().zip(rows[y].as_flattened()).for_each(|(to, share)| *to = *share);
    });
    map
}

const A: [f32; 2] = [1.0, 0.0];
const B: [f32; 2] = [0.0, 1.0];
const MIXED: [f32; 2] = [0.25, 0.75];

/// Shared out often enough for means to be made.
fn shared_out(map: &Map<f32>, least: usize) -> (Partition, Means<()>) {
    let (mut partition, mut means) = (Partition::default(), Means::new(map.pitch()));
    for _ in 0..2 {
        means.begin(false);
        partition.share_out(map, least, &mut means);
    }
    (partition, means)
}

#[test]
fn long_runs_are_parts_and_the_others_are_grouped_by_their_shares() {
    let map = shares(&[&[A, A, A, MIXED, B], &[B, B, B, B, MIXED]]);
    let (partition, mut means) = shared_out(&map, 3);
    let grouped = |x, group, index| Part::Grouped { x, group, index };
    assert_eq!(partition.row(0), [Part::Whole(0..3, 0), grouped(3, 2, 0), grouped(4, 1, 0)]);
    assert_eq!(partition.row(1), [Part::Whole(0..4, 1), grouped(4, 2, 1)]);
    assert_eq!(partition.groups()[2], [Place { x: 3, y: 0 }, Place { x: 4, y: 1 }]);
    assert_eq!(within(&partition.groups()[2], &(1..2)), [Place { x: 4, y: 1 }]);
    means.make(|pair, share| assert_eq!((pair, share), ([0, 1], 0.75)));
}

#[test]
fn a_row_that_is_all_of_one_network_is_a_part_however_short() {
    assert_eq!(shared_out(&shares(&[&[B, B]]), 8).0.row(0), [Part::Whole(0..2, 1)]);
}

#[test]
fn what_is_mixed_is_summed_at_first_and_where_three_meet() {
    let map = shares(&[&[[0.5, 0.5, 0.0], [0.5, 0.25, 0.25]]]);
    let (mut partition, mut means) = (Partition::default(), Means::<()>::new(3));
    for tiled in [false, true] {
        means.begin(tiled);
        partition.share_out(&map, 1, &mut means);
        assert_eq!((means.serve(), partition.row(0)), (false, &[Part::Summed(0..2)][..]));
    }
    means.begin(false);
    partition.share_out(&map, 1, &mut means);
    assert_eq!(partition.row(0), [Part::Whole(0..1, 3), Part::Summed(1..2)]);
}

#[test]
fn a_partition_knows_its_shares_and_their_width() {
    let wide = shares(&[&[A, A, A, A], &[A, A, A, A]]);
    let narrow = shares(&[&[A, A], &[A, A], &[A, A], &[A, A]]);
    let (partition, _) = shared_out(&wide, 1);
    let other = shares(&[&[A, A, A, A], &[A, A, A, B]]);
    assert!(partition.is_by(&wide) && !partition.is_by(&narrow) && !partition.is_by(&other));
}

#[test]
fn shares_that_change_slowly_go_in_finer_steps_and_almost_all_of_one_is_all_of_it() {
    assert_eq!([0.1, 0.03, 0.001].map(step), [4, 2, 1]);
    let map = shares(&[&[[0.985, 0.015], [0.5, 0.5], [0.0, 1.0]]]);
    let (partition, _) = shared_out(&map, 1);
    assert_eq!(partition.row(0)[0], Part::Whole(0..1, 0));
}

#[test]
fn the_oldest_mean_makes_room_unless_all_are_in_use() {
    let mut means = Means::<()>::new(4);
    (0..2).for_each(|_| means.begin(false));
    assert!(means.serve());
    let pairs =
        [[0, 1], [0, 2], [0, 3]].into_iter().flat_map(|pair| (1..PARTS).map(move |parts| (pair, parts)));
    let found: Vec<_> = pairs.map(|(pair, parts)| means.mean(pair, parts)).collect();
    assert!(found[..MOST_MEANS].iter().enumerate().all(|(index, mean)| *mean == Some(index)));
    assert!(found[MOST_MEANS..].iter().all(Option::is_none));
    // The next time, those that nobody asks for go.
    means.begin(false);
    assert_eq!((means.mean([0, 1], 1), means.mean([2, 3], 32)), (Some(0), Some(1)));
    assert_eq!((means.mean([0, 1], 2), means.kept.len()), (Some(2), MOST_MEANS));
}
