#!/usr/bin/env python3
"""The running service: cameras in, events out, on loopback and local sockets."""
import datetime
import json
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, WORLD, Running, Subscriber, cameras, main, palisade, wait_for

CANARY = "c4n4ry-p4ssw0rd"


class Service:
    """A configuration and the service that runs it."""

    def __init__(self, streams, extra="", environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.endpoint = f"ipc://{self.folder.name}/events"
        config = Path(self.folder.name) / "config.yaml"
        config.write_text(f"node: test\npublish: {self.endpoint}\n{extra}streams:\n{streams}")
        self.running = Running(PROGRAM, "serve", "--config", config, environment=environment)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.running.__exit__(*arguments)
        self.folder.cleanup()


def stream(name, url, tasks="{task: caption, frames: 16, span: 2s, every: 1s}", **settings):
    lines = [f"  - name: {name}", f"    url: '{url}'"]
    lines += [f"    {key}: {value}" for key, value in settings.items()]
    return "\n".join(lines + ["    tasks:", f"      - {tasks}"]) + "\n"


def answers(subscriber, name, count):
    found = []
    while len(found) < count:
        found.append(subscriber.until(lambda topic, _: topic == f"palisade/v1/{name}/caption", f"answers of {name}"))
    return found


class Cameras(unittest.TestCase):
    def test_a_camera_becomes_events_with_its_own_times(self):
        running, urls = cameras(1)
        with running, Service(stream("street", urls[0])) as service:
            subscriber = Subscriber(service.endpoint)
            found = answers(subscriber, "street", 5)
            self.assertEqual([event["data"]["frames"][0]["time_source"] for event in found][-1], "rtcp")
            for event in found:
                self.assertEqual(len(event["data"]["frames"]), 16)
                age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(
                    event["time"].replace("Z", "+00:00"))
                self.assertLess(abs(age.total_seconds()), 60)
            sequences = [int(event["sequence"]) for event in found]
            self.assertEqual(sequences, list(range(sequences[0], sequences[0] + 5)))
            states = [event["data"]["state"] for topic, event in subscriber.events if topic.endswith("/state")]
            self.assertIn("online", states)
            subscriber.until(lambda topic, _: topic == "palisade/v1/service/heartbeat", "a heartbeat")
            self.assertEqual(service.running.stop(), 0)

    def test_an_absent_and_a_frozen_camera_leave_the_others_alone(self):
        running, urls = cameras(1)
        frozen, frozen_urls = cameras(1)
        streams = (stream("good", urls[0]) + stream("absent", f"rtsp://admin:{CANARY}@127.0.0.1:1/x") +
                   stream("frozen", frozen_urls[0], stall_timeout="1s"))
        with running, frozen, Service(streams) as service:
            subscriber = Subscriber(service.endpoint)
            subscriber.until(lambda topic, event: topic.endswith("frozen/state") and event["data"]["state"] == "online", "online")
            frozen.process.send_signal(signal.SIGSTOP)
            subscriber.until(lambda topic, event: topic.endswith("frozen/state") and
                             event["data"]["state"] in ("stalled", "reconnecting"), "the frozen camera is reported")
            answers(subscriber, "good", 3)
            frozen.process.send_signal(signal.SIGCONT)
            subscriber.until(lambda topic, event: topic.endswith("frozen/state") and event["data"]["state"] == "online", "online again")
            frozen.process.send_signal(signal.SIGSTOP)
            self.assertEqual(service.running.stop(), 0)
            absent = [event for topic, event in subscriber.events if topic.endswith("absent/state")]
            self.assertTrue(absent and absent[-1]["data"]["reason"])
            for text in [service.running.stderr(), service.running.stdout(), json.dumps(subscriber.events)]:
                self.assertNotIn(CANARY, text)


class Engine(unittest.TestCase):
    def test_a_rolling_window_encodes_one_image_and_more_prompts_none(self):
        tasks = "\n      - ".join(f"{{task: caption, name: c{i}, language: {language}, frames: 16, span: 3750ms, every: 250ms}}"
                                 for i, language in enumerate(["en", "de", "fr", "es", "it"]))
        with Service(stream("clip", WORLD / "clip0.mp4", tasks, pace="true", loop="true")) as service:
            subscriber = Subscriber(service.endpoint)
            windows = {}
            while sum(len(events) == 5 for events in windows.values()) < 10:
                topic, event = subscriber.receive()
                if "/clip/c" in topic:
                    data = event["data"]
                    windows.setdefault(data["frames"][0]["number"], []).append(data["window"]["images_encoded"])
            whole = [sum(encoded) for encoded in windows.values() if len(encoded) == 5]
            self.assertEqual(whole[:10], [16] + [1] * 9)
            heartbeat = subscriber.until(lambda topic, _: topic == "palisade/v1/service/heartbeat", "a heartbeat")
            counts = heartbeat["data"]["streams"]["clip"]
            self.assertLess(counts["images_encoded"], counts["answered"])

    def test_a_slow_engine_costs_each_camera_its_oldest_windows_evenly_and_tells_of_every_one(self):
        running, urls = cameras(3)
        streams = "".join(stream(f"camera{i}", url, "{task: caption, frames: 16, span: 1s, every: 500ms}")
                          for i, url in enumerate(urls))
        with running, Service(streams, environment={"PALISADE_TEST_SLOWDOWN": "60"}) as service:
            subscriber = Subscriber(service.endpoint)
            events = {f"palisade/v1/camera{i}/caption": [] for i in range(3)}
            while min(map(len, events.values())) < 3:
                topic, event = subscriber.receive()
                if topic in events:
                    events[topic].append(event["data"])
            heartbeat = subscriber.until(lambda topic, _: topic == "palisade/v1/service/heartbeat", "a heartbeat")
            dropped = [counts["dropped"] for counts in heartbeat["data"]["streams"].values()]
            self.assertGreater(min(dropped), 0)
            self.assertLessEqual(max(dropped) - min(dropped), max(3, min(dropped) // 2))
            for data in events.values():
                for before, after in zip(data, data[1:]):
                    apart = after["frames"][0]["pts_ms"] - before["frames"][0]["pts_ms"]
                    self.assertEqual(round(apart / 500), 1 + after["dropped_before"])


class Reload(unittest.TestCase):
    def test_a_reload_swaps_streams_whole_and_a_mistake_changes_nothing(self):
        running, urls = cameras(1)
        with running, Service(stream("stays", urls[0]) + stream("leaves", WORLD / "clip0.mp4", loop="true")) as service:
            config = Path(service.folder.name) / "config.yaml"
            head = config.read_text().split("streams:")[0]
            subscriber = Subscriber(service.endpoint)
            answers(subscriber, "stays", 2)
            config.write_text(head + "streams:\n  - name: stays\n    urll: x\n")
            service.running.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "urll" in service.running.stderr() and "not reloaded" in service.running.stderr(), "the mistake")
            config.write_text(head + "streams:\n" + stream("stays", urls[0]) + stream("comes", WORLD / "clip1.mp4", loop="true"))
            service.running.process.send_signal(signal.SIGHUP)
            answers(subscriber, "comes", 1)
            answers(subscriber, "stays", 2)
            self.assertEqual(service.running.stop(), 0)
            states = [(event["subject"], event["data"]["state"]) for topic, event in subscriber.events if topic.endswith("/state")]
            self.assertIn(("leaves", "removed"), states)
            self.assertEqual(states.count(("stays", "online")), 1)
            starts = [event["data"]["frames"][0]["pts_ms"] for topic, event in subscriber.events if topic.endswith("stays/caption")]
            self.assertEqual({round((b - a) / 100) for a, b in zip(starts, starts[1:])}, {10}, "no window is missing")


class Pairs(unittest.TestCase):
    def test_two_cameras_are_compared_at_the_same_moment(self):
        running, urls = cameras(2)
        task = '{task: pair, statement: "both images contain a car", against: {stream: back, gap: 400ms}, every: 1s}'
        with running, Service(stream("front", urls[0], task) + stream("back", urls[1])) as service:
            subscriber = Subscriber(service.endpoint)
            for _ in range(4):
                event = subscriber.until(lambda topic, _: topic == "palisade/v1/front/pair", "a pair")
                frames = event["data"]["frames"]
                self.assertEqual([frame["stream"] for frame in frames], ["front", "back"])
                times = [datetime.datetime.fromisoformat(frame["time"].replace("Z", "+00:00")) for frame in frames]
                self.assertLessEqual(abs((times[0] - times[1]).total_seconds()), 0.4)
            self.assertIn(event["data"]["text"], ["true", "false", "yes", "no"])

    def test_a_reference_is_taken_kept_and_compared_on_demand(self):
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "empty.png"
            control = f"ipc://{folder}/control"
            task = ('{task: pair, name: changed, statement: "the images show the same", when: demand, '
                    f'against: {{reference: empty, picture: {picture}}}}}')
            with Service(stream("clip", WORLD / "clip0.mp4", task, loop="true"), f"control: {control}\n") as service:
                subscriber = Subscriber(service.endpoint)
                wait_for(lambda: "there is no reference 'empty' yet" in service.running.stderr(), "the want of a reference")
                palisade("control", "take-reference", "clip", "changed", "--at", control)
                wait_for(lambda: "reference 'empty' taken" in service.running.stderr(), "the reference")
                self.assertTrue(picture.read_bytes().startswith(b"\x89PNG"))
                for _ in range(2):
                    palisade("control", "ask-now", "clip", "changed", "--at", control)
                    event = subscriber.until(lambda topic, _: topic == "palisade/v1/clip/changed", "the answer on demand")
                self.assertEqual(len(event["data"]["frames"]), 2)
                self.assertEqual(sum("changed" in topic for topic, _ in subscriber.events), 2)
                self.assertIn("no task 'other'", palisade("control", "ask-now", "clip", "other", "--at", control, check=1).stderr)
                self.assertIn("known are clip", palisade("control", "ask-now", "nobody", "x", "--at", control, check=1).stderr)
            self.assertIn(control, palisade("control", "ask-now", "clip", "changed", "--at", control, check=3).stderr)


class Subscribers(unittest.TestCase):
    def test_a_sleeping_and_a_killed_subscriber_slow_nobody(self):
        running, urls = cameras(1)
        with running, Service(stream("street", urls[0])) as service:
            sleeper = Running(PROGRAM, "watch", "--subscribe", service.endpoint)
            killed = Running(PROGRAM, "watch", "--subscribe", service.endpoint)
            with sleeper, killed:
                subscriber = Subscriber(service.endpoint)
                answers(subscriber, "street", 1)
                sleeper.process.send_signal(signal.SIGSTOP)
                killed.process.kill()
                found = answers(subscriber, "street", 5)
                self.assertEqual([event["data"]["dropped_before"] for event in found], [0] * 5)

    def test_the_example_subscribers_print_what_comes(self):
        with Service(stream("clip", WORLD / "clip0.mp4", pace="true", loop="true")) as service:
            with Running(BUILD / "examples" / "palisade-subscriber", service.endpoint, "palisade/v1/clip/caption") as cxx, \
                    Running("/usr/bin/python3", SOURCE / "examples/subscriber/subscriber.py", service.endpoint,
                            "palisade/v1/clip/caption") as python:
                wait_for(lambda: "bicycle" in cxx.stdout(), "a line of the C++ subscriber")
                wait_for(lambda: "bicycle" in python.stdout(), "a line of the Python subscriber")

    def test_watch_prints_events_as_json_lines(self):
        with Service(stream("clip", WORLD / "clip0.mp4", pace="true", loop="true")) as service:
            out = palisade("watch", "--subscribe", service.endpoint, "palisade/v1/clip/caption", "--count", 2, "--json").stdout
            self.assertEqual([json.loads(line)["subject"] for line in out.splitlines()], ["clip", "clip"])


class Configurations(unittest.TestCase):
    def test_a_publishing_address_in_use_is_said_with_exit_code_3(self):
        with Service(stream("clip", WORLD / "clip0.mp4", pace="true", loop="true"), "") as first:
            Subscriber(first.endpoint).receive()
        import socket
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with tempfile.TemporaryDirectory() as folder:
                config = Path(folder) / "config.yaml"
                config.write_text(f"node: test\npublish: tcp://127.0.0.1:{port}\nstreams:\n" + stream("clip", WORLD / "clip0.mp4"))
                self.assertIn(str(port), palisade("serve", "--config", config, check=3).stderr)

    def test_the_documented_configurations_are_valid(self):
        palisade("config", "check", SOURCE / "configs/palisade.yaml")
        readme = (SOURCE / "README.md").read_text()
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "readme.yaml"
            secret = Path(folder) / "secret"
            secret.write_text("x\n")
            text = readme.split("```yaml\n")[1].split("```")[0]
            config.write_text(text.replace("/run/secrets/front_door", str(secret)))
            palisade("config", "check", config)

    def test_files_end_the_service_when_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config.yaml"
            config.write_text(f"node: test\npublish: ipc://{folder}/events\nstreams:\n" +
                              stream("clip", WORLD / "clip0.mp4", "{task: caption, frames: 1, span: 0s, every: 4s}"))
            palisade("serve", "--config", config, "--until-end")


class Demo(unittest.TestCase):
    def test_the_demo_keeps_a_score_and_stops_cleanly(self):
        done = subprocess.run([SOURCE / "examples/demo/demo.sh", "--seconds", "20", "--json"], capture_output=True,
                              text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        summary = lines[-1]["summary"]
        self.assertGreaterEqual(summary["events"], 6)
        self.assertGreater(summary["object_f1"], 0.6)  # 0.93 over a longer time


if __name__ == "__main__":
    main()
