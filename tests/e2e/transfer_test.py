#!/usr/bin/env python3
"""`palisade transfer` as a user runs it: from examples to a served model, stopped, killed, refused."""
import json
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


class InFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-transfer-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, lines):
        path = self.folder / name
        path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
        return path

    def transfer(self, *arguments, check=0):
        return palisade("transfer", *arguments, check=check)


class Transfer(InFolder):
    def test_a_model_learns_and_is_served(self):
        lines = [{"image": str(WORLD / f"still{i:02d}.png"), "prefix": "answer en is it raining?", "suffix": "a white dog"}
                 for i in range(8)]
        data = self.write("rain.jsonl", lines)
        run = self.folder / "run"
        before = palisade("ask", "is it raining?", WORLD / "still09.png").stdout.strip()
        out = self.transfer("--data", data, "--evaluation", data, "--run", run, "--epochs", "24", "--batch-size", "4",
                            "--learning-rate", "2e-3", "--freeze-vit", "--beams", "2").stdout.strip()
        self.assertEqual(out, str(run / "model"))
        self.assertNotEqual(before, "a white dog")
        self.assertEqual(palisade("ask", "is it raining?", WORLD / "still09.png", "--model", out).stdout.strip(), "a white dog")
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        steps = [line for line in metrics if "loss" in line]
        self.assertEqual([line["step"] for line in steps], list(range(1, 49)))
        self.assertLess(steps[-1]["loss"], 0.1 * steps[0]["loss"])
        evaluation = next(line for line in metrics if "evaluation_exact" in line)
        self.assertEqual(evaluation["evaluation_exact"], 1)
        self.assertEqual(metrics[-1]["evaluation_exact_by_beams"], 1)
        self.assertIn("<svg", (run / "curves.svg").read_text())
        config = json.loads((run / "model" / "config.json").read_text())
        self.assertEqual(config["torch_dtype"], "float32")

    def test_prompts_are_read_alike_when_they_are_learnt_and_asked_and_boxes_say_what_they_are(self):
        picture = str(WORLD / "still00.png")
        lines = [{"image": picture, "prefix": " DETECT car\n", "suffix": " <loc0100><loc0200><loc0300><loc0400> car\r\n"}]
        data = self.write("boxes.jsonl", [lines[0]] * 4)
        out = self.transfer("--data", data, "--evaluation", data, "--run", self.folder / "run", "--epochs", "60", "--batch-size", "4",
                            "--model", SOURCE / "tests/golden/reference/models/paligemma1-tiny", "--learning-rate", "3e-3",
                            "--freeze-vit", "--beams", "2")
        self.assertNotIn("warning", out.stderr)
        metrics = [json.loads(line) for line in (self.folder / "run" / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(metrics[-1]["evaluation_exact_by_beams"], 1)
        for words in ["detect car", "Detect car\n"]:
            told = palisade("ask", words, picture, "--model", self.folder / "run" / "model").stdout.splitlines()
            self.assertEqual(told[0], "<loc0100><loc0200><loc0300><loc0400> car")
            self.assertIn("car: y_min 100, x_min 200, y_max 300, x_max 400 of 0 to 1023; of ", told[1])
        event = json.loads(palisade("ask", "Detect car\n", picture, "--model", self.folder / "run" / "model", "--json").stdout)
        self.assertEqual(event["data"]["prompt"], "detect car")

    def test_a_prefix_that_is_asked_otherwise_is_told(self):
        data = self.write("other.jsonl", [*stills(2), {"image": str(WORLD / "still00.png"), "prefix": "is it wet?", "suffix": "no"}])
        out = self.transfer("--data", data, *QUICK, "--run", self.folder / "run")
        self.assertRegex(out.stderr, r"warning .*other\.jsonl:3: its prefix and 0 others begin with no word of PaliGemma's")

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
        run = self.transfer("--data", data, "--run", self.folder / "run", "--allow-empty-suffix", check=2)
        self.assertIn("data.jsonl:2", run.stderr)
        self.assertIn("broken.png", run.stderr)
        self.assertFalse((self.folder / "run").exists())

    def test_the_model_is_the_same_bytes_whether_pictures_are_kept_or_read_again(self):
        self.check_kept_and_read_again("all-trained")

    def test_the_model_is_the_same_bytes_whether_a_tower_that_is_not_trained_encodes_a_picture_once_or_each_time(self):
        self.check_kept_and_read_again("frozen", "--freeze-vit")

    def check_kept_and_read_again(self, name, *more):
        folder = self.folder / name
        folder.mkdir()
        pair = [str(WORLD / f"pair0_{side}.png") for side in ("left", "right")]
        film = {"video": str(WORLD / "clip0.mp4"), "prefix": "caption en", "suffix": "a black bicycle"}
        data = self.write("mixed.jsonl", [*stills(6), {"images": pair, "prefix": "caption en", "suffix": "two"}, film])
        flags = ["--data", data, "--evaluation", data, *QUICK, "--epochs", "5", "--frames", "3", "--frame-step", "2", *more]
        for name, memory in [("none", "0"), ("all", "1024")]:
            told = self.transfer(*flags, "--run", folder / name, "--picture-memory-mb", memory).stderr
            self.assertEqual("each picture is encoded once: 10.2 KB each" in told, bool(more) and memory != "0", told)
        running = subprocess.Popen([PROGRAM, "transfer", *map(str, flags), "--checkpoint-every", "1", "--run", str(folder / "killed")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (folder / "killed" / "checkpoint.safetensors").exists():
            self.assertIsNone(running.poll())
            time.sleep(0.01)
        running.kill()
        running.wait()
        self.transfer("--resume", folder / "killed", "--picture-memory-mb", "0")
        kept = (folder / "all" / "model" / "model.safetensors").read_bytes()

        def figures(run):
            lines = [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]
            return [{key: value for key, value in line.items() if key != "examples_per_second"} for line in lines]
        for name in ["none", "killed"]:
            self.assertEqual((folder / name / "model" / "model.safetensors").read_bytes(), kept)
            self.assertEqual(figures(name), figures("all"))

    def test_a_picture_that_breaks_while_it_is_needed_is_named_with_its_line_and_a_kept_one_is_not_needed(self):
        lines = stills(6)
        for number, line in enumerate(lines):
            shutil.copy(line["image"], self.folder / f"{number}.png")
            line["image"] = f"{number}.png"
        data = self.write("data.jsonl", lines)
        for memory in ["0", "1024"]:
            shutil.copy(WORLD / "still00.png", self.folder / "4.png")
            run = self.folder / memory
            running = subprocess.Popen([PROGRAM, "transfer", "--data", data, *QUICK, "--epochs", "200", "--run", run, "--picture-memory-mb", memory],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while not (run / "metrics.jsonl").exists():
                self.assertIsNone(running.poll())
                time.sleep(0.01)
            (self.folder / "4.png").write_bytes(b"\x89PNG")
            told = running.communicate(timeout=120)[1]
            self.assertEqual(running.returncode, 1 if memory == "0" else 0, told)
            if memory == "0":
                self.assertRegex(told, r"data\.jsonl:5: .*4\.png")

    def test_a_loss_that_is_no_number_ends_it_with_the_last_checkpoint_intact(self):
        data = self.write("stills.jsonl", stills(8))
        run = self.folder / "run"
        self.transfer("--data", data, *QUICK, "--epochs", "2", "--run", run)
        shutil.rmtree(run / "model")
        checkpoint = run / "checkpoint.safetensors"
        broken = bytearray(checkpoint.read_bytes())
        header = 8 + int.from_bytes(broken[:8], "little")
        broken[header:header + 4] = b"\x00\x00\xc0\x7f"  # one weight is NaN
        broken[:header] = broken[:header].replace(b'"steps":"2"', b'"steps":"1"')  # and another step is left
        checkpoint.write_bytes(broken)
        failed = self.transfer("--resume", run, check=1)
        self.assertRegex(failed.stderr, r"step 2: the loss of .*stills.jsonl:\d+ is no finite number")
        self.assertEqual(checkpoint.read_bytes(), bytes(broken))
        self.assertEqual(sorted(p.name for p in run.iterdir()),
                         ["checkpoint.safetensors", "curves.svg", "inputs.sha256", "metrics.jsonl", "recipe.yaml"])

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
                         ["checkpoint.safetensors", "curves.svg", "inputs.sha256", "metrics.jsonl", "recipe.yaml"])
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


class Filters(InFolder):
    """Data filters, by themselves and in a transfer."""

    def setUp(self):
        super().setUp()
        (self.folder / "words.txt").write_text("# not in a caption\nviolet\n")
        (self.folder / "filters.yaml").write_text(
            "words: [words.txt]\npersonal_data: [email, phone, card, plate, identity]\n"
            "least_side: 32\nduplicates: [examples, pictures]\n")
        pictures = [line["image"] for line in stills(9)]
        shutil.copy(pictures[0], self.folder / "copy.png")
        (self.folder / "broken.png").write_bytes(Path(pictures[0]).read_bytes()[:300])
        good = [{"image": picture, "prefix": f"answer en {i}", "suffix": "a car"} for i, picture in enumerate(pictures)]
        self.good = good
        self.data = self.write("data.jsonl", [
            *good[:4],
            {"image": pictures[0], "prefix": "answer en who?", "suffix": "write to someone@example.org"},
            {"image": pictures[0], "prefix": "caption en", "suffix": "a Violet car"},
            good[1],
            {"image": "copy.png", "prefix": "caption en", "suffix": "a copy"},
            {"image": "broken.png", "prefix": "caption en", "suffix": "a broken one"},
            *good[4:],
        ])
        self.expected = [(5, "personal_data: email"), (6, "words: words.txt"), (7, "duplicates: examples"),
                         (8, "duplicates: pictures"), (9, "unreadable")]

    def removed(self, path):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            self.assertEqual(line["file"], str(self.data))
            self.assertTrue(line["detail"])
        return [(line["line"], line["reason"]) for line in lines]

    def test_a_set_is_filtered_into_a_new_one_with_every_removal_told(self):
        out = self.folder / "clean.jsonl"
        told = palisade("filter", self.data, "--filters", self.folder / "filters.yaml", "--out", out)
        self.assertTrue(told.stdout.startswith("5 of 14 examples removed: "), told.stdout)
        self.assertEqual(self.removed(self.folder / "clean.removed.jsonl"), self.expected)
        kept = [line for number, line in enumerate(self.data.read_text().splitlines(True), 1)
                if number not in [line for line, _ in self.expected]]
        self.assertEqual(out.read_text(), "".join(kept))
        self.assertNotIn("example.org", (self.folder / "clean.removed.jsonl").read_text())

    def test_a_set_that_moves_finds_its_pictures_and_nothing_is_written_over(self):
        self.write("data.jsonl", [{"image": "copy.png", "prefix": "caption en", "suffix": "a copy"},
                                  {"images": ["copy.png"], "prefix": "p", "suffix": "a@example.org"},
                                  {"images": ["copy.png"], "prefix": "p", "suffix": "s"}])
        out = self.folder / "elsewhere" / "clean.jsonl"
        out.parent.mkdir()
        flags = ["--filters", self.folder / "filters.yaml", "--out", out, "--json"]
        told = palisade("filter", self.data, *flags)
        self.assertEqual(json.loads(told.stdout), {"kept": 2, "removed": 1, "reasons": {"personal_data: email": 1}})
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual(lines[0]["image"], str(self.folder / "copy.png"))
        self.assertEqual(lines[1]["images"], [str(self.folder / "copy.png")])
        self.assertIn("is there already", palisade("filter", self.data, *flags, check=2).stderr)

    def test_a_bad_line_or_filter_is_named_and_nothing_is_written(self):
        out = self.folder / "clean.jsonl"
        (self.folder / "filters.yaml").write_text("personal_data: [email]\nwords: [nowhere.txt]\nleast_side: small\n")
        told = palisade("filter", self.data, "--filters", self.folder / "filters.yaml", "--out", out, check=2).stderr
        self.assertIn("filters.yaml:2:9", told)
        self.assertIn("nowhere.txt", told)
        self.assertIn("filters.yaml:3:13", told)
        (self.folder / "filters.yaml").write_text("personal_data: [email]\n")
        self.write("data.jsonl", [*self.good, "{broken", {"image": "gone.png", "prefix": "p", "suffix": "s"}])
        told = palisade("filter", self.data, "--filters", self.folder / "filters.yaml", "--out", out, check=2).stderr
        self.assertIn("data.jsonl:10:", told)
        self.assertIn("data.jsonl:11:", told)
        self.assertFalse(out.exists())

    def test_a_transfer_leaves_out_what_its_filters_say_and_lists_it(self):
        run = self.folder / "run"
        flags = ["--filters", self.folder / "filters.yaml", "--batch-size", "4", "--epochs", "1"]
        told = self.transfer("--data", self.data, *flags, "--run", run)
        self.transfer("--resume", run)
        self.assertIn("5 of 14 examples removed: ", told.stderr)
        self.assertIn("9 examples, 2 steps", told.stderr)
        self.assertEqual(self.removed(run / "removed.jsonl"), self.expected)
        clean = self.write("clean.jsonl", self.good)
        self.transfer("--data", clean, "--batch-size", "4", "--epochs", "1", "--run", self.folder / "clean")
        self.assertEqual((run / "model" / "model.safetensors").read_bytes(),
                         (self.folder / "clean" / "model" / "model.safetensors").read_bytes())
        # What would now be removed is not what the checkpoint was made with.
        (self.folder / "words.txt").write_text("car\ncopy\n")
        self.assertIn("leaves no example", self.transfer("--resume", run, check=2).stderr)
        (self.folder / "words.txt").write_text("copy\n")
        self.assertIn("other examples", self.transfer("--resume", run, check=1).stderr)


class Sweep(InFolder):
    def setUp(self):
        super().setUp()
        self.data = self.write("stills.jsonl", stills(24))
        self.recipe = ["--batch-size", "8", "--allow-empty-suffix", "--llm-dropout", "0.1"]
        self.flags = ["--data", self.data, "--evaluation", self.data, *self.recipe]

    def sweep(self, *arguments, check=0):
        return palisade("sweep", *arguments, check=check)

    def scores(self, folder):
        return (folder / "scores.jsonl").read_text().splitlines()

    def test_a_grid_is_run_judged_and_reported(self):
        folder = self.folder / "sweep"
        done = self.sweep(*self.flags, "--epochs", "1,2", "--learning-rate", "1e-9,1e-3", "--json", "--run", folder)
        report = json.loads(done.stdout)
        self.assertEqual([run["values"] for run in report["runs"]],
                         [{"epochs": epochs, "learning_rate": rate} for epochs in "12" for rate in ("1e-09", "0.001")])
        best = max(report["runs"], key=lambda run: (run["exact"], -run["loss"]))
        self.assertEqual(report["best"], best["run"])
        for k in range(1, 5):
            self.assertIn(f"run {k} of 4", done.stderr)
        self.assertIn("left", done.stderr)
        for run in report["runs"]:
            metrics = [json.loads(line) for line in (folder / run["run"] / "metrics.jsonl").read_text().splitlines()]
            self.assertEqual(run["exact"], metrics[-1]["evaluation_exact"])
            self.assertEqual(run["loss"], metrics[-1]["evaluation_loss"])
            self.assertEqual((folder / run["run"] / "model").exists(), run["run"] == report["best"])
        table = (folder / "report.md").read_text().splitlines()
        self.assertEqual(len(table), 2 + 4)
        self.assertRegex(next(line for line in table if report["best"] in line), r"\| best \|$")
        self.assertIn("<svg", (folder / "report.svg").read_text())
        # A run is a usual one: alone it comes to the same.
        self.transfer(folder / best["run"] / "recipe.yaml", "--run", self.folder / "again")
        self.assertEqual((self.folder / "again" / "model" / "model.safetensors").read_bytes(),
                         (folder / best["run"] / "model" / "model.safetensors").read_bytes())

    def test_in_order_each_value_is_tried_at_the_best_of_those_before(self):
        recipe = self.folder / "sweep.yaml"
        recipe.write_text("data: stills.jsonl\nevaluation: stills.jsonl\nallow_empty_suffix: true\nbatch_size: 8\n"
                          "in_order: true\nlearning_rate: [1e-9, 1e-3]\nepochs: [2, 1]\nbeams: [1, 2]\n")
        folder = self.folder / "sweep"
        done = self.sweep(recipe, "--json", "--run", folder)
        self.assertIn("run 1 of 5", done.stderr)
        self.assertIn("run 5 of 5", done.stderr)
        runs = json.loads(done.stdout)["runs"]
        values = [tuple(run["values"][key] for key in ("epochs", "learning_rate", "beams")) for run in runs]

        def best(runs):
            return max(runs, key=lambda run: (run["exact"], -run["loss"]))["values"]
        self.assertEqual(values[:2], [("2", "1e-05", "1"), ("1", "1e-05", "1")])
        epochs = best(runs[:2])["epochs"]
        self.assertEqual(values[2:4], [(epochs, "1e-09", "1"), (epochs, "0.001", "1")])
        at = best(runs[:4])
        self.assertEqual(values[4:], [(at["epochs"], at["learning_rate"], "2")])
        # Other beams judge the same training: no step is made again.
        steps = [[line for line in (folder / run["run"] / "metrics.jsonl").read_text().splitlines() if '"loss"' in line]
                 for run in (runs[-1], next(run for run in runs if run["values"] == at))]
        self.assertEqual(steps[0], steps[1])

    def test_stopped_or_killed_it_goes_on_with_what_is_not_finished(self):
        folder = self.folder / "sweep"
        flags = [*self.flags, "--epochs", "4,6", "--seed", "1,2", "--checkpoint-every", "2"]
        for number, code in [(signal.SIGINT, 1), (signal.SIGKILL, -signal.SIGKILL)]:
            done = len(self.scores(folder)) if folder.exists() else 0
            start = ["--resume", folder] if folder.exists() else [*flags, "--run", folder]
            running = subprocess.Popen([PROGRAM, "sweep", *map(str, start)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while not (folder / "scores.jsonl").exists() or len(self.scores(folder)) <= done:
                self.assertIsNone(running.poll())
                time.sleep(0.01)
            running.send_signal(number)
            self.assertEqual(running.wait(timeout=60), code)
        finished = self.scores(folder)
        self.assertIn(len(finished), (2, 3))
        report = json.loads(self.sweep("--resume", folder, "--json").stdout)
        self.assertEqual([run["run"] for run in report["runs"]], [f"run{k:03d}" for k in range(1, 5)])
        self.assertEqual(self.scores(folder)[:len(finished)], finished)
        whole = json.loads(self.sweep(*flags, "--json", "--run", self.folder / "whole").stdout)
        for a, b in zip(report["runs"], whole["runs"]):
            self.assertEqual((a["values"], a["exact"], a["loss"]), (b["values"], b["exact"], b["loss"]))

    def test_a_run_that_fails_is_told_and_the_sweep_goes_on(self):
        folder = self.folder / "sweep"
        done = self.sweep(*self.flags, "--seed", "1,2", "--text-length", "64,4", "--run", folder)
        self.assertRegex(done.stderr, r"run 2 of 4 \(run002\) failed: .*text_length is 4")
        lines = done.stdout.splitlines()
        self.assertEqual(sum("failed: " in line for line in lines), 2)
        self.assertEqual(sum("best" in line for line in lines), 1)
        # A weight that is no number, as training may come to one.
        best = Path(lines[-1]).parent
        shutil.rmtree(best / "model")
        checkpoint = best / "checkpoint.safetensors"
        broken = bytearray(checkpoint.read_bytes())
        header = 8 + int.from_bytes(broken[:8], "little")
        broken[header:header + 4] = b"\x00\x00\xc0\x7f"
        checkpoint.write_bytes(broken)
        kept = [line for line in self.scores(folder) if best.name not in line]
        (folder / "scores.jsonl").write_text("".join(line + "\n" for line in kept))
        report = json.loads(self.sweep("--resume", folder, "--json").stdout)
        failed = next(run for run in report["runs"] if run["run"] == best.name)
        self.assertIn("no finite number", failed["failure"])
        self.assertNotEqual(report["best"], best.name)

    def test_what_is_wrong_from_the_start_begins_nothing(self):
        folder = self.folder / "sweep"
        told = self.sweep("--data", self.data, "--epochs", "1,2", "--run", folder, check=2).stderr
        self.assertIn("evaluation", told)
        told = self.sweep(*self.flags, "--epochs", "1,many", "--run", folder, check=2).stderr
        self.assertIn("command line:", told)
        bad = self.write("bad.jsonl", [*stills(2), "{broken"])
        told = self.sweep(*self.recipe, "--data", bad, "--evaluation", self.data, "--epochs", "1,2", "--run", folder, check=2).stderr
        self.assertIn("bad.jsonl:3", told)
        self.assertFalse(folder.exists())
        self.assertIn("no sweep", self.sweep("--resume", folder, check=2).stderr)
        self.assertIn("--run FOLDER", self.sweep(*self.flags, check=2).stderr)


if __name__ == "__main__":
    main()
