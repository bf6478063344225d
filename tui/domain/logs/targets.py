"""Whose pods an object's logs are: by its manifest, and what people write to name it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tui.domain import selector
from tui.domain.kinds import find
from tui.domain.kinds.argo import APPLICATIONS
from tui.domain.logs.asked import Selection
from tui.domain.obj import Ref

WORKLOADS = frozenset(
    {"deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch"}
)
ALIKE = frozenset({"pods", "ciliumendpoints.cilium.io"})  # an endpoint is called as its pod
WITH_LOGS = WORKLOADS | ALIKE | {"services", APPLICATIONS.resource}
MANY = 8  # workloads of one namespace; more are read by one watch of all its pods


class Target(NamedTuple):
    """`KIND/NAME` as it was written; the name may be a glob."""

    resource: str
    name: str

    def admits(self, ref: Ref) -> bool:
        """Whether an object is meant."""
        return ref.resource == self.resource and fnmatchcase(ref.name, self.name)


class Wanted(NamedTuple):
    """Whose logs are wanted, in words. Without targets: the pods with the labels."""

    targets: tuple[Target, ...] = ()
    labels: str = ""
    cluster: str = ""  # glob; "" = not said
    namespace: str = ""
    container: str = "*"  # glob
    previous: bool = False


def target(word: str) -> Target:
    """What `deploy/web`, `app/shop` or, for a pod, `web-0` means. Raises ValueError in words."""
    kind, slash, name = word.partition("/")
    if not slash:
        return Target("pods", word)
    found = find(kind)
    if found is None or found.resource not in WITH_LOGS:
        known = "pod, deploy, sts, ds, rs, job, cronjob, svc and app"
        raise ValueError(f"{kind} has no logs: {known} have")
    if not name:
        raise ValueError(f"{word}: a name is missing after the slash")
    return Target(found.resource, name)


def parse(line: str) -> Wanted:
    """What `:logs` is given: targets, `@cluster`, `-n NS`, `-l SELECTOR`, `-c CONTAINER`, `-p`. Raises ValueError."""
    found = Wanted()
    words = iter(shlex.split(line))
    for word in words:
        if word in ("-n", "-l", "-c"):
            value = next(words, "")
            if not value:
                raise ValueError(f"{word} needs a value")
            if word == "-l":
                selector.parse(value)
                found = found._replace(labels=value)
            else:
                found = found._replace(namespace=value) if word == "-n" else found._replace(container=value)
        elif word in ("-p", "--previous"):
            found = found._replace(previous=True)
        elif word.startswith("@") and len(word) > 1:
            found = found._replace(cluster=word[1:])
        elif word.startswith("-"):
            raise ValueError(f"{word} is not known here: -n NS, -l SELECTOR, -c CONTAINER and -p are")
        else:
            found = found._replace(targets=(*found.targets, target(word)))
    return found


def of_object(ref: Ref, manifest: Mapping[str, Any]) -> Selection | None:
    """The pods of a workload, Service or pod; None when it selects none."""
    if ref.resource in ALIKE:
        return Selection(ref.cluster, ref.namespace, ref.name)
    if ref.resource == "cronjobs.batch":
        return Selection(ref.cluster, ref.namespace, labels=("batch.kubernetes.io/job-name",), job_of=ref.name)
    chosen = (manifest.get("spec") or {}).get("selector")
    if not isinstance(chosen, Mapping) or not chosen:
        return None
    try:
        labels = selector.from_object({"matchLabels": chosen} if ref.resource == "services" else chosen)
    except ValueError:
        return None
    return Selection(ref.cluster, ref.namespace, labels=(str(labels),)) if labels.requirements else None


def together(found: Iterable[Selection]) -> list[Selection]:
    """The same pods with fewer watches."""
    made: list[Selection] = []
    by_place: defaultdict[tuple[str, str], list[Selection]] = defaultdict(list)
    for each in dict.fromkeys(found):
        if each.name or each.job_of or len(each.labels) != 1:
            made.append(each)
        else:
            by_place[each.cluster, each.namespace].append(each)
    for (cluster, namespace), alike in by_place.items():
        if len(alike) > MANY:
            made.append(Selection(cluster, namespace, labels=tuple(each.labels[0] for each in alike)))
        else:
            made += alike
    return made


def title(refs: Sequence[Ref], wanted: Wanted | None = None) -> str:
    """What the logs are called together."""
    if len(refs) == 1:
        ref = refs[0]
        kind = find(ref.resource)
        name = f"{kind.kind} {ref.name}" if kind is not None else ref.name
        return " · ".join(part for part in (name, ref.cluster, ref.namespace) if part)
    if wanted is not None and wanted.labels:
        return " · ".join(part for part in (wanted.labels, wanted.cluster, wanted.namespace) if part)
    clusters = {ref.cluster for ref in refs}
    where = clusters.pop() if len(clusters) == 1 else f"{len(clusters)} clusters"
    return f"{len(refs)} objects · {where}"
