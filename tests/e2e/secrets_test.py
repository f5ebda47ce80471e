#!/usr/bin/env python3
"""A canary password in every form that a camera's address has, looked for in every output of the programs."""
import contextlib
import json
import os
import random
import socket
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

from http_service import HttpService
from palisade import PROGRAM, WORLD, Running, Subscriber, children_of, main, palisade

CANARY = "c4n4ry-s3cret"
# HOST is an address where nobody listens, or somebody who answers with what was asked.
FORMS = [
    "rtsp://admin:CANARY@HOST/live",
    "rtsp://:CANARY@HOST/live",
    "rtsp://HOST/user=admin_password=CANARY_channel=1_stream=0.sdp?real_stream",
    "rtsp://HOST/user=admin&password=CANARY&channel=1&stream=0.sdp",
    "rtsp://HOST/live?user=admin&pwd=CANARY",
    "rtsp://HOST/live?user%3Dadmin%26password%3DCANARY",
    "http://HOST/live;user=admin;password=CANARY",
    "http://HOST/video?user=admin;password=CANARY",
    "http://HOST/video?auth=CANARY#pw=CANARY",
    "http://HOST/%70assword=CANARY/x",
    "http://HOST/login/password/CANARY",
    "http://ad min:CANARY @HOST/video",
]
# ADDRESS where something else, or nothing, is meant.
MISTAKES = [
    ["ADDRESS"], ["--url", "ADDRESS"], ["--url=ADDRESS"], ["config", "ADDRESS"], ["config", "check", "ADDRESS"],
    ["caption"], ["caption", "ADDRESS", "ADDRESS"], ["caption", "x.mp4", "--frames", "ADDRESS"], ["caption", "x.mp4", "--every=ADDRESS"],
    ["caption", "x.mp4", "--uri", "ADDRESS"], ["caption", "x.mp4", "--model", "ADDRESS"], ["caption", "x.mp4", "--precision", "ADDRESS"],
    ["caption", "x.mp4", "--url-file", "ADDRESS"], ["ask", "ADDRESS"], ["ask", "why?", "ADDRESS", "ADDRESS"], ["ask", "why?", "x.mp4", "--beams", "ADDRESS"],
    ["serve", "ADDRESS"], ["serve", "--config", "ADDRESS"], ["serve", "--config", "x.yaml", "--publish", "ADDRESS"], ["serve", "--log-level", "ADDRESS"],
    ["watch", "--subscribe", "ADDRESS"], ["control", "ask-now", "a", "b", "--at", "ADDRESS"], ["control", "ADDRESS"],
    ["plan", "ADDRESS"], ["bench", "--shape", "ADDRESS"], ["model", "inspect", "ADDRESS"], ["model", "calibrate", "ADDRESS", "x"],
    ["similar", "ADDRESS", "x", "--model", "ADDRESS"], ["transfer", "--data", "ADDRESS", "--run", "/nowhere/run"], ["sweep", "--epochs", "ADDRESS", "--run", "x"],
    ["transfer", "ADDRESS", "--run", "/nowhere/run"], ["filter", "ADDRESS", "--filters", "ADDRESS", "--out", "/nowhere/out"], ["version", "ADDRESS"],
]


def address(form, host):
    return form.replace("CANARY", CANARY).replace("HOST", host)


