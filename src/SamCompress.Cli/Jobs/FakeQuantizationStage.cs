using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Quantization;
using SamCompress.Runtime.Observers;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Makes the copy of a student that is trained when it is to be quantized afterwards: equalized and planned as <c>quantize</c> does it, with fake quantizers where the plan has integers.
/// Pictures to calibrate with are some of those that are learned from.
/// </summary>
internal sealed class FakeQuantizationStage(QuantizationRequest request, ExecutionRequest execution, StageClock clock, IJobProgress progress, CancellationToken cancellation)
{
    /// <param name="student">In the form that is trained; lowered and equalized afterwards, which changes nothing that it computes but rounding.</param>
    /// <param name="path">Its file.</param>
    /// <returns>A copy with fake quantizers, in which each weight has its name.</returns>
    public Model Run(Model student, string path, TrainingSet set)
    {
        var context = new PassContext { Cancellation = cancellation };
        new PassPipeline(StandardPipeline.PrepareQuantization).Run(student, context);
        CalibrationPictures pictures = CalibrationPictures.Of(set.Source, SensitivityJob.Chosen(set.Learned.Paths, Math.Min(CalibrationRequest.DefaultSamples, set.Learned.Paths.Count)));
        var quantization = new QuantizationStage(request, request.Options(new CalibrationRequest(), NodeSelection.All, allowRequantize: false), execution, context, clock, cancellation, fuses: false);
        if (!quantization.HasWork(student))
            throw new SamCompressException(FailureKind.Unsupported, "no layer can be quantized", "leave --precision out.") { Location = path };
        CalibrationStatistics statistics = quantization.Calibrate(
            student, new CalibrationOrigin(FileHash.Of(path), CommandLine.Version, pictures.SetHash), () => new CalibrationSamples(pictures, progress, cancellation).ForEncoder(student));
        QuantizationPlan plan = quantization.Plan(student, statistics);
        Model learner = ModelCopy.Of(student);
        try
        {
            FakeQuantization.Insert(learner, plan);
            return learner;
        }
        catch
        {
            learner.Dispose();
            throw;
        }
    }
}
