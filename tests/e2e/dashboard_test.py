#!/usr/bin/env python3
"""The dashboard in a browser: what it is made of, its frame, the wall, a camera. Screenshots are kept in dashboard/ of the build
folder. Skipped without the browser that `./run deps` installs."""
import gzip
import hashlib
import json
import re
import time
import unittest
import urllib.error
import urllib.request

from dashboard import Browser, Watched, or_skip, until
from http_service import HttpService
from palisade import SOURCE, cameras, main, palisade

UI = SOURCE / "service" / "http" / "ui"
MAX_BYTES = 200_000
MAX_LINES = 200
HOSTILE = "<img src=x onerror=document.title='taken'>"
PAGES = ["#/wall", "#/camera/street0", "#/events", "#/pairs", "#/ask", "#/system", "#/first", "#/nowhere"]


def fetched(url, **headers):
    """(status, headers, body), without a token."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


CAPTION = "{task: caption, frames: 1, every: 1s}"
PERSON = "{task: question, name: person, question: 'is there a person?', type: yes_no, frames: 1, every: 1s}"


class Files(unittest.TestCase):
    """What the dashboard is made of; no browser is needed to see that."""

    @classmethod
    def setUpClass(cls):
        cls.service = HttpService()
        cls.addClassCleanup(cls.service.close)

    def test_every_file_is_served_without_a_token_and_all_of_them_are_small(self):
        names = sorted(str(path.relative_to(UI)) for path in UI.rglob("*") if path.is_file())
        total = 0
        for name in names:
            with self.subTest(name):
                url = f"{self.service.url}/ui/{name}"
                status, headers, body = fetched(url, **{"Accept-Encoding": "gzip"})
                self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"))
                total += len(body)
                whole = (UI / name).read_bytes()
                self.assertEqual(gzip.decompress(body), whole)
                status, plain, body = fetched(url)
                self.assertEqual((status, plain["Content-Encoding"], body), (200, None, whole))
                self.assertNotEqual(plain["ETag"], headers["ETag"])
                self.assertEqual(fetched(url, **{"If-None-Match": plain["ETag"]})[0], 304)
                if name.endswith(".js") and not name.startswith("vendor/"):
                    self.assertLessEqual(len(whole.splitlines()), MAX_LINES)
        self.assertLess(total, MAX_BYTES)
        print(f"all assets: {total} bytes as sent, {sum((UI / name).stat().st_size for name in names)} unpacked")
        self.assertEqual(fetched(f"{self.service.url}/")[2], (UI / "index.html").read_bytes())

    def test_nothing_else_is_served_there(self):
        for path in ("/ui", "/ui/", "/ui/nothing.js", "/ui/../http_service.cc", "/ui/%2e%2e/ui_files.h", "/ui//index.html"):
            self.assertEqual(self.service.ask("GET", path, token="")[0], 404, path)
        self.assertEqual(self.service.ask("PUT", "/ui/app.js", token="")[0], 405)

    def test_the_policy_lets_in_nothing_from_elsewhere_and_no_inline_script_or_style(self):
        policy = fetched(f"{self.service.url}/")[1]["Content-Security-Policy"]
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual({rules[name] for name in ("script-src", "style-src", "connect-src", "form-action")}, {"'self'"})
        self.assertEqual((rules["frame-ancestors"], rules["base-uri"], rules["trusted-types"]), ("'none'", "'none'", "lit-html"))
        self.assertEqual(rules["require-trusted-types-for"], "'script'")
        for path in UI.rglob("*.html"):
            self.assertIsNone(re.search(r"<style|\sstyle=|\son\w+=|<script(?! type=\"module\" src=)", path.read_text()), path)
        for path in UI.rglob("*.js"):
            if "vendor" not in path.parts:
                self.assertIsNone(re.search(r"innerHTML|outerHTML|unsafe|insertAdjacentHTML|\seval\(|\sstyle=[\"$]", path.read_text()), path)

    def test_lit_html_is_the_package_that_its_checksums_were_taken_of(self):
        folder = UI / "vendor" / "lit-html"
        sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
        found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"}
        self.assertEqual(found, sums)
        # As npm has version 3.3.3.
        self.assertEqual(sums["lit-html.js"], "b878e7f95dec8a9b6e9b217faca6b6a11bad82ebc44c0caa77419ed83edd81f2")

    def test_every_answer_tells_the_time_of_the_service(self):
        for path in ("/health", "/api/v1/streams", "/ui/app.js"):
            told = self.service.get(path)[1]["Palisade-Now"]
            self.assertRegex(told, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_open_prints_a_link_with_the_token_and_says_what_is_missing(self):
        link = palisade("open", "--state", self.service.state).stdout.strip()
        self.assertEqual(link, f"{self.service.url}/#token={self.service.admin}")
        self.assertIn("no admin's token", palisade("open", "--state", self.service.folder / "nothing", check=2).stderr)


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def watched(self, service, **options):
        context = self.browser.context(service, **options)
        self.addCleanup(context.close)
        return Watched(context, service)


class Modules(InBrowser):
    """Readers of what comes from outside, run where they will be run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = HttpService()
        cls.addClassCleanup(cls.service.close)
        cls.page = Watched(cls.browser.context(cls.service), cls.service).open()

    def ran(self, module, expression):
        return self.page.evaluate(f"import(new URL('ui/{module}', document.baseURI).href).then(it => {expression})")

    def test_server_sent_events_are_read_however_they_are_cut(self):
        stream = ": ping\n\nid: 7\nevent: a\ndata: {\"x\":\ndata: 1}\n\nid: 8\r\ndata: y\r\n\r\nevent: none\n\ndata: cut"
        expected = [["", "", None], ["a", '{"x":\n1}', "7"], ["message", "y", "8"], ["", "", None]]
        for size in (1, 2, 7, 1000):
            got = self.ran("sse.js", f"""(async () => {{ const bytes = new TextEncoder().encode({json.dumps(stream)}); const all = [];
                const body = new ReadableStream({{ start(c) {{ for (let i = 0; i < bytes.length; i += {size}) c.enqueue(bytes.slice(i, i + {size})); c.close(); }} }});
                for await (const one of it.readEvents(body)) all.push([one.type, one.data, one.id]); return all; }})()""")
            self.assertEqual(got, expected, size)

    def test_run_lengths_of_coco_are_read_and_rubbish_paints_nothing(self):
        # pycocotools' code of a 3 x 3 picture whose middle pixel is set, and of one that is all set.
        self.assertEqual(self.ran("parts/mask_canvas.js", "it.runsOf('414')"), [4, 1, 4])
        self.assertEqual(self.ran("parts/mask_canvas.js", "it.runsOf('09')"), [0, 9])
        self.assertIsInstance(self.ran("parts/mask_canvas.js", "it.runsOf('~~~~~~~~~~~~~~~~~~~~\\u0000')"), list)

    def test_spans_and_shares_are_said_as_people_say_them(self):
        said = self.ran("words.js", "[0.24, 9.96, 45, 130, 3600, 90000, 400000].map(it.span)")
        self.assertEqual(said, ["0.2 s", "10.0 s", "45 s", "2 min 10 s", "60 min", "25 h", "5 days"])
        self.assertEqual(self.ran("words.js", "['500ms', '4s', '2m', 'x', '', null].map(it.seconds)"), [0.5, 4, 120, None, None, None])

    def test_two_changes_of_the_same_settings_are_told_as_their_difference(self):
        got = self.ran("pages/camera/editing.js", """it.differences({url: 'a', tasks: [{task: 'caption', every: '10s'}, {task: 'question', name: 'q', frames: 1}]},
            {url: 'a', tasks: [{task: 'question', name: 'q', frames: 1}, {task: 'caption', every: '4s'}]})""")
        self.assertEqual(got, [{"where": "tasks, caption, every", "theirs": "10s", "mine": "4s"}])

    def test_a_form_that_is_saved_unchanged_changes_nothing(self):
        settings = {"name": "a", "tasks": [{"task": "caption", "frames": 16, "span": "4s", "every": "4s", "prune": "static"},
                                           {"task": "question", "name": "p", "question": "is there a person?", "type": "yes_no", "frames": 1, "every": "2s"},
                                           {"task": "pair", "name": "c", "statement": "the images show the same", "span": "10s", "every": "10s"},
                                           {"task": "detect", "objects": "car", "every": "10s"}],
                    "rules": [{"name": "r", "task": "p", "above": 0.8, "below": 0.5, "of": "2 of 3", "cooldown": "1m"}]}
        for index in range(4):
            got = self.ran("pages/camera/presets.js", f"(() => {{ const s = {json.dumps(settings)}; it.apply(s, it.draftOf(s, s.tasks[{index}]), {index}); return s; }})()")
            self.assertEqual(got, settings, index)


