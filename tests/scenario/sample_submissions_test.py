"""Challenges and submissions on both faces: rows S1 to S3 of the documented requests, every rule of an addition, who sees
what, repeats, races, and the end of a submission."""
import hashlib
import json
import re
import threading
import time
import uuid

import grpc

from vigiltest import contract
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import ENVELOPE, Grpc, GrpcError, Rest, curl
from vigiltest.directory import Directory
from vigiltest.process import wait_until

SERVICE = "vigil.sampledb.v2.SubmissionService/"
FILE = bytes(range(256)) * 16
SHA256 = hashlib.sha256(FILE).hexdigest()
MEMBERS = ["id", "sampleSha256", "fileName", "customer", "observedTimestamp", "submittedTimestamp", "mimeType",
           "metaData", "tlp", "acl", "userAgent", "expiryTimestamp", "flags"]
SUBJECT = ["id", "shortName", "name", "domain", "customer", "type", "flags"]
AGENT = {"name": "demo-agent", "version": "1.0"}


def path(digest=SHA256, rest=""):
    return f"/sampledb/v2/sample/{digest}{rest}"


def proof(challenge, data=FILE):
    part = data[challenge["offset"]:challenge["offset"] + challenge["length"]]
    assert len(part) == challenge["length"], challenge
    return {"id": challenge["id"], "sha256": hashlib.sha256(part).hexdigest()}


class Submissions(ServerCase):
    settings = ("challenge_lifetime_ms=3s", "sampledb_trusted_agents=trusted agent|other")

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("demo", 2171, "Demo")
        directory.customer("below", 2172, "Below", parent="demo")
        directory.customer("other", 3000, "Other")
        directory.add("groups", shortName="friends", customer="other")
        directory.user("agent", "demo")
        directory.user("dennis", "demo")
        directory.user("stranger", "other")
        directory.user("friend", "other", group=["friends"])
        cls.keys = {name: directory.key(name, ["SAMPLEDB-USER"]) for name in ("agent", "dennis", "stranger", "friend")}
        cls.keys["viewer"] = directory.key("agent", ["SAMPLEDB-VIEWER"])
        cls.keys["uploader"] = directory.key("agent", ["SAMPLEDB-UPLOADER"])
        cls.rest = Rest(cls.server.port, cls.keys["agent"])
        cls.grpc = Grpc(cls.server.port, cls.keys["agent"])
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)
        answer = cls.rest.request("POST", "/sampledb/v2/sample", body=FILE)
        assert answer.status == 201, answer

    def token(self, digest=SHA256, data=FILE, key=...):
        answer = self.rest.request("POST", path(digest, "/challenge"), key=key)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(list(answer.data), ["id", "offset", "length"])
        return proof(answer.data, data)

    def body(self, token=None, **members):
        return {"fileName": "invoice.exe", "userAgent": AGENT, **members, "challengeToken": token or self.token()}

    def add(self, body, digest=SHA256, key=...):
        return self.rest.request("POST", path(digest, "/submission"), body=body, key=key)

    def added(self, key=..., **members):
        token = self.token(key=key)
        answer = self.add(self.body(token, **members), key=key)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(list(answer.data), MEMBERS)
        return answer.data

    def refused(self, body, status, template, field, digest=SHA256, key=...):
        answer = self.add(body, digest, key)
        self.assertEqual((answer.status, answer.template, answer.field), (status, template, field), answer)
        return answer

    def ask(self, name, **members):
        """Over gRPC."""
        method = contract.method(SERVICE + name)
        return self.grpc.call(method.full_name, method.request(**members))

    def file(self, name):
        """A sample of its own."""
        data = hashlib.sha256(name.encode()).digest() * 64
        self.assertIn(self.rest.request("POST", "/sampledb/v2/sample", body=data).status, (200, 201))
        return hashlib.sha256(data).hexdigest(), data


