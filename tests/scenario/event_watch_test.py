"""EventStream.Watch: what is added and changed is told to those whose criteria want it and whose key may see it, once; a
token goes on where its answer ended, over gRPC and over REST; who does not read takes no memory.
"""
import json
import random
import socket
import subprocess
import time
import uuid

import grpc

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, wait_until
from vigiltest.raw import Raw, request

WATCH = "vigil.events.v2.EventStream/Watch"
BULK = "/events/v2/event/bulk"
SEARCH = "/events/v2/event/search"
PATH = "/events/v2/event/watch"
GRPC_PATH = "/" + WATCH
DEADLINE = 60
CUSTOMER = 1001


class Watcher:
    """One call of Watch. Answers are heard by a thread only when somebody asks for them."""

    def __init__(self, port, key, document=None, timeout=DEADLINE, options=()):
        self.grpc = Grpc(port, key, options=options)
        method = contract.method(WATCH)
        request = documented_json.into_message(document or {}, method.request())
        stub = self.grpc.channel.unary_stream("/" + WATCH, request_serializer=lambda message: message.SerializeToString(),
                                              response_deserializer=method.answer.FromString)
        self.answers = stub(request, metadata=self.grpc.metadata(key), timeout=timeout)
        self.token = None

    def hear(self):
        try:
            answer = next(self.answers)
        except grpc.RpcError as error:
            raise GrpcError(error) from None
        self.token = answer.token
        return answer

    def live(self):
        """Hear until all there was has been told; the numbers of the events told."""
        told = []
        while True:
            answer = self.hear()
            if answer.live:
                return told
            told.append(number_of(answer.event))

    def events(self, count):
        """The numbers of the next events."""
        told = []
        while len(told) < count:
            answer = self.hear()
            if answer.HasField("event"):
                told.append(number_of(answer.event))
        return told

    def close(self):
        self.answers.cancel()
        self.grpc.close()


def number_of(event):
    for row in event.properties.items:
        if row.key == "number":
            return int(row.values[0])
    return None


def entry(mark, number, customer="watched", **more):
    return {"id": {"customer": customer}, "signature": mark, "properties": {"number": str(number)}, **more}


