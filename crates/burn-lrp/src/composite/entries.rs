//! An ordered list of selectors with their rules.

use serde::{Deserialize, Serialize};

use crate::composite::selector::Selector;
use crate::composite::site::Site;
use crate::error::Unmatched;
use crate::rule::Rule;

/// Which layer follows which rule: an ordered list of selectors with their rules.
///
/// A layer follows the rule of the first selector that chooses it, or its own default rule if none
/// does. A composite can be written as text, one entry per line, and read again:
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
/// - entries are separated by line ends or `;`; a line that begins with `#` is a comment
/// - an entry is `selector -> rule`, with selectors as in [`Selector`] and rules as in
///   [`Rule`]
/// - `merge-normalization=false` instead of an entry is
///   [`with_merged_normalization(false)`](Self::with_merged_normalization)
///
/// [`parse_with`](Self::parse_with) also knows rules of your own. Serialised, a composite is
/// `{"entries": ["selector -> rule", ..], "merge_normalization": true}`; deserialising knows built-in
/// rules only.
///
/// # Selectors that choose no layer
///
/// [`Node::plan`](crate::Node::plan) refuses a selector with a path that chooses no layer: a path
/// belongs to one network, and a typing error in it would change relevances silently. It also refuses
/// a kind that is spelled differently in the network, such as `conv2d`. Families and other kinds may
/// be missing, so that one composite fits many networks. [`Plan::unused`](crate::Plan::unused) lists
/// all entries that no layer follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SerializedComposite", into = "SerializedComposite")]
pub struct Composite {
    pub(super) entries: Vec<(Selector, Rule)>,
    pub(super) merge: bool,
}

/// A composite as it is serialised.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SerializedComposite {
    pub(super) entries: Vec<String>,
    #[serde(default = "merged")]
    pub(super) merge_normalization: bool,
}

fn merged() -> bool {
    true
}

/// No entries: every layer follows its own default rule.
impl Default for Composite {
    fn default() -> Self {
        Self { entries: Vec::new(), merge: true }
    }
}

impl Composite {
    /// A composite without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The composite with one more entry at the end.
    pub fn with(mut self, selector: Selector, rule: Rule) -> Self {
        self.entries.push((selector, rule));
        self
    }

    /// Whether a batch normalisation is merged into the layer before it
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

    /// Which entry every layer follows; `None` if no selector chooses it.
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

    /// Selectors that must choose a layer and choose none; `merged` are normalisations, each with
    /// the path of the layer that it is merged into.
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
