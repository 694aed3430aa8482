"""Documented JSON <-> protobuf messages, by the rules of docs/contract.md: an oracle for the server's own reader and
writer that shares nothing with them."""
import base64

from google.protobuf.descriptor import FieldDescriptor

from . import contract


def from_message(message):
    """The documented JSON of an answer."""
    options = contract.message_options(message.DESCRIPTOR)
    if options.bare:
        for field in message.DESCRIPTOR.fields:
            if _is_list(field) or message.HasField(field.name):
                return _member(message, field)
        return None
    return {field.json_name: _member(message, field) for field in message.DESCRIPTOR.fields}


def _is_list(field):
    return field.label == FieldDescriptor.LABEL_REPEATED


def _is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _member(message, field):
    value = getattr(message, field.name)
    if _is_map(field):
        return {key: _value(field.message_type.fields_by_name["value"], item) for key, item in value.items()}
    if _is_list(field) and contract.field_options(field).object:
        entries = field.message_type.fields
        return {item.key: _member(item, entries[1]) for item in value}
    if _is_list(field):
        return [_value(field, item) for item in value]
    return _value(field, value) if message.HasField(field.name) else None


def _value(field, value):
    if field.message_type is not None:
        return from_message(value)
    if field.enum_type is not None:
        return contract.word_of(field.enum_type.values_by_number[value])
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def into_message(document, message):
    """Fill a request from documented JSON."""
    descriptor = message.DESCRIPTOR
    if contract.message_options(descriptor).bare:
        _fill(message, _bare_field(descriptor, document), document)
        return message
    names = {field.json_name: field for field in descriptor.fields}
    for name, value in document.items():
        if value is not None:
            _fill(message, names[name], value)
    return message


def _bare_field(descriptor, document):
    for field in descriptor.fields:
        shape = list if _is_list(field) else dict if field.message_type is not None else None
        if (shape is None and not isinstance(document, (list, dict))) or (shape and isinstance(document, shape)):
            return field
    raise AssertionError(f"{descriptor.full_name} has no member for {document!r}")


def _fill(message, field, value):
    target = getattr(message, field.name)
    if _is_map(field):
        for key, item in value.items():
            target[key] = str(item)
    elif _is_list(field) and contract.field_options(field).object:
        for key, values in value.items():
            items = values if isinstance(values, list) else [values]
            values_field = field.message_type.fields_by_name["values"]
            target.add(key=key, values=[_scalar(values_field, item) for item in items])
    elif _is_list(field):
        for item in value if isinstance(value, list) else [value]:
            if field.message_type is not None:
                into_message(item, target.add())
            else:
                target.append(_scalar(field, item))
    elif field.message_type is not None:
        target.SetInParent()
        into_message(value, target)
    else:
        setattr(message, field.name, _scalar(field, value))


def _scalar(field, value):
    if field.enum_type is not None:
        for row in field.enum_type.values:
            if row.number != 0 and (value == contract.word_of(row) or value in contract.value_options(row).alias):
                return row.number
        raise AssertionError(f"{field.full_name} has no word {value!r}")
    if isinstance(value, (dict, list)) or (isinstance(value, bool) and field.type != FieldDescriptor.TYPE_BOOL):
        raise TypeError(f"{field.full_name} takes no {value!r}")
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return str(value)
    return value


def without_absent(value):
    """The same with null members, empty lists and empty objects left out: what both faces can tell."""
    if isinstance(value, dict):
        kept = {name: without_absent(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [without_absent(item) for item in value]
    return value
