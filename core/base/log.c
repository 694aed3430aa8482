/*
 * Lines are built on the caller's stack and written with one write(2): no lock, no queue, no
 * memory. The rate is kept in one word per class, the second in its upper half and the lines of
 * that second in the lower.
 */
#include "core/base/log.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/json_text.h"
#include "core/base/metrics.h"
#include "core/base/text_number.h"
#include "core/base/time_text.h"

/* Kept free for ,"cut":true}\n */
#define VG_LOG_TAIL 16u
/* The most a value may take, escaped: one long value leaves room for others. */
#define VG_LOG_VALUE_MAX 1024u

enum { CLASS_USUAL, CLASS_BAD, CLASS_COUNT };

static struct {
    _Atomic int level;
    uint32_t lines_per_second;
    int file;
    const struct vg_clock *clock;
    _Atomic uint64_t rate[CLASS_COUNT];
    _Atomic uint64_t unsaid; /* left out and not yet said in the log */
} state = {
    .level = VG_LOG_INFO,
    .lines_per_second = 1000,
    .file = STDERR_FILENO,
    .clock = &vg_clock_real,
};

struct vg_log_options vg_log_options_default(void)
{
    return (struct vg_log_options){
        .level = VG_LOG_INFO,
        .lines_per_second = 1000,
        .file = STDERR_FILENO,
        .clock = &vg_clock_real,
    };
}

void vg_log_configure(const struct vg_log_options *options)
{
    atomic_store(&state.level, (int)options->level);
    state.lines_per_second = options->lines_per_second;
    state.file = options->file;
    state.clock = options->clock;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        atomic_store(&state.rate[i], 0);
    }
    atomic_store(&state.unsaid, 0);
}

bool vg_log_wanted(enum vg_log_level level)
{
    return (int)level >= atomic_load_explicit(&state.level, memory_order_relaxed) &&
           level < VG_LOG_OFF;
}

/* Count a line of this second; false when there were enough. */
static bool rate_allows(int class, bool *out_new_second)
{
    uint64_t second = vg_clock_monotonic_ns(state.clock) / 1000000000u & UINT32_MAX;
    uint64_t fresh = second << 32 | 1;
    uint64_t seen = atomic_load_explicit(&state.rate[class], memory_order_relaxed);
    *out_new_second = false;
    while (seen >> 32 != second) {
        if (atomic_compare_exchange_weak(&state.rate[class], &seen, fresh)) {
            *out_new_second = true;
            return true;
        }
    }
    if ((uint32_t)seen < state.lines_per_second) {
        seen = atomic_fetch_add_explicit(&state.rate[class], 1, memory_order_relaxed);
        if ((uint32_t)seen < state.lines_per_second) {
            return true;
        }
    }
    (void)atomic_fetch_add_explicit(&state.unsaid, 1, memory_order_relaxed);
    vg_metrics_add(VG_METRIC_log_lines_dropped_total, 1);
    return false;
}

