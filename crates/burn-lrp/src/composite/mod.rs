//! Which rule goes to which layer.

mod preset;
mod reader;
mod selector;
mod text;

pub use selector::Selector;

use serde::{Deserialize, Serialize};

use crate::error::Unmatched;
use crate::layer::Kind;
use crate::rule::Rule;

/// An ordered list of selectors with their rules; the first that matches wins.
///
/// A layer that nothing matches follows its own default rule.
///
/// It is written as text, an entry a line, and read again:
///
/// ```
/// use burn_lrp::{Composite, Family, Rule, Selector};
///
/// let composite: Composite = "
///     ## The input: pixels between 0 and 1.
///     first(family:convolution) -> box=0,1
///     family:convolution        -> gamma=0.25
///     path:head.**              -> epsilon=1e-6
/// "
/// .parse()?;
/// let same = Composite::new()
///     .with(Selector::Family(Family::Convolution).first(), Rule::bounded(0.0, 1.0)?)
///     .with(Selector::Family(Family::Convolution), Rule::gamma(0.25)?)
///     .with(Selector::path("head.**"), Rule::EPSILON);
/// assert_eq!(composite, same);
/// assert_eq!(composite.to_string().parse::<Composite>()?, same);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
///
/// # Grammar
///
/// - entries are separated by line ends or `;`; a line that begins with `#` is a remark
/// - an entry is `selector -> rule`, with selectors as in [`Selector`] and rules as in
///   [`Rule`]
/// - `merge-normalization=false` instead of an entry is
///   [`with_merged_normalization(false)`](Self::with_merged_normalization)
///
/// Serialised, it is `{"entries": ["selector -> rule", ..], "merge_normalization": true}`.
///
/// # Selectors that match nothing
///
/// A selector that speaks of paths and means no layer is an error of
/// [`Node::plan`](crate::Node::plan): a path belongs to one network, and a typing error in it would
/// else change relevances in silence. So is a kind in another spelling than the network's, such as
/// `conv2d`. Families and other kinds may be missing, so that one composite does for many
/// networks; [`Plan::unused`](crate::Plan::unused) tells the entries that no layer follows,
/// for whatever reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "text::Entries", into = "text::Entries")]
pub struct Composite {
    entries: Vec<(Selector, Rule)>,
    merge: bool,
}

/// A layer, as selectors see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    pub(crate) path: String,
    pub(crate) kind: Kind,
}

/// Every layer by its own default rule.
impl Default for Composite {
    fn default() -> Self {
        Self { entries: Vec::new(), merge: true }
    }
}

impl Composite {
    /// No entries yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more entry, after those before.
    pub fn with(mut self, selector: Selector, rule: Rule) -> Self {
        self.entries.push((selector, rule));
        self
    }

    /// Whether a batch normalisation becomes one layer with the layer before it
    /// (the default) or is a layer of its own.
    pub fn with_merged_normalization(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// The entries in their order.
    pub fn entries(&self) -> &[(Selector, Rule)] {
        &self.entries
    }

    pub(crate) fn merges_normalization(&self) -> bool {
        self.merge
    }

    /// Which entry every layer follows, where one matches.
    pub(crate) fn choose(&self, sites: &[Site]) -> Vec<Option<usize>> {
        let mut chosen = vec![None; sites.len()];
        for (entry, (selector, _)) in self.entries.iter().enumerate() {
            for (place, matches) in chosen.iter_mut().zip(selector.matches(sites)) {
                if matches && place.is_none() {
                    *place = Some(entry);
                }
            }
        }
        chosen
    }

    /// Selectors that must mean a layer and mean none; `merged` are normalisations with the layer
    /// that each became a part of.
    pub(crate) fn unmatched(&self, sites: &[Site], merged: &[(Site, String)]) -> Vec<Unmatched> {
        let gone: Vec<Site> = merged.iter().map(|(site, _)| site.clone()).collect();
        let all = [sites, &gone].concat();
        let unmatched = |selector: &Selector| -> Option<Unmatched> {
            let detail = match selector.lost(&all) {
                Some(part) => part.alternatives(sites),
                None if !selector.must_match(sites) => return None,
                None if selector.matches(sites).contains(&true) => return None,
                None => match selector.matches(&gone).iter().position(|matches| *matches) {
                    Some(at) => format!(
                        "`{}` is merged into `{}`; `merge-normalization=false` keeps it a layer",
                        merged[at].0.path, merged[at].1
                    ),
                    None => selector.alternatives(sites),
                },
            };
            Some(Unmatched { selector: selector.to_string(), detail })
        };
        self.entries.iter().filter_map(|(selector, _)| unmatched(selector)).collect()
    }
}
