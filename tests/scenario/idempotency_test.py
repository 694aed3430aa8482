"""Requests sent twice under one idempotency key: stored once, answered the same, over both faces."""
import concurrent.futures

import grpc

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, Rest
from vigiltest.directory import Directory

SUBMIT = "vigil.events.v2.EventService/SubmitEvent"
BULK = "vigil.events.v2.EventService/SubmitEvents"
KEY_BYTES = 255
FLAG = {"flags": ["SOURCE_IS_CUSTOMERNET"]}


def message(method, document):
    return documented_json.into_message(document, contract.method(method).request())


class Idempotency(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        for name in ("agent", "other"):
            directory.user(name, "acme")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        cls.other = directory.key("other", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.addClassCleanup(lambda: (cls.rest.close(), cls.grpc.close()))

    def submit(self, document, key, path="/events/v2/event", as_user=None):
        return self.rest.post(path, document, key=as_user or self.key, headers={"Idempotency-Key": key})

    def call(self, method, document, key):
        metadata = [*self.grpc.metadata(...), ("idempotency-key", key)]
        return documented_json.from_message(self.grpc.stub(method)(message(method, document), metadata=metadata, timeout=30))

    def count(self, signature):
        answer = self.rest.post("/events/v1/aggregated/search", {"startTimestamp": 0, "signature": signature, "limit": 1})
        return answer.json["count"]

    def test_a_repeated_request_is_answered_from_memory(self):
        document = {"signature": "I-1", "startTimestamp": "-1hour"}
        first = self.submit(document, "first key")
        self.assertEqual(first.status, 412)  # a blank is no visible character
        first = self.submit(document, "first-key")
        self.assertEqual(first.status, 201, first)
        for _ in range(3):
            again = self.submit(document, "first-key")
            self.assertEqual((again.status, again.data), (201, first.data))
        self.assertEqual(self.count("I-1"), 1)
        # The same request by the other face is the same request.
        self.assertEqual(self.call(SUBMIT, document, "first-key"), first.data)
        self.assertEqual(self.count("I-1"), 1)
        # Another key, or none, is another event.
        self.assertNotEqual(self.submit(document, "second-key").data, first.data)
        self.assertNotEqual(self.rest.post("/events/v2/event", document).data, first.data)
        self.assertEqual(self.count("I-1"), 3)

    def test_grpc_first(self):
        document = {"signature": "G-1", "properties": {"b": ["1", "2"], "a": "3"}}
        first = self.call(SUBMIT, document, "grpc-first")
        self.assertEqual(self.call(SUBMIT, document, "grpc-first"), first)
        self.assertEqual(self.submit(document, "grpc-first").data, first)
        self.assertEqual(self.count("G-1"), 1)

    def test_the_partial_flag_step_is_taken_once(self):
        """What a plain replay would show (events-api.md 3.5) is hidden by the key."""
        identity = self.rest.post("/events/v2/event", {"signature": "F-1"}).data["id"]
        document = {"id": identity, **FLAG}

        def flags():
            return set(self.rest.get("/events/v1/" + identity).data["flags"])

        for _ in range(3):
            self.assertEqual(self.submit(document, "flag-1").data["id"], identity)
            self.assertEqual(flags(), {"SOURCE_IS_PARTIAL_CUSTOMERNET"})
        self.submit(document, "flag-2")
        self.assertEqual(flags(), {"SOURCE_IS_CUSTOMERNET"})

    def test_another_request_under_the_key_is_refused(self):
        self.assertEqual(self.submit({"signature": "R-1"}, "reused").status, 201)
        for path, body in (("/events/v2/event", {"signature": "R-2"}), ("/events/v2/event", {}),
                           ("/events/v2/event/bulk", {"events": []}),
                           ("/events/v2/event/bulk", {"events": [{"signature": "R-1"}]})):
            answer = self.submit(body, "reused", path)
            self.assert_error(answer, 412, "idempotency.key.reused")
        with self.assertRaises(grpc.RpcError) as caught:
            self.call(SUBMIT, {"signature": "R-2"}, "reused")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual((self.count("R-1"), self.count("R-2")), (1, 0))
        # The order of members and the form of numbers do not make another request.
        self.assertEqual(self.submit('{"count": 2, "signature": "R-3"}', "forms").status, 201)
        self.assertEqual(self.submit('{ "signature":"R-3", "count":"2"}', "forms").status, 201)
        self.assertEqual(self.count("R-3"), 1)

    def test_keys_are_of_one_user(self):
        first = self.submit({"signature": "U-1"}, "shared")
        second = self.submit({"signature": "U-2"}, "shared", as_user=self.other)
        self.assertEqual((first.status, second.status), (201, 201))
        self.assertNotEqual(first.data["id"], second.data["id"])

    def test_bulk(self):
        bulk = {"events": [{"signature": "B-1"}, {"signature": "B-1", "location": "nowhere"}, {"signature": "B-1"}],
                "onError": "dropInvalid"}
        first = self.submit(bulk, "bulk", "/events/v2/event/bulk")
        self.assertEqual((first.status, first.data["accepted"], first.data["rejected"]), (201, 2, 1))
        self.assertEqual(self.submit(bulk, "bulk", "/events/v2/event/bulk").data, first.data)
        self.assertEqual(self.call(BULK, bulk, "bulk"), first.data)
        self.assertEqual(self.count("B-1"), 2)

    def test_what_failed_is_not_remembered(self):
        bad = {"signature": "E-1", "location": "nowhere"}
        for _ in range(2):
            self.assert_error(self.submit(bad, "failed"), 412, "invalid.reference")
        self.assertEqual(self.submit({"signature": "E-1"}, "failed").status, 201)

    def test_limit_of_the_key(self):
        document = {"signature": "L-1"}
        for key in ("k", "k" * KEY_BYTES, '"quoted-as-a-structured-field"'):
            self.assertEqual(self.submit(document, key).status, 201, key)
        for key in ("k" * (KEY_BYTES + 1), "a b", "å"):
            answer = self.rest.request("POST", "/events/v2/event", body=document,
                                       headers={"Idempotency-Key": key.encode()})
            self.assert_error(answer, 412, "invalid.json.field.value", "Idempotency-Key")
        with self.assertRaises(grpc.RpcError) as caught:
            self.call(SUBMIT, document, "k" * (KEY_BYTES + 1))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.call(SUBMIT, {"signature": "L-2"}, "l" * KEY_BYTES)

    def test_at_the_same_time(self):
        document = {"signature": "T-1"}

        def submit(_):
            rest = Rest(self.server.port, self.key)
            try:
                return rest.post("/events/v2/event", document, headers={"Idempotency-Key": "at-once"}).data
            finally:
                rest.close()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(submit, range(64)))
        self.assertEqual({answer["id"] for answer in answers}, {answers[0]["id"]})
        self.assertEqual(self.count("T-1"), 1)

    def test_memory_outlives_the_process(self):
        document = {"signature": "P-1"}
        first = self.submit(document, "restart")
        self.server.restart()
        rest, self.__class__.rest = self.rest, Rest(self.server.port, self.key)
        rest.close()
        grpc_client, self.__class__.grpc = self.grpc, Grpc(self.server.port, self.key)
        grpc_client.close()
        self.assertEqual(self.submit(document, "restart").data, first.data)
        self.assertEqual(self.count("P-1"), 1)


if __name__ == "__main__":
    main()
