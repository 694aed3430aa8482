"""The lines of the gateway's checklist that are about JSON, one test for each, in both dialects: the documented one and
the JSON of protobuf tooling, with google.protobuf.json_format as the judge of the second. The checklist itself is
tests/conformance/http1/gateway_checklist_test.py.
"""
import base64
import json
import unittest

from google.protobuf import json_format
from round_trip_test import Driver, load_contract

CASE = "vigil.admin.v1.AddCaseRequest"
EVENT = "vigil.events.v2.SubmitRequest"
FILE = "vigil.sampledb.v2.SampleFile"
SYMBOL = "grpc.reflection.v1.ServerReflectionRequest"
DIALECTS = ("documented", "standard")
LOWEST, HIGHEST = -2**63, 2**63 - 1
DEPTH_MAX = 64


class Dialects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kinds = {kind.DESCRIPTOR.full_name: kind for kind in load_contract()}
        cls.driver = Driver()
        cls.addClassCleanup(cls.driver.close)

    def read(self, dialect, message, text, target="wire"):
        return self.driver.convert(message, dialect, target, text.encode())

    def taken(self, dialect, message, text):
        """The message that is read."""
        data, refusal = self.read(dialect, message, text)
        self.assertIsNone(refusal, f"{dialect}: {text[:100]}")
        return self.kinds[message].FromString(data)

    def refused(self, dialect, message, text, reason, field=""):
        _, refusal = self.read(dialect, message, text)
        self.assertEqual(refusal, f"refused {reason} {field}".strip(), f"{dialect}: {text[:100]}")

    def agrees(self, message, text):
        """Of the standard dialect: the judge makes the same of it."""
        judged = json_format.Parse(text, self.kinds[message]())
        self.assertEqual(self.taken("standard", message, text), judged, text)

    def judge_refuses(self, message, text):
        with self.assertRaises(json_format.ParseError, msg=text):
            json_format.Parse(text, self.kinds[message]())

    def test_int64_extremes(self):
        for value in (LOWEST, LOWEST + 1, -2**53 - 1, -1, 0, 2**53 + 1, HIGHEST - 1, HIGHEST):
            for form in (f"{value}", f'"{value}"'):
                text = f'{{"mergedInto": {form}}}'
                self.agrees(CASE, text)
                for dialect in DIALECTS:
                    self.assertEqual(self.taken(dialect, CASE, text).merged_into, value)
                    written, _ = self.read(dialect, CASE, text, dialect)
                    self.assertEqual(json.loads(written)["mergedInto"], value if dialect == "documented" else str(value))
        for value in (LOWEST - 1, HIGHEST + 1, 2**64, 10**400):
            for form in (f"{value}", f'"{value}"'):
                for dialect in DIALECTS:
                    self.refused(dialect, CASE, f'{{"mergedInto": {form}}}', "INVALID_FIELD_VALUE", "mergedInto")

    def test_wrong_type(self):
        for value in ("true", "[1]", "{}"):
            for dialect in DIALECTS:
                self.refused(dialect, CASE, f'{{"id": {value}}}', "INVALID_FIELD_TYPE", "id")
        for text, field in (('{"subject": 5}', "subject"), ('{"reader": "x"}', "reader"), ('{"id": " 5 "}', "id")):
            self.judge_refuses(CASE, text)
            self.refused("standard", CASE, text, "INVALID_FIELD_VALUE" if field == "id" else "INVALID_FIELD_TYPE", field)
            self.taken("documented", CASE, text)

    def test_unknown_field(self):
        for text in ('{"nosuch": 1}', '{"nosuch": null}', '{"nosuch": {"id": [1, {"a": 2}]}}'):
            self.judge_refuses(CASE, text)
            for dialect in DIALECTS:
                self.refused(dialect, CASE, text, "UNKNOWN_FIELD", "nosuch")
        self.refused("documented", CASE, '{"merged_into": 1}', "UNKNOWN_FIELD", "merged_into")
        self.agrees(CASE, '{"merged_into": 1}')

    def test_null(self):
        for text in ('{"id": null, "subject": null, "reader": null, "status": null}', "{}"):
            self.agrees(CASE, text)
            for dialect in DIALECTS:
                self.assertEqual(self.taken(dialect, CASE, text), self.kinds[CASE]())
        for text, field in (('{"reader": [null]}', "reader[0]"), ('{"reader": ["a", null]}', "reader[1]")):
            self.judge_refuses(CASE, text)
            for dialect in DIALECTS:
                self.refused(dialect, CASE, text, "INVALID_FIELD_TYPE", field)
        for dialect in DIALECTS:
            self.refused(dialect, CASE, "null", "INVALID_JSON")

    def test_nan(self):
        def latitude(value):
            return f'{{"source": {{"geoLocation": {{"latitude": {value}}}}}}}'

        path = "source.geoLocation.latitude"
        for word in ("NaN", "Infinity", "-Infinity"):
            text = latitude(f'"{word}"')
            read = self.taken("standard", EVENT, text).source.geo_location.latitude
            self.assertEqual(str(read), {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[word])
            written, _ = self.read("standard", EVENT, text, "standard")
            self.assertEqual(json.loads(written)["source"]["geoLocation"]["latitude"], word)
            self.assertEqual(str(json_format.Parse(written, self.kinds[EVENT]()).source.geo_location.latitude), str(read))
            self.refused("documented", EVENT, text, "INVALID_FIELD_VALUE", path)
            for dialect in DIALECTS:
                self.refused(dialect, EVENT, latitude(word), "INVALID_JSON")
                self.refused(dialect, CASE, f'{{"id": "{word}"}}', "INVALID_FIELD_VALUE", "id")
        for dialect in DIALECTS:
            for form in ('"nan"', '"inf"', '"+Infinity"', '"NaN "', "1e400", '"1e400"'):
                self.refused(dialect, EVENT, latitude(form), "INVALID_FIELD_VALUE", path)

    def test_base64_variants(self):
        data = bytes(range(256)) + b"\xfb\xff"
        for size in (0, 1, 2, 3, 254, 255, 256, 258):
            plain, safe = (encode(data[-size:] if size else b"").decode()
                           for encode in (base64.standard_b64encode, base64.urlsafe_b64encode))
            for form in (plain, plain.rstrip("="), safe, safe.rstrip("="), plain.replace("/", "\\/")):
                text = f'{{"data": "{form}"}}'
                self.agrees(FILE, text)
                for dialect in DIALECTS:
                    self.assertEqual(self.taken(dialect, FILE, text).data, data[-size:] if size else b"")
                    written, _ = self.read(dialect, FILE, text, dialect)
                    self.assertEqual(json.loads(written)["data"], plain, "padded, of the standard alphabet")
        for form in ("A", "AAAAA", "=", "AA=", "AA===", "AAAA=", "A A=", "AA==\\n", "AB==", "!!!!", "AAA\\u0001"):
            for dialect in DIALECTS:
                self.refused(dialect, FILE, f'{{"data": "{form}"}}', "INVALID_FIELD_VALUE", "data")
        for dialect in DIALECTS:
            self.refused(dialect, FILE, '{"data": 5}', "INVALID_FIELD_TYPE", "data")

    def test_deep_json(self):
        def text(depth):
            return '{"nosuch": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

        for dialect in DIALECTS:
            self.refused(dialect, CASE, text(DEPTH_MAX), "UNKNOWN_FIELD", "nosuch")
            self.refused(dialect, CASE, text(DEPTH_MAX + 1), "INVALID_JSON")
            for bomb in ("[" * 1_000_000, '{"a":' * 200_000, '{"reader":' + "[" * 500_000):
                self.refused(dialect, CASE, bomb, "INVALID_JSON")

    def test_empty_body(self):
        for dialect in DIALECTS:
            for text in ("", " ", "\n\t\r "):
                self.judge_refuses(CASE, text)
                self.refused(dialect, CASE, text, "INVALID_JSON")
            self.assertEqual(self.taken(dialect, CASE, " {} "), self.kinds[CASE]())

    def test_one_member_twice(self):
        """Tooling takes a member once; of the documented interface the last one counts."""
        for text in ('{"id": 1, "id": 2}', '{"id": 2, "id": 2}', '{"id": null, "id": 2}'):
            self.judge_refuses(CASE, text)
            self.refused("standard", CASE, text, "CONFLICTING_FIELDS", "id")
            self.assertEqual(self.taken("documented", CASE, text).id, 2)
        self.refused("standard", CASE, '{"mergedInto": 1, "merged_into": 1}', "CONFLICTING_FIELDS", "mergedInto")
        self.refused("standard", EVENT, '{"source": {"port": 1, "ip": "10.0.0.1", "port": 1}}', "CONFLICTING_FIELDS", "source.port")
        self.agrees(EVENT, '{"source": {"port": 1}, "destination": {"port": 1}}')
        for name in ("fileByFilename", "listServices"):  # of one oneof
            _, refusal = self.read("standard", SYMBOL, f'{{"fileContainingSymbol": "x", "{name}": "y"}}')
            self.assertEqual(refusal, f"refused CONFLICTING_FIELDS {name}")
        _, refusal = self.read("standard", SYMBOL, '{"fileContainingSymbol": null, "listServices": "y"}')
        self.assertIsNone(refusal, "what is null is not there")


if __name__ == "__main__":
    unittest.main()
