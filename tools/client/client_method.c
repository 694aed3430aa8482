#include "tools/client/client_method.h"

#include "core/base/assert.h"

#include "contract_json.h"

#define REPEAT_SAFE true
#define REPEAT_ONCE false

static const struct vg_client_method_row rows[] = {
#define X(name, repeat, service, method, request, answer)                                          \
    { "/" service "/" method,                                                                      \
      &vg_table_vigil_##request,                                                                   \
      &vg_table_vigil_##answer,                                                                    \
      REPEAT_##repeat },
#include "tools/client/client_methods.def"
#undef X
};

const struct vg_client_method_row *vg_client_method_row(enum vg_client_method method)
{
    VG_ASSERT((unsigned)method < VG_CLIENT_METHOD_COUNT);
    return &rows[method];
}
