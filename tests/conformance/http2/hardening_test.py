#!/usr/bin/python3
"""Attacks by HTTP/2 frames: each ends within its budget, says why, costs bounded memory, and hurts nobody else."""
import os
import struct
import time
import zlib

from vigiltest import case
from vigiltest.clients import metrics
from vigiltest.frames import (ACK, CANCEL, CONTINUATION, END_HEADERS, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PREFACE,
                              PRIORITY, PROTOCOL_ERROR, REFUSED_STREAM, SETTINGS, FrameClient, block, data, frame,
                              headers, ping, reset, settings, text, window_update)
from vigiltest.raw import message
from vigiltest.rfc_case import faces

IS_SANITIZED = os.environ.get("VIGIL_SANITIZED") == "1"
# What one attack may cost beside what is given back; the sanitizer keeps freed memory for a while.
GROWTH_KIB = (400 if IS_SANITIZED else 40) * 1024
DEADLINE = 20


GREETING = PREFACE + settings()


class Attack(case.ServerCase):
    @classmethod
    def arrange(cls):
        cls.grpc, cls.json = faces(cls.server.admin_key())
        cls.both = (cls.grpc, cls.json)

    def client(self, **options):
        client = FrameClient(self.server.port, **options)
        self.addCleanup(client.close)
        return client

    def setUp(self):
        self.before_kib = self.server.resident_kib()

    def tearDown(self):
        """Others are served, nothing is left behind, memory is where it was."""
        for face in self.both:
            client = FrameClient(self.server.port)
            client.send(face.request())
            self.assertTrue(client.finish(1))
            self.assertEqual(client.fields(1)[":status"], "200")
            client.close()
        end = time.monotonic() + DEADLINE
        while self.figure("calls_in_flight") > 0:
            self.assertLess(time.monotonic(), end, "calls are left behind")
        self.assertLess(self.server.resident_kib() - self.before_kib, GROWTH_KIB)

    def figure(self, name):
        return metrics(self.server.port)["vigil_" + name]

    def flood(self, one, count=1500, reads=True, greeting=GREETING):
        """`one(at)` over and over until the server ends the connection: (code, text) of its GOAWAY, None without."""
        client = self.client(greeting=greeting)
        client.acknowledges = False
        for at in range(0, count, 50):
            client.send(b"".join(one(number) for number in range(at, min(at + 50, count))))
            if client.closed:
                break
        if reads:
            client.send(ping(b"the end?"))
            client.until(lambda f: f.kind == GOAWAY or f.kind == 6 and f.payload == b"the end?")
        said = client.goaways()
        if said:
            client.until_closed()
        return said[-1][1:] if said else None

    def ends_by_errors(self, one, **options):
        for face in self.both:
            with self.subTest(face.name):
                before = self.figure("http2_goaway_errors_total")
                self.assertEqual(self.flood(lambda at: one(face, at), **options),
                                 (ENHANCE_YOUR_CALM, b"too_many_errors"))
                self.assertEqual(self.figure("http2_goaway_errors_total"), before + 1)


