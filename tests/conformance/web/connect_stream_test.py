#!/usr/bin/python3
"""Streams of the Connect protocol over HTTP/1.1 and HTTP/2, and its unary calls with metadata, against
tests/support/echo_server.

usage: connect_stream_test.py ECHO_SERVER
"""
import gzip
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from grpc_web_test import DUPLEX, ECHO, INPUT, SIZES, UNARY, field, payload, simple, sizes  # noqa: E402
from web_clients import CARRIERS, Http1, Http2, cut, envelope, envelopes, h2  # noqa: E402
from server_process import ServerProcess  # noqa: E402

PROGRAM = None
STREAM, PROTO = "application/connect+proto", "application/proto"


class Outcome:
    """Messages, and what the message that ends the stream says."""

    def __init__(self, answer):
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == STREAM, answer
        assert not [name for name in answer.headers if name.startswith("grpc-")], answer
        self.answer, self.end = answer, None
        self.messages = []
        for flag, data in envelopes(answer.body):
            assert self.end is None, "a message behind the end"
            if flag & 2:
                self.end = json.loads(data)
            else:
                self.messages.append(gzip.decompress(data) if flag & 1 else data)
        assert self.end is not None, "it has no end"

    @property
    def code(self):
        return self.end["error"]["code"] if "error" in self.end else "ok"


