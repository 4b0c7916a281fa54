//! Clusterers, models and networks as parts of other modules: blank ones, records, devices,
//! quantised parameters, autodiff twins, and fits that are saved and resumed.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param, Quantizer};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::QuantizedTensor;
use burn::tensor::quantization::{
    Calibration, QTensorPrimitive, QuantLevel, QuantParam, QuantValue,
};
use burn::tensor::{DType, Tensor, read_sync};
use neuralize::Error;
use neuralize::cluster::{
    Clusterer, Distance, GaussianMixture, GaussianMixtureConfig, KMeans, KMeansConfig,
    KernelKMeans, KernelKMeansConfig, LabelledConfig, MiniBatchKMeans, SeparableKMeans,
};
use neuralize::data::Scale;
use neuralize::explain::{Beta, Target};
use neuralize::network::{
    Network, NeuralizedGaussianMixtureConfig, NeuralizedKMeansConfig, NeuralizedKernelKMeansConfig,
    NeuralizedSeparableKMeansConfig,
};
use neuralize::outlier::{KernelDensity, KernelDensityConfig, NeuralizedKernelDensityConfig};
use neuralize::record::{Model, ModelInfo, Stored, load_burnpack, save_burnpack};

use super::super::suite::*;
use super::deep::{Perceptron, perceptron};
use neuralize::deep::DeepKMeans;

fn data<B: Backend>(setup: &Setup<B>) -> Tensor<B, 2> {
    setup.tensor(&random_rows(30, 3, 0.5, 81))
}

/// A fitted clusterer of every kind.
fn clusterers<B: Backend>(setup: &Setup<B>) -> Vec<Clusterer<B>> {
    let x = data(setup);
    let centroids = x.clone().narrow(0, 0, 3);
    let labels: Vec<usize> = (0..30).map(|row| row % 3).collect();
    let variances = centroids.clone().square() + 0.5;
    let weights = setup.column(&[0.2, 0.3, 0.5]);
    vec![
        KMeansConfig::new(3).fit(&x).unwrap().model.into(),
        SeparableKMeans::from_centroids(centroids.clone(), Distance::Manhattan).unwrap().into(),
        SeparableKMeans::from_centroids(centroids.clone(), Distance::Mahalanobis).unwrap().into(),
        KernelKMeans::from_supports(x, &labels, 0.7).unwrap().into(),
        GaussianMixture::from_parts(centroids, variances, weights).unwrap().into(),
    ]
}

/// A module of a user's.
#[derive(Module, Debug)]
struct Outer<B: Backend> {
    clusterer: Clusterer<B>,
    model: Model<B>,
}

fn model<B: Backend>(clusterer: &Clusterer<B>, x: &Tensor<B, 2>) -> Model<B> {
    let scaler = Scale::Standard.fit(x).unwrap();
    Model::new(scaler, clusterer.clone(), ModelInfo::new(["a", "b", "c"])).unwrap()
}

fn logits<B: Backend>(clusterer: &Clusterer<B>, x: &Tensor<B, 2>) -> Rows {
    rows(clusterer.neuralize().unwrap().forward(x.clone()).unwrap())
}

