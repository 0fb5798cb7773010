using SaferGuard.Api.Answers;
using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Telemetry;
using SaferGuard.Api.Traces;
using SaferGuard.Api.Upstream;

var builder = WebApplication.CreateBuilder(args);
builder.AddConfiguration();
builder.AddServer();
builder.AddTelemetry();
builder.AddTraces();
builder.AddUpstream();
builder.AddAnswers();
builder.AddCompletions();
builder.AddOperations();

var app = builder.Build();
app.UseOperations();
app.MapCompletions();
app.MapTraces();
app.MapHealth();
app.MapOpenApi();
return await app.RunUntilStoppedAsync();
