#!/usr/bin/env python3
"""`palisade-world` as a user runs it: a small data set, taught to the demo model."""
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import BUILD, PATIENCE, main, palisade

SPLITS = ("train", "validation", "test")


def generate(*arguments, check=0):
    done = subprocess.run([BUILD / "examples" / "palisade-world", *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE)
    assert check == done.returncode, f"{arguments}: exit code {done.returncode}\n{done.stderr}"
    return done


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def files_of(line):
    return tuple(line.get("images") or [line.get("image") or line["video"]])


class World(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-world-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def test_a_data_set_is_what_transfer_reads(self):
        out = self.folder / "set"
        self.assertEqual(generate("--out", out, "--stills", 12, "--pairs", 6, "--windows", 6, "--seed", 3,
                                  "--splits", "50,25,25").stdout.strip(), str(out))
        self.assertFalse((self.folder / "set.partial").exists())
        scenes = lines(out / "scenes.jsonl")
        self.assertEqual([scene["form"] for scene in scenes], ["still"] * 12 + ["pair"] * 6 + ["window"] * 6)
        split_of = {files_of(scene): scene["split"] for scene in scenes}
        self.assertEqual(len(split_of), 24)
        for split in SPLITS:
            asked = lines(out / f"{split}.jsonl")
            self.assertGreater(len(asked), 10)
            for line in asked:
                self.assertEqual(split_of[files_of(line)], split)
                for name in files_of(line):
                    self.assertGreater((out / name).stat().st_size, 1000)
        captions = {files_of(scene): scene["caption"] for scene in scenes if "caption" in scene}
        for line in lines(out / "train.jsonl"):
            if line["prefix"] == "caption en" and "images" not in line:
                self.assertEqual(line["suffix"], captions[files_of(line)])
        self.transfer(out)

    def transfer(self, out):
        run = self.folder / "run"
        palisade("transfer", "--data", out / "train.jsonl", "--evaluation", out / "test.jsonl", "--run", run, "--epochs", "1",
                 "--batch-size", "8", "--examples-at-once", "4", "--allow-empty-suffix", "--learning-rate", "1e-5",
                 "--freeze-vit")
        evaluated = [line for line in lines(run / "metrics.jsonl") if "evaluation_exact" in line]
        self.assertGreater(evaluated[-1]["evaluation_exact"], 0.3)  # the demo model knows this world

    def test_a_clip_shows_its_scene_to_the_demo_model(self):
        out = self.folder / "set"
        generate("--out", out, "--windows", 8, "--questions", 5, "--splits", "100,0,0", "--seed", 4)
        right = asked = 0
        for line in lines(out / "train.jsonl"):
            if "did anything" not in line["prefix"]:
                continue
            answer = palisade("ask", line["prefix"].removeprefix("answer en "), out / line["video"]).stdout.strip()
            asked += 1
            right += answer == line["suffix"]
        self.assertGreater(asked, 8)
        self.assertGreater(right / asked, 0.65)

    def test_scenes_do_not_depend_on_how_many_there_are(self):
        few, many = self.folder / "few", self.folder / "many"
        generate("--out", few, "--stills", 3, "--windows", 1, "--seed", 9)
        generate("--out", many, "--stills", 5, "--windows", 2, "--seed", 9)
        of_many = {scene["name"]: scene for scene in lines(many / "scenes.jsonl")}
        for scene in lines(few / "scenes.jsonl"):
            self.assertEqual(scene, of_many[scene["name"]])
            for name in files_of(scene):
                if name.endswith(".png"):
                    self.assertEqual((few / name).read_bytes(), (many / name).read_bytes())

    def test_a_new_kind_is_in_every_other_scene(self):
        out = self.folder / "bus"
        generate("--out", out, "--windows", 10, "--stills", 10, "--about", "bus", "--splits", "100,0,0")
        with_bus = {files_of(scene): any(item["kind"] == "bus" for item in scene["objects"])
                    for scene in lines(out / "scenes.jsonl")}
        asked = lines(out / "train.jsonl")
        self.assertEqual(len(asked), 20)
        self.assertEqual([line["suffix"] for line in asked].count("yes"), 10)
        for line in asked:
            self.assertEqual(line["prefix"], "answer en is there a bus?")
            if line["suffix"] == "yes":
                self.assertTrue(with_bus[files_of(line)])

    def test_a_street_has_no_bus_unless_asked_for(self):
        out = self.folder / "set"
        generate("--out", out, "--stills", 40)
        kinds = {item["kind"] for scene in lines(out / "scenes.jsonl") for item in scene["objects"]}
        self.assertEqual(kinds, {"car", "truck", "person", "dog", "bicycle"})

    def test_what_cannot_be_done_is_said(self):
        out = self.folder / "set"
        for arguments, words in ((["--stills", 1, "--kinds", "tram"], "tram"), ([], "nothing to draw"),
                                 (["--stills", 1, "--splits", "80,10,20"], "add up to 100"),
                                 (["--pairs", 1, "--about", "bus"], "not of pairs")):
            self.assertIn(words, generate("--out", out, *arguments, check=2).stderr)
            self.assertEqual(list(self.folder.iterdir()), [])
        self.assertIn("--out", generate("--stills", 1, check=2).stderr)
        out.mkdir()
        self.assertIn("is there already", generate("--out", out, "--stills", 1, check=1).stderr)
        done = generate("--out", "/proc/palisade/set", "--stills", 1, check=1)
        self.assertIn("palisade-world: ", done.stderr)


if __name__ == "__main__":
    main()
