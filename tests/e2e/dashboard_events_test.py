#!/usr/bin/env python3
"""Events, one event, pairs, questions and the system in a browser, against a running service."""
import base64
import json
import re
import sqlite3
import unittest
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dashboard import Browser, Watched, expect, or_skip, until
from http_service import STREET, HttpService, street_pictures
from palisade import main, wait_for

CAPTION = "url: 'street:'\n    tasks: [{task: caption, frames: 16, span: 4s, every: 4s}]"
QUESTION = "url: 'street:'\n    tasks: [{task: question, name: car, question: 'is there a car?', type: yes_no, frames: 1, every: 3s}]"
MARKUP = '<img src=x onerror="alert(1)"><b>a red car</b>'
ARABIC = "سيارة حمراء تدخل من اليمين"
LONG = "a red car drives to the left and " * 303  # 10,000 characters
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Journal:
    """The tables of a running service, as a test may change them: what the model said and when."""

    def __init__(self, service):
        self.file = service.state / "journal.db"

    def change(self, statement, values=()):
        database = sqlite3.connect(self.file, timeout=30)
        with database:
            database.execute(statement, values)
        database.close()

    def write(self, entry, text, time, stored=False):
        """An event like this one, with another text and time, and pictures that nobody has; its id."""
        event = json.loads(json.dumps(entry["event"]))
        event["id"] = "7" + "".join(ALPHABET[ord(c) * 7 % 32] for c in (text * 30)[:25])
        event["time"], event["data"]["text"] = time, text
        event["data"]["view"]["sha256"] = event["id"].lower().ljust(64, "0").translate(str.maketrans("ghjkmnpqrstvwxyz", "0" * 16))
        if not stored:
            for key in ("frames_stored", "view"):
                event["data"].pop(key, None)
        stamp = round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)
        self.change("INSERT INTO event(id, topic, sequence, stream, task, kind, time_ms, text, body) SELECT ?, topic, 0, stream, task, kind, ?, ?, ? "
                    "FROM event WHERE id = ?", (event["id"], stamp, text, json.dumps(event), entry["event"]["id"]))
        return event["id"]

    def move(self, entry, time):
        """Makes an event one of another time."""
        event = json.loads(json.dumps(entry["event"]))
        event["time"] = time
        stamp = round(datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp() * 1000)
        self.change("UPDATE event SET time_ms = ?, body = ? WHERE id = ?", (stamp, json.dumps(event), event["id"]))


