/*
 * OpenSSL 3 looks an algorithm up by name at every use unless it was fetched before; a key check
 * per request makes that visible. So the four algorithms are fetched once per process.
 */
#include "core/base/digest.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/base/assert.h"

static const struct {
    const char *name;
    size_t size;
} digest_rows[VG_DIGEST_KIND_COUNT] = {
    [VG_DIGEST_KIND_SHA256] = { "SHA256", VG_SHA256_SIZE },
    [VG_DIGEST_KIND_SHA512] = { "SHA512", VG_SHA512_SIZE },
    [VG_DIGEST_KIND_SHA1] = { "SHA1", VG_SHA1_SIZE },
    [VG_DIGEST_KIND_MD5] = { "MD5", VG_MD5_SIZE },
};

static EVP_MD *algorithms[VG_DIGEST_KIND_COUNT];
static pthread_once_t algorithms_once = PTHREAD_ONCE_INIT;

static void fetch_algorithms(void)
{
    for (size_t i = 0; i < VG_DIGEST_KIND_COUNT; i++) {
        algorithms[i] = EVP_MD_fetch(NULL, digest_rows[i].name, NULL);
        VG_ASSERT(algorithms[i] != NULL);
    }
}

static const EVP_MD *algorithm(enum vg_digest_kind kind)
{
    VG_ASSERT((unsigned)kind < VG_DIGEST_KIND_COUNT);
    (void)pthread_once(&algorithms_once, fetch_algorithms);
    return algorithms[kind];
}

size_t vg_digest_size(enum vg_digest_kind kind)
{
    VG_ASSERT((unsigned)kind < VG_DIGEST_KIND_COUNT);
    return digest_rows[kind].size;
}

static void digest_whole(enum vg_digest_kind kind, struct vg_bytes bytes, uint8_t *out_digest)
{
    unsigned size = 0;
    int done = EVP_Digest(bytes.data, bytes.size, out_digest, &size, algorithm(kind), NULL);
    VG_ASSERT(done == 1 && size == digest_rows[kind].size);
}

void vg_digest_sha256(struct vg_bytes bytes, uint8_t out_digest[VG_SHA256_SIZE])
{
    digest_whole(VG_DIGEST_KIND_SHA256, bytes, out_digest);
}

void vg_digest_sha512(struct vg_bytes bytes, uint8_t out_digest[VG_SHA512_SIZE])
{
    digest_whole(VG_DIGEST_KIND_SHA512, bytes, out_digest);
}

void vg_digest_sha1(struct vg_bytes bytes, uint8_t out_digest[VG_SHA1_SIZE])
{
    digest_whole(VG_DIGEST_KIND_SHA1, bytes, out_digest);
}

void vg_digest_md5(struct vg_bytes bytes, uint8_t out_digest[VG_MD5_SIZE])
{
    digest_whole(VG_DIGEST_KIND_MD5, bytes, out_digest);
}

struct vg_digest {
    EVP_MD_CTX *context;
    enum vg_digest_kind kind;
};

struct vg_digest *vg_digest_create(enum vg_digest_kind kind)
{
    const EVP_MD *md = algorithm(kind);
    struct vg_digest *digest = malloc(sizeof(*digest));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (digest == NULL || context == NULL || EVP_DigestInit_ex2(context, md, NULL) != 1) {
        EVP_MD_CTX_free(context);
        free(digest);
        return NULL;
    }
    *digest = (struct vg_digest){ .context = context, .kind = kind };
    return digest;
}

void vg_digest_add(struct vg_digest *digest, struct vg_bytes bytes)
{
    VG_ASSERT(EVP_DigestUpdate(digest->context, bytes.data, bytes.size) == 1);
}

void vg_digest_finish(struct vg_digest *digest, uint8_t *out_digest)
{
    unsigned size = 0;
    VG_ASSERT(EVP_DigestFinal_ex(digest->context, out_digest, &size) == 1);
    VG_ASSERT(size == digest_rows[digest->kind].size);
    VG_ASSERT(EVP_DigestInit_ex2(digest->context, algorithm(digest->kind), NULL) == 1);
}

