using SamCompress.Cli.Jobs;
using SamCompress.Passes.Quantization;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>Every layer: its error, and the kernel that runs it. A chart in the order of the graph, the worst ones, then all.</summary>
internal static class LayerSection
{
    private const int Worst = 10;

    /// <summary>In dB: what the scale reaches at least, so that bars of two reports can be compared.</summary>
    private const double LeastScale = 40;

    /// <param name="id">Of the section in the page.</param>
    /// <param name="errors">How errors were measured; null says nothing about it.</param>
    public static void Write(HtmlText html, string id, string title, IReadOnlyList<ReportedLayer> layers, ReportedLayerErrors? errors)
    {
        if (layers.Count == 0)
            return;
        html.Line($"""<section id="{id}"><h2>{title}</h2>""");
        Counts(html, layers);
        if (errors is { Picture: null })
            html.Line($"<p>The errors of layers were not measured: {errors.Note}.</p>");
        double scale = Math.Max(LeastScale, 10 * Math.Ceiling(layers.Max(l => l.Sqnr ?? 0) / 10));
        if (layers.Any(l => l.Sqnr is not null))
        {
            string picture = errors is { Picture: { } file } ? $" on {file}{(errors.HeldOut ? ", a picture that was held out" : ", which calibration has seen")}" : "";
            html.Line($"""
                <h3>Error of each layer</h3>
                <p>Signal-to-quantization-noise ratio of what a layer gives{picture}, against the float model that was quantized, with all errors before it. Higher is better; 20 dB is an error of a tenth.</p>
                """);
            Chart(html, layers, scale);
            html.Line($"<h3>The {Math.Min(Worst, layers.Count(l => l.Sqnr is not null))} worst</h3>");
            Table(html, $"{title}: the worst", [.. layers.Where(l => l.Sqnr is not null).OrderBy(l => l.Sqnr).Take(Worst)], scale);
        }

        html.Line($"<details><summary>All {layers.Count} layers and the kernels that run them</summary>");
        Table(html, $"{title} in the order of the graph", layers, scale);
        html.Line($"</details></section>");
    }

    private static void Counts(HtmlText html, IReadOnlyList<ReportedLayer> layers)
    {
        Tables.Open(html, "How layers were planned and how they run", "kind", "#layers", "#planned as integer", "#run by an integer kernel");
        foreach (IGrouping<LayerKind, ReportedLayer> kind in layers.GroupBy(l => l.Kind).OrderBy(g => g.Key))
            html.Line($"""<tr><th scope="row">{kind.Key}</th><td{Tables.Number}>{kind.Count()}</td><td{Tables.Number}>{kind.Count(l => l.Execution == LayerExecution.Integer)}</td><td{Tables.Number}>{kind.Count(l => l.IntegerKernel)}</td></tr>""");
        Tables.Close(html);
    }

    private static void Chart(HtmlText html, IReadOnlyList<ReportedLayer> layers, double scale)
    {
        const double height = 100, gap = 0.2;
        double worst = layers.Min(l => l.Sqnr ?? double.PositiveInfinity);
        html.Line($"""
            <figure class="chart">
            <div class="plot"><span class="most">{scale:F0} dB</span><span class="middle">{scale / 2:F0}</span><span class="least">0</span>
            <svg viewBox="0 0 {layers.Count} {height}" preserveAspectRatio="none" role="img" aria-label="SQNR of {layers.Count} layers in the order of the graph; the least is {worst:F1} dB">
            <path class="grid" d="M0 {height / 4}H{layers.Count}M0 {height / 2}H{layers.Count}M0 {3 * height / 4}H{layers.Count}"/>
            """);
        for (int i = 0; i < layers.Count; i++)
        {
            if (layers[i].Sqnr is not { } sqnr)
                continue;
            double tall = height * Math.Clamp(sqnr / scale, 0.005, 1);
            html.Line($"""<rect class="{(layers[i].Execution == LayerExecution.Float ? "before" : "after")}" x="{i + (gap / 2):F2}" y="{height - tall:F2}" width="{1 - gap:F2}" height="{tall:F2}"><title>{layers[i].Name}: {sqnr:F1} dB</title></rect>""");
        }

        html.Line($"""
            </svg></div>
            <figcaption class="aside"><span>first layer</span><span>last layer</span></figcaption>
            </figure>
            """);
    }

    private static void Table(HtmlText html, string caption, IReadOnlyList<ReportedLayer> layers, double scale)
    {
        Tables.Open(html, caption, "layer", "#SQNR, dB", "", "kind", "runs as", "kernel");
        foreach (ReportedLayer layer in layers)
        {
            string? reason = layer.Fallback ?? (layer.Execution == LayerExecution.Integer ? null : layer.Why);
            html.Line($"""
                <tr><th scope="row"><code>{layer.Name}</code>{(reason is null ? default : new Markup("<br>"))}<span class="aside">{reason}</span></th><td{Tables.Number}>{Tables.Text(layer.Sqnr, "F1")}</td><td class="wide">{(layer.Sqnr is { } sqnr ? Tables.Bar(sqnr / scale, layer.Execution == LayerExecution.Float ? "before" : "after") : default)}</td><td>{layer.Kind}</td><td>{Runs(layer)}</td><td>{layer.Kernel ?? "–"}</td></tr>
                """);
        }

        Tables.Close(html);
    }

    private static string Runs(ReportedLayer layer) => layer.IntegerKernel ? "integers" : layer.Execution switch
    {
        LayerExecution.Integer => "float, fallen back",
        LayerExecution.WeightOnly => "float, weight as integers",
        _ => "float",
    };
}
