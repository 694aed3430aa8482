/* Networks: what is taken prints to a text that is taken as the same network. */
#include "core/base/network.h"

#include "core/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vg_network network;
    if (vg_network_parse(vg_bytes(data, size), &network)) {
        char text[VG_NETWORK_TEXT_SIZE];
        struct vg_network back;
        size_t length = vg_network_print(&network, text);
        VG_ASSERT(vg_network_parse(vg_bytes(text, length), &back));
        VG_ASSERT(vg_network_equal(&network, &back));
        VG_ASSERT(vg_network_matches(&network, VG_NETWORK_BITS_ANY, &back));
        (void)vg_network_is_public(&network);
    }
    return 0;
}
