/*
 * The spool: lines as they are written, by whole ones; files that are renamed, truncated, replaced
 * and known again; states that are torn or speak of a file that is gone.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tools/suricata/eve_spool.h"

struct folder {
    char path[64];
    char file[80];
    char state[96];
    char rotated[96];
    struct vg_eve_spool spool;
    bool known;
};

static int set_up(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));
    (void)snprintf(f->path, sizeof(f->path), "/tmp/vigil-spool-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    (void)snprintf(f->file, sizeof(f->file), "%s/eve.json", f->path);
    (void)snprintf(f->state, sizeof(f->state), "%s.vigil-state", f->file);
    (void)snprintf(f->rotated, sizeof(f->rotated), "%s.1", f->file);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct folder *f = *state;
    vg_eve_spool_close(&f->spool);
    (void)unlink(f->file);
    (void)unlink(f->state);
    (void)unlink(f->rotated);
    (void)rmdir(f->path);
    free(f);
    return 0;
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void open_spool(struct folder *f)
{
    vg_eve_spool_close(&f->spool);
    assert_int_equal(vg_eve_spool_open(&f->spool, f->file, NULL, &f->known, NULL), VG_OK);
}

/* The next line; "" = nothing more now. Up to `files` others may be begun meanwhile. */
static void assert_next(struct folder *f, const char *wanted)
{
    struct vg_bytes line = vg_bytes(NULL, 0);
    enum vg_eve_spool_step step = VG_EVE_SPOOL_NEXT_FILE;
    while (step == VG_EVE_SPOOL_NEXT_FILE) {
        step = vg_eve_spool_next(&f->spool, &line);
    }
    assert_int_equal(step, wanted[0] == '\0' ? VG_EVE_SPOOL_WAIT : VG_EVE_SPOOL_LINE);
    assert_int_equal(line.size, strlen(wanted));
    assert_memory_equal(line.size == 0 ? (const void *)"" : line.data, wanted, line.size);
}

/* As if nothing had been added for as long as a rotated file is waited for. */
static void pass_quiet_time(struct folder *f)
{
    f->spool.changed_ns -= (uint64_t)VG_EVE_SPOOL_QUIET_MS * 1000000u;
}

static void save(struct folder *f, uint64_t position)
{
    f->spool.at.position = position;
    assert_int_equal(vg_eve_spool_save(&f->spool, &f->spool.at, NULL), VG_OK);
}

static void test_eve_spool__half_lines_wait_for_their_rest(void **state)
{
    struct folder *f = *state;
    open_spool(f); /* before there is a file */
    assert_false(f->known);
    assert_next(f, "");
    append(f->file, "one\ntw");
    assert_next(f, "one");
    assert_next(f, "");
    assert_int_equal(f->spool.at.offset, 4);
    append(f->file, "o");
    assert_next(f, "");
    append(f->file, "\n\nthree");
    assert_next(f, "two");
    assert_int_equal(f->spool.at.offset, 8);
    struct vg_bytes line;
    assert_int_equal(vg_eve_spool_next(&f->spool, &line), VG_EVE_SPOOL_LINE);
    assert_int_equal(line.size, 0);
    assert_next(f, "");
    append(f->file, "\n");
    assert_next(f, "three");
}

/* As if the file had not been looked at for a while. */
static void pass_time_between_looks(struct folder *f)
{
    f->spool.looked_ns -= (uint64_t)VG_EVE_SPOOL_LOOK_MS * 1000000u;
}

