"""Makes shapes.json.zst: the shape of the payload of every event and action, as GitHub describes it.

usage: make-shapes.py DESCRIPTION.json WEBHOOKS.schema.json.gz SHAPES.json [DESCRIBED.schema.json.gz]
       zstd -19 --ultra -22 --rm SHAPES.json

DESCRIPTION.json is generated/api.github.com.json of the npm package @octokit/openapi-webhooks 12.1.0
(`npm pack @octokit/openapi-webhooks@12.1.0`), WEBHOOKS.schema.json.gz is
tests/fixtures/github/webhooks.schema.json.gz. A payload of a shape is valid under both: where both
say something of a value, the shape is what they have in common, and where they contradict each
other it is what the newer one says.

SHAPES.json holds `nodes`, each of which names others by their place, and `events`: event, action (""
for none), node. A node is one of
  {"o": {key: node}}          an object; a key whose node is ~n is known, but not sent of itself
  {"m": node or null}         an object with any keys
  {"a": node, "n": least}     a list
  {"t": types, "f": format, "e": enum}  a scalar; types is a text of s(tring) i(nteger) n(umber) b(oolean)
with "z": 1 when it may be null.

With the fourth argument it also writes the schemas alone, without their prose, for the tests.
"""

import gzip
import itertools
import json
import sys

# Not required, yet in nearly every delivery to an App: of the payload, and of what is in it.
TYPICAL = {"installation", "organization", "repository", "repositories", "sender"}
TYPICAL_WITHIN = {"topics", "visibility", "web_commit_signoff_required"}
PROSE = {"description", "title", "example", "examples", "summary", "externalDocs", "x-github", "default", "readOnly"}
LETTERS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}


class Compiler:
    """Compiles conjunctions of schemas, each a tuple of (document, schema)."""

    def __init__(self):
        self.nodes, self.known, self.memo, self.busy = [], {}, {}, set()

    def intern(self, node):
        key = json.dumps(node, sort_keys=True)
        if key not in self.known:
            self.known[key] = len(self.nodes)
            self.nodes.append(node)
        return self.known[key]

    def flatten(self, members):
        """Resolves references and takes `allOf` apart: plain members, and lists of alternatives."""
        plain, choices, todo = [], [], list(members)
        while todo:
            document, schema = todo.pop(0)
            while isinstance(schema, dict) and "$ref" in schema:
                target = document
                for key in schema["$ref"].removeprefix("#/").split("/"):
                    target = target[key.replace("~1", "/").replace("~0", "~")]
                schema = target
            if not isinstance(schema, dict):
                schema = {}
            todo[:0] = [(document, part) for part in schema.get("allOf", [])]
            for word in ("oneOf", "anyOf"):
                # Alternatives that only say what is required beside common properties do not concern us.
                if word in schema and not all(set(part) <= {"required"} for part in schema[word]):
                    choices.append([(document, part) for part in schema[word]])
            rest = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf", "anyOf")}
            if set(rest) - PROSE:
                plain.append((document, rest))
        return plain, choices

    def alternatives(self, members):
        """Every way to satisfy the members, as lists of plain members."""
        plain, choices = self.flatten(members)
        if not choices:
            yield plain
            return
        for chosen in itertools.islice(itertools.product(*choices), 64):
            for way in self.alternatives(chosen):
                yield plain + way

    def compile(self, members, path, top=False):
        """The number of the node, and the contradictions in it; None inside itself."""
        key = tuple(sorted({id(schema) for _, schema in members}))
        if key in self.memo:
            return self.memo[key]
        if key in self.busy:
            return None
        self.busy.add(key)
        best, ways = None, list(self.alternatives(members))
        null = any(way and all(allows_null(schema) for _, schema in way) for way in ways)
        # A way that is null only is none, unless there is no other.
        real = [way for way in ways if not any(types_of(schema) == {"null"} for _, schema in way)]
        if not real and null:
            best = ({"t": ""}, [])
            ways = []
        # Without a way the description contradicts itself: then what is said of it beside null counts.
        for way in real or ways:
            node, conflicts = self.plain(way, path, top)
            if best is None or len(conflicts) < len(best[1]):
                best = (node, conflicts)
        if best is None:
            best = ({"t": ""}, [])
        node = dict(best[0])
        if null:
            node["z"] = 1
        self.busy.discard(key)
        self.memo[key] = (self.intern(node), best[1])
        return self.memo[key]

    def plain(self, members, path, top):
        conflicts, types = [], None
        for _, schema in members:
            own = types_of(schema) - {"null"}
            if not own:
                continue
            if types is None:
                types = own
            elif types & own:
                types &= own
            elif "integer" in own and "number" in types or "integer" in types and "number" in own:
                types = {"integer"}
            else:
                conflicts.append(f"{path}: {sorted(types)} and {sorted(own)}")
        types = types or set()
        if "object" in types:
            node, more = self.object(members, path, TYPICAL if top else TYPICAL_WITHIN)
        elif "array" in types:
            items = tuple((d, s["items"]) for d, s in members if "items" in s)
            child = self.compile(items, path + "[]") if items else None
            least = max((s.get("minItems", 0) for _, s in members), default=0)
            node, more = {"a": child[0] if child else self.intern({"t": ""})}, []
            if least:
                node["n"], more = least, child[1] if child else []
        else:
            node, more = {"t": "".join(sorted(LETTERS[name] for name in types))}, []
            enum = None
            for _, schema in members:
                own = [schema["const"]] if "const" in schema else schema.get("enum")
                own = own and [value for value in own if value is not None]
                if not own:
                    continue
                if enum is None:
                    enum = own
                elif any(value in own for value in enum):
                    enum = [value for value in enum if value in own]
                else:
                    conflicts.append(f"{path}: {enum} and {own}")
            formats = [s["format"] for _, s in members if s.get("format") in ("uri", "date-time", "date", "email")]
            if enum:
                node["e"] = enum
            elif formats and "string" in types:
                node["f"] = formats[0]
        return node, conflicts + more

    def object(self, members, path, typical):
        keys, required, conflicts = {}, {}, []
        for document, schema in members:
            for key, value in schema.get("properties", {}).items():
                keys.setdefault(key, []).append((document, value))
            required |= dict.fromkeys(schema.get("required", []))
        closed = [schema for _, schema in members if schema.get("additionalProperties") is False]
        if not keys and not required:
            values = tuple(
                (d, s["additionalProperties"]) for d, s in members if isinstance(s.get("additionalProperties"), dict)
            )
            child = self.compile(values, path + ".*") if values else None
            return {"m": child[0] if child else None}, []
        shape = {}
        for key in sorted(dict.fromkeys([*keys, *required]), key=order):
            barred = any(key not in schema.get("properties", {}) for schema in closed)
            sent = key in required or key in typical and not barred
            child = self.compile(tuple(keys.get(key, [])), f"{path}.{key}")
            if child is None:
                continue
            if sent:
                conflicts += child[1]
                if barred:
                    conflicts.append(f"{path}.{key} is required and barred")
            shape[key] = child[0] if sent else ~child[0]
        return {"o": shape}, conflicts


