"""What a request and its answer agree on by headers: compression, entity tags, origins of web pages, host names. All of it
over HTTP/1.1 and HTTP/2, with the same bytes.
"""
import gzip
import io
import json
import pathlib
import re
import tempfile
import zipfile
import zlib

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Answer, metrics
from vigiltest.process import IS_SANITIZED
from vigiltest.raw import H2, Raw, request

SUBMIT = "/events/v2/event"
UPLOAD = "/sampledb/v2/sample"
SEARCH = "/events/v1/aggregated/search"
SEARCH_V2 = "/events/v2/event/search"
SESSION = "/authentication/v1/session"
USER = "/currentuser/v1/user"
ALL = {"startTimestamp": 0, "limit": 0}
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TIMES = re.compile(rb'"timestamp":\d+')


def timeless(body):
    """What is left of an answer without when it was made: errors say so, and spreadsheets."""
    if not body.startswith(b"PK"):
        return TIMES.sub(b"", body)
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        return {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}


class Negotiation(ServerCase):
    EVENTS = 60

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        raw = Raw(cls.server.port)
        cls.ids = []
        for at in range(cls.EVENTS):
            event = {"signature": f"sig-{at}", "id": {"timestamp": 1567288800000 + at},
                     "properties": {"text": f"word{at} " * (1 if at == 0 else 400)}}
            raw.send(request("POST", SUBMIT, cls.key, json.dumps(event)))
            cls.ids.append(raw.answer().data["id"])
        raw.close()
        cls.small = f"/events/v1/{cls.ids[0]}"
        cls.large = f"/events/v1/{cls.ids[1]}"

    def ask(self, verb, target, body=None, key=..., **headers):
        """The answer, the same by both versions of HTTP but for what belongs to a version."""
        key = self.key if key is ... else key
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        one = self.over_http1(verb, target, body, key, dict(fields))
        two = self.over_http2(verb, target, body, key, dict(fields))
        self.assertEqual(one.status, two.status, (one, two))
        if one.status != 400 or "bad.http" not in str(one.body):
            same = ("transfer-encoding", "connection", "content-length")
            self.assertEqual({name: value for name, value in one.headers.items() if name not in same},
                             {name: value for name, value in two.headers.items() if name not in same})
            if one.status != 201:  # two submissions are two events
                self.assertEqual(timeless(one.body), timeless(two.body))
        return one

    def over_http1(self, verb, target, body, key, fields):
        raw = Raw(self.server.port)
        host = fields.pop("host", "vigil")
        raw.send(request(verb, target, key, body, [f"{name}: {value}" for name, value in fields.items()], host=host))
        answer = raw.answer(has_body=verb != "HEAD")
        raw.close()
        name = answer.headers.pop("x-request-id", None)
        self.assertTrue(name or answer.status in (400, 414), "each request that was one has a name of its own")
        return answer

    def over_http2(self, verb, target, body, key, fields):
        connection = H2(self.server.port)
        authority = fields.pop("host", "vigil")
        headers = [("argus-api-key", key)] if key is not None else []
        stream = connection.h2.get_next_available_stream_id()
        connection.streams[stream] = {"headers": None, "trailers": None, "body": b"", "ended": False, "reset": None}
        connection.h2.send_headers(
            stream, [(":method", verb), (":path", target), (":scheme", "http"), (":authority", authority),
                     *headers, *fields.items()], end_stream=body is None)
        connection.flush()
        if body is not None:
            connection.send(stream, body if isinstance(body, bytes) else body.encode(), True)
        row = connection.finish(stream)
        connection.close()
        self.assertIsNone(row["reset"])
        self.assertTrue(row["headers"].pop("x-request-id"))
        return Answer(int(row["headers"].pop(":status")), row["headers"], row["body"])


