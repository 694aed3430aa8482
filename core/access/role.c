#include "core/access/role.h"

#include "core/base/compiler.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/words.pb-c.h"

static const struct role_row {
    uint32_t role;
    bool writes;
    uint64_t functions;
} rows[] = {
#define F(function)                (UINT64_C(1) << VIGIL__PERMISSION__PERMISSION_##function)
#define X(role, writes, functions) { VIGIL__RECORD__V1__ROLE__ROLE_##role, writes, functions },
#include "core/access/roles.def"
#undef X
#undef F
};

uint64_t vg_role_functions(uint32_t roles)
{
    uint64_t functions = 0;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        if ((roles >> rows[i].role & 1u) != 0) {
            functions |= rows[i].functions;
        }
    }
    return functions;
}

bool vg_role_writes(uint32_t roles)
{
    bool writes = false;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        writes = writes || ((roles >> rows[i].role & 1u) != 0 && rows[i].writes);
    }
    return writes;
}
