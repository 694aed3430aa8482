/* vigil import: alerts of sensors as events. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/compiler.h"
#include "core/base/text_number.h"
#include "tools/suricata/eve_import.h"
#include "tools/vigil/cell.h"
#include "tools/vigil/progress.h"
#include "tools/vigil/session.h"

/* Lines about single records; more of them are only counted. */
#define PROBLEMS_SHOWN_MAX 1000u

static const struct vg_option suricata_options[] = {
    // clang-format off
    { .name = "--customer", .value = "C", .help = "customer of the events; by default the key's" },
    { .name = "--location", .value = "L", .help = "location of the events" },
    { .name = "--keep-open", .help = "do not finalize: later submissions may change the events", .kind = VG_OPTION_KIND_YES },
    { .name = "--with-signatures", .help = "add signatures that the server does not know, if the key may", .kind = VG_OPTION_KIND_YES },
    { .name = "--batch", .value = "N", .help = "alerts a call (default 500, at most 10000)" },
    { .name = "--dry-run", .help = "read and map everything, send nothing", .kind = VG_OPTION_KIND_YES },
    // clang-format on
};

/* The import's observer: told of what is wrong and how far it is. */
struct screen {
    struct vg_eve_import_observer observer;
    struct vg_progress progress;
    const struct vg_eve_import *import;
    FILE *file;
    const char *path;
    uint64_t problems;
};

static void show_problem(
    struct vg_eve_import_observer *observer,
    uint64_t line,
    const char *message)
{
    struct screen *screen = VG_CONTAINER_OF(observer, struct screen, observer);
    struct vg_buffer text;
    if (line > 0 && ++screen->problems > PROBLEMS_SHOWN_MAX) {
        return;
    }
    vg_buffer_init(&text, 64u * 1024u);
    if (line > 0) {
        vg_buffer_printf(&text, "%s:%" PRIu64 ": ", screen->path, line);
    } else {
        vg_buffer_append_text(&text, "vigil: ");
    }
    vg_cell_append_text(vg_bytes_text(message), &text);
    vg_progress_hide(&screen->progress);
    (void)fprintf(stderr, "%.*s\n", (int)text.size, (const char *)text.data);
    vg_buffer_dispose(&text);
}

static void show_progress(struct vg_eve_import_observer *observer)
{
    struct screen *screen = VG_CONTAINER_OF(observer, struct screen, observer);
    long at = ftell(screen->file);
    vg_progress_show(
        &screen->progress,
        screen->path,
        at < 0 ? 0 : (uint64_t)at,
        vg_eve_import_counts(screen->import)->accepted);
}

/* The largest batch is that of a bulk. */
static enum vg_exit take_options(
    const struct vg_arguments *arguments,
    struct vg_eve_import_options *options)
{
    const char *batch = vg_arguments_value(arguments, "--batch");
    int64_t size = VG_EVE_IMPORT_BATCH_DEFAULT;
    if (batch != NULL && (!vg_text_number_parse_int64(vg_bytes_text(batch), &size) || size < 1 ||
                          size > VG_EVE_IMPORT_BATCH_MAX)) {
        (void)fprintf(
            stderr,
            "vigil: --batch takes a number from 1 to %u, not %s\n",
            VG_EVE_IMPORT_BATCH_MAX,
            batch);
        return VG_EXIT_USAGE;
    }
    *options = (struct vg_eve_import_options){
        .event = { .customer = vg_arguments_value(arguments, "--customer"),
                   .location = vg_arguments_value(arguments, "--location"),
                   .keep_open = vg_arguments_has(arguments, "--keep-open") },
        .batch_size = (uint32_t)size,
        .with_signatures = vg_arguments_has(arguments, "--with-signatures"),
    };
    return VG_EXIT_DONE;
}

