using SaferGuard.Api.Conversations;
using SaferGuard.Api.Failures;

namespace SaferGuard.Api.Answers;

internal static class AnswerServices
{
    /// <summary>How conversations are read, who answers them, and how answers are let through.</summary>
    public static void AddAnswers(this WebApplicationBuilder builder)
    {
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddSingleton<FailurePolicy>();
        builder.Services.AddSingleton<TextWindows>();
        builder.Services.AddSingleton<ConversationJudge>();
        builder.Services.AddSingleton<ResponseJudge>();
        builder.Services.AddSingleton<ModelAnswers>();
        builder.Services.AddSingleton<AnswerSources>();
        builder.Services.AddSingleton<HoldBack>();
    }
}
