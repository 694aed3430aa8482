/* The methods our clients call are those of the contract, with its messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/compiler.h"
#include "tools/client/client_method.h"

#include "vigil/account/v1/account.pb-c.h"
#include "vigil/admin/v1/service.pb-c.h"
#include "vigil/events/v1/service.pb-c.h"
#include "vigil/events/v2/service.pb-c.h"
#include "vigil/events/v2/stream.pb-c.h"
#include "vigil/sampledb/v2/sample_service.pb-c.h"
#include "vigil/sampledb/v2/submission_service.pb-c.h"

static const ProtobufCServiceDescriptor *const services[] = {
    &vigil__account__v1__account_service__descriptor,
    &vigil__admin__v1__admin_service__descriptor,
    &vigil__events__v1__event_service__descriptor,
    &vigil__events__v2__event_service__descriptor,
    &vigil__events__v2__event_stream__descriptor,
    &vigil__sampledb__v2__sample_service__descriptor,
    &vigil__sampledb__v2__submission_service__descriptor,
};

/* What protoc-c says about the method of that path; NULL when there is none. */
static const ProtobufCMethodDescriptor *describe(const char *path)
{
    for (size_t i = 0; i < VG_ARRAY_COUNT(services); i++) {
        size_t size = strlen(services[i]->name);
        if (path[0] == '/' && strncmp(path + 1, services[i]->name, size) == 0 &&
            path[1 + size] == '/') {
            return protobuf_c_service_descriptor_get_method_by_name(services[i], path + size + 2);
        }
    }
    return NULL;
}

static void test_client_method__paths_and_messages_are_those_of_the_contract(void **state)
{
    (void)state;
    for (int i = 0; i < VG_CLIENT_METHOD_COUNT; i++) {
        const struct vg_client_method_row *row = vg_client_method_row((enum vg_client_method)i);
        print_message("%s\n", row->path);
        const ProtobufCMethodDescriptor *method = describe(row->path);
        assert_non_null(method);
        assert_ptr_equal(row->request->descriptor, method->input);
        assert_ptr_equal(row->answer->descriptor, method->output);
    }
}

static void test_client_method__what_adds_is_not_repeated(void **state)
{
    (void)state;
    for (int i = 0; i < VG_CLIENT_METHOD_COUNT; i++) {
        const struct vg_client_method_row *row = vg_client_method_row((enum vg_client_method)i);
        const char *name = strrchr(row->path, '/') + 1;
        if (strcmp(name, "AddSubmission") == 0) {
            assert_true(row->repeatable); /* a challenge is answered once: again is the same */
        } else if (strncmp(name, "Add", 3) == 0 || strcmp(name, "SubmitEvent") == 0) {
            assert_false(row->repeatable);
        }
        if (strncmp(name, "Get", 3) == 0 || strncmp(name, "List", 4) == 0) {
            assert_true(row->repeatable);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_method__paths_and_messages_are_those_of_the_contract),
        cmocka_unit_test(test_client_method__what_adds_is_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
