"""Which proxy leads to a server: the kubeconfig's `proxy-url`, else the environment with NO_PROXY as Go reads it.

Rules: https://pkg.go.dev/golang.org/x/net/http/httpproxy (hosts, domain suffixes, addresses, CIDR blocks, ports;
loopback is never proxied by the environment).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from tui.domain.ports import Unreachable


def proxy_for(server: str, proxy_url: str, env: Mapping[str, str] | None = None) -> str | None:
    """URL of the proxy to use for `server`, or None. Raises `Unreachable` for a proxy that fleet cannot speak to."""
    env = os.environ if env is None else env
    target = urlsplit(server)
    proxy = proxy_url
    if not proxy:
        host, port = target.hostname or "", target.port or (80 if target.scheme == "http" else 443)
        name = "HTTP_PROXY" if target.scheme == "http" else "HTTPS_PROXY"
        proxy = env.get(name) or env.get(name.lower()) or ""
        if not proxy or _excluded(host, port, env.get("NO_PROXY") or env.get("no_proxy") or ""):
            return None
        if "://" not in proxy:
            proxy = "http://" + proxy
    scheme = urlsplit(proxy).scheme.lower()
    if scheme.startswith("socks"):
        raise Unreachable(f"{scheme} proxies are not supported; run an http proxy in front, or use a tunnel")
    if scheme not in ("http", "https") or not urlsplit(proxy).hostname:
        raise Unreachable("its proxy is not an http or https URL")
    return proxy


def _excluded(host: str, port: int, no_proxy: str) -> bool:
    host = host.rstrip(".").lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for raw in no_proxy.split(","):
        rule = raw.strip().lower()
        if not rule:
            continue
        if rule == "*":
            return True
        if "/" in rule:
            try:
                if address is not None and address in ipaddress.ip_network(rule, strict=False):
                    return True
            except ValueError:
                pass  # not a block: Go ignores it too
            continue
        rule, rule_port = _split_port(rule)
        if rule_port and rule_port != str(port):
            continue
        if _address(rule) is not None:
            if address == _address(rule):
                return True
            continue
        rule = rule.removeprefix("*")
        suffix = rule if rule.startswith(".") else "." + rule
        if host.endswith(suffix) or (not rule.startswith(".") and host == rule):
            return True
    return False


def _split_port(rule: str) -> tuple[str, str]:
    if rule.startswith("["):
        inside, _, after = rule[1:].partition("]")
        return inside, after.removeprefix(":")
    if rule.count(":") == 1:
        name, _, port = rule.partition(":")
        return name, port
    return rule, ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
