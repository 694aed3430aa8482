#include "tests/truth/truth_match.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS (24 * 3600 * INT64_C(1000))

void truth_also(enum truth *all, bool matches)
{
    if (!matches) {
        *all = TRUTH_NO;
    } else if (*all == TRUTH_FREE) {
        *all = TRUTH_YES;
    }
}

void truth_rule_add(struct truth_rule *rule, enum truth element, bool exclude, bool required)
{
    if (element == TRUTH_FREE) {
        return; /* dropped before the rule is applied */
    }
    size_t hit = element == TRUTH_YES;
    if (exclude) {
        rule->excluding++;
        rule->excluding_hit += hit;
    } else if (required) {
        rule->required++;
        rule->required_hit += hit;
    } else {
        rule->plain++;
        rule->plain_hit += hit;
    }
}

enum truth truth_rule_result(const struct truth_rule *rule)
{
    if (rule->plain + rule->required + rule->excluding == 0) {
        return TRUTH_FREE;
    }
    bool matches = rule->required_hit == rule->required && rule->excluding_hit == 0 &&
                   (rule->plain == 0 || rule->plain_hit != 0);
    return matches ? TRUTH_YES : TRUTH_NO;
}

/* -------------------------------------------------------------------------------- who may what */

bool truth_caller_sees(const struct truth_caller *caller, int64_t customer)
{
    bool sees = caller->all_customers;
    for (size_t i = 0; i < caller->customer_count; i++) {
        sees = sees || caller->customers[i] == customer;
    }
    return sees;
}

const struct truth_case *truth_case_of(int64_t id)
{
    for (size_t i = 0; i < truth_case_count; i++) {
        if (truth_cases[i].id == id) {
            return &truth_cases[i];
        }
    }
    return NULL;
}

bool truth_caller_reads(const struct truth_caller *caller, int64_t case_id)
{
    const struct truth_case *one = truth_case_of(case_id);
    return one != NULL && (one->reader == caller->user ||
                           (caller->reads_cases && truth_caller_sees(caller, one->customer)));
}

/* --------------------------------------------------------------------------------------- times */

/* "now - 20 s + 500 ms": blanks anywhere, any case; days are 24 hours in UTC. */
static int64_t time_from_now(const char *text, int64_t now)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 },          { "s", 1000 },     { "seconds", 1000 },
                  { "min", 60000 },     { "h", 3600000 },  { "hour", 3600000 },
                  { "hours", 3600000 }, { "day", DAY_MS }, { "days", DAY_MS } };
    int64_t time = now;
    text += strncasecmp(text, "now", 3) == 0 ? 3 : 0;
    while (*(text += strspn(text, " ")) != 0) {
        int64_t sign = *text == '-' ? -1 : 1;
        char *end = NULL;
        int64_t number = strtoll(text + 1, &end, 10);
        end += strspn(end, " ");
        size_t size = strspn(end, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
            if (strlen(units[i].unit) == size && strncasecmp(end, units[i].unit, size) == 0) {
                time += sign * number * units[i].ms;
            }
        }
        text = end + size;
    }
    return time;
}

int64_t truth_time(const char *text, int64_t now)
{
    if (strspn(text, "0123456789") == strlen(text)) {
        return strtoll(text, NULL, 10);
    }
    if (!isdigit((unsigned char)text[0])) {
        return time_from_now(text, now);
    }
    struct tm parts = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL) {
        parts = (struct tm){ 0 };
        rest = strptime(text, "%Y-%m-%d", &parts);
    }
    int64_t ms = rest != NULL && *rest == '.' ? strtoll(rest + 1, NULL, 10) : 0;
    return (int64_t)timegm(&parts) * 1000 + ms;
}

struct truth_range truth_range_make(const char *start, const char *end, int64_t now)
{
    return (struct truth_range){
        .given = start != NULL || end != NULL,
        .start = start == NULL ? INT64_MIN : truth_time(start, now),
        .end = end == NULL ? INT64_MAX : truth_time(end, now),
    };
}

bool truth_in_range(const struct truth_range *range, int64_t time)
{
    return range->start <= time && time <= range->end;
}

