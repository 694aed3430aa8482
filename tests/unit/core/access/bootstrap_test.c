#include <errno.h>
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

#include "core/access/access.h"
#include "core/access/bootstrap.h"
#include "core/store/store_fault.h"
#include "core/store/store_memory.h"
#include "tests/support/directory_fixture.h"

#define NOW VG_DIRECTORY_FIXTURE_TIME

struct setting {
    struct vg_directory_fixture fixture; /* its store can fail */
    struct vg_random_seeded random;
    char data_dir[64];
    char key_path[96];
};

static int open_setting(void **state)
{
    static struct setting setting;
    (void)snprintf(setting.data_dir, sizeof(setting.data_dir), "/tmp/vigil-bootstrap-XXXXXX");
    assert_non_null(mkdtemp(setting.data_dir));
    (void)snprintf(setting.key_path, sizeof(setting.key_path), "%s/admin.key", setting.data_dir);
    setting.fixture.store = vg_store_fault_open(vg_store_memory_open(1));
    assert_int_equal(
        vg_directory_create(setting.fixture.store, &setting.fixture.directory, NULL),
        VG_OK);
    vg_random_seeded_init(&setting.random, 7);
    *state = &setting;
    return 0;
}

static int close_setting(void **state)
{
    struct setting *setting = *state;
    vg_directory_fixture_close(&setting->fixture);
    vg_random_seeded_dispose(&setting->random);
    (void)unlink(setting->key_path);
    assert_int_equal(rmdir(setting->data_dir), 0); /* nothing else was left there */
    return 0;
}

static enum vg_reason bootstrap(struct setting *setting, const char *data_dir)
{
    return vg_access_bootstrap(
        setting->fixture.directory,
        setting->fixture.store,
        &(struct vg_access_bootstrap){ .data_dir = data_dir,
                                       .domain_name = "example.com",
                                       .random = &setting->random.random,
                                       .now = NOW },
        NULL);
}

/* The key in the file, without its line end. */
static void read_key(struct setting *setting, char *out_text, size_t size)
{
    FILE *file = fopen(setting->key_path, "r");
    assert_non_null(file);
    assert_non_null(fgets(out_text, (int)size, file));
    assert_int_equal(fgetc(file), EOF); /* one line, nothing else */
    (void)fclose(file);
    size_t length = strlen(out_text);
    assert_int_equal(out_text[length - 1], '\n');
    out_text[length - 1] = '\0';
}

static enum vg_reason authenticate(
    struct setting *setting,
    const char *credential,
    const struct vg_principal **out_principal)
{
    struct vg_access *access = NULL;
    struct vg_network peer;
    assert_true(vg_network_parse(vg_bytes_text("127.0.0.1"), &peer));
    assert_int_equal(vg_access_create(setting->fixture.directory, &access, NULL), VG_OK);
    enum vg_reason reason = vg_access_authenticate(
        access,
        vg_bytes_text(credential),
        NULL,
        &peer,
        NOW,
        out_principal,
        NULL);
    vg_access_destroy(access);
    return reason;
}

static void test_bootstrap__the_key_in_the_file_opens_everything(void **state)
{
    struct setting *setting = *state;
    mode_t old = umask(0277); /* neither a strict nor a lax umask changes the mode */
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    (void)umask(old);
    struct stat status;
    assert_int_equal(stat(setting->key_path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    char key[128];
    read_key(setting, key, sizeof(key));
    for (int round = 0; round < 2; round++) {
        const struct vg_principal *principal = NULL;
        assert_int_equal(authenticate(setting, key, &principal), VG_OK);
        assert_true(principal->all_customers);
        assert_string_equal(principal->user_name, VG_ACCESS_ADMIN_SHORT_NAME);
        assert_int_equal(principal->customer_id, VG_ACCESS_OPERATOR_ID);
        assert_int_equal(principal->functions, ~UINT64_C(1));
        assert_int_equal(principal->key_expires, 0);
        vg_principal_unref(principal);
        vg_directory_fixture_reload(&setting->fixture); /* and after a start */
    }
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(setting->fixture.directory);
    const struct vg_customer *customer = vg_directory_customer(snapshot, VG_ACCESS_OPERATOR_ID);
    assert_string_equal(customer->short_name, VG_ACCESS_OPERATOR_SHORT_NAME);
    assert_string_equal(customer->domain_name, "example.com");
    assert_int_equal(customer->domain_id, VG_DIRECTORY_DOMAIN_ID);
    vg_directory_snapshot_unref(snapshot);
}

static void test_bootstrap__a_second_start_changes_nothing(void **state)
{
    struct setting *setting = *state;
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    char first[128];
    char second[128];
    read_key(setting, first, sizeof(first));
    vg_directory_fixture_reload(&setting->fixture);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    read_key(setting, second, sizeof(second));
    assert_string_equal(first, second);
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(setting->fixture.directory);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_KEY), 1);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_USER), 1);
    vg_directory_snapshot_unref(snapshot);
}

