"""Noisy YAML documents, and an independent idea of what an edit must do: PyYAML's composed nodes as plain data."""

from __future__ import annotations

from random import Random
from typing import Any

import yaml

KEYS = ("name", "image", "a", "b-c", "x.y/z", "on", "8080", "key with space", "métadonnées", "spec", "zz", "'q'", "é{")
WORDS = (
    "web", "nginx:1.27", "true", "yes", "0o644", "08", "1e3", "12:30", "2024-01-01", "null", "~", "", "-",
    "- x", "a: b", "a #b", "#x", "&a", "*a", "!t", "|", ">", "%d", "@x", "`y", "'", '"', "a'b", 'a"b', "\\",
    "{{ x }}", "[x", "x]", "a,b", " lead", "trail ", "tab\there", "line\nbreak", "two\n\nlines\n", "\n",
    "  indented\nless\n", "é", "日本", "😀", "\u2028", "\ufeff", "\x07", "\x85", "\u202e", "<<", "=", "1_000",
    "0x1F", ".5", ".inf", "-1", "--- x", "...", "? x", ": y", "a:", "http://x/y?z=1#f", "very long " * 30, "n",
    "Off", "1.0", "+1", "٣", "a\\nb", "x  y", "---", "key: value\nother: #1\n",
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (0, 1, -7, 10**18, 1.5, -0.25, 1e21, 1e-9, True, False, None)
COMMENTS = ("", "", "", " # note", "  # a: b", " #", " # 'é' - x")


def value(random: Random, depth: int = 2) -> Any:
    """A value to write: scalars of every kind, now and then a collection."""
    kind = random.random()
    if depth and kind < 0.15:
        return {random.choice(KEYS): value(random, depth - 1) for _ in range(random.randrange(3))}
    if depth and kind < 0.3:
        return [value(random, depth - 1) for _ in range(random.randrange(3))]
    return random.choice(NUMBERS) if kind < 0.5 else random.choice(WORDS)


class Writer:
    """Writes a document with every habit found in the wild, different ones in each place."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.newline = random.choice(("\n", "\n", "\n", "\r\n"))
        self.step = random.choice((2, 2, 2, 4, 1, 3))
        self.dash = random.choice((0, 2))
        self.anchors: list[str] = []
        self.noisy = random.random() < 0.6
        self.alias = random.random() < 0.2

    def comment(self) -> str:
        return self.random.choice(COMMENTS) if self.noisy else ""

    def between(self, indent: int) -> list[str]:
        if not self.noisy or self.random.random() < 0.8:
            return []
        return [
            self.random.choice(
                ("", " " * indent + "# own line", "# at the margin", " " * (indent + 3) + "# deep", "   ")
            )
        ]

    def scalar(self, flow: bool = False) -> str:
        random = self.random
        if self.anchors and not flow and random.random() < 0.2:
            return "*" + random.choice(self.anchors)
        word = random.choice(WORDS)
        style = random.random()
        if style < 0.25:
            return random.choice(
                ("1", "3.5", "true", "null", "~", "yes", "0o17", "2024-01-01", "12:30:00", "1e3", "abc")
            )
        if style < 0.5 and word.isprintable() and "'" not in word:
            return f"'{word}'"
        if style < 0.6 and word.isascii() and word.isalnum():
            return word
        return yaml.safe_dump(word, default_style='"', width=10**6, allow_unicode=True).strip()

    def flow(self, depth: int) -> str:
        random = self.random
        if depth <= 0 or random.random() < 0.4:
            return self.scalar(True)
        parts = [self.flow(depth - 1) for _ in range(random.randrange(4))]
        comma, pad = random.choice((", ", ",", " , ")), random.choice(("", " "))
        if random.random() < 0.5:
            return "[" + pad + comma.join(parts) + random.choice(("", "," if parts else "")) + pad + "]"
        keys = random.sample(KEYS, len(parts))
        return (
            "{"
            + pad
            + comma.join(f"{self.key(key)}: {part}" for key, part in zip(keys, parts, strict=True))
            + pad
            + "}"
        )

    def key(self, key: str) -> str:
        if not key.isascii() or "'" in key or "{" in key or self.random.random() < 0.2:
            return '"' + key + '"'
        return key

    def block_scalar(self, indent: int) -> list[str]:
        random = self.random
        lines = [
            " " * indent + random.choice(("text", "a: b", "# not a comment", "- x", "é 日本"))
            for _ in range(random.randrange(1, 4))
        ]
        lines[1:1] = random.choice(([], [], [""], [" " * (indent + 2) + "more"]))
        tail = random.choice(([], [], [""], ["", ""]))
        return [random.choice("|>") + random.choice(("", "-", "+")) + random.choice(("", " # why")), *lines, *tail]

    def node(self, indent: int, depth: int) -> tuple[str, list[str]]:
        """What stands behind `key:` or `-`, and the lines below."""
        random = self.random
        kind = random.random()
        mark = ""
        if self.alias and random.random() < 0.2:
            mark = f" &n{len(self.anchors)}"
        if depth <= 0 or kind < 0.4:
            head, below = f" {self.scalar()}{self.comment()}", []
            if head.startswith(" *"):
                mark = ""
        elif kind < 0.5:
            first, *below = self.block_scalar(indent + self.step)
            head = " " + first
        elif kind < 0.6:
            head, below = f" {self.flow(2)}{self.comment()}", []
        elif kind < 0.65:
            head, below = self.comment(), []
        elif kind < 0.85:
            head, below = self.comment(), self.mapping(indent + self.step, depth - 1)
        else:
            head, below = self.comment(), self.sequence(indent + self.dash, depth - 1)
        if mark and "*" not in head:
            self.anchors.append(mark[2:])
            head = mark + head
        return head, below

    def mapping(self, indent: int, depth: int) -> list[str]:
        out = []
        for key in self.random.sample(KEYS, self.random.randrange(1, 5)):
            out += self.between(indent)
            head, below = self.node(indent, depth)
            out += [" " * indent + self.key(key) + self.random.choice(("", "", "", " ")) + ":" + head, *below]
        return out

    def sequence(self, indent: int, depth: int) -> list[str]:
        out = []
        for _ in range(self.random.randrange(1, 4)):
            out += self.between(indent)
            kind = self.random.random()
            if depth > 0 and kind < 0.5:
                inner = self.mapping(indent + 2, depth - 1)
            elif depth > 0 and kind < 0.6:
                inner = self.sequence(indent + 2, depth - 1)
            else:
                out.append(" " * indent + f"- {self.scalar()}{self.comment()}")
                continue
            while inner and (not inner[0].strip() or inner[0].lstrip().startswith("#")):
                inner.pop(0)
            out += [" " * indent + "- " + inner[0][indent + 2 :], *inner[1:]]
        return out

    def document(self) -> list[str]:
        self.anchors = []
        if self.random.random() < 0.1:
            return [self.flow(3)]
        if self.random.random() < 0.1:
            return self.sequence(0, 3)
        return [*self.between(0), *self.mapping(0, 3), *self.between(0)]


def text(random: Random) -> str:
    """A file of one to three documents; it may turn out not to be valid YAML."""
    writer = Writer(random)
    parts = [writer.document() for _ in range(random.choice((1, 1, 1, 2, 3)))]
    lines: list[str] = []
    for index, part in enumerate(parts):
        if index or random.random() < 0.2:
            lines.append(random.choice(("---", "---", "--- # next")))
        lines += part
        if random.random() < 0.05:
            lines.append("...")
    out = writer.newline.join(lines) + ("" if random.random() < 0.25 else writer.newline)
    return ("\ufeff" if random.random() < 0.1 else "") + out


# ---- the oracle: nodes as plain data, (tag, content), with what PyYAML resolves


def compose(source: str) -> list[Any] | None:
    """Every document that holds something as plain data; None when the pure or the C parser refuses the text."""
    try:
        nodes = list(yaml.compose_all(source.removeprefix("\ufeff"), Loader=yaml.CSafeLoader))
        return [model(node) for node in nodes if node is not None and not empty(node)]
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.start_mark.index == node.end_mark.index


def model(node: yaml.Node) -> Any:
    """(tag, value) of a scalar, (tag, [items]), (tag, [(key, value)]); aliases repeat what they stand for."""
    if isinstance(node, yaml.ScalarNode):
        return (node.tag, node.value)
    if isinstance(node, yaml.SequenceNode):
        return (node.tag, [model(item) for item in node.value])
    return (node.tag, [(model(key), model(part)) for key, part in node.value])


def intended(new: Any) -> Any:
    """The data that PyYAML must compose for a new value."""
    tag = "tag:yaml.org,2002:"
    if isinstance(new, dict):
        return (tag + "map", [((tag + "str", key), intended(part)) for key, part in new.items()])
    if isinstance(new, list):
        return (tag + "seq", [intended(part) for part in new])
    if isinstance(new, str):
        return (tag + "str", new)
    name = {type(None): "null", bool: "bool", int: "int", float: "float"}[type(new)]
    return (tag + name, new)


def equal(found: Any, wanted: Any, loose: bool = False) -> bool:
    """Whether composed data is what was intended: scalars that are no strings are compared by value.

    `loose`: a mapping that took another value may keep its own order, and keys as they were written (`8080:`).
    """
    if found[0] != wanted[0]:
        return False
    if not isinstance(found[1], list):
        return bool(found[1] == wanted[1] if isinstance(wanted[1], str) else yaml.safe_load(found[1]) == wanted[1])
    if not isinstance(wanted[1], list) or len(found[1]) != len(wanted[1]):
        return False
    if not found[0].endswith("map"):
        return all(equal(f, w, loose) for f, w in zip(found[1], wanted[1], strict=True))
    left, right = found[1], wanted[1]
    if loose:
        left, right = (sorted(pairs, key=lambda pair: str(pair[0][1])) for pairs in (left, right))
    return all(
        (f[0][1] == w[0][1] if loose else equal(f[0], w[0])) and equal(f[1], w[1], loose)
        for f, w in zip(left, right, strict=True)
    )


def is_map(data: Any) -> bool:
    return isinstance(data[1], list) and data[0].endswith(":map")


def is_list(data: Any) -> bool:
    return isinstance(data[1], list) and not data[0].endswith(":map")


def paths(data: Any, steps: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in composed data, the root's included."""
    out = [steps]
    if is_map(data):
        for key, part in data[1]:
            if isinstance(key[1], str):
                out += paths(part, (*steps, key[1]))
    elif is_list(data):
        for index, part in enumerate(data[1]):
            out += paths(part, (*steps, index))
    return out


def at(data: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        data = data[1][step] if isinstance(step, int) else next(part for key, part in data[1] if key[1] == step)
    return data


def changed(data: Any, steps: tuple[str | int, ...], new: Any) -> Any:
    """The data with another value at a path; None takes the entry away."""
    if not steps:
        return new
    step, rest = steps[0], steps[1:]
    tag, parts = data
    out = []
    done = False
    for index, part in enumerate(parts):
        hit = not done and (index == step if isinstance(step, int) else part[0][1] == step)
        if not hit:
            out.append(part)
            continue
        done = True
        inner = changed(part if isinstance(step, int) else part[1], rest, new)
        if inner is not None:
            out.append(inner if isinstance(step, int) else (part[0], inner))
    return (tag, out)
