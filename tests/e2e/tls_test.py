#!/usr/bin/env python3
"""The HTTP API beyond this machine: TLS of its own, a proxy before it, a Unix socket. R-66 of the fault list, and where added cameras may be."""
import http.client
import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from http_service import STREET, HttpService, street_pictures
from palisade import PROGRAM, Running, cameras, main, palisade, wait_for

CAMERA = f"url: '{STREET}'\n    loop: true\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"


def make_certificate(folder, name, *more):
    """A certificate for 127.0.0.1 and localhost, and its key."""
    certificate, key = Path(folder) / f"{name}.pem", Path(folder) / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", *(more or ("-days", "2"))], check=True, capture_output=True)
    key.chmod(0o600)
    return certificate, key


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="palisade-tls-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.certificate, cls.key = make_certificate(cls.folder, "first")
        cls.service = HttpService({"a": CAMERA}, listen="0.0.0.0:*", http=f", tls: {{certificate: '{cls.certificate}', key: '{cls.key}'}}")
        cls.addClassCleanup(cls.service.close)

    def context(self, certificate=None):
        return ssl.create_default_context(cafile=str(certificate or self.certificate))

    def get(self, path, context=None, headers=None, connection=None):
        asked = connection or http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=context or self.context())
        asked.request("GET", path, headers={"Authorization": f"Bearer {self.service.admin}", **(headers or {})})
        answer = asked.getresponse()
        content = answer.read()
        if not connection:
            asked.close()
        return answer.status, answer.headers, content

    def subject(self):
        with self.context().wrap_socket(socket.create_connection(("127.0.0.1", self.service.port), timeout=30), server_hostname="127.0.0.1") as connection:
            return dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"]

    def test_all_is_served_over_tls_and_a_connection_carries_many_requests(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=self.context())
        for _ in range(20):
            self.assertEqual(self.get("/health", connection=connection)[::2], (200, b"ok\n"))
            self.assertEqual(json.loads(self.get("/api/v1/streams", connection=connection)[2])["streams"][0]["name"], "a")
        connection.close()
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=self.context())
        connection.request("POST", "/api/v1/login", headers={"Authorization": f"Bearer {self.service.admin}"})
        self.assertIn("Secure", connection.getresponse().headers["Set-Cookie"].split("; "))
        connection.close()
        wait_for(lambda: self.get("/api/v1/streams/a/picture.jpg")[0] == 200, "a picture")
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=self.context())
        body = json.dumps({"prompt": "is there a car?", "stream": "a", "choices": ["yes", "no"]})
        connection.request("POST", "/api/v1/ask", body, {"Authorization": f"Bearer {self.service.admin}"})
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        connection = http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=self.context())
        connection.request("GET", "/api/v1/live?after=0", headers={"Authorization": f"Bearer {self.service.admin}"})
        answer = connection.getresponse()
        wait_for(lambda: answer.readline().startswith(b"data: "), "an event")
        connection.close()

    def test_r66_old_protocols_and_plain_http_are_refused(self):
        old = self.context()
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get("/health", context=old)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            one = self.context()
            one.minimum_version = one.maximum_version = version
            self.assertEqual(self.get("/health", context=one)[0], 200)
        answer = self.service.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertIn(b"https://", answer)
        for junk in (b"\x16\x03\x01\xff\xff" + b"\x01" * 100, b"\x00" * 100, b"\x16\x03\x01", b"SSH-2.0-x\r\n"):
            self.assertNotIn(b" 200 ", self.service.raw(junk))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.get("/health", context=ssl.create_default_context())
        self.assertEqual(self.get("/health", headers={"Host": "evil.example"})[0], 421)
        self.assertEqual(self.get("/health")[0], 200)

    def test_r66_who_never_says_hello_is_given_up_and_holds_nobody_up(self):
        silent = [socket.create_connection(("127.0.0.1", self.service.port), timeout=300) for _ in range(20)]
        self.assertEqual(self.get("/health")[0], 200)
        for connection in silent:
            self.assertEqual(connection.recv(10), b"")
            connection.close()

    def test_r66_certificates_are_read_again_and_a_bad_one_changes_nothing(self):
        self.addCleanup(self.exchange, self.certificate.read_bytes(), self.key.read_bytes(), "first")
        self.assertEqual(self.subject(), "first")
        kept = http.client.HTTPSConnection("127.0.0.1", self.service.port, timeout=30, context=self.context())
        self.assertEqual(self.get("/health", connection=kept)[0], 200)
        second = make_certificate(self.folder, "second")
        self.exchange(second[0].read_bytes(), second[1].read_bytes(), "second")
        self.assertEqual(self.get("/health", connection=kept)[0], 200)  # it goes on with the old one
        kept.close()
        for certificate, key in ((b"nonsense", second[1].read_bytes()), (second[0].read_bytes(), b""), (make_certificate(self.folder, "third")[0].read_bytes(), second[1].read_bytes())):
            told = self.service.running.stderr().count("the certificate stays as it was")
            self.certificate.write_bytes(certificate)
            self.key.write_bytes(key)
            self.service.running.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.service.running.stderr().count("the certificate stays as it was") > told, "what is wrong")
            self.certificate.write_bytes(second[0].read_bytes())
            self.assertEqual(self.subject(), "second")
        expired = make_certificate(self.folder, "old", "-days", "-1") if self.openssl_makes_expired() else None
        if expired:
            told = self.service.running.stderr().count("has expired")
            self.certificate.write_bytes(expired[0].read_bytes())
            self.key.write_bytes(expired[1].read_bytes())
            self.service.running.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.service.running.stderr().count("has expired") > told, "a warning of its age")
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.subject()

    def openssl_makes_expired(self):
        try:
            make_certificate(self.folder, "probe", "-days", "-1")
            return True
        except subprocess.CalledProcessError:
            return False

    def exchange(self, certificate, key, name):
        self.certificate.write_bytes(certificate)
        self.key.write_bytes(key)
        self.service.running.process.send_signal(signal.SIGHUP)

        def served():
            try:
                return self.subject() == name
            except ssl.SSLCertVerificationError:  # the one before, which the new file does not vouch for
                return False
        wait_for(served, f"the certificate {name}")


