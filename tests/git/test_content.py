"""Files: every byte that was not edited stays, and what must not be edited as text says why."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.git.conftest import World, git
from tui.adapters.git import objects
from tui.adapters.git.command import Refused
from tui.adapters.git.content import decoded
from tui.adapters.git.objects import LARGEST, Missing, Pack, parse_tree, path_parts
from tui.adapters.git.repositories import GitRepositories
from tui.adapters.git.service import GitRepository
from tui.domain.drafts.model import Operation

SOPS = "data: ENC[AES256_GCM,data:x]\nsops:\n    kms: []\n    mac: ENC[x]\n    version: 3.8.1\n"


async def opened(world: World, repositories: GitRepositories, files: dict[str, str | bytes]) -> GitRepository:
    world.upstream(files)  # type: ignore[arg-type]
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    return repository


@pytest.mark.parametrize(
    "data",
    [
        b"a: 1\r\nb: 2\r\n",
        b"\xef\xbb\xbfa: 1\n",
        b"\xef\xbb\xbfa: 1\r\nno end",
        b"a: 1\n\n\n",
        b"",
        "ümlaut: 漢字 🚀\n".encode(),
        b"mixed: 1\r\nendings: 2\nhere: 3\r",
        b"tab:\t1 \n",
    ],
)
async def test_bytes_come_back_as_they_were(world: World, repositories: GitRepositories, data: bytes) -> None:
    repository = await opened(world, repositories, {"file.yaml": data})
    held = await repository.read("main", "file.yaml")
    assert held.text.encode() == data
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {"file.yaml": held.text.encode() + b"more\n"})
    await repository.commit(draft.id, "more")
    raw = repository.repository.objects.read((await repository.read("main", "file.yaml")).oid)
    assert raw == data
    head = (await repository.draft(draft.id)).head
    assert (await repository.read(head, "file.yaml")).text.encode() == data + b"more\n"


async def test_the_executable_bit_stays(world: World, repositories: GitRepositories) -> None:
    world.upstream({"run.sh": "#!/bin/sh\n"})
    other = world.clone.parent / "colleague"
    git(other, "update-index", "--chmod=+x", "run.sh")
    git(other, "commit", "-q", "-m", "x")
    git(other, "push", "-q")
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    draft = await repository.edit(draft.id, {"run.sh": b"#!/bin/sh\ntrue\n"})
    assert [(name, mode) for name, mode, _ in await repository.entries(draft.head) if name == "run.sh"] == [
        ("run.sh", 0o100755)
    ]
    told = [Operation(path, "rename", old="run.sh", new="bin/run.sh") for path in ("run.sh", "bin/run.sh")]
    draft = await repository.edit(draft.id, {"run.sh": None, "bin/run.sh": b"#!/bin/sh\ntrue\n"}, told)
    assert [(name, mode) for name, mode, _ in await repository.entries(draft.head, "bin")] == [("run.sh", 0o100755)]


NAMES = [
    "-leading-dash.yaml",
    "--output=x",
    "new\nline.yaml",
    'tab\t"quote".yaml',
    "back\\slash.yaml",
    "ünïcode/漢字.yaml",
    " blank .yaml",
    ":(glob)*.yaml",
    "*.yaml",
    "a/b/c/d/e/f/g.yaml",
    "refs/heads/main",
    "HEAD",
    "\x1b[31mred.yaml",
]


async def test_odd_names_are_names(world: World, repository: GitRepository) -> None:
    draft = await repository.create("x", "main", "x")
    for number, name in enumerate(NAMES):
        draft = await repository.edit(draft.id, {name: b"%d\n" % number})
    for number, name in enumerate(NAMES):
        assert (await repository.read(draft.head, name)).text == f"{number}\n"
    files, patch = await repository.diff(draft.base, draft.head)
    assert sorted(file.path for file in files) == sorted(NAMES)
    assert all((file.status, file.added) == ("A", 1) for file in files)
    assert "\x1b" not in patch
    draft = await repository.commit(draft.id, "odd")
    world.upstream({"shop/db.yaml": "size: 3\n"})
    await repository.fetch()
    draft, clashes = await repository.rebase(draft.id)
    assert clashes == ()
    assert (await repository.push(await repository.plan_push(draft, to_target=True))).done
    await repository.fetch()
    assert (await repository.around(await repository.draft(draft.id))).landed
    git(world.origin, "fsck", "--strict")


@pytest.mark.parametrize(
    "path",
    ["../up", "a/../b", "./a", "a//b", "/etc/passwd", "a/", ".git/config", "a/.GIT/hooks/x", "a\0b", "\udcff.yaml"],
)
async def test_paths_cannot_leave_the_tree(world: World, repository: GitRepository, path: str) -> None:
    draft = await repository.create("x", "main", "x")
    with pytest.raises(Refused):
        await repository.edit(draft.id, {path: b"x\n"})
    with pytest.raises((Refused, Missing)):
        await repository.read("main", path)
    assert (await repository.draft(draft.id)).empty


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
        (b"\0GITCRYPT\0abc", "git-crypt"),
        ("a: 1\n".encode("utf-16"), "UTF-16"),
        (b"a\0b", "binary"),
        (b"a: 1\nb: \xe4\n", "line 2: not UTF-8 .byte 0xe4."),
        (SOPS.encode(), "sops"),
        (SOPS.replace("\n", "\r\n").encode(), "sops"),
    ],
)
async def test_what_is_no_plain_text_is_refused(
    world: World, repositories: GitRepositories, data: bytes, words: str
) -> None:
    repository = await opened(world, repositories, {"file.yaml": data})
    with pytest.raises(Refused, match=words):
        await repository.read("main", "file.yaml")
    draft = await repository.create("x", "main", "x")
    with pytest.raises(Refused, match=words):
        await repository.edit(draft.id, {"file.yaml": b"x\n"})
    with pytest.raises(Refused, match=words):
        await repository.edit(draft.id, {"new.yaml": data})
    assert not (await repository.edit(draft.id, {"file.yaml": None})).empty


@pytest.mark.parametrize(
    "text", ["sops: true\n", "a:\n  sops:\n    mac: x\n", "# sops:\n#  mac: x\n", "sops: {}\nmac: 1\n"]
)
def test_a_key_named_sops_is_no_encryption(text: str) -> None:
    assert decoded("file.yaml", text.encode()) == text


async def test_links_folders_and_submodules_are_refused(world: World, repositories: GitRepositories) -> None:
    other = world.clone.parent / "colleague"
    world.upstream({"real/file.yaml": "x\n"})
    (other / "link.yaml").symlink_to("real/file.yaml")
    (other / "etc").symlink_to("/etc")
    git(other, "add", "-A")
    git(other, "update-index", "--add", "--cacheinfo", f"160000,{git(other, 'rev-parse', 'HEAD')},module")
    git(other, "commit", "-q", "-m", "links")
    git(other, "push", "-q")
    repository = await repositories.open(str(world.clone))
    await repository.fetch()
    draft = await repository.create("x", "main", "x")
    for path, words in (
        ("link.yaml", "a symbolic link"),
        ("etc/passwd", "a symbolic link"),
        ("module", "a submodule"),
        ("module/file.yaml", "a submodule"),
        ("real", "a folder"),
    ):
        with pytest.raises(Refused, match=words):
            await repository.read("main", path)
        with pytest.raises(Refused, match=words):
            await repository.edit(draft.id, {path: b"x\n"})
    with pytest.raises(Refused, match="is a file, not a folder"):
        await repository.edit(draft.id, {"README.md/inner.yaml": b"x\n"})
    with pytest.raises(Missing):
        await repository.read("main", "README.md/inner.yaml")


async def test_files_that_git_converts_are_refused(world: World, repositories: GitRepositories) -> None:
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n*.u16 working-tree-encoding=UTF-16\n*.yaml text eol=crlf\n"
    repository = await opened(
        world,
        repositories,
        {
            ".gitattributes": attributes,
            "deep/.gitattributes": "special.yaml filter=crypt\nplain.bin -filter\n",
            "a.bin": "x\n",
            "a.u16": "x\n".encode("utf-16"),
            "a.yaml": "x\n",
            "deep/special.yaml": "x\n",
            "deep/plain.bin": "x\n",
        },
    )
    draft = await repository.create("x", "main", "x")
    for path, words in (("a.bin", "filter=lfs"), ("a.u16", "encoding=UTF-16"), ("deep/special.yaml", "filter=crypt")):
        with pytest.raises(Refused, match=words):
            await repository.read("main", path)
        with pytest.raises(Refused, match=words):
            await repository.edit(draft.id, {path: b"y\n"})
    for path in ("a.yaml", "deep/plain.bin"):
        assert (await repository.read("main", path)).text == "x\n"
    with pytest.raises(Refused, match="filter=lfs"):
        await repository.edit(draft.id, {"new.bin": b"y\n"})


async def test_a_huge_file_costs_nothing(world: World, repositories: GitRepositories) -> None:
    repository = await opened(world, repositories, {"huge.yaml": b"a: 1\n" * (LARGEST // 5 + 10), "small.yaml": "x\n"})
    with pytest.raises(Refused, match="too large: 8 MiB"):
        await repository.read("main", "huge.yaml")
    assert (await repository.read("main", "small.yaml")).text == "x\n"


@given(st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_accepted_paths_are_relative_and_inside(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        found = path_parts(path)
    except Refused:
        return
    assert b"/".join(found) == path.encode()
    assert not any(part in (b"", b".", b"..") or part.lower() == b".git" for part in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=settings.default.max_examples // 2)
@given(
    st.dictionaries(
        st.text("abAB.-0/", min_size=1, max_size=8).map(lambda text: "/".join(part or "x" for part in text.split("/"))),
        st.binary(max_size=30),
        max_size=8,
    )
)
def test_trees_are_what_git_makes_of_them(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    from tui.adapters.git.command import Git
    from tui.adapters.git.objects import FILE, Entry, Objects

    place = tmp_path_factory.mktemp("repo")
    git(place, "init", "-q", "--bare", ".")
    objects = Objects(Git(place))
    pack = Pack(objects)
    root, kept = "", {}
    for path, data in files.items():
        try:
            root = pack.replace(root, {path: Entry(FILE, pack.add("blob", data))})
        except Refused:
            continue
        kept = {name: held for name, held in kept.items() if not name.startswith(path + "/")} | {path: data}
    pack.store()
    if not kept:
        return
    env_index = place / "fresh-index"
    lines = []
    for path, data in kept.items():
        lines.append(f"100644 {git(place, 'hash-object', '-w', '--stdin', data=data)}\t{path}\n")
    os.environ["GIT_INDEX_FILE"] = str(env_index)
    try:
        git(place, "update-index", "--index-info", data="".join(lines).encode())
        assert git(place, "write-tree") == root
    finally:
        del os.environ["GIT_INDEX_FILE"]
    objects.close()


def test_a_tree_is_parsed_as_git_writes_it() -> None:
    raw = b"40000 a\0" + b"\1" * 20 + b"100644 b c\0" + b"\2" * 20
    assert {name: (entry.mode, entry.oid) for name, entry in parse_tree(raw, 20).items()} == {
        b"a": (0o40000, "01" * 20),
        b"b c": (0o100644, "02" * 20),
    }


async def test_folders_that_were_read_are_not_all_kept(
    world: World, repository: GitRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by the lines of folders, not by their number: one may hold ten thousand files."""
    monkeypatch.setattr(objects, "_ENTRIES", 30)
    for number in range(8):
        world.upstream({f"many/{number}-{name}.yaml": "x\n" for name in range(10)})
        await repository.fetch()
        await repository.entries("main", "many")
    held = repository.repository.objects
    assert held._entries == sum(map(len, held._trees.values()))
    assert held._entries <= 80, "the newest folder, and what else fits"
    assert len(await repository.entries("main", "many")) == 80
