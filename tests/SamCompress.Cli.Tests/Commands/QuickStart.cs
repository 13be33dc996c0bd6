using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Commands;

/// <summary>One run of <c>quantize</c> on the sample model, for all tests that look at what it leaves.</summary>
[CollectionDefinition(Collection)]
public sealed class QuickStart : IDisposable, ICollectionFixture<QuickStart>
{
    public const string Collection = "quick start";

    internal static readonly string Nano = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");
    internal static readonly string Pictures = Path.Combine(SkeletonModels.RepositoryRoot, "calibration");

    public QuickStart() => Run = CommandRun.Of("quantize", Nano, "-o", Artifact);

    internal TemporaryDirectory Directory { get; } = new();

    internal CommandRun Run { get; }

    internal string Artifact => Directory.File("encoder.w8a8.onnx");

    internal JsonElement Report => JsonDocument.Parse(File.ReadAllText(Directory.File("encoder.w8a8.report.json"))).RootElement;

    public void Dispose() => Directory.Dispose();
}
