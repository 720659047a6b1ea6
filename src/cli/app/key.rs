//! A private key as people have it: a file, standard input, in any of its disguises.

use std::fs;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::secrets::file::read_stdin;
use crate::github;
use crate::util::Secret;

/// Reads the key from the file `named`, or from standard input for `-`, as PEM text.
///
/// # Errors
/// When there is no such file, or it holds something else; the error says what, and never repeats it.
pub fn read(named: &str) -> Result<Secret> {
    let bytes = if named == "-" { read_stdin()? } else { from_file(named)? };
    let text = decoded(bytes).ok_or_else(|| {
        Error::config("the private key is not text").because("it must be the .pem file that GitHub gave")
    })?;
    let key = github::private_key(text.expose());
    key.map_err(|error| Error::from(error).hint("pforge app import ID FILE.pem   # the file that GitHub gave"))
}

/// One line of secret text from the file `named`, or from standard input for `-`.
///
/// # Errors
/// When it cannot be read, or is empty.
pub fn read_line(named: &str, what: &str) -> Result<Secret> {
    let bytes = if named == "-" { read_stdin()? } else { from_file(named)? };
    let text = decoded(bytes).ok_or_else(|| Error::config(format!("the {what} is not text")))?;
    match text.expose().trim() {
        "" => Err(Error::config(format!("the {what} is empty"))),
        text => Ok(Secret::new(text)),
    }
}

fn from_file(named: &str) -> Result<Vec<u8>> {
    fs::read(named).map_err(|error| {
        if error.kind() != std::io::ErrorKind::NotFound {
            return Error::failure(format!("cannot read {named}")).caused_by(&error);
        }
        // Who pastes the secret itself must not see it again in an error.
        let path = named.len() < 200 && (named.contains(['/', '.']) && !named.contains("PRIVATE KEY"));
        if path {
            return Error::new(Kind::NotFound, format!("there is no file {named}"));
        }
        let told = Error::usage("the private key is read from a file, and there is no file of that name");
        let told = if named.len() == 40 && named.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            told.because("what was given looks like a client secret")
        } else {
            told
        };
        told.hint("pforge app import ID FILE.pem").hint("pforge app import ID - < FILE.pem")
    })
}

/// The text of a file, also of one that PowerShell wrote.
fn decoded(bytes: Vec<u8>) -> Option<Secret> {
    if let Some(wide) = bytes.strip_prefix(&[0xff, 0xfe]) {
        let units: Vec<u16> = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        return String::from_utf16(&units).ok().map(Secret::new);
    }
    String::from_utf8(bytes).ok().map(Secret::new)
}
