"""Policy tests as people write them: suites of cases, read with the place of every mistake.

name: checkout
policies: [../policies/*.yaml]          # paths, globs, or objects
namespaces: {shop: {team: web}}
endpoints:
  web: {namespace: shop, labels: {app: web}, named_ports: {http/TCP: 8080}}
  office: {ip: 192.0.2.7}
settings: {version: "1.18"}
cases:
  - {name: web reaches itself, from: web, to: web, port: 8080, expect: allowed}
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import msgspec

from tui.domain.cilium import reading
from tui.domain.cilium.model import Endpoint, Flow, Request, Settings, Surroundings
from tui.domain.cilium.reading import NAME_LABEL, Placed
from tui.domain.cilium.suite import Case, Suite
from tui.domain.yamledit import Missing, Refused, Session, Step, documents, format_path

Load = Callable[[str], Sequence[tuple[str, str]]]
"""The files that a path or glob of a suite means: (path as told to people, text). Raises OSError or ValueError."""

WORDS = ("allowed", "denied", "unknown")
PROTOCOLS = {name.upper(): name for name in ("TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP")}
_SUITE = ("name", "policies", "namespaces", "endpoints", "settings", "cases")
_ENDPOINT = ("namespace", "labels", "ip", "named_ports")
_CASE = ("name", "from", "to", "port", "protocol", "http", "dns", "sni", "kafka", "expect", "denied_at")


def suites(text: str, file: str, load: Load) -> list[Suite]:
    """The suites of a file: one a YAML document; JSON may be a list of them. Empty documents count for nothing.

    Raises Refused, with file, line and column, for whatever is not as the format wants it.
    """
    made: list[Suite] = []
    try:
        found = _of_json(text) if file.endswith(".json") else _of_yaml(text)
        for value, path, places in found:
            made.append(_Reader(places, load).suite(_At(value, path), f"{file}#{len(made)}"))
        if not made:
            raise Refused("there is no suite in it", 1, 1)
    except Refused as error:
        raise error.at(error.file or file) from None
    return made


_Found = tuple[Any, tuple[Step, ...], "_Places"]  # a suite's value, its path in the document, where its parts stand


def _of_yaml(text: str) -> Iterator[_Found]:
    for document in documents(text):
        session = Session(text, document.index)
        yield from _each(session.value(""), partial(_same, session))


def _each(value: Any, session: Callable[[], Session]) -> Iterator[_Found]:
    if not isinstance(value, list):
        yield value, (), _Places(session)
        return
    for index, each in enumerate(value):
        yield each, (index,), _Places(session)


def _of_json(text: str) -> Iterator[_Found]:
    """The suites of a JSON text: each is looked at for places only when something is wrong with it.

    A list may be of any length, as its suites are read one by one.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise Refused("nested too deeply", 1, 1) from None
    if not isinstance(value, list):
        yield from _each(value, partial(Session, text))
        return
    for index, (each, (start, end)) in enumerate(zip(value, _elements(text), strict=True)):
        yield each, (index,), _Places(partial(_part, text, start, end), text, start)


def _same(session: Session) -> Session:
    return session


def _part(text: str, start: int, end: int) -> Session:
    return Session(text[start:end])


def _elements(text: str) -> Iterator[tuple[int, int]]:
    """Where each element of a JSON list begins and ends."""
    decode, blank = json.JSONDecoder().raw_decode, re.compile(r"[\s,]*")
    end = text.index("[") + 1
    while True:
        start = blank.match(text, end).end()  # type: ignore[union-attr]
        if text[start] == "]":
            return
        _, end = decode(text, start)
        yield start, end


class _Places:
    """Where the values of a suite stand. The text is parsed for it when the first place is asked for."""

    def __init__(self, session: Callable[[], Session], text: str = "", start: int = 0) -> None:
        """`text`, `start`: the session is of one element of a list, which begins there."""
        self._session, self._text, self._start = session, text, start

    def position(self, path: tuple[Step, ...]) -> tuple[int, int]:
        """Line and column of the value at a path of the whole document, or of what is nearest to it."""
        try:
            line, column = self._session().position(path[1:] if self._text else path, "value", nearest=True)
        except Missing:
            line, column = 1, 1
        if self._text and line == 1:
            column += self._start - self._text.rfind("\n", 0, self._start) - 1
        return line + self._text.count("\n", 0, self._start), column


