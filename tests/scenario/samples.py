"""A sample request of every method, in documented JSON, for the tests that are made from the method table.

A method without a row here fails those tests: whoever adds a method adds its sample.
"""

import hashlib

CUSTOMER = "acme"
CUSTOMER_ID = 1001
FOREIGN = "foreign"
FOREIGN_ID = 1002
EVENT_TIME = 1570288030000
EVENT_UUID = "1679fbfc-1792-4992-8428-3cb4df642fa8"


FILES = {CUSTOMER: bytes(range(256)) * 16, FOREIGN: bytes(reversed(range(256))) * 16}
# Files that may be deleted: one is gone after the first time, and stays one that administrators know.
DOOMED = {customer: data * 2 for customer, data in FILES.items()}
SHA256 = {customer: hashlib.sha256(data).hexdigest() for customer, data in FILES.items()}
NO_TOKEN = {"id": "00000000-0000-4000-8000-000000000000", "sha256": "00" * 32}


class Sample:
    """How to ask one method.

    make(mark, number): the request; mark (a word) and number differ in every call, for what may exist only once.
    foreign: what the same request for the customer FOREIGN is answered to a caller who holds the permission for CUSTOMER
    only: (HTTP status, reason), (success, None), or None where a request names no customer.
    bad: a request that breaks a rule, and the reason it gets.
    """

    def __init__(self, make, foreign=None, bad=None):
        self.make = make
        self.foreign = foreign
        self.bad = bad


def _customer(foreign):
    return FOREIGN if foreign else CUSTOMER


def _event(mark, number, foreign=False):
    del mark, number
    return {"type": "AGGR", "timestamp": EVENT_TIME, "customerID": FOREIGN_ID if foreign else CUSTOMER_ID,
            "eventID": EVENT_UUID}


def _event_v2(mark, number, foreign=False):
    return {**_event(mark, number, foreign), "includeAllProperties": True, "includeComments": True,
            "includeSubEvents": True}


def _update(mark, number, foreign=False):
    del mark, number
    number = FOREIGN_ID if foreign else CUSTOMER_ID
    return {"eventIdentifiers": [f"AGGR/{EVENT_TIME}/{number}/{EVENT_UUID}"],
            "update": {"comment": "seen", "associateToCase": number, "flagsToEnable": ["FOLLOWUP"],
                       "flagsToDisable": ["TUNING_CANDIDATE"], "newSeverity": "high", "recursiveResult": True}}


def _update_bulk(mark, number, foreign=False):
    return {"criteria": {"customer": [_customer(foreign)], "startTimestamp": EVENT_TIME, "endTimestamp": EVENT_TIME},
            "update": _update(mark, number, foreign)["update"]}


ASSESSMENT = {"comment": "seen", "enableFlag": ["followup"], "newSeverity": "critical",
              "assessmentProperty": [{"key": "some.key", "values": ["a", "b"]}], "trigger": ["slaViolation"]}


def _assess(mark, number, foreign=False):
    return {**_event(mark, number, foreign), **ASSESSMENT}


def _assess_bulk(mark, number, foreign=False):
    del mark, number
    return {"assessment": ASSESSMENT, "search": {"customer": [_customer(foreign)], "type": ["aggregated"],
                                                 "startTimestamp": EVENT_TIME, "endTimestamp": EVENT_TIME, "limit": 10}}


def _lineage(mark, number, foreign=False):
    return {**_event(mark, number, foreign), "sortBy": ["createdTimestamp"], "limit": 5, "offset": 0}


def _submission(mark, number, foreign=False):
    return {"signature": f"sig-{mark}", "count": number, "id": {"customer": _customer(foreign)}, "severity": "high",
            "properties": {"a": ["1", "2"], "b": "x"}, "flags": ["BLOCKED", "HAS_PCAP"], "startTimestamp": "-1 day",
            "source": {"ip": "10.0.0.0/8", "port": 65535, "geoLocation": {"countryCode": "NO", "latitude": -1.5}},
            "protocol": "tcp", "fqdn": "Example.ORG.", "uri": "/ø?%41"}


def _bulk(mark, number, foreign=False):
    return {"events": [_submission(mark, number, foreign), {"signature": mark, "location": "nowhere"}],
            "onError": "dropInvalid"}


def _list(mark, number, foreign=False):
    del mark, number, foreign
    return {"limit": 3, "offset": 1}


