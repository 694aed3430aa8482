/*
 * JSON text, RFC 8259 to the letter: strings, numbers, literals, and values that nobody wants.
 *
 * A lexer walks borrowed bytes; it makes no tree and allocates nothing. After the first error it
 * stays where it is: `problem` says what is wrong and `next` is the offending byte.
 *
 * Threads: a value with one owner.
 */
#ifndef VG_GATEWAY_JSON_JSON_LEX_H
#define VG_GATEWAY_JSON_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/limits.h"

struct vg_json_lexer {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;
    const char *problem; /* NULL = none */
    size_t depth;
    size_t values_left; /* 0 and asked for one more: `exhausted` */
    bool exhausted;     /* the problem is the number of values */
};

/* A string as written, between its quotes. Escapes are valid, UTF-8 is valid, no NUL. */
struct vg_json_string {
    struct vg_bytes raw;
    bool escaped; /* there are escapes: vg_json_unescape */
};

enum vg_json_scalar_kind {
    VG_JSON_TEXT,
    VG_JSON_NUMBER,
    VG_JSON_TRUE,
    VG_JSON_FALSE,
};

/* Any value but null, object and array. */
struct vg_json_scalar {
    enum vg_json_scalar_kind kind;
    bool escaped;        /* TEXT */
    bool plain;          /* NUMBER: digits only, and they fit `magnitude` */
    bool negative;       /* NUMBER */
    uint64_t magnitude;  /* NUMBER, when plain */
    struct vg_bytes raw; /* without quotes */
};

/* Begin; a byte order mark is skipped. */
void vg_json_lexer_init(struct vg_json_lexer *lexer, struct vg_bytes text);

/* Note what is wrong here; returns false. The first problem stays. */
VG_COLD bool vg_json_fail(struct vg_json_lexer *lexer, const char *problem);

/* Line and column (from 1, in characters) of the byte at `next`. */
void vg_json_position(const struct vg_json_lexer *lexer, size_t *out_line, size_t *out_column);

/* Skip blanks; the byte that follows, or 0 at the end. */
static inline uint8_t vg_json_peek(struct vg_json_lexer *lexer)
{
    const uint8_t *next = lexer->next;
    while (next < lexer->end && *next <= ' ' &&
           (*next == ' ' || *next == '\n' || *next == '\r' || *next == '\t')) {
        next++;
    }
    lexer->next = next;
    return next < lexer->end ? *next : 0;
}

/* Is `c` the begin of null? If so it is taken; a misspelt one is a problem. */
VG_MUST_USE bool vg_json_take_null(struct vg_json_lexer *lexer);

/* A string; `next` is at its opening quote. */
VG_MUST_USE bool vg_json_lex_string(struct vg_json_lexer *lexer, struct vg_json_string *out_string);

/* A string, number, true or false; `next` is at its first byte. */
VG_MUST_USE bool vg_json_lex_scalar(struct vg_json_lexer *lexer, struct vg_json_scalar *out_scalar);

/* A number that must be the whole of `text`. */
VG_MUST_USE bool vg_json_scalar_from_text(struct vg_bytes text, struct vg_json_scalar *out_number);

/* Any value, checked and dropped; `next` is before it. */
VG_MUST_USE bool vg_json_skip_value(struct vg_json_lexer *lexer);

/*
 * The members of an object, the elements of an array: vg_json_open takes the bracket and counts
 * depth; `first` is true before the first. At the end
 * *out_more is false and the closing bracket is taken. On an object the name is read up to and with
 * the colon.
 */
VG_MUST_USE static inline bool vg_json_open(struct vg_json_lexer *lexer)
{
    if (lexer->depth >= VG_LIMIT_JSON_DEPTH) {
        return vg_json_fail(lexer, "objects and lists are nested too deeply");
    }
    lexer->depth++;
    lexer->next++;
    return true;
}

VG_MUST_USE bool vg_json_lex_name(struct vg_json_lexer *lexer, struct vg_json_string *out_name);

/* What vg_json_more says when it finds neither a comma nor the closing bracket. */
VG_COLD bool vg_json_fail_more(struct vg_json_lexer *lexer, uint8_t closing);

VG_MUST_USE static inline bool vg_json_more(
    struct vg_json_lexer *lexer,
    uint8_t closing,
    bool first,
    bool *out_more)
{
    uint8_t c = vg_json_peek(lexer);
    if (!first && c == ',') {
        lexer->next++;
        c = vg_json_peek(lexer);
        *out_more = true;
        return (c != closing && (closing == ']' || c == '"')) || vg_json_fail_more(lexer, closing);
    }
    if (c == closing) {
        lexer->next++;
        lexer->depth--;
        *out_more = false;
        return true;
    }
    *out_more = true;
    return (first && (closing == ']' || c == '"')) || vg_json_fail_more(lexer, closing);
}

/* Count one value. */
static inline bool vg_json_spend(struct vg_json_lexer *lexer)
{
    if (lexer->values_left == 0) {
        lexer->exhausted = true;
        return vg_json_fail(lexer, "too many values");
    }
    lexer->values_left--;
    return true;
}

/*
 * Copy to `out` what is plain text at the start of `from`: neither a quote, a backslash, a control
 * character nor a byte above 0x7F. Looks at `size` bytes at most, in blocks of sixteen, and may
 * write that far beyond what it says it copied; fewer than a block at the end are left to the
 * caller.
 */
static inline size_t vg_json_copy_plain(const uint8_t *from, size_t size, uint8_t *out)
{
    size_t at = 0;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(' ');
    for (; size - at >= 16; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
        _mm_storeu_si128((__m128i *)(void *)(out + at), block);
        /* As signed bytes, what is below the blank are control characters and all above 0x7F. */
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmplt_epi8(block, blank));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            return at + (size_t)__builtin_ctz(mask);
        }
    }
#else
    (void)from;
    (void)size;
    (void)out;
#endif
    return at;
}

/* Write the text of a string to `out`, which has room for raw.size bytes; returns its size. */
size_t vg_json_unescape(struct vg_bytes raw, uint8_t *out);

#endif
