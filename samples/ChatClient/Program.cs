using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;
using SaferGuard.Client;

// dotnet run --project samples/ChatClient http://127.0.0.1:8080 http://127.0.0.1:11434/v1 "How do I bake bread?"
using var guard = new SaferGuardClient(new Uri(args[0]));
var openAI = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(args[1]) });
using var chat = openAI.GetChatClient("qwen3").AsIChatClient().AsBuilder().UseSaferGuard(guard).Build();

var response = await chat.GetResponseAsync(args[2]);
Console.WriteLine($"{response.FinishReason}: {response.Text}");
