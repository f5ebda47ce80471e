#!/usr/bin/env python3
"""What hours of training must not be lost to: kills, a second process, other flags, changed pictures, bad files, a bad disk."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, WORLD, main, palisade
from transfer_test import QUICK, InFolder, stills

FILE_FAULTS = str(BUILD / "tests" / "libfile_faults.so")


def png_header(width, height):
    """A PNG that says to be so large."""
    data = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data))


class Training(InFolder):
    def begin(self, *arguments):
        return subprocess.Popen([PROGRAM, "transfer", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def until(self, running, condition):
        while not condition():
            self.assertIsNone(running.poll())
            time.sleep(0.01)

    def test_by_default_ten_minutes_of_work_are_the_most_that_a_kill_costs(self):
        self.transfer("--data", self.write("stills.jsonl", stills(2)), *QUICK, "--run", self.folder / "run")
        self.assertIn("checkpoint_minutes: 10\n", (self.folder / "run" / "recipe.yaml").read_text())

    def test_killed_within_a_step_it_goes_on_there_and_ends_with_the_same_bytes(self):
        data = self.write("stills.jsonl", stills(40))
        flags = ["--data", data, "--batch-size", "8", "--examples-at-once", "1", "--allow-empty-suffix", "--llm-dropout", "0.1", "--epochs", "4"]
        self.transfer(*flags, "--run", self.folder / "whole")
        run, seed = self.folder / "killed", random.randrange(1 << 30)
        print(f"seed {seed}")
        draws, begun, within = random.Random(seed), [*flags, "--checkpoint-minutes", "1e-9", "--run", run], False
        for _ in range(12):
            running = self.begin(*begun)
            begun = ["--resume", run]
            self.until(running, (run / "checkpoint.safetensors").exists)
            time.sleep(draws.uniform(0.02, 0.4))
            running.kill()
            running.wait()
            within = within or b"optimizer.gradients" in (run / "checkpoint.safetensors").read_bytes()[:1 << 20]
            if (run / "model").exists():
                break
        self.assertTrue(within)
        self.transfer("--resume", run)
        for name in ["checkpoint.safetensors", "model/model.safetensors"]:
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (run / name).read_bytes())

        def losses(folder):
            lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
            return [(line["step"], line["loss"]) for line in lines if "loss" in line]
        self.assertEqual(losses(self.folder / "whole"), losses(run))

    def test_flags_that_contradict_a_resumed_run_are_refused_by_name(self):
        data, other = self.write("stills.jsonl", stills(8)), self.write("other.jsonl", stills(8))
        run = self.folder / "run"
        self.transfer("--data", data, *QUICK, "--run", run)
        recipe = self.folder / "recipe.yaml"
        for flags in [["--epochs", "3"], ["--learning-rate", "1e-3"], ["--data", other], ["--evaluation", other], ["--batch-size", "4"],
                      ["--examples-at-once", "1"], ["--seed", "6"], ["--freeze-vit"], ["--lora-rank", "2"], ["--resolution", "128"],
                      ["--model", SOURCE / "tests/golden/reference/models/paligemma1-tiny"], ["--filters", other], ["--beams", "2"], ["--text-length", "32"]]:
            told = self.transfer("--resume", run, *flags, check=2).stderr
            self.assertIn(f"{flags[0]}: not what the run was begun with", told)
        told = palisade("transfer", "--resume", run, check=2, env={**os.environ, "PALISADE_EPOCHS": "7"}).stderr
        self.assertIn("--epochs", told)
        recipe.write_text("epochs: 9\nwarmup: 0.2\n")
        self.assertIn("--epochs, --warmup: ", self.transfer(recipe, "--resume", run, check=2).stderr)
        # What is the same, and what changes no step.
        self.transfer("--resume", run, "--epochs", "1", "--data", os.path.relpath(data), "--checkpoint-minutes", "3", "--checkpoint-every", "2",
                      "--evaluate-every", "5", "--picture-memory-mb", "7")
        text = (run / "recipe.yaml").read_text()
        (run / "recipe.yaml").write_text(text.replace("epochs: 1\n", "epochs: 2\n"))
        self.assertIn("another recipe than recipe.yaml is now (epochs)", self.transfer("--resume", run, check=1).stderr)
        sweep = self.folder / "sweep"
        flags = ["--data", data, "--evaluation", data, "--allow-empty-suffix", "--batch-size", "8"]
        palisade("sweep", *flags, "--epochs", "1,2", "--run", sweep)
        for words, part in [(["--epochs", "1,3"], "--epochs: "), (["--learning-rate", "1e-3"], "--learning-rate: "), (["--in-order"], "--in-order: ")]:
            self.assertIn(part, palisade("sweep", "--resume", sweep, *words, check=2).stderr)
        palisade("sweep", "--resume", sweep, "--epochs", "1,2")

    def test_a_run_folder_is_one_process_own_and_free_as_soon_as_that_is_gone(self):
        data, run = self.write("stills.jsonl", stills(40)), self.folder / "run"
        running = self.begin("--data", data, *QUICK, "--epochs", "1000", "--checkpoint-every", "1", "--run", run)
        self.until(running, (run / "checkpoint.safetensors").exists)
        told = self.transfer("--resume", run, check=3).stderr
        self.assertIn(f"process {running.pid} is at work in it", told)
        self.assertEqual(self.transfer("--data", data, *QUICK, "--run", run, check=2).returncode, 2)
        self.assertIsNone(running.poll())
        running.kill()
        running.wait()
        again = self.begin("--resume", run)
        self.until(again, lambda: (run / "lock").exists() and (run / "lock").read_text() == str(again.pid))
        again.send_signal(signal.SIGINT)
        self.assertEqual(again.wait(timeout=60), 1)
        self.assertFalse((run / "lock").exists())
        sweep = self.folder / "sweep"
        running = subprocess.Popen([PROGRAM, "sweep", *map(str, ["--data", data, "--evaluation", data, *QUICK, "--epochs", "500,600", "--run", sweep])],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until(running, (sweep / "run001" / "lock").exists)
        self.assertIn(f"process {running.pid} ", palisade("sweep", "--resume", sweep, check=3).stderr)
        self.assertIn(f"process {running.pid} ", self.transfer("--resume", sweep / "run001", check=3).stderr)
        running.kill()
        running.wait()

    def test_a_picture_that_has_changed_is_named_and_the_run_is_not_gone_on_with(self):
        lines = stills(6)
        for number, line in enumerate(lines):
            shutil.copy(line["image"], self.folder / f"{number}.png")
            line["image"] = f"{number}.png"
        shutil.copy(WORLD / "clip0.mp4", self.folder / "film.mp4")
        lines.append({"video": "film.mp4", "prefix": "caption en", "suffix": "a car"})
        data, run = self.write("data.jsonl", lines), self.folder / "run"
        self.transfer("--data", data, *QUICK, "--epochs", "2", "--run", run)
        subprocess.run(["sha256sum", "--quiet", "-c", run / "inputs.sha256"], check=True)
        for name in ["3.png", "film.mp4"]:
            kept = (self.folder / name).read_bytes()
            (self.folder / name).write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
            told = self.transfer("--resume", run, check=1).stderr
            self.assertIn(f"{name}: has changed since the run was begun", told)
            (self.folder / name).write_bytes(kept)
        os.utime(self.folder / "3.png")
        self.transfer("--resume", run)

    def test_every_picture_and_film_is_looked_at_before_the_first_step_and_all_that_are_bad_are_listed(self):
        good = stills(1)[0]
        picture = Path(good["image"]).read_bytes()
        (self.folder / "cut.png").write_bytes(picture[:len(picture) // 2])
        (self.folder / "huge.png").write_bytes(png_header(20000, 20000))
        (self.folder / "text.jpg").write_text("no picture")
        (self.folder / "empty.png").write_bytes(b"")
        (self.folder / "folder.png").mkdir()
        (self.folder / "cut.mp4").write_bytes((WORLD / "clip0.mp4").read_bytes()[:2000])
        bad = [{"image": name} for name in ["cut.png", "huge.png", "text.jpg", "empty.png", "folder.png", "none.png", "https://example.org/a.png"]]
        bad += [{"video": "cut.mp4"}, {"images": [good["image"], "cut.png"]}]
        lines = [good] + [{**one, "prefix": "caption en", "suffix": "a car"} for one in bad]
        data, run = self.write("bad.jsonl", lines), self.folder / "run"
        for arguments in [["--data", data], ["--data", self.write("good.jsonl", [good]), "--evaluation", data]]:
            told = self.transfer(*arguments, *QUICK, "--run", run, check=2).stderr
            for number in range(2, len(lines) + 1):
                self.assertIn(f"bad.jsonl:{number}: ", told)
            self.assertFalse(run.exists())
        # However many they are.
        data = self.write("many.jsonl", [{"image": f"{k}.png", "prefix": "caption en", "suffix": "a"} for k in range(150)])
        told = self.transfer("--data", data, "--run", run, check=2).stderr
        self.assertIn("many.jsonl:100: ", told)
        self.assertIn("and 50 more problems", told)

    def test_a_file_of_examples_that_is_something_else_is_named_as_what_it_is(self):
        good = {"image": str(WORLD / "still00.png"), "prefix": "caption en", "suffix": "a car"}
        line = json.dumps(good)
        cases = [("", ":1: is empty"), ("\n\n \n", "holds no example"), (f"[{line}, {line}]", ":1: is one JSON array"), (f"[\n{line},\n{line}\n]\n", ":1: is one JSON array"),
                 (json.dumps(good, indent=2), ":1: does not end on its line, as in pretty-printed"), (line + "\n" + json.dumps(good, indent=2), ":2: does not end on its line"),
                 ("image,prefix,suffix\na.png,caption en,a car\n", "commas (CSV)"), ("image\tprefix\tsuffix\na.png\tcaption en\ta car\n", "tabs (TSV)"),
                 ("a.png;caption en;a car\n", "semicolons"), (line + "\r" + line + "\r", "carriage return alone"), ("<!DOCTYPE html><html>", "web page"),
                 ("version https://git-lfs.github.com/spec/v1\noid x\n", "Git LFS"), (line.replace('"', "'"), ":1: has single quotes"),
                 (f"{line}\n{line},\n", ":2: has a comma after"), (line[:-1] + ",}", "comma before a closing"), (line + line, "more than one object"),
                 (line.replace('"a car"', "None"), "Python's"), (line.replace('"image"', "\u201cimage\u201d"), "typographic"), (line + " // one", "comment"),
                 (f"{line}\n{line[:-4]}", ":2: is cut off"), ("caption en", "is no JSON object"), ('"text"\n', "is no JSON object"), (line.replace("suffix", "sufix"), '"suffix" is missing; is it "sufix"?'),
                 (line.replace('"a car"', "7"), '"suffix" is number, not text'), (line.replace('"caption en"', '["caption en"]'), '"prefix" is array, not text'),
                 (f'{{"image": "{"a" * (2 << 20)}"}}\n{line}\n', ":1: the line is longer than"), (line.replace("caption", "\\u0000caption"), "control character")]
        for content, part in cases:
            with self.subTest(part=part):
                path = self.folder / "data.jsonl"
                path.write_text(content)
                self.assertIn(part, self.transfer("--data", path, "--run", self.folder / "run", check=2).stderr)
        for content, part in [(line.encode("utf-16"), "UTF-16 (little"), (line.encode("utf-16-le"), "UTF-16 (little"), (line.encode("utf-16-be"), "UTF-16 (big"),
                              (b"\xfe\xff" + line.encode("utf-16-be"), "UTF-16 (big"), (line.encode("utf-32"), "UTF-32"), (b"\x1f\x8b\x08" + bytes(40), "gzip"),
                              (b"PAR1" + bytes(40), "Parquet"), ((WORLD / "still00.png").read_bytes(), "picture"), (line.replace("car", "caf\u00e9").replace("\\u00e9", "e").encode() + b"\n" + b'{"a": "caf\xe9"}', "not UTF-8")]:
            with self.subTest(part=part):
                (self.folder / "data.jsonl").write_bytes(content)
                self.assertIn(part, self.transfer("--data", self.folder / "data.jsonl", "--run", self.folder / "run", check=2).stderr)
        os.mkfifo(self.folder / "pipe")
        for path, part in [(self.folder, "folder"), (self.folder / "none", "no such file"), (self.folder / "pipe", "not a regular file"), ("/proc/self/mem", "cannot be read")]:
            self.assertIn(part, self.transfer("--data", path, "--run", self.folder / "run", check=1).stderr)
        # What is accepted: a mark at the start, line ends of Windows, blank lines, no line end at the end.
        (self.folder / "data.jsonl").write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n\r\n" + line.encode())
        self.assertIn("2 examples", self.transfer("--data", self.folder / "data.jsonl", "--run", self.folder / "run").stderr)

    def test_a_disk_that_fails_is_an_error_and_never_the_end_of_a_file(self):
        lines = stills(100)
        shutil.copy(lines[0]["image"], self.folder / "picture.png")
        shutil.copy(WORLD / "clip0.mp4", self.folder / "film.mp4")
        data = self.write("data.jsonl", lines * (1 + (1 << 17) // (100 * len(lines))) + [{"image": "picture.png", "prefix": "caption en", "suffix": "a car"}])
        self.assertGreater(data.stat().st_size, 1 << 17)
        (self.folder / "words.txt").write_text("violet\n" * 5000)
        (self.folder / "filters.yaml").write_text("words: [words.txt]\n")
        (self.folder / "recipe.yaml").write_text("epochs: 1\n" + "# nothing\n" * 1000)
        model = self.folder / "model"
        shutil.copytree(SOURCE / "configs" / "models" / "demo", model)
        run = ["--run", self.folder / "run", "--allow-empty-suffix"]
        transfer = ["transfer", self.folder / "recipe.yaml", "--data", data, "--filters", self.folder / "filters.yaml", "--model", model, *run]
        config = self.folder / "serve.yaml"
        config.write_text("streams: [{name: a, url: /x.mp4, tasks: [{task: caption}]}]\n" + "# nothing\n" * 10000)
        cases = [("data.jsonl", 0, transfer), ("data.jsonl", 1 << 16, transfer), ("words.txt", 4096, transfer), ("filters.yaml", 0, transfer),
                 ("recipe.yaml", 0, transfer), ("picture.png", 0, transfer), ("config.json", 0, transfer), ("tokenizer.model", 8192, transfer),
                 ("data.jsonl", 1 << 16, ["filter", data, "--filters", self.folder / "filters.yaml", "--out", self.folder / "out.jsonl"]),
                 ("serve.yaml", 0, ["config", "check", config]), ("serve.yaml", 65536, ["config", "check", config]),
                 ("picture.png", 0, ["ask", "what?", self.folder / "picture.png"]), ("film.mp4", 0, ["caption", self.folder / "film.mp4"]),
                 ("film.mp4", 8192, ["caption", self.folder / "film.mp4"])]
        for name, after, arguments in cases:
            with self.subTest(name=name, after=after):
                done = palisade(*arguments, check=None,
                                env={**os.environ, "LD_PRELOAD": FILE_FAULTS, "PALISADE_FILE_FAULT": f"{name}:{after}:eio"})
                self.assertIn(done.returncode, (1, 2), done.stderr)
                self.assertIn(name, done.stderr)
                self.assertRegex(done.stderr, "cannot be read|Input/output error")
                if name != "film.mp4":  # whose windows before the fault are answered
                    self.assertEqual(done.stdout, "")
        self.assertFalse((self.folder / "run").exists())
        self.assertFalse((self.folder / "out.jsonl").exists())


if __name__ == "__main__":
    main()
