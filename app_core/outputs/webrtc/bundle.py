"""All lines of media of an offer on one transport, whichever of them it is described in."""

from __future__ import annotations

_SHARED = ("a=ice-ufrag:", "a=ice-pwd:", "a=ice-options:", "a=fingerprint:", "a=setup:")
"""What is one transport's. The first line of a bundle speaks for all (RFC 9143, 7.1.3)."""
_GROUP = "a=group:BUNDLE "
_MUX = "a=rtcp-mux"


def on_one_transport(sdp: str) -> tuple[str, list[str]]:
    """The offer with the transport told in each line of its bundle, so that each stands for itself;
    lines that come only in a bundle are no longer marked as refused. Beside it its candidates, as
    in SDP without ``a=``, taken out: those of the other lines are of transports that will not be.
    """
    head, *sections = _sections(sdp.replace("\r\n", "\n").split("\n"))
    mids = next((line[len(_GROUP) :].split() for line in head if line.startswith(_GROUP)), [])
    first = next((each for each in sections if mids and _mid(each) == mids[0]), None)
    if first is None:
        pictures = (each for each in sections if each[0].startswith("m=video"))
        first = next((each for each in pictures if not _refused(each)), [])
    shared = [line for line in first if line.startswith(_SHARED)]
    candidates = [line[2:] for line in first if line.startswith("a=candidate:")]
    for section in sections:
        if section is not first and _mid(section) in mids:
            _share(section, shared)
    lines = [line for part in (head, *sections) for line in part]
    kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    return "\r\n".join(kept), candidates


def _sections(lines: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _share(section: list[str], shared: list[str]) -> None:
    if "a=bundle-only" in section:
        section[0] = section[0].replace(" 0 ", " 9 ", 1)
    if _refused(section):
        return
    told = tuple(line.partition(":")[0] + ":" for line in shared)
    section[:] = [line for line in section if not (told and line.startswith(told))]
    while section and not section[-1]:  # the end of the text
        section.pop()
    section += shared
    if not section[0].startswith("m=application") and _MUX not in section:
        section.append(_MUX)
    section.append("")


def _refused(section: list[str]) -> bool:
    fields = section[0].split()
    return len(fields) > 1 and fields[1].partition("/")[0] == "0"


def _mid(section: list[str]) -> str:
    return next((line[6:].strip() for line in section if line.startswith("a=mid:")), "")
