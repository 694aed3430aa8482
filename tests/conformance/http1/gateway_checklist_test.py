"""The checklist of a gateway between HTTP and JSON on one side and calls on the other: one test for each of its lines, here
or in the file that the table names. The lines about JSON have a second test, of both dialects.
"""
import ast
import json
import pathlib
import re
import socket
import threading
import unittest

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, wait_until
from vigiltest.raw import H2, Raw, request

TESTS = pathlib.Path(__file__).resolve().parents[2]
CASES = "/admin/v1/cases"
USERS = "/admin/v1/users"
SEARCH = "/events/v2/event/search"
SUBMIT = "/events/v2/event"
WATCH = "/events/v2/event/watch"
HTTP1, DIALECTS = "conformance/http1", "contract/json_dialects_test.py::Dialects."
LOWEST, HIGHEST = -2**63, 2**63 - 1
MIB = 1024 * 1024

# Line of the checklist: where it is tested; without a file, here.
CHECKLIST = {
    "every route is in OpenAPI and the reverse":
        [f"{HTTP1}/negotiation_test.py::Documents.test_every_route_is_in_the_document_and_nothing_else"],
    "path variable with %2F, %00, UTF-8, empty segment, ..": ["Paths.test_path_variables"],
    "verb :cancel": ["Paths.test_verbs", "contract/generator_test.py::Refusals.test_each_is_refused_with_its_sentences"],
    "query unknown, duplicate, wrong type": ["Paths.test_query_unknown_duplicate_and_of_wrong_type"],
    "int64 extremes round trip": ["Bodies.test_int64_extremes", "Tooling.test_int64_extremes", DIALECTS + "test_int64_extremes"],
    "field in path and body": ["Bodies.test_field_in_path_and_body"],
    "body on GET": ["Bodies.test_body_on_get"],
    "wrong type": ["scenario/bad_input_test.py::Values.test_each_row_over_rest", DIALECTS + "test_wrong_type"],
    "unknown field": ["Bodies.test_unknown_field", "Tooling.test_what_is_refused", DIALECTS + "test_unknown_field"],
    "null": ["Bodies.test_null", DIALECTS + "test_null"],
    "NaN": ["Bodies.test_nan", DIALECTS + "test_nan"],
    "base64 variants": ["Bodies.test_base64_variants", DIALECTS + "test_base64_variants"],
    "deep JSON": ["scenario/bad_input_test.py::Values.test_json_depth_at_its_limit_and_past_it", DIALECTS + "test_deep_json"],
    "empty body": ["Bodies.test_empty_body", DIALECTS + "test_empty_body"],
    "one member twice": ["Bodies.test_one_member_twice", DIALECTS + "test_one_member_twice"],
    "Content-Length + Transfer-Encoding": [f"{HTTP1}/http1_test.py::Bodies.test_content_length_and_transfer_encoding_are_refused",
                                           f"{HTTP1}/smuggling_test.py::Smuggling.test_framing"],
    "chunk extensions and overflow": [f"{HTTP1}/http1_test.py::Bodies.test_bad_chunks_end_the_connection",
                                      f"{HTTP1}/smuggling_test.py::Smuggling.test_chunks"],
    "Expect: 100-continue": [f"{HTTP1}/http1_test.py::Bodies.test_expect_100_continue"],
    "pipelining order": [f"{HTTP1}/http1_test.py::Connections.test_pipelined_requests_are_answered_in_order",
                         "Pipelines.test_slow_and_fast_keep_their_order", "Pipelines.test_what_waits_is_bounded"],
    "HEAD, OPTIONS, 405 with Allow": [f"{HTTP1}/http1_test.py::Methods.test_{name}" for name in (
        "head_is_get_without_a_body", "options_tells_the_methods", "a_wrong_method_is_405_with_allow")],
    "304, 412": [f"{HTTP1}/negotiation_test.py::Tags.test_{name}" for name in ("if_none_match", "if_match_on_a_change")],
    "gzip with ETag": [f"{HTTP1}/negotiation_test.py::Tags.test_a_compressed_answer_has_a_weak_tag"],
    "client disconnect cancels the call": ["Streams.test_client_that_goes_cancels_its_call"],
    "stream error after the first line is visible": ["Streams.test_error_after_the_first_line",
                                                     "scenario/event_watch_test.py::RestWatch.test_the_end_is_told"],
    "slow SSE reader": ["Streams.test_slow_reader_of_events",
                        "scenario/event_watch_test.py::RestWatch.test_who_does_not_read_holds_little"],
    "CORS preflight": [f"{HTTP1}/negotiation_test.py::Origins.test_preflight"],
    "the same request over HTTP/1.1 and HTTP/2 gives the same bytes": [f"{HTTP1}/http1_test.py::BothVersions.test_same_bytes"],
    "differential: JSON against python json_format": ["contract/round_trip_test.py::StandardDialect.test_random_messages_both_ways"],
}