/// A record of any kind is loaded into a blank clusterer and a blank model of another kind.
pub fn parts_of_a_module<B: Backend>(setup: &Setup<B>) {
    let x = data(setup);
    let tolerance = if setup.dtype == DType::F64 { 1e-5 } else { 10.0 * setup.tolerance };
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    for clusterer in clusterers(setup) {
        let outer = Outer { clusterer: clusterer.clone(), model: model(&clusterer, &x) };
        let expected = logits(&clusterer, &x);
        let explained = outer.model.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap();
        let bytes = Recorder::<B>::record(&recorder, outer.clone().into_record(), ()).unwrap();
        let blank = Outer {
            clusterer: Clusterer::blank(&setup.device),
            model: Model::blank(outer.model.info().clone(), &setup.device),
        };
        assert!(blank.clusterer.clone().checked().is_err());
        assert!(blank.model.clone().checked().is_err());
        let record = Recorder::<B>::load(&recorder, bytes, &setup.device).unwrap();
        let loaded = blank.load_record(record);
        let loaded = Outer {
            clusterer: loaded.clusterer.checked().unwrap(),
            model: loaded.model.checked().unwrap(),
        };
        // Recorders keep f64 on some backends only; the precision is that of the record.
        let dtype = loaded.clusterer.dtype();
        let rows_of = x.clone().cast(dtype);
        assert_rows_close(&logits(&loaded.clusterer, &rows_of), &expected, tolerance, "logits");
        let found = loaded.model.explain(&rows_of, Target::Assigned, Beta::Value(0.5)).unwrap();
        let (found, expected) = (rows(found.relevance), rows(explained.relevance));
        // Rounded parameters move a boundary, by the same for rows near to it and far from it.
        let size = expected.iter().map(|row| row.iter().map(|r| r.abs()).sum::<f64>());
        let size = largest(size);
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() <= tolerance * size, "{found} against {expected}");
        }
    }
}

/// What a model keeps goes with its parameters: to a device, into a fork, through a mapper.
pub fn a_model_moves<B: Backend>(setup: &Setup<B>) {
    let x = data(setup);
    for clusterer in clusterers(setup) {
        let model = model(&clusterer, &x);
        let expected =
            rows(model.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap().relevance);
        let moved = model.clone().to_device(&setup.device).fork(&setup.device);
        let found = rows(moved.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap().relevance);
        assert_eq!(found, expected);
        assert_eq!(moved.devices(), vec![setup.device.clone()]);
        assert_eq!(moved.num_params(), model.num_params());
        // A record of another model replaces the network that the first call made.
        let other = KMeans::from_centroids(x.clone().narrow(0, 5, 3)).unwrap();
        let other = Model::new(Scale::None.fit(&x).unwrap(), other, model.info().clone()).unwrap();
        let changed = model.load_record(other.clone().into_record()).checked().unwrap();
        let ask = |model: &Model<B>| {
            rows(model.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap().relevance)
        };
        assert_eq!(ask(&changed), ask(&other));
        assert_ne!(ask(&changed), expected);
        assert!(!format!("{changed}").is_empty() && !format!("{}", changed.clusterer()).is_empty());
    }
}

