#!/usr/bin/env python3
"""Addresses of the web as the programs read them: cameras that send films, pictures in a row and single ones, others
that redirect, certificates, and causes as a person reads them."""
import http.server
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from palisade import PROGRAM, SOURCE, Running, Subscriber, main, palisade, wait_for

GOLDEN = SOURCE / "tests" / "golden"
PASSWORD = "CANARY-http-1"


class Server:
    """A web server whose answers a function gives: (status, headers, parts of the body)."""

    def __init__(self, answer, host="127.0.0.1", certificate=None):
        self.requests = []
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                requests.append((self.path, dict(self.headers)))
                status, headers, parts = answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for part in parts:
                        self.wfile.write(part)
                except OSError:
                    pass  # the reader has gone

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.host = f"{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path="/x", user=""):
        return f"{self.scheme}://{user}{self.host}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def body(data, kind):
    return 200, {"Content-Type": kind, "Content-Length": len(data)}, [data]


def film(_=None):
    return body((GOLDEN / "clips" / "wrap.ts").read_bytes(), "video/mp2t")


def picture(_=None):
    return body((GOLDEN / "pictures" / "rgb_420.jpg").read_bytes(), "image/jpeg")


def paced(data, pieces):
    """A camera's stream, at about the speed of its three seconds."""
    size = len(data) // pieces + 1
    for at in range(0, len(data), size):
        yield data[at:at + size]
        time.sleep(3 / pieces)


