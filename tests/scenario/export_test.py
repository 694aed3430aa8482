"""Everything there is, in one answer: rows over gRPC and by the command line; the server's memory stays flat."""
import json
import os
import subprocess
import tempfile
import threading
import time

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest, page_of
from vigiltest.process import IS_SANITIZED, wait_until

PROGRAM = os.environ.get("VIGIL", "")
STREAM = "vigil.events.v1.EventService/StreamAggregated"
SEARCH = "/events/v1/aggregated/search"
CLIENT_KIB = 64 * 1024
BULK = 10_000


def addresses(at):
    return f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"


class Export(ServerCase):
    EVENTS = 20_000 if IS_SANITIZED else 100_000
    MEMORY_KIB = 48 * 1024
    settings = ("access_log=off", "stream_snapshot_age_ms=10m", "deadline_default_ms=10m")

    @classmethod
    def arrange(cls):
        cls.key = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key, timeout=120)
        cls.addClassCleanup(cls.rest.close)
        for start in range(0, cls.EVENTS, BULK):
            answer = cls.rest.post("/events/v2/event/bulk", {"events": [cls.event(at) for at in range(start, start + BULK)]})
            assert answer.status == 201 and answer.data["accepted"] == BULK, answer
        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.addClassCleanup(cls.grpc.close)

    @staticmethod
    def event(at):
        return {"id": {"customer": "operator", "timestamp": 1_000_000 + at}, "signature": f"S-{at % 50}",
                "source": {"ip": addresses(at), "port": at % 65536}, "destination": {"ip": "192.0.2.1"},
                "properties": {f"p{number}": f"value {at}" for number in range(8)}}

    def check_flat(self, work):
        """Run it twice, the first time to warm up; what it costs the server beyond that is bounded."""
        work()
        before = self.server.resident_kib()
        most = [0]
        over = threading.Event()

        def watch():
            while not over.wait(0.02):
                most[0] = max(most[0], self.server.resident_kib() - before)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            result = work()
        finally:
            over.set()
            watcher.join()
        if not IS_SANITIZED:
            self.assertLess(most[0], self.MEMORY_KIB, "KiB while everything went out")
        return result


class Rows(Export):
    def request(self, **members):
        return contract.method(STREAM).request(start_timestamp="0", **members)

    def test_everything_as_rows(self):
        def work():
            call = self.grpc.start_rows(STREAM, self.request(limit=0), timeout=300)
            seen = {row.source_address for row in call}
            return seen, page_of(call)
        seen, page = self.check_flat(work)
        self.assertEqual(page, (0, 0, self.EVENTS))
        self.assertEqual(seen, {addresses(at) for at in range(self.EVENTS)})

    def test_a_page_as_rows_is_the_unary_page(self):
        request = self.request(limit=30, offset=7, signature=["S-3", "S-4"])
        rows, page = self.grpc.rows(STREAM, request)
        answer = self.grpc.call("vigil.events.v1.EventService/SearchAggregated", request)
        self.assertEqual((page, rows), ((answer.limit, answer.offset, answer.count), list(answer.data)))

    def test_a_reader_that_stands_and_goes_on(self):
        call = self.grpc.start_rows(STREAM, self.request(limit=0), timeout=300)
        rows = iter(call)
        seen = [next(rows).source_address for _ in range(100)]
        before = self.server.resident_kib()
        found = self.rest.post(SEARCH, {"startTimestamp": 0, "limit": 1000})
        self.assertEqual(found.json["size"], 1000)
        if not IS_SANITIZED:
            self.assertLess(self.server.resident_kib() - before, self.MEMORY_KIB)
        seen += [row.source_address for row in rows]
        self.assertEqual(len(set(seen)), self.EVENTS)

    def test_cancel_and_deadline_midway(self):
        call = self.grpc.start_rows(STREAM, self.request(limit=0), timeout=300)
        rows = iter(call)
        next(rows)
        call.cancel()
        with self.assertRaises(GrpcError) as caught:
            rows, _ = self.grpc.rows(STREAM, self.request(limit=0), timeout=0.05)
        self.assertEqual(caught.exception.code, "DEADLINE_EXCEEDED")

    def test_errors_before_the_first_row(self):
        for members, code, reason in (({"limit": 100001}, "INVALID_ARGUMENT", "INVALID_FIELD_VALUE"),
                                      ({"sort_by": [8, 9]}, "INVALID_ARGUMENT", "INVALID_FIELD_VALUE")):
            with self.assertRaises(GrpcError) as caught:
                self.grpc.rows(STREAM, self.request(**members))
            self.assertEqual((caught.exception.code, caught.exception.reason), (code, reason))


