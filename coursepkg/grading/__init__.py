"""The judge: checks in notebooks, and the specifications they are built from.

A learner types ``check("01.2", my_function)`` and ``hint("01.2")``, and for the way as a whole ``progress()`` and
``review()``. Everything behind it is compared as plain numbers, with each known wrong idea beside the right answer, so
that a check can say which idea it met.

For authors of exercises
------------------------
1. Write the exercise in ``solutions/specs/ex_NN/`` (``coursepkg.grading.specification.exercise`` shows how: domain,
   reference, inputs, five accepted answers, seven misconceptions, three hints).
2. Write the task in ``solutions/NN_topic.ipynb``: a Markdown cell with one paragraph, then one code cell that holds
   the whole answer and ends with the check::

       def portions_per_money(portions_per_gram, grams_per_money):
           \"\"\"Portions that one unit of money buys.\"\"\"
           ### BEGIN SOLUTION
           return portions_per_gram * grams_per_money
           ### END SOLUTION


       from coursepkg.grading import check, hint

       check("01.2", portions_per_money)

   A region stands inside a function (it becomes ``raise NotImplementedError("01.2: write your answer here")``); a
   class may have several. Cells with the tag ``instructor`` do not reach the learner. Each check cell imports
   ``check`` itself, so that it works after a restart; what answers use is imported in the notebook's first cell.
3. ``python -m coursepkg grade build`` compiles the checks and writes ``exercises/``; it says which inputs cannot tell
   two ideas apart, and refuses to publish a line of a solution. ``python -m coursepkg grade check NOTEBOOK`` judges a
   notebook from the command line.
4. ``pytest tests/grading/test_every_exercise.py -k 01`` proves the rest: every accepted answer passes, every wrong
   idea is named, every small change of the reference is caught, on visible and on hidden inputs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from coursepkg.grading.judging.judge import Verdict
from coursepkg.grading.learning import inventory
from coursepkg.grading.learning.notebook import check, hint, progress, review

if TYPE_CHECKING:
    from coursepkg.grading.specification.exercise import Case, Exercise, Misconception, case

__all__ = ["Case", "Exercise", "Misconception", "Verdict", "case", "check", "hint", "inventory", "progress", "review"]

_FOR_AUTHORS = ("Case", "Exercise", "Misconception", "case")


def __getattr__(name: str) -> Any:
    # Learners need none of these, and they need NumPy, which a browser may not reach.
    if name not in _FOR_AUTHORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("coursepkg.grading.specification.exercise"), name)