class Service:
    def __init__(self, streams):
        self.folder = tempfile.TemporaryDirectory(prefix="palisade-e2e-")
        endpoint = f"ipc://{self.folder.name}/events"
        text = f"node: test\npublish: {endpoint}\nstreams:\n"
        for name, settings in streams.items():
            text += f"  - name: {name}\n    {settings}\n    tasks: [{{task: caption, frames: 1, every: 300ms}}]\n"
        config = Path(self.folder.name) / "config.yaml"
        config.write_text(text)
        self.running = Running(PROGRAM, "serve", "--config", config)
        self.subscriber = Subscriber(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.subscriber.close()
        self.running.__exit__(*arguments)
        self.folder.cleanup()

    def heard(self, condition, what):
        """The first event of which that holds, of those that have come or will."""
        for topic, event in self.subscriber.events:
            if condition(topic, event):
                return event
        return self.subscriber.until(condition, what)

    def state(self, name, *states):
        topic = f"palisade/v1/{name}/state"
        return self.heard(lambda seen, event: seen == topic and event["data"]["state"] in states, f"{name} {states}")

    def answer(self, name):
        return self.heard(lambda seen, _: seen == f"palisade/v1/{name}/caption", name)


class Http(unittest.TestCase):
    def fails(self, url, *flags):
        done = palisade("caption", url, "--frames", 1, "--every", "1s", *flags, check=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn(PASSWORD, done.stderr)
        self.assertNotIn("Input/output", done.stderr)
        return done.stderr

    def test_causes_are_named_with_their_remedy(self):
        page = b"<!DOCTYPE html><html><form>log in</form></html>"
        answers = {
            "/404": ((404, {}, []), "is the path right?"),
            "/403": ((403, {}, []), "does not let this user see it (403)"),
            "/401": ((401, {"WWW-Authenticate": 'Basic realm="x"'}, []), "refuses this user name and password"),
            "/503": ((503, {}, []), "too many viewers"),
            "/page": (body(page, "text/html"), "a web page, perhaps one to log in"),
            "/list": (body(b"#EXTM3U\n#EXTINF:1,\n/secret.ts\n", "application/vnd.apple.mpegurl"), "a playlist"),
            "/gif": (body(b"GIF89a" + bytes(60), "image/gif"), "a GIF picture: make it a JPEG, PNG or WebP"),
            "/file": ((302, {"Location": "file:///etc/passwd"}, []), "another kind of address"),
        }
        with Server(lambda path: answers[path][0]) as server:
            for path, (_, cause) in answers.items():
                with self.subTest(path):
                    self.assertIn(cause, self.fails(server.url(path, f"admin:{PASSWORD}@")))
            self.assertNotIn("/secret.ts", [path for path, _ in server.requests])
        self.assertIn("refuses the connection", self.fails(server.url()))

    def test_another_host_gets_no_request_and_one_that_is_named_gets_no_password(self):
        with Server(film, "127.0.0.2") as other:
            redirect = (302, {"Location": other.url("/reboot")}, [])
            with Server(lambda _: redirect) as camera:
                self.assertIn("redirect_hosts:", self.fails(camera.url(user=f"admin:{PASSWORD}@")))
                self.assertEqual(other.requests, [])
                login = f"url: '{camera.url()}', username: admin, password: {PASSWORD}"
                settings = login.replace(", ", "\n    ")
                with Service({"stays": settings, "goes": settings + "\n    redirect_hosts: [127.0.0.2]"}) as service:
                    service.state("goes", "online")
                    service.state("stays", "unreadable", "ended")  # the last one is told to who comes later
                    self.assertNotIn(PASSWORD, service.running.stderr())
                # The same by flags.
                self.fails(camera.url(user=f"admin:{PASSWORD}@"), "--redirect-hosts", "127.0.0.3")
                told = len(other.requests)
                done = palisade("caption", "--redirect-hosts", "127.0.0.3,127.0.0.2", camera.url(user=f"admin:{PASSWORD}@"),
                                "--frames", 1, "--every", "1s", check=None)
                self.assertNotIn(PASSWORD, done.stderr)
                self.assertIn("[00:00]", done.stdout)
                self.assertGreater(len(other.requests), told)
            self.assertTrue(other.requests)
            for _, headers in other.requests:
                self.assertFalse({"Authorization", "Referer", "Cookie"} & set(headers))

    def test_cameras_of_every_kind_are_served_and_a_cut_is_a_lost_connection(self):
        fragmented = (GOLDEN / "clips" / "fragmented.mp4").read_bytes()
        jpeg = picture()[2][0]
        part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg
        answers = {
            "/mp4": lambda: (200, {"Content-Type": "video/mp4"}, paced(fragmented, 30)),
            "/row": lambda: (200, {"Content-Type": 'multipart/x-mixed-replace; boundary="b"'}, paced(part * 60, 60)),
            "/still": lambda: picture(),
        }
        with Server(lambda path: answers[path]()) as server:
            names = {"mp4": "/mp4", "row": "/row", "still": "/still"}
            with Service({name: f"url: '{server.url(path)}'" for name, path in names.items()}) as service:
                for name in names:
                    service.state(name, "online")
                    self.assertEqual(service.answer(name)["data"]["frames"][0]["time_source"], "arrival")
                for name in ("mp4", "row"):  # their answers end after three seconds
                    self.assertEqual(service.state(name, "reconnecting", "unreadable")["data"]["state"], "reconnecting")
            self.assertGreater(sum(path == "/still" for path, _ in server.requests), 2)
            before = len(server.requests)
            done = palisade("ask", "what is it?", server.url("/still"), "--json", "--max-new-tokens", 1)
            self.assertEqual(len(server.requests), before + 1)
            self.assertIn('"type":"palisade.answer', done.stdout.replace(" ", ""))

    def test_a_certificate_is_told_by_its_fault_and_taken_where_it_is_named(self):
        with tempfile.TemporaryDirectory(prefix="palisade-e2e-") as folder:
            pem = Path(folder) / "camera.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", pem, "-out", f"{pem}.crt", "-days", "1", "-subj", "/CN=camera", "-addext",
                            "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            pem.write_text(pem.read_text() + Path(f"{pem}.crt").read_text())
            with Server(picture, certificate=pem) as server:
                error = self.fails(server.url())
                for text in ("signed by itself", "tls_ca:", "tls_verify: false"):
                    self.assertIn(text, error)
                with Service({"named": f"url: '{server.url()}'\n    tls_ca: {pem}.crt",
                              "any": f"url: '{server.url()}'\n    tls_verify: false"}) as service:
                    service.answer("named")
                    service.answer("any")
                for flags in (["--tls-ca", f"{pem}.crt"], ["--tls-verify", "false"]):
                    self.assertTrue(palisade("ask", *flags, "what is it?", server.url(), "--max-new-tokens", 1).stdout)
                self.fails(server.url(), "--tls-verify", "true")

    def test_a_stop_does_not_wait_for_a_server(self):
        asked = threading.Event()
        over = threading.Event()

        def silence(_):
            asked.set()
            over.wait(60)
            return film()

        with Server(silence) as server:
            with Running(PROGRAM, "caption", server.url(), "--frames", 1, "--every", "1s") as running:
                wait_for(asked.is_set, "a request")
                running.stop()
            over.set()


if __name__ == "__main__":
    main()
