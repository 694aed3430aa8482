#include "core/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void vg_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "vigil: broken invariant: %s (%s:%d)\n", condition, file, line);
    abort();
}
