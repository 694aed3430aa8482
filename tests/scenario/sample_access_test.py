"""Made from the method table: every method about samples, the streaming ones included, on both faces, with each role, for
callers of the own and of a foreign customer, and for those whom an acl names, themselves or by a group.

Each file has one submission at most, of the customer acme; what opens it is its name. What a caller sees of a file is said
once, in SEES; what each method makes of it stands beside the method.
"""
import hashlib
import pathlib
import sys
import zipfile
import io

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from access_test import ROLES, may  # noqa: E402
from vigiltest import contract, faces  # noqa: E402
from vigiltest.case import ServerCase, main  # noqa: E402
from vigiltest.clients import Grpc, GrpcError, Rest  # noqa: E402
from vigiltest.directory import Directory  # noqa: E402
from vigiltest.process import wait_until  # noqa: E402

METHODS = [method for method in contract.methods() if method.service.startswith("vigil.sampledb.")]
FILES = {name: hashlib.sha256(name.encode()).digest() * 64
         for name in ("plain", "clear", "green", "by_user", "by_group", "unsubmitted")}
SHA256 = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}
NAMES = {digest: name for name, digest in SHA256.items()}
ACL = {"by_user": ["guest"], "by_group": ["friends"]}
TLP = {"clear": "clear", "green": "green"}
# Who sees which files. No tlp opens anything; an upload alone shows nothing to anybody.
SEES = {
    "own": {"plain", "clear", "green", "by_user", "by_group"},
    "stranger": set(),
    "guest": {"by_user"},
    "member": {"by_group"},
}
WITH_SAMPLE = {"GetSample", "DownloadRaw", "DownloadSafe", "ListVerdicts", "StreamListVerdicts", "AddVerdict",
               "ListClassifications", "StreamListClassifications", "ListSampleSubmissions", "StreamListSampleSubmissions",
               "GetSubmission"}
LISTS = {"ListSamples", "StreamListSamples", "SearchSamples", "StreamSamples", "ListSubmissions", "StreamListSubmissions",
         "SearchSubmissions", "StreamSubmissions", "GetSubmissionStatistics", "StreamGetSubmissionStatistics"}
BY_PROOF = {"UploadSample", "GetChallenge", "AddSubmission"}
ALL = WITH_SAMPLE | LISTS | BY_PROOF | {"DeleteSample"}


def full(name):
    return next(method for method in METHODS if method.name == name)


