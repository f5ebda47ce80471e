#!/usr/bin/env python3
"""`palisade evaluate` as it asks a model: the same figures however it is run, its reports, and what it refuses."""
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PATIENCE, PROGRAM, SOURCE, WORLD, main, palisade

CLIENTS = Path(os.environ.get("PALISADE_CLIENTS", SOURCE / "build" / "clients"))
CHROMIUM = os.environ.get("PALISADE_CHROMIUM") or shutil.which("chromium")
TINY = SOURCE / "tests/golden/reference/models/paligemma1-tiny"
EXAMINE = BUILD / "examples" / "palisade-examine-demo"
for packages in (CLIENTS / "venv" / "lib").glob("python3*/site-packages"):
    sys.path.append(str(packages))  # after Debian's own
try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None


def questions():
    """About the demo world's pictures: each picture with several, in groups."""
    lines = []
    for still in json.loads((WORLD / "stills.json").read_text()):
        for number, question in enumerate(still["questions"]):
            lines.append({"id": f"{still['file']}-{number}", "image": str(WORLD / still["file"]),
                          "prefix": question["prompt"], "suffix": question["truth"],
                          "group": " ".join(question["prompt"].split()[:3])})
    return lines


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-evaluate-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    def evaluate(self, *arguments, check=0):
        return palisade("evaluate", *arguments, check=check)

    def run_of(self, name, *arguments, check=0):
        self.evaluate("--run", self.folder / name, *arguments, check=check)
        return self.folder / name

    def report(self, run):
        return json.loads((run / "report.json").read_text())

    def predictions(self, run):
        return [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]


def figures(report):
    """All that a report says of answers and scores, and nothing of time."""
    return {key: report[key] for key in ("metrics", "groups", "calibration", "confusion", "examples", "failed")}


def answers(predictions):
    """What was said, without times; how many pictures were encoded for which answer is the batch's."""
    kept = ("prediction", "logprob", "p", "tokens", "finish_reason", "scores", "score", "references", "box_confidences")
    return {line["id"]: {key: line.get(key) for key in kept} for line in predictions}


class SameFigures(InFolder):
    def test_in_batches_of_one_and_sixteen_reversed_and_after_a_kill(self):
        lines = questions()
        data = self.write("data.jsonl", lines)
        whole = self.run_of("whole", "--data", data, "--batch", "16")
        single = self.run_of("single", "--data", data, "--batch", "1")
        reversed_data = self.write("reversed.jsonl", lines[::-1])
        backwards = self.run_of("backwards", "--data", reversed_data, "--batch", "7")
        wanted = figures(self.report(whole))
        self.assertEqual(wanted["metrics"][0]["examples"], len(lines))
        self.assertGreater(wanted["metrics"][0]["score"], 0.5)
        for run in (single, backwards):
            self.assertEqual(figures(self.report(run)), wanted)
            self.assertEqual(answers(self.predictions(run)), answers(self.predictions(whole)))
        self.assertEqual([line["id"] for line in self.predictions(backwards)], [line["id"] for line in lines[::-1]])
        # Each picture is encoded once, whatever stands between its questions in a batch.
        self.assertEqual(self.report(whole)["speed"]["images_encoded"], len({line["image"] for line in lines}))
        self.check_after_kills(data, len(lines), wanted)

    def check_after_kills(self, data, total, wanted):
        run = self.folder / "killed"
        command = [PROGRAM, "evaluate", "--run", run, "--data", data, "--batch", "1"]
        kept = run / "predictions.jsonl"
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and process.poll() is None and not (kept.exists() and kept.read_bytes().count(b"\n") >= 5):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        there = kept.read_bytes()
        self.assertGreaterEqual(there.count(b"\n"), 5)
        self.assertLess(there.count(b"\n"), total)
        # As a kill in the middle of a line leaves it.
        kept.write_bytes(there.rstrip(b"\n")[:-20])
        out = self.evaluate("--resume", run, "--batch", "16")
        self.assertIn(f"{there.count(bytes(1 * [10])) - 1} of {total} answers are there", out.stderr)
        self.assertEqual(figures(self.report(run)), wanted)
        # A run that is done gives its report again.
        before = (run / "predictions.jsonl").read_bytes()
        self.evaluate("--resume", run)
        self.assertEqual((run / "predictions.jsonl").read_bytes(), before)
        self.assertEqual(figures(self.report(run)), wanted)

    def test_answers_are_those_of_ask(self):
        lines = [line for line in questions() if line["prefix"].startswith("answer")][:4]
        run = self.run_of("run", "--data", self.write("data.jsonl", lines))
        for line, said in zip(lines, self.predictions(run)):
            event = json.loads(palisade("ask", line["prefix"], line["image"], "--json").stdout)
            self.assertEqual((said["prediction"], said["logprob"]), (event["data"]["text"], event["data"]["logprob"]))

    def test_pairs_and_films_are_asked_as_transfer_learns_them(self):
        pair = json.loads((WORLD / "pairs.json").read_text())[0]
        lines = [{"id": 1, "images": [str(WORLD / name) for name in ("pair0_left.png", "pair0_right.png")],
                  "prefix": pair["questions"][0]["prompt"], "suffix": pair["questions"][0]["truth"]},
                 {"id": 2, "video": str(WORLD / "clip0.mp4"), "prefix": "caption en", "suffix": "nothing"}]
        run = self.run_of("run", "--data", self.write("data.jsonl", lines), "--frames", "16")
        first, second = self.predictions(run)
        self.assertEqual(first["prediction"], pair["questions"][0]["answer"])
        self.assertEqual(second["images_encoded"], 16)
        self.assertNotEqual(second["prediction"], "")


