//! Leading eigenvectors of a symmetric matrix.

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use crate::random::uniform;
use crate::transfer;

/// Maximum number of products of the matrix with a vector.
const PRODUCTS: usize = 4000;

/// Degree of the polynomial between two orthonormalisations.
const DEGREE: usize = 12;

/// The residual at which the eigenvectors of a matrix of norm 1 are accurate
/// enough for a start.
const RESIDUAL: f64 = 1e-7;

/// The eigenvectors of the `count` largest eigenvalues of a symmetric matrix with
/// eigenvalues from 0 to 1, by orthogonal iteration with a few extra vectors and
/// Chebyshev polynomials that damp the smaller eigenvalues.
///
/// The matrix is multiplied on its device and in its precision; everything else
/// is done on the host in f64.
///
/// # Shapes
///
/// - matrix: `[n, n]`
/// - output: `[n, count]` row-major, orthonormal columns by falling eigenvalue
pub(super) fn leading_vectors<B: Backend>(
    matrix: &Tensor<B, 2>,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let ([n, _], device, dtype) = (matrix.dims(), matrix.device(), matrix.dtype());
    let times = |table: Vec<f64>, width: usize| {
        let table = transfer::upload::<B, 2>(table, [n, width], &device, dtype);
        transfer::download(matrix.clone().matmul(table))
    };
    leading(n, &times, transfer::epsilon(dtype), count, rng)
}

/// A symmetric matrix as a function: its product with a table of some columns.
type Product<'a> = &'a dyn Fn(Vec<f64>, usize) -> Vec<f64>;

/// The same for a matrix of n rows that is known by its products, of precision
/// `epsilon`.
fn leading(
    n: usize,
    matrix: Product<'_>,
    epsilon: f64,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let enough = RESIDUAL.max(32.0 * epsilon);
    let width = (count + count.max(8)).min(n);
    let mut vectors =
        Vectors { width, values: (0..n * width).map(|_| uniform(rng) - 0.5).collect() };
    vectors.orthonormalise(rng);
    let most = (PRODUCTS / width).max(2 * DEGREE);
    let mut products = 0;
    loop {
        // Rayleigh and Ritz: the best vectors of the space that they span.
        let image = vectors.image(matrix);
        products += 1;
        let (eigenvalues, rotation) = jacobi(vectors.inner(&image), width);
        let image = image.rotated(&rotation);
        vectors = vectors.rotated(&rotation);
        let residual = (0..count.min(width)).map(|column| {
            let difference = |row: usize| {
                image.values[row * width + column]
                    - eigenvalues[column] * vectors.values[row * width + column]
            };
            (0..n).map(|row| difference(row).powi(2)).sum::<f64>().sqrt()
        });
        let worst = residual.fold(0.0, f64::max);
        if worst < enough || products >= most || width == n {
            break;
        }
        // T_m((2 L − a) / a): between −1 and 1 below a, growing fast above it.
        let a = eigenvalues[width - 1].max(1e-6);
        let step = |image: &Vectors, now: &Vectors| image.combined(2.0 / a, now, -1.0);
        let mut before = vectors.clone();
        let mut now = step(&image, &vectors);
        for _ in 1..DEGREE {
            let next = step(&now.image(matrix), &now).combined(2.0, &before, -1.0);
            products += 1;
            before = now;
            now = next;
        }
        vectors = now;
        vectors.orthonormalise(rng);
    }
    let kept = |row: &[f64]| row[..count.min(width)].to_vec();
    vectors.values.chunks_exact(width).flat_map(kept).collect()
}

/// Vectors side by side: every row holds one number of each.
#[derive(Clone)]
struct Vectors {
    width: usize,
    values: Vec<f64>,
}

impl Vectors {
    /// The matrix times every vector. They are brought to magnitude 1 for it: a
    /// polynomial may have made them too large for the precision.
    fn image(&self, matrix: Product<'_>) -> Self {
        let width = self.width;
        let mut sizes = vec![f64::MIN_POSITIVE; width];
        for row in self.values.chunks_exact(width) {
            sizes.iter_mut().zip(row).for_each(|(size, value)| *size = size.max(value.abs()));
        }
        let scaled = |row: &[f64]| -> Vec<f64> {
            row.iter().zip(&sizes).map(|(value, size)| value / size).collect()
        };
        let mut values = matrix(self.values.chunks_exact(width).flat_map(scaled).collect(), width);
        for row in values.chunks_exact_mut(width) {
            row.iter_mut().zip(&sizes).for_each(|(value, size)| *value *= size);
        }
        Self { width, values }
    }

