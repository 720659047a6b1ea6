"""A private PostgreSQL cluster with its defaults: fsync on, synchronous_commit on."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import proc, tools

USER = "bench"


class Cluster:
    """Started on entry, ended and deleted on exit."""

    def __init__(self, parent: Path, port: int):
        self.port = port
        self._bin = tools.postgres_bin()
        self._password = secrets.token_hex(16)
        # PostgreSQL refuses to run as root.
        self._account = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="pforge-bench-pg-", dir=parent))
        self._log = proc.Log()
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            proc.stop(self._process, signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        data = self._folder / "data"
        password_file = self._folder / "password"
        password_file.write_text(self._password)
        if self._account:
            owner = pwd.getpwnam("postgres")
            for path in (self._folder, password_file):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        tools.run(
            [self._bin / "initdb", "-D", data, "-U", USER, "--auth=scram-sha-256", f"--pwfile={password_file}"],
            cwd=self._folder,
            **self._account,
        )
        arguments = ["-D", data, "-p", str(self.port), "-k", self._folder, "-c", "listen_addresses=127.0.0.1"]
        program = [self._bin / "postgres", *arguments]
        self._process = proc.spawn(program, self._log, cwd=self._folder, **self._account)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.sql("select 1")
                return
            except tools.Missing:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise tools.Missing(f"PostgreSQL did not start:\n{self._log.tail()}") from None
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The postmaster: the root of the cluster's processes."""
        return self._process.pid

    def url(self, database: str) -> str:
        """Where clients find `database`."""
        return f"postgres://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[list[str]]:
        """Runs a statement; rows of text."""
        output = tools.run(
            [self._bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement],
            env={
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.port),
                "PGUSER": USER,
                "PGPASSWORD": self._password,
                "PGDATABASE": database,
            },
        )
        return [line.split("|") for line in output.splitlines()]
