#include "rpc/net/tls_client.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/network.h"
#include "rpc/net/tls_file.h"

struct vg_tls_client {
    SSL_CTX *context;
};

static enum vg_reason client_load(
    SSL_CTX *context,
    const struct vg_tls_client_options *options,
    struct vg_error *error)
{
    enum vg_reason reason = VG_OK;
    if (options->ca != NULL) {
        reason = vg_tls_file_trust(context, options->ca, false, error);
    } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
        reason = vg_error_set(error, VG_CONFIG, "the machine has no certificate authorities");
    }
    if (reason == VG_OK && options->certificate != NULL) {
        const char *key = options->key == NULL ? options->certificate : options->key;
        reason = vg_tls_file_use(context, options->certificate, key, error);
    }
    return reason;
}

enum vg_reason vg_tls_client_create(
    const struct vg_tls_client_options *options,
    struct vg_tls_client **out_client,
    struct vg_error *error)
{
    static const unsigned char protocols[] = "\x02h2";
    struct vg_tls_client *client = calloc(1, sizeof(*client));
    VG_ASSERT(client != NULL);
    client->context = SSL_CTX_new(TLS_client_method());
    VG_ASSERT(client->context != NULL);
    VG_ASSERT(SSL_CTX_set_min_proto_version(client->context, TLS1_2_VERSION) == 1);
    VG_ASSERT(SSL_CTX_set_alpn_protos(client->context, protocols, sizeof(protocols) - 1) == 0);
    (void)SSL_CTX_set_mode(
        client->context,
        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    enum vg_reason reason = client_load(client->context, options, error);
    if (reason != VG_OK) {
        vg_tls_client_destroy(client);
        return reason;
    }
    *out_client = client;
    return VG_OK;
}

void vg_tls_client_destroy(struct vg_tls_client *client)
{
    if (client != NULL) {
        SSL_CTX_free(client->context);
        free(client);
    }
}

struct ssl_st *vg_tls_client_open(struct vg_tls_client *client, const char *host)
{
    struct vg_network address;
    SSL *ssl = SSL_new(client->context);
    if (ssl == NULL) {
        return NULL;
    }
    SSL_set_connect_state(ssl);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    /* A certificate names an address as such, and an address is no server name (RFC 6066 3). */
    bool good = vg_network_parse(vg_bytes_text(host), &address)
                    ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                    : SSL_set1_host(ssl, host) == 1 &&
                          SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)host) == 1;
    if (!good) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    return ssl;
}
