//! A small Zarr store, version 2 of the format: <https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html>.

use std::f64::consts::TAU;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// Writes a dataset of `steps` days at `path`: `sst` over `time`, uncompressed, with consolidated
/// metadata, so that `xarray.open_dataset(path, engine="zarr")` opens it. What is there already is
/// written over.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(path: &Path, title: &str, steps: usize) -> io::Result<()> {
    let days = (0..steps).map(|step| step as f64);
    let sst = days.clone().map(|day| 15.0 + 5.0 * (TAU * day / 365.0).sin());
    let time = json!({ "units": "days since 2020-01-01", "calendar": "proleptic_gregorian" });
    let attributes = [
        ("time", steps, time),
        ("sst", steps, json!({ "units": "degrees_Celsius", "long_name": "sea surface temperature, made up" })),
    ];
    let mut metadata = serde_json::Map::new();
    metadata.insert(".zgroup".to_owned(), json!({ "zarr_format": 2 }));
    metadata.insert(".zattrs".to_owned(), json!({ "title": title }));
    for (name, length, mut attributes) in attributes {
        attributes["_ARRAY_DIMENSIONS"] = json!(["time"]);
        metadata.insert(format!("{name}/.zarray"), array(length));
        metadata.insert(format!("{name}/.zattrs"), attributes);
    }
    for name in ["time", "sst"] {
        fs::create_dir_all(path.join(name))?;
    }
    for (name, value) in &metadata {
        fs::write(path.join(name), format!("{value:#}\n"))?;
    }
    fs::write(path.join("time/0"), days.flat_map(f64::to_le_bytes).collect::<Vec<u8>>())?;
    fs::write(path.join("sst/0"), sst.flat_map(f64::to_le_bytes).collect::<Vec<u8>>())?;
    // Last: a store with it is whole.
    let consolidated = json!({ "metadata": metadata, "zarr_consolidated_format": 1 });
    fs::write(path.join(".zmetadata"), format!("{consolidated:#}\n"))
}

/// One chunk of numbers of 64 bits.
fn array(length: usize) -> Value {
    json!({
        "zarr_format": 2, "shape": [length], "chunks": [length], "dtype": "<f8", "compressor": null,
        "fill_value": null, "filters": null, "order": "C",
    })
}
