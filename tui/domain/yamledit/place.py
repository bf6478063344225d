"""Where a new key goes: after what usually stands before it, or in alphabetical order where the keys are in order."""

from __future__ import annotations

from collections.abc import Sequence

ORDERS: tuple[tuple[str, ...], ...] = (
    (  # any object
        "apiVersion", "kind", "metadata", "type", "immutable", "spec", "data", "stringData", "binaryData", "operation",
        "status",
    ),
    (  # metadata
        "name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers",
    ),
    (  # workloads
        "replicas", "revisionHistoryLimit", "minReadySeconds", "paused", "strategy", "updateStrategy", "serviceName",
        "selector", "template", "volumeClaimTemplates",
    ),
    (  # containers
        "name", "image", "imagePullPolicy", "command", "args", "workingDir", "ports", "envFrom", "env", "resources",
        "volumeMounts", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle", "securityContext",
    ),
    ("name", "newName", "newTag", "digest"),  # kustomize images
    ("requests", "limits"),
    ("repository", "registry", "tag", "digest", "pullPolicy", "pullSecrets"),  # Helm images
    (  # kustomization
        "apiVersion", "kind", "metadata", "namespace", "namePrefix", "nameSuffix", "resources", "components",
        "generators", "configMapGenerator", "secretGenerator", "labels", "commonLabels", "commonAnnotations", "images",
        "replicas", "patches", "replacements", "transformers",
    ),
    (  # Application
        "project", "source", "sources", "sourceHydrator", "destination", "syncPolicy", "ignoreDifferences", "info",
    ),
    ("repoURL", "chart", "path", "targetRevision", "ref", "helm", "kustomize", "directory", "plugin"),
    ("server", "name", "namespace"),
    ("automated", "syncOptions", "managedNamespaceMetadata", "retry"),
    ("prune", "selfHeal", "allowEmpty", "enabled"),
    (  # Cilium
        "endpointSelector", "nodeSelector", "ingress", "ingressDeny", "egress", "egressDeny", "enableDefaultDeny",
    ),
)  # fmt: skip


def natural(keys: Sequence[str], key: str, lead: bool = True) -> int:
    """The index among `keys` at which a new key belongs; len(keys) is the end.

    Without `lead` the alphabet alone puts no key before the first: it stands beside a dash and would have to move.
    """
    best = max(ORDERS, key=lambda order: (key in order) * (1 + sum(name in order for name in keys)))
    known = [name for name in keys if name in best]
    if key in best and known and 2 * len(known) >= len(keys):
        rank = best.index(key)
        later = [index for index, name in enumerate(keys) if name in best and best.index(name) > rank]
        earlier = [index for index, name in enumerate(keys) if name in best and best.index(name) < rank]
        return max(earlier) + 1 if earlier else min(later)
    if len(keys) > 1 and list(keys) == sorted(keys):
        return max(sum(name < key for name in keys), not lead)
    return len(keys)
