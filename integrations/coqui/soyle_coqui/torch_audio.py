"""torchaudio, imported also where its native library cannot be loaded.

The wheels of the package index are built for CUDA; beside a torch for the CPU their library looks
for libc10_cuda.so in vain. All that Coqui's voices need of torchaudio (resampling and mel
spectrograms) is written in Python, and torchaudio itself knows builds without the library. So
where it cannot be loaded, the module that loads it is replaced by one that says it is absent.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from soyle_coqui.errors import NotReady

_LOADER = "torchaudio._extension"
INSTALL = "run `make coqui` in Soyle's folder"


def import_torchaudio() -> ModuleType:
    """Raises NotReady when that cannot be done."""
    try:
        return importlib.import_module("torchaudio")
    except OSError:  # what ctypes raises of a library that does not load
        _forget()
    except ImportError as error:
        raise NotReady(f"torchaudio is not installed ({error}): {INSTALL}") from error
    sys.modules[_LOADER] = _absent()
    try:
        return importlib.import_module("torchaudio")
    except (ImportError, OSError, AttributeError) as error:
        _forget()
        raise NotReady(f"torchaudio cannot be imported ({error}): {INSTALL}") from error


def _forget() -> None:
    """A failed import leaves parts of itself behind."""
    for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
        del sys.modules[name]


def _absent() -> ModuleType:
    def fail_if_no_align(function: Callable[..., Any]) -> Callable[..., Any]:
        def fail(*_: Any, **__: Any) -> Any:
            raise RuntimeError(f"{function.__name__} needs torchaudio's native library")

        return fail

    module = ModuleType(_LOADER, "Stands for torchaudio's native library, which is absent.")
    vars(module).update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=fail_if_no_align,
    )
    return module
