/*
 * The client program of grpc C++; ../client_cases.py says how it is called and what it prints.
 *
 * Messages of grpc.testing and health are compiled; those of reflection as well, under both names.
 */
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "echo_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpc/testing/test.grpc.pb.h"

namespace
{

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::testing::Empty;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;
using grpc::testing::TestService;
using Words = std::map<std::string, std::string>;

constexpr int mib = 1024 * 1024;
constexpr int limit = 4 * mib;
constexpr int flight = 8;
constexpr std::array sizes = { 27182, 8, 1828, 45904 };
constexpr std::array answers = { 31415, 9, 2653, 58979 };
constexpr const char *initial_name = "x-grpc-test-echo-initial";
constexpr const char *initial_value = "test_initial_metadata_value";
constexpr const char *trailing_name = "x-grpc-test-echo-trailing-bin";
constexpr const char *trailing_value = "\xab\xab\xab";
constexpr const char *special =
    "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";

std::string one_line(const std::string &text)
{
    std::istringstream in(text);
    std::string line, word;
    while (in >> word) {
        line += (line.empty() ? "" : " ") + word;
    }
    return line.substr(0, 500);
}

void check(bool good, const std::string &what)
{
    if (!good) {
        throw std::runtime_error(what);
    }
}

template <class Found, class Wanted>
void equal(const Found &found, const Wanted &wanted, const char *what)
{
    std::ostringstream text;
    text << what << " is " << found << " instead of " << wanted;
    check(found == wanted, text.str());
}

void ended(const Status &status, StatusCode code = StatusCode::OK)
{
    check(
        status.error_code() == code,
        "status " + std::to_string(status.error_code()) + " instead of " + std::to_string(code) +
            ": " + status.error_message());
}

std::string zeros(int size)
{
    return std::string(static_cast<size_t>(size), '\0');
}

std::string read_file(const std::string &path)
{
    std::ifstream file(path);
    return { std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>() };
}

SimpleRequest simple(int size, int sent)
{
    SimpleRequest request;
    request.set_response_size(size);
    request.mutable_payload()->set_body(zeros(sent));
    return request;
}

StreamingOutputCallRequest output(int size, int sent)
{
    StreamingOutputCallRequest request;
    request.add_response_parameters()->set_size(size);
    request.mutable_payload()->set_body(zeros(sent));
    return request;
}

/* A call has at most 30 s, if the case does not want less. */
std::unique_ptr<ClientContext> context(int milliseconds = 30000)
{
    auto made = std::make_unique<ClientContext>();
    made->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds));
    return made;
}

class Cases
{
  public:
    explicit Cases(const Words &named)
        : named_(named), plain_(grpc::InsecureChannelCredentials()), echo_(channel("echo", plain_)),
          vigil_(channel("vigil", plain_)), testing_(TestService::NewStub(echo_)),
          health_(Health::NewStub(vigil_))
    {
    }

    void empty_unary()
    {
        Empty answer;
        auto call = context();
        ended(testing_->EmptyCall(call.get(), Empty(), &answer));
        equal(answer.ByteSizeLong(), 0u, "size");
    }

    void large_unary()
    {
        unary(simple(314159, 271828), 314159);
    }

    void client_compressed_unary()
    {
        SimpleRequest request = simple(314159, 271828);
        request.mutable_expect_compressed()->set_value(true);
        refused(request, StatusCode::INVALID_ARGUMENT);
        unary(request, 314159, true);
        request.mutable_expect_compressed()->set_value(false);
        unary(request, 314159);
    }

    void client_compressed_streaming()
    {
        StreamingInputCallRequest announced, plain;
        announced.mutable_payload()->set_body(zeros(27182));
        announced.mutable_expect_compressed()->set_value(true);
        plain.mutable_payload()->set_body(zeros(45904));
        plain.mutable_expect_compressed()->set_value(false);
        StreamingInputCallResponse answer;
        auto probe = context();
        auto refusal = testing_->StreamingInputCall(probe.get(), &answer);
        refusal->Write(announced);
        refusal->WritesDone();
        ended(refusal->Finish(), StatusCode::INVALID_ARGUMENT);
        auto call = context();
        call->set_compression_algorithm(GRPC_COMPRESS_GZIP);
        auto stream = testing_->StreamingInputCall(call.get(), &answer);
        check(stream->Write(announced), "the compressed message was not sent");
        check(
            stream->Write(plain, grpc::WriteOptions().set_no_compression()),
            "the plain message was not sent");
        stream->WritesDone();
        ended(stream->Finish());
        equal(answer.aggregated_payload_size(), 73086, "sum");
    }

