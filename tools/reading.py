"""How a chapter is read: what belongs to the first reading, and how many minutes each reading takes.

A section for the second reading opens with a heading cell that has the tag `second-reading` and JupyterLab's own mark
for a folded heading. It goes on to the next heading of the same or a higher level, as the fold does.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode

from tools.notebook_file import tags

SECOND, FOLDED = "second-reading", "jp-MarkdownHeadingCollapsed"
WORDS_A_MINUTE = 180
MINUTES_A_PREDICTION = 1.5
MINUTES_A_CELL = 0.5  # to run a cell of ten lines and to look at what it shows
NO_HEADING = 7
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def level(cell: NotebookNode) -> int:
    """The highest heading in a text cell, 1 to 6, by which JupyterLab folds; 7 if it has none."""
    if cell.cell_type != "markdown":
        return NO_HEADING
    return min(
        (len(marks) for marks in re.findall(r"^(#{1,6}) ", FENCE.sub("", cell.source), re.M)), default=NO_HEADING
    )


def readings(cells: list[NotebookNode]) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """The cells of the first reading, and those that are folded for the second.

    The heading cell under which a section is folded stays in sight, so it belongs to the first.
    """
    first: list[NotebookNode] = []
    second: list[NotebookNode] = []
    folded_under = 0
    for cell in cells:
        if level(cell) <= folded_under:
            folded_under = 0
        (second if folded_under else first).append(cell)
        if not folded_under and SECOND in tags(cell):
            folded_under = level(cell)
    return first, second


def minutes(cells: list[NotebookNode]) -> float:
    """Minutes that these cells take: reading the words, making the predictions, running and reading the code."""
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    words = sum(len(re.sub(r"<[^>]+>", " ", text).split()) for text in texts)
    predictions = sum(text.count("**Predict") for text in texts)
    code = len(cells) - len(texts)
    return words / WORDS_A_MINUTE + MINUTES_A_PREDICTION * predictions + MINUTES_A_CELL * code


def sentences(text: str) -> list[str]:
    """The sentences of a text cell; formulas count as one word, and tables and fenced code are left out."""
    text = re.sub(r"<[^>]+>", "\n\n", FENCE.sub("", text))
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$", "X", text, flags=re.S)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    paragraphs = re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.) ?)", text)
    prose = [each.replace("\n", " ") for each in paragraphs if not each.lstrip().startswith("|")]
    return [sentence for each in prose for sentence in re.split(r"(?<=[.!?])\s+", each) if sentence.strip()]
