#!/usr/bin/python3
"""Client and bidirectional streaming against tests/support/echo_server: raw frames by python3-h2, and calls by grpcio.

usage: grpc_conversations.py ECHO_SERVER
"""
import queue
import random
import sys
import threading
import unittest

import grpc_conformance
from grpc_conformance import DEADLINE, DEADLINE_EXCEEDED, ECHO, OK, UNIMPLEMENTED, GrpcTest, decode, field, grpc, h2, message
from grpc_streaming import messages

DUPLEX = "/grpc.testing.TestService/FullDuplexCall"
HALF = "/grpc.testing.TestService/HalfDuplexCall"
INPUT = "/grpc.testing.TestService/StreamingInputCall"
LIVE = ECHO + "Live"
INTERNAL, INVALID_ARGUMENT, UNAVAILABLE, RESOURCE_EXHAUSTED = 13, 3, 14, 8
NEGATIVE = field(2, field(1, (1 << 64) - 1))


def ask(*sizes, payload=0):
    return b"".join(field(2, field(1, size)) for size in sizes) + (field(3, field(2, b"x" * payload)) if payload else b"")


def size_of(answer):
    return len(decode(decode(answer)[1][0]).get(2, [b""])[0])


class Conversation(GrpcTest):
    def duplex(self, path=DUPLEX, **options):
        return self.channel(**options).stream_stream(path, request_serializer=None, response_deserializer=None)

    def test_each_message_is_answered_before_the_next_is_sent(self):
        asked = queue.Queue()
        answers = self.duplex()(iter(asked.get, None), timeout=DEADLINE)
        for size in (0, 1, 31415, 9, 2653, 58979, 70000):
            asked.put(ask(size, payload=size))
            self.assertEqual(size_of(next(answers)), size)
        asked.put(None)
        self.assertEqual(list(answers), [])
        self.assertEqual(answers.code(), grpc.StatusCode.OK)
        self.wait_state(calls=1)

    def test_nothing_said_nothing_answered(self):
        for path in (DUPLEX, HALF):
            answers = self.duplex(path)(iter(()), timeout=DEADLINE)
            self.assertEqual(list(answers), [])
            self.assertEqual(answers.code(), grpc.StatusCode.OK)

    def test_thousands_of_messages_keep_their_order(self):
        shuffle = random.Random(6)
        sizes = [shuffle.choice((0, 1, 10, 1000, 20000)) for _ in range(5000)]
        answers = self.duplex()((ask(size, payload=size // 2) for size in sizes), timeout=DEADLINE)
        self.assertEqual([size_of(answer) for answer in answers], sizes)

    def test_half_duplex_answers_when_all_is_said(self):
        asked = queue.Queue()
        answers = self.duplex(HALF)(iter(asked.get, None), timeout=DEADLINE)
        got = []
        reader = threading.Thread(target=lambda: got.extend(size_of(answer) for answer in answers))
        reader.start()
        for size in (3, 1, 4, 1, 5):
            asked.put(ask(size))
        self.wait_state(calls=2)
        self.assertEqual(got, [])
        asked.put(None)
        reader.join()
        self.assertEqual(got, [3, 1, 4, 1, 5])

    def test_payloads_are_collected(self):
        call = self.channel().stream_unary(INPUT, request_serializer=None, response_deserializer=None)
        sizes = (27182, 8, 1828, 45904, 0, 3000000)
        total = decode(call((field(1, field(2, b"p" * size)) for size in sizes), timeout=DEADLINE))[1][0]
        self.assertEqual(total, sum(sizes))
        self.assertEqual(decode(call(iter(()), timeout=DEADLINE)).get(1, [0])[0], 0)

    def test_a_failure_follows_what_was_said(self):
        asked = [ask(1), ask(2), NEGATIVE]
        answers = self.duplex()(iter(asked), timeout=DEADLINE)
        got = []
        with self.assertRaises(grpc.RpcError) as raised:
            got.extend(size_of(answer) for answer in answers)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(got, [1, 2][:len(got)])
        self.wait_state(calls=1)

    def test_messages_split_at_every_byte(self):
        client = self.client()
        stream = self.start(client, DUPLEX)
        for byte in message(ask(5)) + message(ask(7)):
            client.h2.send_data(stream, bytes([byte]))
        client.flush()
        while len(messages(client.body(stream))[0]) < 2:
            client.receive()
        client.h2.end_stream(stream)
        client.flush()
        self.status(client, stream, OK)
        self.assertEqual([size_of(answer) for answer in messages(client.body(stream))[0]], [5, 7])

    def test_ends_within_a_message(self):
        client = self.client()
        stream = self.start(client, DUPLEX)
        client.h2.send_data(stream, message(ask(5))[:-1], end_stream=True)
        client.flush()
        self.status(client, stream, INTERNAL)
        self.wait_state(calls=1)

    def test_a_message_that_is_no_protobuf(self):
        client = self.client()
        stream = self.start(client, DUPLEX)
        client.h2.send_data(stream, message(b"\xff\xff\xff"))
        client.flush()
        self.status(client, stream, INVALID_ARGUMENT)
        self.wait_state(calls=1)

    def test_a_message_past_the_limit_is_refused_by_its_prefix(self):
        client = self.client()
        stream = self.start(client, DUPLEX)
        client.h2.send_data(stream, b"\0\x7f\0\0\0")
        client.flush()
        self.status(client, stream, RESOURCE_EXHAUSTED)
        self.wait_state(calls=1)

    def test_a_client_that_does_not_read_is_not_heard(self):
        """Its answers stay few, and so its window is closed."""
        client = self.client()
        client.auto_window = False
        before = self.resident_kib()
        stream = self.start(client, DUPLEX)
        sent, whole, quiet = 0, message(ask(100000, payload=1000)), 0
        while quiet < 50 and sent < 200 << 20:
            quiet += 1
            while client.h2.local_flow_control_window(stream) >= len(whole):
                client.h2.send_data(stream, whole)
                sent += len(whole)
                quiet = 0
            probe = self.start(client, ECHO + "Nothing")
            self.send(client, probe, message(b""))
            self.status(client, probe, UNIMPLEMENTED)
        self.assertLess(sent, 8 << 20)
        other = self.start(client, grpc_conformance.EMPTY)
        client.h2.increment_flow_control_window(1000)
        self.send(client, other, message(b""))
        self.status(client, other, OK)
        if not self.is_sanitized():
            self.assertLess(self.resident_kib() - before, 20 * 1024)
        client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        self.wait_state(calls=1)

    def test_deadline_of_the_client_holds(self):
        asked = queue.Queue()
        with self.assertRaises(grpc.RpcError) as raised:
            list(self.duplex()(iter(asked.get, None), timeout=0.4))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        asked.put(None)
        self.wait_state(calls=1)

    def test_what_a_deadline_lets_through_has_no_gap(self):
        """Messages that have not begun to go out are dropped, and all that follow them."""
        client = self.client(window=10000)
        client.auto_window = False
        stream = self.start(client, DUPLEX, extra=[("grpc-timeout", "400m")])
        sizes = list(range(1000, 1300))
        self.send(client, stream, message(ask(*sizes)), end=False)
        self.wait_state(calls=2)
        self.wait_state(calls=1)  # the deadline has passed
        client.auto_window = True
        client.h2.increment_flow_control_window(1 << 20)
        client.h2.increment_flow_control_window(1 << 20, stream)
        client.flush()
        self.status(client, stream, DEADLINE_EXCEEDED)
        whole, rest = messages(client.body(stream))
        told = [size_of(each) for each in whole]
        self.assertEqual((told, rest), (sizes[:len(told)], b""))
        self.assertIn(len(told), range(9, 12))

    def test_cancel_and_lost_connection_end_it(self):
        for path in (DUPLEX, LIVE):
            client = self.client()
            stream = self.start(client, path)
            client.h2.send_data(stream, message(ask(5)), end_stream=path == LIVE)
            client.flush()
            while not messages(client.body(stream))[0]:
                client.receive()
            self.wait_state(calls=2)
            if path == LIVE:
                client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
                client.flush()
            else:
                client.close()
            self.wait_state(calls=1)

    def test_random_ends_leave_nothing(self):
        """Many at once, each ended in another way at another moment."""
        chance = random.Random(7)
        channel = self.channel()
        calls = []
        for _ in range(200):
            duplex = channel.stream_stream(DUPLEX, request_serializer=None, response_deserializer=None)
            asked = [ask(*[chance.choice((0, 10, 60000))] * chance.randrange(4)) for _ in range(chance.randrange(30))]
            if chance.random() < 0.3:
                asked.append(NEGATIVE)
            call = duplex(iter(asked), timeout=chance.choice((0.005, 0.05, DEADLINE)))
            calls.append(call)
            if chance.random() < 0.4:
                call.cancel()
        for call in calls:
            try:
                for _ in call:
                    pass
            except grpc.RpcError:
                pass
        self.wait_state(calls=1)


class Silence(GrpcTest):
    """A conversation has no deadline of the server's, and is not idle."""

    options = ("deadline_default_ms=200", "idle_timeout_ms=300", "body_timeout_ms=300", "write_timeout_ms=300")

    def test_live_stays(self):
        live = self.channel().unary_stream(LIVE, request_serializer=None, response_deserializer=None)
        answers = live(ask(4))
        self.assertEqual(size_of(next(answers)), 4)
        done = threading.Event()
        answers.add_done_callback(lambda _: done.set())
        self.assertFalse(done.wait(1.5))
        answers.cancel()
        self.wait_state(calls=1)


class Drain(GrpcTest):
    def test_conversations_end_with_the_server(self):
        channel, asked = self.channel(), queue.Queue()
        live = channel.unary_stream(LIVE, request_serializer=None, response_deserializer=None)(ask(5))
        duplex = channel.stream_stream(DUPLEX, request_serializer=None, response_deserializer=None)(iter(asked.get, None))
        asked.put(ask(6))
        self.assertEqual((size_of(next(live)), size_of(next(duplex))), (5, 6))
        self.server.process.terminate()
        for call in (live, duplex):
            with self.assertRaises(grpc.RpcError) as raised:
                next(call)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertEqual(raised.exception.details(), "The server is shutting down")
        asked.put(None)
        channel.close()
        self.assertEqual(self.server.process.wait(DEADLINE), 0)


if __name__ == "__main__":
    grpc_conformance.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
