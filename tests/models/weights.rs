//! PyTorch's own files (`tests/reference/weights/make.py`), whole and damaged.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::backend::Backend;
use neuralize::deep::Weights;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::super::suite::*;

#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
    code: Linear<B>,
}

impl<B: Backend> Network<B> {
    fn new(device: &B::Device) -> Self {
        Self {
            conv: Conv2dConfig::new([2, 3], [3, 2]).init(device),
            norm: BatchNormConfig::new(3).init(device),
            code: LinearConfig::new(4, 5).init(device),
        }
    }

    /// All numbers, in the order of the script.
    fn numbers(&self) -> Vec<Vec<f64>> {
        vec![
            values(self.conv.weight.val()),
            self.conv.bias.as_ref().map(|bias| values(bias.val())).unwrap_or_default(),
            values(self.norm.gamma.val()),
            values(self.norm.beta.val()),
            values(self.norm.running_mean.value()),
            values(self.norm.running_var.value()),
            // Burn's linear layers are [inputs, outputs].
            values(self.code.weight.val().transpose()),
            self.code.bias.as_ref().map(|bias| values(bias.val())).unwrap_or_default(),
        ]
    }
}

/// What the script writes.
fn expected() -> Vec<Vec<f64>> {
    let counts = [36, 3, 3, 3, 3, 3, 20, 5];
    let number = |t: i64, i: i64| ((37 * i + 11 * t) % 64 - 32) as f64 / 16.0;
    (1..).zip(counts).map(|(t, count)| (0..count).map(|i| number(t, i)).collect()).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/weights").join(name)
}

fn load<B: Backend>(setup: &Setup<B>, weights: &Weights) -> neuralize::Result<Network<B>> {
    weights.load(Network::new(&setup.device), setup.dtype)
}

/// Number by number, however tensors lie and whatever is around them.
pub fn weights_of_every_layout<B: Backend>(setup: &Setup<B>) {
    let of = |name: &str| Weights::of(file(name));
    let checkpoint = of("checkpoint.pth").rename(r"^state_dict\.", "").without("optimizer");
    for weights in [
        of("contiguous.pth"),
        of("half.pth"),
        of("old.pth"),
        of("strided.pth").without("head"),
        of("output_last.pth"),
        of("views.pth"),
        checkpoint.without("head"),
    ] {
        let network = load(setup, &weights).unwrap();
        assert_eq!(network.numbers(), expected(), "{weights:?}");
        assert_eq!(network.code.weight.val().dtype(), setup.dtype);
    }
}

/// What cannot be read is refused, by its name and with what to do.
pub fn weights_refused<B: Backend>(setup: &Setup<B>) {
    for (name, parts) in [
        ("slice.pth", ["`code.weight`", "strides [8, 2]", "contiguous()"]),
        ("expanded.pth", ["`code.weight`", "strides [1, 0]", "contiguous()"]),
        ("sparse.pth", ["`code.weight`", "_rebuild_sparse_tensor", "dense"]),
        ("complex.pth", ["`code.weight`", "ComplexFloatStorage", "float32"]),
        ("integers.pth", ["code.weight", "I64", "float32"]),
        ("module.pth", ["module.pth", "whole module", "state_dict()"]),
    ] {
        let text = load(setup, &Weights::of(file(name))).unwrap_err().to_string();
        for part in parts {
            assert!(text.contains(part), "{name}: {text}");
        }
    }
    // Left over, if nothing says otherwise.
    let text = load(setup, &Weights::of(file("strided.pth"))).unwrap_err().to_string();
    assert!(text.contains("head.weight") && !text.contains("norm"), "{text}");
    // Two tensors of one name.
    let twice = Weights::of(file("contiguous.pth")).rename("^norm", "code");
    let text = load(setup, &twice).unwrap_err().to_string();
    assert!(text.contains("two tensors") && text.contains("code.bias"), "{text}");
}

