"""The screen's program: holds the fleet and the screens, forwards one tick a frame, carries out commands."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from tui.ui import keys, keytable, themes
from tui.ui.curtain import Curtain, prepared
from tui.ui.looks import Looks
from tui.ui.paint import Sparing

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui.domain.cilium.hubble.observed import Observed
    from tui.domain.obj import Ref
    from tui.domain.settings import Settings
    from tui.fleet.netpol.asking import Question
    from tui.fleet.runtime import Fleet
    from tui.ui import Memory, OwnThemes, Place
    from tui.ui.accents import Accents
    from tui.ui.panes.base import Pane
    from tui.ui.screens.shell import Shell
    from tui.ui.tour import Tour

_log = logging.getLogger("fleet.ui")
# Once loaded, little is left to look through, and lines that Textual's own widgets have painted wait to be freed by it.
COLLECT = (10_000, 10, 5)  # of young objects, and how many times less often of older ones
FRAME = 1 / 30  # seconds: data is painted at most this often; keys are answered at once
LOADING = 0.2  # seconds: the same while new objects come faster than anybody reads
MANY = 200  # objects between two paintings that are so many
BREATH = 0.002  # seconds between two portions of what a pane has to do: the loop reads keys and rows meanwhile


class Tick(Message, bubble=False):
    """Something has changed. Carries nothing: whoever is shown pulls what it needs."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Tick)


