/*
 * How a search was answered, for the log of slow questions: what rpc ExplainSearch tells, on one
 * line.
 *
 * Threads: with the call.
 */
#ifndef VG_RPC_HANDLERS_SEARCH_EXPLAIN_H
#define VG_RPC_HANDLERS_SEARCH_EXPLAIN_H

#include "core/table/search.h"
#include "rpc/service/call.h"

/* What the search of `call` is to fill, in the call's arena; the call tells it if it turns out to
 * be slow. NULL = nobody would ask (slow_question_ms is 0), or there is no memory. */
struct vg_search_explanation *vg_search_explain_begin(struct vg_call *call);

#endif
