// What @huggingface/jinja makes of every template and conversation.
import {Template} from "@huggingface/jinja";
import {compare, readJson, readText} from "./fixtures.mjs";

const {tokens, conversations} = readJson("Templates/conversations.json");
const now = new Date(2025, 2, 7, 13, 4, 5).getTime();
globalThis.Date = class extends Date {
    constructor() {
        super(now);
    }
};
const renders = [];
for (const name of Object.keys(tokens)) {
    const template = new Template(readText(`Templates/${name}.jinja`));
    for (const [conversation, variables] of Object.entries(conversations)) {
        for (const add_generation_prompt of [true, false]) {
            const render = {template: name, conversation, add_generation_prompt};
            try {
                render.text = template.render({tools: null, documents: null, ...variables, ...tokens[name], add_generation_prompt});
            } catch (error) {
                render.error = error.message;
            }
            renders.push(render);
        }
    }
}

compare("Templates/renders.json", renders);
