/* See pattern_compile.h. One pass from left to right; a group's piece is patched when the group
 * ends. */
#include "tools/protoc-gen-vigil/pattern_compile.h"

#include <ctype.h>
#include <string.h>

#include "tools/protoc-gen-vigil/text_pool.h"

#define PIECES_MAX 255
#define GROUPS_MAX 8
#define COUNT_MAX  65534
#define NO_LIMIT   65535

struct compiler {
    const char *at;
    struct vg_pattern_piece *pieces;
    size_t count;
    size_t groups[GROUPS_MAX]; /* open groups, as positions of their pieces */
    size_t depth;
    const char *wrong;
};

static void set_add(struct vg_pattern_piece *piece, unsigned first, unsigned last)
{
    for (unsigned code = first; code <= last; code++) {
        piece->set[code / 64] |= UINT64_C(1) << (code % 64);
    }
}

static void set_invert(struct vg_pattern_piece *piece)
{
    piece->set[0] = ~piece->set[0];
    piece->set[1] = ~piece->set[1];
    piece->other = !piece->other;
}

/* Adds what `\x` stands for; false if that is unknown. */
static bool set_add_escape(struct vg_pattern_piece *piece, char escape)
{
    switch (escape) {
    case 'd':
        set_add(piece, '0', '9');
        return true;
    case 'w':
        set_add(piece, '0', '9');
        set_add(piece, 'A', 'Z');
        set_add(piece, 'a', 'z');
        set_add(piece, '_', '_');
        return true;
    case 's':
        set_add(piece, '\t', '\r');
        set_add(piece, ' ', ' ');
        return true;
    default:
        if (escape <= ' ' || isalnum((unsigned char)escape)) {
            return false;
        }
        set_add(piece, (unsigned char)escape, (unsigned char)escape);
        return true;
    }
}

/* `at` stands behind the `[`; leaves it behind the `]`. */
static void read_class(struct compiler *compiler, struct vg_pattern_piece *piece)
{
    bool inverted = *compiler->at == '^';
    compiler->at += inverted;
    while (*compiler->at != ']') {
        unsigned char first = (unsigned char)*compiler->at;
        if (first == '\0') {
            compiler->wrong = "has a class without its end";
            return;
        }
        compiler->at++;
        if (first >= 128) {
            compiler->wrong = "names a character outside ASCII";
            return;
        }
        if (first == '\\') {
            if (!set_add_escape(piece, *compiler->at)) {
                compiler->wrong = "has an escape that is not known";
                return;
            }
            compiler->at++;
            continue;
        }
        unsigned char last = first;
        if (compiler->at[0] == '-' && compiler->at[1] != ']' && compiler->at[1] != '\0') {
            last = (unsigned char)compiler->at[1];
            compiler->at += 2;
        }
        if (last < first || last >= 128 || last == '\\') {
            compiler->wrong = "has a range that is not one";
            return;
        }
        set_add(piece, first, last);
    }
    compiler->at++;
    if (inverted) {
        set_invert(piece);
    }
}

static bool read_number(struct compiler *compiler, uint16_t *out_number)
{
    if (!isdigit((unsigned char)*compiler->at)) {
        return false;
    }
    unsigned number = 0;
    while (isdigit((unsigned char)*compiler->at) && number <= COUNT_MAX) {
        number = number * 10 + (unsigned)(*compiler->at - '0');
        compiler->at++;
    }
    *out_number = (uint16_t)number;
    return number <= COUNT_MAX;
}

/* `at` stands behind the `{`. */
static void read_braces(struct compiler *compiler, struct vg_pattern_piece *piece)
{
    bool good = read_number(compiler, &piece->least);
    piece->most = piece->least;
    if (good && *compiler->at == ',') {
        compiler->at++;
        piece->most = NO_LIMIT;
        good = *compiler->at == '}' || read_number(compiler, &piece->most);
    }
    if (!good || *compiler->at != '}' || piece->most < piece->least) {
        compiler->wrong = "has a count that is not one";
        return;
    }
    compiler->at++;
}

