/* traceparent, tracestate and request ids: a parent that is taken is written as it was read. */
#include "rpc/service/trace.h"

#include <string.h>

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_trace_parent parent;
    struct vg_bytes text = vg_bytes(data, size);
    if (vg_trace_parse(text, &parent)) {
        char out[VG_TRACE_TEXT_SIZE];
        vg_trace_print_response(&parent, 1, out);
        VG_ASSERT(strlen(out) == VG_TRACE_TEXT_SIZE - 1 && size >= VG_TRACE_TEXT_SIZE - 1);
        VG_ASSERT(memcmp(out + 3, data + 3, 33) == 0);
    }
    if (vg_trace_state_is_valid(text)) {
        VG_ASSERT(size > 2 && size <= VG_TRACE_STATE_BYTES_MAX && memchr(data, '=', size) != NULL);
    }
    if (vg_trace_request_id_is_sane(text)) {
        VG_ASSERT(size > 0 && size <= VG_TRACE_REQUEST_ID_MAX && memchr(data, 0, size) == NULL);
    }
    return 0;
}
