//! A command that prints identities.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::secrets::Text;

/// How long a command may take: it may have to ask a person for a finger on a token.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the command `line` prints. It is told in `SOPS_AGE_RECIPIENT` for whom; one that prints
/// the same for everybody is asked twice at most.
///
/// # Errors
/// When it never printed anything: how it failed, as the end of a sentence about it.
pub fn outputs(line: &str, recipients: &[String], patience: Duration) -> Result<Vec<Text>, String> {
    let words = shlex::split(line).ok_or_else(|| "is not a command line: a quote is not closed".to_owned())?;
    let Some((program, args)) = words.split_first() else { return Err("is empty".to_owned()) };
    let deadline = Instant::now() + patience;
    let (mut outputs, mut failure) = (Vec::new(), None);
    let mut ask = |recipient: Option<&String>| {
        let mut command = Command::new(program);
        command.args(args).envs(recipient.map(|recipient| ("SOPS_AGE_RECIPIENT", recipient)));
        match output(command, deadline) {
            Ok(text) if outputs.contains(&text) => false,
            Ok(text) => {
                outputs.push(text);
                true
            }
            Err(problem) => {
                failure.get_or_insert(problem);
                Instant::now() < deadline
            }
        }
    };
    if recipients.is_empty() {
        ask(None);
    } else {
        let mut asked: Vec<&String> = Vec::new();
        for recipient in recipients {
            if !asked.contains(&recipient) {
                asked.push(recipient);
                if !ask(Some(recipient)) {
                    break;
                }
            }
        }
    }
    match failure {
        Some(problem) if outputs.is_empty() => Err(problem),
        _ => Ok(outputs),
    }
}

/// Standard output of `command`; its standard error is the person's.
fn output(mut command: Command, deadline: Instant) -> Result<Text, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("does not start: {error}"))?;
    let Some(mut stdout) = child.stdout.take() else { return Err("has no output".to_owned()) };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.read_to_end(&mut bytes).map(|_| Text::from(bytes));
        // Nobody waits any more when the time was up.
        let _ = sender.send(read);
    });
    let left = deadline.saturating_duration_since(Instant::now());
    let read = receiver.recv_timeout(left);
    let status = end(&mut child, deadline);
    match (read, status) {
        (Ok(Ok(text)), Some(status)) if status.success() => Ok(text),
        (Ok(_), Some(status)) => Err(format!("failed: {status}")),
        _ => Err("did not end in time".to_owned()),
    }
}

/// Waits for the end until the deadline, then makes one.
fn end(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Duration, Instant, outputs};

    fn texts(line: &str, recipients: &[&str]) -> Result<Vec<String>, String> {
        let recipients: Vec<String> = recipients.iter().map(|&name| name.to_owned()).collect();
        let outputs = outputs(line, &recipients, Duration::from_secs(30))?;
        Ok(outputs.iter().map(|text| String::from_utf8_lossy(text.expose()).into_owned()).collect())
    }

    #[test]
    fn a_command_is_split_as_a_shell_does_and_told_the_recipient() {
        assert_eq!(texts("printf 'a b'", &[]).expect("runs"), ["a b"]);
        assert_eq!(texts("printf same", &["age1a", "age1b", "age1c"]).expect("runs"), ["same"]);
        let each = r#"sh -c 'printf "for %s" "$SOPS_AGE_RECIPIENT"'"#;
        assert_eq!(texts(each, &["age1a", "age1a", "age1b"]).expect("runs"), ["for age1a", "for age1b"]);
        let one = r#"sh -c 'test "$SOPS_AGE_RECIPIENT" = age1b && printf b'"#;
        assert_eq!(texts(one, &["age1a", "age1b"]).expect("runs"), ["b"]);
    }

    #[test]
    fn a_command_that_fails_says_how() {
        assert_eq!(texts("'open", &[]).expect_err("open"), "is not a command line: a quote is not closed");
        assert_eq!(texts("sh -c 'exit 3'", &[]).expect_err("3"), "failed: exit status: 3");
        assert!(texts("/nonexistent/program", &[]).expect_err("none").starts_with("does not start: "));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let begun = Instant::now();
        let error = outputs("sleep 600", &[], Duration::from_millis(100)).expect_err("hangs");
        assert_eq!(error, "did not end in time");
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
