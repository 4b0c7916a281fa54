//! `neuralize choose`, and fits that choose for themselves.

use serde_json::Value;

use crate::desk::{Desk, cells};

/// Groups of 25 rows around these centres.
fn groups(centres: &[(f64, f64)]) -> (String, Vec<(f64, f64)>) {
    let mut rows = Vec::new();
    for (x, y) in centres {
        for i in 0..25 {
            // A spiral of sunflower seeds: no direction and no distance stands out.
            let (angle, radius) = (2.399_963 * f64::from(i), 0.2 * f64::from(i).sqrt());
            rows.push((x + radius * angle.cos(), y + radius * angle.sin()));
        }
    }
    let lines: String = rows.iter().map(|(x, y)| format!("{x:?},{y:?}\n")).collect();
    (format!("x,y\n{lines}"), rows)
}

/// The mean silhouette, by its definition.
fn silhouette(rows: &[(f64, f64)], cluster: impl Fn(usize) -> usize, clusters: usize) -> f64 {
    let distance = |a: usize, b: usize| (rows[a].0 - rows[b].0).hypot(rows[a].1 - rows[b].1);
    let of_row = |row: usize| {
        let mean = |to: usize| {
            let others = (0..rows.len()).filter(|other| *other != row && cluster(*other) == to);
            let distances: Vec<f64> = others.map(|other| distance(row, other)).collect();
            distances.iter().sum::<f64>() / distances.len() as f64
        };
        let own = mean(cluster(row));
        let nearest = (0..clusters).filter(|to| *to != cluster(row)).map(mean);
        let nearest = nearest.fold(f64::INFINITY, f64::min);
        (nearest - own) / nearest.max(own)
    };
    (0..rows.len()).map(of_row).sum::<f64>() / rows.len() as f64
}

#[test]
fn clear_clusters_are_counted() {
    let desk = Desk::new();
    let (text, rows) = groups(&[(0.0, 0.0), (9.0, 1.0), (2.0, 11.0)]);
    desk.write("t.csv", &text);
    let said = desk.done("choose t.csv");
    assert!(said.out.contains("3 clusters: "), "{}", said.out);
    assert!(
        said.out.lines().any(|line| line.starts_with("       3 ") && line.ends_with("recommended"))
    );
    assert_eq!(said.out, desk.done("choose t.csv").out);

    let answer: Value =
        serde_json::from_str(&desk.done("choose t.csv -q --format json --clusters 2..5").out)
            .expect("JSON");
    assert_eq!((&answer["recommended"], &answer["rows"]), (&3.into(), &75.into()));
    let three = &answer["candidates"][1];
    let expected = silhouette(&rows, |row| row / 25, 3);
    let found = three["silhouette"].as_f64().expect("a number");
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    let centred = |of: fn(&(f64, f64)) -> f64, part: &[(f64, f64)]| {
        let mean = part.iter().map(of).sum::<f64>() / part.len() as f64;
        part.iter().map(|row| (of(row) - mean).powi(2)).sum::<f64>()
    };
    let inertia: f64 =
        rows.chunks(25).map(|part| centred(|row| row.0, part) + centred(|row| row.1, part)).sum();
    assert!((three["inertia"].as_f64().expect("a number") - inertia).abs() < 1e-9 * inertia);

    desk.done("choose t.csv -k 2,3 -o choice.csv");
    let (header, lines) = cells(&desk.read("choice.csv"));
    assert_eq!((header[0].as_str(), lines.len()), ("clusters", 2));
    assert_eq!((lines[1][0].as_str(), lines[1][12].as_str()), ("3", ""));
    assert_eq!(header[14], "recommended");
    assert_eq!((lines[0][14].as_str(), lines[1][14].as_str()), ("no", "yes"));
}

/// Numbers that were asked for and not tried are named, and so is a number without any to compare with.
#[test]
fn numbers_that_were_not_tried_are_named() {
    let desk = Desk::new();
    let (text, _) = groups(&[(0.0, 0.0), (9.0, 1.0)]);
    let few: Vec<&str> = text.lines().take(21).collect();
    desk.write("t.csv", &(few.join("\n") + "\n"));
    let said = desk.done("choose t.csv -k 19,2,22,21,20").out;
    assert!(
        said.ends_with("\nNot tried: 20, 21, 22, too many clusters for 20 rows (20 different)\n"),
        "{said}"
    );
    let said = desk.done("choose t.csv -k 2").out;
    assert!(said.ends_with("\nOnly 2 was tried; --clusters 2..10 compares numbers\n"), "{said}");
    assert!(!desk.done("choose t.csv -k 2..3").out.contains(" tried; "));
}

