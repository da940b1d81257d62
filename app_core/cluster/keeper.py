"""The process that starts a cluster on this machine, or joins one, and brings the replicas up.

It is a child of ``app.py cluster``: a process that Ray runs in cannot fork the workers of a web
tier. It says on its output where the cluster is, and ends, with what it has started, when its input
does.

python -m app_core.cluster.keeper
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys

import ray
from ray import serve

from app_core.cluster.deployment import NAME, NAMESPACE, LedgerBook, application
from app_core.cluster.ray_places import secret_of
from app_core.config import ROOT, Config
from app_core.log import setup_logging

logger = logging.getLogger("soyle")

LOCAL = "127.0.0.1"
OWN = ("LISTEN", "RAY_ADDRESS", "PLACE")
"""Settings of the web tier alone."""


def main() -> int:
    config = Config.from_env()
    setup_logging(config.log_level, config.log_format)
    joins = bool(config.ray_address)
    environment = {"PYTHONPATH": str(ROOT)}
    ray.init(
        address=config.ray_address or None,
        namespace=NAMESPACE,
        include_dashboard=False if not joins else None,
        log_to_driver=True,
        logging_level="warning",
        runtime_env={"env_vars": environment},
    )
    try:
        secret = secret_of(NAME) or secrets.token_urlsafe(32)
        LedgerBook(secret)
        settings = {
            name: os.environ[name]
            for name in map(str.upper, Config.model_fields)
            if name in os.environ and name not in OWN
        }
        host = config.cluster_host or ("" if joins else LOCAL)
        serve.start(proxy_location="Disabled")
        serve.run(application(settings, secret, host), name=NAME, route_prefix=None)
        address = ray.get_runtime_context().gcs_address
        sys.stdout.write(json.dumps({"address": address, "secret": secret}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        if not joins:
            serve.shutdown()
        ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
