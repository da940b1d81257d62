"""One configurer of logs. Each record carries the job it belongs to; never the user's text."""

from __future__ import annotations

import json
import logging
import logging.config
import time
import traceback
from contextvars import ContextVar
from typing import Any

from app_core.errors import SoyleError

job_id: ContextVar[str] = ContextVar("job_id", default="-")
"""The job that this thread works for. A call that speaks of another job passes
``extra={"job": its id}``."""

_OURS = ("app_core", "soyle", "gunicorn")
"""Loggers that go by LOG_LEVEL. Libraries say what they are given when they are asked for all that
they do: of them only warnings are written, and of Piper's, which name sounds, not these either."""
_PLAIN = (OSError, ImportError, MemoryError, SoyleError)
"""Errors whose words are never a user's: of all others only the kind and the place are written,
as ``ValueError`` and its like show what they could not use."""
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


def _told(error: BaseException | None, seen: set[int]) -> list[str]:
    """An error with what led to it, the first cause first."""
    if error is None or id(error) in seen:
        return []
    seen.add(id(error))
    lines = _told(error.__cause__, seen)
    if error.__cause__ is None and not error.__suppress_context__:
        lines = _told(error.__context__, seen)
    if lines:
        lines.append("which led to:")
    lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    words = f": {error}" if isinstance(error, _PLAIN) and str(error) else ""
    return [*lines, f"{type(error).__qualname__}{words}"]


class _WordlessFormatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:
        return "\n".join(_told(ei[1], set()))


class LineFormatter(_WordlessFormatter):
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


class JsonFormatter(_WordlessFormatter):
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
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                **{name: {"level": level.upper()} for name in _OURS},
                "piper": {"level": "ERROR"},
            },
        }
    )
