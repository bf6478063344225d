"""YAML as plain texts: `yes`, 123 and dates stay what was written, and no nesting can exhaust the stack."""

from __future__ import annotations

from typing import Any

import yaml

DEEPEST = 100  # levels of nesting; a kubeconfig needs seven

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class TooDeep(ValueError):
    """The document is nested deeper than any real one."""


def document(data: bytes) -> Any:
    """The first document as lists, dicts and texts, None for an empty file. Raises yaml.YAMLError and `TooDeep`.

    Built from the parser's events because the library's own way from there recurses in C, and a file of brackets
    would end the program.
    """
    try:
        return _built(data)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or ""):  # newer libraries look ahead and have a limit of their own
            raise TooDeep(f"nested more than {DEEPEST} levels deep") from None
        raise


def _built(data: bytes) -> Any:
    root: list[Any] = []
    open_: list[tuple[Any, list[Any]]] = []  # containers being filled, with what is read of each
    anchors: dict[str, Any] = {}
    items = root
    for event in yaml.parse(data, Loader=_Loader):
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = event.value
        elif isinstance(event, yaml.AliasEvent):
            value = anchors.get(str(event.anchor))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_) >= DEEPEST:
                raise TooDeep(f"nested more than {DEEPEST} levels deep")
            value = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            items.append(value)
            open_.append((value, items))
            items = value if isinstance(value, list) else []
        elif isinstance(event, yaml.CollectionEndEvent):
            filled, outer = open_.pop()
            if isinstance(filled, dict):
                filled.update((k, v) for k, v in zip(items[::2], items[1::2], strict=True) if isinstance(k, str))
            items = outer
            continue
        elif isinstance(event, yaml.DocumentEndEvent):
            break
        else:
            continue
        if event.anchor and not isinstance(event, yaml.AliasEvent):
            anchors[str(event.anchor)] = value
        if not isinstance(event, yaml.CollectionStartEvent):
            items.append(value)
    return root[0] if root else None
