"""pforge as one of the servers, on either database."""

import json
import secrets
import urllib.request
from abc import abstractmethod
from pathlib import Path

from . import payloads, tools
from .peers import Peer, Stored, query
from .postgres import Cluster

# Nothing may leave the machine: GitHub's API is where nobody listens.
NOWHERE = "http://127.0.0.1:9"
APP_NAME = "bench"


class Pforge(Peer):
    """pforge on either database. Its answer follows the commit."""

    # 501 is the recipes app's answer to events that it does not handle; they are kept all the same.
    accepted = frozenset({202, 501})

    COUNT = "select answer_status, count(*) from deliveries group by answer_status"

    def __init__(self, folder: Path, binary: Path):
        super().__init__(folder)
        self.binary = binary
        self.github_url = NOWHERE
        self.api_key = secrets.token_hex(16)
        (folder / "secrets").mkdir()
        config = {
            "fastapi": {"PANGEO_FORGE_API_KEY": self.api_key},
            "github_app": {
                "id": 1,
                "app_name": APP_NAME,
                "webhook_secret": payloads.SECRET,
                "private_key": tools.private_key(),
            },
        }
        # JSON is YAML.
        file = folder / "secrets" / f"config.{APP_NAME}.yaml"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config, indent=2))

    @abstractmethod
    def database_url(self) -> str:
        """What `--database-url` is given."""

    def command(self) -> list[str | Path]:
        return [
            self.binary,
            *["--root", self.folder],
            *["serve", "--listen", f"127.0.0.1:{self.port}", "--database-url", self.database_url()],
        ]

    def variables(self) -> dict[str, str]:
        return {"PANGEO_FORGE_DEPLOYMENT": APP_NAME, "GITHUB_API_URL": self.github_url}

    def sample(self, count: int) -> list[Stored]:
        return [Stored(guid, event, self._payload(guid)) for guid, event in self._some(count)]

    @abstractmethod
    def _some(self, count: int) -> list[tuple[str, str]]:
        """GUID and event of kept deliveries, chosen at random."""

    def _payload(self, guid: str) -> bytes:
        # Kept compressed: the server's API is what gives the bytes back.
        request = urllib.request.Request(self.url(f"/deliveries/{guid}/payload"), headers={"X-API-Key": self.api_key})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def describe(self) -> dict[str, str]:
        return {"version": tools.run([self.binary, "--version"]).strip()}


class PforgeSqlite(Pforge):
    """On SQLite."""

    name = "pforge-sqlite"
    label = "**pforge**, SQLite"

    def database_url(self) -> str:
        return f"sqlite://{self.folder / 'bench.sqlite'}"

    def stored(self) -> dict[int, int]:
        return dict(query(self.folder / "bench.sqlite", self.COUNT))

    def _some(self, count: int) -> list[tuple[str, str]]:
        chosen = f"select guid, event from deliveries order by random() limit {count}"
        return query(self.folder / "bench.sqlite", chosen)


class PforgePostgres(Pforge):
    """On PostgreSQL; its backends count as part of the server."""

    name = "pforge-postgres"
    label = "**pforge**, PostgreSQL"

    def __init__(self, folder: Path, binary: Path, cluster: Cluster):
        super().__init__(folder, binary)
        self.cluster = cluster
        self.database = f"bench_{secrets.token_hex(4)}"
        cluster.sql(f"create database {self.database}")

    def close(self) -> None:
        super().close()
        self.cluster.sql(f"drop database if exists {self.database} with (force)")

    def database_url(self) -> str:
        return self.cluster.url(self.database)

    def roots(self) -> list[int]:
        return [*super().roots(), self.cluster.pid]

    def settle(self) -> None:
        self.cluster.sql("checkpoint")
        super().settle()

    def stored(self) -> dict[int, int]:
        return {int(status): int(count) for status, count in self.cluster.sql(self.COUNT, self.database)}

    def _some(self, count: int) -> list[tuple[str, str]]:
        chosen = f"select guid, event from deliveries order by random() limit {count}"
        return [(guid, event) for guid, event in self.cluster.sql(chosen, self.database)]

    def describe(self) -> dict[str, str]:
        settings = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        return super().describe() | {name: self.cluster.sql(f"show {name}")[0][0] for name in settings}
