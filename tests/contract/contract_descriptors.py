"""The contract's descriptors, for the tests of this folder.

Runs protoc over every file of proto/ and hands out the descriptors with their comments and options. The options need
modules of their own (google.api.http, vigil.*), which are made in a temporary folder.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROTO = os.path.join(SOURCE, "proto")
GOOGLEAPIS = os.environ.get(
    "VIGIL_GOOGLEAPIS", "/usr/share/gocode/src/github.com/gogo/googleapis"
)
INCLUDES = ["-I" + PROTO, "-I" + GOOGLEAPIS, "-I/usr/include"]


class Contract:
    """All messages, enumerations and methods of proto/, by full name."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vigil-contract-")
        files = sorted(
            os.path.relpath(path, PROTO)
            for path in glob.glob(os.path.join(PROTO, "vigil", "**", "*.proto"), recursive=True)
        )
        set_path = os.path.join(self.folder.name, "contract.bin")
        run = ["protoc", *INCLUDES]
        subprocess.run(
            [*run, "--include_source_info", "--descriptor_set_out=" + set_path, *files], check=True
        )
        subprocess.run(
            [
                *run,
                "--python_out=" + self.folder.name,
                "google/api/annotations.proto",
                "google/api/http.proto",
                "vigil/options.proto",
            ],
            check=True,
        )
        # google.api comes from the temporary folder, google.protobuf from its package.
        import google

        google.__path__.append(os.path.join(self.folder.name, "google"))
        sys.path.insert(0, self.folder.name)
        from google.api import annotations_pb2
        from vigil import options_pb2

        self.http = annotations_pb2.http
        self.options = options_pb2
        # Read after the imports, so that options are known by then and not left as unknown fields.
        with open(set_path, "rb") as file:
            self.files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
        self.messages, self.enums, self.methods, self.comments = {}, {}, {}, {}
        for file in self.files:
            self._add_file(file)

    def close(self):
        self.folder.cleanup()

    def _add_file(self, file):
        texts = {
            tuple(location.path): location.leading_comments.strip()
            for location in file.source_code_info.location
        }
        for index, message in enumerate(file.message_type):
            self._add_message(file.package + "." + message.name, message, (4, index), texts)
        for index, enum in enumerate(file.enum_type):
            name = file.package + "." + enum.name
            self.enums[name] = enum
            self.comments[name] = texts.get((5, index), "")
        for index, service in enumerate(file.service):
            name = file.package + "." + service.name
            self.comments[name] = texts.get((6, index), "")
            for row, method in enumerate(service.method):
                self.methods[name + "/" + method.name] = method
                self.comments[name + "/" + method.name] = texts.get((6, index, 2, row), "")

    def _add_message(self, name, message, path, texts):
        self.messages[name] = message
        if message.options.map_entry:
            return
        self.comments[name] = texts.get(path, "")
        for index, field in enumerate(message.field):
            self.comments[name + "." + field.name] = texts.get((*path, 2, index), "")
        for index, nested in enumerate(message.nested_type):
            self._add_message(name + "." + nested.name, nested, (*path, 3, index), texts)

    def words(self, enum):
        """The documented words of an enumeration, in order of declaration."""
        rule = enum.options.Extensions[self.options.words].words
        prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", enum.name).upper() + "_"
        words = []
        for value in enum.value:
            if value.number == 0:
                continue
            special = value.options.Extensions[self.options.value].word
            parts = value.name[len(prefix) :].split("_")
            if special:
                words.append(special)
            elif rule == self.options.WORD_CASE_UPPER:
                words.append("_".join(parts))
            elif rule == self.options.WORD_CASE_CAMEL:
                words.append(parts[0].lower() + "".join(part.capitalize() for part in parts[1:]))
            else:
                words.append("_".join(parts).lower())
        return words

    def routes(self, method):
        """The (verb, path) pairs of a method, with the JSON names of its variables."""
        rule = method.options.Extensions[self.http]
        found = []
        for binding in [rule, *rule.additional_bindings]:
            for verb in ("get", "post", "put", "delete", "patch"):
                path = getattr(binding, verb)
                if path:
                    found.append((verb.upper(), self._documented_path(method, path)))
        return found

    def _documented_path(self, method, path):
        request = self.messages[method.input_type[1:]]
        names = {field.name: field.json_name for field in request.field}
        return re.sub(r"\{(\w+)\}", lambda match: "{" + names[match.group(1)] + "}", path)
