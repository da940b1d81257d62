"""Answers of all replicas, made one: who is well, what is counted, which sessions there are."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from flask import Response, jsonify

from app_core.cluster.places import none_there

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from app_core.cluster.places import Door

    Answer = tuple[int, list[tuple[str, str]], bytes]
    """Status, headers, body."""

AT_ONCE = 8
WEB = "web"
"""In place of a replica's place: counts of the web tier itself, of what it answers alone."""
WELL = ("ready", "degraded")
_SUMS = ("live", "load", "sessions", "max_jobs", "jobs", "queue", "frames_per_s")
"""Of ``capacity``; the rest of it is that of the first that is well."""
_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+.*)")


def merged(
    path: str,
    doors: Mapping[str, Door],
    fetch: Callable[[str], Answer | None],
    least: int,
    own: str,
    draining: Collection[str] = (),
) -> Response:
    """``fetch(place)`` gives its answer, None of one that is lost; ``least``: how many there should
    be; ``own``: what the web tier counts; ``draining``: places that end what they do, and then
    themselves. One that refuses the client speaks for all, and one that fails for itself alone.
    Raises Busy when nobody answers."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(doors, pool.map(fetch, doors), strict=True))
    answers = {place: answer for place, answer in found.items() if answer is not None}
    if not answers:
        raise none_there()
    for status, headers, body in answers.values():
        if 400 <= status < 500:
            return Response(body, status, headers)
    good = {place: answer for place, answer in answers.items() if _tells(path, answer)}
    if not good:
        status, headers, body = next(iter(answers.values()))
        return Response(body, status, headers)
    if path == "/metrics":
        texts = {place: body.decode() for place, (_, _, body) in good.items()} | {WEB: own}
        kind = {name.lower(): value for name, value in next(iter(good.values()))[1]}
        text = "\n".join([*one_text(texts), ""])
        response = Response(text, content_type=kind["content-type"])
    else:
        told = {place: json.loads(body) for place, (_, _, body) in good.items()}
        if path == "/api/sessions":
            response = _sessions(told.values())
        else:
            hosts = {place: doors[place].host for place in told}
            response = _health(one_report(told, least, hosts, draining))
    response.headers["Cache-Control"] = "no-store"
    return response


def _tells(path: str, answer: Answer) -> bool:
    """It is no failure: health is told with status 503, too."""
    status, _, body = answer
    return status == 200 or (path == "/api/health" and b'"capacity"' in body)


def _sessions(told: Iterable[dict[str, Any]]) -> Response:
    return jsonify({"sessions": [session for each in told for session in each["sessions"]]})


def _health(report: dict[str, Any]) -> Response:
    response = jsonify(report)
    if report["status"] not in WELL:
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return response


def one_report(
    told: Mapping[str, dict[str, Any]],
    least: int,
    hosts: Mapping[str, str],
    draining: Collection[str] = (),
) -> dict[str, Any]:
    """``/api/health`` of all: as that of one, its counts are sums, and ``replicas`` tells of each.
    The cores of one of the ``hosts``, which tell each place's machine, are counted once.

    Degraded while one of them is not ready, or fewer than ``least`` are there that go on.
    """
    well = {place: each for place, each in told.items() if each["status"] in WELL}
    first = next(iter((well or told).values()))
    reasons = [f"{p}: {each['reason']}" for p, each in told.items() if each["reason"]]
    staying = len(told.keys() - set(draining))
    if staying < least:
        reasons.insert(0, f"{staying} of {least} replicas are there")
    ready = not reasons and all(each["status"] == "ready" for each in told.values())
    return first | {
        "status": ("ready" if ready else "degraded") if well else first["status"],
        "reason": "; ".join(reasons) or None,
        "sessions": _sums([each["sessions"] for each in well.values()], first["sessions"]),
        "capacity": first["capacity"]
        | _sums([_counts(each["capacity"]) for each in well.values()], {})
        | _cores(well, hosts),
        "replicas": [
            {
                "place": place,
                "status": "draining" if place in draining and place in well else each["status"],
                "reason": each["reason"],
                "sessions": each["sessions"]["open"],
                "jobs": each["capacity"]["jobs"],
                "load": each["capacity"]["load"],
            }
            for place, each in sorted(told.items())
        ],
    }


def _cores(well: Mapping[str, dict[str, Any]], hosts: Mapping[str, str]) -> dict[str, float]:
    """Each replica of a machine sees all of its cores."""
    most: dict[str, float] = {}
    for place, each in well.items():
        host = hosts[place]
        most[host] = max(most.get(host, 0.0), each["capacity"]["cores"])
    return {"cores": round(sum(most.values()), 3)} if well else {}


def _counts(capacity: dict[str, Any]) -> dict[str, Any]:
    return {name: capacity[name] for name in _SUMS}


def _sums(each: list[dict[str, Any]], none: dict[str, Any]) -> dict[str, Any]:
    if not each:
        return none
    return {name: round(sum(one[name] for one in each), 3) for name in each[0]}


def one_text(texts: Mapping[str, str]) -> list[str]:
    """Lines in the text format of Prometheus: every sample with the label ``replica``, those of one
    name together, behind one HELP and one TYPE, as the format wants it."""
    heads: dict[str, dict[str, str]] = {}
    samples: dict[str, list[str]] = {}
    for place, text in texts.items():
        family = ""
        for line in text.splitlines():
            if line.startswith("# "):
                _, kind, family = line.split(" ", 3)[:3]
                heads.setdefault(family, {}).setdefault(kind, line)
            elif found := _SAMPLE.fullmatch(line):
                labels = ",".join(filter(None, [f'replica="{place}"', found["labels"]]))
                sample = f"{found['name']}{{{labels}}} {found['value']}"
                samples.setdefault(family, []).append(sample)
    return [line for name in heads for line in (*heads[name].values(), *samples.get(name, []))]
