//! Whether rows thin out between clusters.

/// The largest (M + 1) / (min(A, B) + 1) of all pairs of clusters; infinite if two centres are
/// equal. Of the rows of both, t is the place on the line from one centre (0) to the other (1); A,
/// M and B count |t| < 1/6, |t − ½| < 1/6 and |t − 1| < 1/6.
///
/// A density with one peak is midway between two points at least as high as at the lower of the
/// two, however skewed or heavy-tailed it is: then this is about 1 or more.
///
/// `labels` are below the number of clusters; an empty cluster has no centre and is left out.
pub(in crate::choose) fn valley(
    values: &[f64],
    width: usize,
    labels: &[usize],
    clusters: usize,
) -> f64 {
    let members = members(values, width, labels, clusters);
    let centres: Vec<Option<Vec<f64>>> = members.iter().map(|rows| mean(rows, width)).collect();
    let mut worst: f64 = 0.0;
    for (second, pair) in members.iter().zip(&centres).enumerate() {
        for (rows, centre) in members.iter().zip(&centres).take(second) {
            if let (Some(from), Some(to)) = (centre, pair.1) {
                worst = worst.max(between(rows.iter().chain(pair.0), from, to));
            }
        }
    }
    worst
}

fn between<'a>(rows: impl Iterator<Item = &'a &'a [f64]>, from: &[f64], to: &[f64]) -> f64 {
    const NEAR: f64 = 1.0 / 6.0;
    let direction: Vec<f64> = from.iter().zip(to).map(|(from, to)| to - from).collect();
    let square: f64 = direction.iter().map(|d| d * d).sum();
    if square == 0.0 {
        return f64::INFINITY;
    }
    let (mut first, mut midway, mut second) = (0, 0, 0);
    for row in rows {
        let along = row.iter().zip(from).zip(&direction).map(|((x, from), d)| (x - from) * d);
        let t = along.sum::<f64>() / square;
        first += u32::from(t.abs() < NEAR);
        midway += u32::from((t - 0.5).abs() < NEAR);
        second += u32::from((t - 1.0).abs() < NEAR);
    }
    (f64::from(midway) + 1.0) / (f64::from(first.min(second)) + 1.0)
}

fn members<'a>(
    values: &'a [f64],
    width: usize,
    labels: &[usize],
    clusters: usize,
) -> Vec<Vec<&'a [f64]>> {
    let mut members = vec![Vec::new(); clusters];
    for (row, label) in values.chunks_exact(width.max(1)).zip(labels) {
        if let Some(members) = members.get_mut(*label) {
            members.push(row);
        }
    }
    members
}

fn mean(rows: &[&[f64]], width: usize) -> Option<Vec<f64>> {
    let mut mean = vec![0.0; width];
    for row in rows {
        mean.iter_mut().zip(*row).for_each(|(sum, x)| *sum += x);
    }
    mean.iter_mut().for_each(|sum| *sum /= rows.len() as f64);
    (!rows.is_empty()).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valleys_are_seen() {
        // Centres 0 and 6; one row midway, three at each centre.
        let values = [-0.1, 0.0, 0.1, 2.9, 6.0, 6.1, 5.9];
        let labels = [0, 0, 0, 0, 1, 1, 1];
        assert_eq!(valley(&values, 1, &labels, 2), 1.0 / 2.0);
        assert_eq!(valley(&[1.0, 1.0], 1, &[0, 1], 2), f64::INFINITY);
        assert_eq!(valley(&[1.0, 3.0], 1, &[0, 2], 3), 0.5);
        assert_eq!(valley(&[1.0, 3.0], 1, &[0, 0], 1), 0.0);
    }
}
