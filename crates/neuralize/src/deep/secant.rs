//! The secant pass of a deep k-means: from the boundary between two clusters to the input.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Node, Relevance, SecantPlan, Tape};

use crate::deep::codes::{blocks, table_of};
use crate::deep::roots::{Pair, Places, Roots, Search, indices, pair_index};
use crate::deep::{DeepExplanation, DeepKMeans, DeepQuestion};
use crate::error::{Error, Result};
use crate::explain::{Explanation, Root};
use crate::network::{Counted, Network, NeuralizedKMeans, PoolingPass, counted};
use crate::{transfer, validate};

/// Roots of so many batches may be in memory, with all activations.
const KEPT_BATCHES: usize = 8;

/// Where the roots of a pass come from.
enum Source<'a, B: Backend> {
    /// Those of the model.
    Kept(&'a Roots<B>, Root),
    /// One for every sample, `[N, L]`.
    Given(Tensor<B, 2>),
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// The pass from the roots of the model.
    pub(super) fn explain_by_secants(
        &self,
        x: &AnyTensor<B>,
        question: &DeepQuestion,
        root: Root,
    ) -> Result<(Explanation<B>, AnyTensor<B>)> {
        root.check()?;
        if root == Root::Near {
            let rule = "encoders have no supports: take Toward";
            return Err(Error::config("root", "Near", rule));
        }
        let dims = x.dims();
        let pass = Pass::new(self, question, &dims)?;
        let roots = self.roots.as_ref().ok_or(Error::NoRoots)?;
        if !roots.is_of(&dims[1..]) {
            let expected = format!("[N, ..] with inputs of shape {:?}", roots.sample());
            return Err(Error::shape("x", expected, &dims));
        }
        // From the place of c itself.
        let root = if root.lambda() == 0.0 { Root::Midway } else { root };
        // The search for roots runs before any plan that would list layers without a secant.
        if root != Root::Midway || roots.midway().is_none() {
            self.check_secants(x)?;
        }
        pass.run(x, &Source::Kept(roots, root))
    }

    /// Explains every input by what made its logit from that of a root of yours, which takes the
    /// place of a point on the boundary: another sample, a counterfactual, a blank image.
    ///
    /// Relevances sum to `f · Σ_k p_k (h_ck(x) − h_ck(x₀)) / h_ck(x)`, with the shares p of the
    /// competitors; the rest, what is left of the contrasts at the root, is
    /// [`absorbed`](DeepExplanation::absorbed). A [`Pass`](crate::deep::Pass) plays no part.
    ///
    /// # Shapes
    ///
    /// - x, roots: `[N, ..]`, a root for every input
    ///
    /// # Errors
    ///
    /// If the roots have another shape, precision or device than x, or as
    /// [`explain`](Self::explain).
    pub fn explain_from_inputs<const D: usize>(
        &self,
        x: &Tensor<B, D>,
        roots: &Tensor<B, D>,
        question: &DeepQuestion,
    ) -> Result<DeepExplanation<B, D>> {
        let x = self.checked_input("x", x)?;
        let dims = x.dims();
        if roots.dims()[..] != dims[..] {
            let expected = format!("{dims:?}, a root for every input");
            return Err(Error::shape("the roots", expected, &roots.dims()));
        }
        validate::same_device("the roots", &roots.device(), &x.device())?;
        if roots.dtype() != x.dtype() {
            let (what, found) = ("the roots", roots.dtype());
            return Err(Error::DTypeMismatch { what, found, expected: x.dtype() });
        }
        let roots = self.checked_input("the roots", roots)?.rows();
        let pass = Pass::new(self, question, &dims)?;
        let (codes, relevance) = pass.run(&x, &Source::Given(roots))?;
        DeepExplanation::new(codes, &relevance, None)
    }
}

/// One competitor of one sample that counts.
#[derive(Clone, Copy)]
struct Competitor {
    /// The sample in its block.
    row: usize,
    pair: Pair,
    /// What the contrast is multiplied by: its part of the logit over the contrast.
    ratio: f64,
    /// The contrast of the sample.
    contrast: f64,
}

struct Pass<'a, B: Backend, E> {
    model: &'a DeepKMeans<B, E>,
    question: &'a DeepQuestion,
    network: NeuralizedKMeans<B>,
    centroids: Tensor<B, 2>,
    sample: Vec<usize>,
    beta: f64,
}

impl<'a, B: Backend, E: Module<B> + Relevance<B>> Pass<'a, B, E> {
    fn new(
        model: &'a DeepKMeans<B, E>,
        question: &'a DeepQuestion,
        dims: &[usize],
    ) -> Result<Self> {
        let network = model.neuralize()?;
        question.target.check(model.n_clusters())?;
        let beta = question.target.beta(question.beta, Network::beta(&network))?;
        let centroids = network.centred_centroids();
        Ok(Self { model, question, network, centroids, sample: dims[1..].to_vec(), beta })
    }

