"""kill -9 at random points of a running load loses nothing that was acknowledged.

Several clients, on both faces, submit new events and update their own; a ledger keeps what each was told. The server is
killed again and again, also while it starts, and is started again on what it left. Every acknowledged event is there
exactly once, with its last acknowledged content; what was under way when the server died may be there or not.

usage: kill_test.py [--kills N] [--seed N]
"""
import argparse
import http.client
import json
import random
import threading
import time
import uuid

import grpc

from vigiltest import contract, documented_json
from vigiltest.clients import Grpc, Rest
from vigiltest.directory import Directory
from vigiltest.process import Server, require_program

CUSTOMER = 1001
BULK = "vigil.events.v2.EventService/SubmitEvents"
GET = "vigil.events.v2.EventService/GetEvent"
WRITERS = 4
BATCH = 24
FILLER = "x" * 600
# Small enough that LevelDB flushes and compacts during the test, that a batch is cut, and that the table seals chunks.
SETTINGS = ("write_buffer_bytes=1MiB", "ingest_batch_events=64", "table_chunk_rows=1024", "access_log=off")
# Every so many kills all events are read, not only those touched last.
WHOLE_EVERY = 10
START_TIME = 1_600_000_000_000


class Entry:
    """One event: the versions it may have. None stands for "not stored"."""

    def __init__(self):
        self.possible = {None}
        self.asked = 0  # highest version that was ever sent

    def send(self):
        self.asked += 1
        return self.asked


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = {}
        self.touched = set()
        self.acknowledged = 0

    def sent(self, versions):
        """Before the request leaves: from now on these may be stored."""
        with self.lock:
            for event_id, version in versions.items():
                self.entries[event_id].possible.add(version)
                self.touched.add(event_id)

    def answered(self, versions):
        """The server said so: it is this version now, and no other."""
        with self.lock:
            for event_id, version in versions.items():
                self.entries[event_id].possible = {version}
            self.acknowledged += len(versions)

    def take_touched(self):
        with self.lock:
            touched, self.touched = self.touched, set()
            return touched


class Writer:
    """A client with events of its own, so that the order of its updates is known."""

    def __init__(self, number, seed, ledger, key, by_grpc):
        self.random = random.Random(seed * 1000 + number)
        self.ledger = ledger
        self.key = key
        self.by_grpc = by_grpc
        self.own = []
        self.failure = None

    def new_event(self):
        timestamp = START_TIME + self.random.randrange(10**9)
        unique = uuid.UUID(int=self.random.getrandbits(128), version=4)
        event_id = f"AGGR/{timestamp}/{CUSTOMER}/{unique}"
        with self.ledger.lock:
            self.ledger.entries[event_id] = Entry()
        self.own.append(event_id)
        return event_id

    def make_batch(self):
        size = self.random.choice((1, 2, BATCH, BATCH * 3))
        ids = []
        for _ in range(size):
            if self.own and self.random.random() < 0.4:
                ids.append(self.random.choice(self.own))
            else:
                ids.append(self.new_event())
        versions = {}
        events = []
        for event_id in ids:
            version = self.ledger.entries[event_id].send()
            versions[event_id] = version
            events.append({"id": event_id, "signature": f"kill-{version}", "count": version,
                           "properties": {"version": str(version), "filler": FILLER + str(version)}})
        return events, versions

    def run(self, port, stop):
        """Submit until the server is gone or `stop` is set."""
        client = Grpc(port, self.key) if self.by_grpc else Rest(port, self.key, timeout=20)
        try:
            while not stop.is_set():
                events, versions = self.make_batch()
                self.ledger.sent(versions)
                if not self.submit(client, events):
                    return
                self.ledger.answered(versions)
        except BaseException as failure:  # told by the main thread
            self.failure = failure
        finally:
            client.close()

    def submit(self, client, events):
        """True when it was acknowledged, False when the connection is gone."""
        try:
            if self.by_grpc:
                method = contract.method(BULK)
                request = documented_json.into_message({"events": events}, method.request())
                answer = client.stub(BULK)(request, metadata=client.metadata(...), timeout=20)
                assert answer.accepted == len(events), answer
            else:
                answer = client.post("/events/v2/event/bulk", {"events": events})
                assert answer.status == 201 and answer.data["accepted"] == len(events), answer
            return True
        except grpc.RpcError as error:
            # What a dead server looks like; a refusal would be another matter.
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), error
            return False
        except (OSError, http.client.HTTPException):
            return False