class Known(NamedTuple):
    """Endpoints by name, and what decides with the policies, as a file of endpoints gives them."""

    endpoints: Mapping[str, Endpoint]
    surroundings: Surroundings


def known(text: str, file: str) -> Known:
    """The endpoints of a file: written as in a suite (`endpoints`, `namespaces`, `settings`), or Kubernetes objects.

    A document that is neither has the endpoints themselves as its keys. Raises Refused as `suites` does.
    """
    made: dict[str, Endpoint] = {}
    around = reading.bare()
    found: list[Placed] = []
    try:
        for document in documents(text):
            session = Session(text, document.index)
            value = session.value("")
            held = reading.unlisted(value)
            if held or (isinstance(value, Mapping) and "items" in value):
                found.extend(Placed(each, file, document.index, document.line) for each in held)
                continue
            reader = _Reader(_Places(partial(_same, session)), lambda path: ())
            around, more = reader.ends(_At(value, ()))
            made.update(more)
    except Refused as error:
        raise error.at(error.file or file) from None
    around = reading.surroundings(found, around)
    return Known({**reading.endpoints(found, around), **made}, around)


def target(word: str) -> tuple[int, str]:
    """(port or ICMP type, protocol) of `8080`, `8080/TCP`, `8/ICMP`. Raises ValueError."""
    number, slash, protocol = word.partition("/")
    name = PROTOCOLS.get(protocol.upper()) if slash else "TCP"
    if not number.isdigit() or int(number) > 65535:
        raise ValueError(f"{number!r} is no port; ports are 0 to 65535, as in 8080/TCP")
    if name is None:
        raise ValueError(f"{protocol!r} is no protocol; known are {', '.join(PROTOCOLS.values())}")
    return int(number), name


def address(word: str) -> str:
    """The word as an IP address; "" when it is none."""
    try:
        return str(ipaddress.ip_address(word))
    except ValueError:
        return ""


def close(word: str, names: Iterable[str]) -> str:
    """`; did you mean x?` when a name is close, else ""."""
    found = difflib.get_close_matches(word, list(names), 1)
    return f"; did you mean {found[0]}?" if found else ""


@dataclass(frozen=True, slots=True)
class _At:
    """A value, and the path to it."""

    value: Any
    path: tuple[Step, ...]

    def __getitem__(self, key: Any) -> _At:
        return _At(self.value[key], (*self.path, key))

    def items(self) -> Iterator[tuple[str, _At]]:
        """The entries of a mapping."""
        for key in self.value:
            yield str(key), self[key]

    def each(self) -> Iterator[_At]:
        """The items of a list."""
        for index in range(len(self.value)):
            yield self[index]

    def has(self, key: str) -> bool:
        """Whether a mapping gives a key a value."""
        return self.value.get(key) is not None


