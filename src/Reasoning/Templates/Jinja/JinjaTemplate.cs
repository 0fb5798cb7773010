namespace SaferGuard.Reasoning.Templates.Jinja;

/// <summary>
/// A template in the part of the Jinja language that chat templates of Hugging Face use. Templates are not trusted: there is nothing of the
/// program in their reach, and <see cref="Budget"/> bounds what they do. Thread-safe.
/// </summary>
internal sealed class JinjaTemplate
{
    private readonly IReadOnlyList<Statement> _statements;

    private JinjaTemplate(IReadOnlyList<Statement> statements) => _statements = statements;

    /// <exception cref="TemplateException">The template is malformed, too large, or uses what is not supported.</exception>
    public static JinjaTemplate Parse(string template) => new(StatementParser.Parse(template));

    /// <exception cref="TemplateException">The template fails on these variables.</exception>
    public Text Render(IEnumerable<KeyValuePair<string, Value>> variables, TimeProvider time, Budget budget)
    {
        var scope = new Scope(null);
        Globals.AddTo(scope, time);
        foreach (var (name, value) in variables) scope[name] = value;
        return new Interpreter(budget).Run(_statements, scope);
    }
}
