"""Every request the guides print that this server answers, sent by curl as printed but for host and key, and the same
operations by grpcio with code made from our .proto files. The rows have the names of the list of documented requests.
"""
import json
import time
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import ENVELOPE, Grpc, Rest, curl
from vigiltest.directory import Directory

EVENT_V2 = "vigil.events.v2.EventService/"
EVENT_V1 = "vigil.events.v1.EventService/"
# How far apart the clocks of a test and its server can be: they are one clock.
CLOCK_SLACK_MS = 60_000
ID_PATTERN = r"^(AGGR|RAW)/\d+/\d+/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


def now_ms():
    return int(time.time() * 1000)


class Documented(ServerCase):
    """Customers as the guides name them: demo (2171) of the example event, shortname (1) of the submissions."""

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("demo", 2171, "Demo")
        directory.customer("shortname", 1, "Shortname")
        directory.user("agent", "shortname")
        directory.add("signatures", name="SNORT-1:41336", alarmID=58129,
                      alarmDescription="MALWARE - Andr.Trojan.Sysch variant activity", categoryID=363,
                      categoryName="Callback traffic (Check-in) (infected client/server)")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"], ["shortname", "demo"])
        cls.url = f"http://127.0.0.1:{cls.server.port}"
        cls.rest = Rest(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)
        cls.addClassCleanup(directory.close)

    def curl(self, *words, data=None):
        answer = curl("-H", f"Argus-API-Key: {self.key}", *words, data=data)
        self.assertEqual(answer.headers["content-type"].lower(), "application/json; charset=utf-8")
        self.assertEqual(list(answer.json), ENVELOPE, "the envelope has all members, in the documented order")
        self.assertEqual(answer.json["responseCode"], answer.status)
        return answer

    def submit(self, body):
        """POST /events/v2/event as the guide prints it: -d, so with a form content type."""
        text = body if isinstance(body, str) else json.dumps(body)
        answer = self.curl(self.url + "/events/v2/event", data=text)
        self.assertEqual(answer.status, 201, answer)
        document = answer.json
        self.assertEqual(list(document["data"]), ["id", "status", "message"])
        self.assertEqual((document["data"]["status"], document["data"]["message"]), ("accepted", None))
        self.assertRegex(document["data"]["id"], ID_PATTERN)
        self.check_object(document)
        return document["data"]["id"]

    def check_object(self, document):
        """limit, offset, count and size of an answer with one object."""
        self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [0, 0, 0, 0])
        self.assertEqual((document["metaData"], document["messages"]), ({}, []))

    def v1(self, event_id):
        answer = self.rest.get("/events/v1/" + event_id)
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def v2(self, event_id, query=""):
        answer = self.rest.get("/events/v2/event/" + event_id + query)
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def check_order(self, expected, actual, path="data"):
        """Every documented member is there, and in the documented order; ours may have more."""
        if isinstance(expected, dict) and path != "data.properties":
            self.assertIsInstance(actual, dict, path)
            self.assertEqual([name for name in actual if name in expected], list(expected), f"members of {path}")
            for name, value in expected.items():
                if actual[name] is not None:
                    self.check_order(value, actual[name], f"{path}.{name}")
        elif isinstance(expected, list) and expected and actual:
            self.check_order(expected[0], actual[0], path + "[]")

    def search(self, criteria, *words):
        answer = self.curl("-XPOST", *words, self.url + "/events/v1/aggregated/search", data=json.dumps(criteria))
        self.assertEqual(answer.status, 200, answer)
        return answer.json


class Fetching(Documented):
    EXAMPLE = "AGGR/1569185283911/2171/6c36deb6-d5e3-461c-bab4-fca397006cb9"

    def test_e1_get_event_answers_the_event_of_the_guide(self):
        expected = fixture("events_v1_get_event_AGGR.response.json")
        data = expected["data"]
        self.submit({
            "id": self.EXAMPLE, "signature": "SNORT-1:41336", "severity": "high", "protocol": 0,
            "startTimestamp": 1569185283910, "endTimestamp": "1569185283910",
            "properties": data["properties"], "flags": data["flags"],
            "source": {"ip": "10.5.97.201", "port": 12342},
            "destination": {"ip": "94.127.56.1", "port": 80,
                            "geoLocation": {"countryCode": "no", "latitude": 52.3824, "longitude": 4.8995}},
        })
        answer = self.curl(f"{self.url}/events/v1/{self.EXAMPLE}")
        self.assertEqual(answer.status, 200)
        self.check_object(answer.json)
        found = answer.data
        self.check_order(data, found)
        for name in data:
            if name not in ("properties", "lastUpdatedTimestamp", "flags", "source", "destination"):
                self.assertEqual(found[name], data[name], name)
        self.assertEqual(found["properties"], found["properties"] | data["properties"])
        self.assertEqual(sorted(found["flags"]), sorted(data["flags"]))
        expected_source = dict(data["source"])
        self.assertEqual(found["source"], expected_source)
        destination = dict(data["destination"])
        self.assertEqual(found["destination"], destination)
        self.assertAlmostEqual(found["lastUpdatedTimestamp"], now_ms(), delta=CLOCK_SLACK_MS)
        # Members that are newer than the guide's example.
        newer = {"associatedCases": [], "comments": [], "sourceAddress": "10.5.97.201",
                 "destinationAddress": "94.127.56.1", "sourcePort": 12342, "destinationPort": 80}
        self.assertEqual(newer, {name: found[name] for name in newer})

    def test_e1_every_member_of_the_shape_is_there(self):
        shape = fixture("events_v1_aggregated_list.shape.json")["data"][0]
        event = self.v1(self.submit({"signature": "shape"}))
        self.assertEqual(sorted(event), sorted(shape))

    def test_e1_flags_stand_in_the_order_of_their_declaration(self):
        event = self.v1(self.submit({"flags": ["FAILURE", "BLOCKED", "ESTABLISHED", "HAS_PCAP"]}))
        self.assertEqual(event["flags"], ["ESTABLISHED", "BLOCKED", "HAS_PCAP", "FAILURE"])

    def test_e1_an_unknown_event_is_404(self):
        answer = self.curl(f"{self.url}/events/v1/AGGR/1569185283911/2171/00000000-d5e3-461c-bab4-fca397006cb9")
        self.assert_error(answer, 404, "event.not.found")

    def test_e1_a_raw_path_does_not_find_an_aggregated_event(self):
        event_id = self.submit({"signature": "aggregated"})
        answer = self.curl(f"{self.url}/events/v1/{event_id.replace('AGGR', 'RAW')}")
        self.assert_error(answer, 404, "event.not.found")
        self.assertEqual(self.v2(event_id.replace("AGGR", "NIDS"))["id"], event_id, "v2 ignores the type")


