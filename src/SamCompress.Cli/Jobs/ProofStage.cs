using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;

namespace SamCompress.Cli.Jobs;

/// <summary>Shows that every quantizer of a written artifact acts; see <see cref="QuantizerProof"/>.</summary>
internal sealed class ProofStage(QuantizeOptions options, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>Real inputs on which codes are counted: pictures of an encoder, prompts of a decoder.</summary>
    private const int Pictures = 2;

    /// <summary>All activations of a picture are held at once, and a second picture finds the arena in pieces.</summary>
    private const int PicturesOfLargeModel = 1;
    private const int Prompts = 24;

    private static readonly ReadOptions Unlimited = new() { Limits = ReadLimits.None };

    /// <param name="pictures">Null when there are none: then no codes are counted.</param>
    public QuantizerProofResult Run(string artifact, QuantizationPlan plan, CalibrationPictures? pictures)
    {
        if (options.Encoder is { } encoder)
            return RunDecoder(artifact, plan, pictures, options.Model, encoder);
        clock.Start("prove quantizers");
        using Model model = ModelSource.Read(artifact, Unlimited);
        return new QuantizerProof(options.Execution.FrugalSession)
            .Run(() => ModelSource.Read(artifact, Unlimited), plan, pictures is null ? null : new CalibrationSamples(pictures, progress, cancellation).ForEncoder(model).Take(Comparison.IsSmall(options.Model) ? Pictures : PicturesOfLargeModel), cancellation);
    }

    /// <param name="decoder">The float decoder.</param>
    /// <param name="encoder">What feeds the artifact.</param>
    public QuantizerProofResult RunDecoder(string artifact, QuantizationPlan plan, CalibrationPictures? pictures, string decoder, string encoder)
    {
        clock.Start("prove quantizers");
        return new QuantizerProof(options.Execution.FrugalSession).Run(
            () => ModelSource.Read(artifact, Unlimited),
            plan,
            pictures is null ? null : new CalibrationSamples(pictures, progress, cancellation).ForDecoder(decoder, encoder, options.Execution.Session).Take(Prompts),
            cancellation);
    }
}
