"""Made from the method table: every route that has an RPC gets the same request over gRPC and over REST. Data and error
reason are the same, and the counter of the method rises by exactly one each time: the gateway has no way around dispatch.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import samples  # noqa: E402
from vigiltest import contract, faces  # noqa: E402
from vigiltest.case import ServerCase, main  # noqa: E402
from vigiltest.clients import Grpc, Rest, started_by_method  # noqa: E402
from vigiltest.directory import Directory  # noqa: E402
from vigiltest.documented_json import without_absent  # noqa: E402

# Members whose values differ from call to call by their nature: when, and ids the server chooses.
CHANGING = {"createdTimestamp", "timestamp", "revokedTimestamp", "id", "key", "lastUpdatedTimestamp", "lastUpdated",
            "argus.assessed.timestamp", "correlationID", "submittedTimestamp", "grantedTimestamp", "offset", "length"}
BY_GRPC_ONLY = {"ExplainSearch", "Submit"}  # not of the documented interface, and a stream of messages
METHODS = contract.methods()


def settled(value, marks):
    """The value with what changes from call to call replaced; `marks` are the words and numbers of this call."""
    if isinstance(value, dict):
        return {name: "changing" if name in CHANGING and item is not None and not isinstance(item, (dict, list))
                else settled(item, marks) for name, item in value.items()}
    if isinstance(value, list):
        return [settled(item, marks) for item in value]
    if isinstance(value, str):
        return value.replace(marks[0], "mark")
    return "number" if value == marks[1] and not isinstance(value, bool) else value


class Parity(ServerCase):
    number = 5000

    @classmethod
    def arrange(cls):
        cls.admin = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.admin)
        cls.grpc = Grpc(cls.server.port, cls.admin)
        directory = Directory(cls.server)
        cls.key_ids = samples.furnish(directory, cls.rest)
        cls.poor = directory.key("acme-user", ["SAMPLEDB-UPLOADER"])
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)

    def counted(self, method, ask):
        """The outcome of `ask`, which has to count as one call of that method and of no other."""
        before = started_by_method(self.server.port)
        outcome = ask()
        after = started_by_method(self.server.port)
        risen = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        self.assertEqual(risen, {method.full_name: 1}, "grpc_server_started_total")
        return outcome

    def make(self, sample):
        Parity.number += 1
        mark = f"mark{Parity.number}x"
        return samples.request_of(sample, self.key_ids, mark, Parity.number), (mark, Parity.number)

    def compare(self, method, route, sample):
        document, marks = self.make(sample)
        grpc = self.counted(method, lambda: faces.by_grpc(self.grpc, method, document))
        self.assertIsNone(grpc.reason, f"{method}: the sample has to succeed over gRPC")
        grpc_data = settled(without_absent(grpc.data), marks)
        if document.get("key") is None or "revoke" not in route.path:
            document, marks = self.make(sample)
        rest = self.counted(method, lambda: faces.by_rest(self.rest, method, route, document))
        self.assertIsNone(rest.reason, f"{method}: the sample has to succeed over REST")
        self.assertEqual(settled(without_absent(rest.data), marks), grpc_data)
        self.assertEqual(rest.page, grpc.page)
        if isinstance(rest.data, dict):
            self.assertEqual(list(rest.data), [field.json_name for field in self.shape(method)], "all members")

    def shape(self, method):
        descriptor = method.answer.DESCRIPTOR
        if contract.message_options(descriptor).bare:
            return descriptor.fields[0].message_type.fields
        return descriptor.fields

    def compare_error(self, method, route, document, key, expected):
        grpc = self.counted(method, lambda: faces.by_grpc(self.grpc, method, document, key=key))
        rest = self.counted(method, lambda: faces.by_rest(self.rest, method, route, document, key=key))
        row = contract.reasons()[expected]
        self.assertEqual(grpc.reason, (row.status, row.template), f"{method} over gRPC")
        self.assertEqual(rest.reason, self.on_rest(row, document, route), f"{method} over REST")

    def on_rest(self, row, document, route):
        """A bad value in a path or query is told apart from one in a body; gRPC has neither."""
        if row.name == "INVALID_FIELD_VALUE" and not route.body:
            row = contract.reasons()["INVALID_URL_PARAMETER"]
        return row.status, row.template

    def test_every_method_has_a_sample(self):
        unary = {method.full_name for method in METHODS if not method.is_streaming}
        self.assertEqual(set(samples.SAMPLES), unary, "one row in samples.py for every method")

    def test_every_unary_method_has_a_route_and_every_route_a_method(self):
        for method in METHODS:
            with self.subTest(method=method.full_name):
                is_twin = bool(method.twin_of)  # a stream without a unary method carries a file
                self.assertEqual(bool(method.routes), not is_twin and method.name not in BY_GRPC_ONLY)

    def test_a_list_has_its_streaming_twin(self):
        twins = {f"{method.service}/{method.twin_of}" for method in METHODS if method.twin_of}
        self.assertEqual(twins, {method.full_name for method in METHODS if method.is_list})

    def test_an_unknown_path_counts_for_no_method(self):
        before = started_by_method(self.server.port)
        self.assertEqual(self.rest.get("/events/v1/none").status, 404)
        self.assertEqual(started_by_method(self.server.port), before)


def add_tests():
    """One test for each route and kind of outcome."""
    for method in METHODS:
        for number, route in enumerate(method.routes):
            name = method.full_name.replace("vigil.", "").replace(".", "_").replace("/", "_") + f"_{number}"
            sample = samples.SAMPLES.get(method.full_name)
            if sample is None:
                continue  # test_every_method_has_a_sample fails for it

            def same_data(self, method=method, route=route, sample=sample):
                self.compare(method, route, sample)

            def same_errors(self, method=method, route=route, sample=sample):
                document = self.make(sample)[0]
                for key, expected in ((None, "NOT_AUTHENTICATED"), ("no/1/key", "AUTHENTICATION_FAILED")):
                    self.compare_error(method, route, document, key, expected)
                if method.permissions:
                    self.compare_error(method, route, document, self.poor, "ACCESS_DENIED")
                if sample.bad is not None:
                    self.compare_error(method, route, sample.bad[0], ..., sample.bad[1])

            setattr(Parity, f"test_{name}__same_data", same_data)
            setattr(Parity, f"test_{name}__same_errors", same_errors)


add_tests()

if __name__ == "__main__":
    main()
