"""TLS: who is served and how, who is refused, certificates of clients that stand for keys, and certificates that change
while the server works. Every certificate is made here, by openssl.
"""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import unittest

import grpc

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.certificates import ENDED, Authority, require_openssl
from vigiltest.clients import Rest, curl, metrics
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, Server, wait_until
from vigiltest.raw import Raw, request

VIGIL = os.environ.get("VIGIL", "")
USER = "/currentuser/v1/user"
USER_METHOD = "vigil.account.v1.AccountService/GetCurrentUser"
AGENT = "URI:spiffe://test/agent"
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
MIB = 1024 * 1024


class Channel:
    """A grpcio channel over TLS."""

    def __init__(self, port, authority, certificate=None, key=None, host="localhost"):
        def read(path):
            with open(path, "rb") as file:
                return file.read()
        pair = (read(certificate[1]), read(certificate[0])) if certificate else (None, None)
        credentials = grpc.ssl_channel_credentials(read(authority.ca), *pair)
        self.key = key
        self.channel = grpc.secure_channel(f"127.0.0.1:{port}", credentials, options=[
            ("grpc.ssl_target_name_override", host), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)])

    def user(self):
        """(code, short name of the user)."""
        method = next(row for row in contract.methods() if row.full_name == USER_METHOD)
        call = self.channel.unary_unary("/" + USER_METHOD, request_serializer=lambda row: row.SerializeToString(),
                                        response_deserializer=method.answer.FromString)
        try:
            answer = call(method.request(), timeout=20, metadata=(("argus-api-key", self.key),) if self.key else ())
            return "OK", answer.user_name
        except grpc.RpcError as error:
            return error.code().name, error.details()

    def close(self):
        self.channel.close()


