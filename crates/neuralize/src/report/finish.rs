//! Makes the page of a report from the collected data.

use std::collections::{BTreeSet, HashMap};

use burn::tensor::backend::Backend;

use super::builder::{KnownClasses, ReportBuilder};
use super::choice::{Choice, evenly};
use super::details::{Contrast, Details};
use super::listed::Listed;
use super::page::{Cluster, ModelFacts, Page, PlaneFacts, Report};
use super::profile::{PageProfile, Shown};
use super::trust::Trust;
use crate::baseline::CheckReport;
use crate::cases::{AbsorbedRelevance, Cases, Classes, Map};
use crate::data::{Kind, Plane, Table};
use crate::error::Result;
use crate::explain::{Beta, ClusterSummary, Target, part_title};
use crate::record::Model;
use crate::{kernel, transfer};

/// Features that are named for every listed point.
const STRONGEST: usize = 3;

impl Report {
    /// A report on a table whose columns are the features of the model, in its order.
    ///
    /// # Errors
    ///
    /// As [`ReportBuilder::add`] and [`ReportBuilder::finish`].
    pub fn of<B: Backend>(
        model: &Model<B>,
        table: &Table,
        title: &str,
        beta: Beta,
    ) -> Result<Self> {
        let mut builder = ReportBuilder::new(model, title, beta)?;
        let x = builder.scaled(table)?;
        let explanation = builder.network.explain(&x, Target::Assigned, beta)?;
        builder.add(0..table.rows(), table, &explanation)?;
        builder.finish(None)
    }
}

