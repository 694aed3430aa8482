/*
 * strtod and printf follow the decimal point of the process's locale. vigil never calls setlocale,
 * so both see the C locale.
 */
#include "core/base/text_number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

bool vg_text_number_parse_uint64(struct vg_bytes text, uint64_t *out_value)
{
    uint64_t value = 0;
    if (text.size == 0) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i]) || __builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value)) {
            return false;
        }
    }
    *out_value = value;
    return true;
}

bool vg_text_number_parse_int64(struct vg_bytes text, int64_t *out_value)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    if (negative) {
        text = vg_bytes(text.data + 1, text.size - 1);
    }
    uint64_t value;
    if (!vg_text_number_parse_uint64(text, &value) || value > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *out_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static size_t skip_digits(struct vg_bytes text, size_t at)
{
    while (at < text.size && is_digit(text.data[at])) {
        at++;
    }
    return at;
}

/* number = [ minus ] int [ frac ] [ exp ], RFC 8259 §6. */
static bool is_json_number(struct vg_bytes text)
{
    size_t at = text.size > 0 && text.data[0] == '-';
    size_t end = skip_digits(text, at);
    if (end == at || (text.data[at] == '0' && end > at + 1)) {
        return false;
    }
    if (end < text.size && text.data[end] == '.') {
        at = end + 1;
        end = skip_digits(text, at);
        if (end == at) {
            return false;
        }
    }
    if (end < text.size && (text.data[end] | 0x20) == 'e') {
        at = end + 1;
        if (at < text.size && (text.data[at] == '+' || text.data[at] == '-')) {
            at++;
        }
        end = skip_digits(text, at);
        if (end == at) {
            return false;
        }
    }
    return end == text.size;
}

/* Longer than any double needs; what is longer is read from the heap. */
#define VG_DOUBLE_TEXT 128

bool vg_text_number_parse_double(struct vg_bytes text, double *out_value)
{
    if (!is_json_number(text)) {
        return false;
    }
    char near[VG_DOUBLE_TEXT];
    char *copy = text.size < sizeof(near) ? near : malloc(text.size + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double value = strtod(copy, NULL);
    if (copy != near) {
        free(copy);
    }
    if (!isfinite(value)) {
        return false;
    }
    *out_value = value;
    return true;
}

size_t vg_text_number_print_uint64(uint64_t value, char *out_text)
{
    char reversed[20];
    size_t size = 0;
    do {
        reversed[size++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < size; i++) {
        out_text[i] = reversed[size - 1 - i];
    }
    out_text[size] = '\0';
    return size;
}

size_t vg_text_number_print_int64(int64_t value, char *out_text)
{
    if (value >= 0) {
        return vg_text_number_print_uint64((uint64_t)value, out_text);
    }
    out_text[0] = '-';
    return 1 + vg_text_number_print_uint64(0 - (uint64_t)value, out_text + 1);
}

size_t vg_text_number_print_double(double value, char *out_text)
{
    VG_ASSERT(isfinite(value));
    int size = snprintf(out_text, VG_TEXT_NUMBER_SIZE, "%.15g", value);
    double back = strtod(out_text, NULL);
    if (back < value || back > value) {
        size = snprintf(out_text, VG_TEXT_NUMBER_SIZE, "%.17g", value);
    }
    VG_ASSERT(size > 0 && size < VG_TEXT_NUMBER_SIZE);
    return (size_t)size;
}