class Tls(ServerCase):
    """Two certificates, and clients that may show one."""

    mode = "optional"

    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.stranger = Authority("stranger")
        for authority in (cls.authority, cls.stranger):
            cls.addClassCleanup(authority.close)
        cls.own = cls.authority.make("localhost", "DNS:localhost,DNS:own.example")
        cls.wild = cls.authority.make("wild", "DNS:*.wild.example")
        cls.agent = cls.authority.make("agent", "URI:spiffe://test/agent,DNS:agent.example")
        cls.settings = ("listen_tls=127.0.0.1:0", f"tls_certificates={cls.own[0]},{cls.wild[0]}",
                        f"tls_keys={cls.own[1]},{cls.wild[1]}", f"tls_client_ca={cls.authority.ca}",
                        f"tls_client_certificates={cls.mode}", "tls_handshake_timeout_ms=700ms", "access_log=errors",
                        "cors_origins=https://soc.example.org")
        super().setUpClass()

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        cls.port = cls.server.tls_port
        cls.directory = Directory(cls.server)
        cls.addClassCleanup(cls.directory.close)
        cls.directory.customer("own", 7)
        cls.directory.user("robot", "own")

    def tearDown(self):
        self.assertTrue(self.server.is_alive(), self.server.log_tail())

    def metric(self, name):
        return metrics(self.server.port)["vigil_" + name]

    def connect(self, context=None, host="localhost", **options):
        """A connection of Python's ssl, after its handshake."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(plain.close)
        secure = (context or self.authority.client(alpn=("http/1.1",))).wrap_socket(plain, server_hostname=host, **options)
        self.addCleanup(secure.close)
        return secure

    def rest(self, certificate=None, context=None):
        context = context or self.authority.client(certificate, alpn=("http/1.1",))
        rest = Rest(self.port, timeout=20)
        rest.connection = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
        self.addCleanup(rest.close)
        return rest

    def channel(self, **options):
        channel = Channel(self.port, options.pop("authority", self.authority), **options)
        self.addCleanup(channel.close)
        return channel

    def refused(self, context, host="localhost"):
        """What the client is told. With TLS 1.3 it hears of it when it reads."""
        try:
            secure = self.connect(context, host)
            secure.sendall(request("GET", USER, key=self.key))
            data = secure.recv(1000)
        except (ssl.SSLError, ConnectionError) as error:
            return str(error)
        self.fail(f"it was taken: {data!r}")
        return None


class Optional(Tls):
    def test_alpn_chooses_the_protocol_and_both_answer_the_same(self):
        answers = {}
        for words, version in ((("--http2",), "2"), (("--http1.1",), "1.1"), (("--no-alpn",), "1.1")):
            out = subprocess.run(["curl", "-sS", "--cacert", self.authority.ca, *words, "-w", "\n%{http_version}", "-H",
                                  f"Argus-API-Key: {self.key}", f"https://localhost:{self.port}{USER}"],
                                 capture_output=True, text=True, check=True, timeout=30).stdout
            body, seen = out.rsplit("\n", 1)
            self.assertEqual(seen, version, words)
            answers[words] = json.loads(body)["data"]["userName"]
        self.assertEqual(set(answers.values()), {"admin"})

    def test_without_alpn_http_2_fails_cleanly(self):
        """RFC 9113 section 3.3: h2 over TLS has to be agreed on."""
        secure = self.connect(self.authority.client(alpn=()))
        secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
        data = b""
        while True:
            part = secure.recv(1000)
            if not part:
                break
            data += part
        self.assertTrue(data == b"" or data.startswith(b"HTTP/1.1 4"), data)

    def test_only_other_protocols_are_refused(self):
        self.assertIn("no application protocol", self.refused(self.authority.client(alpn=("spdy/3", "h3"))).replace("_", " ").lower())

    def test_http_1_1_on_a_connection_of_http_2_fails_cleanly(self):
        secure = self.connect(self.authority.client(alpn=("h2",)))
        self.assertEqual(secure.selected_alpn_protocol(), "h2")
        secure.sendall(request("GET", USER, key=self.key))
        while secure.recv(1000):
            pass

    def test_versions(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = self.authority.client()
            context.minimum_version = context.maximum_version = version
            secure = self.connect(context)
            self.assertEqual(secure.version(), name)
            self.assertRegex(secure.cipher()[0], "GCM|CHACHA20")
            self.assertIsNone(secure.compression())

    def test_old_versions_and_weak_ciphers_are_refused(self):
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertIn("protocol version", self.refused(old).replace("_", " ").lower())
        weak = self.authority.client()
        weak.maximum_version = ssl.TLSVersion.TLSv1_2
        weak.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:AES128-GCM-SHA256")
        self.assertIn("handshake failure", self.refused(weak).replace("_", " ").lower())

    def test_renegotiation_is_refused(self):
        run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_2", "-alpn", "http/1.1"],
                             input="R\nGET / HTTP/1.1\n", capture_output=True, text=True, timeout=30, check=False)
        self.assertIn("no renegotiation", run.stderr + run.stdout)

    def test_a_flood_of_new_keys_is_cut(self):
        """Each KeyUpdate makes us derive keys (RFC 8446 section 4.6.3)."""
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-tls1_3", "-alpn", "http/1.1"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)

        def more():
            try:
                client.stdin.write(b"k\n")
            except BrokenPipeError:
                pass
            return client.poll() is not None
        wait_until(more, 30, "the end of the connection")
        client.stdin.close()

    def test_the_name_chooses_the_certificate(self):
        for host, subject in (("own.example", "localhost"), ("a.wild.example", "wild"), ("unknown.example", "localhost"),
                              ("a.b.wild.example", "localhost")):
            context = self.authority.client()
            context.check_hostname = False
            told = dict(pair[0] for pair in self.connect(context, host).getpeercert()["subject"])
            self.assertEqual(told["commonName"], subject, host)

    def test_bad_certificates_of_clients_are_refused(self):
        authority = self.authority
        cases = {"of another authority": self.stranger.make("agent", "URI:spiffe://test/agent"),
                 "self-signed": authority.make("lonely", "URI:spiffe://test/agent", self_signed=True),
                 "that has ended": authority.make("ended", "URI:spiffe://test/agent", dates=ENDED)}
        words = {"of another authority": "unknown ca", "self-signed": "unknown ca", "that has ended": "certificate expired"}
        before = self.metric("tls_handshakes_failed_total")
        for name, certificate in cases.items():
            with self.subTest(name):
                told = self.refused(authority.client(certificate, alpn=("http/1.1",))).replace("_", " ").lower()
                self.assertIn(words[name], told)
        self.assertEqual(self.metric("tls_handshakes_failed_total"), before + len(cases))
        self.assertIn('"event":"tls_handshake_failed"', self.server.log_text())

    def test_a_certificate_without_a_key_of_its_own_opens_nothing(self):
        certificate = self.authority.make("nobody", "DNS:nobody.example")
        answer = self.rest(certificate).get(USER)
        self.assert_error(answer, 401, "user.not.authenticated")
        self.assertIn("DNS:nobody.example", answer.json["messages"][0]["message"])
        self.assertEqual(self.channel(certificate=certificate).user()[0], "UNAUTHENTICATED")

    def test_a_certificate_stands_for_a_key_until_it_is_revoked(self):
        made = self.directory.add("keys", user="robot", role=["EVENT-VIEWER"], certificate="uri:spiffe://test/agent")
        self.assertEqual((made["key"], made["details"]["id"], made["details"]["isCertificate"]), (None, AGENT, True))
        rest = self.rest(self.agent)
        channel = self.channel(certificate=self.agent)
        self.assertEqual(rest.get(USER).data["userName"], "robot")
        self.assertEqual(channel.user(), ("OK", "robot"))
        # A key that is shown decides, good or bad.
        self.assertEqual(rest.get(USER, key=self.key).data["userName"], "admin")
        self.assert_error(rest.get(USER, key="a/1/b"), 401, "authentication.failed")
        # Nobody can show it as a key.
        self.assert_error(self.rest().get(USER, key=f"{AGENT}/2/x"), 401, "authentication.failed")
        # One name, one key.
        again = {"user": "robot", "role": ["EVENT-VIEWER"], "certificate": AGENT}
        self.assert_error(self.directory.rest.post("/admin/v1/keys", again), 412, "object.exists")
        # On the connections that are open.
        target = "/admin/v1/keys/" + AGENT.replace(":", "%3A").replace("/", "%2F")
        self.assertEqual(self.directory.rest.get(target).data["id"], AGENT)
        self.assertEqual(self.directory.rest.post(target + "/revoke", {}).status, 200)
        self.assert_error(rest.get(USER), 401, "authentication.failed")
        self.assertEqual(channel.user()[0], "UNAUTHENTICATED")
        # It may be given anew, and has its limits like any key.
        self.directory.add("keys", **again, source=["10.0.0.0/8"])
        self.assert_error(rest.get(USER), 401, "apikey.source.not.allowed")
        self.directory.rest.post(target + "/revoke", {})
        self.directory.add("keys", **again)
        self.assertEqual(rest.get(USER).status, 200)
        self.server.restart()
        type(self).port = self.server.tls_port
        self.directory.rest = Rest(self.server.port, self.key)
        self.assertEqual(self.rest(self.agent).get(USER).data["userName"], "robot")

    def test_a_foreign_page_does_not_use_its_visitors_certificate(self):
        """A browser shows its user's certificate on any connection, whichever page asked for it: so for a page of somebody
        else's it does not count. A key that the page shows does.
        """
        certificate = self.authority.make("visitor", "URI:spiffe://test/visitor")
        self.directory.add("keys", user="robot", role=["EVENT-VIEWER"], certificate="URI:spiffe://test/visitor")
        rest = self.rest(certificate)
        self.assertEqual(rest.get(USER).data["userName"], "robot", "no page at all")
        own = f"https://localhost:{self.port}"
        for origin, is_let_in in ((own, True), (own.upper(), True), ("https://soc.example.org", True),
                                  ("https://evil.example.org", False), ("http://soc.example.org", False), ("null", False),
                                  ("", False), (f"https://localhost:{self.port + 1}", False), ("https://localhost", False),
                                  (f"https://evil.localhost:{self.port}", False)):
            for over in (rest.get, self.over_http2(certificate)):
                with self.subTest(origin=origin):
                    answer = over(USER, headers={"Origin": origin})
                    if is_let_in:
                        self.assertEqual((answer.status, answer.data["userName"]), (200, "robot"))
                    else:
                        self.assert_error(answer, 401, "user.not.authenticated")
                    names = {name.lower() for name in answer.headers}
                    self.assertEqual("access-control-allow-origin" in names, origin == "https://soc.example.org")
        foreign = {"Origin": "https://evil.example.org"}
        answer = rest.request("POST", "/events/v2/event", body={"signature": "never"}, headers=foreign)
        self.assert_error(answer, 401, "user.not.authenticated")
        self.assertEqual(rest.get(USER, key=self.key, headers=foreign).data["userName"], "admin", "who has a key shows it")
        self.assertEqual(rest.get(USER).data["userName"], "robot", "the connection is as it was")

    def over_http2(self, certificate):
        """The same by curl, which speaks HTTP/2."""
        def get(target, headers):
            words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}" if value else f"{name};")]
            return curl("--http2", "--cacert", self.authority.ca, "--cert", certificate[0], "--key", certificate[1], *words,
                        f"https://localhost:{self.port}{target}")
        return get

    def test_names_that_are_none_are_refused(self):
        for name in ("agent.example", "IP:1.2.3.4", "DNS:", "DNS:a b", "CN:a\nb", "DNS:" + "a" * 1021):
            answer = self.directory.rest.post("/admin/v1/keys", {"user": "robot", "role": ["EVENT-VIEWER"], "certificate": name})
            self.assertEqual((answer.status, answer.field), (412, "certificate"), answer)

    def test_plain_text_on_the_tls_port_is_told_so(self):
        for data in (request("GET", "/", key=self.key), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            raw = Raw(self.port)
            raw.send(data)
            self.assertEqual(raw.until(b"\r\n"), b"HTTP/1.1 400 Bad Request")
            self.assertIn(b"TLS", raw.until(b"\r\n\r\n") + raw.take(55))
            self.assertTrue(raw.is_closed())
            raw.close()
        raw = Raw(self.port)
        raw.send(b"\x00\x01\x02\x03")
        self.assertTrue(raw.is_closed())
        raw.close()

    def test_tls_on_the_plain_port_fails_at_once(self):
        plain = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        self.addCleanup(plain.close)
        with self.assertRaises(ssl.SSLError) as told:
            self.authority.client().wrap_socket(plain, server_hostname="localhost")
        self.assertIn("WRONG_VERSION_NUMBER", str(told.exception))

    def machine(self, version=None):
        """Client, and its bytes from and to the wire."""
        from_server, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = self.authority.client(alpn=("http/1.1",))
        context.maximum_version = version or context.maximum_version
        return context.wrap_bio(from_server, to_server, server_hostname="localhost"), from_server, to_server

    def drive(self, raw, step, from_server, to_server, piece):
        """Repeat `step` until it does not want more."""
        while True:
            try:
                done = step()
                raw.send_slowly(to_server.read(), piece)
                return done
            except ssl.SSLWantReadError:
                raw.send_slowly(to_server.read(), piece)
                if not raw.receive():
                    from_server.write_eof()
                from_server.write(raw.buffer)
                raw.buffer = b""

    def test_a_handshake_in_single_bytes(self):
        raw = Raw(self.port)
        self.addCleanup(raw.close)
        client, *wire = self.machine()
        self.drive(raw, client.do_handshake, *wire, 1)
        client.write(request("GET", USER, key=self.key))
        self.assertTrue(self.drive(raw, lambda: client.read(15), *wire, 1).startswith(b"HTTP/1.1 200"))

    def test_a_client_that_is_done_still_gets_its_answer(self):
        raw = Raw(self.port)
        self.addCleanup(raw.close)
        client, *wire = self.machine()
        self.drive(raw, client.do_handshake, *wire, 4096)
        client.write(request("GET", USER, key=self.key))
        with self.assertRaises(ssl.SSLWantReadError):
            client.unwrap()  # close_notify right behind the request
        raw.send(wire[1].read())
        while raw.receive():
            pass
        wire[0].write(raw.buffer)
        self.assertTrue(client.read(4096).startswith(b"HTTP/1.1 200"))
        wire[0].write_eof()
        client.unwrap()  # the server has said close_notify too

    def test_a_slow_handshake_is_cut(self):
        before = self.metric("tls_handshakes_failed_total")
        slow = Raw(self.port)
        self.addCleanup(slow.close)
        slow.send(b"\x16\x03\x01\x02\x00\x01")
        self.assertTrue(slow.is_closed())
        silent = Raw(self.port)
        self.addCleanup(silent.close)
        self.assertTrue(silent.is_closed())
        self.assertEqual(self.metric("tls_handshakes_failed_total"), before + 1)  # who says nothing has begun none

    def test_a_client_that_is_done_within_the_handshake_is_let_go(self):
        close_notify = b"\x15\x03\x03\x00\x02\x01\x00"
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                before = self.metric("tls_handshakes_failed_total")
                raw = Raw(self.port)
                self.addCleanup(raw.close)
                client, from_server, to_server = self.machine(version)
                self.assertRaises(ssl.SSLWantReadError, client.do_handshake)
                raw.send(to_server.read())
                self.assertTrue(raw.receive())
                raw.send(close_notify)
                raw.send(close_notify)  # and whatever comes behind it
                while raw.receive():
                    pass
                self.assertEqual(self.metric("tls_handshakes_failed_total"), before + 1)

    def test_large_files_go_up_and_down(self):
        data = os.urandom(MIB) * (8 if IS_SANITIZED else 40)
        for version in ("--http1.1", "--http2"):
            common = ["-H", f"Argus-API-Key: {self.key}", "--cacert", self.authority.ca, version]
            base = f"https://localhost:{self.port}/sampledb/v2/sample"
            path = self.authority.path("sample")
            with open(path, "wb") as file:
                file.write(data + version.encode())
            answer = curl(*common, "-H", "Content-Type: application/octet-stream", "--data-binary", "@" + path, base)
            self.assertIn(answer.status, (200, 201), answer)
            digest = answer.json["data"]["sample"]["id"]
            got = curl(*common, f"{base}/{digest}/raw")
            self.assertEqual((got.status, got.body), (200, data + version.encode()))

    def test_sessions_are_resumed_with_who_the_client_is(self):
        before = self.metric("tls_handshakes_resumed_total")
        certificate = self.authority.make("again", "DNS:again.example")
        context = self.authority.client(certificate, alpn=("http/1.1",))
        first = self.connect(context)
        first.sendall(request("GET", USER))
        self.assertIn(b"DNS:again.example", first.recv(65536))
        second = self.connect(context, session=first.session)
        self.assertTrue(second.session_reused)
        second.sendall(request("GET", USER))
        self.assertIn(b"DNS:again.example", second.recv(65536))
        self.assertEqual(self.metric("tls_handshakes_resumed_total"), before + 1)

    def test_many_connections(self):
        context = self.authority.client(alpn=("http/1.1",))
        count = 200
        open_connections = [self.connect(context) for _ in range(count)]
        for secure in open_connections:
            secure.sendall(request("GET", USER, key=self.key))
        for secure in open_connections:
            self.assertTrue(secure.recv(65536).startswith(b"HTTP/1.1 200"))
        self.assertGreaterEqual(self.metric("connections_open"), count)
        for secure in open_connections:
            secure.close()
        wait_until(lambda: self.metric("connections_open") < 20, 20, "the end of the connections")

    @unittest.skipUnless(VIGIL, "VIGIL does not name the program vigil")
    def test_the_command_line(self):
        def vigil(*words, key=None, status=DONE):
            own = {name: value for name, value in os.environ.items() if name != "VIGIL_API_KEY"}
            if key is not None:
                own["VIGIL_API_KEY"] = key
            run = subprocess.run([VIGIL, *words, "whoami"], env=own, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(run.returncode, status, run.stderr)
            return run.stdout + run.stderr
        server, ca = f"https://localhost:{self.port}", self.authority.ca
        self.assertIn("admin", vigil("--server", server, "--ca", ca, key=self.key))
        self.assertIn("admin", vigil("--server", f"localhost:{self.port}", "--tls", "--ca", ca, key=self.key))
        certificate = self.authority.make("person", "email:person@example")
        self.directory.add("keys", user="robot", role=["EVENT-VIEWER"], certificate="email:person@example")
        self.assertIn("robot", vigil("--server", server, "--ca", ca, "--cert", certificate[0], "--key", certificate[1]))
        self.assertIn("certificate", vigil("--server", server, key=self.key, status=UNREACHABLE))
        self.assertIn("certificate", vigil("--server", server, "--ca", self.stranger.ca, key=self.key, status=UNREACHABLE))
        self.assertIn("mismatch", vigil("--server", f"127.0.0.1:{self.port}", "--ca", ca, key=self.key, status=UNREACHABLE))
        self.assertIn("TLS", vigil("--server", f"127.0.0.1:{self.server.port}", "--tls", key=self.key, status=UNREACHABLE))
        self.assertIn("none.pem", vigil("--server", server, "--ca", "none.pem", key=self.key, status=USAGE))
        self.assertIn("plain text", vigil("--server", "http://localhost:1", "--tls", key=self.key, status=USAGE))


class Required(Tls):
    mode = "required"

    def test_nobody_gets_in_without_a_certificate(self):
        told = self.refused(self.authority.client(alpn=("http/1.1",))).replace("_", " ").lower()
        self.assertIn("certificate required", told)
        self.assertEqual(self.channel(key=self.key).user()[0], "UNAVAILABLE")

    def test_who_has_one_shows_his_key_over_it(self):
        self.assertEqual(self.rest(self.agent).get(USER, key=self.key).status, 200)
        self.assertEqual(self.channel(certificate=self.agent, key=self.key).user(), ("OK", "admin"))
        self.assert_error(self.rest(self.agent).get(USER), 401, "user.not.authenticated")

    def replace(self, certificate, key=None):
        """New content of the server's first certificate, and the signal."""
        shutil.copyfile(certificate, self.own[0])
        if key is not None:
            shutil.copyfile(key, self.own[1])
        self.server.process.send_signal(signal.SIGHUP)

    def serial(self):
        secure = self.connect(self.authority.client(self.agent, alpn=("http/1.1",)), "own.example")
        return secure.getpeercert()["serialNumber"]

    def test_certificates_change_while_connections_go_on(self):
        old = self.serial()
        stop = threading.Event()
        failures, done = [], [0]
        kept = self.rest(self.agent)
        channel = self.channel(certificate=self.agent, key=self.key)
        self.assertEqual(channel.user()[0], "OK")
        self.assertEqual(kept.get(USER, key=self.key).status, 200)

        def work(ask):
            while not stop.is_set():
                answer = ask()
                done[0] += 1
                if answer not in (200, ("OK", "admin")):
                    failures.append(answer)

        threads = [threading.Thread(target=work, args=(ask,)) for ask in
                   (lambda: kept.get(USER, key=self.key).status, channel.user)]
        for thread in threads:
            thread.start()
        accepted = self.metric("tls_handshakes_total")
        try:
            new = self.authority.make("renewed", "DNS:localhost,DNS:own.example")
            self.replace(*new)
            wait_until(lambda: self.metric("tls_reloads_total") == 1, 20, "the reload")
            self.assertNotEqual(self.serial(), old)
            renewed = self.serial()
            # A broken one changes nothing but the log.
            with open(self.authority.path("broken"), "w", encoding="ascii") as file:
                file.write("nonsense")
            self.replace(self.authority.path("broken"))
            wait_until(lambda: self.metric("tls_reloads_failed_total") == 1, 20, "the failure of a reload")
            self.assertEqual(self.serial(), renewed)
            self.assertIn("holds no certificate", self.server.log_text())
            before = done[0]
            wait_until(lambda: done[0] > before + 20, 20, "more calls")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        # Only those of self.serial(): the two at work never connected again.
        self.assertEqual(self.metric("tls_handshakes_total"), accepted + 3)
        self.assertGreater(self.metric("tls_certificate_expiry_seconds"), 1.7e9)


