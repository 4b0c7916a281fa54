//! Two small vision transformers, trained by `cargo run --release --example vit -- tests/reference/vit`:
//! relevance by the preset of transformers, before and after, and by secants.

#[path = "../../../examples/vit/network.rs"]
mod network;

use burn::module::Module;
use burn::record::{HalfPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_lrp::{Composite, Rule, Selector};
use network::{Method, Vit, patches, quality};

use super::setup::Setup;

const DIGITS: &str = include_str!("../../reference/digits/digits.csv");
const IMAGES: usize = 60;

/// The first images, which were not trained on.
fn images<B: Backend>(setup: &Setup<B>) -> Tensor<B, 3> {
    let rows = DIGITS.lines().skip(1).take(IMAGES);
    let pixels = rows.flat_map(|row| row.split(',').skip(1));
    let pixels: Vec<f64> = pixels.map(|pixel| pixel.parse::<f64>().unwrap() / 16.0).collect();
    let data = TensorData::new(pixels, [IMAGES, 64]).convert_dtype(DType::F32);
    patches(Tensor::from_data(data, (&setup.device, DType::F32)))
}

/// Relevances are a few times the score where they were tens of times, and the most relevant patches
/// matter more than the least relevant, which they did not.
pub fn trained_transformers<B: Backend>(setup: &Setup<B>) {
    let before = Composite::new()
        .with(Selector::kind("LayerNorm"), Rule::PASS)
        .with(Selector::kind("Attention"), Rule::SIGNAL_TAKE_ALL);
    let files: [(&[u8], usize, usize); 2] = [
        (include_bytes!("../../reference/vit/two-blocks.mpk"), 16, 2),
        (include_bytes!("../../reference/vit/four-blocks.mpk"), 24, 4),
    ];
    for (bytes, width, blocks) in files {
        let recorder = NamedMpkBytesRecorder::<HalfPrecisionSettings>::default();
        let record = recorder.load(bytes.to_vec(), &setup.device).unwrap();
        let net = Vit::<B>::init(width, blocks, &setup.device).load_record(record);
        let x = images(setup);
        let of = |method: Method| quality(&net, &x, &method).unwrap();
        let old = of(Method::Lrp(before.clone()));
        let new = of(Method::Lrp(Composite::transformer()));
        let secants = of(Method::Secant);
        let all = format!("{blocks} blocks: {old:?}, {new:?}, {secants:?}");
        assert!(old.size > 10.0 && new.size < 5.0 && secants.size < 5.0, "{all}");
        assert!(new.left < old.left - 0.1 && secants.left < new.left, "{all}");
        assert!(secants.left < secants.kept - 0.5, "{all}");
    }
}
