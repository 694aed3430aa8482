/*
 * Event watches: who waits for changes of events, and the thread that wakes them.
 *
 * The writer only says that it has published. The thread then looks, at most once in an interval,
 * at what is new, for all who wait: it finds the rows changed since the last look once, and asks
 * each one's criteria about those few rows alone (core/table/row_set.h). Who is woken reads by
 * himself what is new for him (watch_pass.h) and waits again; who is busy, or does not read what he
 * is told, costs nothing here.
 *
 * Threads: notify from the writer; join, wait and leave of one watch from one thread at a time,
 * each from any thread; `wake` is called on the thread of the watches.
 */
#ifndef VG_CORE_EVENTS_EVENT_WATCHES_H
#define VG_CORE_EVENTS_EVENT_WATCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"
#include "core/table/predicate.h"

struct vg_directory;
struct vg_event_watches;
struct vg_table;

/* Longest id of a key that is told apart. */
#define VG_WATCH_KEY_SIZE 64

/* One who watches; embedded by its owner, zeroed. */
struct vg_event_watch {
    /* Set before vg_event_watches_wait; stay until it is woken or has left. */
    const struct vg_predicate *where; /* NULL = woken by every change */
    uint64_t directory_version;       /* `where` was made of; woken when there is another */
    uint64_t sequence;                /* all up to that batch is known */
    uint64_t due_ns;                  /* monotonic: woken by then at the latest */

    /* Must only hand the owner a message. The watch waits no longer then. */
    void (*wake)(struct vg_event_watch *watch);

    /* Private. */
    struct vg_event_watch *next;
    struct vg_event_watch *back;
    bool waits;
    char key[VG_WATCH_KEY_SIZE];
};

struct vg_event_watches_options {
    struct vg_table *table;
    uint32_t kind; /* of events in the table */
    struct vg_directory *directory;
    const struct vg_clock *clock;
    uint32_t interval_ms;
    uint32_t watches_max;
    uint32_t per_key_max;
};

/*
 * Start the thread. What the options point at must outlive it.
 *
 * Fails with: RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_event_watches_create(
    const struct vg_event_watches_options *options,
    struct vg_event_watches **out_watches,
    struct vg_error *error);

/* Stop it; everybody has left. Accepts NULL. */
void vg_event_watches_destroy(struct vg_event_watches *watches);

/* Batches up to `sequence` have been published, the newest change among them was made at `updated`.
 * Cheap. */
void vg_event_watches_notify(struct vg_event_watches *watches, uint64_t sequence, vg_time updated);

/* The newest `updated` that was told: what a snapshot taken later does not show is not older. */
vg_time vg_event_watches_updated(const struct vg_event_watches *watches);

/*
 * Be counted as one who watches with the key `key_id`.
 *
 * Fails with: QUOTA_EXCEEDED past the number of this key, OVERLOADED past that in all.
 */
VG_MUST_USE enum vg_reason vg_event_watches_join(
    struct vg_event_watches *watches,
    struct vg_event_watch *watch,
    const char *key_id,
    struct vg_error *error);

/* Wait to be woken, once. False = more than watch->sequence has been looked at already: read on
 * instead. */
VG_MUST_USE bool vg_event_watches_wait(
    struct vg_event_watches *watches,
    struct vg_event_watch *watch);

/* The end of it, after vg_event_watches_join: `wake` is not called any more; it may have been
 * before. */
void vg_event_watches_leave(struct vg_event_watches *watches, struct vg_event_watch *watch);

#endif
