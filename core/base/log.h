/*
 * The log: one JSON object a line, to standard error unless told otherwise.
 *
 *     struct vg_log_line line;
 *     if (vg_log_begin(&line, VG_LOG_INFO, "listening")) {
 *         vg_log_text(&line, "address", address);
 *         vg_log_int(&line, "port", port);
 *         vg_log_end(&line);
 *     }
 *
 * A line below the level costs one load. Lines per second are limited, warnings and errors apart
 * from the rest, so that a flood of bad requests fills no disk; what is left out is counted and
 * said once the second is over. A line has a fixed size: a member that does not fit is left out and
 * "cut":true is added. Keys and event names are ours and are written as they are; values are
 * escaped and invalid UTF-8 in them is replaced.
 *
 * Never log an API key or the body of a request.
 *
 * Threads: any. Each line is one write.
 */
#ifndef VG_CORE_BASE_LOG_H
#define VG_CORE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

/* In the order of the words of the setting log_level. */
enum vg_log_level {
    VG_LOG_DEBUG,
    VG_LOG_INFO,
    VG_LOG_WARN,
    VG_LOG_ERROR,
    VG_LOG_OFF,
};

struct vg_log_options {
    enum vg_log_level level;
    uint32_t lines_per_second; /* for warnings and errors, and again for the rest */
    int file;                  /* descriptor; not closed */
    const struct vg_clock *clock;
};

/* Info and above, 1000 lines a second, standard error, the machine's clock: what holds until
 * vg_log_configure. */
struct vg_log_options vg_log_options_default(void);

/* Call it while no other thread logs: at start. */
void vg_log_configure(const struct vg_log_options *options);

/* Whether a line of this level would be written now, the rate aside. */
bool vg_log_wanted(enum vg_log_level level);

#define VG_LOG_LINE_SIZE 2048 /* less than PIPE_BUF: a write to a pipe is not torn */

struct vg_log_line {
    size_t size;
    bool cut;
    char text[VG_LOG_LINE_SIZE];
};

/* Start a line for `event`, a short word such as "access". False: not wanted or too many; then call
 * nothing else. */
VG_MUST_USE bool vg_log_begin(struct vg_log_line *line, enum vg_log_level level, const char *event);

void vg_log_text(struct vg_log_line *line, const char *key, const char *value); /* NULL = null */
void vg_log_bytes(struct vg_log_line *line, const char *key, struct vg_bytes value);
void vg_log_int(struct vg_log_line *line, const char *key, int64_t value);
void vg_log_bool(struct vg_log_line *line, const char *key, bool value);
void vg_log_double(struct vg_log_line *line, const char *key, double value);

/* reason, message, detail, field and place of a failure. */
void vg_log_error_members(struct vg_log_line *line, const struct vg_error *error);

void vg_log_end(struct vg_log_line *line);

/* A line with one member, "message". */
void vg_log_message(enum vg_log_level level, const char *event, const char *format, ...)
    VG_PRINTF(3, 4);

/* A line with the members of `error`. */
void vg_log_error(enum vg_log_level level, const char *event, const struct vg_error *error);

#endif
