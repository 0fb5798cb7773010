using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;
using SaferGuard.Protocol.V1;

namespace SaferGuard.Api.Tests.Grpc;

public sealed class HealthAndReflectionTests(Service service) : IClassFixture<Service>
{
    [Theory]
    [InlineData("")]
    [InlineData("saferguard.v1.GuardService")]
    public async Task A_service_that_can_judge_is_serving(string name)
    {
        var health = await new Health.HealthClient(service.Channel).CheckAsync(new() { Service = name }, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
    }

    [Fact]
    public async Task A_service_without_its_store_is_not_serving()
    {
        await using var broken = new Service();
        await broken.InitializeAsync();
        broken.LoseStore();

        var health = await new Health.HealthClient(broken.Channel).CheckAsync(new(), cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.NotServing, health.Status);
    }

    /// <summary>As grpcurl does: which services are there, in which files, and what do they say?</summary>
    [Fact]
    public async Task Reflection_tells_a_client_without_the_contract_all_of_it()
    {
        var names = (await AskAsync(new() { ListServices = "" })).ListServicesResponse.Service.Select(item => item.Name);
        Assert.Equal(["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "saferguard.v1.GuardService"], names.Order(StringComparer.Ordinal));

        var answer = await AskAsync(new() { FileContainingSymbol = "saferguard.v1.GuardService" });
        var files = FileDescriptor.BuildFromByteStrings(answer.FileDescriptorResponse.FileDescriptorProto);
        var guard = files.Single(file => file.Name == "saferguard/v1/guard.proto").Services.Single();

        Assert.Equal(GuardService.Descriptor.Methods.Select(method => method.Name), guard.Methods.Select(method => method.Name));
        Assert.Equal(
            Judgment.Descriptor.Fields.InDeclarationOrder().Select(field => (field.Name, field.FieldNumber)),
            guard.FindMethodByName("Assess").OutputType.Fields.InDeclarationOrder().Select(field => (field.Name, field.FieldNumber)));
    }

    /// <summary>The contract that stands in the repository and the service that runs agree with the bodies of REST.</summary>
    [Fact]
    public async Task Every_field_of_a_REST_body_is_in_the_contract()
    {
        var body = (await service.CompleteAsync(Prompts.Complete(Prompts.Harmful))).Json;

        Check(body, Judgment.Descriptor);

        static void Check(System.Text.Json.JsonElement json, MessageDescriptor message)
        {
            foreach (var property in json.EnumerateObject())
            {
                var name = property.Name == "object" ? "kind" : property.Name;
                var field = message.FindFieldByName(name);
                Assert.True(field is not null, $"{message.Name} has no {name}");
                var item = property.Value.ValueKind == System.Text.Json.JsonValueKind.Array && property.Value.GetArrayLength() > 0 ? property.Value[0] : property.Value;
                if (field.FieldType == FieldType.Message && item.ValueKind == System.Text.Json.JsonValueKind.Object) Check(item, field.MessageType);
            }
        }
    }

    private async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest question)
    {
        using var call = new ServerReflection.ServerReflectionClient(service.Channel).ServerReflectionInfo(cancellationToken: TestContext.Current.CancellationToken);
        await call.RequestStream.WriteAsync(question, TestContext.Current.CancellationToken);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return call.ResponseStream.Current;
    }
}
