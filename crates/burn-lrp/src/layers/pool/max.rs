//! Max pooling.

use burn::nn::pool::{MaxPool1d, MaxPool2d};
use burn::tensor::backend::Backend;
use burn::tensor::module::{max_pool2d, max_pool2d_with_indices};
use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorPrimitive};

use crate::affine::Affine;
use crate::any::AnyTensor;
use crate::error::Result;
use crate::formula::{Formula, RuleName};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::layers::pool::envelope::enveloped;
use crate::layers::pool::window_sum::{WindowSum, image, image_dims, unimage};
use crate::layers::pool::windows::{Settings, Windows, along_width};
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::space::{padding_1d, padding_2d};
use crate::{affine, leaf};

struct MaxPooling<'a> {
    name: &'a str,
    settings: Settings,
}

impl MaxPooling<'_> {
    fn windows<B: Backend>(&self, image: &AnyTensor<B>) -> Result<Windows> {
        let dims = image.dims();
        self.settings.windows(self.name, [dims[2], dims[3]], false)
    }

    fn forward<B: Backend>(&self, image: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        self.windows(image)?;
        let Settings { kernel, stride, dilation, ceil, .. } = self.settings;
        let padded = self.settings.uneven(image, f64::NEG_INFINITY);
        let padding = self.settings.remaining();
        Ok(max_pool2d(padded.tensor()?, kernel, stride, padding, dilation, ceil).into())
    }

    fn relevance<B: Backend>(
        &self,
        step: &Step<'_, B>,
        rule: &Rule,
        space: usize,
    ) -> Result<Redistribution<B>> {
        let input = image(self.name, step.input()?, space)?;
        let windows = self.windows(&input)?;
        let [height, width] = windows.output();
        let dims = input.dims();
        let relevance = step.relevance.reshape(&[dims[0], dims[1], height, width])?;
        let found = match rule.formula() {
            Formula::Epsilon(_) | Formula::Proportional => {
                as_sum(windows, &input, &relevance, rule, step.report)?
            }
            _ => Redistribution::single(self.winner(&input, &relevance)?),
        };
        let inputs = found.inputs.iter().map(|r| unimage(r, space)).collect();
        Ok(Redistribution { inputs, bias: None })
    }

    /// Every element of a window gets its share of the straight way between the two places on which
    /// it is the largest.
    fn secant<B: Backend>(&self, step: &SecantStep<'_, B>, space: usize) -> Result<AnyTensor<B>> {
        let [x, root] = step.input(0)?;
        let (x, root) = (image(self.name, &x, space)?, image(self.name, &root, space)?);
        let windows = self.windows(&x)?;
        let [height, width] = windows.output();
        let dims = x.dims();
        let m = step.multiplier().reshape(&[dims[0], dims[1], height, width])?;
        Ok(unimage(&enveloped(&windows, [&x, &root], &m)?, space))
    }

    fn winner<B: Backend>(
        &self,
        image: &AnyTensor<B>,
        relevance: &AnyTensor<B>,
    ) -> Result<AnyTensor<B>> {
        let Settings { kernel, stride, dilation, ceil, .. } = self.settings;
        let padded: Tensor<B, 4> = self.settings.uneven(image, f64::NEG_INFINITY).tensor()?;
        let padding = self.settings.remaining();
        let (_, indices) =
            max_pool2d_with_indices(padded.clone(), kernel, stride, padding, dilation, ceil);
        let relevance: Tensor<B, 4> = relevance.tensor()?;
        // Autodiff backends do not have Burn's backward pass.
        let back = if B::ad_enabled(&padded.device()) {
            scattered(&padded, indices, relevance)
        } else {
            let back = B::max_pool2d_with_indices_backward(
                padded.into_primitive().tensor(),
                kernel,
                stride,
                padding,
                dilation,
                ceil,
                relevance.into_primitive().tensor(),
                indices.into_primitive(),
            );
            Tensor::from_primitive(TensorPrimitive::Float(back.x_grad))
        };
        if self.settings.symmetric() {
            return Ok(back.into());
        }
        let [(top, _), (left, _)] = self.settings.padding;
        let dims = image.dims();
        Ok(back.narrow(2, top, dims[2]).narrow(3, left, dims[3]).into())
    }
}

