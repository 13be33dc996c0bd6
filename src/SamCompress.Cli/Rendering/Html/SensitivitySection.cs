using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>What each layer costs alone, and which of them were left float for it.</summary>
internal static class SensitivitySection
{
    private const int Most = 20;

    public static void Write(HtmlText html, ReportedMixedPrecision? mixed)
    {
        if (mixed is null)
            return;
        html.Line($"""<section id="sensitivity"><h2>Mixed precision</h2><p>{Sentence(mixed)}</p>""");
        if (mixed.Sensitivity.Count > 0)
        {
            HashSet<string> kept = [.. mixed.Reverted.Select(r => r.Name)];
            double most = Math.Max(double.Epsilon, mixed.Sensitivity.Max(l => l.IouLoss ?? 0));
            html.Line($"""<p>The loss of mean mask IoU when a layer alone is quantized, on pictures of the calibration set. <span class="key"><i class="before"></i>left float</span> <span class="key"><i class="after"></i>quantized</span></p>""");
            Tables.Open(html, $"The most sensitive of {mixed.Sensitivity.Count} layers", "layer", "#loss of IoU", "", "#SQNR of embeddings, dB", "became");
            foreach (MeasuredLayer layer in mixed.Sensitivity.Take(Most))
            {
                bool isFloat = kept.Contains(layer.Name);
                html.Line($"""
                    <tr><th scope="row"><code>{layer.Name}</code></th><td{Tables.Number}>{Tables.Text(layer.IouLoss, "F5")}</td><td class="wide">{Tables.Bar((layer.IouLoss ?? 0) / most, isFloat ? "before" : "after")}</td><td{Tables.Number}>{Tables.Text(layer.EmbeddingSqnr, "F1")}</td><td>{(isFloat ? "float" : "quantized")}</td></tr>
                    """);
            }

            Tables.Close(html);
        }

        html.Line($"</section>");
    }

    private static string Sentence(ReportedMixedPrecision mixed)
    {
        string line = MixedPrecisionText.Line(mixed, mostNames: 0);
        return char.ToUpperInvariant(line[0]) + line[1..] + (mixed.Evaluations == 1 ? "" : $" {mixed.Evaluations} models were judged.");
    }
}
