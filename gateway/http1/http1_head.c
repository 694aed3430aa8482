#include "gateway/http1/http1_head.h"

#include <string.h>
#include <strings.h>

#include "core/base/authority.h"

void vg_http1_head_init(struct vg_http1_head *head, size_t bytes_max)
{
    *head = (struct vg_http1_head){ .count = 0 };
    vg_buffer_init(&head->text, bytes_max);
}

void vg_http1_head_clear(struct vg_http1_head *head)
{
    vg_buffer_clear(&head->text);
    head->target = (struct vg_http1_part){ 0, 0 };
    head->count = 0;
    head->in_value = false;
    head->finished = false;
    head->refusal = VG_OK;
}

void vg_http1_head_dispose(struct vg_http1_head *head)
{
    vg_buffer_dispose(&head->text);
}

/* Append a piece to `part`, which must be the one appended to last. */
static void add(struct vg_http1_head *head, struct vg_http1_part *part, struct vg_bytes piece)
{
    if (part->size == 0) {
        part->start = (uint32_t)head->text.size;
    }
    vg_buffer_append(&head->text, piece.data, piece.size);
    if (head->text.failed) {
        head->refusal = VG_HEADERS_TOO_LARGE;
    } else {
        part->size += (uint32_t)piece.size;
    }
}

void vg_http1_head_add_target(struct vg_http1_head *head, struct vg_bytes piece)
{
    if (head->refusal != VG_OK) {
        return;
    }
    add(head, &head->target, piece);
    if (head->refusal != VG_OK || head->target.size > VG_LIMIT_URL_BYTES) {
        head->refusal = VG_URL_TOO_LONG;
    }
}

void vg_http1_head_add_name(struct vg_http1_head *head, struct vg_bytes piece)
{
    if (head->refusal != VG_OK || head->finished) {
        return;
    }
    if (head->count == 0 || head->in_value) {
        if (head->count == VG_LIMIT_HEADER_COUNT) {
            head->refusal = VG_HEADERS_TOO_LARGE;
            return;
        }
        head->names[head->count] = (struct vg_http1_part){ 0, 0 };
        head->values[head->count] = (struct vg_http1_part){ 0, 0 };
        head->count++;
        head->in_value = false;
    }
    size_t from = head->text.size;
    add(head, &head->names[head->count - 1], piece);
    for (size_t i = from; i < head->text.size; i++) {
        uint8_t byte = head->text.data[i];
        head->text.data[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
}

void vg_http1_head_add_value(struct vg_http1_head *head, struct vg_bytes piece)
{
    if (head->refusal != VG_OK || head->finished || head->count == 0) {
        return;
    }
    head->in_value = true;
    add(head, &head->values[head->count - 1], piece);
}

static struct vg_bytes part_bytes(
    const struct vg_http1_head *head,
    const struct vg_http1_part *part)
{
    return vg_bytes(head->text.data == NULL ? NULL : head->text.data + part->start, part->size);
}

/* Blanks around a value are not part of it (RFC 9110 §5.5); the parser removes only those in front.
 */
static struct vg_bytes trim(struct vg_bytes value)
{
    while (value.size > 0 &&
           (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t')) {
        value.size--;
    }
    return value;
}

/* RFC 9112 §6.1: of transfer codings only `chunked` is known here, and it is not one of HTTP/1.0.
 * What the parser makes of others depends on what stands around them. */
static bool is_chunked(struct vg_bytes value)
{
    static const char chunked[] = "chunked";
    return value.size == sizeof(chunked) - 1 &&
           strncasecmp((const char *)value.data, chunked, value.size) == 0;
}

/* Host and framing: what else would let two programs see two requests. NULL = good. */
static const char *check_fields(
    struct vg_http1_head *head,
    bool is_old,
    struct vg_http_request *request)
{
    size_t hosts = 0;
    for (size_t i = 0; i < head->count; i++) {
        const struct vg_http_header *header = &head->headers[i];
        if (vg_bytes_equal(header->name, vg_bytes_text("host"))) {
            request->authority = header->value;
            hosts++;
        } else if (
            vg_bytes_equal(header->name, vg_bytes_text("transfer-encoding")) &&
            (is_old || !is_chunked(header->value))) {
            return "The transfer coding is not supported";
        }
    }
    if (hosts > 1 || (!is_old && hosts == 0)) {
        return "A request has exactly one Host header";
    }
    struct vg_authority authority;
    if (request->authority.size > 0 && !vg_authority_parse(request->authority, &authority)) {
        return "The Host header is malformed";
    }
    return NULL;
}

enum vg_reason vg_http1_head_finish(
    struct vg_http1_head *head,
    bool is_old,
    struct vg_http_request *request,
    struct vg_error *error)
{
    if (head->refusal != VG_OK) {
        return vg_error_set(error, head->refusal, NULL);
    }
    for (size_t i = 0; i < head->count; i++) {
        head->headers[i].name = part_bytes(head, &head->names[i]);
        head->headers[i].value = trim(part_bytes(head, &head->values[i]));
    }
    const char *wrong = check_fields(head, is_old, request);
    if (wrong != NULL) {
        return vg_error_set(error, VG_BAD_HTTP, "%s", wrong);
    }
    head->finished = true;
    request->target = part_bytes(head, &head->target);
    request->headers = head->headers;
    request->header_count = head->count;
    return VG_OK;
}
