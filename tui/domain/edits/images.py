"""The image tag of a container, of a kustomize `images` entry, or in Helm values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tui.domain.edits.base import (
    KUSTOMIZATION,
    VALUES,
    Field,
    Spot,
    arrow,
    chosen_spot,
    dig,
    named,
    pick,
    pod_template,
    show,
    where,
)
from tui.domain.yamledit import Edited, Match, Refused, Session, Step, delete, set_value

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}\Z")
_DEPTH = 5  # how deep values files are searched for images


class Reference(msgspec.Struct, frozen=True):
    """An image reference taken apart: `registry.example/shop/web:1.2@sha256:…`."""

    name: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def version(self) -> str:
        """The tag, or the digest's first characters."""
        return self.tag or self.digest[:19]


def parse(image: str) -> Reference:
    """A reference's parts; a colon before the last slash belongs to the registry's port."""
    rest, _, digest = image.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return Reference(head + slash + name, tag, digest)


class ImageTag:
    """Another tag for an image; a digest that pins the old one goes."""

    id = "image"
    title = "Image tag"

    def spots(self, kind: str, document: Mapping[str, Any]) -> list[Spot]:
        """Every image of the document."""
        if kind == KUSTOMIZATION:
            return [
                Spot(
                    str(image.get("name", "")),
                    ("images", step),
                    image.get("newTag") or image.get("digest"),
                    "kustomize",
                )
                for step, image in named(document.get("images"))
            ]
        if kind == VALUES:
            return list(_in_values(document, ()))
        return list(_containers(kind, document))

    def applies(self, kind: str, document: Mapping[str, Any]) -> bool:
        return kind == KUSTOMIZATION or bool(self.spots(kind, document))

    def fields(self, kind: str, document: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[Field, ...]:
        spots = self.spots(kind, document)
        current = chosen_spot(spots, chosen)
        tag = Field("tag", "Tag", _version(current), help="a tag, or a digest such as sha256:…")
        if kind == KUSTOMIZATION:
            names = tuple(spot.label for spot in spots)
            return (Field("where", "Image", current.label if current else "", names), tag)
        return (*where(spots, "Container" if kind != VALUES else "Image", current), tag)

    def apply(self, text: str, doc: int | None, kind: str, values: Mapping[str, str]) -> Edited:
        tag = values.get("tag", "").strip()
        if not (_TAG.match(tag) or _DIGEST.match(tag)):
            raise Refused(f"{tag!r} is neither a tag nor a digest")
        document = Session(text, doc).value()
        spots = self.spots(kind, document if isinstance(document, Mapping) else {})
        label = values.get("where", "")
        if kind == KUSTOMIZATION:
            return _kustomize(text, doc, spots, label, tag)
        spot = pick(spots, label)
        if spot.form == "reference":
            name = parse(str(spot.value)).name
            new = Reference(name, digest=tag) if _DIGEST.match(tag) else Reference(name, tag)
            return set_value(text, spot.path, str(new), doc)
        return _tag_and_digest(text, doc, spot.path, tag)

    def describe(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        before, after = ({spot.label: spot for spot in self.spots(kind, side)} for side in (old, new))
        out = []
        for label, spot in after.items():
            was = before.get(label)
            if was is not None and was.value != spot.value:
                out.append(_changed(label, was, spot))
            elif was is None and kind == KUSTOMIZATION:
                out.append(f"set image {label} to {show(spot.value)}")
        return out


def _version(spot: Spot | None) -> str:
    if spot is None or spot.value is None:
        return ""
    return parse(str(spot.value)).version if spot.form == "reference" else str(spot.value)


def _changed(label: str, was: Spot, now: Spot) -> str:
    if now.form != "reference":
        return f"set image {label} {arrow(was.value, now.value)}"
    old, new = parse(str(was.value)), parse(str(now.value))
    if old.name == new.name:
        return f"set image {old.name.rpartition('/')[2]} {arrow(old.version, new.version)}"
    return f"set image of {label} {arrow(was.value, now.value)}"


def _containers(kind: str, document: Mapping[str, Any]) -> Iterator[Spot]:
    place = pod_template(kind)
    if place is None:
        return
    for group in ("containers", "initContainers"):
        for step, container in named(dig(document, *place, group)):
            image = container.get("image")
            if isinstance(image, str):
                yield Spot(str(container.get("name", step)), (*place, group, step, "image"), image, "reference")


def _in_values(value: Any, path: tuple[Step, ...]) -> Iterator[Spot]:
    """`image: {repository, tag}` and `image: name:tag` at any place of a values file."""
    if len(path) > _DEPTH or not isinstance(value, Mapping):
        return
    for key, part in value.items():
        inner = (*path, key)
        label = ".".join(map(str, inner))
        about_image = "image" in key.lower()
        if isinstance(part, Mapping) and ("tag" in part or "digest" in part) and (about_image or "repository" in part):
            yield Spot(label, inner, part.get("tag") or part.get("digest"), "tag")
        elif isinstance(part, str) and about_image and ("/" in part or ":" in part):
            yield Spot(label, inner, part, "reference")
        else:
            yield from _in_values(part, inner)


def _kustomize(text: str, doc: int | None, spots: list[Spot], name: str, tag: str) -> Edited:
    known = [spot for spot in spots if spot.label == name or (not name and len(spots) == 1)]
    if not name and not known:
        raise Refused("say which image")
    key, other = ("digest", "newTag") if _DIGEST.match(tag) else ("newTag", "digest")
    if not known:
        return set_value(text, ("images", Match("name", name)), {"name": name, key: tag}, doc)
    return _swap(text, doc, known[0].path, key, other, tag)


def _tag_and_digest(text: str, doc: int | None, path: tuple[Step, ...], tag: str) -> Edited:
    if _DIGEST.match(tag):
        return _swap(text, doc, path, "digest", "", tag)
    return _swap(text, doc, path, "tag", "digest", tag)


def _swap(text: str, doc: int | None, path: tuple[Step, ...], key: str, other: str, value: str) -> Edited:
    """Sets one key of a mapping and takes away the other, which would win over it."""
    first = set_value(text, (*path, key), value, doc)
    if not other or not Session(first.text, doc).value(path).get(other):
        return first
    second = delete(first.text, (*path, other), doc)
    return Edited.between(text, second.text)
