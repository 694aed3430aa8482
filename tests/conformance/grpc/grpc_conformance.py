#!/usr/bin/python3
"""gRPC, unary, against tests/support/echo_server: raw frames by python3-h2, and calls by grpcio.

usage: grpc_conformance.py ECHO_SERVER
"""
import base64
import os
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from raw_http2 import DEADLINE, Client, h2  # noqa: E402
from server_process import ServerProcess  # noqa: E402

try:
    import grpc
except ImportError:
    print("SKIP: python3-grpcio is not installed")
    sys.exit(77)

PROGRAM = None
UNARY = "/grpc.testing.TestService/UnaryCall"
EMPTY = "/grpc.testing.TestService/EmptyCall"
ECHO = "/vigil.test.Echo/"
TYPE = ("content-type", "application/grpc")
OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = 0, 1, 3, 4, 5
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED = 8, 12, 13, 14, 16


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """One protobuf field: a number as varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(data, flag=0):
    return bytes([flag]) + struct.pack("!I", len(data)) + data


def payload(body):
    return field(3, field(2, body))


def decode(data):
    """Fields of a protobuf message as {number: [values]}."""
    fields, at = {}, 0

    def take():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(data):
        key = take()
        if key & 7 == 0:
            value = take()
        else:
            size = take()
            value = data[at:at + size]
            at += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


class GrpcTest(unittest.TestCase):
    options = ()

    def setUp(self):
        self.server = ServerProcess(PROGRAM, *self.options)
        self.clients = []  # connections and channels

    def tearDown(self):
        # First, since an idle grpcio channel does not read, and the server would wait for its PING.
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

    def channel(self, **options):
        channel = grpc.insecure_channel(f"127.0.0.1:{self.server.port}", list(options.items()))
        self.clients.append(channel)
        return channel

    def unary(self, channel, path):
        return channel.unary_unary(path, request_serializer=None, response_deserializer=None)

    def state(self, channel=None):
        answer = self.unary(channel or self.channel(), ECHO + "State")(b"", timeout=DEADLINE)
        return dict(pair.split("=") for pair in decode(answer)[2][0].decode().split())

    def wait_state(self, **wanted):
        channel = self.channel()
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            state = self.state(channel)
            if all(int(state[name]) == value for name, value in wanted.items()):
                return
        self.fail(f"state {state}, wanted {wanted}")

    def is_sanitized(self):
        """Sanitizers keep what is freed for a while."""
        with open(f"/proc/{self.server.process.pid}/maps", encoding="utf-8") as maps:
            return any(f"lib{name}san.so" in line for line in maps for name in "at")

    def resident_kib(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    # Raw calls.

    def start(self, client, path=UNARY, extra=(), content_type=TYPE, method="POST", end=False):
        stream = client.h2.get_next_available_stream_id()
        headers = client.headers(path, method, ([content_type] if content_type else []) + list(extra))
        client.h2.send_headers(stream, headers, end_stream=end)
        client.flush()
        return stream

    def send(self, client, stream, data, end=True, **options):
        client.h2.send_data(stream, data, end_stream=end, **options)
        client.flush()

    def ended(self, client, stream):
        """Wait for the end; all headers of the answer, trailers included."""
        client.until(h2.events.StreamEnded, stream)
        headers = {}
        for event in client.events:
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)) \
                    and event.stream_id == stream:
                headers.update(event.headers)
        return headers

    def status(self, client, stream, code):
        headers = self.ended(client, stream)
        self.assertEqual(headers[":status"], "200")
        self.assertEqual(headers["content-type"], "application/grpc")
        self.assertEqual(headers["grpc-status"], str(code), headers)
        return headers

    def answer(self, client, stream):
        self.status(client, stream, OK)
        body = client.body(stream)
        self.assertEqual(body[0], 0)
        self.assertEqual(struct.unpack("!I", body[1:5])[0], len(body) - 5)
        return decode(body[5:])

    def trailers_only(self, client, stream):
        """The answer is one HEADERS frame with END_STREAM."""
        self.assertIsNone(client.find(h2.events.TrailersReceived, stream))
        self.assertEqual(client.body(stream), b"")


class Wire(GrpcTest):
    def test_message_in_frames_of_one_byte(self):
        client = self.client()
        stream = self.start(client)
        for byte in message(payload(b"hello")):
            self.send(client, stream, bytes([byte]), end=False)
        self.send(client, stream, b"")
        self.assertEqual(decode(self.answer(client, stream)[1][0])[2], [b"hello"])

    def test_every_split_of_the_prefix(self):
        client = self.client()
        data = message(payload(b"ab"))
        for cut in range(len(data) + 1):
            stream = self.start(client)
            self.send(client, stream, data[:cut], end=False)
            self.send(client, stream, data[cut:])
            self.assertEqual(decode(self.answer(client, stream)[1][0])[2], [b"ab"])

    def test_empty_message(self):
        client = self.client()
        stream = self.start(client, EMPTY)
        self.send(client, stream, message(b""))
        self.assertEqual(self.answer(client, stream), {})
        self.assertEqual(client.body(stream), b"\0\0\0\0\0")

    def test_padded_frames(self):
        client = self.client()
        stream = self.start(client)
        data = message(payload(b"padded"))
        self.send(client, stream, data[:7], end=False, pad_length=200)
        self.send(client, stream, data[7:], pad_length=0)
        self.assertEqual(decode(self.answer(client, stream)[1][0])[2], [b"padded"])

    def test_two_messages_are_unimplemented(self):
        client = self.client()
        for joined in (True, False):
            stream = self.start(client)
            one = message(payload(b"x"))
            if joined:
                self.send(client, stream, one + one, end=False)
            else:
                self.send(client, stream, one, end=False)
                self.send(client, stream, one[:1], end=False)
                self.send(client, stream, one[1:], end=False)
            self.status(client, stream, UNIMPLEMENTED)

    def test_no_message_is_unimplemented(self):
        client = self.client()
        on_headers = self.start(client, end=True)
        self.status(client, on_headers, UNIMPLEMENTED)
        self.trailers_only(client, on_headers)
        empty_data = self.start(client)
        self.send(client, empty_data, b"")
        self.status(client, empty_data, UNIMPLEMENTED)

    def test_end_within_a_message_is_internal(self):
        client = self.client()
        data = message(payload(b"cut"))
        for cut in range(1, len(data)):
            stream = self.start(client)
            self.send(client, stream, data[:cut])
            self.status(client, stream, INTERNAL)

    def test_length_over_the_limit_is_refused_at_the_prefix(self):
        client = self.client()
        stream = self.start(client)
        self.send(client, stream, b"\0" + struct.pack("!I", (4 << 20) + 1), end=False)
        headers = self.status(client, stream, RESOURCE_EXHAUSTED)
        self.assertIn("4194304", headers["grpc-message"])
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.NO_ERROR)

    def test_limit_of_a_method(self):
        client = self.client()
        for size, code in ((1000, OK), (1001, RESOURCE_EXHAUSTED)):
            stream = self.start(client, ECHO + "Small")
            data = payload(b"x" * (size - 6))
            self.assertEqual(len(data), size)
            self.send(client, stream, message(data), end=code == OK)
            self.status(client, stream, code)

    def test_compressed_flags(self):
        client = self.client()
        for flag, encoding, code in ((1, None, INTERNAL), (1, "identity", INTERNAL), (1, "gzip", INTERNAL),
                                     (1, "snappy", UNIMPLEMENTED), (2, None, INTERNAL), (255, "gzip", INTERNAL),
                                     (0, "gzip", OK), (0, "snappy", OK)):
            stream = self.start(client, extra=[("grpc-encoding", encoding)] if encoding else [])
            self.send(client, stream, message(b"", flag), end=encoding != "snappy" or flag == 0)
            headers = self.status(client, stream, code)
            self.assertEqual(headers["grpc-accept-encoding"], "identity,deflate,gzip")

    def test_client_trailers_end_the_request(self):
        client = self.client()
        stream = self.start(client)
        self.send(client, stream, message(payload(b"t")), end=False)
        client.h2.send_headers(stream, [("x-trailer", "1")], end_stream=True)
        client.flush()
        self.assertEqual(decode(self.answer(client, stream)[1][0])[2], [b"t"])

    def test_broken_protobuf_is_invalid_argument(self):
        client = self.client()
        for data in (b"\x1a\xff", b"\x08", b"\x00\x01", b"\x3a\x03\x12\x01\xff", b"\xff" * 12):
            stream = self.start(client)
            self.send(client, stream, message(data))
            headers = self.status(client, stream, INVALID_ARGUMENT)
            details = base64.b64decode(headers["grpc-status-details-bin"] + "===")
            self.assertIn(b"INVALID_WIRE_MESSAGE", details)

    def test_unknown_fields(self):
        client = self.client()
        data = message(payload(b"u") + field(100, b"unknown"))
        stream = self.start(client)
        self.send(client, stream, data)
        self.status(client, stream, OK)
        stream = self.start(client, ECHO + "Strict")
        self.send(client, stream, data)
        headers = self.status(client, stream, INVALID_ARGUMENT)
        self.assertIn(b"UNKNOWN_FIELD", base64.b64decode(headers["grpc-status-details-bin"] + "==="))


class Headers(GrpcTest):
    def test_content_types(self):
        client = self.client()
        for kind, status in (("application/grpc", "200"), ("application/grpc+proto", "200"),
                             ("application/grpc;charset=utf-8", "200"), ("application/grpc+json", "415")):
            stream = self.start(client, EMPTY, content_type=("content-type", kind))
            self.send(client, stream, message(b""))
            self.assertEqual(self.ended(client, stream)[":status"], status, kind)

    def test_get_on_a_method(self):
        client = self.client()
        stream = self.start(client, EMPTY, method="GET", end=True)
        headers = self.ended(client, stream)
        self.assertEqual((headers[":status"], headers["allow"]), ("405", "POST"))

    def test_missing_te_and_odd_headers_are_accepted(self):
        client = self.client()
        stream = self.start(client, EMPTY, extra=[("x-bin", "not base64!"), ("x-odd", "~!@#$%^&*()"), ("x", "")])
        self.send(client, stream, message(b""))
        self.status(client, stream, OK)

    def test_timeouts(self):
        client = self.client()
        for text, code in (("1S", OK), ("99999999H", OK), ("100m", OK), ("0n", DEADLINE_EXCEEDED),
                           ("100000000S", INTERNAL), ("-1S", INTERNAL), ("1", INTERNAL), ("1x", INTERNAL)):
            # A timeout of zero runs out before the request is complete.
            stream = self.start(client, EMPTY, extra=[("grpc-timeout", text)])
            if code == OK:
                self.send(client, stream, message(b""))
            self.status(client, stream, code)

    def test_paths_are_exact(self):
        client = self.client()
        for path in ("/grpc.testing.TestService/emptycall", "/grpc.testing.TestService/%45mptyCall",
                     "/grpc.testing.TestService/EmptyCall/", "/grpc.testing.TestService/EmptyCall?x=1", "/"):
            stream = self.start(client, path)
            headers = self.status(client, stream, UNIMPLEMENTED)
            self.trailers_only(client, stream)
            self.assertIn("grpc-message", headers)

    def test_headers_over_the_limit(self):
        client = self.client()
        for late in (False, True):  # the content type comes before or after what is too much
            extra = [("x", "y" * 16500), TYPE] if late else [("x", "y" * 16500)]
            stream = self.start(client, EMPTY, extra=extra, content_type=None if late else TYPE)
            headers = self.status(client, stream, RESOURCE_EXHAUSTED)
            self.assertIn(b"HEADERS_TOO_LARGE", base64.b64decode(headers["grpc-status-details-bin"] + "==="))
        with self.assertRaises(grpc.RpcError) as raised:
            self.unary(self.channel(), EMPTY)(b"", timeout=DEADLINE, metadata=[("x", "y" * 16500)])
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        again = self.start(client, EMPTY)
        self.send(client, again, message(b""))
        self.status(client, again, OK)

    def test_credentials(self):
        call = self.unary(self.channel(), UNARY)
        for metadata, name in (([("argus-api-key", "k/1/s")], b"k/1/s"), ([("authorization", "Bearer k2")], b"k2"),
                               ([("authorization", "Basic k3")], None), ([], None)):
            answer = decode(call(payload(b""), timeout=DEADLINE, metadata=metadata))
            self.assertEqual(answer.get(2), [name] if name else None)
        with self.assertRaises(grpc.RpcError) as raised:
            call(b"", timeout=DEADLINE, metadata=[("argus-api-key", "wrong")])
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED)

    def test_a_strangers_body_is_not_taken(self):
        client = self.client()
        stream = self.start(client, extra=[("argus-api-key", "wrong")])
        self.status(client, stream, UNAUTHENTICATED)  # before a byte of the body
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.NO_ERROR)

    def test_messages_of_every_kind_of_character(self):
        call = self.unary(self.channel(), UNARY)
        for text in ("plain", "100%", "€ and 😈", "a\nb\r\tc", "\x7f", "%41"):
            with self.assertRaises(grpc.RpcError) as raised:
                call(field(7, field(1, NOT_FOUND) + field(2, text.encode())), timeout=DEADLINE)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
            self.assertEqual(raised.exception.details(), text)


class Details(GrpcTest):
    def test_violations_are_named(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.unary(self.channel(), ECHO + "Fail")(field(2, 3), timeout=DEADLINE)
        error = raised.exception
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        details = next(value for key, value in error.trailing_metadata() if key == "grpc-status-details-bin")
        status = decode(details)
        self.assertEqual(status[1], [INVALID_ARGUMENT])
        self.assertEqual(status[2][0].decode(), error.details())
        anys = {decode(one)[1][0].decode(): decode(one)[2][0] for one in status[3]}
        info = decode(anys["type.googleapis.com/google.rpc.ErrorInfo"])
        self.assertEqual((info[1], info[2]), ([b"INVALID_REFERENCE"], [b"vigil"]))
        bad = decode(anys["type.googleapis.com/google.rpc.BadRequest"])
        self.assertEqual([decode(one)[1][0] for one in bad[1]], [b"events[%d].location" % i for i in range(3)])

    def test_trailers_stay_small(self):
        client = self.client()
        stream = self.start(client, ECHO + "Fail")
        self.send(client, stream, message(field(2, 100)))
        headers = self.status(client, stream, INVALID_ARGUMENT)
        self.assertLess(sum(len(name) + len(value) + 32 for name, value in headers.items()), 8 << 10)


class Answers(GrpcTest):
    options = ("grpc_reply_bytes_max=1MiB",)

    def test_rows_come_as_one_message(self):
        call = self.unary(self.channel(), ECHO + "ListCustomers")
        for count in (0, 1, 1000):
            answer = decode(call(field(1, count), timeout=DEADLINE))
            self.assertEqual((answer[1], answer[2], answer[3]), ([count], [0], [count]))
            rows = answer.get(4, [])
            self.assertEqual([decode(row)[1][0] for row in rows], list(range(count)))

    def test_an_answer_too_large_names_its_twin(self):
        call = self.unary(self.channel(), ECHO + "ListCustomers")
        with self.assertRaises(grpc.RpcError) as raised:
            call(field(1, 90000), timeout=DEADLINE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn(ECHO + "StreamListCustomers", raised.exception.details())

    def test_answers_at_their_limit(self):
        call = self.unary(self.channel(**{"grpc.max_receive_message_length": -1}), UNARY)
        # Payload of n bytes: 1 + 4 + n inside, 1 + 4 around.
        at_limit = (1 << 20) - 8
        self.assertEqual(len(call(field(2, at_limit), timeout=DEADLINE)), 1 << 20)
        with self.assertRaises(grpc.RpcError) as raised:
            call(field(2, at_limit + 1), timeout=DEADLINE)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_ready_bytes_and_messages_are_the_same(self):
        channel = self.channel()
        request = payload(b"the same")
        answers = {self.unary(channel, path)(request, timeout=DEADLINE, metadata=[("argus-api-key", "k")])
                   for path in (UNARY, ECHO + "Wire")}
        self.assertEqual(len(answers), 1)


class Lifecycle(GrpcTest):
    def test_deadline_while_the_handler_works(self):
        client = self.client()
        stream = self.start(client, ECHO + "Sleep", extra=[("grpc-timeout", "100m")])
        self.send(client, stream, message(field(2, 60000)))
        self.status(client, stream, DEADLINE_EXCEEDED)
        self.trailers_only(client, stream)
        self.wait_state(calls=1, sleeping=0)  # the handler was told

    def test_deadline_while_the_handler_works_has_a_request_id(self):
        """Although another thread has the call."""
        client = self.client()
        for given, wanted in (([], "[0-9a-f]{16}"), ([("x-request-id", "mine-7")], "mine-7")):
            stream = self.start(client, ECHO + "Sleep", extra=[("grpc-timeout", "50m"), *given])
            self.send(client, stream, message(field(2, 60000)))
            self.assertRegex(self.status(client, stream, DEADLINE_EXCEEDED)["x-request-id"], f"^{wanted}$")
        self.wait_state(calls=1, sleeping=0)

    def test_deadline_before_the_request_is_complete(self):
        client = self.client()
        stream = self.start(client, extra=[("grpc-timeout", "100m")])
        self.send(client, stream, message(payload(b"x"))[:6], end=False)
        self.status(client, stream, DEADLINE_EXCEEDED)
        self.wait_state(calls=1)

    def test_deadline_while_the_answer_has_no_window(self):
        client = self.client()
        client.auto_window = False
        stream = self.start(client, extra=[("grpc-timeout", "300m")])
        self.send(client, stream, message(field(2, 1000000)))
        reset = client.until(h2.events.StreamReset, stream)
        self.assertEqual(reset.error_code, h2.errors.ErrorCodes.CANCEL)
        self.assertGreater(len(client.body(stream)), 60000)
        self.wait_state(calls=1)

    def test_reset_before_during_and_after_the_handler(self):
        client = self.client()
        for when in ("before", "during", "after"):
            path = ECHO + "Sleep" if when == "during" else UNARY
            stream = self.start(client, path)
            if when == "during":
                self.send(client, stream, message(field(2, 60000)))
                self.wait_state(sleeping=1)
            elif when == "after":
                client.auto_window = False
                self.send(client, stream, message(field(2, 1000000)))
                while len(client.body(stream)) < 60000:
                    client.receive()
            client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            client.flush()
            self.wait_state(calls=1, sleeping=0)

    def test_lost_connection_stops_the_work(self):
        descriptors = None
        for _ in range(2):
            lost = Client(self.server.port)
            for _ in range(3):
                stream = self.start(lost, ECHO + "Sleep")
                self.send(lost, stream, message(field(2, 60000)))
            self.wait_state(sleeping=3)
            lost.close()
            self.wait_state(calls=1, sleeping=0)
            descriptors = descriptors or self.server.descriptors()
        self.assertLessEqual(self.server.descriptors(), descriptors + 1)

    def test_ten_thousand_calls_on_one_channel(self):
        call = self.unary(self.channel(), UNARY)
        running, failures, done = [], 0, 0
        for i in range(10000):
            running.append((i, call.future(payload(b"%d" % i), timeout=60)))
            if len(running) == 100:
                number, future = running.pop(0)
                failures += decode(decode(future.result())[1][0])[2] != [b"%d" % number]
                done += 1
        for number, future in running:
            failures += decode(decode(future.result())[1][0])[2] != [b"%d" % number]
            done += 1
        self.assertEqual((done, failures), (10000, 0))

    def test_large_messages_both_ways(self):
        call = self.unary(self.channel(), UNARY)
        answer = decode(call(field(2, 314159) + payload(bytes(271828)), timeout=DEADLINE))
        self.assertEqual(len(decode(answer[1][0])[2][0]), 314159)

    def test_a_reader_that_stops_leaves_the_others_alone(self):
        client = self.client()
        client.auto_window = False
        client.h2.increment_flow_control_window(1 << 20)
        blocked = [self.start(client) for _ in range(10)]
        for stream in blocked:
            self.send(client, stream, message(field(2, 1000000)))
        while len(client.body(blocked[-1])) < 60000:
            client.receive()
        other = self.start(client, EMPTY)
        self.send(client, other, message(b""))
        self.status(client, other, OK)

    def test_streams_over_the_limit_are_retried_by_clients(self):
        # grpcio opens more than 100 at once; those refused before it saw our settings it repeats itself.
        call = self.unary(self.channel(), ECHO + "Sleep")
        futures = [call.future(field(2, 20), timeout=60) for _ in range(300)]
        self.assertEqual([future.code() for future in futures], [grpc.StatusCode.OK] * 300)


class Overload(GrpcTest):
    options = ("executors=1", "executor_queue=5")

    def test_a_full_queue_is_an_answer(self):
        call = self.unary(self.channel(), ECHO + "Sleep")
        futures = [call.future(field(2, 300), timeout=60) for _ in range(50)]
        codes = [future.code() for future in futures]
        self.assertIn(grpc.StatusCode.OK, codes)
        self.assertIn(grpc.StatusCode.UNAVAILABLE, codes)
        self.assertEqual(set(codes), {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE})


class Drain(GrpcTest):
    def test_terminate_under_load_loses_no_call(self):
        """What is answered or under way when SIGTERM comes ends well; only connecting again fails."""
        failures, answered, stop = [], [0], threading.Event()

        def load():
            channel = grpc.insecure_channel(f"127.0.0.1:{self.server.port}",
                                            [("grpc.use_local_subchannel_pool", 1)])
            call = self.unary(channel, UNARY)
            while not stop.is_set():
                try:
                    call(payload(b"x" * 100), timeout=DEADLINE)
                    answered[0] += 1
                except grpc.RpcError as error:
                    if "connect" not in error.details().lower():
                        failures.append((error.code(), error.details()))
                    break
            channel.close()
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        while answered[0] < 200:
            pass
        self.server.terminate()
        code, _ = self.server.wait()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(code, 0)
        self.assertEqual(failures, [])

    def test_calls_under_way_are_finished(self):
        call = self.unary(self.channel(), ECHO + "Sleep")
        future = call.future(field(2, 500), timeout=DEADLINE)
        self.wait_state(sleeping=1)
        self.server.terminate()
        self.assertEqual(future.code(), grpc.StatusCode.OK)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=1)
