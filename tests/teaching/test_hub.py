"""The hub: what it asks before it starts, what lies where, and whether participants are kept apart.

What needs no JupyterHub is tested everywhere. The rest runs in `.venv-hub`, which `make hub` makes; the room that is
started for a test has two people, who sign in, work, and try to get at each other's things.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

from tools import hub, hub_limits, hub_server

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-hub/bin/python"
VALUES = ROOT / "instructor" / "hub" / "values.yaml"

needs_hub = pytest.mark.skipif(
    not (ROOT / ".venv-hub/recipe").is_file(), reason="no environment for the hub here: `make hub` makes .venv-hub"
)
needs_posix = pytest.mark.skipif(os.name == "nt", reason="user numbers and modes are POSIX's")


def settings(*words, root=True):
    return hub.settings_of(hub.parser().parse_args(words), root=root)


def benchmark_port():
    import hub as benchmark  # that of benchmarks/

    return benchmark.free_port()


# --- what it asks before it starts ---


def test_as_root_participants_are_kept_apart():
    assert settings()["separate"] is True


def test_without_root_it_starts_for_trusted_rooms_only():
    with pytest.raises(ValueError, match="each could read and stop everything of the others"):
        settings(root=False)
    assert settings("--trusted", root=False)["separate"] is False


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "hub.example.org"])
def test_a_network_without_tls_has_to_be_asked_for(address, tmp_path):
    with pytest.raises(ValueError, match="passwords can be read on the way"):
        settings("--address", address)
    assert settings("--address", address, "--plain")["address"] == address
    found = settings("--address", address, "--certificate", f"{tmp_path}/c", "--key", f"{tmp_path}/k")
    assert found["certificate"] == str((tmp_path / "c").resolve())
    assert hub.address_of(found).startswith("https://")


def test_this_machine_alone_needs_no_tls():
    for address in ("127.0.0.1", "localhost", "::1"):
        settings("--address", address)
    assert hub.address_of(settings("--address", "::1", "--port", "8800")) == "http://[::1]:8800"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--certificate", "c"], "needs both"),
        (["--folder", "/srv/" + "x" * 60], "is longer than 40 characters"),
        (["--port", "0"], "a port is a number"),
        (["--idle", "0"], "at least a minute"),
        (["--memory", "2"], "as in 768M or 1G"),
        (["--memory", "64M"], "at least 256M"),
        (["--admin", "Ada Lovelace"], "small letters, digits or dashes"),
        (["--admin", "../hub"], "small letters, digits or dashes"),
        (["--names", "/nowhere"], "cannot be read as a list"),
    ],
)
def test_what_cannot_be_is_refused_in_words(words, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        settings(*words)


def test_names_are_read_one_a_line(tmp_path):
    (tmp_path / "class.txt").write_text("\ufeffAda\n\n bo-2  # comes later\n# nobody\nada\n", encoding="utf-8")
    assert hub.names_of(tmp_path / "class.txt") == ["ada", "bo-2"]
    (tmp_path / "class.txt").write_text("# nobody\n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no names"):
        hub.names_of(tmp_path / "class.txt")


def test_memory_is_in_bytes():
    assert settings("--memory", "768m")["memory"] == 768 * 1024**2


# --- TLS ---

AUTHORITY = """
[ca]
default_ca = made
[made]
database = db
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
[any]
commonName = supplied
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """Certificates and keys of many kinds, in a folder that others may pass, as /etc/ssl is one."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates for this test, is not here")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)

        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

        (folder / "db").write_text("")
        (folder / "serial").write_text("01\n")
        (folder / "ca.cnf").write_text(AUTHORITY)
        new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
        names = "subjectAltName=DNS:*.room.example,DNS:hub.room.example,IP:127.0.0.1"
        openssl(*new, "-keyout", "key.pem", "-out", "cert.pem", "-addext", names)
        openssl(*new, "-keyout", "other.pem", "-out", "nameless.pem")
        openssl("pkey", "-in", "key.pem", "-aes256", "-passout", "pass:word", "-out", "locked.pem")
        openssl("x509", "-in", "cert.pem", "-outform", "der", "-out", "cert.der")
        openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=localhost", "-out", "asked.pem")
        sign = ["ca", "-batch", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "asked.pem"]
        openssl(*sign, "-out", "past.pem", "-startdate", "200101000000Z", "-enddate", "200201000000Z")
        (folder / "db").write_text("")
        openssl(*sign, "-out", "future.pem", "-startdate", "20900101000000Z", "-enddate", "20910101000000Z")
        shutil.copy(folder / "key.pem", folder / "open.pem")
        for file in folder.iterdir():
            file.chmod(0o644 if file.name == "open.pem" else 0o600)
        yield folder


@needs_posix
@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("cert.pem", "other.pem", "is not the one of the certificate"),
        ("cert.pem", "locked.pem", "is closed by a password"),
        ("cert.pem", "open.pem", "may be read by everybody on this machine: chmod 600"),
        ("cert.pem", "cert.pem", "are no certificate and key in PEM form"),
        ("cert.der", "key.pem", "are no certificate and key in PEM form"),
        ("past.pem", "key.pem", "has expired"),
        ("future.pem", "key.pem", "is not valid yet"),
        ("nowhere.pem", "key.pem", "cannot be read: No such file"),
        (".", "key.pem", "cannot be read: Is a directory"),
    ],
)
def test_a_certificate_that_browsers_would_refuse_is_refused_before_anything_starts(tls, certificate, key, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        hub.check_tls(tls / certificate, tls / key)


@needs_posix
def test_a_certificate_says_under_which_name_the_room_is_reached(tls, capsys):
    assert hub.check_tls(tls / "cert.pem", tls / "key.pem") == "hub.room.example"
    assert hub.check_tls(tls / "nameless.pem", tls / "other.pem") is None
    words = ["--address", "0.0.0.0", "--certificate", f"{tls}/cert.pem", "--key", f"{tls}/key.pem"]
    assert hub.address_of(settings(*words) | {"host": "hub.room.example"}) == "https://hub.room.example:8000"
    assert hub.main(["--trusted", "--certificate", f"{tls}/cert.pem", "--key", f"{tls}/other.pem"]) == 2
    assert "The hub was not started: the key" in capsys.readouterr().err


@needs_posix
def test_a_folder_that_is_closed_to_others_is_found():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        inner = Path(folder).resolve() / "closed" / "inner"
        inner.mkdir(parents=True)
        assert hub.closed_to_others(inner) is None
        inner.parent.chmod(0o700)
        assert hub.closed_to_others(inner) == inner.parent


@needs_posix
def test_root_that_may_not_hand_out_numbers_is_told_so(monkeypatch):
    def refused(*numbers):
        raise PermissionError

    monkeypatch.setattr(os, "setgroups", lambda groups: None)
    monkeypatch.setattr(os, "setresgid", refused)
    with pytest.raises(ValueError, match="does not let you start programs as user 60706"):
        hub.check_numbers()


@needs_posix
def test_a_port_that_somebody_has_is_named_before_anything_starts(tmp_path):
    room = settings() | {"folder": str(tmp_path), "port": benchmark_port()}
    hub.check_ports(room)
    (tmp_path / "hub").mkdir()
    for more in range(4):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", room["port"] + more))
            taken.listen()
            with pytest.raises(ValueError, match=f"port {room['port'] + more} is in use by another program"):
                hub.check_ports(room)
            (tmp_path / "hub/proxy.pid").write_text(str(os.getpid()))  # a proxy that outlived its hub has two of them
            if more in (0, 2):
                hub.check_ports(room)
            (tmp_path / "hub/proxy.pid").unlink()
    with pytest.raises(ValueError, match=r"cannot listen at 192\.0\.2\.1"):
        hub.check_ports(room | {"address": "192.0.2.1"})  # RFC 5737 keeps it for documents


# --- what lies where ---


@needs_posix
def test_the_rooms_folder_can_be_passed_and_not_listed_and_what_is_the_hubs_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "give_password", lambda path, name: None)
    room = tmp_path / "room"
    path = hub.prepare(room, settings("--trusted", root=False))
    modes = {name: (room / name).stat().st_mode & 0o777 for name in (".", "people", "run", "hub")}
    assert modes == {".": 0o711, "people": 0o711, "run": 0o711, "hub": 0o700}
    files = {file.name: file.read_text() for file in (room / "hub").iterdir()}
    assert {file.stat().st_mode & 0o777 for file in (room / "hub").iterdir()} == {0o600}
    assert json.loads(path.read_text())["admin"] == "instructor"
    assert re.fullmatch(r"[0-9a-f]{64}", files["cookie_secret"])
    hub.prepare(room, settings("--trusted", "--admin", "ada", root=False))
    again = {file.name: file.read_text() for file in (room / "hub").iterdir()}
    assert again["cookie_secret"] == files["cookie_secret"]  # else everybody would be signed out
    assert again["proxy_token"] == files["proxy_token"]
    assert json.loads(again["settings.json"])["admin"] == "ada"
    assert json.loads(again["settings.json"])["former"] == [
        "instructor"
    ]  # has no more rights, and never gets them back
    hub.prepare(room, settings("--trusted", "--admin", "bo", root=False))
    hub.prepare(room, settings("--trusted", root=False))
    assert json.loads(path.read_text())["former"] == ["ada", "bo"]


@needs_posix
def test_a_server_lays_out_the_course_and_never_writes_over_what_was_changed(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(os, "execv", lambda path, words: started.append((path, words)))
    monkeypatch.setenv("COURSEPKG_FOLDER", str(tmp_path / "my-course"))
    monkeypatch.setattr(sys, "argv", ["hub_server.py", "--port=1"])
    hub_server.main()
    notebook = tmp_path / "my-course/exercises/02_scalar_backprop.ipynb"
    changed = json.loads(notebook.read_text(encoding="utf-8"))
    changed["cells"][0]["source"] = "my own words"
    notebook.write_text(json.dumps(changed), encoding="utf-8")
    (tmp_path / "my-course/own.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "my-course/notebooks/00_start_here.ipynb").unlink()
    hub_server.main()
    assert json.loads(notebook.read_text(encoding="utf-8")) == changed
    assert (tmp_path / "my-course/own.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "my-course/notebooks/00_start_here.ipynb").is_file()  # what was thrown away comes back
    assert not (tmp_path / "my-course/solutions").exists()
    server = str(Path(sys.executable).with_name("jupyterhub-singleuser"))
    assert started == [(server, [server, "--port=1"])] * 2


def test_a_course_that_cannot_be_laid_out_does_not_keep_the_server_from_starting(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    started = []
    monkeypatch.setattr(os, "execv", lambda path, words: started.append(path))
    monkeypatch.setenv("COURSEPKG_FOLDER", str(tmp_path / "file"))
    hub_server.main()
    assert len(started) == 1
    assert "was not laid out" in capsys.readouterr().err


def test_a_participant_has_an_end_of_memory_and_the_share_of_the_processor_that_others_have(tmp_path):
    first, second, neither = (tmp_path / name for name in ("v1", "v2", "none"))
    for kind, limit in (("memory", "memory.limit_in_bytes"), ("cpu", "cpu.shares")):
        (first / kind).mkdir(parents=True)
        (first / kind / limit).write_text("")
    memory, cpu = hub_limits.groups("60706", 5, first)
    assert (memory, cpu) == (first / "memory/coursepkg-room/60706", first / "cpu/coursepkg-room/60706")
    assert (memory / "memory.limit_in_bytes").read_text() == "5"
    assert [int((folder / "cpu.shares").read_text()) for folder in (cpu.parent, cpu)] == [4096, 1024]
    assert hub_limits.groups("60706", None, first) == [cpu]
    (second / "coursepkg-room").mkdir(parents=True)
    (second / "cgroup.controllers").write_text("cpuset cpu memory\n")
    for folder in (second, second / "coursepkg-room"):
        (folder / "cgroup.subtree_control").write_text("cpu\n")
    [own] = hub_limits.groups("60706", 7, second)
    assert [(own / name).read_text() for name in ("memory.max", "cpu.weight")] == ["7", "100"]
    assert (own.parent / "cpu.weight").read_text() == "400"
    assert (second / "coursepkg-room/cgroup.subtree_control").read_text() == "+memory"
    (second / "cgroup.controllers").write_text("pids\n")
    assert hub_limits.groups("60706", 7, second) == []
    assert hub_limits.groups("60706", 7, neither) == []
    (own / "cgroup.procs").write_text("")
    hub_limits.join([own])
    assert (own / "cgroup.procs").read_text() == str(os.getpid())


@needs_posix
def test_a_hub_that_dies_is_started_again_but_not_for_ever(tmp_path, monkeypatch, capsys):
    (tmp_path / "hub").mkdir()
    monkeypatch.setattr(hub, "STARTS", 3)
    monkeypatch.setattr(hub, "hub_command", lambda: [sys.executable, "-c", "import os; os.kill(os.getpid(), 15)"])
    monkeypatch.setattr(hub.signal, "signal", lambda number, handler: None)
    assert hub.keep_running(tmp_path / "hub" / "settings.json") == 1
    assert capsys.readouterr().err.count("is started again") == 2
    monkeypatch.setattr(hub, "hub_command", lambda: [sys.executable, "-c", "raise SystemExit(7)"])
    assert hub.keep_running(tmp_path / "hub" / "settings.json") == 7


@needs_posix
def test_one_room_at_a_time_has_the_numbers_and_the_one_before_is_closed(tmp_path):
    rooms = [tmp_path / name for name in ("first", "second")]
    for room in rooms:
        (room / "hub").mkdir(parents=True)
        (room / "hub/numbers.json").write_text("{}")
        room.chmod(0o711)
    running = hub.take_numbers(rooms[0], tmp_path / "kept")
    with pytest.raises(ValueError, match="first runs on this machine"):
        hub.take_numbers(rooms[1], tmp_path / "kept")
    running.close()
    with hub.take_numbers(rooms[0], tmp_path / "kept"):
        assert rooms[0].stat().st_mode & 0o777 == 0o711
    with hub.take_numbers(rooms[1], tmp_path / "kept"):
        assert [room.stat().st_mode & 0o777 for room in rooms] == [0o700, 0o711]


# --- what it is made of ---


def test_the_proxy_and_all_that_it_needs_are_pinned_by_hash_and_name_no_registry():
    lock = json.loads((hub.PROXY / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/configurable-http-proxy"]["version"] == "5.3.0"
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    assert not any(entry.get("hasInstallScript") for entry in packages.values())


def test_the_lock_of_the_hub_holds_what_it_asks_for_and_the_versions_that_are_tested():
    def pins(name):
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE))

    asked = re.findall(r"^([a-z-]+)>=", (ROOT / "requirements-hub.in").read_text(encoding="utf-8"), flags=re.MULTILINE)
    locked, tested = pins("requirements-hub.lock"), pins("requirements-test.lock")
    assert set(asked) == {"jupyterhub", "jupyterhub-firstuseauthenticator", "jupyterhub-idle-culler"}
    assert {*asked, hub.SLOW_TO_LOAD} <= set(locked)
    assert {name: version for name, version in locked.items() if tested.get(name, version) != version} == {}
    assert "://" not in (ROOT / "requirements-hub.lock").read_text(encoding="utf-8")


def test_make_hub_takes_a_word_for_each_thing_that_can_be_asked_for():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\nhub:\n")[2].partition("\n\n")[0]
    wanted = {option for action in hub.parser()._actions for option in action.option_strings} - {"-h", "--help"}
    assert {word for word in re.findall(r"--[a-z]+", recipe)} == wanted
    page = (ROOT / "instructor" / "hub.md").read_text(encoding="utf-8")
    assert all(f"`{word}=" in page for word in re.findall(r"\$\(if \$\(([A-Z]+)\)", recipe))


def test_the_costs_on_the_page_are_those_that_were_measured():
    import hub as benchmark  # that of benchmarks/

    found = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    page = benchmark.PAGE.read_text(encoding="utf-8")
    assert page == benchmark.with_costs(page, found)
    assert found["participants"] == 30
    assert all(came.startswith("refused") for came in found["one against another"].values())
    assert f"try {len(found['one against another'])} ways" in page


# --- more than one machine ---


def test_the_values_for_kubernetes_say_what_has_to_be_said():
    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    assert values["proxy"]["https"]["enabled"]
    assert values["hub"]["config"]["JupyterHub"]["admin_access"] is False
    assert values["hub"]["config"]["FirstUseAuthenticator"]["create_users"] is False
    assert set(values["hub"]["config"]["Authenticator"]["admin_users"]) <= set(
        values["hub"]["config"]["Authenticator"]["allowed_users"]
    )
    assert "coursepkg start" in values["singleuser"]["cmd"][2]
    assert values["cull"]["enabled"]
    assert "CHANGE" in VALUES.read_text(encoding="utf-8")


def test_the_values_fit_the_charts_schema():
    chart = os.environ.get("COURSEPKG_CHART")
    if not chart:
        pytest.skip("COURSEPKG_CHART does not name the folder `jupyterhub` of the chart zero-to-jupyterhub-k8s")
    import jsonschema

    schema, given = (yaml.safe_load((Path(chart) / name).read_text()) for name in ("values.schema.yaml", "values.yaml"))
    check = jsonschema.validators.validator_for(schema)(schema)

    def merged(above, below):
        both = {key: merged(above[key], below[key]) for key in below if isinstance(above.get(key), dict) and below[key]}
        return {**above, **below, **both} if isinstance(below, dict) else below

    values = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    assert [error.message for error in check.iter_errors(merged(given, values))] == []
    values["singleuser"]["memroy"] = {}
    assert [error.message for error in check.iter_errors(merged(given, values))] != []


# --- a room of two ---


@needs_hub
def test_a_name_has_one_number_for_ever_and_a_folder_of_somebody_else_is_refused(tmp_path):
    code = """
