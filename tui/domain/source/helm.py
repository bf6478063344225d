"""Objects rendered by Helm: values files, the Application's own values, and the template by resemblance.

Only a render can prove which value a field comes from; everything here is `likely`, and says so.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping

from tui.domain.source.model import Candidate, Identity, SourcePlan, records
from tui.domain.yamledit import Refused, Session

_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def words(text: str) -> set[str]:
    """The lower-case words of a name in camelCase, kebab-case or snake_case."""
    return {word.lower() for word in _WORD.findall(text)}


def find_helm(source: SourcePlan, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    """The strongest first: the Application's own values, values files from the last to the first, templates."""
    return [*_in_application(source), *_values(source, files, wanted), *_templates(source, files, wanted)]


def _in_application(source: SourcePlan) -> Iterator[Candidate]:
    """Parameters, values and valuesObject in the Application's manifest beat every file."""
    for key, words_ in (
        ("fileParameters", "set by the Application from files"),
        ("parameters", "set by the Application"),
        ("valuesObject", "values in the Application"),
        ("values", "values in the Application"),
    ):
        block = source.helm.get(key)
        if not block or (key == "values" and source.helm.get("valuesObject")):
            continue
        names = ", ".join(str(entry.get("name", "")) for entry in records(block)[:3])
        note = f"{words_}: {names}" if names else f"{words_}, stronger than any values file"
        yield Candidate("", None, 0, "likely", note, "application", f"{source.spot}.helm.{key}")


def _values(source: SourcePlan, files: Mapping[str, str], wanted: Identity) -> Iterator[Candidate]:
    keys = [file.key for file in source.value_files]
    if source.tool == "helm":
        keys.insert(0, f"{source.path}/values.yaml" if source.path else "values.yaml")
    last = list(dict.fromkeys(reversed(keys)))
    for key in last:
        if key not in files:
            continue
        section, line = _section(files[key], wanted, source)
        default = key == keys[0] and source.tool == "helm"
        note = "the chart's defaults" if default else "values of this Application"
        if section:
            note += f"; {section} resembles the object's name"
        yield Candidate(key, 0 if line else None, line or 1, "likely", note, "values", section)


def _section(text: str, wanted: Identity, source: SourcePlan) -> tuple[str, int]:
    """The top-level key of a values file that shares most words with the object's name, and its line."""
    try:
        session = Session(text, 0)
        tree = session.tree
        if not tree.is_map(tree.root):
            return "", 1
        target = words(wanted.name) - words(source.application)
        best, spot, score = "", -1, 0
        for key, _ in tree.pairs(tree.root):
            name = tree.key_text(key) or ""
            common = len(words(name) & target)
            if common > score:
                best, spot, score = name, key, common
        return (best, session.position((best,))[0]) if spot >= 0 else ("", 1)
    except Refused:
        return "", 0


def _templates(source: SourcePlan, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    """Templates that name the object's kind, those first whose file name resembles kind and name most."""
    prefix = f"{source.path}/templates/" if source.path else "templates/"
    kind = re.compile(rf"^kind:\s*[\"']?{re.escape(wanted.kind)}[\"']?\s*(?:#.*)?$", re.MULTILINE)
    target = words(wanted.name) | words(wanted.kind)
    scored = []
    for file, text in files.items():
        if not file.startswith(prefix) or not file.endswith((".yaml", ".yml", ".tpl")):
            continue
        found = kind.search(text)
        if not found:
            continue
        score = len(words(posixpath.basename(file).rsplit(".", 1)[0]) & target)
        note = "template of that kind; every release of the chart gets a change made here"
        scored.append(
            (-score, file, Candidate(file, None, text.count("\n", 0, found.start()) + 1, "likely", note, "template"))
        )
    return [candidate for _, _, candidate in sorted(scored, key=lambda entry: entry[:2])]


def wanted_files(source: SourcePlan, listing: Collection[str]) -> set[str]:
    """Values files, the chart's own files and its templates, as far as the repository has them."""
    out = {file.key for file in source.value_files if file.key.startswith("$") or file.path in listing}
    if source.tool == "helm":
        prefix = f"{source.path}/" if source.path else ""
        own = {f"{prefix}values.yaml", f"{prefix}Chart.yaml"}
        out |= {path for path in listing if path in own or path.startswith(f"{prefix}templates/")}
    return out
