//! What happens to each pull request, drawn from the seed.

/// A story.
pub struct Plot {
    /// Its pull requests.
    pub pulls: Vec<PullPlot>,
}

/// What happens to a pull request, one thing after the other.
#[derive(Clone, Debug)]
pub struct PullPlot {
    /// Its place in the story.
    pub index: usize,
    /// Its recipes when it is opened.
    pub first: Version,
    /// What people do then.
    pub acts: Vec<Act>,
}

/// What a commit of a pull request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Makes it differ from the other versions.
    pub number: usize,
    /// How it is.
    pub kind: Kind,
}

/// How a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two recipes that work.
    Good,
    /// Two recipes that fail when they are run.
    Failing,
    /// A meta.yaml that lists no recipes.
    Broken,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Says something that is no command.
    Talk,
    /// Says something that looks like a command and is none.
    OtherCommand,
    /// Asks for the test run of a recipe, and waits for its end.
    Run(&'static str),
    /// Asks for both recipes at once, and waits for both.
    RunBoth,
    /// Presses the button of a recipe's check run, and waits for the end of its test run.
    Press(&'static str),
    /// Has the newest commit looked at again.
    LookAgain,
    /// Makes it a draft, and ready for review again.
    Draft,
    /// Asks for a recipe that is not there.
    RunUnknown,
    /// A stranger asks.
    RunForbidden,
    /// Pushes a version.
    Push(Version),
    /// Pushes two versions at once.
    PushTwice(Version, Version),
    /// Closes it, and opens it again.
    Reopen,
    /// Merges it, and waits for the feedstock and its production runs.
    Merge,
    /// Closes it.
    Close,
}

/// The recipes of every version but the broken one.
pub const RECIPES: [&str; 2] = ["daily", "monthly"];

impl Plot {
    /// The story of `pulls` pull requests for `seed`.
    pub fn draw(seed: u64, pulls: usize) -> Self {
        Self { pulls: (0..pulls).map(|index| PullPlot::draw(seed, index)).collect() }
    }

    /// How many things happen.
    pub fn acts(&self) -> usize {
        self.pulls.iter().map(|pull| 1 + pull.acts.len()).sum()
    }
}

impl PullPlot {
    fn draw(seed: u64, index: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index as u64);
        let mut count = 0;
        let mut version = |random: &mut fastrand::Rng| {
            count += 1;
            let kind = *random.choice([Kind::Good, Kind::Good, Kind::Failing, Kind::Broken].iter()).unwrap();
            Version { number: count, kind }
        };
        let first = version(&mut random);
        let (mut now, mut acts) = (first, Vec::new());
        for _ in 0..random.usize(1..6) {
            let listed = now.kind != Kind::Broken;
            acts.push(match random.usize(..15) {
                0 => Act::Talk,
                1 => Act::OtherCommand,
                2 => Act::RunForbidden,
                3 if listed => Act::RunUnknown,
                4..=6 if listed => Act::Run(RECIPES[random.usize(..2)]),
                7 if listed => Act::RunBoth,
                8 => Act::Reopen,
                12 if listed => Act::Press(RECIPES[random.usize(..2)]),
                13 => Act::LookAgain,
                14 => Act::Draft,
                9 => {
                    let first = version(&mut random);
                    now = version(&mut random);
                    Act::PushTwice(first, now)
                }
                _ => {
                    now = version(&mut random);
                    Act::Push(now)
                }
            });
        }
        if now.kind == Kind::Broken && random.bool() {
            now = Version { kind: Kind::Good, ..version(&mut random) };
            acts.push(Act::Push(now));
        }
        match random.usize(..10) {
            0..=4 if now.kind != Kind::Broken => acts.push(Act::Merge),
            5 | 6 => acts.push(Act::Close),
            _ => {}
        }
        Self { index, first, acts }
    }

    /// The organisation; two pull requests meet in each.
    pub fn org(&self) -> String {
        format!("org-{}", self.index / 2)
    }

    /// The repository that it is for.
    pub fn repo(&self) -> String {
        format!("{}/staged-recipes", self.org())
    }

    /// Who opens it.
    pub fn contributor(&self) -> String {
        format!("contributor-{}", self.index / 2)
    }

    /// The name of the recipes' folder, and of the branch.
    pub fn name(&self) -> String {
        format!("recipe-{}", char::from(b'a' + u8::try_from(self.index % 2).unwrap()))
    }

    /// Its title.
    pub fn title(&self) -> String {
        format!("Add {}", self.name())
    }

    /// The feedstock that comes of it.
    pub fn feedstock(&self) -> String {
        format!("{}/{}-feedstock", self.org(), self.name())
    }
}

impl Version {
    /// Its files, in the folder of `pull`.
    pub fn files(self, pull: &PullPlot) -> pforge::emulator::person::Files {
        let folder = format!("recipes/{}", pull.name());
        let listed = "recipes:\n  - {id: daily, object: 'recipe:daily'}\n  - {id: monthly, object: 'recipe:monthly'}\n";
        let list = if self.kind == Kind::Broken { "recipe: []\n" } else { listed };
        let meta = format!("title: version {}\n{list}bakery: {{id: local-test-bakery}}\n", self.number);
        let code = match self.kind {
            Kind::Failing => "raise ValueError(\"no such data\")\n",
            Kind::Good | Kind::Broken => "daily = monthly = None\n",
        };
        let code = format!("# version {}\n{code}", self.number);
        [("meta.yaml", meta), ("recipe.py", code)].map(|(name, text)| (format!("{folder}/{name}"), Some(text))).into()
    }
}
