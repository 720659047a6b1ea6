//! One file of secrets, as the commands read and write it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::recipients::shown;
use super::unopened;
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::secrets::{self, Format, MacPolicy, Opened, Sealed, Tree};
use crate::util::file;

/// The file that a command works on.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FileFlag {
    /// The file [default: the deployment's secrets/config.<app>.yaml]
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl FileFlag {
    /// The file that is named, or the config file of the deployment.
    ///
    /// # Errors
    /// When none is named and no deployment, or more than one, has a config file.
    pub fn path(&self, cx: &Cx) -> Result<PathBuf> {
        default_path(cx, self.file.as_deref())
    }
}

/// `named`, or the config file of the deployment.
///
/// # Errors
/// As [`FileFlag::path`].
pub fn default_path(cx: &Cx, named: Option<&Path>) -> Result<PathBuf> {
    named.map_or_else(|| cx.settings.find().map(|deployment| deployment.path), |path| Ok(path.to_path_buf()))
}

/// An encrypted file that was opened.
#[derive(Debug)]
pub struct OpenFile {
    /// As it stands there.
    pub sealed: Sealed,
    /// Its plaintext.
    pub opened: Opened,
}

/// A file whose values can be read: opened, or in clear anyway.
#[derive(Debug)]
pub struct Document {
    /// Its path.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Its bytes, to notice when somebody else changes it.
    bytes: Vec<u8>,
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Sealed(Box<(Sealed, Opened)>),
    Plain(Tree),
}

impl Document {
    /// Reads `path`, opening it when it is encrypted.
    ///
    /// # Errors
    /// As [`open`].
    pub fn load(cx: &Cx, path: &Path, format: Option<Format>, mac: MacPolicy) -> Result<Self> {
        let format = format.unwrap_or_else(|| Format::of(path));
        let bytes = read(path)?;
        let inner = match Sealed::read(format, bytes.clone()) {
            Ok(sealed) => {
                let opened = open_sealed(cx, path, &sealed, mac)?;
                Inner::Sealed(Box::new((sealed, opened)))
            }
            Err(secrets::Error::NotEncrypted) => {
                Inner::Plain(format.read_plain(&bytes).map_err(|error| about(path, &error))?)
            }
            Err(error) => return Err(unread(path, &error, &bytes)),
        };
        Ok(Self { path: path.to_path_buf(), format, bytes, inner })
    }

    /// The plaintext.
    pub fn tree(&self) -> &Tree {
        match &self.inner {
            Inner::Sealed(inner) => &inner.1.tree,
            Inner::Plain(tree) => tree,
        }
    }

    /// The document as it stands in the file, when that is encrypted.
    pub fn sealed(&self) -> Option<&Sealed> {
        match &self.inner {
            Inner::Sealed(inner) => Some(&inner.0),
            Inner::Plain(_) => None,
        }
    }

    /// Whether the file on disk is another by now.
    pub fn is_stale(&self) -> bool {
        fs::read(&self.path).is_ok_and(|bytes| bytes != self.bytes)
    }

    /// Whether the file is encrypted.
    pub fn is_encrypted(&self) -> bool {
        matches!(self.inner, Inner::Sealed(_))
    }

    /// Writes the file with the plaintext `new`, touching only what changed. `false` when nothing
    /// did, and nothing was written.
    ///
    /// # Errors
    /// When the format cannot hold it, the file was changed meanwhile, or cannot be written.
    pub fn save(&self, cx: &Cx, new: &Tree) -> Result<bool> {
        let bytes = match &self.inner {
            Inner::Sealed(inner) => inner.0.reseal(&inner.1, new, cx.clock.now()),
            Inner::Plain(_) => secrets::revise(self.format, &self.bytes, new),
        };
        let Some(bytes) = bytes.map_err(|error| about(&self.path, &error))? else { return Ok(false) };
        if self.is_stale() {
            return Err(Error::failure(format!(
                "{} was changed meanwhile; it is left as it is now",
                shown(&self.path)
            ))
            .because("another program wrote it while this command was at work: run the command again"));
        }
        write(&self.path, &bytes)?;
        Ok(true)
    }
}

