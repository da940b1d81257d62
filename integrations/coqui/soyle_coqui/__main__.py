"""python -m soyle_coqui serve | pull"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

KEY_VARIABLE = "SPEECH_SERVER_KEY"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m soyle_coqui", description=__doc__)
    commands = parser.add_subparsers(required=True)

    serve = commands.add_parser("serve", help=f"speak; the environment's {KEY_VARIABLE} is the key")
    serve.add_argument("--model-dir", type=Path, required=True, help="folder of the model")
    serve.add_argument("--speaker", type=Path, help="sound file whose voice XTTS takes")
    serve.add_argument("--listen", default="127.0.0.1:5050", help="host:port; port 0: any free one")
    serve.add_argument("--threads", type=int, default=_half(), help="of torch, count")
    serve.add_argument("--waiting", type=int, default=4, help="requests that may wait, count")
    serve.add_argument("--until-input-ends", action="store_true", help="end with standard input")
    serve.set_defaults(run=_serve)

    pull = commands.add_parser("pull", help="bring a model")
    pull.add_argument("name", help="xtts or mms-kaz")
    pull.add_argument("--accept-licence", action="store_true", help="you agree to its terms")
    pull.add_argument("--to", type=Path, help="folder; else models/coqui/NAME in Soyle's folder")
    pull.add_argument("--from", dest="source", default="", help="another address of the files")
    pull.set_defaults(run=_pull)

    given = parser.parse_args(arguments)
    return int(given.run(given))


def _half() -> int:
    """The others are Soyle's."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


def _serve(given: argparse.Namespace) -> int:
    if given.until_input_ends:  # first of all: nothing may outlive who started us
        threading.Thread(target=_end_with_input, name="input", daemon=True).start()
    from soyle_coqui.load import load
    from soyle_coqui.model_thread import ModelThread
    from soyle_coqui.server import SpeechServer

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    key = os.environ.pop(KEY_VARIABLE, "")
    host, _, port = given.listen.rpartition(":")
    host = host.strip("[]")
    if not port.isdigit() or not host:
        sys.stderr.write(f"--listen {given.listen} is not host:port\n")
        return 2
    if host not in ("127.0.0.1", "::1", "localhost") and not key:
        sys.stderr.write(f"to listen beyond this machine, set {KEY_VARIABLE}\n")
        return 2
    model = ModelThread(
        lambda: load(given.model_dir, given.speaker, given.threads), waiting=given.waiting
    )
    try:
        server = SpeechServer((host, int(port)), model, key)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {given.listen}: {error.strerror}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"listening on http://{shown}:{server.server_port}\n")
    sys.stdout.flush()
    os.dup2(2, 1)  # what libraries print is for the log
    model.start()
    try:
        server.serve_forever()
    except (KeyboardInterrupt, SystemExit):
        pass
    sys.stderr.flush()
    os._exit(0)  # a model in the middle of a sentence is not waited for


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def _pull(given: argparse.Namespace) -> int:
    from soyle_coqui.pull import PullFailed, pull

    try:
        pull(given.name, given.to, given.accept_licence, given.source, _say)
    except PullFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
