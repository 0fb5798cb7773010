// Tiny checkpoints as Hugging Face would publish them: random bf16 weights from a seed, one folder for each architecture.
import {mkdirSync} from "node:fs";
import {compareBytes, pathOf} from "./fixtures.mjs";

const sizes = {
    vocab_size: 288, hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2,
    max_position_embeddings: 512, rms_norm_eps: 1e-5, hidden_act: "silu", torch_dtype: "bfloat16",
};

/** The rotations of llama-3.1 fall into all three parts of its scaling: kept, divided, and between. */
const models = {
    "smollm2": {...sizes, model_type: "llama", num_attention_heads: 3, num_key_value_heads: 1, hidden_size: 48, rope_theta: 100000, tie_word_embeddings: true},
    "llama-3.1": {
        ...sizes, model_type: "llama", head_dim: 16, rope_theta: 500000, tie_word_embeddings: false,
        rope_scaling: {rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64},
    },
    "mistral": {...sizes, model_type: "mistral", head_dim: 8, rope_theta: 1000000, sliding_window: null, tie_word_embeddings: false},
    "qwen2": {...sizes, model_type: "qwen2", rope_theta: 1000000, rms_norm_eps: 1e-6, use_sliding_window: false, tie_word_embeddings: true},
    "qwen3": {...sizes, model_type: "qwen3", head_dim: 16, rope_theta: 1000000, rms_norm_eps: 1e-6, attention_bias: false, tie_word_embeddings: true},
};

for (const [i, [name, config]] of Object.entries(models).entries()) {
    mkdirSync(pathOf(`Models/${name}`), {recursive: true});
    compareBytes(`Models/${name}/config.json`, Buffer.from(`${JSON.stringify(config, null, 2)}\n`));
    compareBytes(`Models/${name}/model.safetensors`, safetensors(weights(config, i + 1)));
}

function weights(config, seed) {
    const random = mulberry32(seed);
    const {hidden_size: hidden, intermediate_size: inner, num_attention_heads: heads, num_key_value_heads: kvHeads} = config;
    const headSize = config.head_dim ?? hidden / heads;
    const tensors = {};
    const add = (name, shape, center, spread) => {
        tensors[name] = {shape, data: Array.from({length: shape.reduce((a, b) => a * b)}, () => center + spread * (2 * random() - 1))};
    };
    const matrix = (name, rows, columns) => add(`${name}.weight`, [rows, columns], 0, 1.5 / Math.sqrt(columns));
    const norm = (name, size) => add(`${name}.weight`, [size], 1, 0.5);

    matrix("model.embed_tokens", config.vocab_size, hidden);
    for (let i = 0; i < config.num_hidden_layers; i++) {
        const layer = `model.layers.${i}`;
        norm(`${layer}.input_layernorm`, hidden);
        for (const [part, rows] of [["q", heads], ["k", kvHeads], ["v", kvHeads]]) {
            matrix(`${layer}.self_attn.${part}_proj`, rows * headSize, hidden);
            if (config.model_type === "qwen2") add(`${layer}.self_attn.${part}_proj.bias`, [rows * headSize], 0, 0.5);
            if (config.model_type === "qwen3" && part !== "v") norm(`${layer}.self_attn.${part}_norm`, headSize);
        }
        matrix(`${layer}.self_attn.o_proj`, hidden, heads * headSize);
        norm(`${layer}.post_attention_layernorm`, hidden);
        matrix(`${layer}.mlp.gate_proj`, inner, hidden);
        matrix(`${layer}.mlp.up_proj`, inner, hidden);
        matrix(`${layer}.mlp.down_proj`, hidden, inner);
    }
    norm("model.norm", hidden);
    if (!config.tie_word_embeddings) matrix("lm_head", config.vocab_size, hidden);
    return tensors;
}

function safetensors(tensors) {
    const header = {__metadata__: {format: "pt"}};
    const parts = [];
    let offset = 0;
    for (const [name, {shape, data}] of Object.entries(tensors)) {
        const bits = new Uint16Array(new Uint32Array(Float32Array.from(data).buffer).map((word) => word >>> 16)); // bf16, rounded towards zero
        header[name] = {dtype: "BF16", shape, data_offsets: [offset, offset += 2 * bits.length]};
        parts.push(Buffer.from(bits.buffer));
    }
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, ...parts]);
}

/** A small generator of random numbers that is the same everywhere. */
function mulberry32(state) {
    return () => {
        state = (state + 0x6D2B79F5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}
