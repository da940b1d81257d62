from __future__ import annotations

import pytest

from app_core.speech.text.cleaning import clean
from app_core.speech.text.span_text import SpanText


def cleaned(text: str) -> str:
    return clean(SpanText.written(text)).text.replace("\n\n", "\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Hi 😀 **bold** `code`\u200b [site](http://a.b/c?d) <b>x</b> https://www.example.com/a?b=1.",
            "Hi bold code site x example.com/a.",
        ),
        ("Кто там!!! ... да", "Кто там! … да"),
        ("\ufeffa\u200bb so\xadft \u202ex\u202c \x07y\ue000", "ab soft x y"),
        ("Hi 👍🏽🇰🇿👨\u200d👩\u200d👧 there 1\ufe0f\u20e3 ♥\ufe0f", "Hi there 1"),
        ("Привет:) Как дела))) :-) :smile:", "Привет Как дела"),
        ("(см. (тут))) и 3) пункт", "(см. (тут)) и 3) пункт"),
        ("T\u0336e\u0336x\u0336t\u0336", "Text"),
    ],
)
def test_what_would_be_spelled_out_goes(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("𝐇𝐞𝐥𝐥𝐨 Ｈｅｌｌｏ ʜᴇʟʟᴏ 🅷🅴🅻🅻🅾 ﬁne Ⓗⓘ", "Hello Hello hello HELLO fine Hi"),
        ("① ❷ ⑩ Ⅳ ⅸ ١٢٣ 𝟓 ７", "1 2 10 IV IX 123 5 7"),
        ("½ 1⁄2 x² m³ № 25℃ 20º H₂O 5㎏ 3㎡ Soyle™", "½ 1/2 x² m³ № 25°C 20° H2O 5kg 3m² Soyle"),
        ("10\xa0000 10\u202f000 10\u2009000", "10 000 10 000 10 000"),
        ("Wi\u2011Fi, −5, 5–7 — да", "Wi-Fi, −5, 5–7 — да"),
        ("e\u0308 и\u0306 cafe\u0301", "ë й café"),
        ("замо\u0301к за\u0301мок", "замо\u0301к за\u0301мок"),
    ],
)
def test_characters_become_plain_ones(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Tom &amp; Jerry&nbsp;&lt; 3 &#1234; &amp;nbsp;x &laquo;да&raquo;",
            "Tom & Jerry < 3 Ә x «да»",
        ),
        ("Hi<!-- no --> you<script>a('<b>')</script><style>p{}</style>", "Hi you"),
        ("<p class='a'>Да <b>н</b>ет</p>Ещё<br/>раз", "Да нет\nЕщё\nраз"),
        ("м<sup>2</sup> H<sub>2</sub>O", "м² H2O"),
        ("<speak>Hi<break time='500ms'/>there</speak>", "Hi there"),
        ("Use the `<div>` tag, a < b, <ваше имя>", "Use the div tag, a < b, ваше имя"),
        ("[b]x[/b]", "x"),
        ("<answer>Да</answer> <name>", "Да name"),
        ("[CODE]", "CODE"),
    ],
)
def test_html_goes(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "# Title #\n***Bold*** _it_ ~~no~~ ==mark==\n---\n> said",
            "Title\nBold it no, mark\nsaid",
        ),
        ("- [x] done\n- [ ] todo\n* item\n1. one\n1) [x] two", "done\ntodo\nitem\n1, one\n1, two"),
        ("1\ufe0f\u20e3 раз\n2\ufe0f\u20e3 два❗", "1, раз\n2, два!"),
        ("~~10 000~~ **8 000** ₸, <s>5</s> 4", "10 000, 8 000 ₸, 5, 4"),
        ("• one\n✅ two\n— three", "one\ntwo\nthree"),
        ("| Чай | 500 ₸ |\n|---|:-:|\n| Сок | 700 ₸ |", "Чай, 500 ₸\nСок, 700 ₸"),
        ("```bash\npip install x\n```\nok", "pip install x\nok"),
        ('[a](https://x.y/b_c "Hi") ![p](q.png) [r][1]\n\n[1]: https://x.y', "a p r"),
        ("<https://kaspi.kz/pay?x=1>, (https://a.kz), <me@x.kz>", "kaspi.kz/pay, (a.kz), me@x.kz"),
        (
            "https://user@a.kz:80/b/c/, a.kz/b?x=1#y, https://a.kz/b/c/d/ https://youtu.be/dQw4w9WgXcQ!",
            "a.kz/b/c, a.kz/b, a.kz/b youtu.be!",
        ),
        ("т.е./т.к., 1.5/2, a.kz/%D0%B0. me@a.kz/b", "т.е./т.к., 1.5/2, a.kz. me@a.kz/b"),
        ("Факт[1][2].\n[^1]: сноска[^1]", "Факт.\nсноска"),
        (r"1\. \*no\* \(x = \frac{1}{2}\) $x^{2}$, $5", "1. no x = 1/2 x², $5"),
    ],
)
def test_markdown_goes(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 * 3 = 15, 2*x, 10x15, 10 см х 15 см", "5 × 3 = 15, 2×x, 10×15, 10 см × 15 см"),
        ("x < 5, y > -2, a <= b, a != b, x^2, 2**3, ~5", "x < 5, y > -2, a ≤ b, a ≠ b, x², 2³, ≈5"),
        ("C#, C++, R&D, a_b, #тег, @me, A+, .NET", "C#, C++, R&D, a_b, #тег, @me, A+, .NET"),
        ("Цена* 500, сноска *, # и _____", "Цена 500, сноска, и"),
        ("Меню > Файл > Печать", "Меню, Файл, Печать"),
        ("a -> b → c", "a, b, c"),
        ("ул., 5, т.е., да, , нет ,!", "ул., 5, т.е., да, нет!"),
        ("Terms¹ apply.² 5 км² note*. (c) 2026", "Terms apply. 5 км² note. 2026"),
    ],
)
def test_signs_of_formulas_stay(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world.This is it.It is", "Hello world. This is it. It is"),
        ("Да.Нет!нет?да 5 %.Да", "Да. Нет! нет? да 5 %. Да"),
        (
            "example.com, Kaspi.Kz, Node.js, U.S.A, 3.Next",
            "example.com, Kaspi.Kz, Node.js, U.S.A, 3.Next",
        ),
        ("раз,два:три", "раз, два: три"),
        ("10,5 и 10:30", "10,5 и 10:30"),
    ],
)
def test_words_that_are_glued_are_parted(text: str, expected: str) -> None:
    assert cleaned(text) == expected


