//! Which columns of a file are features, label, names of rows, or not read.

use std::collections::{HashMap, HashSet};

use crate::data::input::options::TableOptions;
use crate::error::{Error, Result};
use crate::text::{Shown, nearest};

/// The columns of a file that are read.
#[derive(Debug)]
pub(in crate::data) struct Columns {
    /// The name of the file in messages.
    pub(in crate::data) file: String,
    /// Number of columns of the file.
    pub(in crate::data) width: usize,
    /// Names of the columns that are read as features.
    pub(in crate::data) names: Vec<String>,
    /// Position of each of them in the file.
    pub(in crate::data) positions: Vec<usize>,
    /// Position of the label.
    pub(in crate::data) label: Option<usize>,
    pub(in crate::data) label_name: String,
    /// Position of the names of the rows.
    pub(in crate::data) id: Option<usize>,
    pub(in crate::data) id_name: Option<String>,
    /// Names of the columns that the options do not mention.
    pub(in crate::data) ignored: Vec<String>,
}

/// Names of columns, looked up by name.
struct Lookup<'a> {
    file: &'a str,
    header: &'a [String],
    positions: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Lookup<'a> {
    fn of(file: &'a str, header: &'a [String]) -> Self {
        let mut positions: HashMap<&str, Vec<usize>> = HashMap::with_capacity(header.len());
        for (at, name) in header.iter().enumerate() {
            positions.entry(name.as_str()).or_default().push(at);
        }
        Self { file, header, positions }
    }

    /// All columns of a name.
    fn all(&self, name: &str) -> Result<&[usize]> {
        self.positions.get(name).map(Vec::as_slice).ok_or_else(|| Error::UnknownColumn {
            file: self.file.to_owned(),
            column: name.to_owned(),
            nearest: nearest(name, self.header).map(str::to_owned),
            available: self.header.to_vec(),
        })
    }

    /// All columns of a name, or of the names in a list.
    fn listed(&self, names: &str) -> Result<Vec<usize>> {
        if !names.contains(',') || self.positions.contains_key(names) {
            return self.all(names).map(<[usize]>::to_vec);
        }
        let each = names.split(',').map(|name| self.all(name.trim()));
        Ok(each.collect::<Result<Vec<_>>>()?.concat())
    }

    fn fail<T>(&self, detail: String) -> Result<T> {
        Err(Error::Table { file: self.file.to_owned(), detail })
    }

    /// The columns of these names, each once, that may be features.
    fn chosen(&self, names: &[String], may_be: impl Fn(&usize) -> bool) -> Result<Vec<usize>> {
        let mut seen = HashSet::new();
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let at = self.one(name)?;
            if !seen.insert(at) {
                return self.fail(format!("column `{}` is named twice", Shown(name)));
            }
            if !may_be(&at) {
                return self.fail(format!(
                    "column `{}` is a feature by one option, and by another the label, the name of the rows, or dropped",
                    Shown(name)
                ));
            }
            places.push(at);
        }
        Ok(places)
    }

    /// An error if two columns that are not dropped have one name. Columns may have none in a survey.
    fn refuse_duplicates(&self, dropped: &HashSet<usize>, is_survey: bool) -> Result<()> {
        for (at, name) in self.header.iter().enumerate() {
            let same = &self.positions[name.as_str()];
            let is_twice = !dropped.contains(&at)
                && same.iter().any(|other| *other < at && !dropped.contains(other));
            if is_twice && !(is_survey && name.is_empty()) {
                return self.fail(format!(
                    "two columns are named `{}`; names must be different: rename one, or drop both",
                    Shown(name)
                ));
            }
        }
        Ok(())
    }

    /// The only column of a name.
    fn one(&self, name: &str) -> Result<usize> {
        match self.all(name)? {
            [only] => Ok(*only),
            _ => self
                .fail(format!("two columns are named `{}`; names must be different", Shown(name))),
        }
    }
}

