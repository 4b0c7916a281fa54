use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use burn::tensor::{DType, backend::Backend};

use crate::composite::{Composite, Selector, Site};
use crate::error::{Error, Result, Unsupported};
use crate::graph::{Graph, Held, Node};
use crate::layer::Kind;
use crate::rule::Rule;

/// Which rule every layer of a network follows, from a composite.
///
/// It prints itself as a table. It is made by [`Node::plan`], for all layers
/// that the node depends on.
#[derive(Debug)]
pub struct Plan<'m, B: Backend> {
    pub(crate) graph: Rc<RefCell<Graph<'m, B>>>,
    pub(crate) output: usize,
    /// In the order in which layers ran.
    pub(crate) steps: Vec<PlanStep<'m, B>>,
    layers: Vec<Planned>,
    unused: Vec<(Selector, Rule)>,
}

/// A layer of a [`Plan`].
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Where it is in the network.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// What it follows.
    pub rule: Rule,
    /// The normalisation that was merged into it.
    pub merged: Option<String>,
}

#[derive(Debug)]
pub(crate) struct PlanStep<'m, B: Backend> {
    pub(crate) held: Held<'m, B>,
    pub(crate) rule: Rule,
    /// Whose relevance is handed on.
    pub(crate) output: usize,
    pub(crate) inputs: Vec<usize>,
}

impl<'m, B: Backend> Node<'m, B> {
    /// Gives every layer that the node depends on its rule.
    ///
    /// # Errors
    ///
    /// If a layer cannot follow the rule that the composite gives it; all such layers
    /// are listed. If a selector speaks of paths that the network does not have, or
    /// misspells its kinds. If an input of the network, or the value of this node, is not finite. On a
    /// tape that keeps nothing.
    pub fn plan(&self, composite: &Composite) -> Result<Plan<'m, B>> {
        let graph = self.graph.borrow();
        if graph.records.is_empty() {
            return Err(Error::NotRecorded);
        }
        let mut needed = vec![false; graph.records.len()];
        let mut uses = vec![0_usize; graph.records.len()];
        needed[self.id] = true;
        for id in (0..=self.id).rev().filter(|id| graph.records[*id].layer.is_some()) {
            if needed[id] {
                for input in &graph.records[id].inputs {
                    needed[*input] = true;
                    uses[*input] += 1;
                }
            }
        }

        for (id, record) in graph.records.iter().enumerate().filter(|(id, _)| needed[*id]) {
            if record.layer.is_none() && !matches!(record.value.dtype(), DType::F32 | DType::F64) {
                let detail = format!(
                    "it is {:?}; relevance is computed in F32 and F64, cast it first",
                    record.value.dtype()
                );
                return Err(Error::layer(record.path.clone(), detail));
            }
            if (record.layer.is_none() || id == self.id) && !record.value.is_finite() {
                let detail = "a value is NaN or infinite; relevance would be, too";
                return Err(Error::NonFinite { at: record.path.clone(), detail: detail.into() });
            }
        }

        let mut steps: Vec<PlanStep<'m, B>> = Vec::new();
        let mut sites: Vec<Site> = Vec::new();
        let mut merged: Vec<Option<String>> = Vec::new();
        let mut gone: Vec<(Site, String)> = Vec::new();
        for (id, record) in graph.records.iter().enumerate().filter(|(id, _)| needed[*id]) {
            let Some(held) = &record.layer else { continue };
            // A normalisation right after a layer that nobody else looks at.
            if composite.merges_normalization()
                && let [input] = record.inputs.as_slice()
                && uses[*input] == 1
                && *input != self.id
                && let Some((scale, shift)) = held.layer().channel_scale()
                && let Some(at) = steps.iter().position(|step| step.output == *input)
                && merged[at].is_none()
                && steps[at].held.layer().rescaled_dim(&graph.records[*input].value.dims()) == 1
                && let Some(layer) = steps[at].held.layer().rescaled(&scale, &shift)
            {
                steps[at].held = Held::Owned(Rc::from(layer));
                steps[at].output = id;
                merged[at] = Some(record.path.clone());
                let site = Site { path: record.path.clone(), kind: held.layer().kind() };
                gone.push((site, sites[at].path.clone()));
                continue;
            }
            let kind = held.layer().kind();
            sites.push(Site { path: record.path.clone(), kind });
            merged.push(None);
            steps.push(PlanStep {
                held: held.clone(),
                rule: held.layer().default_rule(),
                output: id,
                inputs: record.inputs.clone(),
            });
        }

        let unmatched = composite.unmatched(&sites, &gone);
        if !unmatched.is_empty() {
            return Err(Error::Unmatched(unmatched));
        }
        let mut unsupported = Vec::new();
        let chosen = composite.choose(&sites);
        for ((step, site), chosen) in steps.iter_mut().zip(&sites).zip(&chosen) {
            let layer = step.held.layer();
            let Some(entry) = *chosen else { continue };
            let rule = composite.entries()[entry].1;
            if layer.rules().contains(&rule.name()) {
                step.rule = rule;
            } else {
                unsupported.push(Unsupported {
                    path: site.path.clone(),
                    kind: site.kind,
                    rule,
                    supported: layer.rules(),
                });
            }
        }
        if !unsupported.is_empty() {
            return Err(Error::Unsupported(unsupported));
        }
        let layers = steps
            .iter()
            .zip(sites)
            .zip(merged)
            .map(|((step, Site { path, kind }), merged)| Planned {
                path,
                kind,
                rule: step.rule,
                merged,
            })
            .collect();
        let entries = composite.entries().iter().enumerate();
        let unused = entries.filter(|(entry, _)| !chosen.contains(&Some(*entry)));
        let unused = unused.map(|(_, entry)| entry.clone()).collect();
        // Merged layers took a later place than they had.
        let mut plan = Plan { graph: self.graph.clone(), output: self.id, steps, layers, unused };
        plan.order();
        Ok(plan)
    }
}

impl<B: Backend> Plan<'_, B> {
    /// What every layer follows, in the order in which they ran.
    pub fn layers(&self) -> &[Planned] {
        &self.layers
    }

    /// Entries of the composite that no layer follows: they mean none, or others before
    /// them took all.
    pub fn unused(&self) -> &[(Selector, Rule)] {
        &self.unused
    }

    fn order(&mut self) {
        let mut both: Vec<_> = self.steps.drain(..).zip(self.layers.drain(..)).collect();
        both.sort_by_key(|(step, _)| step.output);
        (self.steps, self.layers) = both.into_iter().unzip();
    }
}

impl<B: Backend> fmt::Display for Plan<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |layer: &Planned| match &layer.merged {
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
