#include "rpc/net/tls_ticket.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/base/assert.h"
#include "core/base/clock.h"

void vg_tls_tickets_init(struct vg_tls_tickets *tickets)
{
    memset(tickets, 0, sizeof(*tickets));
    VG_ASSERT(pthread_mutex_init(&tickets->lock, NULL) == 0);
}

void vg_tls_tickets_dispose(struct vg_tls_tickets *tickets)
{
    (void)pthread_mutex_destroy(&tickets->lock);
    explicit_bzero(tickets, sizeof(*tickets));
}

/* Under the lock: move on when the period of the current key is over. */
static void tickets_turn(struct vg_tls_tickets *tickets, uint64_t now_ns)
{
    struct vg_tls_ticket_key *current = &tickets->current;
    if (current->since_ns != 0 && now_ns - current->since_ns < VG_TLS_TICKET_PERIOD_NS) {
        return;
    }
    tickets->former = *current;
    VG_ASSERT(
        RAND_bytes(current->name, sizeof(current->name)) == 1 &&
        RAND_priv_bytes(current->cipher, sizeof(current->cipher)) == 1 &&
        RAND_priv_bytes(current->mac, sizeof(current->mac)) == 1);
    current->since_ns = now_ns;
}

void vg_tls_tickets_current(
    struct vg_tls_tickets *tickets,
    uint64_t now_ns,
    struct vg_tls_ticket_key *out_key)
{
    (void)pthread_mutex_lock(&tickets->lock);
    tickets_turn(tickets, now_ns);
    *out_key = tickets->current;
    (void)pthread_mutex_unlock(&tickets->lock);
}

bool vg_tls_tickets_find(
    struct vg_tls_tickets *tickets,
    const uint8_t name[VG_TLS_TICKET_NAME_SIZE],
    uint64_t now_ns,
    struct vg_tls_ticket_key *out_key,
    bool *out_renew)
{
    bool found = false;
    (void)pthread_mutex_lock(&tickets->lock);
    tickets_turn(tickets, now_ns);
    const struct vg_tls_ticket_key *keys[] = { &tickets->current, &tickets->former };
    for (size_t i = 0; i < 2 && !found; i++) {
        bool counts =
            keys[i]->since_ns != 0 && now_ns - keys[i]->since_ns < 2 * VG_TLS_TICKET_PERIOD_NS;
        if (counts && memcmp(keys[i]->name, name, VG_TLS_TICKET_NAME_SIZE) == 0) {
            *out_key = *keys[i];
            *out_renew = i == 1;
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&tickets->lock);
    return found;
}

int vg_tls_tickets_crypt(
    struct vg_tls_tickets *tickets,
    uint8_t name[VG_TLS_TICKET_NAME_SIZE],
    uint8_t *iv,
    EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac,
    bool encrypt)
{
    static char digest[] = "SHA256";
    uint64_t now_ns = vg_clock_monotonic_ns(&vg_clock_real);
    struct vg_tls_ticket_key key;
    bool renew = false;
    if (encrypt) {
        vg_tls_tickets_current(tickets, now_ns, &key);
        memcpy(name, key.name, sizeof(key.name));
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) {
            return -1;
        }
    } else if (!vg_tls_tickets_find(tickets, name, now_ns, &key, &renew)) {
        return 0; /* a full handshake */
    }
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof(key.mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool good =
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, encrypt ? 1 : 0) == 1 &&
        EVP_MAC_CTX_set_params(mac, parameters) == 1;
    explicit_bzero(&key, sizeof(key));
    if (!good) {
        return -1;
    }
    return renew ? 2 : 1;
}
