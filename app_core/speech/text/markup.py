"""HTML and Markdown, and what is left of them: what is written for the eye is taken out."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from app_core.speech.text.characters import superscript
from app_core.speech.text.web_address import short_addresses

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

# Each pattern is possessive, or stops at its own opening, so that any text takes linear time.
_HIDDEN = re.compile(
    r"<!--(?:(?!<!--).)*?-->"
    r"|<(script|style|think|thinking|noscript|template|svg)\b[^<>]*+>(?:(?!<\1\b).)*?</\1\s*>"
    r"|<[!?][A-Za-z\[][^<>]*+>",
    re.DOTALL | re.IGNORECASE,
)
_SCRIPT = re.compile(r"<(sup|sub)>\s*([-+]?\d{1,4})\s*</\1>", re.IGNORECASE)
_VALUE = r"""(?:"[^"<]*+"|'[^'<]*+'|[^\s"'<>]++)"""
_TAG = re.compile(
    rf"</?([A-Za-z][\w:-]*+)(?P<attributes>(?:\s++[\w:@.-]++(?:\s*+=\s*+{_VALUE})?+)*+)\s*+/?>"
)
_FLAGS = frozenset(
    "disabled checked hidden async defer open controls autoplay loop muted required selected"
    " readonly multiple nowrap novalidate allowfullscreen playsinline".split()
)
"""Attributes without a value."""
_CUE_TAG = re.compile(
    r"<(?:\d{1,3}:)?\d\d:\d\d\.\d{3}>|</?(?:c|v|i|b|u|lang|ruby|rt)(?:\.[\w-]{1,40}){1,4}>"
    r"|<lang [A-Za-z]{2,3}(?:-\w{1,8})*>"
    r"|(?:^|(?<=\n)|(?<=>))(?:- ?)?<v(?:\.[\w-]{1,40}){0,4}[ \t][^<>\n]{1,80}>"
)
"""Of WebVTT: a time, a class, a language, who speaks."""
_CUE_TIMES = re.compile(
    r"^(?:\d{1,5}[ \t]*\n)?[ \t]*(?:\d{1,3}:)?\d\d:\d\d[.,]\d{3}[ \t]+-->[^\n]*\n?"
    r"|^WEBVTT(?:[ \t][^\n]*)?$",
    re.MULTILINE,
)
"""Of WebVTT and SubRip, with the number before them."""
_ASS = re.compile(r"\{\\[^{}\n]{1,80}\}")
_TERMINAL = re.compile(
    r"(?:\x1b|\\x1b|\\033|\\e|\\u001b)\[[0-?]{0,40}[ -/]{0,4}[@-~]|\x9b[0-?]{0,40}[ -/]{0,4}[@-~]"
    r"|\x1b\][^\x07\x1b\n]{0,200}(?:\x07|\x1b\\)|\x1b[ -/]{0,4}[0-Z\\^-~]"
)
"""Colours and their like (ECMA-48)."""
_TERMINAL_REMAINS = re.compile(r"\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m(?![\w ]{0,20}\])")
_INLINE = frozenset(
    "a abbr b bdi bdo cite code del dfn em font i ins kbd mark q s samp small span strike strong"
    " sub sup tt u var wbr".split()
)
_LINES = frozenset(
    "address article aside blockquote body br dd div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 head header hr html li main nav ol option p pre section table tbody tfoot"
    " thead title tr ul".split()
)
_OTHERS = frozenset(
    "audio break button canvas col colgroup embed emphasis iframe img input label lexicon link meta"
    " object param path phoneme picture prosody say-as script select source speak style svg td"
    " textarea th track video voice".split()
)
_CLOSING = re.compile(r"</([A-Za-z][\w:-]*+)")
_ENTITY = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    r"|&(?:nbsp|amp|quot|laquo|raquo|mdash|ndash|hellip)(?![\w;=])"
)
_BB_CODE = re.compile(
    r"\[/?(?:b|i|u|s|url|img|quote|code|size|color|center|spoiler|list|\*)(?:=[^\[\]\n]{0,200})?\]",
    re.IGNORECASE,
)

_FENCE = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*+(?=[^\n]{2})[-=*_|:+~# \t]++$", re.MULTILINE)
_DEFINITION = re.compile(
    r"^[ \t]*\[[^\[\]^\n][^\[\]\n]*\]:[ \t]*<?(?:https?:|/|#|mailto:)[^\n]*$", re.M
)
_DEST = (
    r"\(\s*+<?(?:[^()\s<>]|\([^()\s]*\))*+>?"
    r"""(?:\s++(?:"[^"\n]*+"|'[^'\n]*+'|“[^”\n]*+”))?\s*+\)"""
)
_IMAGE = re.compile(rf"!\[([^\[\]]*)\](?:{_DEST}|\[[^\[\]\n]*\])")
_LINK = re.compile(rf"\[([^\[\]]*)\](?:{_DEST}|\[[^\[\]\n^]*\])")
_FOOTNOTE = re.compile(
    r"^[ \t]*\[\^[^\[\]\s]{1,40}\]:[ \t]*|\[\^[^\[\]\s]{1,40}\]"
    r"|(?<=[\w.,!?;:»”\")])(?:\[\d{1,3}(?:[,–-] ?\d{1,3})*\])+(?!\()|【[^【】]*】",
    re.MULTILINE,
)
_MAIL = re.compile(r"<(?:mailto:)?([\w.+-]{1,64}@[\w.-]{1,255})>|\bmailto:")
_ORNAMENTS = "\u2600-\u2715\u2717-\u2775\u2798-\u2bff\U0001f300-\U0001faff"
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINE_MARK = re.compile(
    r"^[ \t]*+(?:(?:#{1,6}|>+|[-*+·–—])[ \t]++|\[[ xXхХ✓✔]?\][ \t]++"
    rf"|[•‣▪▫●○◦■□◆◇►▸▶{_ORNAMENTS}]++[ \t]*+)++",
    re.MULTILINE,
)
_TASK = re.compile(r"^([ \t]*\d{1,3}[.)][ \t]+)\[[ xXхХ]\][ \t]+", re.MULTILINE)
_HEADING_END = re.compile(r"(?<![ \t])[ \t]++#{1,6}[ \t]*+$", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_STRONG = re.compile(r"\*\*+|~~+|`+|(?<!\w)__+|__+(?!\w)")
_MARKED = re.compile(r"==(?=[^\s=])([^=\n]*+)==")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])([^*\n]*+)(?<!\s)\*(?![\w*])"
    r"|(?<!\w)_(?=[^\s_])([^_\n]*+)(?<!\s)_(?!\w)"
)
_CELL = re.compile(r"(?<=[^\s|])([ \t]*)\|[ \t]*(?=[^\s|])|\|")