/// Blank modules of every kind: refused until a record is in them.
pub fn blank_modules<B: Backend>(setup: &Setup<B>) {
    let (x, device) = (data(setup), &setup.device);
    let folder = tempfile::tempdir().unwrap();
    let refused = |error: Error| {
        let error = error.to_string();
        assert!(error.contains("is blank: load a record into it first"), "{error}");
    };
    refused(KMeansConfig::new(3).init::<B>(3, device).checked().unwrap_err());
    refused(
        KMeansConfig::new(3)
            .with_distance(Distance::Logistic)
            .init::<B>(3, device)
            .checked()
            .unwrap_err(),
    );
    refused(GaussianMixtureConfig::new(3).init::<B>(3, device).checked().unwrap_err());
    refused(KernelKMeansConfig::new(3).init::<B>(3, 9, device).checked().unwrap_err());
    refused(LabelledConfig::new().init::<B>(3, 2, 9, device).checked().unwrap_err());
    refused(Scale::MinMax.init::<B>(3, device).checked().unwrap_err());
    refused(KernelDensityConfig::new().init::<B>(3, 9, device).checked().unwrap_err());
    refused(NeuralizedKMeansConfig::new(3, 3).init::<B>(device).checked().unwrap_err());
    refused(NeuralizedKernelKMeansConfig::new(3, 3, 9).init::<B>(device).checked().unwrap_err());
    refused(NeuralizedGaussianMixtureConfig::new(3, 3).init::<B>(device).checked().unwrap_err());
    refused(NeuralizedKernelDensityConfig::new(3, 9).init::<B>(device).checked().unwrap_err());
    for distance in [Distance::Manhattan, Distance::KullbackLeibler] {
        let config = NeuralizedSeparableKMeansConfig::new(3, 3, distance);
        refused(config.init::<B>(device).checked().unwrap_err());
    }

    // Networks through files, and through records into blank ones.
    fn through<B: Backend, M: Stored<B>>(
        setup: &Setup<B>,
        network: M,
        blank: M,
        folder: &std::path::Path,
    ) -> [M; 2] {
        let path = folder.join("network.bpk");
        save_burnpack(&network, &path).unwrap();
        let loaded = load_burnpack(&path, &setup.device, setup.dtype).unwrap();
        [loaded, blank.load_record(network.into_record())]
    }
    let answers = |network: &dyn Network<B>| {
        let found = network.explain(&x, Target::Assigned, Beta::Value(0.4)).unwrap();
        [rows(network.forward(x.clone()).unwrap()), rows(found.relevance)]
    };
    let close = |found: [Rows; 2], expected: &[Rows; 2]| {
        for (found, expected) in found.iter().zip(expected) {
            assert_rows_close(found, expected, 100.0 * setup.tolerance, "a loaded network");
        }
    };
    for clusterer in clusterers(setup) {
        let expected = answers(&*clusterer.neuralize().unwrap());
        match clusterer {
            Clusterer::KMeans(model) => {
                let blank = NeuralizedKMeansConfig::new(3, 3).init(device);
                for network in through(setup, model.neuralize().unwrap(), blank, folder.path()) {
                    close(answers(&network.checked().unwrap()), &expected);
                }
            }
            Clusterer::Separable(model) => {
                let config = NeuralizedSeparableKMeansConfig::new(3, 3, model.distance());
                let network = model.neuralize().unwrap();
                for network in through(setup, network, config.init(device), folder.path()) {
                    close(answers(&network.checked().unwrap()), &expected);
                }
            }
            Clusterer::Kernel(model) => {
                let blank = NeuralizedKernelKMeansConfig::new(3, 3, 30).init(device);
                for network in through(setup, model.neuralize().unwrap(), blank, folder.path()) {
                    close(answers(&network.checked().unwrap()), &expected);
                }
            }
            Clusterer::Mixture(model) => {
                let blank = NeuralizedGaussianMixtureConfig::new(3, 3).init(device);
                for network in through(setup, model.neuralize().unwrap(), blank, folder.path()) {
                    close(answers(&network.checked().unwrap()), &expected);
                }
            }
            _ => unreachable!("four kinds"),
        }
    }
    let density = KernelDensity::from_supports(x.clone(), 0.5).unwrap().neuralize();
    let expected = values(density.score(&x).unwrap());
    let blank = NeuralizedKernelDensityConfig::new(3, 30).init(device);
    for network in through(setup, density, blank, folder.path()) {
        assert_eq!(values(network.checked().unwrap().score(&x).unwrap()), expected);
    }
}