static enum vg_exit import_file(
    struct vg_eve_import *import,
    struct screen *screen,
    const char *path)
{
    struct stat status;
    screen->path = path;
    screen->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (screen->file == NULL) {
        (void)fprintf(stderr, "vigil: cannot read %s: %s\n", path, strerrordesc_np(errno));
        return VG_EXIT_REFUSED;
    }
    bool sized = fstat(fileno(screen->file), &status) == 0 && S_ISREG(status.st_mode);
    vg_progress_begin(&screen->progress, sized ? (uint64_t)status.st_size : 0);
    enum vg_eve_import_end end = vg_eve_import_file(import, screen->file);
    vg_progress_hide(&screen->progress);
    if (screen->file != stdin) {
        (void)fclose(screen->file);
    }
    switch (end) {
    case VG_EVE_IMPORT_END_DONE:
        return VG_EXIT_DONE;
    case VG_EVE_IMPORT_END_REFUSED:
        return VG_EXIT_REFUSED;
    case VG_EVE_IMPORT_END_UNREACHABLE:
        return VG_EXIT_UNREACHABLE;
    }
    return VG_EXIT_REFUSED;
}

static void print_summary(const struct vg_session *session, const struct vg_eve_import_counts *c)
{
    (void)printf(
        session->output == VG_OUTPUT_TABLE
            ? "records %" PRIu64 ", alerts %" PRIu64 ", accepted %" PRIu64 ", rejected %" PRIu64
              ", skipped %" PRIu64 ", bad %" PRIu64 ", signatures added %" PRIu64 "\n"
            : "{\"records\":%" PRIu64 ",\"alerts\":%" PRIu64 ",\"accepted\":%" PRIu64
              ",\"rejected\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"bad\":%" PRIu64
              ",\"signatures\":%" PRIu64 "}\n",
        c->records,
        c->alerts,
        c->accepted,
        c->rejected,
        c->skipped,
        c->bad,
        c->signatures);
    (void)fflush(stdout);
}

static enum vg_exit import_all(
    struct vg_eve_import *import,
    struct screen *screen,
    const struct vg_arguments *arguments)
{
    enum vg_exit exit = VG_EXIT_DONE;
    for (size_t i = 0; i < arguments->operand_count; i++) {
        enum vg_exit one = import_file(import, screen, arguments->operands[i]);
        exit = one > exit ? one : exit;
        if (one == VG_EXIT_UNREACHABLE) {
            break;
        }
    }
    const struct vg_eve_import_counts *counts = vg_eve_import_counts(import);
    if (screen->problems > PROBLEMS_SHOWN_MAX) {
        (void)fprintf(
            stderr,
            "vigil: %" PRIu64 " more records were not taken\n",
            screen->problems - PROBLEMS_SHOWN_MAX);
    }
    return exit == VG_EXIT_DONE && counts->bad + counts->rejected > 0 ? VG_EXIT_REFUSED : exit;
}

static enum vg_exit run_suricata(
    struct vg_session *session,
    const struct vg_command *command,
    const struct vg_arguments *arguments)
{
    struct vg_eve_import_options options;
    struct screen screen = { .observer = { show_problem, show_progress } };
    bool dry_run = vg_arguments_has(arguments, "--dry-run");
    (void)command;
    enum vg_exit exit = take_options(arguments, &options);
    if (exit == VG_EXIT_DONE && !dry_run) {
        exit = vg_session_connect(session);
    }
    if (exit != VG_EXIT_DONE) {
        return exit;
    }
    struct vg_eve_import *import =
        vg_eve_import_create(dry_run ? NULL : session->connection, &options, &screen.observer);
    if (import == NULL) {
        (void)fputs("vigil: there is no memory for batches of this size\n", stderr);
        return VG_EXIT_REFUSED;
    }
    screen.import = import;
    exit = import_all(import, &screen, arguments);
    print_summary(session, vg_eve_import_counts(import));
    vg_eve_import_destroy(import);
    return exit;
}

static const struct vg_command commands[] = {
    {
        .noun = "import",
        .verb = "suricata",
        .operand = "FILE...",
        .help = "import alerts from EVE files of Suricata (- = stdin); docs/suricata.md",
        .options = suricata_options,
        .option_count = VG_ARRAY_COUNT(suricata_options),
        .method = VG_CLIENT_METHOD_IMPORT_EVENTS,
        .many = true,
        .run = run_suricata,
    },
};

const struct vg_command_group vg_cmd_import = { commands, VG_ARRAY_COUNT(commands) };