void vg_digest_destroy(struct vg_digest *digest)
{
    if (digest != NULL) {
        EVP_MD_CTX_free(digest->context);
        free(digest);
    }
}

bool vg_digest_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

static uint64_t read_little_endian(const uint8_t *data)
{
    uint64_t value;
    memcpy(&value, data, sizeof(value));
    return le64toh(value);
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

/* In registers: a state in memory costs half of the speed. */
struct sip_state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static inline struct sip_state sip_round(struct sip_state v)
{
    v.v0 += v.v1;
    v.v1 = rotate_left(v.v1, 13) ^ v.v0;
    v.v0 = rotate_left(v.v0, 32);
    v.v2 += v.v3;
    v.v3 = rotate_left(v.v3, 16) ^ v.v2;
    v.v0 += v.v3;
    v.v3 = rotate_left(v.v3, 21) ^ v.v0;
    v.v2 += v.v1;
    v.v1 = rotate_left(v.v1, 17) ^ v.v2;
    v.v2 = rotate_left(v.v2, 32);
    return v;
}

__attribute__((always_inline)) static inline struct sip_state sip_rounds(
    struct sip_state v,
    unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        v = sip_round(v);
    }
    return v;
}

__attribute__((always_inline)) static inline struct sip_state sip_word(
    struct sip_state v,
    uint64_t word,
    unsigned rounds)
{
    v.v3 ^= word;
    v = sip_rounds(v, rounds);
    v.v0 ^= word;
    return v;
}

static inline struct sip_state sip_start(const uint8_t key[16])
{
    uint64_t k0 = read_little_endian(key);
    uint64_t k1 = read_little_endian(key + 8);
    /* The constants are "somepseudorandomlygeneratedbytes". */
    return (struct sip_state){
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
}

/* The bytes behind the last eight that are whole, the lowest first. */
static inline uint64_t read_rest(struct vg_bytes bytes, size_t whole)
{
    size_t left = bytes.size - whole;
    if (bytes.size >= sizeof(uint64_t)) { /* with bytes before them, which fall out */
        uint64_t last = read_little_endian(bytes.data + bytes.size - sizeof(uint64_t));
        return left == 0 ? 0 : last >> (64 - 8 * left);
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < left; i++) {
        rest |= (uint64_t)bytes.data[i] << (8 * i);
    }
    return rest;
}

/* All of `bytes`, then `end` rounds. The loops over rounds are unrolled: both are constants. */
__attribute__((always_inline)) static inline uint64_t sip_finish(
    struct sip_state v,
    struct vg_bytes bytes,
    unsigned rounds,
    unsigned end)
{
    size_t whole = bytes.size & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        v = sip_word(v, read_little_endian(bytes.data + i), rounds);
    }
    uint64_t last = (uint64_t)(bytes.size & 0xFF) << 56 | read_rest(bytes, whole);
    v = sip_word(v, last, rounds);
    v.v2 ^= 0xFF;
    v = sip_rounds(v, end);
    return v.v0 ^ v.v1 ^ v.v2 ^ v.v3;
}

uint64_t vg_siphash(const uint8_t key[16], struct vg_bytes bytes)
{
    return sip_finish(sip_start(key), bytes, 2, 4);
}

uint64_t vg_siphash_short(const uint8_t key[16], struct vg_bytes bytes)
{
    return sip_finish(sip_start(key), bytes, 1, 3);
}

uint64_t vg_siphash_behind(const uint8_t key[16], uint64_t first_hash, struct vg_bytes bytes)
{
    struct sip_state v = sip_start(key);
    v.v1 ^= 0xEE; /* as the 128 bit form of the paper's code begins */
    return sip_finish(sip_word(v, first_hash, 1), bytes, 1, 3);
}
