using TorchSharp.Modules;
using static TorchSharp.torch;

namespace SaferGuard.Training.Model;

/// <summary>
/// A row for each token: the embedding, the head, or both. Once adapted, it is frozen but for the rows of some tokens. V tokens, C hidden size,
/// N rows.
/// </summary>
internal sealed class TokenTable : nn.Module
{
    private readonly Parameter weight; // (V, C)
    private TokenRows? token_adapter;

    public TokenTable(WeightSource source, long tokens, long size)
        : base(nameof(TokenTable))
    {
        weight = source.Matrix(nameof(weight), tokens, size, Decoder.Deviation);
        RegisterComponents();
    }

    /// <summary>Rows of tokens, in at least 32 bits.</summary>
    public Tensor Rows(Tensor tokens) // (...) → (..., C)
    {
        var flat = tokens.flatten();
        var rows = weight.index_select(0, flat);
        if (IsNarrow) rows = rows.to(ScalarType.Float32);
        if (token_adapter is not null) rows = token_adapter.ReplaceRows(rows, flat);
        return rows.view([.. tokens.shape, -1]);
    }

    /// <summary>Products with all rows.</summary>
    /// <param name="compute">Precision of the product where the table is narrow: to widen it would take more memory than all else.</param>
    public Tensor Logits(Tensor hidden, ScalarType compute) // (N, C) → (N, V)
    {
        var type = IsNarrow ? compute : hidden.dtype;
        var logits = nn.functional.linear(hidden.to(type), weight.to(type)).to(hidden.dtype);
        return token_adapter is null ? logits : token_adapter.ReplaceLogits(logits, hidden);
    }

    public void Adapt(IReadOnlyList<int> tokens)
    {
        token_adapter = new TokenRows(tokens, weight);
        register_module(nameof(token_adapter), token_adapter);
    }

    /// <summary>The table that does the same without an adapter, in 32 bits.</summary>
    public Tensor Merged()
    {
        var own = weight.to(ScalarType.Float32);
        return token_adapter is null ? own : token_adapter.ReplaceIn(own);
    }

    private bool IsNarrow => weight.element_size() < sizeof(float);
}

/// <summary>Rows of a token table that are trained, under PEFT's name: not differences, as it says, but the rows themselves.</summary>
internal sealed class TokenRows : nn.Module
{
    private readonly Parameter trainable_tokens_delta; // (N, C)

    private readonly Tensor _tokens; // (N) ids

    public TokenRows(IReadOnlyList<int> tokens, Tensor table)
        : base(nameof(TokenRows))
    {
        using var _ = no_grad();
        _tokens = tensor(tokens.Select(t => (long)t).ToArray());
        trainable_tokens_delta = new Parameter(table.index_select(0, _tokens).to(ScalarType.Float32));
        RegisterComponents();
    }

    public Tensor ReplaceRows(Tensor rows, Tensor tokens) // (n, C), (n) → (n, C)
    {
        var hits = tokens.unsqueeze(1).eq(_tokens); // (n, N)
        return where(hits.any(1, keepdim: true), hits.to(trainable_tokens_delta.dtype).matmul(trainable_tokens_delta), rows);
    }

    public Tensor ReplaceLogits(Tensor logits, Tensor hidden) => // (n, V), (n, C) → (n, V)
        logits.index_copy(1, _tokens, nn.functional.linear(hidden, trainable_tokens_delta));

    public Tensor ReplaceIn(Tensor table) => table.index_copy(0, _tokens, trainable_tokens_delta); // (V, C)
}