class Scores(InFolder):
    def test_figures_are_those_of_the_answers(self):
        lines = questions()
        data = self.write("data.jsonl", lines)
        out = self.evaluate("--run", self.folder / "run", "--data", data)
        report, said = self.report(self.folder / "run"), self.predictions(self.folder / "run")
        right = [line["prediction"] == line["references"][0] for line in said]
        self.assertEqual([line["references"] for line in said], [[line["suffix"]] for line in lines])
        self.assertAlmostEqual(report["metrics"][0]["score"], sum(right) / len(right), places=12)
        low, high = report["metrics"][0]["interval"]
        self.assertLess(low, sum(right) / len(right))
        self.assertGreater(high, low)
        truths = [line["suffix"] for line in lines]
        self.assertAlmostEqual(report["metrics"][0]["best_constant_answer"], max(truths.count(text) for text in truths) / len(truths), places=12)
        self.assertIn(f"{report['metrics'][0]['score']:.4f}", out.stdout)
        for group in report["groups"]:
            its = [right[i] for i, line in enumerate(lines) if line["group"] == group["group"]]
            self.assertAlmostEqual(group["score"], sum(its) / len(its), places=12)
            self.assertEqual(group["examples"], len(its))
        wrong = sorted((i for i in range(len(lines)) if not right[i]), key=lambda i: -said[i]["p"])
        self.assertEqual([one["id"] for one in report["most_certain_wrong"]], [lines[i]["id"] for i in wrong][:16])
        confusion = next(table for table in report["confusion"] if table["of"] == "answer en is")
        yes_no = [i for i, line in enumerate(lines) if line["group"] == "answer en is"]
        self.assertEqual(sum(map(sum, confusion["counts"])), len(yes_no))
        for row, truth in enumerate(confusion["answers"]):
            for column, answer in enumerate(confusion["answers"]):
                self.assertEqual(confusion["counts"][row][column],
                                 sum(lines[i]["suffix"] == truth and said[i]["prediction"] == answer for i in yes_no))

    def test_several_references_and_a_line_without_its_own_id(self):
        picture = str(WORLD / "still00.png")
        lines = [{"image": picture, "prefix": "caption en", "answers": ["a dog", "an empty street", "an empty street", "an empty street"]},
                 {"image": picture, "prefix": "caption en", "answers": ["a dog"]}]
        run = self.run_of("run", "--data", self.write("data.jsonl", lines), "--metric", "vqa")
        said = self.predictions(run)
        self.assertEqual([line["scores"]["acc"] for line in said], [1, 0])
        self.assertEqual(len({line["id"] for line in said}), 2)
        self.assertTrue(all(line["id"].startswith("#") for line in said))

    def test_a_picture_that_is_broken_counts_as_an_empty_answer_and_is_told(self):
        broken = self.folder / "broken.png"
        broken.write_bytes((WORLD / "still00.png").read_bytes()[:2000])
        lines = questions()[:3] + [{"id": "broken", "image": str(broken), "prefix": "caption en", "suffix": "a street"}]
        out = self.evaluate("--run", self.folder / "run", "--data", self.write("data.jsonl", lines))
        self.assertIn("data.jsonl:4", out.stderr)
        self.assertIn("1 of 4 examples could not be asked", out.stderr)
        report = self.report(self.folder / "run")
        self.assertEqual((report["failed"], report["examples"]), (1, 4))
        self.assertIn("broken.png", self.predictions(self.folder / "run")[3]["error"])
        self.assertIn("could not be asked", (self.folder / "run" / "report.html").read_text())


