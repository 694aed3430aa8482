#!/usr/bin/python3
"""Metadata of request and answer against tests/support/echo_server, of all four kinds of methods.

usage: grpc_metadata.py ECHO_SERVER
"""
import base64
import sys
import unittest

import grpc_conformance
from grpc_conformance import DEADLINE, NOT_FOUND, OK, UNARY, GrpcTest, field, grpc, h2, message, payload

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
SERVICE = "/grpc.testing.TestService/"
FAILS = field(7, field(1, NOT_FOUND) + field(2, b"no"))


def values(metadata, name):
    return [value for key, value in metadata or () if key == name]


class Metadata(GrpcTest):
    def parts(self, client, stream):
        """Headers and trailers of an answer, as lists of pairs."""
        self.ended(client, stream)
        trailers = client.find(h2.events.TrailersReceived, stream)
        return client.find(h2.events.ResponseReceived, stream).headers, trailers.headers if trailers else None

    def call(self, *extra, request=payload(b"x")):
        client = self.client()
        stream = self.start(client, UNARY, extra=extra)
        self.send(client, stream, message(request))
        return self.parts(client, stream)

    def test_every_kind_of_method_answers_with_metadata(self):
        channel, sent = self.channel(), [(INITIAL, "first"), (TRAILING, bytes(range(256)))]
        plain = {"request_serializer": None, "response_deserializer": None}
        one, many = payload(b"x"), [field(3, field(2, b"x"))] * 2
        answer, unary = channel.unary_unary(UNARY, **plain).with_call(one, timeout=DEADLINE, metadata=sent)
        self.assertTrue(answer)
        streams = [unary,
                   channel.unary_stream(SERVICE + "StreamingOutputCall", **plain)(
                       field(2, field(1, 5)), timeout=DEADLINE, metadata=sent),
                   channel.stream_stream(SERVICE + "FullDuplexCall", **plain)(
                       iter([field(2, field(1, 5))]), timeout=DEADLINE, metadata=sent),
                   channel.stream_stream(SERVICE + "HalfDuplexCall", **plain)(
                       iter(many), timeout=DEADLINE, metadata=sent)]
        answer, collected = channel.stream_unary(SERVICE + "StreamingInputCall", **plain).with_call(
            iter([field(1, field(2, b"abc"))]), timeout=DEADLINE, metadata=sent)
        self.assertEqual(answer, field(1, 3))
        for call in [*streams, collected]:
            self.assertEqual(values(call.initial_metadata(), INITIAL), ["first"])
            if call is not unary and call is not collected:
                list(call)
            self.assertEqual(values(call.trailing_metadata(), TRAILING), [bytes(range(256))])
            self.assertEqual(values(call.trailing_metadata(), INITIAL), [])

    def test_order_of_duplicate_metadata(self):
        extra = [(INITIAL, "b"), (TRAILING, "Yg"), (INITIAL, "a"), (TRAILING, "YQ"), (INITIAL, "b"), (INITIAL, "")]
        headers, trailers = self.call(*extra)
        self.assertEqual(values(headers, INITIAL), ["b", "a", "b", ""])
        self.assertEqual(values(trailers, TRAILING), ["Yg", "YQ"])

    def test_binary_metadata_padded_unpadded_comma_joined_and_invalid(self):
        for text, found in (("YWI=", [b"ab"]), ("YWI", [b"ab"]), ("YWI=,YQ,YWJj", [b"ab", b"a", b"abc"]),
                            ("YWI , YQ==", [b"ab", b"a"]), ("", [b""]), ("***", []), ("YWI,*,YQ", [b"ab", b"a"])):
            headers, trailers = self.call((TRAILING, text))
            self.assertEqual(dict(headers)[":status"], "200")
            self.assertEqual(dict(trailers)["grpc-status"], str(OK), text)
            sent = values(trailers, TRAILING)
            self.assertEqual([base64.b64decode(one + "=" * (-len(one) % 4)) for one in sent], found, text)
            self.assertFalse(any("=" in one for one in sent), "answers are unpadded")

    def test_a_failure_alone_carries_both(self):
        headers, trailers = self.call((INITIAL, "one"), (TRAILING, "YQ"), request=FAILS)
        self.assertIsNone(trailers)
        self.assertEqual(dict(headers)["grpc-status"], str(NOT_FOUND))
        self.assertEqual((values(headers, INITIAL), values(headers, TRAILING)), (["one"], ["YQ"]))

    def test_metadata_of_an_answer_is_bounded(self):
        headers, trailers = self.call(*[(INITIAL, str(i)) for i in range(30)], *[(TRAILING, "YQ")] * 30)
        self.assertEqual(values(headers, INITIAL), [str(i) for i in range(16)])
        self.assertEqual(values(trailers, TRAILING), ["YQ"] * 16)
        headers, _ = self.call((INITIAL, "x" * (4096 - len(INITIAL))))
        self.assertEqual(len(values(headers, INITIAL)), 1)
        headers, _ = self.call((INITIAL, "x" * (4097 - len(INITIAL))))
        self.assertEqual(values(headers, INITIAL), [])

    def test_odd_characters_are_no_failure(self):
        odd = "~!@#$%^&*()_+|{}:\"<>?`-=[]\\;',./ x"
        headers, trailers = self.call((INITIAL, odd), ("x-odd", "\u00e9"), ("x_odd.name", ""))
        self.assertEqual(values(headers, INITIAL), [odd])
        self.assertEqual(dict(trailers)["grpc-status"], str(OK))


class Late(GrpcTest):
    options = ("access_log=off",)

    def test_a_deadline_says_nothing_of_a_handler_that_still_works(self):
        client = self.client()
        stream = self.start(client, grpc_conformance.ECHO + "Sleep",
                            extra=[("grpc-timeout", "100m"), (INITIAL, "x"), (TRAILING, "YQ")])
        self.send(client, stream, message(field(2, 60000)))
        headers = self.status(client, stream, grpc_conformance.DEADLINE_EXCEEDED)
        self.assertNotIn(INITIAL, headers)
        self.wait_state(calls=1, sleeping=0)


if __name__ == "__main__":
    grpc_conformance.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