class Documented(Submissions):
    """By curl, as printed but for host and key."""

    def curl(self, *words, data=None):
        answer = curl("-H", f"Argus-API-Key: {self.keys['agent']}", *words, data=data)
        self.assertEqual(list(answer.json), ENVELOPE)
        return answer

    def test_s1_s2_s3(self):
        url = f"http://127.0.0.1:{self.server.port}"
        body = fixture("sampledb/add-submission-request.guide-shape.json")
        body["challengeToken"] = self.token()
        added = self.curl(url + path(rest="/submission"), data=json.dumps(body))
        self.assertEqual(added.status, 201, added)
        shape = fixture("sampledb/add-submission-response-201.synth.json")
        self.assertEqual(list(added.data), list(shape["data"]))
        self.assertEqual(added.data["observedTimestamp"], 1608557674000)
        self.assertEqual(added.data["customer"], shape["data"]["customer"] | {"domain": added.data["customer"]["domain"]})
        self.assertEqual(added.data["userAgent"], {"name": "user agent", "version": "1.0"})
        listed = self.curl("-X", "GET", url + path(rest="/submission/"))
        self.assertEqual(listed.status, 200)
        self.assertIn(added.data, listed.data)
        self.assertEqual(listed.json["count"], len(listed.data))
        fetched = self.curl("-X", "GET", url + path(rest="/submission/" + added.data["id"]))
        self.assertEqual((fetched.status, fetched.data), (200, added.data))

    def test_minimal_and_full_shapes(self):
        minimal = fixture("sampledb/add-submission-request.minimal.json")
        minimal["challengeToken"] = self.token()
        data = self.add(minimal).data
        self.assertEqual({name: data[name] for name in ("mimeType", "metaData", "tlp", "acl", "expiryTimestamp", "flags")},
                         {"mimeType": "application/octet-stream", "metaData": {}, "tlp": "amber", "acl": [],
                          "expiryTimestamp": None, "flags": []})
        self.assertEqual(data["observedTimestamp"] <= data["submittedTimestamp"], True)
        full = fixture("sampledb/add-submission-request.swagger-shape.json")
        full["challengeToken"] = self.token()
        full["acl"] = ["dennis", "FRIENDS"]
        data = self.add(full).data
        self.assertEqual(data["customer"]["shortName"], "demo")
        self.assertGreater(data["expiryTimestamp"], data["submittedTimestamp"] + 27 * 86400000)
        self.assertEqual([list(entry) for entry in data["acl"]], [["subject", "grantedByUser", "grantedTimestamp"]] * 2)
        self.assertEqual([list(entry["subject"]) for entry in data["acl"]], [SUBJECT] * 2)
        told = {entry["subject"]["shortName"]: entry["subject"]["type"] for entry in data["acl"]}
        self.assertEqual(told, {"dennis": "user", "friends": "group"})
        self.assertEqual({entry["grantedByUser"]["shortName"] for entry in data["acl"]}, {"agent"})
        self.assertEqual({entry["grantedTimestamp"] for entry in data["acl"]}, {data["submittedTimestamp"]})


class Answers(Submissions):
    """Against the documents of the fixtures: members, their order, and in errors every value but time and wording."""

    @staticmethod
    def shape(value):
        """Members in their order, at every depth."""
        if isinstance(value, dict):
            return [(name, Answers.shape(inner)) for name, inner in value.items()]
        return [Answers.shape(inner) for inner in value[:1]] if isinstance(value, list) else None

    def same_error(self, answer, name, **differing):
        document, expected = answer.json, fixture(f"sampledb/{name}.synth.json")
        self.assertEqual(self.shape(document), self.shape(expected))
        for each in (document, expected):
            for row in each["messages"]:
                row.update({"timestamp": 0, "message": ""})
        expected["messages"][0].update(differing)
        self.assertEqual((answer.status, document), (expected["responseCode"], expected))

    def same_shape(self, answer, name, *, rows=()):
        """`rows`: members whose elements are not compared, for what they hold differs."""
        document, expected = answer.json, fixture(f"sampledb/{name}.synth.json")
        self.assertEqual((answer.status, document["responseCode"]), (expected["responseCode"],) * 2)
        for each in (document, expected):
            data = each["data"][0] if isinstance(each["data"], list) else each["data"]
            for member in rows:
                data[member] = None
        self.assertEqual(self.shape(document), self.shape(expected))

    def test_answers_and_errors_are_those_of_the_fixtures(self):
        unknown = "ab" * 32
        small = self.rest.request("POST", "/sampledb/v2/sample", body=b"small")
        self.same_error(self.rest.request("POST", path(unknown, "/challenge")), "challenge-response-404",
                        parameter=unknown)
        self.same_error(self.rest.request("POST", path(small.data["sample"]["id"], "/challenge")), "challenge-response-422")
        self.same_error(self.add(self.body({**self.token(), "sha256": "00" * 32})), "error-412-challenge")
        self.same_error(self.add(self.body(tlp="purple")), "error-412-field")
        self.same_error(self.rest.request("POST", path(rest="/challenge"), key=self.keys["viewer"]), "error-403")
        self.same_error(self.rest.request("POST", path(rest="/challenge"), key="a/b/c"), "error-401")
        self.same_shape(self.rest.request("POST", path(rest="/challenge")), "challenge-response-200")
        data = hashlib.sha256(b"fixtures").digest() * 64
        for name in ("upload-response-201", "upload-response-200-existing"):
            uploaded = self.rest.request("POST", "/sampledb/v2/sample", body=data)
            self.same_shape(uploaded, name)
        digest = uploaded.data["sample"]["id"]
        body = fixture("sampledb/add-submission-request.guide-shape.json")
        added = self.add({**body, "challengeToken": uploaded.data["challenge"]}, digest)
        differing = ("acl", "metaData")
        self.same_shape(added, "add-submission-response-201", rows=differing)
        self.same_shape(self.rest.get(path(digest, "/submission/" + added.data["id"])), "get-submission-response-200",
                        rows=differing)
        self.same_shape(self.rest.get(path(digest, "/submission")), "list-submissions-response-200", rows=differing)
        self.same_shape(self.rest.get(path(digest)), "sample-metadata-response-200")


