// Writes encodings.json anew, for the texts that it has: npm install @huggingface/tokenizers@0.2.0, then node encode.mjs.
import { readFileSync, writeFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";

const words = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
const rest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]", before = "[^\\r\\n\\p{L}\\p{N}]?";
const tekken = `${before}${upper}*${lower}+|${before}${upper}+${lower}*|\\p{N}${rest.replace("[\\r\\n]*", "[\\r\\n/]*")}`;

const byteLevel = (use_regex) => ({ type: "ByteLevel", add_prefix_space: false, use_regex });
const sequence = (first, usesRegex) => ({ type: "Sequence", pretokenizers: [first, byteLevel(usesRegex)] });
const split = (Regex) => sequence({ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }, false);
const ordinary = [["<think>", false], ["<think>!", false], ["   ", false], ["naïve", true], ["na", true]];
const variants = {
  gpt2: { pre_tokenizer: byteLevel(true) },
  llama3: { pre_tokenizer: split(`${words}|\\p{N}{1,3}${rest}`) },
  qwen2: { pre_tokenizer: split(`${words}|\\p{N}${rest}`) },
  digits: { pre_tokenizer: sequence({ type: "Digits", individual_digits: true }, true) },
  tekken: { pre_tokenizer: split(tekken) },
  nfc: { pre_tokenizer: split(`${words}|\\p{N}${rest}`), normalizer: { type: "NFC" } },
  added: {
    pre_tokenizer: split(`${words}|\\p{N}${rest}`),
    normalizer: { type: "NFC" },
    added_tokens: ordinary.map(([content, normalized], i) => ({
      id: 1300 + i, content, normalized, special: false, single_word: false, lstrip: false, rstrip: false,
    })),
  },
};

const tokenizer = JSON.parse(readFileSync("tokenizer.json", "utf8"));
const texts = JSON.parse(readFileSync("encodings.json", "utf8")).map((encoding) => encoding.text);
const tokenizers = Object.entries(variants).map(([name, variant]) => [name, new Tokenizer({ ...tokenizer, added_tokens: [], ...variant }, {})]);
const encodings = texts.map((text) => ({
  text, ...Object.fromEntries(tokenizers.map(([name, t]) => [name, t.encode(text, { add_special_tokens: false }).ids.map(Number)])),
}));
writeFileSync("encodings.json", `[\n${encodings.map((e) => JSON.stringify(e)).join(",\n")}\n]\n`);