impl<B: Backend> ReportBuilder<'_, B> {
    /// Makes the page: chooses the points that it shows in full and explains them.
    /// `check` fills the section on how far the explanations can be trusted.
    ///
    /// # Errors
    ///
    /// If no row was added, only some of the parts have labels, or the labels have
    /// more than 1000 distinct values.
    pub fn finish(self, check: Option<&CheckReport>) -> Result<Report> {
        let contrasts = self.n_contrasts();
        let known = self.known_classes()?;
        let choice = self.choice(known.as_ref())?;
        let map = self.map(&choice)?;
        let listed = self.listed(&choice, &map, known.as_ref())?;
        let details = self.details(&choice, contrasts)?;

        let profile = self.profile.finish()?;
        let classes = known.map(|known| known.classes);
        let clusters = self.clusters(&choice, classes.as_ref())?;
        let rows = self.rows();
        let rows = [rows[0], rows[rows.len() - 1]];
        let page = Page {
            format: "neuralize-report",
            version: 2,
            generator: concat!("neuralize ", env!("CARGO_PKG_VERSION")),
            model: self.facts(),
            trust: check.map(|check| Trust::of(check, self.network.dtype())),
            features: self.model.info().columns(),
            kinds: self.kinds(),
            names: self.model.info().labels.clone(),
            centroid_based: self.network.is_centroid_based(),
            absorbed: self.network.absorbed_names().iter().map(|name| part_title(name)).collect(),
            label: classes.as_ref().and(self.label.clone()),
            agreeing: classes.as_ref().and_then(|classes| classes.agreeing),
            clusters,
            profile: PageProfile::of(&profile, self.shown(&choice)),
            choice: self.model.info().choice.clone(),
            groups: (!self.groups.is_empty()).then(|| self.groups.clone()),
            overall: self.profile.tally().global(),
            plane: PlaneFacts { explained: map.explained, centroids: map.centroids },
            classes: classes.map(|classes| classes.names),
            total: self.profile.n_rows(),
            rows,
            listed: listed.packed(),
            details: details.packed(contrasts),
            title: self.title.clone(),
        };
        Ok(Report { page, profile })
    }

    fn clusters(&self, choice: &Choice, classes: Option<&Classes>) -> Result<Vec<Cluster>> {
        let centroids = self.network.centroids();
        let originals = transfer::download(self.model.scaler().inverse(&centroids)?);
        let scaled = transfer::download(centroids);
        let info = self.model.info();
        let features = info.columns().len();
        let (originals, scaled) = match &info.encoding {
            Some(encoding) => (encoding.values(&originals), encoding.single_features(&scaled)),
            None => (originals, scaled),
        };
        let cluster = |summary: ClusterSummary| {
            let own = summary.cluster;
            Cluster {
                class: classes.and_then(|classes| classes.of_cluster[own]),
                centroid: originals[own * features..(own + 1) * features].to_vec(),
                centroid_scaled: scaled[own * features..(own + 1) * features].to_vec(),
                ambiguous: self.numbers(&choice.ambiguous[own]),
                cluster: own,
                points: summary.points,
                mean_logit: summary.mean_logit,
                mean_relevance: summary.mean_relevance,
                deviation: summary.deviation,
                mean_magnitude: summary.mean_magnitude,
            }
        };
        Ok(self.profile.tally().per_cluster().into_iter().map(cluster).collect())
    }

    /// The numbers of rows in the data.
    fn numbers(&self, places: &[usize]) -> Vec<usize> {
        places.iter().map(|&at| self.rows()[at]).collect()
    }

    /// What the page shows of every cluster besides its profile.
    fn shown(&self, choice: &Choice) -> Vec<Shown> {
        let shown = |cluster: usize| Shown {
            competitor: self.profile.competitor(cluster),
            typical: self.numbers(&choice.typical[cluster]),
            farthest: self.numbers(&choice.farthest[cluster]),
        };
        (0..self.network.n_clusters()).map(shown).collect()
    }

    /// What the values of the features are, if they are not all numbers.
    fn kinds(&self) -> Option<Vec<Kind>> {
        let encoding = self.model.info().encoding.as_ref()?;
        let kinds = encoding.columns.iter().map(|column| column.kind.clone());
        let kinds: Vec<Kind> = kinds.collect();
        kinds.iter().any(|kind| *kind != Kind::Number).then_some(kinds)
    }

    fn facts(&self) -> ModelFacts {
        let info = self.model.info();
        ModelFacts {
            kind: self.model.title(),
            clusters: self.network.n_clusters(),
            features: self.network.n_features(),
            scale: info.scale,
            rows: info.rows,
            seed: info.seed.map(|seed| seed.to_string()),
            inertia: info.inertia,
            sizes: info.sizes.clone(),
            iterations: info.iterations,
            converged: info.converged,
            agreement: info.agreement,
            beta: self.beta_used().filter(|beta| beta.is_finite()),
            heuristic_beta: self.network.beta(),
        }
    }

    fn listed(&self, choice: &Choice, map: &Map, known: Option<&KnownClasses>) -> Result<Listed> {
        let mut listed = Listed::default();
        listed.name(self.names_of(&choice.listed));
        for part in choice.listed.chunks(self.chunk()) {
            let cases = self.explained(part)?;
            for (case, &row) in part.iter().enumerate() {
                listed.push(&cases, case, STRONGEST);
                listed.place(map.points[listed.len() - 1], choice.detail_of(row));
                if let Some(KnownClasses { classes, misplaced }) = known {
                    listed.classify(classes.of[row]);
                    if classes.agreeing.is_some() {
                        listed.misplace(misplaced[row]);
                    }
                }
            }
            listed.number(self.numbers(part).into_iter());
        }
        Ok(listed)
    }

    fn details(&self, choice: &Choice, contrasts: usize) -> Result<Details> {
        let mut details = Details::default();
        for part in choice.detailed.chunks(self.chunk()) {
            let cases = self.explained(part)?;
            let versus: Vec<Vec<usize>> =
                (0..cases.len()).map(|case| nearest(&cases, case, contrasts)).collect();
            let tables = self.contrasts(part, &versus)?;
            for (case, versus) in versus.iter().enumerate() {
                details.push(&cases, case, versus, &tables);
            }
        }
        Ok(details)
    }

    /// Rows that are explained at a time.
    fn chunk(&self) -> usize {
        kernel::block_rows(self.network.n_features() + self.network.n_clusters())
    }

    /// Explains all rows against every cluster that at least one is contrasted with.
    fn contrasts(&self, rows: &[usize], wanted: &[Vec<usize>]) -> Result<HashMap<usize, Contrast>> {
        let x = self.scaled(&self.table(rows)?)?;
        let wanted: BTreeSet<usize> = wanted.iter().flatten().copied().collect();
        let against = |versus: usize| {
            let found = self.network.explain(&x, Target::AssignedVersus(versus), self.beta)?;
            let found = found.by_column(self.model.info().encoding.as_ref())?;
            let contrast = Contrast {
                relevance: transfer::download(found.relevance),
                logit: transfer::download(found.logit),
                absorbed: found.absorbed.into_iter().map(AbsorbedRelevance::of).collect(),
            };
            Ok((versus, contrast))
        };
        wanted.into_iter().map(against).collect()
    }

    /// The listed points in their plane, which is fitted to evenly spaced ones.
    fn map(&self, choice: &Choice) -> Result<Map> {
        const MAX_VALUES: usize = 1 << 23;
        let points = (MAX_VALUES / self.network.n_features()).max(512);
        let fitted = evenly(&choice.listed, points);
        let plane = Plane::fit(&self.scaled(&self.table(&fitted)?)?)?;
        let mut points = Vec::with_capacity(choice.listed.len());
        for part in choice.listed.chunks(self.chunk()) {
            points.extend(plane.coordinates(&self.scaled(&self.table(part)?)?)?);
        }
        let centroids = plane.coordinates(&self.network.centroids())?;
        Ok(Map { points, centroids, explained: plane.explained() })
    }
}

/// The `count` clusters that are nearest to a case besides its own, in ascending
/// order.
fn nearest(cases: &Cases, case: usize, count: usize) -> Vec<usize> {
    let own = cases.cluster[case];
    let (points, centroids, width) = cases.places();
    let place = |places: &'_ [f64], at: usize| places[at * width..(at + 1) * width].to_vec();
    let own_place = place(points, case);
    let distance = |k: usize| -> f64 {
        let pairs = own_place.iter().zip(place(centroids, k));
        pairs.map(|(x, m)| (x - m).powi(2)).sum()
    };
    let mut others: Vec<usize> = (0..cases.n_clusters()).filter(|&k| k != own).collect();
    if others.len() > count {
        others.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        others.truncate(count);
        others.sort_unstable();
    }
    others
}
