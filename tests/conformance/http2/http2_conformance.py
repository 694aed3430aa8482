#!/usr/bin/python3
"""Raw HTTP/2 against tests/support/exchange_server, by python3-h2 and by bytes of our own.

usage: http2_conformance.py EXCHANGE_SERVER
"""
import os
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from raw_http2 import DEADLINE, Client, frame, h2  # noqa: E402
from server_process import ServerProcess  # noqa: E402

PROGRAM = None


class Http2Test(unittest.TestCase):
    options = ()

    def setUp(self):
        self.server = ServerProcess(PROGRAM, *self.options)
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()
        if self.server.process.poll() is None:
            self.server.terminate()
        code, rest = self.server.wait()
        self.assertEqual(code, 0, f"exit code of the server; it said {rest!r}")

    def client(self, **options):
        client = Client(self.server.port, **options)
        self.clients.append(client)
        return client


class Basics(Http2Test):
    def test_settings_are_said(self):
        client = self.client()
        settings = client.h2.remote_settings
        self.assertEqual(settings.max_concurrent_streams, 100)
        self.assertEqual(settings.initial_window_size, 1 << 20)
        self.assertEqual(settings.max_header_list_size, 16 << 10)

    def test_echo_with_trailers(self):
        client = self.client()
        stream = client.request("/echo", b"hello")
        trailers = client.until(h2.events.TrailersReceived, stream)
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(client.status(stream), "200")
        self.assertEqual(client.body(stream), b"hello")
        self.assertIn(("x-size", "5"), trailers.headers)

    def test_preface_and_frames_byte_by_byte(self):
        client = self.client(handshake=False)
        client.h2.initiate_connection()
        stream = client.request("/echo", b"abc", flush=False)
        for byte in client.h2.data_to_send():
            client.socket.sendall(bytes([byte]))
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(client.body(stream), b"abc")

    def test_half_close_by_empty_data(self):
        client = self.client()
        stream = client.request("/echo", b"x", end=False)
        client.h2.send_data(stream, b"", end_stream=True)
        client.flush()
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(client.body(stream), b"x")

    def test_request_trailers_end_the_request(self):
        client = self.client()
        stream = client.request("/echo", b"x", end=False)
        client.h2.send_headers(stream, [("x-trailer", "1")], end_stream=True)
        client.flush()
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(client.body(stream), b"x")

    def test_no_application_is_404(self):
        client = self.client()
        stream = client.request("/nothing", b"x" * 1000)
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(client.status(stream), "404")

    def test_many_streams_in_any_order(self):
        client = self.client()
        for _ in range(20):
            streams = [client.request("/echo", b"n%d" % i, flush=False) for i in range(50)]
            client.flush()
            for i, stream in enumerate(streams):
                client.until(h2.events.StreamEnded, stream)
                self.assertEqual(client.body(stream), b"n%d" % i)
            client.events.clear()

    def test_requests_that_are_read_at_once(self):
        # Answers are packed between the requests of one read: small ones, ones beyond what is packed there, and
        # streams that are reset, or go on, right behind.
        client = self.client(window=1 << 20)
        client.h2.increment_flow_control_window(1 << 24)
        large, small, early = [], [], []
        for i in range(10):
            large.append(client.request("/bytes/20000", method="GET", flush=False))
            small.append(client.request("/echo", b"n%d" % i, flush=False))
            client.h2.reset_stream(client.request("/echo", b"gone", flush=False))
            early.append(client.request("/early", b"x", end=False, extra=[("content-length", "3")], flush=False))
            small.append(client.request("/echo", b"m%d" % i, flush=False))
            client.h2.send_data(early[-1], b"yz", end_stream=True)
        client.flush()
        for i, stream in enumerate(small):
            client.until(h2.events.StreamEnded, stream)
            self.assertEqual(client.body(stream), b"nm"[i % 2:i % 2 + 1] + b"%d" % (i // 2))
        for stream in large:
            client.until(h2.events.StreamEnded, stream)
            self.assertEqual(len(client.body(stream)), 20000)
        for stream in early:
            client.until(h2.events.StreamEnded, stream)
            self.assertEqual(client.body(stream), b"early")
        client.wait_state(open=0)

    def test_padding_counts_and_comes_back(self):
        # 30 x 64 KiB of padded data pass a window of 1 MiB only if the padding is given back as well.
        client = self.client()
        stream = client.request("/echo", end=False)
        sent = 0
        for _ in range(200):
            while client.h2.local_flow_control_window(stream) < 10256:
                client.receive()
            client.h2.send_data(stream, b"p" * 10000, pad_length=255)
            sent += 10000
            client.flush()
        client.h2.end_stream(stream)
        client.flush()
        client.until(h2.events.StreamEnded, stream)
        self.assertEqual(len(client.body(stream)), sent)

    def test_early_answer_then_no_error_reset(self):
        client = self.client()
        stream = client.request("/early", b"x", end=False)
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.NO_ERROR)
        self.assertEqual(client.body(stream), b"early")
        self.assertIsNotNone(client.find(h2.events.TrailersReceived, stream))

    def test_early_answer_lets_a_small_request_end(self):
        """A reset while the client still sends costs curl 7.88 the answer."""
        for length, is_read in ((65536, True), (65537, False)):
            client = self.client()
            stream = client.request("/early", b"x", end=False, extra=[("content-length", str(length))])
            if is_read:
                self.assertIsNotNone(client.until(h2.events.TrailersReceived, stream))
                for at in range(1, length, 16384):
                    client.h2.send_data(stream, bytes(min(16384, length - at)))
                    client.flush()
                client.h2.end_stream(stream)
                other = client.request("/echo", b"next")
                client.until(h2.events.StreamEnded, other)
                self.assertEqual(client.body(other), b"next")
                self.assertIsNone(client.find(h2.events.StreamReset, stream))
            else:
                reset = client.until(h2.events.StreamReset, stream)
                self.assertEqual(reset.error_code, h2.errors.ErrorCodes.NO_ERROR)
            self.assertEqual(client.body(stream), b"early")

    def test_answer_that_fails_is_cut(self):
        client = self.client()
        stream = client.request("/cut", b"x")
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.INTERNAL_ERROR)


