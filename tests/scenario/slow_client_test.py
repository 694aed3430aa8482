"""Clients that are slow, that never read, that come in floods, and a server that is told to stop while it works."""
import json
import threading
import time
import uuid

import grpc

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, wait_until
from vigiltest.raw import H2, Raw, message, request

SUBMIT = "vigil.events.v2.EventService/SubmitEvent"
SESSION_METHOD = "vigil.account.v1.AccountService/GetSession"
SEARCH = "vigil.events.v1.EventService/SearchAggregated"
SESSION = "/authentication/v1/session"
DEADLINE_EXCEEDED = 4


class Slow(ServerCase):
    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)

    def open(self, **options):
        raw = Raw(self.server.port, **options)
        self.addCleanup(raw.close)
        return raw

    def h2(self, **options):
        connection = H2(self.server.port, **options)
        self.addCleanup(connection.close)
        return connection

    def tearDown(self):
        self.assertTrue(self.server.is_alive(), self.server.log_tail())
        with_new = Rest(self.server.port, self.key)
        self.assertEqual(with_new.get(SESSION).status, 200)
        with_new.close()


class Timeouts(Slow):
    settings = ("header_timeout_ms=300ms", "body_timeout_ms=300ms", "idle_timeout_ms=700ms", "write_timeout_ms=500ms")

    def test_nothing_at_all_is_closed(self):
        self.assertTrue(self.open().is_closed())

    def test_half_a_head_is_408(self):
        raw = self.open()
        raw.send(b"GET / HTTP/1.1\r\nHost: v\r\nX-Hal")
        answer = raw.answer()
        self.assert_error(answer, 408, "request.timeout")
        self.assertTrue(raw.is_closed())

    def test_a_head_that_drips_is_408(self):
        """Slowloris: bytes keep coming, the head never ends."""
        raw = self.open()
        raw.send(b"GET / HTTP/1.1\r\nHost: v\r\n")
        end = time.monotonic() + 20
        raw.socket.settimeout(0.05)
        while b"\r\n\r\n" not in raw.buffer:
            self.assertLess(time.monotonic(), end, "the server waits for ever")
            try:
                raw.send(b"X: y\r\n")
                if not raw.receive():
                    break
            except (TimeoutError, BrokenPipeError):
                continue
        self.assertIn(b"408", raw.buffer)

    def test_half_a_body_is_408_and_nothing_is_stored(self):
        mark = uuid.uuid4().hex
        raw = self.open()
        body = json.dumps({"signature": mark})
        raw.send(request("POST", "/events/v2/event", self.key, body)[:-1])
        self.assert_error(raw.answer(), 408, "request.timeout")
        self.assertTrue(raw.is_closed())
        found = Rest(self.server.port, self.key).post("/events/v1/aggregated/search",
                                                      {"startTimestamp": 0, "signature": [mark]})
        self.assertEqual(found.json["count"], 0)

    def test_half_a_chunk_is_408(self):
        raw = self.open()
        raw.send(request("POST", "/events/v2/event", self.key, headers=["Transfer-Encoding: chunked"]) + b"2\r\n{")
        self.assert_error(raw.answer(), 408, "request.timeout")

    def test_half_a_message_ends_its_stream(self):
        connection = self.h2()
        stream = connection.grpc(SUBMIT, self.key, message(b"\x22\x01x")[:-1], end=False)
        row = connection.finish(stream)
        if row["reset"] is None:
            self.assertEqual(connection.status(stream)[0], DEADLINE_EXCEEDED)

    def test_half_a_preface_is_closed(self):
        raw = self.open()
        raw.send(b"PRI * HTT")
        self.assertTrue(raw.is_closed())

    def test_an_idle_keep_alive_connection_is_closed(self):
        raw = self.open()
        raw.send(request("GET", SESSION, self.key))
        self.assertEqual(raw.answer().status, 200)
        self.assertTrue(raw.is_closed())


