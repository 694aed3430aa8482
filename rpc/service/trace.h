/*
 * W3C trace context, level 1 (https://www.w3.org/TR/trace-context-1/), and request ids: the texts
 * that tie a call to what other programs log of it.
 *
 * Threads: pure, but for vg_trace_new_id, which any thread may call.
 */
#ifndef VG_RPC_SERVICE_TRACE_H
#define VG_RPC_SERVICE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_TRACE_ID_SIZE   16u
#define VG_TRACE_SPAN_SIZE 8u
/* "00-" trace id "-" span "-" flags, and a NUL */
#define VG_TRACE_TEXT_SIZE 56u
/* A number as 16 hexadecimal digits, and a NUL. */
#define VG_TRACE_NUMBER_SIZE 17u
/* Members and bytes of a tracestate that is kept (section 3.3.1.5). */
#define VG_TRACE_STATE_MEMBERS_MAX 32u
#define VG_TRACE_STATE_BYTES_MAX   512u
/* Characters of a request id that is taken from a client. */
#define VG_TRACE_REQUEST_ID_MAX 128u

struct vg_trace_parent {
    uint8_t trace_id[VG_TRACE_ID_SIZE];
    uint8_t span[VG_TRACE_SPAN_SIZE]; /* of the caller */
    bool sampled;
};

/* Read a traceparent. False = it is none (section 3.2): as if the client had sent nothing. */
VG_MUST_USE bool vg_trace_parse(struct vg_bytes text, struct vg_trace_parent *out_parent);

/* Is the text a tracestate? One that is none, or longer than we keep, is dropped. */
VG_MUST_USE bool vg_trace_state_is_valid(struct vg_bytes text);

/* May the text stand in logs and headers as the id of a request? */
VG_MUST_USE bool vg_trace_request_id_is_sane(struct vg_bytes text);

/* A number that is not 0 and, for all practical ends, was never given by any process. Not a secret.
 */
uint64_t vg_trace_new_id(void);

/* A number as VG_TRACE_NUMBER_SIZE - 1 digits. */
void vg_trace_print_number(uint64_t number, char out_text[VG_TRACE_NUMBER_SIZE]);

/* The traceresponse of our span in the trace of `parent`. */
void vg_trace_print_response(
    const struct vg_trace_parent *parent,
    uint64_t span,
    char out_text[VG_TRACE_TEXT_SIZE]);

#endif