    /// `a · self + b · other`
    fn combined(&self, a: f64, other: &Self, b: f64) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(x, y)| a * x + b * y).collect();
        Self { width: self.width, values }
    }

    /// Inner products of the vectors with others, `[width, width]`.
    fn inner(&self, other: &Self) -> Vec<f64> {
        let width = self.width;
        let mut products = vec![0.0; width * width];
        for (a, b) in self.values.chunks_exact(width).zip(other.values.chunks_exact(width)) {
            for (row, a) in products.chunks_exact_mut(width).zip(a) {
                row.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
            }
        }
        products
    }

    /// The vectors combined by the columns of a `[width, width]` matrix.
    fn rotated(&self, rotation: &[f64]) -> Self {
        let width = self.width;
        let rotate = |row: &[f64]| {
            (0..width)
                .map(|column| {
                    (0..width).map(|k| row[k] * rotation[k * width + column]).sum::<f64>()
                })
                .collect::<Vec<f64>>()
        };
        Self { width, values: self.values.chunks_exact(width).flat_map(rotate).collect() }
    }

    /// Gram–Schmidt, twice for every vector; one that vanishes is drawn anew.
    fn orthonormalise(&mut self, rng: &mut ChaCha8Rng) {
        let width = self.width;
        let n = self.values.len() / width;
        let mut columns: Vec<Vec<f64>> = (0..width)
            .map(|column| (0..n).map(|row| self.values[row * width + column]).collect())
            .collect();
        for index in 0..width {
            let (done, rest) = columns.split_at_mut(index);
            let column = &mut rest[0];
            for attempt in 0..8 {
                let before = norm(column);
                for _ in 0..2 {
                    for other in done.iter() {
                        let along: f64 = other.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
                        column.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                    }
                }
                let length = norm(column);
                if length > 1e-10 * before && length.is_finite() && length > 0.0 {
                    column.iter_mut().for_each(|value| *value /= length);
                    break;
                }
                if attempt < 7 {
                    column.iter_mut().for_each(|value| *value = uniform(rng) - 0.5);
                }
            }
        }
        for (row, values) in self.values.chunks_exact_mut(width).enumerate() {
            values.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[row]);
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Eigenvalues, the largest first, and eigenvectors as columns of a symmetric
/// matrix `[n, n]`, by Jacobi's rotations.
fn jacobi(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..60 {
        let total: f64 = a.iter().map(|value| value * value).sum();
        let off: f64 = (0..n)
            .flat_map(|i| (0..n).filter(move |j| *j != i).map(move |j| (i, j)))
            .map(|(i, j)| a[i * n + j].powi(2))
            .sum();
        if off <= 1e-30 * total {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = 0.5 * (a[p * n + q] + a[q * n + p]);
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (v[k * n + p], v[k * n + q]);
                    v[k * n + p] = c * x - s * y;
                    v[k * n + q] = s * x + c * y;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[j * n + j].total_cmp(&a[i * n + i]));
    let values = order.iter().map(|i| a[i * n + i]).collect();
    let vectors = (0..n).flat_map(|row| order.iter().map(move |i| (row, *i))).collect::<Vec<_>>();
    (values, vectors.into_iter().map(|(row, i)| v[row * n + i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use burn::backend::Flex;
    use burn::tensor::DType;

    fn square(matrix: Vec<f64>, n: usize, dtype: DType) -> Tensor<Flex, 2> {
        transfer::upload(matrix, [n, n], &Default::default(), dtype)
    }

    /// The path graph's smoothing matrix: eigenvalues `cos²(π k / 2n)` and cosines
    /// for eigenvectors, so close together that plain iteration is not done in
    /// thousands of steps.
    #[test]
    fn a_path_has_cosines() {
        let n = 200;
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            let ends = f64::from(u8::from(i == 0)) + f64::from(u8::from(i == n - 1));
            matrix[i * n + i] = 0.5 + 0.25 * ends;
            if i + 1 < n {
                matrix[i * n + i + 1] = 0.25;
                matrix[(i + 1) * n + i] = 0.25;
            }
        }
        let count = 3;
        for (dtype, tolerance) in [(DType::F64, 1e-5), (DType::F32, 1e-3)] {
            let matrix = square(matrix.clone(), n, dtype);
            let found = leading_vectors(&matrix, count, &mut Stream::Restart(0).generator(3));
            for k in 0..count {
                let wave = |i: usize| {
                    (std::f64::consts::PI * k as f64 * (i as f64 + 0.5) / n as f64).cos()
                };
                let length = (0..n).map(|i| wave(i).powi(2)).sum::<f64>().sqrt();
                let along: f64 = (0..n).map(|i| found[i * count + k] * wave(i) / length).sum();
                assert!((along.abs() - 1.0).abs() < tolerance, "{dtype:?}, vector {k}: {along}");
            }
        }
    }

    /// Equal eigenvalues: three components give three indicator vectors in all.
    #[test]
    fn components_span_their_indicators() {
        let n = 30;
        let matrix: Vec<f64> =
            (0..n * n).map(|at| if (at / n) % 3 == (at % n) % 3 { 0.1 } else { 0.0 }).collect();
        let found = leading_vectors(
            &square(matrix, n, DType::F64),
            3,
            &mut Stream::Restart(0).generator(4),
        );
        for component in 0..3 {
            let along: f64 = (0..3)
                .map(|k| {
                    let members = (0..n).filter(|i| i % 3 == component);
                    members.map(|i| found[i * 3 + k] / 10f64.sqrt()).sum::<f64>().powi(2)
                })
                .sum();
            assert!((along - 1.0).abs() < 1e-9, "{component}: {along}");
        }
        let one = square(vec![1.0], 1, DType::F64);
        assert_eq!(leading_vectors(&one, 1, &mut Stream::Restart(0).generator(5)).len(), 1);
    }
}
