"""What the end-to-end tests share: running the built programs, their events, their schemas."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema
import zmq

SOURCE = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("PALISADE_BUILD", SOURCE / "build" / "release"))
PROGRAM = BUILD / "palisade"
WORLD = SOURCE / "tests" / "golden" / "world"
STATE = tempfile.TemporaryDirectory(prefix="palisade-state-")  # of services that a test starts by itself
os.environ["XDG_STATE_HOME"] = STATE.name
os.environ.pop("STATE_DIRECTORY", None)
PATIENCE = 120  # seconds until a test gives up waiting for something that should come; not a measure of speed

SCHEMAS = {name: json.loads((SOURCE / "service" / "schema" / f"{name}.v1.json").read_text())
           for name in ("answer", "state", "heartbeat", "alert")}


def palisade(*arguments, check=0, **options):
    """Runs the program to its end; `check` is the exit code it must have (None: any)."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, **options)
    assert check is None or done.returncode == check, f"{arguments}: exit code {done.returncode}\n{done.stderr}"
    return done


def validate(event):
    kind = event["type"].split(".")[1]
    jsonschema.validate(event, SCHEMAS[kind])
    return event


def write_config(path, text):
    """A configuration; with PALISADE_TEST_IN_PROCESS, of streams that are read in the service itself."""
    if os.environ.get("PALISADE_TEST_IN_PROCESS"):
        text = re.sub(r"(?m)^  - \{name:", "  - {process: false, name:", text)
        text = re.sub(r"(?m)^  - name:", "  - process: false\n    name:", text)
    path.write_text(text)


def children_of(pid):
    """Of a running process, those that still run themselves."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue
        if int(fields["PPid"]) == pid and not fields["State"].startswith("Z"):
            found.append(int(fields["Pid"]))
    return found


class Running:
    """A program in the background, ended with SIGTERM at the end of the block; its output goes to files."""

    def __init__(self, *command, environment=None, before=None):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.stdout_path = Path(self.folder.name) / "stdout"
        self.stderr_path = Path(self.folder.name) / "stderr"
        with self.stdout_path.open("w") as out, self.stderr_path.open("w") as err:
            self.process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, preexec_fn=before,
                                            env={**os.environ, "XDG_STATE_HOME": self.folder.name, **(environment or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:  # a camera that was frozen may not get out of its library; what must end well, tests stop() themselves
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def signal_all(self, number):
        """To the program and the processes of its cameras."""
        for pid in [self.process.pid, *children_of(self.process.pid)]:
            os.kill(pid, number)

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)

    def stdout(self):
        return self.stdout_path.read_text()

    def stderr(self):
        return self.stderr_path.read_text()


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"did not happen: {what}")


def cameras(count, *arguments):
    """Simulated cameras; (Running, their URLs)."""
    running = Running(BUILD / "examples" / "palisade-camera", "--port", 0, "--cameras", count, *arguments)
    urls = wait_for(lambda: running.stdout().split() if len(running.stdout().split()) == count else None, "cameras")
    return running, urls


class Subscriber:
    """Hears a service's events; every one is validated against its schema."""

    def __init__(self, endpoint, prefix="palisade/v1/"):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt_string(zmq.SUBSCRIBE, prefix)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)
        self.events = []

    def receive(self, timeout=PATIENCE):
        if not self.socket.poll(timeout * 1000):
            raise AssertionError(f"no event came; so far {[topic for topic, _ in self.events]}")
        topic, body = self.socket.recv_multipart()
        assert len(body) < 65536
        event = validate(json.loads(body))
        self.events.append((topic.decode(), event))
        return self.events[-1]

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            topic, event = self.receive()
            if condition(topic, event):
                return event
        raise AssertionError(f"did not come: {what}")

    def close(self):
        self.socket.close()


def main():
    unittest.main(verbosity=2)
