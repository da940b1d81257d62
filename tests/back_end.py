"""The application of a service on fakes: itself, or, with BACK_END=cluster, a web tier before a
replica that has it. What a client sees must be the same."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask.testing import FlaskClient

from app_core import create_app
from app_core.cluster.ledger import Ledger
from app_core.cluster.places import Door, none_there
from app_core.cluster.replica import Replica
from app_core.cluster.web_tier import create_web_app
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

CLUSTER = os.environ.get("BACK_END") == "cluster"
SECRET, PLACE = "of this test run", "0a1b2c3d"
_BEHIND = "behind"
_OPEN: list[Replica] = []
_ANSWERS: set[_Answer] = set()


class LocalPlaces:
    """Those of a ledger in this process."""

    def __init__(self, ledger: Ledger, least: int = 1) -> None:
        self.ledger, self.least = ledger, least
        self.missed: set[str] = set()

    def doors(self) -> Mapping[str, Door]:
        reports = self.ledger.view().reports
        return {r.place: r.door for r in reports if r.place not in self.missed}

    def draining(self) -> set[str]:
        return {report.place for report in self.ledger.view().reports if report.draining}

    def choose(self, avoid: Collection[str] = ()) -> str:
        takers = [r for r in self.ledger.view().reports if r.takes and r.place in self.doors()]
        left = [r for r in takers if r.place not in avoid]
        if not left:
            raise none_there()
        return max(left, key=lambda r: r.slack).place

    def being_moved(self, job_id: str) -> bool:
        return job_id in self.ledger.view().moving

    def expects(self, place: str) -> bool:
        return any(report.place == place for report in self.ledger.view().reports)

    def miss(self, place: str) -> None:
        self.missed.add(place)


def placed(config: Config) -> Config:
    """For a service of this test run."""
    return config.model_copy(update={"place": PLACE}) if CLUSTER else config


def replica(service: LipsyncService, ledger: Ledger) -> Replica:
    """At a door of this machine; ``close`` it."""
    made = Replica(service.config, "127.0.0.1", SECRET, ledger, service)
    _OPEN.append(made)
    made.tell()
    return made


class _Answer:
    """A body that the test may leave where it is: only a server would close it."""

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body
        _ANSWERS.add(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        _ANSWERS.discard(self)
        getattr(self._body, "close", lambda: None)()


class _Kept:
    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = self._app(environ, start)
        return body if "werkzeug.socket" in environ else _Answer(body)


def application(service: LipsyncService) -> Flask:
    if not CLUSTER:
        app = create_app(service=service)
        app.extensions[_BEHIND] = app
        return app
    ledger = Ledger(SECRET)
    door: Any = replica(service, ledger)._server
    app = create_web_app(service.config, LocalPlaces(ledger), SECRET)
    app.extensions[_BEHIND] = door._application._app
    app.wsgi_app = _Kept(app.wsgi_app)  # type: ignore[assignment,method-assign]
    return app


def app_of(client: FlaskClient) -> Flask:
    """The application whose views answer what is asked of the API."""
    found: Flask = client.application.extensions[_BEHIND]
    return found


def service_of(client: FlaskClient) -> LipsyncService:
    found: LipsyncService = app_of(client).extensions["lipsync"]
    return found


def close_doors() -> None:
    while _ANSWERS:
        _ANSWERS.pop().close()
    while _OPEN:
        _OPEN.pop().close()
