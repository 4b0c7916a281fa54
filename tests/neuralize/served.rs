//! Models in a service: every public type can be shared between threads, and what a
//! model keeps follows its parameters.

use std::sync::Arc;
use std::thread;

use burn::backend::{Autodiff, Flex};
use burn::module::Module;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_ndarray::NdArray;
use neuralize::cluster::{
    Bandwidth, Clusterer, ClustererConfig, ClustererFit, GaussianMixture, GaussianMixtureFit, Init,
    KMeans, KMeansConfig, KMeansFit, KernelKMeans, KernelKMeansConfig, KernelKMeansFit,
    LabelledFit, MiniBatchKMeans, PartsFit, SeparableKMeans, SeparableKMeansFit,
};
use neuralize::data::{Plane, Scale, ScaledTable, Scaler, ScalerFit, Table, TableOptions};
use neuralize::deep::{DeepExplanation, DeepQuestion};
use neuralize::explain::{Beta, Explanation, GlobalSummary, Tally, Target};
use neuralize::network::{
    DenseKMeansLayers, DenseNeuralizedKMeans, MinPool, Network, NeuralizedGaussianMixture,
    NeuralizedKMeans, NeuralizedKernelKMeans, NeuralizedSeparableKMeans, SoftMaxPool, SoftMinPool,
};
use neuralize::outlier::{KernelDensity, NeuralizedKernelDensity, OutlierExplanation};
use neuralize::record::{Model, ModelInfo, OutlierModel};
use neuralize::{Error, Kernels};

fn shared<T: Send + Sync + ?Sized>() {}

macro_rules! all_shared {
    ($($type:ty),+ $(,)?) => { $(shared::<$type>();)+ };
}

fn types_of<B: Backend>() {
    all_shared!(
        Clusterer<B>,
        ClustererFit<B>,
        GaussianMixture<B>,
        GaussianMixtureFit<B>,
        KMeans<B>,
        KMeansFit<B>,
        KernelKMeans<B>,
        KernelKMeansFit<B>,
        LabelledFit<B>,
        MiniBatchKMeans<B>,
        PartsFit<B>,
        SeparableKMeans<B>,
        SeparableKMeansFit<B>,
        Plane<B>,
        ScaledTable<B>,
        Scaler<B>,
        ScalerFit<B>,
        DeepExplanation<B, 3>,
        DeepQuestion,
        Explanation<B>,
        GlobalSummary,
        Tally,
        DenseKMeansLayers<B>,
        DenseNeuralizedKMeans<B>,
        MinPool,
        NeuralizedGaussianMixture<B>,
        NeuralizedKMeans<B>,
        NeuralizedKernelKMeans<B>,
        NeuralizedSeparableKMeans<B>,
        SoftMaxPool<B>,
        SoftMinPool<B>,
        dyn Network<B>,
        KernelDensity<B>,
        NeuralizedKernelDensity<B>,
        OutlierExplanation<B>,
        Model<B>,
        OutlierModel<B>,
    );
}

#[test]
fn every_type_can_be_shared() {
    crate::settle_precision();
    types_of::<Flex>();
    types_of::<NdArray<f64>>();
    types_of::<Autodiff<Flex>>();
    all_shared!(
        Bandwidth,
        ClustererConfig,
        Init,
        KMeansConfig,
        KernelKMeansConfig,
        Scale,
        Table,
        TableOptions,
        ModelInfo,
        Error,
        Kernels,
        dyn neuralize::baseline::Subject<Flex>,
        neuralize::baseline::Tracked<Autodiff<Flex>>,
    );
}

/// Numbers without order, different for every seed.
fn table<B: Backend>(rows: usize, columns: usize, seed: f64, dtype: DType) -> Tensor<B, 2> {
    let values: Vec<f64> =
        (0..rows * columns).map(|i| (seed + 1.7 * (i * i) as f64).sin() * 3.0).collect();
    let data = TensorData::new(values, [rows, columns]).convert_dtype(dtype);
    Tensor::from_data(data, (&Default::default(), dtype))
}

fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Everything that a network answers about some rows.
fn answers<B: Backend>(network: &dyn Network<B>, x: &Tensor<B, 2>) -> Vec<Vec<f64>> {
    let explanation = network.explain(x, Target::Assigned, Beta::Value(0.7)).unwrap();
    let (labels, logits) = network.predict_with_logit(x).unwrap();
    let labels = labels.into_data().iter::<i64>().map(|label| label as f64).collect();
    vec![
        numbers(explanation.relevance),
        numbers(network.forward(x.clone()).unwrap()),
        numbers(logits),
        labels,
    ]
}

