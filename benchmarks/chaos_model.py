"""``app.py`` with a lip-sync model that fails or hangs when a file says so. ``python -m
benchmarks.chaos_model FILE``; the file says ``fail`` or ``hang``, or is not there."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.marker import MarkerModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import Mouth, MouthTask


class ChaosModel(MarkerModel):
    name = "chaos"

    def __init__(self, orders: Path) -> None:
        self._orders = orders

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        order = self._orders.read_text() if self._orders.exists() else ""
        if order == "fail":
            raise SystemExit("as it was told")
        if order == "hang":
            ctypes.CDLL(None).sleep(3600)  # in native code, from which no thread comes back
        return super().draw(tasks)


def main(orders: Path) -> int:
    import app
    from app_core.config import Config
    from app_core.lipsync import registry
    from app_core.log import setup_logging

    registry.MODELS = {**registry.MODELS, "chaos": lambda _: ChaosModel(orders)}
    config = Config.from_env()
    setup_logging(config.log_level, config.log_format)
    return app.serve(config.model_copy(update={"models": "chaos"}))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
