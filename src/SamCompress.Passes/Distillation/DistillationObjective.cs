using SamCompress.Passes.Differentiation.Training;

namespace SamCompress.Passes.Distillation;

/// <summary>One comparison of the student with a teacher.</summary>
/// <param name="Feature">The name of the value in both.</param>
/// <param name="Teacher">Which teacher: 0 the original model, 1 the student of the stage before.</param>
public sealed record ObjectiveTerm(string Feature, int Teacher, LossKind Kind)
{
    /// <summary>The <see cref="Feature"/> of the masks that a decoder behind the encoder gives, as probabilities: they are no value of the encoder.</summary>
    public const string Masks = "masks";

    public bool IsOfMasks => Feature == Masks;
}

/// <summary>
/// What a student learns, and how the weights of the terms change while it does. Each term is measured in units of the mean square of the teacher's own
/// values (or their mean magnitude), so that features of different scale count alike.
/// </summary>
public abstract record DistillationObjective
{
    private DistillationObjective(IReadOnlyList<ObjectiveTerm> terms) => Terms = terms;

    public IReadOnlyList<ObjectiveTerm> Terms { get; }

    /// <summary>The weight of each term, in their order.</summary>
    /// <param name="progress">The share of the training that is done, from 0 to 1.</param>
    public abstract IReadOnlyList<double> Weights(double progress);

    /// <summary>The embedding alone, as EfficientViT-SAM (L2) and TinySAM (L1) do.</summary>
    public static DistillationObjective OfEmbedding(EncoderFeatures features, LossKind kind) => new EmbeddingOnly(new ObjectiveTerm(features.Embedding.Name, 0, kind));

    /// <summary>
    /// The embedding by squares, and the masks that the teacher's decoder makes of it, as TinySAM does: mean |p - t| H over the probabilities of all masks of all prompts, where H counts
    /// masks more that are wrong (<see cref="LossTerm.HardMaskThreshold"/>). The prompts are those that the student answers wrong.
    /// </summary>
    /// <remarks>The paper publishes no weights. Its terms for the tokens of the decoder and for true masks are left out.</remarks>
    /// <param name="maskWeight">The weight of the masks, where that of the embedding is 1, both in their units.</param>
    public static DistillationObjective OfMasks(EncoderFeatures features, double maskWeight) =>
        new Masks([new ObjectiveTerm(features.Embedding.Name, 0, LossKind.Squared), new ObjectiveTerm(ObjectiveTerm.Masks, 0, LossKind.Absolute)], maskWeight);

    /// <summary>
    /// The layers one after the other, then the embedding: SAM-Lightening's dynamic layer-wise distillation. With L values of the residual stream, the focus moves
    /// over them from the first to the last: the weight of layer l is max(0, 1 - |l - focus| / 2), that of the embedding grows from 0 to 1.
    /// </summary>
    /// <remarks>The paper publishes no weights; these are ours.</remarks>
    public static DistillationObjective OfLayers(EncoderFeatures features, LossKind kind) =>
        new Layers([.. features.Stream.Skip(1).Append(features.Embedding).Select(v => new ObjectiveTerm(v.Name, 0, kind))]);

    /// <summary>
    /// SlimSAM's bottleneck aligning, after the pruning of the embedding dimension: alpha MSE(H) + (1 - alpha) MSE(t), H being the queries, keys, values and hidden
    /// layers of every block, t the embedding; alpha = 1/2 in the first half of the training and 0 in the second.
    /// </summary>
    public static DistillationObjective OfBottlenecks(EncoderFeatures features) =>
        new Bottlenecks([new ObjectiveTerm(features.Embedding.Name, 0, LossKind.Squared), .. features.Bottlenecks.Select(v => new ObjectiveTerm(v.Name, 0, LossKind.Squared))]);

    /// <summary>
    /// SlimSAM's embedding aligning, after the pruning of the bottlenecks: (1 - alpha) MSE(t, t of the original) + alpha (MSE(E) + MSE(t), both with the model of the
    /// stage before), E being the residual stream; alpha = (N - n - 1) / N in the N epochs n of the first half of the training, then 0. N is 10 here.
    /// </summary>
    public static DistillationObjective OfStream(EncoderFeatures features) =>
        new Stream([new ObjectiveTerm(features.Embedding.Name, 0, LossKind.Squared), new ObjectiveTerm(features.Embedding.Name, 1, LossKind.Squared), .. features.Stream.Select(v => new ObjectiveTerm(v.Name, 1, LossKind.Squared))]);

    private sealed record EmbeddingOnly(ObjectiveTerm Term) : DistillationObjective([Term])
    {
        public override IReadOnlyList<double> Weights(double progress) => [1];
    }

    private sealed record Masks(IReadOnlyList<ObjectiveTerm> All, double MaskWeight) : DistillationObjective(All)
    {
        public override IReadOnlyList<double> Weights(double progress) => [1, MaskWeight];
    }

    private sealed record Layers(IReadOnlyList<ObjectiveTerm> All) : DistillationObjective(All)
    {
        private const double Reach = 2;

        public override IReadOnlyList<double> Weights(double progress)
        {
            int layers = Terms.Count - 1;
            double focus = 1 + (progress * layers);
            return [.. Enumerable.Range(1, layers).Select(l => Math.Max(0, 1 - (Math.Abs(l - focus) / Reach))), progress];
        }
    }

    private sealed record Bottlenecks(IReadOnlyList<ObjectiveTerm> All) : DistillationObjective(All)
    {
        public override IReadOnlyList<double> Weights(double progress)
        {
            double alpha = progress < 0.5 ? 0.5 : 0;
            return [1 - alpha, .. Enumerable.Repeat(alpha / (Terms.Count - 1), Terms.Count - 1)];
        }
    }

    private sealed record Stream(IReadOnlyList<ObjectiveTerm> All) : DistillationObjective(All)
    {
        private const int Epochs = 10;

        public override IReadOnlyList<double> Weights(double progress)
        {
            int n = (int)(progress * 2 * Epochs);
            double alpha = n < Epochs ? (Epochs - n - 1) / (double)Epochs : 0;
            return [1 - alpha, alpha, .. Enumerable.Repeat(alpha / (Terms.Count - 2), Terms.Count - 2)];
        }
    }
}
