"""A remote that has no commit yet: a draft of it starts from an empty first commit, which goes along with its push."""

from __future__ import annotations

from tui.adapters.git import checkout as clones
from tui.adapters.git import committing
from tui.adapters.git.objects import Pack
from tui.adapters.git.repository import Repository

MESSAGE = "Start with an empty tree\n"


def first_commit(repository: Repository) -> str:
    """A stored commit by the user, signed when configured, without a file and without a parent."""
    place, is_checkout = repository.place()
    user = clones.user(place, checkout=is_checkout)
    repository.git.config = user.config
    pack = Pack(repository.objects)
    tree = pack.folder({})
    commit = "" if user.sign else pack.commit(tree, [], user.author, user.committer, MESSAGE)
    pack.store()
    return commit or committing.signed(repository, [], tree, MESSAGE, user.author)


def default_branch(repository: Repository) -> str:
    """How the first branch is to be called: as the user's clone has it, else main."""
    if repository.checkout is not None and repository.checkout.root.is_dir():
        head = repository.checkout.git()("symbolic-ref", "-q", "HEAD", codes=(0, 1, 128)).out.decode("utf-8", "replace")
        if head.startswith("refs/heads/"):
            return head.strip().removeprefix("refs/heads/")
    return "main"