class Challenges(Submissions):
    def test_unknown_404_and_small_422(self):
        answer = self.rest.request("POST", path("ab" * 32, "/challenge"), body={})
        self.assertEqual((answer.status, answer.template), (404, "sample.not.found"))
        self.assertEqual(answer.json["messages"][0]["parameter"], "ab" * 32)
        for size, status in ((5, 422), (1023, 422), (1024, 200)):
            data = b"x" * size
            upload = self.rest.request("POST", "/sampledb/v2/sample", body=data)
            answer = self.rest.request("POST", path(hashlib.sha256(data).hexdigest(), "/challenge"))
            self.assertEqual(answer.status, status, answer)
            if status == 422:
                self.assertEqual(answer.template, "sample.too.small")
                body = self.body(upload.data["challenge"], fileName=f"small-{size}")
                self.assertEqual(self.add(body, hashlib.sha256(data).hexdigest()).status, 201)

    def test_a_digest_of_another_kind_is_412(self):
        for digest in ("ab" * 16, "ab" * 20, "zz" * 32, "ab" * 31 + "a", "..%2F..%2Fetc"):
            answer = self.rest.request("POST", path(digest, "/challenge"))
            self.assertEqual(answer.status, 412, digest)
        self.assertEqual(self.rest.request("POST", path(SHA256.upper(), "/challenge")).status, 200)

    def test_ranges_lie_in_the_file(self):
        seen = set()
        for _ in range(50):
            answer = self.rest.request("POST", path(rest="/challenge")).data
            self.assertTrue(512 <= answer["length"] and answer["offset"] + answer["length"] <= len(FILE), answer)
            seen.add((answer["offset"], answer["length"]))
        self.assertGreater(len(seen), 25)

    def test_the_token_of_an_upload_is_solved(self):
        for name in ("first", "second"):  # a fresh one for every upload
            answer = self.rest.request("POST", "/sampledb/v2/sample", body=FILE)
            self.assertEqual(answer.status, 200)
            self.assertEqual(self.add(self.body(answer.data["challenge"], fileName=name)).status, 201)

    def test_all_failures_are_one_answer(self):
        digest, data = self.file("another")
        spent = self.token()
        self.assertEqual(self.add(self.body(spent)).status, 201)
        expired = self.token()
        burnt = self.token()
        foreign = self.token(key=self.keys["dennis"])
        bad = (
            ({"id": str(uuid.uuid4()), "sha256": "ab" * 32}, SHA256),
            ({**burnt, "sha256": "00" * 32}, SHA256),
            (burnt, SHA256),
            (foreign, SHA256),
            (self.token(), digest),
        )
        answers = [self.add(self.body(token), sample) for token, sample in bad]
        answers.append(self.add(self.body(spent, fileName="different")))
        time_up = time.monotonic() + 3.2
        wait_until(lambda: time.monotonic() > time_up, what="the lifetime of a challenge", deadline=30)
        answers.append(self.add(self.body(expired)))
        answers.append(self.add(self.body(spent)))
        told = set()
        for answer in answers:
            self.assertEqual((answer.status, answer.template, answer.field),
                             (412, "invalid.challenge.token", "challengeToken"), answer)
            # Byte by byte, but for the time and the name of the request.
            headers = sorted((name.lower(), value) for name, value in answer.headers.items()
                             if name.lower() not in ("date", "x-request-id"))
            told.add((re.sub(rb'"timestamp":\d{13}', b"", answer.body), str(headers)))
        self.assertEqual(len(told), 1, told)
        self.assertEqual(len(data), 2048)

    def test_all_failures_are_one_answer_by_grpc(self):
        digest, _ = self.file("one more")
        spent, burnt, foreign = self.token(), self.token(), self.token(key=self.keys["dennis"])
        self.assertEqual(self.add(self.body(spent)).status, 201)
        told = set()
        method = contract.method(SERVICE + "AddSubmission")
        for token, sample in ((spent, SHA256), ({**burnt, "sha256": "00" * 32}, SHA256), (burnt, SHA256), (foreign, SHA256),
                              (self.token(), digest), ({"id": str(uuid.uuid4()), "sha256": "ab" * 32}, SHA256)):
            request = method.request(sha256=sample, file_name="x", user_agent=AGENT, challenge_token=token)
            with self.assertRaises(grpc.RpcError) as refused:
                self.grpc.stub(method.full_name)(request, metadata=self.grpc.metadata(...), timeout=30)
            error = refused.exception
            both = [sorted(item for item in metadata if item.key != "x-request-id")
                    for metadata in (error.trailing_metadata(), error.initial_metadata())]
            told.add((error.code(), error.details(), str(both)))
        self.assertEqual(len(told), 1, told)

    def test_a_foreign_attempt_does_not_burn(self):
        token = self.token()
        body = self.body(token, fileName="kept")
        self.refused(body, 412, "invalid.challenge.token", "challengeToken", key=self.keys["dennis"])
        self.assertEqual(self.add(body).status, 201)

    def test_other_faults_come_first_and_leave_it(self):
        token = self.token()
        self.refused(self.body(token, tlp="red"), 412, "invalid.json.field.value", "tlp")
        self.refused(self.body(token, customer="nobody"), 412, "invalid.reference", "customer")
        self.refused(self.body({**token, "sha256": token["sha256"].upper()}, fileName=""), 412,
                     "invalid.json.field.value", "fileName")
        self.assertEqual(self.add(self.body({**token, "sha256": token["sha256"].upper()})).status, 201)

    def test_the_same_request_again_is_answered_the_same(self):
        for members in ({}, {"retention": "now + 1 month", "observedTimestamp": "-1 hour"}):
            body = self.body(fileName=f"again-{len(members)}", **members)
            first = self.add(body)
            self.assertEqual([self.add(body).json for _ in range(2)], [first.json] * 2)
            self.refused({**body, "fileName": "else"}, 412, "invalid.challenge.token", "challengeToken")
            self.refused(body, 412, "invalid.challenge.token", "challengeToken", key=self.keys["dennis"])

    def test_of_two_users_with_one_token_its_owner_wins_and_of_many_requests_one(self):
        for number in range(5):
            token = self.token()
            statuses = []

            def run(name, key):
                rest = Rest(self.server.port, self.keys[key])
                statuses.append((key, self.add_with(rest, self.body(token, fileName=name))))
                rest.close()

            threads = [threading.Thread(target=run, args=(f"race-{number}-{racer}", "agent" if racer % 2 else "dennis"))
                       for racer in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(statuses), sorted([("agent", 201)] + [("agent", 412)] * 3 + [("dennis", 412)] * 4))

    def add_with(self, rest, body):
        return rest.request("POST", path(rest="/submission"), body=body).status

    def test_functions(self):
        for name in ("viewer", "uploader"):
            answer = self.rest.request("POST", path("ab" * 32, "/challenge"), key=self.keys[name])
            self.assertEqual((answer.status, answer.template), (403, "access.denied"))  # before existence
            self.refused(self.body(), 403, "access.denied", None, key=self.keys[name])
        self.assertEqual(self.rest.get(path(rest="/submission"), key=self.keys["uploader"]).status, 403)