class Listing(Documented):
    @classmethod
    def arrange(cls):
        super().arrange()
        day = 24 * 3600 * 1000
        cls.now = now_ms()
        cls.ids = []
        for age in [*range(30), day + 600_000]:
            answer = cls.rest.post("/events/v2/event", {"id": {"timestamp": cls.now - age}, "signature": f"age-{age}"})
            assert answer.status == 201, answer
            cls.ids.append(answer.data["id"])

    def test_e2_list_of_the_last_24_hours(self):
        answer = self.curl(self.url + "/events/v1/aggregated")
        document = answer.json
        self.assertEqual(answer.status, 200)
        numbers = [document[name] for name in ("limit", "offset", "count", "size")]
        self.assertEqual(numbers, [25, 0, 30, 25])
        self.assertEqual([event["id"] for event in document["data"]], self.ids[:25], "the newest first")

    def test_e2_trailing_slash_and_query(self):
        answer = self.curl(self.url + "/events/v1/aggregated/?limit=2&offset=29&startTimestamp=-2+days")
        document = answer.json
        self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [2, 29, 31, 2])
        self.assertEqual([event["id"] for event in document["data"]], self.ids[29:])

    def test_e2_limit_0_is_everything(self):
        document = self.curl(self.url + "/events/v1/aggregated?limit=0").json
        self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [0, 0, 30, 30])


class Searching(Documented):
    @classmethod
    def arrange(cls):
        super().arrange()
        for number in range(3):
            body = {"signature": "SNORT-1:41336", "id": {"timestamp": 1567288800001 + number}}
            assert cls.rest.post("/events/v2/event", body).status == 201
        body = {"signature": "SNORT-1:41336", "id": {"timestamp": 1567288799999}}
        assert cls.rest.post("/events/v2/event", body).status == 201

    def test_e3_search_by_signature(self):
        document = self.search(fixture("events_v1_aggregated_search.signature.request.json"))
        self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [25, 0, 3, 3])
        self.assertEqual([event["timestamp"] for event in document["data"]],
                         [1567288800003, 1567288800002, 1567288800001])
        self.assertEqual({event["attackInfo"]["alarmID"] for event in document["data"]}, {58129})

    def test_e3_members_stand_in_the_documented_order(self):
        shape = fixture("events_v1_get_event_AGGR.response.json")["data"]
        document = self.search({"signature": ["SNORT-1:41336"], "startTimestamp": 1567288800000})
        for event in document["data"]:
            self.check_order(shape, event)

    def test_e3_without_start_timestamp_is_412(self):
        expected = fixture("error_412_missing_start.made.json")
        answer = self.curl("-XPOST", self.url + "/events/v1/aggregated/search",
                           data='{"signature": ["SNORT-1:41336"]}')
        self.assert_error(answer, 412, "required.field", "startTimestamp")
        message = answer.json["messages"][0]
        self.assertEqual(list(message), list(expected["messages"][0]))
        self.assertEqual((message["type"], message["parameter"]), ("FIELD_ERROR", None))
        self.assertAlmostEqual(message["timestamp"], now_ms(), delta=CLOCK_SLACK_MS)


