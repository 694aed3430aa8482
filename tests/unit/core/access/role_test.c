#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/access/role.h"
#include "core/base/compiler.h"
#include "proto/contract_json.h"

#include "vigil/options.pb-c.h"
#include "vigil/record/v1/words.pb-c.h"

#define VIEWER                                                                                     \
    "viewSamples viewSampleSubmission viewSampleAnalysis viewSampleVerdicts viewAnalysisJobs "     \
    "downloadSample downloadRawSample"
#define USER VIEWER " submitSample addSampleSubmission"

/* The roles by their documented words, and their functions by theirs; ADMIN holds everything. */
static const struct {
    const char *role;
    bool writes;
    const char *functions;
} rows[] = {
    { "SAMPLEDB-VIEWER", false, VIEWER },
    { "SAMPLEDB-UPLOADER", true, "submitSample" },
    { "SAMPLEDB-USER", true, USER },
    { "SAMPLEDB-ANALYZER",
      true,
      USER " addSampleAnalysis addSampleAnalysisEvidence addSampleVerdict addSampleFact "
           "updateAnalysisJob reclassifySample reanalyseSample viewAnalysisPolicy "
           "viewAnalysisWorker" },
    { "EVENT-VIEWER", false, "eventLookup viewEventsByCase" },
    { "CASE-VIEWER", false, "viewEventsByCase" },
    { "EVENT-SUBMITTER", true, "submitEvent" },
    { "EVENT-ANALYST", true, "eventLookup viewEventsByCase assessEvents" },
};

/* The bits of words divided by blanks. */
static uint64_t functions_of(const char *words)
{
    uint64_t functions = 0;
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        int32_t number = vg_contract_find_word(&vg_words_vigil_permission, words, size);
        if (number == 0) {
            fail_msg("no function is called so: %s", words);
        }
        functions |= UINT64_C(1) << number;
        words += size + (words[size] == ' ' ? 1 : 0);
    }
    return functions;
}

static uint32_t bit_of(const char *role)
{
    int32_t number = vg_contract_find_word(&vg_words_vigil_record_v1_role, role, strlen(role));
    assert_int_not_equal(number, 0);
    return UINT32_C(1) << number;
}

static void test_role__each_holds_its_documented_functions(void **state)
{
    (void)state;
    for (size_t i = 0; i < VG_ARRAY_COUNT(rows); i++) {
        uint32_t role = bit_of(rows[i].role);
        if (vg_role_functions(role) != functions_of(rows[i].functions)) {
            fail_msg("%s holds other functions", rows[i].role);
        }
        if (vg_role_writes(role) != rows[i].writes) {
            fail_msg("%s writes or not", rows[i].role);
        }
    }
    /* All of them and ADMIN: nobody was left out above. */
    assert_int_equal(
        VG_ARRAY_COUNT(rows) + 1,
        vigil__record__v1__role__descriptor.n_values - 1 /* unspecified */);
}

static void test_role__admin_holds_every_function(void **state)
{
    (void)state;
    uint64_t functions = vg_role_functions(bit_of("ADMIN"));
    const ProtobufCEnumDescriptor *all = &vigil__permission__descriptor;
    for (unsigned i = 0; i < all->n_values; i++) {
        uint64_t bit = UINT64_C(1) << all->values[i].value;
        assert_int_equal((functions & bit) != 0, all->values[i].value != 0);
    }
    assert_true(vg_role_writes(bit_of("ADMIN")));
}

static void test_role__several_add_up(void **state)
{
    (void)state;
    uint32_t roles = bit_of("EVENT-SUBMITTER") | bit_of("CASE-VIEWER");
    assert_int_equal(vg_role_functions(roles), functions_of("submitEvent viewEventsByCase"));
    assert_true(vg_role_writes(roles));
    assert_false(vg_role_writes(bit_of("EVENT-VIEWER") | bit_of("CASE-VIEWER")));
    assert_int_equal(vg_role_functions(0), 0);
    assert_false(vg_role_writes(0));
    assert_int_equal(vg_role_functions(UINT32_C(1) << 31), 0); /* no such role */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_role__each_holds_its_documented_functions),
        cmocka_unit_test(test_role__admin_holds_every_function),
        cmocka_unit_test(test_role__several_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
