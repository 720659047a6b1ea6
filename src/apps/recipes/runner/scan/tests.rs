use std::time::Instant;

use proptest::prelude::proptest;

use super::*;

/// A text of `length` characters, put together so that no scanner of this repository finds it here.
fn x(length: usize) -> String {
    "aB3dE6gH9".chars().cycle().take(length).collect()
}

#[test]
fn secrets_are_known_by_their_shape() {
    let upper = |length| x(length).to_uppercase();
    let dashes = "-".repeat(5);
    let pem = |kind: &str| format!("{dashes}BEGIN {kind}{dashes}\n{}\n{dashes}END {kind}{dashes}", x(64));
    for (kind, secret) in [
        ("private key", pem("RSA PRIVATE KEY")),
        ("private key", pem("PRIVATE KEY")),
        ("private key", pem("OPENSSH PRIVATE KEY")),
        ("private key", pem("PGP PRIVATE KEY BLOCK")),
        ("private key", pem("EC PRIVATE KEY").replace('\n', "\\n")),
        ("age key", format!("AGE-SECRET-KEY-1{}", upper(58))),
        ("GitHub token", format!("ghp_{}", x(36))),
        ("GitHub token", format!("ghs_{}", x(36))),
        ("GitHub token", format!("github_pat_{}", x(82))),
        ("GitLab token", format!("glpat-{}", x(20))),
        ("AWS key id", format!("AKIA{}", upper(16))),
        ("Slack token", format!("xoxb-{}", x(40))),
        ("Slack webhook", format!("hooks.slack.com/services/{}", x(30))),
        ("JWT", format!("eyJ{}.{}.{}", x(20), x(40), x(43))),
        ("Google API key", format!("AIza{}", x(35))),
        ("Google OAuth token", format!("ya29.{}", x(60))),
        ("PyPI token", format!("pypi-{}", x(80))),
        ("npm token", format!("npm_{}", x(36))),
        ("Hugging Face token", format!("hf_{}", x(34))),
    ] {
        let text = format!("before '{secret}' after");
        let cleaned = scan(&text, &Known::default());
        assert_eq!(cleaned.text, format!("before '[{kind} removed]' after"));
        assert_eq!(cleaned.found, [kind]);
    }
}

#[test]
fn what_stands_around_a_secret_stays() {
    let key = x(40);
    for (text, expected) in [
        (format!("aws_secret_access_key = \"{key}\"!"), "aws_secret_access_key = \"[AWS secret key removed]\"!"),
        (format!("AccountName=a;AccountKey={key}==;x"), "AccountName=a;AccountKey=[Azure storage key removed];x"),
        (format!("https://me:{key}@host/x"), "https://[credentials in a URL removed]@host/x"),
        (format!("Authorization: Bearer {key}\r"), "Authorization: Bearer [authorization header removed]\r"),
        (format!("{{'authorization': 'token {key}'}}"), "{'authorization': 'token [authorization header removed]'}"),
    ] {
        assert_eq!(scan(&text, &Known::default()).text, expected);
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "",
        "a plain line, with sst-daily and 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "File \"/home/ghp_user/recipe.py\", line 3, in <module>",
        "https://data.example.org:8443/a/b?x=1#y",
        "s3://bucket/pangeo-forge/staged-recipes/recipe-run-1/sst.zarr",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "AKIA is a prefix; eyJ too; Authorization: none",
    ] {
        assert_eq!(scan(text, &Known::default()), Cleaned { text: text.to_owned(), found: Vec::new() });
    }
}

#[test]
fn configured_values_are_taken_out_in_every_form() {
    let known = Known::new(["s3cr\"et/+key".to_owned(), "s3cr".to_owned(), "abc".to_owned(), String::new()]);
    for (text, expected) in [
        ("key=s3cr\"et/+key.", "key=***."),
        (r#"{"key": "s3cr\"et/+key"}"#, r#"{"key": "***"}"#),
        ("https://h/?k=s3cr%22et%2F%2Bkey&x", "https://h/?k=***&x"),
        ("only s3cr here", "only *** here"),
        ("abc is too short to hide", "abc is too short to hide"),
    ] {
        assert_eq!(scan(text, &known).text, expected);
    }
    assert_eq!(scan("s3cr", &known).found, ["configured value"]);
    assert!(!format!("{known:?}").contains("s3cr"));
}

#[test]
fn a_key_that_comes_line_by_line_is_taken_out() {
    let dashes = "-".repeat(5);
    let mut cleaner = Cleaner::new(Known::new(["hunter2".to_owned()]));
    let lines = [
        "before hunter2".to_owned(),
        format!("key: {dashes}BEGIN RSA PRIVATE KEY{dashes}"),
        x(64),
        format!("{dashes}END RSA PRIVATE KEY{dashes} hunter2"),
        "after".to_owned(),
    ];
    let cleaned: Vec<String> = lines.iter().map(|line| cleaner.line(line)).collect();
    assert_eq!(cleaned, ["before ***", "key: [private key removed]", "", " ***", "after"]);
    // One that never ends does not swallow everything.
    cleaner.line(&lines[1]);
    let swallowed = (0..1000).take_while(|_| cleaner.line("text").is_empty()).count();
    assert_eq!(swallowed, PEM_LINES);
}

#[test]
fn temporary_folders_are_not_told() {
    let parent = tempfile::tempdir().expect("tempdir");
    let real = parent.path().join("private");
    std::fs::create_dir_all(real.join("run-1")).expect("folder");
    let link = parent.path().join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&real, &link).expect("link");
    #[cfg(not(unix))]
    let link = real.clone();
    let folder = link.join("run-1");
    let cleaner = Cleaner::new(Known::new(["hunter2".to_owned()])).within(&folder, "repo");
    for folder in [folder.clone(), folder.canonicalize().expect("real path")] {
        let folder = folder.display();
        for (text, expected) in [
            (format!("File \"{folder}/repo/recipes/sst/recipe.py\", line 3"), "File \"recipes/sst/recipe.py\", line 3"),
            (format!("{folder}/tmp/x/y.py: {folder}/home/z"), "tmp/x/y.py: home/z"),
            (format!("cd {folder}\nls {folder}/repo"), "cd .\nls repo"),
            (format!("--repo={folder}/repository hunter{folder}/2"), "--repo=repository ***"),
        ] {
            assert_eq!(cleaner.text(&text), expected);
            assert_eq!(cleaner.clone().line(&text), expected);
        }
    }
    let other = parent.path().join("run-2/recipe.py").display().to_string();
    assert_eq!(cleaner.text(&other), other);
}

#[test]
fn a_long_text_is_scanned_in_time() {
    let line = "{\"message\": \"Worker: severity: INFO timestamp { seconds: 1 } message: \\\"a secret ghost\\\"\"}\n";
    let text = line.repeat(4_000_000 / line.len());
    let begun = Instant::now();
    assert!(scan(&text, &Known::default()).found.is_empty());
    // Seconds even without optimisation; what is feared are minutes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

proptest! {
    #[test]
    fn a_known_value_never_stays(before in "\\PC{0,20}", value in "[!-~]{4,20}", after in "\\PC{0,20}") {
        let cleaned = scan(&format!("{before}{value}{after}"), &Known::new([value.clone()]));
        // The mask itself may complete it anew only for values that are made of it.
        assert!(!cleaned.text.contains(&value) || MASK.contains(&value) || value.contains('*'), "{}", cleaned.text);
    }
}