    /// The explanation of the codes, and the relevance of the input.
    fn run(
        &self,
        x: &AnyTensor<B>,
        source: &Source<'_, B>,
    ) -> Result<(Explanation<B>, AnyTensor<B>)> {
        let dims = x.dims();
        let kept = self.kept_roots(source, dims[0])?;
        let mut finder = Finder::new(self, source);
        let (mut codes, mut relevances) = (Vec::new(), Vec::new());
        for range in blocks(dims[0], self.question.batch_size) {
            let tape = Tape::new();
            let rows = x.samples(range.clone())?;
            let input = tape.input("input", rows.clone());
            let output = self.model.encoder.trace(input.clone())?;
            let code = table_of(output.value(), range.len())?;
            let question = self.question;
            codes.push(Network::explain(&self.network, &code, question.target, question.beta)?);
            let scores = Network::scores(&self.network, code);
            let pass = PoolingPass::of(&scores, question.target, self.beta);
            let competitors = self.competitors(source, &pass, scores);
            let rows = transfer::untracked(rows.rows());
            let mut sum = rows.zeros_like();
            let plan = kept.as_ref().map(|roots| output.secant_plan(roots)).transpose()?;
            for some in competitors.chunks(question.batch_size.max(1)) {
                let part = match &plan {
                    Some(plan) => {
                        let clusters = self.model.n_clusters();
                        let of = |one: &Competitor| pair_index(one.pair.c, one.pair.k, clusters);
                        let order: Vec<usize> = some.iter().map(of).collect();
                        self.chunk(&input, plan, some, &order)?
                    }
                    None => {
                        let (roots, order) = finder.roots_of(some, &rows, range.start)?;
                        let shape = [&[roots.dims()[0]], self.sample.as_slice()].concat();
                        let roots = AnyTensor::from(roots).reshape(&shape)?;
                        let roots = Tape::new().input("input", roots);
                        let root_output = self.model.encoder.trace(roots)?;
                        self.chunk(&input, &output.secant_plan(&root_output)?, some, &order)?
                    }
                };
                sum = sum + part;
            }
            relevances.push(sum);
        }
        let relevance = AnyTensor::from(Tensor::cat(relevances, 0)).reshape(&dims)?;
        Ok((Explanation::cat(codes), relevance))
    }

    /// The encoder at all roots between the places, if they are not more than the samples: then it
    /// runs for each of them once.
    fn kept_roots(&self, source: &Source<'_, B>, samples: usize) -> Result<Option<Node<'_, B>>> {
        let Source::Kept(roots, Root::Midway) = source else { return Ok(None) };
        let Some(table) = roots.midway() else { return Ok(None) };
        let [count, _] = table.dims();
        if count > samples || count > KEPT_BATCHES * self.question.batch_size {
            return Ok(None);
        }
        // Roots of empty clusters are NaN and never asked for.
        let none = transfer::is_nan(table.clone());
        let table = AnyTensor::from(table.mask_fill(none, 0.0));
        let table = table.reshape(&[&[count], self.sample.as_slice()].concat())?;
        Ok(Some(self.model.encoder.trace(Tape::new().input("input", table))?))
    }

    /// The competitors that count and have a root, sample by sample.
    fn competitors(
        &self,
        source: &Source<'_, B>,
        pass: &PoolingPass<B>,
        scores: Tensor<B, 2>,
    ) -> Vec<Competitor> {
        let width = self.model.n_clusters();
        let scores = transfer::download(scores);
        let rooted = |c, k| match source {
            Source::Kept(roots, _) => roots.has(c, k),
            Source::Given(_) => true,
        };
        counted(pass)
            .into_iter()
            .filter(|one| rooted(one.c, one.k))
            .map(|Counted { row, c, k, ratio }| {
                let contrast = scores[row * width + c] - scores[row * width + k];
                Competitor { row, pair: Pair { c, k }, ratio, contrast }
            })
            .collect()
    }

    /// The relevance of a block of samples from some of its competitors.
    fn chunk<'m>(
        &self,
        input: &Node<'m, B>,
        plan: &SecantPlan<'m, '_, B>,
        competitors: &[Competitor],
        order: &[usize],
    ) -> Result<Tensor<B, 2>> {
        let samples = input.value().dims()[0];
        let pairs: Vec<(usize, usize)> =
            competitors.iter().zip(order).map(|(one, root)| (one.row, *root)).collect();
        let (device, dtype) = (self.centroids.device(), self.centroids.dtype());
        let of =
            |clusters: Vec<usize>| self.centroids.clone().select(0, indices(&clusters, &device));
        let own = of(competitors.iter().map(|one| one.pair.c).collect());
        let other = of(competitors.iter().map(|one| one.pair.k).collect());
        let ratios = competitors.iter().map(|one| 2.0 * one.ratio).collect();
        let ratios = transfer::upload::<B, 2>(ratios, [competitors.len(), 1], &device, dtype);
        // The gradient of h_ck = 2 (μ_c − μ_k) z + ‖μ_k‖² − ‖μ_c‖² in the code.
        let multiplier = (own - other) * ratios;
        let found = plan.run_pairs(&pairs, multiplier)?;
        let found = transfer::untracked(found.of(input)?.rows());
        let mut marks = vec![0.0; samples * pairs.len()];
        for (at, (row, _)) in pairs.iter().enumerate() {
            marks[row * pairs.len() + at] = 1.0;
        }
        // Token ids may have another precision than the codes.
        let shape = [samples, pairs.len()];
        let marks = transfer::upload::<B, 2>(marks, shape, &device, found.dtype());
        Ok(marks.matmul(found))
    }
}