/// Quantised parameters are refused where they would be computed with, and restored by `checked`.
pub fn quantised_modules<B: Backend>(setup: &Setup<B>) {
    // Burn's GPU backends panic where they quantise tables of such sizes, and all of them in fusion.
    if setup.dtype != DType::F32 || std::any::type_name::<B>().contains("Cube") {
        return;
    }
    let x = data(setup);
    let kmeans = KMeansConfig::new(3).fit(&x).unwrap().model;
    let beta = kmeans.beta().unwrap();
    let scheme = <QuantizedTensor<B> as QTensorPrimitive>::default_scheme()
        .with_value(QuantValue::Q8S)
        .with_level(QuantLevel::Tensor)
        .with_param(QuantParam::F32);
    let mut quantizer = Quantizer { calibration: Calibration::MinMax, scheme };
    let quantised = kmeans.clone().quantize_weights(&mut quantizer);
    assert!((quantised.beta().unwrap() - beta).abs() < 1e-2 * beta, "not its storage");
    let error = quantised.predict(&x).expect_err("nothing computes with codes");
    assert!(matches!(error, Error::Quantised), "{error}");
    let restored = quantised.checked().unwrap();
    let (found, expected) = (rows(restored.centroids()), rows(kmeans.centroids()));
    let largest = expected.iter().flatten().fold(0.0, |a: f64, b| a.max(b.abs()));
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() <= largest / 120.0);
    }
    assert!(restored.predict(&x).is_ok());
    assert!((restored.clone().with_beta(0.25).unwrap().beta().unwrap() - 0.25).abs() < 1e-9);
    let again = kmeans.clone().quantize_weights(&mut quantizer).with_beta(0.25).unwrap();
    assert_eq!(again.beta(), Some(0.25));
    for clusterer in clusterers(setup) {
        // Burn's NdArray panics where it quantises NaN, which is a β that is not known.
        let clusterer: Clusterer<B> = match clusterer {
            Clusterer::KMeans(model) => model.into(),
            Clusterer::Separable(model) => model.with_beta(0.5).unwrap().into(),
            Clusterer::Kernel(model) => model.with_beta(0.5).unwrap().into(),
            Clusterer::Mixture(model) => model.with_beta(0.5).unwrap().into(),
            _ => unreachable!("four kinds"),
        };
        // γ, sizes and the distance are no weights.
        let restored = clusterer.clone().quantize_weights(&mut quantizer).checked();
        match (clusterer, restored) {
            (Clusterer::Separable(model), Ok(Clusterer::Separable(found))) => {
                assert_eq!(found.distance(), model.distance());
            }
            (Clusterer::Kernel(model), Ok(Clusterer::Kernel(found))) => {
                assert_eq!((found.gamma(), found.sizes()), (model.gamma(), model.sizes()));
            }
            // Weights of features that are not 1 any more are refused.
            (_, restored) => assert!(restored.map_or_else(|e| !e.to_string().is_empty(), |_| true)),
        }
    }
    let network = kmeans.neuralize().unwrap().quantize_weights(&mut quantizer);
    let error = network.explain(&x, Target::Assigned, Beta::Value(1.0)).unwrap_err();
    assert!(matches!(error, Error::Quantised), "{error}");
}

/// β is finite in the precision of the model.
pub fn a_beta_beyond_the_precision<B: Backend>(setup: &Setup<B>) {
    let kmeans = setup.kmeans(&random_rows(3, 2, 0.0, 82));
    let large = kmeans.clone().with_beta(1e300);
    assert_eq!(large.is_ok(), setup.dtype == DType::F64);
    assert!(kmeans.with_beta(1e30).is_ok());
}

/// `valid` and `train`, in code that is generic over the backend and the encoder.
pub fn deep_twins<B: Backend>(setup: &Setup<B>) {
    fn there_and_back<A: AutodiffBackend, E>(model: DeepKMeans<A, E>) -> DeepKMeans<A, E>
    where
        E: AutodiffModule<A> + burn::module::ModuleDisplay,
        E::InnerModule: burn::module::ModuleDisplay,
    {
        DeepKMeans::from_inner(model.valid())
    }
    let x = setup.tensor(&random_rows(6, 5, 0.0, 83));
    let encoder = perceptron(setup, 84);
    let head = setup.kmeans(&random_rows(3, 3, 0.0, 85));
    let model = DeepKMeans::new(encoder, head);
    let expected = indices(model.predict(x.clone()).unwrap());
    let trained: DeepKMeans<Autodiff<B>, Perceptron<Autodiff<B>>> =
        model.clone().train::<Autodiff<B>>().trainable();
    assert!(trained.head().centroids().is_require_grad());
    let valid: DeepKMeans<B, Perceptron<B>> = there_and_back(trained).valid();
    assert_eq!(indices(valid.predict(x.clone()).unwrap()), expected);
    let (encoder, head) = valid.into_parts();
    assert_eq!(indices(DeepKMeans::new(encoder, head).predict(x).unwrap()), expected);
}