    void client_streaming()
    {
        StreamingInputCallResponse answer;
        auto call = context();
        auto stream = testing_->StreamingInputCall(call.get(), &answer);
        int sum = 0;
        for (int size : sizes) {
            StreamingInputCallRequest request;
            request.mutable_payload()->set_body(zeros(size));
            check(stream->Write(request), "a message was not sent");
            sum += size;
        }
        stream->WritesDone();
        ended(stream->Finish());
        equal(answer.aggregated_payload_size(), sum, "sum");
    }

    void server_streaming()
    {
        StreamingOutputCallRequest request;
        for (int size : answers) {
            request.add_response_parameters()->set_size(size);
        }
        streamed(request, { answers.begin(), answers.end() });
    }

    void ping_pong()
    {
        auto call = context();
        auto stream = testing_->FullDuplexCall(call.get());
        StreamingOutputCallResponse answer;
        for (size_t turn = 0; turn < sizes.size(); turn++) {
            check(
                stream->Write(output(answers.at(turn), sizes.at(turn))),
                "a message was not sent");
            check(stream->Read(&answer), "an answer did not come");
            equal(answer.payload().body().size(), static_cast<size_t>(answers.at(turn)), "size");
        }
        stream->WritesDone();
        check(!stream->Read(&answer), "an answer too many");
        ended(stream->Finish());
    }

    void empty_stream()
    {
        auto call = context();
        auto stream = testing_->FullDuplexCall(call.get());
        stream->WritesDone();
        StreamingOutputCallResponse answer;
        check(!stream->Read(&answer), "an answer to nothing");
        ended(stream->Finish());
    }

    void timeout_on_sleeping_server()
    {
        auto call = context(1);
        auto stream = testing_->FullDuplexCall(call.get());
        StreamingOutputCallRequest request = output(8, 27182);
        request.mutable_response_parameters(0)->set_interval_us(2000000);
        stream->Write(request);
        ended(stream->Finish(), StatusCode::DEADLINE_EXCEEDED);
    }

    void cancel_after_begin()
    {
        StreamingInputCallResponse answer;
        auto call = context();
        auto stream = testing_->StreamingInputCall(call.get(), &answer);
        call->TryCancel();
        ended(stream->Finish(), StatusCode::CANCELLED);
    }

    void cancel_after_first_response()
    {
        auto call = context();
        auto stream = testing_->FullDuplexCall(call.get());
        StreamingOutputCallResponse answer;
        stream->Write(output(31415, 27182));
        check(stream->Read(&answer), "no answer came");
        equal(answer.payload().body().size(), 31415u, "size");
        call->TryCancel();
        ended(stream->Finish(), StatusCode::CANCELLED);
    }

    void unimplemented_method()
    {
        Empty answer;
        auto call = context();
        ended(testing_->UnimplementedCall(call.get(), Empty(), &answer), StatusCode::UNIMPLEMENTED);
    }

    void unimplemented_service()
    {
        Empty answer;
        auto call = context();
        auto stub = grpc::testing::UnimplementedService::NewStub(echo_);
        ended(stub->UnimplementedCall(call.get(), Empty(), &answer), StatusCode::UNIMPLEMENTED);
    }

    void status_code_and_message()
    {
        fails("test status message");
    }

    void special_status_message()
    {
        fails(special);
    }

    void custom_metadata()
    {
        SimpleResponse answer;
        auto unary = with_metadata();
        ended(testing_->UnaryCall(unary.get(), simple(314159, 271828), &answer));
        came_back(*unary);
        auto duplex = with_metadata();
        auto stream = testing_->FullDuplexCall(duplex.get());
        StreamingOutputCallResponse streamed_answer;
        stream->Write(output(314159, 271828));
        stream->WritesDone();
        check(stream->Read(&streamed_answer), "no answer came");
        check(!stream->Read(&streamed_answer), "an answer too many");
        ended(stream->Finish());
        came_back(*duplex);
    }

