use anyhow::{Result, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use neuralize::cluster::match_to_classes;
use neuralize::data::{Scale, Scaler, TableOptions};
use neuralize::record::{Model, ModelInfo};

use crate::args::{FitArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::methods::{self, Outcome};
use crate::command::stream::{self, RAW, SCALED, in_file, note_coarse};
use crate::input;
use crate::progress::Bar;

impl Job for FitArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        if self.clusters < 2 {
            let text = format!(
                "--clusters {}: an assignment can only be explained against another cluster; ask for 2 or more",
                self.clusters
            );
            return Err(Usage(text).into());
        }
        self.check_method()?;
        let mut options = session.table();
        if let Some(label) = &self.label {
            options = options.with_label(label);
        }
        for column in &self.drop {
            options = options.with_dropped(column);
        }
        if self.stream {
            if input::is_fleeting(&self.data) {
                let text = format!(
                    "--stream goes through the data several times, which {} gives only once; leave it out, or give a file",
                    input::name(&self.data)
                );
                return Err(Usage(text).into());
            }
            return fit_stream(&self, session, &options);
        }
        let table = input::open(&self.data, &options)?.read_all()?;
        if table.rows() == 0 {
            bail!("{}: there is no row below the header", input::name(&self.data));
        }
        note_coarse(session, &table);

        let scale = Scale::from(self.scale);
        let scaled = table.to_tensor::<B>(&session.device, session.dtype).and_then(|x| {
            let scaler = scale.fit(&x)?;
            Ok((scaler.transform(x)?, scaler))
        });
        let (scaled, scaler) = scaled
            .map_err(|error| in_file(error.into(), &self.data, table.features(), |row| row, RAW))?;
        let outcome = self.fit_to(&scaled, session).map_err(|error| {
            let what = if scale == Scale::None { RAW } else { SCALED };
            in_file(error.into(), &self.data, table.features(), |row| row, what)
        })?;
        let compared = table.classes().zip(outcome.labels.clone());
        let remark = compared.map(|((classes, names), labels)| {
            let matching = match_to_classes(&numbers(labels), &classes, self.clusters, names.len());
            format!(
                "clusters matched one to one with the {} classes agree for {} of {} rows",
                names.len(),
                matching.agreeing,
                table.rows(),
            )
        });
        save(&self, session, scaler, table.features().to_vec(), outcome, remark)
    }
}

/// A fit to a file that is never in memory as a whole: it is read once for the
/// scaler, twice for the fit, and once for every iteration.
fn fit_stream<B: Backend>(
    args: &FitArgs,
    session: &Session<B>,
    options: &TableOptions,
) -> Result<()> {
    let scale = Scale::from(args.scale);
    let mut scaler = scale.start::<B>();
    let (mut features, mut rows) = (Vec::new(), 0);
    stream::tables(&args.data, options, args.clusters, |first, table| {
        if first == 0 {
            note_coarse(session, table);
            features = table.features().to_vec();
        }
        rows = first + table.rows();
        let x = table.to_tensor::<B>(&session.device, session.dtype);
        x.and_then(|x| scaler.add(&x))
            .map_err(|error| in_file(error.into(), &args.data, &features, |row| first + row, RAW))
    })?;
    if rows == 0 {
        bail!("{}: there is no row below the header", input::name(&args.data));
    }
    let scaler = scaler.finish()?;

    let mut bar: Option<Bar> = None;
    let fit = args.kmeans().fit_parts::<B, anyhow::Error>(
        |visit| {
            stream::tables(&args.data, options, args.clusters, |first, table| {
                let x = table.to_tensor::<B>(&session.device, session.dtype)?;
                visit(scaler.transform(x)?).map_err(|error| {
                    in_file(error, &args.data, &features, |row| first + row, SCALED)
                })
            })
        },
        |progress| {
            let bar = bar.get_or_insert_with(|| Bar::restarts(1, session.quiet));
            bar.set(0, || methods::describe(progress));
        },
    )?;
    drop(bar);

    let remark = args
        .label
        .as_ref()
        .map(|_| "note: with --stream clusters are not compared with classes".to_owned());
    save(args, session, scaler, features, args.streamed(fit), remark)
}

/// Saves the model and says what it is.
fn save<B: Backend>(
    args: &FitArgs,
    session: &Session<B>,
    scaler: Scaler<B>,
    features: Vec<String>,
    outcome: Outcome<B>,
    remark: Option<String>,
) -> Result<()> {
    let Outcome { clusterer, info, found, left_out, .. } = outcome;
    let info = ModelInfo { features, ..info };
    let summary = format!(
        "{} rows of {} features in {} clusters of {}; {found}{}",
        info.rows.unwrap_or_default(),
        info.features.len(),
        args.clusters,
        listed(info.sizes.as_deref().unwrap_or_default()),
        match info.converged {
            Some(false) => ", not converged: raise --max-iter",
            _ => "",
        },
    );
    let agreement = info.agreement;
    Model::new(scaler, clusterer, info)?.save(&args.model)?;
    session.note(summary);
    if let Some(remark) = remark {
        session.note(remark);
    }
    if let Some(agreement) = agreement {
        note_agreement(session, agreement, left_out);
    }
    session.note(format!("model saved to {}", args.model.display()));
    Ok(())
}

/// Says how often the network that explains gives the clusters that were given
/// to it.
pub(super) fn note_agreement<B: Backend>(session: &Session<B>, agreement: f64, left_out: bool) {
    const ENOUGH: f64 = 0.95;
    let share = 100.0 * agreement;
    let how = if left_out {
        ", a row's own support left out"
    } else {
        " (which its prototypes have seen)"
    };
    session.note(if agreement < ENOUGH { format!(
            "warning: the network gives a row its cluster for {share:.2} % of the rows only{how}: explanations are about the \
             network's clusters, and near others these differ; another --gamma or another --scale may help"
        ) } else { format!("the network gives a row its cluster for {share:.2} % of the rows{how}") });
}

/// `55, 61, 62`; of many the first.
pub(super) fn listed<T: ToString>(items: &[T]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = items.iter().take(SHOWN).map(T::to_string).collect();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Labels on the host.
pub(super) fn numbers<B: Backend>(labels: Tensor<B, 1, Int>) -> Vec<usize> {
    labels.into_data().iter::<i64>().map(|label| label as usize).collect()
}
