/*
 * Backtracking: a piece takes as much as it can and gives back one character at a time until the
 * rest matches. A group is entered again and again with a frame that says where its rest continues.
 * Steps and nesting are bounded, because backtracking and the repetition of groups cost time and
 * stack in the length of a text that comes from outside.
 */
#include "core/wire/pattern_match.h"

#define STEPS_MAX 20000u
#define DEPTH_MAX 1000u
#define NO_LIMIT  UINT16_MAX

struct matcher {
    const struct vg_pattern_piece *pieces;
    unsigned steps_left;
    unsigned depth;
};

/* One round of a group, or the whole pattern (outer NULL). */
struct round {
    const struct round *outer;
    size_t group;      /* its piece */
    size_t end;        /* the piece behind its last */
    unsigned done;     /* rounds before this one */
    const char *began; /* of this round */
};

static bool match(struct matcher *matcher, size_t at, const char *text, const struct round *round);

static bool takes(const struct vg_pattern_piece *piece, unsigned char c)
{
    if (c >= 0x80) {
        return piece->other;
    }
    return c != 0 && (piece->set[c / 64] >> (c % 64) & 1) != 0;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static bool match_class(
    struct matcher *matcher,
    size_t at,
    const char *text,
    const struct round *round)
{
    const struct vg_pattern_piece *piece = &matcher->pieces[at];
    unsigned count = 0;
    while ((count < piece->most || piece->most == NO_LIMIT) && takes(piece, (unsigned char)*text)) {
        count++;
        do {
            text++;
        } while (is_continuation(*text));
    }
    for (;; count--) {
        if (count < piece->least) {
            return false;
        }
        if (match(matcher, at + 1, text, round)) {
            return true;
        }
        if (count == 0 || matcher->steps_left == 0) {
            return false;
        }
        do {
            text--;
        } while (is_continuation(*text));
    }
}

static bool match_group(
    struct matcher *matcher,
    size_t at,
    const char *text,
    const struct round *round)
{
    const struct vg_pattern_piece *piece = &matcher->pieces[at];
    size_t end = at + 1 + (size_t)piece->group_end;
    struct round first = { .outer = round, .group = at, .end = end, .began = text };
    if (piece->most > 0 && match(matcher, at + 1, text, &first)) {
        return true;
    }
    return piece->least == 0 && match(matcher, end, text, round);
}

/* The end of a round: another one, or what follows the group. */
static bool end_round(struct matcher *matcher, const char *text, const struct round *round)
{
    if (round->outer == NULL) {
        return *text == '\0';
    }
    const struct vg_pattern_piece *piece = &matcher->pieces[round->group];
    unsigned done = round->done + 1;
    bool empty = text == round->began;
    if (!empty && (done < piece->most || piece->most == NO_LIMIT)) {
        struct round next = *round;
        next.done = done;
        next.began = text;
        if (match(matcher, round->group + 1, text, &next)) {
            return true;
        }
    }
    /* A round that took nothing may be repeated as often as need be. */
    return (empty || done >= piece->least) && match(matcher, round->end, text, round->outer);
}

static bool match(struct matcher *matcher, size_t at, const char *text, const struct round *round)
{
    if (matcher->steps_left == 0 || matcher->depth == DEPTH_MAX) {
        return false;
    }
    matcher->steps_left--;
    matcher->depth++;
    bool matches;
    if (at == round->end) {
        matches = end_round(matcher, text, round);
    } else if (matcher->pieces[at].group_end > 0) {
        matches = match_group(matcher, at, text, round);
    } else {
        matches = match_class(matcher, at, text, round);
    }
    matcher->depth--;
    return matches;
}

bool vg_pattern_matches(const struct vg_pattern *pattern, const char *text)
{
    struct matcher matcher = { .pieces = pattern->pieces, .steps_left = STEPS_MAX };
    struct round whole = { .end = pattern->piece_count, .began = text };
    return match(&matcher, 0, text, &whole);
}
