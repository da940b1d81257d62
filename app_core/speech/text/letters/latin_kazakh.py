"""Kazakh in Latin letters: the alphabets of 2017 to 2021, and what people type on any keyboard."""

from __future__ import annotations

import re

SPECIAL = frozenset("äğñöşūüıïáǵńóúýəÄĞÑÖŞŪÜIÏÁǴŃÓÚÝƏİ") - {"I"}
"""Letters that English does not have; some of them other languages of Europe do."""
_LETTERS = dict(
    pair.split("=")
    for pair in (
        "a=а ä=ә á=ә ə=ә b=б c=к ç=ч d=д e=е f=ф g=г ğ=ғ ǵ=ғ h=х i=і ı=і ï=и j=ж k=к q=қ l=л m=м"
        " n=н ñ=ң ń=ң o=о ö=ө ó=ө p=п r=р s=с ş=ш t=т u=у ū=ұ ü=ү ú=ү ý=у v=в w=у x=х y=ы z=з"
    ).split()
)
_GROUPS = {
    "shch": "щ", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "gh": "ғ", "ng": "ң",
    "ya": "я", "yu": "ю", "ia": "ия", "ua": "уа", "iu": "ию",
}  # fmt: skip
_VOWELS = frozenset("aäáəeiıïoöóuūüúy")
_GLIDES = frozenset("iıy")
_FRONT = re.compile(r"[eäöüáóúəiı]")
_TYPED = dict(
    pair.split("=")
    for pair in (
        "salem=сәлем salemetsiz=сәлеметсіз salemetsizbe=сәлеметсізбе rahmet=рақмет rakhmet=рақмет"
        " kun=күн bugin=бүгін bugun=бүгін kop=көп jane=және zhane=және ushin=үшін uchin=үшін"
        " otbasy=отбасы omir=өмір olen=өлең ozim=өзім ozi=өзі ozen=өзен uy=үй uide=үйде uyde=үйде"
        " jurek=жүрек turki=түркі turkistan=түркістан jyl=жыл zhyl=жыл til=тіл tili=тілі"
        " alem=әлем ana=ана ake=әке ata=ата aje=әже azhe=әже apa=апа ani=әні an=ән adil=әділ"
        " jana=жаңа zhana=жаңа jaña=жаңа jaqsy=жақсы zhaksy=жақсы jaksy=жақсы"
        " qalay=қалай kalay=қалай qalai=қалай kalai=қалай"
        " qalaisyn=қалайсың qalaysyn=қалайсың kalaisyn=қалайсың kalaysyn=қалайсың"
        " qalaisyz=қалайсыз qalaysyz=қалайсыз kalaisyz=қалайсыз kalaysyz=қалайсыз"
        " qazaq=қазақ kazak=қазақ qazaqsha=қазақша kazaksha=қазақша qazaqstan=қазақстан"
        " bolady=болады kerek=керек joq=жоқ jok=жоқ zhok=жоқ bar=бар emes=емес"
        " men=мен sen=сен siz=сіз biz=біз olar=олар bul=бұл sol=сол osy=осы ne=не kim=кім"
        " menin=менің senin=сенің sizdin=сіздің bizdin=біздің onyn=оның atym=атым"
        " magan=маған sagan=саған ogan=оған bizge=бізге sizge=сізге"
        " qosh=қош kosh=қош keldiniz=келдіңіз keldinizder=келдіңіздер qoshkeldiniz=қошкелдіңіз"
        " tan=таң tun=түн tusinem=түсінем tusindim=түсіндім suiem=сүйем suyem=сүйем"
        " jumys=жұмыс zhumys=жұмыс uaqyt=уақыт ulken=үлкен kishkentai=кішкентай bala=бала"
        " balalar=балалар dostar=достар dos=дос mektep=мектеп kitap=кітап kala=қала qala=қала"
        " jer=жер su=су ayel=әйел aiel=әйел er=ер adam=адам zhan=жан jan=жан"
        " turady=тұрады turamyn=тұрамын turam=тұрам tur=тұр jatyr=жатыр otyr=отыр"
        " qaida=қайда qayda=қайда kaida=қайда kayda=қайда qashan=қашан kashan=қашан"
        " erten=ертең keshe=кеше qazir=қазір kazir=қазір endi=енді"
        " ayt=айт aitshy=айтшы aytshy=айтшы ma=ма me=ме ba=ба be=бе da=да de=де"
        " gauhar=гауһар jahan=жаһан zhahan=жаһан şahar=шаһар qaharman=қаһарман"
        " nauryz=наурыз meyramy=мейрамы meiramy=мейрамы quttyqtaimyn=құттықтаймын"
        " quttyktaimyn=құттықтаймын kuttyktaimyn=құттықтаймын kuttyktaymyn=құттықтаймын"
        " qutty=құтты kutty=құтты bolsyn=болсын tugan=туған kuninmen=күніңмен kuninizben=күніңізбен"
        " aman=аман esen=есен saqtai=сақтай sau=сау bol=бол bolynyz=болыңыз bolyndar=болыңдар"
        " zhaqsy=жақсы zhur=жүр jur=жүр zhumysta=жұмыста jumysta=жұмыста"
        " qymbat=қымбат qymbatty=қымбатты kymbatty=қымбатты arzan=арзан baga=баға bagasy=бағасы"
        " qansha=қанша kansha=қанша tenge=теңге aqsha=ақша aksha=ақша satamyn=сатамын"
        " respublika=республика universitet=университет prezident=президент ministr=министр"
        " kompaniia=компания kompaniya=компания telefon=телефон internet=интернет film=фильм"
        " kino=кино video=видео institut=институт filosofiia=философия"
        " assalaumagaleikum=ассалаумағалейкум ulttyq=ұлттық ulttyk=ұлттық"
        " nomir=нөмір tarih=тарих tarikh=тарих"
    ).split()
)
"""Words that ASCII alone does not tell."""


