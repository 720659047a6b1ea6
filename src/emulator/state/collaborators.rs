//! Who works on a repository, and who is invited to.

use chrono::{DateTime, Utc};

use crate::emulator::state::{Kind, Refusal, Repo, What, World};

/// What somebody may do with a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Read,
    /// Sort issues.
    Triage,
    /// Push.
    Write,
    /// Run the repository.
    Maintain,
    /// Everything.
    Admin,
}

impl Role {
    const ALL: [Self; 5] = [Self::Read, Self::Triage, Self::Write, Self::Maintain, Self::Admin];

    /// GitHub's `role_name`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// GitHub's older `permission`, which knows neither `triage` nor `maintain`.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Read | Self::Triage => "read",
            Self::Write | Self::Maintain => "write",
            Self::Admin => "admin",
        }
    }

    /// The role that an invitation names, by its name or as git's `pull` or `push`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "pull" => Some(Self::Read),
            "push" => Some(Self::Write),
            other => Self::ALL.into_iter().find(|role| role.name() == other),
        }
    }
}

/// An invitation that nobody has answered.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: i64,
    /// Who is invited.
    pub invitee: i64,
    /// Who invites.
    pub inviter: i64,
    /// To what.
    pub role: Role,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl World {
    /// What `account` may do with `repo`; `None` for nothing at all. The person at the browser runs every organisation.
    pub fn role(&self, repo: &Repo, account: i64) -> Option<Role> {
        let in_org = self.accounts.get(&repo.owner).is_some_and(|a| a.kind == Kind::Organization);
        if account == repo.owner || (in_org && account == self.viewer) {
            return Some(Role::Admin);
        }
        repo.collaborators.get(&account).copied().or_else(|| (!repo.private).then_some(Role::Read))
    }

    /// Whether `account` is more than somebody who may look at what is public.
    pub fn is_collaborator(&self, repo: &Repo, account: i64) -> bool {
        repo.collaborators.contains_key(&account) || self.role(repo, account) == Some(Role::Admin)
    }

    /// Invites `invitee`; gives the invitation's id, or `None` when there is nothing to accept: for a collaborator only
    /// the role changes. Who is invited already keeps the invitation, with the new role.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Invalid`] for the owner.
    pub fn invite(&mut self, repo: i64, invitee: i64, role: Role, inviter: i64) -> Result<Option<i64>, Refusal> {
        let (id, now) = (self.id(), self.now());
        let model = self.repos.get(&repo).ok_or(Refusal::NotFound)?;
        if invitee == model.owner {
            return Err(Refusal::Invalid("Repository owner cannot be a collaborator".to_owned()));
        }
        let there = self.is_collaborator(model, invitee);
        let model = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
        if there {
            model.collaborators.entry(invitee).and_modify(|have| *have = role);
            return Ok(None);
        }
        if let Some(open) = model.invitations.values_mut().find(|i| i.invitee == invitee) {
            open.role = role;
            return Ok(Some(open.id));
        }
        model.invitations.insert(id, Invitation { id, invitee, inviter, role, created_at: now });
        Ok(Some(id))
    }

    /// Accepts what `invitee` was invited to.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without an invitation.
    pub fn accept_invitation(&mut self, repo: i64, invitee: i64) -> Result<(), Refusal> {
        let model = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
        let id = model.invitations.values().find(|i| i.invitee == invitee).map(|i| i.id).ok_or(Refusal::NotFound)?;
        let invitation = model.invitations.remove(&id).ok_or(Refusal::NotFound)?;
        model.collaborators.insert(invitee, invitation.role);
        self.happened(invitation.inviter, What::Member { repo, member: invitee, action: "added" });
        Ok(())
    }

    /// Takes a collaborator or an invitation away; nothing happens without either.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] without the repository.
    pub fn remove_collaborator(&mut self, repo: i64, account: i64, actor: i64) -> Result<(), Refusal> {
        let model = self.repos.get_mut(&repo).ok_or(Refusal::NotFound)?;
        model.invitations.retain(|_, invitation| invitation.invitee != account);
        if model.collaborators.remove(&account).is_some() {
            self.happened(actor, What::Member { repo, member: account, action: "removed" });
        }
        Ok(())
    }
}
