"""Bad input over the wire, on both faces: a clear error each time (status and template or reason), nothing half stored, and
the server answers afterwards as before.
"""
import json
import struct
import threading
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED
from vigiltest.raw import H2, Raw, frame, message, request

SUBMIT = "vigil.events.v2.EventService/SubmitEvent"
BULK = "vigil.events.v2.EventService/SubmitEvents"
SEARCH = "vigil.events.v1.EventService/SearchAggregated"
OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL = 0, 3, 8, 12, 13
UUID = "1679fbfc-1792-4992-8428-3cb4df642fa8"
VALUE = "invalid.json.field.value"
TYPE = "invalid.json.field.type"
JSON = "invalid.json.request"


class BadInput(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        directory.customer("other", 1002)
        directory.user("agent", "acme")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)
        cls.addClassCleanup(cls.grpc.close)

    def open(self, **options):
        raw = Raw(self.server.port, **options)
        self.addCleanup(raw.close)
        return raw

    def h2(self, **options):
        connection = H2(self.server.port, **options)
        self.addCleanup(connection.close)
        return connection

    def count(self):
        answer = self.rest.post("/events/v1/aggregated/search", {"startTimestamp": 0, "limit": 1})
        self.assertEqual(answer.status, 200, answer)
        return answer.json["count"]

    def setUp(self):
        self.before = self.count()
        self.stored = 0

    def tearDown(self):
        """Whatever came, the server is there and holds what it said it does."""
        self.assertTrue(self.server.is_alive(), self.server.log_tail())
        self.assertEqual(self.count(), self.before + self.stored, "nothing half stored")
        self.server.check_log()

    def submit(self, document):
        answer = self.rest.post("/events/v2/event", document)
        if answer.status == 201:
            self.stored += 1
        return answer


