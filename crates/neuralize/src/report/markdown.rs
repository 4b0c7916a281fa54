//! The report as Markdown, for a wiki or a notebook.

use std::fmt::Write as _;

use crate::choose::{Candidate, Choice};
use crate::profile::{CellFacts, ClassFacts, ClusterFacts, ModelProfile, RowFacts};
use crate::report::page::{Page, Report};
use crate::text::words::percent;

/// Columns and values of a cluster that are shown.
const MAX_CELLS: usize = 8;
/// Columns that are said to set a cluster apart.
const MAX_APART: usize = 3;

impl Report {
    /// The clusters as Markdown, for a wiki or a notebook: without single points and without
    /// pictures. Names are escaped, so that none has a meaning in Markdown or HTML.
    pub fn markdown(&self) -> String {
        markdown(&self.page, &self.profile)
    }
}

/// What was found, what every cluster is, how clusters differ, how many there are, and how far this
/// can be trusted.
fn markdown(page: &Page, profile: &ModelProfile) -> String {
    let mut text = String::new();
    let fitted = profile.fitted_in_words().map(|sentence| format!(" {sentence}"));
    let fitted = fitted.unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# {}\n", plain(&page.title));
    let _ = writeln!(
        text,
        "{} rows in {} clusters by {} on {} columns.{fitted}\n",
        profile.rows,
        profile.clusters.len(),
        plain(&page.model.kind),
        profile.columns.len()
    );
    if let Some(choice) = &page.choice {
        let _ = writeln!(text, "Number of clusters: {}.\n", plain(&choice.sentence));
    }
    text += &found(&profile.clusters);
    if let Some(sentence) = profile.stability_in_words() {
        let _ = writeln!(text, "\n{}", plain(&sentence));
    }
    text += "\n## What each cluster is\n";
    for cluster in &profile.clusters {
        text += &of_cluster(cluster);
    }
    let _ = writeln!(
        text,
        "\nA row is ambiguous if its logit is below a tenth of the median logit of its cluster. {}",
        plain(profile.remark)
    );
    if !profile.versus.is_empty() {
        text += "\n## One cluster against another\n\n";
        for pair in &profile.versus {
            let _ = writeln!(text, "- {}", plain(&pair.sentences[0]));
        }
    }
    if let Some(classes) = &profile.classes {
        text += &of_classes(classes, &profile.clusters, page.label.as_deref());
    }
    if let Some(choice) = &page.choice {
        text += &of_choice(choice, &fitted);
    }
    text += "\n## Can this be trusted\n\n";
    match &page.trust {
        Some(trust) => {
            for sentence in trust.words() {
                let _ = writeln!(text, "- {}", plain(sentence));
            }
        }
        None => text += "- The relevances were not checked when this was written.\n",
    }
    let _ = writeln!(text, "\nWritten by {}.", page.generator);
    text
}

fn found(clusters: &[ClusterFacts]) -> String {
    let mut text = String::from("| cluster | rows | share | ambiguous | what it is |\n");
    text += "|---|---:|---:|---:|---|\n";
    for cluster in clusters {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            plain(&cluster.cluster),
            cluster.rows,
            percent(cluster.share),
            percent(cluster.ambiguous),
            plain(&cluster.sentence)
        );
    }
    text
}

