"""Which cluster of fleet an Application's destination means: collect evidence, keep all candidates, never guess.

Evidence: E1 the same URL, E2 the same certificate authority, E3 the same identity (EKS, GKE …), E4 the same name,
E6 an object in the cluster that carries the tracking id of one of the destination's Applications. A name counts for
more when the hub holds a cluster Secret for the URL of that very context.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

IN_CLUSTER = "https://kubernetes.default.svc"
IN_CLUSTER_NAME = "in-cluster"
_DEFAULT_PORTS = {"https": 443, "http": 80}


class Verdict(Enum):
    """How sure a match is."""

    CERTAIN = "certain"
    STRONG = "strong"
    SUGGESTION = "suggestion"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


class Candidate(msgspec.Struct, frozen=True):
    """A cluster that a destination may mean."""

    name: str  # fleet's name of it
    servers: tuple[str, ...] = ()  # URLs of its contexts, normalised
    names: tuple[str, ...] = ()  # names of its contexts and kubeconfig clusters
    ca_sha256: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    uid: str = ""  # of its kube-system namespace
    registered: bool = False  # the hub holds a cluster Secret for one of its URLs


class Registered(msgspec.Struct, frozen=True):
    """What Argo CD's cluster Secret says, as far as it may be read; everything but the two first is optional."""

    server: str = ""
    name: str = ""
    ca_sha256: str = ""
    identity: tuple[str, ...] = ()


class Match(msgspec.Struct, frozen=True):
    """What a destination means: the cluster ("" unless there is one best), how sure, why, and who else it may be."""

    verdict: Verdict
    cluster: str = ""
    words: str = ""
    candidates: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """True when nobody needs to be asked."""
        return self.verdict in (Verdict.CERTAIN, Verdict.STRONG)


@lru_cache(maxsize=4096)
def normalise_url(url: str) -> str:
    """A comparable API server URL: scheme and host in lower case, no default port, no trailing slash, path kept.

    Proxies such as Rancher and Teleport serve many clusters at one host and differ only in the path.
    """
    text = url.strip()
    if "://" not in text:
        return text.rstrip("/").lower()
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:  # no URL: comparable as written
        return text.rstrip("/").lower()
    scheme = parts.scheme.lower()
    shown = f"[{host}]" if ":" in host else host
    suffix = f":{port}" if port is not None and port != _DEFAULT_PORTS.get(scheme) else ""
    return f"{scheme}://{shown}{suffix}{parts.path.rstrip('/')}"


def told_by(candidate: Candidate) -> Iterator[tuple[str, str]]:
    """What a destination may tell a cluster by: ("url" | "ca" | "identity" | "name", as it is written)."""
    yield from (("url", server) for server in candidate.servers)
    yield from (("ca", digest) for digest in candidate.ca_sha256)
    yield from (("identity", part) for part in candidate.identity)
    yield from (("name", name) for name in (candidate.name, *candidate.names))