    void server_compressed_unary()
    {
        for (bool packed : { true, false }) {
            SimpleRequest request = simple(314159, 271828);
            request.mutable_response_compressed()->set_value(packed);
            unary(request, 314159);
        }
    }

    void server_compressed_streaming()
    {
        StreamingOutputCallRequest request = output(31415, 0);
        request.mutable_response_parameters(0)->mutable_compressed()->set_value(true);
        auto *second = request.add_response_parameters();
        second->set_size(92653);
        second->mutable_compressed()->set_value(false);
        streamed(request, { 31415, 92653 });
    }

    void big_messages()
    {
        unary(simple(0, 3 * mib), 3 * mib);
        SimpleRequest request =
            simple(0, limit + 1 - 10); // two keys of one byte, two lengths of four
        equal(request.ByteSizeLong(), static_cast<size_t>(limit) + 1, "size of the request");
        refused(request, StatusCode::RESOURCE_EXHAUSTED);
    }

    void status_details()
    {
        Empty answer;
        auto call = context();
        Status status = vigil::test::Echo::NewStub(echo_)->Fail(call.get(), simple(2, 0), &answer);
        ended(status, StatusCode::INVALID_ARGUMENT);
        google::rpc::Status details;
        check(
            details.ParseFromString(status.error_details()),
            "the details are no google.rpc.Status");
        google::rpc::BadRequest bad;
        for (const auto &row : details.details()) {
            row.UnpackTo(&bad);
        }
        equal(bad.field_violations_size(), 2, "number of violations");
        equal(bad.field_violations(0).field(), "events[0].location", "field");
        equal(bad.field_violations(1).field(), "events[1].location", "field");
    }

    void deadline()
    {
        Empty answer;
        auto call = context(100);
        ended(
            vigil::test::Echo::NewStub(echo_)->Sleep(call.get(), simple(20000, 0), &answer),
            StatusCode::DEADLINE_EXCEEDED);
    }

    void health_check()
    {
        serves(*health_, "");
        serves(*health_, "vigil.events.v2.EventService");
        HealthCheckRequest request;
        HealthCheckResponse answer;
        request.set_service("no.such.Service");
        auto call = context();
        ended(health_->Check(call.get(), request, &answer), StatusCode::NOT_FOUND);
    }

    void health_watch()
    {
        watched("", HealthCheckResponse::SERVING);
        watched("no.such.Service", HealthCheckResponse::SERVICE_UNKNOWN);
    }

    void reflection_v1()
    {
        namespace v1 = grpc::reflection::v1;
        reflected<
            v1::ServerReflection,
            v1::ServerReflectionRequest,
            v1::ServerReflectionResponse>();
    }

    void reflection_v1alpha()
    {
        namespace alpha = grpc::reflection::v1alpha;
        reflected<
            alpha::ServerReflection,
            alpha::ServerReflectionRequest,
            alpha::ServerReflectionResponse>();
    }

    void tls()
    {
        serves(*Health::NewStub(secure(false)), "");
    }

    void mtls()
    {
        ended(who(secure(true)));
        ended(who(secure(false)), StatusCode::UNAUTHENTICATED);
    }

  private:
    std::shared_ptr<grpc::Channel> channel(
        const char *where,
        const std::shared_ptr<grpc::ChannelCredentials> &credentials)
    {
        grpc::ChannelArguments options;
        options.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        options.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
        return grpc::CreateCustomChannel(named_.at(where), credentials, options);
    }

    std::shared_ptr<grpc::Channel> secure(bool with_certificate)
    {
        grpc::SslCredentialsOptions options;
        options.pem_root_certs = read_file(named_.at("ca"));
        if (with_certificate) {
            options.pem_private_key = read_file(named_.at("key"));
            options.pem_cert_chain = read_file(named_.at("certificate"));
        }
        return channel("tls", grpc::SslCredentials(options));
    }

