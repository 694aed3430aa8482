"""Starting, the first key, settings, what is refused at start, two processes on one directory, and the demo."""
import http.client
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from vigiltest import process
from vigiltest.case import main
from vigiltest.clients import Rest
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, Server, StartError, wait_until

SESSION = "/authentication/v1/session"


def run(*words, deadline=20):
    """vigild with these words, which has to end by itself."""
    return subprocess.run([process.PROGRAM, *words], capture_output=True, text=True, timeout=deadline, check=False)


class Boot(unittest.TestCase):
    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def test_the_first_start_writes_a_key_for_the_owner_alone(self):
        server = self.server().start()
        path = pathlib.Path(server.data) / "admin.key"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        key = server.admin_key()
        self.assertRegex(key, r"^[^/]+/\d+/[^/]+$")
        self.assertEqual(Rest(server.port, key).get(SESSION).status, 200)
        server.restart()
        self.assertEqual(server.admin_key(), key, "a second start leaves it alone")
        self.assertEqual(Rest(server.port, key).get(SESSION).status, 200)

    def test_no_secret_is_stored_or_logged(self):
        server = self.server().start()
        directory = Directory(server)
        self.addCleanup(directory.close)
        directory.customer("acme", 1001)
        directory.user("agent", "acme")
        key = directory.key("agent", ["EVENT-VIEWER"])
        self.assertEqual(Rest(server.port, key).get(SESSION).status, 200)
        self.assertEqual(Rest(server.port, key + "x").get(SESSION).status, 401)
        server.stop()
        for secret in (key.split("/")[2], server.admin_key().split("/")[2]):
            self.assertNotIn(secret, server.log_text())
            for path in pathlib.Path(server.data).rglob("*"):
                if path.is_file() and path.name != "admin.key":
                    self.assertNotIn(secret.encode(), path.read_bytes(), path)

    def test_both_signals_end_it_with_exit_code_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.server().start()
            server.process.send_signal(number)
            self.assertEqual(server.wait_exit(), 0)

    def test_columns_are_rebuilt_from_the_records(self):
        """Missing, damaged, or whole: a search finds the same events in the same order."""
        server = self.server().start()
        rest = Rest(server.port, server.admin_key())
        for part in range(3):  # more than one batch of the rebuild
            events = [{"id": {"timestamp": 1000 * part + at}, "signature": f"S{at % 7}", "properties": {"n": str(at)}}
                      for at in range(700)]
            self.assertEqual(rest.post("/events/v2/event/bulk", {"events": events}).data["accepted"], 700)
        criteria = {"startTimestamp": 0, "signature": ["S3"], "limit": 1000}
        found = rest.post("/events/v1/aggregated/search", criteria).data
        self.assertEqual(len(found), 300)
        server.stop()
        for damage in ("none", "missing", "cut"):
            for path in sorted((pathlib.Path(server.data) / "table").rglob("*")):
                if damage == "missing":
                    path.unlink()
                elif damage == "cut":
                    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
            server.start()
            rest = Rest(server.port, server.admin_key())
            self.assertEqual(rest.post("/events/v1/aggregated/search", criteria).data, found, damage)
            server.stop()
            started = [json.loads(line) for line in server.log_text().splitlines() if '"table_started"' in line][-1]
            self.assertEqual(started["rebuilt"], damage != "none", started)

    def test_a_rebuild_ends_when_it_is_told_to(self):
        """SIGTERM while columns are rebuilt: exit code 0 at once, nothing is damaged, the next start rebuilds them."""
        server = self.server().start()
        rest = Rest(server.port, server.admin_key(), timeout=120)
        count = 20_000
        for first in range(0, count, 10_000):
            events = [{"id": {"timestamp": first + at}, "signature": f"S{at % 7}", "properties": {"n": str(at)}}
                      for at in range(10_000)]
            self.assertEqual(rest.post("/events/v2/event/bulk", {"events": events}).data["accepted"], 10_000)
        rest.close()
        server.stop()

        def started():
            return [json.loads(line) for line in server.log_text().splitlines() if '"table_started"' in line]

        def listens():
            try:
                socket.create_connection(("127.0.0.1", server.port)).close()
                return True
            except ConnectionRefusedError:
                return False

        interrupted = 0
        for _ in range(5):  # the machine may be so fast, or so slow, that it was over
            for path in (pathlib.Path(server.data) / "table").rglob("*"):
                path.unlink()
            before = len(started())
            server.launch(server.port)
            wait_until(listens, what="the listener")
            server.terminate()
            self.assertEqual(server.wait_exit(), 0)
            interrupted += len(started()) == before
        self.assertGreater(interrupted, 0)
        server.start()
        told = started()[-1]
        self.assertEqual((told["rebuilt"], told["rows"]), (True, count))
        rest = Rest(server.port, server.admin_key())
        found = rest.post("/events/v1/aggregated/search", {"startTimestamp": 0, "signature": ["S3"], "limit": 1})
        self.assertEqual(found.json["count"], 2 * len(range(3, 10_000, 7)))
        rest.close()
        server.stop()

    def test_everything_is_there_after_a_restart(self):
        server = self.server().start()
        directory = Directory(server)
        directory.customer("acme", 1001, name="Äcme")
        directory.user("agent", "acme", timeZone="Europe/Oslo")
        key = directory.key("agent", ["EVENT-SUBMITTER", "EVENT-VIEWER"])
        directory.close()
        rest = Rest(server.port, key)
        event_id = rest.post("/events/v2/event", {"signature": "kept", "count": 3}).data["id"]
        event = rest.get("/events/v1/" + event_id).data
        rest.close()
        server.restart()
        rest = Rest(server.port, key)
        self.addCleanup(rest.close)
        self.assertEqual(rest.get("/events/v1/" + event_id).data, event)
        found = rest.post("/events/v1/aggregated/search", {"startTimestamp": 0, "signature": ["kept"]})
        self.assertEqual([row["id"] for row in found.data], [event_id])

    def test_a_second_process_on_the_directory_is_told_so(self):
        server = self.server().start()
        other = run("--data", server.data, "--listen", "127.0.0.1:0")
        self.assertEqual(other.returncode, 1)
        self.assertIn("another process uses the data directory", other.stderr)
        self.assertEqual(other.stdout, "")
        self.assertEqual(Rest(server.port, server.admin_key()).get(SESSION).status, 200)

    def test_a_port_in_use_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = self.server()
            with self.assertRaises(StartError):
                server.start(port)
            self.assertIn(str(port), server.log_text())

    def test_plain_text_beyond_loopback_needs_to_be_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            refused = run("--data", folder + "/data", "--listen", "0.0.0.0:0")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("insecure", refused.stderr)
        server = self.server()
        server.launch()
        server.kill()
        server.process = subprocess.Popen([process.PROGRAM, "--data", server.data, "--listen", "0.0.0.0:0", "--insecure"],
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        server.wait_ready()
        self.assertEqual(Rest(server.port, server.admin_key()).get(SESSION).status, 200)

    def test_wrong_words_are_2_with_a_reason(self):
        for words in (("--nothing",), ("--set",), ("--set", "nosuch=1"), ("--set", "workers=x"), ("--set", "workers=65"),
                      ("--set", "workers"), ("--config", "/does/not/exist"), ("stray",)):
            with self.subTest(words=words), tempfile.TemporaryDirectory() as folder:
                result = run("--data", folder + "/data", *words)
                self.assertEqual(result.returncode, 2, result)
                self.assertTrue(result.stderr.startswith("vigild: "), result)
                self.assertFalse(os.path.exists(folder + "/data/admin.key"))

    def test_an_address_that_is_none_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            for address in ("nowhere", "127.0.0.1:99999", "127.0.0.1:x", "256.1.1.1:0"):
                result = run("--data", folder + "/data", "--listen", address)
                self.assertNotEqual(result.returncode, 0, result)
                self.assertIn(address.split(":")[0], result.stderr)

    def test_settings_by_file_and_by_word(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"header_timeout_ms": "250ms", "bulk_events_max": 3, "compression": True}, file)
            file.flush()
            server = self.server()
            server.launch()
            server.kill()
            command = [*server.command(), "--config", file.name, "--set", "bulk_events_max=2"]
            server.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            server.wait_ready()
            rest = Rest(server.port, server.admin_key())
            self.addCleanup(rest.close)
            self.assertEqual(rest.post("/events/v2/event/bulk", {"events": [{}, {}]}).status, 201)
            self.assertGreaterEqual(rest.post("/events/v2/event/bulk", {"events": [{}, {}, {}]}).status, 412)

    def test_the_soft_limit_of_open_files_is_raised(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        server = self.server(settings=["connections_max=100", "open_files_max=200", "workers=3"])
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
            server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
        soft, hard = re.search(r"^Max open files +(\d+) +(\d+)", limits, re.MULTILINE).groups()
        self.assertEqual(int(hard), before[1])
        self.assertEqual(int(soft), min(before[1], 100 + 200 + 3 * 512 + 1024), "what the settings need, not more")

    def test_a_broken_configuration_is_told_with_its_place(self):
        for text in ("{", "[]", '{"workers": []}', '{"nosuch": 1}', '{"workers": "many"}'):
            with self.subTest(text=text), tempfile.NamedTemporaryFile("w") as file:
                file.write(text)
                file.flush()
                result = run("--config", file.name, "--data", "/nonexistent/vigil")
                self.assertEqual(result.returncode, 2, result)
                self.assertTrue(result.stderr.startswith("vigild: "), result)

    def test_version_help_and_settings(self):
        self.assertRegex(run("--version").stdout, r"^vigild \d+\.\d+\.\d+\n$")
        self.assertIn("--data DIR", run("--help").stdout)
        listed = run("--settings").stdout
        for name in ("workers", "write_buffer_bytes", "grpc_message_bytes_max", "drain_timeout_ms"):
            self.assertIn(name, listed)

    def test_a_damaged_store_is_told(self):
        server = self.server().start()
        server.stop()
        names = sorted(pathlib.Path(server.data).rglob("CURRENT"))
        self.assertTrue(names, "a LevelDB lies in the directory")
        names[0].write_text("MANIFEST-999999\n")
        with self.assertRaises(StartError):
            server.start()
        self.assertIn("vigild: ", server.log_text())

    def test_probes_while_it_serves(self):
        server = self.server().start()
        for path, text in (("/healthz", b"ok"), ("/readyz", b"ready")):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read().strip()), (200, text))
            connection.close()