class Networks(Documented):
    """E4 and E5: the whole table of events-api.md 4.2, on each side, and by v2's endpoints."""

    # Network of the criteria, least mask bits (None = not given), stored address or network (None = none), match.
    TABLE = [
        ("192.168.1.32/28", None, "192.168.1.32/28", True),
        ("192.168.1.32/28", None, "192.168.1.33", True),
        ("192.168.1.32/28", None, "192.168.1.40/29", True),
        ("192.168.1.32/28", None, "192.168.1.0/24", True),
        ("192.168.1.32/28", None, "0.0.0.0/0", True),
        ("192.168.1.32/28", None, "192.168.1.48/28", False),
        ("192.168.1.0/24", 20, "192.168.0.0/20", True),
        ("192.168.1.0/24", 20, "192.168.0.0/19", False),
        ("192.168.1.0/24", 20, "192.168.1.77", True),
        ("10.0.0.0/8", 20, "10.0.0.0/8", True),
        ("10.0.0.0/8", 20, "10.1.0.0/16", False),
        ("10.0.0.0/8", 20, "10.1.2.0/24", True),
        ("10.1.2.3", 32, "10.1.2.0/24", False),
        ("0.0.0.0/0", None, "192.168.1.33", True),
        ("0.0.0.0/0", None, "2001:db8::1", False),
        ("::/0", None, "2001:db8::1", True),
        ("2001:db8::/32", 20, "2001:d00::/24", True),
        ("2001:db8::/32", 33, "2001:db8::/32", True),
        ("::ffff:10.0.0.1", None, "10.0.0.1", True),
        ("10.0.0.1", None, "::ffff:10.0.0.1", True),
        ("10.0.0.0/8", 33, "10.0.0.1", False),
        ("0.0.0.0/0", None, None, False),
        ("::/0", 0, None, False),
    ]
    START = 1567288800000

    @classmethod
    def arrange(cls):
        super().arrange()
        cls.ids = {}
        for side in ("source", "destination"):
            for place, stored in enumerate({row[2]: None for row in cls.TABLE}):
                body = {"signature": side, "id": {"timestamp": cls.START + place}}
                if stored is not None:
                    body[side] = {"ip": stored}
                answer = cls.rest.post("/events/v2/event", body)
                assert answer.status == 201, answer
                cls.ids[side, stored] = answer.data["id"]

    def found(self, side, criteria):
        document = self.search({"signature": [side], "startTimestamp": self.START, "limit": 100, **criteria})
        self.assertEqual(document["count"], document["size"])
        return {event["id"] for event in document["data"]}

    def found_v2(self, side, endpoint):
        answer = self.rest.post("/events/v2/event/search", {
            "attack": [{"signature": [side]}], "endpoint": [endpoint], "limit": 0})
        self.assertEqual(answer.status, 200, answer)
        return {event["id"] for event in answer.data}

    def test_e4_the_table_of_both_sides(self):
        for network, bits, stored, matches in self.TABLE:
            for side, other in (("source", "destination"), ("destination", "source")):
                with self.subTest(network=network, bits=bits, stored=stored, side=side):
                    event = self.ids[side, stored]
                    limit = {} if bits is None else {side + "IPMinBits": bits}
                    self.assertEqual(event in self.found(side, {side + "IP": [network], **limit}), matches)
                    self.assertEqual(event in self.found(side, {"ip": network, **limit}), matches)
                    self.assertNotIn(event, self.found(side, {other + "IP": [network], **limit}))

    def test_e4_the_table_of_v2(self):
        for network, bits, stored, matches in self.TABLE:
            for side in ("source", "destination"):
                with self.subTest(network=network, bits=bits, stored=stored, side=side):
                    event = self.ids[side, stored]
                    endpoint = {"ip": [network], **({} if bits is None else {"minMaskBits": bits})}
                    self.assertEqual(event in self.found_v2(side, endpoint), matches)
                    only = {**endpoint, "endpointFieldStrategy": side}
                    self.assertEqual(event in self.found_v2(side, only), matches)

    def test_e4_as_printed(self):
        criteria = fixture("events_v1_aggregated_search.cidr.request.json")
        found = self.found("source", criteria)
        self.assertEqual(found, {self.ids["source", stored] for stored in (
            "192.168.1.32/28", "192.168.1.33", "192.168.1.40/29", "192.168.1.0/24", "192.168.1.48/28", "192.168.0.0/20",
            "192.168.1.77")})

    def test_e4_bits_of_one_side_are_not_those_of_the_other(self):
        wide = self.ids["source", "192.168.0.0/19"]
        self.assertIn(wide, self.found("source", {"ip": "192.168.1.0/24", "destinationIPMinBits": 20}))
        self.assertNotIn(wide, self.found("source", {"ip": "192.168.1.0/24", "sourceIPMinBits": 20}))

    def test_e4_several_networks_are_an_or(self):
        found = self.found("source", {"ip": ["10.0.0.1", "2001:db8::1"], "sourceIPMinBits": 32})
        self.assertEqual(found, {self.ids["source", stored] for stored in (
            "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:db8::/32")})

    def test_e4_what_is_no_network_or_no_number_of_bits(self):
        for name, value, field in (("ip", "192.168.1.0/33", "ip[0]"), ("sourceIP", ["::/129"], "sourceIP[0]"),
                                   ("destinationIP", ["::", "10.1.2"], "destinationIP[1]"),
                                   ("sourceIPMinBits", 129, "sourceIPMinBits"),
                                   ("destinationIPMinBits", -1, "destinationIPMinBits")):
            with self.subTest(name=name, value=value):
                answer = self.curl(self.url + "/events/v1/aggregated/search",
                                   data=json.dumps({"startTimestamp": self.START, name: value}))
                self.assert_error(answer, 412, "invalid.json.field.value", field)

    def test_e5_the_table_as_printed(self):
        found = self.found("source", {"ip": ["192.168.1.32/28"]})
        printed = ("192.168.1.32/28", "192.168.1.33", "192.168.1.40/29", "192.168.1.0/24", "0.0.0.0/0")
        # The two wider ones are of row E4; they cover the network as 192.168.1.0/24 does.
        covering = ("192.168.0.0/20", "192.168.0.0/19")
        self.assertEqual(found, {self.ids["source", stored] for stored in printed + covering})


