/*
 * Proto names: how names of .proto files become names of C and words of JSON.
 *
 * The first half repeats the rules of protoc-c 1.4.1 (c_helpers.cc), because the tables name its
 * structs and members; a wrong idea of them is a compile error of the generated code, never a wrong
 * table.
 *
 * Threads: one thread; all texts are in the text pool.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_PROTO_NAMES_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_PROTO_NAMES_H

#include <stdbool.h>

#include "vigil/options.pb-c.h"

/* vigil.events.v1.SearchCriteria -> Vigil__Events__V1__SearchCriteria */
char *vg_proto_names_struct(const char *full_name);
/* vigil.events.v1.SearchCriteria -> vigil__events__v1__search_criteria */
char *vg_proto_names_lower(const char *full_name);
/* customerID -> customerid, public -> public_ */
char *vg_proto_names_member(const char *field_name);
/* A word that C or C++ keeps for itself; protoc-c puts `_` behind such a field, but not behind a
 * method. */
bool vg_proto_names_is_keyword(const char *name);

/* vigil.events.v1.SearchCriteria -> vigil_events_v1_search_criteria, the tail of our own symbols */
char *vg_proto_names_symbol(const char *full_name);
/* SearchAggregated -> search_aggregated */
char *vg_proto_names_snake(const char *name);
/* EventFlag -> EVENT_FLAG_ */
char *vg_proto_names_value_prefix(const char *enum_name);
/* PENDING_CLOSE -> PENDING_CLOSE, pendingClose or pending_close */
char *vg_proto_names_word(const char *rest, Vigil__WordCase word_case);
/* Part of `full_name` behind the last dot. */
const char *vg_proto_names_last(const char *full_name);

#endif
