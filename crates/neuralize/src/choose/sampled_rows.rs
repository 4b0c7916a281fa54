//! Rows drawn at random from a table that comes in parts.

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::error::{Error, Result};
use crate::random::Stream;
use crate::transfer;

/// Rows drawn at random from a table that comes in parts, the same ones whatever the parts are. No more
/// than these are held.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::choose::{FIGURED_ROWS, Rows, SampledRows};
///
/// let mut sample = SampledRows::new(FIGURED_ROWS, 0);
/// for part in [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]] {
///     sample.add(&Tensor::<Flex, 2>::from_data(part, &Default::default()))?;
/// }
/// let (numbers, values) = sample.rows();
/// assert_eq!(numbers, [0, 1, 2, 3]);
/// let rows = Rows::new(&values, 2)?.with_total(sample.n_rows());
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SampledRows {
    count: usize,
    /// Gives every row a random number, in their order.
    numbers: ChaCha8Rng,
    /// The rows with the least numbers, in rising order of these.
    kept: Vec<Kept>,
    n_rows: usize,
}

#[derive(Debug, Clone)]
struct Kept {
    number: u64,
    row: usize,
    values: Vec<f64>,
}

impl SampledRows {
    /// Draws `count` rows, or all if there are not more.
    pub fn new(count: usize, seed: u64) -> Self {
        let numbers = Stream::SampledRows.generator(seed);
        Self { count, numbers, kept: Vec::new(), n_rows: 0 }
    }

    /// Adds a part of the table.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`
    ///
    /// # Errors
    ///
    /// If the parts differ in D.
    pub fn add<B: Backend>(&mut self, x: &Tensor<B, 2>) -> Result<()> {
        let [n, width] = x.dims();
        if let Some(first) = self.kept.first()
            && first.values.len() != width
        {
            let expected = format!("[n, {}]", first.values.len());
            return Err(Error::shape("a part of the rows", expected, &[n, width]));
        }
        let mut drawn: Vec<(u64, usize)> =
            (0..n).map(|row| (self.numbers.next_u64(), row)).collect();
        if self.kept.len() == self.count {
            let last = self.kept.last().map_or(0, |last| last.number);
            drawn.retain(|(number, _)| *number < last);
        }
        drawn.sort_unstable();
        drawn.truncate(self.count);
        if !drawn.is_empty() {
            let rows: Vec<usize> = drawn.iter().map(|(_, row)| *row).collect();
            let chosen = if rows.len() == n {
                drawn.sort_unstable_by_key(|(_, row)| *row);
                x.clone()
            } else {
                x.clone().select(0, transfer::upload_indices(&rows, &x.device()))
            };
            let values = transfer::download(chosen);
            let kept = drawn.iter().zip(values.chunks_exact(width.max(1)));
            self.kept.extend(kept.map(|(&(number, row), values)| Kept {
                number,
                row: self.n_rows + row,
                values: values.to_vec(),
            }));
            self.kept.sort_by_key(|kept| kept.number);
            self.kept.truncate(self.count);
        }
        self.n_rows += n;
        Ok(())
    }

    /// The number of rows that were added.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The numbers of the drawn rows in rising order, `[n]`, and their values, `[n, D]`, one row after
    /// the other.
    pub fn rows(&self) -> (Vec<usize>, Vec<f64>) {
        let mut kept: Vec<&Kept> = self.kept.iter().collect();
        kept.sort_unstable_by_key(|kept| kept.row);
        let values = kept.iter().flat_map(|kept| &kept.values).copied().collect();
        (kept.iter().map(|kept| kept.row).collect(), values)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::DType;

    use super::*;

    const COUNT: usize = 1000;

    fn drawn(n: usize, length: usize) -> (Vec<usize>, Vec<f64>) {
        let mut sample = SampledRows::new(COUNT, 5);
        let values: Vec<f64> = (0..2 * n).map(|i| i as f64).collect();
        for part in values.chunks(2 * length) {
            let shape = [part.len() / 2, 2];
            let device = Default::default();
            let x = transfer::upload::<Flex, 2>(part.to_vec(), shape, &device, DType::F64);
            sample.add(&x).expect("a part");
        }
        assert_eq!(sample.n_rows(), n);
        sample.rows()
    }

    #[test]
    fn parts_make_no_difference() {
        let (rows, values) = drawn(2500, 2500);
        assert_eq!((rows.clone(), values.clone()), drawn(2500, 7));
        assert_eq!((rows.clone(), values.clone()), drawn(2500, 999));
        assert!(rows.len() == COUNT && rows.is_sorted_by(|a, b| a < b));
        for (row, values) in rows.iter().zip(values.chunks(2)) {
            assert_eq!(values, [2.0 * *row as f64, 2.0 * *row as f64 + 1.0]);
        }
        // From all parts of the table alike.
        let late = rows.iter().filter(|row| **row >= 1250).count();
        assert!((440..560).contains(&late), "{late}");
    }

    #[test]
    fn few_rows_are_all_drawn() {
        for length in [1, 300, 1000] {
            let (rows, values) = drawn(1000, length);
            assert_eq!(rows, Vec::from_iter(0..1000));
            assert_eq!(values, Vec::from_iter((0..2000).map(f64::from)));
        }
    }

    #[test]
    fn parts_of_another_width_are_refused() {
        let mut sample = SampledRows::new(3, 0);
        let device = Default::default();
        sample.add(&Tensor::<Flex, 2>::zeros([2, 3], &device)).expect("a part");
        assert!(sample.add(&Tensor::<Flex, 2>::zeros([2, 4], &device)).is_err());
    }
}
