"""RFC 9113 sections 3 and 4 (preface, frames, field compression) and RFC 7541: what a peer can break."""
from vigiltest.frames import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, END_HEADERS, END_STREAM, FRAME_SIZE_ERROR,
                              PING, PREFACE, PRIORITY, PROTOCOL_ERROR, SETTINGS, block, data, frame, headers, ping,
                              settings, window_update)
from vigiltest.rfc_case import Table, closed, goaway, lives, malformed, served

table = Table()
case = table.case
MAX_FRAME = 16384


def nothing(_):
    return b""


# --- 3.4: the preface ---------------------------------------------------------------------------------------------
case("3.4", "a preface of other words ends the connection", nothing, closed,
     greeting=b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + settings())
case("3.4", "the preface of another version ends the connection", nothing, closed,
     greeting=b"PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n" + settings())
case("3.4", "SETTINGS must follow the preface: HEADERS", lambda f: f.request(), goaway(PROTOCOL_ERROR), PREFACE)
case("3.4", "SETTINGS must follow the preface: PING", lambda f: ping(), goaway(PROTOCOL_ERROR), PREFACE)
case("3.4", "SETTINGS must follow the preface: WINDOW_UPDATE", lambda f: window_update(0, 1), goaway(PROTOCOL_ERROR),
     PREFACE)
case("3.4", "SETTINGS must follow the preface: not their acknowledgement", lambda f: frame(SETTINGS, ACK, 0),
     goaway(PROTOCOL_ERROR), PREFACE)
case("3.4", "SETTINGS must follow the preface: an unknown frame", lambda f: frame(0x77, 0, 0, b"x"),
     goaway(PROTOCOL_ERROR), PREFACE)
case("3.4", "a request in the same flight as the preface", lambda f: f.request(), served())


def first_frame_is_settings(client, face):
    client.receive()
    kinds = [f.kind for f in client.seen]
    return None if kinds and kinds[0] == SETTINGS and not client.seen[0].flags & ACK else f"frames {kinds}"


case("3.4", "the server begins with SETTINGS", nothing, first_frame_is_settings)

# --- 4.1: the frame header ----------------------------------------------------------------------------------------
for kind in (0x0b, 0x16, 0x77, 0xff):
    case("4.1", f"a frame of unknown type {kind:#x} is ignored", lambda f, k=kind: frame(k, 0xff, 0, b"x" * 8), lives)
case("4.1", "an unknown frame on an open stream is ignored",
     lambda f: f.head() + frame(0x77, 0xff, 1, b"x" * 99) + f.body(), served())
case("4.1", "an unknown frame on an idle stream is ignored", lambda f: frame(0x77, 0, 7, b"x"), lives)
case("4.1", "an unknown frame of length 0 is ignored", lambda f: frame(0x77, 0, 0), lives)
case("4.1", "the reserved bit is ignored: PING", lambda f: frame(PING, 0, 1 << 31, b"8 octets"), lives)
case("4.1", "the reserved bit is ignored: HEADERS and DATA",
     lambda f: headers(1 | 1 << 31, f.fields(), False) + data(1 | 1 << 31, f.content), served())
case("4.1", "undefined flags are ignored: PING", lambda f: frame(PING, 0xfe, 0, b"8 octets"), lives)
case("4.1", "undefined flags are ignored: HEADERS", lambda f: f.head(flags=END_HEADERS | 0xd2) + f.body(), served())
case("4.1", "undefined flags are ignored: DATA", lambda f: f.head() + frame(DATA, END_STREAM | 0xf6, 1, f.content),
     served())
case("4.1", "undefined flags are ignored: SETTINGS", lambda f: frame(SETTINGS, 0xfe, 0), lives)

# --- 4.2: the size of frames --------------------------------------------------------------------------------------
case("4.2", "DATA of the largest size", lambda f: f.head() + data(1, f.large(MAX_FRAME)), served())
# A size error of DATA is one of the stream; 5.4.1 lets it end the connection.
case("4.2", "DATA one octet too large", lambda f: f.head() + data(1, b" " * (MAX_FRAME + 1)), goaway(FRAME_SIZE_ERROR))
case("4.2", "HEADERS one octet too large", lambda f: headers(1, b"\0" * (MAX_FRAME + 1)), goaway(FRAME_SIZE_ERROR))
case("4.2", "CONTINUATION one octet too large",
     lambda f: f.head(flags=0) + frame(CONTINUATION, END_HEADERS, 1, b"\0" * (MAX_FRAME + 1)),
     goaway(FRAME_SIZE_ERROR))
