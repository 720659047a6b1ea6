//! Exit codes: the only place with their numbers, and the only one that ends the process.

use super::error::Kind;

/// What each exit code says, as `--help` lists them.
pub const TABLE: [(u8, &str); 10] = [
    (0, "ok, also when the reader of the output went away"),
    (1, "failure"),
    (2, "usage"),
    (3, "configuration"),
    (4, "authentication or permission"),
    (5, "not found"),
    (6, "network, upstream, rate limit"),
    (7, "decryption or integrity"),
    (70, "a bug in pforge"),
    (130, "interrupted"),
];

/// The exit code of an error.
pub fn code(kind: Kind) -> u8 {
    match kind {
        Kind::ClosedPipe => 0,
        Kind::Failure => 1,
        Kind::Usage => 2,
        Kind::Config => 3,
        Kind::Auth => 4,
        Kind::NotFound => 5,
        Kind::Upstream => 6,
        Kind::Integrity => 7,
        Kind::Bug => 70,
        Kind::Interrupted => 130,
        Kind::Told(code) => code,
    }
}

/// The table as text for the end of `--help`.
pub fn help() -> String {
    TABLE.iter().fold("Exit codes:".to_owned(), |text, (code, meaning)| format!("{text}\n  {code:<3}  {meaning}"))
}

/// Ends the process at once, for the second Ctrl-C: what it was doing is not waited for.
#[expect(clippy::exit, reason = "the user insists")]
pub fn kill() -> ! {
    std::process::exit(i32::from(code(Kind::Interrupted)))
}

#[cfg(test)]
mod tests {
    use super::{Kind, TABLE, code};

    #[test]
    fn every_kind_is_in_the_table() {
        let kinds = [
            Kind::ClosedPipe,
            Kind::Failure,
            Kind::Usage,
            Kind::Config,
            Kind::Auth,
            Kind::NotFound,
            Kind::Upstream,
            Kind::Integrity,
            Kind::Bug,
            Kind::Interrupted,
        ];
        assert_eq!(kinds.map(code), TABLE.map(|(code, _)| code));
    }
}
