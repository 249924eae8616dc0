"""Rows under headings, for results that are words and numbers: as text and as HTML.

The one idea: a table on the page is a table in HTML, with a caption and marked headings, so that a screen reader can
walk it; as text the same table has aligned columns, or, where words are long, one block per row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table"]

WIDEST = 100
"""Characters that a line of aligned columns may have, the two blanks after each column included."""

FOLDED = " \n"
"""Begins the HTML of a figure or a table. JupyterLab shows the first line of a folded output, and this one is empty."""

BOX = "overflow-x:auto;container-type:inline-size"
CAPTION = "position:sticky;left:0;max-width:100cqw"
"""A table that is wider than its page scrolls in a box. Its caption stays, as wide as the box."""


@dataclass(frozen=True, repr=False)
class Table:
    """Rows of words that show themselves in a terminal and in a notebook; the first cell of a row is its heading."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    caption_style: str = ""
    cell_style: str = ""  # both styles are CSS, for the page

    def aligned(self) -> list[str]:
        """The headings and the rows as lines of text with aligned columns."""
        lines, widths = [self.headings, *self.rows], self._widths()
        return ["  ".join(cell.ljust(n) for cell, n in zip(line, widths, strict=True)).rstrip() for line in lines]

    def _widths(self) -> list[int]:
        return [max(map(len, column)) for column in zip(self.headings, *self.rows, strict=True)]

    def _blocks(self) -> Iterator[str]:
        for row in self.rows:
            yield row[0]
            yield from (f"    {name}: {cell}" for name, cell in zip(self.headings[1:], row[1:], strict=True))

    def __repr__(self) -> str:
        wide = sum(self._widths()) + 2 * len(self.headings) > WIDEST
        return "\n".join([self.caption, *(self._blocks() if wide else self.aligned())])

    def _repr_html_(self) -> str:
        cell_style = _style(self.cell_style)
        head = "".join(f'<th scope="col"{cell_style}>{escape(heading)}</th>' for heading in self.headings)
        body = ""
        for first, *others in self.rows:
            cells = "".join(f"<td{cell_style}>{_together(escape(cell))}</td>" for cell in others)
            body += f'<tr><th scope="row"{cell_style}>{escape(first)}</th>{cells}</tr>'
        caption = f"<caption{_style(f'{CAPTION};{self.caption_style}')}>{escape(self.caption)}</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'{FOLDED}<div style="{BOX}">{table}</div>'


def _together(cell: str) -> str:
    """The same words, with no line's end between a number and its spread."""
    return cell.replace(" ± ", "\u00a0±\u00a0")


def _style(css: str) -> str:
    return f' style="{escape(css)}"' if css else ""