class FleetApp(Looks, Sparing):
    """fleet on the screen."""

    TITLE = "fleet"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings_of("quit")

    fleet: Fleet  # once `stands`

    def __init__(
        self,
        make: Callable[[], Fleet],
        settings: Settings,
        place: Place | None = None,
        kubeconfig: str = "",
        tour: bool = False,
        memory: Memory | None = None,
        own: OwnThemes | None = None,
    ) -> None:
        """`make` is called in a thread once the first frame answers keys; what it raises ends the app: `failure`.

        `place` says where in which file a setting stands; `kubeconfig` names the files where not the environment does.
        """
        super().__init__(settings)
        self.kubeconfig = kubeconfig
        self.wants_demo = False  # the user has left for the demo
        self._welcomed = False
        self._tour_wanted = tour
        self._tour: Tour | None = None
        self.key_table, self._key_problems = keytable.of(settings)
        self.moves = self.key_table.moves()  # lists take their keys from it
        self._place = place or (lambda steps: "configuration")
        self.favourites: list[str] = []  # namespaces, the last chosen first
        self.stands = False  # the fleet and the first screen are there
        self.failure: BaseException | None = None
        self._make = make
        self._building = False
        self._leave_asked = False
        self._warned: set[str] = set()  # problems that are said already and still hold
        self._again: asyncio.TimerHandle | None = None  # the next portion of what a pane has to do
        self.dress(memory, own)
        self.set_keymap(self.key_table.keymap())
        self.hold()

    # -- life -----------------------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        return Curtain()

    def on_mount(self) -> None:
        """Get everything ready once the first frame stands."""
        few = self.console.color_system == "standard" and not self.no_color and not self.is_headless
        if few and self.theme == themes.DEFAULT:
            self.theme = themes.FEW  # what remains of the others in 16 colours says the wrong thing
        self.call_after_refresh(lambda: self.run_worker(self._open(), group="open"))

    async def _open(self) -> None:
        """Import and make what the first screen needs, beside the keys; then show it."""
        try:
            self.fleet = await prepared(self._make)
        except Exception as error:  # noqa: BLE001 - who started the app raises it again
            self.failure = error
            self.exit(return_code=1)
            return
        if self._leave_asked:
            return
        from tui.ui.screens.shell import Shell

        self._building = True
        self.add_mode("fleet", Shell)
        await self.switch_mode("fleet")

    def passes(self, key: events.Key) -> bool:
        """One may always leave."""
        return key.key in self.key_table.keys_of("quit")

    def waits(self, held: Sequence[events.Key]) -> None:
        """What is typed before the first screen stands is shown."""
        if isinstance(self.screen, Curtain):
            self.screen.show(held)

    def shell_stands(self) -> None:
        """The first screen has been built; who asked to leave meanwhile may do so now."""
        self._building = False
        self.stands = True
        self.release()
        if self._leave_asked:
            self.exit()
        else:
            self.call_after_refresh(self._begin)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave; a first screen that is being built is finished before, or it would fail half-built."""
        self._leave_asked = True
        if not self._building:
            super().exit(result, return_code, message)

    def _begin(self) -> None:
        """Start the fleet once its screen has been painted."""
        from tui.ui.drafting import editing

        gc.enable()
        self.fleet.start()
        self._tell_configuration()
        if self._tour_wanted:
            self.tour("")
        self.run_worker(self._follow(), group="follow", exit_on_error=False)
        self.follow_themes()
        self.set_interval(1.0, self._post_tick)  # ages grow although nothing else happens
        if not self.settings.read_only:
            self.do(editing.offer_recovered(self), "looking for text that was not saved", hold=False)

    async def _follow(self) -> None:
        version, frozen, held = -1, False, 0
        while True:
            version = await self.fleet.changed(version)
            self._post_tick()
            progress = self.fleet.progress()
            if not frozen and progress.settled:
                frozen = True
                gc.freeze()  # what stays for hours is not looked through again at each collection
                gc.set_threshold(*COLLECT)
            many, held = progress.objects - held > MANY, progress.objects
            await asyncio.sleep(LOADING if many and not progress.settled else FRAME)

    def tick_again(self, after: float = BREATH) -> None:
        """A pane has more to do: after the keys that are waiting, and those that the loop has not read yet."""
        if self._again is None:  # one at a time, however many ask
            self._again = asyncio.get_running_loop().call_later(after, self._post_tick)

    def tell_doing(self) -> None:
        self._post_tick()

    def _post_tick(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self.post_message(Tick())

    def on_tick(self) -> None:
        """Let what is shown take in what has changed."""
        from tui.ui.screens.base import FleetScreen

        if not self.screen_stack or self._leave_asked:
            return  # the tick of a program that closes its screens
        self._welcome()
        self._tell_problems()
        screen = self.screen
        if isinstance(screen, FleetScreen) and screen.is_mounted:
            try:
                screen.pull()
            except Exception as error:  # noqa: BLE001 - one object nobody foresaw must not end the program
                self.report("painting what changed", error)

    def _fatal_error(self) -> None:
        """Leave after a fault nobody foresaw. Textual's own report prints variables: objects and credentials."""
        from tui.domain import failure

        error = sys.exc_info()[1] or self._exception
        told = failure.report(error) if error is not None else "unknown"
        _log.critical("an error nobody foresaw", exc_info=error)
        self.bell()
        self.panic(Text(f"fleet: an error nobody foresaw\n{told}"))

    async def on_unmount(self) -> None:
        """End the fleet's threads and children."""
        if self.stands:
            await self.fleet.stop()

    # -- telling the user -----------------------------------------------------------------------------------------

    def _tell_configuration(self) -> None:
        """Say what of the configuration cannot be used, where it stands, and what holds instead."""
        from tui.domain.kinds.kind import Tone

        if (name := self.settings.theme) not in themes.PALETTES:
            there = ", ".join(themes.PALETTES)
            self.say(f"{self._place(['theme'])}: there is no theme {name}; themes: {there}", Tone.WARN)
        for problem in self._key_problems:
            self.say(f"{self._place(problem.where)}: {problem.text}", Tone.WARN)

    def _tell_problems(self) -> None:
        """Say once what no cluster's row says: a kubeconfig that cannot be read, a disk that is full."""
        from tui.domain.kinds.kind import Tone

        while self.fleet.news:
            self.say(self.fleet.news.popleft())
        problems = self.fleet.problems
        self._warned.intersection_update(problems)  # what is mended and comes back is said again
        for problem in problems:
            if problem not in self._warned:
                self._warned.add(problem)
                self.say(problem, Tone.WARN)

    def _welcome(self) -> None:
        """Explain, once, why there is nothing to see, for as long as there is not."""
        if self.fleet.contexts is None or (self.fleet.contexts and not self._welcomed):
            return
        from tui.domain.cluster import NO_CONTEXT
        from tui.ui.prompt import Prompt
        from tui.ui.screens.welcome import Welcome, told

        if self.fleet.contexts:
            if isinstance(self.screen, Welcome):
                self.screen.dismiss("")
        elif not self._welcomed and self.screen is self.shell and not self.shell.query(Prompt):
            self._welcomed = True
            problems = [problem for problem in self.fleet.problems if problem != NO_CONTEXT]
            self._warned.update(problems, [NO_CONTEXT])
            self.shell.pull()  # while something is over it, nobody else does
            self.push_screen(Welcome(told(self.kubeconfig, problems)), self._welcome_answered)

    def _welcome_answered(self, answer: str | None) -> None:
        from tui.ui.obey import ask_command

        if answer == "command":
            ask_command(self)
        elif answer == "demo" and self.is_web:
            self.say("the demo is started in a terminal: fleet demo")
        elif answer:
            self.wants_demo = answer == "demo"
            self.do(self.leave(), "leaving")

    def tour(self, argument: str) -> None:
        """Start the tour, go to its next step, or end it."""
        from tui.ui.tour import Tour

        if self._tour is None:
            self._tour = Tour(self)
        elif argument == "next":
            self._tour.skip()
        else:
            self._tour.stop()
            self._tour = None

    def say_instead(self, action: keys.Action) -> None:
        """Say what to do instead of what fleet never does."""
        from tui.domain.kinds.kind import Tone

        self.say(action.instead, Tone.WARN)

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask_filter(self, pane: Pane) -> None:
        """Filter a pane as one types; giving up takes the filter back."""
        from tui.ui.prompt import ask

        before = pane.filter

        def done(text: str | None) -> None:
            pane.set_filter(before if text is None else text)

        ask(self.screen, "/", done, value=before, changed=pane.set_filter, propose=pane.filter_proposals)

    def ask_quit(self) -> None:
        """Ask, then quit."""
        from tui.ui.screens.dialogs import Confirm

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(self.leave(), "leaving")

        self.push_screen(Confirm("Leave fleet?", yes="leave"), answered)

    def show_help(self, places: Sequence[str], unable: Callable[[str], str] = lambda action: "") -> None:
        """The keys that work in some places, and why some do not now, then the others."""
        from tui.ui.screens.dialogs import help_for

        self.push_screen(help_for([*places, "own", "everywhere"], self.key_table, unable))

    def show_aliases(self) -> None:
        """Every kind; choosing one opens it."""
        from tui.ui.obey import obey
        from tui.ui.screens.dialogs import aliases

        def chosen(resource: str | None) -> None:
            if resource:
                self.do(obey(self, resource), resource)

        async def gathered() -> None:
            self.push_screen(aliases(await self.fleet.offers.gather()), chosen)

        self.do(gathered(), "asking what the clusters serve")

    async def choose_namespace(self, name: str) -> None:
        """Show one namespace ("" = all), and remember it for its digit."""
        if name:
            self.favourites = [name, *(other for other in self.favourites if other != name)][:9]
        await self.shell.rescope(replace(self.shell.scope, namespace=name))

    # -- objects ----------------------------------------------------------------------------------------------------

    def show_object(self, ref: Ref, tab: str = "") -> None:
        """Open the detail of an object."""
        from tui.ui.screens.detail import DetailScreen

        self.push_screen(DetailScreen(ref, tab))

    def show_xray(self, ref: Ref) -> None:
        """Open the detail of an object at what it hangs together with."""
        from tui.ui.screens.tabs import tangle_of

        self.show_object(ref, tangle_of(ref))

    def show_owner(self, ref: Ref) -> None:
        """Open the object that controls another one."""
        from tui.ui.obey import jump_to_owner

        self.do(jump_to_owner(self, ref), f"finding the owner of {ref.name}")

    def show_found(self, text: str) -> None:
        """Find a text, in everything that is loaded and in Git."""
        from tui.ui.screens.find import FindScreen

        self.push_screen(FindScreen(text))

    def show_fleetwide(self, tab: str = "") -> None:
        """Policies of the fleet, or of the part of it that the tree has chosen."""
        from tui.ui.screens.fleetwide import FleetwideScreen

        self.push_screen(FleetwideScreen(self.shell.scope, tab))

    def show_manifest(self, ref: Ref) -> None:
        """Open the detail of an object at its manifest."""
        self.show_object(ref, "manifest")

    def show_verdict(self, question: Question) -> None:
        """May A talk to B? What the question leaves open is asked there."""
        from tui.ui.screens.verdict import VerdictScreen

        self.push_screen(VerdictScreen(question))

    def ask_verdict(self, ref: Ref) -> None:
        """May this object talk, or be talked to? The other end is chosen there."""
        from tui.ui.policies.asking import question_about

        self.show_verdict(question_about(ref, self.fleet))

    def ask_about_flow(self, flow: Observed, cluster: str) -> None:
        """Would a flow that was seen pass by the policies of now? Port, request and ends can be changed there."""
        from tui.ui.policies.asking import question_of_flow

        self.show_verdict(question_of_flow(flow, cluster))

    def show_logs(self, refs: Sequence[Ref], previous: bool = False) -> None:
        """Follow the logs of the pods of some objects."""
        from tui.domain.kinds.kind import Tone
        from tui.domain.logs.asked import Asked
        from tui.domain.logs.targets import WITH_LOGS, title
        from tui.fleet.logs.finding import of_refs
        from tui.ui.screens.logs import LogsScreen

        if not refs or any(ref.resource not in WITH_LOGS for ref in refs):
            self.say("pods, workloads, Services and Applications have logs; `:logs -l app=web` finds pods", Tone.WARN)
            return
        self.push_screen(LogsScreen(lambda: of_refs(self.fleet, refs), title(refs), Asked(previous=previous)))

    def find_logs(self, argument: str) -> None:
        """Follow the logs that were asked for in words. Raises ValueError."""
        from tui.domain.logs.asked import Asked
        from tui.domain.logs.targets import parse
        from tui.fleet.logs.finding import of_words
        from tui.ui.screens.logs import LogsScreen

        wanted, scope = parse(argument), self.shell.scope
        if wanted.cluster and not self.fleet.names(wanted.cluster):
            wanted = wanted._replace(cluster=f"{wanted.cluster}*")  # all that begin so
        elif not wanted.namespace and not wanted.cluster:
            wanted = wanted._replace(namespace=scope.namespace)
        clusters = scope.clusters(self.fleet.store)
        asked = Asked(previous=wanted.previous, containers=wanted.container)
        self.push_screen(LogsScreen(lambda: of_words(self.fleet, wanted, clusters), argument, asked))

    def draft_edit(self, ref: Ref) -> None:
        """Draft an edit of an object where it is declared."""
        from tui.ui.drafting import editing

        self.do(editing.edit(self, ref), f"finding the source of {ref.name}")

    async def show_drafts(self, name: str) -> None:
        """The Drafts pane with the cursor on a draft."""
        from tui.domain.kinds.fleet import DRAFTS_RESOURCE
        from tui.domain.obj import Ref
        from tui.ui.panes.table import TablePane

        await self.shell.go("drafts")
        if isinstance(pane := self.shell.pane, TablePane):
            pane.table.move_to(Ref("", DRAFTS_RESOURCE, "", name))

    def show_recovery(self, draft: str = "") -> None:
        """What was dropped, overwritten or never saved; of one draft, every state it has been in."""
        from tui.ui.screens.recovery import RecoveryScreen

        self.push_screen(RecoveryScreen(draft))

    async def ask_line(self, label: str, value: str) -> str | None:
        """Ask for one line at the bottom; None when the user gave up. Only from a worker."""
        from tui.domain.kinds.kind import Tone
        from tui.ui.prompt import Prompt, ask

        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        for asked in [found for found in self.screen.query(Prompt) if found.finished]:
            await asked.remove()  # of two questions in a row the second waits until the first is off the screen
        if not ask(self.screen, label, answer.set_result, value=value):
            self.say(f"{label.strip(': ')}: something else is being typed; ask again after it", Tone.WARN)
            return None
        return await self.answer_of(answer)

    def choose_edit(self, ref: Ref) -> None:
        """Choose one of the edits people make most of an object."""
        from tui.ui.drafting import editing

        self.do(editing.form(self, ref), f"editing {ref.name}")

    def choose_bulk(self, refs: Sequence[Ref]) -> None:
        """Choose one edit of many objects."""
        from tui.ui.drafting import bulk

        self.do(bulk.edit(self, refs), f"editing {len(refs)} objects")

    def draft_new(self, ref: Ref | None) -> None:
        """Draft a new object, beside one that is there."""
        from tui.ui.drafting import making

        self.do(making.make(self, ref), "making an object")

    def draft_removal(self, ref: Ref) -> None:
        """Draft the removal of an object."""
        from tui.ui.drafting import removing

        self.do(removing.remove(self, ref), f"removing {ref.name}")

    def draft_revert(self, ref: Ref, entry: int) -> None:
        """Draft the revert of an Application to an entry of its history."""
        from tui.ui.drafting import reverting

        self.do(reverting.revert(self, ref, entry), f"reverting {ref.name}")

    @cached_property
    def accents(self) -> Accents:
        """How clusters are marked that must not be mistaken for others."""
        from tui.ui.accents import Accents

        return Accents(self.fleet.store, self.settings.accents)

    @property
    def shell(self) -> Shell:
        """The first screen."""
        from tui.ui.screens.shell import Shell

        found = self.screen_stack[0]
        assert isinstance(found, Shell)
        return found

    async def action_quit(self) -> None:
        """Quit at once; with text selected the key copies it, as everywhere else."""
        if not self.stands:
            self.exit()
            return
        from textual.widgets import Input, TextArea

        selected = getattr(self.focused, "selected_text", "") if isinstance(self.focused, Input | TextArea) else ""
        if selected:
            self.copy_to_clipboard(selected)
        else:
            await self.leave()

    async def leave(self) -> None:
        """Quit, after every screen has kept what would be lost."""
        from tui.ui.screens.base import FleetScreen

        for screen in self.screen_stack:
            if isinstance(screen, FleetScreen):
                await screen.closing()
        self.exit()

    async def back_to_shell(self) -> None:
        """Close every screen over the first one; who waits for what one of them asks hears that nobody chose."""
        from tui.ui.screens.base import FleetScreen

        while self.screen is not self.shell:
            if isinstance(self.screen, FleetScreen):
                await self.screen.closing()
            self.screen.dismiss(None)
