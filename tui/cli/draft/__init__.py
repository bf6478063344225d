"""`fleet draft`: everything the Drafts pane does, without a screen. A new verb is a command in its area's `VERBS`."""

from __future__ import annotations

import click

from tui.cli.draft import basic, blast, edits, files, many, rebasing, recovering, rewriting, sending, staging

AREAS = {
    "Drafts": basic.VERBS,
    "Edits of values": edits.VERBS,
    "Files and objects": (*files.VERBS, *many.VERBS),
    "What a commit takes": (*staging.VERBS, sending.commit),
    "Commits of a draft": rewriting.VERBS,
    "Target and remote": (*rebasing.VERBS, *blast.VERBS, *sending.VERBS),
    "Taking back": (*basic.BACK, *recovering.VERBS),
}


class Areas(click.Group):
    """A group whose help lists the verbs by what they are about."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = formatter.width - 6 - max(map(len, self.commands))
        for title, verbs in AREAS.items():
            with formatter.section(title):
                formatter.write_dl([(verb.name or "", verb.get_short_help_str(width)) for verb in verbs])


@click.group(cls=Areas)
def draft() -> None:
    """Edit what Git declares, as drafts: commits of their own that no checkout sees until you push them.

    A draft is named by its name or by the end of its id. Exit codes: 0 done, 1 refused, rejected or not there, 2 wrong
    usage, 3 something could not be reached or read.
    """


for _verb in (verb for verbs in AREAS.values() for verb in verbs):
    draft.add_command(_verb)