_STEM = 5
"""Letters of one of them that endings may follow."""


def is_typed(word: str) -> bool:
    """Whether a word in small ASCII letters is one of those that only Kazakh has."""
    return word in _TYPED


def in_cyrillic(word: str, soft_k: bool = False) -> str:
    """A Kazakh word, with the capital that it has. ``soft_k``: the writer has q for қ."""
    lower = word.replace("İ", "i").replace("I", "ı" if _special(word) else "i").lower()
    for end in range(len(lower), 0, -1):
        if lower[:end] in _TYPED and (end == len(lower) or end >= _STEM):
            return _cased(word, _TYPED[lower[:end]] + _spelled(lower[end:], False))
    hard = (
        not soft_k
        and "q" not in lower
        and not _special(word)
        and not _FRONT.search(_no_glides(lower))
    )
    return _cased(word, _spelled(lower, hard))


def _spelled(lower: str, hard: bool) -> str:
    """Letter by letter; ``hard``: the writer has no q and no ğ, and k and g mean қ and ғ here."""
    said: list[str] = []
    at = 0
    while at < len(lower):
        group = next((lower[at:e] for e in (at + 4, at + 2) if lower[at:e] in _GROUPS), "")
        before, after = lower[at - 1 : at], lower[at + 1 : at + 2]
        if group and not (group[0] in "iu" and before in _VOWELS and before):
            said.append(_GROUPS[group])
            at += len(group)
            continue
        char = lower[at]
        new = _LETTERS.get(char, "" if char in "'’`ʻ" else char)
        glided = before == "u" and lower[at - 2 : at - 1] in _VOWELS and at > 1  # ауыл, бауыр
        if char in _GLIDES and before and before in _VOWELS - _GLIDES and not glided:
            new = "й"
        elif char in "iı" and (after and after in _VOWELS or before in ("q", "ğ")):
            new = "и"
        elif hard and char in "kg":
            new = {"k": "қ", "g": "ғ"}[char]
        said.append(new)
        at += 1
    return "".join(said)


def _no_glides(word: str) -> str:
    """Without i and y beside a vowel, which say nothing about harmony."""
    return re.sub(r"(?<=[aouyeä])[iıy]|[iıy](?=[aou])", "", word)


def _special(word: str) -> bool:
    return not SPECIAL.isdisjoint(word)


def _cased(word: str, said: str) -> str:
    return said[:1].upper() + said[1:] if word[:1].isupper() else said
