//! Real `sops` and `age`.

use std::path::PathBuf;
use std::process::Command;

/// The real sops: `PFORGE_TEST_SOPS`, which `tests/run` sets, or the one on the path.
pub fn sops() -> Command {
    program("PFORGE_TEST_SOPS", "sops")
}

/// The real age.
pub fn age() -> Command {
    program("PFORGE_TEST_AGE", "age")
}

/// The real age-keygen.
pub fn age_keygen() -> Command {
    program("PFORGE_TEST_AGE_KEYGEN", "age-keygen")
}

fn program(variable: &str, name: &str) -> Command {
    let path = std::env::var_os(variable).map_or_else(|| found(name, variable), PathBuf::from);
    assert!(path.is_file(), "{variable} names {}, which is not there", path.display());
    let mut command = Command::new(path);
    // No identity and no setting of the machine shows through.
    command.env_clear().env("PATH", PATH).env("HOME", "/nonexistent").env("SOPS_DISABLE_VERSION_CHECK", "1");
    command
}

/// Where programs are, whatever the machine's own `PATH` says.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

fn found(name: &str, variable: &str) -> PathBuf {
    let places = PATH.split(':').map(|folder| PathBuf::from(folder).join(name));
    let hint = format!("the real {name} is required: tests/run installs it, or {variable} names it");
    places.into_iter().find(|path| path.is_file()).expect(&hint)
}
