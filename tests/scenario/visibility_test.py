"""An acknowledged event is found by a search sent right after the answer on another connection, on both faces, many times
and by many clients at once. There is no waiting anywhere in these tests: the first search has to find it.
"""
import threading
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, Rest
from vigiltest.directory import Directory

SUBMIT = "vigil.events.v2.EventService/SubmitEvent"
BULK = "vigil.events.v2.EventService/SubmitEvents"
SEARCH = "vigil.events.v1.EventService/SearchAggregated"
ROUNDS = 40
CLIENTS = 4


def message(method, document):
    return documented_json.into_message(document, contract.method(method).request())


class Face:
    """Submits on one connection and searches on another."""

    def __init__(self, submits, searches):
        self.submits = submits
        self.searches = searches

    def close(self):
        self.submits.close()
        self.searches.close()


class ByRest(Face):
    def __init__(self, port, key):
        super().__init__(Rest(port, key), Rest(port, key))

    def submit(self, document):
        answer = self.submits.post("/events/v2/event", document)
        assert answer.status == 201, answer
        return answer.data["id"]

    def submit_all(self, documents):
        answer = self.submits.post("/events/v2/event/bulk", {"events": documents})
        assert answer.status == 201, answer
        return [row["id"] for row in answer.data["events"]]

    def search(self, criteria):
        answer = self.searches.post("/events/v1/aggregated/search", {"startTimestamp": "-1 day", **criteria})
        assert answer.status == 200, answer
        return answer.json["count"], [(row["id"], row["count"]) for row in answer.data]


class ByGrpc(Face):
    def __init__(self, port, key):
        super().__init__(Grpc(port, key), Grpc(port, key))

    def submit(self, document):
        return self.submits.call(SUBMIT, message(SUBMIT, document)).id

    def submit_all(self, documents):
        return [row.id for row in self.submits.call(BULK, message(BULK, {"events": documents})).events]

    def search(self, criteria):
        answer = self.searches.call(SEARCH, message(SEARCH, {"startTimestamp": "-1 day", **criteria}))
        return answer.count, [(row.id, row.count) for row in answer.data]


class Visibility(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        directory.user("agent", "acme")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])

    def face(self, kind):
        face = kind(self.server.port, self.key)
        self.addCleanup(face.close)
        return face

    def follow(self, writer, reader, rounds):
        """Submit, search; update, search; `rounds` times."""
        for at in range(rounds):
            mark = uuid.uuid4().hex
            event_id = writer.submit({"signature": mark})
            found = reader.search({"signature": [mark]})
            self.assertEqual(found, (1, [(event_id, 1)]), f"round {at}: the new event")
            writer.submit({"id": event_id, "count": at + 2})
            found = reader.search({"signature": [mark]})
            self.assertEqual(found, (1, [(event_id, at + 2)]), f"round {at}: the update")

    def test_by_rest(self):
        self.follow(self.face(ByRest), self.face(ByRest), ROUNDS)

    def test_by_grpc(self):
        self.follow(self.face(ByGrpc), self.face(ByGrpc), ROUNDS)

    def test_submitted_by_grpc_found_by_rest(self):
        self.follow(self.face(ByGrpc), self.face(ByRest), ROUNDS)

    def test_submitted_by_rest_found_by_grpc(self):
        self.follow(self.face(ByRest), self.face(ByGrpc), ROUNDS)

    def test_bulk_is_seen_whole(self):
        for writer, reader in ((ByRest, ByGrpc), (ByGrpc, ByRest)):
            writer, reader = self.face(writer), self.face(reader)
            for _ in range(ROUNDS // 8):
                mark = uuid.uuid4().hex
                ids = writer.submit_all([{"signature": mark} for _ in range(120)])
                count, rows = reader.search({"signature": [mark], "limit": 200})
                self.assertEqual((count, sorted(row[0] for row in rows)), (120, sorted(ids)))

    def test_many_clients_at_once(self):
        failures = []

        def work(kinds):
            try:
                self.follow(self.face(kinds[0]), self.face(kinds[1]), ROUNDS // 3)
            except BaseException as failure:  # the thread's end is the test's
                failures.append(failure)

        pairs = [(ByRest, ByGrpc), (ByGrpc, ByRest), (ByGrpc, ByGrpc), (ByRest, ByRest)][:CLIENTS]
        threads = [threading.Thread(target=work, args=(pair,)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_an_acknowledged_event_is_never_missing_from_later_counts(self):
        """While one client submits, the counts another sees never fall behind what was acknowledged before it asked."""
        mark = uuid.uuid4().hex
        acknowledged = [0]
        done = threading.Event()
        failures = []

        def submit():
            writer = self.face(ByGrpc)
            try:
                for _ in range(ROUNDS * 2):
                    writer.submit({"signature": mark})
                    acknowledged[0] += 1
            except BaseException as failure:
                failures.append(failure)
            done.set()

        thread = threading.Thread(target=submit)
        thread.start()
        reader = self.face(ByRest)
        last = 0
        while not done.is_set():
            least = acknowledged[0]
            count, _ = reader.search({"signature": [mark], "limit": 1})
            self.assertGreaterEqual(count, max(least, last))
            last = count
        thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(reader.search({"signature": [mark], "limit": 1})[0], acknowledged[0])

    def test_a_poller_by_last_updated_misses_nothing(self):
        """The guide's loop: ascending by lastUpdatedTimestamp, continued from the last value, while others submit."""
        mark = uuid.uuid4().hex
        submitted = set()
        failures = []
        lock = threading.Lock()

        def submit(kind):
            writer = self.face(kind)
            try:
                for _ in range(ROUNDS // 3):
                    ids = writer.submit_all([{"signature": mark}] * 7)
                    with lock:
                        submitted.update(ids)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=submit, args=(kind,)) for kind in (ByRest, ByGrpc)]
        for thread in threads:
            thread.start()
        rest = self.face(ByRest).searches
        seen, since = set(), 0
        while True:
            alive = any(thread.is_alive() for thread in threads)
            criteria = {"startTimestamp": "-1 day", "signature": [mark], "limit": 1000, "sortBy": "lastUpdatedTimestamp"}
            if since:
                criteria["lastUpdatedTimestamp"] = since
            answer = rest.post("/events/v1/aggregated/search", criteria)
            rows = answer.data
            times = [row["lastUpdatedTimestamp"] for row in rows]
            self.assertEqual(times, sorted(times))
            fresh = {row["id"] for row in rows} - seen
            seen |= fresh
            since = times[-1] if times else since
            if not alive and not fresh:
                break
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(seen, submitted)


if __name__ == "__main__":
    main()
