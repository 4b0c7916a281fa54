//! An encoder with a k-means clustering of its codes, in one module.

use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Int, Tensor};
use burn_lrp::{AnyTensor, Relevance};

use crate::cluster::KMeans;
use crate::data::AtomicFile;
use crate::deep::DeepQuestion;
use crate::deep::codes::encoded;
use crate::deep::roots::{Collector, Roots};
use crate::error::{Error, Result};
use crate::load::{self, Load};
use crate::network::{Network, NeuralizedKMeans};
use crate::record;

/// A neural encoder with a k-means clustering of its codes, in one module.
///
/// The encoder runs in inference mode on every backend: without dropout, and with
/// running statistics in normalisations.
///
/// ```
/// use burn::backend::Flex;
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig, Relu};
/// use burn::tensor::{Distribution, Tensor, backend::Backend};
/// use burn_lrp::{Node, Relevance};
/// use neuralize::cluster::KMeans;
/// use neuralize::deep::{DeepKMeans, DeepQuestion};
///
/// #[derive(Module, Debug)]
/// struct Encoder<B: Backend> {
///     linear: Linear<B>,
/// }
///
/// impl<B: Backend> Relevance<B> for Encoder<B> {
///     fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
///         x.then("linear", &self.linear)?.then("relu", &Relu)
///     }
/// }
///
/// let device = Default::default();
/// let encoder = Encoder { linear: LinearConfig::new(3, 2).with_bias(false).init(&device) };
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [1.0, 1.0]], &device);
/// let model = DeepKMeans::new(encoder, KMeans::from_centroids(centroids)?);
///
/// // Inputs of every cluster, so that the model knows where its boundaries are.
/// let data = Tensor::<Flex, 2>::random([50, 3], Distribution::Uniform(-1.0, 1.0), &device);
/// let model = model.with_roots([data])?;
///
/// let x = Tensor::<Flex, 2>::from_data([[0.1, 0.9, 0.3], [0.8, 0.2, 0.7]], &device);
/// let question = DeepQuestion::default().with_beta(1.0);
/// let explanation = model.explain(&x, &question)?;
/// assert_eq!(explanation.relevance.dims(), [2, 3]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct DeepKMeans<B: Backend, E> {
    /// The network from inputs to codes.
    pub(crate) encoder: E,
    /// The clustering of codes.
    pub(crate) head: KMeans<B>,
    /// Where the clusters lie in the input; `None` where no inputs have been seen.
    pub(crate) roots: Option<Roots<B>>,
}

impl<B: Backend, E: Module<B>> DeepKMeans<B, E> {
    /// An encoder and a clustering of its codes; [`fit`](Self::fit) finds one. The secant pass, by
    /// which a deep k-means is explained by default, needs [`with_roots`](Self::with_roots).
    pub fn new(encoder: E, head: KMeans<B>) -> Self {
        // Burn initialises a parameter again in every clone if it has not been read before.
        let _ = encoder.num_params();
        Self { encoder, head, roots: None }
    }

    /// The encoder and the clustering of its codes.
    pub fn into_parts(self) -> (E, KMeans<B>) {
        (self.encoder, self.head)
    }

    /// The network from inputs to codes.
    pub fn encoder(&self) -> &E {
        &self.encoder
    }

    /// The clustering of codes.
    pub fn head(&self) -> &KMeans<B> {
        &self.head
    }

    /// The number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.head.n_clusters()
    }

    /// The clustering of codes as a network.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<NeuralizedKMeans<B>> {
        self.head.neuralize()
    }

    /// Checks a model that Burn has loaded.
    ///
    /// # Errors
    ///
    /// If the shapes or the values of the clustering are unusable.
    pub fn checked(self) -> Result<Self> {
        let roots = self.roots.map(load::check).transpose()?;
        let head = self.head.checked()?;
        if let Some(roots) = &roots {
            roots.check(head.n_clusters()).map_err(|detail| Error::Record { detail })?;
        }
        Ok(Self { head, roots, ..self })
    }

    /// Whether the model knows where its clusters lie in the input, as a secant pass needs.
    pub fn has_roots(&self) -> bool {
        self.roots.is_some()
    }

    /// The same model with room for roots in its record: a template for a record of a model with
    /// roots, that Burn loads as a part of another module.
    ///
    /// # Shapes
    ///
    /// - sample: that of an input, without the dimension of samples
    pub fn with_blank_roots(self, sample: &[usize], device: &B::Device) -> Self {
        let roots = Roots::unloaded(self.n_clusters(), sample, device);
        Self { roots: Some(roots), ..self }
    }
}

impl<B: AutodiffBackend, E: Module<B>> DeepKMeans<B, E> {
    /// The same model with a clustering that is [trained](KMeans::trainable) with the encoder,
    /// whose parameters are trained as far as they require gradients. Losses are in
    /// [`train`](crate::train); [`encoder`](Self::encoder) and [`head`](Self::head) give what they
    /// need.
    ///
    /// Roots do not follow a model that is trained, so it has none:
    /// [`with_roots`](Self::with_roots) finds those of the trained one.
    pub fn trainable(self) -> Self {
        Self { head: self.head.trainable(), roots: None, ..self }
    }
}

