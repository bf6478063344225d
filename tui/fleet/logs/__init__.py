"""Logs of pods, read with GET alone, while somebody looks.

    Logs.follow(selections, asked) ──▶ pods (network thread): watches the pods of each selection
                                          └──▶ container: one stream a container, again after every end (stream)
    Follow.take(), sources, words() ◀── Book ◀┘

`stream` is what the flows of Cilium's agents are read by, too.
"""

from tui.fleet.logs.book import Book, Source
from tui.fleet.logs.service import Follow, Logs

__all__ = ["Book", "Follow", "Logs", "Source"]
