"""What image, compose file and unit say is so: their settings exist, their files are there."""

from __future__ import annotations

import fnmatch
import re
import subprocess

from app_core.config import ROOT, Config

OTHER = {"XDG_CACHE_HOME", "SITE", "UPSTREAM", "PYTHONUNBUFFERED"}
"""Not ours: of the base folders of freedesktop.org, of Caddy and of Python."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def set_by(name: str) -> set[str]:
    """The variables that a file sets for the server."""
    whole = text(name).replace("\\\n", " ")
    if name == "compose.yaml":
        return set(re.findall(r"^      ([A-Z_]+): ", whole, re.MULTILINE))
    lines = re.findall(r"^(?:ENV |#?Environment=)(.*)$", whole, re.MULTILINE)
    return set(re.findall(r"(\w+)=", " ".join(lines)))


def test_what_they_set_are_settings() -> None:
    settings = {field.upper() for field in Config.model_fields}
    for name, least in (
        ("Dockerfile", {"LISTEN", "AVATAR_DIR", "WORK_DIR"}),
        ("compose.yaml", {"LISTEN", "TRUSTED_PROXIES", "ALLOWED_HOSTS", "TURN_SECRET"}),
        ("deploy/soyle.service", {"LISTEN", "AVATAR_DIR", "WORK_DIR", "API_TOKEN_FILE"}),
    ):
        found = {n for n in set_by(name) if not n.startswith(("PIP_", "PYTHON", "NVIDIA_"))}
        assert least <= found, name
        assert found <= settings | OTHER, (name, found - settings - OTHER)


def test_the_image_gets_what_the_server_runs_on() -> None:
    wanted = [line[1:] for line in text(".dockerignore").splitlines() if line.startswith("!")]
    for entry in wanted:
        assert list(ROOT.glob(entry)), f"{entry} is not here"

    def sent(path: str) -> bool:
        parts = path.split("/")
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        return any(fnmatch.fnmatch(folder, entry) for folder in above for entry in wanted)

    needed = ["app.py", "requirements-core.txt", "requirements.txt", "avatar/aigul/avatar.toml"]
    needed += ["deploy/install.sh", "deploy/start.sh"]
    for folder in ("app_core", "static", "templates"):
        needed += [str(path.relative_to(ROOT)) for path in (ROOT / folder).glob("**/*.*")]
    assert [path for path in needed if not sent(path)] == []
    assert not any(map(sent, (".env", ".git/config", "tests/fakes.py", "deploy/secrets/tokens")))


def test_a_token_file_that_is_replaced_is_seen_in_the_container() -> None:
    """A file that is mounted alone stays the one that it was; in a folder, the new one is seen."""
    compose = text("compose.yaml")
    assert "\nsecrets:" not in compose and "    secrets:" not in compose
    (target,) = re.findall(
        r"source: \./deploy/secrets\n +target: (\S+)\n +read_only: true", compose
    )
    assert f"API_TOKEN_FILE: {target}/tokens\n" in compose
    assert "/deploy/secrets/" in text(".gitignore").splitlines()
    assert "deploy/secrets/tokens" in text("docs/operation.md")


def test_the_scripts_can_be_run() -> None:
    for name in ("install.sh", "start.sh"):
        path = ROOT / "deploy" / name
        assert path.stat().st_mode & 0o111, name
        subprocess.run(["sh", "-n", str(path)], check=True)
