//! A number of clusters while it is judged.

/// Starts on the data.
pub(in crate::choose) const RESTARTS: usize = 10;
/// Starts on data without clusters and on resampled rows.
pub(in crate::choose) const RESTARTS_AGAIN: usize = 3;

/// A number of clusters on the rows that are judged.
#[derive(Debug, Clone)]
pub(in crate::choose) struct Trial {
    pub(in crate::choose) clusters: usize,
    pub(in crate::choose) labels: Vec<usize>,
    pub(in crate::choose) silhouette: f64,
    pub(in crate::choose) log_w: f64,
    pub(in crate::choose) bic: Option<f64>,
    /// Silhouettes of data in a box, and the logarithms of their inertia.
    pub(in crate::choose) boxed: Vec<f64>,
    pub(in crate::choose) log_w_boxed: Vec<f64>,
    /// Silhouettes of data with the correlations of the data.
    pub(in crate::choose) copula: Vec<f64>,
    /// Adjusted Rand indices with the clusters of resampled rows.
    pub(in crate::choose) agreements: Vec<f64>,
}
