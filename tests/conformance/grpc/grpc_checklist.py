#!/usr/bin/python3
"""The checklist of a gRPC server, one test for each of its lines: here, or in the script beside this one that the table
names. Against tests/support/echo_server.

usage: grpc_checklist.py ECHO_SERVER
"""
import random
import sys
import time
import unittest

import grpc_compression
import grpc_conformance
import grpc_conversations
import grpc_metadata
import grpc_streaming
from grpc_conformance import (DEADLINE, DEADLINE_EXCEEDED, ECHO, EMPTY, INTERNAL, NOT_FOUND, OK, UNARY, UNIMPLEMENTED,
                              GrpcTest, decode, field, grpc, h2, message, payload)
from grpc_streaming import messages
from raw_http2 import frame

DUPLEX = "/grpc.testing.TestService/FullDuplexCall"
ENDLESS = field(1, 1) + field(2, 2000000000)

# Line of the checklist: where it is tested.
CHECKLIST = {
    "Wire": {
        "message split over DATA frames of 1 byte": grpc_conformance.Wire.test_message_in_frames_of_one_byte,
        "two messages in one DATA": "test_two_messages_in_one_data",
        "split 5-byte prefix": grpc_conformance.Wire.test_every_split_of_the_prefix,
        "empty message": grpc_conformance.Wire.test_empty_message,
        "length over limit refused before the body arrives":
            grpc_conformance.Wire.test_length_over_the_limit_is_refused_at_the_prefix,
        "END_STREAM mid-message": grpc_conformance.Wire.test_end_within_a_message_is_internal,
        "END_STREAM on HEADERS for unary": "test_end_stream_on_headers_for_unary",
        "half-close by empty DATA": "test_half_close_by_empty_data",
        "padded DATA and HEADERS, window counts padding": "test_padded_data_and_headers_and_the_window_counts_padding",
        "extra message on unary": grpc_conformance.Wire.test_two_messages_are_unimplemented,
        "compressed flag 2..255": "test_compressed_flag_2_to_255",
        "flag 1 without grpc-encoding": grpc_conformance.Wire.test_compressed_flags,
        "unknown encoding": grpc_compression.Requests.test_unknown_encoding_names_those_we_have,
        "zip bomb stops at the limit": grpc_compression.Requests.test_zip_bomb_stops_at_the_limit,
        "truncated gzip": grpc_compression.Requests.test_truncated_gzip_is_internal,
        "client sends trailers": grpc_conformance.Wire.test_client_trailers_end_the_request,
    },
    "Headers": {
        "content types": "test_content_types",
        "GET on an RPC path": "test_get_on_an_rpc_path",
        "missing te accepted": grpc_conformance.Headers.test_missing_te_and_odd_headers_are_accepted,
        "-bin padded, unpadded, comma-joined, invalid":
            grpc_metadata.Metadata.test_binary_metadata_padded_unpadded_comma_joined_and_invalid,
        "upper-case name rejected by HTTP/2": "test_upper_case_name_rejected_by_http2",
        "order of duplicate metadata": grpc_metadata.Metadata.test_order_of_duplicate_metadata,
        "grpc-timeout": grpc_conformance.Headers.test_timeouts,
        "grpc-message with odd characters": grpc_conformance.Headers.test_messages_of_every_kind_of_character,
        "grpc-message of 10 KB": "test_grpc_message_of_10_kb",
        "headers over the limit refused without killing the connection":
            grpc_conformance.Headers.test_headers_over_the_limit,
        "percent in :path not decoded, case matters": grpc_conformance.Headers.test_paths_are_exact,
    },
    "Lifecycle": {
        "deadline while the handler blocks": grpc_conformance.Lifecycle.test_deadline_while_the_handler_works,
        "deadline while the reply is flow-control blocked":
            grpc_conformance.Lifecycle.test_deadline_while_the_answer_has_no_window,
        "deadline has a maximum": "test_deadline_has_a_maximum",
        "RST_STREAM before, during, after the handler":
            grpc_conformance.Lifecycle.test_reset_before_during_and_after_the_handler,
        "dropped connection frees everything": grpc_conformance.Lifecycle.test_lost_connection_stops_the_work,
        "early trailers, then RST(NO_ERROR)": grpc_conformance.Headers.test_a_strangers_body_is_not_taken,
        "10,000 calls, 100 at a time, one channel": grpc_conformance.Lifecycle.test_ten_thousand_calls_on_one_channel,
        "large unary 271828 / 314159 bytes": grpc_conformance.Lifecycle.test_large_messages_both_ways,
        "reply > 64 KiB to a client that stops reading: others progress, memory bounded":
            "test_reply_to_a_client_that_stops_reading",
        "the same, of a stream": grpc_streaming.Rows.test_a_slow_reader_costs_no_memory,
        "the same, of a conversation": grpc_conversations.Conversation.test_a_client_that_does_not_read_is_not_heard,
        "MAX_CONCURRENT_STREAMS + 1 retried by clients":
            grpc_conformance.Lifecycle.test_streams_over_the_limit_are_retried_by_clients,
        "retry pushback": "test_answers_that_ask_for_a_later_try_say_when",
        "retry pushback obeyed by clients": "test_clients_wait_as_long_as_they_are_told",
    },
}


