//! The figures of other programs: `tests/reference/profile/make.py`.

use neuralize::profile::{ClusteredRows, ColumnProfile, ColumnValues, CrossTable, Profile};
use serde_json::Value;

fn figures() -> Value {
    serde_json::from_str(include_str!("../../reference/profile/profile.json"))
        .expect("the figures are JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn float(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn whole(value: &Value) -> usize {
    value.as_u64().expect("a whole number") as usize
}

fn wholes(value: &Value) -> Vec<usize> {
    list(value).iter().map(whole).collect()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let error = (found - expected).abs();
    assert!(error <= tolerance * (1.0 + expected.abs()), "{what}: {found}, expected {expected}");
}

/// Columns of the cars with their filled cells: numbers in the median's place.
struct Cars {
    clusters: Vec<usize>,
    numbers: Vec<(String, Vec<f64>, Vec<bool>)>,
    shares: Vec<(String, Vec<Option<usize>>, Vec<String>)>,
}

impl Cars {
    fn of(cars: &Value) -> Self {
        let name = |entry: &Value| entry["name"].as_str().expect("a name").to_owned();
        let numbers = list(&cars["numbers"]).iter().map(|entry| {
            let values = list(&entry["values"]);
            let filled = values.iter().map(Value::is_null).collect();
            // What stands in a filled cell must not matter.
            (name(entry), values.iter().map(|v| v.as_f64().unwrap_or(1e6)).collect(), filled)
        });
        let shares = list(&cars["shares"]).iter().map(|entry| {
            let codes = wholes(&entry["cells"]).into_iter().map(Some).collect();
            let values =
                list(&entry["values"]).iter().map(|v| v.as_str().expect("text").to_owned());
            (name(entry), codes, values.collect())
        });
        Self {
            clusters: wholes(&cars["clusters"]),
            numbers: numbers.collect(),
            shares: shares.collect(),
        }
    }

    fn columns(&self) -> Vec<ColumnValues<'_>> {
        let numbers = self
            .numbers
            .iter()
            .map(|(name, values, filled)| ColumnValues::numbers(name, values).with_filled(filled));
        let shares = self
            .shares
            .iter()
            .map(|(name, codes, values)| ColumnValues::category(name, codes, values));
        numbers.chain(shares).collect()
    }
}

#[test]
fn numbers_are_those_of_pandas_and_scipy() {
    let figures = figures();
    let cars = Cars::of(&figures["cars"]);
    let columns = cars.columns();
    let profile = Profile::of(&ClusteredRows::new(&columns, &cars.clusters, 4).expect("rows"));
    for (expected, column) in list(&figures["cars"]["numbers"]).iter().zip(&profile.columns) {
        let ColumnProfile::Numbers(numbers) = column else { panic!("numbers") };
        let all = numbers.all.expect("cells");
        for (found, name) in [(all.mean, "mean"), (all.median, "median"), (all.sd, "sd")] {
            close(found, float(&expected[name]), 1e-13, name);
        }
        for (expected, own) in list(&expected["clusters"]).iter().zip(&numbers.clusters) {
            let own = own.expect("cells");
            let test = own.test.expect("a test");
            assert_eq!(own.summary.count, whole(&expected["count"]));
            for (found, name) in [
                (own.summary.mean, "mean"),
                (own.summary.median, "median"),
                (own.summary.sd, "sd"),
                (test.v, "v"),
                (test.p.ln(), "p"),
            ] {
                let expected = float(&expected[name]);
                close(found, if name == "p" { expected.ln() } else { expected }, 1e-12, name);
            }
        }
    }
}

#[test]
fn shares_are_those_of_scipy() {
    let figures = figures();
    let cars = Cars::of(&figures["cars"]);
    let columns = cars.columns();
    let profile = Profile::of(&ClusteredRows::new(&columns, &cars.clusters, 4).expect("rows"));
    let found = &profile.columns[cars.numbers.len()..];
    for (expected, column) in list(&figures["cars"]["shares"]).iter().zip(found) {
        let ColumnProfile::Shares(shares) = column else { panic!("shares") };
        for (expected, value) in list(&expected["of"]).iter().zip(&shares.values) {
            close(value.share, float(&expected["share"]), 1e-15, "share");
            for (expected, own) in list(&expected["clusters"]).iter().zip(&value.clusters) {
                let own = own.expect("cells");
                let test = own.test.expect("a test");
                assert_eq!(own.count, whole(&expected["count"]));
                close(own.share, float(&expected["share"]), 1e-15, "share");
                close(test.v, float(&expected["v"]), 1e-9, "v");
                close(test.p, float(&expected["p"]), 1e-10, "p");
            }
        }
    }
}

/// Hypergeometric tails of up to a million rows, to v-tests of several hundred.
#[test]
fn shares_of_many_rows() {
    let figures = figures();
    let draws = list(&figures["draws"]);
    let draw = |entry: &Value| ["rows", "marked", "drawn"].map(|name| whole(&entry[name]));
    for same in draws.chunk_by(|a, b| draw(a) == draw(b)) {
        let [rows, marked, drawn] = draw(&same[0]);
        let clusters: Vec<usize> = (0..rows).map(|row| usize::from(row >= drawn)).collect();
        let flags: Vec<Vec<bool>> = same
            .iter()
            .map(|entry| {
                let found = whole(&entry["found"]);
                let is_marked = |row| row < found || (drawn..drawn + marked - found).contains(&row);
                (0..rows).map(is_marked).collect()
            })
            .collect();
        let columns: Vec<ColumnValues<'_>> =
            flags.iter().map(|flags| ColumnValues::flags("f", flags)).collect();
        let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2).expect("rows"));
        for (expected, column) in same.iter().zip(&profile.columns) {
            let ColumnProfile::Shares(shares) = column else { panic!("shares") };
            let test = shares.values[0].clusters[0].and_then(|own| own.test).expect("a test");
            close(test.v, float(&expected["v"]), 1e-11, "v");
            close(test.p, float(&expected["ln_p"]).exp(), 1e-11, "p");
            if test.p > 0.0 {
                close(test.p.ln(), float(&expected["ln_p"]), 1e-11, "ln p");
            }
        }
    }
}

#[test]
fn pooled_differences() {
    let figures = figures();
    let cars = Cars::of(&figures["cars"]);
    let columns = cars.columns();
    let data = ClusteredRows::new(&columns, &cars.clusters, 4).expect("rows");
    let profile = Profile::of(&data);
    for expected in list(&figures["pooled"]) {
        let versus = profile.versus(&data, whole(&expected["a"]), whole(&expected["b"]));
        let differences = versus.expect("clusters").differences;
        let name = expected["name"].as_str();
        let found = differences.iter().find(|d| Some(columns[d.column].name()) == name);
        close(found.expect("the column").difference, float(&expected["d"]), 1e-12, "d");
    }
}

#[test]
fn agreement_is_that_of_scikit_learn() {
    for entry in list(&figures()["agreement"]) {
        let classes: Vec<Option<usize>> = wholes(&entry["classes"]).into_iter().map(Some).collect();
        let [k, c] = ["n_clusters", "n_classes"].map(|name| whole(&entry[name]));
        let table = CrossTable::of(&wholes(&entry["clusters"]), &classes, k, c).expect("a table");
        let found = table.agreement();
        for (found, name) in [
            (found.adjusted_rand, "ari"),
            (found.homogeneity, "homogeneity"),
            (found.completeness, "completeness"),
            (found.v_measure, "v_measure"),
        ] {
            close(found, float(&entry[name]), 1e-12, name);
        }
    }
}
