#include "rpc/net/tls_identity.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

vg_time vg_tls_identity_time(const ASN1_TIME *time)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return VG_TIME_MAX;
    }
    return (vg_time)timegm(&parts) * 1000;
}

struct name_list {
    struct vg_peer_name *names; /* VG_LIMIT_CERTIFICATE_NAMES */
    size_t count;
};

static void list_add(struct name_list *list, enum vg_peer_name_kind kind, struct vg_bytes value)
{
    if (list->count < VG_LIMIT_CERTIFICATE_NAMES &&
        vg_peer_name_make(kind, value, &list->names[list->count])) {
        list->count++;
    }
}

/* All three are IA5Strings, whose length counts, not a NUL within. */
static void list_add_general(
    struct name_list *list,
    const GENERAL_NAMES *names,
    int type,
    enum vg_peer_name_kind kind)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int found = 0;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &found);
        if (found == type) {
            list_add(
                list,
                kind,
                vg_bytes(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
        }
    }
}

/* The last common name is the most specific. */
static void list_add_common_name(struct name_list *list, const X509_NAME *subject)
{
    int last = -1;
    for (int next = -1; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, next)) >= 0;) {
        last = next;
    }
    if (last < 0) {
        return;
    }
    unsigned char *text = NULL;
    int size =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    if (size > 0) {
        list_add(list, VG_PEER_NAME_KIND_CN, vg_bytes(text, (size_t)size));
    }
    if (size >= 0) {
        OPENSSL_free(text);
    }
}

/* Whether one of the kinds stands there at all, be it a name that counts or not: a common name does
 * not step in for one that was passed over. */
static bool has_general(const GENERAL_NAMES *names)
{
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        int type = sk_GENERAL_NAME_value(names, i)->type;
        found = type == GEN_URI || type == GEN_DNS || type == GEN_EMAIL;
    }
    return found;
}

struct vg_peer_identity *vg_tls_identity_read(X509 *certificate)
{
    struct name_list list = { .names = calloc(VG_LIMIT_CERTIFICATE_NAMES, sizeof(*list.names)) };
    if (list.names == NULL) {
        return NULL;
    }
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
    if (names != NULL) {
        list_add_general(&list, names, GEN_URI, VG_PEER_NAME_KIND_URI);
        list_add_general(&list, names, GEN_DNS, VG_PEER_NAME_KIND_DNS);
        list_add_general(&list, names, GEN_EMAIL, VG_PEER_NAME_KIND_EMAIL);
    }
    /* -1 = there are none; -2 = there are several, or they cannot be read: then nothing counts. */
    bool is_bare = names == NULL ? critical == -1 : !has_general(names);
    if (is_bare) {
        list_add_common_name(&list, X509_get_subject_name(certificate));
    }
    GENERAL_NAMES_free(names);
    struct vg_peer_identity *identity = vg_peer_identity_create(
        list.names,
        list.count,
        vg_tls_identity_time(X509_get0_notAfter(certificate)));
    free(list.names);
    ERR_clear_error();
    return identity;
}
