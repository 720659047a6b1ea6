//! `pforge doctor`.

use serde_json::json;

use crate::cli::api::ServerFlag;
use crate::cli::cx::Cx;
use crate::cli::database::DatabaseFlags;
use crate::cli::doctor::{Finding, Severity, facts, findings};
use crate::cli::error::{Error, Result};
use crate::cli::exit;
use crate::cli::ui::{Tone, Ui};
use crate::util::text::plural;

/// Check everything that can be wrong, each with its fix
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks at the config, GitHub's clock against ours, the key, permissions against events, installations, the\n\
    webhook URL and what is behind it, the webhook secret, failed deliveries, the rate limit, the schema, the server\n\
    on this machine, file modes, secrets in clear, and the tools on the path. Changes nothing without --fix.\n\n\
    --fix makes files private, applies migrations, and puts back a webhook URL that a crashed run left.\n\n\
    The exit code is 0 when nothing is an error, whatever the warnings, unless --strict; else that of the worst error:\n\
    3 configuration, 7 decryption, 4 permission, 6 network, 1 anything else.\n\n\
    Examples:\n  \
    pforge doctor\n  \
    pforge doctor --fix\n  \
    pforge doctor --json | jq -r '.findings[] | select(.severity == \"error\") | .fact'"
)]
pub struct Args {
    /// Repair what is safe to repair
    #[arg(long)]
    fix: bool,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    server: ServerFlag,
    #[command(flatten)]
    database: DatabaseFlags,
}

/// Looks, repairs if told to, and looks again.
///
/// # Errors
/// When something is wrong; it is told by then.
pub fn run(args: Args, cx: &Cx) -> Result {
    let (mut found, mut mended) = (look(&args, cx)?, Vec::new());
    if args.fix && found.iter().any(|finding| finding.mend.is_some()) {
        mended = mend(&args, cx, &found)?;
        found = look(&args, &cx.beside(Ui::clone(&cx.ui)))?;
    }
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count() as u64;
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if cx.ui.json() {
        let mended: Vec<_> = mended.iter().map(|(check, what)| json!({ "check": check, "what": what })).collect();
        cx.ui.document(&json!({ "errors": errors, "warnings": warnings, "findings": found, "mended": mended }))?;
    } else {
        for (check, what) in &mended {
            cx.ui.line(format!("{} {check:<12} mended: {what}", cx.ui.paint_out(Tone::Good, "+")))?;
        }
        found.iter().try_for_each(|finding| tell(&cx.ui, finding))?;
        let mendable = found.iter().any(|finding| finding.mend.is_some());
        cx.ui.status(match (errors, warnings) {
            (0, 0) => "Nothing is wrong.".to_owned(),
            _ => format!("{}, {}.", plural(errors, "error"), plural(warnings, "warning")),
        });
        if mendable && !args.fix {
            cx.ui.hint("pforge doctor --fix");
        }
    }
    match findings::worst(&found) {
        Some(worst) => Err(Error::told(exit::code(worst.kind))),
        None if args.strict && warnings > 0 => Err(Error::told(1)),
        None => Ok(()),
    }
}

fn look(args: &Args, cx: &Cx) -> Result<Vec<Finding>> {
    let spinner = cx.ui.spinner("Looking at everything");
    let facts = cx.run(async { Ok(facts::gather(cx, &args.server, &args.database).await) })?;
    drop(spinner);
    Ok(findings::judge(&facts))
}

fn mend(args: &Args, cx: &Cx, found: &[Finding]) -> Result<Vec<(&'static str, String)>> {
    cx.run(async {
        let mut done = Vec::new();
        for finding in found {
            if let Some(mend) = &finding.mend {
                match mend.make(cx, &args.database).await {
                    Ok(what) => done.push((finding.check, what)),
                    Err(error) => cx.ui.warn(format!("{}: {}", finding.check, error.message)),
                }
            }
        }
        Ok(done)
    })
}

fn tell(ui: &Ui, finding: &Finding) -> Result {
    let (sign, tone) = match finding.severity {
        Severity::Ok => ("✓", Tone::Good),
        Severity::Note => ("·", Tone::Dim),
        Severity::Warning => ("!", Tone::Warn),
        Severity::Error => ("✗", Tone::Bad),
    };
    ui.line(format!("{} {:<12} {}", ui.paint_out(tone, sign), finding.check, finding.fact))?;
    for command in &finding.tries {
        ui.line(format!("{:15}{} {command}", "", ui.paint_out(Tone::Link, "try:")))?;
    }
    Ok(())
}
