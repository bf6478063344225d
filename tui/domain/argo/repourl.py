"""When two repoURLs of Applications mean the same repository."""

from __future__ import annotations

import re

_SCP = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^/:@]+):(?!\d+/)(?P<path>[^/].*)$")


def normalise(url: str) -> str:
    """A comparable form of a repository URL: `ssh://git@host/path` for both ssh spellings, lower case, no `.git`.

    Argo CD's `util/git NormalizeGitURL`: lower case, scp form turned into a URL, `.git` and trailing slash dropped,
    userinfo kept for ssh only.
    """
    text = url.strip().lower().rstrip("/").removesuffix(".git")
    if "://" not in text and (found := _SCP.match(text)):
        user = text.partition("@")[0] if "@" in text.partition(":")[0] else ""
        text = f"ssh://{user + '@' if user else ''}{found['host']}/{found['path']}"
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        return text
    authority, slash, path = rest.partition("/")
    if scheme != "ssh":
        authority = authority.rpartition("@")[2]
    return f"{scheme}://{authority}{slash}{path}".rstrip("/")


def same(one: str, other: str) -> bool:
    """Whether two URLs name one repository in Argo CD's eyes."""
    return normalise(one) == normalise(other)