/// Reads and opens `path`; `format` overrides what the name says.
///
/// # Errors
/// With everything that a person needs: a missing key tells the recipients of the file, the places
/// that were looked at, and who can add them; a wrong MAC tells its likely cause.
pub fn open(cx: &Cx, path: &Path, format: Option<Format>, mac: MacPolicy) -> Result<OpenFile> {
    let format = format.unwrap_or_else(|| Format::of(path));
    let sealed = read_sealed(path, format, read(path)?)?;
    let opened = open_sealed(cx, path, &sealed, mac)?;
    Ok(OpenFile { sealed, opened })
}

/// Reads the encrypted document `bytes`, which stand in `path`.
///
/// # Errors
/// When it is not encrypted, or not what it should be.
pub fn read_sealed(path: &Path, format: Format, bytes: Vec<u8>) -> Result<Sealed> {
    let conflicted = has_conflict_markers(&bytes);
    Sealed::read(format, bytes).map_err(|error| match error {
        _ if conflicted => in_conflict(path),
        secrets::Error::NotEncrypted => Error::failure(format!("{} is not encrypted", shown(path)))
            .hint(format!("pforge secrets encrypt -i {}", shown(path))),
        error => about(path, &error),
    })
}

/// Opens `sealed`, which stands in `path`, and tells what a reader should know.
///
/// # Errors
/// As [`open`].
pub fn open_sealed(cx: &Cx, path: &Path, sealed: &Sealed, mac: MacPolicy) -> Result<Opened> {
    let found = cx.identities(&sealed.metadata().recipients());
    let opened = sealed.open(&found.identities, mac).map_err(|error| match &error {
        secrets::Error::NoIdentity { .. } => unopened::explain(cx, path, sealed, &found, &error),
        secrets::Error::Mac(fault) => unopened::mac(path, sealed, &found, *fault),
        _ => about(path, &error),
    })?;
    for warning in &opened.warnings {
        cx.ui.warn(format!("{}: {warning}", shown(path)));
    }
    if let Err(fault) = opened.mac {
        cx.ui.warn(format!("{}: the integrity check failed: {fault}", shown(path)));
    }
    Ok(opened)
}

/// Why `bytes`, which stand in `path`, are no document.
pub fn unread(path: &Path, error: &secrets::Error, bytes: &[u8]) -> Error {
    if has_conflict_markers(bytes) { in_conflict(path) } else { about(path, error) }
}

fn has_conflict_markers(bytes: &[u8]) -> bool {
    let begins = |start: &[u8]| bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(start));
    begins(b"<<<<<<< ") && begins(b">>>>>>> ")
}

fn in_conflict(path: &Path) -> Error {
    let file = shown(path);
    Error::failure(format!("{file} has the conflict markers of a merge in it"))
        .because("git merged it as text; date and MAC of an encrypted file always conflict then")
        .hint(format!("pforge secrets install-hooks && git checkout --merge {file}   # merges it again, key by key"))
        .hint(format!("git checkout --ours {file}   # then make the other side's changes with `pforge secrets set`"))
}

/// An error of the secrets room about `path`.
pub fn about(path: &Path, error: &secrets::Error) -> Error {
    let told = Error::from(error.clone());
    let message = match told.message.strip_prefix("it ") {
        Some(rest) => format!("{} {rest}", shown(path)),
        None => format!("{}: {}", shown(path), told.message),
    };
    Error { message, ..told }
}

/// The bytes of `path`.
///
/// # Errors
/// [`Kind::NotFound`] when it does not exist, else any failure to read it.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        let kind = if error.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failure };
        let message = match kind {
            Kind::NotFound => format!("there is no file {}", shown(path)),
            _ => format!("cannot read {}", shown(path)),
        };
        let told = Error::new(kind, message);
        if kind == Kind::NotFound { told } else { told.caused_by(&error) }
    })
}

/// Everything that comes from standard input.
///
/// # Errors
/// When it cannot be read.
pub fn read_stdin() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces `path` as a whole; see [`file::write_atomic`].
///
/// # Errors
/// When it cannot be written; it is then as it was.
pub fn write(path: &Path, bytes: &[u8]) -> Result {
    file::write_atomic(path, bytes).map_err(|error| Error::failure(error.to_string()))
}
