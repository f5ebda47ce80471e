#!/usr/bin/env python3
"""`palisade evaluate --predictions`: the recorded scores of the reference implementations from outside, and lines that are
not as they should be."""
import json
import math
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, main

CASES = SOURCE / "tests/golden/evaluate"
# What a line of the data may say, under the names of the reference's README.
DATA_KEYS = ("answer", "answers", "answer_type", "question_type", "issimple", "identifier", "choices", "correct_choice_idx",
             "direct_answers", "difficult_direct_answer")


def cases_of(name):
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]


class Evaluate(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, lines):
        file = self.folder / name
        file.write_bytes(b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines))
        return str(file)

    def run_palisade(self, data, predictions, metric, *flags):
        return subprocess.run([PROGRAM, "evaluate", "--data", self.write("data.jsonl", data), "--predictions",
                               self.write("answers.jsonl", predictions), "--metric", metric, *flags],
                              capture_output=True, timeout=120, check=False)

    def scored(self, data, predictions, metric, *flags):
        done = self.run_palisade(data, predictions, metric, "--json", *flags)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        *lines, last = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(last["metric"], metric)
        self.assertEqual(len(lines), len({json.dumps(line["id"]) for line in data}))
        return {line["id"]: line for line in lines}, last

    def assert_refused(self, data, predictions, metric, *told):
        done = self.run_palisade(data, predictions, metric)
        self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr.decode())
        for words in told:
            self.assertIn(words, done.stderr.decode())

    def assert_near(self, found, expected, what):
        if isinstance(expected, dict):
            for name, value in expected.items():
                self.assert_near(found[name], value, f"{what} {name}")
        elif isinstance(expected, list):
            self.assertEqual(len(found), len(expected), what)
            for one, other in zip(found, expected):
                self.assert_near(one, other, what)
        elif isinstance(expected, float):
            self.assertTrue(math.isclose(found, expected, rel_tol=0, abs_tol=1e-9), f"{what}: {found}, not {expected}")
        else:
            self.assertEqual(found, expected, what)


