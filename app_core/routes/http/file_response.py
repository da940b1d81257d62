"""Answers whose body is a file: the server sends it, and the answer is told when that is over."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from flask import Response
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import WSGIEnvironment

    from werkzeug.datastructures import Headers


class _Part:
    """A file at the place where its part begins. ``close`` is the answer's."""

    def __init__(self, file: IO[bytes], close: Callable[[], object]) -> None:
        self._file, self.close = file, close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class FileResponse(Response):
    """As Flask's; ``call_on_close`` works for files that the server sends, too. An answer of no
    bytes is of no type."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        empty = not self.is_streamed and self.calculate_content_length() == 0
        if self.status_code == 204 or (empty and self.mimetype == self.default_mimetype):
            headers.remove("Content-Type")
        return headers

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        found = super().get_app_iter(environ)
        if found is not self.response:  # no body, or one that is told already
            return found
        wrapper = environ.get("wsgi.file_wrapper")
        whole: Any = getattr(found, "iterable", found)
        if wrapper is None or not isinstance(whole, wrapper):
            return ClosingIterator(found, self.close)
        file = whole.filelike
        file.seek(getattr(found, "start_byte", 0))
        part: Iterable[bytes] = wrapper(_Part(file, self.close))
        return part
