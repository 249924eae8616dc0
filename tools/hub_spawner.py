"""A participant's server under a user number of its own, with limits, in a folder that nobody else can open.

JupyterHub's ``SimpleLocalProcessSpawner`` runs all servers as the hub's own user, and its ``LocalProcessSpawner`` needs
an account on the machine for each name. This one needs no accounts: a name gets a free number, which owns the
participant's folder and processes. To the kernel it is a user like any other. So a process of another number cannot
read those files, look into those processes, or send them a signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import resource
import signal
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from traitlets import Bool, Unicode

from tools import hub, hub_limits

PROCESSES = 400  # of one participant, threads counted
LARGEST_FILE = 2 * 1024**3  # bytes
TURN = asyncio.Semaphore(2 * (os.cpu_count() or 1))  # servers that start at the same time
TURN_SECONDS = 60
SOONER = "500"  # of 1000
SAID = 2000  # bytes of a server's last words that the hub repeats
COURSE = "my-course"
RECORD = f"{COURSE}/exercises/progress.json"


class NotStarted(RuntimeError):
    """A server that cannot be started; the page that the participant sees repeats the words."""

    def __init__(self, words: str):
        super().__init__(words)
        self.jupyterhub_message = words


class RoomSpawner(SimpleLocalProcessSpawner):
    """Starts ``tools/hub_server.py``, which lays out the course and becomes JupyterLab."""

    room = Unicode(config=True, help="The room's folder.")
    separate = Bool(True, config=True, help="Whether each participant has a user number of their own.")

    @property
    def home(self) -> Path:
        """The participant's folder."""
        return Path(self.room) / "people" / hub.checked_name(self.user.name)

    def user_number(self) -> int:
        """The number under which this participant's processes run."""
        if not self.separate:
            return os.getuid()
        return number_of(Path(self.room) / "hub" / "numbers.json", self.user.name)

    async def start(self) -> Any:
        """Make the participant's folders, then start the server when it is its turn.

        Thirty servers that start at once share the processors, so that all of them are ready at the end. A few at a
        time take as long together, and half the room has begun by half of that time.
        """
        number = self.user_number()
        for folder in (self.home, Path(self.room) / "run" / str(number)):
            try:
                own_folder(folder, number)
            except OSError as error:
                raise NotStarted(f"Your folder cannot be used, and who runs the room can mend it: {error}.") from None
        self._groups = hub_limits.groups(str(number), self.mem_limit) if self.separate else []
        async with TURN:
            address = await super().start()
            await self.until_listening(*address)
        if await self.poll() is not None:
            words = last_words(self.log_file, number)
            self.log.error("The server of %s ended at its start. Its last words:\n%s", self.user.name, words)
            raise NotStarted("Your server ended at its start. Who runs the room sees its last words.")
        if self.separate and (others := listening_at(address[1]) - {number}):
            await self.stop(now=True)
            self.log.error("Port %s of %s was taken by user number %s.", address[1], self.user.name, sorted(others))
            raise NotStarted("Another program took the port of your server. Start it again.")
        return address

    @property
    def log_file(self) -> Path:
        """What the server says; its own user writes it."""
        return Path(self.room) / "run" / str(self.user_number()) / "server.log"

    async def until_listening(self, host: str, port: int) -> None:
        """Wait until the server takes connections, or has ended, or has had its turn for long enough."""
        for _ in range(2 * TURN_SECONDS):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                return
            if await self.poll() is not None:
                return
            await asyncio.sleep(0.5)

    async def stop(self, now: bool = False) -> None:
        """Stop the server, then whatever else the participant left running."""
        await super().stop(now=now)
        if self.separate:
            end_all_of(self.user_number())

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """What a server finds in its environment."""
        home = str(self.home)
        return env | {
            "USER": self.user.name,
            "HOME": home,
            "SHELL": "/bin/bash",
            "JUPYTER_RUNTIME_DIR": f"{self.room}/run/{self.user_number()}",
            "COURSEPKG_FOLDER": f"{home}/{COURSE}",
            "COURSEPKG_PROGRESS": f"{home}/{RECORD}",
        }

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """What the new process does before it becomes the server: it takes its limits, and gives its rights away."""
        home, number, memory, log = str(self.home), self.user_number(), self.mem_limit, self.log_file
        separate, groups = self.separate, getattr(self, "_groups", [])

        def become() -> None:
            hub_limits.join(groups)
            os.setpriority(os.PRIO_PROCESS, 0, max(0, os.getpriority(os.PRIO_PROCESS, 0)))
            with contextlib.suppress(OSError):  # where memory is full, the system ends these before hub and proxy
                Path("/proc/self/oom_score_adj").write_text(SOONER)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            if separate:
                resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
                become_user(number)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # the hub stops it so; one in the background ignores it
            os.umask(0o077)
            os.chdir(home)
            speak_into(log)

        return become


def number_of(path: Path, name: str) -> int:
    """The user number of a name; a new name gets the next one that nobody has.

    Raises
    ------
    RuntimeError
        If all numbers are taken.
    """
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if name not in known:
        taken = {*known.values(), *(account.pw_uid for account in pwd.getpwall())}
        free = next((number for number in range(hub.FIRST, hub.LAST + 1) if number not in taken), None)
        if free is None:
            raise RuntimeError(f"the room is full: all {hub.LAST - hub.FIRST + 1} user numbers are taken")
        known[name] = free
        hub.write_private(path, json.dumps(known, indent=1))
    return int(known[name])


def own_folder(folder: Path, number: int) -> None:
    """Make a folder that belongs to one participant alone, or make sure that it is one.

    Raises
    ------
    PermissionError
        If something else lies there.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, number, number if os.getuid() == 0 else -1)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != number:
        raise PermissionError(f"{folder} does not belong to user number {number}")
    folder.chmod(0o700)


def become_user(number: int) -> None:
    """Give all rights away but those of a user number; raises OSError if the system refuses."""
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)


def speak_into(path: Path) -> None:
    """Let this process write what it says into a file, and read nothing.

    With the hub's terminal in its hands, a participant's program could write into it, and read what is typed there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        said = os.open(path, flags, 0o600)
    except OSError:  # something else lies there
        said = os.open(os.devnull, os.O_WRONLY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, stream in ((nothing, 0), (said, 1), (said, 2)):
        os.dup2(number, stream)
    for number in {nothing, said} - {0, 1, 2}:
        os.close(number)


def last_words(path: Path, number: int) -> str:
    """The end of what a server said, read as a file of somebody else: no link, no pipe, and nothing but letters."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != number:
                return ""
            file.seek(max(0, found.st_size - SAID))
            text = file.read(SAID).decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join("".join(filter(str.isprintable, line)) for line in text.splitlines())


def listening_at(port: int, tables: Sequence[Path] = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))) -> set[int]:
    """The user numbers of those who listen at a port of this machine; nobody where the system does not say it."""
    found = set()
    for table in tables:
        with contextlib.suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                _, local, _, state, _, _, _, owner, *_ = line.split()
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:  # 0A: listens
                    found.add(int(owner))
    return found


def end_all_of(number: int) -> None:
    """End every process of a user number; only of those that are handed out here."""
    if not hub.FIRST <= number <= hub.LAST:
        raise ValueError(f"{number} is no participant's number")
    child = os.fork()
    if child == 0:
        try:
            become_user(number)
            os.kill(-1, signal.SIGKILL)  # all that this user may signal: its own
        except ProcessLookupError:
            pass
        finally:
            os._exit(0)
    os.waitpid(child, 0)
