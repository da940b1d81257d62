"""What a web tier does with a request of the API: it passes it on to the replica that has what it
names or, when it names nothing yet, to the one with most slack. A full one's refusal is the
client's only when all have refused.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import h11
from flask import Flask, Response, g, request
from prometheus_client import generate_latest

from app_core.cluster import ticket
from app_core.cluster.all_of_them import merged
from app_core.cluster.behind import KNOWN
from app_core.cluster.broken_off import ended_clearly
from app_core.cluster.exchange import Exchange
from app_core.cluster.places import ReplicaLost, lost, none_there, settled
from app_core.cluster.request_body import RequestBody
from app_core.cluster.tunnel import Tunnel
from app_core.cluster.upstream import Unreached, Upstream, is_upgrade, passed_on
from app_core.cluster.wanted import Destination, Wanted, chosen_id, wanted
from app_core.errors import BadInput, Busy, Cancelled, Conflict
from app_core.ids import place_in
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.context import client_socket, service
from app_core.routes.http.failure import payload
from app_core.routes.http.web_socket import SocketEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
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
ASKED_S = 10.0
"""For an answer about a replica itself, or about what is there."""


class Relay:
    """``secret``: what replicas know a web tier by. Thread-safe."""

    def __init__(self, places: Places, secret: str, silence_s: float) -> None:
        """``silence_s``: a client that takes nothing for so long is gone."""
        self._places, self._secret, self._silence_s = places, secret, silence_s
        self._turns = count()
        self._chosen: OrderedDict[str, str] = OrderedDict()
        """Places of jobs whose ids do not tell."""
        self._open: WeakSet[Upstream] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def register(self, app: Flask) -> None:
        """For requests that have been let in; whose a job or a session is, its replica knows."""
        app.before_request(self.answer)

    def close(self) -> None:
        """Running streams end as if their replicas were lost: with a last part that says so."""
        with self._lock:
            self._closed = True
            left = list(self._open)
        for upstream in left:
            upstream.cut()

    def answer(self) -> Response | None:
        """None for what the web tier answers itself. Raises Busy, ReplicaLost, Conflict, BadInput,
        or Cancelled when nobody is there to be answered."""
        want = wanted(request.method, request.path)
        if want.where is Destination.HERE or request.routing_exception is not None:
            return None
        body = RequestBody.here()
        try:
            return self._relayed(wanted(request.method, request.path, body.whole), body)
        except Unreached as error:
            raise lost() from error
        except ClientGone as error:
            raise Cancelled("The client left") from error

    def _relayed(self, want: Wanted, body: RequestBody) -> Response:
        if want.where is Destination.ALL:
            ask = partial(self._fetch, dict(request.environ), path=want.name)
            own = generate_latest(service().metrics.registry).decode()
            there, least = self._places.doors(), self._places.least
            response = merged(want.name, there, ask, least, own, self._places.draining())
            g.counted = True
            return response
        if want.where is Destination.NAMED:
            return self._named(want, body)
        if want.where is Destination.FIXED:
            return self._settled(want.name, body)
        if want.where is Destination.ANY:
            return self._anywhere(body, self._any)
        self._check_chosen(chosen_id(request.args.get("job_id"), body.whole))
        return self._anywhere(body, self._places.choose)

    def _named(self, want: Wanted, body: RequestBody) -> Response:
        place = want.place
        if place not in self._places.doors():
            place = self._find(want.name)
        return self._pass(place, body) if place else self._anywhere(body, self._any)  # says 404

    def _settled(self, key: str, body: RequestBody) -> Response:
        tried: set[str] = set()
        while left := self._places.doors().keys() - tried:
            place = settled(key, left)
            tried.add(place)
            with contextlib.suppress(Unreached):
                return self._pass(place, body)
        raise none_there()

    def _find(self, name: str) -> str:
        """Whose a job is whose id does not tell; empty: nobody's. Raises ReplicaLost for one that
        is still on its way from a replica that is lost, or whose replica may be."""
        until_s = time.monotonic() + MOVED_S
        while True:
            doors = self._places.doors()
            chosen = self._chosen.get(name, "")
            if chosen in doors:
                return chosen
            for place in doors:
                with_it = self._fetch(request.environ, place, f"{KNOWN}{name}")
                if with_it is not None and with_it[0] == 204:
                    self._note(name, place)
                    return place
            if not self._places.being_moved(name):
                place = chosen or place_in(name)
                if place not in doors and self._places.expects(place):
                    raise lost()
                return ""
            if time.monotonic() > until_s:
                raise lost()
            time.sleep(LOOK_S)

    def _note(self, job_id: str, place: str) -> None:
        self._chosen[job_id] = place
        while len(self._chosen) > REMEMBERED:
            self._chosen.popitem(last=False)

    def _check_chosen(self, job_id: str) -> None:
        """Raises Conflict: each replica knows its own jobs alone, and forgets them in time."""
        if not job_id or len(self._places.doors()) < 2:
            return
        self._chosen.pop(job_id, None)
        if self._find(job_id):
            raise Conflict("This job_id is taken", field="job_id")

    def _any(self, avoid: Collection[str]) -> str:
        """What every replica can say is asked of one after the other. Raises Busy."""
        left = [place for place in self._places.doors() if place not in avoid]
        if not left:
            raise none_there()
        return left[next(self._turns) % len(left)]

    def _anywhere(self, body: RequestBody, choose: Callable[[set[str]], str]) -> Response:
        """As ``choose`` wishes; on, as long as what was refused or lost can be sent again."""
        tried: set[str] = set()
        refused: Response | None = None
        while True:
            try:
                place = choose(tried)
            except Busy:
                if refused is not None:
                    return refused
                place = self._any(tried)  # it says why
            tried.add(place)
            try:
                response = self._pass(place, body)
            except Unreached:
                continue
            except ReplicaLost:
                if self._closed or body.spent or is_upgrade(request.environ):
                    raise
                continue
            if response.status_code != FULL or body.spent:
                return response
            refused = response

    def _pass(self, place: str, body: RequestBody, *, moved: bool = False) -> Response:
        """``moved``: the place is another's word. Raises Unreached, ReplicaLost or ClientGone."""
        door = self._places.doors().get(place)
        if door is None:
            raise lost()
        live = request.path == "/api/stream_mjpeg"
        try:
            upstream = Upstream(door, live=live or is_upgrade(request.environ))
        except Unreached:
            self._places.miss(place)
            raise
        exchange = Exchange(upstream, client_socket(), self._silence_s)
        try:
            self._note_open(upstream)
            upstream.begin(request.environ, self._secret, body.size, waits=body.whole is None)
            body.send(exchange)
            head = exchange.head()
            if isinstance(head, h11.InformationalResponse):
                return self._tunnelled(exchange, head)
            g.counted = True
            if head.status_code == ELSEWHERE:
                exchange.close()
                if moved:
                    raise lost()
                elsewhere = dict(head.headers)[ticket.ELSEWHERE.lower().encode()].decode()
                return self._pass(elsewhere, body, moved=True)
            return self._answered(exchange, head, place, live=live)
        except BaseException:
            exchange.close()
            raise

    def _note_open(self, upstream: Upstream) -> None:
        """Raises ReplicaLost when this web tier is stopping."""
        with self._lock:
            if self._closed:
                raise lost()
            self._open.add(upstream)

    def _answered(
        self, exchange: Exchange, head: h11.Response, place: str, *, live: bool
    ) -> Response:
        headers = passed_on(head)
        named = {name.lower(): value for name, value in headers}
        job_id = named.get("x-job-id", "")
        if job_id and place_in(job_id) != place:
            self._note(job_id, place)
        size = named.get("content-length", "")
        none = request.method == "HEAD" or head.status_code in (204, 304)
        if none or (size.isdigit() and int(size) <= SMALL):
            content: Any = [b"".join(exchange.pieces())]
        else:
            pieces = ended_clearly(named.get("content-type", ""), exchange.pieces(live=live))
            content = Body(pieces, exchange.close, job_id, live=live)
        response = Response(content, head.status_code, headers)
        if "content-type" not in named:  # or it would be Flask's own
            del response.headers["Content-Type"]
        return response

    def _tunnelled(self, exchange: Exchange, head: h11.InformationalResponse) -> Response:
        client = client_socket()
        if client is None:
            raise BadInput("This connection cannot become a WebSocket")
        try:
            lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"]
            lines += ["Connection: Upgrade", *map(": ".join, passed_on(head)), "", ""]
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
        exchange = Exchange(upstream, None, self._silence_s, ASKED_S)
        try:
            upstream.begin(environ, self._secret, 0)
            head = exchange.head()
            return head.status_code, passed_on(head), b"".join(exchange.pieces())
        except ReplicaLost:
            return None
        finally:
            exchange.close()