    /* The messages of the account service are not needed: an empty request, and the answer as
     * bytes. */
    static Status who(const std::shared_ptr<grpc::Channel> &channel)
    {
        grpc::GenericStub stub(channel);
        grpc::CompletionQueue queue;
        grpc::ByteBuffer request(nullptr, 0), answer;
        auto call = context();
        auto reader = stub.PrepareUnaryCall(
            call.get(),
            "/vigil.account.v1.AccountService/GetCurrentUser",
            request,
            &queue);
        Status status;
        void *tag = nullptr;
        bool good = false;
        reader->StartCall();
        reader->Finish(&answer, &status, &status);
        check(queue.Next(&tag, &good) && good, "the call did not end");
        queue.Shutdown();
        return status;
    }

    void unary(const SimpleRequest &request, int size, bool packed = false)
    {
        SimpleResponse answer;
        auto call = context();
        if (packed) {
            call->set_compression_algorithm(GRPC_COMPRESS_GZIP);
        }
        ended(testing_->UnaryCall(call.get(), request, &answer));
        check(
            answer.payload().body() == zeros(size),
            "the answer is not as many zeros as were asked for");
    }

    void refused(const SimpleRequest &request, StatusCode code)
    {
        SimpleResponse answer;
        auto call = context();
        ended(testing_->UnaryCall(call.get(), request, &answer), code);
    }

    void streamed(const StreamingOutputCallRequest &request, const std::vector<int> &wanted)
    {
        auto call = context();
        auto stream = testing_->StreamingOutputCall(call.get(), request);
        StreamingOutputCallResponse answer;
        std::vector<int> found;
        while (stream->Read(&answer)) {
            found.push_back(static_cast<int>(answer.payload().body().size()));
        }
        ended(stream->Finish());
        check(found == wanted, "the answers have other sizes than were asked for");
    }

    void fails(const std::string &text)
    {
        SimpleRequest request;
        request.mutable_response_status()->set_code(StatusCode::UNKNOWN);
        request.mutable_response_status()->set_message(text);
        SimpleResponse answer;
        auto unary_call = context();
        Status unary_status = testing_->UnaryCall(unary_call.get(), request, &answer);
        StreamingOutputCallRequest asked;
        *asked.mutable_response_status() = request.response_status();
        auto duplex_call = context();
        auto stream = testing_->FullDuplexCall(duplex_call.get());
        stream->Write(asked);
        stream->WritesDone();
        for (const Status &status : { unary_status, stream->Finish() }) {
            ended(status, StatusCode::UNKNOWN);
            check(status.error_message() == text, "another message: " + status.error_message());
        }
    }

    static std::unique_ptr<ClientContext> with_metadata()
    {
        auto call = context();
        call->AddMetadata(initial_name, initial_value);
        call->AddMetadata(trailing_name, trailing_value);
        return call;
    }

    static void came_back(const ClientContext &call)
    {
        const auto &initial = call.GetServerInitialMetadata();
        const auto &trailing = call.GetServerTrailingMetadata();
        check(
            initial.count(initial_name) == 1 && initial.find(initial_name)->second == initial_value,
            "no initial metadata");
        check(
            trailing.count(trailing_name) == 1 &&
                trailing.find(trailing_name)->second == trailing_value,
            "no trailing metadata");
    }

    static void serves(Health::Stub &health, const std::string &service)
    {
        HealthCheckRequest request;
        HealthCheckResponse answer;
        request.set_service(service);
        auto call = context();
        ended(health.Check(call.get(), request, &answer));
        equal(
            static_cast<int>(answer.status()),
            static_cast<int>(HealthCheckResponse::SERVING),
            "health");
    }

    void watched(const std::string &service, HealthCheckResponse::ServingStatus wanted)
    {
        HealthCheckRequest request;
        HealthCheckResponse answer;
        request.set_service(service);
        auto call = context();
        auto stream = health_->Watch(call.get(), request);
        check(stream->Read(&answer), "no state came");
        equal(static_cast<int>(answer.status()), static_cast<int>(wanted), "health");
        call->TryCancel();
        ended(stream->Finish(), StatusCode::CANCELLED);
    }

