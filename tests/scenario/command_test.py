"""The command line against the real server: every noun added, listed and shown; events submitted, fetched and searched;
forms of output, errors in words with their members, and exit statuses.
"""
import json
import os
import subprocess
import tempfile
import unittest

from vigiltest import contract
from vigiltest.case import ServerCase, main

PROGRAM = os.environ.get("VIGIL", "")
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


def run(*words, key=None, stdin=None, environment=None):
    own = {name: value for name, value in os.environ.items() if name != "VIGIL_API_KEY"}
    if key is not None:
        own["VIGIL_API_KEY"] = key
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, input=stdin, timeout=60, check=False,
                          env={**own, **(environment or {})})


class Commands(ServerCase):
    @classmethod
    def arrange(cls):
        cls.admin = cls.server.admin_key()
        cls.vigil("customer", "add", "acme", "--id", "100", "--name", "Acme Inc")
        cls.vigil("user", "add", "bob", "--customer", "acme")
        cls.key = cls.vigil("key", "add", "--user", "bob", "--role", "EVENT-SUBMITTER,EVENT-VIEWER").strip()

    @classmethod
    def vigil(cls, *words, key=None, status=DONE, stdin=None):
        """stdout; with another status than DONE, stderr."""
        done = run("--server", f"127.0.0.1:{cls.server.port}", *words, key=key or cls.admin, stdin=stdin)
        if done.returncode != status:
            raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout if status == DONE else done.stderr

    def json(self, *words, **options):
        return json.loads(self.vigil("--output", "json", *words, **options))

    def check_noun(self, noun, add, show, member):
        """Add, show and list one thing; `show` is what it is called, `member` the key of its name in JSON."""
        made = self.json(noun, "add", *add)
        self.assertEqual(self.json(noun, "show", show), made)
        listed = self.json(noun, "list", "--limit", "0")
        self.assertIn(made, listed["data"])
        self.assertEqual(listed["count"], len(listed["data"]))
        lines = self.vigil("--output", "jsonl", noun, "list", "--limit", "0").splitlines()
        self.assertEqual([json.loads(line) for line in lines], listed["data"])
        table = self.vigil(noun, "list", "--limit", "0").splitlines()
        self.assertEqual(len(table), len(lines) + 1)
        self.assertTrue(any(str(made[member]) in line for line in table[1:]), table)
        self.assertIn(f"{member}: {made[member]}", self.vigil(noun, "show", show))
        self.vigil(noun, "add", *add, status=REFUSED)
        self.assertIn("NOT_FOUND", self.vigil(noun, "show", "999999", status=REFUSED))
        return made

    def test_events_are_counted_in_groups_and_on_a_timeline(self):
        self.vigil("customer", "add", "counted", "--id", "777", "--name", "Counted Inc")
        for severity, count in (("high", "2"), ("high", "3"), ("low", "4")):
            self.vigil("event", "submit", "--customer", "counted", "--severity", severity, "--count", count,
                       "--timestamp", "2019-10-05T15:07:10Z", "--signature", "S-" + severity)
        options = ("event", "stats", "--customer", "counted", "--start", "2019-10-05", "--end", "2019-10-06T12:00Z")
        lines = [line.split(maxsplit=2) for line in self.vigil(*options, "--by", "customer,severity").splitlines()]
        self.assertEqual(lines, [["EVENTS", "RAW", "EVENTS  GROUP"], ["3", "9", "Counted Inc (777)"], ["2", "5", "high"],
                                 ["1", "4", "low"]])
        cut = self.vigil(*options, "--limit", "1", "--others").splitlines()
        self.assertEqual([line.split() for line in cut[1:]], [["2", "5", "S-high"], ["1", "-", "other"]])
        days = [line.split()[:3] for line in self.vigil(*options, "--timeline", "days").splitlines()[1:]]
        self.assertEqual(days, [["3", "9", "all"], ["3", "9", "2019-10-05T00:00Z"], ["0", "0", "2019-10-06T00:00Z"]])
        without_empty = self.vigil(*options, "--timeline", "days", "--no-empty").splitlines()
        self.assertEqual(len(without_empty), 3)
        answer = self.json(*options, "--by", "severity")
        self.assertEqual([(row["group"]["identifier"], row["count"]) for row in answer["data"]], [("high", 2), ("low", 1)])
        request = json.dumps({"groupBy": [{"field": "severity"}], "customer": "counted"})
        self.assertEqual(self.json("event", "stats", "--json", "-", stdin=request)["data"], answer["data"])
        for wrong in (("--by", "colour"), ("--timeline", "lustra"), ("--time", "noon", "--timeline", "days"),
                      ("--limit", "x"), ("--json", "-", "--by", "severity")):
            self.vigil("event", "stats", *wrong, status=USAGE, stdin=request)

    def test_customers(self):
        made = self.check_noun("customer", ["sub", "--id", "101", "--name", "Sub Inc", "--parent", "acme", "--domain", "d2",
                                            "--not-in-production"], "sub", "shortName")
        self.assertEqual((made["parent"]["id"], made["domain"]["name"], made["inProduction"]), (100, "d2", False))

    def test_groups(self):
        self.check_noun("group", ["soc", "--customer", "acme", "--name", "The SOC"], "soc", "shortName")

    def test_users(self):
        self.vigil("group", "add", "night", "--customer", "acme")
        made = self.check_noun("user", ["eve", "--customer", "acme", "--group", "night", "--time-zone", "Europe/Oslo",
                                        "--name=Eve E."], "eve", "shortName")
        self.assertEqual((made["name"], made["timeZone"], made["groups"][0]["shortName"]), ("Eve E.", "Europe/Oslo", "night"))
        key = self.vigil("key", "add", "--user", "eve", "--role", "EVENT-VIEWER").strip()
        self.assertIn("userName: eve", self.vigil("whoami", key=key))
        self.assertTrue(self.json("user", "disable", "eve")["disabled"])
        self.assertIn("AUTHENTICATION_FAILED", self.vigil("whoami", key=key, status=REFUSED))

    def test_keys(self):
        text = self.vigil("key", "add", "--user", "bob", "--role", "EVENT-VIEWER", "--role", "CASE-VIEWER", "--customer", "100,acme",
                          "--expires", "2099-01-01", "--source", "127.0.0.0/8,10.0.0.0/8")
        self.assertEqual(len(text.splitlines()), 1)
        key_id, user, secret = text.strip().split("/")
        shown = self.json("key", "show", key_id)
        self.assertEqual((shown["id"], str(shown["user"]["id"])), (key_id, user))
        self.assertEqual(shown["roles"], ["EVENT-VIEWER", "CASE-VIEWER"])
        self.assertEqual([row["id"] for row in shown["customers"]], [100])
        self.assertEqual(shown["expiresTimestamp"], 4070908800000)
        self.assertEqual(shown["sources"], ["127.0.0.0/8", "10.0.0.0/8"])
        self.assertNotIn(secret, json.dumps(shown) + self.vigil("key", "list", "--limit", "0") + self.server.log_text())
        self.assertEqual(self.json("whoami", key=text.strip())["user"]["userName"], "bob")
        self.assertIsNotNone(self.json("key", "revoke", key_id)["revokedTimestamp"])
        self.vigil("whoami", key=text.strip(), status=REFUSED)
        issued = self.json("key", "add", "--user", "bob", "--role", "EVENT-VIEWER")
        self.assertEqual(issued["details"]["id"], issued["key"].split("/")[0])

    def test_locations(self):
        self.check_noun("location", ["hq", "--id", "3", "--name", "Head office", "--customer", "acme", "--time-zone",
                                     "Europe/Oslo"], "hq", "shortName")

    def test_cases(self):
        self.vigil("case", "add", "--id", "8", "--customer", "acme", "--subject", "first")
        made = self.check_noun("case", ["--id", "9", "--customer", "acme", "--subject", "It's all; here, and there", "--reader", "bob",
                                        "--merged-into", "8", "--status", "closed", "--priority", "high", "--category-id", "4",
                                        "--category-name", "Cat", "--service", "ids", "--description", "long"], "9", "id")
        self.assertEqual((made["subject"], made["status"], made["mergedInto"]), ("It's all; here, and there", "CLOSED", 8))

    def test_signatures(self):
        self.check_noun("signature", ["A-1", "--alarm-id", "5", "--alarm-description", "An alarm", "--category-id", "6",
                                      "--category-name", "A category"], "A-1", "name")

    def submit(self, *words, **options):
        return self.json("event", "submit", *words, key=self.key, **options)["id"]

    def test_an_event_from_options_comes_back(self):
        event_id = self.submit(
            "--timestamp", "2026-02-03T04:05:06.789Z", "--uuid", "0B6F5F0E-5D3C-4D54-9A51-3D1F5B7C2A77", "--signature", "S-1",
            "--severity", "high", "--count", "4", "--protocol", "udp", "--source-ip", "192.0.2.7", "--source-port", "53",
            "--source-host", "h1", "--source-user", "u1", "--destination-ip", "2001:db8::/32", "--destination-port", "99",
            "--destination-host", "h2", "--flag", "BLOCKED,THREAT_CANDIDATE", "--flag", "FILTERED", "--property", "k=v=w",
            "--property", "k=x", "--uri", "/a,b", "--fqdn", "Host.Example", "--start", "2026-02-03T04:05:00Z",
            "--end", "2026-02-03T05:00:00Z", "--finalized")
        self.assertEqual(event_id, "AGGR/1770091506789/100/0b6f5f0e-5d3c-4d54-9a51-3d1f5b7c2a77")
        event = self.json("event", "get", event_id, key=self.key)
        self.assertEqual((event["severity"], event["count"], event["protocol"], event["uri"], event["domain"]),
                         ("high", 4, "udp", "/a,b", "host.example"))
        self.assertEqual((event["source"]["address"], event["source"]["port"], event["source"]["host"], event["source"]["user"]),
                         ("192.0.2.7", 53, "h1", "u1"))
        self.assertEqual(event["destination"]["address"], "2001:db8::/32")
        self.assertLessEqual({"blocked", "threatCandidate", "filtered", "finalized"}, set(event["flags"]))
        self.assertIn({"key": "k", "type": "string", "values": ["v=w", "x"]}, event["properties"])
        shown = self.vigil("event", "get", event_id, key=self.key)
        self.assertIn("properties.k: v=w,x\n", shown)
        self.assertIn("timestamps.created: 2026-02-03T04:05:06.789Z\n", shown)
        bare = self.json("event", "get", event_id.split("/", 1)[1], "--no-properties", "--no-comments", key=self.key)
        self.assertEqual((bare["properties"], bare["comments"]), (None, None))

    def test_events_from_json(self):
        document = {"id": {"customer": "acme"}, "signature": "J-1", "properties": {"n": 7}}
        self.submit("--json", "-", stdin=json.dumps(document))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"events": [document, {**document, "location": "nope"}], "onError": "dropInvalid"}, file)
            file.flush()
            words = ("event", "submit", "--bulk", "--json", file.name)
            done = run("--server", f"127.0.0.1:{self.server.port}", "--output", "json", *words, key=self.key)
        answer = json.loads(done.stdout)
        self.assertEqual((done.returncode, answer["accepted"], answer["rejected"]), (REFUSED, 1, 1))
        found = self.json("event", "search", "--signature", "J-1", key=self.key)
        self.assertEqual(found["count"], 2)

    def test_search(self):
        for at, address in enumerate(("10.1.1.1", "10.1.2.1", "10.2.1.1")):
            self.submit("--timestamp", f"2026-02-0{at + 1}T00:00:00Z", "--signature", "Q-1", "--source-ip", address)
        found = self.json("event", "search", "--start", "2026-02-01", "--end", "2026-02-28", "--ip", "10.1.0.0/16,10.9.0.0/16",
                          "--signature", "Q-1", "--customer", "acme,nobody", "--limit", "1", "--offset", "1", key=self.key)
        self.assertEqual((found["limit"], found["offset"], found["count"]), (1, 1, 2))
        self.assertEqual(found["data"][0]["sourceAddress"], "10.1.1.1")
        done = run("--server", f"127.0.0.1:{self.server.port}", "event", "search", "--start=2026-02-01", "--end=2026-02-28",
                   "--signature=Q-1", "--limit=2", key=self.key)
        self.assertEqual(len(done.stdout.splitlines()), 3)
        self.assertIn("2 of 3 shown", done.stderr)
        by_file = self.json("event", "search", "--json", "-", key=self.key,
                            stdin='{"startTimestamp": "2026-02-01", "sourceIP": "10.2.0.0/16", "signature": ["Q-1"]}')
        self.assertEqual(by_file["count"], 1)
        # Without a start it is the last day.
        self.submit("--signature", "Q-2")
        self.assertEqual(self.json("event", "search", "--signature", "Q-1,Q-2", key=self.key)["count"], 1)

    def test_search_by_other_options_and_what_it_did(self):
        self.vigil("case", "add", "--id", "4711", "--customer", "acme", "--subject", "A case")
        self.submit("--timestamp", "2026-03-01", "--signature", "O-1", "--severity", "high", "--flag", "FOLLOWUP",
                    "--property", "user=root", "--source-port", "1024", "--fqdn", "example.org", "--case", "4711")
        self.submit("--timestamp", "2026-03-02", "--signature", "O-1", "--severity", "critical", "--source-ip", "10.7.0.1")

        def found(*words):
            return [row["severity"] for row in self.json(
                "event", "search", "--start=2026-03-01", "--end=2026-03-31", "--signature=O-1", *words, key=self.key)["data"]]

        self.assertEqual(found(), ["critical", "high"])
        self.assertEqual(found("--sort", "-severity"), ["critical", "high"])
        self.assertEqual(found("--sort", "severity,timestamp"), ["high", "critical"])
        for words in (["--case", "4711"], ["--severity=high,low"], ["--flag", "FOLLOWUP"], ["--property", "user=root"],
                      ["--port", "1000-2000"], ["--domain", "example.org"]):
            self.assertEqual(found(*words), ["high"], words)
        for words in (["--case", "0"], ["--min-severity", "critical"], ["--no-flag", "FOLLOWUP"], ["--source-ip=10.7.0.0/16"]):
            self.assertEqual(found(*words), ["critical"], words)
        self.assertEqual(found("--destination-ip=10.7.0.0/16"), [])
        words = ("event", "search", "--start=2026-03-01", "--signature=O-1", "--no-flag=FOLLOWUP", "--explain")
        told = self.json(*words, key=self.key)
        self.assertEqual((told["rowsMatched"], told["recordsFetched"]), (1, 1))
        self.assertEqual((told["chunks"], told["questions"]), (None, []))
        lines = self.vigil(*words, key=self.key).splitlines()
        self.assertEqual(lines[0], "rows matched                  1", lines)
        self.assertFalse(any(line.startswith(("chunks ", "rows looked", "SIGNATURE ")) for line in lines), lines)
        lines = self.vigil(*words, key=self.server.admin_key()).splitlines()
        self.assertTrue(lines[0].startswith("chunks "), lines)
        self.assertIn("rows matched                  1", lines)
        self.assertTrue(any(line.startswith("SIGNATURE ") for line in lines), lines)

    def test_assess_and_lineage(self):
        self.vigil("case", "add", "--id", "4712", "--customer", "acme", "--subject", "A case")
        event_id = self.submit("--signature", "A-1")
        admin = self.server.admin_key()
        event = self.json("event", "assess", event_id, "--comment", "known ø", "--enable-flag", "falsePositive,followup",
                          "--disable-flag", "tuningCandidate", "--no-acknowledge", "--case", "4712", "--severity", "high",
                          "--handled-by-analyst", "--publish", key=admin)
        self.assertEqual(set(event["flags"]), {"falsePositive", "followup", "commented", "notified", "severityAdjusted",
                                               "handledByAnalyst"})
        self.assertEqual((event["severity"], event["comments"][0]["comment"]), ("high", "known ø"))
        event = self.json("event", "assess", event_id.partition("/")[2], "--no-case", "4712", key=admin)
        self.assertEqual((event["associatedCases"], "acknowledged" in event["flags"]), ([], True))
        event = self.json("event", "assess", event_id, "--json", "-", key=admin,
                          stdin='{"assessmentProperty": [{"key": "a", "values": ["b"]}]}')
        told = self.json("event", "lineage", event_id, "--limit", "2", key=admin)
        self.assertEqual(([row["type"] for row in told["data"]], told["count"]), (["assessed", "assessed"], 4))
        lines = self.vigil("event", "lineage", event_id, key=admin).splitlines()
        self.assertEqual(lines[0].split(), ["TIME", "TYPE", "USER", "DESCRIPTION", "UPDATED"])
        self.assertIn("Created by submission", lines[-1])
        self.assertIn("timestamp/customerID/uuid", self.vigil("event", "assess", "nonsense", key=admin, status=USAGE))
        self.assertIn("enableFlag", self.vigil("event", "assess", event_id, "--enable-flag", "blocked", key=admin, status=USAGE))

    def test_texts_cannot_steer_the_terminal(self):
        self.submit("--json", "-", stdin=json.dumps({"signature": "T-1", "uri": "a\u001b[2Jb\u009bc\nd"}))
        found = self.json("event", "search", "--signature", "T-1", key=self.key)
        self.assertEqual(found["data"][0]["uri"], "a\u001b[2Jb\u009bc\nd")
        shown = self.vigil("event", "get", found["data"][0]["id"], key=self.key)
        self.assertIn("uri: a\ufffd[2Jb\ufffdc\ufffdd\n", shown)

    def test_errors_name_the_member(self):
        said = self.vigil("user", "add", "x", "--customer", "nowhere", status=REFUSED)
        self.assertIn("Invalid customer: nowhere (INVALID_REFERENCE)", said)
        self.assertIn("  customer: ", said)
        said = self.vigil("event", "submit", "--source-port", "70000", key=self.key, status=REFUSED)
        self.assertIn("source.port: ", said)
        said = self.vigil("event", "submit", "--severity", "dire", key=self.key, status=USAGE)
        self.assertIn("severity: ", said)
        said = self.vigil("event", "submit", "--json", "-", key=self.key, stdin='{"a\n', status=USAGE)
        self.assertIn("line 1", said)
        said = self.vigil("event", "submit", "--json", "-", key=self.key, stdin='{"bogus":1}', status=USAGE)
        self.assertIn("bogus: ", said)
        self.assertIn("ACCESS_DENIED", self.vigil("customer", "add", "n", "--id", "5", "--name", "n", key=self.key, status=REFUSED))

    def test_where_the_key_comes_from(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.key + " \n")
            file.flush()
            shown = self.json("--key-file", file.name, "whoami")  # before the variable
            self.assertEqual(shown["user"]["userName"], "bob")
        self.assertEqual(self.json("whoami")["user"]["userName"], "admin")
        done = run("--server", f"127.0.0.1:{self.server.port}", "whoami")
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("User not authenticated", done.stderr)
        self.assertIn("holds no API key", self.vigil("--key-file", "/dev/null", "whoami", status=USAGE))
        self.assertIn("cannot read", self.vigil("--key-file", "/does/not/exist", "whoami", status=USAGE))


