//! The real data sets; `data/README.md` describes them and names their licences.

use neuralize::data::{Table, TableOptions, TableReader};

pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) table: Table,
    /// The number of clusters: that of the classes.
    pub(crate) clusters: usize,
}

macro_rules! sets {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("data/", $name, ".csv")))),+]
    };
}

pub(crate) fn all() -> neuralize::Result<Vec<Set>> {
    let sets = sets![
        "iris",
        "wine",
        "seeds",
        "customers",
        "penguins",
        "breast_cancer",
        "digits",
        "proteins",
        "genes",
        "words",
        "photographs"
    ];
    let read = |(name, text): (&'static str, &str)| {
        let options = TableOptions::default().with_label("class");
        let table = TableReader::csv(name, text.as_bytes(), &options)?.read_all()?;
        let clusters = table.classes().map_or(2, |(_, names)| names.len());
        Ok(Set { name, table, clusters })
    };
    sets.into_iter().map(read).collect()
}