static void test_bootstrap__a_directory_in_use_is_left_alone(void **state)
{
    struct setting *setting = *state;
    vg_directory_fixture_customer(&setting->fixture, 1, "someone", 0);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    assert_int_equal(access(setting->key_path, F_OK), -1);
}

/* The write is lost after the file was made: the next start makes a new key and the file has it. */
static void test_bootstrap__a_start_that_was_cut_off_is_made_up_for(void **state)
{
    struct setting *setting = *state;
    vg_store_fault_set(setting->fixture.store, VG_FAULT_APPLY_LOST, 0, 1);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_STORE_UNKNOWN);
    char lost[128];
    read_key(setting, lost, sizeof(lost));
    assert_int_equal(vg_store_reopen(setting->fixture.store, NULL), VG_OK);
    vg_directory_fixture_reload(&setting->fixture);
    const struct vg_principal *principal = NULL;
    assert_int_equal(authenticate(setting, lost, &principal), VG_AUTHENTICATION_FAILED);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    char key[128];
    read_key(setting, key, sizeof(key));
    assert_string_not_equal(key, lost);
    assert_int_equal(authenticate(setting, key, &principal), VG_OK);
    vg_principal_unref(principal);
}

static void test_bootstrap__without_a_place_for_the_key_nothing_is_stored(void **state)
{
    struct setting *setting = *state;
    char missing[128];
    (void)snprintf(missing, sizeof(missing), "%s/missing", setting->data_dir);
    assert_int_equal(bootstrap(setting, missing), VG_STORE_IO);
    vg_directory_fixture_reload(&setting->fixture);
    const struct vg_directory_snapshot *snapshot =
        vg_directory_snapshot(setting->fixture.directory);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_CUSTOMER), 0);
    assert_int_equal(vg_directory_count(snapshot, VG_DIRECTORY_KEY), 0);
    vg_directory_snapshot_unref(snapshot);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
}

/* What a cut-off start left under the temporary name, even a link, is not followed. */
static void test_bootstrap__what_lies_under_the_temporary_name_is_replaced(void **state)
{
    struct setting *setting = *state;
    char temporary[128];
    char target[128];
    (void)snprintf(temporary, sizeof(temporary), "%s/admin.key.new", setting->data_dir);
    (void)snprintf(target, sizeof(target), "%s/target", setting->data_dir);
    int file = open(target, O_CREAT | O_WRONLY, 0644);
    assert_true(file >= 0);
    (void)close(file);
    assert_int_equal(symlink(target, temporary), 0);
    assert_int_equal(bootstrap(setting, setting->data_dir), VG_OK);
    struct stat status;
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(lstat(setting->key_path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(unlink(target), 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(test_bootstrap__##name, open_setting, close_setting)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_in_the_file_opens_everything),
        TEST(a_second_start_changes_nothing),
        TEST(a_directory_in_use_is_left_alone),
        TEST(a_start_that_was_cut_off_is_made_up_for),
        TEST(without_a_place_for_the_key_nothing_is_stored),
        TEST(what_lies_under_the_temporary_name_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
