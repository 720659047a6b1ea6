//! `token`: what is printed, what it may do, and that it is worthless afterwards.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use http::Method;
use serde_json::{Value, json};

use super::world::{PATIENCE, SLUG, World};
use crate::support::env::Output;

/// The status of `GET path` with `token`.
async fn status(world: &World, token: &str, method: Method, path: &str) -> u16 {
    let http = reqwest::Client::builder().user_agent("it").no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.url)).bearer_auth(token);
    request.json(&json!({})).send().await.unwrap().status().as_u16()
}

async fn is_good(world: &World, token: &str) -> bool {
    status(world, token, Method::GET, "/installation/repositories").await == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_is_one_word_and_speaks_as_the_app() {
    let world = World::start(&["alice"]).await;
    let output = world.pforge(&["token", "jwt"]).success();
    let jwt = output.stdout.strip_suffix('\n').unwrap();
    assert!(!jwt.contains(char::is_whitespace) && !output.stderr.contains(jwt), "{output}");
    assert!(output.stderr.contains("speaks as the App 231585 for"), "{output}");
    assert_eq!(status(&world, jwt, Method::GET, "/app").await, 200);
    let json = world.pforge(&["token", "jwt", "--json"]).success().json();
    let life = json["claims"]["exp"].as_i64().unwrap() - json["claims"]["iat"].as_i64().unwrap();
    assert!((1..=600).contains(&life) && json["claims"]["iss"] == "231585", "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_limited_as_it_was_wanted() {
    let world = World::start(&["octo"]).await;
    let json =
        world.pforge(&["token", "installation", "-R", "octo/one", "-p", "checks:write", "--json"]).success().json();
    assert_eq!(json["repositories"], json!(["octo/one"]));
    assert_eq!(json["permissions"]["checks"], "write");
    assert_eq!(json["account"], "octo");
    let token = json["token"].as_str().unwrap();
    assert_eq!(status(&world, token, Method::GET, "/repos/octo/one/check-runs/1").await, 404);
    assert_eq!(status(&world, token, Method::GET, "/repos/octo/one/contents/README.md").await, 403, "not wanted");
    let plain = world.pforge(&["token", "installation", "--org", "octo"]).success();
    assert!(is_good(&world, plain.stdout.trim()).await);
    assert!(!plain.stderr.contains(plain.stdout.trim()), "{plain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_would_refuse_is_told_before_it_is_asked() {
    let world = World::start(&["alice", "octo"]).await;
    let more = json!({ "checks": "write", "contents": "write", "metadata": "read" });
    world.person.edit_app(SLUG, json!({ "permissions": more })).await.unwrap();
    let mark = world.mark().await;
    let line = ["token", "installation", "-R", "alice/mock", "-p", "contents:write", "-p", "checks:read"];
    let output = world.pforge(&line);
    assert_eq!(output.code, Some(4), "{output}");
    for part in [
        "permission  wanted  the App asks  approved",
        "checks      read    write         write",
        "contents    write   write         read",
        "alice has not approved them yet",
        "/permissions/update",
    ] {
        assert!(output.stderr.contains(part), "{part:?}\n{output}");
    }
    let output = world.pforge(&["token", "installation", "-R", "alice/mock", "-p", "issues:write"]);
    assert!(output.stderr.contains("issues      write   -             -"), "{output}");
    assert!(output.stderr.contains(&format!("/settings/apps/{SLUG}/permissions")), "{output}");
    let calls = world.calls(mark).await;
    assert!(!calls.iter().any(|call| call.contains("access_tokens")), "{calls:#?}");

    for (line, code, part) in [
        ("token installation", 2, "which of the App's 2 installations"),
        ("token installation -R alice/mock -R octo/one", 2, "different owners"),
        ("token installation -R alice/other", 4, "not one of them"),
        ("token installation -p checks", 2, "NAME:LEVEL"),
        ("token installation --org bob", 4, "not installed on bob"),
    ] {
        let output = world.pforge(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(output.code, Some(code), "{output}");
        assert!(output.stderr.contains(part), "{part}\n{output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_makes_tokens_worthless() {
    let world = World::start(&["alice"]).await;
    let tokens: Vec<String> =
        (0..2).map(|_| world.pforge(&["token", "installation", "-q"]).success().stdout.trim().to_owned()).collect();
    let output = world.pforge_with(&["token", "revoke"], &tokens.join("\n")).success();
    assert!(output.stderr.contains("revoked 2 tokens"), "{output}");
    for token in &tokens {
        assert!(!is_good(&world, token).await);
    }
    let again = world.pforge_with(&["token", "revoke", "--stdin", "--json"], &tokens[0]);
    assert_eq!(again.code, Some(5), "{again}");
    assert_eq!(again.json()["revoked"], 0);
    assert!(!again.stdout.contains(&tokens[0]) && !again.stderr.contains(&tokens[0]), "{again}");
    assert_eq!(world.pforge_with(&["token", "revoke"], "").code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_a_token_until_it_ends() {
    let world = World::start(&["alice"]).await;
    let script =
        r#"printf %s "$GH_TOKEN" > token; [ "$GH_TOKEN" = "$GITHUB_TOKEN" ] && [ "$GH_HOST" = "$0" ] && exit 7"#;
    let host = world.url.strip_prefix("http://").unwrap();
    let output =
        world.pforge(&["token", "exec", "-R", "alice/mock", "-p", "checks:read", "--", "sh", "-c", script, host]);
    assert_eq!(output.code, Some(7), "{output}");
    let token = std::fs::read_to_string(world.env.root().join("token")).unwrap();
    assert!(token.starts_with("ghs_") && !output.stderr.contains(&token), "{output}");
    assert!(output.stderr.contains("checks:read"), "{output}");
    assert!(!is_good(&world, &token).await, "it was revoked");
    let unknown = world.pforge(&["token", "exec", "--", "no-such-program"]);
    assert_eq!(unknown.code, Some(5), "{unknown}");
    assert!(unknown.stderr.contains("revoked token"), "{unknown}");
}

/// Starts `token exec` with a program that writes its token to a file and waits.
#[expect(clippy::zombie_processes, reason = "the caller waits")]
async fn waiting(world: &World, script: &str) -> (Child, String) {
    let _ = std::fs::remove_file(world.env.root().join("token"));
    let script = format!(
        r#"{script} printf %s "$GH_TOKEN" > token.new; mv token.new token; i=0; while [ $i -lt 900 ]; do i=$((i+1)); sleep 0.05; done"#
    );
    let mut child = world.env.command(&["token", "exec", "--", "sh", "-c", &script]).spawn().unwrap();
    let begun = Instant::now();
    loop {
        if let Ok(token) = std::fs::read_to_string(world.env.root().join("token")) {
            return (child, token);
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the program does not run");
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args([name, pid]).stdout(Stdio::null()).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_the_program_the_token_is_revoked() {
    let world = World::start(&["alice"]).await;
    // To pforge itself, which passes it on: the program ends by it, or in its own way.
    for (name, script, code) in
        [("-INT", "", 130), ("-TERM", "", 143), ("-HUP", "", 129), ("-TERM", "trap 'exit 3' TERM;", 3)]
    {
        let (child, token) = waiting(&world, script).await;
        assert!(is_good(&world, &token).await);
        signal(name, &child.id().to_string());
        let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
        assert_eq!(output.status.code(), Some(code), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!is_good(&world, &token).await, "{name}");
    }
    // To the program, which has no say.
    let (child, token) = waiting(&world, "printf %s $$ > pid;").await;
    signal("-KILL", &std::fs::read_to_string(world.env.root().join("pid")).unwrap());
    let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
    assert_eq!(output.status.code(), Some(137));
    assert!(!is_good(&world, &token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_interrupts_do_not_leave_a_token_behind() {
    let world = World::start(&["alice"]).await;
    let (child, token) = waiting(&world, r#"n=0; trap 'n=$((n+1)); echo $n > n; [ $n = 3 ] && exit 0' INT;"#).await;
    for count in 1..=3 {
        signal("-INT", &child.id().to_string());
        let begun = Instant::now();
        while std::fs::read_to_string(world.env.root().join("n")).unwrap_or_default().trim() != count.to_string() {
            assert!(begun.elapsed() < PATIENCE, "interrupt {count} did not arrive");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
    assert_eq!(output.status.code(), Some(0));
    assert!(!is_good(&world, &token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_token_is_on_disk() {
    let world = World::start(&["alice"]).await;
    let output: Output = world.pforge(&["token", "exec", "--", "sh", "-c", r#"grep -rl "$GH_TOKEN" "$HOME" . ; true"#]);
    assert_eq!(output.clone().success().stdout, "", "{output}");
    let secrets: Value = world.pforge(&["token", "installation", "--json"]).success().json();
    let token = secrets["token"].as_str().unwrap();
    let found = Command::new("grep").args(["-rl", token]).arg(world.env.root()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}
