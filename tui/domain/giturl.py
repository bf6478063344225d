"""Git remote URLs: which ones fleet will talk to, when two of them mean the same repository, and forge pages.

A repoURL comes from cluster objects that anyone may have written, so nothing is passed to git that is not one of the
plain forms below: no `ext::` and other helpers, no options, no control characters.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import msgspec

from tui.domain import redact

LONGEST = 2048  # characters of a URL that is accepted
_SCP = re.compile(r"(?:(?P<user>[A-Za-z0-9._~+-]+)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<path>[^/:].*|/.*)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PORTS = {"https": 443, "ssh": 22}
# ssh over the https port, as these forges document it: the same repositories under another host name
_ALIASES = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}
FORGES = ("github", "gitlab", "gitea", "bitbucket", "bitbucket-server", "azure")


class BadUrl(ValueError):
    """A URL that fleet will not hand to git; the text says why."""


class Remote(msgspec.Struct, frozen=True):
    """A remote repository, taken apart. `url` is what git is given, without a password (see `bare`); `key` is equal
    for all spellings of one remote."""

    url: str
    scheme: str  # https | ssh | file
    host: str  # lower case, without user; "" for file
    port: int  # 0 = the scheme's own
    path: str  # without leading and trailing slash and `.git`; for file the absolute path as written
    key: str


def parse(url: str) -> Remote:
    """The parts of a remote URL.

    Accepts `https://`, `ssh://`, the scp form `user@host:path`, `file:///path` and absolute local paths. Raises
    BadUrl for every other form and for anything that could be read as an option or a helper.
    """
    if not url or len(url) > LONGEST:
        raise BadUrl("the repository URL is empty" if not url else f"the repository URL is longer than {LONGEST}")
    if any(char.isspace() or ord(char) < 32 or ord(char) == 127 for char in url):
        raise BadUrl("the repository URL contains blanks or control characters")
    if url.startswith("-"):
        raise BadUrl("the repository URL starts with a dash")
    if re.match(r"[A-Za-z0-9+.-]*::", url):
        raise BadUrl("the repository URL names a transport helper, which could run commands")
    if url.startswith("/"):
        return _local(url, url)
    scheme, separator, _ = url.partition("://")
    if separator:
        return _of_scheme(url, scheme.lower())
    match = _SCP.fullmatch(url)
    # one letter is a drive, and a scheme's name without its slashes a slip
    if not match or len(match["host"]) == 1 or match["host"].lower() in ("file", "http", "https", "ssh", "git", "oci"):
        raise BadUrl("the repository URL is none of https://, ssh://, user@host:path, file:/// and an absolute path")
    if match["path"].lstrip("/").startswith("-"):
        raise BadUrl("the path of the repository URL starts with a dash")
    return _remote(url, "ssh", match["host"], 0, match["path"])


def _of_scheme(url: str, scheme: str) -> Remote:
    if scheme == "file":
        path = unquote(urlsplit(url).path)
        if urlsplit(url).netloc not in ("", "localhost") or not path.startswith("/"):
            raise BadUrl("a file:// URL must name an absolute path on this machine")
        return _local(url, path)
    if scheme not in _PORTS:
        raise BadUrl(f"fleet does not speak {scheme}:// (https, ssh and local files only)")
    parts = urlsplit(url)
    try:
        port = parts.port or 0
    except ValueError as error:
        raise BadUrl(f"the port of the repository URL is not a number: {error}") from error
    host = parts.hostname or ""
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host) or (parts.username or "").startswith("-"):
        raise BadUrl("the host of the repository URL is not a host name")
    if not parts.path.strip("/") or parts.path.strip("/").startswith("-"):
        raise BadUrl("the repository URL has no usable path")
    return _remote(url, scheme, host, 0 if port == _PORTS[scheme] else port, parts.path)


def bare(url: str) -> str:
    """The URL without a password, a token or a mask for them: what may be written down and given to programs."""
    return redact.urls(url).replace(f":{redact.MASK}@", "@").replace(f"{redact.MASK}@", "")


def login(url: str) -> tuple[str, str] | None:
    """User and password that `bare` takes off an http URL; None when it takes nothing off."""
    parts = urlsplit(url)
    if bare(url) == url or parts.scheme not in ("http", "https") or parts.username in (None, redact.MASK):
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def _remote(url: str, scheme: str, host: str, port: int, path: str) -> Remote:
    url, host = bare(url), host.lower()
    if host in _ALIASES:
        host, port = _ALIASES[host], 0
    path = unquote(path).strip("/").removesuffix(".git").strip("/")
    if host == "dev.azure.com" and (match := re.fullmatch(r"v3/([^/]+)/([^/]+)/([^/]+)", path)):
        path = f"{match[1]}/{match[2]}/_git/{match[3]}"
    # Argo CD compares repository URLs in lower case as a whole (util/git NormalizeGitURL)
    key = f"{host}{f':{port}' if port else ''}/{path}".lower()
    return Remote(url, scheme, host, port, path, key)


def _local(url: str, path: str) -> Remote:
    path = "/" + path.strip("/")
    if ".." in path.split("/"):
        raise BadUrl("the path of the repository contains `..`")
    return Remote(url, "file", "", 0, path, f"file:{path}")


def same(one: str, other: str) -> bool:
    """Whether two URLs name the same repository; False when either is not a URL that fleet accepts."""
    try:
        return parse(one).key == parse(other).key
    except BadUrl:
        return False


def shown(url: str) -> str:
    """The URL for people: without user name and password."""
    try:
        remote = parse(url)
    except BadUrl:
        return bare(url)
    return remote.path if remote.scheme == "file" else remote.key


def forge(remote: Remote) -> str:
    """Which of FORGES serves this remote, judged by its host name; "" when the name does not say."""
    if remote.scheme == "file":
        return ""
    for word, kind in (
        ("github", "github"),
        ("gitlab", "gitlab"),
        ("gitea", "gitea"),
        ("forgejo", "gitea"),
        ("codeberg", "gitea"),
        ("dev.azure.com", "azure"),
        ("visualstudio.com", "azure"),
    ):
        if word in remote.host:
            return kind
    if remote.host == "bitbucket.org":
        return "bitbucket"
    return "bitbucket-server" if "bitbucket" in remote.host or remote.path.startswith("scm/") else ""


def web(remote: Remote) -> str:
    """Where a forge's pages begin; a port of ssh is not one of theirs."""
    port = f":{remote.port}" if remote.port and remote.scheme == "https" else ""
    return f"https://{remote.host}{port}"


