//! The bakeries of a deployment: `bakeries/NAME.DEPLOYMENT.yaml`, with the secrets of
//! `secrets/bakery-args.NAME.yaml` laid over them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::deployment::Deployment;
use super::document::{Document, edit};
use crate::apps::recipes::Bakeries;
use crate::apps::recipes::bakeries::Bakery;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};

/// The sections whose arguments may be secret.
const STORAGES: [&str; 3] = ["TargetStorage", "InputCacheStorage", "MetadataCacheStorage"];

/// What of a section an overlay may hold.
const ARGS: &str = "fsspec_args";

/// Reads those of `deployment`.
///
/// # Errors
/// When a file is wrong or does not decrypt; no value of it is repeated.
pub fn read(cx: &Cx, deployment: &Deployment) -> Result<Bakeries> {
    let root = cx.settings.root.value.as_path();
    if let Some((name, overlay)) = orphan(root) {
        return Err(Error::config(format!("{} belongs to no bakery", overlay.display()))
            .because(format!("there is no file bakeries/{name}.DEPLOYMENT.yaml"))
            .hint(format!("ls {}", root.join("bakeries").display())));
    }
    files(&root.join("bakeries"), deployment).into_iter().map(|(name, path)| one(cx, root, name, &path)).collect()
}

/// The files of `deployment` by the names of their bakeries. The last word of a file's name is the
/// App's name or the kind of deployment; where both are there, the App's own counts.
pub fn files(folder: &Path, deployment: &Deployment) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| {
        let file = entry.file_name().into_string().ok()?;
        let (name, whose) = file.strip_suffix(".yaml")?.rsplit_once('.')?;
        let own = whose == deployment.app;
        let fits = !name.is_empty() && (own || whose == deployment.kind());
        fits.then(|| (name.to_owned(), own, entry.path()))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    // Of two with the same name, the App's own comes last.
    named.into_iter().map(|(name, _, path)| (name, path)).collect()
}

/// Secrets of a bakery that no deployment has: its name is misspelt here or there.
fn orphan(root: &Path) -> Option<(String, PathBuf)> {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let bakeries = names("bakeries");
    let known = |name: &str| {
        let own = |file: &String| {
            file.strip_suffix(".yaml").and_then(|file| file.rsplit_once('.')).map(|(own, _)| own == name)
        };
        bakeries.iter().any(|file| own(file) == Some(true))
    };
    let mut overlays = names("secrets");
    overlays.sort();
    overlays.into_iter().find_map(|file| {
        let name = file.strip_prefix("bakery-args.")?.strip_suffix(".yaml")?;
        (!known(name)).then(|| (name.to_owned(), root.join("secrets").join(&file)))
    })
}

fn one(cx: &Cx, root: &Path, name: String, path: &Path) -> Result<(String, Bakery)> {
    let (public, encrypted) = Document::load(cx, path)?;
    let mut sections = public.value().clone();
    let whole = check(&sections).map_err(|wrong| told(path, encrypted, &wrong))?;
    let overlay = root.join(format!("secrets/bakery-args.{name}.yaml"));
    if !overlay.exists() {
        return Ok((name, whole));
    }
    let (secret, encrypted) = Document::load(cx, &overlay)?;
    lay_over(&mut sections, secret.value()).map_err(|wrong| told(&overlay, encrypted, &wrong))?;
    let bakery = check(&sections).map_err(|wrong| told(&overlay, encrypted, &wrong))?;
    Ok((name, bakery))
}

fn told(path: &Path, encrypted: bool, wrong: &str) -> Error {
    Error::config(format!("{} is not a bakery's", path.display())).because(wrong).hint(edit(path, encrypted))
}

/// The sections as a bakery. What is wrong with them is told without their values.
fn check(sections: &Value) -> std::result::Result<Bakery, String> {
    serde_yaml::from_value(sections.clone()).map_err(|error| {
        let error = error.to_string();
        // Of the wrong type, serde repeats what was found.
        let repeats = error.contains("invalid type") || error.contains("invalid value");
        match error.split_once(", expected ") {
            Some((_, expected)) if repeats => format!("expected {expected}"),
            _ if repeats => "a value has the wrong type".to_owned(),
            _ => error,
        }
    })
}