class Ends(Http2Test):
    def test_reset_frees_the_exchange(self):
        client = self.client()
        streams = [client.request("/wait", b"x") for _ in range(20)]
        client.wait_state(open=20)
        for stream in streams:
            client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        client.wait_state(open=0, closed=20)

    def test_lost_connection_frees_everything(self):
        watcher = self.client()
        before = self.server.descriptors()
        for hard in (False, True):
            lost = Client(self.server.port)
            for _ in range(20):
                lost.request("/wait", b"x")
            watcher.wait_state(open=20)
            if hard:
                lost.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            lost.close()
            watcher.wait_state(open=0)
        end = time.monotonic() + DEADLINE
        while self.server.descriptors() > before and time.monotonic() < end:
            pass
        self.assertEqual(self.server.descriptors(), before)

    def test_drain_sends_two_goaways_and_finishes(self):
        client = self.client()
        stream = client.request("/echo", b"x", end=False)
        client.wait_state(open=1)
        self.server.terminate()
        first = client.until(h2.events.ConnectionTerminated)
        self.assertEqual((first.error_code, first.last_stream_id), (0, 2**31 - 1))
        client.events.remove(first)
        # Our PING acknowledgement has gone out with the receive; the second names the last stream.
        second = client.until(h2.events.ConnectionTerminated)
        self.assertEqual(second.error_code, 0)
        self.assertLess(second.last_stream_id, 2**31 - 1)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE)
        # The call under way is completed. h2 refuses to send after GOAWAY, so the bytes are ours.
        client.raw(frame(0, 1, stream, b"y"))
        data = b""
        while True:
            part = client.socket.recv(65536)
            if not part:
                break
            data += part
        self.assertIn(b"xy", data)

    def test_drain_cuts_what_does_not_end(self):
        self.server.stop()
        self.server = ServerProcess(PROGRAM, "--drain-ms", "300")
        client = self.client()
        client.request("/wait", b"x")
        client.wait_state(open=1)
        started = time.monotonic()
        self.server.terminate()
        client.until_closed()
        self.assertLess(time.monotonic() - started, 5)


