"""Processes: started so that none outlives the run, and measured through /proc."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024
KTHREADD = 2
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Log:
    """What a server writes, kept in memory: logging must not count as writing to the disk."""

    def __init__(self):
        self.fd = os.memfd_create("log")

    def read(self) -> bytes:
        """Everything so far."""
        return os.pread(self.fd, os.fstat(self.fd).st_size, 0)

    def tail(self) -> str:
        """The end of it."""
        return self.read()[-3000:].decode(errors="replace")

    def close(self) -> None:
        """Forgets it."""
        os.close(self.fd)


def spawn(command: list[str | Path], log: Log, **options) -> subprocess.Popen:
    """Starts a server in its own process group; the kernel ends it should this program be killed."""

    def die_with_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log.fd,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent,
        **options,
    )


def stop(process: subprocess.Popen, polite: signal.Signals = signal.SIGTERM, patience: float = 15) -> None:
    """Ends a server and whatever it started."""
    if process.poll() is None:
        process.send_signal(polite)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(frozen=True)
class Stat:
    """The part of /proc/PID/stat that is used. `cpu` is in seconds, reaped children included."""

    parent: int
    cpu: float
    rss_kb: float


def _stat(pid: int) -> Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name may hold blanks and parentheses: fields are counted from its end.
    fields = text[text.rindex(")") + 2 :].split()
    cpu = sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICK
    return Stat(parent=int(fields[1]), cpu=cpu, rss_kb=int(fields[21]) * PAGE_KB)


def table() -> dict[int, Stat]:
    """Every process."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return {pid: stat for pid in pids if (stat := _stat(pid))}


def tree(roots: Iterable[int], processes: dict[int, Stat]) -> set[int]:
    """The processes at and below `roots`."""
    found = {pid for pid in roots if pid in processes}
    fresh = found
    while fresh:
        fresh = {pid for pid, stat in processes.items() if stat.parent in fresh} - found
        found = found | fresh
    return found


@dataclass(frozen=True)
class Usage:
    """What a process tree has used so far."""

    cpu: float
    written: int


@dataclass(frozen=True)
class Snapshot:
    """Who had used how much at one moment. `others` are the processes that are neither the server,
    nor this program and its children, nor the kernel's own."""

    at: float
    server: Usage
    others: float
    steal: float


def snapshot(roots: Iterable[int]) -> Snapshot:
    """Takes one. CPU of a process that ends moves into its parent's, so differences are complete."""
    processes = table()
    servers = tree(roots, processes)
    ours = tree([os.getpid()], processes)
    kernel = tree([KTHREADD], processes)
    rest = processes.keys() - servers - ours - kernel
    with open("/proc/stat") as file:
        steal = int(file.readline().split()[8]) / TICK
    return Snapshot(
        at=time.monotonic(),
        server=Usage(sum(processes[pid].cpu for pid in servers), sum(map(_written, servers))),
        others=sum(processes[pid].cpu for pid in rest),
        steal=steal,
    )


def noise(before: Snapshot, after: Snapshot) -> float:
    """Cores taken by programs (or virtual machines) that have nothing to do with the round."""
    return (after.others - before.others + after.steal - before.steal) / (after.at - before.at)


def _written(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


def memory_mb(roots: Iterable[int]) -> float:
    """Resident memory of a tree in MB (10^6 bytes)."""
    processes = table()
    return sum(processes[pid].rss_kb for pid in tree(roots, processes)) * 1.024e-3


def shared_memory_mb(roots: Iterable[int]) -> float:
    """Resident memory of a tree in MB, pages that several processes share counted once."""
    total = 0
    for pid in tree(roots, table()):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1.024e-3


def reset_peak(roots: Iterable[int]) -> None:
    """Forgets the highest memory use so far."""
    for pid in tree(roots, table()):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mb(roots: Iterable[int]) -> float:
    """The highest resident memory since `reset_peak`, summed over a tree, in MB."""
    total = 0
    for pid in tree(roots, table()):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                total += int(line.split()[1])
    return total * 1.024e-3
