//! Principal axes by rotations.

/// More sweeps are not needed: the rows are orthogonal after ten or so.
const MAX_SWEEPS: usize = 40;

/// Makes rows orthogonal by rotating two at a time; rows that become zero are left out.
///
/// Of a symmetric positive matrix Σ λ v v' the result is the rows λ v'; of other rows X, the rows
/// s v' of the singular values and right vectors of X (one-sided Jacobi: Hestenes, "Inversion of
/// matrices by biorthogonalization and related results", 1958).
pub(in crate::choose) fn orthogonal(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let total: f64 = rows.iter().map(|row| dot(row, row)).sum();
    // Rows of this size are rounding.
    let nothing = 1e-28 * total;
    for _ in 0..MAX_SWEEPS {
        let mut is_done = true;
        for second in 1..rows.len() {
            let (before, after) = rows.split_at_mut(second);
            let Some(second) = after.first_mut() else { continue };
            for first in before {
                is_done &= !rotate(first, second, nothing);
            }
        }
        if is_done {
            break;
        }
    }
    rows.retain(|row| dot(row, row) > nothing);
    rows
}

/// Makes two rows orthogonal; whether they were not.
fn rotate(first: &mut [f64], second: &mut [f64], nothing: f64) -> bool {
    const ORTHOGONAL: f64 = 1e-12;
    let (one, other, both) = (dot(first, first), dot(second, second), dot(first, second));
    if one <= nothing || other <= nothing || both.abs() <= ORTHOGONAL * (one * other).sqrt() {
        return false;
    }
    let cotangent = (other - one) / (2.0 * both);
    let tangent = cotangent.signum() / (cotangent.abs() + cotangent.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = cosine * tangent;
    for (x, y) in first.iter_mut().zip(second) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
    true
}

/// Σ x y, in eight sums side by side, which a processor adds at once.
pub(in crate::choose) fn dot(one: &[f64], other: &[f64]) -> f64 {
    let ((ones, one), (others, other)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (ones, others) in ones.iter().zip(others) {
        for (sum, (x, y)) in sums.iter_mut().zip(ones.iter().zip(others)) {
            *sum += x * y;
        }
    }
    let rest: f64 = one.iter().zip(other).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(rows: &[Vec<f64>], scale: impl Fn(f64) -> f64) -> Vec<Vec<f64>> {
        let width = rows.first().map_or(0, Vec::len);
        let entry = |i: usize, j: usize| {
            rows.iter().map(|row| scale(dot(row, row).sqrt()) * row[i] * row[j]).sum()
        };
        (0..width).map(|i| (0..width).map(|j| entry(i, j)).collect()).collect()
    }

    #[test]
    fn a_symmetric_matrix_is_its_axes() {
        let x: Vec<Vec<f64>> = (0..9)
            .map(|i| (0..6).map(|j| f64::from(i * i + 3 * j * i + j).sin()).collect())
            .collect();
        let matrix = product(&x, |_| 1.0);
        for rows in [orthogonal(matrix.clone()), orthogonal(x.clone())] {
            assert_eq!(rows.len(), 6);
            for (at, row) in rows.iter().enumerate() {
                for other in &rows[..at] {
                    let size = (dot(row, row) * dot(other, other)).sqrt();
                    assert!(dot(row, other).abs() < 1e-11 * size);
                }
            }
        }
        let again = product(&orthogonal(matrix.clone()), |eigenvalue| 1.0 / eigenvalue);
        for (found, expected) in again.concat().iter().zip(matrix.concat()) {
            assert!((found - expected).abs() < 1e-11);
        }
    }

    #[test]
    fn rank_is_seen() {
        let row = vec![3.0, 4.0];
        let rows = orthogonal(vec![row.clone(), row.clone(), row]);
        assert_eq!(rows.len(), 1);
        assert!((dot(&rows[0], &rows[0]) - 75.0).abs() < 1e-10);
        assert!(orthogonal(vec![vec![0.0, 0.0]]).is_empty());
        assert!(orthogonal(Vec::new()).is_empty());
    }
}
