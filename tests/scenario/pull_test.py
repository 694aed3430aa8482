"""Continuous pull: the guide's loop (sorted by lastUpdatedTimestamp, pages of 1,000, the next request begins at the last
value, what is known is dropped) while other clients update about 10,000 events a second. Every event is updated at least
five times, some of them while the page they are on is being read, and all of it right after one bulk of 10,000 events. The
loop ends with the exact last state of every event, over REST and over gRPC.
"""
import collections
import http.client
import json
import re
import threading
import time
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED

BULK = "vigil.events.v2.EventService/SubmitEvents"
STREAM = "vigil.events.v1.EventService/StreamAggregated"
SEARCH_PATH = "/events/v1/aggregated/search"

EVENTS = 2_000 if IS_SANITIZED else 10_000  # of the one bulk at the beginning
ROUNDS = 5
UPDATERS = 2
UPDATES_A_SECOND = 10_000
UPDATES_A_BULK = 500
PAGE = 1_000
ALIKE_MAX = 200  # changes that share a lastUpdatedTimestamp
DEADLINE = 120
TOUCHED = 20  # events updated while their page is being read
ID_PATTERN = re.compile(rb'"id":\s*"(AGGR/[^"]+)"')

# What a puller knows of an event: its last version, as far as the updates change it.
State = collections.namedtuple("State", "updated count properties")


def bulk_bytes(events):
    """A bulk, ready for the wire: making it is not what is measured."""
    request = documented_json.into_message({"events": events}, contract.method(BULK).request())
    return request.SerializeToString()


def must_accept(grpc, data, count):
    answer = contract.method(BULK).answer.FromString(grpc.raw(BULK, data, timeout=DEADLINE))
    assert (answer.accepted, answer.rejected) == (count, 0), answer


class Updater(threading.Thread):
    """Updates its share of the events, round by round, at its share of the rate."""

    def __init__(self, port, key, ids):
        super().__init__(daemon=True)
        self.grpc = Grpc(port, key)
        self.bulks = []
        for number in range(2, ROUNDS + 2):
            for first in range(0, len(ids), UPDATES_A_BULK):
                part = ids[first:first + UPDATES_A_BULK]
                events = [{"id": event_id, "count": number, "properties": {"round": str(number)}} for event_id in part]
                self.bulks.append((bulk_bytes(events), len(part)))
        self.sent = 0
        self.failure = None

    def run(self):
        try:
            self.send_all()
        except Exception as error:  # a thread's failure is the test's
            self.failure = error
        finally:
            self.grpc.close()

    def send_all(self):
        pace = threading.Event()  # never set: it stands for the sender's clock
        start = time.monotonic()
        for data, count in self.bulks:
            must_accept(self.grpc, data, count)
            self.sent += count
            ahead = start + self.sent * UPDATERS / UPDATES_A_SECOND - time.monotonic()
            if ahead > 0:
                pace.wait(ahead)


class Puller(threading.Thread):
    """The guide's loop. It goes on until, after the last update, a page has brought nothing new."""

    def __init__(self, name, port, key, mark, updates_done):
        super().__init__(name=name, daemon=True)
        self.port = port
        self.key = key
        self.updates_done = updates_done
        self.writes = Grpc(port, key)
        self.criteria = {"startTimestamp": 0, "signature": [mark], "sortBy": ["lastUpdatedTimestamp"], "limit": PAGE}
        self.events = {}  # id -> State, the last version seen
        self.known = set()
        self.alike = collections.Counter()
        self.pages = 0
        self.versions = 0
        self.ledger = {}  # id -> what this puller itself wrote last
        self.failure = None

    def run(self):
        try:
            self.pull()
        except Exception as error:
            self.failure = error
        finally:
            self.writes.close()

    def pull(self):
        bound = None
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            last_round = self.updates_done.is_set()
            criteria = self.criteria if bound is None else {**self.criteria, "lastUpdatedTimestamp": bound}
            # While updates go on, every third page is updated under its reader.
            rows = self.read_page(criteria, not last_round and self.pages % 3 == 0)
            self.pages += 1
            times = [row[1].updated for row in rows]
            assert times == sorted(times), "a page is sorted"
            assert bound is None or not times or times[0] >= bound, "the bound holds"
            fresh = self.take(rows)
            if times:
                bound = times[-1]
            if last_round and not fresh:
                return
        raise AssertionError(f"{self.name} has not ended: {self.pages} pages, {self.versions} versions")

    def take(self, rows):
        fresh = 0
        for event_id, state in rows:
            if (event_id, state.updated) in self.known:
                continue
            self.known.add((event_id, state.updated))
            self.alike[state.updated] += 1
            self.events[event_id] = state
            fresh += 1
        self.versions += fresh
        return fresh

    def touch(self, ids):
        """Update events whose page is being read, and wait until that is visible."""
        value = f"{self.name} {self.pages}"
        ids = list(dict.fromkeys(ids))[:TOUCHED]
        events = [{"id": event_id, "properties": {self.name: value}} for event_id in ids]
        must_accept(self.writes, bulk_bytes(events), len(events))
        self.ledger.update(dict.fromkeys(ids, value))


