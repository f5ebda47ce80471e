#!/usr/bin/env python3
"""Pictures, films and folders as people have them: what an answer saw, and what is said of what cannot be read."""
import json
import os
import pty
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, main, palisade, validate

GOLDEN = SOURCE / "tests" / "golden"


def event_of(*command):
    return json.loads(palisade(*command, "--json").stdout.splitlines()[0])


def hashes_of(events):
    return [frame["sha256"] for event in events for frame in event["data"]["frames"]]


def seen_again(file):
    """The hash of a written frame: it is of the model's size, so that nothing is resized any more."""
    return hashes_of([event_of("ask", "what is it?", file)])[0]


class OnATerminal(unittest.TestCase):
    def test_the_answer_is_shown_as_it_comes_and_is_the_one_that_a_pipe_is_given(self):
        ours, theirs = pty.openpty()
        command = ["ask", "caption en", str(WORLD / "still00.png")]
        running = subprocess.Popen([PROGRAM, *command], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
        os.close(theirs)
        seen, reads = b"", 0
        try:
            while piece := os.read(ours, 4096):
                seen, reads = seen + piece, reads + 1
        except OSError:  # the terminal's other end has been closed
            pass
        os.close(ours)
        self.assertEqual(running.wait(), 0)
        # What was awaited is wiped away before the text begins.
        shown = seen.decode().split("\033[K")[-1].replace("\r\n", "\n")
        self.assertEqual(shown, palisade(*command).stdout)
        self.assertIn(b"looking at the pictures", seen)

    def test_the_most_probable_tokens_stand_in_the_event(self):
        event = validate(event_of("ask", "caption en", WORLD / "still00.png", "--top-tokens", "5"))
        data = event["data"]
        self.assertEqual(len(data["top_tokens"]), len(data["token_ids"]))
        for chosen, logprob, top in zip(data["token_ids"], data["token_logprobs"], data["top_tokens"]):
            self.assertEqual((top[0]["id"], top[0]["logprob"], len(top)), (chosen, logprob, 5))
        self.assertIn("--beams", palisade("ask", "caption en", WORLD / "still00.png", "--top-tokens", "5", "--beams", "2",
                                          check=2).stderr)


class FramesTo(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_a_films_windows_are_written_in_order_as_the_events_tell_them(self):
        out = palisade("caption", WORLD / "clip0.mp4", "--frames", "2", "--span", "1s", "--every", "2s", "--json",
                       "--frames-to", self.folder / "made" / "here").stdout
        events = [json.loads(line) for line in out.splitlines()]
        files = sorted((self.folder / "made" / "here").iterdir())
        self.assertEqual([seen_again(file) for file in files], hashes_of(events))
        for file, (window, frame) in zip(files, [(w, f) for w, event in enumerate(events, 1)
                                                 for f in enumerate(event["data"]["frames"], 1)]):
            number, told = frame
            wall = told["time"].replace("-", "").replace(":", "")
            self.assertEqual(file.name, f"{window:06}-{number:02}-clip0-{told['pts_ms'] / 1000:09.3f}s-{wall}.png")

    def test_pictures_are_written_upright_and_nothing_is_overwritten_or_reached_by_a_link(self):
        command = ["ask", "what are these?", GOLDEN / "pictures" / "exif_rotated.jpg", WORLD / "still00.png"]
        event = event_of(*command, "--frames-to", self.folder)
        files = sorted(self.folder.iterdir())
        self.assertEqual([seen_again(file) for file in files], hashes_of([event]))
        kept = [file.read_bytes() for file in files]
        self.assertIn("is there already", palisade(*command, "--frames-to", self.folder, check=1).stderr)
        self.assertEqual([file.read_bytes() for file in files], kept)
        link = self.folder / "link"
        link.symlink_to(self.folder)
        self.assertIn("is a link", palisade(*command, "--frames-to", link, check=1).stderr)
        self.assertIn("is a link", palisade(*command, "--frames-to", f"{link}/", check=1).stderr)
        self.assertIn("cannot be made", palisade(*command, "--frames-to", files[0] / "x", check=1).stderr)

    def test_a_folder_is_read_as_people_count_and_what_is_broken_is_told(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        for number in range(1, 12):
            shutil.copy(WORLD / f"still{number % 2:02}.png", pictures / f"frame{number}.png")
        (pictures / "frame3.png").write_bytes(b"")
        (pictures / "frame12.heic").write_bytes(b"")
        done = palisade("caption", pictures, "--frames", "1", "--every", "1s", "--json")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([event["data"]["frames"][0]["pts_ms"] for event in events],
                         [1000 * number for number in range(11) if number != 2])
        odd, even = hashes_of(events[:2])
        self.assertEqual(hashes_of(events), [odd, even] + [even if n % 2 == 0 else odd for n in range(4, 12)])
        self.assertIn("frame12.heic", done.stderr)
        self.assertIn("frame3.png", done.stderr)
        asked = palisade("ask", "what happens?", pictures, "--frames", "11", "--json")
        self.assertIn("frame3.png", asked.stderr)
        self.assertEqual(len(json.loads(asked.stdout)["data"]["frames"]), 11)
        for file in pictures.glob("*.png"):
            file.write_bytes(b"no picture")
        self.assertIn("not one picture", palisade("caption", pictures, check=1).stderr)
        self.assertIn("not one picture", palisade("ask", "what?", pictures, check=1).stderr)


if __name__ == "__main__":
    main()
