/*
 * Certificates and private keys from PEM files, with errors an operator understands, and OpenSSL's
 * own words for what went wrong.
 *
 * Threads: any; OpenSSL's queue of errors is the thread's own.
 */
#ifndef VG_RPC_NET_TLS_FILE_H
#define VG_RPC_NET_TLS_FILE_H

#include <openssl/ssl.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

/*
 * All certificates of a file, at least one, in their order; free with sk_X509_pop_free.
 *
 * Fails with: CONFIG, naming the file.
 */
VG_MUST_USE enum vg_reason vg_tls_file_certificates(
    const char *path,
    STACK_OF(X509) * *out_certificates,
    struct vg_error *error);

/*
 * Use the first certificate of `path` with the others as its chain, and the key of `key_path`,
 * which must belong to it. An encrypted key is refused: nobody is there to be asked.
 *
 * Fails with: CONFIG, naming the file.
 */
VG_MUST_USE enum vg_reason vg_tls_file_use(
    SSL_CTX *context,
    const char *path,
    const char *key_path,
    struct vg_error *error);

/* Let the certificates of the file be authorities for what the peer shows. `tell`: name them to the
 * client, so that it can choose. Fails with: CONFIG. */
VG_MUST_USE enum vg_reason vg_tls_file_trust(
    SSL_CTX *context,
    const char *path,
    bool tell,
    struct vg_error *error);

/* The earliest reason in OpenSSL's queue, which is emptied; a constant text. */
const char *vg_tls_file_words(void);

#endif
