"""Pods: kubectl's status word, ready count and restarts, and Argo CD's health of a pod."""

from __future__ import annotations

import msgspec

from tui.domain.kinds import columns as c
from tui.domain.kinds.kind import Cell, Facts, Health, Kind, Tone, Value
from tui.domain.obj import Object


class _Struct(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class Waiting(_Struct, frozen=True, gc=False):
    reason: str = ""
    message: str = ""


class Terminated(_Struct, frozen=True, gc=False):
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    signal: int = 0


class Running(_Struct, frozen=True, gc=False):
    started_at: str | None = None


class ContainerState(_Struct, frozen=True, gc=False):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Struct, frozen=True, gc=False):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class ContainerPort(_Struct, frozen=True, gc=False):
    name: str = ""
    container_port: int = 0
    protocol: str = "TCP"


class Container(_Struct, frozen=True, gc=False):
    name: str = ""
    image: str = ""
    ports: tuple[ContainerPort, ...] | None = None
    restart_policy: str = ""  # Always on an init container: a sidecar


class Condition(_Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodSpec(_Struct, frozen=True, gc=False):
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    node_name: str = ""
    restart_policy: str = "Always"
    host_network: bool = False
    service_account_name: str = ""


class PodStatus(_Struct, frozen=True, gc=False):
    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    conditions: tuple[Condition, ...] | None = None


class Pod(Object, frozen=True, gc=False):
    """The record of a pod's row."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


def _condition(pod: Pod, kind: str) -> bool:
    return any(each.type == kind and each.status == "True" for each in pod.status.conditions or ())


def _ended(terminated: Terminated, prefix: str = "") -> str:
    if terminated.reason:
        return prefix + terminated.reason
    return f"{prefix}Signal:{terminated.signal}" if terminated.signal else f"{prefix}ExitCode:{terminated.exit_code}"


def _initialising(pod: Pod) -> str:
    """The `Init:…` word of the first init container that is not done; "" when all are. Rule: kubectl's printPod."""
    sidecars = {each.name for each in pod.spec.init_containers or () if each.restart_policy == "Always"}
    for index, status in enumerate(pod.status.init_container_statuses or ()):
        state = status.state
        if state.terminated is not None and state.terminated.exit_code == 0:
            continue
        if status.name in sidecars and status.started:
            continue
        if state.terminated is not None:
            return _ended(state.terminated, "Init:")
        if state.waiting is not None and state.waiting.reason not in ("", "PodInitializing"):
            return f"Init:{state.waiting.reason}"
        return f"Init:{index}/{len(pod.spec.init_containers or ())}"
    return ""


def status_word(pod: Pod) -> str:
    """What kubectl prints in STATUS: the phase, or the reason that says more. Rule: kubectl's printPod."""
    status = pod.status
    word = status.reason or status.phase
    if any(each.type == "PodScheduled" and each.reason == "SchedulingGated" for each in status.conditions or ()):
        word = "SchedulingGated"
    initialising = _initialising(pod)
    word = initialising or word
    if not initialising or _condition(pod, "Initialized"):
        running = False
        for each in reversed(status.container_statuses or ()):
            if each.state.waiting is not None and each.state.waiting.reason:
                word = each.state.waiting.reason
            elif each.state.terminated is not None:
                word = _ended(each.state.terminated)
            elif each.ready and each.state.running is not None:
                running = True
        if word == "Completed" and running:
            word = "Running" if _condition(pod, "Ready") else "NotReady"
    if pod.metadata.deletion_timestamp:
        if status.reason == "NodeLost":
            return "Unknown"
        if status.phase not in ("Succeeded", "Failed"):
            return "Terminating"
    return word


def ready(pod: Pod) -> str:
    """`1/2`: ready containers of all; sidecars (restartable init containers) count."""
    sidecars = {each.name for each in pod.spec.init_containers or () if each.restart_policy == "Always"}
    have = sum(
        each.ready and each.name in sidecars and bool(each.started) for each in pod.status.init_container_statuses or ()
    )
    have += sum(each.ready and each.state.running is not None for each in pod.status.container_statuses or ())
    return f"{have}/{len(pod.spec.containers or ()) + len(sidecars)}"


def restarts(pod: Pod) -> int:
    """Restarts of its containers; those of ordinary init containers count only while it is initialising."""
    of_init = pod.status.init_container_statuses or ()
    if _initialising(pod) and not _condition(pod, "Initialized"):
        return sum(each.restart_count for each in of_init)
    sidecars = {each.name for each in pod.spec.init_containers or () if each.restart_policy == "Always"}
    kept = sum(each.restart_count for each in of_init if each.name in sidecars)
    return kept + sum(each.restart_count for each in pod.status.container_statuses or ())


def reason(pod: Pod) -> str:
    """Why it is not well, in one line: the message of the container or condition that holds it up; "" when none."""
    for each in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())):
        held = each.state.waiting or (
            each.state.terminated if (each.state.terminated or Terminated()).exit_code else None
        )
        if held is not None and held.message:
            return " ".join(held.message.split())
    if pod.status.message:
        return " ".join(pod.status.message.split())
    stuck = (each for each in pod.status.conditions or () if each.status == "False" and each.type == "PodScheduled")
    return " ".join(next((each.message for each in stuck), "").split())


