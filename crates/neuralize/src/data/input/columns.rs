//! Which columns of a file are features, label, names of rows, or not read.

use std::collections::{HashMap, HashSet};

use crate::data::input::header::is_number;
use crate::data::input::number::is_missing;
use crate::data::input::options::TableOptions;
use crate::error::{Error, Result};
use crate::text::{Shown, nearest};

const AS_IN_THE_FIT: &str =
    "; if the data of the fit were read with `--header`, `--skip` or `--sheet`, say so here, too";

/// The error of names that no column has, each once.
fn unknown(file: &str, names: &[String], header: &[String], advice: &'static str) -> Error {
    // Looking for near names takes time in proportion to the header.
    const COMPARED: usize = 8;
    let mut seen = HashSet::new();
    let each = names.iter().filter(|name| seen.insert(*name)).enumerate();
    let columns = each.map(|(at, name)| {
        let near = if at < COMPARED { nearest(name, header) } else { None };
        (name.clone(), near.map(str::to_owned))
    });
    let (file, columns) = (file.to_owned(), columns.collect());
    Error::UnknownColumn { file, columns, available: header.to_vec(), advice }
}

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
    /// Whether a line names the columns, which may be a row.
    has_lines: bool,
    advice: &'static str,
}

impl<'a> Lookup<'a> {
    fn of(file: &'a str, header: &'a [String], options: &TableOptions, has_lines: bool) -> Self {
        let mut positions: HashMap<&str, Vec<usize>> = HashMap::with_capacity(header.len());
        for (at, name) in header.iter().enumerate() {
            positions.entry(name.as_str()).or_default().push(at);
        }
        let is_asked = options.header.is_none() && has_lines;
        // The columns are those of a fit, which may have been read otherwise.
        let is_bare = is_asked && options.skipped == 0 && options.sheet.is_none();
        let advice = if is_bare && options.encoding.is_some() { AS_IN_THE_FIT } else { "" };
        Self { file, header, positions, has_lines: is_asked, advice }
    }

    fn unknown(&self, names: &[String]) -> Error {
        unknown(self.file, names, self.header, self.advice)
    }

    /// All columns of a name.
    fn all(&self, name: &str) -> Result<&[usize]> {
        let found = self.positions.get(name).map(Vec::as_slice);
        found.ok_or_else(|| self.unknown(&[name.to_owned()]))
    }

    /// The names in a list of names; names may have commas in them, too.
    fn split(&self, names: &str) -> Vec<String> {
        // So many parts of a list may be one name.
        const PARTS: usize = 8;
        if !names.contains(',') || self.positions.contains_key(names) {
            return vec![names.to_owned()];
        }
        let parts: Vec<&str> = names.split(',').collect();
        let (mut at, mut found) = (0, Vec::new());
        while at < parts.len() {
            let longest = PARTS.min(parts.len() - at);
            let name = |count: usize| parts[at..at + count].join(",").trim().to_owned();
            let known = (2..=longest)
                .rev()
                .find(|count| self.positions.contains_key(name(*count).as_str()));
            found.push(name(known.unwrap_or(1)));
            at += known.unwrap_or(1);
        }
        found
    }

    /// An error that names all of these names that no column has.
    fn refuse_unknown(&self, names: impl Iterator<Item = String>) -> Result<()> {
        let unknown: Vec<String> =
            names.filter(|name| !self.positions.contains_key(name.as_str())).collect();
        if unknown.is_empty() { Ok(()) } else { Err(self.unknown(&unknown)) }
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
        const SHOWN: usize = 8;
        let is_twice = |(at, name): &(usize, &String)| {
            let kept = self.positions[name.as_str()].iter().filter(|at| !dropped.contains(at));
            let may_be = !(dropped.contains(at) || is_survey && name.is_empty());
            may_be && kept.take(2).nth(1) == Some(at)
        };
        let twice: Vec<&String> =
            self.header.iter().enumerate().filter(is_twice).map(|(_, name)| name).collect();
        if twice.is_empty() {
            return Ok(());
        }
        let shown = twice.iter().take(SHOWN).map(|name| format!("`{}`", Shown(name)));
        let shown = shown.collect::<Vec<_>>().join(", two are named ");
        let more = match twice.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(", and {more} more names are so"),
        };
        // Values, not names.
        let is_value = |name: &&String| is_number(name) || is_missing(name) && !name.is_empty();
        let row = if self.has_lines && twice.iter().any(is_value) {
            "; if the first line is a row, say `--header no`"
        } else {
            ""
        };
        self.fail(format!(
            "two columns are named {shown}{more}; names must be different: rename one, or drop both{row}"
        ))
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
        (is_survey, has_lines): (bool, bool),
    ) -> Result<Self> {
        let lookup = Lookup::of(file, header, options, has_lines);
        let dropped: Vec<String> =
            options.dropped.iter().flat_map(|names| lookup.split(names)).collect();
        // Names of an encoding are no lists.
        let wanted = wanted.map(|names| -> Vec<String> {
            let names = names.iter();
            match options.encoding {
                Some(_) => names.cloned().collect(),
                None => names.flat_map(|name| lookup.split(name)).collect(),
            }
        });
        let id = options.id.iter().filter(|_| !options.id_is_optional);
        let named = dropped.iter().chain(&options.label).chain(id);
        lookup.refuse_unknown(named.chain(wanted.iter().flatten()).cloned())?;
        let dropped = dropped.iter().map(|name| lookup.all(name)).collect::<Result<Vec<_>>>()?;
        let dropped: HashSet<usize> = dropped.concat().into_iter().collect();
        let label = options.label.as_deref().map(|name| lookup.one(name)).transpose()?;
        let id = options.id.as_deref();
        let id = id.filter(|name| !options.id_is_optional || lookup.positions.contains_key(name));
        let id = id.map(|name| lookup.one(name)).transpose()?;
        // Of columns that are not read, names may be what they are.
        if wanted.is_none() {
            lookup.refuse_duplicates(&dropped, is_survey)?;
        }
        let other = |at: &usize| Some(*at) != label && Some(*at) != id && !dropped.contains(at);
        let positions: Vec<usize> = match &wanted {
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

    /// An error if the file has no feature columns of these names.
    pub(in crate::data) fn expect(&self, names: &[&String], header: &[String]) -> Result<()> {
        let known: HashSet<&String> = self.names.iter().collect();
        let others: Vec<String> = names
            .iter()
            .filter(|name| !known.contains(*name))
            .map(|name| (*name).clone())
            .collect();
        let unread = others.iter().find(|name| header.contains(name));
        if let Some(name) = unread {
            let detail =
                format!("column `{}` is not read: other options leave it out", Shown(name));
            return Err(Error::Table { file: self.file.clone(), detail });
        }
        if others.is_empty() { Ok(()) } else { Err(unknown(&self.file, &others, header, "")) }
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
