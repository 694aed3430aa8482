#include "gateway/json/json_lex.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/base/utf8.h"

void vg_json_lexer_init(struct vg_json_lexer *lexer, struct vg_bytes text)
{
    static const uint8_t mark[] = { 0xEF, 0xBB, 0xBF };
    static const uint8_t nothing[1];
    const uint8_t *start = text.size == 0 ? nothing : text.data;
    *lexer = (struct vg_json_lexer){
        .start = start,
        .next = start,
        .end = start + text.size,
        .values_left = VG_LIMIT_JSON_VALUES,
    };
    if (vg_bytes_begins_with(text, vg_bytes(mark, sizeof(mark)))) {
        lexer->next += sizeof(mark);
        lexer->start = lexer->next;
    }
}

bool vg_json_fail(struct vg_json_lexer *lexer, const char *problem)
{
    if (lexer->problem == NULL) {
        lexer->problem = problem;
    }
    return false;
}

void vg_json_position(const struct vg_json_lexer *lexer, size_t *out_line, size_t *out_column)
{
    size_t line = 1;
    size_t column = 1;
    for (const uint8_t *at = lexer->start; at < lexer->next; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else if ((*at & 0xC0) != 0x80) {
            column++;
        }
    }
    *out_line = line;
    *out_column = column;
}

static bool take_literal(struct vg_json_lexer *lexer, struct vg_bytes literal)
{
    struct vg_bytes rest = vg_bytes(lexer->next, (size_t)(lexer->end - lexer->next));
    if (!vg_bytes_begins_with(rest, literal)) {
        return vg_json_fail(lexer, "a value is expected");
    }
    lexer->next += literal.size;
    return true;
}

bool vg_json_take_null(struct vg_json_lexer *lexer)
{
    return take_literal(lexer, vg_bytes("null", 4));
}

static bool hex4(const uint8_t *at, uint32_t *out_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = at[i];
        uint8_t lower = c | 0x20;
        if (c >= '0' && c <= '9') {
            unit = unit << 4 | (uint32_t)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            unit = unit << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    *out_unit = unit;
    return true;
}

/* Check the escape at `at` (a backslash): its size, or 0 and *out_problem. */
static size_t escape_size(const uint8_t *at, const uint8_t *end, const char **out_problem)
{
    *out_problem = "the escape is not valid";
    if (end - at < 2) {
        return 0;
    }
    if (at[1] != 'u') {
        return at[1] != 0 && strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
    }
    uint32_t unit;
    if (end - at < 6 || !hex4(at + 2, &unit)) {
        return 0;
    }
    if (unit == 0) {
        *out_problem = "a text may not hold the character U+0000";
        return 0;
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        return 6;
    }
    *out_problem = "the surrogate has no partner";
    uint32_t low;
    bool paired = unit < 0xDC00 && end - at >= 12 && at[6] == '\\' && at[7] == 'u' &&
                  hex4(at + 8, &low) && low >= 0xDC00 && low <= 0xDFFF;
    return paired ? 12 : 0;
}

/* The first byte from `at` on that is a quote, a backslash, a control character or not ASCII. */
static inline const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(' ');
    while (end - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Compared as signed bytes, what is below the blank are the control characters and all
         * above 0x7F. */
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmplt_epi8(block, blank));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask != 0) {
            return at + __builtin_ctz(mask);
        }
        at += 16;
    }
#endif
    while (at < end && *at >= ' ' && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

bool vg_json_lex_string(struct vg_json_lexer *lexer, struct vg_json_string *out_string)
{
    const uint8_t *start = lexer->next + 1;
    const uint8_t *at = start;
    bool escaped = false;
    bool plain = true;
    for (;;) {
        at = skip_plain(at, lexer->end);
        if (at == lexer->end) {
            lexer->next = at;
            return vg_json_fail(lexer, "the text has no closing quote");
        }
        if (*at == '"') {
            break;
        }
        if (*at >= 0x80) {
            plain = false;
            at++;
        } else if (*at == '\\') {
            const char *problem;
            size_t size = escape_size(at, lexer->end, &problem);
            if (size == 0) {
                lexer->next = at;
                return vg_json_fail(lexer, problem);
            }
            escaped = true;
            at += size;
        } else {
            lexer->next = at;
            return vg_json_fail(lexer, "a control character in a text must be escaped");
        }
    }
    struct vg_bytes raw = vg_bytes(start, (size_t)(at - start));
    if (!plain && !vg_utf8_is_valid(raw)) {
        lexer->next = start + vg_utf8_valid_size(raw);
        return vg_json_fail(lexer, "the text is not valid UTF-8");
    }
    lexer->next = at + 1;
    *out_string = (struct vg_json_string){ .raw = raw, .escaped = escaped };
    return true;
}

static inline bool is_digit(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    while (is_digit(at, end)) {
        at++;
    }
    return at;
}

/* The fraction and exponent at `at`. NULL = malformed. */
static const uint8_t *lex_rest_of_number(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '.') {
        if (!is_digit(at + 1, end)) {
            return NULL;
        }
        at = skip_digits(at + 1, end);
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-')) {
            at++;
        }
        if (!is_digit(at, end)) {
            return NULL;
        }
        at = skip_digits(at, end);
    }
    return at;
}

