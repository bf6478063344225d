"""The one table of keys. Bindings, footer, `?` help, palette and the README's table are made from it.

Users come with the fingers of k9s, lazygit, vim and the Argo CD tools; where these disagree, one meaning was chosen per
place. Keys for what fleet never does to a cluster are in the table too: pressed, they say what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import BindingType

# Places, in the order help shows them. A key may mean different things in two places that are never active together.
OWN = "own:"  # what the ids of the user's commands begin with
PLACES: dict[str, str] = {
    "moves": "Moving",
    "everywhere": "Everywhere",
    "own": "Commands of your own",
    "list": "Tables and the tree",
    "table": "Tables",
    "object": "On an object",
    "policies": "Policies",
    "events": "Events",
    "flows": "Flows",
    "flow": "A flow",
    "logs": "Logs",
    "found": "What :find has found",
    "drafts": "Drafts",
    "draft": "A draft's screen",
    "draft_files": "Files of a draft",
    "draft_commits": "Commits of a draft",
    "draft_lines": "Lines of a draft's patch",
    "conflicts": "Conflicts",
    "recovery": "Recovery",
    "document": "Documents: manifest, diff, detail",
    "verdict": "May A talk to B?",
    "fleetwide": "Policies of the fleet",
    "diff": "Diff of a draft",
    "output": "What a program printed",
    "editor": "Editor",
    "rule": "Form of a policy's rule",
    "message": "Commit message",
    "instead": "What fleet leaves to Git",
}
# Which places are active together with each other: a key may occur once in each such set.
TOGETHER: tuple[frozenset[str], ...] = (
    frozenset({"everywhere", "list", "table", "object", "instead"}),
    frozenset({"everywhere", "list", "table", "object", "instead", "policies"}),
    frozenset({"everywhere", "fleetwide"}),
    frozenset({"everywhere", "list", "events", "flows"}),
    frozenset({"everywhere", "flow"}),
    frozenset({"everywhere", "logs"}),
    frozenset({"everywhere", "found"}),
    frozenset({"everywhere", "list", "table", "drafts"}),
    frozenset({"everywhere", "draft", "draft_files"}),
    frozenset({"everywhere", "draft", "draft_commits"}),
    frozenset({"everywhere", "draft", "draft_lines"}),
    frozenset({"everywhere", "conflicts"}),
    frozenset({"everywhere", "recovery"}),
    frozenset({"everywhere", "document"}),
    frozenset({"everywhere", "verdict"}),
    frozenset({"everywhere", "diff"}),
    frozenset({"everywhere", "output"}),
)
# Answered by the key itself, because each of their keys means another thing.
BY_EVENT = ("sort", "favourite", "panel", "log_since")
WITH_LINES = frozenset(
    ("list", "document", "draft", "conflicts", "recovery", "diff", "output", "flow", "logs", "fleetwide", "verdict")
)  # places whose lists and documents answer the keys that move
INNER = ("document", "draft_lines", "fleetwide")  # places whose `tab` means something of their own


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does. `id` is the name of the `action_…` method and of the setting that remaps it."""

    id: str
    keys: tuple[str, ...]
    label: str  # two words at most: the footer
    help: str  # one sentence
    where: str
    footer: bool = False
    instead: str = ""  # for what fleet does not do: the line that is shown
    priority: bool = False  # works while typing into an input as well


def _a(id: str, keys: str, label: str, help: str, where: str, **more: bool | str) -> Action:
    return Action(id, tuple(keys.split()), label, help, where, **more)  # type: ignore[arg-type]


