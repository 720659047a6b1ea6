//! As whom a call is made, as the emulator saw it.

use super::world::{SLUG, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_decides_who_speaks() {
    let world = World::start(&["alice", "octo"]).await;
    let id = world.installation("octo").to_string();
    let table: [(&[&str], &str); 9] = [
        (&["/app"], "GET /app jwt 200"),
        (&["/repos/alice/mock/installation"], "GET /repos/alice/mock/installation jwt 200"),
        (&["/users/alice/installation"], "GET /users/alice/installation jwt 200"),
        (&["/repos/alice/mock"], "GET /repos/alice/mock token 200"),
        (&["/installation/repositories", "--repo", "octo/one"], "GET /installation/repositories token 200"),
        (&["/installation/repositories", "--installation", &id], "GET /installation/repositories token 200"),
        (&["/repos/alice/mock", "--as", "anonymous"], "GET /repos/alice/mock anonymous 200"),
        (&["/repos/alice/mock", "--as", "jwt"], "GET /repos/alice/mock refused 403"),
        (&["/app", "--as", "installation", "--repo", "octo/one"], "GET /app refused 401"),
    ];
    for (args, expected) in table {
        let mark = world.mark().await;
        let mut line = vec!["gh-as-app"];
        line.extend(args);
        let output = world.pforge(&line);
        let calls = world.calls(mark).await;
        assert!(calls.iter().any(|call| call == expected), "{args:?}: {calls:#?}\n{output}");
        assert_eq!(output.code, Some(if expected.ends_with("200") { 0 } else { 4 }), "{output}");
    }
    let unclear = world.pforge(&["gh-as-app", "/installation/repositories"]);
    assert_eq!(unclear.code, Some(2), "{unclear}");
    for part in ["which of the App's 2 installations", "on alice (selected repositories)", "on octo", "--installation"]
    {
        assert!(unclear.stderr.contains(part), "{part}: {unclear}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_installation_needs_no_name_and_gh_repo_is_one() {
    let mut world = World::start(&["alice", "octo"]).await;
    world.env.set("GH_REPO", "octo/one");
    let named = world.pforge(&["gh-as-app", "/installation/repositories", "--jq", ".repositories[].full_name"]);
    assert_eq!(named.success().stdout, "octo/one\nocto/two\n");
    let filled = world.pforge(&["gh-as-app", "repos/{owner}/{repo}", "--jq", ".full_name"]);
    assert_eq!(filled.success().stdout, "octo/one\n");
    let octo = world.installation("octo");
    world.person.uninstall(octo).await.unwrap();
    world.env.unset("GH_REPO");
    let only = world.pforge(&["gh-as-app", "/installation/repositories", "--jq", ".repositories[].full_name"]);
    assert_eq!(only.success().stdout, "alice/mock\n");
    let nowhere = world.pforge(&["gh-as-app", "repos/{owner}/{repo}"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere}");
    assert!(nowhere.stderr.contains("no repository is named"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_git_remote_names_the_repository() {
    let world = World::start(&["alice"]).await;
    let host = world.url.clone();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(world.env.root()).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null");
        assert!(command.output().expect("git").status.success(), "git {args:?}");
    };
    git(&["init", "-q", "-b", "topic"]);
    git(&["remote", "add", "other", "https://else.where/x/y.git"]);
    git(&["remote", "add", "origin", &format!("{host}/alice/mock.git")]);
    let output =
        world.pforge(&["gh-as-app", "/repos/{owner}/{repo}", "-X", "GET", "-F", "ref={branch}", "--jq", ".name"]);
    assert_eq!(output.success().stdout, "mock\n");
    let calls = world.calls(0).await;
    assert!(calls.iter().any(|call| call.starts_with("GET /repos/alice/mock?ref=topic")), "{calls:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stuck_run_of_the_tour_is_mended() {
    let world = World::start(&["alice"]).await;
    let sha = world.head("alice/mock");
    let made = world.pforge(&[
        "gh-as-app",
        "POST",
        "/repos/alice/mock/check-runs",
        "-f",
        "name=synchronize",
        "-f",
        &format!("head_sha={sha}"),
        "-f",
        "status=in_progress",
        "--jq",
        ".id",
    ]);
    let id = made.success().stdout.trim().to_owned();
    let path = format!("/repos/alice/mock/check-runs/{id}");
    let mended = world.pforge(&[
        "gh-as-app",
        "PATCH",
        &path,
        "-f",
        "status=completed",
        "-f",
        "conclusion=failure",
        "-f",
        "output[title]=Stopped",
        "-f",
        "output[summary]=It was stuck.",
        "--jq",
        "[.status, .conclusion, .output.title, .app.slug] | join(\" \")",
    ]);
    assert_eq!(mended.success().stdout, format!("completed failure Stopped {SLUG}\n"));
}
