"""Seals every test off from the machine it runs on, and holds what all of them share."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

# What decides on somebody's machine how git, kubectl, a terminal or fleet itself behaves. Nothing of it reaches a test.
_FOREIGN = re.compile(
    r"GIT_.*|SSH_.*|_?FLEET_.*|KUBE.*|XDG_.*|LC_.*|LANG|LANGUAGE|NO_COLOR|FORCE_COLOR|CLICOLOR.*|COLORTERM|COLUMNS|LINES"
    r"|TEXTUAL.*|EDITOR|VISUAL|PAGER|EMAIL|SOURCE_DATE_EPOCH|(?i:https?_proxy|all_proxy|no_proxy)"
)


def seal() -> None:
    """Give this process, and all it starts, an empty home, a known git identity, UTC and a plain UTF-8 locale.

    Ctrl-C works too, also where a shell started the tests in the background, which makes children ignore it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="fleet-tests-home-"))
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(home, ignore_errors=True) if os.getpid() == owner else None)
    (home / "gitconfig").write_text(
        "[user]\n\tname = Test\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n"
    )
    for name in [name for name in os.environ if _FOREIGN.fullmatch(name)]:
        del os.environ[name]
    os.environ |= {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "KUBECONFIG": str(home / "no-kubeconfig"),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
        "TZ": "UTC",
    }
    time.tzset()


seal()

# What passed yesterday passes today: the same examples every time, and no clock decides. `thorough` looks for new
# ones: HYPOTHESIS_PROFILE=thorough pytest.
_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
settings.register_profile("quick", max_examples=50, derandomize=True, deadline=None, suppress_health_check=_CALM)
settings.register_profile("thorough", max_examples=400, deadline=None, suppress_health_check=_CALM)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
if settings.default is settings.get_profile("quick"):
    # Hypothesis tries constants that it reads in the modules imported so far: other ones in each worker, so other
    # examples. Reading them takes four seconds of each worker as well.
    providers.is_local_module_file = lambda path: False


def pytest_make_parametrize_id(val: object) -> str | None:
    """Long texts as parameters get short names: pytest would put all of their megabytes into the test's."""
    if isinstance(val, str | bytes) and len(val) > 80:
        return f"{val[:40]!a}...{len(val)}"
    return None
