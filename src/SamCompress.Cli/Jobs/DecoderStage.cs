using System.Diagnostics;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Evaluation;
using SamCompress.Runtime.Inference;
using SamCompress.Runtime.Observers;
using SamCompress.Runtime.Prompts;

namespace SamCompress.Cli.Jobs;

/// <summary>The mask decoder that was quantized after its encoder.</summary>
/// <param name="Prompts">How many it was calibrated with, over all pictures.</param>
/// <param name="Quality">Of both quantized models together, against both float ones.</param>
/// <param name="Speed">Of one prompt.</param>
public sealed record ReportedDecoder(
    ReportedModel Model,
    ReportedModel Artifact,
    int Prompts,
    ReportedQuality Quality,
    ReportedSpeed Speed,
    IReadOnlyList<ReportedLayer> Layers,
    QuantizerProofResult Quantizers,
    IReadOnlyList<string> Files)
{
    /// <summary>Size of the artifact, as a part of the model's.</summary>
    public double SizeRatio => (double)Artifact.Bytes / Model.Bytes;
}

/// <summary>
/// Quantizes the mask decoder after its encoder: calibrated with what the quantized encoder gives, asked with prompts made of the masks that the
/// float models find, and written beside the encoder's artifact.
/// </summary>
internal sealed class DecoderStage
{
    private const int SpeedRounds = 20;

    private readonly QuantizeOptions _options;
    private readonly string _decoder;

    private DecoderStage(QuantizeOptions options, string decoder)
    {
        _options = options;
        _decoder = decoder;
        FileName = options.Bundle ? Bundle.DecoderName : $"{Path.GetFileNameWithoutExtension(decoder)}.{options.DecoderPrecision}.onnx";
        if (string.Equals(FileName, Path.GetFileName(options.OutputPath), StringComparison.OrdinalIgnoreCase))
            throw Usage($"encoder and decoder would both be written to {FileName}", "choose another name with -o.");
    }

    /// <summary>The name of the artifact.</summary>
    public string FileName { get; }

    /// <summary>The file of the float decoder.</summary>
    public string Source => _decoder;

    /// <summary>What may be written beside the encoder's artifact.</summary>
    public IReadOnlyList<string> Sidecars => [FileName, FileName + ".data"];

    /// <summary>The stage, or null when the decoder is to stay as it is, or nothing is to be written.</summary>
    /// <exception cref="SamCompressException">Usage: there is no decoder.</exception>
    public static DecoderStage? For(QuantizeOptions options)
    {
        if (options.DecoderPrecision is null || options.DryRun || !File.Exists(options.Model))
            return null;
        if (options.Encoder is not null)
            throw Usage("--decoder-precision is for quantizing an encoder with its decoder; --encoder gives the model itself as the decoder", "leave one of them out.");
        string decoder = Comparison.FindDecoder(options.Decoder, options.Teacher)
            ?? throw Usage("there is no decoder beside the model to be quantized with it", "name it with --decoder FILE.");
        return new DecoderStage(options, decoder);
    }

    /// <exception cref="SamCompressException">Usage: there are none.</exception>
    public static void RequirePictures(CalibrationPictures? pictures)
    {
        if (pictures is null)
            throw Usage("the decoder is calibrated with pictures, and only statistics of the encoder were given", "give pictures: --calibration-data DIR.");
    }

