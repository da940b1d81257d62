"""From a folder to a voice."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from soyle_coqui.errors import NotReady
from soyle_coqui.model_folder import examine
from soyle_coqui.torch_audio import INSTALL, import_torchaudio

if TYPE_CHECKING:
    from soyle_coqui.voice import Voice


def load(path: Path, speaker: Path | None, threads: int) -> Voice:
    """``speaker`` is the sound file whose voice XTTS takes. Raises NotReady."""
    folder = examine(path)
    _stay_offline()
    try:
        import torch
    except ImportError as error:
        raise NotReady(f"torch is not installed ({error}): {INSTALL}") from error
    torch.set_num_threads(threads)
    import_torchaudio()
    try:
        if folder.kind == "xtts":
            from soyle_coqui.xtts import XttsVoice

            return XttsVoice(folder, speaker)
        from soyle_coqui.vits import VitsVoice

        return VitsVoice(folder)
    except NotReady:
        raise
    except ImportError as error:
        raise NotReady(f"coqui-tts cannot be imported ({error}): {INSTALL}") from error
    except Exception as error:  # whatever torch and Coqui make of a broken file
        words = " ".join(str(error).split())[:300] or type(error).__name__
        raise NotReady(f"{folder.checkpoint} cannot be loaded: {words}") from error


def _stay_offline() -> None:
    """A model is what lies in its folder. Coqui's own warnings quote the text: they are not for
    the log."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
    logging.getLogger("TTS").setLevel(logging.CRITICAL)
