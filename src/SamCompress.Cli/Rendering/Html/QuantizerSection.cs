using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Rendering.Html;

/// <summary>The proof that every quantizer acts.</summary>
internal static class QuantizerSection
{
    public static void Write(HtmlText html, QuantizerProofResult? artifact, QuantizerProofResult? decoder)
    {
        if (artifact is null)
            return;
        html.Line($"""
            <section id="quantizers"><h2>Quantizers that act</h2>
            <p>Shown by running each one: a change within a step changes nothing, a whole step does, what is beyond the range is cut off, and the codes seen differ.</p>
            """);
        Tables.Open(html, "Quantizers that act", "model", "#activations", "#weights");
        Row("artifact", artifact);
        if (decoder is not null)
            Row("decoder", decoder);
        Tables.Close(html);
        DeadQuantizer[] dead = [.. artifact.Dead, .. decoder?.Dead ?? []];
        if (dead.Length > 0)
        {
            html.Line($"""<ul class="remarks">""");
            foreach (DeadQuantizer quantizer in dead)
                html.Line($"""<li class="error"><strong>does not act</strong> <code>{quantizer.Name}</code> {quantizer.Reason}</li>""");
            html.Line($"</ul>");
        }

        html.Line($"</section>");

        void Row(string model, QuantizerProofResult proof) =>
            html.Line($"""<tr><th scope="row">{model}</th><td{Tables.Number}>{proof.ActingActivations} of {proof.Activations}</td><td{Tables.Number}>{proof.ActingWeights} of {proof.Weights}</td></tr>""");
    }
}