class ByCase(Documented):
    """E6: the events of a case."""

    CASE = 12342345

    @classmethod
    def arrange(cls):
        super().arrange()
        admin = Rest(cls.server.port, cls.server.admin_key())
        cls.addClassCleanup(admin.close)
        for number in (cls.CASE, 7):
            answer = admin.post("/admin/v1/cases", {"id": number, "customer": "shortname", "subject": "As printed"})
            assert answer.status == 201, answer
        cls.ids = []
        for place in range(12):
            answer = admin.post("/events/v2/event", {
                "id": {"customer": "shortname", "timestamp": 1570288030000 + place}, "associatedCaseID": cls.CASE})
            assert answer.status == 201, answer
            cls.ids.append(answer.data["id"])
        for body in ({"associatedCaseID": 7}, {}):
            answer = admin.post("/events/v2/event", {"id": {"customer": "shortname"}, **body})
            assert answer.status == 201, answer

    def test_e6_the_first_events_of_the_case(self):
        answer = self.curl(f"{self.url}/events/v1/case/{self.CASE}?limit=10")
        self.assertEqual(answer.status, 200, answer)
        document = answer.json
        self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [10, 0, 12, 10])
        self.assertEqual([event["id"] for event in document["data"]], self.ids[:1:-1], "the newest first")
        for event in document["data"]:
            self.assertEqual(event["associatedCase"]["id"], self.CASE)
            self.assertIn("description", event["associatedCase"])

    def test_e6_in_order_of_time_and_of_v2(self):
        answer = self.curl(f"{self.url}/events/v1/case/{self.CASE}?sortBy=timestamp&limit=0")
        self.assertEqual([event["id"] for event in answer.data], self.ids)
        self.assertEqual([answer.json[name] for name in ("limit", "count", "size")], [0, 12, 12])
        answer = self.curl(f"{self.url}/events/v2/case/{self.CASE}?limit=10&offset=10")
        self.assertEqual([event["id"] for event in answer.data], self.ids[1::-1])
        self.assertEqual([row["id"] for row in answer.data[0]["associatedCases"]], [self.CASE])

    def test_e6_another_order_is_412(self):
        answer = self.curl(f"{self.url}/events/v1/case/{self.CASE}?sortBy=severity")
        self.assert_error(answer, 412, "invalid.url.parameter", "sortBy")


