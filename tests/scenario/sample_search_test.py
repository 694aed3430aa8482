"""Searches for samples against the truth: every rule once more in plain Python, over random samples and criteria."""
import hashlib
import itertools
import random

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, Rest
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED

SERVICE = "vigil.sampledb.v2.SampleService/"
SAMPLE = "/sampledb/v2/sample"
SEED = 4
CASES = 1000 if IS_SANITIZED else 3500
ALWAYS = {"indexStartTimestamp": 0, "indexEndTimestamp": "now + 1 day"}
DIGESTS = ("sha256", "sha512", "sha1", "md5")
NAMES = ["a.exe", "Mal.DOC", "ünïcode.bin", "x", "report.pdf"]
TYPES = ["application/pdf", "text/plain", "application/octet-stream"]
TLPS = ["amber", "green", "clear"]
AGENTS = [("agent", "1"), ("agent", "2"), ("other tool", "1")]
META = [{}, {"host": "alpha"}, {"host": "beta", "a.b": "7"}, {"a.b": "8"}]
# Short name, id, and the customers a key of a user there covers.
CUSTOMERS = {"own": 7, "branch": 9, "foreign": 8}
COVERED = {"user": {"own", "branch"}, "second": {"own", "branch"}, "stranger": {"foreign"}, "admin": set(CUSTOMERS)}
HOME = {"user": "own", "second": "own", "stranger": "foreign"}


class Submission:
    def __init__(self, answer, user, acl):
        self.answer = answer
        self.user = user
        self.acl = acl
        self.customer = answer["customer"]["shortName"]

    def seen_by(self, caller):
        return self.customer in COVERED[caller] or caller in self.acl

    def texts(self):
        answer = self.answer
        yield from (answer["id"], answer["sampleSha256"], answer["fileName"], answer["mimeType"], answer["tlp"])
        yield from ("white",) if answer["tlp"] == "clear" else ()
        for key, value in answer["metaData"].items():
            yield from (key, value)
        yield from answer["userAgent"].values()


