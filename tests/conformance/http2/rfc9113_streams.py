"""RFC 9113 section 5: streams, their identifiers and states, and how errors are said."""
from vigiltest.frames import (CONTINUATION, END_HEADERS, PREFACE, PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM,
                              STREAM_CLOSED, data, frame, headers, reset as rst, settings, window_update)
from vigiltest.rfc_case import Table, goaway, lives, served

table = Table()
case = table.case
TRAILERS = [("x-trailer", "1")]
# With windows of 0 an answer stays where it is: its stream is half-closed (remote).
NO_WINDOW = PREFACE + settings((4, 0))


def priority(stream, depends=0, weight=15):
    return frame(PRIORITY, 0, stream, depends.to_bytes(4, "big") + bytes([weight]))


# --- 5.1: idle ----------------------------------------------------------------------------------------------------
IDLE = {
    "DATA": data(1, b"x"),
    "DATA without octets": data(1),
    "RST_STREAM": rst(1),
    "WINDOW_UPDATE": window_update(1, 100),
    "CONTINUATION": frame(CONTINUATION, END_HEADERS, 1, b"\x82"),
}
for name, bad in IDLE.items():
    case("5.1", f"{name} on an idle stream", lambda f, b=bad: b, goaway(PROTOCOL_ERROR))
    case("5.1", f"{name} on an idle stream beyond those in use",
         lambda f, b=bad: f.request(1) + b[:5] + b"\0\0\0\x63" + b[9:], goaway(PROTOCOL_ERROR))
case("5.1", "PRIORITY on an idle stream is ignored", lambda f: priority(1) + priority(777), lives)
case("5.1", "a frame of a stream that only the server may open", lambda f: data(2, b"x"), goaway(PROTOCOL_ERROR))

# --- 5.1: half-closed (remote). A stream error by this section; 5.4.1 lets it end the connection. -------------------
ENDED = {
    "DATA": lambda f: data(1, b"x"),
    "DATA without octets": lambda f: data(1),
    "HEADERS": lambda f: f.head(1),
    "trailers": lambda f: headers(1, TRAILERS),
}
for name, bad in ENDED.items():
    case("5.1", f"{name} behind END_STREAM", lambda f, b=bad: f.request() + b(f), goaway(STREAM_CLOSED), NO_WINDOW)
case("5.1", "CONTINUATION behind END_STREAM",
     lambda f: f.request() + frame(CONTINUATION, END_HEADERS, 1), goaway(PROTOCOL_ERROR, STREAM_CLOSED), NO_WINDOW)
case("5.1", "WINDOW_UPDATE and PRIORITY behind END_STREAM are welcome",
     lambda f: f.request() + priority(1) + window_update(1, 1 << 20), served())
case("5.1", "RST_STREAM behind END_STREAM is welcome", lambda f: f.request() + rst(1),
     lambda c, f: None if c.is_alive() else f"GOAWAY {c.goaways()}", NO_WINDOW)

# --- 5.1: closed --------------------------------------------------------------------------------------------------


def after_answer(bad, expected):
    """The answer is complete, then `bad` is sent."""
    def check(client, face):
        wrong = served()(client, face)
        if wrong:
            return wrong
        client.send(bad(face))
        return expected(client, face)
    return check


for name, bad in ENDED.items():
    case("5.1", f"{name} on a stream that was answered", lambda f: f.request(),
         after_answer(bad, goaway(STREAM_CLOSED)))
    case("5.1", f"{name} on a stream that the client reset", lambda f, b=bad: f.head() + rst(1) + b(f),
         goaway(STREAM_CLOSED))
case("5.1", "CONTINUATION on a stream that was answered", lambda f: f.request(),
     after_answer(lambda f: frame(CONTINUATION, END_HEADERS, 1), goaway(PROTOCOL_ERROR, STREAM_CLOSED)))