def tests_of(path):
    """Class.test of every test that the file has."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f"{kind.name}.{item.name}" for kind in tree.body if isinstance(kind, ast.ClassDef)
            for item in kind.body if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")}


class Table(unittest.TestCase):
    def test_every_line_has_its_tests(self):
        for line, names in CHECKLIST.items():
            self.assertTrue(names, line)
            for name in names:
                file, _, test = name.rpartition("::")
                path = TESTS / file if file else pathlib.Path(__file__)
                self.assertIn(test, tests_of(path), line)
                self.assertTrue(file == "" or self.is_run(file), f"{file} is run by nothing")

    def is_run(self, file):
        lists = "".join((TESTS / folder / "CMakeLists.txt").read_text() for folder in (file.split("/")[0], pathlib.Path(file).parent))
        return re.search(rf"\b{pathlib.Path(file).name.removesuffix('_test.py')}\b", lists) is not None


class Gateway(ServerCase):
    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        cls.directory = Directory(cls.server)
        cls.addClassCleanup(cls.directory.close)
        cls.directory.customer("acme", 1001)
        cls.directory.user("agent", "acme")
        cls.key = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)

    def open(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        return raw

    def get(self, target):
        """By bytes: no client's library mends the target."""
        raw = self.open()
        raw.send(request("GET", target, self.key))
        answer = raw.answer()
        connection = H2(self.server.port)
        row = connection.finish(connection.open(target, "GET", [("argus-api-key", self.key)], end=True))
        connection.close()
        self.assertEqual(int(row["headers"][":status"]), answer.status, target)
        return answer


class Paths(Gateway):
    def test_path_variables(self):
        """A variable is one segment, decoded once; what it may be is the field's business."""
        for segment, value in (("a%2Fb", "a/b"), ("a%252Fb", "a%2Fb"), ("%2F", "/"), ("%C3%A6%C3%B8", "æø"),
                               ("%F0%9F%98%80", "\U0001F600"), ("%2E%2E", ".."), ("%2e", "."), ("%20", " "), ("a+b", "a+b"),
                               (";x=1", ";x=1"), ("a%3Fb%23", "a?b#"), ("%25", "%")):
            with self.subTest(segment):
                answer = self.get(f"{USERS}/{segment}")
                self.assert_error(answer, 404, "object.not.found")
                self.assertEqual(answer.json["messages"][0]["parameter"], value)
        for segment in ("%00", "a%00b", "%ff", "a%C3", "%C0%AF", "%ED%A0%80", "%", "%2", "%zz"):
            with self.subTest(segment):
                self.assert_error(self.get(f"{USERS}/{segment}"), 412, "invalid.url.parameter")
        for target in (f"{USERS}//disable", f"{USERS}//", f"{USERS}/..", f"{USERS}/.", f"{USERS}/../users/agent",
                       "/admin/v1//users/agent", f"{USERS}/./agent"):
            with self.subTest(target):
                self.assert_error(self.get(target), 404, "url.not.exist")
        self.assertEqual(self.get(f"{USERS}/%61gent").data["shortName"], "agent")
        self.assertEqual(self.get(f"{USERS}/").status, 200, "one slash at the end is none: the list")

    def test_verbs(self):
        """No route has a verb behind a colon, and none can (the generator refuses it): a colon is a character of its
        segment, as in the names of certificates.
        """
        for method in contract.methods():
            for route in method.routes:
                self.assertNotIn(":", route.path)
        for segment in ("agent:cancel", "agent%3Acancel", ":cancel", "agent:", "a:b:c"):
            answer = self.get(f"{USERS}/{segment}")
            self.assert_error(answer, 404, "object.not.found")
            self.assertEqual(answer.json["messages"][0]["parameter"], segment.replace("%3A", ":"))
        answer = self.rest.post(f"{USERS}/agent:disable", {})
        self.assert_error(answer, 405, "method.not.allowed")
        self.assertEqual(answer.headers["allow"], "GET, HEAD, OPTIONS")
        self.assertIsNone(self.get(f"{USERS}/agent").data.get("disabledTimestamp"), "nobody was disabled")

    def test_query_unknown_duplicate_and_of_wrong_type(self):
        self.assertEqual(self.get(f"{CASES}?nosuch=1&limit=3").json["limit"], 3, "what is unknown in a URL is read over")
        self.assertEqual(self.get(f"{CASES}?LIMIT=x&limit=3").json["limit"], 3, "case matters")
        self.assertEqual(self.get(f"{CASES}?limit=1&limit=2").json["limit"], 2, "of one value the last counts")
        self.assertEqual(self.get(f"{CASES}?limit=1&limit=%32").json["limit"], 2)
        self.assertEqual(self.get("/events/v1/aggregated?customerID=1&customerID=2").status, 200, "of a list all do")
        for value in ("x", "1.5", "0x10", "1e", "true", "99999999999999999999", "2147483648", "1,2", "%5B1%5D"):
            answer = self.get(f"{CASES}?limit={value}")
            self.assert_error(answer, 412, "invalid.url.parameter", "limit")
        self.assert_error(self.get("/events/v1/aggregated?customerID=1&customerID=x"), 412, "invalid.url.parameter", "customerID")


