/*
 * Patterns of the contract, option (vigil.field).pattern: does a whole text match?
 *
 * Threads: pure.
 */
#ifndef VG_CORE_WIRE_PATTERN_MATCH_H
#define VG_CORE_WIRE_PATTERN_MATCH_H

#include <stdbool.h>

#include "proto/contract.h"

/*
 * Does all of `text`, valid UTF-8, match? A text that keeps the matcher busy beyond a fixed number
 * of steps does not: patterns of the contract are written so that no honest value comes near it.
 */
bool vg_pattern_matches(const struct vg_pattern *pattern, const char *text);

#endif
