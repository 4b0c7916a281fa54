//! Information criteria of mixtures.

/// The covariances of a mixture of normal distributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Covariance {
    /// A matrix for every component.
    Full,
    /// One matrix for all components.
    Tied,
    /// A variance for every component and column.
    Diagonal,
    /// A variance for every component.
    Spherical,
}

impl Covariance {
    /// The number of free parameters of a mixture of K components in D columns: K − 1 weights, KD
    /// means and the covariances.
    ///
    /// ```
    /// use neuralize::choose::indices::Covariance;
    ///
    /// assert_eq!(Covariance::Full.parameters(3, 2), 17.0);
    /// ```
    pub fn parameters(self, clusters: usize, columns: usize) -> f64 {
        let (k, d) = (clusters as f64, columns as f64);
        let matrix = d * (d + 1.0) / 2.0;
        let covariance = match self {
            Self::Full => k * matrix,
            Self::Tied => matrix,
            Self::Diagonal => k * d,
            Self::Spherical => k,
        };
        k - 1.0 + k * d + covariance
    }
}

/// Schwarz's criterion −2 L + P ln N, for the logarithm L of the likelihood of all N rows (a sum,
/// not a mean) and P free parameters. Smaller is better, as in scikit-learn; R's mclust has the
/// opposite sign.
///
/// Schwarz, "Estimating the dimension of a model" (1978).
///
/// ```
/// assert_eq!(neuralize::choose::indices::bic(-10.0, 3.0, 1), 20.0);
/// ```
pub fn bic(log_likelihood: f64, parameters: f64, rows: usize) -> f64 {
    -2.0 * log_likelihood + parameters * (rows as f64).ln()
}

/// Akaike's criterion −2 L + 2 P; smaller is better.
///
/// Akaike, "A new look at the statistical model identification" (1974).
///
/// ```
/// assert_eq!(neuralize::choose::indices::aic(-10.0, 3.0), 26.0);
/// ```
pub fn aic(log_likelihood: f64, parameters: f64) -> f64 {
    -2.0 * log_likelihood + 2.0 * parameters
}