import os, sys
from pathlib import Path
from tools.hub import FIRST
from tools.hub_spawner import end_all_of, number_of, own_folder
folder = Path(sys.argv[1])
assert [number_of(folder / "n.json", name) for name in ("ada", "bo", "ada")] == [FIRST, FIRST + 1, FIRST]
own_folder(folder / "mine", os.getuid())
assert (folder / "mine").stat().st_mode & 0o777 == 0o700
(folder / "link").symlink_to(folder / "mine")
for place, number in (("link", os.getuid()), ("mine", os.getuid() + 1)):
    try:
        own_folder(folder / place, number)
    except PermissionError:
        continue
    raise AssertionError(place)
try:
    end_all_of(0)
except ValueError:
    print("well")
"""
    done = subprocess.run([PYTHON, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "well\n", done.stderr


SIGNING_IN = r"""
import asyncio, dbm, sys
from types import SimpleNamespace as Thing
import bcrypt
from tools import hub, hub_signin
path, salt = sys.argv[1] + "/passwords", bcrypt.gensalt
bcrypt.gensalt = lambda: salt(4)  # the quickest
def room(**words):
    made = hub_signin.RoomAuthenticator(
        dbm_path=path, admin_users={"ada"}, username_pattern=f"^{hub.NAME.pattern}$",
        check_passwords_on_startup=False, **words)
    made.allowed_users = {"ada", "bo"}
    return made
