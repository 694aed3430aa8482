/* EVE files: whatever stands in one, reading ends, and what is read is a record or an error; an
 * alert that is taken becomes an event whose texts keep their limits. */
#include "tools/suricata/eve_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/utf8.h"
#include "tools/suricata/eve_event.h"

#define ARENA_MAX (16u * 1024u * 1024u)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void map(const cJSON *record)
{
    static const struct vg_eve_event_options options = { .customer = "demo" };
    struct vg_eve_alert alert;
    struct vg_arena arena;
    Vigil__Events__V2__SubmitRequest *request = NULL;
    vg_arena_init(&arena, ARENA_MAX);
    if (vg_eve_alert_parse(record, &alert, NULL) == VG_OK &&
        vg_eve_event_make(&alert, &options, 1, &arena, &request, NULL) == VG_OK) {
        VG_ASSERT(request->signature != NULL && request->id->parts->timestamp != NULL);
        VG_ASSERT(request->fqdn == NULL || vg_utf8_count(vg_bytes_text(request->fqdn)) <= 255);
        VG_ASSERT(request->uri == NULL || vg_utf8_is_valid(vg_bytes_text(request->uri)));
        for (size_t i = 0; i < request->n_properties; i++) {
            VG_ASSERT(request->properties[i]->n_values > 0);
        }
    }
    vg_arena_dispose(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_eve_reader reader;
    struct vg_error error;
    if (size == 0) {
        return 0; /* fmemopen takes no empty file */
    }
    uint8_t *copy = malloc(size);
    VG_ASSERT(copy != NULL);
    memcpy(copy, data, size);
    FILE *file = fmemopen(copy, size, "rb");
    VG_ASSERT(file != NULL);
    vg_eve_read_init(&reader, file);
    for (size_t steps = 0;; steps++) {
        cJSON *record = NULL;
        vg_error_init(&error, NULL);
        enum vg_eve_outcome outcome = vg_eve_read_next(&reader, &record, &error);
        if (outcome == VG_EVE_OUTCOME_END) {
            break;
        }
        VG_ASSERT(steps <= size);
        VG_ASSERT((outcome == VG_EVE_OUTCOME_RECORD) == (record != NULL));
        VG_ASSERT((outcome == VG_EVE_OUTCOME_RECORD) == (error.reason == VG_OK));
        if (record != NULL) {
            map(record);
            cJSON_Delete(record);
        }
    }
    vg_eve_read_dispose(&reader);
    (void)fclose(file);
    free(copy);
    return 0;
}
