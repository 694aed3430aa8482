/*
 * The address to listen on: text to socket, with errors an operator understands.
 *
 * Threads: start-up only.
 */
#ifndef VG_RPC_NET_LISTENER_H
#define VG_RPC_NET_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/compiler.h"
#include "core/base/error.h"

struct vg_listen_address {
    struct sockaddr_storage storage;
    socklen_t size;
};

/*
 * Read "HOST:PORT": an IPv4 address, an IPv6 address in brackets, or a name. Plain text beyond
 * loopback would show API keys to the network, so it needs `insecure`.
 *
 * Fails with: CONFIG.
 */
VG_MUST_USE enum vg_reason vg_listener_resolve(
    const char *text,
    bool insecure,
    struct vg_listen_address *out_address,
    struct vg_error *error);

/*
 * Open a socket bound to `address` that may share its port with others of this process. `first`:
 * check that no other process listens there (it could otherwise take half of the connections
 * unnoticed), and write the port that was picked into *address.
 *
 * Fails with: CONFIG (in use, not permitted, not an address of this machine), RESOURCE_LIMIT.
 */
VG_MUST_USE enum vg_reason vg_listener_bind(
    struct vg_listen_address *address,
    bool first,
    int *out_socket,
    struct vg_error *error);

/* The port of an IPv4 or IPv6 address. */
uint16_t vg_listener_port(const struct sockaddr_storage *address);

#endif