    /// <param name="encoder">The quantized encoder, in the stage of <paramref name="writer"/>.</param>
    /// <exception cref="SamCompressException">As for an encoder.</exception>
    public ReportedDecoder Run(DeliveredEncoder encoder, CalibrationPictures pictures, ArtifactWriter writer, PassContext context, StageClock clock, IJobProgress progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        string student = encoder.Plain;
        clock.Start("prepare decoder");
        using Model model = ModelSource.ReadDecoder(_decoder, _options.Execution.Reading);
        writer.RefuseInputs(model.Files);
        string hash = FileHash.Of(model, _decoder);
        ReportedModel source = QuantizeJob.Describe(model, _decoder, hash, ModelSource.FileBytes(model, _decoder));
        QuantizationRequest request = _options.Quantization with { Precision = Precision.All.First(p => p.Name == _options.DecoderPrecision) };
        var quantization = new QuantizationStage(
            request, request.Options(_options.Calibration with { Method = _options.Calibration.Method == "hessian" ? "mse" : _options.Calibration.Method }, NodeSelection.All, _options.AllowRequantize), _options.Execution, context, clock, cancellation, " decoder");
        new PassPipeline([.. StandardPipeline.Cleanup, .. StandardPipeline.Fusion(quantization.Target), .. StandardPipeline.PrepareQuantization]).Run(model, context);
        var samples = new CalibrationSamples(pictures, progress, cancellation);
        Func<IEnumerable<CalibrationSample>> prompted = () => samples.ForDecoder(_decoder, _options.Teacher, _options.Execution.Session, student);
        CalibrationStatistics statistics = quantization.Calibrate(model, new CalibrationOrigin(hash, CommandLine.Version, pictures.SetHash), prompted);
        QuantizationPlan plan = quantization.Plan(model, statistics, samples: prompted);
        clock.Start("quantize decoder");
        using Model prepared = ModelCopy.Of(model);
        new PassPipeline([new QuantizePass(plan)]).Run(model, context);
        Provenance.Set(model, hash, statistics, _options);
        model.SetMetadata(QuantizePass.MetadataPrefix + "encoder-sha256", encoder.Model.Sha256);
        IReadOnlyList<string> staged = writer.Save(model, FileName, _options.ExternalData);
        KernelReport kernels = KernelReport.Read(staged[0], _options.Execution.Session, Path.GetDirectoryName(staged[0]));

        (IReadOnlyList<ReportedLayer> layers, _) = new LayerErrorStage(_options.Execution, clock, progress, cancellation).Run(
            prepared, staged[0], plan, LayerKernels.Report(plan, kernels), pictures, statistics.PictureSetHash, chosen => chosen.ForDecoder(_decoder, _options.Teacher, _options.Execution.Session, student));
        ReportedQuality quality = new ValidationStage(_options, _decoder, clock, progress, cancellation).RunBoth(student, staged[0], pictures, statistics.PictureSetHash);
        return new ReportedDecoder(
            source,
            QuantizeJob.Describe(model, FileName, FileHash.Of(staged[0]), staged.Sum(f => new FileInfo(f).Length)),
            statistics.PictureCount,
            quality,
            Measure(model, staged[0], cancellation),
            layers,
            new ProofStage(_options, clock, progress, cancellation).RunDecoder(staged[0], plan, pictures, _decoder, student),
            [.. staged.Select(f => Path.GetFileName(f))]);
    }

    /// <summary>Times both decoders in turns on one prompt. Time does not depend on the values of the embeddings.</summary>
    private ReportedSpeed Measure(Model model, string student, CancellationToken cancellation)
    {
        const int width = 1024, height = 768;
        using MaskDecoder before = MaskDecoder.Open(_decoder), after = MaskDecoder.Open(student);
        Dictionary<string, RuntimeTensor> embeddings = before.Interface.EncoderOutputs.ToDictionary(n => n, n => Zeros(model, n), StringComparer.Ordinal);
        var least = new double[] { double.PositiveInfinity, double.PositiveInfinity };
        Prompt prompt = Prompt.At(width / 2, height / 2);
        try
        {
            for (int round = 0; round <= SpeedRounds; round++)
            {
                for (int i = 0; i < least.Length; i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    (i == 0 ? before : after).Decode(embeddings, width, height, prompt, cancellation);
                    least[i] = round == 0 ? least[i] : Math.Min(least[i], Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }
        }
        finally
        {
            foreach (RuntimeTensor tensor in embeddings.Values)
                tensor.Dispose();
        }

        return new ReportedSpeed("cpu", SpeedRounds, least[0], least[1], Interleaved: true);
    }

    private static RuntimeTensor Zeros(Model model, string input)
    {
        Shape shape = model.Graph.Inputs.First(i => i.Name == input).Shape ?? throw new SamCompressException(FailureKind.Unsupported, $"the shape of the decoder's input '{input}' is not known");
        long[] dimensions = [.. shape.Select(d => d.Value ?? 1)];
        return RuntimeTensor.Of(new float[dimensions.Aggregate(1L, (product, d) => product * d)], dimensions);
    }

    private static SamCompressException Usage(string message, string hint) => new(FailureKind.Usage, message, hint);
}
