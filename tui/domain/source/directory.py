"""Objects in plain manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tui.domain.source.model import Candidate, Identity, SourcePlan
from tui.domain.source.planning import in_directory
from tui.domain.yamledit import Document, Refused, Session, documents

SKIP = "+argocd:skip-file-rendering"


def same_object(document: Document, wanted: Identity, namespace: str, name: str = "") -> bool:
    """Whether a document declares the object. One without a namespace gets the destination's.

    A wanted namespace of "" is a cluster-scoped object, whose namespace in a file means nothing.
    """
    return (
        document.kind == wanted.kind
        and document.group == wanted.group
        and document.name == (name or wanted.name)
        and wanted.namespace in ("", document.namespace or namespace)
    )


def entries(text: str) -> Iterator[tuple[Document, str]]:
    """Every object of a file: (document, path in it); the items of a List are objects of their own."""
    for document in documents(text):
        if not document.kind.endswith("List") or document.name:
            yield document, ""
            continue
        try:
            session = Session(text, document.index)
            items = session.value("items")
            for index, item in enumerate(items if isinstance(items, list) else []):
                if isinstance(item, dict) and isinstance(item.get("metadata"), dict):
                    place = session.position(("items", index))
                    yield _of(item, document, place[0]), f"items[{index}]"
        except Refused:
            yield document, ""


def _of(item: dict[str, object], document: Document, line: int) -> Document:
    metadata = item["metadata"]
    assert isinstance(metadata, dict)
    fields = {"kind": item.get("kind"), "apiVersion": item.get("apiVersion")}
    fields |= {key: metadata.get(key) for key in ("name", "namespace")}
    words = {key: value for key, value in fields.items() if isinstance(value, str)}
    return Document(document.index, **words, start_line=document.start_line, line=line, end_line=document.end_line)


def find_directory(source: SourcePlan, files: Mapping[str, str], wanted: Identity) -> list[Candidate]:
    """The documents that declare the object: exact when there is one; of several, Argo CD takes the last.

    Without any, the files that cannot be read as YAML but hold the name, and jsonnet, as `file`.
    """
    hits: list[Candidate] = []
    rest: list[Candidate] = []
    for file in sorted(files):
        text = files[file]
        if not in_directory(source, file) or wanted.name not in text or SKIP in text:
            continue
        if file.endswith(".jsonnet"):
            rest.append(Candidate(file, None, 0, "file", "jsonnet holds the name; fleet does not run it"))
            continue
        found = [
            Candidate(file, document.index, document.line, "exact", path=path)
            for document, path in entries(text)
            if same_object(document, wanted, source.destination_namespace)
        ]
        hits += found
        broken = [document for document in documents(text) if document.problem and document.line]
        if broken and not found:
            rest.append(
                Candidate(file, None, _line(text, wanted.name), "file", f"not readable as YAML: {broken[0].problem}")
            )
    if len(hits) > 1:
        note = f"declared {len(hits)} times; Argo CD takes the last"
        return [Candidate(c.file, c.doc, c.line, "likely", note, path=c.path) for c in reversed(hits)]
    return hits or rest


def _line(text: str, name: str) -> int:
    found = re.search(re.escape(name), text)
    return text.count("\n", 0, found.start()) + 1 if found else 0
