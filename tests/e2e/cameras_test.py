#!/usr/bin/env python3
"""Many simulated cameras, read either way: nothing is lost, and their pictures' times are right."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import BUILD, PATIENCE, cameras, main

READERS = ["ffmpeg", "gstreamer"]


def run(program, *arguments):
    done = subprocess.run([BUILD / program, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{program}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


class Cameras(unittest.TestCase):
    def test_no_window_of_any_camera_is_lost(self):
        running, urls = cameras(4)
        with running:
            for reader in READERS:
                frames = {}
                for policy in ["keyframes", "uniform"]:
                    load = run("tests/camera_load", "--reader", reader, "--policy", policy, "--window-ms", 1000,
                               "--seconds", 4, *urls)
                    self.assertEqual(load["cameras"], 4)
                    self.assertGreaterEqual(load["clips"], 8, reader)
                    self.assertEqual((load["lost_windows"], load["dropped_in_queue"]), (0, 0))
                    frames[policy] = load["frames_decoded"]
                # A keyframe a second of ten pictures a second.
                self.assertLess(frames["keyframes"] * 4, frames["uniform"], reader)

    def test_a_picture_was_taken_when_its_stamp_says(self):
        with tempfile.TemporaryDirectory() as folder:
            truth = Path(folder) / "truth"
            running, urls = cameras(1, "--truth", truth)
            with running:
                for reader in READERS:
                    flags = ["--gstreamer"] if reader == "gstreamer" else []
                    clock = run("examples/palisade-camera-clock", urls[0], truth, "--pictures", 15, *flags)
                    self.assertEqual(clock["over_uncertainty"], 0, reader)


if __name__ == "__main__":
    main()
