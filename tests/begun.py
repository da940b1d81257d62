"""A render that has begun, for tests that look into its job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app_core.job import Job
    from app_core.request import RenderRequest
    from app_core.services.lipsync_service import LipsyncService


def begun(service: LipsyncService, request: RenderRequest, **more: Any) -> Job:
    return service.jobs.get(service.submit(request, **more))
