#!/usr/bin/env python3
"""What can be asked, as a user asks it: boxes and masks in a picture's own pixels, typed answers, every task of a service."""
import json
import shutil
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, Running, Subscriber, main, palisade, validate

SEGMENTATION = SOURCE / "tests" / "golden" / "reference" / "segmentation"
STILL = WORLD / "still01.png"  # a white dog
DOG = (359, 199, 456, 270)


def answer(*arguments):
    return validate(json.loads(palisade("ask", *arguments, "--json").stdout))["data"]


def png(width, height, grey=0):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes([grey]) * width * 3) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def size_of(file):
    return struct.unpack(">II", file.read_bytes()[16:24])


def runs_of(counts):
    """COCO's run lengths, as pycocotools reads them."""
    runs, at = [], 0
    while at < len(counts):
        value = shift = 0
        while True:
            bits = ord(counts[at]) - 48
            value |= (bits & 31) << shift
            shift, at = shift + 5, at + 1
            if not bits & 32:
                break
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-tasks-"))
        self.addCleanup(shutil.rmtree, self.folder)


class Boxes(InFolder):
    def test_a_box_is_in_the_pixels_of_the_picture_with_its_confidence(self):
        data = answer("detect dog", STILL, "--spread")
        self.assertEqual(data["task"], "detect")
        (box,) = data["boxes"]
        self.assertEqual(box["label"], "dog")
        for told, truth in zip(box["pixels"], DOG):
            self.assertLess(abs(told - truth), 20)
        for share, pixel, side in zip(box["box"], box["pixels"], (640, 360, 640, 360)):
            self.assertEqual(pixel, int(share * side + 1e-9))
        self.assertGreater(box["confidence"], 0.3)
        self.assertTrue(all(0 <= spread < 0.2 for spread in box["spread"]))
        plain = answer("Detect dog\n", STILL)["boxes"][0]
        self.assertNotIn("spread", plain)
        self.assertEqual(plain["pixels"], box["pixels"])
        self.assertLessEqual(answer("detect dog", STILL, "--locations", "1024")["boxes"][0]["box"][0], box["box"][0])
        self.assertNotIn("boxes", answer("detect car", STILL))

    def test_boxes_are_drawn_on_the_picture_at_its_own_size(self):
        drawn = self.folder / "boxes.png"
        told = palisade("ask", "detect dog", STILL, "--picture", drawn).stdout
        self.assertIn("of 640 x 360 pixels", told)
        self.assertIn("; confidence 0.", told)
        self.assertEqual(size_of(drawn), (640, 360))
        self.assertNotEqual(drawn.read_bytes(), STILL.read_bytes())
        self.assertIn("ask about one", palisade("ask", "detect dog", STILL, STILL, "--picture", drawn, check=2).stderr)
        self.assertNotIn("boxes", answer("detect dog", STILL, STILL))

    def test_what_is_no_box_is_told_and_not_made_up(self):
        told = palisade("ask", "segment dog", STILL).stdout  # which the demo model has never learnt
        data = answer("segment dog", STILL)
        self.assertNotIn("boxes", data)
        if data["text"].strip():
            self.assertIn("malformed: ", told)
            self.assertTrue(data["malformed"])


class Masks(InFolder):
    def test_a_mask_is_the_references_as_run_lengths_as_a_picture_and_drawn(self):
        case = json.loads((SEGMENTATION / "cases.json").read_text())["segment"][0]
        picture = self.folder / "picture.png"
        picture.write_bytes(png(case["width"], case["height"]))
        data = self.folder / "lines.jsonl"
        line = json.dumps({"image": str(picture), "prefix": "segment car", "suffix": case["text"] + " car"})
        data.write_text((line + "\n") * 4)
        palisade("transfer", "--data", data, "--run", self.folder / "run", "--epochs", "80", "--batch-size", "4", "--model",
                 SOURCE / "tests/golden/reference/models/paligemma1-tiny", "--learning-rate", "3e-3", "--freeze-vit")
        asked = ["segment car", picture, "--model", self.folder / "run" / "model"]
        told = answer(*asked, "--mask-decoder", SEGMENTATION / "vae-oid.npz", "--masks-to", self.folder / "masks",
                      "--picture", self.folder / "drawn.png")
        self.assertEqual(told["text"], case["text"] + " car")
        (box,) = told["boxes"]
        y_min, x_min, y_max, x_max = case["box_pixels_y1x1y2x2"]
        self.assertEqual(box["pixels"], [x_min, y_min, x_max, y_max])
        self.assertEqual(box["mask"]["size"], [case["height"], case["width"]])
        runs = runs_of(box["mask"]["counts"])
        self.assertEqual(sum(runs), case["height"] * case["width"])
        self.assertEqual(sum(runs[1::2]), case["mask_area"])
        self.assertNotIn("malformed", told)
        self.assertEqual(size_of(self.folder / "masks" / box["mask"]["picture"]), (case["width"], case["height"]))
        self.assertEqual(size_of(self.folder / "drawn.png"), (case["width"], case["height"]))
        self.assertNotIn("mask", answer(*asked)["boxes"][0])

    def test_weights_that_are_no_mask_decoders_are_refused(self):
        flags = ["segment car", STILL, "--mask-decoder"]
        self.assertIn("is no .npz file", palisade("ask", *flags, STILL, check=1).stderr)
        self.assertIn("none.npz", palisade("ask", *flags, self.folder / "none.npz", check=1).stderr)
        self.assertIn("--mask-decoder", palisade("ask", "segment car", STILL, "--masks-to", self.folder, check=2).stderr)


