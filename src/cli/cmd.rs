//! The commands. A new one is a file here, with `Args` (whose doc comment is the help) and
//! `run(args, cx)`, its `mod` line, and its line in the list.

mod api_key;
mod app_diff;
mod app_import;
mod app_show;
mod bakeries_add;
mod bakeries_list;
mod bakeries_remove;
mod bakeries_show;
mod bakery_report;
mod checks_cancel;
mod checks_complete;
mod checks_list;
mod completions;
mod config_show;
mod db_migrate;
mod db_new;
mod db_rollback;
mod db_status;
mod db_wait;
mod deliveries_diff;
mod deliveries_explain;
mod deliveries_fixture;
mod deliveries_list;
mod deliveries_redeliver;
mod deliveries_replay;
mod deliveries_show;
mod deliveries_tail;
mod demo;
mod demo_runner;
mod dev;
mod doctor;
mod emulate;
mod feedstocks_add;
mod feedstocks_datasets;
mod feedstocks_list;
mod feedstocks_remove;
mod feedstocks_show;
mod gh_as_app;
mod init_db;
mod jobs_drop;
mod jobs_list;
mod jobs_retry;
mod jobs_show;
mod man;
mod new_app;
mod openapi;
mod proxy_new_channel;
mod proxy_restore;
mod proxy_set_url;
mod proxy_show;
mod proxy_start;
mod relay;
mod review_down;
mod review_up;
mod runs_cancel;
mod runs_list;
mod runs_logs;
mod runs_retry;
mod runs_show;
mod runs_watch;
mod secrets_check;
mod secrets_decrypt;
mod secrets_diff;
mod secrets_edit;
mod secrets_encrypt;
mod secrets_exec;
mod secrets_get;
mod secrets_install_hooks;
mod secrets_keygen;
mod secrets_merge;
mod secrets_recipients_add;
mod secrets_recipients_list;
mod secrets_recipients_remove;
mod secrets_rotate;
mod secrets_set;
mod secrets_status;
mod secrets_textconv;
mod secrets_unset;
mod serve;
mod token_credential;
mod token_exec;
mod token_installation;
mod token_jwt;
mod token_revoke;
mod trigger;

use tracing::level_filters::LevelFilter;

use super::cx::Cx;
use super::error::Result;

