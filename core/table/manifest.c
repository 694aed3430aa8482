#include "core/table/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/digest.h"
#include "core/table/checksum.h"

#define MANIFEST_MAGIC   UINT64_C(0x3130666E614D4756)
#define MANIFEST_VERSION 2u

struct vg_manifest_file {
    uint64_t magic;
    uint32_t version;
    uint32_t kind_count;
    uint64_t generation;
    uint64_t sequence;
    uint8_t store_id[16];
    uint64_t secret; /* a hash with it, not the secret */
    uint64_t fingerprint;
    struct vg_file_mark deaths;
    struct vg_file_mark dictionaries;
};

struct vg_manifest_file_kind {
    uint64_t schema;
    uint64_t chunk_count;
};

void vg_manifest_deaths_name(char out_name[VG_DISK_NAME_SIZE], uint64_t generation)
{
    (void)snprintf(out_name, VG_DISK_NAME_SIZE, "deaths-%08" PRIx64, generation);
}

void vg_manifest_dictionaries_name(char out_name[VG_DISK_NAME_SIZE], uint64_t generation)
{
    (void)snprintf(out_name, VG_DISK_NAME_SIZE, "dictionaries-%08" PRIx64, generation);
}

static uint64_t secret_mark(const struct vg_table_config *config)
{
    return vg_siphash(config->secret, vg_bytes_text("vigil table manifest"));
}

void vg_manifest_encode(
    const struct vg_manifest *manifest,
    const struct vg_table_config *config,
    struct vg_buffer *out_content)
{
    struct vg_manifest_file header = {
        .magic = MANIFEST_MAGIC,
        .version = MANIFEST_VERSION,
        .kind_count = manifest->kind_count,
        .generation = manifest->generation,
        .sequence = manifest->sequence,
        .secret = secret_mark(config),
        .fingerprint = config->fingerprint,
        .deaths = manifest->deaths,
        .dictionaries = manifest->dictionaries,
    };
    memcpy(header.store_id, config->store_id, sizeof(header.store_id));
    vg_buffer_append(out_content, &header, sizeof(header));
    for (uint32_t i = 0; i < manifest->kind_count; i++) {
        const struct vg_manifest_kind *kind = &manifest->kinds[i];
        const struct vg_manifest_file_kind row = {
            .schema = vg_table_schema_fingerprint(config->schemas[i]),
            .chunk_count = kind->chunk_count,
        };
        vg_buffer_append(out_content, &row, sizeof(row));
        vg_buffer_append(out_content, kind->chunks, kind->chunk_count * sizeof(kind->chunks[0]));
    }
    uint64_t checksum = vg_checksum_add(0, vg_buffer_bytes(out_content));
    vg_buffer_append(out_content, &checksum, sizeof(checksum));
}

static bool read_part(struct vg_bytes *rest, void *out_part, size_t size)
{
    if (rest->size < size) {
        return false;
    }
    memcpy(out_part, rest->data, size);
    *rest = vg_bytes(rest->data + size, rest->size - size);
    return true;
}

static const char *check_header(
    const struct vg_manifest_file *header,
    const struct vg_table_config *config)
{
    if (header->version > MANIFEST_VERSION) {
        return "the checkpoint was written by a newer program";
    }
    if (header->version != MANIFEST_VERSION) {
        return "the checkpoint has an old format";
    }
    if (memcmp(header->store_id, config->store_id, sizeof(header->store_id)) != 0) {
        return "the checkpoint belongs to another store";
    }
    if (header->secret != secret_mark(config) || header->fingerprint != config->fingerprint ||
        header->kind_count != config->kind_count) {
        return "the checkpoint was made with other rules";
    }
    return NULL;
}

static const char *read_kind(
    struct vg_bytes *rest,
    const struct vg_table_schema *schema,
    struct vg_arena *arena,
    struct vg_manifest_kind *out_kind)
{
    struct vg_manifest_file_kind row;
    if (!read_part(rest, &row, sizeof(row))) {
        return "the manifest is cut short";
    }
    if (row.schema != vg_table_schema_fingerprint(schema)) {
        return "the checkpoint has other columns";
    }
    if (row.chunk_count > rest->size / sizeof(struct vg_manifest_chunk)) {
        return "the manifest is cut short";
    }
    out_kind->chunk_count = (uint32_t)row.chunk_count;
    out_kind->chunks = vg_arena_calloc(arena, row.chunk_count, sizeof(out_kind->chunks[0]));
    if (out_kind->chunks == NULL) {
        return "there is no memory for the manifest";
    }
    if (!read_part(rest, out_kind->chunks, row.chunk_count * sizeof(out_kind->chunks[0]))) {
        return "the manifest is cut short";
    }
    return NULL;
}