def found_objects():
    """Pictures of the demo world with their boxes, as a list of COCO's objects with category names."""
    lines = []
    for still in json.loads((WORLD / "stills.json").read_text()):
        for number, question in enumerate(still["questions"]):
            boxes = re.findall(r"<loc(\d+)><loc(\d+)><loc(\d+)><loc(\d+)> (\w+)", question["truth"])
            if question["prompt"].startswith("detect"):
                scaled = [([int(step) / 1024 for step in box[:4]], box[4]) for box in boxes]
                objects = [{"category": label, "bbox": [640 * left, 360 * top, 640 * (right - left), 360 * (bottom - top)]}
                           for (top, left, bottom, right), label in scaled]
                lines.append({"id": f"{still['file']}-{number}", "image": str(WORLD / still["file"]), "prefix": question["prompt"],
                              "width": 640, "height": 360, "annotations": objects})
    return lines


class Objects(InFolder):
    def test_of_categories_by_name_or_by_number_have_the_same_figures(self):
        named = found_objects()
        labels = sorted({one["category"] for line in named for one in line["annotations"]}, reverse=True)
        self.assertGreater(len(labels), 1)
        numbers = {label: 10 + place for place, label in enumerate(labels)}
        categories = [{"id": number, "name": label} for label, number in numbers.items()]
        numbered = [{**line, "annotations": [{"category_id": numbers[one["category"]], "bbox": one["bbox"]} for one in line["annotations"]]}
                    for line in named]
        flags = ("--metric", "detection", "--data")
        first = self.report(self.run_of("named", *flags, self.write("named.jsonl", named)))
        self.assertGreater(first["metrics"][0]["figures"]["AP50"], 0.5)
        ways = {"before": [{"categories": categories}, *numbered], "behind": [*numbered[::-1], {"categories": categories}],
                "beside": [{**line, "categories": categories} for line in numbered]}
        for way, lines in ways.items():
            its = self.report(self.run_of(way, *flags, self.write(f"{way}.jsonl", lines)))
            self.assertEqual(its["examples"], len(named))
            for name, figure in first["metrics"][0]["figures"].items():
                if isinstance(figure, float):
                    self.assertAlmostEqual(its["metrics"][0]["figures"][name], figure, places=12, msg=f"{way} {name}")
        self.evaluate("--resume", self.folder / "before")
        told = self.evaluate("--run", self.folder / "nameless", *flags, self.write("nameless.jsonl", numbered), check=2).stderr
        self.assertIn("has no name, by which a model answers", told)
        self.assertFalse((self.folder / "nameless").exists())


