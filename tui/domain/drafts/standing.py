"""Where a draft stands: derived from what Git and the clusters say each time it is asked for, never stored."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui.domain.drafts.conflict import Clash
from tui.domain.drafts.model import Draft


class Follower(msgspec.Struct, frozen=True):
    """An Application whose source a draft touches, and whether it has the landed change."""

    name: str
    cluster: str = ""
    revision: str = ""  # commit it was last synced to
    has: bool | None = None  # None = cannot be told
    auto_sync: bool = False


class Standing(msgspec.Struct, frozen=True):
    """Where a draft stands: derived, never stored."""

    # local | pushed | merged | arriving | arrived | superseded | conflict | dropped | unknown
    state: str = "unknown"
    detail: str = ""  # in words
    arrived: int = 0
    total: int = 0
    landed: str = ""  # commit of the target that has the change
    behind: int = 0  # commits the target has moved on since the base
    clashes: tuple[Clash, ...] = ()
    followers: tuple[Follower, ...] = ()


class Surroundings(msgspec.Struct, frozen=True):
    """What is known about a draft's surroundings, from Git and from the clusters."""

    landed: str = ""  # commit of the target that contains the draft's changes; "" = none
    behind: int = 0  # commits the target has moved on since the base
    target_gone: bool = False  # the target branch is not on the remote
    clashes: tuple[Clash, ...] = ()  # the decided ones too
    followers: tuple[Follower, ...] | None = None  # None: Applications are not known
    reverted: str = ""  # later commit of the target that took all of a landed change out again; "" = none
    overtaken: str = ""  # in words, why nothing of a draft that has not landed is wanted any more; "" = it is
    lost: int = 0  # commits the draft started from that a force-push has taken off the target
    unrelated: bool = False  # the target has no commit in common with the draft
    default: str = ""  # the remote's default branch, where the target is gone
    notes: tuple[str, ...] = ()  # what a rebase would tell


def standing(draft: Draft, around: Surroundings) -> Standing:
    """Where the draft stands. Only what is known makes it further: an Application that cannot be told never counts.

    merged: a commit of the target has every change of the draft in its files: the draft's own commits (also behind a
    merge commit), one squashed commit (of several drafts, or with other changes), or the same patches rebased or
    cherry-picked. Later changes do not take that back, except:
    superseded: it has landed, and the newest commit of the target has each of its changes undone (by a revert, or by
    hand); or it has not landed, and putting it on top of the target would change nothing that the target has not got:
    at each place of the draft the target meanwhile holds the same value, a newer version than the draft's, or has
    removed the file. A superseded draft may still be rebased, decided and pushed.
    conflict: the target is gone or has another history, or a place was changed on both sides and neither of the above.
    """
    if draft.dropped:
        return Standing("dropped", "in the trash", behind=around.behind)
    if around.landed and not draft.dirty and draft.tip != draft.base:
        if around.reverted:
            words = f"landed as {around.landed[:7]}, taken out again by {around.reverted[:7]}"
            return Standing("superseded", words, landed=around.landed, behind=around.behind)
        return _landed(around)
    if around.target_gone:
        return Standing("conflict", gone_words(draft, around.default))
    if around.unrelated:
        words = f"{draft.target} has no commit in common with the draft any more"
        return Standing("conflict", words, clashes=around.clashes)
    if around.overtaken:
        return Standing("superseded", around.overtaken, behind=around.behind, clashes=around.clashes)
    if around.clashes:
        return Standing("conflict", _conflict_words(draft, around), behind=around.behind, clashes=around.clashes)
    notes = []
    if draft.dirty:
        notes.append(_open_words([draft]))
    if draft.unsaved:
        notes.append(f"{_count(len(draft.unsaved), 'text')} not saved")
    if around.lost:
        notes.append(f"{draft.target} was force-pushed")
    if draft.merged and draft.merged == draft.tip and not draft.dirty:  # and has not landed
        notes.append(f"it was pushed to {draft.target}, and is not there any more")
    if around.behind:
        notes.append(f"{draft.target} is {_count(around.behind, 'commit')} ahead")
    if draft.pushed and draft.pushed == draft.tip and not draft.dirty:
        return Standing("pushed", ", ".join([f"on {draft.branch}", *notes]), behind=around.behind)
    if draft.pushed and draft.pushed != draft.tip:
        notes.append("changed since it was pushed")
    if draft.empty and not draft.unsaved:
        notes.insert(0, "no change yet")
    return Standing("local", ", ".join(notes), behind=around.behind)


