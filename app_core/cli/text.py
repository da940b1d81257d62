"""The command that shows how a text is read.

python app.py text [--language LANGUAGE] [--] TEXT
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.request import TextRequest
from app_core.speech.text.dictionary import read_dictionary
from app_core.speech.text.reading import TextReader
from app_core.speech.text.spoken_text import SpokenText, check_length

if TYPE_CHECKING:
    from app_core.config import Config

USAGE = "usage: python app.py text [--language LANGUAGE] [--] TEXT"
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
        reader = TextReader(read_dictionary(config.dictionary))
        check_length(asked.text, config.max_text_chars)
        spoken = SpokenText.of(reader.read(asked.text, asked.language))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 1 if error.field == "text" else 2
    sys.stdout.write(f"{spoken.said}\n")
    return 0


def _fields(arguments: list[str]) -> dict[str, str] | None:
    """None for what is no text with at most one language. After ``--`` there are no options."""
    options, texts = arguments, list[str]()
    if "--" in arguments:
        at = arguments.index("--")
        options, texts = arguments[:at], arguments[at + 1 :]
    fields: dict[str, str] = {}
    while options:
        first, *options = options
        name, sign, value = first.partition("=")
        if name != _OPTION:
            texts.append(first)
            continue
        if not sign:
            if not options:
                return None
            value, *options = options
        if "language" in fields:
            return None
        fields["language"] = value
    return fields | {"text": texts[0]} if len(texts) == 1 else None
