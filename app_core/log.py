"""One configurer of logs. Each record carries the job it belongs to; never the user's text."""

from __future__ import annotations

import logging
import logging.config
from contextvars import ContextVar

job_id: ContextVar[str] = ContextVar("job_id", default="-")


class JobFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.job = job_id.get()[:8]
        return True


def setup_logging(level: str = "info") -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"job": {"()": JobFilter}},
            "formatters": {
                "line": {"format": "%(asctime)s %(levelname)s %(name)s [%(job)s] %(message)s"}
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "filters": ["job"],
                    "formatter": "line",
                }
            },
            "root": {"level": level.upper(), "handlers": ["stderr"]},
            "loggers": {"numba": {"level": "WARNING"}, "PIL": {"level": "WARNING"}},
        }
    )
