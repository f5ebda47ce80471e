#!/usr/bin/env python3
"""Cameras in processes of their own, as serve has them: what befalls such a process is that camera's alone."""
import os
import random
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PATIENCE, PROGRAM, SOURCE, Running, Subscriber, children_of, main, palisade, wait_for

STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"
BOMB = SOURCE / "tests" / "golden" / "clips" / "bomb.mp4"
TASKS = "tasks: [{task: caption, frames: 1, every: 500ms}]"
SANITIZED = any(name in str(BUILD) for name in ("asan", "tsan"))  # they need more address space than there is
KILLS = int(os.environ.get("PALISADE_TEST_KILLS", 10))
SEED = int(os.environ.get("PALISADE_TEST_SEED", time.time_ns() % 1_000_000))


def runs(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def held(pid):
    """Descriptors, threads and children, dead ones included, of a process."""
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    children = sum(len((thread / "children").read_text().split()) for thread in threads)
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(threads), children


def private_kb(pid):
    """Memory that this process alone has written; libraries are private to whoever is the last to use them."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


class CameraProcess(unittest.TestCase):
    def service(self, *streams):
        """A service of these streams, each {name: ..., ...} without its tasks, and who hears it."""
        holder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(holder.cleanup)
        endpoint = f"ipc://{holder.name}/events"
        config = Path(holder.name) / "config.yaml"
        config.write_text(f"node: test\npublish: {endpoint}\nstreams:\n" +
                          "".join(f"  - {{{stream}{'' if 'tasks:' in stream else ', ' + TASKS}}}\n" for stream in streams))
        running = Running(PROGRAM, "serve", "--config", config)
        self.addCleanup(running.__exit__)
        subscriber = Subscriber(endpoint)
        self.addCleanup(subscriber.close)
        return running, subscriber

    def serve(self, first):
        return self.service(f"name: a, {first}", f"name: b, url: '{STREET}', loop: true, process: false")

    def state(self, subscriber, wanted, stream="a"):
        return subscriber.until(lambda topic, event: topic == f"palisade/v1/{stream}/state" and event["data"]["state"] == wanted,
                                f"{stream} {wanted}")["data"]

    def child(self, running):
        return wait_for(lambda: children_of(running.process.pid), "a child")[0]

    def whole(self, subscriber, stream, every_ms, frame_ms):
        """That no event of a stream is missing, dropped or late by more than a frame."""
        events = [event for topic, event in subscriber.events if topic == f"palisade/v1/{stream}/caption"]
        self.assertGreater(len(events), 2)
        sequences = [int(event["sequence"]) for event in events]
        self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(sequences))))
        self.assertEqual([event["data"]["dropped_before"] for event in events], [0] * len(events), stream)
        times = [event["data"]["frames"][0]["pts_ms"] for event in events]
        for before, after in zip(times, times[1:]):
            self.assertLessEqual(abs(after - before - every_ms), frame_ms, (stream, before, after))

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

    def test_processes_that_crash_at_any_moment_leave_nothing_behind_and_cost_other_cameras_nothing(self):
        """Every process is killed four times at most, because pauses double."""
        chance = random.Random(SEED)
        print(f"seed {SEED}")
        victims = [f"v{i}" for i in range(-(-KILLS // 4))]
        often, slow = ("tasks: [{task: caption, frames: 1, every: %s}]" % every for every in ("2s", "30s"))
        mark = 1700  # by which the processes of those that stay are known
        running, subscriber = self.service(
            *(f"name: good{i}, url: '{STREET}', loop: true, process_memory_mb: {mark}, {often}" for i in range(2)),
            *(f"name: {name}, url: '{STREET}', loop: true, {slow}" for name in victims))
        pid = running.process.pid
        online = set()
        while len(online) < len(victims) + 2:
            topic, event = subscriber.receive()
            if topic.endswith("/state") and event["data"]["state"] == "online":
                online.add(topic.split("/")[2])
        before = held(pid)
        subscriber.events.clear()
        good = {child for child in children_of(pid) if str(mark << 20).encode() in Path(f"/proc/{child}/cmdline").read_bytes()}
        self.assertEqual(len(good), 2)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0, 0.3))
            targets = wait_for(lambda: self.drain(subscriber) or [c for c in children_of(pid) if c not in good], "a process")
            os.kill(chance.choice(targets), signal.SIGSEGV)
        wait_for(lambda: self.drain(subscriber) or len(children_of(pid)) == len(victims) + 2, "all children again")
        self.until_held(pid, before, subscriber)
        for name in ("good0", "good1") * 3:
            subscriber.until(lambda topic, _, name=name: topic == f"palisade/v1/{name}/caption", name)
        for i in range(2):
            self.whole(subscriber, f"good{i}", 2_000, 100)
        crashes = [event for topic, event in subscriber.events if event["data"].get("state") == "crashed"]
        self.assertGreater(len(crashes), 0)
        self.assertTrue(all("signal 11" in event["data"]["reason"] for event in crashes))
        self.assertEqual(running.stop(), 0)

    def until_held(self, pid, before, subscriber):
        """No more descriptors, threads and children than before."""
        end = time.monotonic() + PATIENCE
        while any(now > was for now, was in zip(held(pid), before)):
            self.drain(subscriber)
            self.assertLess(time.monotonic(), end, f"{held(pid)} descriptors, threads and children, {before} before")
            time.sleep(0.1)

    def drain(self, subscriber):
        while subscriber.socket.poll(0):
            subscriber.receive()

    def test_all_of_them_hung_do_not_hold_up_the_end(self):
        running, subscriber = self.service(*(f"name: s{i}, url: '{STREET}', loop: true" for i in range(4)))
        for i in range(4):
            subscriber.until(lambda topic, _, i=i: topic == f"palisade/v1/s{i}/caption", f"s{i}")
        children = children_of(running.process.pid)
        self.assertEqual(len(children), 4)
        for child in children:
            os.kill(child, signal.SIGSTOP)
        begin = time.monotonic()
        self.assertEqual(running.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertFalse([child for child in children if runs(child)])

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
        for first, most in (("", 1536), ("process_memory_mb: 1200, ", 1200)):
            running, subscriber = self.serve(f"{first}url: '{STREET}', loop: true, username: ann, password: hush-hush-9")
            self.state(subscriber, "online")
            child = self.child(running)
            limits = Path(f"/proc/{child}/limits").read_text()
            for line in ("Max open files            256 ", "Max core file size        0 ",
                         *([] if SANITIZED else [f"Max address space         {most << 20} "])):
                self.assertIn(line, limits)
            self.assertEqual(os.getpgid(child), child)
            for place in ("cmdline", "environ"):
                self.assertNotIn(b"hush-hush-9", Path(f"/proc/{child}/{place}").read_bytes())

    def test_every_stream_has_one_unless_it_says_otherwise(self):
        running, subscriber = self.service(f"name: a, url: '{STREET}', loop: true", f"name: b, url: '{STREET}', loop: true",
                                           f"name: c, url: '{STREET}', loop: true, process: false")
        for name in "abc":
            subscriber.until(lambda topic, _, name=name: topic == f"palisade/v1/{name}/caption", name)
        self.assertEqual(len(children_of(running.process.pid)), 2)
        self.assertIn("camera processes are confined by: ", running.stderr())

    def test_a_film_made_to_eat_memory_harms_nobody(self):
        running, subscriber = self.serve(f"url: '{STREET}', loop: true")
        self.state(subscriber, "online")
        settled = 20  # answers of the other stream, after which buffers are as large as they get
        for _ in range(settled):
            subscriber.until(lambda topic, event: topic == "palisade/v1/b/caption", "an answer")
        without = private_kb(running.process.pid)
        running.stop()
        running, subscriber = self.serve(f"url: '{BOMB}'")
        self.state(subscriber, "ended")
        self.assertRegex(running.stderr(), "a: (unreadable|crashed)")
        for _ in range(settled):
            subscriber.until(lambda topic, event: topic == "palisade/v1/b/caption", "the other stream's answer")
        if not SANITIZED:
            self.assertLess(private_kb(running.process.pid) - without, 20 << 10)
        self.assertEqual(running.stop(), 0)

    def test_the_program_tells_how_it_would_confine_them(self):
        self.assertRegex(palisade("version").stdout, r"camera processes are confined by: (no )?seccomp, (no )?Landlock")

    def test_without_a_service_it_says_what_it_is(self):
        done = subprocess.run([PROGRAM, "feed"], capture_output=True, text=True, close_fds=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("run by serve", done.stderr)


if __name__ == "__main__":
    main()