class Truth:
    """What the reference says, one sample at a time."""

    def __init__(self, sample, submissions, verdicts, caller):
        self.sample = sample
        self.submissions = [one for one in submissions if one.seen_by(caller)]
        self.verdicts = verdicts
        self.is_deleted = sample["deletedTimestamp"] is not None
        self.is_operator = caller == "admin"

    def seen(self):
        return self.is_operator if self.is_deleted else bool(self.submissions)

    def matches(self, criteria):
        return all(getattr(self, name)(criteria) for name in (
            "digests", "keywords", "times", "owners", "users", "by_submission", "by_verdict", "by_absent", "nested"))

    def digests(self, criteria):
        return all(self.sample[name] in [value.lower() for value in criteria[name]]
                   for name in DIGESTS if criteria.get(name))

    def keyword_field(self, field, keywords):
        texts = {"submission": itertools.chain(*(one.texts() for one in self.submissions)),
                 "verdict": [self.verdicts[-1]["comment"]] if self.verdicts else []}.get(field, [])
        if field in DIGESTS:
            texts = [self.sample[field]]
        return any(word.casefold() in text.casefold() for text in texts for word in keywords)

    def keywords(self, criteria):
        if not criteria.get("keywords"):
            return True
        picked = criteria.get("keywordFieldStrategy") or ["all"]
        union = "all" in picked
        fields = [*DIGESTS, "submission", "verdict", "analysis"] if union else picked
        found = [self.keyword_field(field, criteria["keywords"]) for field in fields]
        return all(found) if criteria.get("keywordMatchStrategy") == "all" and not union else any(found)

    def times(self, criteria):
        low, high = criteria.get("startTimestamp"), criteria.get("endTimestamp")
        if low is None and high is None:
            return True
        values = {"sampleCreated": [self.sample["createdTimestamp"]],
                  "firstSubmitted": [self.sample["firstSubmittedTimestamp"]],
                  "lastSubmitted": [self.sample["lastSubmittedTimestamp"]],
                  "submissionCreated": [one.answer["submittedTimestamp"] for one in self.submissions],
                  "submissionObserved": [one.answer["observedTimestamp"] for one in self.submissions],
                  "submissionExpiry": [one.answer["expiryTimestamp"] for one in self.submissions],
                  "classificationCreated": [], "analysisCreated": [], "linkCreated": []}
        picked = criteria.get("timeFieldStrategy") or ["all"]
        picked = list(values) if "all" in picked else picked
        there = [[value for value in values[name] if value is not None] for name in picked]
        there = [found for found in there if found]
        within = [any((low is None or value >= low) and (high is None or value <= high) for value in found)
                  for found in there]
        return bool(within) and all(within) if criteria.get("timeMatchStrategy") == "all" else any(within)

    def owners(self, criteria):
        wanted = {str(value).lower() for value in criteria.get("customer", [])}
        if wanted and not any({one.customer, str(CUSTOMERS[one.customer])} & wanted for one in self.submissions):
            return False
        tlps = {"clear" if value == "white" else value for value in criteria.get("tlp", [])}
        return not tlps or any(one.answer["tlp"] in tlps for one in self.submissions)

    def users(self, criteria):
        if not criteria.get("user"):
            return True
        picked = criteria.get("userFieldStrategy") or ["all"]
        submitted = any(one.user in criteria["user"] for one in self.submissions)
        if "all" in picked:
            return submitted
        found = [submitted if field == "submittedByUser" else False for field in picked]
        return all(found) if criteria.get("userMatchStrategy") == "all" else any(found)

    @staticmethod
    def combine(elements, matches, restricts):
        elements = [element for element in elements if restricts(element)]
        plain = [matches(one) for one in elements if not one.get("exclude") and not one.get("required")]
        return (all(matches(one) for one in elements if one.get("required") and not one.get("exclude"))
                and not any(matches(one) for one in elements if one.get("exclude"))
                and (not plain or any(plain)))

    @classmethod
    def restricts(cls, element):
        """An element of nothing but elements that restrict nothing restricts nothing either; nor do strategies alone."""
        if any("Timestamp" in name for name in element) or element.get("keywords"):
            return True
        return any(cls.says(value) for name, value in element.items()
                   if name not in ("exclude", "required") and not name.endswith("Strategy"))

    @classmethod
    def says(cls, value):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return any(cls.restricts(one) for one in value)
        return value not in (None, [], {})

    def by_submission(self, criteria):
        def one(submission, entry):
            answer = submission.answer
            agents = [agent for agent in entry.get("userAgent", []) if agent.get("name") or agent.get("version")]
            return (not (entry.get("fileName") and answer["fileName"] not in entry["fileName"])
                    and not (entry.get("mimeType") and answer["mimeType"] not in entry["mimeType"])
                    and (not agents or any(
                        (not agent.get("name") or answer["userAgent"]["name"] in agent["name"])
                        and (not agent.get("version") or answer["userAgent"]["version"] in agent["version"])
                        for agent in agents))
                    and self.combine(entry.get("metaData", []), lambda meta: meta["path"] in answer["metaData"] and (
                        not meta.get("value") or answer["metaData"][meta["path"]] in meta["value"]), lambda meta: True)
                    and not entry.get("includeFlags"))  # no submission has a flag here

        return self.combine(criteria.get("submission", []),
                            lambda entry: any(one(submission, entry) for submission in self.submissions), self.restricts)

    def by_verdict(self, criteria):
        def one(verdict, entry):
            return (entry.get("minimumScore", -1) <= verdict["score"] <= entry.get("maximumScore", 100)
                    and not entry.get("tags") and (not entry.get("includeFlags") or "manual" in entry["includeFlags"])
                    and "manual" not in entry.get("excludeFlags", []))

        return self.combine(criteria.get("verdict", []),
                            lambda entry: any(one(verdict, entry) for verdict in self.verdicts), self.restricts)

    def by_absent(self, criteria):
        return all(self.combine(criteria.get(name, []), lambda entry: False, self.restricts)
                   for name in ("classification", "analysis", "link", "fact"))

    def nested(self, criteria):
        return self.combine(criteria.get("subCriteria", []), self.matches, self.restricts)


