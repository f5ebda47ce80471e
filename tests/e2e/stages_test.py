#!/usr/bin/env python3
"""From two public checkpoints to a PaliGemma, as a user goes through the stages: joined, taught a mixture, killed, gone on with,
taught at a higher resolution; and the check of the examples before it."""
import json
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, main, palisade

JOIN = SOURCE / "tests" / "golden" / "join"
RECIPES = SOURCE / "configs" / "recipes"
QUICK = ["--batch-size", "6", "--examples-at-once", "4", "--learning-rate", "1e-3", "--timescale", "4"]


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-stages-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    def join(self, vision="siglip-p14", language="gemma", name="stage0", check=0):
        return palisade("model", "join", "--vision", JOIN / "vision" / vision, "--language", JOIN / "language" / language, "--out",
                        self.folder / name, check=check)

    def mixture(self):
        """Captions by a fixed prompt, questions by a form, and prompts as they stand."""
        stills = [str(WORLD / f"still{i:02d}.png") for i in range(8)]
        self.write("captions.jsonl", [{"image": picture, "suffix": f"picture {i}"} for i, picture in enumerate(stills)])
        self.write("questions.jsonl", [{"image": picture, "prefix": "what is it?", "suffix": f"thing {i}"} for i, picture in enumerate(stills[:3])])
        self.write("ocr.jsonl", [{"image": stills[0], "prefix": "ocr", "suffix": "none"}])
        (self.folder / "mixture.yaml").write_text(
            "parts:\n"
            "  - {data: captions.jsonl, weight: 5, prefix: caption en}\n"
            "  - {name: asked, data: questions.jsonl, weight: 4, prefix: 'answer en {}', evaluation: questions.jsonl}\n"
            "  - {data: ocr.jsonl, weight: 1, evaluation: ocr.jsonl}\n")
        return self.folder / "mixture.yaml"


class Joined(InFolder):
    def test_the_stages_follow_each_other(self):
        out = self.join().stdout.strip()
        self.assertEqual(out, str(self.folder / "stage0"))
        about = json.loads(palisade("model", "inspect", out, "--json").stdout)
        self.assertEqual((about["family"], about["image_size"], about["text"]["vocabulary"]), ("PaliGemma", 56, 2176))
        mixture, run = self.mixture(), self.folder / "stage1"
        palisade("transfer", RECIPES / "stage1_224.yaml", "--model", out, "--mixture", mixture, "--run", run, *QUICK, "--resolution", "56",
                 "--examples", "120", "--evaluate-every", "10")
        steps = [line for line in lines_of(run / "metrics.jsonl") if "loss" in line]
        self.assertEqual(len(steps), 20)
        seen = {}
        for step in steps:
            self.assertEqual(sum(part["examples"] for part in step["parts"].values()), 6)
            self.assertAlmostEqual(sum(part["loss"] * part["examples"] for part in step["parts"].values()) / 6, step["loss"], places=5)
            for name, part in step["parts"].items():
                seen[name] = seen.get(name, 0) + part["examples"]
        self.assertEqual(set(seen), {"captions", "asked", "ocr"})
        self.assertGreater(seen["asked"], seen["ocr"])
        self.assertLess(steps[-1]["loss"], steps[0]["loss"])
        evaluations = [line for line in lines_of(run / "metrics.jsonl") if "evaluation_loss" in line]
        self.assertEqual(len(evaluations), 2)
        parts = evaluations[-1]["parts"]
        self.assertEqual({name: part["examples"] for name, part in parts.items()}, {"asked": 3, "ocr": 1})
        self.assertAlmostEqual((3 * parts["asked"]["evaluation_loss"] + parts["ocr"]["evaluation_loss"]) / 4, evaluations[-1]["evaluation_loss"],
                               places=5)
        palisade("transfer", RECIPES / "stage2_448.yaml", "--model", run / "model", "--mixture", mixture, "--run", self.folder / "stage2", *QUICK,
                 "--resolution", "84", "--examples", "12", "--schedule-shift", "20")
        about = json.loads(palisade("model", "inspect", self.folder / "stage2" / "model", "--json").stdout)
        self.assertEqual((about["image_size"], about["image_tokens"]), (84, 36))
        self.assertTrue(palisade("ask", "what is it?", WORLD / "still00.png", "--model", self.folder / "stage2" / "model").stdout)

    def test_what_cannot_be_joined_is_refused_with_its_name_and_what_is_there_stays(self):
        refused = palisade("model", "join", "--vision", JOIN / "refuse/siglip2_naflex", "--language", JOIN / "language/gemma", "--out",
                           self.folder / "stage0", check=1)
        self.assertIn("siglip2", refused.stderr)
        self.assertFalse((self.folder / "stage0").exists())
        self.join()
        weights = (self.folder / "stage0" / "model.safetensors").read_bytes()
        self.assertIn("is there already", self.join(vision="siglip-odd", check=1).stderr)
        self.assertEqual((self.folder / "stage0" / "model.safetensors").read_bytes(), weights)


