"""Surgical edits of YAML and JSON: text in, text out, everything but the edited place identical to the last byte.

An edit finds its place by the parser's own marks, splices the new text in, parses the result and compares it with what
was intended; if it is anything else, it raises `Refused` with line, column and reason. See `edit` for the operations,
`path` for how places are named.
"""

from tui.domain.yamledit.documents import Document, documents, select
from tui.domain.yamledit.edit import (
    append_item,
    assignment,
    delete,
    get_value,
    insert_item,
    insert_key,
    move,
    position,
    read_value,
    rename_key,
    replace,
    set_value,
)
from tui.domain.yamledit.errors import Missing, Refused, Shared, Unreadable
from tui.domain.yamledit.files import append_document, remove_document
from tui.domain.yamledit.path import Match, Path, Step, format_path, parse, split_assignment
from tui.domain.yamledit.render import dump
from tui.domain.yamledit.session import Change, Edited, Session
from tui.domain.yamledit.split import decode

__all__ = [
    "Change",
    "Document",
    "Edited",
    "Match",
    "Missing",
    "Path",
    "Refused",
    "Session",
    "Shared",
    "Step",
    "Unreadable",
    "append_document",
    "append_item",
    "assignment",
    "decode",
    "delete",
    "documents",
    "dump",
    "format_path",
    "get_value",
    "insert_item",
    "insert_key",
    "move",
    "parse",
    "position",
    "read_value",
    "remove_document",
    "rename_key",
    "replace",
    "select",
    "set_value",
    "split_assignment",
]
