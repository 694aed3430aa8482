/*
 * EVE records from a file of Suricata: JSON lines as it writes them, or one array of objects as
 * people collect them.
 *
 * The file is read as a stream; one record is in memory at a time, of at most
 * VG_EVE_RECORD_BYTES_MAX. What is wrong with one record does not end the reading: the next call
 * goes on behind it. Only an array whose brackets do not match ends it, because nobody can say
 * where the next element begins.
 *
 * A NUL within a text (backslash u0000) becomes U+FFFD: no text of an event may hold one, and the
 * rest of the alert is still worth having.
 *
 * Threads: a reader belongs to one thread at a time.
 */
#ifndef VG_TOOLS_SURICATA_EVE_READ_H
#define VG_TOOLS_SURICATA_EVE_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "core/base/buffer.h"
#include "core/base/compiler.h"
#include "core/base/error.h"

#define VG_EVE_RECORD_BYTES_MAX (1024u * 1024u)

enum vg_eve_outcome {
    VG_EVE_OUTCOME_RECORD, /* a record */
    VG_EVE_OUTCOME_BAD,    /* what stands there is no record; reading can go on */
    VG_EVE_OUTCOME_END,    /* the file is read */
    VG_EVE_OUTCOME_BROKEN, /* no more can be read */
};

enum vg_eve_form { VG_EVE_FORM_UNSET, VG_EVE_FORM_LINES, VG_EVE_FORM_ARRAY };

struct vg_eve_reader {
    FILE *file; /* borrowed */
    struct vg_buffer text;
    enum vg_eve_form form;
    bool ended;       /* of an array: its closing bracket was read */
    uint64_t line;    /* of the next character, from 1 */
    uint64_t at_line; /* where the last record, or what is wrong, begins */
    uint64_t element; /* number of the last element of an array, from 1; 0 = lines */
};

/* A reader at the start of `file`, which stays the caller's. */
void vg_eve_read_init(struct vg_eve_reader *reader, FILE *file);
void vg_eve_read_dispose(struct vg_eve_reader *reader);

/*
 * Read the next record. On RECORD *out_record is an object that the caller deletes with
 * cJSON_Delete; on BAD and BROKEN `error` says what is wrong: INVALID_JSON, REQUEST_TOO_LARGE past
 * the size of a record, or STORE_IO when the file cannot be read. reader->at_line and
 * reader->element say where.
 */
VG_MUST_USE enum vg_eve_outcome vg_eve_read_next(
    struct vg_eve_reader *reader,
    cJSON **out_record,
    struct vg_error *error);

#endif
