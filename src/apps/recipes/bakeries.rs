//! Bakeries: where recipes are run and where their datasets go, as the operator configures them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::runner::scan::Known;
use crate::util::Secret;

/// What an argument of a file system may be called.
pub const FSSPEC_ARGS: [&str; 7] =
    ["bucket", "client_kwargs", "default_cache_type", "default_fill_cache", "use_listings_cache", "key", "secret"];
/// Arguments whose values are no secrets, also inside of `client_kwargs`: to take them out of a log
/// would hide nothing and cost much.
const HARMLESS: [&str; 6] =
    ["bucket", "default_cache_type", "default_fill_cache", "use_listings_cache", "endpoint_url", "region_name"];

/// The configured bakeries by name: the name in the table of bakeries and in `meta.yaml`.
pub type Bakeries = BTreeMap<String, Bakery>;

/// A bakery: the sections of `bakeries/<name>.<deployment>.yaml`, with the secrets of
/// `secrets/bakery-args.<name>.yaml` laid over them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Sections")]
pub struct Bakery {
    /// What runs the recipes.
    pub bake: Bake,
    /// Where datasets go.
    pub target: Storage,
    /// Where inputs are kept between runs.
    pub input_cache: Option<Storage>,
    /// Where what is known of inputs is kept between runs.
    pub metadata_cache: Option<Storage>,
    /// Traits of the bakery's own class, by class name: `DataflowBakery`, `FlinkOperatorBakery`,
    /// `LocalDirectBakery`.
    pub classes: BTreeMap<String, Value>,
}

/// The file as it is written.
#[derive(Deserialize)]
struct Sections {
    #[serde(rename = "Bake")]
    bake: Bake,
    #[serde(rename = "TargetStorage")]
    target: Storage,
    #[serde(rename = "InputCacheStorage", default)]
    input_cache: Option<Storage>,
    #[serde(rename = "MetadataCacheStorage", default)]
    metadata_cache: Option<Storage>,
    #[serde(flatten)]
    classes: BTreeMap<String, Value>,
}

/// `Bake`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bake {
    /// Python path of the bakery's class.
    pub bakery_class: String,
    /// Name of every job, for a bakery that runs one at a time; else pforge names them.
    #[serde(default)]
    pub job_name: Option<String>,
    /// The image that remote workers run.
    #[serde(default)]
    pub container_image: Option<String>,
}

/// A storage section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Python path of the file system's class.
    pub fsspec_class: String,
    /// How it is opened, by the names in [`FSSPEC_ARGS`]. Only the runner sees it.
    #[serde(default, deserialize_with = "known_args")]
    pub fsspec_args: BTreeMap<String, Arg>,
    /// Where in it; `{subpath}` is the run's own place.
    pub root_path: String,
    /// Where the world can open it; `{root_path}` is the whole place.
    #[serde(default)]
    pub public_url: Option<String>,
}

/// An argument of a file system: never shown, whatever it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Value")]
pub struct Arg(Secret);

impl From<Value> for Arg {
    fn from(value: Value) -> Self {
        Self(Secret::new(value.to_string()))
    }
}

impl Arg {
    /// The value as JSON text. For the runner's file only.
    pub fn expose_json(&self) -> &str {
        self.0.expose()
    }

    fn value(&self) -> Value {
        serde_json::from_str(self.expose_json()).unwrap_or_default()
    }
}

impl TryFrom<Sections> for Bakery {
    type Error = String;

    fn try_from(sections: Sections) -> Result<Self, String> {
        let Sections { bake, target, input_cache, metadata_cache, classes } = sections;
        for (name, traits) in &classes {
            if !name.ends_with("Bakery") {
                let known =
                    "Bake, TargetStorage, InputCacheStorage, MetadataCacheStorage, or a class such as DataflowBakery";
                return Err(format!("unknown section `{name}`, expected {known}"));
            }
            if !traits.is_object() && !traits.is_null() {
                return Err(format!("{name}: expected a mapping"));
            }
        }
        if bake.bakery_class.is_empty() || target.root_path.is_empty() {
            return Err("Bake.bakery_class and TargetStorage.root_path must not be empty".to_owned());
        }
        Ok(Self { bake, target, input_cache, metadata_cache, classes })
    }
}

