"""`fleet completion`: shell completion."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    bash: `eval "$(fleet completion bash)"` in ~/.bashrc. zsh: the same with zsh in ~/.zshrc. fish: `fleet completion
    fish > ~/.config/fish/completions/fleet.fish`.
    """
    from click.shell_completion import get_completion_class

    root = ctx.find_root()
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(maker(root.command, {}, "fleet", "_FLEET_COMPLETE").source())
