"""`pforge emulate` as GitHub: a world with a feedstock for each of many installations, and its log of calls."""

import json
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import proc, tools
from .peers import START_TIMEOUT, Failed

APP_ID = 1
NAME = "tiny-feedstock"
META = "recipes:\n  - id: tiny\n    object: 'recipe:recipe'\nbakery:\n  id: local\n"
# Seconds between two looks at the log: a look costs the machine more than what is measured.
LOOK_EVERY = 0.02


@dataclass(frozen=True)
class Feedstock:
    """A repository, its newest commit, and the App's installation there."""

    full_name: str
    head_sha: str
    installation: int


class Emulator:
    """Listens on entry, ends on exit."""

    def __init__(self, folder: Path, binary: Path, feedstocks: int):
        self._log = proc.Log()
        self._seen = 0
        owners = [f"bench-{number}" for number in range(feedstocks)]
        seed = {
            "users": [{"login": "ada"}],
            "orgs": owners,
            "repos": [{"name": f"{owner}/{NAME}", "files": {"feedstock/meta.yaml": META}} for owner in owners],
            "apps": [
                {
                    "id": APP_ID,
                    "name": "bench",
                    "private_key": tools.private_key(),
                    "permissions": {"checks": "write", "contents": "read", "pull_requests": "read"},
                    "installations": [{"account": owner} for owner in owners],
                }
            ],
        }
        file = folder / "seed.json"
        file.write_text(json.dumps(seed))
        command = [binary, "--root", folder, "--json", "emulate", "--listen", "127.0.0.1:0", "--seed", file]
        self._command, self._folder = command, folder

    def __enter__(self) -> "Emulator":
        variables = {"HOME": str(self._folder), "LANG": "C.UTF-8"}
        self._process = proc.spawn(self._command, self._log, cwd=self._folder, env=variables)
        deadline = time.monotonic() + START_TIMEOUT
        while b"\n" not in self._log.read():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise self.failure("did not start")
            time.sleep(0.01)
        self.url = json.loads(self._log.read().split(b"\n")[0])["url"]
        return self

    def __exit__(self, *_: object) -> None:
        proc.stop(self._process)
        self._log.close()

    def failure(self, what: str) -> Failed:
        """An error with the end of the emulator's log."""
        return Failed(f"the emulator: {what}\n{self._log.tail()}")

    def feedstocks(self) -> list[Feedstock]:
        """What a delivery can be about."""
        found = []
        for each in self._get("/_emulator")["installations"]:
            full_name = f"{each['account']['login']}/{NAME}"
            head = self._get(f"/repos/{full_name}/git/ref/heads/main")["object"]["sha"]
            found.append(Feedstock(full_name, head, each["id"]))
        return found

    def in_progress_at(self, guid: str, patience: float) -> float | None:
        """When the one check run of a delivery was in progress, in seconds since the epoch.

        Waits until the delivery's job has concluded it. None when there is none.
        """
        began, check, deadline = [], None, time.monotonic() + patience
        while time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
            for call in self._get(f"/_emulator/calls?after={self._seen}"):
                self._seen = call["number"]
                if call["method"] == "POST" and call["path"].endswith("/check-runs"):
                    if call["status"] != 201:
                        raise self.failure(f"answered {call['status']} to a check run: {call['response']}")
                    if guid in call["request"]["external_id"] and call["request"]["status"] == "in_progress":
                        began.append(datetime.fromisoformat(call["at"]).timestamp())
                        check = f"/check-runs/{call['response']['id']}"
                ended = check and call["method"] == "PATCH" and call["path"].endswith(check)
                if ended and call["request"]["status"] == "completed":
                    if len(began) != 1:
                        raise self.failure(f"{len(began)} check runs for one delivery")
                    return began[0]
        return None

    def unknown(self) -> list[str]:
        """Calls that the emulator has no route for."""
        return [f"{call['method']} {call['path']}" for call in self._get("/_emulator/unknown")]

    def _get(self, path: str) -> dict | list:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)
