"""Work is found in every layout in which it is given out, and archives made to do harm are refused as a whole."""

import io
import os
import stat
import struct
import unicodedata
import zipfile
from datetime import UTC, datetime

import pytest

from coursepkg.grading.submissions.archives import MAX_ENTRIES, MAX_TABLE, Archive, Folder, Refused, open_tree
from coursepkg.grading.submissions.choosing import Wanted, choose
from coursepkg.grading.submissions.contents import MAX_NOTEBOOK, load
from coursepkg.grading.submissions.counting import mark_of
from coursepkg.grading.submissions.learners import HandedIn, discover
from coursepkg.grading.submissions.platforms import MAX_METADATA

NOTEBOOK = b'{"cells": []}'


def tree_of(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return open_tree(folder)


def zipped(*members, **options):
    """A zip of (name, data) or (ZipInfo, data)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def who(tree):
    return {one.student: one.name for one in discover(tree).learners}


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_a_folder_a_zip_or_a_notebook_for_each_learner(tmp_path):
    tree = tree_of(tmp_path, {
        "ann/01_kitchen.ipynb": NOTEBOOK,
        "ben/deeper/still/01_kitchen.ipynb": NOTEBOOK,
        "cy.zip": zipped(("work/01_kitchen.ipynb", NOTEBOOK), ("notes.txt", b"x")),
        "dee.ipynb": NOTEBOOK,
        "notes.txt": b"not handed in",
        ".hidden/x.ipynb": NOTEBOOK,
        "ann/.ipynb_checkpoints/01_kitchen-checkpoint.ipynb": b"old",
    })  # fmt: skip
    assert who(tree) == {name: name for name in ("ann", "ben", "cy", "dee")}
    for one in discover(tree).learners:
        [(name, data)] = load(tree, one).notebooks
        assert data == NOTEBOOK
        assert name in ("01_kitchen.ipynb", "dee.ipynb")


def test_moodles_folders_and_loose_files(tmp_path):
    tree = tree_of(tmp_path, {
        "Ann Lee_1234_assignsubmission_file_/01_kitchen.ipynb": NOTEBOOK,
        "Ben van der_Berg_77_assignsubmission_file/01_kitchen.ipynb": NOTEBOOK,
        "Cy_99_assignsubmission_file_01_kitchen.ipynb": NOTEBOOK,
    })  # fmt: skip
    assert who(tree) == {"1234": "Ann Lee", "77": "Ben van der_Berg", "99": "Cy"}
    assert [load(tree, one).notebooks[0][0] for one in discover(tree).learners] == ["01_kitchen.ipynb"] * 3


def test_canvas_downloads_late_ones_and_ones_handed_in_again(tmp_path):
    tree = tree_of(tmp_path, {
        "leeann_501_9001_01_kitchen.ipynb": b"old",
        "leeann_501_9002_01_kitchen-1.ipynb": NOTEBOOK,
        "bergben_LATE_502_9003_01_kitchen.ipynb": NOTEBOOK,
    })  # fmt: skip
    assert who(tree) == {"501": "leeann", "502": "bergben"}
    first, second = discover(tree).learners
    assert (first.late, second.late) == (False, True)
    wanted = Wanted("01", False, {"01": frozenset()}, frozenset({"01"}))
    chosen, notes = choose(load(tree, first).notebooks, wanted, numbered=True)
    assert chosen["01"] == ("01_kitchen-1.ipynb", NOTEBOOK)
    assert notes == ["several notebooks for chapter 01; 01_kitchen-1.ipynb counts"]


@pytest.mark.parametrize("base", ["", "assignment_1_export/"])
def test_gradescopes_export_with_a_group(tmp_path, base):
    listing = (
        "submission_11:\n  :submitters:\n  - :name: Ann Lee\n    :sid: 'a1'\n    :email: ann@x.org\n"
        "  :created_at: 2026-01-01\nsubmission_12:\n  :submitters:\n  - :name: Ben\n    :sid: b2\n"
        "    :email: b@x.org\n  - :name: Cy\n    :sid:\n    :email: cy@x.org\n"
    )
    tree = tree_of(tmp_path, {
        f"{base}submission_metadata.yml": listing.encode(),
        f"{base}submission_11/01_kitchen.ipynb": NOTEBOOK,
        f"{base}submission_12/01_kitchen.ipynb": NOTEBOOK,
    })  # fmt: skip
    assert who(tree) == {"a1": "Ann Lee", "b2": "Ben", "cy@x.org": "Cy"}
    assert all(load(tree, one).notebooks == [("01_kitchen.ipynb", NOTEBOOK)] for one in discover(tree).learners)


def test_all_of_it_may_be_one_zip(tmp_path):
    path = tmp_path / "all.zip"
    inner = zipped(("01_kitchen.ipynb", NOTEBOOK))
    path.write_bytes(zipped(("Ann_12_assignsubmission_file_/01_kitchen.ipynb", NOTEBOOK), ("ben/work.zip", inner)))
    tree = open_tree(path)
    assert who(tree) == {"12": "Ann", "ben": "ben"}
    assert all(load(tree, one).notebooks == [("01_kitchen.ipynb", NOTEBOOK)] for one in discover(tree).learners)


def test_files_have_one_mark_in_a_folder_and_in_a_zip(tmp_path):
    files = {"ann/02_x.ipynb": NOTEBOOK, "ann/b.txt": b"b" * 1_000_000}
    folder, packed = tree_of(tmp_path, files), Archive(zipped(*files.items()), "all.zip")
    marks = {mark_of(tree, discover(tree).learners[0]) for tree in (folder, packed)}
    (tmp_path / "ann" / "b.txt").write_bytes(b"c" * 1_000_000)
    (tmp_path / "ann" / "link").symlink_to("nowhere")
    assert len(marks) == 1
    assert mark_of(folder, discover(folder).learners[0]) not in marks


def test_what_is_neither_folder_nor_zip_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"x")
    for path in (tmp_path / "x", tmp_path / "missing"):
        with pytest.raises(Refused):
            open_tree(path)


def test_a_list_of_submitters_inside_a_learners_own_folder_is_a_file_like_any_other(tmp_path):
    """Else mallory could give the work of ann and ben to whom she likes."""
    forged = "ann:\n  :submitters:\n  - :name: Mallory\n    :sid: m\nben:\n  :submitters:\n  - :name: M\n    :sid: m\n"
    files = {f"{name}/01_kitchen.ipynb": NOTEBOOK for name in ("ann", "ben", "mallory")}
    tree = tree_of(tmp_path, {**files, "mallory/submission_metadata.yml": forged.encode()})
    assert who(tree) == {"ann": "ann", "ben": "ben", "mallory": "mallory"}


def test_a_list_of_submitters_that_names_other_folders_or_has_no_end_is_not_believed(tmp_path):
    listing = "submission_11:\n  :submitters:\n  - :name: Ann\n    :sid: a1\nben:\n  :submitters:\n  - :sid: x\n"
    notebook = {"submission_11/01_kitchen.ipynb": NOTEBOOK}
    assert set(who(tree_of(tmp_path / "a", {**notebook, "submission_metadata.yml": listing.encode()}))) == {
        "submission_11"
    }
    endless = b"x" * (MAX_METADATA + 1)
    assert set(who(tree_of(tmp_path / "b", {**notebook, "submission_metadata.yml": endless}))) == {"submission_11"}


@pytest.mark.parametrize(
    "pattern", ["{}_2026_11_homework.ipynb", "{}_11_2026_homework.ipynb", "{}_20261129_1530_x.zip"]
)
def test_a_date_in_file_names_makes_nobody_the_same_learner(tmp_path, pattern):
    names = [pattern.format(name) for name in ("anna", "bob", "cy")]
    tree = tree_of(
        tmp_path, {name: NOTEBOOK if name.endswith("b") else zipped(("x.ipynb", NOTEBOOK)) for name in names}
    )
    assert [one.files for one in discover(tree).learners] == [[name] for name in sorted(names)]


def test_two_learners_of_one_name_stay_two_and_one_with_a_date_is_no_number(tmp_path):
    files = {f"leeann_{one}_90{one}_02_x.ipynb": NOTEBOOK for one in (501, 502, 503)}
    assert who(tree_of(tmp_path / "a", files)) == dict.fromkeys(("501", "502", "503"), "leeann")
    assert set(who(tree_of(tmp_path / "b", {"anna_2026_11_homework.ipynb": NOTEBOOK}))) == {"anna_2026_11_homework"}


def test_what_canvas_gives_out_that_is_no_notebook_is_still_somebodys(tmp_path):
    tree = tree_of(tmp_path, {
        "leeann_501_9001_02_x.ipynb": NOTEBOOK, "bergben_502_9002_homework.pdf": b"%PDF", "notes.txt": b"x",
    })  # fmt: skip
    download = discover(tree)
    assert (download.layout, download.left_aside, download.entries) == ("Canvas", ["notes.txt"], 2)
    assert [load(tree, one).others for one in download.learners] == [[], ["bergben_502_9002_homework.pdf"]]


def test_one_file_that_is_named_as_another_platform_names_them_changes_nobodys_layout(tmp_path):
    files = {f"{name}_{k}_90{k}_02_x.ipynb": NOTEBOOK for k, name in ((501, "ann"), (502, "ben"))}
    forged = {"mallory_503_9003_x_501_assignsubmission_file_y.ipynb": NOTEBOOK}
    tree = tree_of(tmp_path, {**files, **forged})
    assert discover(tree).layout == "Canvas"
    assert who(tree) == {"501": "ann", "502": "ben", "503": "mallory"}


def test_numbers_without_end_in_a_name_are_no_platforms(tmp_path):
    long = "9" * 5000
    tree = Archive(zipped(
        (f"ann_1_{long}_a.ipynb", NOTEBOOK), (f"ben_{long}_1_a.ipynb", NOTEBOOK),
        (f"cy_{long}_assignsubmission_file/a.ipynb", NOTEBOOK),
        ("dee.zip", zipped((f"x_1_{long}_a.ipynb", NOTEBOOK), (f"x_{long}_assignsubmission_file_a.ipynb", NOTEBOOK))),
    ), "all.zip")  # fmt: skip
    download = discover(tree)
    assert (download.layout, len(download.learners)) == ("plain", 4)
    assert all(load(tree, one).notebooks for one in download.learners)


@pytest.mark.parametrize("name", [".", "./.", "", "x/."])
def test_members_without_a_name_cost_their_owner_alone(tmp_path, name):
    packed = zipped(("02_x.ipynb", NOTEBOOK), (zipfile.ZipInfo(name), b"x"))
    tree = tree_of(tmp_path, {"ann.zip": packed, "ben/02_x.ipynb": NOTEBOOK})
    _, ben = (load(tree, one) for one in discover(tree).learners)
    assert ben.notebooks == [("02_x.ipynb", NOTEBOOK)]


def test_one_bad_member_of_the_whole_download_costs_nobody_else_anything(tmp_path):
    path = tmp_path / "all.zip"
    path.write_bytes(
        zipped(("ann/02_x.ipynb", NOTEBOOK), ("mallory/../../x.ipynb", b"x"), ("C: by Cleo/02.ipynb", NOTEBOOK))
    )
    download = discover(open_tree(path))
    assert [one.student for one in download.learners] == ["C: by Cleo", "ann"]
    assert download.remarks == ("not read: mallory/../../x.ipynb is an entry that leads out of the archive",)


def test_a_list_of_submitters_that_is_not_believed_is_no_folder_and_is_said(tmp_path):
    listing = "".join(f"s{k}:\n  :submitters:\n  - :name: L\n    :sid: '{k}'\n" for k in (1, 2, 3))
    files = {f"s{k}/02_x.ipynb": NOTEBOOK for k in (1, 2)}
    download = discover(tree_of(tmp_path, {**files, "submission_metadata.yml": listing.encode()}))
    assert (download.entries, len(download.learners)) == (2, 2)
    assert "is not believed" in download.remarks[0]


@pytest.mark.parametrize("names", [("ann.ipynb", "ben.ipynb"), ("ann.zip", "ben.zip"), ("ann.zip", "ben/02_x.ipynb")])
def test_one_folder_that_holds_a_class_is_looked_into(tmp_path, names):
    packed = zipped(("02_x.ipynb", NOTEBOOK))
    files = {f"hw2/{name}": packed if name.endswith(".zip") else NOTEBOOK for name in names}
    assert set(who(tree_of(tmp_path, files))) == {"ann", "ben"}


@pytest.mark.parametrize("names", [("02_scalar_backprop.ipynb", "02_scalar_backprop-Copy1.ipynb"), ("draft.ipynb",)])
def test_one_folder_with_the_courses_notebooks_or_with_one_is_a_learners(tmp_path, names):
    assert set(who(tree_of(tmp_path, {f"ann/{name}": NOTEBOOK for name in names}))) == {"ann"}


def test_nbgraders_folder_and_moodles_own_are_told_apart_also_for_one_learner(tmp_path):
    assert set(who(tree_of(tmp_path / "a", {"submitted/ann/hw2/02_x.ipynb": NOTEBOOK}))) == {"ann"}
    files = {f"Ann_11_assignsubmission_file/{part}/02_x.ipynb": NOTEBOOK for part in ("one", "two")}
    assert who(tree_of(tmp_path / "b", files)) == {"11": "Ann"}


def test_the_roster_tells_a_learners_folder_from_a_class(tmp_path):
    files = {f"mallory/{name}/02_x.ipynb": NOTEBOOK for name in ("ben", "eve")}
    tree = tree_of(tmp_path / "a", files)
    assert [one.student for one in discover(tree, {"mallory"}).learners] == ["mallory"]
    assert [one.student for one in discover(tree, {"ben"}).learners] == ["ben", "eve"]
    tree = tree_of(tmp_path / "b", {"mallory/Ben_101_assignsubmission_file_02_x.ipynb": NOTEBOOK})
    assert [one.student for one in discover(tree, {"mallory"}).learners] == ["mallory"]
    tree = tree_of(tmp_path / "c", {"hw2/ann/02_x.ipynb": NOTEBOOK})
    assert [one.student for one in discover(tree, {"ann"}).learners] == ["ann"]


def test_canvas_names_with_underscores_without_numbers_and_without_names(tmp_path):
    files = {"ann_lee_501_9001_02_x.ipynb": NOTEBOOK, "ben_502_9002_02_x.ipynb": NOTEBOOK, "cy_503_text.html": b"<p>"}
    assert who(tree_of(tmp_path / "a", files)) == {"501": "ann_lee", "502": "ben", "503": "cy"}
    names = ("anon_x7K2p_9001_5_y.ipynb", "anon_x7K2p_9003_more.ipynb", "LATE_anon_b9b2q_9002_02_x.ipynb")
    found = discover(tree_of(tmp_path / "b", dict.fromkeys(names, NOTEBOOK))).learners
    assert [(one.student, one.late, len(one.files)) for one in found] == [("b9b2q", True, 1), ("x7K2p", False, 2)]


def test_a_folder_that_begins_with_a_dot_is_named(tmp_path):
    tree = tree_of(tmp_path, {"ann/02_x.ipynb": NOTEBOOK, ".dora/02_x.ipynb": NOTEBOOK, ".DS_Store": b"x"})
    assert discover(tree).left_aside == [".dora"]


def test_an_empty_folder_is_somebodys_who_handed_in_nothing(tmp_path):
    tree = tree_of(tmp_path, {"Ann_12_assignsubmission_file/02_x.ipynb": NOTEBOOK})
    (tmp_path / "Ben_13_assignsubmission_file" / "deeper").mkdir(parents=True)
    assert who(tree) == {"12": "Ann", "13": "Ben"}
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Ann_12_assignsubmission_file/02_x.ipynb", NOTEBOOK)
        archive.writestr("Ben_13_assignsubmission_file/", b"")
    assert who(open_tree(path)) == {"12": "Ann", "13": "Ben"}


def test_the_list_of_submitters_of_one_learner_alone_is_not_believed(tmp_path):
    """A download of one folder may be a learner's, who packed such a list and folders to go with it."""
    forged = "ann:\n  :submitters:\n  - :name: Ann\n    :sid: a\n"
    tree = tree_of(tmp_path, {"mallory/ann/02_x.ipynb": NOTEBOOK, "mallory/submission_metadata.yml": forged.encode()})
    assert set(who(tree)) == {"mallory"}


def test_gradescope_says_when_work_was_handed_in(tmp_path):
    listing = (
        "submission_11:\n  :submitters:\n  - :name: Ann\n    :sid: 'a1'\n"
        "  :created_at: 2026-11-05 12:00:00.123456789 -08:00\n"
        "  :history:\n  - :id: 3\n    :created_at: 2020-01-01 00:00:00 Z\n"
        "submission_12:\n  :submitters:\n  - :name: Ben\n    :sid: 'b'\n  :created_at: soon\n"
    )
    files = {f"submission_{k}/02_x.ipynb": NOTEBOOK for k in (11, 12)}
    metadata = tmp_path / "submission_metadata.yml"
    for no_time in ("soon", "2026-11-31 12:00:00.0 Z", "2026-11-05 12:00:00 +99:99"):
        metadata.write_text(listing.replace("soon", no_time))
        ann, ben = discover(tree_of(tmp_path, files)).learners
        assert ann.submitted == datetime(2026, 11, 5, 20, tzinfo=UTC)
        assert ben.submitted is None


def test_what_a_program_printed_into_gradescopes_list_names_nobody(tmp_path):
    printed = "  :results:\n    output: |\n      - :name: Ann\n        :sid: 'a1'\n    :sid: 'a1'\n  - :sid: 'a1'\n"
    listing = "".join(
        f"submission_{k}:\n  :submitters:\n  - :name: L{k}\n    :sid: 's{k}'\n"
        f"  :created_at: 2026-01-01 00:00:00 Z\n{printed}"
        for k in (11, 12)
    )
    files = {f"submission_{k}/02_x.ipynb": NOTEBOOK for k in (11, 12)}
    assert who(tree_of(tmp_path, {**files, "submission_metadata.yml": listing.encode()})) == {
        "s11": "L11",
        "s12": "L12",
    }


def test_a_folder_around_everything_is_no_learner(tmp_path):
    tree = tree_of(tmp_path, {"hw2/ann/01_kitchen.ipynb": NOTEBOOK, "hw2/ben/01_kitchen.ipynb": NOTEBOOK})
    assert set(who(tree)) == {"ann", "ben"}
    assert set(who(tree_of(tmp_path / "one", {"ann/01_kitchen.ipynb": NOTEBOOK, "ann/02_x.ipynb": NOTEBOOK}))) == {
        "ann"
    }
    moodle = {f"hw2/{name}_assignsubmission_file_/01_kitchen.ipynb": NOTEBOOK for name in ("Ann_12", "Ben_13")}
    assert who(tree_of(tmp_path / "two", moodle)) == {"12": "Ann", "13": "Ben"}


def test_names_are_the_same_in_one_piece_and_in_two(tmp_path):
    """macOS writes "é" as two letters, Linux as one; a roster may do either."""
    one, two = (unicodedata.normalize(form, "José Ñandú") for form in ("NFC", "NFD"))
    assert one != two
    for k, name in enumerate((one, two)):
        tree = tree_of(tmp_path / str(k), {f"{name}/02_x.ipynb": NOTEBOOK, "bob/02_x.ipynb": NOTEBOOK})
        assert who(tree) == {one: one, "bob": "bob"}
        alone = tree_of(tmp_path / f"{k} alone", {f"{name}/a/02_x.ipynb": NOTEBOOK, f"{name}/b/02_x.ipynb": NOTEBOOK})
        for known in (one, two):
            assert [each.student for each in discover(alone, {known}).learners] == [one]


def test_two_entries_that_are_taken_for_one_learners_are_said(tmp_path):
    tree = tree_of(tmp_path, {"ann/01_kitchen.ipynb": NOTEBOOK, "ann.zip": zipped(("02_x.ipynb", NOTEBOOK))})
    [ann] = discover(tree).learners
    assert ann.notes == ["ann and ann.zip were taken for one learner's"]
    stray = tree_of(tmp_path / "m", {
        "Ann_12_assignsubmission_file_/01_kitchen.ipynb": NOTEBOOK, "extra/01_kitchen.ipynb": NOTEBOOK,
    })  # fmt: skip
    assert [one.notes for one in discover(stray).learners] == [
        [],
        ["extra is not named as this download names what was handed in"],
    ]


def test_zips_in_zips_and_backslashes_are_read_and_other_files_are_named(tmp_path):
    inner = zipped(("work\\01_kitchen.ipynb", NOTEBOOK), ("notes.pdf", b"x"))
    tree = tree_of(tmp_path, {"ann.zip": zipped(("hand in/all.zip", inner)), "ben/answers.py": b"x", "ben/a.pdf": b"x"})
    ann, ben = (load(tree, one) for one in discover(tree).learners)
    assert (ann.notebooks, ann.others) == ([("01_kitchen.ipynb", NOTEBOOK)], ["notes.pdf"])
    assert (ben.notebooks, ben.others) == ([], ["a.pdf", "answers.py"])


# --- harm ------------------------------------------------------------------------------------------------------------


def member(name, mode=0o644, kind=stat.S_IFREG):
    info = zipfile.ZipInfo("x")
    info.filename, info.external_attr = name, (kind | mode) << 16
    return info


BAD = {
    "a path that leads out": zipped((member("../../out.ipynb"), NOTEBOOK)),
    "a path that leads out in the middle": zipped((member("a/../../out.ipynb"), NOTEBOOK)),
    "an absolute path": zipped((member("/etc/out.ipynb"), NOTEBOOK)),
    "a path of Windows": zipped((member("C:/out.ipynb"), NOTEBOOK)),
    "backslashes": zipped((member("..\\out.ipynb"), NOTEBOOK)),
    "a link": zipped((member("01_kitchen.ipynb", kind=stat.S_IFLNK), b"/etc/passwd")),
    "a device": zipped((member("01_kitchen.ipynb", kind=stat.S_IFCHR), b"")),
    "too many entries": zipped(*((f"{n}.txt", b"") for n in range(MAX_ENTRIES + 1))),
    "too many notebooks": zipped(*((f"{n}.ipynb", NOTEBOOK) for n in range(60))),
    "a bomb": zipped(("01_kitchen.ipynb", bytes(MAX_NOTEBOOK + 1)), compression=zipfile.ZIP_DEFLATED),
    "an uncommon compression": zipped(("01_kitchen.ipynb", NOTEBOOK), compression=zipfile.ZIP_LZMA),
    "no zip": b"PK\x03\x04 and so on",
    "cut": zipped(("01_kitchen.ipynb", NOTEBOOK * 100))[:-40],
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_as_a_whole_and_says_why(tmp_path, name):
    tree = tree_of(tmp_path, {"ann/work.zip": BAD[name], "ben/01_kitchen.ipynb": NOTEBOOK})
    ann, ben = (load(tree, one) for one in discover(tree).learners)
    assert ann.notebooks == []
    assert len(ann.refused) == 1
    assert "ann/work.zip" in ann.refused[0] or "notebook" in ann.refused[0] or "01_kitchen" in ann.refused[0]
    assert ben.notebooks == [("01_kitchen.ipynb", NOTEBOOK)]


def test_damaged_bytes_inside_are_refused(tmp_path):
    data = bytearray(zipped(("01_kitchen.ipynb", NOTEBOOK * 100)))
    data[60] ^= 0xFF
    tree = tree_of(tmp_path, {"ann/work.zip": bytes(data)})
    [one] = discover(tree).learners
    assert "damaged" in load(tree, one).refused[0]


def test_a_zip_with_a_giant_table_of_contents_is_not_read_whole(tmp_path):
    entries = 2 * MAX_TABLE // 46
    fields = (20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    table = (b"PK\1\2" + struct.pack("<6H3L5H2L", *fields)) * entries
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(table), 0, 0)
    files = {"ann.zip": table + end, "ben.zip": zipped(("in.zip", table + end)), "cy/02_x.ipynb": NOTEBOOK}
    tree = tree_of(tmp_path, files)
    ann, ben, cy = (load(tree, one) for one in discover(tree).learners)
    assert [len(one.notebooks) for one in (ann, ben, cy)] == [0, 0, 1]
    assert all("its table of contents has 2.0 MB" in one.refused[0] for one in (ann, ben))


def test_several_files_that_are_small_each_are_a_bomb_together():
    big = bytes(MAX_NOTEBOOK - 1)
    members = [(f"{n}.ipynb", big) for n in range(7)]
    archive = Archive(zipped(*members, compression=zipfile.ZIP_DEFLATED), "work.zip")
    for name in archive.names()[:5]:
        assert archive.read(name, MAX_NOTEBOOK) == big
    with pytest.raises(Refused, match="0 MB"):
        archive.read("5.ipynb", MAX_NOTEBOOK)


def test_an_archive_in_an_archive_in_an_archive_is_not_opened(tmp_path):
    inner = zipped(("innermost.zip", zipped(("01_kitchen.ipynb", NOTEBOOK))))
    tree = tree_of(tmp_path, {"ann.zip": zipped(("inner.zip", inner))})
    [one] = discover(tree).learners
    assert load(tree, one).notebooks == []
    assert load(tree, one).others == ["innermost.zip"]


def test_links_and_special_files_in_folders_are_not_followed(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(b"of another")
    folder = tmp_path / "all"
    tree = tree_of(folder, {"ann/x.txt": b"", "ben/x.txt": b"", "cy/x.txt": b""})
    (folder / "ann" / "01_kitchen.ipynb").symlink_to(secret)
    (folder / "ben" / "more").symlink_to(tmp_path)
    os.mkfifo(folder / "cy" / "01_kitchen.ipynb")
    ann, ben, cy = (load(tree, one) for one in discover(tree).learners)
    assert ann.refused == ["ann/01_kitchen.ipynb is a link"]
    assert ben.refused == ["ben/more is a link"]
    assert cy.refused == ["cy/01_kitchen.ipynb is no ordinary file"]
    assert b"of another" not in {data for contents in (ann, ben, cy) for _, data in contents.notebooks}


def test_too_much_in_a_folder_is_refused(tmp_path):
    tree = Folder(tmp_path)
    one = HandedIn("ann", "Ann", [f"ann/{n}.txt" for n in range(MAX_ENTRIES + 1)])
    assert load(tree, one).refused == [f"there are more than {MAX_ENTRIES} files"]
    tree = tree_of(tmp_path, {f"ben/{n}.ipynb": NOTEBOOK for n in range(60)})
    [ben] = discover(tree, {"ben"}).learners
    assert load(tree, ben).notebooks == []


def test_a_giant_notebook_is_not_read_whole(tmp_path):
    path = tmp_path / "ann" / "01_kitchen.ipynb"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(1 << 40)
    tree = open_tree(tmp_path)
    [one] = discover(tree).learners
    contents = load(tree, one)
    assert contents.refused == ["ann/01_kitchen.ipynb has more than 20 MB"]
    assert contents.notebooks == [("01_kitchen.ipynb", b"")]