class Floods(Attack):
    settings = ("log_level=warn",)

    def test_rapid_reset(self):
        before = self.figure("http2_reset_received_total")
        self.ends_by_errors(lambda face, at: face.head(2 * at + 1) + reset(2 * at + 1))
        self.assertLess(self.figure("http2_reset_received_total") - before, 2 * 500)

    def test_streams_that_the_server_must_reset_by_content_length(self):
        self.ends_by_errors(lambda face, at: face.head(2 * at + 1, extra=[("content-length", "9999")])
                            + face.body(2 * at + 1))

    def test_streams_that_the_server_must_reset_by_a_window(self):
        self.ends_by_errors(lambda face, at: face.head(2 * at + 1) + window_update(2 * at + 1, 0x7fffffff))

    def test_streams_that_the_server_must_reset_by_a_field(self):
        self.ends_by_errors(lambda face, at: face.head(2 * at + 1, extra=[("connection", "close")]))

    def test_requests_without_a_field(self):
        self.ends_by_errors(lambda face, at: headers(2 * at + 1, b""))

    def test_settings(self):
        """By the budget, or before by the acknowledgements that wait, when they come faster than these can be sent."""
        for entries in (b"", struct.pack("!HI", 3, 100) * 32):
            said = self.flood(lambda at, e=entries: frame(SETTINGS, 0, 0, e), count=3000)
            self.assertIn(said, ((ENHANCE_YOUR_CALM, b"too_many_errors"), (ENHANCE_YOUR_CALM, b"flooded")))

    def test_settings_whose_answers_are_not_read(self):
        before = self.figure("http2_goaway_errors_total")
        self.flood(lambda at: settings(), count=3000, reads=False)
        end = time.monotonic() + DEADLINE
        while self.figure("http2_goaway_errors_total") == before:
            self.assertLess(time.monotonic(), end)

    def test_answers_to_pings_that_nobody_sent(self):
        self.ends_by_errors(lambda face, at: ping(flags=ACK))

    def test_data_without_octets(self):
        self.ends_by_errors(lambda face, at: (face.head(1) if at == 0 else b"") + data(1, b"", False))

    def test_priority(self):
        self.ends_by_errors(lambda face, at: frame(PRIORITY, 0, 2 * at + 1, b"\0\0\0\0\0"))

    def test_pings(self):
        before = self.figure("http2_goaway_pings_total")
        self.assertEqual(self.flood(lambda at: ping(), count=5000), (ENHANCE_YOUR_CALM, b"too_many_pings"))
        self.assertEqual(self.figure("http2_goaway_pings_total"), before + 1)

    def test_continuation(self):
        """A header block that does not end: of fields, and of nothing."""
        for piece in (b"", b"\0" + text("x") + text("v" * 100)):
            for face in self.both:
                said = self.flood(lambda at, f=face, p=piece: f.head(flags=0) if at == 0
                                  else frame(CONTINUATION, 0, 1, p), count=13)
                self.assertEqual(said, (ENHANCE_YOUR_CALM, b"flooded"))

    def test_window_update_of_0(self):
        self.assertEqual(self.flood(lambda at: window_update(0, 0))[0], PROTOCOL_ERROR)

    def test_unknown_frames_are_only_read(self):
        self.assertIsNone(self.flood(lambda at: frame(0x77, 0, 0), count=20000))

    def test_streams_over_the_limit_and_data_for_them(self):
        """300 streams of which 100 are taken: the others are refused, their bytes are dropped, the window comes back."""
        for face in self.both:
            client = self.client()
            client.send(b"".join(face.head(2 * at + 1) for at in range(300)))
            for _ in range(8):  # more than the window of the connection
                client.send(b"".join(data(2 * at + 1, bytes(16384), False) for at in range(100, 140)))
            client.send(b"".join(face.body(2 * at + 1) for at in range(100)))
            for at in range(100):
                self.assertTrue(client.finish(2 * at + 1), client.goaways())
                self.assertEqual(client.fields(2 * at + 1)[":status"], "200")
            self.assertEqual({code for code in client.resets().values()}, {REFUSED_STREAM})
            self.assertEqual(len(client.resets()), 200)

    def test_refused_streams_for_ever(self):
        hold = b"".join(self.grpc.head(2 * at + 1) for at in range(100))
        self.assertEqual(self.flood(lambda at: self.grpc.head(2 * at + 201), greeting=GREETING + hold),
                         (ENHANCE_YOUR_CALM, b"too_many_errors"))


class Headers(Attack):
    settings = ("log_level=warn",)
    KEPT = b"\x40" + text("x-kept") + text("v" * 3800)

    def send_block(self, client, stream, payload):
        """As HEADERS and CONTINUATION of the largest size."""
        pieces = [payload[at:at + 16384] for at in range(0, len(payload), 16384)]
        client.send(frame(HEADERS, END_HEADERS if len(pieces) == 1 else 0, stream, pieces[0]))
        for at, piece in enumerate(pieces[1:], 2):
            client.send(frame(CONTINUATION, END_HEADERS if at == len(pieces) else 0, stream, piece))

    def test_a_bomb_is_reset_and_many_end_the_connection(self):
        """One octet stands for 3.9 KB: 12,000 of them are 46 MB, of which nothing is kept."""
        for face in self.both:
            client = self.client()
            start = block(face.fields())
            self.send_block(client, 1, start + self.KEPT + b"\xbe" * 12000)
            self.assertTrue(client.finish(1))
            self.assertEqual(client.resets(), {1: ENHANCE_YOUR_CALM})
            for at in range(1, 40):
                self.send_block(client, 2 * at + 1, start + b"\xbe" * 12000)
            client.until(lambda f: f.kind == GOAWAY)
            self.assertEqual(client.goaways()[0][1:], (ENHANCE_YOUR_CALM, b"too_many_errors"))
            client.until_closed()

    def test_a_little_too_much_is_answered(self):
        client = self.client()
        for stream, face in ((1, self.grpc), (3, self.json)):
            self.send_block(client, stream, block(face.fields()) + block([("x", "v" * 900)]) * 20)
            self.assertTrue(client.finish(stream))
        self.assertEqual(client.fields(1)["grpc-status"], "8")
        self.assertEqual(client.fields(3)[":status"], "431")
        self.assertTrue(client.is_alive())

    def test_trailers_are_not_kept(self):
        for face in self.both:
            client = self.client()
            client.send(face.head() + data(1, face.content, False))
            client.send(headers(1, self.KEPT + b"\xbe" * 12000))
            self.assertTrue(client.finish(1))
            self.assertEqual(client.resets(), {1: ENHANCE_YOUR_CALM})
            self.assertTrue(client.is_alive())


