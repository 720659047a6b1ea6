"""How long after a delivery its check run is in progress on GitHub; see the README beside `latency`."""

import argparse
import copy
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from . import measure, payloads, report, tools
from .emulator import Emulator, Feedstock
from .main import interruptible, workspace
from .peers import Failed, free_port
from .pforge import Pforge, PforgePostgres, PforgeSqlite
from .postgres import Cluster

NAMES = (PforgeSqlite.name, PforgePostgres.name)
# Long enough for the job's first retry: that is then in the figures and no error.
PATIENCE = 30.0
# Deliveries per installation: each opens a check run and concludes it. From 60 writes of an installation
# in a minute on, pforge spaces them, as GitHub asks for.
PER_INSTALLATION = 20


@dataclass(frozen=True)
class Sample:
    """Milliseconds after the first byte of a delivery was sent."""

    answered: float
    in_progress: float


def opened(example: dict, github: Emulator, feedstock: Feedstock, number: int) -> payloads.Payload:
    """A `pull_request` delivery for a feedstock."""
    event = copy.deepcopy(example)
    owner, name = feedstock.full_name.split("/")
    named = {
        "name": name,
        "full_name": feedstock.full_name,
        "url": f"{github.url}/repos/{feedstock.full_name}",
        "html_url": f"{github.url}/{feedstock.full_name}",
    }
    pull = event["pull_request"]
    for repository in (event["repository"], pull["base"]["repo"], pull["head"]["repo"]):
        repository.update(named)
        repository["owner"]["login"] = owner
    pull["title"] = "Add a recipe"
    pull["head"]["sha"] = feedstock.head_sha
    pull["number"] = event["number"] = number
    event["action"] = "opened"
    event["installation"] = {"id": feedstock.installation, "node_id": "MDIz"}
    body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    return payloads.Payload("pull_request", body, payloads.sign(body))


def samples(peer: Pforge, github: Emulator, example: dict, count: int) -> list[Sample]:
    """Deliveries one after the other on one connection, for each feedstock in turn; the first of each is
    not counted, for it also fetches the installation's token."""
    found = []
    feedstocks = github.feedstocks()
    with measure.Client(peer) as client:
        for number in range(1, count + len(feedstocks) + 1):
            payload = opened(example, github, feedstocks[number % len(feedstocks)], number)
            guid = str(uuid.uuid4())
            # Both processes and this one read the same clock.
            at, sent = time.time(), time.monotonic()
            status = client.deliver(payload, guid)
            answered = time.monotonic()
            if status != 202:
                raise peer.failure(f"answered {status}")
            began = github.in_progress_at(guid, PATIENCE)
            if began is None:
                raise peer.failure(f"no concluded check run within {PATIENCE:.0f} s")
            if number > len(feedstocks):
                found.append(Sample((answered - sent) * 1000, (began - at) * 1000))
    if unknown := github.unknown():
        raise github.failure(f"no route for {unknown[0]}")
    return found


def table(results: dict[str, list[Sample]], labels: dict[str, str]) -> str:
    """The report."""
    lines = [
        "| server | from delivery to | p50 ms | p90 ms | p99 ms | max ms |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, found in results.items():
        for what, values in (
            ("answer (durable)", sorted(sample.answered for sample in found)),
            ("check run in progress", sorted(sample.in_progress for sample in found)),
        ):
            cuts = statistics.quantiles(values, n=100, method="inclusive")
            cells = " | ".join(f"{value:.2f}" for value in (cuts[49], cuts[89], cuts[98], values[-1]))
            lines.append(f"| {labels[name]} | {what} | {cells} |")
    return "\n".join(lines)


def bench(options: argparse.Namespace, stack: ExitStack) -> None:
    """The whole run."""
    root = workspace(options.data_dir, stack)
    binary = options.pforge.resolve() if options.pforge else tools.pforge()
    bodies = payloads.load(tools.node_modules())
    example = next(json.loads(each.body) for each in bodies if each.event == "pull_request")
    results, labels = {}, {}
    for name in options.only:
        with ExitStack() as own:
            folder = Path(tempfile.mkdtemp(dir=root))
            own.callback(shutil.rmtree, folder, ignore_errors=True)
            if name == PforgePostgres.name:
                peer: Pforge = PforgePostgres(folder, binary, own.enter_context(Cluster(root, free_port())))
            else:
                peer = PforgeSqlite(folder, binary)
            feedstocks = math.ceil(options.count / PER_INSTALLATION)
            github = own.enter_context(Emulator(folder, binary, feedstocks))
            own.enter_context(closing(peer))
            peer.github_url = github.url
            measure.start(peer, next(each for each in bodies if each.event == "check_suite"))
            results[name], labels[name] = samples(peer, github, example, options.count), peer.label
    machine = report.machine(root)
    print(
        f"{machine['cpu']}, Linux {machine['kernel']}; {machine['disk']}. {options.count} deliveries, one at a time.\n"
    )
    print(table(results, labels))


def main() -> int:
    """Entry; exit codes as for `run`."""
    parser = argparse.ArgumentParser(prog="latency", description="From a delivery to its check run; see README.md.")
    parser.add_argument("--count", type=int, default=200, metavar="N", help="deliveries (default 200)")
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=NAMES, metavar="A,B", help=f"of {','.join(NAMES)}"
    )
    parser.add_argument("--pforge", type=Path, metavar="FILE", help="use this pforge instead of building it")
    parser.add_argument(
        "--data-dir", type=Path, default=Path("/var/tmp"), metavar="DIR", help="a folder on a disk (default /var/tmp)"
    )
    options = parser.parse_args()
    if set(options.only) - set(NAMES) or options.count < 2:
        parser.error(f"known servers: {', '.join(NAMES)}; --count starts at 2")
    interruptible()
    try:
        with ExitStack() as stack:
            bench(options, stack)
    except (Failed, tools.Missing) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0
