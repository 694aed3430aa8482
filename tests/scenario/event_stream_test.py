"""EventStream.Submit with an agent that knows nothing but the .proto files: it names its stream, is told where to go on, and
sends. However often its connection or the server breaks, every event is stored exactly once.
"""
import contextlib
import json
import os
import pathlib
import queue
import random
import select
import subprocess
import sys
import tempfile

import grpc

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED

SUBMIT = "vigil.events.v2.EventStream/Submit"
SEARCH = "/events/v2/event/search"
CUSTOMER = 1001
DEADLINE = 60
AGENT = str(pathlib.Path(__file__).resolve().parents[1] / "support/python/stream_agent.py")
KILLS = 12 if IS_SANITIZED else 50
SERVER_EVERY = 4 if IS_SANITIZED else 12  # kills of the agent for each of the server
STEP = 300 if IS_SANITIZED else 600  # events sent or acknowledged before a kill, at most


class Agent:
    """One connection and one call of EventStream.Submit."""

    def __init__(self, port, key, name):
        self.grpc = Grpc(port, key)
        self.method = contract.method(SUBMIT)
        self.asked = queue.Queue(maxsize=500)
        self.ended = False
        stub = self.grpc.channel.stream_stream("/" + SUBMIT, request_serializer=lambda request: request.SerializeToString(),
                                               response_deserializer=self.method.answer.FromString)
        self.answers = stub(self.requests(), metadata=self.grpc.metadata(key), timeout=DEADLINE)
        if name is not None:
            self.ask(stream=name)

    def requests(self):
        while not self.ended:
            try:
                request = self.asked.get(timeout=0.1)
            except queue.Empty:
                continue
            if request is None:
                return
            yield request

    def ask(self, stream=None, position=None, events=()):
        document = {name: value for name, value in (("stream", stream), ("position", position)) if value is not None}
        request = documented_json.into_message(document, self.method.request())
        for event in events:
            documented_json.into_message(event, request.events.add())
        self.asked.put(request)

    def hear(self):
        """The next answer."""
        try:
            return next(self.answers)
        except grpc.RpcError as error:
            raise GrpcError(error) from None

    def hear_until(self, position):
        """Answers until that position is durable; what was rejected meanwhile."""
        rejected = []
        while True:
            answer = self.hear()
            rejected += answer.rejected
            if answer.position >= position:
                return [(row.position, row.field, row.message) for row in rejected]

    def end(self):
        self.asked.put(None)
        rest = list(self.answers)
        self.close()
        return rest

    def close(self):
        self.ended = True
        self.answers.cancel()
        self.grpc.close()


def event(mark, number):
    """Without an identity of its own: sent twice it would be two events."""
    return {"signature": mark, "properties": {"number": str(number)}}


def stored(port, key, mark):
    """The numbers of the stored events of `mark`, sorted."""
    rest = Rest(port, key)
    answer = rest.post(SEARCH, {"attack": [{"signature": [mark]}], "limit": 0, "includeAllProperties": True})
    rest.close()
    if answer.status != 200:
        raise AssertionError(answer)
    return sorted(int(entry["values"][0]) for row in answer.data for entry in row["properties"] if entry["key"] == "number")


