// The client program of connect-node; ../client_cases.py says how it is called. One argument more, protocol=, is grpc,
// grpcweb or connect.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { compressionGzip, createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import {
    ANSWERS, INITIAL, INITIAL_VALUE, LIMIT, MIB, SIZES, SPECIAL, SUM, TEXT, TRAILING, TRAILING_VALUE, WAIT, checkViolations, isZeros, main,
    registryOf,
} from "./client_cases.mjs";

const TRANSPORTS = { grpc: createGrpcTransport, grpcweb: createGrpcWebTransport, connect: createConnectTransport };
const PLAIN_BELOW = 30000; // bytes, when compressing
const UNPADDED = TRAILING_VALUE.toString("base64").replace(/=+$/, "");

const zeros = (size) => new Uint8Array(size);

async function* each(requests) {
    yield* requests;
}

async function all(answers) {
    const found = [];
    for await (const answer of answers) {
        found.push(answer);
    }
    return found;
}

const lengths = async (answers) => (await all(answers)).map((answer) => answer.payload.body.length);

// The error of a call that has to fail so.
async function failure(call, code) {
    try {
        await call;
    } catch (error) {
        assert.ok(error instanceof ConnectError, String(error));
        assert.equal(Code[error.code], Code[code], error.message);
        return error;
    }
    throw new Error(`it did not fail with ${Code[code]}`);
}

// Options of a call that keep what came before and after its messages.
function keeping(kept, options = {}) {
    return {
        ...options, timeoutMs: WAIT,
        onHeader: (headers) => Object.assign(kept, { headers }), onTrailer: (trailers) => Object.assign(kept, { trailers }),
    };
}

class Cases {
    constructor(named) {
        this.named = named;
        this.registry = registryOf(named.descriptors);
        this.testing = this.client("echo", "grpc.testing.TestService");
        this.echo = this.client("echo", "vigil.test.Echo");
        this.health = this.client("vigil", "grpc.health.v1.Health");
    }

    client(where, service, options = {}, scheme = "http") {
        const transport = TRANSPORTS[this.named.protocol]({
            baseUrl: `${scheme}://${this.named[where]}`, httpVersion: "2", defaultTimeoutMs: WAIT, ...options,
        });
        return createClient(this.registry.getService(service), transport);
    }

    packing() {
        return this.client("echo", "grpc.testing.TestService", { sendCompression: compressionGzip, compressMinBytes: PLAIN_BELOW });
    }

    simple(responseSize, body = zeros(0), more = {}) {
        return { responseSize, payload: { body }, ...more };
    }

    output(sizes, body = zeros(0), more = {}) {
        return { responseParameters: sizes.map((row) => (typeof row === "number" ? { size: row } : row)), payload: { body }, ...more };
    }

    async empty_unary() {
        await this.testing.emptyCall({});
    }

    async large_unary() {
        isZeros((await this.testing.unaryCall(this.simple(314159, zeros(271828)))).payload.body, 314159);
    }

    async client_compressed_unary() {
        const announced = this.simple(314159, zeros(271828), { expectCompressed: { value: true } });
        await failure(this.testing.unaryCall(announced), Code.InvalidArgument);
        isZeros((await this.packing().unaryCall(announced)).payload.body, 314159);
        const plain = this.simple(314159, zeros(271828), { expectCompressed: { value: false } });
        isZeros((await this.testing.unaryCall(plain)).payload.body, 314159);
    }

    async client_compressed_streaming() {
        const announced = { payload: { body: zeros(45904) }, expectCompressed: { value: true } };
        await failure(this.testing.streamingInputCall(each([announced])), Code.InvalidArgument);
        const plain = { payload: { body: zeros(27182) }, expectCompressed: { value: false } };
        assert.equal((await this.packing().streamingInputCall(each([announced, plain]))).aggregatedPayloadSize, 73086);
    }

    async client_streaming() {
        const answer = await this.testing.streamingInputCall(each(SIZES.map((size) => ({ payload: { body: zeros(size) } }))));
        assert.equal(answer.aggregatedPayloadSize, SUM);
    }

    async server_streaming() {
        assert.deepEqual(await lengths(this.testing.streamingOutputCall(this.output(ANSWERS))), ANSWERS);
    }

    async ping_pong() {
        const requests = createWritableIterable();
        const answers = this.testing.fullDuplexCall(requests)[Symbol.asyncIterator]();
        for (const [turn, size] of ANSWERS.entries()) {
            await Promise.all([
                requests.write(this.output([size], zeros(SIZES[turn]))),
                answers.next().then((answer) => assert.equal(answer.value.payload.body.length, size)),
            ]);
        }
        requests.close();
        assert.equal((await answers.next()).done, true);
    }

    async empty_stream() {
        assert.deepEqual(await all(this.testing.fullDuplexCall(each([]))), []);
    }

    async timeout_on_sleeping_server() {
        const request = this.output([{ size: 8, intervalUs: 2000000 }], zeros(27182));
        await failure(all(this.testing.fullDuplexCall(each([request]), { timeoutMs: 1 })), Code.DeadlineExceeded);
    }

    async cancel_after_begin() {
        const [requests, stop] = [createWritableIterable(), new AbortController()];
        const call = this.testing.streamingInputCall(requests, { signal: stop.signal });
        stop.abort();
        await failure(call, Code.Canceled);
    }

