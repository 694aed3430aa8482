/*
 * The demo is a client like any other: it asks the server for what it needs with the
 * administrator's key, and imports its alerts with the code of vigil import.
 *
 * Every step may be made again: what is there already is left alone, and the alerts' times count
 * from when the demo's customer was made. So a fill that was cut short is completed by the next
 * start, and demo.key, which is written last, says that it is complete.
 */
#include "tools/vigild/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/time_text.h"
#include "tools/client/connection.h"
#include "tools/suricata/eve_import.h"

#include "vigil/account/v1/account.pb-c.h"
#include "vigil/admin/v1/service.pb-c.h"
#include "vigil/events/v2/submit.pb-c.h"

#define ARENA_MAX    (8u << 20)
#define KEY_SIZE     512u
#define ADDRESS_SIZE 32u

#define DEMO_CUSTOMER  "demo"
#define DEMO_LOCATION  "demo-site"
#define ANALYST        "analyst"
#define COLLECTOR      "collector"
#define ANALYST_FILE   "demo.key"
#define COLLECTOR_FILE "collector.key"
#define CASE_ID        1001
#define INCIDENT_UUID  "0b6f5f0e-5d3c-4d54-9a51-3d1f5b7c2a01"

/* When the alerts of the file end: EPOCH of make_alerts.py. */
#define ALERTS_EPOCH INT64_C(1767225600000)

/* The file is part of the program: a demo needs nothing beside it. */
extern const char vg_demo_alerts[];
extern const char vg_demo_alerts_end[];
__asm__(".section .rodata\n"
        ".global vg_demo_alerts, vg_demo_alerts_end\n"
        "vg_demo_alerts:\n"
        ".incbin \"" VG_DEMO_ALERTS "\"\n"
        "vg_demo_alerts_end:\n"
        ".byte 0\n"
        ".text\n");

struct demo {
    const char *data_dir;
    char address[ADDRESS_SIZE];
    struct vg_connection *connection; /* with the administrator's key */
    struct vg_arena arena;
    struct vg_error *error;
};

/* The first line of a key file, "" when there is none. */
static void read_key(const char *data_dir, const char *name, char out_key[KEY_SIZE])
{
    char path[PATH_MAX];
    out_key[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/%s", data_dir, name);
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        size_t size = fread(out_key, 1, KEY_SIZE - 1, file);
        out_key[size] = '\0';
        out_key[strcspn(out_key, "\r\n")] = '\0';
        (void)fclose(file);
    }
}

/* Whole or not at all, and for the owner's eyes only. */
static enum vg_reason write_key(const struct demo *demo, const char *name, const char *key)
{
    char path[PATH_MAX];
    char draft[PATH_MAX + 8];
    (void)snprintf(path, sizeof(path), "%s/%s", demo->data_dir, name);
    (void)snprintf(draft, sizeof(draft), "%s.new", path);
    (void)unlink(draft);
    int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = file >= 0 && dprintf(file, "%s\n", key) > 0 && fsync(file) == 0;
    good = (file < 0 || close(file) == 0) && good && rename(draft, path) == 0;
    if (!good) {
        (void)vg_error_set(demo->error, VG_STORE_IO, "the demo's key cannot be written");
        return vg_error_detail(demo->error, "%s: %s", path, strerrordesc_np(errno));
    }
    return VG_OK;
}

/* Ask, and take what the server says as the error. What is there already is as good as made: then
 * *out_answer, which may be NULL, is left alone. */
static enum vg_reason ask(
    struct demo *demo,
    enum vg_client_method method,
    const ProtobufCMessage *request,
    const ProtobufCMessage **out_answer)
{
    struct vg_connection_call call;
    enum vg_reason reason = VG_OK;
    const ProtobufCMessage *answer =
        vg_connection_ask(demo->connection, method, request, &demo->arena, &call);
    if (answer != NULL && out_answer != NULL) {
        *out_answer = answer;
    } else if (answer == NULL && call.grpc.code != VG_GRPC_ALREADY_EXISTS) {
        reason = vg_error_set(
            demo->error,
            vg_connection_is_unreachable(&call) ? VG_OVERLOADED : VG_INTERNAL,
            "the demo's data cannot be added: %s",
            call.grpc.message);
    }
    vg_connection_call_dispose(&call);
    return reason;
}