class EventStream(ServerCase):
    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("stream", CUSTOMER)
        directory.customer("other", CUSTOMER + 1)
        directory.user("agent", "stream")
        directory.user("reader", "stream")
        cls.key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"], ["stream"])
        cls.viewer = directory.key("reader", ["EVENT-VIEWER"], ["stream"])
        cls.directory = directory

    def agent(self, name, key=None):
        agent = Agent(self.server.port, key or self.key, name)
        self.addCleanup(agent.close)
        return agent

    def stored(self, mark):
        """The numbers of the stored events of `mark`, sorted."""
        return stored(self.server.port, self.key, mark)

    def assert_fails(self, agent, code, field=None):
        with self.assertRaises(GrpcError) as raised:
            while True:
                agent.hear()
        self.assertEqual(raised.exception.code, code)
        if field is not None:
            self.assertEqual(raised.exception.fields, [field])
        return raised.exception

    def test_answers_name_what_is_durable(self):
        agent = self.agent("plain")
        self.assertEqual(agent.hear().position, 0)
        position = 1
        for count in (1, 1, 10, 1000, 2500, 1):
            agent.ask(position=position, events=[event("plain", position + i) for i in range(count)])
            position += count
            self.assertEqual(agent.hear_until(position - 1), [])
            self.assertEqual(self.stored("plain"), list(range(1, position)), "durable means visible too")
        self.assertEqual(agent.end(), [])
        again = self.agent("plain")
        self.assertEqual(again.hear().position, position - 1)

    def test_what_is_stored_already_is_passed_over(self):
        agent = self.agent("again")
        agent.hear()
        agent.ask(position=1, events=[event("again", number) for number in (1, 2, 3)])
        agent.hear_until(3)
        agent.ask(position=2, events=[event("again", number) for number in (2, 3, 4)])
        agent.hear_until(4)
        self.assertEqual(self.stored("again"), [1, 2, 3, 4])

    def test_a_gap_is_refused(self):
        agent = self.agent("gap")
        agent.hear()
        agent.ask(position=1, events=[event("gap", 1)])
        agent.hear_until(1)
        agent.ask(position=3, events=[event("gap", 3)])
        self.assert_fails(agent, "INVALID_ARGUMENT", "position")
        self.assertEqual(self.stored("gap"), [1])

    def test_a_new_stream_may_begin_anywhere(self):
        agent = self.agent("late")
        self.assertEqual(agent.hear().position, 0)
        agent.ask(position=5000, events=[event("late", 5000)])
        agent.hear_until(5000)
        self.assertEqual(self.agent("late").hear().position, 5000)

    def test_invalid_events_are_rejected_one_by_one(self):
        agent = self.agent("invalid")
        agent.hear()
        agent.ask(position=1, events=[event("invalid", 1), {**event("invalid", 2), "count": 0}, event("invalid", 3),
                                      {**event("invalid", 4), "id": {"customer": "other"}},
                                      {**event("invalid", 5), "source": {"ip": "300.1.1.1"}}, event("invalid", 6)])
        rejected = agent.hear_until(6)
        self.assertEqual([row[0] for row in rejected], [2, 4, 5])
        self.assertEqual([row[1] for row in rejected], ["count", "id.customer", "source.ip"])
        self.assertTrue(all(row[2] for row in rejected))
        self.assertEqual(self.stored("invalid"), [1, 3, 6])
        self.assertEqual(self.agent("invalid").hear().position, 6)

    def test_nothing_but_rejected_events_moves_on_too(self):
        agent = self.agent("none")
        agent.hear()
        agent.ask(position=1, events=[{**event("none", 1), "count": 0}])
        self.assertEqual([row[0] for row in agent.hear_until(1)], [1])
        agent.end()
        self.assertEqual(self.agent("none").hear().position, 1)

    def test_the_first_message_names_the_stream(self):
        agent = self.agent(None)
        agent.ask(position=1, events=[event("nameless", 1)])
        self.assert_fails(agent, "INVALID_ARGUMENT", "stream")
        self.assertEqual(self.stored("nameless"), [])

    def test_a_name_has_its_length(self):
        agent = self.agent("n" * 256)
        self.assertEqual(agent.hear().position, 0)
        agent.ask(position=1, events=[event("long name", 1)])
        agent.hear_until(1)
        self.assertEqual(self.agent("n" * 255 + "m").hear().position, 0, "another name, another stream")
        for size in (257, 5000):
            self.assert_fails(self.agent("n" * size), "INVALID_ARGUMENT", "stream")

    def test_a_name_with_events_in_one_message(self):
        agent = self.agent(None)
        agent.ask(stream="both", position=1, events=[event("both", 1), event("both", 2)])
        self.assertEqual(agent.hear().position, 0)
        agent.hear_until(2)
        self.assertEqual(self.stored("both"), [1, 2])

    def test_two_connections_of_one_name_store_nothing_twice(self):
        one, two = self.agent("both ends"), self.agent("both ends")
        self.assertEqual((one.hear().position, two.hear().position), (0, 0))
        one.ask(position=1, events=[event("twins", 1), event("twins", 2)])
        one.hear_until(2)
        two.ask(position=1, events=[event("twins", 1), event("twins", 2)])
        self.assert_fails(two, "ABORTED")
        one.ask(position=3, events=[event("twins", 3)])
        one.hear_until(3)
        self.assertEqual(self.stored("twins"), [1, 2, 3])

    def test_streams_of_two_users_never_meet(self):
        self.directory.user("second", "stream")
        second = self.directory.key("second", ["EVENT-SUBMITTER"], ["stream"])
        mine = self.agent("shared name")
        mine.hear()
        mine.ask(position=1, events=[event("shared", 1)])
        mine.hear_until(1)
        self.assertEqual(self.agent("shared name", second).hear().position, 0)

    def test_permission_and_key(self):
        self.assert_fails(self.agent("viewer", self.viewer), "PERMISSION_DENIED")
        self.assert_fails(self.agent("stranger", "nobody/1/secret"), "UNAUTHENTICATED")


