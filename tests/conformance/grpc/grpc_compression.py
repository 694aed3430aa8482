#!/usr/bin/python3
"""Compression of messages against tests/support/echo_server: raw frames by python3-h2, and calls by grpcio.

usage: grpc_compression.py ECHO_SERVER
"""
import gzip
import random
import sys
import unittest
import zlib

import grpc_conformance
from grpc_conformance import (DEADLINE, ECHO, EMPTY, INTERNAL, INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED, UNARY,
                              UNIMPLEMENTED, GrpcTest, decode, field, grpc, h2, message, payload)
from grpc_streaming import messages

SERVICE = "/grpc.testing.TestService/"
UPLOAD = ECHO + "Upload"
GZIP, DEFLATE = ("grpc-encoding", "gzip"), ("grpc-encoding", "deflate")
ACCEPTS = ("grpc-accept-encoding", "identity,deflate,gzip")
PACK = {"gzip": gzip.compress, "deflate": zlib.compress}
UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress}
YES, NO = field(1, 1), b""
PLAIN = {"request_serializer": None, "response_deserializer": None}


def flags(data):
    """The flag of each message."""
    found, at = [], 0
    while at < len(data):
        found.append(data[at])
        at += 5 + int.from_bytes(data[at + 1:at + 5], "big")
    return found


