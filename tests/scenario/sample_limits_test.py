"""Limits of samples and submissions, each with what is just inside and one past it: rows of a page, buckets of a timeline,
groups, nesting, members of lists, metadata on both faces, digests."""
import hashlib
import json

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory

SERVICE = "vigil.sampledb.v2.SubmissionService/"
FILE = b"one file for all " * 100
SHA256 = hashlib.sha256(FILE).hexdigest()
SAMPLE = f"/sampledb/v2/sample/{SHA256}"
SEARCH = "/sampledb/v2/submission/search"
STATISTICS = "/sampledb/v2/submission/statistics"
AGENT = {"name": "tests", "version": "1"}
HOUR = 3600 * 1000
AT_ONCE = 64  # fewer than the challenges a user may have open about a sample


class Limits(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", 7)
        directory.user("user", "own")
        cls.key = directory.key("user", ["SAMPLEDB-USER"])
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)
        cls.token()

    @classmethod
    def token(cls):
        answer = cls.rest.request("POST", "/sampledb/v2/sample", body=FILE)
        assert answer.status in (200, 201), answer
        return answer.data["challenge"]

    def add(self, **members):
        return self.rest.post(SAMPLE + "/submission",
                              {"fileName": "f", "userAgent": AGENT, **members, "challengeToken": self.token()})

    def refused(self, answer, template, field=...):
        self.assertEqual((answer.status, answer.template), (412, template), answer)
        if field is not ...:
            self.assertEqual(answer.field, field)


class Pages(Limits):
    @classmethod
    def arrange(cls):
        super().arrange()
        cls.ways = {name: (cls.grpc.stub(SERVICE + name), contract.method(SERVICE + name).request)
                    for name in ("GetChallenge", "AddSubmission")}

    def start(self, name, **members):
        stub, request = self.ways[name]
        return stub.future(request(sha256=SHA256, **members), metadata=self.grpc.metadata(self.key), timeout=60)

    def add_many(self, numbers):
        """Submissions named by their number, many on their way at a time."""
        numbers = list(numbers)
        for begin in range(0, len(numbers), AT_ONCE):
            part = numbers[begin:begin + AT_ONCE]
            challenges = [call.result() for call in [self.start("GetChallenge") for _ in part]]
            proofs = [{"id": row.id, "sha256": hashlib.sha256(FILE[row.offset:row.offset + row.length]).hexdigest()}
                      for row in challenges]
            for call in [self.start("AddSubmission", file_name=f"n{number:05}", user_agent=AGENT, challenge_token=proof)
                         for number, proof in zip(part, proofs)]:
                self.assertTrue(call.result().submission.id)

    def test_a_page_holds_10000_rows_and_no_more(self):
        self.add_many(range(10000))
        for method, target, body in (("POST", SEARCH, {"limit": 0}), ("GET", SAMPLE + "/submission?limit=0", None),
                                     ("GET", "/sampledb/v2/submission?limit=0", None)):
            answer = self.rest.request(method, target, body=body)
            self.assertEqual((answer.status, answer.json["count"], answer.json["size"]), (200, 10000, 10000), target)
        self.assertEqual(len(self.rest.post(SEARCH, {"limit": 10000}).data), 10000)
        self.add_many([10000])
        for method, target, body in (("POST", SEARCH, {"limit": 0}), ("GET", SAMPLE + "/submission?limit=0", None),
                                     ("GET", "/sampledb/v2/submission?limit=0", None)):
            answer = self.rest.request(method, target, body=body)
            self.refused(answer, "resultset.too.large", None)
            self.assertEqual(answer.json["messages"][0]["parameter"], "10000")
        answer = self.rest.post(SEARCH, {"limit": 10000, "sortBy": "fileName"})
        self.assertEqual((answer.json["count"], answer.json["size"], answer.data[-1]["fileName"]), (10001, 10000, "n09999"))
        answer = self.rest.post(SEARCH, {"limit": 10000, "offset": 10000, "sortBy": "fileName"})
        self.assertEqual((answer.json["count"], [row["fileName"] for row in answer.data]), (10001, ["n10000"]))
        # Groups: a limit cuts; 0 is all of them, and more than 10,000 are none.
        for limit, size in ((10000, 10000), (1, 1), (None, 25)):
            group = {"field": "fileName", **({"limit": limit} if limit is not None else {})}
            answer = self.rest.post(STATISTICS, {"groupBy": [group]})
            self.assertEqual((len(answer.data), answer.data[0]["group"]["identifier"]), (size, "n00000"), limit)
        self.refused(self.rest.post(STATISTICS, {"groupBy": [{"field": "fileName", "limit": 0}]}), "resultset.too.large", None)
        everything = {"groupBy": [{"field": "fileName", "limit": 0}], "keywords": "n0", "keywordFieldStrategy": "fileName"}
        self.assertEqual(len(self.rest.post(STATISTICS, everything).data), 10000)


