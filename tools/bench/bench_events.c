#include "tools/bench/bench_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/digest.h"
#include "core/base/uuid.h"

#define CUSTOMERS_MAX 1024u

/* Sums of 1/rank, so that a draw is a search for the rank where the sum passes it. */
static double signature_sums[VG_BENCH_SIGNATURES];
static double address_sums[VG_BENCH_ADDRESSES];
static double customer_sums[CUSTOMERS_MAX];

/* Values of the properties: from a few that every event has, to one for nearly each event. */
static const uint64_t property_values[VG_BENCH_PROPERTIES] = { 10,   50,   200,    1000,
                                                               5000, 5000, 100000, 1000000 };

static void prepare(double *sums, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += 1.0 / (double)(i + 1);
        sums[i] = sum;
    }
}

void vg_bench_events_prepare(void)
{
    prepare(signature_sums, VG_BENCH_SIGNATURES);
    prepare(address_sums, VG_BENCH_ADDRESSES);
    prepare(customer_sums, CUSTOMERS_MAX);
}

static uint64_t draw(const double *sums, size_t count, uint64_t even)
{
    double wanted = (double)(even >> 11) / (double)(UINT64_C(1) << 53) * sums[count - 1];
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sums[middle] > wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

uint64_t vg_bench_mix(uint64_t number, uint64_t salt)
{
    uint8_t key[16] = "vigil load test";
    uint64_t words[2] = { number, salt };
    return vg_siphash(key, vg_bytes(words, sizeof(words)));
}

uint64_t vg_bench_signature(uint64_t even)
{
    return draw(signature_sums, VG_BENCH_SIGNATURES, even);
}

uint64_t vg_bench_address(uint64_t even)
{
    return draw(address_sums, VG_BENCH_ADDRESSES, even);
}

uint64_t vg_bench_customer(const struct vg_bench_world *world, uint64_t even)
{
    VG_ASSERT(world->customer_count <= CUSTOMERS_MAX);
    return draw(customer_sums, world->customer_count, even);
}

void *vg_bench_take(struct vg_arena *arena, size_t count, size_t size)
{
    void *memory = vg_arena_calloc(arena, count, size);
    VG_ASSERT(memory != NULL);
    return memory;
}

static char *checked(char *text)
{
    VG_ASSERT(text != NULL);
    return text;
}

char *vg_bench_signature_text(uint64_t signature, struct vg_arena *arena)
{
    return checked(vg_arena_printf(arena, "BENCH-1:%" PRIu64, signature));
}

char *vg_bench_address_text(uint64_t address, struct vg_arena *arena)
{
    if (address % 20 == 0) {
        return checked(
            vg_arena_printf(arena, "2001:db8::%" PRIx64 ":%" PRIx64, address >> 8, address & 255));
    }
    return checked(vg_arena_printf(
        arena,
        "10.%" PRIu64 ".%" PRIu64 ".%" PRIu64,
        address >> 16,
        address >> 8 & 255,
        address & 255));
}

char *vg_bench_property_key(uint64_t property, struct vg_arena *arena)
{
    return checked(vg_arena_printf(arena, "bench.property.%" PRIu64, property));
}

uint64_t vg_bench_property_values(uint64_t property)
{
    return property_values[property];
}

char *vg_bench_property_value(uint64_t property, uint64_t value, struct vg_arena *arena)
{
    return checked(vg_arena_printf(
        arena,
        "value %" PRIu64 " of property %" PRIu64 ", about as long as those of real alerts",
        value,
        property));
}

char *vg_bench_event_id(const struct vg_bench_world *world, uint64_t number, struct vg_arena *arena)
{
    struct vg_uuid uuid;
    uint64_t words[2] = { vg_bench_mix(number, 1), vg_bench_mix(number, 2) };
    memcpy(uuid.bytes, words, sizeof(uuid.bytes));
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    char printed[VG_UUID_TEXT_SIZE];
    vg_uuid_print(&uuid, printed);
    int64_t customer = world->customer + (int64_t)vg_bench_customer(world, vg_bench_mix(number, 3));
    uint64_t span = 30 * (uint64_t)VG_BENCH_DAY_MS;
    int64_t timestamp =
        world->end - (int64_t)span +
        (int64_t)((double)(number % world->month) * (double)span / (double)world->month);
    return checked(
        vg_arena_printf(arena, "AGGR/%" PRId64 "/%" PRId64 "/%s", timestamp, customer, printed));
}

static Vigil__Events__V2__SubmitEndpoint *endpoint(
    uint64_t number,
    uint64_t salt,
    uint64_t port,
    struct vg_arena *arena)
{
    Vigil__Events__V2__SubmitEndpoint *point = vg_bench_take(arena, 1, sizeof(*point));
    vigil__events__v2__submit_endpoint__init(point);
    point->ip = vg_bench_address_text(vg_bench_address(vg_bench_mix(number, salt)), arena);
    point->has_port = true;
    point->port = (int32_t)port;
    return point;
}

static void add_properties(
    Vigil__Events__V2__SubmitRequest *event,
    uint64_t number,
    struct vg_arena *arena)
{
    event->n_properties = VG_BENCH_PROPERTIES;
    event->properties = vg_bench_take(arena, VG_BENCH_PROPERTIES, sizeof(*event->properties));
    for (uint64_t i = 0; i < VG_BENCH_PROPERTIES; i++) {
        Vigil__Events__V2__TextEntry *entry = vg_bench_take(arena, 1, sizeof(*entry));
        vigil__events__v2__text_entry__init(entry);
        entry->key = vg_bench_property_key(i, arena);
        entry->n_values = 1;
        entry->values = vg_bench_take(arena, 1, sizeof(*entry->values));
        entry->values[0] =
            vg_bench_property_value(i, vg_bench_mix(number, 20 + i) % property_values[i], arena);
        event->properties[i] = entry;
    }
}

/* In how many of a hundred events a flag is set. */
static const struct {
    Vigil__Events__V2__SubmitFlag flag;
    unsigned percent;
} flags[] = {
    { VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_ESTABLISHED, 50 },
    { VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_BLOCKED, 20 },
    { VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_FILTERED, 10 },
    { VIGIL__EVENTS__V2__SUBMIT_FLAG__SUBMIT_FLAG_FOLLOWUP, 3 },
};

static void add_flags(
    Vigil__Events__V2__SubmitRequest *event,
    uint64_t number,
    struct vg_arena *arena)
{
    event->flags = vg_bench_take(arena, VG_ARRAY_COUNT(flags), sizeof(*event->flags));
    for (size_t i = 0; i < VG_ARRAY_COUNT(flags); i++) {
        if (vg_bench_mix(number, 70 + i) % 100 < flags[i].percent) {
            event->flags[event->n_flags++] = flags[i].flag;
        }
    }
}

/* Low 60, medium 25, high 12, critical 3 of a hundred. */
static Vigil__Events__V2__Severity severity(uint64_t number)
{
    uint64_t percent = vg_bench_mix(number, 5) % 100;
    return (Vigil__Events__V2__Severity)(1 + (percent >= 60) + (percent >= 85) + (percent >= 97));
}

Vigil__Events__V2__SubmitRequest *vg_bench_event(
    const struct vg_bench_world *world,
    uint64_t number,
    struct vg_arena *arena)
{
    Vigil__Events__V2__SubmitRequest *event = vg_bench_take(arena, 1, sizeof(*event));
    vigil__events__v2__submit_request__init(event);
    event->id = vg_bench_take(arena, 1, sizeof(*event->id));
    vigil__events__v2__submit_id__init(event->id);
    event->id->text = vg_bench_event_id(world, number, arena);
    event->signature = vg_bench_signature_text(vg_bench_signature(vg_bench_mix(number, 4)), arena);
    event->has_severity = true;
    event->severity = severity(number);
    event->protocol = checked(vg_arena_printf(arena, "tcp"));
    uint64_t kind = vg_bench_mix(number, 9) % 10;
    uint64_t port = kind < 4 ? 443 : kind < 7 ? 80 : 1000 + vg_bench_mix(number, 10) % 1000;
    event->source = endpoint(number, 6, 1024 + vg_bench_mix(number, 7) % 60000, arena);
    event->destination = endpoint(number, 8, port, arena);
    event->uri = checked(vg_arena_printf(
        arena,
        "https://host%" PRIu64 ".example.com/path/%" PRIu64,
        number % 1000,
        number));
    event->fqdn = checked(vg_arena_printf(arena, "host%" PRIu64 ".example.com", number % 1000));
    add_flags(event, number, arena);
    add_properties(event, number, arena);
    return event;
}
