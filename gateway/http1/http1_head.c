#include "gateway/http1/http1_head.h"

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
    head->too_large = false;
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
        head->too_large = true;
    } else {
        part->size += (uint32_t)piece.size;
    }
}

void vg_http1_head_add_target(struct vg_http1_head *head, struct vg_bytes piece)
{
    if (!head->too_large) {
        add(head, &head->target, piece);
        head->too_large = head->too_large || head->target.size > VG_LIMIT_URL_BYTES;
    }
}

void vg_http1_head_add_name(struct vg_http1_head *head, struct vg_bytes piece)
{
    if (head->too_large) {
        return;
    }
    if (head->count == 0 || head->in_value) {
        if (head->count == VG_LIMIT_HEADER_COUNT) {
            head->too_large = true;
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
    if (head->too_large || head->count == 0) {
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

enum vg_reason vg_http1_head_finish(
    struct vg_http1_head *head,
    bool needs_host,
    struct vg_http_request *request,
    struct vg_error *error)
{
    if (head->too_large) {
        return vg_error_set(error, VG_HEADERS_TOO_LARGE, NULL);
    }
    size_t hosts = 0;
    for (size_t i = 0; i < head->count; i++) {
        head->headers[i].name = part_bytes(head, &head->names[i]);
        head->headers[i].value = trim(part_bytes(head, &head->values[i]));
        if (vg_bytes_equal(head->headers[i].name, vg_bytes_text("host"))) {
            request->authority = head->headers[i].value;
            hosts++;
        }
    }
    if (hosts > 1 || (needs_host && hosts == 0)) {
        return vg_error_set(error, VG_BAD_HTTP, "A request has exactly one Host header");
    }
    request->target = part_bytes(head, &head->target);
    request->headers = head->headers;
    request->header_count = head->count;
    return VG_OK;
}
