"""Strangers who send as fast as they can: they get a share of the time and no more, and are served all the same;
others are answered meanwhile, from elsewhere and, once they have shown a key, from the same address too."""
import socket
import ssl
import threading

from vigiltest.case import ServerCase, main
from vigiltest.certificates import Authority, require_openssl
from vigiltest.clients import Rest
from vigiltest.process import wait_until
from vigiltest.raw import DEADLINE, Raw, request

SESSION = "/authentication/v1/session"
STRANGER, OTHER = "127.0.0.9", "127.0.0.5"
ATTACKERS = 3
CALLS = 100


class From(Raw):
    """A connection from an address of choice."""

    def __init__(self, port, source, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE, source_address=(source, 0))
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""


class Flood:
    """Threads that do `attack` again and again until the end of the block."""

    def __init__(self, attack):
        self.attack = attack
        self.done = 0
        self.is_over = False
        self.threads = [threading.Thread(target=self.run) for _ in range(ATTACKERS)]

    def run(self):
        while not self.is_over:
            try:
                self.attack()
                self.done += 1
            except (AssertionError, OSError):
                pass  # refused, or cut

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Strangers(ServerCase):
    # The least share: they are held for most of the time, however slow the machine is.
    settings = ("workers=1", "stranger_share_max=1", "log_level=warn")

    @classmethod
    def setUpClass(cls):
        require_openssl()
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.close)
        own = cls.authority.make("localhost", "DNS:localhost")
        cls.settings = (*cls.settings, "listen_tls=127.0.0.1:0", f"tls_certificates={own[0]}", f"tls_keys={own[1]}")
        super().setUpClass()

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()

    def setUp(self):
        """The figures come over a connection that has shown a key: to ask for them is no stranger's work."""
        self.rest = Rest(self.server.port, self.key)
        self.addCleanup(self.rest.close)
        self.assertEqual(self.rest.get(SESSION).status, 200)

    def figure(self, name):
        lines = self.rest.get("/metrics").body.decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"vigil_{name} "))

    def open(self, source, context=None):
        raw = From(self.server.port if context is None else self.server.tls_port, source, context)
        self.addCleanup(raw.close)
        return raw

    def calls(self, raw, count=CALLS):
        for _ in range(count):
            raw.send(request("GET", SESSION, self.key))
            self.assertEqual(raw.answer().status, 200)

    def assert_others_are_answered(self, flood, context=None):
        held, took = self.figure("strangers_held_total"), self.figure("strangers_nanoseconds_total")
        with flood:
            wait_until(lambda: self.figure("strangers_held_total") > held + 2, what="strangers that are held")
            stays = self.open(OTHER, context)
            self.calls(stays)
            for _ in range(5):
                comes = self.open(OTHER, context)
                self.calls(comes, 1)
                comes.close()
        self.assertGreater(self.figure("strangers_nanoseconds_total"), took)
        self.assertTrue(self.server.is_alive(), self.server.log_tail())

    def ask_without_key(self):
        raw = From(self.server.port, STRANGER)
        try:
            raw.send(request("GET", SESSION) * 50)
            self.assertEqual(raw.answer().status, 401)
        finally:
            raw.close()

    def test_requests_without_a_key(self):
        flood = Flood(self.ask_without_key)
        self.assert_others_are_answered(flood)
        self.assertGreater(flood.done, 0)  # they wait, but for a share of the time they are served

    def test_tls_handshakes(self):
        context = self.authority.client(alpn=("http/1.1",))

        def shake():
            try:
                From(self.server.tls_port, STRANGER, context).close()
            except ssl.SSLError as error:
                raise OSError(error) from error
        flood = Flood(shake)
        self.assert_others_are_answered(flood, context)
        self.assertGreater(flood.done, 0)

    def test_connections_that_are_reset(self):
        def come_and_go():
            From(self.server.port, STRANGER).close()
        self.assert_others_are_answered(Flood(come_and_go))

    def test_who_has_shown_a_key_is_not_held_with_his_neighbours(self):
        known = self.open(STRANGER)
        self.calls(known, 1)
        held = self.figure("strangers_held_total")
        with Flood(self.ask_without_key):
            wait_until(lambda: self.figure("strangers_held_total") > held + 2, what="strangers that are held")
            self.calls(known)

    def test_all_who_waited_are_answered_in_the_end(self):
        raws = [self.open(STRANGER) for _ in range(60)]
        for raw in raws:
            raw.send(request("GET", "/healthz"))
        for raw in raws:
            self.assertEqual(raw.answer().status, 200)

    def test_a_server_that_stops_lets_go_of_those_who_wait(self):
        held = self.figure("strangers_held_total")
        with Flood(self.ask_without_key):
            wait_until(lambda: self.figure("strangers_held_total") > held + 2, what="strangers that are held")
            self.server.terminate()
            self.server.wait_exit()
        self.server.start()
        self.setUp()


if __name__ == "__main__":
    main()
