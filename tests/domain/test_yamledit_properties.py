"""The contract of the surgical editor over documents nobody wrote for it, judged by PyYAML's composer and by kubectl.

For every edit: it is refused, or (a) the text composes to exactly the intended data, all other documents unchanged, and
(b) the changes it reports account for every differing character, one line for a one-line scalar; (d) setting what is so
changes nothing; (e) undo gives back the bytes, and so does taking away again what was put in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.domain import yamlgen as gen
from tui.domain import yamlvalue
from tui.domain.yamledit import (
    Edited,
    Refused,
    delete,
    get_value,
    insert_item,
    insert_key,
    rename_key,
    replace,
    set_value,
)

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
OPERATIONS = ("set", "set", "set", "insert", "item", "append", "delete", "rename", "replace")


class Case:
    """One random edit of a text, with the data it must lead to."""

    def __init__(self, text: str, random: Random) -> None:
        self.text, self.random = text, random
        self.before = gen.compose(text) or []
        self.applies = bool(self.before)
        if not self.applies:
            return
        self.doc = random.randrange(len(self.before))
        self.data = self.before[self.doc]
        self.path = random.choice(gen.paths(self.data))
        self.target = gen.at(self.data, self.path)
        self.operation = random.choice(OPERATIONS)
        self.value = gen.value(random)
        self.key = random.choice((*gen.KEYS, *gen.WORDS))
        self.index = 0
        if gen.is_list(self.target):
            size = len(self.target[1])
            self.index = size if self.operation == "append" else random.randrange(size + 1)
        self.applies = self._applicable()

    def _keys(self, path: tuple[str | int, ...]) -> list[str]:
        return [key[1] for key, _ in gen.at(self.data, path)[1]]

    def _applicable(self) -> bool:
        if self.operation == "insert":
            return gen.is_map(self.target) and self.key not in self._keys(self.path)
        if self.operation in ("item", "append"):
            return gen.is_list(self.target)
        if self.operation == "delete":
            return bool(self.path)
        if self.operation == "rename":
            return bool(self.path) and isinstance(self.path[-1], str) and self.key not in self._keys(self.path[:-1])
        return True

    def edit(self) -> Edited:
        if self.operation == "set":
            return set_value(self.text, self.path, self.value, self.doc, shared="all")
        if self.operation == "replace":
            return replace(self.text, self.path, self.value, self.doc, shared="all")
        if self.operation == "insert":
            return insert_key(self.text, (*self.path, self.key), self.value, self.doc, shared="all")
        if self.operation in ("item", "append"):
            return insert_item(self.text, self.path, self.index, self.value, self.doc, shared="all")
        if self.operation == "delete":
            return delete(self.text, self.path, self.doc, shared="all")
        return rename_key(self.text, self.path, self.key, self.doc, shared="all")

    def intended(self, after: Any) -> Any:
        """The data the edited document must hold; where a new key stands is the editor's to choose."""
        if self.operation in ("set", "replace"):
            return gen.changed(self.data, self.path, gen.intended(self.value))
        if self.operation == "delete":
            return gen.changed(self.data, self.path, None)
        tag, parts = self.target
        if self.operation == "insert":
            place = next(i for i, (key, _) in enumerate(gen.at(after, self.path)[1]) if key[1] == self.key)
            new = [*parts[:place], (gen.intended(self.key), gen.intended(self.value)), *parts[place:]]
            return gen.changed(self.data, self.path, (tag, new))
        if self.operation in ("item", "append"):
            new = [*parts[: self.index], gen.intended(self.value), *parts[self.index :]]
            return gen.changed(self.data, self.path, (tag, new))
        tag, parts = gen.at(self.data, self.path[:-1])
        renamed = [(gen.intended(self.key) if key[1] == self.path[-1] else key, part) for key, part in parts]
        return gen.changed(self.data, self.path[:-1], (tag, renamed))

    def put_back(self, edited: Edited) -> str | None:
        """The text after an insertion is taken away again; None where there is nothing to take away."""
        if self.operation == "insert":
            path: tuple[str | int, ...] = (*self.path, self.key)
        elif self.operation in ("item", "append"):
            path = (*self.path, self.index)
        else:
            return None
        if not self.target[1]:  # `{}` with spaces in it, or an empty value, is not written back as it was
            return None
        return delete(edited.text, path, self.doc, shared="all").text


