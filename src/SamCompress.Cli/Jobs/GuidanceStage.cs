using SamCompress.IR;
using SamCompress.Passes.Quantization;
using SamCompress.Passes.Quantization.Search;
using SamCompress.Runtime.Images;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Prompts;
using SamCompress.Runtime.Search;

namespace SamCompress.Cli.Jobs;

/// <summary>Where it was asked for, judges scales by the masks: how much errors of each layer matter, and which of the best grids of an activation is best.</summary>
internal sealed class GuidanceStage(QuantizeOptions options, string? decoder, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    private const int GridsOfEach = 5;
    private const int PicturesForSensitivity = 2;

    private static readonly TimeSpan MostTime = TimeSpan.FromMinutes(5);

    private bool WantsSensitivities => options.Calibration.Method == "hessian";

    private int RerankPictures => options.Quantization.RerankPictures;

    /// <param name="model">Equalized; it stays as it is.</param>
    /// <returns>Null when nothing was asked for.</returns>
    /// <exception cref="SamCompressException">Usage: it was asked for, and there is nothing to judge by.</exception>
    public SearchGuidance? Run(Model model, CalibrationStatistics statistics, QuantizationPlanner planner, CalibrationPictures? pictures)
    {
        if (!WantsSensitivities && RerankPictures == 0)
            return null;
        string option = WantsSensitivities ? "--calibration-method hessian" : "--rerank";
        if (options.Encoder is not null)
            throw new SamCompressException(FailureKind.Usage, $"{option} is for image encoders", "leave it out for a mask decoder.");
        if (decoder is null || pictures is null)
        {
            throw new SamCompressException(
                FailureKind.Usage,
                decoder is null ? $"{option} judges by masks, and there is no decoder beside the model" : $"{option} judges by masks, and only statistics were given",
                decoder is null ? "name it with --decoder FILE." : "give pictures: --calibration-data DIR.");
        }

        using var masks = MaskDecoder.Open(decoder);
        Value input = model.Graph.Inputs.First(i => i.Initializer is null);
        using var loader = new ImageLoader(Preprocessing.For(new SessionValue(input.Name, input.ElementType, input.Shape), model.Path ?? ""));
        IReadOnlyList<string> chosen = SensitivityJob.Chosen(pictures.Calibration, Math.Min(Math.Max(RerankPictures, WantsSensitivities ? PicturesForSensitivity : 0), pictures.Calibration.Count));
        EncoderImage[] images = [.. chosen.Select(p => loader.Load(p, cancellation))];
        try
        {
            return Guide(new SearchGuide(masks, images, options.Execution.FrugalSession), model, statistics, planner);
        }
        finally
        {
            foreach (EncoderImage image in images)
                image.Dispose();
        }
    }

    private SearchGuidance Guide(SearchGuide guide, Model model, CalibrationStatistics statistics, QuantizationPlanner planner)
    {
        var guidance = new SearchGuidance();
        if (WantsSensitivities)
        {
            clock.Start("probe layers");
            guidance = guidance with { Sensitivities = guide.Sensitivities(model, statistics, (done, total) => progress.Advance(done, total, "layers"), cancellation) };
        }

        if (RerankPictures == 0)
            return guidance;
        clock.Start("judge scales by masks");
        DateTime end = DateTime.UtcNow + MostTime;
        IReadOnlyDictionary<string, IReadOnlyList<QuantizationGrid>> candidates = planner.Candidates(model, statistics, GridsOfEach, guidance);
        return guidance with
        {
            Grids = guide.Rerank(model, candidates, () => DateTime.UtcNow > end, (done, total) => progress.Advance(done, total, "activations"), cancellation),
        };
    }
}
