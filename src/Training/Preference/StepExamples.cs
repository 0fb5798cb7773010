using SaferGuard.Reasoning.Decoding;
using SaferGuard.Training.Sft;

namespace SaferGuard.Training.Preference;

/// <summary>A pair as inputs and targets. Only the choices of the step are targets: what stands before it is read, not learnt.</summary>
internal sealed record StepPair(SftExample Chosen, SftExample Rejected, ReferenceLogs? Reference)
{
    /// <summary>Tokens that it takes of a batch: both sides are rows of it.</summary>
    public int Length => 2 * Math.Max(Chosen.Tokens.Length, Rejected.Tokens.Length);

    public static StepPair Of(PreferencePair pair, SftRow row, TraceTokens tokens) =>
        new(StepExamples.Of(pair.Chosen, pair.Step, row, tokens), StepExamples.Of(pair.Rejected, pair.Step, row, tokens), pair.Reference);
}

/// <summary>One side of a pair.</summary>
internal static class StepExamples
{
    public static SftExample Of(SampledTrace trace, Step step, SftRow row, TraceTokens tokens)
    {
        List<int> input = [.. row.Prompt, .. tokens.AssessmentChunk(row.Subject)];
        var targets = new List<Target>();
        var slot = GoldRow.SlotOf(trace.Category, tokens);
        if (step == Step.Assessment)
        {
            Ask(row.Prompt.Length, tokens.Decisions[(int)trace.Impression], Question.Assess);
            Ask(row.Prompt.Length + 1, tokens.CategorySlots[slot], Question.Categories);
            return Example();
        }

        var queries = new List<int>();
        var start = input.Count;
        input.AddRange(tokens.RulesChunk(trace.Risk, [slot], queries));
        if (step == Step.Verdicts)
        {
            for (var i = 0; i < queries.Count; i++) Ask(start + queries[i], tokens.Verdicts[(int)trace.Verdicts![i]], Question.Verdict);
            return Example();
        }

        if (slot != 0) input.AddRange(tokens.VerdictsChunk(trace.Verdicts!));
        var decision = tokens.Decisions[(int)trace.Decision!];
        if (step == Step.Path)
        {
            Ask(input.Count - 1, decision, Question.Path);
            return Example();
        }

        input.AddRange([decision, step == Step.Intent ? tokens.Intent : tokens.Strategy]);
        var sentence = trace.SentenceOf(step)!;
        foreach (var token in sentence.Tokens)
        {
            Ask(input.Count - 1, token, Question.Text);
            input.Add(token);
        }

        if (sentence.Ended) Ask(input.Count - 1, tokens.End, Question.Text);
        else input.RemoveAt(input.Count - 1); // Nothing is asked of the last token.
        return Example();

        void Ask(int position, int token, Question question) => targets.Add(new Target(position, token, question, 1));

        SftExample Example() => new([.. input], row.Prompt.Length, targets, Refuses: false, Weight: 1);
    }
}