/// Cut off or with any byte changed: an error or the right numbers.
pub fn weights_damaged<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.pth");
    let weights = Weights::of(&path).without("head");
    let bytes = fs::read(file("strided.pth")).unwrap();
    for end in (0..bytes.len()).step_by(97) {
        fs::write(&path, &bytes[..end]).unwrap();
        assert!(load(setup, &weights).is_err(), "{end} bytes");
    }
    let mut read = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        if let Ok(network) = load(setup, &weights) {
            assert_eq!(network.numbers(), expected(), "byte {at}");
            read += 1;
        }
    }
    // Padding and the like.
    assert!(read > 0 && read < bytes.len(), "{read}");
    // Files of PyTorch before 1.6 have no checksums: nothing panics.
    let bytes = fs::read(file("old.pth")).unwrap();
    for at in 0..bytes.len() {
        fs::write(&path, &bytes[..at]).unwrap();
        assert!(load(setup, &weights).is_err(), "{at} bytes");
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        let _ = load(setup, &weights);
    }
    fs::write(&path, "no pickle").unwrap();
    let text = load(setup, &weights).unwrap_err().to_string();
    assert!(text.contains("since 1.6") && text.contains("safetensors"), "{text}");
}

/// Any byte of the pickle changed with a checksum that is right for it, and the
/// pickle cut off: nothing panics.
pub fn weights_of_a_damaged_pickle<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.pth");
    for name in ["strided.pth", "views.pth"] {
        let records = records(name);
        let weights = Weights::of(&path).without("head");
        let pickle = records.iter().find(|(name, _)| name.ends_with("data.pkl")).unwrap().1.clone();
        let damaged = |pickle: &[u8]| {
            write(&path, &records, pickle);
            load(setup, &weights)
        };
        assert_eq!(damaged(&pickle).unwrap().numbers(), expected());
        for at in 0..pickle.len() {
            assert!(damaged(&pickle[..at]).is_err(), "{name}: {at} bytes");
            for change in [1 << (at % 8), 0xff] {
                let mut changed = pickle.clone();
                changed[at] ^= change;
                let _ = damaged(&changed);
            }
        }
    }
}

/// Pickles made to use up memory, time or the stack.
pub fn weights_of_a_hostile_pickle<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.pth");
    let records = records("contiguous.pth");
    let refused = |pickle: &[u8], part: &str| {
        write(&path, &records, pickle);
        let text = load(setup, &Weights::of(&path)).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    };
    // Tuples and dictionaries a million deep.
    refused(&[vec![b'('; 1 << 20], vec![b't'; 1 << 20], b".".to_vec()].concat(), "module");
    let deep = [b"}X\x01\0\0\0a".repeat(1 << 18), b"}".to_vec(), b"s".repeat(1 << 18)].concat();
    refused(&[deep, b".".to_vec()].concat(), "deep");
    // A dictionary that is in itself.
    refused(b"}q\0X\x01\0\0\0ah\0s.", "deep");
    // 2^60 names: two in every dictionary for the one before.
    let mut doubled = b"}q\0".to_vec();
    for place in 1..=60 {
        doubled.extend([b'}', b'q', place]);
        for key in *b"ab" {
            doubled.extend([b'X', 1, 0, 0, 0, key, b'h', place - 1, b's']);
        }
    }
    refused(&[doubled, b".".to_vec()].concat(), "letters");
    // A text of 4 GB, an integer of 2 GB, values that are not there.
    refused(b"X\xff\xff\xff\xff.", "early");
    refused(b"\x8b\xff\xff\xff\x7f.", "early");
    refused(b"t.", "mark");
    refused(b"(a.", "missing");
    refused(b"}}s.", "missing");
    refused(b"h\x05.", "not there");
    // Nothing is run.
    refused(b"cos\nsystem\nX\x04\0\0\0true\x85R.", "module");
}

/// Names and contents of the records of a file.
fn records(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(fs::read(file(name)).unwrap())).unwrap();
    let names: Vec<String> = archive.file_names().map(str::to_string).collect();
    let mut records = Vec::new();
    for name in names {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        records.push((name, bytes));
    }
    records
}

/// The records with another pickle.
fn write(path: &Path, records: &[(String, Vec<u8>)], pickle: &[u8]) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in records {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        let bytes = if name.ends_with("data.pkl") { pickle } else { bytes };
        archive.write_all(bytes).unwrap();
    }
    fs::write(path, archive.finish().unwrap().into_inner()).unwrap();
}