class Compression(Negotiation):
    def plain(self, answer):
        """The body as it was before it was compressed, by a reader that takes no short cut."""
        self.assertEqual(answer.headers.get("content-encoding"), "gzip", answer)
        reader = zlib.decompressobj(31)
        text = reader.decompress(answer.body) + reader.flush()
        self.assertTrue(reader.eof)
        self.assertEqual(reader.unused_data, b"")
        return text

    def test_an_answer_is_compressed_when_the_client_asks(self):
        was = self.ask("GET", self.large)
        self.assertNotIn("content-encoding", was.headers)
        now = self.ask("GET", self.large, accept_encoding="gzip")
        self.assertEqual(self.plain(now), was.body)
        self.assertEqual(now.headers["content-length"], str(len(now.body)))
        self.assertLess(len(now.body), len(was.body) // 2)
        for answer in (was, now):
            self.assertIn("accept-encoding", answer.headers["vary"])

    def test_weights(self):
        for value, is_compressed in (
                ("gzip", True), ("x-gzip", True), ("GZIP", True), ("*", True), ("deflate, gzip;q=0.5", True),
                ("br, zstd, gzip, deflate", True), ("gzip;q=1.000, identity;q=0", True), ("identity;q=0, *", True),
                ("gzip;q=0.5, identity;q=0.5", True), ("*;q=0.1", True),
                ("", False), ("identity", False), ("br", False), ("gzip;q=0", False), ("gzip;q=0, *", False),
                ("*;q=0", False), ("gzip;q=0.4, identity;q=0.5", False), ("gzip;q=2", False), ("gzip;q=x", False),
                ("gzipped", False), ('"gzip"', False)):
            with self.subTest(value):
                answer = self.ask("GET", self.large, accept_encoding=value)
                self.assertEqual("content-encoding" in answer.headers, is_compressed)

    def test_small_answers_stay_as_they_are(self):
        answer = self.ask("GET", USER, accept_encoding="gzip")
        self.assertLess(len(answer.body), 1024)
        self.assertNotIn("content-encoding", answer.headers)
        self.assertIn("accept-encoding", answer.headers["vary"])

    def test_errors_stay_as_they_are(self):
        answer = self.ask("GET", "/nowhere", accept_encoding="gzip")
        self.assert_error(answer, 404, "url.not.exist")
        self.assertNotIn("content-encoding", answer.headers)

    def test_long_answers_in_every_form(self):
        body = json.dumps(ALL)
        for form in ("application/json", "text/csv", "application/jsonl"):
            with self.subTest(form):
                was = self.ask("POST", SEARCH, body, accept=form)
                now = self.ask("POST", SEARCH, body, accept=form, accept_encoding="gzip")
                self.assertGreater(len(was.body), 80000)
                self.assertEqual(self.plain(now), was.body)
                self.assertLess(len(now.body), len(was.body) // 5)
                self.assertEqual(now.headers["vary"], "accept, accept-encoding")

    def test_what_is_compressed_already_is_not_compressed_again(self):
        answer = self.ask("GET", "/events/v2/event?limit=0&startTimestamp=0", accept=SPREADSHEET, accept_encoding="gzip")
        self.assertEqual(answer.headers["content-type"], SPREADSHEET)
        self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(zipfile.ZipFile(io.BytesIO(answer.body)).testzip(), None)

    def test_head_has_the_headers_of_get(self):
        for headers in ({}, {"accept_encoding": "gzip"}):
            for target in (self.large, self.small, USER, "/nowhere", "/healthz", "/openapi/events.json"):
                with self.subTest(target, **headers):
                    got = self.ask("GET", target, **headers)
                    head = self.ask("HEAD", target, **headers)
                    self.assertEqual((head.status, head.headers), (got.status, got.headers))
                    self.assertEqual(head.body, b"")

    def test_compressed_answers_are_counted(self):
        name = "vigil_rest_compressed_total"
        before = metrics(self.server.port)[name]
        self.over_http1("GET", self.large, None, self.key, {"accept-encoding": "gzip"})
        self.over_http1("GET", self.large, None, self.key, {})
        self.assertEqual(metrics(self.server.port)[name] - before, 1)


class CompressedRequests(Negotiation):
    EVENTS = 2

    def send(self, body, coding="gzip", target=SUBMIT):
        return self.ask("POST", target, body, content_encoding=coding)

    def test_a_compressed_body_is_read(self):
        event = json.dumps({"signature": "packed", "properties": {"text": "x" * 5000}}).encode()
        for coding in ("gzip", "x-gzip", "GZip"):
            self.assertEqual(self.send(gzip.compress(event), coding).status, 201)
        self.assertEqual(self.send(gzip.compress(event[:20]) + gzip.compress(event[20:])).status, 201, "two members")
        self.assertEqual(self.send(event, "identity").status, 201)
        found = self.ask("POST", SEARCH, json.dumps({"startTimestamp": 0, "signature": ["packed"]}))
        self.assertEqual(found.json["count"], 10, "five, over two versions of HTTP")

    def test_other_codings_are_415(self):
        for coding in ("deflate", "br", "gzip, gzip", "chunked", "gzip;q=1", "nonsense"):
            with self.subTest(coding):
                answer = self.send(gzip.compress(b"{}"), coding)
                self.assert_error(answer, 415, "content.encoding.unsupported")
                self.assertEqual(answer.headers["accept-encoding"], "gzip")

    def test_a_stranger_is_told_nothing_else(self):
        answer = self.ask("POST", SUBMIT, b"x", key=None, content_encoding="br")
        self.assert_error(answer, 401, "user.not.authenticated")
        self.assertEqual(answer.headers["www-authenticate"], "Bearer")

    def test_a_damaged_body_is_400(self):
        good = gzip.compress(b'{"signature": "damaged"}')
        bodies = {"plain": b"{}", "cut": good[:-1], "half": good[:20], "one byte": b"\x1f", "checksum": good[:-8] + b"x" * 8,
                  "behind": good + b"x", "zlib": zlib.compress(b"{}"), "size": good[:-1] + b"x"}
        for name, body in bodies.items():
            with self.subTest(name):
                self.assert_error(self.send(body), 400, "bad.content.encoding")

    def test_an_empty_body_is_an_empty_body(self):
        self.assert_error(self.send(b""), 412, "invalid.json.request")
        self.assert_error(self.send(gzip.compress(b"")), 412, "invalid.json.request")

    def test_a_file_is_not_unpacked(self):
        """Whether the file is what was sent, or what that unpacks to, is not guessed."""
        answer = self.ask("POST", UPLOAD, b"x" * 2000, content_encoding="gzip")
        self.assert_error(answer, 415, "content.encoding.unsupported")


class MethodLimits(Negotiation):
    """Each method has a limit of its own, whatever the settings allow, for what a body unpacks to and on every face."""

    EVENTS = 2
    LIMITS = ((SEARCH, "vigil.events.v1.EventService/SearchAggregated", 1 << 20),
              (SEARCH_V2, "vigil.events.v2.EventService/SearchEvents", 2 << 20))

    def body(self, size):
        return b'{"startTimestamp": 0, "limit": 1}'.ljust(size)

    def message(self, method, size):
        """The same in exactly that many bytes, by an unknown field."""
        head = contract.method(method).request(start_timestamp="0", limit=1).SerializeToString()
        rest = length = size - len(head) - 6
        text = b""
        while rest > 127 or len(text) < 3:
            text += bytes([rest & 127 | 128])
            rest >>= 7
        return head + b"\xc2\x3e" + text + bytes([rest]) + b"x" * length

    def call(self, method, data, *headers):
        """The status of a gRPC call whose message comes as fast as the window opens."""
        connection = H2(self.server.port)
        self.addCleanup(connection.close)
        fields = [("content-type", "application/grpc"), ("te", "trailers"), ("argus-api-key", self.key), *headers]
        stream = connection.open("/" + method, headers=fields)
        row = connection.streams[stream]
        at = 0
        while at < len(data) and not row["ended"] and row["reset"] is None:
            room = min(connection.h2.local_flow_control_window(stream), 16384, len(data) - at)
            if room == 0:
                connection.receive()
                continue
            connection.send(stream, data[at:at + room], at + room == len(data))
            at += room
        return connection.status(stream)[0]

    def test_at_the_limit_and_one_past_it(self):
        for path, method, limit in self.LIMITS:
            for size, status in ((limit, 200), (limit + 1, 413)):
                with self.subTest(path=path, size=size):
                    plain = self.over_http1("POST", path, self.body(size), self.key, {})
                    packed = self.ask("POST", path, gzip.compress(self.body(size)), content_encoding="gzip")
                    for answer in (plain, packed):
                        if status == 200:
                            self.assertEqual((answer.status, len(answer.data)), (200, 1), answer)
                        else:
                            self.assert_error(answer, status, "request.too.large")
                    sent = self.message(method, size)
                    self.assertEqual(len(sent), size)
                    frame = b"\x00" + size.to_bytes(4, "big")
                    expected = 0 if status == 200 else 8
                    self.assertEqual(self.call(method, frame + sent if status == 200 else frame), expected)
                    small = gzip.compress(sent)
                    self.assertEqual(self.call(method, b"\x01" + len(small).to_bytes(4, "big") + small,
                                               ("grpc-encoding", "gzip")), expected)

    def test_many_events_at_once_have_the_limit_of_the_settings(self):
        event = {"signature": "bulk", "properties": {"text": "x" * 60000}}
        body = json.dumps({"events": [event] * 50}).encode()
        self.assertGreater(len(body), 2 << 20)
        self.assertEqual(self.over_http1("POST", SUBMIT + "/bulk", body, self.key, {}).status, 201)


class UnpackedLimits(Negotiation):
    settings = ("request_bytes_max=1MiB",)
    EVENTS = 2

    def body(self, size):
        return gzip.compress(b'{"signature": "bomb"' + b" " * (size - 21) + b"}")

    def test_the_limit_of_a_body_counts_what_it_unpacks_to(self):
        self.assertEqual(self.ask("POST", SUBMIT, self.body(1 << 20), content_encoding="gzip").status, 201)
        self.assert_error(self.ask("POST", SUBMIT, self.body((1 << 20) + 1), content_encoding="gzip"), 413,
                          "request.too.large")

    def test_a_bomb_costs_no_memory(self):
        bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = b"".join(bomb.compress(b" " * (1 << 20)) for _ in range(300)) + bomb.flush()
        self.assertLess(len(data), 1 << 20)
        before = self.server.resident_kib()
        for _ in range(5):
            answer = self.over_http1("POST", SUBMIT, data, self.key, {"content-encoding": "gzip"})
            self.assert_error(answer, 413, "request.too.large")
        self.assertLess(self.server.resident_kib() - before, 64 << 10, "300 MiB would show")


class CompressionOff(Negotiation):
    settings = ("gzip=false",)
    EVENTS = 2

    def test_nothing_is_compressed_and_nothing_varies(self):
        answer = self.ask("GET", self.large, accept_encoding="gzip")
        self.assertNotIn("content-encoding", answer.headers)
        self.assertNotIn("vary", answer.headers)
        answer = self.ask("GET", "/openapi.json", key=None, accept_encoding="gzip")
        self.assertNotIn("content-encoding", answer.headers)
        self.assertNotIn("vary", answer.headers)
        self.assertRegex(answer.headers["etag"], r'^"')


class LeastBytes(Negotiation):
    settings = ("gzip_bytes_min=2000",)
    EVENTS = 2

    def test_an_answer_at_the_limit_and_below(self):
        size = len(self.ask("GET", self.small).body)
        for more, is_compressed in ((2000 - size, True), (1999 - size, False)):
            document = {"signature": "least", "properties": {"pad": "x" * 100}, "id": {"timestamp": 1567288900000 + more}}
            made = self.over_http1("POST", SUBMIT, json.dumps(document), self.key, {}).data["id"]
            was = len(self.ask("GET", "/events/v1/" + made).body)
            document["properties"]["pad"] = "x" * (100 + size + more - was)
            document["id"]["timestamp"] += 1
            made = self.over_http1("POST", SUBMIT, json.dumps(document), self.key, {}).data["id"]
            target = "/events/v1/" + made
            self.assertEqual(len(self.ask("GET", target).body), size + more)
            answer = self.ask("GET", target, accept_encoding="gzip")
            self.assertEqual("content-encoding" in answer.headers, is_compressed)


class Tags(Negotiation):
    EVENTS = 3

    def tag(self, target, **headers):
        return self.ask("GET", target, **headers).headers["etag"]

    def v2(self, at):
        return "/events/v2/event/" + self.ids[at]

    def test_an_answer_about_one_object_has_a_tag(self):
        for target in (self.small, self.v2(0), self.v2(0) + "?includeComments=true", USER):
            with self.subTest(target):
                tag = self.tag(target)
                self.assertRegex(tag, r'^"([0-9a-f]+-)?[0-9a-f]{16}"$')
                self.assertEqual(self.tag(target), tag)
        self.assertNotEqual(self.tag(self.v2(0)), self.tag(self.v2(1)))
        for target in ("/events/v1/aggregated?startTimestamp=0", "/healthz"):
            self.assertNotIn("etag", self.ask("GET", target).headers)

    def test_the_tag_goes_with_the_form_of_the_answer(self):
        revisions = {self.tag(target).split("-")[0] for target in (self.small, self.v2(0), self.v2(0) + "?includeComments=true")}
        self.assertEqual(len(revisions), 1, "one state")

    def test_if_none_match(self):
        for target in (self.large, self.v2(1)):
            tag = self.tag(target)
            for value, status in ((tag, 304), (f"W/{tag}", 304), (f'"x", {tag}', 304), (f'"a,b",{tag}', 304), ("*", 304),
                                  ('"x"', 200), ("", 200), (tag[:-1], 200), (tag.strip('"'), 200), ('"', 200),
                                  (f'"x"{tag}', 200), (tag.upper(), 200 if tag.upper() != tag else 304)):
                with self.subTest(value):
                    answer = self.ask("GET", target, if_none_match=value)
                    self.assertEqual(answer.status, status, answer)
                    self.assertEqual(answer.headers["etag"], tag)
                    if status == 304:
                        self.assertEqual(answer.body, b"")
                        self.assertEqual(answer.headers["cache-control"], "private, no-cache")
                        self.assertIn("vary", answer.headers)
                        self.assertNotIn("content-type", answer.headers)
            self.assertEqual(self.ask("HEAD", target, if_none_match=tag).status, 304)

    def test_304_leaves_the_connection_as_it_was(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("GET", self.small, self.key, headers=["If-None-Match: *"]) + request("GET", self.small, self.key))
        self.assertEqual([raw.answer(has_body=False).status, raw.answer().status], [304, 200])

    def test_two_headers_are_one_list(self):
        tag = self.tag(self.small)
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("GET", self.small, self.key, headers=['If-None-Match: "x"', f"If-None-Match: {tag}"]))
        self.assertEqual(raw.answer(has_body=False).status, 304)

    def test_a_compressed_answer_has_a_weak_tag(self):
        strong = self.tag(self.large)
        answer = self.ask("GET", self.large, accept_encoding="gzip")
        self.assertEqual(answer.headers["content-encoding"], "gzip")
        self.assertEqual(answer.headers["etag"], "W/" + strong)
        for value in (strong, "W/" + strong):
            again = self.ask("GET", self.large, accept_encoding="gzip", if_none_match=value)
            self.assertEqual((again.status, again.headers["etag"]), (304, "W/" + strong))
            self.assertNotIn("content-encoding", again.headers)

    def test_if_match_on_get(self):
        tag = self.tag(self.small)
        for value, status in ((tag, 200), ("*", 200), (f'"x", {tag}', 200), ('"x"', 412), (f"W/{tag}", 412), ("", 412)):
            with self.subTest(value):
                answer = self.ask("GET", self.small, if_match=value)
                self.assertEqual(answer.status, status)
                if status == 412:
                    self.assert_error(answer, 412, "precondition.failed")
        self.assert_error(self.ask("GET", "/events/v1/aggregated?startTimestamp=0", if_match=tag), 412, "precondition.failed")
        self.assertEqual(self.ask("GET", self.small + "0", if_match=tag).status, 404, "what is not there is not there")

    def assess(self, at, comment, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.over_http1("PUT", self.v2(at) + "/assess", json.dumps({"comment": comment}), self.key, fields)

    def test_if_match_on_a_change(self):
        before = self.tag(self.v2(2))
        answer = self.assess(2, "first", if_match=before)
        self.assertEqual(answer.status, 200, answer)
        after = self.tag(self.v2(2))
        self.assertNotEqual(before, after)
        for value in (before, '"x"', f"W/{after}", "", '"1-x"'):
            with self.subTest(value):
                self.assert_error(self.assess(2, "never", if_match=value), 412, "precondition.failed")
        self.assertEqual(self.tag(self.v2(2)), after, "nothing was changed")
        v1 = self.tag(f"/events/v1/{self.ids[2]}")
        self.assertEqual(self.assess(2, "second", if_match=f'"x", {v1}').status, 200, "a tag of either version")
        self.assertEqual(self.assess(2, "third", if_match="*").status, 200)
        self.assertEqual(self.assess(2, "fourth").status, 200)
        comments = self.ask("GET", self.v2(2) + "?includeComments=true").data["comments"]
        self.assertEqual({row["comment"] for row in comments}, {"first", "second", "third", "fourth"})

    def test_a_member_of_the_body_that_is_in_the_path_is_refused(self):
        """The path counts; a body that says the same, or something else, is a mistake of the client's."""
        for name, value in (("timestamp", 1567288800002), ("timestamp", 1), ("eventID", "x"), ("customerID", 1)):
            with self.subTest(name):
                answer = self.ask("PUT", self.v2(2) + "/assess", json.dumps({"comment": "both", name: value}))
                self.assert_error(answer, 412, "unknown.json.field", name)

    def test_of_two_changes_at_once_one_is_made(self):
        tag = self.tag(self.v2(1))
        raws = [Raw(self.server.port) for _ in range(8)]
        for at, raw in enumerate(raws):
            raw.send(request("PUT", self.v2(1) + "/assess", self.key, json.dumps({"comment": f"at once {at}"}),
                             headers=[f"If-Match: {tag}"]))
        statuses = sorted(raw.answer().status for raw in raws)
        for raw in raws:
            raw.close()
        self.assertEqual(statuses, [200] + [412] * 7)

    def test_a_change_without_tags_refuses_to_be_asked_for_one(self):
        answer = self.over_http1("POST", SUBMIT, '{"signature": "never"}', self.key, {"if-match": '"x"'})
        self.assert_error(answer, 412, "precondition.failed")
        self.assertIn("If-Match", answer.json["messages"][0]["message"])
        found = self.ask("POST", SEARCH, json.dumps({"startTimestamp": 0, "signature": ["never"]}))
        self.assertEqual(found.json["count"], 0)


class Origins(Negotiation):
    settings = ("cors_origins=https://soc.example.org, http://127.0.0.1:3000",)
    EVENTS = 2
    PAGE = "https://soc.example.org"

    def preflight(self, target, origin, method="GET"):
        return self.ask("OPTIONS", target, key=None, origin=origin, access_control_request_method=method,
                        access_control_request_headers="argus-api-key,content-type")

    def test_preflight(self):
        for origin in (self.PAGE, "http://127.0.0.1:3000"):
            answer = self.preflight(SUBMIT, origin, "POST")
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["access-control-allow-origin"], origin)
            self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
            self.assertEqual(set(answer.headers["access-control-allow-methods"].split(", ")),
                             {"GET", "HEAD", "POST", "OPTIONS"})
            names = answer.headers["access-control-allow-headers"].lower().split(", ")
            self.assertLessEqual({"argus-api-key", "authorization", "content-type", "if-match", "last-event-id"}, set(names))
            self.assertEqual(answer.headers["access-control-max-age"], "600")
            self.assertIn("origin", answer.headers["vary"])
        self.assertEqual(self.preflight("/nowhere", self.PAGE).status, 404)
        self.assertEqual(self.preflight("/nowhere", self.PAGE).headers["access-control-allow-origin"], self.PAGE)

    def test_pages_of_other_origins_get_nothing(self):
        for origin in ("https://evil.example.org", "http://soc.example.org", "https://soc.example.org:8443",
                       "https://soc.example.org.evil.org", "null", "", "*"):
            with self.subTest(origin):
                for answer in (self.preflight(SUBMIT, origin, "POST"), self.ask("GET", self.small, origin=origin)):
                    self.assertEqual([name for name in answer.headers if name.startswith("access-control")], [])
                    self.assertIn("origin", answer.headers["vary"])

    def test_answers_and_errors_can_be_read_by_the_page(self):
        for target, status in ((self.small, 200), ("/nowhere", 404), ("/events/v1/aggregated?limit=x", 412)):
            answer = self.ask("GET", target, origin=self.PAGE)
            self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (status, self.PAGE))
            shown = answer.headers["access-control-expose-headers"].lower().split(", ")
            self.assertLessEqual({"etag", "retry-after", "x-argus-count", "content-disposition"}, set(shown))
            self.assertNotIn("access-control-allow-methods", answer.headers)
        answer = self.ask("GET", self.small, key=None, origin=self.PAGE)
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (401, self.PAGE))

    def test_304_can_be_read_too(self):
        answer = self.ask("GET", self.small, origin=self.PAGE, if_none_match="*")
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (304, self.PAGE))

    def test_options_without_a_page_is_as_ever(self):
        answer = self.ask("OPTIONS", SUBMIT, key=None)
        self.assertEqual([name for name in answer.headers if name.startswith("access-control")], [])


