"""A room of thirty on this machine: they log in, open a notebook, run and check at once; then the hub is killed.

Everything goes through the hub's front door on the loopback address, as a browser would go. Each participant signs in
with a name of their own, gets a server, opens the exercises of chapter 02, starts a kernel, runs the first cell, and
checks a wrong and a right answer to 02.4. Then the hub is killed while all kernels hold a number, and started again by
what keeps it running. At last one participant tries to read, stop and impersonate another.

    .venv-hub/bin/python benchmarks/hub.py --participants 3        # a try; its room is thrown away
    .venv-hub/bin/python benchmarks/hub.py --participants 30 --store

``--store`` also brings the table in ``instructor/hub.md`` up to date. ``make hub`` makes the environment. Run it as
root: without, there is nothing that would keep participants apart.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "hub.json"
PAGE, MARK = ROOT / "instructor" / "hub.md", "<!-- counted from benchmarks/results/hub.json -->"
PORTS = range(18000, 19000, 10)  # a hub takes four in a row
NOTEBOOK = "exercises/02_scalar_backprop.ipynb"
LIMIT = 900.0  # seconds, for all of it together with one participant
STEPS = ("signed in", "JupyterLab", "kernel asked for", "first cell", "checked")
WRONG = """
from coursepkg.grading import check
def fan_out_gradients(a, b, e_bar):
    c, d = a + b, b + 1
    return e_bar * d, e_bar * c
verdict = check("02.4", fan_out_gradients)
assert not verdict.passed
kept = 6 * 7
"""
RIGHT = """
def fan_out_gradients(a, b, e_bar):
    c, d = a + b, b + 1
    return e_bar * d, e_bar * d + e_bar * c
assert check("02.4", fan_out_gradients).passed
"""


class Failed(Exception):
    """Something did not go as it should for a participant."""


class Participant:
    """Somebody with a browser: cookies, a server, a kernel."""

    def __init__(self, base: str, name: str, password: str):
        self.base, self.name, self.password, self.stays_wrong = base, name, password, False
        self.web = httpx.AsyncClient(base_url=base, timeout=300, follow_redirects=True)
        self.kernel, self.channel, self.times = "", None, {}

    def cookie(self, name: str, path: str) -> str:
        """The value of a cookie that the browser would send to a path."""
        found = [c for c in self.web.cookies.jar if c.name == name and path.startswith(c.path)]
        return str(max(found, key=lambda c: len(c.path)).value) if found else ""

    async def sign_in(self) -> None:
        """Type name and password."""
        await self.web.get("/hub/login")
        sent = {"username": self.name, "password": self.password, "_xsrf": self.cookie("_xsrf", "/hub/")}
        answer = await self.web.post("/hub/login", params={"next": "/hub/home"}, data=sent)
        if answer.status_code != 200 or "/hub/login" in str(answer.url):
            raise Failed(f"sign in: {answer.status_code} at {answer.url}")

    async def open_server(self) -> None:
        """Ask for a server, and wait as the page that waits does."""
        answer = await self.web.get("/hub/spawn")
        if answer.status_code >= 400:
            raise Failed(f"spawn: {answer.status_code}")
        address = f"/hub/api/users/{self.name}/server/progress"
        async with self.web.stream("GET", address, params={"_xsrf": self.cookie("_xsrf", "/hub/")}) as events:
            async for line in events.aiter_lines():
                if line.startswith("data:"):
                    told = json.loads(line.removeprefix("data:"))
                    if told.get("failed"):
                        raise Failed(f"spawn: {told.get('message')}")
                    if told.get("ready"):
                        break
        page = await self.web.get(f"/user/{self.name}/lab/tree/{NOTEBOOK}")
        if page.status_code != 200 or "jupyter-config-data" not in page.text:
            raise Failed(f"lab: {page.status_code} at {page.url}")

    async def open_notebook(self) -> str:
        """Open the exercises, start a kernel; returns the first cell of code."""
        own = f"/user/{self.name}/"
        content = await self.web.get(f"{own}api/contents/{NOTEBOOK}")
        cells = content.raise_for_status().json()["content"]["cells"]
        head = {"X-XSRFToken": self.cookie("_xsrf", own)}
        asked = {"path": NOTEBOOK, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        session = await self.web.post(f"{own}api/sessions", json=asked, headers=head)
        self.kernel = session.raise_for_status().json()["kernel"]["id"]
        await self.connect()
        return next(str(cell["source"]) for cell in cells if cell["cell_type"] == "code")

    async def connect(self) -> None:
        """Open the kernel's channels."""
        own = f"/user/{self.name}/"
        sent = "; ".join(f"{c.name}={c.value}" for c in self.web.cookies.jar if own.startswith(c.path))
        address = f"{self.base.replace('http', 'ws', 1)}{own}api/kernels/{self.kernel}/channels"
        self.channel = await websocket_connect(HTTPRequest(address, headers={"Cookie": sent}, connect_timeout=60))

    async def run(self, code: str, patience: float = 300) -> str:
        """Run code in the kernel; returns what it printed."""
        number, said = uuid.uuid4().hex, ""
        head = {"msg_id": number, "msg_type": "execute_request", "session": number, "username": "", "version": "5.3"}
        asked = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = {"header": head, "parent_header": {}, "metadata": {}, "content": asked, "channel": "shell"}
        await self.channel.write_message(json.dumps(message))
        end = time.monotonic() + patience
        while True:
            text = await asyncio.wait_for(self.channel.read_message(), end - time.monotonic())
            if text is None:
                raise Failed("the kernel's channel closed")
            got = json.loads(text) if isinstance(text, str) else {}
            if got.get("parent_header", {}).get("msg_id") != number:
                continue
            if got["msg_type"] == "stream":
                said += got["content"]["text"]
            if got["msg_type"] == "execute_reply" and got["content"]["status"] != "ok":
                raise Failed(f"cell: {got['content'].get('ename')}: {got['content'].get('evalue')}")
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return said

    async def take_part(self) -> None:
        """From the first page to a check, with times in seconds since it began."""
        begun = time.monotonic()

        def note(what: str) -> None:
            self.times[what] = time.monotonic() - begun

        await self.sign_in()
        note("signed in")
        await self.open_server()
        note("JupyterLab")
        first = await self.open_notebook()
        note("kernel asked for")
        await self.run(first)
        note("first cell")
        await self.run(WRONG)
        if not self.stays_wrong:
            await self.run(RIGHT)
        note("checked")

    async def signed_in(self) -> bool:
        """Whether the hub knows this browser, and its server answers it."""
        try:
            home = await self.web.get("/hub/home", timeout=5)
            status = await self.web.get(f"/user/{self.name}/api/status", timeout=5)
        except httpx.HTTPError:
            return False
        return home.status_code == status.status_code == 200 and "/hub/login" not in str(home.url)