class SampleAccess(ServerCase):
    number = 0

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("acme", 1001)
        directory.customer("foreign", 1002)
        directory.add("groups", shortName="friends", customer="foreign")
        directory.user("own", "acme")
        directory.user("stranger", "foreign")
        directory.user("guest", "foreign")
        directory.user("member", "foreign", group=["friends"])
        cls.keys = {(who, role): directory.key(who, [role]) for who in SEES for role in ROLES}
        cls.rest = Rest(cls.server.port)
        cls.grpc = Grpc(cls.server.port)
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)
        cls.submissions = {name: cls.submit(name, data) for name, data in FILES.items()}

    @classmethod
    def submit(cls, name, data):
        """The ID of the file's submission."""
        key = cls.keys["own", "SAMPLEDB-USER"]
        uploaded = cls.rest.request("POST", "/sampledb/v2/sample", body=data, key=key)
        assert uploaded.status == 201, uploaded
        if name == "unsubmitted":
            return "00000000-0000-4000-8000-000000000000"
        answer = cls.rest.request("POST", f"/sampledb/v2/sample/{uploaded.data['sample']['id']}/submission", key=key, body={
            "fileName": name, "tlp": TLP.get(name, "amber"), "acl": ACL.get(name, []),
            "userAgent": {"name": "tests", "version": "1"}, "challengeToken": uploaded.data["challenge"]})
        assert answer.status == 201, answer
        return answer.data["id"]

    # ---- asking, on both faces: (reason, what came)

    def by_stream(self, method, document, key):
        request = faces.documented_json.into_message(document, method.request())
        try:
            rows = list(self.grpc.start_rows(method.full_name, request, key=key))
        except grpc.RpcError as error:
            return self.reason(GrpcError(error)), None
        if method.is_raw:
            return None, b"".join(row.data for row in rows)
        return None, [faces.documented_json.from_message(row) for row in rows]

    def by_upload(self, data, key):
        method = full("UploadSample")
        call = self.grpc.channel.stream_unary(method.path, request_serializer=lambda request: request.SerializeToString(),
                                              response_deserializer=method.answer.FromString)
        try:
            answer = call(iter([method.request(data=data)]), metadata=self.grpc.metadata(key), timeout=30)
        except grpc.RpcError as error:
            return self.reason(GrpcError(error)), None
        return None, faces.documented_json.from_message(answer)

    def by_raw_rest(self, verb, target, key, body=None):
        answer = self.rest.request(verb, target, body=body, key=key)
        if answer.status >= 400:
            return (answer.status, answer.template), None
        return None, answer.body

    @staticmethod
    def reason(error):
        row = contract.reasons()[error.reason]
        return row.status, row.template

    @staticmethod
    def of(outcome):
        return outcome.reason, outcome.data

    def ask(self, method, make, key):
        """Over gRPC and over every route; `make` is asked for a request each time."""
        if method.name == "UploadSample":
            yield self.by_upload(make()["data"], key)
            yield self.by_raw_rest("POST", "/sampledb/v2/sample", key, make()["data"])
        elif method.is_raw:
            yield self.by_stream(method, make(), key)
            yield self.by_raw_rest("GET", method.routes[0].path.replace("{sha256}", make()["sha256"]), key)
        elif method.is_streaming:
            yield self.by_stream(method, make(), key)
        else:
            yield self.of(faces.by_grpc(self.grpc, method, make(), key=key))
            for route in method.routes:
                yield self.of(faces.by_rest(self.rest, method, route, make(), key=key))

    # ---- requests

    def request(self, method, name, key):
        SampleAccess.number += 1
        mark = f"new-{SampleAccess.number}"
        if method.name == "UploadSample":
            return {"data": mark.encode() * 200}
        if method.name == "AddSubmission":
            return {"sha256": SHA256[name], "fileName": mark, "userAgent": {"name": "tests", "version": "1"},
                    "challengeToken": self.token(name, key), **({"customer": "acme"} if name != "unsubmitted" else {})}
        if method.name == "AddVerdict":
            return {"sha256": SHA256[name], "comment": mark, "statusOverride": "benign"}
        if method.name == "GetSubmission":
            return {"sha256": SHA256[name], "submissionID": self.submissions[name]}
        if method.name.endswith("SubmissionStatistics"):
            return {"groupBy": [{"field": "sampleSha256", "limit": 0}]}
        if method.name in LISTS:
            return {"limit": 0}
        return {"sha256": SHA256[name]}

    def token(self, name, key):
        answer = self.rest.request("POST", f"/sampledb/v2/sample/{SHA256[name]}/challenge", key=key)
        if answer.status != 200:
            return {"id": "00000000-0000-4000-8000-000000000000", "sha256": "00" * 32}
        part = FILES[name][answer.data["offset"]:answer.data["offset"] + answer.data["length"]]
        return {"id": answer.data["id"], "sha256": hashlib.sha256(part).hexdigest()}

    # ---- what is expected

    def check(self, method, who, role):
        key = self.keys[who, role]
        if not may(role, full(method.twin_of) if method.twin_of else method):
            self.expect(method, "plain", key, (403, "access.denied"))
        elif method.name in LISTS:
            for reason, rows in self.ask(method, lambda: self.request(method, None, key), key):
                self.assertIsNone(reason)
                self.assertEqual(self.told(method, rows), SEES[who])
        elif method.name in WITH_SAMPLE:
            for name in FILES:
                unrestricted = role == "ADMIN" and method.is_raw
                seen = name in SEES[who] or unrestricted
                for data in self.expect(method, name, key, None if seen else (404, "sample.not.found")):
                    self.check_told(method, name, data)
        elif method.name == "AddSubmission":
            # The proof opens any file; a submission is for a customer on whom the caller may add one.
            self.expect(method, "plain", key, None if who == "own" else (403, "access.denied"))
        elif method.name in BY_PROOF:
            for name in FILES if method.name == "GetChallenge" else ("plain",):
                self.expect(method, name, key, None)

    def expect(self, method, name, key, expected):
        """The answers."""
        answers = []
        for reason, data in self.ask(method, lambda: self.request(method, name, key), key):
            self.assertEqual(reason, expected, name)
            answers.append(data)
        return answers

    @staticmethod
    def told(method, rows):
        if method.name.endswith("SubmissionStatistics"):
            digests = {row["group"]["identifier"] for row in rows}
        else:
            digests = {row["sha256"] if "sha256" in row else row["sampleSha256"] for row in rows}
        return {NAMES[digest] for digest in digests if digest in NAMES}

    def check_told(self, method, name, data):
        if data is None:
            return
        if method.name == "DownloadRaw":
            self.assertEqual(data, FILES[name])
        elif method.name == "DownloadSafe":
            with zipfile.ZipFile(io.BytesIO(data)) as opened:
                self.assertEqual(opened.read(SHA256[name], pwd=b"infected"), FILES[name])

    # ---- beside the table

    def test_every_method_is_looked_at(self):
        self.assertEqual({method.name for method in METHODS}, ALL)

    def test_a_submission_of_his_own_opens_the_file_and_nothing_of_others(self):
        """Proven by whoever holds the file; other submissions of it stay unseen."""
        data = hashlib.sha256(b"two customers").digest() * 64
        digest = hashlib.sha256(data).hexdigest()
        FILES["shared"], SHA256["shared"] = data, digest
        self.addCleanup(lambda: (FILES.pop("shared"), SHA256.pop("shared")))
        self.submit("shared", data)
        key = self.keys["stranger", "SAMPLEDB-USER"]
        target = f"/sampledb/v2/sample/{digest}"
        self.assertEqual(self.rest.get(target, key=key).status, 404)
        answer = self.rest.request("POST", target + "/submission", key=key, body={
            "fileName": "mine", "userAgent": {"name": "tests", "version": "1"}, "challengeToken": self.token("shared", key)})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.rest.get(target + "/raw", key=key).body, data)
        listed = self.rest.get(target + "/submission", key=key)
        self.assertEqual(([row["fileName"] for row in listed.data], listed.json["count"]), (["mine"], 1))
        own = self.rest.get(target + "/submission", key=self.keys["own", "SAMPLEDB-VIEWER"])
        self.assertEqual([row["fileName"] for row in own.data], ["shared"])

    def test_deletion(self):
        """Only administrators delete, and of what they see only."""
        data = hashlib.sha256(b"to be deleted").digest() * 64
        self.submit("doomed", data)
        target = f"/sampledb/v2/sample/{hashlib.sha256(data).hexdigest()}"
        document = {"sha256": hashlib.sha256(data).hexdigest()}
        for who in SEES:
            for role in ROLES:
                expected = (403, "access.denied") if role != "ADMIN" else (404, "sample.not.found")
                if (who, role) != ("own", "ADMIN"):
                    for reason, _ in self.ask(full("DeleteSample"), lambda: document, self.keys[who, role]):
                        self.assertEqual(reason, expected, (who, role))
        self.assertEqual(self.rest.get(target + "/raw", key=self.keys["own", "SAMPLEDB-USER"]).body, data)
        for reason, _ in self.ask(full("DeleteSample"), lambda: document, self.keys["own", "ADMIN"]):
            self.assertIsNone(reason)
        for role in ("SAMPLEDB-VIEWER", "SAMPLEDB-ANALYZER"):
            for rest in ("", "/raw", "/safe", "/verdict", "/classification"):
                answer = self.rest.get(target + rest, key=self.keys["own", role])
                self.assert_error(answer, 404, "sample.not.found")
            # Its submissions go a moment later, one portion after another.
            key = self.keys["own", role]
            wait_until(lambda key=key: self.rest.get(target + "/submission", key=key).status != 200,
                       what="the submissions' end", deadline=60)
            self.assert_error(self.rest.get(target + "/submission", key=key), 404, "sample.not.found")


def add_tests():
    for method in METHODS:
        def strangers(self, method=method):
            name = "plain"
            for key, expected in ((None, (401, "user.not.authenticated")), ("a/b/c", (401, "authentication.failed"))):
                self.expect(method, name, key, expected)

        setattr(SampleAccess, f"test_{method.name}__without_a_key", strangers)
        for who in SEES:
            def roles(self, method=method, who=who):
                for role in ROLES:
                    with self.subTest(role=role):
                        self.check(method, who, role)

            if method.name != "DeleteSample":
                setattr(SampleAccess, f"test_{method.name}__each_role_of_{who}", roles)


add_tests()

if __name__ == "__main__":
    main()
