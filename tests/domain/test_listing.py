"""Kustomizations that list a file: added, gone, renamed, everything else to the last byte."""

from __future__ import annotations

import pytest

from tui.domain.objects.listing import entries, listed, relisted, unlisted

HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resources:\n  - a.yaml\n  - c.yaml\n", "resources:\n  - a.yaml\n  - b.yaml\n  - c.yaml\n"),
        ("resources:\n- c.yaml  # last\n- a.yaml\n", "resources:\n- c.yaml  # last\n- a.yaml\n- b.yaml\n"),
        ("resources: [a.yaml]\n", "resources: [a.yaml, b.yaml]\n"),
        ("resources: []\n", "resources:\n- b.yaml\n"),
        ("resources:\n  - ./a.yaml\n", "resources:\n  - ./a.yaml\n  - ./b.yaml\n"),
        ("resources:\n  - b.yaml\n", "resources:\n  - b.yaml\n"),
        ("resources:\n  - ./b.yaml\n", "resources:\n  - ./b.yaml\n"),
        ("namePrefix: x-\n", "resources:\n- b.yaml\nnamePrefix: x-\n"),
    ],
)
def test_a_file_is_listed_where_it_belongs(before: str, after: str) -> None:
    found = listed("apps/kustomization.yaml", HEAD + before, "apps/b.yaml").text
    if "namePrefix" in before:
        assert "- b.yaml\n" in found and entries("apps/kustomization.yaml", found, "apps/b.yaml")
    else:
        assert found.removeprefix(HEAD) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resources:\n  - a.yaml\n  - b.yaml\n", "resources:\n  - a.yaml\n"),
        ("resources:\n  - ../apps/b.yaml\n  - a.yaml\n", "resources:\n  - a.yaml\n"),
        ("resources:\n  - b.yaml\nnamespace: x\n", "namespace: x\n"),
        ("resources:\n  - b.yaml\n", "resources: []\n"),
        (
            "resources:\n- a.yaml\npatches:\n- path: b.yaml\n  target: {kind: X}\n- path: c.yaml\n",
            "resources:\n- a.yaml\npatches:\n- path: c.yaml\n",
        ),
        ("patchesStrategicMerge: [b.yaml, c.yaml]\n", "patchesStrategicMerge: [c.yaml]\n"),
        ("resources:\n- b.yaml\n- a.yaml\npatches:\n- path: b.yaml\n", "resources:\n- a.yaml\n"),
        (
            "configMapGenerator:\n- name: c\n  files:\n  - k=b.yaml\n  - x.yaml\n",
            "configMapGenerator:\n- name: c\n  files:\n  - x.yaml\n",
        ),
        ("resources:\n- other/b.yaml\n- https://x/b.yaml\n", "resources:\n- other/b.yaml\n- https://x/b.yaml\n"),
    ],
)
def test_a_file_is_listed_no_more(before: str, after: str) -> None:
    edited = unlisted("apps/kustomization.yaml", HEAD + before, "apps/b.yaml")
    assert edited.text == HEAD + after
    assert edited.undo() == HEAD + before


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ("resources:\n  - b.yaml # x\n", "apps/z.yaml", "resources:\n  - z.yaml # x\n"),
        ("resources:\n  - ./b.yaml\n", "apps/sub/z.yaml", "resources:\n  - ./sub/z.yaml\n"),
        ("resources:\n  - b.yaml\n", "other/b.yaml", "resources:\n  - ../other/b.yaml\n"),
        ("patches:\n  - path: b.yaml\n", "apps/z.yaml", "patches:\n  - path: z.yaml\n"),
        (
            "configMapGenerator:\n- name: c\n  files: [b.yaml]\n",
            "apps/z.yaml",
            "configMapGenerator:\n- name: c\n  files: [b.yaml=z.yaml]\n",
        ),
        (
            "configMapGenerator:\n- name: c\n  files: [k=b.yaml]\n",
            "apps/z.yaml",
            "configMapGenerator:\n- name: c\n  files: [k=z.yaml]\n",
        ),
        (
            "configMapGenerator:\n- name: c\n  files: [b.yaml]\n",
            "apps/sub/b.yaml",
            "configMapGenerator:\n- name: c\n  files: [sub/b.yaml]\n",
        ),
        (
            "secretGenerator:\n- name: c\n  envs: [b.yaml]\n",
            "apps/z.yaml",
            "secretGenerator:\n- name: c\n  envs: [z.yaml]\n",
        ),
    ],
)
def test_entries_follow_a_file(before: str, new: str, after: str) -> None:
    assert relisted("apps/kustomization.yaml", HEAD + before, "apps/b.yaml", new).text == HEAD + after


def test_a_kustomization_is_named_by_its_folder() -> None:
    text = HEAD + "resources:\n- ../base\n- x.yaml\n"
    assert [entry.text for entry in entries("over/kustomization.yaml", text, "base/kustomization.yaml")] == ["../base"]