class EventWatch(ServerCase):
    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("watched", CUSTOMER)
        directory.customer("other", CUSTOMER + 1)
        directory.user("agent", "watched")
        cls.key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER", "EVENT-ANALYST"], ["watched", "other"])
        cls.directory = directory
        cls.rest = Rest(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)

    def submit(self, events):
        answer = self.rest.post(BULK, {"events": events})
        self.assertLess(answer.status, 300, answer)
        return answer.data

    def watcher(self, key=None, options=(), **document):
        document.setdefault("includeAllProperties", True)
        watcher = Watcher(self.server.port, key or self.key, document, options=options)
        self.addCleanup(watcher.close)
        return watcher

    def test_what_is_added_is_told(self):
        watcher = self.watcher(attack=[{"signature": ["plain"]}])
        self.assertEqual(watcher.live(), [])
        for first, count in ((0, 1), (1, 5), (6, 1500)):
            self.submit([entry("plain", number) for number in range(first, first + count)] + [entry("noise", 0)])
            self.assertEqual(sorted(watcher.events(count)), list(range(first, first + count)))

    def test_a_token_goes_on_behind_its_answer(self):
        watcher = self.watcher(attack=[{"signature": ["token"]}])
        watcher.live()
        self.submit([entry("token", number) for number in range(700)])
        told = watcher.events(250)
        token = watcher.token
        watcher.close()
        self.submit([entry("token", number) for number in range(700, 800)])
        again = self.watcher(attack=[{"signature": ["token"]}], token=token)
        told += again.live()
        self.assertEqual(sorted(told), list(range(800)), "each once")

    def test_since(self):
        before = self.watcher(attack=[{"signature": ["since"]}])
        before.live()
        self.submit([entry("since", number) for number in range(3)])
        before.events(3)
        self.assertEqual(sorted(self.watcher(attack=[{"signature": ["since"]}], since="-1hour").live()), [0, 1, 2])

    def test_a_change_is_told_again_unless_only_new_are_wanted(self):
        both = self.watcher(attack=[{"signature": ["changed"]}])
        new = self.watcher(attack=[{"signature": ["changed"]}], onlyNew=True)
        both.live(), new.live()
        name = {"timestamp": int(time.time() * 1000), "customer": "watched", "uuid": str(uuid.uuid4())}
        for count in (1, 2, 3):
            self.submit([{**entry("changed", 1), "id": name, "count": count}])
            heard = both.hear()
            self.assertEqual((number_of(heard.event), heard.event.count), (1, count))
        self.submit([entry("changed", 2)])
        self.assertEqual(new.events(2), [1, 2])

    def test_heartbeats_move_the_token_on(self):
        watcher = self.watcher(attack=[{"signature": ["silent"]}], heartbeat=1)
        watcher.live()
        first = watcher.token
        self.submit([entry("noise", 1)])
        beats = [watcher.hear(), watcher.hear()]
        self.assertTrue(all(beat.live and not beat.HasField("event") for beat in beats))
        self.assertNotEqual(first, watcher.token)

    def test_only_what_the_key_may_see(self):
        narrow = self.directory.key("agent", ["EVENT-VIEWER"], ["watched"])
        wide, watcher = self.watcher(attack=[{"signature": ["seen"]}]), self.watcher(narrow, attack=[{"signature": ["seen"]}])
        wide.live(), watcher.live()
        self.submit([entry("seen", number, ("watched", "other")[number % 2]) for number in range(10)])
        self.assertEqual(sorted(wide.events(10)), list(range(10)))
        self.assertEqual(sorted(watcher.events(5)), list(range(0, 10, 2)))

    def test_a_customer_that_comes_to_be_covered_is_told_from_then_on(self):
        """The directory of each moment decides, not that of the call's beginning."""
        narrow = self.directory.key("agent", ["EVENT-VIEWER"], ["other"])
        watcher = self.watcher(narrow, attack=[{"signature": ["grown"]}])
        watcher.live()
        self.directory.customer("below", CUSTOMER + 2, parent="other")
        sender = Rest(self.server.port, self.directory.key("agent", ["EVENT-SUBMITTER"], ["below", "watched"]))
        self.addCleanup(sender.close)
        self.assertLess(sender.post(BULK, {"events": [entry("grown", 1, "watched"), entry("grown", 2, "below")]}).status, 300)
        self.assertEqual(watcher.events(1), [2])

    def assert_ends(self, watcher, code, reason=None, field=None):
        with self.assertRaises(GrpcError) as raised:
            while True:
                watcher.hear()
        self.assertEqual(raised.exception.code, code, raised.exception)
        if reason is not None:
            self.assertEqual(raised.exception.reason, reason)
        if field is not None:
            self.assertEqual(raised.exception.fields, [field])

    def test_a_key_that_is_revoked_or_expires_ends_it(self):
        revoked = self.directory.key("agent", ["EVENT-VIEWER"], ["watched"])
        expiring = self.directory.key("agent", ["EVENT-VIEWER"], ["watched"], expires=int(time.time() * 1000) + 1500)
        watchers = self.watcher(revoked), self.watcher(expiring)
        watchers[0].live()
        self.directory.rest.post(f"/admin/v1/keys/{revoked.split('/')[0]}/revoke", {})
        self.assert_ends(watchers[0], "UNAUTHENTICATED")
        self.assert_ends(watchers[1], "UNAUTHENTICATED", "KEY_EXPIRED")
        self.directory.user("leaver", "watched")
        disabled = self.watcher(self.directory.key("leaver", ["EVENT-VIEWER"], ["watched"]))
        disabled.live()
        self.directory.rest.post("/admin/v1/users/leaver/disable", {})
        self.assert_ends(disabled, "UNAUTHENTICATED")
        submitter = self.directory.key("agent", ["EVENT-SUBMITTER"], ["watched"])
        self.assert_ends(self.watcher(submitter), "PERMISSION_DENIED")

    def test_tokens_that_lead_nowhere(self):
        watcher = self.watcher()
        watcher.live()
        store, shard, revision, *rest = watcher.token.split("/")
        ahead = "/".join([store, shard, str(int(revision) + 1000), *rest])
        foreign = "/".join([f"{int(store, 16) ^ 1:08x}", shard, revision, *rest])
        self.assert_ends(self.watcher(token=ahead), "OUT_OF_RANGE", "WATCH_POSITION_GONE")
        self.assert_ends(self.watcher(token=foreign), "OUT_OF_RANGE", "WATCH_POSITION_GONE")
        self.assert_ends(self.watcher(since="-2days"), "OUT_OF_RANGE", "WATCH_POSITION_GONE")
        for wrong in ("nonsense", "0" + watcher.token, watcher.token + "/", watcher.token.upper() + "x"):
            self.assert_ends(self.watcher(token=wrong), "INVALID_ARGUMENT", field="token")
        self.assert_ends(self.watcher(token=watcher.token, since="now"), "INVALID_ARGUMENT", field="since")
        self.assert_ends(self.watcher(endpoint=[{"ip": ["300.1.1.1"]}]), "INVALID_ARGUMENT", field="endpoint[0].ip[0]")

    def test_who_does_not_read_holds_little_and_misses_nothing(self):
        mark, count, size = "slow", 1500 if IS_SANITIZED else 3000, 4000
        slow = self.watcher(options=(("grpc.http2.bdp_probe", 0),), attack=[{"signature": [mark]}])
        slow.live()
        before = metrics(self.server.port)["vigil_watch_events_total"]
        quick = self.watcher(attack=[{"signature": [mark]}], includeAllProperties=False)
        quick.live()
        for first in range(0, count, 500):
            self.submit([entry(mark, number, uri="/" + "x" * size) for number in range(first, first + 500)])
        quick.events(count)
        told = metrics(self.server.port)["vigil_watch_events_total"] - before - count
        self.assertLess(told * size, 1_000_000, "a window and a part of an answer")
        self.assertEqual(sorted(slow.events(count)), list(range(count)))

    def test_random_changes_and_reconnects(self):
        """What several watchers were told last of each event that matches is what a search finds, and no version comes twice."""
        chance = random.Random(4)
        ids = [{"timestamp": int(time.time() * 1000) - number, "customer": ("watched", "other")[number % 2],
                "uuid": str(uuid.UUID(int=chance.getrandbits(128)))} for number in range(60)]
        marks = ["random one", "random two", "random three"]
        models = [Model(self, criteria) for criteria in (
            {"attack": [{"signature": marks}]},
            {"attack": [{"signature": marks[:1]}]},
            {"attack": [{"signature": marks}], "customer": ["other"]},
            {"attack": [{"signature": marks}], "severity": ["high", "critical"]},
            {"attack": [{"signature": marks}], "property": [{"key": "colour", "value": ["red"]}]},
            {"attack": [{"signature": marks}], "property": [{"value": ["green"], "valueSearchStrategy": "tokenized"}]},
            {"attack": [{"signature": marks}], "includeUnpublished": False, "subCriteria": [{"severity": ["low"], "exclude": True}]},
        )]
        version = 0
        for turn in range(8 if IS_SANITIZED else 30):
            for _ in range(chance.randrange(1, 6)):
                events = []
                for name in chance.sample(ids, chance.randrange(1, 40)):
                    version += 1
                    events.append({"id": name, "signature": marks[int(name["uuid"][:2], 16) % 3], "count": version,
                                   "severity": chance.choice(("low", "medium", "high", "critical")),
                                   "properties": {"colour": chance.choice(("red", "green", "blue"))}})
                self.submit(events)
            for model in models:
                chance.choice((model.hear_some, model.come_back, model.catch_up, lambda: None))()
        newest = self.watcher()
        newest.live()
        for model in models:
            model.check(sequence_of(newest.token))


