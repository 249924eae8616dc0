"""A notebook's file is read in any form that editors write, outputs are never read, and what it is instead is said."""

import hashlib
import io
import itertools
import json
import pickle
import random
import tracemalloc
import zipfile

import pytest

from coursepkg.grading.submissions.archives import Archive, Folder, open_tree
from coursepkg.grading.submissions.cells import MAX_BYTES, UnreadableNotebook, cells_of, read_notebook, sha256_of
from coursepkg.grading.submissions.contents import load, nothing_found
from coursepkg.grading.submissions.learners import discover
from coursepkg.grading.submissions.outputs import LEFT_OUT, Bounds, TooLarge, without_outputs

SOURCE = ['# η = 0.1, "outputs": [ {\n', "x = 'é'"]


def notebook(outputs=(), **changes):
    cell = {"cell_type": "code", "source": SOURCE, "metadata": {"outputs_hidden": 1}, "outputs": list(outputs)}
    prose = {"cell_type": "markdown", "source": "some *words*", "attachments": {"a.png": {"image/png": "iVBOR"}}}
    return {"cells": [cell, prose], "metadata": {"k": "outputs"}, "nbformat": 4, "nbformat_minor": 5, **changes}


def pieces(data, size=1 << 18):
    return iter([data[start : start + size] for start in range(0, len(data), size)])


def read(data):
    """The cells of a file, as they are read from a download."""
    return cells_of(read_notebook(pieces(data), "n.ipynb"), "n.ipynb")


# --- forms -----------------------------------------------------------------------------------------------------------

