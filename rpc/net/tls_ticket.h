/*
 * Keys of session tickets: a client that comes back within some hours shows the ticket it was given
 * and spares both sides the costly half of a handshake. The server keeps no sessions.
 *
 * Whoever holds a ticket key can read recorded TLS 1.2 sessions of its time, so a key serves for
 * VG_TLS_TICKET_PERIOD_NS and is remembered for as long again, and no key is ever written anywhere:
 * after a restart or reload tickets are void and handshakes full.
 *
 * Threads: any; one lock.
 */
#ifndef VG_RPC_NET_TLS_TICKET_H
#define VG_RPC_NET_TLS_TICKET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define VG_TLS_TICKET_PERIOD_NS (UINT64_C(6) * 3600 * 1000000000)
#define VG_TLS_TICKET_NAME_SIZE 16u
#define VG_TLS_TICKET_KEY_SIZE  32u

struct vg_tls_ticket_key {
    uint64_t since_ns; /* 0 = there is none */
    uint8_t name[VG_TLS_TICKET_NAME_SIZE];
    uint8_t cipher[VG_TLS_TICKET_KEY_SIZE];
    uint8_t mac[VG_TLS_TICKET_KEY_SIZE];
};

struct vg_tls_tickets {
    pthread_mutex_t lock;
    struct vg_tls_ticket_key current;
    struct vg_tls_ticket_key former;
};

void vg_tls_tickets_init(struct vg_tls_tickets *tickets);
void vg_tls_tickets_dispose(struct vg_tls_tickets *tickets);

/* The key for a new ticket at `now_ns`: a fresh one when the period is over. */
void vg_tls_tickets_current(
    struct vg_tls_tickets *tickets,
    uint64_t now_ns,
    struct vg_tls_ticket_key *out_key);

/* The key of that name, if it still counts. *out_renew: the ticket should be replaced. */
bool vg_tls_tickets_find(
    struct vg_tls_tickets *tickets,
    const uint8_t name[VG_TLS_TICKET_NAME_SIZE],
    uint64_t now_ns,
    struct vg_tls_ticket_key *out_key,
    bool *out_renew);

/* What SSL_CTX_set_tlsext_ticket_key_evp_cb wants. */
int vg_tls_tickets_crypt(
    struct vg_tls_tickets *tickets,
    uint8_t name[VG_TLS_TICKET_NAME_SIZE],
    uint8_t *iv,
    EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac,
    bool encrypt);

#endif
