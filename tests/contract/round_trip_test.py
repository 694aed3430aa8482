"""Round trips of the JSON reader and writer, the wire encoder and decoder, judged by Python.

Fixtures go through reader, encoder, decoder and writer and are compared with what Python's json makes of them: members
that are unset against null, lists of one against lone values. Random messages go both ways between the standard dialect
and google.protobuf.json_format. Fixtures are read from $VIGIL_SHARED; without them that part says so and is left out.
"""

import json
import os
import random
import subprocess
import tempfile
import unittest
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

SOURCE = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("VIGIL_SHARED", SOURCE.parent / "shared"))
DRIVER = os.environ["VIGIL_ROUND_TRIP_DRIVER"]
MESSAGES_PER_TYPE = 8

# Fixture -> message. An answer is the member `data` of its envelope; a list answer each element of it.
REQUESTS = {
    "events_v1_aggregated_search.actworkers.request.json": "vigil.events.v1.SearchCriteria",
    "events_v1_aggregated_search.cidr.request.json": "vigil.events.v1.SearchCriteria",
    "events_v1_aggregated_search.continuous_first.request.json": "vigil.events.v1.SearchCriteria",
    "events_v1_aggregated_search.continuous_next.request.json": "vigil.events.v1.SearchCriteria",
    "events_v1_aggregated_search.signature.request.json": "vigil.events.v1.SearchCriteria",
    "events_v1_aggregated_search.xsoar_defaults.request.json": "vigil.events.v1.SearchCriteria",
    "events_v2_event.customer_ts.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.finalize.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.flags.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.minimal.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.properties.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.update.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event.update_idstring.request.json": "vigil.events.v2.SubmitRequest",
    "events_v2_event_bulk.dropInvalid.request.json": "vigil.events.v2.BulkSubmitRequest",
}
ANSWERS = {
    # v1's Event is one of several shapes and only written; this is the one these events have.
    "events_v1_get_event_AGGR.response.json": "vigil.events.v1.AggregatedEvent",
    "events_v1_get_event.minimal.made.json": "vigil.events.v1.AggregatedEvent",
    "events_v1_aggregated_list.shape.json": "vigil.events.v1.AggregatedEvent",
    "events_v2_get_event.minimal.made.json": "vigil.events.v2.Event",
    "events_v2_event.response_201.json": "vigil.events.v2.SubmitStatus",
    "events_v2_event_bulk.dropInvalid.response_201.json": "vigil.events.v2.BulkSubmitStatus",
    "currentuser_v1_user.shape.json": "vigil.account.v1.CurrentUser",
}
# Spellings that come back under their main name.
ALIASES = {"customerID": "customer", "lastUpdated": "lastUpdatedTimestamp", "-lastUpdated": "-lastUpdatedTimestamp"}