class Connect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = ServerProcess(PROGRAM)

    @classmethod
    def tearDownClass(cls):
        code, rest = cls.server.stop()
        assert code == 0, f"exit code of the server: {code}; it said {rest!r}"

    def setUp(self):
        self.open = [carrier(self.server.port) for carrier in CARRIERS]

    def tearDown(self):
        for client in self.open:
            client.close()

    def ask(self, client, path, *messages, headers=(), body=None, size=None):
        data = b"".join(envelope(message) for message in messages) if body is None else body
        return Outcome(client.ask(path, cut(data, size) if size else [data], [("content-type", STREAM), *headers]))

    def test_rows_come_as_messages_and_then_the_end(self):
        for client in self.open:
            outcome = self.ask(client, SIZES, sizes(1, 0, 5000, 100000, 2))
            self.assertEqual([len(payload(each)) for each in outcome.messages], [1, 0, 5000, 100000, 2])
            self.assertEqual(outcome.end, {})
            outcome = self.ask(client, SIZES, sizes(3), size=1)
            self.assertEqual((len(outcome.messages), outcome.code), (1, "ok"))

    def test_failures_stand_in_the_end(self):
        cases = [
            (SIZES, [b"\xff"], (), "invalid_argument"),
            (SIZES, [sizes(1)], [("argus-api-key", "wrong")], "unauthenticated"),
            (SIZES, [sizes(1)], [("connect-timeout-ms", "soon")], "invalid_argument"),
            (SIZES, [sizes(1)], [("connect-protocol-version", "7")], "invalid_argument"),
            (SIZES, [sizes(1), sizes(1)], (), "unimplemented"),
            (SIZES, [sizes(1, 1, 1, interval_us=400000)], [("connect-timeout-ms", "300")], "deadline_exceeded"),
            (ECHO + "StreamListCustomers", [field(1, 9000) + field(2, 8000)], (), "aborted"),
            ("/grpc.testing.TestService/Nothing", [b""], (), "unimplemented"),
        ]
        for client in self.open:
            for path, messages, headers, code in cases:
                outcome = self.ask(client, path, *messages, headers=headers)
                self.assertEqual(outcome.code, code, (client.name, path, outcome.answer))
                if code in ("invalid_argument", "unauthenticated"):
                    self.assertEqual(outcome.messages, [])
                    self.assertEqual(outcome.end["error"]["details"][0]["type"], "google.rpc.ErrorInfo")
                client.close() if isinstance(client, Http1) else None

    def test_what_is_no_frame(self):
        for client in self.open:
            for body in (envelope(sizes(1), 2), envelope(sizes(1), 1), envelope(sizes(1))[:-1], b"\0\0"):
                self.assertEqual(self.ask(client, SIZES, body=body).code, "internal", body)
                client.close() if isinstance(client, Http1) else None

    def test_compressed_messages(self):
        body = envelope(gzip.compress(sizes(4000, 10)), 1)
        headers = [("connect-content-encoding", "gzip"), ("connect-accept-encoding", "gzip")]
        for client in self.open:
            outcome = self.ask(client, SIZES, body=body, headers=headers)
            self.assertEqual([len(payload(each)) for each in outcome.messages], [4000, 10])
            self.assertEqual(outcome.answer.headers["connect-content-encoding"], "gzip")
            self.assertIn("gzip", outcome.answer.headers["connect-accept-encoding"])
            outcome = self.ask(client, SIZES, sizes(1), headers=[("connect-content-encoding", "br")])
            self.assertEqual(outcome.code, "ok", "it is not used")
            outcome = self.ask(client, SIZES, body=body, headers=[("connect-content-encoding", "br")])
            self.assertEqual(outcome.code, "unimplemented")

    def test_streams_of_requests(self):
        messages = [field(1, field(2, b"x" * size)) for size in (10, 20, 30)]
        for client in self.open:
            outcome = self.ask(client, INPUT, *messages)
            self.assertEqual((outcome.messages, outcome.end), ([field(1, 60)], {}))

    def test_streams_both_ways_need_http2(self):
        one, two = self.open
        outcome = self.ask(one, DUPLEX, sizes(3))
        self.assertEqual(outcome.code, "unimplemented")
        stream = two.begin(DUPLEX, [("content-type", STREAM)])
        for size in (1, 2, 3):
            two.send(stream, envelope(sizes(size)))
            while len(envelopes(two.client.body(stream))) < size:
                two.client.receive()
        two.send(stream, b"", end=True)
        outcome = Outcome(two.finish(stream))
        self.assertEqual(([len(payload(each)) for each in outcome.messages], outcome.code), ([1, 2, 3], "ok"))

    def test_large_messages_through_small_windows(self):
        client = Http2(self.server.port, window=1000)
        self.open.append(client)
        outcome = self.ask(client, SIZES, sizes(271828, 3))
        self.assertEqual([len(payload(each)) for each in outcome.messages], [271828, 3])

    def test_a_reader_that_goes_away_frees_its_call(self):
        client = Http2(self.server.port, window=100)
        stream = client.begin(SIZES, [("content-type", STREAM)])
        client.send(stream, envelope(sizes(*[50000] * 20)), end=True)
        client.client.until(h2.events.DataReceived, stream)
        client.close()

    def test_types_of_the_other_kind_are_refused(self):
        for client in self.open:
            for path, kind in ((UNARY, STREAM), (SIZES, PROTO), (SIZES, "application/connect+json"),
                               (SIZES, "application/connect+xml")):
                answer = client.ask(path, [b""], [("content-type", kind)])
                self.assertEqual(answer.status, 415, (path, kind))
                self.assertIn("application/connect+proto", answer.headers["accept-post"])
            answer = client.ask(SIZES, [], [("content-type", STREAM)], verb="GET")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST, OPTIONS"))

    def test_unary_metadata(self):
        """What gRPC has as trailers has a prefix here; headers have none."""
        headers = [("content-type", PROTO), ("x-grpc-test-echo-initial", "first"),
                   ("x-grpc-test-echo-trailing-bin", "q6ur")]
        for client in self.open:
            answer = client.ask(UNARY, [simple(9)], headers)
            self.assertEqual((answer.status, len(payload(answer.body))), (200, 9))
            self.assertEqual(answer.headers["x-grpc-test-echo-initial"], "first")
            self.assertEqual(answer.headers["trailer-x-grpc-test-echo-trailing-bin"], "q6ur")

    def test_metadata_of_a_stream_stands_in_its_end(self):
        headers = [("x-grpc-test-echo-initial", "first"), ("x-grpc-test-echo-trailing-bin", "q6ur")]
        for client in (self.open[1],):
            outcome = self.ask(client, DUPLEX, sizes(1), headers=headers)
            self.assertEqual(outcome.answer.headers["x-grpc-test-echo-initial"], "first")
            self.assertEqual(outcome.end, {"metadata": {"x-grpc-test-echo-trailing-bin": ["q6ur"]}})

    def test_unary_deadline_and_large_messages(self):
        for client in self.open:
            answer = client.ask(ECHO + "Sleep", [simple(20000)], [("content-type", PROTO), ("connect-timeout-ms", "50")])
            self.assertEqual((answer.status, json.loads(answer.body)["code"]), (504, "deadline_exceeded"))
            client.close() if isinstance(client, Http1) else None
            answer = client.ask(UNARY, [simple(271828, b"x" * 314159)], [("content-type", PROTO)])
            self.assertEqual((answer.status, len(payload(answer.body))), (200, 271828))
            answer = client.ask(ECHO + "Small", [simple(1, b"x" * 2000)], [("content-type", PROTO)])
            self.assertEqual((answer.status, json.loads(answer.body)["code"]), (429, "resource_exhausted"))
            client.close() if isinstance(client, Http1) else None

    def test_unary_calls_whose_client_goes_away(self):
        for _ in range(5):
            client = Http2(self.server.port)
            client.send(client.begin(ECHO + "Sleep", [("content-type", PROTO)]), simple(100), end=True)
            client.close()


def main():
    global PROGRAM
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)


if __name__ == "__main__":
    main()
