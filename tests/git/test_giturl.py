"""Remote URLs: what is one repository, what is refused, and the forges' pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain import giturl

SPELLINGS = [
    "https://github.com/acme/shop",
    "https://github.com/acme/shop.git",
    "https://GitHub.com/Acme/Shop.git/",
    "https://user:token@github.com:443/acme/shop.git",
    "ssh://git@github.com/acme/shop.git",
    "ssh://git@github.com:22/acme/shop",
    "ssh://git@ssh.github.com:443/acme/shop.git",
    "git@github.com:acme/shop.git",
    "github.com:acme/shop",
    "git@github.com:/acme/shop.git",
]


@pytest.mark.parametrize("url", SPELLINGS)
def test_spellings_of_one_repository_are_equal(url: str) -> None:
    assert giturl.parse(url).key == "github.com/acme/shop"
    assert giturl.shown(url) == "github.com/acme/shop"


def test_azure_ssh_and_https_are_equal() -> None:
    assert giturl.same("git@ssh.dev.azure.com:v3/org/proj/repo", "https://org@dev.azure.com/org/proj/_git/repo")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://host/a", "https://host/b"),
        ("https://host:8443/a", "https://host/a"),
        ("/srv/a", "/srv/A"),
        ("https://host/a", "/host/a"),
    ],
)
def test_different_repositories_differ(one: str, other: str) -> None:
    assert not giturl.same(one, other)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c id",
        "ext::id",
        "fd::17",
        "a::b",
        "-oProxyCommand=id",
        "--upload-pack=id",
        "http://host/a",
        "git://host/a",
        "ftp://host/a",
        "ssh://-oProxyCommand=id/a",
        "ssh://host/-x",
        "ssh://-x@host/a",
        "git@-host:a",
        "host:-x",
        "https://",
        "https://host",
        "https://host:port/a",
        "https://host/a b",
        "https://host/a\nb",
        "https://host/a\x1b[31m",
        "relative/path",
        "../up",
        "/srv/../etc",
        "file://host/a",
        "file:relative",
        "C:/windows",
        "C:\\windows",
        "oci://registry.example/chart",
        "x" * 3000,
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    with pytest.raises(giturl.BadUrl):
        giturl.parse(url)


@given(st.text(max_size=60))
def test_nothing_gets_through_that_git_could_take_for_an_option_or_a_command(url: str) -> None:
    try:
        remote = giturl.parse(url)
    except giturl.BadUrl:
        return
    assert not url.startswith("-") and "::" not in url.split("/")[0]
    assert not remote.host.startswith("-") and not remote.path.startswith("-")
    assert remote.scheme in ("https", "ssh", "file")
    assert all(ord(char) > 32 for char in url)


def test_passwords_are_not_shown() -> None:
    assert "secret" not in giturl.shown("https://user:secret@host/a")


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        (
            "git@github.com:acme/shop.git",
            "github",
            "https://github.com/acme/shop/compare/main...fleet/a/x?quick_pull=1",
        ),
        ("git@gitlab.com:g/s/p.git", "gitlab", "https://gitlab.com/g/s/p/-/merge_requests/new?merge_request%5B"),
        ("https://codeberg.org/a/b", "gitea", "https://codeberg.org/a/b/compare/main...fleet/a/x"),
        (
            "git@bitbucket.org:a/b",
            "bitbucket",
            "https://bitbucket.org/a/b/pull-requests/new?source=fleet%2Fa%2Fx&dest=",
        ),
        (
            "ssh://git@bitbucket.corp:7999/prj/repo.git",
            "bitbucket-server",
            "https://bitbucket.corp/projects/prj/repos/repo/pull-requests?create&sourceBranch=fleet%2Fa%2Fx",
        ),
        (
            "git@ssh.dev.azure.com:v3/o/p/r",
            "azure",
            "https://dev.azure.com/o/p/_git/r/pullrequestcreate?sourceRef=fleet%2Fa%2Fx&targetRef=main",
        ),
    ],
)
def test_pull_request_pages(url: str, kind: str, expected: str) -> None:
    assert giturl.forge(giturl.parse(url)) == kind
    assert giturl.pull_request_url(url, kind, "fleet/a/x", "main", "A & B", "body").startswith(expected)


def test_a_long_body_is_left_out_of_the_page() -> None:
    page = giturl.pull_request_url("git@github.com:a/b", "github", "x", "main", "title", "b" * 9000)
    assert len(page) < 200 and page.endswith("quick_pull=1")


def test_title_and_body_cannot_add_parameters() -> None:
    page = giturl.pull_request_url("git@github.com:a/b", "github", "x", "main", "a&expand=0#frag", "b&c=d")
    assert "&expand=" not in page and "#" not in page and "&c=" not in page


def test_unknown_forges_have_no_page() -> None:
    assert giturl.forge(giturl.parse("git@git.corp:a/b")) == ""
    assert giturl.pull_request_url("git@git.corp:a/b", "", "x", "main") == ""
    assert giturl.pull_request_url("/srv/a", "github", "x", "main") == ""
