/*
 * The text of an API key: `<key id>/<user id>/<secret>`.
 *
 * The id finds the record, the user id is there for people who look at a key, the secret proves.
 * Only a SHA-256 of the secret is kept: it has 160 random bits, so a slow hash would add nothing.
 *
 * Threads: pure.
 */
#ifndef VG_CORE_ACCESS_API_KEY_H
#define VG_CORE_ACCESS_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"
#include "core/base/digest.h"
#include "core/base/random.h"

#define VG_API_KEY_ID_SIZE     12 /* characters */
#define VG_API_KEY_SECRET_SIZE 40 /* characters */
#define VG_API_KEY_TEXT_SIZE   (VG_API_KEY_ID_SIZE + 1 + 20 + 1 + VG_API_KEY_SECRET_SIZE + 1)
/* A credential longer than this cannot be a key of ours. */
#define VG_API_KEY_CREDENTIAL_MAX 256

struct vg_api_key_parts {
    struct vg_bytes key_id;
    int64_t user_id;
    struct vg_bytes secret;
};

/* Split a credential; false when it has not the form of a key. */
VG_MUST_USE bool vg_api_key_parse(struct vg_bytes credential, struct vg_api_key_parts *out_parts);

/* Make stars of the secrets of whatever has the form of a key of ours in `text`, also where its
 * slashes are escaped as in a URL: for texts of clients that go into logs. */
void vg_api_key_hide(uint8_t *text, size_t size);

/* Make a new key: its whole text (shown once), its id, and the digest that is kept. */
void vg_api_key_make(
    struct vg_random *random,
    int64_t user_id,
    char out_text[VG_API_KEY_TEXT_SIZE],
    char out_key_id[VG_API_KEY_ID_SIZE + 1],
    uint8_t out_secret_sha256[VG_SHA256_SIZE]);

#endif