class RestWatch(ServerCase):
    """The same over REST: lines of JSON and server-sent events, over HTTP/1.1 and HTTP/2."""

    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("watched", CUSTOMER)
        directory.user("agent", "watched")
        cls.key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"], ["watched"])
        cls.directory = directory
        cls.rest = Rest(cls.server.port, cls.key)
        cls.addClassCleanup(cls.rest.close)

    def submit(self, mark, first, count, **more):
        answer = self.rest.post(BULK, {"events": [entry(mark, number, **more) for number in range(first, first + count)]})
        self.assertLess(answer.status, 300, answer)

    def stream(self, target, body=None, key=None, protocol="--http1.1", accept=None, last=None, timeout=None):
        stream = Curl(self.server.port, target, key or self.key, body, protocol, accept, last, timeout)
        self.addCleanup(stream.close)
        return stream

    def test_lines(self):
        for protocol in ("--http1.1", "--http2-prior-knowledge"):
            mark = "lines " + protocol
            stream = self.stream(PATH, {"attack": [{"signature": [mark]}], "includeAllProperties": True, "heartbeat": 1}, protocol=protocol)
            first = stream.line()
            self.assertEqual((first["event"], first["live"]), (None, True))
            self.submit(mark, 0, 20)
            rows = [stream.line() for _ in range(10)]
            self.assertEqual([set(row) for row in rows], [{"event", "token", "live"}] * 10)
            told = [json_number(row["event"]) for row in rows]
            stream.close()
            again = self.stream(PATH, {"attack": [{"signature": [mark]}], "includeAllProperties": True, "token": rows[-1]["token"]},
                                protocol=protocol)
            told += [json_number(again.line()["event"]) for _ in range(10)]
            self.assertEqual(sorted(told), list(range(20)))
            self.assertTrue(again.line()["live"])
            self.assertIn("application/jsonl", again.head["content-type"])

    def test_by_get(self):
        self.submit("get", 0, 3, severity="high")
        stream = self.stream(PATH + "?since=-1hour&severity=high&includeProperties=number")
        self.assertEqual(sorted(json_number(stream.line()["event"]) for _ in range(3)), [0, 1, 2])

    def test_server_sent_events(self):
        for protocol in ("--http1.1", "--http2-prior-knowledge"):
            mark = "sse " + protocol
            body = {"attack": [{"signature": [mark]}], "includeAllProperties": True, "heartbeat": 1}
            stream = self.stream(PATH, body, protocol=protocol, accept="text/event-stream")
            self.assertEqual(stream.block(), {"retry": "1000"})
            self.assertIn("id", stream.block(), "a heartbeat is a comment with an id")
            self.assertEqual(stream.head["content-type"], "text/event-stream")
            self.assertEqual(stream.head["cache-control"], "no-store")
            self.submit(mark, 0, 5)
            told, last = [], None
            while len(told) < 2:
                block = stream.block()
                last = block["id"]
                if "data" in block:
                    told.append(json_number(json.loads(block["data"])["event"]))
            stream.close()
            again = self.stream(PATH, body, protocol=protocol, accept="text/event-stream", last=last)
            while len(told) < 5:
                block = again.block()
                if "data" in block:
                    told.append(json_number(json.loads(block["data"])["event"]))
            self.assertEqual(sorted(told), [0, 1, 2, 3, 4])

    def test_the_end_is_told(self):
        for protocol in ("--http1.1", "--http2-prior-knowledge"):
            key = self.directory.key("agent", ["EVENT-VIEWER"], ["watched"])
            lines, events = (self.stream(PATH, {}, key, protocol, accept) for accept in (None, "text/event-stream"))
            lines.line(), events.block(), events.block()
            self.directory.rest.post(f"/admin/v1/keys/{key.split('/')[0]}/revoke", {})
            error = lines.line()["error"]
            self.assertEqual((error["responseCode"], error["messageTemplate"], error["retry"]), (401, "authentication.failed", False))
            block = events.block()
            self.assertEqual((block["event"], json.loads(block["data"])["error"]["responseCode"]), ("end", 401))
            self.assertEqual(lines.wait(), 0, "the end of the answer is a proper one")

    def test_the_clients_deadline_is_an_end_that_is_told(self):
        for protocol in ("--http1.1", "--http2-prior-knowledge"):
            stream = self.stream(PATH, {}, protocol=protocol, timeout="300m")
            self.assertTrue(stream.line()["live"])
            error = stream.line()["error"]
            self.assertEqual((error["responseCode"], error["messageTemplate"], error["retry"]), (503, "service.timeout", True))
            self.assertEqual(stream.wait(), 0)

    def test_who_closes_his_side_of_http1_has_gone(self):
        empty = b"\0\0\0\0\0"
        for path, kind, body in ((PATH, "application/json", b"{}"), (GRPC_PATH, "application/grpc-web", empty),
                                 (GRPC_PATH, "application/connect+proto", empty)):
            raw = Raw(self.server.port)
            self.addCleanup(raw.close)
            raw.send(request("POST", path, key=self.key, headers=(f"Content-Type: {kind}",), body=body))
            raw.until(b"\r\n\r\n")
            raw.until(b"\r\n")
            raw.until(b"\r\n")
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertFalse(raw.receive(), f"{kind}: the end, and no sign of life before it")
        wait_until(lambda: metrics(self.server.port)["vigil_watchers_open"] == 0, what="those who went are forgotten")

    def test_what_is_wrong_is_told_before_the_first_line(self):
        answer = self.rest.post(PATH, {"token": "nonsense"})
        self.assert_error(answer, 412, "invalid.json.field.value", "token")
        answer = self.rest.get(PATH + "?since=-3days")
        self.submit("early", 0, 1)
        self.assert_error(self.rest.get(PATH + "?since=-3days"), 410, "watch.position.gone")
        self.assert_error(self.rest.get(PATH, key="no/1/key"), 401, "authentication.failed")

    def test_who_does_not_read_holds_little(self):
        mark, count, size = "slow", 2000, 4000
        before = metrics(self.server.port)["vigil_watch_events_total"]
        readers = [Raw(self.server.port) for _ in range(2)]
        for reader, accept in zip(readers, ("application/jsonl", "text/event-stream")):
            self.addCleanup(reader.close)
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            reader.send(request("POST", PATH, key=self.key, headers=(f"Accept: {accept}",),
                                body=json.dumps({"attack": [{"signature": [mark]}], "since": "-1hour"}).encode()))
            reader.until(b"\r\n\r\n")
        for first in range(0, count, 500):
            self.submit(mark, first, 500, uri="/" + "x" * size)
        watcher = Watcher(self.server.port, self.key, {"attack": [{"signature": [mark]}], "since": "-1hour", "includeAllProperties": True})
        self.assertEqual(sorted(watcher.events(count)), list(range(count)), "nobody waits for who does not read")
        watcher.close()
        told = metrics(self.server.port)["vigil_watch_events_total"] - before - count
        self.assertLess(told * size, 2 * 5_000_000, "what sockets and a part of an answer hold")
        for reader in readers:
            reader.close()
        wait_until(lambda: metrics(self.server.port)["vigil_watchers_open"] == 0, what="those who went are forgotten")

    def test_a_drain_is_told(self):
        own = type(self.server)(settings=self.settings)
        self.addCleanup(own.close)
        own.start()
        for protocol in ("--http1.1", "--http2-prior-knowledge"):
            stream = Curl(own.port, PATH, own.admin_key(), {}, protocol)
            self.addCleanup(stream.close)
            token = stream.line()["token"]
            own.terminate()
            self.assertEqual(stream.line()["token"].split("/")[:3], token.split("/")[:3])
            error = stream.line()["error"]
            self.assertEqual((error["responseCode"], error["messageTemplate"], error["retry"]), (503, "service.draining", True))
            self.assertEqual(stream.wait(), 0)
            self.assertEqual(own.wait_exit(), 0)
            own.start()


