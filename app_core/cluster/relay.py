"""What a web tier does with a request of the API: it passes it on to the replica that has what it
names or, when it names nothing yet, to the one with most slack. A full one's refusal is the
client's only when all have refused.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import h11
from flask import Flask, Response, request

from app_core.cluster import ticket
from app_core.cluster.all_of_them import merged
from app_core.cluster.behind import KNOWN
from app_core.cluster.broken_off import ended_clearly
from app_core.cluster.exchange import Exchange
from app_core.cluster.places import ReplicaLost, lost, none_there, settled
from app_core.cluster.tunnel import Tunnel
from app_core.cluster.upstream import Unreached, Upstream, is_upgrade, passed_on
from app_core.cluster.wanted import Kind, Wanted, chosen_id, wanted
from app_core.errors import BadInput, Busy, Conflict
from app_core.ids import place_in
from app_core.routes.http.body import Body
from app_core.routes.http.context import client_socket, small_body
from app_core.routes.http.failure import payload
from app_core.routes.http.web_socket import SocketEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from wsgiref.types import WSGIEnvironment

    from app_core.cluster.all_of_them import Answer
    from app_core.cluster.places import Places

FULL, ELSEWHERE = 503, 421
MOVED_S, LOOK_S = 8.0, 0.25
"""For a film to be begun elsewhere, before its client is told to come again; between two looks."""
SMALL = 64 << 10
"""Bytes of an answer that is taken whole; every refusal is one, which is kept while others are
asked."""
REMEMBERED = 10_000
"""Jobs whose clients chose their ids."""
_UPLOAD = "multipart/form-data"
_PIECE = 1 << 16


class Relay:
    """``secret``: what replicas know a web tier by. Thread-safe."""

    def __init__(self, places: Places, secret: str, silence_s: float) -> None:
        """``silence_s``: a client that takes nothing for so long is gone."""
        self._places, self._secret, self._silence_s = places, secret, silence_s
        self._turns = count()
        self._chosen: OrderedDict[str, str] = OrderedDict()
        """Places of jobs whose ids do not tell."""

    def register(self, app: Flask) -> None:
        """Before everything that looks at a request: replicas do that."""
        app.before_request(self.answer)

    def answer(self) -> Response | None:
        """None for what the web tier answers itself. Raises Busy, ReplicaLost, Conflict,
        TooLarge, ClientGone."""
        want = wanted(request.method, request.path)
        if want.kind is Kind.HERE:
            return None
        body = None if request.mimetype == _UPLOAD else small_body()
        want = wanted(request.method, request.path, body)
        if want.kind is Kind.ALL:
            ask = partial(self._fetch, dict(request.environ), path=want.name)
            return merged(want.name, self._places.doors(), ask, self._places.least)
        if want.kind is Kind.NAMED:
            return self._named(want, body)
        if want.kind is Kind.FIXED:
            doors = self._places.doors()
            if not doors:
                raise none_there()
            return self._pass(settled(want.name, doors), body)
        if want.kind is Kind.ANY:
            return self._anywhere(body, self._any)
        self._check_chosen(chosen_id(request.args.get("job_id"), body))
        return self._anywhere(body, self._places.choose)

    def _named(self, want: Wanted, body: bytes | None) -> Response:
        place = want.place
        if place not in self._places.doors():
            place = self._find(want.name)
        return self._pass(place, body) if place else self._anywhere(body, self._any)  # says 404

    def _find(self, name: str) -> str:
        """Whose a job is whose id does not tell; empty: nobody's. Raises ReplicaLost for one that
        is still on its way from a replica that is lost."""
        until_s = time.monotonic() + MOVED_S
        while True:
            doors = self._places.doors()
            if self._chosen.get(name) in doors:
                return self._chosen[name]
            for place in doors:
                with_it = self._fetch(request.environ, place, f"{KNOWN}{name}")
                if with_it is not None and with_it[0] == 204:
                    self._note(name, place)
                    return place
            if not self._places.being_moved(name):
                return ""
            if time.monotonic() > until_s:
                raise lost()
            time.sleep(LOOK_S)

    def _note(self, job_id: str, place: str) -> None:
        self._chosen[job_id] = place
        while len(self._chosen) > REMEMBERED:
            self._chosen.popitem(last=False)

    def _check_chosen(self, job_id: str) -> None:
        """Raises Conflict: each replica knows its own jobs alone."""
        if job_id and len(self._places.doors()) > 1 and self._find(job_id):
            raise Conflict("This job_id is taken", field="job_id")

    def _any(self, avoid: Collection[str]) -> str:
        """What every replica can say is asked of one after the other. Raises Busy."""
        left = [place for place in self._places.doors() if place not in avoid]
        if not left:
            raise none_there()
        return left[next(self._turns) % len(left)]

    def _anywhere(self, body: bytes | None, choose: Callable[[set[str]], str]) -> Response:
        """As ``choose`` wishes; on, as long as what was refused or lost can be sent again."""
        tried: set[str] = set()
        refused: Response | None = None
        while True:
            try:
                place = choose(tried)
            except Busy:
                if refused is not None:
                    return refused
                raise
            tried.add(place)
            try:
                response = self._pass(place, body)
            except Unreached:
                continue
            except ReplicaLost:
                if body is None or is_upgrade(request.environ):
                    raise
                continue
            if response.status_code != FULL or body is None:
                return response
            refused = response

    def _pass(self, place: str, body: bytes | None) -> Response:
        """Raises Unreached, ReplicaLost or ClientGone."""
        door = self._places.doors().get(place)
        if door is None:
            raise lost()
        live = request.path == "/api/stream_mjpeg"
        try:
            upstream = Upstream(door, live=live)
        except Unreached:
            self._places.miss(place)
            raise
        exchange = Exchange(upstream, client_socket(), self._silence_s)
        try:
            size = request.content_length if body is None else len(body)
            upstream.begin(request.environ, self._secret, size)
            for piece in [body] if body else self._pieces(upstream) if body is None else ():
                upstream.send(piece)
            upstream.sent()
            head = exchange.head()
            if isinstance(head, h11.InformationalResponse):
                return self._tunnelled(exchange, head)
            elsewhere = dict(head.headers).get(ticket.ELSEWHERE.lower().encode(), b"").decode()
            if head.status_code == ELSEWHERE and elsewhere and elsewhere != place:
                exchange.close()
                return self._pass(elsewhere, body)
            return self._answered(exchange, head, place, live=live)
        except BaseException:
            exchange.close()
            raise

    def _pieces(self, upstream: Upstream) -> Iterator[bytes]:
        """Of an upload, until it is whole or the replica has answered."""
        source = request.environ["wsgi.input"]
        try:
            while not upstream.answered() and (piece := source.read(_PIECE)):
                yield piece
        except (TimeoutError, ConnectionError):
            raise BadInput("The upload stopped, or is too slow") from None

    def _answered(
        self, exchange: Exchange, head: h11.Response, place: str, *, live: bool
    ) -> Response:
        headers = passed_on(head.headers)
        named = {name.lower(): value for name, value in headers}
        job_id = named.get("x-job-id", "")
        if job_id and place_in(job_id) != place:
            self._note(job_id, place)
        size = named.get("content-length", "")
        none = request.method == "HEAD" or head.status_code in (204, 304)
        if none or (size.isdigit() and int(size) <= SMALL):
            return Response(b"".join(exchange.pieces()), head.status_code, headers)
        kind = named.get("content-type", "")
        pieces = ended_clearly(kind, exchange.pieces(live=live))
        body = Body(pieces, exchange.close, job_id, live=live)
        return Response(body, head.status_code, headers)

    def _tunnelled(self, exchange: Exchange, head: h11.InformationalResponse) -> Response:
        client = client_socket()
        assert client is not None
        try:
            lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"]
            lines += ["Connection: Upgrade", *map(": ".join, passed_on(head.headers)), "", ""]
            last = {"type": "error"} | payload(lost())
            tunnel = Tunnel(client, exchange.upstream.sock, self._silence_s, last)
            tunnel.run("\r\n".join(lines).encode("latin-1"), exchange.upstream.beyond())
        finally:
            exchange.close()
        return SocketEnded()

    def _fetch(self, environ: WSGIEnvironment, place: str, path: str) -> Answer | None:
        """What the replica says there to the client of ``environ``; None when it is lost."""
        door = self._places.doors().get(place)
        if door is None:
            return None
        environ = environ | {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        environ.pop("HTTP_UPGRADE", None)
        try:
            upstream = Upstream(door)
        except Unreached:
            self._places.miss(place)
            return None
        exchange = Exchange(upstream, None, self._silence_s)
        try:
            upstream.begin(environ, self._secret, 0)
            upstream.sent()
            head = exchange.head()
            return head.status_code, passed_on(head.headers), b"".join(exchange.pieces())
        except ReplicaLost:
            return None
        finally:
            exchange.close()
