"""Comparing a notebook's outputs with the stored ones: text exactly, numbers within a tolerance."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from nbformat import NotebookNode

from tools.notebook_file import IGNORE, NotebookError, code_cells, is_stripped, may_be_stripped, read, tags, where
from tools.notebook_run import execute, run_problems

RELATIVE, ABSOLUTE = 1e-6, 1e-9
NUMBER = re.compile(r"(?<![\w.#])[-+\u2212]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?")
WHOLE = re.compile(r"[-+\u2212]?\d+\.?")  # the point may end a sentence
LIVING = re.compile(
    r'<script type="application/x-story"[^>]*>([^<]*)</script></coursepkg-figure>'
    r'<script type="module"[^>]*>.*?</script>',
    re.DOTALL,
)
WRITTEN = ("dials", "facts", "formulas", "labels", "notes", "said", "slots", "votes")  # of what a living figure draws
VOLATILE = (
    (re.compile(r"\x1b\[[\d;]*m"), ""),
    (re.compile(r"""data:image/[\w.+-]+[;,][^"'\s>)]*"""), "data:image"),
    (re.compile(r"\b0x[0-9a-fA-F]{4,}"), "0x0"),
    (re.compile(r"ipykernel_\d+[/\\]\d+\.py"), "ipykernel.py"),
)


def unpacked(found: re.Match[str]) -> str:
    """What a living figure says and writes, one thing a line. How it is drawn is not compared, as with pictures."""
    story = json.loads(zlib.decompress(base64.b64decode(found[1])))
    drawn = story.pop("data")
    told = story | {name: drawn[name] for name in WRITTEN if name in drawn}
    return "\n" + "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in told.items())


def split_numbers(text: str) -> tuple[str, list[str]]:
    """Text with its numbers blanked, and the numbers. Blanks next to a number are padding and go with it."""
    text = LIVING.sub(unpacked, text)
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    numbers = NUMBER.findall(text)
    return re.sub(r"[ \t]*\0[ \t]*", "\0", NUMBER.sub("\0", text)), numbers


def same_number(stored: str, fresh: str) -> bool:
    """Integers are the same or not; other numbers may differ in the last digits that another processor gives."""
    if stored == fresh:
        return True
    a, b = (float(number.replace("\u2212", "-")) for number in (stored, fresh))
    if WHOLE.fullmatch(stored) and WHOLE.fullmatch(fresh):
        return a == b
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def text_difference(stored: str, fresh: str) -> str | None:
    """The first difference between two texts that is more than a last digit, or None."""
    (stored_words, stored_numbers), (fresh_words, fresh_numbers) = split_numbers(stored), split_numbers(fresh)
    if stored_words != fresh_words:
        lines = zip_longest(stored_words.split("\n"), fresh_words.split("\n"), fillvalue="")
        one, other = next((one, other) for one, other in lines if one != other)
        return f"stored {shown(one)}, now {shown(other)}"
    for one, other in zip(stored_numbers, fresh_numbers, strict=True):
        if not same_number(one, other):
            return f"stored {one}, now {other}"
    return None


def shown(line: str) -> str:
    line = line.replace("\0", " <number> ").strip()
    return repr(line if len(line) <= 160 else line[:157] + "...")


def comparable(outputs: Iterable[NotebookNode]) -> list[tuple[str, str]]:
    """What is compared of a cell's outputs, in order: streams whole, then one entry for each form of each output."""
    found: list[tuple[str, str]] = []
    streams: dict[str, int] = {}
    for output in outputs:
        if output.output_type == "stream":
            if output.name not in streams:
                streams[output.name] = len(found)
                found.append((output.name, ""))
            place = streams[output.name]
            found[place] = (output.name, found[place][1] + output.text)
        elif output.output_type == "error":
            found.append(("error", f"{output.ename}: {output.evalue}"))
        else:
            for mime, content in sorted(output.data.items()):
                pixels = mime in ("image/png", "image/jpeg")  # differ between machines; their presence is compared
                text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
                found.append((mime, "" if pixels else text))
    return found


def output_differences(stored: Iterable[NotebookNode], fresh: Iterable[NotebookNode]) -> Iterator[str]:
    """Where the outputs of one cell differ by more than last digits."""
    before, now = comparable(stored), comparable(fresh)
    kinds_before, kinds_now = [kind for kind, _ in before], [kind for kind, _ in now]
    if kinds_before != kinds_now:
        yield f"stored outputs are {kinds_before or 'none'}, now they are {kinds_now or 'none'}"
        return
    for (kind, one), (_, other) in zip(before, now, strict=True):
        difference = text_difference(one, other)
        if difference is not None:
            yield f"{kind}: {difference}"


def cell_problems(index: int, stored: NotebookNode, fresh: list[NotebookNode], *, stripped: bool) -> Iterator[str]:
    """What is wrong with a cell that was run just now and gave the outputs `fresh`."""
    rerun = NotebookNode(stored, outputs=fresh)
    yield from run_problems(index, rerun)
    if stripped or not stored.source.strip():
        return
    if stored.execution_count is None:
        yield f"{where(index, stored)} has no stored outputs to compare with; store the notebook"
    elif IGNORE not in tags(stored):
        for difference in output_differences(stored.outputs, fresh):
            yield f"{where(index, stored)}: {difference}"


def check(path: Path) -> str:
    """Execute the notebook at `path` and compare with its stored outputs; returns one line for the log."""
    notebook = read(path)
    stripped = is_stripped(notebook)
    if stripped and not may_be_stripped(path):
        raise NotebookError("has no stored outputs to compare with; store the notebook")
    run = execute(notebook, path.parent)
    problems = [
        problem
        for (index, stored), (_, fresh) in zip(code_cells(notebook), code_cells(run.notebook), strict=True)
        for problem in cell_problems(index, stored, fresh.outputs, stripped=stripped)
    ]
    if problems:
        raise NotebookError("\n".join(problems))
    return f"{run.seconds:5.1f} s  as stored"
