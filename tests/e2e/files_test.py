#!/usr/bin/env python3
"""Files through the command line: captions, questions and verification as a user runs them."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, WORLD, main, palisade, validate

REFERENCE = SOURCE / "tests" / "golden" / "reference"
FOOTAGE = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")


class Captions(unittest.TestCase):
    def test_rolling_windows_of_the_demo_clips_are_the_references(self):
        """Same frames; answers may differ in 2 % (decoders and colour conversion differ)."""
        windows = same = 0
        for golden_file in sorted(WORLD.glob("clip*.json")):
            golden = json.loads(golden_file.read_text())
            out = palisade("caption", WORLD / golden["file"], "--every", "2s", "--span", "4s", "--json",
                           "--model", WORLD / "model").stdout
            events = [validate(json.loads(line)) for line in out.splitlines()]
            self.assertEqual(len(events), len(golden["windows"]), golden_file.name)
            for event, window in zip(events, golden["windows"]):
                self.assertEqual([frame["number"] for frame in event["data"]["frames"]], window["frames"])
                answer = next(q["answer"] for q in window["questions"] if q["prompt"] == "caption en")
                windows += 1
                same += event["data"]["text"] == answer
        self.assertGreaterEqual(same, 0.98 * windows, f"{same} of {windows}")

    def test_static_frames_are_left_out_on_demand_and_every_event_says_how_many_tokens_were_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(17):
                shutil.copy(WORLD / "still01.png", Path(folder) / f"{number:02}.png")
            runs = []
            for flags in ([], ["--prune", "static:0.95"]):
                out = palisade("caption", folder, "--span", "15s", "--every", "16s", *flags, "--json").stdout
                runs.append([validate(json.loads(line))["data"] for line in out.splitlines()])
        plain, pruned = runs
        self.assertEqual([event["text"] for event in plain], [event["text"] for event in pruned])
        self.assertEqual(plain[0]["window"]["tokens"], 256)
        self.assertEqual(plain[0]["window"]["tokens_kept"], 256)
        self.assertNotIn("prune", plain[0]["window"])
        self.assertEqual(pruned[0]["window"]["tokens"], 256)
        self.assertEqual(pruned[0]["window"]["tokens_kept"], 16)
        self.assertEqual(pruned[0]["window"]["prune"], "static:0.95")
        done = palisade("ask", "what?", WORLD / "still01.png", "--prune", "much", check=2)
        self.assertIn("--prune: off, static, or static:0.5 to static:0.9999, not '***'", done.stderr)
        for command in (["ask", "what?", *[WORLD / "still01.png"] * 2], ["caption", WORLD / "still01.png"],
                        ["caption", WORLD / "clip0.mp4", "--frames", "2"]):
            done = palisade(*command, "--prune", "static", check=2)
            self.assertIn("three or more", done.stderr)

    def test_bench_takes_nothing_for_random_weights_that_belongs_to_real_ones(self):
        for flag in ("--model", "--calibration", "--packed-cache"):
            palisade("bench", "--shape", "paligemma-3b-224", flag, "x", check=2)

    def test_plain_output_is_one_line_a_window(self):
        lines = palisade("caption", WORLD / "clip0.mp4", "--every", "4s").stdout.splitlines()
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"^\[00:00 - 00:04\] a black bicycle")

    def test_a_picture_has_one_caption(self):
        self.assertIn("a white dog", palisade("caption", WORLD / "still01.png").stdout)

    def test_a_recording_gives_the_same_events_every_time(self):
        for flags in [[], ["--policy", "keyframes"]]:
            runs = []
            for _ in range(2):
                out = palisade("caption", WORLD / "clip0.mp4", "--every", "2s", *flags, "--json").stdout
                events = [validate(json.loads(line)) for line in out.splitlines()]
                for event in events:
                    del event["id"], event["data"]["timing_ms"]  # of the run
                runs.append(events)
            self.assertTrue(runs[0])
            self.assertEqual(*runs)
        self.assertEqual(runs[0][0]["data"]["window"]["policy"], "keyframes")

    def test_a_folder_of_pictures_is_a_recording(self):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(3):
                shutil.copy(WORLD / f"still0{number}.png", folder)
            out = palisade("caption", folder, "--frames", "1", "--every", "1s", "--json").stdout
        events = [validate(json.loads(line)) for line in out.splitlines()]
        self.assertEqual([event["data"]["frames"][0]["pts_ms"] for event in events], [0, 1000, 2000])
        self.assertNotIn("time_uncertainty_ms", events[0]["data"]["frames"][0])

    @unittest.skipUnless(FOOTAGE.exists(), "opencv-doc is not installed")
    def test_real_surveillance_footage_gives_valid_events(self):
        out = palisade("caption", FOOTAGE, "--every", "8s", "--json").stdout
        events = [validate(json.loads(line)) for line in out.splitlines()]
        self.assertGreaterEqual(len(events), 9)  # 79.5 seconds
        for event in events:
            self.assertEqual(len(event["data"]["frames"]), 16)
            self.assertEqual(event["data"]["frames"][0]["time_source"], "file")


class Questions(unittest.TestCase):
    def test_pairs_and_stills_give_the_references_token_ids(self):
        for case in ["caption", "nlvr2", "batch3", "video16"]:
            golden = json.loads((REFERENCE / "cases" / "paligemma1-tiny" / f"{case}.json").read_text())
            for prompt, images, ids in zip(golden["prompts"], golden["images"], golden["greedy"]["ids"]):
                out = palisade("ask", "--model", REFERENCE / golden["model"], "--max-new-tokens", 24, "--json", prompt,
                               *[REFERENCE / image for image in images]).stdout
                self.assertEqual(validate(json.loads(out))["data"]["token_ids"], ids, case)

    def test_a_question_about_a_video_sees_sixteen_frames(self):
        out = palisade("ask", "did anything enter?", WORLD / "clip0.mp4", "--span", "4s", "--json").stdout
        data = json.loads(out)["data"]
        self.assertEqual(data["text"], "yes")
        self.assertEqual(len(data["frames"]), 16)

    def test_every_choice_has_its_probability(self):
        question = ["ask", "is there a dog?", WORLD / "still01.png"]
        data = validate(json.loads(palisade(*question, "--choices", "no, yes,purple elephant", "--json").stdout))["data"]
        self.assertEqual(data["text"], "yes")
        self.assertEqual([choice["text"] for choice in data["choices"]], ["no", "yes", "purple elephant"])
        self.assertAlmostEqual(sum(choice["p"] for choice in data["choices"]), 1)
        self.assertAlmostEqual(data["choices"][1]["logprob"], data["logprob"])
        self.assertRegex(palisade(*question, "--choices", "yes,no").stdout, r"^yes \(yes (9\d\.\d|100\.0) %, no \d\.\d %\)\n$")
        unasked = validate(json.loads(palisade(*question, "--json").stdout))["data"]
        self.assertEqual([choice["text"] for choice in unasked["choices"]], ["yes", "no"])
        self.assertEqual(len(unasked["token_logprobs"]), len(unasked["token_ids"]))

    def test_a_seed_and_beams_answer_the_same_every_time(self):
        for flags in [["--temperature", "2", "--seed", "5"], ["--beams", "3", "--length-penalty", "0.5"]]:
            question = ["ask", "caption en", WORLD / "still01.png", *flags]
            self.assertEqual(palisade(*question).stdout, palisade(*question).stdout)

    def test_a_prompt_that_begins_with_a_task_is_taken_as_it_is(self):
        data = json.loads(palisade("ask", "detect dog", WORLD / "still01.png", "--json").stdout)["data"]
        self.assertEqual(data["prompt"], "detect dog")
        self.assertRegex(data["text"], r"^(<loc\d{4}>){4} dog$")


class Verification(unittest.TestCase):
    def test_all_golden_data_holds(self):
        lines = [json.loads(line) for line in palisade("model", "verify", REFERENCE, "--json").stdout.split("\n") if line]
        self.assertEqual(lines[-1]["failed"], 0)
        self.assertEqual(lines[-1]["checks"], sum("ok" in line for line in lines[:-1]))
        self.assertEqual(lines[-1]["skipped"], 0)
        self.assertGreater(lines[-1]["passed"], 900)

    def test_rounded_products_hold_at_their_own_tolerance(self):
        for precision in ("bf16", "int8"):
            done = palisade("caption", WORLD / "still01.png", "--precision", precision, "--json", check=None)
            if done.returncode == 1 and f"no fast and exact {precision} matmul" in done.stderr:
                continue
            self.assertEqual(json.loads(done.stdout)["data"]["model"]["precision"], precision)
            done = palisade("model", "verify", REFERENCE, "cases", "--precision", precision, "--json")
            counts = json.loads(done.stdout.splitlines()[-1])
            self.assertEqual(counts["failed"], 0)
            self.assertGreater(counts["passed"], 200)

    def test_a_wrong_number_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "reference"
            shutil.copytree(REFERENCE, copy)
            weights = copy / "models" / "paligemma1-tiny" / "model.safetensors"
            damaged = bytearray(weights.read_bytes())
            damaged[-997] ^= 0x40  # the exponent of one float
            weights.write_bytes(damaged)
            done = palisade("model", "verify", copy, "cases/paligemma1-tiny/caption", "--json", check=1)
            self.assertGreater(json.loads(done.stdout.splitlines()[-1])["failed"], 0)

    def test_inspect_gives_the_published_counts(self):
        for name, count in [("paligemma-3b-pt-224", 2923466480), ("paligemma2-3b-pt-224", 3032242416),
                            ("paligemma2-10b-448", 9663523568)]:
            out = palisade("model", "inspect", REFERENCE / "released_configs" / f"{name}.json", "--json").stdout
            self.assertEqual(json.loads(out)["parameters"], count)


class Calibration(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="palisade-calibration-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.model = self.folder / "model"
        shutil.copytree(SOURCE / "configs/models/demo", self.model)
        (self.model / "calibration.json").unlink(missing_ok=True)
        (self.folder / "pictures").mkdir()
        for name in ("still00.png", "still01.png"):
            shutil.copy(WORLD / name, self.folder / "pictures")
        (self.folder / "pictures" / "notes.txt").write_text("no picture")

    def answered_by(self, precision, *arguments):
        """What an event says of the model; None where this CPU has no such matmul."""
        done = palisade("caption", WORLD / "still01.png", "--model", self.model, "--precision", precision, "--json",
                        *arguments, check=None)
        if done.returncode == 1 and f"no fast and exact {precision} matmul" in done.stderr:
            return None
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["data"]["model"]

    def test_from_pictures_videos_and_examples_to_a_model_that_says_so(self):
        (self.folder / "own.jsonl").write_text(json.dumps(
            {"image": str(WORLD / "still02.png"), "prefix": "caption en", "suffix": ""}) + "\n")
        output = self.folder / "cal.json"
        done = palisade("model", "calibrate", self.model, self.folder / "pictures", WORLD / "clip0.mp4",
                        self.folder / "own.jsonl", "--question", "caption en", "--frames", "4", "--output", output)
        self.assertEqual(done.stdout.strip(), str(output))
        self.assertRegex(done.stderr, r"calibrated with 4 examples, \d+ tokens")
        self.assertNotIn("calibration", self.answered_by("f32", "--calibration", output))
        self.assertFalse((self.model / "calibration.json").exists())
        int8 = self.answered_by("int8", "--calibration", output)
        if int8:
            self.assertRegex(int8["calibration"], "^[0-9a-f]{16}$")
            self.assertNotIn("calibration", self.answered_by("int8"))

        palisade("model", "calibrate", self.model, self.folder / "pictures", "--examples", "1")
        beside = self.answered_by("int8")
        if beside:
            self.assertNotEqual(beside["calibration"], int8["calibration"])
            (self.model / "calibration.json").write_text(output.read_text().replace('"weights":"', '"weights":"0'))
            done = palisade("caption", WORLD / "still01.png", "--model", self.model, "--precision", "int8", check=1)
            self.assertIn("other weights; make it anew with `palisade model calibrate`, or remove it", done.stderr)

    def test_what_is_wrong_is_said_before_anything_is_written(self):
        empty = self.folder / "empty"
        empty.mkdir()
        bad = self.folder / "bad.jsonl"
        bad.write_text('{"image": "nowhere.png", "prefix": "caption en", "suffix": ""}\n')
        for code, part, arguments in [(2, "INPUT", [self.model]), (2, "nowhere.png", [self.model, "/nowhere.png"]),
                                      (2, str(empty), [self.model, empty]), (2, "bad.jsonl:1", [self.model, bad]),
                                      (1, "/nowhere", ["/nowhere", self.folder / "pictures"]),
                                      (1, "notes.txt", [self.model, self.folder / "pictures" / "notes.txt"]),
                                      (1, "/nowhere/cal.json", [self.model, self.folder / "pictures", "--output",
                                                                "/nowhere/cal.json"])]:
            done = palisade("model", "calibrate", *arguments, check=code)
            self.assertEqual(done.stdout, "")
            self.assertIn(part, done.stderr)
        self.assertFalse(list(self.model.glob("calibration*")))
        for text in ["", "{", "[]", '{"format": 1}']:
            (self.folder / "cal.json").write_text(text)
            done = palisade("caption", WORLD / "still01.png", "--precision", "int8", "--calibration",
                            self.folder / "cal.json", check=1)
            self.assertTrue("cal.json" in done.stderr or "no fast and exact int8 matmul" in done.stderr, done.stderr)


class WrongUse(unittest.TestCase):
    """One line that names the thing and the remedy, exit code 1 or 2, nothing on stdout."""

    def refused(self, code, part, *arguments):
        done = palisade(*arguments, check=code)
        self.assertEqual(done.stdout, "")
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertIn(part, errors[0])

    def test_what_is_missing_is_named(self):
        self.refused(1, "/nowhere.mp4", "caption", "/nowhere.mp4")
        self.refused(1, "/nowhere", "caption", "--model", "/nowhere", WORLD / "clip0.mp4")
        self.refused(1, "/nowhere.png", "ask", "who?", "/nowhere.png")
        self.refused(1, "/nowhere", "model", "inspect", "/nowhere")
        self.refused(1, "/nowhere", "model", "verify", "/nowhere")

    def test_addresses_that_reach_for_other_files_are_refused(self):
        for url in ["concat:/etc/hostname", "subfile,,start,0,end,9,,:/etc/hostname", "pipe:0", "data:text/plain,x",
                    "ftp://127.0.0.1/x", "gopher://127.0.0.1/x"]:
            self.refused(1, "", "caption", url)

    def test_files_that_are_no_video_are_refused(self):
        for name, content in [("empty.mp4", b""), ("text.mp4", b"hello\n" * 100), ("half.png", (WORLD / "still00.png").read_bytes()[:500]),
                              ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")]:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / name
                path.write_bytes(content)
                self.refused(1, name, "caption", path)

    def test_a_configuration_lists_every_problem_with_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "wrong.yaml"
            path.write_text("node: a\nnode: b\nmodell: x\nstreams:\n  - name: Front Door\n    url: rtsp://u:canary@h/s\n")
            done = palisade("config", "check", path, check=2)
            text = done.stdout + done.stderr
            for place in [f"{path}:2:", f"{path}:3:", f"{path}:5:"]:
                self.assertIn(place, text)
            self.assertNotIn("canary", text)

    def test_what_the_model_cannot_be_asked_is_said(self):
        picture = WORLD / "still01.png"
        self.refused(1, "positions", "ask", "ocr " + "龘" * 2728, picture)  # some three tokens each
        self.refused(2, "8 KiB", "ask", "x" * 9000, picture)
        self.refused(2, "empty choice", "ask", "what?", picture, "--choices", "yes,,no")
        self.refused(2, "16 pictures", "ask", "what?", *[picture] * 17)

    def test_a_prompt_that_cannot_be_asked_is_refused_by_every_command_with_the_same_words(self):
        picture = WORLD / "still01.png"
        for text, part in [(" \t", "is blank"), ("<image>caption en", "<image>"), ("caption en <eos>", "<eos>"), ("a\x1bb", "control character")]:
            self.refused(2, part, "ask", text, picture)
            self.refused(2, part, "model", "calibrate", SOURCE / "configs/models/demo", picture, "--question", text, "--output", "/dev/null/x")
            if part != "is blank":
                self.refused(2, part, "ask", "what?", picture, "--choices", f"yes,{text}")
                self.refused(2, part, "similar", "--model", SOURCE / "tests/golden/reference/models/siglip-tiny", picture, text)
            with tempfile.TemporaryDirectory() as folder:
                data, config = Path(folder) / "data.jsonl", Path(folder) / "config.yaml"
                data.write_text(json.dumps({"image": str(picture), "prefix": text, "suffix": "a"}) + "\n")
                self.refused(2, part, "transfer", "--data", data, "--run", Path(folder) / "run")
                config.write_text("streams: [{name: a, url: /x.mp4, tasks: [{task: question, question: %s}]}]\n" % json.dumps(text))
                self.refused(2, part, "config", "check", config)

    def test_weights_that_are_no_numbers_give_an_error_and_no_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            shutil.copytree(SOURCE / "configs/models/demo", model)
            weights = model / "model.safetensors"
            content = bytearray(weights.read_bytes())
            header = 8 + int.from_bytes(content[:8], "little")
            entry = json.loads(content[8:header])["language_model.model.norm.weight"]
            at = header + entry["data_offsets"][0]
            content[at:at + 4] = b"\xff\xff\xff\xff"  # not a number, as f32 and as bf16
            weights.write_bytes(content)
            self.refused(1, "not finite", "ask", "what?", WORLD / "still01.png", "--model", model)

    def test_every_command_explains_itself(self):
        for command in [[], ["serve"], ["caption"], ["ask"], ["watch"], ["model", "inspect"], ["model", "verify"], ["model", "calibrate"], ["config", "check"]]:
            self.assertIn("Usage", palisade(*command, "--help").stdout)
        self.assertIn("palisade", palisade("version").stdout)


if __name__ == "__main__":
    assert PROGRAM.exists(), f"{PROGRAM} is not built"
    main()
