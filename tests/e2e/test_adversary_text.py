"""Foreign text that tries to act: nothing of it may reach a terminal as an escape, as markup, or end the program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.bad import FLEET, Servers, Watched, environment, kubeconfig, strange
from tests.support import thing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

OSC = "\x1b]0;OWNED\x07\x1b]52;c;T1dORUQ=\x07\x1b[2J\x1b[31mOWNED\x1b[0m\x9b2J\x90q\x9c"
MARKUP = "[bold red]OWNED[/] [link=http://evil]x[/link] [@click=app.quit]q[/] [/] [] $primary :smile:"
BIDI = "abc\u202egnp.exe\u2066\u200b\u200d\ufeff\u061c"
WIDE = "表格🇩🇪👩‍👩‍👧‍👦e\u0301\u0301\u0301\u0301\u0301ﷺ\U000e0041"
BREAKS = "one\ntwo\r\nthree\u2028four\u0085five\ttab\x00nul\x08\x7f"
HOSTILE = " ".join((OSC, MARKUP, BIDI, WIDE, BREAKS))
REPO = "https://git.example.com/shop/deploy.git"


@pytest.fixture
def servers() -> Iterator[Servers]:
    """API servers on a loop in a thread."""
    made = Servers()
    try:
        yield made
    finally:
        made.close()


def application(name: str, text: str, **more: Any) -> dict[str, Any]:
    """An Application with a text wherever Argo CD passes text on."""
    source = {"repoURL": text, "path": text, "targetRevision": text, "chart": text}
    moment = "2026-11-22T09:00:00Z"
    spec = {
        "project": text,
        "source": source,
        "destination": {"name": text, "namespace": text, "server": text},
        "syncPolicy": {"automated": {}, "syncOptions": [text]},
    }
    result = {
        "revision": text, "source": source,
        "resources": [{"kind": text, "name": text, "namespace": text, "status": "SyncFailed", "message": text,
                       "group": text, "version": "v1", "syncPhase": "Sync", "hookPhase": "Failed"}],
    }  # fmt: skip
    status = {
        "sync": {"status": "OutOfSync", "revision": text, "comparedTo": {"source": source}},
        "health": {"status": "Degraded", "message": text},
        "conditions": [{"type": "SyncError", "message": text, "lastTransitionTime": moment}],
        "history": [{"id": 1, "revision": text, "deployedAt": moment, "source": source,
                     "initiatedBy": {"username": text}}],
        "operationState": {"phase": "Failed", "message": text, "startedAt": moment, "finishedAt": moment,
                           "operation": {"sync": {"revision": text}, "initiatedBy": {"username": text}},
                           "syncResult": result},
        "resources": [{"kind": "Deployment", "group": "apps", "version": "v1", "name": text, "namespace": text,
                       "status": text, "health": {"status": text, "message": text}}],
        "summary": {"images": [text], "externalURLs": [text]},
    }  # fmt: skip
    made = thing("Application", name, "argocd", "argoproj.io/v1alpha1", {"note": text}, spec=spec, status=status)
    made["metadata"]["annotations"] = {text: text}
    return made


def hostile_objects() -> list[dict[str, Any]]:
    """A fleet whose every text is hostile; names too, as far as they can be stored."""
    pod = thing("Pod", "web-1", "shop", spec={"nodeName": HOSTILE, "containers": [{"name": HOSTILE, "image": HOSTILE}]},
                status={"phase": HOSTILE, "reason": HOSTILE, "podIP": HOSTILE})  # fmt: skip
    pod["metadata"]["annotations"] = {"note": "A" * 1_000_000 + HOSTILE}
    event = thing("Event", "e1", "argocd", reason=HOSTILE, message=HOSTILE, type="Warning",
                  lastTimestamp="2026-11-22T09:00:00Z", firstTimestamp="2026-11-22T09:00:00Z", count=1,
                  involvedObject={"kind": "Application", "name": "bad", "namespace": "argocd",
                                  "apiVersion": "argoproj.io/v1alpha1"},
                  source={"component": HOSTILE})  # fmt: skip
    policy = thing("CiliumNetworkPolicy", "pol", "shop", "cilium.io/v2",
                   spec={"endpointSelector": {"matchLabels": {HOSTILE: HOSTILE}}, "description": HOSTILE,
                         "egress": [{"toFQDNs": [{"matchName": HOSTILE}],
                                     "toPorts": [{"ports": [{"port": HOSTILE, "protocol": HOSTILE}]}]}]},
                   status={"conditions": [{"type": "Valid", "status": "False", "message": HOSTILE}]})  # fmt: skip
    deploy = thing("Deployment", "web", "shop", "apps/v1",
                   spec={"replicas": 1, "selector": {"matchLabels": {"a": HOSTILE}},
                         "template": {"spec": {"containers": [{"name": "c", "image": HOSTILE}]}}},
                   status={"conditions": [{"type": HOSTILE, "status": "False", "message": HOSTILE}]})  # fmt: skip
    node = thing("Node", "n1", status={"nodeInfo": {"kubeletVersion": HOSTILE, "osImage": HOSTILE}, "conditions": [
        {"type": "Ready", "status": "False", "reason": HOSTILE}]})  # fmt: skip
    spaces = [thing("Namespace", name) for name in ("kube-system", "shop", "argocd")]
    names = [thing("Pod", f"x{HOSTILE}", "shop"), thing("Namespace", f"ns{HOSTILE}")]
    return [*spaces, pod, event, policy, deploy, node, application("bad", HOSTILE), application("osc", OSC), *names]


def test_no_command_prints_what_would_act(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(hostile_objects(), "hub", version=HOSTILE)
    clusters = {"hub": {"server": server.url}, f"c{OSC}{MARKUP}": {"server": server.url + "/x"}}
    env = environment(tmp_path, kubeconfig(tmp_path / "config", clusters))
    for command in (
        ["get", "applications", "-o", "wide"], ["get", "pods,policies,deploy,nodes,clusters,events", "-o", "wide"],
        ["get", "namespaces", "-o", "name"], ["get", "applications", "-o", "yaml"],
        ["get", "applications", "-o", "json"], ["doctor"], ["events", "--since", "1000h"],
        ["events", "--since", "1000h", "-o", "json"],
    ):  # fmt: skip
        with Watched([*FLEET, *command], 200, 50, env) as terminal:
            code = terminal.wait_end(30)
        data = bytes(terminal.all)
        assert strange(data) == [], command
        assert b"Traceback" not in data, command
        assert code in (0, 1, 3)
    assert server.mutations.count == 0


def test_no_pane_paints_what_would_act(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(hostile_objects(), "hub", version=HOSTILE)
    clusters = {"hub": {"server": server.url}, f"c{OSC}{MARKUP}": {"server": server.url + "/x"}}
    env = environment(tmp_path, kubeconfig(tmp_path / "config", clusters))
    with Watched(FLEET, 160, 48, env) as terminal:
        terminal.wait("bad")
        terminal.settle()
        for word in ("clusters", "events", "applications", "policies", "pods", "deploy", "nodes"):
            terminal.press(":", *word, "enter")
            terminal.settle(0.2, 3)
            if word in ("clusters", "events"):
                continue
            terminal.press("enter")
            terminal.settle(0.2, 3)
            for _ in range(4):
                terminal.press("tab")
                terminal.settle(0.1, 3)
            terminal.press("/", "O", "W", "enter", "n", "w", "c")
            terminal.settle(0.1, 3)
            terminal.press("escape", "escape")
            terminal.settle(0.1, 3)
        for filtering in ("[bold red]", "[/]", "\x1b", "$primary", "!OWNED"):
            terminal.press(":", *"applications", "enter", "/", *filtering, "enter")
            terminal.settle(0.1, 3)
            terminal.press("escape")
        terminal.press(":", *"pods", "enter")
        terminal.settle(0.2, 3)
        for key in ("e", "a", "c", "y", "o", "d", "F", "0", "?", "s", "x", "R"):
            terminal.press(key)
            terminal.settle(0.1, 2)
            terminal.press("escape", "escape")
        terminal.settle()
        assert "OWNED" in terminal.text() or "web-1" in terminal.text()
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert strange(bytes(terminal.all)) == []
    assert b"Traceback" not in terminal.all
    assert server.mutations.count == 0


def test_nothing_that_a_cluster_names_is_run_or_read(servers: Servers, tmp_path: Path) -> None:
    mark = tmp_path / "OWNED"
    urls = {
        "ext": f"ext::sh -c touch% {mark}",
        "ssh": f"ssh://-oProxyCommand=touch${{IFS}}{mark}/x",
        "option": f"--upload-pack=touch${{IFS}}{mark}",
        "below": "../../etc",
    }
    objects = [thing("Namespace", "kube-system"), thing("Namespace", "shop")]
    for name, url in urls.items():
        made = application(name, f"--output={mark}")
        made["spec"]["source"] = {"repoURL": url, "path": "../../etc", "targetRevision": f"--output={mark}"}
        deploy = thing("Deployment", name, "shop", "apps/v1", spec={"replicas": 1})
        deploy["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": f"{name}:apps/Deployment:shop/{name}"}
        objects += [made, deploy]
    server = servers.start(objects, "hub")
    trace = tmp_path / "trace"
    env = environment(tmp_path, kubeconfig(tmp_path / "config", {"hub": {"server": server.url}}), GIT_TRACE=str(trace))
    with Watched(FLEET, 150, 40, env, cwd=tmp_path) as terminal:
        terminal.wait("below")
        for name in urls:
            terminal.press(":", *"deploy", "enter", "/", *name, "enter")
            terminal.settle(0.2, 3)
            terminal.press("e")
            terminal.settle(0.3, 3)
            terminal.press("y")  # even with the user's consent
            terminal.settle(0.3, 3)
            terminal.press("escape", "escape", "escape")
        terminal.press("ctrl+q")
        assert terminal.wait_end() == 0
    assert not mark.exists()
    ran = trace.read_text() if trace.exists() else ""
    assert "OWNED" not in ran and "ext::" not in ran and "/etc" not in ran
    assert server.mutations.count == 0
