#!/usr/bin/python3
"""How long connections live: idle, too old, silent, pinging too often, and sent away by a server that stops.

No call of a client fails because its connection ends.
"""
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from vigiltest import case
from vigiltest.clients import metrics
from vigiltest.frames import ACK, PING, FrameClient, ping
from vigiltest.load import GrpcioLoad, no_call_fails
from vigiltest.raw import Raw, request
from vigiltest.rfc_case import faces

SESSION = "/authentication/v1/session"
DEADLINE = 20

# A client that says "ready", then sleeps on its connection.
SLEEPER = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
s.recv(1000)
print("ready", flush=True)
while s.recv(1000):
    pass
"""


class Life(case.ServerCase):
    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        cls.grpc, cls.json = faces(cls.key)

    def h2(self):
        client = FrameClient(self.server.port)
        self.addCleanup(client.close)
        return client

    def raw(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        return raw

    def figure(self, name):
        return metrics(self.server.port)["vigil_" + name]

    def until_figure(self, name, value):
        end = time.monotonic() + DEADLINE
        while self.figure(name) < value:
            self.assertLess(time.monotonic(), end, f"{name} is {self.figure(name)}, not {value}")

    def goaways(self, client):
        """(last stream, code, debug data) of every GOAWAY until the connection ends; PING is answered."""
        def answer(found):
            if found.kind == PING and not found.flags & ACK:
                client.send(ping(found.payload, ACK))
            return False
        client.until(answer)
        return client.goaways()

    def sent_away(self, text):
        found = self.goaways(self.h2())
        self.assertEqual([(last, code) for last, code, _ in found], [(2**31 - 1, 0), (0, 0)])
        self.assertEqual([said for _, _, said in found], [b"", text])


class Idle(Life):
    settings = ("idle_timeout_ms=400ms",)

    def test_an_idle_connection_is_sent_away_with_max_idle(self):
        self.sent_away(b"max_idle")
        self.until_figure("http2_goaway_idle_total", 1)
        self.assertGreaterEqual(self.figure("connections_idle_total"), 1)


class Age(Life):
    settings = ("connection_age_ms=400ms", "connection_age_grace_ms=400ms")

    def test_an_old_connection_is_sent_away_with_max_age(self):
        self.sent_away(b"max_age")
        self.until_figure("http2_goaway_age_total", 1)

    def test_grace_cuts_a_call_that_does_not_end(self):
        client = self.h2()
        client.send(self.grpc.head())
        before = self.figure("connections_cut_total")
        found = self.goaways(client)
        self.assertEqual(found[-1], (1, 0, b"max_age"))
        self.until_figure("connections_cut_total", before + 1)

    def test_http1_is_told_with_the_next_answer(self):
        raw = self.raw()
        old = self.figure("connections_aged_total")
        # The connections that ask for the figures grow old as well, so the answers are asked for one by one.
        end = time.monotonic() + DEADLINE
        while True:
            raw.send(request("GET", SESSION, self.key))
            answer = raw.answer()
            self.assertEqual(answer.status, 200)
            if answer.headers.get("connection") == "close":
                break
            self.assertLess(time.monotonic(), end)
        self.assertTrue(raw.is_closed())
        self.assertGreater(self.figure("connections_aged_total"), old)

    def test_no_call_fails_when_connections_grow_old(self):
        with GrpcioLoad(self.server.port, self.key) as load:
            self.until_figure("http2_goaway_age_total", self.figure("http2_goaway_age_total") + 6)
        self.assertEqual(load.failures, [])
        self.assertGreater(load.calls, 100)


class Silent(Life):
    settings = ("keepalive_time_ms=300ms", "keepalive_timeout_ms=400ms")

    def test_a_dead_peer_is_dropped_and_a_quiet_one_is_not(self):
        before = self.figure("connections_unanswered_total")
        quiet = self.h2()
        answers = threading.Thread(target=self.goaways, args=(quiet,))
        answers.start()
        with subprocess.Popen([sys.executable, "-c", SLEEPER, str(self.server.port)], stdout=subprocess.PIPE) as dead:
            self.addCleanup(dead.kill)
            self.assertEqual(dead.stdout.readline(), b"ready\n")
            os.kill(dead.pid, signal.SIGSTOP)
            self.until_figure("connections_unanswered_total", before + 1)
            dead.kill()
        # The quiet client has answered each time: its connection stands.
        quiet.send(self.grpc.request())
        end = time.monotonic() + DEADLINE
        while quiet.fields(1).get("grpc-status") != "0":
            self.assertLess(time.monotonic(), end)
        self.assertGreater(sum(found.kind == PING for found in quiet.seen), 1)
        quiet.socket.shutdown(socket.SHUT_RDWR)
        answers.join()
        self.assertEqual(self.figure("connections_unanswered_total"), before + 1)


class Pings(Life):
    settings = ("ping_interval_ms=1h", "ping_idle_interval_ms=1h")

    def test_two_strikes_are_free_and_the_third_ends(self):
        client = self.h2()
        client.send(ping() * 3)  # the first is none
        client.send(self.json.request())
        self.assertTrue(client.finish(1))
        self.assertEqual(client.fields(1)[":status"], "200")
        client = self.h2()
        client.send(ping() * 4)
        self.assertEqual(self.goaways(client), [(0, 11, b"too_many_pings")])
        self.until_figure("http2_goaway_pings_total", 1)

    def test_pings_between_answers_are_welcome(self):
        """As those with which gRPC clients measure the bandwidth."""
        client = self.h2()
        for stream in range(1, 41, 2):
            client.send(ping() + self.grpc.request(stream))
            self.assertTrue(client.finish(stream))
        self.assertEqual(client.fields(39)["grpc-status"], "0")


class PingIntervals(Life):
    settings = ("ping_interval_ms=0ms", "ping_idle_interval_ms=1h")

    def test_without_a_call_pings_must_be_rarer(self):
        client = self.h2()
        client.send(self.grpc.head() + ping() * 20)
        self.assertTrue(client.is_alive(b"the last"))
        idle = self.h2()
        idle.send(ping() * 4)
        self.assertEqual(self.goaways(idle), [(0, 11, b"too_many_pings")])


class Restart(Life):
    def test_no_call_fails_when_the_server_is_restarted(self):
        no_call_fails(self.server, GrpcioLoad(self.server.port, self.key))

    def test_the_last_answers_arrive(self):
        client = self.h2()
        client.send(self.grpc.head())
        idle = self.raw()
        idle.send(request("GET", SESSION, self.key))
        self.assertEqual(idle.answer().status, 200)
        self.server.terminate()
        self.assertTrue(idle.is_closed())
        client.until(lambda found: found.kind == PING)
        # Between the two GOAWAYs: what was under way when the client read the first is answered as well.
        client.send(self.grpc.request(3) + self.grpc.body(1))
        goaways = self.goaways(client)
        self.assertEqual(goaways, [(2**31 - 1, 0, b""), (3, 0, b"")])
        self.assertEqual([client.fields(stream)["grpc-status"] for stream in (1, 3)], ["0", "0"])
        self.assertEqual(self.server.wait_exit(), 0)
        self.server.start()


if __name__ == "__main__":
    case.main()
