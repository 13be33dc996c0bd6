using System.Text.Json;
using SamCompress.Testing;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>What quantizing the encoders of published size takes, and how fast they are then. Their weights are random: masks mean nothing.</summary>
internal sealed class SpeedTable : QuantizationPart
{
    private const string Large = "sam_b_encoder";

    private static readonly (string Model, int Pictures, int Rounds)[] Cases =
    [
        (Large, 8, 3),
        ("mobilesam_encoder", 2, 6),
        ("efficientvit_sam_l0_encoder", 2, 6),
        ("efficientsam_ti_encoder", 2, 6),
    ];

    public override string Name => "speed";

    public override IReadOnlyList<string> Models => [.. Cases.Select(c => c.Model)];

    public override void Print(Trials trials, IReadOnlyCollection<string> models)
    {
        var table = new Table(
            "speed, w8a8", "model", "pictures", "quantize s", "peak MB", "integer Linear", "integer Conv", "of them in blocks", "in the neck", "size ratio", "FP32 ms", "int8 ms", "speed", "demands");
        foreach ((string model, int pictures, int rounds) in Cases.Where(c => models.Contains(c.Model)))
        {
            string[] chosen = [.. trials.Calibration.Take(pictures)];
            Artifact artifact = trials.Quantize(SkeletonModels.FilledPath(model), [], chosen);
            JsonElement time = Trials.Time(artifact, rounds);
            table.Row(
                model,
                $"{chosen.Length}",
                Table.Number(artifact.Execution.Seconds, "0"),
                $"{artifact.Execution.PeakMegabytes}",
                Layers.Of(artifact, kind: "linear").Text,
                Layers.Of(artifact, kind: "conv").Text,
                Layers.Of(artifact, kind: "linear", part: "/blocks.").Text,
                Layers.Of(artifact, part: "/neck/").Text,
                Table.Number(artifact.SizeRatio, "0.000"),
                Table.Number(time.Number("reference", "milliseconds"), "0"),
                Table.Number(time.Number("model", "milliseconds"), "0"),
                Table.Number(time.Number("ratio"), "0.00"),
                Demand.Verdict(model == Large ? LargeDemands(artifact, time) : [Demand.Above("speed", 1, time.Number("ratio"))]));
        }
    }

    private static IEnumerable<Demand> LargeDemands(Artifact artifact, JsonElement time) =>
    [
        Demand.AtLeast("speed", 1.6, time.Number("ratio")),
        Demand.AtMost("size ratio", 0.29, artifact.SizeRatio),
        Demand.Below("seconds", 600, artifact.Execution.Seconds),
        Demand.Below("peak MB", 6000, artifact.Execution.PeakMegabytes),
        new("integers in all 48 Linears of blocks", Layers.Of(artifact, kind: "linear", part: "/blocks.") == new Layers(48, 48)),
        new("integers in both convolutions of the neck", Layers.Of(artifact, part: "/neck/") == new Layers(2, 2)),
    ];

    /// <summary>Layers of one kind or in one part of a model.</summary>
    /// <param name="Integer">How many of them ONNX Runtime runs as integers.</param>
    private sealed record Layers(int Integer, int All)
    {
        public string Text => All == 0 ? "" : $"{Integer} of {All}";

        /// <param name="kind">Null for all.</param>
        /// <param name="part">What the names hold. A convolution of one pixel is a Linear by now, but keeps its name.</param>
        public static Layers Of(Artifact artifact, string? kind = null, string part = "")
        {
            JsonElement[] layers =
            [
                .. artifact.Layers.Where(l =>
                    (kind is null || l.GetProperty("kind").GetString() == kind) && l.GetProperty("name").GetString()!.Contains(part, StringComparison.Ordinal)),
            ];
            return new Layers(layers.Count(l => l.GetProperty("integerKernel").GetBoolean()), layers.Length);
        }
    }
}
