using SaferGuard.Api.Completions;
using SaferGuard.Api.Configuration;
using SaferGuard.Api.Grpc;
using SaferGuard.Api.OpenAI;
using SaferGuard.Api.Operations;
using SaferGuard.Api.Traces;

var builder = WebApplication.CreateBuilder(args);
builder.AddConfiguration();
builder.AddServer();
builder.AddTraces();
builder.AddCompletions();
builder.AddOpenAI();
builder.AddGrpc();
builder.AddOperations();

var app = builder.Build();
app.UseOperations();
app.MapCompletions();
app.MapOpenAI();
app.MapGrpc();
app.MapTraces();
app.MapHealth();
app.MapOpenApi();
return await app.RunUntilStoppedAsync();
