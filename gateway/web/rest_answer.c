/*
 * How a REST request is answered: heads of answers, and errors in the envelope.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/metrics.h"
#include "core/base/settings.h"
#include "core/base/text_number.h"
#include "gateway/envelope/envelope.h"
#include "gateway/envelope/reply_raw.h"
#include "gateway/web/rest.h"
#include "gateway/web/rest_metadata.h"
#include "gateway/web/verb.h"
#include "rpc/service/call_trace.h"

/* Send the response head with `headers`; the body follows by pull unless there is none. */
static void send_head(
    struct vg_rest *rest,
    unsigned status,
    const struct vg_http_header *headers,
    size_t count,
    int64_t length)
{
    rest->responded = true;
    rest->call.head_sent = true;
    vg_metrics_http_response(rest->exchange->request.method, status);
    bool is_empty = status == 204 || status == 304;
    bool no_body = rest->head_only || is_empty;
    rest->exchange->carrier->respond(
        rest->exchange,
        &(struct vg_http_response){ .status = status,
                                    .headers = headers,
                                    .header_count = count,
                                    .content_length = is_empty ? -1 : length,
                                    .no_body = no_body });
    if (!no_body) {
        rest->exchange->carrier->resume(rest->exchange);
    }
}

static struct vg_http_header header(const char *name, const char *value)
{
    return (struct vg_http_header){ vg_bytes_text(name), vg_bytes_text(value) };
}

/* The names that tie an answer to what others log of it. */
#define TRACE_HEADERS 2u

struct trace_texts {
    char request_id[VG_CALL_TRACE_ID_SIZE];
    char response[VG_TRACE_TEXT_SIZE];
};

static size_t trace_headers(
    struct vg_rest *rest,
    struct vg_http_header headers[TRACE_HEADERS],
    struct trace_texts *texts)
{
    size_t count = 0;
    vg_call_trace_read(&rest->call); /* what never became a call has a name too */
    const struct vg_call_trace *trace = &rest->call.trace;
    vg_call_trace_request_id(&rest->call, texts->request_id);
    headers[count++] = header("x-request-id", texts->request_id);
    if (trace->has_parent) {
        vg_trace_print_response(&trace->parent, trace->id, texts->response);
        headers[count++] = header("traceresponse", texts->response);
    }
    return count;
}

/* On what else an answer depends (RFC 9110 §12.5.5). NULL = on nothing. */
static const char *vary_of(bool form, bool coding, bool origin)
{
    static const char *const texts[] = {
        NULL,     "accept",         "accept-encoding",         "accept, accept-encoding",
        "origin", "accept, origin", "accept-encoding, origin", "accept, accept-encoding, origin"
    };
    return texts[(form ? 1 : 0) + (coding ? 2 : 0) + (origin ? 4 : 0)];
}

static bool has_origins(const struct vg_rest *rest)
{
    return rest->web->service->settings->cors_origins[0] != 0;
}

static void put_vary(struct vg_http_header *headers, size_t *count, const char *text)
{
    if (text != NULL) {
        headers[(*count)++] = header("vary", text);
    }
}

#define PLAIN_HEADERS 14u

/* What caches and browsers need of a document. */
static size_t document_headers(
    const struct vg_rest *rest,
    unsigned status,
    struct vg_http_header *headers,
    char tag[VG_ETAG_SIZE])
{
    size_t count = 0;
    if (rest->page != NULL && (status == 200 || status == 304)) {
        vg_etag_print(&rest->tag, rest->is_tag_weak, tag);
        headers[count++] = header("etag", tag);
        headers[count++] = header("cache-control", "no-cache"); /* another release has another */
        if (rest->is_compressed && status == 200) {
            headers[count++] = header("content-encoding", "gzip");
        }
    }
    if (rest->page != NULL) {
        headers[count++] = header("x-content-type-options", "nosniff");
    }
    if (rest->page != NULL && rest->page->is_page) {
        headers[count++] = header("content-security-policy", VG_UI_POLICY);
        headers[count++] = header("referrer-policy", "no-referrer");
    }
    return count;
}

