"""What is known of samples: metadata, verdicts, classifications, deletion; on both faces, for those who see them."""
import hashlib
import os
import random
import socket
import threading
import time

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.process import wait_until

SERVICE = "vigil.sampledb.v2.SampleService/"
SAMPLE = "/sampledb/v2/sample"
RANDOM = random.Random(66)


class Records(ServerCase):
    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", 7)
        directory.customer("foreign", 8)
        directory.user("user", "own", name="A User")
        directory.user("stranger", "foreign")
        cls.key = directory.key("user", ["SAMPLEDB-ANALYZER"])
        cls.viewer = directory.key("user", ["SAMPLEDB-VIEWER"])
        cls.stranger = directory.key("stranger", ["SAMPLEDB-ANALYZER"])
        cls.local_admin = directory.key("user", ["ADMIN"])
        cls.admin = cls.server.admin_key()
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        for part in (cls.rest, cls.grpc, directory):
            cls.addClassCleanup(part.close)

    def tearDown(self):
        self.assertTrue(self.server.is_alive(), self.server.log_tail())

    def upload(self, data, key=...):
        answer = self.rest.request("POST", SAMPLE, body=data, key=key)
        self.assertIn(answer.status, (200, 201), answer)
        return answer.data

    def submit(self, data, key=..., token=None, **members):
        token = token or self.upload(data, key=key)["challenge"]
        body = {"fileName": "a.exe", "userAgent": {"name": "test", "version": "1"}, "challengeToken": token, **members}
        answer = self.rest.post(f"{SAMPLE}/{hashlib.sha256(data).hexdigest()}/submission", body, key=key)
        self.assertEqual(answer.status, 201, answer)
        return answer.data

    def new(self, size=2000, **members):
        data = RANDOM.randbytes(size)
        self.submit(data, **members)
        return data, f"{SAMPLE}/{hashlib.sha256(data).hexdigest()}"

    def stored(self, data):
        digest = hashlib.sha256(data).hexdigest()
        return os.path.exists(os.path.join(self.server.data, "blobs", digest[:2], digest))

    def call(self, name, key=..., **members):
        method = contract.method(SERVICE + name)
        return self.grpc.call(method.full_name, method.request(**members), key=key)


class MetaData(Records):
    def test_digests_times_and_shape(self):
        data = RANDOM.randbytes(4096)
        path = f"{SAMPLE}/{hashlib.sha256(data).hexdigest()}"
        token = self.upload(data)["challenge"]
        self.assert_error(self.rest.get(path), 404, "sample.not.found")
        first = self.submit(data, token=token, observedTimestamp=1600000000000)
        second = self.submit(data, fileName="b.exe", observedTimestamp=1500000000000)
        answer = self.rest.get(path)
        self.assertEqual(answer.status, 200, answer)
        got = answer.data
        self.assertEqual(list(got), ["sha256", "sha512", "sha1", "md5", "size", "createdTimestamp",
                                     "firstSubmittedTimestamp", "lastSubmittedTimestamp", "firstObservedTimestamp",
                                     "lastObservedTimestamp", "latestClassification", "latestVerdict", "flags",
                                     "deletedTimestamp"])
        for name in ("sha256", "sha512", "sha1", "md5"):
            self.assertEqual(got[name], hashlib.new(name, data).hexdigest())
        self.assertEqual((got["size"], got["flags"], got["deletedTimestamp"]), (4096, [], None))
        self.assertEqual((got["latestVerdict"], got["latestClassification"]), (None, None))
        self.assertEqual(got["firstSubmittedTimestamp"], first["submittedTimestamp"])
        self.assertEqual(got["lastSubmittedTimestamp"], second["submittedTimestamp"])
        self.assertEqual((got["firstObservedTimestamp"], got["lastObservedTimestamp"]), (1500000000000, 1600000000000))
        told = self.call("GetSample", sha256=got["sha256"].upper())
        self.assertEqual((told.sha512, told.last_observed_timestamp), (got["sha512"], 1600000000000))
        self.assertEqual(self.rest.get(path.upper().replace("/SAMPLEDB/V2/SAMPLE", SAMPLE)).data, got)

    def test_only_through_a_submission_that_is_seen(self):
        data, path = self.new()
        self.assert_error(self.rest.get(path, key=self.stranger), 404, "sample.not.found")
        with self.assertRaises(GrpcError) as caught:
            self.call("GetSample", key=self.stranger, sha256=hashlib.sha256(data).hexdigest())
        self.assertEqual(caught.exception.reason, "SAMPLE_NOT_FOUND")
        self.submit(data, acl=["stranger"], fileName="c.exe")
        self.assertEqual(self.rest.get(path, key=self.stranger).status, 200)

    def test_what_is_no_digest(self):
        for wrong in ("0" * 63, "0" * 65, "g" * 64, "0" * 32):
            self.assert_error(self.rest.get(f"{SAMPLE}/{wrong}"), 412, "invalid.url.parameter")
        self.assert_error(self.rest.get(f"{SAMPLE}/{'0' * 64}"), 404, "sample.not.found")