class Demo(unittest.TestCase):
    def read_until(self, server, pattern):
        """What the server prints behind its ready line, up to the pattern."""
        text = ""
        end = time.monotonic() + 30
        while not re.search(pattern, text):
            self.assertLess(time.monotonic(), end, text)
            if select.select([server.process.stdout], [], [], 1)[0]:
                text += os.read(server.process.stdout.fileno(), 4096).decode()
        return text

    def test_the_printed_curl_line_works_and_a_second_start_has_the_same_events(self):
        server = Server(demo=True)
        self.addCleanup(server.close)
        server.start()
        text = self.read_until(server, r"curl [^\n]*\n")
        line = re.search(r"(curl [^\n]*)\n", text)[1]
        shown = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, check=True,
                               cwd=os.path.dirname(server.data)).stdout
        document = json.loads(shown[shown.index("{"):])
        self.assertEqual(document["responseCode"], 200)
        self.assertGreater(document["count"], 100, "a few hundred alerts")
        begun = time.monotonic()
        server.restart()
        print(f"the second start took {time.monotonic() - begun:.1f} s", flush=True)
        again = Rest(server.port, server.admin_key())
        self.addCleanup(again.close)
        counted = again.post("/events/v1/aggregated/search", {"startTimestamp": 0, "limit": 1}).json["count"]
        self.assertGreaterEqual(counted, document["count"])
        server.restart()
        again.close()
        again = Rest(server.port, server.admin_key())
        self.assertEqual(again.post("/events/v1/aggregated/search", {"startTimestamp": 0, "limit": 1}).json["count"],
                         counted, "another start adds nothing")
        again.close()
        if not IS_SANITIZED:
            self.assertLess(server.resident_kib(), 40 * 1024, "KiB of the idle demo server")


if __name__ == "__main__":
    main()
