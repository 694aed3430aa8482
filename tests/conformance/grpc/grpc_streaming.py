#!/usr/bin/python3
"""gRPC server streaming against tests/support/echo_server: raw frames by python3-h2, and calls by grpcio.

usage: grpc_streaming.py ECHO_SERVER
"""
import struct
import sys
import time
import unittest

import grpc_conformance
from grpc_conformance import DEADLINE, DEADLINE_EXCEEDED, ECHO, OK, GrpcTest, decode, field, grpc, h2, message

ROWS = ECHO + "StreamListCustomers"
SIZES = "/grpc.testing.TestService/StreamingOutputCall"
ABORTED = 10
ENDLESS = field(1, 1) + field(2, 2000000000)


def messages(data):
    """The messages of whole frames; what is left over."""
    found, at = [], 0
    while len(data) - at >= 5:
        size = struct.unpack("!I", data[at + 1:at + 5])[0]
        if len(data) - at - 5 < size:
            break
        found.append(data[at + 5:at + 5 + size])
        at += 5 + size
    return found, data[at:]


def number(row):
    return decode(row)[1][0]


class Rows(GrpcTest):
    def rows(self, path=ROWS, **options):
        return self.channel(**options).unary_stream(path, request_serializer=None, response_deserializer=None)

    def test_rows_come_each_as_a_message_and_the_page_before_them(self):
        call = self.rows()
        for count in (0, 1, 2, 10000):
            answer = call(field(1, count), timeout=DEADLINE)
            self.assertEqual([number(row) for row in answer], list(range(count)))
            told = dict(answer.initial_metadata())
            self.assertEqual((told["vigil-limit"], told["vigil-offset"], told["vigil-count"]),
                             (str(count), "0", str(count)))
            self.assertEqual(answer.code(), grpc.StatusCode.OK)

    def test_rows_are_those_of_the_unary_answer(self):
        unary = decode(self.unary(self.channel(), ECHO + "ListCustomers")(field(1, 50), timeout=DEADLINE))[4]
        self.assertEqual([decode(row) for row in self.rows()(field(1, 50), timeout=DEADLINE)],
                         [decode(row) for row in unary])

    def test_rows_of_every_size(self):
        sizes = [0, 1, 65535, 65536, 65537, 3000000, 0, 16384, 16379, 70000, 1] * 3
        request = b"".join(field(2, field(1, size)) for size in sizes)
        call = self.rows(SIZES, **{"grpc.max_receive_message_length": -1})
        got = [len(decode(decode(row)[1][0]).get(2, [b""])[0]) for row in call(request, timeout=DEADLINE)]
        self.assertEqual(got, sizes)

    def test_small_rows_share_frames(self):
        client = self.client()
        stream = self.start(client, ROWS)
        self.send(client, stream, message(field(1, 20000)))
        self.status(client, stream, OK)
        self.assertEqual(len(messages(client.body(stream))[0]), 20000)
        frames = sum(isinstance(event, h2.events.DataReceived) for event in client.events)
        self.assertLess(frames, 200)

    def test_a_failure_before_the_first_part_is_a_status_alone(self):
        client = self.client()
        stream = self.start(client, ROWS)
        self.send(client, stream, message(field(1, 10) + field(2, 5)))
        self.status(client, stream, ABORTED)
        self.trailers_only(client, stream)
        self.wait_state(calls=1)

    def test_a_failure_midway_ends_with_its_status_after_whole_messages(self):
        client = self.client()
        stream = self.start(client, ROWS)
        self.send(client, stream, message(field(1, 100000) + field(2, 50000)))
        self.status(client, stream, ABORTED)
        rows, rest = messages(client.body(stream))
        self.assertEqual(rest, b"")
        self.assertEqual([number(row) for row in rows], list(range(len(rows))))
        self.assertTrue(0 < len(rows) <= 50000, len(rows))
        self.wait_state(calls=1)

    def test_the_window_stops_the_rows(self):
        client = self.client()
        client.auto_window = False
        stream = self.start(client, ROWS)
        self.send(client, stream, message(ENDLESS))
        while len(client.body(stream)) < 65535:
            client.receive()
        client.h2.increment_flow_control_window(1000)
        other = self.start(client, grpc_conformance.EMPTY)
        self.send(client, other, message(b""))
        self.status(client, other, OK)
        self.assertEqual(len(client.body(stream)), 65535)
        client.h2.increment_flow_control_window(10, stream)
        client.flush()
        while len(client.body(stream)) < 65545:
            client.receive()
        client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        self.wait_state(calls=1)

    def test_a_slow_reader_costs_no_memory(self):
        client = self.client(window=1 << 20)
        client.auto_window = False
        client.h2.increment_flow_control_window(1 << 20)
        before = self.resident_kib()
        streams = [self.start(client, ROWS) for _ in range(20)]
        for stream in streams:
            self.send(client, stream, message(ENDLESS))
        while sum(len(client.body(stream)) for stream in streams) < (1 << 20) + 65535:
            client.receive()
        self.wait_state(calls=21)
        grown = self.resident_kib() - before
        if not self.is_sanitized():
            self.assertLess(grown, 20 * 1024, "KiB for twenty answers that nobody takes")
        client.close()
        self.wait_state(calls=1)

    def test_cancel_midway_stops_the_work(self):
        answer = self.rows()(ENDLESS, timeout=DEADLINE)
        self.assertEqual([number(next(answer)) for _ in range(1000)], list(range(1000)))
        answer.cancel()
        self.wait_state(calls=1)

    def test_lost_connection_stops_the_work(self):
        client = self.client()
        stream = self.start(client, ROWS)
        self.send(client, stream, message(ENDLESS))
        client.until(h2.events.DataReceived, stream)
        client.close()
        self.wait_state(calls=1)

    def test_deadline_midway_of_a_reader(self):
        answer = self.rows()(ENDLESS, timeout=0.5)
        count = 0
        with self.assertRaises(grpc.RpcError) as raised:
            for row in answer:
                self.assertEqual(number(row), count)
                count += 1
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertGreater(count, 0)
        self.wait_state(calls=1)

    def test_deadline_midway_is_told_after_a_whole_message(self):
        client = self.client()
        client.auto_window = False
        stream = self.start(client, ROWS, extra=[("grpc-timeout", "300m")])
        self.send(client, stream, message(ENDLESS))
        while len(client.body(stream)) < 65535:
            client.receive()
        self.wait_state(calls=1)  # the call is given up though its reader stands
        client.h2.increment_flow_control_window(1 << 20, stream)
        client.h2.increment_flow_control_window(1 << 20)
        client.flush()
        self.status(client, stream, DEADLINE_EXCEEDED)
        rows, rest = messages(client.body(stream))
        self.assertEqual(rest, b"", "the message that had begun was completed")
        self.assertEqual([number(row) for row in rows], list(range(len(rows))))
        self.assertLess(len(client.body(stream)), 65535 + 1000, "and no other was begun")


class Default(GrpcTest):
    """Without a deadline of the client's an answer in parts has as long as its snapshot."""

    options = ("deadline_default_ms=200", "stream_snapshot_age_ms=1500")

    def test_the_servers_own_deadline(self):
        call = self.channel().unary_stream(ROWS, request_serializer=None, response_deserializer=None)
        begun = time.monotonic()
        with self.assertRaises(grpc.RpcError) as raised:
            for _ in call(ENDLESS):
                pass
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertGreaterEqual(time.monotonic() - begun, 1.4)
        self.wait_state(calls=1)


if __name__ == "__main__":
    grpc_conformance.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