/// A mini-batch fit goes on after a file as if it had never stopped, and workers add up.
pub fn mini_batches_resume_and_merge<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fit.json");
    let batch = |seed: u64| setup.tensor(&random_rows(40, 3, 0.3, 90 + seed));
    let mut straight = MiniBatchKMeans::<B>::new(KMeansConfig::new(4).with_seed(7)).unwrap();
    straight.save(&path).unwrap();
    let mut resumed = MiniBatchKMeans::<B>::resume(&path, &setup.device).unwrap();
    for seed in 0..5 {
        straight.partial_fit(&batch(seed)).unwrap();
        resumed.partial_fit(&batch(seed)).unwrap();
        resumed.save(&path).unwrap();
        resumed = MiniBatchKMeans::resume(&path, &setup.device).unwrap();
        assert_eq!(resumed.batches(), seed as usize + 1);
        let (found, expected) = (resumed.model().unwrap(), straight.model().unwrap());
        assert_eq!(rows(found.centroids()), rows(expected.centroids()));
        assert_eq!(found.beta(), expected.beta());
    }

    // Two workers on halves of the batches: weighted means of what each assigned.
    let mut workers = [straight.fork().unwrap(), straight.fork().unwrap()];
    for (worker, seed) in workers.iter_mut().zip([10, 11]) {
        worker.partial_fit(&batch(seed)).unwrap();
    }
    let start = rows(straight.model().unwrap().centroids());
    let before: Vec<f64> = {
        let labels = |seed: u64| indices(straight.model().unwrap().predict(&batch(seed)).unwrap());
        let mut sums = vec![vec![0.0; 4]; 4];
        for seed in [10, 11] {
            for (row, label) in rows(batch(seed)).iter().zip(labels(seed)) {
                sums[label][3] += 1.0;
                row.iter().enumerate().for_each(|(i, value)| sums[label][i] += value);
            }
        }
        sums.concat()
    };
    let mut merged = straight.fork().unwrap();
    for worker in workers {
        merged.merge(worker).unwrap();
    }
    assert_eq!(merged.batches(), 2);
    let found = rows(merged.model().unwrap().centroids());
    for (k, sums) in before.chunks(4).enumerate() {
        for i in 0..3 {
            let expected = if sums[3] > 0.0 { sums[i] / sums[3] } else { start[k][i] };
            let error = (found[k][i] - expected).abs();
            assert!(error <= 20.0 * setup.tolerance * expected.abs().max(1.0), "{error}");
        }
    }

    let unfitted = MiniBatchKMeans::<B>::new(KMeansConfig::new(4)).unwrap();
    assert!(unfitted.fork().is_err() && unfitted.clone().merge(straight.clone()).is_err());
    let mut other = MiniBatchKMeans::<B>::new(KMeansConfig::new(3)).unwrap();
    other.partial_fit(&batch(0)).unwrap();
    assert!(straight.merge(other).is_err());
    let text = std::fs::read_to_string(&path).unwrap();
    for damaged in [
        text.replace("neuralize-mini-batch", "something-else"),
        text.replace("\"version\": 1", "\"version\": 2"),
        text.replacen("\"counts\": [", "\"counts\": [1.0,", 1),
        text.replacen("\"counts\": [", "\"counts\": [-1.0,", 1),
        text[..text.len() / 2].to_owned(),
        String::new(),
    ] {
        std::fs::write(&path, damaged).unwrap();
        assert!(MiniBatchKMeans::<B>::resume(&path, &setup.device).is_err());
    }
    assert!(
        MiniBatchKMeans::<Flex>::resume(folder.path().join("none"), &Default::default()).is_err()
    );
}