static bool lex_number(struct vg_json_lexer *lexer, struct vg_json_scalar *out_number)
{
    const uint8_t *start = lexer->next;
    const uint8_t *at = start;
    const uint8_t *end = lexer->end;
    struct vg_json_scalar number = { .kind = VG_JSON_NUMBER, .plain = true };
    if (at < end && *at == '-') {
        number.negative = true;
        at++;
    }
    if (!is_digit(at, end)) {
        return vg_json_fail(lexer, "a value is expected");
    }
    if (*at == '0' && is_digit(at + 1, end)) {
        return vg_json_fail(lexer, "a number may not begin with a zero");
    }
    /* Nineteen digits always fit 64 bits. */
    const uint8_t *digits = at;
    while (is_digit(at, end) && at - digits < 19) {
        number.magnitude = number.magnitude * 10 + (uint64_t)(*at++ - '0');
    }
    for (; is_digit(at, end); at++) {
        number.plain =
            number.plain && !__builtin_mul_overflow(number.magnitude, 10, &number.magnitude) &&
            !__builtin_add_overflow(number.magnitude, (uint64_t)(*at - '0'), &number.magnitude);
    }
    if (at < end && (*at == '.' || (*at | 0x20) == 'e')) {
        number.plain = false;
        at = lex_rest_of_number(at, end);
        if (at == NULL) {
            return vg_json_fail(lexer, "the number is malformed");
        }
    }
    number.raw = vg_bytes(start, (size_t)(at - start));
    lexer->next = at;
    *out_number = number;
    return true;
}

bool vg_json_scalar_from_text(struct vg_bytes text, struct vg_json_scalar *out_number)
{
    struct vg_json_lexer lexer = { .start = text.data,
                                   .next = text.data,
                                   .end = text.data + text.size };
    return text.size > 0 && lex_number(&lexer, out_number) && lexer.next == lexer.end;
}

bool vg_json_lex_scalar(struct vg_json_lexer *lexer, struct vg_json_scalar *out_scalar)
{
    struct vg_json_string string;
    const uint8_t *start = lexer->next;
    switch (start < lexer->end ? *start : 0) {
    case '"':
        if (!vg_json_lex_string(lexer, &string)) {
            return false;
        }
        *out_scalar = (struct vg_json_scalar){ .kind = VG_JSON_TEXT,
                                               .escaped = string.escaped,
                                               .raw = string.raw };
        return true;
    case 't':
        *out_scalar = (struct vg_json_scalar){ .kind = VG_JSON_TRUE, .raw = vg_bytes(start, 4) };
        return take_literal(lexer, vg_bytes("true", 4));
    case 'f':
        *out_scalar = (struct vg_json_scalar){ .kind = VG_JSON_FALSE, .raw = vg_bytes(start, 5) };
        return take_literal(lexer, vg_bytes("false", 5));
    default:
        return lex_number(lexer, out_scalar);
    }
}

bool vg_json_fail_more(struct vg_json_lexer *lexer, uint8_t closing)
{
    uint8_t before = lexer->next > lexer->start ? lexer->next[-1] : 0;
    uint8_t c = lexer->next < lexer->end ? *lexer->next : 0;
    if (c == closing) {
        return vg_json_fail(lexer, "nothing follows the comma");
    }
    if (closing == '}' && (before == ',' || before == '{')) {
        return vg_json_fail(lexer, "a name in quotes is expected");
    }
    return vg_json_fail(
        lexer,
        closing == '}' ? "a comma or } is expected" : "a comma or ] is expected");
}

bool vg_json_lex_name(struct vg_json_lexer *lexer, struct vg_json_string *out_name)
{
    if (!vg_json_lex_string(lexer, out_name)) {
        return false;
    }
    if (vg_json_peek(lexer) != ':') {
        return vg_json_fail(lexer, "a colon is expected");
    }
    lexer->next++;
    return true;
}

bool vg_json_skip_value(struct vg_json_lexer *lexer)
{
    uint8_t c = vg_json_peek(lexer);
    if (!vg_json_spend(lexer)) {
        return false;
    }
    if (c == 'n') {
        return vg_json_take_null(lexer);
    }
    if (c != '{' && c != '[') {
        struct vg_json_scalar scalar;
        return vg_json_lex_scalar(lexer, &scalar);
    }
    /* Recursion is bounded by the depth that vg_json_open counts. */
    uint8_t closing = c == '{' ? '}' : ']';
    bool more = false;
    if (!vg_json_open(lexer) || !vg_json_more(lexer, closing, true, &more)) {
        return false;
    }
    while (more) {
        struct vg_json_string name;
        if (closing == '}' && !vg_json_lex_name(lexer, &name)) {
            return false;
        }
        if (!vg_json_skip_value(lexer) || !vg_json_more(lexer, closing, false, &more)) {
            return false;
        }
    }
    return true;
}

size_t vg_json_unescape(struct vg_bytes raw, uint8_t *out)
{
    static const uint8_t plain[128] = { ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t' };
    uint8_t *next = out;
    size_t at = 0;
    while (at < raw.size) {
        if (raw.data[at] != '\\') {
            *next++ = raw.data[at++];
            continue;
        }
        if (raw.data[at + 1] != 'u') {
            *next++ = plain[raw.data[at + 1] & 0x7F];
            at += 2;
            continue;
        }
        uint32_t unit = 0;
        (void)hex4(raw.data + at + 2, &unit);
        at += 6;
        if (unit >= 0xD800 && unit < 0xDC00) {
            uint32_t low = 0;
            (void)hex4(raw.data + at + 2, &low);
            at += 6;
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
        next += vg_utf8_encode(unit, next);
    }
    return (size_t)(next - out);
}
