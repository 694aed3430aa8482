"""vigil agent suricata: a file that grows and is rotated, an agent that is killed fifty times, and a server that goes away and
comes back: every alert is stored exactly once.
"""
import collections
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import threading

from vigiltest.case import ServerCase, main
from vigiltest.clients import Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, wait_until

VIGIL = os.environ.get("VIGIL", "")
SEARCH = "/events/v2/event/search"
KILLS = 15 if IS_SANITIZED else 50
DEADLINE = 60


def alert(number):
    return json.dumps({
        "timestamp": f"2026-11-22T10:00:00.{number % 1_000_000:06}+0000", "event_type": "alert", "proto": "TCP",
        "src_ip": "192.0.2.1", "src_port": 1024 + number % 60000, "dest_ip": "198.51.100.7", "dest_port": 443,
        "alert": {"gid": 1, "signature_id": number, "rev": 1, "signature": "made", "category": "made", "severity": 2}})


class Agent(ServerCase):
    settings = ("access_log=off",)

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("sensor", 1001)
        directory.user("agent", "sensor")
        cls.key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"], ["sensor"])
        cls.slow_key = directory.key("agent", ["EVENT-SUBMITTER"], ["sensor"], eventsPerSecond=1000)
        directory.close()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "eve.json"
        self.agents = []
        self.addCleanup(self.stop_all)

    def stop_all(self):
        for agent in self.agents:
            agent.kill()
            agent.wait()

    def agent(self, *words, key=None, server=None, before=()):
        """What it says goes to the end of the file `said`."""
        server = server or f"127.0.0.1:{self.server.port}"
        with open(self.folder / "said", "ab") as said:
            process = subprocess.Popen([*before, VIGIL, "--server", server, "agent", "suricata", str(self.file), *words],
                                       env={**os.environ, "VIGIL_API_KEY": key or self.key}, stderr=said)
        self.agents.append(process)
        return process

    def said(self):
        return (self.folder / "said").read_text(encoding="utf-8")

    def write(self, text):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(text)

    def stored(self, first, last):
        """How often each alert of that range is stored."""
        rest = Rest(self.server.port, self.key)
        try:
            answer = rest.post(SEARCH, {"limit": 0})
        finally:
            rest.close()
        self.assertEqual(answer.status, 200, answer)
        numbers = [int(row["signature"]["name"].split(":")[1]) for row in answer.data]
        return collections.Counter(number for number in numbers if first <= number < last)

    def test_to_the_end_of_the_file(self):
        first, count = 100_000, 2500
        self.write("".join(alert(first + i) + "\n" for i in range(count)) + '{"event_type":"flow"}\nnonsense\n')
        self.assertEqual(self.agent().wait(DEADLINE), 1, "a line was left out")
        self.write(alert(first + count) + "\n" + alert(first + count) + "\n" + alert(first + count + 1)[:40])
        self.assertEqual(self.agent().wait(DEADLINE), 0)
        self.write(alert(first + count + 1)[40:] + "\n")
        self.assertEqual(self.agent().wait(DEADLINE), 0)
        wanted = collections.Counter({first + i: 1 for i in range(count + 2)})
        wanted[first + count] = 2
        self.assertEqual(self.stored(first, first + count + 10), wanted)

    def probes(self, agent):
        """Of each connection of the agent: does the timer of keep-alive run?"""
        own = {os.readlink(entry.path) for entry in os.scandir(f"/proc/{agent.pid}/fd")}
        with open(f"/proc/{agent.pid}/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return [row[5].startswith("02:") for row in rows if f"socket:[{row[9]}]" in own]

    def test_what_is_rejected_is_told_and_left_out(self):
        self.write(alert(150_000) + "\n")
        self.assertEqual(self.agent("--location", "nowhere").wait(DEADLINE), 1)
        self.assertIn("event 1 was rejected", self.said())
        self.assertEqual(self.agent().wait(DEADLINE), 0, "it has had its turn")
        self.assertEqual(self.stored(150_000, 150_001), {})

    def test_a_batch_that_is_too_large_for_the_server_ends_it(self):
        """It would be the next time, too."""
        own = type(self.server)(settings=("grpc_message_bytes_max=4KiB",))
        self.addCleanup(own.close)
        own.start()
        self.write("".join(alert(i) + "\n" for i in range(100)))
        agent = self.agent(key=own.admin_key(), server=f"127.0.0.1:{own.port}")
        self.assertEqual(agent.wait(DEADLINE), 1)
        self.assertIn("too large", self.said())

    def test_trouble_is_told_once_and_its_end_too(self):
        self.write(alert(160_000) + "\n")
        agent, port = self.agent("--follow"), self.server.port
        wait_until(lambda: self.stored(160_000, 160_001), what="the first is stored")
        self.server.kill()
        self.write(alert(160_001) + "\n")
        wait_until(lambda: "trying again" in self.said(), DEADLINE, "the trouble is told")
        self.server.start(port)
        wait_until(lambda: "the server answers again" in self.said(), DEADLINE, "the end of it is told")
        wait_until(lambda: self.stored(160_001, 160_002), what="the second is stored")
        agent.terminate()
        self.assertEqual(agent.wait(DEADLINE), 0)
        self.assertEqual(self.said().count("trying again"), 1, self.said())

    def test_a_name_that_cannot_be_looked_up_now_is_tried_again(self):
        """As on a machine that starts before its network does."""
        apart = ("unshare", "--user", "--net")
        if subprocess.run([*apart, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print("SKIP: unshare may not make a network of its own here", flush=True)
            self.skipTest("no network of its own")
        agent = self.agent("--follow", server="vigil.example.org:8080", before=apart)
        wait_until(lambda: self.said().count("cannot connect") > 1, DEADLINE, "the agent tries again")
        agent.terminate()
        self.assertEqual(agent.wait(DEADLINE), 0)

    def test_sigterm_ends_it_well(self):
        self.write(alert(200_000) + "\n")
        agent = self.agent("--follow")
        wait_until(lambda: self.stored(200_000, 200_001), what="the alert is stored")
        wait_until(lambda: self.probes(agent) == [True], what="TCP looks after the idle connection")
        agent.terminate()
        self.assertEqual(agent.wait(DEADLINE), 0)

    def test_waits_as_long_as_the_server_asks_for(self):
        """Of two batches at once the second is told to come in a second: with pauses of its own the agent would ask four times."""
        first, count = 10_000, 2000
        self.write("".join(alert(first + i) + "\n" for i in range(count)))
        before = self.refused()
        self.assertEqual(self.agent(key=self.slow_key).wait(DEADLINE), 0)
        self.assertEqual(len(self.stored(first, first + count)), count)
        self.assertLessEqual(self.refused() - before, 2)

    def refused(self):
        return metrics(self.server.port).get('grpc_server_handled_total{grpc_type="bidi_stream",grpc_service="vigil.events.v2.EventStream",'
                                             'grpc_method="Submit",grpc_code="ResourceExhausted"}', 0)

    def test_truncated_in_place(self):
        agent = self.agent("--follow")
        self.write("".join(alert(300_000 + i) + "\n" for i in range(10)))
        wait_until(lambda: len(self.stored(300_000, 301_000)) == 10, what="the first alerts are stored")
        os.truncate(self.file, 0)
        self.write(alert(300_010) + "\n")
        wait_until(lambda: len(self.stored(300_000, 301_000)) == 11, what="what came after is stored")
        agent.kill()

    def test_kills_rotations_and_restarts(self):
        first, wanted, over = 400_000, collections.Counter(), threading.Event()
        chance = random.Random(50)
        # Which file it has begun with is known from its first answer on.
        self.write(alert(first + 1) + "\n")
        wanted[first + 1] = 1
        agent = self.agent("--follow")
        wait_until(pathlib.Path(str(self.file) + ".vigil-state").exists, DEADLINE, "the place is kept")
        agent.kill()
        agent.wait()

        def grow():
            number, rotation = first + 2, 0
            while not over.is_set():
                lines = []
                for _ in range(chance.randrange(1, 40)):
                    times = 2 if number % 10 == 0 else 1
                    lines += [alert(number) + "\n"] * times
                    wanted[number] = times
                    number += 1
                text = "".join(lines)
                cut = chance.randrange(len(text))
                self.write(text[:cut])
                self.write(text[cut:])
                if chance.random() < 0.02:
                    rotation += 1
                    self.file.rename(self.folder / f"eve.json.{rotation}")
                over.wait(0.02)

        port = self.server.port
        writer = threading.Thread(target=grow)
        writer.start()
        try:
            for kill in range(KILLS):
                agent = self.agent("--follow")
                over.wait(chance.random() * 0.25)
                agent.send_signal(signal.SIGKILL)
                agent.wait()
                if kill % 20 == 10:
                    self.server.kill()
                    self.server.start(port)
        finally:
            over.set()
            writer.join()
        self.agent("--follow")
        wait_until(lambda: sum(self.stored(first, first + 10**6).values()) >= sum(wanted.values()), DEADLINE, "all is stored")
        self.assertEqual(self.stored(first, first + 10**6), wanted)
        self.assertGreater(len(wanted), KILLS)


if __name__ == "__main__":
    main()
