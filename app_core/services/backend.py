"""What is loaded once and shared by every render: models with their engines, faces, ffmpeg, a
speech server."""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from app_core.avatars.library import AvatarLibrary
from app_core.engine.capacity import Capacity
from app_core.errors import BadInput, NotFound, NotReady, SoyleError
from app_core.lipsync.registry import AUTO
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.metrics import Metrics
from app_core.services.face_cache import FaceCache
from app_core.services.loaded_model import LoadedModel
from app_core.services.model_loader import ModelLoader
from app_core.services.speech_server import open_speech_server
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.engine.engine import Engine
    from app_core.job import Job
    from app_core.lipsync.model import LipsyncModel, Plate

logger = logging.getLogger(__name__)

ENGINE_LOST = "the model's thread has ended and is about to be replaced"


class Backend:
    """Loads in the background. ``status`` is offline, loading, ready or degraded, ``reason`` why
    it is not ready; ``condition`` also knows of threads that have ended.

    ``model`` is loaded in place of those of the settings.
    """

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
        """Of the default model; those of the others share its cores."""
        self.metrics = Metrics()
        self.status, self.reason = "offline", "not started"
        self.models: tuple[LoadedModel, ...] = ()
        """The default first."""
        self.found_ffmpeg: Ffmpeg | None = None
        self.speech_server = open_speech_server(config)
        """None when the settings name none."""
        self._config = config
        self._models = ModelLoader(config, self.library, self.metrics, model, self.plate, self.face)
        self._faces = FaceCache(self.library.charge)
        self._loader: threading.Thread | None = None
        self._loaded = threading.Event()

    def start(self, wait_s: float = 0.0, then: Callable[[], None] = lambda: None) -> None:
        """``wait_s`` waits for the models; ``then`` is called once they are loaded, before they are
        ready."""
        self._then = then
        self.status, self.reason = "loading", "the model is loading"
        loader = threading.Thread(target=self._load, name="loader", daemon=True)
        start_thread(loader)
        self._loader = loader
        if self.speech_server is not None:
            self.speech_server.start()
        self._loaded.wait(wait_s)

    def when_loaded(self, call: Callable[[], None]) -> None:
        """Calls once the models are ready; not at all when none can be loaded."""

        def wait() -> None:
            self._loaded.wait()
            if self.models:
                call()

        start_thread(threading.Thread(target=wait, name="when-loaded", daemon=True))

    def refuse(self, reason: str) -> None:
        """No render begins any more."""
        self.status, self.reason = "offline", reason
        if self._loader is not None:
            self._loader.join(60.0)

    def close(self) -> None:
        if self.speech_server is not None:
            self.speech_server.close()
        for loaded in self.models:
            loaded.close()
        self.library.close()

    # The models

    @property
    def model(self) -> LipsyncModel | None:
        """The default one."""
        return self.models[0].model if self.models else None

    @property
    def engine(self) -> Engine | None:
        """Of the default model."""
        return self.models[0].engine if self.models else None

    @property
    def lost(self) -> list[LoadedModel]:
        """Those whose thread has ended, though nobody stopped it."""
        if self.status == "offline":
            return []
        return [loaded for loaded in self.models if not loaded.engine.alive]

    def condition(self) -> tuple[str, str]:
        """Status and reason. A model without its thread degrades, as does a default avatar that is
        not there; when all models are without, it is offline.
        """
        lost = self.lost
        if lost and len(lost) == len(self.models):
            return "offline", ENGINE_LOST
        if self.status not in ("ready", "degraded"):
            return self.status, self.reason
        reasons = [f"{loaded.name}: {ENGINE_LOST}" for loaded in lost]
        reasons += [reason for reason in (self._without_default(), self.reason) if reason]
        return ("degraded" if reasons else self.status), "; ".join(reasons)

    def _without_default(self) -> str:
        """Why the default avatar cannot speak now; empty when it can."""
        config = self._config
        try:
            self.library.get(config.avatar)
        except NotFound:
            return f"AVATAR={config.avatar} is not in AVATAR_DIR={config.avatar_dir}"
        except BadInput as error:
            return str(error)
        return ""

    def find(self, name: str) -> LoadedModel | None:
        """``auto`` is the default; None when there is no such model."""
        if name == AUTO:
            return self.models[0] if self.models else None
        return next((loaded for loaded in self.models if loaded.name == name), None)

    def ready(self, name: str = AUTO) -> LoadedModel:
        """Raises NotReady with the reason, or BadInput with the names that can be asked for."""
        if not self.models or self.status == "offline":
            seconds = 2 if self.status == "loading" else 30
            raise NotReady(f"The server is not ready: {self.reason}", retry_after_s=seconds)
        loaded = self.find(name)
        if loaded is None:
            names = ", ".join([AUTO, *(loaded.name for loaded in self.models)])
            raise BadInput(f"'model' must be one of: {names}", field="model")
        if not loaded.engine.alive:
            raise NotReady(f"The server is not ready: {ENGINE_LOST}", retry_after_s=2)
        return loaded

    def capacity_of(self, job: Job) -> Capacity:
        """Of the model that draws the job."""
        loaded = self.find(job.request.model)
        return loaded.capacity if loaded else self.capacity

    def release(self, job: Job, error: Exception | None) -> None:
        """Gives back what a job holds of a model's thread and of the cores; safe to do again."""
        loaded = self.find(job.request.model)
        if loaded is not None:
            loaded.engine.drop(job, error)
        self.capacity_of(job).release(job.id)

    # What models draw on, and with

    def ffmpeg(self) -> Ffmpeg:
        """Raises FfmpegFailed when there is none."""
        if self.found_ffmpeg is None:
            memory = self._config.child_memory_mb << 20
            self.found_ffmpeg = find_ffmpeg(self._config.ffmpeg, memory or None)
        return self.found_ffmpeg

    def plate(self, avatar: Avatar, size: tuple[int, int] | None, static: bool) -> Plate:
        return self.library.plate(avatar, size, static=static, sway=self._config.sway)

    def face(self, model: LipsyncModel, plate: Plate) -> Any:
        """What the model made of the plate, once for each plate."""
        return self._faces.get(model, plate)

    # Loading

    def _load(self) -> None:
        """The models in their order, each as far as it comes; the first that can be loaded is the
        default."""
        try:
            self._load_models()
        finally:
            self._loaded.set()

    def _load_models(self) -> None:
        names = self._models.names
        opened: dict[str, LoadedModel] = {}
        problems: list[str] = []
        missing = self._without_default()
        if missing:
            logger.error("%s", missing)

        def trying(name: str) -> AbstractContextManager[None]:
            return _noting(problems, f"{name}: " if len(names) > 1 else "")

        for name in names:
            with trying(name):
                capacity = self.capacity.beside() if opened else self.capacity
                opened[name] = self._models.open(name, capacity)
        self.models = tuple(opened.values())
        for name, loaded in opened.items():
            with trying(name):
                if not self._without_default():
                    self._models.open_clip(loaded)
        if opened:
            with _noting(problems):
                self.ffmpeg()
        if opened:
            with _noting(problems):
                self._then()
        if self.status == "loading":  # and not refused meanwhile
            partly = "degraded" if opened else "offline"
            self.status, self.reason = (partly if problems else "ready"), "; ".join(problems)


@contextmanager
def _noting(problems: list[str], about: str = "") -> Iterator[None]:
    """Whatever goes wrong in the block is noted, begun with ``about``, and ends the block alone."""
    try:
        yield
    except SoyleError as error:
        logger.error("%s%s", about, error)
        problems.append(f"{about}{error}")
    except BaseException as error:
        logger.exception("%sloading failed", about)
        problems.append(f"{about}{str(error) or type(error).__name__}")
