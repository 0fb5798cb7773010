using SaferGuard.Api.Access;
using SaferGuard.Api.Answers;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;
using SaferGuard.Api.Upstream;

if (CommandLine.HasVerb(args)) return await CommandLine.RunAsync(args);

var builder = WebApplication.CreateBuilder(args);
builder.AddConfiguration();
builder.AddServer();
builder.AddTelemetry();
builder.AddTraces();
builder.AddPolicies();
builder.AddVerdictCache();
builder.AddAccess();
builder.AddUpstream();
builder.AddAnswers();
builder.AddCompletions();
builder.AddOperations();

var app = builder.Build();
app.UseOperations();
app.UseAccess();
app.MapCompletions();
app.MapTraces();
app.MapPolicies();
app.MapHealth();
app.MapMetrics();
app.MapOpenApi().AllowAnonymous();
return await app.RunUntilStoppedAsync();