class Bodies(Gateway):
    def refused(self, body, template, field=None):
        answer = self.rest.post(CASES, body)
        self.assert_error(answer, 412, template, field)

    def add(self, number, **more):
        answer = self.rest.post(CASES, {"id": number, "customer": "acme", "subject": "of the checklist", **more})
        self.assertEqual(answer.status, 201, answer)
        return answer

    def test_int64_extremes(self):
        for value, form in ((HIGHEST, HIGHEST), (HIGHEST - 1, str(HIGHEST - 1)), (2**53 + 1, 2**53 + 1)):
            made = self.add(form)
            self.assertIn(b'"id":%d,' % value, made.body, "a number, every digit of it")
            self.assertEqual(made.data["id"], value)
            self.assertEqual(self.get(f"{CASES}/{value}").data["id"], value)
        for value in (HIGHEST + 1, LOWEST - 1, LOWEST, 10**30):
            self.refused({"id": value, "customer": "acme", "subject": "x"}, "invalid.json.field.value", "id")
            self.assert_error(self.get(f"{CASES}/{value}"), 412, "invalid.url.parameter", "caseID")

    def test_field_in_path_and_body(self):
        for value in ("agent", "admin", ""):
            answer = self.rest.post(f"{USERS}/agent/disable", {"user": value})
            self.assert_error(answer, 412, "unknown.json.field", "user")
        answer = self.rest.post(CASES + "?subject=of+the+query", {"id": 77, "customer": "acme", "subject": "of the body"})
        self.assertEqual((answer.status, answer.data["subject"]), (201, "of the body"), "a query says nothing to a whole body")
        self.assertIsNone(self.get(f"{USERS}/agent").data.get("disabledTimestamp"), "nobody was disabled")

    def test_body_on_get(self):
        raw = self.open()
        for body in (b'{"limit": 3}', b"not JSON", b"\0" * 5000):
            raw.send(request("GET", CASES + "?limit=7", self.key, body) + request("GET", CASES + "?limit=8", self.key))
            self.assertEqual([raw.answer().json["limit"], raw.answer().json["limit"]], [7, 8])
        connection = H2(self.server.port)
        stream = connection.open(CASES + "?limit=7", "GET", [("argus-api-key", self.key)])
        connection.send(stream, b'{"limit": 3}', True)
        self.assertEqual(json.loads(connection.finish(stream)["body"])["limit"], 7)
        connection.close()

    def test_unknown_field(self):
        for body in ({"nosuch": 1}, {"nosuch": None}, {"nosuch": {"id": [1]}}, {"id": 1, "customer": "acme", "subject": "x", "nosuch": []}):
            self.refused(body, "unknown.json.field", "nosuch")
        self.refused({"id": 1, "merged_into": 2, "customer": "acme", "subject": "x"}, "unknown.json.field", "merged_into")

    def test_null(self):
        made = self.add(501, reader=None, mergedInto=None, status=None, description=None).data
        self.assertEqual(without(made, "id", "createdTimestamp"), without(self.add(502).data, "id", "createdTimestamp"))
        self.refused({"id": None, "customer": "acme", "subject": "x"}, "required.field", "id")
        self.refused({"id": 503, "customer": "acme", "subject": "x", "reader": [None]}, "invalid.json.field.type", "reader[0]")
        self.refused("null", "invalid.json.request")

    def test_nan(self):
        for form in ("NaN", "Infinity", "-Infinity"):
            self.refused(f'{{"id": {form}}}', "invalid.json.request")
            self.assert_error(self.rest.post(SUBMIT, f'{{"source": {{"geoLocation": {{"latitude": "{form}"}}}}}}'), 412,
                              "invalid.json.field.value", "source.geoLocation.latitude")
        self.refused('{"id": 1e400}', "invalid.json.field.value", "id")

    def test_base64_variants(self):
        """The documented interface has bytes in one place, as text of standard base64."""
        for form, is_good in (("+/+/", True), ("YWI=", True), ("YQ==", True), ("-_-_", False), ("YWI", False), ("YQ", False),
                              ("Y", False), ("Y=", False), ("YQ==YQ==", False), ("!!!!", False), ("Y Q=", False)):
            answer = self.rest.post(SUBMIT, {"payload": {"payload": form, "payloadType": "binary"}})
            with self.subTest(form):
                self.assertEqual(answer.status, 201 if is_good else 412, answer)
                if not is_good:
                    self.assertEqual((answer.template, answer.field), ("invalid.json.field.value", "payload.payload"))

    def test_empty_body(self):
        for body in ("", " ", "\r\n\t"):
            self.refused(body, "invalid.json.request")
        raw = self.open()
        raw.send(request("POST", CASES, self.key))
        self.assert_error(raw.answer(), 412, "invalid.json.request")
        raw.send(request("POST", CASES, self.key, headers=["Transfer-Encoding: chunked"]) + b"0\r\n\r\n")
        self.assert_error(raw.answer(), 412, "invalid.json.request")
        answer = self.rest.post(f"{USERS}/nobody/disable", "")
        self.assert_error(answer, 404, "object.not.found")

    def test_one_member_twice(self):
        answer = self.rest.post(CASES, '{"id": 601, "id": 602, "customer": "acme", "subject": "x"}')
        self.assertEqual((answer.status, answer.data["id"]), (201, 602), "the last one counts")
        self.assert_error(self.get(f"{CASES}/601"), 404, "object.not.found")


