#include "gateway/json/json_dialect.h"

const struct vg_json_dialect vg_json_documented = {
    .names = VG_NAME_DOCUMENTED | VG_NAME_ALIAS,
    .shaped = true,
    .lenient = true,
    .words = true,
    .unset_shown = true,
};

const struct vg_json_dialect vg_json_standard = {
    .names = VG_NAME_DOCUMENTED | VG_NAME_OWN,
    .wide_as_text = true,
    .once = true,
};
