#include "rpc/grpc/grpc_timeout.h"

#include <stdio.h>

#include "core/base/compiler.h"

#define VG_GRPC_TIMEOUT_DIGITS    8u
#define VG_GRPC_TIMEOUT_VALUE_MAX UINT64_C(99999999)

static const struct timeout_unit {
    char letter;
    uint64_t ns;
} units[] = {
    { 'n', UINT64_C(1) },          { 'u', UINT64_C(1000) },        { 'm', UINT64_C(1000000) },
    { 'S', UINT64_C(1000000000) }, { 'M', UINT64_C(60000000000) }, { 'H', UINT64_C(3600000000000) },
};

bool vg_grpc_timeout_parse(struct vg_bytes text, uint64_t *out_ns)
{
    if (text.size < 2 || text.size > VG_GRPC_TIMEOUT_DIGITS + 1) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    for (size_t i = 0; i < VG_ARRAY_COUNT(units); i++) {
        if (units[i].letter == (char)text.data[text.size - 1]) {
            *out_ns = value > UINT64_MAX / units[i].ns ? UINT64_MAX : value * units[i].ns;
            return true;
        }
    }
    return false;
}

size_t vg_grpc_timeout_print(uint64_t ns, char out_text[VG_GRPC_TIMEOUT_SIZE])
{
    size_t at = 0;
    while (at + 1 < VG_ARRAY_COUNT(units) &&
           ns / units[at].ns + (ns % units[at].ns != 0) > VG_GRPC_TIMEOUT_VALUE_MAX) {
        at++;
    }
    uint64_t value = ns / units[at].ns + (ns % units[at].ns != 0);
    if (value > VG_GRPC_TIMEOUT_VALUE_MAX) {
        value = VG_GRPC_TIMEOUT_VALUE_MAX;
    }
    int size = snprintf(out_text, VG_GRPC_TIMEOUT_SIZE, "%u%c", (unsigned)value, units[at].letter);
    return (size_t)size;
}
