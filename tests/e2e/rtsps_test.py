#!/usr/bin/env python3
"""rtsps as the running service reads it: whose certificates are believed, and what is said of those that are not."""
import select
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from palisade import BUILD, PROGRAM, Running, Subscriber, main


class Camera:
    """The test camera (tests/fault/rtsp_camera.cc)."""

    def __init__(self):
        self.process = subprocess.Popen([BUILD / "tests" / "rtsp_camera"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Tls:
    """Speaks TLS with a certificate in front of a camera."""

    def __init__(self, certificate, camera_port):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.camera_port = camera_port
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.relay, args=(peer,), daemon=True).start()

    def relay(self, peer):
        try:
            with self.context.wrap_socket(peer, server_side=True) as outside, \
                    socket.create_connection(("127.0.0.1", self.camera_port)) as inside:
                while True:
                    ready = [outside] if outside.pending() else select.select([outside, inside], [], [])[0]
                    for one in ready:
                        data = one.recv(65536)
                        if not data:
                            return
                        (inside if one is outside else outside).sendall(data)
        except OSError:
            pass  # whoever does not believe the certificate goes

    def close(self):
        self.socket.close()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def certificate(folder, name, host, begin="20200101000000Z", end="20990101000000Z"):
    """Key and certificate of somebody who vouches for himself; the certificate alone is in NAME.crt."""
    path = Path(folder) / name
    key, request, config = (path.with_suffix(ending) for ending in (".key", ".csr", ".cnf"))
    path.with_suffix(".index").touch()
    path.with_suffix(".serial").write_text("01")
    config.write_text(f"[ca]\ndefault_ca=own\n[own]\ndatabase={path}.index\nserial={path}.serial\nnew_certs_dir={folder}\n"
                      f"default_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n"
                      f"[names]\nsubjectAltName=IP:{host}\nbasicConstraints=CA:TRUE\n")
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={host}")
    openssl("ca", "-batch", "-selfsign", "-notext", "-config", config, "-keyfile", key, "-in", request, "-out", f"{path}.crt",
            "-startdate", begin, "-enddate", end)
    both = path.with_suffix(".pem")
    both.write_text(key.read_text() + Path(f"{path}.crt").read_text())
    return both


class Rtsps(unittest.TestCase):
    def test_a_certificate_is_believed_when_its_signer_is_trusted_and_its_fault_is_named_when_not(self):
        with tempfile.TemporaryDirectory() as folder:
            camera = Camera()
            good = certificate(folder, "good", "127.0.0.1")
            other = certificate(folder, "other", "192.0.2.1")
            late = certificate(folder, "late", "127.0.0.1", end="20200201000000Z")
            doors = {name: Tls(one, camera.port) for name, one in (("good", good), ("other", other), ("late", late))}
            plain = f"rtsps://127.0.0.1:{camera.port}/live"
            tls = f"rtsp://127.0.0.1:{doors['good'].port}/live"
            # Name, where, settings, and what comes of it: a state and words of its reason.
            streams = [("trusted", "good", f"tls_ca: {good.with_suffix('.crt')}", "online", ""),
                       ("anybody", "other", "tls_verify: false", "online", ""),
                       ("stranger", "good", "", "reconnecting", "tls_ca"),
                       ("wrong_host", "other", f"tls_ca: {other.with_suffix('.crt')}", "reconnecting", "for another host"),
                       ("plain", plain, "", "reconnecting", "does not speak TLS"),
                       ("secret", tls, "", "reconnecting", "speaks TLS at port"),
                       ("expired", "late", f"tls_ca: {late.with_suffix('.crt')}", "reconnecting", "has expired")]
            endpoint = f"ipc://{folder}/events"
            text = f"node: test\npublish: {endpoint}\nstreams:\n"
            for name, where, settings, _, _ in streams:
                url = where if "://" in where else f"rtsps://127.0.0.1:{doors[where].port}/live"
                text += f"  - {{name: {name}, url: '{url}', {settings + ', ' if settings else ''}tasks: [{{task: caption, frames: 1, every: 1s}}]}}\n"
            config = Path(folder) / "config.yaml"
            config.write_text(text)
            with Running(PROGRAM, "serve", "--config", config):
                subscriber = Subscriber(endpoint)
                for name, _, _, state, words in streams:
                    topic = f"palisade/v1/{name}/state"
                    known = [event for seen, event in subscriber.events if seen == topic and event["data"]["state"] == state]
                    event = known[-1] if known else subscriber.until(
                        lambda seen, event: seen == topic and event["data"]["state"] == state, f"{name} {state}")
                    self.assertIn(words, event["data"].get("reason", ""), name)
                subscriber.close()
            for door in doors.values():
                door.close()
            camera.close()


if __name__ == "__main__":
    main()
