#!/usr/bin/env python3
"""Model folders that are broken, change while they are read or are not the ones that were meant: what is said, and
with which exit code."""
import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, SOURCE, WORLD, Running, main, palisade, wait_for

DEMO = SOURCE / "configs" / "models" / "demo"
PICTURE = WORLD / "still01.png"
PROMISED = 5  # seconds until SIGTERM has ended a program
QUESTION = ("ask", "is there a red car?", PICTURE)


class ModelFolder:
    """A copy of the demo model that a test may break."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-model-")
        self.path = Path(self.folder.name) / "demo"
        shutil.copytree(DEMO, self.path)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def ask(self, *flags, fault=None, check=0):
        environment = {**os.environ, "ASAN_OPTIONS": "verify_asan_link_order=0"}
        if fault:
            environment |= {"LD_PRELOAD": str(BUILD / "tests" / "libfile_faults.so"), "PALISADE_FILE_FAULT": fault}
        return palisade(*QUESTION, "--model", self.path, *flags, check=check, env=environment)


class Changing(unittest.TestCase):
    def test_a_disk_that_fails_anywhere_is_told_with_file_and_byte(self):
        with ModelFolder() as model:
            size = (model.path / "model.safetensors").stat().st_size
            for byte in (0, 8, 1000, size // 3, size // 2, size - 1):
                done = model.ask(fault=f"model.safetensors:{byte}:eio", check=1)
                self.assertIn("/model.safetensors: cannot be read at byte", done.stderr)
                self.assertIn("Input/output error", done.stderr)
                self.assertEqual(done.stdout, "")
            for file in ("config.json", "tokenizer.model", "tokenizer.json", "preprocessor_config.json"):
                done = model.ask(fault=f"{file}:5:eio", check=1)
                self.assertIn(f"/{file}: cannot be read at byte 5: Input/output error", done.stderr)

    def test_weights_that_are_cut_off_or_written_to_while_they_are_read_are_an_error_and_no_signal(self):
        for precision in ("f32", "int8"):
            for fault in ("cut", "touch"):
                for byte in (8, 4096, 1_000_000, 3_000_000):
                    with ModelFolder() as model:
                        done = model.ask("--precision", precision, fault=f"model.safetensors:{byte}:{fault}", check=1)
                        self.assertRegex(done.stderr, "/model.safetensors: (ends at byte|was changed while it was read)")
                        self.assertEqual(done.stdout, "")

    def test_a_packed_cache_that_is_cut_off_or_fails_costs_a_start_and_no_answer(self):
        with ModelFolder() as model, tempfile.TemporaryDirectory() as cache:
            expected = model.ask("--packed-cache", cache).stdout
            packed = next(Path(cache).iterdir())
            for fault in ("eio", "cut"):
                done = model.ask("--packed-cache", cache, fault=f"{packed.name}:1200000:{fault}")
                self.assertEqual(done.stdout, expected)
                self.assertIn("damaged", done.stderr)
                self.assertEqual(model.ask("--packed-cache", cache).stdout, expected)


class Stopped(unittest.TestCase):
    """A model whose disk does not answer: the signal is not kept waiting, and nothing half written stays."""

    def stopped(self, model, file, byte, *command):
        fault = {"LD_PRELOAD": str(BUILD / "tests" / "libfile_faults.so"), "PALISADE_FILE_FAULT": f"{file}:{byte}:hang",
                 "ASAN_OPTIONS": "verify_asan_link_order=0"}
        with Running(PROGRAM, *command, "--model", model.path, environment=fault) as running:
            wait_for(lambda: "file_faults:" in running.stderr(), "a read that hangs")
            begin = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            code = running.process.wait(timeout=60)
            self.assertLess(time.monotonic() - begin, PROMISED)
            self.assertIn("stopped while the model was being loaded", running.stderr())
            return code

    def test_a_stop_ends_the_loading_or_packing_of_a_model_at_once(self):
        with ModelFolder() as model, tempfile.TemporaryDirectory() as folder:
            size = (model.path / "model.safetensors").stat().st_size
            cache = Path(folder) / "cache"
            config = Path(folder) / "config.yaml"
            config.write_text(f"publish: ipc://{folder}/events\nstreams:\n"
                              "  - {name: a, url: /absent.mp4, tasks: [{task: caption}]}\n")
            commands = [("serve", "--config", config), QUESTION, ("caption", PICTURE)]
            for byte in (8, size // 2, size - 1):
                for command in commands:
                    for flags in ((), ("--packed-cache", cache)):
                        with self.subTest(command=command[0], byte=byte, flags=flags):
                            code = self.stopped(model, "model.safetensors", byte, *command, *flags)
                            self.assertEqual(code, 0 if command[0] == "serve" else 1)
                            self.assertEqual(list(cache.glob("*")) if cache.exists() else [], [])


class Pinned(unittest.TestCase):
    def test_weights_are_used_only_with_the_sha256_that_events_name(self):
        expected = hashlib.sha256((DEMO / "model.safetensors").read_bytes()).hexdigest()
        with ModelFolder() as model:
            event = json.loads(model.ask("--model-sha256", expected.upper(), "--json").stdout)
            self.assertEqual(event["data"]["model"]["sha256"], expected)
            with (model.path / "model.safetensors").open("r+b") as weights:
                weights.seek(-1, os.SEEK_END)
                weights.write(b"\x55")
            done = model.ask("--model-sha256", expected, check=1)
            self.assertIn(f"not {expected}", done.stderr)
            self.assertEqual(done.stdout, "")
            model.ask("--model-sha256", "55", check=2)
            settings = Path(model.folder.name) / "palisade.yaml"
            settings.write_text(f"model: {model.path}\nmodel_sha256: {expected}\npublish: ipc://{model.folder.name}/events\n"
                                f"streams:\n  - name: one\n    url: {PICTURE.parent}/clip0.mp4\n    tasks: [{{task: caption}}]\n")
            self.assertIn(f"not {expected}", palisade("serve", "--config", settings, "--until-end", check=1).stderr)
            settings.write_text(settings.read_text().replace(expected, "5555"))
            self.assertIn("64 hex digits", palisade("config", "check", settings, check=2).stderr)

    def test_packed_weights_belong_to_what_was_pinned_when_they_were_made(self):
        expected = hashlib.sha256((DEMO / "model.safetensors").read_bytes()).hexdigest()
        with ModelFolder() as model, tempfile.TemporaryDirectory() as cache:
            self.assertIn("written to", model.ask("--packed-cache", cache).stderr)
            pinned = ("--packed-cache", cache, "--model-sha256", expected)
            self.assertIn("made of other weights", model.ask(*pinned).stderr)
            self.assertIn("read from", model.ask(*pinned).stderr)


class ExitCodes(unittest.TestCase):
    """The table of SECURITY.md."""

    def test_every_command_ends_with_1_for_a_model_that_cannot_be_used_and_never_with_a_signal(self):
        for file, damage in (("model.safetensors", lambda text: text[: len(text) // 2]), ("config.json", lambda text: b"{"),
                             ("tokenizer.model", lambda text: text[:1000]), ("tokenizer.json", lambda text: text[:1000])):
            with ModelFolder() as model:
                (model.path / file).write_bytes(damage((model.path / file).read_bytes()))
                settings = Path(model.folder.name) / "palisade.yaml"
                settings.write_text(f"model: {model.path}\npublish: ipc://{model.folder.name}/events\n"
                                    f"streams:\n  - name: one\n    url: {WORLD}/clip0.mp4\n    tasks: [{{task: caption}}]\n")
                for command in ([*QUESTION, "--model", model.path], ["caption", PICTURE, "--model", model.path],
                                ["similar", PICTURE, "x", "--model", model.path], ["model", "inspect", model.path],
                                ["serve", "--config", settings, "--until-end"]):
                    done = palisade(*command, check=1)
                    self.assertIn("palisade: error:", done.stderr)
                    self.assertEqual(done.stdout, "")

    def test_a_hidden_field_of_the_tokenizer_is_refused(self):
        with ModelFolder() as model:
            with (model.path / "tokenizer.model").open("ab") as file:
                file.write(bytes.fromhex("9a808080100b12090400000000feff7f00"))
            self.assertIn("not a usable SentencePiece model", model.ask(check=1).stderr)


class TokenizerJson(unittest.TestCase):
    def test_a_folder_without_tokenizer_model_answers_the_same(self):
        with ModelFolder() as model:
            expected = model.ask("--json").stdout
            (model.path / "tokenizer.model").unlink()
            actual = model.ask("--json").stdout
            self.assertEqual(json.loads(actual)["data"]["text"], json.loads(expected)["data"]["text"])
            (model.path / "tokenizer.json").unlink()
            self.assertIn("tokenizer.model: no such file", model.ask(check=1).stderr)


if __name__ == "__main__":
    main()
