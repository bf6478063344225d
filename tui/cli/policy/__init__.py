"""`fleet policy`: what network policies do, asked without a screen. Each verb lives in a module of its own."""

from __future__ import annotations

import importlib

import click

VERBS: dict[str, str] = {  # verb -> "module:command"
    "flows": "tui.cli.policy.flows:flows",
    "verdict": "tui.cli.policy.verdict:verdict",
    "test": "tui.cli.policy.test:test",
    "lint": "tui.cli.policy.lint:lint",
    "impact": "tui.cli.policy.impact:impact",
}


class Verbs(click.Group):
    """The verbs of `fleet policy`; a verb's module is imported when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=Verbs)
def policy() -> None:
    """Ask what network policies do: verdicts, policy tests, lint, impact of a change, recorded flows.

    CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and Kubernetes NetworkPolicy are read together, as Cilium
    enforces them. Nothing here needs a cluster.
    """