class Limits(Http2Test):
    options = ("--streams", "10")

    def test_streams_over_the_limit_are_refused(self):
        # All in one flight, before the client has seen our settings.
        client = self.client(handshake=False)
        client.h2.initiate_connection()
        streams = [client.request("/wait", flush=False) for _ in range(11)]
        client.flush()
        reset = client.until(h2.events.StreamReset, streams[10])
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.REFUSED_STREAM)
        self.assertIsNone(client.find(h2.events.StreamReset, streams[9]))

    def test_headers_over_the_limit_end_only_their_stream(self):
        client = self.client()
        # name + value + 32 each; the pseudo headers take 7+4+32 5+5+32 7+4+32 10+1+32.
        pseudo = 43 + 42 + 43 + 43
        # h2 itself refuses to send more than we announced: lift that.
        client.h2.encoder.max_allowed_table_size = 4096
        room = (16 << 10) - pseudo
        fits = client.request("/head", extra=[("x", "v" * (room - 33))])
        client.until(h2.events.StreamEnded, fits)
        self.assertEqual(client.status(fits), "200")
        over = client.request("/head", extra=[("x", "v" * (room - 32))])
        self.assertEqual(client.status(over), "431")
        for size, status in ((8192, "200"), (8193, "431")):
            target = client.request("/head".ljust(size, "x"))
            self.assertEqual(client.status(target), status)
        for count, status in ((100, "200"), (101, "431")):
            many = client.request("/head", extra=[("x", "y")] * count)
            self.assertEqual(client.status(many), status)
        again = client.request("/echo", b"fine")
        client.until(h2.events.StreamEnded, again)
        self.assertEqual(client.body(again), b"fine")

    def test_pings_while_data_flows_are_welcome(self):
        client = self.client()
        for i in range(50):
            client.h2.ping(b"%8d" % i)
            stream = client.request("/echo", b"x")
            client.until(h2.events.StreamEnded, stream)

    def test_frames_of_one_byte_and_garbage(self):
        client = self.client()
        client.raw(frame(0, 0, 0, b"x"))
        goaway = client.until(h2.events.ConnectionTerminated)
        self.assertEqual(goaway.error_code, h2.errors.ErrorCodes.PROTOCOL_ERROR)
        other = self.client()
        other.raw(b"\xff" * 500)
        other.until_closed()

    def test_http1_on_a_server_without_it_is_closed(self):
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE)
        plain.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        self.assertEqual(plain.recv(100), b"")
        plain.close()


class SlowPeers(Http2Test):
    options = ("--header-ms", "400", "--body-ms", "400", "--write-ms", "400", "--idle-ms", "1000")

    def test_half_a_preface_is_cut(self):
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE)
        plain.sendall(b"PRI * HTT")
        self.assertEqual(plain.recv(100), b"")
        plain.close()

    def test_half_a_body_is_reset(self):
        client = self.client()
        stream = client.request("/echo", b"half", end=False)
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.CANCEL)
        client.wait_state(open=0)

    def test_half_a_header_block_ends_the_connection(self):
        client = self.client()
        client.raw(frame(1, 0, 1, b"\x83\x86"))
        client.until_closed()

    def test_an_answer_without_window_is_reset(self):
        client = self.client()
        client.auto_window = False
        stream = client.request("/bytes/1000000", method="GET")
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.CANCEL)
        self.assertEqual(len(client.body(stream)), 65535)

    def test_idle_connections_are_sent_away(self):
        client = self.client()
        goaway = client.until(h2.events.ConnectionTerminated)
        self.assertEqual(goaway.error_code, 0)
        client.until_closed()

    def test_a_client_that_never_reads(self):
        # Large windows, but the socket is not read: memory stays bounded, the connection is given up.
        watcher = self.client()
        client = self.client(window=2**31 - 1)
        client.h2.increment_flow_control_window(2**30)
        for _ in range(50):  # together: once its output is stuck the connection is not read
            client.request("/bytes/100000000", method="GET", flush=False)
        client.flush()
        watcher.wait_state(open=50)
        self.assertLess(self.server.resident_kib(), 100 << 10)
        watcher.wait_state(open=0)


