"""A form with one file: read as it comes, the file straight to where it is to lie."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from flask import request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from app_core.errors import BadInput, TooLarge, UnsupportedMedia, as_job_error
from app_core.routes.http.context import config, refuse_coded
from app_core.routes.http.json_value import BadText, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from werkzeug.sansio.multipart import Event

MIME = "multipart/form-data"
_BLOCK = 1 << 16
_LONGEST_FIELD = 4096
"""Bytes of a field that is no file, and of the headers of any part."""
_MOST_PARTS = 16
_FORM = 1 << 16
"""Bytes of a form beside its file and its text."""


def read_form(
    names: tuple[str, ...], file: str, place: Callable[[], Path], longest_text: int = 0
) -> tuple[dict[str, str], str]:
    """The fields ``names`` that were given, and the name of the file, which is written to
    ``place()``. ``longest_text``: bytes that the field ``text`` may have.

    How many come in at once, and how slowly, is the server's matter (``app_core/server``).
    Raises UnsupportedMedia, TooLarge, DiskFull, or BadInput that names the field.
    """
    check_form(file, longest_text)
    form = _Form(names, file, place, max(longest_text, _LONGEST_FIELD))
    try:
        for event in _events(_most(longest_text)):
            form.take(event)
    except RequestEntityTooLarge:
        raise _too_large(file) from None
    except (TimeoutError, ConnectionError, ClientDisconnected):
        raise BadInput("The upload stopped, or is too slow", field=file) from None
    except ValueError as error:
        why = "" if isinstance(error, UnicodeDecodeError) else f": {error}"
        raise BadInput(f"The form cannot be read{why}") from None
    except OSError as error:
        raise as_job_error(error) from error
    finally:
        form.close()
    if form.file_name is None:
        raise BadInput(f"'{file}' is required", field=file)
    return form.fields, form.file_name


def check_form(file: str, longest_text: int = 0) -> None:
    """By its head alone, before anything is kept for it. Raises UnsupportedMedia or TooLarge."""
    if request.mimetype != MIME:
        raise UnsupportedMedia(f"Send a form: Content-Type: {MIME}")
    refuse_coded()
    if (request.content_length or 0) > _most(longest_text):
        raise _too_large(file)


def _most(longest_text: int) -> int:
    """Bytes. Beside the file stand the other fields and the headers of the parts."""
    return (config().max_upload_mb << 20) + _FORM + longest_text


def _too_large(file: str) -> TooLarge:
    return TooLarge(f"The file is larger than {config().max_upload_mb} MiB", field=file)


def _events(most: int) -> Iterator[Event]:
    request.max_content_length = most
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise BadInput("The form has no boundary")
    decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=_MOST_PARTS)
    while True:
        decoder.receive_data(request.stream.read(_BLOCK) or None)
        while not isinstance(event := decoder.next_event(), NeedData):
            if isinstance(event, Epilogue):
                return
            yield event
        if len(decoder.buffer) > _FORM + _BLOCK:
            raise BadInput("The form cannot be read: its parts have no end")


class _Form:
    def __init__(
        self, names: tuple[str, ...], file: str, place: Callable[[], Path], longest_text: int
    ) -> None:
        self._names, self._file, self._place = names, file, place
        self._longest_text = longest_text
        self._text: list[bytes] = []
        self._name, self._length = "", 0
        self._target: IO[bytes] | None = None
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None

    def take(self, event: Event) -> None:
        if isinstance(event, Field | File):
            self._begin(event)
        elif isinstance(event, Data):
            self._add(event)

    def _begin(self, part: Field | File) -> None:
        name = part.name
        if name not in (*self._names, self._file):
            raise BadInput(f"'{name}' is not a field of this request", field=name)
        if name in self.fields or (name == self._file and self.file_name is not None):
            raise BadInput(f"'{name}' is given twice", field=name)
        if isinstance(part, File) != (name == self._file):
            what = "a file" if name == self._file else "text"
            raise BadInput(f"'{name}' must be {what}", field=name)
        self._name, self._length, self._text = name, 0, []
        if isinstance(part, File):
            self.file_name = part.filename
            self._target = self._place().open("wb")

    def _add(self, data: Data) -> None:
        self._length += len(data.data)
        if self._target is not None:
            if self._length > config().max_upload_mb << 20:
                raise _too_large(self._file)
            self._target.write(data.data)
            if not data.more_data:
                self.close()
            return
        self._text.append(data.data)
        most = self._longest_text if self._name == "text" else _LONGEST_FIELD
        if self._length > most:
            raise BadInput(f"'{self._name}' is too long", field=self._name)
        if not data.more_data:
            self.fields[self._name] = _text(self._name, b"".join(self._text))

    def close(self) -> None:
        target, self._target = self._target, None
        if target is not None:
            target.close()


def _text(name: str, data: bytes) -> str:
    try:
        return plain_text(data.decode())
    except ValueError as error:
        why = str(error) if isinstance(error, BadText) else "must be UTF-8"
        raise BadInput(f"'{name}' {why}", field=name) from None
