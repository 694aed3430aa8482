"""Assessment of events: listed ones, one, and what a search finds; in both versions and over both faces."""
import time

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import Grpc, GrpcError, Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import wait_until

EVENT_V1 = "vigil.events.v1.EventService/"
EVENT_V2 = "vigil.events.v2.EventService/"
OWN, SUB, FOREIGN = 2171, 2172, 2173
CASE, CASE_OF_SUB, CASE_UNREAD = 123456, 123457, 123458
AT = 1569185283911
UUID = "6c36deb6-d5e3-461c-bab4-%012x"
NOBODY = "00000000-0000-4000-8000-000000000000"
LISTED = "/events/v1/aggregated"
FOUND = "/events/v1/aggregated/bulk"
FOUND_V2 = "/events/v2/event/assess"


class Assessments(ServerCase):
    number = 0

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", OWN)
        directory.customer("sub", SUB, parent="own")
        directory.customer("foreign", FOREIGN)
        for user in ("analyst", "other"):
            directory.user(user, "own", name="An " + user)
        directory.add("cases", id=CASE, customer="own", subject="A case")
        directory.add("cases", id=CASE_OF_SUB, customer="sub", subject="Another")
        directory.add("cases", id=CASE_UNREAD, customer="foreign", subject="Foreign")
        cls.keys = {name: directory.key(user, roles, customers) for name, user, roles, customers in (
            ("analyst", "analyst", ["EVENT-ANALYST", "EVENT-SUBMITTER"], ()),
            ("other", "other", ["EVENT-ANALYST"], ()),
            ("narrow", "analyst", ["EVENT-ANALYST"], ["sub"]),
            ("viewer", "analyst", ["EVENT-VIEWER", "EVENT-SUBMITTER"], ()))}
        cls.rest = Rest(cls.server.port, cls.keys["analyst"])
        cls.grpc = Grpc(cls.server.port, cls.keys["analyst"])
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)

    def submit(self, kind="AGGR", customer=OWN, at=AT, **members):
        Assessments.number += 1
        event_id = f"{kind}/{at}/{customer}/{UUID % Assessments.number}"
        answer = self.rest.post("/events/v2/event", {"id": event_id, **members})
        self.assertEqual(answer.status, 201, answer)
        return event_id

    def put(self, target, body, **options):
        return self.rest.request("PUT", target, body=body, **options)

    def update(self, ids, update, **options):
        return self.put(LISTED, {"eventIdentifiers": ids, "update": update}, **options)

    def assess(self, event_id, body, **options):
        return self.put(f"/events/v2/event/{event_id}/assess", body, **options)

    def v1(self, event_id):
        answer = self.rest.get("/events/v1/" + event_id)
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def v2(self, event_id):
        answer = self.rest.get(f"/events/v2/event/{event_id}?includeComments=true&includeAllProperties=true")
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def lineage(self, event_id):
        return self.rest.get(f"/events/v2/event/{event_id}/lineage").data

    def properties(self, event_id):
        return {row["key"]: row["values"] for row in self.v2(event_id)["properties"]}

    def check_untouched(self, event_id):
        self.assertNotIn("argus.assessed.timestamp", self.v1(event_id)["properties"])
        self.assertEqual([row["type"] for row in self.lineage(event_id)], ["created"])

    def by_grpc(self, method, document, key=...):
        request = documented_json.into_message(document, contract.method(method).request())
        return documented_json.from_message(self.grpc.call(method, request, key=key))

    def grpc_error(self, method, document, key=...):
        with self.assertRaises(GrpcError) as caught:
            self.by_grpc(method, document, key=key)
        return caught.exception


