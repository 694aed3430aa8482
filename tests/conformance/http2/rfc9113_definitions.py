"""RFC 9113 section 6: the ten kinds of frames."""
import struct

from vigiltest.frames import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR,
                              GOAWAY, HEADERS, NO_ERROR, PADDED, PING, PREFACE, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE,
                              RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, block, data, frame, ping, reset as
                              rst, settings, window_update)
from vigiltest.rfc_case import Table, goaway, lives, reset, served

table = Table()
case = table.case
LARGEST = (1 << 31) - 1


def padded(kind, flags, stream, content, size, octets=None):
    return frame(kind, flags | PADDED, stream, bytes([size]) + content + (bytes(size) if octets is None else octets))


# --- 6.1: DATA ----------------------------------------------------------------------------------------------------
case("6.1", "DATA on stream 0", lambda f: data(0, b"x"), goaway(PROTOCOL_ERROR))
case("6.1", "padded DATA", lambda f: f.head() + padded(DATA, END_STREAM, 1, f.content, 200), served())
case("6.1", "DATA with 0 octets of padding", lambda f: f.head() + padded(DATA, END_STREAM, 1, f.content, 0), served())
case("6.1", "DATA of padding only", lambda f: f.head() + padded(DATA, 0, 1, b"", 255) + f.body(), served())
case("6.1", "padding as long as the payload of DATA", lambda f: f.head() + frame(DATA, PADDED, 1, b"\x06hello"),
     goaway(PROTOCOL_ERROR))
case("6.1", "padding longer than the payload of DATA", lambda f: f.head() + frame(DATA, PADDED, 1, b"\xffhello"),
     goaway(PROTOCOL_ERROR))
case("6.1", "padded DATA without a length of padding", lambda f: f.head() + frame(DATA, PADDED, 1),
     goaway(PROTOCOL_ERROR, FRAME_SIZE_ERROR))
case("6.1", "DATA in single octets", lambda f: f.head() + b"".join(
    data(1, bytes([octet]), False) for octet in f.content) + data(1), served())

# --- 6.2: HEADERS -------------------------------------------------------------------------------------------------
PRIORITIES = b"\x80\0\0\0\xff"
case("6.2", "padded HEADERS", lambda f: padded(HEADERS, END_HEADERS, 1, block(f.fields()), 200) + f.body(), served())
case("6.2", "HEADERS with priority",
     lambda f: frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, PRIORITIES + block(f.fields())) + f.body(), served())
case("6.2", "HEADERS with priority and padding",
     lambda f: padded(HEADERS, END_HEADERS | WITH_PRIORITY, 1, PRIORITIES + block(f.fields()), 9) + f.body(), served())
case("6.2", "padding longer than the payload of HEADERS", lambda f: frame(HEADERS, END_HEADERS | PADDED, 1, b"\xff\x82"),
     goaway(PROTOCOL_ERROR))
case("6.2", "padding that takes the room of the priority",
     lambda f: frame(HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, 1, b"\x03" + PRIORITIES),
     goaway(PROTOCOL_ERROR, FRAME_SIZE_ERROR))
case("6.2", "padded HEADERS without a length of padding", lambda f: frame(HEADERS, END_HEADERS | PADDED, 1),
     goaway(PROTOCOL_ERROR, FRAME_SIZE_ERROR))
case("6.2", "HEADERS too short for its priority", lambda f: frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, b"\0\0\0\0"),
     goaway(FRAME_SIZE_ERROR, PROTOCOL_ERROR))

# --- 6.3: PRIORITY ------------------------------------------------------------------------------------------------
case("6.3", "PRIORITY on stream 0", lambda f: frame(PRIORITY, 0, 0, PRIORITIES), goaway(PROTOCOL_ERROR))
for size in (0, 4, 6):  # a stream error by this section; 5.4.1 lets it end the connection
    case("6.3", f"PRIORITY of {size} octets", lambda f, n=size: f.head() + frame(PRIORITY, 0, 1, bytes(n)),
         goaway(FRAME_SIZE_ERROR))
