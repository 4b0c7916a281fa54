//! The secant pass: multipliers from the output of a network back to its inputs, between a sample
//! and a root.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, NoSecant, Result};
use crate::graph::network::Relevance;
use crate::graph::plan::{check_values, uses};
use crate::graph::tape::{Graph, Node, Tape};
use crate::layer::Layer;
use crate::secant::{Chosen, SecantStep};

/// A secant pass through a network: what made the difference between its output for a sample and
/// that for a root.
///
/// The network runs twice, for the sample and for the root, and one pass goes back. It carries
/// *multipliers*: every layer turns the multiplier m of its output z into those of its inputs a, such
/// that `Σ m_i (a_i − a₀_i) = Σ m_k (z_k − z₀_k)`, by its slope between the two runs. The relevance of
/// an input is `m ∘ (x − x₀)`, so relevances sum to the difference of the explained output: biases
/// cancel, and nothing is divided by a sum of contributions. No rule is chosen; composites do not
/// apply.
///
/// [`Node::secant_plan`] makes it, from the same network on two tapes.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Distribution, Tensor};
/// use burn_lrp::Tape;
///
/// let device = Default::default();
/// let layer: Linear<Flex> = LinearConfig::new(4, 1).init(&device);
/// let x = Tensor::<Flex, 2>::random([3, 4], Distribution::Default, &device);
/// let (tape, roots) = (Tape::new(), Tape::new());
/// let input = tape.input("x", x);
/// let output = input.then("layer", &layer)?.tanh()?;
/// // One root for all samples.
/// let root = roots.input("x", Tensor::<Flex, 2>::zeros([1, 4], &device));
/// let root_output = root.then("layer", &layer)?.tanh()?;
///
/// let plan = output.secant_plan(&root_output)?;
/// let pairs = [(0, 0), (1, 0), (2, 0)];
/// let found = plan.run_pairs(&pairs, Tensor::<Flex, 2>::ones([3, 1], &device))?;
/// let sums = found.of(&input)?.row_sums();
/// let differences = output.tensor::<2>()? - root_output.tensor::<2>()?;
/// let error = (sums - differences.squeeze_dim(1)).abs().max().into_scalar();
/// assert!(error < 1e-6);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
///
/// Sources: the Rescale rule of DeepLIFT (Shrikumar et al. 2017; Ancona et al. 2018), in the form of
/// secants, with closed forms where it is ambiguous.
#[derive(Debug)]
pub struct SecantPlan<'m, 'r, B: Backend> {
    graph: Rc<RefCell<Graph<'m, B>>>,
    roots: Rc<RefCell<Graph<'r, B>>>,
    /// Where every needed value is on either tape, in the order in which they were computed.
    places: Vec<[usize; 2]>,
}

/// The multipliers and relevances of the inputs of a network, from one secant pass.
#[derive(Debug)]
pub struct Secants<'m, B: Backend> {
    graph: Rc<RefCell<Graph<'m, B>>>,
    of: HashMap<usize, OfInput<B>>,
    /// The number of pairs; `None` for every sample with the root in its place.
    pairs: Option<usize>,
}

/// What an input of the network got.
#[derive(Debug)]
struct OfInput<B: Backend> {
    relevance: AnyTensor<B>,
    /// `None` if the input is discrete.
    multiplier: Option<AnyTensor<B>>,
}

