#include "tools/suricata/eve_tally.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024u

void vg_eve_tally_init(struct vg_eve_tally *tally)
{
    *tally = (struct vg_eve_tally){ .slots = NULL };
}

void vg_eve_tally_dispose(struct vg_eve_tally *tally)
{
    free(tally->slots);
    vg_eve_tally_init(tally);
}

void vg_eve_tally_clear(struct vg_eve_tally *tally)
{
    if (tally->slots != NULL) {
        memset(tally->slots, 0, tally->slot_count * sizeof(*tally->slots));
    }
    tally->used = 0;
}

/* The identity's slot, or the free one where it belongs. An identity is a digest already: its first
 * bytes are as good as any hash of them. */
static struct vg_eve_tally_slot *find(
    struct vg_eve_tally_slot *slots,
    uint32_t slot_count,
    const struct vg_uuid *identity)
{
    uint32_t at;
    memcpy(&at, identity->bytes, sizeof(at));
    for (at &= slot_count - 1; slots[at].count > 0; at = (at + 1) & (slot_count - 1)) {
        if (memcmp(&slots[at].identity, identity, sizeof(*identity)) == 0) {
            break;
        }
    }
    return &slots[at];
}

static bool grow(struct vg_eve_tally *tally)
{
    uint32_t count = tally->slot_count == 0 ? SLOTS_FIRST : tally->slot_count * 2;
    struct vg_eve_tally_slot *slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < tally->slot_count; i++) {
        if (tally->slots[i].count > 0) {
            *find(slots, count, &tally->slots[i].identity) = tally->slots[i];
        }
    }
    free(tally->slots);
    tally->slots = slots;
    tally->slot_count = count;
    return true;
}

bool vg_eve_tally_add(
    struct vg_eve_tally *tally,
    const struct vg_uuid *identity,
    uint32_t *out_before)
{
    if (tally->used == VG_EVE_TALLY_MAX) {
        vg_eve_tally_clear(tally);
    }
    if (tally->used * 2 >= tally->slot_count && !grow(tally)) {
        return false;
    }
    struct vg_eve_tally_slot *slot = find(tally->slots, tally->slot_count, identity);
    if (slot->count == 0) {
        slot->identity = *identity;
        tally->used++;
    }
    *out_before = slot->count++;
    return true;
}
