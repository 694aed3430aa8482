/* API keys: what is taken lies in the credential, part behind part, and reads the same again. */
#include "core/access/api_key.h"

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_api_key_parts parts;
    if (!vg_api_key_parse(vg_bytes(data, size), &parts)) {
        return 0;
    }
    VG_ASSERT(size <= VG_API_KEY_CREDENTIAL_MAX);
    VG_ASSERT(parts.key_id.data == data);
    VG_ASSERT(parts.secret.data + parts.secret.size == data + size);
    VG_ASSERT(parts.key_id.size + parts.secret.size + 3 <= size); /* two slashes and a number */
    VG_ASSERT(parts.key_id.size == 0 || memchr(data, '/', parts.key_id.size) == NULL);
    VG_ASSERT(data[parts.key_id.size] == '/' && parts.secret.data[-1] == '/');
    return 0;
}
