"""Every string of the pages exists in all three languages, and every key is used."""

from __future__ import annotations

import json
import re

import pytest

from app_core import errors
from app_core.config import ROOT
from app_core.routes.pages import SECTIONS
from app_core.services.render_cost import WAYS

LANGUAGES = ("ru", "kk", "en")
SPOKEN = (*LANGUAGES, "auto")
KEY = r"[a-z]+\.[a-z0-9_]+"


def strings(language: str) -> dict[str, str]:
    path = ROOT / "static" / "i18n" / f"{language}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def in_templates() -> set[str]:
    """Keys in data-i18n and data-i18n-attr or given to a macro, the templates' loops unrolled."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "templates").glob("*.html"))
    pages = [page for _, page in SECTIONS]
    text = text.replace("title.{{ page }}", " ".join(f"title.{page}" for page in pages))
    text = text.replace("nav.{{ target }}", " ".join(f"nav.{page}" for page in pages))
    text = text.replace("speak.{{ code }}", " ".join(f"speak.{code}" for code in SPOKEN))
    for loop in re.finditer(r"{% for name in (\[.*?\]) %}(.*?){% endfor %}", text, re.DOTALL):
        rows = [loop[2].replace("{{ name }}", name) for name in json.loads(loop[1])]
        text = text.replace(loop[0], "".join(rows))
    named = re.findall(r'data-i18n(?:-attr)?="([^"]+)"', text)
    given = quoted("\n".join(re.findall(r"{[{%](.*?)[}%]}", text, re.DOTALL)))
    return given | set(re.findall(rf"(?<![\w.-]){KEY}(?![\w.])", " ".join(named)))


def in_scripts() -> set[str]:
    scripts = (ROOT / "static/js").glob("*.js")
    return quoted("\n".join(p.read_text(encoding="utf-8") for p in scripts))


def quoted(text: str) -> set[str]:
    """Quoted keys whose first word is one that the strings have."""
    sections = {key.split(".")[0] for key in strings("en")}
    return {key for key in re.findall(rf'"({KEY})"', text) if key.split(".")[0] in sections}


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_keys_in_every_language(language: str) -> None:
    assert list(strings(language)) == list(strings("en"))
    assert all(text.strip() for text in strings(language).values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_same_placeholders_in_every_language(language: str) -> None:
    for key, text in strings(language).items():
        expected = re.findall(r"{\w+}", strings("en")[key])
        assert sorted(re.findall(r"{\w+}", text)) == sorted(expected), key


def test_used_keys_are_the_keys_there_are() -> None:
    used = in_templates() | in_scripts()
    assert used == set(strings("en"))


def test_every_error_of_the_server_has_a_sentence() -> None:
    script = (ROOT / "static/js/error_line.js").read_text(encoding="utf-8")
    found = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in found if issubclass(kind, errors.SoyleError)}
    assert len(codes) > 10
    assert codes <= set(re.findall(r"^  (\w+): \"error\.", script, re.MULTILINE))


def test_what_costs_too_much_is_said_by_its_field() -> None:
    script = (ROOT / "static/js/error_line.js").read_text(encoding="utf-8")
    fields = re.search(r"^  too_costly: {(.*?)}", script, re.MULTILINE | re.DOTALL)
    assert fields is not None
    told = dict(re.findall(r'(\w+): "(.*?)"', fields[1]))
    assert set(told) == {*WAYS, "file"}
    for language in LANGUAGES:
        said = strings(language)
        whole = [said[key] for key in (*told.values(), "error.too_costly")]
        assert len(set(whole)) == len(whole)
        assert not any("{" in sentence for sentence in whole)  # the server's own is English


@pytest.mark.parametrize(("language", "again"), [("ru", "повт|попроб"), ("en", "again")])
def test_when_to_come_again_is_said_once(language: str, again: str) -> None:
    """``error.retry`` follows what comes with Retry-After."""
    for key in ("error.too_many", "error.busy", "error.not_ready"):
        assert re.search(again, strings(language)[key], re.IGNORECASE) is None


def test_kazakh_is_not_russian() -> None:
    russian, kazakh = strings("ru"), strings("kk")
    same = {key for key in russian if russian[key] == kazakh[key]}
    units = ("seconds", "milliseconds", "minutes", "megabytes", "rate")
    assert same <= {f"unit.{name}" for name in units}
