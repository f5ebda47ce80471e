#!/usr/bin/env python3
"""The HTTP API around cameras and answers: addresses tried, what a stream would take, timelines, calibration, examples, uploads,
the last seconds, replays."""
import base64
import json
import unittest

from http_service import HttpService
from palisade import SOURCE, cameras, main, wait_for

STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"
JPEG = b"\xff\xd8\xff"


class CamerasAndAnswers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        question = "[{task: question, name: dog, question: is there a dog, type: yes_no, frames: 1, every: 500ms, keep_frames: exact}]"
        cls.service = HttpService({"a": f"url: '{STREET}'\n    loop: true\n    tasks: {question}",
                                   "b": f"url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"})
        cls.addClassCleanup(cls.service.close)
        cls.edit = cls.service.token("edit", "edit")
        cls.other = cls.service.token("other", "edit", ["b"])
        cls.ask_token = cls.service.token("asks", "ask")
        cls.event = wait_for(cls.first_event, "an event with its frame")

    @classmethod
    def first_event(cls):
        for row in cls.service.get("/api/v1/events?stream=a&kind=answer&limit=5")[2]["events"]:
            if cls.service.get(f"/api/v1/events/{row['event']['id']}/frames/1.jpg")[0] == 200:
                return row["event"]
        return None

    def ask(self, method, path, body=None, token=None, **options):
        return self.service.ask(method, path, body, token=token or self.edit, **options)

    def test_an_address_is_tried_until_its_first_picture_or_says_what_is_wrong(self):
        running, (address,) = cameras(1)
        with running:
            status, _, tried = self.ask("POST", "/api/v1/streams/try", {"url": address})
            self.assertEqual((status, tried["opened"]), (200, True), tried)
            self.assertGreater(tried["width"], 0)
            picture = base64.b64decode(tried["picture"].removeprefix("data:image/jpeg;base64,"), validate=True)
            self.assertTrue(picture.startswith(JPEG))
        status, _, tried = self.ask("POST", "/api/v1/streams/try", {"url": "rtsp://127.0.0.1:9/away"})
        self.assertEqual((status, tried["opened"]), (200, False))
        self.assertIn("refused", tried["message"])
        self.assertNotIn("picture", tried)

    def test_an_address_that_may_not_be_opened_is_not_tried(self):
        status, _, error = self.ask("POST", "/api/v1/streams/try", {"url": "/etc/passwd"})
        self.assertEqual((status, error["error"]["problems"][0]["pointer"]), (422, "/url"))
        self.assertEqual(self.ask("POST", "/api/v1/streams/try", {"url": "rtsp://127.0.0.1:9/x"}, token=self.ask_token)[0], 403)
        self.assertEqual(self.ask("POST", "/api/v1/streams/try", {"name": "a", "url": "rtsp://127.0.0.1:9/x"}, token=self.other)[0], 403)

    def test_capacity_says_what_streams_take_and_one_more_would(self):
        capacity = wait_for(lambda: (c := self.service.get("/api/v1/capacity")[2]) and c["used"] > 0 and len(c["streams"]) == 2 and c, "a load")
        self.assertAlmostEqual(capacity["used"] + capacity["free"], 1)
        self.assertAlmostEqual(sum(s["share"] for s in capacity["streams"]) + capacity["people"], capacity["used"], places=6)
        entry = {"url": "rtsp://127.0.0.1:9/x", "tasks": [{"task": "caption", "frames": 1, "every": "8s"}]}
        seldom = self.ask("POST", "/api/v1/capacity", entry)[2]
        entry["tasks"][0].update(frames=16, span="4s", every="1s")
        often = self.ask("POST", "/api/v1/capacity", entry)[2]
        self.assertGreater(often["share"], 4 * seldom["share"])
        self.assertGreater(often["used"], often["share"])
        self.assertEqual(often["fits"], often["used"] <= 1)
        status, _, error = self.ask("POST", "/api/v1/capacity", {"url": "rtsp://127.0.0.1:9/x", "tasks": [{"task": "paint"}]})
        self.assertEqual((status, error["error"]["problems"][0]["pointer"]), (422, "/tasks/0/task"))

    def test_a_stream_that_the_machine_cannot_carry_is_refused_with_the_plan(self):
        wait_for(lambda: self.service.get("/api/v1/status")[2]["stages"]["answers"] > 5, "answers")
        tasks = [{"task": "caption", "name": f"t{i}", "frames": 16, "span": "1s", "every": "100ms"} for i in range(16)]
        status, _, error = self.ask("PUT", "/api/v1/streams/heavy", {"url": "rtsp://127.0.0.1:9/x", "tasks": tasks})
        self.assertEqual((status, error["error"]["code"]), (429, "over_capacity"), error)
        self.assertGreater(error["error"]["plan"]["share"], 1)
        self.assertEqual(self.service.get("/api/v1/streams/heavy")[0], 404)
        for wrong in ("force=yes", "force=", "force=0&force=1"):
            self.assertEqual(self.ask("PUT", f"/api/v1/streams/heavy?{wrong}", {"url": "rtsp://127.0.0.1:9/x", "tasks": tasks})[0], 400, wrong)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/heavy?force=1", {"url": "rtsp://127.0.0.1:9/x", "tasks": tasks})[0], 200)
        wait_for(lambda: self.service.get("/api/v1/streams/heavy")[0] == 200, "the stream")
        # What costs no more than what stands there is never refused: a mask, fewer tasks.
        masked = {"url": "rtsp://127.0.0.1:9/x", "tasks": tasks[:15], "masks": [[0, 0, 0.5, 0.5]]}
        self.assertEqual(self.ask("PUT", "/api/v1/streams/heavy", masked)[0], 200)
        self.assertEqual(self.ask("PUT", "/api/v1/streams/heavy", {**masked, "tasks": tasks})[0], 429)
        self.assertEqual(self.ask("DELETE", "/api/v1/streams/heavy")[0], 204)

    def test_the_status_tells_model_stages_and_journal(self):
        status = wait_for(lambda: (s := self.service.get("/api/v1/status")[2])["stages"]["answers"] > 0 and s, "an answer")
        self.assertTrue(status["model"]["demo"])
        self.assertEqual((status["node"], status["calibrated"]), ("test", False))
        for stage in ("queued", "encode", "prefill", "decode"):
            self.assertLessEqual(status["stages"][stage]["p50"], status["stages"][stage]["p95"])
        self.assertGreater(status["journal"]["events"], 0)
        self.assertGreater(status["journal"]["bytes"], 0)
        self.assertTrue(status["journal"]["storing"])
        self.assertEqual([(sink["name"], sink["lost"]) for sink in status["sinks"]], [("zeromq", 0), ("journal", 0)])
        for sink in status["sinks"]:
            self.assertGreater(sink["sent"], 0)
            self.assertRegex(sink["since"], r"^20\d\d-")
        self.assertTrue(status["sinks"][0]["address"].startswith("ipc://"))
        looker = self.service.token("status_looker", "view")
        self.assertNotIn("address", self.service.get("/api/v1/status", token=looker)[2]["sinks"][0])

    def test_a_tasks_threshold_is_that_of_its_rule(self):
        entry = {"url": "rtsp://127.0.0.1:9/x", "tasks": [{"task": "question", "name": "dog", "question": "is there a dog?", "type": "yes_no", "frames": 1, "every": "8s"},
                                                          {"task": "caption", "frames": 1, "every": "8s"}], "rules": [{"name": "dog", "task": "dog", "above": 0.7}]}
        self.assertEqual(self.ask("PUT", "/api/v1/streams/ruled?force=1", entry)[0], 200)
        self.addCleanup(lambda: self.ask("DELETE", "/api/v1/streams/ruled"))
        stream = wait_for(lambda: (got := self.service.get("/api/v1/streams/ruled"))[0] == 200 and got[2], "the stream")
        self.assertEqual([task.get("threshold") for task in stream["tasks"]], [0.7, None])

    def test_events_are_erased_once_it_is_said_what_goes(self):
        with HttpService({"gone": "url: 'street:'\n    tasks: [{task: caption, frames: 1, every: 1s}]"}) as service:
            span = {"stream": "gone", "from": "1970-01-01", "to": "2100-01-01"}
            wait_for(lambda: service.get("/api/v1/events?stream=gone&kind=answer")[2]["events"], "an answer")
            self.assertEqual(service.ask("PUT", "/api/v1/streams/gone?force=1", {"url": "street:", "paused": True, "tasks": [{"task": "caption", "frames": 1, "every": "1s"}]})[0], 200)
            event = service.get("/api/v1/events?stream=gone&kind=answer")[2]["events"][0]["event"]["id"]
            self.assertEqual(service.ask("PUT", f"/api/v1/events/{event}/verdict", {"right": True})[0], 204)
            status, _, plan = service.ask("POST", "/api/v1/erase", span)
            self.assertEqual((status, plan["erased"], plan["kept"], plan["judged"]), (200, False, 1, 1), plan)
            self.assertEqual(service.get(f"/api/v1/events/{event}")[0], 200)
            self.assertEqual(service.ask("POST", "/api/v1/erase", {**span, "to": "1971-01-01", "erase": True})[2]["events"], 0)
            for wrong in ({**span, "from": "2100-01-01"}, {**span, "to": "soon"}, {"stream": "gone"}, {**span, "erase": "yes"}, {**span, "all": True}):
                self.assertEqual(service.ask("POST", "/api/v1/erase", wrong)[0], 400, wrong)
            for scope in ("view", "ask", "edit"):
                self.assertEqual(service.ask("POST", "/api/v1/erase", {**span, "erase": True}, token=service.token(f"an_{scope}", scope))[0], 403)
            other = service.token("other", "admin", ["elsewhere"])
            self.assertEqual(service.ask("POST", "/api/v1/erase", {**span, "erase": True}, token=other)[0], 403)
            status, _, done = service.ask("POST", "/api/v1/erase", {**span, "erase": True})
            self.assertEqual((status, done["erased"]), (200, True))
            self.assertGreaterEqual(done["events"], plan["events"])
            self.assertEqual(service.get(f"/api/v1/events/{event}")[0], 404)

    def test_streams_tell_their_last_answers_with_probabilities(self):
        def last():
            streams = {stream["name"]: stream for stream in self.service.get("/api/v1/streams")[2]["streams"]}
            return streams["a"]["tasks"][0].get("last")
        told = wait_for(last, "an answer")
        self.assertIn(told["text"], ("yes", "no"))
        yes = {choice["text"]: choice["p"] for choice in told["choices"]}["yes"]
        self.assertEqual(told["p"], yes)

    def test_a_timeline_counts_answers_and_states_of_who_may_be_seen(self):
        timeline = self.service.get("/api/v1/timeline?from=10m&bins=10")[2]
        streams = {stream["name"]: stream for stream in timeline["streams"]}
        self.assertTrue({"a", "b"} <= set(streams), streams)
        self.assertEqual(len(streams["a"]["answers"]), 10)
        listed = len(self.service.get("/api/v1/events?stream=a&kind=answer&from=10m&limit=1000")[2]["events"])
        self.assertLessEqual(sum(streams["a"]["answers"]), listed)
        self.assertEqual(streams["a"]["states"][-1]["state"], "online")
        self.assertEqual(streams["a"]["states"][-1]["to"], timeline["to"])
        self.assertEqual(self.service.get("/api/v1/timeline", token=self.other)[0], 400)
        only = self.service.get("/api/v1/timeline?stream=b", token=self.other)[2]
        self.assertEqual([stream["name"] for stream in only["streams"]], ["b"])
        self.assertEqual(self.service.get("/api/v1/timeline?stream=a", token=self.other)[0], 404)
        for wrong in ("bins=0", "bins=1441", "bins=x", "from=2026-01-02&to=2026-01-01", "from=yesterday"):
            self.assertEqual(self.service.get(f"/api/v1/timeline?{wrong}")[0], 400, wrong)

    def test_verdicts_become_calibration_rows_and_examples(self):
        rows = self.service.get("/api/v1/events?stream=a&kind=answer&limit=2")[2]["events"]
        first, second = (row["event"] for row in rows)
        p_yes = {choice["text"]: choice["p"] for choice in first["data"]["choices"]}["yes"]
        said_yes = first["data"]["text"] == "yes"
        self.assertEqual(self.ask("PUT", f"/api/v1/events/{first['id']}/verdict", {"right": True})[0], 204)
        self.assertEqual(self.ask("PUT", f"/api/v1/events/{second['id']}/verdict", {"right": False, "text": "maybe"})[0], 204)
        calibration = self.service.get("/api/v1/calibration?stream=a&task=dog")[2]
        self.assertEqual(calibration["judged"], 2)
        filled = [b for b in calibration["bins"] if b["judged"]]
        self.assertTrue(any(b["from"] <= p_yes <= b["to"] for b in filled))
        self.assertEqual(calibration["confirmed"], int(said_yes) + int(second["data"]["text"] == "no"))
        self.assertGreaterEqual(sum(calibration["histogram"]), 2)
        verdicts = {row["event"]["id"]: row.get("verdict") for row in self.service.get("/api/v1/events?stream=a&kind=answer&limit=1000")[2]["events"]}
        self.assertEqual(verdicts[second["id"]], {"right": False, "text": "maybe"})
        status, headers, lines = self.ask("GET", "/api/v1/examples.jsonl")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/x-ndjson"))
        examples = {example["id"]: example for example in map(json.loads, lines.decode().splitlines())}
        self.assertEqual(examples[second["id"]]["suffix"], "maybe")
        self.assertEqual(examples[first["id"]]["prefix"], first["data"]["prompt"])
        picture = self.service.get("/api/v1/" + examples[second["id"]]["images"][0])[2]
        self.assertTrue(picture.startswith(JPEG))
        for event in (first, second):
            self.ask("DELETE", f"/api/v1/events/{event['id']}/verdict")
        self.assertEqual(self.ask("GET", "/api/v1/examples.jsonl", token=self.other)[2], b"")

    def test_events_with_pictures_like_another_come_most_alike_first(self):
        rows = self.service.get(f"/api/v1/events?like={self.event['id']}&limit=5")[2]["events"]
        self.assertTrue(rows)
        self.assertEqual([row["cosine"] for row in rows], sorted((row["cosine"] for row in rows), reverse=True))
        self.assertNotIn(self.event["id"], [row["event"]["id"] for row in rows])
        of_b = self.service.get(f"/api/v1/events?like={self.event['id']}&stream=b&limit=5")[2]["events"]
        self.assertEqual({row["event"]["subject"] for row in of_b}, {"b"})
        self.assertEqual(self.service.get(f"/api/v1/events?like={self.event['id']}", token=self.other)[0], 404)

    def test_an_event_is_asked_again_about_the_same_frames(self):
        status, _, again = self.ask("POST", f"/api/v1/events/{self.event['id']}/replay")
        self.assertEqual((status, again["result"]), (200, "same"), again)
        self.assertEqual(again["text"], self.event["data"]["text"])
        state = self.service.get("/api/v1/events?kind=state&limit=1")[2]["events"][0]["event"]["id"]
        self.assertEqual(self.ask("POST", f"/api/v1/events/{state}/replay")[2]["result"], "not an answer")
        self.assertEqual(self.ask("POST", f"/api/v1/events/{self.event['id']}/replay", token=self.other)[0], 404)

    def test_the_last_seconds_of_a_stream_are_asked_about_with_a_sheet(self):
        question = {"prompt": "describe en", "stream": "a", "last": "4s", "sheet": True}

        def answered():
            status, _, answer = self.ask("POST", "/api/v1/ask", question)
            return answer if status == 200 and len(answer["frames"]) > 3 else None
        answer = wait_for(answered, "four pictures")
        self.assertLessEqual(len(answer["frames"]), 16)
        times = [frame["time"] for frame in answer["frames"]]
        self.assertEqual(times, sorted(times))
        self.assertTrue(base64.b64decode(answer["sheet"].removeprefix("data:image/jpeg;base64,")).startswith(JPEG))
        for wrong in ({"last": "17s"}, {"last": "0s"}, {"last": "soon"}, {"sheet": "yes"}):
            self.assertEqual(self.ask("POST", "/api/v1/ask", question | wrong)[0], 400, wrong)
        self.assertEqual(self.ask("POST", "/api/v1/ask", {"prompt": "cap en", "streams": ["a"], "last": "4s"})[0], 400)
        self.assertEqual(self.ask("POST", "/api/v1/ask", question, token=self.other)[0], 404)

    def test_films_and_pictures_are_uploaded_and_asked_about_by_their_owner(self):
        status, _, film = self.ask("POST", "/api/v1/uploads", STREET.read_bytes())
        self.assertEqual((status, film["kind"], film["bytes"]), (201, "film", STREET.stat().st_size))
        status, _, answer = self.ask("POST", "/api/v1/ask", {"prompt": "cap en", "pictures": [{"upload": film["id"]}]})
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer["frames"]), 16)
        frame = self.service.get(f"/api/v1/events/{self.event['id']}/frames/1.jpg")[2]
        picture = self.ask("POST", "/api/v1/uploads", frame)[2]
        self.assertEqual(picture["kind"], "picture")
        both = {"prompt": "is it the same?", "pictures": [{"upload": picture["id"]}, base64.b64encode(frame).decode()]}
        answer = self.ask("POST", "/api/v1/ask", both)[2]
        self.assertEqual(len(answer["frames"]), 2, answer)
        self.assertEqual(self.ask("POST", "/api/v1/ask", both, token=self.ask_token)[0], 404)
        self.assertEqual(self.ask("DELETE", f"/api/v1/uploads/{picture['id']}", token=self.ask_token)[0], 404)
        mixed = {"prompt": "cap en", "pictures": [{"upload": picture["id"]}, {"upload": film["id"]}]}
        self.assertEqual(self.ask("POST", "/api/v1/ask", mixed)[0], 400)
        self.assertEqual(self.ask("DELETE", f"/api/v1/uploads/{picture['id']}")[0], 204)
        self.assertEqual(self.ask("POST", "/api/v1/ask", both)[0], 404)

    def test_what_is_no_film_is_told_and_harms_nobody(self):
        for junk in (b"no film at all", b"\x00" * 100_000, STREET.read_bytes()[:2000]):
            upload = self.ask("POST", "/api/v1/uploads", junk)[2]
            status, _, error = self.ask("POST", "/api/v1/ask", {"prompt": "cap en", "pictures": [{"upload": upload["id"]}]})
            self.assertEqual((status, error["error"]["code"]), (400, "invalid_image"), error)
        self.assertEqual(self.ask("POST", "/api/v1/uploads", b"")[0], 400)
        self.assertEqual(self.service.get("/health", token="")[0], 200)

    def test_motion_jpeg_shows_one_picture_after_another_to_at_most_four_of_a_token(self):
        def watch():
            connection = self.service.connection()
            connection.request("GET", "/api/v1/streams/a/picture.mjpeg", headers={"Authorization": f"Bearer {self.ask_token}"})
            return connection, connection.getresponse()
        watching = [watch() for _ in range(4)]
        self.assertEqual([response.status for _, response in watching], [200] * 4)
        response = watching[0][1]
        self.assertEqual(response.headers["Content-Type"], "multipart/x-mixed-replace; boundary=palisade-picture")
        pictures = []
        while len(pictures) < 3:
            self.assertEqual(response.readline(), b"--palisade-picture\r\n")
            self.assertEqual(response.readline(), b"Content-Type: image/jpeg\r\n")
            length = int(response.readline().split(b":")[1])
            self.assertEqual(response.readline(), b"\r\n")
            pictures.append(response.read(length))
            self.assertEqual(response.readline(), b"\r\n")
        self.assertTrue(all(picture.startswith(JPEG) for picture in pictures))
        self.assertEqual(len(set(pictures)), 3)
        connection, refused = watch()
        self.assertEqual(refused.status, 429)
        for pair in [(connection, refused), *watching]:
            for one in pair:
                one.close()

        def again():
            pair = watch()
            for one in pair:
                one.close()
            return pair[1].status == 200
        wait_for(again, "a place")
        self.assertEqual(self.service.get("/api/v1/streams/a/picture.mjpeg", token=self.other)[0], 404)

    def test_a_picture_is_kept_to_compare_with(self):
        status, _, error = self.ask("POST", "/api/v1/streams/b/references/nothing")
        self.assertEqual((status, error["error"]["code"]), (404, "not_found"))
        self.assertEqual(self.ask("POST", "/api/v1/streams/a/references/dog", token=self.other)[0], 404)


class NothingYet(unittest.TestCase):
    def test_a_service_without_streams_learns_what_an_answer_costs_when_it_is_asked(self):
        with HttpService() as service:
            entry = {"url": "rtsp://127.0.0.1:9/x", "tasks": [{"task": "caption", "frames": 1, "every": "4s"}]}
            status, _, forecast = service.ask("POST", "/api/v1/capacity", entry)
            self.assertEqual(status, 200, forecast)
            self.assertTrue(0 < forecast["share"] == forecast["used"], forecast)

    def test_without_a_journal_summaries_say_so(self):
        with HttpService(more="journal: off\n") as service:
            self.assertIsNone(service.get("/api/v1/status")[2]["journal"])
            for path in ("timeline", "calibration", "examples.jsonl", "events"):
                self.assertEqual(service.get(f"/api/v1/{path}")[0], 503, path)


if __name__ == "__main__":
    main()