case("6.3", "PRIORITY within a request", lambda f: f.head() + frame(PRIORITY, 0, 1, PRIORITIES) + f.body(), served())

# --- 6.4: RST_STREAM ----------------------------------------------------------------------------------------------
case("6.4", "RST_STREAM on stream 0", lambda f: rst(0), goaway(PROTOCOL_ERROR))
for size in (0, 3, 5):
    case("6.4", f"RST_STREAM of {size} octets", lambda f, n=size: f.head() + frame(RST_STREAM, 0, 1, bytes(n)),
         goaway(FRAME_SIZE_ERROR))
case("6.4", "RST_STREAM of an open stream", lambda f: f.head() + rst(1), lives)

# --- 6.5: SETTINGS ------------------------------------------------------------------------------------------------
case("6.5", "SETTINGS on a stream", lambda f: settings(stream=1), goaway(PROTOCOL_ERROR))
case("6.5", "SETTINGS on an open stream", lambda f: f.head() + settings((1, 0), stream=1), goaway(PROTOCOL_ERROR))
case("6.5", "an acknowledgement with a payload", lambda f: settings((3, 1), flags=ACK), goaway(FRAME_SIZE_ERROR))
for size in (1, 5, 7):
    case("6.5", f"SETTINGS of {size} octets", lambda f, n=size: frame(SETTINGS, 0, 0, bytes(n)),
         goaway(FRAME_SIZE_ERROR))


def settings_are_acknowledged(client, face):
    found = client.until(lambda f: f.kind == SETTINGS and f.flags & ACK)
    return None if found and found.payload == b"" else f"seen {client.seen}"


case("6.5.3", "SETTINGS are acknowledged", lambda f: settings((3, 7)), settings_are_acknowledged)
case("6.5.3", "an acknowledgement of nothing", lambda f: frame(SETTINGS, ACK, 0) * 2, goaway(PROTOCOL_ERROR))
for value in (2, 0xffffffff):
    case("6.5.2", f"ENABLE_PUSH of {value}", lambda f, v=value: settings((2, v)), goaway(PROTOCOL_ERROR))
for value in (0, 1):
    case("6.5.2", f"ENABLE_PUSH of {value}", lambda f, v=value: settings((2, v)), lives)
for value in (1 << 31, 0xffffffff):
    case("6.5.2", f"INITIAL_WINDOW_SIZE of {value}", lambda f, v=value: settings((4, v)), goaway(FLOW_CONTROL_ERROR))
case("6.5.2", "INITIAL_WINDOW_SIZE of 2^31-1", lambda f: settings((4, LARGEST)), lives)
for value in (0, 16383, 1 << 24, 0xffffffff):
    case("6.5.2", f"MAX_FRAME_SIZE of {value}", lambda f, v=value: settings((5, v)), goaway(PROTOCOL_ERROR))
for value in (16384, (1 << 24) - 1):
    case("6.5.2", f"MAX_FRAME_SIZE of {value}", lambda f, v=value: settings((5, v)), lives)
case("6.5.2", "MAX_CONCURRENT_STREAMS of 0 forbids only push", lambda f: settings((3, 0)), lives)
case("6.5.2", "MAX_HEADER_LIST_SIZE of 0 is advice", lambda f: settings((6, 0)), lives)
case("6.5.2", "settings that nobody knows are ignored", lambda f: settings((0, 1), (0x99, 2), (0xffff, 3)), lives)
case("6.5.3", "the last of two values counts", lambda f: settings((5, 16384), (4, 0), (4, 65535)), lives)
case("6.5.3", "a bad value behind good ones", lambda f: settings((3, 1), (4, 1), (2, 7)), goaway(PROTOCOL_ERROR))


def no_table(client, face):
    client.decoder.max_allowed_table_size = 0
    return served()(client, face)


case("6.5.2", "HEADER_TABLE_SIZE of 0: the answer needs no table", lambda f: f.request(), no_table,
     PREFACE + settings((1, 0)))

