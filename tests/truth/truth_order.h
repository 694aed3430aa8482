/*
 * Order of events (conventions.md 4): null comes last in both directions, and ties go by the
 * identity, ascending.
 *
 * Threads: pure.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_ORDER_H
#define VG_TESTS_TRUTH_TRUTH_ORDER_H

#include <string.h>

#include "tests/truth/truth_event.h"

static inline int truth_order_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The last word is `known`'s: which of the two has a value. */
static inline int truth_order_nulls(bool a_known, bool b_known)
{
    return (int)b_known - (int)a_known;
}

static inline int truth_order_signatures(
    const struct truth_event *a,
    const struct truth_event *b,
    bool down)
{
    if (a->signature == NULL || b->signature == NULL) {
        return truth_order_nulls(a->signature != NULL, b->signature != NULL);
    }
    int order = strcmp(a->signature->name, b->signature->name);
    return down ? -order : order;
}

static inline int truth_order_protocols(
    const struct truth_event *a,
    const struct truth_event *b,
    bool down)
{
    if (a->protocol < 0 || b->protocol < 0) {
        return truth_order_nulls(a->protocol >= 0, b->protocol >= 0);
    }
    int order = truth_order_numbers(a->protocol, b->protocol);
    return down ? -order : order;
}

/* Class, timestamp, customer, UUID: the parts of the identity as its text has them. */
static inline int truth_order_ids(const struct truth_event *a, const struct truth_event *b)
{
    int order = truth_order_numbers(a->type, b->type);
    order = order != 0 ? order : truth_order_numbers(a->timestamp, b->timestamp);
    order = order != 0 ? order : truth_order_numbers(a->customer, b->customer);
    return order != 0 ? order : strcmp(a->uuid, b->uuid);
}

#endif
