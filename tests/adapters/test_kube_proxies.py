"""Which proxy leads where."""

from __future__ import annotations

import pytest

from tui.adapters.kube.proxies import proxy_for
from tui.domain.ports import Unreachable

P = "http://proxy:3128"


def test_the_kubeconfig_comes_first() -> None:
    assert proxy_for("https://c1", "http://own:1", {"HTTPS_PROXY": P, "NO_PROXY": "*"}) == "http://own:1"


@pytest.mark.parametrize(
    ("no_proxy", "server", "proxied"),
    [
        ("", "https://c1", True),
        ("*", "https://c1", False),
        ("c1", "https://c1", False),
        ("c1", "https://sub.c1", False),
        (".c1", "https://c1", True),
        (".corp", "https://a.corp:6443", False),
        ("corp", "https://acorp", True),
        ("*.corp", "https://a.corp", False),
        ("A.Corp", "https://a.corp", False),
        ("a.corp:6443", "https://a.corp:6443", False),
        ("a.corp:443", "https://a.corp:6443", True),
        ("10.0.0.0/8", "https://10.1.2.3:6443", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("fd00::/8", "https://[fd00::1]:6443", False),
        ("10.1.2.3", "https://10.1.2.3", False),
        ("10.1.2.3", "https://10.1.2.33", True),
        ("nonsense/33,  , c1 ", "https://c1", False),
        ("", "https://localhost:6443", False),
        ("", "https://127.0.0.1:6443", False),
        ("", "https://[::1]:6443", False),
    ],
)
def test_exceptions_of_the_environment(no_proxy: str, server: str, proxied: bool) -> None:
    assert proxy_for(server, "", {"HTTPS_PROXY": P, "NO_PROXY": no_proxy}) == (P if proxied else None)
    assert proxy_for(server, "", {"https_proxy": P, "no_proxy": no_proxy}) == (P if proxied else None)


def test_schemes() -> None:
    assert proxy_for("http://c1", "", {"HTTPS_PROXY": P}) is None
    assert proxy_for("http://c1", "", {"HTTP_PROXY": "proxy:1"}) == "http://proxy:1"
    for url in ("socks5://p:1", "socks5h://p", "SOCKS5://p"):
        with pytest.raises(Unreachable, match=r"socks5h? proxies are not supported"):
            proxy_for("https://c1", url, {})
    with pytest.raises(Unreachable):
        proxy_for("https://c1", "file:///x", {})
