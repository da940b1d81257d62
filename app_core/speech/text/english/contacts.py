"""Addresses of the net, telephone numbers, cards and codes: sign by sign and digit by digit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.acronyms import letters
from app_core.speech.text.english.numbers import amount, cardinal, digits, spelled_groups

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_SIGNS = {".": " dot ", "_": " underscore ", "-": " dash ", "+": " plus ",
          "/": " slash ", "@": " at ", ":": " colon ", "=": " equals ", "&": " and "}  # fmt: skip
_SPELLED = frozenset(
    "kz ru uk us eu ua kg uz by cn jp de fr io ai tv be gg ly me md pl tr ae in tj am az ge"
    " www".split()
)
_TOP = (
    r"(?:com|org|net|edu|gov|info|biz|app|dev|shop|store|online|site|pro|me|io|ai|tv|be|gg|ly|kz|ru"
    r"|uk|us|eu|ua|kg|uz|by|cn|jp|de|fr|tr|ae|tj|am|az|ge|co)"
)
_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,100}[A-Za-z0-9]"
)
_DOMAIN = re.compile(
    rf"(?<![\w@.])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.){{1,4}}{_TOP}(?![\w-]|\.\w)"
    r"(?:/[\w./%~+-]{0,200}(?<![.-]))?"
)
_FILE = re.compile(
    r"(?<![\w.@/])[\w-]{1,80}\.(?:pdf|docx?|xlsx?|pptx?|jpe?g|png|gif|mp[34]|wav|txt|csv|zip|exe|py|js|json|html?)\b"
)
_HASHTAG = re.compile(r"(?<![\w&#])#([^\W\d_]\w*+)")
_HANDLE = re.compile(r"(?<![\w@.])@(\w[\w.]{0,60}\w|\w)")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\dA-Za-z_]+|\d+")
_PHONE = re.compile(
    r"(?<![\w.,-])(?<!\d )(?:\+ ?\d{1,3}[ -]?(?:\(\d{2,5}\)|\d{1,4})(?:[ -]?\d{2,4}){1,4}"
    r"|8[ -]?\(?\d{3,4}\)?[ -]?\d{2,3}(?:[ -]\d{2}){2}|[18][ -]\d{3}[ -]\d{3}[ -]\d{4}"
    r"|\(\d{3,5}\) ?\d{2,3}(?:[ -]\d{2,4}){1,2}"
    r"|\d{3}[-]\d{3}[-]\d{4}"
    r"|\d{2,3}-\d{2}-\d{2}|\d{3}-\d{4}|\+?\d{11})(?![\w-]|[.,]\d)"
)
_NUMBER = re.compile(
    r"\b([Nn]o\.|ID:?) ?(\d{3,8}(?:[- ]\d{3,8}){1,4})"
    r"(?![\w-]|[.,]\d)"
)
_CARD = re.compile(
    r"(?<![\w.,-])\d{4}(?:[ -]\d{4}){2,4}(?![\w-])"
    r"|(?<![\w.,])(?<!\d[ -])\d{3}[ -]\d{3}[ -]\d{3}[ -]\d{3}(?![\w-])"
)
_LONG = re.compile(
    r"(?<![\w.,:$€£₸])(?<!\d['’])(?:\d{10,}|(?<!\d )0\d+)"
    r"(?![\w.,]\d| ?[$€£₸₽]| (?:KZT|USD|tenge)|\w)(?!:)"
)
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)(:\d+)?")
_VERSION = re.compile(
    r"(?<![\w.])(?:([vV])\.? ?(?=\d))?(\d+(?:\.\d+){2,4})(?:[-.]?(alpha|beta"
    r"|rc)\.?(\d*))?(?![\w]|\.\d)"
)
_NAMED_VERSION = re.compile(
    r"\b([vV]|[Vv]ersion|[Vv]er\.|Python|Java|Node|PHP|Ruby|Go|Android|iOS|macOS|Windows|Ubuntu|Linux|Bluetooth"
    r"|USB|HTML|CSS|HTTP|TLS|HDMI|GPT|Swift|Django|Flask|Debian|release|build"
    r"|firmware) ?[-]?(\d+)\.(\d+)(?![\w]|\.\d)"
)
_ACCOUNT = re.compile(
    r"(?<![\w-])[A-Z]{2}\d{2}(?: ?(?=[A-Z\d]{0,3}\d)[A-Z\d]{4}){3,7}"
    r"(?: ?[A-Z\d]{1,3})?(?![\w-])"
)
"""IBAN."""
_AIRLINES = "KC|DV|FS|IQ|HY|SU|TK|LH|BA|EK|QR|EY|PC|FZ|W6|AF|KL|LO|AA|UA|DL|CZ|KE|OZ|J2|YK|ZF|U6|S7"
_FLIGHT = re.compile(
    rf"(?<![\w-])(?:({_AIRLINES})[ -]?|(?<=[Ff]light )([A-Z][A-Z\d])[ -]?)(\d{{3,4}})"
    r"(?![\w-]|[.,:]\d| ?[%°])"
)
_HYPHENED = re.compile(r"(?<![\w-])([A-Z]{2,4})-(\d{3,4})([A-Z]?)(?![\w-]|[.,:]\d)")
"""``BA-117``."""
_SOCIAL = re.compile(r"(?<![\w.,:/-])(\d{3})-(\d{2})-(\d{4})(?![\w-]|[.,/]\d)")
_SIZED = re.compile(r"(?<![\w.])([A-Z]{1,3})(\d{1,3}\.\d{1,2})(?![\w]|\.\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+$")
_PLAIN_VERSION = re.compile(r"(?<!\w)(?<![−+×=-] )[vV]\.? ?([1-9]\d*)(?![\w.]| [=+−×-])")
_EMERGENCY = re.compile(
    r"\b([Cc]all|[Dd]ial|[Pp]hone|[Rr]ing|emergency"
    r"|hotline|[Ee]xtension|[Ee]xt\.|[Cc]ard|ending (?:in|with)"
    r"|[Pp]asscode|PIN"
    r"|OTP|CVV|CVC|[Pp]assword|[Cc]ode|[Zz]ip|[Pp]ostcode)((?: is|:| no\.?)? )(\d{3,8})"
    r"(?![\w,.]\d|\w)"
    r"(?:( or | and )(\d{3})(?![\w,.]\d|\w))?"
)


def contacts(text: SpanText) -> SpanText:
    """``info@soyle.kz``: info at soyle dot K Z; ``+7 (727) 250-00-00``: plus seven, seven two
    seven, two five zero ...; ``v2.0.1``: version two point zero point one."""
    text = text.sub(_MAIL, _spelled).sub(_DOMAIN, _spelled).sub(_FILE, _spelled)
    text = text.sub(_HASHTAG, lambda match: f"hashtag {_camel(match[1])}")
    text = text.sub(_HANDLE, lambda match: f"at {_parts(match[1])}")
    return codes(text)


def codes(text: SpanText) -> SpanText:
    text = text.sub(
        _ADDRESS,
        lambda m: " dot ".join(digits(part) for part in m.group().split(":")[0].split(".")),
    )
    text = text.sub(_ACCOUNT, _account)
    text = text.sub(_FLIGHT, lambda m: f"{letters(m[1] or m[2])} {digits(m[3])}")
    text = text.sub(_HYPHENED, lambda m: f"{letters(m[1])} {digits(m[2])} {m[3]}".rstrip())
    text = text.sub(_NUMBER, _numbered)
    text = text.sub(_SOCIAL, lambda match: ", ".join(map(digits, match.groups())))
    text = text.sub(_CARD, lambda match: spelled_groups(match.group()))
    text = text.sub(_PHONE, _phone).sub(_EMERGENCY, _emergency)
    text = text.sub(_SIZED, lambda match: f"{letters(match[1])} {amount(match[2])}")
    text = text.sub(_VERSION, _version).sub(_NAMED_VERSION, _named_version)
    text = text.sub(_PLAIN_VERSION, lambda match: f"version {cardinal(int(match[1][:9]))}")
    return text.sub(_LONG, lambda match: _by_three(match.group()))


def _spelled(match: re.Match[str]) -> str:
    return _parts(match.group())


def _parts(address: str) -> str:
    words = []
    for part in re.findall(r"[A-Za-z]+|\d+|[^\W\dA-Za-z_]+|.", address):
        if part.isdecimal():
            words.append(digits(part) if len(part) > 2 or part[0] == "0" else cardinal(int(part)))
        elif (
            part.lower() in _SPELLED
            or part.isalpha()
            and part.isascii()
            and not set(part.lower()) & set("aeiouy")
        ):
            words.append(letters(part.upper()))
        else:
            words.append(_SIGNS.get(part, part if part.isalnum() else " ").strip())
    return " ".join(word for word in words if word)


def _camel(tag: str) -> str:
    return " ".join(_CAMEL.findall(tag))


def _emergency(match: re.Match[str]) -> str:
    name, joint, number, more, other = match.groups()
    return f"{name}{joint}{digits(number)}" + (f"{more}{digits(other)}" if other else "")


def _phone(match: re.Match[str]) -> str | None:
    text = match.group()
    plain = re.fullmatch(r"\d{11}", text)
    if plain and text[0] not in "78":
        return None
    if plain or re.fullmatch(r"\+\d{11}", text):
        sign, text = ("+" if text[0] == "+" else ""), text.lstrip("+")
        text = f"{sign}{text[0]} {text[1:4]} {text[4:7]} {text[7:9]} {text[9:]}"
    return ("plus " if text.startswith("+") else "") + spelled_groups(text)


def _numbered(match: re.Match[str]) -> str:
    name = match[1] if match[1].startswith("ID") else "number"
    return f"{name} {spelled_groups(match[2])}"


def _account(match: re.Match[str]) -> str:
    """The country and its check number, then sign by sign in groups of four."""
    signs = match.group().replace(" ", "")
    groups = [signs[at : at + 4] for at in range(4, len(signs), 4)]
    return f"{letters(signs[:2])} {_short(signs[2:4])}, " + ", ".join(
        " ".join(c if c.isalpha() else digits(c) for c in group) for group in groups
    )


def _by_three(number: str) -> str:
    return (
        ", ".join(digits(number[at : at + 3]) for at in range(0, len(number), 3))
        if len(number) > 6
        else digits(number)
    )


def _version(match: re.Match[str]) -> str | None:
    named, number, stage, stage_number = match.groups()
    if not named and _THOUSANDS.match(number):
        return None
    said = " point ".join(_short(part) for part in number.split("."))
    said = ("version " if named else "") + said
    if stage:
        said += f" {'R C' if stage == 'rc' else stage}" + (
            f" {_short(stage_number)}" if stage_number else ""
        )
    return said


def _named_version(match: re.Match[str]) -> str:
    name = "version" if match[1] in ("v", "V", "ver.", "Ver.") else match[1]
    return f"{name} {_short(match[2])} point {_short(match[3])}"


def _short(number: str) -> str:
    return (
        digits(number)
        if number[0] == "0" and len(number) > 1 or len(number) > 4
        else cardinal(int(number))
    )
