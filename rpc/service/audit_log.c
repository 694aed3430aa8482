#include "rpc/service/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/access/api_key.h"
#include "core/access/principal.h"
#include "core/access/quota.h"
#include "core/base/assert.h"
#include "core/base/json_text.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/text_number.h"
#include "core/base/time_text.h"
#include "rpc/service/call_log.h"
#include "rpc/service/call_trace.h"
#include "rpc/service/service.h"

/* A request that was larger than this is not made JSON of at all. */
#define REQUEST_BODY_MAX (4u * VG_AUDIT_LOG_REQUEST_BYTES_MAX)
#define LINE_BYTES_MAX   (2u * VG_AUDIT_LOG_REQUEST_BYTES_MAX)
#define FILE_MODE        0640

struct vg_audit_log {
    uint32_t classes;
    int file;
    bool own_file;
    char *path;
    const struct vg_clock *clock;
    struct vg_quota strangers;
    pthread_mutex_t lock; /* of what follows */
    uint64_t sequence;
    uint64_t lost; /* since the last line */
    bool torn;     /* the file ends within a line */
};

static const struct class_word {
    const char *word;
    uint32_t classes;
} class_words[] = {
    { "off", 0 },
    { "directory", 1u << VG_AUDIT_DIRECTORY },
    { "change", 1u << VG_AUDIT_CHANGE },
    { "submission", 1u << VG_AUDIT_SUBMISSION },
    { "download", 1u << VG_AUDIT_DOWNLOAD },
    { "search", 1u << VG_AUDIT_SEARCH },
    { "read", 1u << VG_AUDIT_READ },
    { "authentication", 1u << VG_AUDIT_LOG_AUTHENTICATION },
    { "changes",
      1u << VG_AUDIT_DIRECTORY | 1u << VG_AUDIT_CHANGE | 1u << VG_AUDIT_LOG_AUTHENTICATION },
    { "all", ~(1u << VG_AUDIT_NONE) },
};

bool vg_audit_log_read_classes(const char *text, uint32_t *out_classes)
{
    uint32_t classes = 0;
    for (bool more = true; more;) {
        size_t size = strcspn(text, ",");
        const struct class_word *found = NULL;
        for (size_t i = 0; i < VG_ARRAY_COUNT(class_words); i++) {
            const char *word = class_words[i].word;
            if (strlen(word) == size && memcmp(word, text, size) == 0) {
                found = &class_words[i];
            }
        }
        if (found == NULL) {
            return false;
        }
        classes |= found->classes;
        more = text[size] == ',';
        text += size + 1;
    }
    *out_classes = classes;
    return true;
}

static const char *class_name(unsigned class)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(class_words); i++) {
        if (class_words[i].classes == UINT32_C(1) << class) {
            return class_words[i].word;
        }
    }
    VG_UNREACHABLE();
}

static enum vg_reason open_file(const char *path, int *out_file, struct vg_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, FILE_MODE);
    if (file < 0) {
        int number = errno;
        (void)vg_error_set(error, VG_CONFIG, "The audit log cannot be opened: %s", path);
        return vg_error_detail(error, "%s", strerror(number));
    }
    *out_file = file;
    return VG_OK;
}

enum vg_reason vg_audit_log_open(
    const struct vg_audit_log_options *options,
    struct vg_audit_log **out_log,
    struct vg_error *error)
{
    uint32_t classes = 0;
    int file = options->log_file;
    bool own_file = options->file[0] != '\0';
    if (!vg_audit_log_read_classes(options->classes, &classes)) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "audit_log is off, changes, all or a list of classes, not %s",
            options->classes);
    }
    if (own_file && open_file(options->file, &file, error) != VG_OK) {
        return VG_CONFIG;
    }
    struct vg_audit_log *log = calloc(1, sizeof(*log));
    VG_ASSERT(log != NULL);
    log->classes = classes;
    log->file = file;
    log->own_file = own_file;
    log->path = strdup(options->file);
    log->clock = options->clock;
    VG_ASSERT(log->path != NULL && pthread_mutex_init(&log->lock, NULL) == 0);
    *out_log = log;
    return VG_OK;
}