def come(name, password, address="10.0.0.1", of=None):
    handler = Thing(request=Thing(remote_ip=address), custom_login_error="")
    return asyncio.run(of.authenticate(handler, {"username": name, "password": password})) or handler.custom_login_error
def kept():
    with dbm.open(path, "c") as file:
        return {key.decode() for key in file.keys()}
listed = room(allow_all=False)
for name in ("cleo", "../x", "x" * 5000, "\u0430da", "\u0130nes", "", "ada lovelace"):
    words = come(name, "long enough", of=listed)
    assert "list of names" in words or "small letters" in words, name
assert kept() == set()  # else somebody has the name of cleo before she is on the list, or the file grows without end
assert "at least 7" in come("bo", "short", of=listed)
assert "at most 72" in come("bo", "e" * 73, of=listed)
assert "at most 72" in come("bo", "\u00e9" * 40, of=listed)
assert come(" Bo".strip(), "e" * 72, of=listed) == "bo"
assert kept() == {"bo"}
assert "at most 72" in listed.reset_password("bo", "e" * 73)
for _ in range(hub_signin.WRONG):
    assert come("bo", "another one", of=listed) == ""
assert "Too many" in come("bo", "e" * 72, of=listed)
assert come("bo", "e" * 72, "10.0.0.2", of=listed) == "bo"  # who guesses keeps nobody else out
assert come("ada", "long enough", of=listed) == "ada"
def race():
    handlers = [Thing(request=Thing(remote_ip="10.0.0.3"), custom_login_error="") for _ in "ab"]
    async def both():
        tried = zip(handlers, ("first comes", "second comes"))
        return await asyncio.gather(*(everybody.authenticate(h, {"username": "new", "password": p}) for h, p in tried))
    return asyncio.run(both())