class Recorded(Evaluate):
    def check_metric(self, metric, scores, lower=False):
        cases = {case["id"]: case for case in cases_of(metric)}
        totals = json.loads((CASES / f"{metric}.totals.json").read_text())["totals"]
        for total in totals:
            ids = list(cases) if total["cases"] == "all" else total["cases"]
            data = [{"id": i, **{key: cases[i][key] for key in DATA_KEYS if key in cases[i]}} for i in ids]
            predictions = [{"id": i, **{key: cases[i][key] for key in ("prediction", "multiple_choice", "direct_answer") if key in cases[i]}}
                           for i in reversed(ids)]
            flags = ["--lower"] if total.get("to_lower", lower) else []
            lines, last = self.scored(data, predictions, metric, *flags)
            self.assert_near(last["figures"], dict(total["figures"]), metric)
            official = {name: value for name, value in total.get("official", {}).items() if name not in ("error", "perQuestionType")}
            if official:
                self.assert_near(last["official"], official, metric)
            for i in ids:
                for name in scores:
                    expected = cases[i].get("scores", {}).get(name, cases[i].get(name))
                    if expected is not None:
                        self.assert_near(lines[i]["scores"][name], expected, f"{metric} {i} {name}")

    def test_answers_to_questions_have_the_recorded_scores(self):
        self.check_metric("vqa", ["acc", "acc_any", "anls"])
        self.check_metric("vqav2", ["acc", "official_acc"])
        self.check_metric("chartqa", ["acc", "relaxed_acc"])
        self.check_metric("tallyqa", ["acc"])
        self.check_metric("rsvqa", ["acc", "acc_any", "anls"], lower=True)
        self.check_metric("science_qa", ["acc", "parsefail"])
        self.check_metric("pope", ["acc", "valid"])
        self.check_metric("nlvr2", ["acc", "official_acc"])
        self.check_metric("aokvqa", ["multiple_choice", "direct_answer"])

    def test_anls_and_exact_match_of_one_answer(self):
        cases = cases_of("anls")
        data = [{"id": case["id"], "answer": case["target"]} for case in cases]
        lines, last = self.scored(data, cases, "anls")
        for case in cases:
            self.assert_near(lines[case["id"]]["anls"], case["anls"], case)
        self.assert_near(last["figures"]["anls"], sum(case["anls"] for case in cases) / len(cases), "anls")
        _, last = self.scored(data, cases, "exact")
        self.assert_near(last["figures"]["acc"], sum(case["target"] == case["prediction"] for case in cases) / len(cases), "exact")


    def test_captions_have_the_recorded_tokens_and_scores(self):
        for name in ("english", "awkward", "languages", "short", "exact", "empty", "one_image", "same_references"):
            corpus = json.loads((CASES / f"captions/{name}.json").read_text())
            data = [{"id": image["image_id"], "answers": image["references"]} for image in corpus["images"]]
            predictions = [{"id": image["image_id"], "prediction": image["prediction"]} for image in corpus["images"]]
            lines, last = self.scored(data, predictions, "caption")
            for image in corpus["images"]:
                for key in ("prediction_tokens", "reference_tokens", "cider", "cider_plain", "bleu", "rouge_l"):
                    self.assert_near(lines[image["image_id"]][key], image[key], f"{name} {image['image_id']} {key}")
            del corpus["corpus"]["meteor"]
            self.assert_near(last["figures"], {**corpus["corpus"], "bleu-4": corpus["corpus"]["bleu"]}, name)

    def test_captions_of_an_id_that_comes_twice_add_up_and_are_told(self):
        corpus = json.loads((CASES / "captions/repeated_ids.json").read_text())
        data = [{"id": image["image_id"], "references": image["references"]} for image in corpus["images"]]
        predictions = [{"id": image["image_id"], "prediction": image["prediction"]} for image in corpus["images"]]
        done = self.run_palisade(data, predictions, "caption", "--json")
        self.assertIn("stands at", done.stderr.decode())
        self.assertIn("14 such lines in all", done.stderr.decode())
        self.assert_near(json.loads(done.stdout.splitlines()[-1])["figures"], corpus["corpus"], "repeated")

    def coco(self, name, metric_flags=(), **files):
        written = []
        for flag, value in files.items():
            file = self.folder / f"{flag}.json"
            file.write_text(json.dumps(value))
            written += [f"--{flag}", str(file)]
        done = subprocess.run([PROGRAM, "evaluate", "--metric", "detection", "--json", *written, *metric_flags], capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stderr.decode()}")
        return json.loads(done.stdout.splitlines()[-1])["figures"]

    def test_detections_have_cocos_figures_from_its_files_and_from_lines(self):
        for name in ("ordinary", "no_crowd", "masks"):
            file = json.loads((CASES / f"detection/{name}.json").read_text())
            labels = {category["id"]: category["name"] for category in file["categories"]}
            self.assert_near(self.coco(name, data=file, predictions=file["detections"]), file["stats"], name)
            data = [{"id": image["id"], "width": image["width"], "height": image["height"], "categories": file["categories"],
                     "annotations": [entry for entry in file["annotations"] if entry["image_id"] == image["id"]]} for image in file["images"]]
            found = [{"id": image["id"], "detections": [{**entry, "category": labels[entry["category_id"]]} for entry in file["detections"] if entry["image_id"] == image["id"]]}
                     for image in file["images"]]
            lines, last = self.scored(data, found, "detection")
            self.assert_near(last["figures"], file["stats"], name)
            for found_figures, expected in zip(last["figures"]["per_category"], file["per_category"]):
                self.assert_near(found_figures, {key: value for key, value in expected.items() if not key.endswith("by_iou")}, name)

    def test_answers_to_detect_have_cocos_figures(self):
        file = json.loads((CASES / "detection/text_answers.json").read_text())
        labels = {category["id"]: category["name"] for category in file["categories"]}
        data = [{"categories": file["categories"]}]
        data += [{"id": image["id"], "width": image["width"], "height": image["height"],
                  "annotations": [{"category": labels[entry["category_id"]], "bbox": entry["bbox"], "area": entry["area"], "iscrowd": entry["iscrowd"]}
                                  for entry in file["annotations"] if entry["image_id"] == image["id"]]} for image in file["images"]]
        predictions = [{"id": said["image_id"], "prediction": said["prediction"]} for said in file["predictions"]]
        done = self.run_palisade(data, predictions, "detection", "--json")
        self.assert_near(json.loads(done.stdout.splitlines()[-1])["figures"], file["stats"], "texts")

    def test_segmentation_has_the_recorded_overlaps(self):
        cases = cases_of("segmentation")
        data = [{key: case[key] for key in ("id", "height", "width", "truth_mask", "truth_box_y1x1y2x2")} for case in cases]
        decoder = str(SOURCE / "tests/golden/reference/segmentation/vae-oid.npz")
        lines, last = self.scored(data, [{"id": case["id"], "prediction": case["prediction"]} for case in cases], "segmentation", "--mask-decoder", decoder)
        for case in cases:
            self.assertEqual(lines[case["id"]]["valid"], case["valid"])
            self.assertLess(abs(lines[case["id"]]["iou"] - case["iou"]), 1e-9 if case["close_pixels"] == 0 else 0.1)
        total = json.loads((CASES / "segmentation.totals.json").read_text())["totals"][0]["figures"]
        for name, value in total.items():
            self.assertLess(abs(last["figures"][name] - value), 1e-4, name)


