"""Edge cases of searches (events-api.md 6) and the traps that concern them (7), over REST as clients send them, where no
other scenario has them: requests, pages and refusals are in event_lists, bad_input, limits and documented_requests.
"""
import time

from vigiltest.case import ServerCase, main
from vigiltest.clients import Rest
from vigiltest.directory import Directory

TIME = 1570288030000
DAY = 24 * 3600 * 1000
SEARCHES = ("/events/v1/aggregated/search", "/events/v1/nids/search", "/events/v2/event/search")


class Edges(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        for name, number in (("acme", 1001), ("foreign", 1002)):
            directory.customer(name, number)
            directory.user(name + "-user", name)
        cls.admin = Rest(cls.server.port, cls.server.admin_key())
        cls.rest = Rest(cls.server.port, directory.key("acme-user", ["EVENT-VIEWER", "EVENT-SUBMITTER"]))
        cls.blind = Rest(cls.server.port, directory.key("acme-user", ["EVENT-SUBMITTER"]))
        for client in (cls.admin, cls.rest, cls.blind):
            cls.addClassCleanup(client.close)
        cls.submit({"signature": "long", "startTimestamp": TIME - DAY, "endTimestamp": TIME + DAY, "severity": "high"})
        cls.submit({"id": {"type": "raw", "timestamp": TIME}, "signature": "raw"})

    @classmethod
    def submit(cls, body):
        answer = cls.rest.post("/events/v2/event", {"id": {"timestamp": TIME}, **body})
        assert answer.status == 201, answer
        return answer.data["id"]

    def search(self, path=SEARCHES[0], **criteria):
        answer = self.rest.post(path, {"startTimestamp": 0, **criteria})
        self.assertEqual(answer.status, 200, answer)
        return answer

    def found(self, path=SEARCHES[0], **criteria):
        return [row["id"] for row in self.search(path, **criteria).data]

    def test_a_start_after_the_end_matches_nothing(self):
        """Not even an event whose interval holds both."""
        for path in SEARCHES:
            answer = self.search(path, startTimestamp=TIME + 1, endTimestamp=TIME - 1)
            self.assertEqual((answer.json["count"], answer.data), (0, []), path)
        self.assertEqual(self.search(startTimestamp=TIME + 1, endTimestamp=TIME - 1, timeFieldStrategy="all").data, [])
        self.assertEqual(self.search(SEARCHES[2], startTimestamp=TIME + 1, endTimestamp=TIME - 1,
                                     timeFieldStrategy=["firstEvent", "lastEvent"]).data, [])

    def test_customers_that_may_not_be_seen_match_nothing(self):
        answer = self.admin.post("/events/v2/event", {"id": {"customer": "foreign"}, "signature": "theirs"})
        self.assertEqual(answer.status, 201, answer)
        for path in SEARCHES:
            for customers in (["foreign"], [1002], ["nobody", "123"]):
                answer = self.search(path, customer=customers)
                self.assertEqual((answer.json["count"], answer.data), (0, []), (path, customers))
        self.assertEqual(self.search(signature="theirs").data, [])
        self.assertEqual(len(self.search(customer=["foreign", "ACME"], signature=["long", "theirs"]).data), 1)

    def test_without_event_lookup_a_search_is_403(self):
        for path in SEARCHES:
            answer = self.blind.post(path, {"startTimestamp": 0})
            self.assert_error(answer, 403, "access.denied")
            self.assertEqual(answer.json["messages"][0]["parameter"], "eventLookup")

    def test_an_empty_list_is_an_absent_member(self):
        self.assertEqual(len(self.search(signature="long", severity=[], minSeverity="high").data), 1)
        self.assertEqual(len(self.search(signature="long", timeFieldStrategy=[], lastUpdatedTimestamp=0).data), 1)
        ids = [self.submit({"id": {"timestamp": TIME + at}, "signature": "sorted"}) for at in (2, 1, 3)]
        newest_first = [ids[2], ids[0], ids[1]]
        self.assertEqual(self.found(signature="sorted", sortBy=[]), newest_first)
        self.assertEqual(self.found(SEARCHES[2], attack=[{"signature": "sorted"}], sortBy=[]), newest_first)

    def test_events_of_the_future(self):
        future = int(time.time() * 1000) + DAY
        event = self.submit({"id": {"timestamp": future}, "signature": "future"})
        self.assertEqual(self.found(signature="future"), [event])
        self.assertEqual(self.found(signature="future", skipFutureEvents=True), [])
        self.assertEqual(self.found(signature="future", skipFutureEvents=False, endTimestamp=future), [event])
        self.assertEqual(self.found(signature="future", includeUnpublished=False), [event], "it is published at once")

    def test_the_mapping_of_a_signature_is_that_of_the_submission(self):
        before = self.submit({"signature": "LATER"})
        answer = self.admin.post("/admin/v1/signatures", {
            "name": "LATER", "alarmID": 51, "alarmDescription": "An alarm", "categoryID": 52, "categoryName": "New"})
        self.assertEqual(answer.status, 201, answer)
        after = self.submit({"id": {"timestamp": TIME + 1}, "signature": "LATER"})
        self.assertEqual(self.found(signature="LATER"), [after, before])
        self.assertEqual(self.found(alarmID=51), [after])
        self.assertEqual(self.found(attackCategoryID=["52"]), [after])
        self.assertEqual(self.found(SEARCHES[2], attack=[{"alarm": ["51"]}]), [after])
        self.submit({"id": before, "signature": "LATER"})
        self.assertEqual(self.found(alarmID=51), [after, before], "an update is a submission, too")

    def test_an_unknown_signature_is_kept(self):
        event = self.submit({"signature": "nobody knows"})
        row = self.search(signature="nobody knows").data[0]
        self.assertEqual((row["id"], row["attackInfo"]), (event, {
            "alarmID": 0, "alarmDescription": None, "attackCategoryID": 0, "attackCategoryName": None,
            "signature": "nobody knows"}))
        row = self.search(SEARCHES[2], attack=[{"signature": ["nobody knows"]}]).data[0]
        self.assertEqual((row["alarm"], row["attackCategory"], row["signature"]), (None, None, {"name": "nobody knows"}))
        self.assertEqual(self.found(signature="nobody knows", alarmID=0), [])

    def test_flags_in_the_plural_and_in_the_singular(self):
        one = self.submit({"signature": "flags", "flags": ["BLOCKED"]})
        two = self.submit({"id": {"timestamp": TIME - 1}, "signature": "flags", "flags": ["BLOCKED", "CHECKED"]})
        for criteria, expected in (
                ({"includeFlags": ["BLOCKED", "CHECKED"]}, [two]),
                ({"includeFlag": "CHECKED"}, [two]),
                ({"includeFlags": "BLOCKED", "includeFlag": ["CHECKED"]}, [two]),
                ({"excludeFlags": ["CHECKED"]}, [one]),
                ({"excludeFlag": ["CHECKED", "FAILURE"]}, [one]),
                ({"includeFlag": {"includeFlags": ["CHECKED"]}}, [two]),
                ({"excludeFlag": {"includeFlags": ["CHECKED"]}}, [one]),
                ({"excludeFlag": {}}, [one, two])):
            with self.subTest(criteria=criteria):
                self.assertEqual(self.found(signature="flags", **criteria), expected)
        attack = [{"signature": ["flags"]}]
        self.assertEqual(self.found(SEARCHES[2], attack=attack, includeFlag=["blocked", "checked"]), [two])
        self.assertEqual(self.found(SEARCHES[2], attack=attack, excludeFlag="checked"), [one])
        for name in ("includeFlag", "excludeFlag"):
            answer = self.rest.post(SEARCHES[2], {name: {"includeFlag": ["blocked"]}})
            self.assertEqual(answer.status, 412, answer)

    def test_an_excluding_element_with_nothing_in_it_excludes_nothing(self):
        event = self.submit({"signature": "left"})
        for element in ({"exclude": True}, {"exclude": True, "customerID": None}, {"exclude": "true", "customer": []},
                        {"exclude": True, "subCriteria": [{"exclude": True, "properties": {}}]},
                        {"exclude": True, "limit": 1, "sortBy": "timestamp", "indexStartTime": "now"}):
            with self.subTest(element=element):
                self.assertEqual(self.found(signature="left", subCriteria=[element]), [event])
        for member in ("attack", "endpoint"):
            answer = self.search(SEARCHES[2], startTimestamp=TIME, **{member: [{"exclude": True}]})
            self.assertGreater(answer.json["count"], 0)

    def test_three_facts_about_protocols(self):
        ids = {text: self.submit({"signature": "protocol", **({} if text is None else {"protocol": text})})
               for text in ("tcp", "0", None)}
        rows = self.search(signature="protocol", sortBy=["protocol"]).data
        self.assertEqual([(row["protocol"], row["id"]) for row in rows],
                         [(text, ids[text]) for text in ("0", "tcp", None)])
        rows = self.search(signature="protocol", sortBy=["-protocol"]).data
        self.assertEqual([row["protocol"] for row in rows], ["tcp", "0", None], "null is last in both directions")


if __name__ == "__main__":
    main()