def _aggregated(mark, number, foreign=False):
    del mark, number
    return {"customerID": [FOREIGN_ID if foreign else CUSTOMER_ID], "startTimestamp": EVENT_TIME, "limit": 10,
            "ip": ["10.0.0.0/8"]}


def _criteria(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)], "startTimestamp": EVENT_TIME, "endTimestamp": "2019-10-06", "limit": 10,
            "sourceIP": "10.0.0.0/8", "sortBy": ["timestamp"]}


def _nids(mark, number, foreign=False):
    del mark, number
    return {"customerID": [FOREIGN_ID if foreign else CUSTOMER_ID], "startTimestamp": EVENT_TIME, "limit": 10,
            "signature": ["SIG-1:1/ø"]}


def _nids_criteria(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)], "startTimestamp": EVENT_TIME, "limit": 10, "sourceIP": "10.0.0.0/8",
            "sortBy": ["-engineTimestamp"], "subCriteria": [{"exclude": True, "sensorID": [1]}]}


def _case_of(mark, number, foreign=False):
    del mark, number
    return {"caseID": FOREIGN_ID if foreign else CUSTOMER_ID, "limit": 10, "sortBy": ["timestamp"],
            "includeRawEvents": True}


def _case_of_v2(mark, number, foreign=False):
    del mark, number
    return {"caseID": FOREIGN_ID if foreign else CUSTOMER_ID, "limit": 10, "sortBy": ["createdTimestamp"],
            "includeAllProperties": True}


def _list_v2(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)], "startTimestamp": EVENT_TIME, "limit": 10, "type": ["aggregated", "raw"]}


def _search_v2(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)], "startTimestamp": EVENT_TIME, "endTimestamp": "2019-10-06", "limit": 10,
            "timeFieldStrategy": ["all"], "sortBy": ["-eventID"], "includeAllProperties": True, "includeComments": True,
            "includeSubEvents": True, "attack": [{"signature": ["SIG-1:1/ø"]}, {"exclude": True, "alarm": [77]}],
            "endpoint": [{"ip": ["10.0.0.0/8"], "minMaskBits": 8, "endpointFieldStrategy": "source", "required": True}],
            "property": [{"key": "p", "value": ["2"]}], "subCriteria": [{"severity": ["low"], "required": True}]}


def _stats(mark, number, foreign=False):
    criteria = {name: value for name, value in _criteria(mark, number, foreign).items() if name not in ("limit", "sortBy")}
    return {**criteria, "groupBy": ["CUSTOMER", "ALARM", "SENSOR"], "resolution": 6, "resolutionUnit": "hours"}


def _statistics(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)],
            "groupBy": [{"field": "customer"}, {"field": "severity", "limit": 2, "includeOthers": True}],
            "timeline": [{"name": "a.day", "field": "created", "resolution": "days", "startTimestamp": EVENT_TIME - 1,
                          "endTimestamp": EVENT_TIME}]}


DENIED = (403, "ACCESS_DENIED")
NO_EVENT = {**_event("", 0), "eventID": "00000000-0000-4000-8000-000000000000"}

def _of_sample(mark, number, foreign=False):
    del mark, number
    return {"sha256": SHA256[_customer(foreign)]}


def _list_of_sample(mark, number, foreign=False):
    return {**_of_sample(mark, number, foreign), "limit": 1}


def _stored_submission(mark, number, foreign=False):
    return {**_of_sample(mark, number, foreign), "submissionID": "SUBMISSION-OF:" + _customer(foreign)}


def _sample_submission(mark, number, foreign=False):
    del number
    return {"sha256": SHA256[CUSTOMER], "fileName": mark, "customer": _customer(foreign), "observedTimestamp": EVENT_TIME,
            "mimeType": "text/plain", "metaData": {"k": mark}, "tlp": "green", "acl": ["acme-user", "foreign-group"],
            "userAgent": {"name": "tests", "version": "1.0"}, "retention": "2100-01-01", "challengeToken": "TOKEN"}


def _verdict(mark, number, foreign=False):
    return {**_of_sample(mark, number, foreign), "comment": mark, "statusOverride": "benign"}


def _doomed(mark, number, foreign=False):
    del mark, number
    return {"sha256": hashlib.sha256(DOOMED[_customer(foreign)]).hexdigest()}