everybody = room(allow_all=True)
assert sorted(race(), key=str) == [None, "new"]  # one of two who take a name at once has it
print("well")
"""


@needs_hub
def test_who_is_not_let_in_leaves_no_password_and_guessing_is_slow(tmp_path):
    done = subprocess.run(
        [PYTHON, "-c", SIGNING_IN, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "well\n", done.stderr


SPEAKING = r"""
import os, socket, sys
from pathlib import Path
from tools.hub_spawner import last_words, listening_at, speak_into
folder, me, out = Path(sys.argv[1]), os.getuid(), os.dup(1)
(folder / "secret").write_text("secret")
def said(path):
    child = os.fork()
    if child == 0:
        speak_into(path)
        os.write(1, b"\x1b]0;title\x07one\ntwo\xff")
        os._exit(0 if os.read(0, 1) == b"" else 1)
    assert os.waitpid(child, 0)[1] == 0
    return last_words(path, me)
assert said(folder / "log") == "]0;titleone\ntwo\ufffd"
assert (folder / "log").stat().st_mode & 0o777 == 0o600
(folder / "link").symlink_to(folder / "secret")
os.mkfifo(folder / "pipe")
(folder / "folder").mkdir()
assert [said(folder / name) for name in ("link", "pipe", "folder", "no/where")] == [""] * 4
assert (folder / "secret").read_text() == "secret"
assert last_words(folder / "log", me + 1) == ""  # a hard link to a file of somebody else
with socket.socket() as door:
    door.bind(("127.0.0.1", 0))
    port = door.getsockname()[1]
    assert listening_at(port) == set()
    door.listen()
    assert listening_at(port) == {me}