class Tooling(Gateway):
    """The same lines where the JSON of protobuf tooling is served: calls of the Connect protocol."""

    SERVICE = "/vigil.admin.v1.AdminService/"

    def call(self, method, body):
        headers = {"Content-Type": "application/json"}
        return self.rest.request("POST", self.SERVICE + method, body=body, headers=headers)

    def refused(self, body, reason, field=None):
        answer = self.call("AddCase", body)
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid_argument"), answer)
        debug = {row["type"]: row["debug"] for row in answer.json["details"]}
        self.assertEqual(debug["google.rpc.ErrorInfo"]["reason"], reason)
        if field is not None:
            self.assertEqual(debug["google.rpc.BadRequest"]["fieldViolations"][0]["field"], field)

    def test_int64_extremes(self):
        for value, form in ((HIGHEST, str(HIGHEST)), (HIGHEST - 1, HIGHEST - 1), (2**53 + 1, f"{2**53 + 1}")):
            answer = self.call("AddCase", {"id": form, "customer": "acme", "subject": "x"})
            self.assertEqual((answer.status, answer.json["id"]), (200, str(value)), answer)
            self.assertEqual(self.call("GetCase", {"caseID": form}).json["id"], str(value))
        for value in (HIGHEST + 1, LOWEST - 1, LOWEST):
            self.refused({"id": str(value), "customer": "acme", "subject": "x"}, "INVALID_FIELD_VALUE", "id")

    def test_what_is_refused(self):
        good = {"id": 1, "customer": "acme", "subject": "x"}
        for body, reason, field in (({**good, "nosuch": None}, "UNKNOWN_FIELD", "nosuch"), ("", "INVALID_JSON", None),
                                    ("null", "INVALID_JSON", None), ("[" * 100000, "INVALID_JSON", None),
                                    ({**good, "reader": [None]}, "INVALID_FIELD_TYPE", "reader[0]"),
                                    ({**good, "reader": "agent"}, "INVALID_FIELD_TYPE", "reader"),
                                    ({**good, "id": None}, "REQUIRED_FIELD", "id"), ('{"id": NaN}', "INVALID_JSON", None),
                                    ({**good, "id": "NaN"}, "INVALID_FIELD_VALUE", "id"),
                                    ('{"id": 1, "id": 1}', "CONFLICTING_FIELDS", "id"),
                                    ('{"mergedInto": 1, "merged_into": 1}', "CONFLICTING_FIELDS", "mergedInto")):
            with self.subTest(str(body)[:60]):
                self.refused(body, reason, field)


