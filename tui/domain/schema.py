"""Is a manifest what Kubernetes will take? YAML, required fields, and the OpenAPI v3 schema the cluster publishes.

Every problem has its place in the text. An error is what the API server refuses; a warning is what it drops or what
readers of YAML understand differently. Rules of CEL (`x-kubernetes-validations`) and of admission are not evaluated.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from tui.domain import yamlvalue
from tui.domain.edits.base import KUSTOMIZATION, VALUES, kind_of
from tui.domain.pattern import Pattern, compile_pattern
from tui.domain.yamledit import Refused, Session, Step, documents, format_path

Schema = Mapping[str, Any]
Lookup = Callable[[str, str], Schema | None]
"""(apiVersion, kind) → the schema of the whole object, None when none is published."""

MOST = 100
"""Problems reported for one document; more help nobody."""

_OBJECT_KEYS = ("apiVersion", "kind", "metadata")


class Problem(msgspec.Struct, frozen=True):
    """Something wrong at a line and column of the text (both from 1). `path` is where in document number `doc`."""

    severity: Literal["error", "warning"]
    line: int
    column: int
    message: str
    path: str = ""
    doc: int = 0

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.line}:{self.column}: {where}{self.message}"


def check(text: str, schemas: Lookup | None = None, file: str = "") -> list[Problem]:
    """The problems of every document of a file, in the order of the text; [] when all is well.

    Kustomizations and Helm values, which `file` helps to tell, need not be objects.
    """
    try:
        listed = documents(text)
    except Refused as error:
        return [Problem("error", error.line or 1, error.column or 1, error.reason)]
    out: list[Problem] = []
    for document in listed:
        try:
            session = Session(text, document.index)
        except Refused as error:
            out.append(Problem("error", error.line or 1, error.column or 1, error.reason, doc=document.index))
            continue
        out += check_document(session, schemas, file)
    return out


def check_document(session: Session, schemas: Lookup | None = None, file: str = "") -> list[Problem]:
    """The problems of one document. A Helm template is no YAML before it is rendered, and is not checked."""
    if session.problem is not None:
        line, column = max(session.problem.line, 1), max(session.problem.column, 1)
        if "templates/" in file:
            return [Problem("warning", line, column, "a Helm template: not checked", doc=session.chunk.index)]
        return [Problem("error", line, column, session.problem.reason, doc=session.chunk.index)]
    walk = _Walk(session)
    walk.readings()
    value: Any
    try:
        value = session.value()
    except Refused as error:
        walk.out.append(Problem("error", error.line, error.column, error.reason, doc=session.chunk.index))
        return walk.sorted()
    kind = kind_of(value, file)
    if kind == KUSTOMIZATION or (kind == VALUES and file):
        return walk.sorted()
    if not isinstance(value, Mapping):
        walk.add("error", session.tree.root, "not an object: expected apiVersion, kind and metadata")
        return walk.sorted()
    _required(walk, value)
    api, name = value.get("apiVersion"), value.get("kind")
    schema = schemas(api, name) if schemas and isinstance(api, str) and isinstance(name, str) else None
    if schema is not None:
        walk.components = schema.get("components", {}).get("schemas", {}) if "components" in schema else {}
        walk.visit(session.tree.root, schema, (), root=True)
    return walk.sorted()


def _required(walk: _Walk, value: Mapping[str, Any]) -> None:
    root = walk.tree.root
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            walk.add("error", root, f"{key} is missing" if key not in value else f"{key} must be a name", (key,))
    kind = value.get("kind")
    if isinstance(kind, str) and kind.endswith("List") and "items" in value:
        return
    metadata = value.get("metadata")
    if not isinstance(metadata, Mapping):
        walk.add("error", root, "metadata.name is missing", ("metadata",))
    elif not isinstance(metadata.get("name"), str) and not isinstance(metadata.get("generateName"), str):
        word = "must be text" if metadata.get("name") is not None else "is missing"
        walk.add("error", root, f"metadata.name {word}", ("metadata", "name"))


def of_crd(crd: Mapping[str, Any], version: str = "") -> Schema | None:
    """The schema in a CustomResourceDefinition (plain values): of that version, else the stored one; None for none."""
    spec = crd.get("spec")
    versions = spec.get("versions") if isinstance(spec, Mapping) else None
    entries = [entry for entry in versions if isinstance(entry, Mapping)] if isinstance(versions, list) else []
    for entry in entries:
        if entry.get("name") == version or (not version and entry.get("storage")):
            schema = entry.get("schema")
            found = schema.get("openAPIV3Schema") if isinstance(schema, Mapping) else None
            return found if isinstance(found, Mapping) else None
    return None


class _Walk:
    """A document walked along its schema."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tree = session.tree
        self.out: list[Problem] = []
        self.components: Mapping[str, Any] = {}

    def sorted(self) -> list[Problem]:
        return sorted(dict.fromkeys(self.out), key=lambda problem: (problem.line, problem.column))[:MOST]

    def add(
        self, severity: Literal["error", "warning"], node: int, message: str, path: tuple[Step, ...] = (), key: int = -1
    ) -> None:
        if len(self.out) <= 2 * MOST:
            line, column = self.session.place_at(key if key >= 0 else node)
            self.out.append(Problem(severity, line, column, message, format_path(path), self.session.chunk.index))

    # ---- without a schema

    def readings(self) -> None:
        """Repeated keys, and unquoted scalars that YAML readers disagree on."""
        tree = self.tree
        for node in range(len(tree.events)):
            if tree.is_map(node):
                self._repeated(node)
            elif tree.is_scalar(node):
                event = tree.events[node]
                if event.tag is None and event.implicit[0]:
                    value = yamlvalue.kubectl(event.value)
                    if isinstance(value, bool | float) and not yamlvalue.agrees(event.value, value):
                        self.add(
                            "warning", node, f"kubectl reads {event.value} as {_json(value)}; quote it if text is meant"
                        )

    def _repeated(self, node: int) -> None:
        seen: set[str] = set()
        for key, _ in self.tree.pairs(node):
            name = self.tree.key_text(key)
            if name is None or self.tree.is_merge(key):
                continue
            if name in seen:
                self.add("error", key, f"the key {name} stands here twice")
            seen.add(name)

    # ---- with a schema

    def visit(self, node: int, schema: Schema, path: tuple[Step, ...], root: bool = False, known: bool = True) -> None:
        """Checks one value. `known`: fields that no schema names are reported (not inside anyOf and its kin)."""
        if len(path) > 60 or len(self.out) > 2 * MOST:
            return
        if self.tree.is_alias(node):
            node = self.tree.target(node)
        schema = self._resolved(schema)
        if self.tree.is_scalar(node) and self.tree.scalar(node) is None:
            if (
                not schema.get("nullable")
                and schema.get("type")
                and not schema.get("x-kubernetes-preserve-unknown-fields")
            ):
                self.add("warning", node, "empty; leave the key out", path)
            return
        if not self._type(node, schema, path):
            return
        self._values(node, schema, path)
        self._combined(node, schema, path)
        if self.tree.is_map(node):
            self._object(node, schema, path, root, known)
        elif self.tree.is_list(node):
            self._array(node, schema, path, known)

    def _resolved(self, schema: Schema) -> Schema:
        for _ in range(20):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            found = self.components.get(reference.rpartition("/")[2])
            if not isinstance(found, Mapping):
                return {}
            schema = found
        return schema

    def _type(self, node: int, schema: Schema, path: tuple[Step, ...]) -> bool:
        wanted = schema.get("type")
        either = schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string"
        value = self.tree.scalar(node) if self.tree.is_scalar(node) else None
        if either:
            if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
                return True
            self.add("error", node, f"must be a whole number or text, not {self._shown(node)}", path)
            return False
        if not isinstance(wanted, str) or self._is(wanted, node, value):
            return True
        word = _TYPES.get(wanted, wanted)
        hint = " (put it in quotes)" if wanted == "string" and self.tree.is_scalar(node) else ""
        self.add("error", node, f"must be {word}, not {self._shown(node)}{hint}", path)
        return False

    def _is(self, wanted: str, node: int, value: Any) -> bool:
        if wanted == "object":
            return self.tree.is_map(node)
        if wanted == "array":
            return self.tree.is_list(node)
        if not self.tree.is_scalar(node):
            return False
        if wanted == "string":
            return isinstance(value, str)
        if wanted == "boolean":
            return isinstance(value, bool)
        if isinstance(value, bool):
            return False
        if wanted == "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return isinstance(value, int | float) if wanted == "number" else True

    def _shown(self, node: int) -> str:
        if self.tree.is_map(node):
            return "a mapping"
        if self.tree.is_list(node):
            return "a list"
        value = self.tree.scalar(node)
        word = {bool: "the boolean", int: "the number", float: "the number", str: "the text"}.get(type(value), "")
        shown = _json(value)
        return f"{word} {shown if len(shown) <= 40 else shown[:39] + '…'}"

    def _values(self, node: int, schema: Schema, path: tuple[Step, ...]) -> None:
        if not self.tree.is_scalar(node):
            return
        value = self.tree.scalar(node)
        allowed = schema.get("enum")
        if isinstance(allowed, list) and not any(yamlvalue.same(value, each) for each in allowed):
            close = difflib.get_close_matches(str(value), [str(each) for each in allowed], 1)
            words = ", ".join(_json(each) for each in allowed[:12]) + (", …" if len(allowed) > 12 else "")
            self.add("error", node, f"must be one of {words}" + (f"; did you mean {close[0]}?" if close else ""), path)
        if isinstance(value, str):
            for message in _text_problems(value, schema):
                self.add("error", node, message, path)
            self._pattern(node, value, schema, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            for message in _number_problems(value, schema):
                self.add("error", node, message, path)

    def _pattern(self, node: int, value: str, schema: Schema, path: tuple[Step, ...]) -> None:
        written = schema.get("pattern")
        if not isinstance(written, str):
            return
        pattern: Pattern | None = compile_pattern(written)
        if pattern is None or not pattern.affordable(value):
            self.add("warning", node, f"not checked against the pattern {written[:80]}, too much for fleet", path)
        elif not pattern.search(value):
            self.add("error", node, f"must match {written[:200]}", path)

    def _combined(self, node: int, schema: Schema, path: tuple[Step, ...]) -> None:
        for part in _schemas(schema.get("allOf")):
            self.visit(node, part, path, known=bool(part.get("$ref")))
        for key, least, most in (("anyOf", 1, None), ("oneOf", 1, 1)):
            parts = _schemas(schema.get(key))
            if parts and not schema.get("x-kubernetes-int-or-string"):
                tries = [self._errors(node, part, path) for part in parts]
                passed = sum(not tried for tried in tries)
                if passed < least:
                    best = min(tries, key=len)
                    self.add("error", node, f"fits none of {len(parts)} alternatives: {best[0].message}", path)
                elif most is not None and passed > most:
                    self.add("error", node, f"fits {passed} alternatives, exactly one is allowed", path)
        forbidden = schema.get("not")
        if isinstance(forbidden, Mapping) and forbidden and not self._errors(node, forbidden, path):
            self.add("error", node, "is what the schema rules out", path)

    def _errors(self, node: int, schema: Schema, path: tuple[Step, ...]) -> list[Problem]:
        trial = _Walk(self.session)
        trial.components = self.components
        trial.visit(node, schema, path, known=False)
        return [problem for problem in trial.out if problem.severity == "error"]

    def _object(self, node: int, schema: Schema, path: tuple[Step, ...], root: bool, known: bool) -> None:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        more = schema.get("additionalProperties")
        pairs = dict(self._pairs(node))
        for name in schema.get("required") or ():
            if name not in pairs:
                self.add("error", node, f"{name} is missing", (*path, name), self._key_of(node))
        self._count(node, len(pairs), schema, path, "Properties", "keys")
        embedded = root or schema.get("x-kubernetes-embedded-resource")
        for name, (key, value) in pairs.items():
            part = properties.get(name)
            inner = (*path, name)
            if isinstance(part, Mapping):
                self.visit(value, part, inner, known=known)
            elif isinstance(more, Mapping):
                self.visit(value, more, inner, known=known)
            elif not (
                not known
                or more
                or (not properties and more is not False)
                or schema.get("x-kubernetes-preserve-unknown-fields")
                or (embedded and name in _OBJECT_KEYS)
            ):
                close = difflib.get_close_matches(name, list(properties), 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                self.add("warning", value, f"unknown field, which the API server drops{hint}", inner, key)

    def _pairs(self, node: int) -> Iterator[tuple[str, tuple[int, int]]]:
        """(name, (key, value)) of a mapping, what << brings in included."""
        for key, value in self.tree.pairs(node):
            if self.tree.is_merge(key):
                for source in self.tree.merges(value):
                    yield from self._pairs(source)
        for key, value in self.tree.pairs(node):
            name = self.tree.key_text(key)
            if name is not None and not self.tree.is_merge(key):
                yield name, (key, value)

    def _key_of(self, node: int) -> int:
        """The key in front of a mapping, for messages about what it lacks; -1 for items and the root."""
        before = node - 1
        return before if before > self.tree.root and self.tree.is_scalar(before) and self._is_key(before, node) else -1

    def _is_key(self, key: int, node: int) -> bool:
        colon = self.tree.colon(key)
        return 0 < colon <= self.tree.start(node)

    def _array(self, node: int, schema: Schema, path: tuple[Step, ...], known: bool) -> None:
        items = list(self.tree.items(node))
        self._count(node, len(items), schema, path, "Items", "items")
        part = schema.get("items")
        if isinstance(part, Mapping):
            for index, item in enumerate(items):
                self.visit(item, part, (*path, index), known=known)
        keys = schema.get("x-kubernetes-list-map-keys")
        kind = schema.get("x-kubernetes-list-type")
        if kind not in ("map", "set") and not schema.get("uniqueItems"):
            return
        seen: set[str] = set()
        for index, item in enumerate(items):
            value = self.tree.value(item)
            if kind == "map" and isinstance(keys, list):
                if not isinstance(value, Mapping):
                    continue
                value = [value.get(key) for key in keys]
            mark = _json(value)
            if mark in seen:
                self.add("error", item, f"stands in this list twice: {mark[:60]}", (*path, index))
            seen.add(mark)

    def _count(self, node: int, size: int, schema: Schema, path: tuple[Step, ...], word: str, plural: str) -> None:
        least, most = schema.get(f"min{word}"), schema.get(f"max{word}")
        if isinstance(least, int) and size < least:
            self.add("error", node, f"needs at least {least} {plural}, has {size}", path, self._key_of(node))
        if isinstance(most, int) and size > most:
            self.add("error", node, f"may have {most} {plural} at most, has {size}", path, self._key_of(node))


_TYPES = {
    "object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false", "integer": "a whole number",
    "number": "a number",
}  # fmt: skip


def _schemas(value: Any) -> list[Schema]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (ValueError, TypeError, msgspec.MsgspecError):
        return str(value)


def _text_problems(value: str, schema: Schema) -> Iterator[str]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int) and len(value) < least:
        yield "must not be empty" if least == 1 else f"needs at least {least} characters, has {len(value)}"
    if isinstance(most, int) and len(value) > most:
        yield f"may have {most} characters at most, has {len(value)}"


_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def _number_problems(value: int | float, schema: Schema) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float):
        strict = schema.get("exclusiveMinimum") is True
        if value < least or (strict and value == least):
            yield f"must be {'more than' if strict else 'at least'} {_json(least)}"
    if isinstance(most, int | float):
        strict = schema.get("exclusiveMaximum") is True
        if value > most or (strict and value == most):
            yield f"must be {'less than' if strict else 'at most'} {_json(most)}"
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and step > 0 and abs(value / step - round(value / step)) > 1e-9:
        yield f"must be a multiple of {_json(step)}"
    low, high = _RANGES.get(str(schema.get("format")), (value, value))
    if not low <= value <= high:
        yield f"does not fit {schema['format']}"
