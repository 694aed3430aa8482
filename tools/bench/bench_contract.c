/*
 * What the contract costs: JSON reader and writer, wire decoder and encoder, validation; beside
 * cJSON and protobuf-c in the same run, because the machine's speed is not ours to promise. Prints
 * nanoseconds per operation (minimum and median), the ratios of minima and, where there is a
 * target, microseconds of CPU per KiB.
 *
 *   bench_contract [rounds]
 *
 * Threads: one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "core/wire/validate.h"
#include "core/wire/wire_decode.h"
#include "core/wire/wire_encode.h"
#include "gateway/json/json_read.h"
#include "gateway/json/json_write.h"
#include "proto/contract_json.h"
#include "tools/bench/contract_bodies.h"

#define ROUNDS_DEFAULT 41
#define ROUNDS_MAX     1001
#define ROUND_NS       2000000 /* a measurement repeats its operation about this long */
#define BYTES_MAX      (256u << 20)

/* Beside cJSON on the same bytes: what reading and writing may take of its time. */
#define READ_RATIO_MAX  0.5
#define WRITE_RATIO_MAX 0.7

/* One body and everything made of it. */
struct subject {
    const char *name;
    const struct vg_table *table;
    double read_target; /* microseconds per KiB; 0 = none */
    double write_target;
    double decode_target;
    struct vg_buffer json; /* as written by our writer, nulls included, is `written` */
    struct vg_buffer written;
    struct vg_buffer wire;
    struct vg_arena arena; /* of `message` */
    ProtobufCMessage *message;
    cJSON *tree;
    struct vg_arena scratch;
    struct vg_buffer out;
};

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "bench_contract: %s failed\n", what);
        exit(1);
    }
}

static void run_read(struct subject *subject)
{
    struct vg_error error;
    ProtobufCMessage *message;
    vg_arena_reset(&subject->scratch);
    vg_error_init(&error, &subject->scratch);
    must(
        vg_json_read(
            subject->table,
            vg_buffer_bytes(&subject->json),
            &vg_json_documented,
            &subject->scratch,
            &message,
            &error) == VG_OK,
        "reading");
}

static void run_cjson_parse(struct subject *subject)
{
    cJSON *tree = cJSON_ParseWithLength((const char *)subject->json.data, subject->json.size);
    must(tree != NULL, "cJSON parse");
    cJSON_Delete(tree);
}

static void run_write(struct subject *subject)
{
    vg_buffer_clear(&subject->out);
    must(
        vg_json_write(subject->table, subject->message, &vg_json_documented, &subject->out),
        "writing");
}

static void run_cjson_print(struct subject *subject)
{
    char *text = cJSON_PrintUnformatted(subject->tree);
    must(text != NULL, "cJSON print");
    free(text);
}

static void run_decode(struct subject *subject)
{
    struct vg_error error;
    ProtobufCMessage *message;
    vg_arena_reset(&subject->scratch);
    vg_error_init(&error, &subject->scratch);
    must(
        vg_wire_decode(
            subject->table,
            vg_buffer_bytes(&subject->wire),
            &vg_wire_policy_request,
            &subject->scratch,
            &message,
            &error) == VG_OK,
        "decoding");
}

static void run_unpack(struct subject *subject)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(
        subject->table->descriptor,
        NULL,
        subject->wire.size,
        subject->wire.data);
    must(message != NULL, "unpack");
    protobuf_c_message_free_unpacked(message, NULL);
}

static void run_encode(struct subject *subject)
{
    vg_buffer_clear(&subject->out);
    must(vg_wire_encode(subject->table, subject->message, &subject->out), "encoding");
}

static void run_pack(struct subject *subject)
{
    vg_buffer_clear(&subject->out);
    size_t size = protobuf_c_message_get_packed_size(subject->message);
    must(vg_buffer_reserve(&subject->out, size), "memory");
    (void)protobuf_c_message_pack(subject->message, subject->out.data);
}

/* A message is validated once in its life; again it has milliseconds instead of times, which is a
 * little less. */
static void run_validate(struct subject *subject)
{
    struct vg_error error;
    struct vg_validation validation = { .now = INT64_C(1569185283911), .arena = &subject->arena };
    vg_arena_reset(&subject->scratch);
    vg_error_init(&error, &subject->scratch);
    bool valid = vg_validate(subject->table, subject->message, &validation, &error) == VG_OK;
    must(valid, valid ? "" : error.field);
}

static const struct operation {
    const char *name;
    void (*run)(struct subject *subject);
} operations[] = {
    { "JSON read", run_read },     { "cJSON parse, delete", run_cjson_parse },
    { "JSON write", run_write },   { "cJSON print", run_cjson_print },
    { "wire decode", run_decode }, { "protobuf-c unpack, free", run_unpack },
    { "wire encode", run_encode }, { "protobuf-c pack", run_pack },
    { "validate", run_validate },
};
enum { READ, CJSON_PARSE, WRITE, CJSON_PRINT, DECODE, UNPACK, ENCODE, PACK, VALIDATE, OPERATIONS };

static uint64_t cpu_ns(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "the clock");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double measure(const struct operation *operation, struct subject *subject, unsigned times)
{
    uint64_t began = cpu_ns();
    for (unsigned i = 0; i < times; i++) {
        operation->run(subject);
    }
    return (double)(cpu_ns() - began) / times;
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a;
    double two = *(const double *)b;
    return (one > two) - (one < two);
}