class KillTest:
    def __init__(self, kills, seed):
        self.kills = kills
        self.random = random.Random(seed)
        self.server = Server(settings=SETTINGS)
        self.ledger = Ledger()
        self.slowest_restart = 0.0
        self.killed_starting = 0

    def arrange(self, seed):
        self.server.start()
        directory = Directory(self.server)
        directory.customer("acme", CUSTOMER)
        directory.user("agent", "acme")
        self.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        directory.close()
        self.writers = [Writer(number, seed, self.ledger, self.key, number % 2 == 0) for number in range(WRITERS)]

    def load_until_kill(self):
        stop = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(self.server.port, stop)) for writer in self.writers]
        before = self.ledger.acknowledged
        for thread in threads:
            thread.start()
        # The point of the kill is random on purpose; half of them fall into the first moments of the load.
        time.sleep(self.random.choice((0.05, 0.5)) * self.random.random() + 0.01)
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        for writer in self.writers:
            if writer.failure is not None:
                raise writer.failure
        return self.ledger.acknowledged - before

    def kill_while_starting(self):
        self.server.launch()
        time.sleep(self.random.random() * 0.08)
        self.server.kill()
        self.killed_starting += 1

    def restart(self):
        begun = time.monotonic()
        self.server.start()
        rest = Rest(self.server.port, self.key)
        answer = rest.post("/events/v1/aggregated/search", {"startTimestamp": START_TIME, "limit": 1})
        rest.close()
        assert answer.status == 200, answer
        self.slowest_restart = max(self.slowest_restart, time.monotonic() - begun)  # printed: a promise of release builds

    def check_event(self, event_id, version, shown):
        """`version` is what is stored, None = nothing; `shown` its properties' version."""
        entry = self.ledger.entries[event_id]
        assert version in entry.possible, \
            f"{event_id} has version {version}; it may have {sorted(entry.possible, key=str)}"
        assert version is None or shown == str(version), f"{event_id} is mixed: count {version}, property {shown}"
        entry.possible = {version}

    def check_touched(self):
        """What was under way at the kill, one by one."""
        grpc_client = Grpc(self.server.port, self.key)
        method = contract.method(GET)
        waiting = []
        for event_id in sorted(self.ledger.take_touched()):
            _, timestamp, customer, unique = event_id.split("/")
            request = method.request(timestamp=int(timestamp), customer_id=int(customer), event_id=unique,
                                     include_all_properties=True)
            waiting.append((event_id, grpc_client.stub(GET).future(request, metadata=grpc_client.metadata(...),
                                                                   timeout=30)))
        for event_id, answer in waiting:
            try:
                event = answer.result()
                shown = {row.key: row.values[0] for row in event.properties.items}
                assert event.id == event_id, event.id
                assert event.signature.name == f"kill-{event.count}", event
                self.check_event(event_id, event.count, shown["version"])
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.NOT_FOUND, error
                self.check_event(event_id, None, None)
        grpc_client.close()

    def check_whole(self):
        """All events by search: each acknowledged one exactly once, none that nobody sent."""
        rest = Rest(self.server.port, self.key, timeout=120)
        criteria = {"startTimestamp": START_TIME, "endTimestamp": START_TIME + 10**9, "sortBy": ["id"], "limit": 5000}
        found = {}
        while True:
            answer = rest.post("/events/v1/aggregated/search", {**criteria, "offset": len(found)})
            assert answer.status == 200, answer
            document = json.loads(answer.body)
            for event in document["data"]:
                assert event["id"] not in found, f"{event['id']} is found twice"
                found[event["id"]] = (event["count"], event["properties"]["version"])
            if not document["data"]:
                break
        rest.close()
        assert document["count"] == len(found), f"count {document['count']}, found {len(found)}"
        strangers = set(found) - set(self.ledger.entries)
        assert not strangers, f"events nobody sent: {sorted(strangers)[:5]}"
        for event_id in self.ledger.entries:
            version, shown = found.get(event_id, (None, None))
            self.check_event(event_id, version, shown)
        return len(found)

    def check_clean_stop(self):
        """A stop that was asked for, and a start after it, change nothing."""
        self.server.restart()
        return self.check_whole()

    def run(self, seed):
        begun = time.monotonic()
        self.arrange(seed)
        for kill in range(1, self.kills + 1):
            self.load_until_kill()
            if self.random.random() < 0.15:
                self.kill_while_starting()
            self.restart()
            self.check_touched()
            if kill % WHOLE_EVERY == 0:
                self.check_whole()
        stored = self.check_clean_stop()
        print(f"{self.kills} kills under load, {self.killed_starting} while starting; {self.ledger.acknowledged} "
              f"acknowledged submissions, {stored} events; slowest restart {self.slowest_restart * 1000:.0f} ms; "
              f"{time.monotonic() - begun:.0f} s")
        assert self.ledger.acknowledged > self.kills * 10, "there was hardly any load"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    require_program()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    test = KillTest(options.kills, seed)
    try:
        test.run(seed)
    except BaseException:
        print(f"the server said:\n{test.server.log_tail()}")
        raise
    finally:
        test.server.close()


if __name__ == "__main__":
    main()