class Process:
    """An agent of its own: tests/support/python/stream_agent.py. It has started, and begins when it is told to."""

    def __init__(self, port, key, spool, follow=True):
        words = [sys.executable, "-B", AGENT, f"127.0.0.1:{port}", "spooled", spool] + (["--follow"] if follow else [])
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "VIGIL_API_KEY": key})
        self.said = b""

    def begin(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def hear(self):
        """What it says next, and the position it says it of; None at its end."""
        while b"\n" not in self.said:
            if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
                raise AssertionError(f"the agent says nothing for {DEADLINE} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                return None
            self.said += piece
        line, _, self.said = self.said.partition(b"\n")
        words = line.decode().split()
        if words[0] == "rejected":
            raise AssertionError(words)
        return words[0], int(words[1]) if words[1].isdigit() else words[1]

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(DEADLINE)

    def kill(self):
        self.process.kill()
        self.end()


class Spool:
    """Events as lines, the number of each is that of its line."""

    def __init__(self, path):
        self.path = path
        self.lines = 0
        self.half = b""
        self.grow(1)

    def grow(self, lines, with_half=False):
        """To at least so many whole lines; half a line more, of which the rest comes the next time."""
        with open(self.path, "ab") as file:
            while self.lines < lines:
                self.lines += 1
                file.write(self.line(self.lines)[len(self.half):])
                self.half = b""
            if with_half and not self.half:
                line = self.line(self.lines + 1)
                self.half = line[:len(line) // 2]
                file.write(self.half)

    @staticmethod
    def line(number):
        return json.dumps({"signature": "spooled", "number": number}).encode() + b"\n"


class Kills(ServerCase):
    """An agent that is killed in the midst of sending, again and again, and a server that is killed and told to stop: every
    event of the spool is stored once. When is a matter of what was said by then, not of time."""

    settings = ("access_log=off",)

    def start_agent(self, **options):
        agent = Process(self.server.port, self.key, self.spool.path, **options)
        self.addCleanup(lambda: agent.process.poll() is None and agent.kill())
        return agent

    def hear(self, agent):
        """What the agent says next; what it was told is never less than what was acknowledged before."""
        heard = agent.hear()
        if heard is not None and heard[0] in ("told", "acknowledged"):
            self.assertGreaterEqual(heard[1], self.durable, "what was acknowledged stays")
            self.durable = heard[1]
        return heard

    def hear_until(self, agent, word, position):
        """Whenever it is told where to go on there is more than a step to send."""
        while True:
            heard = self.hear(agent)
            self.assertIsNotNone(heard, f"the agent has ended: {agent.process.poll()}")
            if heard[0] == "told":
                self.spool.grow(heard[1] + 2 * STEP, with_half=self.chance.random() < 0.5)
            if heard[0] == word and heard[1] >= position:
                return heard[1]

    def break_server(self, kills):
        port = self.server.port
        if kills:
            self.server.kill()
        else:
            self.server.terminate()
            self.assertEqual(self.server.wait_exit(), 0)
        self.server.start(port)

    def test_every_event_of_the_spool_is_stored_once(self):
        directory = Directory(self.server)
        directory.customer("stream", CUSTOMER)
        directory.user("agent", "stream")
        self.key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"], ["stream"])
        directory.close()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.spool = Spool(os.path.join(folder.name, "spool"))
        self.durable = 0
        self.chance = chance = random.Random(50)
        waiting = [self.start_agent() for _ in range(2)]
        for kill in range(KILLS):
            agent = waiting.pop(0)
            waiting.append(self.start_agent())
            agent.begin()
            told = self.hear_until(agent, "told", 0)
            if kill % SERVER_EVERY == SERVER_EVERY // 2:
                self.hear_until(agent, chance.choice(("sent", "acknowledged")), told + chance.randrange(1, STEP))
                self.break_server(kills=kill % (2 * SERVER_EVERY) < SERVER_EVERY)
                told = self.hear_until(agent, "told", 0)
            word = chance.choice(("told", "sent", "sent", "acknowledged", "acknowledged"))
            if word != "told":
                self.hear_until(agent, word, told + chance.randrange(1, STEP))
            agent.kill()
        for agent in waiting:
            agent.kill()
        self.spool.grow(self.spool.lines + 1)
        last = self.start_agent(follow=False)
        last.begin()
        while self.hear(last) is not None:
            pass
        self.assertEqual(last.end(), 0)
        self.assertEqual(self.durable, self.spool.lines)
        self.assertEqual(stored(self.server.port, self.key, "spooled"), list(range(1, self.spool.lines + 1)))


if __name__ == "__main__":
    main()
