"""The check of the top level refuses what does not belong there: tried on a copy of the tree's list with one entry more."""
import importlib.util
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("check_house", ROOT / "tools/house/check_house.py")
house = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(house)


def breaches_of(files):
    found = []
    house.check_top_level(files, found)
    return found


def main():
    files = house.tracked()
    assert breaches_of(files) == [], breaches_of(files)
    for stray in ("src/main.c", "notes.txt", "include/vigil.h", "Makefile", "protocol/x.proto"):
        assert len(breaches_of([*files, stray])) == 1, stray
    assert breaches_of([*files, ".editorconfig", ".ci/more"]) == []
    wanted = {"CMakeLists.txt", "proto", "rpc", "gateway", "core", "tests", "tools", "README.md", "docs", "cmake",
              "ARCHITECTURE.md", "CONTRIBUTING.md", "LICENSE", "CMakePresets.json"}
    assert house.TOP_LEVEL == wanted, house.TOP_LEVEL ^ wanted
    missing = wanted - {path.split("/")[0] for path in files}
    assert not missing, missing


if __name__ == "__main__":
    main()
