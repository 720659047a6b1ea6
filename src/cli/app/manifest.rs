//! The manifest of the project: the defaults of the deployment, and the project's own over them.
//!
//! The project's own stands in the section `manifest` of `pforge.yaml` beside `secrets/`, or in a
//! file named by `--manifest`, of which it is the section `manifest` or else the whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::github::manifest::{Deployment, Finding, Manifest, Network, check};

/// The project's file.
const FILE: &str = "pforge.yaml";
/// Its section.
const SECTION: &str = "manifest";

/// What the project says of its App.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// The keys that it says something of.
    pub keys: Map<String, Value>,
    /// The file that says it.
    pub file: Option<PathBuf>,
}

impl Own {
    /// Reads the file `named`, or the project's.
    ///
    /// # Errors
    /// When a file that is named is not there, or one that is there is no YAML (or JSON) mapping.
    pub fn read(cx: &Cx, named: Option<&Path>) -> Result<Self> {
        let path = named.map_or_else(|| cx.settings.root.value.join(FILE), Path::to_path_buf);
        let shown = cx.settings.shown(&path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(
                    Error::new(Kind::NotFound, format!("there is no manifest {shown}")).hint("pforge new-app --help")
                );
            }
            Err(error) => return Err(Error::config(format!("cannot read {shown}")).caused_by(&error)),
        };
        let edit = format!("${{EDITOR:-vi}} {shown}");
        // JSON is YAML.
        let whole: Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Error::config(format!("{shown} is not valid YAML")).caused_by(&error).hint(&edit))?;
        let section = match whole {
            Value::Null => Value::Null,
            Value::Object(mut map) => match map.shift_remove(SECTION) {
                Some(section) => section,
                None if named.is_some() => Value::Object(map),
                None => Value::Null,
            },
            _ => return Err(Error::config(format!("{shown} must be a mapping")).hint(edit)),
        };
        match section {
            Value::Null => Ok(Self::default()),
            Value::Object(keys) => Ok(Self { keys, file: Some(path) }),
            _ => Err(Error::config(format!("{shown}: {SECTION} must be a mapping")).hint(edit)),
        }
    }

    /// Where the manifest comes from, for people.
    pub fn origin(&self, cx: &Cx) -> String {
        match &self.file {
            Some(file) => format!("{} over the defaults", cx.settings.shown(file)),
            None => "the defaults".to_owned(),
        }
    }

    /// The checked manifest of `deployment` for `account`, with `own` keys over the file's.
    ///
    /// # Errors
    /// With everything that GitHub would refuse.
    pub fn over(
        &self,
        cx: &Cx,
        deployment: Deployment,
        account: &str,
        network: Network,
        own: Map<String, Value>,
    ) -> Result<Manifest> {
        let mut keys = self.keys.clone();
        keys.extend(own);
        let whole = Manifest::of(deployment, account).overlaid(keys);
        check(&whole, network).map_err(|found| self.refused(cx, &found))
    }

    fn refused(&self, cx: &Cx, found: &[Finding]) -> Error {
        let faults = match found.len() {
            1 => "a fault".to_owned(),
            several => format!("{several} faults"),
        };
        let of = match &self.file {
            Some(file) => format!("the manifest of {}", cx.settings.shown(file)),
            None => "the manifest".to_owned(),
        };
        let error = Error::config(format!("{of} has {faults} that GitHub would refuse"));
        let error = found.iter().fold(error, |error, finding| error.because(finding));
        let error = match &self.file {
            Some(file) => error.hint(format!("${{EDITOR:-vi}} {}", cx.settings.shown(file))),
            None => error,
        };
        if found.iter().any(|finding| finding.path == "name") {
            error.hint("pforge new-app … --name NAME")
        } else {
            error
        }
    }
}

/// Where GitHub stands whose API is at `api_url`.
pub fn network(api_url: &url::Url) -> Network {
    match api_url.host_str() {
        Some(host) if host == "api.github.com" || host.ends_with(".ghe.com") => Network::Internet,
        _ => Network::Private,
    }
}
