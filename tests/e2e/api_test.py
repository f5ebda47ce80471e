#!/usr/bin/env python3
"""The HTTP API of a running service: scopes, hosts, events, pictures, questions, the openai clients' chat, what hostile clients get."""
import base64
import http.client
import json
import re
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, Running, cameras, main, palisade, wait_for

OPENAPI = json.loads((SOURCE / "service" / "http" / "openapi.json").read_text())
SCOPES = ["nobody", "view", "ask", "edit", "admin"]
STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="palisade-api-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.state = cls.folder / "state"
        cls.start()
        cls.addClassCleanup(lambda: cls.running.__exit__())
        cls.admin = (cls.state / "admin.token").read_text().strip()
        cls.tokens = {scope: palisade("tokens", "new", scope, "--scope", scope, "--state", cls.state).stdout.strip()
                      for scope in ("view", "ask", "edit")}
        cls.tokens["other"] = palisade("tokens", "new", "other", "--scope", "view", "--streams", "b", "--state", cls.state).stdout.strip()
        time.sleep(1.1)  # by which the service has noticed
        cls.picture = cls.folder / "one.png"
        frames = cls.folder / "frames"
        palisade("caption", STREET, "--frames", 1, "--every", "2s", "--frames-to", frames)
        cls.picture = base64.b64encode(sorted(frames.glob("*.png"))[0].read_bytes()).decode()
        cls.event = cls.wait_for_event()

    @classmethod
    def start(cls, environment=None):
        config = cls.folder / "config.yaml"
        streams = "".join(f"  - name: {name}\n    url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]\n"
                          for name in "ab")
        config.write_text(f"node: test\npublish: ipc://{cls.folder}/events\nstate: {cls.state}\n"
                          f"http: {{listen: '127.0.0.1:*', hosts: [cam.example]}}\nstreams:\n{streams}")
        cls.running = Running(PROGRAM, "serve", "--config", config, environment=environment)
        line = wait_for(lambda: re.search(r"HTTP API on tcp://127\.0\.0\.1:(\d+)", cls.running.stderr()), "the API")
        cls.port = int(line[1])

    @classmethod
    def wait_for_event(cls):
        def found():
            events = cls.get("/api/v1/events?stream=a&kind=answer&limit=5")[2]["events"]
            stored = [event for event in events if cls.get(f"/api/v1/events/{event['event']['id']}/view.jpg")[0] == 200]
            return stored[0] if stored else None
        return wait_for(found, "an event with its view")

    @classmethod
    def ask(cls, method, path, body=None, token="admin", headers=None):
        """(status, headers, JSON or bytes)"""
        connection = http.client.HTTPConnection("127.0.0.1", cls.port, timeout=60)
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {cls.admin if token == 'admin' else cls.tokens.get(token, token)}"
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        kind = response.headers.get("Content-Type", "")
        return response.status, response.headers, json.loads(content) if "json" in kind and content else content

    @classmethod
    def get(cls, path, **options):
        return cls.ask("GET", path, **options)

    def routes(self):
        for path, methods in OPENAPI["paths"].items():
            for method, what in methods.items():
                yield method.upper(), path, what

    def filled(self, path):
        return (path.replace("{stream}", "a").replace("{id}", self.event["event"]["id"]).replace("{number}", "1")
                .replace("{name}", "nobody").replace("{model}", "demo"))

    def test_every_route_of_the_description_is_served_and_held_to_its_scope(self):
        for method, path, what in self.routes():
            with self.subTest(f"{method} {path}"):
                target, scope = self.filled(path), what["x-scope"]
                if "/live" in path or path.endswith(".mjpeg"):
                    continue  # it does not end
                anonymous = self.ask(method, target, token=None)[0]
                if scope == "nobody":
                    self.assertIn(anonymous, (200, 204))
                    continue
                self.assertEqual(anonymous, 401)
                self.assertEqual(self.ask(method, target, token="pal_" + "0" * 64)[0], 401)
                smaller = SCOPES[SCOPES.index(scope) - 1]
                if smaller in self.tokens:
                    status, _, error = self.ask(method, target, token=smaller)
                    self.assertEqual((status, error["error"]["code"]), (403, "scope_too_small"))
                if "{stream}" in path or "{id}" in path:
                    self.assertIn(self.ask(method, target, token="other")[0], (403, 404))

    def test_what_is_served_stands_in_the_description(self):
        for method, path, what in self.routes():
            status = self.ask("DELETE" if method != "DELETE" else "POST", self.filled(path))[0]
            self.assertIn(status, (405, 200, 204, 409, 400, 404, 413), (method, path))
        self.assertEqual(self.get("/api/v1/openapi.json")[2], OPENAPI)
        self.assertEqual(self.get("/api/v1/nothing")[0], 404)
        source = "".join(path.read_text() for path in (SOURCE / "service" / "http").glob("*.cc"))
        served = set(re.findall(r'"(/(?:api/v1|v1|health|ready|metrics|mcp)[^"?]*)"', source))
        self.assertEqual({path for path in served if path != "/"}, set(OPENAPI["paths"]))

    def test_nothing_that_is_asked_in_a_query_is_passed_over(self):
        for method, path, what in self.routes():
            if path.startswith("/api/v1/"):
                status, _, answer = self.ask(method, self.filled(path) + "?worsd=car")
                self.assertEqual((status, answer["error"]["param"]), (400, "worsd"), (method, path))
                for known in (one["name"] for one in what.get("parameters", []) if one["in"] == "query"):
                    self.assertIn(known, answer["error"]["message"], (method, path))

    def test_other_hosts_and_pages_are_turned_away(self):
        self.assertEqual(self.get("/health", headers={"Host": "evil.example"})[0], 421)
        self.assertEqual(self.get("/health", headers={"Host": "cam.example:443"})[0], 200)
        self.assertEqual(self.get("/api/v1/streams", headers={"Origin": "https://evil.example"})[0], 403)
        self.assertEqual(self.get("/api/v1/streams", headers={"Origin": f"http://127.0.0.1:{self.port}"})[0], 200)

    def test_a_browser_keeps_its_token_in_a_cookie_that_other_pages_cannot_use(self):
        status, headers, _ = self.ask("POST", "/api/v1/login", token="edit")
        self.assertEqual(status, 204)
        cookie = headers["Set-Cookie"]
        self.assertTrue({"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; ")), cookie)
        kept = {"Cookie": cookie.split(";")[0]}
        self.assertEqual(self.get("/api/v1/login", token=None, headers=kept)[2], {"name": "edit", "scope": "edit", "streams": None})
        self.assertEqual(self.get("/api/v1/login", token="other")[2]["streams"], ["b"])
        own = {**kept, "Origin": f"http://127.0.0.1:{self.port}"}
        path = f"/api/v1/events/{self.event['event']['id']}/kept"
        self.assertEqual(self.ask("PUT", path, token=None, headers=kept)[0], 403)
        self.assertEqual(self.ask("PUT", path, token=None, headers=own)[0], 204)
        self.assertEqual(self.ask("POST", "/api/v1/login", token=None)[0], 401)
        self.assertIn("Max-Age=0", self.ask("DELETE", "/api/v1/login", token=None)[1]["Set-Cookie"])

    def test_the_picture_of_a_stream_is_fresh_while_somebody_looks(self):
        wait_for(lambda: float(self.get("/api/v1/streams/a/picture.jpg")[1]["Palisade-Age"]) < 1, "a fresh picture")
        stamps = set()
        wait_for(lambda: stamps.add(self.get("/api/v1/streams/a/picture.jpg")[1]["Palisade-Time"]) or len(stamps) > 3, "newer pictures")

    def test_streams_events_and_their_pictures(self):
        streams = self.get("/api/v1/streams")[2]["streams"]
        self.assertEqual([stream["name"] for stream in streams], ["a", "b"])
        self.assertEqual(streams[0]["state"]["state"], "online")
        self.assertEqual([stream["name"] for stream in self.get("/api/v1/streams", token="other")[2]["streams"]], ["b"])
        status, headers, picture = self.get("/api/v1/streams/a/picture.jpg")
        self.assertEqual((status, picture[:2]), (200, b"\xff\xd8"))
        if self.get("/api/v1/streams/a/picture.jpg", headers={"If-None-Match": headers["ETag"]})[0] != 304:
            wait_for(lambda: self.get("/api/v1/streams/a/picture.jpg", headers={
                "If-None-Match": self.get("/api/v1/streams/a/picture.jpg")[1]["ETag"]})[0] == 304, "an unchanged picture")
        state = self.get("/api/v1/events?kind=state&limit=1")[2]["events"][0]["event"]["id"]
        self.assertEqual(self.get(f"/api/v1/events/{state}/view.jpg")[0], 404)
        one = self.event["event"]["id"]
        for what in ("frames/1.jpg", "view.jpg", "sheet.jpg"):
            status, headers, picture = self.get(f"/api/v1/events/{one}/{what}")
            self.assertEqual((status, headers["Content-Type"], picture[:2]), (200, "image/jpeg", b"\xff\xd8"), what)
        self.assertEqual(self.get(f"/api/v1/events/{one}/frames/2.jpg")[0], 404)
        self.assertEqual(self.ask("PUT", f"/api/v1/events/{one}/verdict", {"right": False, "text": "a dog"}, token="ask")[0], 204)
        self.assertEqual(self.get(f"/api/v1/events/{one}")[2]["verdict"], {"right": False, "text": "a dog"})
        self.assertTrue(self.get(f"/api/v1/events/{one}")[2]["kept"])
        self.assertEqual(self.ask("DELETE", f"/api/v1/events/{one}/verdict")[0], 204)
        self.assertEqual(self.ask("PUT", f"/api/v1/events/{one}/kept")[0], 204)

    def test_pages_of_events_miss_and_repeat_nothing(self):
        last = self.get("/api/v1/events?limit=1")[2]["events"][0]["position"]
        seen, before = [], last + 1
        while True:
            page = self.get(f"/api/v1/events?limit=7&before={before}")[2]
            seen += [event["position"] for event in page["events"]]
            if "next" not in page:
                break
            before = page["next"]
        self.assertEqual(seen, sorted(set(seen), reverse=True))
        forwards, after = [], 0
        while not forwards or forwards[-1] < last:
            page = self.get(f"/api/v1/events?limit=9&after={after}")[2]
            forwards += [event["position"] for event in page["events"]]
            after = forwards[-1]
        self.assertEqual([p for p in forwards if p <= last], sorted(seen))
        self.assertTrue(all(event["event"]["subject"] == "b" for event in self.get("/api/v1/events?limit=100", token="other")[2]["events"]))
        for wrong in ("limit=0", "limit=x", "after=x", "kind=x", "from=x", "limit=1001"):
            self.assertEqual(self.get(f"/api/v1/events?{wrong}")[0], 400, wrong)

    def test_live_events_go_on_where_a_client_left_off(self):
        for wrong in ("soon", "-1", str(2**53)):
            self.assertEqual(self.get(f"/api/v1/live?after={wrong}", headers={"Last-Event-ID": "0"})[0], 400, wrong)
        def listen(headers, count):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("GET", "/api/v1/live?prefix=palisade/v1/a/", headers={"Authorization": f"Bearer {self.admin}", **headers})
            response, ids = connection.getresponse(), []
            while len(ids) < count:
                line = response.readline().decode()
                if line.startswith("id: "):
                    ids.append(int(line[4:]))
                if line.startswith("data: "):
                    self.assertEqual(json.loads(line[6:])["subject"], "a")
            connection.close()
            return ids
        first = listen({}, 3)
        time.sleep(1.5)
        second = listen({"Last-Event-ID": str(first[-1])}, 4)
        stored = [event["position"] for event in self.get(f"/api/v1/events?stream=a&after={first[0] - 1}&limit=1000")[2]["events"]]
        self.assertEqual(first + second, stored[:7])

    def test_questions_about_pictures_streams_and_events(self):
        for about in ({"pictures": [self.picture]}, {"pictures": ["data:image/png;base64," + self.picture] * 2}, {"stream": "a"},
                      {"streams": ["a", "b"]}, {"event": self.event["event"]["id"]}):
            status, _, answer = self.ask("POST", "/api/v1/ask", {"prompt": "is there a car?", "choices": ["yes", "no"], **about}, token="ask")
            self.assertEqual(status, 200, answer)
            self.assertAlmostEqual(sum(choice["p"] for choice in answer["choices"]), 1, places=5)
        self.assertEqual(self.ask("POST", "/api/v1/ask", {"prompt": "x", "stream": "nobody"})[0], 404)
        self.assertEqual(self.ask("POST", "/api/v1/ask", {"prompt": "x", "event": "7ZZZ"})[0], 404)
        for picture in ("!", "http://127.0.0.1/", "data:text/plain;base64,aGVsbG8="):
            self.assertEqual(self.ask("POST", "/api/v1/ask", {"prompt": "x", "pictures": [picture]})[0], 400)
        status, _, typed = self.ask("POST", "/api/v1/ask", {"prompt": "how many cars are there?", "pictures": [self.picture],
                                                            "type": "count:3"}, token="ask")
        self.assertEqual((status, len(typed["choices"]), typed["passes"]), (200, 4, {"prefill": 1, "decode": 0}))
        self.assertIn(typed["value"], range(4))
        status, _, boxes = self.ask("POST", "/api/v1/ask", {"prompt": " Detect car\n", "pictures": [self.picture]}, token="ask")
        self.assertEqual((status, boxes["prompt"], boxes["task"]), (200, "detect car", "detect"))
        self.assertEqual(boxes["decoding"]["max_new_tokens"], 128)
        for wrong in ({"prompt": "x", "stream": "a", "type": "number"}, {"prompt": "x", "stream": "a", "type": "yes_no", "choices": ["a", "b"]},
                      {}, {"prompt": "x"}, {"prompt": "", "stream": "a"},
                      {"prompt": "x", "pictures": [self.picture] * 17}, [], {"promt": "x"},
                      {"prompt": "<image>", "stream": "a"}, {"prompt": "x", "stream": "a", "max_new_tokens": 0}):
            status, _, error = self.ask("POST", "/api/v1/ask", wrong, token="ask")
            self.assertEqual(status, 400, wrong)
            self.assertTrue(error["error"]["message"])
        self.assertEqual(self.ask("POST", "/api/v1/ask", {"prompt": "x", "stream": "a"}, token="other")[0], 403)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/api/v1/ask", json.dumps({"prompt": "caption en", "pictures": [self.picture]}),
                           {"Authorization": f"Bearer {self.admin}", "Accept": "text/event-stream"})
        text = connection.getresponse().read().decode()
        self.assertIn('"stage":"prefill"', text)
        pieces = "".join(json.loads(data)["text"] for data in re.findall(r"event: text\ndata: (.*)", text))
        self.assertEqual(pieces, json.loads(re.search(r"event: answer\ndata: (.*)", text)[1])["text"])

    def test_the_openai_chat(self):
        model, longest = (self.get("/v1/models")[2]["data"][0][key] for key in ("id", "max_model_len"))
        self.assertGreater(longest, 16)
        content = [{"type": "text", "text": "Image 1:"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + self.picture}},
                   {"type": "image_url", "image_url": "data:image/png;base64," + self.picture},
                   {"type": "text", "text": "the left image contains a car"}]
        body = {"model": model, "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": content}],
                "logprobs": True, "top_logprobs": 2, "max_tokens": 8, "user": "me"}
        status, _, answer = self.ask("POST", "/v1/chat/completions", body, token="ask")
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["palisade"], {"prompt": "answer en the left image contains a car", "pictures_used": 2,
                                              "ignored": ["messages[0].content", "user"]})
        choice = answer["choices"][0]
        self.assertEqual(len(choice["logprobs"]["content"]), answer["usage"]["completion_tokens"])
        self.assertEqual(len(choice["logprobs"]["content"][0]["top_logprobs"]), 2)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}}),
                           {"Authorization": f"Bearer {self.admin}"})
        lines = [line[6:] for line in connection.getresponse().read().decode().splitlines() if line.startswith("data: ")]
        self.assertEqual(lines[-1], "[DONE]")
        chunks = [json.loads(line) for line in lines[:-1]]
        self.assertEqual("".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"]), choice["message"]["content"])
        self.assertEqual(chunks[-1]["usage"], answer["usage"])
        status, _, answer = self.ask("POST", "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "Hi"}]})
        self.assertEqual((status, answer["palisade"]["pictures_used"]), (200, 0))
        self.assertIn("none was sent", answer["choices"][0]["message"]["content"])
        for wrong in ({"n": 2}, {"response_format": {"type": "json_object"}}, {"tool_choice": "required"}, {"temperature": 3},
                      {"messages": []}, {"frequency_penalty": 1}, {"top_logprobs": 2, "logprobs": False}, {"stop": [""]}):
            self.assertEqual(self.ask("POST", "/v1/chat/completions", {**body, **wrong})[0], 400, wrong)
        self.assertEqual(self.ask("POST", "/v1/chat/completions", {**body, "model": "gpt-4"})[0], 404)
        many = [{"type": "image_url", "image_url": {"url": self.picture}}] * 20 + [{"type": "text", "text": "caption en"}]
        answer = self.ask("POST", "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": many}]})[2]
        self.assertEqual(answer["palisade"]["notice"], "16 of 20 pictures were used, evenly spread")

    def test_the_model_context_protocol(self):
        def call(method, params=None, headers=None, token="ask", **more):
            body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}, **more}
            status, _, answer = self.ask("POST", "/mcp", body, token=token, headers=headers)
            return status, answer
        status, answer = call("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}})
        self.assertEqual((status, answer["result"]["protocolVersion"]), (200, "2025-11-25"))
        self.assertEqual(self.ask("POST", "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"})[0], 202)
        tools = call("tools/list")[1]["result"]["tools"]
        self.assertEqual([tool["name"] for tool in tools], ["cameras", "look", "ask_camera", "compare", "find_events", "get_event"])
        meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
        headers = {"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover"}
        status, answer = call("server/discover", {"_meta": meta}, headers)
        self.assertEqual((status, answer["result"]["supportedVersions"], answer["result"]["resultType"]), (200, ["2026-07-28"], "complete"))
        self.assertEqual(call("server/discover", {"_meta": meta}, {**headers, "Mcp-Method": "ping"})[1]["error"]["code"], -32020)
        future = {**meta, "io.modelcontextprotocol/protocolVersion": "2030-01-01"}
        self.assertEqual(call("server/discover", {"_meta": future}, {**headers, "Mcp-Protocol-Version": "2030-01-01"})[1]["error"]["data"]["supported"], ["2026-07-28"])
        one = self.event["event"]["id"]
        for name, arguments, kind in (("cameras", {}, "text"), ("look", {"camera": "a"}, "image"), ("get_event", {"id": one}, "image"),
                                      ("ask_camera", {"camera": "a", "question": "is there a car?"}, "text"),
                                      ("compare", {"left": "a", "right": "b", "question": "both images contain a car"}, "text"),
                                      ("find_events", {"camera": "a"}, "text")):
            result = call("tools/call", {"name": name, "arguments": arguments})[1]["result"]
            self.assertFalse(result["isError"], (name, result))
            self.assertEqual(result["content"][-1]["type"], kind, name)
        self.assertTrue(call("tools/call", {"name": "look", "arguments": {"camera": "nobody"}})[1]["result"]["isError"])
        self.assertTrue(call("tools/call", {"name": "look", "arguments": {"camera": "a"}}, token="other")[1]["result"]["isError"])
        self.assertTrue(call("tools/call", {"name": "ask_camera", "arguments": {"camera": "b", "question": "x"}}, token="other")[1]["result"]["isError"])
        self.assertEqual(call("tools/call", {"name": "rm"})[1]["error"]["code"], -32602)
        self.assertEqual(call("nothing")[0], 404)
        for body in (b"[", b"[]", b"7", b'{"jsonrpc": "1.0", "method": "ping", "id": 1}', b'{"jsonrpc": "2.0", "method": 7, "id": 1}'):
            self.assertEqual(self.ask("POST", "/mcp", body)[0], 400, body)

    def test_cameras_come_change_and_go_while_the_others_run(self):
        running, (url,) = cameras(1)
        self.addCleanup(running.__exit__)
        camera = {"url": url, "tasks": [{"task": "caption", "frames": 1, "every": "500ms"}]}
        before = {stream["name"]: stream["counts"]["frames"] for stream in self.get("/api/v1/streams")[2]["streams"]}
        for turn in range(6):
            camera["tasks"][0]["every"] = f"{500 + 100 * turn}ms"
            status, _, answer = self.ask("PUT", "/api/v1/streams/new", camera, token="edit")
            self.assertEqual(status, 200, answer)
            wait_for(lambda: self.get("/api/v1/streams/new")[2].get("state", {}).get("state") == "online", "the camera")
            after = {stream["name"]: stream["counts"]["frames"] for stream in self.get("/api/v1/streams")[2]["streams"]}
            for name in "ab":  # they go on counting from where they were
                self.assertGreaterEqual(after[name], before[name])
            before = after
        wait_for(lambda: all(self.get(f"/api/v1/streams/{name}")[2]["counts"]["frames"] > before[name] for name in "ab"), "more frames")
        self.assertEqual((self.state / "streams.d" / "new.yaml").stat().st_mode & 0o777, 0o600)
        wait_for(lambda: self.get("/api/v1/events?stream=new&kind=answer&limit=1")[2]["events"], "an answer of the camera")
        for wrong, said in (({"url": "/etc/passwd"}, "rtsp"), ({"url": "gst: fakesrc"}, "rtsp"), ({"tasks": []}, "1 to 16 tasks"),
                            ({"colour": "red"}, "colour"),
                            ({"username": "u", "password_file": "/etc/hostname"}, "password_file"), ({"url_file": "/etc/hostname"}, "url_file"),
                            ({"tasks": [{"task": "pair", "statement": "x", "against": {"reference": "r", "picture": "/tmp/x.png"}}]}, "picture"), ({"name": "other"}, "name")):
            status, _, error = self.ask("PUT", "/api/v1/streams/new", {**camera, **wrong}, token="edit")
            self.assertEqual(status, 422, wrong)
            self.assertIn(said, error["error"]["message"])
        problem = self.ask("PUT", "/api/v1/streams/new", {**camera, "tasks": [{"task": "caption", "every": "soon"}]})[2]["error"]["problems"]
        self.assertEqual([one["pointer"] for one in problem], ["/tasks/0/every"])
        status, headers, stream = self.get("/api/v1/streams/new", token="edit")
        self.assertEqual(stream["settings"], {"name": "new", **camera})
        self.assertNotIn("settings", self.get("/api/v1/streams/new", token="view")[2])
        secret = {**camera, "username": "u", "password": "p@:/#%[]!"}
        self.assertEqual(self.ask("PUT", "/api/v1/streams/new", secret, token="edit", headers={"If-Match": headers["ETag"]})[0], 200)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/new", camera, token="edit", headers={"If-Match": headers["ETag"]})[0], 412)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/new", camera, token="edit", headers={"If-None-Match": "*"})[0], 412)
        shown = self.get("/api/v1/streams/new", token="edit")[2]["settings"]
        self.assertNotIn("p@:/#%[]!", json.dumps(shown))
        self.assertEqual(self.ask("PUT", "/api/v1/streams/new", {**shown, "paused": True}, token="edit")[0], 200)
        self.assertIn("p@:/#%[]!", (self.state / "streams.d" / "new.yaml").read_text())
        wait_for(lambda: self.get("/api/v1/streams/new")[2]["state"].get("reason") == "paused", "the pause")
        self.assertEqual(self.ask("PUT", "/api/v1/streams/..%2fx", camera)[0], 404)
        narrow = self.ask("POST", "/api/v1/tokens", {"name": "narrow", "scope": "edit", "streams": ["new"]})[2]["token"]
        pair = {"task": "pair", "statement": "x", "against": {"stream": "a"}}
        self.assertEqual(self.ask("PUT", "/api/v1/streams/new", {**camera, "tasks": [pair]}, token=narrow)[0], 422)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/b", camera, token=narrow)[0], 403)
        self.assertEqual(self.ask("DELETE", "/api/v1/tokens/narrow")[0], 204)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/A", camera)[0], 422)
        self.assertEqual(self.ask("DELETE", "/api/v1/streams/new", token="edit")[0], 204)
        wait_for(lambda: self.get("/api/v1/streams/new")[0] == 404, "its end")
        self.assertEqual(self.ask("DELETE", "/api/v1/streams/a")[0], 404)

    def test_metrics_are_well_formed_and_tokens_are_made_and_removed(self):
        text = self.get("/metrics")[2].decode()
        self.assertIn('palisade_stream_up{stream="a"} 1', text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) palisade_\w+ .*|palisade_\w+(\{.*\})? [0-9.e+-]+)$")
        status, _, made = self.ask("POST", "/api/v1/tokens", {"name": "wall", "scope": "view", "streams": ["a"]})
        self.assertEqual(status, 201)
        self.assertEqual(self.get("/api/v1/streams", token=made["token"])[0], 200)
        self.assertNotIn(made["token"], (self.state / "http_tokens.json").read_text())
        self.assertEqual((self.state / "http_tokens.json").stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.state / "admin.token").stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.ask("POST", "/api/v1/tokens", {"name": "wall", "scope": "view"})[0], 409)
        self.assertEqual(self.ask("DELETE", "/api/v1/tokens/wall")[0], 204)
        self.assertEqual(self.get("/api/v1/streams", token=made["token"])[0], 401)
        self.assertEqual(self.ask("DELETE", "/api/v1/tokens/admin")[0], 409)

    def test_hostile_requests_are_refused_and_harm_nobody(self):
        def raw(data, close=True):
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                connection.sendall(data)
                if close:
                    connection.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
                return answer
        self.assertIn(b" 400 ", raw(b"nonsense\r\n\r\n"))
        self.assertIn(b" 431 ", raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n"))
        self.assertIn(b" 405 ", raw(b"PATCH / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assertIn(b" 421 ", raw(b"GET /health HTTP/1.1\r\n\r\n"))
        for target in (b"/%00", b"/\xff", b"*", b"http://localhost/health"):
            self.assertRegex(raw(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"), rb" (400|404) ")
        authorization = b"Authorization: Bearer " + self.admin.encode() + b"\r\n"
        self.assertIn(b" 413 ", raw(b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\n" + authorization + b"Content-Length: 99999999999\r\n\r\n"))
        self.assertIn(b" 400 ", raw(b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\n" + authorization + b"Content-Length: 100\r\n\r\n{"))
        self.assertIn(b" 400 ", raw(b"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\n" + authorization +
                                    b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n"))
        for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00"):
            self.assertIn(self.get(f"/api/v1/streams/{name}/picture.jpg")[0], (400, 404))
        deep = b'{"prompt":' + b"[" * 100 + b"]" * 100 + b"}"
        self.assertEqual(self.ask("POST", "/api/v1/ask", deep)[0], 400)
        idle = [socket.create_connection(("127.0.0.1", self.port), timeout=30) for _ in range(31)]
        for connection in idle:
            connection.sendall(b"GET /health HTTP/1.1\r\n")
        begin = time.monotonic()
        self.assertIn(b"ok", raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", close=False))
        self.assertLess(time.monotonic() - begin, 5)
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as one, \
                socket.create_connection(("127.0.0.1", self.port), timeout=30) as two:
            self.assertIn(b" 503 ", two.recv(100))
        for connection in idle:
            connection.close()
        wait_for(lambda: self.get("/health", token=None)[0] == 200, "a place among the connections")
        waits = []  # who guesses waits; a minute that ends in between begins anew
        while len(waits) < 25 and max(waits, default=0) < 0.9:
            begin = time.monotonic()
            self.assertEqual(self.get("/api/v1/streams", token="pal_wrong")[0], 401)
            waits.append(time.monotonic() - begin)
        self.assertGreater(max(waits), 0.9)
        self.assertEqual(self.get("/api/v1/streams")[0], 200)


class SlowModel(unittest.TestCase):
    def test_health_is_answered_while_the_model_works_and_who_leaves_cancels(self):
        Api.folder = Path(tempfile.mkdtemp(prefix="palisade-api-"))
        Api.state = Api.folder / "state"
        Api.start({"PALISADE_TEST_SLOWDOWN": "1000"})
        self.addCleanup(lambda: Api.running.__exit__())
        Api.admin = (Api.state / "admin.token").read_text().strip()
        frames = Api.folder / "frames"
        palisade("caption", STREET, "--frames", 1, "--every", "2s", "--frames-to", frames)
        picture = base64.b64encode(sorted(frames.glob("*.png"))[0].read_bytes()).decode()
        body = json.dumps({"prompt": "caption en", "pictures": [picture] * 16})

        head = (f"POST /api/v1/ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {Api.admin}\r\nAccept: text/event-stream\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

        def asked(address="127.0.0.1"):
            connection = socket.create_connection(("127.0.0.1", Api.port), timeout=300, source_address=(address, 0))
            connection.sendall(head)
            return connection, connection.makefile("rb")

        def leave():
            connection, answer = asked("127.0.0.2")
            with connection, answer:
                statuses.append(answer.readline())

        def cancelled(count):
            return f"palisade_requests_cancelled_total {count}\n" in Api.get("/metrics")[2].decode()
        # One who stays, before a hundred who leave, no more at a time than may wait.
        stays, events = asked()
        statuses, slowest = [], 0
        for wave in range(4):
            leavers = [threading.Thread(target=leave) for _ in range(25)]
            for leaver in leavers:
                leaver.start()
            while any(leaver.is_alive() for leaver in leavers):
                begin = time.monotonic()
                self.assertEqual(Api.get("/health", token=None)[0], 200)
                slowest = max(slowest, time.monotonic() - begin)
                time.sleep(0.02)
            wait_for(lambda: cancelled(25 * (wave + 1)), "those cancelled who left")
        self.assertEqual(statuses, [b"HTTP/1.1 200 OK\r\n"] * 100)
        waiting = re.search(r"(?m)^palisade_queue_depth (\d+)$", Api.get("/metrics")[2].decode())
        self.assertLessEqual(int(waiting[1]), 4)  # two clips of each camera, and nobody's question
        self.assertLess(slowest, 5)  # not a measure of speed: a question takes far longer
        # Who waits longer than ten seconds is told that the connection is alive.
        while (line := events.readline()) and line != b": ping\n":
            self.assertNotIn(b"event: answer", line)
        self.assertTrue(line, "the answer ended without a comment")
        events.close()
        stays.close()
        wait_for(lambda: cancelled(101), "the last one cancelled")


if __name__ == "__main__":
    main()
