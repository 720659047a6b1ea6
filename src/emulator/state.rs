//! The model: what exists in this GitHub and what people and Apps do to it. Knows no HTTP.
//!
//! Every act appends what happened to [`World::changes`]; `events` turns that into deliveries.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::emulator::keys::KeyPool;
use crate::util::Clock;

pub mod accounts;
pub mod apps;
pub mod checks;
pub mod collaborators;
pub mod deliveries;
pub mod deployments;
pub mod diff;
pub mod git;
pub mod issues;
pub mod objects;
pub mod permissions;
pub mod pulls;
pub mod repos;
pub mod settings;
pub mod starters;

pub use accounts::{Account, Kind};
pub use apps::{App, Installation, Selection, Token};
pub use checks::{CheckRun, CheckSuite};
pub use deliveries::Delivery;
pub use deployments::{Deployment, DeploymentStatus};
pub use git::{Commit, Tree};
pub use issues::{Comment, Issue, Label};
pub use permissions::{Level, Permissions};
pub use pulls::Pull;
pub use repos::Repo;

/// Why an act is impossible; the routes turn it into an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The name is taken.
    #[error("{0} already exists")]
    Exists(String),
    /// The request makes no sense; GitHub's text.
    #[error("{0}")]
    Invalid(String),
    /// The state forbids it (merge conflicts, moved heads); GitHub's text.
    #[error("{0}")]
    Conflict(String),
}

/// Something that happened, by ids; who did it is `actor`, an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The account that did it.
    pub actor: i64,
    /// What was done.
    pub what: What,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are ids of the things that the variant names")]
pub enum What {
    AppCreated { app: i64 },
    Installation { installation: i64, action: &'static str },
    InstallationRepositories { installation: i64, added: Vec<i64>, removed: Vec<i64> },
    Repository { repo: i64, action: &'static str },
    Push { repo: i64, reference: String, before: String, after: String },
    Pull { repo: i64, number: i64, action: &'static str, before: Option<String>, label: Option<String> },
    Issue { repo: i64, number: i64, action: &'static str, label: Option<String> },
    Comment { repo: i64, comment: i64, action: &'static str },
    Suite { repo: i64, suite: i64, action: &'static str },
    Run { repo: i64, run: i64, action: &'static str, pressed: Option<String> },
    Member { repo: i64, member: i64, action: &'static str },
    Deployment { repo: i64, deployment: i64 },
    DeploymentStatus { repo: i64, deployment: i64, status: i64 },
}

/// Everything that exists.
pub struct World {
    clock: Clock,
    /// How far this GitHub's clock runs ahead of the machine's.
    pub skew: TimeDelta,
    next_id: i64,
    /// Accounts by id.
    pub accounts: BTreeMap<i64, Account>,
    logins: HashMap<String, i64>,
    /// Repositories by id.
    pub repos: BTreeMap<i64, Repo>,
    names: HashMap<String, i64>,
    /// Git objects by the id of the repository at the root of a network of forks.
    pub(in crate::emulator) networks: HashMap<i64, HashMap<String, Commit>>,
    /// Trees and blobs by the same.
    pub(in crate::emulator) objects: HashMap<i64, objects::Objects>,
    /// Apps by id.
    pub apps: BTreeMap<i64, App>,
    /// Installations by id.
    pub installations: BTreeMap<i64, Installation>,
    /// Requests for installations that nobody has answered, oldest first.
    pub requests: Vec<settings::InstallationRequest>,
    /// Installation tokens by their text.
    pub tokens: HashMap<String, Token>,
    /// Manifest codes that wait for their conversion.
    pub codes: HashMap<String, apps::ManifestCode>,
    /// Whether new tokens have the long `ghs_APPID_JWT` form.
    pub long_tokens: bool,
    /// The person who sits at the browser.
    pub viewer: i64,
    /// What happened and was not yet told.
    pub changes: VecDeque<Change>,
    /// Deliveries by id, newest last.
    pub deliveries: BTreeMap<i64, Delivery>,
    /// How long Apps see their deliveries.
    pub retention: TimeDelta,
    /// Deliveries that were filed and not yet handed to the sender.
    pub outbox: Vec<i64>,
    /// Calls a client may make per hour.
    pub rate_limit: u64,
    rates: HashMap<String, (u64, DateTime<Utc>)>,
    /// Spare keys for new Apps.
    pub keys: KeyPool,
}

impl World {
    /// An empty world with one person, `developer`, at the browser.
    pub fn new(clock: Clock) -> Self {
        let mut world = Self {
            clock,
            skew: TimeDelta::zero(),
            next_id: 1000,
            accounts: BTreeMap::new(),
            logins: HashMap::new(),
            repos: BTreeMap::new(),
            names: HashMap::new(),
            networks: HashMap::new(),
            objects: HashMap::new(),
            apps: BTreeMap::new(),
            installations: BTreeMap::new(),
            requests: Vec::new(),
            tokens: HashMap::new(),
            codes: HashMap::new(),
            long_tokens: false,
            viewer: 0,
            changes: VecDeque::new(),
            deliveries: BTreeMap::new(),
            retention: deliveries::RETENTION,
            outbox: Vec::new(),
            rate_limit: 5000,
            rates: HashMap::new(),
            keys: KeyPool::default(),
        };
        world.viewer = world.ensure_account("developer", Kind::User);
        world
    }

    /// This GitHub's time, in whole seconds as GitHub tells it.
    pub fn now(&self) -> DateTime<Utc> {
        self.precise_now().trunc_subsecs(0)
    }

    /// This GitHub's time, to the microsecond, for what is no answer of GitHub.
    pub fn precise_now(&self) -> DateTime<Utc> {
        self.clock.now() + self.skew
    }

    /// A new id, larger than all before; one sequence for everything, so that no two things share one.
    pub fn id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// Notes that `actor` did `what`.
    pub fn happened(&mut self, actor: i64, what: What) {
        self.changes.push_back(Change { actor, what });
    }

    /// Counts a call of `who` against its hour: used calls (this one included) and the end of the hour.
    ///
    /// A `free` call is told the numbers and not counted.
    pub fn count_call(&mut self, who: &str, free: bool) -> (u64, DateTime<Utc>) {
        let now = self.now();
        let entry = self.rates.entry(who.to_owned()).or_insert((0, now + TimeDelta::hours(1)));
        if entry.1 <= now {
            *entry = (0, now + TimeDelta::hours(1));
        }
        if !free {
            entry.0 += 1;
        }
        *entry
    }
}