class Listed(Assessments):
    def test_the_request_of_the_toolbelt(self):
        request = fixture("events_v1_aggregated_update.toolbelt.request.json")
        answer = self.rest.post("/events/v2/event", {"id": request["eventIdentifiers"][0], "severity": "medium"})
        self.assertEqual(answer.status, 201, answer)
        before = self.v1(request["eventIdentifiers"][0])
        started = int(time.time() * 1000)
        answer = self.put(LISTED, request)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual([answer.json[name] for name in ("limit", "offset", "count", "size")], [0, 0, 1, 1])
        event = answer.data[0]
        self.assertEqual(event, self.v1(event["id"]), "the answer is the event as it is then")
        self.assertEqual(event["id"], request["eventIdentifiers"][0])
        self.assertEqual([row["id"] for row in event["associatedCases"]], [CASE])
        self.assertEqual(event["associatedCase"]["id"], CASE)
        comment = event["comments"][0]
        self.assertEqual(list(comment), ["timestamp", "user", "comment"])
        self.assertEqual(comment["comment"], request["update"]["comment"])
        self.assertTrue(started - 1000 <= comment["timestamp"] <= started + 60000)
        user = comment["user"]
        self.assertEqual((user["userName"], user["name"], user["customerID"], user["type"]),
                         ("analyst", "An analyst", OWN, "user"))
        self.assertEqual((user["customer"]["id"], user["customer"]["shortName"]), (OWN, "own"))
        self.assertEqual(user["domain"], user["customer"]["domain"])
        self.assertEqual(sorted(event["flags"]), ["COMMENTED", "NOTIFIED"], "v1 does not acknowledge by itself")
        self.assertEqual(event["severity"], "medium")
        self.assertEqual(event["properties"]["argus.assessed.by.userid"], str(user["id"]))
        self.assertTrue(started - 1000 <= int(event["properties"]["argus.assessed.timestamp"]) <= started + 60000)
        self.assertGreaterEqual(event["lastUpdatedTimestamp"], before["lastUpdatedTimestamp"])
        entry = self.lineage(event["id"])[0]
        self.assertEqual((entry["type"], entry["eventLastUpdatedTimestamp"], entry["createdByUser"]["shortName"]),
                         ("assessed", event["lastUpdatedTimestamp"], "analyst"))
        self.assertEqual(entry["description"], "Assessed: comment, cases associated")

    def test_every_member(self):
        event_id = self.submit(flags=["FOLLOWUP"], associatedCaseID=CASE, finalized=True)
        first_notified = self.v2(event_id)["timestamps"]["firstNotified"]
        answer = self.update([event_id], {
            "comment": "ø", "associateToCase": 0, "flagsToEnable": ["ACKNOWLEDGED", "SOURCE_IS_MANAGED_BY_SOC"],
            "flagsToDisable": ["FOLLOWUP", "FINALIZED"], "newSeverity": "critical", "handledByAnalyst": "true",
            "triggers": {"slaViolation": True, "internalSlaViolation": False}})
        self.assertEqual(answer.status, 200, answer)
        event = answer.data[0]
        self.assertEqual(set(event["flags"]), {"ACKNOWLEDGED", "SOURCE_IS_MANAGED_BY_SOC", "SEVERITY_ADJUSTED", "COMMENTED",
                                               "HANDLED_BY_ANALYST", "NOTIFIED"})
        self.assertEqual((event["severity"], event["associatedCases"], event["associatedCase"]), ("critical", [], None))
        times = self.v2(event_id)["timestamps"]
        self.assertEqual(times["firstNotified"], first_notified, "removing the last case changes neither")
        self.assertIsNotNone(times["firstAssessed"])
        # Not final any more: submissions apply again. The second assessment is told as one.
        self.assertEqual(self.rest.post("/events/v2/event", {"id": event_id, "count": 7}).status, 201)
        event = self.update([event_id], {"associateCases": [CASE]}).data[0]
        self.assertEqual((event["count"], event["associatedCase"]["id"]), (7, CASE))
        self.assertIn("REASSESSED", event["flags"])
        self.assertEqual(self.v2(event_id)["timestamps"]["firstAssessed"], times["firstAssessed"])
        event = self.update([event_id], {"unassociateCases": [CASE]}).data[0]
        self.assertEqual(event["associatedCases"], [])

    def test_a_repeated_comment_is_kept_once(self):
        event_id = self.submit()
        for key in ("analyst", "analyst", "other", "other"):
            self.assertEqual(self.update([event_id], {"comment": "same"}, key=self.keys[key]).status, 200)
        self.update([event_id], {"comment": "more"})
        comments = self.v1(event_id)["comments"]
        self.assertEqual([(row["user"]["userName"], row["comment"]) for row in comments],
                         [("analyst", "same"), ("other", "same"), ("analyst", "more")])
        shown = self.v2(event_id)["comments"]
        self.assertEqual([(row["user"]["shortName"], row["comment"], row["timestamp"]) for row in shown],
                         [(row["user"]["userName"], row["comment"], row["timestamp"]) for row in comments])

    def test_all_or_nothing(self):
        event_id = self.submit()
        for wrong, status, template in ((f"AGGR/{AT}/{OWN}/{NOBODY}", 404, "event.not.found"),
                                        (f"AGGR/{AT}/{OWN}/no-uuid", 404, "event.not.found"),
                                        (event_id.replace("AGGR", "RAW"), 404, "event.not.found"),
                                        (f"AGGR/{AT}/{FOREIGN}/{NOBODY}", 403, "access.denied"),
                                        (f"AGGR/{AT}/99999/{NOBODY}", 403, "access.denied"),
                                        ("nonsense", 412, "invalid.json.field.value")):
            with self.subTest(wrong=wrong):
                answer = self.update([event_id, wrong], {"comment": "x"})
                self.assert_error(answer, status, template, "eventIdentifiers[1]" if status == 412 else ...)
                if status == 404:
                    self.assertEqual(answer.json["messages"][0]["parameter"], wrong)
        self.check_untouched(event_id)

    def test_what_is_refused_and_where(self):
        event_id = self.submit()
        raw = self.submit("RAW")
        of_sub = self.submit(customer=SUB)
        ids = [event_id]
        many = [f"AGGR/{AT}/{OWN}/{UUID % n}" for n in range(10001)]
        for ids, update, template, field in (
                ([], {"comment": "x"}, "required.field", "eventIdentifiers"),
                (many, {}, "invalid.json.field.value", "eventIdentifiers"),
                (ids, None, "required.field", "update"),
                (ids, {"flagsToEnable": ["FOLLOWUP"], "flagsToDisable": ["FOLLOWUP"]}, "conflicting.fields",
                 "update.flagsToDisable"),
                (ids, {"associateCases": [CASE], "unassociateCases": [1, CASE]}, "conflicting.fields",
                 "update.unassociateCases[1]"),
                (ids, {"associateToCase": CASE, "unassociateCases": [CASE]}, "conflicting.fields",
                 "update.unassociateCases[0]"),
                (ids, {"associateToCase": -1}, "invalid.json.field.value", "update.associateToCase"),
                (ids, {"associateToCase": 77}, "invalid.reference", "update.associateToCase"),
                (ids, {"associateCases": [CASE, CASE_UNREAD]}, "invalid.reference", "update.associateCases[1]"),
                (ids, {"unassociateCases": [CASE_OF_SUB]}, "invalid.reference", "update.unassociateCases[0]"),
                ([event_id, of_sub], {"associateToCase": CASE}, "invalid.reference", "update.associateToCase"),
                ([raw], {"associateToCase": CASE}, "invalid.reference", "update.associateToCase"),
                (ids, {"flagsToEnable": ["NO_FLAG"]}, "invalid.json.field.value", "update.flagsToEnable[0]"),
                (ids, {"newSeverity": "worse"}, "invalid.json.field.value", "update.newSeverity"),
                (ids, {"unknown": 1}, "unknown.json.field", "update.unknown")):
            with self.subTest(template=template, field=field):
                self.assert_error(self.update(ids, update), 412, template, field)
        answer = self.update([event_id], {"associateToCase": 77})
        self.assertEqual(answer.json["messages"][0]["message"], "Invalid case: 77")
        for one in (event_id, raw, of_sub):
            self.check_untouched(one)

    def test_sub_events(self):
        raw, other = self.submit("RAW"), self.submit("RAW")
        absent = f"RAW/{AT}/{OWN}/{NOBODY}"
        event_id = self.submit(subEvents=[raw, absent, other])
        answer = self.update([event_id], {"comment": "alone"})
        self.assertEqual([row["id"] for row in answer.data], [event_id])
        self.check_untouched(raw)
        answer = self.update([event_id], {"comment": "told", "recursiveResult": True})
        self.assertEqual([row["id"] for row in answer.data], [event_id, raw, other])
        self.assertIn("sensor", answer.data[1], "a raw event has the shape of one")
        self.check_untouched(raw)
        answer = self.update([event_id, raw], {"comment": "all", "recursiveAnnotation": True, "recursiveResult": True})
        self.assertEqual([row["id"] for row in answer.data], [event_id, raw, other])
        for one in (event_id, raw, other):
            self.assertEqual(self.v1(one)["comments"][-1]["comment"], "all")
        self.assertEqual(len(self.lineage(raw)), 2, "named twice, assessed once")
        answer = self.update([event_id], {"associateToCase": CASE, "recursiveAnnotation": True})
        self.assertEqual([row["id"] for row in answer.data], [event_id])
        self.assertEqual(len(self.lineage(other)), 3)
        self.assertEqual(self.rest.get("/events/v1/" + absent).status, 404)

    def test_an_event_named_twice_is_assessed_once(self):
        event_id = self.submit()
        tail = event_id.partition("/")[2]
        answer = self.update([event_id, event_id, "AGGRATTACK/" + tail, "AGGR/" + tail.upper()], {"comment": "x"})
        self.assertEqual([row["id"] for row in answer.data], [event_id])
        self.assertEqual(len(self.lineage(event_id)), 2)

    def test_both_faces_and_the_stream(self):
        ids = [self.submit() for _ in range(3)]
        document = {"eventIdentifiers": ids, "update": {"comment": "x"}}
        page = self.by_grpc(EVENT_V1 + "UpdateAggregated", document)
        self.assertEqual(([row["id"] for row in page["data"]], page["count"], page["limit"]), (ids, 3, 0))
        method = EVENT_V1 + "StreamUpdateAggregated"
        rows, numbers = self.grpc.rows(method, documented_json.into_message(document, contract.method(method).request()))
        self.assertEqual(([documented_json.from_message(row)["id"] for row in rows], numbers), (ids, (0, 0, 3)))
        for event_id in ids:
            self.assertEqual(len(self.lineage(event_id)), 3)
        self.assertEqual(self.grpc_error(EVENT_V1 + "UpdateAggregated", {"update": {}}).reason, "REQUIRED_FIELD")
        error = self.grpc_error(EVENT_V1 + "UpdateAggregated", document, key=self.keys["viewer"])
        self.assertEqual(error.reason, "ACCESS_DENIED")

    def test_an_unknown_field_over_grpc_changes_nothing(self):
        event_id = self.submit()
        for method in (EVENT_V1 + "UpdateAggregated", EVENT_V1 + "UpdateAggregatedBulk", EVENT_V2 + "AssessEvents"):
            with self.assertRaises(GrpcError) as caught:
                self.grpc.raw(method, b"\xf8\x07\x01")
            self.assertEqual(caught.exception.code, "INVALID_ARGUMENT", method)
        self.check_untouched(event_id)

    def test_as_many_as_one_request_may_name(self):
        ids = [f"AGGR/{AT + 5}/{OWN}/{UUID % n}" for n in range(0x10000, 0x10000 + 10000)]
        for at in range(0, len(ids), 1000):
            answer = self.rest.post("/events/v2/event/bulk", {"events": [{"id": one} for one in ids[at:at + 1000]]})
            self.assertEqual(answer.data["accepted"], 1000)
        answer = self.update(ids, {"comment": "many"})
        self.assertEqual((answer.status, answer.json["count"]), (200, 10000))
        self.assertEqual([row["id"] for row in answer.data], ids)