NO_WINDOW = PREFACE + settings((4, 0))


class Holds(Attack):
    settings = ("log_level=warn", "write_timeout_ms=700ms", "body_timeout_ms=700ms", "header_timeout_ms=700ms")
    CONNECTIONS = 10

    def hold(self, make, greeting=NO_WINDOW):
        """100 streams on each of ten connections, until the server has given all of them up."""
        clients = [self.client(greeting=greeting) for _ in range(self.CONNECTIONS)]
        for client in clients:
            client.send(b"".join(make(2 * at + 1) for at in range(100)))
        for client in clients:
            for at in range(100):
                client.finish(2 * at + 1)
        return clients

    def test_answers_without_a_window(self):
        for face in self.both:
            for client in self.hold(face.request):
                self.assertEqual(client.resets(), {2 * at + 1: CANCEL for at in range(100)})

    def test_bodies_that_do_not_come(self):
        for face in self.both:
            for client in self.hold(lambda stream, f=face: f.head(stream) + data(stream, f.content[:1], False),
                                    GREETING):
                self.assertEqual(len(client.resets()) + sum(
                    "grpc-status" in client.fields(2 * at + 1) or client.fields(2 * at + 1).get(":status") == "408"
                    for at in range(100) if 2 * at + 1 not in client.resets()), 100)

    def test_header_blocks_that_do_not_end(self):
        clients = [self.client() for _ in range(self.CONNECTIONS)]
        before = self.figure("http2_goaway_timeout_total")
        for client in clients:
            client.acknowledges = False  # nothing may stand within the block
            client.send(self.grpc.head(flags=0))
        for client in clients:
            client.until(lambda f: f.kind == GOAWAY)
            self.assertEqual(client.goaways()[0][1:], (PROTOCOL_ERROR, b"header_timeout"))
            client.until_closed()
        self.assertEqual(self.figure("http2_goaway_timeout_total"), before + self.CONNECTIONS)

    def test_half_a_preface(self):
        clients = [self.client(greeting=PREFACE[:at]) for at in range(1, self.CONNECTIONS)]
        for client in clients:
            client.until_closed()
            self.assertEqual(client.seen, [])


class Rate(Attack):
    settings = ("log_level=warn", "streams_per_second_max=20")

    def test_streams_beyond_the_rate_are_refused(self):
        before = self.figure("http2_streams_too_fast_total")
        client = self.client()
        client.send(b"".join(self.grpc.request(2 * at + 1) for at in range(60)))
        for at in range(60):
            self.assertTrue(client.finish(2 * at + 1))
        self.assertEqual(set(client.resets().values()), {REFUSED_STREAM})
        refused = len(client.resets())
        self.assertIn(refused, (20, 40))  # a second may end on the way
        self.assertEqual(self.figure("http2_streams_too_fast_total") - before, refused)
        self.assertTrue(client.is_alive())


class Blame(Attack):
    """Who connects again and again only to be sent away is not let in any more; who is elsewhere is."""
    LIMIT = 5
    settings = ("log_level=warn", f"misbehaving_per_address_max={LIMIT}")
    ATTACKER, OTHER = "127.0.0.2", "127.0.0.3"

    def misbehave(self):
        client = self.client(source=self.ATTACKER)
        client.send(b"".join(self.grpc.head(2 * at + 1) + reset(2 * at + 1) for at in range(500)))
        client.until_closed()
        return [said[1:] for said in client.goaways()]

    def test_an_address_that_misbehaves_is_barred(self):
        before = self.figure("connections_barred_total")
        for _ in range(self.LIMIT + 1):
            self.assertEqual(self.misbehave(), [(ENHANCE_YOUR_CALM, b"too_many_errors")])
        self.assertEqual(self.misbehave(), [])
        self.assertEqual(self.figure("connections_barred_total"), before + 1)
        other = self.client(source=self.OTHER)
        other.send(self.grpc.request(1))
        self.assertTrue(other.finish(1))
        self.assertEqual(other.fields(1)["grpc-status"], "0")


