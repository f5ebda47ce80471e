#!/usr/bin/env python3
"""Alerts from end to end: rules in a running service, the same ones on its journal, digests, calibrated certainty, redaction."""
import json
import shutil
import subprocess
import tempfile
import unittest
from datetime import datetime, timedelta
from pathlib import Path

from palisade import BUILD, PROGRAM, Running, Subscriber, main, palisade, validate

WINDOW = "200ms"  # two seconds of the street
TASKS = "{task: caption, frames: 1, every: %s}, {task: question, name: person, question: 'is there a red person?', frames: 1, every: %s}" % (
    WINDOW, WINDOW)
RULE = """    rules:
      - name: busy
        task: person
        severity: info
        text: "{stream}: {text}"
"""


def film_time(frame):
    """When a film's first picture was taken."""
    return datetime.fromisoformat(frame["time"].replace("Z", "+00:00")) - timedelta(milliseconds=frame["pts_ms"])


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.films = tempfile.TemporaryDirectory(prefix="palisade-films-")
        cls.addClassCleanup(cls.films.cleanup)
        cls.film = Path(cls.films.name) / "street.mp4"
        subprocess.run([BUILD / "examples" / "palisade-intrusions", cls.film, "--seconds", "200", "--lapse", "10",
                        "--intrusions", "2", "--lookalikes", "2"], check=True)
        cls.truth = [json.loads(line) for line in Path(f"{cls.film}.truth.jsonl").read_text().splitlines()]

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.state = self.folder / "state"
        self.config = self.folder / "config.yaml"

    def configure(self, rules=RULE, head="", tasks=TASKS):
        self.config.write_text(f"node: test\npublish: ipc://{self.folder}/events\nstate: {self.state}\n{head}streams:\n"
                               f"  - name: a\n    url: '{self.film}'\n    loop: true\n    tasks: [{tasks}]\n{rules}")

    def serve(self):
        running = Running(PROGRAM, "serve", "--config", self.config)
        self.addCleanup(running.__exit__)
        subscriber = Subscriber(f"ipc://{self.folder}/events")
        self.addCleanup(subscriber.close)
        return running, subscriber

    def stored(self, *arguments):
        return [json.loads(line) for line in palisade("events", "--state", self.state, "--json", *arguments).stdout.splitlines()]

    def test_a_service_raises_and_clears_alerts_and_its_journal_gives_the_same_again(self):
        self.configure()
        running, subscriber = self.serve()
        for change in ("raised", "cleared", "raised"):
            alert = subscriber.until(lambda topic, _: topic == "palisade/v1/a/rule/busy", change)
            self.assertEqual(alert["data"]["change"], change)
        self.assertEqual(running.stop(), 0)
        told = self.stored("--kind", "alert", "--stream", "a", "--task", "busy")
        self.assertGreaterEqual(len(told), 3)
        begin = film_time(self.stored("--kind", "answer", "--limit", 1000)[0]["data"]["frames"][0])
        visits = [visit for visit in self.truth if visit["kind"] == "intrusion"]
        for alert, visit in zip((alert for alert in told if alert["data"]["change"] == "raised"), visits):
            seen = (datetime.fromisoformat(alert["data"]["since"].replace("Z", "+00:00")) - begin).total_seconds()
            self.assertGreater(seen, visit["from"] - 0.3)
            self.assertLess(seen, visit["from"] + 0.6)
        answers = {event["id"]: event for event in self.stored("--kind", "answer")}
        for alert, other in zip(told, told[1:]):
            self.assertNotEqual(alert["data"]["change"], other["data"]["change"])
            validate(alert)
            for evidence in alert["data"]["evidence"]:
                self.assertIn(evidence, answers)
        for answer in answers.values():
            self.assertEqual(answer["data"]["frames_stored"], "exact" if answer["data"].get("name") == "person" else "jpeg")
        again = [json.loads(line) for line in palisade("rules", "test", self.config, "--json").stdout.splitlines()]
        self.assertEqual([{k: v for k, v in alert.items() if k not in ("stream", "time")} for alert in again],
                         [alert["data"] for alert in told])
        lines = self.folder / "events.jsonl"
        lines.write_text("".join(json.dumps(event) + "\n" for event in self.stored()))
        self.assertEqual(palisade("rules", "test", self.config, lines, "--json").stdout,
                         palisade("rules", "test", self.config, "--json").stdout)
        self.assertIn("info raised: a: ", palisade("events", "--state", self.state, "--kind", "alert", "--limit", 100).stdout)

    def test_an_alert_goes_on_after_a_restart(self):
        self.configure(RULE.replace("task: person", "task: person\n        above: 0\n        below: 0"))
        running, subscriber = self.serve()
        subscriber.until(lambda topic, _: topic == "palisade/v1/a/rule/busy", "raised")
        self.assertEqual(running.stop(), 0)
        running, subscriber = self.serve()
        for _ in range(4):
            subscriber.until(lambda topic, _: topic == "palisade/v1/a/caption", "an answer")
        self.assertEqual(running.stop(), 0)
        self.assertEqual([event["data"]["change"] for event in self.stored("--kind", "alert")], ["raised"])

    def test_a_second_look_is_asked_for_and_decides(self):
        self.configure("""    rules:
      - {name: sure, task: red, above: 0, re_ask: {task: again, above: 0}}
      - {name: never, task: red, above: 0, re_ask: {task: again, answer: perhaps, within: 1s}}
""", tasks="{task: question, name: red, question: 'is there a car?', frames: 1, every: 200ms}, "
           "{task: question, name: again, question: 'is there a car?', frames: 1, when: demand}")
        running, subscriber = self.serve()
        found = {}
        while len(found) < 2:
            event = subscriber.until(lambda topic, _: "/rule/" in topic, "alerts")
            found.setdefault(event["data"]["rule"], event)
        self.assertEqual(running.stop(), 0)
        self.assertEqual(found["sure"]["data"]["check"], "passed")
        self.assertEqual(found["never"]["data"]["check"], "unanswered")

    def test_a_digest_has_only_what_events_said(self):
        self.configure()
        running, subscriber = self.serve()
        for _ in range(8):
            subscriber.until(lambda topic, _: topic == "palisade/v1/a/caption", "an answer")
        self.assertEqual(running.stop(), 0)
        events = {event["id"]: event for event in self.stored()}
        entries = [json.loads(line) for line in palisade("digest", "--state", self.state, "--from", "1970-01-01", "--json").stdout.splitlines()]
        for entry in entries:
            texts = {events[name]["data"].get("text", events[name]["data"].get("state", "")) for name in entry["ids"]}
            self.assertTrue(any(entry["text"].startswith(text) for text in texts), (entry, texts))
        captions = [event for event in events.values() if event["type"] == "palisade.answer.v1"]
        self.assertEqual(sum(entry["count"] for entry in entries if entry["kind"] == "answer"), len(captions))
        shown = palisade("digest", "--state", self.state, "--from", "1970-01-01", "--zone", "Europe/Berlin").stdout
        self.assertIn("a: caption", shown)
        self.assertIn("Mars", palisade("digest", "--state", self.state, "--zone", "Mars/Base", "--from", "1970-01-01", check=1).stderr)

    def test_certainty_is_measured_and_told(self):
        data = self.folder / "data"
        subprocess.run([BUILD / "examples" / "palisade-world", "--out", data, "--stills", "300", "--seed", "99"],
                       check=True, capture_output=True)
        files = [path for path in sorted(data.glob("*.jsonl")) if path.name != "scenes.jsonl"]
        lines = [line for path in files for line in path.read_text().splitlines() if "is there a" in line]
        examples = data / "exists.jsonl"
        examples.write_text("\n".join(lines) + "\n")
        self.assertGreater(len(lines), 50)
        curves, picture = self.folder / "curves.json", self.folder / "curves.svg"
        printed = palisade("calibrate-answers", "--data", examples, "--to", curves, "--svg", picture).stdout
        self.assertRegex(printed, r"error before 0\.\d+ \[.*after 0\.\d+ \[.*question")
        self.assertIn("</svg>", picture.read_text())
        shutil.copy(curves, self.folder / "other.json")
        frame = self.folder / "frames"
        palisade("caption", self.film, "--frames", 1, "--every", "5s", "--frames-to", frame)
        event = json.loads(palisade("ask", "is there a car?", sorted(frame.glob("*.png"))[0], "--certainty", curves, "--json").stdout)
        validate(event)
        self.assertIn("calibrated", event["data"]["choices"][0])
        self.assertEqual(event["data"]["curve"]["task"], "question")
        # Answers with an adapter are other answers: they have curves of their own, beside those of the model.
        run = self.folder / "run"
        learnt, judged = self.folder / "data" / "learnt.jsonl", self.folder / "data" / "judged.jsonl"
        learnt.write_text("\n".join(lines[:8]) + "\n")
        judged.write_text("\n".join(lines[:60]) + "\n")
        palisade("transfer", "--data", learnt, "--run", run, "--epochs", "1", "--learning-rate", "1e-5", "--lora-rank", "2",
                 "--lora-output", "adapter", "--freeze-vit")
        asked = ("ask", "is there a car?", sorted(frame.glob("*.png"))[0], "--certainty", curves, "--json")
        self.assertNotIn("calibrated", json.loads(palisade(*asked, "--adapter", run / "adapter").stdout)["data"]["choices"][0])
        self.assertIn("adapter", palisade("calibrate-answers", "--data", judged, "--to", curves, "--adapter", run / "adapter").stdout)
        both = json.loads(palisade(*asked, "--adapter", run / "adapter").stdout)
        self.assertIn("calibrated", both["data"]["choices"][0])
        kept = json.loads(curves.read_text())["curves"]
        self.assertEqual({curve.get("adapter") for curve in kept}, {None, both["data"]["adapter"]["sha256"]})
        self.assertEqual(json.loads(palisade(*asked).stdout)["data"]["choices"], event["data"]["choices"])
        curves.write_text(curves.read_text().replace('"id": "', '"id": "other-').replace('"sha256": "', '"sha256": "0'))
        self.assertIn("not of", palisade("ask", "is there a car?", sorted(frame.glob("*.png"))[0], "--certainty", curves, "--json", check=2).stderr)

    def test_what_is_personal_is_not_published(self):
        self.configure("", head="redact: {patterns: {thing: 'car|truck|dog|person|bicycle|street'}}\n")
        running, subscriber = self.serve()
        event = subscriber.until(lambda topic, _: topic == "palisade/v1/a/caption", "an answer")
        self.assertEqual(running.stop(), 0)
        self.assertEqual(event["data"]["redacted"], ["thing"])
        self.assertIn("[thing]", event["data"]["text"])
        self.assertEqual(event["data"]["token_ids"], [])
        for kind in (" car", " street"):
            self.assertNotIn(kind, event["data"]["text"])


if __name__ == "__main__":
    main()