class Values(BadInput):
    """Wrong types, unknown fields, bad ids, times in other zones, out-of-range values: table of body, template, field."""

    ROWS = [
        ({"nosuch": 1}, "unknown.json.field", "nosuch"),
        ({"source": {"nosuch": 1}}, "unknown.json.field", "source.nosuch"),
        ({"Signature": "x"}, "unknown.json.field", "Signature"),
        ({"signature": {}}, TYPE, "signature"),
        ({"signature": ["a", "b"]}, TYPE, "signature"),
        ({"source": "10.0.0.1"}, TYPE, "source"),
        ({"source": [1, 2]}, TYPE, "source"),
        ({"properties": "x"}, TYPE, "properties"),
        ({"count": {}}, TYPE, "count"),
        ({"count": "many"}, (TYPE, VALUE), "count"),
        ({"count": 0}, VALUE, "count"),
        ({"count": -5}, VALUE, "count"),
        ({"count": 1.5}, (TYPE, VALUE), "count"),
        ({"count": 2147483648}, VALUE, "count"),
        ({"count": 10**30}, (VALUE, TYPE), "count"),
        ({"count": True}, (TYPE, VALUE), "count"),
        ({"severity": "HIGH"}, VALUE, "severity"),
        ({"severity": "urgent"}, VALUE, "severity"),
        ({"flags": ["INTRUDER_IS_CUSTOMERNET"]}, VALUE, "flags[0]"),
        ({"flags": ["BLOCKED", "NOTIFIED_DELETED"]}, VALUE, "flags[1]"),
        ({"flags": [["BLOCKED"]]}, TYPE, "flags[0]"),
        ({"protocol": "carrier pigeon"}, VALUE, "protocol"),
        ({"protocol": 256}, VALUE, "protocol"),
        ({"source": {"port": 65536}}, VALUE, "source.port"),
        ({"destination": {"port": -1}}, VALUE, "destination.port"),
        ({"source": {"ip": "10.0.0.0/33"}}, VALUE, "source.ip"),
        ({"source": {"ip": "10.0.0.256"}}, VALUE, "source.ip"),
        ({"source": {"ip": "host.example"}}, VALUE, "source.ip"),
        ({"source": {"ip": ""}}, VALUE, "source.ip"),
        ({"source": {"geoLocation": {"countryCode": "NOR"}}}, VALUE, "source.geoLocation.countryCode"),
        ({"source": {"geoLocation": {"latitude": 90.5}}}, VALUE, "source.geoLocation.latitude"),
        ({"source": {"geoLocation": {"longitude": -181}}}, VALUE, "source.geoLocation.longitude"),
        ({"properties": {"a": {"b": 1}}}, TYPE, ...),
        ({"properties": {"a": [["b"]]}}, TYPE, ...),
        ({"properties": {"": "b"}}, VALUE, ...),
        ({"finalized": {}}, TYPE, "finalized"),
        ({"finalized": "maybe"}, (TYPE, VALUE), "finalized"),
        ({"uri": "x" * 8193}, VALUE, "uri"),
        ({"fqdn": "x" * 256}, VALUE, "fqdn"),
        ({"signature": "x" * 1025}, VALUE, "signature"),
        ({"aggregationKey": "x" * 1025}, VALUE, "aggregationKey"),
        ({"payload": {"payload": "x"}}, "required.field", "payload.payloadType"),
        ({"payload": {"payload": "not base64!", "payloadType": "binary"}}, VALUE, "payload.payload"),
        ({"payload": {"payload": "x", "payloadType": "telex"}}, VALUE, "payload.payloadType"),
        ({"startTimestamp": "2020-01-02", "endTimestamp": "2020-01-01"}, ..., ...),
        ({"associatedCaseID": 4711}, "invalid.reference", "associatedCaseID"),
        ({"location": "nowhere"}, "invalid.reference", "location"),
        ({"subEvents": ["x"]}, VALUE, "subEvents[0]"),
        ({"subEvents": [f"AGGR/1/1002/{UUID}"]}, "invalid.reference", "subEvents[0]"),
        ({"id": 5}, ..., "id"),
        ({"id": ""}, VALUE, "id"),
        ({"id": "AGGR"}, VALUE, "id"),
        ({"id": f"XXXX/1/1001/{UUID}"}, VALUE, "id"),
        ({"id": f"AGGR /1/1001/{UUID}"}, VALUE, "id"),
        ({"id": f"AGGR/1/1001/{UUID}/"}, VALUE, "id"),
        ({"id": f"AGGR/-1/1001/{UUID}"}, VALUE, "id"),
        ({"id": f"AGGR/1x/1001/{UUID}"}, VALUE, "id"),
        ({"id": f"AGGR/253402300800000/1001/{UUID}"}, VALUE, "id"),
        ({"id": f"AGGR/1/1001/{UUID[:-1]}"}, VALUE, "id"),
        ({"id": f"AGGR/1/1001/{UUID[:-1]}g"}, VALUE, "id"),
        ({"id": f"AGGR/1/1002/{UUID}"}, "invalid.reference", "id"),
        ({"id": {"customer": "nobody"}}, "invalid.reference", "id.customer"),
        ({"id": {"customer": "other"}}, "invalid.reference", "id.customer"),
        ({"id": {"uuid": "x"}}, VALUE, "id.uuid"),
        ({"id": {"type": "AGGR"}}, VALUE, "id.type"),
        ({"id": {"nosuch": 1}}, "unknown.json.field", "id.nosuch"),
        ({"id": {"type": "raw"}, "subEvents": [f"RAW/1/1001/{UUID}"]}, ..., ...),
    ] + [({"startTimestamp": text}, VALUE, "startTimestamp") for text in (
        "2019-10-05T15:07:10+02:00", "2019-10-05T15:07:10+00:00", "2019-10-05T15:07:10-0800", "2019-10-05T15:07:10",
        "2019-10-05T15:07:60Z", "2019-02-30", "2019-13-01", "1 day", "startOfDay", "now + 1", "now - 1 fortnight",
        "-1", -1, 253402300800000, "253402300800000", "yesterday", "", "now - 9999 years", 1.5)]

    def test_each_row_over_rest(self):
        for body, template, field in self.ROWS:
            with self.subTest(body=json.dumps(body)[:150]):
                answer = self.submit(body)
                self.assertEqual(answer.status, 412, answer)
                if template is not ...:
                    self.assertIn(answer.template, template if isinstance(template, tuple) else (template,), answer)
                if field is not ...:
                    self.assertEqual(answer.field, field, answer)
                self.assertTrue(answer.json["messages"][0]["message"])

    def test_each_row_over_grpc_says_the_same(self):
        """What can be said in protobuf at all gets the same reason for the same field."""
        table = contract.reasons()
        compared = 0
        for body, _, _ in self.ROWS:
            try:
                asked = documented_json.into_message(body, contract.method(SUBMIT).request())
                asked.SerializeToString()
            except (AssertionError, KeyError, TypeError, ValueError, AttributeError):
                continue
            compared += 1
            with self.subTest(body=json.dumps(body)[:150]):
                answer = self.submit(body)
                with self.assertRaises(GrpcError) as caught:
                    self.grpc.call(SUBMIT, asked)
                row = table[caught.exception.reason]
                self.assertEqual((row.code, row.status, row.template),
                                 (caught.exception.code, 412, answer.template), caught.exception)
                self.assertEqual(caught.exception.fields[:1], [answer.field], caught.exception)
        self.assertGreater(compared, 40)

    def test_good_values_at_the_limits(self):
        for body in ({"uri": "ø" * 8192}, {"signature": "x" * 1024}, {"count": 2147483647}, {"source": {"port": 65535}},
                     {"startTimestamp": 253402300799999}, {"startTimestamp": 0}, {"count": " 7 "}, {"count": 5.0},
                     {"protocol": 255}, {"properties": {"k" * 51: "v" * 1025}}, {"properties": {"a": None, "b": []}},
                     {"flags": []}, {"source": {}}, {"id": {}}, {"id": None}, {"startTimestamp": "now - 1 month"},
                     {"startTimestamp": "2019-10-05T15:07:10.123456789Z"}, {"source": {"ip": "::ffff:10.0.0.1"}}):
            with self.subTest(body=json.dumps(body)[:100]):
                self.assertEqual(self.submit(body).status, 201)

    def test_conflicting_customers_in_an_id(self):
        answer = self.rest.post("/events/v2/event", '{"id": {"customer": "acme", "customerID": 1002}}')
        self.assert_error(answer, 412, "conflicting.fields")

    def test_broken_json(self):
        for body in ("{", "}", "[]", "null", "1", '"x"', '{"a"}', '{"a":}', "{'a': 1}", '{"signature": "x",}',
                     '{"signature": "x"} x', '{"signature": "x"}{}', '{"count": 01}', '{"count": +1}', '{"count": NaN}',
                     '{"count": Infinity}', '{"count": 0x10}', '{"signature": "\t"}', '{"signature": "\\x41"}',
                     '{"signature": "\\u12"}', '{"signature": "open', '{"signature": "x"} // remark',
                     "\x00", '{"signature": tru}', '{"count": 1e}', '{"count": .5}', '{"count": -}'):
            with self.subTest(body=body):
                answer = self.rest.post("/events/v2/event", body)
                self.assertEqual(answer.status, 412, answer)
                if body not in ("[]", "null", "1", '"x"'):
                    self.assertEqual(answer.template, JSON, answer)
        answer = self.rest.post("/events/v2/event", '{\n  "signature": "x",\n  "count": @}')
        self.assertRegex(answer.json["messages"][0]["message"], r"\b3\b.*\b12\b", "line and column")

    def test_invalid_utf8_and_nul_over_rest(self):
        for text in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82"):
            with self.subTest(text=text):
                self.assert_error(self.rest.post("/events/v2/event", b'{"signature": "' + text + b'"}'), 412, JSON)
                self.assertEqual(self.rest.post("/events/v2/event", b'{"' + text + b'": 1}').status, 412)
        for text in ('"\\ud800"', '"\\udc00\\ud800"'):
            self.assertEqual(self.rest.post("/events/v2/event", '{"signature": ' + text + "}").status, 412, text)
        for body in ('{"signature": "a\\u0000b"}', '{"properties": {"a\\u0000": "x"}}',
                     '{"properties": {"a": ["x", "\\u0000"]}}', '{"source": {"host": "\\u0000"}}'):
            with self.subTest(body=body):
                answer = self.rest.post("/events/v2/event", body)
                self.assertEqual(answer.status, 412, answer)
                self.assertIn(answer.template, (VALUE, JSON))

    def test_invalid_utf8_and_nul_over_grpc(self):
        for text in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"a\x00b", b"\x00"):
            with self.subTest(text=text):
                with self.assertRaises(GrpcError) as caught:
                    self.grpc.raw(SUBMIT, b"\x22" + bytes([len(text)]) + text)
                self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")
                self.assertIn(caught.exception.reason, ("INVALID_WIRE_MESSAGE", "INVALID_FIELD_VALUE"))

    def test_broken_protobuf(self):
        whole = contract.method(SUBMIT).request(signature="x" * 50, count=3).SerializeToString()
        for cut in range(1, len(whole)):
            data = whole[:cut]
            try:
                contract.method(SUBMIT).request.FromString(data)
                continue  # ends between two fields: whole again
            except Exception:
                pass
            with self.assertRaises(GrpcError) as caught:
                self.grpc.raw(SUBMIT, data)
            self.assertEqual((caught.exception.code, caught.exception.reason),
                             ("INVALID_ARGUMENT", "INVALID_WIRE_MESSAGE"), cut)
        for data in (b"\x00\x01", b"\x07", b"\x0b", b"\x0c", b"\xff" * 11, b"\x22\xff\xff\xff\xff\x0f",
                     b"\x30" + b"\xff" * 10 + b"\x01", b"\xf8\xff\xff\xff\xff\x01\x01"):
            with self.subTest(data=data):
                with self.assertRaises(GrpcError) as caught:
                    self.grpc.raw(SUBMIT, data)
                self.assertEqual((caught.exception.code, caught.exception.reason),
                                 ("INVALID_ARGUMENT", "INVALID_WIRE_MESSAGE"))

    def test_unknown_wire_fields_are_ignored(self):
        answer = contract.method(SUBMIT).answer.FromString(self.grpc.raw(SUBMIT, b"\x22\x01x\xc2\x3e\x03abc\xc8\x3e\x05"))
        self.assertTrue(answer.id)
        self.stored += 1

    def test_unknown_enumeration_numbers_are_refused(self):
        with self.assertRaises(GrpcError) as caught:
            self.grpc.raw(SUBMIT, b"\x28\x63")  # severity 99
        self.assertEqual((caught.exception.code, caught.exception.reason, caught.exception.fields),
                         ("INVALID_ARGUMENT", "INVALID_FIELD_VALUE", ["severity"]))

    def test_json_depth_at_its_limit_and_past_it(self):
        def body(depth):
            return '{"nosuch": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

        self.assert_error(self.rest.post("/events/v2/event", body(64)), 412, "unknown.json.field")
        self.assert_error(self.rest.post("/events/v2/event", body(65)), 412, JSON)
        for bomb in ("[" * 1_000_000, '{"a":' * 200_000, '{"properties": {"a": ' + "[" * 500_000):
            self.assert_error(self.rest.post("/events/v2/event", bomb), 412, JSON)

    def test_criteria_depth_at_its_limit_and_past_it(self):
        def criteria(depth):
            inner = {"signature": ["x"]}
            for _ in range(depth - 1):
                inner = {"subCriteria": [inner]}
            return {"startTimestamp": 0, "subCriteria": [inner]}

        self.assertEqual(self.rest.post("/events/v1/aggregated/search", criteria(8)).status, 200)
        self.assertEqual(self.rest.post("/events/v1/aggregated/search", criteria(9)).status, 412)
        method = contract.method(SEARCH)
        self.grpc.call(SEARCH, documented_json.into_message(criteria(8), method.request()))
        for depth in (9, 63):
            with self.assertRaises(GrpcError) as caught:
                self.grpc.call(SEARCH, documented_json.into_message(criteria(depth), method.request()))
            self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")
            self.assertNotEqual(caught.exception.reason, "INVALID_WIRE_MESSAGE")
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(SEARCH, documented_json.into_message(criteria(64), method.request()))
        self.assertEqual((caught.exception.code, caught.exception.reason), ("INVALID_ARGUMENT", "INVALID_WIRE_MESSAGE"))
        data = b""
        for _ in range(20_000):
            size = len(data)
            length = b""
            while size > 127:
                length += bytes([size & 127 | 128])
                size >>= 7
            data = b"\xd2\x02" + length + bytes([size]) + data  # sub_criteria = 42
        with self.assertRaises(GrpcError) as caught:
            self.grpc.raw(SEARCH, b"\x0a\x010" + data)
        self.assertEqual(caught.exception.reason, "INVALID_WIRE_MESSAGE")

    def test_criteria(self):
        for body, template, field in (
                ({}, "required.field", "startTimestamp"),
                ({"startTimestamp": 0, "limit": 100001}, VALUE, "limit"),
                ({"startTimestamp": 0, "limit": -1}, VALUE, "limit"),
                ({"startTimestamp": 0, "offset": -1}, VALUE, "offset"),
                ({"startTimestamp": 0, "sortBy": ["nosuch"]}, VALUE, "sortBy[0]"),
                ({"startTimestamp": 0, "sortBy": ["timestamp", "-timestamp"]}, ..., ...),
                ({"startTimestamp": 0, "ip": ["10.0.0.0/33"]}, VALUE, "ip[0]"),
                ({"startTimestamp": 0, "sourceIPMinBits": 129}, VALUE, "sourceIPMinBits"),
                ({"startTimestamp": 0, "port": ["99999"]}, VALUE, ...),
                ({"startTimestamp": 0, "severity": ["low"], "minSeverity": "low"}, "conflicting.fields", ...),
                ({"startTimestamp": 0, "timeFieldStrategy": ["all"], "lastUpdatedTimestamp": 5}, "conflicting.fields", ...),
                ({"startTimestamp": "2019-10-05T15:07:10+02:00"}, VALUE, "startTimestamp"),
                ({"startTimestamp": 0, "nosuch": 1}, "unknown.json.field", "nosuch"),
                ({"startTimestamp": 0, "subCriteria": [{"nosuch": 1}]}, "unknown.json.field", "subCriteria[0].nosuch")):
            with self.subTest(body=body):
                answer = self.rest.post("/events/v1/aggregated/search", body)
                self.assertEqual(answer.status, 412, answer)
                if template is not ...:
                    self.assertEqual(answer.template, template, answer)
                if field is not ...:
                    self.assertEqual(answer.field, field, answer)
        for body in ({"startTimestamp": 0, "limit": 100000}, {"startTimestamp": 5, "endTimestamp": 1},
                     {"startTimestamp": 0, "customer": ["nobody", "123", 1002]}, {"startTimestamp": 0, "limit": "10"}):
            answer = self.rest.post("/events/v1/aggregated/search", body)
            self.assertEqual(answer.status, 200, answer)

    def test_ids_in_paths(self):
        for path in ("/events/v1/XXXX/1/1001/" + UUID, "/events/v1/AGGR/-1/1001/" + UUID, "/events/v1/AGGR/now/1001/" + UUID,
                     "/events/v1/AGGR/1/acme/" + UUID, "/events/v1/AGGR/1/0/" + UUID, "/events/v1/AGGR/1/1001/" + "x" * 65,
                     "/events/v1/AGGR/1/1001/a_b", "/events/v1/AGGR/99999999999999999999/1001/" + UUID,
                     "/events/v2/event/1/1001/nouuid", "/events/v2/event/XXXX/1/1001/" + UUID,
                     "/events/v2/event/AGGR/1x/1001/" + UUID):
            with self.subTest(path=path):
                self.assert_error(self.rest.get(path), 412, "invalid.url.parameter")
        self.assert_error(self.rest.get("/events/v1/AGGR/1/1001/" + "x" * 64), 404, "event.not.found")
        self.assert_error(self.rest.get("/events/v1/AGGR/1/1002/" + UUID), 403, "access.denied")
        self.assert_error(self.rest.get("/events/v1/AGGR/1/99999/" + UUID), 403, "access.denied")

    def test_a_bulk_is_all_or_nothing_for_what_is_malformed(self):
        for onerror in ("dropInvalid", "rejectAll"):
            for bad in ({"count": 0}, {"nosuch": 1}, {"severity": "x"}, {"id": "x"}, 5, None, [1]):
                with self.subTest(onerror=onerror, bad=bad):
                    answer = self.rest.post("/events/v2/event/bulk", {
                        "events": [{"signature": "good"}, bad, {"signature": "good"}], "onError": onerror})
                    self.assertEqual(answer.status, 412, answer)
        for body in ({}, {"events": None}, {"events": "x"}, {"events": [], "onError": "ignore"}):
            self.assertEqual(self.rest.post("/events/v2/event/bulk", body).status, 412, body)

    def test_every_violation_is_named(self):
        for body, named in (({"count": 0, "source": {"port": -1}, "uri": "x" * 9000}, {"count", "source.port", "uri"}),
                            ({"severity": "x", "nosuch": 1, "flags": ["BLOCKED", "y"]}, {"severity", "nosuch", "flags[1]"})):
            answer = self.rest.post("/events/v2/event", body)
            self.assertEqual({row["field"] for row in answer.json["messages"]}, named)
        answer = self.rest.post("/events/v2/event/bulk", {"events": [{"location": "nowhere"}] * 150})
        self.assertEqual((answer.status, len(answer.json["messages"])), (412, 100), "at most 100 messages")


