"""Bytes on a socket: HTTP/1.1 as strange as a test wants it, and HTTP/2 frames by python3-h2."""
import re
import socket
import struct
import time

from .clients import Answer

DEADLINE = 15


class Raw:
    """A plain connection. What arrives is kept in `buffer` until somebody takes it."""

    def __init__(self, port, timeout=DEADLINE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def send_slowly(self, data, size):
        """Pieces of `size` bytes, each in a segment of its own."""
        for at in range(0, len(data), size):
            self.socket.sendall(data[at:at + size])

    def receive(self):
        """More bytes into the buffer; False at the end of the connection."""
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.receive():
                raise AssertionError(f"closed before {mark!r}; it sent {self.buffer!r}")
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def take(self, size):
        while len(self.buffer) < size:
            if not self.receive():
                raise AssertionError(f"closed within a body; it sent {self.buffer!r}")
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def answer(self, has_body=True):
        """One HTTP/1.1 answer; 1xx answers come out as such."""
        head = self.until(b"\r\n\r\n").decode()
        first, *lines = head.split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", first)
        assert match, f"not a status line: {first!r}"
        status = int(match[1])
        headers = {}
        for line in lines:
            name, value = line.split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        body = b""
        if has_body and status >= 200 and status not in (204, 304):
            if headers.get("transfer-encoding") == "chunked":
                body = self.chunks()
            elif "content-length" in headers:
                body = self.take(int(headers["content-length"]))
            else:
                while self.receive():
                    pass
                body, self.buffer = self.buffer, b""
        return Answer(status, headers, body)

    def chunks(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            body += self.take(size)
            end = self.take(2)
            assert end == b"\r\n", end
            if size == 0:
                return body

    def is_closed(self, deadline=DEADLINE):
        """True when the server ends the connection without a further byte."""
        self.socket.settimeout(deadline)
        try:
            return not self.receive() and self.buffer == b""
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()


def request(verb, target, key=None, body=None, headers=(), host="vigil"):
    """The bytes of a plain request."""
    lines = [f"{verb} {target} HTTP/1.1", f"Host: {host}"]
    if key is not None:
        lines.append(f"Argus-API-Key: {key}")
    lines += headers
    if body is not None:
        body = body if isinstance(body, bytes) else body.encode()
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def message(data, flag=0):
    """A gRPC message with its five bytes in front."""
    return struct.pack("!BI", flag, len(data)) + data


def frame(kind, flags, stream, payload=b""):
    """An HTTP/2 frame."""
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


class H2:
    """One HTTP/2 connection by python3-h2; answers are collected by stream."""

    def __init__(self, port, window=None):
        import h2.config
        import h2.connection
        import h2.settings

        self.raw = Raw(port)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.streams = {}
        self.goaway = None
        self.closed = False
        self.reads = True
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        try:
            self.raw.socket.sendall(self.h2.data_to_send())
        except (ConnectionResetError, BrokenPipeError):
            self.closed = True

    def open(self, path, verb="POST", headers=(), end=False):
        stream = self.h2.get_next_available_stream_id()
        self.streams[stream] = {"headers": None, "trailers": None, "body": b"", "ended": False, "reset": None}
        self.h2.send_headers(stream, [(":method", verb), (":path", path), (":scheme", "http"), (":authority", "vigil"),
                                      *headers], end_stream=end)
        self.flush()
        return stream

    def grpc(self, full_name, key, data=None, end=True):
        """Begin a gRPC call; `data` are the bytes of DATA frames, as they are."""
        headers = [("content-type", "application/grpc"), ("te", "trailers")]
        if key is not None:
            headers.append(("argus-api-key", key))
        stream = self.open("/" + full_name, headers=headers)
        if data is not None:
            self.send(stream, data, end)
        return stream

    def send(self, stream, data, end=False):
        self.h2.send_data(stream, data, end_stream=end)
        self.flush()

    def receive(self):
        import h2.events

        try:
            data = self.raw.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            row = self.streams.get(getattr(event, "stream_id", None))
            if isinstance(event, h2.events.ResponseReceived):
                row["headers"] = dict(event.headers)
            elif isinstance(event, h2.events.TrailersReceived):
                row["trailers"] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                row["body"] += event.data
                if self.reads and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                row["ended"] = True
            elif isinstance(event, h2.events.StreamReset) and row is not None:
                row["reset"] = event.error_code
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goaway = event.error_code
        self.flush()

    def until(self, condition, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while not condition():
            if self.closed:
                raise AssertionError(f"closed: {self.streams} goaway {self.goaway}")
            if time.monotonic() > end:
                raise AssertionError(f"not within {deadline} s: {self.streams}")
            self.receive()

    def finish(self, stream):
        """The stream's record when it is over, by its end or by a reset."""
        row = self.streams[stream]
        self.until(lambda: row["ended"] or row["reset"] is not None)
        return row

    def status(self, stream):
        """(grpc-status, grpc-message) of a call that is over."""
        row = self.finish(stream)
        if row["headers"] is None:
            return None, f"reset {row['reset']}"
        found = row["trailers"] or row["headers"]
        return int(found.get("grpc-status", -1)), found.get("grpc-message", "")

    def until_closed(self):
        end = time.monotonic() + DEADLINE
        while not self.closed:
            assert time.monotonic() < end, "the connection stays open"
            self.receive()

    def close(self):
        self.raw.close()
