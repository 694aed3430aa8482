#include "core/table/compaction_plan.h"

#include <stdbool.h>
#include <stdlib.h>

/* Overlapping chunks are rewritten when their widths together are so many times what they cover. */
#define OVERLAP_LEAST 1.5

static int compare_times(const void *left, const void *right)
{
    const struct vg_compaction_candidate *a = left;
    const struct vg_compaction_candidate *b = right;
    if (a->min != b->min) {
        return a->min < b->min ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

static bool is_dead(const struct vg_compaction_candidate *candidate)
{
    return (uint64_t)candidate->settled * VG_COMPACTION_DEAD_ONE_IN >= candidate->rows;
}

static bool is_small(const struct vg_compaction_candidate *candidate, uint32_t chunk_rows)
{
    return candidate->rows - candidate->dead <= chunk_rows / 2;
}

/* Times are any 64-bit numbers, so their differences are taken as floating point. */
static double width(const struct vg_compaction_candidate *candidate)
{
    return (double)candidate->max - (double)candidate->min;
}

/* Members of a run of chunks beside each other in time. */
struct run {
    bool (*wants)(const struct vg_compaction_candidate *candidate, uint32_t chunk_rows);
    uint32_t chunk_rows;
    uint32_t members[VG_COMPACTION_CHUNKS_MAX];
    uint32_t count;
};

/* Take the candidate into the run. False where the run ends: a chunk that is not wanted and does
 * not reach over its neighbour (one that does stands apart from the order of time). */
static bool extend(
    struct run *run,
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t at)
{
    if (run->count == VG_COMPACTION_CHUNKS_MAX) {
        return false;
    }
    if (run->wants(&candidates[at], run->chunk_rows)) {
        run->members[run->count++] = at;
        return true;
    }
    return at + 1 < count && candidates[at].max >= candidates[at + 1].min;
}

static uint32_t take_run(
    const struct run *run,
    const struct vg_compaction_candidate *candidates,
    uint32_t *out_chosen)
{
    for (uint32_t i = 0; i < run->count; i++) {
        out_chosen[i] = candidates[run->members[i]].index;
    }
    return run->count;
}

static bool is_worth_it(const struct vg_compaction_candidate *candidate, uint32_t chunk_rows)
{
    return is_dead(candidate) || is_small(candidate, chunk_rows);
}

/* The chunk with the largest part dead, and those beside it that want rewriting as well. */
static uint32_t choose_dead(
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t chunk_rows,
    uint32_t *out_chosen)
{
    uint32_t worst = count;
    for (uint32_t i = 0; i < count; i++) {
        if (is_dead(&candidates[i]) &&
            (worst == count || (uint64_t)candidates[i].settled * candidates[worst].rows >
                                   (uint64_t)candidates[worst].settled * candidates[i].rows)) {
            worst = i;
        }
    }
    if (worst == count) {
        return 0;
    }
    struct run run = { .wants = is_worth_it, .chunk_rows = chunk_rows };
    run.members[run.count++] = worst;
    uint32_t end = worst + 1;
    while (end < count && extend(&run, candidates, count, end)) {
        end++;
    }
    uint32_t first = worst;
    while (first > 0 && extend(&run, candidates, count, first - 1)) {
        first--;
    }
    return take_run(&run, candidates, out_chosen);
}

static uint32_t choose_small(
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t chunk_rows,
    uint32_t *out_chosen)
{
    for (uint32_t first = 0; first + 1 < count; first++) {
        struct run run = { .wants = is_small, .chunk_rows = chunk_rows };
        uint32_t end = first;
        if (!is_small(&candidates[first], chunk_rows)) {
            continue;
        }
        while (end < count && extend(&run, candidates, count, end)) {
            end++;
        }
        if (run.count >= 2) {
            return take_run(&run, candidates, out_chosen);
        }
    }
    return 0;
}

/* A choice in the making: what it covers, and how wide its members are together. */
struct overlap {
    uint32_t members[VG_COMPACTION_CHUNKS_MAX];
    uint32_t count;
    double min;
    double max;
    double sum;
};

static void add_member(
    struct overlap *overlap,
    const struct vg_compaction_candidate *candidates,
    uint32_t member)
{
    const struct vg_compaction_candidate *candidate = &candidates[member];
    overlap->members[overlap->count++] = member;
    overlap->min = (double)candidate->min < overlap->min ? (double)candidate->min : overlap->min;
    overlap->max = (double)candidate->max > overlap->max ? (double)candidate->max : overlap->max;
    overlap->sum += width(candidate);
}

/* How much narrower the members get for taking this one in. */
static double gain_of(
    const struct overlap *overlap,
    const struct vg_compaction_candidate *candidate)
{
    double min = (double)candidate->min < overlap->min ? (double)candidate->min : overlap->min;
    double max = (double)candidate->max > overlap->max ? (double)candidate->max : overlap->max;
    return width(candidate) - ((max - min) - (overlap->max - overlap->min));
}

/* The anchor and, one by one, those that overlap it most. */
static struct overlap gather(
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t anchor)
{
    struct overlap overlap = { .min = (double)candidates[anchor].min,
                               .max = (double)candidates[anchor].max };
    add_member(&overlap, candidates, anchor);
    while (overlap.count < VG_COMPACTION_CHUNKS_MAX) {
        uint32_t best = count;
        double best_gain = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool is_member = false;
            for (uint32_t m = 0; m < overlap.count; m++) {
                is_member |= overlap.members[m] == i;
            }
            double gain = gain_of(&overlap, &candidates[i]);
            if (!is_member && gain > best_gain) {
                best = i;
                best_gain = gain;
            }
        }
        if (best == count) {
            break;
        }
        add_member(&overlap, candidates, best);
    }
    return overlap;
}

/* The width from which on a candidate is among the widest. */
static double least_width(const struct vg_compaction_candidate *candidates, uint32_t count)
{
    double widest[VG_COMPACTION_ANCHORS_MAX]; /* falling */
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        double wide = width(&candidates[i]);
        uint32_t at = kept;
        while (at > 0 && widest[at - 1] < wide) {
            at--;
        }
        if (at == VG_COMPACTION_ANCHORS_MAX) {
            continue;
        }
        kept += kept < VG_COMPACTION_ANCHORS_MAX;
        for (uint32_t move = kept - 1; move > at; move--) {
            widest[move] = widest[move - 1];
        }
        widest[at] = wide;
    }
    return kept == 0 ? 0 : widest[kept - 1];
}

