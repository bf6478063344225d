"""A draft put on top of its target that has moved: what is in the way, what was decided, and the rebase itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tui.adapters.git import checkout as clones
from tui.adapters.git import history
from tui.adapters.git.command import GitTrouble, Refused
from tui.adapters.git.drafts import DraftRefs
from tui.adapters.git.objects import Missing, Pack
from tui.adapters.git.replay import replay
from tui.adapters.git.repository import UPSTREAM
from tui.domain import versions, yamledit
from tui.domain.drafts import conflict, model
from tui.domain.drafts.conflict import Choice, Clash, Conflicts, Decision, Ledger
from tui.domain.drafts.merge import invalid
from tui.domain.drafts.model import Draft
from tui.domain.drafts.standing import Surroundings, gone_words, lost_words

_NOBODY = "fleet <> 0 +0000"  # commits that are made to see what a rebase would do, and are thrown away
LARGEST = 1 << 20  # bytes of text in one decision


def around(refs: DraftRefs, draft: Draft) -> Surroundings:
    """What Git knows of where a draft stands as of the last fetch. Costs what the draft changes, and at most
    `history.SEARCHED` commits of the target that touch the same files."""
    repository = refs.repository
    target = refs.objects.resolve(UPSTREAM + draft.target)
    onto = refs.objects.resolve(UPSTREAM + draft.onto) if draft.onto else target
    if draft.unborn and not onto:
        return Surroundings()
    if not target and not onto:
        return Surroundings(target_gone=True, default=repository.default_branch())
    if target:
        landed = history.landed(repository, draft, target)
        reverted = history.reverted(repository, draft, landed, target) if landed else ""
        behind = history.behind(repository, draft.base, target)
        if not draft.onto and (target == draft.base or landed or draft.empty):
            return Surroundings(landed, behind, reverted=reverted)
    else:
        landed, behind = "", 0
    lost = 0 if draft.unborn else history.lost(repository, draft.base, onto)
    if lost and not draft.onto and not history.related(repository, draft.base, onto):
        return Surroundings(behind=behind, unrelated=True)
    ledger = look(refs, draft, onto)
    clashes = tuple(ledger.found.values())
    overtaken = "" if draft.choices or draft.onto else _overtaken(refs, draft, onto, ledger)
    lost = 0 if draft.onto else lost
    notes = (*((lost_words(draft.target, lost),) if lost else ()), *ledger.notes)
    return Surroundings(landed, behind, False, clashes, overtaken=overtaken, lost=lost, notes=notes)


def around_key(refs: DraftRefs, draft: Draft) -> tuple[object, ...]:
    """What `around` depends on: equal keys have equal answers."""
    ends = [refs.objects.resolve(UPSTREAM + branch) if branch else "" for branch in (draft.target, draft.onto)]
    decided = tuple(sorted((key, one.take, one.blob, one.saw) for key, one in draft.choices.items()))
    gone = () if ends[0] else (refs.repository.default_branch(),)
    return (draft.base, draft.tip, draft.head, draft.index, draft.onto, *ends, decided, gone)


def look(
    refs: DraftRefs, draft: Draft, onto: str, decisions: Mapping[str, tuple[Decision, str]] | None = None
) -> Ledger:
    """Every clash that a rebase onto a commit meets, with what was decided about it. Nothing is stored."""
    ledger = Ledger(_decisions(refs, draft) if decisions is None else decisions)
    replay(refs.repository, draft, onto, Pack(refs.objects), _NOBODY, False, ledger)
    return ledger


def _overtaken(refs: DraftRefs, draft: Draft, target: str, seen: Ledger) -> str:
    """In words, why a rebase would change nothing that is still wanted; "" when it would."""
    reasons = [_outdated(clash) for clash in seen.found.values()]
    if not all(reasons):
        return ""
    repository = refs.repository
    everything = Ledger({key: (Decision("theirs"), "") for key in seen.found})
    done = replay(repository, draft, target, Pack(refs.objects), _NOBODY, False, everything)
    if done.clashes or done.head != target:
        return ""
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else f"{draft.target} has all of it already"


def _outdated(clash: Clash) -> str:
    """Why a draft's side of a clash is of no use any more, in words; "" when it may be."""
    if clash.kind == conflict.FILE and clash.gone == "theirs":
        return f"{clash.path} was removed upstream"
    if clash.kind == conflict.FIELD and versions.newer(clash.base, clash.ours, clash.theirs):
        return f"upstream has {clash.field} {clash.theirs} already, newer than {clash.ours}"
    return ""


