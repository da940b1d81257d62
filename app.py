"""The entry: settings, logs, then one worker of gunicorn's arbiter with many threads."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from dotenv import load_dotenv

from app_core.config import ROOT, Config, ConfigError
from app_core.config.notices import notices
from app_core.config.tokens import read_tokens
from app_core.log import setup_logging
from app_core.shares import requests_min
from app_core.speech.text.dictionary import read_dictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

logger = logging.getLogger("soyle")

FRONT_STUCK_S = 30
"""The loop of the front door says so often at least that it moves, or the worker is replaced."""
PRELOADED = (
    "app_core.routes",
    "app_core.services.lipsync_service",
    "app_core.lipsync.viseme.features",
    "app_core.speech.text.russian",
    "app_core.speech.text.kazakh",
)
MOST_COUNTED = 8
"""Replicas whose streams one web tier has threads for; beyond that there are more web tiers."""
PACE = 5
"""Times the requests of a client's share that it may go on to send: so fast it may use it up."""
COMMANDS: tuple[list[str], ...] = (
    [],
    ["cluster"],
    ["cluster", "deploy"],
    ["cluster", "web"],
    ["doctor"],
    ["health"],
)


class Served(NamedTuple):
    """What a worker answers with."""

    app: Flask
    condemned: Callable[[], str]
    """Why the process is to be replaced; empty: it is not."""
    close: Callable[[], object]


def alone(config: Config) -> Served:
    """A service in the worker itself."""
    from app_core import create_app

    app = create_app(config)
    service = app.extensions["lipsync"]
    service.backend.when_loaded(lambda: welcome(config.addresses))
    return Served(app, service.vigil.verdict, service.close)


def serve(
    config: Config, build: Callable[[Config], Served] = alone, needs: int | None = None
) -> int:
    """Runs until it is stopped, or the child ``needs`` ends. ``build`` is called in the worker.
    Returns the exit status."""
    from gunicorn.app.base import BaseApplication

    from app_core.server.addresses import listening
    from app_core.server.arbiter import Arbiter
    from app_core.server.limits import Limits, threads_for
    from app_core.server.worker import FrontWorker

    logger.info("starting")
    os.environ.pop("SCRIPT_NAME", None)  # gunicorn would take it off every path
    heard = listening(config)
    if heard is None:
        return 1
    config = heard
    front = Limits(
        threads_for(config),
        send_s=config.send_timeout_s,
        paced_rate=PACE * requests_min(config) / 60,
        unpaced=config.proxy_networks,
    )

    class Server(BaseApplication):  # type: ignore[misc]
        limits = front

        def load_config(self) -> None:
            settings: dict[str, Any] = {
                "bind": config.listen.split(","),
                "workers": 1,
                "worker_class": FrontWorker,
                "limit_request_line": 0,  # the worker has its own, larger than gunicorn's largest
                "graceful_timeout": 3,
                "control_socket_disable": True,
                "timeout": FRONT_STUCK_S,
                "when_ready": lambda _: import_all(),
                "on_exit": lambda _: sweep(config),
                # TRUSTED_PROXIES says whose headers count: gunicorn would believe this machine.
                "forwarded_allow_ips": "",
                "secure_scheme_headers": {},
                "forwarder_headers": "",
                "loglevel": "warning",
                "proc_name": "soyle",
            }
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            """In the worker, after the fork: threads do not survive one."""
            from app_core.heap import bound_arenas
            from app_core.threads import switch_often

            bound_arenas()
            switch_often()
            served = build(config)
            self.count = served.app.extensions["lipsync"].metrics.request
            self.condemned = served.condemned
            close_on_stop(served.close)
            return served.app

        def run(self) -> None:
            Arbiter(self, needs).run()

    Server().run()
    return 0


def sweep(config: Config) -> None:
    """What a worker has left that had to be killed, as it did not stop in time."""
    from app_core.avatars.importing.avatar_folder import discard_leftovers
    from app_core.storage.scratch import Scratch, with_work_dir

    Scratch(with_work_dir(config).work_dir).sweep()
    discard_leftovers(config.avatar_dir)


def import_all() -> None:
    """Before the first fork: workers begin with what is imported here, and share its memory.

    Modules alone, which start no thread and open nothing: neither would survive a fork.
    """
    from app_core import kernels

    if not kernels.compiled():
        logger.info("compiling code for this processor, once: this takes a minute or two")
    for name in PRELOADED:
        importlib.import_module(name)
    from numba.core.registry import cpu_target

    cpu_target.typing_context.refresh()  # what else the first kernel of a process imports
    cpu_target.target_context.refresh()
    gc.collect()
    gc.freeze()


