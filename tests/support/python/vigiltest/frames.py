"""HTTP/2 by the byte: a client that sends whatever it is told and reads frames, with no state machine in between."""
import collections
import socket
import struct

import hpack

from .raw import frame

DEADLINE = 15
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)
CODES = ("NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR "
         "REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM").split()

Frame = collections.namedtuple("Frame", "kind flags stream payload fields")


def text(value):
    """A string of HPACK, not Huffman coded; its length has a prefix of 7 bits."""
    value = value.encode() if isinstance(value, str) else value
    return number(len(value), 7) + value


def number(value, bits, first=0):
    """An integer of HPACK with a prefix of `bits`, RFC 7541 section 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    rest, value = bytes([first | most]), value - most
    while value >= 128:
        rest, value = rest + bytes([value & 127 | 128]), value >> 7
    return rest + bytes([value])


def block(fields):
    """A header block of literals that are not indexed: it leaves no trace in the decoder."""
    return b"".join(b"\0" + text(name) + text(value) for name, value in fields)


def headers(stream, fields, end=True, flags=END_HEADERS):
    payload = fields if isinstance(fields, bytes) else block(fields)
    return frame(HEADERS, flags | (END_STREAM if end else 0), stream, payload)


def data(stream, body=b"", end=True):
    return frame(DATA, END_STREAM if end else 0, stream, body)


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack("!HI", *pair) for pair in pairs))


def window_update(stream, size):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", size))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack("!I", code))


def ping(opaque=b"are you?", flags=0):
    return frame(PING, flags, 0, opaque)


class FrameClient:
    """One connection. Frames of the server are kept in `seen`; SETTINGS are acknowledged, nothing else happens alone."""

    def __init__(self, port, greeting=PREFACE + settings(), window=0, timeout=DEADLINE, source=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout,
                                               source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.decoder = hpack.Decoder()
        self.seen = []
        self.buffer = b""
        self.closed = False
        self.acknowledges = True
        self.send(greeting + (window_update(0, window) if window else b""))

    def send(self, bytes_):
        try:
            self.socket.sendall(bytes_)
        except (ConnectionResetError, BrokenPipeError):
            self.closed = True

    def receive(self):
        """Wait for more bytes, and keep the frames they complete; False at the end of the connection."""
        try:
            piece = self.socket.recv(262144)
        except ConnectionResetError:
            piece = b""
        self.closed = not piece
        self.buffer += piece
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                break
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big")
            payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
            fields = None
            if kind == HEADERS:
                assert flags & END_HEADERS and not flags & (PADDED | WITH_PRIORITY), "an answer this client cannot read"
                fields = [(name, value) for name, value in self.decoder.decode(payload)]
            elif kind == SETTINGS and not flags & ACK and self.acknowledges:
                self.send(settings(flags=ACK))
            self.seen.append(Frame(kind, flags, stream, payload, fields))
        return not self.closed

    def until(self, condition):
        """Receive until `condition(frame)` holds for a frame, which is returned; None when the connection ends first."""
        at = 0
        while True:
            while at < len(self.seen):
                if condition(self.seen[at]):
                    return self.seen[at]
                at += 1
            if self.closed or not self.receive():
                for found in self.seen[at:]:
                    if condition(found):
                        return found
                return None

    def until_closed(self):
        while not self.closed and self.receive():
            pass

    def is_alive(self, opaque=b"are you?"):
        """Does it still answer PING?"""
        self.send(ping(opaque))
        return self.until(lambda f: f.kind == PING and f.flags & ACK and f.payload == opaque) is not None

    def goaways(self):
        """(last stream, code, debug data) of each."""
        return [(int.from_bytes(f.payload[:4], "big"), int.from_bytes(f.payload[4:8], "big"), f.payload[8:])
                for f in self.seen if f.kind == GOAWAY]

    def resets(self):
        """{stream: code}"""
        return {f.stream: int.from_bytes(f.payload, "big") for f in self.seen if f.kind == RST_STREAM}

    def granted(self, stream):
        """How much the server has opened the window of the stream, or of the connection, by WINDOW_UPDATE."""
        return sum(int.from_bytes(f.payload, "big") for f in self.seen if f.kind == WINDOW_UPDATE and f.stream == stream)

    def finish(self, stream):
        """Wait for the end of a stream, by END_STREAM or a reset. True when it has one."""
        return self.until(lambda f: f.stream == stream and (
            f.kind == RST_STREAM or f.kind in (HEADERS, DATA) and f.flags & END_STREAM)) is not None

    def fields(self, stream):
        """All fields of the answer, trailers included."""
        return dict(pair for f in self.seen if f.stream == stream and f.fields for pair in f.fields)

    def body(self, stream):
        return b"".join(f.payload for f in self.seen if f.stream == stream and f.kind == DATA)

    def close(self):
        self.socket.close()
