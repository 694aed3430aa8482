"""kill -9 at random points of uploads, challenges and submissions loses nothing that was acknowledged, and leaves nothing.

Several clients upload files and add submissions, by both kinds of token; a ledger keeps what each was told. After each
kill and start:
- every acknowledged file is read as it was sent, and every acknowledged submission is there, exactly once;
- the request that was under way is sent again, as clients do, and is answered 201: its submission is there exactly once,
  whether the server had stored it or not, for a token and its submission are one batch;
- no temporary file is left, and no file without a record.

usage: sample_kill_test.py [--kills N] [--seed N]
"""
import argparse
import hashlib
import http.client
import os
import random
import threading
import time
import uuid

from vigiltest.clients import Rest
from vigiltest.directory import Directory
from vigiltest.process import Server, require_program, wait_until

UPLOAD = "/sampledb/v2/sample"
SEARCH = "/sampledb/v2/submission/search"
WRITERS = 4
FILES_MAX = 40  # of one writer: then it goes on with those it has
SETTINGS = ("write_buffer_bytes=1MiB", "table_chunk_rows=1024", "access_log=off")


class Gone(Exception):
    """The server does not answer any more."""


class Writer:
    """A client with files and submissions of its own."""

    def __init__(self, number, seed, key):
        self.random = random.Random(seed * 1000 + number)
        self.key = key
        self.files = {}  # digest -> bytes, of acknowledged uploads
        self.sent = {}  # the same, of those under way
        self.added = {}  # file name -> (digest, ID), acknowledged
        self.pending = None  # (digest, body) of the submission under way
        self.failure = None

    def run(self, port, stop):
        rest = Rest(port, self.key, timeout=20)
        try:
            while not stop.is_set():
                self.step(rest)
        except Gone:
            pass
        except BaseException as failure:  # told by the main thread
            self.failure = failure
        finally:
            rest.close()

    def ask(self, rest, verb, target, body=None):
        try:
            return rest.request(verb, target, body=body)
        except (OSError, http.client.HTTPException):
            raise Gone from None

    def step(self, rest):
        if len(self.files) < FILES_MAX and self.random.random() < 0.6:
            data = self.random.randbytes(self.random.choice((1500, 9000, 70000, 700000)))
        elif self.files:
            data = self.files[self.random.choice(sorted(self.files))]
        else:
            return
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.files and self.random.random() < 0.7:
            token = self.prove(rest, digest, data)
        else:
            token = self.upload(rest, digest, data)
        body = {"fileName": str(uuid.UUID(int=self.random.getrandbits(128))), "metaData": {"k": "v" * 200},
                "userAgent": {"name": "kill", "version": "1"}, "challengeToken": token}
        self.pending = (digest, body)
        self.add(rest)

    def upload(self, rest, digest, data):
        self.sent[digest] = data
        answer = self.ask(rest, "POST", UPLOAD, data)
        assert answer.status in (200, 201), answer
        assert answer.data["sample"] == {"id": digest, "size": len(data)}, answer
        assert answer.status == 200 or digest not in self.files, "a file that was acknowledged is new"
        self.files[digest] = data
        return answer.data["challenge"]

    def prove(self, rest, digest, data):
        answer = self.ask(rest, "POST", f"{UPLOAD}/{digest}/challenge")
        assert answer.status == 200, answer
        part = data[answer.data["offset"]:answer.data["offset"] + answer.data["length"]]
        return {"id": answer.data["id"], "sha256": hashlib.sha256(part).hexdigest()}

    def add(self, rest):
        digest, body = self.pending
        answer = self.ask(rest, "POST", f"{UPLOAD}/{digest}/submission", body)
        assert answer.status == 201, answer
        self.added[body["fileName"]] = (digest, answer.data["id"])
        self.pending = None

    def check(self, rest, whole):
        """After a start. The request that was not answered is sent again, twice."""
        if self.pending is not None:
            pending = self.pending
            self.add(rest)
            first = self.added[pending[1]["fileName"]]
            self.pending = pending
            self.add(rest)
            assert self.added[pending[1]["fileName"]] == first, "the same request has two submissions"
        names = sorted(self.added) if whole else sorted(self.added)[-20:]
        for name in names:
            answer = rest.post(SEARCH, {"fileName": name})
            assert answer.status == 200, answer
            found = [(row["sampleSha256"], row["id"]) for row in answer.data]
            assert found == [self.added[name]], f"{name}: {found}, acknowledged {self.added[name]}"
        for digest in sorted(self.files) if whole else sorted(self.files)[:5]:
            answer = rest.get(f"{UPLOAD}/{digest}/raw")
            # Seen through a submission only: an upload may be all there is.
            if any(row[0] == digest for row in self.added.values()):
                assert (answer.status, answer.body == self.files[digest]) == (200, True), answer.status


