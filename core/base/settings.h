/*
 * Settings: one struct made from one table, settings.def, so that a new setting is one row. Filled
 * with the defaults first, then changed one by one from the command line and the configuration
 * file; both say what is wrong and what is allowed.
 *
 * Threads: changed by one thread before the server starts, constant afterwards.
 */
#ifndef VG_CORE_BASE_SETTINGS_H
#define VG_CORE_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

#define VG_SETTING_TEXT_SIZE 1024 /* of any text, with its NUL */

typedef uint32_t vg_setting_count;
typedef size_t vg_setting_size;
typedef uint32_t vg_setting_ms;
typedef uint32_t vg_setting_us;
typedef bool vg_setting_bool;
typedef char vg_setting_text[VG_SETTING_TEXT_SIZE];
typedef uint32_t vg_setting_word; /* index into the words of the row */

enum vg_setting_type {
    VG_SETTING_TYPE_COUNT,
    VG_SETTING_TYPE_SIZE,
    VG_SETTING_TYPE_MS,
    VG_SETTING_TYPE_US,
    VG_SETTING_TYPE_BOOL,
    VG_SETTING_TYPE_TEXT,
    VG_SETTING_TYPE_WORD,
};

struct vg_settings {
#define VG_SETTING_FIELD_COUNT(name)               vg_setting_count name;
#define VG_SETTING_FIELD_SIZE(name)                vg_setting_size name;
#define VG_SETTING_FIELD_MS(name)                  vg_setting_ms name;
#define VG_SETTING_FIELD_US(name)                  vg_setting_us name;
#define VG_SETTING_FIELD_BOOL(name)                vg_setting_bool name;
#define VG_SETTING_FIELD_TEXT(name)                vg_setting_text name;
#define VG_SETTING_FIELD_WORD(name)                vg_setting_word name;
#define X(name, type, value, min, max, unit, text) VG_SETTING_FIELD_##type(name)
#include "core/base/settings.def"
#undef X
};

/* The words of data_center. Stored with events: append only. */
enum vg_data_center { VG_DATA_CENTER_OSL, VG_DATA_CENTER_SVG };

/* The words of grpc_compression. */
enum vg_compression { VG_COMPRESSION_OFF, VG_COMPRESSION_ASKED, VG_COMPRESSION_ACCEPTED };

/* The words of tls_client_certificates and tls_version_min. */
enum vg_tls_clients { VG_TLS_CLIENTS_OFF, VG_TLS_CLIENTS_OPTIONAL, VG_TLS_CLIENTS_REQUIRED };
enum vg_tls_version { VG_TLS_VERSION_12, VG_TLS_VERSION_13 };

/* The words of access_log. Those of log_level are enum vg_log_level. */
enum vg_access_log { VG_ACCESS_LOG_OFF, VG_ACCESS_LOG_ERRORS, VG_ACCESS_LOG_ALL };

/* A row of settings.def. */
struct vg_setting_row {
    const char *name;
    enum vg_setting_type type;
    const char *value; /* the default */
    const char *min;
    const char *max;
    const char *unit; /* of WORD: its words, separated by | */
    const char *text;
    size_t offset; /* in struct vg_settings */
};

/* All rows, in the order of the table. */
const struct vg_setting_row *vg_settings_rows(size_t *out_count);

/* Every setting as its row says. */
void vg_settings_init(struct vg_settings *settings);

/*
 * Set one from "NAME=VALUE". On failure nothing is changed.
 *
 * Fails with: CONFIG; the message names the setting and what is allowed.
 */
VG_MUST_USE enum vg_reason vg_settings_set(
    struct vg_settings *settings,
    const char *assignment,
    struct vg_error *error);

/* The same with name and value apart, for configuration files. */
VG_MUST_USE enum vg_reason vg_settings_set_value(
    struct vg_settings *settings,
    const char *name,
    const char *value,
    struct vg_error *error);

/* Append the value of one setting as vg_settings_set takes it. */
void vg_settings_print_value(
    const struct vg_settings *settings,
    const struct vg_setting_row *row,
    struct vg_buffer *out);

/* Append a line NAME=VALUE for each. */
void vg_settings_print(const struct vg_settings *settings, struct vg_buffer *out);

/* Append a description of each: name, default, what is allowed, text. */
void vg_settings_help(struct vg_buffer *out);

#endif