/// A module that has answered, and then gets other parameters by a record or a mapper, answers as a
/// new one with these parameters; and the first one as before.
fn kept_values_follow_parameters<B: Backend>(dtype: DType) {
    let x = table::<B>(20, 5, 0.5, dtype);
    let [one, other] = [1.0, 2.0].map(|seed| table::<B>(7, 5, seed, dtype));

    let [a, b] = [&one, &other].map(|t| KMeans::from_centroids(t.clone()).unwrap());
    let labels = |model: &KMeans<B>| {
        let labels = model.predict(&x).unwrap().into_data().iter::<i64>().collect::<Vec<_>>();
        (labels, numbers(model.transform(&x).unwrap()))
    };
    let (before, expected) = (labels(&a), labels(&KMeans::from_centroids(other.clone()).unwrap()));
    assert_ne!(before, expected);
    assert_eq!(labels(&a.clone().load_record(b.clone().into_record())), expected);
    assert_eq!(labels(&a), before);

    let [a, b] = [a, b].map(|model| model.neuralize().unwrap());
    let before = answers(&a, &x);
    let expected = answers(&b, &x);
    assert_ne!(before, expected);
    assert_eq!(answers(&a.clone().load_record(b.into_record()), &x), expected);
    assert_eq!(answers(&a.clone().fork(&Default::default()), &x), before);
    assert_eq!(answers(&a, &x), before);

    let sizes = [0, 0, 1, 1, 1, 2, 2];
    let [a, b] = [one, other]
        .map(|supports| KernelKMeans::from_supports(supports, &sizes, 0.4).unwrap())
        .map(|model| (model.neuralize().unwrap(), model));
    let (before, expected) = (answers(&a.0, &x), answers(&b.0, &x));
    assert_ne!(before, expected);
    assert_eq!(answers(&a.0.clone().load_record(b.0.into_record()), &x), expected);
    assert_eq!(answers(&a.0, &x), before);
    let soft = |model: &KernelKMeans<B>| numbers(model.soft_distances(&x).unwrap());
    let (before, expected) = (soft(&a.1), soft(&b.1));
    assert_eq!(soft(&a.1.clone().load_record(b.1.into_record())), expected);
    assert_eq!(soft(&a.1), before);
}

#[test]
fn kept_values_follow_parameters_on_every_backend() {
    crate::settle_precision();
    kept_values_follow_parameters::<Flex>(DType::F32);
    kept_values_follow_parameters::<Flex>(DType::F64);
    kept_values_follow_parameters::<NdArray<f32>>(DType::F32);
    kept_values_follow_parameters::<NdArray<f64>>(DType::F64);
    kept_values_follow_parameters::<Autodiff<Flex>>(DType::F64);
}

/// One model behind an `Arc`, asked by many threads at once from the first call on.
#[test]
fn threads_share_a_model() {
    let data = table::<Flex>(300, 6, 0.1, DType::F64);
    let labels: Vec<_> = (0..300).map(|row| Some(row % 4)).collect();
    let kernel = neuralize::cluster::LabelledConfig::new().fit(&data, &labels).unwrap();
    let kmeans = KMeansConfig::new(4).with_n_init(Some(1)).fit(&data).unwrap();
    for clusterer in [Clusterer::from(kmeans.model), Clusterer::from(kernel.model)] {
        let scaler = Scale::Standard.fit(&data).unwrap();
        let names = (0..6).map(|d| format!("f{d}"));
        let model = Arc::new(Model::new(scaler, clusterer, ModelInfo::new(names)).unwrap());
        let ask = |model: &Model<Flex>, row: usize| {
            let x = data.clone().narrow(0, row, 1);
            let label = model.predict(&x).unwrap().into_data().iter::<i64>().next();
            let explanation = model.explain(&x, Target::Assigned, Beta::Value(1.0)).unwrap();
            (label, numbers(explanation.relevance), numbers(explanation.logit))
        };
        let fresh = Model::clone(&model);
        let expected: Vec<_> = (0..300).map(|row| ask(&fresh, row)).collect();
        thread::scope(|scope| {
            for first in 0..8 {
                let (model, expected, ask) = (Arc::clone(&model), &expected, &ask);
                scope.spawn(move || {
                    for row in (first..300).step_by(3) {
                        assert_eq!(ask(&model, row), expected[row], "row {row}");
                    }
                });
            }
        });
    }
}
