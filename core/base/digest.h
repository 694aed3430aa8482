/*
 * Digests: SHA-2, SHA-1 and MD5 from OpenSSL, in one piece or in parts, comparison in constant
 * time, and SipHash for hash tables that strangers can fill.
 *
 * SHA-1 and MD5 are names for files and name-based UUIDs only; nothing relies on them for security.
 *
 * Threads: any; a struct vg_digest belongs to one thread at a time. Nothing here fails: an OpenSSL
 * without these algorithms is not one we run on.
 */
#ifndef VG_CORE_BASE_DIGEST_H
#define VG_CORE_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/compiler.h"

#define VG_SHA256_SIZE     32
#define VG_SHA512_SIZE     64
#define VG_SHA1_SIZE       20
#define VG_MD5_SIZE        16
#define VG_DIGEST_SIZE_MAX VG_SHA512_SIZE

enum vg_digest_kind {
    VG_DIGEST_KIND_SHA256,
    VG_DIGEST_KIND_SHA512,
    VG_DIGEST_KIND_SHA1,
    VG_DIGEST_KIND_MD5,
};
#define VG_DIGEST_KIND_COUNT 4

/* Bytes of a digest of `kind`. */
size_t vg_digest_size(enum vg_digest_kind kind);

void vg_digest_sha256(struct vg_bytes bytes, uint8_t out_digest[VG_SHA256_SIZE]);
void vg_digest_sha512(struct vg_bytes bytes, uint8_t out_digest[VG_SHA512_SIZE]);
void vg_digest_sha1(struct vg_bytes bytes, uint8_t out_digest[VG_SHA1_SIZE]);
void vg_digest_md5(struct vg_bytes bytes, uint8_t out_digest[VG_MD5_SIZE]);

struct vg_digest;

/* A digest that is fed in parts, for uploads; destroy it with vg_digest_destroy. NULL without
 * memory. */
VG_MUST_USE struct vg_digest *vg_digest_create(enum vg_digest_kind kind);
void vg_digest_add(struct vg_digest *digest, struct vg_bytes bytes);

/* Write vg_digest_size bytes to `out_digest` and start again from nothing. */
void vg_digest_finish(struct vg_digest *digest, uint8_t *out_digest);
void vg_digest_destroy(struct vg_digest *digest); /* accepts NULL */

/* Whether `size` bytes are equal, in a time that does not depend on what they hold. */
bool vg_digest_equal(const uint8_t *a, const uint8_t *b, size_t size);

/* SipHash-2-4 (Aumasson, Bernstein: SipHash: a fast short-input PRF), the 64 bit form. */
uint64_t vg_siphash(const uint8_t key[16], struct vg_bytes bytes);

/*
 * SipHash-1-3, for hashes that are made by the million: fewer rounds, and still nobody without the
 * key finds two texts with the same hash.
 */
uint64_t vg_siphash_short(const uint8_t key[16], struct vg_bytes bytes);

/* The same of a pair: `bytes` behind the hash of what comes first. Never the hash of one text that
 * begins so: the start is another. */
uint64_t vg_siphash_behind(const uint8_t key[16], uint64_t first_hash, struct vg_bytes bytes);

#endif
