#include "core/table/death_log.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/table/table_breaks.h"

#define LOG_FIRST 8u

struct vg_deaths *vg_deaths_create(
    uint32_t rows,
    struct vg_epoch *epoch,
    struct vg_retired_list *retired)
{
    struct vg_deaths *deaths = calloc(1, sizeof(*deaths));
    if (deaths != NULL) {
        atomic_init(&deaths->pair, NULL);
        deaths->rows = rows;
        deaths->refs = 1;
        deaths->epoch = epoch;
        deaths->retired = retired;
    }
    return deaths;
}

struct vg_deaths *vg_deaths_ref(struct vg_deaths *deaths)
{
    deaths->refs++;
    return deaths;
}

static void free_pair(struct vg_death_pair *pair)
{
    if (pair != NULL) {
        free(pair->settled);
        free(pair);
    }
}

static void destroy_pair(struct vg_retired *retired)
{
    free_pair(VG_CONTAINER_OF(retired, struct vg_death_pair, retired));
}

void vg_deaths_unref(struct vg_deaths *deaths)
{
    if (deaths != NULL && --deaths->refs == 0) {
        free_pair(atomic_load(&deaths->pair));
        free(deaths);
    }
}

/* A pair with a copy of the bitmap of `old`, and a log without entries. */
static struct vg_death_pair *make_pair(
    const struct vg_deaths *deaths,
    const struct vg_death_pair *old,
    uint32_t capacity)
{
    struct vg_death_pair *pair = calloc(1, sizeof(*pair) + capacity * sizeof(pair->log[0]));
    if (pair == NULL) {
        return NULL;
    }
    pair->log_capacity = capacity;
    atomic_init(&pair->log_count, 0);
    if (old != NULL && old->settled != NULL) {
        pair->settled = calloc(vg_deaths_words(deaths), sizeof(uint64_t));
        if (pair->settled == NULL) {
            free(pair);
            return NULL;
        }
        memcpy(pair->settled, old->settled, vg_deaths_words(deaths) * sizeof(uint64_t));
        pair->settled_count = old->settled_count;
    }
    return pair;
}

static uint32_t log_count(const struct vg_death_pair *pair)
{
    return pair == NULL ? 0 : atomic_load_explicit(&pair->log_count, memory_order_acquire);
}

static void append(struct vg_death_pair *pair, struct vg_death death)
{
    uint32_t count = log_count(pair);
    VG_ASSERT(count < pair->log_capacity);
    pair->log[count] = death;
    atomic_store_explicit(&pair->log_count, count + 1, memory_order_release);
}

static void replace(struct vg_deaths *deaths, struct vg_death_pair *old, struct vg_death_pair *pair)
{
    atomic_store(&deaths->pair, pair);
    if (old != NULL) {
        vg_retired_add(deaths->retired, deaths->epoch, &old->retired, destroy_pair);
    }
}

bool vg_deaths_reserve(struct vg_deaths *deaths)
{
    struct vg_death_pair *old = atomic_load(&deaths->pair);
    uint32_t count = log_count(old);
    uint32_t wanted = count + deaths->reserved + 1;
    if (old == NULL || wanted > old->log_capacity) {
        uint32_t capacity = wanted < LOG_FIRST ? LOG_FIRST : wanted * 2;
        struct vg_death_pair *pair = make_pair(deaths, old, capacity);
        if (pair == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            append(pair, old->log[i]);
        }
        replace(deaths, old, pair);
    }
    deaths->reserved++;
    return true;
}

void vg_deaths_forget(struct vg_deaths *deaths)
{
    deaths->reserved = 0;
}

void vg_deaths_add(struct vg_deaths *deaths, uint32_t position, uint64_t sequence)
{
    VG_ASSERT(position < deaths->rows);
    append(
        atomic_load(&deaths->pair),
        (struct vg_death){ .sequence = sequence, .position = position });
}