fn known_args<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Arg>, D::Error> {
    let args = Option::<BTreeMap<String, Arg>>::deserialize(deserializer)?.unwrap_or_default();
    match args.keys().find(|name| !FSSPEC_ARGS.contains(&name.as_str())) {
        None => Ok(args),
        Some(unknown) => {
            let known = FSSPEC_ARGS.join(", ");
            Err(serde::de::Error::custom(format!("fsspec_args: unknown argument `{unknown}`, expected one of {known}")))
        }
    }
}

impl Storage {
    fn section(&self, root_path: String) -> Value {
        let args = self.fsspec_args.iter().map(|(name, arg)| (name.clone(), arg.value()));
        let args: Map<String, Value> = args.filter(|(_, value)| !value.is_null()).collect();
        json!({
            "fsspec_class": self.fsspec_class, "fsspec_args": args, "root_path": root_path, "public_url": self.public_url,
        })
    }
}

impl Bakery {
    /// Whether its jobs need a name of ours: they run elsewhere, and are reported by it.
    pub fn names_jobs(&self) -> bool {
        ["DataflowBakery", "FlinkOperatorBakery"].iter().any(|class| self.bake.bakery_class.ends_with(class))
    }

    /// Values that must not be repeated where others can read them.
    pub fn known(&self) -> Known {
        let mut values = Vec::new();
        for (name, arg) in self.storages().flat_map(|storage| &storage.fsspec_args) {
            secrets(name, &arg.value(), &mut values);
        }
        Known::new(values)
    }

    /// Folders of this machine that a run at `subpath` writes to. The run's own place is what its
    /// storage stands in: the runner may remove and make anew the storage itself.
    pub(super) fn local_folders(&self, subpath: &str) -> Vec<PathBuf> {
        let local = self.storages().filter(|storage| storage.fsspec_class.ends_with(".LocalFileSystem"));
        let folder = |storage: &Storage| {
            let root = storage.root_path_of(subpath);
            let path = PathBuf::from(root.strip_prefix("file://").unwrap_or(&root));
            let own = storage.root_path.contains("{subpath}");
            let parent = path.parent().filter(|parent| own && parent.parent().is_some()).map(PathBuf::from);
            // A name of the job's in the path is made by the runner.
            let fixed = |path: &Path| !path.to_string_lossy().contains('{');
            let path = parent.unwrap_or(path);
            path.ancestors().find(|path| fixed(path)).map(Path::to_path_buf)
        };
        local.filter_map(folder).filter(|path| path.is_absolute() && path.parent().is_some()).collect()
    }

    /// The runner's config of a run, as JSON text, with all secrets.
    ///
    /// A name that is not set is null, as the runner has it; but `container_image` is left out,
    /// because the runner takes no null for it.
    pub(super) fn runner_config(&self, subpath: &str, job_name: Option<&str>) -> Secret {
        let mut bake = json!({
            "bakery_class": self.bake.bakery_class,
            "job_name": job_name.or(self.bake.job_name.as_deref()),
        });
        if let Some(image) = &self.bake.container_image {
            bake["container_image"] = image.as_str().into();
        }
        let mut config = Map::new();
        config.insert("Bake".to_owned(), bake);
        config.insert("TargetStorage".to_owned(), self.target.section(self.target.root_path_of(subpath)));
        if let Some(cache) = &self.input_cache {
            // Shared by all runs.
            config.insert("InputCacheStorage".to_owned(), cache.section(cache.root_path.clone()));
        }
        if let Some(cache) = &self.metadata_cache {
            config.insert("MetadataCacheStorage".to_owned(), cache.section(cache.root_path_of(subpath)));
        }
        config.insert("DataflowBakery".to_owned(), Value::Null);
        config.extend(self.classes.iter().map(|(name, traits)| (name.clone(), traits.clone())));
        Secret::new(Value::Object(config).to_string())
    }

    fn storages(&self) -> impl Iterator<Item = &Storage> {
        [Some(&self.target), self.input_cache.as_ref(), self.metadata_cache.as_ref()].into_iter().flatten()
    }
}