void vg_audit_log_close(struct vg_audit_log *log)
{
    if (log == NULL) {
        return;
    }
    if (log->own_file) {
        (void)close(log->file);
    }
    (void)pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

enum vg_reason vg_audit_log_reopen(struct vg_audit_log *log, struct vg_error *error)
{
    int file = -1;
    if (!log->own_file) {
        return VG_OK;
    }
    enum vg_reason reason = open_file(log->path, &file, error);
    if (reason != VG_OK) {
        return reason;
    }
    (void)pthread_mutex_lock(&log->lock);
    int before = log->file;
    log->file = file;
    log->torn = false;
    (void)pthread_mutex_unlock(&log->lock);
    (void)close(before);
    return VG_OK;
}

/* ---- a line */

static void put_text(struct vg_buffer *out, const char *key, const char *value)
{
    vg_buffer_printf(out, ",\"%s\":", key);
    vg_json_text_append(out, value == NULL ? vg_bytes(NULL, 0) : vg_bytes_text(value));
}

static void put_number(struct vg_buffer *out, const char *key, int64_t value)
{
    vg_buffer_printf(out, ",\"%s\":%" PRId64, key, value);
}

/* Who has called. Of who could not prove it only the id of the key that was shown, when it has the
 * form of one: the text could be anything, a secret in the wrong place too. */
static void put_caller(struct vg_buffer *out, const struct vg_call *call)
{
    char peer[VG_NETWORK_TEXT_SIZE];
    struct vg_api_key_parts parts;
    if (call->principal != NULL) {
        put_text(out, "user", call->principal->user_name);
        put_number(out, "user_id", call->principal->user_id);
        put_text(out, "key", call->principal->key_id);
    } else if (
        vg_api_key_parse(call->credential, &parts) && parts.key_id.size == VG_API_KEY_ID_SIZE) {
        vg_buffer_append_text(out, ",\"key_shown\":");
        vg_json_text_append(out, parts.key_id);
    }
    if (call->identity != NULL && call->identity->name_count > 0) {
        vg_buffer_append_text(out, ",\"certificate\":");
        vg_json_text_append(out, call->identity->names[0]);
    }
    (void)vg_network_print(&call->peer, peer);
    put_text(out, "peer", peer);
    put_number(out, "port", call->peer_port);
}

/* The request as JSON; null when there is none to be had, and its size then. */
static void put_request(struct vg_buffer *out, const struct vg_call *call)
{
    struct vg_buffer text;
    size_t size = call->bytes_fed != 0 ? call->bytes_fed : call->body.size;
    bool is_wanted = call->request != NULL && call->service->print_request != NULL &&
                     call->method->audit != VG_AUDIT_SUBMISSION && size <= REQUEST_BODY_MAX;
    vg_buffer_init(&text, VG_AUDIT_LOG_REQUEST_BYTES_MAX);
    if (is_wanted && call->service->print_request(call->method->request, call->request, &text)) {
        vg_api_key_hide(text.data, text.size); /* one in the place of its id, for example */
        vg_buffer_append_text(out, ",\"request\":");
        vg_buffer_append(out, text.data, text.size);
    } else {
        vg_buffer_append_text(out, ",\"request\":null");
        put_number(out, "request_bytes", (int64_t)size);
    }
    vg_buffer_dispose(&text);
}

static void put_line(struct vg_buffer *out, const struct vg_call *call, unsigned class)
{
    const struct vg_reason_row *row = vg_reason_row(call->reason);
    char id[VG_CALL_TRACE_ID_SIZE];
    put_text(out, "class", class_name(class));
    put_text(out, "face", vg_call_log_form(call));
    if (call->method != NULL) {
        put_text(out, "method", call->method->path);
    }
    put_caller(out, call);
    vg_call_trace_request_id(call, id);
    put_text(out, "request_id", id);
    put_text(out, "result", row->name);
    put_number(out, "code", row->grpc_code);
    if (call->object != NULL && call->reason == VG_OK) {
        put_text(out, "object", call->object);
    }
    if (call->method != NULL && call->method->envelope == VG_ENVELOPE_LIST &&
        call->reason == VG_OK && call->reply.count >= 0) {
        put_number(out, "count", call->reply.count);
    }
    if (class != VG_AUDIT_LOG_AUTHENTICATION) {
        put_request(out, call);
    }
    vg_buffer_append_text(out, "}\n");
}

/* All of it, however many writes that takes. *torn: the file ends within a line now. */
static bool write_all(int file, struct vg_bytes bytes, bool *torn)
{
    while (bytes.size > 0) {
        ssize_t done = write(file, bytes.data, bytes.size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes = vg_bytes(bytes.data + done, bytes.size - (size_t)done);
        *torn = bytes.size > 0;
    }
    return true;
}

/* Number the line and write it; what came before it and was lost is told in it. */
static bool write_line(struct vg_audit_log *log, struct vg_bytes rest)
{
    char time[VG_TIME_TEXT_SIZE];
    struct vg_buffer line;
    vg_buffer_init(&line, LINE_BYTES_MAX + VG_AUDIT_LOG_REQUEST_BYTES_MAX);
    (void)pthread_mutex_lock(&log->lock);
    vg_time_text_print(vg_clock_now(log->clock), time);
    vg_buffer_printf(
        &line,
        "%s{\"time\":\"%s\",\"log\":\"audit\",\"sequence\":%" PRIu64,
        log->torn ? "\n" : "",
        time,
        log->sequence + 1);
    if (log->lost > 0) {
        put_number(&line, "lost", (int64_t)log->lost);
    }
    vg_buffer_append(&line, rest.data, rest.size);
    bool written = !line.failed && write_all(log->file, vg_buffer_bytes(&line), &log->torn);
    log->lost = written ? 0 : log->lost + 1;
    log->sequence += written;
    (void)pthread_mutex_unlock(&log->lock);
    vg_buffer_dispose(&line);
    return written;
}

static void lose(struct vg_audit_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    log->lost++;
    (void)pthread_mutex_unlock(&log->lock);
    vg_metrics_add(VG_METRIC_audit_lines_lost_total, 1);
}

/* The class of a call that has ended; VG_AUDIT_NONE = nothing is to be kept. */
static unsigned class_of(const struct vg_call *call)
{
    if (vg_reason_row(call->reason)->grpc_code == VG_GRPC_UNAUTHENTICATED) {
        return VG_AUDIT_LOG_AUTHENTICATION;
    }
    return call->method == NULL || call->principal == NULL ? VG_AUDIT_NONE : call->method->audit;
}

void vg_audit_log_call(struct vg_audit_log *log, const struct vg_call *call)
{
    static const struct vg_quota_limits strangers = { .calls_per_second =
                                                          VG_AUDIT_LOG_STRANGERS_PER_SECOND };
    unsigned class = class_of(call);
    uint32_t wait_ms;
    if ((log->classes >> class & 1u) == 0) {
        return;
    }
    if (class == VG_AUDIT_LOG_AUTHENTICATION) {
        uint64_t now_ns = vg_clock_monotonic_ns(call->service->clock);
        if (!vg_quota_begin_call(&log->strangers, &strangers, now_ns, &wait_ms)) {
            lose(log);
            return;
        }
        vg_quota_end_call(&log->strangers);
    }
    struct vg_buffer rest;
    vg_buffer_init(&rest, LINE_BYTES_MAX);
    put_line(&rest, call, class);
    if (!rest.failed && write_line(log, vg_buffer_bytes(&rest))) {
        vg_metrics_add(VG_METRIC_audit_lines_total, 1);
    } else {
        vg_metrics_add(VG_METRIC_audit_lines_lost_total, 1);
        vg_log_message(VG_LOG_ERROR, "audit_line_lost", "%s", strerror(errno));
    }
    vg_buffer_dispose(&rest);
}
