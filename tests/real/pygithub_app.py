"""Drives the emulator with an unmodified PyGithub, which checks host and port of every `url` that it follows.

Environment: BASE, APP_ID, PRIVATE_KEY, REPO (owner/name), SHA (a commit there), PULL (a pull request's number).
"""

import os

from github import Auth, Github, GithubException, GithubIntegration

BASE, APP_ID, PRIVATE_KEY = os.environ["BASE"], int(os.environ["APP_ID"]), os.environ["PRIVATE_KEY"]
REPO, SHA, PULL = os.environ["REPO"], os.environ["SHA"], int(os.environ["PULL"])

auth = Auth.AppAuth(APP_ID, PRIVATE_KEY)
integration = GithubIntegration(auth=auth, base_url=BASE)
assert integration.get_app().id == APP_ID
installations = list(integration.get_installations())
owner, name = REPO.split("/")
installation = integration.get_repo_installation(owner, name)
assert installation.id in [i.id for i in installations]
assert [r.full_name for r in installation.get_repos()] == [REPO]

github = Github(base_url=BASE, auth=auth.get_installation_auth(installation.id))
repo = github.get_repo(REPO)
run = repo.create_check_run("pygithub", SHA, status="in_progress", output={"title": "t", "summary": "s"})
run.edit(status="completed", conclusion="neutral")
assert [r.conclusion for r in repo.get_commit(SHA).get_check_runs(check_name="pygithub")] == ["neutral"]
assert repo.get_contents("docs/a.txt").decoded_content == b"hello\n"
assert "docs" in [entry.name for entry in repo.get_contents("")]
assert repo.get_branch("main").commit.sha == SHA
pull = repo.get_pull(PULL)
assert {f.filename: f.status for f in pull.get_files()} == {"recipe.py": "added"}
comment = pull.create_issue_comment("hello")
comment.create_reaction("eyes")
assert [r.content for r in repo.get_issue(PULL).get_comment(comment.id).get_reactions()] == ["eyes"]
pull.add_to_labels("ready")
assert [label.name for label in pull.get_labels()] == ["ready"]
ref = repo.create_git_ref("refs/heads/feature/x", SHA)
ref.delete()
assert pull.merge().merged
try:
    repo.get_contents("nothing.txt")
except GithubException as error:
    assert error.status == 404, error
else:
    raise AssertionError("found what is not there")
