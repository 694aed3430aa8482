#!/usr/bin/python3
"""gRPC-Web and gRPC-Web text over HTTP/1.1 and HTTP/2, against tests/support/echo_server (grpc PROTOCOL-WEB).

usage: grpc_web_test.py ECHO_SERVER
"""
import base64
import functools
import gzip
import os
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from web_clients import CARRIERS, Http1, Http2, cut, envelope, envelopes, h2  # noqa: E402
from server_process import ServerProcess  # noqa: E402

PROGRAM = None
SERVICE = "/grpc.testing.TestService/"
UNARY, EMPTY, SIZES = SERVICE + "UnaryCall", SERVICE + "EmptyCall", SERVICE + "StreamingOutputCall"
DUPLEX, INPUT = SERVICE + "FullDuplexCall", SERVICE + "StreamingInputCall"
ECHO = "/vigil.test.Echo/"
BYTES, TEXT = "application/grpc-web+proto", "application/grpc-web-text+proto"
OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED = 0, 3, 4, 8, 10
UNIMPLEMENTED, INTERNAL, UNAUTHENTICATED = 12, 13, 16


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def simple(size=None, data=None, status=None):
    out = b"" if size is None else field(2, size)
    out += b"" if data is None else field(3, field(2, data))
    return out if status is None else out + field(7, field(1, status) + field(2, "nein, %".encode()))


def sizes(*wanted, interval_us=0, status=None):
    out = b"".join(field(2, field(1, size) + (field(2, interval_us) if interval_us else b"")) for size in wanted)
    return out if status is None else out + field(7, field(1, status) + field(2, b"later"))


def payload(message):
    """The bytes within Payload of an answer of UnaryCall or StreamingOutputCall."""
    if not message:
        return b""
    assert message[0] == 0x0A, message[:20]
    at, shift = 1, 0
    while message[at] & 128:
        at += 1
    at += 1
    inner = message[at:]
    while inner and inner[0] != 0x12:
        inner = inner[2:]  # type
    if not inner:
        return b""
    at, size, shift = 1, 0, 0
    while True:
        size |= (inner[at] & 127) << shift
        shift += 7
        at += 1
        if inner[at - 1] < 128:
            return inner[at:at + size]


def decode_text(body):
    """Groups that may be padded wherever the sender has flushed."""
    return b"".join(base64.b64decode(run) for run in re.findall(rb"[A-Za-z0-9+/]+={0,2}", body))


class Outcome:
    def __init__(self, answer, is_text):
        self.answer = answer
        self.messages, self.trailers = [], None
        body = decode_text(answer.body) if is_text else answer.body
        for flag, data in envelopes(body):
            assert self.trailers is None, "a frame behind the trailers"
            if flag & 0x80:
                self.trailers = {}
                assert data.endswith(b"\r\n"), data
                for line in data.decode("ascii").split("\r\n")[:-1]:
                    name, value = line.split(": ", 1)
                    assert name == name.lower(), name
                    self.trailers[name] = value
            else:
                self.messages.append(gzip.decompress(data) if flag & 1 else data)

    @property
    def is_bare(self):
        """The status stands in the head, and there is no body."""
        return self.trailers is None and not self.answer.body

    @property
    def said(self):
        return self.answer.headers if self.trailers is None else self.trailers

    @property
    def status(self):
        return int(self.said["grpc-status"])

    @property
    def words(self):
        return urllib.parse.unquote(self.said.get("grpc-message", ""))


def every(test):
    """Run the test all four ways; the connections are used again and again."""
    @functools.wraps(test)
    def run(self):
        for client in self.open:
            for kind in (BYTES, TEXT):
                with self.subTest(client.name, kind=kind):
                    test(self, client, kind)
    return run