/* Requests hold texts of ours that nobody changes; protobuf-c declares them char *. */
static char *text(struct demo *demo, const char *constant)
{
    char *copy = vg_arena_text(&demo->arena, vg_bytes_text(constant));
    VG_ASSERT(copy != NULL); /* a few bytes of a large arena */
    return copy;
}

static enum vg_reason add_customer(struct demo *demo, vg_time *out_created)
{
    Vigil__Admin__V1__AddCustomerRequest add = VIGIL__ADMIN__V1__ADD_CUSTOMER_REQUEST__INIT;
    Vigil__Admin__V1__GetCustomerRequest get = VIGIL__ADMIN__V1__GET_CUSTOMER_REQUEST__INIT;
    const ProtobufCMessage *answer = NULL;
    add.short_name = text(demo, DEMO_CUSTOMER);
    add.has_id = true;
    add.id = 1;
    add.name = text(demo, "Demo Company");
    get.customer = text(demo, DEMO_CUSTOMER);
    enum vg_reason reason = ask(demo, VG_CLIENT_METHOD_ADD_CUSTOMER, &add.base, NULL);
    if (reason == VG_OK) {
        reason = ask(demo, VG_CLIENT_METHOD_GET_CUSTOMER, &get.base, &answer);
    }
    if (reason == VG_OK) {
        *out_created =
            ((const Vigil__Admin__V1__Customer *)(const void *)answer)->created_timestamp;
    }
    return reason;
}

static enum vg_reason add_user(struct demo *demo, const char *name, const char *full_name)
{
    Vigil__Admin__V1__AddUserRequest request = VIGIL__ADMIN__V1__ADD_USER_REQUEST__INIT;
    request.short_name = text(demo, name);
    request.name = text(demo, full_name);
    request.customer = text(demo, DEMO_CUSTOMER);
    request.time_zone = text(demo, "Europe/Oslo");
    return ask(demo, VG_CLIENT_METHOD_ADD_USER, &request.base, NULL);
}

static enum vg_reason add_location(struct demo *demo)
{
    Vigil__Admin__V1__AddLocationRequest request = VIGIL__ADMIN__V1__ADD_LOCATION_REQUEST__INIT;
    request.short_name = text(demo, DEMO_LOCATION);
    request.has_id = true;
    request.id = 1;
    request.name = text(demo, "Demo site");
    request.customer = text(demo, DEMO_CUSTOMER);
    request.time_zone = text(demo, "Europe/Oslo");
    return ask(demo, VG_CLIENT_METHOD_ADD_LOCATION, &request.base, NULL);
}

static enum vg_reason add_case(struct demo *demo)
{
    Vigil__Admin__V1__AddCaseRequest request = VIGIL__ADMIN__V1__ADD_CASE_REQUEST__INIT;
    char *readers[] = { text(demo, ANALYST) };
    request.has_id = true;
    request.id = CASE_ID;
    request.customer = text(demo, DEMO_CUSTOMER);
    request.subject = text(demo, "A workstation talks to a known control server");
    request.n_reader = VG_ARRAY_COUNT(readers);
    request.reader = readers;
    request.has_status = true;
    request.status = VIGIL__ADMIN__V1__CASE_STATUS__CASE_STATUS_WORKING_SOC;
    request.has_priority = true;
    request.priority = VIGIL__ADMIN__V1__PRIORITY__PRIORITY_HIGH;
    request.category_name = text(demo, "Intrusion");
    request.service = text(demo, "Network monitoring");
    return ask(demo, VG_CLIENT_METHOD_ADD_CASE, &request.base, NULL);
}

