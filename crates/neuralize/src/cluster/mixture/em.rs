//! The two steps of expectation maximisation.

use burn::tensor::module::linear;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::components::{Components, Density, Frame, log_sum_exp};
use crate::cluster::extremes::extremes;
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// A component with a smaller sum of responsibilities is left as it is.
const NO_ROWS: f64 = 1e-10;

/// The rows of a fit, in a frame in which every feature spans one unit.
///
/// For data in host memory or in f64, the sums are computed in f64 from matrix
/// products of x and x². Otherwise they are computed from the differences to every
/// mean, one component after the other: that is slower, but f32 is enough.
pub(super) struct FramedPoints<'a, B: Backend> {
    x: &'a Tensor<B, 2>,
    frame: Frame,
    /// `[1, D]` each.
    center: Tensor<B, 2>,
    scale: Tensor<B, 2>,
    /// Whether all rows have the same value of a feature.
    constant: Vec<bool>,
    /// The precision of the sums.
    dtype: DType,
}

/// Sums over all rows, with the responsibilities r as weights.
pub(super) struct WeightedSums {
    /// Σ log p(x).
    pub(super) log_likelihood: f64,
    /// Σ r, `[K]`.
    rows: Vec<f64>,
    /// Σ r (x − m), `[K, D]`.
    first: Vec<f64>,
    /// Σ r (x − m)², `[K, D]`.
    second: Vec<f64>,
    /// The m, `[K, D]`.
    around: Vec<f64>,
}

impl<'a, B: Backend> FramedPoints<'a, B> {
    pub(super) fn new(x: &'a Tensor<B, 2>) -> Self {
        let dtype = if kernel::in_host_memory(x) { DType::F64 } else { x.dtype() };
        Self::summed_in(x, dtype)
    }

