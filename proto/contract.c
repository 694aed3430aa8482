/* Look-ups in the tables of the contract: names, words. See contract.h. */
#include "proto/contract.h"

#include <string.h>

uint8_t vg_contract_find_name(
    const struct vg_table *table,
    const char *text,
    size_t size,
    unsigned kinds)
{
    uint32_t slot = vg_contract_hash(table->seed, text, size) >> (32 - table->slot_bits);
    if (table->slots[slot] == 0) {
        return VG_ROW_NONE;
    }
    const struct vg_name *name = &table->names[table->slots[slot] - 1];
    if (name->size != size || (name->flags & kinds) == 0 || memcmp(name->text, text, size) != 0) {
        return VG_ROW_NONE;
    }
    return name->row;
}

int32_t vg_contract_find_word(const struct vg_words *words, const char *text, size_t size)
{
    uint32_t slot = vg_contract_hash(words->seed, text, size) >> (32 - words->slot_bits);
    if (words->slots[slot] == 0) {
        return 0;
    }
    const struct vg_word *word = &words->words[words->slots[slot] - 1];
    return word->size == size && memcmp(word->text, text, size) == 0 ? word->number : 0;
}

const struct vg_word *vg_contract_word(const struct vg_words *words, int32_t number)
{
    if (number == 0 || number < words->number_min || number > words->number_max) {
        return NULL;
    }
    uint8_t row = words->by_number[number - words->number_min];
    return row == 0 ? NULL : &words->words[row - 1];
}
