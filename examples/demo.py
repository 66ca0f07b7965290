"""
Carry one real workset through daylily, as any client would, and show each step.

Starts the all-in-one service on loopback, submits the paired FASTQ files beside this script through
the HTTP API, follows the workset to its end, and says where the results are. ``--keep`` leaves the
service up. ``make demo`` runs this.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".demo"
DATA = HERE / "fastq-qc"
DAYLILY = [str(Path(sys.executable).with_name("daylily"))]
START_SECONDS = 60


def main() -> int:
    """Run the demonstration; return the exit code of the command."""
    parser = argparse.ArgumentParser(description="Run a workset of real FASTQ files through daylily.")
    parser.add_argument("--keep", action="store_true", help="leave the service up")
    keep = parser.parse_args().keep
    HOME.mkdir(exist_ok=True)
    service, url = start()
    try:
        client = [*DAYLILY, "--home", str(HOME), "--url", url]
        say(f"Service up at {url} (page: {url}/portal)")
        say(f"Submitting {DATA.relative_to(HERE.parent)} through the HTTP API")
        code = run([*client, "submit", str(DATA), "--name", "lambda demo", "--wait"])
        if code:
            return code
        workset_id = newest(client)
        say("What happened, and where the results are")
        run([*client, "show", workset_id])
        show_results(client, workset_id)
        if keep:
            say(f"Still up: {url}/portal  (process {service.pid}; stop it with: kill {service.pid})")
            say(f"Sign in with the token in {HOME / 'admin-token'}")
        return 0
    finally:
        if not keep:
            service.send_signal(signal.SIGTERM)
            service.wait(timeout=30)


def start() -> tuple[subprocess.Popen[bytes], str]:
    """Start the service on a free port of loopback; return it and its address."""
    address = HOME / "server.json"
    before = address.read_text() if address.exists() else ""
    with (HOME / "service.log").open("ab") as log:
        service = subprocess.Popen(
            [*DAYLILY, "--home", str(HOME), "up", "--port", "0", "--poll-interval", "0.5"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={name: value for name, value in os.environ.items() if name != "DAYLILY_URL"},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if service.poll() is not None:
            break
        # What a killed service has left behind is written over by the next.
        if address.exists() and address.read_text() != before:
            return service, str(json.loads(address.read_text())["url"])
        time.sleep(0.1)
    service.kill()
    reason = (HOME / "service.log").read_text(errors="replace").rstrip().rpartition("\n")[2]
    sys.exit(f"the service did not start: {reason}\nsee {HOME / 'service.log'}")


def run(command: list[str]) -> int:
    """Run a command of daylily with its output on this terminal; return its exit code."""
    return subprocess.run(command, check=False).returncode


def newest(client: list[str]) -> str:
    """Return the id of the workset submitted last."""
    listed = subprocess.run(
        [*client, "--json", "list", "--limit", "1"], check=True, capture_output=True
    )
    return str(json.loads(listed.stdout)["worksets"][0]["workset_id"])


def show_results(client: list[str], workset_id: str) -> None:
    """Print the summary that the pipeline wrote, and where the report lies."""
    shown = subprocess.run([*client, "--json", "show", workset_id], check=True, capture_output=True)
    results = Path(json.loads(shown.stdout)["results_uri"])
    say("summary.tsv")
    print((results / "summary.tsv").read_text(), end="")
    say(f"Open the report in a browser: {results / 'report.html'}")


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
