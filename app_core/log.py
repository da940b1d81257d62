"""One configurer of logs. Each record carries the job it belongs to; never the user's text."""

from __future__ import annotations

import json
import logging
import logging.config
import time
from contextvars import ContextVar
from typing import Any

job_id: ContextVar[str] = ContextVar("job_id", default="-")
"""The job that this thread works for. A call that speaks of another job passes
``extra={"job": its id}``."""
client: ContextVar[str] = ContextVar("client", default="this process")
"""Who asked for what this thread begins."""

_TALKATIVE = ("numba", "PIL", "pymorphy3", "aioice", "aiortc")
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))
_ISOLATES = range(0x2066, 0x206A)
_SHOWN = {code: f"\\u{code:04x}" for code in (*_CONTROLS, *_ISOLATES)}
"""Characters that would begin a line of the log, move a terminal or turn the direction of text."""


class JobFilter(logging.Filter):
    """Gives every record a ``job``."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "job"):
            record.job = job_id.get()
        return True


class LineFormatter(logging.Formatter):
    """For a person: time, level, logger, the first eight letters of the job, the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(job).8s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # as another formatter may have written it
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line, whatever words of a client are in it."""
        return super().formatMessage(record).translate(_SHOWN)

    def formatException(self, ei: Any) -> str:
        """Indented, so that no line of it looks like a record."""
        lines = super().formatException(ei).splitlines()
        return "\n".join("  " + line.translate(_SHOWN) for line in lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, job, message, and any ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "job": getattr(record, "job", "-"),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str).translate(_SHOWN)


def setup_logging(level: str = "info", form: str = "line") -> None:
    """``form`` is line or json. Logs go to standard error."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"job": {"()": JobFilter}},
            "formatters": {"line": {"()": LineFormatter}, "json": {"()": JsonFormatter}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "filters": ["job"],
                    "formatter": form,
                }
            },
            "root": {"level": level.upper(), "handlers": ["stderr"]},
            "loggers": {name: {"level": "WARNING"} for name in _TALKATIVE},
        }
    )