class Driver:
    def __init__(self):
        self.process = subprocess.Popen([DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def convert(self, message, source, target, data):
        self.process.stdin.write(f"{message} {source} {target} {len(data)}\n".encode() + data)
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().split()
        if not answer:
            raise RuntimeError(f"the driver ended on a {message}")
        if answer[0] != "ok":
            return None, " ".join(answer)
        return self.process.stdout.read(int(answer[1])), None

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def is_empty(value):
    return value is None or value == [] or value == {}


def difference(given, written, path=""):
    """Where the two differ, or None. `given` may be lenient in the ways the interface allows."""
    if is_empty(given) and is_empty(written):
        return None
    if isinstance(given, dict) and isinstance(written, dict):
        for name, value in given.items():
            main = name if name in written else ALIASES.get(name, name)
            found = difference(value, written.get(main), f"{path}.{name}")
            if found:
                return found
        extra = [name for name, value in written.items() if name not in given and not is_empty(value)
                 and name not in [ALIASES.get(other) for other in given]]
        return f"{path}: {extra} came from nowhere" if extra else None
    if isinstance(written, list):
        given = given if isinstance(given, list) else [given]
        if len(given) != len(written):
            return f"{path}: {len(given)} elements, not {len(written)}"
        return next(filter(None, (difference(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(given, written)))),
                    None)
    if given == written and isinstance(given, bool) == isinstance(written, bool):
        return None
    # A number where the interface has text.
    if isinstance(written, str) and str(ALIASES.get(given, given)) == written:
        return None
    return f"{path}: {given!r} became {written!r}"


class Fixtures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = SHARED / "fixtures"
        if not cls.folder.is_dir():
            raise unittest.SkipTest(f"no fixtures in {cls.folder}: set VIGIL_SHARED")
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        cls.driver.close()

    def round_trip(self, message, text):
        written, refusal = self.driver.convert(message, "documented", "documented", text)
        self.assertIsNone(refusal)
        self.assertIsNone(difference(json.loads(text), json.loads(written)))
        # What the writer wrote it reads and writes again, byte for byte: order, escapes and numbers are settled.
        again, refusal = self.driver.convert(message, "documented", "documented", written)
        self.assertIsNone(refusal)
        self.assertEqual(again, written)
        # The standard dialect says the same message.
        standard, refusal = self.driver.convert(message, "documented", "standard", text)
        self.assertIsNone(refusal)
        back, refusal = self.driver.convert(message, "standard", "documented", standard)
        self.assertIsNone(refusal)
        self.assertEqual(back, written)

    def test_requests(self):
        for name, message in REQUESTS.items():
            with self.subTest(fixture=name):
                self.round_trip(message, (self.folder / name).read_bytes())

    def test_answers(self):
        for name, message in ANSWERS.items():
            data = json.loads((self.folder / name).read_bytes())["data"]
            for row in data if isinstance(data, list) else [data]:
                with self.subTest(fixture=name):
                    self.round_trip(message, json.dumps(row).encode())

    def test_real_event(self):
        text = (self.folder / "events_v1_aggregated_event.real_actworkers.json").read_bytes()
        self.round_trip("vigil.events.v1.AggregatedEvent", text)


def load_contract():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        files = [str(path) for path in sorted((SOURCE / "proto" / "vigil").rglob("*.proto"))]
        subprocess.run(
            ["protoc", "--include_imports", f"--descriptor_set_out={out}", "-I", str(SOURCE / "proto"),
             "-I", os.environ["VIGIL_GOOGLEAPIS"], "-I", "/usr/include", *files], check=True)
        file_set = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in file_set.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    messages = []

    def collect(descriptor):
        if not descriptor.GetOptions().map_entry:
            messages.append(factory.GetPrototype(descriptor))
        for nested in descriptor.nested_types:
            collect(nested)

    for file in file_set.file:
        if file.package.startswith("vigil."):
            for descriptor in pool.FindFileByName(file.name).message_types_by_name.values():
                collect(descriptor)
    return messages


class Maker:
    """Random messages. The seed decides everything."""

    TEXTS = ["", "a", "plain words", "æøå", "€", "\U0001F600", '"quoted"', "back\\slash", "line\nfeed", "\x01\x7f", "/"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, bits, signed):
        value = self.random.getrandbits(self.random.choice([1, 8, bits - 1, bits - 1]))
        return -value - 1 if signed and self.random.random() < 0.3 else value

    def scalar(self, field):
        kind = field.cpp_type
        if kind == field.CPPTYPE_STRING:
            if field.type == field.TYPE_BYTES:
                return self.random.randbytes(self.random.randrange(9))
            return "".join(self.random.choices(self.TEXTS, k=self.random.randrange(4)))
        if kind == field.CPPTYPE_BOOL:
            return self.random.random() < 0.5
        if kind == field.CPPTYPE_ENUM:
            return self.random.choice(field.enum_type.values).number
        if kind == field.CPPTYPE_DOUBLE:
            return self.random.choice([0.0, -1.5, 52.3824, 1e300, 5e-324, 1 / 3, self.random.uniform(-1e9, 1e9), 1e15])
        bits = 64 if kind in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64) else 32
        return self.number(bits, kind in (field.CPPTYPE_INT32, field.CPPTYPE_INT64))

    def fill(self, message, depth):
        for field in message.DESCRIPTOR.fields:
            if self.random.random() < 0.4:
                continue
            if field.message_type and field.message_type.GetOptions().map_entry:
                for _ in range(self.random.randrange(3)):
                    getattr(message, field.name)[self.scalar(field.message_type.fields_by_name["key"])] = \
                        self.scalar(field.message_type.fields_by_name["value"])
            elif field.message_type:
                if depth > 0 and field.label == field.LABEL_REPEATED:
                    for _ in range(self.random.randrange(3)):
                        self.fill(getattr(message, field.name).add(), depth - 1)
                elif depth > 0:
                    getattr(message, field.name).SetInParent()
                    self.fill(getattr(message, field.name), depth - 1)
            elif field.label == field.LABEL_REPEATED:
                getattr(message, field.name).extend(self.scalar(field) for _ in range(self.random.randrange(4)))
            else:
                setattr(message, field.name, self.scalar(field))
        return message


class StandardDialect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.messages = load_contract()
        cls.driver = Driver()

    @classmethod
    def tearDownClass(cls):
        cls.driver.close()

    def check(self, kind, message):
        name = kind.DESCRIPTOR.full_name
        wire = message.SerializeToString()
        # Ours to theirs: the JSON we write of these bytes is this message.
        text, refusal = self.driver.convert(name, "wire", "standard", wire)
        self.assertIsNone(refusal)
        self.assertEqual(json_format.Parse(text.decode(), kind()), message)
        # Theirs to ours: of the JSON they write we make these bytes' message, by either kind of name.
        for own_names in (False, True):
            theirs = json_format.MessageToJson(message, preserving_proto_field_name=own_names).encode()
            back, refusal = self.driver.convert(name, "standard", "wire", theirs)
            self.assertIsNone(refusal)
            self.assertEqual(kind.FromString(back), message)

    def test_random_messages_both_ways(self):
        served = 0
        for number, kind in enumerate(self.messages):
            name = kind.DESCRIPTOR.full_name
            _, refusal = self.driver.convert(name, "wire", "standard", b"")
            if refusal == "unknown":  # options of the generator, not contract
                continue
            served += 1
            for seed in range(MESSAGES_PER_TYPE):
                message = Maker(f"{name} {seed}").fill(kind(), 3)
                with self.subTest(message=name, seed=seed):
                    self.check(kind, message)
        self.assertGreater(served, len(self.messages) // 2)


if __name__ == "__main__":
    unittest.main()
