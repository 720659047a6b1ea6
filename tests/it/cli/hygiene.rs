//! No command ever shows a secret, however talkative it is made.

use crate::support::env::Env;

/// What must never be seen: from the config file, the database URL and the environment.
const PLANTED: [&str; 4] = ["marker-webhook-secret-5ca1ab1e", "marker-api-key-0ddba11", "MIIE", "marker-password"];

#[test]
fn no_command_shows_a_secret() {
    let mut env = Env::configured();
    let server = env.start(&["serve", "--listen", "127.0.0.1:0", "-vvv"]);
    let address = server.url().to_owned();
    env.set("PFORGE_SERVER", &address).set("PFORGE_LOG", "trace");
    let mut seen = Vec::new();
    let lines = [
        format!("init-db {address} a/b"),
        "jobs list".to_owned(),
        "jobs show 1".to_owned(),
        "jobs retry 1".to_owned(),
        "jobs drop 1 --yes".to_owned(),
        "config show".to_owned(),
        "db status".to_owned(),
        "db migrate".to_owned(),
        "db wait".to_owned(),
        "openapi".to_owned(),
        "completions bash".to_owned(),
    ];
    for line in &lines {
        for flags in ["-vvv", "-vvv --json"] {
            let output = env.line(&format!("{line} {flags}"));
            seen.push((format!("{line} {flags}"), output.stdout + &output.stderr));
        }
    }
    env.set("DATABASE_URL", "postgres://forge:marker-password@127.0.0.1:1/forge");
    for line in ["config show", "db wait --timeout 1ms"] {
        let output = env.line(&format!("{line} -vvv"));
        seen.push((line.to_owned(), output.stdout + &output.stderr));
    }
    let (stdout, stderr, _) = server.stop();
    seen.push(("serve".to_owned(), stdout + &stderr));
    for (line, text) in &seen {
        for planted in PLANTED {
            assert!(!text.contains(planted), "`{line}` shows {planted}:\n{text}");
        }
    }
    // The search itself must be able to find something.
    assert!(seen.iter().any(|(_, text)| text.contains("pforge-local-alice")));
}