# --- what is measured -------------------------------------------------------------------------------------------------


def memory_of(number: int) -> float:
    """MiB of all processes of a user number: proportional shares, so that what is shared counts once in all."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == number:
                rollup = (process / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def spread(values: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile (nearest rank) and largest."""
    ranked = sorted(values)
    if not ranked:
        return {}
    rank = ranked[max(0, -(-95 * len(ranked) // 100) - 1)]
    return {"median": round(statistics.median(ranked), 1), "p95": round(rank, 1), "largest": round(ranked[-1], 1)}


async def killed_and_back(room: Path, people: list[Participant], instructor: Participant) -> dict[str, Any]:
    """Kill the hub; how long until it is back and everybody is signed in, and whether their kernels still know."""
    os.kill(int((room / "hub" / "hub.pid").read_text()), signal.SIGKILL)
    begun, during = time.monotonic(), 0
    away = {person.name: True for person in people}
    back: list[float] = []
    for person in people[:5]:  # a kernel at work needs no hub
        during += (await person.run("print(kept)")).strip() == "42"
    await asyncio.sleep(1)
    while any(away.values()) and time.monotonic() - begun < 120:
        for person in people:
            if away[person.name] and await person.signed_in():
                away[person.name] = False
                back.append(time.monotonic() - begun)
        await asyncio.sleep(0.5)
    lost = []
    for person in people:
        try:
            await person.connect()  # JupyterLab connects again by itself
            if (await person.run("print(kept)")).strip() != "42":
                lost.append(person.name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it counts
            lost.append(f"{person.name}: {type(error).__name__}")
    return {
        "answered while the hub was dead": f"{during} of {min(5, len(people))}",
        "seconds until signed in again": spread(back),
        "not back within two minutes": sum(away.values()),
        "kernels that lost something": lost,
        "the board, again": (await instructor.web.get("/services/board/")).status_code,
    }


ATTEMPTS = """
import json, os, socket, glob, urllib.request, urllib.error
room, other, port, victim_pid, victim_port = {room!r}, {other!r}, {port}, {pid}, {victim_port}
hub_pid = {hub_pid}
tries = {{}}
def attempt(name, call):
    try:
        tries[name] = "GOT THROUGH: " + repr(call())[:80]
    except urllib.error.HTTPError as error:
        tries[name] = f"refused: {{error.code}}"
    except Exception as error:
        tries[name] = f"refused: {{type(error).__name__}}"
def ask(address):
    token = os.environ["JUPYTERHUB_API_TOKEN"]
    return urllib.request.urlopen(
        urllib.request.Request(address, headers={{"Authorization": "token " + token}}), timeout=10).read()
home = f"{{room}}/people/{{other}}"
attempt("list the room's people", lambda: os.listdir(f"{{room}}/people"))
attempt("list another's folder", lambda: os.listdir(home))
attempt("read another's notebook", lambda: open(f"{{home}}/my-course/{notebook}").read())
attempt("read another's progress", lambda: open(f"{{home}}/my-course/exercises/progress.json").read())
attempt("write into another's folder", lambda: open(f"{{home}}/my-course/note.txt", "w"))
attempt("read the passwords", lambda: open(f"{{room}}/hub/passwords.dbm", "rb").read())
attempt("read the cookie secret", lambda: open(f"{{room}}/hub/cookie_secret").read())
attempt("read the hub's database", lambda: open(f"{{room}}/hub/jupyterhub.sqlite", "rb").read(9))
attempt("stop another's server", lambda: os.kill(victim_pid, 15))
attempt("read another's environment", lambda: open(f"/proc/{{victim_pid}}/environ", "rb").read())
attempt("read another's memory", lambda: open(f"/proc/{{victim_pid}}/mem", "rb").read(1))
attempt("list another's sockets", lambda: os.listdir(f"{{room}}/run/{uid}"))
attempt("own token at another's server", lambda: ask(f"http://127.0.0.1:{{port}}/user/{{other}}/api/contents"))
attempt("own token at another's port", lambda: ask(f"http://127.0.0.1:{{victim_port}}/user/{{other}}/api/contents"))
attempt("own token for the list of users", lambda: ask(f"http://127.0.0.1:{{port}}/hub/api/users/{{other}}"))
attempt("own token at the proxy", lambda: ask(f"http://127.0.0.1:{{port + 2}}/api/routes"))
attempt("own token at the board", lambda: ask(f"http://127.0.0.1:{{port}}/services/board/"))
def send(method, path, content="{{}}"):
    head = {{"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}}
    address = f"http://127.0.0.1:{{port}}/hub/api{{path}}"
    asked = urllib.request.Request(address, content.encode(), head, method=method)
    return urllib.request.urlopen(asked, timeout=10).status
def terminal():
    held = [os.readlink(f"/proc/{{os.getppid()}}/fd/{{number}}") for number in range(3)]
    return [path for path in held if path not in ("/dev/null", f"{{room}}/run/{{os.getuid()}}/server.log")][0]
me = os.environ["JUPYTERHUB_USER"]
attempt("own token to become admin", lambda: send("PATCH", f"/users/{{me}}", '{{"admin": true}}'))
attempt("own token to stop another's server", lambda: send("DELETE", f"/users/{{other}}/server"))
attempt("own token to forget another's password", lambda: send("DELETE", f"/users/{{other}}"))
attempt("own token to share another's server", lambda: send("POST", f"/shares/{{other}}/", json.dumps({{"user": me}})))
attempt("open the hub's terminal", lambda: open(f"/proc/{{hub_pid}}/fd/1", "w"))
attempt("hold the hub's terminal from the start", terminal)
attempt("become root", lambda: os.setuid(0))
attempt("write the course", lambda: open({course!r} + "/coursepkg/__init__.py", "a"))
print(json.dumps(tries))
"""


async def seen_on_board(instructor: Participant, participant: Participant) -> dict[str, Any]:
    """What the board answers to a participant and to the instructor, and its first line."""
    await instructor.sign_in()
    refused = await participant.web.get("/services/board/")
    shown = await instructor.web.get("/services/board/")
    first = re.search(r'class="count">(\d+) <small>of (\d+)</small></span>\s*<span>(.*?)<br>', shown.text)
    return {
        "a participant": refused.status_code,
        "the instructor": shown.status_code,
        "first line": f"{first[1]} of {first[2]}: {first[3]}" if first else "",
        "holds code of an answer": "return e_bar" in shown.text or "fan_out_gradients" in shown.text,
    }


LIMITS = """
import json, subprocess, sys, threading
found = {}
try:
    held = b"x" * (2 * 1024**3)
    found["2 GiB in one program"] = "GOT THROUGH"
except MemoryError:
    found["2 GiB in one program"] = "refused: MemoryError"
enough, threads = threading.Event(), []
try:
    for _ in range(1000):
        thread = threading.Thread(target=enough.wait, daemon=True)
        thread.start()
        threads.append(thread)
    found["a thousand threads"] = "GOT THROUGH"
except RuntimeError:
    found["a thousand threads"] = "refused: RuntimeError"
enough.set()
for thread in threads:
    thread.join()
code = "import time; held = b'x' * (500 * 1024**2); time.sleep(2)"
both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
ended = any(program.wait() == -9 for program in both)
found["1,000 MiB in two programs"] = "refused: one was ended by the system" if ended else "GOT THROUGH"
print(json.dumps(found))
"""


async def attempts(room: Path, base: str, one: Participant, other: Participant) -> dict[str, str]:
    """What one participant tries against another, and what came of each."""
    numbers = json.loads((room / "hub" / "numbers.json").read_text())
    uid = numbers[other.name]
    pid, port = next(found for found in _servers() if found[2] == uid)[:2]
    code = ATTEMPTS.format(
        room=str(room), other=other.name, port=httpx.URL(base).port, pid=pid, victim_port=port, uid=uid,
        notebook=NOTEBOOK, course=str(ROOT), hub_pid=(room / "hub" / "hub.pid").read_text(),
    )  # fmt: skip
    return json.loads((await one.run(code)).strip())


def _servers() -> Iterable[tuple[int, int, int]]:
    """Process, port and user number of each participant's server."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if any(word.endswith(b"jupyterhub-singleuser") for word in words):
                environment = dict(
                    pair.partition(b"=")[::2] for pair in (process / "environ").read_bytes().split(b"\0")
                )
                address = environment[b"JUPYTERHUB_SERVICE_URL"].decode()
                yield int(process.name), httpx.URL(address).port or 0, process.stat().st_uid
        except (OSError, KeyError):
            continue


def costs(found: dict[str, Any]) -> str:
    """The table of the page, from what was found."""
    steps, killed = found["seconds since the first page"], found["hub killed"]["seconds until signed in again"]
    each, rest = found["MiB each, server and one kernel"]["median"], found["MiB of hub, proxy and services"]
    count = found["participants"]

    def seconds(times: dict[str, float]) -> str:
        return f"{times['median']:.0f} s | {times['p95']:.0f} s"

    rows = [
        f"| {count} participants at once, {found['machine'].partition(',')[0]} | median | 95th percentile |",
        "|---|---|---|",
        f"| signed in | {seconds(steps['signed in'])} |",
        f"| JupyterLab is open | {seconds(steps['JupyterLab'])} |",
        f"| the first cell has run | {seconds(steps['first cell'])} |",
        f"| hub killed: signed in again after | {seconds(killed)} |",
        f"| memory of each, server and one kernel | {each:.0f} MiB | |",
        f"| memory of hub, proxy, board | {rest:.0f} MiB | |",
        f"| memory in all | {(count * each + rest) / 1024:.1f} GiB | |",
        f"| failures | {len(found['failures'])} of {count} | |",
        f"| load of the machine from other work, before | {found['load before, 1 minute']:.0f} | |",
    ]
    return "\n".join(rows)


def with_costs(page: str, found: dict[str, Any]) -> str:
    """The page with its table brought up to date."""
    before, _, after = page.partition(MARK)
    return f"{before}{MARK}\n\n{costs(found)}\n\n{MARK}{after.partition(MARK)[2]}"


# --- the whole of it --------------------------------------------------------------------------------------------------


async def measured(room: Path, base: str, password: str, count: int) -> dict[str, Any]:
    """All phases, one after another."""
    people = [Participant(base, f"learner-{number:02d}", f"a password of {number}") for number in range(1, count + 1)]
    for person in people[1::3]:
        person.stays_wrong = True
    begun = time.monotonic()
    done = await asyncio.gather(*(person.take_part() for person in people), return_exceptions=True)
    failures = [f"{person.name}: {error!r}" for person, error in zip(people, done, strict=True) if error is not None]
    well = [person for person, error in zip(people, done, strict=True) if error is None]
    found: dict[str, Any] = {
        "participants": count,
        "failures": failures,
        "seconds, all together": round(time.monotonic() - begun, 1),
        "seconds since the first page": {what: spread(p.times[what] for p in well) for what in STEPS},
    }
    numbers = json.loads((room / "hub" / "numbers.json").read_text())
    found["MiB each, server and one kernel"] = spread(memory_of(numbers[person.name]) for person in well)
    found["MiB of hub, proxy and services"] = round(memory_of_hub(room), 1)
    kept = [
        json.loads((room / "people" / person.name / "my-course/exercises/progress.json").read_text()) for person in well
    ]
    found["records with a pass"] = sum(bool(record["exercises"]["02.4"]["passed"]) for record in kept)
    found["records that name the idea"] = sum(bool(record["exercises"]["02.4"]["latest"]["ideas"]) for record in kept)
    if not well:
        return found
    instructor = Participant(base, "instructor", password)
    found["board"] = await seen_on_board(instructor, well[0])
    found["hub killed"] = await killed_and_back(room, well, instructor)
    if len(well) > 1:
        found["limits, with 768 MiB each"] = json.loads((await well[0].run(LIMITS)).strip())
        found["one against another"] = await attempts(room, base, well[0], well[1])
    return found


def memory_of_hub(room: Path) -> float:
    """MiB of the hub and of what it started for itself; participants' servers have other numbers."""
    hub, total = int((room / "hub" / "hub.pid").read_text()), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            above = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if process.stat().st_uid == 0 and hub in (above, int(process.name)):
                rollup = (process / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--participants", type=int, default=3, choices=range(1, 61), metavar="N")
    parser.add_argument("--store", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--log", type=Path, help="keep what the hub said in this file")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("run it as root: without, participants are not kept apart, and there is nothing to measure of that")
    with tempfile.TemporaryDirectory(prefix="room") as folder:
        os.chmod(folder, 0o755)
        room, port = Path(folder) / "r", free_port()
        base = f"http://127.0.0.1:{port}"
        command = [sys.executable, str(ROOT / "tools/hub.py"), "--folder", str(room), "--port", str(port)]
        with (Path(folder) / "log").open("w") as log:
            hub = subprocess.Popen([*command, "--memory", "768M"], stdout=log, stderr=subprocess.STDOUT)
            try:
                password = wait_for_hub(hub, base, Path(folder) / "log")
                found = asyncio.run(asyncio.wait_for(measured(room, base, password, options.participants), LIMIT))
            finally:
                hub.send_signal(signal.SIGTERM)
                hub.wait(120)
                if options.log:
                    shutil.copy(Path(folder) / "log", options.log)
    found = {
        "measured": date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}",
        "load before, 1 minute": LOAD,
        **found,
    }
    text = json.dumps(found, indent=1, ensure_ascii=False)
    print(text)
    if options.store:
        RESULTS.write_text(text + "\n", encoding="utf-8")
        PAGE.write_text(with_costs(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    sys.exit(bool(found["failures"]))


LOAD = round(os.getloadavg()[0], 2)


def free_port() -> int:
    """The first of four ports in a row that nobody uses."""
    for first in PORTS:
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for port in range(first, first + 4):
                taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    sys.exit("there are no four free ports in a row")


def wait_for_hub(hub: subprocess.Popen[bytes], base: str, log: Path) -> str:
    """Wait until the front door answers; returns the instructor's password."""
    for _ in range(240):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{base}/hub/health").status_code == 200:
                return re.search(r"your password is (\S+)", log.read_text())[1]  # type: ignore[index]
        if hub.poll() is not None:
            break
        time.sleep(0.5)
    sys.exit(f"the hub did not come up: {log.read_text()[-2000:]}")


if __name__ == "__main__":
    main()
