"""The servers that pforge is compared with: how each is started, and what each keeps."""

import os
import socket
import sqlite3
import subprocess
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from . import payloads, proc, tools

START_TIMEOUT = 30.0


class Failed(Exception):
    """A server did not do what it must; the message holds the end of its log."""


def free_port() -> int:
    """A port that nobody listens on right now."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Stored:
    """A delivery as a server kept it."""

    guid: str
    event: str
    body: bytes


class Peer(ABC):
    """One server; a fresh one, with an empty database, for each round."""

    name: str
    label: str
    path = "/github/hooks/"
    # Statuses that mean that the delivery was taken.
    accepted = frozenset({202})
    checks_signatures = True

    def __init__(self, folder: Path):
        self.folder = folder
        self.log = proc.Log()
        self.port = 0
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Spawns the server; returns as soon as its address is known."""
        self.port = free_port()
        self.log.close()
        self.log = proc.Log()
        self.process = proc.spawn(self.command(), self.log, cwd=self.folder, env=self._environment())

    def stop(self) -> None:
        """Ends it."""
        if self.process:
            proc.stop(self.process)
            self.process = None

    def close(self) -> None:
        """Ends it and drops what it kept outside `folder`."""
        self.stop()
        self.log.close()

    @abstractmethod
    def command(self) -> list[str | Path]:
        """The command line; `port` is set."""

    def variables(self) -> dict[str, str]:
        """What it needs in its environment."""
        return {}

    def roots(self) -> list[int]:
        """The processes whose trees do this server's work."""
        return [self.process.pid]

    def settle(self) -> None:
        """Leaves no work of earlier rounds to be done during this one."""
        os.sync()

    def stored(self) -> dict[int, int] | None:
        """Deliveries kept, by the status they were answered with; None when it keeps nothing."""
        return None

    def sample(self, count: int) -> list[Stored]:
        """Some of the kept deliveries, chosen at random."""
        raise NotImplementedError

    def describe(self) -> dict[str, str]:
        """Versions and settings for the raw report."""
        return {}

    def url(self, path: str | None = None) -> str:
        """Its hook, or another address."""
        return f"http://127.0.0.1:{self.port}{path or self.path}"

    def failure(self, what: str) -> Failed:
        """An error with the end of the server's log."""
        return Failed(f"{self.label}: {what}\n{self.log.tail()}")

    def _environment(self) -> dict[str, str]:
        # HOME is empty and proxies are unset, so that nothing of this machine leaks in.
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8", **self.variables()}


class Bare(Peer):
    """Reads the body and answers."""

    name = "bare"
    label = "axum, body read and dropped"
    checks_signatures = False

    def __init__(self, folder: Path, binary: Path):
        super().__init__(folder)
        self.binary = binary

    def command(self) -> list[str | Path]:
        return [self.binary, str(self.port)]


class Probot(Peer):
    """Verifies, parses, runs handlers that do nothing. The log is as it comes: a line per request."""

    name = "probot"
    label = "Probot 14.3.2 (keeps nothing)"
    path = "/api/github/webhooks"
    accepted = frozenset({200, 202})

    def __init__(self, folder: Path, modules: Path):
        super().__init__(folder)
        self.modules = modules

    def command(self) -> list[str | Path]:
        # Modules are looked up from the app's folder upwards.
        app = self.modules / "app.js"
        app.write_text((tools.HERE / "probot" / "app.js").read_text())
        return ["node", self.modules / "node_modules/probot/bin/probot.js", "run", app]

    def variables(self) -> dict[str, str]:
        return {
            "NODE_ENV": "production",
            "APP_ID": "1",
            "PRIVATE_KEY": tools.private_key(),
            "WEBHOOK_SECRET": payloads.SECRET,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }

    def describe(self) -> dict[str, str]:
        return {"node": tools.run(["node", "--version"]).strip()}


class FastApi(Peer):
    """One row and one commit per request."""

    name = "fastapi"
    label = "FastAPI + SQLAlchemy + SQLite"

    def __init__(self, folder: Path, python: Path):
        super().__init__(folder)
        self.python = python
        self.database = folder / "bench.sqlite"

    def command(self) -> list[str | Path]:
        app = ["--app-dir", tools.HERE / "fastapi", "app:app"]
        server = ["--host", "127.0.0.1", "--port", str(self.port), "--loop", "uvloop", "--http", "httptools"]
        return [self.python, "-B", "-m", "uvicorn", *app, *server]

    def variables(self) -> dict[str, str]:
        return {"DATABASE_URL": f"sqlite:///{self.database}", "WEBHOOK_SECRET": payloads.SECRET}

    def stored(self) -> dict[int, int]:
        return {202: query(self.database, "select count(*) from deliveries")[0][0]}

    def sample(self, count: int) -> list[Stored]:
        chosen = f"select guid, event, payload from deliveries order by random() limit {count}"
        return [Stored(*row) for row in query(self.database, chosen)]


def query(database: Path, statement: str) -> list[tuple]:
    """Reads a SQLite file while its server is running."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(statement).fetchall()