static void prepare(struct subject *subject)
{
    struct vg_error error;
    vg_arena_init(&subject->arena, BYTES_MAX);
    vg_arena_init(&subject->scratch, BYTES_MAX);
    vg_buffer_init(&subject->written, BYTES_MAX);
    vg_buffer_init(&subject->wire, BYTES_MAX);
    vg_buffer_init(&subject->out, BYTES_MAX);
    vg_error_init(&error, &subject->arena);
    must(
        vg_json_read(
            subject->table,
            vg_buffer_bytes(&subject->json),
            &vg_json_documented,
            &subject->arena,
            &subject->message,
            &error) == VG_OK,
        "reading");
    must(vg_wire_encode(subject->table, subject->message, &subject->wire), "encoding");
    must(
        vg_json_write(subject->table, subject->message, &vg_json_documented, &subject->written),
        "writing");
    subject->tree =
        cJSON_ParseWithLength((const char *)subject->written.data, subject->written.size);
    must(subject->tree != NULL, "cJSON parse");
}

static void dispose(struct subject *subject)
{
    cJSON_Delete(subject->tree);
    vg_arena_dispose(&subject->arena);
    vg_arena_dispose(&subject->scratch);
    vg_buffer_dispose(&subject->json);
    vg_buffer_dispose(&subject->written);
    vg_buffer_dispose(&subject->wire);
    vg_buffer_dispose(&subject->out);
}

static void print_target(const char *what, double median_ns, size_t bytes, double target)
{
    if (target > 0) {
        double per_kib = median_ns / 1000 / ((double)bytes / 1024);
        (void)printf(
            "  %-26s %6.2f us per KiB, target %.1f%s\n",
            what,
            per_kib,
            target,
            per_kib <= target ? "" : "  MISSED");
    }
}

/* Of minima; `max` 0 = no target. */
static void print_ratio(double ratio, double max, const char *what)
{
    (void)printf("  %-26s %6.2f", what, ratio);
    if (max > 0) {
        (void)printf(" of minima, target %.1f%s", max, ratio <= max ? "" : "  MISSED");
    }
    (void)printf("\n");
}

static void bench(struct subject *subject, unsigned rounds)
{
    static double samples[OPERATIONS][ROUNDS_MAX];
    unsigned times[OPERATIONS];
    prepare(subject);
    for (size_t i = 0; i < OPERATIONS; i++) {
        double once = measure(&operations[i], subject, 3);
        times[i] = once >= ROUND_NS ? 1 : (unsigned)(ROUND_NS / (once + 1)) + 1;
    }
    /* Interleaved, so that what else the machine does falls on all of them. */
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < OPERATIONS; i++) {
            samples[i][round] = measure(&operations[i], subject, times[i]);
        }
    }
    (void)printf(
        "\n%s: JSON %zu bytes, written %zu, wire %zu, arena of the message %zu\n",
        subject->name,
        subject->json.size,
        subject->written.size,
        subject->wire.size,
        subject->arena.used);
    for (size_t i = 0; i < OPERATIONS; i++) {
        qsort(samples[i], rounds, sizeof(double), compare_doubles);
        (void)printf(
            "  %-26s %10.0f min %10.0f median ns\n",
            operations[i].name,
            samples[i][0],
            samples[i][rounds / 2]);
    }
    print_target("JSON read", samples[READ][rounds / 2], subject->json.size, subject->read_target);
    print_target(
        "JSON write",
        samples[WRITE][rounds / 2],
        subject->written.size,
        subject->write_target);
    print_target(
        "wire decode",
        samples[DECODE][rounds / 2],
        subject->wire.size,
        subject->decode_target);
    print_ratio(samples[READ][0] / samples[CJSON_PARSE][0], READ_RATIO_MAX, "read / cJSON parse");
    print_ratio(
        samples[WRITE][0] / samples[CJSON_PRINT][0],
        WRITE_RATIO_MAX,
        "write / cJSON print");
    print_ratio(samples[DECODE][0] / samples[UNPACK][0], 0, "decode / unpack");
    print_ratio(samples[ENCODE][0] / samples[PACK][0], 0, "encode / pack");
    dispose(subject);
}

int main(int argc, char **argv)
{
    unsigned rounds = ROUNDS_DEFAULT;
    if (argc > 1) {
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    }
    if (rounds == 0 || rounds > ROUNDS_MAX) {
        (void)fprintf(stderr, "usage: bench_contract [rounds, 1 to %d]\n", ROUNDS_MAX);
        return 2;
    }
    struct subject subjects[] = {
        { .name = "submission, 8 properties",
          .table = &vg_table_vigil_events_v2_submit_request,
          .read_target = 1.5,
          .write_target = 2.5,
          .decode_target = 1.5 },
        { .name = "submission, 25 properties",
          .table = &vg_table_vigil_events_v2_submit_request,
          .read_target = 2.5,
          .write_target = 2.5,
          .decode_target = 3.0 },
        { .name = "v2 event", .table = &vg_table_vigil_events_v2_event, .write_target = 2.5 },
        { .name = "bulk of 1000",
          .table = &vg_table_vigil_events_v2_bulk_submit_request,
          .read_target = 2.0,
          .write_target = 2.5,
          .decode_target = 1.5 },
    };
    for (size_t i = 0; i < VG_ARRAY_COUNT(subjects); i++) {
        vg_buffer_init(&subjects[i].json, BYTES_MAX);
    }
    vg_body_submission(&subjects[0].json, 8, 1);
    vg_body_submission(&subjects[1].json, 25, 1);
    vg_body_event(&subjects[2].json);
    vg_body_bulk(&subjects[3].json, 1000);
    for (size_t i = 0; i < VG_ARRAY_COUNT(subjects); i++) {
        bench(&subjects[i], rounds);
    }
    return 0;
}
