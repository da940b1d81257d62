"""What the first text would wait for is loaded before it comes."""

from __future__ import annotations

import subprocess
import sys

from app_core.config import ROOT

LOADED = """
import sys
from app_core.speech.text.reading import TextReader
heavy = {"pymorphy3", "num2words", "qazaqify"}
before = heavy & set(sys.modules)
TextReader().warm()
print(len(before), sorted(heavy - set(sys.modules)))
"""


def test_a_warm_reader_has_loaded_its_libraries() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.strip() == "0 []", ran.stderr