#[test]
fn a_fit_chooses_for_itself() {
    let desk = Desk::new();
    desk.write("t.csv", &groups(&[(0.0, 0.0), (9.0, 1.0), (2.0, 11.0)]).0);
    let said = desk.done("fit t.csv --model m").err;
    assert!(
        said.contains("3 clusters: ") && said.contains("in 3 clusters of 25, 25, 25"),
        "{said}"
    );
    // A grid is one piece.
    let grid: String = (0..400).map(|i| format!("{},{}\n", i % 20, i / 20)).collect();
    desk.write("grid.csv", &format!("x,y\n{grid}"));
    assert!(desk.done("choose grid.csv --columns x,y").out.contains("no clear number of clusters"));
    desk.fails("fit grid.csv --columns x,y --model n", 1, "say how many by --clusters K");
    assert!(!desk.path("n").exists());
    desk.fails("choose t.csv -k 1..3", 2, "numbers of at least 2");
    desk.fails("choose t.csv -o t.csv", 2, "would replace what is read");
    desk.fails("choose t.csv -o t.png", 2, "this answer is not written as .png");
    desk.write("few.csv", "x,y\n1,2.5\n3,4.5\n5,1.5\n");
    assert!(desk.done("choose few.csv").out.contains("too few to tell"));
}

/// A row that makes a column count for nothing else is named, with what helps.
#[test]
fn a_row_with_most_of_the_variance_is_named() {
    let desk = Desk::new();
    let (text, _) = groups(&[(0.0, 0.0), (9.0, 1.0), (2.0, 11.0)]);
    desk.write("t.csv", &format!("{text}4000000,0\n"));
    let note = "note       one row has most of the variance of `x` (row 75: 98 %); ";
    for (command, advice) in [
        ("choose t.csv", "--scale robust or --log x weakens it"),
        ("fit t.csv -k 3 --model m", "--scale robust or --log x weakens it"),
        // Quantiles need all rows.
        ("fit t.csv -k 3 --model m --stream", "--log x weakens it"),
    ] {
        let said = desk.done(command).err;
        assert!(said.contains(&format!("{note}{advice}")), "{command}: {said}");
        // Another column's share is no news then, nor is its advice any.
        assert!(!desk.done(&format!("{command} --scale none")).err.contains("count alike"));
    }
    let said = desk.done("choose t.csv --scale robust");
    assert!(!said.err.contains("most of the variance"), "{}", said.err);
    assert!(said.out.contains("3 clusters: "), "{}", said.out);

    // A number below -1 has no such logarithm.
    let far = |i: usize| if i == 3 { "-1000000".to_owned() } else { (i * 7 % 11).to_string() };
    let rows: String = (0..40).map(|i| format!("{},{}\n", far(i), far(i + 1))).collect();
    desk.write("negative.csv", &format!("a,b\n{rows}"));
    let said = desk.done("fit negative.csv -k 2 --model m").err;
    let both = "of `a` (row 3: 97 %), `b` (row 2: 97 %); --scale robust weakens it";
    assert!(said.contains(both), "{said}");
    // Where all others are equal, nothing is hidden.
    let rows: String = (0..40).map(|i| format!("{},{}\n", i * 7 % 11, i32::from(i == 3))).collect();
    desk.write("rare.csv", &format!("a,b\n{rows}"));
    assert!(!desk.done("fit rare.csv -k 2 --model m").err.contains("most of the variance"));
}

/// As scikit-learn's users know the wine data, and with categories.
#[test]
fn wine_has_three_clusters_by_every_method() {
    let desk = Desk::with_wine();
    for method in ["kmeans", "gmm", "kmedians"] {
        let options = format!("--drop target --scale standard --method {method} --clusters 2..5");
        let said = desk.done(&format!("choose wine.csv {options}")).out;
        assert!(said.contains("3 clusters: "), "{method}: {said}");
    }
}

/// Few different values are no reason to fail, nor are the settings of the fit forgotten.
#[test]
fn discrete_tables_and_other_methods_are_judged() {
    let desk = Desk::new();
    let rows: String =
        (0..400).map(|i| format!("{},{}\n", 1 + i * 7 % 5, 1 + i * 3 % 11 / 6)).collect();
    desk.write("t.csv", &format!("rating,twice\n{rows}"));
    let said = desk.done("choose t.csv --columns rating,twice").out;
    assert!(said.contains("no clear number of clusters"), "{said}");
    for command in ["choose t.csv", "fit t.csv --model m"] {
        desk.fails(&format!("{command} --method bregman-kl"), 2, "for a Bregman divergence");
    }
    for name in ["c.json.gz", "c.csv.gz", "c.tsv"] {
        desk.done(&format!("choose t.csv -k 2,3 -q -o {name}"));
    }
    assert!(desk.read("c.tsv").starts_with("clusters\tinertia\t"));
    let file = std::fs::File::open(desk.path("c.json.gz")).expect("a file");
    let json = std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("text");
    assert!(serde_json::from_str::<Value>(&json).is_ok_and(|answer| answer["rows"] == 400));
}