print("well")
"""


@needs_hub
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists who listens")
def test_a_server_speaks_into_its_own_file_and_whoever_listens_at_its_port_is_known(tmp_path):
    words = [PYTHON, "-c", SPEAKING, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "well\n", done.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory, worker_id):
    """What `benchmarks/hub.py` finds with two participants; found once, however many processes run tests."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("participants are kept apart only by a hub that root starts")
    from fcntl import LOCK_EX, flock

    shared = tmp_path_factory.getbasetemp()
    shared = shared if worker_id == "master" else shared.parent
    found, log = shared / "hub.json", shared / "hub.log"
    with (shared / "hub.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not found.is_file():
            words = [PYTHON, ROOT / "benchmarks/hub.py", "--participants", "2", "--log", log]
            done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=shared)
            if "both rooms would hand out the same user numbers" in done.stderr:
                pytest.skip("a room runs on this machine already")
            assert done.stdout, done.stderr + (log.read_text()[-4000:] if log.is_file() else "")
            found.write_text(done.stdout, encoding="utf-8")
    return json.loads(found.read_text(encoding="utf-8"))


@needs_hub
def test_two_sign_in_run_and_check_and_the_board_knows(two):
    assert two["failures"] == []
    assert (two["records with a pass"], two["records that name the idea"]) == (1, 1)
    assert (two["board"]["a participant"], two["board"]["the instructor"]) == (403, 200)
    assert two["board"]["first line"].startswith("1 of 2: The gradient of b holds only")
    assert not two["board"]["holds code of an answer"]