const char *vg_manifest_decode(
    struct vg_bytes content,
    const struct vg_table_config *config,
    struct vg_arena *arena,
    struct vg_manifest *out_manifest)
{
    struct vg_manifest_file header;
    uint64_t checksum;
    memset(out_manifest, 0, sizeof(*out_manifest));
    if (content.size < sizeof(header) + sizeof(checksum)) {
        return "the manifest is cut short";
    }
    struct vg_bytes rest = vg_bytes(content.data, content.size - sizeof(checksum));
    memcpy(&checksum, rest.data + rest.size, sizeof(checksum));
    if (checksum != vg_checksum_add(0, rest)) {
        return "the manifest is damaged";
    }
    (void)read_part(&rest, &header, sizeof(header));
    if (header.magic != MANIFEST_MAGIC) {
        return "the manifest is not one, or of another kind of machine";
    }
    out_manifest->generation = header.generation;
    const char *trouble = check_header(&header, config);
    out_manifest->sequence = header.sequence;
    out_manifest->kind_count = header.kind_count;
    out_manifest->deaths = header.deaths;
    out_manifest->dictionaries = header.dictionaries;
    for (uint32_t i = 0; trouble == NULL && i < header.kind_count; i++) {
        trouble = read_kind(&rest, config->schemas[i], arena, &out_manifest->kinds[i]);
    }
    return trouble;
}

/* Names of a manifest's files, sorted. */
struct vg_name_set {
    char (*names)[VG_DISK_NAME_SIZE];
    size_t count;
    bool keeps_chunks;
};

static int compare_names(const void *left, const void *right)
{
    return strncmp(left, right, VG_DISK_NAME_SIZE);
}

static bool is_named(void *owner, const char *name)
{
    const struct vg_name_set *set = owner;
    if (set->keeps_chunks && vg_chunk_file_is_name(name)) {
        return true;
    }
    return set->count > 0 && strlen(name) < VG_DISK_NAME_SIZE &&
           bsearch(name, set->names, set->count, sizeof(set->names[0]), compare_names) != NULL;
}

static bool fill_names(
    struct vg_name_set *set,
    const struct vg_manifest *manifest,
    const struct vg_table_config *config)
{
    size_t count = 3;
    for (uint32_t i = 0; i < manifest->kind_count; i++) {
        count += manifest->kinds[i].chunk_count;
    }
    set->names = calloc(count, sizeof(set->names[0]));
    if (set->names == NULL) {
        return false;
    }
    (void)snprintf(set->names[set->count++], VG_DISK_NAME_SIZE, VG_MANIFEST_NAME);
    vg_manifest_deaths_name(set->names[set->count++], manifest->generation);
    vg_manifest_dictionaries_name(set->names[set->count++], manifest->generation);
    for (uint32_t i = 0; i < manifest->kind_count; i++) {
        for (uint32_t c = 0; c < manifest->kinds[i].chunk_count; c++) {
            const struct vg_manifest_chunk *chunk = &manifest->kinds[i].chunks[c];
            vg_chunk_file_name(
                set->names[set->count++],
                config->schemas[i],
                chunk->number,
                chunk->generation);
        }
    }
    qsort(set->names, set->count, sizeof(set->names[0]), compare_names);
    return true;
}

bool vg_manifest_sweep(
    struct vg_disk *disk,
    const struct vg_manifest *manifest,
    bool chunks_too,
    const struct vg_table_config *config)
{
    struct vg_name_set set = { .keeps_chunks = !chunks_too };
    if (manifest != NULL && !fill_names(&set, manifest, config)) {
        return false;
    }
    enum vg_reason reason = vg_disk_sweep(disk, is_named, &set, NULL);
    free(set.names);
    return reason == VG_OK;
}
