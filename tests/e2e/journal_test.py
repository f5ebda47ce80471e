#!/usr/bin/env python3
"""The journal as its owner meets it: nothing that was said is lost, by kill -9, by a full disk, by damage; searched, kept, erased."""
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, Running, Subscriber, main, palisade, wait_for

STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"
KILLS = int(os.environ.get("PALISADE_TEST_KILLS", 6))


class Journal(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(self.holder.cleanup)
        self.folder = Path(self.holder.name)
        self.state = self.folder / "state"
        self.endpoint = f"ipc://{self.folder}/events"
        self.config = self.folder / "config.yaml"

    def configure(self, extra="", every="200ms", streams=("a", "b")):
        lines = "".join(f"  - {{name: {name}, url: '{STREET}', loop: true, tasks: [{{task: caption, frames: 1, every: {every}}}]}}\n"
                        for name in streams)
        self.config.write_text(f"node: test\npublish: {self.endpoint}\nstate: {self.state}\n{extra}streams:\n{lines}")

    def serve(self):
        running = Running(PROGRAM, "serve", "--config", self.config)
        self.addCleanup(running.__exit__)
        return running

    def subscribe(self):
        subscriber = Subscriber(self.endpoint)
        self.addCleanup(subscriber.close)
        return subscriber

    def stored(self, *arguments):
        return [json.loads(line) for line in palisade("events", "--state", self.state, "--json", *arguments).stdout.splitlines()]

    def assert_without_a_gap(self, events):
        self.assertEqual(len({event["id"] for event in events}), len(events))
        last = {}
        for event in events:
            topic = (event["subject"], event["type"])
            if topic in last:
                self.assertEqual(int(event["sequence"]), last[topic] + 1, topic)
            last[topic] = int(event["sequence"])

    def test_whatever_was_seen_is_stored_once_however_often_the_service_is_killed(self):
        self.configure()
        subscriber = self.subscribe()
        for _ in range(KILLS):
            running = Running(PROGRAM, "serve", "--config", self.config)
            seen = len(subscriber.events)
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
            end = time.monotonic() + random.uniform(0, 1)
            while time.monotonic() < end:
                if subscriber.socket.poll(20):
                    subscriber.receive()
            running.process.kill()
            running.process.wait()
            running.__exit__()
            self.assertGreater(len(subscriber.events), seen)
        while subscriber.socket.poll(300):
            subscriber.receive()
        stored = self.stored()
        self.assert_without_a_gap(stored)
        ids = {event["id"] for event in stored}
        heard = {event["id"] for topic, event in subscriber.events
                 if "heartbeat" not in topic and event.get("journaled", True)}
        self.assertGreater(len(heard), 2 * KILLS)
        self.assertEqual(heard - ids, set())
        self.assertIn("all sound", palisade("journal", "check", "--state", self.state).stdout)

    def test_events_are_listed_searched_followed_kept_judged_and_erased(self):
        self.configure()
        running, subscriber = self.serve(), self.subscribe()
        subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        with Running(PROGRAM, "events", "--config", self.config, "--json", "--follow") as following:
            answers = [subscriber.until(lambda topic, _: topic == "palisade/v1/a/caption", "an answer") for _ in range(6)]
            wait_for(lambda: answers[-1]["id"] in following.stdout(), "the last answer in --follow")
            lines = following.stdout().splitlines()
            self.assertEqual(len({json.loads(line)["id"] for line in lines}), len(lines))
        one, other = answers[0], answers[1]
        self.assertEqual(one["data"]["frames_stored"], "jpeg")
        sheet, frames = self.folder / "sheet.png", self.folder / "frames"
        wait_for(lambda: "not kept" not in palisade("events", "show", one["id"], "--state", self.state).stderr, "the frame on the disk")
        palisade("events", "show", one["id"], "--state", self.state, "--sheet", sheet, "--frames", frames)
        self.assertTrue(sheet.read_bytes().startswith(b"\x89PNG"))
        view = self.folder / "view.png"
        palisade("events", "show", one["id"], "--state", self.state, "--view", view)
        width, height = struct.unpack(">II", view.read_bytes()[16:24])
        self.assertEqual((width, height), (one["data"]["view"]["width"], one["data"]["view"]["height"]))
        self.assertEqual((width, height), (128, 96))  # the film's own: a view is never enlarged
        self.assertTrue((frames / "01.jpg").read_bytes().startswith(b"\xff\xd8"))
        word = one["data"]["text"].split()[-1]
        found = self.stored("--words", word, "--stream", "a", "--kind", "answer")
        self.assertIn(one["id"], [event["id"] for event in found])
        self.assertTrue(all(word in event["data"]["text"] for event in found))
        self.assertEqual(self.stored("--words", "wombat"), [])
        self.assertGreater(len(self.stored("--like", one["id"])), 3)
        shown = palisade("events", "--state", self.state).stdout.splitlines()
        self.assertLessEqual(len(shown), 50)
        self.assertEqual(json.loads(palisade("events", "show", one["id"], "--state", self.state).stdout), one)
        self.assertIn("--state stands before show", palisade("events", "--state", self.state, "show", one["id"], check=2).stderr)
        palisade("events", "keep", one["id"], "--state", self.state)
        palisade("events", "verdict", other["id"], "wrong", "--text", "a dog", "--state", self.state)
        self.assertIn("judged wrong: a dog", palisade("events", "show", other["id"], "--state", self.state).stdout)
        palisade("events", "examples", "--to", self.folder / "learn", "--state", self.state)
        example = json.loads((self.folder / "learn" / "examples.jsonl").read_text())
        self.assertEqual((example["prefix"], example["suffix"]), (other["data"]["prompt"], "a dog"))
        self.assertTrue((self.folder / "learn" / example["images"][0]).exists())
        self.assertIn("[kept]", palisade("events", "--state", self.state, "--limit", 1000).stdout)
        self.assertIn("no event", palisade("events", "show", "7ZZZZ", "--state", self.state, check=1).stderr)
        self.assertEqual(running.stop(), 0)
        self.assertIn("erased", palisade("journal", "erase", "--stream", "a", "--from", "1970-01-01", "--to", "2100-01-01", "--state", self.state).stdout)
        self.assertEqual(self.stored("--stream", "a"), [])
        self.assertGreater(len(self.stored("--stream", "b")), 0)
        kept = [picture["sha256"] for picture in one["data"]["frames"] + [one["data"]["view"]]]
        for file in (self.state / "frames").glob("*.db"):
            for sha256 in kept:
                rows = sqlite3.connect(file).execute("SELECT count(*) FROM frame WHERE sha256 = ?", [sha256]).fetchone()
                self.assertEqual(rows, (0,), file)
        self.assertNotIn(one["id"].encode(), (self.state / "journal.db").read_bytes())

    def test_answers_whose_frames_are_kept_exact_are_the_same_when_they_are_asked_again(self):
        self.configure(extra="journal: {frames: exact}\n", every="300ms")
        running, subscriber = self.serve(), self.subscribe()
        for _ in range(20):
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        self.assertEqual(running.stop(), 0)
        lines = [json.loads(line) for line in palisade("replay", "--since", "1970-01-01", "--state", self.state, "--json").stdout.splitlines()]
        self.assertGreaterEqual(len(lines), 20)
        self.assertEqual({line["outcome"] for line in lines}, {"same"})
        one = lines[0]["id"]
        self.assertIn("same", palisade("replay", one, "--state", self.state).stdout)
        self.assertIn("other model", palisade("replay", one, "--state", self.state, "--precision", "int8", check=3).stdout)
        shutil.rmtree(self.state / "frames")
        self.assertIn("frames gone", palisade("replay", one, "--state", self.state, check=3).stdout)

    def test_while_the_file_is_held_answers_come_unstored_and_are_stored_later(self):
        self.configure()
        self.serve()
        subscriber = self.subscribe()
        subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        database = sqlite3.connect(self.state / "journal.db", isolation_level=None)
        database.execute("BEGIN EXCLUSIVE")
        held = time.monotonic()
        first = subscriber.until(lambda topic, event: not event.get("journaled", True), "an unstored event")
        self.assertLess(time.monotonic() - held, 10)
        told = subscriber.until(lambda topic, event: "heartbeat" in topic and not event["data"]["journal"]["storing"], "a heartbeat")
        self.assertIn("another process", told["data"]["journal"]["reason"])
        database.execute("ROLLBACK")
        database.close()
        subscriber.until(lambda topic, event: "heartbeat" in topic and event["data"]["journal"]["storing"]
                         and event["data"]["journal"]["waiting"] == 0, "all stored")
        stored = self.stored()
        self.assert_without_a_gap(stored)
        self.assertIn(first["id"], [event["id"] for event in stored])

    def test_nothing_is_missed_by_who_fills_though_he_sleeps_and_the_service_is_killed(self):
        replay = f"ipc://{self.folder}/replay"
        self.configure(extra=f"replay: {replay}\n", every="100ms")
        running, subscriber = self.serve(), self.subscribe()
        subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        followers = [Running(PROGRAM, "watch", "--fill", "--json", "--subscribe", self.endpoint, "--replay", replay),
                     Running(sys.executable, SOURCE / "examples" / "subscriber" / "fill.py", self.endpoint, replay)]
        for follower in followers:
            self.addCleanup(follower.__exit__)
        for follower in followers:
            wait_for(lambda: follower.stdout().count("\n") > 5, "events")
        for follower in followers:
            follower.process.send_signal(signal.SIGSTOP)
        for _ in range(100):
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        running.process.kill()
        running.process.wait()
        for follower in followers:
            follower.process.send_signal(signal.SIGCONT)
        running, subscriber = self.serve(), self.subscribe()
        last = subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        for follower in followers:
            wait_for(lambda: last["id"] in follower.stdout(), "the last answer")
        stored = palisade("events", "--state", self.state, "--json").stdout.splitlines()
        for follower in followers:
            wait_for(lambda: stored[-1] in follower.stdout(), "the last event")
            lines = follower.stdout().splitlines()
            expected = stored[stored.index(lines[0]):]
            self.assertEqual(lines[:len(expected)], expected)

    def test_under_keys_only_those_who_have_one_hear_and_who_lost_it_is_cut_off(self):
        for name in ("server", "alice", "bob"):
            palisade("keys", "new", name, "--to", self.folder)
        line = palisade("keys", "new", "carol", "--to", self.folder).stdout.split("for `clients`: ")[1]
        clients = self.folder / "clients"
        public = {name: (self.folder / f"{name}.pub").read_text().split("public: ")[1].strip() for name in ("alice", "bob")}
        clients.write_text(f"alice {public['alice']}\nbob {public['bob']}\n{line}")
        replay = f"ipc://{self.folder}/replay"
        self.configure(extra=f"replay: {replay}\nkeys: {{server: {self.folder}/server.key, clients: {clients}}}\n")
        self.endpoint = "tcp://127.0.0.1:*"
        running = Running(PROGRAM, "serve", "--config", self.config, "--publish", self.endpoint)
        self.addCleanup(running.__exit__)
        endpoint = wait_for(lambda: running.stderr().partition("publishing on ")[2].partition(";")[0], "the endpoint")

        def watching(name):
            follower = Running(PROGRAM, "watch", "--json", "--subscribe", endpoint, "--key", self.folder / f"{name}.key",
                               "--server-key", self.folder / "server.pub")
            self.addCleanup(follower.__exit__)
            return follower

        alice, bob = watching("alice"), watching("bob")
        filling = Running(sys.executable, SOURCE / "examples" / "subscriber" / "fill.py", endpoint, replay,
                          self.folder / "carol.key", self.folder / "server.pub")
        self.addCleanup(filling.__exit__)
        for follower in (alice, bob, filling):
            wait_for(lambda: follower.stdout().count("/caption") + follower.stdout().count('"caption"') > 2, "events")
        clients.write_text(f"alice {public['alice']}\n")
        running.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "refused a client" in running.stderr(), "the refusal")
        heard = bob.stdout()
        count = alice.stdout().count("\n")
        wait_for(lambda: alice.stdout().count("\n") > count + 20, "events for alice")
        self.assertEqual(bob.stdout(), heard)
        with Running(PROGRAM, "watch", "--json", "--subscribe", endpoint) as plain:
            time.sleep(1)
            self.assertEqual(plain.stdout(), "")
        refused = palisade("serve", "--config", self.config, "--publish", "tcp://0.0.0.0:5557", check=3)
        self.assertIn("is at work", refused.stderr)
        self.configure()
        refused = palisade("serve", "--config", self.config, "--publish", "tcp://0.0.0.0:5557", check=2)
        self.assertIn("palisade keys new", refused.stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "mounting needs root")
    def test_a_full_disk_stops_nobody_and_everything_is_stored_once_there_is_room(self):
        self.state.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", self.state], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("nothing can be mounted here")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.state], check=True))
        self.configure(every="100ms")
        running = self.serve()
        subscriber = self.subscribe()
        unstored = subscriber.until(lambda topic, event: not event.get("journaled", True), "an unstored event")
        for _ in range(10):
            subscriber.until(lambda topic, event: topic.endswith("/caption"), "an answer")
        self.assertIn("free space", running.stderr())
        self.assertIn("all sound", palisade("journal", "check", "--state", self.state).stdout)
        subprocess.run(["mount", "-o", "remount,size=64m", self.state], check=True)
        subscriber.until(lambda topic, event: "heartbeat" in topic and event["data"]["journal"]["storing"]
                         and event["data"]["journal"]["waiting"] == 0, "all stored")
        stored = self.stored()
        self.assert_without_a_gap(stored)
        self.assertIn(unstored["id"], [event["id"] for event in stored])
        self.assertIn("all sound", palisade("journal", "check", "--state", self.state).stdout)

    def test_what_the_disk_does_not_confirm_is_never_said_to_be_stored(self):
        self.configure()
        running = Running(PROGRAM, "serve", "--config", self.config,
                          environment={"LD_PRELOAD": str(BUILD / "tests" / "libfile_faults.so"),
                                       "PALISADE_FILE_FAULT": "journal.db-wal:0:sync", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.addCleanup(running.__exit__)
        subscriber = self.subscribe()
        subscriber.until(lambda topic, event: topic.endswith("/caption") and "journaled" not in event, "a stored answer")
        broken = self.state / "journal.db-wal.broken"
        broken.touch()
        subscriber.until(lambda topic, event: topic.endswith("/caption") and "journaled" in event, "an unstored answer")
        unstored = [subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer") for _ in range(20)]
        self.assertEqual({event.get("journaled") for event in unstored}, {False})
        told = subscriber.until(lambda topic, event: "heartbeat" in topic and not event["data"]["journal"]["storing"], "a heartbeat")
        self.assertIn("errors", told["data"]["journal"]["reason"])
        broken.unlink()
        subscriber.until(lambda topic, event: "heartbeat" in topic and event["data"]["journal"]["storing"]
                         and event["data"]["journal"]["waiting"] == 0, "all stored")
        stored = self.stored()
        self.assert_without_a_gap(stored)
        self.assertLessEqual({event["id"] for event in unstored}, {event["id"] for event in stored})
        self.assertIn("all sound", palisade("journal", "check", "--state", self.state).stdout)

    def test_damage_is_set_aside_and_the_cameras_go_on(self):
        self.configure()
        running, subscriber = self.serve(), self.subscribe()
        for _ in range(20):
            subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        self.assertEqual(running.stop(), 0)
        with (self.state / "journal.db").open("r+b") as file:
            file.seek(3 * 4096)
            file.write(os.urandom(2 * 4096))
        running, subscriber = self.serve(), self.subscribe()
        subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        self.assertIn("set aside", running.stderr())
        self.assertEqual(len(list(self.state.glob("journal.db.corrupt-*"))), 1)
        self.assertIn("all sound", palisade("journal", "check", "--state", self.state).stdout)

    def test_what_cannot_be_a_journal_is_refused_with_the_remedy_and_off_needs_none(self):
        self.configure(extra="journal: off\n")
        self.state = Path("/proc/nowhere")
        running, subscriber = self.serve(), self.subscribe()
        answer = subscriber.until(lambda topic, _: topic.endswith("/caption"), "an answer")
        self.assertNotIn("journaled", answer)
        self.assertEqual(running.stop(), 0)
        self.assertFalse((self.folder / "state").exists())
        self.configure()
        refused = palisade("serve", "--config", self.config, check=2)
        self.assertIn("journal: off", refused.stderr)
        self.state = self.folder / "state"
        self.configure()
        self.serve()
        wait_for(lambda: (self.state / "journal.db").exists(), "the journal")
        again = palisade("serve", "--config", self.config, "--publish", f"ipc://{self.folder}/others", check=3)
        self.assertIn("is at work in it", again.stderr)
        self.assertIn("no journal", palisade("events", "--state", self.folder, check=1).stderr)


if __name__ == "__main__":
    main()
