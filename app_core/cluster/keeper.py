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
import select
import sys

import ray
from ray import serve

from app_core.cluster.deployment import NAME, NAMESPACE, application
from app_core.cluster.ray_places import secret_of
from app_core.config import ROOT, Config
from app_core.log import setup_logging

logger = logging.getLogger("soyle")

LOCAL = "127.0.0.1"
OWN = ("RAY_ADDRESS", "CLUSTER_SECRET")
"""Settings that replicas need not know. LISTEN tells them whether anybody else can ask."""
LOOK_S = 2.0


def main(arguments: list[str]) -> int:
    """``deploy`` brings up replicas with the settings of now, in place of those that run, and ends;
    ``web`` waits for replicas that others bring up."""
    config = Config.from_env()
    setup_logging(config.log_level, config.log_format)
    ray.init(
        address=config.ray_address or None,
        namespace=NAMESPACE,
        include_dashboard=False if not config.ray_address else None,
        logging_level="warning",
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    try:
        secret = secret_of()
        if arguments == ["web"]:
            while not secret:
                ended, _, _ = select.select([sys.stdin], [], [], LOOK_S)
                if ended:
                    return 0
                secret = secret_of()
        elif not secret or arguments:
            secret = secret or config.cluster_secret or secrets.token_urlsafe(32)
            _deploy(config, secret)
        if arguments != ["deploy"]:
            address = ray.get_runtime_context().gcs_address
            sys.stdout.write(json.dumps({"address": address, "secret": secret}) + "\n")
            sys.stdout.flush()
            sys.stdin.read()
    finally:
        if not config.ray_address:
            serve.shutdown()
        ray.shutdown()
    return 0


def _deploy(config: Config, secret: str) -> None:
    known = [name.upper() for name in Config.setting_names()]
    settings = {n: os.environ[n] for n in known if n in os.environ and n not in OWN}
    host = config.cluster_host or ("" if config.ray_address else LOCAL)
    serve.start(proxy_location="Disabled")
    serve.run(application(settings, secret, host), name=NAME, route_prefix=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