class Expired(Export):
    EVENTS = 10_000 if IS_SANITIZED else 20_000
    settings = ("access_log=off", "stream_snapshot_age_ms=500ms")

    def test_a_stream_whose_snapshot_ends_never_ends_well(self):
        method = contract.method(STREAM)
        # Little is taken ahead of the reader, who stands until the snapshot is too old.
        client = Grpc(self.server.port, self.key, options=[("grpc.http2.lookahead_bytes", 65536), ("grpc.http2.bdp_probe", 0)])
        self.addCleanup(client.close)
        call = client.start_rows(STREAM, method.request(start_timestamp="0", limit=0), timeout=60)
        rows = iter(call)
        seen = 1
        next(rows)
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 1.0, what="the snapshot's end")
        with self.assertRaises(GrpcError) as caught:
            try:
                for _ in rows:
                    seen += 1
            except Exception as error:
                raise GrpcError(error) from None
        self.assertEqual(caught.exception.code, "ABORTED")
        self.assertEqual(caught.exception.reason, "SNAPSHOT_EXPIRED")
        self.assertLess(seen, self.EVENTS)


class CommandLine(Export):
    def vigil(self, *words):
        return subprocess.Popen([PROGRAM, "--server", f"127.0.0.1:{self.server.port}", *words], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env={**os.environ, "VIGIL_API_KEY": self.key})

    def test_export(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "events.jsonl")
            process = self.vigil("event", "export", "--start", "0", "--file", path)
            most = 0
            while process.poll() is None:
                try:
                    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                        most = max([most, *(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))])
                except OSError:
                    break
                time.sleep(0.01)
            out, said = process.communicate()
            self.assertEqual((process.returncode, out, said), (0, b"", b""))
            with open(path, encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
        self.assertEqual({row["sourceAddress"] for row in rows}, {addresses(at) for at in range(self.EVENTS)})
        self.assertEqual(len(rows), self.EVENTS)
        self.assertEqual(rows[:20], self.rest.post(SEARCH, {"startTimestamp": 0, "limit": 20}).data)
        if not IS_SANITIZED:
            self.assertLess(most, CLIENT_KIB, "KiB of the client")

    def test_export_to_stdout_and_to_nobody(self):
        process = self.vigil("event", "export", "--start", "0", "--signature", "S-1")
        out, said = process.communicate()
        self.assertEqual((process.returncode, len(out.splitlines()), said), (0, self.EVENTS // 50, b""))
        process = self.vigil("event", "export", "--start", "0")
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        process.stderr.close()

    def test_watch(self):
        since = self.rest.post(SEARCH, {"startTimestamp": 0, "sortBy": "-lastUpdatedTimestamp", "limit": 1})
        since = since.data[0]["lastUpdatedTimestamp"] + 1
        process = self.vigil("--output", "jsonl", "event", "watch", "--start", "0", "--since", str(since), "--interval", "50",
                             "--events", "1205")
        wanted = []
        for _ in range(3):
            answer = self.rest.post("/events/v2/event", {"id": {"customer": "operator"}, "signature": "watched"})
            self.assertEqual(answer.status, 201, answer)
            wanted.append(answer.data["id"])
            line = json.loads(process.stdout.readline())
            self.assertEqual(line["id"], answer.data["id"])
        # One is changed: it comes again. Then more than a page at once, of which at most 200 share a time.
        again = wanted[0].split("/")
        answer = self.rest.post("/events/v2/event", {"id": {"timestamp": int(again[1]), "customer": again[2], "uuid": again[3]},
                                                     "signature": "watched", "count": 5})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(json.loads(process.stdout.readline())["id"], wanted[0])
        answer = self.rest.post("/events/v2/event/bulk", {"events": [
            {"id": {"customer": "operator", "timestamp": 5_000_000 + at}, "signature": "watched"} for at in range(1201)]})
        self.assertEqual(answer.data["accepted"], 1201)
        out, said = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said), (0, b""))
        times = [json.loads(line)["timestamp"] for line in out.splitlines()]
        self.assertEqual(sorted(times), [5_000_000 + at for at in range(1201)])
        wrong = self.vigil("event", "watch", "--interval", "no")
        self.assertIn(b"--interval", wrong.communicate()[1])
        self.assertEqual(wrong.returncode, 2)


if __name__ == "__main__":
    main()
