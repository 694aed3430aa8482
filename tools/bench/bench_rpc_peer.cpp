/*
 * The peer of `tools/bench/run rpc`: grpc C++ with the echo of grpc.testing.TestService.UnaryCall,
 * whose answer carries the payload of the request. One program, two ways of the same library:
 *
 *   bench_rpc_peer async [QUEUES]   completion queues, one thread each, 2 by default
 *   bench_rpc_peer callback         the callback API with the library's own threads
 *
 * It counts and logs nothing. Prints "ready on HOST:PORT" and serves until it is killed.
 */
#include <cstdio>
#include <cstdlib>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"

namespace
{

using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::TestService;

constexpr int waiting_per_queue = 256;

class AsyncCall
{
  public:
    AsyncCall(TestService::AsyncService *service, grpc::ServerCompletionQueue *queue)
        : service_(service), queue_(queue), responder_(&context_)
    {
        service_->RequestUnaryCall(&context_, &request_, &responder_, queue_, queue_, this);
    }

    void proceed(bool ok)
    {
        if (answered_ || !ok) {
            delete this;
            return;
        }
        new AsyncCall(service_, queue_);
        answered_ = true;
        response_.mutable_payload()->set_body(request_.payload().body());
        responder_.Finish(response_, grpc::Status::OK, this);
    }

  private:
    TestService::AsyncService *service_;
    grpc::ServerCompletionQueue *queue_;
    grpc::ServerContext context_;
    grpc::ServerAsyncResponseWriter<SimpleResponse> responder_;
    SimpleRequest request_;
    SimpleResponse response_;
    bool answered_ = false;
};

class CallbackEcho final : public TestService::CallbackService
{
    grpc::ServerUnaryReactor *UnaryCall(
        grpc::CallbackServerContext *context,
        const SimpleRequest *request,
        SimpleResponse *response) override
    {
        response->mutable_payload()->set_body(request->payload().body());
        grpc::ServerUnaryReactor *reactor = context->DefaultReactor();
        reactor->Finish(grpc::Status::OK);
        return reactor;
    }
};

void serve_queue(TestService::AsyncService *service, grpc::ServerCompletionQueue *queue)
{
    for (int i = 0; i < waiting_per_queue; i++) {
        new AsyncCall(service, queue);
    }
    void *tag = nullptr;
    bool ok = false;
    while (queue->Next(&tag, &ok)) {
        static_cast<AsyncCall *>(tag)->proceed(ok);
    }
}

int serve_async(grpc::ServerBuilder &builder, const int &port, int queue_count)
{
    TestService::AsyncService service;
    builder.RegisterService(&service);
    std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
    for (int i = 0; i < queue_count; i++) {
        queues.push_back(builder.AddCompletionQueue());
    }
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr) {
        return 1;
    }
    std::vector<std::thread> threads;
    for (auto &queue : queues) {
        threads.emplace_back(serve_queue, &service, queue.get());
    }
    std::printf("ready on 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    for (std::thread &thread : threads) {
        thread.join();
    }
    return 0;
}

int serve_callback(grpc::ServerBuilder &builder, const int &port)
{
    CallbackEcho service;
    builder.RegisterService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (server == nullptr) {
        return 1;
    }
    std::printf("ready on 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    server->Wait();
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    const std::string way = argc > 1 ? argv[1] : "";
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    if (way == "async") {
        return serve_async(builder, port, argc > 2 ? std::atoi(argv[2]) : 2);
    }
    if (way == "callback") {
        return serve_callback(builder, port);
    }
    std::fprintf(stderr, "usage: bench_rpc_peer async [QUEUES] | callback\n");
    return 2;
}
