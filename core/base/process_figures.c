#include "core/base/process_figures.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/metrics_text.h"

/* Of /proc/self/stat, counted behind the name: proc(5) calls them 20, 22, 23 and 24. */
enum { FIELD_THREADS = 17, FIELD_START = 19, FIELD_VIRTUAL = 20, FIELD_RESIDENT = 21 };
#define FIELD_COUNT 22

struct process_stat {
    double fields[FIELD_COUNT];
};

/* The name may hold blanks and parentheses: what counts comes behind its last parenthesis. */
static bool read_stat(struct process_stat *stat)
{
    char line[2048];
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL) {
        return false;
    }
    char *text = fgets(line, sizeof(line), file);
    (void)fclose(file);
    text = text == NULL ? NULL : strrchr(text, ')');
    if (text == NULL || strlen(text) < 5) {
        return false;
    }
    text += 4; /* ") R": the state is no number */
    for (size_t i = 1; i < FIELD_COUNT; i++) {
        stat->fields[i] = strtod(text, &text);
    }
    return true;
}

/* When the machine was started, in seconds since 1970; 0 = unknown. */
static double boot_seconds(void)
{
    char line[256];
    double seconds = 0;
    FILE *file = fopen("/proc/stat", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "btime ", 6) == 0) {
            seconds = strtod(line + 6, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return seconds;
}

static double count_open_files(void)
{
    double count = -1; /* of the directory itself, which is open too */
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return 0;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    return count;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void write_files(struct vg_buffer *out)
{
    struct rlimit limit;
    vg_metrics_text_number(
        out,
        "process_open_fds",
        "Open file descriptors",
        "gauge",
        count_open_files());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        vg_metrics_text_number(
            out,
            "process_max_fds",
            "File descriptors that may be open",
            "gauge",
            (double)limit.rlim_cur);
    }
}

void vg_process_figures_write(struct vg_buffer *out)
{
    struct rusage usage;
    struct process_stat stat;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        vg_metrics_text_number(
            out,
            "process_cpu_seconds_total",
            "User and system time of the process",
            "counter",
            seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    }
    if (read_stat(&stat)) {
        vg_metrics_text_number(
            out,
            "process_resident_memory_bytes",
            "Memory of the process that is in RAM",
            "gauge",
            stat.fields[FIELD_RESIDENT] * (double)sysconf(_SC_PAGESIZE));
        vg_metrics_text_number(
            out,
            "process_virtual_memory_bytes",
            "Memory of the process, mapped files included",
            "gauge",
            stat.fields[FIELD_VIRTUAL]);
        vg_metrics_text_number(
            out,
            "process_start_time_seconds",
            "When the process was started, in seconds since 1970",
            "gauge",
            boot_seconds() + stat.fields[FIELD_START] / (double)sysconf(_SC_CLK_TCK));
        vg_metrics_text_number(
            out,
            "process_threads",
            "Threads of the process",
            "gauge",
            stat.fields[FIELD_THREADS]);
    }
    write_files(out);
}
