#!/usr/bin/env python3
"""Alerts on hours of a simulated street (examples/dataset/intrusions.cc): which intrusions a rule finds, when, and what it raises
beside them; with a second look and without. The journal of that run then gives the same alerts again. Prints a line of JSON for
each rule. PALISADE_BUILD names the build folder.

Two tasks look at the street, and it is enough that one of them sees somebody: a question about a picture every two seconds, and
captions of windows of 16 pictures over 8 s, the longest that the demo model was taught. Each misses people whom the other sees: the
question somebody who stands before a car of the same colour, a caption somebody among much traffic."""
import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
from palisade import BUILD, PROGRAM  # noqa: E402

LOOK, WINDOW = 2, 8  # seconds of the street: from one question to the next, and what a caption's window covers


def configuration(folder, film, lapse, quiet):
    look, window = (f"{1000 * seconds // lapse}ms" for seconds in (LOOK, WINDOW))
    hours = "" if quiet is None else f", quiet: [{{from: '{quiet[0]}', to: '{quiet[1]}'}}]"
    seen = "any: [{task: person, above: 0.7, below: 0.3}, {task: story, says: [red person]}]"
    common = f"{seen}, cooldown: 2s, severity: critical{hours}"
    return f"""node: trial
publish: ipc://{folder}/events
state: {folder}/state
streams:
  - name: street
    url: {film}
    degrade: false
    tasks:
      - {{task: question, name: person, question: "is there a red person?", frames: 1, every: {look}}}
      - {{task: caption, name: story, frames: 16, span: {window}, every: {window}}}
      - {{task: question, name: again, question: "is there a red person?", frames: 1, every: {look}, when: demand}}
    rules:
      - {{name: plain, {common}}}
      - {{name: looked_twice, {common}, re_ask: {{task: again, above: 0.7, within: 20s}}}}
"""


def time_of(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def begin_of(film):
    """When its first picture was taken, as Palisade has it."""
    event = json.loads(subprocess.run([PROGRAM, "caption", film, "--frames", "1", "--every", "1h", "--json"], check=True,
                                      capture_output=True, text=True).stdout.splitlines()[0])
    frame = event["data"]["frames"][0]
    return time_of(frame["time"]) - timedelta(milliseconds=frame["pts_ms"])


def account(alerts, truth, lapse, begin):
    """Times of the film; an alert belongs to a visit from a look before to a window after it."""
    look, window = LOOK / lapse, WINDOW / lapse
    raised = [(time_of(alert["since"]) - begin).total_seconds() for alert in alerts if alert["change"] == "raised"]
    wanted = [visit for visit in truth if visit["kind"] == "intrusion"]
    found, late, twice, after, used = 0, 0, 0, [], set()
    for visit in wanted:
        within = [i for i, at in enumerate(raised) if visit["from"] - look <= at <= visit["until"] + window]
        used.update(within)
        found += bool(within)
        twice += max(0, len(within) - 1)
        if within:
            after.append(lapse * (raised[within[0]] - visit["from"]))
            late += raised[within[0]] - visit["from"] > 2 * window
    return {"intrusions": len(wanted), "found": found, "later_than_two_windows": late, "raised_again": twice,
            "false_alerts": len(raised) - len(used), "seconds_until_alert": [round(seconds, 1) for seconds in sorted(after)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=7200, help="of the street")
    parser.add_argument("--lapse", type=int, default=20)
    parser.add_argument("--intrusions", type=int, default=12)
    parser.add_argument("--lookalikes", type=int, default=30)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--film", type=Path, help="made before with these settings; its truth stands beside it")
    parser.add_argument("--alerts-to", type=Path, help="write the alerts and what really was to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = arguments.film or folder / "street.mp4"
        # Two minutes of the film with one intrusion in their middle, which one minute of the clock is to hide.
        minute, middle = 60 * arguments.lapse, arguments.seconds // 2
        quiet = arguments.seconds >= 4 * minute
        if not arguments.film:
            subprocess.run([BUILD / "examples" / "palisade-intrusions", film, "--seconds", str(arguments.seconds),
                            "--lapse", str(arguments.lapse), "--intrusions", str(arguments.intrusions),
                            "--lookalikes", str(arguments.lookalikes), "--seed", str(arguments.seed),
                            *(["--quiet-from", str(middle - minute), "--quiet-to", str(middle + minute)] if quiet else [])], check=True)
        truth = [json.loads(line) for line in Path(f"{film}.truth.jsonl").read_text().splitlines()]
        begin = begin_of(film)
        hidden = begin + timedelta(seconds=middle / arguments.lapse)
        config = folder / "palisade.yaml"
        config.write_text(configuration(folder, film, arguments.lapse,
                                        (f"{hidden:%H:%M}", f"{hidden + timedelta(minutes=1):%H:%M}") if quiet else None))
        served = subprocess.run([PROGRAM, "serve", "--config", config, "--until-end"], capture_output=True, text=True)
        if served.returncode != 0:
            sys.exit(served.stderr)
        events = [json.loads(line) for line in subprocess.run(
            [PROGRAM, "events", "--config", config, "--json", "--from", "2026-01-01"], check=True, capture_output=True,
            text=True).stdout.splitlines()]
        again = [json.loads(line) for line in subprocess.run(
            [PROGRAM, "rules", "test", config, "--json"], check=True, capture_output=True, text=True).stdout.splitlines()]
        told = [event["data"] for event in events if event["type"] == "palisade.alert.v1"]
        for alert in again:
            del alert["stream"], alert["time"]
        if arguments.alerts_to:
            arguments.alerts_to.write_text(json.dumps({"truth": truth, "alerts": told}, indent=1))
        answers = sum(event["type"] == "palisade.answer.v1" for event in events)
        for rule in ("plain", "looked_twice"):
            alerts = [alert for alert in told if alert["rule"] == rule]
            print(json.dumps({"rule": rule, "answers": answers, **account(alerts, truth, arguments.lapse, begin),
                              "same_from_journal": alerts == [alert for alert in again if alert["rule"] == rule]}))


if __name__ == "__main__":
    main()
