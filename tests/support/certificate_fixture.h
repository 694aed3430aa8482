/*
 * Certificates for tests, made when they are needed: of a small authority, self-signed, ended, or
 * with names that no honest authority would sign.
 *
 * Threads: one test's.
 */
#ifndef VG_TESTS_SUPPORT_CERTIFICATE_FIXTURE_H
#define VG_TESTS_SUPPORT_CERTIFICATE_FIXTURE_H

#include <stdbool.h>

#include <openssl/x509v3.h>

#include "core/base/bytes.h"

struct vg_certificate {
    X509 *certificate;
    EVP_PKEY *key;
};

#define VG_CERTIFICATE_NAMES_MAX 20

/* What a certificate is to be; all zero = self-signed, without names, good for an hour. */
struct vg_certificate_wish {
    const struct vg_certificate *issuer; /* NULL = itself */
    bool is_authority;
    struct vg_bytes common_name; /* UTF-8; of size 0 = none */
    struct {
        int type; /* GEN_URI, GEN_DNS, GEN_EMAIL, GEN_IPADD */
        struct vg_bytes value;
    } names[VG_CERTIFICATE_NAMES_MAX]; /* up to the first of size 0 */
    long ends_s;                       /* from now; 0 = in an hour */
};

void vg_certificate_make(
    const struct vg_certificate_wish *wish,
    struct vg_certificate *out_certificate);
void vg_certificate_dispose(struct vg_certificate *certificate);

/* Write the certificate, and behind it the key unless `without_key`, into `path` as PEM. */
void vg_certificate_write(
    const struct vg_certificate *certificate,
    bool without_key,
    const char *path);

/* The key alone, encrypted if there is a `password`. */
void vg_certificate_write_key(
    const struct vg_certificate *certificate,
    const char *password,
    const char *path);

#endif
