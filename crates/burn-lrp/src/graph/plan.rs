//! Which rule every layer of a network follows, checked before a pass runs.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use burn::tensor::{DType, backend::Backend};

use crate::composite::{Composite, Selector, Site};
use crate::error::{Error, MergeConflict, Result, Unsupported};
use crate::graph::tape::{Graph, LayerRef, Node};
use crate::kind::Kind;
use crate::layer::Layer;
use crate::rule::Rule;

/// Which rule every layer of a network follows, from a composite.
///
/// It prints itself as a table. [`Node::plan`] makes it, for all layers
/// that the node depends on.
#[derive(Debug)]
pub struct Plan<'m, B: Backend> {
    pub(crate) graph: Rc<RefCell<Graph<'m, B>>>,
    pub(crate) output: usize,
    /// In the order in which layers ran.
    pub(crate) steps: Vec<PlanStep<'m, B>>,
    layers: Vec<PlannedLayer>,
    unused: Vec<(Selector, Rule)>,
}

/// A layer of a [`Plan`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlannedLayer {
    /// Where the layer is in the network.
    pub path: String,
    /// The kind of layer.
    pub kind: Kind,
    /// The rule that it follows.
    pub rule: Rule,
    /// The path of the normalisation that is merged into it.
    pub merged: Option<String>,
}

#[derive(Debug)]
pub(crate) struct PlanStep<'m, B: Backend> {
    pub(crate) layer: LayerRef<'m, B>,
    /// The value whose relevance the layer distributes.
    pub(crate) output: usize,
    pub(crate) inputs: Vec<usize>,
}

impl<'m, B: Backend> Node<'m, B> {
    /// Gives every layer that the node depends on its rule.
    ///
    /// # Errors
    ///
    /// If
    /// - a layer cannot follow the rule that the composite gives it, or its own default rule; all such
    ///   layers are listed
    /// - the composite has a path that the network does not have, or misspells a kind
    /// - a layer is of another kind once a normalisation is merged into it, and the composite has
    ///   different rules for the two kinds
    /// - an input of the network, or the value of this node, is not finite
    /// - the tape keeps no activations
    pub fn plan(&self, composite: &Composite) -> Result<Plan<'m, B>> {
        let graph = self.graph.borrow();
        if graph.entries.is_empty() {
            return Err(Error::NotRecorded);
        }
        let uses = uses(&graph, self.id);
        check_values(&graph, &uses, self.id)?;
        let candidates = candidates(&graph, &uses, self.id, composite.merges_normalization());
        let chosen = chosen_entries(composite, &candidates)?;
        let mut planned = planned(composite, candidates, &chosen)?;
        // Merged layers take the place of their normalisation.
        planned.sort_by_key(|(step, _)| step.output);
        let (steps, layers) = planned.into_iter().unzip();
        let entries = composite.entries().iter().enumerate();
        let unused = entries.filter(|(entry, _)| !chosen.contains(&Some(*entry)));
        let unused = unused.map(|(_, entry)| entry.clone()).collect();
        Ok(Plan { graph: self.graph.clone(), output: self.id, steps, layers, unused })
    }
}

/// How often every value is used on the way to an output; `None` if it is not needed for it.
pub(crate) fn uses<B: Backend>(graph: &Graph<'_, B>, output: usize) -> Vec<Option<usize>> {
    let mut uses = vec![None; graph.entries.len()];
    uses[output] = Some(0);
    for id in (0..=output).rev() {
        if uses[id].is_some() {
            for input in &graph.entries[id].inputs {
                *uses[*input].get_or_insert(0) += 1;
            }
        }
    }
    uses
}

/// Refuses inputs in other precisions than single and double, and values that are not finite.
pub(crate) fn check_values<B: Backend>(
    graph: &Graph<'_, B>,
    uses: &[Option<usize>],
    output: usize,
) -> Result<()> {
    for (id, entry) in graph.entries.iter().enumerate().filter(|(id, _)| uses[*id].is_some()) {
        let dtype = entry.value.dtype();
        if entry.layer.is_none() && !matches!(dtype, DType::F32 | DType::F64) {
            let detail =
                format!("it is {dtype:?}; relevance is computed in F32 and F64, cast it first");
            return Err(Error::layer(entry.path.clone(), detail));
        }
        if (entry.layer.is_none() || id == output) && !entry.value.is_finite() {
            let detail = "a value is NaN or infinite, so that relevance would be, too";
            return Err(Error::NonFinite { at: entry.path.clone(), detail: detail.into() });
        }
    }
    Ok(())
}

/// A layer before it has a rule.
struct Candidate<'m, B: Backend> {
    step: PlanStep<'m, B>,
    /// The layer without a normalisation.
    site: Site,
    /// The normalisation that is merged into it.
    merged: Option<Site>,
}

impl<B: Backend> Candidate<'_, B> {
    /// The layer as it runs, with a normalisation if one is merged.
    fn effective(&self) -> Site {
        Site { path: self.site.path.clone(), kind: self.step.layer.get().kind() }
    }

    /// Merges a normalisation of this layer's output into it, if the two can be one layer.
    fn merge(&mut self, normalization: &dyn Layer<B>, site: &Site, dims: &[usize]) -> bool {
        let layer = self.step.layer.get();
        if self.merged.is_some() || layer.rescaled_dim(dims) != 1 {
            return false;
        }
        let rescaled = normalization.channel_scale();
        let rescaled = rescaled.and_then(|(scale, shift)| layer.rescaled(&scale, &shift));
        let Some(rescaled) = rescaled else { return false };
        self.step.layer = LayerRef::Owned(Rc::from(rescaled));
        self.merged = Some(site.clone());
        true
    }
}