@contextlib.contextmanager
def echo():
    """Answers every request with 500 and the request itself, in RTSP's words or HTTP's."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(peer):
        with peer, contextlib.suppress(OSError):
            asked = peer.recv(4096).decode("latin-1")
            said = asked.splitlines()[0] if asked else ""
            protocol = "RTSP/1.0" if "RTSP" in said else "HTTP/1.0"
            peer.sendall(f"{protocol} 500 no {said}\r\nCSeq: 1\r\nContent-Length: {len(asked)}\r\n\r\n{asked}".encode("latin-1"))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


class Secrets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def hidden(self, *texts):
        for text in texts:
            self.assertNotIn(CANARY, text)
            self.assertNotIn("s3cret", text)

    def quiet(self, *arguments, **options):
        done = palisade(*arguments, check=None, cwd=self.folder, **options)
        self.hidden(done.stdout, done.stderr)
        return done

    def written(self, name, content, mode=0o600):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def test_no_mistake_on_the_command_line_shows_a_password(self):
        for number, mistake in enumerate(MISTAKES):
            for form in [FORMS[0], FORMS[1 + number % (len(FORMS) - 1)]]:
                with self.subTest(mistake=mistake, form=form):
                    done = self.quiet(*[part.replace("ADDRESS", address(form, "127.0.0.1:1")) for part in mistake])
                    self.assertNotEqual(done.returncode, 0)
                    self.assertTrue(done.stderr)
        for words in [["caption", "x.mp4", "--password", CANARY], ["caption", "x.mp4", f"--password={CANARY}"], ["caption", "x.mp4", f"-p{CANARY}"],
                      ["caption", "x.mp4", "-p", CANARY], [CANARY], ["caption", "x.mp4", "--frames", CANARY], ["ask", "why?", "x.mp4", "--precision", CANARY]]:
            self.assertEqual(self.quiet(*words).returncode, 2)
        self.assertEqual(self.quiet("ask", "why?", "x.mp4", env={**os.environ, "PALISADE_FRAMES": address(FORMS[0], "h")}).returncode, 2)

    def test_an_address_that_is_asked_shows_no_password(self):
        with echo() as host:
            for form in FORMS:
                for arguments in [["caption", address(form, "127.0.0.1:1")], ["caption", address(form, host), "--json"]]:
                    self.assertNotEqual(self.quiet(*arguments).returncode, 0)

    def test_no_problem_of_a_configuration_shows_a_password(self):
        for form in FORMS:
            url = json.dumps(address(form, "camera"))
            good = self.written("good.yaml", f"streams: [{{name: a, url: {url}, tasks: [{{task: caption}}]}}]\n")
            self.assertIn("stream a: ", self.quiet("config", "check", good).stdout)
            for text in [f"streams: [{{name: a, url: {url}, tasks: [{{task: caption}}, {url}]}}]", f"streams: {url}", f"{url}: 1\n{url}: 2", url,
                         f"streams: [{{name: {url}, url: {url}, pace: {url}, transport: {url}, {url}: {url}}}]", f"streams:\n  {url}\n bad: [",
                         f"publish: {url}\ncontrol: {url}\nnode: {url}\nmodel: {url}\nprecision: {url}\nengine: {{deadline: {url}}}",
                         f"streams: [{{name: a, url: {url}, password_file: {url}, username: {url}, tasks: [{{task: {url}, name: {url}}}]}}]"]:
                self.assertEqual(self.quiet("config", "check", self.written("bad.yaml", text)).returncode, 2)
        # A line of the configuration without its key, and a JSON file that is none.
        for text in [f"password: {CANARY}: x", f"password {CANARY}", f"- password\n{CANARY}", f"streams: [{{password: [{CANARY}]}}]"]:
            self.quiet("config", "check", self.written("bad.yaml", text))
        model = self.folder / "model"
        model.mkdir()
        for text in [f'{{"a": {CANARY}}}', f'{{"a": "{CANARY}', f'{{"{CANARY}" 1}}']:
            (model / "config.json").write_text(text)
            self.quiet("model", "inspect", model)

    def test_a_service_shows_no_password_in_logs_states_and_the_list_of_processes(self):
        endpoint = f"ipc://{self.folder}/events"
        with echo() as host:
            streams = ""
            for number, form in enumerate(FORMS[:-1]):
                for place, where in [("closed", "127.0.0.1:1"), ("echo", host)]:
                    file = self.written(f"{place}{number}.url", address(form, where) + "\n")
                    reader = ", reader: gstreamer" if form.startswith("rtsp") and number % 2 else ""
                    streams += f"  - {{name: {place}{number}, url_file: {file}{reader}, tasks: [{{task: caption}}]}}\n"
            secret = self.written("password", f"{CANARY}\n")
            streams += f"  - {{name: beside, url: 'rtsp://{host}/x', username: admin, password_file: {secret}, tasks: [{{task: caption}}]}}\n"
            config = self.written("config.yaml", f"publish: {endpoint}\nstreams:\n{streams}")
            with Running(PROGRAM, "serve", "--config", config, "--log-level", "debug") as running:
                subscriber = Subscriber(endpoint)
                told = set()
                while len(told) < 2 * len(FORMS[:-1]) + 1:
                    topic, event = subscriber.receive()
                    if topic.endswith("/state") and event["data"].get("reason"):
                        told.add(topic)
                self.hidden(json.dumps(subscriber.events), Path(f"/proc/{running.process.pid}/cmdline").read_text())
                self.assertRegex(Path(f"/proc/{running.process.pid}/limits").read_text(), r"Max core file size +0 +0")
                self.assertEqual(running.stop(), 0)
                self.hidden(running.stdout(), running.stderr())
                subscriber.close()

    def test_a_camera_that_is_added_over_http_shows_its_password_nowhere(self):
        # Digits and letters of it alone, as well: what is percent-encoded or cut would still hold them.
        secret = "".join(random.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(12))
        password = f"{secret}@:/#%[]!{secret[::-1]}"
        said = []
        with echo() as host, HttpService() as service:
            subscriber = Subscriber(f"ipc://{service.folder}/events")
            camera = {"tasks": [{"task": "caption", "frames": 1, "every": "500ms"}]}
            plain = {"url": f"rtsp://{host}/live", "username": "admin", "password": password}
            in_url = {"url": f"rtsp://admin:{urllib.parse.quote(password, safe='')}@{host}/live"}
            in_query = {"url": f"http://{host}/video?user=admin&password={secret}"}
            for name, source in (("plain", plain), ("in_url", in_url), ("in_query", in_query)):
                status, headers, answer = service.ask("PUT", f"/api/v1/streams/{name}", {**source, **camera})
                self.assertEqual(status, 200, answer)
                said.append(json.dumps(answer) + str(headers))
                # A mistake beside the secret, and a wrong kind of it.
                said.append(json.dumps(service.ask("PUT", f"/api/v1/streams/{name}", {**source, **camera, "colour": "red"})[2]))
                said.append(json.dumps(service.ask("PUT", f"/api/v1/streams/{name}", {**source, "tasks": [{"task": "caption", "every": "soon"}]})[2]))
            said.append(json.dumps(service.ask("PUT", "/api/v1/streams/wrong", {**plain, "password": [password], **camera})[2]))
            said.append(json.dumps(service.ask("PUT", "/api/v1/streams/wrong", {**plain, "url": f"rtsp:/admin:{secret}@{host}/x", **camera})[2]))
            told = set()
            while len(told) < 3:
                topic, event = subscriber.receive()
                if topic.endswith("/state") and event["data"].get("reason"):
                    told.add(topic)
            for _ in range(2):
                for path in ("/api/v1/streams", "/api/v1/events?limit=1000", "/metrics", "/ready", "/api/v1/tokens", "/api/v1/openapi.json", "/api/v1/status", "/api/v1/capacity",
                             "/api/v1/timeline", f"/api/v1/events?text={secret}", *(f"/api/v1/streams/{name}{more}" for name in ("plain", "in_url", "in_query") for more in ("", "/picture.jpg"))):
                    status, headers, content = service.get(path)
                    said.append(f"{status} {headers} {content.decode('latin-1') if isinstance(content, bytes) else json.dumps(content)}")
            for tool in ("cameras", "find_events"):
                said.append(json.dumps(service.ask("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {}}})[2]))
            for pid in [service.running.process.pid, *children_of(service.running.process.pid)]:
                said.append(Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/comm").read_text() + Path(f"/proc/{pid}/environ").read_text())
            said.append(json.dumps(subscriber.events))
            subscriber.close()
            for name in ("plain", "in_url", "in_query"):
                file = service.state / "streams.d" / f"{name}.yaml"
                self.assertIn(secret, file.read_text())  # the one place, for its owner alone
                self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            said += [done.stdout + done.stderr for done in (palisade("streams", "ls", "--state", service.state), palisade("streams", "ls", "--json", "--state", service.state),
                                                             palisade("events", "--state", service.state, "--json"), palisade("config", "check", service.folder / "config.yaml"))]
            self.assertEqual(service.running.stop(), 0)
            said += [service.running.stdout(), service.running.stderr()]
            said += [path.read_bytes().decode("latin-1") for path in service.state.rglob("*") if path.is_file() and path.parent.name != "streams.d"]
        for text in said:
            for part in (secret, secret[::-1]):
                self.assertNotIn(part, text)

    def test_a_file_for_an_address_is_read_by_ask_and_caption_and_its_faults_are_said(self):
        # A film's path is an address too.
        for content in [str(WORLD / "clip0.mp4"), f"{WORLD / 'clip0.mp4'}\r\n", f"\ufeff{WORLD / 'clip0.mp4'}\nmore\n"]:
            file = self.written("url", content)
            self.assertTrue(self.quiet("ask", "what moves?", "--url-file", file).stdout)
        self.assertTrue(self.quiet("caption", "--every", "4s", env={**os.environ, "PALISADE_URL_FILE": str(file)}).stdout)
        self.assertNotIn("everybody", self.quiet("ask", "what moves?", "--url-file", file).stderr)
        file.chmod(0o644)
        self.assertIn("everybody on this machine may read it", self.quiet("ask", "what moves?", "--url-file", file).stderr)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for path, part in [(pipe, "not a regular file"), (self.folder, "folder"), (self.folder / "none", "no such file"),
                           (self.written("empty", ""), "empty"), (self.written("huge", CANARY * 10000), "64 KiB"),
                           (self.written("wide", CANARY.encode("utf-16")), "zero bytes"), ("/proc/self/mem", "cannot be read")]:
            for command in [["ask", "why?", "--url-file", path], ["caption", "--url-file", path]]:
                done = self.quiet(*command)
                self.assertEqual(done.returncode, 1)
                self.assertIn(part, done.stderr)
            config = self.written("config.yaml", f"streams: [{{name: a, url: 'rtsp://c/x', username: u, password_file: {path}, tasks: [{{task: caption}}]}}]")
            done = self.quiet("config", "check", config)
            self.assertEqual(done.returncode, 2)
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    main()
