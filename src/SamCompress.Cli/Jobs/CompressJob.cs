using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Recipes;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Does all that a recipe says: slim, rewrite and repair in order, quantize. Each stage writes a file into the stage of the output, which the next one reads; every
/// stage, and the artifact in the end, is judged by the model that came first.
/// </summary>
public sealed class CompressJob(CompressOptions options, IJobProgress progress, CancellationToken cancellation)
{
    /// <summary>What would be done; nothing is written.</summary>
    public CompressPlan Plan()
    {
        List<ReportedRewrite> rewrites = [.. options.Recipe.Rewrites.Select(s => new RewriteJob(options.Rewrite(s, options.Model, options.OutputPath) with { DryRun = true }, progress, cancellation).Run().Rewrite)];
        using Model model = ModelSource.ReadEncoder(options.Model, options.Execution.Reading);
        new PassPipeline(StandardPipeline.Cleanup).Run(model, new PassContext { Evaluator = new OnnxConstantEvaluator(), Cancellation = cancellation });
        return new CompressPlan(
            1, Path.GetFileName(options.Model), options.Recipe, [.. SelfAttentionReader.Read(model).Attentions.Select((a, i) => ReportedAttention.Of(i, a))], rewrites);
    }

    /// <exception cref="SamCompressException">See reliability rules: usage, input, unsupported, output, runtime.</exception>
    public CompressionReport Run()
    {
        string name = Path.GetFileName(options.OutputPath);
        using ArtifactWriter writer = ArtifactWriter.Begin(options.OutputPath, [name + ".data", .. new ReportFiles(name).Names, .. DecoderFiles(), .. options.Bundle ? Bundle.Sidecars : []], options.Overwrite, Inputs());
        using (Model model = ModelSource.ReadEncoder(options.Model, options.Execution.Reading))
            writer.RefuseInputs(model.Files);
        string current = options.Model;
        ReportedSlimming? slimming = null;
        if (options.Recipe.Slim is { } slim)
        {
            current = writer.StagePath(Path.Combine("slim", "encoder.onnx"));
            string? decoder = Comparison.FindDecoder(options.Decoder, options.Model);
            var set = TrainingSet.Choose(options.Calibration, FileHash.Of(options.Model));
            slimming = new SlimmingStage(slim, options.Execution, progress, cancellation).Run(options.Model, decoder, set, current, options.State);
        }

        var rewrites = new List<ReportedRewrite>();
        foreach (RewriteStep step in options.Recipe.Rewrites)
        {
            string next = writer.StagePath(Path.Combine($"rewrite-{rewrites.Count + 1}", "encoder.onnx"));
            RewriteReport report = new RewriteJob(options.Rewrite(step, current, next), progress, cancellation).Run();
            rewrites.Add(report.Rewrite with { Quality = report.Quality, Seconds = report.Seconds });

            // No block is cheap enough: the next stage goes on with what there is.
            current = report.Artifact is null ? current : next;
        }

        CompressionReport result = new QuantizeJob(options.Quantize(current, writer.StagePath(name), rewrites) with { Slimming = slimming }, progress, cancellation).Run();
        if (result.Artifact is null)
            return result;
        cancellation.ThrowIfCancellationRequested();
        writer.Commit();
        string folder = Path.GetDirectoryName(Path.GetFullPath(options.OutputPath))!;
        return result with { Files = [.. result.Files.Select(f => Path.Combine(folder, Path.GetFileName(f)))] };
    }

    private IReadOnlyList<string> Inputs() => [options.Model, .. options.Decoder is { } decoder ? new[] { decoder } : []];

    private IReadOnlyList<string> DecoderFiles() =>
        DecoderStage.For(options.Quantize(options.Model, options.OutputPath, []))?.Sidecars ?? [];
}
