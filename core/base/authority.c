#include "core/base/authority.h"

#include <string.h>
#include <strings.h>

#define PORT_MAX 65535

static bool is_name_byte(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || memchr("-._~%", byte, 5) != NULL;
}

static bool read_port(struct vg_bytes text, int32_t *out_port)
{
    int32_t port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        port = port * 10 + (text.data[i] - '0');
        if (port > PORT_MAX) {
            return false;
        }
    }
    *out_port = text.size == 0 ? -1 : port; /* RFC 3986 §3.2.3: the port may be empty */
    return true;
}

/* Split off ":port". */
static bool split(struct vg_bytes text, struct vg_bytes *out_name, int32_t *out_port)
{
    const uint8_t *colon = text.size == 0 ? NULL : memchr(text.data, ':', text.size);
    *out_port = -1;
    *out_name = vg_bytes(text.data, colon == NULL ? text.size : (size_t)(colon - text.data));
    return colon == NULL ||
           read_port(vg_bytes(colon + 1, text.size - out_name->size - 1), out_port);
}

static bool parse_bracketed(struct vg_bytes text, struct vg_authority *authority)
{
    const uint8_t *end = memchr(text.data, ']', text.size);
    if (end == NULL) {
        return false;
    }
    authority->name = vg_bytes(text.data + 1, (size_t)(end - text.data) - 1);
    struct vg_bytes behind = vg_bytes(end + 1, text.size - authority->name.size - 2);
    return vg_network_parse(authority->name, &authority->address) &&
           memchr(authority->name.data, '/', authority->name.size) == NULL &&
           memchr(authority->name.data, ':', authority->name.size) != NULL &&
           (behind.size == 0 ||
            (behind.data[0] == ':' &&
             read_port(vg_bytes(behind.data + 1, behind.size - 1), &authority->port)));
}

bool vg_authority_parse(struct vg_bytes text, struct vg_authority *out_authority)
{
    struct vg_authority authority = { .port = -1 };
    if (text.size > 0 && text.data[0] == '[') {
        if (!parse_bracketed(text, &authority)) {
            return false;
        }
        *out_authority = authority;
        return true;
    }
    if (!split(text, &authority.name, &authority.port) || authority.name.size == 0) {
        return false;
    }
    for (size_t i = 0; i < authority.name.size; i++) {
        if (!is_name_byte(authority.name.data[i])) {
            return false;
        }
    }
    (void)!vg_network_parse(authority.name, &authority.address); /* a name is none */
    *out_authority = authority;
    return true;
}

static bool is_same(struct vg_bytes name, struct vg_bytes word)
{
    return name.size == word.size &&
           strncasecmp((const char *)name.data, (const char *)word.data, name.size) == 0;
}

static bool fits(struct vg_bytes name, struct vg_bytes word)
{
    if (word.data[0] == '.') {
        return name.size > word.size &&
               is_same(vg_bytes(name.data + name.size - word.size, word.size), word);
    }
    return (word.size == 1 && word.data[0] == '*') || is_same(name, word);
}

/* Names may end with the dot of the root. */
static struct vg_bytes without_root(struct vg_bytes name)
{
    if (name.size > 1 && name.data[name.size - 1] == '.') {
        name.size--;
    }
    return name;
}

bool vg_authority_is_listed(struct vg_bytes name, const char *list)
{
    static const char marks[] = ", \t";
    name = without_root(name);
    while (*(list += strspn(list, marks)) != 0) {
        size_t size = strcspn(list, marks);
        if (fits(name, vg_bytes(list, size))) {
            return true;
        }
        list += size;
    }
    return false;
}

bool vg_authority_is_local(const struct vg_authority *authority)
{
    struct vg_bytes name = without_root(authority->name);
    return authority->address.family != VG_NETWORK_NONE ||
           memchr(name.data, '.', name.size) == NULL ||
           vg_authority_is_listed(name, "localhost .localhost");
}
