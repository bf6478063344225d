"""Values of Table cells: what `kubectl get` shows for the common kinds, computed from a decoded object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Obj = Mapping[str, Any]

NONE = "<none>"
UNKNOWN = "<unknown>"


def at(obj: Any, path: str, default: Any = None) -> Any:
    """The value at a dotted path, or `default` when any step is missing or null."""
    for key in path.split("."):
        if not isinstance(obj, Mapping):
            return default
        obj = obj.get(key)
        if obj is None:
            return default
    return obj


def seconds_of(text: Any) -> float | None:
    """Epoch seconds of an RFC 3339 time, or None when it is none."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def duration(seconds: float) -> str:
    """A length of time as kubectl abbreviates it: 95s, 5m20s, 3h, 4d6h, 1y20d."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    total = max(total, 0)
    minutes, hours, days = total // 60, total // 3600, total // 86400
    years = days // 365
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if years < 2:
        return f"{days}d"
    if years < 8:
        return f"{years}y{days % 365}d" if days % 365 else f"{years}y"
    return f"{years}y"


def age_of(text: Any, now: float) -> str:
    """How long ago an RFC 3339 time was."""
    seconds = seconds_of(text) if text else None
    return UNKNOWN if seconds is None else duration(now - seconds)


def name(obj: Obj, now: float) -> Any:
    """metadata.name."""
    return at(obj, "metadata.name", "")


def age(obj: Obj, now: float) -> Any:
    """Time since creation."""
    return age_of(at(obj, "metadata.creationTimestamp"), now)


def joined(values: Iterable[Any]) -> str:
    """Comma separated, or <none>."""
    return ",".join(str(value) for value in values) or NONE


def selector_text(selector: Any) -> str:
    """A label selector (the plain map of a service, or matchLabels and matchExpressions) in one line."""
    if not isinstance(selector, Mapping) or not selector:
        return NONE
    if not {"matchLabels", "matchExpressions"} & set(selector):
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or ():
        operator, values = term.get("operator"), ",".join(term.get("values") or ())
        key = term.get("key", "")
        parts.append(
            {"Exists": key, "DoesNotExist": f"!{key}"}.get(operator, f"{key} {str(operator).lower()} ({values})")
        )
    return ",".join(parts) or NONE


def containers(obj: Obj, now: float) -> Any:
    """Names of the pod template's containers."""
    return joined(c.get("name", "") for c in at(obj, "spec.template.spec.containers", ()))


def images(obj: Obj, now: float) -> Any:
    """Images of the pod template's containers."""
    return joined(c.get("image", "") for c in at(obj, "spec.template.spec.containers", ()))


def template_selector(obj: Obj, now: float) -> Any:
    """spec.selector in one line."""
    return selector_text(at(obj, "spec.selector"))


def pod_ready(obj: Obj, now: float) -> Any:
    """Ready containers of all."""
    ready = sum(bool(c.get("ready")) for c in at(obj, "status.containerStatuses", ()))
    return f"{ready}/{len(at(obj, 'spec.containers', ()))}"


def pod_status(obj: Obj, now: float) -> Any:
    """The one word for a pod: a container's reason before the pod's, the pod's before its phase."""
    reason = at(obj, "status.reason") or at(obj, "status.phase", "Unknown")
    initial = at(obj, "status.initContainerStatuses", ())
    for index, status in enumerate(initial):
        state = status.get("state") or {}
        done, waiting = state.get("terminated"), state.get("waiting")
        if (done is not None and not done.get("exitCode")) or status.get("started"):
            continue
        if done is not None:
            return _terminated("Init:", done)
        if waiting and waiting.get("reason") not in (None, "PodInitializing"):
            return "Init:" + str(waiting["reason"])
        return f"Init:{index}/{len(initial)}"
    running = False
    for status in reversed(at(obj, "status.containerStatuses", ())):
        state = status.get("state") or {}
        if at(state, "waiting.reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated") is not None:
            reason = _terminated("", state["terminated"])
        elif status.get("ready") and state.get("running") is not None:
            running = True
    if reason == "Completed" and running:
        reason = "Running"
    if at(obj, "metadata.deletionTimestamp"):
        return "Unknown" if at(obj, "status.reason") == "NodeLost" else "Terminating"
    return reason