TEXT = json.dumps(notebook(), ensure_ascii=False)
THREE = {
    "worksheets": [{"cells": [{"cell_type": "code", "input": SOURCE, "language": "python", "outputs": []}]},
                   {"cells": [{"cell_type": "markdown", "source": "some *words*"}]}],
    "metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0,
}  # fmt: skip
FORMS = {
    "as it is written": TEXT.encode(),
    "escaped": json.dumps(notebook()).encode(),
    "with a mark of its encoding": TEXT.encode("utf-8-sig"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-16 the other way round": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "line ends of Windows": json.dumps(notebook(), indent=1).replace("\n", "\r\n").encode(),
    "zeros at the end": TEXT.encode() + bytes(100),
    "line ends inside a cell": json.dumps(notebook()).replace("{\\n", "{\\r\\n").encode(),
    "raw line ends in strings": json.dumps(notebook()).replace("{\\n", "{\n").encode(),
    "a number that is none": json.dumps(notebook([{"data": {"a": float("nan")}}])).encode(),
    "format 3": json.dumps(THREE).encode(),
    "no number of a format": json.dumps({"cells": notebook()["cells"]}).encode(),
    "kinds of cells that nobody knows": json.dumps(
        notebook(cells=[*notebook()["cells"], {"cell_type": "heading"}, {}, None, 7, "x", []])
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_notebook_is_read_in_any_form(name):
    cells = read(FORMS[name])
    assert cells.code == ["".join(SOURCE)]
    assert cells.prose[0] == "some *words*"
    assert not any(cells.prose[1:])


@pytest.mark.parametrize("name", ["as it is written", "UTF-16", "UTF-32", "with a mark of its encoding", "format 3"])
def test_a_long_one_too(name):
    data = FORMS[name]
    encoding = json.detect_encoding(data)
    more = json.dumps({"data": "x" * 700_000})
    text = data.decode(encoding).replace('"outputs": []', f'"outputs": [{more}, {more}]')
    long = read_notebook(pieces(text.encode(encoding)), "n.ipynb")
    assert len(long) < 2000
    assert cells_of(long, "n.ipynb") == read(data)


def test_letters_of_another_encoding_are_read():
    data = json.dumps(notebook(cells=[{"cell_type": "code", "source": "s = 'é'"}]), ensure_ascii=False).encode("cp1252")
    assert read(data).code == ["s = 'é'"]


def test_a_source_may_be_nothing():
    cells = [{"cell_type": "code", "source": source} for source in ("a", ["a", "b"], None, 3, [None, "c"], {})]
    assert read(json.dumps({"cells": cells}).encode()).code == ["a", "ab", "", "", "c", ""]


OTHERS = {
    "an empty file": (b"", "is empty"),
    "blanks": (b"\n \n\0", "is empty"),
    "a PDF": (b"%PDF-1.7 and so on", "it is a PDF"),
    "a zip": (b"PK\x03\x04 and so on", "it is a zip file with another name"),
    "a compressed file": (b"\x1f\x8b\x08 and so on", "compressed"),
    "a web page": (b"\n<!DOCTYPE html><html></html>", "it is a web page"),
    "Python": (b"import numpy as np\n", "it is no JSON; open it in JupyterLab"),
    "an unfinished merge": (
        json.dumps(notebook(), indent=1).replace(' "nbformat"', '<<<<<<< HEAD\n "nbformat"').encode(),
        "marks of a merge (<<<<<<<) that was not finished",
    ),
    "that begins with it": (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other", "marks of a merge"),
    "half a notebook": (TEXT.encode()[:-30], "no JSON at line 1, perhaps since it was cut off"),
    "other JSON": (b'{"a": 1}', "it has no list of cells"),
    "a list": (b"[]", "it has no list of cells"),
    "format 2": (json.dumps({**THREE, "nbformat": 2}).encode(), "of format 2, and formats 3 and 4 are read"),
    "format 5": (json.dumps(notebook(nbformat=5)).encode(), "of format 5, and formats 3 and 4 are read"),
    "format 10**400": (json.dumps(notebook(nbformat=10**400)).encode(), "of format unknown"),
    "no format": (json.dumps(notebook(nbformat=float("nan"))).encode(), "of format unknown"),
    "zeros": (b"{" + bytes(100), "it is no JSON"),
    "nested without end": (b'{"cells": ' + b"[" * 100_000, "nested without end"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_file_is_instead_is_said(name):
    data, words = OTHERS[name]
    with pytest.raises(UnreadableNotebook) as error:
        read(data)
    assert words in str(error.value)
    assert str(error.value).startswith("n.ipynb ")


# --- outputs ---------------------------------------------------------------------------------------------------------


def bare(data):
    """JSON data with nothing in place of outputs."""
    if isinstance(data, dict):
        return {key: None if key.encode() in LEFT_OUT else bare(value) for key, value in data.items()}
    return [bare(value) for value in data] if isinstance(data, list) else data


def some_json(rng, depth=0):
    kind = rng.randrange(9 if depth < 7 else 5)
    if kind == 0:
        return rng.choice(["outputs", 'a"\\b', "[{", "", "\\", "}]"])
    if kind < 3:
        return rng.choice([1, None, True, -2.5e3])
    if kind < 5:
        return "x" * rng.randrange(5)
    parts = [some_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    return parts if kind > 6 else {rng.choice(["outputs", "widgets", "a", "\\", '"']): part for part in parts}


def test_the_rest_is_what_it_was_wherever_pieces_end():
    rng = random.Random(0)
    for _ in range(3000):
        data = {"a": some_json(rng), "outputs": some_json(rng), "z": [some_json(rng)]}
        text = json.dumps(data, indent=rng.choice([None, 1])).encode()
        assert json.loads(without_outputs(pieces(text, rng.randrange(1, 9)), 1_000_000)) == bare(data)


def test_300_mb_of_outputs_are_read_in_little_memory():
    picture = b'{"data": {"image/png": "' + b"iVBORw0KGgo" * 24_000 + b'\\n"}},'
    lines = b'{"text": [' + b'"a line \\"of\\" text\\n", ' * 12_000 + b'""]},'
    start, end = json.dumps(notebook([3])).encode().split(b"[3]")
    body = itertools.chain([start, b"["], itertools.repeat(picture, 1000), itertools.repeat(lines, 150), [b"3]", end])
    sizes = []
    tracemalloc.start()
    try:
        found = read_notebook((sizes.append(len(piece)) or piece for piece in body), "n.ipynb")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) > 300_000_000
    assert peak < 6_000_000
    assert cells_of(found, "n.ipynb").code == ["".join(SOURCE)]


@pytest.mark.parametrize("text", [b"[", b"[[[[[[]]]]]]", b'[1, "a", ', b'["\\', b"{"])
def test_text_that_takes_a_step_for_each_byte_is_given_up(text, monkeypatch):
    monkeypatch.setattr("coursepkg.grading.submissions.outputs.MAX_STEPS", 10_000)
    with pytest.raises(TooLarge):
        without_outputs(pieces(b'{"outputs": [' + text * 200_000), MAX_BYTES)


@pytest.mark.parametrize("text", [b'"",', b"[],", b"{},", b'"outputs":1,', b'"a\\",[{",'])
def test_all_notebooks_of_a_learner_have_one_bound_on_what_is_built_from_them(text, monkeypatch):
    monkeypatch.setattr("coursepkg.grading.submissions.outputs.MAX_ENTRIES", 400_000)
    monkeypatch.setattr("coursepkg.grading.submissions.outputs.MAX_STEPS", 1_000_000)
    large = b'{"cells": [], "metadata": [' + text * 150_000 + b"1]}"
    bounds = Bounds()
    read = [read_notebook(pieces(large), "n.ipynb", bounds)]
    with pytest.raises(UnreadableNotebook, match="more entries in lists and objects"):
        read += [read_notebook(pieces(large), "n.ipynb", bounds) for _ in range(4)]
    assert len(read) < 3

    def unpacked():
        raise AssertionError("where nothing is left, nothing is unpacked")
        yield b""

    with pytest.raises(UnreadableNotebook, match="more entries"):
        read_notebook(unpacked(), "n.ipynb", bounds)


@pytest.mark.parametrize(("text", "entries"), [
    (b'["a, [b", "c\\", d"]', 2), (b'{"a": [1, 2], "b": {}}', 5), (b'["a, b, c', 2), (b"", 0), (b'"a, b"', 0),
])  # fmt: skip
def test_entries_are_counted_outside_of_texts(text, entries, monkeypatch):
    monkeypatch.setattr("coursepkg.grading.submissions.outputs._FEW", 0)
    bounds = Bounds(entries=10)
    bounds.count(text)
    assert 10 - bounds.entries in (entries, entries + 1, entries + 2)  # the end may count


def test_many_lines_of_text_with_commas_are_no_entries():
    large = json.dumps(
        notebook(cells=[{"cell_type": "code", "source": "f(1, [2])\n" * 700_000, "outputs": []}])
    ).encode()
    bounds = Bounds(entries=1000)
    assert len(cells_of(read_notebook(pieces(large), "n.ipynb", bounds), "n.ipynb").code[0]) == 7_000_000


def test_what_the_learner_wrote_keeps_its_cap():
    large = json.dumps(notebook(cells=[{"cell_type": "code", "source": "x" * (MAX_BYTES + 1), "outputs": []}])).encode()
    with pytest.raises(UnreadableNotebook, match="more than 20 MB"):
        read_notebook(pieces(large), "n.ipynb")


def test_the_hash_is_that_of_the_file_as_it_was_handed_in():
    texts = [json.dumps(notebook([{"data": "x" * 2_000_000 + end}])).encode() for end in "ab"]
    found = [read_notebook(pieces(text), "n.ipynb") for text in texts]
    assert found[0] == found[1]
    assert [sha256_of(each) for each in found] == [hashlib.sha256(text).hexdigest() for text in texts]
    assert sha256_of(pickle.loads(pickle.dumps(found[1]))) == found[1].sha256  # as it goes to another process
    assert sha256_of(b"plain") == hashlib.sha256(b"plain").hexdigest()


# --- in downloads ----------------------------------------------------------------------------------------------------


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


LARGE = json.dumps(notebook([{"data": "x" * 30_000_000}])).encode()


@pytest.mark.parametrize("packed", ["folder", "zip", "zip in a zip", "all in a zip"])
def test_large_outputs_are_left_out_wherever_a_notebook_lies(tmp_path, packed):
    inner = {"folder": LARGE, "zip": zipped(n__ipynb=LARGE), "zip in a zip": zipped(n__zip=zipped(n__ipynb=LARGE))}
    (tmp_path / "all" / "ann").mkdir(parents=True)
    name = "n.ipynb" if packed in ("folder", "all in a zip") else "n.zip"
    (tmp_path / "all" / "ann" / name).write_bytes(inner.get(packed, LARGE))
    tree = Folder(tmp_path / "all")
    if packed == "all in a zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(tmp_path / "all" / "ann" / name, "ann/n.ipynb")
        tree = open_tree(tmp_path / "all.zip")
    [(found, data)] = load(tree, discover(tree).learners[0]).notebooks
    assert (found, len(data) < 2000) == ("n.ipynb", True)
    assert cells_of(data, found).code == ["".join(SOURCE)]
    assert sha256_of(data) == hashlib.sha256(LARGE).hexdigest()


def test_all_of_a_learner_is_unpacked_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("coursepkg.grading.submissions.contents.MAX_READ", 70_000_000)
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "n.zip").write_bytes(zipped(a__ipynb=LARGE, b__ipynb=LARGE, c__ipynb=LARGE))
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / "n.zip").write_bytes(zipped(a__ipynb=LARGE, b__ipynb=LARGE))
    tree = Folder(tmp_path)
    ann, ben = (load(tree, one) for one in discover(tree).learners)
    assert ann.refused == ["c.ipynb brings what was handed in to more than 70 MB"]
    assert (ben.refused, len(ben.notebooks)) == ([], 2)


def test_a_member_that_is_damaged_is_refused_piece_by_piece():
    data = bytearray(zipped(n__ipynb=LARGE + bytes(range(256)) * 4000))
    data[-2000] ^= 0xFF
    with pytest.raises(ValueError, match="damaged"):
        list(Archive(bytes(data), "n.zip").chunks("n.ipynb"))


@pytest.mark.parametrize(("others", "words"), [
    ([], "no notebook was handed in; there is no file that can be looked into"),
    (["a.pdf"], "found: a.pdf; a.pdf is a PDF: hand in the notebook itself"),
    (["notes.txt", "hw.HTML"], "found: notes.txt, hw.HTML; hw.HTML is a web page"),
    (["hw.ipynb.txt"], "hw.ipynb.txt is a notebook with .txt behind its name: take the .txt off"),
    (["hw.py"], "hw.py is a Python file: hand in the notebook itself"),
    (["hw.docx"], "hw.docx is a text document: hand in the notebook itself"),
    (["hw.rar"], "an archive of a kind that is not read: hand in a .zip"),
    (["a.xyz"], "found: a.xyz; hand in the notebook itself, the file that ends in .ipynb"),
])  # fmt: skip
def test_where_no_notebook_is_what_is_there_is_said(others, words):
    assert words in nothing_found(others)
