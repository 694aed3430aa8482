/*
 * Field numbers of vigil.record.v1.Event and of the messages in it, for the code that packs and
 * reads records and makes answers from their bytes. A test compares them with the .proto.
 *
 * Threads: constants.
 */
#ifndef VG_CORE_RECORD_EVENT_RECORD_FIELD_H
#define VG_CORE_RECORD_EVENT_RECORD_FIELD_H

/* Numbers below 100 are those of vigil.events.v2.Event. */
enum vg_event_record_field {
    VG_EVENT_FIELD_ID = 1,       /* in answers only, from the key */
    VG_EVENT_FIELD_TYPE = 2,     /* likewise */
    VG_EVENT_FIELD_UUID = 3,     /* likewise */
    VG_EVENT_FIELD_CUSTOMER = 4, /* in answers only, from the directory */
    VG_EVENT_FIELD_ALARM = 5,
    VG_EVENT_FIELD_ATTACK_CATEGORY = 6,
    VG_EVENT_FIELD_SIGNATURE = 7,
    VG_EVENT_FIELD_ASSOCIATED_CASES = 8, /* in answers only, from the directory */
    VG_EVENT_FIELD_COMMENTS = 9,
    VG_EVENT_FIELD_PROPERTIES = 10,
    VG_EVENT_FIELD_SUB_EVENTS = 11,
    VG_EVENT_FIELD_COUNT = 12,
    VG_EVENT_FIELD_SEVERITY = 13,
    VG_EVENT_FIELD_URI = 14,
    VG_EVENT_FIELD_DOMAIN = 15,
    VG_EVENT_FIELD_SOURCE = 16,
    VG_EVENT_FIELD_DESTINATION = 17,
    VG_EVENT_FIELD_LOCATION = 18, /* in answers only, from the directory */
    VG_EVENT_FIELD_PROTOCOL = 19,
    VG_EVENT_FIELD_FLAGS = 21,
    VG_EVENT_FIELD_TIMESTAMPS = 22,
    VG_EVENT_FIELD_PUBLIC_LAST = 99,

    VG_EVENT_FIELD_CLASS = 100,
    VG_EVENT_FIELD_CUSTOMER_ID = 101,
    VG_EVENT_FIELD_FLAG_BITS_LOW = 102,
    VG_EVENT_FIELD_FLAG_BITS_HIGH = 103,
    VG_EVENT_FIELD_PROTOCOL_NUMBER = 104,
    VG_EVENT_FIELD_LOCATION_ID = 105,
    VG_EVENT_FIELD_CASE_IDS = 106,
    VG_EVENT_FIELD_AGGREGATION_KEY = 107,
    VG_EVENT_FIELD_PAYLOAD_TYPE = 108,
    VG_EVENT_FIELD_SOURCE_GEO_LOCATION_ID = 109,
    VG_EVENT_FIELD_DESTINATION_GEO_LOCATION_ID = 110,
    VG_EVENT_FIELD_LAST_UPDATED = 113,
    VG_EVENT_FIELD_REVISION = 120,
    VG_EVENT_FIELD_CREATED_BY = 121,
    VG_EVENT_FIELD_CREATED_IN = 122,
    VG_EVENT_FIELD_FIRST_REVISION = 123,
};

enum vg_event_alarm_field {
    VG_ALARM_FIELD_ID = 1,
    VG_ALARM_FIELD_SHORT_NAME = 2,
    VG_ALARM_FIELD_TEXT = 3, /* description of an alarm, name of a category */
};

enum vg_event_signature_field { VG_SIGNATURE_FIELD_NAME = 1 };
enum vg_event_list_field {
    VG_LIST_FIELD_ITEMS = 1
}; /* of the lists of properties, ids, comments */

enum vg_event_property_field {
    VG_PROPERTY_FIELD_KEY = 1,
    VG_PROPERTY_FIELD_TYPE = 2,
    VG_PROPERTY_FIELD_VALUES = 3,
};
#define VG_PROPERTY_TYPE_STRING 3

enum vg_event_endpoint_field {
    VG_ENDPOINT_FIELD_ADDRESS = 1,
    VG_ENDPOINT_FIELD_HOST = 2,
    VG_ENDPOINT_FIELD_USER = 3,
    VG_ENDPOINT_FIELD_PORT = 4,
    VG_ENDPOINT_FIELD_GEO = 5,
    VG_ENDPOINT_FIELD_FLAGS = 6,
};

enum vg_event_geo_field {
    VG_GEO_FIELD_COUNTRY = 1,
    VG_GEO_FIELD_LOCATION_NAME = 3,
    VG_GEO_FIELD_LATITUDE = 4,
    VG_GEO_FIELD_LONGITUDE = 5,
};

enum vg_event_time_field {
    VG_TIME_FIELD_CREATED = 1,
    VG_TIME_FIELD_ENGINE_PERSISTED = 2,
    VG_TIME_FIELD_FIRST_ASSESSED = 3,
    VG_TIME_FIELD_FIRST_EVENT = 4,
    VG_TIME_FIELD_FIRST_NOTIFIED = 5,
    VG_TIME_FIELD_LAST_EVENT = 6,
    VG_TIME_FIELD_LAST_UPDATED = 7,
    VG_TIME_FIELD_PUBLISHED = 8,
};

#endif
