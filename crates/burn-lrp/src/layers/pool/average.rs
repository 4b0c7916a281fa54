//! Average pooling and adaptive average pooling.

use burn::nn::pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d};
use burn::tensor::backend::Backend;
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d};

use crate::affine::{Affine, affine_rules_and};
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::layers::pool::window_sum::{WindowSum, image, image_dims, unimage};
use crate::layers::pool::windows::{Settings, Windows, along_width};
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::space::{padding_1d, padding_2d};
use crate::{affine, leaf};

const RULES: &[RuleName] = &affine_rules_and(RuleName::Proportional);

/// A layer that averages windows.
struct AveragePooling {
    windows: Windows,
    /// `None` for adaptive pooling.
    settings: Option<Settings>,
    /// Whether padding counts as zeros to average over.
    counts_padding: bool,
}

impl AveragePooling {
    fn forward<B: Backend>(&self, image: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let output = match &self.settings {
            Some(settings) => avg_pool2d(
                settings.uneven(image, 0.0).tensor()?,
                settings.kernel,
                settings.stride,
                settings.remaining(),
                self.counts_padding,
                settings.ceil,
            ),
            None => adaptive_avg_pool2d(image.tensor()?, self.windows.output()),
        };
        Ok(output.into())
    }

    fn relevance<B: Backend>(
        self,
        step: &Step<'_, B>,
        rule: &Rule,
        space: usize,
    ) -> Result<Redistribution<B>> {
        let x = step.input()?;
        let input = image("pooling", x, space)?;
        let [height, width] = self.windows.output();
        let dims = input.dims();
        let output = [dims[0], dims[1], height, width];
        let weight = self.windows.shares(self.counts_padding, x);
        let layer = WindowSum { weight, windows: self.windows };
        let (inputs, of_output) = ([input], step.output.reshape(&output)?);
        let relevance = step.relevance.reshape(&output)?;
        let as_image = Step::new(&inputs, &of_output, &relevance).with_report(step.report);
        let found = affine::relevance(&layer, &as_image, rule)?;
        let inputs = found.inputs.iter().map(|r| unimage(r, space)).collect();
        Ok(Redistribution { inputs, bias: found.bias })
    }

    fn secant<B: Backend>(
        self,
        step: &SecantStep<'_, B>,
        dims: &[usize],
        space: usize,
    ) -> Result<Vec<AnyTensor<B>>> {
        let [height, width] = self.windows.output();
        let m = step.multiplier().reshape(&[dims[0], dims[1], height, width])?;
        let weight = self.windows.shares(self.counts_padding, &m);
        let layer = WindowSum { weight, windows: self.windows };
        Ok(vec![unimage(&layer.adjoint(&m, &layer.weight, dims)?, space)])
    }
}

macro_rules! average {
    ($layer:ident, $space:literal, |$this:ident, $size:ident| $average:expr) => {
        /// An average is an affine layer whose weights are one over the size of a window, and
        /// follows all rules of affine layers; `proportional` is its LRP-0.
        impl<B: Backend> Layer<B> for $layer {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Pooling)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let ($this, image) = (self, image(stringify!($layer), only(inputs)?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let average: AveragePooling = $average?;
                Ok(unimage(&average.forward(&image)?, $space))
            }

            fn rules(&self) -> &'static [RuleName] {
                RULES
            }

            fn default_rule(&self) -> Rule {
                Rule::EPSILON
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
                let ($this, image) = (self, image(stringify!($layer), step.input()?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let average: AveragePooling = $average?;
                average.relevance(step, rule, $space)
            }

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
                let ($this, dims) = (self, image_dims(stringify!($layer), step.dims(0)?, $space)?);
                let $size = [dims[2], dims[3]];
                let average: AveragePooling = $average?;
                average.secant(step, &dims, $space)
            }
        }

        leaf!($layer);
    };
}

fn regular(
    name: &str,
    settings: Settings,
    size: [usize; 2],
    counts: bool,
) -> Result<AveragePooling> {
    // Uneven padding becomes a part of the image that Burn averages.
    let counts_padding = counts || !settings.symmetric();
    let windows = settings.windows(name, size, counts_padding)?;
    Ok(AveragePooling { windows, settings: Some(settings), counts_padding })
}

fn adaptive(name: &str, input: [usize; 2], output: [usize; 2]) -> Result<AveragePooling> {
    if output.contains(&0) {
        return Err(Error::layer(name, "the size of the output must be at least 1"));
    }
    let windows = Windows::Adaptive { input, output };
    Ok(AveragePooling { windows, settings: None, counts_padding: false })
}

average!(AvgPool1d, 1, |layer, size| {
    let settings = Settings {
        kernel: [1, layer.kernel_size],
        stride: [1, layer.stride],
        dilation: [1, 1],
        padding: along_width(padding_1d(
            &layer.padding,
            [size[1]],
            [layer.kernel_size],
            [layer.stride],
        )),
        ceil: layer.ceil_mode,
    };
    regular("AvgPool1d", settings, size, layer.count_include_pad)
});

average!(AvgPool2d, 2, |layer, size| {
    let settings = Settings {
        kernel: layer.kernel_size,
        stride: layer.stride,
        dilation: [1, 1],
        padding: padding_2d(&layer.padding, size, layer.kernel_size, layer.stride),
        ceil: layer.ceil_mode,
    };
    regular("AvgPool2d", settings, size, layer.count_include_pad)
});

average!(AdaptiveAvgPool1d, 1, |layer, size| adaptive(
    "AdaptiveAvgPool1d",
    size,
    [1, layer.output_size]
));

average!(AdaptiveAvgPool2d, 2, |layer, size| adaptive(
    "AdaptiveAvgPool2d",
    size,
    layer.output_size
));
