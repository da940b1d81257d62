"""The server's own answers, in the form of all errors."""

from __future__ import annotations

import json

from gunicorn import util
from gunicorn.http import errors

from app_core.errors import Busy, TooLarge, TooMany

PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class Refusal(Exception):
    """An answer to a request that no thread sees. ``str(refusal)`` is a sentence for a person."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code

    def encoded(self, method: str = "") -> bytes:
        """The whole answer; without its body to HEAD."""
        payload = {"error": str(self), "code": self.code, "field": None}
        body = json.dumps(payload).encode()
        head = [
            f"HTTP/1.1 {self.status} {PHRASES[self.status]}",
            f"Date: {util.http_date()}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "X-Content-Type-Options: nosniff",
        ]
        if self.status in (429, 503):
            head.append("Retry-After: 1")
        whole = "\r\n".join([*head, "", ""]).encode()
        return whole if method == "HEAD" else whole + body


def full() -> Refusal:
    return Refusal(Busy.status, Busy.code, "The server is full; try again soon")


def too_many() -> Refusal:
    return Refusal(TooMany.status, TooMany.code, "Too many requests wait; ask less often")


def late(what: str) -> Refusal:
    return Refusal(408, "request_timeout", f"The request's {what} did not come in time")


def long_line(most: int) -> Refusal:
    sentence = f"The address is longer than {most} bytes; send the fields as JSON in a POST"
    return Refusal(414, "uri_too_long", sentence)


def large_body(most: int) -> Refusal:
    return Refusal(TooLarge.status, TooLarge.code, f"The body is larger than {most >> 20} MiB")


def large_head() -> Refusal:
    return Refusal(431, "headers_too_large", "The request's header fields are too large")


def failed() -> Refusal:
    return Refusal(500, "internal", "The server failed on this request")


def of(error: Exception) -> Refusal:
    """For what the parser says of a head. Nothing of the head is echoed."""
    if isinstance(error, errors.LimitRequestHeaders):
        return large_head()
    if isinstance(error, errors.UnsupportedTransferCoding):
        return Refusal(501, "not_implemented", "Only the transfer coding 'chunked' is known")
    if isinstance(error, errors.ExpectationFailed):
        return Refusal(417, "expectation_failed", "Only the expectation '100-continue' is known")
    if isinstance(error, errors.InvalidHTTPVersion):
        return Refusal(400, "bad_input", "The request is not of HTTP/1.0 or HTTP/1.1")
    return Refusal(400, "bad_input", "The request cannot be read")