class Rules(Submissions):
    def test_meta_data(self):
        data = self.added(metaData={"a": {"b": {"c": "d"}, "n": 5, "t": True, "none": None}, "f": 1.5, "x.y": "z"})
        self.assertEqual(data["metaData"], {"a.b.c": "d", "a.n": "5", "a.t": "true", "f": "1.5", "x.y": "z"})
        self.assertEqual(self.added(metaData={})["metaData"], {})
        token = self.token()
        many = {f"k{number}": "v" for number in range(1000)}
        cases = (
            ({"l": [1]}, "metaData.l", "invalid.json.field.type"),
            ({"a": {"l": []}}, "metaData.a.l", "invalid.json.field.type"),
            ({"a b": "c"}, "metaData.a b", "invalid.json.field.value"),
            ({"a": {"b\tc": "d"}}, None, "invalid.json.field.value"),
            ({"": "x"}, "metaData", "invalid.json.field.value"),
            ({"k" * 256: "v"}, None, "invalid.json.field.value"),
            ({"k" * 128: {"v" * 127: "v"}}, None, "invalid.json.field.value"),
            ({"k": "v" * 8193}, "metaData.k", "invalid.json.field.value"),
            ({**many, "more": "v"}, None, "invalid.json.field.value"),
        )
        for meta, field, template in cases:
            answer = self.add(self.body(token, metaData=meta))
            self.assertEqual((answer.status, answer.template), (412, template), str(meta)[:80])
            if field is not None:
                self.assertEqual(answer.field, field)
        deep = {}
        for _ in range(70):
            deep = {"d": deep}
        self.refused(self.body(token, metaData=deep), 412, "invalid.json.request", None)
        accepted = {**many, "k0": "v" * 8192, "k1": "ø" * 8192}
        del accepted["k2"]
        accepted["k" * 127] = {"v" * 127: "v"}
        answer = self.add(self.body(token, metaData=accepted))
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(len(answer.data["metaData"]), 1000)

    def test_names_and_patterns(self):
        token = self.token()
        for name in ("a\u0000b", "a\nb", "a\u007f", "a\u0085b", "", "x" * 1025):
            self.assertEqual(self.add(self.body(token, fileName=name)).status, 412, repr(name))
        for agent in ({"name": "ø", "version": "1"}, {"name": "", "version": "1"}, {"name": "a" * 256, "version": "1"},
                      {"name": "a"}, {"name": "a", "version": "1\n"}, {"name": "a&b", "version": "1"}):
            self.assertEqual(self.add(self.body(token, userAgent=agent)).status, 412, agent)
        self.assertEqual(self.add(self.body(token, mimeType="x" * 256)).status, 412)
        self.refused(self.body(token, nosuch=1), 412, "unknown.json.field", "nosuch")
        for missing in ("fileName", "userAgent", "challengeToken"):
            body = self.body(token)
            del body[missing]
            self.refused(body, 412, "required.field", missing)
        every = "{ } $ - ( ) . [ ] \" ' / \\ , * + # : @ ! ? ; ="
        name = "../../etc/passwd ø" + "x" * 1006
        data = self.add(self.body(token, fileName=name, userAgent={"name": every, "version": every})).data
        self.assertEqual((data["fileName"], data["userAgent"]["name"]), (name, every))

    def test_tlp(self):
        self.assertEqual(self.added(tlp="white")["tlp"], "clear")
        self.assertEqual(self.added(tlp="green")["tlp"], "green")
        token = self.token()
        self.refused(self.body(token, tlp="red"), 412, "invalid.json.field.value", "tlp")
        self.refused(self.body(token, tlp="purple"), 412, "invalid.json.field.value", "tlp")

    def test_times(self):
        cases = (
            ({"timestamp": 1608557674}, 1608557674000),
            ({"timestamp": "1608557674"}, 1608557674000),
            ({"timestamp": 99999999999}, 99999999999000),
            ({"timestamp": 100000000000}, 100000000000),
            ({"timestamp": 1608557674000}, 1608557674000),
            ({"timestamp": "2020-12-21T13:34:34Z"}, 1608557674000),
            ({"timestamp": 5, "observedTimestamp": 7}, 7),
            ({"observedTimestamp": 7}, 7),
            ({"observedTimestamp": 253402300799999}, 253402300799999),
        )
        for members, expected in cases:
            self.assertEqual(self.added(**members)["observedTimestamp"], expected, members)
        token = self.token()
        for members in ({"timestamp": "x"}, {"timestamp": -1}, {"observedTimestamp": "1 day"}, {"retention": "now - 1 day"},
                        {"retention": 1}, {"retention": "2019-10-05"}, {"retention": "x"}):
            self.assertEqual(self.add(self.body(token, **members)).status, 412, members)
        for retention in ("now + 1 month", "+1 day", 4102444800000, "4102444800000", "2100-01-01", "2100-01-01T00:00:00Z"):
            self.assertIsNotNone(self.added(retention=retention)["expiryTimestamp"], retention)

    def test_customer_acl_and_flags(self):
        for customer in ("below", "BELOW", 2172, "2172"):
            self.assertEqual(self.added(customer=customer)["customer"]["id"], 2172)
        token = self.token()
        answer = self.refused(self.body(token, customer="x"), 412, "invalid.reference", "customer")
        self.assertEqual(answer.json["messages"][0]["message"], "Invalid customer: x")
        self.refused(self.body(token, customer="other"), 403, "access.denied", None)
        answer = self.refused(self.body(token, acl=["agent", "x"]), 412, "invalid.reference", "acl[1]")
        self.assertEqual(answer.json["messages"][0]["message"], "Invalid acl: x")
        self.assertEqual(len(self.added(acl=["agent", "stranger", "stranger"])["acl"]), 2)
        self.assertEqual(self.added(userAgent={"name": "trusted agent", "version": "2"})["flags"], ["trustedAgent"])
        self.assertEqual(self.added(userAgent={"name": "trusted", "version": "2"})["flags"], [])
        # The customer's sample has to exist, not to be visible.
        self.refused(self.body(token), 404, "sample.not.found", None, digest="cd" * 32)

    def test_by_grpc(self):
        challenge = self.ask("GetChallenge", sha256=SHA256)
        token = proof({name: getattr(challenge, name) for name in ("id", "offset", "length")})
        answer = self.ask("AddSubmission", sha256=SHA256, file_name="by grpc", meta_data={"a.b": "c"}, tlp=4,
                          challenge_token=token, user_agent=AGENT)
        self.assertEqual(answer.submission.meta_data["a.b"], "c")
        shown = self.rest.get(path(rest="/submission/" + answer.submission.id)).data
        self.assertEqual((shown["fileName"], shown["tlp"], shown["metaData"]), ("by grpc", "clear", {"a.b": "c"}))
        with self.assertRaises(GrpcError) as refused:
            self.ask("AddSubmission", sha256=SHA256, file_name="again", challenge_token=token, user_agent=AGENT)
        self.assertEqual(refused.exception.reason, "INVALID_CHALLENGE")