static bool put(struct vg_log_line *line, const char *text, size_t size)
{
    if (line->size + size > sizeof(line->text) - VG_LOG_TAIL) {
        return false;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
    return true;
}

static bool put_text(struct vg_log_line *line, const char *text)
{
    return put(line, text, strlen(text));
}

static bool put_key(struct vg_log_line *line, const char *key)
{
    return put_text(line, ",\"") && put_text(line, key) && put_text(line, "\":");
}

static bool put_value(struct vg_log_line *line, struct vg_bytes value)
{
    size_t start = line->size;
    if (!put_text(line, "\"")) {
        return false;
    }
    for (size_t at = 0; at < value.size;) {
        char escaped[VG_JSON_TEXT_ESCAPED_MAX];
        size_t size;
        at += vg_json_text_escape(value, at, escaped, &size);
        bool full = line->size - start + size > VG_LOG_VALUE_MAX;
        if (full) {
            line->cut = true;
            break;
        }
        if (!put(line, escaped, size)) {
            return false;
        }
    }
    return put_text(line, "\"");
}

/* A member is written whole or not at all. */
static void finish_member(struct vg_log_line *line, size_t start, bool whole)
{
    if (!whole) {
        line->size = start;
        line->cut = true;
    }
}

void vg_log_bytes(struct vg_log_line *line, const char *key, struct vg_bytes value)
{
    size_t start = line->size;
    finish_member(line, start, put_key(line, key) && put_value(line, value));
}

void vg_log_text(struct vg_log_line *line, const char *key, const char *value)
{
    size_t start = line->size;
    bool whole = put_key(line, key) &&
                 (value == NULL ? put_text(line, "null") : put_value(line, vg_bytes_text(value)));
    finish_member(line, start, whole);
}

void vg_log_int(struct vg_log_line *line, const char *key, int64_t value)
{
    size_t start = line->size;
    char text[VG_TEXT_NUMBER_SIZE];
    size_t size = vg_text_number_print_int64(value, text);
    finish_member(line, start, put_key(line, key) && put(line, text, size));
}

void vg_log_bool(struct vg_log_line *line, const char *key, bool value)
{
    size_t start = line->size;
    finish_member(line, start, put_key(line, key) && put_text(line, value ? "true" : "false"));
}

void vg_log_double(struct vg_log_line *line, const char *key, double value)
{
    size_t start = line->size;
    char text[VG_TEXT_NUMBER_SIZE] = "null"; /* JSON has no infinity */
    if (isfinite(value)) {
        (void)vg_text_number_print_double(value, text);
    }
    finish_member(line, start, put_key(line, key) && put_text(line, text));
}

void vg_log_error_members(struct vg_log_line *line, const struct vg_error *error)
{
    vg_log_text(line, "reason", vg_reason_row(error->reason)->name);
    vg_log_text(line, "message", error->message);
    if (error->field[0] != '\0') {
        vg_log_text(line, "field", error->field);
    }
    if (error->detail[0] != '\0') {
        vg_log_text(line, "detail", error->detail);
    }
    if (error->file != NULL) {
        vg_log_text(line, "file", error->file);
        vg_log_int(line, "line", error->line);
    }
}

static void begin_line(struct vg_log_line *line, enum vg_log_level level, const char *event)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    char time[VG_TIME_TEXT_SIZE];
    vg_time_text_print(vg_clock_now(state.clock), time);
    line->size = 0;
    line->cut = false;
    bool whole = put_text(line, "{\"time\":\"") && put_text(line, time) &&
                 put_text(line, "\",\"level\":\"") && put_text(line, names[level]) &&
                 put_text(line, "\",\"event\":\"") && put_text(line, event) && put_text(line, "\"");
    VG_ASSERT(whole);
}

/* Say how many lines the last second lost. It is one line a second at most. */
static void say_dropped(void)
{
    uint64_t unsaid = atomic_exchange(&state.unsaid, 0);
    if (unsaid > 0) {
        struct vg_log_line line;
        begin_line(&line, VG_LOG_WARN, "log_lines_dropped");
        vg_log_int(&line, "count", (int64_t)unsaid);
        vg_log_end(&line);
    }
}

bool vg_log_begin(struct vg_log_line *line, enum vg_log_level level, const char *event)
{
    if (!vg_log_wanted(level)) {
        return false;
    }
    bool new_second;
    if (!rate_allows(level >= VG_LOG_WARN ? CLASS_BAD : CLASS_USUAL, &new_second)) {
        return false;
    }
    if (new_second) {
        say_dropped();
    }
    begin_line(line, level, event);
    return true;
}

void vg_log_end(struct vg_log_line *line)
{
    /* VG_LOG_TAIL was kept free for this. */
    static const char cut[] = ",\"cut\":true";
    if (line->cut) {
        memcpy(line->text + line->size, cut, sizeof(cut) - 1);
        line->size += sizeof(cut) - 1;
    }
    line->text[line->size++] = '}';
    line->text[line->size++] = '\n';
    VG_ASSERT(line->size <= sizeof(line->text));
    /* A log that cannot be written is nobody's reason to stop serving. */
    ssize_t ignored = write(state.file, line->text, line->size);
    (void)ignored;
}

void vg_log_message(enum vg_log_level level, const char *event, const char *format, ...)
{
    struct vg_log_line line;
    if (!vg_log_begin(&line, level, event)) {
        return;
    }
    char message[VG_LOG_VALUE_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof(message), format, list);
    va_end(list);
    vg_log_text(&line, "message", message);
    vg_log_end(&line);
}

void vg_log_error(enum vg_log_level level, const char *event, const struct vg_error *error)
{
    struct vg_log_line line;
    if (vg_log_begin(&line, level, event)) {
        vg_log_error_members(&line, error);
        vg_log_end(&line);
    }
}
