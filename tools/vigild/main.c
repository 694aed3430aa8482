/*
 * vigild: the server.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/memory_budget.h"
#include "rpc/net/peer_refusal.h"
#include "tools/vigild/demo.h"
#include "tools/vigild/options.h"
#include "tools/vigild/wiring.h"

/* Signals are taken by this thread alone, with sigwait: block them before any other thread starts.
 */
static void block_signals(sigset_t *out_set)
{
    (void)sigemptyset(out_set);
    (void)sigaddset(out_set, SIGTERM);
    (void)sigaddset(out_set, SIGINT);
    (void)sigaddset(out_set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, out_set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    /* A limit of file sizes is a full disk, and answered as one. */
    (void)signal(SIGXFSZ, SIG_IGN);
}

static void say(const struct vg_error *error)
{
    (void)fprintf(
        stderr,
        "vigild: %s%s%s\n",
        error->message,
        error->detail[0] != '\0' ? ": " : "",
        error->detail);
}

/* "HOST" of the setting listen, for the line that says where the server is. */
static int host_length(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon == NULL ? (int)strlen(listen) : (int)(colon - listen);
}

/* Has a signal come that will end the server? It stays to be taken by sigwait. */
static bool is_to_stop(void *owner)
{
    const sigset_t *signals = owner;
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           ((sigismember(signals, SIGTERM) == 1 && sigismember(&pending, SIGTERM) == 1) ||
            (sigismember(signals, SIGINT) == 1 && sigismember(&pending, SIGINT) == 1));
}

/* One line, which ends with where the server is; with TLS beside plain text one before it. */
static void print_ready(const struct vg_settings *settings, const struct vg_wiring *wiring)
{
    uint16_t port = vg_wiring_port(wiring);
    uint16_t tls_port = vg_wiring_tls_port(wiring);
    const char *listen = settings->listen;
    const char *listen_tls = settings->listen_tls;
    if (port != 0 && tls_port != 0) {
        (void)printf(
            "vigild " VG_VERSION " serves TLS on %.*s:%u\n",
            host_length(listen_tls),
            listen_tls,
            (unsigned)tls_port);
    }
    if (port == 0) {
        listen = listen_tls;
        port = tls_port;
    }
    (void)printf(
        "vigild " VG_VERSION " ready on %.*s:%u\n",
        host_length(listen),
        listen,
        (unsigned)port);
    (void)fflush(stdout);
}

/* Wait for a signal to end, and reload at every SIGHUP before it. */
static int wait_for_end(struct vg_wiring *wiring, const sigset_t *signals)
{
    int number = SIGHUP;
    while (number == SIGHUP) {
        if (sigwait(signals, &number) != 0) {
            number = SIGHUP;
        } else if (number == SIGHUP) {
            vg_wiring_reload(wiring);
        }
    }
    return number;
}

static enum vg_reason run(const struct vg_options *options, sigset_t *signals)
{
    struct vg_error error;
    vg_error_init(&error, NULL);
    struct vg_wiring *wiring = NULL;
    enum vg_reason reason = vg_wiring_open(&options->settings, &wiring, &error);
    if (reason == VG_OK) {
        reason = vg_wiring_start(wiring, is_to_stop, signals, &error);
    }
    bool is_given_up = reason == VG_CANCELLED;
    if (reason == VG_OK) {
        print_ready(&options->settings, wiring);
        if (options->demo) {
            reason = vg_demo_run(options->settings.data, vg_wiring_port(wiring), &error);
        }
    }
    if (reason == VG_OK || is_given_up) {
        int signal_number = wait_for_end(wiring, signals);
        vg_log_message(VG_LOG_INFO, "stopping", "%s", strsignal(signal_number));
        reason = VG_OK;
    } else {
        say(&error);
    }
    vg_wiring_close(wiring);
    return reason;
}

/* Descriptors for anything but connections and the store's files. */
#define FILES_SPARE 1024u

/* The usual soft limit of 1,024 open files is for programs with select(): take what the settings
 * need, as far as the hard limit lets us. Before the store is opened, which looks at it. */
static void raise_file_limit(const struct vg_settings *settings)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const rlim_t workers = settings->workers != 0 ? settings->workers
                           : cores > 0            ? (rlim_t)cores
                                                  : 1;
    const rlim_t wanted = (rlim_t)settings->connections_max + settings->open_files_max +
                          workers * VG_PEER_REFUSAL_MAX + FILES_SPARE;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return;
    }
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
        vg_log_message(
            VG_LOG_WARN,
            "few_open_files",
            "%llu files may be open at a time; the settings could need %llu",
            (unsigned long long)limit.rlim_cur,
            (unsigned long long)wanted);
    }
}

int main(int argc, char **argv)
{
    static struct vg_options options; /* large: every text setting has its room */
    switch (vg_options_read(argc, argv, &options)) {
    case VG_OPTIONS_RUN:
        break;
    case VG_OPTIONS_DONE:
        return 0;
    case VG_OPTIONS_WRONG:
        return 2;
    }
    struct vg_log_options log = vg_log_options_default();
    log.level = (enum vg_log_level)options.settings.log_level;
    log.lines_per_second = options.settings.log_lines_per_second;
    vg_log_configure(&log);
    vg_memory_budget_configure(options.settings.memory_bytes_max);
    /* Arenas come and go by blocks of up to 256 KiB: keep such memory instead of giving it back to
     * the kernel and taking page faults for it again with the next request. */
    (void)mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
    raise_file_limit(&options.settings);
    sigset_t signals;
    block_signals(&signals);
    return run(&options, &signals) == VG_OK ? 0 : 1;
}