    fn summed_in(x: &'a Tensor<B, 2>, dtype: DType) -> Self {
        let [rows, features] = x.dims();
        let device = x.device();
        let (lowest, highest) = extremes(x);
        let ones = Tensor::ones([rows], (&device, x.dtype()));
        let mut center = kernel::weighted_mean(x, &ones, rows as f64);
        let constant: Vec<bool> = lowest.iter().zip(&highest).map(|(a, b)| a == b).collect();
        let mut scale = vec![1.0; features];
        for i in 0..features {
            if constant[i] { center[i] = lowest[i] } else { scale[i] = highest[i] - lowest[i] }
        }
        let frame = Frame { center, scale }.rounded(dtype);
        let (center, scale) = frame.rows(&device, dtype);
        Self { x, frame, center, scale, constant, dtype }
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Rows of the block in the frame.
    fn block(&self, range: core::ops::Range<usize>) -> Tensor<B, 2> {
        let features = self.frame.scale.len();
        let block = self.x.clone().slice([range, 0..features]).cast(self.dtype);
        (block - self.center.clone()) / self.scale.clone()
    }

    /// The components of a partition, in which every row belongs to one component,
    /// and the floors of the variances, `variance_floor` times the variance of each
    /// feature.
    ///
    /// # Shapes
    ///
    /// - labels: `[N]`, centroids: `[K, D]`
    pub(super) fn of_partition(
        &self,
        labels: &Tensor<B, 1, Int>,
        centroids: &Tensor<B, 2>,
        variance_floor: f64,
    ) -> (Components, Vec<f64>) {
        let [clusters, features] = centroids.dims();
        let start = Components {
            features,
            means: transfer::download(centroids.clone()),
            variances: vec![1.0; clusters * features],
            log_weights: vec![0.0; clusters],
        };
        let start = start.seen_in(&self.frame);
        let sums = self.sums(&start, |_, range| {
            let cluster = labels.clone().slice([range]).unsqueeze_dim(1);
            let own = kernel::is_own(cluster, clusters);
            let shape = own.dims();
            let zeros = transfer::zeros(shape, &self.x.device(), self.dtype);
            (None, zeros.mask_fill(own, 1.0))
        });
        let total: f64 = sums.rows.iter().sum();
        let floors = (0..features)
            .map(|i| {
                let (mut mean, mut square) = (0.0, 0.0);
                for (k, rows) in sums.rows.iter().enumerate() {
                    let at = k * features + i;
                    let m = sums.around[at];
                    mean += (sums.first[at] + m * rows) / total;
                    square += (sums.second[at] + 2.0 * m * sums.first[at] + m * m * rows) / total;
                }
                variance_floor * (square - mean * mean)
            })
            .collect::<Vec<f64>>();
        (self.maximise(&sums, &start, &floors), floors)
    }

    /// The E-step: the likelihood of the rows, and their sums by responsibility.
    pub(super) fn expect(&self, components: &Components) -> Result<WeightedSums> {
        let device = self.x.device();
        let sums = match self.dtype {
            DType::F64 => {
                let layers = Products::of(components, &device, self.dtype);
                self.sums(components, |x, _| {
                    let (likelihood, r) = log_sum_exp(layers.log_joint(x));
                    (Some(likelihood), r)
                })
            }
            _ => {
                let density = Density::of(components, &device, self.dtype);
                self.sums(components, |x, _| {
                    let (likelihood, r) = log_sum_exp(density.log_joint(x));
                    (Some(likelihood), r)
                })
            }
        };
        if sums.log_likelihood.is_finite() { Ok(sums) } else { Err(Error::Overflow) }
    }

    /// The M-step: weighted means, and variances of at least their floor. A constant
    /// feature gets the variance 1 in every component, so it changes no decision.
    pub(super) fn maximise(
        &self,
        sums: &WeightedSums,
        old: &Components,
        floors: &[f64],
    ) -> Components {
        let mut new = old.clone();
        let total: f64 = sums.rows.iter().map(|rows| rows.max(NO_ROWS)).sum();
        for (k, &rows) in sums.rows.iter().enumerate() {
            new.log_weights[k] = (rows.max(NO_ROWS) / total).ln();
            for (i, &floor) in floors.iter().enumerate() {
                let at = k * old.features + i;
                if self.constant[i] {
                    (new.means[at], new.variances[at]) = (0.0, 1.0);
                } else if rows > NO_ROWS {
                    let shift = sums.first[at] / rows;
                    new.means[at] = sums.around[at] + shift;
                    new.variances[at] = (sums.second[at] / rows - shift * shift).max(floor);
                }
            }
        }
        new
    }

    /// Sums over all rows: within a block on the device, across blocks in f64.
    fn sums(
        &self,
        components: &Components,
        mut weigh: impl FnMut(
            &Tensor<B, 2>,
            core::ops::Range<usize>,
        ) -> (Option<Tensor<B, 2>>, Tensor<B, 2>),
    ) -> WeightedSums {
        let (clusters, features) = (components.clusters(), components.features);
        let by_products = self.dtype == DType::F64;
        let around =
            if by_products { vec![0.0; clusters * features] } else { components.means.clone() };
        let means: Tensor<B, 2> =
            transfer::upload(around, [clusters, features], &self.x.device(), self.dtype);
        // The means rounded to the precision of the sums.
        let around = transfer::download(means.clone());
        let mut sums = WeightedSums {
            log_likelihood: 0.0,
            rows: vec![0.0; clusters],
            first: vec![0.0; clusters * features],
            second: vec![0.0; clusters * features],
            around,
        };
        let add = |sums: &mut [f64], part: Tensor<B, 2>| {
            sums.iter_mut().zip(transfer::download(part)).for_each(|(sum, part)| *sum += part);
        };
        let step = kernel::block_rows(clusters + 2 * features);
        for range in kernel::blocks(self.x.dims()[0], step) {
            let x = self.block(range.clone());
            let (likelihood, r) = weigh(&x, range);
            if let Some(likelihood) = likelihood {
                sums.log_likelihood += transfer::download(likelihood.sum())[0];
            }
            add(&mut sums.rows, r.clone().sum_dim(0));
            if by_products {
                let r = r.transpose();
                add(&mut sums.first, r.clone().matmul(x.clone()));
                add(&mut sums.second, r.matmul(x.square()));
                continue;
            }
            let (mut first, mut second) = (Vec::new(), Vec::new());
            for k in 0..clusters {
                let difference = x.clone() - means.clone().narrow(0, k, 1);
                let weighted = difference.clone() * r.clone().narrow(1, k, 1);
                second.push((difference * weighted.clone()).sum_dim(0));
                first.push(weighted.sum_dim(0));
            }
            add(&mut sums.first, Tensor::cat(first, 0));
            add(&mut sums.second, Tensor::cat(second, 0));
        }
        sums
    }
}

/// `log π_k + log N(x; μ_k, σ²_k)` without the constant `½ D log 2π`, from two
/// matrix products.
struct Products<B: Backend> {
    /// Coefficients of x and of x², `[D, K]` each.
    linear: Tensor<B, 2>,
    quadratic: Tensor<B, 2>,
    /// `[K]`
    bias: Tensor<B, 1>,
}

impl<B: Backend> Products<B> {
    fn of(components: &Components, device: &B::Device, dtype: DType) -> Self {
        let shape = [components.clusters(), components.features];
        let precisions = components.precisions();
        let tilted: Vec<f64> =
            precisions.iter().zip(&components.means).map(|(p, m)| p * m).collect();
        let bias = (0..shape[0])
            .map(|k| {
                let own = k * shape[1]..(k + 1) * shape[1];
                let square: f64 = tilted[own.clone()]
                    .iter()
                    .zip(&components.means[own])
                    .map(|(t, m)| t * m)
                    .sum();
                components.log_weights[k] - 0.5 * square
            })
            .zip(components.half_log_variances())
            .map(|(bias, half)| bias - half)
            .collect();
        let table = |values| transfer::upload::<B, 2>(values, shape, device, dtype).transpose();
        Self {
            linear: table(tilted),
            quadratic: table(precisions) * -0.5,
            bias: transfer::upload(bias, [shape[0]], device, dtype),
        }
    }

