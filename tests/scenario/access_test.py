"""Made from the method table: every method without key, with a wrong key, with each role, for the caller's own and for a
foreign customer. What a role holds stands here once more, as documented, so that the server's table is not its own judge.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import samples  # noqa: E402
from vigiltest import contract, faces  # noqa: E402
from vigiltest.case import ServerCase, main  # noqa: E402
from vigiltest.clients import Grpc, GrpcError, Rest  # noqa: E402
from vigiltest.directory import Directory  # noqa: E402
from vigiltest.process import wait_until  # noqa: E402

SAMPLEDB_VIEWER = {"viewSamples", "viewSampleSubmission", "viewSampleAnalysis", "viewSampleVerdicts",
                   "viewAnalysisJobs", "downloadSample", "downloadRawSample"}
SAMPLEDB_UPLOADER = {"submitSample"}
SAMPLEDB_USER = SAMPLEDB_VIEWER | SAMPLEDB_UPLOADER | {"addSampleSubmission"}
EVENT_VIEWER = {"eventLookup", "viewEventsByCase"}
EVERYTHING = None
ROLES = {
    "SAMPLEDB-VIEWER": SAMPLEDB_VIEWER,
    "SAMPLEDB-UPLOADER": SAMPLEDB_UPLOADER,
    "SAMPLEDB-USER": SAMPLEDB_USER,
    "SAMPLEDB-ANALYZER": SAMPLEDB_USER | {
        "addSampleAnalysis", "addSampleAnalysisEvidence", "addSampleVerdict", "addSampleFact", "updateAnalysisJob",
        "reclassifySample", "reanalyseSample", "viewAnalysisPolicy", "viewAnalysisWorker"},
    "EVENT-VIEWER": EVENT_VIEWER,
    "CASE-VIEWER": {"viewEventsByCase"},
    "EVENT-SUBMITTER": {"submitEvent"},
    "EVENT-ANALYST": EVENT_VIEWER | {"assessEvents"},
    "ADMIN": EVERYTHING,
}
METHODS = [method for method in contract.methods() if not method.is_streaming]
# What changes things that belong to no customer: only who covers all customers may do it.
FOR_ALL_CUSTOMERS = {"vigil.admin.v1.AdminService/AddSignature"}
OWN = (samples.CUSTOMER, str(samples.CUSTOMER_ID))
OTHERS = (samples.FOREIGN, str(samples.FOREIGN_ID))


def may(role, method):
    held = ROLES[role]
    return held is EVERYTHING or not method.permissions or any(name in held for name in method.permissions)


class Access(ServerCase):
    number = 7000

    @classmethod
    def arrange(cls):
        cls.rest = Rest(cls.server.port)
        cls.grpc = Grpc(cls.server.port)
        directory = Directory(cls.server)
        with_key = Rest(cls.server.port, cls.server.admin_key())
        cls.key_ids = samples.furnish(directory, with_key)
        cls.keys = {role: directory.key("acme-user", [role]) for role in ROLES}
        cls.directory = directory
        for part in (cls.rest, cls.grpc, directory, with_key):
            cls.addClassCleanup(part.close)

    def ask(self, method, key, foreign=False):
        """The outcomes over gRPC and over every route."""
        sample = samples.SAMPLES[method.full_name]
        asks = [lambda document: faces.by_grpc(self.grpc, method, document, key=key)]
        asks += [lambda document, route=route: faces.by_rest(self.rest, method, route, document, key=key)
                 for route in method.routes]
        for ask in asks:
            Access.number += 1
            yield ask(samples.request_of(sample, self.key_ids, f"new{Access.number}", Access.number, foreign, key))

    def check(self, method, key, expected, foreign=False):
        row = contract.reasons()[expected] if expected else None
        for outcome in self.ask(method, key, foreign):
            self.assertEqual(outcome.reason, (row.status, row.template) if row else None)
            yield outcome

    def check_all(self, *arguments, **options):
        return list(self.check(*arguments, **options))

    def check_role(self, role, method):
        if not may(role, method):
            self.check_all(method, self.keys[role], "ACCESS_DENIED")
        elif method.full_name in FOR_ALL_CUSTOMERS:
            self.check_all(method, self.keys[role], "ACCESS_DENIED")
            self.check_all(method, self.server.admin_key(), None)
        else:
            self.check_all(method, self.keys[role], None)

    def check_foreign(self, role, method):
        foreign = samples.SAMPLES[method.full_name].foreign
        if foreign is None:
            return
        if not may(role, method):
            self.check_all(method, self.keys[role], "ACCESS_DENIED", foreign=True)
            return
        for outcome in self.check(method, self.keys[role], foreign[1], foreign=True):
            if outcome.reason is None:
                self.check_nothing_foreign(method, outcome)

    def check_nothing_foreign(self, method, outcome):
        """A success that names a foreign customer tells and does nothing about it."""
        if method.is_list:
            self.assertEqual((outcome.data, outcome.page[2]), ([], 0))
        elif method.name == "ExplainSearch":
            self.assertEqual((outcome.data["rowsMatched"], outcome.data["recordsFetched"]), (0, 0))
        elif method.name == "GetAggregatedStats":
            self.assertEqual(outcome.data["timeFrames"], [])
            self.assertTrue(all(value is None for name, value in outcome.data["keys"][0].items() if name != "id"))
        else:
            nothing = ({"accepted": 0, "rejected": 2}, {"successes": [], "failures": []}, {"timeFrames": []})
            told = [members for members in nothing if members.keys() <= outcome.data.keys()]
            self.assertEqual(len(told), 1, outcome)
            self.assertEqual(outcome.data, outcome.data | told[0])

    def test_lists_show_what_the_caller_may_see(self):
        for method in METHODS:
            if not method.is_list or method.service != "vigil.admin.v1.AdminService":
                continue
            with self.subTest(method=method.full_name):
                route = method.routes[0]
                seen = faces.by_rest(self.rest, method, route, {"limit": 0}, key=self.keys["ADMIN"])
                everything = faces.by_rest(self.rest, method, route, {"limit": 0}, key=self.server.admin_key())
                self.assertTrue(all(OTHERS[0] not in str(row) for row in seen.data), seen)
                if method.name != "ListSignatures":
                    self.assertTrue(any(OTHERS[0] in str(row) for row in everything.data), everything)
                    self.assertTrue(any(OWN[0] in str(row) for row in seen.data), seen)
                    self.assertEqual(seen.page[2], len(seen.data))

    def test_a_streaming_twin_is_open_to_whom_its_unary_method_is(self):
        """Every twin x every role: the same refusal, or the same rows."""
        unary = {method.full_name: method for method in METHODS}
        for method in contract.methods():
            if not method.twin_of:
                continue
            with self.subTest(method=method.full_name):
                partner = unary[f"{method.service}/{method.twin_of}"]
                for key in (None, "a/b/c", self.server.admin_key(), *self.keys.values()):
                    self.assertEqual(self.stream(method, key), self.page(partner, key), key)

    def stream(self, method, key):
        try:
            rows, page = self.grpc.rows(method.full_name, method.request(), key=key)
        except GrpcError as error:
            return error.code, error.reason
        return [row.SerializeToString(deterministic=True) for row in rows], page[2]

    def page(self, method, key):
        try:
            answer = self.grpc.call(method.full_name, method.request(), key=key)
        except GrpcError as error:
            return error.code, error.reason
        return [row.SerializeToString(deterministic=True) for row in answer.data], answer.count

    def test_a_revoked_key_and_a_disabled_user_are_refused(self):
        self.directory.user("leaver", samples.CUSTOMER)
        keys = [self.directory.key("leaver", ["EVENT-VIEWER"]) for _ in range(2)]
        session = contract.method("vigil.account.v1.AccountService/GetSession")
        for key in keys:
            self.check_all(session, key, None)
        self.directory.rest.post(f"/admin/v1/keys/{keys[0].split('/')[0]}/revoke", {})
        self.check_all(session, keys[0], "AUTHENTICATION_FAILED")
        self.check_all(session, keys[1], None)
        self.directory.rest.post("/admin/v1/users/leaver/disable", {})
        self.check_all(session, keys[1], "AUTHENTICATION_FAILED")

    def test_expiry_and_source_networks(self):
        session = contract.method("vigil.account.v1.AccountService/GetSession")
        short = self.directory.key("acme-user", ["EVENT-VIEWER"], expires="now + 300 ms")
        wait_until(lambda: self.rest.get("/authentication/v1/session", key=short).status == 401, what="the key's end")
        self.check_all(session, short, "KEY_EXPIRED")
        elsewhere = self.directory.key("acme-user", ["EVENT-VIEWER"], source=["10.0.0.0/8", "::1"])
        self.check_all(session, elsewhere, "KEY_SOURCE_REFUSED")
        here = self.directory.key("acme-user", ["EVENT-VIEWER"], source=["127.0.0.0/8"])
        self.check_all(session, here, None)

    def test_a_key_never_holds_more_than_its_maker(self):
        narrow = self.keys["ADMIN"]
        for wanted in ({"user": "foreign-user"}, {"user": "acme-user", "customer": ["foreign"]}):
            answer = self.rest.post("/admin/v1/keys", {**wanted, "role": ["EVENT-VIEWER"]}, key=narrow)
            self.assert_error(answer, 403, "access.denied")

    def test_a_key_covers_the_sub_customers_of_its_customer(self):
        self.directory.customer("acme-branch", 1099, parent=samples.CUSTOMER)
        answer = self.rest.post("/events/v2/event", {"id": {"customer": "acme-branch"}}, key=self.keys["EVENT-SUBMITTER"])
        self.assertEqual(answer.status, 201, answer)
        got = self.rest.get("/events/v1/" + answer.data["id"], key=self.keys["EVENT-VIEWER"])
        self.assertEqual(got.status, 200, got)

    def test_the_key_header_decides_over_the_bearer(self):
        for words, status in (({"Authorization": f"Bearer {self.keys['ADMIN']}"}, 200),
                              ({"Authorization": f"bearer {self.keys['ADMIN']}", "argus-api-key": "wrong"}, 401),
                              ({"Authorization": "Bearer wrong", "ARGUS-API-KEY": self.keys["ADMIN"]}, 200),
                              ({"Authorization": "Basic YTpi"}, 401)):
            with self.subTest(words=list(words)):
                answer = self.rest.request("GET", "/authentication/v1/session", headers=words)
                self.assertEqual(answer.status, status, answer)

    def test_a_stranger_learns_nothing_before_the_key_is_known(self):
        answer = self.rest.post("/events/v2/event", "{broken json")
        self.assert_error(answer, 401, "user.not.authenticated")
        with self.assertRaises(GrpcError) as caught:
            self.grpc.raw("vigil.events.v2.EventService/SubmitEvent", b"\xff\xff")
        self.assertEqual(caught.exception.reason, "NOT_AUTHENTICATED")


def add_tests():
    for method in METHODS:
        name = method.full_name.replace("vigil.", "").replace(".", "_").replace("/", "_")

        def strangers(self, method=method):
            self.check_all(method, None, "NOT_AUTHENTICATED")
            for wrong in ("nonsense", "a/b/c", self.keys["ADMIN"] + "x", self.keys["ADMIN"][:-1]):
                self.check_all(method, wrong, "AUTHENTICATION_FAILED")

        def roles(self, method=method):
            for role in ROLES:
                with self.subTest(role=role):
                    self.check_role(role, method)

        def foreign(self, method=method):
            for role in ROLES:
                with self.subTest(role=role):
                    self.check_foreign(role, method)

        setattr(Access, f"test_{name}__strangers_are_refused", strangers)
        setattr(Access, f"test_{name}__each_role_of_the_own_customer", roles)
        setattr(Access, f"test_{name}__each_role_for_a_foreign_customer", foreign)


add_tests()

if __name__ == "__main__":
    main()
