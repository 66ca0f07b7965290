"""
A warm process that forks one for each part of a story: children start in milliseconds.

It reads a request from each line of its standard input, and answers with a line. Its clients are made
before it forks, and have no connection until a child makes the first.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import cattrs
from tests.integration.aws.engines import Endpoint
from tests.integration.aws.kill_stories import STORIES
from tests.integration.aws.kill_world import Death, Place, Play, at, seconds_of
from tests.integration.aws.worlds import dynamodb_client, s3_client

CYCLES = 8


def main(dynamodb_url: str, s3_url: str) -> None:
    """Serve until the standard input ends."""
    converter = cattrs.Converter()
    converter.register_structure_hook(Path, lambda text, _: Path(text))
    clients = [
        make(converter.structure(json.loads(text), Endpoint))
        for make, text in ((dynamodb_client, dynamodb_url), (s3_client, s3_url))
    ]
    for line in sys.stdin:
        request = json.loads(line)
        play = {
            "dynamodb": clients[0],
            "s3": clients[1],
            "place": converter.structure(request["place"], Place),
        }
        print(json.dumps(_forked(request, play)), flush=True)  # noqa: T201


def _forked(request: dict[str, Any], play: dict[str, Any]) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            told = _TASKS[request["task"]](request, play)
        except BaseException:  # noqa: BLE001 - told to whoever asked
            told = {"error": traceback.format_exc()}
        os.write(writer, json.dumps(told).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"exit": os.waitstatus_to_exitcode(status), **(json.loads(text) if text else {})}


def _tell(request: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Tell a story, and die in it if it is long enough."""
    play = Play(death=Death(request["at"], request["answered"]), **parts)
    STORIES[request["story"]].tell(play)
    return {"calls": play.death.calls, "now": seconds_of(play.clock())}


def _recover(request: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """Let a later monitor have one cycle, check the ledgers, and go on to the end."""
    play = Play(clock=at(request["now"]), **parts)
    for _ in range(CYCLES):
        play.engine.end(0)
        play.cycle(play.patience())
        # From the first cycle on: it is one that mends all.
        worksets = play.check()
        if all(workset.ended or workset.held for workset in worksets):
            break
    return {"states": [workset.state for workset in worksets]}


_TASKS = {"tell": _tell, "recover": _recover}

if __name__ == "__main__":
    main(*sys.argv[1:])
