"""What a YAML scalar means, and how a value is written so that every reader means the same.

Three families read the manifests of a fleet: Go (kubectl, Argo CD, Helm: YAML 1.1 with changes), YAML 1.1 (PyYAML) and
YAML 1.2 (most others). They disagree on `y`, `08`, `1e3`, `12:30`, `0o644`, dates and more. A value is typed as Go
types it, since that is what reaches the cluster; and it is only ever written in a spelling on which all three agree.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import yaml

Scalar = None | bool | int | float | str

INT_MIN, INT_MAX = -(2**63), 2**63 - 1  # beyond, Go hands on a float

_GO_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_GO_INT = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")

_CORE_WORDS: dict[str, Scalar] = {
    word: value
    for word, value in _GO_WORDS.items()
    if word in ("", "~") or word.lower().lstrip("+-") in ("null", "true", "false", ".inf", ".nan")
}
_CORE_INT = re.compile(r"[-+]?[0-9]+\Z")
_CORE_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")

_LONGEST_NUMBER = 400  # characters; anything longer is text to every reader that matters here


class Foreign:
    """A reading that is no JSON value (a date, a merge key, an error): equal to nothing."""

    __slots__ = ()


FOREIGN = Foreign()


def kubectl(text: str) -> Scalar:
    """What Go's YAML (sigs.k8s.io/yaml, used by kubectl and Argo CD) reads in an unquoted scalar.

    Dates and times of day are strings there; `y`, `on` and their kin are booleans; infinities and NaN are floats
    (kubectl then refuses them, because JSON has none).
    """
    if text in _GO_WORDS:
        return _GO_WORDS[text]
    if not text or len(text) > _LONGEST_NUMBER:
        return text
    first = text[0]
    if first == ".":
        return _number(text, text) if _DOT_FLOAT.match(text) else text
    if first not in "0123456789+-":
        return text
    return _go_number(text)


def _go_number(text: str) -> Scalar:
    bare = text.replace("_", "")
    found = _GO_INT.match(bare)
    if found:
        sign, hexadecimal, binary, octal, decimal = found.groups()
        digits, base = next(
            (group, base)
            for group, base in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10))
            if group is not None
        )
        value = int(digits, base) * (-1 if sign == "-" else 1)
        if INT_MIN <= value <= INT_MAX:
            return value
        if not sign and value < 2**64:
            return float(value)  # an unsigned integer, which JSON decoding in Go turns into a float
    if _FLOAT.match(bare):
        return _number(bare, text)
    return text


def _number(digits: str, otherwise: str) -> Scalar:
    value = float(digits)
    return otherwise if math.isinf(value) else value


def _core(text: str) -> Scalar:
    """The YAML 1.2 core schema's reading."""
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _CORE_INT.match(text):
        return int(text)
    if _CORE_BASED.match(text):
        return int(text, 0)
    return float(text) if _FLOAT.match(text) else text


_RESOLVER = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_JSON_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")}


def _yaml11(text: str) -> Scalar | Foreign:
    """PyYAML's reading; FOREIGN for dates, `=`, `<<` and what it cannot construct."""
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    if tag not in _JSON_TAGS:
        return FOREIGN
    if tag == "tag:yaml.org,2002:str":
        return text
    try:
        value: Any = _CONSTRUCTOR.construct_object(yaml.ScalarNode(tag, text))
    except (ValueError, yaml.YAMLError):
        return FOREIGN
    return value


def same(left: object, right: object) -> bool:
    """Equal in type and value: 1, 1.0 and True are three things; a NaN equals a NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right) or (left != left and right != right)


@lru_cache(maxsize=4096)
def _agreed(text: str) -> tuple[bool, Scalar]:
    value = kubectl(text)
    return same(value, _core(text)) and same(value, _yaml11(text)), value


def agrees(text: str, value: Scalar) -> bool:
    """Whether Go, YAML 1.1 and YAML 1.2 all read the unquoted `text` as `value`."""
    agreed, reading = _agreed(text)
    return agreed and same(reading, value)


def spell(value: Scalar) -> str:
    """The unquoted spelling of null, a boolean or a number that every reader agrees on.

    Raises ValueError for what JSON cannot hold or Go would read otherwise: infinities, NaN, integers beyond 64 bits.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if not INT_MIN <= value <= INT_MAX:
            raise ValueError("the integer does not fit 64 bits: kubectl would read it as a float")
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("infinity and NaN cannot be sent to Kubernetes")
        text = repr(value)
        return text if "." in text else text.replace("e", ".0e")
    raise ValueError("a string has no spelling of its own; it is quoted or plain")


# What may stand in a plain scalar at all, kept narrower than any of the grammars.
_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-:?](?=[^\s,\[\]{}])")
_PLAIN_STOP = re.compile(r":(?:\s|\Z)|\s#|[\n\t]")
_FLOW_STOP = re.compile(r"[,\[\]{}?]|\A[-?:]")  # Go ends a plain scalar in flow style at `?`


def printable(text: str) -> bool:
    """Whether the text can stand unescaped in every YAML version: no controls, no surrogates, no odd line breaks.

    Bidirectional controls count as unprintable, so that they are always written, and seen, as escapes.
    """
    return not _UNPRINTABLE.search(text)


def plain(text: str, flow: bool = False) -> bool:
    """Whether a string may be written unquoted: legal in all grammars and read as that string by all readers."""
    if not _PLAIN_START.match(text) or text[-1].isspace() or _PLAIN_STOP.search(text) or not printable(text):
        return False
    if flow and _FLOW_STOP.search(text):
        return False
    return not text.startswith(("---", "...")) and agrees(text, text)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_TO_ESCAPE = re.compile(f'["\\\\\n\t]|{_UNPRINTABLE.pattern}')


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("the text holds half a surrogate pair, which no encoding of a file can hold")
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def double(text: str) -> str:
    """The text in double quotes, on one line. Raises ValueError for a lone surrogate."""
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def json_string(text: str) -> str:
    """The text as a JSON string that YAML readers read alike. Raises ValueError for a lone surrogate."""
    return '"' + _TO_ESCAPE.sub(_escape_json, text) + '"'


def _escape_json(found: re.Match[str]) -> str:
    escaped = _escape(found)
    return f"\\u{ord(found[0]):04X}" if escaped.startswith(("\\x", "\\0")) else escaped


def single(text: str) -> str | None:
    """The text in single quotes; None when it needs escapes or more than one line."""
    if "\n" in text or "\t" in text or not printable(text):
        return None
    return "'" + text.replace("'", "''") + "'"