class Search(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", 7)
        directory.customer("foreign", 8)
        directory.customer("branch", 9, parent="own")
        cls.keys = {"admin": cls.server.admin_key()}
        for name, customer in HOME.items():
            directory.user(name, customer)
            cls.keys[name] = directory.key(name, ["SAMPLEDB-ANALYZER"])
        cls.rest = Rest(cls.server.port, cls.keys["admin"])
        cls.grpc = Grpc(cls.server.port, cls.keys["admin"])
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)
        cls.random = random.Random(SEED)
        cls.world = {}
        for _ in range(50):
            cls.add_sample()
        digests = sorted(cls.world)
        for digest in cls.random.sample(digests, 4):
            answer = cls.rest.request("DELETE", f"{SAMPLE}/{digest}")
            assert answer.status == 200, answer
            cls.world[digest] = (cls.rest.get(f"{SAMPLE}/{digest}").data, [], [])

    @classmethod
    def add_sample(cls):
        chance = cls.random
        data = chance.randbytes(chance.choice([1, 300, 2000, 2000]))
        digest = hashlib.sha256(data).hexdigest()
        submissions, verdicts = [], []
        for _ in range(chance.randint(1, 4)):
            user = chance.choice(sorted(HOME))
            token = cls.rest.request("POST", SAMPLE, body=data, key=cls.keys[user]).data["challenge"]
            agent = chance.choice(AGENTS)
            acl = chance.choice([[], [], ["stranger"], ["second", "user"]])
            body = {"fileName": chance.choice(NAMES), "mimeType": chance.choice(TYPES), "tlp": chance.choice(TLPS),
                    "metaData": chance.choice(META), "userAgent": {"name": agent[0], "version": agent[1]}, "acl": acl,
                    "observedTimestamp": 1500000000000 + chance.randint(0, 20), "challengeToken": token,
                    "customer": chance.choice(sorted(COVERED[user]))}
            if chance.random() < 0.4:
                body["retention"] = 4000000000000 + chance.randint(0, 10)
            answer = cls.rest.post(f"{SAMPLE}/{digest}/submission", body, key=cls.keys[user])
            if answer.status == 220:
                continue
            assert answer.status == 201, answer
            submissions.append(Submission(answer.data, user, acl))
        for _ in range(chance.choice([0, 0, 1, 2])):
            answer = cls.rest.post(f"{SAMPLE}/{digest}/verdict", {
                "comment": chance.choice(["clean", "Evil thing", "seen before"]),
                "statusOverride": chance.choice(["malicious", "benign"])})
            assert answer.status == 201, answer
            verdicts.append(answer.data)
        cls.world[digest] = (cls.rest.get(f"{SAMPLE}/{digest}").data, submissions, verdicts)

    # ---- random criteria, mostly about values that occur

    def some(self, values, most=2):
        values = list(values)
        return self.random.sample(values, min(len(values), self.random.randint(1, most)))

    def pick(self):
        return self.random.choice(list(self.world.values()))

    def word(self):
        sample, submissions, _ = self.pick()
        texts = [sample[name] for name in DIGESTS] + list(itertools.chain(*(one.texts() for one in submissions)))
        text = self.random.choice(texts + ["evil thing", "before", "no such word"])
        start = self.random.randrange(len(text))
        word = text[start:start + self.random.randint(1, 6)]
        return word.upper() if self.random.random() < 0.5 and word.upper().casefold() == word.casefold() else word

    def moment(self):
        sample, submissions, _ = self.pick()
        values = [sample["createdTimestamp"], sample["lastSubmittedTimestamp"], 1500000000000 + self.random.randint(0, 20),
                  4000000000000 + self.random.randint(0, 10)]
        values += [one.answer["submittedTimestamp"] for one in submissions]
        return self.random.choice([value for value in values if value is not None])

    def flags(self, entry):
        for name, chance in (("exclude", 0.25), ("required", 0.25)):
            if self.random.random() < chance:
                entry[name] = True
        return entry

    def entry(self):
        members = {"fileName": lambda: self.some(NAMES), "mimeType": lambda: self.some(TYPES),
                   "metaData": lambda: [self.flags({"path": self.random.choice(["host", "a.b", "none"]),
                                                    "value": self.random.choice([[], ["alpha"], ["7", "8"], ["beta"]])})
                                        for _ in range(self.random.randint(1, 2))],
                   "userAgent": lambda: [{"name": self.some(["agent", "other tool", "x"], 1)},
                                         {"name": ["agent"], "version": self.some(["1", "2"], 1)}][:self.random.randint(1, 2)],
                   "includeFlags": lambda: ["trustedAgent"], "excludeFlags": lambda: ["trustedAgent"]}
        picked = self.random.sample(sorted(members), self.random.choice([0, 1, 1, 2]))
        return self.flags({name: members[name]() for name in picked})

    def verdict(self):
        return self.flags(self.random.choice([
            {}, {"minimumScore": 50}, {"maximumScore": 50}, {"minimumScore": 0, "maximumScore": 0}, {"includeFlags": ["manual"]},
            {"excludeFlags": ["manual"]}, {"includeFlags": ["shared"]}, {"tags": [{"type": "yara", "value": "x"}]},
            {"minimumScore": 101 - 1, "includeFlags": ["manual", "shared"]}]))

    def criteria(self, depth=0):
        chance = self.random
        made = {
            "digest": lambda: {(name := chance.choice(DIGESTS)): [
                chance.choice([str.upper, str.lower])(self.pick()[0][name]) for _ in range(chance.randint(1, 12))]},
            "keywords": lambda: {"keywords": [self.word() or "x" for _ in range(chance.randint(1, 2))],
                                 "keywordFieldStrategy": chance.choice([[], ["all"], ["sha1", "all"], ["submission"], self.some(
                                     [*DIGESTS, "submission", "verdict", "analysis", "fact"], 3)]),
                                 "keywordMatchStrategy": chance.choice(["any", "all"])},
            "times": lambda: {**{name: self.moment() for name in self.some(["startTimestamp", "endTimestamp"])},
                              "timeFieldStrategy": chance.choice([[], ["all"], self.some(
                                  ["sampleCreated", "classificationCreated", "submissionCreated", "submissionObserved",
                                   "submissionExpiry", "firstSubmitted", "lastSubmitted", "analysisCreated", "linkCreated"], 3)]),
                              "timeMatchStrategy": chance.choice(["any", "all"])},
            "customer": lambda: {"customer": self.some(["own", "OWN", "branch", 8, 9, "nobody"], 2)},
            "tlp": lambda: {"tlp": self.some([*TLPS, "white", "red"], 2)},
            "user": lambda: {"user": self.some([*HOME, "nobody"], 2), "userMatchStrategy": chance.choice(["any", "all"]),
                             "userFieldStrategy": chance.choice([[], ["all"], self.some(
                                 ["submittedByUser", "analysedByUser", "linkedByUser"], 2)])},
            "submission": lambda: {"submission": [self.entry() for _ in range(chance.randint(1, 3))]},
            "verdict": lambda: {"verdict": [self.verdict() for _ in range(chance.randint(1, 2))]},
            "absent": lambda: {chance.choice(["classification", "fact", "link", "analysis"]): [
                self.flags(chance.choice([{}, {"userAgent": [{"name": ["x"]}]}]))]},
            "sub": lambda: {"subCriteria": [self.flags(self.criteria(depth + 1)) for _ in range(chance.randint(1, 3))]},
        }
        if depth == 2:
            del made["sub"]
        result = {}
        for name in chance.sample(sorted(made), chance.choice([1, 1, 1, 2, 2, 3])):
            result.update(made[name]())
        # An empty classification takes no user agents, it has none.
        for entry in result.get("classification", []):
            if entry.pop("userAgent", None):
                entry["type"] = ["x"]
        return result

    ORDERS = {
        "sampleCreatedTimestamp": lambda sample: sample["createdTimestamp"],
        "sampleSize": lambda sample: sample["size"],
        "lastAddedSubmission": lambda sample: sample["lastSubmittedTimestamp"],
        "sampleClassificationType": lambda sample: 0, "lastAddedLink": lambda sample: 0, "lastAddedAnalysis": lambda sample: 0,
    }

    def order(self, samples, keys):
        """Sorted by the last key first; null comes last in both directions."""
        samples = sorted(samples, key=lambda sample: sample["sha256"])
        for key in reversed(keys or ["-sampleCreatedTimestamp"]):
            value = self.ORDERS[key.lstrip("-")]
            known = [sample for sample in samples if value(sample) is not None]
            known.sort(key=value, reverse=key.startswith("-"))
            samples = known + [sample for sample in samples if value(sample) is None]
        return samples

    def expected(self, criteria, caller):
        found = []
        for sample, submissions, verdicts in self.world.values():
            truth = Truth(sample, submissions, verdicts, caller)
            if truth.seen() and truth.matches(criteria):
                found.append(sample)
        return found

    def test_random_criteria(self):
        hits = 0
        for number in range(CASES):
            criteria = self.criteria()
            caller = self.random.choice(sorted(COVERED))
            keys = self.random.choice([[], self.some([*self.ORDERS, "-sampleSize"], 3), ["-lastAddedSubmission"],
                                       ["lastAddedSubmission"]])
            if len({key.lstrip("-") for key in keys}) < len(keys):
                keys = []
            limit, offset = self.random.choice([(0, 0), (0, 0), (3, 0), (2, 3)])
            page = {"limit": limit, "offset": offset, "sortBy": keys}
            answer = self.rest.post(SAMPLE + "/search", {**criteria, **ALWAYS, **page}, key=self.keys[caller])
            self.assertEqual(answer.status, 200, (criteria, answer))
            found = self.order(self.expected(criteria, caller), keys)
            hits += bool(found)
            shown = found[offset:offset + limit] if limit else found[offset:]
            self.assertEqual(([row["sha256"] for row in answer.data], answer.json["count"]),
                             ([row["sha256"] for row in shown], len(found)), (number, caller, keys, criteria))
        self.assertGreater(hits, CASES // 5)

    def test_simple_list(self):
        for caller in sorted(COVERED):
            for keywords in ("exe", "ALPHA", "zzz"):
                for strategy in ("", "&keywordFieldStrategy=submission", "&keywordFieldStrategy=sha256&keywordFieldStrategy=md5"):
                    query = f"?limit=0&indexStartTimestamp=0&keywords={keywords}{strategy}"
                    answer = self.rest.get(SAMPLE + query, key=self.keys[caller])
                    fields = [word.split("=")[1] for word in strategy.split("&") if word]
                    found = self.order(self.expected({"keywords": [keywords], "keywordFieldStrategy": fields}, caller), [])
                    self.assertEqual([row["sha256"] for row in answer.data], [row["sha256"] for row in found], query)

    def test_rows_are_those_of_a_get_on_both_faces(self):
        answer = self.rest.post(SAMPLE + "/search", {"limit": 0}, key=self.keys["user"])
        self.assertGreater(len(answer.data), 5)
        for row in answer.data:
            self.assertEqual(row, self.rest.get(f"{SAMPLE}/{row['sha256']}", key=self.keys["user"]).data)
        method = contract.method(SERVICE + "SearchSamples")
        told = self.grpc.call(method.full_name, method.request(limit=0), key=self.keys["user"])
        self.assertEqual([row.sha256 for row in told.data], [row["sha256"] for row in answer.data])
        stream = contract.method(SERVICE + "StreamSamples")
        rows, page = self.grpc.rows(stream.full_name, stream.request(limit=0), key=self.keys["user"])
        self.assertEqual(([row.sha256 for row in rows], page[2]), ([row.sha256 for row in told.data], told.count))

    def test_index_window(self):
        for body, some in (({}, True), ({"indexEndTimestamp": "now - 1 day"}, False), ({"indexStartTimestamp": "now + 1 day"}, False),
                           ({"indexStartTimestamp": 5, "indexEndTimestamp": 4}, False), ({"indexStartTimestamp": "-1 hour"}, True)):
            answer = self.rest.post(SAMPLE + "/search", body)
            self.assertEqual((answer.status, answer.json["count"] > 0), (200, some), body)

    def test_what_is_refused(self):
        deep = {"sha1": ["0" * 40]}
        for _ in range(9):
            deep = {"subCriteria": [deep]}
        for body, field in (({"keywords": [""]}, "keywords[0]"), ({"limit": 10001}, "limit"), ({"offset": 10001}, "offset"),
                            ({"limit": -1}, "limit"), ({"sha256": ["0" * 63]}, "sha256[0]"), ({"sortBy": ["size"]}, "sortBy[0]"),
                            ({"sortBy": ["sampleSize", "-sampleSize"]}, "sortBy"), ({"keywordFieldStrategy": ["id"]}, "keywordFieldStrategy[0]"),
                            ({"submission": [{"metaData": [{"value": ["x"]}]}]}, "submission[0].metaData[0].path"),
                            ({"submission": [{"customer": ["x"]}]}, "submission[0].customer"), ({"includeDeleted": True}, "includeDeleted"),
                            ({"verdict": [{"minimumScore": 101}]}, "verdict[0].minimumScore"),
                            ({"submission": [{"fileName": [str(number)]} for number in range(64)]}, "submission"),
                            (deep, "subCriteria[0]." * 8 + "subCriteria")):
            answer = self.rest.post(SAMPLE + "/search", body)
            self.assertEqual((answer.status, answer.field), (412, field), (body, answer))
        most = {"submission": [{"fileName": [str(number)]} for number in range(63)]}
        self.assertEqual(self.rest.post(SAMPLE + "/search", most).status, 200)
        self.assertEqual(self.rest.post(SAMPLE + "/search", {"limit": 10000, "offset": 10000}).status, 200)


if __name__ == "__main__":
    main()