@needs_hub
def test_a_hub_that_is_killed_comes_back_and_nothing_is_lost(two):
    assert two["hub killed"]["answered while the hub was dead"] == "2 of 2"
    assert two["hub killed"]["not back within two minutes"] == 0
    assert two["hub killed"]["kernels that lost something"] == []
    assert two["hub killed"]["the board, again"] == 200  # a service of the dead hub would hold its port


@needs_hub
def test_one_participant_reads_stops_and_becomes_nobody_else(two):
    assert len(two["one against another"]) >= 25
    assert {what: came for what, came in two["one against another"].items() if not came.startswith("refused")} == {}


@needs_hub
def test_one_participant_cannot_take_all_memory_or_all_processes(two):
    found = two["limits, with 768 MiB each"]
    assert found["2 GiB in one program"] == "refused: MemoryError"
    assert found["a thousand threads"] == "refused: RuntimeError"
    assert "1,000 MiB in two programs" in found  # refused where the machine lets us make control groups


# --- the configuration, and what runs beside the hub ---

CONFIGURED = """
import json, os, runpy, sys
from pathlib import Path
from traitlets.config import Config
from tools import hub
folder, names = Path(sys.argv[1]), json.loads(sys.argv[2])
hub.give_password = lambda path, name: None
words = ["--folder", str(folder), "--memory", "768M", "--idle", "7"]
settings = hub.settings_of(hub.parser().parse_args(words), root=True) | {"separate": False, "names": names}
os.environ[hub.MARK] = str(hub.prepare(folder, settings))
c, read = Config(), []
given = {"get_config": lambda: c, "load_subconfig": read.append}
(folder / "hub/extra.py").write_text("")
runpy.run_path(str(hub.CONFIGURATION), init_globals=given)
services = {service["name"]: service for service in c.JupyterHub.services}
print(json.dumps({
    "everybody": c.Authenticator.allow_all, "allowed": sorted(c.Authenticator.allowed_users),
    "admins": sorted(c.Authenticator.admin_users), "admin_access": c.JupyterHub.admin_access,
    "signs in": [c.JupyterHub.authenticator_class.__name__, c.RoomAuthenticator.former],
    "memory": c.RoomSpawner.mem_limit, "arguments": c.RoomSpawner.args, "kept": c.RoomSpawner.env_keep,
    "limit": c.JupyterHub.concurrent_spawn_limit, "services": {n: s["command"][-3:] for n, s in services.items()},
    "roles": [role["services"] for role in c.JupyterHub.load_roles], "extra": [Path(p).name for p in read],
    "inner": [c.JupyterHub.hub_bind_url, c.ConfigurableHTTPProxy.api_url, services["board"]["url"]],
}))
"""


