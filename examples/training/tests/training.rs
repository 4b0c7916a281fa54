//! The training loop as a user runs it: losses fall, explanations stay exact, checkpoints load; and
//! the metrics by hand.

use burn::backend::{Autodiff, Flex};
use burn::data::dataloader::Progress;
use burn::tensor::{DType, Tensor};
use burn::train::metric::{Adaptor, ItemLazy, LossMetric, Metric, MetricMetadata, Numeric};
use neuralize::cluster::KMeans;
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;
use neuralize::train::{
    ClusteringOutput, ClusteringValues, ConservationMetric, InertiaInput, InertiaMetric,
    MarginMetric,
};

#[test]
fn a_training_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let x = training::wines::<Flex>().expect("wines");
    let epochs = 12;
    let model = training::train::<Autodiff<Flex>>(folder.path(), &x, epochs).expect("a model");
    let mean = |epoch: usize, metric: &str| {
        let file =
            folder.path().join(format!("valid/epoch-{epoch}/{}.log", metric.replace(' ', "_")));
        let text = std::fs::read_to_string(&file).expect("a log of the metric");
        let entries = text.lines().filter_map(|line| {
            let (value, count) = line.split_once(',')?;
            Some((value.parse::<f64>().ok()?, count.parse::<f64>().ok()?))
        });
        let (sum, count) = entries.fold((0.0, 0.0), |(s, c), (v, n)| (s + v * n, c + n));
        assert_eq!(count, if metric == "Loss" { 3.0 } else { 178.0 }, "{text}");
        sum / count
    };
    assert!(mean(epochs, "Loss") < 0.9 * mean(1, "Loss"));
    assert!(mean(epochs, "Margin").is_finite() && mean(epochs, "Inertia per row") > 0.0);
    for epoch in [1, epochs] {
        assert!(mean(epoch, "Conservation error") < 1e-5);
    }

    let checkpoint = training::checkpoint::<Autodiff<Flex>>(folder.path(), epochs, &x);
    let checkpoint = checkpoint.expect("the last epoch has a checkpoint");
    let centroids = |kmeans: &KMeans<Flex>| kmeans.centroids().into_data();
    assert_eq!(centroids(checkpoint.model.head()), centroids(model.head()));
    let codes = model.codes(&x).expect("codes");
    let network = model.neuralize().expect("three clusters");
    let explanation = network.explain(&codes, Target::Assigned, Beta::Heuristic).expect("a beta");
    let worst: f32 = explanation.conservation_error().max().into_scalar();
    assert!(worst < 1e-5, "{worst}");
    assert!(training::checkpoint::<Autodiff<Flex>>(folder.path(), 99, &x).is_err());
}

fn metadata() -> MetricMetadata {
    let progress = || Progress { items_processed: 1, items_total: 1 };
    MetricMetadata { progress: progress(), global_progress: progress(), iteration: None, lr: None }
}

fn updated<M: Metric + Numeric>(mut metric: M, values: &ClusteringValues) -> f64
where
    ClusteringValues: Adaptor<M::Input>,
{
    metric.update(&values.adapt(), &metadata());
    metric.value().current()
}

#[test]
fn figures_are_means_over_rows() {
    let device = Default::default();
    let table = |values: [[f64; 2]; 2]| Tensor::<Flex, 2>::from_data(values, (&device, DType::F64));
    let kmeans = KMeans::from_centroids(table([[0.0, 0.0], [4.0, 0.0]])).expect("centroids");
    let x = table([[1.0, 0.0], [3.0, 1.0]]);
    let loss = Tensor::<Flex, 1>::from_data([0.25], (&device, DType::F64));
    let values = ClusteringOutput::new(loss.clone(), &kmeans, &x).expect("two clusters").sync();
    // Squared distances 1 and 2 against 9 and 10.
    assert_eq!(updated(InertiaMetric::new(), &values), 1.5);
    assert_eq!(updated(MarginMetric::new(), &values), 8.0);
    assert!(updated(ConservationMetric::new(), &values) < 1e-15);
    assert_eq!(updated(LossMetric::<Flex>::new(), &values), 0.25);
    let none = x.slice([0..0, 0..2]);
    assert!(ClusteringOutput::new(loss, &kmeans, &none).is_err());
}

#[test]
fn an_epoch_is_the_mean_over_its_rows() {
    let mut metric = InertiaMetric::new();
    metric.update(&InertiaInput { values: vec![1.0, 2.0, 3.0] }, &metadata());
    metric.update(&InertiaInput { values: vec![6.0] }, &metadata());
    assert_eq!(metric.running_value().current(), 3.0);
    metric.clear();
    metric.update(&InertiaInput { values: vec![5.0] }, &metadata());
    assert_eq!(metric.running_value().current(), 5.0);
}
