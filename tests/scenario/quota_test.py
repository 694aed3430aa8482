"""Quotas of API keys over both faces: at the limit and one past it, and of one key only. The rates are so low that no
token comes back while a test runs, however slow the machine."""
import pathlib
import sys
import threading
import uuid

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from vigiltest import contract, documented_json  # noqa: E402
from vigiltest.case import ServerCase, main  # noqa: E402
from vigiltest.clients import Grpc, GrpcError, Rest, metrics  # noqa: E402
from vigiltest.directory import Directory  # noqa: E402
from vigiltest.process import wait_until  # noqa: E402
from vigiltest.raw import H2, message  # noqa: E402

SESSION = "vigil.account.v1.AccountService/GetSession"
SUBMIT = "vigil.events.v2.EventStream/Submit"
SEARCH = "vigil.events.v1.EventService/SearchAggregated"
HOUR = 3600


def event():
    return {"id": f"AGGR/1600000000000/10/{uuid.uuid4()}", "signature": "quota"}


class Quota(ServerCase):
    @classmethod
    def arrange(cls):
        cls.directory = Directory(cls.server)
        cls.directory.customer("acme", 10)
        cls.directory.user("agent", "acme")
        cls.rest = Rest(cls.server.port)
        cls.grpc = Grpc(cls.server.port)
        for part in (cls.directory, cls.rest, cls.grpc):
            cls.addClassCleanup(part.close)
        cls.request = contract.method(SESSION).request

    def key(self, role="EVENT-VIEWER", **limits):
        return self.directory.key("agent", [role], **limits)

    def rest_status(self, key):
        return self.rest.get("/authentication/v1/session", key=key).status

    def grpc_reason(self, key):
        try:
            self.grpc.call(SESSION, self.request(), key=key)
        except GrpcError as error:
            return error.code, error.reason
        return None

    def test_one_past_the_rate_is_told_when_to_come_back(self):
        before = metrics(self.server.port)["vigil_calls_over_quota_total"]
        key = self.key(requestsPerSecond=1, requestBurst=5)
        other = self.key(requestsPerSecond=1, requestBurst=5)
        # A token comes back each second: take until one is refused.
        for _ in range(200):
            answer = self.rest.get("/authentication/v1/session", key=key)
            if answer.status != 200:
                break
        self.assert_error(answer, 402, "resource.limit.exceeded")
        self.assertEqual(answer.json["messages"][0]["type"], "ACTION_ERROR")
        wait = answer.json["metaData"]["millisUntilResourcesAvailable"]
        self.assertIs(type(wait), int)
        self.assertTrue(0 < wait <= 1000, wait)
        self.assertEqual(answer.headers["Retry-After" if "Retry-After" in answer.headers else "retry-after"], "1")
        self.assertGreater(metrics(self.server.port)["vigil_calls_over_quota_total"], before)
        # Another key of the same user is not touched.
        for _ in range(5):
            self.assertEqual(self.rest_status(other), 200)

    def test_both_faces_share_the_bucket(self):
        key = self.key(requestsPerSecond=1, requestBurst=20)
        statuses = []
        for _ in range(400):
            statuses.append(self.rest_status(key))
            statuses.append(self.grpc_reason(key))
            if statuses[-2:] == [402, ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")]:
                break
        else:
            self.fail(f"never refused by both: {statuses[-20:]}")
        self.assertEqual(statuses[:20], [200, None] * 10)

    def test_grpc_is_told_which_quota_and_when_to_come_back(self):
        from google.rpc import error_details_pb2, status_pb2

        key = self.key(requestsPerSecond=1, requestBurst=1)
        stub = self.grpc.stub(SESSION)
        for _ in range(100):
            try:
                stub(self.request(), metadata=(("argus-api-key", key),), timeout=30)
            except grpc.RpcError as error:
                trailers = dict(error.trailing_metadata())
                break
        wait = int(trailers["grpc-retry-pushback-ms"])
        self.assertTrue(0 < wait <= 1000, wait)
        details = {row.type_url.rsplit(".", 1)[1]: row.value
                   for row in status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details}
        retry = error_details_pb2.RetryInfo.FromString(details["RetryInfo"]).retry_delay
        self.assertEqual(retry.seconds * 1000 + retry.nanos // 1_000_000, wait)
        (violation,) = error_details_pb2.QuotaFailure.FromString(details["QuotaFailure"]).violations
        self.assertEqual((violation.subject, violation.description),
                         ("apikey", "The quota of the API key is used up: too many requests"))

    def test_an_unknown_key_is_401_and_never_402(self):
        for _ in range(10):
            answer = self.rest.get("/authentication/v1/session", key="no/1/key")
            self.assert_error(answer, 401, "authentication.failed")

    def test_calls_at_once(self):
        """A stream that is open is a call under way."""
        key = self.key(role="EVENT-SUBMITTER", requestsAtOnce=1)
        method = contract.method(SUBMIT)
        call_of = self.grpc.channel.stream_stream(
            "/" + SUBMIT, request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=method.answer.FromString)
        ending = threading.Event()

        def requests():
            yield method.request(stream="one")
            ending.wait(60)

        call = call_of(requests(), metadata=(("argus-api-key", key),), timeout=60)
        next(call)  # the stream has begun
        self.assertEqual(self.rest_status(key), 402)
        self.assertEqual(self.grpc_reason(key), ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"))
        ending.set()
        list(call)
        self.assertEqual(call.code(), grpc.StatusCode.OK)
        wait_until(lambda: self.rest_status(key) == 200, what="the call to be given back")

    def test_events_of_a_submission(self):
        key = self.key(role="EVENT-SUBMITTER", eventsPerSecond=2)

        def submit(count):
            events = [event() for _ in range(count)]
            return self.rest.post("/events/v2/event/bulk", {"events": events}, key=key)

        # More than a second's events are taken at once, and owed for hours.
        first = submit(2 * HOUR // 2)
        self.assertEqual(first.status, 201, first)
        refused = submit(1)
        self.assert_error(refused, 402, "resource.limit.exceeded")
        self.assertGreater(refused.json["metaData"]["millisUntilResourcesAvailable"], 1_000_000)

    def test_a_stream_of_events_is_told_and_goes_on_where_it_was(self):
        """However large its messages are, it gets on; nothing is lost and nothing is stored twice."""
        key = self.key(role="EVENT-SUBMITTER", eventsPerSecond=100)
        method = contract.method(SUBMIT)
        events = [event() for _ in range(300)]
        call_of = self.grpc.channel.stream_stream(
            "/" + SUBMIT, request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=method.answer.FromString)
        refusals = 0
        durable = -1

        def requests():
            """Ask where to go on, then send messages of 40 events until told otherwise."""
            yield documented_json.into_message({"stream": "limited"}, method.request())
            greeted.wait(60)
            for at in range(durable, len(events), 40):
                request = documented_json.into_message({"position": at + 1}, method.request())
                for document in events[at:at + 40]:
                    documented_json.into_message(document, request.events.add())
                yield request

        for _ in range(1000):
            greeted = threading.Event()
            call = call_of(requests(), metadata=(("argus-api-key", key),), timeout=60)
            try:
                for answer in call:
                    self.assertGreaterEqual(answer.position, durable)
                    durable = answer.position
                    greeted.set()
                break
            except grpc.RpcError as error:
                self.assertEqual(GrpcError(error).reason, "QUOTA_EXCEEDED")
                refusals += 1
            finally:
                greeted.set()
        self.assertEqual(durable, 300)
        self.assertGreater(refusals, 0)
        reader = self.key()
        found = self.rest.post("/events/v2/event/search", {"startTimestamp": 0, "limit": 0},
                               key=reader)
        self.assertEqual(found.status, 200, found)
        stored = {row["id"] for row in found.data}
        self.assertTrue({row["id"] for row in events} <= stored)

    def test_a_limited_key_makes_no_key_without_limits(self):
        maker = self.key(role="ADMIN", requestsPerSecond=1000, requestsAtOnce=50)
        wanted = {"user": "agent", "role": ["EVENT-VIEWER"]}
        made = self.rest.post("/admin/v1/keys", wanted, key=maker)
        self.assertEqual(made.status, 201, made)
        self.assertEqual(made.data["details"]["requestsPerSecond"], 1000)
        self.assertEqual(made.data["details"]["requestsAtOnce"], 50)
        self.assertIsNone(made.data["details"]["eventsPerSecond"])
        refused = self.rest.post("/admin/v1/keys", {**wanted, "requestsPerSecond": 0}, key=maker)
        self.assert_error(refused, 403, "access.denied")
        too_much = self.rest.post("/admin/v1/keys", {**wanted, "requestsPerSecond": 1000001}, key=maker)
        self.assert_error(too_much, 412, "invalid.json.field.value", "requestsPerSecond")


class RoomForOthers(ServerCase):
    """A key without any quota may fill half of the line for a thread, never all of it."""

    settings = ("executors=1", "executor_queue=8")

    def test_a_flood_of_searches_of_one_key_refuses_no_other(self):
        directory = Directory(self.server)
        self.addCleanup(directory.close)
        directory.customer("acme", 10)
        directory.user("agent", "acme")
        crowd, other = (directory.key("agent", ["EVENT-VIEWER"]) for _ in range(2))
        rest = Rest(self.server.port)
        self.addCleanup(rest.close)
        search = contract.method(SEARCH).request(start_timestamp="0").SerializeToString()
        flood = H2(self.server.port)
        self.addCleanup(flood.close)
        statuses = []

        def is_refused():
            streams = [flood.grpc(SEARCH, crowd) for _ in range(60)]
            for stream in streams:  # in one write
                flood.h2.send_data(stream, message(search), end_stream=True)
            flood.flush()
            answer = rest.post("/events/v1/aggregated/search", {"startTimestamp": 0}, key=other)
            self.assertEqual(answer.status, 200, answer)
            statuses.extend(flood.status(stream)[0] for stream in streams)
            return metrics(self.server.port)["vigil_executor_share_refused_total"] > 0

        wait_until(is_refused, what="the flood has met its share")
        self.assertLessEqual(set(statuses), {0, 14}, "OK or UNAVAILABLE")
        self.assertIn(0, statuses)
        self.assertIn(14, statuses)


class QuotaOfTheServer(ServerCase):
    """The settings hold for keys that say nothing."""

    settings = ("quota_requests_per_second=1", "quota_request_burst=3")

    def test_the_settings_hold_for_the_rest(self):
        rest = Rest(self.server.port, self.server.admin_key())
        self.addCleanup(rest.close)
        statuses = [rest.get("/authentication/v1/session").status for _ in range(3)]
        self.assertEqual(statuses, [200] * 3)
        wait_until(lambda: rest.get("/authentication/v1/session").status == 402, what="a refusal")
        # What has no key has no quota.
        self.assertEqual([rest.get("/healthz").status for _ in range(20)], [200] * 20)


if __name__ == "__main__":
    main()