/// Lays the arguments of `secret` over those of the same sections.
fn lay_over(sections: &mut Value, secret: &Value) -> std::result::Result<(), String> {
    for (section, entries) in secret.as_mapping().into_iter().flatten() {
        let section = section.as_str().filter(|name| STORAGES.contains(name));
        let section = section.ok_or_else(|| format!("only {} can be laid over", STORAGES.join(", ")))?;
        let args = entries.as_mapping().filter(|entries| entries.len() == 1).and_then(|entries| entries.get(ARGS));
        let args =
            args.and_then(Value::as_mapping).ok_or_else(|| format!("{section} must hold {ARGS} and nothing else"))?;
        let there = sections.get_mut(section).and_then(Value::as_mapping_mut);
        let there = there.ok_or_else(|| format!("the bakery has no {section}"))?;
        let slot = there.entry(ARGS.into()).or_insert_with(|| Value::Mapping(Mapping::new()));
        if slot.is_null() {
            *slot = Value::Mapping(Mapping::new());
        }
        let slot = slot.as_mapping_mut().ok_or_else(|| format!("{section}.{ARGS} of the bakery is no mapping"))?;
        slot.extend(args.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "Bake: {bakery_class: x.LocalDirectBakery}\n\
        TargetStorage: {fsspec_class: s3fs.S3FileSystem, fsspec_args: {bucket: b}, root_path: 'x/{subpath}'}\n\
        InputCacheStorage: {fsspec_class: s3fs.S3FileSystem, root_path: cache}\n";

    fn yaml(text: &str) -> Value {
        serde_yaml::from_str(text).expect("YAML")
    }

    #[test]
    fn the_apps_own_file_comes_before_that_of_its_kind() {
        let folder = tempfile::tempdir().expect("tempdir");
        for name in [
            "a.prod.yaml",
            "a.pangeo-forge.yaml",
            "b.prod.yaml",
            "c.staging.yaml",
            "my.osn.pangeo-forge.yaml",
            ".prod.yaml",
            "a.prod.yml",
        ] {
            fs::write(folder.path().join(name), "").expect("write");
        }
        let deployment = Deployment { app: "pangeo-forge".to_owned(), path: PathBuf::new() };
        let found: Vec<(String, String)> = files(folder.path(), &deployment)
            .into_iter()
            .map(|(name, path)| (name, path.file_name().expect("a name").to_string_lossy().into_owned()))
            .collect();
        let expected = [("a", "a.pangeo-forge.yaml"), ("b", "b.prod.yaml"), ("my.osn", "my.osn.pangeo-forge.yaml")];
        assert_eq!(found, expected.map(|(name, file)| (name.to_owned(), file.to_owned())));
        assert!(files(Path::new("/nonexistent"), &deployment).is_empty());
    }

    #[test]
    fn secrets_of_no_bakery_are_noticed() {
        let root = tempfile::tempdir().expect("tempdir");
        for file in ["bakeries/a.prod.yaml", "secrets/bakery-args.a.yaml", "secrets/config.x.yaml"] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("mkdir");
            fs::write(path, "").expect("write");
        }
        assert_eq!(orphan(root.path()), None);
        let misspelt = root.path().join("secrets/bakery-args.b.yaml");
        fs::write(&misspelt, "").expect("write");
        assert_eq!(orphan(root.path()), Some(("b".to_owned(), misspelt)));
    }

    #[test]
    fn secrets_are_laid_over_what_is_public() {
        let mut sections = yaml(PUBLIC);
        let secret = yaml(
            "TargetStorage: {fsspec_args: {key: k, bucket: c}}\nInputCacheStorage: {fsspec_args: {secret: hunter2}}\n",
        );
        lay_over(&mut sections, &secret).expect("fits");
        let bakery = check(&sections).expect("a bakery");
        let arg = |name: &str| bakery.target.fsspec_args[name].expose_json().to_owned();
        assert_eq!((arg("key"), arg("bucket")), ("\"k\"".to_owned(), "\"c\"".to_owned()));
        assert_eq!(bakery.input_cache.expect("a cache").fsspec_args["secret"].expose_json(), "\"hunter2\"");
    }

    #[test]
    fn mistakes_are_told_without_values() {
        for (secret, words) in [
            ("Bake: {bakery_class: hunter2}", "only TargetStorage, InputCacheStorage, MetadataCacheStorage"),
            ("TargetStorage: {root_path: hunter2}", "must hold fsspec_args and nothing else"),
            ("TargetStorage: hunter2", "must hold fsspec_args"),
            ("MetadataCacheStorage: {fsspec_args: {key: hunter2}}", "the bakery has no MetadataCacheStorage"),
            ("TargetStorage: {fsspec_args: {password: hunter2}}", "unknown argument `password`"),
        ] {
            let mut sections = yaml(PUBLIC);
            let wrong = lay_over(&mut sections, &yaml(secret)).and_then(|()| check(&sections).map(drop));
            let wrong = wrong.expect_err(secret);
            assert!(wrong.contains(words) && !wrong.contains("hunter2"), "{secret}: {wrong}");
        }
        let wrong = check(&yaml("Bake: hunter2\nTargetStorage: hunter2\n")).expect_err("wrong");
        assert!(wrong.contains("expected") && !wrong.contains("hunter2"), "{wrong}");
    }
}
