//! Metrics of a clustering for `burn::train`.

use std::sync::Arc;

use burn::tensor::{DType, Tensor, backend::Backend};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Adaptor, ItemLazy, LossInput, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};

use crate::cluster::KMeans;
use crate::error::Result;
use crate::explain::{Beta, Target};
use crate::network::Network;
use crate::{kernel, transfer, validate};

/// A metric that is the mean of a number over the rows.
macro_rules! mean_metric {
    ($metric:ident, $input:ident, $name:literal, $describes:literal, $better:literal) => {
        #[doc = $describes]
        #[derive(Debug, Clone)]
        pub struct $input {
            /// One number a row of the batch.
            pub values: Vec<f64>,
        }

        #[doc = concat!($describes, " The value of an epoch is the mean over its rows.")]
        #[derive(Clone)]
        pub struct $metric {
            name: MetricName,
            state: NumericMetricState,
        }

        impl $metric {
            /// The metric before its first batch.
            pub fn new() -> Self {
                Self { name: Arc::new($name.into()), state: NumericMetricState::default() }
            }
        }

        impl Default for $metric {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Metric for $metric {
            type Input = $input;

            fn name(&self) -> MetricName {
                Arc::clone(&self.name)
            }

            fn description(&self) -> Option<String> {
                Some($describes.trim().into())
            }

            fn attributes(&self) -> MetricAttributes {
                NumericAttributes { unit: None, higher_is_better: $better }.into()
            }

            fn update(&mut self, item: &$input, _: &MetricMetadata) -> SerializedEntry {
                let rows = item.values.len();
                let mean = item.values.iter().sum::<f64>() / rows as f64;
                let format = FormatOptions::new(self.name()).precision(6);
                self.state.update(mean, rows, format)
            }

            fn clear(&mut self) {
                self.state.reset();
            }
        }

        impl Numeric for $metric {
            fn value(&self) -> NumericEntry {
                self.state.current_value()
            }

            fn running_value(&self) -> NumericEntry {
                self.state.running_value()
            }
        }
    };
}

mean_metric!(
    InertiaMetric,
    InertiaInput,
    "Inertia per row",
    " The squared distance of a row to its nearest centroid.",
    false
);
mean_metric!(
    MarginMetric,
    MarginInput,
    "Margin",
    " The logit of a row's own cluster: how much nearer its centroid is than the next one, in squared units.",
    true
);
mean_metric!(
    ConservationMetric,
    ConservationInput,
    "Conservation error",
    " How far the relevances of a row are from summing to its logit, relative to their absolute sum.",
    false
);

/// The output of a training or validation step for the metrics of a clustering.
///
/// It implements burn's `ItemLazy`; its values on the host implement `Adaptor` for
/// [`InertiaMetric`], [`MarginMetric`], [`ConservationMetric`] and burn's `LossMetric`.
#[derive(Debug)]
pub struct ClusteringOutput<B: Backend> {
    loss: Tensor<B, 1>,
    /// Squared distance, logit and conservation error, `[3, N]`.
    figures: Tensor<B, 2>,
}

impl<B: Backend> ClusteringOutput<B> {
    /// The figures of rows under a clusterer, outside of any graph. β is 0 for the explanations
    /// whose conservation is measured.
    ///
    /// # Shapes
    ///
    /// - loss: `[1]`, of the step
    /// - x: `[N, D]`, N at least 1: the rows, or their codes, that the clusterer clusters
    ///
    /// # Errors
    ///
    /// As [`KMeans::predict`], and if x is empty or there is only one cluster.
    pub fn new(loss: Tensor<B, 1>, kmeans: &KMeans<B>, x: &Tensor<B, 2>) -> Result<Self> {
        validate::not_empty("x", x)?;
        let x = transfer::untracked(x.clone());
        let kmeans = kmeans.untracked();
        let network = kmeans.neuralize()?;
        let explanation = network.explain(&x, Target::Assigned, Beta::Value(0.0))?;
        let distances = kernel::own_distances(&x, None, &kmeans.centroids(), &explanation.cluster);
        let errors = explanation.conservation_error();
        let figures = Tensor::stack(vec![distances, explanation.logit, errors], 0);
        Ok(Self { loss: transfer::untracked(loss), figures })
    }
}

/// A [`ClusteringOutput`] on the host.
#[derive(Debug, Clone)]
pub struct ClusteringValues {
    loss: f64,
    dtype: DType,
    distances: Vec<f64>,
    logits: Vec<f64>,
    errors: Vec<f64>,
}

impl<B: Backend> ItemLazy for ClusteringOutput<B> {
    type ItemSync = ClusteringValues;

    fn sync(self) -> ClusteringValues {
        let dtype = self.loss.dtype();
        let loss = transfer::download(self.loss).iter().sum();
        let mut distances = transfer::download(self.figures);
        let rows = distances.len() / 3;
        let errors = distances.split_off(2 * rows);
        let logits = distances.split_off(rows);
        ClusteringValues { loss, dtype, distances, logits, errors }
    }
}

impl<B: Backend> Adaptor<LossInput<B>> for ClusteringValues {
    fn adapt(&self) -> LossInput<B> {
        let device = Default::default();
        LossInput::new(transfer::upload(vec![self.loss], [1], &device, self.dtype))
    }
}

impl Adaptor<InertiaInput> for ClusteringValues {
    fn adapt(&self) -> InertiaInput {
        InertiaInput { values: self.distances.clone() }
    }
}

impl Adaptor<MarginInput> for ClusteringValues {
    fn adapt(&self) -> MarginInput {
        MarginInput { values: self.logits.clone() }
    }
}

impl Adaptor<ConservationInput> for ClusteringValues {
    fn adapt(&self) -> ConservationInput {
        ConservationInput { values: self.errors.clone() }
    }
}
