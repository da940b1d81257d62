"""Models of the real architectures with random weights, in folders as their publishers lay them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from soyle_coqui.licence import CC_BY_NC, CPML, agree

RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
KAZAKH = "абвгдежзийклмнопрстуфхцчшщъыьэюяёәғқңөұүһі"


def tiny_vits(characters: str, languages: tuple[str, ...] = (), **more: Any) -> Any:
    """``more`` are arguments of VitsArgs."""
    from TTS.tts.configs.shared_configs import CharactersConfig
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    torch.manual_seed(1)
    args = VitsArgs(
        init_discriminator=False,
        hidden_channels=32,
        hidden_channels_ffn_text_encoder=64,
        num_layers_text_encoder=2,
        num_layers_posterior_encoder=2,
        num_layers_flow=2,
        upsample_initial_channel_decoder=64,
        **more,
    )
    config = VitsConfig(
        model_args=args,
        text_cleaner="basic_cleaners",
        use_phonemes=False,
        phoneme_language=languages[0] if languages else None,
        characters=CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters",
            characters=characters,
            punctuations="!'(),-.:;? ",
            pad="<PAD>",
            eos="<EOS>",
            bos="<BOS>",
            blank="<BLNK>",
        ),
    )
    return Vits(config)


def vits(folder: Path, characters: str = RUSSIAN, languages: tuple[str, ...] = ("ru",)) -> Path:
    model = tiny_vits(characters, languages)
    folder.mkdir(parents=True)
    model.config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


def vits_of_many(folder: Path, speakers: tuple[str, ...], languages: tuple[str, ...]) -> Path:
    """One model, several speakers and languages; its config names the folders of its training."""
    folder.mkdir(parents=True)
    torch.save({name: place for place, name in enumerate(speakers)}, folder / "speakers.pth")
    ids = {code: place for place, code in enumerate(languages)}
    (folder / "language_ids.json").write_text(json.dumps(ids))
    model = tiny_vits(
        RUSSIAN + "abcdefghijklmnopqrstuvwxyz",
        use_speaker_embedding=True,
        speakers_file=str(folder / "speakers.pth"),
        use_language_embedding=True,
        language_ids_file=str(folder / "language_ids.json"),
    )
    model.config.save_json(str(folder / "config.json"))
    config = (folder / "config.json").read_text("utf-8").replace(str(folder), "/training/run")
    (folder / "config.json").write_text(config, "utf-8")
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


_PARTS = {"text_encoder": "enc_p", "waveform_decoder": "dec", "posterior_encoder": "enc_q"}
_FIRST = {"translation": "m", "log_scale": "logs"}


def _fairseq_name(name: str) -> str:
    """The inverse of Coqui's renaming: Fairseq counts the flips between the flows too."""
    part, _, rest = name.partition(".")
    words = rest.split(".")
    if part == "duration_predictor":
        if words[0] in ("flows", "post_flows"):
            place = int(words[1])
            words[1] = str(max(2 * place - 1, 0))
            words[2] = words[2] if place else _FIRST[words[2]]
        return ".".join(["dp", *words])
    if part == "flow":
        words[1] = str(2 * int(words[1]))
        return ".".join(["flow", *words])
    return f"{_PARTS.get(part, part)}.{rest}"


def mms(folder: Path, characters: str = KAZAKH, agreed: bool = True) -> Path:
    """Of Coqui's one size for MMS: 36 million weights."""
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(1)
    alphabet = ["|", *characters, " ", "-"]
    config = VitsConfig()
    config.model_args.init_discriminator = False
    model = Vits(config)
    model.text_encoder.emb = torch.nn.Embedding(len(alphabet), config.model_args.hidden_channels)
    folder.mkdir(parents=True)
    renamed = {_fairseq_name(name): value for name, value in model.state_dict().items()}
    torch.save({"model": renamed}, folder / "G_100000.pth")
    (folder / "vocab.txt").write_text("\n".join(alphabet) + "\n", "utf-8")
    data = {"sampling_rate": 16000, "training_files": "train.ltr", "add_blank": True}
    (folder / "config.json").write_text(json.dumps({"data": data}))
    if agreed:
        agree(folder, CC_BY_NC)
    return folder


@contextmanager
def narrow_decoder() -> Iterator[None]:
    """Coqui's settings cannot make XTTS's vocoder small: its 512 channels are 32 here, for whoever
    makes or loads the fixture, since a second of sound would take a core four seconds."""
    from TTS.tts.layers.xtts import hifigan_decoder

    wide = hifigan_decoder.HifiganGenerator

    def narrow(*arguments: Any, **named: Any) -> Any:
        *first, channels, factors = arguments
        assert channels == 512
        return wide(*first, 32, factors, **named)

    hifigan_decoder.HifiganGenerator = narrow
    try:
        yield
    finally:
        hifigan_decoder.HifiganGenerator = wide


def xtts(folder: Path, agreed: bool = True) -> Path:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts

    torch.manual_seed(1)
    folder.mkdir(parents=True)
    languages = ("en", "es", "ru")
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", *(f"[{code}]" for code in languages)]
    letters = "abcdefghijklmnopqrstuvwxyz" + RUSSIAN + ".,!?'-"
    vocabulary = {sign: index for index, sign in enumerate([*special, *letters])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[], unk_token="[UNK]"))
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "vocab.json"))
    args = XttsArgs(
        gpt_layers=2,
        gpt_n_model_channels=64,
        gpt_n_heads=2,
        decoder_input_dim=64,
        gpt_use_perceiver_resampler=True,
        gpt_use_masking_gt_prompt_approach=False,
        gpt_num_audio_tokens=1026,
        gpt_start_audio_token=1024,
        gpt_stop_audio_token=1025,
        gpt_number_text_tokens=len(vocabulary),
        gpt_start_text_token=vocabulary["[START]"],
        gpt_stop_text_token=vocabulary["[STOP]"],
    )
    config = XttsConfig(model_args=args, languages=list(languages))
    model = Xtts(config)
    config.save_json(str(folder / "config.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    if agreed:
        agree(folder, CPML)
    return folder


def studio_speaker(folder: Path, name: str) -> None:
    """A speaker that comes with the model."""
    pair = {
        "gpt_cond_latent": torch.randn(1, 32, 64),
        "speaker_embedding": torch.randn(1, 512, 1),
    }
    torch.save({name: pair}, folder / "speakers_xtts.pth")


def sample(path: Path, seconds: float = 4.0, rate: int = 16000) -> Path:
    """A voice of a sort: 120 Hz with overtones, in syllables."""
    at = np.arange(int(seconds * rate)) / rate
    sound = sum(np.sin(2 * np.pi * 120 * k * at) / k for k in range(1, 12))
    sound = 0.1 * sound * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at))
    soundfile.write(path, np.stack([sound, sound], 1), rate)
    return path
