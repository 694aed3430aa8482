/*
 * The list of dispatch steps, implementing rpc/service/call.h:
 *
 *     FIND → AUTHENTICATE → QUOTA → READ → VALIDATE → ALLOW → RUN → REPLY
 *
 * Threads: see call.h.
 */
#ifndef VG_RPC_SERVICE_DISPATCH_H
#define VG_RPC_SERVICE_DISPATCH_H

#include "proto/contract_json.h"
#include "rpc/service/call.h"

#endif