/* A key with these roles for the user, written to the file. */
static enum vg_reason add_key(
    struct demo *demo,
    const char *user,
    const char *file,
    Vigil__Admin__V1__Role *roles,
    size_t role_count)
{
    Vigil__Admin__V1__AddKeyRequest request = VIGIL__ADMIN__V1__ADD_KEY_REQUEST__INIT;
    const ProtobufCMessage *answer = NULL;
    request.user = text(demo, user);
    request.n_role = role_count;
    request.role = roles;
    enum vg_reason reason = ask(demo, VG_CLIENT_METHOD_ADD_KEY, &request.base, &answer);
    if (reason == VG_OK) {
        reason =
            write_key(demo, file, ((const Vigil__Admin__V1__IssuedKey *)(const void *)answer)->key);
    }
    return reason;
}

/* One event as an analyst would file it, of the case. */
static enum vg_reason add_incident(struct demo *demo, vg_time created)
{
    Vigil__Events__V2__SubmitRequest request = VIGIL__EVENTS__V2__SUBMIT_REQUEST__INIT;
    Vigil__Events__V2__SubmitId id = VIGIL__EVENTS__V2__SUBMIT_ID__INIT;
    Vigil__Events__V2__SubmitIdParts parts = VIGIL__EVENTS__V2__SUBMIT_ID_PARTS__INIT;
    Vigil__Events__V2__SubmitEndpoint source = VIGIL__EVENTS__V2__SUBMIT_ENDPOINT__INIT;
    Vigil__Events__V2__SubmitEndpoint destination = VIGIL__EVENTS__V2__SUBMIT_ENDPOINT__INIT;
    int64_t cases[] = { CASE_ID };
    id.parts = &parts;
    parts.customer = text(demo, DEMO_CUSTOMER);
    parts.uuid = text(demo, INCIDENT_UUID);
    parts.timestamp = vg_arena_printf(&demo->arena, "%" PRId64, created - VG_MS_PER_HOUR);
    request.id = &id;
    request.signature = text(demo, "SURICATA-1:9000006");
    request.has_severity = true;
    request.severity = VIGIL__EVENTS__V2__SEVERITY__SEVERITY_CRITICAL;
    request.location = text(demo, DEMO_LOCATION);
    request.protocol = text(demo, "tcp");
    source.ip = text(demo, "10.20.1.23");
    source.host = text(demo, "ws-0123.demo.example");
    destination.ip = text(demo, "203.0.113.77");
    destination.has_port = true;
    destination.port = 443;
    request.source = &source;
    request.destination = &destination;
    request.n_associated_case_ids = VG_ARRAY_COUNT(cases);
    request.associated_case_ids = cases;
    request.has_finalized = true;
    request.finalized = true;
    return ask(demo, VG_CLIENT_METHOD_SUBMIT_EVENT, &request.base, NULL);
}

/* Told of what is wrong with an alert: there must be nothing. */
struct witness {
    struct vg_eve_import_observer observer;
    struct vg_error *error;
};

static void note_problem(
    struct vg_eve_import_observer *observer,
    uint64_t line,
    const char *message)
{
    struct witness *witness = VG_CONTAINER_OF(observer, struct witness, observer);
    (void)vg_error_set(
        witness->error,
        VG_INTERNAL,
        "alert %" PRIu64 " of the demo was not taken: %s",
        line,
        message);
}

static void note_progress(struct vg_eve_import_observer *observer)
{
    (void)observer;
}

