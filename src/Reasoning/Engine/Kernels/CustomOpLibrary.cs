namespace SaferGuard.Reasoning.Engine.Kernels;
internal static class CustomOpLibrary { public static void Register(Microsoft.ML.OnnxRuntime.SessionOptions o) => throw new NotImplementedException(); }
