/*
 * The command line of vigild: settings by option, by --set and from a JSON file, in the order they
 * stand.
 *
 * Threads: start-up only.
 */
#ifndef VG_TOOLS_VIGILD_OPTIONS_H
#define VG_TOOLS_VIGILD_OPTIONS_H

#include <stdbool.h>

#include "core/base/settings.h"

enum vg_options_outcome {
    VG_OPTIONS_RUN,   /* go on */
    VG_OPTIONS_DONE,  /* what was asked for has been printed: exit 0 */
    VG_OPTIONS_WRONG, /* the problem has been printed: exit 2 */
};

struct vg_options {
    struct vg_settings settings;
    bool demo;
};

enum vg_options_outcome vg_options_read(int argc, char **argv, struct vg_options *out_options);

#endif