class Curl:
    """A stream over REST, read line by line."""

    def __init__(self, port, target, key, body=None, protocol="--http1.1", accept=None, last=None, timeout=None):
        words = ["curl", "-sN", "-i", "--max-time", str(DEADLINE), protocol, "-H", f"Argus-API-Key: {key}"]
        words += ["-H", f"Accept: {accept}"] if accept else []
        words += ["-H", f"Last-Event-ID: {last}"] if last else []
        words += ["-H", f"Grpc-Timeout: {timeout}"] if timeout else []
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
        self.process = subprocess.Popen([*words, f"http://127.0.0.1:{port}{target}"], stdout=subprocess.PIPE, text=True)
        self.head = None

    def text(self):
        if self.head is None:
            self.head = {}
            status = self.process.stdout.readline()
            assert " 200" in status, status + self.process.stdout.read()
            for line in iter(lambda: self.process.stdout.readline().strip(), ""):
                name, value = line.split(":", 1)
                self.head[name.lower()] = value.strip()
        line = self.process.stdout.readline()
        assert line.endswith("\n"), f"the stream was cut: {line!r}"
        return line[:-1]

    def line(self):
        return json.loads(self.text())

    def block(self):
        """The fields of the next server-sent event."""
        fields = {}
        for line in iter(self.text, ""):
            name, value = line.split(":", 1)
            fields[name] = value.strip()
        return fields

    def wait(self):
        rest = self.process.stdout.read()
        assert rest == "", rest
        return self.process.wait(DEADLINE)

    def close(self):
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()


