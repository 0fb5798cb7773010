// llama.cpp through node-llama-cpp, driven by JSON lines: one request a line on stdin, one reply a line on stdout. Times are in milliseconds and
// are taken here, so that what travels between the processes is not in them.
import {createInterface} from "node:readline";
import {getLlama, LlamaGrammarEvaluationState, LlamaLogLevel} from "node-llama-cpp";

const llama = await getLlama({gpu: false, build: "never", maxThreads: Number(process.argv[2]), logLevel: LlamaLogLevel.error});
let model, context, sequences;

const operations = {
    async load({path, count, contextTokens, threads}) {
        await context?.dispose();
        await model?.dispose();
        model = await llama.loadModel({modelPath: path});
        context = await model.createContext({sequences: count, contextSize: contextTokens, threads});
        sequences = Array.from({length: count}, () => context.getSequence());
        return {};
    },

    // Every caller takes the next prompt as soon as the last one is answered, until the time is over.
    async answer({prompts, callers, duration, tokens, grammar: text}) {
        const grammar = text && await llama.createGrammar({grammar: text});
        const latencies = [];
        let next = 0;
        const start = performance.now();
        await Promise.all(sequences.slice(0, callers).map(async (sequence) => {
            do {
                const prompt = prompts[next++ % prompts.length], started = performance.now();
                await sequence.clearHistory();
                await generate(sequence, prompt, tokens, grammar && new LlamaGrammarEvaluationState({model, grammar}));
                latencies.push(performance.now() - started);
            } while (performance.now() - start < duration);
        }));
        return {elapsed: performance.now() - start, latencies};
    },

    async continue({prompt, tokens}) {
        await sequences[0].clearHistory();
        const start = performance.now();
        const output = await generate(sequences[0], prompt, tokens);
        return {elapsed: performance.now() - start, output};
    },

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
    if (output.length < count) throw new Error(`only ${output.length} of ${count} tokens`);
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