ACTIONS: tuple[Action, ...] = (
    _a("command", "colon ctrl+p", "Command", "Type a command: a kind, a cluster, a verb.", "everywhere", footer=True),
    _a("aliases", "ctrl+a", "All kinds", "List every kind and the words that open it.", "everywhere"),
    _a("help", "question_mark f1", "Help", "Show the keys that work here.", "everywhere", footer=True),
    _a("back", "escape", "Back", "Clear the filter, close what is open, or go back.", "everywhere"),
    _a("leave", "q", "Back", "Go back; at the first view ask and quit.", "everywhere"),
    _a("quit", "ctrl+c ctrl+q", "Quit", "Quit at once; unsaved text is kept.", "everywhere", priority=True),
    _a("previous", "left_square_bracket", "Previous", "Go to the previous view.", "everywhere"),
    _a("next", "right_square_bracket", "Next", "Go to the next view again.", "everywhere"),
    _a("last", "minus", "Last", "Swap with the view before this one.", "everywhere"),
    _a("reread", "ctrl+r", "Re-read", "Read again and try unreachable clusters now.", "everywhere"),
    _a("focus_next", "tab", "Next panel", "Move to the next panel.", "everywhere"),
    _a("focus_previous", "shift+tab", "Previous panel", "Move to the previous panel.", "everywhere"),
    _a("suspend", "ctrl+z", "Suspend", "Back to the shell; fg returns.", "everywhere"),
    _a("tree", "ctrl+e", "Tree", "Show or hide the cluster tree.", "everywhere"),
    _a("events", "E", "Events", "Open the event tail.", "everywhere"),
    _a("all_namespaces", "0", "All", "Show all namespaces.", "list"),
    _a("favourite", "1 2 3 4 5 6 7 8 9", "Namespace", "Show one of the last namespaces chosen.", "list"),
    _a("open", "enter", "Open", "Open what the cursor is on.", "list", footer=True),
    _a("filter", "slash", "Filter", "Filter as you type; `!` in front turns it around.", "list", footer=True),
    _a("flows", "f", "Flows", "Show the flows of what the cursor is on, live.", "list"),
    _a("zoom", "plus", "Zoom", "Give the panel the whole screen, or the others their place again.", "list"),
    _a("narrower", "left_parenthesis", "Narrower", "Make the cluster tree narrower.", "list"),
    _a("wider", "right_parenthesis", "Wider", "Make the cluster tree wider.", "list"),
    _a("lower", "left_curly_bracket", "Lower", "Give the event strip fewer lines.", "list"),
    _a("higher", "right_curly_bracket", "Higher", "Give the event strip more lines.", "list"),
    _a("strip", "ctrl+t", "Strip", "Show or hide the event strip.", "list"),
    _a("faults", "F", "Faults", "Show only what is wrong, or everything again.", "table", footer=True),
    _a("wide", "ctrl+w", "Wide", "Show more columns, or fewer.", "table"),
    _a("table_write", "ctrl+s", "Write", "Write the rows shown to a file: CSV, JSON or YAML by its ending.", "table"),
    _a("sort", "shift+letter", "Sort", "Sort by the column that starts with the letter; again turns it.", "table"),
    _a("mark", "space", "Mark", "Mark the row, or take the mark away.", "object"),
    _a("yaml", "y", "YAML", "Show the manifest.", "object", footer=True),
    _a("describe", "d", "Describe", "Read it as text: conditions, fields, references, Events.", "object"),
    _a("edit", "e", "Draft edit", "Edit it where it is declared in Git, as a draft.", "object", footer=True),
    _a("actions", "a", "Actions", "Choose from the edits people make most; one for all marked.", "object", footer=True),
    _a("new_object", "n", "New", "Draft a new object: from a template, or like this one.", "object"),
    _a("remove", "ctrl+d ctrl+k delete", "Remove", "Draft its removal from Git; Argo CD prunes it.", "object"),
    _a(
        "application",
        "o",
        "Application",
        "Open its Application; on an Application, cluster or namespace, show only what is in it.",
        "object",
    ),
    _a("xray", "u", "X-ray", "Show whose it is, what it uses, who uses it, and what grew from it.", "object"),
    _a("owner", "J", "Owner", "Jump to the object that controls it.", "object"),
    _a("copy", "c", "Copy", "Copy a field to the clipboard; of marked rows, their names.", "object"),
    _a("verdict", "v", "Verdict", "May it talk to another? Policies answer, step by step.", "object"),
    _a("logs", "l", "Logs", "Follow the logs of its pods; of marked rows, of them all.", "object"),
    _a("previous_logs", "p", "Previous logs", "The logs of its containers before their last restart.", "object"),
    _a(
        "fleetwide",
        "w",
        "Fleet",
        "Compare policies across clusters: what differs, lint, what is open.",
        "policies",
        footer=True,
    ),
    _a("pause", "space s", "Pause", "Pause and resume; nothing is lost meanwhile.", "events", footer=True),
    _a("allow", "e", "Draft rule", "Draft the smallest rule that lets a dropped flow pass.", "flows", footer=True),
    _a("flow_faults", "F", "Faults", "Show only what was dropped, or everything again.", "flows", footer=True),
    _a("row_verdict", "v", "Verdict", "Ask the policies of now about its two ends, step by step.", "flows"),
    _a("flow_allow", "e", "Draft rule", "Draft the smallest rule that lets it pass.", "flow", footer=True),
    _a("flow_verdict", "v", "Verdict", "Ask the policies of now about its two ends, step by step.", "flow"),
    _a("flow_copy", "c", "Copy", "Copy what is shown.", "flow"),
    _a("log_filter", "slash", "Filter", "Show lines with a text; `!` in front turns it around.", "logs", footer=True),
    _a("log_find", "F", "Find", "Find a text, from here backwards.", "logs", footer=True),
    _a("log_next", "n", "Next match", "Go to the next match.", "logs"),
    _a("log_back", "N", "Match before", "Go to the match before.", "logs"),
    _a("log_pause", "space s", "Pause", "Pause and resume; nothing is lost meanwhile.", "logs", footer=True),
    _a("log_wrap", "w", "Wrap", "Wrap long lines, or cut them.", "logs", footer=True),
    _a("log_times", "t", "Times", "Show when each line was written, or not.", "logs", footer=True),
    _a("log_previous", "p", "Previous", "Containers before their last restart, and back.", "logs", footer=True),
    _a("log_since", "0 1 2 3 4 5 6", "Since", "All, head, 1m, 5m, 15m, 30m, 1h.", "logs"),
    _a("log_time", "T", "Since a time", "Lines since a time: 10m, 14:05, or a date.", "logs"),
    _a("log_containers", "C", "Containers", "Say how each container stands; choose one.", "logs", footer=True),
    _a("log_only", "o", "Only this", "Only the container under the cursor, or all again.", "logs"),
    _a("log_mark", "m", "Mark", "Put a line of your own at the end.", "logs"),
    _a("log_copy", "c", "Copy", "Copy the line, or those selected by v.", "logs", footer=True),
    _a("log_save", "ctrl+s", "Save", "Write what is shown to a file.", "logs", footer=True),
    _a("found_open", "enter", "Open", "Open the object, or the file at the line as a draft.", "found", footer=True),
    _a("found_filter", "slash", "Filter", "Filter as you type.", "found", footer=True),
    _a("found_edit", "e", "Draft edit", "Edit it in Git, as a draft.", "found", footer=True),
    _a("found_yaml", "y", "YAML", "Show the manifest.", "found", footer=True),
    _a("found_xray", "u", "X-ray", "Show whose it is, what it uses, who uses it, what grew from it.", "found"),
    _a("draft_diff", "d", "Diff", "Show what the draft changes.", "drafts", footer=True),
    _a("draft_edit", "e", "Edit", "Go on editing the first file of the draft.", "drafts"),
    _a(
        "draft_commit",
        "c",
        "Commit",
        "Commit what is not committed; ctrl-o opens the whole message.",
        "drafts",
        footer=True,
    ),
    _a("draft_push", "P", "Push", "Push the draft's branch; names branch and remote and asks.", "drafts", footer=True),
    _a("draft_page", "o", "Pull request", "Open the page that makes the pull request.", "drafts", footer=True),
    _a("draft_drop", "X", "Drop", "Drop the draft; asks, and it can be brought back.", "drafts", footer=True),
    _a("draft_undo", "z", "Undo", "Take back the last thing done to the draft.", "drafts"),
    _a("draft_redo", "Z", "Redo", "Do again what was taken back.", "drafts"),
    _a("draft_rebase", "p", "Rebase", "Fetch, and put the draft on top of what its target has now.", "drafts"),
    _a("draft_conflicts", "x", "Conflicts", "Decide what the target and the draft both changed.", "drafts"),
    _a("draft_recover", "t", "Recovery", "Dropped drafts, earlier states and texts never saved.", "drafts"),
    _a("commit_staged", "c", "Commit", "Commit what is picked, or all when nothing is.", "draft", footer=True),
    _a("undo", "z", "Undo", "Take back the last thing done to the draft.", "draft", footer=True),
    _a("redo", "Z", "Redo", "Do again what was taken back.", "draft"),
    _a("push", "P", "Push", "Push the draft; names branch and remote and asks.", "draft", footer=True),
    _a("rebase", "p R", "Rebase", "Fetch, and put the draft on top of what its target has now.", "draft"),
    _a("page", "o", "Pull request", "Open the page that makes the pull request.", "draft"),
    _a("conflicts", "x", "Conflicts", "Decide what the target and the draft both changed.", "draft"),
    _a("states", "H", "States", "Every state the draft has been in, to go back to.", "draft"),
    _a("panel", "1 2 3", "Panel", "Go to files, commits or the patch.", "draft"),
    _a("panel_right", "right l", "To the right", "Go to the panel to the right, or the next.", "draft"),
    _a("panel_left", "left h", "To the left", "Go to the panel to the left, or the one before.", "draft"),
    _a("patch_search", "slash", "Search", "Search the patch.", "draft"),
    _a("file_stage", "space", "Pick", "Pick the file for the next commit, or put it back.", "draft_files", footer=True),
    _a("file_lines", "enter", "Lines", "Pick lines and hunks of the file.", "draft_files", footer=True),
    _a("stage_all", "a", "Pick all", "Pick all edits, or put all back.", "draft_files"),
    _a("file_edit", "e", "Edit", "Edit the file.", "draft_files", footer=True),
    _a("file_discard", "d", "Discard", "Take back its edits; undo brings them back.", "draft_files", footer=True),
    _a("amend", "A", "Amend", "Make what is picked, or all, part of the newest commit.", "draft_files"),
    _a("commit_open", "enter", "Patch", "Read the commit's patch.", "draft_commits"),
    _a("reword", "r", "Reword", "Write another message.", "draft_commits", footer=True),
    _a("squash", "s", "Squash", "Join it to the commit below, messages of both.", "draft_commits", footer=True),
    _a("fixup", "f", "Fixup", "Join it to the commit below, whose message stays.", "draft_commits", footer=True),
    _a("commit_drop", "d", "Drop", "Leave the commit out; undo brings it back.", "draft_commits", footer=True),
    _a("move_down", "ctrl+j", "Move down", "Make it an older commit.", "draft_commits"),
    _a("move_up", "ctrl+k", "Move up", "Make it a newer commit.", "draft_commits"),
    _a("split", "e", "Split", "Pick lines that become a commit of their own before it.", "draft_commits", footer=True),
    _a("uncommit", "g", "Uncommit", "Make it and what is newer edits again.", "draft_commits"),
    _a("revert_own", "t", "Revert", "Draft the opposite of the commit as an edit.", "draft_commits"),
    _a("amend_into", "A", "Amend", "Make what is picked, or all, part of this commit.", "draft_commits"),
    _a("lines_take", "space", "Pick", "Pick the line or hunk, or put it back.", "draft_lines", footer=True),
    _a("lines_hunk", "a", "Hunk", "Select hunk by hunk, or again line by line.", "draft_lines", footer=True),
    _a("lines_range", "v", "Range", "Select a range of lines.", "draft_lines", footer=True),
    _a("lines_side", "tab", "Other side", "Show what is picked, or what is not.", "draft_lines", footer=True),
    _a("lines_discard", "d", "Discard", "Take back the line or hunk.", "draft_lines", footer=True),
    _a("lines_done", "enter", "Split", "Split the commit at what was picked.", "draft_lines"),
    _a("take_ours", "m", "Mine", "Keep what the draft says.", "conflicts", footer=True),
    _a("take_theirs", "t", "Theirs", "Take what the target says.", "conflicts", footer=True),
    _a("take_base", "b", "Base", "Put back what it was before both.", "conflicts", footer=True),
    _a("take_text", "e", "Edit", "Write what it shall be.", "conflicts", footer=True),
    _a("file_ours", "M", "All mine", "Keep the draft's side of the whole file.", "conflicts"),
    _a("file_theirs", "T", "All theirs", "Take the target's side of the whole file.", "conflicts"),
    _a("untake", "u", "Undecide", "Leave it open again.", "conflicts"),
    _a("resolve", "enter ctrl+s", "Finish", "Rebase when everything is decided.", "conflicts", footer=True),
    _a("recover_open", "enter", "Open", "Show what it changed, or go on with the text.", "recovery", footer=True),
    _a("recover", "r", "Restore", "Bring it back; undo takes that back.", "recovery", footer=True),
    _a("recover_more", "m", "More", "List older states.", "recovery"),
    _a("diff_commit", "c", "Commit", "Commit it with the message proposed.", "diff", footer=True),
    _a("diff_pager", "vertical_line", "$PAGER", "Read it in $PAGER, such as delta.", "diff"),
    _a("diff_search", "slash", "Search", "Search the text.", "diff", footer=True),
    _a("fleetwide_open", "enter", "Open", "Open the policy, endpoint or cluster.", "fleetwide", footer=True),
    _a("next_table", "tab", "Next table", "Show the next table.", "fleetwide", footer=True),
    _a("previous_table", "shift+tab", "Previous table", "Show the table before.", "fleetwide"),
    _a("table_filter", "slash", "Filter", "Filter as you type.", "fleetwide", footer=True),
    _a("table_yaml", "y", "YAML", "Show the manifest.", "fleetwide", footer=True),
    _a(
        "table_edit",
        "e",
        "Draft edit",
        "Edit the policy where it is declared in Git, as a draft.",
        "fleetwide",
        footer=True,
    ),
    _a("output_again", "r", "Again", "Run it again.", "output", footer=True),
    _a("output_search", "slash", "Search", "Search the text.", "output", footer=True),
    _a("output_copy", "c", "Copy", "Copy what is shown to the clipboard.", "output", footer=True),
    _a("search", "slash", "Search", "Search the text.", "document", footer=True),
    _a("next_match", "n", "Next match", "Go to the next match.", "document"),
    _a("previous_match", "N", "Previous match", "Go to the match before.", "document"),
    _a("next_tab", "tab", "Next tab", "Show the next tab.", "document", footer=True),
    _a("previous_tab", "shift+tab", "Previous tab", "Show the tab before.", "document"),
    _a("wrap", "w", "Wrap", "Wrap long lines, or cut them.", "document"),
    _a("document_edit", "e", "Draft edit", "Edit it where it is declared in Git, as a draft.", "document", footer=True),
    _a("document_yaml", "y", "YAML", "Show the manifest.", "document"),
    _a("document_actions", "a", "Actions", "Choose from the edits people make most.", "document"),
    _a("document_remove", "ctrl+d delete", "Remove", "Draft its removal from Git; Argo CD prunes it.", "document"),
    _a("revert", "R", "Revert", "In an Application's History: draft the revert to that revision.", "document"),
    _a("document_xray", "u", "X-ray", "Show whose it is, what it uses, who uses it, what grew from it.", "document"),
    _a("document_owner", "J", "Owner", "Jump to the object that controls it.", "document"),
    _a("document_copy", "c", "Copy", "Copy what is shown to the clipboard.", "document"),
    _a("document_pager", "vertical_line", "$PAGER", "Read it in $PAGER.", "document"),
    _a("document_logs", "L", "Logs", "Follow the logs of its pods.", "document"),
    _a("document_verdict", "v", "Verdict", "May it talk to another? Policies answer, step by step.", "document"),
    _a("group_by", "b", "Group by", "In Reach: group who may talk by application, or by namespace.", "document"),
    _a("verdict_from", "f", "From", "Choose who calls.", "verdict", footer=True),
    _a("verdict_to", "t", "To", "Choose who is called.", "verdict", footer=True),
    _a("verdict_port", "p", "Port", "Choose the port, or the type of an ICMP message.", "verdict", footer=True),
    _a("verdict_request", "r", "Request", "Add an HTTP request, a DNS name or a server name.", "verdict", footer=True),
    _a("verdict_swap", "x", "Swap", "Ask the other way round.", "verdict", footer=True),
    _a("verdict_everywhere", "m", "All clusters", "Ask the same in every cluster, a row each.", "verdict", footer=True),
    _a("verdict_copy", "c", "Copy", "Copy the question and the answer.", "verdict"),
    _a("save", "ctrl+s", "Save", "Check the text and show what it changes.", "editor", footer=True, priority=True),
    _a("external", "ctrl+o", "$EDITOR", "Go on in $EDITOR.", "editor", footer=True, priority=True),
    _a("find", "ctrl+f", "Find", "Search the text.", "editor", footer=True, priority=True),
    _a("next_problem", "f8", "Problem", "Go to the next problem.", "editor", footer=True),
    _a("close", "escape", "Close", "Close; text that is not committed is kept.", "editor", footer=True),
    _a(
        "rule_draft",
        "ctrl+s",
        "Draft it",
        "Draft the change; enter in a field does so too.",
        "rule",
        footer=True,
        priority=True,
    ),
    _a("rule_close", "escape", "Close", "Close; nothing is changed.", "rule", footer=True),
    _a("message_commit", "ctrl+s", "Commit", "Commit with this message.", "message", footer=True, priority=True),
    _a("message_external", "ctrl+o", "$EDITOR", "Go on in $EDITOR.", "message", footer=True, priority=True),
    _a("message_close", "escape", "Close", "Close without a commit; the text is kept.", "message", footer=True),
    _a(
        "no_sync",
        "s",
        "Sync",
        "Argo CD syncs what Git says.",
        "instead",
        instead="fleet never syncs: press e to draft the change in Git, push it, and Argo CD applies it.",
    ),
    _a(
        "no_shell",
        "x",
        "Shell",
        "fleet only reads clusters.",
        "instead",
        instead="fleet opens no shell in a pod: it only reads clusters. kubectl exec is the tool for that.",
    ),
    _a(
        "no_rollback",
        "R ctrl+l",
        "Roll back",
        "A rollback is a commit that reverts.",
        "instead",
        instead="fleet never rolls back live: enter, History, R drafts the revert to a deployed revision in Git.",
    ),
    _a(
        "no_scale",
        "",
        "Scale",
        "Replicas are a line in Git.",
        "instead",
        instead="fleet never scales: press a and choose replicas to draft the number in Git; Argo CD applies it.",
    ),
    _a(
        "no_forward",
        "",
        "Port-forward",
        "fleet only reads clusters.",
        "instead",
        instead="fleet forwards no ports: it only reads clusters. kubectl port-forward is the tool for that.",
    ),
)

