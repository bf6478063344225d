"""Where a cluster stands in the tree: groups from the user's rules, from Argo CD cluster labels, or from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tui.domain.settings import GroupRule

# Words that people put into cluster names and labels, and the group they mean. First match wins, left to right.
STAGES = {
    "prod": "prod", "production": "prod", "prd": "prod", "live": "prod",
    "staging": "staging", "stage": "staging", "stg": "staging", "uat": "staging", "preprod": "staging",
    "dev": "dev", "develop": "dev", "development": "dev", "test": "dev", "qa": "dev", "sandbox": "dev",
    "edge": "edge", "store": "edge", "branch": "edge",
    "hub": "hub", "mgmt": "hub", "management": "hub", "argocd": "hub",
}  # fmt: skip
LABELS = ("group", "env", "environment", "stage", "tier")  # labels that name a group, best first, prefixes aside

_WORD = re.compile(r"[^a-zA-Z0-9]+|(?<=[a-zA-Z])(?=\d)")
_VCLUSTER = re.compile(r"^vcluster_(?P<name>[^_]+)_(?P<namespace>[^_]+)_(?P<host>.+)$")


def groups_of(name: str, labels: Mapping[str, str], rules: Iterable[GroupRule]) -> tuple[str, ...]:
    """The path of groups of a cluster, outermost first; () when nothing says one.

    The user's rules come first, in their order; then the labels of the cluster as Argo CD knows it; then its name.
    """
    for rule in rules:
        by_name = not rule.match or fnmatchcase(name, rule.match)
        by_labels = all(labels.get(key) == value for key, value in rule.labels.items())
        if (rule.match or rule.labels) and by_name and by_labels:
            return tuple(part for part in rule.group.split("/") if part)
    bare = {key.rpartition("/")[2]: value for key, value in labels.items()}
    for label in LABELS:
        if value := bare.get(label):
            return (STAGES.get(value.lower(), value),)
    for word in _WORD.split(name):
        if group := STAGES.get(word.lower()):
            return (group,)
    return ()


def host_of(context: str, contexts: Iterable[str]) -> str:
    """The context of the cluster that a virtual cluster runs in; "" when it is no vcluster or its host is not ours.

    vcluster's command line names contexts `vcluster_<name>_<namespace>_<host context>`.
    """
    match = _VCLUSTER.match(context)
    return match["host"] if match and match["host"] in set(contexts) else ""


def cluster_secret_name(server: str) -> str:
    """The name of the Secret that Argo CD's command line or API makes for a cluster with this URL.

    Source: Argo CD `util/db/secrets.go`: `cluster-<host in lower case, no port>-<FNV-1a 32 of the URL>`.
    """
    rest = server.partition("://")[2] or server
    authority = rest.partition("/")[0].rpartition("@")[2]
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    digest = 0x811C9DC5
    for byte in server.encode():
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"cluster-{host.lower().replace(':', '-')}-{digest}"
