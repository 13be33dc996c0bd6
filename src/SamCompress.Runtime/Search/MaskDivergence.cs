using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Runtime.Search;

/// <summary>
/// How far the masks of a student's embeddings are from those of its teacher: for each prompt the mean over all pixels of all low-resolution masks of the
/// Kullback-Leibler divergence between two Bernoulli variables with p = sigmoid(logit), plus the mean of that between the predicted IoUs, clipped to (0, 1)
/// (TinySAM's task loss, arXiv 2312.13789, with its distributions defined by us).
/// </summary>
internal sealed class MaskDivergence
{
    private const int GridSide = 2;
    private const double Least = 1e-6;

    private readonly MaskDecoder _decoder;
    private readonly List<(Prompt Prompt, float[] Logits, float[] Ious)> _answers = [];
    private readonly int _width;
    private readonly int _height;

    /// <param name="embeddings">Of the teacher's encoder for one picture.</param>
    public MaskDivergence(MaskDecoder decoder, IReadOnlyDictionary<string, RuntimeTensor> embeddings, int width, int height, CancellationToken cancellation)
    {
        (_decoder, _width, _height) = (decoder, width, height);
        foreach (Prompt prompt in Prompt.Grid(GridSide, width, height))
        {
            (float[] logits, float[] ious) = decoder.Logits(embeddings, width, height, prompt, cancellation);
            _answers.Add((prompt, logits, ious));
        }
    }

    /// <param name="embeddings">Of the student for the same picture.</param>
    /// <returns>In nats; 0 when all masks are the same.</returns>
    public double Of(IReadOnlyDictionary<string, RuntimeTensor> embeddings, CancellationToken cancellation)
    {
        double sum = 0;
        foreach ((Prompt prompt, float[] logits, float[] ious) in _answers)
        {
            (float[] other, float[] otherIous) = _decoder.Logits(embeddings, _width, _height, prompt, cancellation);
            sum += Divergence(logits, other) + Divergence([.. ious.Select(Logit)], [.. otherIous.Select(Logit)]);
        }

        return sum / _answers.Count;
    }

    /// <summary>Mean of KL(sigmoid(a) || sigmoid(b)).</summary>
    internal static double Divergence(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            // p (log p - log q) + (1 - p) (log (1 - p) - log (1 - q)), with log sigmoid(x) = -softplus(-x).
            double p = 1 / (1 + Math.Exp(-a[i]));
            sum += (p * (Softplus(-b[i]) - Softplus(-a[i]))) + ((1 - p) * (Softplus(b[i]) - Softplus(a[i])));
        }

        return sum / a.Length;
    }

    private static double Softplus(double x) => x > 0 ? x + Math.Log(1 + Math.Exp(-x)) : Math.Log(1 + Math.Exp(x));

    private static float Logit(float probability)
    {
        double p = Math.Clamp(probability, Least, 1 - Least);
        return (float)Math.Log(p / (1 - p));
    }
}
