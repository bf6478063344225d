"""The tree in a running app."""

from __future__ import annotations

import random

from textual.app import App

from tui.domain.kinds.kind import Cell, Tone
from tui.ui.widgets.tree import LazyTree, Node

PLAN = {
    None: ["prod", "staging"],
    "prod": ["prod/eu", "prod/us"],
    "prod/eu": ["prod/eu/cart", "prod/eu/mail"],
    "prod/us": [],
    "staging": ["staging/a"],
}


class Provider:
    """Nodes from a plain dict; remembers what it was asked."""

    def __init__(self, plan):
        self.plan = {key: list(value) for key, value in plan.items()}
        self.asked = []

    def node(self, node_id, aside=()):
        label = str(node_id).rsplit("/", 1)[-1]
        return Node(node_id, (Cell(label),), aside, node_id in self.plan)

    def __call__(self, node_id):
        self.asked.append(node_id)
        return [self.node(child) for child in self.plan[node_id]]


class Bare(App):
    def __init__(self, provider):
        super().__init__()
        self.tree_ = LazyTree(provider, empty="no clusters")
        self.said = []

    def compose(self):
        yield self.tree_

    def on_mount(self):
        self.tree_.reload()
        self.tree_.focus()

    def on_lazy_tree_highlighted(self, message):
        self.said.append(("highlighted", message.id))

    def on_lazy_tree_opened(self, message):
        self.said.append(("opened", message.id))

    def on_lazy_tree_toggled(self, message):
        self.said.append(("toggled", message.id, message.tree.is_expanded(message.id)))

    def on_key(self, event):
        self.said.append(("key", event.key))


