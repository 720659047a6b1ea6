//! The files that GitHub puts into a new repository on request. They stand for GitHub's own, which are longer.

use bytes::Bytes;

use crate::emulator::state::git::Edits;

/// Licences by GitHub's key: SPDX id, name and where the text is.
const LICENSES: [(&str, &str, &str, &str); 5] = [
    ("apache-2.0", "Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    ("mit", "MIT", "MIT License", "https://opensource.org/license/mit"),
    ("bsd-3-clause", "BSD-3-Clause", "BSD 3-Clause License", "https://opensource.org/license/bsd-3-clause"),
    ("gpl-3.0", "GPL-3.0", "GNU General Public License v3.0", "https://www.gnu.org/licenses/gpl-3.0.txt"),
    ("mpl-2.0", "MPL-2.0", "Mozilla Public License 2.0", "https://www.mozilla.org/MPL/2.0/"),
];

/// What is ignored, by GitHub's name of the template.
const IGNORED: [(&str, &str); 3] = [
    ("Python", "__pycache__/\n*.py[cod]\nbuild/\ndist/\n*.egg-info/\n.venv/\n"),
    ("Rust", "target/\n"),
    ("Node", "node_modules/\n"),
];

/// SPDX id and name of the licence with GitHub's `key`.
pub fn license(key: &str) -> Option<(&'static str, &'static str)> {
    LICENSES.iter().find(|(known, ..)| *known == key).map(|(_, spdx, name, _)| (*spdx, *name))
}

/// `README.md` of a repository.
pub fn readme(name: &str, description: Option<&str>) -> (String, Option<Bytes>) {
    let about = description.map(|text| format!("\n{text}")).unwrap_or_default();
    ("README.md".to_owned(), Some(Bytes::from(format!("# {name}{about}"))))
}

/// `LICENSE` for a key; `None` for one that is not known here.
pub fn license_file(key: &str) -> Option<(String, Option<Bytes>)> {
    let (_, _, name, url) = LICENSES.iter().find(|(known, ..)| *known == key)?;
    Some(("LICENSE".to_owned(), Some(Bytes::from(format!("{name}\n\n{url}\n")))))
}

/// `.gitignore` of a template; `None` for one that is not known here.
pub fn gitignore(template: &str) -> Option<(String, Option<Bytes>)> {
    let (_, text) = IGNORED.iter().find(|(known, _)| *known == template)?;
    Some((".gitignore".to_owned(), Some(Bytes::from(*text))))
}

/// The files of a first commit.
///
/// # Errors
/// Names the field whose template is not known.
pub fn files(
    name: &str,
    description: Option<&str>,
    init: bool,
    license: Option<&str>,
    ignore: Option<&str>,
) -> Result<Edits, &'static str> {
    let license = license.map(|key| license_file(key).ok_or("license_template")).transpose()?;
    let ignore = ignore.map(|template| gitignore(template).ok_or("gitignore_template")).transpose()?;
    Ok(init.then(|| readme(name, description)).into_iter().chain(license).chain(ignore).collect())
}
