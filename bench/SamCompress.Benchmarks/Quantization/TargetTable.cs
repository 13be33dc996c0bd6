using System.Text.Json;
using SamCompress.Passes.Targets;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>What a model is in the form of each target, all run by ONNX Runtime.</summary>
internal sealed class TargetTable : QuantizationPart
{
    private const string Model = "sam-nano";
    private const int Rounds = 20;

    public override string Name => "targets";

    public override IReadOnlyList<string> Models => [Model];

    public override void Print(Trials trials, IReadOnlyCollection<string> models)
    {
        var table = new Table($"targets, {Model} w8a8", "target", "mean IoU", "p5 IoU", "embedding SQNR, dB", "size ratio", "FP32 ms", "int8 ms", "speed", "layers by kernel in ONNX Runtime");
        foreach (string target in TargetDescription.BuiltIn)
        {
            Artifact artifact = trials.Quantize(Trials.Sample(Model), ["--target", target]);
            JsonElement result = trials.Evaluate(artifact);
            JsonElement time = Trials.Time(artifact, Rounds);
            table.Row(
                target,
                Table.Share(result.Number("meanIou")),
                Table.Share(result.Number("p5Iou")),
                Table.Number(result.Number("embeddingSqnr"), "0.0"),
                Table.Number(artifact.SizeRatio, "0.000"),
                Table.Number(time.Number("reference", "milliseconds"), "0.0"),
                Table.Number(time.Number("model", "milliseconds"), "0.0"),
                Table.Number(time.Number("ratio"), "0.00"),
                Kernels(artifact));
        }
    }

    private static string Kernels(Artifact artifact) => string.Join(", ", artifact.Layers
        .GroupBy(l => l.GetProperty("kernel").GetString() ?? "fused", StringComparer.Ordinal)
        .OrderByDescending(g => g.Count())
        .Select(g => $"{g.Count()} {g.Key}"));
}
