using SamCompress.IR;
using SamCompress.Passes.Analysis;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Observers;

namespace SamCompress.Cli.Jobs;

/// <summary>Gets calibration statistics: from the cache where there is one, else by running the model on the pictures, one at a time.</summary>
/// <param name="encoder">The encoder that feeds the model, when that is a mask decoder; null for an encoder.</param>
internal sealed class CalibrationStage(
    CalibrationRequest request,
    ExecutionRequest execution,
    string? encoder,
    QuantizationStage quantization,
    StageClock clock,
    IJobProgress progress,
    CancellationToken cancellation)
{
    /// <summary>What the process takes beside models and observers.</summary>
    private const long BaseMemory = 150 << 20;

    /// <summary>What a JSON document can be.</summary>
    private const long MostCacheBytes = int.MaxValue;

    private static readonly TimeSpan PauseOfWaiting = TimeSpan.FromSeconds(0.2);

    /// <param name="model">Prepared for quantization; equalized afterwards.</param>
    /// <param name="hash">Of the model as it was read.</param>
    /// <param name="pictures">Null when the cache alone must do.</param>
    public (CalibrationStatistics Statistics, bool FromCache) Run(Model model, string hash, CalibrationPictures? pictures)
    {
        using ArtifactWriter? writer = ClaimCache();
        if (request.Cache is { } cache && writer is null)
        {
            clock.Start("read calibration cache");
            CalibrationStatistics cached = Read(cache);
            CalibrationCache.Validate(cached, cache, hash, CommandLine.Version, request.Data is null ? null : pictures?.SetHash, quantization.Preparation);
            quantization.PrepareAgain(model, cached);
            return (cached, true);
        }

        CheckMemory(model);
        var samples = new CalibrationSamples(pictures!, progress, cancellation);
        CalibrationStatistics statistics = quantization.Calibrate(
            model,
            new CalibrationOrigin(hash, CommandLine.Version, pictures!.SetHash),
            () => encoder is null ? samples.ForEncoder(model) : samples.ForDecoder(model.Path!, encoder, execution.Session));
        if (writer is not null)
            Write(statistics, writer);
        return (statistics, false);
    }

    /// <summary>Waits for another run that makes the same cache.</summary>
    /// <returns>What writes the cache, held from before the work, or null when there is one already or none is wanted.</returns>
    private ArtifactWriter? ClaimCache()
    {
        bool isWaiting = false;
        while (request.Cache is { } file && !File.Exists(file))
        {
            try
            {
                return ArtifactWriter.Begin(file, [], overwrite: false, []);
            }
            catch (SamCompressException) when (File.Exists(file) || ArtifactWriter.IsHeld(file))
            {
                if (!isWaiting)
                    progress.Note($"waiting for another run, which makes the calibration cache {file}");
                isWaiting = true;
            }

            cancellation.WaitHandle.WaitOne(PauseOfWaiting);
            cancellation.ThrowIfCancellationRequested();
        }

        return null;
    }

    /// <summary>Says how much memory is needed, and refuses at once what cannot work.</summary>
    private void CheckMemory(Model model)
    {
        long weights = OnnxWriter.TensorBytes(model), activations = CostModel.Measure(model).PeakActivationBytes, observers = Calibrator.ObserverMemory(quantization.Observed(model));
        long needed = weights + activations + observers + BaseMemory;
        progress.Note($"memory: about {Megabytes(needed)}, of it {Megabytes(weights)} for weights, {Megabytes(activations)} for activations, {Megabytes(observers)} for observers");
        if (needed > execution.MaxMemory)
        {
            throw new SamCompressException(
                FailureKind.Runtime,
                $"calibration needs about {Megabytes(needed)} of memory, and --max-memory allows {Megabytes(execution.MaxMemory.Value)}",
                "raise --max-memory.");
        }
    }

    private static string Megabytes(long bytes) => $"{(bytes + 999_999) / 1_000_000} MB";

    private static CalibrationStatistics Read(string file)
    {
        try
        {
            using FileStream stream = InputFile.Open(file, MostCacheBytes);
            return CalibrationCache.Read(stream, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SamCompressException(FailureKind.InputRejected, $"calibration cache: {e.Message}", "name another file with --calibration-cache.", e) { Location = file };
        }
    }

    /// <summary>The cache is a file of its own, complete or not there.</summary>
    private static void Write(CalibrationStatistics statistics, ArtifactWriter writer)
    {
        writer.Write(() =>
        {
            using FileStream stream = File.Create(writer.StagePath(Path.GetFileName(writer.Output)));
            CalibrationCache.Write(statistics, stream);
            return true;
        });
        writer.Commit();
    }
}