impl<'m, B: Backend> Node<'m, B> {
    /// A secant pass from this value back, between the samples of this tape and the roots of
    /// another on which the same network ran.
    ///
    /// # Errors
    ///
    /// If
    /// - a layer has no secant; all such layers are listed
    /// - other layers ran for the roots, or their values have another shape than those of samples,
    ///   except for their number, another precision or another device
    /// - an input or the value of this node is not finite, or the tapes keep no activations
    pub fn secant_plan<'r>(&self, root: &Node<'r, B>) -> Result<SecantPlan<'m, 'r, B>> {
        let (graph, roots) = (self.graph.borrow(), root.graph.borrow());
        if graph.entries.is_empty() || roots.entries.is_empty() {
            return Err(Error::NotRecorded);
        }
        let needed = needed(&graph, self.id)?;
        let needed_roots = needed_of_roots(&needed, &roots, root.id)?;
        let places: Vec<[usize; 2]> =
            needed.into_iter().zip(needed_roots).map(|(a, b)| [a, b]).collect();
        let missing = missing(&graph, &places);
        if !missing.is_empty() {
            return Err(Error::NoSecant(missing));
        }
        same_network(&graph, &roots, &places)?;
        Ok(SecantPlan { graph: self.graph.clone(), roots: root.graph.clone(), places })
    }

    /// Whether this value depends on token ids or the like, which cannot be changed by degrees;
    /// false on a tape that keeps no activations.
    pub fn has_discrete_input(&self) -> bool {
        let graph = self.graph.borrow();
        if graph.entries.is_empty() {
            return false;
        }
        let uses = uses(&graph, self.id);
        let mut needed = graph.entries.iter().zip(&uses).filter(|(_, uses)| uses.is_some());
        needed.any(|(entry, _)| {
            entry.layer.as_ref().is_some_and(|layer| layer.get().has_discrete_input())
        })
    }
}

/// The values that an output depends on, in their order.
fn needed<B: Backend>(graph: &Graph<'_, B>, output: usize) -> Result<Vec<usize>> {
    let uses = uses(graph, output);
    check_values(graph, &uses, output)?;
    Ok((0..graph.entries.len()).filter(|id| uses[*id].is_some()).collect())
}

fn needed_of_roots<B: Backend>(
    needed_here: &[usize],
    roots: &Graph<'_, B>,
    output: usize,
) -> Result<Vec<usize>> {
    let found = needed(roots, output)?;
    if found.len() == needed_here.len() {
        return Ok(found);
    }
    let detail = format!(
        "{} values were computed for the roots, {} for the samples; run one network for both",
        found.len(),
        needed_here.len()
    );
    Err(Error::layer("roots", detail))
}

/// Layers without a secant. What comes before a discrete input is not needed.
fn missing<B: Backend>(graph: &Graph<'_, B>, places: &[[usize; 2]]) -> Vec<NoSecant> {
    let mut reached: Vec<bool> = vec![false; graph.entries.len()];
    let mut missing = Vec::new();
    if let Some([output, _]) = places.last() {
        reached[*output] = true;
    }
    for [id, _] in places.iter().rev().filter(|[id, _]| graph.entries[*id].layer.is_some()) {
        let entry = &graph.entries[*id];
        let Some(layer) = entry.layer.as_ref().filter(|_| reached[*id]) else { continue };
        let layer = layer.get();
        let behind_a_layer = entry.inputs.iter().any(|id| graph.entries[*id].layer.is_some());
        let detail = match (layer.has_discrete_input(), layer.has_secant()) {
            (true, _) if behind_a_layer => "its input is discrete, but not an input of the network",
            (false, false) => "it has no secant",
            _ => "",
        };
        if !detail.is_empty() {
            let (path, kind) = (entry.path.clone(), layer.kind());
            missing.push(NoSecant { path, kind, detail: detail.into() });
        }
        if layer.has_discrete_input() {
            continue;
        }
        for input in &entry.inputs {
            reached[*input] = true;
        }
    }
    missing.reverse();
    missing
}

/// Refuses two tapes on which different networks ran.
fn same_network<B: Backend>(
    graph: &Graph<'_, B>,
    roots: &Graph<'_, B>,
    places: &[[usize; 2]],
) -> Result<()> {
    let root_of: HashMap<usize, usize> = places.iter().map(|[id, root]| (*id, *root)).collect();
    for [id, root] in places {
        let (entry, other) = (&graph.entries[*id], &roots.entries[*root]);
        let kind = |layer: Option<&dyn Layer<B>>| layer.map(Layer::kind);
        let kinds = [entry, other].map(|entry| kind(entry.layer.as_ref().map(|l| l.get())));
        let inputs: Vec<Option<&usize>> = entry.inputs.iter().map(|id| root_of.get(id)).collect();
        let same_inputs = inputs.iter().copied().eq(other.inputs.iter().map(Some));
        if entry.path != other.path || kinds[0] != kinds[1] || !same_inputs {
            let detail = format!(
                "`{}` ran for the roots where `{}` ran for the samples; run one network for both",
                other.path, entry.path
            );
            return Err(Error::layer("roots", detail));
        }
        let (dims, found) = (entry.value.dims(), other.value.dims());
        if dims.len() != found.len() || dims[1..] != found[1..] {
            let expected = format!("[roots, ..] with samples of {:?}", &dims[1..]);
            return Err(Error::shape(format!("{} of the roots", entry.path), expected, &found));
        }
        entry.value.same_precision(&other.value)?;
        if entry.value.device() != other.value.device() {
            let (found, expected) = (other.value.device(), entry.value.device());
            let detail = format!("they are on {found:?}, the samples on {expected:?}");
            return Err(Error::layer("roots", detail));
        }
    }
    Ok(())
}

