"""Searches for submissions and statistics of them: rows S4 to S7 of the documented requests, limits and errors with
their paths, who finds what, and both faces alike."""
import hashlib
import json

from vigiltest import contract
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import ENVELOPE, Grpc, Rest, curl
from vigiltest.directory import Directory

SERVICE = "vigil.sampledb.v2.SubmissionService/"
FILE = b"what was seen " * 200
SHA256 = hashlib.sha256(FILE).hexdigest()
SEARCH = "/sampledb/v2/submission/search"
STATISTICS = "/sampledb/v2/submission/statistics"
LIST = "/sampledb/v2/submission"
DAY = 24 * 60 * 60 * 1000

# Name, customer, tlp, mime type, metadata, agent, when it was seen.
ADDED = [
    ("evil.exe", "c123", "green", "application/x-dosexec", {"host": "srv-1"}, "apex agent", 1608552000000),
    ("Invoice.PDF", "c123", "clear", "application/pdf", {"host": "srv-2", "zone": {"name": "lab"}}, "mail", 1608557674000),
    ("plain.txt", "c234", "green", "text/plain", {"host": "srv-1", "note": "EVIL twin"}, "mail", 1608640000000),
    ("\u00c4rger.bin", "c234", "amber", "application/octet-stream", {}, "mail", 1608640000001),
    ("other.doc", "foreign", "green", "application/msword", {"host": "srv-9"}, "evil agent", 1608640000002),
]


class Searches(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        for short_name, number, parent in (("top", 100, None), ("c123", 123, "top"), ("c234", 234, "top"),
                                           ("foreign", 900, None)):
            directory.customer(short_name, number, short_name.upper(), **({"parent": parent} if parent else {}))
        directory.user("user", "top")
        directory.user("stranger", "foreign")
        cls.keys = {name: directory.key(name, ["SAMPLEDB-USER"]) for name in ("user", "stranger")}
        cls.keys["uploader"] = directory.key("user", ["SAMPLEDB-UPLOADER"])
        cls.rest = Rest(cls.server.port, cls.keys["user"])
        cls.grpc = Grpc(cls.server.port, cls.keys["user"])
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)
        cls.added = [cls.add(*row) for row in ADDED]

    @classmethod
    def add(cls, name, customer, tlp, mime, meta, agent, seen):
        key = cls.keys["stranger" if customer == "foreign" else "user"]
        upload = cls.rest.request("POST", "/sampledb/v2/sample", body=FILE, key=key)
        assert upload.status in (200, 201), upload
        answer = cls.rest.request("POST", f"/sampledb/v2/sample/{SHA256}/submission", key=key, body={
            "fileName": name, "customer": customer, "tlp": tlp, "mimeType": mime, "metaData": meta,
            "userAgent": {"name": agent, "version": "1.0"}, "observedTimestamp": seen,
            "challengeToken": upload.data["challenge"]})
        assert answer.status == 201, answer
        return answer.data

    def names(self, answer):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["size"], len(answer.data))
        return [row["fileName"] for row in answer.data]

    def search(self, key=..., **members):
        return self.rest.request("POST", SEARCH, body=members, key=key)

    def found(self, **members):
        return self.names(self.search(**members, sortBy="observedTimestamp"))

    def refused(self, answer, template, field):
        self.assertEqual((answer.status, answer.template, answer.field), (412, template, field), answer)


