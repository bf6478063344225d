"""Hostile files, in a process that may use only so much memory and processor time: a clear error or a right answer."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MEMORY = 1 << 30  # bytes of address space, the interpreter's own included
TIME = 60  # seconds of processor time; each case takes a few at most

ASK = """
import sys
from tui.domain import yamledit
from tui.domain.yamledit import Refused
text = eval(sys.argv[1])
for name, ask in {
    "documents": lambda: [document.problem for document in yamledit.documents(text)][:1],
    "get": lambda: len(str(yamledit.get_value(text))),
    "name": lambda: yamledit.get_value(text, "name"),
    "set": lambda: yamledit.set_value(text, "name", "api").changed,
    "here": lambda: yamledit.set_value(text, "z[0]", 1, shared="here").changed,
    "list": lambda: yamledit.set_value(text, "list", ["y"] + ["x"] * 5000 + ["z"]).changed,
    "append": lambda: yamledit.append_item(text, "list", 1).changed,
    "delete": lambda: yamledit.delete(text, "list[-1]").changed,
    "select": lambda: yamledit.select(text, "Deployment/web"),
}.items():
    if name not in sys.argv[2:] and len(sys.argv) > 2:
        continue
    try:
        print(name, ask())
    except Refused as error:
        print(name, "refused:", str(error)[:200])
"""
BOMB = (
    "'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\\n' + ''.join(f'a{n}: &a{n} ['"
    " + ', '.join([f'*a{n - 1}'] * 10) + ']\\n' for n in range(1, 12)) + 'z: *a11\\nname: web\\n'"
)
MERGES = (
    "'a0: &a0 {k0: 1, j0: 1}\\n' + ''.join(f'a{n}: &a{n} {{<<: ['"
    " + ', '.join([f'*a{n - 1}'] * 9) + f'], k{n}: 1}}\\n' for n in range(1, 12)) + 'z:\\n  <<: *a11\\nname: web\\n'"
)


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (TIME, TIME))


def run(*command: str, stdin: Path | None = None) -> subprocess.CompletedProcess[str]:
    place = Path(__file__).parents[2]
    with (stdin or Path("/dev/null")).open("rb") as given:
        return subprocess.run(
            [sys.executable, *command], stdin=given, capture_output=True, text=True, cwd=place, check=False,
            preexec_fn=limited, timeout=280,
        )  # fmt: skip


def ask(text: str, *questions: str) -> dict[str, str]:
    """What each question about the text was answered with; without any, all are asked."""
    done = run("-c", ASK, text, *questions)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("'[' * 10_000 + ']' * 10_000", "nested deeper than 200 levels"),
        ("'{a: ' * 10_000", "nested deeper than 200 levels"),
        ("'- ' * 10_000", "nested deeper than 200 levels"),
        ("'? ' * 10_000", "nested deeper than 200 levels"),
        ("chr(10).join(' ' * n + 'a:' for n in range(4_000))", "nested deeper than 200 levels"),
        ("chr(10).join(' ' * n + 'a:' for n in range(10_000))", "the document has 47 MB"),
        ("'a: \\0'", "control characters are not allowed"),
        ("'list: [' + '1,' * 450_000 + ']'", "more than 400,000 values"),
        ("'a: {{ x }}\\n' * 410_000", "more than 400,000 values"),
        ("'{{' * 400_000", "nested deeper than 200 levels"),
        ("'{{ x }}' * 140_000", "not valid YAML"),
        ("'{{' + 'x' * 100_000 + '{{' * 50_000", "not valid YAML"),
        ("'--- a\\n' * 200_000", "more than 20,000 documents"),
        ("'a: ' + 'x' * (17 << 20)", "the document has 17 MB"),
        ("'a: 1\\n' * 15_000_000", "the file has 71 MB"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, refusal: str) -> None:
    questions = ("get",) if "values" in refusal else ("get", "set", "append")  # reading so many takes seconds
    answers = ask(text, *questions)
    assert len(answers) == len(questions) and all(refusal in answer for answer in answers.values()), answers


def test_alias_bombs_are_edited_without_being_expanded() -> None:
    for text in (BOMB, MERGES):
        answers = ask(text)
        assert "too many values" in answers["get"] and answers["name"] == "web" and answers["set"] == "True"
        assert "refused" in answers["here"]
        assert answers["documents"] == "['']"


def test_what_is_only_large_is_edited() -> None:
    answers = ask("'kind: Deployment\\nname: web\\nlist: [' + 'x,' * 60_000 + ']\\n' + '# c\\n' * 1_000_000")
    assert {answers[question] for question in ("set", "list", "append", "delete")} == {"True"}, answers


def test_an_anchor_with_very_many_users_is_asked_about() -> None:
    answers = ask("'name: &n web\\nlist:\\n' + '- *n\\n' * 50_000 + 'z: [a]\\n'")
    assert "used on lines 3, 4, 5" in answers["set"] and "49990 more" in answers["set"]
    assert answers["append"] == answers["delete"] == "True"


def test_a_very_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as out:
        out.truncate(200 << 20)  # sparse: takes no room
    done = run("-m", "tui", "yaml", "set", str(file), "a", "1")
    assert done.returncode == 3 and "huge.yaml: the file has 200 MB; fleet edits files up to 64 MB" in done.stderr
    done = run("-m", "tui", "yaml", "get", "-", "a", stdin=file)
    assert done.returncode == 3 and "64 MB" in done.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_input_without_an_end_is_refused() -> None:
    done = run("-m", "tui", "yaml", "get", "-", stdin=Path("/dev/zero"))
    assert done.returncode == 3 and "more than 64 MB" in done.stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \xff\n", "f.yaml:2:4: byte 0xff is not UTF-8"),
        (b"a: 1\nb: x\xc3\n", "f.yaml:2:5: byte 0xc3 is not UTF-8"),
        (b"a: \xed\xa0\x80\n", "f.yaml:1:4: byte 0xed is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1:1: the file is UTF-16"),
        (b"a: 1\nb: \x00\n", "f.yaml:2:4: not valid YAML: control characters are not allowed"),
        (b"a: \x1b[31m\n", "f.yaml:1:4: not valid YAML: control characters are not allowed"),
    ],
)
def test_bytes_that_are_no_text_are_named(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(data)
    for words in (("get",), ("set", "-i")):
        done = run("-m", "tui", "yaml", *words, str(file), "a", *(["2"] if words[0] == "set" else []))
        assert done.returncode == 3 and message in done.stderr and file.read_bytes() == data
