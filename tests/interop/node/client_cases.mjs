// What the client programs of Node.js share; ../client_cases.py says how they are called and what they print.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

export const WAIT = 30_000;
export const MIB = 1024 * 1024;
export const LIMIT = 4 * MIB;
const FLIGHT = 8;
export const SIZES = [27182, 8, 1828, 45904];
export const ANSWERS = [31415, 9, 2653, 58979];
export const SUM = SIZES.reduce((sum, size) => sum + size, 0);
export const TEXT = "test status message";
export const SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n";
export const [INITIAL, TRAILING] = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"];
export const INITIAL_VALUE = "test_initial_metadata_value";
export const TRAILING_VALUE = Buffer.from([0xab, 0xab, 0xab]);

export function argumentsOf(words) {
    const named = Object.fromEntries(words.filter((word) => word.includes("=")).map((word) => {
        const at = word.indexOf("=");
        return [word.slice(0, at), word.slice(at + 1)];
    }));
    return [named, words.filter((word) => !word.includes("="))];
}

export function registryOf(path) {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(path)));
}

// google.rpc.BadRequest with two violations.
export function checkViolations(violations) {
    assert.deepEqual(violations.map((row) => row.field), ["events[0].location", "events[1].location"]);
}

export function checkDetails(registry, bytes) {
    const status = fromBinary(registry.getMessage("google.rpc.Status"), bytes);
    assert.equal(status.code, 3);
    const bad = status.details.find((row) => row.typeUrl.endsWith("/google.rpc.BadRequest"));
    checkViolations(fromBinary(registry.getMessage("google.rpc.BadRequest"), bad.value).fieldViolations);
}

export function isZeros(bytes, size) {
    assert.equal(bytes.length, size);
    assert.ok(bytes.every((byte) => byte === 0));
}

const oneLine = (error) => String(error?.message ?? error).split(/\s+/).join(" ").slice(0, 500);

function say(...words) {
    process.stdout.write(words.join("\t") + "\n");
}

// `cases` has a method for each case.
export async function runCases(cases, names) {
    for (const name of names) {
        try {
            await cases[name]();
            say(name, "pass", "");
        } catch (error) {
            say(name, "fail", oneLine(error));
        }
    }
}

// Calls without an end, until standard input has one or a call fails.
export async function runLoad(call) {
    let [isOver, count, failure] = [false, 0, null];
    process.stdin.resume();
    process.stdin.on("end", () => { isOver = true; });
    const run = async () => {
        while (!isOver) {
            try {
                await call();
                count++;
                if (count % 50 === 0) {
                    process.stdout.write(`calls ${count}\n`);
                }
            } catch (error) {
                failure ??= oneLine(error);
                isOver = true;
            }
        }
    };
    await Promise.all(Array.from({ length: FLIGHT }, run));
    say("load", failure === null ? "pass" : "fail", failure ?? `${count} calls`);
}

export async function main(makeCases, makeLoad) {
    const [named, names] = argumentsOf(process.argv.slice(2));
    if (names.includes("load")) {
        await runLoad(makeLoad(named));
    } else {
        await runCases(makeCases(named), names);
    }
    process.exit(0);
}
