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
from app_core.services.devices.face_cache import FaceCache
from app_core.services.devices.loaded_model import LoadedModel
from app_core.services.devices.model_loader import ModelLoader
from app_core.services.speech_server import open_speech_server
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.engine.engine import Engine
    from app_core.job import Job
    from app_core.lipsync.model import LipsyncModel, Plate
    from app_core.types import Placement

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
        """Of the default model on its first device; all others share its cores."""
        self.metrics = Metrics()
        self.status, self.reason = "offline", "not started"
        self.models: tuple[LoadedModel, ...] = ()
        """Each on each of its devices, the default first."""
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
        """The default one, on its first device."""
        return self.models[0].model if self.models else None

    @property
    def engine(self) -> Engine | None:
        """Of that."""
        return self.models[0].engine if self.models else None

    @property
    def lost(self) -> list[LoadedModel]:
        """Those whose thread has ended, though nobody stopped it."""
        if self.status == "offline":
            return []
        return [loaded for loaded in self.models if not loaded.engine.alive]

    def condition(self) -> tuple[str, str]:
        """Status and reason. A model without its thread on a device degrades, as does a default
        avatar that is not there; when all are without, it is offline.
        """
        lost = self.lost
        if lost and len(lost) == len(self.models):
            return "offline", ENGINE_LOST
        if self.status not in ("ready", "degraded"):
            return self.status, self.reason
        reasons = [f"{loaded.title}: {ENGINE_LOST}" for loaded in lost]
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

    @property
    def names(self) -> list[str]:
        """Of the models, the default first."""
        return list(dict.fromkeys(loaded.name for loaded in self.models))

    def on_devices(self, name: str) -> list[LoadedModel]:
        """A model on each of its devices; ``auto`` is the default. Empty when there is none."""
        wanted = self.models[0].name if name == AUTO and self.models else name
        return [loaded for loaded in self.models if loaded.name == wanted]

    def at(self, placement: Placement | None) -> LoadedModel | None:
        """What draws there; None when that is not known."""
        return next((loaded for loaded in self.models if loaded.placement == placement), None)

    def ready(self, name: str = AUTO) -> list[LoadedModel]:
        """A model on those of its devices whose thread runs, one at least. Raises NotReady with the
        reason, or BadInput with the names that can be asked for."""
        if not self.models or self.status == "offline":
            seconds = 2 if self.status == "loading" else 30
            raise NotReady(f"The server is not ready: {self.reason}", retry_after_s=seconds)
        found = self.on_devices(name)
        if not found:
            names = ", ".join([AUTO, *self.names])
            raise BadInput(f"'model' must be one of: {names}", field="model")
        alive = [loaded for loaded in found if loaded.engine.alive]
        if not alive:
            raise NotReady(f"The server is not ready: {ENGINE_LOST}", retry_after_s=2)
        return alive

    def capacity_of(self, job: Job) -> Capacity:
        """Of the model on the device that draws the job."""
        loaded = self.at(job.placement)
        return loaded.capacity if loaded else self.capacity

    def release(self, job: Job, error: Exception | None) -> None:
        """Gives back what a job holds of a model's thread and of the cores; safe to do again."""
        loaded = self.at(job.placement)
        if loaded is not None:
            loaded.engine.drop(job, error)
        else:
            job.mouths.close(error, now=True)
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
        """What the model made of the plate on its device, once for each plate."""
        return self._faces.get(model, plate)

    # Loading

    def _load(self) -> None:
        """The models in their order, each as far as it comes and on each of its devices; the first
        that can be loaded is the default."""
        try:
            self._load_models()
        finally:
            self._loaded.set()

    def _load_models(self) -> None:
        names = self._models.names
        opened: list[LoadedModel] = []
        problems: list[str] = []
        missing = self._without_default()
        if missing:
            logger.error("%s", missing)

        def trying(name: str, *, told: bool = len(names) > 1) -> AbstractContextManager[None]:
            return _noting(problems, f"{name}: " if told else "")

        for name in names:
            with trying(name):
                capacity = self.capacity.beside() if opened else self.capacity
                first = self._models.open(name, capacity)
                opened.append(first)
                for device in self._models.others(first):
                    with trying(f"{first.name} on {device}", told=True):
                        opened.append(self._models.open_twin(first, device))
        self.models = tuple(opened)
        for loaded in opened:
            with trying(loaded.title):
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