def reads_the_same(case: Case) -> bool:
    """Whether kubectl reads the value there already: `2024-01-01` is text to it, a date to PyYAML."""
    return case.operation in ("set", "replace") and yamlvalue.same(
        get_value(case.text, case.path, case.doc), case.value
    )


def check(case: Case) -> bool:
    """Asserts the contract; False when the edit was refused."""
    try:
        edited = case.edit()
    except Refused as refused:
        assert refused.reason
        return False
    assert edited.undo() == case.text
    assert edited.changed == (edited.text != case.text)
    if reads_the_same(case):
        assert not edited.changed
        return True
    if "*" in case.text and "&" in case.text:
        return True  # composing repeats what aliases stand for; see test_yamledit_shared
    after = gen.compose(edited.text)
    assert after is not None and len(after) == len(case.before)
    for index, data in enumerate(after):
        if index == case.doc:
            loose = case.operation == "set" and isinstance(case.value, dict | list)
            assert gen.equal(data, case.intended(data), loose), (
                case.text,
                case.operation,
                case.path,
                case.value,
                edited.text,
            )
        else:
            assert data == case.before[index]
    if case.operation in ("set", "rename") and one_line(case):
        differing = sum(old != new for old, new in zip(case.text.split("\n"), edited.text.split("\n"), strict=True))
        assert differing <= 1
    try:
        back = case.put_back(edited)
    except Refused:
        back = None
    if back is not None and case.text.endswith("\n"):
        assert back == case.text
    return True


def one_line(case: Case) -> bool:
    """Whether both the old and the new scalar stand on one line."""
    if isinstance(case.target[1], list) or isinstance(case.value, dict | list):
        return case.operation == "rename"
    if "\n" in str(case.value) or "\n" in case.target[1]:
        return case.operation == "rename"
    found = list(yaml.compose_all(case.text.removeprefix("\ufeff"), Loader=yaml.CSafeLoader))
    node: Any = [node for node in found if node is not None and not gen.empty(node)][case.doc]
    for step in case.path:
        if isinstance(step, int):
            node = node.value[step]
        else:
            node = next(part for key, part in node.value if key.value == step)
    return bool(node.start_mark.line == node.end_mark.line) or case.operation == "rename"


