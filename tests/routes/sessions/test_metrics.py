"""What Prometheus and health are told of sessions."""

from __future__ import annotations

import re

from tests.conftest import until
from tests.routes.sessions.conftest import Served


def told(served: Served) -> list[str]:
    """Whichever replica says it."""
    text = re.sub(r'replica="\w*",?', "", served.ask("GET", "/metrics").text)
    return text.replace("{}", "").splitlines()


def test_sessions_are_counted(served: Served) -> None:
    assert 'soyle_sessions{state="idle"} 0.0' in told(served)
    made = [served.open(), served.open()]
    ears = [
        served.listen(made[0]["socket_url"]),
        served.listen(made[0]["socket_url"] + "&video=none"),
        served.listen(made[1]["events_url"]),
    ]
    for ear in ears:
        ear.event("ready")
    served.say(made[1], "word " * 50)
    ears[2].event("speech_started")
    lines = told(served)
    for line in (
        'soyle_sessions{state="speaking"} 1.0',
        'soyle_sessions{state="idle"} 1.0',
        'soyle_session_viewers{video="jpeg"} 1.0',
        'soyle_session_viewers{video="none"} 2.0',
        "soyle_session_queued 1.0",
    ):
        assert line in lines
    assert served.ask("GET", "/api/health").json()["sessions"] == {"open": 2, "most": 64}
    for each in made:
        served.ask("DELETE", f"/api/sessions/{each['session_id']}", each["token"])
    assert until(lambda: 'soyle_session_viewers{video="none"} 0.0' in told(served))
    assert served.ask("GET", "/api/health").json()["sessions"]["open"] == 0