/// Which sample and which root every pair has.
struct Pairs<B: Backend> {
    count: usize,
    /// Whether pairs are in the order of samples and roots.
    in_order: bool,
    /// `None` where the pairs have them in their order.
    chosen: [Option<Tensor<B, 1, Int>>; 2],
}

impl<B: Backend> Pairs<B> {
    fn of(
        &self,
        graph: &Graph<'_, B>,
        roots: &Graph<'_, B>,
        [id, root]: [usize; 2],
    ) -> [AnyTensor<B>; 2] {
        let [sample, of_root] = self.chosen(graph, roots, [id, root]);
        [sample.get(), of_root.get()]
    }

    fn chosen<'a>(
        &'a self,
        graph: &'a Graph<'_, B>,
        roots: &'a Graph<'_, B>,
        [id, root]: [usize; 2],
    ) -> [Chosen<'a, B>; 2] {
        [
            Chosen::new(&graph.entries[id].value, self.chosen[0].as_ref()),
            Chosen::new(&roots.entries[root].value, self.chosen[1].as_ref()),
        ]
    }
}

impl<'m, B: Backend> SecantPlan<'m, '_, B> {
    /// Takes multipliers of the output back to every input, between each sample and the root in
    /// its place. Both must have run under the same masks of attention.
    ///
    /// # Shapes
    ///
    /// - multiplier: the shape of the output
    ///
    /// # Errors
    ///
    /// If there are not as many roots as samples, or the multiplier has another shape or precision
    /// than the output, or is not finite.
    pub fn run(&self, multiplier: impl Into<AnyTensor<B>>) -> Result<Secants<'m, B>> {
        let (graph, roots) = (self.graph.borrow(), self.roots.borrow());
        for [id, root] in &self.places {
            let (dims, found) =
                (graph.entries[*id].value.dims(), roots.entries[*root].value.dims());
            if dims != found {
                let expected = format!("{dims:?}, a root for every sample");
                return Err(Error::shape("roots", expected, &found));
            }
        }
        let count = self.samples(&graph);
        self.pass(&Pairs { count, in_order: true, chosen: [None, None] }, multiplier.into())
    }

    /// As [`run`](Self::run), between pairs of a sample and a root, by their numbers from 0.
    ///
    /// Samples must be the first dimension of every value. Both may be in several pairs: networks
    /// run for each of them once. Memory grows with the pairs of a call; the plan may run several
    /// times. Samples and their roots must have run under the same masks of attention.
    ///
    /// # Shapes
    ///
    /// - multiplier: the shape of the output, with the pairs in place of samples
    ///
    /// # Errors
    ///
    /// If a pair names a sample or a root that is not there, or as [`run`](Self::run).
    pub fn run_pairs(
        &self,
        pairs: &[(usize, usize)],
        multiplier: impl Into<AnyTensor<B>>,
    ) -> Result<Secants<'m, B>> {
        let (graph, roots) = (self.graph.borrow(), self.roots.borrow());
        let first = |graph: &Graph<'_, B>, at: usize| {
            let sizes = self.places.iter().map(|ids| graph.entries[ids[at]].value.dims());
            let mut sizes = sizes.map(|dims| dims.first().copied().unwrap_or(0));
            let first = sizes.next().unwrap_or(0);
            sizes.all(|size| size == first).then_some(first)
        };
        let (Some(samples), Some(of_roots)) = (first(&graph, 0), first(&roots, 1)) else {
            let detail = "pairs need samples as the first dimension of every value; use `run`";
            return Err(Error::layer("pairs", detail));
        };
        if pairs.is_empty() {
            return Err(Error::layer("pairs", "there are none"));
        }
        if let Some((sample, root)) = pairs.iter().find(|(a, b)| *a >= samples || *b >= of_roots) {
            let detail = format!(
                "there is no pair of sample {sample} and root {root}: there are {samples} samples \
                 and {of_roots} roots"
            );
            return Err(Error::layer("pairs", detail));
        }
        let device = self.places.last().map(|ids| graph.entries[ids[0]].value.device());
        let device = device.unwrap_or_default();
        let picked = |at: fn(&(usize, usize)) -> usize, size: usize| {
            let places: Vec<usize> = pairs.iter().map(at).collect();
            let in_order = places.len() == size && places.iter().copied().eq(0..size);
            (!in_order).then(|| {
                let places: Vec<i32> = places.iter().map(|place| *place as i32).collect();
                Tensor::from_data(TensorData::new(places, [pairs.len()]), &device)
            })
        };
        let chosen = [picked(|pair| pair.0, samples), picked(|pair| pair.1, of_roots)];
        let pairs = Pairs { count: pairs.len(), in_order: false, chosen };
        self.pass(&pairs, multiplier.into())
    }

    fn samples(&self, graph: &Graph<'_, B>) -> usize {
        let output = self.places.last().map(|ids| graph.entries[ids[0]].value.dims());
        output.and_then(|dims| dims.first().copied()).unwrap_or(0)
    }

    fn pass(&self, pairs: &Pairs<B>, multiplier: AnyTensor<B>) -> Result<Secants<'m, B>> {
        if let Some([output, _]) = self.places.last() {
            let output = &self.graph.borrow().entries[*output].value;
            check_multiplier(&multiplier, output, pairs.count)?;
        }
        self.unchecked_pass(pairs, multiplier)
    }

    fn unchecked_pass(&self, pairs: &Pairs<B>, multiplier: AnyTensor<B>) -> Result<Secants<'m, B>> {
        let (graph, roots) = (self.graph.borrow(), self.roots.borrow());
        let root_of: HashMap<usize, usize> =
            self.places.iter().map(|ids| (ids[0], ids[1])).collect();
        let ids_of = |id: usize| [id, root_of.get(&id).copied().unwrap_or(id)];
        let Some([output, _]) = self.places.last().copied() else {
            return Err(Error::NotRecorded);
        };
        let mut multipliers: HashMap<usize, AnyTensor<B>> = HashMap::from([(output, multiplier)]);
        let mut of: HashMap<usize, OfInput<B>> = HashMap::new();
        for ids in self.places.iter().rev() {
            let entry = &graph.entries[ids[0]];
            let Some(m) = multipliers.remove(&ids[0]) else { continue };
            let relevance = || -> Result<AnyTensor<B>> {
                let [x, root] = pairs.of(&graph, &roots, *ids);
                m.times(&x.zip(&root, |x, root| x - root)?)
            };
            let Some(layer) = &entry.layer else {
                add(&mut of, ids[0], OfInput { relevance: relevance()?, multiplier: Some(m) })?;
                continue;
            };
            let layer = layer.get();
            if layer.has_discrete_input() {
                let of_vectors = relevance()?;
                for input in &entry.inputs {
                    let [ids, _] = pairs.of(&graph, &roots, ids_of(*input));
                    let relevance = of_tokens(&of_vectors, &ids)?;
                    add(&mut of, *input, OfInput { relevance, multiplier: None })?;
                }
                continue;
            }
            let inputs = entry.inputs.iter().map(|id| pairs.chosen(&graph, &roots, ids_of(*id)));
            let step = SecantStep::chosen(inputs.collect(), pairs.chosen(&graph, &roots, *ids), &m);
            let found = layer
                .secant(&step)
                .and_then(|found| check_shapes(&found, &step).map(|()| found))
                .map_err(|error| error.within(&entry.path))?;
            for (id, part) in entry.inputs.iter().zip(found) {
                // Multipliers of a value that is used several times add up.
                let sum = match multipliers.remove(id) {
                    Some(before) => before.plus(&part)?,
                    None => part,
                };
                multipliers.insert(*id, sum);
            }
        }
        let count = (!pairs.in_order).then_some(pairs.count);
        Ok(Secants { graph: self.graph.clone(), of, pairs: count })
    }
}