def _open_words(dirty: Sequence[Draft]) -> str:
    """How much of some parts is not committed; "" without any."""
    if not dirty:
        return ""
    count = sum(draft.open_ops for draft in dirty)
    return f"{_count(count, 'edit')} not committed" if count else "edits not committed"


def gone_words(draft: Draft, default: str) -> str:
    """That the target is gone, and what can be done when the remote has another default branch."""
    words = f"the branch {draft.target} is not on the remote any more"
    if not default or default == draft.target:
        return words
    return f"{words}; its default branch is {default}: fleet draft rebase {draft.name} --onto {default}"


def lost_words(branch: str, lost: int) -> str:
    """That a branch was force-pushed under a draft."""
    gone = f"{_count(lost, 'commit')} that the draft started from {'is' if lost == 1 else 'are'} gone"
    return f"{branch} was force-pushed: {gone}"


def _conflict_words(draft: Draft, around: Surroundings) -> str:
    left = [clash for clash in around.clashes if clash.open]
    if not left:
        return f"{_count(len(around.clashes), 'conflict')} decided; rebase to go on"
    if len(around.clashes) == 1:
        words = f"{left[0].path}: {left[0].reason}"
    else:
        files = sorted({clash.path for clash in left})
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        decided = f", {len(around.clashes) - len(left)} decided" if len(left) < len(around.clashes) else ""
        words = f"{_count(len(left), 'conflict')} with {draft.target} in {files[0]}{more}{decided}"
    return f"{lost_words(draft.target, around.lost)}; {words}" if around.lost else words


def _landed(around: Surroundings) -> Standing:
    followers = around.followers or ()
    merged = Standing("merged", landed=around.landed, behind=around.behind, followers=followers)
    if around.followers is None:
        return msgspec.structs.replace(merged, detail="Applications are not known")
    if not followers:
        return msgspec.structs.replace(merged, detail="no Application uses these files")
    arrived, total = sum(follower.has is True for follower in followers), len(followers)
    if arrived == total:
        words = f"in {_count(total, 'Application')}"
        return msgspec.structs.replace(merged, state="arrived", detail=words, arrived=arrived, total=total)
    notes = [f"{arrived} of {total}"]
    if unknown := sum(follower.has is None for follower in followers):
        notes.append(f"{unknown} unknown")
    if manual := sum(not follower.auto_sync and follower.has is not True for follower in followers):
        notes.append(f"{manual} without auto-sync")
    return msgspec.structs.replace(merged, state="arriving", detail=", ".join(notes), arrived=arrived, total=total)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_PROGRESS = ("conflict", "unknown", "local", "pushed", "superseded", "merged", "arriving", "arrived")


def least(parts: Sequence[tuple[Draft, Standing]]) -> Standing:
    """Where a draft stands that spans repositories: as the part that is the furthest behind; parts without a change
    count only when there are no others."""
    counting = [part for part in parts if not part[0].empty or part[0].unsaved] or list(parts)
    found = [standing for _, standing in counting]
    at = min(range(len(found)), key=lambda at: _PROGRESS.index(s) if (s := found[at].state) in _PROGRESS else -1)
    worst, detail = found[at], found[at].detail
    if worst.state == "local":  # what is not committed is told of all parts
        dirty = [draft for draft, _ in counting if draft.dirty]
        own = _open_words([counting[at][0]] if counting[at][0].dirty else [])
        detail = ", ".join(
            words for words in (_open_words(dirty), detail.removeprefix(own).removeprefix(", ")) if words
        )
    return msgspec.structs.replace(
        worst,
        detail=detail,
        arrived=sum(one.arrived for one in found),
        total=sum(one.total for one in found),
        behind=max(one.behind for one in found),
        clashes=tuple(clash for one in found for clash in one.clashes),
        followers=tuple(follower for one in found for follower in one.followers),
    )
