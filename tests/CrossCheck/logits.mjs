// What llama.cpp computes with the tiny checkpoints: logits behind prompts, and the tokens that it continues them with. The GGUF files are written
// by the benchmarks' command `gguf` from the same weights, all in fp32, as is the cache.
import {execFileSync} from "node:child_process";
import {copyFileSync, mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";
import {compare, pathOf, readJson} from "./fixtures.mjs";

const work = pathOf("../../../artifacts/crosscheck");
const benchmarks = pathOf("../../../artifacts/bin/Benchmarks/release/SaferGuard.Benchmarks.dll");
const tolerance = 2e-3; // llama.cpp's own kernels differ from one machine to another
const minMargin = 0.02; // between the best two logits: where they are closer, machines may choose differently, and the continuation ends
const continued = 16;

// Short ones, and one longer than the original context of the rope scaling.
const prompts = [[65], [72, 101, 108, 108, 111, 32, 119, 111, 114, 108, 100], Array.from({length: 200}, (_, i) => (i * i * 7 + i * 13 + 3) % 288)];

const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
for (const name of readdirSync(pathOf("Models"))) {
    const model = await llama.loadModel({modelPath: writeGguf(name)});
    const context = await model.createContext({
        contextSize: 512, threads: 1, flashAttention: false, experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32",
    });
    const sequence = context.getSequence();
    const answers = [];
    for (const prompt of prompts) answers.push(await answer(sequence, prompt));
    compare(`Models/${name}/llama.cpp.json`, answers, differences);
    await model.dispose();
}

async function answer(sequence, prompt) {
    await sequence.clearHistory();
    let input = prompt, first;
    const greedy = [];
    while (greedy.length < continued) {
        const logits = await logitsBehind(sequence, input);
        first ??= logits;
        const [best, second] = logits.map((logit, token) => ({logit, token})).sort((a, b) => b.logit - a.logit);
        if (best.logit - second.logit < minMargin) break;
        greedy.push(best.token);
        input = [best.token];
    }
    return {prompt, logits: first.map((logit) => Number(logit.toFixed(4))), greedy};
}

async function logitsBehind(sequence, tokens) {
    const outputs = await sequence.controlledEvaluate([...tokens.slice(0, -1), [tokens.at(-1), {generateNext: {logits: true}}]]);
    const logits = [];
    for (const [token, logit] of outputs.at(-1).next.logits) logits[token] = logit;
    return logits;
}

function writeGguf(name) {
    const folder = `${work}/${name}`;
    mkdirSync(folder, {recursive: true});
    for (const file of ["config.json", "model.safetensors"]) copyFileSync(pathOf(`Models/${name}/${file}`), `${folder}/${file}`);

    // llama.cpp wants a vocabulary. Nothing is tokenised here: any will do.
    const size = readJson(`Models/${name}/config.json`).vocab_size;
    const vocab = Object.fromEntries(Array.from({length: size}, (_, i) => [`token${i}`, i]));
    writeFileSync(`${folder}/tokenizer.json`, JSON.stringify({pre_tokenizer: {type: "ByteLevel"}, added_tokens: [], model: {vocab, merges: []}}));

    const path = `${folder}/model.gguf`;
    execFileSync("dotnet", [benchmarks, "gguf", "--checkpoint", folder, "--out", path], {stdio: "inherit"});
    return path;
}

function differences(expected, answers) {
    return answers.flatMap(({prompt, logits, greedy}, i) => {
        const known = expected[i];
        if (JSON.stringify(prompt) !== JSON.stringify(known?.prompt)) return [`prompt ${i} is another one`];
        const error = Math.max(...logits.map((logit, token) => Math.abs(logit - known.logits[token])));
        const found = [];
        if (!(error <= tolerance)) found.push(`prompt ${i}: logits differ by ${error}`);
        if (JSON.stringify(greedy) !== JSON.stringify(known.greedy)) found.push(`prompt ${i}: ${greedy} instead of ${known.greedy}`);
        return found;
    });
}
