"""From which probability on the lips are closed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from tools.articulation_net.evaluation import FPS, Score, closures, heard_by

if TYPE_CHECKING:
    from app_core.lipsync.viseme.heard.network import HearingWeights
    from tools.articulation_net.utterance import Utterance

logger = logging.getLogger(__name__)

_THRESHOLDS = np.round(np.arange(0.2, 0.81, 0.04), 2)
_FALSE_UNSEEN, _FALSE_KNOWN = 0.3, 0.09
"""The largest shares of false closures, of voices never heard and of those of the training, that
leave a margin to the 35 % and 10 % that are promised."""


def chosen_threshold(
    trained: HearingWeights, unseen: list[Utterance], known: list[Utterance]
) -> float:
    """The lowest that keeps both shares; the highest of all when none does."""
    scores = [_scores(trained, group) for group in (unseen, known)]
    for threshold, *pair in zip(_THRESHOLDS, *scores, strict=True):
        rows = [
            f"{100 * score.recall:.0f} % found, {100 * score.false_share:.0f} % false"
            for score in pair
        ]
        logger.info("threshold %.2f: unseen %s; known %s", threshold, *rows)
    for threshold, strange, familiar in zip(_THRESHOLDS, *scores, strict=True):
        if strange.false_share <= _FALSE_UNSEEN and familiar.false_share <= _FALSE_KNOWN:
            return float(threshold)
    return float(_THRESHOLDS[-1])


def _scores(trained: HearingWeights, utterances: list[Utterance]) -> list[Score]:
    """One for each of _THRESHOLDS."""
    scores = [Score() for _ in _THRESHOLDS]
    for utterance in utterances:
        heard = heard_by(trained, utterance.pcm, utterance.rate)
        moments = (np.arange(int(utterance.seconds * FPS)) + 0.5) / FPS
        for threshold, score in zip(_THRESHOLDS, scores, strict=True):
            heard.threshold = float(threshold)
            found = closures(heard.tracks(moments, 0.5 / FPS), FPS)
            score.add(utterance.seals(), found)
    return scores
