// llama.cpp through node-llama-cpp, driven by JSON lines: one request a line on stdin, one reply a line on stdout. Times are in milliseconds.
// The program that starts this measures nothing itself: what travels between the processes is not in the numbers.
import {createInterface} from "node:readline";
import {getLlama, LlamaGrammarEvaluationState, LlamaLogLevel} from "node-llama-cpp";

const threads = Number(process.argv[2]);
const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: LlamaLogLevel.error});
let model, context, sequences;

const operations = {
    async load({path, count, contextTokens}) {
        await context?.dispose();
        await model?.dispose();
        model = await llama.loadModel({modelPath: path});
        context = await model.createContext({sequences: count, contextSize: contextTokens, threads});
        sequences = Array.from({length: count}, () => context.getSequence());
        return {};
    },

    // Callers take the next prompt as soon as theirs is answered; each answer has so many tokens, chosen greedily, within a grammar if there is one.
    async answer({prompts, callers, tokens, grammar: text}) {
        const grammar = text && await llama.createGrammar({grammar: text});
        const latencies = [], answers = [];
        let next = 0;
        const start = performance.now();
        await Promise.all(sequences.slice(0, callers).map(async (sequence) => {
            while (next < prompts.length) {
                const index = next++, started = performance.now();
                await sequence.clearHistory();
                answers[index] = await generate(sequence, prompts[index], tokens, grammar && new LlamaGrammarEvaluationState({model, grammar}));
                latencies.push(performance.now() - started);
            }
        }));
        return {elapsed: performance.now() - start, latencies, answers};
    },

    async prefill({prompt}) {
        await sequences[0].clearHistory();
        const start = performance.now();
        await generate(sequences[0], prompt, 1);
        return {elapsed: performance.now() - start};
    },

    // Every sequence has its prompt computed; then all decode side by side.
    async decode({prompts, tokens}) {
        const used = sequences.slice(0, prompts.length);
        await Promise.all(used.map(async (sequence, i) => {
            await sequence.clearHistory();
            await sequence.evaluateWithoutGeneratingNewTokens(prompts[i].slice(0, -1));
        }));
        const start = performance.now();
        await Promise.all(used.map((sequence, i) => generate(sequence, prompts[i].slice(-1), tokens)));
        return {elapsed: performance.now() - start};
    },
};

async function generate(sequence, input, count, grammarEvaluationState) {
    const output = [];
    for await (const token of sequence.evaluate(input, {temperature: 0, grammarEvaluationState, yieldEogToken: true})) {
        output.push(token);
        if (output.length === count) break;
    }
    return output;
}

for await (const line of createInterface({input: process.stdin})) {
    const {operation, ...request} = JSON.parse(line);
    let reply;
    try {
        reply = await operations[operation](request);
    } catch (error) {
        reply = {error: String(error?.stack ?? error)};
    }
    process.stdout.write(JSON.stringify(reply) + "\n");
}
process.exit(0);
