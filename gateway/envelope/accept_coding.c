#include "gateway/envelope/accept_coding.h"

#include "gateway/envelope/header_list.h"

void vg_accept_coding_init(struct vg_accept_coding *accept)
{
    *accept = (struct vg_accept_coding){ .gzip = -1, .identity = -1, .any = -1 };
}

/* Of one coding said twice the higher weight counts. */
static void raise(int16_t *weight, unsigned quality)
{
    if ((int16_t)quality > *weight) {
        *weight = (int16_t)quality;
    }
}

void vg_accept_coding_add(struct vg_accept_coding *accept, struct vg_bytes value)
{
    while (value.size > 0) {
        struct vg_bytes parameters = vg_header_list_take(&value, ',');
        struct vg_bytes coding = vg_header_list_take(&parameters, ';');
        unsigned quality = 0;
        if (!vg_header_list_quality(parameters, &quality)) {
            continue;
        }
        if (vg_header_list_is(coding, "gzip") || vg_header_list_is(coding, "x-gzip")) {
            raise(&accept->gzip, quality);
        } else if (vg_header_list_is(coding, "identity")) {
            raise(&accept->identity, quality);
        } else if (vg_header_list_is(coding, "*")) {
            raise(&accept->any, quality);
        }
    }
}

bool vg_accept_coding_wants_gzip(const struct vg_accept_coding *accept)
{
    /* "*" stands for every coding that is not named; identity is all right unless it is refused,
     * and then no reason to leave gzip. */
    int gzip = accept->gzip >= 0 ? accept->gzip : accept->any;
    return gzip > 0 && gzip >= accept->identity;
}
