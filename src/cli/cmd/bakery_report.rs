//! `pforge bakery report`.

use std::path::PathBuf;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::trigger::args::Destination;
use crate::cli::trigger::report;
use crate::cli::trigger::send::{Message, Sender};
use crate::cli::trigger::target::{Signer, Target};
use crate::util::id;

/// Report the end of a run, as a bakery does
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The report is signed with the webhook secret of the deployment and posted to its server, which ends the run\n\
    and tells it on GitHub. A bakery that cannot report by itself runs this when its job has ended; a person does\n\
    it for a job that was lost. A run that is over stays as it is.\n\n\
    A report as a form, as Dataflow's monitor sends it, cannot go through a smee channel; JSON can.\n\n\
    Examples:\n  pforge bakery report 17 --conclusion success\n  \
    pforge bakery report 17 --conclusion failure --url https://api.example.org/github/hooks/\n  \
    pforge bakery report --job-name a6170692e70616e67656f2d666f7267652e6f7267251366 --conclusion failure\n  \
    pforge bakery report 17 --conclusion success --form --event dataflow --webhook-secret-file secret.txt\n\n\
    Exit code 1 when the server does not take the report, 6 when it does not answer."
)]
pub struct Args {
    /// The run's number
    #[arg(value_name = "RUN_ID", value_parser = clap::value_parser!(i64).range(1..), required_unless_present = "job_name")]
    run: Option<i64>,
    /// How it ended
    #[arg(long, value_enum)]
    conclusion: Conclusion,
    /// The run by the name of its job at the bakery
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    job_name: Option<String>,
    /// The webhook [env: PFORGE_SERVER, its hook] [default: http://127.0.0.1:8000/github/hooks/]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Post a form instead of JSON
    #[arg(long)]
    form: bool,
    /// The event that it is
    #[arg(long, value_enum, default_value_t = Event::Bakery)]
    event: Event,
    /// Sign with the secret in this file instead of the config's
    #[arg(long, value_name = "FILE")]
    webhook_secret_file: Option<PathBuf>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Conclusion {
    /// The dataset is there
    Success,
    /// It is not
    Failure,
}

/// The name of the event.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Event {
    /// What every bakery reports
    Bakery,
    /// The older name of the same
    Dataflow,
}

impl Conclusion {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bakery => "bakery",
            Self::Dataflow => "dataflow",
        }
    }
}

/// Signs and posts a report, and tells the answer.
///
/// # Errors
/// When there is no secret, nobody answers, or the answer is not one of success.
pub fn run(args: Args, cx: &Cx) -> Result {
    let content_type = if args.form { "application/x-www-form-urlencoded" } else { "application/json" };
    let event = args.event.as_str();
    let message = Message { name: format!("{event}.completed"), event: event.to_owned(), body: body(&args) };
    let destination = Destination {
        to: args.url,
        webhook_secret_file: args.webhook_secret_file,
        header: vec![format!("content-type: {content_type}")],
    };
    let told = || -> Result {
        let target = Target::new(cx, destination.to.as_deref(), None)?;
        let signer = Signer::new(cx, &destination)?;
        let sender = Sender::new(&target, &signer)?;
        let sent = cx.run(sender.send(&message, &id::guid()))?;
        report::one(cx, &sent)
    };
    told().map_err(in_own_words)
}

/// `action`, the run, `conclusion`: the order in which the original's monitor writes them, which the
/// signature covers.
fn body(args: &Args) -> Bytes {
    let run = match (args.run, &args.job_name) {
        (Some(run), _) => ("recipe_run_id", Value::from(run)),
        (None, name) => ("job_name", Value::from(name.clone())),
    };
    let fields = [("action", "completed".into()), run, ("conclusion", args.conclusion.as_str().into())];
    if args.form {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &fields {
            form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        return form.finish().into();
    }
    let object: Map<String, Value> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Value::Object(object).to_string().into()
}

/// What is sent by the means of `pforge trigger` has its advice, too.
fn in_own_words(mut error: Error) -> Error {
    error.tries.retain(|command| !command.contains("--dry-run"));
    for command in &mut error.tries {
        *command = command.replace("pforge trigger", "pforge bakery report").replace("--to URL", "--url URL");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::signature::Key;

    fn args(run: Option<i64>, job_name: Option<&str>, form: bool) -> Args {
        Args {
            run,
            conclusion: Conclusion::Success,
            job_name: job_name.map(str::to_owned),
            url: None,
            form,
            event: Event::Bakery,
            webhook_secret_file: None,
        }
    }

    #[test]
    fn the_form_is_the_originals_to_the_byte() {
        let form = body(&args(Some(1), None, true));
        assert_eq!(form, "action=completed&recipe_run_id=1&conclusion=success");
        let signature = "sha256=06745b2013b3a7f542208f4f35a991426fe5b4c1a04b5c28108023b5e17c937a";
        assert_eq!(Key::new(b"abcdefg").sign(&form), signature);
        assert_eq!(body(&args(None, Some("a b"), true)), "action=completed&job_name=a+b&conclusion=success");
        let json: Value = serde_json::from_slice(&body(&args(Some(1), None, false))).expect("JSON");
        assert_eq!(json, serde_json::json!({ "action": "completed", "recipe_run_id": 1, "conclusion": "success" }));
    }
}
