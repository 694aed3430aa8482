/*
 * Pairs of challenge and submission over gRPC, as a caller makes them who holds the file: ask for a
 * challenge, hash the part of the file, add the submission with the token. So many pairs are under
 * way at a time; each has its own token and is durable when it is answered.
 *
 *   bench_pairs --port P --key K [--pairs N] [--first I] [--flight F]
 *               [--samples S] [--bytes B] [--upload 1] [--customer ID --customers N]
 *
 * --upload 1 sends the samples and ends; the server must have them before pairs are asked for.
 * Hashing the part is the caller's own work and takes about as long as on the server, with which it
 * shares the machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/digest.h"
#include "core/base/hex.h"
#include "core/base/text_number.h"
#include "rpc/grpc/grpc_client.h"
#include "tools/bench/bench_events.h"
#include "tools/bench/bench_submission.h"

#include "vigil/sampledb/v2/sample.pb-c.h"

#define PATH_UPLOAD    "/vigil.sampledb.v2.SampleService/UploadSample"
#define PATH_CHALLENGE "/vigil.sampledb.v2.SubmissionService/GetChallenge"
#define PATH_ADD       "/vigil.sampledb.v2.SubmissionService/AddSubmission"

#define DIGEST_TEXT_SIZE (2 * VG_SHA256_SIZE + 1)

struct sample {
    uint8_t *bytes;
    char sha256[DIGEST_TEXT_SIZE];
    struct vg_bytes asked; /* the packed request for a challenge */
};

struct load {
    uint16_t port;
    const char *key;
    uint64_t pairs;
    uint64_t first;
    uint64_t flight;
    uint64_t sample_count;
    uint64_t sample_bytes;
    uint64_t upload;
    int64_t customer;
    uint64_t customer_count;
    struct sample *samples;
};

/* One of those under way. */
struct slot {
    struct vg_grpc_client_call call;
    const struct load *load;
    struct vg_arena arena; /* of the request */
    uint64_t number;
    uint64_t begun_ns; /* the pair, and the second call of it */
    uint64_t adding_ns;
    bool adds;
    bool sent; /* upload: the only message */
};

/* How long each part of each pair took. */
struct times {
    uint64_t *pair;
    uint64_t *challenge;
    uint64_t *adding;
    uint64_t count;
    uint64_t refused;
};

static void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench_pairs: %s: %s\n", what, why);
    exit(1);
}

static struct vg_bytes pack(const ProtobufCMessage *message, struct vg_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vg_bench_take(arena, size + 1, 1);
    return vg_bytes(bytes, protobuf_c_message_pack(message, bytes));
}

static void make_samples(struct load *load, struct vg_arena *arena)
{
    load->samples = vg_bench_take(arena, load->sample_count, sizeof(*load->samples));
    for (uint64_t i = 0; i < load->sample_count; i++) {
        struct sample *sample = &load->samples[i];
        uint8_t digest[VG_SHA256_SIZE];
        sample->bytes = malloc(load->sample_bytes);
        VG_ASSERT(sample->bytes != NULL);
        vg_bench_sample_fill(i, sample->bytes, load->sample_bytes);
        vg_digest_sha256(vg_bytes(sample->bytes, load->sample_bytes), digest);
        vg_hex_encode(vg_bytes(digest, sizeof(digest)), sample->sha256);
        Vigil__Sampledb__V2__GetChallengeRequest request =
            VIGIL__SAMPLEDB__V2__GET_CHALLENGE_REQUEST__INIT;
        request.sha256 = sample->sha256;
        sample->asked = pack(&request.base, arena);
    }
}

static struct sample *sample_of(const struct slot *slot)
{
    uint64_t number = slot->load->upload != 0 ? slot->number : vg_bench_mix(slot->number, 220);
    return &slot->load->samples[number % slot->load->sample_count];
}

/* -------------------------------------------------------------------------------------- uploads */

static enum vg_grpc_client_next next_message(
    struct vg_grpc_client_call *call,
    struct vg_bytes *out_message)
{
    struct slot *slot = VG_CONTAINER_OF(call, struct slot, call);
    if (slot->sent) {
        return VG_GRPC_CLIENT_NEXT_END;
    }
    slot->sent = true;
    Vigil__Sampledb__V2__UploadSampleRequest part =
        VIGIL__SAMPLEDB__V2__UPLOAD_SAMPLE_REQUEST__INIT;
    part.has_data = true;
    part.data.data = sample_of(slot)->bytes;
    part.data.len = slot->load->sample_bytes;
    *out_message = pack(&part.base, &slot->arena);
    return VG_GRPC_CLIENT_NEXT_MESSAGE;
}