class Candidates:
    """Clusters by everything a destination may be told by, so that 500 destinations among 500 clusters stay cheap."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self.every: dict[str, Candidate] = {}
        self._by: dict[tuple[str, str], dict[str, Candidate]] = {}
        for each in candidates:
            self.put(each)

    def put(self, candidate: Candidate) -> None:
        """Take in a cluster; what was known of one of this name must have been dropped."""
        self.every[candidate.name] = candidate
        for key in told_by(candidate):
            self._by.setdefault(key, {})[candidate.name] = candidate

    def drop(self, candidate: Candidate) -> None:
        """Forget a cluster that was put in."""
        del self.every[candidate.name]
        for key in set(told_by(candidate)):
            del self._by[key][candidate.name]
            if not self._by[key]:
                del self._by[key]

    def near(self, registered: Registered, also: Collection[str] = ()) -> list[Candidate]:
        """The clusters for which there is any evidence at all, and those named in `also`."""
        found = {name: self.every[name] for name in also if name in self.every}
        for key in (
            ("url", normalise_url(registered.server) if registered.server else ""),
            ("ca", registered.ca_sha256),
            ("name", registered.name),
            *(("identity", part) for part in registered.identity),
        ):
            if key[1]:
                found |= self._by.get(key, {})
        return list(found.values())


def match(
    registered: Registered,
    hub: str,
    candidates: Iterable[Candidate],
    pins: Mapping[str, str] | None = None,
    proven: Collection[str] = (),
    disproven: Collection[str] = (),
) -> Match:
    """What a destination of an Application on `hub` means.

    `pins` are the user's own answers, `<hub>/<server or name>` -> context. `proven` are clusters with an object that
    carries the tracking id of an Application with this destination, `disproven` those whose object contradicts it.
    """
    every = list(candidates)
    if (pinned := _pinned(registered, hub, every, pins or {})) is not None:
        return pinned
    if normalise_url(registered.server) == IN_CLUSTER or registered.name == IN_CLUSTER_NAME:
        return Match(Verdict.CERTAIN, hub, "the hub itself", (hub,))
    evidence = {each.name: found for each in every if (found := _evidence(registered, each))}
    for name in proven:
        evidence.setdefault(name, []).append("content")
    if not evidence:
        return Match(Verdict.NONE, "", f"no context leads to {registered.name or registered.server or 'it'}")
    best = max(_score(found) for found in evidence.values())
    leaders = [name for name, found in evidence.items() if _score(found) == best]
    if len(_distinct(leaders, every)) > 1:
        return Match(Verdict.AMBIGUOUS, "", f"{' and '.join(leaders)} match alike", tuple(evidence))
    found = evidence[leaders[0]]
    named = [name for name, held in evidence.items() if "url" in held]
    if "content" in found and named and not _distinct(leaders, every) & _distinct(named, every):
        words = f"the URL leads to {' and '.join(named)}, but its objects lie in {leaders[0]}"
        return Match(Verdict.AMBIGUOUS, "", words, tuple(evidence))
    verdict, words = _judge(found), ", ".join(_WORDS[each] for each in found)
    if "content" not in found and len(_distinct(named, every)) > 1:
        verdict = Verdict.STRONG if len(found) > 1 else Verdict.SUGGESTION
        words += f"; the URL also leads to {', '.join(name for name in named if name != leaders[0])}"
    if leaders[0] in disproven:
        verdict = Verdict.SUGGESTION
        words += "; but the objects there belong to another Application"
    return Match(verdict, leaders[0], words, tuple(evidence))


_WORDS = {
    "url": "same URL",
    "ca": "same certificate authority",
    "identity": "same cloud identity",
    "name": "same name",
    "registered": "its URL is registered with Argo CD",
    "content": "its objects carry the Application's tracking id",
}
_SCORES = {"content": 16, "url": 8, "ca": 2, "identity": 2, "registered": 2, "name": 1}


def _score(found: Collection[str]) -> int:
    return sum(_SCORES[each] for each in found)


def _judge(found: Collection[str]) -> Verdict:
    if "content" in found or "url" in found:
        return Verdict.CERTAIN
    if ("ca" in found and ("identity" in found or "name" in found)) or "registered" in found:
        return Verdict.STRONG
    return Verdict.SUGGESTION


def _distinct(names: Collection[str], every: Iterable[Candidate]) -> set[str]:
    """How many clusters these are: two names with one kube-system uid are one."""
    uids = {each.name: each.uid for each in every}
    return {uids.get(name) or name for name in names}


def _pinned(registered: Registered, hub: str, every: list[Candidate], pins: Mapping[str, str]) -> Match | None:
    for key in filter(None, (registered.server, registered.name)):
        context = pins.get(f"{hub}/{key}")
        if context is None:
            continue
        for each in every:
            if context == each.name or context in each.names:
                return Match(Verdict.CERTAIN, each.name, "pinned in the settings", (each.name,))
        return Match(Verdict.NONE, "", f"pinned to {context}, and there is no such context")
    return None


def _evidence(registered: Registered, candidate: Candidate) -> list[str]:
    found = []
    if registered.server and normalise_url(registered.server) in candidate.servers:
        found.append("url")
    if registered.ca_sha256 and registered.ca_sha256 in candidate.ca_sha256:
        found.append("ca")
    if set(registered.identity) & set(candidate.identity):
        found.append("identity")
    if registered.name and registered.name in (candidate.name, *candidate.names):
        found.append("name")
        if candidate.registered:
            found.append("registered")
    return found