for name, late in {"WINDOW_UPDATE": window_update(1, 9), "RST_STREAM": rst(1), "PRIORITY": priority(1)}.items():
    case("5.1", f"{name} on a stream that was answered is ignored", lambda f: f.request(),
         after_answer(lambda f, b=late: b,
                      lambda c, f: None if c.is_alive(b"goes on?") else f"GOAWAY {c.goaways()}"))
    case("5.1", f"{name} on a stream that the client reset is ignored", lambda f, b=late: f.head() + rst(1) + b, lives)


def late_frames(*frames):
    """The server ends the stream first: what the client sent before it knew is no error."""
    def check(client, face):
        client.finish(1)
        for late in frames:
            client.send(late)
        return lives(client, face)
    return check


case("5.1", "DATA, trailers and WINDOW_UPDATE under way when the server resets",
     lambda f: headers(1, f.fields(extra=[("connection", "close")]), False),
     late_frames(data(1, b"x" * 100, False), window_update(1, 5), headers(1, TRAILERS)))
case("5.1", "DATA and RST_STREAM under way when the server has answered early",
     lambda f: headers(1, f.fields(without=("argus-api-key",)), False),
     late_frames(data(1, b"x" * 100, False), data(1, b"x" * 100), rst(1)))

# --- 5.1.1: identifiers -------------------------------------------------------------------------------------------
case("5.1.1", "HEADERS on stream 0", lambda f: f.head(0), goaway(PROTOCOL_ERROR))
case("5.1.1", "HEADERS on an even stream", lambda f: f.head(2), goaway(PROTOCOL_ERROR))
case("5.1.1", "HEADERS on a stream that a higher one closed", lambda f: f.head(5) + f.head(3), goaway(PROTOCOL_ERROR))
case("5.1.1", "HEADERS on a stream that a higher one closed, far back",
     lambda f: f.head(5) + f.head(0x7fffffff) + f.head(0x3fffffff), goaway(PROTOCOL_ERROR, STREAM_CLOSED))
case("5.1.1", "DATA on a stream that a higher one closed", lambda f: f.head(5) + data(3, b"x"),
     goaway(PROTOCOL_ERROR, STREAM_CLOSED))
case("5.1.1", "identifiers may be left out", lambda f: f.request(3) + f.request(99), served(99))
case("5.1.1", "the last identifier there is", lambda f: f.request(0x7fffffff),
     lambda c, f: None if c.finish(0x7fffffff) and c.fields(0x7fffffff)[":status"] == "200" else str(c.seen))

# --- 5.1.2: concurrency -------------------------------------------------------------------------------------------


def refused_at(stream):
    def check(client, face):
        wrong = None if client.finish(stream) else f"GOAWAY {client.goaways()}"
        if wrong or client.resets() != {stream: REFUSED_STREAM}:
            return wrong or f"resets {client.resets()}"
        client.send(b"".join(face.body(1 + 2 * at) for at in range(100)))
        return served(199)(client, face)
    return check


case("5.1.2", "one stream more than allowed is refused", lambda f: b"".join(f.head(1 + 2 * at) for at in range(101)),
     refused_at(201), PREFACE + settings())

# --- 5.4: errors --------------------------------------------------------------------------------------------------
case("5.4.1", "GOAWAY names the last stream that was looked at", lambda f: f.request(1) + f.head(7) + data(0, b"x"),
     goaway(PROTOCOL_ERROR, last=7))
case("5.4.2", "RST_STREAM is not answered by RST_STREAM", lambda f: f.head() + rst(1, PROTOCOL_ERROR),
     lambda c, f: lives(c, f) or (f"resets {c.resets()}" if c.resets() else None))
case("5.4.2", "RST_STREAM with a code that nobody knows", lambda f: f.head() + rst(1, 0xdeadbeef), lives)
case("5.4.2", "a stream error leaves the other streams alone",
     lambda f: f.head(1) + f.head(3, extra=[("connection", "close")]) + f.body(1), served())
case("5.4.2", "the field section of a refused request is decoded all the same",
     lambda f: headers(1, b"\x40\x06x-kept\x01v" + f.head(3, extra=[("connection", "x")])[9:])
     + headers(3, f.head(3)[9:] + b"\xbe", False) + f.body(3), served(3))