    async cancel_after_first_response() {
        const [requests, stop] = [createWritableIterable(), new AbortController()];
        const answers = this.testing.fullDuplexCall(requests, { signal: stop.signal })[Symbol.asyncIterator]();
        const first = answers.next();
        requests.write(this.output([31415], zeros(27182))).catch(() => {});
        assert.equal((await first).value.payload.body.length, 31415);
        stop.abort();
        await failure(answers.next(), Code.Canceled);
    }

    async unimplemented_method() {
        await failure(this.testing.unimplementedCall({}), Code.Unimplemented);
    }

    async unimplemented_service() {
        await failure(this.client("echo", "grpc.testing.UnimplementedService").unimplementedCall({}), Code.Unimplemented);
    }

    async fails(message) {
        const request = { responseStatus: { code: Code.Unknown, message } };
        const calls = [() => this.testing.unaryCall(request), () => all(this.testing.fullDuplexCall(each([request])))];
        for (const call of calls) {
            assert.equal((await failure(call(), Code.Unknown)).rawMessage, message);
        }
    }

    async status_code_and_message() {
        await this.fails(TEXT);
    }

    async special_status_message() {
        await this.fails(SPECIAL);
    }

    async custom_metadata() {
        const [unary, duplex, headers] = [{}, {}, { [INITIAL]: INITIAL_VALUE, [TRAILING]: UNPADDED }];
        await this.testing.unaryCall(this.simple(314159, zeros(271828)), keeping(unary, { headers }));
        const answers = this.testing.fullDuplexCall(each([this.output([314159], zeros(271828))]), keeping(duplex, { headers }));
        assert.deepEqual(await lengths(answers), [314159]);
        for (const kept of [unary, duplex]) {
            assert.equal(kept.headers.get(INITIAL), INITIAL_VALUE);
            assert.equal(kept.trailers.get(TRAILING)?.replace(/=+$/, ""), UNPADDED);
        }
    }

    async server_compressed_unary() {
        for (const value of [true, false]) {
            const answer = await this.testing.unaryCall(this.simple(314159, zeros(271828), { responseCompressed: { value } }));
            isZeros(answer.payload.body, 314159);
        }
    }

    async server_compressed_streaming() {
        const rows = [{ size: 31415, compressed: { value: true } }, { size: 92653, compressed: { value: false } }];
        assert.deepEqual(await lengths(this.testing.streamingOutputCall(this.output(rows))), [31415, 92653]);
    }

    async big_messages() {
        const answer = await this.testing.unaryCall(this.simple(0, randomBytes(3 * MIB)));
        assert.equal(answer.payload.body.length, 3 * MIB);
        // Two keys of one byte, two lengths of four.
        await failure(this.testing.unaryCall(this.simple(0, zeros(LIMIT + 1 - 10))), Code.ResourceExhausted);
    }

    async status_details() {
        const error = await failure(this.echo.fail({ responseSize: 2 }), Code.InvalidArgument);
        checkViolations(error.findDetails(this.registry.getMessage("google.rpc.BadRequest"))[0].fieldViolations);
    }

    async deadline() {
        await failure(this.echo.sleep({ responseSize: 20000 }, { timeoutMs: 100 }), Code.DeadlineExceeded);
    }

    async health_check() {
        for (const service of ["", "vigil.events.v2.EventService"]) {
            assert.equal((await this.health.check({ service })).status, 1);
        }
        await failure(this.health.check({ service: "no.such.Service" }), Code.NotFound);
    }

    async health_watch() {
        for (const [service, status] of [["", 1], ["no.such.Service", 3]]) {
            const stop = new AbortController();
            const answers = this.health.watch({ service }, { signal: stop.signal })[Symbol.asyncIterator]();
            assert.equal((await answers.next()).value.status, status);
            stop.abort();
            await failure(answers.next(), Code.Canceled);
        }
    }

    async reflection(version) {
        const client = this.client("vigil", `grpc.reflection.${version}.ServerReflection`);
        const requests = [["listServices", "*"], ["fileContainingSymbol", "grpc.health.v1.Health.Check"]];
        const [list, file] = await all(client.serverReflectionInfo(each(requests.map(([of, value]) => ({
            messageRequest: { case: of, value },
        })))));
        const names = list.messageResponse.value.service.map((row) => row.name);
        assert.ok(names.includes("grpc.health.v1.Health") && names.includes("vigil.events.v2.EventService"), names.join());
        assert.equal(file.messageResponse.value.fileDescriptorProto.length, 1);
    }

    async reflection_v1() {
        await this.reflection("v1");
    }

    async reflection_v1alpha() {
        await this.reflection("v1alpha");
    }

    secure(service, withCertificate) {
        const pair = withCertificate ? { key: readFileSync(this.named.key), cert: readFileSync(this.named.certificate) } : {};
        return this.client("tls", service, { nodeOptions: { ca: readFileSync(this.named.ca), ...pair } }, "https");
    }

    async tls() {
        assert.equal((await this.secure("grpc.health.v1.Health", false).check({})).status, 1);
    }

    async mtls() {
        const who = (withCertificate) => this.secure("vigil.account.v1.AccountService", withCertificate).getCurrentUser({});
        assert.equal((await who(true)).userName, "robot");
        await failure(who(false), Code.Unauthenticated);
    }
}

function load(named) {
    const cases = new Cases(named);
    return () => cases.health.check({});
}

await main((named) => new Cases(named), load);