def pull_request_url(url: str, kind: str, branch: str, target: str, title: str = "", body: str = "") -> str:
    """The forge's page for a new pull request; "" when the forge is not known.

    Title and body are left out when the whole would be longer than 4,000 characters: GitHub answers 414 to more.
    """
    remote = parse(url)
    if remote.scheme == "file" or kind not in FORGES:
        return ""
    root = web(remote)
    path, head, base = quote(remote.path), quote(branch, safe=""), quote(target, safe="")
    text = (quote(title, safe=""), quote(body, safe=""))
    short = ""
    if kind == "github":
        short = f"{root}/{path}/compare/{quote(target)}...{quote(branch)}?quick_pull=1"
        full = f"{short}&title={text[0]}&body={text[1]}"
    elif kind == "gitlab":
        ask = "merge_request%5B{}%5D={}"
        short = f"{root}/{path}/-/merge_requests/new?" + "&".join(
            (ask.format("source_branch", head), ask.format("target_branch", base))
        )
        full = f"{short}&{ask.format('title', text[0])}&{ask.format('description', text[1])}"
    elif kind == "gitea":
        full = f"{root}/{path}/compare/{quote(target)}...{quote(branch)}"
    elif kind == "bitbucket":
        full = f"{root}/{path}/pull-requests/new?source={head}&dest={base}&t=1"
    elif kind == "bitbucket-server":
        project, _, name = remote.path.removeprefix("scm/").partition("/")
        full = (
            f"{root}/projects/{quote(project)}/repos/{quote(name)}/pull-requests"
            f"?create&sourceBranch={head}&targetBranch={base}"
        )
    else:
        full = f"{root}/{path}/pullrequestcreate?sourceRef={head}&targetRef={base}"
    return full if len(full) <= 4000 or not short else short