static uint32_t choose_wide(
    const struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t *out_chosen)
{
    struct overlap best = { .count = 0 };
    double best_gain = 0;
    double least = least_width(candidates, count);
    uint32_t anchors = 0;
    for (uint32_t i = 0; i < count && anchors < VG_COMPACTION_ANCHORS_MAX; i++) {
        if (width(&candidates[i]) < least) {
            continue;
        }
        anchors++;
        struct overlap overlap = gather(candidates, count, i);
        double covered = overlap.max - overlap.min;
        double gain = overlap.sum - covered;
        if (overlap.sum > covered * OVERLAP_LEAST && gain > best_gain) {
            best = overlap;
            best_gain = gain;
        }
    }
    for (uint32_t i = 0; i < best.count; i++) {
        out_chosen[i] = candidates[best.members[i]].index;
    }
    return best.count;
}

uint32_t vg_compaction_plan_choose(
    struct vg_compaction_candidate *candidates,
    uint32_t count,
    uint32_t chunk_rows,
    uint32_t out_chosen[VG_COMPACTION_CHUNKS_MAX])
{
    if (count == 0) {
        return 0;
    }
    qsort(candidates, count, sizeof(candidates[0]), compare_times);
    uint32_t chosen = choose_dead(candidates, count, chunk_rows, out_chosen);
    if (chosen == 0) {
        chosen = choose_small(candidates, count, chunk_rows, out_chosen);
    }
    return chosen != 0 ? chosen : choose_wide(candidates, count, out_chosen);
}
