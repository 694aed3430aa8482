// The client program of grpc-js; ../client_cases.py says how it is called.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import {
    ANSWERS, INITIAL, INITIAL_VALUE, LIMIT, MIB, SIZES, SPECIAL, SUM, TEXT, TRAILING, TRAILING_VALUE, WAIT, checkDetails, isZeros, main,
    registryOf,
} from "./client_cases.mjs";

const CODES = grpc.status;
const NO_COMPRESS = 2; // of grpc-js's WriteFlags
const GZIP = { "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip };
// Channels of the same target would share their connections.
const OWN = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_http_proxy": 0 };

// Messages that say so are sent plain in a call that compresses.
class PlainWhenAnnounced extends grpc.InterceptingCall {
    sendMessageWithContext(context, message) {
        const isPlain = message.expect_compressed?.value === false;
        super.sendMessageWithContext(isPlain ? { ...context, flags: NO_COMPRESS } : context, message);
    }
}

function contractOf(path) {
    const options = { keepCase: true, enums: Number, defaults: true };
    return grpc.loadPackageDefinition(loader.loadFileDescriptorSetFromBuffer(readFileSync(path), options));
}

const within = (options = {}) => ({ deadline: Date.now() + WAIT, ...options });

const zeros = (size) => Buffer.alloc(size);

// {answer, code, text, initial, trailing} of a unary call; `call` gets the callback.
function unaryResult(call) {
    return new Promise((resolve) => {
        const result = {};
        const made = call((error, answer) => Object.assign(result, { error, answer }));
        made.on("metadata", (initial) => Object.assign(result, { initial }));
        made.on("status", (status) => {
            Object.assign(result, { code: status.code, text: status.details, trailing: status.metadata });
            setImmediate(() => resolve(result));
        });
    });
}

// {answers, code, text, initial, trailing} of a call that answers with a stream.
function streamResult(call) {
    return new Promise((resolve) => {
        const result = { answers: [] };
        call.on("data", (answer) => result.answers.push(answer));
        call.on("metadata", (initial) => Object.assign(result, { initial }));
        call.on("error", () => {});
        call.on("status", (status) => {
            Object.assign(result, { code: status.code, text: status.details, trailing: status.metadata });
            setImmediate(() => resolve(result));
        });
    });
}

const lengths = (result) => result.answers.map((answer) => answer.payload.body.length);

class Cases {
    constructor(named) {
        this.named = named;
        this.registry = registryOf(named.descriptors);
        this.contract = contractOf(named.descriptors);
        this.plain = grpc.credentials.createInsecure();
        this.testing = this.client("echo", this.contract.grpc.testing.TestService);
        this.echo = this.client("echo", this.contract.vigil.test.Echo);
        this.health = this.client("vigil", this.contract.grpc.health.v1.Health);
    }

    client(where, Service, options = {}, credentials = this.plain) {
        return new Service(this.named[where], credentials, { ...OWN, ...options });
    }

    packing(options = {}) {
        return this.client("echo", this.contract.grpc.testing.TestService, { ...GZIP, ...options });
    }

    simple(size, body = zeros(0), more = {}) {
        return { response_size: size, payload: { body }, ...more };
    }

    output(sizes, body = zeros(0), more = {}) {
        return { response_parameters: sizes.map((row) => (typeof row === "number" ? { size: row } : row)), payload: { body }, ...more };
    }

    unary(request, client = this.testing, options = {}, metadata = new grpc.Metadata()) {
        return unaryResult((done) => client.UnaryCall(request, metadata, within(options), done));
    }

    async empty_unary() {
        const result = await unaryResult((done) => this.testing.EmptyCall({}, within(), done));
        assert.deepEqual([result.code, result.answer], [CODES.OK, {}]);
    }

    async large_unary() {
        isZeros((await this.unary(this.simple(314159, zeros(271828)))).answer.payload.body, 314159);
    }

    async client_compressed_unary() {
        const announced = this.simple(314159, zeros(271828), { expect_compressed: { value: true } });
        assert.equal((await this.unary(announced)).code, CODES.INVALID_ARGUMENT);
        isZeros((await this.unary(announced, this.packing())).answer.payload.body, 314159);
        const plain = this.simple(314159, zeros(271828), { expect_compressed: { value: false } });
        isZeros((await this.unary(plain)).answer.payload.body, 314159);
    }

    async collect(requests, client = this.testing) {
        return unaryResult((done) => {
            const call = client.StreamingInputCall(new grpc.Metadata(), within(), done);
            requests.forEach((request) => call.write(request));
            call.end();
            return call;
        });
    }

    async client_compressed_streaming() {
        const announced = { payload: { body: zeros(27182) }, expect_compressed: { value: true } };
        assert.equal((await this.collect([announced])).code, CODES.INVALID_ARGUMENT);
        const plain = { payload: { body: zeros(45904) }, expect_compressed: { value: false } };
        const client = this.packing({ interceptors: [(options, next) => new PlainWhenAnnounced(next(options))] });
        assert.equal((await this.collect([announced, plain], client)).answer.aggregated_payload_size, 73086);
    }

    async client_streaming() {
        const result = await this.collect(SIZES.map((size) => ({ payload: { body: zeros(size) } })));
        assert.equal(result.answer.aggregated_payload_size, SUM);
    }

    async stream(request) {
        const result = await streamResult(this.testing.StreamingOutputCall(request, within()));
        assert.equal(result.code, CODES.OK);
        return lengths(result);
    }

    async server_streaming() {
        assert.deepEqual(await this.stream(this.output(ANSWERS)), ANSWERS);
    }

    async ping_pong() {
        const call = this.testing.FullDuplexCall(within());
        const result = streamResult(call);
        for (const [turn, size] of ANSWERS.entries()) {
            const answer = new Promise((resolve) => { call.once("data", resolve); });
            call.write(this.output([size], zeros(SIZES[turn])));
            assert.equal((await answer).payload.body.length, size);
        }
        call.end();
        assert.deepEqual([lengths(await result), (await result).code], [ANSWERS, CODES.OK]);
    }

    async empty_stream() {
        const call = this.testing.FullDuplexCall(within());
        call.end();
        const result = await streamResult(call);
        assert.deepEqual([result.answers, result.code], [[], CODES.OK]);
    }

    async timeout_on_sleeping_server() {
        const call = this.testing.FullDuplexCall({ deadline: Date.now() + 1 });
        const result = streamResult(call);
        call.write(this.output([{ size: 8, interval_us: 2000000 }], zeros(27182)));
        assert.equal((await result).code, CODES.DEADLINE_EXCEEDED);
    }

    async cancel_after_begin() {
        const result = await unaryResult((done) => {
            const call = this.testing.StreamingInputCall(done);
            call.cancel();
            return call;
        });
        assert.equal(result.code, CODES.CANCELLED);
    }

    async cancel_after_first_response() {
        const call = this.testing.FullDuplexCall(within());
        const result = streamResult(call);
        call.once("data", () => call.cancel());
        call.write(this.output([31415], zeros(27182)));
        assert.deepEqual([lengths(await result), (await result).code], [[31415], CODES.CANCELLED]);
    }

    async unimplemented_method() {
        assert.equal((await unaryResult((done) => this.testing.UnimplementedCall({}, within(), done))).code, CODES.UNIMPLEMENTED);
    }

    async unimplemented_service() {
        const client = this.client("echo", this.contract.grpc.testing.UnimplementedService);
        assert.equal((await unaryResult((done) => client.UnimplementedCall({}, within(), done))).code, CODES.UNIMPLEMENTED);
    }

    async fails(message) {
        const response_status = { code: CODES.UNKNOWN, message };
        const unary = await this.unary({ response_status });
        const call = this.testing.FullDuplexCall(within());
        const duplex = streamResult(call);
        call.write({ response_status });
        call.end();
        for (const result of [unary, await duplex]) {
            assert.deepEqual([result.code, result.text], [CODES.UNKNOWN, message]);
        }
    }

    async status_code_and_message() {
        await this.fails(TEXT);
    }

    async special_status_message() {
        await this.fails(SPECIAL);
    }

    async custom_metadata() {
        const metadata = new grpc.Metadata();
        metadata.set(INITIAL, INITIAL_VALUE);
        metadata.set(TRAILING, TRAILING_VALUE);
        const unary = await this.unary(this.simple(314159, zeros(271828)), this.testing, {}, metadata);
        const call = this.testing.FullDuplexCall(metadata, within());
        const duplex = streamResult(call);
        call.write(this.output([314159], zeros(271828)));
        call.end();
        assert.deepEqual(lengths(await duplex), [314159]);
        for (const result of [unary, await duplex]) {
            assert.deepEqual(result.initial.get(INITIAL), [INITIAL_VALUE]);
            assert.deepEqual(result.trailing.get(TRAILING), [TRAILING_VALUE]);
        }
    }

    async server_compressed_unary() {
        for (const value of [true, false]) {
            const result = await this.unary(this.simple(314159, zeros(271828), { response_compressed: { value } }));
            isZeros(result.answer.payload.body, 314159);
        }
    }

    async server_compressed_streaming() {
        const rows = [{ size: 31415, compressed: { value: true } }, { size: 92653, compressed: { value: false } }];
        assert.deepEqual(await this.stream(this.output(rows)), [31415, 92653]);
    }

    async big_messages() {
        const result = await this.unary({ payload: { body: randomBytes(3 * MIB) } });
        assert.equal(result.answer.payload.body.length, 3 * MIB);
        // Two keys of one byte, two lengths of four.
        const over = await this.unary({ payload: { body: zeros(LIMIT + 1 - 10) } });
        assert.equal(over.code, CODES.RESOURCE_EXHAUSTED);
    }

    async status_details() {
        const result = await unaryResult((done) => this.echo.Fail({ response_size: 2 }, within(), done));
        assert.equal(result.code, CODES.INVALID_ARGUMENT);
        checkDetails(this.registry, result.trailing.get("grpc-status-details-bin")[0]);
    }

    async deadline() {
        const result = await unaryResult((done) => this.echo.Sleep({ response_size: 20000 }, { deadline: Date.now() + 100 }, done));
        assert.equal(result.code, CODES.DEADLINE_EXCEEDED);
    }

    check(service = "", client = this.health) {
        return unaryResult((done) => client.Check({ service }, within(), done));
    }

    async health_check() {
        for (const name of ["", "vigil.events.v2.EventService"]) {
            assert.equal((await this.check(name)).answer.status, 1);
        }
        assert.equal((await this.check("no.such.Service")).code, CODES.NOT_FOUND);
    }

    async health_watch() {
        for (const [service, status] of [["", 1], ["no.such.Service", 3]]) {
            const call = this.health.Watch({ service }, within());
            const result = streamResult(call);
            call.once("data", () => call.cancel());
            assert.deepEqual([(await result).answers, (await result).code], [[{ status }], CODES.CANCELLED]);
        }
    }

    async reflection(version) {
        const call = this.client("vigil", this.contract.grpc.reflection[version].ServerReflection).ServerReflectionInfo(within());
        const result = streamResult(call);
        call.write({ list_services: "*" });
        call.write({ file_containing_symbol: "grpc.health.v1.Health.Check" });
        call.end();
        const [list, file] = (await result).answers;
        const names = list.list_services_response.service.map((row) => row.name);
        assert.ok(names.includes("grpc.health.v1.Health") && names.includes("vigil.events.v2.EventService"), names.join());
        assert.equal(file.file_descriptor_response.file_descriptor_proto.length, 1);
    }

    async reflection_v1() {
        await this.reflection("v1");
    }

    async reflection_v1alpha() {
        await this.reflection("v1alpha");
    }

    secure(Service, withCertificate) {
        const pair = withCertificate ? [readFileSync(this.named.key), readFileSync(this.named.certificate)] : [null, null];
        return this.client("tls", Service, {}, grpc.credentials.createSsl(readFileSync(this.named.ca), ...pair));
    }

    async tls() {
        assert.equal((await this.check("", this.secure(this.contract.grpc.health.v1.Health, false))).answer.status, 1);
    }

    async mtls() {
        const Account = this.contract.vigil.account.v1.AccountService;
        const who = (withCertificate) => unaryResult((done) => this.secure(Account, withCertificate).GetCurrentUser({}, within(), done));
        const mine = await who(true);
        assert.deepEqual([mine.code, mine.answer?.user_name], [CODES.OK, "robot"]);
        assert.equal((await who(false)).code, CODES.UNAUTHENTICATED);
    }
}

function load(named) {
    const client = new (contractOf(named.descriptors)).grpc.health.v1.Health(named.vigil, grpc.credentials.createInsecure(), OWN);
    const metadata = new grpc.Metadata({ waitForReady: true });
    return () => new Promise((resolve, reject) => {
        client.Check({}, metadata, within(), (error, answer) => (error ? reject(error) : resolve(answer)));
    });
}

await main((named) => new Cases(named), load);