def iso(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = HttpService({"gate": CAPTION, "yard": QUESTION})
        cls.addClassCleanup(cls.service.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.stored = wait_for(cls.stored_answers, "two answers of the gate with their frames")
        cls.journal = Journal(cls.service)

    @classmethod
    def stored_answers(cls):
        rows = cls.service.get("/api/v1/events?stream=gate&kind=answer&limit=20")[2]["events"]
        good = [row for row in rows if len(row["event"]["data"]["frames"]) == 16
                and cls.service.get(f"/api/v1/events/{row['event']['id']}/sheet.jpg")[0] == 200]
        yard = cls.service.get("/api/v1/events?stream=yard&kind=answer&limit=1")[2]["events"]
        return good if len(good) > 1 and yard else None

    def watched(self, where, **options):
        context = self.browser.context(self.service, timezone_id="Europe/Berlin", **options)
        self.addCleanup(context.close)
        watched = Watched(context, self.service)
        self.addCleanup(self.well, watched)
        watched.open(where)
        return watched

    def well(self, watched):
        self.assertEqual((watched.errors, watched.foreign(), watched.violations()), ([], [], []))


class Events(InBrowser):
    def test_yesterdays_event_is_found_by_a_word_and_its_sixteen_frames_are_seen(self):
        entry = self.stored[0]
        self.journal.move(entry, iso(datetime.now(timezone.utc) - timedelta(days=1)))
        word = max(entry["event"]["data"]["text"].split(), key=len)
        watched = self.watched("#/events")
        page, rows = watched.page, watched.page.locator(".ev[data-id]")
        page.keyboard.press("/")
        page.keyboard.type(word)
        page.get_by_label("Time").select_option("yesterday")
        expect(rows).to_have_count(1)
        expect(rows.locator(".said")).to_have_text(entry["event"]["data"]["text"])
        expect(page.locator(".group")).to_have_text("Yesterday")
        page.mouse.move(1, 1)
        sheet = rows.locator(".sheet")
        expect(sheet).to_have_count(0)
        rows.hover()
        self.plays(page, sheet)
        page.mouse.move(1, 1)
        expect(sheet).to_have_count(0)
        page.locator("h1").click()
        page.keyboard.press("j")
        self.plays(page, sheet)
        page.keyboard.press("Enter")
        cells = page.locator(".frames button")
        expect(cells).to_have_count(16)
        self.assertEqual(self.loaded(page, cells.first.locator(".sheet")), self.sheet_width())
        self.assertEqual(len({cell.evaluate("cell => cell.style.backgroundPosition") for cell in cells.locator(".sheet").all()}), 16)
        frame = page.get_by_role("slider", name="Frame")
        frame.focus()
        frame.press("ArrowLeft")
        expect(page.locator(".bar-row")).to_contain_text("15 of 16")
        expect(page.locator(".facts-list")).to_contain_text("caption en")
        watched.screenshot("event")

    def sheet_width(self):
        return 4 * (self.service.get("/api/v1/status")[2]["model"]["side"] + 4) + 4

    def plays(self, page, sheet):
        """All sixteen frames come by."""
        seen = set()
        until(lambda: sheet.count() and (seen.add(sheet.evaluate("sheet => sheet.style.backgroundPosition")) or len(seen) == 16), "sixteen frames", page=page)
        self.assertEqual(self.loaded(page, sheet), self.sheet_width())

    def loaded(self, page, sheet):
        """Width in pixels of the picture that is shown."""
        return sheet.evaluate("""sheet => new Promise((done, failed) => { const image = new Image(); image.onload = () => done(image.naturalWidth);
                                 image.onerror = failed; image.src = sheet.style.backgroundImage.slice(5, -2); })""")

    def test_new_events_wait_until_they_are_asked_for(self):
        page = self.watched("#/events?stream=yard").page
        rows = page.locator(".ev[data-id]")
        expect(rows.first).to_be_visible()
        first = rows.first.get_attribute("data-id")
        bar = page.locator(".newbar")
        expect(bar).to_be_visible()
        self.assertEqual(rows.first.get_attribute("data-id"), first)
        bar.click()
        expect(rows.first).not_to_have_attribute("data-id", first)
        expect(rows.first.locator(".said a")).to_be_focused()

    def test_a_verdict_is_given_corrected_and_taken_back(self):
        entry = self.stored[1]
        path = f"/api/v1/events/{entry['event']['id']}"
        page = self.watched(f"#/event/{entry['event']['id']}").page
        page.keyboard.press("n")
        page.get_by_label("What really happened").fill("a blue bicycle stays")
        page.keyboard.press("Enter")
        expect(page.locator(".really")).to_contain_text("a blue bicycle stays")
        self.assertEqual(self.service.get(path)[2]["verdict"], {"right": False, "text": "a blue bicycle stays"})
        lines = [json.loads(line) for line in self.service.get("/api/v1/examples.jsonl")[2].decode().splitlines()]
        self.assertEqual([line["suffix"] for line in lines if line["id"] == entry["event"]["id"]], ["a blue bicycle stays"])
        right = page.get_by_role("button", name="Right", exact=True)
        right.click()
        expect(right).to_have_attribute("aria-pressed", "true")
        self.assertEqual(self.service.get(path)[2].get("verdict"), {"right": True})
        page.keyboard.press("y")
        until(lambda: "verdict" not in self.service.get(path)[2], "the verdict taken back", page=page)

    def test_a_wrong_yes_is_corrected_by_one_click_on_the_list(self):
        page = self.watched("#/events?stream=yard&what=task:car").page
        row = page.locator(".ev[data-id]").first
        said = row.locator(".said b").inner_text()
        row.locator("[data-v=wrong]").click()
        row.get_by_role("button", name=f"It was {'no' if said == 'yes' else 'yes'}").click()
        expect(row.locator(".corr")).to_have_text(f"Really: {'no' if said == 'yes' else 'yes'}")
        self.assertFalse(self.service.get(f"/api/v1/events/{row.get_attribute('data-id')}")[2]["verdict"]["right"])

    def test_where_the_frames_are_gone_it_is_said_in_words(self):
        now = iso(datetime.now(timezone.utc))
        gone = self.journal.write(self.stored[1], "a dog whose frames are gone", now, stored=True)
        watched = self.watched("#/events?text=gone")
        row = watched.page.locator(f'.ev[data-id="{gone}"]')
        expect(row.locator(".thumb")).to_contain_text("frames gone")
        row.locator("a").first.click()
        expect(watched.page.locator(".empty h2")).to_have_text("Its frames are gone")

    def test_more_like_this_asks_what_looked_alike_and_keeps_what_is_kept(self):
        watched = self.watched("#/events?stream=gate")
        page = watched.page
        page.keyboard.press("j")
        page.keyboard.press("s")
        row = page.locator(".ev.sel")
        expect(row.locator("[data-v=keep]")).to_have_attribute("aria-pressed", "true")
        self.assertTrue(self.service.get(f"/api/v1/events/{row.get_attribute('data-id')}")[2]["kept"])
        page.keyboard.press("m")
        expect(page.locator(".likebar")).to_contain_text("Words cannot search pictures")
        expect(page.locator(".ev .tag.on").first).to_contain_text("alike")

    def test_with_less_motion_nothing_plays_until_it_is_asked_to(self):
        page = self.watched("#/events?stream=gate", reduced_motion="reduce").page
        page.keyboard.press("j")
        sheet = page.locator(".ev.sel .sheet")
        expect(sheet).to_have_count(1)
        place = "sheet => sheet.style.backgroundPosition"
        still = sheet.evaluate(place)
        page.wait_for_timeout(600)
        self.assertEqual(sheet.evaluate(place), still)
        page.keyboard.press("Space")
        until(lambda: sheet.evaluate(place) != still, "the frames play", page=page)

    def test_who_may_only_look_is_offered_nothing_else(self):
        token = self.service.token("looker", "view", ["gate"])
        page = self.watched("#/events", token=token).page
        row = page.locator(".ev[data-id]").first
        expect(row.locator("[data-v=like]")).to_be_visible()
        self.assertEqual(row.locator("[data-v=right]").count(), 0)
        self.assertEqual({name.inner_text() for name in page.locator(".ev .meta span:first-child").all()}, {"gate"})
        page.goto(f"{self.service.url}/#/ask")
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
        page.goto(f"{self.service.url}/#/system")
        expect(page.locator(".cal .lead")).to_be_visible()
        self.assertEqual(page.get_by_role("heading", name="Tokens").count(), 0)

    def test_an_answer_is_asked_again(self):
        page = self.watched(f"#/event/{self.stored[1]['event']['id']}").page
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".panel", has=page.get_by_role("heading", name="Replay")).locator("[role=status]")).to_contain_text(
            re.compile(r"^\s*(Same|Differs).*text", re.IGNORECASE))

    def test_a_browser_whose_clock_is_a_year_ahead_tells_the_services_ages(self):
        context = self.browser.context(self.service)
        self.addCleanup(context.close)
        context.add_init_script("{ const now = Date.now; Date.now = () => now() + 365 * 86400e3; }")
        page = Watched(context, self.service).open("#/events?stream=yard&what=kind:answer&time=1h")
        expect(page.locator(".group").first).to_have_text("Last 15 minutes")
        expect(page.locator(".ev time").first).to_have_text(re.compile(r"^(now|\d+ s ago|\d+ min( \d+ s)? ago)$"))

    def test_what_a_model_says_is_only_text(self):
        now = iso(datetime.now(timezone.utc))
        markup, arabic, long = (self.journal.write(self.stored[1], text, now) for text in (MARKUP, ARABIC, LONG))
        watched = self.watched("#/events?stream=gate")
        page = watched.page
        row = page.locator(f'.ev[data-id="{markup}"]')
        expect(row.locator(".said")).to_have_text(MARKUP)
        row.hover()
        expect(page.locator(".peek .lead")).to_have_text(MARKUP)
        page.goto(f"{self.service.url}/#/event/{markup}")
        expect(page.locator("p.lead")).to_have_text(MARKUP)
        self.assertEqual(page.locator("main [onerror], main b:has-text('a red car')").count(), 0)
        expect(page.locator(".empty")).to_contain_text("not kept")
        page.goto(f"{self.service.url}/#/event/{arabic}")
        expect(page.locator("p.lead")).to_have_text(ARABIC)
        self.assertEqual(page.locator("p.lead").evaluate("lead => getComputedStyle(lead).direction"), "rtl")
        page.goto(f"{self.service.url}/#/event/{long}")
        expect(page.locator("p.lead.clamp")).to_be_visible()
        page.get_by_role("button", name="Show all 9,999 characters").click()
        expect(page.locator("p.lead")).to_have_text(LONG.strip())
        self.assertLessEqual(watched.overflow(), 0)


