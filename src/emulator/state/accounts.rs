//! People, organisations and the bots that Apps act as.

use chrono::{DateTime, Utc};

use crate::emulator::state::{Refusal, World};
use crate::util::Secret;

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    User,
    /// An organisation.
    Organization,
    /// What an App acts as.
    Bot,
}

impl Kind {
    /// GitHub's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Organization => "Organization",
            Self::Bot => "Bot",
        }
    }
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: i64,
    /// Its login, in its own case.
    pub login: String,
    /// What it is.
    pub kind: Kind,
    /// Personal access token, when it has one.
    pub token: Option<Secret>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl World {
    /// The account called `login`, in any case.
    pub fn account(&self, login: &str) -> Option<&Account> {
        self.logins.get(&login.to_lowercase()).and_then(|id| self.accounts.get(id))
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Refusal::Exists`] when the login is taken.
    pub fn create_account(&mut self, login: &str, kind: Kind) -> Result<i64, Refusal> {
        if self.account(login).is_some() {
            return Err(Refusal::Exists(login.to_owned()));
        }
        let id = self.id();
        let account = Account { id, login: login.to_owned(), kind, token: None, created_at: self.now() };
        self.accounts.insert(id, account);
        self.logins.insert(login.to_lowercase(), id);
        Ok(id)
    }

    /// The id of the account called `login`, which is made when there is none.
    pub fn ensure_account(&mut self, login: &str, kind: Kind) -> i64 {
        match self.account(login) {
            Some(account) => account.id,
            None => self.create_account(login, kind).unwrap_or_default(),
        }
    }

    /// The login of account `id`; empty for an unknown one.
    pub fn login(&self, id: i64) -> &str {
        self.accounts.get(&id).map_or("", |a| a.login.as_str())
    }
}