/// The layers that an output depends on, in the order in which they ran.
fn candidates<'m, B: Backend>(
    graph: &Graph<'m, B>,
    uses: &[Option<usize>],
    output: usize,
    merges: bool,
) -> Vec<Candidate<'m, B>> {
    let mut found: Vec<Candidate<'m, B>> = Vec::new();
    for (id, entry) in graph.entries.iter().enumerate().filter(|(id, _)| uses[*id].is_some()) {
        let Some(layer) = &entry.layer else { continue };
        let site = Site { path: entry.path.clone(), kind: layer.get().kind() };
        // A normalisation right after a layer whose output nothing else uses.
        if merges
            && let [input] = entry.inputs.as_slice()
            && uses[*input] == Some(1)
            && *input != output
            && let Some(before) = found.iter_mut().find(|layer| layer.step.output == *input)
            && before.merge(layer.get(), &site, &graph.entries[*input].value.dims())
        {
            before.step.output = id;
            continue;
        }
        let step = PlanStep { layer: layer.clone(), output: id, inputs: entry.inputs.clone() };
        found.push(Candidate { step, site, merged: None });
    }
    found
}

/// Which entry of the composite every layer follows; `None` for its default rule.
fn chosen_entries<B: Backend>(
    composite: &Composite,
    candidates: &[Candidate<'_, B>],
) -> Result<Vec<Option<usize>>> {
    let sites: Vec<Site> = candidates.iter().map(Candidate::effective).collect();
    let merged: Vec<(Site, String)> = candidates
        .iter()
        .filter_map(|layer| Some((layer.merged.clone()?, layer.site.path.clone())))
        .collect();
    let unmatched = composite.unmatched(&sites, &merged);
    if !unmatched.is_empty() {
        return Err(Error::Unmatched(unmatched));
    }

    let chosen = composite.choose(&sites);
    let alone: Vec<Site> = candidates.iter().map(|layer| layer.site.clone()).collect();
    let chosen_alone = composite.choose(&alone);
    let conflicts = candidates.iter().zip(&sites).zip(chosen.iter().zip(&chosen_alone));
    let conflicts = conflicts
        .filter(|((layer, site), (merged, alone))| layer.site.kind != site.kind && merged != alone);
    let conflicts: Vec<MergeConflict> = conflicts
        .filter_map(|((layer, site), _)| {
            Some(MergeConflict {
                path: site.path.clone(),
                kind: layer.site.kind,
                normalization: layer.merged.as_ref()?.path.clone(),
                merged: site.kind,
            })
        })
        .collect();
    if conflicts.is_empty() { Ok(chosen) } else { Err(Error::Merged(conflicts)) }
}

/// Every layer with its rule, if all of them can follow theirs.
fn planned<'m, B: Backend>(
    composite: &Composite,
    candidates: Vec<Candidate<'m, B>>,
    chosen: &[Option<usize>],
) -> Result<Vec<(PlanStep<'m, B>, PlannedLayer)>> {
    let mut planned = Vec::with_capacity(candidates.len());
    let mut unsupported = Vec::new();
    for (candidate, entry) in candidates.into_iter().zip(chosen) {
        let Site { path, kind } = candidate.effective();
        let layer = candidate.step.layer.get();
        let rule = match entry {
            Some(entry) => composite.entries()[*entry].1.clone(),
            None => layer.default_rule(),
        };
        let supported = layer.rules();
        if !supported.contains(&rule.name()) {
            let (path, rule) = (path.clone(), rule.to_string());
            unsupported.push(Unsupported { path, kind, rule, supported });
        }
        let merged = candidate.merged.map(|site| site.path);
        planned.push((candidate.step, PlannedLayer { path, kind, rule, merged }));
    }
    if unsupported.is_empty() { Ok(planned) } else { Err(Error::Unsupported(unsupported)) }
}

impl<B: Backend> Plan<'_, B> {
    /// The layers with their rules, in the order in which they ran.
    pub fn layers(&self) -> &[PlannedLayer] {
        &self.layers
    }

    /// Entries of the composite that no layer follows: they choose no layer, or only
    /// layers that earlier entries choose.
    pub fn unused(&self) -> &[(Selector, Rule)] {
        &self.unused
    }
}

impl<B: Backend> fmt::Display for Plan<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |layer: &PlannedLayer| match &layer.merged {
            Some(merged) => format!("{} + {merged}", layer.path),
            None => layer.path.clone(),
        };
        let width = |texts: Vec<usize>| texts.into_iter().max().unwrap_or(0);
        let paths = width(self.layers.iter().map(|layer| path(layer).chars().count()).collect());
        let kinds = width(self.layers.iter().map(|layer| layer.kind.name().len()).collect());
        for layer in &self.layers {
            writeln!(f, "{:paths$}  {:kinds$}  {}", path(layer), layer.kind.name(), layer.rule)?;
        }
        Ok(())
    }
}
