"""Lists of events as clients ask for them: those of a case and who may see them, raw ones, v2's search; pages, orders,
exact counts and the limits of both versions.
"""
import csv
import io
import re
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory

TIME = 1570288030000
EXPLAIN = "vigil.events.v1.EventService/ExplainSearch"
BY_CASE_V1 = "vigil.events.v1.EventService/ListEventsByCase"
STREAM_BY_CASE = "vigil.events.v1.EventService/StreamListEventsByCase"
BY_CASE_V2 = "vigil.events.v2.EventService/ListEventsByCase"
SEARCH_V2 = "vigil.events.v2.EventService/SearchEvents"
STREAM_V2 = "vigil.events.v2.EventService/StreamEvents"


def message(method, document):
    return documented_json.into_message(document, contract.method(method).request())


def submit(rest, documents):
    answer = rest.post("/events/v2/event/bulk", {"events": documents})
    assert answer.status == 201 and answer.data["rejected"] == 0, answer
    return [row["id"] for row in answer.data["events"]]


class Cases(ServerCase):
    """Cases of acme: 10; 11 merged into 10, 12 merged into 11; 13 to 15 by themselves, as 20 of foreign."""

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        for name, number in (("acme", 1001), ("foreign", 1002)):
            directory.customer(name, number)
            directory.user(name + "-user", name)
        directory.user("reader", "foreign")
        directory.user("auditor", "acme")
        for number, customer, members in (
                (10, "acme", {"reader": ["reader"]}), (11, "acme", {"mergedInto": 10}), (12, "acme", {"mergedInto": 11}),
                (13, "acme", {}), (14, "acme", {}), (15, "acme", {}), (20, "foreign", {})):
            directory.add("cases", id=number, customer=customer, subject=f"Case {number}", **members)
        cls.rest = Rest(cls.server.port)
        cls.grpc = Grpc(cls.server.port)
        for client in (cls.rest, cls.grpc):
            cls.addClassCleanup(client.close)
        cls.admin = cls.server.admin_key()
        cls.viewer = directory.key("acme-user", ["EVENT-VIEWER"])
        cls.case_viewer = directory.key("auditor", ["CASE-VIEWER"])
        # Of another customer and without a function that reads events: only named as a reader of case 10.
        cls.reader = directory.key("reader", ["EVENT-SUBMITTER"])
        cls.stranger = directory.key("foreign-user", ["EVENT-VIEWER"])
        with_key = Rest(cls.server.port, cls.admin)
        cls.ids = {}
        documents = []
        for at, (customer, case) in enumerate([(1001, 10), (1001, 10), (1001, 11), (1001, 12), (1001, 13), (1001, 15),
                                               (1002, 20), (1001, None)]):
            text = f"AGGR/{TIME + at}/{customer}/{uuid.UUID(int=at + 1)}"
            documents.append({"id": text, "signature": f"S{at}", **({"associatedCaseID": case} if case else {})})
        cls.ids = submit(with_key, documents)
        with_key.close()

    def of_case(self, key, number, version="v1", **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.rest.get(f"/events/{version}/case/{number}?{query}", key=key)

    def places(self, answer):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["size"], len(answer.data))
        return [self.ids.index(row["id"]) for row in answer.data]

    def test_cases_merged_into_one_another_are_one(self):
        answer = self.of_case(self.viewer, 10)
        self.assertEqual(self.places(answer), [3, 2, 1, 0])
        self.assertEqual([answer.json[name] for name in ("limit", "offset", "count", "size")], [25, 0, 4, 4])
        self.assertEqual(self.places(self.of_case(self.viewer, 11)), [3, 2])
        self.assertEqual(self.places(self.of_case(self.viewer, 12)), [3])

    def test_order_and_pages(self):
        self.assertEqual(self.places(self.of_case(self.viewer, 10, sortBy="timestamp")), [0, 1, 2, 3])
        self.assertEqual(self.places(self.of_case(self.viewer, 10, limit=2, offset=1)), [2, 1])
        answer = self.of_case(self.viewer, 10, limit=0)
        self.assertEqual((len(answer.data), answer.json["limit"], answer.json["count"]), (4, 0, 4))
        answer = self.of_case(self.viewer, 10, offset=4)
        self.assertEqual((answer.data, answer.json["count"]), ([], 4))
        self.assert_error(self.of_case(self.viewer, 10, sortBy="startTimestamp"), 412, "invalid.url.parameter", "sortBy")
        self.assert_error(self.of_case(self.viewer, 0), 412, "invalid.url.parameter", "caseID")
        self.assert_error(self.of_case(self.viewer, "x"), 412, "invalid.url.parameter", "caseID")
        self.assert_error(self.of_case(self.viewer, 10, limit=100001), 412, "invalid.url.parameter", "limit")
        self.assertEqual(self.of_case(self.viewer, 10, limit=100000).status, 200)

    def test_whoever_reads_the_case_reads_its_events(self):
        for key in (self.reader, self.case_viewer):
            answer = self.of_case(key, 10)
            self.assertEqual(self.places(answer), [3, 2, 1, 0])
            found = self.grpc.call(BY_CASE_V1, message(BY_CASE_V1, {"caseID": 10, "limit": 0}), key=key)
            self.assertEqual([row.aggregated.id for row in found.data], [row["id"] for row in answer.data])
        # By no other way than the case: a reader has no eventLookup.
        one = "/events/v1/" + self.ids[0]
        self.assertEqual(self.rest.get(one, key=self.reader).status, 403)
        self.assertEqual(self.rest.post("/events/v2/event/search", {}, key=self.reader).status, 403)

    def test_cases_of_the_answer_are_those_the_caller_may_read(self):
        cases = {row["id"]: [case["id"] for case in row["associatedCases"]]
                 for row in self.of_case(self.reader, 10).data}
        self.assertEqual(cases, {self.ids[3]: [], self.ids[2]: [], self.ids[1]: [10], self.ids[0]: [10]})
        cases = {row["id"]: [case["id"] for case in row["associatedCases"]]
                 for row in self.of_case(self.viewer, 10, "v2").data}
        self.assertEqual(cases, {self.ids[3]: [12], self.ids[2]: [11], self.ids[1]: [10], self.ids[0]: [10]})

    def test_a_case_that_is_unknown_is_one_that_may_not_be_read(self):
        for version in ("v1", "v2"):
            bodies = set()
            for key, number in ((self.viewer, 999), (self.viewer, 20), (self.stranger, 10), (self.stranger, 15)):
                answer = self.of_case(key, number, version)
                self.assert_error(answer, 403, "access.denied")
                self.assertEqual(answer.json["messages"][0]["parameter"], "viewEventsByCase")
                bodies.add(answer.json["messages"][0]["message"])
            self.assertEqual(len(bodies), 1)
        self.assert_error(self.of_case(self.reader, 15), 403, "access.denied")
        self.assertEqual(self.of_case(self.case_viewer, 15).status, 200)
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(BY_CASE_V1, message(BY_CASE_V1, {"caseID": 999}), key=self.viewer)
        self.assertEqual((caught.exception.code, caught.exception.reason), ("PERMISSION_DENIED", "ACCESS_DENIED"))

    def test_v2_needs_event_lookup_too(self):
        self.assertEqual(self.places(self.of_case(self.viewer, 10, "v2")), [3, 2, 1, 0])
        self.assertEqual(self.of_case(self.viewer, 10, "v2").json["count"], 4)
        self.assertEqual(self.places(self.of_case(self.admin, 10, "v2", sortBy="lastEventTimestamp")), [0, 1, 2, 3])
        for key in (self.reader, self.case_viewer):
            self.assert_error(self.of_case(key, 10, "v2"), 403, "access.denied")
        self.assert_error(self.of_case(self.viewer, 10, "v2", sortBy="timestamp"), 412, "invalid.url.parameter", "sortBy")

    def test_raw_events_are_told_only_when_asked_for(self):
        """They are what the events of the case consist of; both shapes stand in one list."""
        raw = f"RAW/{TIME}/1001/{uuid.UUID(int=101)}"
        whole = f"AGGR/{TIME + 1}/1001/{uuid.UUID(int=102)}"
        with_key = Rest(self.server.port, self.admin)
        other = f"RAW/{TIME + 1}/1001/{uuid.UUID(int=101)}"  # its uuid, another event
        submit(with_key, [{"id": raw, "protocol": "udp"}, {"id": other},
                          {"id": whole, "subEvents": [raw, f"RAW/{TIME}/1001/{uuid.UUID(int=999)}", self.ids[7]],
                           "associatedCaseID": 13}])
        with_key.close()

        def listed(version="v1", **parameters):
            answer = self.of_case(self.viewer, 13, version, **parameters)
            self.assertEqual(answer.status, 200, answer)
            return answer.json["count"], [row["id"] for row in answer.data]

        for parameters in ({}, {"includeRawEvents": "false"}, {"version": "v2"}):
            self.assertEqual(listed(**parameters), (2, [self.ids[4], whole]))
        count, rows = listed(includeRawEvents="true", sortBy="timestamp")
        self.assertEqual((count, rows), (3, [raw, whole, self.ids[4]]))
        answer = self.of_case(self.viewer, 13, includeRawEvents="true", sortBy="timestamp")
        self.assertEqual((answer.data[0]["protocolID"], "detailedEventIDS" in answer.data[0]), (17, False))
        self.assertEqual((answer.data[1]["detailedEventIDS"][0], "protocolID" in answer.data[1]), (raw, False))
        self.check_table(raw, whole)
        asked = {"caseID": 13, "includeRawEvents": True, "sortBy": ["timestamp"]}
        found = self.grpc.call(BY_CASE_V1, message(BY_CASE_V1, asked), key=self.viewer)
        self.assertEqual([(row.raw.id, row.aggregated.id) for row in found.data],
                         [(raw, ""), ("", whole), ("", self.ids[4])])
        streamed, _ = self.grpc.rows(STREAM_BY_CASE, message(BY_CASE_V1, asked), key=self.viewer)
        self.assertEqual(list(streamed), list(found.data))

    def check_table(self, raw, whole):
        """As a table both shapes have the columns of either, each by its own name."""
        answer = self.rest.get("/events/v1/case/13?includeRawEvents=true&sortBy=timestamp", key=self.viewer,
                               headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
        self.assertEqual([row["id"] for row in rows], [raw, whole, self.ids[4]])
        self.assertEqual([row["customerInfo.shortName"] for row in rows], ["acme"] * 3)
        self.assertEqual([row["protocolID"] for row in rows], ["17", "", ""])
        self.assertEqual([row["associatedCase.id"] for row in rows], ["", "13", "13"])
        self.assertEqual([row["timestamp"] for row in rows], [str(TIME), str(TIME + 1), str(TIME + 4)])
        self.assertTrue(rows[0]["engineTimestamp"] and not rows[1]["engineTimestamp"])
        self.assertFalse([name for name in rows[0] if name is None or name.startswith(("raw.", "aggregated."))])

    def test_so_many_raw_events_are_told_and_no_more(self):
        with_key = Rest(self.server.port, self.admin)
        parts = [[f"RAW/{TIME}/1001/{uuid.UUID(int=10000 * at + number)}" for number in range(1000, 11000)]
                 for at in range(2)]
        first = submit(with_key, [{"id": {"customer": "acme", "timestamp": TIME + at}, "subEvents": part,
                                   "associatedCaseID": 14} for at, part in enumerate(parts)])
        answer = self.of_case(self.viewer, 14, includeRawEvents="true")
        self.assertEqual([row["id"] for row in answer.data], first[::-1])
        submit(with_key, [{"id": {"customer": "acme"}, "subEvents": [parts[0][0]], "associatedCaseID": 14}])
        answer = self.of_case(self.viewer, 14, includeRawEvents="true")
        self.assert_error(answer, 412, "resultset.too.large")
        self.assertEqual(answer.json["messages"][0]["parameter"], "20000")
        self.assertEqual(self.of_case(self.viewer, 14).json["count"], 3)
        with_key.close()

    def test_criteria_name_cases_by_the_same_rule(self):
        def found(key, **criteria):
            answer = self.rest.post("/events/v2/event/search", criteria, key=key)
            return sorted(self.places(answer))

        self.assertEqual(found(self.viewer, associatedCase=[10]), [0, 1])
        self.assertEqual(found(self.viewer, associatedCase=[20, 999]), [])
        self.assertEqual(found(self.viewer, associatedCase=[0], type="aggregated"), [7])
        self.assertEqual(found(self.admin, associatedCase=["0", 20], type="aggregated"), [6, 7])


class Searches(ServerCase):
    """Forty events in pairs of equal times, every fourth raw."""

    COUNT = 40

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        for name, number in (("acme", 1001), ("sub", 1003)):
            directory.customer(name, number)
        directory.user("user", "acme")
        directory.user("sub-user", "sub")
        cls.key = directory.key("user", ["EVENT-ANALYST", "EVENT-SUBMITTER"])
        cls.sub_key = directory.key("sub-user", ["EVENT-VIEWER"])
        cls.rest = Rest(cls.server.port, cls.server.admin_key())
        cls.grpc = Grpc(cls.server.port, cls.server.admin_key())
        for client in (cls.rest, cls.grpc):
            cls.addClassCleanup(client.close)
        cls.documents = []
        for at in range(cls.COUNT):
            name = "RAW" if at % 4 == 3 else "AGGR"
            customer = 1003 if at % 5 == 0 else 1001
            number = uuid.UUID(int=(at * 7919) % 1000 << 100 | at)
            cls.documents.append({
                "id": f"{name}/{TIME + at // 2}/{customer}/{number}", "signature": f"S{at % 3}",
                "severity": ("low", "medium", "high", "critical")[at % 4], "startTimestamp": TIME - 1000 * at,
                "endTimestamp": TIME + 1000 * at, "protocol": "tcp", "properties": {"n": str(at), "m": ["1", "2"]},
                "source": {"ip": f"10.0.0.{at}", "port": 1000 + at}})
        cls.ids = submit(cls.rest, cls.documents)

    def search(self, **criteria):
        answer = self.rest.post("/events/v2/event/search", criteria)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def places(self, rows):
        return [self.ids.index(row["id"]) for row in rows]

    @staticmethod
    def parts(text):
        kind, time, customer, number = text.split("/")
        return int(time), int(customer), {"AGGR": 1, "RAW": 2}[kind], number

    def test_orders(self):
        keys = {
            "createdTimestamp": lambda at: self.parts(self.ids[at])[0],
            "customerID": lambda at: self.parts(self.ids[at])[1],
            "eventID": lambda at: self.parts(self.ids[at])[3],
            # A raw event keeps both, as the time it has.
            "firstEventTimestamp": lambda at: TIME + at // 2 if at % 4 == 3 else TIME - 1000 * at,
            "lastEventTimestamp": lambda at: TIME + at // 2 if at % 4 == 3 else TIME + 1000 * at,
            "lastUpdatedTimestamp": lambda at: at,
        }
        for name, key in keys.items():
            for sign in ("", "-"):
                with self.subTest(sign + name):
                    answer = self.search(sortBy=sign + name, limit=0)
                    values = [key(at) for at in self.places(answer.data)]
                    self.assertEqual(len(values), self.COUNT)
                    if name == "lastUpdatedTimestamp":
                        continue  # told for aggregated events only; equal ones are in any order
                    self.assertEqual(values, sorted(values, reverse=sign == "-"))
        newest_first = self.places(self.search(limit=0).data)
        self.assertEqual(newest_first, self.places(self.search(limit=0, sortBy=["-createdTimestamp"]).data))
        self.assert_error(self.rest.post("/events/v2/event/search", {"sortBy": "timestamp"}), 412,
                          "invalid.json.field.value", "sortBy")
        self.assert_error(self.rest.post("/events/v2/event/search", {"sortBy": ["eventID", "-eventID"]}), 412,
                          "invalid.json.field.value", "sortBy")

    def test_pages_neither_overlap_nor_skip(self):
        for sort in (["createdTimestamp"], ["-customerID"], ["customerID", "-createdTimestamp"]):
            whole = [row["id"] for row in self.search(sortBy=sort, limit=0).data]
            pages = []
            for offset in range(0, self.COUNT + 7, 7):
                answer = self.search(sortBy=sort, limit=7, offset=offset)
                self.assertEqual([answer.json[name] for name in ("limit", "offset", "count")], [7, offset, self.COUNT])
                pages += [row["id"] for row in answer.data]
            self.assertEqual(pages, whole)

    def test_limits_of_v2(self):
        self.assertEqual(self.search().json["limit"], 25)
        self.assertEqual(len(self.search().data), 25)
        for limit in (0, 100000, 100001, 2147483647):
            answer = self.search(limit=limit)
            self.assertEqual((answer.json["limit"], len(answer.data), answer.json["count"]),
                             (limit, self.COUNT, self.COUNT))
            answer = self.rest.get(f"/events/v2/event?limit={limit}")
            self.assertEqual((answer.json["limit"], len(answer.data)), (limit, self.COUNT))
        self.assert_error(self.rest.post("/events/v2/event/search", {"limit": -1}), 412, "invalid.json.field.value",
                          "limit")
        self.assert_error(self.rest.post("/events/v2/event/search", {"offset": -1}), 412, "invalid.json.field.value",
                          "offset")
        answer = self.search(limit=10, offset=100001)
        self.assertEqual((answer.data, answer.json["count"]), ([], self.COUNT))

    def test_limits_of_v1(self):
        for path, count in (("aggregated", 30), ("nids", 10)):
            for limit in (0, 100000):
                answer = self.rest.post(f"/events/v1/{path}/search", {"startTimestamp": 0, "limit": limit})
                self.assertEqual((answer.json["limit"], answer.json["count"], len(answer.data)), (limit, count, count))
            self.assert_error(self.rest.post(f"/events/v1/{path}/search", {"startTimestamp": 0, "limit": 100001}), 412,
                              "invalid.json.field.value", "limit")

    def test_the_simple_list_of_v2(self):
        answer = self.rest.get(f"/events/v2/event?type=raw&customer=acme&customer=SUB&startTimestamp={TIME}&limit=50")
        self.assertEqual(sorted(self.places(answer.data)), list(range(3, self.COUNT, 4)))
        answer = self.rest.get(f"/events/v2/event?startTimestamp={TIME + 3}&endTimestamp={TIME + 4}&signature=S0")
        self.assertEqual(sorted(self.places(answer.data)), [6, 9])
        row = answer.data[0]
        self.assertEqual((row["properties"], row["comments"], row["subEvents"]), (None, None, None))
        self.assert_error(self.rest.get("/events/v2/event?type=NIDS"), 412, "invalid.url.parameter", "type")

    def test_what_is_told_of_an_event(self):
        row = self.search(eventIdentifier=[self.ids[1]]).data[0]
        self.assertEqual((row["properties"], row["comments"], row["subEvents"]), (None, None, None))
        row = self.search(eventIdentifier=[self.ids[1]], includeProperties=["m", "none"], includeComments=True,
                          includeSubEvents=True).data[0]
        self.assertEqual(row["properties"], [{"key": "m", "type": "string", "values": ["1", "2"]}])
        self.assertEqual((row["comments"], row["subEvents"]), ([], []))
        keys = [entry["key"] for entry in
                self.search(eventIdentifier=[self.ids[3]], includeAllProperties=True).data[0]["properties"]]
        self.assertEqual(keys, ["agent.id", "agent.timestamp", "engine.timestamp", "m", "n"])
        one = self.rest.get(f"/events/v2/event/{self.ids[3]}?includeAllProperties=true").data
        self.assertEqual(self.search(eventIdentifier=[self.ids[3]], includeAllProperties=True).data, [one])

    def test_both_faces_and_the_stream_tell_the_same(self):
        document = {"severity": ["high", "critical"], "limit": 0, "includeAllProperties": True,
                    "endpoint": [{"ip": ["10.0.0.0/27"], "required": True}, {"port": [1003], "exclude": True}]}
        rows = self.search(**document).data
        self.assertEqual(sorted(self.places(rows)), [at for at in range(32) if at % 4 > 1 and at != 3])
        answer = self.grpc.call(SEARCH_V2, message(SEARCH_V2, document))
        self.assertEqual(documented_json.from_message(answer)["data"], rows)
        streamed, page = self.grpc.rows(STREAM_V2, message(SEARCH_V2, document))
        self.assertEqual(page, (0, 0, len(rows)))
        self.assertEqual([documented_json.from_message(row) for row in streamed], rows)

    def test_raw_events_of_v1(self):
        answer = self.rest.post("/events/v1/nids/search", {"startTimestamp": TIME, "sortBy": "engineTimestamp",
                                                          "limit": 0, "multivaluePropertySeparator": "newline"})
        self.assertEqual(sorted(self.places(answer.data)), list(range(3, self.COUNT, 4)))
        row = answer.data[self.places(answer.data).index(3)]
        self.assertEqual((row["properties"]["m"], row["protocolID"], row["sensor"], row["count"]), ("1\n2", 6, None, 1))
        self.assertNotIn("startTimestamp", row)
        self.assertNotIn("protocol", row)
        # The default time is the event's own: its interval does not count.
        answer = self.rest.post("/events/v1/nids/search", {"startTimestamp": TIME + 5, "endTimestamp": TIME + 5})
        self.assertEqual(self.places(answer.data), [11])
        answer = self.rest.get(f"/events/v1/nids?startTimestamp={TIME + 5}&endTimestamp={TIME + 5}&customerID=1001")
        self.assertEqual(self.places(answer.data), [11])
        self.assertEqual(self.rest.get("/events/v1/nids").json["count"], 0)
        for criteria, count in (({"sensorID": [1]}, 0), ({"sensorID": []}, 10),
                                ({"subCriteria": [{"exclude": True, "sensorID": ["1"]}]}, 10)):
            answer = self.rest.post("/events/v1/nids/search", {"startTimestamp": 0, **criteria})
            self.assertEqual(answer.json["count"], count, criteria)
        self.assert_error(self.rest.post("/events/v1/nids/search", {"startTimestamp": 0, "associatedCaseID": [1]}), 412,
                          "unknown.json.field", "associatedCaseID")
        self.assert_error(self.rest.post("/events/v1/nids/search", {"startTimestamp": 0, "sortBy": "count"}), 412,
                          "invalid.json.field.value", "sortBy")
        self.assert_error(self.rest.post("/events/v1/nids/search", {}), 412, "required.field", "startTimestamp")

    def test_what_a_client_sends_unasked(self):
        body = fixture("events_v1_nids_search.xsoar_defaults.request.json")
        answer = self.rest.post("/events/v1/nids/search", body)
        self.assertEqual(answer.status, 200, answer)
        answer = self.rest.post("/events/v1/nids/search", {**body, "startTimestamp": TIME, "endTimestamp": "now"})
        self.assertEqual(answer.json["count"], 10)

    def test_lenient_forms(self):
        answer = self.search(type="raw", customer=1001, severity="critical", limit="5", offset="0", sortBy="eventID",
                             startTimestamp=str(TIME), endTimestamp="2019-10-06", includeFlag=None, excludeFlag=[],
                             attack={"signature": "S0", "exclude": "false"}, endpoint={"port": "1003", "minMaskBits": "32"},
                             property={"key": "n", "value": 3}, subCriteria={"exclude": "true", "customer": None})
        self.assertEqual(self.places(answer.data), [3])

    def test_a_search_explains_itself(self):
        document = {"startTimestamp": TIME, "limit": 4, "signature": ["S1", "S2"], "excludeFlags": ["BLOCKED"]}
        found = self.rest.post("/events/v1/aggregated/search", document).json["count"]
        told = documented_json.from_message(self.grpc.call(EXPLAIN, message(EXPLAIN, document)))
        self.assertEqual((told["rowsMatched"], told["recordsFetched"]), (found, 4))
        self.assertEqual(told["chunks"], told["chunksSkipped"] + told["chunksWhole"] + told["chunksLooked"])
        self.assertGreaterEqual(told["rowsLooked"], found)
        columns = {row["column"]: row for row in told["questions"]}
        self.assertEqual(columns["SIGNATURE"]["valueCount"], 2)
        self.assertTrue(columns["FLAGS_LOW"]["negated"])
        self.assertLessEqual(columns["SIGNATURE"]["rowsOut"], columns["SIGNATURE"]["rowsIn"])
        self.assertGreater(told["evaluateNs"] + told["planNs"], 0)
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(EXPLAIN, message(EXPLAIN, {"signature": ["S1"]}))
        self.assertEqual((caught.exception.reason, caught.exception.fields), ("REQUIRED_FIELD", ["startTimestamp"]))

    def test_an_explanation_tells_nothing_of_other_customers(self):
        def explain(key, **criteria):
            document = {"startTimestamp": 0, "limit": 0, **criteria}
            told = documented_json.from_message(self.grpc.call(EXPLAIN, message(EXPLAIN, document), key=key))
            return {name: value for name, value in told.items() if not name.endswith("Ns")}

        # A key of customer 1003 alone: as if there were no other events, whatever is asked for.
        keys = {name for name, value in explain(self.sub_key).items() if value not in (None, [])}
        self.assertEqual(keys, {"rowsMatched", "rowsOffered", "recordsFetched"})
        own = [at for at, document in enumerate(self.documents) if "/1003/" in document["id"] and at % 4 != 3]
        self.assertEqual(explain(self.sub_key)["rowsMatched"], len(own))
        self.assertEqual(explain(self.sub_key)["recordsFetched"], len(own))
        others = next(at for at in range(self.COUNT) if at % 5 != 0 and at % 4 != 3)
        for there, nowhere in (({"sourceIP": [f"10.0.0.{others}"]}, {"sourceIP": ["10.99.0.1"]}),
                               ({"sourcePort": [str(1000 + others)]}, {"sourcePort": ["5"]}),
                               ({"properties": {"n": str(others)}}, {"properties": {"n": "none"}}),
                               ({"customer": [1001]}, {"customer": [4711]})):
            self.assertEqual(explain(self.sub_key, **there), explain(self.sub_key, **nowhere), there)
            self.assertEqual(explain(self.sub_key, **there)["rowsMatched"], 0)
        whole = explain(self.server.admin_key())
        self.assertGreaterEqual(whole["chunks"], 1)
        self.assertEqual(explain(self.server.admin_key(), customer=[1003])["rowsMatched"], len(own))

    def test_streams_of_lists(self):
        for version, method, document, count in (
                ("v1", "ListNids", {"startTimestamp": TIME}, 10), ("v1", "Nids", {"startTimestamp": TIME}, 10),
                ("v2", "ListEvents", {"startTimestamp": TIME, "limit": 0}, self.COUNT)):
            name = f"vigil.events.{version}.EventService/Stream{method}"
            rows, page = self.grpc.rows(name, message(name, document))
            self.assertEqual((len(rows), page[2]), (count, count), name)


class Many(ServerCase):
    """One event more than a page of v1 may hold."""

    COUNT = 100001

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        cls.rest = Rest(cls.server.port, cls.server.admin_key(), timeout=120)
        cls.grpc = Grpc(cls.server.port, cls.server.admin_key())
        for client in (cls.rest, cls.grpc):
            cls.addClassCleanup(client.close)
        for first in range(0, cls.COUNT, 10000):
            body = ",".join(f'{{"id":{{"customer":"acme","timestamp":{TIME + at}}}}}'
                            for at in range(first, min(first + 10000, cls.COUNT)))
            answer = cls.rest.post("/events/v2/event/bulk", '{"events":[' + body + "]}")
            assert answer.status == 201, answer

    def page(self, path, document):
        """(limit, offset, count, rows, newest and oldest timestamp): read from the text, which is large."""
        answer = self.rest.post(path, document)
        self.assertEqual(answer.status, 200, answer)
        head = re.match(rb'.*?"limit":(\d+),"offset":(\d+),"count":(\d+),', answer.body)
        ids = re.findall(rb'"id":"AGGR/(\d+)/1001/', answer.body)
        size = int(re.search(rb'"size":(\d+)}$', answer.body).group(1))
        self.assertEqual(len(ids), size)
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertEqual(len(set(ids)), size)
        return (*(int(number) for number in head.groups()), size, int(ids[0]) - TIME, int(ids[-1]) - TIME)

    def test_v1_ends_at_its_maximum(self):
        path, criteria = "/events/v1/aggregated/search", {"startTimestamp": 0}
        self.assert_error(self.rest.post(path, {**criteria, "limit": 0}), 412, "resultset.too.large")
        self.assert_error(self.rest.get(f"/events/v1/aggregated?startTimestamp={TIME}&limit=0"), 412,
                          "resultset.too.large")
        self.assertEqual(self.page(path, {**criteria, "limit": 0, "startTimestamp": TIME + 1}),
                         (0, 0, 100000, 100000, 100000, 1))
        self.assertEqual(self.page(path, {**criteria, "limit": 100000, "offset": 1}),
                         (100000, 1, self.COUNT, 100000, 99999, 0))

    def test_v2_has_no_maximum(self):
        path = "/events/v2/event/search"
        whole = (0, self.COUNT, self.COUNT, 100000, 0)
        self.assertEqual(self.page(path, {"limit": 0}), (0, *whole))
        self.assertEqual(self.page(path, {"limit": 100001}), (100001, *whole))
        self.assertEqual(self.page(path, {"limit": 1000000}), (1000000, *whole))
        self.assertEqual(self.page(path, {"limit": 100000}), (100000, 0, self.COUNT, 100000, 100000, 1))
        self.assertEqual(self.page(path, {"limit": 5, "offset": 99998}), (5, 99998, self.COUNT, 3, 2, 0))
        answer = self.rest.post(path, {"limit": 5, "offset": self.COUNT})
        self.assertEqual((answer.data, answer.json["count"]), ([], self.COUNT))

    def test_the_stream_of_v2_tells_all(self):
        rows, page = self.grpc.rows(STREAM_V2, message(SEARCH_V2, {"limit": 0, "sortBy": ["createdTimestamp"]}))
        self.assertEqual(page, (0, 0, self.COUNT))
        self.assertEqual([row.timestamps.created - TIME for row in rows], list(range(self.COUNT)))


if __name__ == "__main__":
    main()