ON_OBJECT = frozenset(
    ("yaml", "describe", "edit", "actions", "remove", "verdict", "copy", "mark", "draft_diff", "draft_edit",
     "draft_commit", "draft_push", "draft_page", "draft_drop", "draft_undo", "draft_redo", "draft_rebase",
     "draft_conflicts")
)  # fmt: skip
"""What does nothing without an object under the cursor."""
DECLARED = frozenset(("yaml", "edit", "actions", "remove"))  # what needs an object that a file of Git may declare
REFUSED = {action.id for action in ACTIONS if action.instead}

# What the lines of a list or document answer to by themselves: `WIDGET` names the method of the list that does it.
MOVES: tuple[Action, ...] = (
    _a("line_down", "j down", "Down", "A line down.", "moves"),
    _a("line_up", "k up", "Up", "A line up.", "moves"),
    _a("side_left", "h left", "Left", "Scroll to the left; in the tree close.", "moves"),
    _a("side_right", "l right", "Right", "Scroll to the right; in the tree open.", "moves"),
    _a("first_line", "g home", "First line", "The first line.", "moves"),
    _a("last_line", "G end", "Last line", "The last line.", "moves"),
    _a("page_down", "pagedown ctrl+f", "Page down", "A page down.", "moves"),
    _a("page_up", "pageup ctrl+b", "Page up", "A page up.", "moves"),
    _a("half_down", "", "Half a page down", "Half a page down.", "moves"),
    _a("half_up", "", "Half a page up", "Half a page up.", "moves"),
)
WIDGET: dict[str, str] = {
    "line_down": "down",
    "line_up": "up",
    "side_left": "left",
    "side_right": "right",
    "first_line": "top",
    "last_line": "bottom",
    "page_down": "page_down",
    "page_up": "page_up",
    "half_down": "half_down",
    "half_up": "half_up",
    "open": "open",
    "mark": "mark",
    "next_match": "next",
    "previous_match": "previous",
    "wrap": "wrap",
}