class Usage(unittest.TestCase):
    def check(self, words, status, *said):
        done = run(*words)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        for text in said:
            self.assertIn(text, done.stdout + done.stderr)
        return done

    def test_help_comes_from_the_table(self):
        done = self.check(["--help"], DONE, "usage: vigil", "customer add SHORTNAME", "import suricata FILE...", "whoami")
        for line in done.stdout.splitlines():
            words = line.split("  ")[1].split() if line.startswith("  ") and not line.startswith("  -") else []
            if words:
                command = [word for word in words if word.islower()]
                self.check([*command, "--help"], DONE, "usage: vigil " + " ".join(command))
        self.check(["key", "add", "--help"], DONE, "--role ROLE[,ROLE]", "(required)")
        self.check(["key", "--help"], DONE, "key revoke KEY")
        self.check(["--version"], DONE, "vigil ")

    def test_wrong_usage_says_what_there_is(self):
        self.check([], USAGE, "a command is missing", "event search")
        self.check(["specimen", "upload"], USAGE, "there is no command specimen", "event search")
        self.check(["sample", "frobnicate"], USAGE, "there is no command sample frobnicate", "sample search")
        self.check(["event", "tail"], USAGE, "there is no command event tail", "event search")
        self.check(["event", "watch", "--events=0"], USAGE, "--events takes a number")
        self.check(["event", "export", "--file", "/does/not/exist"], USAGE, "cannot write")
        self.check(["key"], USAGE, "key what?", "key revoke KEY")
        self.check(["customer", "add", "a", "--id", "1"], USAGE, "--name is missing", "usage: vigil customer add SHORTNAME --id N")
        self.check(["customer", "add", "--id", "1", "--name", "n"], USAGE, "SHORTNAME is missing")
        self.check(["customer", "add", "a", "b"], USAGE, "nothing is known to do with b")
        self.check(["customer", "list", "--all"], USAGE, "unknown option --all")
        self.check(["customer", "list", "--limit"], USAGE, "--limit needs a value")
        self.check(["user", "list", "--limit=x"], USAGE, "limit: ")
        self.check(["event", "submit", "--finalized=yes"], USAGE, "--finalized takes no value")
        self.check(["event", "submit", "--property", "k"], USAGE, "--property takes KEY=VALUE")
        self.check(["event", "submit", "--bulk"], USAGE, "--bulk needs --json")
        self.check(["event", "submit", "--json", "-", "--count", "1"], USAGE, "exclude each other")
        self.check(["event", "get", "a/b"], USAGE, "TYPE/timestamp/customerID/uuid")
        self.check(["--output", "xml", "whoami"], USAGE, "--output takes table, json or jsonl")
        self.check(["whoami", "--server"], USAGE, "--server needs a value")

    def test_nobody_there(self):
        self.check(["--server", "127.0.0.1:1", "whoami"], UNREACHABLE, "cannot connect")
        self.check(["whoami", "--server=127.0.0.1:1"], UNREACHABLE)
        self.check(["--server", "127.0.0.1", "whoami"], USAGE)

    def test_every_command_of_the_issue_exists_and_no_other_method_is_missing(self):
        """The admin service's methods all have a command; streaming twins are the same in rows."""
        listing = run("--help").stdout
        for method in contract.methods():
            if method.service == "vigil.admin.v1.AdminService" and not method.is_streaming:
                verb = next(verb for verb in ("Add", "Get", "List", "Disable", "Revoke") if method.name.startswith(verb))
                noun = method.name[len(verb):].lower()
                noun = noun[:-1] if verb == "List" else noun
                verb = {"Get": "show"}.get(verb, verb.lower())
                self.assertIn(f"  {noun} {verb}", listing)


if __name__ == "__main__":
    main()
