using SamCompress.Cli.Jobs;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>The measures of docs/evaluation.md, over all pictures and for each one.</summary>
internal static class QualitySection
{
    /// <param name="both">Of a quantized decoder behind the quantized encoder; null when there is none.</param>
    public static void Write(HtmlText html, ReportedQuality? quality, ReportedQuality? both)
    {
        if (quality is null)
            return;
        html.Line($"""
            <section id="quality"><h2>Quality against the original</h2>
            <p>{quality.Pictures} pictures{(quality.HeldOut ? ", none of which the job has seen before" : ", which calibration has seen")}, {(quality.Note is null ? $"{quality.Masks} masks" : $"no masks: {quality.Note}")}.</p>
            <div class="columns">
            """);
        Measures(html, quality, both);
        Pictures(html, quality);
        html.Line($"</div></section>");
    }

    private static void Measures(HtmlText html, ReportedQuality quality, ReportedQuality? both)
    {
        if (both is null)
            Tables.Open(html, "Measures over all pictures", "measure", "#value");
        else
            Tables.Open(html, "Measures over all pictures", "measure", "#encoder quantized, decoder float", "#both quantized");
        Row("mean mask IoU", q => q.MeanIou, "F4");
        Row("5th percentile of mask IoU", q => q.P5Iou, "F4");
        Row("mean boundary IoU", q => q.BoundaryIou, "F4");
        Row("same best mask", q => q.BestMaskAgreement, "P1");
        Row("mean error of predicted IoU", q => q.IouPredictionError, "F4");
        Row("cosine of embeddings", q => q.EmbeddingCosine, "F5");
        Row("SQNR of embeddings, dB", q => q.EmbeddingSqnr, "F1");
        Tables.Close(html);

        void Row(string measure, Func<ReportedQuality, double?> value, string format)
        {
            if (value(quality) is not { } first)
                return;
            html.Line($"""<tr><th scope="row">{measure}</th><td{Tables.Number}>{Tables.Text(first, format)}</td>{(both is null ? default : new Markup($"<td class=\"number\">{Tables.Text(value(both), format)}</td>"))}</tr>""");
        }
    }

    private static void Pictures(HtmlText html, ReportedQuality quality)
    {
        Tables.Open(html, "Each picture, the worst first", "picture", "#mean IoU", "#least IoU", "#SQNR, dB");
        foreach (ReportedPicture picture in quality.PerPicture.OrderBy(p => p.MeanIou ?? p.EmbeddingCosine))
        {
            html.Line($"""
                <tr><th scope="row">{picture.File}</th><td{Tables.Number}>{Tables.Text(picture.MeanIou)}</td><td{Tables.Number}>{Tables.Text(picture.MinIou)}</td><td{Tables.Number}>{Tables.Text(picture.EmbeddingSqnr, "F1")}</td></tr>
                """);
        }

        Tables.Close(html);
    }
}