class ClientRequests(Documented):
    """Bodies and requests that real clients send unasked."""

    BODIES = ("signature", "cidr", "continuous_first", "continuous_next", "actworkers", "xsoar_defaults")

    def test_every_recorded_search_is_answered(self):
        for name in self.BODIES:
            with self.subTest(name=name):
                body = fixture(f"events_v1_aggregated_search.{name}.request.json")
                answer = self.curl("-H", "Content-Type: application/json", "-XPOST",
                                   self.url + "/events/v1/aggregated/search", data=json.dumps(body))
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.json["limit"], body.get("limit", 25))

    def pull(self, body, mark):
        """A page of the guide's loop, of the events marked; its rows."""
        document = self.search({**body, "signature": [mark]}, "-H", "Content-Type: application/json")
        self.assertEqual(document["limit"], 1000)
        times = [row["lastUpdatedTimestamp"] for row in document["data"]]
        self.assertLessEqual(len(times), 1000)
        self.assertEqual(times, sorted(times))
        return document["data"]

    def submit_marked(self, count):
        mark = uuid.uuid4().hex
        answer = self.rest.post("/events/v2/event/bulk", {"events": [
            {"signature": mark, "id": {"timestamp": "2020-06-01"}}] * count})
        self.assertEqual(answer.data["accepted"], count)
        return mark, {row["id"] for row in answer.data["events"]}

    def test_e7_the_first_page_of_a_continuous_pull(self):
        first = fixture("events_v1_aggregated_search.continuous_first.request.json")
        mark, ids = self.submit_marked(1200)
        rows = self.pull(first, mark)
        self.assertEqual(len(rows), 1000)
        self.assertLess({row["id"] for row in rows}, ids)
        old, _ = self.submit_marked(1)
        answer = self.rest.post("/events/v2/event", {"signature": old, "id": {"timestamp": "2019-12-31T23:59:59Z"}})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(len(self.pull(first, old)), 1, "nothing from before 2020")

    def test_e8_the_next_pages_end_with_all_events(self):
        first = fixture("events_v1_aggregated_search.continuous_first.request.json")
        following = fixture("events_v1_aggregated_search.continuous_next.request.json")
        mark, ids = self.submit_marked(3000)
        rows = self.pull(first, mark)
        seen = {row["id"]: row["lastUpdatedTimestamp"] for row in rows}
        while rows:
            bound = rows[-1]["lastUpdatedTimestamp"]
            boundary = {row["id"] for row in rows if row["lastUpdatedTimestamp"] == bound}
            rows = self.pull({**following, "lastUpdatedTimestamp": bound}, mark)
            self.assertLessEqual(boundary, {row["id"] for row in rows}, "the events of the boundary come again")
            self.assertEqual(rows[0]["lastUpdatedTimestamp"], bound)
            rows = [row for row in rows if row["id"] not in seen]
            seen.update((row["id"], row["lastUpdatedTimestamp"]) for row in rows)
        self.assertEqual(set(seen), ids)

    def test_e8_an_updated_event_comes_again(self):
        following = fixture("events_v1_aggregated_search.continuous_next.request.json")
        mark, ids = self.submit_marked(3)
        rows = self.pull({**following, "lastUpdatedTimestamp": 0}, mark)
        self.assertEqual({row["id"] for row in rows}, ids)
        changed = rows[0]["id"]
        self.submit({"id": changed})  # also one that changes no value
        bound = rows[-1]["lastUpdatedTimestamp"]
        rows = self.pull({**following, "lastUpdatedTimestamp": bound + 1}, mark)
        self.assertEqual([row["id"] for row in rows], [changed])

    def test_e8_last_updated_without_start_is_412(self):
        answer = self.curl(self.url + "/events/v1/aggregated/search", data='{"lastUpdatedTimestamp": 1}')
        self.assert_error(answer, 412, "required.field", "startTimestamp")

    def test_the_session_of_the_key(self):
        answer = self.curl(self.url + "/authentication/v1/session")
        self.assertEqual(answer.status, 200)
        self.check_object(answer.json)
        session = answer.data
        self.assertEqual(list(session), [
            "authenticationMethod", "clientIP", "createdTimestamp", "passwordNotSet", "readOnly", "securityLevel",
            "sessionKey", "timestamp", "validUntilTimestamp"])
        self.assertEqual([session[name] for name in (
            "authenticationMethod", "clientIP", "passwordNotSet", "readOnly", "securityLevel", "sessionKey",
            "validUntilTimestamp")], ["APIKEY", "127.0.0.1", False, False, "DEFAULT", None, 0])
        self.assertAlmostEqual(session["timestamp"], now_ms(), delta=CLOCK_SLACK_MS)
        self.assertEqual(self.curl(self.url + "/authentication/v1/session?domain=elsewhere").status, 401)

    def test_the_current_user(self):
        shape = fixture("currentuser_v1_user.shape.json")["data"]
        answer = self.curl(self.url + "/currentuser/v1/user")
        self.assertEqual(answer.status, 200)
        user = answer.data
        self.assertEqual(set(user), set(shape))
        self.check_order(shape["customer"], user["customer"], "customer")
        self.assertEqual((user["userName"], user["customer"]["shortName"], user["timeZone"]["description"],
                          user["language"], user["flags"], user["properties"], user["ascendantIDs"]),
                         ("agent", "shortname", "UTC", "ENGLISH", ["AUTH_APIKEY"], {}, []))


class Submitting(Documented):
    UUID = "1679fbfc-1792-4992-8428-3cb4df642fa8"

    def like(self, expected, actual, changing):
        """Equal but for the members named in `changing`, whose values are only of the same type."""
        expected, actual = json.loads(json.dumps(expected)), json.loads(json.dumps(actual))
        for path in changing:
            here, there, name = expected, actual, path[-1]
            for step in path[:-1]:
                here, there = here[step], there[step]
            self.assertIs(type(there[name]), type(here[name]), path)
            here[name] = there[name]
        self.assertEqual(json.dumps(actual), json.dumps(expected))

    def test_e9_a_signature_is_enough(self):
        before = now_ms()
        event_id = self.submit('{"signature": "MySignature"}')
        expected = fixture("events_v1_get_event.minimal.made.json")
        event = self.v1(event_id)
        times = ("timestamp", "startTimestamp", "endTimestamp", "lastUpdatedTimestamp", "id")
        self.like(expected["data"], event, [(name,) for name in times] + [
            ("customerInfo",), ("properties", "agent.timestamp"), ("properties", "engine.timestamp")])
        self.assertEqual(event["customerInfo"], {"id": 1, "shortName": "shortname", "name": "Shortname"})
        self.assertEqual(event["id"], event_id)
        self.assertEqual(len({event[name] for name in times[:3]}), 1, "start and end are the event's time")
        self.assertTrue(before <= event["timestamp"] <= now_ms())
        self.assertTrue(event["timestamp"] <= event["lastUpdatedTimestamp"] <= now_ms() + 1000)
        kind, timestamp, customer, unique = event_id.split("/")
        self.assertEqual((kind, int(timestamp), customer), ("AGGR", event["timestamp"], "1"))
        self.assertEqual(uuid.UUID(unique).version, 4)

    def test_e9_the_same_event_in_v2(self):
        event_id = self.submit(json.dumps(fixture("events_v2_event.minimal.request.json")))
        expected = fixture("events_v2_get_event.minimal.made.json")
        event = self.v2(event_id)
        times = [("timestamps", name) for name in
                 ("created", "enginePersisted", "firstEvent", "lastEvent", "lastUpdated", "published")]
        self.like(expected["data"], event, [("id",), ("uuid",), ("customer",), *times])
        self.assertEqual((event["id"], event["uuid"]), (event_id, event_id.split("/")[3]))

    def test_e9_an_empty_object_is_an_event(self):
        event = self.v1(self.submit("{}"))
        self.assertEqual((event["severity"], event["count"], event["attackInfo"]["signature"]), ("low", 1, None))

    def test_e9_the_answer_is_the_documented_one(self):
        expected = fixture("events_v2_event.response_201.json")
        answer = self.curl(self.url + "/events/v2/event", data='{"signature": "MySignature"}')
        self.assertEqual(answer.status, expected["responseCode"])
        self.like(expected["data"], answer.data, [("id",)])

    def test_e10_customer_and_timestamp(self):
        event_id = self.submit(fixture("events_v2_event.customer_ts.request.json"))
        self.assertTrue(event_id.startswith("AGGR/1570288030000/1/"), event_id)
        event = self.v1(event_id)
        self.assertEqual((event["timestamp"], event["startTimestamp"], event["endTimestamp"]), (1570288030000,) * 3)
        self.assertEqual(event["customerInfo"]["shortName"], "shortname")

    def test_e11_update_by_object_id(self):
        body = fixture("events_v2_event.update.request.json")
        first = self.submit({**body, "count": 1, "signature": "MySignature", "severity": "high"})
        self.assertEqual(first, f"AGGR/1570288030000/1/{self.UUID}")
        self.assertEqual(self.submit(body), first)
        event = self.v1(first)
        self.assertEqual((event["count"], event["severity"], event["attackInfo"]["signature"]),
                         (2, "high", "MySignature"), "the count is replaced, what is absent stays")
        self.assertEqual(event["timestamp"], 1570288030000)

    def test_e12_update_by_id_text(self):
        body = fixture("events_v2_event.update_idstring.request.json")
        self.submit({"id": body["id"], "count": 7, "uri": "/kept"})
        self.assertEqual(self.submit(body), body["id"])
        event = self.v1(body["id"])
        self.assertEqual((event["count"], event["uri"]), (2, "/kept"))

    def test_e12_every_stored_update_moves_last_updated(self):
        event_id = self.submit({"signature": "moves"})
        before = self.v1(event_id)["lastUpdatedTimestamp"]
        self.submit({"id": event_id})
        self.assertGreaterEqual(self.v1(event_id)["lastUpdatedTimestamp"], before)

    def test_e13_properties(self):
        event_id = self.submit(fixture("events_v2_event.properties.request.json"))
        properties = self.v1(event_id)["properties"]
        self.assertEqual((properties["myprop"], properties["otherprop"]), ("val1,val2", "singlevalue"))
        self.assertEqual(properties["agent.id"], "agent")
        self.submit({"id": event_id, "properties": {"myprop": "val3", "third": 3}})
        properties = self.v1(event_id)["properties"]
        self.assertEqual([properties[name] for name in ("myprop", "otherprop", "third")],
                         ["val3", "singlevalue", "3"], "keys accumulate, values are replaced")
        shown = {row["key"]: row for row in self.v2(event_id, "?includeAllProperties=true")["properties"]}
        self.assertEqual(shown["myprop"], {"key": "myprop", "type": "string", "values": ["val3"]})

    def test_e13_newline_as_separator_in_a_search(self):
        event_id = self.submit({"signature": "separated", "properties": {"myprop": ["val1", "val2"]}})
        found = self.search({"signature": ["separated"], "startTimestamp": "-1 hour",
                             "multivaluePropertySeparator": "newline"})["data"]
        self.assertEqual([(event["id"], event["properties"]["myprop"]) for event in found], [(event_id, "val1\nval2")])

    def test_e14_flags_as_printed(self):
        event_id = self.submit(fixture("events_v2_event.flags.request.json"))
        self.assertEqual(self.v1(event_id)["flags"], ["SOURCE_IS_CUSTOMERNET"], "a new event has what it is given")

    def test_e14_partial_flags(self):
        body = fixture("events_v2_event.flags.request.json")
        event_id = self.submit({"signature": "without the flag"})
        self.assertEqual(self.v1(event_id)["flags"], [])
        for expected in ("SOURCE_IS_PARTIAL_CUSTOMERNET", "SOURCE_IS_CUSTOMERNET", "SOURCE_IS_CUSTOMERNET"):
            self.submit({**body, "id": event_id})
            self.assertEqual(self.v1(event_id)["flags"], [expected])
        v2 = self.v2(event_id)
        self.assertEqual((v2["flags"], v2["source"]["flags"]), ([], ["isCustomerNet"]))

    def test_e14_the_step_of_every_pair(self):
        pairs = {"DESTINATION_IS_CUSTOMERNET": "DESTINATION_IS_PARTIAL_CUSTOMERNET", "BLOCKED": "PARTIALLY_BLOCKED",
                 "NOTIFIED": "PARTIALLY_NOTIFIED", "ACKNOWLEDGED": "PARTIALLY_ACKNOWLEDGED",
                 "SSL_TERMINATED": "PARTIAL_SSL_TERMINATED"}
        for base, partial in pairs.items():
            with self.subTest(flag=base):
                event_id = self.submit({"signature": "pair"})
                self.submit({"id": event_id, "flags": [partial]})
                self.assertEqual(self.v1(event_id)["flags"], [partial])
                self.submit({"id": event_id, "flags": base})
                self.assertEqual(self.v1(event_id)["flags"], [base])
                self.submit({"id": event_id, "flags": [partial]})
                self.assertEqual(self.v1(event_id)["flags"], [base])

    def bulk(self, body):
        return self.curl(self.url + "/events/v2/event/bulk", data=json.dumps(body))

    def test_e15_drop_invalid(self):
        expected = fixture("events_v2_event_bulk.dropInvalid.response_201.json")
        answer = self.bulk(fixture("events_v2_event_bulk.dropInvalid.request.json"))
        self.assertEqual(answer.status, 201, answer)
        self.check_object(answer.json)
        self.like(expected["data"], answer.data, [("events", 0, "id"), ("events", 1, "id")])
        for status, signature in zip(answer.data["events"], ("FirstAlarm", "SecondAlarm")):
            self.assertEqual(self.v1(status["id"])["attackInfo"]["signature"], signature)
        found = self.search({"signature": ["ThirdAlarm"], "startTimestamp": "-1 hour"})
        self.assertEqual(found["count"], 0, "a dropped event leaves no trace")

    def test_e15_reject_all_is_the_default(self):
        body = fixture("events_v2_event_bulk.dropInvalid.request.json")
        for mode in ({"onError": "rejectAll"}, {"onError": None}):
            with self.subTest(mode=mode):
                mark = uuid.uuid4().hex
                events = [{**event, "signature": mark} for event in body["events"]]
                answer = self.bulk({"events": events, **mode})
                self.assert_error(answer, 412, "invalid.reference", "events[2].location")
                message = answer.json["messages"][0]
                self.assertEqual((message["message"], message["parameter"]), ("Invalid location: invalid", "invalid"))
                found = self.search({"signature": [mark], "startTimestamp": "-1 hour"})
                self.assertEqual(found["count"], 0, "nothing is stored")

    def test_e15_a_single_event_with_a_bad_location_is_412(self):
        answer = self.curl(self.url + "/events/v2/event", data='{"location": "invalid"}')
        self.assert_error(answer, 412, "invalid.reference", "location")
        self.assertEqual(answer.json["messages"][0]["message"], "Invalid location: invalid")

    def test_e15_an_empty_bulk_is_a_bulk(self):
        answer = self.bulk({"events": []})
        self.assertEqual((answer.status, answer.data), (201, {"accepted": 0, "rejected": 0, "events": []}))

    def test_e15_one_event_twice_is_an_update(self):
        event_id = f"AGGR/1570715141521/1/{uuid.uuid4()}"
        answer = self.bulk({"events": [{"id": event_id, "count": 5, "uri": "/x"}, {"id": event_id, "count": 6}]})
        self.assertEqual([row["id"] for row in answer.data["events"]], [event_id, event_id])
        event = self.v1(event_id)
        self.assertEqual((event["count"], event["uri"]), (6, "/x"))

    def test_e16_finalized(self):
        body = fixture("events_v2_event.finalize.request.json")
        event_id = body["id"]
        self.submit({"id": event_id, "signature": "final"})
        self.assertEqual(self.submit(body), event_id)
        event = self.v1(event_id)
        self.assertIn("FINALIZED", event["flags"])
        self.assertEqual(self.submit({"id": event_id, "count": 99, "severity": "critical", "flags": ["BLOCKED"],
                                      "properties": {"late": "yes"}}), event_id)
        self.assertEqual(self.v1(event_id), event, "nothing changes, lastUpdatedTimestamp included")
        # Again through the other face, in the same words.
        self.assertEqual(self.submit(body), event_id)
        self.assertEqual(self.v1(event_id), event)

    def test_e16_change_and_finalize_in_one(self):
        event_id = self.submit({"count": 3, "finalized": "true", "uri": "/made-final"})
        event = self.v1(event_id)
        self.assertEqual((event["flags"], event["count"], event["uri"]), (["FINALIZED"], 3, "/made-final"))


class ByGrpc(Documented):
    """The same operations by grpcio and the generated stubs."""

    @classmethod
    def arrange(cls):
        super().arrange()
        import grpc
        from vigil.events.v1 import service_pb2_grpc as v1
        from vigil.events.v2 import service_pb2_grpc as v2

        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.addClassCleanup(cls.grpc.close)
        cls.v1_stub = v1.EventServiceStub(cls.grpc.channel)
        cls.v2_stub = v2.EventServiceStub(cls.grpc.channel)
        cls.error = grpc.RpcError
        cls.metadata = (("argus-api-key", cls.key),)
        cls.bearer = (("authorization", f"Bearer {cls.key}"),)

    def message(self, name, document):
        return documented_json.into_message(document, contract.message_class(name)())

    def submit_grpc(self, document):
        from vigil.events.v2 import submit_pb2

        answer = self.v2_stub.SubmitEvent(self.message("vigil.events.v2.SubmitRequest", document),
                                          metadata=self.metadata)
        self.assertEqual(answer.status, submit_pb2.SUBMIT_OUTCOME_ACCEPTED)
        self.assertFalse(answer.HasField("message"))
        self.assertRegex(answer.id, ID_PATTERN)
        return answer.id

    def get_v1(self, event_id, metadata=None):
        kind, timestamp, customer, unique = event_id.split("/")
        request = self.message("vigil.events.v1.GetEventRequest", {
            "type": kind, "timestamp": int(timestamp), "customerID": int(customer), "eventID": unique})
        return self.v1_stub.GetEvent(request, metadata=metadata or self.metadata)

    def test_submit_and_get(self):
        event_id = self.submit_grpc({"signature": "SNORT-1:41336", "severity": "critical", "count": 3,
                                     "properties": {"myprop": ["val1", "val2"]},
                                     "source": {"ip": "10.1.2.3/24", "port": 1}, "flags": ["BLOCKED"]})
        event = self.get_v1(event_id, self.bearer).aggregated
        self.assertEqual((event.id, event.count, event.attack_info.alarm_id, event.properties["myprop"]),
                         (event_id, 3, 58129, "val1,val2"))
        self.assertEqual(event.source_address, "10.1.2.0/24")
        from_rest = documented_json.from_message(self.get_v1(event_id))
        self.assertEqual(documented_json.without_absent(from_rest), documented_json.without_absent(self.v1(event_id)))

    def test_get_v2_and_raw(self):
        event_id = self.submit_grpc({"id": {"type": "raw", "customer": "demo"}, "signature": "MySignature"})
        self.assertTrue(event_id.startswith("RAW/"), event_id)
        kind, timestamp, customer, unique = event_id.split("/")
        from vigil.events.v2 import service_pb2, words_pb2

        event = self.v2_stub.GetEvent(service_pb2.GetEventRequest(
            timestamp=int(timestamp), customer_id=int(customer), event_id=unique, include_all_properties=True),
            metadata=self.metadata)
        self.assertEqual((event.id, event.type, event.customer.short_name), (event_id, words_pb2.EVENT_TYPE_RAW, "demo"))
        self.assertEqual([row.key for row in event.properties.items],
                         ["agent.id", "agent.timestamp", "engine.timestamp"])
        self.assertTrue(self.get_v1(event_id).HasField("raw"))

    def test_update_flags_and_finalize(self):
        event_id = self.submit_grpc({"signature": "steps"})
        for expected in ("SOURCE_IS_PARTIAL_CUSTOMERNET", "SOURCE_IS_CUSTOMERNET"):
            self.submit_grpc({"id": event_id, "flags": ["SOURCE_IS_CUSTOMERNET"]})
            self.assertEqual(documented_json.from_message(self.get_v1(event_id))["flags"], [expected])
        self.submit_grpc({"id": event_id, "finalized": True, "count": 4})
        final = self.get_v1(event_id)
        self.submit_grpc({"id": event_id, "count": 9})
        self.assertEqual(self.get_v1(event_id), final)
        self.assertEqual(final.aggregated.count, 4)

    def test_bulk_in_both_modes(self):
        body = fixture("events_v2_event_bulk.dropInvalid.request.json")
        from vigil.events.v2 import submit_pb2

        answer = self.v2_stub.SubmitEvents(self.message("vigil.events.v2.BulkSubmitRequest", body),
                                           metadata=self.metadata)
        self.assertEqual((answer.accepted, answer.rejected), (2, 1))
        self.assertEqual(answer.events[2].status, submit_pb2.SUBMIT_OUTCOME_REJECTED)
        self.assertEqual(answer.events[2].message, "Invalid location: invalid")
        self.assertFalse(answer.events[2].HasField("id"))
        with self.assertRaises(self.error) as caught:
            self.v2_stub.SubmitEvents(self.message("vigil.events.v2.BulkSubmitRequest", {**body, "onError": "rejectAll"}),
                                      metadata=self.metadata)
        self.assertEqual(caught.exception.code().name, "INVALID_ARGUMENT")
        self.assertIn("Invalid location: invalid", caught.exception.details())

    def test_search_aggregated(self):
        mark = uuid.uuid4().hex
        ids = [self.submit_grpc({"signature": mark, "id": {"timestamp": 1567288800000 + at}}) for at in range(5)]
        request = self.message("vigil.events.v1.SearchCriteria", {
            "signature": [mark], "startTimestamp": 1567288800000, "limit": 2, "offset": 1})
        answer = self.v1_stub.SearchAggregated(request, metadata=self.metadata)
        self.assertEqual((answer.limit, answer.offset, answer.count), (2, 1, 5))
        self.assertEqual([event.id for event in answer.data], [ids[3], ids[2]])

    def test_search_without_start_is_refused_with_its_field(self):
        from vigiltest.clients import GrpcError

        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(EVENT_V1 + "SearchAggregated", self.message("vigil.events.v1.SearchCriteria", {}))
        self.assertEqual((caught.exception.code, caught.exception.reason, caught.exception.fields),
                         ("INVALID_ARGUMENT", "REQUIRED_FIELD", ["startTimestamp"]))


if __name__ == "__main__":
    main()
