"""Commands of the user's own: what may stand in them, what is refused, and that a value stays one argument."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.domain.usercommands import VALUES, UserCommand

HERE = {name: name.lower() for name in VALUES}


def command(*run: str, **more: Any) -> UserCommand:
    return UserCommand("try", run, **more)


@pytest.mark.parametrize(
    ("run", "made"),
    [
        (("stern", "$NAME"), ["stern", "name"]),
        (("stern", "--context=$CONTEXT", "pod/${NAME}-x"), ["stern", "--context=context", "pod/name-x"]),
        (("echo", "$$5", "$$NAME"), ["echo", "$5", "$NAME"]),
        (("kubectl", "get", "$RESOURCE", "$NAME"), ["kubectl", "get", "resource", "name"]),
        (("kubectl", "rollout", "status", "$NAME"), ["kubectl", "rollout", "status", "name"]),
        (("/usr/bin/kubectl", "logs", "$NAME"), ["/usr/bin/kubectl", "logs", "name"]),
        (("k9s", "--readonly"), ["k9s", "--readonly"]),
    ],
)
def test_values_stand_in_their_places(run: tuple[str, ...], made: list[str]) -> None:
    assert command(*run).argv(HERE) == made


@pytest.mark.parametrize(
    ("run", "more", "told"),
    [
        ((), {}, "run needs a program"),
        (("bash", "-c", "kubectl delete $NAME"), {}, "fleet runs no shell"),
        (("/bin/sh", "x.sh"), {}, "fleet runs no shell"),
        (("echo", "$NAM"), {}, r"there is no \$NAM: \$NAME, \$NAMESPACE"),
        (("echo", "${}"), {}, r"there is no \$: "),
        (("kubectl", "delete", "pod", "$NAME"), {}, "kubectl delete may change a cluster, which fleet leaves to Git"),
        (("oc", "exec", "$NAME"), {}, "kubectl exec may change"),
        (("kubectl", "rollout", "restart", "$NAME"), {}, "kubectl rollout may change"),
        (("kubectl", "-n", "x", "get"), {}, "the word of kubectl comes first"),
        (("kubectl", "$NAME"), {}, r"kubectl \$NAME may change"),
        (("helm", "upgrade", "x"), {}, "helm upgrade may change"),
        (("argocd", "app", "sync", "$NAME"), {}, "argocd app may change"),
        (("k9s",), {}, "give it --readonly"),
        (("yq", "$FILE"), {}, r"draft and \$FILE go together"),
        (("yq", "x"), {"draft": True}, r"draft and \$FILE go together"),
        (("echo",), {"name": "two words"}, "'two words' is no name"),
    ],
)
def test_what_fleet_does_not_run_is_refused_with_what_to_do(
    run: tuple[str, ...], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        UserCommand(more.pop("name", "try"), run, **more)


@given(st.text(alphabet="ab $\"'`;|&\n*{}\\-\0", max_size=8))
def test_a_value_is_never_more_than_a_part_of_one_argument(value: str) -> None:
    values = {**HERE, "NAME": value}
    made = command("x", "--name=$NAME", "y") if "\0" not in value else None
    if made is not None:
        assert made.argv(values) == ["x", f"--name={value}", "y"]
    if value.startswith("-") or "\0" in value:
        with pytest.raises(ValueError, match=r"option|NUL"):
            command("x", "$NAME").argv(values)
    else:
        assert command("x", "$NAME").argv(values) == ["x", value]