    fn log_joint(&self, x: &Tensor<B, 2>) -> Tensor<B, 2> {
        linear(x.clone(), self.linear.clone(), Some(self.bias.clone()))
            + x.clone().square().matmul(self.quadratic.clone())
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    /// The sums of a device without f64 agree with the products in f64.
    #[test]
    fn differences_in_f32_are_products_in_f64() -> Result<()> {
        let device = Default::default();
        // Two narrow clouds far from the origin and from each other.
        let values: Vec<f64> = (0..120)
            .map(|at| {
                let (row, noise) = (at / 3, f64::from((at * 37 % 101) as u32) / 101.0);
                1000.0 + 40.0 * f64::from(u8::from(row % 2 == 0)) + 0.3 * noise
            })
            .collect();
        let x: Tensor<Flex, 2> = transfer::upload(values, [40, 3], &device, DType::F32);
        let labels: Vec<usize> = (0..40).map(|row| usize::from(row % 2 == 0)).collect();
        let labels = transfer::upload_indices(&labels, &device);
        let centroids = vec![1000.0, 1000.0, 1000.0, 1040.0, 1040.0, 1040.0];
        let centroids = transfer::upload(centroids, [2, 3], &device, DType::F32);
        let run = |dtype| -> Result<(Components, f64)> {
            let points = FramedPoints::summed_in(&x, dtype);
            let (mut components, floors) = points.of_partition(&labels, &centroids, 1e-6);
            let mut likelihood = 0.0;
            for _ in 0..3 {
                let sums = points.expect(&components)?;
                likelihood = sums.log_likelihood;
                components = points.maximise(&sums, &components, &floors);
            }
            Ok((components.out_of(points.frame()), likelihood))
        };
        let ((single, a), (double, b)) = (run(DType::F32)?, run(DType::F64)?);
        assert!((a - b).abs() < 1e-3 * b.abs(), "{a} against {b}");
        for (a, b) in single.means.iter().zip(&double.means) {
            assert!((a - b).abs() < 2e-5, "mean {a} against {b}");
        }
        for (a, b) in single.variances.iter().zip(&double.variances) {
            assert!((a - b).abs() < 1e-3 * b, "variance {a} against {b}");
        }
        Ok(())
    }
}
