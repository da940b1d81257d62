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
