#include "rpc/handlers/search_explain.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/log.h"
#include "core/base/settings.h"
#include "core/table/predicate.h"
#include "rpc/service/service.h"

/* "severity in 2: 65536 > 812, 40 us; ..." of every question that was asked. */
#define QUESTIONS_SIZE 600u

static void put_questions(struct vg_log_line *line, const struct vg_search_explanation *explanation)
{
    char text[QUESTIONS_SIZE];
    size_t used = 0;
    for (uint32_t i = 0; i < explanation->leaf_count && used + 1 < sizeof(text); i++) {
        const struct vg_search_leaf *leaf = &explanation->leaves[i];
        int size = snprintf(
            text + used,
            sizeof(text) - used,
            "%s%s%s %s %u: %" PRIu64 " > %" PRIu64 ", %" PRIu64 " us",
            i == 0 ? "" : "; ",
            leaf->is_negated ? "not " : "",
            leaf->column,
            vg_predicate_kind_name(leaf->question),
            (unsigned)leaf->value_count,
            leaf->rows_in,
            leaf->rows_out,
            leaf->spent_ns / 1000);
        used += size < 0 ? 0 : (size_t)size;
    }
    if (used > 0) {
        vg_log_text(line, "questions", text);
    }
}

static void explain(const struct vg_call *call, struct vg_log_line *line)
{
    const struct vg_search_explanation *explanation = call->explanation;
    const struct figure {
        const char *key;
        uint64_t value;
    } figures[] = {
        { "chunks", explanation->chunks },
        { "chunks_skipped", explanation->chunks_skipped },
        { "chunks_whole", explanation->chunks_whole },
        { "rows_looked", explanation->rows_looked },
        { "rows_matched", explanation->rows_matched },
        { "records_confirmed", explanation->records_confirmed },
        { "records_fetched", explanation->records_fetched },
        { "plan_us", explanation->plan_ns / 1000 },
        { "evaluate_us", explanation->evaluate_ns / 1000 },
        { "page_us", explanation->page_ns / 1000 },
        { "fetch_us", explanation->fetch_ns / 1000 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(figures); i++) {
        vg_log_int(line, figures[i].key, (int64_t)figures[i].value);
    }
    put_questions(line, explanation);
}

struct vg_search_explanation *vg_search_explain_begin(struct vg_call *call)
{
    if (call->service->settings == NULL || call->service->settings->slow_question_ms == 0) {
        return NULL;
    }
    struct vg_search_explanation *explanation =
        vg_arena_calloc(&call->arena, 1, sizeof(*explanation));
    if (explanation != NULL) {
        explanation->clock = call->service->clock;
        call->explanation = explanation;
        call->explain = explain;
    }
    return explanation;
}
