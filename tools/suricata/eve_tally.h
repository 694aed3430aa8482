/*
 * How often each identity came: exact duplicates within one file are counted, so that each becomes
 * an event of its own, and the same ones whenever the file is read again.
 *
 * The memory is bounded: past VG_EVE_TALLY_MAX different identities all counts begin anew, at the
 * same place of the file each time. Duplicates that far apart are then taken as one alert.
 *
 * Threads: a tally belongs to one thread at a time.
 */
#ifndef VG_TOOLS_SURICATA_EVE_TALLY_H
#define VG_TOOLS_SURICATA_EVE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/compiler.h"
#include "core/base/uuid.h"

#define VG_EVE_TALLY_MAX (1u << 20)

struct vg_eve_tally_slot {
    struct vg_uuid identity;
    uint32_t count; /* 0 = the slot is free */
};

struct vg_eve_tally {
    struct vg_eve_tally_slot *slots; /* open addressing; a power of two, at most half full */
    uint32_t slot_count;
    uint32_t used;
};

void vg_eve_tally_init(struct vg_eve_tally *tally);
void vg_eve_tally_dispose(struct vg_eve_tally *tally);

/* Forget all counts, as at the start of a file. */
void vg_eve_tally_clear(struct vg_eve_tally *tally);

/* Count `identity`; *out_before is how often it came before. False without memory. */
VG_MUST_USE bool vg_eve_tally_add(
    struct vg_eve_tally *tally,
    const struct vg_uuid *identity,
    uint32_t *out_before);

#endif
