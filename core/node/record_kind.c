#include "core/node/record_kind.h"

#include "core/events/event_table.h"
#include "core/samples/sample_table.h"
#include "core/samples/submission_table.h"

const struct vg_record_kind vg_record_kinds[VG_INGEST_KIND_COUNT] = {
    [VG_INGEST_KIND_EVENT] = { .family = VG_KEY_FAMILY_EVENT,
                               .schema = &vg_event_table_schema,
                               .load = vg_event_table_load },
    [VG_INGEST_KIND_SUBMISSION] = { .family = VG_KEY_FAMILY_SUBMISSION,
                                    .schema = &vg_submission_table_schema,
                                    .load = vg_submission_table_load },
    [VG_INGEST_KIND_SAMPLE] = { .family = VG_KEY_FAMILY_SAMPLE,
                                .schema = &vg_sample_table_schema,
                                .load = vg_sample_table_load },
};
