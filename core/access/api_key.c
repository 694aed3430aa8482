#include "core/access/api_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/hex.h"
#include "core/base/text_number.h"

bool vg_api_key_parse(struct vg_bytes credential, struct vg_api_key_parts *out_parts)
{
    if (credential.size == 0 || credential.size > VG_API_KEY_CREDENTIAL_MAX) {
        return false;
    }
    const uint8_t *first = memchr(credential.data, '/', credential.size);
    if (first == NULL) {
        return false;
    }
    size_t behind = credential.size - (size_t)(first - credential.data) - 1;
    const uint8_t *second = memchr(first + 1, '/', behind);
    if (second == NULL) {
        return false;
    }
    struct vg_bytes user = vg_bytes(first + 1, (size_t)(second - first) - 1);
    int64_t user_id;
    if (!vg_text_number_parse_int64(user, &user_id)) {
        return false;
    }
    out_parts->key_id = vg_bytes(credential.data, (size_t)(first - credential.data));
    out_parts->user_id = user_id;
    out_parts->secret =
        vg_bytes(second + 1, credential.size - (size_t)(second - credential.data) - 1);
    return true;
}

/* The size of the slash at `at`, be it escaped or not; 0 = there is none. */
static size_t slash_at(const uint8_t *text, size_t size, size_t at)
{
    if (at < size && text[at] == '/') {
        return 1;
    }
    bool is_escaped = size - at >= 3 && text[at] == '%' && text[at + 1] == '2' &&
                      (text[at + 2] == 'F' || text[at + 2] == 'f');
    return is_escaped ? 3 : 0;
}

static bool is_digit(uint8_t letter)
{
    return letter >= '0' && letter <= '9';
}

static bool is_hex(uint8_t letter)
{
    const uint8_t small = letter | 0x20;
    return is_digit(letter) || (small >= 'a' && small <= 'f');
}

/* Where the secret begins whose key has its first slash at `at`; 0 = it is none. */
static size_t secret_behind(const uint8_t *text, size_t size, size_t at)
{
    size_t next = at + slash_at(text, size, at);
    if (next == at || next >= size || !is_digit(text[next])) {
        return 0;
    }
    while (next < size && is_digit(text[next])) {
        next++;
    }
    const size_t slash = slash_at(text, size, next);
    size_t digits = 0;
    for (size_t i = next + slash; slash > 0 && i < size && is_hex(text[i]); i++) {
        digits++;
    }
    return digits >= VG_API_KEY_SECRET_SIZE ? next + slash : 0;
}

void vg_api_key_hide(uint8_t *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        const size_t secret = secret_behind(text, size, at);
        if (secret > 0) {
            memset(text + secret, '*', VG_API_KEY_SECRET_SIZE);
        }
    }
}

void vg_api_key_make(
    struct vg_random *random,
    int64_t user_id,
    char out_text[VG_API_KEY_TEXT_SIZE],
    char out_key_id[VG_API_KEY_ID_SIZE + 1],
    uint8_t out_secret_sha256[VG_SHA256_SIZE])
{
    uint8_t bytes[(VG_API_KEY_ID_SIZE + VG_API_KEY_SECRET_SIZE) / 2];
    vg_random_bytes(random, bytes, sizeof(bytes));
    char digits[2 * sizeof(bytes) + 1];
    vg_hex_encode(vg_bytes(bytes, sizeof(bytes)), digits);
    memcpy(out_key_id, digits, VG_API_KEY_ID_SIZE);
    out_key_id[VG_API_KEY_ID_SIZE] = '\0';
    const char *secret = digits + VG_API_KEY_ID_SIZE;
    vg_digest_sha256(vg_bytes(secret, VG_API_KEY_SECRET_SIZE), out_secret_sha256);
    (void)snprintf(
        out_text,
        VG_API_KEY_TEXT_SIZE,
        "%s/%" PRId64 "/%.*s",
        out_key_id,
        user_id,
        VG_API_KEY_SECRET_SIZE,
        secret);
}
