using SaferGuard.Api.Access;
using SaferGuard.Api.Cache;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Grpc;
using SaferGuard.Api.OpenAI;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Policies;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;

if (CommandLine.HasVerb(args)) return await CommandLine.RunAsync(args);

var builder = WebApplication.CreateBuilder(args);
builder.AddConfiguration();
builder.AddServer();
builder.AddTelemetry();
builder.AddTraces();
builder.AddPolicies();
builder.AddVerdictCache();
builder.AddAccess();
builder.AddCompletions();
builder.AddOpenAI();
builder.AddGrpc();
builder.AddOperations();

var app = builder.Build();
app.UseOperations();
app.UseAccess();
app.MapCompletions();
app.MapOpenAI();
app.MapGrpc();
app.MapTraces();
app.MapPolicies();
app.MapHealth();
app.MapMetrics();
app.MapOpenApi().AllowAnonymous();
return await app.RunUntilStoppedAsync();