class Mixtures(InFolder):
    def test_killed_a_mixture_goes_on_bit_for_bit(self):
        self.join(vision="siglip-vision-p16", language="gemma2-bf16")
        flags = ["--model", self.folder / "stage0", "--mixture", self.mixture(), *QUICK, "--examples", "240", "--llm-dropout", "0.1",
                 "--checkpoint-every", "1"]
        palisade("transfer", *flags, "--run", self.folder / "whole")
        killed = self.folder / "killed"
        running = subprocess.Popen([PROGRAM, "transfer", *map(str, flags), "--run", str(killed)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        while not (killed / "checkpoint.safetensors").exists():
            self.assertIsNone(running.poll())
            time.sleep(0.01)
        time.sleep(0.1)
        running.send_signal(signal.SIGKILL)
        running.wait()
        palisade("transfer", "--resume", killed)
        self.assertEqual((self.folder / "whole/model/model.safetensors").read_bytes(), (killed / "model/model.safetensors").read_bytes())

        def losses(run):
            return [(line["step"], line["loss"], line["parts"]) for line in lines_of(run / "metrics.jsonl") if "loss" in line]
        self.assertEqual(losses(self.folder / "whole"), losses(killed))

    def test_another_weight_or_form_is_another_training(self):
        mixture, run = self.mixture(), self.folder / "run"
        palisade("transfer", "--mixture", mixture, "--run", run, *QUICK, "--examples", "6")
        shutil.rmtree(run / "model")
        text = mixture.read_text()
        for changed in [text.replace("weight: 4", "weight: 3"), text.replace("caption en", "caption de")]:
            mixture.write_text(changed)
            self.assertIn("other examples", palisade("transfer", "--resume", run, check=1).stderr)
        mixture.write_text(text)
        palisade("transfer", "--resume", run)

    def test_a_mistaken_mixture_is_named_by_file_and_line_and_nothing_is_begun(self):
        mixture, run = self.mixture(), self.folder / "run"
        self.write("nothing.jsonl", [])
        text = mixture.read_text()
        for changed, told in [(text.replace("weight: 4", "weight: 0"), "mixture.yaml:3:"), (text.replace("weight: 5", "weight: -1"), "mixture.yaml:2:"),
                              (text.replace("weight: 5", "weight: .nan"), "mixture.yaml:2:"), (text.replace("ocr.jsonl", "nothing.jsonl"), "nothing.jsonl"),
                              (text.replace("ocr.jsonl", "gone.jsonl"), "gone.jsonl"), (text.replace("weight: 1,", "wieght: 1,"), "wieght"),
                              (text.replace("name: asked", "name: captions"), "captions"), ("", "parts")]:
            mixture.write_text(changed)
            refused = palisade("transfer", "--mixture", mixture, "--run", run, check=None)
            self.assertIn(refused.returncode, (1, 2), told)
            self.assertIn(told, refused.stderr)
            self.assertFalse(run.exists())
        mixture.write_text(text)
        refused = palisade("transfer", "--mixture", mixture, "--data", self.folder / "ocr.jsonl", "--run", run, check=2)
        self.assertIn("mixture:", refused.stderr)


class DataCheck(InFolder):
    def test_a_file_is_told_of_and_its_leaks_into_another(self):
        stills = [str(WORLD / f"still{i:02d}.png") for i in range(3)]
        shutil.copy(stills[0], self.folder / "copy.png")
        train = self.write("train.jsonl", [{"image": picture, "prefix": "caption en", "suffix": "a street"} for picture in stills])
        test = self.write("test.jsonl", [{"image": "copy.png", "prefix": "caption en", "suffix": "a street"},
                                         {"image": "gone.png", "prefix": "caption en", "suffix": "nothing"}, "{broken"])
        whole = palisade("data", "check", train, "--sheet", self.folder / "sheet.html")
        self.assertIn("3 examples", whole.stdout)
        page = (self.folder / "sheet.html").read_text()
        self.assertEqual(page.count("<img "), 3)
        bad = palisade("data", "check", train, test, "--json", check=1)
        first, second, leaks = [json.loads(line) for line in bad.stdout.splitlines()]
        self.assertEqual((first["usable"], second["usable"], second["refused"], second["missing"]["lines"]), (True, False, 1, 1))
        self.assertEqual(leaks["examples"]["lines"], 1)
        self.assertIn("test.jsonl:1", leaks["examples"]["first"][0]["place"])
        self.assertIn("no such file", palisade("data", "check", self.folder / "none.jsonl", check=None).stderr.lower())


if __name__ == "__main__":
    main()
