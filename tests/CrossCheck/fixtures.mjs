// Fixtures are what other implementations answer. A script compares its answers with them; with --write it replaces them.
import {existsSync, mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";
import {fileURLToPath} from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "Fixtures");
const writes = process.argv.includes("--write");

export const pathOf = (name) => join(folder, name);
export const readText = (name) => readFileSync(pathOf(name), "utf8");
export const readJson = (name) => JSON.parse(readText(name));

/** Compares JSON with a fixture; differences makes a list of sentences out of what is expected and what was answered. */
export function compare(name, answer, differences = differentEntries) {
    const found = existsSync(pathOf(name)) ? differences(readJson(name), answer) : ["there is no such fixture"];
    report(name, found, () => writeFileSync(pathOf(name), `[\n${answer.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`));
}

export function compareBytes(name, bytes) {
    const equal = existsSync(pathOf(name)) && readFileSync(pathOf(name)).equals(bytes);
    report(name, equal ? [] : ["the bytes differ"], () => writeFileSync(pathOf(name), bytes));
}

function report(name, found, write) {
    console.log(`${found.length === 0 ? "same     " : "DIFFERENT"}  ${name}`);
    for (const sentence of found.slice(0, 5)) console.log(`           ${sentence}`);
    if (found.length === 0) return;
    if (!writes) {
        process.exitCode = 1;
        return;
    }
    mkdirSync(dirname(pathOf(name)), {recursive: true});
    write();
}

function differentEntries(expected, answer) {
    const texts = answer.map((entry) => JSON.stringify(entry));
    const known = new Set(expected.map((entry) => JSON.stringify(entry)));
    const found = texts.filter((text) => !known.has(text)).map((text) => `new: ${text.slice(0, 300)}`);
    if (found.length === 0 && texts.length !== expected.length) found.push(`${expected.length} entries were expected, not ${texts.length}`);
    return found;
}