case("4.2", "SETTINGS too large", lambda f: frame(SETTINGS, 0, 0, b"\0" * (MAX_FRAME + 2)), goaway(FRAME_SIZE_ERROR))
case("4.2", "an unknown frame one octet too large", lambda f: frame(0x77, 0, 0, b"x" * (MAX_FRAME + 1)),
     goaway(FRAME_SIZE_ERROR))
case("4.2", "the largest length there is", lambda f: b"\xff\xff\xff\0\0\0\0\0\1", goaway(FRAME_SIZE_ERROR))
case("4.2", "an unknown frame of the largest size is ignored", lambda f: frame(0x77, 0, 0, b"x" * MAX_FRAME), lives)

# --- 4.3: field sections and RFC 7541 -----------------------------------------------------------------------------
COMPRESSION = {
    "index 0, RFC 7541 6.1": b"\x80",
    "an index behind the tables, RFC 7541 2.3.3": b"\xff\x00",
    "a name index behind the tables, RFC 7541 2.3.3": b"\x7f\x7f\x01a",
    "an integer without end, RFC 7541 5.1": b"\xff" + b"\x80" * 10 + b"\x01",
    "an integer that is too large, RFC 7541 5.1": b"\xff" + b"\xff" * 5 + b"\x7f",
    "a string longer than the block, RFC 7541 5.2": b"\x00\x01a\x7fxyz",
    "a block that ends within an integer, RFC 7541 5.1": b"\xff\x80",
    "Huffman padding of 8 bits, RFC 7541 5.2": b"\x00\x85\xf2\xb2\x4a\x87\xff\x84\xff\xff\xff\xff",
    "Huffman padding of zeros, RFC 7541 5.2": b"\x00\x01a\x81\x18",
    "Huffman EOS within a string, RFC 7541 5.2": b"\x00\x01a\x84\xff\xff\xff\xff",
    "a table larger than was allowed, RFC 7541 6.3": b"\x3f\xe2\x1f",
}
for name, bad in COMPRESSION.items():
    case("4.3", name, lambda f, b=bad: headers(1, block(f.fields()) + b if b[0] != 0x3f else b + block(f.fields())),
         goaway(COMPRESSION_ERROR))
case("4.3", "a table size update behind a field, RFC 7541 4.2",
     lambda f: headers(1, block(f.fields()) + b"\x20" + block([("x", "y")])), goaway(COMPRESSION_ERROR))
case("4.3", "table size updates at the front, RFC 7541 4.2",
     lambda f: headers(1, b"\x20\x3f\xe1\x1f" + block(f.fields()), False) + f.body(), served())
case("4.3", "an empty block is no request", lambda f: headers(1, b""), malformed())
case("4.3", "a field of the dynamic table that was evicted, RFC 7541 4.3",
     lambda f: headers(1, b"\x40\x01a\x01b\xbe" + block(f.fields()), False) + headers(3, b"\x20\xbe"),
     goaway(COMPRESSION_ERROR))


# A header block is one unit: nothing may stand between its frames.
BETWEEN = {
    "PING": lambda f: ping(),
    "SETTINGS": lambda f: settings(),
    "DATA of the stream": lambda f: data(1, b"x", False),
    "HEADERS of another stream": lambda f: f.head(3),
    "PRIORITY": lambda f: frame(PRIORITY, 0, 1, b"\0\0\0\0\0"),
    "CONTINUATION of another stream": lambda f: frame(CONTINUATION, END_HEADERS, 3),
    "an unknown frame": lambda f: frame(0x77, 0, 1),
    "HEADERS of the stream": lambda f: headers(1, b"", False),
}
for name, between in BETWEEN.items():
    case("4.3", f"within a header block: {name}", lambda f, b=between: f.head(flags=0) + b(f), goaway(PROTOCOL_ERROR))
