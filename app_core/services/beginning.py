"""How a render begins: with whose face, and who says what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.services.render_cost import Costs, work_of
from app_core.services.renders import LONGEST_SPEECH_S
from app_core.shares import Holding
from app_core.speech.text.spoken_text import check_length
from app_core.turns import waited_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.avatars.library import Avatar
    from app_core.config import Config
    from app_core.job import Job
    from app_core.request import RenderRequest
    from app_core.services.backend import Backend
    from app_core.services.recording import Recording
    from app_core.services.renders import Renders
    from app_core.services.voices.speakers import Speakers
    from app_core.shares import Share, Shares
    from app_core.speech.speaker import Speaker
    from app_core.speech.text.piece import Piece
    from app_core.types import Speech


class Beginning:
    """Thread-safe."""

    def __init__(
        self,
        config: Config,
        backend: Backend,
        renders: Renders,
        speakers: Speakers,
        shares: Shares,
    ) -> None:
        self._config, self._backend = config, backend
        self._renders, self._speakers, self._shares = renders, speakers, shares
        self._costs = Costs(config, LONGEST_SPEECH_S)

    def begin(
        self,
        request: RenderRequest,
        speak: Callable[[Speaker, Iterator[Piece], Job], Iterator[Speech]] | None = None,
        avatar: Avatar | None = None,
        recording: Recording | None = None,
        owner: str = "",
    ) -> Job:
        """``speak`` in place of the text from end to end, or a recording, which the job closes;
        ``avatar`` in place of the request's. Raises BadInput, TooCostly, NotFound, Conflict,
        NotReady, Busy, or TooMany when ``owner`` has its share of renders.
        """
        with self._shares.take(Holding.RENDERS, owner).kept() as share:
            return self._begin(request, speak, avatar, recording, share)

    def _begin(
        self,
        request: RenderRequest,
        speak: Callable[[Speaker, Iterator[Piece], Job], Iterator[Speech]] | None,
        avatar: Avatar | None,
        recording: Recording | None,
        share: Share,
    ) -> Job:
        check_length(request.text, self._config.max_text_chars)
        capacity = self._backend.ready(request.model)[0].capacity
        avatar = avatar or self._backend.library.get(request.avatar or self._config.avatar)
        work = work_of(request, avatar, capacity)
        if recording is not None:
            core_s = self._costs.of_sound(work, recording.seconds)
            speeches, rate = recording.speeches, recording.sample_rate
            job = self._renders.begin(
                request, avatar, speeches, rate, recorded=True, share=share, core_s=core_s
            )
            job.seconds_expected = recording.seconds
            return job
        with waited_for(request.live):
            speaker = self._speakers.of(request)
            core_s, pieces = self._costs.of_text(work, request, speaker.read(request.text))

        def spoken(job: Job) -> Iterator[Speech]:
            if speak is not None:
                return speak(speaker, pieces, job)
            return speaker.say(
                pieces, request.prosody, lambda: job.ticket.stale, job.fallbacks.append
            )

        return self._renders.begin(
            request, avatar, spoken, speaker.sample_rate, share=share, core_s=core_s
        )
