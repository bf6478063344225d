"""The network side of fleet as the main loop sees it: a thread that reads all clusters, and questions to it."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from tui.domain.kinds.catalogue import Catalogue
from tui.domain.kinds.kind import Kind
from tui.domain.obj import Ref
from tui.domain.ports import Clusters, Context, Served, Unreachable
from tui.domain.pulse import Pulse
from tui.domain.settings import Settings
from tui.fleet.bridge import Batch, NetworkThread, Outbox
from tui.fleet.sync.held import Observer
from tui.fleet.sync.supervisor import Supervisor
from tui.fleet.sync.timing import Timing

T = TypeVar("T")
Learn = Callable[[tuple[Context, ...], tuple[str, ...], tuple[str, ...]], object]

LARGE = 1 << 20  # bytes: pages of lists are larger, what is kept of them is smaller
M_MMAP_THRESHOLD = -3  # malloc.h of glibc
SWITCH = 0.0005  # seconds the network thread keeps the interpreter before the screen gets it


class Want(Protocol):
    """What somebody looks at: resources, in these clusters or (None) in all."""

    @property
    def resources(self) -> frozenset[str]: ...
    @property
    def clusters(self) -> frozenset[str] | None: ...


class Network:
    """All methods belong to the loop that called `start`."""

    def __init__(
        self,
        clusters: Callable[[], Clusters],
        kinds: Mapping[str, Kind],
        settings: Settings,
        deliver: Callable[[Sequence[Batch]], None],
        observers: Mapping[str, Observer] | None = None,
        clock: Callable[[], float] = time.time,
        timing: Timing | None = None,
        learn: Learn = lambda contexts, problems, renewed: None,
    ) -> None:
        """`clusters` and the observers run in the network thread, `deliver` and `learn` on the main loop.

        `learn` is told all contexts, what is wrong with the kubeconfigs, and which contexts are connected anew: at
        first, and when the files are read again.
        """
        self._clusters = clusters
        self._kinds = kinds
        self._deliver = deliver
        self._observers = observers or {}
        self._clock = clock
        self._timing = timing or Timing(list_quiet=settings.request_timeout)
        self._learn = learn
        self._main: asyncio.AbstractEventLoop | None = None
        self._thread: NetworkThread | None = None
        self._outbox: Outbox | None = None
        self._supervisor: asyncio.Future[Supervisor] | None = None  # of the network loop
        self._wants: tuple[Want, ...] = ()

    def start(self, failed: Callable[[BaseException], object] | None = None) -> None:
        """Start the thread; returns at once. `failed` is told on the main loop should the thread ever end by itself."""
        tune()
        self._thread = NetworkThread("fleet-network")
        self._thread.failed = failed
        self._main = asyncio.get_running_loop()
        self._outbox = Outbox(self._main, self._thread.loop, self._deliver)
        self._supervisor = self._thread.loop.create_future()
        self._thread.start(self._body)

    async def stop(self) -> None:
        """End every watch, request and the thread; nothing is delivered any more."""
        if self._outbox is not None:
            self._outbox.close()
        if self._thread is not None:
            await self._thread.stop()

    def want(self, wants: Iterable[Want]) -> None:
        """Everything that is looked at from now on; what no longer is stays watched for some minutes."""
        self._wants = tuple(wants)
        self._soon(lambda supervisor: supervisor.want(self._wants))

    def pulse(self) -> tuple[Pulse, ...]:
        """Every cluster as of now, with what was sent and came; () before the kubeconfigs have been read."""
        waiting = self._supervisor
        if waiting is None or not waiting.done() or waiting.cancelled():
            return ()
        return waiting.result().pulse()

    def retry(self, cluster: str | None = None) -> None:
        """Try a cluster (or all) again now rather than at its next try."""
        self._soon(lambda supervisor: supervisor.retry(cluster))

    async def get(self, ref: Ref) -> bytes:
        """One object as JSON, fresh from its cluster; metadata only where that is all fleet reads. Raises `Trouble`."""
        return await self.run(lambda supervisor: supervisor.get(ref))

    async def served(self, cluster: str) -> Mapping[str, Served]:
        """Every resource that a cluster serves, by `plural.group`. Raises `Trouble`."""
        return await self.run(lambda supervisor: supervisor.served(cluster))

    async def offered(self, patience: float) -> Catalogue:
        """What all clusters serve, of those that say so within `patience` seconds."""
        return await self.run(lambda supervisor: supervisor.offered(patience))

    async def read(self, cluster: str, path: str) -> bytes:
        """One GET of a path below a cluster's API. Raises `Trouble`."""
        return await self.run(lambda supervisor: supervisor.read(cluster, path))

    async def cluster_secrets(self, hub: str, namespace: str = "") -> dict[str, dict[str, str]]:
        """Names and labels of the cluster Secrets of a hub's Argo CD, never their data. Raises `Trouble`.

        `namespace` "" asks for all of them, which takes the right to list Secrets everywhere.
        """
        return await self.run(lambda supervisor: supervisor.cluster_secrets(hub, namespace))

    async def review(self, cluster: str, kind: str, body: Mapping[str, object]) -> bytes:
        """A self-review (`selfsubjectaccessreviews`, `selfsubjectrulesreviews`, `selfsubjectreviews`)."""
        return await self.run(lambda supervisor: supervisor.review(cluster, kind, body))

    async def run(self, ask: Callable[[Supervisor], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine in the network thread; cancelling the caller cancels it there. Raises what it raises."""
        if self._thread is None:
            raise Unreachable("the network thread has not been started")
        return await self._thread.call(self._ask(ask))

    async def _ask(self, ask: Callable[[Supervisor], Coroutine[Any, Any, T]]) -> T:
        assert self._supervisor is not None
        return await ask(await asyncio.shield(self._supervisor))

    def _soon(self, tell: Callable[[Supervisor], None]) -> None:
        """Tell the supervisor something, as soon as there is one."""
        if self._thread is not None and self._supervisor is not None:
            waiting = self._supervisor
            self._thread.soon(waiting.add_done_callback, lambda done: None if done.cancelled() else tell(done.result()))

    async def _body(self) -> None:
        assert self._supervisor is not None and self._outbox is not None
        give_back()
        try:
            clusters = self._clusters()
        except BaseException:
            self._supervisor.cancel()  # whoever asks it something waits no longer
            raise

        def tell(renewed: Iterable[str] = ()) -> None:
            assert self._main is not None
            contexts, problems = tuple(clusters.contexts()), tuple(clusters.problems)
            self._main.call_soon_threadsafe(self._learn, contexts, problems, tuple(renewed))

        tell()
        supervisor = Supervisor(clusters, self._kinds, self._outbox, self._observers, self._timing, self._clock, tell)
        supervisor.want(self._wants)
        self._supervisor.set_result(supervisor)
        await supervisor.run()


def tune() -> None:
    """Give the screen its turn quickly while the network thread decodes, and collect garbage less often.

    Rows are outside the garbage collector; what is left for it is small, but a full pass stops both threads.
    """
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(50_000, 20, 50)


def give_back() -> None:
    """Let large blocks go back to the system when they are freed, where the C library is glibc.

    It would put them among the small ones once the first has been freed, and what is kept of a list's pages would then
    hold on to twice as much memory as it needs.
    """
    import ctypes

    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library has no such option
    set_option(M_MMAP_THRESHOLD, LARGE)
