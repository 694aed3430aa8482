#include "core/table/fixed_text.h"

#include <string.h>

#define UUID_TEXT_SIZE 36u

uint32_t vg_fixed_text(
    enum vg_fixed_form form,
    uint32_t width,
    const uint8_t *value,
    char out_text[VG_FIXED_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t used = 0;
    for (uint32_t i = 0; i < width; i++) {
        if (form == VG_FIXED_UUID && (i == 4 || i == 6 || i == 8 || i == 10)) {
            out_text[used++] = '-';
        }
        out_text[used++] = digits[value[i] >> 4];
        out_text[used++] = digits[value[i] & 15];
    }
    return used;
}

static int digit_of(uint8_t letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* The digits of a run as bytes that begin in the first (shift 0) or the second digit of a byte:
 * the pair of them that says most. */
static struct vg_fixed_pair best_pair(const uint8_t *digits, uint32_t count, uint32_t shift)
{
    uint8_t masks[VG_FIXED_TEXT_MAX / 2 + 2] = { 0 };
    uint8_t values[VG_FIXED_TEXT_MAX / 2 + 2] = { 0 };
    uint32_t bytes = (count + shift + 1) / 2;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i + shift;
        uint32_t up = at % 2 == 0 ? 4 : 0;
        masks[at / 2] |= (uint8_t)(0x0F << up);
        values[at / 2] |= (uint8_t)(digits[i] << up);
    }
    uint32_t best = 0;
    int most = -1;
    for (uint32_t i = 0; i < bytes; i++) {
        int bits = __builtin_popcount(masks[i]) + __builtin_popcount(masks[i + 1]);
        if (bits > most) {
            most = bits;
            best = i;
        }
    }
    return (struct vg_fixed_pair){ .masks = { masks[best], masks[best + 1] },
                                   .values = { values[best], values[best + 1] } };
}

/* A needle of digits that lie in one pair, whatever digit it begins in. */
static bool is_pair(uint32_t count)
{
    return (count + 2) / 2 <= 2;
}

/*
 * Where 64 bytes of values have a pair that says all. Not where the second byte of it belongs to
 * the next value, or stands behind a hyphen, unless nothing is asked of a second byte: a needle of
 * one digit. Values whose width does not divide 64 are nowhere sure.
 */
static uint64_t sure_bytes(enum vg_fixed_form form, uint32_t width, uint32_t count)
{
    if (!is_pair(count) || 64 % width != 0) {
        return 0;
    }
    uint64_t unsure = 0;
    for (uint32_t i = 0; i < 64 && count > 1; i++) {
        uint32_t at = i % width;
        bool is_end = at == width - 1;
        bool has_hyphen = form == VG_FIXED_UUID && (at == 3 || at == 5 || at == 7 || at == 9);
        unsure |= (uint64_t)(is_end || has_hyphen) << i;
    }
    return ~unsure;
}

bool vg_fixed_needle_init(
    struct vg_fixed_needle *needle,
    enum vg_fixed_form form,
    uint32_t width,
    struct vg_bytes text)
{
    uint32_t longest = form == VG_FIXED_UUID ? UUID_TEXT_SIZE : width * 2;
    uint8_t run[VG_FIXED_TEXT_MAX];
    uint8_t best[VG_FIXED_TEXT_MAX];
    uint32_t run_size = 0;
    uint32_t best_size = 0;
    if (text.size == 0 || text.size > longest) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        int digit = digit_of(text.data[i]);
        if (digit < 0 && !(text.data[i] == '-' && form == VG_FIXED_UUID)) {
            return false;
        }
        run_size = digit < 0 ? 0 : run_size;
        if (digit >= 0) {
            run[run_size++] = (uint8_t)digit;
        }
        if (run_size > best_size) {
            memcpy(best, run, run_size);
            best_size = run_size;
        }
    }
    *needle = (struct vg_fixed_needle){ .form = form, .text = text };
    for (uint32_t shift = 0; shift < 2 && best_size > 0; shift++) {
        needle->pairs[shift] = best_pair(best, best_size, shift);
    }
    needle->sure = best_size == text.size ? sure_bytes(form, width, best_size) : 0;
    return true;
}

bool vg_fixed_needle_matches(
    const struct vg_fixed_needle *needle,
    uint32_t width,
    const uint8_t *value)
{
    char text[VG_FIXED_TEXT_MAX];
    uint32_t size = vg_fixed_text(needle->form, width, value, text);
    return memmem(text, size, needle->text.data, needle->text.size) != NULL;
}
