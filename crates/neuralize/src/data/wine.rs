//! The wine data, compiled into the library.

use crate::data::input::{TableOptions, TableReader};
use crate::data::table::Table;

impl Table {
    /// The wine recognition data (Forina et al., UCI Machine Learning
    /// Repository, CC BY 4.0): 178 wines of three cultivars (the labels 0, 1
    /// and 2), 13 measurements.
    pub fn wine() -> Self {
        let options = TableOptions::default().with_label("target");
        TableReader::csv("wine.csv", Self::wine_csv().as_bytes(), &options)
            .and_then(|mut reader| reader.read_all())
            .expect("a test reads the embedded table")
    }

    /// The wine data as the text of a CSV file.
    pub fn wine_csv() -> &'static str {
        include_str!("wine.csv")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wine_is_sound() {
        let wine = Table::wine();
        assert_eq!((wine.rows(), wine.features().len()), (178, 13));
        let (classes, names) = wine.classes().expect("labels");
        assert_eq!(names, ["0", "1", "2"]);
        assert_eq!(classes.iter().filter(|&&class| class == 1).count(), 71);
    }
}