bool truth_in_days(const struct truth_range *days, int64_t time)
{
    return days->start / DAY_MS <= time / DAY_MS && time / DAY_MS <= days->end / DAY_MS;
}

/* ------------------------------------------------------------------------------------ networks */

struct network {
    int family;
    int bits;
    uint8_t address[16];
};

static bool bits_agree(const struct network *a, const struct network *b, int bits)
{
    for (int i = 0; i < bits; i++) {
        int shift = 7 - i % 8;
        if (((a->address[i / 8] >> shift) & 1) != ((b->address[i / 8] >> shift) & 1)) {
            return false;
        }
    }
    return true;
}

static bool parse_network(const char *text, struct network *out)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (size >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, size);
    address[size] = 0;
    *out = (struct network){ .family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET };
    if (inet_pton(out->family, address, out->address) != 1) {
        return false;
    }
    int most = out->family == AF_INET6 ? 128 : 32;
    out->bits = most;
    if (slash != NULL) {
        char *end = NULL;
        long bits = strtol(slash + 1, &end, 10);
        if (!isdigit((unsigned char)slash[1]) || *end != 0 || bits < 0 || bits > most) {
            return false;
        }
        out->bits = (int)bits;
    }
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (out->family == AF_INET6 && out->bits >= 96 &&
        memcmp(out->address, mapped, sizeof(mapped)) == 0) {
        out->family = AF_INET;
        out->bits -= 96;
        memmove(out->address, out->address + 12, 4);
    }
    return true;
}

bool truth_is_network(const char *text)
{
    struct network network;
    return parse_network(text, &network);
}

bool truth_network_matches(const char *criterion, int min_bits, const char *stored)
{
    struct network asked;
    struct network has;
    if (stored == NULL || !parse_network(criterion, &asked) || !parse_network(stored, &has) ||
        asked.family != has.family) {
        return false;
    }
    int common = asked.bits < has.bits ? asked.bits : has.bits;
    if (!bits_agree(&asked, &has, common)) {
        return false; /* neither inside nor covering */
    }
    return min_bits < 0 || has.bits >= min_bits || has.bits == asked.bits;
}

/* ----------------------------------------------------------------------- ports, places, domains */

static bool parse_ports(const char *text, long *out_first, long *out_last)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    *out_first = *out_last = strtol(text, &end, 10);
    if (*end == '-' && isdigit((unsigned char)end[1])) {
        *out_last = strtol(end + 1, &end, 10);
    }
    return *end == 0 && *out_first <= 65535 && *out_last <= 65535;
}

bool truth_is_ports(const char *text)
{
    long first;
    long last;
    return parse_ports(text, &first, &last);
}

bool truth_ports_match(const char *criterion, int port)
{
    long first;
    long last;
    return port >= 0 && parse_ports(criterion, &first, &last) && first <= port && port <= last;
}

bool truth_country_matches(const char *criterion, const char *stored)
{
    return stored != NULL && strcasecmp(criterion, stored) == 0;
}

static size_t without_dot(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && text[size - 1] == '.' ? size - 1 : size;
}

bool truth_domain_matches(const char *criterion, const char *stored)
{
    if (stored == NULL) {
        return false;
    }
    size_t size = without_dot(criterion);
    return size == without_dot(stored) && strncasecmp(criterion, stored, size) == 0;
}

/* ---------------------------------------------------------------------- customers and identity */

bool truth_customer_matches(const char *text, int64_t customer)
{
    if (text[0] != 0 && strspn(text, "0123456789") == strlen(text)) {
        return strtoll(text, NULL, 10) == customer;
    }
    for (size_t i = 0; i < truth_customer_count; i++) {
        if (strcasecmp(text, truth_customers[i].name) == 0) {
            return truth_customers[i].id == customer;
        }
    }
    return false;
}

bool truth_in_production(int64_t customer)
{
    for (size_t i = 0; i < truth_customer_count; i++) {
        if (truth_customers[i].id == customer) {
            return truth_customers[i].production;
        }
    }
    return false;
}

bool truth_same_uuid(const char *text, const char *uuid)
{
    return strcasecmp(text, uuid) == 0;
}