def types_of(schema):
    own = schema.get("type")
    if isinstance(own, list):
        return set(own)
    if own:
        return {own}
    if "properties" in schema or "required" in schema:
        return {"object"}
    if "items" in schema:
        return {"array"}
    if "const" in schema or "enum" in schema:
        kinds = {type(None): "null", bool: "boolean", str: "string", int: "integer", float: "number"}
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return {kinds[type(value)] for value in values}
    return set()


def allows_null(schema):
    types = types_of(schema)
    if "enum" in schema and None not in schema["enum"]:
        return False
    return not types or "null" in types


def order(key):
    """As GitHub sends it: what happened, what to, where, who."""
    first, last = ["action"], ["repository", "organization", "enterprise", "installation", "sender"]
    return (first.index(key) - 9 if key in first else 1 + last.index(key) if key in last else 0)


def variants(document, schema):
    """Every action of a schema, with the schema that describes it."""
    seen = schema
    while "$ref" in seen:
        target = document
        for key in seen["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        seen = target
    if "action" in seen.get("properties", {}):
        action = seen["properties"]["action"]
        return [(value, seen) for value in action.get("enum", []) if value] or [(action.get("const"), seen)]
    for word in ("oneOf", "anyOf"):
        if word in seen:
            return [found for part in seen[word] for found in variants(document, part)]
    return [(None, seen)]


def described(document):
    """(event, action, schema) of everything that the description has."""
    for webhook in document["webhooks"].values():
        operation = webhook["post"]
        content = operation["requestBody"]["content"]
        body = content.get("application/json", next(iter(content.values())))["schema"]
        # Three events are written there with dashes; their header has underscores.
        event = operation["x-github"]["subcategory"].replace("-", "_")
        for action, schema in variants(document, body):
            yield event, action, schema


def without_prose(value, names=False):
    if isinstance(value, list):
        return [without_prose(item) for item in value]
    if isinstance(value, dict):
        if value.get("type") == ["null"] and "allOf" in value and not names:
            # What may be null was written so that nothing is right.
            return {"anyOf": [{"type": "null"}, {"allOf": without_prose(value["allOf"])}]}
        return {
            key: without_prose(item, key == "properties" and not names)
            for key, item in value.items()
            if names or key not in PROSE
        }
    return value


def main():
    document = json.load(open(sys.argv[1]))
    older = json.load(gzip.open(sys.argv[2]))
    compiler, events, schemas, keep, conflicts = Compiler(), {}, {}, [], set()
    for event, action, schema in described(document):
        members = [(document, schema)]
        if action:
            pin = {"type": "object", "properties": {"action": {"const": action}}}
            keep.append(pin)
            members.append((document, pin))
        old = older["definitions"].get(f"{event}${action or 'event'}")
        if old:
            members.append((older, old))
        node, found = compiler.compile(tuple(members), f"{event}.{action}", True)
        conflicts.update(found)
        events.setdefault(event, {}).setdefault(action or "", node)
        schemas.setdefault(f"{event}${action or 'event'}", []).append(schema)
    for conflict in sorted(conflicts):
        print(conflict, file=sys.stderr)
    count = sum(map(len, events.values()))
    print(f"{count} payloads of {len(events)} events, {len(compiler.nodes)} nodes", file=sys.stderr)
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        json.dump({"nodes": compiler.nodes, "events": dict(sorted(events.items()))}, file, separators=(",", ":"))
    if len(sys.argv) > 4:
        small = without_prose({"components": {"schemas": document["components"]["schemas"]}})
        small["definitions"] = {
            name: without_prose(found[0]) if len(found) == 1 else {"anyOf": [without_prose(one) for one in found]}
            for name, found in sorted(schemas.items())
        }
        with gzip.GzipFile(sys.argv[4], "wb", 9, mtime=0) as file:
            file.write(json.dumps(small, separators=(",", ":")).encode())


if __name__ == "__main__":
    main()