class KillTest:
    def __init__(self, kills, seed):
        self.kills = kills
        self.random = random.Random(seed)
        self.server = Server(settings=SETTINGS)

    def arrange(self, seed):
        self.server.start()
        directory = Directory(self.server)
        directory.customer("acme", 1001)
        self.writers = []
        for number in range(WRITERS):
            directory.user(f"agent{number}", "acme")
            self.writers.append(Writer(number, seed, directory.key(f"agent{number}", ["SAMPLEDB-USER"])))
        directory.close()

    def load_until_kill(self):
        stop = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(self.server.port, stop)) for writer in self.writers]
        for thread in threads:
            thread.start()
        # The point of the kill is random on purpose; half of them fall into the first moments of the load.
        time.sleep(self.random.choice((0.1, 0.6)) * self.random.random() + 0.02)
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        for writer in self.writers:
            if writer.failure is not None:
                raise writer.failure

    def blobs(self):
        folder = os.path.join(self.server.data, "blobs")
        return [(os.path.basename(path), name) for path, _, names in os.walk(folder) for name in names]

    def is_tidy(self, admin):
        """Every file has its record, and is what its name says."""
        for folder, name in self.blobs():
            if folder == "tmp" or admin.get(f"{UPLOAD}/{name}/raw").status != 200:
                return False
        return True

    def check(self, whole):
        for writer in self.writers:
            rest = Rest(self.server.port, writer.key)
            writer.check(rest, whole)
            rest.close()
        admin = Rest(self.server.port, self.server.admin_key())
        wait_until(lambda: self.is_tidy(admin), what="no file without a record", deadline=60)
        if whole:
            self.check_all(admin)
        admin.close()

    def check_all(self, admin):
        """Nothing is there that nobody sent, and all that was acknowledged is counted once."""
        known = {digest: data for writer in self.writers for digest, data in {**writer.sent, **writer.files}.items()}
        for _, name in self.blobs():
            assert admin.get(f"{UPLOAD}/{name}/raw").body == known[name], name
        acknowledged = {digest for writer in self.writers for digest in writer.files}
        assert acknowledged <= {name for _, name in self.blobs()}
        count = admin.post(SEARCH, {"limit": 1}).json["count"]
        assert count == sum(len(writer.added) for writer in self.writers), count

    def run(self, seed):
        begun = time.monotonic()
        self.arrange(seed)
        for _ in range(self.kills):
            self.load_until_kill()
            self.server.start()
            self.check(whole=False)
        self.check(whole=True)
        self.server.restart()
        self.check(whole=True)
        added = sum(len(writer.added) for writer in self.writers)
        print(f"{self.kills} kills under load; {added} submissions of {sum(len(w.files) for w in self.writers)} files; "
              f"{time.monotonic() - begun:.0f} s")
        assert added > self.kills, "there was hardly any load"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    require_program()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    test = KillTest(options.kills, seed)
    try:
        test.run(seed)
    except BaseException:
        print(f"the server said:\n{test.server.log_tail()}")
        raise
    finally:
        test.server.close()


if __name__ == "__main__":
    main()
