"""Real payloads, signed: what every peer is sent."""

import hashlib
import hmac
import json
import random
from dataclasses import dataclass
from pathlib import Path

SECRET = "bench-webhook-secret"
COUNT = 200


@dataclass(frozen=True)
class Payload:
    """One of GitHub's example payloads."""

    event: str
    body: bytes
    signature: str

    def headers(self, guid: str) -> dict[str, str]:
        """The headers that GitHub would send with it."""
        return {
            "User-Agent": "GitHub-Hookshot/044aadd",
            "Accept": "*/*",
            "Content-Type": "application/json",
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-ID": "292430182",
            "X-GitHub-Hook-Installation-Target-ID": "79929171",
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": self.signature,
            "X-GitHub-Delivery": guid,
        }


def sign(body: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def load(node_modules: Path) -> list[Payload]:
    """COUNT payloads spread evenly over the sizes of the github.com set, in one fixed mixed order."""
    path = node_modules / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    bodies = [
        (event["name"], json.dumps(example, separators=(",", ":"), ensure_ascii=False).encode())
        for event in json.loads(path.read_text())
        for example in event["examples"]
    ]
    bodies.sort(key=lambda pair: (len(pair[1]), pair))
    last = len(bodies) - 1
    chosen = [bodies[round(i * last / (COUNT - 1))] for i in range(COUNT)]
    random.Random(0).shuffle(chosen)
    return [Payload(event, body, sign(body)) for event, body in chosen]


def write(payloads: list[Payload], folder: Path) -> None:
    """The two files that `load.lua` reads."""
    offset = 0
    lines = []
    for payload in payloads:
        lines.append(f"{payload.event} {payload.signature} {offset} {len(payload.body)}\n")
        offset += len(payload.body)
    (folder / "index").write_text("".join(lines))
    (folder / "bodies").write_bytes(b"".join(payload.body for payload in payloads))
