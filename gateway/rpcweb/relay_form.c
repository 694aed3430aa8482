#include "gateway/rpcweb/relay_form.h"

#include <string.h>

#include "core/base/compiler.h"
#include "gateway/rpcweb/connect_error.h"

/* Flag of the frame that holds the trailers (grpc PROTOCOL-WEB, "Message framing"). */
#define VG_RELAY_TRAILERS_FLAG 0x80u
/* And in the Connect protocol, "Envelope-Flags". */
#define VG_RELAY_END_FLAG    0x02u
#define VG_RELAY_PREFIX_SIZE 5u

static bool form_is(struct vg_bytes name, const char *text)
{
    return vg_bytes_equal(name, vg_bytes_text(text));
}

/* The length of a frame that begins at `start` with room for its prefix. */
static void form_end_frame(struct vg_buffer *out, size_t start, uint8_t flag)
{
    if (out->failed) {
        return;
    }
    const size_t size = out->size - start - VG_RELAY_PREFIX_SIZE;
    uint8_t *prefix = out->data + start;
    prefix[0] = flag;
    prefix[1] = (uint8_t)(size >> 24);
    prefix[2] = (uint8_t)(size >> 16);
    prefix[3] = (uint8_t)(size >> 8);
    prefix[4] = (uint8_t)size;
}

/* A block of HTTP/1 headers without the empty line; names are small already. */
static void form_put_trailers(
    const struct vg_http_header *trailers,
    size_t trailer_count,
    struct vg_buffer *out)
{
    static const uint8_t prefix[VG_RELAY_PREFIX_SIZE];
    const size_t start = out->size;
    vg_buffer_append(out, prefix, sizeof(prefix));
    for (size_t i = 0; i < trailer_count; i++) {
        vg_buffer_append(out, trailers[i].name.data, trailers[i].name.size);
        vg_buffer_append_text(out, ": ");
        vg_buffer_append(out, trailers[i].value.data, trailers[i].value.size);
        vg_buffer_append_text(out, "\r\n");
    }
    form_end_frame(out, start, VG_RELAY_TRAILERS_FLAG);
}

static void form_put_end(
    const struct vg_http_header *trailers,
    size_t trailer_count,
    struct vg_buffer *out)
{
    static const uint8_t prefix[VG_RELAY_PREFIX_SIZE];
    const size_t start = out->size;
    vg_buffer_append(out, prefix, sizeof(prefix));
    vg_connect_error_write_end(trailers, trailer_count, out);
    form_end_frame(out, start, VG_RELAY_END_FLAG);
}

static const struct vg_relay_form forms[] = {
    { VG_MEDIA_TYPE_GRPC_WEB, "application/grpc-web+proto", false, false, form_put_trailers },
    { VG_MEDIA_TYPE_GRPC_WEB_TEXT,
      "application/grpc-web-text+proto",
      true,
      false,
      form_put_trailers },
    { VG_MEDIA_TYPE_CONNECT_PROTO, "application/connect+proto", false, true, form_put_end },
};

const struct vg_relay_form *vg_relay_form_find(enum vg_media_type type)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(forms); i++) {
        if (forms[i].type == type) {
            return &forms[i];
        }
    }
    return NULL;
}

const struct vg_relay_form *vg_relay_form_of_answer(
    const struct vg_relay_form *form,
    const struct vg_http_request *request)
{
    const struct vg_http_header *accept = vg_http_request_header(request, "accept");
    const struct vg_relay_form *asked =
        accept == NULL ? NULL : vg_relay_form_find(vg_media_type_find(accept->value));
    return asked == NULL || asked->put_status != form->put_status ? form : asked;
}

/* What belongs to the request's way to us, or to its form, and not to the call. */
static bool form_is_dropped(struct vg_bytes name)
{
    static const char *const dropped[] = {
        "accept",     "accept-encoding",
        "connection", "content-length",
        "keep-alive", "content-type",
        "host",       "transfer-encoding",
        "x-grpc-web", "te",
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(dropped); i++) {
        if (form_is(name, dropped[i])) {
            return true;
        }
    }
    return false;
}

size_t vg_relay_form_request_headers(
    const struct vg_http_request *request,
    struct vg_http_header *out_headers)
{
    size_t count = 0;
    out_headers[count++] =
        (struct vg_http_header){ vg_bytes_text("content-type"), vg_bytes_text("application/grpc") };
    for (size_t i = 0; i < request->header_count; i++) {
        if (!form_is_dropped(request->headers[i].name)) {
            out_headers[count++] = request->headers[i];
        }
    }
    return count;
}

struct vg_bytes vg_relay_form_answer_name(const struct vg_relay_form *form, struct vg_bytes name)
{
    static const char *const names[][2] = {
        { "grpc-encoding", "connect-content-encoding" },
        { "grpc-accept-encoding", "connect-accept-encoding" },
    };
    for (size_t i = 0; form->is_connect && i < VG_ARRAY_COUNT(names); i++) {
        if (form_is(name, names[i][0])) {
            return vg_bytes_text(names[i][1]);
        }
    }
    return name;
}
