"""Everything there is, in one answer: rows over gRPC and by the command line; the server's memory stays flat."""
import collections
import csv
import http.client
import io
import itertools
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import xml.etree.ElementTree
import zipfile

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest, page_of
from vigiltest.process import IS_SANITIZED, wait_until
from vigiltest.raw import H2

PROGRAM = os.environ.get("VIGIL", "")
STREAM = "vigil.events.v1.EventService/StreamAggregated"
SEARCH = "/events/v1/aggregated/search"
CLIENT_KIB = 64 * 1024
MIB = 1024 * 1024
BULK = 10_000


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SEARCH_V2 = "/events/v2/event/search"


def addresses(at):
    return f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"


class Export(ServerCase):
    EVENTS = 20_000 if IS_SANITIZED else 50_000
    MEMORY_KIB = 12 * 1024  # less than each of the answers, but for the spreadsheet, which is compressed
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

    def check_flat(self, work, warm_up):
        """What it costs the server beyond what the same answer, taken and not looked at, has cost before is bounded."""
        warm_up()
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

        def warm_up():
            for _ in self.grpc.start_rows(STREAM, self.request(limit=0), timeout=300):
                pass
        seen, page = self.check_flat(work, warm_up)
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

    def test_many_readers_that_stand_stall_nobody(self):
        """More of them than the server has threads: each holds a part of its answer, and no thread."""
        before = self.server.resident_kib()
        calls = [self.grpc.start_rows(STREAM, self.request(limit=0), timeout=300) for _ in range(24)]
        readers = [iter(call) for call in calls]
        for reader in readers:
            next(reader)
        found = self.rest.post(SEARCH, {"startTimestamp": 0, "limit": 1000})
        self.assertEqual(found.json["size"], 1000)
        rows, _ = self.grpc.rows(STREAM, self.request(limit=10))
        self.assertEqual(len(rows), 10, "over their own connection, too")
        if not IS_SANITIZED:
            self.assertLess(self.server.resident_kib() - before, 8 * self.MEMORY_KIB, "of more than half a GiB of answers")
        self.assertEqual(sum(1 for _ in itertools.islice(readers[-1], 3000)), 3000, "who goes on gets on")
        for call in calls:
            call.cancel()

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


