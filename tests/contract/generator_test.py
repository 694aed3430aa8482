#!/usr/bin/env python3
"""Tests of protoc-gen-vigil: golden tables, refusals, and the generated C itself.

golden/<feature>.proto is dumped and compared with <feature>.txt; its C is compiled with -Wall -Werror, and linked with
table_walk.c, which compares every table with what protoc-c says about the same structs. refuse/<rule>.proto must be
refused with exactly the lines of <rule>.txt; a rule of the generator without a file is a failure.
With --update the .txt files are written instead of compared: read the difference before it is committed.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SHARED_PROTOS = ["vigil/options.proto", "google/api/http.proto", "google/api/annotations.proto",
                 "google/protobuf/descriptor.proto"]
ARGUMENTS = argparse.Namespace()


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **more)


def protoc(folder, *arguments):
    includes = ["-I", folder]
    for include in ARGUMENTS.include:
        includes += ["-I", include]
    return run(ARGUMENTS.protoc, f"--plugin=protoc-gen-vigil={ARGUMENTS.plugin}",
               f"--plugin=protoc-gen-c={ARGUMENTS.protoc_c}", *includes, *arguments)


def options_of(proto):
    """The generator's parameters that the first line of a file asks for."""
    first = proto.read_text().splitlines()[0]
    return ["--vigil_opt=" + first.removeprefix("// options: ")] if first.startswith("// options: ") else []


def compile_c(folder, sources, output, *more):
    return run(ARGUMENTS.cc, "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-I", folder, "-I", folder / "build",
               "-I", ARGUMENTS.source, *sources, "-o", output, *more)


class Golden(unittest.TestCase):
    def compare(self, expected, actual):
        if ARGUMENTS.update:
            expected.write_text(actual)
            return
        self.assertTrue(expected.exists(), f"{expected} is missing")
        self.assertEqual(expected.read_text(), actual)

    def test_dump_is_as_recorded(self):
        protos = sorted((HERE / "golden").glob("*.proto"))
        self.assertGreaterEqual(len(protos), 8)
        for proto in protos:
            with self.subTest(proto.stem), tempfile.TemporaryDirectory() as scratch:
                result = protoc(proto.parent, f"--vigil_out={scratch}", "--vigil_opt=dump", *options_of(proto),
                                proto.name, *SHARED_PROTOS)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.compare(proto.with_suffix(".txt"), (pathlib.Path(scratch) / "contract.txt").read_text())

    def test_openapi_is_as_recorded(self):
        with tempfile.TemporaryDirectory() as scratch:
            result = protoc(HERE / "golden", f"--vigil_out={scratch}", "openapi.proto", *SHARED_PROTOS)
            self.assertEqual(result.returncode, 0, result.stderr)
            document = json.loads((pathlib.Path(scratch) / "openapi" / "golden.json").read_text())
            self.compare(HERE / "golden" / "openapi.json", json.dumps(document, indent=1) + "\n")
            embedded = (pathlib.Path(scratch) / "contract_openapi.c").read_text()
            self.assertIn('{ "golden", document_golden, sizeof document_golden - 1 }', embedded)

    def test_uncommented_things_are_named(self):
        with tempfile.TemporaryDirectory() as scratch:
            result = protoc(HERE / "golden", f"--vigil_out={scratch}", "--vigil_opt=uncommented", "methods.proto",
                            *SHARED_PROTOS)
            self.assertEqual(result.returncode, 0, result.stderr)
            lines = (pathlib.Path(scratch) / "uncommented.txt").read_text().splitlines()
            self.assertIn("field vigil.golden.v1.Event.id", lines)
            self.assertIn("message vigil.golden.v1.Event", lines)
            self.assertIn("method /vigil.golden.v1.EventService/SearchEvents", lines)
            self.assertNotIn("method /vigil.golden.v1.EventService/SubmitEvent", lines)

    def test_no_record_without_its_proto(self):
        for folder in ("golden", "refuse"):
            for text in (HERE / folder).glob("*.txt"):
                self.assertTrue(text.with_suffix(".proto").exists(), f"{text} belongs to nothing")

    def test_generated_c_compiles_and_agrees_with_protoc_c(self):
        for proto in sorted((HERE / "golden").glob("*.proto")):
            with self.subTest(proto.stem), tempfile.TemporaryDirectory() as scratch:
                self.check_c(proto, pathlib.Path(scratch))

    def check_c(self, proto, scratch):
        # As in the build: messages below one include folder, tables as "proto/contract_json.h" below another.
        tables = scratch / "build" / "proto"
        tables.mkdir(parents=True)
        result = protoc(proto.parent, f"--vigil_out={tables}", f"--c_out={scratch}", *options_of(proto), proto.name,
                        *SHARED_PROTOS)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(len(list(tables.glob("contract_*.c"))), 4)
        for source in sorted(tables.glob("contract_*.c")):
            result = compile_c(scratch, ["-c", source], source.with_suffix(".o"))
            self.assertEqual(result.returncode, 0, result.stderr)
        objects = [tables / f"contract_{part}.o" for part in ("json", "rules", "descriptors", "openapi")]
        messages = list(scratch.rglob("*.pb-c.c"))
        walk = [HERE / "table_walk.c", ARGUMENTS.source / "proto" / "contract.c", *messages, *objects]
        result = compile_c(scratch, walk, scratch / "walk", *ARGUMENTS.link)
        self.assertEqual(result.returncode, 0, result.stderr)
        result = run(scratch / "walk")
        self.assertEqual(result.returncode, 0, result.stderr)
        methods = [tables / "contract_methods.o", tables / "contract_routes.o"]
        result = compile_c(scratch, walk + methods, scratch / "linked", *ARGUMENTS.link)
        if "service " in proto.read_text():
            self.assertNotEqual(result.returncode, 0, "a missing handler must be a link error")
            self.assertRegex(result.stderr, "undefined reference to `vg_(golden|other)_v1_")
        else:
            self.assertEqual(result.returncode, 0, result.stderr)


