"""Requests that two programs on the way could read as two different things. Each is one table row: the bytes, and the
statuses that come back. Behind every row stands a second request, for /metrics: where the first is ambiguous the
connection ends with its answer, and the second is never served. Answers are read by h11 too, which is strict.
"""
import re

try:
    import h11
except ImportError:
    print("SKIP: python3-h11 is not installed: answers are not held against it", flush=True)
    h11 = None

from vigiltest.case import ServerCase, main
from vigiltest.raw import Raw

SEARCH = b"/events/v1/aggregated/search"
MARK = b"grpc_server_started_total"  # stands in the answer of the second request only
SECOND = b"GET /metrics HTTP/1.1\r\nHost: v\r\n\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: v\r\n"
BODY = b"{}"
REFUSED = [400]

# What is wrong with the head of a request: name, bytes.
HEADS = [
    ("a line that ends with LF alone, all of them", b"GET /healthz HTTP/1.1\nHost: v\n\n"),
    ("the request line ends with LF alone", b"GET /healthz HTTP/1.1\nHost: v\r\n\r\n"),
    ("a field ends with LF alone", GET + b"X: a\nY: b\r\n\r\n"),
    ("the last field ends with LF alone", GET + b"X: a\n\r\n"),
    ("the head ends with LF alone", GET + b"X: a\r\n\n"),
    ("an empty field ends with LF alone", GET + b"X:\nY: b\r\n\r\n"),
    ("CR CR LF", GET + b"X: a\r\r\nY: b\r\n\r\n"),
    ("a CR in a value", GET + b"X: a\rY: b\r\n\r\n"),
    ("two CRs as an empty line", GET + b"X: a\r\rGET /metrics HTTP/1.1\r\n\r\n"),
    ("a CR behind an empty value", GET + b"X:\rY: b\r\n\r\n"),
    ("a CR before the request", b"\r" + GET + b"\r\n"),
    ("an LF before the request", b"\n" + GET + b"\r\n"),
    ("nine empty lines before the request", b"\r\n" * 9 + GET + b"\r\n"),
    ("a folded field", GET + b"X: a\r\n b\r\n\r\n"),
    ("a field folded with a tab", GET + b"X: a\r\n\tb\r\n\r\n"),
    ("a first field that begins with a blank", b"GET /healthz HTTP/1.1\r\n Host: v\r\n\r\n"),
    ("a blank before the colon", GET + b"X : b\r\n\r\n"),
    ("a tab before the colon", GET + b"X\t: b\r\n\r\n"),
    ("a blank in a name", GET + b"X Y: b\r\n\r\n"),
    ("no name", GET + b": b\r\n\r\n"),
    ("no colon", GET + b"X\r\n\r\n"),
    ("a delimiter in a name", GET + b"X(: b\r\n\r\n"),
    ("a byte above 127 in a name", GET + b"X\xc3\xa5: b\r\n\r\n"),
    ("NUL in a name", GET + b"X\0: b\r\n\r\n"),
    ("NUL in a value", GET + b"X: a\0b\r\n\r\n"),
    ("DEL in a value", GET + b"X: a\x7fb\r\n\r\n"),
    ("a control in a value", GET + b"X: a\x01b\r\n\r\n"),
    ("a blank in the target", b"GET /heal thz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("two blanks before the target", b"GET  /healthz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("two blanks behind the target", b"GET /healthz  HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("a tab instead of a blank", b"GET\t/healthz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("a blank behind the version", b"GET /healthz HTTP/1.1 \r\nHost: v\r\n\r\n"),
    ("no target", b"GET HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("a control in the target", b"GET /heal\x01thz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("NUL in the target", b"GET /heal\0thz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("a byte above 127 in the target", b"GET /heal\xc3\xa5thz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("a method in lower case", b"get /healthz HTTP/1.1\r\nHost: v\r\n\r\n"),
    ("HTTP/0.9", b"GET /healthz\r\n\r\n"),
    ("HTTP/0.9 by name", b"GET /healthz HTTP/0.9\r\nHost: v\r\n\r\n"),
    ("HTTP/1.2", b"GET /healthz HTTP/1.2\r\nHost: v\r\n\r\n"),
    ("HTTP/2.0", b"GET /healthz HTTP/2.0\r\nHost: v\r\n\r\n"),
    ("HTTP/1.10", b"GET /healthz HTTP/1.10\r\nHost: v\r\n\r\n"),
    ("HTTP/01.1", b"GET /healthz HTTP/01.1\r\nHost: v\r\n\r\n"),
    ("http/1.1", b"GET /healthz http/1.1\r\nHost: v\r\n\r\n"),
    ("another protocol", b"GET /healthz RTSP/1.1\r\nHost: v\r\n\r\n"),
    ("yet another", b"SOURCE /healthz ICE/1.0\r\nHost: v\r\n\r\n"),
    ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n"),
    ("two Hosts", GET + b"Host: v\r\n\r\n"),
    ("a list of hosts", b"GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ("a user in Host", b"GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ("a path in Host", b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a blank in Host", b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("a port that is none", b"GET /healthz HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    ("a port past 65535", b"GET /healthz HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    ("a bracket that stays open", b"GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n"),
]

# How the body is framed: name, fields, body.
FRAMES = [
    ("Content-Length, then Transfer-Encoding", b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    ("Transfer-Encoding, then Content-Length", b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n"),
    ("two equal lengths", b"Content-Length: 2\r\nContent-Length: 2", BODY),
    ("two lengths", b"Content-Length: 2\r\nContent-Length: 3", BODY),
    ("a list of equal lengths", b"Content-Length: 2, 2", BODY),
    ("a length with a plus", b"Content-Length: +2", BODY),
    ("a length with a minus", b"Content-Length: -2", BODY),
    ("a length with a blank inside", b"Content-Length: 0 2", BODY),
    ("a hexadecimal length", b"Content-Length: 0x2", BODY),
    ("an empty length", b"Content-Length:", b""),
    ("a length and a vertical tab", b"Content-Length: \x0b2", BODY),
    ("a length past 64 bits", b"Content-Length: 18446744073709551618", BODY),
    ("a length that is no number", b"Content-Length: two", BODY),
    ("identity", b"Transfer-Encoding: identity", b""),
    ("an empty coding", b"Transfer-Encoding:", b""),
    ("gzip", b"Transfer-Encoding: gzip", b""),
    ("gzip, then chunked", b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    ("chunked, then gzip", b"Transfer-Encoding: chunked, gzip", b"0\r\n\r\n"),
    ("chunked, then identity", b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
    ("chunked twice", b"Transfer-Encoding: chunked, chunked", b"0\r\n\r\n"),
    ("two fields of chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    ("identity and chunked in two fields", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    ("chunked and identity in two fields", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n"),
    ("a letter before chunked", b"Transfer-Encoding: xchunked", b"0\r\n\r\n"),
    ("a letter behind chunked", b"Transfer-Encoding: chunkedx", b"0\r\n\r\n"),
    ("chunked with a parameter", b"Transfer-Encoding: chunked;q=1", b"0\r\n\r\n"),
    ("chunked in quotes", b'Transfer-Encoding: "chunked"', b"0\r\n\r\n"),
    ("chunked behind a vertical tab", b"Transfer-Encoding: \x0bchunked", b"0\r\n\r\n"),
    ("chunked in a folded line", b"Transfer-Encoding:\r\n chunked", b"0\r\n\r\n"),
    ("chunked with a blank before the colon", b"Transfer-Encoding : chunked", b"0\r\n\r\n"),
]

# Chunks: name, bytes.
CHUNKS = [
    ("no size", b"\r\n\r\n"),
    ("a size that is no number", b"zz\r\n{}\r\n0\r\n\r\n"),
    ("a negative size", b"-2\r\n{}\r\n0\r\n\r\n"),
    ("a size with a plus", b"+2\r\n{}\r\n0\r\n\r\n"),
    ("a size with 0x", b"0x2\r\n{}\r\n0\r\n\r\n"),
    ("a blank before the size", b" 2\r\n{}\r\n0\r\n\r\n"),
    ("a blank behind the size", b"2 \r\n{}\r\n0\r\n\r\n"),
    ("a size past 64 bits", b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
    ("a size that ends with LF alone", b"2\n{}\r\n0\r\n\r\n"),
    ("a size that ends with CR alone", b"2\r{}\r\n0\r\n\r\n"),
    ("an extension that ends with LF alone", b"2;a=b\n{}\r\n0\r\n\r\n"),
    ("an extension with a CR inside", b"2;a\rb\r\n{}\r\n0\r\n\r\n"),
    ("data that end with LF alone", b"2\r\n{}\n0\r\n\r\n"),
    ("data that end with CR alone", b"2\r\n{}\r0\r\n\r\n"),
    ("data without an end", b"2\r\n{}0\r\n\r\n"),
    ("data longer than their size", b"2\r\n{}{}\r\n0\r\n\r\n"),
    ("a last chunk that ends with LF alone", b"2\r\n{}\r\n0\n\r\n"),
    ("trailers that end with LF alone", b"2\r\n{}\r\n0\r\n\n"),
    ("an extension of 200,000 bytes", b"2;" + b"a" * 200000 + b"\r\n{}\r\n0\r\n\r\n"),
    ("a size of 200,000 zeros", b"0" * 200000 + b"2\r\n{}\r\n0\r\n\r\n"),
    ("a trailer of 100,000 bytes", b"2\r\n{}\r\n0\r\nX: " + b"y" * 100000 + b"\r\n\r\n"),
    ("20,000 trailers", b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20000 + b"\r\n"),
    ("Transfer-Encoding as a trailer", b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
]

# What looks odd and is right: name, bytes, statuses with the second request's.
RIGHT = [
    ("a blank line before", b"\r\n" + GET + b"\r\n", [200, 200]),
    ("eight blank lines before", b"\r\n" * 8 + GET + b"\r\n", [200, 200]),
    ("a byte above 127 in a value", GET + b"X: a\xffb\r\n\r\n", [200, 200]),
    ("an empty value", GET + b"X:\r\n\r\n", [200, 200]),
    ("blanks and tabs around a value", GET + b"X:\t a \t\r\n\r\n", [200, 200]),
    ("an empty Host", b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", [200, 200]),
    ("a Host with brackets", b"GET /healthz HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", [200, 200]),
    ("the absolute form", b"GET http://localhost/healthz HTTP/1.1\r\nHost: w\r\n\r\n", [200, 200]),
    ("an offer to upgrade", GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", [200, 200]),
    ("close and keep-alive", GET + b"Connection: keep-alive, close\r\n\r\n", [200]),
    ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n\r\n", [200]),
    ("a body that nobody asked for, not read to its end",
     b"GET /nowhere HTTP/1.1\r\nHost: v\r\nContent-Length: 5\r\n\r\nhello", [404]),
    ("chunked in HTTP/1.0", b"POST /nowhere HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
     b"0\r\n\r\n", [400]),
    ("CONNECT", b"CONNECT v:443 HTTP/1.1\r\nHost: v\r\n\r\n", [404, 200]),
    ("a gRPC path", b"POST /vigil.events.v2.EventService/GetEvent HTTP/1.1\r\nHost: v\r\n"
     b"Content-Type: application/grpc\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0", [415]),
]

# Of a request that is read to its end, with the body {}: 412, since a search wants a start.
RIGHT_BODIES = [
    ("a length", b"Content-Length: 2", BODY),
    ("a length with blanks around", b"Content-Length:  2  ", BODY),
    ("a chunk", b"Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
    ("chunks of one byte", b"Transfer-Encoding: chunked", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
    ("chunked in capitals", b"Transfer-Encoding:\tCHUNKED ", b"2\r\n{}\r\n0\r\n\r\n"),
    ("sizes with zeros in front", b"Transfer-Encoding: chunked", b"0000000000000002\r\n{}\r\n000\r\n\r\n"),
    ("extensions", b"Transfer-Encoding: chunked", b'2;a;b=c\r\n{}\r\n0;g=h\r\n\r\n'),
    ("trailers, none of which counts", b"Transfer-Encoding: chunked",
     b"2\r\n{}\r\n0\r\nX: y\r\nArgus-API-Key: none\r\nHost: w\r\n\r\n"),
    ("a name with an underscore", b"Content_Length: 1000\r\nContent-Length: 2", BODY),
    ("an upgrade with a body", b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2", BODY),
]


class Smuggling(ServerCase):
    settings = ("workers=1", "access_log=off")

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key().encode()

    def post(self, fields, body):
        return (b"POST " + SEARCH + b" HTTP/1.1\r\nHost: v\r\nArgus-API-Key: " + self.key + b"\r\n" + fields +
                b"\r\n\r\n" + body)

    def exchange(self, data):
        """(Statuses that came, all bytes that came) until the server, or the answer to the second request, ends it."""
        raw = Raw(self.server.port)
        try:
            try:
                raw.send(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has closed already; what it said is still read
            while MARK not in raw.buffer and raw.receive():
                pass
        finally:
            raw.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", raw.buffer)], raw.buffer

    def check(self, name, data, expected):
        with self.subTest(name):
            statuses, text = self.exchange(data + SECOND)
            self.assertEqual(statuses, expected)
            self.assertEqual(MARK in text, expected[-1] == 200 and len(expected) == 2, "the second request")
            if len(expected) == 1:
                self.assertIn(b"connection: close", text)
                self.hold_against_h11(text)

    def hold_against_h11(self, text):
        """A strict reader sees one answer with a whole body, and then the end."""
        if h11 is None:
            return
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="GET", target="/", headers=[("Host", "v")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(text)
        reader.receive_data(b"")
        events = []
        while not events or not isinstance(events[-1], (h11.EndOfMessage, h11.ConnectionClosed)):
            events.append(reader.next_event())
        self.assertIsInstance(events[0], h11.Response)
        self.assertIsInstance(events[-1], h11.EndOfMessage)
        self.assertEqual(reader.next_event(), h11.ConnectionClosed(), "nothing behind it")

    def test_heads(self):
        for name, data in HEADS:
            self.check(name, data, REFUSED)

    def test_heads_in_pieces_of_one_byte(self):
        """What is wrong is seen across the borders of segments too."""
        for name, data in HEADS:
            with self.subTest(name):
                raw = Raw(self.server.port)
                self.addCleanup(raw.close)
                try:
                    raw.send_slowly(data + SECOND, 1)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertEqual(raw.answer().status, 400)
                self.assertNotIn(b"HTTP/1.1", raw.buffer)

    def test_framing(self):
        for name, fields, body in FRAMES:
            self.check(name, self.post(fields, body), REFUSED)

    def test_chunks(self):
        for name, body in CHUNKS:
            self.check(name, self.post(b"Transfer-Encoding: chunked", body), REFUSED)

    def test_what_is_right(self):
        for name, data, expected in RIGHT:
            self.check(name, data, expected)

    def test_bodies_that_are_right(self):
        for name, fields, body in RIGHT_BODIES:
            self.check(name, self.post(fields, body), [412, 200])

    def test_a_chunk_of_more_than_a_body_may_have(self):
        """Sixteen digits are a size; the body ends at its limit."""
        statuses, _ = self.exchange(self.post(b"Transfer-Encoding: chunked", b"ffffffffffffffff\r\n" + b" " * 100) +
                                    b" " * (65 << 20))
        self.assertEqual(statuses, [413])

    def test_a_broken_body_does_not_cut_an_answer_that_was_given_early(self):
        statuses, text = self.exchange(b"POST " + SEARCH + b" HTTP/1.1\r\nHost: v\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                       b"zz\r\n" + SECOND)
        self.assertEqual(statuses, [401])
        self.hold_against_h11(text)

    def test_what_stands_behind_close_is_not_served(self):
        statuses, text = self.exchange(GET + b"Connection: close\r\n\r\n" + SECOND)
        self.assertEqual(statuses, [200])
        self.hold_against_h11(text)


class Limits(ServerCase):
    settings = ("header_bytes_max=4KiB",)

    def ask(self, data):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(data)
        return raw.answer()

    def head(self, size):
        """A request whose target, names and values have `size` bytes."""
        field = size - len("/healthz") - len("Host" + "v") - len("X")
        return b"GET /healthz HTTP/1.1\r\nHost: v\r\nX: " + b"y" * field + b"\r\n\r\n"

    def test_a_head_at_its_limit_and_past_it(self):
        self.assertEqual(self.ask(self.head(4096)).status, 200)
        self.assert_error(self.ask(self.head(4097)), 431, "headers.too.large")

    def test_a_target_past_the_limit_of_heads(self):
        self.assert_error(self.ask(b"GET /" + b"y" * 5000 + b" HTTP/1.1\r\nHost: v\r\n\r\n"), 414, "url.too.long")

    def test_a_head_without_an_end(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(b"GET /healthz HTTP/1.1\r\nHost: v\r\nX: " + b"y" * 5000)
        self.assert_error(raw.answer(), 431, "headers.too.large")
        self.assertTrue(raw.is_closed())


if __name__ == "__main__":
    main()
