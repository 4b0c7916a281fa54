//! Soft assignments, their sharpened targets, and the divergence between the two.

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::KMeans;
use crate::error::{Error, Result};
use crate::{gradient, transfer, validate};

/// The soft assignment of every row by Student's t with one degree of freedom,
/// `q_ij ∝ 1 / (1 + ‖x_i − μ_j‖²)` (Xie, Girshick, Farhadi 2016, equation 1); a row sums to one.
/// It is differentiable with respect to the rows and the centroids.
///
/// The distance 1 is the scale of this assignment: data whose clusters lie much closer than 1
/// are assigned to all of them alike.
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: `[N, K]`
///
/// # Errors
///
/// As [`KMeans::predict`], and if x is empty.
pub fn soft_assignments<B: Backend>(kmeans: &KMeans<B>, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
    kmeans.check_input(x)?;
    validate::not_empty("x", x)?;
    Ok(assignments(x.clone(), kmeans.centroids()))
}

/// The target of training, `p_ij ∝ q_ij² / Σ_i q_ij`, which is sharper than the assignment and
/// favours small clusters (Xie et al. 2016, equation 3); a row sums to one. It has no gradient.
///
/// Compute it from all rows once an epoch. From the rows of a batch it is noisier, and the
/// clusters should then be of nearly equal sizes.
///
/// # Shapes
///
/// - assignments: `[N, K]`
/// - output: `[N, K]`
pub fn sharpened<B: Backend>(assignments: &Tensor<B, 2>) -> Tensor<B, 2> {
    if assignments.dims().contains(&0) {
        return assignments.clone();
    }
    let q = transfer::untracked(assignments.clone());
    // A cluster so far from all rows that its share rounds to 0 has the target 0.
    let size = q.clone().sum_dim(0).clamp_min(transfer::smallest(q.dtype()));
    let p = q.square() / size;
    p.clone() / p.sum_dim(1)
}

/// The divergence `KL(p ‖ q)` of soft assignments q from a target p, the mean over rows (Xie et
/// al. 2016, equation 2).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
/// use neuralize::train::{assignment_loss, sharpened, soft_assignments};
///
/// let device = Default::default();
/// let kmeans = KMeans::from_centroids(Tensor::<Flex, 2>::from_data([[0.0], [4.0]], &device))?;
/// let x = Tensor::<Flex, 2>::from_data([[0.5], [3.0]], &device);
/// let assignments = soft_assignments(&kmeans, &x)?;
/// let loss: f32 = assignment_loss(&sharpened(&assignments), &assignments)?.into_scalar();
/// assert!((loss - 0.0738).abs() < 1e-4);
/// # Ok::<(), neuralize::Error>(())
/// ```
///
/// # Shapes
///
/// - target: `[N, K]`, N at least 1
/// - assignments: `[N, K]`
/// - output: `[1]`
///
/// # Errors
///
/// If shapes, precisions or devices differ, or there are no rows.
pub fn assignment_loss<B: Backend>(
    target: &Tensor<B, 2>,
    assignments: &Tensor<B, 2>,
) -> Result<Tensor<B, 1>> {
    validate::not_empty("the table of assignments", assignments)?;
    let expected = assignments.dims();
    if target.dims() != expected {
        let expected = format!("{expected:?}, that of the assignments");
        return Err(Error::shape("the target", expected, &target.dims()));
    }
    validate::beside("the target", target, assignments)?;
    Ok(divergence(target.clone(), assignments.clone()))
}

/// Soft assignment by Student's t, without checks.
pub(crate) fn assignments<B: Backend>(
    codes: Tensor<B, 2>,
    centroids: Tensor<B, 2>,
) -> Tensor<B, 2> {
    // Far from the origin, the difference of the squares would lose precision.
    let middle = centroids.clone().detach().mean_dim(0);
    let (codes, centroids) = (codes - middle.clone(), centroids - middle);
    let squares = codes.clone().square().sum_dim(1);
    let sizes = centroids.clone().square().sum_dim(1).transpose();
    let distances = (squares + sizes - codes.matmul(centroids.transpose()) * 2.0).clamp_min(0.0);
    let kernel = distances.ones_like() / (distances + 1.0);
    gradient::quotient(kernel.clone(), kernel.sum_dim(1))
}

/// `KL(p ‖ q)`, the mean of a row, `[1]`, without checks.
pub(crate) fn divergence<B: Backend>(p: Tensor<B, 2>, q: Tensor<B, 2>) -> Tensor<B, 1> {
    // Student's t is above 0, but may round to 0.
    let least = f64::from(f32::MIN_POSITIVE);
    let ratio = p.clone().clamp_min(least).log() - gradient::log(q.clamp_min(least));
    (p * ratio).sum_dim(1).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::DType;

    fn table(values: &[f64], shape: [usize; 2]) -> Tensor<Flex, 2> {
        transfer::upload(values.to_vec(), shape, &Default::default(), DType::F64)
    }

    /// Xie et al. 2016, equations 1 to 3, in loops.
    #[test]
    fn soft_assignment_target_and_divergence() {
        let codes: [f64; 6] = [0.1, 0.4, -0.7, 0.2, 1.3, -0.5];
        let centroids: [f64; 4] = [0.0, 0.0, 1.0, -0.4];
        let mut q = [[0.0; 2]; 3];
        for (i, row) in q.iter_mut().enumerate() {
            for (j, q) in row.iter_mut().enumerate() {
                let distance: f64 =
                    (0..2).map(|d| (codes[2 * i + d] - centroids[2 * j + d]).powi(2)).sum();
                *q = 1.0 / (1.0 + distance);
            }
            let sum = row[0] + row[1];
            row.iter_mut().for_each(|q| *q /= sum);
        }
        let totals = [0, 1].map(|j| q.iter().map(|row| row[j]).sum::<f64>());
        let p = q.map(|row| {
            let raw = [row[0] * row[0] / totals[0], row[1] * row[1] / totals[1]];
            raw.map(|p| p / (raw[0] + raw[1]))
        });
        let divergence_by_hand: f64 = p
            .iter()
            .zip(&q)
            .map(|(p, q)| (0..2).map(|j| p[j] * (p[j] / q[j]).ln()).sum::<f64>())
            .sum::<f64>()
            / 3.0;
        // The same wherever the origin is.
        for offset in [0.0, 1e4] {
            let moved = |values: &[f64]| values.iter().map(|v| v + offset).collect::<Vec<f64>>();
            let found =
                assignments(table(&moved(&codes), [3, 2]), table(&moved(&centroids), [2, 2]));
            let target = sharpened(&found);
            let kl = transfer::download(divergence(target.clone(), found.clone()))[0];
            for (found, expected) in transfer::download(found).iter().zip(q.concat()) {
                assert!((found - expected).abs() < 1e-10, "{found} against {expected}");
            }
            for (found, expected) in transfer::download(target).iter().zip(p.concat()) {
                assert!((found - expected).abs() < 1e-10, "{found} against {expected}");
            }
            assert!((kl - divergence_by_hand).abs() < 1e-10);
        }
    }
}
