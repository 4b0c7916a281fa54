//! The backend is a type parameter: the same function on every one that is
//! built in, and how far their explanations differ.
//!
//! `cargo run --release --example backends`, or with a GPU
//! `cargo run --release --example backends --features wgpu`

use burn::backend::Flex;
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use burn_ndarray::NdArray;
use neuralize::prelude::*;

fn relevance<B: Backend>(dtype: DType) -> neuralize::Result<Vec<f64>> {
    let device = B::Device::default();
    neuralize::check_device::<B>(&device)?;
    let x = Table::wine().to_tensor::<B>(&device, dtype)?;
    let x = Scale::MinMax.fit(&x)?.transform(&x)?;
    let fit = KMeansConfig::new(3).with_init(Init::Rows(vec![98, 149, 54])).fit(&x)?;
    let explanation = fit.model.neuralize()?.explain(&x, Target::Assigned, Beta::Heuristic)?;
    Ok(explanation.relevance.into_data().iter().collect())
}

fn main() -> neuralize::Result<()> {
    let exact = relevance::<Flex>(DType::F64)?;
    let compare = |name: &str, found: neuralize::Result<Vec<f64>>| match found {
        Ok(found) => {
            let pairs = found.iter().zip(&exact);
            let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!("{name:<13} differs from Flex in f64 by at most {largest:.1e}");
        }
        Err(error) => println!("{name:<13} {error}"),
    };
    compare("Flex f32", relevance::<Flex>(DType::F32));
    compare("NdArray f32", relevance::<NdArray<f32>>(DType::F32));
    compare("NdArray f64", relevance::<NdArray<f64>>(DType::F64));
    #[cfg(feature = "wgpu")]
    compare("Wgpu f32", relevance::<burn::backend::Wgpu>(DType::F32));
    Ok(())
}
