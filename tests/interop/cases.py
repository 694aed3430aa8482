"""The cases of the matrix: what each of them shows. A client has them all, or says why it has one not."""

# Those of grpc/doc/interop-test-descriptions that need no account somewhere, in its order and under its names.
OFFICIAL = {
    "empty_unary": "an empty message each way",
    "large_unary": "271,828 bytes there, 314,159 back",
    "client_compressed_unary": "a gzip request is taken; a plain one that was announced as gzip is refused",
    "client_compressed_streaming": "the same in a stream, message by message",
    "client_streaming": "four requests of different sizes, one answer",
    "server_streaming": "one request, four answers of different sizes",
    "ping_pong": "four requests and answers in turn",
    "empty_stream": "a conversation without messages",
    "timeout_on_sleeping_server": "a deadline of 1 ms ends a conversation with DEADLINE_EXCEEDED",
    "cancel_after_begin": "a call is cancelled before its first message",
    "cancel_after_first_response": "a conversation is cancelled after its first answer",
    "unimplemented_method": "UNIMPLEMENTED for a method that is none",
    "unimplemented_service": "UNIMPLEMENTED for a service that is none",
    "status_code_and_message": "code and message of a failure, of a unary call and of a conversation",
    "custom_metadata": "metadata of text and of bytes comes back, in headers and trailers",
    "special_status_message": "a message with tabs, line ends and characters beyond ASCII",
    "server_compressed_unary": "gzip and plain answers are read",
    "server_compressed_streaming": "both in one stream",
}
MORE = {
    "big_messages": "3 MiB there and back; one byte more than the server takes is RESOURCE_EXHAUSTED",
    "status_details": "`google.rpc.BadRequest` in the details of a failure",
    "deadline": "the deadline of a unary call ends it with DEADLINE_EXCEEDED",
    "health_check": "health of the server, of a service, and NOT_FOUND",
    "health_watch": "the first state comes at once, SERVICE_UNKNOWN for what is not there, and cancelling",
    "reflection_v1": "services are listed, a symbol is found",
    "reflection_v1alpha": "the same by the older name",
    "tls": "TLS with ALPN, and an authority that is not the system's",
    "mtls": "a client certificate stands for a key; without one the same call is UNAUTHENTICATED",
}
# Under load, while connections end: no call may fail.
LOAD = {
    "drain": "no call fails while the server is stopped by SIGTERM and started again",
    "connection_age": "no call fails while connections grow too old (`connection_age_ms`)",
}
CASES = {**OFFICIAL, **MORE, **LOAD}
