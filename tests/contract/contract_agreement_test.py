"""What the .proto files promise about each other, and that each of them is explained.

The stored event is copied into v2 answers as bytes, v1 and v2 and the record share the numbers of enumerations, and
both criteria messages of v1 share one layout: none of that is visible to a compiler.
"""

import unittest

from contract_descriptors import Contract
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

INTERNAL_NUMBER_MIN = 100  # of vigil.record.v1.Event: from here on nothing leaves the server

# Enumerations whose equally named values have one number: what each says is stored, copied or translated by number.
SHARED_NUMBERS = [
    ("vigil.record.v1.EventFlag", "vigil.events.v1.EventFlag"),
    ("vigil.record.v1.EventFlag", "vigil.events.v2.EventFlag"),
    ("vigil.record.v1.EventFlag", "vigil.events.v2.SubmitFlag"),
    ("vigil.record.v1.EventFlag", "vigil.events.v2.AssessmentFlag"),
    ("vigil.record.v1.EndpointFlag", "vigil.events.v2.EndpointFlag"),
    ("vigil.record.v1.EventClass", "vigil.events.v2.EventType"),
    ("vigil.record.v1.EventClass", "vigil.events.v1.EventType"),
    ("vigil.record.v1.Severity", "vigil.events.v1.Severity"),
    ("vigil.record.v1.Severity", "vigil.events.v2.Severity"),
    ("vigil.record.v1.Protocol", "vigil.events.v2.Protocol"),
    ("vigil.record.v1.PropertyType", "vigil.events.v2.PropertyType"),
    ("vigil.record.v1.PayloadType", "vigil.events.v1.PayloadType"),
    ("vigil.record.v1.PayloadType", "vigil.events.v2.PayloadType"),
    ("vigil.record.v1.SubjectType", "vigil.events.v1.SubjectType"),
    ("vigil.record.v1.SubjectType", "vigil.events.v2.SubjectType"),
    ("vigil.record.v1.SubjectType", "vigil.account.v1.SubjectType"),
    ("vigil.record.v1.SubjectFlag", "vigil.events.v2.SubjectFlag"),
    ("vigil.record.v1.CaseStatus", "vigil.events.v1.CaseStatus"),
    ("vigil.record.v1.CaseStatus", "vigil.events.v2.CaseStatus"),
    ("vigil.record.v1.CaseStatus", "vigil.admin.v1.CaseStatus"),
    ("vigil.record.v1.Priority", "vigil.events.v1.Priority"),
    ("vigil.record.v1.Priority", "vigil.events.v2.Priority"),
    ("vigil.record.v1.Priority", "vigil.admin.v1.Priority"),
    ("vigil.record.v1.Role", "vigil.admin.v1.Role"),
]


def values(enum):
    """Number by name without the enumeration's prefix."""
    prefix = enum.value[0].name[: -len("UNSPECIFIED")]
    return {value.name[len(prefix) :]: value.number for value in enum.value}


