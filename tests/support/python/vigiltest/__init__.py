"""What the tests against a real server process share: the process, its clients, the contract, the directory.

The build says by environment where things are (see tests/support/python/CMakeLists.txt):
  VIGILD        the server program
  VIGIL_STUBS   the folder of the Python code made from proto/
  VIGIL_SHARED  the folder of recorded and documented input; without it the tests that read it skip, loudly
"""
