"""RFC 9113 section 8: which field sections are requests, and which are malformed."""
from vigiltest.frames import NO_ERROR, data, frame, headers
from vigiltest.rfc_case import Table, answered, malformed, served

table = Table()
case = table.case


def with_fields(*extra):
    return lambda f: f.head(extra=extra) + f.body()


def with_pairs(change):
    """A request whose list of fields `change` has changed."""
    return lambda f: headers(1, change(list(f.fields())), False) + f.body()


# --- 8.1: framing -------------------------------------------------------------------------------------------------
case("8.1", "trailers end a request", lambda f: f.head() + data(1, f.content, False) + headers(1, [("x-sum", "1")]),
     served())
case("8.1", "trailers without fields", lambda f: f.head() + data(1, f.content, False) + headers(1, b""), served())
case("8.1", "a second field section that does not end the request",
     lambda f: f.head() + headers(1, [("x", "1")], False), malformed())
case("8.1", "trailers within a body that goes on",
     lambda f: f.head() + data(1, f.content[:1], False) + headers(1, [("x", "1")], False) + data(1, f.content[1:]),
     malformed())
case("8.1", "a second request on the stream", lambda f: f.head() + f.head(), malformed())
case("8.1", "an answer in place of a request", lambda f: headers(1, [(":status", "200")]), malformed())
case("8.1", "trailers with a pseudo field", lambda f: f.head() + headers(1, [(":path", "/")]), malformed())
case("8.1", "trailers with :method", lambda f: f.head() + headers(1, [(":method", "GET")]), malformed())
case("8.1", "trailers with an upper-case name", lambda f: f.head() + headers(1, [("X-Sum", "1")]), malformed())
case("8.1", "trailers with a field of the connection", lambda f: f.head() + headers(1, [("connection", "x")]),
     malformed())

# --- 8.1.1: content-length ----------------------------------------------------------------------------------------
for name, length in {"longer": 1, "shorter": -1}.items():
    case("8.1.1", f"content-length is {name} than the body",
         lambda f, d=length: f.head(extra=[("content-length", str(len(f.content) + d))]) + f.body(), malformed())
case("8.1.1", "content-length is that of the body",
     lambda f: f.head(extra=[("content-length", str(len(f.content)))]) + f.body(), served())
case("8.1.1", "content-length counts all DATA frames, and no padding",
     lambda f: f.head(extra=[("content-length", str(len(f.content)))]) + data(1, f.content[:2], False)
     + frame(0, 9, 1, b"\x07" + f.content[2:] + bytes(7)), served())
case("8.1.1", "content-length without a body", lambda f: f.head(end=True, extra=[("content-length", "1")]), malformed())
case("8.1.1", "a body that is cut by trailers",
     lambda f: f.head(extra=[("content-length", "99")]) + data(1, f.content, False) + headers(1, [("x", "y")]),
     malformed())
case("8.1.1", "content-length twice, alike",
     lambda f: f.head(extra=[("content-length", str(len(f.content)))] * 2) + f.body(), malformed())
case("8.1.1", "content-length twice, with different values",
     lambda f: f.head(extra=[("content-length", str(len(f.content))), ("content-length", "1")]) + f.body(), malformed())
for value in ("", "x", "-1", "+5", "5 5", "0x5", "5,5", "99999999999999999999", "1.0"):
    case("8.1.1", f"content-length of {value!r}", with_fields(("content-length", value)), malformed())

# --- 8.2.1: names and values --------------------------------------------------------------------------------------
for name in ("X-Upper", "x-uppeR", "x y", " x", "x ", "x\0", "x\x01", "x\t", "x\r", "x\n", "x\x7f", "", "a:b", "x(", "x,",
             "x/", "x@", "x\"", "x{"):
    case("8.2.1", f"the field name {name!r}", with_fields((name, "v")), malformed())
for octet in (0x80, 0xff):
    case("8.2.1", f"octet {octet:#x} in a field name", with_fields((b"x" + bytes([octet]), "v")), malformed())
for value in ("\0", "a\0b", "a\rb", "a\nb", "a\r\nb: c", "\r", "\n", " v", "v ", "\tv", "v\t", " "):
    case("8.2.1", f"the field value {value!r}", with_fields(("x", value)), malformed())
for value in (b"", b"a b", b"a\tb", b"\x80\xff", b"!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"):
    case("8.2.1", f"the field value {value!r} is allowed", with_fields(("x", value)), served())
for name in ("x!", "x#$%&'*+-.^_`|~", "0"):
    case("8.2.1", f"the field name {name!r} is allowed", with_fields((name, "v")), served())

# --- 8.2.2: fields of the connection ------------------------------------------------------------------------------
for pair in (("connection", "keep-alive"), ("connection", "close"), ("proxy-connection", "keep-alive"),
             ("keep-alive", "timeout=5"), ("transfer-encoding", "chunked"), ("transfer-encoding", "identity"),
             ("upgrade", "h2c"), ("te", "gzip"), ("te", "trailers, gzip"), ("te", "")):
    case("8.2.2", "{}: {}".format(*pair),
         with_pairs(lambda pairs, p=pair: [at for at in pairs if at[0] != "te"] + [p]), malformed())
case("8.2.2", "te: trailers", with_pairs(lambda pairs: [at for at in pairs if at[0] != "te"] + [("te", "trailers")]),
     served())
case("8.2.3", "cookies in pieces", with_fields(("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f")), served())

# --- 8.3: pseudo fields -------------------------------------------------------------------------------------------
case("8.3", "a pseudo field behind a field",
     with_pairs(lambda pairs: pairs[1:4] + pairs[4:] + pairs[:1]), malformed())