/// What is awaited is what is returned, of answers and of errors.
pub fn awaited_answers<B: Backend>(setup: &Setup<B>) {
    let x = data(setup);
    let mut bad = random_rows(5, 3, 0.5, 99);
    bad[3][1] = f64::NAN;
    let (bad, wide) = (setup.tensor(&bad), setup.tensor(&random_rows(5, 4, 0.5, 99)));
    let (target, beta) = (Target::Assigned, Beta::Value(0.5));
    for clusterer in clusterers(setup) {
        let network = clusterer.neuralize().unwrap();
        let network = &*network;
        let found = read_sync(network.explain_async(&x, target, beta)).unwrap();
        let expected = network.explain(&x, target, beta).unwrap();
        assert_eq!(rows(found.relevance), rows(expected.relevance));
        assert_eq!(values(found.logit), values(expected.logit));
        let found = read_sync(network.forward_async(x.clone())).unwrap();
        assert_eq!(rows(found), rows(network.forward(x.clone()).unwrap()));
        let labels = indices(network.predict(&x).unwrap());
        assert_eq!(indices(read_sync(network.predict_async(&x)).unwrap()), labels);
        let (found, logits) = read_sync(network.predict_with_logit_async(&x)).unwrap();
        let (_, expected) = network.predict_with_logit(&x).unwrap();
        assert_eq!((indices(found), values(logits)), (labels.clone(), values(expected)));
        for x in [&bad, &wide] {
            let expected = network.explain(x, target, beta).unwrap_err().to_string();
            let found = read_sync(network.explain_async(x, target, beta)).unwrap_err();
            assert_eq!(found.to_string(), expected);
            assert_eq!(read_sync(network.predict_async(x)).unwrap_err().to_string(), expected);
        }
        let outside = Target::Cluster(7);
        assert!(read_sync(network.explain_async(&x, outside, beta)).is_err());

        let model = model(&clusterer, &x);
        let found = read_sync(model.explain_async(&x, target, beta)).unwrap();
        let expected = model.explain(&x, target, beta).unwrap();
        assert_eq!(rows(found.relevance), rows(expected.relevance));
        let expected = indices(model.predict(&x).unwrap());
        assert_eq!(indices(read_sync(model.predict_async(&x)).unwrap()), expected);
        // The place is that in the raw rows.
        let error = read_sync(model.explain_async(&bad, target, beta)).unwrap_err();
        assert!(matches!(error, Error::NonFinite { row: 3, column: 1, .. }), "{error}");
        let error = model.predict(&bad).unwrap_err();
        assert!(matches!(error, Error::NonFinite { row: 3, column: 1, .. }), "{error}");
    }
}

/// Half precision is refused by name, in the data and in the model.
pub fn half_precision_is_refused<B: Backend>(setup: &Setup<B>) {
    let x = data(setup);
    for dtype in [DType::F16, DType::BF16] {
        if !B::supports_dtype(&setup.device, dtype) {
            continue;
        }
        let half = x.clone().cast(dtype);
        let unsupported =
            |error: Error| assert!(matches!(error, Error::UnsupportedDType { .. }), "{error}");
        unsupported(KMeansConfig::new(3).fit(&half).unwrap_err());
        unsupported(KMeans::from_centroids(half.clone()).unwrap_err());
        for clusterer in clusterers(setup) {
            unsupported(clusterer.predict(&half).unwrap_err());
            let network = clusterer.neuralize().unwrap();
            unsupported(network.explain(&half, Target::Assigned, Beta::Value(1.0)).unwrap_err());
        }
        // A module whose parameters were cast.
        struct Cast(DType);
        impl<B: Backend> ModuleMapper<B> for Cast {
            fn map_float<const D: usize>(
                &mut self,
                param: Param<Tensor<B, D>>,
            ) -> Param<Tensor<B, D>> {
                param.map(|tensor| tensor.cast(self.0))
            }
        }
        let kmeans = KMeansConfig::new(3).fit(&x).unwrap().model.map(&mut Cast(dtype));
        unsupported(kmeans.predict(&half).unwrap_err());
        assert!(matches!(kmeans.predict(&x).unwrap_err(), Error::DTypeMismatch { .. }));
    }
}
