"""`fleet yaml`: the real command on real files."""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Commands, Ran

TEXT = """\
# the base
base: &b
  image: nginx  # c
kind: Deployment
metadata:
  name: 'web'   # the name
spec: {replicas: 3, list: [a]}
other: *b
"""


class Yaml:
    """Runs `fleet yaml …` in a folder that holds TEXT as `f.yaml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "f.yaml"
        self.file.write_text(TEXT)

    def environment(self) -> dict[str, str]:
        kept = Commands(self.folder).environment({"PYTHONPATH": str(Path(__file__).parents[2])})
        return {**kept, "PATH": str(self.folder / "nothing")}  # neither git nor kubectl

    def __call__(
        self, *words: str, stdin: bytes = b"", first: str = "yaml", before: Callable[[], None] | None = None
    ) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "tui", *([first] if first else []), *words],
            input=stdin, capture_output=True, cwd=self.folder, env=self.environment(), timeout=120, check=False,
            preexec_fn=before,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def fleet(tmp_path: Path) -> Yaml:
    return Yaml(tmp_path)


@pytest.mark.parametrize(
    ("words", "old", "new"),
    [
        (("set", "f.yaml", "spec.replicas", "5"), "replicas: 3", "replicas: 5"),
        (("set", "f.yaml", "spec.replicas", "-1"), "replicas: 3", "replicas: -1"),
        (("set", "f.yaml", "metadata.name", "api"), "'web'", "'api'"),
        (("set", "f.yaml", "metadata.name", "''"), "'web'", "''"),
        (("set", "f.yaml", "metadata.name=x=y", "spec.replicas=4"), "'web'   # the name\nspec: {replicas: 3",
         "'x=y'   # the name\nspec: {replicas: 4"),
        (("set", "f.yaml", "metadata.labels", "{a: b}"), "# the name\n", "# the name\n  labels:\n    a: b\n"),
        (("set", "f.yaml#0", "kind", "X"), "Deployment", "X"),
        (("set", "f.yaml#Deployment/web", "kind", "X"), "Deployment", "X"),
        (("set", "f.yaml", "other.image", "caddy", "--shared", "all"), "nginx", "caddy"),
        (("set", "f.yaml", "other", "1", "--shared", "here"), "*b", "1"),
        (("unset", "f.yaml", "spec.list", "kind"), "kind: Deployment\n", ""),
        (("append", "f.yaml", "spec.list", "b", "{c: 1}"), "[a]", "[a, b, {c: 1}]"),
        (("rename", "f.yaml", "spec.replicas", "size"), "replicas", "size"),
        (("set", "f.yaml", "kind", "Deployment"), "", ""),
    ],
)  # fmt: skip
def test_an_edit_goes_to_stdout_or_in_place(fleet: Yaml, words: tuple[str, ...], old: str, new: str) -> None:
    wanted = TEXT.replace(old, new) if old else TEXT
    if words[0] == "unset":
        wanted = wanted.replace(", list: [a]", "")
    ran = fleet(*words)
    assert (ran.code, ran.err, ran.out) == (0, "", wanted)
    assert fleet.file.read_text() == TEXT
    ran = fleet(*words, "-i")
    assert (ran.code, ran.err, ran.out) == (0, "", "")
    assert fleet.file.read_text() == wanted
    assert sorted(path.name for path in fleet.folder.iterdir()) == ["f.yaml"]


def test_standard_input_is_edited_to_the_byte(fleet: Yaml) -> None:
    data = "\ufeffa: 1\r\nb: é\r\n---\r\nc: [".encode()
    ran = subprocess.run(
        [sys.executable, "-m", "tui", "yaml", "set", "-#0", "a", "2"],
        input=data, capture_output=True, env=fleet.environment(), check=True,
    )  # fmt: skip
    assert ran.stdout == data.replace(b"a: 1", b"a: 2")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("metadata.name",), "web\n"),
        (("metadata.name", "-o", "json"), '"web"\n'),
        (("spec",), "replicas: 3\nlist:\n- a\n"),
        (("spec", "-o", "json"), '{\n  "replicas": 3,\n  "list": [\n    "a"\n  ]\n}\n'),
        (("other",), "image: nginx\n"),
        (("spec.list[-1]",), "a\n"),
        (("spec.replicas",), "3\n"),
    ],
)
def test_values_are_printed(fleet: Yaml, words: tuple[str, ...], out: str) -> None:
    ran = fleet("get", "f.yaml", *words)
    assert (ran.code, ran.err, ran.out) == (0, "", out)


def test_text_and_yaml_differ_where_quotes_matter(fleet: Yaml) -> None:
    data = b"a: 'yes'\nb: |\n  x\n  y\nc: null\n"
    assert fleet("get", "-", "a", stdin=data).out == "yes\n"
    assert fleet("get", "-", "a", "-o", "yaml", stdin=data).out == '"yes"\n'
    assert fleet("get", "-", "b", stdin=data).out == "x\ny\n\n"
    assert fleet("get", "-", "b", "-o", "yaml", stdin=data).out == "|\n  x\n  y\n"
    assert fleet("get", "-", "c", stdin=data).out == "null\n"
    assert json.loads(fleet("get", "-", "-o", "json", stdin=data).out) == {"a": "yes", "b": "x\ny\n", "c": None}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("get", "f.yaml", "metadata.nothing"), 1, "f.yaml:6:3: metadata.nothing does not exist"),
        (("get", "f.yaml#Service"), 1, "f.yaml:1:1: the file has no document 'Service'"),
        (("set", "-i", "f.yaml", "other.image", "x"), 1, "f.yaml:8:8: other.image"),
        (("set", "f.yaml", "other.image", "x"), 1, "--shared here"),
        (("unset", "f.yaml", "base"), 1, "f.yaml:2:7: the anchor &b"),
        (("rename", "f.yaml", "kind", "spec"), 1, "f.yaml:4:1: the key 'spec' exists already"),
        (("set", "f.yaml", "kind"), 2, "'kind' is not PATH=VALUE"),
        (("set", "f.yaml", "kind", "[1"), 2, "no YAML value"),
        (("set", "f.yaml", "kind", ""), 2, "the empty text"),
        (("set", "f.yaml", "kind=a", "b"), 2, "'b' is not PATH=VALUE"),
        (("set", "f.yaml"), 2, "Missing argument"),
        (("set", "-i", "-", "a=1"), 2, "in place"),
        (("get", "nothing.yaml"), 3, "nothing.yaml: No such file or directory"),
        (("get", "."), 3, "Is a directory"),
        (("get", "bad.yaml"), 3, "bad.yaml:2:2: not valid YAML"),
        (("get", "latin.yaml"), 3, "latin.yaml:1:4: byte 0xe9 is not UTF-8"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    fleet: Yaml, words: tuple[str, ...], code: int, message: str
) -> None:
    (fleet.folder / "bad.yaml").write_text("a: [1\nb: 2\n")
    (fleet.folder / "latin.yaml").write_bytes(b"a: \xe9\n")
    ran = fleet(*words)
    assert ran.code == code and message in ran.err and ran.out == ""
    assert fleet.file.read_text() == TEXT


def test_in_place_keeps_mode_and_links_and_leaves_alone_what_does_not_change(fleet: Yaml) -> None:
    fleet.file.chmod(0o640)
    link = fleet.folder / "link.yaml"
    link.symlink_to("f.yaml")
    before = fleet.file.stat()
    assert fleet("set", "-i", "link.yaml", "spec.replicas", "3").code == 0
    assert fleet.file.stat().st_ino == before.st_ino and fleet.file.stat().st_mtime_ns == before.st_mtime_ns
    assert fleet("set", "-i", "link.yaml", "spec.replicas", "4").code == 0
    assert link.is_symlink() and "replicas: 4" in fleet.file.read_text()
    assert stat.S_IMODE(fleet.file.stat().st_mode) == 0o640


def test_a_file_with_a_hash_in_its_name(fleet: Yaml) -> None:
    other = fleet.folder / "g#0"
    other.write_text("a: 1\n")
    assert fleet("set", "-i", "g#0", "a", "2").code == 0 and other.read_text() == "a: 2\n"
    assert fleet("set", "-i", "g#0#0", "a", "3").code == 0 and other.read_text() == "a: 3\n"


def test_a_disk_without_room_loses_nothing(fleet: Yaml) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    fleet("get", "f.yaml")  # byte code is written now, not under the limit
    ran = fleet("set", "-i", "f.yaml", "kind", "X", before=limit)
    assert ran.code == 3 and "f.yaml: File too large" in ran.err
    assert fleet.file.read_text() == TEXT
    assert sorted(path.name for path in fleet.folder.iterdir()) == ["f.yaml"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_told(fleet: Yaml) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "tui", "yaml", "set", str(fleet.file), "kind", "X"],
            stdout=full, stderr=subprocess.PIPE, env=fleet.environment(), check=False,
        )  # fmt: skip
    assert ran.returncode == 3 and b"No space left" in ran.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
def test_read_only_files_and_folders_stay(fleet: Yaml) -> None:
    fleet.file.chmod(0o444)
    ran = fleet("set", "-i", "f.yaml", "kind", "X")
    assert ran.code == 3 and "read-only" in ran.err
    fleet.file.chmod(0o644)
    fleet.folder.chmod(0o555)
    try:
        ran = fleet("set", "-i", "f.yaml", "kind", "X")
    finally:
        fleet.folder.chmod(0o755)
    assert ran.code == 3 and "Permission denied" in ran.err and fleet.file.read_text() == TEXT


KILLED = """
import os, signal, sys
left = int(sys.argv[1])
def watch(frame, event, call):
    global left
    if event == "c_call" and frame.f_code.co_filename.endswith("textfile.py"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["fleet", *sys.argv[2:]]
from tui.cli import main
sys.setprofile(watch)
main()
"""


def test_killed_at_any_step_the_file_is_the_old_or_the_new_one(fleet: Yaml) -> None:
    new = TEXT.replace("Deployment", "X")
    seen = set()
    for step in range(1, 60):
        fleet.file.write_text(TEXT)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(step), "yaml", "set", "-i", "f.yaml", "kind", "X"],
            cwd=fleet.folder, env=fleet.environment(), check=False,
        )  # fmt: skip
        text = fleet.file.read_text()
        assert text in (TEXT, new)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        seen.add(text)
    assert done.returncode == 0 and text == new and seen == {TEXT, new} and step > 10


def test_completion_knows_the_commands(fleet: Yaml) -> None:
    def complete(words: str, number: int) -> list[str]:
        environment = {**fleet.environment(), "_FLEET_COMPLETE": "bash_complete"}
        environment |= {"COMP_WORDS": words, "COMP_CWORD": str(number)}
        ran = subprocess.run([sys.executable, "-m", "tui"], capture_output=True, env=environment, check=True, text=True)
        return ran.stdout.split()

    assert complete("fleet yam", 1) == ["plain,yaml"]
    assert complete("fleet yaml ", 2) == ["plain,append", "plain,get", "plain,rename", "plain,set", "plain,unset"]
    assert complete("fleet yaml set f --sha", 4) == ["plain,--shared"]
    assert complete("fleet yaml set f --shared h", 5) == ["plain,here"]
    assert [word.split(",")[0] for word in complete("fleet yaml get f", 3)] == ["file"]


def test_nothing_heavy_is_imported(fleet: Yaml) -> None:
    code = (
        "import sys; sys.argv = ['fleet', 'yaml', 'set', '-i', 'f.yaml', 'kind', 'X']\n"
        "from tui.cli import main\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "print({'git', 'textual', 'rich', 'kubernetes', 'aiohttp', 'asyncio'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=fleet.folder, env=fleet.environment(),
        check=True,
    )  # fmt: skip
    assert ran.stdout == "set()\n" and "kind: X" in fleet.file.read_text()