/// In parts, the same is chosen, and a fit goes on with it.
#[test]
fn a_stream_is_chosen_for_alike() {
    let desk = Desk::new();
    desk.write("t.csv", &groups(&[(0.0, 0.0), (9.0, 1.0), (2.0, 11.0)]).0);
    let answer = |options: &str| desk.done(&format!("choose t.csv -k 2..4 {options}"));
    assert_eq!(answer("").out, answer("--stream").out);
    let said = desk.done("fit t.csv --model m --stream").err;
    assert!(
        said.contains("3 clusters: ") && said.contains("in 3 clusters of 25, 25, 25"),
        "{said}"
    );
    assert!(desk.read("m/config.json").contains("\"recommended\": 3"));
    let starts = "the fit starts from the best of 10 fits to the 75 rows of the choice";
    assert!(said.contains(starts), "{said}");
    let given = desk.done("fit t.csv -k 3 --model m --stream").err;
    assert!(!given.contains("the fit starts"), "{given}");
    // One start from random rows misses a group.
    let random = "fit t.csv --model m --stream --init random";
    assert!(!desk.done(&format!("{random} -k 3")).err.contains("of 25, 25, 25"));
    assert!(desk.done(random).err.contains("of 25, 25, 25"));

    let grid: String = (0..400).map(|i| format!("{},{}\n", i % 20, i / 20)).collect();
    desk.write("grid.csv", &format!("x,y\n{grid}"));
    let fails = |command: &str, code, words: &str| {
        desk.fails(&format!("{command} --stream"), code, words);
    };
    fails("fit grid.csv --columns x,y --model n", 1, "say how many by --clusters K");
    fails("choose -", 2, "--stream reads the data several times, but standard input");
    fails("choose t.csv --scale robust", 2, "--scale robust needs all rows in memory");
}

/// The data of a choice are those of a fit: nothing else stands for their missing values.
#[test]
fn missing_values_of_a_stream_are_those_of_the_training_data() {
    let desk = Desk::new();
    let (text, _) = groups(&[(0.0, 0.0), (9.0, 1.0), (2.0, 11.0)]);
    desk.write("t.csv", &format!("{text},11\n"));
    for command in ["choose t.csv -k 2..4", "fit t.csv -k 3 --model m", "fit t.csv --model m"] {
        for stream in ["", "--stream"] {
            let said = desk.done(&format!("{command} {stream}")).err;
            assert!(said.contains("x (1 missing)"), "{command} {stream}: {said}");
            assert!(!said.contains("of the training data"), "{command} {stream}: {said}");
        }
    }
    assert!(desk.done("predict t.csv --model m").err.contains("of the training data: x 1"));

    // The median of many numbers is that of some of them, unless they are in memory.
    let rows: String = (0..70_000).map(|i| format!("{},{}\n", i % 97, i % 89)).collect();
    desk.write("many.csv", &format!("a,b\n{rows},1\n"));
    for (stream, how) in [("", "the median or"), ("--stream", "the median of a sample or")] {
        let said = desk.done(&format!("fit many.csv -k 2 --model m --max-iter 2 {stream}")).err;
        assert!(said.contains(&format!("filled by {how} the most frequent value")), "{said}");
    }
}

/// A method sees some of the rows; its error is about a row of the file.
#[test]
fn errors_of_a_choice_name_the_row_of_the_file() {
    let desk = Desk::new();
    let table = |count: usize, large: std::ops::Range<usize>, power: &str| {
        let row = |i: usize| match i {
            3 => ",1\n".to_owned(),
            _ if large.contains(&i) => format!("1,{i}e{power}\n"),
            _ => format!("{}.5,{}.5\n", i * 7 % 11, i * 3 % 7),
        };
        format!("a,b\n{}", (0..count).map(row).collect::<String>())
    };
    desk.write("t.csv", &table(200, 150..151, "143"));
    desk.write("many.csv", &table(1100, 900..1100, "26"));
    desk.write("large.csv", &table(120_000, 119_000..119_001, "140"));
    let options = "--columns a,b --scale none --missing drop";
    for (command, says) in [
        ("choose t.csv", "t.csv, row 150 (counted from 0), column `b`: 1.5e145"),
        ("fit t.csv --model m", "t.csv, row 150 (counted from 0), column `b`: 1.5e145"),
        // The first of the rows that are judged.
        (
            "choose many.csv --method power=16",
            "many.csv, row 919 (counted from 0), column `b`: 9.19e28",
        ),
        ("choose large.csv", "large.csv, row 119000 (counted from 0), column `b`: 1.19e145"),
    ] {
        for stream in ["", "--stream"] {
            desk.fails(&format!("{command} {options} {stream}"), 1, says);
        }
    }
}
