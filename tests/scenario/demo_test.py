"""vigild --demo: what it fills and prints, as a new user would use it; the second start; a store that is somebody's."""
import json
import os
import re
import selectors
import shlex
import stat
import subprocess
import time
import unittest

from vigiltest.case import main
from vigiltest.clients import Rest
from vigiltest.directory import Directory
from vigiltest.process import START_DEADLINE, Server

ALERTS = 320


class Demo(unittest.TestCase):
    def setUp(self):
        self.server = Server(demo=True)
        self.addCleanup(self.server.close)

    def start(self, until="event search"):
        """Start and read what it prints, up to the line that has `until`."""
        self.server.launch()
        said = b""
        end = time.monotonic() + START_DEADLINE
        with selectors.DefaultSelector() as selector:
            selector.register(self.server.process.stdout, selectors.EVENT_READ)
            # The ready line and the demo's may come in one piece, so that both are read here.
            while not (until.encode() in said and said.endswith(b"\n")) and selector.select(max(0, end - time.monotonic())):
                piece = os.read(self.server.process.stdout.fileno(), 4096)
                if not piece:
                    break
                said += piece
        if until.encode() not in said:
            self.fail(f"{until!r} was not printed: {said!r} {self.server.log_tail()}")
        self.server.port = int(re.search(r"ready on \S+:(\d+)", said.decode()).group(1))
        return said.decode().splitlines()

    @staticmethod
    def line(said, word):
        return next(line.strip() for line in said if word in line)

    def run_line(self, line):
        run = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=START_DEADLINE, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def check_lines(self, said):
        """Both lines, pasted as they are, show three events; the same ones."""
        answer = json.loads(self.run_line(self.line(said, "curl ")))
        self.assertEqual((answer["responseCode"], answer["size"], answer["count"]), (200, 3, ALERTS + 1))
        shown = self.run_line(self.line(said, " event search"))
        self.assertEqual(re.findall(r"AGGR/\S+", shown), [row["id"] for row in answer["data"]])
        return re.search(r"Argus-API-Key: ([^']+)'", self.line(said, "curl ")).group(1)

    def test_a_new_user_s_way(self):
        key = self.check_lines(self.start())
        for name in ("demo.key", "collector.key"):
            mode = stat.S_IMODE(os.stat(os.path.join(self.server.data, name)).st_mode)
            self.assertEqual(mode, 0o600, name)
        rest = Rest(self.server.port, key)
        self.addCleanup(rest.close)
        rows = rest.post("/events/v1/aggregated/search", {"startTimestamp": "-4 days", "endTimestamp": "now", "limit": 0}).data
        self.assertEqual(len(rows), ALERTS + 1, "all of them lie in the last days")
        self.assertTrue(all(row["attackInfo"]["alarmDescription"] for row in rows), "every signature has its alarm")
        self.assertEqual({row["location"]["shortName"] for row in rows}, {"demo-site"})
        self.assertEqual([row["associatedCase"]["id"] for row in rows if row["associatedCase"]], [1001])
        self.assertGreater(len({row["severity"] for row in rows}), 3)

    def test_the_second_start_changes_nothing_and_the_key_is_the_same(self):
        key = self.check_lines(self.start())
        rest = Rest(self.server.port, key)
        criteria = {"startTimestamp": "-90 days", "limit": 0}
        before = rest.post("/events/v1/aggregated/search", criteria).data
        rest.close()
        self.server.stop()
        self.assertEqual(self.check_lines(self.start()), key)
        rest = Rest(self.server.port, key)
        self.addCleanup(rest.close)
        self.assertEqual(rest.post("/events/v1/aggregated/search", criteria).data, before)

    def test_a_fill_that_was_cut_short_is_completed(self):
        self.start()
        self.server.kill()
        os.unlink(os.path.join(self.server.data, "demo.key"))
        self.check_lines(self.start())

    def test_a_store_that_is_somebody_s_is_left_alone(self):
        self.server.demo = False
        self.server.start()
        directory = Directory(self.server)
        directory.customer("acme", 77)
        directory.close()
        self.server.stop()
        self.server.demo = True
        self.start(until="no demo data were added")
        directory = Directory(self.server)
        self.addCleanup(directory.close)
        self.assertEqual(directory.rest.get("/admin/v1/customers/demo").status, 404)
        self.assertEqual(os.path.exists(os.path.join(self.server.data, "demo.key")), False)


if __name__ == "__main__":
    main()
