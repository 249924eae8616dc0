"""A class of six that handed in chapter 02, as Moodle gives it out, to try the way from a download to marks on.

    python tools/example_class.py [FOLDER]

writes ``moodle.zip``, the download, and ``moodle.csv``, the grading worksheet. Nobody in it is real.
"""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
DUE = "Tuesday, 1 December 2026, 10:15 PM"
CLASS = {  # participant: name, when it was handed in, what
    "101": ("Ada Okafor", DUE, "right"),
    "102": ("Bruno Silva", DUE, "a wrong idea"),
    "103": ("Chen Wei", "Wednesday, 2 December 2026, 9:00 AM", "right"),
    "104": ("Dora Novak", DUE, "untouched"),
    "105": ("Emil Berg", "-", "nothing"),
    "106": ("Farah Aziz", DUE, "a PDF"),
}
# In 02.4 two paths lead back to one variable, and their gradients add up. Here the last one wins.
RIGHT, WRONG = "return c_bar, c_bar + d_bar", "return c_bar, d_bar"


def notebook(what: str) -> bytes:
    """The chapter's notebook as somebody hands it in: solved, not begun, or with the answer of one exercise wrong."""
    folder = "exercises" if what == "untouched" else "solutions"
    [path] = (ROOT / folder).glob("02_*.ipynb")
    found = json.loads(path.read_text(encoding="utf-8"))
    for cell in found["cells"]:
        lines = "".join(cell["source"]).splitlines()
        source = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
        cell["source"] = source.replace(RIGHT, WRONG) if what == "a wrong idea" else source
        cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return json.dumps(found).encode()


def main(folder: Path) -> None:
    """Write the download and the worksheet."""
    with zipfile.ZipFile(folder / "moodle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for participant, (name, _, what) in CLASS.items():
            place = f"{name}_{participant}_assignsubmission_file"
            if what == "a PDF":
                archive.writestr(f"{place}/homework.pdf", b"%PDF-1.7")
            elif what != "nothing":
                archive.writestr(f"{place}/02_scalar_backprop.ipynb", notebook(what))
    header = ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade",
              "Last modified (submission)", "Feedback comments"]  # fmt: skip
    with (folder / "moodle.csv").open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(header)
        for participant, (name, submitted, _) in CLASS.items():
            address = f"{name.split()[0].lower()}@example.org"
            sheet.writerow([f"Participant {participant}", name, address, "", "", "26.00", submitted, ""])


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
