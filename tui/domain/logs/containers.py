"""What a pod says about the logs of its containers."""

from __future__ import annotations

import msgspec

from tui.domain.kinds.pods import ContainerState, Terminated
from tui.domain.obj import Object

MAIN, INIT, EPHEMERAL = "", "init", "ephemeral"


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class _Named(_Struct, frozen=True, gc=False):
    name: str = ""


class _Status(_Struct, frozen=True, gc=False):
    name: str = ""
    restart_count: int = 0
    container_id: str = msgspec.field(default="", name="containerID")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class _Condition(_Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _Spec(_Struct, frozen=True, gc=False):
    containers: tuple[_Named, ...] | None = None
    init_containers: tuple[_Named, ...] | None = None
    ephemeral_containers: tuple[_Named, ...] | None = None


class _PodStatus(_Struct, frozen=True, gc=False):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[_Condition, ...] | None = None
    container_statuses: tuple[_Status, ...] | None = None
    init_container_statuses: tuple[_Status, ...] | None = None
    ephemeral_container_statuses: tuple[_Status, ...] | None = None


class LogPod(Object, frozen=True, gc=False):
    """A pod, as far as its logs are concerned."""

    spec: _Spec = _Spec()
    status: _PodStatus = _PodStatus()


class Container(msgspec.Struct, frozen=True, gc=False):
    """A container as it is now."""

    name: str
    kind: str = MAIN  # MAIN | INIT | EPHEMERAL
    instance: str = ""  # of whom there is a log; another one after each restart; "" = there is none yet
    restarts: int = 0
    running: bool = False
    words: str = ""  # why it is not running, in words


def containers(pod: LogPod) -> list[Container]:
    """The containers of a pod, in the order in which they start."""
    spec, status = pod.spec, pod.status
    found: list[Container] = []
    for kind, named, statuses in (
        (INIT, spec.init_containers, status.init_container_statuses),
        (MAIN, spec.containers, status.container_statuses),
        (EPHEMERAL, spec.ephemeral_containers, status.ephemeral_container_statuses),
    ):
        held = {each.name: each for each in statuses or ()}
        found += [_container(each.name, kind, held.get(each.name), pod) for each in named or ()]
    return found


def _container(name: str, kind: str, status: _Status | None, pod: LogPod) -> Container:
    if status is None:
        return Container(name, kind, words=f"waiting: {_unstarted(pod)}")
    restarts, state = status.restart_count, status.state
    instance = status.container_id or f"{pod.metadata.uid}/{restarts}"
    if state.running is not None:
        return Container(name, kind, instance, restarts, True)
    if state.terminated is not None:
        return Container(name, kind, instance, restarts, words=f"ended: {ended(state.terminated)}")
    waiting = state.waiting
    why = ": ".join(part for part in (waiting.reason, " ".join(waiting.message.split())) if part) if waiting else ""
    words = f"waiting: {why or _unstarted(pod)}"
    last = status.last_state.terminated
    if last is None:
        return Container(name, kind, "", restarts, words=words)
    return Container(name, kind, instance, restarts, words=f"{words}; it ended: {ended(last)}")


def ended(state: Terminated) -> str:
    """How a container ended: `OOMKilled, exit code 137`."""
    code = f"signal {state.signal}" if state.signal else f"exit code {state.exit_code}"
    return f"{state.reason}, {code}" if state.reason else code


def _unstarted(pod: LogPod) -> str:
    """Why no container of a pod has been started."""
    for each in pod.status.conditions or ():
        if each.type == "PodScheduled" and each.status == "False":
            return ": ".join(part for part in (each.reason, " ".join(each.message.split())) if part)
    said = ": ".join(part for part in (pod.status.reason, " ".join(pod.status.message.split())) if part)
    return said or "not started yet"
