"""The web tier of a cluster: the pages, the documents and the front door of any server of ours, and
a relay in place of a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

from app_core.cluster.relay import Relay
from app_core.config import ROOT
from app_core.config.tokens import Tokens
from app_core.metrics import Metrics
from app_core.routes import register
from app_core.routes.http.session_tokens import may_open_session
from app_core.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.cluster.places import Places
    from app_core.cluster.start import Cluster
    from app_core.config import Config


@dataclass(frozen=True, slots=True)
class WebTier:
    """What views of pages need of a service."""

    tokens: Tokens
    metrics: Metrics


def create_web_app(config: Config, places: Places, secret: str) -> Flask:
    """``secret``: what the replicas know a web tier by."""
    app = Flask(
        "soyle", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    tier = WebTier(Tokens(config.api_token, config.api_token_file), Metrics())
    app.extensions["lipsync"] = tier
    app.extensions["shares"] = Shares()
    app.extensions["opens_session"] = may_open_session
    app.config["SOYLE"] = config
    relay = Relay(places, secret, config.send_timeout_s)
    register(app, inside=relay.register)
    app.extensions["relay"] = relay
    return app


def joined(config: Config, cluster: Cluster) -> tuple[Flask, Callable[[], None]]:
    """In a process that is to be connected to Ray. The application, and what ends its streams and
    its looks at the cluster."""
    from app_core.cluster.ray_places import RayPlaces, connect

    connect(cluster.address)
    places = RayPlaces(cluster.secret, config.replicas[0])
    app = create_web_app(config, places, cluster.secret)

    def close() -> None:
        app.extensions["relay"].close()
        places.close()

    return app, close
