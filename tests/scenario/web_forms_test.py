"""gRPC-Web and the Connect protocol on a real server: made from the method table, every unary method gets the same request as
gRPC, gRPC-Web, Connect with JSON and Connect with protobuf, and answers the same message or the same reason. Then what the
Connect protocol asks for besides, pages of browsers, and TLS.
"""
import base64
import gzip
import http.client
import json
import pathlib
import struct
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import samples  # noqa: E402
from parity_test import settled  # noqa: E402
from vigiltest import contract, documented_json  # noqa: E402
from vigiltest.case import ServerCase, main  # noqa: E402
from vigiltest.certificates import Authority, require_openssl  # noqa: E402
from vigiltest.clients import Grpc, GrpcError, Rest  # noqa: E402
from vigiltest.directory import Directory  # noqa: E402
from vigiltest.documented_json import without_absent  # noqa: E402
from vigiltest.process import wait_until  # noqa: E402
from vigiltest.raw import H2, Raw, request  # noqa: E402
from google.protobuf import descriptor_pb2, json_format  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402

METHODS = [method for method in contract.methods() if not method.is_streaming]
SEARCH = "/vigil.events.v2.EventService/SearchEvents"
SUBMIT = "/vigil.events.v2.EventService/SubmitEvent"
USER = "/vigil.account.v1.AccountService/GetCurrentUser"
CHECK = "/grpc.health.v1.Health/Check"
STREAM = "/vigil.events.v2.EventService/StreamEvents"
JSON, PROTO = "application/json", "application/proto"
PAGE, OTHER_PAGE = "https://soc.example", "https://else.example"
STATUS = {"CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504, "NOT_FOUND": 404,
          "ALREADY_EXISTS": 409, "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 400,
          "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501, "INTERNAL": 500, "UNAVAILABLE": 503, "DATA_LOSS": 500,
          "UNAUTHENTICATED": 401}


def without_durations(value):
    """How long a search took is another matter each time."""
    if isinstance(value, dict):
        return {name: without_durations(item) for name, item in value.items() if not name.endswith("Ns")}
    return [without_durations(item) for item in value] if isinstance(value, list) else value


def reads(method):
    options = descriptor_pb2.MethodOptions()
    descriptor = next(row for module in contract._LOADED.values() for service in module.DESCRIPTOR.services_by_name.values()
                      for row in service.methods if f"{service.full_name}/{row.name}" == method.full_name)
    options.CopyFrom(descriptor.GetOptions())
    return options.idempotency_level == descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS


class Outcome:
    """The message, or the reason of a failure with its code and fields."""

    def __init__(self, message=None, code=None, reason=None, fields=None):
        self.message, self.code, self.reason, self.fields = message, code, reason, fields

    def __eq__(self, other):
        return (self.code, self.reason, self.fields) == (other.code, other.reason, other.fields)

    def __repr__(self):
        return f"<{self.code or 'OK'} {self.reason} {self.fields} {self.message!r}>"


def from_details(code, details):
    """An Outcome of (type, bytes)."""
    outcome = Outcome(code=code, fields=[])
    for kind, value in details:
        if kind == "google.rpc.ErrorInfo":
            outcome.reason = error_details_pb2.ErrorInfo.FromString(value).reason
        elif kind == "google.rpc.BadRequest":
            outcome.fields = [row.field for row in error_details_pb2.BadRequest.FromString(value).field_violations]
    return outcome


def unpadded(text):
    return base64.b64decode(text + "=" * (-len(text) % 4))


