"""One round of one peer: start, check, warm up, load, check again."""

import http.client
import json
import random
import resource
import subprocess
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from . import proc
from .payloads import Payload
from .peers import START_TIMEOUT, Peer

SAMPLE = 50
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Load:
    """How hard a peer is loaded."""

    wrk: str
    folder: Path
    seconds: float
    warm_up: float
    connections: int


@dataclass(frozen=True)
class Round:
    """What one round measured. Times are of the client, memory is in MB (10^6 bytes)."""

    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_us: float
    written_kb: float
    start_ms: float
    idle_mb: float
    load_mb: float
    database_mb: float
    answers: int
    stored: int | None
    errors: int
    noise: float
    generator: float


class Client:
    """One connection of a plain HTTP client."""

    def __init__(self, peer: Peer):
        self._peer = peer
        self._connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=10)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def deliver(self, payload: Payload, guid: str | None = None, **changed: str) -> int:
        """Sends a delivery with a fresh GUID; the status of the answer."""
        headers = payload.headers(guid or str(uuid.uuid4()))
        headers.update({name.replace("_", "-"): value for name, value in changed.items()})
        self._connection.request("POST", self._peer.path, payload.body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


def start(peer: Peer, payload: Payload) -> float:
    """Starts a peer and returns the milliseconds until it took its first delivery."""
    began = time.monotonic()
    peer.start()
    while True:
        try:
            with Client(peer) as client:
                status = client.deliver(payload)
            if status not in peer.accepted:
                raise peer.failure(f"answered {status} to the first delivery")
            return (time.monotonic() - began) * 1000
        except (ConnectionError, http.client.HTTPException):
            if peer.process.poll() is not None or time.monotonic() - began > START_TIMEOUT:
                raise peer.failure("did not start") from None
            time.sleep(0.0005)


def check(peer: Peer, payloads: list[Payload]) -> None:
    """Every payload must be taken and kept once; a wrong signature must be refused and not be kept."""
    before = _kept(peer)
    with Client(peer) as client:
        for payload in payloads:
            if (status := client.deliver(payload)) not in peer.accepted:
                raise peer.failure(f"answered {status} to {payload.event}")
        if peer.checks_signatures:
            status = client.deliver(payloads[0], X_Hub_Signature_256=payloads[1].signature)
            if not 400 <= status < 500:
                raise peer.failure(f"answered {status} to a wrong signature")
    if before is not None and (kept := _kept(peer).total() - before.total()) != len(payloads):
        raise peer.failure(f"kept {kept} of {len(payloads)} deliveries")


def check_bytes(peer: Peer, payloads: list[Payload]) -> None:
    """Some of what a peer kept under load, compared byte for byte with what was sent."""
    sent = {(payload.event, payload.body) for payload in payloads}
    sample = peer.sample(SAMPLE)
    if len(sample) < SAMPLE:
        raise peer.failure(f"gave back {len(sample)} of {SAMPLE} deliveries")
    for delivery in sample:
        if (delivery.event, delivery.body) not in sent:
            raise peer.failure(f"kept other bytes than were sent with {delivery.guid}")


def one(peer: Peer, payloads: list[Payload], load: Load) -> Round:
    """A whole round. The peer is fresh and is left running."""
    first = next(payload for payload in payloads if payload.event == "pull_request")
    # The first start creates the database: what is timed is the start that users see every day.
    start(peer, first)
    check(peer, payloads)
    peer.stop()
    start_ms = start(peer, first)
    time.sleep(SETTLE_SECONDS)
    own = [peer.process.pid]
    idle = proc.memory_mb(own)
    proc.reset_peak(own)
    peer.settle()

    kept = _kept(peer)
    warm = _wrk(peer, load, load.warm_up)
    kept, kept_before = _settled(peer), kept
    errors = _errors(peer, load, warm, kept_before, kept)

    before = proc.snapshot(peer.roots())
    result = _wrk(peer, load, load.seconds)
    after = proc.snapshot(peer.roots())
    if peer.process.poll() is not None:
        raise peer.failure("ended under load")
    peak = proc.peak_mb(own)
    database_mb = proc.shared_memory_mb(pid for pid in peer.roots() if pid not in own)

    kept, kept_before = _settled(peer), kept
    errors += _errors(peer, load, result, kept_before, kept)
    if kept is not None:
        check_bytes(peer, payloads)
    return Round(
        rate=result["answers"] / result["microseconds"] * 1e6,
        p50_ms=result["p50_us"] / 1e3,
        p99_ms=result["p99_us"] / 1e3,
        max_ms=result["max_us"] / 1e3,
        cpu_us=(after.server.cpu - before.server.cpu) / result["answers"] * 1e6,
        written_kb=(after.server.written - before.server.written) / result["answers"] / 1e3,
        start_ms=start_ms,
        idle_mb=idle,
        load_mb=peak,
        database_mb=database_mb,
        answers=result["answers"],
        stored=None if kept is None else (kept - kept_before).total(),
        errors=errors,
        noise=proc.noise(before, after),
        generator=result["cores"],
    )


def _wrk(peer: Peer, load: Load, seconds: float) -> dict:
    """Runs the load generator; what `load.lua` printed, and the cores that it used itself."""
    # wrk takes whole seconds.
    duration = max(1, round(seconds))
    command = [load.wrk, "-t1", f"-c{load.connections}", f"-d{duration}s", "--latency", "--timeout", "10s"]
    script = ["-s", str(Path(__file__).parent.parent / "load.lua"), peer.url()]
    seed = str(random.SystemRandom().randrange(2**31))
    process = subprocess.Popen(
        [*command, *script, "--", str(load.folder), seed], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    before = _children_cpu()
    try:
        output, _ = process.communicate(timeout=duration + 60)
    finally:
        process.kill()
        process.wait()
    lines = [line for line in output.decode().splitlines() if line.startswith("{")]
    if process.returncode != 0 or not lines:
        raise peer.failure(f"wrk failed: {output.decode()}")
    result = json.loads(lines[-1])
    if not result["answers"]:
        raise peer.failure("answered nothing under load")
    result["cores"] = (_children_cpu() - before) / result["microseconds"] * 1e6
    return result


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _kept(peer: Peer) -> Counter[int] | None:
    """Deliveries kept, by status."""
    stored = peer.stored()
    return None if stored is None else Counter(stored)


def _settled(peer: Peer) -> Counter[int] | None:
    """The same, once what was under way when the load ended is kept too."""
    last, now = None, _kept(peer)
    while now != last:
        time.sleep(0.2)
        last, now = now, _kept(peer)
    return now


def _errors(peer: Peer, load: Load, result: dict, before: Counter[int] | None, after: Counter[int] | None) -> int:
    """Requests that were not served as they must be.

    The generator hangs up in the middle of up to one request per connection: those are kept, rightly,
    although their answers were not counted.
    """
    errors = result["socket_errors"]
    if before is None or after is None:
        return errors + result["status_errors"]
    fresh = after - before
    # The generator counts every status from 400 up; some of them are proper answers.
    proper = sum(count for status, count in fresh.items() if status in peer.accepted and status >= 400)
    refused = max(0, result["status_errors"] - proper)
    odd = sum(count for status, count in fresh.items() if status not in peer.accepted)
    lost = max(0, result["answers"] - refused - fresh.total())
    invented = max(0, fresh.total() - result["answers"] - load.connections)
    return errors + refused + odd + lost + invented
