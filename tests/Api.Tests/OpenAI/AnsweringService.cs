namespace SaferGuard.Api.Tests.OpenAI;

/// <summary>The service with a model that answers as well.</summary>
public sealed class AnsweringService : Service
{
    public AnsweringService() => Settings["Model:Path"] = AnsweringModel.Folder;
}
