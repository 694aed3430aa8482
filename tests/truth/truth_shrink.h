/*
 * Makes a request that fails smaller: leaves out members, elements of lists and inner messages for
 * as long as it goes on failing. Works on any message, by its descriptor.
 *
 * Threads: the message's owner.
 */
#ifndef VG_TESTS_TRUTH_TRUTH_SHRINK_H
#define VG_TESTS_TRUTH_TRUTH_SHRINK_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

/* Must tell whether the request, as it is now, still fails. */
typedef bool truth_fails(void *owner);

/* `message` is the request or a part of it. */
void truth_shrink(ProtobufCMessage *message, truth_fails *fails, void *owner);

#endif
