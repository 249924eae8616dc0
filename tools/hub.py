"""Start a JupyterHub for a room of learners: `make hub`, or `python tools/hub.py --help`.

With nothing but Python's own library this file makes an environment of its own, `.venv-hub`, from the hashed lock. It
brings the proxy from npm by the hashes of `instructor/hub/package-lock.json`, and starts itself there again. Then it
keeps the hub running: a hub that dies is started again, and the servers of participants go on in the meantime.

Started as root, every participant gets a user number of their own, and the system keeps them apart. Started as
anybody else, all of them are that one user, who can read and stop everything. That is for trusted rooms, and has to be
asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import hashlib
import ipaddress
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-hub"
LOCK = ROOT / "requirements-hub.lock"
PROXY = ROOT / "instructor" / "hub"  # package.json and package-lock.json
CONFIGURATION = ROOT / "tools" / "hub_config.py"
MARK = "COURSEPKG_HUB_SETTINGS"  # the variable that names the file of settings
NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")  # of a participant; it becomes a folder and part of an address
FIRST, LAST = 60706, 61183  # user numbers that no distribution hands out: systemd's list of them calls these unused
LONGEST_FOLDER = 40  # characters; a socket's path has at most 107, and kernels lie below the room's folder
SLOW_TO_LOAD = "rfc3987-syntax"
STARTS, IN = 5, 60.0  # a hub that dies more often in so many seconds is not started again
BEFORE_OTHERS = -5  # niceness of hub and proxy: thirty people who compute must not keep them from answering
SUBFOLDERS = {"hub": 0o700, "people": 0o711, "run": 0o711}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what is asked for, make the environment, and keep a hub running until it is stopped."""
    options = parser().parse_args(arguments)
    try:
        settings = settings_of(options)
        if settings["certificate"]:
            settings["host"] = check_tls(Path(settings["certificate"]), Path(settings["key"]))
        check_readable(settings["separate"])
        if settings["separate"]:
            check_numbers()
    except ValueError as error:
        print(f"The hub was not started: {error}", file=sys.stderr)
        return 2
    enter_environment()
    lay_out_proxy()
    try:
        numbers = take_numbers(Path(settings["folder"])) if settings["separate"] else None
        check_ports(settings)
    except ValueError as error:
        print(f"The hub was not started: {error}", file=sys.stderr)
        return 2
    path = prepare(Path(settings["folder"]), settings)
    tell(settings)
    return keep_running(path, numbers)