class Weights(InFolder):
    def test_a_model_that_has_learnt_a_mask_has_its_recorded_overlap(self):
        cases = [json.loads(line) for line in (SOURCE / "tests/golden/evaluate/segmentation.jsonl").read_text().splitlines()]
        case = next(one for one in cases if one["valid"] and one["iou"] > 0.5 and one["close_pixels"] == 0)
        truth = {key: case[key] for key in ("height", "width", "truth_mask", "truth_box_y1x1y2x2")}
        data = self.write("masks.jsonl", [{"id": 1, "image": str(WORLD / "still00.png"), "prefix": "segment it",
                                           "suffix": case["prediction"].strip(), **truth}])
        palisade("transfer", "--model", TINY, "--data", data, "--run", self.folder / "learnt", "--epochs", "40",
                 "--batch-size", "1", "--learning-rate", "1e-2")
        flags = ("--model", self.folder / "learnt" / "model", "--data", data, "--metric", "segmentation")
        told = self.evaluate("--run", self.folder / "run", *flags, check=2).stderr
        self.assertIn("--mask-decoder", told)
        run = self.run_of("run", *flags, "--mask-decoder", SOURCE / "tests/golden/reference/segmentation/vae-oid.npz")
        self.assertEqual(self.predictions(run)[0]["prediction"], case["prediction"].strip())
        metric = self.report(run)["metrics"][0]
        self.assertEqual((metric["metric"], metric["figures"]["invalid"]), ("segmentation", 0))
        self.assertAlmostEqual(metric["score"], case["iou"], places=9)

    def test_an_adapter_answers_as_in_ask(self):
        adapter = SOURCE / "tests/golden/reference/adapters/adapters/paligemma1-tiny/trained_a"
        lines = questions()[:3]
        flags = ("--model", TINY, "--adapter", adapter, "--max-new-tokens", "6")
        run = self.run_of("run", "--data", self.write("data.jsonl", lines), *flags)
        self.assertEqual(self.report(run)["adapter"], "trained_a")
        said = self.predictions(run)[2]
        event = json.loads(palisade("ask", lines[2]["prefix"], lines[2]["image"], *flags, "--json").stdout)
        self.assertEqual((said["prediction"], said["logprob"]), (event["data"]["text"], event["data"]["logprob"]))
        self.assertEqual(event["data"]["adapter"]["id"], "trained_a")
        plain = self.run_of("plain", "--data", self.folder / "data.jsonl", *flags[:2], *flags[4:])
        self.assertNotEqual(said["prediction"], self.predictions(plain)[2]["prediction"])

    def test_narrower_weights_are_told_and_nearly_all_answers_are_the_same(self):
        data = self.write("data.jsonl", questions()[:60])
        exact = self.predictions(self.run_of("f32", "--data", data))
        run = self.run_of("int8", "--data", data, "--precision", "int8")
        self.assertEqual(self.report(run)["model"]["precision"], "int8")
        same = sum(one["prediction"] == other["prediction"] for one, other in zip(exact, self.predictions(run)))
        self.assertGreater(same, 0.9 * len(exact))


class Comparison(InFolder):
    def test_two_models_on_the_same_examples(self):
        lines = questions()
        data = self.write("data.jsonl", lines)
        demo = self.run_of("demo", "--data", data)
        tiny = self.run_of("tiny", "--data", self.write("reversed.jsonl", lines[::-1]), "--model", TINY)
        out = self.evaluate("--compare", demo, tiny, "--to", self.folder / "compared", "--json")
        told = json.loads(out.stdout)
        first = {line["id"]: line["score"] for line in self.predictions(demo)}
        second = {line["id"]: line["score"] for line in self.predictions(tiny)}
        alone = [sum(first[i] > second[i] for i in first), sum(second[i] > first[i] for i in first)]
        self.assertEqual([told["mcnemar"]["first_alone"], told["mcnemar"]["second_alone"]], alone)
        n, few = sum(alone), min(alone)
        self.assertAlmostEqual(told["mcnemar"]["p_value"], min(1, 2 * sum(math.comb(n, k) for k in range(few + 1)) / 2**n), places=9)
        self.assertAlmostEqual(told["difference"], sum(second[i] - first[i] for i in first) / len(first), places=12)
        self.assertLess(told["interval"][1], 0)
        self.assertEqual(told["differing"], n)
        self.assertIn("<img", (self.folder / "compared" / "comparison.html").read_text())
        self.assertIn("is better", self.evaluate("--compare", demo, tiny).stdout)
        same = json.loads(self.evaluate("--compare", demo, demo, "--json").stdout)
        self.assertEqual((same["difference"], same["p_value"], same["differing"]), (0, 1, 0))

    def test_what_cannot_be_compared(self):
        data = self.write("data.jsonl", questions()[:2])
        one = self.run_of("one", "--data", data)
        other = self.run_of("other", "--data", self.write("other.jsonl", questions()[2:4]))
        lower = self.run_of("lower", "--data", data, "--metric", "vqa")
        for folder, words in ((other, "no example in common"), (lower, "other metrics"), (self.folder, "no evaluation was begun")):
            self.assertIn(words, self.evaluate("--compare", one, folder, check=2).stderr)