class Verdicts(Records):
    def test_add_and_list(self):
        data, path = self.new()
        empty = self.rest.get(path + "/verdict")
        self.assertEqual((empty.status, empty.data, empty.json["count"]), (200, [], 0))
        added = []
        for number in range(4):
            word = "malicious" if number % 2 == 0 else "benign"
            answer = self.rest.post(path + "/verdict", {"comment": f"because {number}", "statusOverride": word})
            self.assertEqual(answer.status, 201, answer)
            got = answer.data
            self.assertEqual(list(got), ["sampleSha256", "createdTimestamp", "createdByUser", "score", "statusOverride",
                                         "comment", "flags", "tags", "analysis", "job"])
            self.assertEqual((got["score"], got["statusOverride"], got["flags"]), (100 - number % 2 * 100, word, ["manual"]))
            self.assertEqual((got["tags"], got["analysis"], got["job"]), ([], [], None))
            self.assertEqual(got["createdByUser"]["shortName"], "user")
            self.assertEqual(self.rest.get(path).data["latestVerdict"], got)
            added.insert(0, got)
        for query, expected in (("", added), ("?limit=2&offset=1", added[1:3]), ("?limit=0", added), ("?offset=9", []),
                                ("?sortBy=createdTimestamp", added[::-1]), ("?sortBy=-createdTimestamp&limit=1", added[:1])):
            page = self.rest.get(path + "/verdict" + query)
            self.assertEqual((page.status, page.json["count"], page.data), (200, 4, expected), query)
        told = self.call("ListVerdicts", sha256=hashlib.sha256(data).hexdigest(), limit=3)
        self.assertEqual([row.comment for row in told.data], [row["comment"] for row in added[:3]])

    def test_what_is_refused(self):
        data, path = self.new()
        good = {"comment": "x", "statusOverride": "benign"}
        for body, field in (({"statusOverride": "benign"}, "comment"), ({"comment": "x"}, "statusOverride"),
                            ({**good, "statusOverride": "bad"}, "statusOverride"), ({**good, "comment": "%"}, "comment"),
                            ({**good, "comment": "x" * 10001}, "comment"), ({**good, "score": 3}, "score")):
            answer = self.rest.post(path + "/verdict", body)
            self.assertEqual((answer.status, answer.json["messages"][0]["field"]), (412, field), body)
        self.assertEqual(self.rest.post(path + "/verdict", {**good, "comment": "x" * 10000}).status, 201)
        lines = self.rest.post(path + "/verdict", {**good, "comment": "two\n\tlines: \\\"{$}-().[]'_/*+#@!?;="})
        self.assertEqual((lines.status, lines.data["comment"]), (201, "two\n\tlines: \\\"{$}-().[]'_/*+#@!?;="), lines)
        self.assert_error(self.rest.post(path + "/verdict", good, key=self.viewer), 403, "access.denied")
        self.assert_error(self.rest.post(path + "/verdict", good, key=self.stranger), 404, "sample.not.found")
        self.assert_error(self.rest.get(path + "/verdict", key=self.stranger), 404, "sample.not.found")
        self.assert_error(self.rest.get(path + "/verdict?sortBy=score"), 412, "invalid.url.parameter")

    def test_a_malicious_sample_keeps_its_submissions_past_their_expiry(self):
        expiry = int(time.time() * 1000) + 5000  # the verdict takes a second to be heeded
        data, path = self.new(retention=expiry)
        other, _ = self.new(retention=expiry)
        listed = path + "/submission"
        self.assertEqual(self.rest.post(path + "/verdict", {"comment": "x", "statusOverride": "malicious"}).status, 201)
        gone = f"{SAMPLE}/{hashlib.sha256(other).hexdigest()}/submission"
        wait_until(lambda: self.rest.get(gone).status == 404, what="the end of the other one", deadline=30)
        kept, = self.rest.get(listed).data
        self.assertEqual(kept["expiryTimestamp"], expiry)
        self.assertEqual(self.submit(data, fileName="later.exe", retention="now + 1 day")["fileName"], "later.exe")
        self.assertEqual(self.rest.get(listed).json["count"], 2)
        self.assertEqual(self.rest.post(path + "/verdict", {"comment": "y", "statusOverride": "benign"}).status, 201)
        wait_until(lambda: self.rest.get(listed).json["count"] == 1, what="its end", deadline=30)
        self.assertEqual([row["fileName"] for row in self.rest.get(listed).data], ["later.exe"])

    def test_no_classifier_no_classification(self):
        data, path = self.new()
        page = self.rest.get(path + "/classification?limit=3&sortBy=createdTimestamp")
        self.assertEqual((page.status, page.data, page.json["count"], page.json["limit"]), (200, [], 0, 3))
        self.assert_error(self.rest.get(path + "/classification", key=self.stranger), 404, "sample.not.found")