class Reading(Http2Test):
    def test_one_blocked_stream_does_not_stop_the_others(self):
        client = self.client()
        client.auto_window = False
        client.h2.increment_flow_control_window(1 << 20)
        blocked = client.request("/bytes/1000000", method="GET")
        while len(client.body(blocked)) < 65535:
            client.receive()
        other = client.request("/echo", b"through")
        client.until(h2.events.StreamEnded, other)
        self.assertEqual(client.body(other), b"through")
        client.auto_window = True
        client.h2.increment_flow_control_window(1 << 24)
        client.h2.increment_flow_control_window(1 << 24, blocked)
        client.flush()
        client.until(h2.events.StreamEnded, blocked)
        self.assertEqual(len(client.body(blocked)), 1000000)


class Windows(Http2Test):
    """RFC 9113 section 6.9.1: an octet beyond a window that the server has given."""
    HEAD = b"\x83\x86\x44\x05/hold\x41\x01t"
    FLOW_CONTROL_ERROR = 3

    def opened(self, streams):
        client = self.client()
        client.raw(b"".join(frame(1, 4, stream, self.HEAD) for stream in streams))
        return client

    def until_frame(self, client, kind):
        """The next frame of that kind, by the byte: python3-h2 knows nothing of these streams."""
        data = b""
        while True:
            while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
                size = 9 + int.from_bytes(data[:3], "big")
                if data[3] == kind:
                    return int.from_bytes(data[5:9], "big"), data[9:size]
                data = data[size:]
            piece = client.socket.recv(65536)
            self.assertTrue(piece, f"closed before a frame of type {kind}")
            data += piece

    def test_the_window_of_a_stream(self):
        client = self.opened((1,))
        client.raw(frame(0, 0, 1, bytes(16384)) * 64)
        self.client().wait_state(open=1)
        client.raw(frame(0, 0, 1, b"x"))
        stream, code = self.until_frame(client, 3)
        self.assertEqual((stream, int.from_bytes(code, "big")), (1, self.FLOW_CONTROL_ERROR))

    def test_the_window_of_the_connection_and_padding_counts(self):
        client = self.opened(range(1, 11, 2))
        for stream in range(1, 9, 2):
            client.raw(frame(0, 8, stream, b"\xff" + bytes(16383)) * 64)
        self.client().wait_state(open=5)
        client.raw(frame(0, 0, 9, b"x"))
        _, goaway = self.until_frame(client, 7)
        self.assertEqual(int.from_bytes(goaway[4:8], "big"), self.FLOW_CONTROL_ERROR)


class Flood(Http2Test):
    options = ("--per-address", "20")

    def test_connections_over_the_limit_are_closed(self):
        full = [Client(self.server.port) for _ in range(20)]
        over = socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE)
        self.assertEqual(over.recv(100), b"")
        over.close()
        stream = full[0].request("/echo", b"x")
        full[0].until(h2.events.StreamEnded, stream)
        for client in full:
            client.close()
        end = time.monotonic() + DEADLINE
        while True:
            try:
                self.client()
                break
            except (AssertionError, OSError):
                self.assertLess(time.monotonic(), end)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
