#include "tests/support/certificate_fixture.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "core/base/assert.h"

#define HOUR_S 3600

static void add_names(const struct vg_certificate_wish *wish, X509 *certificate)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (size_t i = 0; i < VG_CERTIFICATE_NAMES_MAX && wish->names[i].value.size > 0; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        bool is_address = wish->names[i].type == GEN_IPADD;
        ASN1_STRING *text =
            ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
        VG_ASSERT(
            ASN1_STRING_set(text, wish->names[i].value.data, (int)wish->names[i].value.size) == 1);
        GENERAL_NAME_set0_value(name, wish->names[i].type, text);
        VG_ASSERT(sk_GENERAL_NAME_push(names, name) > 0);
    }
    if (sk_GENERAL_NAME_num(names) > 0) {
        VG_ASSERT(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1);
    }
    GENERAL_NAMES_free(names);
}

void vg_certificate_make(
    const struct vg_certificate_wish *wish,
    struct vg_certificate *out_certificate)
{
    static long serial;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    VG_ASSERT(key != NULL && certificate != NULL);
    long ends_s = wish->ends_s == 0 ? HOUR_S : wish->ends_s;
    X509_NAME *subject = X509_get_subject_name(certificate);
    VG_ASSERT(
        X509_set_version(certificate, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), ends_s - 2L * HOUR_S) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), ends_s) != NULL &&
        X509_set_pubkey(certificate, key) == 1);
    VG_ASSERT(
        wish->common_name.size == 0 || X509_NAME_add_entry_by_NID(
                                           subject,
                                           NID_commonName,
                                           V_ASN1_UTF8STRING,
                                           wish->common_name.data,
                                           (int)wish->common_name.size,
                                           -1,
                                           0) == 1);
    add_names(wish, certificate);
    if (wish->is_authority) {
        BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
        constraints->ca = 1;
        VG_ASSERT(X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, 0) == 1);
        BASIC_CONSTRAINTS_free(constraints);
    }
    X509 *issuer = wish->issuer == NULL ? certificate : wish->issuer->certificate;
    VG_ASSERT(
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
        X509_sign(certificate, wish->issuer == NULL ? key : wish->issuer->key, EVP_sha256()) > 0);
    *out_certificate = (struct vg_certificate){ certificate, key };
}

void vg_certificate_dispose(struct vg_certificate *certificate)
{
    X509_free(certificate->certificate);
    EVP_PKEY_free(certificate->key);
}

void vg_certificate_write(
    const struct vg_certificate *certificate,
    bool without_key,
    const char *path)
{
    FILE *file = fopen(path, "wb");
    VG_ASSERT(file != NULL && PEM_write_X509(file, certificate->certificate) == 1);
    VG_ASSERT(
        without_key ||
        PEM_write_PrivateKey(file, certificate->key, NULL, NULL, 0, NULL, NULL) == 1);
    VG_ASSERT(fclose(file) == 0);
}

void vg_certificate_write_key(
    const struct vg_certificate *certificate,
    const char *password,
    const char *path)
{
    FILE *file = fopen(path, "wb");
    VG_ASSERT(file != NULL);
    VG_ASSERT(
        PEM_write_PrivateKey(
            file,
            certificate->key,
            password == NULL ? NULL : EVP_aes_256_cbc(),
            (const unsigned char *)password,
            password == NULL ? 0 : (int)strlen(password),
            NULL,
            NULL) == 1);
    VG_ASSERT(fclose(file) == 0);
}