class Start(unittest.TestCase):
    def test_only_tls(self):
        authority = Authority()
        self.addCleanup(authority.close)
        certificate, key = authority.make("localhost", "DNS:localhost")
        server = Server(settings=("listen=", "listen_tls=127.0.0.1:0", f"tls_certificates={certificate}", f"tls_keys={key}",
                                  "tls_version_min=1.3"))
        self.addCleanup(server.close)
        server.start()
        answer = curl("--cacert", authority.ca, f"https://localhost:{server.port}{USER}")
        self.assertEqual(answer.status, 401)
        context = authority.client()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.addCleanup(plain.close)
        with self.assertRaises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="localhost")

    def test_a_certificate_that_has_ended_is_used_and_warned_of(self):
        authority = Authority()
        self.addCleanup(authority.close)
        certificate, key = authority.make("localhost", "DNS:localhost", dates=ENDED)
        server = Server(settings=("listen_tls=127.0.0.1:0", f"tls_certificates={certificate}", f"tls_keys={key}"))
        self.addCleanup(server.close)
        server.start()
        self.assertIn('"event":"tls_certificate_ends"', server.log_text())
        self.assertIn('"ended":true', server.log_text())
        self.assertEqual(metrics(server.port)["vigil_tls_certificate_expiry_seconds"], 1577923200)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: metrics(server.port)["vigil_tls_reloads_total"] == 1, 20, "the reload")

    def test_what_is_wrong_is_said(self):
        for settings, words in ((("listen_tls=127.0.0.1:0",), "set tls_certificates"),
                                (("listen_tls=127.0.0.1:0", "tls_certificates=/nowhere.pem"), "/nowhere.pem: No such file"),
                                (("listen=",), "no address to listen on")):
            server = Server(settings=settings)
            self.addCleanup(server.close)
            server.launch()
            out, _ = server.process.communicate(timeout=60)
            self.assertEqual((server.process.returncode, out), (1, b""))
            server.process = None
            self.assertIn(words, server.log_text())


if __name__ == "__main__":
    require_openssl()
    main()
