// The tokens of @huggingface/tokenizers: of texts, in which no token is special, and of rendered conversations, in which those of a style are.
import {readFileSync} from "node:fs";
import {Tokenizer} from "@huggingface/tokenizers";
import {compare, pathOf, readJson} from "./fixtures.mjs";

const texts = readJson("Tokenizers/texts.json");
const styles = readJson("Tokenizers/styles.json");
const renders = readJson("Templates/renders.json");
const base = readFileSync(pathOf("../../Reasoning.Tests/Tokens/Fixtures/tokenizer.json"), "utf8");

// Ids are counted from the same place with and without special tokens: ordinary added tokens come first.
const plain = Object.fromEntries(Object.entries(styles).map(([name, style]) => [name, load({...style, special: []})]));
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
    file.added_tokens = [...added.map((t) => ({...t, special: false})), ...special.map((content) => ({content, normalized: false, special: true}))]
        .map((token, i) => ({id: first + i, ...token, single_word: false, lstrip: false, rstrip: false}));
    Object.assign(file, {pre_tokenizer, normalizer});
    file.model.ignore_merges = ignore_merges;
    return new Tokenizer(file, {});
}
