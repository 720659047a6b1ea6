//! Reads back what a recipe wrote: a Zarr store, version 2 of the format.
//!
//! Source: <https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html>

use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::scene::{items, words};
use crate::cli::error::{Error, Result};

/// A variable of a dataset.
#[derive(Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its dimensions with their lengths.
    pub shape: Vec<(String, u64)>,
    /// Its first value; `None` when it is compressed.
    pub first: Option<f64>,
    /// Of its values.
    pub units: Option<String>,
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: Vec<String> = self.shape.iter().map(|(name, length)| format!("{name}: {length}")).collect();
        write!(f, "{}({})", self.name, shape.join(", "))?;
        let Some(first) = self.first else { return Ok(()) };
        write!(f, ", the first is {first}")?;
        self.units.as_ref().map_or(Ok(()), |units| write!(f, " {units}"))
    }
}

/// Opens the store at `path` as its metadata, consolidated or not, describes it; its variables without
/// the coordinates.
///
/// # Errors
/// When there is no whole store.
pub fn open(path: &Path) -> Result<Vec<Variable>> {
    let broken = |why: String| Error::failure(format!("{} is no dataset", path.display())).because(why);
    let metadata = metadata(path).map_err(|error| broken(error.to_string()))?;
    let names = metadata.as_object().into_iter().flatten().filter_map(|(key, _)| key.strip_suffix("/.zarray"));
    let mut variables = Vec::new();
    for name in names {
        let (array, attributes) = (&metadata[format!("{name}/.zarray")], &metadata[format!("{name}/.zattrs")]);
        let dimensions = items(&attributes["_ARRAY_DIMENSIONS"]);
        if dimensions.iter().any(|dimension| dimension == name) {
            continue;
        }
        let lengths = items(&array["shape"]);
        let shape = dimensions.iter().zip(&lengths);
        let shape = shape.map(|(name, length)| (words(name).to_owned(), length.as_u64().unwrap_or_default())).collect();
        let units = attributes["units"].as_str().map(str::to_owned);
        let first = first(&path.join(name), array).map_err(|error| broken(format!("{name}: {error}")))?;
        variables.push(Variable { name: name.to_owned(), shape, first, units });
    }
    if variables.is_empty() { Err(broken("it has no variables".to_owned())) } else { Ok(variables) }
}

/// The metadata of a store by their names in it.
fn metadata(path: &Path) -> std::io::Result<Value> {
    if let Ok(text) = std::fs::read(path.join(".zmetadata")) {
        let mut consolidated: Value = serde_json::from_slice(&text)?;
        return Ok(consolidated["metadata"].take());
    }
    let mut all = serde_json::Map::new();
    for folder in std::fs::read_dir(path)? {
        let folder = folder?;
        for name in [".zarray", ".zattrs"] {
            if let Ok(text) = std::fs::read(folder.path().join(name)) {
                let key = format!("{}/{name}", folder.file_name().display());
                all.insert(key, serde_json::from_slice(&text)?);
            }
        }
    }
    Ok(Value::Object(all))
}

/// The first value of an array of plain numbers.
fn first(folder: &Path, array: &Value) -> std::io::Result<Option<f64>> {
    let separator = array["dimension_separator"].as_str().unwrap_or(".");
    let chunk = vec!["0"; items(&array["shape"]).len()].join(separator);
    let bytes = std::fs::read(folder.join(chunk))?;
    let plain = array["compressor"].is_null() && array["filters"].is_null();
    Ok(match words(&array["dtype"]) {
        "<f8" if plain => bytes.first_chunk().map(|bytes| f64::from_le_bytes(*bytes)),
        "<f4" if plain => bytes.first_chunk().map(|bytes| f64::from(f32::from_le_bytes(*bytes))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::{Variable, open};

    #[test]
    fn a_store_is_read_as_its_metadata_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let array = |compressor| {
            json!({
                "zarr_format": 2, "shape": [2, 3], "chunks": [2, 3], "dtype": "<f8", "compressor": compressor,
                "fill_value": null, "filters": null, "order": "C",
            })
        };
        let metadata = json!({
            ".zgroup": { "zarr_format": 2 },
            "time/.zarray": array(json!(null)), "time/.zattrs": { "_ARRAY_DIMENSIONS": ["time"] },
            "sst/.zarray": array(json!(null)), "sst/.zattrs": { "_ARRAY_DIMENSIONS": ["time", "lat"], "units": "K" },
            "ice/.zarray": array(json!({ "id": "blosc" })), "ice/.zattrs": { "_ARRAY_DIMENSIONS": ["time", "lat"] },
        });
        let written = json!({ "zarr_consolidated_format": 1, "metadata": &metadata }).to_string();
        assert_eq!(open(folder.path()).expect_err("nothing there").causes, ["it has no variables"]);
        fs::write(folder.path().join(".zmetadata"), written).expect("written");
        assert!(open(folder.path()).expect_err("no numbers").causes[0].starts_with("sst: "));
        for name in ["sst", "ice"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
            fs::write(folder.path().join(name).join("0.0"), 287.5f64.to_le_bytes()).expect("written");
        }
        let variables = open(folder.path()).expect("a store");
        let shape = vec![("time".to_owned(), 2), ("lat".to_owned(), 3)];
        let sst = Variable { name: "sst".into(), shape: shape.clone(), first: Some(287.5), units: Some("K".into()) };
        assert_eq!(sst.to_string(), "sst(time: 2, lat: 3), the first is 287.5 K");
        let ice = Variable { name: "ice".into(), shape, first: None, units: None };
        assert_eq!(ice.to_string(), "ice(time: 2, lat: 3)");
        assert_eq!(variables, [sst, ice]);
        for (name, value) in metadata.as_object().expect("an object").iter().filter(|(name, _)| name.contains('/')) {
            fs::create_dir_all(folder.path().join(name).parent().expect("a folder")).expect("a folder");
            fs::write(folder.path().join(name), value.to_string()).expect("written");
        }
        fs::remove_file(folder.path().join(".zmetadata")).expect("removed");
        let mut found = open(folder.path()).expect("a store without consolidated metadata");
        found.sort_by(|a, b| b.name.cmp(&a.name));
        assert_eq!(found, variables);
    }
}
