"""Runs one test script with the package vigiltest on its path. Without the client packages: exit code 77, skipped.

usage: run_test.py SCRIPT [ARGUMENT...]
"""
import importlib.util
import os
import runpy
import sys

for package in ("grpc", "h2", "google.protobuf"):
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        found = None
    if found is None:
        print(f"SKIP: the Python package {package} is not installed")
        sys.exit(77)
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