def without_html(text: SpanText) -> SpanText:
    """``text`` without tags, comments and what stands in scripts and styles, as far as their end
    is in the same ``text``: the whole one, since these are longer than a part of it."""
    if "<" not in text.text:
        return text
    text = text.sub(_CODE, _code).sub(_HIDDEN, " ").sub(_SCRIPT, _script).sub(_CUE_TAG, "")
    closed = {match[1].lower() for match in _CLOSING.finditer(text.text)}
    return text.sub(_TAG, lambda match: _tag(match, closed))


def without_terminal(text: SpanText) -> SpanText:
    """``text`` without what colours it in a terminal, also where the escape itself is lost."""
    if "[" not in text.text and "\x1b" not in text.text and "\x9b" not in text.text:
        return text
    text = text.sub(_TERMINAL, "")
    return text.sub(_TERMINAL_REMAINS, "") if "[0m" in text.text else text


def without_markup(text: SpanText) -> SpanText:
    """``text`` without HTML, Markdown and BBCode; links become their labels, web addresses are
    cut short, and the cells of a table are parted by commas.
    """
    text = without_html(text)
    if "-->" in text.text or "{\\" in text.text:
        text = text.sub(_CUE_TIMES, "\n").sub(_ASS, "")
    text = text.sub(_MAIL, lambda match: match[1] or "")
    if "://" in text.text:
        text = text.sub(_DEFINITION, "")
    if "[" in text.text:
        text = text.sub(_FOOTNOTE, "").unwrap(_IMAGE).unwrap(_LINK)
    if "[/" in text.text:
        text = text.sub(_BB_CODE, "")
    text = short_addresses(text)
    for _ in range(2):  # &amp;nbsp;
        text = text.sub(_ENTITY, lambda match: html.unescape(match.group()), whole=True)
    text = without_html(text).sub(_FENCE, "").sub(_RULE, "").unwrap(_TASK)
    text = text.sub(_LINE_MARK, "\n").sub(_HEADING_END, "")
    return _without_marks(text)


def _without_marks(text: SpanText) -> SpanText:
    text = text.unwrap(_MARKED)
    text = text.sub(_STRONG, _strong)
    for _ in range(2):  # one inside the other
        text = text.unwrap(_EMPHASIS)
    text = text.sub(_ESCAPE, "")
    return text.sub(_CELL, lambda match: " " if match[1] is None else ", ")


def _code(match: re.Match[str]) -> str | None:
    """A tag that is spoken of: its name stays."""
    inner = match[1]
    return re.sub("[<>/]", " ", inner) if _TAG.search(inner) else None


def _script(match: re.Match[str]) -> str:
    return superscript(match[2]) if match[1].lower() == "sup" else match[2]


def _tag(match: re.Match[str], closed: set[str]) -> str | None:
    """What stands for a tag; None of a word in angles, such as ``<name>``, that nothing closes."""
    name, attributes = match[1].lower(), match["attributes"]
    speaker = name == "v" and name in closed
    if not speaker and "=" not in attributes and not all(map(_is_flag, attributes.lower().split())):
        return None
    if name in _LINES:
        return "\n"
    if name in ("td", "th"):
        return ", " if match.group().startswith("</") else ""
    if name in ("s", "del", "strike") and match.group().startswith("</"):
        return "," if _ends_word(match) else ""
    if name in _INLINE:
        return ""
    known = name in _OTHERS or name in closed or match.group()[-2] == "/" or " " in match.group()
    return " " if known else None


def _is_flag(attribute: str) -> bool:
    return attribute in _FLAGS or attribute.startswith(("data-", "aria-"))


def _strong(match: re.Match[str]) -> str:
    if _between_digits(match):
        return "^"
    return "," if match.group().startswith("~~") and _ends_word(match) else ""


def _ends_word(match: re.Match[str]) -> bool:
    """Whether it closes what is struck out, after which something else is meant."""
    text, (start, end) = match.string, match.span()
    return not text[start - 1 : start].isspace() and text[end : end + 1].isspace()


def _between_digits(match: re.Match[str]) -> bool:
    """``2**10`` is a power."""
    text, (start, end) = match.string, match.span()
    return (
        match.group() == "**"
        and text[start - 1 : start].isdecimal()
        and text[end : end + 1].isdecimal()
    )
