"""A person who opens a page that is refused reads a page; programs get JSON."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app_core.config import Config

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
ELSEWHERE = {"Host": "evil.example"}
PAGES = ("/", "/realtime", "/avatars", "/docs", "/api/lipsync/video", "/whep_test", "/api-test")


def sentences(answer: Any) -> list[str]:
    """By language, kk ru en."""
    assert answer.mimetype == "text/html" and "Accept" in answer.headers["Vary"]
    found = re.findall(r'<p lang="(kk|ru|en)">(.+?)</p>', answer.text)
    assert [language for language, _ in found] == ["kk", "ru", "en"]
    return [sentence for _, sentence in found]


@pytest.fixture
def client(make_client: Any, config: Config) -> Any:
    """Of somebody who has asked as often as one may."""
    made = make_client(config=config.model_copy(update={"client_requests_min": 1}))
    assert made.get("/api/voices").status_code == 200
    return made


@pytest.mark.parametrize("path", PAGES)
def test_too_many(client: Any, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 429
    wait_s = answer.headers["Retry-After"]
    assert all(wait_s in sentence for sentence in sentences(answer))
    assert f'http-equiv="refresh" content="{wait_s}"' in answer.text


def test_the_bare_page_says_nothing_and_comes_again(client: Any) -> None:
    answer = client.get("/avatar", headers=BROWSER)
    assert answer.status_code == 429
    assert f'http-equiv="refresh" content="{answer.headers["Retry-After"]}"' in answer.text
    assert re.search(r"<body>\s*</body>", answer.text)


def test_programs_get_json(client: Any) -> None:
    for path in ("/", "/api/lipsync/video", "/docs"):
        for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            answer = client.get(path, headers=accept)
            assert (answer.status_code, answer.json["code"]) == (429, "too_many")
    for path in ("/api/voices", "/metrics", "/openapi.json"):
        assert client.get(path, headers=BROWSER).json["code"] == "too_many"
    answer = client.post("/api/lipsync/video", json={"text": "one"}, headers=BROWSER)
    assert answer.json["code"] == "too_many"


@pytest.mark.parametrize("path", PAGES)
def test_another_name(make_client: Any, path: str) -> None:
    answer = make_client().get(path, headers=BROWSER | ELSEWHERE)
    assert answer.status_code == 403
    assert all("ALLOWED_HOSTS" in sentence for sentence in sentences(answer))
    assert "refresh" not in answer.text and "evil" not in answer.text


def test_an_address_without_anything(make_client: Any) -> None:
    answer = make_client().get("/nothing", headers=BROWSER)
    assert answer.status_code == 404
    assert sentences(answer)[2] == "There is nothing at this address."
