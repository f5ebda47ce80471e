#!/usr/bin/env python3
"""What cannot be interrupted holds up nobody else: a name server that never answers, a film made to keep a reader busy."""
import signal
import struct
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, Running, Subscriber, cameras, main, wait_for, write_config

PROMISED = 5  # seconds until SIGTERM has ended the service, whatever its cameras do
NO_NAMES = {"LD_PRELOAD": str(BUILD / "tests" / "liblost_names.so")}
STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + kind + data


def full(kind, *parts, flags=0):
    return box(kind, struct.pack(">I", flags), *parts)


def film(tracks, pictures):
    """An MP4 file of some hundred bytes a track, each of which says that it has so many pictures of one byte."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    codec = box(b"mp4v", b"\0" * 6, struct.pack(">H", 1), b"\0" * 16, struct.pack(">HH", 64, 48), b"\0" * 12,
                struct.pack(">H", 1), b"\0" * 32, struct.pack(">Hh", 24, -1))
    table = box(b"stbl", full(b"stsd", struct.pack(">I", 1), codec), full(b"stts", struct.pack(">III", 1, pictures, 1)),
                full(b"stsc", struct.pack(">IIII", 1, 1, pictures, 1)), full(b"stsz", struct.pack(">II", 1, pictures)),
                full(b"stco", struct.pack(">II", 1, 48)))
    media = box(b"mdia", full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 25, pictures, 0, 0)),
                full(b"hdlr", b"\0\0\0\0vide" + b"\0" * 13), box(b"minf", full(b"vmhd", b"\0" * 8, flags=1), table))
    header = full(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 1000), b"\0" * 16, matrix, struct.pack(">II", 64 << 16, 48 << 16),
                  flags=3)
    movie = full(b"mvhd", struct.pack(">IIII", 0, 0, 25, 1000), struct.pack(">IH", 0x10000, 0x100), b"\0" * 10, matrix,
                 b"\0" * 24, struct.pack(">I", tracks + 1))
    return (box(b"ftyp", b"isom\0\0\2\0isommp42") + box(b"moov", movie, *[box(b"trak", header, media)] * tracks) +
            box(b"mdat", b"\0\0\1\xb0" * 200))


class Service:
    """A service and one who hears it; its configuration may be written anew."""

    def __init__(self, streams, environment=None):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.endpoint = f"ipc://{self.folder.name}/events"
        self.config = Path(self.folder.name) / "config.yaml"
        self.write(streams)
        self.running = Running(PROGRAM, "serve", "--config", self.config, environment=environment)
        self.subscriber = Subscriber(self.endpoint)

    def write(self, streams):
        text = f"node: test\npublish: {self.endpoint}\nstreams:\n"
        for name, (url, settings) in streams.items():
            text += f"  - {{name: {name}, url: '{url}', {settings}tasks: [{{task: caption, frames: 1, every: 500ms}}]}}\n"
        write_config(self.config, text)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.subscriber.close()
        self.running.__exit__(*arguments)
        self.folder.cleanup()

    def until_state(self, name, state):
        topic = f"palisade/v1/{name}/state"
        return self.subscriber.until(lambda seen, event: seen == topic and event["data"]["state"] == state, f"{name} {state}")

    def removed(self):
        """Ends the service; which streams it told to be removed, and after how many seconds it had ended, with which code."""
        begin = time.monotonic()
        self.running.process.send_signal(signal.SIGTERM)
        code = self.running.process.wait(timeout=60)
        took = time.monotonic() - begin
        names = set()
        while self.subscriber.socket.poll(1000):
            topic, event = self.subscriber.receive()
            if topic.endswith("/state") and event["data"]["state"] == "removed":
                names.add(topic.split("/")[2])
        return names, took, code


class Stuck(unittest.TestCase):
    def test_look_ups_without_an_answer_hold_up_neither_the_end_nor_a_reload_nor_another_stream(self):
        street = (STREET, "loop: true, pace: true, ")
        lost = {"lost": ("rtsp://camera.lost/live", ""), "lost_too": ("rtsp://camera2.lost/live", "reader: gstreamer, "),
                "lost_film": ("http://camera3.lost/film.mp4", "")}
        with Service({**lost, "street": street}, NO_NAMES) as service:
            service.until_state("street", "online")
            # A reload that leaves one of them out goes through; its stream is told to be removed.
            service.write({"lost_too": lost["lost_too"], "lost_film": lost["lost_film"], "street": street, "other": street})
            service.running.process.send_signal(signal.SIGHUP)
            self.assertIn("left behind", service.until_state("lost", "removed")["data"]["reason"])
            service.until_state("other", "online")
            names, took, code = service.removed()
        self.assertEqual((names, code), ({"lost_too", "lost_film", "street", "other"}, 0))
        self.assertLess(took, PROMISED)

    def test_a_reader_that_hangs_is_told_without_a_stop_and_opened_anew(self):
        streams = {"lost": ("rtsp://camera.lost/live", "open_timeout: 100ms, "), "street": (STREET, "loop: true, pace: true, ")}
        with Service(streams, NO_NAMES) as service:
            service.until_state("street", "online")
            self.assertIn("its reader hangs", service.until_state("lost", "stalled")["data"]["reason"])
            service.until_state("lost", "reconnecting")
            again = service.until_state("lost", "stalled")["data"]
            self.assertGreater(again["attempt"], 2)
            names, took, code = service.removed()
        self.assertEqual((names, code), ({"lost", "street"}, 0))
        self.assertLess(took, PROMISED)

    def test_a_person_who_asks_about_a_stuck_camera_can_stop_it(self):
        for command in [["caption", "rtsp://camera.lost/live"], ["ask", "is there a car?", "http://camera.lost/film.mp4"]]:
            with Running(PROGRAM, *command, environment=NO_NAMES) as running:
                # The model has been read when its line comes.
                wait_for(lambda: "model palisade-demo" in running.stderr(), "the model")
                begin = time.monotonic()
                running.process.send_signal(signal.SIGINT)
                self.assertEqual(running.process.wait(timeout=60), 1)
                self.assertLess(time.monotonic() - begin, PROMISED)

    def test_a_film_that_says_it_is_endless_costs_other_cameras_no_picture(self):
        running, urls = cameras(3)
        with running, tempfile.TemporaryDirectory() as folder:
            bomb = Path(folder) / "bomb.mp4"
            bomb.write_bytes(film(30, 10_000_000))
            streams = {f"camera{i}": (url, "") for i, url in enumerate(urls)}
            with Service({"bomb": (bomb, "loop: true, "), **streams}) as service:
                answers = {name: [] for name in streams}
                while min(map(len, answers.values())) < 10:
                    topic, event = service.subscriber.receive()
                    name = topic.split("/")[2]
                    if event["type"] == "palisade.answer.v1":
                        answers[name].append((event["data"]["frames"][0]["pts_ms"], event["data"]["dropped_before"]))
                names, took, code = service.removed()
                for name in streams:
                    told = [event["data"]["state"] for topic, event in service.subscriber.events if topic.endswith(f"/{name}/state")]
                    self.assertLessEqual(set(told), {"connecting", "online", "removed"}, name)
            # A window each half second of the camera's own time; what a busy engine leaves out is counted.
            for name, seen in answers.items():
                for (before, _), (pts, dropped) in zip(seen, seen[1:]):
                    self.assertEqual(round((pts - before) / 500), 1 + dropped, name)
            self.assertLessEqual(set(streams), names)
            self.assertEqual(code, 0)
            self.assertLess(took, PROMISED)


if __name__ == "__main__":
    main()
