"""The contract as Python sees it: messages, methods with their options, routes, reasons. Read from what protoc made of
proto/ and from docs/errors.md, never from tables of the server."""
import collections
import importlib
import os
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[4]
STUBS = os.environ.get("VIGIL_STUBS", "")

if STUBS:
    import google

    # google.api and google.rpc come from the stubs, google.protobuf from its package.
    google.__path__.append(os.path.join(STUBS, "google"))
    sys.path.insert(0, STUBS)

from google.protobuf import descriptor_pool, message_factory  # noqa: E402

Reason = collections.namedtuple("Reason", "name code status template")
Route = collections.namedtuple("Route", "verb path body")


def _modules():
    for path in sorted(pathlib.Path(STUBS).rglob("*_pb2.py")):
        yield importlib.import_module(".".join(path.relative_to(STUBS).with_suffix("").parts))


_LOADED = {module.DESCRIPTOR.name: module for module in _modules()} if STUBS else {}
_OPTIONS = importlib.import_module("vigil.options_pb2") if STUBS else None
_HTTP = importlib.import_module("google.api.annotations_pb2") if STUBS else None


def message_class(name):
    """The class of the message of that full name."""
    descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    return message_factory.MessageFactory().GetPrototype(descriptor)


class Method:
    """One RPC, with what proto/ says about it."""

    def __init__(self, service, descriptor):
        self.service = service.full_name
        self.name = descriptor.name
        self.full_name = f"{service.full_name}/{descriptor.name}"
        self.path = "/" + self.full_name
        options = descriptor.GetOptions()
        self.options = options.Extensions[_OPTIONS.method]
        # MethodDescriptor of protobuf 3.21 does not tell the streaming flags; its proto does.
        proto = next(row for row in _service_proto(service).method if row.name == descriptor.name)
        self.is_streaming = proto.server_streaming or proto.client_streaming
        self.twin_of = self.options.twin_of
        self.request = message_factory.MessageFactory().GetPrototype(descriptor.input_type)
        self.answer = message_factory.MessageFactory().GetPrototype(descriptor.output_type)
        self.success = self.options.success or 200
        self.is_list = self.options.envelope == _OPTIONS.ENVELOPE_LIST
        self.is_raw = self.options.envelope == _OPTIONS.ENVELOPE_RAW
        self.permissions = [_camel(_OPTIONS.Permission.Name(value)) for value in self.options.permission]
        self.routes = _routes(options.Extensions[_HTTP.http])

    def __repr__(self):
        return self.full_name


def _service_proto(service):
    from google.protobuf import descriptor_pb2

    proto = descriptor_pb2.ServiceDescriptorProto()
    service.CopyToProto(proto)
    return proto


def _camel(name):
    """PERMISSION_EVENT_LOOKUP -> eventLookup."""
    words = name[len("PERMISSION_"):].lower().split("_")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _routes(rule):
    found = []
    for binding in [rule, *rule.additional_bindings]:
        for verb in ("get", "post", "put", "delete", "patch"):
            if getattr(binding, verb):
                found.append(Route(verb.upper(), getattr(binding, verb), binding.body))
    return found


def methods():
    """Every method of our own services, in order of declaration."""
    found = []
    for name, module in sorted(_LOADED.items()):
        if name.startswith("vigil/"):
            for service in module.DESCRIPTOR.services_by_name.values():
                found += [Method(service, descriptor) for descriptor in service.methods]
    return found


def method(full_name):
    return next(row for row in methods() if row.full_name == full_name)


def field_options(field):
    return field.GetOptions().Extensions[_OPTIONS.field]


def message_options(descriptor):
    return descriptor.GetOptions().Extensions[_OPTIONS.message]


def enum_options(descriptor):
    return descriptor.GetOptions().Extensions[_OPTIONS.words]


def value_options(value):
    return value.GetOptions().Extensions[_OPTIONS.value]


def word_of(value):
    """The documented word of an enumeration value."""
    own = value_options(value).word
    if own:
        return own
    rule = enum_options(value.type).words
    prefix = re.sub(r"(?<!^)([A-Z])", r"_\1", value.type.name).upper() + "_"
    parts = value.name[len(prefix):].split("_")
    if rule == _OPTIONS.WORD_CASE_CAMEL:
        return parts[0].lower() + "".join(part.capitalize() for part in parts[1:])
    text = "_".join(parts)
    return text.lower() if rule == _OPTIONS.WORD_CASE_LOWER else text


def reasons():
    """The rows of docs/errors.md, by reason: what a client can know of them."""
    text = (SOURCE / "docs/errors.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| \w+ \| `([\w.]+)` \|", text, re.M)
    assert len(rows) > 40, "docs/errors.md has lost its rows"
    return {row[0]: Reason(row[0], row[1], int(row[2]), row[3]) for row in rows}
