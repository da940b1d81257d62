"""What is said in a text in chunks, chunk by chunk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import BadInput
from app_core.pipeline.job_thread import marks
from app_core.services.renders import LONGEST_SPEECH_S
from app_core.types import Phoneme, Prosody, Speech, first_sample, frame_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app_core.audio import AudioBuffer
    from app_core.job import Job
    from app_core.speech.speaker import Speaker
    from app_core.speech.text_parts import TextPart

SILENT_S = 0.2
"""What a chunk lasts in which there is nothing to say."""


def speak_chunks(
    job: Job, speaker: Speaker, parts: Sequence[TextPart], prosody: Prosody
) -> Iterator[Speech]:
    """Every piece of every chunk, once the last is spoken. Chunks end with whole frames. What is
    spoken lies in the chunks' sounds meanwhile, which lie on the disk: it may be an hour.
    """
    rate, fps = speaker.sample_rate, job.request.fps
    said: list[tuple[AudioBuffer, int, int, Speech]] = []
    samples = frames = 0
    for chunk, part in zip(job.chunks, parts, strict=True):
        pieces = []
        for piece in speaker.say(
            iter(part.pieces), prosody, lambda: job.ticket.stale, job.fallbacks.append
        ):
            job.check()
            job.spoke(piece.voice)
            pieces.append(piece)
        if not pieces:
            silence = np.zeros(int(SILENT_S * rate), np.float32)
            pieces = [Speech(0, "", silence, rate, [Phoneme("", 0.0, SILENT_S)])]
        end = samples + sum(len(piece.pcm) for piece in pieces)
        last = frame_count(end, rate, fps)
        pieces[-1] = _longer(pieces[-1], first_sample(last, rate, fps) - end)
        samples = first_sample(last, rate, fps)
        if samples > LONGEST_SPEECH_S * rate:
            raise BadInput(
                f"The speech is longer than {LONGEST_SPEECH_S:.0f} s: send less text", field="text"
            )
        chunk.frames, chunk.duration_s = last - frames, (last - frames) / fps
        frames = last
        for piece in pieces:
            begin = len(chunk.sound)
            chunk.marks += marks(piece, begin / rate)
            chunk.sound.append(piece.pcm)
            silent = replace(piece, index=len(said), pcm=np.zeros(0, np.float32))
            said.append((chunk.sound, begin, len(chunk.sound), silent))
        chunk.sound.close()
        chunk.spoken.set()
    for sound, begin, stop, piece in said:
        yield replace(piece, pcm=sound.samples(begin, stop))


def _longer(speech: Speech, samples: int) -> Speech:
    pcm = np.concatenate([speech.pcm, np.zeros(samples, np.float32)])
    phonemes = speech.phonemes
    if phonemes and samples:
        silence = Phoneme("", phonemes[-1].end_s, len(pcm) / speech.sample_rate)
        phonemes = [*phonemes, silence]
    return replace(speech, pcm=pcm, phonemes=phonemes)
