"""YAML and unified diffs, line by line: which part of a line is what. Only lines in view are ever looked at.

A line is enough except inside a block scalar, which is found by looking back along the indentation. Every expression
is linear, because the text is foreign.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Span = tuple[int, int, str]  # start, end, part; what no span covers is plain

PARTS = ("key", "string", "number", "constant", "comment", "mark", "anchor", "added", "removed", "hunk", "file")
LOOK_BACK = 2_000  # lines; a block scalar longer than this is highlighted as YAML

_LEAD = re.compile(r"[ ]*(?:-[ ]+)*(?:-(?=$|[ ]))?")
_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'[^']*'"""
    r"""|(?:[^\s\-#:{}\[\],&*!|>'"%@`?]|[?:\-](?=\S))(?:[^:#\n]|:(?!\s|$)|(?<!\s)\#)*)"""
    r""":(?=\s|$)"""
)
_LONGEST_SCALAR = 64  # a number or constant is no longer than this
_LONGEST_HEADER = 500  # a line that opens a block scalar is no longer than this
_NUMBER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?|\.inf|\.nan)\Z")
_CONSTANT = re.compile(r"(?:true|false|null|~|yes|no|on|off)\Z", re.IGNORECASE)
_TOKEN = re.compile(
    r"""(?P<comment>(?:^|(?<=\s))\#.*)"""
    r"""|(?P<string>"(?:[^"\\]|\\.)*"?|'[^']*'?)"""
    r"""|(?P<anchor>(?:(?<=\s)|^)(?:[&*][^\s,\[\]{}]+|![^\s,\[\]{}]*))"""
    r"""|(?P<mark>[{}\[\],]|(?:(?<=\s)|^)[|>][-+0-9]*(?=\s*(?:\#|$)))"""
    r"""|(?P<word>[^\s,\[\]{}"'\#]+)"""
)
_BLOCK = re.compile(r"(?:^|.*[\s:])[|>][-+0-9]{0,3}\s*(?:\s\#.*)?$")


def yaml_spans(line: str, in_block: bool = False) -> list[Span]:
    """The parts of one line of YAML; a line inside a block scalar is all string."""
    if in_block:
        return [(len(line) - len(line.lstrip(" ")), len(line), "string")] if line.strip() else []
    if line.startswith(("---", "...")) and (len(line) == 3 or line[3] == " "):
        return [(0, 3, "mark"), *_value_spans(line, 3)]
    if line.startswith("%"):
        return [(0, len(line), "mark")]
    spans: list[Span] = []
    lead = _LEAD.match(line)
    at = lead.end() if lead else 0
    spans += [(index, index + 1, "mark") for index in range(at) if line[index] == "-"]
    key = _KEY.match(line, at)
    if key is not None:
        spans.append((key.start(1), key.start(1) + len(key[1].rstrip()), "key"))
        spans.append((key.end() - 1, key.end(), "mark"))
        at = key.end()
    return spans + _value_spans(line, at)


def _value_spans(line: str, at: int) -> list[Span]:
    value = line[at:].strip()
    comment = value.find(" #")
    bare = value[:comment].rstrip() if comment >= 0 else value
    if _is_scalar(bare):
        start = line.index(bare, at)
        spans: list[Span] = [(start, start + len(bare), "number" if bare[-1].isdigit() else "constant")]
        if comment >= 0:
            spans.append((line.index(" #", start) + 1, len(line), "comment"))
        return spans
    spans = []
    flow = value.startswith(("{", "["))
    for token in _TOKEN.finditer(line, at):
        part = token.lastgroup or ""
        if part == "word":
            if not flow:
                continue
            word = token.group()
            if word.endswith(":"):
                spans.append((token.start(), token.end() - 1, "key"))
            elif _is_scalar(word):
                spans.append((token.start(), token.end(), "number"))
            continue
        if part == "mark" and not flow and token.group() in "{}[],":
            continue  # punctuation inside a plain scalar
        if part == "string" and not flow and line[at : token.start()].strip():
            continue  # a quote inside a plain scalar
        spans.append((token.start(), token.end(), part))
    return spans


def _is_scalar(word: str) -> bool:
    return len(word) <= _LONGEST_SCALAR and bool(_NUMBER.match(word) or _CONSTANT.match(word))


def block_indent(line: str) -> int | None:
    """Where a block scalar opened on this line: its content is indented deeper than this; None when none is opened."""
    if not line or (line[-1] not in "|>+-0123456789 " and "#" not in line):
        return None
    if len(line) > _LONGEST_HEADER or line.lstrip().startswith("#") or not _BLOCK.match(line):
        return None
    lead = _LEAD.match(line)
    at = lead.end() if lead else 0
    if _KEY.match(line, at):
        return at
    dash = line.rfind("-", 0, at)
    return max(dash, 0)


def in_block(lines: Callable[[int], str], index: int, memo: dict[int, bool]) -> bool:
    """Whether line `index` is inside a block scalar. `memo` keeps answers as long as the text stays the same."""
    known = memo.get(index)
    if known is not None:
        return known
    line = lines(index)
    depth = _indent(line)
    answer = False
    if depth is None:  # blank: as the next line that is not, which costs more than it is worth to find
        depth = 1 << 30
    for at in range(index - 1, max(-1, index - 1 - LOOK_BACK), -1):
        above = lines(at)
        indent = _indent(above)
        if indent is None:
            continue
        if indent < depth:
            opened = block_indent(above)
            if opened is not None and depth > opened:
                answer = True
                break
            depth = indent
        if indent == depth and at in memo:
            answer = memo[at]
            break
        if depth == 0:
            break
    if len(memo) > 20_000:
        memo.clear()
    memo[index] = answer
    return answer


def _indent(line: str) -> int | None:
    """Spaces in front; None for a blank line."""
    bare = line.lstrip(" ")
    return len(line) - len(bare) if bare else None


def diff_part(line: str) -> str:
    """What a line of a unified diff is: added, removed, hunk, file, or "" for context."""
    if line.startswith(("+++ ", "--- ", "diff ", "index ", "new file", "deleted file", "rename ", "similarity ")):
        return "file"
    if line.startswith("@@"):
        return "hunk"
    if line.startswith("+"):
        return "added"
    if line.startswith("-"):
        return "removed"
    return ""


_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def diff_lines(lines: list[str]) -> tuple[list[str], list[tuple[int, int]]]:
    """For each line of a unified diff: its part, and its line numbers before and after (0 = has none).

    A line that looks like a file header inside a hunk is what the hunk's counts say it is.
    """
    parts: list[str] = []
    numbers: list[tuple[int, int]] = []
    old = new = left = right = 0  # next numbers; lines still expected in this hunk
    for line in lines:
        if left > 0 or right > 0:
            first = line[:1]
            if first == "+":
                parts.append("added")
                numbers.append((0, new))
                new, right = new + 1, right - 1
            elif first == "-":
                parts.append("removed")
                numbers.append((old, 0))
                old, left = old + 1, left - 1
            elif first == "\\":
                parts.append("file")
                numbers.append((0, 0))
            else:
                parts.append("")
                numbers.append((old, new))
                old, new, left, right = old + 1, new + 1, left - 1, right - 1
            continue
        hunk = _HUNK.match(line)
        if hunk is not None:
            old, new = int(hunk[1]), int(hunk[3])
            left, right = int(hunk[2] or 1), int(hunk[4] or 1)
        parts.append("hunk" if hunk else "file" if diff_part(line) or line.startswith("\\") else "")
        numbers.append((0, 0))
    return parts, numbers
