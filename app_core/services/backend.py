"""What is loaded once and shared by every render: model, engine, faces, ffmpeg."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from app_core.avatars.library import AvatarLibrary
from app_core.engine.capacity import Capacity
from app_core.engine.engine import Engine
from app_core.engine.stats_logger import StatsLogger
from app_core.errors import Busy, NotReady, SoyleError
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import open_model
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.metrics import Metrics
from app_core.pipeline.calibration import frame_cost
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.lipsync.model import LipsyncModel, Plate

logger = logging.getLogger(__name__)


ENGINE_LOST = "the model's thread has ended and is about to be replaced"


class Backend:
    """Loads in the background. ``status`` is offline, loading, ready or degraded."""

    def __init__(
        self,
        config: Config,
        model: LipsyncModel | None = None,
        library: AvatarLibrary | None = None,
    ) -> None:
        self.library = library or AvatarLibrary(
            config.avatar_dir, config.picture_cache_mb, ClipFootage(self.ffmpeg)
        )
        self.capacity = Capacity(config.cpu_share)
        self.metrics = Metrics()
        self.status, self.reason = "offline", "not started"
        self.model: LipsyncModel | None = None
        self.why = ""
        """This model and no other."""
        self.engine: Engine | None = None
        self._stats_logger: StatsLogger | None = None
        self.found_ffmpeg: Ffmpeg | None = None
        self._config, self._given_model = config, model
        self._faces: WeakKeyDictionary[Plate, Any] = WeakKeyDictionary()
        self._faces_lock, self._opening = threading.Lock(), threading.Lock()
        self._loader: threading.Thread | None = None
        self._loaded = threading.Event()

    def start(self, wait_s: float = 0.0) -> None:
        """``wait_s`` waits for the model."""
        self.status, self.reason = "loading", "the model is loading"
        loader = threading.Thread(target=self._load, name="loader", daemon=True)
        start_thread(loader)
        self._loader = loader
        self._loaded.wait(wait_s)

    def when_loaded(self, call: Callable[[], None]) -> None:
        """Calls once the model is ready; not at all when it fails."""

        def wait() -> None:
            self._loaded.wait()
            if self.model is not None:
                call()

        start_thread(threading.Thread(target=wait, name="when-loaded", daemon=True))

    def refuse(self, reason: str) -> None:
        """No render begins any more."""
        self.status, self.reason = "offline", reason
        if self._loader is not None:
            self._loader.join(60.0)

    def close(self) -> None:
        if self._stats_logger is not None:
            self._stats_logger.close()
        if self.engine is not None:
            self.engine.close()
        if self.model is not None:
            self.model.close()
        self.library.close()

    @property
    def engine_is_lost(self) -> bool:
        """Its thread has ended, though nobody stopped it."""
        return self.engine is not None and self.status != "offline" and not self.engine.alive

    def revive(self) -> None:
        """Starts a thread that has ended. Raises Busy when no thread is left."""
        if self.engine is not None and self.engine_is_lost:
            logger.error("the engine's thread has ended; it is started again")
            self.engine.start()

    def ready(self) -> tuple[LipsyncModel, Engine]:
        """Raises NotReady with the reason."""
        if self.engine_is_lost:
            raise NotReady(f"The server is not ready: {ENGINE_LOST}", retry_after_s=2)
        if self.model is None or self.engine is None or self.status == "offline":
            seconds = 2 if self.status == "loading" else 30
            raise NotReady(f"The server is not ready: {self.reason}", retry_after_s=seconds)
        return self.model, self.engine

    def ffmpeg(self) -> Ffmpeg:
        """Raises FfmpegFailed when there is none."""
        if self.found_ffmpeg is None:
            self.found_ffmpeg = find_ffmpeg(self._config.ffmpeg)
        return self.found_ffmpeg

    def plate(self, avatar: Avatar, size: tuple[int, int] | None, static: bool) -> Plate:
        return self.library.plate(avatar, size, static=static, sway=self._config.sway)

    def face(self, model: LipsyncModel, plate: Plate) -> Any:
        """What the model made of the plate, once for each plate. Nobody whose plate was opened
        waits for one that is being opened: a long clip takes a second.
        """
        with self._faces_lock:
            if plate in self._faces:
                return self._faces[plate]
        with self._opening:
            if plate not in self._faces:
                face = model.open(plate)
                self.library.charge(plate, getattr(face, "nbytes", 0))
                with self._faces_lock:
                    self._faces[plate] = face
            return self._faces[plate]

    def _load(self) -> None:
        try:
            self._open()
            self.ffmpeg()
        except SoyleError as error:
            logger.error("%s", error)
            self._degrade(str(error))
        except BaseException as error:
            logger.exception("loading failed")
            self._degrade(str(error) or type(error).__name__)
        finally:
            self._loaded.set()

    def _open(self) -> None:
        model = self._choose()
        plate = self.plate(self.library.get(self._config.avatar), (512, 512), static=True)
        cost = frame_cost(model, plate, self.face(model, plate), self._config.jpeg_quality)
        self.capacity.calibrate(
            cost.frame_ms, 512, 512, cost.network_ms, model_fps=model.frames_per_s
        )
        engine = Engine(model, self.metrics)
        stats_logger = StatsLogger(engine, self.capacity)
        engine.start()
        try:
            stats_logger.start()
        except Busy:
            engine.close()
            raise
        self.model, self.engine, self._stats_logger = model, engine, stats_logger
        # The clip at the sizes of live routes and of films, ahead of its first reader.
        for size in ((512, 512), None):
            self.face(model, self.plate(self.library.get(self._config.avatar), size, False))
        self.status, self.reason = "ready", ""
        logger.info(
            "%s is ready on %s, %.2f core-ms a 512x512 frame (%s)",
            model.name,
            model.device,
            sum(cost),
            self.why,
        )

    def _choose(self) -> LipsyncModel:
        config = self._config
        if self._given_model is not None:
            self._given_model.warm_up()
            return self._given_model
        options = ModelOptions(
            config.models_dir,
            config.model_runtime,
            config.model_precision,
            config.mouth_offset,
            config.work_dir,
        )
        model, self.why = open_model(config.model, options)
        return model

    def _degrade(self, reason: str) -> None:
        self.status, self.reason = ("degraded" if self.model else "offline"), reason
