"""A page that is served to this machine alone, with a key in its address, and no account.

Whatever a web page elsewhere in the browser tries is refused: the name of the host is checked, so no other name can be
made to mean this machine, and each request carries the key. Requests are not logged, because they carry it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS = 30  # for a request that does not come to its end


class Refused(Exception):
    """A request that is not served: its status, and words about why."""

    def __init__(self, status: int, words: str):
        super().__init__(words)
        self.status = status


class OwnMachineServer(ThreadingHTTPServer):
    """Listens on this machine alone.

    Parameters
    ----------
    handler : type of OwnMachineHandler
        What answers a request.
    port : int
        0 for any that is free.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, handler: type[OwnMachineHandler], port: int = 0):
        super().__init__(("127.0.0.1", port), handler)
        self.key = secrets.token_urlsafe(24)

    @property
    def hosts(self) -> tuple[str, str]:
        """Names under which a browser on this machine may ask."""
        return f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def address(self) -> str:
        """The address of the page, with its key."""
        return f"http://{self.hosts[0]}/{self.key}/"


class OwnMachineHandler(BaseHTTPRequestHandler):
    """Checks who asks, and sends answers with headers that forbid a page whatever it does not need."""

    server: Any
    server_version, sys_version = "grade", ""
    timeout = SECONDS

    def checked_path(self) -> str:
        """What is asked for, behind the key; raises Refused."""
        if self.headers.get("Host") not in self.server.hosts or len(self.headers.get_all("Host", [])) != 1:
            raise Refused(403, "this page is served to this machine alone; use the address that was printed")
        _, _, rest = self.path.partition("/")
        key, _, name = rest.partition("/")
        if not hmac.compare_digest(key.encode("utf-8", "replace"), self.server.key.encode()):
            raise Refused(403, "the key in the address is missing or old; use the address that was printed")
        return name

    def send(
        self,
        status: int,
        kind: str,
        text: str,
        policy: str = "default-src 'none'",
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with a text of a kind, such as text/html, under a content security policy, with more headers."""
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests carry the key."""