class Documented(Searches):
    """By curl, as printed but for host and key."""

    def curl(self, *words, data=None):
        answer = curl("-H", f"Argus-API-Key: {self.keys['user']}", *words, data=data)
        self.assertEqual(list(answer.json), ENVELOPE)
        return answer

    def url(self, rest):
        return f"http://127.0.0.1:{self.server.port}{rest}"

    def test_s4(self):
        answer = self.curl(self.url(
            LIST + "?indexStartTimestamp=now%20-%201%20months&indexEndTimestamp=now&keywords=evil&keywords=apex"))
        # By observedTimestamp, the newest first.
        self.assertEqual(self.names(answer), ["plain.txt", "evil.exe"])
        self.assertEqual((answer.json["limit"], answer.json["offset"], answer.json["count"]), (25, 0, 2))
        self.assertEqual(answer.data[1], self.added[0])

    def test_s5(self):
        body = fixture("sampledb/search-advanced-request.guide-shape.json")
        answer = self.curl("-H", "Content-Type: application/json", self.url(SEARCH), data=json.dumps(body))
        # By submittedTimestamp, the newest first.
        self.assertEqual(self.names(answer), ["plain.txt", "evil.exe"])

    def test_s6(self):
        body = fixture("sampledb/search-advanced-request.guide-and-example.json")
        self.assertEqual(self.names(self.curl(self.url(SEARCH), data=json.dumps(body))), ["plain.txt", "evil.exe"])
        body["tlp"] = ["white"]
        self.assertEqual(self.names(self.curl(self.url(SEARCH), data=json.dumps(body))), [])

    def test_s7(self):
        fields = ["customer", "fileName", "sampleSha256", "mimeType", "tlp"]
        times = ["submittedTimestamp", "observedTimestamp", "expiryTimestamp"]
        counts = {"customer": 2, "fileName": 4, "sampleSha256": 1, "mimeType": 4, "tlp": 3}
        for field in fields:
            for resolution in ("hour", "day", "week", "month", "quarter"):
                answer = self.curl(self.url(STATISTICS), data=json.dumps({
                    "groupBy": [{"field": field}],
                    "statistics": [{"name": "v-" + time, "field": time} for time in times],
                    "timeline": [{"name": "t-" + time, "field": time, "resolution": resolution} for time in times]}))
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual((answer.json["limit"], answer.json["offset"], answer.json["count"], answer.json["size"]),
                                 (0, 0, counts[field], counts[field]), field)
                self.assertEqual(sum(record["count"] for record in answer.data), 4)
                for record in answer.data:
                    values = {value["field"]: value for value in record["statistics"]}
                    lines = {line["field"]: line for line in record["timeline"]}
                    self.assertEqual((values["expiryTimestamp"]["min"], values["expiryTimestamp"]["max"]), (None, None))
                    self.assertEqual(lines["expiryTimestamp"]["buckets"], [])
                    self.assertEqual(sum(b["count"] for b in lines["observedTimestamp"]["buckets"]), record["count"])
        for body in ({}, {"groupBy": [], "statistics": [], "timeline": None}):
            self.refused(self.curl(self.url(STATISTICS), data=json.dumps(body)), "required.field", "groupBy")

    def test_full_shape(self):
        body = fixture("sampledb/search-advanced-request.full.synth.json")
        self.assertEqual(self.names(self.curl(self.url(SEARCH), data=json.dumps(body))), [])