static void read_count(struct compiler *compiler, struct vg_pattern_piece *piece)
{
    piece->least = 1;
    piece->most = 1;
    switch (*compiler->at) {
    case '*':
        piece->least = 0;
        piece->most = NO_LIMIT;
        compiler->at++;
        break;
    case '+':
        piece->most = NO_LIMIT;
        compiler->at++;
        break;
    case '?':
        piece->least = 0;
        compiler->at++;
        break;
    case '{':
        compiler->at++;
        read_braces(compiler, piece);
        break;
    default:
        return;
    }
    if (compiler->wrong == NULL && *compiler->at != '\0' && strchr("*+?{", *compiler->at) != NULL) {
        compiler->wrong = "has two counts in a row";
    }
}

static struct vg_pattern_piece *add_piece(struct compiler *compiler)
{
    if (compiler->count == PIECES_MAX) {
        compiler->wrong = "has more than 255 pieces";
        return &compiler->pieces[0];
    }
    return &compiler->pieces[compiler->count++];
}

static void open_group(struct compiler *compiler)
{
    compiler->at++;
    if (*compiler->at == '?') {
        compiler->wrong = "has a group of a kind that is not known";
    } else if (compiler->depth == GROUPS_MAX) {
        compiler->wrong = "has groups too deep in one another";
    } else {
        compiler->groups[compiler->depth++] = compiler->count;
        add_piece(compiler);
    }
}

static void close_group(struct compiler *compiler)
{
    compiler->at++;
    if (compiler->depth == 0) {
        compiler->wrong = "ends a group that was not begun";
        return;
    }
    size_t start = compiler->groups[--compiler->depth];
    struct vg_pattern_piece *piece = &compiler->pieces[start];
    if (compiler->count == start + 1) {
        compiler->wrong = "has an empty group";
        return;
    }
    piece->group_end = (int16_t)(compiler->count - start - 1);
    read_count(compiler, piece);
}

static void read_one(struct compiler *compiler)
{
    unsigned char character = (unsigned char)*compiler->at;
    if (character == '(') {
        open_group(compiler);
        return;
    }
    if (character == ')') {
        close_group(compiler);
        return;
    }
    if (character >= 128) {
        compiler->wrong = "names a character outside ASCII";
        return;
    }
    if (strchr("*+?{}|^$]", character) != NULL) {
        compiler->wrong = vg_text_pool_print("has `%c` where it has no meaning here", character);
        return;
    }
    struct vg_pattern_piece *piece = add_piece(compiler);
    compiler->at++;
    if (character == '[') {
        read_class(compiler, piece);
    } else if (character == '.') {
        set_add(piece, '\n', '\n');
        set_invert(piece);
    } else if (character != '\\') {
        set_add(piece, character, character);
    } else if (set_add_escape(piece, *compiler->at)) {
        compiler->at++;
    } else {
        compiler->wrong = "has an escape that is not known";
    }
    if (compiler->wrong == NULL) {
        read_count(compiler, piece);
    }
}

const char *vg_pattern_compile(const char *text, struct vg_pattern_compiled *out_pattern)
{
    struct compiler compiler = { .at = text[0] == '^' ? text + 1 : text };
    compiler.pieces = vg_text_pool_take((PIECES_MAX + 1) * sizeof *compiler.pieces);
    while (*compiler.at != '\0' && compiler.wrong == NULL) {
        if (compiler.at[0] == '$' && compiler.at[1] == '\0') {
            break;
        }
        read_one(&compiler);
    }
    if (compiler.wrong == NULL && compiler.depth > 0) {
        compiler.wrong = "has a group without its end";
    }
    if (compiler.wrong != NULL) {
        return compiler.wrong;
    }
    *out_pattern = (struct vg_pattern_compiled){ text, compiler.pieces, compiler.count };
    return NULL;
}
