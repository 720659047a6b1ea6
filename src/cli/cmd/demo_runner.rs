//! `pforge demo-runner`.

use crate::cli::cx::Cx;
use crate::cli::demo::runner::{self, BakeArgs, ExpandArgs};
use crate::cli::error::Result;

/// Stand in for pangeo-forge-runner in the demo and in tests
#[derive(Debug, clap::Args)]
#[command(
    hide = true,
    after_help = "It takes the command line of pangeo-forge-runner and writes its lines, but runs no Python: it reads \
    meta.yaml, and of recipe.py only\n  raise NAME(\"TEXT\")         at the start of a line: the recipe fails with it\n  \
    # demo: sleep SECONDS      baking takes that long\n  NAME = {\"KEY\": …            the recipes of a dict_object\n\n\
    Baking writes a small Zarr store at TargetStorage.root_path. A bakery class that ends in DataflowBakery or \
    FlinkOperatorBakery is told to be remote: the job is submitted.\n\nExamples:\n  pforge demo-runner expand-meta \
    --repo=examples/feedstock --json\n  pforge demo-runner bake --repo=examples/feedstock --json \
    --Bake.recipe_id=sst-daily -f=local.json"
)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the recipes of a feedstock
    ExpandMeta(ExpandArgs),
    /// Write the dataset of a recipe
    Bake(BakeArgs),
}

/// Does what is asked and writes lines of JSON.
///
/// # Errors
/// Exit code 1 after a line with status `failed`.
pub fn run(args: Args, cx: &Cx) -> Result {
    match args.what {
        What::ExpandMeta(args) => runner::expand(&args, &cx.ui),
        What::Bake(args) => runner::bake(&args, &cx.ui),
    }
}