def _terminated(prefix: str, state: Mapping[str, Any]) -> str:
    if state.get("reason"):
        return prefix + str(state["reason"])
    if state.get("signal"):
        return f"{prefix}Signal:{state['signal']}"
    return f"{prefix}ExitCode:{state.get('exitCode', 0)}"


def pod_restarts(obj: Obj, now: float) -> Any:
    """Restarts of all containers, with the time since the last one."""
    statuses = at(obj, "status.containerStatuses", ())
    count = sum(int(c.get("restartCount", 0)) for c in statuses)
    ends = [seconds_of(at(c, "lastState.terminated.finishedAt")) for c in statuses]
    known = [end for end in ends if end is not None]
    return f"{count} ({duration(now - max(known))} ago)" if count and known else str(count)


def readiness_gates(obj: Obj, now: float) -> Any:
    """Met gates of all, or <none>."""
    gates = [gate.get("conditionType") for gate in at(obj, "spec.readinessGates", ())]
    return f"{sum(condition(obj, str(gate)) == 'True' for gate in gates)}/{len(gates)}" if gates else NONE


def condition(obj: Obj, type_: str) -> str:
    """Status of a condition, "" when it is not there."""
    found = (c.get("status", "") for c in at(obj, "status.conditions", ()) if c.get("type") == type_)
    return str(next(found, ""))


def deployment_ready(obj: Obj, now: float) -> Any:
    """Ready replicas of the desired ones."""
    return f"{at(obj, 'status.readyReplicas', 0)}/{at(obj, 'spec.replicas', 1)}"


def ports(obj: Obj, now: float) -> Any:
    """Ports of a service, with node ports."""
    return joined(
        f"{p.get('port')}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', 'TCP')}"
        for p in at(obj, "spec.ports", ())
    )


def external_ip(obj: Obj, now: float) -> Any:
    """Where a service is reached from outside."""
    ingress = [i.get("ip") or i.get("hostname") for i in at(obj, "status.loadBalancer.ingress", ())]
    known = [*at(obj, "spec.externalIPs", ()), *ingress]
    if at(obj, "spec.type") == "ExternalName":
        return at(obj, "spec.externalName", "")
    if not known and at(obj, "spec.type") == "LoadBalancer":
        return "<pending>"
    return joined(known)


def node_status(obj: Obj, now: float) -> Any:
    """Ready or not, and whether pods may be scheduled."""
    words = {"True": "Ready", "False": "NotReady"}
    status = words.get(condition(obj, "Ready"), "Unknown" if not condition(obj, "Ready") else "NotReady")
    return status + (",SchedulingDisabled" if at(obj, "spec.unschedulable") else "")


def node_roles(obj: Obj, now: float) -> Any:
    """Roles by the well-known label prefix."""
    prefix = "node-role.kubernetes.io/"
    labels = at(obj, "metadata.labels", {})
    return joined(sorted(label.removeprefix(prefix) for label in labels if label.startswith(prefix)))


def node_address(type_: str) -> Any:
    """A cell with the node's address of one type."""

    def cell(obj: Obj, now: float) -> Any:
        found = (a.get("address") for a in at(obj, "status.addresses", ()) if a.get("type") == type_)
        return next(found, NONE)

    return cell


def job_completions(obj: Obj, now: float) -> Any:
    """Succeeded pods of the wanted ones."""
    done = at(obj, "status.succeeded", 0)
    if at(obj, "spec.completions") is None:
        return f"{done}/1 of {at(obj, 'spec.parallelism', 1)}" if at(obj, "spec.parallelism", 1) > 1 else f"{done}/1"
    return f"{done}/{at(obj, 'spec.completions')}"


def job_status(obj: Obj, now: float) -> Any:
    """Complete, Failed, Suspended or Running."""
    for type_, word in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition(obj, type_) == "True":
            return word
    return "Terminating" if at(obj, "metadata.deletionTimestamp") else "Running"


