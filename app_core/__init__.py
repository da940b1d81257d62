"""The application factory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService


def create_app(config: Config | None = None, service: LipsyncService | None = None) -> Flask:
    """Config, then service, then routes. A service that is given is already started."""
    from flask import Flask

    from app_core.config import ROOT, Config
    from app_core.routes import register
    from app_core.services.lipsync_service import LipsyncService

    config = config or (service.config if service else Config.from_env())
    if service is None:
        service = LipsyncService(config)
        service.start()
    app = Flask(
        "soyle", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    app.extensions["lipsync"] = service
    app.extensions["scratch"] = service.scratch
    app.extensions["shares"] = service.shares
    app.config["SOYLE"] = config
    register(app)
    return app
