/*
 * A real grpc C++ client in a closed loop: so many connections, so many calls of
 * grpc.testing.TestService.UnaryCall in flight on each, every answer at once followed by the next
 * call. Each connection has a completion queue and a thread of its own. Payloads of 100 bytes, so
 * that messages have 104.
 *
 *   bench_rpc_client HOST:PORT CONNECTIONS FLIGHT SECONDS
 *
 * Prints {"rate": calls a second, "p50_us", "p99_us", "failed", "cpu_us": of the client a call}.
 */
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <thread>
#include <sys/resource.h>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"

namespace
{

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::TestService;
using Clock = std::chrono::steady_clock;

constexpr size_t payload_bytes = 100;

struct Call {
    TestService::Stub *stub;
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<SimpleResponse>> reader;
    SimpleResponse response;
    grpc::Status status;
    Clock::time_point begun;

    void begin(const SimpleRequest &request, grpc::CompletionQueue *queue)
    {
        context = std::make_unique<grpc::ClientContext>();
        begun = Clock::now();
        reader = stub->AsyncUnaryCall(context.get(), request, queue);
        reader->Finish(&response, &status, this);
    }
};

std::unique_ptr<TestService::Stub> connect(const std::string &address)
{
    grpc::ChannelArguments options;
    options.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // a connection of its own
    auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), options);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
        std::fprintf(stderr, "bench_rpc_client: nobody answers at %s\n", address.c_str());
        std::exit(1);
    }
    return TestService::NewStub(channel);
}

double cpu_seconds()
{
    struct rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void report(std::vector<float> &took_us, size_t failed, double seconds, double cpu)
{
    std::sort(took_us.begin(), took_us.end());
    const size_t count = took_us.size();
    const auto at = [&](double share) {
        return count == 0 ? 0.0F : took_us[static_cast<size_t>(static_cast<double>(count) * share)];
    };
    std::printf(
        "{\"rate\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"failed\": %zu, \"cpu_us\": %.2f}\n",
        static_cast<double>(count) / seconds,
        static_cast<double>(at(0.5)),
        static_cast<double>(at(0.99)),
        failed,
        count == 0 ? 0.0 : cpu * 1e6 / static_cast<double>(count));
}

/* One connection: its calls and what became of them. */
struct Loop {
    std::unique_ptr<TestService::Stub> stub;
    grpc::CompletionQueue queue;
    std::vector<Call> calls;
    std::vector<float> took_us;
    size_t failed = 0;

    void run(const SimpleRequest &request, Clock::time_point end)
    {
        for (Call &call : calls) {
            call.stub = stub.get();
            call.begin(request, &queue);
        }
        size_t under_way = calls.size();
        void *tag = nullptr;
        bool ok = false;
        while (under_way > 0 && queue.Next(&tag, &ok)) {
            Call *call = static_cast<Call *>(tag);
            const auto now = Clock::now();
            if (!call->status.ok() || call->response.payload().body().size() != payload_bytes) {
                failed++;
            }
            took_us.push_back(std::chrono::duration<float, std::micro>(now - call->begun).count());
            if (now < end) {
                call->begin(request, &queue);
            } else {
                under_way--;
            }
        }
    }
};

} // namespace

int main(int argc, char **argv)
{
    if (argc != 5) {
        std::fprintf(stderr, "usage: bench_rpc_client HOST:PORT CONNECTIONS FLIGHT SECONDS\n");
        return 2;
    }
    const auto connections = static_cast<size_t>(std::atoi(argv[2]));
    const auto flight = static_cast<size_t>(std::atoi(argv[3]));
    const auto length = std::chrono::duration<double>(std::atof(argv[4]));
    SimpleRequest request;
    request.mutable_payload()->set_body(std::string(payload_bytes, 'x'));
    std::vector<Loop> loops(connections);
    for (Loop &loop : loops) {
        loop.stub = connect(argv[1]);
        loop.calls = std::vector<Call>(flight);
        loop.took_us.reserve(1000000);
    }
    const double cpu_before = cpu_seconds();
    const auto begun = Clock::now();
    const auto end = begun + std::chrono::duration_cast<Clock::duration>(length);
    std::vector<std::thread> threads;
    for (Loop &loop : loops) {
        threads.emplace_back([&loop, &request, end] { loop.run(request, end); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    const double cpu = cpu_seconds() - cpu_before;
    std::vector<float> took_us;
    size_t failed = 0;
    for (const Loop &loop : loops) {
        took_us.insert(took_us.end(), loop.took_us.begin(), loop.took_us.end());
        failed += loop.failed;
    }
    report(took_us, failed, seconds, cpu);
    return failed == 0 ? 0 : 1;
}
