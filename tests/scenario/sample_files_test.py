"""Files of samples: uploads on both faces, whole, broken and at once; downloads as they are and as ZIP files."""
import hashlib
import io
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import zipfile

import grpc

from vigiltest import contract
from vigiltest.case import ServerCase, main
from vigiltest.clients import Grpc, GrpcError, Rest
from vigiltest.directory import Directory
from vigiltest.process import IS_SANITIZED, wait_until

UPLOAD = "/sampledb/v2/sample"
SERVICE = "vigil.sampledb.v2.SampleService/"
MIB = 1024 * 1024
LIMIT = 8 * MIB
LARGE = (16 if IS_SANITIZED else 100) * MIB
RANDOM = random.Random(20)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def large_piece(number):
    """The next MiB of a large file: not the same one twice."""
    return hashlib.sha256(b"%d" % number).digest() * (MIB // 32)


class Files(ServerCase):
    settings = (f"sample_bytes_max={LIMIT}",)

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        directory.customer("own", 7)
        directory.user("uploader", "own")
        cls.user_key = directory.key("uploader", ["SAMPLEDB-USER"])
        cls.viewer_key = directory.key("uploader", ["SAMPLEDB-VIEWER"])
        cls.uploader_key = directory.key("uploader", ["SAMPLEDB-UPLOADER"])
        cls.key = cls.server.admin_key()
        cls.addClassCleanup(directory.close)
        cls.connect()

    @classmethod
    def connect(cls):
        """After each start of the server."""
        cls.rest = Rest(cls.server.port, cls.key)
        cls.grpc = Grpc(cls.server.port, cls.key)
        for part in (cls.rest, cls.grpc):
            cls.addClassCleanup(part.close)

    def tearDown(self):
        self.assertTrue(self.server.is_alive(), self.server.log_tail())
        wait_until(lambda: self.temporary() == [], what="no temporary file")

    def folder(self):
        return os.path.join(self.server.data, "blobs")

    def temporary(self):
        return os.listdir(os.path.join(self.folder(), "tmp"))

    def is_stored(self, data):
        digest = sha256(data)
        return os.path.exists(os.path.join(self.folder(), digest[:2], digest))

    def upload(self, data, **options):
        rest = Rest(self.server.port, options.pop("key", self.key))
        try:
            return rest.request("POST", UPLOAD, body=data, **options)
        finally:
            rest.close()

    def upload_pieces(self, pieces, **options):
        """By gRPC client streaming."""
        method = contract.method(SERVICE + "UploadSample")
        call = self.grpc.channel.stream_unary("/" + method.full_name,
                                              request_serializer=lambda request: request.SerializeToString(),
                                              response_deserializer=method.answer.FromString)
        try:
            return call((method.request(data=piece) for piece in pieces),
                        metadata=self.grpc.metadata(options.get("key", self.key)), timeout=options.get("timeout", 60))
        except grpc.RpcError as error:
            raise GrpcError(error) from None

    def download_pieces(self, name, digest, key=...):
        method = contract.method(SERVICE + name)
        return list(self.grpc.start_rows(method.full_name, method.request(sha256=digest), key=key))


class Uploads(Files):
    def test_new_is_201_and_known_is_200(self):
        data = RANDOM.randbytes(300000)
        for status, exists in ((201, False), (200, True), (200, True)):
            answer = self.upload(data)
            self.assertEqual(answer.status, status, answer)
            told = answer.data
            self.assertEqual(list(told), ["exists", "sample", "challenge"])
            self.assertEqual(told["exists"], exists)
            self.assertEqual(told["sample"], {"id": sha256(data), "size": len(data)})
            self.assertRegex(told["challenge"]["id"], "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
            self.assertRegex(told["challenge"]["sha256"], "^[0-9a-f]{64}$")
        self.assertTrue(self.is_stored(data))

    def test_the_body_is_never_parsed(self):
        boundary = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
        types = ("application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/csv")
        for number, kind in enumerate(types):
            for data in (b'{"no json', boundary, b"\0"):
                data = data + b"%d" % number
                answer = self.upload(data, headers={"Content-Type": kind})
                self.assertEqual((answer.status, answer.data["sample"]["id"]), (201, sha256(data)), kind)

    def test_a_coded_body_is_415(self):
        """A sample is stored as it is sent: what says that it is packed is no sample, and is not unpacked either."""
        answer = self.upload(b"coded", headers={"Content-Encoding": "gzip"})
        self.assertEqual(answer.status, 415, answer)
        self.assertFalse(self.is_stored(b"coded"))

    def test_chunked_and_expect_by_curl(self):
        data = RANDOM.randbytes(2 * MIB)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            for headers in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"],
                            ["--http2-prior-knowledge"]):
                run = subprocess.run(["curl", "-sS", "-w", "%{http_code}", "-o", "/dev/null", "-H",
                                      "argus-api-key: " + self.key, *headers, "--data-binary", "@" + file.name,
                                      f"http://127.0.0.1:{self.server.port}{UPLOAD}"], capture_output=True, text=True,
                                     check=True)
                self.assertIn(run.stdout, ("200", "201"), headers)
        self.assertTrue(self.is_stored(data))

    def test_without_permission_there_is_no_100(self):
        for key, status in ((self.viewer_key, b"403"), ("no/1/key", b"401")):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
                raw.sendall(b"POST " + UPLOAD.encode() + b" HTTP/1.1\r\nhost: v\r\ncontent-length: 10\r\n"
                            b"expect: 100-continue\r\nargus-api-key: " + key.encode() + b"\r\n\r\n")
                self.assertEqual(raw.recv(12), b"HTTP/1.1 " + status)

    def test_limit_and_one_more(self):
        at_limit, above = RANDOM.randbytes(LIMIT), RANDOM.randbytes(LIMIT + 1)
        self.assertEqual(self.upload(at_limit).status, 201)
        self.assertEqual(self.upload_pieces([at_limit[:MIB], at_limit[MIB:4 * MIB], at_limit[4 * MIB:7 * MIB],
                                             at_limit[7 * MIB:]]).exists, True)
        self.assertEqual(self.told_early(LIMIT + 1, b""), 413)
        self.assertEqual(self.told_early(None, above), 413)
        with self.assertRaises(GrpcError) as caught:
            self.upload_pieces([above[at:at + MIB] for at in range(0, len(above), MIB)])
        self.assertEqual(caught.exception.code, "RESOURCE_EXHAUSTED")
        self.assertFalse(self.is_stored(above))

    def told_early(self, length, body):
        """The status of an upload whose body may not be read to its end."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
            size = f"content-length: {length}" if length is not None else "transfer-encoding: chunked"
            raw.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\n{size}\r\nargus-api-key: {self.key}\r\n\r\n".encode())
            try:
                for at in range(0, len(body), MIB):
                    part = body[at:at + MIB]
                    raw.sendall(b"%x\r\n" % len(part) + part + b"\r\n")
            except OSError:
                pass  # answered and closed already
            head = b""
            while len(head) < 12:
                piece = raw.recv(12 - len(head))
                if not piece:
                    break
                head += piece
            return int(head[9:12] or 0)

    def test_empty_is_412(self):
        self.assert_error(self.upload(b""), 412, "required.field")
        for pieces in ([], [b""], [b"", b""]):
            with self.assertRaises(GrpcError) as caught:
                self.upload_pieces(pieces)
            self.assertEqual(caught.exception.code, "INVALID_ARGUMENT")

    def test_pieces_of_any_size(self):
        data = RANDOM.randbytes(MIB + 17)
        sizes = [0, 1, 2, 65535, 65536, 65537, 300000]
        pieces, at = [], 0
        while at < len(data):
            size = RANDOM.choice(sizes)
            pieces.append(data[at:at + size])
            at += size
        answer = self.upload_pieces(pieces)
        self.assertEqual((answer.exists, answer.sample.id, answer.sample.size), (False, sha256(data), len(data)))

    def test_digests_and_time_survive_a_restart(self):
        data = RANDOM.randbytes(5000)
        self.assertEqual(self.upload(data).status, 201)
        self.server.restart()
        self.connect()
        self.assertEqual(self.upload(data).status, 200)
        self.assertEqual(self.rest.get(f"{UPLOAD}/{sha256(data)}/raw").body, data)

    def test_the_same_file_at_once_is_new_for_exactly_one(self):
        for size in (10, 3 * MIB):
            data = RANDOM.randbytes(size)
            statuses = []
            threads = [threading.Thread(target=lambda data=data: statuses.append(self.upload(data).status))
                       for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(statuses), [200] * 5 + [201])

    def test_who_may_upload(self):
        data = RANDOM.randbytes(100)
        for key, status in ((self.user_key, 201), (self.uploader_key, 200), (self.viewer_key, 403), (None, 401)):
            self.assertEqual(self.upload(data, key=key).status, status)
        with self.assertRaises(GrpcError) as caught:
            self.upload_pieces([data], key=self.viewer_key)
        self.assertEqual(caught.exception.code, "PERMISSION_DENIED")


class BrokenUploads(Files):
    """tearDown sees that nothing is left."""

    def test_a_client_that_goes_away_midway(self):
        data = RANDOM.randbytes(4 * MIB)
        for length in (len(data), None):
            size = f"content-length: {length}" if length else "transfer-encoding: chunked"
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
                head = f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\n{size}\r\nargus-api-key: {self.key}\r\n\r\n".encode()
                part = data[:2 * MIB]
                raw.sendall(head + (part if length else b"%x\r\n" % len(part) + part + b"\r\n"))
                wait_until(lambda: self.temporary() != [], what="an upload under way")
            wait_until(lambda: self.temporary() == [], what="nothing of it")
        self.assertFalse(self.is_stored(data))

    def start_upload(self, length, data):
        """A connection on which an upload of `length` bytes has begun."""
        raw = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        self.addCleanup(raw.close)
        raw.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\ncontent-length: {length}\r\nargus-api-key: {self.key}\r\n\r\n"
                    .encode() + data)
        wait_until(lambda: self.temporary() != [], what="an upload under way")
        return raw

    def test_a_server_that_is_killed_midway_sweeps_at_its_start(self):
        data = RANDOM.randbytes(MIB)
        self.start_upload(len(data), data[:-1])
        self.server.kill()
        self.assertNotEqual(self.temporary(), [])
        self.server.start()
        self.assertEqual(self.temporary(), [])
        self.assertEqual(self.upload(data).status, 201)
        self.connect()

    def test_files_that_no_record_knows_of_go_at_the_start(self):
        """A crash after a file has its name and before its record is committed."""
        kept, orphan = RANDOM.randbytes(2000), RANDOM.randbytes(2000)
        self.assertEqual(self.upload(kept).status, 201)
        self.server.kill()
        digest = sha256(orphan)
        folder = os.path.join(self.folder(), digest[:2])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, digest), "wb") as file:
            file.write(orphan)
        self.server.start()
        self.connect()
        wait_until(lambda: not self.is_stored(orphan), what="the end of the orphan")
        self.assertEqual(self.rest.get(f"{UPLOAD}/{sha256(kept)}/raw").body, kept)
        self.assertEqual(self.upload(orphan).status, 201)
        self.assertEqual(self.rest.get(f"{UPLOAD}/{digest}/raw").body, orphan)

    def test_a_server_that_is_told_to_stop_finishes_what_is_under_way(self):
        data = RANDOM.randbytes(MIB)
        raw = self.start_upload(len(data), data[:-1])
        self.server.terminate()
        raw.sendall(data[-1:])
        self.assertEqual(raw.recv(12), b"HTTP/1.1 201")
        self.assertEqual(self.server.wait_exit(), 0)
        self.server.start()
        self.connect()
        self.assertEqual(self.upload(data).status, 200)

    def test_chunks_that_are_none(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
            raw.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\ntransfer-encoding: chunked\r\nargus-api-key: {self.key}"
                        "\r\n\r\n5\r\nhello\r\nzz\r\n".encode())
            self.assertEqual(raw.recv(12), b"HTTP/1.1 400")

    def test_a_call_that_is_cancelled(self):
        method = contract.method(SERVICE + "UploadSample")
        go_on = threading.Event()
        data = RANDOM.randbytes(MIB)

        def pieces():
            yield method.request(data=data)
            go_on.wait(60)

        call = self.grpc.channel.stream_unary("/" + method.full_name,
                                              request_serializer=lambda request: request.SerializeToString(),
                                              response_deserializer=method.answer.FromString)
        for ends in ("cancel", "deadline"):
            future = call.future(pieces(), metadata=self.grpc.metadata(self.key), timeout=60 if ends == "cancel" else 1.5)
            wait_until(lambda: self.temporary() != [], what="an upload under way")
            if ends == "cancel":
                future.cancel()
            else:
                self.assertEqual(future.exception().code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            wait_until(lambda: self.temporary() == [], what="nothing of it")
        go_on.set()
        self.assertFalse(self.is_stored(data))

    def test_a_message_that_is_none(self):
        call = self.grpc.channel.stream_unary("/" + SERVICE + "UploadSample")
        for message in (b"\x0a\x05abc", b"\x08\x01", b"\x0a\x01a\x0a\x01b", b"\x0b", b"\xff" * 11):
            with self.assertRaises(grpc.RpcError) as caught:
                call(iter([b"\x0a\x01x", message]), metadata=self.grpc.metadata(self.key), timeout=30)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT, message)
        # An unknown field is skipped.
        call(iter([b"\x10\x01\x0a\x03abc\x1a\x02zz"]), metadata=self.grpc.metadata(self.key), timeout=30)
        self.assertTrue(self.is_stored(b"abc"))


class SlowUploads(Files):
    settings = ("body_timeout_ms=500ms",)

    def test_who_sends_nothing_more_is_answered_and_leaves_nothing(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
            raw.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\ncontent-length: 10\r\nargus-api-key: {self.key}\r\n\r\nab"
                        .encode())
            wait_until(lambda: self.temporary() != [], what="an upload under way")
            self.assertEqual(raw.recv(12), b"HTTP/1.1 408")

    def test_an_upload_may_take_longer_than_the_pause_it_may_make(self):
        data = RANDOM.randbytes(12)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as raw:
            raw.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\ncontent-length: 12\r\nargus-api-key: {self.key}\r\n\r\n"
                        .encode())
            pause = threading.Event()
            for byte in data:
                pause.wait(0.1)  # a slow line
                raw.sendall(bytes([byte]))
            self.assertEqual(raw.recv(12), b"HTTP/1.1 201")


class FullDisk(Files):
    """Files cannot grow past 1 MiB: what a full disk does, midway."""

    settings = (f"sample_bytes_max={LIMIT}", "write_buffer_bytes=1MiB")

    def test_a_full_disk_is_503_and_leaves_nothing(self):
        small, data = RANDOM.randbytes(1000), RANDOM.randbytes(3 * MIB)
        subprocess.run(["prlimit", f"--pid={self.server.process.pid}", f"--fsize={MIB}:"], check=True)
        self.assert_error(self.upload(data), 503, "store.full")
        with self.assertRaises(GrpcError) as caught:
            self.upload_pieces([data])
        self.assertEqual(caught.exception.code, "UNAVAILABLE")
        self.assertFalse(self.is_stored(data))
        self.assertEqual(self.upload(small).status, 201)
        subprocess.run(["prlimit", f"--pid={self.server.process.pid}", "--fsize=unlimited:"], check=True)
        self.assertEqual(self.upload(data).status, 201)

    def test_a_zip_that_does_not_fit_is_503_and_leaves_nothing(self):
        data = RANDOM.randbytes(3 * MIB)
        self.assertEqual(self.upload(data).status, 201)
        subprocess.run(["prlimit", f"--pid={self.server.process.pid}", f"--fsize={MIB}:"], check=True)
        self.assert_error(self.rest.get(f"{UPLOAD}/{sha256(data)}/safe"), 503, "store.full")
        self.assertEqual(self.temporary(), [])
        self.assertEqual(self.rest.get(f"{UPLOAD}/{sha256(data)}/raw").body, data)
        subprocess.run(["prlimit", f"--pid={self.server.process.pid}", "--fsize=unlimited:"], check=True)
        self.assertEqual(self.rest.get(f"{UPLOAD}/{sha256(data)}/safe").status, 200)


class Downloads(Files):
    @classmethod
    def arrange(cls):
        super().arrange()
        cls.data = RANDOM.randbytes(2 * MIB + 5)
        cls.digest = sha256(cls.data)

    def setUp(self):
        self.upload(self.data)

    def test_raw_is_the_bytes(self):
        for digest in (self.digest, self.digest.upper()):
            answer = self.rest.get(f"{UPLOAD}/{digest}/raw")
            self.assertEqual((answer.status, answer.body), (200, self.data))
            self.assertEqual(answer.headers["content-type"], "application/octet-stream")
            self.assertEqual(answer.headers["content-length"], str(len(self.data)))
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertEqual(answer.headers["content-disposition"], f'attachment; filename="{self.digest}"')
            pieces = self.download_pieces("DownloadRaw", digest)
            self.assertEqual(b"".join(piece.data for piece in pieces), self.data)
            self.assertEqual((pieces[0].content_type, pieces[0].file_name), ("application/octet-stream", self.digest))
            self.assertGreater(len(pieces), 4)

    def test_safe_is_a_zip_that_everybody_opens(self):
        answer = self.rest.get(f"{UPLOAD}/{self.digest}/safe")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "application/zip")
        self.assertEqual(answer.headers["content-length"], str(len(answer.body)))
        self.assertEqual(answer.headers["content-disposition"], f'attachment; filename="{self.digest}.zip"')
        self.assertNotIn(self.data[:64], answer.body)
        pieces = self.download_pieces("DownloadSafe", self.digest)
        for body in (answer.body, b"".join(piece.data for piece in pieces)):
            with zipfile.ZipFile(io.BytesIO(body)) as opened:
                self.assertEqual(opened.namelist(), [self.digest])
                self.assertEqual(opened.infolist()[0].flag_bits & 1, 1, "encrypted")
                self.assertEqual(opened.read(self.digest, pwd=b"infected"), self.data)
                with self.assertRaises(RuntimeError):
                    opened.read(self.digest)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.zip")
            with open(path, "wb") as file:
                file.write(answer.body)
            for tool in (["unzip", "-q", "-P", "infected", path, "-d", folder + "/unzip"],
                         ["7z", "x", "-y", "-pinfected", "-o" + folder + "/7z", path]):
                if shutil.which(tool[0]) is None:
                    print(f"SKIP: {tool[0]} is not installed", flush=True)
                    continue
                subprocess.run(tool, check=True, capture_output=True)
                with open(os.path.join(folder, tool[0], self.digest), "rb") as file:
                    self.assertEqual(file.read(), self.data, tool[0])

    def test_names_of_submissions_are_no_paths(self):
        """Whatever they say: nothing is written by them, and the ZIP has one entry, named by the digest."""
        data = RANDOM.randbytes(5000)
        names = ("../../x", "/etc/passwd", "..\\..\\x", "C:\\x", "a/../../b", ".", "..", "\u202egpj.exe", "%2e%2e%2fx",
                 "x" * 1024)
        for name in names:
            token = self.upload(data).data["challenge"]
            answer = self.rest.post(f"{UPLOAD}/{sha256(data)}/submission", {
                "fileName": name, "customer": "own", "userAgent": {"name": "tests", "version": "1"},
                "challengeToken": token})
            self.assertEqual((answer.status, answer.data["fileName"]), (201, name), answer)
        body = self.rest.get(f"{UPLOAD}/{sha256(data)}/safe", key=self.user_key).body
        with zipfile.ZipFile(io.BytesIO(body)) as opened:
            self.assertEqual(opened.namelist(), [sha256(data)])
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.zip")
            with open(path, "wb") as file:
                file.write(body)
            for tool in (["unzip", "-q", "-P", "infected", path, "-d", folder + "/unzip"],
                         ["7z", "x", "-y", "-pinfected", "-o" + folder + "/7z", path]):
                if shutil.which(tool[0]) is None:
                    print(f"SKIP: {tool[0]} is not installed", flush=True)
                    continue
                subprocess.run(tool, check=True, capture_output=True)
                self.assertEqual(os.listdir(os.path.join(folder, tool[0])), [sha256(data)])
        stored = [name for _, _, files in os.walk(self.server.data) for name in files]
        self.assertIn(sha256(data), stored)
        self.assertFalse({"x", "b", "passwd", "..\\..\\x"} & set(stored))

    def test_what_is_not_there_is_404(self):
        nobody = sha256(b"nobody has this")
        for kind, method in (("raw", "DownloadRaw"), ("safe", "DownloadSafe")):
            self.assert_error(self.rest.get(f"{UPLOAD}/{nobody}/{kind}"), 404, "sample.not.found")
            with self.assertRaises(grpc.RpcError) as caught:
                self.download_pieces(method, nobody)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_what_is_no_sha256_is_412(self):
        bad = (self.digest[:-1], self.digest + "0", "g" * 64, hashlib.md5(b"").hexdigest(), "..%2f..%2fadmin.key",
               "%2e%2e%2f" * 8, hashlib.sha512(b"").hexdigest(), "%00" * 64)
        for digest in bad:
            for kind in ("raw", "safe"):
                answer = self.rest.get(f"{UPLOAD}/{digest}/{kind}")
                self.assertIn(answer.status, (404, 412), digest)
                self.assertIn(answer.template, ("invalid.url.parameter", "url.not.exist"), digest)
                self.assertNotIn(b"PK", answer.body)

    def test_without_a_visible_submission_it_is_404(self):
        for key in (self.user_key, self.viewer_key):
            self.assert_error(self.rest.get(f"{UPLOAD}/{self.digest}/raw", key=key), 404, "sample.not.found")
            self.assert_error(self.rest.get(f"{UPLOAD}/{self.digest}/safe", key=key), 404, "sample.not.found")
        self.assert_error(self.rest.get(f"{UPLOAD}/{self.digest}/raw", key=self.uploader_key), 403, "access.denied")

    def test_a_removed_file_is_read_on(self):
        data = RANDOM.randbytes(6 * MIB)
        self.assertEqual(self.upload(data).status, 201)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as raw:
            raw.sendall(f"GET {UPLOAD}/{sha256(data)}/raw HTTP/1.1\r\nhost: v\r\nconnection: close\r\n"
                        f"argus-api-key: {self.key}\r\n\r\n".encode())
            body = raw.recv(1000)
            digest = sha256(data)
            os.unlink(os.path.join(self.folder(), digest[:2], digest))
            while piece := raw.recv(65536):
                body += piece
        self.assertEqual(body.partition(b"\r\n\r\n")[2], data)

    def test_a_client_that_goes_away_costs_nothing(self):
        before = self.open_files()
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as raw:
                raw.sendall(f"GET {UPLOAD}/{self.digest}/safe HTTP/1.1\r\nhost: v\r\nargus-api-key: {self.key}\r\n\r\n"
                            .encode())
                raw.recv(1000)
        wait_until(lambda: self.open_files() <= before, what="all files closed")

    def open_files(self):
        links = f"/proc/{self.server.process.pid}/fd"
        return sum("/blobs/" in os.readlink(os.path.join(links, number)) for number in os.listdir(links)
                   if os.path.lexists(os.path.join(links, number)))


class Large(Files):
    # On a machine that others use too, a large ZIP file may take longer than a call has by default.
    settings = ("sample_bytes_max=1GiB", "deadline_default_ms=5m")

    def resident(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))

    def test_a_large_file_takes_no_memory_either_way(self):
        count = LARGE // MIB
        whole = hashlib.sha256()
        for number in range(count):
            whole.update(large_piece(number))
        before = self.resident()
        most = before

        def pieces():
            nonlocal most
            for number in range(count):
                most = max(most, self.resident())
                yield large_piece(number)

        answer = self.upload_pieces(pieces(), timeout=300)
        self.assertEqual((answer.exists, answer.sample.id, answer.sample.size), (False, whole.hexdigest(), LARGE))
        rest = Rest(self.server.port, self.key, timeout=300)
        self.addCleanup(rest.close)
        # http.client sends what an iterable gives as chunks.
        again = rest.request("POST", UPLOAD, body=pieces())
        self.assertEqual((again.status, again.data["sample"]["id"]), (200, whole.hexdigest()))
        for kind in ("raw", "safe"):
            read = hashlib.sha256()
            rest.connection.request("GET", f"{UPLOAD}/{whole.hexdigest()}/{kind}", headers={"Argus-API-Key": self.key})
            response = rest.connection.getresponse()
            self.assertEqual(response.status, 200)
            while piece := response.read(MIB):
                most = max(most, self.resident())
                read.update(piece)
            if kind == "raw":
                self.assertEqual(read.hexdigest(), whole.hexdigest())
        allowed = (200 if IS_SANITIZED else 24) * MIB
        self.assertLess(most - before, allowed, f"{(most - before) / MIB:.1f} MiB for a file of {LARGE / MIB:.0f}")

    def peak(self):
        """The most memory since the last call of this."""
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            most = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
        with open(f"/proc/{self.server.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        return most

    def test_a_large_file_takes_no_memory_whatever_carries_it(self):
        """With its length and in chunks, by HTTP/1.1 and HTTP/2; curl reads it from a file."""
        with tempfile.NamedTemporaryFile() as file:
            whole = hashlib.sha256()
            for number in range(LARGE // MIB):
                piece = large_piece(number + 1000000)
                whole.update(piece)
                file.write(piece)
            file.flush()
            self.upload(b"the first upload makes what stays")
            self.peak()
            before = self.resident()
            for carrier in (["--http1.1", "-T", file.name], ["--http1.1", "-T", "-"],
                            ["--http2-prior-knowledge", "-T", file.name], ["--http2-prior-knowledge", "-T", "-"]):
                file.seek(0)
                run = subprocess.run(["curl", "-sS", "-X", "POST", "-H", "argus-api-key: " + self.key, *carrier,
                                      f"http://127.0.0.1:{self.server.port}{UPLOAD}"], stdin=file, capture_output=True,
                                     text=True, check=True)
                self.assertIn(f'"sample":{{"id":"{whole.hexdigest()}","size":{LARGE}}}', run.stdout, carrier)
                taken = self.peak() - before
                self.assertLess(taken, (200 if IS_SANITIZED else 24) * MIB, f"{taken / MIB:.1f} MiB by {carrier}")

    def test_uploads_at_once_do_not_wait_for_a_slow_one(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as slow:
            slow.sendall(f"POST {UPLOAD} HTTP/1.1\r\nhost: v\r\ncontent-length: 5\r\nargus-api-key: {self.key}\r\n\r\nab"
                         .encode())
            for _ in range(3):
                self.assertEqual(self.upload(RANDOM.randbytes(MIB)).status, 201)
            slow.sendall(b"cde")
            self.assertEqual(slow.recv(12), b"HTTP/1.1 201")


if __name__ == "__main__":
    main()
