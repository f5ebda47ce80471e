"""A service with the HTTP API on a free port, and how tests speak to it."""
import base64
import http.client
import json
import re
import socket
import tempfile
import time
from pathlib import Path

from palisade import PROGRAM, SOURCE, Running, palisade, wait_for

STREET = SOURCE / "tests" / "golden" / "clips" / "street.mp4"


def street_pictures():
    """Pictures of the simulated street as PNG, in base64."""
    with tempfile.TemporaryDirectory(prefix="palisade-frames-") as folder:
        palisade("caption", STREET, "--frames", 1, "--every", "1s", "--frames-to", folder)
        return [base64.b64encode(path.read_bytes()).decode() for path in sorted(Path(folder).glob("*.png"))]


class HttpService:
    """`streams`: settings by name; `http`: more of the `http` map; `more`: further keys; `before`: what its process does first."""

    def __init__(self, streams=None, http="", more="", environment=None, program=PROGRAM, listen="127.0.0.1:*", before=None):
        self.holder = tempfile.TemporaryDirectory(prefix="palisade-http-")
        self.folder = Path(self.holder.name)
        self.state = self.folder / "state"
        text = "".join(f"  - name: {name}\n    {settings}\n" for name, settings in (streams or {}).items())
        config = self.folder / "config.yaml"
        config.write_text(f"node: test\npublish: ipc://{self.folder}/events\nstate: {self.state}\n"
                          f"http: {{listen: '{listen}'{http}}}\n{more}" + (f"streams:\n{text}" if text else ""))
        self.running = Running(program, "serve", "--config", config, environment=environment, before=before)
        found = wait_for(lambda: re.search(r"HTTP API on tcp://\S+:(\d+)", self.running.stderr()), "the API")
        self.port = int(found[1])
        self.admin = (self.state / "admin.token").read_text().strip()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def token(self, name, scope, streams=()):
        status, _, made = self.ask("POST", "/api/v1/tokens", {"name": name, "scope": scope, "streams": list(streams)})
        assert status == 201, made
        return made["token"]

    def connection(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, token=None, headers=None, timeout=60):
        """(status, headers, JSON or bytes); `token` "": none, None: the admin's."""
        sent = dict(headers or {})
        if token != "":
            sent.setdefault("Authorization", f"Bearer {token or self.admin}")
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = self.connection(timeout)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        kind = response.headers.get("Content-Type", "")
        return response.status, response.headers, json.loads(content) if kind == "application/json" and content else content

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def raw(self, data, close=True, timeout=30):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            connection.sendall(data)
            if close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def metric(self, name):
        """The sum of a metric's values over its labels."""
        text = self.get("/metrics")[2].decode()
        return sum(float(value) for value in re.findall(rf"(?m)^{name}(?:\{{.*\}})? (\S+)$", text))

    def health_seconds(self):
        begin = time.monotonic()
        status = self.get("/health", token="")[0]
        assert status == 200, status
        return time.monotonic() - begin

    def close(self):
        self.running.__exit__()
        self.holder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
