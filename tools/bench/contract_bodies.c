#include "tools/bench/contract_bodies.h"

static void append_properties(struct vg_buffer *out, unsigned properties)
{
    static const char *const long_values[] = {
        "GET /index.php?session=4711&page=news HTTP/1.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:91.0)",
        "application/x-www-form-urlencoded",
        "sensor-17.dmz.example.org",
    };
    for (unsigned i = 0; i < properties; i++) {
        const char *comma = i == 0 ? "" : ",";
        if (properties <= 8) {
            vg_buffer_printf(out, "%s\"http.field%u\":[\"%s\"]", comma, i, long_values[i % 4]);
        } else {
            vg_buffer_printf(out, "%s\"flow.p%u\":\"v%u\"", comma, i, 1000 + 7 * i);
        }
    }
}

void vg_body_submission(struct vg_buffer *out, unsigned properties, unsigned serial)
{
    vg_buffer_printf(
        out,
        "{\"id\":{\"type\":\"aggregated\",\"customer\":\"demo\",\"timestamp\":%llu,"
        "\"uuid\":\"6c36deb6-d5e3-461c-bab4-%012x\"},\"startTimestamp\":1569185283910,"
        "\"endTimestamp\":\"2019-09-22T20:48:03.910Z\",\"signature\":\"ET MALWARE Beacon %u\","
        "\"severity\":\"high\",\"count\":3,\"location\":\"oslo\",\"protocol\":\"tcp\",",
        1569185283911ULL + serial,
        serial,
        serial % 50);
    vg_buffer_printf(
        out,
        "\"source\":{\"ip\":\"10.5.97.%u\",\"port\":%u,\"host\":\"client-%u.example.org\"},"
        "\"destination\":{\"ip\":\"94.127.56.1\",\"port\":443,\"geoLocation\":{\"countryCode\":"
        "\"NO\","
        "\"latitude\":59.9127,\"longitude\":10.7461}},\"properties\":{",
        serial % 250,
        1024 + serial % 60000,
        serial % 900);
    append_properties(out, properties);
    vg_buffer_append_text(out, "},\"uri\":\"https://example.org/a/b/c?d=e\",\"finalized\":true}");
}

void vg_body_bulk(struct vg_buffer *out, unsigned events)
{
    vg_buffer_append_text(out, "{\"events\":[");
    for (unsigned i = 0; i < events; i++) {
        vg_buffer_append_text(out, i == 0 ? "" : ",");
        vg_body_submission(out, 8, i);
    }
    vg_buffer_append_text(out, "],\"onError\":\"rejectAll\"}");
}

void vg_body_event(struct vg_buffer *out)
{
    vg_buffer_append_text(
        out,
        "{\"id\":\"AGGR/1569185283911/2171/"
        "6c36deb6-d5e3-461c-bab4-fca397006cb9\",\"type\":\"aggregated\","
        "\"uuid\":\"6c36deb6-d5e3-461c-bab4-fca397006cb9\","
        "\"customer\":{\"id\":2171,\"name\":\"Demo\",\"shortName\":\"demo\",\"domain\":{\"id\":1,"
        "\"name\":\"example\"}},"
        "\"alarm\":{\"id\":58129,\"shortName\":\"beacon\",\"description\":\"Malware beacon seen on "
        "the network\"},"
        "\"attackCategory\":{\"id\":363,\"shortName\":\"callback\",\"name\":\"Callback traffic "
        "(check-in)\"},"
        "\"signature\":{\"name\":\"SNORT-1:41336\"},\"associatedCases\":null,\"comments\":null,"
        "\"properties\":["
        "{\"key\":\"http_protocol\",\"type\":null,\"values\":[\"HTTP/1.1\"]},"
        "{\"key\":\"event.original.signature\",\"type\":null,\"values\":[\"SNORT-1:41336\"]},"
        "{\"key\":\"agent.parseTimestamp\",\"type\":null,\"values\":[\"1569185281851\"]}],"
        "\"subEvents\":null,"
        "\"count\":1,\"severity\":\"high\",\"uri\":\"https://example.org/"
        "a\",\"domain\":\"example.org\",");
    vg_buffer_append_text(
        out,
        "\"source\":{\"address\":\"10.5.97.201\",\"host\":null,\"user\":null,\"port\":12342,"
        "\"geoInfo\":null,\"flags\":[]},"
        "\"destination\":{\"address\":\"94.127.56.1\",\"host\":null,\"user\":null,\"port\":80,"
        "\"geoInfo\":{"
        "\"countryCode\":\"NO\",\"countryName\":\"Norway\",\"locationName\":\"\",\"latitude\":52."
        "3824,"
        "\"longitude\":4.8995},\"flags\":[]},"
        "\"location\":{\"id\":3,\"name\":\"Oslo\",\"shortName\":\"oslo\"},\"protocol\":\"tcp\","
        "\"sensor\":{\"id\":12,\"hostName\":\"sensor.example.org\",\"ip\":\"10.0.0.1\"},"
        "\"flags\":[\"blocked\",\"finalized\",\"established\"],\"timestamps\":{\"created\":"
        "1569185283911,"
        "\"enginePersisted\":1569185284000,\"firstAssessed\":null,\"firstEvent\":1569185283910,"
        "\"firstNotified\":null,\"lastEvent\":1569185283910,\"lastUpdated\":1569186046339,"
        "\"published\":null}}");
}