static enum vg_reason import_alerts(struct demo *demo, vg_time created, uint64_t *out_alerts)
{
    struct vg_eve_import_options options = {
        .event = { .customer = DEMO_CUSTOMER,
                   .location = DEMO_LOCATION,
                   .shift_ms = created - ALERTS_EPOCH },
        .batch_size = VG_EVE_IMPORT_BATCH_DEFAULT,
        .with_signatures = true,
    };
    struct witness witness = { .observer = { note_problem, note_progress }, .error = demo->error };
    struct vg_eve_import *import =
        vg_eve_import_create(demo->connection, &options, &witness.observer);
    size_t size = (size_t)(vg_demo_alerts_end - vg_demo_alerts);
    char *copy = malloc(size); /* fmemopen wants what it may write to */
    FILE *file = NULL;
    enum vg_reason reason = VG_OK;
    if (copy != NULL) {
        memcpy(copy, vg_demo_alerts, size);
        file = fmemopen(copy, size, "rb");
    }
    if (file == NULL || import == NULL) {
        reason = vg_error_set(demo->error, VG_RESOURCE_LIMIT, NULL);
    } else if (
        vg_eve_import_file(import, file) != VG_EVE_IMPORT_END_DONE ||
        demo->error->reason != VG_OK) {
        reason = demo->error->reason;
    } else {
        *out_alerts = vg_eve_import_counts(import)->accepted;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(copy);
    vg_eve_import_destroy(import);
    return reason;
}

static enum vg_reason add_keys(struct demo *demo)
{
    Vigil__Admin__V1__Role analyst[] = { VIGIL__ADMIN__V1__ROLE__ROLE_EVENT_ANALYST,
                                         VIGIL__ADMIN__V1__ROLE__ROLE_EVENT_SUBMITTER,
                                         VIGIL__ADMIN__V1__ROLE__ROLE_SAMPLEDB_USER };
    Vigil__Admin__V1__Role collector[] = { VIGIL__ADMIN__V1__ROLE__ROLE_EVENT_SUBMITTER };
    enum vg_reason reason =
        add_key(demo, COLLECTOR, COLLECTOR_FILE, collector, VG_ARRAY_COUNT(collector));
    if (reason == VG_OK) {
        reason = add_key(demo, ANALYST, ANALYST_FILE, analyst, VG_ARRAY_COUNT(analyst));
    }
    return reason;
}

static enum vg_reason fill(struct demo *demo, uint64_t *out_alerts)
{
    vg_time created = 0;
    enum vg_reason reason = add_customer(demo, &created);
    if (reason == VG_OK) {
        reason = add_user(demo, ANALYST, "Demo analyst");
    }
    if (reason == VG_OK) {
        reason = add_user(demo, COLLECTOR, "Demo collector");
    }
    if (reason == VG_OK) {
        reason = add_location(demo);
    }
    if (reason == VG_OK) {
        reason = add_case(demo);
    }
    if (reason == VG_OK) {
        reason = import_alerts(demo, created, out_alerts);
    }
    if (reason == VG_OK) {
        reason = add_incident(demo, created);
    }
    return reason == VG_OK ? add_keys(demo) : reason;
}

/* Whether there is nothing of anybody's: no customer but the operator's own, or only ours from a
 * fill that was cut short. */
static enum vg_reason is_ours(struct demo *demo, bool *out_ours)
{
    Vigil__Admin__V1__ListCustomersRequest request = VIGIL__ADMIN__V1__LIST_CUSTOMERS_REQUEST__INIT;
    const ProtobufCMessage *answer = NULL;
    request.has_limit = true;
    request.limit = 3;
    enum vg_reason reason = ask(demo, VG_CLIENT_METHOD_LIST_CUSTOMERS, &request.base, &answer);
    if (reason != VG_OK) {
        return reason;
    }
    const Vigil__Admin__V1__CustomerList *list =
        (const Vigil__Admin__V1__CustomerList *)(const void *)answer;
    *out_ours = list->count <= 1;
    for (size_t i = 0; i < list->n_data && list->count == 2; i++) {
        const char *name = list->data[i]->short_name;
        *out_ours = *out_ours || (name != NULL && strcmp(name, DEMO_CUSTOMER) == 0);
    }
    return VG_OK;
}

/* Whether the key is one that the server takes. */
static bool is_key_good(const char *address, const char *key)
{
    Vigil__Account__V1__GetSessionRequest request = VIGIL__ACCOUNT__V1__GET_SESSION_REQUEST__INIT;
    struct vg_connection *connection = NULL;
    struct vg_connection_call call;
    struct vg_arena arena;
    if (key[0] == '\0' || vg_connection_open(
                              &(struct vg_connection_options){ .server = address, .key = key },
                              &connection,
                              NULL) != VG_OK) {
        return false;
    }
    vg_arena_init(&arena, ARENA_MAX);
    bool good =
        vg_connection_ask(connection, VG_CLIENT_METHOD_GET_SESSION, &request.base, &arena, &call) !=
        NULL;
    vg_connection_call_dispose(&call);
    vg_arena_dispose(&arena);
    vg_connection_close(connection);
    return good;
}

/* The path of vigil beside this program, shorter when it is below the working directory. */
static void find_vigil(char out_path[PATH_MAX])
{
    char here[PATH_MAX];
    (void)snprintf(out_path, PATH_MAX, "vigil");
    ssize_t size = readlink("/proc/self/exe", out_path, PATH_MAX - sizeof("/vigil"));
    if (size <= 0) {
        return;
    }
    out_path[size] = '\0';
    char *slash = strrchr(out_path, '/');
    if (slash != NULL) {
        memcpy(slash, "/vigil", sizeof("/vigil"));
    }
    if (getcwd(here, sizeof(here)) != NULL) {
        size_t length = strlen(here);
        if (strncmp(out_path, here, length) == 0 && out_path[length] == '/') {
            memmove(out_path, out_path + length + 1, strlen(out_path + length));
        }
    }
}

static void print_lines(const struct demo *demo, const char *key)
{
    char vigil[PATH_MAX];
    find_vigil(vigil);
    printf(
        "\ntry, over REST and over gRPC:\n\n"
        "  curl -H 'Argus-API-Key: %s' "
        "'http://%s/events/v1/aggregated?startTimestamp=-90days&limit=3'\n\n"
        "  %s --server %s --key-file %s/" ANALYST_FILE
        " event search --start -90days --limit 3\n\n",
        key,
        demo->address,
        vigil,
        demo->address,
        demo->data_dir);
    (void)fflush(stdout);
}

static enum vg_reason fill_once(struct demo *demo, char key[KEY_SIZE])
{
    char admin_key[KEY_SIZE];
    bool ours = false;
    uint64_t alerts = 0;
    read_key(demo->data_dir, "admin.key", admin_key);
    enum vg_reason reason = vg_connection_open(
        &(struct vg_connection_options){ .server = demo->address, .key = admin_key },
        &demo->connection,
        demo->error);
    explicit_bzero(admin_key, sizeof(admin_key));
    if (reason == VG_OK) {
        reason = is_ours(demo, &ours);
    }
    if (reason != VG_OK) {
        return reason;
    }
    if (!ours) {
        printf("the store holds data already: no demo data were added\n");
        (void)fflush(stdout);
        return VG_OK;
    }
    reason = fill(demo, &alerts);
    if (reason == VG_OK) {
        printf(
            "demo: customer " DEMO_CUSTOMER " with %" PRIu64 " alerts of the last three days\n",
            alerts);
        read_key(demo->data_dir, ANALYST_FILE, key);
    }
    return reason;
}

enum vg_reason vg_demo_run(const char *data_dir, uint16_t port, struct vg_error *error)
{
    char key[KEY_SIZE];
    struct demo demo = { .data_dir = data_dir, .error = error };
    enum vg_reason reason = VG_OK;
    (void)snprintf(demo.address, sizeof(demo.address), "127.0.0.1:%u", (unsigned)port);
    vg_arena_init(&demo.arena, ARENA_MAX);
    read_key(data_dir, ANALYST_FILE, key);
    if (!is_key_good(demo.address, key)) {
        key[0] = '\0';
        reason = fill_once(&demo, key);
    }
    if (reason == VG_OK && key[0] != '\0') {
        print_lines(&demo, key);
    }
    vg_connection_close(demo.connection);
    vg_arena_dispose(&demo.arena);
    explicit_bzero(key, sizeof(key));
    return reason;
}
