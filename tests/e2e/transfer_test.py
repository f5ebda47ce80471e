#!/usr/bin/env python3
"""`palisade transfer` as a user runs it: from examples to a served model, stopped, killed, refused."""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, main, palisade

QUICK = ["--batch-size", "8", "--examples-at-once", "3", "--allow-empty-suffix", "--learning-rate", "1e-4",
         "--llm-dropout", "0.1", "--seed", "5"]


def stills(count):
    """Questions about the demo world's pictures, as transfer reads them."""
    lines = []
    for still in json.loads((WORLD / "stills.json").read_text()):
        for question in still["questions"]:
            lines.append({"image": str(WORLD / still["file"]), "prefix": question["prompt"],
                          "suffix": question["truth"]})
    return lines[:count]


class Transfer(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-transfer-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    def transfer(self, *arguments, check=0):
        return palisade("transfer", *arguments, check=check)

    def test_a_model_learns_and_is_served(self):
        lines = [{"image": str(WORLD / f"still{i:02d}.png"), "prefix": "answer en is it raining?", "suffix": "a white dog"}
                 for i in range(8)]
        data = self.write("rain.jsonl", lines)
        run = self.folder / "run"
        before = palisade("ask", "is it raining?", WORLD / "still09.png").stdout.strip()
        out = self.transfer("--data", data, "--evaluation", data, "--run", run, "--epochs", "12", "--batch-size", "4",
                            "--learning-rate", "1e-3", "--freeze-vit", "--beams", "2").stdout.strip()
        self.assertEqual(out, str(run / "model"))
        self.assertNotEqual(before, "a white dog")
        self.assertEqual(palisade("ask", "is it raining?", WORLD / "still09.png", "--model", out).stdout.strip(), "a white dog")
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        steps = [line for line in metrics if "loss" in line]
        self.assertEqual([line["step"] for line in steps], list(range(1, 25)))
        self.assertLess(steps[-1]["loss"], 0.1 * steps[0]["loss"])
        evaluation = next(line for line in metrics if "evaluation_exact" in line)
        self.assertEqual(evaluation["evaluation_exact"], 1)
        self.assertEqual(metrics[-1]["evaluation_exact_by_beams"], 1)
        self.assertIn("<svg", (run / "curves.svg").read_text())
        config = json.loads((run / "model" / "config.json").read_text())
        self.assertEqual(config["torch_dtype"], "float32")

    def test_killed_at_any_step_it_ends_with_the_same_bytes(self):
        data = self.write("stills.jsonl", stills(40))
        flags = ["--data", data, *QUICK, "--epochs", "10", "--checkpoint-every", "3"]
        self.transfer(*flags, "--run", self.folder / "whole")
        seed = random.randrange(1 << 30)
        wait = random.Random(seed).uniform(0.2, 1.0)
        print(f"seed {seed}")
        running = subprocess.Popen([PROGRAM, "transfer", *map(str, flags), "--run", str(self.folder / "killed")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (self.folder / "killed" / "checkpoint.safetensors").exists():
            self.assertIsNone(running.poll())
            time.sleep(0.01)
        time.sleep(wait)
        running.kill()
        running.wait()
        self.transfer("--resume", self.folder / "killed")
        for name in ["checkpoint.safetensors", "model/model.safetensors", "model/config.json"]:
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (self.folder / "killed" / name).read_bytes())

        def losses(run):
            lines = [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]
            return [(line["step"], line["loss"]) for line in lines if "loss" in line]
        self.assertEqual(losses("whole"), losses("killed"))

    def test_interrupted_it_saves_and_goes_on(self):
        data = self.write("stills.jsonl", stills(40))
        flags = ["--data", data, *QUICK, "--epochs", "200"]
        running = subprocess.Popen([PROGRAM, "transfer", *map(str, flags), "--run", str(self.folder / "run")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while not (self.folder / "run" / "metrics.jsonl").exists():
            self.assertIsNone(running.poll())
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        self.assertIn("go on with --resume", running.communicate(timeout=60)[1])
        self.assertEqual(running.returncode, 1)
        self.assertTrue((self.folder / "run" / "checkpoint.safetensors").exists())

    def test_every_bad_line_is_named_and_nothing_is_begun(self):
        good = stills(1)[0]
        picture = good["image"]
        data = self.write("bad.jsonl", [
            good,
            "{broken",
            {"image": "nowhere.png", "prefix": "caption en", "suffix": "a car"},
            {"image": picture, "prefix": "caption en", "suffix": ""},
            {"image": picture, "prefix": "caption en", "suffix": "a red car " * 40},
            {"image": picture, "prefix": "caption en"},
            {"prefix": "caption en", "suffix": "a car"},
            {"images": [], "prefix": "caption en", "suffix": "a car"},
        ])
        run = self.transfer("--data", data, "--run", self.folder / "run", check=2)
        told = run.stderr.splitlines()
        for number, what in enumerate(["JSON", "nowhere.png: no such file", "suffix is empty", "text_length is 64",
                                       '"suffix" is missing', 'needs one of "image"', '"images" is no list'], 2):
            line = next((line for line in told if f"bad.jsonl:{number}:" in line), "")
            self.assertIn(what.lower(), line.lower(), f"line {number}: {told}")
        self.assertFalse((self.folder / "run").exists())

    def test_a_picture_that_cannot_be_read_is_named_with_its_line(self):
        (self.folder / "broken.png").write_bytes(Path(stills(1)[0]["image"]).read_bytes()[:300])
        data = self.write("data.jsonl", [*stills(1), {"image": "broken.png", "prefix": "caption en", "suffix": "a car"}])
        run = self.transfer("--data", data, "--run", self.folder / "run", "--allow-empty-suffix", check=1)
        self.assertIn("data.jsonl:2", run.stderr)
        self.assertIn("broken.png", run.stderr)

    def test_a_loss_that_is_no_number_ends_it_with_the_last_checkpoint_intact(self):
        data = self.write("stills.jsonl", stills(8))
        run = self.folder / "run"
        self.transfer("--data", data, *QUICK, "--epochs", "2", "--run", run)
        shutil.rmtree(run / "model")
        recipe = run / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("epochs: 2", "epochs: 4"))
        checkpoint = run / "checkpoint.safetensors"
        broken = bytearray(checkpoint.read_bytes())
        header = 8 + int.from_bytes(broken[:8], "little")
        broken[header:header + 4] = b"\x00\x00\xc0\x7f"  # one weight is NaN
        checkpoint.write_bytes(broken)
        failed = self.transfer("--resume", run, check=1)
        self.assertRegex(failed.stderr, r"step 3: the loss of .*stills.jsonl:\d+ is no finite number")
        self.assertEqual(checkpoint.read_bytes(), bytes(broken))
        self.assertEqual(sorted(p.name for p in run.iterdir()),
                         ["checkpoint.safetensors", "curves.svg", "metrics.jsonl", "recipe.yaml"])

    def test_a_full_disk_is_named_and_the_last_checkpoint_stays(self):
        data = self.write("stills.jsonl", stills(8))
        run = self.folder / "run"
        flags = ["--data", data, *QUICK, "--epochs", "6", "--checkpoint-every", "1"]
        self.transfer(*flags, "--run", run)
        kept = (run / "checkpoint.safetensors").read_bytes()
        shutil.rmtree(run / "model")

        def full():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        failed = subprocess.run([PROGRAM, "transfer", "--resume", run], capture_output=True, text=True,
                                preexec_fn=full, timeout=120)
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.assertIn("cannot be written", failed.stderr)
        self.assertEqual((run / "checkpoint.safetensors").read_bytes(), kept)
        self.assertEqual(sorted(p.name for p in run.iterdir()),
                         ["checkpoint.safetensors", "curves.svg", "metrics.jsonl", "recipe.yaml"])
        self.transfer("--resume", run)
        self.assertTrue((run / "model" / "model.safetensors").exists())

    def test_other_examples_do_not_go_on_with_a_checkpoint(self):
        data = self.write("stills.jsonl", stills(8))
        self.transfer("--data", data, *QUICK, "--run", self.folder / "run")
        self.write("stills.jsonl", stills(9))
        self.assertIn("other examples", self.transfer("--resume", self.folder / "run", check=1).stderr)
        self.assertIn("is not empty", self.transfer("--data", data, "--run", self.folder / "run", check=2).stderr)

    def test_pairs_and_videos_train(self):
        pair = [str(WORLD / f"pair0_{side}.png") for side in ("left", "right")]
        data = self.write("mixed.jsonl", [
            {"images": pair, "prefix": "answer en both images contain a car", "suffix": "true"},
            {"video": str(WORLD / "clip0.mp4"), "prefix": "caption en", "suffix": "a black bicycle rides to the right"},
        ])
        out = self.transfer("--data", data, "--run", self.folder / "run", "--batch-size", "2", "--epochs", "3",
                            "--frame-step", "3", "--lora-rank", "4")
        self.assertTrue((self.folder / "run" / "model" / "model.safetensors").exists(), out.stderr)

    def test_the_shipped_recipes_are_what_their_generator_writes(self):
        recipes = SOURCE / "configs" / "recipes"
        subprocess.run([sys.executable, recipes / "generate.py", self.folder], check=True)
        written = {path.name: path.read_text() for path in self.folder.glob("*.yaml")}
        self.assertEqual(written, {path.name: path.read_text() for path in recipes.glob("*.yaml")})

    def test_a_recipe_is_read_strictly_and_flags_come_before_it(self):
        data = self.write("stills.jsonl", stills(8))
        recipe = self.folder / "recipe.yaml"
        recipe.write_text("data: stills.jsonl\nallow_empty_suffix: true\nbatch_size: 4\nlerning_rate: 1\n")
        wrong = self.transfer(recipe, "--run", self.folder / "run", check=2)
        self.assertIn("recipe.yaml:4:1", wrong.stderr)
        self.assertIn("learning_rate", wrong.stderr)
        recipe.write_text("data: stills.jsonl\nallow_empty_suffix: true\nbatch_size: 4\nepochs: 9\n")
        self.transfer(recipe, "--run", self.folder / "run", "--epochs", "1")
        self.assertIn("epochs: 1\n", (self.folder / "run" / "recipe.yaml").read_text())
        self.assertEqual(len((self.folder / "run" / "metrics.jsonl").read_text().splitlines()), 2)
        self.assertTrue(data.exists())


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    main()