class Forms(ServerCase):
    """What all classes ask with."""

    settings = (f"cors_origins={PAGE}",)
    number = 9000

    @classmethod
    def arrange(cls):
        cls.admin = cls.server.admin_key()
        cls.grpc = Grpc(cls.server.port, cls.admin)
        cls.addClassCleanup(cls.grpc.close)

    def ask(self, path, body=b"", kind=JSON, key=..., verb="POST", headers=()):
        """An answer over HTTP/1.1, on a connection of its own."""
        key = self.admin if key is ... else key
        raw = Raw(self.server.port)
        types = [f"Content-Type: {kind}"] if kind else []
        try:
            raw.send(request(verb, path, key, None if verb in ("GET", "HEAD", "OPTIONS") else body, [*types, *headers]))
            return raw.answer(has_body=verb != "HEAD")
        finally:
            raw.close()

    def ask_h2(self, path, body=b"", kind=JSON, key=..., verb="POST", headers=()):
        key = self.admin if key is ... else key
        client = H2(self.server.port)
        own = [] if key is None else [("argus-api-key", key)]
        own += [("content-type", kind)] if kind else []
        own += [tuple(line.lower().split(": ", 1)) for line in headers]
        try:
            stream = client.open(path, verb, own, end=verb != "POST")
            if verb == "POST":
                client.send(stream, body, end=True)
            row = client.finish(stream)
            answer = type("Answer", (), {})()
            answer.status, answer.headers, answer.body = int(row["headers"][":status"]), row["headers"], row["body"]
            return answer
        finally:
            client.close()

    def connect_error(self, answer):
        self.assertEqual(answer.headers["content-type"], JSON, answer)
        error = json.loads(answer.body)
        code = {"canceled": "CANCELLED"}.get(error["code"], error["code"].upper())
        self.assertEqual(answer.status, STATUS[code], answer)
        details = [(row["type"], unpadded(row["value"])) for row in error["details"]]
        outcome = from_details(code, details)
        info = next(row["debug"] for row in error["details"] if row["type"] == "google.rpc.ErrorInfo")
        self.assertEqual(info, {"reason": outcome.reason, "domain": "vigil"})
        bad = next((row["debug"] for row in error["details"] if row["type"] == "google.rpc.BadRequest"), None)
        self.assertEqual([row["field"] for row in bad["fieldViolations"]] if bad else [], outcome.fields)
        return outcome

    def by_connect(self, ask, method, message, kind, key=..., verb="POST"):
        text = json_format.MessageToJson(message).encode() if kind == JSON else message.SerializeToString()
        if verb == "GET":
            query = {"connect": "v1", "encoding": kind[12:], "base64": "1",
                     "message": base64.urlsafe_b64encode(text).decode().rstrip("=")}
            answer = ask(f"{method.path}?{urllib.parse.urlencode(query)}", kind=None, key=key, verb="GET")
        else:
            answer = ask(method.path, text, kind, key)
        if answer.status != 200:
            return self.connect_error(answer)
        self.assertEqual(answer.headers["content-type"], kind)
        found = method.answer()
        if kind == JSON:
            json_format.Parse(answer.body, found)
        else:
            found.MergeFromString(answer.body)
        return Outcome(message=found)

    def by_grpc_web(self, ask, method, message, key=..., kind="application/grpc-web+proto"):
        data = message.SerializeToString()
        body = struct.pack("!BI", 0, len(data)) + data
        is_text = "text" in kind
        answer = ask(method.path, base64.b64encode(body) if is_text else body, kind, key)
        self.assertEqual(answer.status, 200, answer)
        said, data = answer.headers, base64.b64decode(answer.body) if is_text else answer.body
        found = None
        while data:
            flag, size = struct.unpack("!BI", data[:5])
            if flag & 0x80:
                said = dict(line.split(": ", 1) for line in data[5:].decode().split("\r\n")[:-1])
                break
            found, data = method.answer.FromString(data[5:5 + size]), data[5 + size:]
        code = int(said["grpc-status"])
        if code == 0:
            return Outcome(message=found)
        status = status_pb2.Status.FromString(unpadded(said["grpc-status-details-bin"]))
        names = {row.value[0]: row.name for row in __import__("grpc").StatusCode}
        return from_details(names[code], [(row.type_url.rsplit("/", 1)[-1], row.value) for row in status.details])

    def by_grpc(self, method, message, key=...):
        try:
            return Outcome(message=self.grpc.call(method.full_name, message, key=key))
        except GrpcError as error:
            return Outcome(code=error.code, reason=error.reason, fields=error.fields)


