"""`fleet doctor`: what fleet can read where, what is missing, and exactly which rights would mend it."""

from __future__ import annotations

import asyncio
import platform
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from tui import __version__
from tui.domain.cluster import CLUSTERS, Cluster, ClusterState
from tui.domain.kinds import KINDS
from tui.domain.kinds.kind import Kind
from tui.domain.ports import Trouble

if TYPE_CHECKING:
    from tui.cli.options import Options
    from tui.fleet.runtime import Fleet

TOOLS = {
    "git": (["git", "version"], "needed for drafts"),
    "helm": (["helm", "version", "--short"], "renders Applications that use Helm"),
    "kustomize": (["kustomize", "version"], "renders Applications that use kustomize"),
    "kubectl": (["kubectl", "version", "--client"], "renders kustomize where kustomize itself is missing"),
}


@click.command()
@click.option("--cluster", metavar="GLOB", default="*", help="Only clusters whose name matches.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C: state, latency, objects, errors, age, next try.")
@click.option("--rbac", is_flag=True, help="Print the RBAC fleet needs as YAML, for `kubectl apply`, and nothing else.")
@click.option("--secrets", is_flag=True, help="With --rbac: also an optional Role for the names of cluster Secrets.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@click.pass_obj
def doctor(options: Options, cluster: str, watch: bool, rbac: bool, secrets: bool, output: str) -> None:
    """Say what fleet can read where, what is missing, and which tools are here.

    With --watch it reads what the screen reads, and says every second what fleet sees of each cluster and what not:
    on a terminal as a table, elsewhere a line for each change, with -o json one document a line.

    Exit code 3 when a cluster cannot be reached or a kind not be read, with --watch at its end.
    """
    if watch and rbac:
        raise click.UsageError("--watch and --rbac exclude each other")
    if secrets and not rbac:
        raise click.UsageError("--secrets goes with --rbac")
    if rbac:
        print_rbac(secrets)
        return
    if watch:
        from tui.cli import pulse

        sys.exit(asyncio.run(pulse.watch(options, cluster, output)))
    sys.exit(asyncio.run(_doctor(options, cluster, output)))


def print_rbac(secrets: bool = False) -> None:
    """The exact rights, as YAML on stdout; with `secrets` the optional ones too."""
    import yaml

    from tui.domain.rbac import manifests

    documents = manifests(KINDS.values(), secrets)
    yaml.safe_dump_all(documents, sys.stdout, sort_keys=False, default_flow_style=None, width=120)


async def _doctor(options: Options, pattern: str, output: str) -> int:
    from tui.cli.progress import until_settled
    from tui.cli.wire import make_fleet, where

    async with make_fleet(options, drafts=False) as fleet:
        tools = await _tools()
        fleet.start()
        fleet.look("doctor", [CLUSTERS])
        await until_settled(fleet)
        clusters = await asyncio.gather(*(_examined(fleet, cluster) for cluster in fleet.clusters(pattern)))
        report = {
            "fleet": __version__,
            "python": platform.python_version(),
            "folders": where(options),
            "tools": tools,
            "clusters": clusters,
            "mend": [*_configured(options), *mend(tools, clusters)],
        }
    if output == "json":
        from tui.cli.output import json_text

        sys.stdout.write(json_text(report, 2) + "\n")
    else:
        _print(report)
    bad = any(entry["reason"] or entry["denied"] for entry in clusters)
    return 3 if bad else 0


def _configured(options: Options) -> list[str]:
    """What is wrong in the configuration."""
    from tui.cli.config import problems
    from tui.cli.wire import config_of

    return list(problems(config_of(options)))


def mend(tools: dict[str, str], clusters: list[dict[str, Any]]) -> list[str]:
    """What could be done about what was found wrong, a line each."""
    made = []
    if tools["git"].startswith("not found"):
        made.append("install git: drafts, which are how fleet changes anything, need it")
    if not clusters:
        made.append(
            "put a kubeconfig at ~/.kube/config, name one by KUBECONFIG or --kubeconfig, or see --context; "
            "`fleet demo` needs none"
        )
    for entry in clusters:
        name, context = entry["name"], shlex.quote((entry["contexts"] or [entry["name"]])[0])
        if entry["state"] == ClusterState.DENIED.value:
            made.append(
                f"{name}: log in again as its kubeconfig does; `kubectl --context {context} auth whoami` says who"
            )
        elif entry["state"] != ClusterState.LIVE.value:
            made.append(
                f"{name}: see whether {entry['server']} can be reached from here: VPN, proxy, name, certificate"
            )
        elif entry["denied"]:
            made.append(
                f"{name}: have somebody who may give the rights that lack: "
                f"`fleet doctor --rbac | kubectl --context {context} apply -f -`"
            )
    return made


async def _tools() -> dict[str, str]:
    """Versions of the programs fleet may call; "not found" with what they would be for."""

    async def version(name: str) -> str:
        argv, purpose = TOOLS[name]
        if shutil.which(name) is None:
            return f"not found ({purpose})"
        child = await asyncio.create_subprocess_exec(
            *argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            out, _ = await asyncio.wait_for(child.communicate(), 10)
        except TimeoutError:
            child.kill()
            await child.wait()
            return "does not answer within 10 s"
        return out.decode(errors="replace").strip().partition("\n")[0]

    return dict(zip(TOOLS, await asyncio.gather(*map(version, TOOLS)), strict=True))


async def _examined(fleet: Fleet, cluster: Cluster) -> dict[str, Any]:
    """One cluster: its state and, kind by kind, whether it may be listed and watched."""
    entry: dict[str, Any] = {
        "name": cluster.metadata.name,
        "contexts": list(cluster.contexts),
        "server": cluster.server,
        "state": cluster.state.value,
        "reason": cluster.reason,
        "version": cluster.version,
        "hub": cluster.hub,
        "readable": [],
        "denied": [],
        "notServed": [],
    }
    if cluster.state is not ClusterState.LIVE:
        return entry
    try:
        served = await fleet.served(cluster.metadata.name)
    except Trouble as error:
        return entry | {"reason": f"does not say what it serves: {error}"}
    kinds = list(fleet.kinds.values())
    for kind in kinds:
        if kind.resource not in served:
            entry["notServed"].append(kind.resource)
    here = [kind for kind in kinds if kind.resource in served and kind.resource != "secrets"]  # never needed
    for kind, verdict in zip(here, await _rights(fleet, cluster.metadata.name, here), strict=True):
        entry["readable" if verdict == "" else "denied"].append(kind.resource)
        if verdict:
            entry.setdefault("why", {})[kind.resource] = verdict
    return entry


async def _rights(fleet: Fleet, cluster: str, kinds: list[Kind]) -> list[str]:
    gate = asyncio.Semaphore(4)

    async def right(kind: Kind) -> str:
        missing = []
        for verb in ("list", "watch"):
            async with gate:
                try:
                    if not await fleet.may(cluster, verb, kind):
                        missing.append(verb)
                except Trouble as error:
                    return f"could not be asked: {error}"
        return f"no right to {' and '.join(missing)}" if missing else ""

    return list(await asyncio.gather(*map(right, kinds)))


def _print(report: dict[str, Any]) -> None:
    from tui.ui.text import safe

    lines = [f"fleet {report['fleet']}, Python {report['python']}"]
    lines += [f"  {name:10} {path}" for name, path in report["folders"].items()]
    lines += ["", "Tools"]
    lines += [f"  {name:10} {safe(version)}" for name, version in report["tools"].items()]
    lines += ["", "Clusters"]
    for entry in report["clusters"]:
        version = f", {entry['version']}" if entry["version"] else ""
        words = f"{entry['state']}{version}{', hub' if entry['hub'] else ''}"
        lines.append(f"  {safe(entry['name'])}: {safe(words)}")
        if entry["reason"]:
            lines.append(f"    {safe(entry['reason'])}")
        if entry["readable"]:
            lines.append(f"    reads {len(entry['readable'])} kinds")
        lines += [f"    {resource}: {safe(entry['why'][resource])}" for resource in entry["denied"]]
    if not report["clusters"]:
        lines.append("  none: no kubeconfig has a context that matches (see --kubeconfig, --context, KUBECONFIG)")
    if report["mend"]:
        lines += ["", "To mend", *(f"  {safe(line)}" for line in report["mend"])]
    print("\n".join(lines))
