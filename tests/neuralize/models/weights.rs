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
use zip::{CompressionMethod, ZipArchive, ZipWriter};

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

/// Layers with numbers.
#[derive(Module, Debug)]
pub struct Layers<B: Backend> {
    net: Vec<Linear<B>>,
}

/// What the script writes.
fn expected() -> Vec<Vec<f64>> {
    let counts = [36, 3, 3, 3, 3, 3, 20, 5];
    let number = |t: i64, i: i64| ((37 * i + 11 * t) % 64 - 32) as f64 / 16.0;
    (1..).zip(counts).map(|(t, count)| (0..count).map(|i| number(t, i)).collect()).collect()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/weights").join(name)
}

fn load<B: Backend>(setup: &Setup<B>, weights: &Weights) -> neuralize::Result<Network<B>> {
    weights.load(Network::new(&setup.device), setup.dtype)
}

/// Number by number, whatever the strides of tensors and the dictionaries around them.
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
    gaps_in_numbers(setup);
}

/// Layers 0, 2 and 4 of a file are 0, 1 and 2 of the module; parts to leave out and
/// messages use the names of the file.
fn gaps_in_numbers<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaps.pth");
    let load = |weights: Weights, layers: usize| {
        let layer = |_| LinearConfig::new(2, 2).with_bias(false).init(&setup.device);
        let module: Layers<B> = Layers { net: (0..layers).map(layer).collect() };
        let module = weights.load(module, setup.dtype).map_err(|error| error.to_string())?;
        Ok::<_, String>(
            module.net.iter().map(|layer| values(layer.weight.val())[0]).collect::<Vec<f64>>(),
        )
    };
    for (part, renames) in [("net", None), ("body", Some(("^body", "net")))] {
        let names = [0, 2, 4].map(|layer| format!("{part}.{layer}.weight"));
        fs::write(&path, layers(&names)).unwrap();
        let weights = || {
            renames.iter().fold(Weights::of(&path), |weights, (from, to)| weights.rename(from, to))
        };
        assert_eq!(load(weights(), 3).unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(load(weights().without("net.4"), 2).unwrap(), [1.0, 2.0]);
        assert_eq!(load(weights().without("net.2"), 2).unwrap(), [1.0, 3.0]);
        assert_eq!(load(weights().without("net.1"), 3).unwrap(), [1.0, 2.0, 3.0]);
        let text = load(weights(), 2).unwrap_err();
        assert!(text.contains(&names[2]) && text.contains("net.4.weight"), "{text}");
        assert!(!text.contains("2.weight"), "{text}");
        assert_eq!(text.contains("renamed"), renames.is_some(), "{text}");
        let text = load(weights().without("net.0"), 3).unwrap_err();
        assert!(text.contains("no tensors for [\"net.2.weight\"]"), "{text}");
        let text = load(weights().rename(r"^net\.4", "net.2"), 3).unwrap_err();
        assert!(text.contains("two tensors are named `net.2.weight`"), "{text}");
        assert!(text.contains(&names[1]) && text.contains(&names[2]), "{text}");
    }
}

/// Unreadable tensors are refused by name, with the remedy.
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
    // A tensor without a parameter is left over.
    let text = load(setup, &Weights::of(file("strided.pth"))).unwrap_err().to_string();
    assert!(text.contains("head.weight") && !text.contains("norm"), "{text}");
    // Two tensors of one name.
    let twice = Weights::of(file("contiguous.pth")).rename("^norm", "code");
    let text = load(setup, &twice).unwrap_err().to_string();
    assert!(text.contains("two tensors are named `code.weight`"), "{text}");
    assert!(text.contains("norm.weight (renamed code.weight)"), "{text}");
    // Another shape: the layer of the file is named.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shape.pth");
    fs::write(&path, layers(&["net.3.weight".to_string()])).unwrap();
    let other = LinearConfig::new(3, 2).with_bias(false).init(&setup.device);
    let other: Layers<B> = Layers { net: vec![other] };
    let text = Weights::of(&path).load(other, setup.dtype).unwrap_err().to_string();
    assert!(text.contains("net.0.weight") && text.contains("`net.3.weight`"), "{text}");
    // File extensions in upper and lower case.
    for name in ["weights.PTH", "weights.Bin"] {
        let path = folder.path().join(name);
        fs::copy(file("contiguous.pth"), &path).unwrap();
        assert_eq!(load(setup, &Weights::of(&path)).unwrap().numbers(), expected());
    }
    for (name, part) in [("weights.BPK", "`DeepKMeans::load`"), ("weights.txt", ".pth and .bin")] {
        let path = folder.path().join(name);
        fs::write(&path, "weights").unwrap();
        let text = load(setup, &Weights::of(&path)).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    }
}

/// Truncated or with any byte changed: an error or the right numbers.
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

