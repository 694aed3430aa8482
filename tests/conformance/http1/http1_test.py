"""HTTP/1.1 as RFC 9110 and 9112 have it, by bytes on a socket against the real server; and the same request over HTTP/2."""
import json
import pathlib
import re
import signal
import subprocess
import tempfile

from vigiltest.case import ServerCase, main
from vigiltest.clients import ENVELOPE, metrics
from vigiltest.process import wait_until
from vigiltest.raw import Raw, request

SESSION = "/authentication/v1/session"
SUBMIT = "/events/v2/event"
BULK = "/events/v2/event/bulk"
SEARCH = "/events/v1/aggregated/search"


class Http1(ServerCase):
    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()

    def open(self, **options):
        raw = Raw(self.server.port, **options)
        self.addCleanup(raw.close)
        return raw

    def ask(self, data, **options):
        """The first answer on a new connection."""
        raw = self.open()
        raw.send(data)
        return raw.answer(**options)

    def get(self, target, **options):
        return self.ask(request("GET", target, self.key, **options))


class Connections(Http1):
    def test_keep_alive_answers_many_requests(self):
        raw = self.open()
        for at in range(50):
            raw.send(request("GET", SESSION, self.key))
            answer = raw.answer()
            self.assertEqual((answer.status, list(answer.json)), (200, ENVELOPE), at)
            self.assertNotIn("close", answer.headers.get("connection", ""))

    def test_pipelined_requests_are_answered_in_order(self):
        raw = self.open()
        raw.send(b"".join(
            request("POST", SUBMIT, self.key, json.dumps({"id": {"timestamp": 1000 + at}})) +
            request("GET", f"/events/v1/AGGR/1/1/none-{at}", self.key) for at in range(40)))
        for at in range(40):
            answer = raw.answer()
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(answer.data["id"].split("/")[1], str(1000 + at))
            answer = raw.answer()
            self.assertEqual(answer.status, 404, answer)
            self.assertIn(f"none-{at}", answer.json["messages"][0]["parameter"])

    def test_a_request_in_pieces_of_one_byte(self):
        raw = self.open()
        raw.send_slowly(request("POST", SUBMIT, self.key, '{"signature": "slow"}'), 1)
        self.assertEqual(raw.answer().status, 201)

    def test_connection_close_is_obeyed(self):
        raw = self.open()
        raw.send(request("GET", SESSION, self.key, headers=["Connection: close"]))
        answer = raw.answer()
        self.assertEqual((answer.status, answer.headers["connection"]), (200, "close"))
        self.assertTrue(raw.is_closed())

    def test_half_close_after_a_request_still_gets_the_answer(self):
        raw = self.open()
        raw.send(request("GET", SESSION, self.key))
        raw.socket.shutdown(1)
        self.assertEqual(raw.answer().status, 200)
        self.assertTrue(raw.is_closed())

    def test_http_1_0_closes_unless_asked_not_to(self):
        raw = self.open()
        raw.send(f"GET {SESSION} HTTP/1.0\r\nArgus-API-Key: {self.key}\r\n\r\n")
        self.assertEqual(raw.answer().status, 200)
        self.assertTrue(raw.is_closed())
        raw = self.open()
        for _ in range(2):
            raw.send(f"GET {SESSION} HTTP/1.0\r\nArgus-API-Key: {self.key}\r\nConnection: keep-alive\r\n\r\n")
            answer = raw.answer()
            self.assertEqual((answer.status, answer.headers["connection"].lower()), (200, "keep-alive"))

    def test_http_1_0_gets_no_chunks(self):
        raw = self.open()
        body = '{"startTimestamp": 0, "limit": 0}'
        raw.send(f"POST {SEARCH} HTTP/1.0\r\nArgus-API-Key: {self.key}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        answer = raw.answer()
        self.assertNotIn("transfer-encoding", answer.headers)
        self.assertEqual((answer.status, list(answer.json)), (200, ENVELOPE))

    def test_an_upgrade_to_h2c_is_ignored(self):
        answer = self.get(SESSION, headers=["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                            "HTTP2-Settings: AAMAAABkAAQAAP__"])
        self.assertEqual(answer.status, 200)

    def test_blank_lines_before_a_request_are_skipped(self):
        raw = self.open()
        raw.send(b"\r\n\r\n" + request("GET", SESSION, self.key))
        self.assertEqual(raw.answer().status, 200)


class Turns(Http1):
    settings = ("workers=1",)

    def stands_still(self):
        threads = pathlib.Path(f"/proc/{self.server.process.pid}/task").iterdir()
        return all((thread / "stat").read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)

    def test_requests_sent_ahead_wait_for_others(self):
        """What both sent lies there when the loop looks: the one request is answered among the first of the two thousand."""
        crowd, single = self.open(), self.open()
        for raw in (crowd, single):
            raw.send(request("GET", "/healthz"))
            raw.answer()
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(self.stands_still, what="a server that stands still")
            crowd.send(request("GET", "/healthz") * 2000)
            single.send(request("GET", "/metrics"))
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        text = single.answer().body.decode()
        served = int(re.search(r"^vigil_http1_requests_total (\d+)$", text, re.MULTILINE)[1])
        self.assertLess(served, 2 + 100, "sixteen in a turn, and few turns")
        for _ in range(2000):
            self.assertEqual(crowd.answer().status, 200)


class Bodies(Http1):
    def submit(self, head, body):
        raw = self.open()
        raw.send(f"POST {SUBMIT} HTTP/1.1\r\nHost: v\r\nArgus-API-Key: {self.key}\r\n".encode() + head + b"\r\n\r\n" + body)
        return raw

    def chunked(self, body, head=b"Transfer-Encoding: chunked"):
        return self.submit(head, body)

    def search(self, timeout, key=...):
        return self.ask(request("POST", SEARCH, self.key if key is ... else key, '{"startTimestamp": 0}',
                                headers=[f"Grpc-Timeout: {timeout}"]))

    def test_chunked_body(self):
        for body in (b'15\r\n{"signature": "chunk"\r\n1\r\n}\r\n0\r\n\r\n',
                     b'00000016;extension=1\r\n{"signature": "chunk"}\r\n0\r\nTrailer: x\r\n\r\n',
                     b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"signature": "chunk"}') + b"0\r\n\r\n"):
            raw = self.chunked(body)
            self.assertEqual(raw.answer().status, 201, body)
            raw.send(request("GET", SESSION, self.key))
            self.assertEqual(raw.answer().status, 200, "the connection goes on behind the last chunk")

    def test_bad_chunks_end_the_connection(self):
        for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n", b"fffffffffffffffff\r\n{}", b"2\r\n{}{}\r\n0\r\n\r\n"):
            with self.subTest(body=body):
                raw = self.chunked(body)
                self.assert_error(raw.answer(), 400, "bad.http")
                self.assertTrue(raw.is_closed())

    def test_content_length_and_transfer_encoding_are_refused(self):
        raw = self.submit(b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n")
        answer = raw.answer()
        self.assert_error(answer, 400, "bad.http")
        self.assertTrue(raw.is_closed())
        raw = self.submit(b"Transfer-Encoding: chunked\r\nContent-Length: 2", b"2\r\n{}\r\n0\r\n\r\n")
        self.assert_error(raw.answer(), 400, "bad.http")

    def test_two_lengths_or_a_bad_one_are_refused(self):
        for head in (b"Content-Length: 2\r\nContent-Length: 3", b"Content-Length: -2", b"Content-Length: 2x",
                     b"Content-Length: 99999999999999999999999", b"Transfer-Encoding: gzip, chunked, identity"):
            with self.subTest(head=head):
                self.assert_error(self.submit(head, b"{}").answer(), 400, "bad.http")

    def test_expect_100_continue(self):
        body = b'{"signature": "expected"}'
        raw = self.submit(b"Expect: 100-continue\r\nContent-Length: %d" % len(body), b"")
        self.assertEqual(raw.answer().status, 100)
        raw.send(body)
        self.assertEqual(raw.answer().status, 201)

    def test_expect_without_a_key_is_answered_at_once(self):
        raw = self.open()
        raw.send(request("POST", SUBMIT, None, headers=["Expect: 100-continue", "Content-Length: 1000000"]))
        self.assert_error(raw.answer(), 401, "user.not.authenticated")

    def test_a_body_that_never_ends_behind_an_early_answer(self):
        """It is not waited for: the answer comes, the last of its connection, then the end, and nothing is kept."""
        before = metrics(self.server.port)["vigil_connections_open"]
        for field, part in (("Content-Length: 10", b"{}"), ("Transfer-Encoding: chunked", b"5\r\n{}")):
            raw = self.open()
            raw.send(request("POST", SEARCH, headers=(field,)) + part)
            answer = raw.answer()
            self.assertEqual((answer.status, answer.headers["connection"]), (401, "close"))
            self.assertTrue(raw.is_closed())
        wait_until(lambda: metrics(self.server.port)["vigil_connections_open"] <= before, what="both are let go")

    def test_a_timeout_of_the_client_holds(self):
        name = ('grpc_server_handled_total{grpc_type="unary",grpc_service="vigil.events.v1.EventService",'
                'grpc_method="SearchAggregated",grpc_code="DeadlineExceeded"}')
        before = metrics(self.server.port).get(name, 0)
        for timeout in ("1n", "0S") * 10:
            self.assert_error(self.search(timeout), 503, "service.timeout")
        wait_until(lambda: metrics(self.server.port).get(name, 0) == before + 20, what="they are counted as what they were")
        for timeout in ("10S", "99999999H", "9999m"):
            self.assertEqual(self.search(timeout).status, 200)
        for timeout in ("", "1", "S", "123456789S", "-1S", "1x", "1S, 2S"):
            self.assert_error(self.search(timeout), 412, "invalid.json.field.value", "Grpc-Timeout")
        self.assert_error(self.search("1x", key=None), 401, "user.not.authenticated")

    def test_content_type_is_not_checked(self):
        for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", "nonsense"):
            answer = self.ask(request("POST", SUBMIT, self.key, '{"signature": "typed"}',
                                      headers=[f"Content-Type: {kind}", "content: application/json"]))
            self.assertEqual(answer.status, 201, kind)

    def test_curl_d_sends_a_form_type_and_works(self):
        run = subprocess.run(["curl", "-sSv", "-H", f"Argus-API-Key: {self.key}", "-d", '{"signature": "a=b&c"}',
                              f"http://127.0.0.1:{self.server.port}{SUBMIT}"], capture_output=True, check=True)
        self.assertIn(b"application/x-www-form-urlencoded", run.stderr)
        self.assertEqual(json.loads(run.stdout)["responseCode"], 201)

    def test_a_byte_order_mark_is_skipped(self):
        self.assertEqual(self.ask(request("POST", SUBMIT, self.key, b'\xef\xbb\xbf{"signature": "mark"}')).status, 201)

    def test_an_empty_body_is_412(self):
        self.assert_error(self.ask(request("POST", SUBMIT, self.key, "")), 412, "invalid.json.request")
        self.assert_error(self.ask(request("POST", SUBMIT, self.key)), 412, "invalid.json.request")

    def test_a_body_on_get_is_read_over(self):
        raw = self.open()
        raw.send(request("GET", SESSION, self.key, '{"what": "is this"}') + request("GET", SESSION, self.key))
        self.assertEqual([raw.answer().status, raw.answer().status], [200, 200])


class Methods(Http1):
    def test_the_documents_of_the_interface(self):
        document = self.ask(request("GET", "/openapi/events.json", None))
        self.assertEqual(document.status, 200)
        self.assertIn("/events/v1/aggregated/search", document.json["paths"])
        self.assertEqual(self.ask(request("GET", "/openapi/none.json", None)).status, 404)

    def test_head_is_get_without_a_body(self):
        raw = self.open()
        raw.send(request("GET", SESSION, self.key))
        got = raw.answer()
        raw.send(request("HEAD", SESSION, self.key))
        head = raw.answer(has_body=False)
        self.assertEqual(head.status, 200)
        self.assertEqual(head.headers["content-type"], got.headers["content-type"])
        self.assertEqual(set(head.headers), set(got.headers))
        raw.send(request("GET", SESSION, self.key))
        self.assertEqual(raw.answer().status, 200, "nothing of a body stood in between")

    def test_head_of_an_error(self):
        raw = self.open()
        raw.send(request("HEAD", "/nowhere", self.key) + request("GET", SESSION, self.key))
        self.assertEqual(raw.answer(has_body=False).status, 404)
        self.assertEqual(raw.answer().status, 200)

    def test_options_tells_the_methods(self):
        for target, allow in ((SESSION, {"GET", "HEAD", "OPTIONS"}), (BULK, {"POST", "OPTIONS"}),
                              (SUBMIT, {"GET", "HEAD", "POST", "OPTIONS"}),
                              ("/admin/v1/customers", {"GET", "HEAD", "POST", "OPTIONS"})):
            raw = self.open()
            raw.send(request("OPTIONS", target))
            answer = raw.answer()
            self.assertEqual((answer.status, set(answer.headers["allow"].split(", "))), (204, allow))
            self.assertNotIn("content-length", answer.headers, "RFC 9110 8.6: none in a 204")
            raw.send(request("GET", SESSION, self.key))
            self.assertEqual(raw.answer().status, 200)
        self.assert_error(self.ask(request("OPTIONS", "/nowhere")), 404, "url.not.exist")

    def test_a_wrong_method_is_405_with_allow(self):
        for verb, target, allow in (("DELETE", SESSION, {"GET", "HEAD", "OPTIONS"}), ("GET", BULK, {"POST", "OPTIONS"}),
                                    ("PUT", SEARCH, {"POST", "OPTIONS"}),
                                    ("PATCH", "/admin/v1/users", {"GET", "HEAD", "POST", "OPTIONS"})):
            answer = self.ask(request(verb, target, self.key, "{}"))
            self.assert_error(answer, 405, "method.not.allowed")
            self.assertEqual(set(answer.headers["allow"].split(", ")), allow)

    def test_405_comes_before_401(self):
        self.assert_error(self.ask(request("DELETE", SESSION)), 405, "method.not.allowed")
        self.assert_error(self.ask(request("GET", "/nowhere")), 404, "url.not.exist")

    def test_an_unknown_method_word_is_refused(self):
        self.assertIn(self.ask(request("BREW", SESSION, self.key)).status, (400, 405))


class Targets(Http1):
    def test_one_trailing_slash_is_ignored(self):
        self.assertEqual(self.get(SESSION + "/").status, 200)
        self.assertEqual(self.get(SESSION + "/?x=1").status, 200)
        self.assert_error(self.get(SESSION + "//"), 404, "url.not.exist")

    def test_doubled_slashes_and_dots_are_404(self):
        for target in ("//authentication/v1/session", "/authentication//v1/session", "/authentication/./v1/session",
                       "/authentication/v1/../v1/session", "/", "/events", "/events/v1", "/Authentication/v1/session"):
            with self.subTest(target=target):
                self.assert_error(self.get(target), 404, "url.not.exist")

    def test_segments_are_split_before_they_are_decoded(self):
        self.assertEqual(self.get("/authentication/v1/%73ession").status, 200)
        self.assert_error(self.get("/authentication%2Fv1/session"), 404, "url.not.exist")
        self.assert_error(self.get("/events/v1/AGGR/1/1/a%2Fb"), 412, "invalid.url.parameter")

    def test_a_bad_escape_is_412(self):
        for target in ("/authentication/v1/%", "/authentication/v1/%7", "/authentication/v1/%zz",
                       "/events/v1/AGGR/1/1/%GG"):
            with self.subTest(target=target):
                self.assert_error(self.get(target), 412, "invalid.url.parameter")
        self.assert_error(self.get("/events/v1/aggregated?limit=%4"), 412, "invalid.url.parameter")

    def test_nul_and_invalid_utf8_in_a_path_are_412(self):
        for target in ("/events/v1/AGGR/1/1/%00", "/events/v1/AGGR/1/1/%ff%fe", "/events/v1/AGGR/1/1/%C0%AF"):
            with self.subTest(target=target):
                self.assert_error(self.get(target), 412, "invalid.url.parameter")

    def test_query_rules(self):
        for query, status in (("limit=3", 200), ("limit=", 200), ("unknown=1&limit=3", 200), ("limit=%33", 200),
                              ("startTimestamp=now+-+1+month", 200), ("startTimestamp=now%20-%201%20month", 200),
                              ("startTimestamp=now+1day", 412), ("startTimestamp=now%2B1day", 200), ("limit=x", 412),
                              ("limit=-1", 412), ("limit=100000", 200), ("limit=100001", 412), ("offset=-1", 412),
                              ("customerID=1&customerID=2", 200), ("customerID=1,2", 412), ("", 200), ("&&=&", 200)):
            with self.subTest(query=query):
                answer = self.get("/events/v1/aggregated?" + query)
                self.assertEqual(answer.status, status, answer)
                if status == 412:
                    self.assertEqual(answer.template, "invalid.url.parameter")

    def test_absolute_form(self):
        for target in (f"http://localhost{SESSION}", f"HTTP://[::1]:80{SESSION}?x=1"):
            self.assertEqual(self.get(target).status, 200, target)
        self.assert_error(self.get("http://localhost"), 404, "url.not.exist")

    def test_unknown_path_of_another_length(self):
        self.assert_error(self.get("/a" * 100), 404, "url.not.exist")


class Heads(Http1):
    def test_bare_line_feeds_are_refused(self):
        raw = self.open()
        raw.send(f"GET {SESSION} HTTP/1.1\nHost: v\nArgus-API-Key: {self.key}\n\n")
        self.assert_error(raw.answer(), 400, "bad.http")
        self.assertTrue(raw.is_closed())

    def test_broken_heads_are_refused(self):
        good = f"Argus-API-Key: {self.key}\r\n"
        for head in (f"GET {SESSION}\r\n\r\n", f"GET {SESSION} X HTTP/1.1\r\nHost: v\r\n\r\n",
                     f"GET {SESSION} HTTP/1.1\r\nHost: v\r\n{good}Name : x\r\n\r\n",
                     f"GET {SESSION} HTTP/1.1\r\nHost: v\r\n{good}No colon\r\n\r\n",
                     f"GET {SESSION} HTTP/1.1\r\nHost: v\r\n{good}A: b\0c\r\n\r\n",
                     f"GET {SESSION} HTTP/9.9\r\nHost: v\r\n{good}\r\n", f"GET {SESSION} JUNK/1.1\r\n\r\n",
                     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.subTest(head=head[:60]):
                raw = self.open()
                raw.send(head.encode("latin-1"))
                self.assert_error(raw.answer(), 400, "bad.http")
                self.assertTrue(raw.is_closed())

    def test_exactly_one_host(self):
        for hosts in ("", "Host: a\r\nHost: b\r\n"):
            raw = self.open()
            raw.send(f"GET {SESSION} HTTP/1.1\r\n{hosts}Argus-API-Key: {self.key}\r\n\r\n")
            self.assert_error(raw.answer(), 400, "bad.http")

    def test_header_names_are_case_insensitive_and_values_trimmed(self):
        raw = self.open()
        raw.send(f"GET {SESSION} HTTP/1.1\r\nhOST: v\r\nARGUS-API-KEY:\t {self.key} \t\r\n\r\n")
        self.assertEqual(raw.answer().status, 200)

    def fields(self, count):
        return [f"X-{at}: y" for at in range(count)]

    def test_header_count_at_its_limit_and_past_it(self):
        # Host and the key are two of the hundred.
        self.assertEqual(self.get(SESSION, headers=self.fields(98)).status, 200)
        answer = self.get(SESSION, headers=self.fields(99))
        self.assert_error(answer, 431, "headers.too.large")

    def test_header_bytes_at_their_limit_and_past_it(self):
        self.assertEqual(self.get(SESSION, headers=["X: " + "y" * 15000]).status, 200)
        raw = self.open()
        raw.send(request("GET", SESSION, self.key, headers=["X: " + "y" * 20000]))
        self.assert_error(raw.answer(), 431, "headers.too.large")
        raw = self.open()
        raw.send(request("GET", SESSION + "?" + "y" * 20000, self.key))
        self.assert_error(raw.answer(), 414, "url.too.long")

    def test_errors_are_the_envelope(self):
        for data in (request("GET", "/nowhere"), request("GET", SESSION), b"junk\r\n\r\n",
                     request("POST", SUBMIT, self.key, "{")):
            answer = self.ask(data)
            self.assertEqual(list(answer.json), ENVELOPE)
            self.assertEqual(answer.json["responseCode"], answer.status)
            message = answer.json["messages"][0]
            self.assertEqual(list(message), ["message", "messageTemplate", "type", "field", "parameter", "timestamp"])
            self.assertEqual(answer.headers["content-type"].lower(), "application/json; charset=utf-8")


class BothVersions(Http1):
    """The same request over HTTP/1.1 and HTTP/2 gives the same bytes."""

    @classmethod
    def arrange(cls):
        super().arrange()
        raw = Raw(cls.server.port)
        cls.ids = []
        for at in range(30):
            raw.send(request("POST", SUBMIT, cls.key, json.dumps(
                {"signature": f"both-ø-{at}", "id": {"timestamp": 1567288800000 + at},
                 "properties": {"p": "x" * 3000}, "source": {"ip": "2001:db8::1/64"}})))
            cls.ids.append(raw.answer().data["id"])
        raw.close()

    def curl(self, version, target, *words):
        with tempfile.NamedTemporaryFile() as head:
            run = subprocess.run(["curl", "-sS", version, "-H", f"Argus-API-Key: {self.key}", "-D", head.name,
                                  "--globoff", *words, f"http://127.0.0.1:{self.server.port}{target}"],
                                 capture_output=True, check=True)
            lines = head.read().decode().strip().split("\r\n")
        skipped = ("date", "content-length", "transfer-encoding", "connection", "x-request-id")
        headers = {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines[1:] if ": " in line}
        kept = {name: value for name, value in headers.items() if name not in skipped}
        return lines[0].split(" ")[1], kept, run.stdout

    def test_same_bytes(self):
        cases = [(f"/events/v1/{self.ids[0]}",), (f"/events/v2/event/{self.ids[1]}?includeAllProperties=true",),
                 ("/events/v1/aggregated?limit=5&startTimestamp=0",), ("/events/v1/aggregated?limit=0&startTimestamp=0",),
                 (SEARCH, "-d", '{"startTimestamp": 0, "limit": 30, "sortBy": "timestamp"}'),
                 ("/currentuser/v1/user",), ("/admin/v1/customers",), (SUBMIT, "-X", "OPTIONS")]
        for case in cases:
            with self.subTest(target=case[0]):
                one = self.curl("--http1.1", *case)
                two = self.curl("--http2-prior-knowledge", *case)
                self.assertEqual(one, two)
                self.assertIn(one[0], ("200", "204"))

    def test_same_errors(self):
        for case in (("/nowhere",), (SESSION, "-X", "DELETE"), (SEARCH, "-d", "{}"), (SUBMIT, "-d", '{"x": 1}'),
                     (SUBMIT, "-d", "{"), ("/events/v1/AGGR/1/1/a%00",)):
            with self.subTest(target=case):
                answers = []
                for version in ("--http1.1", "--http2-prior-knowledge"):
                    status, headers, body = self.curl(version, *case)
                    document = json.loads(body)
                    for message in document["messages"]:
                        message["timestamp"] = 0
                    answers.append((status, headers, json.dumps(document)))
                self.assertEqual(answers[0], answers[1])

    def test_head_over_both(self):
        one = self.curl("--http1.1", f"/events/v1/{self.ids[0]}", "-I")
        two = self.curl("--http2-prior-knowledge", f"/events/v1/{self.ids[0]}", "-I")
        self.assertEqual((one[0], one[1]), (two[0], two[1]))
        self.assertEqual(one[0], "200")


class Probes(Http1):
    def test_health_ready_and_metrics_need_no_key(self):
        for target, text in (("/healthz", b"ok"), ("/readyz", b"ready"), ("/metrics", b"grpc_server_started_total")):
            answer = self.ask(request("GET", target))
            self.assertEqual(answer.status, 200)
            self.assertIn(text, answer.body)
            self.assertTrue(answer.headers["content-type"].startswith("text/plain"))


if __name__ == "__main__":
    main()
