"""All contexts of the kubeconfigs, and connections to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.adapters.kube.credentials import Credentials
from tui.adapters.kube.execplugin import ExecPlugins
from tui.adapters.kube.kubeconfigs import Kubeconfigs
from tui.adapters.kube.oidc import OidcTokens
from tui.adapters.kube.transport import KubeConnection
from tui.domain.ports import Context, Unreachable
from tui.domain.pulse import Meter
from tui.domain.settings import Settings
from tui.fleet.aside import aside


class KubeClusters:
    """Implements `ports.Clusters`. Made and used in the network thread; reading kubeconfigs is all it does at first."""

    def __init__(
        self,
        settings: Settings,
        kubeconfig: str = "",
        wanted: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._files = Kubeconfigs(kubeconfig, wanted, env)
        specs, self.problems = self._files.read()
        self._specs = {spec.context.name: spec for spec in specs}
        self._plugins = ExecPlugins(settings.exec_timeout)
        self._oidc = OidcTokens(lambda: [spec.cluster.server for spec in self._specs.values()])

    def contexts(self) -> Sequence[Context]:
        """Every context that was asked for, in file order, broken ones too (with `problem`)."""
        return [spec.context for spec in self._specs.values()]

    async def reread(self) -> frozenset[str] | None:
        """Read the kubeconfigs again if their files are others by now and nobody is writing them; None when not so.

        Afterwards `contexts` and `problems` are new. Returns the names of the contexts of before that lead elsewhere or
        log in differently now: their connections are to be made anew.
        """
        if not await aside(self._files.changed, "kubeconfigs"):
            return None
        specs, self.problems = await aside(self._files.read, "kubeconfigs")
        before, self._specs = self._specs, {spec.context.name: spec for spec in specs}
        both = self._specs.keys() & before.keys()
        return frozenset(name for name in both if not self._specs[name].connects_as(before[name]))

    def connect(self, context: str, meter: Meter | None = None) -> KubeConnection:
        """A connection, which counts on `meter`; nothing is sent before its first request.

        Raises `Unreachable` for an unusable context.
        """
        spec = self._specs.get(context)
        if spec is None:
            raise Unreachable(f"no context is called {context}")
        if spec.context.problem:
            raise Unreachable(spec.context.problem)
        credentials = Credentials(spec, self._plugins, self._oidc.token)
        return KubeConnection(spec, credentials, self._settings.request_timeout, self._settings.gzip, meter)

    async def close(self) -> None:
        """Stop exec plugins that still run."""
        await self._plugins.close()