@settings(max_examples=settings.default.max_examples * 8, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_generated_documents(random: Random) -> None:
    case = Case(gen.text(random), random)
    if case.applies:
        check(case)


def test_hardly_anything_is_refused() -> None:
    done = refused = 0
    for seed in range(1500):
        random = Random(seed)
        case = Case(gen.text(random), random)
        if case.applies and case.path and not (len(case.path) == 1 and case.operation == "delete"):
            done += 1
            refused += not check(case)
    assert done > 500
    assert refused / done < 0.04, f"{refused} of {done}"


def corpus() -> list[Path]:
    return sorted(path for suffix in ("*.yaml", "*.yml", "*.json") for path in DATA.rglob(suffix))


@pytest.mark.skipif(not DATA.is_dir(), reason="no shared test data here")
@pytest.mark.parametrize("share", range(8))
def test_documents_from_the_wild(share: int) -> None:
    done = refused = 0
    for number, path in enumerate(corpus()):
        if number % 8 != share or path.stat().st_size > 150_000:
            continue
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
        for round_ in range(2):
            case = Case(text, Random(number * 10 + round_))
            if case.applies:
                done += 1
                refused += not check(case)
    assert done > 200
    assert refused / done < 0.02, f"{refused} of {done}"


def test_setting_every_scalar_to_itself_changes_no_byte() -> None:
    for seed in range(200):
        text = gen.text(Random(seed))
        for index, data in enumerate(gen.compose(text) or []):
            for path in gen.paths(data):
                try:
                    value = get_value(text, path, index)
                    edited = set_value(text, path, value, index)
                except Refused:
                    continue
                assert edited.text is text or not edited.changed


@pytest.mark.skipif(not hasattr(yaml, "CLoader"), reason="PyYAML was built without libyaml")
def test_the_pure_parser_gives_the_same_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.domain.yamledit import tree

    for seed in range(400):
        results = []
        for loader in (yaml.CLoader, yaml.Loader):
            monkeypatch.setattr(tree, "Loader", loader)
            random = Random(seed)
            case = Case(gen.text(random), random)
            if not case.applies:
                continue
            try:
                results.append(case.edit().text)
            except Refused:
                results.append(None)
        if len(results) == 2 and None not in results:
            assert results[0] == results[1]


KUBECTL = shutil.which("kubectl")


def kubectl(spec: str) -> dict[str, Any]:
    """What kubectl's own parser reads in a manifest with this spec."""
    text = "apiVersion: example.org/v1\nkind: X\nmetadata: {name: x}\nspec:\n" + spec
    command = [str(KUBECTL), "label", "--local", "-f", "-", "zz=zz", "-o", "json"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    spec_: dict[str, Any] = json.loads(done.stdout)["spec"]
    return spec_


PROBES = (
    "y", "n", "Y", "N", "yes", "no", "on", "off", "true", "TRUE", "True", "tRue", "~", "null", "NULL", "nil", "08",
    "09", "010", "0o17", "0O17", "0x1F", "0X1f", "0b11", "0B11", "0o8", "1e3", "1E3", "1e+3", "1.e3", ".5", "5.",
    "+.5", "-.5", "+1", "-1", "1_000", "1__0", "_1", "1_", "0x_1f", "0_1", "12:30", "12:30:45", "2024-01-01",
    "2024-01-01T00:00:00Z", "+12e03", "1e400", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "-9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "00", "0", "-0", "+0", "007", "0777",
    "-010", "+010", "0b", "0x", "0o", ".", "..", "+", "e1", "1e", "1e1.5", "1.2.3", ".e1", "1,000", "infinity",
    "NaN", "nan", "inf", "._1", "1.0", "1.50", "-0x1f", "-0b1", "-0o7", "+0x1f", "1e-3", "01.5", "08.5", "1_000.5",
    "0.1_5", "=", "<<", "<<x",
)  # fmt: skip


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on PATH")
def test_scalars_are_typed_as_kubectl_types_them() -> None:
    probes = [probe for probe in PROBES if probe != "<<"]
    found = kubectl("".join(f"  k{index}: {probe}\n" for index, probe in enumerate(probes)))
    for index, probe in enumerate(probes):
        read, value = found[f"k{index}"], yamlvalue.kubectl(probe)
        if isinstance(value, float):
            assert isinstance(read, int | float) and not isinstance(read, bool), probe
            assert float(read) == value, probe
        else:
            assert read == value and type(read) is type(value), probe


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on PATH")
def test_kubectl_reads_what_was_written() -> None:
    random = Random(7)
    alphabet = "ab01:-#,[]{}'\"\\!&*?|>%@` \n\t.~=<yn_+eox\u2028\u00e9\U0001f600"
    noise = ["".join(random.choices(alphabet, k=random.randrange(1, 9))) for _ in range(300)]
    values = [*gen.WORDS, *PROBES, *noise, *gen.NUMBERS]
    text = "a: plain\nd: \"double\"\ns: 'single'\nb: |\n  block\nf: {a: plain, l: [x]}\n"
    out, expected = [], []
    for value in values:
        edited = text
        for path in ("a", "d", "s", "b", "f.a", "f.l[0]"):
            edited = set_value(edited, path, value).text
        out.append(edited)
        expected.append(value)
    spec = "".join(
        f"  k{index}:\n" + "".join("    " + line for line in edited.splitlines(keepends=True))
        for index, edited in enumerate(out)
    )
    found = kubectl(spec)
    for index, value in enumerate(expected):
        read = found[f"k{index}"]
        for got in (read["a"], read["d"], read["s"], read["b"], read["f"]["a"], read["f"]["l"][0]):
            assert got == value and isinstance(got, bool) == isinstance(value, bool), value