def sheet_rows(data):
    """The rows of the one sheet of a spreadsheet, as dicts of column letters: numbers as int or float, texts as str."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        book = xml.etree.ElementTree.fromstring(archive.read("xl/workbook.xml"))
        assert [sheet.get("name") for sheet in book.iter(space + "sheet")] == ["data"]
        assert "xl/sharedStrings.xml" not in archive.namelist() or b"<si>" not in archive.read("xl/sharedStrings.xml")
        with archive.open("xl/worksheets/sheet1.xml") as sheet:
            for _, element in xml.etree.ElementTree.iterparse(sheet):
                if element.tag != space + "row":
                    continue
                row = {}
                for cell in element.iter(space + "c"):
                    letters = cell.get("r").rstrip("0123456789")
                    assert cell.find(space + "f") is None, "a formula"
                    if cell.get("t") == "inlineStr":
                        row[letters] = "".join(cell.itertext())
                    else:
                        assert cell.get("t") is None, cell.attrib
                        row[letters] = float(cell.find(space + "v").text)
                yield row
                element.clear()


def columns_of(document, prefix=""):
    """The dotted columns of one row of documented JSON, as docs/formats.md says: name -> CSV text."""
    found = {}
    for name, value in document.items():
        if name == "properties":
            found[prefix + name] = value if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        elif isinstance(value, dict):
            found.update(columns_of(value, prefix + name + "."))
        elif isinstance(value, list):
            found[prefix + name] = ";".join(item if isinstance(item, str) else
                                            json.dumps(item, separators=(",", ":"), ensure_ascii=False) for item in value)
        elif isinstance(value, bool):
            found[prefix + name] = "true" if value else "false"
        else:
            found[prefix + name] = value
    return {name: value for name, value in found.items() if value not in (None, "")}


ODD = ["=1+1", "+x", "-x", "@x", "\tx", 'a,"b"', "two\r\nlines", "plain", "æøå €"]


class Formats(Export):
    """JSON is held against itself by other tests; here the others are held against it."""

    @classmethod
    def arrange(cls):
        super().arrange()
        for at, text in enumerate(ODD):
            answer = cls.rest.post("/events/v2/event", {
                "id": {"customer": "operator", "timestamp": 9_000_000 + at}, "signature": "odd", "uri": text, "protocol": "tcp",
                "flags": ["BLOCKED", "FILTERED"], "severity": "high", "fqdn": "host.example",
                "properties": {"k": text, "n": "7"}, "source": {"ip": "10.0.0.0/8"}})
            assert answer.status == 201, answer

    def ask(self, path, accept, **criteria):
        return self.rest.post(path, {"startTimestamp": 0, **criteria}, headers={"Accept": accept})

    def check_page(self, answer, count, limit, offset):
        self.assertEqual(answer.status, 200, answer)
        page = {name.lower(): value for name, value in answer.headers.items()}
        self.assertEqual((page["x-argus-count"], page["x-argus-limit"], page["x-argus-offset"]),
                         (str(count), str(limit), str(offset)))

    def ask_odd(self, path, accept, **criteria):
        signature = {"signature": ["odd"]}
        wanted = signature if path == SEARCH else {"attack": [signature]}
        answer = self.ask(path, accept, sortBy="lastUpdatedTimestamp", **wanted, **criteria)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def odd_rows(self, path):
        answer = self.ask_odd(path, "application/json")
        self.assertEqual(answer.json["count"], len(ODD))
        self.assertNotIn("x-argus-count", {name.lower() for name in answer.headers})
        return answer.data

    def test_lines_are_the_rows_of_json(self):
        for path in (SEARCH, SEARCH_V2):
            answer = self.ask_odd(path, "application/jsonl")
            self.assertEqual(answer.headers["content-type"], "application/jsonl")
            self.check_page(answer, len(ODD), 25, 0)
            self.assertTrue(answer.body.endswith(b"}\n"))
            self.assertEqual([json.loads(line) for line in answer.body.split(b"\n")[:-1]], self.odd_rows(path))

    def test_csv_has_the_members_of_json(self):
        for path in (SEARCH, SEARCH_V2):
            answer = self.ask_odd(path, "text/csv", limit=8, offset=1)
            self.assertEqual(answer.headers["content-type"], "text/csv; charset=UTF-8")
            self.check_page(answer, len(ODD), 8, 1)
            text = answer.body.decode()
            self.assertFalse(text.startswith("\ufeff"))
            rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
            self.assertEqual(len(rows), 8)
            for row, document in zip(rows, self.odd_rows(path)[1:]):
                wanted = {name: str(value) for name, value in columns_of(document).items()}
                wanted = {name: "'" + value if value[0] in "=+-@\t\r" and not isinstance(columns_of(document)[name], (int, float))
                          else value for name, value in wanted.items()}
                self.assertEqual({name: value for name, value in row.items() if value}, wanted)
            lines = text.split("\r\n")
            self.assertEqual(lines[-1], "")
            self.assertIn("properties", lines[0].split(","))
            if path == SEARCH:
                self.assertIn("source.networkAddress.address", lines[0].split(","))
            self.assertEqual(rows[0]["uri"], "'+x")

    def test_a_spreadsheet_has_the_members_of_json(self):
        answer = self.ask_odd(SEARCH_V2, XLSX)
        self.assertEqual(answer.headers["content-type"], XLSX)
        self.check_page(answer, len(ODD), 25, 0)
        rows = list(sheet_rows(answer.body))
        names = rows[0]
        documents = self.odd_rows(SEARCH_V2)
        self.assertEqual(len(rows), 1 + len(documents))
        for row, document in zip(rows[1:], documents):
            got = {names[letters]: value for letters, value in row.items()}
            wanted = columns_of(document)
            self.assertEqual({name: value.replace("_x000D_", "\r") if isinstance(value, str) else value
                              for name, value in got.items()}, wanted)

    def test_what_is_not_offered_is_json(self):
        for path, accept in ((SEARCH, XLSX), (SEARCH, "image/png"), (SEARCH_V2, "*/*"), (SEARCH_V2, "text/csv;q=0")):
            answer = self.ask(path, accept, limit=1)
            self.assertEqual(answer.headers["content-type"], "application/json; charset=UTF-8")
            self.assertEqual(answer.json["size"], 1)
        session = self.rest.get("/authentication/v1/session", headers={"Accept": "text/csv"})
        self.assertEqual(session.data["authenticationMethod"], "APIKEY")
        self.assertEqual(self.ask(SEARCH, "text/html,text/csv;q=0.9,*/*;q=0.8", limit=1).headers["content-type"][:8], "text/csv")

    def test_errors_are_always_json(self):
        for accept in ("text/csv", "application/jsonl", XLSX):
            for path in (SEARCH, SEARCH_V2):
                self.assert_error(self.ask(path, accept, limit=-1), 412, "invalid.json.field.value", "limit")
                self.assert_error(self.rest.post(path, {}, key="a/b/c", headers={"Accept": accept}), 401, "authentication.failed")
            self.assert_error(self.ask(SEARCH, accept, bogus=1), 412, "unknown.json.field", "bogus")

    def check_everything(self, path, accept, count):
        """Everything in one answer, read as it comes: memory stays flat, and `count` tells the source addresses."""
        def work(take=count):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=300)
            body = json.dumps({"startTimestamp": 0, "limit": 0, "endTimestamp": 2_000_000})
            connection.request("POST", path, body, {"Argus-API-Key": self.key, "Accept": accept})
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            found = take(answer)
            told = answer.getheader("X-Argus-Count")
            connection.close()
            return found, told

        def pass_by(answer):
            while answer.read(MIB):
                pass
        found, told = self.check_flat(work, lambda: work(pass_by))
        self.assertEqual(told, None if accept == "application/json" else str(self.EVENTS))
        self.assertEqual(found, collections.Counter(addresses(at) for at in range(self.EVENTS)))

    def test_everything_as_json(self):
        self.check_everything(SEARCH, "application/json", lambda answer: collections.Counter(
            row["sourceAddress"] for row in json.loads(answer.read())["data"]))

    def test_everything_as_lines(self):
        self.check_everything(SEARCH, "application/jsonl", lambda answer: collections.Counter(
            json.loads(line)["sourceAddress"] for line in answer))
        self.check_everything(SEARCH_V2, "application/jsonl", lambda answer: collections.Counter(
            json.loads(line)["source"]["address"] for line in answer))

    def test_everything_as_csv(self):
        def count(name):
            return lambda answer: collections.Counter(
                row[name] for row in csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline=""), strict=True))
        self.check_everything(SEARCH, "text/csv", count("sourceAddress"))
        self.check_everything(SEARCH_V2, "text/csv", count("source.address"))

    def test_everything_as_a_spreadsheet(self):
        def count(answer):
            rows = sheet_rows(answer.read())
            head = next(rows)
            column = next(letters for letters, name in head.items() if name == "source.address")
            return collections.Counter(row[column] for row in rows)
        self.check_everything(SEARCH_V2, XLSX, count)
        self.assertEqual([name for name in os.listdir(self.server.data) if "spreadsheet" in name], [])


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


class Cut(Export):
    """Over REST an answer that cannot go on has no end: the connection closes without the last chunk."""

    EVENTS = 10_000 if IS_SANITIZED else 20_000
    settings = ("access_log=off", "stream_snapshot_age_ms=500ms", "deadline_default_ms=5s")

    def test_an_answer_that_stops_midway_is_visibly_cut(self):
        for accept in ("application/json", "application/jsonl", "text/csv"):
            with self.subTest(accept):
                raw = socket.socket()
                self.addCleanup(raw.close)
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                raw.connect(("127.0.0.1", self.server.port))
                raw.settimeout(60)
                body = json.dumps({"startTimestamp": 0, "limit": 0})
                raw.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: v\r\nArgus-API-Key: {self.key}\r\nAccept: {accept}\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
                got = raw.recv(1000)
                self.assertTrue(got.startswith(b"HTTP/1.1 200 "), got)
                begun = time.monotonic()
                wait_until(lambda: time.monotonic() - begun > 1.0, what="the snapshot's end")
                try:
                    while part := raw.recv(1 << 20):
                        got = got[-100:] + part
                except ConnectionResetError:
                    pass
                self.assertFalse(got.endswith(b"0\r\n\r\n"), got[-100:])

    def test_a_spreadsheet_is_complete_or_refused(self):
        """Its first byte is sent when it is complete: what takes too long is an error, never half a file."""
        for count in (0, 5, 0):
            answer = self.rest.post(SEARCH_V2, {"startTimestamp": 0, "limit": count}, headers={"Accept": XLSX})
            if answer.status == 200:
                self.assertEqual(len(list(sheet_rows(answer.body))), 1 + (count or self.EVENTS))
            else:
                self.assertEqual((answer.status, answer.template in ("snapshot.expired", "service.timeout")), (503, True), answer)
        self.assertEqual([name for name in os.listdir(self.server.data) if "spreadsheet" in name], [])

    def test_over_http2_it_is_reset(self):
        connection = H2(self.server.port)
        self.addCleanup(connection.close)
        connection.reads = False
        stream = connection.open(SEARCH, headers=[("argus-api-key", self.key), ("accept", "text/csv")])
        connection.send(stream, json.dumps({"startTimestamp": 0, "limit": 0}).encode(), True)
        row = connection.finish(stream)
        self.assertIsNotNone(row["reset"])


class CommandLine(Export):
    """One export of more events than a page of v1 may hold."""

    EVENTS = 20_000 if IS_SANITIZED else 110_000

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
        self.assertEqual({row["source"]["address"] for row in rows}, {addresses(at) for at in range(self.EVENTS)})
        self.assertEqual(len(rows), self.EVENTS)
        everything = {"includeAllProperties": True, "includeComments": True, "includeSubEvents": True}
        self.assertEqual(rows[:20], self.rest.post(SEARCH_V2, {"startTimestamp": 0, "limit": 20, **everything}).data)
        self.assertEqual(len(rows[0]["properties"]), len(self.event(0)["properties"]) + 3)
        if not IS_SANITIZED:
            self.assertLess(most, CLIENT_KIB, "KiB of the client")

    def test_export_to_stdout_and_to_nobody(self):
        process = self.vigil("event", "export", "--start", "0", "--signature", "S-1")
        out, said = process.communicate()
        self.assertEqual((process.returncode, len(out.splitlines()), said), (0, self.EVENTS // 50, b""))
        for words, count in ((["--ip", addresses(7) + "/31"], 2), (["--type", "raw"], 0), (["--start", "-1hour"], 0),
                             (["--customer", "operator", "--ip", addresses(7), "--signature", "S-7,S-8"], 1),
                             (["--customer", "operator", "--ip", addresses(7), "--signature", "S-8"], 0)):
            process = self.vigil("event", "export", *(() if "--start" in words else ("--start", "0")), *words)
            out, said = process.communicate()
            self.assertEqual((process.returncode, len(out.splitlines()), said), (0, count, b""), words)
        process = self.vigil("event", "export", "--start", "0")
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        self.assertNotEqual(process.returncode, 0)
        process.stderr.close()

    def test_watch(self):
        since = self.rest.post(SEARCH, {"startTimestamp": 0, "sortBy": "-lastUpdatedTimestamp", "limit": 1})
        since = since.data[0]["lastUpdatedTimestamp"] + 1
        process = self.vigil("--output", "jsonl", "event", "watch", "--since", str(since), "--signature", "watched",
                             "--events", "1205")
        wanted = []
        for _ in range(3):
            answer = self.rest.post("/events/v2/event", {"id": {"customer": "operator"}, "signature": "watched"})
            self.assertEqual(answer.status, 201, answer)
            wanted.append(answer.data["id"])
            line = json.loads(process.stdout.readline())
            self.assertEqual(line["id"], answer.data["id"])
        # The server goes away and comes back: the watch goes on where it was.
        port = self.server.port
        self.server.terminate()
        self.assertEqual(self.server.wait_exit(), 0)
        self.server.start(port)
        self.rest.close()
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
        times = [json.loads(line)["timestamps"]["created"] for line in out.splitlines()]
        self.assertEqual(sorted(times), [5_000_000 + at for at in range(1201)])
        wrong = self.vigil("event", "watch", "--events", "no")
        self.assertIn(b"--events", wrong.communicate()[1])
        self.assertEqual(wrong.returncode, 2)


if __name__ == "__main__":
    main()
