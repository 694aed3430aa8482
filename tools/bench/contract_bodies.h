/*
 * Bodies of the size and shape that agents send, made up: for the benchmark of the contract and the
 * tests of its promises.
 *
 * Threads: the buffer has one owner.
 */
#ifndef VG_TOOLS_BENCH_CONTRACT_BODIES_H
#define VG_TOOLS_BENCH_CONTRACT_BODIES_H

#include "core/base/buffer.h"

/* Append a submission of about 1 KiB with 8 long or 25 short properties, number `serial` of its
 * kind. */
void vg_body_submission(struct vg_buffer *out, unsigned properties, unsigned serial);

/* Append a bulk of submissions of 8 properties each. */
void vg_body_bulk(struct vg_buffer *out, unsigned events);

/* Append an event as v2 answers it. */
void vg_body_event(struct vg_buffer *out);

#endif
