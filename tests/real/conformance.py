"""Judges recorded exchanges by GitHub's own description.

usage: conformance.py SCHEMA.json.gz EXCHANGES.ndjson
       conformance.py --deliveries WEBHOOKS.schema.json.gz DELIVERIES.ndjson
       conformance.py --deliveries DESCRIBED.schema.json.gz DELIVERIES.ndjson

Every line of the second file is an exchange as `GET /_emulator/calls` lists it. Request and response
bodies are validated against the operation that the description has for the method and path. A
described operation that answers with a status the description does not know is a violation, except
for GitHub's general refusals (401, 403, 404, 422), which must then have GitHub's general error form.
With --deliveries every line is a delivery as `GET /_emulator/deliveries` lists it, and its payload is
validated against GitHub's webhook schemas. Fields that GitHub sends and these schemas, being older,
do not know yet are allowed.
Prints one line for each violation and a summary; exits 1 when there was one.
"""

import gzip
import json
import re
import sys
import urllib.parse
from datetime import datetime

import jsonschema

METHODS = ("get", "post", "put", "patch", "delete")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# Answered by GitHub, though undescribed.
UNDESCRIBED = {
    ("GET", r"/repos/[^/]+/[^/]+/contents"),
    ("POST", r"(/api)?/graphql"),
}

# Sent by GitHub today, unknown to the webhook schemas.
NEWER = {"client_id"}
# The same, in objects of these names.
NEWER_IN = {
    "check_suite": {"rerequestable", "runs_rerequestable"},
    "discussion": {"state_reason"},
    "location": {"details", "type"},
    "new_discussion": {"state_reason"},
    "release": {"immutable", "updated_at"},
    "rule": {"lock_branch_enforcement_level"},
    "sender": {"node_id"},
    "verification": {"verified_at"},
}

checker = jsonschema.FormatChecker(formats=())


@checker.checks("date-time")
def is_date_time(value):
    if not isinstance(value, str):
        return True
    if not DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


@checker.checks("uri")
def is_uri(value):
    if not isinstance(value, str):
        return True
    parts = urllib.parse.urlsplit(value)
    return bool(parts.scheme) and not re.search(r"[\s<>\"\\^`]", value)


class Description:
    """The operations of the description, found by method and path."""

    def __init__(self, path):
        with gzip.open(path) as file:
            self.document = json.load(file)
        self.operations = []
        for template, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method in item:
                    parameters = shared + item[method].get("parameters", [])
                    pattern = re.compile(self.pattern(template, parameters))
                    self.operations.append((method.upper(), pattern, template, item[method]))
        # The more is fixed, the earlier it is tried: `commits/{ref}/status` before `commits/{ref}`.
        self.operations.sort(key=lambda entry: -len(re.sub(r"\{[^}]*\}", "", entry[2])))

    def resolve(self, value):
        while "$ref" in value:
            target = self.document
            for key in value["$ref"].removeprefix("#/").split("/"):
                target = target[key.replace("~1", "/").replace("~0", "~")]
            value = target
        return value

    def pattern(self, template, parameters):
        many = {p["name"] for p in map(self.resolve, parameters) if p.get("x-multi-segment")}
        many |= {"path", "ref", "branch", "basehead"}
        parts = re.split(r"\{([^}]*)\}", template)
        text = ""
        for index, part in enumerate(parts):
            text += re.escape(part) if index % 2 == 0 else (".+" if part in many else "[^/]+")
        return text

    def find(self, method, path):
        for candidate, pattern, template, operation in self.operations:
            if candidate == method and pattern.fullmatch(path):
                return template, operation
        return None, None

    def faults(self, schema, value):
        """What is wrong with `value`, the schema being inside of the document."""
        root = {"paths": self.document["paths"], "components": self.document["components"], "allOf": [schema]}
        validator = jsonschema.Draft202012Validator(root, format_checker=checker)
        found = []
        for error in validator.iter_errors(value):
            # Alternatives hide the reason in their context: the deepest one tells most.
            best = jsonschema.exceptions.best_match([error])
            # An address that nobody gave is "", as the schema's own default says.
            if best.validator == "format" and best.instance == "" == best.schema.get("default"):
                continue
            # Alternatives that overlap are the description's own.
            if best.validator == "oneOf" and "is valid under each of" in best.message:
                continue
            found.append(f"{best.json_path}: {best.message[:300]}")
        return found