def checksum(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0x7fffffff
    return total


class Compression(GrpcTest):
    def send_all(self, client, stream, data, slices=lambda: 16384):
        """As many bytes as the window takes, cut as `slices` says, and the end."""
        at = 0
        while at < len(data) or not data:
            room = min(client.h2.local_flow_control_window(stream), slices(), len(data) - at)
            if room == 0 and data:
                client.receive()
                continue
            client.h2.send_data(stream, data[at:at + room], end_stream=at + room == len(data))
            client.flush()
            at += room
            if not data:
                return

    def call(self, client, path, body, *extra):
        stream = self.start(client, path, extra=extra)
        self.send_all(client, stream, body)
        return stream

    def answered(self, client, stream):
        """Headers, and each message of the answer as it is after inflating."""
        headers = self.status(client, stream, OK)
        whole, rest = messages(client.body(stream))
        self.assertEqual(rest, b"")
        return headers, [UNPACK[headers["grpc-encoding"]](one) if flag else one
                         for flag, one in zip(flags(client.body(stream)), whole)]


class Requests(Compression):
    def test_gzip_and_deflate_are_understood(self):
        client = self.client()
        for name, pack in PACK.items():
            for size in (0, 1, 1000, 70000):
                data = payload(random.Random(size).randbytes(size // 2) + bytes(size - size // 2))
                stream = self.call(client, UNARY, message(pack(data), 1), ("grpc-encoding", name))
                self.assertEqual(decode(self.answer(client, stream)[1][0]).get(2, [b""])[0],
                                 decode(decode(data)[3][0]).get(2, [b""])[0])
        stream = self.call(client, EMPTY, message(gzip.compress(b""), 1), ("grpc-encoding", "GZip"))
        self.status(client, stream, OK)

    def test_zip_bomb_stops_at_the_limit(self):
        client = self.client()
        before = self.resident_kib()
        stream = self.call(client, UNARY, message(gzip.compress(bytes(100 << 20), 1), 1), GZIP)
        headers = self.status(client, stream, RESOURCE_EXHAUSTED)
        self.assertIn("4194304", headers["grpc-message"])
        if not self.is_sanitized():
            self.assertLess(self.resident_kib() - before, 20 * 1024)
        at_limit = payload(bytes((4 << 20) - 10))
        self.assertEqual(len(at_limit), 4 << 20)
        for extra, code in ((b"", OK), (field(9, 1)[:1], RESOURCE_EXHAUSTED)):
            stream = self.call(client, ECHO + "Sleep", message(gzip.compress(at_limit + extra, 1), 1), GZIP)
            self.status(client, stream, code)

    def test_truncated_gzip_is_internal(self):
        client = self.client()
        whole = gzip.compress(payload(b"x" * 100))
        for data in [whole[:cut] for cut in range(0, len(whole), 5)] + [whole[:-1], whole + b"\0", payload(b"x")]:
            self.status(client, self.call(client, UNARY, message(data, 1), GZIP), INTERNAL)
        self.status(client, self.call(client, UNARY, message(whole, 1), DEFLATE), INTERNAL)

    def test_limit_of_a_method_is_that_of_the_inflated_message(self):
        client = self.client()
        for size, code in ((1000, OK), (1001, RESOURCE_EXHAUSTED)):
            data = payload(b"x" * (size - 6))
            self.status(client, self.call(client, ECHO + "Small", message(gzip.compress(data), 1), GZIP), code)

    def test_unknown_encoding_names_those_we_have(self):
        client = self.client()
        for path in (UNARY, SERVICE + "FullDuplexCall", UPLOAD):
            stream = self.call(client, path, message(b"x", 1), ("grpc-encoding", "snappy"))
            headers = self.status(client, stream, UNIMPLEMENTED)
            self.assertEqual(headers["grpc-accept-encoding"], "identity,deflate,gzip")

    def test_expectations_of_the_client_hold(self):
        client = self.client()
        plain, packed = payload(bytes(100)), gzip.compress
        for expects, compressed, code in ((YES, True, OK), (YES, False, INVALID_ARGUMENT), (NO, False, OK),
                                          (NO, True, INVALID_ARGUMENT)):
            request = plain + field(8, expects)
            body = message(packed(request), 1) if compressed else message(request)
            self.status(client, self.call(client, UNARY, body, GZIP), code)
            request = field(1, field(2, b"x")) + field(2, expects)
            body = message(field(1, b"")) + (message(packed(request), 1) if compressed else message(request))
            self.status(client, self.call(client, SERVICE + "StreamingInputCall", body, GZIP), code)

    def test_messages_of_a_conversation(self):
        client = self.client()
        sizes = [3, 1, 4, 1, 5, 9, 2, 6]
        body = b"".join(message(PACK["deflate"](field(2, field(1, size))), 1) if size % 2 else
                        message(field(2, field(1, size))) for size in sizes)
        stream = self.start(client, SERVICE + "FullDuplexCall", extra=[DEFLATE])
        for at in range(0, len(body), 7):
            self.send(client, stream, body[at:at + 7], end=at + 7 >= len(body))
        self.status(client, stream, OK)
        self.assertEqual([len(decode(decode(one)[1][0]).get(2, [b""])[0])
                          for one in messages(client.body(stream))[0]], sizes)
        for wrong in (gzip.compress(b"x" * 100)[:-3], b"", b"abc"):
            stream = self.start(client, SERVICE + "FullDuplexCall", extra=[GZIP])
            self.send(client, stream, message(wrong, 1), end=False)
            self.status(client, stream, INTERNAL)
        stream = self.start(client, SERVICE + "FullDuplexCall", extra=[GZIP])
        self.send(client, stream, message(gzip.compress(bytes(5 << 20)), 1), end=False)
        self.status(client, stream, RESOURCE_EXHAUSTED)
        self.wait_state(calls=1)


class Uploads(Compression):
    def test_what_arrives_is_what_was_sent(self):
        client = self.client()
        chance = random.Random(1)
        for name, pack in PACK.items():
            parts = [chance.randbytes(chance.choice((0, 1, 500, 30000))) * chance.choice((1, 10)) for _ in range(20)]
            body = b"".join(message(pack(field(1, part)), 1) if chance.random() < 0.7 else message(field(1, part))
                            for part in parts)
            stream = self.start(client, UPLOAD, extra=[("grpc-encoding", name)])
            self.send_all(client, stream, body, lambda: chance.choice((1, 10, 16384)))
            answer = self.answer(client, stream)
            whole = b"".join(parts)
            self.assertEqual((answer[1][0], answer[2][0]), (len(whole), checksum(whole)))

    def test_by_grpcio(self):
        call = self.channel().stream_unary(UPLOAD, **PLAIN)
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate, grpc.Compression.NoCompression):
            answer = decode(call((field(1, bytes(100000)) for _ in range(50)), timeout=DEADLINE, compression=compression))
            self.assertEqual(answer[1][0], 5000000)

    def test_what_is_wrong_with_it(self):
        client = self.client()
        for data, code in ((gzip.compress(field(1, b"x"))[:-1], INTERNAL), (b"", INTERNAL),
                           (gzip.compress(field(1, bytes(4 << 20))), RESOURCE_EXHAUSTED),
                           (gzip.compress(field(1, b"xyz")[:-1]), INVALID_ARGUMENT)):
            stream = self.start(client, UPLOAD, extra=[GZIP])
            self.send(client, stream, message(data, 1), end=False)
            self.status(client, stream, code)
        stream = self.start(client, UPLOAD, extra=[GZIP])
        self.send(client, stream, message(gzip.compress(field(1, b"x")), 1)[:-1])
        self.status(client, stream, INTERNAL)
        self.wait_state(calls=1)

    def test_a_handler_that_takes_slowly_is_not_drowned(self):
        """Messages of 4 KiB that become 4 MiB each: the client's window closes, and memory stays flat."""
        client = self.client()
        before = self.resident_kib()
        stream = self.start(client, UPLOAD, extra=[GZIP, ("x-interval-us", "300000")])
        bomb = message(gzip.compress(field(1, bytes((4 << 20) - 10))), 1)
        sent, quiet = 0, 0
        while quiet < 30:
            quiet += 1
            while client.h2.local_flow_control_window(stream) >= len(bomb):
                client.h2.send_data(stream, bomb)
                sent += len(bomb)
                quiet = 0
            self.status(client, self.call(client, EMPTY, message(b"")), OK)
        self.assertLess(sent, 2 << 20)
        if not self.is_sanitized():
            self.assertLess(self.resident_kib() - before, 30 * 1024)
        client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        self.wait_state(calls=1)


class Answers(Compression):
    """As by default: only who asks by compressing gets compressed answers."""

    def test_only_who_asks_and_accepts(self):
        client = self.client()
        for extra, wanted in (((), None), ((ACCEPTS,), None), ((GZIP,), None), ((GZIP, ACCEPTS), "gzip"),
                              ((DEFLATE, ACCEPTS), "deflate"), ((DEFLATE, ("grpc-accept-encoding", "gzip")), "gzip"),
                              ((GZIP, ("grpc-accept-encoding", "identity")), None),
                              ((("grpc-encoding", "identity"), ACCEPTS), None)):
            stream = self.call(client, UNARY, message(field(2, 5000)), *extra)
            headers, answer = self.answered(client, stream)
            self.assertEqual(headers.get("grpc-encoding"), wanted, extra)
            self.assertEqual(flags(client.body(stream)), [1 if wanted else 0])
            self.assertEqual(len(decode(decode(answer[0])[1][0])[2][0]), 5000)


class Accepted(Compression):
    options = ("grpc_compression=accepted",)

    def test_from_a_size_on(self):
        client = self.client()
        for size, flag in ((1024 - 6, 1), (1024 - 7, 0)):
            stream = self.call(client, UNARY, message(field(2, size)), ACCEPTS)
            headers, answer = self.answered(client, stream)
            self.assertEqual(len(answer[0]), size + 6)
            self.assertEqual((flags(client.body(stream)), "grpc-encoding" in headers), ([flag], flag == 1))
        noise = payload(random.Random(3).randbytes(5000))
        stream = self.call(client, UNARY, message(noise), ACCEPTS)
        self.answered(client, stream)
        self.assertEqual(flags(client.body(stream)), [0], "what would get longer is sent as it is")

    def test_off_for_one_message(self):
        client = self.client()
        for wanted, flag in ((YES, 1), (NO, 0)):
            stream = self.call(client, UNARY, message(field(2, 5000) + field(6, wanted)), ACCEPTS)
            self.answered(client, stream)
            self.assertEqual(flags(client.body(stream)), [flag])
            one = field(2, field(1, 5000) + field(3, wanted)) + field(2, field(1, 5000) + field(3, YES))
            for path in ("StreamingOutputCall", "FullDuplexCall", "HalfDuplexCall"):
                stream = self.call(client, SERVICE + path, message(one), ACCEPTS)
                headers, answer = self.answered(client, stream)
                self.assertEqual(headers["grpc-encoding"], "gzip")
                self.assertEqual(flags(client.body(stream)), [flag, 1], path)
                self.assertEqual([len(part) for part in answer], [5006, 5006])

    def test_rows_and_lists(self):
        client = self.client()
        for path in ("ListCustomers", "StreamListCustomers"):
            plain, packed = (self.call(client, ECHO + path, message(field(1, 3000)), *extra) for extra in ((), (ACCEPTS,)))
            self.assertEqual(self.answered(client, plain)[1], self.answered(client, packed)[1])
        self.assertEqual(flags(client.body(packed)), [0] * 3000, "small rows are sent as they are")

    def test_failures_name_no_encoding(self):
        client = self.client()
        stream = self.call(client, UNARY, message(field(7, field(1, 5))), ACCEPTS)
        self.assertNotIn("grpc-encoding", self.status(client, stream, 5))

    def test_grpcio_understands_all_of_it(self):
        channel = self.channel()
        answer = channel.unary_unary(UNARY, **PLAIN)(field(2, 100000), timeout=DEADLINE, compression=grpc.Compression.Gzip)
        self.assertEqual(len(answer), 100008)
        asked = b"".join(field(2, field(1, size)) for size in (0, 5000, 70000, 1))
        for path in ("StreamingOutputCall", "HalfDuplexCall"):
            method = channel.stream_stream(SERVICE + path, **PLAIN) if path[0] == "H" else \
                channel.unary_stream(SERVICE + path, **PLAIN)
            request = iter([asked]) if path[0] == "H" else asked
            answers = list(method(request, timeout=DEADLINE, compression=grpc.Compression.Deflate))
            self.assertEqual([len(decode(decode(one)[1][0]).get(2, [b""])[0]) for one in answers], [0, 5000, 70000, 1])

    def test_many_at_once(self):
        call = self.channel().unary_unary(UNARY, **PLAIN)
        futures = [call.future(payload(bytes(i * 50)), timeout=DEADLINE, compression=grpc.Compression(i % 3))
                   for i in range(600)]
        self.assertEqual([len(decode(decode(future.result())[1][0]).get(2, [b""])[0]) for future in futures],
                         [i * 50 for i in range(600)])


class Off(Compression):
    options = ("grpc_compression=off",)

    def test_never(self):
        client = self.client()
        stream = self.call(client, UNARY, message(gzip.compress(field(2, 5000)), 1), GZIP, ACCEPTS)
        self.answered(client, stream)
        self.assertEqual(flags(client.body(stream)), [0])


if __name__ == "__main__":
    grpc_conformance.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