class NeverReads(Slow):
    """Answers are made only as fast as they are read: memory is bounded, others are served, the client is given up."""

    settings = ("write_timeout_ms=1s", "access_log=off", "snapshot_age_ms=60s")
    EVENTS = 2000
    MEMORY_KIB = 96 * 1024

    @classmethod
    def arrange(cls):
        super().arrange()
        event = {"signature": "large", "properties": {f"p{at}": "x" * 1000 for at in range(8)}}
        for _ in range(cls.EVENTS // 100):
            answer = cls.rest.post("/events/v2/event/bulk", {"events": [
                {**event, "id": {"customer": "operator", "timestamp": 1_000_000 + at}} for at in range(100)]})
            assert answer.status == 201, answer
        criteria = {"startTimestamp": 0, "limit": 0}
        answer = cls.rest.post("/events/v1/aggregated/search", criteria)
        assert answer.status == 200 and answer.json["size"] == cls.EVENTS, answer.status
        assert len(answer.body) > 16 << 20
        cls.body = json.dumps(criteria)

    def check_given_up(self, sockets, before):
        """Others are served meanwhile; in the end the silent clients are gone and so is what they cost."""
        most = 0
        timed_out = self.figure("vigil_connections_timed_out_total")
        still_open = min(self.connections() - 1, len(sockets))  # on a slow machine the first may be given up already
        self.assertGreater(still_open, 0, "the last ones at least are open at first")
        end = time.monotonic() + 30
        while self.connections() > 2:
            most = max(most, self.server.resident_kib() - before)
            begun = time.monotonic()
            self.assertEqual(self.rest.get(SESSION).status, 200)
            self.assertLess(time.monotonic() - begun, 5)
            self.assertLess(time.monotonic(), end, f"{self.connections()} connections are still open")
        self.assertGreaterEqual(self.figure("vigil_connections_timed_out_total") - timed_out, still_open - 2)
        if not IS_SANITIZED:
            self.assertLess(most, self.MEMORY_KIB, "KiB while they did not read")

    def figure(self, name):
        return metrics(self.server.port)[name]

    def connections(self):
        return self.figure("vigil_connections_open")

    def test_over_http1(self):
        before = self.server.resident_kib()
        sockets = []
        for _ in range(10):
            raw = self.open()
            raw.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF
            raw.send(request("POST", "/events/v1/aggregated/search", self.key, self.body) * 3)
            sockets.append(raw)
        self.check_given_up(sockets, before)

    def test_over_http2_with_a_large_window(self):
        before = self.server.resident_kib()
        sockets = []
        for _ in range(5):
            connection = self.h2(window=2**31 - 1)
            connection.h2.increment_flow_control_window(2**30)
            for _ in range(5):
                stream = connection.open("/events/v1/aggregated/search", headers=[("argus-api-key", self.key)])
                connection.send(stream, self.body.encode(), True)
            sockets.append(connection)
        self.check_given_up(sockets, before)

    def test_over_http2_without_a_window(self):
        connection = self.h2()
        connection.reads = False
        stream = connection.open("/events/v1/aggregated/search", headers=[("argus-api-key", self.key)])
        connection.send(stream, self.body.encode(), True)
        row = connection.finish(stream)
        self.assertIsNotNone(row["reset"], "the answer nobody takes is given up")
        self.assertLessEqual(len(row["body"]), 65535)

    def test_a_unary_grpc_answer_that_large_is_refused_and_names_the_twin(self):
        client = Grpc(self.server.port, self.key)
        self.addCleanup(client.close)
        with self.assertRaises(GrpcError) as caught:
            client.call(SEARCH, contract.method(SEARCH).request(start_timestamp="0", limit=0))
        self.assertEqual((caught.exception.code, caught.exception.reason), ("RESOURCE_EXHAUSTED", "ANSWER_TOO_LARGE"))
        self.assertIn("StreamAggregated", caught.exception.text)
        answer = client.call(SEARCH, contract.method(SEARCH).request(start_timestamp="0", limit=10))
        self.assertEqual((len(answer.data), answer.count), (10, self.EVENTS))

    def test_a_slow_reader_gets_all_of_it(self):
        raw = self.open()
        raw.socket.setsockopt(1, 8, 65536)
        raw.send(request("POST", "/events/v1/aggregated/search", self.key, self.body))
        answer = raw.answer()
        self.assertEqual((answer.status, answer.json["size"]), (200, self.EVENTS))


class Counted(Slow):
    """Begins and ends without a connection: the server sees the end of one a moment after its client."""

    @classmethod
    def arrange(cls):
        super().arrange()
        cls.at_rest = cls.server.descriptors()

    def setUp(self):
        self.rest.close()
        self.wait_rest()

    def tearDown(self):
        self.doCleanups()
        self.wait_rest()
        super().tearDown()

    def wait_rest(self):
        wait_until(self.is_served, what="room for a new connection")
        wait_until(lambda: self.server.descriptors() <= self.at_rest, what="the end of closed connections")

    def is_served(self, rest=b""):
        """Whether a new connection gets an answer; it is closed with `rest` of a request under way."""
        raw = Raw(self.server.port)
        try:
            raw.send(request("GET", "/healthz") + rest)
            return raw.answer().status == 200
        except (AssertionError, OSError):
            return False
        finally:
            raw.close()


class Flood(Counted):
    settings = ("connections_max=50",)

    def test_connections_up_to_the_limit_and_past_it(self):
        raws = []
        for _ in range(50):
            raw = self.open()
            raw.send(request("GET", SESSION, self.key))
            self.assertEqual(raw.answer().status, 200)
            raws.append(raw)
        over = [self.open() for _ in range(20)]
        for raw in over:
            self.assertTrue(raw.is_closed(), "past the limit a connection is closed at once")
        for raw in raws:
            raw.send(request("GET", SESSION, self.key))
            self.assertEqual(raw.answer().status, 200, "those within the limit are served as before")
        for raw in raws:
            raw.close()
        wait_until(self.is_served, what="room for a new connection")

    def test_connections_that_come_and_go(self):
        for _ in range(300):
            wait_until(lambda: self.is_served(b"GET / HT"), what="room for a new connection")


class Comings(Counted):
    settings = ("connections_per_address_max=30",)

    def test_connections_the_client_closed_do_not_count(self):
        """A loop of short connections is no flood: none of them outlives its client."""
        refused = sum(not self.is_served() for _ in range(400))
        # A worker that gets no processor may be behind; one that keeps closed connections would refuse nearly all.
        self.assertLess(refused, 100)

    def test_connections_of_one_address_past_the_limit(self):
        raws = [self.open() for _ in range(40)]
        for raw in raws:
            try:
                raw.send(request("GET", "/healthz"))
            except (BrokenPipeError, ConnectionResetError):
                pass
        served = 0
        for raw in raws:
            while raw.receive() and b"ok" not in raw.buffer:
                pass
            served += b" 200 " in raw.buffer
        self.assertEqual(served, 30)


class Streams(Slow):
    settings = ("streams_per_connection_max=10",)

    def test_streams_past_the_limit_are_refused_or_wait(self):
        client = Grpc(self.server.port, self.key)
        self.addCleanup(client.close)
        stub = client.stub(SESSION_METHOD)
        waiting = [stub.future(contract.method(SESSION_METHOD).request(), metadata=client.metadata(...), timeout=30)
                   for _ in range(500)]
        for answer in waiting:
            self.assertEqual(answer.result().client_ip, "127.0.0.1")


class Drain(ServerCase):
    """SIGTERM under load: whatever was begun is answered, and no client sees an error."""

    CLIENTS = 6

    def work(self, key, port, state):
        """Call until the server is gone. Only "nobody listens any more" is an end; all else is an error seen."""
        client = Grpc(port, key)
        method = contract.method(SUBMIT)
        stub = client.stub(SUBMIT)
        while True:
            mark = uuid.uuid4().hex
            try:
                answer = stub(documented_json.into_message({"signature": mark}, method.request()),
                              metadata=client.metadata(...), timeout=20)
                state["acknowledged"].append(answer.id)
            except grpc.RpcError as error:
                text = error.details() or ""
                if error.code() == grpc.StatusCode.UNAVAILABLE and "failed to connect" in text:
                    break
                state["errors"].append(f"{error.code().name}: {text}")
                break
        client.close()

    def test_sigterm_under_load_shows_no_error(self):
        key = self.server.admin_key()
        state = {"acknowledged": [], "errors": []}
        for _ in range(3):
            threads = [threading.Thread(target=self.work, args=(key, self.server.port, state))
                       for _ in range(self.CLIENTS)]
            begun = len(state["acknowledged"])
            for thread in threads:
                thread.start()
            wait_until(lambda begun=begun: len(state["acknowledged"]) > begun + 100 or state["errors"], deadline=60,
                       what="load")
            self.server.terminate()
            self.assertEqual(self.server.wait_exit(), 0)
            for thread in threads:
                thread.join()
            self.server.start()
        self.assertEqual(state["errors"], [])
        rest = Rest(self.server.port, key)
        self.addCleanup(rest.close)
        for event_id in state["acknowledged"][::7]:
            self.assertEqual(rest.get("/events/v1/" + event_id).status, 200, "what was acknowledged is there")

    def test_sigterm_lets_rest_requests_finish(self):
        """Keep-alive clients are told by `connection: close`; a request that was read is answered."""
        key = self.server.admin_key()
        raws = [Raw(self.server.port) for _ in range(20)]
        for raw in raws:
            raw.send(request("GET", SESSION, key))
            self.assertEqual(raw.answer().status, 200)
        body = b'{"signature": "drain"}'
        for raw in raws[:10]:
            raw.send(request("POST", "/events/v2/event", key, body)[:-5])
        # A call is in flight from the moment its head was read and let through.
        wait_until(lambda: metrics(self.server.port)["vigil_calls_in_flight"] >= 10, what="ten heads read")
        self.server.terminate()
        for raw in raws[10:]:
            self.assertTrue(raw.is_closed(), "an idle connection is closed")
        for raw in raws[:10]:
            raw.send(body[-5:])
            answer = raw.answer()
            self.assertEqual(answer.status, 201, answer)
            self.assertTrue(raw.is_closed())
        self.assertEqual(self.server.wait_exit(), 0)
        self.server.start()
        for raw in raws:
            raw.close()

    def test_a_request_that_never_ends_does_not_hold_the_stop_for_ever(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("POST", "/events/v2/event", self.server.admin_key(), b"{}")[:-1])
        begun = time.monotonic()
        self.server.settings = ["drain_timeout_ms=500ms"]
        self.server.restart()
        self.server.settings = []
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("POST", "/events/v2/event", self.server.admin_key(), b"{}")[:-1])
        begun = time.monotonic()
        self.server.restart()
        self.assertLess(time.monotonic() - begun, 20)


if __name__ == "__main__":
    main()
