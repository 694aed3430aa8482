"""An HTTP/2 client that may break the rules: python3-h2 for the state, the socket for the rest."""
import socket
import struct
import sys
import time

try:
    import h2.config
    import h2.connection
    import h2.errors
    import h2.events
    import h2.settings
except ImportError:
    print("SKIP: python3-h2 is not installed")
    sys.exit(77)

DEADLINE = 10


class Client:
    """One connection; collects events by stream."""

    def __init__(self, port, window=None, handshake=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8",
                                           validate_outbound_headers=False, normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.events = []
        self.closed = False
        if handshake:
            self.h2.initiate_connection()
            self.flush()
            self.until(h2.events.SettingsAcknowledged)

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def raw(self, data):
        self.flush()
        self.socket.sendall(data)

    def headers(self, path, method="POST", extra=(), scheme="http"):
        return [(":method", method), (":path", path), (":scheme", scheme), (":authority", "t"), *extra]

    def request(self, path, body=None, end=True, method="POST", extra=(), flush=True):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, self.headers(path, method, extra), end_stream=end and body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=end)
        if flush:
            self.flush()
        return stream

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.h2.receive_data(data):
            self.events.append(event)
            if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length and self.auto_window:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        try:
            self.flush()
        except (ConnectionResetError, BrokenPipeError):
            pass

    auto_window = True

    def find(self, kind, stream=None):
        for event in self.events:
            if isinstance(event, kind) and (stream is None or event.stream_id == stream):
                return event
        return None

    def until(self, kind, stream=None):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            event = self.find(kind, stream)
            if event:
                return event
            if self.closed:
                raise AssertionError(f"closed before {kind.__name__}: {self.events}")
            self.receive()
        raise AssertionError(f"no {kind.__name__} within {DEADLINE} s: {self.events}")

    def until_closed(self):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end and not self.closed:
            self.receive()
        assert self.closed, "the connection was not closed"

    def body(self, stream):
        return b"".join(e.data for e in self.events
                        if isinstance(e, h2.events.DataReceived) and e.stream_id == stream)

    def status(self, stream):
        return dict(self.until(h2.events.ResponseReceived, stream).headers)[":status"]

    def state(self):
        stream = self.request("/state", method="GET")
        self.until(h2.events.StreamEnded, stream)
        return dict(pair.split("=") for pair in self.body(stream).decode().split())

    def wait_state(self, **wanted):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            state = self.state()
            if all(int(state[name]) >= value if name != "open" else int(state[name]) == value
                   for name, value in wanted.items()):
                return
        raise AssertionError(f"state {state}, wanted {wanted}")

    def close(self):
        self.socket.close()


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload
