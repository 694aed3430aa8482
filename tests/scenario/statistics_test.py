"""Statistics of both versions over both faces: the toolbelt's request and what it reads, groups, others, timelines, names,
what is refused, and the limits of what is asked for.
"""
import time

from vigiltest import contract, documented_json, faces
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import ENVELOPE, Grpc, Rest
from vigiltest.directory import Directory

STATS = "vigil.events.v1.EventService/GetAggregatedStats"
STATISTICS = "vigil.events.v2.EventService/GetStatistics"
STATS_PATH = "/events/v1/aggregated/stats"
STATISTICS_PATH = "/events/v2/event/statistics"
START = 1567288800000  # 2019-08-31T22:00:00Z, a Saturday
HOUR = 3600000
DAY = 24 * HOUR
ALARM = "MALWARE - example activity"


class Statistics(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("demo", 2171, "Demo customer")
        directory.customer("other", 5, "Other customer")
        directory.user("agent", "demo")
        directory.add("signatures", name="SNORT-1:41336", alarmID=58129, alarmDescription=ALARM,
                      categoryID=363, categoryName="Callback traffic")
        directory.add("locations", id=7, shortName="hq", name="Headquarters", customer="demo", timeZone="UTC")
        directory.add("cases", id=10, customer="demo", subject="Infected host")
        cls.rest = Rest(cls.server.port, cls.server.admin_key())
        cls.grpc = Grpc(cls.server.port, cls.server.admin_key())
        cls.agent = directory.key("agent", ["EVENT-VIEWER"])
        for client in (cls.rest, cls.grpc):
            cls.addClassCleanup(client.close)
        events = [{"id": {"customer": "demo", "timestamp": START + i}, "signature": "SNORT-1:41336", "count": 2,
                   "startTimestamp": START + i, "endTimestamp": START + i} for i in range(42)]
        # From here on nothing has the category that the toolbelt asks for.
        for at, (customer, severity, protocol, source) in enumerate([
                ("demo", "high", "tcp", "10.0.0.1"), ("demo", "high", "51", "10.0.0.0/24"), ("demo", "low", "200", None),
                ("other", "high", "udp", "2001:db8::1"), ("other", "low", None, None)]):
            time = START + at * DAY
            events.append({"id": {"customer": customer, "timestamp": time}, "signature": f"S{at}", "severity": severity,
                           "count": 10 + at, "startTimestamp": time, "endTimestamp": time + DAY // 2,
                           **({"protocol": protocol} if protocol else {}),
                           **({"source": {"ip": source, "geoLocation": {"countryCode": "no"}}} if source else {}),
                           **({"location": "hq", "associatedCaseIDs": [10]} if at == 1 else {})})
        answer = cls.rest.post("/events/v2/event/bulk", {"events": events})
        assert answer.data["rejected"] == 0, answer

    def ask(self, name, document, key=...):
        """The same answer by either face."""
        method = contract.method(name)
        rest = faces.by_rest(self.rest, method, method.routes[0], document, key=key)
        grpc = faces.by_grpc(self.grpc, method, document, key=key)
        self.assertEqual((rest.reason, grpc.reason), (None, None), (rest, grpc))
        self.assertEqual(documented_json.without_absent(rest.data), documented_json.without_absent(grpc.data))
        return rest.data

    def refuse(self, name, document, expected, field):
        method = contract.method(name)
        row = contract.reasons()[expected]
        self.assert_error(self.rest.post(method.routes[0].path, document), row.status, row.template, field)
        self.assertEqual(faces.by_grpc(self.grpc, method, document).reason, (row.status, row.template))

    # ------------------------------------------------------------------------------------------- v1

    def test_what_the_toolbelt_asks_and_reads(self):
        request = fixture("events_v1_aggregated_stats.toolbelt.request.json")
        expected = fixture("events_v1_aggregated_stats.toolbelt_consumed.response.json")
        answer = self.rest.post(STATS_PATH, request)
        self.assertEqual(list(answer.json), ENVELOPE)
        self.assertEqual(answer.json, expected)
        self.assertEqual(list(answer.data["keys"][0]), ["id", "customer", "alarm"])
        self.assertEqual(self.ask(STATS, request), expected["data"])

    def test_keys_are_never_none(self):
        nothing = {"startTimestamp": 1, "endTimestamp": 2}
        self.assertEqual(self.ask(STATS, nothing), {"keys": [{"id": 1}], "timeFrames": []})
        self.assertEqual(self.ask(STATS, {**nothing, "groupBy": ["SENSOR", "CUSTOMER", "SOURCE_GEOIP_LOCATION"]})["keys"],
                         [{"id": 1, "sensor": None, "customer": None, "sourceGeoIPLocation": None}])
        everything = self.ask(STATS, {"startTimestamp": START, "endTimestamp": START + 9 * DAY})
        self.assertEqual(everything, {
            "keys": [{"id": 1}],
            "timeFrames": [{"timeFrame": {"startTime": START, "endTime": START + 9 * DAY},
                            "records": [{"keyID": 1, "value": {"count": 47}}]}]})

    def test_every_member_by_its_name(self):
        groups = {"ATTACK_IDENTIFIER": ("attackIdentifier", "S1"), "ATTACK_CATEGORY": ("attackCategory", None),
                  "ALARM": ("alarm", None), "LOCATION": ("location", "hq"), "EVENT_SEVERITY": ("eventSeverity", "high"),
                  "SOURCEIP": ("sourceIP", "10.0.0.0/24"), "DESTINATIONIP": ("destinationIP", None),
                  "PROTOCOL": ("protocol", "ah"), "CUSTOMER": ("customer", "demo"),
                  "SOURCE_GEOIP_LOCATION": ("sourceGeoIPLocation", None),
                  "SOURCE_GEOIP_COUNTRY": ("sourceGeoIPCountry", "NO"),
                  "DESTINATION_GEOIP_LOCATION": ("destinationGeoIPLocation", None),
                  "DESTINATION_GEOIP_COUNTRY": ("destinationGeoIPCountry", None), "SENSOR": ("sensor", None)}
        key, = self.ask(STATS, {"startTimestamp": START, "endTimestamp": START + 9 * DAY, "signature": "S1",
                                "groupBy": list(groups)})["keys"]
        self.assertEqual(key, {"id": 1, **dict(groups.values())})
        self.assertEqual(list(key), ["id", *(name for name, _ in groups.values())])

    def test_cutoff_and_raw_events(self):
        request = {"startTimestamp": START, "endTimestamp": START + 9 * DAY, "groupBy": ["ATTACK_IDENTIFIER"],
                   "countRawEvents": True, "cutoff": 2}
        data = self.ask(STATS, request)
        self.assertEqual(data["keys"], [{"id": 1, "attackIdentifier": "SNORT-1:41336"}, {"id": 2, "attackIdentifier": "S4"},
                                        {"id": 3, "attackIdentifier": "other"}])
        self.assertEqual([(row["keyID"], row["value"]["count"]) for row in data["timeFrames"][0]["records"]],
                         [(1, 84), (2, 14), (3, 10 + 11 + 12 + 13)])
        self.assertEqual(len(self.ask(STATS, {**request, "includeOthers": False})["keys"]), 2)

    def test_an_event_is_in_every_frame_it_touches_or_in_that_of_its_timestamp(self):
        request = {"startTimestamp": START, "endTimestamp": START + 5 * DAY, "signature": "S1", "resolution": 6,
                   "resolutionUnit": "hours"}
        touched = [START + DAY + n * 6 * HOUR for n in range(3)]
        starts = [frame["timeFrame"]["startTime"] for frame in self.ask(STATS, request)["timeFrames"]]
        self.assertEqual(starts, touched)
        frames = self.ask(STATS, {**request, "timeFrameStrategy": "timestamp"})["timeFrames"]
        self.assertEqual([frame["timeFrame"]["startTime"] for frame in frames], touched[:1])
        # From Sunday evening to Monday noon: two weeks.
        weeks = self.ask(STATS, {**request, "resolution": 1, "resolutionUnit": "weeks"})["timeFrames"]
        monday = 1567382400000
        self.assertEqual([frame["timeFrame"] for frame in weeks],
                         [{"startTime": monday - 7 * DAY, "endTime": monday},
                          {"startTime": monday, "endTime": monday + 7 * DAY}])

    def test_what_v1_refuses(self):
        self.refuse(STATS, {"groupBy": ["CUSTOMER"]}, "REQUIRED_FIELD", "startTimestamp")
        for unit in ("weeks", "months", "years"):
            self.refuse(STATS, {"startTimestamp": START, "resolution": 2, "resolutionUnit": unit}, "INVALID_FIELD_VALUE",
                        "resolution")
        self.refuse(STATS, {"startTimestamp": START, "resolution": -1}, "INVALID_FIELD_VALUE", "resolution")
        self.refuse(STATS, {"startTimestamp": START, "cutoff": -1}, "INVALID_FIELD_VALUE", "cutoff")
        wrong = self.rest.post(STATS_PATH, {"startTimestamp": START, "groupBy": ["customer"]})
        self.assert_error(wrong, 412, "invalid.json.field.value", "groupBy[0]")
        paged = self.rest.post(STATS_PATH, {"startTimestamp": START, "limit": 10})
        self.assert_error(paged, 412, "unknown.json.field", "limit")

    def test_frames_at_the_limit_and_past_it(self):
        request = {"startTimestamp": START, "resolution": 1, "endTimestamp": START + 9999}
        self.assertEqual(self.rest.post(STATS_PATH, request).status, 200)
        past = self.rest.post(STATS_PATH, {**request, "endTimestamp": START + 10000})
        self.assert_error(past, 412, "resultset.too.large")
        self.assertEqual(past.json["messages"][0]["parameter"], "10000")

    # ------------------------------------------------------------------------------------------- v2

    def test_groups_in_groups_with_what_the_limit_cuts_off(self):
        request = {"groupBy": [{"field": "customer"}, {"field": "signature", "limit": 1, "includeOthers": True}]}
        answer = self.rest.post(STATISTICS_PATH, request)
        self.assertEqual({name: answer.json[name] for name in ("limit", "offset", "count", "size")},
                         {"limit": 0, "offset": 0, "count": 2, "size": 2})
        demo, other = self.ask(STATISTICS, request)
        self.assertEqual(list(demo), ["group", "count", "rawEventCount", "buckets", "timeline"])
        self.assertEqual(demo["group"], {"type": "customer", "identifier": "2171", "shortName": "demo",
                                         "displayName": "Demo customer"})
        self.assertEqual((demo["count"], demo["rawEventCount"], demo["timeline"]), (45, 84 + 10 + 11 + 12, []))
        self.assertEqual((other["count"], other["rawEventCount"]), (2, 13 + 14))
        self.assertEqual(demo["buckets"], [
            {"group": {"type": "signature", "identifier": "SNORT-1:41336", "shortName": "SNORT-1:41336",
                       "displayName": "SNORT-1:41336"}, "count": 42, "rawEventCount": 84, "buckets": [], "timeline": []},
            {"group": {"type": "signature", "identifier": "other", "shortName": "other", "displayName": "other"},
             "count": 3, "rawEventCount": None, "buckets": [], "timeline": []}])

    def test_names_of_groups(self):
        def first(field):
            return [tuple(record["group"][name] for name in ("identifier", "shortName", "displayName")) + (record["count"],)
                    for record in self.ask(STATISTICS, {"groupBy": [{"field": field}]})]
        self.assertEqual(first("alarm"), [("58129", "58129", ALARM, 42)])
        self.assertEqual(first("attackCategory"), [("363", "363", "Callback traffic", 42)])
        self.assertEqual(first("location"), [("7", "hq", "Headquarters", 1)])
        self.assertEqual(first("associatedCase"), [("10", "10", "Infected host", 1)])
        self.assertEqual(first("severity"), [("low", "low", "low", 44), ("high", "high", "high", 3)])
        self.assertEqual([row[0] for row in first("sourceIP")], ["10.0.0.0/24", "10.0.0.1", "2001:db8::1"])
        self.assertEqual(first("destinationIP"), [])
        self.assertEqual(first("sourceCountry"), [("NO", "NO", "NO", 3)])
        # Protocols without a word are one; events without a protocol are in no group.
        self.assertEqual(first("protocol"), [("unknown", "unknown", "unknown", 2), ("tcp", "tcp", "tcp", 1),
                                             ("udp", "udp", "udp", 1)])

    def test_timelines_of_the_lowest_groups_only(self):
        timeline = {"name": "t:1", "field": "created", "resolution": "days", "startTimestamp": START + DAY,
                    "endTimestamp": START + 4 * DAY}
        demo, _ = self.ask(STATISTICS, {"groupBy": [{"field": "customer"}, {"field": "severity"}], "timeline": [timeline]})
        self.assertEqual(demo["timeline"], [])
        low, high = demo["buckets"]
        # The 31st of August begins 22 hours before START: buckets are of the calendar, the range cuts them.
        day = START - 22 * HOUR
        expected = [{"timestamp": day + n * DAY, "count": int(n == 2), "rawEventCount": 12 * int(n == 2)}
                    for n in range(1, 5)]
        self.assertEqual(low["timeline"], [{"name": "t:1", "count": 1, "rawEventCount": 12, "buckets": expected}])
        self.assertEqual(high["timeline"][0]["buckets"][0], {"timestamp": day + DAY, "count": 1, "rawEventCount": 11})
        whole, = self.ask(STATISTICS, {"timeline": [{**timeline, "includeEmpty": False, "startTimestamp": 0}]})
        self.assertIsNone(whole["group"])
        self.assertEqual((whole["count"], whole["rawEventCount"]), (47, 144))
        self.assertEqual([bucket["count"] for bucket in whole["timeline"][0]["buckets"]], [43, 1, 1, 1, 1])

    def test_now_ends_a_single_frame_and_a_timeline(self):
        before = int(time.time() * 1000)
        frame, = self.rest.post(STATS_PATH, {"startTimestamp": START}).data["timeFrames"]
        self.assertLessEqual(before, frame["timeFrame"]["endTime"])
        whole, = self.rest.post(STATISTICS_PATH, {"timeline": [{"name": "y", "field": "created", "resolution": "years"}]}).data
        self.assertEqual(len(whole["timeline"][0]["buckets"]), time.gmtime().tm_year - 2019 + 1)

    def test_without_a_start_a_timeline_begins_with_its_first_event(self):
        whole, = self.ask(STATISTICS, {"timeline": [{"name": "y", "field": "lastEvent", "resolution": "months",
                                                     "endTimestamp": "2019-11-30"}]})
        self.assertEqual([bucket["timestamp"] for bucket in whole["timeline"][0]["buckets"]],
                         [1564617600000, 1567296000000, 1569888000000, 1572566400000])  # August to November

    def test_what_v2_refuses(self):
        line = {"name": "n", "field": "created", "resolution": "days"}
        group = {"field": "customer"}
        for request, reason, field in (
                ({}, "REQUIRED_FIELD", "groupBy"),
                ({"groupBy": [], "timeline": []}, "REQUIRED_FIELD", "groupBy"),
                ({"timeline": [line, line]}, "INVALID_FIELD_VALUE", "timeline[1].name"),
                ({"timeline": [{**line, "name": ""}]}, "INVALID_FIELD_VALUE", "timeline[0].name"),
                ({"timeline": [{**line, "name": "ø"}]}, "INVALID_FIELD_VALUE", "timeline[0].name"),
                ({"timeline": [{"field": "created", "resolution": "days"}]}, "REQUIRED_FIELD", "timeline[0].name"),
                ({"timeline": [{"name": "n", "field": "created"}]}, "REQUIRED_FIELD", "timeline[0].resolution"),
                ({"groupBy": [{"limit": 1}]}, "REQUIRED_FIELD", "groupBy[0].field"),
                ({"groupBy": [{**group, "limit": 10001}]}, "INVALID_FIELD_VALUE", "groupBy[0].limit"),
                ({"groupBy": [{**group, "limit": -1}]}, "INVALID_FIELD_VALUE", "groupBy[0].limit")):
            with self.subTest(request):
                self.refuse(STATISTICS, request, reason, field)

    def test_levels_timelines_and_buckets_at_the_limit_and_past_it(self):
        line = {"name": "n", "field": "created", "resolution": "minutes", "startTimestamp": START}
        group = {"field": "customer"}
        for request, past in (
                ({"groupBy": [group] * 16}, {"groupBy": [group] * 17}),
                ({"timeline": [{**line, "name": f"n{n}", "endTimestamp": START} for n in range(16)]},
                 {"timeline": [{**line, "name": f"n{n}", "endTimestamp": START} for n in range(17)]}),
                ({"timeline": [{**line, "endTimestamp": START + 9999 * 60000}]},
                 {"timeline": [{**line, "endTimestamp": START + 10000 * 60000}]})):
            with self.subTest(past):
                self.assertEqual(self.rest.post(STATISTICS_PATH, request).status, 200)
                self.assertEqual(self.rest.post(STATISTICS_PATH, past).status, 412)
        deep, = self.ask(STATISTICS, {"customer": "other", "groupBy": [group] * 16})
        for _ in range(15):
            deep, = deep["buckets"]
        self.assertEqual((deep["count"], deep["buckets"]), (2, []))

    def test_only_what_the_caller_may_see_is_counted(self):
        records = self.ask(STATISTICS, {"groupBy": [{"field": "customer"}]}, key=self.agent)
        self.assertEqual([record["group"]["identifier"] for record in records], ["2171"])
        request = {"startTimestamp": START, "endTimestamp": START + 9 * DAY, "groupBy": ["CUSTOMER"]}
        data = self.ask(STATS, request, key=self.agent)
        self.assertEqual(data["keys"], [{"id": 1, "customer": "demo"}])

    def test_the_streaming_twin_sends_the_records(self):
        request = {"groupBy": [{"field": "signature", "limit": 3}]}
        method = contract.method("vigil.events.v2.EventService/StreamGetStatistics")
        message = documented_json.into_message(request, method.request())
        rows, page = self.grpc.rows(method.full_name, message)
        self.assertEqual(page, (0, 0, 3))
        self.assertEqual(documented_json.without_absent([documented_json.from_message(row) for row in rows]),
                         documented_json.without_absent(self.ask(STATISTICS, request)))


if __name__ == "__main__":
    main()
