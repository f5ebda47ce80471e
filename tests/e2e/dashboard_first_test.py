#!/usr/bin/env python3
"""The dashboard's first run in a browser: from nothing to the first sentence, by mouse and by keyboard alone; and ./run demo."""
import base64
import http.server
import re
import threading
import time
import unittest

from dashboard import SCREENS, Browser, Watched, or_skip, until
from http_service import HttpService
from palisade import BUILD, SOURCE, Running, main, wait_for

PASSWORD = "p@:/#%[]!"
MOST_CLICKS = 5
COUNT_CLICKS = "window.clicks = 0; addEventListener('pointerdown', () => { clicks += 1; }, true);"


class LockedCamera:
    """A camera of the web that shows a street, picture by picture, to whoever knows its password."""

    def __init__(self, pictures):
        wanted = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.headers.get("Authorization") != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=x")
                self.end_headers()
                try:
                    for number in range(1 << 20):
                        picture = pictures[number // 4 % len(pictures)]
                        self.wfile.write(b"--x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture + b"\r\n")
                        time.sleep(0.1)
                except OSError:
                    pass  # the reader has gone

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/video.mjpg"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class FirstRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        with HttpService({"street": "url: 'street:'\n    tasks: [{task: caption, frames: 1, every: 1s}]"}) as service:
            pictures = []

            def enough():
                status, _, body = service.get("/api/v1/streams/street/picture.jpg")
                if status == 200 and body not in pictures:
                    pictures.append(body)
                return len(pictures) >= 4
            wait_for(enough, "pictures of the street")
        cls.camera = LockedCamera(pictures)
        cls.addClassCleanup(cls.camera.close)

    def setUp(self):
        self.service = HttpService()
        self.addCleanup(self.service.close)
        context = self.browser.context(self.service)
        self.addCleanup(context.close)
        context.add_init_script(COUNT_CLICKS)
        self.watched = Watched(context, self.service)

    def tearDown(self):
        self.assertEqual(self.watched.errors, [])
        self.assertEqual(self.watched.foreign(), [])
        self.assertEqual(self.watched.violations(), [])

    def answered(self, page):
        """Waits for the first answer after Start watching. A machine that is busy with other things says that the camera is too
        much for it, and is told by keyboard to start all the same."""
        page.wait_for_selector("a:has-text('To the wall'), button:has-text('Start all the same')")
        if page.locator("button:has-text('Start all the same')").count():
            page.locator("button:has-text('Start all the same')").press("Enter")
        page.wait_for_selector(".first-answer")

    def test_five_clicks_lead_to_the_first_caption_of_a_camera_with_a_password(self):
        page = self.watched.open()
        page.click("text=Add the first camera")
        page.click(".choice:has-text('A camera')")
        page.click("label.field:has-text('Address') input")
        page.keyboard.type(self.camera.url)
        for words in ("admin", PASSWORD):
            page.keyboard.press("Tab")
            page.keyboard.type(words)
        page.click("button:has-text('Try')")
        page.wait_for_selector("text=This is what it sees")
        self.watched.screenshot("first-tried")
        page.click("text=Start watching")
        self.answered(page)
        self.assertTrue(page.inner_text(".first-answer").strip())
        self.assertLessEqual(page.evaluate("window.clicks"), MOST_CLICKS)
        self.watched.screenshot("first-answer")
        settings = self.service.get("/api/v1/streams/front_door")[2]["settings"]
        self.assertEqual(settings["username"], "admin")
        self.assertNotIn(PASSWORD, str(settings))

    def test_the_keyboard_alone_leads_to_the_first_caption(self):
        page = self.watched.open()
        keys = page.keyboard

        def tab_to(words):
            for _ in range(40):
                keys.press("Tab")
                if words in page.evaluate("(document.activeElement.closest('label') ?? document.activeElement).textContent + (document.activeElement.value ?? '')"):
                    return
            self.fail(f"Tab does not lead to {words}")
        tab_to("Add the first camera")
        keys.press("Enter")
        page.wait_for_selector(".choice")
        tab_to("A simulated street")
        keys.press("ArrowDown")
        page.wait_for_selector("label.field:has-text('Address')")
        for field, words in (("Address", self.camera.url), ("Name", "admin"), ("Password", PASSWORD)):
            tab_to(field)
            keys.type(words)
        tab_to("Try")
        keys.press("Enter")
        page.wait_for_selector("text=Start watching")
        keys.press("Enter")
        self.answered(page)
        self.assertEqual(page.evaluate("window.clicks"), 0)

    def test_a_wrong_password_is_told_with_a_remedy_and_nothing_is_written(self):
        page = self.watched.open("#/first")
        page.click(".choice:has-text('A camera')")
        page.fill("label.field:has-text('Address') input", self.camera.url)
        page.fill("label.field:has-text('Name') input", "admin")
        page.fill("input[type=password]", "wrong")
        page.click("button:has-text('Try')")
        page.wait_for_selector("#try-out")
        self.assertIn("password", page.inner_text("#try-out"))
        self.watched.screenshot("first-refused")
        self.assertEqual(self.service.get("/api/v1/streams")[2]["streams"], [])

    def test_the_simulated_street_needs_no_camera(self):
        page = self.watched.open()
        page.click("text=Add the first camera")
        page.click(".choice:has-text('A simulated street')")
        page.click("text=Start watching")
        self.answered(page)
        self.assertRegex(page.inner_text(".first-answer"), r"\w+")
        self.assertEqual(page.evaluate("window.clicks"), 3)
        page.click("text=To the wall")
        page.wait_for_selector("article.tile[aria-label=street]")

    def test_a_film_of_ones_own_is_asked_about(self):
        page = self.watched.open("#/first")
        page.click(".choice:has-text('A film')")
        page.set_input_files("input[type=file]", SOURCE / "configs" / "street.mp4")
        page.click("button:has-text('Ask'):not([aria-disabled=true])")
        page.wait_for_selector(".answer .said, .answer .word")
        self.assertRegex(page.inner_text(".answer"), r"16 pictures")
        self.watched.screenshot("first-film")


class Demo(unittest.TestCase):
    def test_the_demo_ends_in_a_page_that_shows_captions_of_both_cameras(self):
        browser = Browser()
        self.addCleanup(browser.close)
        demo = Running(SOURCE / "examples" / "demo" / "demo.sh", "--seconds", 300, environment={"PALISADE_BUILD": str(BUILD)})
        self.addCleanup(demo.__exit__)
        link = wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+/#token=\w+", demo.stdout()), "the link")[0]
        page = browser.context(size=(1180, 440)).new_page()
        page.goto(link)
        for camera in ("street0", "street1"):
            until(lambda: re.search(r"\b(left|right|stays?|street)\b", page.inner_text(f"article.tile[aria-label={camera}] .said")) if page.locator(f"article.tile[aria-label={camera}] .said").count() else None,
                  f"a caption of {camera}", page=page)
        page.wait_for_selector("text=Demo model.")
        until(lambda: page.evaluate("[...document.querySelectorAll('.tile img')].every(img => img.naturalWidth > 100)"), "pictures", page=page)
        SCREENS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENS / "demo.jpg", type="jpeg", quality=72)
        self.assertIn("said", wait_for(lambda: demo.stdout() if "said" in demo.stdout() else None, "the score"))


if __name__ == "__main__":
    or_skip()
    main()