def _submission_list(mark, number, foreign=False):
    del number, foreign
    return {"keywords": [mark, "none"], "keywordFieldStrategy": ["fileName", "metaData"], "sortBy": ["-fileName"], "limit": 10}


def _submission_search(mark, number, foreign=False):
    del number
    return {"customer": [_customer(foreign)], "keywords": [mark], "sortBy": ["expiryTimestamp", "-fileName"], "limit": 10,
            "metaData": [{"path": "k", "value": [mark]}], "userAgent": [{"name": ["tests"]}],
            "subCriteria": [{"tlp": ["green"], "required": True}, {"exclude": True, "mimeType": ["x"]}]}


def _submission_statistics(mark, number, foreign=False):
    return {**_submission_search(mark, number, foreign), "groupBy": [{"field": "tlp"}, {"field": "metaData", "metaDataField": "k"}],
            "statistics": [{"name": "seen", "field": "observedTimestamp"}],
            "timeline": [{"name": "days", "field": "observedTimestamp", "resolution": "day"}]}


def _sample_search(mark, number, foreign=False):
    del mark, number
    return {"customer": [_customer(foreign)], "keywords": ["file"], "sortBy": ["sampleSize"], "limit": 10,
            "submission": [{"fileName": ["file"], "required": True}], "verdict": [{"minimumScore": 80, "exclude": True}],
            "subCriteria": [{"tlp": ["amber"]}, {"exclude": True, "user": ["nobody"]}]}


NO_SAMPLE = {"sha256": "cd" * 32}