class Asking(InBrowser):
    def test_the_knife_between_two_pictures_moves_by_arrow_keys_and_mouse_and_p_is_told(self):
        watched = self.watched("#/pairs")
        page = watched.page
        knife = page.get_by_role("slider", name="How much of the left picture is shown")
        top = page.locator(".compare .top")
        knife.focus()
        knife.press("ArrowRight")
        expect(knife).to_have_value("51")
        self.assertIn("49%", top.evaluate("top => top.style.clipPath"))
        page.keyboard.press("End")
        expect(knife).to_have_attribute("aria-valuetext", "100 % left picture")
        box = knife.bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20, steps=4)
        page.mouse.up()
        self.assertLess(abs(int(knife.input_value()) - 25), 4)
        page.get_by_label("Statement").fill("both images contain a car")
        page.get_by_role("button", name="Ask", exact=True).click()
        answer = page.locator(".p-big")
        expect(answer).to_contain_text("P(true)")
        self.assertRegex(answer.locator("b").inner_text(), r"[01]\.\d\d$")
        self.assertIn(page.locator(".panel .lead").inner_text(), ("true", "false"))
        expect(page.locator(".list tbody th")).to_have_text("both images contain a car")
        watched.screenshot("pairs")


    def test_a_pair_is_of_two_times_or_of_pictures_that_are_dropped_and_a_finger_moves_the_knife(self):
        watched = self.watched("#/pairs", has_touch=True, size=(360, 740))
        page = watched.page
        page.locator(".side select").first.select_option("at:gate")
        page.get_by_label("gate at").fill(datetime.now(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M:%S"))
        expect(page.locator(".cap.l")).to_have_text(re.compile(r"Left, gate, \d\d:\d\d:\d\d"))
        knife = page.get_by_role("slider", name="How much of the left picture is shown")
        knife.scroll_into_view_if_needed()
        box = knife.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.8)
        until(lambda: abs(int(knife.input_value()) - 75) < 6, "the knife under the finger", page=page)
        page.evaluate("""pictures => { const data = new DataTransfer();
            pictures.forEach((text, i) => data.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], `${i}.png`, {type: 'image/png'})));
            document.querySelector('main').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})); }""", street_pictures()[:2])
        expect(page.locator(".cap.l")).to_have_text("Left, 0.png")
        expect(page.locator(".cap.r")).to_have_text("Right, 1.png")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".p-big")).to_contain_text("P(true)")
        self.assertLessEqual(watched.overflow(), 0)

    def test_the_last_ten_seconds_are_answered(self):
        watched = self.watched("#/ask?camera=gate")
        page = watched.page
        page.get_by_role("button", name="is there a person?").click()
        page.get_by_role("button", name="Ask", exact=True).click()
        answer = page.locator(".answer")
        expect(answer.locator(".word")).to_have_text(re.compile("^(yes|no)$"))
        expect(answer).to_contain_text("P(yes)")
        expect(answer).to_contain_text(re.compile(r"1[0-6] pictures, \d\d:\d\d:\d\d to \d\d:\d\d:\d\d"))
        shown = page.locator(".seen .sheet")
        self.assertGreaterEqual(shown.count(), 10)
        watched.screenshot("ask")

    def test_pictures_of_ones_own_are_answered_and_a_broken_one_is_told(self):
        picture = {"name": "one.png", "mimeType": "image/png", "buffer": base64.b64decode(street_pictures()[0])}
        page = self.watched("#/ask").page
        page.get_by_text("Pictures or a film").click()
        page.locator(".drop input").set_input_files(picture)
        expect(page.locator(".given li")).to_contain_text(re.compile(r"\d [KM]?B"))  # its size: it is sent
        page.get_by_role("button", name="how many cars are there?").click()
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".answer .word")).to_have_text(re.compile(r"^\d+$"))
        expect(page.locator(".choices li")).to_have_count(11)
        page.get_by_role("button", name="Take one.png away").click()
        page.locator(".drop input").set_input_files(STREET)
        expect(page.locator(".given li")).to_contain_text(re.compile(r"\d [KM]?B"))
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".answer")).to_contain_text("16 pictures")
        page.get_by_role("button", name="Take street.mp4 away").click()
        page.locator(".drop input").set_input_files({"name": "two.png", "mimeType": "image/png", "buffer": b"no picture"})
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator(".answer .box-note")).to_be_visible()