class Leaving(unittest.TestCase):
    def test_who_leaves_cancels_his_question_over_tls_as_well(self):
        with tempfile.TemporaryDirectory(prefix="palisade-tls-") as folder:
            certificate, key = make_certificate(folder, "slow")
            service = HttpService(listen="127.0.0.1:*", http=f", tls: {{certificate: '{certificate}', key: '{key}'}}", environment={"PALISADE_TEST_SLOWDOWN": "200"})
            self.addCleanup(service.close)
            context = ssl.create_default_context(cafile=str(certificate))
            body = json.dumps({"prompt": "caption en", "pictures": [street_pictures()[0]] * 16})
            headers = {"Authorization": f"Bearer {service.admin}"}

            def metric(name):
                connection = http.client.HTTPSConnection("127.0.0.1", service.port, timeout=30, context=context)
                connection.request("GET", "/metrics", headers=headers)
                return float(re.search(rf"(?m)^{name} (\S+)$", connection.getresponse().read().decode())[1])
            asked = []
            for _ in range(3):
                asked.append(http.client.HTTPSConnection("127.0.0.1", service.port, timeout=30, context=context))
                asked[-1].request("POST", "/api/v1/ask", body, headers)
            wait_for(lambda: metric("palisade_queue_depth") > 0, "a question that waits")
            for connection in asked:
                connection.close()
            wait_for(lambda: metric("palisade_requests_cancelled_total") == 3, "three cancelled")


class Refused(unittest.TestCase):
    def check(self, http_text):
        with tempfile.TemporaryDirectory(prefix="palisade-tls-") as folder:
            config = Path(folder) / "config.yaml"
            config.write_text(f"publish: ipc://{folder}/events\nstate: {folder}/state\nhttp: {{{http_text}}}\n")
            return palisade("serve", "--config", config, check=None)

    def test_another_address_needs_tls_or_a_proxy(self):
        for text, said in (("listen: '0.0.0.0:8420'", "tls:"), ("listen: '[::]:8420'", "tls:"), ("listen: '192.0.2.1:8420'", "tls:"),
                           ("listen: 'cameras.example:8420', tls: {certificate: a, key: b}", "in numbers"),
                           ("listen: '0.0.0.0:8420', tls: {certificate: a}", "without its key"), ("listen: '0.0.0.0:8420', tls: {certificate: a, key: b, colour: red}", "colour"),
                           ("trusted_proxy: [proxy.example]", "in numbers"), ("networks: [10.0.0.0/33]", "a network is"), ("networks: [10.0.0.1/8]", "a network is")):
            with self.subTest(text):
                done = self.check(text)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(said, done.stderr)
        done = self.check("listen: '0.0.0.0:0', tls: {certificate: /nowhere/a.pem, key: /nowhere/b.pem}")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("/nowhere/a.pem", done.stderr)