class AnyOrigin(Negotiation):
    settings = ("cors_origins=*",)
    EVENTS = 2

    def test_every_page_may_but_without_credentials(self):
        for origin in ("https://anywhere.example.org", "null"):
            answer = self.ask("GET", self.small, origin=origin)
            self.assertEqual(answer.headers["access-control-allow-origin"], "*")
            self.assertNotIn("access-control-allow-credentials", answer.headers)


class NoOrigin(Negotiation):
    EVENTS = 2

    def test_without_the_setting_nothing_is_said(self):
        answer = self.ask("GET", self.small, origin="https://soc.example.org")
        self.assertEqual([name for name in answer.headers if name.startswith("access-control")], [])
        self.assertNotIn("origin", answer.headers.get("vary", ""))

    def test_hosts(self):
        for host, status in (("localhost", 200), ("localhost:8080", 200), ("a.localhost", 200), ("127.0.0.1:1", 200),
                             ("192.0.2.7", 200), ("[::1]:80", 200), ("vigil", 200), ("vigil:8080", 200),
                             ("evil.example.org", 421), ("evil.example.org:8080", 421), ("localhost.example.org", 421),
                             ("127.0.0.1.example.org", 421), ("a,b", 400), ("a@localhost", 400), ("a/b", 400)):
            with self.subTest(host):
                for target in (SESSION, "/metrics", "/healthz", "/nowhere"):
                    answer = self.ask_host(target, host)
                    if status != 200:
                        self.assertEqual(answer.status, status)
                    else:
                        self.assertNotIn(answer.status, (400, 421))

    def ask_host(self, target, host):
        one = self.over_http1("GET", target, None, self.key, {"host": host})
        if one.status != 400:  # HTTP/2 refuses some of these by a reset
            self.assertEqual(self.over_http2("GET", target, None, self.key, {"host": host}).status, one.status)
        return one

    def test_the_name_in_the_target_is_the_one_that_counts(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("GET", f"http://evil.example.org{SESSION}", self.key, host="localhost") +
                 request("GET", f"http://localhost{SESSION}", self.key, host="evil.example.org"))
        self.assert_error(raw.answer(), 421, "host.not.allowed")
        self.assertEqual(raw.answer().status, 200)