static void test_eve_spool__a_truncated_file_that_outgrew_its_place_is_known_by_its_start(
    void **state)
{
    struct folder *f = *state;
    append(f->file, "one\ntwo\n");
    open_spool(f);
    assert_next(f, "one");
    assert_next(f, "two");
    assert_next(f, "");
    append(f->file, "three\n");
    pass_time_between_looks(f);
    assert_next(f, "three");
    assert_next(f, "");
    assert_int_equal(truncate(f->file, 0), 0);
    append(f->file, "another first line, longer than all before\nand a second\n");
    pass_time_between_looks(f);
    assert_next(f, "another first line, longer than all before");
    assert_next(f, "and a second");
    assert_next(f, "");
    /* And when it happens before the place is kept. */
    append(f->file, "told to the server\n");
    assert_next(f, "told to the server");
    assert_next(f, "");
    assert_int_equal(truncate(f->file, 0), 0);
    append(
        f->file,
        "a new beginning, again longer than all that was in the file until now, by far\n");
    save(f, 6);
    open_spool(f);
    assert_true(f->known);
    assert_null(f->spool.file);
    vg_eve_spool_begin_again(&f->spool);
    assert_next(f, "a new beginning, again longer than all that was in the file until now, by far");
    /* While lines were waiting to be taken, too. */
    append(f->file, "more\nand more\n");
    assert_next(f, "more");
    assert_int_equal(truncate(f->file, 0), 0);
    append(
        f->file,
        "a third beginning that is much longer than everything that was there before it\n");
    pass_time_between_looks(f);
    assert_next(
        f,
        "a third beginning that is much longer than everything that was there before it");
    assert_next(f, "");
}

static void test_eve_spool__a_renamed_file_is_read_to_its_end(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\n");
    open_spool(f);
    assert_next(f, "one");
    assert_int_equal(rename(f->file, f->rotated), 0);
    assert_next(f, ""); /* nothing has taken its name */
    append(f->file, "three\n");
    append(f->rotated, "two\n"); /* its writer has not noticed yet */
    assert_next(f, "two");
    assert_next(f, ""); /* more may come */
    pass_quiet_time(f);
    assert_next(f, "three");
    assert_next(f, "");
}