/// All texts and numbers below `value`, but those with a harmless name.
fn secrets(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        _ if HARMLESS.contains(&name) => {}
        Value::String(text) => found.push(text.clone()),
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| secrets(name, item, found)),
        Value::Object(map) => map.iter().for_each(|(name, value)| secrets(name, value, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bakery(change: impl FnOnce(&mut Value)) -> Result<Bakery, String> {
        let mut sections = json!({
            "Bake": { "bakery_class": "x.DataflowBakery", "container_image": "an/image" },
            "TargetStorage": {
                "fsspec_class": "s3fs.S3FileSystem",
                "fsspec_args": {
                    "key": "the-key", "secret": "the-secret", "default_cache_type": "none", "use_listings_cache": null,
                    "client_kwargs": { "endpoint_url": "https://ncsa.osn.xsede.org", "token": 12345 },
                },
                "root_path": "Pangeo/{subpath}",
                "public_url": "https://ncsa.osn.xsede.org/{root_path}",
            },
            "InputCacheStorage": { "fsspec_class": "a.LocalFileSystem", "root_path": "/cache" },
            "MetadataCacheStorage": { "fsspec_class": "a.LocalFileSystem", "root_path": "/meta/{subpath}" },
            "DataflowBakery": { "temp_gcs_location": "gs://x" },
        });
        change(&mut sections);
        serde_json::from_value(sections).map_err(|error| error.to_string())
    }

    #[test]
    fn the_runner_is_told_everything() {
        let config = bakery(|_| ()).expect("valid").runner_config("a/b.zarr", Some("a61"));
        let config: Value = serde_json::from_str(config.expose()).expect("JSON");
        assert_eq!(
            config,
            json!({
                "Bake": { "bakery_class": "x.DataflowBakery", "job_name": "a61", "container_image": "an/image" },
                "TargetStorage": {
                    "fsspec_class": "s3fs.S3FileSystem",
                    "fsspec_args": {
                        "client_kwargs": { "endpoint_url": "https://ncsa.osn.xsede.org", "token": 12345 },
                        "default_cache_type": "none", "key": "the-key", "secret": "the-secret",
                    },
                    "root_path": "Pangeo/a/b.zarr",
                    "public_url": "https://ncsa.osn.xsede.org/{root_path}",
                },
                "InputCacheStorage": {
                    "fsspec_class": "a.LocalFileSystem", "fsspec_args": {}, "root_path": "/cache", "public_url": null,
                },
                "MetadataCacheStorage": {
                    "fsspec_class": "a.LocalFileSystem", "fsspec_args": {}, "root_path": "/meta/a/b.zarr",
                    "public_url": null,
                },
                "DataflowBakery": { "temp_gcs_location": "gs://x" },
            })
        );
        let plain = bakery(|sections| {
            sections["Bake"] = json!({ "bakery_class": "x.LocalDirectBakery" });
            sections.as_object_mut().expect("sections").remove("DataflowBakery");
        });
        let config: Value =
            serde_json::from_str(plain.expect("valid").runner_config("a", None).expose()).expect("JSON");
        assert_eq!(config["Bake"], json!({ "bakery_class": "x.LocalDirectBakery", "job_name": null }));
        assert_eq!(config.get("DataflowBakery"), Some(&Value::Null));
    }

    #[test]
    fn only_secrets_are_secrets() {
        use super::super::runner::scan::scan;
        let bakery = bakery(|_| ()).expect("valid");
        let text = "the-key the-secret 12345 none https://ncsa.osn.xsede.org";
        assert_eq!(scan(text, &bakery.known()).text, "*** *** *** none https://ncsa.osn.xsede.org");
        let shown = format!("{bakery:?}");
        assert!(!shown.contains("the-key") && !shown.contains("12345") && shown.contains("[redacted]"), "{shown}");
    }

    #[test]
    fn local_storages_are_known() {
        let folders = bakery(|sections| {
            sections["TargetStorage"] = json!({
                "fsspec_class": "a.LocalFileSystem", "root_path": "file:///data/{job_name}/x",
            });
        });
        let folders = folders.expect("valid").local_folders("a/b.zarr");
        assert_eq!(folders, ["/data", "/cache", "/meta/a"].map(PathBuf::from));
    }

    #[test]
    fn mistakes_are_named() {
        for (path, value, words) in [
            ("/TargetStorage/fsspec_args/token", json!("x"), "unknown argument `token`, expected one of bucket"),
            ("/TargetStorge", json!({}), "unknown section `TargetStorge`"),
            ("/DataflowBakery", json!("x"), "DataflowBakery: expected a mapping"),
            ("/Bake/image", json!("x"), "unknown field `image`"),
            ("/Bake/bakery_class", json!(""), "must not be empty"),
        ] {
            let error = bakery(|sections| {
                let (parent, name) = path.rsplit_once('/').expect("a path");
                sections.pointer_mut(parent).expect(parent)[name] = value.clone();
            });
            let error = error.expect_err(path);
            assert!(error.contains(words), "{path}: {error}");
        }
    }
}
