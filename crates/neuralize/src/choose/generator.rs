//! Random numbers of the rule: one generator, with a stream of its own for every use.

/// What random numbers are drawn for. Results depend on these numbers: they never change.
#[derive(Debug, Clone, Copy)]
pub(in crate::choose) enum Stream {
    /// The rows that are judged.
    Rows = 1,
    /// The rows whose silhouettes are taken.
    Silhouettes = 2,
    /// Data without clusters in a box.
    Box = 3,
    /// Data without clusters with the correlations of the data.
    Copula = 4,
    /// Rows drawn again.
    Resampled = 5,
    /// Starts on the rows that are judged.
    Judged = 6,
    /// Starts on all rows.
    Whole = 7,
    /// The rows of the figures that are of all rows.
    Figured = 8,
}

/// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021),
/// seeded by splitmix64 as its authors advise.
#[derive(Debug, Clone)]
pub(in crate::choose) struct Generator {
    state: [u64; 4],
    /// The second of two normal numbers.
    spare: Option<f64>,
}

impl Generator {
    pub(in crate::choose) fn new(seed: u64, stream: Stream, draw: usize) -> Self {
        let mut seed = seed_of(seed, stream, draw, 0);
        let state = std::array::from_fn(|_| splitmix(&mut seed));
        Self { state, spare: None }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in [0, 1) with 53 random bits.
    pub(in crate::choose) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A whole number below `count`; 0 if that is 0.
    pub(in crate::choose) fn index(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// A standard normal number, by Marsaglia's polar method.
    pub(in crate::choose) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// `count` different whole numbers below `all`, in rising order.
    pub(in crate::choose) fn subset(&mut self, all: usize, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..all).collect();
        if count >= all {
            return numbers;
        }
        for place in 0..count {
            numbers.swap(place, place + self.index(all - place));
        }
        numbers.truncate(count);
        numbers.sort_unstable();
        numbers
    }
}

/// A seed for a use, a draw of it and a number of clusters.
pub(in crate::choose) fn seed_of(seed: u64, stream: Stream, draw: usize, clusters: usize) -> u64 {
    let mut mixed = seed;
    for number in [stream as u64, draw as u64, clusters as u64] {
        let mut state = mixed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed = splitmix(&mut state);
    }
    mixed
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ() {
        let first = |seed, stream, draw| Generator::new(seed, stream, draw).next();
        assert_eq!(first(7, Stream::Box, 0), first(7, Stream::Box, 0));
        assert_ne!(first(7, Stream::Box, 0), first(7, Stream::Box, 1));
        assert_ne!(first(7, Stream::Box, 0), first(7, Stream::Copula, 0));
        assert_ne!(first(7, Stream::Box, 0), first(8, Stream::Box, 0));
    }

    /// The first numbers of the authors' program for the state 1, 2, 3, 4.
    #[test]
    fn numbers_are_those_of_xoshiro() {
        let mut generator = Generator { state: [1, 2, 3, 4], spare: None };
        assert_eq!([(); 3].map(|()| generator.next()), [41943041, 58720359, 3588806011781223]);
        let mut state = 1234567;
        assert_eq!(splitmix(&mut state), 6457827717110365317);
    }

    #[test]
    fn moments_are_right() {
        let mut generator = Generator::new(1, Stream::Rows, 0);
        let mut mean = |of: &dyn Fn(&mut Generator) -> f64| {
            (0..100_000).map(|_| of(&mut generator)).sum::<f64>() / 1e5
        };
        assert!((mean(&|g| g.uniform()) - 0.5).abs() < 0.005);
        assert!(mean(&|g| g.normal()).abs() < 0.02);
        assert!((mean(&|g| g.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(&|g| g.normal().powi(4)) - 3.0).abs() < 0.2);
        assert!((mean(&|g| g.index(5) as f64) - 2.0).abs() < 0.03);
    }

    #[test]
    fn subsets_are_in_order() {
        let mut generator = Generator::new(1, Stream::Rows, 0);
        let subset = generator.subset(1000, 100);
        assert!(subset.is_sorted_by(|a, b| a < b) && subset.len() == 100);
        assert_eq!(generator.subset(3, 5), [0, 1, 2]);
        assert_eq!(generator.index(0), 0);
    }
}
