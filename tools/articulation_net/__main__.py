"""Trains the network that hears articulation in a sound without text.

From the repository's root, in an environment with tools/articulation_net/requirements.txt:

    python -m tools.articulation_net                    # half an hour of one core; prints a table
    python -m tools.articulation_net --share 0.1 --steps 200 --count 10 --out /tmp/quick.npz
    python -m tools.articulation_net --measure          # only the table, with the weights in place

It says the sentences of tests/text, and words and syllables in random order, with more than sixty
variants of espeak-ng in three languages, with hibari in English, and with three voices of flite
that were made of recordings (awb, kal16, rms), at many speeds and pitches; changes the sound as
rooms, microphones and neighbours do; and fits the network to the tracks that the engines' own
phoneme times give (``articulation.tracks``). The same --seed gives the same corpus (but for
espeak-ng's own noise) and nearly the same weights. The weights in place were trained in four
parts, by --state: 2400, 1700, 1500 and 1300 steps, flite's rms only in the last two.

One of eight sentences is never trained on, nor are ten of espeak-ng's variants, nor any other
voice of flite and festival. The threshold of the closures is chosen on festival's ked, and on
held-out sentences by the product's own variant and by the ten. The other sets are only measured:
flite's slt, festival's slt and msu_ru are voices never trained on; held-out sentences by the
variants and by hibari are those of known ones.

``corpus`` says who says what, ``augmentation`` changes it, ``training`` fits, ``threshold``
chooses, and ``evaluation`` measures, also for others: ``heard_closures(pcm, rate)``.
"""

from __future__ import annotations

import argparse
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.viseme.heard.network import WEIGHTS, weights
from tools.articulation_net import corpus, debian_speech, evaluation, training
from tools.articulation_net.augmentation import Surroundings, at_rate, noise_alone
from tools.articulation_net.hibari_speech import HibariVoice
from tools.articulation_net.threshold import chosen_threshold

if TYPE_CHECKING:
    from tools.articulation_net.utterance import Utterance

log = logging.getLogger("tools.articulation_net")

_STEPS = 6900
_NOISE_SHARE, _NOISE_S = 0.06, 4.0
_FOR_USUAL = 150
"""Utterances that tell the usual levels of the bands."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="the file to write")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=_STEPS, help="batches to learn from")
    parser.add_argument("--share", type=float, default=1.0, help="of the corpus, 0..1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--state", type=Path, help="goes on from it if it is there; is written")
    parser.add_argument("--count", type=int, default=80, help="sentences of each measured set")
    parser.add_argument("--measure", action="store_true", help="do not train")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(asked.threads)
    hibari = HibariVoice()
    if not asked.measure:
        random = np.random.default_rng(asked.seed)
        net, usual = _trained(corpus.training_set(hibari, asked.share, random), asked, random)
        training.save(asked.out, net, usual, 0.5)
        log.info("%s: %d bytes", asked.out, asked.out.stat().st_size)
    known = corpus.known_sets(hibari, asked.count, np.random.default_rng(asked.seed + 1))
    validation = corpus.unseen_sets(debian_speech.VALIDATION, asked.count)
    if not asked.measure:
        familiar = sum((known[name] for name in known if name.endswith(corpus.CHOOSING)), [])
        strange = sum(validation.values(), [])
        threshold = chosen_threshold(weights(asked.out), strange, familiar)
        training.save(asked.out, net, usual, threshold)
        weights.cache_clear()
    test = corpus.unseen_sets(debian_speech.TEST, asked.count)
    _report({**known, **validation, **test}, asked.out)


def _trained(
    utterances: list[Utterance], asked: argparse.Namespace, random: np.random.Generator
) -> tuple[training.ArticulationNet, training.Float32]:
    some = utterances[:: max(1, len(utterances) // _FOR_USUAL)]
    usual = training.usual_levels([at_rate(utterance) for utterance in some])
    surroundings = Surroundings(utterances, random)
    examples = training.Examples(usual)
    for utterance in utterances:
        examples.add(surroundings.augmented(utterance, random))
    for _ in range(round(_NOISE_SHARE * len(utterances))):
        examples.add(noise_alone(_NOISE_S, random))
    log.info("%d examples", len(examples.rows))
    start = torch.load(asked.state) if asked.state and asked.state.exists() else None
    net = training.train(examples, asked.steps, asked.seed, start)
    if asked.state:
        torch.save(net.state_dict(), asked.state)
    return net, usual


def _report(sets: dict[str, list[Utterance]], path: Path) -> None:
    drawn = partial(evaluation.tracks_by, weights(path))
    log.info(evaluation.HEADER)
    for name, utterances in sets.items():
        log.info("%-34s %s", name, evaluation.measured(utterances, drawn).row())


if __name__ == "__main__":
    main()