bool truth_id_matches(const char *text, const struct truth_event *event)
{
    static const struct {
        const char *prefix;
        int type;
    } prefixes[] = {
        { "AGGR/", TRUTH_AGGREGATED },
        { "AGGRATTACK/", TRUTH_AGGREGATED },
        { "RAW/", TRUTH_RAW },
        { "NIDS/", TRUTH_RAW },
    };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (strncmp(text, prefixes[i].prefix, size) != 0) {
            continue;
        }
        char *end = NULL;
        int64_t timestamp = strtoll(text + size, &end, 10);
        int64_t customer = *end == '/' ? strtoll(end + 1, &end, 10) : 0;
        return event->type == prefixes[i].type && event->timestamp == timestamp &&
               event->customer == customer && *end == '/' && truth_same_uuid(end + 1, event->uuid);
    }
    return false;
}

bool truth_case_matches(
    const struct truth_caller *caller,
    int64_t asked,
    const struct truth_event *event)
{
    if (asked == 0) {
        return event->case_count == 0;
    }
    for (size_t i = 0; i < event->case_count; i++) {
        if (event->cases[i] == asked) {
            return truth_caller_reads(caller, asked);
        }
    }
    return false;
}

/* ---------------------------------------------------------------------------------- properties */

/* The next character of UTF-8 `*text`, moved behind it. The texts of these tests are well-formed.
 */
static unsigned next_character(const char **text)
{
    unsigned first = (unsigned char)*(*text)++;
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    unsigned character = more == 0 ? first : first & (0x3fu >> more);
    while (more-- > 0) {
        character = character << 6 | ((unsigned char)*(*text)++ & 0x3fu);
    }
    return character;
}

/* Letters and digits of ASCII and Latin-1, which is all that these tests write; 0 = neither. */
static unsigned word_character(unsigned character)
{
    if (character < 0x80) {
        return isalnum((int)character) ? (unsigned)tolower((int)character) : 0;
    }
    bool is_letter =
        character >= 0xc0 && character <= 0xff && character != 0xd7 && character != 0xf7;
    return !is_letter ? 0 : character < 0xdf ? character + 0x20 : character;
}

#define WORD_MAX 64

/* The next word of `*text`; its length, 0 at the end. */
static size_t next_word(const char **text, unsigned word[WORD_MAX])
{
    size_t size = 0;
    while (**text != 0) {
        unsigned character = word_character(next_character(text));
        if (character != 0 && size < WORD_MAX) {
            word[size++] = character;
        } else if (character == 0 && size != 0) {
            break;
        }
    }
    return size;
}

static bool has_word(const char *value, const unsigned *word, size_t size)
{
    unsigned other[WORD_MAX];
    for (size_t length; (length = next_word(&value, other)) != 0;) {
        if (length == size && memcmp(word, other, size * sizeof(*word)) == 0) {
            return true;
        }
    }
    return false;
}

static bool value_matches(const char *criterion, const char *value, bool tokenized)
{
    if (!tokenized) {
        return strcmp(criterion, value) == 0;
    }
    /* What has no words asks for nothing that could be found (the engine's decision: a criterion
     * must not widen a search silently). */
    unsigned word[WORD_MAX];
    bool any = false;
    for (size_t size; (size = next_word(&criterion, word)) != 0; any = true) {
        if (!has_word(value, word, size)) {
            return false;
        }
    }
    return any;
}

bool truth_property_matches(
    const struct truth_event *event,
    const char *key,
    const char *value,
    bool tokenized)
{
    for (size_t i = 0; i < event->property_count; i++) {
        const struct truth_property *property = &event->properties[i];
        if (key != NULL && strcmp(key, property->key) != 0) {
            continue;
        }
        for (size_t v = 0; v < property->value_count; v++) {
            const char *stored =
                property->values[v] != NULL ? property->values[v] : property->number;
            if (value_matches(value, stored, tokenized)) {
                return true;
            }
        }
    }
    return false;
}

bool truth_has_key(const struct truth_event *event, const char *key)
{
    for (size_t i = 0; i < event->property_count; i++) {
        if (strcmp(key, event->properties[i].key) == 0) {
            return true;
        }
    }
    return false;
}
