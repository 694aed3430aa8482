"""Payload, capture, links and lineage of one event, in both versions and over both faces."""
import base64
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from vigiltest import contract, documented_json
from vigiltest.case import ServerCase, fixture, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.process import Server

EVENT_V1 = "vigil.events.v1.EventService/"
EVENT_V2 = "vigil.events.v2.EventService/"
CUSTOMER = 7
AT = 1570715141521
UUID = "1679fbfc-1792-4992-8428-3cb4df64%04x"
# An ARP request, padded as on the wire.
FRAME = bytes.fromhex("ffffffffffff02004c4f4f5008060001080006040001" "02004c4f4f500a000001" "0000000000000a000002") + b"\0" * 18
NOBODY = "00000000-0000-4000-8000-000000000000"


def path_of(event_id):
    kind, at, customer, uuid = event_id.split("/")
    return {"type": kind, "timestamp": int(at), "customerID": int(customer), "eventID": uuid}


class Parts(ServerCase):
    settings = ("data_center=svg",
                "event_links=wiki=generic=https://wiki/ look=specific=https://look/{eventID}?s={signature} "
                "name=specific=dns:{domain}")
    number = 0

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", CUSTOMER, "Own")
        directory.customer("foreign", 8, "Foreign")
        directory.user("agent", "own", name="An Agent")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])
        cls.submitter = directory.key("agent", ["EVENT-SUBMITTER"])
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)

    def submit(self, kind="AGGR", at=AT, **members):
        Parts.number += 1
        event_id = f"{kind}/{at}/{CUSTOMER}/{UUID % Parts.number}"
        answer = self.rest.post("/events/v2/event", {"id": event_id, **members})
        self.assertEqual(answer.status, 201, answer)
        return event_id

    def targets(self, event_id, part):
        """All documented paths of a part."""
        yield f"/events/v1/{event_id}/{part}"
        yield f"/events/v2/event/{event_id}/{part}"
        yield f"/events/v2/event/{event_id.partition('/')[2]}/{part}"

    def by_grpc(self, method, event_id, **members):
        request = contract.method(method).request()
        documented_json.into_message({**path_of(event_id), **members}, request)
        return documented_json.from_message(self.grpc.call(method, request))

    def grpc_reason(self, method, event_id):
        with self.assertRaises(GrpcError) as caught:
            self.by_grpc(method, event_id)
        return caught.exception.reason

    def check_refused(self, event_id, part, status, template):
        for target in self.targets(event_id, part):
            with self.subTest(target=target):
                self.assert_error(self.rest.get(target), status, template)