impl Columns {
    /// The columns that the options select, of those in the header. A survey takes columns without a
    /// name.
    pub(super) fn of(
        file: &str,
        header: &[String],
        wanted: Option<&[String]>,
        options: &TableOptions,
        is_survey: bool,
    ) -> Result<Self> {
        let lookup = Lookup::of(file, header);
        let dropped = options.dropped.iter().map(|names| lookup.listed(names));
        let dropped: HashSet<usize> =
            dropped.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let label = options.label.as_deref().map(|name| lookup.one(name)).transpose()?;
        let id = options.id.as_deref();
        let id = id.filter(|name| !options.id_is_optional || lookup.positions.contains_key(name));
        let id = id.map(|name| lookup.one(name)).transpose()?;
        // Of columns that are not read, names may be what they are.
        if wanted.is_none() {
            lookup.refuse_duplicates(&dropped, is_survey)?;
        }
        let other = |at: &usize| Some(*at) != label && Some(*at) != id && !dropped.contains(at);
        let positions: Vec<usize> = match wanted {
            Some(names) => lookup.chosen(names, |at| !is_survey || other(at))?,
            None => (0..header.len()).filter(other).collect(),
        };
        if positions.is_empty() {
            return lookup.fail("no feature column is left: all are dropped or the label".into());
        }
        if let Some(at) = positions.iter().find(|at| header[**at].is_empty())
            && !is_survey
        {
            return lookup.fail(format!(
                "column {} has no name (an exported row index?); give it one, or drop it by the empty name",
                at + 1
            ));
        }
        let read: HashSet<usize> = positions.iter().copied().collect();
        let ignored = (0..header.len()).filter(|at| !read.contains(at) && other(at));
        Ok(Self {
            file: file.to_owned(),
            width: header.len(),
            names: positions.iter().map(|at| header[*at].clone()).collect(),
            ignored: ignored.map(|at| header[at].clone()).collect(),
            label_name: label.map(|at| header[at].clone()).unwrap_or_default(),
            positions,
            label,
            id_name: id.map(|at| header[at].clone()),
            id,
        })
    }

    /// An error if the file has no feature column of this name.
    pub(in crate::data) fn expect(&self, name: &str, header: &[String]) -> Result<()> {
        if self.names.iter().any(|known| known == name) {
            return Ok(());
        }
        if header.iter().any(|known| known == name) {
            let detail =
                format!("column `{}` is not read: other options leave it out", Shown(name));
            return Err(Error::Table { file: self.file.clone(), detail });
        }
        Err(Error::UnknownColumn {
            file: self.file.clone(),
            column: name.to_owned(),
            nearest: nearest(name, header).map(str::to_owned),
            available: header.to_vec(),
        })
    }

    /// Takes out the columns that cannot be read; they are returned with the reasons.
    pub(in crate::data) fn without_obstacles(
        &mut self,
        obstacles: &[(usize, String)],
    ) -> Vec<(String, String)> {
        let why: HashMap<usize, &String> = obstacles.iter().map(|(at, why)| (*at, why)).collect();
        let named = self.names.iter().zip(&self.positions);
        let out = named.filter_map(|(name, at)| Some((name.clone(), (*why.get(at)?).clone())));
        let out = out.collect();
        *self = self.some(|at| !why.contains_key(&self.positions[at]));
        out
    }

    /// Some of the feature columns.
    pub(in crate::data) fn some(&self, keep: impl Fn(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.names.len()).filter(|at| keep(*at)).collect();
        Self {
            file: self.file.clone(),
            width: self.width,
            names: kept.iter().map(|at| self.names[*at].clone()).collect(),
            positions: kept.iter().map(|at| self.positions[*at]).collect(),
            label: self.label,
            label_name: self.label_name.clone(),
            id: self.id,
            id_name: self.id_name.clone(),
            ignored: self.ignored.clone(),
        }
    }

    /// Positions of all columns that are read: features, label, names of the rows.
    pub(super) fn all_positions(&self) -> impl Iterator<Item = usize> {
        self.positions.iter().copied().chain(self.label).chain(self.id)
    }
}
