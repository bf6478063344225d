"""The `:` line: its verbs, how it is read, and what it proposes. Pure; the app does what a `Command` says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.domain import selector
from tui.domain.kinds.catalogue import Ambiguous, Catalogue
from tui.domain.kinds.kind import Kind
from tui.ui.themes import PALETTES


class Command(NamedTuple):
    """What to do. For `kind`, `resource` is set and the rest of the line is in the other fields."""

    verb: str
    argument: str = ""
    resource: str = ""
    namespace: str = ""
    cluster: str = ""
    filter: str = ""
    labels: str = ""
    group: str = ""


class Proposal(NamedTuple):
    """One completion: the whole line it makes, and what it is."""

    line: str
    help: str


class NotUnderstood(ValueError):
    """The line says nothing fleet knows; the text says what comes near."""


class UnknownWord(NotUnderstood):
    """The first word is no verb, and no kind of those that are known so far."""


SAID = 4  # letters from which on the line also finds what is said of a command


@dataclass(frozen=True, slots=True)
class Verb:
    """A word of the `:` line. `takes` names what completes its argument."""

    id: str
    words: tuple[str, ...]
    help: str
    takes: str = ""


VERBS: tuple[Verb, ...] = (
    Verb("applications", ("apps", "applications", "app"), "Applications of every hub"),
    Verb("policies", ("policies", "pol"), "Cilium and Kubernetes network policies"),
    Verb("clusters", ("clusters",), "Clusters: state, version, nodes, Applications"),
    Verb("pulse", ("pulse", "pulses", "pu"), "What fleet sees of every cluster and what not: latency, errors, age"),
    Verb("events", ("events", "ev"), "The event tail"),
    Verb("flows", ("flows", "hubble"), "Flows of the clusters shown, out of the logs of their agents"),
    Verb(
        "logs", ("logs", "log"), "Logs: of the row, or deploy/NAME, app/NAME, -l LABELS, @cluster, -n, -c, -p", "logs"
    ),
    Verb("drafts", ("drafts", "draft", "d"), "Drafts: edits on their way to Git"),
    Verb("recover", ("recover", "trash", "recovery"), "Dropped drafts, earlier states, texts never saved"),
    Verb("cluster", ("ctx", "cls", "cluster", "context"), "Show one cluster only; without a name, all", "cluster"),
    Verb("group", ("group", "g"), "Show one group of clusters only", "group"),
    Verb("namespace", ("ns", "namespace"), "Show one namespace only; without a name, the namespaces", "namespace"),
    Verb("verdict", ("verdict", "may"), "May A talk to B? Two ends, a port, @cluster, as far as known", "end"),
    Verb("all", ("all",), "Show the whole fleet again"),
    Verb("sort", ("sort",), "Sort by a column; once more turns it", "column"),
    Verb("filter", ("filter",), "Filter the list", ""),
    Verb("find", ("find", "grep"), "Find a text in all that is loaded, and in the files of the repositories"),
    Verb("xray", ("xray", "x-ray"), "What the object under the cursor hangs together with"),
    Verb("faults", ("faults", "wrong"), "Show only what is wrong, or everything again"),
    Verb("fleetwide", ("across", "fleetwide", "compare"), "Policies across clusters: differences, lint, what is open"),
    Verb("wide", ("wide",), "More columns, or fewer"),
    Verb("theme", ("theme", "colo"), "Change the theme", "theme"),
    Verb("retry", ("retry", "refresh"), "Try clusters again now", "cluster"),
    Verb("aliases", ("aliases", "alias"), "Every kind and its words"),
    Verb("keys", ("keys", "help", "h"), "The keys that work here"),
    Verb("tour", ("tour",), "A tour of the demo in ten steps; next skips one, once more ends it", "tour"),
    Verb("back", ("back",), "The view before"),
    Verb("quit", ("q", "quit", "q!", "wq", "qa", "exit"), "Leave fleet"),
)
_BY_WORD = {word: verb for verb in VERBS for word in verb.words}


@dataclass(frozen=True, slots=True)
class Known:
    """Names the line can be completed with."""

    clusters: Sequence[str] = ()
    groups: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    columns: Sequence[str] = ()
    ends: Sequence[str] = ()  # who can talk, in the cluster that is shown
    actions: Sequence[tuple[str, str, str]] = ()  # (word, id, what it does) of what has keys where the line was opened
    catalogue: Catalogue = Catalogue()  # noqa: RUF009 - it never changes
    labels: Callable[[str], Sequence[str]] = lambda resource: ()  # `key=value` of what is held of a resource

    def of(self, takes: str) -> Sequence[str]:
        """The names that complete an argument of this sort."""
        return {
            "cluster": self.clusters,
            "group": self.groups,
            "namespace": self.namespaces,
            "column": self.columns,
            "end": self.ends,
            "theme": tuple(PALETTES),
            "tour": ("next",),
        }.get(takes, ())


OPTIONS = {"-n": "one namespace", "-l": "a label selector, as kubectl's", "-A": "all namespaces"}
_LONG = {"--namespace": "-n", "--selector": "-l", "--all-namespaces": "-A", "all": "-A"}


def parse(line: str, known: Known) -> Command:
    """What the line says. `pods web @prod-eu -l app=web /crash`: a kind, then what narrows it, in any order.

    After `@` stands a cluster, as much of its name as no other has, or a group of clusters.

    Raises NotUnderstood, of a first word that nobody knows UnknownWord.
    """
    words = line.strip().split()
    if not words:
        raise NotUnderstood("nothing was typed")
    first, rest = words[0], words[1:]
    verb = _BY_WORD.get(first.lower())
    if verb is not None and not (verb.id == "namespace" and not rest):
        return _verb(verb, rest, known)
    kind = _kind(first, known)
    if kind is None:
        if first in known.clusters and not rest:
            return Command("cluster", first)
        for word, action, _ in known.actions:
            if first == word and not rest:
                return Command("action", action)
        near = [proposal.line for proposal in propose(first, known)[:3]]
        hint = f"; near: {', '.join(near)}" if near else ""
        raise UnknownWord(f"there is no kind and no command called {first}{hint}")
    return _narrowed(Command("kind", "", kind.resource), rest, known)


def _kind(word: str, known: Known) -> Kind | None:
    try:
        return known.catalogue.find(word)
    except Ambiguous as error:
        raise NotUnderstood(str(error)) from None


def _narrowed(command: Command, rest: list[str], known: Known) -> Command:
    """The command with the namespace, cluster, selector and filter that the rest of the line names."""
    words = deque(rest)
    while words:
        word = words.popleft()
        option, value = _option(word)
        if option == "-A":
            command = command._replace(namespace="*")
        elif option == "-n":
            command = command._replace(namespace=value or _next(words, word))
        elif option == "-l":
            command = command._replace(labels=_selector(value or _next(words, word), words))
        elif word.startswith("-"):
            raise NotUnderstood(
                f"there is no option {word}; there are {', '.join(OPTIONS)}, @cluster, @group and /filter"
            )
        elif word[:1] == "@" and word[1:] in known.groups and word[1:] not in known.clusters:
            command = command._replace(group=word[1:], cluster="")
        elif word.startswith("@"):
            command = command._replace(cluster=_one(word[1:], known.clusters, "cluster"), group="")
        elif word.startswith("/"):
            command, words = command._replace(filter=" ".join([word[1:], *words])), deque()
        else:
            command = command._replace(namespace=word)
    return command


def _option(word: str) -> tuple[str, str]:
    """`-nshop`, `-n`, `--namespace=shop` as (`-n`, its value or ""); ("", "") for what is none."""
    long, equals, value = word.partition("=")
    if long in _LONG and (equals or word in _LONG):
        return _LONG[long], value
    short = word[:2]
    return (short, word[2:]) if short in ("-n", "-l") and not word.startswith("--") else (word * (word == "-A"), "")


def _next(words: deque[str], option: str) -> str:
    if not words:
        raise NotUnderstood(f"{option} wants a value")
    return words.popleft()


def _selector(text: str, words: deque[str]) -> str:
    """A selector; of one with blanks (`app in (a, b)`) as many words as it takes."""
    while words and (words[0] in ("in", "notin") or text.endswith((",", " in", " notin")) or _open(text)):
        text = f"{text} {words.popleft()}"
    try:
        selector.parse(text)
    except ValueError as error:
        raise NotUnderstood(f"-l {text}: {error}") from None
    return text


def _open(text: str) -> bool:
    return text.count("(") > text.count(")")


def _verb(verb: Verb, rest: list[str], known: Known) -> Command:
    argument = " ".join(rest)
    if argument and verb.takes in ("cluster", "group", "theme"):
        argument = _one(argument, known.of(verb.takes), verb.takes)
    return Command(verb.id, argument)


def _one(word: str, names: Sequence[str], what: str) -> str:
    """The name that is meant: equal, or the only one that starts with or contains the word."""
    if word in names:
        return word
    for near in ([n for n in names if n.startswith(word)], [n for n in names if word in n]):
        if len(near) == 1:
            return near[0]
        if near:
            raise NotUnderstood(f"{word} could be {', '.join(near[:4])}{' …' if len(near) > 4 else ''}")
    raise NotUnderstood(f"there is no {what} called {word}")


def propose(line: str, known: Known, limit: int = 50) -> list[Proposal]:
    """Completions of a line, best first: what is called so, what starts with it, what contains it."""
    if " " not in line.lstrip():
        return _ranked(line.strip().lower(), _first_words(known), limit)
    first, _, rest = line.lstrip().rpartition(" ")
    verb = _BY_WORD.get(first.split()[0].lower())
    names: list[_Named] = []
    if verb is not None:
        if verb.takes == "end" and rest.startswith("@"):
            names = [_Named(f"@{name}", "cluster") for name in known.clusters]
        else:
            names = [_Named(name, verb.takes) for name in known.of(verb.takes)]
    elif (kind := _known_kind(first.split()[0], known)) is not None:
        names = _narrowing(kind, first.split()[-1], rest, known)
    return [Proposal(f"{first} {found.line}", found.help) for found in _ranked(rest.lower(), names, limit)]


class _Named(NamedTuple):
    name: str
    help: str
    aliases: tuple[str, ...] = ()


def _known_kind(word: str, known: Known) -> Kind | None:
    try:
        return known.catalogue.find(word)
    except Ambiguous:
        return None


def _narrowing(kind: Kind, before: str, rest: str, known: Known) -> list[_Named]:
    """What may follow a kind: options, clusters, namespaces, and after an option its value."""
    namespaces = [_Named(name, "namespace") for name in known.namespaces]
    if before in ("-n", "--namespace"):
        return namespaces
    if before in ("-l", "--selector"):
        return [_Named(label, "label") for label in known.labels(kind.resource)]
    if rest.startswith("@"):
        groups = [_Named(f"@{name}", "group of clusters") for name in known.groups]
        return [*groups, *(_Named(f"@{name}", "cluster") for name in known.clusters)]
    if rest.startswith("-"):
        return [_Named(option, told) for option, told in OPTIONS.items() if kind.namespaced or option == "-l"]
    if rest.startswith("/") or not kind.namespaced:
        return []
    return [_Named("all", "all namespaces"), *namespaces]


def _first_words(known: Known) -> list[_Named]:
    words = [_Named(verb.words[0], verb.help, verb.words[1:]) for verb in VERBS]
    taken = {word.name for word in words}
    for offer in known.catalogue:
        kind = offer.kind
        name = kind.plural if known.catalogue.means(kind.plural, kind) else kind.resource
        if name not in taken:
            where = known.catalogue.where(offer)
            told = " · ".join(part for part in (kind.kind, where, *kind.short, kind.group) if part)
            words.append(_Named(name, told, tuple(offer.words)))
            taken.add(name)
    words += [_Named(word, told) for word, _, told in known.actions if word not in taken and word not in _BY_WORD]
    return [*words, *(_Named(name, "cluster") for name in known.clusters)]


def _ranked(wanted: str, names: Iterable[_Named], limit: int) -> list[Proposal]:
    ranked: list[tuple[int, int, Proposal]] = []
    for name, told, aliases in names:
        lowered = name.lower()
        if wanted == lowered or wanted in aliases:
            rank = 0
        elif lowered.startswith(wanted):
            rank = 1
        elif any(alias.startswith(wanted) for alias in aliases):
            rank = 2
        elif wanted in lowered:
            rank = 3
        elif len(wanted) >= SAID and wanted in told.lower():
            rank = 4  # `manifest` finds what shows it, whatever that is called
        else:
            continue
        ranked.append((rank, len(name) if wanted else 0, Proposal(name, told)))
    ranked.sort(key=lambda found: found[:2])
    return [proposal for _, _, proposal in ranked[:limit]]