class Visibility(Submissions):
    def test_who_sees_what(self):
        digest, data = self.file("visibility")

        def add(**members):
            token = self.token(digest, data)
            return self.add(self.body(token, **members), digest).data["id"]

        def seen(name):
            answer = self.rest.get(path(digest, "/submission"), key=self.keys[name])
            if answer.status == 404:
                self.assertEqual(answer.template, "sample.not.found")
                return None
            return {row["id"] for row in answer.data}

        self.assertIsNone(seen("agent"))  # uploaded, and no submission yet
        own = add(tlp="clear")
        below = add(customer="below")
        self.assertEqual((seen("agent"), seen("dennis")), ({own, below},) * 2)
        self.assertEqual((seen("stranger"), seen("friend")), (None, None))
        answer = self.rest.get(path(digest, "/submission/" + own), key=self.keys["stranger"])
        self.assertEqual((answer.status, answer.template), (404, "sample.not.found"))
        named = add(acl=["stranger"])
        grouped = add(acl=["friends"])
        self.assertEqual((seen("stranger"), seen("friend")), ({named}, {grouped}))
        answer = self.rest.get(path(digest, "/submission/" + own), key=self.keys["stranger"])
        self.assertEqual((answer.status, answer.template), (404, "submission.not.found"))
        self.assertEqual(self.rest.get(path(digest, "/submission/" + named), key=self.keys["stranger"]).status, 200)
        self.assertEqual(self.rest.get(path(digest, "/submission/nope")).status, 412)
        self.assertEqual(self.rest.get(path(SHA256, "/submission/" + own)).status, 404)
        self.check_pages(digest)

    def check_pages(self, digest):
        everything = self.rest.get(path(digest, "/submission?limit=0"))
        rows = everything.data
        self.assertEqual((everything.json["limit"], everything.json["count"], everything.json["size"]), (0, 4, 4))
        self.assertEqual([(-row["submittedTimestamp"], row["id"]) for row in rows],
                         sorted((-row["submittedTimestamp"], row["id"]) for row in rows))
        pages = [self.rest.get(path(digest, f"/submission?limit=1&offset={offset}")) for offset in range(5)]
        self.assertEqual([row for page in pages for row in page.data], rows)
        self.assertEqual([page.json["count"] for page in pages], [4] * 5)
        for query in ("limit=10001", "offset=10001", "limit=-1", "offset=-1"):
            self.assertEqual(self.rest.get(path(digest, "/submission?" + query)).status, 412, query)
        self.assertEqual(self.rest.get(path(digest, "/submission?limit=10000&offset=10000")).data, [])
        method = contract.method(SERVICE + "StreamListSampleSubmissions")
        rows_by_grpc = list(self.grpc.start_rows(method.full_name, method.request(sha256=digest, limit=0)))
        self.assertEqual([row.id for row in rows_by_grpc], [row["id"] for row in rows])

    def test_it_is_not_seen_from_its_expiry_on_and_goes(self):
        digest, data = self.file("expiry")
        token = self.token(digest, data)
        answer = self.add(self.body(token, retention=int(time.time() * 1000) + 1500), digest)
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.rest.get(path(digest, "/submission")).status, 200)
        expiry = answer.data["expiryTimestamp"] / 1000
        wait_until(lambda: time.time() >= expiry, what="the expiry", deadline=30)
        self.assertEqual(self.rest.get(path(digest, "/submission")).status, 404)
        self.assertEqual(self.rest.get(path(digest, "/submission/" + answer.data["id"])).status, 404)