class Filled(Assessments):
    at = AT

    def fill(self, count, **members):
        """Events at a time of their own; their ids."""
        Filled.at += 1000
        Assessments.number += count
        ids = [f"AGGR/{Filled.at}/{OWN}/{UUID % (Assessments.number + n)}" for n in range(count)]
        Assessments.number += count
        for at in range(0, count, 2500):
            events = [{"id": one, **members} for one in ids[at:at + 2500]]
            answer = self.rest.post("/events/v2/event/bulk", {"events": events})
            self.assertEqual(answer.data["accepted"], len(events), answer)
        return ids

    def criteria(self, **members):
        return {"startTimestamp": Filled.at, "endTimestamp": Filled.at, **members}

    def count_assessed(self):
        body = self.criteria(limit=1, properties={"argus.assessed.by.userid": self.user()})
        return self.rest.post("/events/v1/aggregated/search", body).json["count"]

    def user(self):
        return str(self.rest.get("/currentuser/v1/user").data["id"])


class Found(Filled):
    def test_v1_assesses_all_that_match(self):
        ids = self.fill(2600)
        raw = self.submit("RAW", at=Filled.at)
        answer = self.put(FOUND, {"criteria": self.criteria(), "update": {"comment": "x", "associateToCase": CASE}})
        self.assertEqual((answer.status, answer.data), (200, 2600), answer)
        self.assertEqual(answer.json["count"], 0)
        self.assertEqual(self.count_assessed(), 2600)
        self.check_untouched(raw)
        for event_id in (ids[0], ids[1000], ids[-1]):
            event = self.v1(event_id)
            self.assertEqual((event["comments"][0]["comment"], event["associatedCase"]["id"]), ("x", CASE))

    def test_v1_with_limit_offset_and_sort(self):
        ids = sorted(self.fill(30))
        answer = self.put(FOUND, {"criteria": self.criteria(limit=10, offset=5, sortBy=["id"]), "update": {"comment": "x"}})
        self.assertEqual(answer.data, 10, answer)
        assessed = [one for one in ids if self.v1(one)["comments"]]
        self.assertEqual(assessed, ids[5:15])

    def test_v1_what_changes_the_match_does_not_stop_it(self):
        self.fill(2100)
        answer = self.put(FOUND, {"criteria": self.criteria(excludeFlags=["FOLLOWUP"]),
                                  "update": {"flagsToEnable": ["FOLLOWUP"]}})
        self.assertEqual(answer.data, 2100)
        answer = self.put(FOUND, {"criteria": self.criteria(excludeFlags=["FOLLOWUP"]), "update": {}})
        self.assert_error(answer, 404, "event.not.found")

    def test_v1_refusals(self):
        self.fill(2)
        of_sub = self.submit(customer=SUB, at=Filled.at)
        for body, status, template, field in (
                ({"criteria": {}, "update": {}}, 412, "required.field", "criteria.startTimestamp"),
                ({"criteria": self.criteria()}, 412, "required.field", "update"),
                ({"criteria": self.criteria(unknown=1), "update": {}}, 412, "unknown.json.field", "criteria.unknown"),
                ({"criteria": self.criteria(customer=["nobody"]), "update": {}}, 404, "event.not.found", None),
                ({"criteria": self.criteria(), "update": {"associateToCase": CASE}}, 412, "invalid.reference",
                 "update.associateToCase"),
                ({"criteria": self.criteria(customer=["own"]), "update": {"associateCases": [77]}}, 412,
                 "invalid.reference", "update.associateCases[0]"),
                ({"criteria": self.criteria(), "update": {"flagsToEnable": ["FOLLOWUP"], "flagsToDisable": ["FOLLOWUP"]}},
                 412, "conflicting.fields", "update.flagsToDisable")):
            with self.subTest(field=field):
                self.assert_error(self.put(FOUND, body), status, template, field)
        self.assertEqual(self.count_assessed(), 0)
        self.check_untouched(of_sub)

    def test_events_of_other_customers_are_left_out(self):
        ids = self.fill(3)
        of_sub = self.submit(customer=SUB, at=Filled.at)
        answer = self.put(FOUND, {"criteria": self.criteria(), "update": {"comment": "x"}}, key=self.keys["narrow"])
        self.assertEqual(answer.data, 1)
        self.assertEqual(len(self.lineage(of_sub)), 2)
        answer = self.put(FOUND_V2, {"assessment": {}, "search": self.criteria()}, key=self.keys["narrow"])
        self.assertEqual(answer.data, {"successes": [of_sub], "failures": []})
        self.check_untouched(ids[0])
        self.assert_error(self.update(ids[:1], {}, key=self.keys["narrow"]), 403, "access.denied")
        self.assert_error(self.assess(ids[0], {}, key=self.keys["narrow"]), 403, "access.denied")
        for target, body in ((FOUND, {"criteria": self.criteria(), "update": {}}),
                             (FOUND_V2, {"assessment": {}, "search": {}})):
            self.assert_error(self.put(target, body, key=self.keys["viewer"]), 403, "access.denied")

    def test_v1_sub_events(self):
        raw = self.submit("RAW")
        event_id = self.submit(at=AT - 5000, subEvents=[raw, f"RAW/{AT}/{OWN}/{NOBODY}"])
        body = {"criteria": {"startTimestamp": AT - 5000, "endTimestamp": AT - 5000},
                "update": {"comment": "x", "recursiveAnnotation": True}}
        self.assertEqual(self.put(FOUND, body).data, 1)
        self.assertEqual([self.v1(one)["comments"][0]["comment"] for one in (event_id, raw)], ["x", "x"])

    def test_v2_takes_25_unless_told_otherwise(self):
        ids = sorted(self.fill(2200))
        answer = self.put(FOUND_V2, {"assessment": {"comment": "x"}, "search": self.criteria()})
        self.assertEqual((answer.status, len(answer.data["successes"]), answer.data["failures"]), (200, 25, []))
        answer = self.put(FOUND_V2, {"assessment": {}, "search": self.criteria(limit=3, offset=1, sortBy=["eventID"])})
        self.assertEqual(answer.data["successes"], ids[1:4])
        answer = self.put(FOUND_V2, {"assessment": {}, "search": self.criteria(limit=0)})
        self.assertEqual(sorted(answer.data["successes"]), ids)
        answer = self.put(FOUND_V2, {"assessment": {}, "search": self.criteria(customer="nobody")})
        self.assertEqual((answer.status, answer.data), (200, {"successes": [], "failures": []}))

    def test_v2_each_event_on_its_own(self):
        own = self.fill(2)
        of_sub = self.submit(customer=SUB, at=Filled.at)
        raw = self.submit("RAW", at=Filled.at)
        answer = self.put(FOUND_V2, {"assessment": {"associateCase": [CASE]}, "search": self.criteria()})
        self.assertEqual(sorted(answer.data["successes"]), own)
        self.assertEqual(sorted(answer.data["failures"], key=str),
                         sorted(({"eventID": one, "reason": f"Invalid case: {CASE}"} for one in (of_sub, raw)), key=str))
        for one in (of_sub, raw):
            self.check_untouched(one)
        answer = self.put(FOUND_V2, {"assessment": {"associateCase": [77]}, "search": self.criteria()})
        self.assert_error(answer, 412, "invalid.reference", "assessment.associateCase[0]")
        answer = self.put(FOUND_V2, {"assessment": {"assessmentProperty": [{"key": "A", "values": ["x"]}]}, "search": {}})
        self.assert_error(answer, 412, "invalid.json.field.value", "assessment.assessmentProperty[0].key")

    def test_a_call_whose_time_is_up_stops_between_two_portions(self):
        count = 40000
        self.fill(count)
        request = documented_json.into_message({"criteria": self.criteria(), "update": {"comment": "x"}},
                                               contract.method(EVENT_V1 + "UpdateAggregatedBulk").request())
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(EVENT_V1 + "UpdateAggregatedBulk", request, timeout=0.1)
        self.assertEqual(caught.exception.code, "DEADLINE_EXCEEDED")
        # The scrape is no call: none is under way any more.
        wait_until(lambda: metrics(self.server.port)["vigil_calls_in_flight"] == 0, what="the end of the call")
        assessed = self.count_assessed()
        self.assertLess(assessed, count)
        self.assertEqual(assessed % 1000, 0, "whole portions")
        answer = self.put(FOUND, {"criteria": self.criteria(), "update": {"comment": "x"}})
        self.assertEqual(answer.data, count, "again, all of them")
        self.assertEqual(self.count_assessed(), count)

    def test_over_grpc(self):
        ids = sorted(self.fill(30))
        self.assertEqual(self.by_grpc(EVENT_V1 + "UpdateAggregatedBulk",
                                      {"criteria": self.criteria(), "update": {"comment": "x"}}), 30)
        answer = self.by_grpc(EVENT_V2 + "AssessEvents", {"assessment": {}, "search": self.criteria(limit=0)})
        self.assertEqual((sorted(answer["successes"]), answer["failures"]), (ids, []))