class System(InBrowser):
    def test_room_is_told_and_a_token_is_made_shown_once_and_revoked(self):
        page = self.watched("#/system").page
        more = page.get_by_role("slider", name=re.compile("How many more cameras"))
        more.press("End")
        expect(page.locator(".what-if output")).to_have_text("8")
        expect(page.locator(".what-if [role=status]")).to_contain_text(re.compile(r"\d\.\d\d"))
        page.get_by_role("button", name="New token").click()
        page.get_by_label("Name").fill("tablet")
        page.get_by_role("checkbox", name="yard").check()
        page.get_by_role("button", name="Make it").click()
        token = page.locator("#new-token").inner_text()
        status, _, seen = self.service.get("/api/v1/streams", token=token)
        self.assertEqual((status, [stream["name"] for stream in seen["streams"]]), (200, ["yard"]))
        page.reload()
        expect(page.get_by_role("cell", name="view, yard")).to_be_visible()
        expect(page.locator("#new-token")).to_have_count(0)
        for name in ("Revoke tablet", "Yes, revoke tablet"):
            page.get_by_role("button", name=name).click()
        expect(page.get_by_role("cell", name="view, yard")).to_have_count(0)
        self.assertEqual(self.service.get("/api/v1/streams", token=token)[0], 401)

    def test_a_threshold_is_dragged_over_what_was_judged(self):
        rows = self.service.get("/api/v1/events?stream=yard&kind=answer&limit=3")[2]["events"]
        for row in rows:
            path = f"/api/v1/events/{row['event']['id']}/verdict"
            self.assertEqual(self.service.ask("PUT", path, {"right": True})[0], 204)
        page = self.watched("#/system").page
        expect(page.locator(".cal .lead")).to_contain_text("judged")
        threshold = page.get_by_role("slider", name="Threshold")
        threshold.press("Home")
        words = page.locator(".cal [role=status]")
        expect(words).to_contain_text("At 0.00")
        expect(words).to_contain_text(re.compile(r"Of \d+ judged at 0\.00 and above, \d+"))
        threshold.press("ArrowRight")
        expect(words).to_contain_text("At 0.05")