class RestPuller(Puller):
    def read_page(self, criteria, touches):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request("POST", SEARCH_PATH, body=json.dumps(criteria), headers={
                "Argus-API-Key": self.key, "Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read(65536)
            if touches:
                self.touch(found.decode() for found in ID_PATTERN.findall(body))
            body += answer.read()
        finally:
            connection.close()
        assert answer.status == 200, body[:2000]
        return [(row["id"], State(row["lastUpdatedTimestamp"], row["count"], row["properties"]))
                for row in json.loads(body)["data"]]


class GrpcPuller(Puller):
    def __init__(self, *words):
        super().__init__(*words)
        self.reads = Grpc(self.port, self.key)

    def read_page(self, criteria, touches):
        request = documented_json.into_message(criteria, contract.method(STREAM).request())
        rows = []
        for row in self.reads.start_rows(STREAM, request, timeout=DEADLINE):
            rows.append((row.id, State(row.last_updated_timestamp, row.count, dict(row.properties))))
            if touches and len(rows) == TOUCHED:
                self.touch(event_id for event_id, _ in rows)
        return rows

    def run(self):
        super().run()
        self.reads.close()


class ContinuousPull(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        directory.user("agent", "acme")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])

    def test_the_loop_ends_with_the_last_state_of_every_event(self):
        port = self.server.port
        mark = uuid.uuid4().hex
        now = int(time.time() * 1000)
        ids = [f"AGGR/{now}/1001/{uuid.uuid4()}" for _ in range(EVENTS)]
        updaters = [Updater(port, self.key, ids[number::UPDATERS]) for number in range(UPDATERS)]
        updates_done = threading.Event()
        pullers = [puller(name, port, self.key, mark, updates_done)
                   for name, puller in (("rest", RestPuller), ("grpc", GrpcPuller))]
        created = bulk_bytes([{"id": event_id, "signature": mark} for event_id in ids])
        writes = Grpc(port, self.key)
        self.addCleanup(writes.close)
        must_accept(writes, created, EVENTS)

        start = time.monotonic()
        for thread in (*pullers, *updaters):
            thread.start()
        for updater in updaters:
            updater.join(DEADLINE)
        seconds = time.monotonic() - start
        updates_done.set()
        for puller in pullers:
            puller.join(DEADLINE)
        for thread in (*updaters, *pullers):
            self.assertFalse(thread.is_alive())
            self.assertIsNone(thread.failure, thread.failure)

        sent = sum(updater.sent for updater in updaters)
        self.assertEqual(sent, ROUNDS * EVENTS)
        print(f"{sent} updates in {seconds:.1f} s, {sent / seconds:,.0f} a second", flush=True)
        for puller in pullers:
            print(f"{puller.name}: {puller.pages} pages, {puller.versions} versions of {len(puller.events)} events, "
                  f"{len(puller.ledger)} updated while their page was read", flush=True)
        self.check(ids, pullers)

    def check(self, ids, pullers):
        for puller in pullers:
            with self.subTest(puller=puller.name):
                self.assertEqual(set(puller.events), set(ids), "every event is known, and no other")
                self.assertGreaterEqual(len(puller.ledger), TOUCHED, "pages were updated while they were read")
                self.assertLessEqual(max(puller.alike.values()), ALIKE_MAX)
                for event_id in ids:
                    state = puller.events[event_id]
                    expected = {writer.name: writer.ledger[event_id] for writer in pullers if event_id in writer.ledger}
                    expected["round"] = str(ROUNDS + 1)
                    found = {name: state.properties.get(name) for name in ("round", *(row.name for row in pullers))}
                    self.assertEqual({name: value for name, value in found.items() if value is not None}, expected)
                    self.assertEqual(state.count, ROUNDS + 1)
        self.assertEqual(*[puller.events for puller in pullers], "both have seen the same last versions")


if __name__ == "__main__":
    main()