_SHOWN = {
    "colon": ":",
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "escape": "esc",
    "delete": "Del",
    "insert": "Ins",
    "home": "Home",
    "end": "End",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "semicolon": ";",
    "plus": "+",
    "equals_sign": "=",
    "vertical_line": "|",
    "backslash": "\\",
    "exclamation_mark": "!",
    "at": "@",
    "number_sign": "#",
    "apostrophe": "'",
    "grave_accent": "`",
    "tilde": "~",
    "underscore": "_",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "asterisk": "*",
    "ampersand": "&",
    "percent_sign": "%",
    "dollar_sign": "$",
    "circumflex_accent": "^",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "quotation_mark": '"',
}
_SPELLED = {spelled.lower(): key for key, spelled in _SHOWN.items()} | {
    "return": "enter",
    "del": "delete",
    "pgdown": "pagedown",
    "page-down": "pagedown",
    "page-up": "pageup",
}
_NAMED = frozenset(
    [*_SHOWN, "enter", "tab", "space", "backspace", *(f"f{number}" for number in range(1, 25))]
)  # what a key is called, beside letters and digits
_HELD = ("ctrl", "shift", "alt", "super")


def shown(keys: str) -> str:
    """A key as people write it: `ctrl-w`, `:`, `F`; a sequence without blanks where its keys are characters: `gg`."""
    made = [_SHOWN.get(key) or key.replace("+", "-") for key in keys.split()]
    return ("" if all(len(each) == 1 for each in made) else " ").join(made)


