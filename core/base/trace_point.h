/*
 * Static trace points (USDT) for bpftrace, perf and SystemTap: places in the program that cost one
 * nop until somebody looks. Arguments are kept cheap: they are computed whether anybody looks or
 * not.
 *
 *     bpftrace -e 'usdt:./vigild:vigil:call_end { @[str(arg0), arg1] = hist(arg2 / 1000); }'
 *
 * Without <sys/sdt.h> (systemtap-sdt-dev) at build time there are none. docs/operating.md lists
 * them; a test reads them from the program.
 *
 * Threads: any.
 */
#ifndef VG_CORE_BASE_TRACE_POINT_H
#define VG_CORE_BASE_TRACE_POINT_H

#include <stdint.h>

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define VG_TRACE_POINTS 1
#endif
#endif

#ifdef VG_TRACE_POINTS
#define VG_TRACE_POINT2(name, one, two)        DTRACE_PROBE2(vigil, name, one, two)
#define VG_TRACE_POINT3(name, one, two, three) DTRACE_PROBE3(vigil, name, one, two, three)
#else
#define VG_TRACE_POINT2(name, one, two)        ((void)(one), (void)(two))
#define VG_TRACE_POINT3(name, one, two, three) ((void)(one), (void)(two), (void)(three))
#endif

/* A call has passed FIND: the path of its method ("" when there is no such method), and our span,
 * by which start and end belong together. */
static inline void vg_trace_point_call_start(const char *path, uint64_t span)
{
    VG_TRACE_POINT2(call_start, path, span);
}

/* It has ended: gRPC code, nanoseconds. */
static inline void vg_trace_point_call_end(const char *path, int32_t code, uint64_t duration_ns)
{
    VG_TRACE_POINT3(call_end, path, code, duration_ns);
}

/* A message of a conversation: bytes received, or sent. */
static inline void vg_trace_point_stream_message(const char *path, uint64_t in, uint64_t out)
{
    VG_TRACE_POINT3(stream_message, path, in, out);
}

/* A batch is in the store: its sequence, nanoseconds to write and sync it. */
static inline void vg_trace_point_commit(uint64_t sequence, uint64_t duration_ns)
{
    VG_TRACE_POINT2(commit, sequence, duration_ns);
}

/* A search in the columns has ended: rows that match, nanoseconds. */
static inline void vg_trace_point_search(uint64_t rows, uint64_t duration_ns)
{
    VG_TRACE_POINT2(search, rows, duration_ns);
}

#endif