def job_duration(obj: Obj, now: float) -> Any:
    """How long a job ran or has been running."""
    start, end = seconds_of(at(obj, "status.startTime")), seconds_of(at(obj, "status.completionTime"))
    return "" if start is None else duration((end if end is not None else now) - start)


def event_object(obj: Obj, now: float) -> Any:
    """kind/name of what an event is about."""
    kind, target = str(at(obj, "involvedObject.kind", "")).lower(), at(obj, "involvedObject.name", "")
    return f"{kind}/{target}" if target else kind


def last_seen(obj: Obj, now: float) -> Any:
    """Time since an event was last seen."""
    moments = ("series.lastObservedTime", "lastTimestamp", "eventTime", "metadata.creationTimestamp")
    return age_of(next((at(obj, moment) for moment in moments if at(obj, moment)), None), now)


def first_seen(obj: Obj, now: float) -> Any:
    """Time since an event was first seen."""
    return age_of(at(obj, "firstTimestamp") or at(obj, "eventTime"), now)


def event_source(obj: Obj, now: float) -> Any:
    """Component and host that reported an event."""
    host = at(obj, "source.host", "")
    component = at(obj, "source.component") or at(obj, "reportingComponent", "")
    return f"{component}, {host}" if host else component


def addresses(obj: Obj, now: float) -> Any:
    """Endpoints as address:port, the first three."""
    pairs = [
        f"{address.get('ip')}:{port.get('port')}"
        for subset in at(obj, "subsets", ())
        for port in subset.get("ports") or [{}]
        for address in subset.get("addresses") or ()
    ]
    more = f" + {len(pairs) - 3} more..." if len(pairs) > 3 else ""
    return joined(pairs[:3]) + more


def ingress_hosts(obj: Obj, now: float) -> Any:
    """Hosts of an ingress' rules."""
    return ",".join(rule.get("host") or "*" for rule in at(obj, "spec.rules", ())) or "*"


def quota(prefix: str) -> Any:
    """A cell with used and hard amounts of a quota: the limits, or everything else."""

    def cell(obj: Obj, now: float) -> Any:
        hard, used = at(obj, "status.hard", {}), at(obj, "status.used", {})
        wanted = [key for key in sorted(hard) if key.startswith("limits.") == (prefix == "limits.")]
        return ", ".join(f"{key}: {used.get(key, 0)}/{hard[key]}" for key in wanted)

    return cell


def reference(target: Mapping[str, Any]) -> str:
    """Kind/name of a reference, or <none>."""
    return f"{target.get('kind', '')}/{target.get('name', '')}" if target else NONE


def controller(obj: Obj, now: float) -> Any:
    """The owner that controls an object."""
    owners = at(obj, "metadata.ownerReferences", ())
    found = next((owner for owner in owners if owner.get("controller")), None)
    if found is None:
        return NONE
    group = str(found.get("apiVersion", "")).rpartition("/")[0]
    return f"{found.get('kind', '').lower()}{'.' + group if group else ''}/{found.get('name', '')}"


def targets(obj: Obj, now: float) -> Any:
    """What a horizontal autoscaler measures, current over wanted."""
    current = {at(m, "resource.name"): m for m in at(obj, "status.currentMetrics", ()) if m.get("type") == "Resource"}
    parts = []
    for metric in at(obj, "spec.metrics", ()):
        if metric.get("type") != "Resource":
            parts.append(f"{str(metric.get('type', '')).lower()}: {UNKNOWN}")
            continue
        name_, field = at(metric, "resource.name"), "averageUtilization"
        wanted, now_ = at(metric, f"resource.target.{field}"), at(current.get(name_), f"resource.current.{field}")
        parts.append(
            f"{name_}: {UNKNOWN if now_ is None else f'{now_}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"
        )
    return ", ".join(parts) or NONE


def service_of(obj: Obj) -> Any:
    """The service behind an APIService, or Local."""
    service = at(obj, "spec.service", {})
    return f"{service.get('namespace')}/{service.get('name')}" if service else "Local"