/// The roots of competitors that are not kept on a tape.
struct Finder<'a, 'b, B: Backend, E> {
    pass: &'a Pass<'b, B, E>,
    source: &'a Source<'a, B>,
    /// Places and medoids with their scores, once they are needed.
    places: Option<Places<B>>,
}

impl<'a, 'b, B: Backend, E: Module<B> + Relevance<B>> Finder<'a, 'b, B, E> {
    fn new(pass: &'a Pass<'b, B, E>, source: &'a Source<'a, B>) -> Self {
        Self { pass, source, places: None }
    }

    /// The roots of some competitors, and which of them each has.
    fn roots_of(
        &mut self,
        competitors: &[Competitor],
        x: &Tensor<B, 2>,
        start: usize,
    ) -> Result<(Tensor<B, 2>, Vec<usize>)> {
        let clusters = self.pass.model.n_clusters();
        let index = |one: &Competitor| pair_index(one.pair.c, one.pair.k, clusters);
        match self.source {
            Source::Given(roots) => Ok(distinct(roots, competitors, |one| start + one.row)),
            Source::Kept(roots, Root::Midway) => match roots.midway() {
                Some(table) => Ok(distinct(&table, competitors, index)),
                None => self.searched(roots, None, competitors, x),
            },
            Source::Kept(roots, root) => self.searched(roots, Some(root.lambda()), competitors, x),
        }
    }

    /// Roots that are sought on their lines, one for every competitor.
    fn searched(
        &mut self,
        roots: &Roots<B>,
        lambda: Option<f64>,
        competitors: &[Competitor],
        x: &Tensor<B, 2>,
    ) -> Result<(Tensor<B, 2>, Vec<usize>)> {
        let Pass { model, question, sample, .. } = self.pass;
        let search = Search::new(&model.encoder, &model.head, sample, question.batch_size)?;
        let places = match self.places.take() {
            Some(places) => places,
            None => search.places(roots)?,
        };
        let pairs: Vec<Pair> = competitors.iter().map(|one| one.pair).collect();
        let found = match lambda {
            None => search.midway(&places, &pairs)?,
            Some(lambda) => {
                let rows: Vec<usize> = competitors.iter().map(|one| one.row).collect();
                let samples = x.clone().select(0, indices(&rows, &x.device()));
                let contrasts: Vec<f64> = competitors.iter().map(|one| one.contrast).collect();
                search.towards(&places, lambda, &samples, &contrasts, &pairs)?
            }
        };
        self.places = Some(places);
        Ok((found, (0..competitors.len()).collect()))
    }
}

/// The rows of a table that competitors need, each once, and which of them each has.
fn distinct<B: Backend>(
    table: &Tensor<B, 2>,
    competitors: &[Competitor],
    row: impl Fn(&Competitor) -> usize,
) -> (Tensor<B, 2>, Vec<usize>) {
    let wanted: Vec<usize> = competitors.iter().map(row).collect();
    let mut rows = wanted.clone();
    rows.sort_unstable();
    rows.dedup();
    let order = wanted.iter().map(|row| rows.binary_search(row).unwrap_or_default()).collect();
    (table.clone().select(0, indices(&rows, &table.device())), order)
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// Whether the encoder can run the secant pass, on one input.
    pub(super) fn check_secants(&self, x: &AnyTensor<B>) -> Result<()> {
        let (tape, roots) = (Tape::new(), Tape::new());
        let one = x.samples(0..1)?;
        let output = self.encoder.trace(tape.input("input", one.clone()))?;
        output.secant_plan(&self.encoder.trace(roots.input("input", one))?)?;
        Ok(())
    }
}