def lines(app):
    """What the screen shows, line by line."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in app.screen._compositor.render_strips()]


async def test_children_are_asked_for_on_expansion_only():
    provider = Provider(PLAN)
    app = Bare(provider)
    async with app.run_test(size=(30, 9)) as pilot:
        assert provider.asked == [None]
        await pilot.press("l", "l", "l")
        assert provider.asked == [None, "prod", "prod/eu"]
        assert lines(app)[:6] == [" ▾ prod", "▌├ ▾ eu", " │ ├   cart", " │ └   mail", " └ ▸ us", " ▸ staging"]
        assert app.said[:3] == [("highlighted", "prod"), ("toggled", "prod", True), ("highlighted", "prod/eu")]


async def test_left_closes_then_steps_out_then_is_left_to_the_parents():
    app = Bare(Provider(PLAN))
    async with app.run_test(size=(30, 9)) as pilot:
        await pilot.press("right", "right", "right", "right")
        assert app.tree_.cursor_id == "prod/eu/cart"
        await pilot.press("right")
        assert ("key", "right") in app.said
        await pilot.press("h", "h", "h", "h")
        assert app.tree_.visible_ids == ["prod", "staging"]
        assert ("key", "h") not in app.said
        await pilot.press("h", "enter", "space")
        assert ("key", "h") in app.said
        assert ("opened", "prod") in app.said
        assert app.tree_.is_expanded("prod")


async def test_reload_keeps_what_is_open_and_the_cursor():
    provider = Provider(PLAN)
    app = Bare(provider)
    async with app.run_test(size=(30, 9)) as pilot:
        tree = app.tree_
        assert tree.reveal(["prod", "prod/eu", "prod/eu/mail"])
        provider.plan[None].insert(0, "edge")
        provider.plan["prod/eu"].insert(0, "prod/eu/api")
        tree.reload()
        assert tree.cursor_id == "prod/eu/mail"
        assert "prod/eu/api" in tree.visible_ids
        assert tree.visible_ids[0] == "edge"
        provider.plan["prod/eu"].remove("prod/eu/mail")
        tree.reload("prod/eu")
        assert tree.cursor_id == "prod/eu"
        provider.plan[None] = []
        tree.reload()
        assert tree.cursor_id is None
        await pilot.pause()
        assert lines(app)[0] == "  no clusters"


async def test_labels_change_by_id_and_only_those_in_view_are_painted():
    app = Bare(Provider(PLAN))
    async with app.run_test(size=(30, 9)) as pilot:
        tree = app.tree_
        tree.expand_node("prod")
        await pilot.pause()
        painted = []
        original = tree.paint_line
        tree.paint_line = lambda index, width, state: painted.append(index) or original(index, width, state)
        new = Node("prod/us", (Cell("us", Tone.BAD),), (Cell("✖ 3", Tone.BAD), Cell("v1.31")), True)
        tree.update_labels([new, Node("unknown", (Cell("x"),)), app.tree_._by_id["prod"].node])
        await pilot.pause()
        assert painted == [2]
        assert lines(app)[2].startswith(" └ ▸ us") and lines(app)[2].endswith("✖ 3 v1.31")


async def test_filter_shows_matches_and_what_they_are_in():
    app = Bare(Provider(PLAN))
    async with app.run_test(size=(30, 9)):
        tree = app.tree_
        tree.reveal(["prod", "prod/eu", "prod/eu/mail"])
        tree.collapse_node("prod")
        tree.set_filter("MAI")
        assert tree.visible_ids == ["prod", "prod/eu", "prod/eu/mail"]
        tree.set_filter("!mail")
        assert "prod/eu/mail" not in tree.visible_ids
        tree.set_filter("")
        assert tree.visible_ids == ["prod", "staging"]


async def test_branches_end_at_the_last_node_that_the_filter_leaves():
    app = Bare(Provider(PLAN))
    async with app.run_test(size=(30, 9)) as pilot:
        app.tree_.reveal(["prod", "prod/eu", "prod/eu/mail"])
        await pilot.pause()
        before = lines(app)
        app.tree_.set_filter("cart")
        await pilot.pause()
        assert [line.replace("▌", " ") for line in lines(app)[:3]] == [" ▾ prod", " └ ▾ eu", "   └   cart"]
        app.tree_.set_filter("")
        app.tree_.move_to("prod/eu/mail")
        await pilot.pause()
        assert lines(app) == before


async def test_mouse_opens_on_the_arrow():
    app = Bare(Provider(PLAN))
    async with app.run_test(size=(30, 9)) as pilot:
        await pilot.click(LazyTree, offset=(1, 0))
        assert app.tree_.visible_ids == ["prod", "prod/eu", "prod/us", "staging"]
        await pilot.click(LazyTree, offset=(10, 2))
        assert app.tree_.cursor_id == "prod/us"
        await pilot.click(LazyTree, offset=(10, 3), times=2)
        await pilot.pause()
        assert app.said[-1] == ("opened", "staging")


async def test_random_use_agrees_with_starting_again():
    chance = random.Random(3)
    names = [f"c{at}" for at in range(6)]
    provider = Provider({None: names, **{name: [f"{name}/{n}" for n in range(4)] for name in names}})
    app = Bare(provider)
    async with app.run_test(size=(30, 9)):
        tree = app.tree_
        for _ in range(300):
            node_id = f"c{chance.randrange(6)}"
            act = chance.randrange(6)
            if act == 0:
                tree.expand_node(node_id)
            elif act == 1:
                tree.collapse_node(node_id)
            elif act == 2:
                provider.plan[node_id] = [f"{node_id}/{n}" for n in range(chance.randrange(6))]
                tree.reload(node_id)
            elif act == 3:
                tree.go(chance.randrange(40))
            elif act == 4:
                tree.set_filter(chance.choice(["", "", "c1", "2", "!3", "zz"]))
            held = tree.cursor_id
            assert tree.visible_ids[tree.cursor : tree.cursor + 1] == ([held] if held is not None else [])
            flat = tree.visible_ids
            tree._settle()
            assert tree.visible_ids == flat
            assert tree.cursor_id == held
            assert len(set(flat)) == len(flat)


async def test_foreign_labels_stay_text():
    provider = Provider({None: ["[red]\x1b[2J\u202e"]})
    app = Bare(provider)
    async with app.run_test(size=(30, 4)) as pilot:
        await pilot.pause()
        assert "[red]␛[2J�" in lines(app)[0]
