//! `secrets exec`.

use std::fs;

use super::{CONFIG, Desk, SECRET};

#[test]
fn values_become_variables_and_the_exit_code_is_the_programs() {
    let mut desk = Desk::with_config();
    desk.env.set("NOTHING", "set").set("KEPT", "yes");
    let output = desk.run(&["exec", "--", "sh", "-c", "env; exit 7"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(7), ""));
    for line in [
        "GITHUB_APP_ID=7",
        &format!("GITHUB_APP_WEBHOOK_SECRET={SECRET}"),
        "GITHUB_APP_PRIVATE_KEY=first line",
        "FASTAPI_PANGEO_FORGE_API_KEY=0123abcd",
        "HOSTS_0=one",
        "HOSTS_1_PORTS_1=81",
        "RATIO=1.5",
        "ON=true",
        "KEPT=yes",
    ] {
        assert!(output.stdout.lines().any(|found| found == line), "{line}\n{}", output.stdout);
    }
    assert!(!output.stdout.contains("NOTHING="), "null takes the variable away");

    let output = desk.run(&["exec", "--pristine", "--only", "hosts[1]", "--prefix", "X_", "--", "env"]).success();
    assert_eq!(output.stdout, "X_HOSTS_1_NAME=two\nX_HOSTS_1_PORTS_0=80\nX_HOSTS_1_PORTS_1=81\n");
    let output = desk.run(&["exec", "--pristine", "--no-flatten", "env"]).success();
    assert_eq!(output.stdout, "on=true\nratio=1.5\n");
}

#[test]
fn names_of_dotenv_files_stay() {
    let desk = Desk::new();
    desk.write("p.env", "lower=a b\nMulti=x\\ny\n");
    desk.run(&["encrypt", "-i", "p.env"]).success();
    let output = desk.run(&["exec", "-f", "p.env", "--", "sh", "-c", "echo \"$lower|$Multi\""]).success();
    assert_eq!(output.stdout, "a b|x\ny\n");
}

#[test]
fn nothing_runs_on_a_collision_or_without_a_program() {
    let desk = Desk::new();
    desk.write(CONFIG, "a:\n  b: hunter2-do-not-tell\na_b: 2\n");
    let output = desk.run(&["exec", "--", "touch", "ran"]);
    assert_eq!(
        output.to_string(),
        format!(
            "$ pforge secrets exec -- touch ran\nexit 1\n--- stderr\nerror: {CONFIG}: a.b and a_b would both be the \
             variable A_B\n  caused by: --only PATH leaves one of them out\n"
        )
    );
    assert!(!desk.path("ran").exists());
    let output = desk.run(&["exec", "--only", "a", "--", "no-such-program"]);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (Some(5), "error: there is no program no-such-program in PATH\n")
    );
    let output = desk.run(&["exec", "--only", "nope", "--", "true"]);
    assert_eq!(output.code, Some(5), "{output}");
}

#[test]
fn nothing_comes_to_the_disk_and_no_core_either() {
    let desk = Desk::with_config();
    let before = fs::read_dir(desk.env.root()).expect("list").count();
    let output = desk.run(&["exec", "--", "sh", "-c", "ulimit -c"]).success();
    assert_eq!(output.stdout, "0\n");
    assert_eq!(fs::read_dir(desk.env.root()).expect("list").count(), before);
}