/// The relevance of every window, added at its largest element.
fn scattered<B: Backend>(
    image: &Tensor<B, 4>,
    indices: Tensor<B, 4, Int>,
    relevance: Tensor<B, 4>,
) -> Tensor<B, 4> {
    let [samples, channels, height, width] = image.dims();
    let [_, _, rows, columns] = relevance.dims();
    let windows = [samples * channels, rows * columns];
    let plane = [samples * channels, height * width];
    Tensor::<B, 2>::zeros(plane, (&image.device(), image.dtype()))
        .scatter(1, indices.reshape(windows), relevance.reshape(windows), IndexingUpdateOp::Add)
        .reshape([samples, channels, height, width])
}

/// The relevance as if the layer were the sum of its windows.
fn as_sum<B: Backend>(
    windows: Windows,
    image: &AnyTensor<B>,
    relevance: &AnyTensor<B>,
    rule: &Rule,
    report: bool,
) -> Result<Redistribution<B>> {
    let [height, width] = windows.output();
    let ones = Tensor::<B, 2>::ones([height, width], (&image.device(), image.dtype()));
    let layer = WindowSum { windows, weight: ones.into() };
    let output = layer.apply(image, &layer.weight)?;
    let inputs = std::slice::from_ref(image);
    let step = Step::new(inputs, &output, relevance).with_report(report);
    affine::relevance(&layer, &step, rule)
}

macro_rules! max_pool {
    ($layer:ident, $space:literal, |$this:ident, $size:ident| $settings:expr) => {
        /// The maximum of every window. `winner-take-all` gives all relevance to the element
        /// that Burn reports as the largest; `proportional` and `epsilon` treat the layer as
        /// the sum of its window, `R_j = Σ_k a_j / Σ_{i in k} a_i R_k` (Montavon et al.
        /// 2019).
        impl<B: Backend> Layer<B> for $layer {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Pooling)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let ($this, image) = (self, image(stringify!($layer), only(inputs)?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let pooling = MaxPooling { name: stringify!($layer), settings: $settings };
                Ok(unimage(&pooling.forward(&image)?, $space))
            }

            fn rules(&self) -> &'static [RuleName] {
                &[RuleName::WinnerTakeAll, RuleName::Proportional, RuleName::Epsilon]
            }

            fn default_rule(&self) -> Rule {
                Rule::WINNER_TAKE_ALL
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
                let ($this, image) = (self, image(stringify!($layer), step.input()?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let pooling = MaxPooling { name: stringify!($layer), settings: $settings };
                pooling.relevance(step, rule, $space)
            }

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
                let ($this, dims) = (self, image_dims(stringify!($layer), step.dims(0)?, $space)?);
                let $size = [dims[2], dims[3]];
                let pooling = MaxPooling { name: stringify!($layer), settings: $settings };
                Ok(vec![pooling.secant(step, $space)?])
            }
        }

        leaf!($layer);
    };
}

max_pool!(MaxPool1d, 1, |layer, size| Settings {
    kernel: [1, layer.kernel_size],
    stride: [1, layer.stride],
    dilation: [1, layer.dilation],
    padding: along_width(padding_1d(
        &layer.padding,
        [size[1]],
        [layer.kernel_size],
        [layer.stride],
    )),
    ceil: layer.ceil_mode,
});

max_pool!(MaxPool2d, 2, |layer, size| Settings {
    kernel: layer.kernel_size,
    stride: layer.stride,
    dilation: layer.dilation,
    padding: padding_2d(&layer.padding, size, layer.kernel_size, layer.stride),
    ceil: layer.ceil_mode,
});