/// Adds what an input gets to what it has: token ids may also be used as numbers.
fn add<B: Backend>(of: &mut HashMap<usize, OfInput<B>>, id: usize, more: OfInput<B>) -> Result<()> {
    let sum = match of.remove(&id) {
        Some(before) => OfInput {
            relevance: before.relevance.plus(&more.relevance)?,
            multiplier: before.multiplier.or(more.multiplier),
        },
        None => more,
    };
    of.insert(id, sum);
    Ok(())
}

/// The sum over every vector, in the shape of the tokens.
fn of_tokens<B: Backend>(vectors: &AnyTensor<B>, tokens: &AnyTensor<B>) -> Result<AnyTensor<B>> {
    let width = vectors.len() / tokens.len().max(1);
    let sums = vectors.view([tokens.len(), width]).sum_dim(1);
    AnyTensor::from(sums).in_dtype(tokens.dtype()).reshape(&tokens.dims())
}

fn check_multiplier<B: Backend>(
    multiplier: &AnyTensor<B>,
    output: &AnyTensor<B>,
    count: usize,
) -> Result<()> {
    let mut dims = output.dims();
    if let Some(first) = dims.first_mut() {
        *first = count;
    }
    if multiplier.dims() != dims {
        let expected = format!("{dims:?}, that of the output");
        return Err(Error::shape("multiplier", expected, &multiplier.dims()));
    }
    if multiplier.dtype() != output.dtype() {
        let detail = format!("it is {:?}, the output {:?}", multiplier.dtype(), output.dtype());
        return Err(Error::layer("multiplier", detail));
    }
    if multiplier.device() != output.device() {
        let (found, expected) = (multiplier.device(), output.device());
        let detail = format!("it is on {found:?}, the output on {expected:?}");
        return Err(Error::layer("multiplier", detail));
    }
    if multiplier.is_finite() {
        return Ok(());
    }
    let detail = "the multiplier of the output must not be NaN or infinite";
    Err(Error::NonFinite { at: "multiplier".into(), detail: detail.into() })
}