class Payloads(Parts):
    def test_every_type_in_every_path(self):
        shape = fixture("events_v1_payload.shape.json")
        for kind, payload in (("string", "text ø \" \\ \n"), ("binary", "AAH/"), ("pcap", "1MOyoQ=="), ("ethernet", "aGk=")):
            event_id = self.submit(payload={"payload": payload, "payloadType": kind})
            wanted = {"id": event_id, "type": kind, "payload": payload}
            for target in self.targets(event_id, "payload"):
                answer = self.rest.get(target)
                self.assertEqual((answer.status, answer.data), (200, wanted), target)
                self.assertEqual(list(answer.json), list(shape), "the envelope")
                self.assertEqual(list(answer.data), list(shape["data"]), "the members")
            for method in (EVENT_V1, EVENT_V2):
                self.assertEqual(self.by_grpc(method + "GetPayload", event_id), wanted)

    def test_the_longest_payload(self):
        text = "x" * 1048576
        event_id = self.submit(payload={"payload": text, "payloadType": "string"})
        for target in self.targets(event_id, "payload"):
            self.assertEqual(self.rest.get(target).data["payload"], text)
        self.assertEqual(self.by_grpc(EVENT_V2 + "GetPayload", event_id)["payload"], text)

    def test_that_of_the_earliest_sub_event(self):
        late = self.submit("RAW", AT + 5, payload={"payload": "late", "payloadType": "string"})
        early = self.submit("RAW", AT + 3, payload={"payload": "early", "payloadType": "string"})
        none = self.submit("RAW", AT + 1)
        event_id = self.submit(subEvents=[late, none, early, f"RAW/1/{CUSTOMER}/{NOBODY}"])
        for target in self.targets(event_id, "payload"):
            self.assertEqual(self.rest.get(target).data, {"id": event_id, "type": "string", "payload": "early"}, target)

    def test_a_large_event_is_the_same_on_every_way(self):
        """Where it is read depends on its size; what is told does not."""
        for size in (1, 25, 40, 900):  # KiB: from 32 on it is an executor thread that reads
            properties = {f"key{number}": f"{number} ".ljust(1024, "x") for number in range(size)}
            event_id = self.submit(properties=properties, signature=f"large {size}")
            bare = event_id.partition("/")[2]
            with self.subTest(size=size):
                v1 = self.rest.get(f"/events/v1/{event_id}")
                v2 = self.rest.get(f"/events/v2/event/{bare}?includeAllProperties=true")
                self.assertEqual((v1.status, v2.status), (200, 200))
                self.assertTrue(properties.items() <= v1.data["properties"].items())
                told = {row["key"]: row["values"][0] for row in v2.data["properties"]}
                self.assertTrue(properties.items() <= told.items())
                found = self.rest.post("/events/v2/event/search", {
                    "startTimestamp": 0, "includeAllProperties": True, "attack": [{"signature": [f"large {size}"]}]})
                self.assertTrue(found.data == [v2.data])
                self.assertTrue(self.by_grpc(EVENT_V2 + "GetEvent", event_id, includeAllProperties=True) == v2.data)
                self.assertEqual(self.by_grpc(EVENT_V1 + "GetEvent", event_id), v1.data)
                for path in (f"/events/v1/{event_id}", f"/events/v2/event/{bare}?includeAllProperties=true"):
                    tag = self.rest.get(path).headers["etag"]
                    again = self.rest.request("GET", path, headers={"If-None-Match": tag})
                    self.assertEqual(again.status, 304)

    def test_an_event_without(self):
        event_id = self.submit()
        self.check_refused(event_id, "payload", 404, "payload.not.found")
        for method in (EVENT_V1, EVENT_V2):
            self.assertEqual(self.grpc_reason(method + "GetPayload", event_id), "PAYLOAD_NOT_FOUND")

    def test_no_event_and_no_right(self):
        for part in ("payload", "pcap", "links"):
            self.check_refused(f"AGGR/{AT}/{CUSTOMER}/{NOBODY}", part, 404, "event.not.found")
            self.check_refused(f"AGGR/{AT}/8/{NOBODY}", part, 403, "access.denied")
            self.check_refused(f"AGGR/{AT}/99999/{NOBODY}", part, 403, "access.denied")
            self.assert_error(self.rest.get(f"/events/v1/AGGR/{AT}/{CUSTOMER}/not-a-uuid/{part}"), 404, "event.not.found")
            for wrong in (f"AGGR/{AT}/{CUSTOMER}/not-a-uuid", f"OTHER/{AT}/{CUSTOMER}/{NOBODY}",
                          f"AGGR/-1/{CUSTOMER}/{NOBODY}", f"AGGR/now/{CUSTOMER}/{NOBODY}", f"AGGR/{AT}/0/{NOBODY}",
                          f"AGGR/{AT}/own/{NOBODY}"):
                answer = self.rest.get(f"/events/v2/event/{wrong}/{part}")
                self.assert_error(answer, 412, "invalid.url.parameter")

    def test_the_class_counts_in_v1_and_not_in_v2(self):
        event_id = self.submit("RAW", payload={"payload": "aGk=", "payloadType": "pcap"})
        tail = event_id.partition("/")[2]
        for part in ("payload", "pcap", "links"):
            self.assertEqual(self.rest.get(f"/events/v1/NIDS/{tail}/{part}").status, 200)
            self.assertEqual(self.rest.get(f"/events/v1/AGGR/{tail}/{part}").status, 404)
            for kind in ("AGGR", "RAW", "NIDS", "AGGRATTACK"):
                self.assertEqual(self.rest.get(f"/events/v2/event/{kind}/{tail}/{part}").status, 200)
        upper = tail.rpartition("/")
        answer = self.rest.get(f"/events/v2/event/{upper[0]}/{upper[2].upper()}/payload")
        self.assertEqual(answer.data["id"], event_id)