def parser() -> argparse.ArgumentParser:
    """What can be asked for on the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--folder", type=Path, default=ROOT / "my-room", help="where all of the room's data lie")
    made.add_argument("--names", type=Path, help="a file of names, one a line: only these may sign in")
    made.add_argument("--admin", default="instructor", help="the name of who runs the room")
    made.add_argument("--address", default="127.0.0.1", help="the address to listen on (0.0.0.0: all of this machine)")
    made.add_argument("--port", type=int, default=8000)
    made.add_argument("--certificate", type=Path, help="TLS: the certificate's file")
    made.add_argument("--key", type=Path, help="TLS: the file of its key")
    made.add_argument(
        "--plain", action="store_true", help="serve a network without TLS: passwords can be read on the way"
    )
    made.add_argument("--memory", default="1G", help="memory for each participant, all their programs together")
    made.add_argument("--idle", type=int, default=60, help="minutes without work after which a server is stopped")
    made.add_argument("--trusted", action="store_true", help="not as root: participants are not kept apart")
    return made


# --- what is asked for ------------------------------------------------------------------------------------------------


def settings_of(options: argparse.Namespace, *, root: bool | None = None) -> dict[str, Any]:
    """What the hub's configuration needs to know, from the command line.

    Raises
    ------
    ValueError
        If it would start something unsafe that was not asked for, or cannot be done.
    """
    separate = (os.name == "posix" and os.geteuid() == 0) if root is None else root
    if not separate and not options.trusted:
        raise ValueError(
            "you are not root, so all participants would be the same user of this machine: each could read and stop "
            "everything of the others. For a room whose people trust each other, add TRUSTED=yes (`--trusted`). To "
            "keep them apart, start it as root"
        )
    if bool(options.certificate) != bool(options.key):
        raise ValueError("TLS needs both, a certificate and its key")
    if not _is_loopback(options.address) and not options.certificate and not options.plain:
        raise ValueError(
            f"{options.address} is reached from the network, and without TLS passwords can be read on the way. Give "
            "CERT=FILE and KEY=FILE, or PLAIN=yes (`--plain`) on a network of your own"
        )
    folder = options.folder.resolve()
    if len(str(folder)) > LONGEST_FOLDER:
        raise ValueError(
            f"the path {folder} is longer than {LONGEST_FOLDER} characters; sockets below it would not fit"
        )
    if not 0 < options.port < 65532:
        raise ValueError(f"a port is a number from 1 to 65531; {options.port} is none")
    if options.idle < 1:
        raise ValueError("a server needs at least a minute before it may count as idle")
    files = [path and str(path.resolve()) for path in (options.certificate, options.key)]
    return {
        "folder": str(folder),
        "separate": separate,
        "names": None if options.names is None else names_of(options.names),
        "admin": checked_name(options.admin),
        "address": options.address,
        "port": options.port,
        "certificate": files[0],
        "key": files[1],
        "memory": bytes_of(options.memory),
        "idle": options.idle,
    }


def checked_name(name: str) -> str:
    """A name as the hub knows it.

    Raises
    ------
    ValueError
        If it is not made of small letters, digits and dashes, or is too long.
    """
    tidy = name.strip().lower()
    if not NAME.fullmatch(tidy):
        raise ValueError(
            f"a name has 1 to 24 small letters, digits or dashes, the first a letter, as in ada-l; {name!r} has not"
        )
    return tidy


def names_of(path: Path) -> list[str]:
    """The names in a file, one a line; empty lines and what follows a # are left out.

    Raises
    ------
    ValueError
        If a name cannot be used, or there is none.
    """
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a list of names: {error}") from None
    names = sorted({checked_name(line) for line in lines if line})
    if not names:
        raise ValueError(f"{path} holds no names")
    return names


def bytes_of(words: str) -> int:
    """ "1G", "768M" in bytes; at least 256 MiB, which a server and one kernel need.

    Raises
    ------
    ValueError
        If it is no size, or too small.
    """
    found = re.fullmatch(r"(\d{1,6})([MG])", words.strip().upper())
    size = int(found[1]) * 1024 ** {"M": 2, "G": 3}[found[2]] if found else 0
    if size < 256 * 1024**2:
        raise ValueError(f"memory is given as in 768M or 1G, and is at least 256M; {words!r} is not")
    return size


def check_tls(certificate: Path, key: Path) -> str | None:
    """A certificate and its key must be what a browser takes, before anything starts.

    Parameters
    ----------
    certificate, key : Path
        PEM files.

    Returns
    -------
    str or None
        The first name that the certificate is for, if it says one.

    Raises
    ------
    ValueError
        If a file cannot be read, if the key is open to others, belongs to another certificate or is closed by a
        password, or if the certificate's days are over or have not begun.
    """
    for what, path in (("certificate", certificate), ("key", key)):
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
        except OSError as error:
            raise ValueError(f"the {what} {path} cannot be read: {error.strerror}") from None
    if os.name == "posix" and mode & stat.S_IROTH and closed_to_others(path.parent) is None:
        raise ValueError(f"the key {key} may be read by everybody on this machine: chmod 600 {key}")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked: list[int] = []
    try:
        server.load_cert_chain(certificate, key, password=lambda: asked.append(1) or "")
    except (ssl.SSLError, OSError, ValueError) as error:
        if asked:
            raise ValueError(
                f"the key {key} is closed by a password, which nobody can type when the hub starts the proxy. Write "
                f"one without: openssl pkey -in {key} -out open.pem, then chmod 600 open.pem"
            ) from None
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            raise ValueError(f"the key {key} is not the one of the certificate {certificate}") from None
        raise ValueError(
            f"{certificate} and {key} are no certificate and key in PEM form, whose first lines are "
            "'-----BEGIN CERTIFICATE-----' and '-----BEGIN PRIVATE KEY-----'"
        ) from None
    return _name_in(server, certificate)


def _name_in(server: ssl.SSLContext, certificate: Path) -> str | None:
    """The first name in a certificate, after a handshake in memory: so Python looks at its days and its names."""
    browser = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    browser.check_hostname = False  # any name will do
    browser.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # trust this certificate, whoever has signed it
    browser.load_verify_locations(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [browser.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                when = {9: "is not valid yet", 10: "has expired"}.get(error.verify_code)  # numbers of OpenSSL
                if when:
                    raise ValueError(f"the certificate {certificate} {when}; browsers would refuse it") from None
                return None
            except ssl.SSLError:
                return None
    names = (ends[0].getpeercert() or {}).get("subjectAltName", ())
    return next((str(name) for kind, name in names if kind == "DNS" and "*" not in str(name)), None)


def _is_loopback(address: str) -> bool:
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def check_readable(separate: bool) -> None:
    """The course must be readable for others when participants have numbers of their own."""
    if separate and (closed := closed_to_others(ROOT)):
        raise ValueError(
            f"participants could not read the course: {closed} is closed to others. Lay the repository where all may "
            "read it, for instance into /srv"
        )


def check_numbers() -> None:
    """Root must be able to hand out numbers: in some containers it is root of a few of them only.

    Raises
    ------
    ValueError
        If the system refuses.
    """
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(FIRST, FIRST, FIRST)
            os.setresuid(FIRST, FIRST, FIRST)
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise ValueError(
            f"you are root, but the system does not let you start programs as user {FIRST}, as in containers that have "
            "few user numbers. Start it on the machine itself, or in a container that has all of them"
        )


def check_ports(settings: dict[str, Any]) -> None:
    """The address must be one of this machine, and its four ports must be free: else somebody else answers there.

    Raises
    ------
    ValueError
        If one cannot be had. A proxy that outlived a hub of this room is no hindrance: the hub ends it.
    """
    first, own = settings["port"], _is_alive(Path(settings["folder"]) / "hub" / "proxy.pid")
    doors = [(settings["address"], first), *(("127.0.0.1", first + more) for more in (1, 2, 3))]
    for address, port in doors:
        if own and port in (first, first + 2):
            continue
        try:
            family, kind, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as door:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
                door.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                words = f"port {port} is in use by another program. PORT=8100 takes that one and the next three"
            else:
                words = f"it cannot listen at {address}, port {port}: {error.strerror}"
            raise ValueError(words) from None


def _is_alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def closed_to_others(path: Path) -> Path | None:
    """The folder on the way to a path, links followed, that other users may not pass; None if they may."""
    real = path.resolve()
    return next((folder for folder in (*reversed(real.parents), real) if not folder.stat().st_mode & 0o001), None)


# --- the environment --------------------------------------------------------------------------------------------------


def enter_environment() -> None:
    """Go on in `.venv-hub`, which is made if it is not there or if its recipe has changed."""
    python = ENVIRONMENT / "bin/python"
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), f"{ROOT} {SLOW_TO_LOAD}".encode()]
    recipe = hashlib.sha256(b"".join(parts)).hexdigest()
    made = ENVIRONMENT / "recipe"
    if not made.is_file() or made.read_text() != recipe:
        print("Building the environment of the hub in .venv-hub (a minute or two, only the first time) ...", flush=True)
        make_environment(python)
        made.write_text(recipe)
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        os.execv(python, [str(python), *sys.argv])


def interpreter() -> str:
    """A Python that participants can run, too: that of root may lie in a folder that is closed to them."""
    named = [os.environ["PYTHON"]] if os.environ.get("PYTHON") else []
    usual = [sys.executable, "python3", "python3.14", "python3.13", "python3.12", "python3.11", "/usr/bin/python3"]
    for name in [*named, *usual]:
        found = shutil.which(name)
        if found is None or (os.geteuid() == 0 and closed_to_others(Path(found))):
            continue
        new = subprocess.run([found, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
        if new.returncode == 0:
            return found
    sys.exit(
        "The hub needs a Python 3.11 or newer that all users of this machine may run; none was found.\n"
        "Install one from your system's packages, or name it: make hub PYTHON=/usr/bin/python3"
    )


def make_environment(python: Path) -> None:
    """Make `.venv-hub`, with bytecode: participants may not write it, and would compile each module at each start."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    base, uv = interpreter(), shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", base, str(ENVIRONMENT)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        remove = [uv, "pip", "uninstall", "--quiet", "--python", str(python)]
    else:
        subprocess.run([base, "-m", "venv", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        remove = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes"]
    subprocess.run([*install, "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    # jsonschema takes this if it is there, to check addresses in other alphabets; nothing here has such addresses, and
    # loading it builds a parser for a second and a half, in each participant's server.
    subprocess.run([*remove, SLOW_TO_LOAD], check=True)
    compiled = [str(ENVIRONMENT / "lib"), str(ROOT / "coursepkg")]
    compile_all = [str(python), "-m", "compileall", "-q", *compiled]
    subprocess.run(compile_all, check=False)  # some packages carry examples that are meant to be broken
    settings = ENVIRONMENT / "share/jupyter/lab/settings"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}  # as `make lab` has it
    (settings / "overrides.json").write_text(json.dumps({"@jupyterlab/apputils-extension:notification": quiet}))


def proxy_command() -> list[str]:
    """What starts the proxy."""
    return [str(ENVIRONMENT / "proxy/node_modules/.bin/configurable-http-proxy")]


def lay_out_proxy() -> None:
    """Bring configurable-http-proxy and what it needs from npm, by the hashes of the lock; nothing of it runs then."""
    target = ENVIRONMENT / "proxy"
    files = {name: (PROXY / name).read_bytes() for name in ("package.json", "package-lock.json")}
    laid = all((target / name).is_file() and (target / name).read_bytes() == content for name, content in files.items())
    if laid and Path(*proxy_command()).is_file():
        return
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        sys.exit("The hub's proxy needs Node.js 20 or newer, with npm. On Debian and Ubuntu: apt install nodejs npm")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name, content in files.items():
        (target / name).write_bytes(content)
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=target, check=False
    )
    if done.returncode or not Path(*proxy_command()).is_file():
        shutil.rmtree(target, ignore_errors=True)
        sys.exit("npm could not bring configurable-http-proxy; run `make hub` again where npm is reached")


# --- the room's folder ------------------------------------------------------------------------------------------------


def prepare(folder: Path, settings: dict[str, Any]) -> Path:
    """Make the room's folder, or go on with it; returns the file of settings, which only the hub may read."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # to pass through, not to list: participants do not see who else is there
    for name, mode in SUBFOLDERS.items():
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(mode)
    if settings["separate"] and (closed := closed_to_others(folder)):
        sys.exit(f"{folder} cannot be reached: {closed} is closed to others. Choose another: make hub ROOM=/srv/room")
    own = folder / "hub"
    for name in ("cookie_secret", "proxy_token"):  # kept, so that a new start knows everybody who is signed in
        if not (own / name).is_file():
            write_private(own / name, secrets.token_hex(32))
    settings = settings | {"former": former_admins(own / "settings.json", settings["admin"])}
    write_private(own / "settings.json", json.dumps(settings, indent=1))
    give_password(own / "passwords.dbm", settings["admin"])
    return own / "settings.json"


def take_numbers(folder: Path, kept: Path = Path("/var/lib/coursepkg-room")) -> IO[str]:
    """Take this machine's user numbers for one room, as long as the file that is returned is open.

    Two rooms hand out the same numbers, so two people would be one user. One room runs at a time, and the folder of the
    one that ran before is closed.

    Parameters
    ----------
    folder : Path
        The room's.
    kept : Path
        The file that names the room that has the numbers.

    Raises
    ------
    ValueError
        If another room runs on this machine.
    """
    from fcntl import LOCK_EX, LOCK_NB, flock

    kept.parent.mkdir(parents=True, exist_ok=True)
    file = os.fdopen(os.open(kept, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    last = file.read().strip()
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        file.close()
        raise ValueError(f"{last} runs on this machine, and both rooms would hand out the same user numbers") from None
    if last and Path(last) != folder and (Path(last) / "hub" / "numbers.json").is_file():
        Path(last).chmod(0o700)
    file.seek(0)
    file.truncate()
    file.write(f"{folder}\n")
    file.flush()
    return file


def former_admins(path: Path, admin: str) -> list[str]:
    """The names that have run this room and do not any more, from the settings of its latest start."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        return sorted({*before.get("former", []), before["admin"]} - {admin})
    except (FileNotFoundError, ValueError, KeyError):
        return []


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def give_password(path: Path, name: str) -> None:
    """Set the instructor's password before anybody can: with first-use passwords, who comes first has the name."""
    import dbm

    import bcrypt

    with dbm.open(str(path), "c", 0o600) as kept:
        if name.encode() in kept:
            return
        password = secrets.token_urlsafe(9)
        kept[name.encode()] = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
    print(f"You are {name}, and your password is {password} (shown this once; change it at /hub/auth/change-password).")


# --- running ----------------------------------------------------------------------------------------------------------


def address_of(settings: dict[str, Any]) -> str:
    """Where the room is, as a person on this machine would type it."""
    host = settings["address"] if settings["address"] not in ("0.0.0.0", "::") else "127.0.0.1"
    if host != settings["address"] and settings.get("host"):
        host = settings["host"]  # the name in the certificate is the one that browsers take
    return (
        f"{'https' if settings['certificate'] else 'http'}://{f'[{host}]' if ':' in host else host}:{settings['port']}"
    )


def tell(settings: dict[str, Any]) -> None:
    """Say what begins, and what it does not protect from."""
    address = address_of(settings)
    print(f"The room opens at {address}, the board at {address}/services/board/. Data lie in {settings['folder']}.")
    if not settings["separate"]:
        print("For trusted rooms only: all participants are one user here; each can read and stop what others have.")
    if settings["names"] is None:
        print("Whoever reaches this address may choose a name; NAMES=FILE lets in those of a list.")
    print("Ctrl-C ends it and stops all servers; files stay.", flush=True)


def hub_command() -> list[str]:
    """What starts the hub."""
    return [str(ENVIRONMENT / "bin/jupyterhub"), "-f", str(CONFIGURATION)]


def keep_running(settings: Path, numbers: IO[str] | None = None) -> int:
    """Run the hub, which holds the numbers of this machine; start it again when it dies, but not for ever."""
    held = [] if numbers is None else [numbers.fileno()]
    environment = os.environ | {MARK: str(settings), "PYTHONPATH": str(ROOT)}
    begun: list[float] = []
    while True:
        begun = [*(moment for moment in begun if time.monotonic() - moment < IN), time.monotonic()]
        # In a session of its own: Ctrl-C reaches this process alone, and the hub is asked once.
        hub = subprocess.Popen(
            hub_command(), env=environment, cwd=settings.parent, start_new_session=True, pass_fds=held
        )
        with contextlib.suppress(PermissionError):  # only root may; participants' programs are set back to 0
            os.setpriority(os.PRIO_PROCESS, hub.pid, BEFORE_OTHERS)
        (settings.parent / "hub.pid").write_text(str(hub.pid))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # the hub gets them, and ends in order
            signal.signal(number, lambda received, frame, hub=hub: hub.send_signal(signal.SIGTERM))  # type: ignore[misc]
        code = hub.wait()
        if code >= 0:
            return code
        if len(begun) >= STARTS:
            print(f"The hub died {STARTS} times within a minute; its last words are above.", file=sys.stderr)
            return 1
        print("The hub died and is started again; participants' servers go on.", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