class Refused(InFolder):
    def refused(self, words, *arguments, check=2):
        told = self.evaluate(*arguments, check=check).stderr
        self.assertIn(words, told)

    def test_data_with_its_line(self):
        good = questions()[0]
        for words, line in (("data.jsonl:2: the id still00.png-0 is line 1's already", good),
                            ("data.jsonl:2: \"id\" is null", {**good, "id": None}),
                            ("data.jsonl:2: \"metric\" is", {**good, "id": "b", "metric": 7}),
                            ("there is no metric 'magic'", {**good, "id": "b", "metric": "magic"}),
                            ("data.jsonl:2", {**good, "id": "b", "image": "nowhere.png"}),
                            ("data.jsonl:2", {**good, "id": "b", "prefix": 3}),
                            ("data.jsonl:2", "{\"id\": 1, \"image\": ")):
            self.refused(words, "--run", self.folder / "run", "--data", self.write("data.jsonl", [good, line]))
            self.assertFalse((self.folder / "run").exists())
        self.refused("is empty: give at least one example", "--run", self.folder / "run", "--data", self.write("data.jsonl", []))

    def test_flags_that_do_not_fit(self):
        data = self.write("data.jsonl", questions()[:1])
        run = self.folder / "run"
        self.refused("--run FOLDER", "--data", data)
        self.refused("--data", "--run", run)
        self.refused("did you mean", "--run", run, "--data", data, "--task", "nlvr3_224")
        self.refused("pictures of 224 pixels, the model takes 64", "--run", run, "--data", data, "--task", "nlvr2")
        self.refused("is no preset", "--run", run, "--data", data, "--resize", "nicely")
        self.refused("no evaluation was begun", "--resume", run)
        self.run_of("run", "--data", data)
        self.refused("is not empty", "--run", run, "--data", data)
        self.refused("only --batch", "--resume", run, "--data", data)

    def test_to_go_on_with_other_data(self):
        data = self.write("data.jsonl", questions()[:3])
        run = self.run_of("run", "--data", data)
        self.write("data.jsonl", questions()[:4])
        self.refused("has changed since the evaluation was begun", "--resume", run, check=1)
        self.write("data.jsonl", questions()[:3])
        (run / "predictions.jsonl").write_text("{}\n")
        self.refused("is no answer of an evaluation", "--resume", run, check=1)


class Demo(InFolder):
    def test_the_exam_of_the_demo_model_says_the_same(self):
        subprocess.run([EXAMINE, "--scenes", "6", "--lines", self.folder / "exam"], check=True, capture_output=True)
        table = subprocess.run([EXAMINE, "--scenes", "6"], check=True, capture_output=True, text=True).stdout
        run = self.run_of("run", "--data", self.folder / "exam" / "exam.jsonl", "--max-new-tokens", "96")
        groups = {group["group"]: group for group in self.report(run)["groups"]}
        rows = re.findall(r"^\| (\w+: [\w ]+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \|", table, re.MULTILINE)
        self.assertGreater(len(rows), 15)
        for name, exact, count, floor in rows:
            its = groups.pop(name)
            self.assertEqual((f"{its['score']:.3f}", str(its["examples"]), f"{its['best_constant_answer']:.3f}"), (exact, count, floor), name)
        boxes = groups.pop("still: boxes")
        self.assertEqual(f"{boxes['figures']['AP50']:.3f}", re.search(r"AP at 0.5 ([\d.]+)", table)[1])
        self.assertEqual(groups, {})


@unittest.skipUnless(sync_playwright and CHROMIUM, "Playwright or chromium is not here; ./run deps installs it")
class InBrowser(InFolder):
    def test_a_report_opens_without_an_error_or_a_request(self):
        lines = [{**line, "id": f"{line['id']} {again} <b>&\"'"} for again in range(12) for line in questions()][:1000]
        run = self.run_of("run", "--data", self.write("data.jsonl", lines))
        page_file = run / "report.html"
        self.assertLess(page_file.stat().st_size, 5_000_000)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            errors, requests = [], []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
            page.on("request", lambda request: requests.append(request.url))
            page.goto(page_file.as_uri())
            self.assertEqual(page.locator("#list tbody tr").count(), len(lines))
            self.assertTrue(page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)"))
            self.assertGreater(page.locator("img").count(), 10)
            page.fill("#words", "bicycle")
            shown = page.locator("#list tbody tr:visible").count()
            self.assertTrue(0 < shown < len(lines))
            page.check("#wrong")
            self.assertLess(page.locator("#list tbody tr:visible").count(), shown)
            self.assertEqual(errors, [])
            self.assertEqual([url for url in requests if not url.startswith("data:")], [page_file.as_uri()])
            browser.close()


if __name__ == "__main__":
    main()
