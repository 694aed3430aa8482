#include "core/node/node_metrics.h"

#include <inttypes.h>
#include <stddef.h>

#include "core/base/compiler.h"
#include "core/base/metrics_text.h"
#include "core/node/node.h"
#include "core/store/store.h"

static const struct level_metric {
    const char *name;
    const char *text;
    const char *type;
    size_t offset; /* of the figure in struct vg_store_level */
} level_metrics[] = {
    { "vigil_store_level_files",
      "Files of a level of LevelDB",
      "gauge",
      offsetof(struct vg_store_level, files) },
    { "vigil_store_level_bytes",
      "Size of a level of LevelDB, in whole MiB",
      "gauge",
      offsetof(struct vg_store_level, bytes) },
    { "vigil_store_compaction_seconds_total",
      "Time LevelDB spent to write a level",
      "counter",
      offsetof(struct vg_store_level, compaction_s) },
    { "vigil_store_compaction_read_bytes_total",
      "What LevelDB read to write a level",
      "counter",
      offsetof(struct vg_store_level, read_bytes) },
    { "vigil_store_compaction_written_bytes_total",
      "What LevelDB wrote to a level",
      "counter",
      offsetof(struct vg_store_level, written_bytes) },
};

static uint64_t figure(const struct vg_store_level *level, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)level + offset);
}

void vg_node_metrics_write(const struct vg_node *node, struct vg_buffer *out)
{
    struct vg_store_usage usage;
    if (!vg_store_usage(node->store, &usage)) {
        return;
    }
    vg_metrics_text_number(
        out,
        "vigil_store_memory_bytes",
        "Memory of LevelDB's cache and write buffers",
        "gauge",
        (double)usage.memory_bytes);
    for (size_t i = 0; i < VG_ARRAY_COUNT(level_metrics); i++) {
        const struct level_metric *metric = &level_metrics[i];
        vg_metrics_text_head(out, metric->name, metric->text, metric->type);
        for (unsigned level = 0; level < VG_STORE_LEVELS; level++) {
            vg_buffer_printf(
                out,
                "%s{level=\"%u\"} %" PRIu64 "\n",
                metric->name,
                level,
                figure(&usage.levels[level], metric->offset));
        }
    }
    vg_metrics_text_number(
        out,
        "vigil_store_views",
        "Views of the store that answers hold now",
        "gauge",
        (double)vg_store_views(node->store));
}
