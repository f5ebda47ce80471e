#!/usr/bin/env python3
"""A camera in a process of its own (process: true): what befalls that process is that camera's alone."""
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, Running, Subscriber, main, wait_for

STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"
BOMB = SOURCE / "tests" / "golden" / "clips" / "bomb.mp4"
TASKS = "tasks: [{task: caption, frames: 1, every: 500ms}]"


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


def runs(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


class CameraProcess(unittest.TestCase):
    def serve(self, first):
        holder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(holder.cleanup)
        endpoint = f"ipc://{holder.name}/events"
        config = Path(holder.name) / "config.yaml"
        config.write_text(f"node: test\npublish: {endpoint}\nstreams:\n  - {{name: a, process: true, {first}, {TASKS}}}\n"
                          f"  - {{name: b, url: '{STREET}', loop: true, {TASKS}}}\n")
        running = Running(PROGRAM, "serve", "--config", config)
        self.addCleanup(running.__exit__)
        subscriber = Subscriber(endpoint)
        self.addCleanup(subscriber.close)
        return running, subscriber

    def state(self, subscriber, wanted, stream="a"):
        return subscriber.until(lambda topic, event: topic == f"palisade/v1/{stream}/state" and event["data"]["state"] == wanted,
                                f"{stream} {wanted}")["data"]

    def child(self, running):
        return wait_for(lambda: children_of(running.process.pid), "a child")[0]

    def test_a_crash_is_told_with_its_signal_the_stream_comes_back_and_the_other_loses_nothing(self):
        running, subscriber = self.serve(f"url: '{STREET}', loop: true")
        for _ in range(3):
            self.state(subscriber, "online")
            os.kill(self.child(running), signal.SIGSEGV)
            self.assertIn("signal 11", self.state(subscriber, "crashed")["reason"])
        self.state(subscriber, "online")
        self.assertEqual(running.stop(), 0)
        sequences = [int(event["sequence"]) for topic, event in subscriber.events if topic == "palisade/v1/b/caption"]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(sequences))))
        self.assertEqual({event["data"]["state"] for topic, event in subscriber.events if topic == "palisade/v1/b/state"} -
                         {"connecting", "online", "removed"}, set())

    def test_it_dies_with_the_service_however_that_ends(self):
        for end in (signal.SIGKILL, signal.SIGTERM):
            running, subscriber = self.serve(f"url: '{STREET}', loop: true")
            self.state(subscriber, "online")
            child = self.child(running)
            if end == signal.SIGTERM:
                os.kill(child, signal.SIGSTOP)  # it does not end by itself
            running.process.send_signal(end)
            running.process.wait(timeout=60)
            wait_for(lambda: not runs(child), "the child's end")

    def test_its_memory_and_files_are_limited_and_no_secret_stands_in_its_command(self):
        running, subscriber = self.serve(f"url: '{STREET}', loop: true, username: ann, password: hush-hush-9")
        self.state(subscriber, "online")
        child = self.child(running)
        limits = Path(f"/proc/{child}/limits").read_text()
        sanitized = any(name in str(BUILD) for name in ("asan", "tsan"))  # they need more address space than there is
        for line in ("Max open files            256 ", "Max core file size        0 ",
                     *([] if sanitized else ["Max address space         1073741824 "])):
            self.assertIn(line, limits)
        for place in ("cmdline", "environ"):
            self.assertNotIn(b"hush-hush-9", Path(f"/proc/{child}/{place}").read_bytes())

    def test_a_film_made_to_eat_memory_harms_nobody(self):
        running, subscriber = self.serve(f"url: '{BOMB}'")
        self.state(subscriber, "unreadable")
        subscriber.until(lambda topic, event: topic == "palisade/v1/b/caption", "the other stream's answer")
        self.assertEqual(running.stop(), 0)

    def test_without_a_service_it_says_what_it_is(self):
        done = subprocess.run([PROGRAM, "feed"], capture_output=True, text=True, close_fds=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("run by serve", done.stderr)


if __name__ == "__main__":
    main()