class SmallAnswers(Filled):
    settings = ("grpc_reply_bytes_max=9600",)

    def test_what_would_not_fit_a_grpc_answer_is_refused_before_anything_is_done(self):
        self.fill(101)
        error = self.grpc_error(EVENT_V2 + "AssessEvents", {"assessment": {}, "search": self.criteria(limit=0)})
        self.assertEqual(error.reason, "RESULTSET_TOO_LARGE")
        self.assertEqual(self.count_assessed(), 0)
        answer = self.by_grpc(EVENT_V2 + "AssessEvents", {"assessment": {}, "search": self.criteria(limit=100)})
        self.assertEqual(len(answer["successes"]), 100)


class One(Assessments):
    def test_every_member(self):
        event_id = self.submit(flags=["FOLLOWUP", "PARTIALLY_ACKNOWLEDGED"])
        answer = self.assess(event_id, {
            "comment": "ø", "enableFlag": ["identifiedThreat"], "disableFlag": ["followup"], "associateCase": [CASE],
            "assessmentProperty": [{"key": "verdict", "values": ["a", "b", "a"]}, {"key": "some.deepKey", "values": "x" * 1030}],
            "newSeverity": "high", "handledByAnalyst": True, "publishIfUnpublished": True,
            "trigger": ["slaViolation", "internalSlaViolation"]})
        self.assertEqual(answer.status, 200, answer)
        event = answer.data
        self.assertEqual(set(event["flags"]), {"acknowledged", "identifiedThreat", "severityAdjusted", "commented", "notified",
                                               "handledByAnalyst"})
        self.assertEqual((event["severity"], [row["id"] for row in event["associatedCases"]]), ("high", [CASE]))
        self.assertEqual([row["comment"] for row in event["comments"]], ["ø"])
        self.assertIsNone(event["properties"])
        self.assertEqual(event["comments"][0]["user"]["shortName"], "analyst")
        properties = self.properties(event_id)
        self.assertEqual(properties["meta.argus.assessment.verdict"], ["a", "b"])
        self.assertEqual(properties["meta.argus.assessment.some.deepKey"], ["x" * 1024])
        self.assertIn("argus.assessed.timestamp", properties)
        self.assertEqual(event["timestamps"]["firstAssessed"], int(properties["argus.assessed.timestamp"][0]))
        self.assertEqual(event["timestamps"]["firstNotified"], event["timestamps"]["firstAssessed"])
        event = self.assess(event_id, {"disassociateCase": [CASE]}).data
        self.assertEqual(event["associatedCases"], [])
        self.assertIn("reassessed", event["flags"])

    def test_acknowledging(self):
        for body, flags in (({}, ["acknowledged"]), ({"autoAcknowledge": False}, []),
                            ({"disableFlag": ["acknowledged"]}, []), ({"autoAcknowledge": None}, ["acknowledged"]),
                            ({"autoAcknowledge": False, "enableFlag": ["partiallyAcknowledged"]}, ["partiallyAcknowledged"]),
                            ({"enableFlag": ["partiallyAcknowledged"]}, ["acknowledged"])):
            with self.subTest(body=body):
                self.assertEqual(self.assess(self.submit(), body).data["flags"], flags)

    def test_both_paths_both_classes_and_both_faces(self):
        aggregated = self.submit()
        tail = aggregated.partition("/")[2]
        self.assertEqual(self.rest.post("/events/v2/event", {"id": "RAW/" + tail}).status, 201)
        for path in (tail, "AGGR/" + tail, "RAW/" + tail, "NIDS/" + tail):
            answer = self.assess(path, {"comment": path})
            self.assertEqual((answer.status, answer.data["id"]), (200, aggregated), answer)
        self.assertEqual(self.v1("RAW/" + tail)["comments"], [])
        raw = self.submit("RAW")
        self.assertEqual(self.assess(raw.replace("RAW", "AGGR"), {}).data["id"], raw)
        self.assert_error(self.assess(raw, {"associateCase": [CASE]}), 412, "invalid.reference", "associateCase[0]")
        kind, at, customer, uuid = aggregated.split("/")
        document = {"timestamp": int(at), "customerID": int(customer), "eventID": uuid, "comment": "by grpc"}
        answer = self.by_grpc(EVENT_V2 + "AssessEvent", document)
        self.assertEqual((answer["id"], answer["comments"][-1]["comment"]), (f"{kind}/{at}/{customer}/{uuid}", "by grpc"))

    def test_refusals(self):
        event_id = self.submit()
        for body, template, field in (
                ({"enableFlag": ["followup"], "disableFlag": ["followup"]}, "conflicting.fields", "disableFlag"),
                ({"associateCase": [CASE], "disassociateCase": [CASE]}, "conflicting.fields", "disassociateCase[0]"),
                ({"associateCase": [CASE, 77]}, "invalid.reference", "associateCase[1]"),
                ({"associateCase": [CASE_OF_SUB]}, "invalid.reference", "associateCase[0]"),
                ({"enableFlag": ["blocked"]}, "invalid.json.field.value", "enableFlag[0]"),
                ({"assessmentProperty": [{"key": "ok", "values": ["x"]}, {"key": "a..b", "values": ["x"]}]},
                 "invalid.json.field.value", "assessmentProperty[1].key"),
                ({"assessmentProperty": [{"key": "ok", "values": []}]}, "required.field", "assessmentProperty[0].values"),
                ({"assessmentProperty": [{"key": "k" * 1025, "values": ["x"]}]}, "invalid.json.field.value",
                 "assessmentProperty[0].key"),
                ({"trigger": ["other"]}, "invalid.json.field.value", "trigger[0]"),
                ({"flags": []}, "unknown.json.field", "flags")):
            with self.subTest(field=field, template=template):
                self.assert_error(self.assess(event_id, body), 412, template, field)
        self.check_untouched(event_id)
        self.assertEqual(self.assess(event_id, {"assessmentProperty": [{"key": "k" * 1024, "values": ["x"]}]}).status, 200)
        self.assert_error(self.assess(f"{AT}/{OWN}/{NOBODY}", {}), 404, "event.not.found")
        self.assert_error(self.assess(f"{AT}/{FOREIGN}/{NOBODY}", {}), 403, "access.denied")
        self.assert_error(self.assess(event_id, {}, key=self.keys["viewer"]), 403, "access.denied")
        self.assertEqual(self.assess(f"{AT}/{OWN}/no-uuid", {}).status, 412)


