#!/usr/bin/env python3
"""Every form of the dashboard, filled and sent with Enter at once, in a browser that draws half a second late: what is sent is what
was typed, not what was last drawn."""
import unittest

from dashboard import Browser, Watched, expect, or_skip, until
from http_service import HttpService
from palisade import main, wait_for

CAPTION = "url: 'street:'\n    tasks: [{task: caption, frames: 1, every: 3s}]"
LATE = """{ const drawn = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = call => drawn(now => setTimeout(() => call(now), 500)); }"""


class Forms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.service = HttpService({"gate": CAPTION, "yard": CAPTION})
        cls.addClassCleanup(cls.service.close)
        cls.event = wait_for(lambda: all(cls.answers(name) for name in ("gate", "yard")) and cls.answers("gate")[0]["event"]["id"], "an answer of each camera")

    @classmethod
    def answers(cls, name):
        return cls.service.get(f"/api/v1/events?stream={name}&kind=answer&limit=1")[2]["events"]

    def watched(self, service):
        context = self.browser.context(service)
        self.addCleanup(context.close)
        context.add_init_script(LATE)
        watched = Watched(context, self.service)
        self.addCleanup(lambda: self.assertEqual(watched.errors, []))
        return watched

    def opened(self, where):
        return self.watched(self.service).open(where)

    def send(self, page, field, text):
        field.fill(text)
        page.keyboard.press("Enter")

    def ask(self, page, field, question):
        """A question that is none is told of, and the one behind it is sent."""
        self.send(page, field, " ")
        expect(page.locator(".said-line")).to_have_text("Write a question first.")
        self.send(page, field, question)

    def go_on(self, page, words, done):
        """A machine that is busy with other things says that it is too much, and is told to go on all the same."""
        page.wait_for_selector(f"button:has-text('{words}'), {done}")
        if page.locator(f"button:has-text('{words}')").count():
            page.click(f"button:has-text('{words}')")
        page.wait_for_selector(done)

    def test_a_token_opens_the_page(self):
        page = self.watched(None).page
        page.goto(self.service.url)
        self.send(page, page.get_by_label("Token"), self.service.admin)
        page.wait_for_selector("article.tile")

    def test_a_camera_is_asked_and_an_empty_question_is_told(self):
        page = self.opened("#/camera/gate")
        self.ask(page, page.locator("#ask-in"), "is there a car?")
        expect(page.locator(".answer .word")).to_be_visible()
        self.assertIn(page.locator(".answer .word").inner_text(), ("yes", "no"))

    def test_the_page_ask_asks(self):
        page = self.opened("#/ask?camera=gate")
        self.ask(page, page.get_by_label("Question"), "caption en")
        expect(page.locator(".answer .said, .answer .word")).to_be_visible()
        expect(page.locator(".panel .mono").first).to_have_text("caption en")

    def test_a_statement_about_two_pictures_is_asked(self):
        page = self.opened("#/pairs")
        expect(page.locator(".compare img")).to_have_count(2)
        self.send(page, page.get_by_label("Statement"), "both images contain a car")
        expect(page.locator(".p-big")).to_contain_text("P(true)")

    def test_a_new_question_is_saved(self):
        page = self.opened("#/camera/yard")
        page.click("#tab-prompts")
        page.click("text=Ask something else")
        page.click("text=Yes or no alert")
        self.send(page, page.get_by_label("Question", exact=True), "is there a bus?")
        self.go_on(page, "Save all the same", "button:has-text('Ask something else')")
        tasks = self.service.get("/api/v1/streams/yard")[2]["settings"]["tasks"]
        self.assertEqual([task.get("question") for task in tasks], [None, "is there a bus?"])

    def test_a_camera_is_tried_and_started(self):
        self.addCleanup(lambda: self.service.ask("DELETE", "/api/v1/streams/third"))
        page = self.opened("#/first")
        page.click(".choice:has-text('A camera')")
        self.send(page, page.locator("label.field:has-text('Address') input"), "street:")
        page.wait_for_selector("text=This is what it sees")
        self.send(page, page.locator("label.field:has-text('Call it') input"), "third")
        self.go_on(page, "Start all the same", ".first-answer")
        self.assertEqual(self.service.get("/api/v1/streams/third")[0], 200)

    def test_events_are_erased_once_it_is_said_what_goes(self):
        page = self.opened("#/system")
        panel = page.locator(".panel", has=page.get_by_role("heading", name="Erase"))
        panel.get_by_label("Camera").fill("gate")
        panel.get_by_label("From").fill("2024-01-01T00:00:00")
        self.send(page, panel.get_by_label("Until"), "2024-01-02T00:00:00")
        expect(panel.locator("[role=status]")).to_contain_text("gate has no event from 1 January at 00:00")
        self.send(page, panel.get_by_label("Until"), "2023-01-01T00:00:00")
        expect(panel.locator(".box-note")).to_have_text("Until is later than From.")
        self.send(page, panel.get_by_label("Until"), "2090-01-01T00:00:00")
        panel.get_by_role("button", name="for good").click()
        expect(page.locator(".said-line")).to_contain_text("erased.")
        self.assertEqual(self.service.get(f"/api/v1/events/{self.event}")[0], 404)

    def test_words_are_searched(self):
        page = self.opened("#/events")
        self.send(page, page.locator("#ev-q"), "zzz")
        expect(page.locator(".empty h2")).to_have_text("No event says “zzz”")

    def test_a_wrong_answer_is_written_anew(self):
        event = self.answers("yard")[0]["event"]["id"]
        page = self.opened(f"#/event/{event}")
        page.get_by_role("button", name="Wrong", exact=True).click()
        self.send(page, page.get_by_label("What really happened"), "a blue bicycle stays")
        until(lambda: self.service.get(f"/api/v1/events/{event}")[2].get("verdict", {}).get("text") == "a blue bicycle stays", "the verdict", page=page)

    def test_a_token_is_made(self):
        page = self.opened("#/system")
        page.get_by_role("button", name="New token").click()
        self.send(page, page.locator("label.field:has-text('Name') input"), "tablet")
        expect(page.locator("#new-token")).to_be_visible()


if __name__ == "__main__":
    or_skip()
    main()
