//! Holds the structure of the crates: modules know only those that stand before
//! them, files import one another without circles, and every file says what it
//! is for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::imports::{self, Crate, Import};

/// The modules of `neuralize`, each of which knows only those that stand above
/// it. The root (`lib.rs`) re-exports from all of them.
const ORDER: [&str; 24] = [
    "text",       // cells and messages
    "error",      // one error enum
    "random",     // the streams of random numbers
    "normal",     // the normal distribution
    "host_param", // parameters that the host keeps
    "validate",   // what public functions refuse
    "load",       // how a module is loaded, and what is checked then
    "data",       // tables, scalers, files
    "explain",    // questions and answers
    "cluster",    // how a partition is found
    "choose",     // how many clusters there are
    "network",    // what a clusterer is rewritten into, and every relevance pass
    "outlier",    // how far a point is from a cloud of points
    "train",      // losses and metrics of training
    "record",     // models on disk
    "deep",       // clusters of the codes of an encoder, saved as records are
    "output",     // results in files
    "profile",    // what every cluster is
    "cases",      // explained points on the host
    "baseline",   // other explanations
    "evaluate",   // measures of explanations
    "plot",       // figures
    "report",     // the page
    "prelude",
];

const CRATES: [&str; 5] =
    ["burn-lrp", "burn-lrp-derive", "neuralize", "neuralize-cli", "neuralize-kernels"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The imports of every crate, which take seconds to read.
static IMPORTS: LazyLock<BTreeMap<&str, Vec<Import>>> = LazyLock::new(|| {
    let read = |name| Crate::read(&root().join("crates").join(name).join("src")).imports();
    CRATES.iter().map(|&name| (name, read(name))).collect()
});

/// `crates/neuralize/src/cluster/kmeans.rs` from `cluster/kmeans.rs`.
fn shown(name: &str, file: &str) -> String {
    format!("crates/{name}/src/{file}")
}

#[test]
fn modules_know_only_those_before_them() {
    let place = |file: &str| {
        let module = file.split('/').next().unwrap_or(file).trim_end_matches(".rs").to_owned();
        (module != "lib").then(|| {
            let at = ORDER.iter().position(|name| *name == module);
            at.unwrap_or_else(|| panic!("the module `{module}` has no place in ORDER"))
        })
    };
    let mut wrong = Vec::new();
    for Import { from, to, path } in &IMPORTS["neuralize"] {
        let (Some(user), Some(used)) = (place(from), place(to)) else { continue };
        if used > user {
            wrong.push(format!(
                "{} uses {path}, but `{}` stands after `{}`",
                shown("neuralize", from),
                ORDER[used],
                ORDER[user],
            ));
        }
    }
    assert!(wrong.is_empty(), "{} steps back:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_import_one_another_without_circles() {
    let mut wrong = Vec::new();
    for name in CRATES {
        let imports = &IMPORTS[name];
        for circle in imports::circles(imports) {
            let edges: Vec<String> = imports
                .iter()
                .filter(|import| circle.contains(&import.from) && circle.contains(&import.to))
                .map(|import| format!("    {} uses {}", shown(name, &import.from), import.path))
                .collect();
            wrong.push(format!(
                "{} files of {name} in a circle:\n{}",
                circle.len(),
                edges.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_module_is_seen_where_it_is_used() {
    // A scan that finds nothing would pass everything above.
    for (name, files) in [
        ("neuralize", ["error.rs", "cluster/kmeans.rs", "network/min_pool.rs"]),
        ("neuralize-kernels", ["transfer.rs", "affine.rs", "cpu/real.rs"]),
    ] {
        let mut used: BTreeMap<&str, usize> = BTreeMap::new();
        for Import { to, .. } in &IMPORTS[name] {
            *used.entry(to).or_default() += 1;
        }
        for file in files {
            assert!(used.get(file).is_some_and(|count| *count > 1), "{file}: {:?}", used.get(file));
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut wrong = Vec::new();
    for folder in ["crates", "examples", "tests"] {
        for file in imports::rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a readable file");
            if !text.starts_with("//! ") {
                wrong.push(file.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "no line `//! …` at the start of:\n{}", wrong.join("\n"));
}
