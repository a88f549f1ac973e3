"""The Docker Engine API over its unix socket: kept connections, and the stream of events.

A client of its own and not http.client, because the bare calls are the floor that discovery is measured against: what
the client costs must stay small beside what the engine costs.
"""
import json
import socket
import threading
import time
import urllib.parse


class ApiError(RuntimeError):
    """The engine said no; carries its status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Connection:
    """One kept connection. Not for two threads at once."""

    def __init__(self, path, timeout=300):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(path)
        self._reader = self._socket.makefile("rb")

    def close(self):
        """May be called by another thread, to end a read that waits."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def ask(self, method, target, body=None):
        """Sends a request and reads the head of the answer: status and headers in lower case."""
        payload = b"" if body is None else json.dumps(body).encode()
        head = (f"{method} {target} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(payload)}\r\n\r\n")
        self._socket.sendall(head.encode() + payload)
        first = self._reader.readline()
        if not first:
            raise ApiError(0, "the Docker Engine closed the connection")
        headers = {}
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        return int(first.split()[1]), headers

    def pieces(self):
        """The pieces of a chunked body as they come."""
        while True:
            size = int(self._reader.readline().strip() or b"0", 16)
            data = self._reader.read(size)
            self._reader.readline()
            if size == 0:
                return
            yield data

    def call(self, method, target, body=None):
        """A whole exchange: status and body."""
        status, headers = self.ask(method, target, body)
        if status in (204, 304):
            return status, b""
        if headers.get(b"transfer-encoding") == b"chunked":
            return status, b"".join(self.pieces())
        return status, self._reader.read(int(headers.get(b"content-length", b"0")))


class Engine:
    """The engine behind one socket. Calls may come from any thread; each thread keeps a connection of its own."""

    def __init__(self, path):
        self.path = path
        self._local = threading.local()
        self.base = ""
        self.version = self.get("/version")
        self.base = "/v" + self.version["ApiVersion"]

    def connection(self):
        if not hasattr(self._local, "connection"):
            self._local.connection = Connection(self.path)
        return self._local.connection

    def call(self, method, target, body=None, tolerate=()):
        """JSON of the answer, or None. Throws ApiError with the engine's own words unless its status is tolerated."""
        status, data = self.connection().call(method, self.base + target, body)
        if status >= 400:
            if status in tolerate:
                return None
            try:
                words = json.loads(data)["message"]
            except (ValueError, KeyError):
                words = data.decode(errors="replace")
            raise ApiError(status, f"{method} {target}: {words}")
        return json.loads(data) if data.strip() else None

    def get(self, target):
        return self.call("GET", target)

    def stop(self, name, grace):
        self.call("POST", f"/containers/{name}/stop?t={grace}")

    def start(self, name):
        self.call("POST", f"/containers/{name}/start")


class EventLog:
    """Events of the containers of one compose project while the block runs, with the engine's own times."""

    def __init__(self, engine, project):
        self._engine = engine
        self._filters = {"type": ["container"], "label": ["com.docker.compose.project=" + project]}
        self._events = []
        self._news = threading.Condition()

    def __enter__(self):
        # The engine answers before it listens: what happens in between is asked for by `since`.
        query = urllib.parse.urlencode({"since": f"{time.time():.9f}", "filters": json.dumps(self._filters)})
        self._connection = Connection(self._engine.path, timeout=None)
        self._connection.ask("GET", f"{self._engine.base}/events?{query}")
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._connection.close()
        self._thread.join(5)

    def _follow(self):
        rest = b""
        try:
            for piece in self._connection.pieces():
                *lines, rest = (rest + piece).split(b"\n")
                for line in filter(None, lines):
                    self._note(json.loads(line))
        except (OSError, ValueError):
            pass  # closed

    def _note(self, event):
        with self._news:
            self._events.append((event["timeNano"], event["Action"], event["Actor"]["Attributes"].get("name", "")))
            self._news.notify_all()

    def times(self, *actions):
        """Nanoseconds since the epoch of these actions, sorted."""
        with self._news:
            return sorted(at for at, action, _ in self._events if action in actions)

    def wait_for(self, action, count, seconds=30):
        """Events come a little later than the answers to what caused them."""
        until = time.monotonic() + seconds
        with self._news:
            while sum(1 for _, seen, _ in self._events if seen == action) < count:
                if not self._news.wait(max(0.0, until - time.monotonic())):
                    raise TimeoutError(f"the engine reported fewer than {count} events '{action}'")
