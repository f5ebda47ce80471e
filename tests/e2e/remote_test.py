#!/usr/bin/env python3
"""Commands that speak to a running service: open, streams, ask --service."""
import json
import os
import re
import tempfile
import unittest
import urllib.request
from pathlib import Path

from http_service import STREET, HttpService
from palisade import PROGRAM, Running, cameras, main, palisade, wait_for

CAMERA = f"url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"


class Remote(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = HttpService({"a": CAMERA, "b": CAMERA})
        cls.addClassCleanup(cls.service.close)
        cls.state = ("--state", cls.service.state)
        holder = tempfile.TemporaryDirectory(prefix="palisade-remote-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)

    def written(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def test_open_prints_a_link_that_works(self):
        link = palisade("open", *self.state).stdout.strip()
        self.assertEqual(link, f"{self.service.url}/#token={self.service.admin}")
        with urllib.request.urlopen(urllib.request.Request(self.service.url + "/api/v1/login", headers={"Authorization": "Bearer " + link.split("#token=")[1]})) as answer:
            self.assertEqual(json.load(answer)["scope"], "admin")
        self.assertNotIn(self.service.admin, self.service.running.stderr())
        self.assertIn("no service", palisade("streams", "ls", "--state", self.folder, check=3).stderr)

    def test_streams_are_listed_added_changed_and_removed(self):
        running, (url,) = cameras(1)
        self.addCleanup(running.__exit__)
        lines = palisade("streams", "ls", *self.state).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["a", "b"])
        palisade("streams", "add", "new", url, "--task", "caption", "--every", "500ms", *self.state)
        wait_for(lambda: re.search(r"(?m)^new +online .*caption: \S", palisade("streams", "ls", *self.state).stdout), "an answer of the camera")
        entry = self.written("entry.yaml", f"url: {url}\npriority: high\ntasks:\n  - {{task: describe, frames: 1, every: 2s}}\n")
        palisade("streams", "add", "new", "--entry", entry, *self.state)
        settings = self.service.get("/api/v1/streams/new")[2]["settings"]
        self.assertEqual((settings["priority"], settings["tasks"][0]["task"]), ("high", "describe"))
        secret = self.written("password", "p@:/#%[]!\n")
        palisade("streams", "add", "new", url, "--username", "u", "--password-file", secret, *self.state)
        self.assertIn("p@:/#%[]!", (self.service.state / "streams.d" / "new.yaml").read_text())
        self.assertIn("new", [stream["name"] for stream in json.loads(palisade("streams", "ls", "--json", *self.state).stdout)["streams"]])
        palisade("streams", "rm", "new", *self.state)
        wait_for(lambda: self.service.get("/api/v1/streams/new")[0] == 404, "its end")
        for arguments, said, code in ((("add", "new", "/etc/passwd"), "rtsp", 2), (("add", "new", url, "--task", "dance"), "dance", 2), (("add", "A", url), "a-z", 2), (("add", "new"), "url", 2),
                                      (("rm", "nobody"), "nobody", 2), (("rm", "../x"), "a-z", 2), (("add", "new", "--entry", "/nowhere"), "/nowhere", 1),
                                      (("add", "new", "--entry", self.written("list.yaml", "[1]")), "a map", 2), (("add", "new", url, "--url-file", secret), "one of them", 2)):
            with self.subTest(arguments):
                done = palisade("streams", *arguments, *self.state, check=code)
                self.assertIn(said, done.stderr)

    def test_a_question_goes_to_the_service_and_no_model_is_loaded_here(self):
        wait_for(lambda: all(self.service.get(f"/api/v1/streams/{name}/picture.jpg")[0] == 200 for name in "ab"), "pictures")
        url = ("--service", self.service.url, *self.state)
        frames = self.folder / "frames"
        palisade("caption", STREET, "--frames", 1, "--every", "2s", "--frames-to", frames)
        picture = sorted(frames.glob("*.png"))[0]
        answer = palisade("ask", "is there a car?", picture, *url, "--choices", "yes,no").stdout
        self.assertRegex(answer, r"^(yes|no) \((yes|no) \d+\.\d %, (yes|no) \d+\.\d %\)\n$")
        here = palisade("ask", "is there a car?", picture, "--choices", "yes,no").stdout
        self.assertEqual(answer, here)
        event = json.loads(palisade("ask", "caption en", *url, "--stream", "a", "--json").stdout)
        self.assertEqual(event["prompt"], "caption en")
        self.assertTrue(palisade("ask", "both images contain a car", *url, "--stream", "a,b", "--type", "yes_no").stdout.strip())
        for arguments, said in (((), "pictures"), (("--stream", "nobody"), "nobody"), (("--stream", "a", "--model", "/x"), "--model"), (("--stream", "a", "--beams", 2), "--beams"), ((picture, "--stream", "a"), "pictures")):
            done = palisade("ask", "x", *arguments, *url, check=2)
            self.assertIn(said, done.stderr)
        self.assertIn("--service", palisade("ask", "x", "--stream", "a", check=2).stderr)

    def test_the_token_is_the_flags_the_environments_or_the_admins(self):
        view, none = self.written("view", self.service.token("viewer", "view") + "\n"), self.written("none", "pal_wrong\n")
        url = ("--service", self.service.url)
        self.assertEqual(len(palisade("streams", "ls", *url, "--token-file", view).stdout.splitlines()), len(self.service.get("/api/v1/streams")[2]["streams"]))
        self.assertEqual(len(palisade("streams", "ls", *url, env={**os.environ, "PALISADE_TOKEN": view.read_text().strip()}).stdout.splitlines()), len(self.service.get("/api/v1/streams")[2]["streams"]))
        refused = palisade("streams", "rm", "a", *url, "--token-file", view, check=2)
        self.assertIn("scope", refused.stderr)
        wrong = palisade("streams", "ls", *url, "--token-file", none, check=2, env={**os.environ, "PALISADE_TOKEN": view.read_text().strip()})
        self.assertIn("--token-file", wrong.stderr)
        self.assertNotIn("pal_wrong", wrong.stderr)

    def test_a_token_goes_nowhere_in_the_clear_and_nobody_is_followed(self):
        for address, said, code in (("http://192.0.2.1:8420", "https://", 2), ("ftp://localhost", "address", 2), ("localhost:8420", "address", 2), ("http://", "address", 2),
                                    ("http://user:secret@localhost", "user name", 2), ("http://127.0.0.1:1", "no answer", 3), ("/nowhere/socket", "no answer", 3)):
            with self.subTest(address):
                done = palisade("streams", "ls", "--service", address, *self.state, check=code)
                self.assertIn(said, done.stderr)
                self.assertNotIn(self.service.admin, done.stderr)
        proxied = palisade("streams", "ls", "--service", self.service.url, *self.state, env={**os.environ, "http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"})
        self.assertTrue(proxied.stdout)

    def test_a_unix_socket_needs_no_token(self):
        socket = self.folder / "http"
        config = self.written("unix.yaml", f"publish: ipc://{self.folder}/events\nstate: {self.folder}/state\nhttp: {{listen: {socket}}}\n")
        with Running(PROGRAM, "serve", "--config", config) as running:
            wait_for(lambda: "HTTP API on" in running.stderr(), "the API")
            self.assertEqual(socket.stat().st_mode & 0o777, 0o660)
            self.assertEqual(palisade("streams", "ls", "--service", socket).stdout, "")
            self.assertEqual(palisade("streams", "ls", "--state", self.folder / "state").stdout, "")


if __name__ == "__main__":
    main()