def key_of(text: str) -> str:
    """The key that a text means, as the terminal's names have it: `ctrl-w`, `Ctrl+w`, `:`, `F4`, `PgDn`.

    Raises ValueError, saying so, for what is no key.
    """
    if len(text) == 1 and text.isalnum():
        return text
    *held, last = text.replace("-", "+").split("+") if len(text) > 1 else [text]
    last = last if len(last) == 1 and last.isalnum() else _SPELLED.get(last.lower(), last.lower())
    held = [each.lower() for each in held]
    single = len(last) == 1 and last.isalnum()
    if not (single or last in _NAMED) or any(each not in _HELD for each in held):
        raise ValueError(f"{text!r} is no key: keys are written like y, Y, :, f4, ctrl-w, shift-tab, PgDn")
    if held == ["shift"] and single:
        return last.upper()
    if "ctrl" in held:
        last = last.lower() if single else last
    return "+".join([*sorted(held, key=_HELD.index), last])


def keys_in(text: str) -> tuple[str, ...]:
    """The keys that a setting names: commas between alternatives, blanks between the keys of a sequence.

    Raises ValueError for what is no key.
    """
    return tuple(" ".join(map(key_of, each.split())) for each in text.split(",") if each.strip())


def bindings(*places: str) -> list[BindingType]:
    """Textual's bindings for the actions of some places."""
    found = [action for action in ACTIONS if action.where in places and action.id not in BY_EVENT]
    return bindings_of(*(action.id for action in found if action.keys))


def bindings_of(*names: str) -> list[BindingType]:
    """Textual's bindings for some actions."""
    from textual.binding import Binding

    made: list[BindingType] = []
    for action in map(by_id, names):
        call = f"instead('{action.id}')" if action.instead else action.id
        made.append(
            Binding(
                ",".join(action.keys),
                call,
                action.label,
                show=action.footer,
                key_display=shown(action.keys[0]),
                priority=action.priority,
                id=action.id,
            )
        )
    return made


def by_id(name: str) -> Action:
    """The action of that id. Raises KeyError."""
    for action in (*ACTIONS, *MOVES):
        if action.id == name:
            return action
    raise KeyError(name)