class TypedAnswers(unittest.TestCase):
    def test_a_typed_answer_costs_one_prefill_and_its_probability_is_the_sum_over_its_spellings(self):
        for question, kind, spellings in [
                ("is there a dog?", "yes_no", {"yes": ["yes", "Yes", "YES"], "no": ["no", "No", "NO"]}),
                ("what colour is the dog?", "choice:white,blue",
                 {"white": ["white", "White", "WHITE"], "blue": ["blue", "Blue", "BLUE"]}),
                ("how many dogs are there?", "count:1", {"0": ["zero", "Zero", "ZERO", "0"], "1": ["one", "One", "ONE", "1"]})]:
            data = answer(question, STILL, "--type", kind)
            self.assertEqual(data["passes"], {"prefill": 1, "decode": 0})
            self.assertEqual(data["answer_type"], kind.partition(":")[0])
            every = [spelling for texts in spellings.values() for spelling in texts]
            given = {choice["text"]: choice["p"] for choice in answer(question, STILL, "--choices", ",".join(every))["choices"]}
            for choice in data["choices"]:
                self.assertAlmostEqual(choice["p"], sum(given[text] for text in spellings[choice["text"]]), delta=1e-6)
            self.assertAlmostEqual(sum(choice["p"] for choice in data["choices"]), 1)
        self.assertIs(answer("is there a dog?", STILL, "--type", "yes_no")["value"], True)
        self.assertEqual(answer("how many dogs are there?", STILL, "--type", "count:9")["value"], 1)
        self.assertEqual(answer("what colour is the dog?", STILL, "--type", "choice:Blue,White")["value"], "White")
        self.assertGreater(answer("what colour is the dog?", STILL)["passes"]["decode"], 0)

    def test_a_type_that_is_none_or_clashes_is_wrong_use(self):
        for flags in (["--type", "number"], ["--type", "count:99"], ["--type", "choice:red"],
                      ["--type", "yes_no", "--beams", "2"], ["--type", "yes_no", "--choices", "a,b"]):
            palisade("ask", "is it open?", STILL, *flags, check=2)


class Served(InFolder):
    def test_every_task_is_served(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        shutil.copy(STILL, pictures)
        tasks = ["{task: cap, frames: 1, every: 1s}", "{task: describe, every: 1s}", "{task: ocr, every: 1s}",
                 "{task: caption, frames: 1, every: 1s}", "{task: detect, objects: dog, every: 1s, spread: true}",
                 "{task: segment, objects: dog, every: 1s, max_new_tokens: 8}",
                 "{task: prompt, prompt: Detect dog, frames: 1, every: 1s}",
                 "{task: question, question: 'is there a dog?', type: yes_no, frames: 1, every: 1s}",
                 "{task: question, name: colour, question: 'what colour is the dog?', type: {choice: [white, blue]}, frames: 1, every: 1s}",
                 "{task: video_caption, frames: 8, every: 1s, span: 1s}"]
        config = self.folder / "config.yaml"
        config.write_text(f"node: test\npublish: ipc://{self.folder}/events\nstate: {self.folder}/state\njournal: {{frames: exact}}\n"
                          f"mask_decoder: {SEGMENTATION / 'vae-oid.npz'}\nstreams:\n"
                          f"  - {{name: a, url: {pictures}, frame_interval: 1s, loop: true, tasks: [{', '.join(tasks)}]}}\n")
        subscriber = Subscriber(f"ipc://{self.folder}/events", "palisade/v1/a/")
        self.addCleanup(subscriber.close)
        seen = {}
        with Running(PROGRAM, "serve", "--config", config):
            while len(seen) < len(tasks):
                topic, event = subscriber.receive()
                if event["type"] == "palisade.answer.v1":
                    seen[topic.rpartition("/")[2]] = event["data"]
        self.assertEqual({seen[name]["task"] for name in seen},
                         {"cap", "describe", "ocr", "caption", "detect", "segment", "prompt", "question", "video_caption"})
        for name in ("detect", "prompt"):
            self.assertEqual(seen[name]["boxes"][0]["label"], "dog")
            self.assertEqual(seen[name]["boxes"][0]["pixels"], seen["detect"]["boxes"][0]["pixels"])
        self.assertIn("spread", seen["detect"]["boxes"][0])
        self.assertIs(seen["question"]["value"], True)
        self.assertEqual(seen["colour"]["value"], "white")
        self.assertEqual(seen["colour"]["passes"], {"prefill": 1, "decode": 0})
        self.assertEqual(seen["describe"]["decoding"]["max_new_tokens"], 128)
        self.assertEqual(seen["segment"]["decoding"]["max_new_tokens"], 8)
        # A typed answer that is computed again is the same.
        stored = [json.loads(line) for line in palisade("events", "--state", f"{self.folder}/state", "--json").stdout.splitlines()]
        typed = next(event for event in stored if "answer_type" in event["data"])
        self.assertIn("same", palisade("replay", typed["id"], "--state", f"{self.folder}/state").stdout)


if __name__ == "__main__":
    main()