def json_number(event):
    for row in event["properties"]:
        if row["key"] == "number":
            return int(row["values"][0])
    return None


class Model:
    """A watcher that remembers what it was told."""

    def __init__(self, case, criteria):
        self.case = case
        self.criteria = criteria
        self.counts = {}  # of each event, as told last: versions rise
        self.watcher = case.watcher(heartbeat=1, **criteria)
        self.watcher.live()

    def take(self, answer):
        if answer.HasField("event"):
            name, count = answer.event.id, answer.event.count
            self.case.assertGreater(count, self.counts.get(name, 0), "a version comes once, and never after a later one")
            self.counts[name] = count
        return answer.live

    def hear_some(self):
        self.take(self.watcher.hear())

    def come_back(self):
        """Break off anywhere: what came after the token is asked for again."""
        token = self.watcher.token
        self.watcher.close()
        self.watcher = self.case.watcher(heartbeat=1, token=token, **self.criteria)
        self.watcher.token = token

    def catch_up(self):
        self.come_back()
        while not self.take(self.watcher.hear()):
            pass

    def check(self, sequence):
        """All that matches now has been told in its present version."""
        answer = self.case.rest.post(SEARCH, {**self.criteria, "limit": 0})
        self.case.assertEqual(answer.status, 200, answer)
        found = {row["id"]: row["count"] for row in answer.data}
        while not self.take(self.watcher.hear()) or sequence_of(self.watcher.token) < sequence:
            pass
        told = {name: self.counts.get(name) for name in found}
        self.case.assertEqual(told, found, self.criteria)