class Table(unittest.TestCase):
    def test_every_line_has_its_test(self):
        here = {name for kind in (Wire, Headers, Lifecycle, Overload, Capped) for name in dir(kind)}
        for lines in CHECKLIST.values():
            for line, test in lines.items():
                self.assertTrue(test in here if isinstance(test, str) else callable(test), line)


class Wire(GrpcTest):
    def test_two_messages_in_one_data(self):
        client = self.client()
        stream = self.start(client, DUPLEX)
        self.send(client, stream, message(field(2, field(1, 3))) + message(field(2, field(1, 5))))
        self.status(client, stream, OK)
        self.assertEqual([len(one) for one in messages(client.body(stream))[0]], [7, 9])
        stream = self.start(client, UNARY)
        self.send(client, stream, message(payload(b"x")) * 2)
        self.status(client, stream, UNIMPLEMENTED)

    def test_end_stream_on_headers_for_unary(self):
        client = self.client()
        for path in (UNARY, EMPTY, "/grpc.testing.TestService/StreamingOutputCall"):
            stream = self.start(client, path, end=True)
            self.status(client, stream, UNIMPLEMENTED)
            self.trailers_only(client, stream)

    def test_half_close_by_empty_data(self):
        client = self.client()
        for path, code in ((UNARY, OK), (DUPLEX, OK)):
            stream = self.start(client, path)
            self.send(client, stream, message(field(2, 1) if path == UNARY else field(2, field(1, 1))), end=False)
            self.send(client, stream, b"")
            self.status(client, stream, code)
        stream = self.start(client, UNARY)
        self.send(client, stream, b"")
        self.status(client, stream, UNIMPLEMENTED)

    def test_padded_data_and_headers_and_the_window_counts_padding(self):
        client = self.client()
        stream = client.h2.get_next_available_stream_id()
        client.flush()
        client.h2.send_headers(stream, client.headers(DUPLEX, extra=[grpc_conformance.TYPE]))
        plain = client.h2.data_to_send()
        kind, flags, block = plain[3], plain[4], plain[9:]
        self.assertEqual((kind, flags & 4), (1, 4))
        client.raw(frame(1, 4 | 8, stream, bytes([100]) + block + bytes(100)))
        data, chance = message(field(2, field(1, 7)) + field(3, field(2, bytes(4000)))), random.Random(2)
        sent, padded = 0, 0
        while padded < 3 << 20:  # more than the windows of stream and connection at first
            part, padding = data[sent % len(data):][:chance.randrange(1, 3)], chance.randrange(200, 256)
            while client.h2.local_flow_control_window(stream) < len(part) + padding + 1:
                client.receive()
            client.h2.send_data(stream, part, pad_length=padding)
            sent += len(part)
            padded += len(part) + padding + 1
            if sent % 16 == 0:
                client.flush()
        rest = -sent % len(data)
        client.flush()
        while client.h2.local_flow_control_window(stream) < rest + 1:
            client.receive()
        self.send(client, stream, data[len(data) - rest:], pad_length=0)
        self.status(client, stream, OK)
        self.assertEqual(len(messages(client.body(stream))[0]), (sent + rest) // len(data))

    def test_compressed_flag_2_to_255(self):
        client = self.client()
        for flag in range(2, 256):
            stream = self.start(client, extra=[("grpc-encoding", "gzip")])
            self.send(client, stream, message(b"", flag), end=False)
            self.status(client, stream, INTERNAL)


class Headers(GrpcTest):
    def test_content_types(self):
        client = self.client()
        for kind, status in (("application/grpc", "200"), ("application/grpc+proto", "200"),
                             ("application/grpc;charset=utf-8", "200"), ("application/grpc+proto;a=b", "200"),
                             ("application/grpc+json", "415"), ("application/grpc-webs", "415"), ("text/plain", "415"),
                             ("application/json", "400"),  # Connect, and no JSON
                             (None, "415")):
            stream = self.start(client, EMPTY, content_type=("content-type", kind) if kind else None)
            self.send(client, stream, message(b""))
            self.assertEqual(self.ended(client, stream)[":status"], status, kind)

    def test_get_on_an_rpc_path(self):
        client = self.client()
        for method, kind in (("GET", grpc_conformance.TYPE), ("GET", None), ("PUT", grpc_conformance.TYPE),
                             ("post", grpc_conformance.TYPE)):
            stream = self.start(client, EMPTY, method=method, content_type=kind, end=True)
            headers = self.ended(client, stream)
            self.assertEqual((headers[":status"], headers["allow"].split(", ")[0]), ("405", "POST"))

    def test_upper_case_name_rejected_by_http2(self):
        client = self.client()
        stream = self.start(client, EMPTY, extra=[("X-Upper", "1")])
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        again = self.start(client, EMPTY)
        self.send(client, again, message(b""))
        self.status(client, again, OK)

    def test_grpc_message_of_10_kb(self):
        """It is cut, at a whole character, so that clients that cap trailers take it."""
        call = self.channel().unary_unary(UNARY, request_serializer=None, response_deserializer=None)
        for text in ("x" * 10240, "€" * 3413, "%\n\x7f" * 3413):
            with self.assertRaises(grpc.RpcError) as raised:
                call(field(7, field(1, NOT_FOUND) + field(2, text.encode())), timeout=DEADLINE)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
            self.assertTrue(text.startswith(raised.exception.details()))
            self.assertGreater(len(raised.exception.details()), 50)


class Lifecycle(GrpcTest):
    def test_reply_to_a_client_that_stops_reading(self):
        client, other = self.client(), self.client()
        client.auto_window = False
        before = self.resident_kib()
        streams = [self.start(client) for _ in range(50)]
        for stream in streams:
            self.send(client, stream, message(field(2, 100000)))
        call = self.unary(self.channel(), UNARY)
        for i in range(200):  # others, on connections of their own and on this one
            self.assertEqual(decode(decode(call(payload(b"%d" % i), timeout=DEADLINE))[1][0])[2], [b"%d" % i])
        stream = self.start(other, EMPTY)
        self.send(other, stream, message(b""))
        self.status(other, stream, OK)
        client.until(h2.events.DataReceived)
        if not self.is_sanitized():
            self.assertLess(self.resident_kib() - before, 50 * 100 + 15 * 1024)
        client.h2.increment_flow_control_window(10 << 20)
        for stream in streams:
            client.h2.increment_flow_control_window(1 << 20, stream)
        client.flush()
        for stream in streams:
            self.status(client, stream, OK)
            self.assertGreater(len(client.body(stream)), 100000)


class Capped(GrpcTest):
    options = ("deadline_max_ms=300",)

    def test_deadline_has_a_maximum(self):
        client = self.client()
        for extra in ([("grpc-timeout", "60S")], [("grpc-timeout", "99999999H")], []):
            begun = time.monotonic()
            stream = self.start(client, ECHO + "Sleep", extra=extra)
            self.send(client, stream, message(field(2, 60000)))
            self.status(client, stream, DEADLINE_EXCEEDED)
            self.assertGreaterEqual(time.monotonic() - begun, 0.29)
        stream = self.start(client, ECHO + "Upload", extra=[("grpc-timeout", "60S")])
        self.status(client, stream, DEADLINE_EXCEEDED)
        self.wait_state(calls=1, sleeping=0)

    def test_a_conversation_lasts_as_long_as_its_client_says(self):
        client = self.client()
        streams = [self.start(client, DUPLEX, extra=extra) for extra in ([("grpc-timeout", "99999999H")], [])]
        stream = self.start(client, ECHO + "Sleep")
        self.send(client, stream, message(field(2, 60000)))
        self.status(client, stream, DEADLINE_EXCEEDED)  # by now they would be over too
        for stream in streams:
            self.send(client, stream, message(field(2, field(1, 1))))
            self.status(client, stream, OK)


class Overload(GrpcTest):
    options = ("executors=1", "executor_queue=1")

    def test_answers_that_ask_for_a_later_try_say_when(self):
        client = self.client()
        streams = [self.start(client, ECHO + "Sleep") for _ in range(4)]
        for stream in streams:
            self.send(client, stream, message(field(2, 400)))
        answers = [self.ended(client, stream) for stream in streams]
        refused = [answer for answer in answers if answer["grpc-status"] == "14"]
        self.assertTrue(refused)
        for answer in answers:
            self.assertEqual(answer.get("grpc-retry-pushback-ms"), "1000" if answer in refused else None)

    def test_clients_wait_as_long_as_they_are_told(self):
        config = ('{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.01s",'
                  '"maxBackoff":"0.01s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}')
        channel = self.channel(**{"grpc.service_config": config, "grpc.enable_retries": 1})
        call = self.unary(channel, ECHO + "Sleep")
        begun = time.monotonic()
        futures = [call.future(field(2, 100), timeout=DEADLINE) for _ in range(3)]  # one runs, one waits
        self.assertEqual([future.code() for future in futures], [grpc.StatusCode.OK] * 3)
        self.assertGreaterEqual(time.monotonic() - begun, 1)


if __name__ == "__main__":
    grpc_conformance.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
