#!/usr/bin/env python3
"""Faults as the running service tells them: cameras that freeze and return, a host whose clock is set, a suspension.
R-01, R-02, R-04, R-06 and R-25 to R-28 of the fault list."""
import datetime
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, Running, Subscriber, main, wait_for, write_config

STALL = 1.0     # seconds, as configured below
KEYFRAME = 1.0  # seconds between the test camera's key frames
LOAD = 1.0      # for a machine that does other things as well


class Camera:
    """The test camera (tests/fault/rtsp_camera.cc), to be frozen and killed."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "tests" / "rtsp_camera"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = f"rtsp://127.0.0.1:{int(self.process.stdout.readline())}/live"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)


class Service:
    """A configuration of one task a stream, the service that runs it, and somebody who hears it."""

    def __init__(self, streams, environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        endpoint = f"ipc://{self.folder.name}/events"
        text = f"node: test\npublish: {endpoint}\nstreams:\n"
        for name, settings in streams.items():
            text += f"  - name: {name}\n    stall_timeout: 1s\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]\n"
            text += "".join(f"    {key}: '{value}'\n" for key, value in settings.items())
        config = Path(self.folder.name) / "config.yaml"
        write_config(config, text)
        self.running = Running(PROGRAM, "serve", "--config", config, environment=environment)
        self.subscriber = Subscriber(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.subscriber.close()
        self.running.__exit__(*arguments)
        self.folder.cleanup()

    def until_state(self, name, *states):
        topic = f"palisade/v1/{name}/state"
        return self.subscriber.until(lambda seen, event: seen == topic and event["data"]["state"] in states, f"{name} {states}")

    def answers(self, name, count):
        topic = f"palisade/v1/{name}/caption"
        return [self.subscriber.until(lambda seen, _: seen == topic, topic) for _ in range(count)]

    def states(self, name):
        """What has been told of it, without what was only sent again to a new subscriber."""
        seen = {event["id"]: event["data"]["state"] for topic, event in self.subscriber.events
                if topic == f"palisade/v1/{name}/state"}
        return [state for state in seen.values() if state != "connecting"]


class Frozen(unittest.TestCase):
    def test_r01_r02_a_frozen_camera_is_told_in_time_and_is_soon_back(self):
        for name, settings in {"tcp": {"transport": "tcp"}, "udp": {"transport": "udp"},
                               "gst": {"reader": "gstreamer"}}.items():
            with self.subTest(name), Camera() as camera, Service({"door": {"url": camera.url, **settings}}) as service:
                service.until_state("door", "online")
                service.answers("door", 1)
                camera.freeze()
                frozen = time.monotonic()
                service.until_state("door", "stalled")
                self.assertLess(time.monotonic() - frozen, STALL + 1)
                pause = service.until_state("door", "reconnecting")["data"]["next_try_in_ms"] / 1000
                camera.thaw()
                thawed = time.monotonic()
                service.until_state("door", "online")
                self.assertLess(time.monotonic() - thawed, pause + KEYFRAME + LOAD)
                service.answers("door", 1)
                camera.freeze()
                stopping = time.monotonic()
                self.assertEqual(service.running.stop(), 0)
                self.assertLess(time.monotonic() - stopping, 5)


class Clock(unittest.TestCase):
    def test_r25_r26_r27_a_host_whose_clock_is_set_restarts_nothing(self):
        with tempfile.TemporaryDirectory() as folder, Camera() as camera:
            shift = Path(folder) / "shift"
            shift.write_text("0")
            environment = {"LD_PRELOAD": str(BUILD / "tests" / "libclock_shift.so"), "PALISADE_CLOCK_SHIFT": str(shift),
                           "TZ": "Pacific/Kiritimati", "ASAN_OPTIONS": "verify_asan_link_order=0"}
            with Service({"door": {"url": camera.url}}, environment) as service:
                found = service.answers("door", 2)
                for number, seconds in enumerate((3600, -3600, 400 * 86400), 1):
                    shift.write_text(str(seconds))
                    wait_for(lambda: service.running.stderr().count("clock.step") == number, "the step is told once")
                    found += service.answers("door", 6)
                    expected = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
                    told = datetime.datetime.fromisoformat(found[-1]["time"].replace("Z", "+00:00"))
                    # A camera's own clock goes on as it was, until it is doubted.
                    own = found[-1]["data"]["frames"][-1]["time_source"] == "rtcp"
                    off = abs(told - expected).total_seconds() - (abs(seconds) if own else 0)
                    self.assertLess(abs(off), 60)
                ids = [event["id"] for event in found]
                self.assertEqual(ids, sorted(ids))
                sequences = [int(event["sequence"]) for event in found]
                self.assertEqual(sequences, list(range(sequences[0], sequences[0] + len(found))))
                for event in found:
                    self.assertTrue(all(value >= 0 for value in event["data"]["timing_ms"].values()), event)
                # A clock that is off by more than seconds is told, as a reason to be online.
                self.assertEqual(set(service.states("door")), {"online"})
                self.assertEqual(service.running.stop(), 0)


class Suspended(unittest.TestCase):
    def test_r28_a_suspension_is_a_stall_and_one_reconnect(self):
        with Camera() as camera, Service({"door": {"url": camera.url, "transport": "tcp"},
                                          "absent": {"url": "rtsp://127.0.0.1:1/x"}}) as service:
            service.answers("door", 2)
            service.running.signal_all(signal.SIGSTOP)
            time.sleep(3 * STALL)  # the fault itself
            service.running.signal_all(signal.SIGCONT)
            # What was on its way before it: two of them at most were waiting.
            service.answers("door", 8)
            states = service.states("door")
            self.assertLessEqual(states.count("reconnecting"), 1, states)
            self.assertEqual(states[-1], "online")
            self.assertEqual(service.running.stop(), 0)
            # a line a change, not one an attempt.
            attempts = [event for topic, event in service.subscriber.events if topic.endswith("absent/state")]
            self.assertGreater(len(attempts), 2)
            self.assertEqual(service.running.stderr().count("absent: reconnecting"), 1)


if __name__ == "__main__":
    main()
