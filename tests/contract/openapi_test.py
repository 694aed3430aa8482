#!/usr/bin/env python3
"""Tests of the OpenAPI documents: well-formed, complete, and in agreement with the documents of the served interface."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ARGUMENTS = argparse.Namespace()

# Our schema, the documented one.
PAIRS = [
    ("events", "events.v1.SearchCriteria", "no.mnemonic.jargus.dao.criteria.event.AggregatedEventSearchCriteria"),
    ("events", "events.v1.AggregatedEvent", "no.mnemonic.jargus.event.AggregatedIPAttackEvent"),
    ("events", "events.v2.Event", "no.mnemonic.services.event.spi.v2.response.EventResponse"),
    ("events", "events.v2.TimestampInfo", "no.mnemonic.services.event.spi.v2.response.info.TimestampInfo"),
    ("events", "events.v2.Endpoint", "no.mnemonic.services.event.spi.v2.response.Endpoint"),
    ("events", "events.v2.SubmitEndpoint", "no.mnemonic.services.event.rest.v2.request.EventEndPoint"),
]


def documents():
    return {path.stem: json.loads(path.read_text()) for path in sorted(ARGUMENTS.documents.glob("*.json"))}


def walk(value):
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for child in children:
        yield from walk(child)


def operations(document):
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


class Documents(unittest.TestCase):
    def each(self):
        all_documents = documents()
        self.assertLessEqual({"account", "admin", "events"}, set(all_documents))
        return all_documents.items()

    def test_references_lead_somewhere_and_nothing_is_unused(self):
        for api, document in self.each():
            schemas = document["components"]["schemas"]
            references = {part["$ref"] for part in walk(document) if isinstance(part, dict) and "$ref" in part}
            self.assertEqual(references, {f"#/components/schemas/{name}" for name in schemas}, api)

    def test_operations_have_what_clients_need(self):
        for api, document in self.each():
            self.assertEqual(document["openapi"], "3.1.0")
            names = [operation["operationId"] for _, _, operation in operations(document)]
            self.assertEqual(len(names), len(set(names)), f"{api}: two operations have one operationId")
            for path, verb, operation in operations(document):
                with self.subTest(f"{verb} {path}"):
                    self.check_operation(path, operation)
                    self.check_conditions(verb, operation)

    def check_operation(self, path, operation):
        for member in ("summary", "description", "tags", "x-Argus-Required-Permissions"):
            self.assertIn(member, operation)
        self.assertTrue(operation["summary"])
        statuses = set(operation["responses"])
        self.assertLessEqual({"401", "402", "403", "412", "503"}, statuses)
        self.assertTrue(any(status.startswith("2") for status in statuses))
        self.assertIn({"413", "415"} & statuses, ({"413", "415"}, set()))
        if "requestBody" in operation:
            self.assertIn("413", statuses)
        variables = re.findall(r"{([^}]+)}", path)
        self.assertEqual("404" in statuses, bool(variables))
        in_path = [parameter for parameter in operation["parameters"] if parameter["in"] == "path"]
        self.assertEqual([parameter["name"] for parameter in in_path], variables)
        self.assertTrue(all(parameter["required"] for parameter in in_path))
        names = [(parameter["in"], parameter["name"]) for parameter in operation["parameters"]]
        self.assertEqual(len(names), len(set(names)))

    def check_conditions(self, verb, operation):
        """An answer with an entity tag can be asked for on condition; a change can where the contract says so."""
        success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        has_tag = "ETag" in success.get("headers", {})
        headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
        self.assertEqual("304" in operation["responses"], has_tag)
        self.assertEqual("If-None-Match" in headers, has_tag)
        self.assertEqual("content" in operation["responses"].get("304", {}), False)
        if has_tag:
            self.assertEqual(verb, "get")
        if verb == "get":
            self.assertNotIn("413", operation["responses"])
        self.assertEqual("If-Match" in headers, "If-Match" in operation["responses"]["412"]["description"])

    def test_conditions_are_those_of_the_server(self):
        found = {operation["operationId"]: {parameter["name"] for parameter in operation["parameters"]}
                 for _, document in self.each() for _, _, operation in operations(document)}
        self.assertEqual({name for name, headers in found.items() if "If-Match" in headers},
                         {"assessEventV2", "assessEventV2_2", "assessEventV2_3"} & set(found))
        tagged = {name for name, headers in found.items() if "If-None-Match" in headers}
        self.assertLessEqual({"getEventV1", "getEventV2", "getCurrentUserV1", "getSampleV2"}, tagged)
        self.assertFalse(tagged & {"listCasesV1", "submitEventV2", "getRawSampleV2"})

    def test_answers_without_end_are_described_as_they_come(self):
        """Lines and events, never an envelope; what goes on where another ended; and that this may be too late."""
        found = {operation["operationId"]: operation for _, document in self.each() for _, _, operation in operations(document)}
        for name in ("watchV2", "watchV2_2"):
            operation = found[name]
            content = operation["responses"]["200"]["content"]
            self.assertEqual(set(content), {"application/jsonl", "text/event-stream"})
            for media in content.values():
                self.assertEqual(media["x-itemSchema"], {"$ref": "#/components/schemas/events.v2.WatchAnswer"})
            self.assertIn("410", operation["responses"])
            self.assertIn("Last-Event-ID", {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"})
        self.assertNotIn("410", found["searchEventsV2"]["responses"])

    def test_every_member_says_what_it_is(self):
        for api, document in self.each():
            for part in walk(document["components"]["schemas"]):
                if isinstance(part, dict) and part.get("type") == "object" and "properties" in part:
                    for name, schema in part["properties"].items():
                        self.assertTrue({"type", "$ref", "oneOf", "description"} & set(schema), f"{api}: {name}")

    def test_patterns_are_whole_and_compile(self):
        for api, document in self.each():
            for part in walk(document):
                if isinstance(part, dict) and isinstance(part.get("pattern"), str):
                    self.assertRegex(part["pattern"], r"(?s)^\^.*\$$", api)
                    re.compile(part["pattern"])

    def test_documented_members_are_there(self):
        shared = pathlib.Path(os.environ.get("VIGIL_SHARED", ARGUMENTS.source.parent / "shared"))
        vendor = shared / "reference" / "openapi" / "events.json"
        if not vendor.exists():
            self.skipTest(f"{vendor} is not here: nothing was compared")
        documented = json.loads(vendor.read_text())["components"]["schemas"]
        ours = documents()
        for api, name, other in PAIRS:
            with self.subTest(name):
                mine = ours[api]["components"]["schemas"][name]["properties"]
                theirs = documented[other]["properties"]
                self.assertEqual(sorted(set(theirs) - set(mine)), [])
                for member, schema in theirs.items():
                    self.compare(member, mine[member], schema)

    def compare(self, member, mine, theirs):
        """Types agree, except time input, which is text here and there either text or milliseconds."""
        time = "relative to now" in mine.get("description", "")
        if "type" in mine and "type" in theirs and not time:
            self.assertEqual(mine["type"], theirs["type"], member)
        if "enum" in mine and "enum" in theirs:
            self.assertEqual(sorted(mine["enum"]), sorted(theirs["enum"]), member)

    def test_nothing_of_the_contract_is_without_a_comment(self):
        with tempfile.TemporaryDirectory() as scratch:
            root = ARGUMENTS.source / "proto"
            protos = sorted(str(path.relative_to(root)) for path in root.glob("vigil/**/*.proto"))
            includes = [part for include in [root, *ARGUMENTS.include] for part in ("-I", str(include))]
            subprocess.run(
                [ARGUMENTS.protoc, f"--plugin=protoc-gen-vigil={ARGUMENTS.plugin}", f"--vigil_out={scratch}",
                 "--vigil_opt=uncommented", *includes, *protos], check=True, timeout=60)
            self.assertEqual((pathlib.Path(scratch) / "uncommented.txt").read_text(), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protoc", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--documents", required=True, type=pathlib.Path)
    parser.add_argument("--include", action="append", required=True)
    parser.parse_args(namespace=ARGUMENTS)
    unittest.main(argv=[sys.argv[0]])


if __name__ == "__main__":
    main()
