"""The settings of memory and storage: what may be kept, where, and how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field


class StorageSettings(BaseModel):
    picture_cache_mb: Annotated[int, Field(ge=0)] = Field(
        400, description="Decoded pictures and faces kept in memory and shared by all jobs, MiB"
    )
    cache_mb: Annotated[int, Field(ge=1)] = Field(
        1024, description="Sounds and results of finished jobs, MiB; oldest go first"
    )
    job_life_s: Annotated[int, Field(ge=1)] = Field(
        3600, description="How long a finished job can be asked about, seconds"
    )
    avatars_mb: Annotated[int, Field(ge=0)] = Field(
        8192, description="All faces in AVATAR_DIR beyond which none is added, MiB; 0: no bound"
    )
    disk_reserve_mb: Annotated[int, Field(ge=0)] = Field(
        256, description="Room on each disk that is never filled, MiB"
    )
    child_memory_mb: Annotated[int, Field(ge=0)] = Field(
        4096,
        description="Memory that each ffmpeg may take, MiB, 2048 at most while it reads an upload;"
        " 0: no other bound",
    )
