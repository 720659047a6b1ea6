//! git gets its tokens from `token credential`.

use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::echo::{Echo, Told};
use super::world::World;
use crate::support::env::{Env, PFORGE};

/// `git` with the helper and in `env`'s home, which asks nobody.
fn git(env: &Env, url: &str, args: &[&str], input: &str) -> Output {
    let mut command = Command::new("git");
    command.current_dir(env.root()).env_clear();
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", env.root())
        .env("PFORGE_ROOT", env.root())
        .env("GITHUB_API_URL", url)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", &format!("credential.helper=!{PFORGE} token credential")])
        .args(["-c", "credential.useHttpPath=true"])
        .args(args);
    let path = env.write("git-input", input);
    command.stdin(Stdio::from(std::fs::File::open(path).unwrap()));
    command.output().expect("git")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn git_is_given_a_token_for_the_repository() {
    let world = World::start(&["alice", "octo"]).await;
    let host = world.url.strip_prefix("http://").unwrap();
    let fill = |host: &str, path: &str, more: &str| {
        let input = format!("protocol=http\nhost={host}\npath={path}\n{more}\n");
        tokio::task::block_in_place(|| git(&world.env, &world.url, &["credential", "fill"], &input))
    };
    let answer = text(&fill(host, "alice/mock.git", ""));
    assert!(answer.contains("username=x-access-token\n"), "{answer}");
    let token = answer.lines().find_map(|line| line.strip_prefix("password=")).unwrap_or_else(|| panic!("{answer}"));
    let http = reqwest::Client::builder().user_agent("it").no_proxy().build().unwrap();
    let covered =
        http.get(format!("{}/installation/repositories", world.url)).basic_auth("x-access-token", Some(token));
    let covered: serde_json::Value = covered.send().await.unwrap().json().await.unwrap();
    assert_eq!(covered["repositories"][0]["full_name"], "alice/mock", "{covered}");
    assert_eq!(covered["total_count"], 1);
    for (host, path, more) in
        [(host, "bob/none.git", ""), (host, "alice/mock.git", "username=alice\n"), ("else.where", "alice/mock.git", "")]
    {
        let output = fill(host, path, more);
        assert!(!output.status.success() && !text(&output).contains("password"), "{host} {path}: {}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_path_only_one_installation_is_clear() {
    let one = World::start(&["octo"]).await;
    let asked = |world: &World| format!("protocol=http\nhost={}\n\n", world.url.strip_prefix("http://").unwrap());
    let answer = one.pforge_with(&["token", "credential", "get"], &asked(&one)).success();
    assert!(answer.stdout.contains("password=ghs_") && answer.stdout.contains("password_expiry_utc="), "{answer}");
    let two = World::start(&["alice", "octo"]).await;
    let answer = two.pforge_with(&["token", "credential", "get"], &asked(&two)).success();
    assert_eq!(answer.stdout, "");
    assert!(answer.stderr.contains("useHttpPath true"), "{answer}");
    for operation in ["store", "erase", "learn"] {
        let silent = two.pforge_with(&["token", "credential", operation], &asked(&two)).success();
        assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    }
}

/// A GitHub with nothing but what a clone needs: an API that gives a token, and a repository that
/// wants it.
#[test]
fn git_opens_a_repository_with_it() {
    const SHA: &str = "2d479603844e73a94cb88dc3d26f4bfed3e4fabf";
    let echo = Echo::answering(|asked| {
        let basic = format!("Basic {}", STANDARD.encode("x-access-token:ghs_secret"));
        Some(match asked.path.as_str() {
            "/repos/alice/mock/installation" => Told::json(r#"{"id":1}"#),
            "/app/installations/1/access_tokens" => {
                assert_eq!(asked.json(), Some(json!({ "repositories": ["mock"] })));
                Told::json(r#"{"token":"ghs_secret","expires_at":"2099-01-01T00:00:00Z","permissions":{}}"#)
            }
            _ if asked.header("authorization") != Some(&basic) => {
                Told { status: "401 Unauthorized", headers: Vec::new(), body: Vec::new() }
                    .header("WWW-Authenticate", "Basic realm=\"GitHub\"")
            }
            "/alice/mock.git/info/refs" => Told {
                status: "200 OK",
                headers: vec![("Content-Type".into(), "text/plain".into())],
                body: format!("{SHA}\trefs/heads/main\n").into_bytes(),
            },
            _ => Told { status: "404 Not Found", headers: Vec::new(), body: Vec::new() },
        })
    });
    let env = Env::configured();
    let output = git(&env, &echo.url, &["ls-remote", &format!("{}/alice/mock.git", echo.url)], "");
    assert_eq!(text(&output), format!("{SHA}\trefs/heads/main\n"), "{}", String::from_utf8_lossy(&output.stderr));
}