def sequence_of(token):
    """All up to that batch has been told, if the answer said `live`."""
    return int(token.split("/")[2])


class Limits(ServerCase):
    """One key's calls are a quota; the calls of all are what the server can do."""

    settings = ("access_log=off", "watchers_per_key_max=2", "watchers_max=3")

    def watch(self, key):
        watcher = Watcher(self.server.port, key)
        self.addCleanup(watcher.close)
        watcher.live()
        return watcher

    def refusals(self, key):
        """(gRPC status, reason), and the answer over REST."""
        with self.assertRaises(GrpcError) as raised:
            self.watch(key)
        rest = Rest(self.server.port, key)
        answer = rest.post(PATH, {})
        rest.close()
        return (raised.exception.code, raised.exception.reason), answer

    def takes(self, key):
        try:
            return self.watch(key) is not None
        except GrpcError:
            return False

    def test_as_many_as_a_key_and_all_may(self):
        directory = Directory(self.server)
        self.addCleanup(directory.close)
        directory.customer("watched", CUSTOMER)
        directory.user("agent", "watched")
        one, other = (directory.key("agent", ["EVENT-VIEWER"], ["watched"]) for _ in range(2))
        first, _ = self.watch(one), self.watch(one)
        status, answer = self.refusals(one)
        self.assertEqual(status, ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"))
        self.assert_error(answer, 402, "resource.limit.exceeded")
        self.assertGreater(answer.json["metaData"]["millisUntilResourcesAvailable"], 0)
        self.watch(other)
        status, answer = self.refusals(other)
        self.assertEqual(status, ("UNAVAILABLE", "OVERLOADED"))
        self.assert_error(answer, 503, "service.overloaded")
        self.assertIn("retry-after", answer.headers)
        first.close()
        wait_until(lambda: self.takes(other), what="a place for one more")


class ServerEnds(ServerCase):
    settings = ("access_log=off",)

    def test_drained_and_killed(self):
        directory = Directory(self.server)
        directory.customer("watched", CUSTOMER)
        directory.user("agent", "watched")
        key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"], ["watched"])
        directory.close()
        told, number, token = [], 0, None
        for turn in range(4):
            watcher = Watcher(self.server.port, key, {"includeAllProperties": True, **({"token": token} if token else {})})
            rest = Rest(self.server.port, key)
            told += watcher.live()
            events = [entry("end", number + i) for i in range(300)]
            number += len(events)
            self.assertLess(rest.post(BULK, {"events": events}).status, 300)
            told += watcher.events(100 + turn)
            if turn % 2 == 0:
                self.server.terminate()
            else:
                self.server.kill()
            with self.assertRaises(GrpcError) as raised:
                while True:
                    answer = watcher.hear()
                    if answer.HasField("event"):
                        told.append(number_of(answer.event))
            self.assertEqual(raised.exception.code, "UNAVAILABLE")
            token = watcher.token
            watcher.close()
            rest.close()
            if turn % 2 == 0:
                self.assertEqual(self.server.wait_exit(), 0)
            self.server.start()
        watcher = Watcher(self.server.port, key, {"includeAllProperties": True, "token": token})
        told += watcher.live()
        watcher.close()
        self.assertEqual(sorted(told), list(range(number)), "each once")


if __name__ == "__main__":
    main()