class Proxy(unittest.TestCase):
    def test_a_trusted_proxy_speaks_for_others_and_nobody_comes_past_it(self):
        service = HttpService(listen="0.0.0.0:*", http=", trusted_proxy: [127.0.0.2], hosts: [cam.example], origins: ['https://home.example']")
        self.addCleanup(service.close)

        def ask(source, headers, path="/api/v1/streams"):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30, source_address=(source, 0))
            connection.request("GET", path, headers={"Host": "cam.example", "Authorization": f"Bearer {service.admin}", **headers})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer
        self.assertEqual(ask("127.0.0.2", {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}).status, 200)
        self.assertEqual(ask("127.0.0.2", {"Origin": "https://cam.example"}).status, 200)
        self.assertEqual(ask("127.0.0.2", {"Origin": "https://evil.example"}).status, 403)
        # Who guesses is held up by the address that the proxy tells, and cannot choose it himself elsewhere.
        for _ in range(11):
            ask("127.0.0.2", {"X-Forwarded-For": "198.51.100.9", "Authorization": "Bearer pal_x"})
        begin = time.monotonic()
        ask("127.0.0.2", {"X-Forwarded-For": "evil, 198.51.100.9", "Authorization": "Bearer pal_x"})
        self.assertGreater(time.monotonic() - begin, 0.9)
        for number in range(12):
            begin = time.monotonic()
            ask("127.0.0.3", {"X-Forwarded-For": f"198.51.100.{number}", "Authorization": "Bearer pal_x"})
        self.assertGreater(time.monotonic() - begin, 0.9)
        own = [address for address in subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split() if ":" not in address]
        if own:  # another machine would come by this one's address of the network
            with socket.create_connection((own[0], service.port), timeout=30) as connection:
                self.assertIn(b" 403 ", connection.recv(1000))


class UnixSocket(unittest.TestCase):
    def test_a_unix_socket_is_for_its_group_and_needs_no_token(self):
        with tempfile.TemporaryDirectory(prefix="palisade-http-") as folder:
            path, config = Path(folder) / "http", Path(folder) / "config.yaml"
            config.write_text(f"publish: ipc://{folder}/events\nstate: {folder}/state\nhttp: {{listen: {path}}}\n")
            with Running(PROGRAM, "serve", "--config", config) as running:
                wait_for(lambda: "HTTP API on" in running.stderr(), "the API")
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660)
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(path))
                    connection.sendall(b"GET /api/v1/tokens HTTP/1.1\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while piece := connection.recv(4096):
                        answer += piece
                self.assertIn(b" 200 ", answer)
                self.assertEqual(running.stop(), 0)
            self.assertFalse(path.exists())


class Networks(unittest.TestCase):
    """Which addresses may be added while a service runs."""

    def test_cameras_outside_the_networks_are_refused_whatever_a_name_server_says(self):
        running, (url,) = cameras(1)
        self.addCleanup(running.__exit__)
        service = HttpService({"a": CAMERA})
        self.addCleanup(service.close)
        tasks = [{"task": "caption", "frames": 1, "every": "500ms"}]
        for host in ("169.254.169.254", "198.51.100.7", "[2001:db8::1]", "8.8.8.8"):
            with self.subTest(host):
                status, _, error = service.ask("PUT", "/api/v1/streams/x", {"url": f"http://{host}/latest", "tasks": tasks})
                self.assertEqual(status, 422, error)
                self.assertEqual(error["error"]["problems"][0]["pointer"], "/url")
                self.assertIn("http.networks", error["error"]["message"])
        status, _, error = service.ask("PUT", "/api/v1/streams/x", {"url": url, "redirect_hosts": ["198.51.100.7"], "tasks": tasks})
        self.assertEqual((status, error["error"]["problems"][0]["pointer"]), (422, "/redirect_hosts"))
        self.assertEqual(service.ask("PUT", "/api/v1/streams/x", {"url": url, "tasks": tasks})[0], 200)
        wait_for(lambda: service.get("/api/v1/streams/x")[2]["state"]["state"] == "online", "the camera")

    def test_a_name_that_leads_outside_the_networks_is_not_connected_to(self):
        running, (url,) = cameras(1)
        self.addCleanup(running.__exit__)
        named = url.replace("127.0.0.1", "localhost")
        service = HttpService(http=", networks: [10.0.0.0/8]")
        self.addCleanup(service.close)
        tasks = [{"task": "caption", "frames": 1, "every": "500ms"}]
        self.assertEqual(service.ask("PUT", "/api/v1/streams/x", {"url": url, "tasks": tasks})[0], 422)
        self.assertEqual(service.ask("PUT", "/api/v1/streams/x", {"url": named, "tasks": tasks})[0], 200)

        def told():
            state = service.get("/api/v1/streams/x")[2].get("state", {})
            return state if state.get("state") in ("reconnecting", "unreachable", "unreadable", "crashed") else None
        self.assertNotEqual(wait_for(told, "a refusal")["state"], "online")
        self.assertRegex(service.running.stderr(), "none of its hosts, or outside http.networks|limited to http.networks")
        # A host that the configuration names may be opened, wherever it is.
        with_host = HttpService({"a": f"url: '{named}'\n    tasks: [{{task: caption, frames: 1, every: 500ms}}]"}, http=", networks: [10.0.0.0/8]")
        self.addCleanup(with_host.close)
        self.assertEqual(with_host.ask("PUT", "/api/v1/streams/x", {"url": named, "tasks": tasks})[0], 200)
        wait_for(lambda: with_host.get("/api/v1/streams/x")[2].get("state", {}).get("state") == "online", "the camera")


if __name__ == "__main__":
    main()
