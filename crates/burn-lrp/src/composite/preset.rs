//! Composites that the literature recommends.

use crate::composite::entries::Composite;
use crate::composite::selector::Selector;
use crate::error::Result;
use crate::kind::Family;
use crate::rule::Rule;

const DENSE: Selector = Selector::Family(Family::Dense);
const CONVOLUTION: Selector = Selector::Family(Family::Convolution);

impl Composite {
    /// LRP-ε on dense layers: for networks on tables of numbers.
    ///
    /// Source: Bach et al. 2015. LRP-ε keeps the signs of contributions, and a table has few
    /// columns, so that there is little noise to smooth away.
    pub fn tabular() -> Self {
        Self::new().with(DENSE, Rule::EPSILON)
    }

    /// For networks on images whose pixels lie between `low` and `high`: z^B on the first
    /// convolution, LRP-γ with γ = 0.25 on the others, LRP-ε on dense layers.
    ///
    /// Source: Montavon et al. 2019, "Layer-Wise Relevance Propagation: An Overview". In
    /// zennit, it is `EpsilonGammaBox`.
    ///
    /// # Errors
    ///
    /// If the bounds are not finite, or low is not below high.
    pub fn image(low: f64, high: f64) -> Result<Self> {
        Ok(Self::convolutional(Rule::bounded(low, high)?))
    }

    /// For networks on images without common bounds, such as pixels that are
    /// standardised channel by channel: as [`image`](Self::image), with w² on the first
    /// convolution.
    ///
    /// Sources: Montavon et al. 2017 for w², the deep Taylor rule for real inputs without
    /// bounds; Montavon et al. 2019 for the other layers.
    pub fn image_unbounded() -> Self {
        Self::convolutional(Rule::W_SQUARE)
    }

    fn convolutional(input: Rule) -> Self {
        Self::new()
            .with(CONVOLUTION.first(), input)
            .with(CONVOLUTION, Rule::GAMMA)
            .with(DENSE, Rule::EPSILON)
    }

    /// Zennit's composite of this name, the same as [`image`](Self::image).
    ///
    /// Source: Anders et al. 2021.
    ///
    /// # Errors
    ///
    /// If the bounds are not finite, or low is not below high.
    pub fn epsilon_gamma_box(low: f64, high: f64) -> Result<Self> {
        Self::image(low, high)
    }

    /// Zennit's composite of this name: flat on the first layer with weights, z⁺ on
    /// convolutions, LRP-ε on dense layers.
    ///
    /// Source: Anders et al. 2021, "Software for Dataset-wide XAI: From Local Explanations to
    /// Global Insights with Zennit, CoRelAy, and ViRelAy"; the composite itself goes back to
    /// Lapuschkin et al. 2019 and Kohlbrenner et al. 2020.
    pub fn epsilon_plus_flat() -> Self {
        Self::new()
            .with(DENSE.or(CONVOLUTION).first(), Rule::FLAT)
            .with(CONVOLUTION, Rule::Z_PLUS)
            .with(DENSE, Rule::EPSILON)
    }

    /// For transformers: LRP-ε on dense layers and on normalisations that take a mean, relevance
    /// passed on by `RmsNorm`, halves to the factors of products in attention.
    ///
    /// Source: Achtibat et al. 2024, "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for
    /// Transformers".
    pub fn transformer() -> Self {
        Self::new()
            .with(DENSE, Rule::EPSILON)
            .with(Selector::kind("RmsNorm"), Rule::PASS)
            .with(Selector::Family(Family::Normalization), Rule::EPSILON)
            .with(Selector::Family(Family::Attention), Rule::HALVES)
    }
}