class Statistics(Searches):
    def count(self, **members):
        answer = self.rest.request("POST", STATISTICS, body=members)
        self.assertEqual(answer.status, 200, answer)
        return answer.data

    def test_nested_by_a_key_of_the_metadata(self):
        body = fixture("sampledb/statistics-request.synth.json")
        del body["tlp"]
        shape = fixture("sampledb/statistics-response-200.synth.json")["data"][0]
        top = self.count(**body)
        self.assertEqual([(r["group"]["identifier"], r["count"]) for r in top], [("123", 2), ("234", 2)])
        self.assertEqual(list(top[0]), list(shape))
        self.assertEqual(list(top[0]["group"]), list(shape["group"]))
        self.assertEqual(top[0]["group"] | {}, {"type": "customer", "identifier": "123", "shortName": "c123",
                                                "displayName": "C123", "metaDataField": None})
        self.assertEqual((top[0]["statistics"], top[0]["timeline"]), ([], []))
        # One of 234 has no host, and is in no bucket.
        self.assertEqual([(r["group"]["identifier"], r["count"]) for r in top[1]["buckets"]], [("srv-1", 1)])
        leaf = top[1]["buckets"][0]
        self.assertEqual(leaf["group"]["metaDataField"], "host")
        self.assertEqual(leaf["buckets"], [])
        self.assertEqual(leaf["statistics"], [{"name": "observed", "field": "observedTimestamp", "min": 1608640000000,
                                               "max": 1608640000000}])
        today = self.added[0]["submittedTimestamp"] // DAY * DAY
        self.assertEqual([b["count"] for b in leaf["timeline"][0]["buckets"]], [1])
        self.assertIn(leaf["timeline"][0]["buckets"][0]["timestamp"], (today, today + DAY))

    def test_without_groups_there_is_one_record(self):
        record, = self.count(timeline=[{"name": "d", "field": "observedTimestamp", "resolution": "day",
                                        "includeEmpty": True}], statistics=[{"name": "v", "field": "observedTimestamp"}])
        self.assertEqual((record["group"], record["count"]), (None, 4))
        self.assertEqual([(b["timestamp"] % DAY, b["count"]) for b in record["timeline"][0]["buckets"]], [(0, 2), (0, 2)])
        self.assertEqual((record["statistics"][0]["min"], record["statistics"][0]["max"]), (1608552000000, 1608640000001))
        record, = self.count(fileName="nothing", statistics=[{"name": "v", "field": "observedTimestamp"}])
        self.assertEqual((record["count"], record["statistics"][0]["min"]), (0, None))
        self.assertEqual(self.count(fileName="nothing", groupBy=[{"field": "tlp"}]), [])

    def test_names_are_cleaned_and_then_unique(self):
        record, = self.count(statistics=[{"name": "a b/\u00e4c", "field": "observedTimestamp"}])
        self.assertEqual(record["statistics"][0]["name"], "abc")
        line = {"field": "observedTimestamp", "resolution": "day"}
        value = {"field": "observedTimestamp"}
        post = lambda body: self.rest.request("POST", STATISTICS, body=body)
        self.refused(post({"statistics": [value | {"name": "a!"}], "timeline": [line | {"name": "a"}]}),
                     "invalid.json.field.value", "timeline[0].name")
        self.refused(post({"statistics": [value | {"name": "!?"}]}), "invalid.json.field.value", "statistics[0].name")
        self.refused(post({"timeline": [line | {"name": "a", "resolution": "year"}]}), "invalid.json.field.value",
                     "timeline[0].resolution")
        self.refused(post({"groupBy": [{"field": "metaData"}]}), "required.field", "groupBy[0].metaDataField")
        self.refused(post({"groupBy": [{"field": "tlp", "limit": 10001}]}), "invalid.json.field.value",
                     "groupBy[0].limit")
        self.assertEqual(self.rest.request("POST", LIST, body={}).status, 405)

    def test_limits_cut_and_zero_is_all(self):
        self.assertEqual([r["group"]["identifier"] for r in self.count(groupBy=[{"field": "fileName", "limit": 2}])],
                         ["Invoice.PDF", "evil.exe"])
        self.assertEqual(len(self.count(groupBy=[{"field": "fileName", "limit": 0}])), 4)
        self.assertEqual([(r["group"]["identifier"], r["count"]) for r in self.count(groupBy=[{"field": "tlp"}])],
                         [("green", 2), ("amber", 1), ("clear", 1)])