def close_on_stop(close: Callable[[], object]) -> None:
    """Running streams end as soon as the worker is asked to stop, so it need not wait for them."""

    def after(old: Any) -> Callable[[int, Any], None]:
        def handle(number: int, stack: Any) -> None:
            try:
                threading.Thread(target=close, name="closing").start()
            except RuntimeError:  # no thread is left; the server must stop all the same
                logger.warning("the running renders are cut")
            old(number, stack)

        return handle

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        old = signal.getsignal(number)
        if callable(old):
            signal.signal(number, after(old))


def welcome(addresses: list[tuple[str, int]]) -> None:
    """Everything is loaded: what is here stays, so the collector need not walk it again.

    A full collection over numba's and Flask's objects stops every stream for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    for host, port in addresses:
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::1", "::") else host
        logger.info("open http://%s:%d/ or http://%s:%d/mjpeg_test", shown, port, shown, port)


def doctor(config: Config) -> int:
    """Writes what is here and what is missing. 1 when something that is needed is missing."""
    from app_core.cli.doctor import examine

    missing = 0
    for finding in examine(config):
        missing += not finding.good
        well = "note   " if finding.note else "ok     "
        sys.stdout.write(f"{well if finding.good else 'MISSING'} {finding.sentence}\n")
    return 1 if missing else 0


def models(config: Config, arguments: list[str]) -> int:
    from app_core.cli.models import command

    return command(arguments, config.models_dir)


def health(config: Config) -> int:
    from app_core.cli.health import command

    return command(config)


def text(config: Config, arguments: list[str]) -> int:
    from app_core.cli.text import command

    return command(arguments, config)


def cluster(config: Config, arguments: list[str]) -> int:
    """Replicas behind this web tier. Returns the exit status."""
    from app_core.cluster.start import NoCluster, deploy, guard, kept
    from app_core.cluster.web_tier import joined
    from app_core.server.addresses import listening

    if importlib.util.find_spec("ray") is None:
        logger.error("a cluster needs ray, which `make cluster` installs")
        return 1
    heard = config if arguments == ["deploy"] else listening(config)
    if heard is None:  # told before a cluster is brought up for nothing
        return 1
    guard(config)
    import_all()  # which compiles, once for all replicas
    if arguments == ["deploy"]:
        return deploy()
    try:
        with kept(heard, *arguments) as found:
            logger.info("the cluster's Ray is at RAY_ADDRESS=%s", found.address)

            def build(config: Config) -> Served:
                app, close = joined(config, found)
                welcome(config.addresses)
                return Served(app, str, close)

            most = min(heard.replicas[1], MOST_COUNTED) * heard.max_jobs
            return serve(
                heard.model_copy(update={"max_jobs": min(most, 1024)}), build, found.keeper
            )
    except NoCluster as error:
        logger.error("%s", error)
        return 1


def main(arguments: list[str]) -> int:
    """``app.py`` serves; ``cluster`` serves by several replicas; ``doctor`` looks at the machine;
    ``health`` asks a server that runs; ``models`` brings networks; ``text`` shows how a text is
    read."""
    if arguments not in COMMANDS and arguments[:1] not in (["models"], ["text"]):
        sys.stderr.write(
            "usage: python app.py [cluster [deploy | web] | doctor | health | models list"
            " | models pull NAME ... | text TEXT | ...]\n"
        )
        return 2
    load_dotenv(ROOT / ".env")
    try:
        config = Config.from_env()
        if arguments == ["health"]:
            return health(config)
        read_dictionary(config.dictionary)  # a fault in it is told before a worker starts
        if config.api_token_file is not None and arguments != ["doctor"]:
            read_tokens(config.api_token_file)
    except ConfigError as error:
        setup_logging()
        logger.error("%s", error)
        return 2
    setup_logging(config.log_level, config.log_format)
    if arguments[:1] == ["models"]:
        return models(config, arguments[1:])
    if arguments[:1] == ["text"]:
        return text(config, arguments[1:])
    if arguments == ["doctor"]:
        return doctor(config)
    for sentence in notices(config, ROOT / ".env"):
        logger.warning("%s", sentence)
    return cluster(config, arguments[1:]) if arguments else serve(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