/// Whether the multiplier of every input has the shape of the input.
fn check_shapes<B: Backend>(found: &[AnyTensor<B>], step: &SecantStep<'_, B>) -> Result<()> {
    let expected: Vec<Vec<usize>> =
        (0..step.len()).map(|at| step.dims(at)).collect::<Result<_>>()?;
    let found: Vec<Vec<usize>> = found.iter().map(AnyTensor::dims).collect();
    if found == expected {
        return Ok(());
    }
    let detail = format!("it returned multipliers of shapes {found:?} for inputs of {expected:?}");
    Err(Error::layer("secant", detail))
}

impl<B: Backend> Secants<'_, B> {
    /// The relevance of an input of the network, in its shape with pairs in place of samples; zeros
    /// if the output does not depend on it. Token ids get the relevance of their vectors.
    ///
    /// # Errors
    ///
    /// If the node belongs to another tape, or is not an input.
    pub fn of(&self, node: &Node<'_, B>) -> Result<AnyTensor<B>> {
        Ok(self.at(node)?.map_or_else(|| self.nothing(node), |of| of.relevance.clone()))
    }

    /// The multiplier of an input of the network, in its shape with pairs in place of samples.
    ///
    /// # Errors
    ///
    /// If the node belongs to another tape, is not an input, or holds token ids.
    pub fn multiplier(&self, node: &Node<'_, B>) -> Result<AnyTensor<B>> {
        match self.at(node)? {
            Some(OfInput { multiplier: Some(multiplier), .. }) => Ok(multiplier.clone()),
            Some(_) => {
                Err(Error::layer(node.path(), "a discrete input has relevance, but no multiplier"))
            }
            None => Ok(self.nothing(node)),
        }
    }

    fn at(&self, node: &Node<'_, B>) -> Result<Option<&OfInput<B>>> {
        let same = std::ptr::addr_eq(Rc::as_ptr(&self.graph), Rc::as_ptr(&node.graph));
        if !same {
            return Err(Error::ForeignNode);
        }
        if self.graph.borrow().entries[node.id].layer.is_some() {
            return Err(Error::layer(node.path(), "only the relevance of inputs is kept"));
        }
        Ok(self.of.get(&node.id))
    }

    fn nothing(&self, node: &Node<'_, B>) -> AnyTensor<B> {
        let mut dims = node.value().dims();
        if let (Some(pairs), Some(first)) = (self.pairs, dims.first_mut()) {
            *first = pairs;
        }
        let value = node.value();
        let size: usize = dims.iter().product();
        let flat = Tensor::<B, 1>::zeros([size], (&value.device(), value.dtype()));
        AnyTensor::from(flat).shaped(&dims)
    }
}

