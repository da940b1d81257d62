"""The cluster as Ray Serve runs it: replicas that it starts, watches, drains and counts by what
they have to do, and the ledger beside them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import ray
from ray import serve
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy, RequestRouterConfig
from ray.serve.schema import LoggingConfig

from app_core.cluster.ledger import TEND_S, ClusterView, Ledger, ReplicaReport
from app_core.cluster.places import place_of
from app_core.config import Config
from app_core.cores import niceness
from app_core.log import setup_logging

if TYPE_CHECKING:
    from ray.serve import Application

    from app_core.cluster.film import Film
    from app_core.cluster.places import Door

logger = logging.getLogger("soyle")

NAME, NAMESPACE, LEDGER = "soyle", "soyle", "ledger"
ASKED_S = 2.0
"""For an answer of the ledger."""
HEALTH_S, HEALTH_TIMEOUT_S, STATS_S = 2.0, 10.0, 0.5
MOST_REQUESTS = 10_000
"""Choices at once: the replica itself says when it is full."""
LOAD = 0.75
"""Of what a replica may take, so much should be used."""
UP_S, DOWN_S = 5.0, 120.0
"""Load that stays so long changes the count of replicas."""


class LedgerActor:
    def __init__(self, secret: str) -> None:
        self._ledger = Ledger(secret)
        threading.Thread(target=self._tend, name="tend", daemon=True).start()

    def _tend(self) -> None:
        while True:
            time.sleep(TEND_S)
            self._ledger.tend()

    def report(self, report: ReplicaReport, secret: str) -> tuple[str, ...]:
        self._ledger.secret = secret  # it may outlive replicas that had another
        return self._ledger.report(report)

    def begun(self, job_id: str, film: Film, place: str) -> None:
        self._ledger.begun(job_id, film, place)

    def left(self, place: str) -> None:
        self._ledger.left(place)

    def view(self) -> ClusterView:
        return self._ledger.view()

    def end(self) -> None:
        self._ledger.end()


class LedgerBook:
    """The ledger, from any process of the cluster; it is made where there is none."""

    def __init__(self, secret: str) -> None:
        options = {"name": LEDGER, "namespace": NAMESPACE, "get_if_exists": True}
        options |= {"lifetime": "detached", "max_restarts": -1, "num_cpus": 0}
        options |= {"max_concurrency": 16}
        self._secret = secret
        self._actor = ray.remote(LedgerActor).options(**options).remote(secret)

    def report(self, report: ReplicaReport) -> tuple[str, ...]:
        told = self._actor.report.remote(report, self._secret)
        found: tuple[str, ...] = ray.get(told, timeout=ASKED_S)
        return found

    def begun(self, job_id: str, film: Film, place: str) -> None:
        ray.get(self._actor.begun.remote(job_id, film, place), timeout=ASKED_S)

    def left(self, place: str) -> None:
        ray.get(self._actor.left.remote(place), timeout=ASKED_S)

    def view(self) -> ClusterView:
        found: ClusterView = ray.get(self._actor.view.remote(), timeout=ASKED_S)
        return found

    def end(self) -> None:
        ray.get(self._actor.end.remote(), timeout=ASKED_S)


class ServedReplica:
    """What Ray Serve calls."""

    def __init__(self, settings: dict[str, str], secret: str, host: str) -> None:
        from app_core.cluster.replica import Replica

        place = place_of(serve.get_replica_context().replica_id.unique_id)
        config = Config.from_env(settings).model_copy(update={"place": place})
        setup_logging(config.log_level, config.log_format)
        if niceness() > 0:
            logger.warning(
                "this replica gives way to all other programs (niceness %d): start Ray with"
                " RAY_worker_niceness=0",
                niceness(),
            )
        self._drain_s, self._secret = config.cluster_drain_s, secret
        address = host or ray.util.get_node_ip_address()
        self._replica = Replica(config, address, secret, LedgerBook(secret))

    async def choose(self, avoid: tuple[str, ...] = ()) -> tuple[str, Door]:
        """Who the router has chosen."""
        return self._replica.place, self._replica.door

    async def secret(self) -> str:
        """For a web tier that joins: whoever is connected to Ray may run anything here anyway."""
        return self._secret

    def check_health(self) -> None:
        self._replica.check()

    def record_routing_stats(self) -> dict[str, Any]:
        return {"slack": self._replica.slack}

    def record_autoscaling_stats(self) -> dict[str, float]:
        return {"load": self._replica.load}

    async def __del__(self) -> None:
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._replica.drain(self._drain_s)
        self._replica.close()


def wanted_replicas(context: Any) -> tuple[int, dict[str, Any]]:
    """A policy of Ray Serve's autoscaler: as many as bring the mean load to LOAD."""
    loads = (context.aggregated_metrics or {}).get("load", {})
    total = sum(float(load) for load in loads.values())
    wanted = -(-total // LOAD) if loads else context.current_num_replicas
    least, most = context.capacity_adjusted_min_replicas, context.capacity_adjusted_max_replicas
    return int(min(max(wanted, least), most)), {}


def application(settings: dict[str, str], secret: str, host: str) -> Application:
    """``settings``: those of the replicas, by the names of the environment. ``host``: where they
    listen; empty: the address of their machine."""
    config = Config.from_env(settings)
    least, most = config.replicas
    counted: dict[str, Any] = {"num_replicas": least}
    if most > least:
        counted = {
            "autoscaling_config": AutoscalingConfig(
                min_replicas=least,
                max_replicas=most,
                upscale_delay_s=UP_S,
                downscale_delay_s=DOWN_S,
                policy=AutoscalingPolicy(policy_function=wanted_replicas),
            )
        }
    router = RequestRouterConfig(
        request_router_class="app_core.cluster.router.SlackRouter",
        request_routing_stats_period_s=STATS_S,
    )
    deployment = serve.deployment(
        name="replica",
        ray_actor_options={"num_cpus": config.cluster_cores, "num_gpus": config.cluster_gpus},
        max_ongoing_requests=MOST_REQUESTS,
        health_check_period_s=HEALTH_S,
        health_check_timeout_s=HEALTH_TIMEOUT_S,
        graceful_shutdown_timeout_s=config.cluster_drain_s + 30.0,
        request_router_config=router,
        logging_config=LoggingConfig(enable_access_log=False),
        **counted,
    )(ServedReplica)
    return deployment.bind(settings, secret, host)