static void start_upload(struct vg_grpc_client *client, struct slot *slot, uint64_t number)
{
    slot->number = number;
    slot->sent = false;
    vg_arena_reset(&slot->arena);
    slot->call = (struct vg_grpc_client_call){ .path = PATH_UPLOAD, .next_message = next_message };
    vg_grpc_client_start(client, &slot->call);
}

static void upload_all(
    const struct load *load,
    struct vg_grpc_client *client,
    struct slot *slots,
    struct times *times)
{
    uint64_t next = 0;
    for (uint64_t i = 0; i < load->flight && next < load->sample_count; i++) {
        start_upload(client, &slots[i], next++);
    }
    struct vg_grpc_client_call *call;
    while ((call = vg_grpc_client_wait_any(client)) != NULL) {
        struct slot *slot = VG_CONTAINER_OF(call, struct slot, call);
        if (call->code != VG_GRPC_OK) {
            fail("upload", call->message);
        }
        times->count++;
        vg_grpc_client_call_dispose(call);
        if (next < load->sample_count) {
            start_upload(client, slot, next++);
        }
    }
}

/* ---------------------------------------------------------------------------------------- pairs */

static void start_pair(struct vg_grpc_client *client, struct slot *slot, uint64_t number)
{
    slot->number = number;
    slot->adds = false;
    slot->begun_ns = vg_clock_monotonic_ns(&vg_clock_real);
    slot->call = (struct vg_grpc_client_call){ .path = PATH_CHALLENGE,
                                               .kept_request = sample_of(slot)->asked };
    vg_grpc_client_start(client, &slot->call);
}

/* Answer the challenge that has come. */
static void start_adding(struct vg_grpc_client *client, struct slot *slot)
{
    struct sample *sample = sample_of(slot);
    Vigil__Sampledb__V2__Challenge *challenge = vigil__sampledb__v2__challenge__unpack(
        NULL,
        slot->call.answer.size,
        slot->call.answer.data);
    if (challenge == NULL || challenge->length < 1 || challenge->offset < 0 ||
        (uint64_t)challenge->offset + (uint64_t)challenge->length > slot->load->sample_bytes) {
        fail("challenge", "it cannot be answered");
        return;
    }
    uint8_t digest[VG_SHA256_SIZE];
    char proof[DIGEST_TEXT_SIZE];
    vg_digest_sha256(
        vg_bytes(sample->bytes + challenge->offset, (size_t)challenge->length),
        digest);
    vg_hex_encode(vg_bytes(digest, sizeof(digest)), proof);
    Vigil__Sampledb__V2__ChallengeTokenRequest token =
        VIGIL__SAMPLEDB__V2__CHALLENGE_TOKEN_REQUEST__INIT;
    token.id = challenge->id;
    token.sha256 = proof;
    vg_arena_reset(&slot->arena);
    int64_t customer = slot->load->customer +
                       (int64_t)(vg_bench_mix(slot->number, 221) % slot->load->customer_count);
    struct vg_bytes request = pack(
        &vg_bench_submission_request(slot->number, customer, sample->sha256, &token, &slot->arena)
             ->base,
        &slot->arena);
    vigil__sampledb__v2__challenge__free_unpacked(challenge, NULL);
    vg_grpc_client_call_dispose(&slot->call);
    slot->adds = true;
    slot->adding_ns = vg_clock_monotonic_ns(&vg_clock_real);
    slot->call = (struct vg_grpc_client_call){ .path = PATH_ADD, .kept_request = request };
    vg_grpc_client_start(client, &slot->call);
}

static void note_pair(const struct slot *slot, struct times *times)
{
    uint64_t now_ns = vg_clock_monotonic_ns(&vg_clock_real);
    times->pair[times->count] = now_ns - slot->begun_ns;
    times->challenge[times->count] = slot->adding_ns - slot->begun_ns;
    times->adding[times->count] = now_ns - slot->adding_ns;
    times->count++;
}

static void run_pairs(
    const struct load *load,
    struct vg_grpc_client *client,
    struct slot *slots,
    struct times *times)
{
    uint64_t next = 0;
    for (uint64_t i = 0; i < load->flight && next < load->pairs; i++) {
        start_pair(client, &slots[i], load->first + next++);
    }
    struct vg_grpc_client_call *call;
    while ((call = vg_grpc_client_wait_any(client)) != NULL) {
        struct slot *slot = VG_CONTAINER_OF(call, struct slot, call);
        if (call->code == VG_GRPC_UNAVAILABLE) { /* overloaded for a moment: the pair again */
            times->refused++;
            vg_grpc_client_call_dispose(call);
            start_pair(client, slot, slot->number);
        } else if (call->code != VG_GRPC_OK) {
            fail(slot->adds ? "add" : "challenge", call->message);
        } else if (!slot->adds) {
            start_adding(client, slot);
        } else {
            note_pair(slot, times);
            vg_grpc_client_call_dispose(call);
            if (next < load->pairs) {
                start_pair(client, slot, load->first + next++);
            }
        }
    }
}

