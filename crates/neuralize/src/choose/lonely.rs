//! Rows far from all others, which are left aside.

use crate::choose::distances::Distances;

/// A row is lonely if its neighbours are so many times as far away as is usual.
const LONELY: f64 = 4.0;

/// The largest share of the rows that is left aside.
const MAX_LONELY: f64 = 0.03;

/// The rows whose `neighbour`-th nearest other row is more than 4 times as far away as in the
/// median; at most 3 % of the rows, the loneliest. In rising order.
pub(in crate::choose) fn lonely(distances: &Distances, neighbour: usize) -> Vec<usize> {
    let reaches: Vec<f64> = distances.rows().map(|line| reach(line, neighbour)).collect();
    let usual = median(&reaches);
    if usual <= 0.0 {
        return Vec::new();
    }
    let mut far: Vec<(usize, f64)> =
        reaches.into_iter().enumerate().filter(|(_, reach)| *reach > LONELY * usual).collect();
    far.sort_by(|a, b| b.1.total_cmp(&a.1));
    far.truncate((MAX_LONELY * distances.rows().len() as f64) as usize);
    let mut rows: Vec<usize> = far.into_iter().map(|(row, _)| row).collect();
    rows.sort_unstable();
    rows
}

/// The distance to the `neighbour`-th nearest other row; the row itself is the 0th.
fn reach(line: &[f64], neighbour: usize) -> f64 {
    let mut line = line.to_vec();
    let Some(last) = line.len().checked_sub(1) else { return 0.0 };
    *line.select_nth_unstable_by(neighbour.min(last), f64::total_cmp).1
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    let n = sorted.len();
    0.5 * (at(n.saturating_sub(1) / 2) + at(n / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_column(values: &[f64], neighbour: usize) -> Vec<usize> {
        lonely(&Distances::between(values, 1, values.len()), neighbour)
    }

    #[test]
    fn the_loneliest_are_left_aside() {
        let mut values: Vec<f64> = (0..100).map(f64::from).collect();
        assert!(of_column(&values, 3).is_empty());
        values[10] = 300.0;
        values[20] = -500.0;
        assert_eq!(of_column(&values, 3), [10, 20]);
        for (row, value) in values.iter_mut().enumerate().take(35).skip(30) {
            *value = 1000.0 * row as f64;
        }
        // 3000 for both ends, 2000 for the others: of these the first row.
        assert_eq!(of_column(&values, 3), [30, 31, 34]);
        assert!(of_column(&[0.0, 0.0, 0.0, 0.0, 9.0], 3).is_empty());
        assert!(of_column(&[], 3).is_empty());
        let at = |far: f64| -> Vec<f64> { (0..60).map(f64::from).chain([59.0 + far]).collect() };
        assert!(of_column(&at(4.0), 1).is_empty());
        assert_eq!(of_column(&at(4.1), 1), [60]);
    }

    #[test]
    fn median_of_an_even_number_is_the_mean_of_two() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), 3.0);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    }
}
