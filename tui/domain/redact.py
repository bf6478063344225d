"""What is secret by where it stands, taken out: of objects before they are kept or shown, and of texts of others.

Secret are: the data of Secrets and what `kubectl apply` notes of it; the value beside or under a name that ends in
password, token, API key and the like (annotations, Helm parameters, environment variables, fields); the user part of
a URL with a password; private keys. A reference to such a value (`${...}`, a vault path) is none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

MASK = "++++++++"  # what Argo CD shows instead of a secret value
_HALF = 8192
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_ENDS = (
    r"(?:pass(?:word|wd|phrase)|token|api[-_.]?key|access[-_.]?key|secret[-_.]value|secret[-_]key|"
    r"(?:client|shared|app|api|oauth2?|jwt|session|cookie|webhook|hmac|signing|encryption)[-_.]?secret)"
)
_SAYS = re.compile(_ENDS + r"\Z", re.IGNORECASE)
_OPEN = re.compile(
    r"true|false|null|\d{1,2}|\$[({].*|\{\{.*|<path:.*|(?:vault|op|arn|sm|awssm|ref\+\w+):.*|" + re.escape(MASK),
    re.I | re.S,
)
_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20})://([^/?#\s\"'<>`]+)@")
_OPAQUE = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_~.+=-]{20,}")
_PEM = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_LINE = re.compile(r"""(?m)^([ \t]*(?:- {1,8})?["']?([\w.-]+)["']?[ \t]*:[ \t]+)(?![|>&*!#\[{])(\S.*?)([ \t]*)$""")
# Texts of programs: a scheme of HTTP authentication, `name=value`, JSON Web Tokens, tokens that say what they are.
_SAID = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)(?P<credential>[A-Za-z0-9._~+/=-]{8,})"
    r"|(?P<name>" + _ENDS + r"""["']?\s{0,3}(?:=|:)\s{0,3}["']?)(?P<value>[^\s"',;&]+)"""
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"
    r"|\b(?:gh[opusr]_|github_pat_|gl(?:pat|rt|dt)-|xox[abpr]-|k8s-aws-v1\.|ya29\.|sha256~|hvs\.)[A-Za-z0-9_~.-]{8,}",
    re.IGNORECASE,
)
_LONG = re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[A-Za-z0-9]{20,}")

# API servers write keys in this order, so each stretch is short; where they do not, the whole object is looked at.
_STRETCHES = ((b'"annotations":', b'"creationTimestamp":'), (b'"helm":', b'"repoURL":'))
_STEMS = (b"passw", b"passphrase", b"token", b"apikey", b"api-key", b"api_key", b"api.key", b"access", b"secret")
_USER = re.compile(rb'://[^/\s"]+@')


@lru_cache(maxsize=4096)
def says(name: str) -> bool:
    """Whether a name says that what stands under it is secret."""
    return _SAYS.search(name) is not None


def urls(text: str) -> str:
    """The text with the user part of its URLs masked: with http a user and password or a token, else the password."""
    return _URL.sub(_masked_url, text) if "@" in text and "://" in text else text


def _masked_url(found: re.Match[str]) -> str:
    scheme, info = found[1], found[2]
    user, colon, _ = info.partition(":")
    if not colon:
        opaque = scheme.lower() in ("http", "https") and _OPAQUE.fullmatch(user)
        return f"{scheme}://{MASK}@" if opaque else found[0]
    if scheme.lower() in ("http", "https"):  # GitHub takes a token for the user and anything for the password
        return f"{scheme}://{MASK}@"
    return f"{scheme}://{user}:{MASK}@"


def words(text: str) -> str:
    """A text that a program or server wrote, for a message or a log: what looks like a credential is masked.

    Of a very long text the first and the last 8,192 characters are kept.
    """
    if len(text) > 2 * _HALF:
        text = f"{text[:_HALF]} … {text[-_HALF:]}"
    return _SAID.sub(_masked_words, _PEM.sub(MASK, urls(text)))


def _masked_words(found: re.Match[str]) -> str:
    kept: str = found["scheme"] or found["name"] or ""
    if kept and found["name"] and _OPEN.fullmatch(found["value"]):
        return found[0]
    return kept + MASK