class GrpcWeb(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess(PROGRAM, *cls.options)

    @classmethod
    def tearDownClass(cls):
        code, rest = cls.server.stop()
        assert code == 0, f"exit code of the server: {code}; it said {rest!r}"

    def setUp(self):
        self.open = [carrier(self.server.port) for carrier in CARRIERS]

    def tearDown(self):
        for client in self.open:
            client.close()

    def ask(self, client, kind, path, *messages, headers=(), size=None, body=None):
        plain = b"".join(envelope(message) for message in messages) if body is None else body
        data = base64.b64encode(plain) if kind == TEXT and body is None else plain
        answer = client.ask(path, cut(data, size) if size else [data], [("content-type", kind), *headers])
        is_text = answer.headers.get("content-type", "").startswith("application/grpc-web-text")
        return Outcome(answer, is_text)

    @every
    def test_unary_gives_message_and_trailers(self, client, kind):
        outcome = self.ask(client, kind, UNARY, simple(31))
        self.assertEqual(outcome.answer.status, 200)
        self.assertEqual(outcome.answer.headers["content-type"], kind)
        self.assertEqual([len(payload(each)) for each in outcome.messages], [31])
        self.assertEqual(outcome.trailers["grpc-status"], "0")

    @every
    def test_empty_message(self, client, kind):
        outcome = self.ask(client, kind, EMPTY, b"")
        self.assertEqual((outcome.messages, outcome.status), ([b""], OK))

    @every
    def test_any_cut(self, client, kind):
        for size in (1, 2, 3, 5, 7):
            outcome = self.ask(client, kind, UNARY, simple(12, b"x" * 9), size=size)
            self.assertEqual(len(payload(outcome.messages[0])), 12)

    def test_text_may_be_padded_anywhere(self):
        data = envelope(simple(9, b"abcdefgh"))
        for client in self.open:
            for size in (1, 2, 4, 5):
                text = b"".join(base64.b64encode(piece) for piece in cut(data, size))
                outcome = self.ask(client, TEXT, UNARY, body=text, size=3)
                self.assertEqual((len(payload(outcome.messages[0])), outcome.status), (9, OK))

    def test_types_without_proto_and_with_parameters(self):
        for client in self.open:
            for kind in ("application/grpc-web", "Application/GRPC-Web+Proto", "application/grpc-web; charset=utf-8"):
                outcome = self.ask(client, kind, UNARY, simple(3))
                self.assertEqual((outcome.answer.headers["content-type"], outcome.status), (BYTES, OK))

    def test_accept_chooses_the_form_of_the_answer(self):
        for client in self.open:
            outcome = self.ask(client, BYTES, UNARY, simple(3), headers=[("accept", "application/grpc-web-text")])
            self.assertEqual((outcome.answer.headers["content-type"], outcome.status), (TEXT, OK))
            outcome = self.ask(client, TEXT, UNARY, simple(3), headers=[("accept", BYTES)])
            self.assertEqual((outcome.answer.headers["content-type"], outcome.status), (BYTES, OK))
            outcome = self.ask(client, TEXT, UNARY, simple(3), headers=[("accept", "*/*")])
            self.assertEqual((outcome.answer.headers["content-type"], outcome.status), (TEXT, OK))

    @every
    def test_rows_come_as_messages(self, client, kind):
        outcome = self.ask(client, kind, SIZES, sizes(1, 0, 5000, 100000, 2))
        self.assertEqual([len(payload(each)) for each in outcome.messages], [1, 0, 5000, 100000, 2])
        self.assertEqual(outcome.trailers["grpc-status"], "0")

    @every
    def test_failure_before_the_first_message_is_in_the_head(self, client, kind):
        outcome = self.ask(client, kind, UNARY, simple(status=5))
        self.assertTrue(outcome.is_bare, outcome.answer)
        self.assertEqual((outcome.answer.status, outcome.status, outcome.words), (200, 5, "nein, %"))
        self.assertEqual(outcome.answer.headers["content-type"], kind)

    @every
    def test_failure_after_messages_is_the_last_frame(self, client, kind):
        outcome = self.ask(client, kind, ECHO + "StreamListCustomers", field(1, 9000) + field(2, 8000))
        self.assertTrue(0 < len(outcome.messages) < 8000, len(outcome.messages))
        self.assertEqual(outcome.trailers["grpc-status"], str(ABORTED))

    @every
    def test_metadata_goes_both_ways(self, client, kind):
        headers = [("x-grpc-test-echo-initial", "first"), ("x-grpc-test-echo-trailing-bin", "q6ur"),
                   ("x-grpc-web", "1"), ("x-user-agent", "grpc-web-javascript/0.1")]
        outcome = self.ask(client, kind, UNARY, simple(1), headers=headers)
        self.assertEqual(outcome.answer.headers["x-grpc-test-echo-initial"], "first")
        self.assertEqual(outcome.trailers["x-grpc-test-echo-trailing-bin"], "q6ur")

    @every
    def test_compressed_messages(self, client, kind):
        packed = envelope(gzip.compress(simple(4000, b"z" * 5000)), 1)
        headers = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")]
        body = base64.b64encode(packed) if kind == TEXT else packed
        outcome = self.ask(client, kind, UNARY, body=body, headers=headers)
        self.assertEqual((len(payload(outcome.messages[0])), outcome.status), (4000, OK))
        self.assertEqual(outcome.answer.headers["grpc-encoding"], "gzip")
        outcome = self.ask(client, kind, UNARY, body=body)
        self.assertEqual(outcome.status, INTERNAL, "compressed, without saying how")

    @every
    def test_status_of_what_is_wrong(self, client, kind):
        cases = [
            (SERVICE + "Nothing", [b""], (), UNIMPLEMENTED),
            (UNARY, [simple(1), simple(1)], (), UNIMPLEMENTED),
            (UNARY, [b"\xff\xff"], (), INVALID_ARGUMENT),
            (ECHO + "Small", [simple(1, b"x" * 2000)], (), RESOURCE_EXHAUSTED),
            (UNARY, [simple(1)], [("argus-api-key", "wrong")], UNAUTHENTICATED),
            (ECHO + "Sleep", [simple(20000)], [("grpc-timeout", "50m")], DEADLINE_EXCEEDED),
            (UNARY, [simple(1)], [("grpc-timeout", "never")], INTERNAL),
            (UNARY, [simple(1)], [("content-encoding", "gzip")], UNIMPLEMENTED),
        ]
        for path, messages, headers, status in cases:
            outcome = self.ask(client, kind, path, *messages, headers=headers)
            self.assertEqual(outcome.status, status, (path, headers, outcome.answer))
            if isinstance(client, Http1):  # what failed early may have closed the connection
                client.close()

    def test_what_is_no_base64(self):
        for client in self.open:
            for body in (b"AAAA*AAA", b"AAA", b"A===", b"=AAA", b"AAAB\r\n"):
                outcome = self.ask(client, TEXT, UNARY, body=body)
                self.assertEqual(outcome.status, INTERNAL, body)
                if isinstance(client, Http1):
                    client.close()

    @every
    def test_body_that_ends_within_a_message(self, client, kind):
        data = envelope(simple(5))[:-1]
        outcome = self.ask(client, kind, UNARY, body=base64.b64encode(data) if kind == TEXT else data)
        self.assertEqual(outcome.status, INTERNAL)

    def test_other_verbs_and_types_are_refused_in_http(self):
        for client in self.open:
            answer = client.ask(UNARY, [], [("content-type", BYTES)], verb="GET")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST, OPTIONS"))
            client.close() if isinstance(client, Http1) else None
            for kind in ("application/grpc-web+json", "application/grpc-web-text+thrift"):
                answer = client.ask(UNARY, [b"{}"], [("content-type", kind)])
                self.assertEqual(answer.status, 415)
                client.close() if isinstance(client, Http1) else None

    @every
    def test_streams_of_requests(self, client, kind):
        messages = [field(1, field(2, b"x" * size)) for size in (10, 20, 30)]
        outcome = self.ask(client, kind, INPUT, *messages)
        self.assertEqual((outcome.messages, outcome.status), ([field(1, 60)], OK))

    def test_streams_both_ways_need_http2(self):
        one, two = self.open
        for kind in (BYTES, TEXT):
            outcome = self.ask(one, kind, DUPLEX, sizes(3))
            self.assertEqual((outcome.status, "HTTP/2" in outcome.words), (UNIMPLEMENTED, True))
            one.close()
            outcome = self.ask(two, kind, DUPLEX, sizes(3), sizes(4))
            self.assertEqual([len(payload(each)) for each in outcome.messages], [3, 4])

    def test_both_ways_at_once_over_http2(self):
        client = self.open[1]
        stream = client.begin(DUPLEX, [("content-type", TEXT)])
        for size in (1, 2, 3):
            client.send(stream, base64.b64encode(envelope(sizes(size))))
            want = size  # the answer comes before the next question
            while len(envelopes(decode_text(client.client.body(stream)))) < want:
                client.client.receive()
        client.send(stream, b"", end=True)
        outcome = Outcome(client.finish(stream), True)
        self.assertEqual(([len(payload(each)) for each in outcome.messages], outcome.status), ([1, 2, 3], OK))

    def test_an_answer_is_there_before_the_next(self):
        """A stream that goes silent has sent whole groups: nothing of a message waits for what follows."""
        client = self.open[1]
        for kind in (BYTES, TEXT):
            stream = client.begin(ECHO + "Live", [("content-type", kind)])
            data = envelope(sizes(7))
            client.send(stream, base64.b64encode(data) if kind == TEXT else data, end=True)
            found = []
            while not found:
                client.client.receive()
                body = client.client.body(stream)
                if kind == BYTES and len(body) < 5:
                    continue
                found = envelopes(decode_text(body) if kind == TEXT else body)
            self.assertEqual(len(payload(found[0][1])), 7)
            client.client.h2.reset_stream(stream, 8)
            client.client.flush()

    def test_large_messages_through_small_windows(self):
        client = Http2(self.server.port, window=1000)
        self.open.append(client)
        for kind in (BYTES, TEXT):
            outcome = self.ask(client, kind, UNARY, simple(271828, b"x" * 314159))
            self.assertEqual((len(payload(outcome.messages[0])), outcome.status), (271828, OK))

    def test_a_reader_that_goes_away_frees_its_call(self):
        for kind in (BYTES, TEXT):
            client = Http2(self.server.port, window=100)
            stream = client.begin(SIZES, [("content-type", kind)])
            data = envelope(sizes(*[50000] * 20))
            client.send(stream, base64.b64encode(data) if kind == TEXT else data, end=True)
            client.client.until(h2.events.DataReceived, stream)
            client.close()  # the server's exit code tells whether all calls have ended


def main():
    global PROGRAM
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)


if __name__ == "__main__":
    main()