class Captures(Parts):
    def fetch(self, event_id):
        """The file, the same by every path and both faces."""
        files = []
        for target in self.targets(event_id, "pcap"):
            answer = self.rest.get(target)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.headers["content-type"], "application/x-pcap")
            self.assertEqual(answer.headers["content-disposition"],
                             f'attachment; filename="{event_id.rpartition("/")[2]}.pcap"')
            files.append(answer.body)
        for method in (EVENT_V1, EVENT_V2):
            answer = self.by_grpc(method + "GetPcap", event_id)
            self.assertEqual((answer["contentType"], answer["fileName"]),
                             ("application/x-pcap", event_id.rpartition("/")[2] + ".pcap"))
            files.append(base64.b64decode(answer["data"]))
        self.assertEqual(len(set(files)), 1)
        return files[0]

    def tcpdump(self, file):
        if shutil.which("tcpdump") is None:
            print("SKIP: there is no tcpdump (tools/setup --tests)", flush=True)
            raise unittest.SkipTest("no tcpdump")
        with tempfile.NamedTemporaryFile(suffix=".pcap") as copy:
            copy.write(file)
            copy.flush()
            run = subprocess.run(["tcpdump", "-n", "-tttt", "-r", copy.name], capture_output=True, text=True, check=False,
                                 env={"TZ": "UTC", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_a_frame_is_a_file_that_tcpdump_reads(self):
        event_id = self.submit(payload={"payload": base64.b64encode(FRAME).decode(), "payloadType": "ethernet"})
        file = self.fetch(event_id)
        self.assertEqual(struct.unpack("<IHHiIII", file[:24]), (0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        self.assertEqual(file[40:], FRAME)
        told = self.tcpdump(file)
        self.assertEqual(len(told.strip().splitlines()), 1, told)
        self.assertIn("2019-10-10 13:45:41.521000", told)
        self.assertIn("who-has 10.0.0.2 tell 10.0.0.1", told)

    def test_a_stored_capture_comes_back_unchanged(self):
        stored = struct.pack(">IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + struct.pack(">IIII", 1, 2, 60, 60) + FRAME
        event_id = self.submit("RAW", payload={"payload": base64.b64encode(stored).decode(), "payloadType": "pcap"})
        self.assertEqual(self.fetch(event_id), stored)
        self.assertIn("who-has", self.tcpdump(stored))

    def test_a_frame_of_a_sub_event_has_its_time(self):
        raw = self.submit("RAW", AT + 1000, payload={"payload": base64.b64encode(FRAME).decode(), "payloadType": "ethernet"})
        self.assertIn("13:45:42.521000", self.tcpdump(self.fetch(self.submit(subEvents=[raw]))))

    def test_a_jumbo_frame_is_cut_to_what_readers_take(self):
        event_id = self.submit(payload={"payload": base64.b64encode(FRAME + b"\0" * 700000).decode(),
                                        "payloadType": "ethernet"})
        file = self.fetch(event_id)
        self.assertEqual(struct.unpack("<II", file[32:40]), (262144, len(FRAME) + 700000))
        self.tcpdump(file)

    def test_what_is_no_capture(self):
        for payload in ({"payload": "hi", "payloadType": "string"}, {"payload": "aGk=", "payloadType": "binary"}, None):
            event_id = self.submit(**({"payload": payload} if payload else {}))
            self.check_refused(event_id, "pcap", 404, "payload.not.found")
            self.assertEqual(self.grpc_reason(EVENT_V1 + "GetPcap", event_id), "PAYLOAD_NOT_FOUND")


class Links(Parts):
    def test_links_come_from_the_templates(self):
        event_id = self.submit(signature="A b/1", fqdn="Example.ORG.")
        uuid = event_id.rpartition("/")[2]
        wanted = [{"name": "wiki", "type": "generic", "uri": "https://wiki/"},
                  {"name": "look", "type": "specific", "uri": f"https://look/{uuid}?s=A%20b%2F1"},
                  {"name": "name", "type": "specific", "uri": "dns:example.org"}]
        for target in self.targets(event_id, "links"):
            answer = self.rest.get(target)
            self.assertEqual((answer.status, answer.data), (200, wanted), target)
            document = answer.json
            self.assertEqual([document[name] for name in ("limit", "offset", "count", "size")], [0, 0, 3, 3])
        for method in (EVENT_V1, EVENT_V2):
            self.assertEqual(self.by_grpc(method + "ListLinks", event_id),
                             {"limit": 0, "offset": 0, "count": 3, "data": wanted})

    def test_a_link_that_names_what_is_not_there_is_left_out(self):
        answer = self.rest.get(f"/events/v1/{self.submit()}/links")
        self.assertEqual([link["name"] for link in answer.data], ["wiki"])

    def test_wrong_templates_stop_the_start(self):
        server = Server(settings=("event_links=wiki=generic",))
        self.addCleanup(server.close)
        with self.assertRaises(Exception):
            server.start()


class NoLinks(Parts):
    settings = ()

    def test_by_default_there_are_none(self):
        event_id = self.submit()
        for target in self.targets(event_id, "links"):
            self.assertEqual(self.rest.get(target).data, [])


class Lineage(Parts):
    def lineage(self, event_id, query=""):
        answers = [self.rest.get(target + query) for target in self.targets(event_id, "lineage") if "/v2/" in target]
        for answer in answers:
            self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answers[0].data, answers[1].data)
        return answers[0]

    def resubmit(self, event_id, **members):
        answer = self.rest.post("/events/v2/event", {"id": event_id, **members})
        self.assertEqual(answer.status, 201, answer)

    def event(self, event_id):
        return self.rest.get(f"/events/v2/event/{event_id}").data

    def test_created_and_updated(self):
        before = int(time.time() * 1000)
        event_id = self.submit()
        first = self.event(event_id)["timestamps"]["lastUpdated"]
        self.resubmit(event_id, count=2)
        second = self.event(event_id)["timestamps"]["lastUpdated"]
        self.resubmit(event_id, finalized=True)
        third = self.event(event_id)["timestamps"]["lastUpdated"]
        self.resubmit(event_id, count=3)  # ignored: it is final
        answer = self.lineage(event_id)
        self.assertEqual([answer.json[name] for name in ("limit", "offset", "count", "size")], [25, 0, 3, 3])
        self.assertEqual([row["type"] for row in answer.data], ["updated", "updated", "created"])
        self.assertEqual([row["eventLastUpdatedTimestamp"] for row in answer.data], [third, second, first])
        self.assertEqual(len({row["id"] for row in answer.data}), 3)
        for row in answer.data:
            self.assertEqual(list(row), ["id", "type", "createdTimestamp", "createdByUser", "eventLastUpdatedTimestamp",
                                         "description", "dataCenter"])
            self.assertRegex(row["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
            self.assertTrue(before <= row["createdTimestamp"] <= int(time.time() * 1000) + 1000, row)
            self.assertEqual(row["dataCenter"], "svg")
            self.assertTrue(row["description"])
            user = row["createdByUser"]
            self.assertEqual((user["shortName"], user["name"], user["type"], user["flags"]), ("agent", "An Agent", "user", []))
            self.assertEqual((user["customer"]["id"], user["customer"]["shortName"]), (CUSTOMER, "own"))
        self.assertEqual(self.lineage(event_id).data, answer.data, "entries do not change")

    def test_sort_limit_and_offset(self):
        event_id = self.submit()
        for count in range(2, 6):
            self.resubmit(event_id, count=count)
        newest_first = self.lineage(event_id).data
        self.assertEqual(len(newest_first), 5)
        self.assertEqual(self.lineage(event_id, "?sortBy=-createdTimestamp").data, newest_first)
        self.assertEqual(self.lineage(event_id, "?sortBy=createdTimestamp").data, newest_first[::-1])
        for limit, offset in ((2, 0), (2, 1), (0, 0), (0, 3), (1, 4), (3, 5), (1, 99), (5, 0), (6, 0)):
            answer = self.lineage(event_id, f"?limit={limit}&offset={offset}")
            wanted = newest_first[offset:offset + limit] if limit else newest_first[offset:]
            self.assertEqual(answer.data, wanted)
            self.assertEqual([answer.json[name] for name in ("limit", "offset", "count", "size")],
                             [limit, offset, 5, len(wanted)])
        for query in ("sortBy=id", "sortBy=createdTimestamp&sortBy=-createdTimestamp", "limit=-1", "offset=-1", "limit=x"):
            answer = self.rest.get(f"/events/v2/event/{event_id}/lineage?{query}")
            self.assert_error(answer, 412, "invalid.url.parameter")

    def test_both_faces_and_the_stream(self):
        event_id = self.submit()
        self.resubmit(event_id)
        page = self.by_grpc(EVENT_V2 + "ListLineage", event_id)
        wanted = documented_json.without_absent(self.lineage(event_id).data)
        self.assertEqual((documented_json.without_absent(page["data"]), page["count"], page["limit"]), (wanted, 2, 25))
        method = contract.method(EVENT_V2 + "StreamListLineage")
        request = documented_json.into_message({**path_of(event_id), "limit": 1}, method.request())
        rows, numbers = self.grpc.rows(EVENT_V2 + "StreamListLineage", request)
        rows = [documented_json.without_absent(documented_json.from_message(row)) for row in rows]
        self.assertEqual((rows, numbers), (wanted[:1], (1, 0, 2)))

    def test_a_bulk_that_changes_one_event_thrice(self):
        event_id = self.submit()
        answer = self.rest.post("/events/v2/event/bulk", {"events": [{"id": event_id}] * 3})
        self.assertEqual(answer.data["accepted"], 3, answer)
        rows = self.lineage(event_id).data
        self.assertEqual([row["type"] for row in rows], ["updated"] * 3 + ["created"])
        self.assertEqual(len({row["id"] for row in rows}), 4)

    def test_who_may_not_look(self):
        event_id = self.submit()
        target = f"/events/v2/event/{event_id}/lineage"
        self.assert_error(self.rest.get(target, key=self.submitter), 403, "access.denied")
        self.assert_error(self.rest.get(f"/events/v2/event/{AT}/8/{NOBODY}/lineage"), 403, "access.denied")
        self.assert_error(self.rest.get(f"/events/v2/event/{AT}/{CUSTOMER}/{NOBODY}/lineage"), 404, "event.not.found")


if __name__ == "__main__":
    main()