fn of_cluster(cluster: &ClusterFacts) -> String {
    let mut text = format!("\n### Cluster {}\n\n", plain(&cluster.cluster));
    let _ = writeln!(text, "{}\n", plain(&cluster.sentence));
    if let Some(rule) = &cluster.rule {
        let _ = writeln!(text, "- rule, an approximation: {}", plain(&rule.text));
    }
    let apart = cluster.strongest(MAX_APART);
    if !apart.is_empty() {
        let held = |(name, share): (&str, f64)| format!("{} ({})", plain(name), percent(share));
        let held: Vec<String> = apart.into_iter().map(held).collect();
        let _ = writeln!(text, "- set apart by {}", held.join(", "));
    }
    if let Some(other) = &cluster.competitor {
        let _ = writeln!(text, "- most often told apart from cluster {}", plain(other));
    }
    if let Some(words) = cluster.stability_in_words() {
        let _ = writeln!(text, "- stability {words}");
    }
    for (what, rows) in [("typical", &cluster.typical), ("farthest", &cluster.farthest)] {
        let named = |row: &RowFacts| match &row.name {
            Some(name) => format!("{} (row {})", plain(name), row.row),
            None => format!("row {}", row.row),
        };
        let rows: Vec<String> = rows.iter().map(named).collect();
        if !rows.is_empty() {
            let _ = writeln!(text, "- {what}: {}", rows.join(", "));
        }
    }
    let mut cells: Vec<&CellFacts> = cluster.columns.iter().collect();
    cells.retain(|cell| cell.v.is_some());
    let strength = |cell: &CellFacts| cell.v.unwrap_or(0.0).abs();
    cells.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    if !cells.is_empty() {
        text +=
            "\n| column | here | overall | difference, sd | v-test |\n|---|---:|---:|---:|---:|\n";
    }
    for cell in cells.into_iter().take(MAX_CELLS) {
        let value = cell.value.as_ref().map(|value| format!(" {}", plain(value)));
        let name = format!("{}{}", plain(&cell.column), value.unwrap_or_default());
        let number = |value: Option<f64>, digits: usize| match value {
            Some(value) => format!("{value:+.digits$}").replace('-', "−"),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            plain(&cell.text[0]),
            plain(&cell.text[1]),
            number(cell.difference, 2),
            number(cell.v, 1)
        );
    }
    text
}

fn of_classes(classes: &ClassFacts, clusters: &[ClusterFacts], label: Option<&str>) -> String {
    const SHOWN: usize = 12;
    let mut text = String::from("\n## Clusters beside the known classes\n\n");
    let names = classes.names.iter().take(SHOWN);
    let header: String = names.clone().map(|name| format!(" {} |", plain(name))).collect();
    let label = label.map_or_else(|| "class".to_owned(), plain);
    let _ = writeln!(text, "| rows by {label} |{header}");
    let _ = writeln!(text, "|---|{}", names.map(|_| "---:|").collect::<String>());
    for (cluster, counts) in clusters.iter().zip(&classes.counts) {
        let counts: String = counts.iter().take(SHOWN).map(|count| format!(" {count} |")).collect();
        let _ = writeln!(text, "| cluster {} |{counts}", plain(&cluster.cluster));
    }
    if classes.names.len() > SHOWN {
        let _ = writeln!(text, "\n{} more classes are not shown.", classes.names.len() - SHOWN);
    }
    let _ = writeln!(
        text,
        "\nAdjusted Rand index {:.3}, V-measure {:.3} (homogeneity {:.3}, completeness {:.3}).",
        classes.adjusted_rand, classes.v_measure, classes.homogeneity, classes.completeness
    );
    text
}

/// `fitted` says that the clusters were found in other rows, if they were.
fn of_choice(choice: &Choice, fitted: &str) -> String {
    let mut text = String::from("\n## How many clusters\n\n");
    let _ = writeln!(text, "{}.{fitted}\n", plain(&choice.sentence));
    text += "| clusters | inertia | silhouette | Caliński-Harabasz | Davies-Bouldin | gap | stability | smallest | fails |\n";
    text += "|---:|---:|---:|---:|---:|---:|---:|---:|---|\n";
    let number = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}").replace('-', "−"),
        None => String::new(),
    };
    let line = |candidate: &Candidate| {
        let fails: Vec<String> = candidate.failed.iter().map(ToString::to_string).collect();
        format!(
            "| {} | {} | {} | {} | {} | {} | {:.2} | {} | {} |\n",
            candidate.clusters,
            crate::text::words::number(candidate.inertia),
            number(candidate.silhouette, 3),
            number(candidate.calinski_harabasz, 1),
            number(candidate.davies_bouldin, 3),
            number(candidate.gap, 3),
            candidate.stability,
            candidate.smallest,
            fails.join(", ")
        )
    };
    text.extend(choice.candidates.iter().map(line));
    if let Some(figured) = choice.figured {
        let _ = writeln!(
            text,
            "\nInertia, silhouette, Caliński-Harabasz and Davies-Bouldin are of {figured} of {} rows, drawn at random.",
            choice.rows
        );
    }
    text
}

/// Text without a meaning in Markdown or HTML, on one line.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                shown.push('\\');
                shown.push(character);
            }
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '&' => shown += "&amp;",
            character if character.is_control() => shown.push(' '),
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_meaning() {
        assert_eq!(plain("a|b\n<i> *x* & [y]"), "a\\|b &lt;i&gt; \\*x\\* &amp; \\[y\\]");
    }
}
