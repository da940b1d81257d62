"""The settings of a cluster: how many replicas, and how they find each other."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

_REPLICAS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


class ClusterSettings(BaseModel):
    cluster_replicas: str = Field(
        "2",
        description="Replicas of `app.py cluster`: a count, or least-most, between which it follows"
        " the load",
    )
    cluster_cores: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Cores that a machine must have free for each replica, count"
    )
    cluster_gpus: Annotated[float, Field(ge=0)] = Field(
        0.0, description="GPUs of each replica, count"
    )
    cluster_host: str = Field(
        "",
        description="Address that replicas listen on for the web tier; empty: this machine alone"
        " when the cluster is only here, else each machine's own",
    )
    cluster_drain_s: Annotated[float, Field(ge=0)] = Field(
        600.0,
        description="A replica that is to go takes nothing new and ends what it does for this long"
        " at most, seconds",
    )
    ray_address: str = Field(
        "", description="Ray cluster to join, host:port or auto; empty: one is started here"
    )
    cluster_secret: str = Field(
        "",
        repr=False,
        description="What replicas know a web tier by, the same for all of a cluster; empty: it is"
        " made where the cluster is",
    )

    @field_validator("cluster_replicas")
    @classmethod
    def _count_or_range(cls, value: str) -> str:
        found = _REPLICAS.fullmatch(value.strip())
        least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= least <= most:
            raise ValueError("must be a count from 1 on, or least-most")
        return value.strip()

    @property
    def replicas(self) -> tuple[int, int]:
        """The least and the most."""
        least, _, most = self.cluster_replicas.partition("-")
        return int(least), int(most or least)