# --- 6.6: PUSH_PROMISE --------------------------------------------------------------------------------------------
case("6.6", "PUSH_PROMISE of a client",
     lambda f: f.head() + frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack("!I", 2) + block(f.fields())),
     goaway(PROTOCOL_ERROR))
case("6.6", "PUSH_PROMISE on stream 0",
     lambda f: frame(PUSH_PROMISE, END_HEADERS, 0, struct.pack("!I", 2) + block(f.fields())), goaway(PROTOCOL_ERROR))

# --- 6.7: PING ----------------------------------------------------------------------------------------------------
case("6.7", "PING on a stream", lambda f: frame(PING, 0, 1, b"8 octets"), goaway(PROTOCOL_ERROR))
for size in (0, 6, 7, 9):
    case("6.7", f"PING of {size} octets", lambda f, n=size: frame(PING, 0, 0, bytes(n)), goaway(FRAME_SIZE_ERROR))


def ping_is_answered(client, face):
    if not client.is_alive(b"\0\1\2\3\4\5\6\7"):
        return "no answer"
    return lives(client, face)


def no_ping_comes_back(client, face):
    wrong = lives(client, face)
    return wrong or (f"{client.seen}" if any(f.kind == PING for f in client.seen) else None)


case("6.7", "PING is answered with the same octets", lambda f: b"", ping_is_answered)
case("6.7", "an answer to a PING nobody sent is not answered", lambda f: ping(flags=ACK), no_ping_comes_back)

# --- 6.8: GOAWAY --------------------------------------------------------------------------------------------------
case("6.8", "GOAWAY on a stream", lambda f: frame(GOAWAY, 0, 1, bytes(8)), goaway(PROTOCOL_ERROR))
for size in (0, 7):
    case("6.8", f"GOAWAY of {size} octets", lambda f, n=size: frame(GOAWAY, 0, 0, bytes(n)), goaway(FRAME_SIZE_ERROR))


def answered_then_closed(client, face):
    client.finish(1)
    if client.fields(1).get(":status") != "200":
        return f"answered {client.fields(1)}"
    client.until_closed()
    return None if all(code == NO_ERROR for _, code, _ in client.goaways()) else f"GOAWAY {client.goaways()}"


case("6.8", "what is under way is answered after a GOAWAY of the client",
     lambda f: f.head() + frame(GOAWAY, 0, 0, bytes(8) + b"going") + f.body(), answered_then_closed)

# --- 6.9: WINDOW_UPDATE and flow control --------------------------------------------------------------------------
case("6.9", "WINDOW_UPDATE of 0 for the connection", lambda f: window_update(0, 0), goaway(PROTOCOL_ERROR))
# A stream error by this section; 5.4.1 lets it end the connection.
case("6.9", "WINDOW_UPDATE of 0 for a stream", lambda f: f.head() + window_update(1, 0), goaway(PROTOCOL_ERROR))
for size in (0, 3, 5):
    case("6.9", f"WINDOW_UPDATE of {size} octets", lambda f, n=size: frame(WINDOW_UPDATE, 0, 0, bytes(n)),
         goaway(FRAME_SIZE_ERROR))
case("6.9", "the reserved bit of WINDOW_UPDATE is ignored",
     lambda f: f.head() + window_update(1, 1 << 31 | 10) + window_update(0, 1 << 31 | 10) + f.body(), served())
case("6.9.1", "a window of the connection beyond 2^31-1", lambda f: window_update(0, LARGEST),
     goaway(FLOW_CONTROL_ERROR))
case("6.9.1", "a window of the connection of 2^31-1", lambda f: window_update(0, LARGEST - 65535), lives)
case("6.9.1", "a window of a stream beyond 2^31-1", lambda f: f.head() + window_update(1, LARGEST),
     reset(FLOW_CONTROL_ERROR))
case("6.9.1", "a window of a stream of 2^31-1", lambda f: f.head() + window_update(1, LARGEST - 65535) + f.body(),
     served())
