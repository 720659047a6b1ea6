"""What the benchmark needs besides itself: found, or installed into a cache outside the repository."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent


class Missing(Exception):
    """A tool is missing and could not be installed; the message says how to get it."""


def say(text: str) -> None:
    """Progress, on stderr: stdout is the report."""
    print(text, file=sys.stderr, flush=True)


def cache() -> Path:
    """Where installed things live between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(os.environ.get("PFORGE_BENCH_CACHE") or Path(home) / "pforge-bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(command: list[str | Path], **options) -> str:
    """Runs a command to its end and returns its stdout; a failure shows what it wrote."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        shown = " ".join(str(part) for part in command)
        raise Missing(f"`{shown}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def _once(name: str, key: bytes, build: Callable[[Path], None]) -> Path:
    """A cache folder named after its inputs, complete or absent."""
    folder = cache() / f"{name}-{hashlib.sha256(key).hexdigest()[:12]}"
    if not (folder / ".complete").exists():
        say(f"installing {name} into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        build(folder)
        (folder / ".complete").touch()
    return folder


def wrk() -> str:
    """The load generator's program."""
    if found := shutil.which("wrk"):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing("wrk 4.1 or newer is needed: apt-get install wrk")
    say("installing wrk")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], env=environment)
    run(["apt-get", "install", "-q", "-y", "wrk"], env=environment)
    return shutil.which("wrk") or "wrk"


def node_modules() -> Path:
    """A folder with Probot and GitHub's example payloads."""
    package = HERE / "probot" / "package.json"

    def build(folder: Path) -> None:
        if not shutil.which("npm"):
            raise Missing("Node.js 20.18 or newer with npm is needed")
        shutil.copy(package, folder)
        run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)

    return _once("node", package.read_bytes(), build)


def python() -> Path:
    """The interpreter of a virtual environment with FastAPI and SQLAlchemy."""
    requirements = HERE / "fastapi" / "requirements.txt"

    def build(folder: Path) -> None:
        run([sys.executable, "-m", "venv", folder])
        run([folder / "bin" / "python", "-m", "pip", "install", "-q", "-r", requirements])

    key = requirements.read_bytes() + sys.version.encode()
    return _once("venv", key, build) / "bin" / "python"


def private_key() -> str:
    """An RSA key in PEM: servers want one to start, nothing is signed with it here."""

    def build(folder: Path) -> None:
        run(["openssl", "genrsa", "-traditional", "-out", folder / "key.pem", "2048"])

    return (_once("app-key", b"2048", build) / "key.pem").read_text()


def bare() -> Path:
    """The bare axum handler, built."""
    return _cargo(HERE / "bare", cache() / "bare-target", "bare")


def pforge() -> Path:
    """pforge, built from the repository that holds this script."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    return _cargo(REPOSITORY, target, "pforge")


def _cargo(package: Path, target: Path, binary: str) -> Path:
    say(f"cargo build --release ({binary})")
    command = ["cargo", "build", "--release", "--locked", "--bin", binary, "--target-dir", str(target)]
    if subprocess.run(command, cwd=package, stdout=sys.stderr, check=False).returncode != 0:
        raise Missing(f"{binary} does not build")
    return target / "release" / binary


def postgres_bin() -> Path:
    """The newest PostgreSQL's folder of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise Missing("PostgreSQL is needed: apt-get install postgresql")