uint32_t vg_deaths_settle(struct vg_deaths *deaths, uint64_t sequence)
{
    struct vg_death_pair *old = atomic_load(&deaths->pair);
    uint32_t count = log_count(old);
    uint32_t ripe = 0;
    for (uint32_t i = 0; i < count; i++) {
        ripe += old->log[i].sequence <= sequence;
    }
    if (ripe == 0) {
        return 0;
    }
    struct vg_death_pair *pair = make_pair(deaths, old, count - ripe + LOG_FIRST);
    if (pair != NULL && pair->settled == NULL) {
        pair->settled = calloc(vg_deaths_words(deaths), sizeof(uint64_t));
    }
    if (pair == NULL || pair->settled == NULL) {
        free_pair(pair);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct vg_death *death = &old->log[i];
        if (death->sequence > sequence) {
            append(pair, *death);
        } else {
            pair->settled[death->position / 64] |= UINT64_C(1) << death->position % 64;
            pair->settled_count++;
        }
    }
    if (VG_BROKEN(SETTLE_IN_TWO_STEPS)) {
        atomic_store(&old->log_count, 0);
    }
    VG_REACHED(SETTLE_BETWEEN);
    replace(deaths, old, pair);
    return ripe;
}

bool vg_deaths_load(struct vg_deaths *deaths, const uint64_t *words)
{
    VG_ASSERT(atomic_load(&deaths->pair) == NULL);
    struct vg_death_pair *pair = make_pair(deaths, NULL, LOG_FIRST);
    if (pair == NULL) {
        return false;
    }
    pair->settled = calloc(vg_deaths_words(deaths), sizeof(uint64_t));
    if (pair->settled == NULL) {
        free_pair(pair);
        return false;
    }
    for (uint32_t i = 0; i < vg_deaths_words(deaths); i++) {
        pair->settled[i] = words[i];
        pair->settled_count += (uint32_t)__builtin_popcountll(words[i]);
    }
    atomic_store(&deaths->pair, pair);
    return true;
}

bool vg_deaths_mark(const struct vg_deaths *deaths, uint64_t sequence, uint64_t *words)
{
    const struct vg_death_pair *pair = atomic_load(&deaths->pair);
    uint32_t count = log_count(pair);
    if (pair == NULL || (pair->settled == NULL && count == 0)) {
        return false;
    }
    if (pair->settled != NULL) {
        memcpy(words, pair->settled, vg_deaths_words(deaths) * sizeof(uint64_t));
    } else {
        memset(words, 0, vg_deaths_words(deaths) * sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct vg_death *death = &pair->log[i];
        if (death->sequence <= sequence) {
            words[death->position / 64] |= UINT64_C(1) << death->position % 64;
        }
    }
    return true;
}

void vg_deaths_walk(
    const struct vg_deaths *deaths,
    const uint64_t *known,
    void (*visit)(void *owner, uint32_t position, uint64_t sequence),
    void *owner)
{
    const struct vg_death_pair *pair = atomic_load(&deaths->pair);
    if (pair == NULL) {
        return;
    }
    for (uint32_t word = 0; pair->settled != NULL && word < vg_deaths_words(deaths); word++) {
        uint64_t rest = pair->settled[word] & ~(known == NULL ? 0 : known[word]);
        for (; rest != 0; rest &= rest - 1) {
            visit(owner, word * 64 + (uint32_t)__builtin_ctzll(rest), 0);
        }
    }
    for (uint32_t i = 0; i < log_count(pair); i++) {
        uint32_t position = pair->log[i].position;
        if (known == NULL || (known[position / 64] >> position % 64 & 1) == 0) {
            visit(owner, position, pair->log[i].sequence);
        }
    }
}

uint32_t vg_deaths_settled(const struct vg_deaths *deaths)
{
    const struct vg_death_pair *pair = atomic_load(&deaths->pair);
    return pair == NULL ? 0 : pair->settled_count;
}

uint32_t vg_deaths_logged(const struct vg_deaths *deaths)
{
    return log_count(atomic_load(&deaths->pair));
}

uint32_t vg_deaths_total(const struct vg_deaths *deaths)
{
    const struct vg_death_pair *pair = atomic_load(&deaths->pair);
    return pair == NULL ? 0 : pair->settled_count + log_count(pair);
}