SAMPLES = {
    "vigil.account.v1.AccountService/GetSession": Sample(lambda mark, number: {}),
    "vigil.account.v1.AccountService/GetCurrentUser": Sample(lambda mark, number: {}),
    "vigil.admin.v1.AdminService/AddCustomer": Sample(
        lambda mark, number, foreign=False: {
            "shortName": mark, "id": number, "name": "Some Name", "parent": _customer(foreign), "inProduction": False},
        foreign=DENIED, bad=({"shortName": "bad", "name": "no id"}, "REQUIRED_FIELD")),
    "vigil.admin.v1.AdminService/GetCustomer": Sample(
        lambda mark, number, foreign=False: {"customer": _customer(foreign)}, foreign=DENIED,
        bad=({"customer": "nobody"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListCustomers": Sample(_list, bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/AddGroup": Sample(
        lambda mark, number, foreign=False: {"shortName": mark, "customer": _customer(foreign), "name": "Group"},
        foreign=DENIED, bad=({"shortName": "123", "customer": CUSTOMER}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/GetGroup": Sample(
        lambda mark, number, foreign=False: {"group": _customer(foreign) + "-group"}, foreign=DENIED,
        bad=({"group": "nobody"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListGroups": Sample(_list, bad=({"offset": -1}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/AddUser": Sample(
        lambda mark, number, foreign=False: {
            "shortName": mark, "customer": _customer(foreign), "group": [_customer(foreign) + "-group"],
            "timeZone": "Europe/Oslo"},
        foreign=DENIED, bad=({"shortName": "some", "customer": "nobody"}, "INVALID_REFERENCE")),
    "vigil.admin.v1.AdminService/GetUser": Sample(
        lambda mark, number, foreign=False: {"user": _customer(foreign) + "-user"}, foreign=DENIED,
        bad=({"user": "nobody"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListUsers": Sample(_list, bad=({"limit": 100001}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/DisableUser": Sample(
        lambda mark, number, foreign=False: {"user": _customer(foreign) + "-idle"}, foreign=DENIED,
        bad=({"user": "nobody"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/AddKey": Sample(
        lambda mark, number, foreign=False: {
            "user": _customer(foreign) + "-user", "role": ["EVENT-VIEWER", "CASE-VIEWER"],
            "expires": "2100-01-01", "source": ["10.0.0.0/8"]},
        foreign=DENIED, bad=({"user": CUSTOMER + "-user"}, "REQUIRED_FIELD")),
    "vigil.admin.v1.AdminService/GetKey": Sample(
        lambda mark, number, foreign=False: {"key": "KEY-OF:" + _customer(foreign) + "-idle"}, foreign=DENIED,
        bad=({"key": "nokey"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListKeys": Sample(_list, bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/RevokeKey": Sample(
        lambda mark, number, foreign=False: {"key": "KEY-OF:" + _customer(foreign) + "-idle"}, foreign=DENIED,
        bad=({"key": "nokey"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/AddLocation": Sample(
        lambda mark, number, foreign=False: {
            "shortName": mark, "id": number, "name": "Place", "customer": _customer(foreign), "timeZone": "Asia/Tokyo"},
        foreign=DENIED, bad=({"shortName": "loc", "id": 5, "name": "x", "timeZone": "No/Where"}, "INVALID_REFERENCE")),
    "vigil.admin.v1.AdminService/GetLocation": Sample(
        lambda mark, number, foreign=False: {"location": _customer(foreign) + "-location"}, foreign=DENIED,
        bad=({"location": "nowhere"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListLocations": Sample(_list, bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/AddCase": Sample(
        lambda mark, number, foreign=False: {
            "id": number, "customer": _customer(foreign), "subject": "A case", "status": "pendingSoc",
            "priority": "high", "reader": [_customer(foreign) + "-user"]},
        foreign=DENIED, bad=({"id": 5, "customer": "nobody", "subject": "x"}, "INVALID_REFERENCE")),
    "vigil.admin.v1.AdminService/GetCase": Sample(
        lambda mark, number, foreign=False: {"caseID": FOREIGN_ID if foreign else CUSTOMER_ID}, foreign=DENIED,
        bad=({"caseID": 987654}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListCases": Sample(_list, bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.admin.v1.AdminService/AddSignature": Sample(
        lambda mark, number: {"name": mark, "alarmID": number, "alarmDescription": "Alarm", "categoryID": 7,
                              "categoryName": "Category"},
        bad=({"name": "x"}, "REQUIRED_FIELD")),
    "vigil.admin.v1.AdminService/GetSignature": Sample(
        lambda mark, number: {"signature": "SIG-1:1/ø"}, bad=({"signature": "none"}, "OBJECT_NOT_FOUND")),
    "vigil.admin.v1.AdminService/ListSignatures": Sample(_list, bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.events.v1.EventService/GetEvent": Sample(
        _event, foreign=DENIED,
        bad=({**_event("", 0), "eventID": "00000000-0000-4000-8000-000000000000"}, "EVENT_NOT_FOUND")),
    "vigil.events.v1.EventService/ListAggregated": Sample(
        _aggregated, foreign=(200, None), bad=({"ip": ["10.0.0.0/33"]}, "INVALID_FIELD_VALUE")),
    "vigil.events.v1.EventService/SearchAggregated": Sample(
        _criteria, foreign=(200, None), bad=({"signature": ["x"]}, "REQUIRED_FIELD")),
    "vigil.events.v1.EventService/ExplainSearch": Sample(
        _criteria, foreign=(200, None), bad=({"signature": ["x"]}, "REQUIRED_FIELD")),
    "vigil.events.v1.EventService/ListEventsByCase": Sample(
        _case_of, foreign=DENIED, bad=({"caseID": 0}, "INVALID_FIELD_VALUE")),
    "vigil.events.v1.EventService/ListNids": Sample(
        _nids, foreign=(200, None), bad=({"limit": 100001}, "INVALID_FIELD_VALUE")),
    "vigil.events.v1.EventService/SearchNids": Sample(
        _nids_criteria, foreign=(200, None), bad=({"signature": ["x"]}, "REQUIRED_FIELD")),
    "vigil.events.v1.EventService/UpdateAggregated": Sample(
        _update, foreign=DENIED, bad=({"update": {}}, "REQUIRED_FIELD")),
    "vigil.events.v1.EventService/UpdateAggregatedBulk": Sample(
        _update_bulk, foreign=(412, "INVALID_REFERENCE"), bad=({"criteria": {}, "update": {}}, "REQUIRED_FIELD")),
    "vigil.events.v1.EventService/GetPayload": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v1.EventService/GetPcap": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v1.EventService/ListLinks": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v1.EventService/GetAggregatedStats": Sample(
        _stats, foreign=(200, None), bad=({"groupBy": ["CUSTOMER"]}, "REQUIRED_FIELD")),
    "vigil.events.v2.EventService/GetStatistics": Sample(
        _statistics, foreign=(200, None), bad=({"customer": [CUSTOMER]}, "REQUIRED_FIELD")),
    "vigil.events.v2.EventService/SubmitEvent": Sample(
        _submission, foreign=(412, "INVALID_REFERENCE"), bad=({"location": "nowhere"}, "INVALID_REFERENCE")),
    "vigil.events.v2.EventService/SubmitEvents": Sample(
        _bulk, foreign=(201, None), bad=({"onError": "dropInvalid"}, "REQUIRED_FIELD")),
    "vigil.events.v2.EventService/GetEvent": Sample(
        _event_v2, foreign=DENIED, bad=({**_event("", 0), "customerID": 0}, "INVALID_FIELD_VALUE")),
    "vigil.events.v2.EventService/ListEvents": Sample(
        _list_v2, foreign=(200, None), bad=({"limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.events.v2.EventService/SearchEvents": Sample(
        _search_v2, foreign=(200, None), bad=({"property": [{"required": True}]}, "REQUIRED_FIELD")),
    "vigil.events.v2.EventService/ListEventsByCase": Sample(
        _case_of_v2, foreign=DENIED, bad=({"caseID": 0}, "INVALID_FIELD_VALUE")),
    "vigil.events.v2.EventService/AssessEvent": Sample(_assess, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v2.EventService/AssessEvents": Sample(
        _assess_bulk, foreign=(200, None), bad=({"assessment": {}}, "REQUIRED_FIELD")),
    "vigil.events.v2.EventService/GetPayload": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v2.EventService/GetPcap": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v2.EventService/ListLinks": Sample(_event, foreign=DENIED, bad=(NO_EVENT, "EVENT_NOT_FOUND")),
    "vigil.events.v2.EventService/ListLineage": Sample(
        _lineage, foreign=DENIED, bad=({**_event("", 0), "limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SampleService/GetSample": Sample(
        _of_sample, foreign=(404, "SAMPLE_NOT_FOUND"), bad=(NO_SAMPLE, "SAMPLE_NOT_FOUND")),
    "vigil.sampledb.v2.SampleService/DeleteSample": Sample(
        _doomed, foreign=(404, "SAMPLE_NOT_FOUND"), bad=(NO_SAMPLE, "SAMPLE_NOT_FOUND")),
    "vigil.sampledb.v2.SampleService/ListSamples": Sample(_list, bad=({"limit": 10001}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SampleService/SearchSamples": Sample(
        _sample_search, foreign=(200, None), bad=({"keywords": [""]}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SampleService/ListVerdicts": Sample(
        _list_of_sample, foreign=(404, "SAMPLE_NOT_FOUND"), bad=({**NO_SAMPLE, "limit": -1}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SampleService/AddVerdict": Sample(
        _verdict, foreign=(404, "SAMPLE_NOT_FOUND"), bad=({**NO_SAMPLE, "comment": "x"}, "REQUIRED_FIELD")),
    "vigil.sampledb.v2.SampleService/ListClassifications": Sample(
        _list_of_sample, foreign=(404, "SAMPLE_NOT_FOUND"), bad=(NO_SAMPLE, "SAMPLE_NOT_FOUND")),
    "vigil.sampledb.v2.SubmissionService/GetChallenge": Sample(
        _of_sample, bad=({"sha256": "cd" * 32}, "SAMPLE_NOT_FOUND")),
    "vigil.sampledb.v2.SubmissionService/AddSubmission": Sample(
        _sample_submission, foreign=DENIED,
        bad=({"sha256": SHA256[CUSTOMER], "fileName": "x", "challengeToken": NO_TOKEN}, "REQUIRED_FIELD")),
    "vigil.sampledb.v2.SubmissionService/ListSampleSubmissions": Sample(
        _list_of_sample, foreign=(404, "SAMPLE_NOT_FOUND"),
        bad=({"sha256": SHA256[CUSTOMER], "limit": 10001}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SubmissionService/ListSubmissions": Sample(
        _submission_list, foreign=(200, None), bad=({"limit": 10001}, "INVALID_FIELD_VALUE")),
    "vigil.sampledb.v2.SubmissionService/SearchSubmissions": Sample(
        _submission_search, foreign=(200, None), bad=({"metaData": [{"value": ["x"]}]}, "REQUIRED_FIELD")),
    "vigil.sampledb.v2.SubmissionService/GetSubmissionStatistics": Sample(
        _submission_statistics, foreign=(200, None), bad=({"tlp": ["green"]}, "REQUIRED_FIELD")),
    "vigil.sampledb.v2.SubmissionService/GetSubmission": Sample(
        _stored_submission, foreign=(404, "SAMPLE_NOT_FOUND"),
        bad=({"sha256": SHA256[CUSTOMER], "submissionID": NO_TOKEN["id"]}, "SUBMISSION_NOT_FOUND")),
}


def furnish(directory, rest):
    """Set up what the samples name. `rest` has the administrator's key. Ids of keys by user go to the answer."""
    key_ids = {}
    for short_name, number in ((CUSTOMER, CUSTOMER_ID), (FOREIGN, FOREIGN_ID)):
        directory.customer(short_name, number)
        directory.add("groups", shortName=short_name + "-group", customer=short_name)
        directory.user(short_name + "-user", short_name)
        directory.user(short_name + "-idle", short_name)
        key = directory.key(short_name + "-idle", ["EVENT-VIEWER"])
        key_ids[short_name + "-idle"] = key.split("/")[0]
        directory.add("locations", shortName=short_name + "-location", id=number, name="Place", customer=short_name,
                      timeZone="UTC")
        directory.add("cases", id=number, customer=short_name, subject="A case", reader=[short_name + "-user"])
        event = {"id": f"AGGR/{EVENT_TIME}/{number}/{EVENT_UUID}", "signature": "SIG-1:1/ø", "count": 2,
                 "source": {"ip": "10.1.2.3", "port": 53}, "properties": {"p": ["1", "2"]}, "flags": ["HAS_PCAP"],
                 "payload": {"payload": "AAECAwQFBgcICQoLCABF", "payloadType": "ethernet"}}
        raw = {**event, "id": f"RAW/{EVENT_TIME}/{number}/{EVENT_UUID}"}
        for document in ({**event, "associatedCaseID": number}, raw):
            answer = rest.post("/events/v2/event", document)
            assert answer.status == 201, answer
        # What assesses it later assesses it again, in the same way each time.
        answer = rest.request("PUT", f"/events/v2/event/{event['id']}/assess", body=ASSESSMENT)
        assert answer.status == 200, answer
    directory.add("signatures", name="SIG-1:1/ø", alarmID=1, alarmDescription="Alarm ø", categoryID=2,
                  categoryName="Category")
    for customer in FILES:
        key_ids["SUBMISSION-OF:" + customer] = _add_submission(rest, customer, FILES[customer])
        _add_submission(rest, customer, DOOMED[customer])
    key_ids["TOKEN"] = lambda key: _token(rest, key)
    return key_ids


def _token(rest, key):
    """A solved challenge of the user of `key`; one that is good for nothing where he gets none."""
    answer = rest.request("POST", f"/sampledb/v2/sample/{SHA256[CUSTOMER]}/challenge", key=key)
    if answer.status != 200:
        return NO_TOKEN
    begin = answer.data["offset"]
    part = FILES[CUSTOMER][begin:begin + answer.data["length"]]
    return {"id": answer.data["id"], "sha256": hashlib.sha256(part).hexdigest()}


def _add_submission(rest, customer, data):
    """A file with one submission, of that customer; its ID."""
    uploaded = rest.request("POST", "/sampledb/v2/sample", body=data)
    assert uploaded.status == 201, uploaded
    answer = rest.post(f"/sampledb/v2/sample/{hashlib.sha256(data).hexdigest()}/submission", {
        "fileName": "file", "customer": customer, "userAgent": {"name": "tests", "version": "1.0"},
        "challengeToken": uploaded.data["challenge"]})
    assert answer.status == 201, answer
    return answer.data["id"]


def request_of(sample, key_ids, mark, number, foreign=False, key=...):
    """The sample's request, with ids of keys and submissions put in, and a token of the user of `key`."""
    request = sample.make(mark, number, foreign=True) if foreign else sample.make(mark, number)
    if str(request.get("key", "")).startswith("KEY-OF:"):
        request["key"] = key_ids[request["key"][len("KEY-OF:"):]]
    if str(request.get("submissionID", "")).startswith("SUBMISSION-OF:"):
        request["submissionID"] = key_ids[request["submissionID"]]
    if request.get("challengeToken") == "TOKEN":
        request["challengeToken"] = key_ids["TOKEN"](key)
    return request
