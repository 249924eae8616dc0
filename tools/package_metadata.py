"""What an index shows of the package: the README with links that lead somewhere, and the project's addresses.

The README links to files beside it, as a repository wants it. An index shows the page without those files, so links are
made absolute while the package is built. The repository's address is `COURSEPKG_REPOSITORY` of the environment, which
the release workflow sets; without it there are no addresses, and words that would link to a file stand alone.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")


def for_an_index(page: str, repository: str) -> str:
    """A page in Markdown with its relative links made absolute, or taken out where no repository is known."""

    def replace(link: re.Match[str]) -> str:
        picture, words, path = link.groups()
        if repository:
            return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/main/{path})"
        return "" if picture else words

    return _LINK.sub(replace, page)


class CustomMetadataHook(MetadataHookInterface):
    """Called by hatchling."""

    def update(self, metadata: dict[str, Any]) -> None:
        repository = os.environ.get("COURSEPKG_REPOSITORY", "").rstrip("/")
        page = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(page, repository)}
        metadata["urls"] = {
            name: repository + path
            for name, path in {"Repository": "", "Issues": "/issues", "Changelog": "/blob/main/CHANGELOG.md"}.items()
            if repository
        }