case("8.3", "a pseudo field between fields",
     with_pairs(lambda pairs: pairs[:3] + [("x", "y")] + pairs[3:]), malformed())
case("8.3", "pseudo fields in another order", with_pairs(lambda pairs: pairs[3::-1] + pairs[4:]), served())
for name in (":foo", ":", "::path", ":Path", ":protocol", ":status", ":version"):
    case("8.3", f"the pseudo field {name!r}", with_pairs(lambda pairs, n=name: [(n, "1")] + pairs), malformed())
for name in (":method", ":scheme", ":path"):
    case("8.3.1", f"{name} is missing", lambda f, n=name: f.head(without=(n,)) + f.body(), malformed())
    case("8.3.1", f"{name} is empty", with_pairs(lambda pairs, n=name: [(k, "" if k == n else v) for k, v in pairs]),
         malformed())
for name in (":method", ":scheme", ":path", ":authority"):
    case("8.3.1", f"{name} twice",
         with_pairs(lambda pairs, n=name: [at for at in pairs if at[0] == n] + pairs), malformed())
case("8.3.1", "neither :authority nor host", lambda f: f.head(without=(":authority",)) + f.body(), malformed())
case("8.3.1", "host in place of :authority",
     lambda f: f.head(without=(":authority",), extra=[("host", "vigil")]) + f.body(), served())
case("8.3.1", "host and :authority alike", with_fields(("host", "vigil")), served())
case("8.3.1", "host and :authority differ", with_fields(("host", "other")), malformed())
case("8.3.1", "host twice", with_fields(("host", "vigil"), ("host", "vigil")), malformed())
case("8.3.1", ":authority with a user", lambda f: f.head(authority="user@vigil") + f.body(), malformed())
for value in ("vig il", "vigil/x", "vigil?x", "vigil#x", "vigil\\x", "\"vigil\"", "vigil<"):
    case("8.3.1", f"the :authority {value!r}", lambda f, v=value: f.head(authority=v) + f.body(), malformed())
for value in ("vigil:8080", "[::1]:443", "127.0.0.1", "a-b.c_d~e", "%41"):
    case("8.3.1", f"the :authority {value!r} is allowed", lambda f, v=value: f.head(authority=v) + f.body(), served())
for value in ("events", "http://vigil/events", "*", "?x", "/a b", "/a\tb", "/a\0", "/a\r\nb", "/a\x7f"):
    case("8.3.1", f"the :path {value!r}", lambda f, v=value: f.head(path=v) + f.body(), malformed())
for value in (b"/\xc3\xa6", b"/a#b"):  # many clients send such; they name nothing we have
    case("8.3.1", f"the :path {value!r} is looked up as it is",
         with_pairs(lambda pairs, p=value: [(k, p if k == ":path" else v) for k, v in pairs]),
         answered(grpc="12", json="404"))
for value in ("HTTP ", "ht tp", "1http", ":", "http:"):
    case("8.3.1", f"the :scheme {value!r}", lambda f, v=value: f.head(scheme=v) + f.body(), malformed())
case("8.3.1", "the :scheme https is that of a proxy before us", lambda f: f.head(scheme="https") + f.body(), served())
for value in ("PO ST", "POST\r\n", "PO(ST", "P\0ST", "\x7f"):
    case("8.3.1", f"the :method {value!r}", lambda f, v=value: f.head(method=v) + f.body(), malformed())
case("8.3.1", "a :method nobody knows", lambda f: f.head(method="BREW") + f.body(),
     answered(grpc=("12", "13", None), json="405"))
case("8.3.1", "a :method in lower case is another one", lambda f: f.head(method="post") + f.body(),
     answered(grpc=("12", "13", None), json="405"))
case("8.3.1", "OPTIONS *", lambda f: headers(1, f.fields(method="OPTIONS", path="*")),
     answered(grpc=("12", "13", None), json=("200", "204", "404", "405")))

# --- 8.5: CONNECT -------------------------------------------------------------------------------------------------
case("8.5", "CONNECT with :path and :scheme", lambda f: f.head(method="CONNECT"), malformed())
case("8.5", "CONNECT with :scheme", lambda f: f.head(method="CONNECT", without=(":path",)), malformed())
case("8.5", "CONNECT without :authority",
     lambda f: f.head(method="CONNECT", without=(":path", ":scheme", ":authority")), malformed())
case("8.5", "CONNECT to another place: this is no proxy",
     lambda f: headers(1, f.fields(method="CONNECT", without=(":path", ":scheme"))),
     answered(grpc=("12", "13", None), json=("400", "404", "405", "501")))
case("8.5", "extended CONNECT, which was not offered",
     with_pairs(lambda pairs: [(k, "CONNECT" if k == ":method" else v) for k, v in pairs] + [(":protocol", "websocket")]),
     malformed())

# --- 8.6, 8.7 and 8.8 ---------------------------------------------------------------------------------------------


def early(client, face):
    """The answer comes before the end of the request, and RST_STREAM (NO_ERROR) behind it."""
    client.until(lambda f: f.kind == 3)
    kinds = [f.kind for f in client.seen if f.stream == 1]
    if client.resets().get(1) != NO_ERROR or kinds[0] != 1 or kinds[-1] != 3:
        return f"frames {kinds}, resets {client.resets()}"
    return None


case("8.1", "an answer before the end of the request is followed by RST_STREAM (NO_ERROR)",
     lambda f: f.head(without=("argus-api-key",)), early)
case("8.8.3", "expect: 100-continue does not stop the request", with_fields(("expect", "100-continue")), served())