class ContractAgreement(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.contract = Contract()

    @classmethod
    def tearDownClass(cls):
        cls.contract.close()

    def test_everything_is_explained_by_a_sentence(self):
        self.assertGreater(len(self.contract.comments), 500)
        for name, text in self.contract.comments.items():
            with self.subTest(name):
                self.assertTrue(text, "no comment")
                self.assertIn(".", text, "no full sentence")

    def test_only_what_takes_many_things_or_a_file_has_no_limit_of_its_own(self):
        """All other requests are small, and may not be much larger by accident."""
        limits = {}
        for name, method in self.contract.methods.items():
            options = method.options.Extensions[self.contract.options.method]
            if options.HasField("request_bytes_max"):
                limits[name] = options.request_bytes_max
        self.assertGreater(len(limits), 30)
        self.assertEqual({name for name, limit in limits.items() if limit == 0},
                         {"vigil.events.v2.EventService/SubmitEvents", "vigil.events.v2.EventStream/Submit",
                          "vigil.sampledb.v2.SampleService/UploadSample"})
        self.assertEqual({name for name, limit in limits.items() if limit > 2 << 20},
                         {"vigil.events.v2.EventService/SubmitEvent", "vigil.sampledb.v2.SubmissionService/AddSubmission"})

    def test_stored_event_has_the_numbers_and_types_of_the_answer(self):
        record = self.contract.messages["vigil.record.v1.Event"]
        public = [field for field in record.field if field.number < INTERNAL_NUMBER_MIN]
        self.assertGreater(len(public), 10)
        self._compare(record.name, public, self.contract.messages["vigil.events.v2.Event"])

    def _compare(self, path, fields, answer):
        """Each of the record's fields is in the answer message; inside, both have the same ones."""
        theirs = {field.number: field for field in answer.field}
        for field in fields:
            with self.subTest(f"{path}.{field.name}"):
                self.assertIn(field.number, theirs)
                other = theirs[field.number]
                self.assertEqual(field.name, other.name)
                self.assertEqual(field.type, other.type)
                self.assertEqual(field.label, other.label)
                self.assertEqual(field.options.packed, other.options.packed)
                if field.type != FieldDescriptorProto.TYPE_MESSAGE:
                    continue
                inner = self.contract.messages[field.type_name[1:]].field
                same = self.contract.messages[other.type_name[1:]]
                self.assertEqual(len(inner), len(same.field))
                self._compare(f"{path}.{field.name}", inner, same)

    def test_answers_have_no_number_of_an_internal_field(self):
        answer = self.contract.messages["vigil.events.v2.Event"]
        self.assertLess(max(field.number for field in answer.field), INTERNAL_NUMBER_MIN)

    def test_what_the_record_leaves_out_is_reserved_there(self):
        record = self.contract.messages["vigil.record.v1.Event"]
        reserved = {
            number for part in record.reserved_range for number in range(part.start, part.end)
        }
        stored = {field.number for field in record.field if field.number < INTERNAL_NUMBER_MIN}
        answer = {field.number for field in self.contract.messages["vigil.events.v2.Event"].field}
        self.assertEqual(stored | reserved, answer)

    def test_a_stored_submission_has_the_numbers_of_the_answer(self):
        record = self.contract.messages["vigil.record.v1.Submission"]
        answer = {field.number: field.name for field in self.contract.messages["vigil.sampledb.v2.Submission"].field}
        stored = {field.number: field.name for field in record.field if field.number < INTERNAL_NUMBER_MIN}
        reserved = {number for part in record.reserved_range for number in range(part.start, part.end)}
        self.assertEqual({number: answer[number] for number in stored}, stored)
        self.assertEqual(set(stored) | reserved, set(answer))

    def test_enumerations_share_their_numbers(self):
        for record, view in SHARED_NUMBERS:
            stored, shown = values(self.contract.enums[record]), values(self.contract.enums[view])
            with self.subTest(view):
                self.assertEqual({name: stored.get(name) for name in shown}, shown)

    def test_every_enumeration_of_the_record_that_is_shown_is_in_the_list(self):
        listed = {view for _, view in SHARED_NUMBERS} | {record for record, _ in SHARED_NUMBERS}
        names = {name.rsplit(".", 1)[1] for name in self.contract.enums if ".record." in name}
        for name in self.contract.enums:
            if name.startswith("vigil.") and name.rsplit(".", 1)[1] in names and name.count(".") > 1:
                with self.subTest(name):
                    if not name.endswith((".RecordKind", ".LineageType", ".ChallengeState")):
                        self.assertIn(name, listed)

    def test_criteria_and_sub_criteria_have_one_layout(self):
        for first, second in (("SearchCriteria", "SubCriteria"), ("NidsSearchCriteria", "NidsSubCriteria"),
                              ("ListAggregatedRequest", "ListNidsRequest")):
            top = self.contract.messages["vigil.events.v1." + first].field
            sub = self.contract.messages["vigil.events.v1." + second].field
            self.assertEqual(len(top), len(sub))
            for one, other in zip(top, sub):
                for member in ("name", "number", "json_name", "type", "type_name", "label"):
                    self.assertEqual(getattr(one, member), getattr(other, member), one.name)

    def test_criteria_of_raw_events_are_those_of_all_by_number(self):
        every = {field.number: field for field in self.contract.messages["vigil.events.v1.SubCriteria"].field}
        for field in self.contract.messages["vigil.events.v1.NidsSubCriteria"].field:
            if field.name == "sensor_id":
                self.assertNotIn(field.number, every)
                continue
            for member in ("name", "json_name", "type", "label"):
                self.assertEqual(getattr(field, member), getattr(every[field.number], member), field.name)

    def test_sort_keys_share_their_numbers(self):
        shared = values(self.contract.enums["vigil.events.v1.SortBy"])
        for name in ("NidsSortBy", "CaseSortBy"):
            for key, number in values(self.contract.enums["vigil.events.v1." + name]).items():
                if not key.startswith("ENGINE_TIMESTAMP"):
                    self.assertEqual(shared[key], number, f"{name}.{key}")

    def test_statistics_of_v1_share_the_layout_of_the_criteria(self):
        search = self.contract.messages["vigil.events.v1.SearchCriteria"].field
        ends = [field.name for field in search].index("limit")
        stats = self.contract.messages["vigil.events.v1.StatsCriteria"].field
        self.assertEqual(stats[ends].name, "group_by")
        for one, other in zip(search[:ends], stats):
            for member in ("name", "number", "json_name", "type", "type_name", "label"):
                self.assertEqual(getattr(one, member), getattr(other, member), one.name)

    def test_criteria_of_v2_share_the_layout_of_what_they_repeat(self):
        """criteria.proto says which members; every message of v2 that has the criteria is held to it."""
        search = self.contract.messages["vigil.events.v2.SearchRequest"].field
        ends = [field.name for field in search].index("property") + 1
        self.assertEqual([field.number for field in search[:ends]], list(range(1, 18)))
        for name, message in self.contract.messages.items():
            names = [field.name for field in message.field]
            if not name.startswith("vigil.events.v2.") or "property" not in names or "attack" not in names:
                continue
            shared = ends
            if "sub_criteria" in names:
                shared = names.index("sort_by" if "sort_by" in names else "sub_criteria") + 1
            for one, other in zip(search[:shared], message.field[:shared]):
                for member in ("name", "number", "json_name", "type", "type_name", "label"):
                    self.assertEqual(getattr(one, member), getattr(other, member), f"{name}.{one.name}")

    def test_the_assessment_of_one_event_has_the_layout_of_assessments(self):
        """The handler reads the one as the other."""
        assessment = self.contract.messages["vigil.events.v2.Assessment"].field
        one = self.contract.messages["vigil.events.v2.AssessEventRequest"].field
        for field, other in zip(assessment, one):
            for member in ("name", "number", "json_name", "type", "type_name", "label"):
                self.assertEqual(getattr(field, member), getattr(other, member), field.name)

    def test_no_service_of_the_record_and_no_use_of_it_elsewhere(self):
        for file in self.contract.files:
            if file.package == "vigil.record.v1":
                self.assertEqual(len(file.service), 0, file.name)
            else:
                used = [name for name in file.dependency if "/record/" in name]
                self.assertEqual(used, [], file.name)

    def test_lists_are_named_after_their_twins(self):
        """SearchX has StreamX and ListX has StreamListX; each list method has one."""
        options = self.contract.options
        for name, method in self.contract.methods.items():
            rule = method.options.Extensions[options.method]
            service, short = name.rsplit("/", 1)
            with self.subTest(name):
                if rule.twin_of:
                    twin = "Stream" + rule.twin_of.removeprefix("Search")
                    self.assertEqual(short, twin)
                elif rule.envelope == options.ENVELOPE_LIST:
                    twin = service + "/Stream" + short.removeprefix("Search")
                    self.assertIn(twin, self.contract.methods)


if __name__ == "__main__":
    unittest.main(verbosity=2)
