"""Messages of services that are not vigil's but served by it: grpc.health.v1, grpc.reflection.v1 and v1alpha."""
import importlib
import os
import pathlib
import sys

import grpc

from . import contract

# Their modules are grpc.health.v1.…, below the package grpc of grpcio.
FOLDER = str(pathlib.Path(contract.STUBS).parent / "python_foreign")
grpc.__path__.append(os.path.join(FOLDER, "grpc"))
sys.path.append(FOLDER)

health = importlib.import_module("grpc.health.v1.health_pb2")
reflection = importlib.import_module("grpc.reflection.v1.reflection_pb2")
reflection_alpha = importlib.import_module("grpc.reflection.v1alpha.reflection_pb2")