/* The head of an answer that is not a call's success. */
static void respond(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    int64_t length,
    uint32_t retry_after_s)
{
    struct vg_http_header
        headers[PLAIN_HEADERS + TRACE_HEADERS + VG_CORS_HEADERS_MAX + VG_LIMIT_ANSWER_METADATA];
    struct trace_texts trace;
    char seconds[VG_TEXT_NUMBER_SIZE];
    size_t count = 0;
    char allow[VG_VERB_LIST_SIZE];
    char tag[VG_ETAG_SIZE];
    const bool has_allow = status == 405 || status == 204;
    headers[count++] = header("server", "vigil");
    if (content_type != NULL) {
        headers[count++] = header("content-type", content_type);
    }
    if (retry_after_s > 0) {
        (void)vg_text_number_print_int64((int64_t)retry_after_s, seconds);
        headers[count++] = header("retry-after", seconds);
    }
    if (status == 401) {
        headers[count++] = header("www-authenticate", "Bearer");
    }
    if (status == 415) {
        headers[count++] = header("accept-encoding", "gzip"); /* RFC 9110 §15.5.16 */
    }
    if (has_allow) {
        vg_verb_print_list(rest->match.verbs_allowed, allow);
        headers[count++] = header("allow", allow);
    }
    count += trace_headers(rest, headers + count, &trace);
    count += document_headers(rest, status, headers + count, tag);
    const bool may_compress = rest->page != NULL && rest->web->service->settings->gzip;
    put_vary(headers, &count, vary_of(false, may_compress, has_origins(rest)));
    count += vg_cors_headers(
        rest->cors,
        rest->origin,
        has_allow && rest->is_preflight ? allow : NULL,
        headers + count);
    count += vg_rest_metadata_write(&rest->call, headers + count);
    send_head(rest, status, headers, count, length);
}

/* What JSON says around the rows, for the forms that have no place for it. */
#define PAGE_HEADERS 3u

static size_t page_headers(
    const struct vg_rest *rest,
    struct vg_http_header headers[PAGE_HEADERS],
    char texts[PAGE_HEADERS][VG_TEXT_NUMBER_SIZE])
{
    static const char *const names[PAGE_HEADERS] = { "x-argus-count",
                                                     "x-argus-limit",
                                                     "x-argus-offset" };
    const struct vg_reply *reply = &rest->call.reply;
    const int64_t values[PAGE_HEADERS] = { reply->count, reply->limit, reply->offset };
    if (rest->call.method->envelope != VG_ENVELOPE_LIST || rest->body.format == VG_FORMAT_JSON) {
        return 0;
    }
    for (size_t i = 0; i < PAGE_HEADERS; i++) {
        (void)vg_text_number_print_int64(values[i], texts[i]);
        headers[i] = header(names[i], texts[i]);
    }
    return PAGE_HEADERS;
}

#define DISPOSITION_SIZE 280u

/* What caches and the client's memory need of it. */
static size_t cache_headers(
    const struct vg_rest *rest,
    struct vg_http_header *headers,
    char tag[VG_ETAG_SIZE])
{
    const struct vg_call *call = &rest->call;
    const bool is_raw = call->method->envelope == VG_ENVELOPE_RAW;
    const bool may_compress =
        rest->web->service->settings->gzip && !is_raw && rest->body.format != VG_FORMAT_XLSX;
    size_t count = 0;
    if (rest->has_tag) {
        /* Another key may see another answer: it is this client's alone, and asked for anew. */
        vg_etag_print(&rest->tag, rest->is_tag_weak, tag);
        headers[count++] = header("etag", tag);
        headers[count++] = header("cache-control", "private, no-cache");
    }
    if (rest->is_compressed) {
        headers[count++] = header("content-encoding", "gzip");
    }
    put_vary(
        headers,
        &count,
        vary_of(call->method->produces != 0 && !is_raw, may_compress, has_origins(rest)));
    return count;
}

#define CALL_HEADERS 10u

/* The head of a call's answer, its first part being in call.out. */
void vg_rest_send_call(struct vg_rest *rest)
{
    const struct vg_call *call = &rest->call;
    struct vg_http_header headers
        [CALL_HEADERS + PAGE_HEADERS + TRACE_HEADERS + VG_CORS_HEADERS_MAX +
         VG_LIMIT_ANSWER_METADATA];
    struct trace_texts trace;
    char numbers[PAGE_HEADERS][VG_TEXT_NUMBER_SIZE];
    char disposition[DISPOSITION_SIZE];
    char tag[VG_ETAG_SIZE];
    size_t count = 0;
    headers[count++] = header("server", "vigil");
    if (!rest->not_modified) {
        headers[count++] = header("content-type", vg_reply_body_type(&rest->body, call));
    }
    if (call->method->envelope == VG_ENVELOPE_RAW) {
        /* Bytes of somebody else's: no browser is to guess what they are. */
        headers[count++] = header("x-content-type-options", "nosniff");
    }
    if (call->converses) {
        /* Whoever stands between must neither keep it nor wait for the end of it. */
        headers[count++] = header("cache-control", "no-store");
        headers[count++] = header("x-accel-buffering", "no");
    }
    const char *file_name = vg_reply_body_file_name(call);
    if (file_name != NULL) {
        vg_reply_raw_print_disposition(file_name, disposition, sizeof(disposition));
        headers[count++] = header("content-disposition", disposition);
    }
    count += cache_headers(rest, headers + count, tag);
    count += page_headers(rest, headers + count, numbers);
    count += trace_headers(rest, headers + count, &trace);
    count += vg_cors_headers(rest->cors, rest->origin, NULL, headers + count);
    count += vg_rest_metadata_write(call, headers + count);
    int64_t length = call->out_done ? (int64_t)call->out.size : rest->body.length;
    rest->out = &rest->sending;
    send_head(rest, vg_reply_body_status(call), headers, count, length);
}

