"""The repository's files as they are at the start of the demo."""

from __future__ import annotations

from tui.demo.content.applications import application_files
from tui.demo.content.platform import platform_files
from tui.demo.content.shop import shop_files
from tui.demo.content.tools import tool_files

README = """\
# harbour/deploy

What runs where. Argo CD on the hub reads `main` of this repository; nothing is applied by hand.

| directory | what | who |
|---|---|---|
| `argocd/` | Applications, ApplicationSets and projects | platform |
| `platform/` | baseline of every cluster, gateways, observability | platform |
| `shop/` | the shop's services, one directory per cluster | the teams |
| `data/`, `finance/` | databases and nightly jobs | orders, finance |
| `edge/till/` | the tills; a directory is a store | stores |
| `preview/` | what runs in the preview cluster | web |

Production syncs by itself, except where an Application says why not.
Changes of `shop/payments` and `platform/baseline` need two reviewers (CODEOWNERS).
"""

CODEOWNERS = """\
*                    @harbour/platform
/shop/payments/      @harbour/payments @harbour/platform
/shop/               @harbour/shop
/edge/               @harbour/stores
/finance/            @harbour/finance
"""


def final_tree(repo: str) -> dict[str, str]:
    """Every file by path; `repo` is the URL that Applications name as their source."""
    tree = {"README.md": README, "CODEOWNERS": CODEOWNERS, ".gitignore": "*.swp\n.DS_Store\n"}
    return tree | shop_files() | tool_files() | platform_files() | application_files(repo)
