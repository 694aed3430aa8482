/*
 * Pattern compile: the option (vigil.field).pattern as a row of pieces.
 *
 * Known are characters, `.`, classes `[a-z]` and `[^a-z]`, `\d \w \s` and escaped characters,
 * groups without alternatives, the counts `* + ? {n} {n,} {n,m}`, and `^` and `$` at the two ends,
 * which say nothing because a pattern always stands for the whole value. Everything else is
 * refused: there is no regex library behind it.
 *
 * Threads: one thread; pieces are in the text pool.
 */
#ifndef VG_TOOLS_PROTOC_GEN_VIGIL_PATTERN_COMPILE_H
#define VG_TOOLS_PROTOC_GEN_VIGIL_PATTERN_COMPILE_H

#include <stddef.h>

#include "proto/contract.h"

struct vg_pattern_compiled {
    const char *text;
    struct vg_pattern_piece *pieces;
    size_t piece_count;
};

/* NULL when it worked; else what is wrong, to be put behind "the pattern". */
const char *vg_pattern_compile(const char *text, struct vg_pattern_compiled *out_pattern);

#endif