void vg_rest_send_own(
    struct vg_rest *rest,
    unsigned status,
    const char *content_type,
    uint32_t retry_after_s)
{
    rest->out = &rest->own;
    rest->last = true;
    rest->taken = 0;
    respond(rest, status, content_type, (int64_t)rest->own.size, retry_after_s);
}

/* Retry-After counts whole seconds (RFC 9110 §10.2.3); 0 = the request is not worth repeating. */
static uint32_t retry_after_s(const struct vg_error *error)
{
    const uint32_t ms = vg_error_retry_after_ms(error);
    return ms / 1000 + (ms % 1000 != 0);
}

void vg_rest_send_error(struct vg_rest *rest, const struct vg_error *error)
{
    const struct vg_reason_row *row = vg_reason_row(error->reason);
    vg_buffer_clear(&rest->own);
    vg_envelope_error(&rest->own, error, vg_clock_now(rest->web->service->clock));
    vg_rest_send_own(
        rest,
        row->http_status,
        "application/json; charset=UTF-8",
        retry_after_s(error));
}

void vg_rest_send_options(struct vg_rest *rest)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    enum vg_reason reason = VG_METHOD_NOT_ALLOWED;
    if (vg_bytes_equal(rest->path, vg_bytes_text("*"))) {
        rest->match.verbs_allowed = VG_VERB_ALL; /* of the server, RFC 9110 §9.3.7 */
    } else {
        reason = vg_router_match(
            rest->web->router,
            -1,
            rest->path,
            &rest->call.arena,
            &rest->match,
            &error);
    }
    if (reason == VG_METHOD_NOT_ALLOWED) {
        respond(rest, 204, NULL, -1, 0); /* the path is ours; what it takes is in Allow */
    } else {
        vg_rest_send_error(rest, &error);
    }
}

/* A document from where it lies, as the request's conditions have it (RFC 9110 §13.2.2). */
static void send_page(struct vg_rest *rest)
{
    const struct vg_web_page *page = rest->page;
    rest->tag = page->tag;
    rest->is_compressed = rest->wants_gzip && page->packed.size > 0;
    rest->is_tag_weak = rest->is_compressed;
    if (rest->if_match.data != NULL && !vg_etag_is_listed(rest->if_match, &rest->tag, true)) {
        (void)vg_error_set(&rest->call.error, VG_PRECONDITION_FAILED, NULL);
        vg_rest_send_error(rest, &rest->call.error);
        return;
    }
    if (rest->if_none_match.data != NULL &&
        vg_etag_is_listed(rest->if_none_match, &rest->tag, false)) {
        vg_metrics_add(VG_METRIC_rest_not_modified_total, 1);
        respond(rest, 304, NULL, -1, 0);
        return;
    }
    if (rest->is_compressed) {
        vg_metrics_add(VG_METRIC_rest_compressed_total, 1);
    }
    rest->out = rest->is_compressed ? &page->packed : &page->content;
    rest->last = true;
    rest->taken = 0;
    respond(rest, 200, page->content_type, (int64_t)rest->out->size, 0);
}

void vg_rest_send_document(struct vg_rest *rest, unsigned status, const char *content_type)
{
    rest->match.verbs_allowed = 1u << VG_VERB_GET;
    if (vg_verb_find(rest->exchange->request.method) == VG_VERB_GET && rest->page != NULL) {
        send_page(rest);
    } else if (vg_verb_find(rest->exchange->request.method) == VG_VERB_GET) {
        vg_rest_send_own(rest, status, content_type, status == 503 ? 1 : 0);
    } else if (vg_bytes_equal(rest->exchange->request.method, vg_bytes_text("OPTIONS"))) {
        respond(rest, 204, NULL, -1, 0);
    } else {
        (void)vg_error_set(&rest->call.error, VG_METHOD_NOT_ALLOWED, NULL);
        vg_rest_send_error(rest, &rest->call.error);
    }
}
