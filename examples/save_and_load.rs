//! A trained clusterer on disk: as a model folder, by a Burn recorder, as
//! burnpack and as safetensors, saved on one backend and loaded on another.
//!
//! `cargo run --release --example save_and_load`

use burn::backend::Flex;
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::DType;
use burn_ndarray::NdArray;
use neuralize::prelude::*;
use neuralize::record::{
    load_burnpack, load_record, load_safetensors, save_burnpack, save_record, save_safetensors,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    let device = Default::default();

    let wine = Table::wine();
    let x = wine.to_tensor::<Flex>(&device, DType::F32)?;
    let scaler = Scale::MinMax.fit(&x)?;
    let fit = KMeansConfig::new(3).fit(&scaler.transform(&x)?)?;
    let mut info = ModelInfo::new(wine.features()).with_scale(Scale::MinMax);
    info.inertia = Some(fit.inertia);

    // What the command reads and writes: scaler, clusterer, names, checksum.
    let model = Model::new(scaler, fit.model.clone(), info)?;
    model.save(path("wine"))?;
    let other: Model<NdArray<f64>> = Model::load(path("wine"), &Default::default(), DType::F64)?;
    let rows = wine.to_tensor::<NdArray<f64>>(&Default::default(), DType::F64)?;
    let here = model.explain(&x, Target::Assigned, Beta::Heuristic)?;
    let there = other.explain(&rows, Target::Assigned, Beta::Heuristic)?;
    let pairs: Vec<(f64, f64)> = here
        .relevance
        .into_data()
        .iter::<f64>()
        .zip(there.relevance.into_data().iter::<f64>())
        .collect();
    let largest = pairs.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    println!(
        "model folder: relevances on Flex f32 and NdArray f64 differ by at most {largest:.1e}"
    );

    // One module, as a Burn record.
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let file = save_record(&fit.model, path("clusterer"), &recorder)?;
    let loaded: KMeans<Flex> = load_record(&file, &recorder, &device, DType::F32)?;
    println!("{}: {loaded}", file.file_name().unwrap_or_default().to_string_lossy());

    // The same as burnpack and safetensors, which keep every bit of f64 too.
    save_burnpack(&fit.model, path("clusterer.bpk"))?;
    save_safetensors(&fit.model, path("clusterer.safetensors"))?;
    let pack: KMeans<Flex> = load_burnpack(path("clusterer.bpk"), &device, DType::F32)?;
    let tensors: KMeans<Flex> =
        load_safetensors(path("clusterer.safetensors"), &device, DType::F32)?;
    let centroids = fit.model.centroids().into_data();
    assert_eq!(pack.centroids().into_data(), centroids);
    assert_eq!(tensors.centroids().into_data(), centroids);
    println!("burnpack and safetensors hold the same centroids to the last bit");
    Ok(())
}
