"""Limits that are promises, each at the limit and one past it, over the wire; and what holds over many events at once."""
import collections
import json
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.raw import Raw, request

SUBMIT = "vigil.events.v2.EventService/SubmitEvent"
BULK = "vigil.events.v2.EventService/SubmitEvents"
SEARCH_PATH = "/events/v1/aggregated/search"
UUID = "1679fbfc-1792-4992-8428-3cb4df642fa8"
BULK_EVENTS = 10_000
SEARCH_ROWS = 100_000
CHANGES_PER_TIME = 200
SUB_EVENTS = 10_000
EVENT_CASES = 1_000
PROPERTY_TEXTS = 16_384
URL_BYTES = 8_192
JSON_VALUES = 1_000_000


class Limits(ServerCase):
    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        cls.directory = Directory(cls.server)
        cls.addClassCleanup(cls.directory.close)
        cls.directory.customer("acme", 1001)
        cls.directory.user("agent", "acme")
        cls.key = cls.directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        cls.rest = Rest(cls.server.port, cls.key, timeout=120)
        cls.addClassCleanup(cls.rest.close)
        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.addClassCleanup(cls.grpc.close)

    def submit(self, document):
        return self.rest.post("/events/v2/event", document)

    def bulk(self, events):
        return self.rest.post("/events/v2/event/bulk", {"events": events})

    def search(self, **criteria):
        return self.rest.post(SEARCH_PATH, {"startTimestamp": 0, **criteria})


class Many(Limits):
    """100,001 events: what a page may hold, and what their update times promise."""

    MARK = "many"

    @classmethod
    def arrange(cls):
        super().arrange()
        left = SEARCH_ROWS
        while left > 0:
            size = min(left, BULK_EVENTS)
            answer = cls.rest.post("/events/v2/event/bulk", {"events": [{"signature": cls.MARK}] * size})
            assert answer.status == 201 and answer.data["accepted"] == size, answer
            left -= size

    def test_a_page_holds_100000_rows_and_no_more(self):
        answer = self.search(limit=0)
        self.assertEqual(answer.status, 200, answer)
        document = json.loads(answer.body)
        self.assertEqual([document[name] for name in ("limit", "count", "size")], [0, SEARCH_ROWS, SEARCH_ROWS])
        self.assertEqual(len({row["id"] for row in document["data"]}), SEARCH_ROWS)
        times = collections.Counter(row["lastUpdatedTimestamp"] for row in document["data"])
        self.assertLessEqual(max(times.values()), CHANGES_PER_TIME, "changes that share one lastUpdatedTimestamp")

        self.assertEqual(self.submit({"signature": self.MARK}).status, 201)
        answer = self.search(limit=0)
        self.assert_error(answer, 412, "resultset.too.large")
        self.assertEqual(answer.json["messages"][0]["parameter"], str(SEARCH_ROWS))
        answer = self.search(limit=SEARCH_ROWS)
        document = json.loads(answer.body)
        self.assertEqual((document["count"], document["size"]), (SEARCH_ROWS + 1, SEARCH_ROWS))
        answer = self.search(limit=25, offset=SEARCH_ROWS)
        self.assertEqual((answer.json["count"], answer.json["size"]), (SEARCH_ROWS + 1, 1))
        answer = self.search(limit=25, offset=2_000_000_000)
        self.assertEqual((answer.status, answer.json["count"], answer.data), (200, SEARCH_ROWS + 1, []))

    def test_everything_is_there_after_a_restart(self):
        before = self.search(limit=1).json["count"]
        self.rest.close()
        self.server.restart()
        type(self).rest = Rest(self.server.port, self.key, timeout=120)
        self.assertEqual(self.search(limit=1).json["count"], before)


