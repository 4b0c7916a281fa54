//! `neuralize profile`: the numbers of a profile against the table and the other subcommands.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::desk::{Desk, cells, table};

/// The columns of wine.csv without the label, and the cluster of every row.
fn wine(desk: &Desk) -> (Vec<String>, Vec<Vec<f64>>, Vec<usize>) {
    let (names, rows) = table(&desk.read("wine.csv"), b',');
    let label = names.iter().position(|name| name == "target").expect("a label");
    let without = |row: &Vec<f64>| -> Vec<f64> {
        (0..row.len()).filter(|at| *at != label).map(|at| row[at]).collect()
    };
    let (_, predicted) = table(&desk.done("predict wine.csv --model model -q").out, b',');
    (
        names.into_iter().filter(|name| name != "target").collect(),
        rows.iter().map(without).collect(),
        predicted.iter().map(|row| row[1] as usize).collect(),
    )
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn numbers_are_those_of_the_table() {
    let desk = Desk::with_wine();
    let (names, rows, clusters) = wine(&desk);
    let text = desk.done("profile wine.csv --model model -q --format csv").out;
    let (header, lines) = cells(&text);
    assert_eq!(header[..6], ["cluster", "rows", "column", "value", "own", "overall"]);
    assert_eq!(lines.len(), 3 * names.len());
    let n = rows.len() as f64;
    for line in &lines {
        let cluster: usize = line[0].parse().expect("a number");
        let at = names.iter().position(|name| *name == line[2]).expect("a column");
        let own: Vec<f64> = (0..rows.len())
            .filter(|row| clusters[*row] == cluster)
            .map(|row| rows[row][at])
            .collect();
        let size = own.len() as f64;
        let mean = own.iter().sum::<f64>() / size;
        let all = rows.iter().map(|row| row[at]).sum::<f64>() / n;
        let variance = rows.iter().map(|row| (row[at] - all).powi(2)).sum::<f64>() / n;
        let v = (mean - all) / (variance / size * (n - size) / (n - 1.0)).sqrt();
        let number = |column: usize| line[column].parse::<f64>().expect("a number");
        assert_eq!(line[1], own.len().to_string());
        assert!(near(number(4), mean) && near(number(5), all), "{line:?}");
        assert!(near(number(6), (mean - all) / variance.sqrt()), "{line:?}");
        assert!(near(number(8), v), "{line:?}: {v}");
    }
    desk.done("profile wine.csv --model model -q -o profile.csv");
    assert_eq!(desk.read("profile.csv"), text);
}

#[test]
fn relevances_and_rows_are_those_of_the_explanations() {
    let desk = Desk::with_wine();
    let (names, _, clusters) = wine(&desk);
    let answer: Value =
        serde_json::from_str(&desk.done("profile wine.csv --model model -q --format json").out)
            .expect("JSON");
    let (header, explained) = table(&desk.done("explain wine.csv --model model -q").out, b',');
    assert_eq!(header[3..], names[..]);
    for (cluster, found) in answer["clusters"].as_array().expect("clusters").iter().enumerate() {
        let own: Vec<usize> = (0..clusters.len()).filter(|row| clusters[*row] == cluster).collect();
        assert_eq!(found["rows"], own.len());
        let mean = |column: usize| {
            own.iter().map(|row| explained[*row][column]).sum::<f64>() / own.len() as f64
        };
        let logit = found["mean_logit"].as_f64().expect("a number");
        assert!(near(logit, mean(2)));
        let relevance: BTreeMap<String, f64> = found["relevance"]
            .as_array()
            .expect("pairs")
            .iter()
            .map(|pair| {
                (pair[0].as_str().expect("a name").to_owned(), pair[1].as_f64().expect("a number"))
            })
            .collect();
        assert!(near(relevance.values().sum::<f64>(), logit));
        for (at, name) in names.iter().enumerate() {
            assert!(near(relevance[name], mean(3 + at)), "{name}");
        }
        let inside = found["farthest"][0]["row"].as_u64().expect("a row") as usize;
        let largest = own.iter().max_by(|a, b| explained[**a][2].total_cmp(&explained[**b][2]));
        assert_eq!(Some(&inside), largest);
        assert!(found["competitor"].as_str() != Some(&cluster.to_string()));
        assert!(found["rule"]["precision"].as_f64().is_some_and(|precision| precision > 0.8));
        assert!(
            found["sentence"]
                .as_str()
                .is_some_and(|text| text.contains("high") || text.contains("low"))
        );
    }
}

#[test]
fn clusters_are_compared_with_each_other_and_with_classes() {
    let desk = Desk::with_wine();
    let said = desk.done("profile wine.csv --model model -q --versus 0,2").out;
    assert!(said.contains("Cluster 0 rather than 2:"), "{said}");
    assert!(!said.contains("typical"), "{said}");
    let answer = desk.done("profile wine.csv --model model -q --label target --format json").out;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let (names, rows) = table(&desk.read("wine.csv"), b',');
    let label = names.iter().position(|name| name == "target").expect("a label");
    let (_, _, clusters) = wine(&desk);
    let classes = &answer["classes"];
    for (cluster, counts) in classes["counts"].as_array().expect("counts").iter().enumerate() {
        for (class, count) in counts.as_array().expect("counts").iter().enumerate() {
            let expected = (0..rows.len())
                .filter(|row| clusters[*row] == cluster && rows[*row][label] == class as f64)
                .count();
            assert_eq!(*count, expected, "{cluster} {class}");
        }
    }
    assert!(classes["adjusted_rand"].as_f64().is_some_and(|index| index > 0.8));
    assert_eq!(classes["one_to_one"].as_array().map(Vec::len), Some(3));
    let said = desk.done("profile wine.csv --model model --label target").out;
    assert!(said.contains("nearly one to one") && said.contains("adjusted Rand index"), "{said}");
    for (options, code, says) in [
        ("--versus 1,1", 2, "name two different clusters"),
        ("--versus 1,7", 1, "there is no cluster `7`"),
        ("--versus 1", 2, "give two clusters"),
        ("--label none", 1, "there is no column `none`"),
        ("-o page.html", 2, "this answer is not written as .html"),
        ("--versus 0,1 -o versus.csv", 2, "write text or JSON"),
        ("--label target --format csv", 2, "write text or JSON"),
        ("-o wine.csv", 2, "the results would replace what is read"),
    ] {
        desk.fails(&format!("profile wine.csv --model model {options}"), code, says);
    }
}

#[test]
fn columns_of_all_kinds_have_their_words() {
    let desk = Desk::new();
    let rows: String = (0..60)
        .map(|i| {
            let far = i % 3 == 0;
            let size =
                if i == 7 { String::new() } else { format!("{}.5", i % 5 + 20 * i64::from(far)) };
            let colour =
                if far || i % 7 == 0 { "red" } else { ["blue", "green"][(i % 2) as usize] };
            format!("r{i},{size},{colour},{}\n", if far { "yes" } else { "no" })
        })
        .collect();
    desk.write("t.csv", &format!("name,size,colour,flag\n{rows}"));
    desk.done("fit t.csv -k 2 --model m --id name");
    let said = desk.done("profile t.csv --model m").out;
    assert!(said.contains("high size"), "{said}");
    assert!(said.contains("colour red"), "{said}");
    assert!(said.contains("r12 (row 12)"), "{said}");
    let (_, lines) = cells(&desk.done("profile t.csv --model m -q --format csv").out);
    let red: Vec<&Vec<String>> = lines.iter().filter(|line| line[3] == "red").collect();
    assert_eq!(red.len(), 2);
    assert!(red.iter().any(|line| line[4] == "1.0"), "{red:?}");
    // A value that was filled counts for nothing.
    let overall: f64 =
        lines.iter().find(|line| line[2] == "size").expect("a line")[5].parse().expect("a number");
    let known: Vec<f64> = (0..60)
        .filter(|i| *i != 7)
        .map(|i| f64::from(i % 5 + 20 * i32::from(i % 3 == 0)) + 0.5)
        .collect();
    assert!(near(overall, known.iter().sum::<f64>() / known.len() as f64), "{overall}");
    desk.write("empty.csv", "name,size,colour,flag\n");
    desk.fails("profile empty.csv --model m", 1, "the table has no rows");
}

/// Every kind of model has a profile.
#[test]
fn every_model_is_described() {
    let desk = Desk::with_wine();
    for method in ["kernel", "gmm", "kmedians", "mahalanobis"] {
        desk.done(&format!(
            "fit wine.csv -k 3 --method {method} --scale standard --label target --model {method}"
        ));
        let said = desk.done(&format!("profile wine.csv --model {method}")).out;
        assert_eq!(said.matches("\nCluster ").count(), 3, "{method}: {said}");
        assert!(said.contains("rule ") && said.contains("apart by"), "{method}: {said}");
    }
    desk.done("label wine.csv --labels target --model labels --scale minmax");
    let said = desk.done("profile wine.csv --model labels --versus 0,1").out;
    assert!(said.contains("Cluster 0 rather than 1"), "{said}");
}

/// A workbook holds what the CSV file holds, and the figure the clusters and their columns.
#[test]
fn workbooks_and_figures_hold_the_same() {
    let desk = Desk::with_wine();
    desk.done("profile wine.csv --model model -q -o p.csv --figures pictures");
    let svg = desk.read("pictures/cards.svg");
    for words in ["Cluster 0: ", "Cluster 1: ", "Cluster 2: ", "proline", "178 rows"] {
        assert!(svg.contains(words), "no {words}");
    }
    desk.done("choose wine.csv --drop target -q -o c.csv --figures pictures -k 2..4");
    assert!(desk.read("pictures/choice.svg").contains("stability"));
    #[cfg(feature = "xlsx")]
    for (name, command) in
        [("p", "profile wine.csv --model model"), ("c", "choose wine.csv --drop target -k 2..4")]
    {
        desk.done(&format!("{command} -q -o {name}.xlsx"));
        // Read back, the numbers of both fit the same model, whatever they mean.
        let fit = |file: &str, model: &str| {
            let columns = if name == "p" { "own,overall,v" } else { "inertia,stability,gain" };
            desk.done(&format!("fit {file} -k 2 --columns {columns} --model {model} -q"));
            desk.done(&format!("explain {file} --model {model} -q")).out
        };
        let (book, text) = (format!("{name}.xlsx"), format!("{name}.csv"));
        assert_eq!(fit(&book, "a"), fit(&text, "b"), "{name}");
        desk.fails(&format!("{command} -o {name}.docx"), 2, ".xlsx file, or give --format");
    }
}

/// The mean contrasts are means of what `explain --versus` says.
#[test]
fn contrasts_are_means_of_explanations() {
    let desk = Desk::with_wine();
    let answer = desk.done("profile wine.csv --model model -q --versus 2,0 --format json").out;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let pair = &answer["versus"][0];
    assert_eq!(pair["clusters"], serde_json::json!(["2", "0"]));
    let columns = answer["columns"].as_array().expect("names");
    for (side, (own, other)) in [(2.0, 0), (0.0, 2)].into_iter().enumerate() {
        let explained = desk.done(&format!("explain wine.csv --model model -q --versus {other}"));
        let (header, rows) = table(&explained.out, b',');
        let rows: Vec<&Vec<f64>> = rows.iter().filter(|row| row[1] == own).collect();
        let contrast = &pair["contrasts"][side];
        assert_eq!(contrast["rows"], rows.len());
        let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / rows.len() as f64;
        assert!(near(contrast["logit"].as_f64().expect("a number"), mean(2)));
        for (at, (name, relevance)) in
            columns.iter().zip(contrast["relevance"].as_array().expect("numbers")).enumerate()
        {
            assert_eq!(name, &Value::from(header[3 + at].as_str()));
            assert!(near(relevance.as_f64().expect("a number"), mean(3 + at)), "{name}");
        }
    }
    let text = desk.done("profile wine.csv --model model -q --versus 2,0").out;
    assert!(text.contains("rows of 2 are not in 0 because of "), "{text}");
}

/// A table that the clusters were not found in is described by them, and everything says so.
#[test]
fn clusters_of_other_rows_are_said_to_be() {
    let desk = Desk::with_wine();
    desk.done("fit wine.csv --drop target --scale standard --model chosen -q");
    let wine = desk.read("wine.csv");
    let some: Vec<&str> = wine.lines().step_by(2).collect();
    desk.write("some.csv", &(some.join("\n") + "\n"));
    let says = "The clusters were found in 178 rows, not in exactly these.";
    let said = desk.done("profile some.csv --model chosen -q").out;
    assert!(said.starts_with(&format!("some.csv: 89 rows in 3 clusters\n{says}\n")), "{said}");
    desk.done("report some.csv --model chosen -q -o some.md");
    // In the first paragraph, and beside the number of clusters.
    assert_eq!(desk.read("some.md").matches(says).count(), 2);
    desk.done("report some.csv --model chosen -q -o some.html");
    assert!(desk.read("some.html").contains(&format!("\"fitted\":\"{says}\"")));
    let said = desk.done("profile wine.csv --model chosen -q").out;
    assert!(!said.contains("not in exactly these"), "{said}");
}

/// Two groups that are far apart come back; a grid that is cut in four does not.
#[test]
fn clusters_come_back_or_do_not() {
    let desk = Desk::new();
    let stability = |command: &str| -> Vec<Option<f64>> {
        desk.done(&format!("profile {command} -q -o profile.json"));
        let profile: Value = serde_json::from_str(&desk.read("profile.json")).expect("valid JSON");
        let clusters = profile["clusters"].as_array().expect("clusters").clone();
        clusters.iter().map(|cluster| cluster["stability"].as_f64()).collect()
    };
    let far: String = (0..90)
        .map(|i| {
            format!("{},{}\n", f64::from(i % 10) * 0.1 + if i < 45 { 0.0 } else { 30.0 }, i % 9)
        })
        .collect();
    desk.write("far.csv", &format!("x,y\n{far}"));
    desk.done("fit far.csv --columns x,y -k 2 --model far");
    let found = stability("far.csv --model far");
    assert!(found.iter().all(|found| found.is_some_and(|found| found > 0.95)), "{found:?}");
    let said = desk.done("profile far.csv --model far -q").out;
    assert_eq!(said.matches(", comes back when rows are drawn again").count(), 2, "{said}");

    let grid: String = (0..400).map(|i| format!("{},{}\n", i % 20, i / 20)).collect();
    desk.write("grid.csv", &format!("x,y\n{grid}"));
    desk.done("fit grid.csv --columns x,y -k 7 --model grid");
    let found = stability("grid.csv --model grid");
    assert!(found.iter().all(|found| found.is_some_and(|found| found < 0.9)), "{found:?}");
    assert!(found.iter().any(|found| found.is_some_and(|found| found < 0.6)), "{found:?}");
    assert_eq!(found, stability("grid.csv --model grid"));

    // Nobody has fitted what labels say.
    let desk = Desk::with_wine();
    desk.done("label wine.csv --labels target --model labelled --scale minmax");
    let said = desk.done("profile wine.csv --model labelled -q").out;
    assert!(!said.contains("stability"), "{said}");
}
