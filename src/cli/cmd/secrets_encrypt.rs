//! `pforge secrets encrypt`.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::cx::Cx;
use crate::cli::error::{Error, Result};
use crate::cli::secrets::formats::TypeFlags;
use crate::cli::secrets::io::{Input, IoFlags};
use crate::cli::secrets::recipient_list::identity_of;
use crate::cli::secrets::recipients::{Plan, RecipientFlags, shown};
use crate::cli::secrets::reuse::{self, Reused};
use crate::cli::secrets::rules::RuleFlags;
use crate::cli::secrets::{file, targets};
use crate::secrets::{Format, Sealed, is_encrypted, seal};

/// Encrypt files, so that every sops opens them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The result goes to standard output unless -i or -o is given. A file that is encrypted already is left as it is. \
    What was encrypted before (the file that -o names, or FILE at git HEAD) is taken up where an identity \
    opens it: only what changed is encrypted anew.\n\n\
    Recipients come from the first that names any: --age and --recipients-file, SOPS_AGE_RECIPIENTS, the \
    creation rules of .sops.yaml, age-recipients.txt (in secrets/ or at the top).\n\n\
    Examples:\n  \
    pforge secrets encrypt -i secrets/config.pforge-local-me.yaml\n  \
    pforge secrets encrypt --all -i\n  \
    pforge secrets encrypt --age age1… --encrypted-regex '^(data|stringData)$' k8s.yaml > k8s.enc.yaml\n  \
    vault read … | pforge secrets encrypt --filename prod.env - > prod.env"
)]
pub struct Args {
    #[command(flatten)]
    io: IoFlags,
    #[command(flatten)]
    types: TypeFlags,
    /// Encrypt every value anew, also what was encrypted before
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    recipients: RecipientFlags,
    #[command(flatten)]
    rules: RuleFlags,
}

/// What is to be written for one input.
struct Done {
    input: Input,
    bytes: Vec<u8>,
    state: State,
}

enum State {
    /// It was encrypted already.
    Already,
    /// All of it is new.
    Fresh(Plan),
    /// It keeps what did not change.
    Kept(Plan, String),
}

/// Encrypts all of them, then writes them.
///
/// # Errors
/// When one of them cannot be encrypted: then none is written.
pub fn run(args: Args, cx: &Cx) -> Result {
    let typed = args.types.input_type.is_some();
    let inputs = args.io.inputs(cx, typed, documents)?;
    let done = inputs.into_iter().map(|input| encrypt(&args, cx, input)).collect::<Result<Vec<_>>>()?;
    let mut reports = Vec::new();
    for done in done {
        let mut report = tell(&args, cx, &done);
        if !(args.io.in_place && matches!(done.state, State::Already)) {
            args.io.put(cx, &done.input, &done.bytes, &mut report)?;
        }
        reports.push(report);
    }
    if cx.ui.json() { cx.ui.document(&json!({ "files": reports })) } else { Ok(()) }
}

fn encrypt(args: &Args, cx: &Cx, input: Input) -> Result<Done> {
    let (read, written) = (args.types.input(&input.name), args.types.output(args.types.input(&input.name)));
    if Sealed::read(read, input.bytes.expose().to_vec()).is_ok() {
        return Ok(Done { bytes: input.bytes.expose().to_vec(), input, state: State::Already });
    }
    if args.io.in_place && read == Format::Binary && is_identity(input.bytes.expose()) {
        return Err(Error::usage(format!("{} is an age identity, and is left as it is", input.shown()))
            .because("who should open it, once it needs itself?")
            .hint(format!("age -p -o {0}.age {0}", input.shown())));
    }
    let about = |error| file::about(&input.name, &error);
    let tree = read.read_plain(input.bytes.expose()).map_err(about)?;
    let mut plan = Plan::resolve(cx, &input.name, written, &args.recipients, &args.rules)?;
    plan.style.indent = args.types.indent.or(plan.style.indent);
    let base = if args.fresh || read != written { None } else { base(args, &input, written) };
    if let Some(base) = base {
        match reuse::over(cx, &input.name, &base, tree.clone(), &plan)? {
            Reused::Kept(bytes) => return Ok(Done { input, bytes, state: State::Kept(plan, base.place) }),
            Reused::Not(reason) => cx.ui.warn(reuse::warning(&input.name, &reason)),
        }
    }
    let bytes = seal(written, &tree, &plan.sealing(&input.name)?, cx.clock.now()).map_err(about)?;
    Ok(Done { input, bytes, state: State::Fresh(plan) })
}

fn is_identity(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"AGE-SECRET-KEY-"))
}

/// What `input` was when it was encrypted last.
fn base(args: &Args, input: &Input, format: Format) -> Option<reuse::Base> {
    let replaced = args.io.output.as_deref().and_then(|path| reuse::in_place_of(path, format));
    replaced.or_else(|| reuse::at_head(input.path.as_deref()?, format))
}

/// The files of `--all`: those that hold documents by their name. Others are named, because
/// somebody who says "all" means them too.
fn documents(cx: &Cx) -> Result<Vec<PathBuf>> {
    let (others, documents): (Vec<_>, Vec<_>) =
        targets::all(cx)?.into_iter().partition(|path| Format::of(path) == Format::Binary);
    for path in others {
        let sealed = std::fs::read(&path).is_ok_and(|bytes| is_encrypted(Format::Binary, &bytes));
        if !sealed {
            cx.ui.warn(format!("{}: left as it is; name it to encrypt it as a whole", shown(&path)));
        }
    }
    Ok(documents)
}

/// Tells what happens to one file; the report is its JSON.
fn tell(args: &Args, cx: &Cx, done: &Done) -> Value {
    let name = done.input.shown();
    let mut report = json!({ "file": name });
    let (plan, kept) = match &done.state {
        State::Already => {
            let printed = if args.io.in_place { "" } else { "; it goes on as it is" };
            cx.ui.status(format!("{name}: already encrypted, skipped{printed}"));
            report["state"] = json!("already encrypted");
            return report;
        }
        State::Fresh(plan) => (plan, None),
        State::Kept(plan, place) => (plan, Some(place.as_str())),
    };
    report["state"] = json!("encrypted");
    report["kept"] = json!(kept);
    let whole = kept.map_or(String::new(), |place| format!("; what did not change is as it was {place}"));
    if plan.groups.is_empty() {
        cx.ui.status(format!("{name}: encrypted for the same people as before{whole}"));
        return report;
    }
    let entry = |one: &String| json!({ "recipient": one, "name": plan.names.of(one) });
    report["recipients"] = plan.recipients().iter().map(entry).collect();
    report["recipients_from"] = json!(plan.origin);
    let people: Vec<String> = plan.recipients().iter().map(|one| plan.names.short(one)).collect();
    cx.ui.status(format!("{name}: encrypted for {} (from {}){whole}", people.join(", "), plan.origin));
    if args.io.in_place {
        warn_if_locked_out(cx, &name, plan);
    }
    report
}

/// Whoever replaces a file by one that they cannot open should know.
fn warn_if_locked_out(cx: &Cx, name: &str, plan: &Plan) {
    let recipients = plan.recipients();
    let ours = cx.identities(&recipients).identities.public_keys();
    let same = |(key, _): &(String, String)| recipients.iter().any(|one| identity_of(one) == identity_of(key));
    if !ours.is_empty() && !ours.iter().any(same) {
        cx.ui.warn(format!("{name}: none of your identities opens it"));
    }
}
