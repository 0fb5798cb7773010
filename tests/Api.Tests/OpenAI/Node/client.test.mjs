// What the openai package makes of the service. NodeClientTests.cs runs it against a service with a model that answers, one whose model only judges, and
// one that lost its store.
import assert from "node:assert/strict";
import {test} from "node:test";
import OpenAI from "openai";

const {SAFERGUARD_URL, SAFERGUARD_JUDGING_URL, SAFERGUARD_BROKEN_URL, HARMFUL, HARMLESS} = process.env;
const client = (url = SAFERGUARD_URL) => new OpenAI({apiKey: "unused", baseURL: new URL("v1", url).href, maxRetries: 2});
const ask = (content, more = {}) => ({model: "my-model", messages: [{role: "user", content}], ...more});

test("a chat is answered", async () => {
    const completion = await client().chat.completions.create({
        model: "my-model",
        messages: [{role: "developer", content: "You are brief."}, {role: "user", content: [{type: "text", text: HARMLESS}]}],
        max_completion_tokens: 8,
    });
    assert.ok(["stop", "length"].includes(completion.choices[0].finish_reason));
    assert.equal(completion.model, "my-model");
    assert.equal(completion.usage.total_tokens, completion.usage.prompt_tokens + completion.usage.completion_tokens);
    assert.ok(completion.usage.completion_tokens_details.reasoning_tokens > 0);
    assert.match(completion._request_id, /^[0-9a-f]{32}$/);
});

test("a harmful chat is refused", async () => {
    const completion = await client().chat.completions.create(ask(HARMFUL));
    assert.equal(completion.choices[0].finish_reason, "content_filter");
    assert.match(completion.choices[0].message.content, /^I can't help with this\./);
    assert.equal(completion.saferguard.decision, "refuse");
    assert.ok(completion.saferguard.rules.length > 0);
});

for (const [name, prompt] of [["an answer", HARMLESS], ["a refusal", HARMFUL]]) {
    test(`${name} is streamed`, async () => {
        const stream = await client().chat.completions.create(ask(prompt, {stream: true, stream_options: {include_usage: true}, max_tokens: 16}));
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        const reasons = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.finish_reason).filter(Boolean);
        assert.equal(reasons.length, 1);
        assert.equal(reasons[0] === "content_filter", prompt === HARMFUL);
        assert.ok(chunks.at(-1).usage.total_tokens > 0);
        assert.equal(chunks.at(-2).saferguard.decision, prompt === HARMFUL ? "refuse" : "answer");
    });
}

test("the package's own reader of streams puts a refusal together", async () => {
    const completion = await client().chat.completions.stream(ask(HARMFUL)).finalChatCompletion();
    assert.equal(completion.choices[0].finish_reason, "content_filter");
    assert.match(completion.choices[0].message.content, /^I can't help with this\./);
});

test("an error has its class, status, code and request", async () => {
    const error = await client().chat.completions.create(ask([{type: "image_url", image_url: {url: "https://example.org/a.png"}}])).catch((error) => error);
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.status, 400);
    assert.equal(error.code, "invalid_request");
    assert.equal(error.type, "invalid_request_error");
    assert.equal(error.param, "messages[0].content[0].type");
    assert.equal(error.requestID, error.error.saferguard.traceId);
});

test("what is not supported is refused clearly", async () => {
    const error = await client().chat.completions.create(ask("Hello", {n: 2, response_format: {type: "json_object"}})).catch((error) => error);
    assert.match(error.message, /n is not supported/);
    assert.match(error.message, /response_format is not supported/);
});

test("a guard that only judges says so at once, and what it judged", async () => {
    for (const stream of [false, true]) {
        const error = await client(SAFERGUARD_JUDGING_URL).chat.completions.create(ask(HARMLESS, {stream})).catch((error) => error);
        assert.equal(error.status, 501);
        assert.equal(error.code, "no_answer_source");
        assert.equal(error.error.saferguard.verdict.decision, "answer");
    }
});

test("a stream that fails throws behind its pieces", async () => {
    const pieces = [];
    const error = await (async () => {
        const stream = await client(SAFERGUARD_BROKEN_URL).chat.completions.create(ask(HARMLESS, {stream: true, max_tokens: 8}));
        for await (const chunk of stream) pieces.push(chunk);
    })().catch((error) => error);
    assert.ok(error instanceof OpenAI.APIError);
    assert.equal(error.code, "internal");
    assert.ok(pieces.length > 0);
    assert.ok(pieces.every((chunk) => chunk.choices[0].finish_reason === null));
});

test("moderations are read", async () => {
    const {results} = await client().moderations.create({model: "omni-moderation-latest", input: [HARMLESS, HARMFUL]});
    assert.deepEqual(results.map((result) => result.flagged), [false, true]);
    assert.equal(results[1].categories.illicit, true);
    assert.ok(results[1].category_scores.illicit > 0.5);
    assert.ok(results[1].saferguard.categories.includes("S5"));
});

test("models are read", async () => {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.ok(ids.includes("safer-nano"));
    assert.equal((await client().models.retrieve("safer-nano")).owned_by, "saferguard");
    const error = await client().models.retrieve("gpt-x").catch((error) => error);
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.equal(error.code, "model_not_found");
});