def judge(description, exchange):
    """Violations of one exchange, or None when the description says nothing about it."""
    method = exchange["method"].replace("HEAD", "GET")
    path = exchange["path"].split("?")[0].removeprefix("/api/v3").rstrip("/") or "/"
    # First, because `commits/{ref}` would also take `commits/{ref}/check-suites`.
    known = any(method == m and re.fullmatch(p, path) for m, p in UNDESCRIBED)
    template, operation = (None, None) if known else description.find(method, path)
    if operation is None:
        page = re.match(r"(/organizations/[^/]+)?/settings/apps|/apps/[^/]+/installations", path)
        if known or page or not exchange["known"]:
            return None
        return [f"{method} {path}: no such operation"]
    violations = []
    status, response = exchange["status"], exchange["response"]

    def report(where, faults):
        violations.extend(f"{method} {template} {status} {where} {fault}" for fault in faults)

    body = operation.get("requestBody")
    if body and status < 400:
        schema = description.resolve(body)["content"].get("application/json", {}).get("schema")
        # GitHub also takes labels as a bare list, which the description has lost.
        bare_labels = template.endswith("/labels") and isinstance(exchange["request"], list)
        if exchange["request"] is not None and schema and not bare_labels:
            report("request", description.faults(schema, exchange["request"]))
        elif exchange["request"] is None and body.get("required"):
            report("request", ["has no body"])
    media_type = exchange["content_type"].split(";")[0]
    answer = operation["responses"].get(str(status))
    if answer is None:
        general = {401: "basic-error", 403: "basic-error", 404: "basic-error", 422: "validation-error"}.get(status)
        if general is None:
            report("response", ["is a status that the description does not know"])
        else:
            report("response", description.faults({"$ref": f"#/components/schemas/{general}"}, response))
    else:
        content = description.resolve(answer).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if not content:
            # Refusals have GitHub's general error form also where the description only names the status.
            if response is not None and status >= 400:
                report("response", description.faults({"$ref": "#/components/schemas/basic-error"}, response))
            elif response is not None:
                report("response", ["has a body"])
        elif media_type == "application/json" and schema:
            report("response", description.faults(schema, response))
        elif media_type not in content and "raw" not in media_type:
            report("response", [f"has the media type {media_type}"])
    return violations


def judge_delivery(document, delivery):
    """Violations of one payload."""
    name = f"{delivery['event']}${delivery['action'] or 'event'}"
    if name not in document["definitions"]:
        return [f"{name}: no such event"]
    root = document | {"allOf": [{"$ref": f"#/definitions/{name}"}]}
    if "components" in document:
        validator = jsonschema.Draft202012Validator(root, format_checker=checker)
    else:
        validator = jsonschema.Draft7Validator({key: root[key] for key in ("definitions", "allOf")})
    violations = []
    for error in validator.iter_errors(delivery["payload"]):
        best = jsonschema.exceptions.best_match([error])
        if best.validator == "additionalProperties":
            unknown = set(best.instance) - set(best.schema.get("properties", {})) - NEWER
            unknown -= NEWER_IN.get(best.json_path.split(".")[-1], set())
            if not unknown:
                continue
        violations.append(f"{name} {best.json_path}: {best.message[:300]}")
    return violations


def main_deliveries(schema, deliveries):
    with gzip.open(schema) as file:
        document = json.load(file)
    judged, violations = set(), []
    with open(deliveries, encoding="utf-8") as file:
        for line in file:
            delivery = json.loads(line)
            judged.add((delivery["event"], delivery["action"]))
            violations += judge_delivery(document, delivery)
    for violation in sorted(set(violations)):
        print(f"violation: {violation}")
    print(f"{len(judged)} events of deliveries, {len(violations)} violations")
    return 1 if violations or not judged else 0


def main():
    if sys.argv[1] == "--deliveries":
        return main_deliveries(*sys.argv[2:])
    description = Description(sys.argv[1])
    judged, skipped, violations, operations = 0, [], [], set()
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            exchange = json.loads(line)
            if exchange["status"] in (0, 304):
                continue
            found = judge(description, exchange)
            if found is None:
                skipped.append(f"{exchange['method']} {exchange['path'].split('?')[0]}")
            else:
                judged += 1
                method, path = exchange["method"], exchange["path"].split("?")[0]
                operations.add((method, description.find(method, path.removeprefix("/api/v3").rstrip("/") or "/")[0]))
                violations += found
    for violation in sorted(set(violations)):
        print(f"violation: {violation}")
    for path in sorted(set(skipped)):
        print(f"skipped: {path}")
    print(f"{judged} exchanges of {len(operations)} operations, {len(violations)} violations")
    if judged == 0:
        print("nothing was judged")
    return 1 if violations or judged == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