class Refusals(Evaluate):
    DATA = [{"id": 1, "answer": "yes"}, {"id": "two", "answers": ["no", "No"]}]
    SAID = [{"id": 1, "prediction": "yes"}, {"id": "two", "prediction": "no"}]

    def test_a_missing_prediction_counts_as_empty_text_and_is_told(self):
        done = self.run_palisade([*self.DATA, {"id": 3, "answer": ""}], self.SAID[1:], "vqa", "--json")
        self.assertEqual(done.returncode, 0)
        last = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual((last["missing"], last["examples"]), (2, 3))
        self.assert_near(last["figures"]["acc"], (0 + 1 / 3 + 1) / 3, "acc")
        self.assertIn("data.jsonl:1: nothing was predicted", done.stderr.decode())
        self.assertIn("2 of 3 examples have no prediction", done.stderr.decode())

    def test_a_test_set_is_counted_and_told_and_in_no_average(self):
        done = self.run_palisade([*self.DATA, {"id": 3, "answers": []}], self.SAID, "vqa", "--json")
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["figures"]["num"], 3)
        self.assertIn("data.jsonl:3: no references", done.stderr.decode())

    def test_what_is_wrong_is_told_with_file_line_and_number(self):
        self.assert_refused(self.DATA, [*self.SAID, {"id": 9, "prediction": ""}], "vqa", "answers.jsonl:3: there is no example with the id 9", "1 problem in all")
        self.assert_refused([*self.DATA, {"id": 3, "anwser": "x"}], self.SAID, "vqa", "data.jsonl:3: no references")
        self.assert_refused([*self.DATA, self.DATA[0]], self.SAID, "vqa", "data.jsonl:3: the id 1 stands at", "data.jsonl:1 already")
        self.assert_refused(self.DATA, [*self.SAID, self.SAID[1]], "vqa", 'answers.jsonl:3: the id "two" stands at', "answers.jsonl:2 already")
        self.assert_refused([{"id": 1, "answer": 5}, {"id": 2, "answers": ["a", None]}], self.SAID[:1], "vqa",
                            'data.jsonl:1: "answer" is number, not text', 'data.jsonl:2: "answers" is null, not text', "2 problems in all")
        self.assert_refused(self.DATA, [{"id": 1, "prediction": 5}, {"id": "two"}, {"prediction": "x"}], "vqa", 'answers.jsonl:1: "prediction" is number',
                            'answers.jsonl:2: "prediction" is missing', 'answers.jsonl:3: "id" is missing')

    def test_hostile_lines_become_messages_and_long_texts_are_scored(self):
        hostile = [b'{"id": 1e400, "answer": "x"}', b'{"id": 123456789012345678901234567890, "answer": "x"}', b'{"id": NaN, "answer": "x"}',
                   b'{"id": 1.5, "answer": "x"}', b"[" * 100_000, b'{"id": 1, "id": 2}', b'{"id": 1, "answer": "\\ud800"}', b'{"id": 1, "answer": "\xff"}',
                   b"[]", b"null", b'{"id": {}, "answer": "x"}', b'{"id": 1, "answers": {"a": "b"}}', b'{"id": 1, "answers": "yes"}', b'{"id": 1', b"\0",
                   b'{"id": 1, "answer": "x", "issimple": 1e30}']
        for line in hostile:
            metric = "tallyqa" if b"issimple" in line else "vqa"
            self.assert_refused([line], [], metric, "data.jsonl:1: ", "1 problem in all")
            if b"answers" not in line and b"issimple" not in line:
                self.assert_refused(self.DATA, [line.replace(b"answer", b"prediction")], metric, "answers.jsonl:1: ", "1 problem in all")
        self.assert_refused(hostile, [], "vqa", "problems in all")
        long = "ab" * 50_000
        lines, _ = self.scored([{"id": 1, "answers": [long, "b"]}], [{"id": 1, "prediction": "c" + long}], "vqa")
        self.assert_near(lines[1]["anls"], 1 - 1 / 100_001, "anls")
        self.assert_near(self.scored([{"id": 1, "answers": ["1" * 100_000] * 10}], [{"id": 1, "prediction": long}], "vqav2")[1]["figures"]["acc"], 0.0, "acc")
        self.assert_near(self.scored([{"id": 1, "answer": "9" * 100_000}], [{"id": 1, "prediction": "1e5%"}], "chartqa")[1]["figures"]["relaxed_acc"], 0.0, "acc")


    def test_a_caption_with_a_line_break_is_cleaned_and_told(self):
        data = [{"id": 1, "answers": ["a red\u2028bus"]}, {"id": 2, "answers": ["two dogs"]}]
        done = self.run_palisade(data, [{"id": 1, "prediction": "a red\nbus"}, {"id": 2, "prediction": "two\rcats"}], "caption", "--json")
        for place in ("data.jsonl:1", "answers.jsonl:1", "answers.jsonl:2"):
            self.assertIn(f"{place}: a caption with a line break", done.stderr.decode())
        self.assertIn("3 such lines in all", done.stderr.decode())
        first = json.loads(done.stdout.splitlines()[0])
        self.assertEqual((first["prediction_tokens"], first["reference_tokens"]), ("a red bus", ["a red bus"]))

    def test_objects_that_cannot_be_are_told_with_their_line(self):
        line = {"id": 1, "width": 4, "height": 4, "annotations": [{"category": "cat", "bbox": [0, 0, 2, 2]}], "categories": [{"id": 1, "name": "cat"}]}
        self.assert_refused([line], [{"id": 1, "detections": [{"category": "dog", "bbox": [0, 0, 1, 1]}]}], "detection", 'answers.jsonl:1: there is no category "dog"', "1 problem in all")
        self.assert_refused([line], [{"id": 1, "detections": [{"category": "cat", "bbox": [0, 0, 1e300, 1]}]}], "detection", 'answers.jsonl:1: "bbox" holds a number too large')
        self.assert_refused([line], [b'{"id": 1, "detections": [{"category": "cat", "bbox": [0, 0, 1e999, 1]}]}'], "detection", "answers.jsonl:1: ")
        self.assert_refused([line], [b'{"id": 1, "detections": [{"category": "cat", "bbox": [0, 0, NaN, 1]}]}'], "detection", "answers.jsonl:1: ")
        open_line = {key: value for key, value in line.items() if key != "categories"}
        done = self.run_palisade([open_line], [{"id": 1, "detections": [{"category": "cat", "bbox": [0, 0, 2, 2]}, {"category": "dog", "bbox": [0, 0, 1, 1]}]}], "detection", "--json")
        self.assertIn("answers.jsonl:1: objects of a category that the data has not", done.stderr.decode())
        self.assert_near(json.loads(done.stdout.splitlines()[-1])["figures"]["AP"], 1.0, "AP")
        self.assert_refused([line], [{"id": 1, "detections": {}}], "detection", 'answers.jsonl:1: "detections" is no list')
        self.assert_refused([{**line, "annotations": [{"category": "cat", "segmentation": {"size": [8, 4], "counts": "P1"}}]}], [], "detection",
                            "data.jsonl:1: a mask of 4 x 8 pixels, where the picture has 4 x 4")
        self.assert_refused([{"id": 1, "height": 4, "width": 4, "truth_mask": "P1", "truth_box_y1x1y2x2": [0, 0, 1, 1]}], [], "segmentation",
                            "data.jsonl:1: a mask of another size than 4 x 4 pixels")
        self.assert_refused([{"id": 1, "height": 1e9, "width": 4, "truth_mask": "P1", "truth_box_y1x1y2x2": [0, 0, 1, 1]}], [], "segmentation", 'data.jsonl:1: "height" is no whole number')

    def test_any_damage_to_a_line_is_told_or_scored(self):
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")
        draws = random.Random(seed)
        odd = [None, True, -1, 1e300, 10**30, "", "x\0y", "<loc0001>" * 9, "\u00e9" * 9000, [], [[]], {}, {"a": 1}, "gone"]
        lines = {"vqav2": cases_of("vqav2")[0], "tallyqa": cases_of("tallyqa")[0], "aokvqa": cases_of("aokvqa")[0], "caption": {"id": 1, "answers": ["a b"], "prediction": "a"},
                 "detection": {"id": 1, "width": 4, "height": 4, "annotations": [{"category_id": 1, "bbox": [0, 0, 2, 2], "area": 4, "iscrowd": 0}],
                               "detections": [{"category_id": 1, "bbox": [0, 0, 2, 2], "score": 1}]}}
        for metric, line in lines.items():
            for _ in range(25):
                damaged = json.loads(json.dumps(line))
                part = damaged
                while isinstance(part, (dict, list)) and part:
                    key = draws.choice(list(part) if isinstance(part, dict) else range(len(part)))
                    if not isinstance(part[key], (dict, list)) or not part[key] or draws.random() < 0.4:
                        new = draws.choice(odd)
                        if new == "gone":
                            del part[key]
                        else:
                            part[key] = new
                        break
                    part = part[key]
                done = self.run_palisade([damaged], [damaged], metric, "--json")
                self.assertIn(done.returncode, (0, 2), f"{damaged}: {done.stderr.decode()}")
                if done.returncode == 2:
                    self.assertRegex(done.stderr.decode(), r"\.jsonl:1: .+\n.*problems? in all")


if __name__ == "__main__":
    main()
