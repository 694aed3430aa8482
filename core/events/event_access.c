#include "core/events/event_access.h"

bool vg_event_access_reads_case(const struct vg_principal *principal, const struct vg_case *subject)
{
    size_t low = 0;
    size_t high = subject->reader_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (subject->readers[middle] == principal->user_id) {
            return true;
        }
        if (subject->readers[middle] < principal->user_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return vg_principal_may(principal, VG_FUNCTION_VIEW_EVENTS_BY_CASE, subject->customer_id);
}