class Camera(InBrowser):
    """Two simulated cameras and the demo model."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        running, urls = cameras(2)
        cls.addClassCleanup(running.__exit__)
        hostile = f"{{task: question, name: hostile, question: 'which one?', type: {{choice: [\"{HOSTILE}\", \"\u202eright to left\"]}}, frames: 1, every: 2s}}"
        tasks = "{task: caption, frames: 16, span: 2s, every: 3s}"
        cls.service = HttpService({"street0": f"url: {urls[0]}\n    tasks: [{tasks}, {PERSON.replace('every: 1s', 'every: 3s')}, {hostile}]\n"
                                              f"    rules: [{{name: person, task: person, above: 0.01, of: 1 of 1, text: 'somebody at {{stream}}'}}]",
                                   "street1": f"url: {urls[1]}\n    tasks: [{CAPTION}]"})
        cls.addClassCleanup(cls.service.close)

    def test_the_wall_shows_pictures_answers_and_alerts_and_asks_nobody_else(self):
        watched = self.watched(self.service)
        page = watched.open()
        page.wait_for_selector("article.tile[aria-label=street0] .said:has-text(' ')")
        until(lambda: page.evaluate("[...document.querySelectorAll('.tile img')].every(img => img.src.startsWith('blob:') && img.naturalWidth > 100)"), "pictures", page=page)
        page.wait_for_selector("article.tile.alert .badge")
        watched.screenshot("wall")
        page.fill("#wall-q", "street1")
        until(lambda: page.locator("article.tile").count() == 1, "the filter", page=page)
        self.assertEqual(watched.foreign(), [])
        self.assertEqual(watched.violations(), [])
        self.assertEqual(watched.errors, [])

    def test_a_models_text_is_text_whatever_it_says(self):
        watched = self.watched(self.service)
        page = watched.open("#/camera/street0")
        until(lambda: HOSTILE in page.inner_text("main") or "right to left" in page.inner_text("main"), "the answer", page=page)
        page.wait_for_timeout(1000)
        self.assertEqual(page.locator("main img[src=x]").count(), 0)
        self.assertEqual(page.title(), "street0 · Palisade")
        self.assertEqual(watched.violations(), [])
        self.assertEqual(watched.errors, [])

    def test_the_last_ten_seconds_are_asked_about(self):
        watched = self.watched(self.service)
        page = watched.open("#/camera/street0")
        page.fill("#ask-in", "is there a person?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer .word, .answer .box-note")
        self.assertIn(page.inner_text(".answer").split()[0], ("yes", "no"))
        self.assertRegex(page.inner_text(".answer"), r"\d+ pictures?")
        watched.screenshot("camera")

    def save(self, page, done):
        """Saves; a machine that is busy with other things says that it is too much, and is told to do it all the same."""
        page.click("button:has-text('Save')")
        page.wait_for_selector(f"button:has-text('Save all the same'), {done}")
        if page.locator("button:has-text('Save all the same')").count():
            page.click("button:has-text('Save all the same')")
        page.wait_for_selector(done)

    def test_a_changed_prompt_is_in_the_next_event_and_no_other_camera_pauses(self):
        watched = self.watched(self.service)
        page = watched.open("#/camera/street1")

        def frames():
            return next(one for one in self.service.get("/api/v1/streams")[2]["streams"] if one["name"] == "street0")["counts"]["frames"]
        page.click("#tab-prompts")
        page.click("text=Ask something else")
        page.click("text=Yes or no alert")
        page.fill("label:has-text('Question') input", "is there a dog?")
        counts, began = [frames()], time.monotonic()
        self.save(page, "button:has-text('Ask something else')")
        written = self.service.get("/api/v1/streams/street1")[2]["settings"]
        self.assertEqual([task.get("question") for task in written["tasks"]], [None, "is there a dog?"])

        def answered():
            counts.append(frames())
            return self.service.get("/api/v1/events?stream=street1&task=is_there_a_dog&limit=1")[2]["events"]
        event = until(answered, "an answer to the new question", page=page)[0]["event"]
        self.assertEqual(event["data"]["prompt"], "answer en is there a dog?")
        seconds = time.monotonic() - began
        self.assertGreater(counts[-1], counts[0])
        self.assertEqual(counts, sorted(counts))  # its counter never began anew
        print(f"street0 counted {counts[-1] - counts[0]} frames in the {seconds:.1f} s until the new question was answered")

    def test_what_another_editor_saved_meanwhile_is_shown_as_a_difference(self):
        watched = self.watched(self.service)
        page = watched.open("#/camera/street1")
        page.click("#tab-prompts")
        page.click("button[aria-label='Edit What happens?']")
        page.select_option("label:has-text('Every') select", "10s")
        settings = self.service.get("/api/v1/streams/street1")[2]["settings"]
        settings["tasks"][0]["every"] = "20s"
        self.assertEqual(self.service.ask("PUT", "/api/v1/streams/street1?force=1", settings)[0], 200)
        page.click("button:has-text('Save')")
        page.wait_for_selector("text=was changed meanwhile")
        said = page.inner_text(".box-note.warn")
        self.assertIn("20s", said)
        self.assertIn("10s", said)
        watched.screenshot("changed-meanwhile")
        page.click("text=Save mine")
        page.wait_for_selector("button:has-text('Save all the same'), button:has-text('Ask something else')")
        if page.locator("button:has-text('Save all the same')").count():
            page.click("button:has-text('Save all the same')")
        until(lambda: self.service.get("/api/v1/streams/street1")[2]["settings"]["tasks"][0]["every"] == "10s", "my change", page=page)

    def test_a_mask_is_drawn_by_mouse_and_by_keyboard(self):
        watched = self.watched(self.service)
        page = watched.open("#/camera/street1")
        until(lambda: page.evaluate("document.querySelector('.view img')?.naturalWidth > 100"), "its picture", page=page)
        page.click("#tab-masks")
        page.click("text=New mask")
        box = page.locator(".drawing").bounding_box()
        for x, y in ((0.1, 0.1), (0.4, 0.1), (0.4, 0.4)):
            page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.click("button:has-text('Corner')")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("ArrowLeft")
        watched.screenshot("mask")
        page.click("text=Save mask")
        page.wait_for_selector("text=Mask 1")
        mask = self.service.get("/api/v1/streams/street1")[2]["settings"]["masks"][0]
        for got, wanted in zip(mask, ([0.1, 0.1], [0.4, 0.1], [0.4, 0.4], [0.24, 0.3]), strict=True):
            self.assertAlmostEqual(got[0], wanted[0], delta=0.02)
            self.assertAlmostEqual(got[1], wanted[1], delta=0.02)
        page.click("button[aria-label='Remove mask 1']")
        until(lambda: "masks" not in self.service.get("/api/v1/streams/street1")[2]["settings"], "no mask", page=page)

    def test_a_region_is_drawn_by_keyboard_alone_and_a_mask_by_finger(self):
        self.assertEqual(self.service.ask("PUT", "/api/v1/streams/drawn?force=1", {"url": "street:", "tasks": [{"task": "caption", "frames": 1, "every": "5s"}]})[0], 200)
        self.addCleanup(lambda: self.service.ask("DELETE", "/api/v1/streams/drawn"))
        watched = self.watched(self.service, has_touch=True)
        page = watched.open("#/camera/drawn")
        until(lambda: page.evaluate("document.querySelector('.view img')?.naturalWidth > 100"), "its picture", page=page)
        page.focus("#tab-answers")
        page.keyboard.press("ArrowLeft")  # round to the last tab
        page.wait_for_selector("#tab-masks[aria-selected=true]")
        page.locator("label:has-text('Regions') input").focus()
        page.keyboard.press("Space")
        page.focus("button:has-text('New region')")
        page.keyboard.press("Enter")
        for corner in range(3):
            page.focus("button:has-text('Corner'):not([data-corner])")
            page.keyboard.press("Enter")
            until(lambda: page.evaluate("document.activeElement.dataset.corner") == str(corner), "the focus on the new corner", page=page)
        page.keyboard.press("Shift+ArrowUp")
        page.focus("button:has-text('Save region')")
        page.keyboard.press("Enter")
        page.wait_for_selector("button:has-text('Save all the same'), .task:has-text('Region 1')")
        if page.locator("button:has-text('Save all the same')").count():
            page.click("button:has-text('Save all the same')")
        settings = until(lambda: (lambda found: found if found.get("gate") else None)(self.service.get("/api/v1/streams/drawn")[2]["settings"]), "the region", page=page)
        self.assertEqual(settings["gate"], {"motion": True, "region": [[[0.35, 0.35], [0.65, 0.35], [0.5, 0.6]]]})

        page.click("label:has-text('Masks') >> nth=0")
        page.click("text=New mask")
        box = page.locator(".drawing").bounding_box()
        for x, y in ((0.2, 0.2), (0.5, 0.2), (0.5, 0.6)):
            page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])
        until(lambda: page.locator("[data-corner]").count() == 3, "three corners", page=page)
        self.save(page, ".task:has-text('Mask 1')")
        self.assertEqual(len(self.service.get("/api/v1/streams/drawn")[2]["settings"]["masks"][0]), 3)

    def test_a_camera_is_paused_and_removed(self):
        self.assertEqual(self.service.ask("PUT", "/api/v1/streams/extra?force=1", {"url": "street:", "tasks": [{"task": "caption", "frames": 1, "every": "5s"}]})[0], 200)
        page = self.watched(self.service).open("#/camera/extra")
        page.click("button:has-text('Pause')")
        page.wait_for_selector("button:has-text('Go on')")
        self.assertIs(self.service.get("/api/v1/streams/extra")[2]["settings"]["paused"], True)
        page.click("button:has-text('Go on')")
        page.wait_for_selector("button:has-text('Save all the same'), button:has-text('Pause')")  # as in save()
        if page.locator("button:has-text('Save all the same')").count():
            page.click("button:has-text('Save all the same')")
        page.wait_for_selector("button:has-text('Pause')")
        page.click("button:has-text('Remove')")
        page.click("button:has-text('Remove extra for good')")
        page.wait_for_selector("#wall-q")
        self.assertEqual(self.service.get("/api/v1/streams/extra")[0], 404)

    def test_no_page_has_a_fault_that_axe_finds_or_scrolls_sideways(self):
        event = until(lambda: self.service.get("/api/v1/events?stream=street0&kind=answer&limit=1")[2]["events"], "an event")[0]["event"]["id"]
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                watched = self.watched(self.service, scheme=scheme, size=(width, 800))
                for where in [*PAGES, f"#/event/{event}"]:
                    with self.subTest(f"{where} {scheme} {width}"):
                        page = watched.open(where)
                        page.wait_for_timeout(700)
                        watched.screenshot(f"{where[2:].split('/')[0]}-{scheme}-{width}")
                        self.assertEqual(watched.axe(), [])
                        self.assertLessEqual(watched.overflow(), 0)
                self.assertEqual(watched.errors, [])
                self.assertEqual(watched.violations(), [])
                self.assertEqual(watched.foreign(), [])
                watched.page.context.close()

    def test_keys_go_to_pages_and_none_acts_while_one_types(self):
        page = self.watched(self.service).open()
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_url("**/#/system")
        page.keyboard.press("g")
        page.keyboard.press("w")
        page.wait_for_selector("#wall-q")
        page.keyboard.press("/")
        page.keyboard.type("gs?")
        self.assertEqual(page.input_value("#wall-q"), "gs?")
        self.assertTrue(page.url.endswith("#/wall"))
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")

    def test_who_may_only_look_is_offered_nothing_else(self):
        token = self.service.token("looker", "view", ["street0"])
        page = self.watched(self.service, token=token).open("#/wall")
        until(lambda: page.locator("article.tile").count() == 1, "one camera", page=page)
        self.assertEqual(page.locator("text=Add a camera").count(), 0)
        page = self.watched(self.service, token=token).open("#/camera/street0")
        self.assertEqual(page.locator("[role=tab]").count(), 1)
        self.assertEqual(page.locator("#ask-in").count(), 0)


class Doors(InBrowser):
    """How a browser is let in, and what it is told when it no longer is."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = HttpService({"a": f"url: 'street:'\n    tasks: [{CAPTION}]"})
        cls.addClassCleanup(cls.service.close)

    def test_a_link_lets_a_browser_in_and_leaves_no_token_in_the_address(self):
        context = self.browser.context()
        self.addCleanup(context.close)
        page = context.new_page()
        page.goto(palisade("open", "--state", self.service.state).stdout.strip())
        page.wait_for_selector("article.tile")
        self.assertEqual(page.url, f"{self.service.url}/#/wall")
        self.assertEqual(page.evaluate("document.cookie"), "")

    def test_a_browser_without_a_token_is_told_how_to_get_one(self):
        context = self.browser.context()
        self.addCleanup(context.close)
        page = context.new_page()
        page.goto(self.service.url)
        page.wait_for_selector("text=palisade open")
        page.fill("input[name=token]", "pal_" + "0" * 64)
        page.click("button:has-text('Open')")
        page.wait_for_selector("text=There is no such token.")
        page.fill("input[name=token]", self.service.admin)
        page.click("button:has-text('Open')")
        page.wait_for_selector("article.tile")

    def test_a_revoked_token_is_told(self):
        token = self.service.token("guest", "view")
        page = self.watched(self.service, token=token).open()
        page.wait_for_selector("article.tile")
        self.assertEqual(self.service.ask("DELETE", "/api/v1/tokens/guest")[0], 204)
        page.wait_for_selector("text=may no longer look in")
        page.fill("input[name=token]", self.service.admin)
        page.click("button:has-text('Open')")
        page.wait_for_selector("article.tile")

    def test_ages_are_right_where_the_browsers_clock_is_wrong(self):
        context = self.browser.context(self.service)
        self.addCleanup(context.close)
        context.add_init_script("const then = Date.now; Date.now = () => then() + 3 * 3600 * 1000;")
        page = Watched(context, self.service).open()
        page.wait_for_selector("article.tile .ask time")
        page.wait_for_timeout(1500)
        said = page.inner_text("article.tile .ask time")
        self.assertRegex(said, r"^(now|\d+ s ago)$")


class WithoutJournal(InBrowser):
    def test_the_wall_works_and_says_that_nothing_is_stored(self):
        with HttpService({"a": f"url: 'street:'\n    tasks: [{CAPTION}]"}, more="journal: off\n") as service:
            watched = self.watched(service)
            page = watched.open()
            page.wait_for_selector("text=No journal.")
            until(lambda: page.locator("article.tile .ask time").count(), "an answer", page=page)
            self.assertTrue(page.inner_text("article.tile .said"))
            page = watched.open("#/camera/a")
            page.wait_for_selector(".day .t3")
            self.assertEqual(watched.errors, [])


if __name__ == "__main__":
    or_skip()
    main()