class Hosts(Negotiation):
    settings = ("hosts=vigil.example.org, .soc.example.org",)
    EVENTS = 2

    def test_names_of_the_setting(self):
        for host, status in (("vigil.example.org", 200), ("VIGIL.example.org:443", 200), ("a.soc.example.org", 200),
                             ("soc.example.org", 421), ("example.org", 421), ("localhost", 200)):
            with self.subTest(host):
                self.assertEqual(self.over_http1("GET", SESSION, None, self.key, {"host": host}).status, status)


class Page(ServerCase):
    """/docs, with files that stand for those of Swagger UI."""

    SCRIPT = b"/* as large as the real one */" + b" " * 1500000

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        pathlib.Path(folder.name, "swagger-ui-bundle.js").write_bytes(cls.SCRIPT)
        pathlib.Path(folder.name, "swagger-ui.css").write_bytes(b"body {}")
        cls.settings = (f"swagger_ui={folder.name}",)
        super().setUpClass()

    def get(self, target):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("GET", target))
        return raw.answer()

    def test_the_page_loads_its_own_parts_and_nothing_else(self):
        page = self.get("/docs")
        self.assertEqual((page.status, page.headers["content-type"]), (200, "text/html; charset=UTF-8"))
        parts = re.findall(rb'(?:src|href)="([^"]*)"', page.body)
        self.assertEqual(len(parts), 4)
        self.assertIn(b"data:,", parts, "an icon of nothing: browsers ask for one else")
        for part in set(parts) - {b"data:,"}:
            answer = self.get(part.decode())
            self.assertEqual(answer.status, 200, part)
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertEqual(self.get("/docs/swagger-ui-bundle.js").body, self.SCRIPT)
        self.assertEqual(self.get("/docs/").body, page.body)
        self.assertEqual(self.get("/docs/../admin.key").status, 404)
        self.assertNotIn(b"http", self.get("/docs/start.js").body)

    def test_the_policy_is_strict(self):
        policy = self.get("/docs").headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertNotIn("*", policy)


