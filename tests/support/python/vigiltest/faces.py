"""One request sent by either face: from documented JSON to a REST request of a route, or to a gRPC message."""
import base64
import re
import urllib.parse

from . import contract, documented_json
from .clients import GrpcError


class Outcome:
    """What came back, in words both faces share: HTTP status and reason's template for errors, data for success."""

    def __init__(self, data=None, page=None, reason=None):
        self.data = data
        self.page = page
        self.reason = reason

    def __repr__(self):
        return f"<{self.reason or 'OK'} {self.page} {self.data!r}>"


def rest_request(method, route, document):
    """(verb, target, body) of a documented JSON request."""
    left = dict(document)
    names = {field.name: field.json_name for field in method.request.DESCRIPTOR.fields}

    def variable(match):
        return urllib.parse.quote(str(left.pop(names[match.group(1)])), safe="")

    target = re.sub(r"\{(\w+)\}", variable, route.path)
    if "{type}" not in route.path and "/events/v2/event/{" in route.path:
        left.pop("type", None)
    if route.body:
        return route.verb, target, left
    query = [(name, _text(item)) for name, value in left.items()
             for item in (value if isinstance(value, list) else [value])]
    return route.verb, target + ("?" + urllib.parse.urlencode(query) if query else ""), None


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def by_rest(rest, method, route, document, key=...):
    """An Outcome; the template of an error is turned into its reason by the documented table."""
    verb, target, body = rest_request(method, route, document)
    answer = rest.request(verb, target, body=body, key=key)
    if answer.status >= 400:
        return Outcome(reason=(answer.status, answer.template))
    assert answer.status == method.success, f"{method} {target}: {answer}"
    if method.is_raw:
        return Outcome(data={"data": base64.b64encode(answer.body).decode(),
                             "contentType": answer.headers["content-type"],
                             "fileName": re.fullmatch('attachment; filename="(.*)"',
                                                      answer.headers["content-disposition"])[1]})
    document = answer.json
    page = tuple(document[name] for name in ("limit", "offset", "count")) if method.is_list else None
    return Outcome(data=document["data"], page=page)


def by_grpc(grpc, method, document, key=...):
    """An Outcome; the reason of an error is the documented (status, template) of its row."""
    request = documented_json.into_message(document, method.request())
    try:
        answer = grpc.call(method.full_name, request, key=key)
    except GrpcError as error:
        row = contract.reasons().get(error.reason)
        if row is None:
            return Outcome(reason=(error.code, str(error)))
        if row.code != error.code:
            return Outcome(reason=(error.code, f"the code of {error.reason} is {row.code}"))
        return Outcome(reason=(row.status, row.template))
    data = documented_json.from_message(answer)
    if method.is_list:
        return Outcome(data=data["data"], page=(data["limit"], data["offset"], data["count"]))
    return Outcome(data=data)
