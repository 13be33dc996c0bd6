using SamCompress.Cli.Jobs;
using SamCompress.IR;
using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Rendering;

/// <summary>The proof that quantizers act, in one line.</summary>
internal static class QuantizerText
{
    private const int MostNames = 3;

    public static string Line(CompressionReport report)
    {
        QuantizerProofResult?[] proofs = [report.Quantizers, report.Decoder?.Quantizers];
        string counts = string.Join("; of the decoder ", proofs.OfType<QuantizerProofResult>().Select(Counts));
        DeadQuantizer[] dead = [.. proofs.OfType<QuantizerProofResult>().SelectMany(p => p.Dead)];
        string names = dead.Length == 0 ? "" : $". DEAD: {string.Join(", ", dead.Take(MostNames).Select(d => $"{SafeText.Line(d.Name)} ({d.Reason})"))}{(dead.Length > MostNames ? " and others, see the report" : "")}";
        return $"quantizers {counts} act{names}";
    }

    public static string Counts(QuantizerProofResult proof) => $"{proof.ActingActivations} of {proof.Activations} activations, {proof.ActingWeights} of {proof.Weights} weights";
}