class _Reader:
    """Reads one document; every refusal names its place."""

    def __init__(self, places: _Places, load: Load) -> None:
        self._places = places
        self._load = load
        self._settings = Settings()
        self._namespaces: dict[str, dict[str, str]] = {}

    def fail(self, at: _At, reason: str) -> Refused:
        """A refusal at a value's place."""
        line, column = self._places.position(at.path)
        path = format_path(at.path)
        return Refused(f"{path}: {reason}" if path else reason, line, column)

    def suite(self, at: _At, otherwise: str) -> Suite:
        """One suite."""
        self._fields(at, _SUITE, "a suite")
        if not at.has("cases"):
            raise self.fail(at, "a suite needs `cases`")
        around, ends = self.ends(at)
        name = self._text(at["name"]) if at.has("name") else otherwise
        found = list(self._policies(at["policies"])) if at.has("policies") else []
        cases = tuple(self._case(each, ends, number) for number, each in enumerate(self._list(at["cases"]), 1))
        return Suite(name, reading.policies(found), reading.surroundings(found, around), cases)

    def ends(self, at: _At) -> tuple[Surroundings, dict[str, Endpoint]]:
        """What a suite says of its cluster, and its endpoints by name."""
        whole = self._map(at)
        if "endpoints" not in whole.value and "cases" not in whole.value:
            return reading.bare(), {name: self._endpoint(each, name) for name, each in whole.items()}
        if whole.has("settings"):
            self._settings = self._read_settings(self._map(whole["settings"]))
        if whole.has("namespaces"):
            for name, labels in self._map(whole["namespaces"]).items():
                given = {key: self._label(value) for key, value in self._map(labels).items()} if labels.value else {}
                self._namespaces[name] = {NAME_LABEL: name, **given}
        around = Surroundings(settings=self._settings, namespaces=self._namespaces, dns={})
        if not whole.has("endpoints"):
            return around, {}
        found = self._map(whole["endpoints"])
        return around, {name: self._endpoint(each, name) for name, each in found.items()}

    def _policies(self, at: _At) -> Iterator[Placed]:
        for each in self._list(at) if isinstance(at.value, list) else (at,):
            if isinstance(each.value, str):
                yield from self._files(each)
                continue
            held = self._map(each).value
            found = [Placed(one) for one in reading.unlisted(held)]
            if not found:
                raise self.fail(each, "neither a path nor an object with a `kind`")
            try:
                reading.policies(found)
            except Refused as error:
                raise self.fail(each, error.reason) from None
            yield from found

    def _files(self, at: _At) -> Iterator[Placed]:
        try:
            files = self._load(at.value)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise self.fail(at, f"{at.value} cannot be read: {reason}") from None
        if not files:
            raise self.fail(at, f"no file matches {at.value}")
        for path, text in files:
            yield from reading.objects(text, path)

    def _read_settings(self, at: _At) -> Settings:
        names = Settings.__struct_fields__
        self._fields(at, names, "settings")
        given: dict[str, Any] = {}
        for key, each in at.items():
            if each.value is None:
                continue
            if key == "version":
                given[key] = self._version(each)
            elif key == "cidr_match_mode" and isinstance(each.value, str):
                given[key] = tuple(each.value.replace(",", " ").split())
            else:
                given[key] = each.value
        if "version" in given:
            given.setdefault("default_local_cluster", given["version"] >= (1, 19))
        try:
            return msgspec.convert(given, Settings)
        except msgspec.ValidationError as error:
            reason, _, where = str(error).partition(" - at `$.")
            key = where.partition("`")[0].partition("[")[0]
            raise self.fail(at[key] if key in at.value else at, reason.removeprefix("Invalid ")) from None

    def _version(self, at: _At) -> tuple[int, int]:
        parts = str(at.value).removeprefix("v").split(".")
        if at.value == 1.2:
            raise self.fail(at, "write the version in quotes: without, 1.20 and 1.2 are the same number")
        if len(parts) < 2 or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts[:2]):
            raise self.fail(at, f'{_shown(at.value)} is no version of Cilium; write it like "1.18"')
        return int(parts[0]), int(parts[1])

    def _endpoint(self, at: _At, name: str) -> Endpoint:
        self._fields(at, _ENDPOINT, "an endpoint")
        namespace = self._text(at["namespace"]) if at.has("namespace") else ""
        labels = list(self._labels(at["labels"])) if at.has("labels") else []
        ip = ""
        if at.has("ip"):
            ip = address(str(at["ip"].value))
            if not ip:
                raise self.fail(at["ip"], f"{_shown(at['ip'].value)} is no IP address")
        made = reading.identity(labels, namespace, self._namespaces.get(namespace, {}), self._settings.cluster)
        if not made and not ip:
            raise self.fail(
                at, "an endpoint needs a namespace and labels, a reserved label such as reserved:host, or an ip"
            )
        ports = dict(self._named_ports(at["named_ports"])) if at.has("named_ports") else {}
        return Endpoint(made, name, ip, ports)

    def _labels(self, at: _At) -> Iterator[str]:
        if isinstance(at.value, list):
            for each in at.each():
                yield self._text(each)
            return
        for key, each in self._map(at).items():
            yield f"{key}={self._label(each)}"

    def _named_ports(self, at: _At) -> Iterator[tuple[str, int]]:
        for key, each in self._map(at).items():
            name, slash, protocol = key.partition("/")
            if slash and protocol.upper() not in PROTOCOLS:
                raise self.fail(each, f"{protocol} is no protocol; known are {', '.join(PROTOCOLS.values())}")
            yield f"{name}/{PROTOCOLS[protocol.upper()] if slash else 'TCP'}", self._number(each, 65535)

    def _case(self, at: _At, ends: Mapping[str, Endpoint], number: int) -> Case:
        self._fields(at, _CASE, "a case")
        for key in ("from", "to", "expect"):
            if not at.has(key):
                raise self.fail(at, f"a case needs `{key}`")
        expect = self._one_of(at["expect"], WORDS)
        denied_at = self._one_of(at["denied_at"], ("egress", "ingress")) if at.has("denied_at") else ""
        if denied_at and expect != "denied":
            raise self.fail(at["denied_at"], f"denied_at needs `expect: denied`, not {expect}")
        protocol = PROTOCOLS[self._one_of(at["protocol"], PROTOCOLS, str.upper)] if at.has("protocol") else "TCP"
        if at.has("port"):
            port = self._number(at["port"], 255 if protocol.startswith("ICMP") else 65535)
        elif protocol in ("TCP", "UDP", "SCTP"):
            raise self.fail(at, "a case needs `port`")
        else:
            port = 0
        flow = Flow(self._end(at["from"], ends), self._end(at["to"], ends), port, protocol, self._request(at))
        name = self._text(at["name"]) if at.has("name") else f"case {number}"
        return Case(name, flow, expect, denied_at)

    def _end(self, at: _At, ends: Mapping[str, Endpoint]) -> Endpoint:
        if isinstance(at.value, str):
            if at.value in ends:
                return ends[at.value]
            if found := address(at.value):
                return Endpoint((), at.value, found)
            raise self.fail(at, f"no endpoint is called {_shown(at.value)}{close(at.value, ends)}")
        return self._endpoint(at, "")

    def _request(self, at: _At) -> Request | None:
        given: dict[str, Any] = {}
        if at.has("http"):
            http = at["http"]
            self._fields(http, ("method", "path", "host", "headers"), "http")
            given = {key: self._text(http[key]) for key in ("method", "path", "host") if http.has(key)}
            # A request has a method and a path, even where a case leaves them out.
            given = {"method": "GET", "path": "/", **given}
            if http.has("headers"):
                given["headers"] = dict(self._headers(http["headers"]))
        if at.has("dns"):
            self._fields(at["dns"], ("query",), "dns")
            if not at["dns"].has("query"):
                raise self.fail(at["dns"], "dns needs `query`")
            given["dns"] = self._text(at["dns"]["query"])
        if at.has("sni"):
            given["sni"] = self._text(at["sni"])
        if at.has("kafka"):
            given["kafka"] = {key: self._label(each) for key, each in self._map(at["kafka"]).items()}
        return Request(**given) if given else None

    def _headers(self, at: _At) -> Iterator[tuple[str, str]]:
        if isinstance(at.value, list):
            for each in at.each():
                name, _, value = self._text(each).partition(":")
                yield name.strip(), value.strip()
            return
        for key, each in self._map(at).items():
            yield key, self._label(each)

    # -- forms -----------------------------------------------------------------------------------------------------

    def _map(self, at: _At) -> _At:
        if not isinstance(at.value, Mapping):
            raise self.fail(at, f"expected a mapping, found {_shown(at.value)}")
        return at

    def _list(self, at: _At) -> Iterator[_At]:
        if not isinstance(at.value, list):
            raise self.fail(at, f"expected a list, found {_shown(at.value)}")
        return at.each()

    def _fields(self, at: _At, names: Sequence[str], what: str) -> None:
        for key, each in self._map(at).items():
            if key not in names:
                raise self.fail(each, f"{what} has no field {_shown(key)}{close(key, names)}")

    def _text(self, at: _At) -> str:
        if not isinstance(at.value, str):
            raise self.fail(at, f"expected a text, found {_shown(at.value)}; put it in quotes")
        return at.value

    def _label(self, at: _At) -> str:
        """A label's value; numbers and booleans without quotes are what people write."""
        if isinstance(at.value, Mapping | list):
            raise self.fail(at, f"expected a text, found {_shown(at.value)}")
        if isinstance(at.value, bool | float):
            raise self.fail(at, f"{_shown(at.value)} is no text here; put what is meant in quotes")
        return "" if at.value is None else str(at.value)

    def _number(self, at: _At, most: int) -> int:
        value = int(at.value) if isinstance(at.value, str) and at.value.isdecimal() and len(at.value) < 6 else at.value
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.fail(at, f"expected a number from 0 to {most}, found {_shown(at.value)}")
        return value

    def _one_of(self, at: _At, words: Iterable[str], fold: Callable[[str], str] = str) -> str:
        word = fold(str(at.value))
        if word not in words:
            raise self.fail(at, f"expected {', '.join(words)}; found {_shown(at.value)}")
        return word


def _shown(value: Any) -> str:
    """A value in a message, in few characters."""
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:37]}…"