/// What made the difference between the outputs for samples and for their roots.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecantExplanation<B: Backend> {
    /// The relevance of every element of the samples, in their shape: its sum over a sample is
    /// `Σ_k m_k (z_k − z₀_k)`.
    pub relevance: AnyTensor<B>,
    /// The output for the samples, z.
    pub output: AnyTensor<B>,
    /// The output for the roots, z₀.
    pub root_output: AnyTensor<B>,
}

/// One [secant pass](SecantPlan) through a network: the relevance of its input for the difference
/// of its output between samples and their roots.
///
/// `multiplier` gets the outputs for samples and for roots and says which difference to explain, by
/// the weight of every output: a row of ones for their sum.
///
/// # Shapes
///
/// - x, root: `[samples, ..]`, one shape
///
/// # Errors
///
/// As [`Node::secant_plan`] and [`SecantPlan::run`], and those of `multiplier`.
pub fn secant<B: Backend>(
    network: &(impl Relevance<B> + ?Sized),
    x: impl Into<AnyTensor<B>>,
    root: impl Into<AnyTensor<B>>,
    multiplier: impl FnOnce(&AnyTensor<B>, &AnyTensor<B>) -> Result<AnyTensor<B>>,
) -> Result<SecantExplanation<B>> {
    let (tape, roots) = (Tape::new(), Tape::new());
    let input = tape.input("input", x);
    let output = network.trace(input.clone())?;
    let root_output = network.trace(roots.input("input", root))?;
    let multiplier = multiplier(output.value(), root_output.value())?;
    let found = output.secant_plan(&root_output)?.run(multiplier)?;
    Ok(SecantExplanation {
        relevance: found.of(&input)?,
        output: output.value().clone(),
        root_output: root_output.value().clone(),
    })
}

/// The multiplier of the input of an activation, from that of its output. Nothing is read back from
/// the device.
pub(crate) fn pulled<B: Backend>(
    network: &(impl Relevance<B> + ?Sized),
    [x, root]: [AnyTensor<B>; 2],
    multiplier: AnyTensor<B>,
) -> Result<AnyTensor<B>> {
    let (tape, roots) = (Tape::new(), Tape::new());
    let input = tape.input("input", x);
    let output = network.trace(input.clone())?;
    let root_output = network.trace(roots.input("input", root))?;
    let places = same_places(&output, &root_output)?;
    let plan = SecantPlan { graph: output.graph.clone(), roots: root_output.graph.clone(), places };
    let count = output.value().dims().first().copied().unwrap_or(0);
    let pairs = Pairs { count, in_order: true, chosen: [None, None] };
    plan.unchecked_pass(&pairs, multiplier)?.multiplier(&input)
}

/// The values of one network on two tapes, without a look at their numbers.
fn same_places<B: Backend>(output: &Node<'_, B>, root: &Node<'_, B>) -> Result<Vec<[usize; 2]>> {
    let (graph, roots) = (output.graph.borrow(), root.graph.borrow());
    if graph.entries.len() != roots.entries.len() {
        return Err(Error::layer("roots", "other layers ran for them"));
    }
    Ok((0..graph.entries.len()).map(|id| [id, id]).collect())
}
