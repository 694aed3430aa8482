/*
 * LevelDB alone, as the floor under streams of events: records of 1 KiB and a small key, each read
 * for before it is written, in batches that are synced; the settings are those of the server. One
 * thread, nothing else.
 *
 *   bench_store DIRECTORY [SECONDS [BATCH]]
 *
 * Prints {"records", "rate"}.
 *
 * Threads: one, and LevelDB's own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/text_number.h"
#include "core/store/store.h"
#include "core/store/store_leveldb.h"
#include "tools/bench/bench_events.h"

#define RECORD_BYTES 1024u
#define KEY_SIZE     64u
#define BATCH_MAX    10000
#define NS_PER_S     UINT64_C(1000000000)

static void must(enum vg_reason reason, const struct vg_error *error)
{
    if (reason != VG_OK) {
        (void)fprintf(stderr, "bench_store: %s %s\n", error->message, error->detail);
        exit(1);
    }
}

/* Times in turn within a month, the rest of the key at random, as events have it. */
static size_t make_key(uint64_t number, char out_key[KEY_SIZE])
{
    uint64_t second = number % (30u * 86400u);
    int size = snprintf(
        out_key,
        KEY_SIZE,
        "e%08" PRIx64 "%016" PRIx64 "%016" PRIx64,
        second,
        vg_bench_mix(number, 1),
        vg_bench_mix(number, 2));
    VG_ASSERT(size > 0 && (size_t)size < KEY_SIZE);
    return (size_t)size;
}

static void write_batch(
    struct vg_store *store,
    struct vg_batch *batch,
    uint8_t *record,
    uint64_t first,
    uint64_t count)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    vg_batch_clear(batch);
    for (uint64_t i = 0; i < count; i++) {
        char text[KEY_SIZE];
        struct vg_bytes key = vg_bytes(text, make_key(first + i, text));
        struct vg_store_value value;
        must(vg_store_get_one(store, NULL, 0, key, &value, &error), &error);
        vg_store_value_release(&value);
        memcpy(record, &i, sizeof(i));
        vg_batch_set(batch, key, vg_bytes(record, RECORD_BYTES));
    }
    must(vg_store_apply(store, 0, batch, &error), &error);
}

static int64_t number_of(const char *text, int64_t most)
{
    int64_t number = 0;
    if (!vg_text_number_parse_int64(vg_bytes_text(text), &number) || number < 1 || number > most) {
        (void)fprintf(stderr, "bench_store: bad number %s\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_store DIRECTORY [SECONDS [BATCH]]\n");
        return 2;
    }
    uint64_t length_ns = (uint64_t)(argc > 2 ? number_of(argv[2], 3600) : 10) * NS_PER_S;
    uint64_t size = (uint64_t)(argc > 3 ? number_of(argv[3], BATCH_MAX) : 1000);
    struct vg_store_leveldb_options options = vg_store_leveldb_options_default();
    options.directory = argv[1];
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_store *store = NULL;
    must(vg_store_leveldb_open(&options, &store, &error), &error);
    struct vg_batch batch;
    vg_batch_init(&batch, VG_STORE_BATCH_BYTES_MAX);
    uint8_t record[RECORD_BYTES];
    for (unsigned i = 0; i < RECORD_BYTES; i++) {
        record[i] = (uint8_t)vg_bench_mix(i, 3);
    }
    uint64_t begun = vg_clock_monotonic_ns(&vg_clock_real);
    uint64_t count = 0;
    uint64_t taken = 0;
    while ((taken = vg_clock_monotonic_ns(&vg_clock_real) - begun) < length_ns) {
        write_batch(store, &batch, record, count, size);
        count += size;
    }
    (void)printf(
        "{\"records\": %" PRIu64 ", \"rate\": %.0f}\n",
        count,
        (double)count * 1e9 / (double)taken);
    vg_batch_dispose(&batch);
    vg_store_close(store);
    return 0;
}