def _stuck(word: str) -> bool:
    return word.startswith("Err") or word.endswith(("Error", "BackOff"))


def health(pod: Pod) -> Health:
    """Argo CD's health of a pod (gitops-engine/pkg/health)."""
    statuses, policy = pod.status.container_statuses or (), pod.spec.restart_policy or "Always"
    if policy == "Always":
        stuck = [each.state.waiting for each in statuses if each.state.waiting and _stuck(each.state.waiting.reason)]
        if stuck:
            return Health("Degraded", ", ".join(waiting.message for waiting in stuck))
    match pod.status.phase:
        case "Pending":
            return Health("Progressing", pod.status.message)
        case "Succeeded":
            return Health("Healthy", pod.status.message)
        case "Failed":
            return Health("Degraded", _failure(pod))
        case "Running" if policy == "Always":
            if _condition(pod, "Ready"):
                return Health("Healthy", pod.status.message)
            ended = any(each.last_state.terminated is not None for each in statuses)
            return Health("Degraded" if ended else "Progressing", pod.status.message)
        case "Running":
            return Health("Progressing", pod.status.message)
    return Health("Unknown", pod.status.message)


def _failure(pod: Pod) -> str:
    if pod.status.message:
        return pod.status.message
    for each in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())):
        ended = each.state.terminated
        if ended is None:
            continue
        if ended.message:
            return ended.message
        if ended.reason == "OOMKilled":
            return ended.reason
        if ended.exit_code:
            return f'container "{each.name}" failed with exit code {ended.exit_code}'
    return ""


def _show_restarts(value: Value, now: float) -> Cell:
    return Cell(str(value), Tone.WARN if value else Tone.MUTED)


def pod_state(pod: Pod, facts: Facts) -> Cell:
    """For trees: kubectl's word; a running pod that is not ready is not shown as good."""
    word = status_word(pod)
    cell = c.state_cell(word)
    if word == "Running" and not _condition(pod, "Ready"):
        return Cell(f"◌ Running {ready(pod)}", Tone.BUSY)
    return cell


PODS = Kind(
    plural="pods",
    kind="Pod",
    short=("po",),
    record=Pod,
    state=pod_state,
    health=health,
    columns=c.namespaced(
        c.of("ready", "READY", ready, c.show_ratio, 6, right=True),
        c.of("status", "STATUS", status_word, c.show_state, 18, least=9),
        c.of("restarts", "RESTARTS", restarts, _show_restarts, 8, least=3, right=True),
        c.of("node", "NODE", lambda pod: pod.spec.node_name, c.show_muted, 20, least=6),
        c.of("ip", "IP", lambda pod: pod.status.pod_ip, c.show_muted, 15, wide=True),
        c.of(
            "images",
            "IMAGES",
            lambda pod: ", ".join(each.image for each in pod.spec.containers or ()),
            width=40,
            wide=True,
        ),
        c.of("reason", "REASON", reason, c.show_bad, 40, grow=1, wide=True),
    ),
)
