#!/usr/bin/env python3
"""The demo model is made by one command that can be killed, and examined by another."""
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, main, palisade

PROGRAMS = Path(PROGRAM).parent / "examples"
SHORT = ["--image-steps", "6", "--steps", "8", "--review-steps", "4", "--together-steps", "4",
         "--checkpoint-every", "2"]


class DemoModel(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-demo-model-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def train(self, name, *arguments, check=0):
        done = subprocess.run([PROGRAMS / "palisade-train-demo", "--out", self.folder / name, *arguments],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, check, done.stderr)
        return done

    def killed_when_there_is(self, file, name):
        running = subprocess.Popen([PROGRAMS / "palisade-train-demo", "--out", self.folder / name, *SHORT],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while not file.exists() and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        running.kill()
        running.wait()
        self.assertTrue(file.exists())

    def test_killed_in_any_stage_it_ends_with_the_same_model(self):
        self.train("whole", *SHORT)
        for stage in ("image", "mixture", "review", "together"):
            self.killed_when_there_is(self.folder / "killed" / stage / "checkpoint.safetensors", "killed")
        self.train("killed", *SHORT)
        whole, killed = (self.folder / name / "model" / "model.safetensors" for name in ("whole", "killed"))
        self.assertEqual(whole.read_bytes(), killed.read_bytes())
        # A model in PaliGemma's layout that the service loads and asks, whatever it says after eight steps.
        palisade("ask", "caption en", Path(__file__).parent.parent / "golden" / "world" / "still00.png",
                 "--model", whole.parent)
        examined = subprocess.run([PROGRAMS / "palisade-examine-demo", "--model", whole.parent, "--scenes", "2"],
                                  capture_output=True, text=True, check=True).stdout
        for task in ("still: caption", "pair: ", "window: caption", "rolling: caption", "backwards"):
            self.assertIn(task, examined)

    def test_a_run_of_other_steps_is_not_gone_on_with(self):
        self.train("run", *SHORT)
        self.assertIn("other examples", self.train("run", *SHORT[:2], "--steps", "9", *SHORT[4:], check=1).stderr)


if __name__ == "__main__":
    main()
