"""JupyterHub's configuration for a room, from the settings that ``tools/hub.py`` wrote. Not to be run by itself.

What `make hub` has no word for can be written into ``hub/extra.py`` of the room's folder: it is read last.
"""

import json
import os
import sys
from pathlib import Path

from tools import hub, hub_signin, hub_spawner

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - JupyterHub puts it here
room = json.loads(Path(os.environ[hub.MARK]).read_text(encoding="utf-8"))
own = Path(room["folder"]) / "hub"

# --- the hub and its proxy
c.Application.log_level = "WARN"  # else the instructor's password is gone from the terminal within seconds
c.JupyterHub.bind_url = f"{'https' if room['certificate'] else 'http'}://{room['address']}:{room['port']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{room['port'] + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{room['port'] + 2}"
c.ConfigurableHTTPProxy.command = hub.proxy_command()
c.ConfigurableHTTPProxy.log_level = "error"
c.ConfigurableHTTPProxy.auth_token = (own / "proxy_token").read_text()
c.ConfigurableHTTPProxy.pid_file = str(own / "proxy.pid")
if room["certificate"]:
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = room["certificate"], room["key"]
c.JupyterHub.cookie_secret_file = str(own / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{own / 'jupyterhub.sqlite'}"
c.JupyterHub.concurrent_spawn_limit = 0  # a whole class opens its course in the same minute
c.JupyterHub.active_server_limit = 0
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}  # show the page that waits at once
c.JupyterHub.init_spawners_timeout = 2  # seconds, in which servers that went on without the hub are found again
c.JupyterHub.redirect_to_server = True

# --- who may come in
c.JupyterHub.template_vars = {
    "announcement_login": "For the first time here? Choose a name and a password of at least 7 characters. "
    "The password with which a name first signs in is its password from then on."
}
c.JupyterHub.authenticator_class = hub_signin.RoomAuthenticator
c.RoomAuthenticator.dbm_path = str(own / "passwords.dbm")
c.RoomAuthenticator.check_passwords_on_startup = False  # it mends files of old versions, and trips over long names
c.RoomAuthenticator.former = room["former"]
c.Authenticator.admin_users = {room["admin"]}
c.Authenticator.username_pattern = f"^{hub.NAME.pattern}$"
c.Authenticator.allow_all = room["names"] is None
c.Authenticator.allowed_users = {*(room["names"] or ()), room["admin"]}
c.JupyterHub.admin_access = False  # who runs the room opens nobody's notebook without being asked

# --- a participant's server
c.JupyterHub.spawner_class = hub_spawner.RoomSpawner
c.RoomSpawner.room, c.RoomSpawner.separate = room["folder"], room["separate"]
c.RoomSpawner.cmd = [sys.executable, "-P", str(hub.ROOT / "tools" / "hub_server.py")]
c.RoomSpawner.args = [
    "--KernelManager.transport=ipc",  # sockets in a folder of their own; ports would run out, and be open to all
    f"--MappingKernelManager.cull_idle_timeout={60 * room['idle']}",
    "--MappingKernelManager.cull_interval=120",
    "--ServerApp.websocket_ping_interval=20000",
]
c.RoomSpawner.notebook_dir = f"{room['folder']}/people/{{username}}/{hub_spawner.COURSE}"
c.RoomSpawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.RoomSpawner.env_keep = ["LANG", "LC_ALL", "TZ", "COURSEPKG_DATA"]
c.RoomSpawner.environment = {
    "PATH": f"{hub.ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",  # thirty kernels share these cores
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
}
c.RoomSpawner.mem_limit = room["memory"]
c.RoomSpawner.start_timeout = c.RoomSpawner.http_timeout = 300  # thirty at once on two cores take their time

# --- what runs beside it
c.JupyterHub.load_roles = [
    {
        "name": "stops-idle-servers",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle"],
    }
]
idle = [f"--timeout={60 * room['idle']}", f"--cull-every={min(300, 30 * room['idle'])}"]
beside = [sys.executable, "-m", "tools.hub_beside", sys.executable, "-m"]
c.JupyterHub.services = [
    {"name": "idle", "command": [*beside, "jupyterhub_idle_culler", *idle], "cwd": str(hub.ROOT)},
    {
        "name": "board",  # no participant has the right to it: only admins have rights to services that no role names
        "url": f"http://127.0.0.1:{room['port'] + 3}",
        "command": [*beside, "tools.hub_board"],
        "cwd": str(hub.ROOT),
        "environment": {hub.MARK: os.environ[hub.MARK]},
        "oauth_no_confirm": True,
        "timeout": 300,  # the hub ends if this does not come up, and a busy machine takes its time
    },
]

if (own / "extra.py").is_file():
    load_subconfig(str(own / "extra.py"))  # type: ignore[name-defined]  # noqa: F821