def conflicts(refs: DraftRefs, draft: Draft, onto: str = "") -> Conflicts:
    """What stands between a draft and a branch, by default the one it is to be merged into."""
    branch = onto or draft.onto or draft.target
    commit = refs.objects.resolve(UPSTREAM + branch)
    if not commit:
        return Conflicts(branch, problem="" if draft.unborn and not draft.onto else _gone(refs, draft, branch))
    explicit = bool(onto or draft.onto)
    notes: list[str] = []
    if not draft.unborn and (lost := history.lost(refs.repository, draft.base, commit)):
        if history.related(refs.repository, draft.base, commit):
            if branch == draft.target:
                notes.append(lost_words(branch, lost))
        elif not explicit:
            return Conflicts(branch, commit, problem=_strange(draft, branch))
        else:
            notes.append(f"{branch} has no commit in common with the draft; its changes are made there one by one")
    ledger = look(refs, draft, commit)
    return Conflicts(branch, commit, tuple(ledger.found.values()), (*notes, *ledger.notes))


def _gone(refs: DraftRefs, draft: Draft, branch: str) -> str:
    if branch != draft.target:
        return f"{branch} is not a branch of the remote as of the last fetch"
    return gone_words(draft, refs.repository.default_branch())


def _strange(draft: Draft, branch: str) -> str:
    return (
        f"{branch} has another history now, without a commit in common with the draft; to make the draft's changes "
        f"there all the same: fleet draft rebase {draft.name} --onto {branch}"
    )


def choose(refs: DraftRefs, draft_id: str, decisions: Mapping[str, Decision | None], onto: str = "") -> Draft:
    """Keep decisions about conflicts (None takes one back). Not an edit: undo does not see it.

    Raises Missing for a key that there is no conflict under, Refused for what cannot be decided there.
    """

    def step(draft: Draft, pack: Pack) -> Draft:
        new = _towards(draft, onto)
        branch = new.onto or new.target
        commit = refs.objects.resolve(UPSTREAM + branch)
        if not commit:
            raise Refused(_gone(refs, new, branch))
        return _kept(draft, _chosen(refs, new, pack, decisions, commit), refs.now())

    return refs.rebased(draft_id, step)


def abort(refs: DraftRefs, draft_id: str) -> Draft:
    """Forget every decision and the other branch of a rebase that is not through; the draft is as before it."""

    def step(draft: Draft, pack: Pack) -> Draft:
        if not draft.choices and not draft.onto:
            return draft
        return _kept(draft, msgspec.structs.replace(draft, choices={}, onto=""), refs.now())

    return refs.rebased(draft_id, step)


def _towards(draft: Draft, onto: str) -> Draft:
    """The draft with its rebase going to another branch."""
    return msgspec.structs.replace(draft, onto="" if onto == draft.target else onto) if onto else draft


def _kept(old: Draft, new: Draft, now: float) -> Draft:
    """The state that keeps new decisions; the old one when there are none."""
    if (new.choices, new.onto) == (old.choices, old.onto):
        return old
    return msgspec.structs.replace(new, action="choose", at=now)