class Frames(BadInput):
    settings = ("grpc_message_bytes_max=64KiB", "request_bytes_max=64KiB", "bulk_events_max=10", "header_bytes_max=16KiB")
    LIMIT = 64 * 1024

    def good(self):
        return contract.method(SUBMIT).request(signature="frames").SerializeToString()

    def sized(self, size):
        """A valid request of exactly that many bytes, by an unknown field."""
        head = self.good()
        room = size - len(head)
        for length_size in (1, 2, 3):
            length = room - 2 - length_size
            text = b""
            rest = length
            while rest > 127:
                text += bytes([rest & 127 | 128])
                rest >>= 7
            text += bytes([rest])
            if len(text) == length_size:
                return head + b"\xc2\x3e" + text + b"x" * length
        raise AssertionError("no such size")

    def call(self, data, end=True):
        connection = self.h2()
        stream = connection.grpc(SUBMIT, self.key, data, end)
        return connection.status(stream)

    def test_frames_of_one_byte(self):
        connection = self.h2()
        stream = connection.grpc(SUBMIT, self.key)
        data = message(self.good())
        for at in range(len(data)):
            connection.send(stream, data[at:at + 1], at == len(data) - 1)
        self.assertEqual(connection.status(stream)[0], OK)
        self.stored += 1

    def test_http2_frames_in_segments_of_one_byte(self):
        connection = self.h2()
        stream = connection.h2.get_next_available_stream_id()
        connection.streams[stream] = {"headers": None, "trailers": None, "body": b"", "ended": False, "reset": None}
        connection.h2.send_headers(stream, [
            (":method", "POST"), (":path", "/" + SUBMIT), (":scheme", "http"), (":authority", "v"),
            ("content-type", "application/grpc"), ("te", "trailers"), ("argus-api-key", self.key)])
        connection.h2.send_data(stream, message(self.good()), end_stream=True)
        connection.raw.send_slowly(connection.h2.data_to_send(), 1)
        self.assertEqual(connection.status(stream)[0], OK)
        self.stored += 1

    def test_a_message_cut_by_the_end_of_the_stream(self):
        data = message(self.good())
        for cut in (1, 4, 5, len(data) - 1):
            with self.subTest(cut=cut):
                self.assertEqual(self.call(data[:cut])[0], INTERNAL)

    def test_no_message_and_two_messages(self):
        self.assertIn(self.call(b"")[0], (UNIMPLEMENTED, INTERNAL))
        self.assertIn(self.call(message(self.good()) * 2)[0], (UNIMPLEMENTED, INTERNAL))

    def test_an_empty_message_is_a_message(self):
        self.assertEqual(self.call(message(b""))[0], OK)
        self.stored += 1

    def test_flags_of_a_message(self):
        for flag in (1, 2, 3, 128, 255):
            with self.subTest(flag=flag):
                self.assertIn(self.call(message(self.good(), flag))[0], (INTERNAL, UNIMPLEMENTED))

    def test_an_unknown_encoding_is_unimplemented(self):
        connection = self.h2()
        stream = connection.open("/" + SUBMIT, headers=[
            ("content-type", "application/grpc"), ("te", "trailers"), ("argus-api-key", self.key),
            ("grpc-encoding", "snappy")])
        connection.send(stream, message(self.good(), 1), True)
        self.assertEqual(connection.status(stream)[0], UNIMPLEMENTED)

    def test_message_size_at_its_limit_and_past_it(self):
        self.assertEqual(len(self.sized(self.LIMIT)), self.LIMIT)
        self.grpc.raw(SUBMIT, self.sized(self.LIMIT))
        self.stored += 1
        with self.assertRaises(GrpcError) as caught:
            self.grpc.raw(SUBMIT, self.sized(self.LIMIT + 1))
        self.assertEqual((caught.exception.code, caught.exception.reason), ("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE"))

    def test_a_large_length_is_refused_before_the_body_comes(self):
        connection = self.h2()
        for size in (self.LIMIT + 1, 0x7FFFFFFF, 0xFFFFFFFF):
            stream = connection.grpc(SUBMIT, self.key, struct.pack("!BI", 0, size) + b"x", end=False)
            self.assertEqual(connection.status(stream)[0], RESOURCE_EXHAUSTED, size)

    def test_body_size_at_its_limit_and_past_it(self):
        body = b'{"signature": "sized"}'
        body += b" " * (self.LIMIT - len(body))
        self.assertEqual(self.rest.post("/events/v2/event", body).status, 201)
        self.stored += 1
        raw = self.open()
        raw.send(request("POST", "/events/v2/event", self.key, body + b" "))
        self.assert_error(raw.answer(), 413, "request.too.large")
        # Told by its length alone, before the body comes.
        raw = self.open()
        raw.send(request("POST", "/events/v2/event", self.key, headers=[f"Content-Length: {self.LIMIT + 1}"]))
        self.assert_error(raw.answer(), 413, "request.too.large")

    def test_a_chunked_body_over_the_limit(self):
        raw = self.open()
        raw.send(request("POST", "/events/v2/event", self.key, headers=["Transfer-Encoding: chunked"]))
        try:
            for _ in range(20):
                raw.send(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assert_error(raw.answer(), 413, "request.too.large")

    def test_a_body_over_the_limit_on_http2(self):
        connection = self.h2()
        stream = connection.open("/events/v2/event", headers=[("argus-api-key", self.key)])
        for _ in range(5):
            connection.until(lambda: connection.h2.local_flow_control_window(stream) >= 16384)
            if connection.streams[stream]["ended"] or connection.streams[stream]["reset"] is not None:
                break
            try:
                connection.send(stream, b" " * 16384)
            except Exception:  # the stream is over already
                break
        row = connection.finish(stream)
        self.assertEqual(row["headers"][":status"], "413")
        self.assertEqual(json.loads(row["body"])["messages"][0]["messageTemplate"], "request.too.large")

    def test_events_of_a_bulk_at_their_limit_and_past_it(self):
        answer = self.rest.post("/events/v2/event/bulk", {"events": [{}] * 10})
        self.assertEqual(answer.status, 201, answer)
        self.stored += 10
        self.assertEqual(self.rest.post("/events/v2/event/bulk", {"events": [{}] * 11}).status, 412)
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(BULK, documented_json.into_message({"events": [{}] * 11}, contract.method(BULK).request()))
        self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")

    def test_bad_content_types_and_paths(self):
        connection = self.h2()
        for kind in ("text/plain", "application/json", "application/grpc-webs", "application/grpc+nonsense"):
            stream = connection.open("/" + SUBMIT, headers=[("content-type", kind), ("argus-api-key", self.key)])
            connection.send(stream, message(self.good()), True)
            row = connection.finish(stream)
            self.assertNotEqual(row["headers"][":status"], "201", kind)
            self.assertTrue(row["headers"][":status"].startswith("4") or row["headers"].get("grpc-status") not in (None, "0"),
                            row["headers"])
        for path in ("vigil.events.v2.EventService/Nothing", "vigil.none.v1.Service/SubmitEvent", "x", ""):
            stream = connection.grpc(path, self.key, message(b""))
            self.assertEqual(connection.status(stream)[0], UNIMPLEMENTED, path)
        raw = self.open()
        raw.send(request("POST", "/" + SUBMIT, self.key, message(self.good())))
        answer = raw.answer()
        self.assertEqual((answer.status, answer.body), (415, b""))
        self.assertIn("application/grpc-web", answer.headers["accept-post"].split(", "))

    def test_bad_deadlines(self):
        connection = self.h2()
        for text in ("1", "1x", "-1S", "123456789S", "S", "", "1.5S"):
            stream = connection.open("/" + SUBMIT, headers=[
                ("content-type", "application/grpc"), ("te", "trailers"), ("argus-api-key", self.key),
                ("grpc-timeout", text)])
            connection.send(stream, message(b"\xff"), True)
            self.assertIn(connection.status(stream)[0], (INVALID_ARGUMENT, INTERNAL), text)

    def test_broken_http2(self):
        for data in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200, frame(0, 0, 0, b"x"), frame(1, 4, 1, b"\xff\xff"),
                     frame(8, 0, 0, b"\0\0\0\0"), frame(4, 0, 0, b"abc"), frame(5, 4, 2, b""), frame(6, 0, 0, b"short"),
                     frame(9, 4, 1, b""), b"\xff\xff\xff" + frame(0, 0, 1)[3:], frame(1, 0, 1, b"\x83") * 2):
            with self.subTest(data=data[:30]):
                connection = self.h2()
                connection.raw.send(data)
                connection.until_closed()

    def test_headers_too_large_leave_the_connection_alive(self):
        connection = self.h2()
        stream = connection.open("/" + SUBMIT, headers=[
            ("content-type", "application/grpc"), ("te", "trailers"), ("argus-api-key", self.key), ("x", "y" * 20000)])
        row = connection.streams[stream]
        try:
            connection.send(stream, message(self.good()), True)
        except Exception:  # reset while it was sent
            pass
        row = connection.finish(stream)
        if row["headers"] is not None and row["headers"][":status"] == "200":
            self.assertEqual(connection.status(stream)[0], RESOURCE_EXHAUSTED)
        stream = connection.grpc(SUBMIT, self.key, message(self.good()))
        self.assertEqual(connection.status(stream)[0], OK)
        self.stored += 1

    def test_memory_does_not_grow(self):
        bombs = [b"[" * 60000, b'{"properties": {' + b",".join(b'"%d": "x"' % at for at in range(5000)) + b"}}x",
                 b'{"signature": "' + b"\\u0041" * 9000 + b'"']

        def rounds(count):
            for _ in range(count):
                for bomb in bombs:
                    self.assertEqual(self.rest.post("/events/v2/event", bomb).status, 412)
                for data in (b"\xff" * 1000, self.sized(self.LIMIT) + b"\x07", b""):
                    try:
                        self.grpc.raw(SUBMIT, data)
                        self.stored += 1
                    except GrpcError:
                        pass
                connection = self.h2()
                connection.grpc(SUBMIT, self.key, message(self.good())[:-1], end=False)
                connection.close()
                raw = self.open()
                raw.send(request("POST", "/events/v2/event", self.key, headers=["Content-Length: 60000"]) + b" " * 50000)
                raw.close()

        rounds(40)
        descriptors = self.server.descriptors()
        before = self.server.resident_kib()
        rounds(20 if IS_SANITIZED else 120)
        if not IS_SANITIZED:
            self.assertLess(self.server.resident_kib() - before, 8 * 1024, "KiB of growth")
        self.assertLessEqual(self.server.descriptors(), descriptors + 10)


if __name__ == "__main__":
    main()