/// Makes the enum of commands and its dispatch: first the commands with their module, then the
/// nouns that hold further commands.
macro_rules! commands {
    (
        $(#[$meta:meta])* $name:ident {
            $($variant:ident = $module:ident,)*
            $(; nouns: $($(#[$noun_meta:meta])* $noun:ident,)*)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, clap::Subcommand)]
        #[allow(clippy::large_enum_variant, reason = "one is made per run")]
        pub enum $name {
            $($variant($module::Args),)*
            $($($(#[$noun_meta])* #[command(subcommand)] $noun($noun),)*)?
        }

        impl $name {
            /// Runs the command.
            ///
            /// # Errors
            /// Whatever the command fails with.
            pub fn run(self, cx: &Cx) -> Result {
                match self {
                    $(Self::$variant(args) => $module::run(args, cx),)*
                    $($(Self::$noun(command) => command.run(cx),)*)?
                }
            }
        }
    };
}

commands! {
    /// What pforge can do.
    Command {
        Demo = demo,
        Dev = dev,
        Doctor = doctor,
        NewApp = new_app,
        Serve = serve,
        Relay = relay,
        Trigger = trigger,
        GhAsApp = gh_as_app,
        ApiKey = api_key,
        InitDb = init_db,
        Emulate = emulate,
        Openapi = openapi,
        Completions = completions,
        Man = man,
        DemoRunner = demo_runner,
        ; nouns:
        /// The App itself: as GitHub knows it, and what is left to approve
        App,
        /// Deliveries to a laptop, and the App's webhook URL
        Proxy,
        /// What GitHub sent: its log and the local store as one
        Deliveries,
        /// Check runs: find and mend the stuck ones
        Checks,
        /// Tokens that speak as the App, for scripts and git
        Token,
        /// Encrypted files: make, open, edit, share and check them
        Secrets,
        /// The schema of the database
        Db,
        /// The work queue of a server
        Jobs,
        /// Feedstocks: the repositories whose recipes a server runs
        Feedstocks,
        /// Bakeries: where recipes are run
        Bakeries,
        /// Recipe runs: list, watch, retry and cancel them, read their logs
        Runs,
        /// A bakery's side: reporting the end of a run
        Bakery,
        /// Review deployments, one for each pull request
        Review,
        /// The configuration
        Config,
    }
}

impl Command {
    /// How much is logged without `-v`. A server logs what it does; the other commands tell it
    /// themselves, and the demo tells even of the refused delivery that a server would warn about.
    pub fn log_level(&self) -> LevelFilter {
        match self {
            Self::Serve(_) | Self::Emulate(_) => LevelFilter::INFO,
            Self::Demo(_) => LevelFilter::ERROR,
            _ => LevelFilter::WARN,
        }
    }
}

commands! {
    /// The schema of the database.
    Db {
        Migrate = db_migrate,
        Status = db_status,
        Rollback = db_rollback,
        New = db_new,
        Wait = db_wait,
    }
}

commands! {
    /// The work queue of a server.
    Jobs {
        List = jobs_list,
        Show = jobs_show,
        Retry = jobs_retry,
        Drop = jobs_drop,
    }
}

commands! {
    /// The configuration.
    Config {
        Show = config_show,
    }
}

commands! {
    /// Encrypted files.
    Secrets {
        Keygen = secrets_keygen,
        Encrypt = secrets_encrypt,
        Decrypt = secrets_decrypt,
        Edit = secrets_edit,
        Get = secrets_get,
        Set = secrets_set,
        Unset = secrets_unset,
        Rotate = secrets_rotate,
        Status = secrets_status,
        Check = secrets_check,
        Exec = secrets_exec,
        Diff = secrets_diff,
        Merge = secrets_merge,
        Textconv = secrets_textconv,
        InstallHooks = secrets_install_hooks,
        ; nouns:
        /// Who can open files
        Recipients,
    }
}

commands! {
    /// Who can open files.
    Recipients {
        List = secrets_recipients_list,
        Add = secrets_recipients_add,
        Remove = secrets_recipients_remove,
    }
}

commands! {
    /// The App itself.
    App {
        Show = app_show,
        Diff = app_diff,
        Import = app_import,
    }
}

commands! {
    /// Deliveries to a laptop, and the App's webhook URL.
    Proxy {
        Start = proxy_start,
        NewChannel = proxy_new_channel,
        SetUrl = proxy_set_url,
        Show = proxy_show,
        Restore = proxy_restore,
    }
}

commands! {
    /// What GitHub sent.
    Deliveries {
        List = deliveries_list,
        Show = deliveries_show,
        Redeliver = deliveries_redeliver,
        Replay = deliveries_replay,
        Tail = deliveries_tail,
        Explain = deliveries_explain,
        Diff = deliveries_diff,
        Fixture = deliveries_fixture,
    }
}

commands! {
    /// Check runs.
    Checks {
        List = checks_list,
        Complete = checks_complete,
        Cancel = checks_cancel,
    }
}

commands! {
    /// Tokens that speak as the App.
    Token {
        Jwt = token_jwt,
        Installation = token_installation,
        Exec = token_exec,
        Revoke = token_revoke,
        Credential = token_credential,
    }
}

commands! {
    /// Recipe runs of a server.
    Runs {
        List = runs_list,
        Show = runs_show,
        Logs = runs_logs,
        Watch = runs_watch,
        Retry = runs_retry,
        Cancel = runs_cancel,
    }
}

commands! {
    /// Feedstocks of a server.
    Feedstocks {
        List = feedstocks_list,
        Show = feedstocks_show,
        Add = feedstocks_add,
        Remove = feedstocks_remove,
        Datasets = feedstocks_datasets,
    }
}

commands! {
    /// Bakeries of a server.
    Bakeries {
        List = bakeries_list,
        Show = bakeries_show,
        Add = bakeries_add,
        Remove = bakeries_remove,
    }
}

commands! {
    /// A bakery's side: reporting the end of a run.
    Bakery {
        Report = bakery_report,
    }
}

commands! {
    /// Review deployments of pull requests.
    Review {
        Up = review_up,
        Down = review_down,
    }
}
