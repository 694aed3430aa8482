"""The command line of samples against the real server: files that are new, known, small, changed and in folders; what is
shown, searched, counted and downloaded.
"""
import hashlib
import json
import os
import pty
import random
import re
import subprocess
import tempfile

from vigiltest.case import ServerCase, main
from vigiltest.clients import metrics
from vigiltest.directory import Directory

PROGRAM = os.environ.get("VIGIL", "")
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
RANDOM = random.Random(5)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class SampleCommands(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("demo", 2171, "Demo")
        directory.customer("other", 3000, "Other")
        directory.user("agent", "demo")
        directory.user("friend", "other")
        cls.key = directory.key("agent", ["SAMPLEDB-USER"])
        cls.friend = directory.key("friend", ["SAMPLEDB-USER"])
        cls.viewer = directory.key("agent", ["SAMPLEDB-VIEWER"])
        cls.addClassCleanup(directory.close)

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="sample-command-")
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def vigil(self, *words, key=None, status=DONE, binary=False):
        """stdout; with another status than DONE, stdout and stderr."""
        own = {name: value for name, value in os.environ.items() if name != "VIGIL_API_KEY"}
        done = subprocess.run(
            [PROGRAM, "--server", f"127.0.0.1:{self.server.port}", *words], capture_output=True, timeout=120, check=False,
            cwd=self.folder, env={**own, "VIGIL_API_KEY": key or self.key})
        out, err = (done.stdout, done.stderr.decode())
        self.assertEqual(done.returncode, status, (words, out[-2000:], err))
        self.err = err
        if binary:
            return out
        return out.decode() if status == DONE else out.decode() + err

    def json(self, *words, **options):
        return json.loads(self.vigil("--output", "json", *words, **options))

    def upload(self, *words, **options):
        return self.json("sample", "upload", *words, **options)["data"]

    def file(self, name, data=None, size=5000):
        """A file in the test's folder: its path and what it holds."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = RANDOM.randbytes(size) if data is None else data
        with open(path, "wb") as out:
            out.write(data)
        return path, data

    def stored(self, data):
        digest = sha256(data)
        return os.path.join(self.server.data, "blobs", digest[:2], digest)

    def test_a_new_file_is_sent_and_a_known_one_is_not(self):
        path, data = self.file("a b.bin", size=3 << 20)
        before = metrics(self.server.port)
        first, = self.upload(path)
        received = metrics(self.server.port)["vigil_bytes_received_total"] - before["vigil_bytes_received_total"]
        self.assertGreater(received, len(data))
        self.assertEqual(list(first), ["file", "sha256", "size", "state", "submission"])
        self.assertEqual((first["file"], first["sha256"], first["size"], first["state"]),
                         (path, sha256(data), len(data), "uploaded"))
        self.assertEqual((first["submission"]["fileName"], first["submission"]["userAgent"]),
                         ("a b.bin", {"name": "vigil", "version": "0.1.0"}))
        with open(self.stored(data), "rb") as stored:
            self.assertEqual(stored.read(), data)
        before = metrics(self.server.port)
        second, = self.upload(path, "--agent", "a/b/2.0")
        received = metrics(self.server.port)["vigil_bytes_received_total"] - before["vigil_bytes_received_total"]
        self.assertLess(received, 10000)
        self.assertEqual((second["state"], second["submission"]["userAgent"]),
                         ("known", {"name": "a/b", "version": "2.0"}))
        self.assertNotEqual(first["submission"]["id"], second["submission"]["id"])

    def test_the_text_of_a_line(self):
        path, data = self.file("line")
        words = self.vigil("sample", "upload", path).split()
        self.assertEqual((words[0], words[2], words[3]), (sha256(data), "uploaded", path))
        words = self.vigil("sample", "upload", path).split()
        self.assertEqual(words[0], sha256(data))
        self.assertEqual(words[2:], ["known", path])
        lines = self.vigil("--output", "jsonl", "sample", "upload", path, path).splitlines()
        self.assertEqual([json.loads(line)["sha256"] for line in lines], [sha256(data)] * 2)
        self.assertEqual(self.json("sample", "upload", path)["count"], 1)

    def test_a_small_file_is_sent_each_time(self):
        path, data = self.file("small", b"tiny")
        self.assertEqual([self.upload(path)[0]["state"] for _ in range(2)], ["uploaded"] * 2)
        with open(self.stored(data), "rb") as stored:
            self.assertEqual(stored.read(), data)

    def test_sizes_around_a_piece(self):
        for size in (65535, 65536, 65537, 131072):
            path, data = self.file(f"piece-{size}", size=size)
            self.assertEqual(self.upload(path)[0]["state"], "uploaded")
            with open(self.stored(data), "rb") as stored:
                self.assertEqual(stored.read(), data)

    def test_a_folder_and_many_at_a_time(self):
        files = [self.file(f"tree/{number % 5}/{number:02}") for number in range(40)]
        os.symlink("/etc/passwd", os.path.join(self.folder, "tree", "link"))
        os.mkfifo(os.path.join(self.folder, "tree", "pipe"))
        tree = os.path.join(self.folder, "tree")
        self.assertIn("--recursive", self.vigil("sample", "upload", tree, status=USAGE))
        rows = self.upload("--recursive", "--parallel", "16", tree)
        self.assertEqual({row["file"]: row["sha256"] for row in rows}, {path: sha256(data) for path, data in files})
        self.assertEqual({row["state"] for row in rows}, {"uploaded"})
        rows = self.upload("--recursive", "--parallel", "64", tree)
        self.assertEqual({row["state"] for row in rows}, {"known"})
        self.assertEqual([row["file"] for row in self.upload("--recursive", "--parallel", "1", tree)],
                         sorted(path for path, _ in files))

    def on_a_terminal(self, *words):
        """What a person sees."""
        reader, terminal = pty.openpty()
        environment = {**os.environ, "VIGIL_API_KEY": self.key}
        run = subprocess.Popen([PROGRAM, "--server", f"127.0.0.1:{self.server.port}", *words], stdin=subprocess.DEVNULL,
                               stdout=terminal, stderr=terminal, env=environment)
        os.close(terminal)
        seen = b""
        try:
            while piece := os.read(reader, 65536):
                seen += piece
        except OSError:
            pass  # the other end is closed: that is how a terminal says it
        os.close(reader)
        self.assertEqual(run.wait(timeout=60), DONE, seen)
        return seen.decode()

    def test_a_bar_shows_how_far_it_has_come(self):
        paths = [self.file(f"bar-{number}", size=1 << 20)[0] for number in range(3)]
        seen = self.on_a_terminal("sample", "upload", *paths)
        bars = re.findall(r"\r\x1b\[Ksamples  \[(#*)(\.*)\] +(\d+) %  (\d+)", seen)
        self.assertTrue(bars, seen)
        self.assertEqual({len(done) + len(left) for done, left, _, _ in bars}, {30})
        shares = [int(share) for _, _, share, _ in bars]
        self.assertEqual((shares, shares[-1]), (sorted(shares), 100))
        self.assertEqual(int(bars[-1][3]), 3)
        # Taken away again before each line, and at the end.
        self.assertTrue(seen.endswith("\r\x1b[K"), seen)
        shown = [line.rpartition("\x1b[K")[2] for line in seen.splitlines()]
        self.assertEqual(sum(line.split()[2:3] == ["uploaded"] for line in shown), 3, seen)
        # Nobody looks at a file: no bar.
        self.assertNotIn("\x1b", self.vigil("sample", "upload", *paths) + self.err)

    def test_names_that_are_none(self):
        """A name the server refuses is told, in letters that do nothing to a terminal; the rest goes on."""
        good, data = self.file("fine")
        path, _ = self.file("new\nline\x1b[2J")
        told = self.vigil("sample", "upload", path, good, status=REFUSED)
        self.assertIn(sha256(data), told)
        self.assertIn("control characters", told)
        self.assertNotIn("\x1b", told)
        path, _ = self.file(b"latin-\xe9".decode(errors="surrogateescape"))
        self.assertEqual(self.upload(path)[0]["submission"]["fileName"], "latin-\ufffd")
        nested, _ = self.file("a/../..b/..c")
        self.assertEqual(self.upload(nested)[0]["submission"]["fileName"], "..c")

    def test_what_is_said_of_a_file_is_in_its_submission(self):
        path, _ = self.file("said")
        row, = self.upload(path, "--customer", "demo", "--tlp", "green", "--mime-type", "text/x", "--meta", "a.b=c=d",
                           "--meta", "e=f", "--acl", "friend", "--observed", "2026-01-02T03:04:05Z", "--retention", "+1 day")
        submission = row["submission"]
        self.assertEqual((submission["customer"]["shortName"], submission["tlp"], submission["mimeType"]),
                         ("demo", "green", "text/x"))
        self.assertEqual(submission["metaData"], {"a.b": "c=d", "e": "f"})
        self.assertEqual([entry["subject"]["shortName"] for entry in submission["acl"]], ["friend"])
        self.assertEqual(submission["observedTimestamp"], 1767323045000)
        self.assertGreater(submission["expiryTimestamp"], submission["submittedTimestamp"])

    def test_what_is_wrong_is_told_and_the_rest_goes_on(self):
        good, data = self.file("good")
        bad, _ = self.file("bad")
        os.chmod(bad, 0)
        if os.access(bad, os.R_OK):
            os.unlink(bad)  # root reads everything
            self.vigil("sample", "upload", good, bad, status=USAGE)
        else:
            self.assertIn(sha256(data), self.vigil("sample", "upload", good, bad, status=REFUSED))
        self.assertIn("customer", self.vigil("sample", "upload", good, "--customer", "nobody", status=REFUSED))
        self.assertIn("ACCESS_DENIED", self.vigil("sample", "upload", good, key=self.viewer, status=REFUSED))
        for words in (("--agent", "nothing"), ("--parallel", "0"), ("--parallel", "65"), ("--meta", "key"), ("--tlp", "blue"),
                      ("--nothing",)):
            self.vigil("sample", "upload", good, *words, status=USAGE)
        self.vigil("sample", "upload", status=USAGE)
        self.vigil("sample", "upload", os.path.join(self.folder, "absent"), status=USAGE)
        self.vigil("--server", "127.0.0.1:1", "sample", "upload", good, status=UNREACHABLE)

    def test_show_and_download(self):
        path, data = self.file("shown.bin", size=300000)
        self.upload(path)
        digest = sha256(data)
        shown = self.json("sample", "show", digest)
        self.assertEqual((shown["sha256"], shown["size"], shown["md5"]), (digest, len(data), hashlib.md5(data).hexdigest()))
        self.assertIn(f"sha256: {digest}", self.vigil("sample", "show", digest))

        self.assertEqual(self.vigil("sample", "download", digest).strip(), digest + ".zip")
        archive = os.path.join(self.folder, digest + ".zip")
        unzip = subprocess.run(["unzip", "-p", "-P", "infected", archive], capture_output=True, timeout=60, check=True)
        self.assertEqual(unzip.stdout, data)
        self.vigil("sample", "download", digest, "--safe", "--file", "mine.zip")
        self.assertEqual(self.vigil("sample", "download", digest, "--raw", "--file", "-", binary=True), data)
        self.vigil("sample", "download", digest, "--raw")
        with open(os.path.join(self.folder, digest), "rb") as raw:
            self.assertEqual(raw.read(), data)
        self.assertEqual(os.stat(os.path.join(self.folder, digest)).st_mode & 0o777, 0o600)
        self.assertFalse([name for name in os.listdir(self.folder) if name.endswith(".part")])

    def found(self, *words, **options):
        answer = self.json("sample", "search", *words, **options)
        self.assertEqual(answer["count"], len(answer["data"]))
        return {row["sha256"] for row in answer["data"]}

    def test_search(self):
        files = [self.file(name) for name in ("hunt-alpha.exe", "hunt-beta, two.exe", "hunt-gamma.doc")]
        digests = [sha256(data) for _, data in files]
        self.upload(*(path for path, _ in files[:2]), "--tlp", "green")
        self.upload(files[2][0], "--tlp", "white", "--acl", "friend")
        self.assertEqual(self.found("hunt-", "--limit", "0"), set(digests))
        self.assertEqual(self.found("HUNT-ALPHA", "gamma.d"), {digests[0], digests[2]})
        self.assertEqual(self.found("--file-name", "hunt-beta, two.exe", "--file-name", "hunt-gamma.doc"), set(digests[1:]))
        self.assertEqual(self.found("--sha256", ",".join(digests[:2])), set(digests[:2]))
        self.assertEqual(self.found("hunt-", "--tlp", "white"), {digests[2]})
        self.assertEqual(self.found("hunt-", "--customer", "demo"), set(digests))
        self.assertEqual(self.found("hunt-", "--end", "-1 hour"), set())
        self.assertEqual(self.found("hunt-", "--start", "-1 hour"), set(digests))
        self.assertEqual(self.found("hunt-", key=self.friend), {digests[2]})  # by its acl
        page = self.json("sample", "search", "hunt-", "--limit", "1", "--offset", "2")
        self.assertEqual((page["limit"], page["offset"], page["count"], len(page["data"])), (1, 2, 3, 1))
        table = self.vigil("sample", "search", "--sha256", digests[0]).splitlines()
        self.assertEqual((len(table), table[1].split()[:2]), (2, [digests[0], "5000"]))
        self.assertEqual(len(self.vigil("--output", "jsonl", "sample", "search", "hunt-").splitlines()), 3)
        criteria, _ = self.file("criteria.json", json.dumps({"sha256": digests[:1]}).encode())
        self.assertEqual(self.found("--json", criteria), {digests[0]})
        self.vigil("sample", "search", "word", "--json", criteria, status=USAGE)
        self.assertIn("sha256[0]", self.vigil("sample", "search", "--sha256", "abc", status=REFUSED))
        self.assertEqual(self.found("hunt-", "--customer", "nobody"), set())

    def test_stats(self):
        for number, (name, site, tlp) in enumerate((("a", "oslo", "green"), ("b", "oslo", "white"), ("c", "bergen", "green"))):
            path, _ = self.file(f"count-{name}", size=3000 + number)
            self.upload(path, "--meta", f"site={site}", "--tlp", tlp)

        def counted(*words):
            answer = self.json("sample", "stats", "count-", *words)
            self.assertEqual(answer["count"], len(answer["data"]))
            return [(row["group"]["identifier"], row["count"]) for row in answer["data"]]
        self.assertEqual(counted("--by", "metaData:site"), [("oslo", 2), ("bergen", 1)])
        self.assertEqual(counted("--by", "metaData:site", "--limit", "1"), [("oslo", 2)])
        self.assertEqual(counted("--by", "metaData:site", "--tlp", "white"), [("oslo", 1)])
        self.assertEqual(sorted(counted("--by", "fileName")), [("count-a", 1), ("count-b", 1), ("count-c", 1)])
        self.assertEqual([count for _, count in counted()], [3])
        self.assertEqual(counted("--end", "-1 hour"), [])
        rows = [line.split() for line in self.vigil("sample", "stats", "count-", "--by", "customer,metaData:site").splitlines()]
        self.assertEqual(rows, [["SUBMISSIONS", "GROUP"], ["3", "Demo"], ["2", "oslo"], ["1", "bergen"]])
        for words in (("--by", "nothing"), ("--by", "metaData:"), ("--by", ""), ("--by", "customer", "--limit", "-1")):
            self.vigil("sample", "stats", *words, status=USAGE)
        request, _ = self.file("request.json", b'{"keywords": ["count-"], "groupBy": [{"field": "customer"}]}')
        self.assertEqual(self.json("sample", "stats", "--json", request)["data"][0]["count"], 3)
        self.vigil("sample", "stats", "--by", "customer", "--json", request, status=USAGE)

    def test_downloads_that_fail_leave_nothing(self):
        before = sorted(os.listdir(self.folder))
        unknown = sha256(b"nobody has it")
        self.assertIn("SAMPLE_NOT_FOUND", self.vigil("sample", "download", unknown, status=REFUSED))
        self.assertIn("SAMPLE_NOT_FOUND", self.vigil("sample", "show", unknown, status=REFUSED))
        for words in (("../" * 21 + "a",), ("0" * 63,), (unknown, "--safe", "--raw"), (unknown, "--file", "no/such/file")):
            self.vigil("sample", "download", *words, status=USAGE)
        self.assertEqual(sorted(os.listdir(self.folder)), before)


if __name__ == "__main__":
    main()
