"""The report: medians with ranges, and ratios of medians."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .measure import Round

NOISY = "†"
# Above this the generator, not the server, may be what is measured.
GENERATOR_BOUND = 0.9


def fdatasync_us(folder: Path) -> float:
    """Median time of appending 4 KiB and making it durable: what the disk costs."""
    path = folder / "fdatasync-probe"
    times = []
    with closing(os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb", 0)) as file:
        for _ in range(300):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(times) * 1e6


def machine(folder: Path) -> dict[str, str]:
    """What the figures depend on."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": f"{os.cpu_count()} × {cpus[0].split(':')[1].strip() if cpus else platform.machine()}",
        "kernel": platform.release(),
        "disk": f"append 4 KiB + fdatasync p50 {fdatasync_us(folder):.0f} µs",
    }


def _number(value: float) -> str:
    """Three digits that matter, thousands with a comma."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _spread(rounds: list[Round], pick: Callable[[Round], float]) -> str:
    """`median (low–high)`, or the value when there is only one."""
    values = [pick(measured) for measured in rounds]
    median = _number(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({_number(min(values))}–{_number(max(values))})"


def _median(rounds: list[Round], pick: Callable[[Round], float]) -> float:
    return statistics.median(pick(measured) for measured in rounds)


def _memory(rounds: list[Round]) -> str:
    text = f"{_number(_median(rounds, lambda r: r.idle_mb))} / {_number(_median(rounds, lambda r: r.load_mb))}"
    database = _median(rounds, lambda r: r.database_mb)
    return text + (f" + {_number(database)}" if database else "")


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


COLUMNS: list[tuple[str, Callable[[list[Round]], str]]] = [
    ("deliveries/s", lambda rs: _spread(rs, lambda r: r.rate)),
    ("p50 ms", lambda rs: _spread(rs, lambda r: r.p50_ms)),
    ("p99 ms", lambda rs: _spread(rs, lambda r: r.p99_ms)),
    ("CPU µs", lambda rs: _spread(rs, lambda r: r.cpu_us)),
    ("kB written", lambda rs: _spread(rs, lambda r: r.written_kb)),
    ("start ms", lambda rs: _spread(rs, lambda r: r.start_ms)),
    ("MB idle / load", _memory),
    ("errors", lambda rs: str(sum(r.errors for r in rs))),
]


def markdown(results: dict[str, list[Round]], labels: dict[str, str], max_noise: float, head: dict[str, str]) -> str:
    """The whole report."""
    lines = [f"{head['date']}. {head['cpu']}, Linux {head['kernel']}; {head['disk']}. {head['load']}.", ""]
    lines.append(_row(["server", *(name for name, _ in COLUMNS)]))
    lines.append(_row(["---"] + ["---:"] * len(COLUMNS)))
    noisy = False
    for name, rounds in results.items():
        marked = any(r.noise > max_noise for r in rounds)
        noisy |= marked
        label = labels[name] + (f" {NOISY}" if marked else "")
        if any(r.generator > GENERATOR_BOUND for r in rounds):
            label += " (generator-bound)"
        lines.append(_row([label, *(cell(rounds) for _, cell in COLUMNS)]))
    lines.append("")
    if noisy:
        lines += [f"{NOISY} In a round, also when repeated, other programs used more than {max_noise} cores.", ""]
    lines += _ratios(results, labels)
    return "\n".join(lines)


def _ratios(results: dict[str, list[Round]], labels: dict[str, str]) -> list[str]:
    """Each server's median rate and CPU as multiples of the controls'."""
    controls = [name for name in ("bare", "probot", "fastapi") if name in results]
    if not controls or len(results) < 2:
        return []
    lines = [_row(["ratio of medians: rate (CPU per delivery)", *(f"vs {name}" for name in controls)])]
    lines.append(_row(["---"] + ["---:"] * len(controls)))
    for name, rounds in results.items():
        cells = []
        for control in controls:
            rate = _median(rounds, lambda r: r.rate) / _median(results[control], lambda r: r.rate)
            base = _median(results[control], lambda r: r.cpu_us)
            cpu = _median(rounds, lambda r: r.cpu_us) / base if base else float("nan")
            cells.append("–" if name == control else f"{rate:.3g} × ({cpu:.3g} ×)")
        lines.append(_row([labels[name], *cells]))
    return lines + [""]