@needs_hub
@pytest.mark.parametrize("names", [None, ["ada", "bo"]])
def test_the_configuration_says_what_the_page_promises(names):
    with tempfile.TemporaryDirectory() as folder:
        words = [PYTHON, "-c", CONFIGURED, f"{folder}/r", json.dumps(names)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["everybody"], found["allowed"]) == (names is None, sorted([*(names or []), "instructor"]))
    assert (found["admins"], found["admin_access"]) == (["instructor"], False)
    assert found["signs in"] == ["RoomAuthenticator", []]
    assert found["memory"] == 768 * 1024**2
    assert "--KernelManager.transport=ipc" in found["arguments"]
    assert "--MappingKernelManager.cull_idle_timeout=420" in found["arguments"]
    assert "--timeout=420" in found["services"]["idle"]
    assert found["limit"] == 0  # no limit: a class comes at once
    assert "PYTHONPATH" not in found["kept"]
    assert found["roles"] == [["idle"]]  # no role gives anybody the board
    assert all(address.startswith("http://127.0.0.1:") for address in found["inner"])
    assert found["extra"] == ["extra.py"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stops a program when its parent is gone")
def test_a_service_ends_with_a_hub_that_is_killed():
    service = [
        sys.executable,
        "-m",
        "tools.hub_beside",
        sys.executable,
        "-c",
        "import time; print('up', flush=True); time.sleep(600)",
    ]
    code = f"""
import os, signal, subprocess
service = subprocess.Popen({service!r}, stdout=subprocess.PIPE, start_new_session=True)
service.stdout.readline()
print(service.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    state = Path(f"/proc/{int(done.stdout)}/stat")
    for _ in range(200):
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the service outlives its hub")
