"""What benchmarks of programs side by side share: finding the programs, and numbers for a report."""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SMEE_CLIENT = "smee-client@5.0.0"


class Failed(Exception):
    """The run is worth nothing; the message says why."""


def say(text: str) -> None:
    """Progress, on stderr: stdout is the report."""
    print(text, file=sys.stderr, flush=True)


def run(command: list[str | Path], **options) -> str:
    """Runs a command to its end; a failure shows what it wrote."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"`{' '.join(map(str, command))}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def build_pforge() -> Path:
    """pforge, built from the repository that holds this file."""
    say("cargo build --release")
    target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target")
    command = ["cargo", "build", "--release", "--locked", "--bin", "pforge", "--target-dir", str(target)]
    if subprocess.run(command, cwd=REPOSITORY, stdout=sys.stderr, check=False).returncode != 0:
        raise Failed("pforge does not build")
    return target / "release" / "pforge"


def find_smee() -> Path:
    """The command of the npm package, installed once into the folder of the benchmarks."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("PFORGE_BENCH_CACHE") or home / "pforge-bench") / SMEE_CLIENT.replace("@", "-")
    if not (folder / ".complete").exists():
        say(f"installing {SMEE_CLIENT} into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        run(["npm", "install", *quiet, "--prefix", folder, SMEE_CLIENT])
        (folder / ".complete").touch()
    return folder / "node_modules" / ".bin" / "smee"


def number(value: float) -> str:
    """With three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cell(values: list[float]) -> str:
    """`median (low–high)`."""
    median = number(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({number(min(values))}–{number(max(values))})"


def machine() -> str:
    """Processors and kernel."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = cpus[0].split(":")[1].strip() if cpus else "?"
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}"