def said(text: str, known: tuple[str, ...] = ()) -> str:
    """What a program that handles credentials wrote: `known` ones and anything long and opaque are masked too."""
    for secret in known:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    return _LONG.sub(MASK, words(text))


def plain(value: Any, secret: bool = False) -> Any:
    """An object as plain values, masked; the very same object when nothing in it is secret.

    `secret` says that it is (the metadata of) a Secret, whatever its kind reads.
    """
    if isinstance(value, dict) and (secret or (value.get("kind") == "Secret" and value.get("apiVersion") == "v1")):
        value = _of_secret(value)
    return _walk(value, "")


def _of_secret(found: dict[str, Any]) -> dict[str, Any]:
    """A Secret with its keys but without their values."""
    result = dict(found)
    for part in ("data", "stringData"):
        if isinstance(found.get(part), dict):
            result[part] = dict.fromkeys(found[part], MASK)
    metadata = found.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        result["metadata"] = {**metadata, "annotations": {**annotations, LAST_APPLIED: MASK}}  # type: ignore[dict-item]
    return result


def _walk(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return _text(value, name)
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        items = [_walk(item, "") for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _mapping(value: dict[str, Any]) -> dict[str, Any]:
    result = value
    for key, held in value.items():
        if key == "headerMatches":  # rules of network policies: what they compare with decides what passes
            continue
        new = _walk(held, key)
        if new is not held:
            result = dict(value) if result is value else result
            result[key] = new
    pair = value.get("name"), value.get("value")
    if isinstance(pair[0], str) and isinstance(pair[1], str) and says(pair[0]) and not _is_open(pair[1]):
        result = {**result, "value": MASK}
    return result


def _is_open(value: str) -> bool:
    return not value or _OPEN.fullmatch(value) is not None


def _text(value: str, name: str) -> str:
    if name == LAST_APPLIED:
        return _applied(value)
    if name and says(name):
        return value if _is_open(value) else MASK
    if (name == "values" and "\n" in value) or (": " in value and name == "values"):  # Helm values as YAML
        value = _LINE.sub(_masked_line, value)
    if "PRIVATE KEY-----" in value:
        value = _PEM.sub(MASK, value)
    return urls(value)


def _masked_line(found: re.Match[str]) -> str:
    value = found[3].strip("\"'")
    return found[0] if not says(found[2]) or _is_open(value) else f"{found[1]}{MASK}"


def _applied(text: str) -> str:
    """An object that stands as JSON in an annotation."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return MASK
    new = plain(found)
    return text if new is found else msgspec.json.encode(new).decode() + "\n"


def whole(raw: bytes, secret: bool = False) -> bytes:
    """An object as JSON that was asked for by itself, masked as by `plain`. Raises msgspec.DecodeError."""
    found = msgspec.json.decode(raw)
    new = plain(found, secret)
    return raw if new is found else msgspec.json.encode(new)


def data(raw: bytes) -> bytes:
    """An object as JSON, before it is kept: the same bytes, looked at quickly, when nothing in it is secret.

    Looked at are URLs, annotations, pairs of name and value, and Helm values; `plain` is for what is shown.
    """
    if not _suspicious(raw):
        return raw
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _USER.sub(b"://" + MASK.encode() + b"@", raw)  # what can be decoded of it is kept
    new = plain(found)
    return raw if new is found else msgspec.json.encode(new)


def _suspicious(raw: bytes) -> bool:
    if b"@" in raw and _USER.search(raw):
        return True
    for begins, ends in _STRETCHES:
        at = raw.find(begins)
        while at >= 0:
            end = raw.find(ends, at)
            stretch = raw[at : end if end >= 0 else len(raw)].lower()
            if any(stem in stretch for stem in _STEMS):
                return True
            at = raw.find(begins, at + len(stretch))
    at = raw.find(b'","value":')  # the end of the name beside it
    while at >= 0:
        if says(raw[raw.rfind(b'"', 0, at) + 1 : at].decode("utf-8", "replace")):
            return True
        at = raw.find(b'","value":', at + 1)
    return False
