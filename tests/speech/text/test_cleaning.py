from __future__ import annotations

import pytest

from app_core.speech.text.cleaning import clean
from app_core.speech.text.span_text import SpanText


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Hi 😀 **bold** `code`\u200b [site](http://a.b/c?d) <b>x</b> https://www.example.com/a?b=1.",
            "Hi bold code site x example.com.",
        ),
        ("Кто там!!! ... да", "Кто там! … да"),
    ],
)
def test_what_would_be_spelled_out_goes(text: str, expected: str) -> None:
    assert clean(SpanText.written(text)).text == expected
