"""Who asks and what they may read: tokens, client certificates, deny rules, and the self-reviews that report them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tui.demo.apiserver.resource import ResourceType
from tui.demo.apiserver.status import ApiError, qualified

READ_VERBS = ("get", "list", "watch")
ADMIN_NAME = "kubernetes-admin"


@dataclass(frozen=True, slots=True)
class User:
    """An identity. With a token it may log in by it; users of client certificates need no entry."""

    name: str
    groups: tuple[str, ...] = ()
    token: str = ""


@dataclass(frozen=True, slots=True)
class Deny:
    """Reads that are refused: a resource ("pods", "deployments.apps", "*"), some verbs, everywhere or in a namespace.

    A rule with a namespace leaves reads across all namespaces refused too, as RBAC would; `users` limits it to some.
    """

    resource: str
    verbs: tuple[str, ...] = READ_VERBS
    namespace: str | None = None
    users: tuple[str, ...] = ()

    def hits(self, user: str, verb: str, resource: str, namespace: str) -> bool:
        """Whether this rule refuses the request. `namespace` "" means all of them, `resource` "*" every kind."""
        return (
            (self.resource in ("*", resource) or resource == "*")
            and (verb in self.verbs or verb == "*")
            and (self.namespace is None or namespace in ("", self.namespace))
            and (not self.users or user in self.users)
        )


class Access:
    """Authentication and authorization of one server. Without users and without TLS everybody is an administrator."""

    def __init__(self, users: Iterable[User] = (), deny: Iterable[Deny] = (), open_: bool = False) -> None:
        self.users = list(users)
        self.deny = list(deny)
        self.open = open_

    def authenticate(self, request: web.BaseRequest) -> User:
        """The user behind a request, after impersonation. Raises ApiError 401."""
        user = self._identify(request)
        other = request.headers.get("Impersonate-User")
        if other:
            return User(other, (*request.headers.getall("Impersonate-Group", ()), "system:authenticated"))
        return user

    def _identify(self, request: web.BaseRequest) -> User:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if token:
            found = next((u for u in self.users if u.token and u.token == token.strip()), None)
            if scheme.lower() != "bearer" or found is None:
                raise ApiError(401, "Unauthorized")
            return User(found.name, (*found.groups, "system:authenticated"))
        certificate = request.get_extra_info("peercert")
        if certificate:
            names = [pair for entry in certificate.get("subject", ()) for pair in entry]
            name = next((value for key, value in names if key == "commonName"), "")
            groups = tuple(value for key, value in names if key == "organizationName")
            return User(name, (*groups, "system:authenticated"))
        if self.open:
            return User(ADMIN_NAME, ("system:masters", "system:authenticated"))
        raise ApiError(401, "Unauthorized")

    def allowed(self, user: User, verb: str, resource: str, namespace: str) -> bool:
        """Whether a read is allowed. Nothing but reads ever is."""
        if verb not in READ_VERBS:
            return False
        return not any(rule.hits(user.name, verb, resource, namespace) for rule in self.deny)

    def check(self, user: User, verb: str, resource: ResourceType, namespace: str, name: str = "") -> None:
        """Raises ApiError 403 with the words of Kubernetes' RBAC authorizer."""
        if not self.allowed(user, verb, resource.name, namespace):
            raise forbidden(user.name, verb, resource.plural, resource.group, namespace, name)

    def review_access(self, user: User, review: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a SelfSubjectAccessReview."""
        spec = review.get("spec") or {}
        attributes = spec.get("resourceAttributes")
        if attributes is not None:
            group = str(attributes.get("group") or "")
            plural = str(attributes.get("resource") or "")
            allowed = self.allowed(
                user,
                str(attributes.get("verb") or ""),
                qualified(plural, "" if group == "*" else group),
                str(attributes.get("namespace") or ""),
            )
            if attributes.get("subresource") in ("exec", "attach", "portforward", "proxy"):
                allowed = False
        elif spec.get("nonResourceAttributes") is not None:
            allowed = str(spec["nonResourceAttributes"].get("verb") or "") in ("get", "head")
        else:
            raise ApiError(
                422, "spec: Invalid value: exactly one of nonResourceAttributes or resourceAttributes is needed"
            )
        status = {"allowed": allowed, "reason": "" if allowed else "this API server is read-only or the rule denies it"}
        return {**review, "metadata": review.get("metadata") or {}, "status": status}

    def review_rules(self, user: User, review: Mapping[str, Any], resources: Iterable[ResourceType]) -> dict[str, Any]:
        """The answer to a SelfSubjectRulesReview."""
        namespace = str((review.get("spec") or {}).get("namespace") or "")
        rules: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for resource in resources:
            verbs = tuple(v for v in READ_VERBS if self.allowed(user, v, resource.name, namespace))
            if verbs:
                rules.setdefault((resource.group, verbs), []).append(resource.plural)
        answer: dict[str, Any] = {
            "resourceRules": [
                {"verbs": list(verbs), "apiGroups": [group], "resources": sorted(plurals)}
                for (group, verbs), plurals in rules.items()
            ],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        }
        return {**review, "metadata": review.get("metadata") or {}, "status": answer}

    @staticmethod
    def review_self(user: User, review: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a SelfSubjectReview (`kubectl auth whoami`)."""
        info = {"username": user.name, "groups": list(user.groups)}
        return {**review, "metadata": review.get("metadata") or {}, "status": {"userInfo": info}}


def forbidden(
    user: str, verb: str, plural: str, group: str, namespace: str, name: str = "", subresource: str = "", why: str = ""
) -> ApiError:
    """403 in the words of Kubernetes' RBAC authorizer, with an optional reason at the end."""
    subject = qualified(plural, group) + (f' "{name}"' if name else "")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    resource = f"{plural}/{subresource}" if subresource else plural
    message = (
        f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "{group}" {where}'
    )
    details = {"kind": plural} | ({"name": name} if name else {}) | ({"group": group} if group else {})
    return ApiError(403, message + (f": {why}" if why else ""), details=details)
