//! Documents that nobody thought of: whatever pforge encrypts, the real sops opens to the same
//! bytes as its own file, and the other way round.
//!
//! `PFORGE_FUZZ_CASES` sets how many cases each format gets; a failure names the seed, which
//! `PFORGE_FUZZ_SEED` repeats.

mod case;
mod flat;
mod text;
mod yaml;

use std::cell::RefCell;
use std::collections::BTreeMap;

use pforge::secrets::Format;
use proptest::prelude::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use case::{Bench, Case, Verdict, options};

/// Tries `cases` documents, or as many as `PFORGE_FUZZ_CASES` says.
fn run(format: Format, cases: u32, documents: impl Strategy<Value = Vec<u8>>) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let cases = number("PFORGE_FUZZ_CASES").map_or(cases, |cases| u32::try_from(cases).expect("fewer cases"));
    // The same documents on every machine; a soak run takes new ones.
    let soak = std::env::var_os("PFORGE_FUZZ_CASES").is_some();
    let seed = number("PFORGE_FUZZ_SEED").unwrap_or_else(|| if soak { fastrand::u64(..) } else { 1 });
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let bench = Bench::new();
    let verdicts: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let cases_of = (documents, options()).prop_map(|(plain, options)| Case { format, plain, options });
    let result = runner.run(&cases_of, |case| {
        let verdict = bench.compare(&case).map_err(TestCaseError::fail)?;
        *verdicts.borrow_mut().entry(format!("{verdict:?}")).or_default() += 1;
        Ok(())
    });
    let repeat = format!("PFORGE_FUZZ_SEED={seed} PFORGE_FUZZ_CASES={cases}");
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, case)) => panic!("{why}\n{case:?}\nto repeat: {repeat}"),
        Err(TestError::Abort(why)) => panic!("{why}; to repeat: {repeat}"),
    }
    // A generator that makes what nobody can encrypt would prove nothing.
    let verdicts = verdicts.into_inner();
    let agreed = verdicts.get(&format!("{:?}", Verdict::Agreed)).copied().unwrap_or_default();
    assert!(agreed * 2 >= cases, "only {agreed} of {cases} were encrypted by both: {verdicts:?}; to repeat: {repeat}");
}

#[test]
fn yaml() {
    run(Format::Yaml, 250, yaml::file().prop_map(|file| file.text().into_bytes()));
}

#[test]
fn json() {
    run(Format::Json, 80, flat::json());
}

#[test]
fn dotenv() {
    run(Format::Dotenv, 60, flat::dotenv());
}

#[test]
fn ini() {
    run(Format::Ini, 80, flat::ini());
}

#[test]
fn binary() {
    run(Format::Binary, 30, flat::binary());
}
