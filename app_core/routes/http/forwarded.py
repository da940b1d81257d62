"""What named proxies say of the client, its address of us and the path we stand below.

``Forwarded`` (RFC 7239) and ``X-Forwarded-Port`` are not read: a port is part of the host.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from app_core.config.access_settings import Network

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""Some proxies name a WebSocket's own."""
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+", re.ASCII)


class Forwarded:
    """A WSGI application behind proxies of ``networks``: from any other peer the headers do not
    count. Of a header with several values the last one does, which the nearest proxy added.

    ``own`` are the first parts of the application's paths. A proxy may take the prefix off the path
    or leave it there; one that begins as a path of ours does has to take it off.
    """

    def __init__(
        self, app: WSGIApplication, networks: Collection[Network], own: Collection[str]
    ) -> None:
        self._app, self._networks, self._own = app, networks, own

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            self._believe(environ)
        return self._app(environ, start)

    def _trusts(self, address: str) -> bool:
        found = peer_address(address)
        return found is not None and any(found in network for network in self._networks)

    def _believe(self, environ: WSGIEnvironment) -> None:
        environ["REMOTE_ADDR"] = self._client(
            environ["REMOTE_ADDR"], environ.get("HTTP_X_FORWARDED_FOR", "")
        )
        if scheme := SCHEMES.get(_last(environ, "HTTP_X_FORWARDED_PROTO").lower()):
            environ["wsgi.url_scheme"] = scheme
        if host := _last(environ, "HTTP_X_FORWARDED_HOST"):
            environ["HTTP_HOST"] = host
        prefix = _last(environ, "HTTP_X_FORWARDED_PREFIX").rstrip("/")
        if _PREFIX.fullmatch(prefix) and not {".", ".."} & set(prefix.split("/")):
            self._stand_below(prefix, environ)

    def _client(self, peer: str, hops: str) -> str:
        """The last hop that is no named proxy; what is no address ends the search."""
        found = peer
        for hop in reversed(hops.split(",")):
            address = peer_address(_without_port(hop.strip()))
            if address is None:
                break
            found = str(address)
            if not self._trusts(found):
                break
        return found

    def _stand_below(self, prefix: str, environ: WSGIEnvironment) -> None:
        environ["SCRIPT_NAME"] = prefix
        path = environ.get("PATH_INFO", "")
        left_there = path == prefix or path.startswith(f"{prefix}/")
        if left_there and prefix.split("/")[1] not in self._own:
            environ["PATH_INFO"] = path.removeprefix(prefix) or "/"


def _last(environ: WSGIEnvironment, name: str) -> str:
    value: str = environ.get(name, "")
    return value.rpartition(",")[2].strip()


def peer_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IPv4 address in the form of an IPv6 one is itself; None of what is no address."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _without_port(hop: str) -> str:
    """``address:port`` and ``[address]:port`` as some proxies write them."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
