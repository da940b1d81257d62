"""The process of ``app.py cluster`` that is connected to Ray: it starts a cluster on this machine
or joins one, and brings the replicas up.

A process that Ray runs in cannot fork the workers of a web tier, so it is a child. It says on its
output where the cluster is, and ends, with what it has started, when its input does.

python -m app_core.cluster.keeper [deploy | web]
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time

import ray
from ray import serve

from app_core.cluster.deployment import NAME, NAMESPACE, LedgerBook, application
from app_core.cluster.ray_places import secret_of
from app_core.config import ROOT, Config
from app_core.log import setup_logging

logger = logging.getLogger("soyle")

LOCAL = "127.0.0.1"
NICENESS = "RAY_worker_niceness"
"""Ray's setting of how much its workers give way to others, 15 where nothing is said. Replicas are
what these machines are for."""
OWN = ("RAY_ADDRESS", "CLUSTER_SECRET")
"""Settings that replicas need not know. LISTEN tells them whether anybody else can ask."""
LOOK_S = 2.0
ANSWERS_S = 5.0
"""For somebody to be at RAY_ADDRESS: Ray itself would try for minutes."""


def main(arguments: list[str]) -> int:
    """``deploy`` brings up replicas with the settings of now, in place of those that run, and ends;
    ``web`` waits for replicas that others bring up."""
    config = Config.from_env()
    setup_logging(config.log_level, config.log_format)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    try:
        if arguments != ["deploy"]:  # it may interrupt before it is said to have started
            threading.Thread(target=_watch_input, name="input", daemon=True).start()
        return _keep(config, arguments)
    except KeyboardInterrupt:
        return 0
    finally:
        if not config.ray_address and ray.is_initialized():
            _hurry()
            serve.shutdown()
        ray.shutdown()


def _keep(config: Config, arguments: list[str]) -> int:
    """Raises KeyboardInterrupt as soon as nobody wants the cluster any more."""
    try:
        _connect(config, told=not arguments)
    except OSError as error:
        logger.error("no Ray to join at RAY_ADDRESS=%s: %s", config.ray_address, error)
        return 1
    secret = secret_of()
    if arguments == ["web"]:
        while not secret:
            time.sleep(LOOK_S)
            secret = secret_of()
    elif not secret or arguments:
        secret = secret or config.cluster_secret or secrets.token_urlsafe(32)
        _deploy(config, secret)
    if arguments != ["deploy"]:
        address = ray.get_runtime_context().gcs_address
        sys.stdout.write(json.dumps({"address": address, "secret": secret}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()
    return 0


def _hurry() -> None:
    """Nobody can reach what runs any more, so replicas need not drain."""
    try:
        LedgerBook("").end()
    except Exception as error:
        logger.warning("the ledger does not listen: %s", type(error).__name__)


def _watch_input() -> None:
    """Its end may come before the cluster is up."""
    sys.stdin.read()
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


def _connect(config: Config, *, told: bool) -> None:
    """``told``: the replicas' log is shown. Raises OSError."""
    host, _, port = config.ray_address.rpartition(":")
    if host and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), ANSWERS_S).close()
    os.environ.setdefault(NICENESS, "0")  # of a Ray that is started here
    ray.init(
        address=config.ray_address or None,
        namespace=NAMESPACE,
        include_dashboard=False if not config.ray_address else None,
        logging_level="warning",
        log_to_driver=told,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )


def _deploy(config: Config, secret: str) -> None:
    known = [name.upper() for name in Config.setting_names()]
    settings = {n: os.environ[n] for n in known if n in os.environ and n not in OWN}
    host = config.cluster_host or ("" if config.ray_address else LOCAL)
    serve.start(proxy_location="Disabled")
    serve.run(application(settings, secret, host), name=NAME, route_prefix=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
