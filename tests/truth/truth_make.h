/*
 * Help in making random requests: lists of messages that grow in an arena, and texts.
 *
 * Threads: the arena's owner.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_MAKE_H
#define VG_TESTS_TRUTH_TRUTH_MAKE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/arena.h"
#include "tests/truth/truth_event.h"

/* Room for one more element of a repeated member; `items_at` is the address of its pointer. */
static inline void truth_make_room(
    struct vg_arena *arena,
    size_t count,
    void *items_at,
    size_t size)
{
    void *old;
    memcpy(&old, items_at, sizeof(old));
    void *items = vg_arena_calloc(arena, count + 1, size);
    if (items == NULL) {
        abort();
    }
    if (count != 0) {
        memcpy(items, old, count * size);
    }
    memcpy(items_at, &items, sizeof(items));
}

/* TRUTH_ADD(arena, message, member, value): append to a repeated member. */
#define TRUTH_ADD(arena, message, member, value)                                                   \
    do {                                                                                           \
        truth_make_room(                                                                           \
            arena,                                                                                 \
            (message)->n_##member,                                                                 \
            &(message)->member,                                                                    \
            sizeof(*(message)->member));                                                           \
        (message)->member[(message)->n_##member++] = (value);                                      \
    } while (0)

/* TRUTH_SET(message, member, value): set an optional number. */
#define TRUTH_SET(message, member, value)                                                          \
    do {                                                                                           \
        (message)->has_##member = true;                                                            \
        (message)->member = (value);                                                               \
    } while (0)

static inline char *truth_make_text(struct vg_arena *arena, const char *text)
{
    char *copy = vg_arena_printf(arena, "%s", text);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

static inline char *truth_make_number(struct vg_arena *arena, int64_t number)
{
    char *copy = vg_arena_printf(arena, "%lld", (long long)number);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

/* The event's own text, or one of the pool: criteria that hit are made more often than not. */
static inline char *truth_make_near(
    struct vg_arena *arena,
    struct truth_random *random,
    const char *own,
    const struct truth_texts *pool)
{
    bool takes_own = own != NULL && !truth_random_once(random, 3);
    return truth_make_text(arena, takes_own ? own : truth_pick(random, pool));
}

/* A time at, before or behind one of the event's, in one of the forms of a time; now and then one
 * that counts from the arrival of the request. */
static inline char *truth_make_time(struct vg_arena *arena, struct truth_random *random, int64_t at)
{
    static const int64_t steps[] = { 0, 1, -1, 1000, -1000, 5000, -5000, 20000, -20000 };
    static const char *const from_now[] = {
        "now",    "-30 seconds",   "NOW - 1 min",         "-12h",   "now+10s",
        "-1 day", "now -20000 ms", "now - 1 hour + 30 s", "+ 2days"
    };
    int64_t step = steps[truth_random_below(random, sizeof(steps) / sizeof(steps[0]))];
    int64_t time = at + step < 0 ? 0 : at + step;
    if (truth_random_once(random, 12)) {
        size_t count = sizeof(from_now) / sizeof(from_now[0]);
        return truth_make_text(arena, from_now[truth_random_below(random, (unsigned)count)]);
    }
    if (!truth_random_once(random, 4)) {
        return truth_make_number(arena, time);
    }
    struct tm parts;
    char text[32];
    char *copy = NULL;
    time_t seconds = (time_t)(time / 1000);
    (void)gmtime_r(&seconds, &parts);
    if (truth_random_once(random, 5)) {
        (void)strftime(text, sizeof(text), "%Y-%m-%d", &parts);
        return truth_make_text(arena, text);
    }
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    copy = vg_arena_printf(arena, "%s.%03dZ", text, (int)(time % 1000));
    if (copy == NULL) {
        abort();
    }
    return copy;
}

/* Upper case of ASCII letters, for what is compared without regard to case. */
static inline char *truth_make_loud(char *text)
{
    for (char *at = text; *at != 0; at++) {
        if (*at >= 'a' && *at <= 'z') {
            *at = (char)(*at - 'a' + 'A');
        }
    }
    return text;
}

#endif
