using System.Text.Json;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>How near the masks of the sample models come to those in float, in each precision.</summary>
internal sealed class AccuracyTable : QuantizationPart
{
    private static readonly Case[] Cases =
    [
        new("sam-nano-hard", "w8a8", WithDecoder: false, MeanIou: 0.980, P5Iou: 0.92),
        new("sam-nano-hard", "w8a8", WithDecoder: true, MeanIou: 0.965),
        new("sam-nano-hard", "w6a6", WithDecoder: false, MeanIou: 0.92),
        new("sam-nano-hard", "w4a16", WithDecoder: false, MeanIou: 0.95),
        new("sam-nano-hard", "w4a8", WithDecoder: false),
        new("sam-nano", "w8a8", WithDecoder: false, MeanIou: 0.980),
        new("sam-nano", "w8a8", WithDecoder: true),
    ];

    public override string Name => "accuracy";

    public override IReadOnlyList<string> Models => [.. Cases.Select(c => c.Model).Distinct()];

    public override void Print(Trials trials, IReadOnlyCollection<string> models)
    {
        var table = new Table("accuracy", "model", "encoder", "decoder", "mean IoU", "p5 IoU", "boundary IoU", "same best mask", "size ratio", "speed of the encoder", "demands");
        foreach (Case row in Cases.Where(c => models.Contains(c.Model)))
        {
            string[] decoder = row.WithDecoder ? ["--decoder-precision", "w8a8"] : [];
            Artifact artifact = trials.Quantize(Trials.Sample(row.Model), ["--precision", row.Precision, .. decoder]);
            JsonElement result = trials.Evaluate(artifact);
            table.Row(
                row.Model,
                row.Precision,
                row.WithDecoder ? "w8a8" : "float",
                Table.Share(result.Number("meanIou")),
                Table.Share(result.Number("p5Iou")),
                Table.Share(result.Number("boundaryIou")),
                Table.Share(result.Number("bestMaskAgreement")),
                Table.Number(artifact.SizeRatio, "0.000"),
                Table.Number(result.Number("speed", "ratio"), "0.00"),
                Demand.Verdict(row.Demands(result)));
        }
    }

    /// <param name="MeanIou">What is demanded, or null.</param>
    /// <param name="P5Iou">The same.</param>
    private sealed record Case(string Model, string Precision, bool WithDecoder, double? MeanIou = null, double? P5Iou = null)
    {
        public IEnumerable<Demand> Demands(JsonElement result)
        {
            if (MeanIou is { } mean)
                yield return Demand.AtLeast("mean IoU", mean, result.Number("meanIou"));
            if (P5Iou is { } p5)
                yield return Demand.AtLeast("p5 IoU", p5, result.Number("p5Iou"));
        }
    }
}