class Looks(InBrowser):
    def pages(self):
        one = self.stored[1]["event"]["id"]
        state = self.service.get("/api/v1/events?kind=state&limit=1")[2]["events"][0]["event"]["id"]
        return {"events": "#/events", "event": f"#/event/{one}", "state": f"#/event/{state}", "none": "#/events?text=zzz", "pairs": "#/pairs", "ask": "#/ask", "system": "#/system"}

    def test_axe_finds_nothing_in_either_scheme_and_nothing_is_wider_than_a_phone(self):
        for scheme in ("light", "dark"):
            watched = self.watched("#/wall", scheme=scheme)
            for name, where in self.pages().items():
                with self.subTest(page=name, scheme=scheme):
                    watched.page.goto(f"{self.service.url}/{where}")
                    watched.page.wait_for_selector("#title")
                    watched.page.wait_for_timeout(700)
                    watched.page.set_viewport_size({"width": 1280, "height": 800})
                    self.assertEqual(watched.axe(), [])
                    watched.screenshot(f"{name}-{scheme}")
                    watched.page.set_viewport_size({"width": 360, "height": 740})
                    self.assertLessEqual(watched.overflow(), 0)


class WithoutJournal(unittest.TestCase):
    def test_pages_say_that_nothing_is_stored(self):
        service = HttpService({"yard": QUESTION}, more="journal: off\n")
        self.addCleanup(service.close)
        browser = Browser()
        self.addCleanup(browser.close)
        watched = Watched(browser.context(service), service)
        page = watched.open("#/events")
        expect(page.locator("main .box-note.bad")).to_contain_text("keeps no journal")
        page.goto(f"{service.url}/#/system")
        expect(page.locator("main")).to_contain_text("Nothing is stored.")
        self.assertEqual((watched.errors, watched.violations()), ([], []))


if __name__ == "__main__":
    or_skip()
    main()
