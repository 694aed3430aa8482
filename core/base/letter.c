#include "core/base/letter.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unicode/uversion.h>

#include "core/base/assert.h"

uint32_t vg_letter_next(struct vg_bytes text, size_t *position)
{
    VG_ASSERT(*position < text.size);
    size_t at = *position;
    UChar32 point;
    U8_NEXT(text.data, at, text.size, point);
    *position = at;
    return point >= 0 && u_isalnum(point) ? (uint32_t)u_foldCase(point, U_FOLD_CASE_DEFAULT) : 0;
}

uint64_t vg_letter_version(void)
{
    UVersionInfo unicode;
    uint64_t version = U_ICU_VERSION_MAJOR_NUM;
    u_getUnicodeVersion(unicode);
    for (unsigned i = 0; i < U_MAX_VERSION_LENGTH; i++) {
        version = version << 8 | unicode[i];
    }
    return version;
}