class Bombs(Limits):
    def test_buckets_of_a_timeline(self):
        base = 400000 * HOUR
        for hours, status in ((0, 200), (9999, 200), (10000, 412)):
            self.assertEqual(self.add(fileName="hours", observedTimestamp=base + hours * HOUR).status, 201)
            answer = self.rest.post(STATISTICS, {"fileName": "hours", "timeline": [
                {"name": "t", "field": "observedTimestamp", "resolution": "hour", "includeEmpty": True}]})
            self.assertEqual(answer.status, status, str(answer)[:200])
            if status == 200:
                self.assertEqual(len(answer.data[0]["timeline"][0]["buckets"]), hours + 1)
        self.refused(answer, "resultset.too.large", None)

    def test_nesting_of_criteria(self):
        for target in (SEARCH, "/sampledb/v2/sample/search", STATISTICS):
            for depth, status in ((8, 200), (9, 412)):
                body = {"tlp": "green"}
                for _ in range(depth):
                    body = {"subCriteria": [body]}
                answer = self.rest.post(target, body | {"groupBy": [{"field": "tlp"}]} if target == STATISTICS else body)
                self.assertEqual(answer.status, status, (target, depth, answer))

    def test_lists(self):
        for target, body, inside, outside in (
                (SEARCH, lambda n: {"keywords": [f"k{i}" for i in range(n)]}, 1000, 1001),
                (SEARCH, lambda n: {"subCriteria": [{"fileName": f"k{i}"} for i in range(n)]}, 10, 10001),
                (STATISTICS, lambda n: {"groupBy": [{"field": "tlp"}] * n}, 16, 17),
                (STATISTICS, lambda n: {"statistics": [{"name": f"n{i}", "field": "expiryTimestamp"} for i in range(n)]}, 16, 17),
                (STATISTICS, lambda n: {"timeline": [{"name": f"n{i}", "field": "expiryTimestamp", "resolution": "day"}
                                                     for i in range(n)]}, 16, 17)):
            self.assertEqual(self.rest.post(target, body(inside)).status, 200, inside)
            self.refused(self.rest.post(target, body(outside)), "invalid.json.field.value")
        answer = self.add(acl=["user"] * 1000)
        self.assertEqual((answer.status, len(answer.data["acl"])), (201, 1))
        self.refused(self.add(acl=["user"] * 1001), "invalid.json.field.value", "acl")

    def test_bodies_full_of_keys_and_levels(self):
        token = self.token()
        body = json.dumps({"fileName": "f", "userAgent": AGENT, "challengeToken": token,
                           "metaData": {f"k{number}": "v" * 1000 for number in range(15000)}})
        self.refused(self.rest.request("POST", SAMPLE + "/submission", body=body), "invalid.json.field.value")
        flat = {"a": "x"}
        for _ in range(61):
            flat = {"a": flat}
        self.assertEqual(self.add(metaData=flat).status, 201)  # 63 levels with the body's own
        self.refused(self.add(metaData={"a": {"a": flat}}), "invalid.json.request")

    def test_metadata_by_grpc(self):
        def add(**members):
            method = contract.method(SERVICE + "AddSubmission")
            try:
                answer = self.grpc.call(method.full_name, method.request(**{
                    "sha256": SHA256, "file_name": "f", "user_agent": AGENT, "challenge_token": self.token(), **members}))
            except GrpcError as error:
                return error.code, error.fields
            return answer.submission.file_name, dict(answer.submission.meta_data)

        for meta in ({f"k{number}": "v" for number in range(1000)}, {"k" * 255: "\u00f8" * 8192}, {"\u00f8" * 255: ""}):
            self.assertEqual(add(meta_data=meta), ("f", meta))
        long = "metaData." + "k" * 40
        for meta, field in (({f"k{number}": "v" for number in range(1001)}, "metaData"), ({"k" * 256: "v"}, long),
                            ({"k": "v" * 8193}, "metaData.k"), ({"a b": "v"}, "metaData.a b"), ({"": "v"}, "metaData")):
            self.assertEqual(add(meta_data=meta), ("INVALID_ARGUMENT", [field]))
        for name in ("../../x", "/x", "..\\x", "x" * 1024):
            self.assertEqual(add(file_name=name), (name, {}))
        for name in ("", "a\0b", "a\nb", "x" * 1025):
            self.assertEqual(add(file_name=name), ("INVALID_ARGUMENT", ["fileName"]))
        for digest in ("ab" * 31, "ab" * 31 + "a", "ab" * 32 + "a", "ab" * 64, "../" + "a" * 61, "g" * 64, "", "a" * 63 + "\0"):
            self.assertEqual(add(sha256=digest), ("INVALID_ARGUMENT", ["sha256"]))

    def test_digests_in_paths(self):
        bad = ("ab" * 31, "ab" * 31 + "a", "ab" * 32 + "a", "ab" * 64, "..%2f..%2fx", "%2e%2e", "%00" * 64, "a" * 63 + "%00",
               "..%5cx", "%2fetc%2fpasswd", "a" * 62 + "%2f" + "a", "g" * 64)
        for digest in bad:
            for verb, rest in (("GET", ""), ("GET", "/raw"), ("GET", "/safe"), ("GET", "/verdict"), ("GET", "/classification"),
                               ("GET", "/submission"), ("GET", "/submission/" + "0" * 32), ("POST", "/challenge"),
                               ("POST", "/submission"), ("POST", "/verdict"), ("DELETE", "")):
                answer = self.rest.request(verb, f"/sampledb/v2/sample/{digest}{rest}", body={} if verb == "POST" else None,
                                           key=self.server.admin_key())
                self.assertIn(answer.status, (404, 412), (verb, digest, rest))
                told = {(row["messageTemplate"], row["field"]) for row in answer.json["messages"]}
                expected = {("invalid.url.parameter", "sha256"), ("invalid.url.parameter", None), ("url.not.exist", None)}
                self.assertTrue(told & expected, (verb, digest, rest, told))


if __name__ == "__main__":
    main()
