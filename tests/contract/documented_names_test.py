"""The contract has every documented name of what is served, and no other.

documented_names.txt lists the schemas, members, words, paths and parameters of the documented interface; each is
looked up in the descriptors of proto/ by its JSON name. What is missing, and what is ours alone, stands there with the
reason. If the interface's own OpenAPI document is at hand (VIGIL_SHARED), the list itself is checked against it.
"""

import json
import os
import unittest

from contract_descriptors import SOURCE, Contract

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "documented_names.txt")
SHARED = os.environ.get("VIGIL_SHARED", os.path.join(SOURCE, "..", "shared"))
OPENAPI = os.path.join(SHARED, "reference", "openapi", "events.json")


# Routes that the documentation does not have.
OWN = {("GET", "/events/v2/event/watch"), ("POST", "/events/v2/event/watch")}


class Entry:
    """A schema or an operation of the list."""

    def __init__(self, kind, name, line):
        self.kind, self.name, self.line = kind, name, line
        self.target = None
        self.absent = None
        self.members = {}  # name -> documented words, empty if it is no enumeration
        self.missing = {}  # documented, not ours: name -> reason
        self.extra = {}  # ours, not documented: name -> reason
        self.also = {}  # name -> words that are ours, not documented


def read_list(path):
    """Read the list; what it cannot mean is an error with its line."""
    entries = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            word, _, rest = line.partition(" ")
            name, _, note = (part.strip() for part in rest.partition(":"))
            if word in ("schema", "operation"):
                entries.append(Entry(word, rest, number))
            elif word == "is":
                entries[-1].target = rest
            elif word == "member":
                entries[-1].members[name] = note.split()
            elif word == "absent" and note:
                entries[-1].absent = note
            elif word == "also" and name in entries[-1].members and note:
                entries[-1].also[name] = note.split(" - ")[0].split()
            elif word in ("missing", "extra") and note:
                getattr(entries[-1], word)[name] = note
            else:
                raise ValueError(f"{path}:{number}: cannot read: {line}")
    return entries


class DocumentedNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.contract = Contract()
        cls.entries = read_list(LIST)

    @classmethod
    def tearDownClass(cls):
        cls.contract.close()

    def _message(self, entry):
        if entry.kind == "schema":
            return self.contract.messages[entry.target]
        method = self.contract.methods[entry.target]
        return self.contract.messages[method.input_type[1:]]

    def test_every_target_exists_or_says_why_not(self):
        for entry in self.entries:
            with self.subTest(entry.name):
                if entry.absent:
                    self.assertIsNone(entry.target)
                    continue
                known = self.contract.messages if entry.kind == "schema" else self.contract.methods
                self.assertIn(entry.target, known)

    def test_every_documented_member_is_there(self):
        for entry in self.entries:
            if entry.absent:
                continue
            ours = {field.json_name for field in self._message(entry).field}
            for name in entry.members:
                with self.subTest(f"{entry.target}: {name}"):
                    if name in entry.missing:
                        self.assertNotIn(name, ours, "listed as missing, but it is there")
                    else:
                        self.assertIn(name, ours)

    def test_every_member_of_a_documented_message_is_documented_or_says_why(self):
        for entry in self.entries:
            if entry.absent or (entry.kind == "operation" and not entry.members):
                continue
            ours = {field.json_name for field in self._message(entry).field}
            with self.subTest(entry.target):
                self.assertEqual(ours - set(entry.members), set(entry.extra))

    def test_words_are_the_documented_ones(self):
        for entry in self.entries:
            if entry.absent:
                continue
            fields = {field.json_name: field for field in self._message(entry).field}
            for name, words in entry.members.items():
                if not words or name in entry.missing:
                    continue
                with self.subTest(f"{entry.target}: {name}"):
                    enum = self.contract.enums.get(fields[name].type_name[1:])
                    self.assertIsNotNone(enum, "documented words, but no enumeration")
                    self.assertCountEqual(self.contract.words(enum), words + entry.also.get(name, []))

    def test_flags_are_numbered_in_the_documented_order(self):
        enum = self.contract.enums["vigil.events.v1.EventFlag"]
        for entry in self.entries:
            if entry.target == "vigil.events.v1.AggregatedEvent":
                self.assertEqual(self.contract.words(enum), entry.members["flags"])
                self.assertEqual([value.number for value in enum.value], list(range(len(enum.value))))
                return
        self.fail("the list has no aggregated event")

    def test_paths_are_the_documented_ones(self):
        served = {
            (verb, path): name
            for name, method in self.contract.methods.items()
            for verb, path in self.contract.routes(method)
        }
        listed = {}
        for entry in self.entries:
            if entry.kind == "operation" and not entry.absent:
                listed[tuple(entry.name.split(" "))] = entry.target
        for route, target in listed.items():
            self.assertEqual(served.get(route), target, route)
        ours = {route for route in served if not route[1].startswith("/admin/")}
        self.assertEqual(ours - set(listed), OWN, "served, but not in the list")

    def test_the_list_agrees_with_the_openapi_document(self):
        if not os.path.exists(OPENAPI):
            self.skipTest(f"no {OPENAPI}: set VIGIL_SHARED")
        with open(OPENAPI, encoding="utf-8") as file:
            document = json.load(file)
        schemas, paths = document["components"]["schemas"], document["paths"]
        for entry in self.entries:
            with self.subTest(entry.name):
                if entry.kind == "schema" and entry.name in schemas and not entry.absent:
                    properties = schemas[entry.name]["properties"]
                    self.assertEqual(set(entry.members), set(properties))
                    for name, schema in properties.items():
                        words = schema.get("enum") or schema.get("items", {}).get("enum") or []
                        self.assertEqual(entry.members[name], words, name)
                elif entry.kind == "operation":
                    verb, path = entry.name.split(" ")
                    if path not in paths:
                        continue
                    names = {
                        parameter["name"]
                        for parameter in paths[path][verb.lower()].get("parameters", [])
                        if parameter["in"] in ("path", "query")
                    }
                    self.assertEqual(set(entry.members), names)


if __name__ == "__main__":
    unittest.main(verbosity=2)
