#!/usr/bin/env python3
"""/metrics as Prometheus reads it: the text format's rules, and the names that configs/grafana.json shows."""
import json
import math
import re
import shutil
import subprocess
import unittest

from http_service import STREET, HttpService
from palisade import SOURCE, main, wait_for

CAMERA = f"url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\}})? (\S+)(?: (-?\d+))?')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
# Units that the names of Prometheus spell otherwise, as `promtool check metrics` has them.
FOREIGN_UNITS = ("milliseconds", "ms", "minutes", "hours", "days", "kilobytes", "megabytes", "kb", "mb", "gb", "percent", "celcius")


def read_metrics(text):
    """Families by name: (type, [(sample's name, labels, value)]). Breaks with what is wrong."""
    assert text.endswith("\n"), "the last line does not end"
    families, name, seen = {}, None, set()
    for number, line in enumerate(text.splitlines(), 1):
        where = f"line {number}: {line}"
        if line.startswith("# HELP "):
            name, help_text = line[7:].split(" ", 1)
            assert name not in families and help_text and re.fullmatch(NAME, name), where
            families[name] = [None, []]
        elif line.startswith("# TYPE "):
            typed, kind = line[7:].split(" ")
            assert typed == name and families[name][0] is None and kind in ("counter", "gauge", "histogram", "summary", "untyped"), where
            families[name][0] = kind
        elif line and not line.startswith("#"):
            found = SAMPLE.fullmatch(line)
            assert found, where
            kind, samples = families[name]
            assert kind is not None and found[1] in ([f"{name}_bucket", f"{name}_sum", f"{name}_count"] if kind == "histogram" else [name]), where
            labels = LABEL.findall(found[2] or "")
            assert len(dict(labels)) == len(labels), where
            key = (found[1], tuple(sorted(labels)))
            assert key not in seen, f"twice: {where}"
            seen.add(key)
            samples.append((found[1], dict(labels), float(found[3])))
    return families


def faults_of(families):
    """What `promtool check metrics` would say, and what a histogram has to be."""
    for name, (kind, samples) in families.items():
        if not samples:
            yield f"{name} has no sample"
        if kind == "counter" and not name.endswith("_total"):
            yield f"{name}: a counter's name ends with _total"
        if kind != "counter" and name.endswith("_total"):
            yield f"{name}: only a counter's name ends with _total"
        if re.search(r"[A-Z]", name) or name.endswith(("_gauge", "_counter", "_histogram", "_count", "_sum", "_bucket")):
            yield f"{name}: a name says neither its type nor anything in capitals"
        if any(re.search(rf"(^|_){unit}(_|$)", name) for unit in FOREIGN_UNITS):
            yield f"{name}: seconds, bytes and ratios alone are units"
        for sample, labels, value in samples:
            if kind == "counter" and (value < 0 or math.isnan(value)):
                yield f"{sample}: a counter of {value}"
            if kind != "histogram" and ("le" in labels or "quantile" in labels):
                yield f"{sample}: a label of a histogram"
        if kind == "histogram":
            series = {}
            for sample, labels, value in samples:
                rest = tuple(sorted((key, text) for key, text in labels.items() if key != "le"))
                series.setdefault(rest, {}).setdefault(sample, []).append((labels.get("le"), value))
            for rest, parts in series.items():
                buckets = parts[f"{name}_bucket"]
                counts = [count for _, count in buckets]
                if buckets[-1][0] != "+Inf" or counts != sorted(counts) or counts[-1] != parts[f"{name}_count"][0][1]:
                    yield f"{name} {rest}: buckets that do not add up: {buckets}"


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = HttpService({"a": CAMERA, "b_2-x": CAMERA})
        cls.addClassCleanup(cls.service.close)
        wait_for(lambda: cls.service.get("/api/v1/streams/a/picture.jpg")[0] == 200, "a picture")
        status, _, answer = cls.service.ask("POST", "/api/v1/ask", {"prompt": "caption en", "stream": "a"})
        assert status == 200, answer
        cls.service.get('/api/v1/streams/%22quoted%22%5C/picture.jpg')
        cls.text = cls.service.get("/metrics")[2].decode()
        cls.families = read_metrics(cls.text)

    def test_all_of_it_is_well_formed(self):
        self.assertEqual(list(faults_of(self.families)), [])
        self.assertTrue(all(name.startswith("palisade_") for name in self.families))
        # A route is told by its pattern, so that no client can make names without an end.
        routes = {labels["route"] for _, labels, _ in self.families["palisade_http_requests_total"][1]}
        self.assertIn("/api/v1/streams/{stream}/picture.jpg", routes)
        self.assertFalse([route for route in routes if "quoted" in route])

    def test_counters_only_grow(self):
        def counters():
            found = {}
            for name, (kind, samples) in read_metrics(self.service.get("/metrics")[2].decode()).items():
                for sample, labels, value in samples if kind in ("counter", "histogram") else ():
                    found[(sample, tuple(sorted(labels.items())))] = value
            return found
        before = counters()
        wait_for(lambda: counters()[("palisade_stream_frames_total", (("stream", "a"),))] > before[("palisade_stream_frames_total", (("stream", "a"),))], "more frames")
        after = counters()
        for key, value in before.items():
            self.assertGreaterEqual(after[key], value, key)

    def test_promtool_finds_nothing(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool (Debian: prometheus) is not installed")
        done = subprocess.run(["promtool", "check", "metrics"], input=self.text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_dashboard_of_grafana_shows_names_that_there_are(self):
        dashboard = json.loads((SOURCE / "configs" / "grafana.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        served = set()
        for name, (kind, _) in self.families.items():
            served |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
        shown = {name for text in expressions for name in re.findall(r"palisade_\w+", text)}
        self.assertEqual(shown - served, set())
        self.assertGreaterEqual(len(shown), 10)
        labels = {name: {key for _, sample, _ in samples for key in sample} for name, (_, samples) in self.families.items()}
        for text in expressions:
            for name, inside in re.findall(r"(palisade_\w+?)(?:_bucket)?\{([^}]*)\}", text):
                self.assertLessEqual(set(re.findall(r"(\w+)=", inside)), labels[name] | {"le"}, text)
            for grouped in re.findall(r"by \(([^)]*)\)", text):
                name = re.sub("_bucket$", "", re.search(r"palisade_\w+", text)[0])
                self.assertLessEqual(set(grouped.replace(" ", "").split(",")), labels[name] | {"le"}, text)
        self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))


if __name__ == "__main__":
    main()