/* --------------------------------------------------------------------------------------- report */

static int compare_ns(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void print_times(const char *name, uint64_t *took, uint64_t count)
{
    qsort(took, count, sizeof(*took), compare_ns);
    (void)printf(
        ", \"%s_p50_ms\": %.2f, \"%s_p99_ms\": %.2f",
        name,
        (double)took[count / 2] / 1e6,
        name,
        (double)took[count * 99 / 100] / 1e6);
}

static void report(struct times *times, double seconds, bool uploads)
{
    (void)printf(
        "{\"count\": %" PRIu64 ", \"seconds\": %.3f, \"rate\": %.0f, \"refused\": %" PRIu64,
        times->count,
        seconds,
        (double)times->count / seconds,
        times->refused);
    if (!uploads) {
        print_times("pair", times->pair, times->count);
        print_times("challenge", times->challenge, times->count);
        print_times("add", times->adding, times->count);
    }
    (void)printf("}\n");
}

static bool read_option(struct load *load, const char *name, const char *value)
{
    int64_t number = 0;
    if (strcmp(name, "--key") == 0) {
        load->key = value;
        return true;
    }
    if (!vg_text_number_parse_int64(vg_bytes_text(value), &number) || number < 0) {
        return false;
    }
    const struct {
        const char *name;
        void *member;
        size_t size;
    } options[] = {
        { "--port", &load->port, sizeof(load->port) },
        { "--pairs", &load->pairs, sizeof(load->pairs) },
        { "--first", &load->first, sizeof(load->first) },
        { "--flight", &load->flight, sizeof(load->flight) },
        { "--samples", &load->sample_count, sizeof(load->sample_count) },
        { "--bytes", &load->sample_bytes, sizeof(load->sample_bytes) },
        { "--upload", &load->upload, sizeof(load->upload) },
        { "--customer", &load->customer, sizeof(load->customer) },
        { "--customers", &load->customer_count, sizeof(load->customer_count) },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(options); i++) {
        if (strcmp(options[i].name, name) == 0) {
            /* Little endian, like every machine Debian has packages for here. */
            memcpy(options[i].member, &number, options[i].size);
            return true;
        }
    }
    return false;
}

static void run(const struct load *load, struct vg_arena *arena)
{
    char address[32];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)load->port);
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_grpc_client *client = NULL;
    if (vg_grpc_client_open(address, load->key, &client, &error) != VG_OK) {
        fail(address, error.message);
    }
    struct slot *slots = vg_bench_take(arena, load->flight, sizeof(*slots));
    for (uint64_t i = 0; i < load->flight; i++) {
        slots[i].load = load;
        vg_arena_init(&slots[i].arena, load->sample_bytes + 65536u);
    }
    struct times times = {
        .pair = calloc(load->pairs + 1, sizeof(uint64_t)),
        .challenge = calloc(load->pairs + 1, sizeof(uint64_t)),
        .adding = calloc(load->pairs + 1, sizeof(uint64_t)),
    };
    VG_ASSERT(times.pair != NULL && times.challenge != NULL && times.adding != NULL);
    uint64_t before = vg_clock_monotonic_ns(&vg_clock_real);
    (load->upload != 0 ? upload_all : run_pairs)(load, client, slots, &times);
    report(
        &times,
        (double)(vg_clock_monotonic_ns(&vg_clock_real) - before) / 1e9,
        load->upload != 0);
    for (uint64_t i = 0; i < load->flight; i++) {
        vg_arena_dispose(&slots[i].arena);
    }
    free(times.pair);
    free(times.challenge);
    free(times.adding);
    vg_grpc_client_close(client);
}

int main(int argc, char **argv)
{
    struct load load = { .pairs = 100000,
                         .flight = 64,
                         .sample_count = 2000,
                         .sample_bytes = 32768,
                         .customer = 1001,
                         .customer_count = 50 };
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!read_option(&load, argv[i], argv[i + 1])) {
            (void)fprintf(stderr, "bench_pairs: bad option %s\n", argv[i]);
            return 2;
        }
    }
    VG_ASSERT(argc % 2 == 1 && load.key != NULL && load.sample_count > 0);
    struct vg_arena arena;
    vg_arena_init(&arena, 256u << 20);
    make_samples(&load, &arena);
    run(&load, &arena);
    for (uint64_t i = 0; i < load.sample_count; i++) {
        free(load.samples[i].bytes);
    }
    vg_arena_dispose(&arena);
    return 0;
}
