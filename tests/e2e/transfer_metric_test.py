#!/usr/bin/env python3
"""`palisade transfer` and `sweep` with a metric: the best evaluation becomes the model, and training ends in time."""
import json
import random
import signal
import subprocess
import time

from palisade import PROGRAM, WORLD, main, palisade
from transfer_test import InFolder, stills

RAIN = "answer en is it raining?"


def tensors(path):
    """Name to bytes, of a safetensors file."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {name: data[start + one["data_offsets"][0]:start + one["data_offsets"][1]] for name, one in header.items() if name != "__metadata__"}


class Metric(InFolder):
    def setUp(self):
        super().setUp()
        # Ten pictures learn a wrong answer; what is evaluated is asked of others, which the model answers right before.
        self.data = self.write("rain.jsonl", [{"image": str(WORLD / f"still{i:02d}.png"), "prefix": RAIN, "suffix": "a white dog"}
                                              for i in range(8)])
        questions = [line for line in stills(200) if line["suffix"] in ("no", "yes", "zero", "one")][:12]
        self.evaluation = self.write("still.jsonl", [{**line, "id": i, "answers": [line["suffix"]] * 3}
                                                     for i, line in enumerate(questions)])
        self.flags = ["--data", self.data, "--evaluation", self.evaluation, "--batch-size", "4", "--examples-at-once", "3",
                      "--learning-rate", "3e-3", "--epochs", "40", "--evaluate-every", "3", "--metric", "vqa"]

    def lines(self, run):
        return [json.loads(line) for line in (self.folder / run / "metrics.jsonl").read_text().splitlines()]

    def evaluations(self, run):
        return [line for line in self.lines(run) if "evaluation_loss" in line]

    def losses(self, run):
        return [(line["step"], line["loss"]) for line in self.lines(run) if "loss" in line]

    def model(self, run):
        return (self.folder / run / "model" / "model.safetensors").read_bytes()

    def test_training_ends_when_nothing_gets_better_and_the_model_is_the_best_one(self):
        done = self.transfer(*self.flags, "--patience", "2", "--run", self.folder / "run")
        evaluations = self.evaluations("run")
        scores = [line["evaluation_score"] for line in evaluations]
        best = scores.index(max(scores))
        self.assertEqual(len(scores), best + 3, scores)
        self.assertEqual([line["step"] for line in evaluations], [3 * (k + 1) for k in range(len(scores))])
        self.assertLess(max(line["step"] for line in self.lines("run")), 80)
        self.assertGreater(scores[best], 0.5)
        # Its weights are those that were kept, not the last ones.
        model, kept, last = (tensors(self.folder / "run" / name) for name in ["model/model.safetensors", "best.safetensors", "checkpoint.safetensors"])
        trained = sorted(kept.keys() & model.keys())
        self.assertGreater(len(trained), 50)
        for name in trained:
            self.assertEqual(model[name], kept[name], name)
        self.assertTrue(any(kept[name] != last[name] for name in trained))
        self.assertEqual(evaluations[best]["figures"]["acc"], scores[best])
        self.assertEqual(evaluations[best]["figures"]["num"], 12)
        self.assertIn("2 evaluations were no better than the best", done.stderr)
        self.assertIn(f"the model is that of step {3 * (best + 1)}, the best by vqa acc ({scores[best]:.4f})", done.stderr)
        self.assertIn("its metric (purple", (self.folder / "run" / "curves.svg").read_text())
        # The model answers as that evaluation says, through the program that scores predictions.
        answers = [palisade("ask", line["prefix"].removeprefix("answer en "), line["image"], "--model", self.folder / "run" / "model").stdout.strip()
                   for line in map(json.loads, self.evaluation.read_text().splitlines())]
        predictions = self.write("predictions.jsonl", [{"id": i, "prediction": answer} for i, answer in enumerate(answers)])
        report = palisade("evaluate", "--predictions", predictions, "--data", self.evaluation, "--metric", "vqa", "--json").stdout
        self.assertEqual(json.loads(report.splitlines()[-1])["figures"]["acc"], scores[best])
        self.assertFalse((self.folder / "run" / "evaluated").exists())
        # What is finished stays so.
        before = self.evaluations("run")
        kept = self.model("run")
        self.transfer("--resume", self.folder / "run")
        self.assertEqual(self.evaluations("run"), before)
        self.assertEqual(self.model("run"), kept)

    def test_killed_at_any_time_it_ends_at_the_same_step_with_the_same_bytes(self):
        flags = [*self.flags, "--patience", "3", "--checkpoint-every", "2"]
        self.transfer(*flags, "--run", self.folder / "whole")
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")
        draws = random.Random(seed)
        kills, start = 0, [*flags, "--run", self.folder / "killed"]
        while True:
            running = subprocess.Popen([PROGRAM, "transfer", *map(str, start)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not (self.folder / "killed" / "checkpoint.safetensors").exists() and running.poll() is None:
                time.sleep(0.01)
            start = ["--resume", self.folder / "killed"]
            try:
                self.assertEqual(running.wait(draws.uniform(0.3, 1.5) if kills < 6 else 300), 0)
                break
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                running.wait()
                kills += 1
        self.assertEqual(self.evaluations("killed"), self.evaluations("whole"))
        self.assertEqual(self.losses("killed"), self.losses("whole"))
        for name in ["model/model.safetensors", "best.safetensors", "checkpoint.safetensors"]:
            self.assertEqual((self.folder / "killed" / name).read_bytes(), (self.folder / "whole" / name).read_bytes(), name)

    def test_an_evaluation_changes_no_step_adapters_included(self):
        for name, more in [("lora", ["--lora-rank", "2"]), ("larger", ["--lora-rank", "2", "--resolution", "96"]),
                           ("projection", ["--parts", "projection"])]:
            flags = [flag if flag != "40" else "4" for flag in self.flags] + more
            self.transfer(*flags, "--run", self.folder / name)
            without = flags[:flags.index("--metric")] + more
            self.transfer(*without, "--run", self.folder / f"{name}-without")
            self.assertEqual(self.losses(name), self.losses(f"{name}-without"), name)
            self.assertEqual(len(self.evaluations(name)), 3)
            self.assertNotIn("metric", self.evaluations(f"{name}-without")[0])

    def test_a_line_without_what_the_metric_needs_is_named_and_nothing_is_begun(self):
        flags = [flag if flag != "vqa" else "tallyqa" for flag in self.flags]
        told = self.transfer(*flags, "--run", self.folder / "run", check=2).stderr
        for number in range(1, 13):
            self.assertIn(f'still.jsonl:{number}: 3 answers, where this metric compares with one "answer"', told)
        self.assertFalse((self.folder / "run").exists())
        nothing = self.write("none.jsonl", [{**stills(1)[0], "answers": []}])
        told = self.transfer(*self.flags[:2], "--evaluation", nothing, *self.flags[4:], "--run", self.folder / "none", check=2).stderr
        self.assertIn("no line says what is right", told)
        self.assertFalse((self.folder / "none").exists())

    def test_a_resumed_run_whose_best_weights_are_gone_says_so(self):
        self.transfer(*self.flags, "--patience", "2", "--run", self.folder / "run")
        (self.folder / "run" / "best.safetensors").unlink()
        self.assertRegex(self.transfer("--resume", self.folder / "run", check=1).stderr, r"run: holds no weights of step \d+, whose evaluation is the best")

    def test_a_sweep_is_ranked_by_the_metric(self):
        flags = [flag if flag != "40" else "2" for flag in self.flags]
        sweep = self.folder / "sweep"
        flags[flags.index("--learning-rate") + 1] = "1e-9,3e-3"
        report = json.loads(palisade("sweep", *flags, "--json", "--run", sweep).stdout)
        scores = {run["run"]: run["metric"] for run in report["runs"]}
        self.assertEqual(scores[report["best"]], max(scores.values()))
        for run in report["runs"]:
            best = max(line["evaluation_score"] for line in map(json.loads, (sweep / run["run"] / "metrics.jsonl").read_text().splitlines())
                       if "evaluation_score" in line)
            self.assertEqual(run["metric"], best)
        self.assertIn("| vqa acc |", (sweep / "report.md").read_text())
        again = json.loads(palisade("sweep", "--resume", sweep, "--json").stdout)
        self.assertEqual(again, report)
        told = palisade("sweep", *flags[:-1], "vqa,anls", "--run", self.folder / "other", check=2).stderr
        self.assertIn("metric is one for all runs", told)


if __name__ == "__main__":
    main()
