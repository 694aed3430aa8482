"""Cases of a rule: bytes that break it (or just do not), and what the server has to say, on both faces of one server.

A case is a row `case(section, name, bytes, expected)`. The bytes are made by a function of the face, so that the same
row stands for a gRPC call and for a JSON request. What is expected is a function of the connection; it returns nothing,
or what is wrong.
"""
import collections

from .frames import CODES, END_HEADERS, GOAWAY, PREFACE, PROTOCOL_ERROR, FrameClient, data, headers, settings
from .raw import message

Case = collections.namedtuple("Case", "section name bytes expected greeting")

# The request that shows, after a stream error, that the connection serves on.
LAST_STREAM = 2001


class Face:
    """How requests look: fields in order, pseudo fields first, and the body that completes them."""

    def __init__(self, name, fields, body):
        self.name = name
        self.pairs = fields
        self.content = body

    def fields(self, extra=(), without=(), **pseudo):
        """The fields of a good request; `method="GET"` replaces :method, `without` leaves fields out."""
        changed = [(name, pseudo.get(name[1:], value)) if name[0] == ":" else (name, value)
                   for name, value in self.pairs]
        return [pair for pair in changed if pair[0] not in without] + list(extra)

    def head(self, stream=1, end=False, flags=END_HEADERS, **changes):
        return headers(stream, self.fields(**changes), end, flags)

    def body(self, stream=1, end=True):
        return data(stream, self.content, end)

    def large(self, size):
        """A body of `size` bytes: blanks behind the JSON, a field that nobody knows in the message."""
        if self.name == "json":
            return self.content.ljust(size)
        return message(b"\x7a" + bytes([size - 8 & 127 | 128, size - 8 >> 7]) + bytes(size - 8))

    def request(self, stream=1, **changes):
        return self.head(stream, **changes) + self.body(stream)


def faces(key):
    common = [(":method", "POST"), (":scheme", "http"), (":path", ""), (":authority", "vigil"), ("argus-api-key", key)]

    def of(path, *pairs):
        return [(name, path if name == ":path" else value) for name, value in common] + list(pairs)

    grpc = of("/vigil.account.v1.AccountService/GetSession", ("content-type", "application/grpc"), ("te", "trailers"))
    json = of("/events/v1/aggregated/search", ("content-type", "application/json"))
    return [Face("grpc", grpc, b"\0\0\0\0\0"), Face("json", json, b'{"startTimestamp":0,"limit":1}')]


def code_names(codes):
    return " or ".join(CODES[code] for code in codes)


def goaway(*codes, last=None):
    """A connection error: GOAWAY with one of `codes`, then the end of the connection."""
    def check(client, face):
        client.until(lambda f: f.kind == GOAWAY)
        said = client.goaways()
        if not said:
            return f"{'closed' if client.closed else 'open'} without GOAWAY; resets {client.resets()}"
        client.until_closed()
        if said[0][1] not in codes:
            return f"GOAWAY {CODES[said[0][1]]} {said[0][2]!r}, not {code_names(codes)}"
        if last is not None and said[0][0] != last:
            return f"GOAWAY names stream {said[0][0]}, not {last}"
        return None
    return check


def served(stream=1):
    """A good answer, and then one more."""
    def check(client, face):
        if not client.finish(stream):
            return f"no answer; GOAWAY {client.goaways()}"
        fields = client.fields(stream)
        if stream in client.resets() and client.resets()[stream] != 0:
            return f"reset {CODES[client.resets()[stream]]}"
        if fields.get(":status") != "200" or face.name == "grpc" and fields.get("grpc-status") != "0":
            return f"answered {fields} {client.body(stream)[:200]!r}"
        return None if stream == LAST_STREAM else lives(client, face)
    return check


def lives(client, face):
    """Nothing has happened to the connection: another request is served."""
    client.send(face.request(LAST_STREAM))
    return served(LAST_STREAM)(client, face)


def reset(*codes, stream=1):
    """A stream error: RST_STREAM with one of `codes`, and the connection goes on."""
    def check(client, face):
        client.finish(stream)
        code = client.resets().get(stream)
        if code is None:
            return f"no RST_STREAM; GOAWAY {client.goaways()} answer {client.fields(stream)}"
        if code not in codes:
            return f"RST_STREAM {CODES[code]}, not {code_names(codes)}"
        return lives(client, face)
    return check


def malformed(stream=1):
    """RFC 9113 section 8.1.1."""
    return reset(PROTOCOL_ERROR, stream=stream)


def answered(stream=1, **statuses):
    """An answer with this status on this face: grpc="12" is a grpc-status, json="404" that of HTTP."""
    def check(client, face):
        if not client.finish(stream):
            return f"no answer; GOAWAY {client.goaways()}"
        fields = client.fields(stream)
        name = "grpc-status" if face.name == "grpc" else ":status"
        wanted = statuses[face.name]
        if fields.get(name) not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            return f"answered {fields}, resets {client.resets()}, not {name} {wanted}"
        return lives(client, face)
    return check


def closed(client, face):
    """The end of the connection, in whatever words."""
    client.until_closed()
    return None if client.closed else "open"


class Table:
    """The cases of a file, in order."""

    def __init__(self):
        self.cases = []

    def case(self, section, name, bytes_, expected, greeting=PREFACE + settings()):
        self.cases.append(Case(section, name, bytes_, expected, greeting))


def run(case, face, port):
    """None, or what is wrong."""
    client = FrameClient(port, case.greeting)
    try:
        client.send(case.bytes(face))
        try:
            return case.expected(client, face)
        except TimeoutError:
            return f"silence; seen {[(f.kind, f.stream, f.payload[:40]) for f in client.seen]}"
    finally:
        client.close()