class Similar(Submissions):
    settings = ("sampledb_similar_window_ms=2s",)

    def test_one_like_another_is_220(self):
        first = self.add(self.body(fileName="s", metaData={"a": "b"}))
        self.assertEqual(first.status, 201)
        body = self.body(fileName="s", metaData={"a": "b"}, userAgent={**AGENT, "version": "2"})
        answer = self.add(body)
        shape = fixture("sampledb/add-submission-response-220.synth.json")
        self.assertEqual(answer.status, 220, answer)
        document = answer.json
        self.assertEqual(list(document), ENVELOPE)
        document["messages"][0]["timestamp"] = shape["messages"][0]["timestamp"]
        self.assertEqual(document, shape)
        self.assertEqual(self.add(body).status, 220)  # repeated
        self.refused({**body, "fileName": "t"}, 412, "invalid.challenge.token", "challengeToken")  # spent
        self.assertEqual(self.add(self.body(fileName="t", metaData={"a": "b"})).status, 201)
        listed = self.rest.get(path(rest="/submission")).data
        self.assertEqual(sorted(row["fileName"] for row in listed if row["fileName"] in "st"), ["s", "t"])
        over = time.monotonic() + 2.2
        wait_until(lambda: time.monotonic() > over, what="the window", deadline=30)
        self.assertEqual(self.add(self.body(fileName="s", metaData={"a": "b"})).status, 201)

    def test_curl_takes_220(self):
        body = self.body(fileName="c")
        self.assertEqual(self.add(body).status, 201)
        answer = curl("-H", f"Argus-API-Key: {self.keys['agent']}", f"http://127.0.0.1:{self.server.port}" +
                      path(rest="/submission"), data=json.dumps(self.body(fileName="c")))
        self.assertEqual((answer.status, answer.json["responseCode"]), (220, 220))

    def test_by_grpc_it_is_a_success_that_says_so(self):
        for number in range(2):
            answer = self.ask("AddSubmission", sha256=SHA256, file_name="g", challenge_token=self.token(),
                              user_agent=AGENT)
            self.assertEqual(answer.HasField("rate_limited"), number == 1)
        self.assertEqual(answer.rate_limited.sample_sha256, SHA256)


class Restarted(Submissions):
    settings = ()

    def test_challenges_and_answers_outlive_the_process(self):
        open_token = self.token()
        body = self.body(fileName="before")
        first = self.add(body)
        self.server.restart()
        self.rest.close()
        self.rest = Rest(self.server.port, self.keys["agent"])
        self.addCleanup(self.rest.close)
        self.assertEqual(self.add(body).json, first.json)
        self.assertEqual(self.add(self.body(open_token, fileName="after")).status, 201)
        listed = self.rest.get(path(rest="/submission")).data
        self.assertEqual(sorted(row["fileName"] for row in listed), ["after", "before"])


if __name__ == "__main__":
    main()