/// Any byte of the pickle changed, with its checksum corrected, and the pickle truncated:
/// nothing panics.
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
    // A dictionary that contains itself.
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
    // 500 tensors by one tuple of 200 000 sizes; fewer strides than sizes.
    let sizes = [b"(".to_vec(), b"K\x01".repeat(200_000), b"tq\x01".to_vec()].concat();
    let many = tensor(0, b"h\x01", b"h\x01").repeat(500);
    refused(&[sizes, many, b".".to_vec()].concat(), "dimensions");
    let fewer = tensor(0, b"K\x01K\x01\x86", b"K\x01\x85");
    refused(&[fewer, b".".to_vec()].concat(), "one stride");
    // One tensor under 2^17 names, and as many tensors.
    let one = tensor(0, b")", b")");
    let mut named = [&one, b"q\x010}".as_slice()].concat();
    for key in 0..1_u32 << 17 {
        named.extend([b"J", key.to_le_bytes().as_slice(), b"h\x01s"].concat());
    }
    refused(&[named, b".".to_vec()].concat(), "100000 tensors");
    let call = &one[..one.len() - 1];
    let made = [call, b"q\x010q\x020", &b"h\x02h\x01R".repeat(1 << 17), b"."].concat();
    refused(&made, "100000 tensors");
    // Wrapped eight and nine times, and by arguments that contain themselves.
    let wrap = b"ctorch._tensor\n_rebuild_from_type_v2\n".as_slice();
    let (mut function, mut arguments) = (REBUILD, call[REBUILD.len()..].to_vec());
    for wrapped in 1..=9 {
        arguments = [function, b"N", &arguments, b"\x87"].concat();
        function = wrap;
        let part = if wrapped < 9 { "single tensor" } else { "wrapped" };
        refused(&[function, &arguments, b"R."].concat(), part);
    }
    refused(&[wrap, b"]q\x01(", wrap, b"Nh\x01eR."].concat(), "wrapped");
    // One text of a megabyte in many names of classes.
    let long = [b"X\0\0\x10\0".to_vec(), vec![b'a'; 1 << 20], b"q\x01".to_vec()].concat();
    refused(&[long, b"h\x01h\x01\x93".repeat(10_000), b".".to_vec()].concat(), "class");
    // Too long, but short according to the archive's directory.
    let pickle = vec![b'N'; (1 << 25) + 1];
    refused(&pickle, "33554432 bytes");
    let mut bytes = fs::read(&path).unwrap();
    let size = (pickle.len() as u32).to_le_bytes();
    let entries = bytes.windows(4).rposition(|start| start == b"PK\x05\x06").unwrap();
    let first = u32::from_le_bytes(*bytes[entries + 16..].first_chunk().unwrap()) as usize;
    let at = bytes[first..].windows(8).position(|both| both == [size, size].concat()).unwrap();
    bytes[first + at + 4..first + at + 8].copy_from_slice(&100_u32.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let text = load(setup, &Weights::of(&path)).unwrap_err().to_string();
    assert!(text.contains("larger than its declared"), "{text}");
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
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().to_string()).collect();
    let mut records = Vec::new();
    for name in names {
        let mut bytes = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        records.push((name, bytes));
    }
    records
}

const REBUILD: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n";

/// The pickle codes of a tensor at an offset of a storage, with the codes of its size and
/// strides.
fn tensor(offset: u8, size: &[u8], strides: &[u8]) -> Vec<u8> {
    [
        REBUILD,
        b"((",
        &text("storage"),
        b"ctorch\nFloatStorage\n",
        &text("0"),
        &text("cpu"),
        &[b'K', 12, b't', b'Q', b'K', offset],
        size,
        strides,
        b"\x89NtR",
    ]
    .concat()
}

fn text(text: &str) -> Vec<u8> {
    [&[b'X'][..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

/// A file of 2 × 2 matrices: of ones, of twos and so on.
fn layers(names: &[String]) -> Vec<u8> {
    let mut pickle = b"}".to_vec();
    let mut numbers = Vec::new();
    for (place, name) in (0..).zip(names) {
        pickle.extend(text(name));
        pickle.extend(tensor(4 * place, b"K\x02K\x02\x86", b"K\x02K\x01\x86"));
        pickle.push(b's');
        numbers.extend((f32::from(place) + 1.0).to_le_bytes().repeat(4));
    }
    pickle.push(b'.');
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("layers/data.pkl", pickle), ("layers/data/0", numbers)] {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The records with another pickle.
fn write(path: &Path, records: &[(String, Vec<u8>)], pickle: &[u8]) {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in records {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, options).unwrap();
        let bytes = if name.ends_with("data.pkl") { pickle } else { bytes };
        archive.write_all(bytes).unwrap();
    }
    fs::write(path, archive.finish().unwrap().into_inner()).unwrap();
}
