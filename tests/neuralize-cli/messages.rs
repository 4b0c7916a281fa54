//! What messages name, and how they name it.

use std::fs;

use crate::desk::Desk;

/// No line of a text is long, and nothing in it controls a terminal.
fn assert_harmless(text: &str) {
    assert!(!text.contains(|sign: char| sign.is_control() && sign != '\n'), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() < 1000), "{text}");
}

#[test]
fn names_are_short_and_harmless() {
    let desk = Desk::new();
    let red = "\u{1b}[31mred";
    let long = "x".repeat(5000);
    let rows = format!("1,0,{red}\n2,1,{red}\n8,0,{long}\n9,1,{long}\n");
    desk.write("l.csv", &format!("a,b{red},kind\n{rows}"));
    let said = desk.done("label l.csv --labels kind --model m").err;
    assert!(said.contains("\\u{1b}[31mred"), "{said}");
    assert_harmless(&said);
    let inspected = desk.done("inspect m").out;
    assert!(inspected.contains("0 = \\u{1b}[31mred"), "{inspected}");
    assert!(inspected.contains("b\\u{1b}[31mred"), "{inspected}");
    assert_harmless(&inspected);
    let of = format!("explain l.csv --model m --cluster {red}z");
    desk.fails(
        &of,
        2,
        "--cluster \\u{1b}[31mredz: the clusters of the model are \\u{1b}[31mred, x",
    );
    assert_harmless(&desk.run(&of).err);

    let coarse = format!("a{red},b\n1700000001,1\n1700000300,2\n1700000600,9\n");
    desk.write("coarse.csv", &coarse);
    let said = desk.done("fit coarse.csv -k 2 --model c --precision f32").err;
    assert!(said.contains("too far from 0 for precision f32"), "{said}");
    assert_harmless(&said);

    // Of a long path, the beginning and the end.
    let path = "p".repeat(3000);
    for command in ["fit data/NAME.csv -k 2 --model m", "predict l.csv --model data/NAME.csv"] {
        let said = desk.run(&command.replace("NAME", &path)).err;
        assert!(said.contains("data/ppp") && said.contains("ppp.csv: "), "{said}");
        assert_harmless(&said);
    }
    desk.fails(&format!("predict {red}.csv --model m"), 1, "\\u{1b}[31mred.csv: No such file");
}

#[test]
fn a_model_without_beta_says_what_to_do() {
    let desk = Desk::new();
    // Without its own support, either point is in the other's cluster.
    desk.write("two.csv", "a\n1\n2\n");
    desk.done("fit two.csv -k 2 --method kernel --model t");
    let says = "t: the model has no beta, since its training data do not tell its clusters apart";
    for (command, advice) in [
        ("explain two.csv --model t", "give one, such as --beta 1\n"),
        ("report two.csv --model t -o page.html", "give one, such as --beta 1\n"),
        ("profile two.csv --model t", "with another --scale, may have one"),
    ] {
        let said = desk.run(command);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{command}");
        assert!(said.err.contains(says) && said.err.contains(advice), "{command}: {}", said.err);
        assert!(!said.err.contains("with_heuristic_beta"), "{command}: {}", said.err);
    }
    desk.done("explain two.csv --model t --beta 1");
    // Distances too small for this precision are refused by the fit.
    desk.write("tiny.csv", "a,b\n1e-200,2e-200\n2e-200,1e-200\n9e-200,9e-200\n10e-200,9e-200\n");
    for method in ["kmeans", "kmedians", "power=3"] {
        let fit = format!("fit tiny.csv -k 2 --scale none --method {method} --model u");
        if method == "kmedians" {
            assert!(desk.done(&fit).err.contains("2 clusters of 2, 2"), "{method}");
        } else {
            desk.fails(&fit, 1, "rescale the data, by minmax for example");
        }
    }
    let scaled = "fit tiny.csv -k 2 --scale minmax --model u";
    assert!(desk.done(scaled).err.contains("2 clusters of 2, 2"));

    desk.write("same.csv", "a,b\n1,2\n1,2\n");
    let says = "these data give no beta, since the centroids do not tell them apart";
    desk.fails("import same.csv --data same.csv --model i", 1, says);
    desk.done("import same.csv --data same.csv --beta 1 --model i");
}

#[test]
fn numbers_are_refused_in_words() {
    let desk = Desk::with_wine();
    let least = |number: u8| format!("give a whole number of at least {number}");
    for (command, says) in [
        ("fit wine.csv -k -1 --model m", least(1)),
        ("fit wine.csv -k 0 --model m", least(1)),
        ("fit wine.csv -k 100000000000000000000 --model m", "this number is too large".into()),
        ("fit wine.csv -k 2 --seed -1 --model m", least(0)),
        ("fit wine.csv -k 2 --restarts -3 --model m", least(1)),
        ("choose wine.csv -k -1", "give A..B or A,B,..".into()),
        ("explain wine.csv --model model --limit -1", least(0)),
        ("explain wine.csv --model model --top -1", least(1)),
        ("explain wine.csv --model model --cluster -1", "--cluster -1: give `assigned`".into()),
        ("evaluate wine.csv --model model --points -1", least(1)),
        ("outliers wine.csv --supports 100000000000000000000", "is too large".into()),
    ] {
        desk.fails(command, 2, &says);
    }
    desk.fails("fit wine.csv -k 2 --tol -1 --model m", 1, "tol = -1 cannot be used");
}

