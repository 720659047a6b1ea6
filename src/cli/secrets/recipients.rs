//! Where recipients come from: flags, `SOPS_AGE_RECIPIENTS`, `.sops.yaml`,
//! `secrets/age-recipients.txt`.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use super::names::Names;
use super::recipient_list;
use super::rules::RuleFlags;
use super::sops_config::{self, SopsConfig};
use crate::cli::cx::Cx;
use crate::cli::error::{Error, Kind, Result};
use crate::secrets::{Format, Recipient, Rule, Sealing, Style};

/// The name of a list of recipients.
pub const LIST: &str = "age-recipients.txt";

/// For whom, where the usual places are not meant.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "For whom")]
pub struct RecipientFlags {
    /// A recipient, or several between commas; repeat for more [env: SOPS_AGE_RECIPIENTS]
    #[arg(short = 'a', long = "age", short_alias = 'r', visible_alias = "recipient", value_name = "RECIPIENT")]
    pub age: Vec<String>,
    /// A file of recipients, one a line; repeat for more
    #[arg(long, value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
    /// The .sops.yaml to use [env: SOPS_CONFIG] [default: the nearest above FILE]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How many key groups open the file [default: all of them]
    #[arg(long, value_name = "N")]
    pub shamir_threshold: Option<usize>,
}

/// What a new encrypted document is to be like, as far as anybody says so.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Key groups; empty when no recipient is named anywhere.
    pub groups: Vec<Vec<Recipient>>,
    /// Where they come from.
    pub origin: String,
    /// How many groups are needed.
    pub threshold: Option<usize>,
    /// What is encrypted.
    pub rule: Option<Rule>,
    /// Whether the MAC covers encrypted leaves only.
    pub mac_only_encrypted: bool,
    /// How it is written.
    pub style: Style,
    /// Who is who.
    pub names: Names,
}

impl Plan {
    /// Resolves the flags for `file`, which need not exist.
    ///
    /// # Errors
    /// Usage and configuration errors, each naming the place and the entry.
    pub fn resolve(cx: &Cx, file: &Path, format: Format, flags: &RecipientFlags, rules: &RuleFlags) -> Result<Self> {
        let config = sops_config::find(cx, flags.config.as_deref(), file)?;
        let rule = config.as_ref().map(|config| config.rule_for(file)).transpose()?.flatten();
        let place = |config: &SopsConfig, at| format!("{}, rule {at}", shown(&config.path));
        let (groups, origin) = match explicit(cx, flags)? {
            Some((recipients, origin)) => (vec![recipients], origin),
            None => match (&config, rule) {
                (Some(config), Some((at, rule))) => configured(rule.groups(&place(config, at))?, &place(config, at))?,
                _ => (Vec::new(), String::new()),
            },
        };
        let (groups, origin) = match list_file(cx, file) {
            Some(path) if groups.iter().all(Vec::is_empty) => {
                let text = read(&path)?;
                (vec![recipient_list::parse(&shown(&path), &text, false)?], shown(&path))
            }
            _ => (groups, origin),
        };
        warn_of_sample(cx, groups.iter().flatten());
        let own = rules.rule("the command line", Kind::Usage)?;
        let in_config = match (&config, rule) {
            (Some(config), Some((at, rule))) => rule.rule.rule(&place(config, at), Kind::Config)?,
            _ => None,
        };
        let configured = rule.map(|(_, rule)| rule);
        let mut names = Names::around(cx, file);
        for path in &flags.recipients_file {
            names.read(&read(path)?);
        }
        Ok(Self {
            groups: groups.into_iter().filter(|group| !group.is_empty()).collect(),
            origin,
            threshold: flags.shamir_threshold.or_else(|| configured?.shamir_threshold).filter(|needed| *needed > 0),
            rule: own.or(in_config),
            mac_only_encrypted: rules.mac_only_encrypted || configured.is_some_and(|rule| rule.rule.mac_only_encrypted),
            style: config.map_or_else(Style::default, |config| config.style(format)),
            names,
        })
    }

    /// What a document that is encrypted for the first time is to be like.
    ///
    /// # Errors
    /// A configuration error when there is no recipient.
    pub fn sealing(&self, file: &Path) -> Result<Sealing> {
        if self.groups.is_empty() {
            return Err(nobody(file));
        }
        Ok(Sealing {
            groups: self.groups.clone(),
            threshold: self.threshold,
            rule: self.rule.clone().unwrap_or_default(),
            mac_only_encrypted: self.mac_only_encrypted,
            style: self.style,
        })
    }

