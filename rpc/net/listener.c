#include "rpc/net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/network.h"

#define VG_LISTENER_HOST_MAX 255u

/* Split "HOST:PORT" at its last colon and take brackets off; false when it has no such form. */
static bool listener_split(const char *text, char host[VG_LISTENER_HOST_MAX + 1], const char **port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0') {
        return false;
    }
    size_t size = (size_t)(colon - text);
    if (text[0] == '[') {
        if (size < 3 || text[size - 1] != ']') {
            return false;
        }
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false;
    }
    if (size > VG_LISTENER_HOST_MAX) {
        return false;
    }
    memcpy(host, text, size);
    host[size] = '\0';
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || digit - colon > 5) {
            return false;
        }
    }
    *port = colon + 1;
    return true;
}

enum vg_reason vg_listener_resolve(
    const char *text,
    bool insecure,
    struct vg_listen_address *out_address,
    struct vg_error *error)
{
    char host[VG_LISTENER_HOST_MAX + 1];
    const char *port;
    if (!listener_split(text, host, &port) || strtoul(port, NULL, 10) > UINT16_MAX) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "cannot listen on \"%s\": expected HOST:PORT or [IPv6]:PORT",
            text);
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int status = getaddrinfo(host, port, &hints, &found);
    if (status != 0) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "cannot listen on %s: %s",
            text,
            gai_strerror(status));
    }
    struct vg_listen_address address = { .size = found->ai_addrlen };
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    struct vg_network network;
    if (!vg_network_from_sockaddr((const struct sockaddr *)&address.storage, &network)) {
        return vg_error_set(error, VG_CONFIG, "cannot listen on %s: not an IP address", text);
    }
    if (!insecure && !vg_network_is_loopback(&network)) {
        return vg_error_set(
            error,
            VG_CONFIG,
            "refusing plain text on %s: anyone on the way could read the API keys. Listen on a "
            "loopback address, or say --insecure",
            text);
    }
    *out_address = address;
    return VG_OK;
}

uint16_t vg_listener_port(const struct sockaddr_storage *address)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    if (address->ss_family == AF_INET6) {
        memcpy(&six, address, sizeof(six));
        return ntohs(six.sin6_port);
    }
    memcpy(&four, address, sizeof(four));
    return ntohs(four.sin_port);
}

static enum vg_reason listener_failed(
    const struct vg_listen_address *address,
    int number,
    struct vg_error *error)
{
    struct vg_network network;
    char text[VG_NETWORK_TEXT_SIZE] = "";
    if (vg_network_from_sockaddr((const struct sockaddr *)&address->storage, &network)) {
        (void)vg_network_print(&network, text);
    }
    enum vg_reason reason =
        number == EMFILE || number == ENFILE || number == ENOMEM || number == ENOBUFS
            ? VG_RESOURCE_LIMIT
            : VG_CONFIG;
    const bool six = address->storage.ss_family == AF_INET6;
    return vg_error_set(
        error,
        reason,
        "cannot listen on %s%s%s:%u: %s",
        six ? "[" : "",
        text,
        six ? "]" : "",
        vg_listener_port(&address->storage),
        strerrordesc_np(number));
}

/* 0, or the errno of what failed. */
static int listener_open(const struct vg_listen_address *address, bool share, int *out_socket)
{
    int handle = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (handle < 0) {
        return errno;
    }
    int on = 1;
    int failed = 0;
    if (setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (share && setsockopt(handle, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) ||
        bind(handle, (const struct sockaddr *)&address->storage, address->size) != 0) {
        failed = errno;
        (void)close(handle);
        return failed;
    }
    *out_socket = handle;
    return 0;
}

enum vg_reason vg_listener_bind(
    struct vg_listen_address *address,
    bool first,
    int *out_socket,
    struct vg_error *error)
{
    int handle = -1;
    if (first && vg_listener_port(&address->storage) != 0) {
        int failed = listener_open(address, false, &handle);
        if (failed != 0) {
            return listener_failed(address, failed, error);
        }
        (void)close(handle);
    }
    int failed = listener_open(address, true, &handle);
    if (failed == 0 && first) {
        address->size = sizeof(address->storage);
        if (getsockname(handle, (struct sockaddr *)&address->storage, &address->size) != 0) {
            failed = errno;
            (void)close(handle);
        }
    }
    if (failed != 0) {
        return listener_failed(address, failed, error);
    }
    *out_socket = handle;
    return VG_OK;
}