class Criteria(Searches):
    def test_keywords(self):
        for keywords, names in (("EVIL", ["evil.exe", "plain.txt"]), ("\u00e4RGER", ["\u00c4rger.bin"]),
                                ("white", ["Invoice.PDF"]), (SHA256[5:20].upper(), [row[0] for row in ADDED[:4]]),
                                (self.added[1]["id"][4:15], ["Invoice.PDF"]), ("hostsrv", []), ("zone.name", ["Invoice.PDF"])):
            self.assertEqual(self.found(keywords=keywords), names, keywords)
        both = {"keywords": ["evil"], "keywordFieldStrategy": ["fileName", "metaData"]}
        self.assertEqual(self.found(**both), [])  # all of the picked fields
        self.assertEqual(self.found(**both, keywordMatchStrategy="any"), ["evil.exe", "plain.txt"])
        self.assertEqual(self.found(keywords=["evil"], keywordFieldStrategy=["fileName", "all"]), ["evil.exe", "plain.txt"])

    def test_metadata_and_sub_criteria(self):
        self.assertEqual(self.found(metaData=[{"path": "host", "value": ["srv-1"]}]), ["evil.exe", "plain.txt"])
        self.assertEqual(self.found(meta=[{"path": "zone.name"}]), ["Invoice.PDF"])
        self.assertEqual(self.found(metaData=[{"path": "metaData.host"}]), [])
        self.assertEqual(self.found(metaData=[{"path": "host", "exclude": True}]), ["\u00c4rger.bin"])
        self.assertEqual(self.found(subCriteria=[{"tlp": "amber"}, {"mimeType": "application/pdf"},
                                                 {"exclude": True, "customer": None}]), ["Invoice.PDF", "\u00c4rger.bin"])
        self.assertEqual(self.found(userAgent=[{"name": "mail", "version": ["2"]}, {"name": ["apex agent"]}]), ["evil.exe"])
        self.assertEqual(self.found(sampleSha256=SHA256.upper(), id=[self.added[2]["id"].upper()]), ["plain.txt"])
        self.refused(self.search(metaData=[{"value": ["x"]}]), "required.field", "metaData[0].path")
        self.refused(self.search(metaData=[{"path": "a b"}]), "invalid.json.field.value", "metaData[0].path")

    def test_windows_and_pages(self):
        self.assertEqual(self.found(startTimestamp=1608557674000, endTimestamp=1608640000000,
                                    timeFieldStrategy=["observedTimestamp"]), ["Invoice.PDF", "plain.txt"])
        self.assertEqual(self.found(indexEndTimestamp="now - 1 day"), [])
        self.assertEqual(self.found(indexStartTimestamp="now", indexEndTimestamp="now - 1 day"), [])
        answer = self.search(sortBy=["-fileName"], limit=2, offset=1)
        self.assertEqual(self.names(answer), ["plain.txt", "evil.exe"])
        self.assertEqual((answer.json["limit"], answer.json["offset"], answer.json["count"]), (2, 1, 4))
        answer = self.search(limit=0, offset=4)
        self.assertEqual((answer.json["limit"], answer.json["count"], answer.data), (0, 4, []))
        for body, field in (({"limit": 10001}, "limit"), ({"offset": 10001}, "offset"), ({"keywords": ["a", ""]}, "keywords[1]"),
                            ({"keywordFieldStrategy": ["sample"]}, "keywordFieldStrategy[0]"),
                            ({"sortBy": ["fileName", "-fileName"]}, "sortBy"),
                            ({"subCriteria": [{"keywords": [""]}]}, "subCriteria[0].keywords[0]")):
            self.refused(self.search(**body), "invalid.json.field.value", field)
        self.refused(self.search(includeDeleted=True), "unknown.json.field", "includeDeleted")

    def test_who_finds_what(self):
        self.assertEqual(self.found(customer=["foreign", "nobody", "900"]), [])
        self.assertEqual(self.names(self.search(key=self.keys["stranger"], sortBy="observedTimestamp")), ["other.doc"])
        self.assertEqual(self.search(key=self.keys["uploader"]).status, 403)
        self.assertEqual(self.rest.request("POST", STATISTICS, body={}, key=self.keys["uploader"]).status, 403)

    def test_both_faces_alike(self):
        search = contract.method(SERVICE + "SearchSubmissions")
        answer = self.grpc.call(search.full_name, search.request(keywords=["evil"]))
        self.assertEqual([row.file_name for row in answer.data], ["plain.txt", "evil.exe"])
        self.assertEqual((answer.limit, answer.offset, answer.count), (25, 0, 2))
        statistics = contract.method(SERVICE + "GetSubmissionStatistics")
        request = statistics.request()
        request.group_by.add(field=5)
        self.assertEqual([(row.group.identifier, row.count) for row in self.grpc.call(statistics.full_name, request).data],
                         [("green", 2), ("amber", 1), ("clear", 1)])


if __name__ == "__main__":
    main()