def _chosen(refs: DraftRefs, draft: Draft, pack: Pack, decisions: Mapping[str, Decision | None], commit: str) -> Draft:
    """The draft with these decisions too; each may bring up others' keys, so they are looked at one by one."""
    choices = dict(draft.choices)
    known = {key: (decision, draft.choices[key].saw) for key, (decision, _) in _decisions(refs, draft).items()}
    for key, decision in decisions.items():
        if decision is None:
            choices.pop(key, None)
            known.pop(key, None)
            continue
        ledger = look(refs, draft, commit, known)
        clash = ledger.found.get(key)
        if clash is None and key not in ledger.files:
            there = ", ".join(ledger.found) or "there is none"
            raise Missing(f"{draft.name} has no conflict {key}: {there}")
        _check(key, clash, decision)
        saw = clash.saw if clash is not None else ledger.files[key]
        blob = pack.add("blob", decision.text.encode("utf-8", "surrogateescape")) if decision.take == "text" else ""
        choices[key] = Choice(decision.take, saw, blob, decision.force)
        known[key] = (decision, saw)
    return msgspec.structs.replace(draft, choices=choices)


def _check(key: str, clash: Clash | None, decision: Decision) -> None:
    """Raises Refused for a decision that cannot be made there."""
    takes = clash.takes if clash is not None else ("ours", "theirs", "base", "text")
    if decision.take not in takes:
        raise Refused(f"{key}: {decision.take} is no choice here; choose one of {', '.join(takes)}")
    if decision.take != "text":
        return
    if len(decision.text.encode("utf-8", "surrogateescape")) > LARGEST:
        raise Refused(f"{key}: the text is larger than {LARGEST >> 20} MiB")
    if clash is not None and clash.kind == conflict.FIELD:
        try:
            yamledit.read_value(decision.text)
        except yamledit.Refused as error:
            raise Refused(f"{key}: {decision.text!r} is no YAML value: {error}") from error
    elif clash is None or clash.kind == conflict.FILE:
        path = clash.path if clash is not None else key.partition("~")[0]
        if not decision.force and (why := invalid(path, decision.text)):
            raise Refused(f"{path} would be no valid YAML: {why}")


def rebase(
    refs: DraftRefs, draft_id: str, onto: str = "", decisions: Mapping[str, Decision | None] | None = None
) -> tuple[Draft, tuple[Clash, ...]]:
    """Put a draft on top of its target, or of another branch that becomes its target; one state, which undo takes back.

    With clashes that are not decided the draft keeps what was decided and is else as before; they are returned.
    """
    clashes: tuple[Clash, ...] = ()

    def step(draft: Draft, pack: Pack) -> Draft:
        nonlocal clashes
        clashes = ()
        old, draft = draft, _towards(draft, onto)
        branch = draft.onto or draft.target
        commit = refs.objects.resolve(UPSTREAM + branch)
        if not commit and draft.unborn and not draft.onto:
            return old
        if not commit:
            raise (Missing if draft.onto else GitTrouble)(_gone(refs, draft, branch))
        if decisions:
            draft = _chosen(refs, draft, pack, decisions, commit)
        if commit == draft.base:
            if branch == draft.target:
                return _kept(old, msgspec.structs.replace(draft, choices={}, onto=""), refs.now())
            return model.moved(draft, draft.base, draft.tip, draft.index, draft.head, refs.now(), branch)
        asked = onto or draft.onto or draft.unborn  # what is on top of nothing fits everywhere
        if not asked and not history.related(refs.repository, draft.base, commit):
            raise Refused(_strange(draft, branch))
        place, is_checkout = refs.repository.place()
        user = clones.user(place, checkout=is_checkout)
        refs.repository.git.config = user.config
        if decisions:
            pack.store()  # a new decision's text is read below
        ledger = Ledger(_decisions(refs, draft))
        done = replay(refs.repository, draft, commit, pack, user.committer, user.sign, ledger)
        clashes = done.clashes
        if clashes:
            return _kept(old, draft, refs.now())
        return model.moved(draft, commit, done.tip, done.index, done.head, refs.now(), branch, done.renamed)

    return refs.rebased(draft_id, step), clashes


def _decisions(refs: DraftRefs, draft: Draft) -> dict[str, tuple[Decision, str]]:
    """The decisions a draft keeps, with their texts."""
    found = {}
    for key, choice in draft.choices.items():
        text = refs.objects.read(choice.blob, "blob").decode("utf-8", "surrogateescape") if choice.blob else ""
        found[key] = (Decision(choice.take, text, choice.force), choice.saw)
    return found