static void test_eve_spool__goes_on_in_a_file_renamed_meanwhile(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\ntwo\n");
    open_spool(f);
    assert_next(f, "one");
    save(f, 7);
    assert_int_equal(rename(f->file, f->rotated), 0);
    append(f->file, "three\n");
    const struct timespec older[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
    assert_int_equal(utimensat(AT_FDCWD, f->rotated, older, 0), 0);
    open_spool(f);
    assert_true(f->known);
    assert_int_equal(f->spool.at.position, 7);
    assert_next(f, "two");
    pass_quiet_time(f);
    assert_next(f, "three");
}

static void test_eve_spool__truncated_in_place(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\ntwo\nthree\n");
    open_spool(f);
    assert_next(f, "one");
    assert_next(f, "two");
    assert_next(f, "three");
    assert_int_equal(truncate(f->file, 0), 0);
    append(f->file, "four\n");
    assert_next(f, "four");
    assert_next(f, "");
}

/* The same inode, longer than the place reached, with another beginning: it is another file. */
static void test_eve_spool__truncated_and_grown_while_nobody_looked(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\n");
    open_spool(f);
    assert_next(f, "one");
    save(f, 1);
    assert_int_equal(truncate(f->file, 0), 0);
    append(f->file, "two\nthree\n");
    open_spool(f);
    assert_true(f->known);
    assert_null(f->spool.file); /* whoever follows begins it again */
    assert_int_equal(f->spool.at.position, 1);
    vg_eve_spool_begin_again(&f->spool);
    assert_next(f, "two");
    assert_next(f, "three");
}

static void test_eve_spool__an_inode_that_is_gone(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\n");
    open_spool(f);
    assert_next(f, "one");
    save(f, 1);
    /* Not unlinked: its inode might come back at once. */
    char gone[sizeof(f->path) + 8];
    (void)snprintf(gone, sizeof(gone), "%s/gone", f->path);
    assert_int_equal(rename(f->file, gone), 0);
    append(f->file, "one\n");
    open_spool(f);
    assert_true(f->known);
    assert_null(f->spool.file);
    assert_int_equal(unlink(gone), 0);
}

static void test_eve_spool__packed_files_are_not_read(void **state)
{
    struct folder *f = *state;
    char packed[sizeof(f->rotated) + 4];
    (void)snprintf(packed, sizeof(packed), "%s.gz", f->rotated);
    append(f->file, "one\n");
    open_spool(f);
    assert_next(f, "one");
    assert_int_equal(rename(f->file, f->rotated), 0);
    append(packed, "no line\n");
    append(f->file, "two\n");
    pass_quiet_time(f);
    assert_next(f, "two");
    assert_int_equal(unlink(packed), 0);
}

static void test_eve_spool__a_torn_state_is_told(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\n");
    open_spool(f);
    assert_next(f, "one");
    save(f, 1);
    char text[512];
    FILE *file = fopen(f->state, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(size, 100, sizeof(text) - 1);
    text[size] = '\0';
    const char *position = strstr(text, "position ");
    assert_non_null(position);
    size_t whole = (size_t)(position - text) + strlen("position ") + 1;
    for (size_t cut = 0; cut < whole; cut++) {
        struct vg_error error;
        vg_error_init(&error, NULL);
        vg_eve_spool_close(&f->spool);
        assert_int_equal(truncate(f->state, 0), 0);
        file = fopen(f->state, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, cut, file), cut);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(vg_eve_spool_open(&f->spool, f->file, NULL, &f->known, &error), VG_CONFIG);
        assert_non_null(strstr(error.message, "is no state of an agent"));
    }
}

/* A crash between writing the new state and its name: the old one holds. */
static void test_eve_spool__a_state_that_was_not_renamed_is_none(void **state)
{
    struct folder *f = *state;
    append(f->file, "one\ntwo\n");
    open_spool(f);
    assert_next(f, "one");
    save(f, 1);
    char torn[sizeof(f->state) + 8];
    (void)snprintf(torn, sizeof(torn), "%s.new", f->state);
    append(torn, "vigil agent 1\nfile 1");
    open_spool(f);
    assert_int_equal(f->spool.at.position, 1);
    assert_next(f, "two");
    save(f, 2); /* over the torn one */
    open_spool(f);
    assert_int_equal(f->spool.at.position, 2);
    assert_int_not_equal(access(torn, F_OK), 0);
}

static void test_eve_spool__looks_back_over_whole_lines(void **state)
{
    struct folder *f = *state;
    enum { LINES = 40000 };
    FILE *file = fopen(f->file, "wb");
    assert_non_null(file);
    for (unsigned i = 0; i < LINES; i++) {
        (void)fprintf(file, "line %05u\n", i);
    }
    assert_int_equal(fclose(file), 0);
    open_spool(f);
    for (unsigned i = 0; i < LINES - 1; i++) {
        struct vg_bytes line;
        while (vg_eve_spool_next(&f->spool, &line) != VG_EVE_SPOOL_LINE) {
        }
    }
    uint64_t from = UINT64_MAX;
    struct vg_bytes line;
    unsigned count = 0;
    while (vg_eve_spool_look_back(&f->spool, &from, &line)) {
        assert_int_equal(line.size, 11);
        assert_memory_equal(line.data, "line ", 5);
        count++;
    }
    assert_in_range(count, VG_EVE_SPOOL_BACK_BYTES / 11 - 1, VG_EVE_SPOOL_BACK_BYTES / 11);
    assert_next(f, "line 39999"); /* and goes on where it was */
}

static void test_eve_spool__paths_have_their_length(void **state)
{
    struct folder *f = *state;
    char path[VG_EVE_SPOOL_PATH_SIZE + 1];
    memset(path, 'p', sizeof(path));
    path[VG_EVE_SPOOL_PATH_SIZE - 16] = '\0';
    assert_int_equal(vg_eve_spool_open(&f->spool, path, f->state, &f->known, NULL), VG_CONFIG);
    path[VG_EVE_SPOOL_PATH_SIZE - 17] = '\0';
    assert_int_equal(vg_eve_spool_open(&f->spool, path, f->state, &f->known, NULL), VG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(test_eve_spool__##name, set_up, tear_down)
        CASE(a_truncated_file_that_outgrew_its_place_is_known_by_its_start),
        CASE(half_lines_wait_for_their_rest),
        CASE(a_renamed_file_is_read_to_its_end),
        CASE(goes_on_in_a_file_renamed_meanwhile),
        CASE(truncated_in_place),
        CASE(truncated_and_grown_while_nobody_looked),
        CASE(an_inode_that_is_gone),
        CASE(packed_files_are_not_read),
        CASE(a_torn_state_is_told),
        CASE(a_state_that_was_not_renamed_is_none),
        CASE(looks_back_over_whole_lines),
        CASE(paths_have_their_length),
#undef CASE
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