    /// The recipients of all groups, as texts.
    pub fn recipients(&self) -> Vec<String> {
        self.groups.iter().flatten().map(ToString::to_string).collect()
    }
}

/// The list of recipients that applies to `file`: the nearest `age-recipients.txt`, or the one in
/// a folder `secrets`, from the file's folder up to the top of its repository; else below the root
/// of the deployments.
pub fn list_file(cx: &Cx, file: &Path) -> Option<PathBuf> {
    let file = absolute(file).ok()?;
    let root = cx.settings.root.value.as_path();
    let top = |folder: &&Path| folder.join(".git").exists() || *folder == root;
    let mut folders: Vec<&Path> = file.ancestors().skip(1).collect();
    if let Some(at) = folders.iter().position(top) {
        folders.truncate(at + 1);
    }
    let in_folder = |folder: &Path| [folder.join(LIST), folder.join("secrets").join(LIST)];
    folders.into_iter().chain([root]).flat_map(in_folder).find(|path| path.is_file())
}

/// The recipient of the samples in pforge's own repository, where its identity stands, too.
const SAMPLE: &str = "age19xrwqvjgn6dyr7u3hjfzc7r9xnkt3d9f6p3au48hxhygv3g8ualsay3nx0";

fn warn_of_sample<'a>(cx: &Cx, mut recipients: impl Iterator<Item = &'a Recipient>) {
    if recipients.any(|recipient| recipient.to_string() == SAMPLE) {
        cx.ui.warn(format!("{SAMPLE} is the sample of pforge's repository: everybody can open what is for it"));
        cx.ui.hint(format!("pforge secrets keygen -o key.txt   # and put its public key into secrets/{LIST}"));
    }
}

/// What flags or the environment name.
fn explicit(cx: &Cx, flags: &RecipientFlags) -> Result<Option<(Vec<Recipient>, String)>> {
    if !flags.age.is_empty() || !flags.recipients_file.is_empty() {
        let mut recipients = recipient_list::parse("--age", &flags.age.join("\n"), true)?;
        for path in &flags.recipients_file {
            recipients.extend(recipient_list::parse(&shown(path), &read(path)?, false)?);
        }
        if recipients.is_empty() {
            return Err(Error::usage("no recipient is in what --age or --recipients-file gives"));
        }
        let origin = match flags.recipients_file.as_slice() {
            [] => "--age".to_owned(),
            files => files.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", "),
        };
        return Ok(Some((distinct(recipients), origin)));
    }
    let Some(text) = cx.env.get("SOPS_AGE_RECIPIENTS") else { return Ok(None) };
    let recipients = recipient_list::parse("SOPS_AGE_RECIPIENTS", text, true)?;
    Ok(Some((recipients, "SOPS_AGE_RECIPIENTS".to_owned())).filter(|(recipients, _)| !recipients.is_empty()))
}

fn configured(groups: Vec<Vec<String>>, place: &str) -> Result<(Vec<Vec<Recipient>>, String)> {
    let parse = |texts: Vec<String>| recipient_list::parse(place, &texts.join("\n"), false);
    Ok((groups.into_iter().map(parse).collect::<Result<_>>()?, place.to_owned()))
}

fn distinct(recipients: Vec<Recipient>) -> Vec<Recipient> {
    let mut seen = std::collections::BTreeSet::new();
    recipients.into_iter().filter(|one| seen.insert(recipient_list::identity_of(&one.to_string()))).collect()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Error::config(format!("cannot read {}", path.display())).caused_by(&error))
}

/// A path as the user would write it: relative, when it is below the working directory.
pub fn shown(path: &Path) -> String {
    let below = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    below.as_deref().unwrap_or(path).display().to_string()
}

fn nobody(file: &Path) -> Error {
    let file = shown(file);
    Error::config(format!("nobody is named who may open {file}"))
        .because("looked at --age, SOPS_AGE_RECIPIENTS, the creation rules of .sops.yaml, secrets/age-recipients.txt")
        .hint("pforge secrets keygen -o key.txt >> secrets/age-recipients.txt")
        .hint(format!("pforge secrets encrypt --age age1… {file}"))
}
