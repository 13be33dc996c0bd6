using System.Text.Json;

namespace SamCompress.Benchmarks.Quantization;

/// <summary>What each method gains: they are switched on one after another. A method that the command line does not know yet is passed over.</summary>
internal sealed class AblationTable : QuantizationPart
{
    private static readonly (string Model, string Precision)[] Cases = [("sam-nano-hard", "w8a8"), ("sam-nano", "w8a8"), ("sam-nano-hard", "w6a6"), ("sam-nano-hard", "w4a16")];

    private static readonly (string Name, string[] Options)[] Methods =
    [
        ("nearest, minmax", ["--rounding", "nearest", "--no-equalize", "--calibration-method", "minmax"]),
        ("nearest, percentile", ["--rounding", "nearest", "--no-equalize", "--calibration-method", "percentile"]),
        ("nearest, kl", ["--rounding", "nearest", "--no-equalize", "--calibration-method", "kl"]),
        ("nearest, mse", ["--rounding", "nearest", "--no-equalize", "--calibration-method", "mse"]),
        ("nearest, cosine", ["--rounding", "nearest", "--no-equalize", "--calibration-method", "cosine"]),
        ("nearest, mse, equalized", ["--rounding", "nearest", "--calibration-method", "mse"]),
        ("gptq, mse, equalized", ["--rounding", "gptq", "--calibration-method", "mse"]),
        ("gptq, hessian, equalized", ["--rounding", "gptq", "--calibration-method", "hessian"]),
        ("gptq in 26 stages, mse, equalized", ["--rounding", "gptq", "--gptq-stages", "26"]),
        ("nearest, mse, equalized, two ranges for Gelu", ["--rounding", "nearest", "--twin-ranges"]),
        ("gptq, mse, equalized, the best 5 judged by masks on 4 pictures", ["--rounding", "gptq", "--calibration-method", "mse", "--rerank", "4"]),
        ("gptq, mse, equalized, biases not corrected", ["--rounding", "gptq", "--calibration-method", "mse", "--no-bias-correction"]),
        ("by default", []),
    ];

    public override string Name => "ablation";

    public override IReadOnlyList<string> Models => [.. Cases.Select(c => c.Model).Distinct()];

    public override void Print(Trials trials, IReadOnlyCollection<string> models)
    {
        foreach ((string model, string precision) in Cases.Where(c => models.Contains(c.Model)))
        {
            var table = new Table($"ablation of {model} {precision}", "methods", "mean IoU", "p5 IoU", "embedding SQNR, dB", "search s");
            foreach ((string name, string[] options) in Methods)
            {
                Artifact artifact = trials.QuantizeOrRefusal(Trials.Sample(model), ["--precision", precision, .. options]);
                if (artifact.Execution.Refusal is { } refusal)
                {
                    table.Row(name, "", "", "", $"not there: {refusal}");
                    continue;
                }

                JsonElement result = trials.Evaluate(artifact);
                table.Row(
                    name,
                    Table.Share(result.Number("meanIou")),
                    Table.Share(result.Number("p5Iou")),
                    Table.Number(result.Number("embeddingSqnr"), "0.0"),
                    Table.Number(artifact.SearchSeconds, "0.0"));
            }
        }
    }
}
