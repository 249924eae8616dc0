"""Putting a learner's answer to use, safely enough for a notebook: each call ends in an ``Outcome``, never in a raise.

Whatever the answer does (raise, exit, loop for ever, print without end, recurse), the caller gets a small record of
plain data. The same record is what a worker process sends back as JSON.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import functools
import inspect
import io
import linecache
import marshal
import os
import signal
import sys
import sysconfig
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType, TracebackType
from typing import Any

from coursepkg.grading.judging.arguments import copied, unchanged
from coursepkg.grading.judging.arrays import ErrorSettings, np
from coursepkg.grading.judging.drivers import DRIVERS, Driver, Misfit
from coursepkg.grading.judging.values import decode, difference, encode, kind_of, name_of_type, storable, tree

CHECK_SECONDS = 5.0
WALL, PROCESSOR = "wall", "processor"  # clocks: the learner's patience, or what an answer itself has spent
PRINTED_CHARACTERS = 2000
LAST_KINDS = ("time-limit", "wrong-kind", "infrastructure")  # after these, no further case is tried
_TICK = 0.05
_TO_READ = 0.5  # seconds to read once more what all calls returned


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    ``kind`` is "value", "not-attempted", "error", "time-limit", "wrong-kind" (the answer cannot be used at all) or
    "infrastructure" (the grader's own fault). ``value`` is plain data; ``changed`` says that the call changed the
    arguments it was given, ``overwrote`` that something which a call returned is not any more what it was. That is
    looked at once, where a case comes again.
    """

    kind: str
    value: Any = None
    changed: bool = False
    overwrote: bool = False
    error: str = ""
    message: str = ""
    line: int | None = None
    source: str = ""
    printed: str = ""
    warned: str = ""

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON data (for a worker's reply): what there is to say, arrays as shape and base64."""
        told = {name: value for name, value in self.__dict__.items() if name != "value" and value}
        return {**told, "value": encode(self.value, packed=True)}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Outcome:
        """Rebuild an outcome from a worker's reply; raises ValueError or TypeError if it is malformed."""
        texts = {name: storable(text) for name, text in data.items() if isinstance(text, str)}
        return Outcome(**{**data, **texts, "value": tree(decode(data.get("value")))})


class TimeLimit(BaseException):
    """Raised inside a learner's function when its time is over."""


# --- the clock -------------------------------------------------------------------------------------------------------


class _Clock:
    """Whether the time ran out (``rings``), and whether the learner's code is still running.

    A loop that swallows every exception survives the first one. From the third ring on, the interpreter's own trace
    and profile hooks raise again a few lines later, and after every return: outside the ``try`` that swallows. How
    many lines later changes with each ring, so that no nesting of ``try`` is met at the same place each time.
    """

    def __init__(self) -> None:
        self.running = True
        self.rings = 0
        self._lines_left = 0

    def ring(self, signum: int, frame: FrameType | None) -> None:
        """Handle the alarm."""
        if not self.running or (frame is not None and frame.f_code is _Clock.ignored.__code__):
            return
        self.rings += 1
        if self.rings > 2:
            self._insist(frame)
        raise TimeLimit

    def ignored(self, told_before: Callable[[Any], Any], unraisable: Any) -> None:
        """Stand for ``sys.unraisablehook``: a bell that rang in a finalizer is nothing to tell, and rings again."""
        if unraisable.exc_type is TimeLimit:
            return
        running, self.running = self.running, False
        try:
            told_before(unraisable)
        finally:
            self.running = running

    def _insist(self, frame: FrameType | None) -> None:
        self._lines_left = (self.rings - 3) % 7
        while frame is not None and not _is_ours(frame):
            frame.f_trace = self._on_line
            frame = frame.f_back
        sys.settrace(self._on_line)
        sys.setprofile(self._on_return)

    def _on_line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if not self.running or _is_ours(frame):
            return None
        if event == "line":
            self._lines_left -= 1
            if self._lines_left < 0:
                raise TimeLimit
        return self._on_line

    def _on_return(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and self.running and not _is_ours(frame):
            self._insist(frame.f_back)


def _is_ours(frame: FrameType) -> bool:
    return os.path.dirname(frame.f_code.co_filename) == os.path.dirname(__file__)


def now(time_by: str) -> float:
    """The time by one of the two clocks."""
    return time.process_time() if time_by == PROCESSOR else time.monotonic()


def _time_limit(seconds: float, time_by: str) -> contextlib.AbstractContextManager[_Clock]:
    clock = _Clock()
    on_main = threading.current_thread() is threading.main_thread()
    return _alarm(seconds, clock, time_by) if on_main and hasattr(signal, "setitimer") else _watcher(seconds, clock)


@contextlib.contextmanager
def _alarm(seconds: float, clock: _Clock, time_by: str) -> Iterator[_Clock]:
    """POSIX main thread: a repeated timer."""
    timer, number = (
        (signal.ITIMER_PROF, signal.SIGPROF) if time_by == PROCESSOR else (signal.ITIMER_REAL, signal.SIGALRM)
    )
    hooks = sys.gettrace(), sys.getprofile()
    previous = signal.signal(number, clock.ring)
    waiting, _ = signal.setitimer(timer, seconds, _TICK)
    try:
        yield clock
    finally:
        clock.running = False
        signal.setitimer(timer, 0)
        if clock.rings > 2:
            sys.settrace(hooks[0])
            sys.setprofile(hooks[1])
        signal.signal(number, previous)
        if waiting:
            signal.setitimer(timer, waiting)


def _raise_in_thread(thread: int, exception: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(exception) if exception is not None else None
    )


@contextlib.contextmanager
def _watcher(seconds: float, clock: _Clock) -> Iterator[_Clock]:
    """Elsewhere (other threads, Windows): a thread that raises in this one until it has left the learner's code."""
    me, done = threading.get_ident(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            if clock.running:
                clock.rings += 1
                _raise_in_thread(me, TimeLimit)
            wait = _TICK

    thread = threading.Thread(target=watch, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # a platform without threads (Python in a browser): the learner's stop button has to do
        yield clock
        return
    try:
        yield clock
    finally:
        clock.running = False
        done.set()
        thread.join()
        _raise_in_thread(me, None)


# --- output and errors -----------------------------------------------------------------------------------------------


class _Capped(io.TextIOBase):
    """A text stream that keeps only the beginning, however much is printed."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        room = PRINTED_CHARACTERS - len(self.text)
        if room > 0:
            self.text += storable(str(text)[:room])
        return len(text)

    def writable(self) -> bool:
        return True


_NOT_THE_LEARNER = tuple(
    os.path.join(os.path.abspath(folder), "")
    for folder in {
        os.path.dirname(os.path.dirname(__file__)),
        *(sysconfig.get_paths().get(name, "") for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    }
    if folder
)


def _learner_line(traceback: TracebackType | None) -> tuple[int | None, str]:
    """The innermost line of the learner's own code, as number and text."""
    found: tuple[int | None, str] = (None, "")
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if not name.startswith(_NOT_THE_LEARNER) and not name.startswith("<frozen"):
            found = (traceback.tb_lineno, linecache.getline(name, traceback.tb_lineno).strip()[:100])
        traceback = traceback.tb_next
    return found


def _first_line(error: BaseException) -> str:
    try:
        words = str(error).strip()
    except Exception:  # noqa: BLE001 - a learner's own exception class may fail even here
        words = ""
    return storable(words.splitlines()[0][:160]) if words else ""


def failure(error: BaseException) -> Outcome:
    """What an error says, as an outcome."""
    line, source = _learner_line(error.__traceback__)
    if isinstance(error, NotImplementedError):
        return Outcome("not-attempted", message=_first_line(error), line=line, source=source)
    name = "Misfit" if isinstance(error, Misfit) else name_of_type(type(error))
    return Outcome("error", error=name, message=_first_line(error), line=line, source=source)


# --- the call --------------------------------------------------------------------------------------------------------


# What a later call can change under the caller's hands; in a tuple, it may be one of the entries.
_SHARED = (np.ndarray, list, dict, tuple, deque, array.array, memoryview)


class LocalCall:
    """Use an answer in this process: ``LocalCall(answer, "call")(case) -> Outcome``.

    Parameters
    ----------
    answer : object
        The learner's function or class (anything at all is tolerated).
    driver : str
        Name of the driver.
    seconds : float
        Time for all calls together.
    time_by : str
        ``WALL``, or ``PROCESSOR``: then a crowded machine costs an answer nothing, and sleeping is free.
    """

    def __init__(self, answer: Any, driver: str, *, seconds: float = CHECK_SECONDS, time_by: str = WALL):
        self.answer = answer
        self.driver = driver
        self.time_by = time_by
        self.deadline = now(time_by) + seconds
        self._misuse: dict[tuple[int, tuple[str, ...]], str | None] = {}
        self._cases: set[bytes] = set()  # written by `marshal`, which is the quickest way to know one again
        self._returned: list[tuple[Any, Any]] = []  # by all calls, and as it was read then

    def __call__(self, case: Mapping[str, Any]) -> Outcome:
        """Run one case (encoded ``args`` and ``kwargs``)."""
        driver = DRIVERS.get(self.driver)
        if driver is None:
            return Outcome("infrastructure", message=f"there is no driver {self.driver!r}")
        try:
            args, named = decode(case["args"]), case["kwargs"]
            kwargs = decode({"dict": list(map(list, named.items()))}) if named else {}
            before, written = copied([args, kwargs]), marshal.dumps(dict(case), 2)
        except (KeyError, TypeError, ValueError) as error:
            return Outcome("infrastructure", message=f"a stored case cannot be read: {error}")
        call = len(args), tuple(kwargs)
        if call not in self._misuse:
            self._misuse[call] = misuse(self.answer, driver, args, kwargs)
        if (words := self._misuse[call]) is not None:
            return Outcome("wrong-kind", message=words)
        seconds = self.deadline - now(self.time_by)
        if seconds <= 0:
            return Outcome("time-limit")

        def run() -> Any:
            result = driver.run(self.answer, *args, **kwargs)
            read = tree(result)
            if isinstance(result, _SHARED):
                self._returned.append((result, read))
            return read

        outcome = guarded(run, seconds, self.time_by)
        if not unchanged([args, kwargs], before):
            outcome = replace(outcome, changed=True)
        if written in self._cases:
            return replace(outcome, overwrote=outcome.kind == "value" and self._overwritten())
        self._cases.add(written)
        return outcome

    def _overwritten(self) -> bool:
        """Whether something that a call returned is not any more what it was."""
        doubtful = [(result, read) for result, read in self._returned if not unchanged(result, read)]
        if not doubtful:
            return False
        again = guarded(lambda: [tree(result) for result, _ in doubtful], _TO_READ, self.time_by)
        reads = [read for _, read in doubtful]
        if again.kind != "value" or unchanged(again.value, reads):
            return False
        return difference(reads, again.value, 0.0, 0.0) is not None


def guarded(run: Callable[[], Any], seconds: float, time_by: str = WALL) -> Outcome:
    """Run a learner's code and say what happened; nothing escapes, not even SystemExit."""
    printed = _Capped()
    caught: list[warnings.WarningMessage] = []
    streams, told_before = (sys.stdout, sys.stderr), sys.unraisablehook
    settings = ErrorSettings()
    try:
        with warnings.catch_warnings(record=True) as caught, _time_limit(seconds, time_by) as clock:
            warnings.simplefilter("default")
            sys.stdout = sys.stderr = printed
            sys.unraisablehook = functools.partial(clock.ignored, told_before)
            outcome = next(_apart(run, clock))
    except TimeLimit:  # rang between the learner's last line and ours
        outcome = Outcome("time-limit")
    finally:
        (sys.stdout, sys.stderr), sys.unraisablehook = streams, told_before
    if clock.rings:
        outcome = Outcome("time-limit")
        settings.restore()  # the bell may have rung while one of NumPy's functions had its own way with errors
    if not printed.text and not caught:
        return outcome
    warned = _warning(caught[0]) if caught else ""
    return Outcome(**{**outcome.__dict__, "printed": printed.text, "warned": warned})


def _warning(caught: warnings.WarningMessage) -> str:
    try:
        words = " ".join(str(caught.message).split())
    except Exception:  # noqa: BLE001 - a learner's own warning class may fail even here
        words = ""
    return storable(f"{name_of_type(caught.category)}: {words[:120]}")


def _apart(run: Callable[[], Any], clock: _Clock) -> Iterator[Outcome]:
    """The outcome of learner's code, run inside a generator, which has an exception state of its own.

    An exception that is raised while the interpreter is just entering a handler can stay behind as "the exception
    being handled"; it would head every later traceback in the notebook. With the generator, it goes.
    """
    try:
        outcome = Outcome("value", run())
        clock.running = False
    except TimeLimit:
        clock.running = False
        outcome = Outcome("time-limit")
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt must not end the notebook
        clock.running = False
        outcome = failure(error)
    yield outcome


# --- answers that cannot be used -------------------------------------------------------------------------------------


def misuse(answer: Any, driver: Driver, args: Any, kwargs: Any) -> str | None:
    """Why an answer cannot be used at all, in one line of plain words, or None."""
    if driver.takes == "class":
        if isinstance(answer, type):
            return None
        return f"This exercise checks a class; it was given {kind_of(answer)}."
    if isinstance(answer, type):
        return f"This exercise checks a function; it was given {kind_of(answer)}."
    if not callable(answer):
        return f"This exercise checks a function; it was given {kind_of(answer)}."
    count = len(args) if driver.arity is None else driver.arity
    own = inspect.signature(driver.run).parameters if kwargs else {}
    named = {name: value for name, value in kwargs.items() if driver.arity is None and name not in own}
    try:
        signature = inspect.signature(answer)
    except Exception:  # noqa: BLE001 - compiled functions have none, and an odd object may fail in its own way
        return None
    try:
        signature.bind(*[None] * count, **named)
    except TypeError:
        names = ", ".join(signature.parameters) or "nothing"
        wanted = f"{count} argument{'s' if count != 1 else ''}"
        if named:
            wanted += f" and {', '.join(named)}"
        return f"This exercise calls your function with {wanted}; yours takes ({names})."
    return None
