"""Columns are compacted behind a running server: superseded rows go, files of old versions go, what a clean stop leaves
behind is merged, and searches answer the same all the while.
"""
import os
import uuid

from vigiltest.case import ServerCase, main
from vigiltest.clients import Rest, metrics
from vigiltest.directory import Directory
from vigiltest.process import wait_until

CHUNK_ROWS = 1024
EVENTS = 3 * CHUNK_ROWS
BULK = 512
# One look a second, and several compactions may be needed.
DEADLINE = 60


class Compaction(ServerCase):
    settings = (f"table_chunk_rows={CHUNK_ROWS}", "access_log=off")

    @classmethod
    def arrange(cls):
        directory = Directory(cls.server)
        cls.addClassCleanup(directory.close)
        directory.customer("acme", 1001)
        directory.user("agent", "acme")
        cls.key = directory.key("agent", ["EVENT-VIEWER", "EVENT-SUBMITTER"])

    def rest(self):
        rest = Rest(self.server.port, self.key)
        self.addCleanup(rest.close)
        return rest

    def metric(self, name):
        return metrics(self.server.port)["vigil_" + name]

    def submit_all(self, documents):
        rest = self.rest()
        ids = []
        for first in range(0, len(documents), BULK):
            answer = rest.post("/events/v2/event/bulk", {"events": documents[first : first + BULK]})
            self.assertEqual(answer.status, 201, answer)
            ids += [row["id"] for row in answer.data["events"]]
        return ids

    def count_of(self, mark, version):
        answer = self.rest().post(
            "/events/v1/aggregated/search",
            {"startTimestamp": "-1 day", "signature": [mark], "minCount": version, "limit": 1},
        )
        self.assertEqual(answer.status, 200, answer)
        return answer.json["count"]

    def chunk_files(self):
        return [name for name in os.listdir(os.path.join(self.server.data, "table")) if name.endswith(".chunk")]

    def test_superseded_rows_and_their_files_go(self):
        mark = uuid.uuid4().hex
        ids = self.submit_all([{"signature": mark} for _ in range(EVENTS)])
        for version in (2, 3):
            self.submit_all([{"id": event, "count": version} for event in ids[version - 2 :: 3]])

        def is_compacted():
            self.assertEqual(self.count_of(mark, 1), EVENTS)
            self.assertEqual(self.count_of(mark, 2), 2 * len(ids[1::3]))
            # What lies in the tail, and less than a quarter of each chunk, may stay.
            return self.metric("compaction_rows_dropped_total") >= EVENTS // 4

        wait_until(is_compacted, DEADLINE, "a compaction of the rows that were superseded")
        self.assertEqual(self.metric("compactions_failed_total"), 0)
        rows = self.metric("table_rows")
        wait_until(
            lambda: len(self.chunk_files()) <= 2 * rows // CHUNK_ROWS + 1, DEADLINE, "the end of the files replaced"
        )

        # A clean stop makes a chunk of the tail; the next starts believe what compaction left, and merge.
        for _ in range(3):
            self.submit_all([{"signature": mark}])
            self.server.restart()
            self.assertNotIn('"rebuilt":true', self.server.log_text().rsplit('"table_started"', 1)[1])
        wait_until(lambda: self.metric("compactions_total") >= 1, DEADLINE, "a compaction of small chunks")
        self.assertEqual(self.count_of(mark, 1), EVENTS + 3)
        self.server.restart()
        self.assertEqual(self.count_of(mark, 1), EVENTS + 3)
        self.assertEqual(self.count_of(mark, 2), 2 * len(ids[1::3]))


if __name__ == "__main__":
    main()
