//! Which rule goes where: plans as they print themselves, presets, and what does not fit.

use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::nn::transformer::{TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{BatchNormConfig, LinearConfig, Relu, RmsNormConfig};
use burn::tensor::backend::Backend;
use burn_lrp::module::{Residual, Sequential};
use burn_lrp::{Composite, Error, Flatten, Relevance, RuleName, Selector, Tape};

use super::setup::{Setup, values};

/// Convolutions with a normalisation, both poolings and a skip connection; dense layers.
fn images<B: Backend>(setup: &Setup<B>) -> impl Relevance<B> + use<B> {
    let device = &setup.device;
    let conv = |inputs, outputs| {
        setup.filled(1, Conv2dConfig::new([inputs, outputs], [1, 1]).init::<B>(device))
    };
    let mut norm = setup.filled(2, BatchNormConfig::new(2).init::<B>(device));
    norm.running_var = burn::module::RunningState::new(setup.tensor(6, [2]).abs() + 0.1);
    let linear = |inputs| setup.filled(3, LinearConfig::new(inputs, 2).init::<B>(device));
    (
        (conv(1, 2), norm, Relu::new()),
        MaxPool2dConfig::new([2, 2]).init(),
        Residual::new(conv(2, 2)),
        AvgPool2dConfig::new([2, 2]).init(),
        Sequential::new((Flatten::default(), linear(2), Relu::new(), linear(2))),
    )
}

fn plan<B: Backend>(
    setup: &Setup<B>,
    net: &dyn Relevance<B>,
    composite: &Composite,
) -> Result<(String, Vec<(String, RuleName)>), Error> {
    let tape = Tape::new();
    let input = tape.input("x", setup.tensor::<4>(4, [2, 1, 4, 4]));
    let output = input.then("net", net)?;
    let plan = output.plan(composite)?;
    // A plan that is made can be run.
    let relevance = plan.run(output.value().clone())?.of(&input)?;
    assert!(values(&relevance).iter().all(|value| value.is_finite()));
    let rules = plan.layers().iter().map(|layer| (layer.path.clone(), layer.rule.name()));
    Ok((plan.to_string(), rules.collect()))
}

pub fn plan_prints_itself<B: Backend>(setup: &Setup<B>) {
    let net = images(setup);
    let image = Composite::image(-1.0, 1.0).unwrap();
    let (text, _) = plan(setup, &net, &image).unwrap();
    let expected = "\
net.0.0 + net.0.1  Conv2d     box=-1,1
net.0.2            Relu       pass
net.1              MaxPool2d  winner-take-all
net.2.inner        Conv2d     gamma=0.25
net.2.add          Add        epsilon=1e-6
net.3              AvgPool2d  epsilon=1e-6
net.4.0            Flatten    pass
net.4.1            Linear     epsilon=1e-6
net.4.2            Relu       pass
net.4.3            Linear     epsilon=1e-6
";
    assert_eq!(text, expected);

    let (text, _) = plan(setup, &net, &image.with_merged_normalization(false)).unwrap();
    let first = "\
net.0.0      Conv2d     box=-1,1
net.0.1      BatchNorm  epsilon=1e-6
net.0.2      Relu       pass
";
    assert!(text.starts_with(first), "{text}");
}

pub fn presets_fit_their_networks<B: Backend>(setup: &Setup<B>) {
    let dense = |inputs| setup.filled(5, LinearConfig::new(inputs, 3).init::<B>(&setup.device));
    let table = (Flatten::default(), dense(16), Relu::new(), dense(3));
    let presets = [
        ("tabular", Composite::tabular()),
        ("image", Composite::image(-1.0, 1.0).unwrap()),
        ("image_unbounded", Composite::image_unbounded()),
        ("epsilon_gamma_box", Composite::epsilon_gamma_box(-1.0, 1.0).unwrap()),
        ("epsilon_plus_flat", Composite::epsilon_plus_flat()),
        ("transformer", Composite::transformer()),
    ];
    let network = images(setup);
    for (name, preset) in presets {
        for composite in [preset.clone(), preset.clone().with_merged_normalization(false)] {
            for net in [&network as &dyn Relevance<B>, &table] {
                plan(setup, net, &composite).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        let rules = |net: &dyn Relevance<B>| plan(setup, net, &preset).unwrap().1;
        let of = |rules: &[(String, RuleName)], path: &str| {
            rules.iter().find(|(at, _)| at == path).map(|(_, rule)| *rule).unwrap()
        };
        let (first, further) = match name {
            "image" | "epsilon_gamma_box" => (RuleName::Box, RuleName::Gamma),
            "image_unbounded" => (RuleName::WSquare, RuleName::Gamma),
            "epsilon_plus_flat" => (RuleName::Flat, RuleName::ZPlus),
            _ => (RuleName::Epsilon, RuleName::Epsilon),
        };
        let found = rules(&network);
        assert_eq!(of(&found, "net.0.0"), first, "{name}");
        assert_eq!(of(&found, "net.2.inner"), further, "{name}");
        assert_eq!(of(&found, "net.4.1"), RuleName::Epsilon, "{name}");
        let found = rules(&table);
        let flat = name == "epsilon_plus_flat";
        let first = if flat { RuleName::Flat } else { RuleName::Epsilon };
        assert_eq!(of(&found, "net.1"), first, "{name}");
        assert_eq!(of(&found, "net.3"), RuleName::Epsilon, "{name}");
        let read: Composite = preset.to_string().parse().unwrap();
        assert_eq!(read, preset, "{name}");
    }
    assert!(Composite::image(1.0, 1.0).is_err());
}

/// The rules of a transformer, which are those by default.
pub fn rules_of_transformers<B: Backend>(setup: &Setup<B>) {
    let config = TransformerEncoderConfig::new(4, 8, 2, 1).with_norm_first(true);
    let net = setup.filled(6, config.init::<B>(&setup.device));
    let rms = setup.filled(7, RmsNormConfig::new(4).init::<B>(&setup.device));
    let tape = Tape::new();
    let output = tape.input("x", setup.tensor::<3>(8, [2, 3, 4])).then("net", &net).unwrap();
    let output = output.then("rms", &rms).unwrap();
    let plans = [Composite::transformer(), Composite::default()]
        .map(|composite| output.plan(&composite).unwrap().to_string());
    for (layer, rule) in [
        ("net.layers.0.norm_2 ", "epsilon=1e-6"),
        ("net.layers.0.mha.query ", "epsilon=1e-6"),
        ("net.layers.0.mha.attention ", "halves"),
        ("net.layers.0.add ", "epsilon=1e-6"),
        ("rms ", "pass"),
    ] {
        let line = plans[0].lines().find(|line| line.starts_with(layer)).unwrap();
        assert!(line.ends_with(rule), "{line}");
    }
    assert_eq!(plans[0], plans[1]);
    let x = setup.tensor::<3>(8, [2, 3, 4]);
    let size_four_heads = TransformerEncoderConfig::new(8, 8, 2, 1);
    let exact = setup.filled(6, size_four_heads.init::<B>(&setup.device));
    let wide = setup.tensor::<3>(8, [2, 3, 8]);
    let own = |x| exact.forward(TransformerEncoderInput::new(x));
    burn_lrp::verify(&exact, wide.clone(), own).unwrap();
    let error = burn_lrp::verify(&net, x, |x| x * 2.0).unwrap_err().to_string();
    assert!(error.contains("element 0") && error.contains("`trace`"), "{error}");
    assert!(burn_lrp::verify(&exact, wide, |x| x.narrow(2, 0, 4)).is_err());
}

/// A rule that cannot be used names its layer.
pub fn a_box_names_its_layer<B: Backend>(setup: &Setup<B>) {
    let net = images(setup);
    let composite = "first(kind:Conv2d) -> box=0,0.5".parse().unwrap();
    let error = plan(setup, &net, &composite).unwrap_err().to_string();
    assert!(error.contains("box=0,0.5") && error.contains("net.0.0"), "{error}");
}

pub fn unsupported_all_at_once<B: Backend>(setup: &Setup<B>) {
    let net = images(setup);
    let composite = "first(kind:Relu) -> zero; path:net.1 -> gamma=0.5; path:net.4.0 -> flat; \
                     last(kind:Conv2d) -> gamma=0.5";
    let refused = plan(setup, &net, &composite.parse().unwrap()).unwrap_err();
    let expected = "\
the composite does not fit the network:
  `net.0.2` (Relu) has no rule `zero`; it has pass
  `net.1` (MaxPool2d) has no rule `gamma=0.5`; it has winner-take-all, proportional, epsilon
  `net.4.0` (Flatten) has no rule `flat`; it has pass";
    assert_eq!(refused.to_string(), expected);
}

pub fn names_that_are_not_there<B: Backend>(setup: &Setup<B>) {
    let net = images(setup);
    let refused = |text: &str| {
        let composite = text.parse().unwrap();
        plan(setup, &net, &composite).unwrap_err().to_string()
    };
    let expected = "\
the composite does not fit the network:
  `path:net.2.iner` chooses no layer; the network has the paths `net.2.inner`, `net.2.add`, `net.0.0`, `net.0.2`, `net.4.0`, ..
  `first(kind:conv2d)` chooses no layer; the network has the kinds `Conv2d`, `Add`, `Linear`, `Relu`, `MaxPool2d`, ..
  `path:net.0.1` chooses no layer; `net.0.1` is merged into `net.0.0`; `merge-normalization=false` keeps it a layer";
    let found = refused(
        "path:net.2.iner -> epsilon; first(kind:conv2d) -> epsilon; path:net.0.1 -> epsilon
         family:recurrent -> epsilon; path:net.** -> pass",
    );
    assert_eq!(found, expected);

    // Families and kinds may be missing; a path may be there and be taken.
    let composite: Composite = "
        family:recurrent -> epsilon
        kind:BatchNorm -> epsilon
        or(kind:Conv1d, kind:Conv2d) -> gamma=1
        path:net.2.inner -> epsilon
    "
    .parse()
    .unwrap();
    let tape = Tape::new();
    let output = tape.input("x", setup.tensor::<4>(4, [2, 1, 4, 4])).then("net", &net).unwrap();
    let plan = output.plan(&composite).unwrap();
    let unused: Vec<&Selector> = plan.unused().iter().map(|(selector, _)| selector).collect();
    assert_eq!(unused, [0, 1, 3].map(|at| &composite.entries()[at].0));
}
