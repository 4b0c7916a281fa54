//! A mean of all rows, estimated from some of them.

/// The mean of a random sample of rows, drawn without replacement, as an estimate of the mean of
/// all rows.
///
/// ```
/// use neuralize::choose::indices::Sampled;
///
/// let half = Sampled::of(&[0.0, 1.0], 4).expect("two rows of four");
/// assert_eq!((half.estimate, half.error), (0.5, Some(0.125_f64.sqrt())));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Sampled {
    /// The mean of the sample.
    pub estimate: f64,
    /// Its standard error sd / √m · √(1 − m/n) for m of n rows, sd with divisor m − 1 (Cochran,
    /// "Sampling techniques", 1977, chapter 2): with a probability of 95 % the mean of all rows is
    /// within 1.96 of these. 0 for all rows; `None` for one of several.
    pub error: Option<f64>,
}

impl Sampled {
    /// Of the values of the sample, `[m]`, out of `rows` rows. `None` for an empty sample.
    pub fn of(values: &[f64], rows: usize) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let m = values.len() as f64;
        let estimate = values.iter().sum::<f64>() / m;
        if values.len() >= rows {
            return Some(Self { estimate, error: Some(0.0) });
        }
        let squares: f64 = values.iter().map(|value| (value - estimate).powi(2)).sum();
        let error = (squares / (m - 1.0) / m * (1.0 - m / rows as f64)).sqrt();
        Some(Self { estimate, error: (values.len() > 1).then_some(error) })
    }
}
