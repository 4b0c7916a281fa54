//! Model folders of every kind.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{
    Clusterer, Distance, GaussianMixtureConfig, KMeansConfig, KernelKMeansConfig, LabelledConfig,
};
use neuralize::data::Scale;
use neuralize::explain::{Beta, Target};
use neuralize::outlier::KernelDensityConfig;
use neuralize::record::{Model, ModelConfig, ModelInfo, ModelKind, OutlierModel};

use crate::suite::{Setup, random_rows, values};

fn info() -> ModelInfo {
    ModelInfo::new(["a", "b", "c"])
}

/// What comes back from a folder explains as what was saved, to the last bit.
pub fn every_kind_of_model<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(60, 3, 2.0, 31)).abs();
    let scaler = Scale::MinMax.fit(&x).expect("a scaler");
    let scaled = scaler.transform(&x).expect("scaled");
    let labels: Vec<Option<usize>> = (0..60).map(|i| (i > 3).then_some(i % 3)).collect();
    let mut models: Vec<(Clusterer<B>, ModelInfo, ModelKind, String)> = Vec::new();
    let mut add = |clusterer, info, kind, distance: &str| {
        models.push((clusterer, info, kind, distance.to_owned()));
    };
    let kmeans = KMeansConfig::new(3).fit(&scaled).expect("a fit").model;
    add(kmeans.into(), info(), ModelKind::KMeans, "squared_euclidean");
    for distance in [
        Distance::SquaredEuclidean,
        Distance::Manhattan,
        Distance::Power(1.1),
        Distance::Mahalanobis,
        Distance::KullbackLeibler,
        Distance::Logistic,
    ] {
        let fit = KMeansConfig::new(3).with_distance(distance).fit(&scaled).expect("a fit");
        add(fit.model.into(), info(), ModelKind::KMeans, &distance.to_string());
    }
    let kernel = KernelKMeansConfig::new(3).fit(&scaled).expect("a fit").model;
    add(kernel.into(), info(), ModelKind::Kernel, "gaussian_kernel");
    let labelled = LabelledConfig::new().fit(&scaled, &labels).expect("a fit").model;
    let named = info().with_labels(["x", "y", "z"]);
    add(labelled.into(), named, ModelKind::Labels, "gaussian_kernel");
    let mixture = GaussianMixtureConfig::new(3).fit(&scaled).expect("a fit").model;
    add(mixture.into(), info(), ModelKind::Mixture, "gaussian");

    let folder = tempfile::tempdir().expect("a temporary folder");
    for (clusterer, info, kind, distance) in models {
        // One after the other in the same place.
        let model = Model::new(scaler.clone(), clusterer, info).expect("parts that agree");
        assert_eq!(model.kind(), kind);
        model.save(folder.path()).expect("saved");
        let config = ModelConfig::read(folder.path()).expect("a configuration");
        assert_eq!((config.kind, &config.distance), (kind, &distance));
        assert_eq!((config.n_clusters, config.n_features), (3, 3));
        let loaded: Model<B> =
            Model::load(folder.path(), &setup.device, setup.dtype).expect("loaded");
        assert_eq!(loaded.info(), model.info());
        for beta in [Beta::Value(0.5), Beta::Heuristic] {
            let explained = |model: &Model<B>| {
                let found = model.explain(&x, Target::Assigned, beta).expect("explained");
                values(found.contributions())
            };
            assert_eq!(explained(&loaded), explained(&model), "{kind} by {distance}");
        }
        // In the other precision, too.
        let other = if setup.dtype == DType::F64 { DType::F32 } else { DType::F64 };
        match Model::<B>::load(folder.path(), &setup.device, other) {
            Ok(found) => assert_eq!(found.clusterer().dtype(), other),
            // Devices that do not compute in f64.
            Err(error) => {
                assert!(error.to_string().contains("F64"), "{kind} by {distance}: {error}")
            }
        }
        let error = OutlierModel::<B>::load(folder.path(), &setup.device, setup.dtype);
        assert!(error.expect_err("clusters").to_string().contains("is a model of clusters"));

        // A configuration that speaks of another distance or another kind.
        let path = folder.path().join("config.json");
        let text = std::fs::read_to_string(&path).expect("text");
        let other = if distance == "squared_euclidean" { "manhattan" } else { "squared_euclidean" };
        if kind == ModelKind::KMeans {
            std::fs::write(
                &path,
                text.replace(&format!("\"{distance}\""), &format!("\"{other}\"")),
            )
            .expect("written");
            assert!(Model::<B>::load(folder.path(), &setup.device, setup.dtype).is_err());
        }
        for name in ["kmeans", "kernel", "mixture"] {
            if name != kind.to_string() && !(name == "kernel" && kind == ModelKind::Labels) {
                let changed = text
                    .replace(&format!("\"kind\": \"{kind}\""), &format!("\"kind\": \"{name}\""));
                std::fs::write(&path, changed).expect("written");
                let found = Model::<B>::load(folder.path(), &setup.device, setup.dtype);
                assert!(found.is_err(), "{kind} as {name}");
            }
        }
        std::fs::write(&path, text).expect("written");
    }

    let density = KernelDensityConfig::new().fit(&scaled).expect("a density");
    let model = OutlierModel::new(scaler, density, info()).expect("parts that agree");
    model.save(folder.path()).expect("saved");
    let loaded: OutlierModel<B> =
        OutlierModel::load(folder.path(), &setup.device, setup.dtype).expect("loaded");
    let scores = |model: &OutlierModel<B>| values(model.density().score(&scaled).expect("scores"));
    assert_eq!(scores(&loaded), scores(&model));
    let error = Model::<B>::load(folder.path(), &setup.device, setup.dtype);
    assert!(error.expect_err("a density").to_string().contains("scores outliers"));
}
