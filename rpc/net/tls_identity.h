/*
 * The names of a client certificate.
 *
 * Subject alternative names of the kinds URI, DNS and email, in that order and within a kind as
 * they stand; of a certificate that has none of the three, the common name of its subject (RFC 6125
 * section 6.4.4). What is no name (peer_identity.h) is passed over.
 *
 * Threads: any.
 */
#ifndef VG_RPC_NET_TLS_IDENTITY_H
#define VG_RPC_NET_TLS_IDENTITY_H

#include <openssl/x509.h>

#include "core/base/peer_identity.h"

/* NULL without memory. A certificate without names is an identity without names. */
struct vg_peer_identity *vg_tls_identity_read(X509 *certificate);

/* A time of a certificate in milliseconds; VG_TIME_MAX when it is none that can be told. */
vg_time vg_tls_identity_time(const ASN1_TIME *time);

#endif