class Single(Limits):
    def test_events_of_a_bulk(self):
        self.assertEqual(self.bulk([{}] * BULK_EVENTS).data["accepted"], BULK_EVENTS)
        answer = self.bulk([{}] * (BULK_EVENTS + 1))
        self.assertEqual((answer.status, answer.template), (412, "invalid.json.field.value"), answer)
        method = contract.method(BULK)
        whole = self.grpc.call(BULK, documented_json.into_message({"events": [{}] * BULK_EVENTS}, method.request()))
        self.assertEqual(whole.accepted, BULK_EVENTS)
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(BULK, documented_json.into_message({"events": [{}] * (BULK_EVENTS + 1)}, method.request()))
        self.assertEqual((caught.exception.code, caught.exception.reason), ("INVALID_ARGUMENT", "INVALID_FIELD_VALUE"))

    def test_sub_events_of_an_event(self):
        ids = [f"RAW/{at}/1001/{UUID}" for at in range(SUB_EVENTS + 1)]
        answer = self.submit({"subEvents": ids[:-1]})
        self.assertEqual(answer.status, 201, answer)
        event = self.rest.get("/events/v1/" + answer.data["id"]).data
        self.assertEqual((event["detailedEventIDS"], event["flags"]), (ids[:-1], ["HAS_DETAILS"]))
        more = self.submit({"id": answer.data["id"], "subEvents": ids[-1:]})
        self.assertEqual((more.status, more.template), (412, "event.too.large"), more)
        again = self.submit({"id": answer.data["id"], "subEvents": ids[:5]})
        self.assertEqual(again.status, 201, "those that are there already add nothing")
        self.assertEqual(self.submit({"subEvents": ids}).status, 412)

    def test_properties_of_an_event(self):
        """Keys and values are counted together; three are the server's own."""
        own = 6
        pairs = (PROPERTY_TEXTS - own) // 2
        answer = self.submit({"properties": {f"k{at}": "v" for at in range(pairs)}})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(len(self.rest.get("/events/v1/" + answer.data["id"]).data["properties"]), pairs + 3)
        more = self.submit({"id": answer.data["id"], "properties": {"one-more": "v"}})
        self.assertEqual((more.status, more.template), (412, "event.too.large"), more)
        event = self.rest.get("/events/v1/" + answer.data["id"]).data
        self.assertNotIn("one-more", event["properties"], "what was refused changed nothing")

    def test_bytes_of_properties_of_an_event(self):
        values = {f"k{at}": ["x" * 1000 + str(part) for part in range(10)] for at in range(100)}
        answer = self.submit({"properties": values})
        self.assertEqual(answer.status, 201, answer)
        more = self.submit({"id": answer.data["id"], "properties": {f"l{at}": values["k0"] for at in range(10)}})
        self.assertEqual((more.status, more.template), (412, "event.too.large"), more)

    def test_keys_and_values_are_cut(self):
        answer = self.submit({"properties": {"ø" * 51: "æ" * 1025, "k" * 50: "v" * 1024}})
        properties = self.rest.get("/events/v1/" + answer.data["id"]).data["properties"]
        self.assertEqual((properties["ø" * 50], properties["k" * 50]), ("æ" * 1024, "v" * 1024))

    def test_payload_of_an_event(self):
        for size, status in ((1_048_576, 201), (1_048_577, 412)):
            answer = self.submit({"payload": {"payload": "x" * size, "payloadType": "string"}})
            self.assertEqual(answer.status, status, answer)
        answer = self.submit({"payload": {"payload": "eHg=", "payloadType": "pcap"}})
        event = self.rest.get("/events/v1/" + answer.data["id"]).data
        self.assertEqual(event["flags"], ["HAS_PAYLOAD", "HAS_PCAP"])

    def test_cases_of_an_event(self):
        for number in range(1, EVENT_CASES + 2):
            self.directory.add("cases", id=number, customer="acme", subject="Case", reader=["agent"])
        numbers = list(range(1, EVENT_CASES + 1))
        answer = self.submit({"associatedCaseIDs": numbers})
        self.assertEqual(answer.status, 201, answer)
        event = self.rest.get("/events/v1/" + answer.data["id"]).data
        self.assertEqual(sorted(case["id"] for case in event["associatedCases"]), numbers)
        self.assertIn("NOTIFIED", event["flags"])
        more = self.submit({"id": answer.data["id"], "associatedCaseID": EVENT_CASES + 1})
        self.assertEqual((more.status, more.template), (412, "event.too.large"), more)

    def test_values_of_a_json_body(self):
        for count, status in ((JSON_VALUES - 10, 201), (JSON_VALUES, 412)):
            body = '{"events": [{"flags": [' + ",".join(['"BLOCKED"'] * count) + "]}]}"
            answer = self.rest.post("/events/v2/event/bulk", body)
            self.assertEqual(answer.status, status, answer)

    def test_bytes_of_an_event(self):
        limit = 8 << 20
        good = '{"signature": "wide"}'
        self.assertEqual(self.submit(good.ljust(limit)).status, 201)
        raw = Raw(self.server.port)  # it is refused by its length, before the body comes
        raw.send(request("POST", "/events/v2/event", self.key, headers=[f"Content-Length: {limit + 1}"]))
        self.assertEqual(raw.answer().status, 413)
        raw.close()

    def test_bytes_of_a_target(self):
        path = "/events/v1/aggregated?x="
        for size, status in ((URL_BYTES, 200), (URL_BYTES + 1, None)):
            raw = Raw(self.server.port)
            raw.send(request("GET", path + "y" * (size - len(path)), self.key))
            answer = raw.answer()
            raw.close()
            if status is None:
                self.assertEqual(answer.status, 414, answer)
            else:
                self.assertEqual(answer.status, status, answer)

    def test_one_event_changed_by_many_at_once(self):
        """Counts of parallel updates: the last acknowledged of each writer's properties is there, none is lost."""
        event_id = self.submit({"signature": "shared"}).data["id"]
        method = contract.method(SUBMIT)
        stub = self.grpc.stub(SUBMIT)
        waiting = [stub.future(documented_json.into_message(
            {"id": event_id, "properties": {f"w{at}": str(at)}, "flags": ["BLOCKED"]}, method.request()),
            metadata=self.grpc.metadata(...), timeout=60) for at in range(300)]
        for answer in waiting:
            self.assertEqual(answer.result().id, event_id)
        event = self.rest.get("/events/v1/" + event_id).data
        self.assertEqual({name: value for name, value in event["properties"].items() if name[0] == "w"},
                         {f"w{at}": str(at) for at in range(300)})
        self.assertEqual(event["flags"], ["BLOCKED"])
        found = self.search(signature=["shared"])
        self.assertEqual((found.json["count"], found.data[0]["id"]), (1, event_id))

    def test_a_bulk_of_one_event_is_applied_in_order(self):
        event_id = f"AGGR/1000/1001/{uuid.uuid4()}"
        answer = self.bulk([{"id": event_id, "count": at + 1, "properties": {f"p{at % 7}": str(at)}} for at in range(700)])
        self.assertEqual(answer.data["accepted"], 700)
        event = self.rest.get("/events/v1/" + event_id).data
        self.assertEqual(event["count"], 700)
        self.assertEqual({f"p{at % 7}": str(at) for at in range(693, 700)},
                         {name: value for name, value in event["properties"].items() if name[0] == "p"})


if __name__ == "__main__":
    main()
