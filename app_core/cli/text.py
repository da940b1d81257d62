"""The command that shows how a text is read.

python app.py text TEXT [--language LANGUAGE]
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.request import TextRequest
from app_core.speech.text.dictionary import read_dictionary
from app_core.speech.text.reading import Reader
from app_core.speech.text.spoken_text import SpokenText, check_length

if TYPE_CHECKING:
    from app_core.config import Config

USAGE = "usage: python app.py text TEXT [--language LANGUAGE]"
_OPTION = "--language"


def command(arguments: list[str], config: Config) -> int:
    """Writes what is said of the text that follows ``text`` on the command line, on one line.
    Returns the exit status: 1 with a sentence when there is nothing to say or it is too long, 2
    for a command that cannot be understood.
    """
    fields = _fields(arguments)
    if fields is None:
        sys.stderr.write(f"{USAGE}\n")
        return 2
    try:
        fields["text"].encode()
    except UnicodeEncodeError:
        sys.stderr.write("The text must be UTF-8\n")
        return 1
    try:
        asked = TextRequest.parse(fields)
        reader = Reader(read_dictionary(config.dictionary))
        check_length(asked.text, config.max_text_chars)
        spoken = SpokenText.of(reader.read(asked.text, asked.language))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 1 if error.field == "text" else 2
    sys.stdout.write(f"{spoken.said}\n")
    return 0


def _fields(arguments: list[str]) -> dict[str, str] | None:
    """None for what is no text with at most one language."""
    match arguments:
        case [text]:
            return {"text": text}
        case [text, option, language] if option == _OPTION:
            return {"text": text, "language": language}
        case [option, language, text] if option == _OPTION:
            return {"text": text, "language": language}
        case [text, option] if option.startswith(f"{_OPTION}="):
            return {"text": text, "language": option.partition("=")[2]}
        case [option, text] if option.startswith(f"{_OPTION}="):
            return {"text": text, "language": option.partition("=")[2]}
    return None
