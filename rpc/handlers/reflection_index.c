#include "rpc/handlers/reflection_index.h"

#include <string.h>

bool vg_reflection_index_file(const char *name, size_t *out_file)
{
    for (size_t i = 0; i < vg_descriptor_file_count; i++) {
        if (strcmp(vg_descriptor_files[i].name, name) == 0) {
            *out_file = i;
            return true;
        }
    }
    return false;
}

static const struct vg_descriptor_symbol *find_symbol(const char *name)
{
    size_t low = 0;
    size_t high = vg_descriptor_symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct vg_descriptor_symbol *symbol = &vg_descriptor_symbols[middle];
        int order = strcmp(vg_descriptor_names + symbol->name, name);
        if (order == 0) {
            return symbol;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

bool vg_reflection_index_symbol(const char *name, size_t *out_file)
{
    const struct vg_descriptor_symbol *symbol = find_symbol(name);
    if (symbol == NULL) {
        return false;
    }
    *out_file = symbol->file;
    return true;
}

const struct vg_descriptor_extension *vg_reflection_index_extensions(
    const char *extended,
    size_t *out_count)
{
    const struct vg_descriptor_symbol *symbol = find_symbol(extended);
    if (symbol == NULL || symbol->is_message == 0) {
        return NULL;
    }
    size_t first = 0;
    while (first < vg_descriptor_extension_count &&
           strcmp(vg_descriptor_extensions[first].extended, extended) != 0) {
        first++;
    }
    size_t end = first;
    while (end < vg_descriptor_extension_count &&
           strcmp(vg_descriptor_extensions[end].extended, extended) == 0) {
        end++;
    }
    *out_count = end - first;
    return &vg_descriptor_extensions[first];
}

bool vg_reflection_index_extension(const char *extended, int32_t number, size_t *out_file)
{
    size_t count = 0;
    const struct vg_descriptor_extension *rows = vg_reflection_index_extensions(extended, &count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number) {
            *out_file = rows[i].file;
            return true;
        }
    }
    return false;
}

size_t vg_reflection_index_closure(size_t file, bool *sent, size_t *out_files)
{
    /* out_files is the queue too: a file is in it once, so it never has more than there are. */
    size_t count = 0;
    out_files[count++] = file;
    sent[file] = true;
    for (size_t i = 0; i < count; i++) {
        const struct vg_descriptor_file *each = &vg_descriptor_files[out_files[i]];
        for (size_t k = 0; k < each->import_count; k++) {
            if (!sent[each->imports[k]]) {
                sent[each->imports[k]] = true;
                out_files[count++] = each->imports[k];
            }
        }
    }
    return count;
}
