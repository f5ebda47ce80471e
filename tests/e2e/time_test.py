#!/usr/bin/env python3
"""Time and loss as the running programs tell them: clocks that are off or slow, pauses, short stretches, loops."""
import datetime
import json
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, Running, Subscriber, main, palisade, validate

CLIPS = SOURCE / "tests" / "golden" / "clips"
READERS = ("ffmpeg", "gstreamer")


class OddCamera:
    """tests/e2e/odd_camera.py with these options."""

    def __init__(self, *options):
        self.process = subprocess.Popen([sys.executable, SOURCE / "tests/e2e/odd_camera.py", CLIPS / "camera.h264",
                                         *map(str, options)], stdout=subprocess.PIPE, text=True)
        self.url = f"rtsp://127.0.0.1:{int(self.process.stdout.readline())}/"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Service:
    """Streams, the service that runs them, and somebody who hears it."""

    def __init__(self, text):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        endpoint = f"ipc://{self.folder.name}/events"
        config = Path(self.folder.name) / "config.yaml"
        config.write_text(f"node: test\npublish: {endpoint}\nstreams:\n{text}")
        self.running = Running(PROGRAM, "serve", "--config", config)
        self.subscriber = Subscriber(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.subscriber.close()
        self.running.__exit__(*arguments)
        self.folder.cleanup()

    def hear(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.subscriber.receive()
        return self

    def states(self, name):
        """(state, reason) without what was only sent again."""
        seen = {event["id"]: (event["data"]["state"], event["data"].get("reason", ""))
                for topic, event in self.subscriber.events if topic == f"palisade/v1/{name}/state"}
        return [state for state in seen.values() if state[0] != "connecting"]

    def answers(self, name):
        return [event for topic, event in self.subscriber.events if topic == f"palisade/v1/{name}/caption"]


def still(name, url, reader, stall="2s"):
    return (f"  - {{name: {name}_{reader}, url: '{url}', transport: tcp, reader: {reader}, stall_timeout: {stall},\n"
            f"     tasks: [{{task: caption, frames: 1, every: 500ms}}]}}\n")


def seconds_off(event):
    """The event's time less that of its making, which its id holds."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    made = 0
    for letter in event["id"][:10]:
        made = made * 32 + alphabet.index(letter)
    told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    return told.timestamp() - made / 1000


class Cameras(unittest.TestCase):
    def watch(self, cameras, seconds, stall="2s"):
        """Cameras by name, each with both readers, heard for a while."""
        running = {name: OddCamera(*options) for name, options in cameras.items()}
        for camera in running.values():
            self.addCleanup(camera.close)
        service = Service("".join(still(name, camera.url, reader, stall)
                                  for name, camera in running.items() for reader in READERS))
        with service:
            service.hear(seconds)
        for name in cameras:
            for reader in READERS:
                yield name, reader, service.states(f"{name}_{reader}"), service.answers(f"{name}_{reader}")

    def test_a_clock_that_is_far_off_is_doubted_and_told_and_frames_have_the_time_of_their_arrival(self):
        cameras = {"ahead": ("--report", 7200), "behind": ("--report", -7200), "some": ("--report", 3),
                   "days": ("--report", -40 * 86400), "set": ("--report", 0, "--set-at", 4, "--set-by", 3600)}
        words = {"ahead": "2 h ahead", "behind": "2 h behind", "some": "3 s ahead", "days": "40 days behind",
                 "set": "60 min ahead"}
        for name, reader, states, answers in self.watch(cameras, 12, "10s"):
            with self.subTest(name, reader=reader):
                self.assertEqual({state for state, _ in states}, {"online"})
                told = [reason for _, reason in states if "clock is" in reason]
                self.assertEqual(len(told), 1, states)
                self.assertIn(words[name], told[0])
                self.assertIn("NTP", told[0])
                for event in answers:
                    self.assertLess(abs(seconds_off(event)), 5)
                self.assertEqual(answers[-1]["data"]["frames"][0]["time_source"], "arrival")
                self.assertGreaterEqual(answers[-1]["data"]["frames"][0]["time_uncertainty_ms"], 200)

    def test_reports_are_used_whenever_and_however_they_come(self):
        cameras = {"usual": ("--report", 0), "late": ("--report", 0, "--report-after", 3),
                   "seldom": ("--report", 0, "--report-every", 30), "early": ("--report", 0, "--report-ahead", 4),
                   "anew": ("--report", 0, "--ssrc-after", 4)}
        for name, reader, states, answers in self.watch(cameras, 10, "10s"):
            with self.subTest(name, reader=reader):
                if (name, reader) == ("anew", "gstreamer"):  # takes another sender for another stream: opened anew
                    self.assertLessEqual({state for state, _ in states}, {"online", "reconnecting"})
                else:
                    self.assertEqual(states, [("online", "")])
                self.assertEqual(answers[-1]["data"]["frames"][0]["time_source"], "rtcp")
                self.assertLess(abs(seconds_off(answers[-1])), 2)

    def test_a_camera_whose_clock_is_slow_or_fast_or_that_pauses_stays_online_and_nothing_has_jumped(self):
        cameras = {"slow": ("--fps", 15, "--stamp-fps", 25), "fast": ("--fps", 25, "--stamp-fps", 18),
                   "pause": ("--pause", 1.6), "counted": ("--pause", 1.6, "--pause-counted")}
        for name, reader, states, answers in self.watch(cameras, 14):
            with self.subTest(name, reader=reader):
                self.assertEqual(states, [("online", "")])
                self.assertGreater(len(answers), 8)


class Pairs(unittest.TestCase):
    def test_pairs_that_stop_say_why(self):
        camera = OddCamera("--report", 0)
        self.addCleanup(camera.close)
        text = (f"  - {{name: door, url: '{camera.url}', transport: tcp, tasks: [{{task: pair, statement: 'x', every: 500ms,\n"
                "     against: {stream: film, gap: 200ms}}]}\n"
                f"  - {{name: film, url: '{CLIPS / 'dated.mp4'}', loop: true, tasks: [{{task: caption, frames: 1, every: 1s}}]}}\n")
        with Service(text) as service:
            event = service.subscriber.until(lambda topic, event: topic.endswith("door/state") and
                                             "no pairs" in event["data"].get("reason", ""), "why there are no pairs")
            self.assertEqual(event["data"]["state"], "online")
            self.assertRegex(event["data"]["reason"], r"stream 'film' is \d+ s (earlier|later), more than the gap of 200 ms")


class Films(unittest.TestCase):
    def test_each_burst_of_a_film_is_captioned_and_lines_show_what_was_seen(self):
        lines = palisade("caption", CLIPS / "bursts.mp4").stdout.splitlines()
        times = [line.split("]")[0] + "]" for line in lines]
        self.assertEqual(times, [f"[00:{start:02} - 00:{start + 2:02}]" for start in (0, 13, 26, 39, 52)])
        events = [validate(json.loads(line)) for line in palisade("caption", CLIPS / "bursts.mp4", "--json").stdout.splitlines()]
        for event in events:
            self.assertTrue(event["data"]["window"]["tiled"])
            self.assertLessEqual(event["data"]["window"]["span_ms"], 3000)

    def test_what_is_lost_between_bursts_is_told(self):
        done = palisade("caption", CLIPS / "bursts.mp4", "--span", "2s", "--every", "2s")
        self.assertEqual(done.stdout.count("[1 dropped before]"), 4, done.stdout)
        self.assertIn("dropped", done.stderr)

    def test_a_film_that_begins_an_hour_late_is_told_as_a_player_shows_it(self):
        for name in ("late_start.mp4", "late_start.mkv"):
            line = palisade("caption", CLIPS / name, "--span", "2s", "--every", "2s").stdout.splitlines()[0]
            self.assertRegex(line, r"^\[1:00:00 - 1:00:02\] ")

    def test_a_loop_of_next_to_nothing_answers_at_every_and_is_online_once(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(WORLD / "still01.png", folder)
            text = ""
            for pace in ("true", "false"):
                for name, url in (("film", CLIPS / "bt709.mp4"), ("folder", folder)):
                    text += (f"  - {{name: {name}_{pace}, url: '{url}', loop: true, pace: {pace},\n"
                             "     tasks: [{task: caption, frames: 1, every: 2s}, {task: caption, name: video, every: 4s}]}\n")
            with Service(text) as service:
                service.hear(9)
            for name in ("film_true", "film_false", "folder_true", "folder_false"):
                with self.subTest(name):
                    self.assertEqual(service.states(name), [("online", "")])
                    answers = service.answers(name)
                    self.assertIn(len(answers), (4, 5, 6))
                    pts = [event["data"]["frames"][0]["pts_ms"] for event in answers]
                    for one, next_one in zip(pts, pts[1:]):
                        self.assertAlmostEqual(next_one - one, 2000, delta=200)


if __name__ == "__main__":
    main()
