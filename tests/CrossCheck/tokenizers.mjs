// The tokens of @huggingface/tokenizers: of texts, in which nothing is special, and of rendered conversations, in which the added tokens are.
import {readFileSync} from "node:fs";
import {Tokenizer} from "@huggingface/tokenizers";
import {compare, pathOf, readJson} from "./fixtures.mjs";

const texts = readJson("Tokenizers/texts.json");
const styles = readJson("Tokenizers/styles.json");
const renders = readJson("Templates/renders.json");
const base = readFileSync(pathOf("../../Reasoning.Tests/Tokens/Fixtures/tokenizer.json"), "utf8");

const plain = Object.fromEntries(Object.entries(styles).map(([name, style]) => [name, load({...style, special: [], added: []})]));
compare("Tokenizers/encodings.json", texts.map((text) => ({
    text, ...Object.fromEntries(Object.entries(plain).map(([name, tokenizer]) => [name, idsOf(tokenizer, text)])),
})));

const chats = [];
for (const [name, style] of Object.entries(styles)) {
    const tokenizer = load(style);
    for (const {template, conversation, text} of renders.filter((r) => style.templates.includes(r.template) && r.text && r.add_generation_prompt))
        chats.push({style: name, template, conversation, ids: idsOf(tokenizer, text)});
}
compare("Tokenizers/chats.json", chats);

function idsOf(tokenizer, text) {
    return Array.from(tokenizer.encode(text, {add_special_tokens: false}).ids);
}

/** The small tokeniser of the tests with what is peculiar to a style; its own special tokens become ordinary ones. */
function load({pre_tokenizer, normalizer = null, ignore_merges = false, special, added = []}) {
    const file = JSON.parse(base);
    const first = Math.max(...Object.values(file.model.vocab), ...file.added_tokens.map((t) => t.id)) + 1;
    file.added_tokens = [...special, ...added].map((content, i) => ({
        id: first + i, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: i < special.length,
    }));
    Object.assign(file, {pre_tokenizer, normalizer});
    file.model.ignore_merges = ignore_merges;
    return new Tokenizer(file, {});
}