class Refusals(unittest.TestCase):
    def rules(self):
        with tempfile.TemporaryDirectory() as scratch:
            result = protoc(HERE / "golden", f"--vigil_out={scratch}", "--vigil_opt=rules", "kinds.proto")
            self.assertEqual(result.returncode, 0, result.stderr)
            return (pathlib.Path(scratch) / "rules.txt").read_text().split()

    def test_every_rule_has_a_file_and_every_file_a_rule(self):
        files = sorted(path.stem for path in (HERE / "refuse").glob("*.proto"))
        self.assertEqual(sorted(self.rules()), files)

    def test_each_is_refused_with_its_sentences(self):
        for rule in self.rules():
            with self.subTest(rule), tempfile.TemporaryDirectory() as scratch:
                proto = HERE / "refuse" / f"{rule}.proto"
                result = protoc(HERE / "refuse", f"--vigil_out={scratch}", *options_of(proto), proto.name,
                                *SHARED_PROTOS)
                self.assertNotEqual(result.returncode, 0, "was not refused")
                lines = [line.removeprefix("--vigil_out: ") for line in result.stderr.splitlines()
                         if "warning" not in line]
                actual = "\n".join(lines) + "\n"
                for line in lines:
                    self.assertRegex(line, rf"^{rule}\.proto:\d+: [^A-Z].* \[{rule}\]$")
                expected = HERE / "refuse" / f"{rule}.txt"
                if ARGUMENTS.update:
                    expected.write_text(actual)
                else:
                    self.assertEqual(expected.read_text(), actual)

    def test_only_files_with_services_are_served_as_they_are(self):
        for name, sentence in (("other/none.proto", "is not among the files"),
                               ("google/protobuf/descriptor.proto", "has no service")):
            for word in ("serve", "public"):
                with self.subTest(name), tempfile.TemporaryDirectory() as scratch:
                    result = protoc(HERE / "golden", f"--vigil_out={scratch}", f"--vigil_opt={word}={name}",
                                    "kinds.proto", *SHARED_PROTOS)
                    self.assertNotEqual(result.returncode, 0)
                    self.assertIn(f"file `{name}` is to be served as it is, but {sentence} [served-file]",
                                  result.stderr)

    def test_at_most_sixteen_files_are_served_as_they_are(self):
        options = [f"--vigil_opt=serve={number}.proto" for number in range(17)]
        for count, sentence in ((16, "[served-file]"), (17, "--vigil_opt=serve=16.proto is not known")):
            with self.subTest(count), tempfile.TemporaryDirectory() as scratch:
                result = protoc(HERE / "golden", f"--vigil_out={scratch}", *options[:count], "methods.proto",
                                *SHARED_PROTOS)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(sentence, result.stderr)

    def test_an_unknown_parameter_is_named(self):
        with tempfile.TemporaryDirectory() as scratch:
            result = protoc(HERE / "golden", f"--vigil_out={scratch}", "--vigil_opt=dumb", "kinds.proto")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("--vigil_opt=dumb is not known", result.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protoc", required=True)
    parser.add_argument("--protoc-c", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--cc", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--include", action="append", required=True)
    parser.add_argument("--link", action="append", default=[])
    parser.add_argument("--update", action="store_true")
    parser.parse_args(namespace=ARGUMENTS)
    unittest.main(argv=[sys.argv[0]])


if __name__ == "__main__":
    main()
