//! Records: what is saved is what is loaded, and damaged or foreign files are refused.

use std::fs;
use std::path::Path;

use burn::backend::Flex;
use burn::module::Module;
use burn::record::{
    BinFileRecorder, BinGzFileRecorder, DoublePrecisionSettings, FileRecorder,
    FullPrecisionSettings, HalfPrecisionSettings, JsonGzFileRecorder, NamedMpkFileRecorder,
    NamedMpkGzFileRecorder, PrettyJsonFileRecorder,
};
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{Clusterer, KMeans, KMeansConfig};
use neuralize::data::{Scale, Scaler};
use neuralize::explain::{Beta, Target};
use neuralize::network::{Network, NeuralizedKMeans, NeuralizedKMeansConfig};
use neuralize::record::{
    Model, ModelConfig, ModelInfo, load_burnpack, load_record, load_safetensors, save_burnpack,
    save_record, save_safetensors,
};

use super::{Setup, assert_close, random_rows, rows, values};

fn fitted<B: Backend>(setup: &Setup<B>) -> KMeans<B> {
    let x = setup.tensor(&random_rows(60, 4, 1.0, 1));
    KMeansConfig::new(3).fit(&x).expect("a fit").model
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Every file recorder at every precision. Where a backend hands the recorder
/// less than it promises (Flex with f64), saving fails and says so.
pub fn recorders<B: Backend>(setup: &Setup<B>) {
    let kmeans = fitted(setup);
    macro_rules! at_every_precision {
        ($($recorder:ident),+) => {$(
            recorder(setup, &kmeans, &$recorder::<HalfPrecisionSettings>::new(), 1e-3);
            recorder(setup, &kmeans, &$recorder::<FullPrecisionSettings>::new(), 6e-8);
            recorder(setup, &kmeans, &$recorder::<DoublePrecisionSettings>::new(), 0.0);
        )+};
    }
    at_every_precision!(
        NamedMpkFileRecorder,
        NamedMpkGzFileRecorder,
        BinFileRecorder,
        BinGzFileRecorder,
        PrettyJsonFileRecorder,
        JsonGzFileRecorder
    );
}

fn recorder<B, R>(setup: &Setup<B>, kmeans: &KMeans<B>, recorder: &R, precision: f64)
where
    B: Backend,
    R: FileRecorder<B> + FileRecorder<Flex>,
{
    let folder = folder();
    // A dot in the name is no extension of the recorder's.
    let path = match save_record(kmeans, folder.path().join("model.v1"), recorder) {
        Ok(path) => path,
        Err(error) => {
            assert!(setup.dtype == DType::F64 && precision == 0.0, "{error}");
            assert!(error.to_string().contains("use burnpack"), "{error}");
            assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
            return;
        }
    };
    assert!(path.to_string_lossy().contains("model.v1."), "{}", path.display());
    let loaded: KMeans<B> =
        load_record(&path, recorder, &setup.device, setup.dtype).expect("what was just saved");
    let expected = values(kmeans.centroids());
    let size = expected.iter().fold(0.0, |size: f64, value| size.max(value.abs()));
    // f32 is kept by Full and Double, f64 by Double alone.
    let exact = precision < 1e-4 && (setup.dtype == DType::F32 || precision == 0.0);
    let tolerance = if exact { 0.0 } else { precision * size };
    assert_close(&values(loaded.centroids()), &expected, tolerance, "centroids");
    assert_eq!(loaded.dtype(), setup.dtype);
    let (found, beta) = (loaded.beta().expect("β"), kmeans.beta().expect("β"));
    assert!((found - beta).abs() <= precision * beta, "β {found} against {beta}");

    // Without the extension, on another backend, without β.
    let other: KMeans<Flex> =
        load_record(folder.path().join("model.v1"), recorder, &Default::default(), DType::F32)
            .expect("the same file");
    assert_close(&values(other.centroids()), &expected, (precision + 6e-8) * size, "on Flex");
    let unfitted = KMeans::from_centroids(kmeans.centroids()).expect("valid");
    if save_record(&unfitted, folder.path().join("unfitted"), recorder).is_ok() {
        let loaded: KMeans<B> =
            load_record(folder.path().join("unfitted"), recorder, &setup.device, setup.dtype)
                .expect("what was just saved");
        assert_eq!(loaded.beta(), None);
    }
}

/// Numbers that half precision would flush to zero are refused, not lost.
pub fn what_half_precision_loses<B: Backend>(setup: &Setup<B>) {
    let folder = folder();
    let recorder = NamedMpkFileRecorder::<HalfPrecisionSettings>::new();
    for centroids in [vec![vec![1e-9], vec![5e-9]], vec![vec![1.0], vec![1e9]]] {
        let error = save_record(&setup.kmeans(&centroids), folder.path().join("m"), &recorder);
        let error = error.expect_err("beyond half precision").to_string();
        assert!(error.contains("m.mpk"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// Centroids that the precision loaded into cannot square.
pub fn too_large_for_f32<B: Backend>(setup: &Setup<B>) {
    if setup.dtype != DType::F64 {
        return;
    }
    let folder = folder();
    let path = folder.path().join("m.bpk");
    save_burnpack(&setup.kmeans(&vec![vec![0.0], vec![1e25]]), &path).expect("saved");
    assert!(load_burnpack::<B, KMeans<B>>(&path, &setup.device, DType::F64).is_ok());
    let error = load_burnpack::<Flex, KMeans<Flex>>(&path, &Default::default(), DType::F32);
    assert!(error.expect_err("too large").to_string().contains("overflow"));
}

/// Another module's record, loaded by Burn without a word.
pub fn records_loaded_by_burn_are_checked<B: Backend>(setup: &Setup<B>) {
    let network = |k: usize| setup.kmeans(&random_rows(k, 3, 0.0, 4)).neuralize().expect("K > 1");
    let other = network(5).load_record(network(3).into_record()).checked().expect("a network of 3");
    assert_eq!(other.n_clusters(), 3);
    let mut record = network(3).into_record();
    record.linear.bias = None;
    let broken = network(3).load_record(record);
    let x = setup.tensor(&random_rows(2, 3, 0.0, 5));
    assert!(broken.forward(x.clone()).is_err() && broken.predict(&x).is_err());
    assert!(broken.checked().expect_err("no bias").to_string().contains("no bias"));
    let blank = NeuralizedKMeansConfig::new(3, 1).init::<B>(&setup.device);
    assert!(blank.checked().is_err());
}

/// burnpack and safetensors keep every bit, in either precision.
pub fn stores<B: Backend>(setup: &Setup<B>) {
    let kmeans = fitted(setup);
    let folder = folder();
    let (pack, tensors) = (folder.path().join("m.bpk"), folder.path().join("m.safetensors"));
    // Twice: an older file is replaced.
    for _ in 0..2 {
        save_burnpack(&kmeans, &pack).expect("saved");
        save_safetensors(&kmeans, &tensors).expect("saved");
    }
    let first: KMeans<B> = load_burnpack(&pack, &setup.device, setup.dtype).expect("loaded");
    let second: KMeans<B> = load_safetensors(&tensors, &setup.device, setup.dtype).expect("loaded");
    for loaded in [first, second] {
        assert_eq!(values(loaded.centroids()), values(kmeans.centroids()));
        assert_eq!((loaded.beta(), loaded.dtype()), (kmeans.beta(), setup.dtype));
    }
    for dtype in [DType::F32, DType::F64] {
        let other: KMeans<Flex> =
            load_burnpack(&pack, &Default::default(), dtype).expect("another backend");
        assert_eq!(other.dtype(), dtype);
        assert_close(&values(other.centroids()), &values(kmeans.centroids()), 1e-6, "on Flex");
    }
}

pub fn networks_and_scalers<B: Backend>(setup: &Setup<B>) {
    let kmeans = fitted(setup);
    let network = kmeans.neuralize().expect("K > 1");
    let x = setup.tensor(&random_rows(20, 4, 1.0, 2));
    let scaler = Scale::Standard.fit(&x).expect("valid");
    let folder = folder();
    let path = |name: &str| folder.path().join(name);

    save_burnpack(&network, path("n.bpk")).expect("saved");
    save_burnpack(&scaler, path("s.bpk")).expect("saved");
    let loaded: NeuralizedKMeans<B> =
        load_burnpack(path("n.bpk"), &setup.device, setup.dtype).expect("loaded");
    let logits = |network: &NeuralizedKMeans<B>| values(network.forward(x.clone()).expect("valid"));
    assert_eq!(logits(&loaded), logits(&network));
    assert_eq!(loaded.beta(), network.beta());
    let again: Scaler<B> =
        load_burnpack(path("s.bpk"), &setup.device, setup.dtype).expect("loaded");
    let scaled = |scaler: &Scaler<B>| values(scaler.transform(&x).expect("valid"));
    assert_eq!(scaled(&again), scaled(&scaler));

    // At half precision the network is another one, but still one that conserves.
    let recorder = NamedMpkFileRecorder::<HalfPrecisionSettings>::new();
    let file = save_record(&network, path("half"), &recorder).expect("saved");
    let half: NeuralizedKMeans<B> =
        load_record(&file, &recorder, &setup.device, setup.dtype).expect("loaded");
    let found = half.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
    assert!(values(found.conservation_error()).iter().all(|error| *error < setup.tolerance));
    assert_close(&logits(&half), &logits(&network), 0.05, "half precision");

    // A file of another module is refused, whichever way it is read.
    save_safetensors(&scaler, path("s.safetensors")).expect("saved");
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let file = save_record(&scaler, path("s"), &recorder).expect("saved");
    for error in [
        load_burnpack::<B, KMeans<B>>(path("s.bpk"), &setup.device, setup.dtype)
            .expect_err("a scaler"),
        load_burnpack::<B, KMeans<B>>(path("n.bpk"), &setup.device, setup.dtype)
            .expect_err("a network"),
        load_safetensors::<B, KMeans<B>>(path("s.safetensors"), &setup.device, setup.dtype)
            .expect_err("a scaler"),
        load_record::<B, KMeans<B>, _>(&file, &recorder, &setup.device, setup.dtype)
            .expect_err("a scaler"),
        load_burnpack::<B, KMeans<B>>(path("none.bpk"), &setup.device, setup.dtype)
            .expect_err("no file"),
    ] {
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }
}

fn model<B: Backend>(setup: &Setup<B>) -> (Model<B>, burn::tensor::Tensor<B, 2>) {
    let x = setup.tensor(&random_rows(80, 3, 5.0, 3));
    let scaler = Scale::MinMax.fit(&x).expect("valid");
    let scaled = scaler.transform(&x).expect("valid");
    let fit = KMeansConfig::new(4).fit(&scaled).expect("a fit");
    let mut info = ModelInfo::new(["a", "b", "c"]).with_scale(Scale::MinMax);
    (info.inertia, info.sizes) = (Some(fit.inertia), Some(fit.sizes));
    (Model::new(scaler, fit.model, info).expect("parts that agree"), x)
}

/// The explanation from a saved record is the same to the last bit.
pub fn explanations_survive_to_the_last_bit<B: Backend>(setup: &Setup<B>) {
    let (model, x) = model(setup);
    let folder = folder();
    model.save(folder.path().join("model")).expect("saved");
    let loaded: Model<B> =
        Model::load(folder.path().join("model"), &setup.device, setup.dtype).expect("loaded");
    let explain = |model: &Model<B>| {
        let found = model.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
        (rows(found.relevance), values(found.logit), rows(found.shares))
    };
    assert_eq!(explain(&loaded), explain(&model));
    assert_eq!(loaded.info(), model.info());
}

pub fn model_folder<B: Backend>(setup: &Setup<B>) {
    let (model, x) = model(setup);
    let folder = folder();
    let path = folder.path().join("deep/er/model");
    model.save(&path).expect("folders are made");
    let config = ModelConfig::read(&path).expect("a configuration");
    assert_eq!((config.n_clusters, config.n_features), (4, 3));
    assert_eq!(config.beta, model.clusterer().beta());
    let files = || fs::read_dir(&path).expect("a folder").count();
    assert_eq!(files(), 2);

    // The same again changes nothing; another model replaces it whole.
    model.save(&path).expect("saved again");
    assert_eq!((files(), ModelConfig::read(&path).expect("the same")), (2, config));
    let scaler = model.scaler().clone();
    let other =
        KMeansConfig::new(2).fit(&scaler.transform(&x).expect("valid")).expect("a fit").model;
    let mut info = model.info().clone();
    info.sizes = None;
    let other = Model::new(scaler, other, info).expect("parts that agree");
    other.save(&path).expect("saved");
    assert_eq!((files(), ModelConfig::read(&path).expect("another").n_clusters), (2, 2));

    // Loaded in the other precision, on the default backend.
    let single: Model<Flex> = Model::load(&path, &Default::default(), DType::F32).expect("f32");
    assert_eq!(single.clusterer().dtype(), DType::F32);

    // Parts that do not belong together, and folders that are not ours.
    let names = ModelInfo::new(["a"]);
    assert!(Model::new(model.scaler().clone(), model.clusterer().clone(), names).is_err());
    let foreign = folder.path().join("foreign");
    fs::create_dir(&foreign).expect("a folder");
    fs::write(foreign.join("config.json"), "{\"name\": \"mine\"}").expect("a file");
    let error = model.save(&foreign).expect_err("somebody else's").to_string();
    assert!(error.contains("not overwritten"), "{error}");
    let read = |path: &Path| ModelConfig::read(path).expect_err("no model").to_string();
    assert!(read(&foreign).contains("not the configuration of a neuralize model"));
    assert!(read(folder.path()).contains("it has no config.json"));
    assert!(read(&folder.path().join("none")).contains("no such model folder"));
}

/// Truncated, changed, of another version: an error that says so, no panic, no
/// half-loaded model.
pub fn damaged_files<B: Backend>(setup: &Setup<B>) {
    let (model, _) = model(setup);
    let folder = folder();
    let path = folder.path().join("model");
    model.save(&path).expect("saved");
    let load = || Model::<B>::load(&path, &setup.device, setup.dtype);
    let config = path.join("config.json");
    let record = path.join(&ModelConfig::read(&path).expect("a configuration").record.file);
    let (text, bytes) = (fs::read(&config).expect("a file"), fs::read(&record).expect("a file"));

    for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&record, &bytes[..cut]).expect("written");
        let error = load().expect_err("truncated").to_string();
        assert!(error.contains("was changed since the model was saved"), "{error}");
    }
    for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        fs::write(&record, &changed).expect("written");
        assert!(load().is_err(), "byte {at} was changed");
        // Without the checksum: an error or a module whose numbers are finite.
        if let Ok(loaded) = load_burnpack::<B, KMeans<B>>(&record, &setup.device, setup.dtype) {
            assert!(values(loaded.centroids()).iter().all(|value| value.is_finite()));
        }
    }
    fs::remove_file(&record).expect("removed");
    assert!(load().is_err());
    fs::write(&record, &bytes).expect("written");
    load().expect("whole again");

    for cut in [0, 1, text.len() / 2, text.len() - 3] {
        fs::write(&config, &text[..cut]).expect("written");
        assert!(load().is_err(), "configuration cut at {cut}");
    }
    let words = String::from_utf8(text.clone()).expect("text");
    for (from, to, says) in [
        ("\"version\": 2", "\"version\": 7", "is of version 7"),
        ("neuralize-model", "another-model", "is of format `another-model`"),
        ("\"beta\": ", "\"beta\": 7", "differs in beta"),
        ("\"kind\": \"kmeans\"", "\"kind\": \"dbscan\"", "kind `dbscan`"),
        ("\"n_clusters\": 4", "\"n_clusters\": 5", "4 clusters of 3 features"),
        ("\"n_features\": 3", "\"n_features\": 2", "has 3 feature names for 2 features"),
        ("\"file\": \"", "\"file\": \"../", "outside the folder"),
        ("\"scale\": \"minmax\"", "\"scale\": \"log\"", "is damaged"),
    ] {
        assert!(words.contains(from), "{from}");
        fs::write(&config, words.replace(from, to)).expect("written");
        let error = load().expect_err("a changed configuration").to_string();
        assert!(error.contains(says), "{error}");
    }
    fs::write(&config, &text).expect("written");

    // Files of single modules, cut at many places.
    let Clusterer::KMeans(kmeans) = model.clusterer() else { panic!("no k-means") };
    let (pack, tensors) = (folder.path().join("k.bpk"), folder.path().join("k.safetensors"));
    save_burnpack(kmeans, &pack).expect("saved");
    save_safetensors(kmeans, &tensors).expect("saved");
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let record = save_record(kmeans, folder.path().join("k"), &recorder).expect("saved");
    for path in [&pack, &tensors, &record] {
        let bytes = fs::read(path).expect("a file");
        for cut in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
            fs::write(path, &bytes[..cut]).expect("written");
            let result: neuralize::Result<KMeans<B>> = if path == &pack {
                load_burnpack(path, &setup.device, setup.dtype)
            } else if path == &tensors {
                load_safetensors(path, &setup.device, setup.dtype)
            } else {
                load_record(path, &recorder, &setup.device, setup.dtype)
            };
            let error = result.expect_err("truncated").to_string();
            assert!(error.contains(&*path.to_string_lossy()), "{error}");
        }
    }
}
