"""The audit log of the real server: which calls get a line, what is in it and what never is; and the log of slow questions."""
import json
import os
import pathlib
import signal
import urllib.parse
import uuid

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import Server, StartError, wait_until

SEARCH = "/events/v1/aggregated/search"
EVERYTHING = {"startTimestamp": 0}


def lines_of(path):
    """The lines of an audit log; each is whole and each has the next number."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n"), text[-200:]
    return [json.loads(line) for line in text.splitlines()]


class Audited(ServerCase):
    """A server whose audit log is a file beside its data."""

    classes = "all"

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.path = cls.server.data + ".audit"
        cls.server.settings = [f"audit_log={cls.classes}", f"audit_file={cls.path}", *cls.settings]
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.key = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        cls.directory = Directory(cls.server)
        for part in (cls.rest, cls.grpc, cls.directory):
            cls.addClassCleanup(part.close)
        cls.directory.customer("acme", 10)
        cls.directory.user("jane", "acme")

    def line(self, request_id):
        """The line of a call: it was written before the answer came."""
        (line,) = [line for line in lines_of(self.path) if line["request_id"] == request_id]
        return line

    def ask(self, verb, target, body=None, key=...):
        request_id = f"audit-{uuid.uuid4()}"
        answer = self.rest.request(verb, target, body=body, key=key, headers={"X-Request-Id": request_id})
        return answer, request_id


class All(Audited):
    def test_a_key_that_is_made_and_revoked(self):
        answer, request_id = self.ask("POST", "/admin/v1/keys", {"user": "jane", "role": ["EVENT-VIEWER"], "requestsPerSecond": 7})
        self.assertEqual(answer.status, 201, answer)
        line = self.line(request_id)
        key_id = answer.data["details"]["id"]
        self.assertEqual(
            {name: line[name] for name in ("log", "class", "method", "face", "user", "peer", "result", "code", "object")},
            {"log": "audit", "class": "directory", "method": "/vigil.admin.v1.AdminService/AddKey", "face": "rest",
             "user": "admin", "peer": "127.0.0.1", "result": "OK", "code": 0, "object": key_id})
        self.assertEqual(line["key"], self.key.split("/")[0])
        self.assertEqual(line["request"], {"user": "jane", "role": ["EVENT-VIEWER"], "requestsPerSecond": 7})
        self.assertNotIn(answer.data["key"].rsplit("/", 1)[1], pathlib.Path(self.path).read_text(encoding="utf-8"))
        answer, request_id = self.ask("POST", f"/admin/v1/keys/{key_id}/revoke", {})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual((self.line(request_id)["class"], self.line(request_id)["object"]), ("directory", key_id))

    def test_a_whole_key_in_the_place_of_its_id_is_not_written_down(self):
        """Who wants a leaked key revoked has all of it at hand."""
        answer, _ = self.ask("POST", "/admin/v1/keys", {"user": "jane", "role": ["EVENT-VIEWER"]})
        whole, secret = answer.data["key"], answer.data["key"].rsplit("/", 1)[1]
        quoted = urllib.parse.quote(whole, safe="")
        seen = [self.ask("POST", f"/admin/v1/keys/{quoted}/revoke", {}), self.ask("GET", f"/admin/v1/keys/{quoted}")]
        for lost in (f"/admin/v1/keys/{whole}/revoke", f"/admin/v1/key/{quoted}", f"/?apikey={whole}&" + "x" * 900):
            self.assertEqual(self.rest.request("POST", lost, body={}).status, 404)
        for method in ("RevokeKey", "GetKey"):
            name = f"vigil.admin.v1.AdminService/{method}"
            self.assertRaises(GrpcError, self.grpc.call, name, contract.method(name).request(key=whole))
        for answer, request_id in seen:
            self.assertIn(answer.status, (404, 412), answer)
            self.assertIn(self.line(request_id)["class"], ("directory", "read"))
        for path in (self.path, self.server.log_path):
            self.assertNotIn(secret[:20], pathlib.Path(path).read_text(encoding="utf-8"), path)

    def test_a_search_is_kept_with_its_criteria(self):
        criteria = {"startTimestamp": 0, "signature": ["with \"quotes\" and ø"], "limit": 3}
        answer, request_id = self.ask("POST", SEARCH, criteria)
        self.assertEqual(answer.status, 200)
        line = self.line(request_id)
        self.assertEqual((line["class"], line["count"]), ("search", 0))
        self.assertEqual(line["request"]["signature"], criteria["signature"])
        self.assertEqual(line["request"]["limit"], 3)

    def test_the_same_by_grpc(self):
        method = contract.method("vigil.events.v1.EventService/SearchAggregated")
        request = documented_json.into_message({"startTimestamp": 0, "signature": ["by grpc"]}, method.request())
        self.grpc.call(method.full_name, request)
        line = [line for line in lines_of(self.path) if line["face"] == "grpc"][-1]
        self.assertEqual((line["class"], line["request"]), ("search", {"startTimestamp": "0", "signature": ["by grpc"]}))

    def test_what_was_refused_is_kept_too(self):
        viewer = self.directory.key("jane", ["EVENT-VIEWER"])
        answer, request_id = self.ask("POST", "/admin/v1/keys", {"user": "jane", "role": ["ADMIN"]}, key=viewer)
        self.assertEqual(answer.status, 403)
        line = self.line(request_id)
        self.assertEqual((line["class"], line["result"], line["user"]), ("directory", "ACCESS_DENIED", "jane"))
        self.assertNotIn("object", line)

    def test_who_could_not_prove_it(self):
        key_id, user, secret = self.key.split("/")
        wrong = f"{key_id}/{user}/{'x' * len(secret)}"
        for shown, told in ((wrong, key_id), (f"{secret}/1/{key_id}", None), ("nonsense", None), (None, None)):
            answer, request_id = self.ask("POST", SEARCH, EVERYTHING, key=shown)
            self.assertEqual(answer.status, 401)
            line = self.line(request_id)
            self.assertEqual((line["class"], line.get("key_shown")), ("authentication", told))
            self.assertNotIn("user", line)
        self.assertNotIn(secret, pathlib.Path(self.path).read_text(encoding="utf-8"))

    def test_submissions_are_kept_without_their_events(self):
        body = {"events": [{"id": f"AGGR/1600000000000/10/{uuid.uuid4()}", "signature": "secret text"}]}
        answer, request_id = self.ask("POST", "/events/v2/event/bulk", body)
        self.assertEqual(answer.status, 201, answer)
        line = self.line(request_id)
        self.assertEqual((line["class"], line["request"]), ("submission", None))
        self.assertEqual(line["request_bytes"], len(json.dumps(body)))

    def test_a_long_request_is_told_by_its_size(self):
        for count, kept in ((100, True), (3000, False)):
            criteria = {"startTimestamp": 0, "signature": [f"signature number {number:06}" for number in range(count)]}
            _, request_id = self.ask("POST", SEARCH, criteria)
            line = self.line(request_id)
            self.assertEqual(line["request"] is not None, kept, line)
            self.assertEqual(line.get("request_bytes"), None if kept else len(json.dumps(criteria)))

    def test_looking_at_one_thing_and_at_bytes(self):
        event = f"AGGR/1600000000000/10/{uuid.uuid4()}"
        self.rest.post("/events/v2/event", {"id": event, "signature": "s"})
        for target, name in ((f"/events/v2/event/{event}", "read"), (f"/events/v2/event/{event}/pcap", "download"),
                             (f"/events/v2/event/{event}/payload", "download")):
            _, request_id = self.ask("GET", target)
            self.assertEqual(self.line(request_id)["class"], name)
        # Who one is, is no class of its own.
        _, request_id = self.ask("GET", "/currentuser/v1/user")
        self.assertEqual([line for line in lines_of(self.path) if line["request_id"] == request_id], [])

    def test_lines_are_numbered_without_gaps(self):
        numbers = [line["sequence"] for line in lines_of(self.path)]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


class Changes(Audited):
    classes = "changes"

    def test_searches_get_no_line_and_the_file_may_be_moved_away(self):
        _, request_id = self.ask("POST", SEARCH, EVERYTHING)
        self.assertNotIn(request_id, [line["request_id"] for line in lines_of(self.path)])
        before = len(lines_of(self.path))
        self.assertGreater(before, 0)
        os.rename(self.path, self.path + ".1")
        self.directory.customer("before-the-signal", 20)
        self.assertEqual(len(lines_of(self.path + ".1")), before + 1)
        self.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: os.path.exists(self.path), what="a new file")
        _, request_id = self.ask("POST", "/admin/v1/customers", {"shortName": "behind", "id": 21, "name": "Behind"})
        self.assertEqual(self.line(request_id)["sequence"], before + 2)


class Broken(ServerCase):
    """A disk that is full stops nobody, and is told."""

    settings = ("audit_log=all", "audit_file=/dev/full")

    def test_calls_go_on_and_the_loss_is_counted(self):
        rest = Rest(self.server.port, self.server.admin_key())
        self.addCleanup(rest.close)
        self.assertEqual(rest.post(SEARCH, EVERYTHING).status, 200)
        self.assertGreater(metrics(self.server.port)["vigil_audit_lines_lost_total"], 0)
        self.assertIn("audit_line_lost", self.server.log_text())


class Start(ServerCase):
    @classmethod
    def setUpClass(cls):
        pass

    def test_what_cannot_be_kept_stops_the_start(self):
        for setting, word in (("audit_log=changes,nothing", "audit_log"), ("audit_file=/no/such/folder/audit", "/no/such/folder")):
            server = Server(settings=[setting])
            self.addCleanup(server.close)
            with self.assertRaises(StartError) as caught:
                server.start()
            self.assertIn(word, str(caught.exception))


class SlowQuestions(ServerCase):
    settings = ("slow_question_ms=1", "audit_log=off")

    def test_a_slow_search_is_logged_with_how_it_was_answered(self):
        rest = Rest(self.server.port, self.server.admin_key())
        self.addCleanup(rest.close)
        directory = Directory(self.server)
        self.addCleanup(directory.close)
        directory.customer("acme", 10)
        events = [{"id": f"AGGR/{1600000000000 + at}/10/{uuid.uuid4()}", "signature": f"s{at}",
                   "properties": {"text": f"word{at} " * 50}} for at in range(2000)]
        self.assertEqual(rest.post("/events/v2/event/bulk", {"events": events}).status, 201)

        def find():
            answer = rest.post("/events/v2/event/search", {"startTimestamp": 0, "limit": 5,
                                                           "property": [{"key": "text", "value": ["word7"], "valueSearchStrategy": "tokenized"}]})
            self.assertEqual(answer.status, 200, answer)
            lines = [json.loads(text) for text in self.server.log_text().splitlines() if '"slow_question"' in text]
            return [line for line in lines if "SearchEvents" in line["method"]]

        line = wait_until(find, deadline=60, what="a slow question")[0]
        self.assertGreaterEqual(line["us"], 1000)
        self.assertEqual((line["user"], line["reason"], line["limit"]), ("admin", "OK", 5))
        self.assertIn("word7", line["request"])
        self.assertEqual(line["rows_looked"], 2000)
        self.assertIn("us", line["questions"])
        self.assertGreater(metrics(self.server.port)["vigil_slow_questions_total"], 0)
        self.assertNotIn('"log":"audit"', self.server.log_text())


if __name__ == "__main__":
    main()
