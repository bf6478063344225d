"""Health rules that Argo CD ships as scripts, for the kinds that a fleet of clusters most often has.

Each follows Argo CD's own expectations (v3.5) for its kind; kinds that are missing have no health in fleet rather
than a guessed one. Argo CD 2.8 had 87 such scripts and 3.5 has 238, so older hubs may know fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tui.domain.kinds.kind import Health

Script = Callable[[Mapping[str, Any]], Health]


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _status(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return _map(manifest.get("status"))


def _conditions(held: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = held.get("conditions")
    return (
        {str(each.get("type")): each for each in found if isinstance(each, Mapping)} if isinstance(found, list) else {}
    )


def _says(condition: Mapping[str, Any] | None, status: str) -> bool:
    return condition is not None and str(condition.get("status")) == status


def _message(condition: Mapping[str, Any] | None) -> str:
    return str((condition or {}).get("message") or "")


def _seen(manifest: Mapping[str, Any]) -> bool:
    """Whether the controller has taken in the newest spec, as far as it says."""
    observed, generation = _status(manifest).get("observedGeneration"), _map(manifest.get("metadata")).get("generation")
    return not (isinstance(observed, int) and isinstance(generation, int) and observed < generation)


def ready(manifest: Mapping[str, Any]) -> Health:
    """The common pattern: the condition Ready."""
    found = _conditions(_status(manifest)).get("Ready")
    if _says(found, "False"):
        return Health("Degraded", _message(found))
    return Health("Healthy", _message(found)) if _says(found, "True") else Health("Progressing", _message(found))


def certificate(manifest: Mapping[str, Any]) -> Health:
    """cert-manager: while a certificate is being issued, Ready does not count."""
    issuing = _conditions(_status(manifest)).get("Issuing")
    return Health("Progressing", _message(issuing)) if _says(issuing, "True") else ready(manifest)


def definition(manifest: Mapping[str, Any]) -> Health:
    """CustomResourceDefinition: names accepted, schema structural, established."""
    held = _conditions(_status(manifest))
    if not held:
        return Health("Progressing", "Status conditions not found")
    if _says(held.get("Terminating"), "True"):
        return Health("Progressing", "CRD is being terminated")
    if _says(held.get("NamesAccepted"), "False"):
        return Health("Degraded", f"CRD names have not been accepted: {_message(held['NamesAccepted'])}")
    if _says(held.get("Established"), "False") and held["Established"].get("reason") == "Installing":
        return Health("Progressing", f"CRD is being installed: {_message(held['Established'])}")
    if "Established" in held and not _says(held["Established"], "True"):
        return Health("Degraded", f"CRD is not established: {_message(held['Established'])}")
    if _says(held.get("NonStructuralSchema"), "True"):
        return Health("Degraded", f"Schema violations found: {_message(held['NonStructuralSchema'])}")
    if "Established" not in held:
        return Health("Progressing", "CRD is not established yet")
    return Health("Healthy", "CRD is healthy")


def application_set(manifest: Mapping[str, Any]) -> Health:
    """ApplicationSet: an error, or resources that are not up to date, are Degraded."""
    held = _conditions(_status(manifest))
    if _says(held.get("ErrorOccurred"), "True"):
        return Health("Degraded", _message(held["ErrorOccurred"]))
    if _says(held.get("RolloutProgressing"), "True"):
        return Health("Progressing", _message(held["RolloutProgressing"]))
    if _says(held.get("ResourcesUpToDate"), "True"):
        return Health("Healthy", _message(held["ResourcesUpToDate"]))
    if _says(held.get("ResourcesUpToDate"), "False"):
        return Health("Degraded", _message(held["ResourcesUpToDate"]))
    return Health("Progressing", "Waiting for the status to be reported")


def rollout(manifest: Mapping[str, Any]) -> Health:
    """Argo Rollouts: its own phase, once the controller has seen the newest spec."""
    status, spec = _status(manifest), _map(manifest.get("spec"))
    if not _seen_rollout(manifest):
        return Health("Progressing", "Waiting for rollout spec update to be observed")
    words = {"Healthy": "Healthy", "Degraded": "Degraded", "Progressing": "Progressing", "Paused": "Suspended"}
    if (phase := status.get("phase")) in words:
        return Health(words[str(phase)], str(status.get("message") or ""))
    held = _conditions(status)
    if spec.get("paused") or _says(held.get("Paused"), "True") or status.get("pauseConditions"):
        return Health("Suspended", "Rollout is paused")
    for each in held.values():
        if each.get("type") == "InvalidSpec" or each.get("reason") in ("RolloutAborted", "ProgressDeadlineExceeded"):
            return Health("Degraded", _message(each))
    return Health("Healthy") if _rolled_out(manifest) else Health("Progressing", "Waiting for rollout to finish")


def _rolled_out(manifest: Mapping[str, Any]) -> bool:
    """Before 1.0 a Rollout has no phase: done is when the newest pods are the stable or active ones, all there."""
    status = _status(manifest)
    stable = (status.get("stableRS"), _map(status.get("canary")).get("stableRS"))
    active = _map(status.get("blueGreen")).get("activeSelector")
    counts = {status.get(name) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    return bool(status.get("currentPodHash")) and status["currentPodHash"] in (*stable, active) and len(counts) == 1


def _seen_rollout(manifest: Mapping[str, Any]) -> bool:
    """Rollouts keep observedGeneration as text: a number since 1.0, a hash before, which cannot be compared."""
    meta, status = _map(manifest.get("metadata")), _status(manifest)
    workload = _map(meta.get("annotations")).get("rollout.argoproj.io/workload-generation")
    for observed, wanted in (
        (status.get("observedGeneration"), meta.get("generation")),
        (status.get("workloadObservedGeneration"), workload),
    ):
        if str(observed).isdigit() and str(wanted).isdigit() and int(str(observed)) < int(str(wanted)):
            return False
    return True


def phase(words: Mapping[str, str], field: str = "phase") -> Script:
    """A rule that reads one word of the status; words it does not know are Progressing."""

    def script(manifest: Mapping[str, Any]) -> Health:
        status = _status(manifest)
        return Health(words.get(str(status.get(field)), "Progressing"), str(status.get("message") or ""))

    return script


def gateway(manifest: Mapping[str, Any]) -> Health:
    """Gateway: its own conditions, then those of its listeners; programmed last."""
    status = _status(manifest)
    parts = [_conditions(status), *(_conditions(_map(each)) for each in status.get("listeners") or ())]
    return _accepted(parts, manifest)


def route(manifest: Mapping[str, Any]) -> Health:
    """HTTPRoute and its kin: the conditions of each parent."""
    return _accepted([_conditions(_map(each)) for each in _status(manifest).get("parents") or ()], manifest)


def backend_policy(manifest: Mapping[str, Any]) -> Health:
    """BackendTLSPolicy: the conditions of each ancestor."""
    return _accepted([_conditions(_map(each)) for each in _status(manifest).get("ancestors") or ()], manifest)


def _accepted(parts: Iterable[Mapping[str, Mapping[str, Any]]], manifest: Mapping[str, Any]) -> Health:
    found, generation = list(parts), _map(manifest.get("metadata")).get("generation")
    for held in found:
        for name in ("ResolvedRefs", "Accepted"):
            if _says(held.get(name), "False") and _current(held[name], generation):
                return Health("Degraded", _message(held[name]))
    for held in found:
        if any(not _current(each, generation) for each in held.values()):
            return Health("Progressing", "Waiting for the newest spec to be observed")
        for name in ("Progressing", "Programmed"):
            each = held.get(name)
            if each is not None and (name == "Progressing") == _says(each, "True"):
                return Health("Progressing", _message(each))
    return Health("Healthy") if any(found) else Health("Progressing", "Waiting for status")


def _current(condition: Mapping[str, Any], generation: Any) -> bool:
    observed = condition.get("observedGeneration")
    return not (isinstance(observed, int) and isinstance(generation, int) and observed != generation)


def capi_cluster(manifest: Mapping[str, Any]) -> Health:
    """Cluster API Cluster: paused, failed or not ready, provisioned."""
    status, held = _status(manifest), _conditions(_status(manifest))
    if _map(manifest.get("spec")).get("paused"):
        return Health("Suspended", "Cluster is paused")
    if status.get("phase") == "Failed":
        return Health("Degraded", _message(held.get("Ready")))
    if _says(held.get("Ready"), "False"):
        return Health("Degraded", _message(held["Ready"]))
    return Health("Healthy" if status.get("phase") == "Provisioned" else "Progressing", str(status.get("phase") or ""))


_READY = {
    "cert-manager.io": ("ClusterIssuer", "Issuer"),
    "external-secrets.io": ("ExternalSecret", "PushSecret"),
    "image.toolkit.fluxcd.io": ("ImagePolicy", "ImageUpdateAutomation"),
    "karpenter.k8s.aws": ("EC2NodeClass",),
    "karpenter.sh": ("NodePool",),
    "kustomize.toolkit.fluxcd.io": ("Kustomization",),
    "notification.toolkit.fluxcd.io": ("Receiver",),
    "source.toolkit.fluxcd.io": ("HelmChart",),
    "onepassword.com": ("OnePasswordItem",),
}
_ANALYSIS = {
    "Pending": "Progressing",
    "Running": "Progressing",
    "Successful": "Healthy",
    "Failed": "Degraded",
    "Error": "Degraded",
    "Inconclusive": "Unknown",
}

SCRIPTS: dict[tuple[str, str], Script] = {
    **{(group, kind): ready for group, kinds in _READY.items() for kind in kinds},
    ("cert-manager.io", "Certificate"): certificate,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definition,
    ("argoproj.io", "ApplicationSet"): application_set,
    ("argoproj.io", "Rollout"): rollout,
    ("argoproj.io", "AnalysisRun"): phase(_ANALYSIS),
    ("gateway.networking.k8s.io", "Gateway"): gateway,
    ("gateway.networking.k8s.io", "HTTPRoute"): route,
    ("gateway.networking.k8s.io", "GRPCRoute"): route,
    ("gateway.networking.k8s.io", "TLSRoute"): route,
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): backend_policy,
    ("cluster.x-k8s.io", "Cluster"): capi_cluster,
}