def test_letters_of_other_cyrillic_alphabets_become_their_neighbours() -> None:
    """espeak-ng spells them by the numbers of their code points."""
    assert clean(SpanText.written("Ґанок Магілёў сѐ Ѣ Ѹ")).text == "Ганок Магілёу се Е"
    every = "".join(map(chr, range(0x400, 0x530)))
    assert set(clean(SpanText.written(every)).text.lower()) <= set(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі "
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<v Bob>Hello</v>", "Hello"),
        ("Hi <v Bob>Hello</v>", "Hi Hello"),
        ("- <v.loud Mary Ann>Hello there", "Hello there"),
        ("<c.yellow.bg_blue>Hi</c> and <lang en-GB>bye</lang>", "Hi and bye"),
        ("<00:00:01.500>Never <00:00:02.000>drink", "Never drink"),
        ("<div data-x hidden class=a>Text</div>", "Text"),
        ('<option value="1" selected>One</option>', "One"),
        ("<button onclick=\"go('a > b')\">Go</button>", "Go"),
        ("if a <b and c> d", "if a b and c d"),
        ("x <v and y> z", "x v and y z"),
        ("the <main idea> of <your name>", "the main idea of your name"),
    ],
)
def test_tags_are_silent_with_all_that_is_in_them(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize("joiner", ["", "\u2060"])
def test_the_times_of_captions_are_silent(joiner: str) -> None:
    subrip = (
        "1\n00:00:01,000 --{0}> 00:00:04,000\nHi 5.\n\n2\n00:00:05,000 --{0}> 00:00:06,000\nBye."
    )
    assert cleaned(subrip.format(joiner)) == "Hi 5.\nBye."
    vtt = "WEBVTT - x\n\n00:00.000 --{0}> 00:02.000 align:left\n<v Bob>Hi <00:01.000>you\n"
    assert cleaned(vtt.format(joiner)) == "Hi you"
    assert cleaned("{\\an8}Top <\u2060i>line") == "Top line"
    assert cleaned(f"a --{joiner}> b") == "a, b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;38;5;12mblue\x1b[m", "red and blue"),
        ("\x1b]0;title\x07text\x1b[2K", "text"),
        ("\\x1b[31mred\\033[0m \\u001b[1mbold", "red bold"),
        ("[31mred[0m", "red"),
        ("the [5m wide] road", "the 5m wide road"),
    ],
)
def test_colours_of_a_terminal_are_silent(text: str, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1) хлеб 2) молоко 3) сыр", "1, хлеб, 2, молоко, 3, сыр"),
        ("Купить: 1) хлеб; 2) молоко.", "Купить: 1, хлеб; 2, молоко."),
        ("1. Open it. 2. Pay.", "1, Open it. 2, Pay."),
        ("План: 1. Хлеб. 2. Молоко.", "План: 1, Хлеб. 2, Молоко."),
        ("Стало 1. Затем 2. Потом ушли.", "Стало 1. Затем 2. Потом ушли."),
        ("пункт 1) закона, пункт 2) кодекса", "пункт 1) закона, пункт 2) кодекса"),
        ("(или 1) и g(y, 2) равны", "(или 1) и g(y, 2) равны"),
        ("т.е.т.е. т.б.т.б.", "т.е. т.е. т.б. т.б."),
    ],
)
def test_items_of_a_list_in_a_line_are_parted(text: str, expected: str) -> None:
    assert cleaned(text) == expected
