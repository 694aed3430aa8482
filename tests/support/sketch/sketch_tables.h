/*
 * Tables of tests/support/sketch/vigil/sketch.proto, and of a service of others, other/other.proto.
 *
 * Threads: immutable.
 */
#ifndef VG_TESTS_SUPPORT_SKETCH_SKETCH_TABLES_H
#define VG_TESTS_SUPPORT_SKETCH_SKETCH_TABLES_H

#include "proto/contract.h"

extern const struct vg_table vg_table_vigil_sketch_thing;
extern const struct vg_table vg_table_vigil_sketch_criteria;
extern const struct vg_table vg_table_vigil_sketch_shuffled;
extern const struct vg_table vg_table_vigil_sketch_id;
extern const struct vg_table vg_table_vigil_sketch_note;
extern const struct vg_table vg_table_other_v1_request;

#endif