class Parity(Forms):
    @classmethod
    def arrange(cls):
        super().arrange()
        cls.rest = Rest(cls.server.port, cls.admin)
        directory = Directory(cls.server)
        cls.key_ids = samples.furnish(directory, cls.rest)
        cls.poor = directory.key("acme-user", ["SAMPLEDB-UPLOADER"])
        for part in (cls.rest, directory):
            cls.addClassCleanup(part.close)

    def make(self, sample):
        Parity.number += 1
        mark = f"mark{Parity.number}x"
        return samples.request_of(sample, self.key_ids, mark, Parity.number), (mark, Parity.number)

    def ways(self, method):
        """(name, function of message and key) of every way but gRPC."""
        ways = [("gRPC-Web", lambda message, key: self.by_grpc_web(self.ask, method, message, key)),
                ("gRPC-Web text over HTTP/2", lambda message, key: self.by_grpc_web(
                    self.ask_h2, method, message, key, "application/grpc-web-text+proto")),
                ("Connect JSON", lambda message, key: self.by_connect(self.ask, method, message, JSON, key)),
                ("Connect proto over HTTP/2", lambda message, key: self.by_connect(self.ask_h2, method, message, PROTO, key))]
        if reads(method):
            ways += [("Connect GET JSON over HTTP/2", lambda message, key: self.by_connect(
                self.ask_h2, method, message, JSON, key, "GET")),
                     ("Connect GET proto", lambda message, key: self.by_connect(
                         self.ask, method, message, PROTO, key, "GET"))]
        return ways

    def settle(self, outcome, marks):
        return without_durations(settled(without_absent(documented_json.from_message(outcome.message)), marks))

    def test_every_method_answers_the_same(self):
        for method in METHODS:
            sample = samples.SAMPLES[method.full_name]
            document, marks = self.make(sample)
            expected = self.by_grpc(method, documented_json.into_message(document, method.request()))
            self.assertIsNone(expected.code, f"{method}: {expected}")
            for name, way in self.ways(method):
                with self.subTest(method=method.full_name, way=name):
                    if "RevokeKey" not in method.name:
                        document, own = self.make(sample)
                    else:
                        own = marks
                    outcome = way(documented_json.into_message(document, method.request()), ...)
                    self.assertIsNone(outcome.code, outcome)
                    self.assertEqual(self.settle(outcome, own), self.settle(expected, marks))

    def test_every_method_fails_for_the_same_reason(self):
        for method in METHODS:
            sample = samples.SAMPLES[method.full_name]
            document, _ = self.make(sample)
            cases = [(document, None), (document, "no/1/key")]
            cases += [(document, self.poor)] if method.permissions else []
            cases += [(sample.bad[0], ...)] if sample.bad is not None else []
            for document, key in cases:
                message = documented_json.into_message(document, method.request())
                expected = self.by_grpc(method, message, key)
                self.assertIsNotNone(expected.reason, f"{method} {document} {key}")
                for name, way in self.ways(method):
                    with self.subTest(method=method.full_name, way=name, expected=expected.reason):
                        self.assertEqual(way(message, key), expected)

    def test_reads_are_marked_and_only_they(self):
        """A GET that changed something would be repeated by browsers and caches."""
        for method in METHODS:
            verbs = {route.verb for route in method.routes}
            with self.subTest(method=method.full_name):
                if "GET" in verbs:
                    self.assertTrue(reads(method))
                if verbs & {"PUT", "DELETE", "PATCH"} or method.name.startswith(("Add", "Submit", "Revoke", "Disable")):
                    self.assertFalse(reads(method))