class Deletion(Records):
    def delete(self, path, key=None):
        answer = self.rest.request("DELETE", path, key=key or self.admin)
        self.assertEqual(answer.status, 200, answer)
        self.assertRegex(answer.data["correlationID"], "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

    def wait_purged(self, data):
        wait_until(lambda: not self.stored(data), what="the file's end")

    def test_all_goes_but_a_minimal_record_for_the_operator(self):
        data, path = self.new()
        submission = self.submit(data, fileName="again.exe")
        self.assertEqual(self.rest.post(path + "/verdict", {"comment": "x", "statusOverride": "benign"}).status, 201)
        before = self.rest.get(path).data
        self.assert_error(self.rest.request("DELETE", path), 403, "access.denied")
        self.delete(path)
        self.assert_error(self.rest.get(path), 404, "sample.not.found")
        self.assertEqual(self.rest.get(path, key=self.local_admin).data["flags"], ["deleted"])
        left = self.rest.get(path, key=self.admin)
        self.assertEqual(left.status, 200, left)
        self.assertEqual(left.data["flags"], ["deleted"])
        self.assertGreaterEqual(left.data["deletedTimestamp"], before["createdTimestamp"])
        for name in ("sha256", "sha512", "sha1", "md5", "size", "createdTimestamp"):
            self.assertEqual(left.data[name], before[name])
        for name in ("firstSubmittedTimestamp", "lastObservedTimestamp", "latestVerdict"):
            self.assertIsNone(left.data[name])
        self.assert_error(self.rest.post(path + "/challenge", {}), 404, "sample.not.found")
        self.wait_purged(data)
        self.assertEqual(self.rest.get(path + "/submission/" + submission["id"], key=self.admin).status, 404)
        self.assertEqual(self.rest.get(path + "/verdict", key=self.admin).data, [])
        self.delete(path)
        self.assert_error(self.rest.request("DELETE", f"{SAMPLE}/{'0' * 64}", key=self.admin), 404, "sample.not.found")

    def test_an_administrator_of_a_customer_deletes_what_he_sees(self):
        data, path = self.new()
        foreign = RANDOM.randbytes(1500)
        self.submit(foreign, key=self.stranger)
        elsewhere = f"{SAMPLE}/{hashlib.sha256(foreign).hexdigest()}"
        self.delete(path, key=self.local_admin)
        self.assert_error(self.rest.request("DELETE", elsewhere, key=self.local_admin), 404, "sample.not.found")
        nobody = RANDOM.randbytes(1500)
        self.upload(nobody)
        unseen = f"{SAMPLE}/{hashlib.sha256(nobody).hexdigest()}"
        self.assert_error(self.rest.get(unseen, key=self.admin), 404, "sample.not.found")
        self.delete(unseen)
        self.wait_purged(nobody)

    def test_uploaded_again_it_is_new(self):
        data, path = self.new()
        self.assertEqual(self.rest.post(path + "/verdict", {"comment": "x", "statusOverride": "malicious"}).status, 201)
        created = self.rest.get(path).data["createdTimestamp"]
        for purged in (True, False):
            self.delete(path)
            if purged:
                self.wait_purged(data)
            answer = self.rest.request("POST", SAMPLE, body=data)
            self.assertEqual((answer.status, answer.data["exists"]), (201, False), answer)
            added = self.submit(data, token=answer.data["challenge"], fileName=f"again-{purged}.exe")
            wait_until(lambda: self.rest.get(path + "/submission").json["count"] == 1, what="the old one's end")
            self.assertEqual(self.rest.get(path + "/submission").data[0]["id"], added["id"])
            got = self.rest.get(path).data
            self.assertEqual((got["createdTimestamp"], got["flags"], got["deletedTimestamp"]), (created, [], None))
            self.assertIsNone(got["latestVerdict"])
            self.assertEqual(self.rest.get(path + "/verdict").data, [])
            self.assertEqual(self.rest.get(path + "/raw").body, data)

    def test_delete_against_download_and_upload(self):
        """Whoever downloads meanwhile gets the whole file or 404; whoever uploads has it afterwards."""
        data = RANDOM.randbytes(3_000_000)
        path = f"{SAMPLE}/{hashlib.sha256(data).hexdigest()}"
        wrong = []

        def download(stop):
            rest = Rest(self.server.port, self.key)
            while not stop.is_set():
                answer = rest.get(path + "/raw")
                if not (answer.status == 404 or (answer.status == 200 and answer.body == data)):
                    wrong.append((answer.status, len(answer.body)))
            rest.close()

        for _ in range(6):
            self.submit(data)
            stop = threading.Event()
            readers = [threading.Thread(target=download, args=(stop,)) for _ in range(3)]
            for reader in readers:
                reader.start()
            self.delete(path)
            again = self.rest.request("POST", SAMPLE, body=data)
            self.assertEqual(again.status, 201, again)
            self.submit(data, token=again.data["challenge"])
            self.assertEqual(self.rest.get(path + "/raw").body, data)
            self.delete(path)
            self.wait_purged(data)
            stop.set()
            for reader in readers:
                reader.join()
        self.assertEqual(wrong, [])

    def test_a_download_that_was_begun_outlives_the_sample(self):
        """On both faces: it is read to its end, and the next one is 404."""
        data = RANDOM.randbytes(16 << 20)  # more than what lies in sockets and windows
        path = f"{SAMPLE}/{hashlib.sha256(data).hexdigest()}"
        for kind, method in (("raw", "DownloadRaw"), ("safe", "DownloadSafe")):
            self.submit(data)
            whole = self.rest.get(f"{path}/{kind}").body
            method = contract.method(SERVICE + method)
            pieces = self.grpc.start_rows(method.full_name, method.request(sha256=path.rpartition("/")[2]))
            received = next(pieces).data
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as raw:
                raw.sendall(f"GET {path}/{kind} HTTP/1.1\r\nhost: v\r\nconnection: close\r\nargus-api-key: {self.key}\r\n\r\n"
                            .encode())
                answer = raw.recv(1000)
                self.delete(path)
                self.wait_purged(data)
                self.assert_error(self.rest.get(f"{path}/{kind}"), 404, "sample.not.found")
                while part := raw.recv(1 << 16):
                    answer += part
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 200"), head)
            for piece in pieces:
                received += piece.data
            if kind == "raw":
                self.assertEqual((body == data, received == data), (True, True))
            self.assertEqual((len(body), len(received)), (len(whole), len(whole)))

    def test_a_start_goes_on_with_what_a_kill_broke_off(self):
        data, path = self.new()
        for number in range(30):
            self.submit(data, fileName=f"{number}.exe")
        self.delete(path)
        self.server.kill()
        self.server.start(self.server.port)
        self.rest.connection.close()
        self.wait_purged(data)
        self.assertEqual(self.rest.get(path, key=self.admin).data["flags"], ["deleted"])
        again = self.rest.request("POST", SAMPLE, body=data)
        self.assertEqual(again.status, 201, again)
        self.submit(data, token=again.data["challenge"])
        self.assertEqual(self.rest.get(path + "/submission?limit=0").json["count"], 1)


if __name__ == "__main__":
    main()