class Bounds(Assessments):
    """Small messages, and snapshots that end soon."""

    settings = ("grpc_reply_bytes_max=64KiB", "stream_snapshot_age_ms=100ms")
    MANY = 8_000

    def test_what_is_done_is_answered(self):
        """The answer that does not fit is no failure: everything was assessed, and the answer says so."""
        ids = [self.submit(properties={"text": ["x" * 1024] * 4, "more": ["y" * 1000]})
               for _ in range(40)]
        document = {"eventIdentifiers": ids, "update": {"comment": "done", "flagsToEnable": ["FOLLOWUP"]}}
        page = documented_json.from_message(self.grpc.call(EVENT_V1 + "UpdateAggregated", documented_json.into_message(
            document, contract.method(EVENT_V1 + "UpdateAggregated").request())))
        self.assertEqual(page["count"], len(ids))
        told = [row["id"] for row in page["data"]]
        self.assertTrue(0 < len(told) < len(ids), len(told))
        self.assertEqual(told, ids[:len(told)])
        for event_id in ids:
            event = self.v1(event_id)
            self.assertEqual(([row["comment"] for row in event["comments"]], "FOLLOWUP" in event["flags"]), (["done"], True))
        # Over REST, and as rows, all are answered.
        self.assertEqual([row["id"] for row in self.update(ids, {"comment": "again"}).data], ids)
        method = EVENT_V1 + "StreamUpdateAggregated"
        rows, _ = self.grpc.rows(method, documented_json.into_message(document, contract.method(method).request()))
        self.assertEqual([row.aggregated.id for row in rows], ids)
        # What only reads is refused as ever.
        search = EVENT_V1 + "SearchAggregated"
        with self.assertRaises(GrpcError) as caught:
            self.grpc.call(search, documented_json.into_message(
                {"startTimestamp": 0, "limit": 0}, contract.method(search).request()))
        self.assertEqual(caught.exception.reason, "ANSWER_TOO_LARGE")

    def test_an_assessment_outlasts_its_snapshot(self):
        """Noting what matches has to be over before the snapshot ends; changing it may take as long as it takes."""
        rest = Rest(self.server.port, self.keys["analyst"], timeout=120)
        self.addCleanup(rest.close)
        for first in range(0, self.MANY, 4000):
            answer = rest.post("/events/v2/event/bulk", {"events": [
                {"id": {"customer": "own", "timestamp": 1000 + first + at}, "signature": "bulk"} for at in range(4000)]})
            self.assertEqual(answer.data["accepted"], 4000)
        body = {"criteria": {"startTimestamp": 0, "endTimestamp": 1000 + self.MANY, "signature": ["bulk"]},
                "update": {"flagsToEnable": ["FOLLOWUP"], "comment": "all"}}

        def assess():
            answer = rest.request("PUT", FOUND, body=body)
            if answer.status == 503 and answer.template == "snapshot.expired":
                return None  # on a machine so busy that not even the ids could be read
            self.assertEqual(answer.status, 200, answer)
            return answer

        self.assertEqual(wait_until(assess, deadline=60, what="the ids").data, self.MANY)
        found = rest.post("/events/v1/aggregated/search", {
            "startTimestamp": 0, "endTimestamp": 1000 + self.MANY, "signature": ["bulk"], "includeFlags": ["FOLLOWUP", "COMMENTED"],
            "limit": 1})
        self.assertEqual(found.json["count"], self.MANY)


if __name__ == "__main__":
    main()