class Memory(Attack):
    """Bodies of which none is complete: when the budget is nearly used up, others are told to come later."""
    LIMIT = 8 << 20
    settings = ("log_level=warn", f"memory_bytes_max={LIMIT}", "body_timeout_ms=60s")
    PIECE = b" " * 16000

    def test_bodies_end_at_the_budget(self):
        holders = [self.client(window=1 << 24) for _ in range(4)]
        for client in holders:
            for at in range(100):
                client.send(self.json.head(2 * at + 1) + data(2 * at + 1, self.PIECE, False) * 3)
        end = time.monotonic() + DEADLINE
        while self.figure("memory_bytes") < self.LIMIT * 9 // 10:
            self.assertLess(time.monotonic(), end, self.figure("memory_bytes"))
        other = self.client()
        other.send(self.grpc.request(1) + self.json.request(3))
        self.assertTrue(other.finish(1) and other.finish(3))
        self.assertEqual(other.fields(1)["grpc-status"], "8")
        self.assertEqual(other.fields(3)[":status"], "503")
        self.assertIn("retry-after", other.fields(3))
        self.assertLessEqual(self.figure("memory_bytes"), self.LIMIT)
        self.assertGreater(self.figure("memory_refused_total"), 1)
        for client in holders:
            client.close()
        while self.figure("memory_bytes") > self.LIMIT // 4:
            self.assertLess(time.monotonic(), end, self.figure("memory_bytes"))


class MemoryOfOne(Attack):
    """What a request becomes counts, not only what arrives: inflated messages, decoded events of a stream."""
    settings = ("log_level=warn", "memory_bytes_max=5MiB", "grpc_message_bytes_max=16MiB")
    SIZE = 6 << 20
    VARINT = b"\x80\x80\x80\x03"

    def refused(self, path, content, **more):
        client = self.client(window=1 << 24)
        face = self.grpc
        client.send(face.head(1, path=path, **more) + b"".join(
            data(1, content[at:at + 16384], False) for at in range(0, len(content), 16384)) + data(1))
        self.assertTrue(client.finish(1))
        self.assertEqual(client.fields(1)["grpc-status"], "8", client.fields(1))
        # That of this request, or of all: by how much is left when it is answered.
        self.assertRegex(client.fields(1)["grpc-message"], "memory|limit of the server")

    def packed(self, content):
        return message(zlib.compress(content), 1)

    def test_an_inflated_message(self):
        self.refused("/vigil.events.v2.EventService/SubmitEvents", self.packed(b"\x7a" + self.VARINT + bytes(self.SIZE)),
                     extra=[("grpc-encoding", "deflate")])

    def test_an_inflated_message_of_an_upload(self):
        self.refused("/vigil.sampledb.v2.SampleService/UploadSample",
                     self.packed(b"\x0a" + self.VARINT + bytes(self.SIZE)), extra=[("grpc-encoding", "deflate")])

    def test_events_of_a_stream(self):
        self.refused("/vigil.events.v2.EventStream/Submit",
                     message(b"\x0a\x01s") + message(b"\x10\x01" + b"\x1a\x00" * 10000))


class Strangers(Attack):
    """Streams of reflection, which needs no key, by clients that ask and ask and do not read: they hold little."""
    settings = ("log_level=warn",)
    ASKED = message(b"\x22\x1cvigil.events.v2.EventService") + message(b"\x0a\xe0\xd4\x03" + b"h" * 60000 + b"\x22\x01x")
    STREAM_MAX = 1 << 20  # what one may hold; all of them, public_calls_in_flight_max, less than memory_bytes_max

    def ask(self, size):
        """A stream that has sent `size` bytes of requests, or was refused before."""
        client = self.client(greeting=PREFACE + settings((4, 0)))  # INITIAL_WINDOW_SIZE: no answer has room
        head = dict(path="/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", without=("argus-api-key",))
        asked = (self.ASKED * (size // len(self.ASKED) + 1))[:size]
        client.send(self.grpc.head(1, **head))
        sent, probe = 0, 1
        while sent < size and 1 not in client.resets():
            room = min(65535 + client.granted(0), (1 << 20) + client.granted(1)) - sent
            for at in range(sent, min(sent + room, size), 16384):
                client.send(data(1, asked[at:min(at + 16384, sent + room, size)], False))
            sent += min(room, size - sent)
            probe += 2
            client.send(self.grpc.head(probe, True, method="GET"))
            self.assertTrue(client.finish(probe))
            self.assertLess(probe, 4000, f"{sent} bytes are taken, no more, and none is refused")
        return client

    def read(self, client):
        client.send(window_update(0, 1 << 24) + window_update(1, 1 << 24))

    def test_streams_that_do_not_read_are_refused_before_they_hold_much(self):
        before = self.figure("memory_bytes")
        asking = [self.ask(4 << 20) for _ in range(8)]
        self.assertLess(self.figure("memory_bytes") - before, len(asking) * self.STREAM_MAX)
        for client in asking:
            self.read(client)
            self.assertTrue(client.finish(1))
            self.assertEqual(client.fields(1)["grpc-status"], "8")

    def test_requests_may_be_sent_ahead(self):
        client = self.ask(120000 // len(self.ASKED) * len(self.ASKED))
        client.send(data(1))
        self.read(client)
        self.assertTrue(client.finish(1))
        self.assertEqual(client.fields(1)["grpc-status"], "0")


if __name__ == "__main__":
    case.main()