/// Numbers of hundreds of digits have an exponent instead.
#[test]
fn long_numbers_are_short() {
    let desk = Desk::with_wine();
    desk.write("l.csv", "a,kind\n1,x\n2,x\n8,y\n9,y\n");
    let said = desk.done("label l.csv --labels kind --model m --gamma 1e300").err;
    assert!(said.contains("4 supports, gamma 1.000000e300\n"), "{said}");
    assert!(desk.done("inspect m").out.contains("gamma      1e300\n"));
    let said = desk.run("fit wine.csv -k 2 --method kernel --gamma 1e-300 --model k").err;
    assert!(said.contains("gamma = 1e-300 cannot be used"), "{said}");
    let said = desk.done("outliers wine.csv --gamma 1e300 -o scores.csv").err;
    assert!(said.contains("against 178 supports, gamma 1.000000e300"), "{said}");
}

#[test]
fn columns_of_another_case_are_a_short_list() {
    let desk = Desk::with_wine();
    desk.write("upper.csv", &desk.read("wine.csv").to_uppercase());
    let said = desk.run("predict upper.csv --model model").err;
    assert!(said.contains("`alcohol` (did you mean `ALCOHOL`?)"), "{said}");
    assert!(said.contains("nor 10 more; its columns are ") && said.contains(" more"), "{said}");
    assert!(said.chars().count() < 500, "{said}");
}

#[test]
fn a_column_has_one_kind() {
    let desk = Desk::with_wine();
    let says = "--as: column `ash` is given two kinds; say one";
    for command in [
        "fit wine.csv -k 2 --model m",
        "fit wine.csv -k 2 --stream --model m",
        "outliers wine.csv",
        "label wine.csv --labels target --model m",
    ] {
        desk.fails(&format!("{command} --as ash=number --as ash=category"), 2, says);
    }
    desk.done("fit wine.csv -k 2 --model m --as ash=number --as ash=number");
}

#[test]
fn faults_of_centroids_have_their_place() {
    let desk = Desk::new();
    desk.write("c.csv", "a,b\n1,2\n1,3\n");
    let import = |rest: &str, says: &str| {
        desk.fails(&format!("import {rest} --beta 1 --model i"), 1, says);
    };
    desk.write("text.csv", "a,b\n1,2\n1,x3\n");
    import("text.csv", "text.csv: column `b` does not hold numbers: line 3 has `x3`");
    desk.write("gap.csv", "a,b\n1,2\n1,\n");
    import("gap.csv", "gap.csv: column `b` has missing values, the first in line 3");
    desk.write("mean.csv", "a,b\n1,2\n");
    desk.write("more.csv", "a,b,c\n1,2,3\n");
    desk.write("spread.csv", "a,b\n1,0\n");
    let says = "spread.csv: column `b`: spread = 0 cannot be used";
    import("c.csv --mean mean.csv --spread spread.csv", says);
    let says = "more.csv: column `c` is no feature of the centroids";
    import("c.csv --mean more.csv --spread mean.csv", says);
    desk.write("scaler.json", r#"{"mean": [1], "spread": [1, 1]}"#);
    import("c.csv --scaler scaler.json", "scaler.json: 1 mean for 2 features");
}

#[test]
fn incomplete_and_changed_models_are_named() {
    let desk = Desk::with_wine();
    let config = desk.read("model/config.json");
    let mut changed: serde_json::Value = serde_json::from_str(&config).expect("JSON");
    changed["info"]["sizes"] = serde_json::json!([178]);
    desk.write("model/config.json", &changed.to_string());
    let says =
        "model/config.json: was changed since the model was saved: the list of sizes has shape [1]";
    desk.fails("predict wine.csv --model model", 1, says);
    desk.write("model/config.json", &config);
    desk.done("predict wine.csv --model model");
    for entry in fs::read_dir(desk.path("model")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "bpk") {
            fs::remove_file(path).expect("removed");
        }
    }
    for command in ["predict wine.csv --model model", "inspect model"] {
        desk.fails(command, 1, "model: is not complete: its file model-");
    }
}

/// Nobody asked for the temporary file.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_no_temporary_file() {
    let desk = Desk::with_wine();
    let said = desk.run("predict wine.csv --model model -o /sys/clusters.csv");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("/sys/clusters.csv: "), "{}", said.err);
    assert!(!said.err.contains(".neuralize-"), "{}", said.err);
}

#[test]
fn tables_have_their_paths() {
    let desk = Desk::with_wine();
    fs::create_dir(desk.path("sub")).expect("a folder");
    let header = desk.read("wine.csv").lines().next().map(str::to_owned).unwrap_or_default();
    desk.write("sub/none.csv", &(header + "\n"));
    let none = "sub/none.csv: there are no rows to";
    desk.fails("report sub/none.csv --model model -o page.html", 1, none);
    desk.fails("evaluate sub/none.csv --model model", 1, none);
}

#[test]
fn one_is_one() {
    let desk = Desk::new();
    desk.write("l.csv", "a,kind\n1,x\n2,x\n8,y\n9,y\n5,-1\n");
    let said = desk.done("label l.csv --labels kind --model m").err;
    assert!(said.contains("(labels x, y), 1 row of noise left out; 4 supports"), "{said}");
    desk.write("one.csv", "a\n1\n");
    assert!(desk.done("profile one.csv --model m").out.starts_with("one.csv: 1 row in 2 clusters"));
    let said = desk.done("explain one.csv --model m --check").err;
    assert!(said.contains("checked 1 point; "), "{said}");
}