case("6.9.2", "SETTINGS that take the window of a stream beyond 2^31-1",
     lambda f: f.head() + window_update(1, LARGEST - 65535) + settings((4, 65536)), goaway(FLOW_CONTROL_ERROR))
case("6.9.2", "SETTINGS that take the window of a stream to 2^31-1",
     lambda f: f.head() + window_update(1, LARGEST - 65535 - 1) + settings((4, 65536)) + f.body(), served())


def octets(client, count):
    """Wait for `count` octets of DATA of stream 1; True when a PING behind them brings no more."""
    client.until(lambda f: len(client.body(1)) >= count)
    client.is_alive(b"%8d" % count)
    return len(client.body(1)) == count


def windows_are_kept(client, face):
    """The window of the stream is 0, then 1, then falls below 0."""
    if not octets(client, 0):
        return f"{len(client.body(1))} octets into a window of 0"
    client.send(window_update(1, 1))
    if not octets(client, 1):
        return f"{len(client.body(1))} octets into a window of 1"
    client.send(window_update(1, 2) + settings((4, 10)))
    if not octets(client, 13):
        return f"{len(client.body(1))} octets when the window grew by SETTINGS"
    client.send(settings((4, 0)) + window_update(1, 10))
    if not octets(client, 13):
        return f"{len(client.body(1))} octets into a window that was taken back"
    client.send(window_update(1, 1))
    return None if octets(client, 14) else f"{len(client.body(1))} octets, not 14"


case("6.9.2", "windows of a stream are kept, below 0 as well", lambda f: f.request(), windows_are_kept,
     PREFACE + settings((4, 0)))

# --- 6.10: CONTINUATION -------------------------------------------------------------------------------------------


def pieces(face, count, end=False):
    whole = block(face.fields())
    size = len(whole) // count
    cut = [whole[at * size:(at + 1) * size if at < count - 1 else None] for at in range(count)]
    first = frame(HEADERS, END_STREAM if end else 0, 1, cut[0])
    return first + b"".join(frame(CONTINUATION, END_HEADERS if at == count - 1 else 0, 1, part)
                            for at, part in enumerate(cut) if at > 0)


case("6.10", "HEADERS in three pieces", lambda f: pieces(f, 3) + f.body(), served())
case("6.10", "HEADERS in eight pieces", lambda f: pieces(f, 8) + f.body(), served())
case("6.10", "an empty CONTINUATION at the end",
     lambda f: f.head(flags=0) + frame(CONTINUATION, END_HEADERS, 1) + f.body(), served())
case("6.10", "END_STREAM stands on HEADERS, not on CONTINUATION",
     lambda f: f.head(flags=0) + frame(CONTINUATION, END_HEADERS | END_STREAM, 1) + f.body(), served())
case("6.10", "trailers in two pieces",
     lambda f: f.head() + data(1, f.content, False) + frame(HEADERS, END_STREAM, 1, b"\0\1x")
     + frame(CONTINUATION, END_HEADERS, 1, b"\1y"), served())
case("6.10", "CONTINUATION on stream 0", lambda f: frame(CONTINUATION, END_HEADERS, 0), goaway(PROTOCOL_ERROR))
case("6.10", "CONTINUATION behind a complete block", lambda f: f.head() + frame(CONTINUATION, END_HEADERS, 1, b"\x82"),
     goaway(PROTOCOL_ERROR))
case("6.10", "CONTINUATION behind CONTINUATION with END_HEADERS",
     lambda f: f.head(flags=0) + frame(CONTINUATION, END_HEADERS, 1) * 2, goaway(PROTOCOL_ERROR))
case("6.10", "CONTINUATION behind DATA", lambda f: f.head() + data(1, b"", False) + frame(CONTINUATION, END_HEADERS, 1),
     goaway(PROTOCOL_ERROR))
case("6.10", "CONTINUATION of stream 0 within a block", lambda f: f.head(flags=0) + frame(CONTINUATION, END_HEADERS, 0),
     goaway(PROTOCOL_ERROR))
