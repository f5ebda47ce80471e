#!/usr/bin/env python3
"""The official clients against a running service, unmodified: openai for Node and for Python, mcp for Python.
`./run deps` installs them into build/clients; without them this test is skipped."""
import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from http_service import STREET, HttpService, street_pictures
from palisade import PATIENCE, SOURCE, main, wait_for

CLIENTS = Path(os.environ.get("PALISADE_CLIENTS", SOURCE / "build" / "clients"))
PROGRAMS = SOURCE / "tests" / "clients"
PYTHON = CLIENTS / "venv" / "bin" / "python"
SKIPPED = 77


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = HttpService({"a": f"url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"})
        cls.addClassCleanup(cls.service.close)
        cls.token = cls.service.token("client", "ask")
        cls.pictures = street_pictures()[:2]

    def ran(self, *command, text=""):
        done = subprocess.run(list(map(str, command)), input=text, capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "PALISADE_CLIENTS": str(CLIENTS)})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def asked_by_openai(self, *command):
        done = self.ran(*command, self.service.url, self.token, text=json.dumps({"pictures": self.pictures}))
        model = done["models"][0]
        self.assertEqual(done["models"], [model] + [f"{model}:{task}" for task in ("caption", "describe", "answer", "detect")])
        self.assertEqual(done["retrieved"], model)
        choice = done["whole"]["choices"][0]
        self.assertTrue(choice["message"]["content"])
        self.assertEqual(done["whole"]["palisade"]["pictures_used"], 2)
        self.assertEqual(done["whole"]["palisade"]["prompt"], "answer en both images contain a car")
        steps = choice["logprobs"]["content"]
        self.assertEqual(len(steps), done["whole"]["usage"]["completion_tokens"])
        for step in steps:
            self.assertEqual(len(step["top_logprobs"]), 2)
            self.assertAlmostEqual(step["logprob"], max(top["logprob"] for top in step["top_logprobs"]), places=5)
        self.assertEqual(done["streamed"], choice["message"]["content"])
        self.assertEqual(done["usage"]["total_tokens"], done["whole"]["usage"]["total_tokens"])
        self.assertIsInstance(done["filled"]["car"], bool)
        self.assertTrue(done["filled"]["title"])
        errors = done["errors"]
        self.assertEqual((errors["unknown"]["type"], errors["unknown"]["status"], errors["unknown"]["code"], errors["unknown"]["param"]),
                         ("NotFoundError", 404, "model_not_found", "model"))
        self.assertEqual((errors["several"]["type"], errors["several"]["status"]), ("BadRequestError", 400))
        self.assertEqual((errors["stranger"]["type"], errors["stranger"]["code"]), ("AuthenticationError", "invalid_token"))
        self.assertEqual(errors["streamed"]["type"], "NotFoundError")
        return done

    def test_openai_for_node(self):
        self.asked_by_openai("node", PROGRAMS / "openai_node.mjs")

    def test_openai_for_python(self):
        done = self.asked_by_openai(PYTHON, PROGRAMS / "openai_python.py")
        self.assertIn(done["filled"]["kind"], ("car", "truck", "person"))

    def test_mcp_for_python(self):
        def stored():
            events = self.service.get("/api/v1/events?stream=a&kind=answer&limit=5")[2]["events"]
            kept = [one["event"]["id"] for one in events
                    if self.service.get(f"/api/v1/events/{one['event']['id']}/sheet.jpg")[0] == 200]
            return kept and kept[0]
        done = self.ran(PYTHON, PROGRAMS / "mcp_python.py", self.service.url, self.token, "a", wait_for(stored, "an event with its frames"))
        for mode, what in done.items():
            with self.subTest(mode):
                self.assertEqual(list(what["results"]), ["cameras", "look", "ask_camera", "compare", "find_events", "get_event"])
                for tool, result in what["results"].items():
                    self.assertFalse(result["error"], tool)
                    self.assertEqual("image" in result["kinds"], tool in ("look", "get_event"), tool)
                self.assertTrue(what["wrong"])
                self.assertEqual(what["unknown"], "MCPError")
                self.assertTrue(what["read_only"])


if __name__ == "__main__":
    if not (PYTHON.exists() and (CLIENTS / "node_modules").exists() and shutil.which("node")):
        print("skipped: ./run deps installs the openai and mcp clients into build/clients")
        sys.exit(SKIPPED)
    main()