class Connect(Forms):
    def test_json_is_the_standard_mapping(self):
        answer = self.ask(CHECK, b"{}", key=None)
        self.assertEqual((answer.status, json.loads(answer.body)), (200, {"status": "SERVING"}))
        answer = self.ask(SEARCH, b'{"limit": 2}')
        self.assertEqual(json.loads(answer.body)["count"], "0", "64 bits are text")

    def test_what_json_may_not_be(self):
        for body, reason in ((b"", "INVALID_JSON"), (b"{", "INVALID_JSON"), (b"[]", "INVALID_FIELD_TYPE"),
                             (b'{"foo": 1}', "UNKNOWN_FIELD"), (b'{"limit": "many"}', None), (b"\xff", "INVALID_JSON")):
            outcome = self.connect_error(self.ask(SEARCH, body))
            self.assertEqual(outcome.code, "INVALID_ARGUMENT", body)
            if reason is not None and body != b"[]":
                self.assertEqual(outcome.reason, reason, body)

    def test_types_that_are_not_taken(self):
        for kind in ("text/plain", "application/xml", None, "application/grpc"):
            answer = self.ask(SEARCH, b"{}", kind)
            self.assertEqual(answer.status, 415, kind)
            self.assertIn("application/json, application/proto", answer.headers["accept-post"])
        self.assertEqual(self.ask_h2(SEARCH, b"{}", "text/plain").status, 415)
        self.assertEqual(self.ask(STREAM, b"{}").status, 415, "a stream has types of its own")

    def test_verbs(self):
        for ask in (self.ask, self.ask_h2):
            answer = ask(SUBMIT + "?encoding=json&message=%7B%7D", kind=None, verb="GET")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST, OPTIONS"), "it changes something")
            answer = ask(SEARCH, kind=None, verb="DELETE") if ask == self.ask_h2 else ask(SEARCH, b"", None, verb="DELETE")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD, POST, OPTIONS"))
            answer = ask(SEARCH, kind=None, verb="OPTIONS")
            self.assertEqual((answer.status, answer.headers["allow"]), (204, "GET, HEAD, POST, OPTIONS"))
            answer = ask(STREAM, kind=None, verb="GET")
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "POST, OPTIONS"))

    def test_get_in_any_order_and_any_spelling(self):
        text = '{"limit": 3}'
        packed = base64.urlsafe_b64encode(gzip.compress(text.encode())).decode()
        padded = base64.urlsafe_b64encode(text.encode()).decode()
        for query in (f"connect=v1&encoding=json&message={urllib.parse.quote(text)}",
                      f"message={urllib.parse.quote_plus(text)}&encoding=json",
                      f"message={urllib.parse.quote(padded)}&other=1&base64=1&encoding=json",
                      f"base64=1&compression=gzip&encoding=json&message={urllib.parse.quote(packed)}",
                      f"base64=0&encoding=json&message={urllib.parse.quote(text)}&compression=identity",
                      "encoding=proto&message=&base64=1", "encoding=proto&message="):
            answer = self.ask(f"{SEARCH}?{query}", kind=None, verb="GET")
            self.assertEqual(answer.status, 200, (query, answer))
            self.assertEqual(answer.headers["cache-control"], "private, no-cache")
        answer = self.ask(f"{SEARCH}?encoding=json&message=%7B%7D", kind=None, verb="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertGreater(int(answer.headers["content-length"]), 0)

    def test_get_that_is_wrong(self):
        for query, code in (("encoding=json", "INVALID_ARGUMENT"), ("encoding=json&message=%7", "INVALID_ARGUMENT"),
                            ("encoding=json&message=a&message=b", "INVALID_ARGUMENT"),
                            ("encoding=json&message=*&base64=1", "INVALID_ARGUMENT"),
                            ("encoding=json&message=%7B%7D&connect=v2", "INVALID_ARGUMENT"),
                            ("encoding=proto&message=%ff", "INVALID_ARGUMENT"),
                            ("encoding=json&message=e30&base64=1&compression=br", "UNIMPLEMENTED"),
                            ("encoding=json&message=e30&base64=1&compression=gzip", "INVALID_ARGUMENT")):
            outcome = self.connect_error(self.ask(f"{SEARCH}?{query}", kind=None, verb="GET"))
            self.assertEqual(outcome.code, code, query)
        for query in ("message=%7B%7D", "encoding=xml&message=%7B%7D", ""):
            self.assertEqual(self.ask(f"{SEARCH}?{query}", kind=None, verb="GET").status, 415, query)

    def test_versions_and_timeouts(self):
        for headers, code in ((["Connect-Protocol-Version: 1"], None), (["Connect-Protocol-Version: 2"], "INVALID_ARGUMENT"),
                              (["Connect-Timeout-Ms: 9999999999"], None), (["Connect-Timeout-Ms: 20000"], None),
                              (["Connect-Timeout-Ms: 99999999999"], "INVALID_ARGUMENT"),
                              (["Connect-Timeout-Ms: -1"], "INVALID_ARGUMENT"), (["Connect-Timeout-Ms: 1s"], "INVALID_ARGUMENT"),
                              (["Connect-Timeout-Ms: 0"], "DEADLINE_EXCEEDED"), (["Connect-Timeout-Ms:"], "INVALID_ARGUMENT")):
            answer = self.ask(SEARCH, b"{}", headers=headers)
            if code is None:
                self.assertEqual(answer.status, 200, (headers, answer))
            else:
                self.assertEqual(self.connect_error(answer).code, code, headers)

    def test_encodings(self):
        body = gzip.compress(b'{"limit": 3}')
        answer = self.ask(SEARCH, body, headers=["Content-Encoding: gzip"])
        self.assertEqual(answer.status, 200, answer)
        self.assertNotIn("content-encoding", answer.headers, "it is small")
        self.assertEqual(self.ask(CHECK, b"", PROTO, headers=["Content-Encoding: gzip"]).status, 200, "nothing is nothing")
        for coding, data, code in (("gzip", b"{}", "INVALID_ARGUMENT"), ("br", b"{}", "UNIMPLEMENTED"),
                                   ("gzip", body[:-3], "INVALID_ARGUMENT"),
                                   ("gzip", gzip.compress(b" " * (64 << 20)), "RESOURCE_EXHAUSTED")):
            outcome = self.connect_error(self.ask(SEARCH, data, headers=[f"Content-Encoding: {coding}"]))
            self.assertEqual(outcome.code, code, (coding, data[:20]))

    def test_large_answers_are_compressed_for_those_who_like_that(self):
        rows = [{"signature": f"Signature-{i}"} for i in range(60)]
        for row in rows:
            self.assertEqual(self.ask(SUBMIT, json.dumps(row).encode()).status, 200)
        plain = self.ask(SEARCH, b'{"limit": 60}')
        self.assertEqual(len(json.loads(plain.body)["data"]), 60)
        for kind, body in ((JSON, b'{"limit": 60}'), (PROTO, b"")):
            answer = self.ask(SEARCH, body, kind, headers=["Accept-Encoding: br, gzip"])
            self.assertEqual(answer.headers["content-encoding"], "gzip")
            self.assertIn("accept-encoding", answer.headers["vary"])
            if kind == JSON:
                self.assertEqual(json.loads(gzip.decompress(answer.body)), json.loads(plain.body))
        asked = self.ask(SEARCH, gzip.compress(b'{"limit": 60}'), headers=["Content-Encoding: gzip"])
        self.assertEqual(asked.headers["content-encoding"], "gzip", "what the client uses it accepts")

    def test_limits(self):
        raw = Raw(self.server.port)  # it is refused by its length, before the body comes
        self.addCleanup(raw.close)
        raw.send(request("POST", SEARCH, self.admin, headers=[f"Content-Type: {JSON}", f"Content-Length: {5 << 20}"]))
        outcome = self.connect_error(raw.answer())
        self.assertEqual((outcome.code, outcome.reason), ("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE"))

    def test_unknown_methods(self):
        outcome = self.connect_error(self.ask("/vigil.events.v2.EventService/None", b"{}",
                                              headers=["Connect-Protocol-Version: 1"]))
        self.assertEqual((outcome.code, outcome.reason), ("UNIMPLEMENTED", "METHOD_NOT_FOUND"))
        self.assertEqual(self.ask("/vigil.events.v2.EventService/searchevents", b"{}").status, 404, "REST has no such URL")

    def test_bearer_and_trace(self):
        answer = self.ask(USER, b"{}", key=None, headers=[f"Authorization: Bearer {self.admin}", "X-Request-Id: r-7"])
        self.assertEqual((answer.status, answer.headers["x-request-id"]), (200, "r-7"))
        answer = self.ask(USER, b"{}", key=None)
        self.assertEqual((answer.status, answer.headers["www-authenticate"]), (401, "Bearer"))

    def test_the_log_says_how_a_call_came_and_what_it_was_answered(self):
        empty, web = b"\0\0\0\0\0", "application/grpc-web"
        rows = [("connect", USER, JSON, b"{}", self.admin, 200), ("connect", USER, JSON, b"{}", None, 401),
                ("connect", SEARCH, JSON, b'{"limit": -1}', self.admin, 400), ("connect", SEARCH, JSON, b'{"bogus": 1}', self.admin, 400),
                ("grpc-web", USER, web, empty, self.admin, 200), ("grpc-web", USER, web, empty, None, 200),
                ("grpc-web", USER, web + "-text", b"AAAAAAA=", self.admin, 200),
                ("connect", STREAM, "application/connect+proto", empty, self.admin, 200)]
        for number, (_, path, kind, body, key, status) in enumerate(rows):
            self.assertEqual(self.ask(path, body, kind, key, headers=[f"X-Request-Id: form-{number}"]).status, status, rows[number])
        lines = {}

        def all_are_there():
            for line in self.server.log_text().splitlines():
                if '"event":"access"' in line and '"request_id":"form-' in line:
                    row = json.loads(line)
                    lines[row["request_id"]] = (row["face"], row["status"])
            return len(lines) == len(rows)
        wait_until(all_are_there, what="a line for each")
        for number, row in enumerate(rows):
            self.assertEqual(lines[f"form-{number}"], (row[0], row[5]), row)

    def test_a_connection_serves_all_forms(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        for _ in range(3):
            raw.send(request("POST", CHECK, None, b"{}", ["Content-Type: application/json"]))
            self.assertEqual(raw.answer().status, 200)
            raw.send(request("POST", CHECK, None, b"AAAAAAA=", ["Content-Type: application/grpc-web-text"]))
            self.assertEqual(base64.b64decode(raw.answer().body[:12])[:7], b"\0\0\0\0\2\x08\x01")
            raw.send(request("GET", "/healthz"))
            self.assertEqual(raw.answer().status, 200)


class Pages(Forms):
    def test_a_preflight_names_what_a_page_may_send(self):
        headers = [f"Origin: {PAGE}", "Access-Control-Request-Method: POST",
                   "Access-Control-Request-Headers: content-type,x-grpc-web,connect-protocol-version"]
        for path in (SEARCH, STREAM):
            for ask in (self.ask, self.ask_h2):
                answer = ask(path, kind=None, verb="OPTIONS", key=None, headers=headers)
                self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (204, PAGE))
                allowed = answer.headers["access-control-allow-headers"].lower()
                for name in ("x-grpc-web", "grpc-timeout", "connect-protocol-version", "connect-timeout-ms", "content-type"):
                    self.assertIn(name, allowed)
                self.assertIn("POST", answer.headers["access-control-allow-methods"])

    def test_a_page_sees_the_status(self):
        data = b"\0\0\0\0\0"
        for kind, body in (("application/grpc-web", data), ("application/grpc-web-text", base64.b64encode(data)),
                           (JSON, b"{}")):
            for key in (..., None):
                answer = self.ask(USER, body, kind, key, headers=[f"Origin: {PAGE}"])
                self.assertEqual(answer.headers["access-control-allow-origin"], PAGE)
                exposed = answer.headers["access-control-expose-headers"].lower()
                for name in ("grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding"):
                    self.assertIn(name, exposed)
                self.assertIn("origin", answer.headers["vary"])

    def test_other_pages_are_told_nothing(self):
        for kind, body in (("application/grpc-web", b"\0\0\0\0\0"), (JSON, b"{}")):
            answer = self.ask(USER, body, kind, headers=[f"Origin: {OTHER_PAGE}"])
            self.assertFalse([name for name in answer.headers if name.startswith("access-control")])

    def test_names_that_may_lead_elsewhere_are_refused(self):
        for kind, body in (("application/grpc-web", b"\0\0\0\0\0"), (JSON, b"{}")):
            raw = Raw(self.server.port)
            self.addCleanup(raw.close)
            raw.send(request("POST", USER, self.admin, body, [f"Content-Type: {kind}"], host="rebound.example"))
            answer = raw.answer()
            if kind == JSON:
                self.assertEqual(self.connect_error(answer).reason, "HOST_NOT_ALLOWED")
            else:
                self.assertEqual(answer.headers["grpc-status"], "7")


class Tls(Forms):
    @classmethod
    def setUpClass(cls):
        require_openssl()
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.close)
        pair = cls.authority.make("server", "DNS:localhost,IP:127.0.0.1")
        cls.agent = cls.authority.make("agent", "URI:spiffe://test/agent")
        cls.settings = ("listen_tls=127.0.0.1:0", f"tls_certificates={pair[0]}", f"tls_keys={pair[1]}",
                        f"tls_client_ca={cls.authority.ca}", "tls_client_certificates=optional", f"cors_origins={PAGE}")
        super().setUpClass()

    @classmethod
    def arrange(cls):
        super().arrange()
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("own", 7)
        directory.user("robot", "own")
        directory.add("keys", user="robot", role=["EVENT-VIEWER"], certificate="uri:spiffe://test/agent")

    def secure(self, certificate=None):
        import ssl

        context = ssl.create_default_context(cafile=self.authority.ca)
        if certificate is not None:
            context.load_cert_chain(*certificate)
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.tls_port, context=context, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def test_both_over_tls(self):
        connection = self.secure()
        connection.request("POST", CHECK, b"{}", {"content-type": JSON})
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read())), (200, {"status": "SERVING"}))
        connection.request("POST", CHECK, b"\0\0\0\0\0", {"content-type": "application/grpc-web"})
        answer = connection.getresponse()
        body = answer.read()
        self.assertEqual((answer.status, body[:7]), (200, b"\0\0\0\0\2\x08\x01"))
        self.assertTrue(body.endswith(b"grpc-status: 0\r\n"), body)

    def test_a_foreign_page_does_not_use_the_certificate_of_its_visitor(self):
        for kind, body, refused in ((JSON, b"{}", (401, None)), ("application/grpc-web", b"\0\0\0\0\0", (200, "16"))):
            for origin, is_served in ((None, True), (PAGE, True), (OTHER_PAGE, False)):
                connection = self.secure(self.agent)
                headers = {"content-type": kind, **({"origin": origin} if origin else {})}
                connection.request("POST", USER, body, headers)
                answer = connection.getresponse()
                answer.read()
                found = (answer.status, answer.headers.get("grpc-status"))
                self.assertEqual(found, (200, None) if is_served else refused, (kind, origin))


if __name__ == "__main__":
    main()