class Pipelines(Gateway):
    EVENTS = 2000

    @classmethod
    def arrange(cls):
        super().arrange()
        for _ in range(cls.EVENTS // 500):
            answer = cls.rest.post("/events/v2/event/bulk", {"events": [{"signature": "pipelined", "uri": "/" + "x" * 200}] * 500})
            assert answer.status == 201, answer

    def test_slow_and_fast_keep_their_order(self):
        """Lists that executors make by and by, between answers that are there at once."""
        slow = request("POST", SEARCH, self.key, json.dumps({"startTimestamp": 0, "limit": 0}))
        rounds = 3 if IS_SANITIZED else 8
        raw = self.open()
        raw.send(b"".join(slow + request("GET", f"{USERS}/none-{at}", self.key) + request("GET", "/healthz") +
                          request("HEAD", CASES, self.key) + request("GET", f"/nowhere/{at}") for at in range(rounds)))
        for at in range(rounds):
            answer = raw.answer()
            self.assertEqual((answer.status, answer.json["count"], len(answer.data)), (200, self.EVENTS, self.EVENTS))
            answer = raw.answer()
            self.assertEqual((answer.status, answer.json["messages"][0]["parameter"]), (404, f"none-{at}"))
            self.assertEqual(raw.answer().body, b"ok\n")
            self.assertEqual(raw.answer(has_body=False).status, 200)
            self.assert_error(raw.answer(), 404, "url.not.exist")
        self.assertEqual(raw.buffer, b"")

    def test_however_much_is_sent_ahead_all_of_it_is_answered(self):
        """Past what may wait the client is not read from until there is less of it."""
        search = json.dumps({"startTimestamp": 0, "limit": 1}).ljust(40000)
        raw = self.open()
        sender = threading.Thread(target=raw.send, args=(request("POST", SEARCH, self.key, search) * 100,))
        sender.start()  # 4 MB
        self.addCleanup(sender.join)
        for _ in range(100):
            answer = raw.answer()
            self.assertEqual((answer.status, len(answer.data)), (200, 1))
            self.assertNotIn("connection", answer.headers)

    def test_what_waits_is_bounded(self):
        """Behind an answer without an end nothing is served, and what is sent ahead takes no memory: past its limit it is
        dropped, and the answer under way is the last.
        """
        key = self.directory.key("agent", ["EVENT-VIEWER"], ["acme"])
        raw = self.open()
        raw.send(request("POST", WATCH, key, "{}"))
        raw.until(b"live\":true}\n")
        before = self.server.resident_kib()
        for _ in range(40):
            raw.send(request("GET", "/healthz") * (MIB // 40))
        self.assertEqual(self.get("/healthz").body, b"ok\n", "others are served")
        if not IS_SANITIZED:
            self.assertLess(self.server.resident_kib() - before, 4 * 1024)
        self.directory.rest.post(f"/admin/v1/keys/{key.split('/')[0]}/revoke", {})
        raw.until(b'"responseCode":401')
        raw.until(b"\r\n0\r\n\r\n")
        self.assertTrue(raw.is_closed(), "nothing comes behind it")


class Streams(Gateway):
    """Answers that go on: lines of JSON and server-sent events, over both versions of HTTP."""

    FORMS = ("application/jsonl", "text/event-stream")

    def body(self, mark):
        return json.dumps({"attack": [{"signature": [mark]}]})

    def over_http1(self, accept, mark, key=None):
        raw = self.open()
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        raw.send(request("POST", WATCH, key or self.key, self.body(mark), [f"Accept: {accept}"]))
        self.assertTrue(raw.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 "))
        return raw

    def over_http2(self, accept, mark, key=None):
        connection = H2(self.server.port)
        self.addCleanup(connection.close)
        stream = connection.open(WATCH, headers=[("argus-api-key", key or self.key), ("accept", accept)])
        connection.send(stream, self.body(mark).encode(), True)
        connection.until(lambda: connection.streams[stream]["body"])
        self.assertEqual(connection.streams[stream]["headers"][":status"], "200")
        return connection, stream

    def submit(self, mark, count, **more):
        answer = self.rest.post("/events/v2/event/bulk", {"events": [{"signature": mark, "id": {"customer": "acme"}, **more}] * count})
        self.assertEqual(answer.status, 201, answer)

    def metric(self, name):
        return metrics(self.server.port).get(name, 0)

    def test_client_that_goes_cancels_its_call(self):
        for accept in self.FORMS:
            readers = [self.over_http1(accept, "goes") for _ in range(3)]
            connection, stream = self.over_http2(accept, "goes")
            other = connection.open("/healthz", "GET", end=True)
            wait_until(lambda: self.metric("vigil_watchers_open") == 4, what="all are open")
            connection.h2.reset_stream(stream, 8)
            connection.flush()
            self.assertEqual(connection.finish(other)["body"], b"ok\n", "the connection goes on")
            for reader in readers:
                reader.close()
            wait_until(lambda: self.metric("vigil_watchers_open") == 0, what="those who went are forgotten")

    def test_error_after_the_first_line(self):
        for accept in self.FORMS:
            key = self.directory.key("agent", ["EVENT-VIEWER"], ["acme"])
            raw = self.over_http1(accept, "error", key)
            connection, stream = self.over_http2(accept, "error", key)
            self.submit("error", 1)
            raw.until(b'"event":{')
            row = connection.streams[stream]
            connection.until(lambda: b'"event":{' in row["body"])
            self.directory.rest.post(f"/admin/v1/keys/{key.split('/')[0]}/revoke", {})
            one = raw.until(b"\r\n0\r\n\r\n")  # the end is a proper one: nothing was cut
            two = connection.finish(stream)["body"]
            self.assertIsNone(row["reset"])
            for text in (one, two):
                last = [line for line in text.split(b"\n") if b"{" in line][-1]
                error = json.loads(last[last.index(b"{"):])["error"]
                self.assertEqual((error["responseCode"], error["messageTemplate"]), (401, "authentication.failed"))
                self.assertEqual(b"event: end" in text, accept == "text/event-stream")

    def test_slow_reader_of_events(self):
        """Who does not read holds little and delays nobody; when he reads, all of it is there, in whole events."""
        mark, size, count = "slow reader", 4000, 3000
        before = self.metric("vigil_watch_events_total")
        raw = self.over_http1("text/event-stream", mark)
        for _ in range(count // 500):
            self.submit(mark, 500, uri="/" + "x" * size)
        self.assertLess((self.metric("vigil_watch_events_total") - before) * size, 5_000_000, "what sockets and a part of an answer hold")
        found, text = set(), b""
        while len(found) < count:
            text += raw.take(int(raw.until(b"\r\n"), 16))
            self.assertEqual(raw.take(2), b"\r\n")
            *blocks, text = text.split(b"\n\n")
            for block in blocks:
                fields = dict(line.split(b":", 1) for line in block.split(b"\n"))
                if b"data" in fields:
                    found.add(json.loads(fields[b"data"])["event"]["id"])


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


if __name__ == "__main__":
    main()
