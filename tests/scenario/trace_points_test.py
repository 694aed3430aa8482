"""The trace points of the program, as tools find them: notes in the file."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from vigiltest.case import main
from vigiltest.process import PROGRAM

POINTS = {"call_start": 2, "call_end": 3, "stream_message": 3, "commit": 2, "search": 2}
HEADERS = [pathlib.Path("/usr/include/sys/sdt.h"), *pathlib.Path("/usr/include").glob("*/sys/sdt.h")]


class TracePoints(unittest.TestCase):
    def test_every_point_is_in_the_program(self):
        if not any(header.exists() for header in HEADERS) or shutil.which("readelf") is None:
            print("SKIP: sys/sdt.h (systemtap-sdt-dev) or readelf is not there", flush=True)
            self.skipTest("no sys/sdt.h")
        notes = subprocess.run(["readelf", "--notes", "--wide", PROGRAM], capture_output=True, text=True, check=True,
                               env={**os.environ, "LC_ALL": "C"}).stdout
        found = re.findall(r"Provider: vigil\s+Name: (\w+)\s.*?Arguments:([^\n]*)", notes, re.S)
        self.assertEqual({name: len(arguments.split()) for name, arguments in found}, POINTS)

    def test_every_point_is_documented(self):
        page = (pathlib.Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
        for name in POINTS:
            self.assertIn(f"`{name}`", page)


if __name__ == "__main__":
    main()