    template <class Service, class Request, class Answer> void reflected()
    {
        auto call = context();
        auto stub = Service::NewStub(vigil_);
        auto stream = stub->ServerReflectionInfo(call.get());
        Request list, symbol;
        Answer answer;
        list.set_list_services("*");
        symbol.set_file_containing_symbol("grpc.health.v1.Health.Check");
        stream->Write(list);
        check(stream->Read(&answer), "no answer came");
        bool found = false;
        for (const auto &row : answer.list_services_response().service()) {
            found = found || row.name() == "vigil.events.v2.EventService";
        }
        check(found, "a service is not listed");
        stream->Write(symbol);
        stream->WritesDone();
        check(stream->Read(&answer), "no answer came");
        equal(answer.file_descriptor_response().file_descriptor_proto_size(), 1, "number of files");
        ended(stream->Finish());
    }

    Words named_;
    std::shared_ptr<grpc::ChannelCredentials> plain_;
    std::shared_ptr<grpc::Channel> echo_, vigil_;
    std::unique_ptr<TestService::Stub> testing_;
    std::unique_ptr<Health::Stub> health_;
};

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, &Cases::name                                                                        \
    }
const std::map<std::string, void (Cases::*)()> all_cases = {
    CASE(empty_unary),
    CASE(large_unary),
    CASE(client_compressed_unary),
    CASE(client_compressed_streaming),
    CASE(client_streaming),
    CASE(server_streaming),
    CASE(ping_pong),
    CASE(empty_stream),
    CASE(timeout_on_sleeping_server),
    CASE(cancel_after_begin),
    CASE(cancel_after_first_response),
    CASE(unimplemented_method),
    CASE(unimplemented_service),
    CASE(status_code_and_message),
    CASE(special_status_message),
    CASE(custom_metadata),
    CASE(server_compressed_unary),
    CASE(server_compressed_streaming),
    CASE(big_messages),
    CASE(status_details),
    CASE(deadline),
    CASE(health_check),
    CASE(health_watch),
    CASE(reflection_v1),
    CASE(reflection_v1alpha),
    CASE(tls),
    CASE(mtls),
};

void run_case(Cases &cases, const std::string &name)
{
    try {
        (cases.*all_cases.at(name))();
        std::cout << name << "\tpass\t" << std::endl;
    } catch (const std::exception &error) {
        std::cout << name << "\tfail\t" << one_line(error.what()) << std::endl;
    }
}

/* Calls without an end, each of them waiting for a server if there is none. */
void run_load(const Words &named)
{
    auto stub =
        Health::NewStub(grpc::CreateChannel(named.at("vigil"), grpc::InsecureChannelCredentials()));
    std::atomic<bool> over = false;
    std::mutex mutex;
    int count = 0;
    std::string failure;
    std::vector<std::thread> threads;
    for (int i = 0; i < flight; i++) {
        threads.emplace_back([&] {
            while (!over) {
                HealthCheckResponse answer;
                auto call = context();
                call->set_wait_for_ready(true);
                Status status = stub->Check(call.get(), HealthCheckRequest(), &answer);
                const std::lock_guard<std::mutex> lock(mutex);
                if (!status.ok()) {
                    failure = one_line(
                        std::to_string(status.error_code()) + " " + status.error_message());
                    over = true;
                } else if (++count % 50 == 0) {
                    std::cout << "calls " << count << std::endl;
                }
            }
        });
    }
    std::thread([&over] {
        while (std::cin.get() != EOF) {
        }
        over = true;
    }).detach();
    for (auto &thread : threads) {
        thread.join();
    }
    std::cout << "load\t"
              << (failure.empty() ? "pass\t" + std::to_string(count) + " calls"
                                  : "fail\t" + failure)
              << std::endl;
    std::_Exit(0);
}

} // namespace

int main(int count, char **texts)
{
    Words named;
    std::vector<std::string> names;
    for (int i = 1; i < count; i++) {
        const std::string word = texts[i];
        const size_t at = word.find('=');
        if (at == std::string::npos) {
            names.push_back(word);
        } else {
            named[word.substr(0, at)] = word.substr(at + 1);
        }
    }
    if (names == std::vector<std::string>{ "version" }) {
        std::cout << grpc::Version() << std::endl;
    } else if (names == std::vector<std::string>{ "load" }) {
        run_load(named);
    } else {
        Cases cases(named);
        for (const std::string &name : names) {
            run_case(cases, name);
        }
    }
    return 0;
}