impl<B: Backend, E: Module<B> + ModuleDisplay> DeepKMeans<B, E> {
    /// Saves encoder, clustering and roots as one burnpack file, in full precision. An interrupted
    /// run leaves an older file unchanged.
    ///
    /// Roots hold the medoid of every cluster, which is one of the inputs.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = record::burnpack_bytes::<B, _>(self);
        AtomicFile::write(path, &bytes.map_err(|detail| Error::model(path, detail))?)
    }

    /// Loads a file of [`save`](Self::save) into an encoder of the same architecture, in
    /// the given precision.
    ///
    /// # Errors
    ///
    /// If the file is missing, truncated or not a burnpack file, its tensors
    /// are not exactly those of the encoder, a clustering and, if it has them, roots (by name and shape), or the
    /// values of the clustering are unusable.
    pub fn load(
        path: impl AsRef<Path>,
        encoder: E,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let loaded = record::module_from_burnpack(bytes, dtype, |shapes| {
            let head = <KMeans<B> as Load<B>>::blank(&shapes.under("head"), device, dtype)?;
            let shapes = shapes.under("roots");
            let roots = shapes.has("places").then(|| Load::blank(&shapes, device, dtype));
            Ok(Self { roots: roots.transpose()?, ..Self::new(encoder, head) })
        });
        loaded
            .and_then(|model: Self| {
                let head: KMeans<B> = Load::checked(model.head)?;
                if let Some(roots) = &model.roots {
                    roots.check(head.n_clusters())?;
                }
                Ok(Self { head, ..model })
            })
            .map_err(|detail| Error::model(path, format!("is not a usable deep k-means: {detail}")))
    }
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// The same model with the roots of its secant pass, from inputs that come in batches: where
    /// every cluster lies in the input, and for every pair of clusters a point on the boundary
    /// between them. They are saved with the model.
    ///
    /// Every batch is encoded once; a few more runs of the encoder find the boundary.
    ///
    /// # Shapes
    ///
    /// - every batch: `[n, ..]`, what the encoder takes
    ///
    /// # Errors
    ///
    /// If there is no batch, the encoder cannot take one, or inputs are token ids or differ in
    /// shape.
    pub fn with_roots<X: Into<AnyTensor<B>>>(
        self,
        batches: impl IntoIterator<Item = X>,
    ) -> Result<Self> {
        match self.roots_among(batches, None)? {
            (_, 0) => Err(Error::Empty { what: "the data" }),
            (Some(roots), _) => Ok(Self { roots: Some(roots), ..self }),
            (None, _) => Err(Error::NoRoots),
        }
    }

    /// The roots from inputs, and the number of inputs, of which there are at most `most`. There are
    /// no roots between token ids or between inputs of different shapes.
    pub(super) fn roots_among<X: Into<AnyTensor<B>>>(
        &self,
        batches: impl IntoIterator<Item = X>,
        most: Option<usize>,
    ) -> Result<(Option<Roots<B>>, usize)> {
        let mut collector = Collector::new(self.n_clusters());
        let mut rows = 0;
        for batch in batches {
            let batch = batch.into();
            rows += batch.dims().first().copied().unwrap_or(0);
            if most.is_some_and(|most| rows > most) {
                return Ok((None, rows));
            }
            if collector.wants(&batch, &self.encoder)? {
                collector.add(&batch, &self.codes(batch.clone())?, &self.head)?;
            }
        }
        let batch_size = DeepQuestion::default().batch_size;
        Ok((collector.finish(&self.encoder, &self.head, batch_size)?, rows))
    }

    /// The codes of inputs, encoded block by block.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`, what the encoder takes
    /// - output: `[N, D]`
    ///
    /// # Errors
    ///
    /// If the encoder cannot take x, or its output is not `[N, D]` with the D of the
    /// clustering.
    pub fn codes(&self, x: impl Into<AnyTensor<B>>) -> Result<Tensor<B, 2>> {
        let codes = encoded(&self.encoder, &x.into(), DeepQuestion::default().batch_size)?;
        let [rows, width] = codes.dims();
        if width == self.head.n_features() {
            Ok(codes)
        } else {
            let expected = format!("[samples, {}]", self.head.n_features());
            Err(Error::shape("the table of codes", expected, &[rows, width]))
        }
    }

    /// The cluster of every input.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// As [`codes`](Self::codes), and if codes are not finite.
    pub fn predict(&self, x: impl Into<AnyTensor<B>>) -> Result<Tensor<B, 1, Int>> {
        self.head.predict(&self.codes(x)?)
    }

    /// The cluster of every input with its logit.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`
    /// - output: `[N]` and `[N]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict), and if there is only one cluster.
    pub fn predict_with_logit(
        &self,
        x: impl Into<AnyTensor<B>>,
    ) -> Result<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
        self.neuralize()?.predict_with_logit(&self.codes(x)?)
    }
}
