//! What `pforge demo-runner` does: pangeo-forge-runner's command line and its lines, without Python.

mod feedstock;
mod zarr;

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::feedstock::{Feedstock, Trouble};
use crate::cli::error::{Error, Result};
use crate::cli::ui::Ui;

/// How often a slow recipe says that it goes on.
const BEAT: Duration = Duration::from_millis(500);
/// Time steps of a dataset.
const STEPS: usize = 12;
/// Time steps of a pruned one, as of pangeo-forge-runner.
const PRUNED: usize = 2;

/// Where the feedstock is.
#[derive(Debug, clap::Args)]
struct Source {
    /// The folder that holds the feedstock's folder
    #[arg(long, value_name = "FOLDER")]
    repo: PathBuf,
    /// Taken and not used: a folder is as it is
    #[arg(long = "ref", value_name = "SHA")]
    git_ref: Option<String>,
    /// The feedstock's folder
    #[arg(long, value_name = "DIR", default_value = "feedstock")]
    feedstock_subdir: String,
}

/// The arguments of `expand-meta`.
#[derive(Debug, clap::Args)]
pub struct ExpandArgs {
    #[command(flatten)]
    source: Source,
}

/// The arguments of `bake`.
#[derive(Debug, clap::Args)]
pub struct BakeArgs {
    #[command(flatten)]
    source: Source,
    /// The bakery, as JSON
    #[arg(short = 'f', long = "config", value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Bake two time steps only
    #[arg(long)]
    prune: bool,
    /// Which recipe; all of them when left out
    #[arg(long = "Bake.recipe_id", value_name = "ID")]
    recipe_id: Option<String>,
    /// Name of the job
    #[arg(long = "Bake.job_name", value_name = "NAME")]
    job_name: Option<String>,
}

/// Writes the line that lists the recipes.
///
/// # Errors
/// Exit code 1 after a line with status `failed`.
pub fn expand(args: &ExpandArgs, ui: &Ui) -> Result {
    let meta = open(&args.source).and_then(|feedstock| feedstock.expanded());
    match meta {
        Ok(meta) => ui.event(&json!({ "message": "Expansion complete", "status": "completed", "meta": meta })),
        Err(trouble) => failed(ui, &trouble),
    }
}

/// Bakes, and writes lines while it does.
///
/// # Errors
/// Exit code 1 after a line with status `failed`.
pub fn bake(args: &BakeArgs, ui: &Ui) -> Result {
    match try_bake(args, ui)? {
        Ok(()) => Ok(()),
        Err(trouble) => failed(ui, &trouble),
    }
}

fn open(source: &Source) -> std::result::Result<Feedstock, Trouble> {
    Feedstock::open(&source.repo.join(&source.feedstock_subdir))
}

/// The outer error is that nobody reads what is written.
fn try_bake(args: &BakeArgs, ui: &Ui) -> Result<std::result::Result<(), Trouble>> {
    let prepared = open(&args.source).and_then(|feedstock| {
        let config = config(&args.config)?;
        let target = config.pointer("/TargetStorage/root_path").and_then(Value::as_str).map(str::to_owned);
        let target = target.ok_or_else(|| Trouble::of("TraitError", "TargetStorage.root_path is not set"))?;
        Ok((feedstock, config, target))
    });
    let (feedstock, config, target) = match prepared {
        Ok(prepared) => prepared,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let class = |section: &str| config.pointer(&format!("/{section}/fsspec_class")).and_then(Value::as_str);
    let setup = |what: &str, target: &str| json!({ "message": format!("{what} is {target}\n"), "status": "setup" });
    let shown = format!("{}(root_path={target:?})", class("TargetStorage").unwrap_or("LocalFileSystem"));
    ui.event(&setup("Target Storage", &shown))?;
    ui.event(&json!({ "message": "Parsing recipes...", "status": "running" }))?;
    let recipes = match feedstock.chosen(args.recipe_id.as_deref()) {
        Ok(recipes) => recipes,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let bakery = config.pointer("/Bake/bakery_class").and_then(Value::as_str).unwrap_or_default();
    let remote = ["DataflowBakery", "FlinkOperatorBakery"].iter().any(|class| bakery.ends_with(class));
    let named = args.job_name.clone().or(config.pointer("/Bake/job_name").and_then(Value::as_str).map(str::to_owned));
    let job_name = named.unwrap_or_else(|| "local-feedstock".to_owned());
    for recipe in recipes {
        ui.event(&json!({ "message": format!("Job name is {job_name}") }))?;
        let local = class("TargetStorage").is_none_or(|class| class.ends_with("LocalFileSystem"));
        if !remote {
            let message = format!("Running job for recipe {recipe}\n");
            let (recipe, job_name) = (&recipe, &job_name);
            ui.event(&json!({ "message": message, "recipe": recipe, "job_name": job_name, "status": "running" }))?;
            pause(ui, feedstock.pause())?;
        }
        if local {
            let path = target.replace("{job_name}", &job_name);
            let steps = if args.prune { PRUNED } else { STEPS };
            if let Err(error) = zarr::write(std::path::Path::new(&path), &recipe, steps) {
                return Ok(Err(Trouble::of("OSError", &format!("{path}: {error}"))));
            }
        } else if !remote {
            return Ok(Err(Trouble::of("NotImplementedError", "this stand-in writes to local folders only")));
        }
        if remote {
            let job_id = format!("demo-{job_name}");
            let message = format!("Submitted job {job_id} for recipe {recipe}");
            ui.event(&json!({
                "message": message, "recipe": recipe, "job_name": job_name, "job_id": job_id, "status": "submitted",
            }))?;
        }
    }
    Ok(Ok(()))
}

/// The settings of all JSON files, the later ones over the earlier ones.
fn config(files: &[PathBuf]) -> std::result::Result<Value, Trouble> {
    let mut config = json!({});
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let text =
            std::fs::read(file).map_err(|error| Trouble::of("OSError", &format!("{}: {error}", file.display())))?;
        let read: Value = serde_json::from_slice(&text)
            .map_err(|error| Trouble::of("ConfigFileError", &format!("{}: {error}", file.display())))?;
        for (section, value) in read.as_object().into_iter().flatten() {
            config[section.as_str()] = value.clone();
        }
    }
    Ok(config)
}

fn pause(ui: &Ui, long: Duration) -> Result {
    let until = Instant::now() + long;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        ui.event(&json!({ "message": format!("Worker: asleep for another {:.1} s", left.as_secs_f64()) }))?;
        sleep(left.min(BEAT));
    }
    Ok(())
}

fn failed(ui: &Ui, trouble: &Trouble) -> Result {
    let message = format!("Error during running: {}", trouble.message);
    ui.event(&json!({ "message": message, "exc_info": trouble.trace, "status": "failed" }))?;
    Err(Error::told(1))
}
