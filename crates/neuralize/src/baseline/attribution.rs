//! A method of explanation, and its answer.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::Query;
use crate::error::Result;

/// What every feature contributed to the logit of some rows.
///
/// Most methods know the relevance alone, from which an attribution is made by
/// `.into()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attribution<B: Backend> {
    /// The contribution of every feature, `[N, D]`.
    pub relevance: Tensor<B, 2>,
    /// What the method gives to no feature, `[N, 1]`; `None` for most methods.
    pub absorbed: Option<Tensor<B, 2>>,
    /// The standard error of every relevance, `[N, D]`, from methods that
    /// estimate by sampling.
    pub error: Option<Tensor<B, 2>>,
}

impl<B: Backend> Attribution<B> {
    /// The same with an absorbed part, `[N, 1]`.
    pub fn with_absorbed(mut self, absorbed: Tensor<B, 2>) -> Self {
        self.absorbed = Some(absorbed);
        self
    }

    /// The same with standard errors, `[N, D]`.
    pub fn with_error(mut self, error: Tensor<B, 2>) -> Self {
        self.error = Some(error);
        self
    }
}

impl<B: Backend> From<Tensor<B, 2>> for Attribution<B> {
    fn from(relevance: Tensor<B, 2>) -> Self {
        Self { relevance, absorbed: None, error: None }
    }
}

/// A method of explanation: relevances for the features of rows.
///
/// [`Method`](crate::baseline::Method) lists those that come with the library. A
/// method of your own is measured like them:
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::backend::Backend;
/// use burn::tensor::{DType, Tensor};
/// use neuralize::baseline::{Attribute, Attribution, Query, Tracked};
/// use neuralize::evaluate::{EvaluateConfig, Measure};
/// use neuralize::prelude::*;
///
/// /// Difference of the two centroids, times the value.
/// struct CentroidDifference;
///
/// impl<B: Backend> Attribute<B> for CentroidDifference {
///     fn name(&self) -> String {
///         "centroid-difference".into()
///     }
///
///     fn attribute(&self, query: &Query<'_, B>) -> Result<Attribution<B>, neuralize::Error> {
///         let centroids = query.background.subject().network().centroids();
///         let own = centroids.clone().select(0, query.pinned.cluster().squeeze_dim(1));
///         let other = centroids.select(0, query.pinned.competitor().squeeze_dim(1));
///         Ok(((own - other) * query.x.clone()).into())
///     }
/// }
///
/// let x = Table::wine().to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let x = Scale::MinMax.fit(&x)?.transform(&x)?;
/// let subject = Tracked::<Autodiff<Flex>>::new(KMeansConfig::new(3).fit(&x)?.model)?;
///
/// let neon = "neon".parse::<neuralize::baseline::Method>()?;
/// let methods: [(&dyn Attribute<Flex>, &str); 2] =
///     [(&neon, "NEON"), (&CentroidDifference, "difference of centroids times value")];
/// let evaluation =
///     EvaluateConfig::default().run_methods(&methods, &subject, &x, &mut |_, _, _| {})?;
/// let gain = |method: usize| evaluation.methods[method].values[&Measure::GainCompetitor];
/// assert!(gain(0) > gain(1));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub trait Attribute<B: Backend> {
    /// The name in tables and figures.
    fn name(&self) -> String;

    /// What every feature contributed to the logit of every row.
    ///
    /// # Errors
    ///
    /// If the method does not work for such a model or such data. An evaluation lists
    /// the reason of an [`Error::Config`](crate::Error::Config) with the name
    /// "method" and goes on; other errors end it.
    fn attribute(&self, query: &Query<'_, B>) -> Result<Attribution<B>>;
}