class Documents(Negotiation):
    EVENTS = 2

    def test_other_methods_on_documents_are_405(self):
        for target in ("/healthz", "/metrics", "/openapi/events.json"):
            for verb in ("POST", "DELETE", "PATCH"):
                answer = self.ask(verb, target, key=None)
                self.assert_error(answer, 405, "method.not.allowed")
                self.assertEqual(answer.headers["allow"], "GET, HEAD, OPTIONS")
            answer = self.ask("OPTIONS", target, key=None)
            self.assertEqual((answer.status, answer.headers["allow"]), (204, "GET, HEAD, OPTIONS"))

    def test_the_page_without_its_files_names_the_document(self):
        answer = self.ask("GET", "/docs", key=None)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"/openapi.json", answer.body)
        self.assertNotIn(b"<script", answer.body)
        self.assertEqual(self.ask("GET", "/docs/swagger-ui.css", key=None).status, 404)

    def test_every_route_is_in_the_document_and_nothing_else(self):
        document = self.ask("GET", "/openapi.json", key=None).json
        served = {(route.verb.lower(), re.sub(r"_([a-z])", lambda found: found[1].upper(), route.path))
                  for method in contract.methods() for route in method.routes}
        told = {(verb, path) for path, item in document["paths"].items() for verb in item}
        fold = {(verb, path.lower()) for verb, path in served}
        self.assertEqual({(verb, path.lower()) for verb, path in told}, fold)
        parts = [self.ask("GET", f"/openapi/{name}.json", key=None).json for name in ("events", "sampledb", "account", "admin")]
        self.assertEqual(document["paths"], {path: item for part in parts for path, item in part["paths"].items()})
        names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
        self.assertEqual(len(names), len(set(names)))
        references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
        self.assertEqual(references, set(document["components"]["schemas"]))
        self.assertEqual(document["components"]["securitySchemes"]["ApiKeyScheme"]["name"], "Argus-API-Key")

    def test_documents_are_compressed_and_have_tags(self):
        for target in ("/openapi.json", "/openapi/events.json", "/docs"):
            with self.subTest(target):
                was = self.ask("GET", target, key=None)
                self.assertEqual((was.status, "content-encoding" in was.headers), (200, False))
                self.assertEqual((was.headers["cache-control"], was.headers["vary"]), ("no-cache", "accept-encoding"))
                tag = was.headers["etag"]
                self.assertRegex(tag, r'^"[0-9a-f]{16}"$')
                now = self.ask("GET", target, key=None, accept_encoding="gzip")
                self.assertEqual(gzip.decompress(now.body), was.body)
                self.assertLess(len(now.body), len(was.body))
                self.assertEqual((now.headers["content-encoding"], now.headers["etag"]), ("gzip", "W/" + tag))
                for more in ({}, {"accept_encoding": "gzip"}):
                    for verb in ("GET", "HEAD"):
                        for value in (tag, "W/" + tag, f'"x", {tag}', "*"):
                            answer = self.ask(verb, target, key=None, if_none_match=value, **more)
                            self.assertEqual((answer.status, answer.body), (304, b""))
                            self.assertEqual(answer.headers["etag"], ("W/" if more else "") + tag)
                            self.assertNotIn("content-encoding", answer.headers)
                    self.assertEqual(self.ask("GET", target, key=None, if_none_match='"x"', **more).status, 200)
                self.assertEqual(self.ask("GET", target, key=None, if_match=tag).status, 200)
                self.assert_error(self.ask("GET", target, key=None, if_match='"x"'), 412, "precondition.failed")
                self.assertNotIn("etag", self.ask("POST", target, key=None).headers)
        self.assert_error(self.ask("GET", "/openapi/all.json", key=None), 404, "url.not.exist")
        self.assert_error(self.ask("GET", "/openapi/", key=None), 404, "url.not.exist")

    def test_documents_cost_no_memory_for_each_reader(self):
        """Many at once, none of which reads: each is sent from where it lies."""
        readers = [Raw(self.server.port) for _ in range(40)]
        for reader in readers[:5]:  # the first ones make what all need
            reader.send(request("GET", "/openapi.json"))
            reader.answer()
        before = self.server.resident_kib()
        for reader in readers:
            self.addCleanup(reader.close)
            reader.send(request("GET", "/openapi.json") * 20)
        self.assertEqual(self.ask("GET", "/healthz", key=None).body, b"ok\n")
        if not IS_SANITIZED:
            self.assertLess(self.server.resident_kib() - before, 40 * 200, "KiB; a copy each would be 40 x 400")

    def test_options_of_the_server(self):
        answer = self.ask("OPTIONS", "*", key=None)
        self.assertEqual(answer.status, 204)
        self.assertEqual(set(answer.headers["allow"].split(", ")),
                         {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})

    def test_a_target_past_its_limit(self):
        path = "/events/v1/aggregated?x="
        for size, status in ((8192, 200), (8193, 414)):
            for over in (self.over_http1, self.over_http2):
                answer = over("GET", path + "y" * (size - len(path)), None, self.key, {})
                self.assertEqual(answer.status, status)
                if status == 414:
                    self.assert_error(answer, 414, "url.too.long")

    def test_expectations(self):
        raw = Raw(self.server.port)
        self.addCleanup(raw.close)
        raw.send(request("POST", SUBMIT, self.key, "{}", headers=["Expect: 200-ok"]))
        self.assert_error(raw.answer(), 417, "expectation.failed")
        self.assertTrue(raw.is_closed())


if __name__ == "__main__":
    main()
